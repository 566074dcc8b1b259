//! A control message arrives at the capture point: whose it is, what its header and AVPs show at once, and its number. What
//! it does to the machines of the two ends waits for its turn (`turn`).

use std::net::IpAddr;

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{Control, L2tp, MessageType, TunnelId, Udp};
use crate::util::seq::Seq16;
use crate::util::{Duration, Timestamp};

use super::delivery::{Beyond, Explained, Numbering};
use super::form::{self, Known};
use super::message::{SeenMessage, other, text};
use super::{numbers, setup, turn};
use crate::analysis::control::connection::ConnectionState;
use crate::analysis::identity::{Owner, request};
use crate::analysis::ids::{ConnectionId, bump, bump32};
use crate::analysis::log::{Effect, Event, Message, Observation, What};
use crate::analysis::meta::{At, Meta};
use crate::analysis::timing::REORDERED;
use crate::analysis::tracker::Tracker;

/// Takes a control message.
pub(in crate::analysis) fn control(
    tracker: &mut Tracker,
    meta: &Meta,
    udp: &Udp,
    header: &L2tp,
    control: &Control,
    protected: bool,
) {
    let message = SeenMessage::new(header, control, meta.at());
    tracker.learned.learn(udp);
    let Some((id, from)) = owner(tracker, meta, udp, &message) else { return };
    // The header of an SCCRQ names no tunnel, whatever it says: its receiver has not assigned any.
    let nameless = L2tp { tunnel_id: TunnelId(0), ..*header };
    let shown = if message.is(MessageType::SCCRQ) { &nameless } else { header };
    arrived(tracker, id, from, meta, udp, shown, protected);
    assign(tracker, id, from, &message);
    setup::learn(tracker, id, from, &message);
    let acknowledged =
        header.ns.and(header.nr).and_then(|nr| turn::acknowledged(tracker, id, from, nr, &message));
    tracker.context.acknowledges = acknowledged;
    if let Some(connection) = tracker.found.connections.get_mut(id) {
        connection.end_mut(from).count(message.kind);
        connection.end_mut(from).last_control = Some((meta.packet, meta.time));
    }
    number(tracker, id, from, meta, &message, acknowledged.map(|(_, after)| after), protected);
}

/// Finds, or opens, the connection of a control message; says which end sent it.
fn owner(
    tracker: &mut Tracker,
    meta: &Meta,
    udp: &Udp,
    message: &SeenMessage<'_>,
) -> Option<(ConnectionId, u8)> {
    let owner = tracker.identity.of_message(&tracker.found, udp, message);
    let (id, from) = match owner {
        Owner::Known(id, from) => (id, from),
        Owner::Restarted(old) => {
            turn::restarted(tracker, old, meta.at());
            let id = tracker.open(meta, udp, message.header.version(), message.tunnel)?;
            if let Some(connection) = tracker.found.connections.get_mut(id) {
                connection.replaces = Some(old);
            }
            (id, 0)
        }
        Owner::Answered(old) => {
            turn::restarted(tracker, old, meta.at());
            (answered(tracker, meta, udp, message)?, 1)
        }
        Owner::Answer => (answered(tracker, meta, udp, message)?, 1),
        Owner::New => {
            let asks = message.is(MessageType::SCCRQ);
            let before = asks.then(|| tracker.identity.may_replace(&tracker.found, udp, message)).flatten();
            let requested = message.tunnel.filter(|_| asks);
            let id = tracker.open(meta, udp, message.header.version(), requested)?;
            if let Some(connection) = tracker.found.connections.get_mut(id) {
                connection.other_id_of = before;
            }
            (id, 0)
        }
    };
    if message.is(MessageType::SCCRQ) {
        if let Some(connection) = tracker.found.connections.get_mut(id) {
            connection.request_again = meta.time;
            connection.request = Some(request(message));
        }
        if matches!(owner, Owner::New | Owner::Restarted(_)) {
            tie(tracker, id, udp, message);
        }
    }
    Some((id, from))
}

/// Opens the connection of an SCCRP whose SCCRQ the capture lacks: its receiver is the initiator.
fn answered(
    tracker: &mut Tracker,
    meta: &Meta,
    udp: &Udp,
    message: &SeenMessage<'_>,
) -> Option<ConnectionId> {
    let reverse = Udp { source: udp.destination, destination: udp.source, checksum: 0 };
    tracker.open(meta, &reverse, message.header.version(), Some(message.header.tunnel_id))
}

/// Each end asked the other at once: the lower Tie Breaker wins, and the other request is dropped (RFC 2661 section 4.4.3).
fn tie(tracker: &mut Tracker, id: ConnectionId, udp: &Udp, message: &SeenMessage<'_>) {
    let Some(crossing) = tracker.identity.crossing_request(&tracker.found, udp, message) else { return };
    let theirs = tracker.found.connection(crossing).and_then(|connection| connection.end(0).tie_breaker);
    let ours = super::message::number(message.control, attribute::TIE_BREAKER);
    let [this, that] = match (ours, theirs) {
        // Without a Tie Breaker on either side two tunnels are opened.
        (None, None) => return,
        (Some(ours), Some(theirs)) => [ours >= theirs, theirs >= ours],
        (ours, _) => [ours.is_none(), ours.is_some()],
    };
    for (id, loses) in [(id, this), (crossing, that)] {
        if let Some(connection) = tracker.found.connections.get_mut(id) {
            connection.lost_tie |= loses;
        }
    }
}

/// Notes where a packet of an end came from, and learns the receiver's tunnel ID from its header.
pub(in crate::analysis) fn arrived(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    meta: &Meta,
    udp: &Udp,
    header: &L2tp,
    protected: bool,
) {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let silent = connection.last().is_some_and(|last| meta.time.since(last) > CLOCK_AHEAD);
    let jumped = silent && connection.closed.is_none() && tracker.jumped.is_some();
    connection.end_mut(from).touch(meta.packet, meta.time);
    let [under_esp, in_clear] = &mut connection.protection;
    bump32(if protected { under_esp } else { in_clear });
    tracker.context.connection = Some(connection.number);
    tracker.context.connection_id = Some(id);
    tracker.context.from = Some(from);
    let nameless = connection.end(other(from)).tunnel_id.is_none() && header.tunnel_id.0 != 0;
    let differs = connection.end(from).endpoint != udp.source;
    let moved = differs && !comes_from_inside(tracker, id, udp.source.address);
    if jumped {
        clock_ahead(tracker, meta);
    }
    if moved {
        leave(tracker, id, from, meta, udp, protected);
    }
    if moved || nameless {
        learn_way(tracker, id, from, udp, header.tunnel_id);
    }
    if !protected {
        let follows = tracker.ipsec.decrypted.follows(udp, meta.time);
        if follows && let Some(connection) = tracker.found.connections.get_mut(id) {
            bump32(&mut connection.end_mut(from).after_esp);
        }
        tracker.of_capture(Observation::InClear, meta.at(), 1);
    }
}

/// Calls that are asked whether an address is inside them.
const MOST_ASKED: usize = 64;

/// Whether an address is one that PPP gave to an end of these calls: a route leads into the tunnel itself.
#[cold]
fn comes_from_inside(tracker: &Tracker, id: ConnectionId, address: IpAddr) -> bool {
    let Some(connection) = tracker.found.connection(id) else { return false };
    let known = connection.calls.iter().take(MOST_ASKED).filter_map(|call| tracker.found.call(*call));
    known.into_iter().any(|call| call.has_inside(address))
}

/// An end sends from elsewhere than before: it is not found there any more.
#[cold]
fn leave(tracker: &mut Tracker, id: ConnectionId, from: u8, meta: &Meta, udp: &Udp, protected: bool) {
    let Some(connection) = tracker.found.connection(id) else { return };
    let elsewhere = connection.from_start && from == 1 && connection.asked.address != udp.source.address;
    let first = connection.end(from).packets == 1;
    let was_established = connection.was_established;
    if elsewhere && first {
        tracker.of_connection(id, from, Observation::AnsweredElsewhere, meta.at(), 1);
    }
    if was_established && !first && !protected {
        tracker.of_connection(id, from, Observation::EndMoved, meta.at(), 1);
    }
    tracker.identity.forget(&tracker.found, id);
}

/// Learns from a header where its sender is, and the tunnel ID of its receiver.
fn learn_way(tracker: &mut Tracker, id: ConnectionId, from: u8, udp: &Udp, tunnel: TunnelId) {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    connection.end_mut(from).endpoint = udp.source;
    let receiver = connection.end_mut(other(from));
    if receiver.tunnel_id.is_none() && tunnel.0 != 0 {
        receiver.tunnel_id = Some(tunnel);
    }
    tracker.identity.relearn(&mut tracker.found, id);
}

/// Keepalives and users leave no tunnel that is up silent for so long: the clock of the capture was set meanwhile.
const CLOCK_AHEAD: Duration = Duration::seconds(3600);

#[cold]
fn clock_ahead(tracker: &mut Tracker, meta: &Meta) {
    let Some(passed) = tracker.jumped.take() else { return };
    tracker.stepped = Some(meta.time);
    let seconds = u64::try_from(passed.0 / 1_000_000_000).unwrap_or(0);
    tracker.of_capture(Observation::ClockAhead, meta.at(), seconds);
}

/// Learns the tunnel ID that the sender assigned.
fn assign(tracker: &mut Tracker, id: ConnectionId, from: u8, message: &SeenMessage<'_>) {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let end = connection.end_mut(from);
    end.hides |= message.control.avps.iter().any(|avp| avp.hidden);
    if message.is(MessageType::SCCRQ) || message.is(MessageType::SCCRP) {
        if end.host_name.is_none() {
            end.host_name = text(message.control, attribute::HOST_NAME);
        }
        if end.vendor.is_none() {
            end.vendor = text(message.control, attribute::VENDOR_NAME);
        }
    }
    let Some(tunnel) = message.tunnel else { return };
    if end.tunnel_id.is_none() && tunnel.0 != 0 {
        end.tunnel_id = Some(tunnel);
        tracker.identity.relearn(&mut tracker.found, id);
    }
}

/// Gives a message its place among those of its sender, and lets those move the machines whose turn has come.
fn number(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    meta: &Meta,
    message: &SeenMessage<'_>,
    acknowledged: Option<Duration>,
    protected: bool,
) {
    let mut event = event(tracker, meta, from, message, acknowledged);
    let numbered = message.header.ns.zip(message.header.nr);
    let Some((ns, _)) = numbered.filter(|_| !message.kind.is_acknowledgement()) else {
        let row = log(tracker, id, event);
        numbers::observe(tracker, id, from, message, None);
        check_form(tracker, id, from, message, protected);
        if numbered.is_none() {
            // Without numbers nothing tells its turn.
            turn::sent(tracker, id, from, message.sent(Seq16(0), row));
        }
        return;
    };
    if let Some(connection) = tracker.found.connections.get(id) {
        tracker.context.resend_of = connection.end(from).delivery.waiting_packet(ns);
    }
    let row = log(tracker, id, event.clone());
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    // An end that answers an SCCRQ begins with 0 (RFC 2661 section 5.8).
    let zero = connection.from_start && from == 1 && !message.is(MessageType::SCCRP);
    let before = connection.end(from).delivery.waits();
    let sent = message.sent(ns, row);
    let (numbering, explained) = connection.end_mut(from).delivery.take(sent.clone(), message.body(), zero);
    let after = connection.end(from).delivery.waits();
    tracker.waiting = tracker.waiting.saturating_add(after).saturating_sub(before);
    explain(tracker, id, from, explained, meta.time);
    let mut again = None;
    match numbering {
        Numbering::Again(retransmission) => again = Some(retransmission),
        Numbering::Late => tracker.of_connection(id, from, Observation::LateMessage, meta.at(), 1),
        Numbering::CountsZlb => tracker.of_connection(id, from, Observation::ZlbCounted, meta.at(), 1),
        Numbering::LateCopy => turn::late_copy(tracker, id, from, sent),
        Numbering::OutOfSequence => {
            tracker.of_connection(id, from, Observation::StopOutOfSequence, meta.at(), 1);
            turn::sent(tracker, id, from, sent);
        }
        Numbering::New | Numbering::Skipped(_) => {}
    }
    if let (Some(_), What::Message(row)) = (again, &mut event.what) {
        row.resent = true;
        row.effect = Effect::None;
        resent(tracker, id, from, meta, message, event);
    }
    numbers::observe(tracker, id, from, message, again);
    if again.is_none() {
        check_form(tracker, id, from, message, protected);
        turn::release(tracker, id, from, meta.at());
        turn::deliver(tracker, id, from, meta.at());
    }
    turn::alive_or_dead(tracker, id, from, message, again.is_some());
}

fn event(
    tracker: &mut Tracker,
    meta: &Meta,
    from: u8,
    message: &SeenMessage<'_>,
    acknowledged: Option<Duration>,
) -> Event {
    const PART: usize = 96;
    let said = tracker.budget.transcribes() && setup::says_something(message.control) && {
        let avps = message.control.avps.iter();
        tracker.budget.take_said(avps.map(|avp| usize::from(avp.length).saturating_add(PART)).sum())
    };
    Event {
        at: meta.at(),
        end: from,
        what: What::Message(Message {
            kind: message.kind,
            numbers: message.header.ns.zip(message.header.nr),
            call: None,
            last_packet: meta.packet,
            copies: 1,
            resent: false,
            cut: meta.captured < meta.original,
            effect: acknowledged.map_or(Effect::None, Effect::Acknowledged),
            acknowledged: At::default(),
            said: said.then(|| Box::new(setup::without_secrets(message.control))),
        }),
    }
}

fn log(tracker: &mut Tracker, id: ConnectionId, event: Event) -> Option<usize> {
    let connection = tracker.found.connections.get_mut(id)?;
    connection.log.push(event, &mut tracker.budget)
}

/// A message that was sent before: it goes with the resends just before it, and changes nothing.
fn resent(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    meta: &Meta,
    message: &SeenMessage<'_>,
    event: Event,
) {
    tracker.context.resent = true;
    bump(&mut tracker.found.totals.resent);
    if message.is(MessageType::HELLO) {
        bump(&mut tracker.found.totals.hello.resent);
    }
    tracker.of_connection(id, from, Observation::Resent, meta.at(), 1);
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let changed = message.is(MessageType::SCCRP)
        && message.tunnel.zip(connection.end(from).tunnel_id).is_some_and(|(now, then)| now != then);
    connection.log.replace_last_by_resend(event, &mut tracker.budget);
    if changed {
        tracker.of_connection(id, from, Observation::TunnelIdChanged, meta.at(), 1);
    }
}

/// Whether what `from` sends now was on its way before an Nr beyond it was there.
fn crosses(tracker: &Tracker, id: ConnectionId, from: u8, beyond: &Beyond, now: Timestamp) -> bool {
    let end = tracker.found.connection(id).map(|connection| connection.end(from));
    let round_trip = end.and_then(|end| end.round_trips.median()).unwrap_or(REORDERED);
    beyond.may_be_copy && now.since(beyond.time) <= round_trip
}

fn explain(tracker: &mut Tracker, id: ConnectionId, from: u8, explained: Option<Explained>, now: Timestamp) {
    let peer = other(from);
    if let (Some(_), Some(connection)) = (explained, tracker.found.connections.get_mut(id)) {
        // If the peer counts right, this is a copy of a message that the capture lacks.
        connection.lacks();
        bump(&mut tracker.found.totals.unseen);
    }
    match explained {
        // A copy that had left before that Nr could reach its sender: the capture lacks the first one.
        Some(Explained::BeyondSent(beyond)) if crosses(tracker, id, from, &beyond, now) => {
            let at = At { packet: beyond.packet, time: beyond.time };
            tracker.of_connection(id, from, Observation::AcknowledgedUnseen, at, 1);
        }
        Some(Explained::BeyondSent(beyond)) => {
            let at = At { packet: beyond.packet, time: beyond.time };
            tracker.of_connection(id, peer, Observation::NrBeyondSent, at, 1);
            if beyond.zlb {
                tracker.of_connection(id, peer, Observation::NrCountsZlb, at, 1);
            }
        }
        Some(Explained::Unseen(beyond)) => {
            let at = At { packet: beyond.packet, time: beyond.time };
            tracker.of_connection(id, from, Observation::AcknowledgedUnseen, at, 1);
        }
        None => {}
    }
}

/// Notes how a message that is no resend departs from the tables.
fn check_form(tracker: &mut Tracker, id: ConnectionId, from: u8, message: &SeenMessage<'_>, protected: bool) {
    let Some(connection) = tracker.found.connection(id) else { return };
    let version = connection.version;
    let known = Known {
        protected,
        secrets: tracker.learned.has_secrets(),
        nameless: connection.state != ConnectionState::Established && !connection.was_established,
    };
    let mut departures = Vec::new();
    match version {
        3 => form::look3(message.control, &mut |form| departures.push(form)),
        _ => form::look(message.header, message.control, &known, &mut |form| departures.push(form)),
    }
    for form in departures {
        tracker.of_connection(id, from, Observation::Form(form), message.at, 1);
    }
}
