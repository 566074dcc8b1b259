//! The turn of a message has come: it moves the machine of its sender, and, once an Nr shows that its receiver has it, that
//! of its receiver (RFC 2661 sections 5.8 and 7).

use crate::dissect::layers::MessageType;
use crate::util::Duration;
use crate::util::seq::Seq16;

use super::calls;
use super::connection::ConnectionState;
use super::delivery::{Outstanding, Released};
use super::machine::Event;
use super::message::{MessageKind, SeenMessage, SentMessage, other};
use super::rfc2661_7_2::ControlState;
use crate::analysis::ids::{ConnectionId, bump};
use crate::analysis::limits::Limit;
use crate::analysis::log::{Change, Effect, Observation};
use crate::analysis::meta::At;
use crate::analysis::timing::REORDERED;
use crate::analysis::tracker::Tracker;

/// Takes the Nr of a message that `from` sent: what it covers, `from` has handled. Returns the packet of the newest message
/// that it acknowledges for the first time, and how long that took.
pub(super) fn acknowledged(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    nr: Seq16,
    message: &SeenMessage<'_>,
) -> Option<(u64, Duration)> {
    let (peer, at) = (other(from), message.at);
    let connection = tracker.found.connections.get_mut(id)?;
    if !connection.end_mut(peer).delivery.acknowledge(nr, at) {
        return None;
    }
    let sent = &connection.end(peer).delivery;
    if sent.beyond.is_some() || sent.next().is_none() && nr.0 > 0 {
        connection.lacks();
        bump(&mut tracker.found.totals.unseen);
    }
    release(tracker, id, peer, at);
    let newest = deliver(tracker, id, peer, at)?;
    let after = at.time.since(newest.first);
    if newest.message.is(MessageType::HELLO) {
        let hello = &mut tracker.found.totals.hello;
        bump(&mut hello.acknowledged);
        hello.waited.0 = hello.waited.0.saturating_add(after.0.max(0));
    }
    if newest.copies == 1 {
        if after > REORDERED {
            let millis = u64::try_from(after.0 / 1_000_000).unwrap_or(0);
            tracker.of_connection(id, from, Observation::LateAcknowledgement, at, millis);
        }
        if let Some(connection) = tracker.found.connections.get_mut(id) {
            connection.end_mut(from).round_trips.push(after);
        }
    }
    newest.packets().first().map(|first| (*first, after))
}

/// Gives the messages of an end their turn, in the order of Ns.
pub(super) fn release(tracker: &mut Tracker, id: ConnectionId, from: u8, at: At) {
    loop {
        let crowded = tracker.waiting > tracker.limits.waiting;
        let Some(connection) = tracker.found.connections.get_mut(id) else { return };
        let delivery = &mut connection.end_mut(from).delivery;
        let before = delivery.waits();
        let released = delivery.release(at, crowded);
        let after = delivery.waits();
        tracker.waiting = tracker.waiting.saturating_sub(before.saturating_sub(after));
        match released {
            Some(Released::InOrder(message)) => sent(tracker, id, from, message),
            Some(Released::Unseen { at, proved }) => {
                if crowded && !proved {
                    tracker.found.reach(Limit::Waiting);
                }
                unseen(tracker, id, from, at, proved);
            }
            None => return,
        }
    }
}

/// A message that the capture lacks may have moved both ends.
fn unseen(tracker: &mut Tracker, id: ConnectionId, from: u8, at: At, proved: bool) {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    connection.lacks();
    bump(&mut tracker.found.totals.unseen);
    if proved {
        connection.end_mut(other(from)).acknowledged_unseen = true;
        tracker.of_connection(id, from, Observation::AcknowledgedUnseen, at, 1);
    }
}

/// Delivers what `from` sent and its peer acknowledged to the machine of the peer. Returns the newest.
pub(super) fn deliver(tracker: &mut Tracker, id: ConnectionId, from: u8, at: At) -> Option<Outstanding> {
    let mut newest = None;
    loop {
        let connection = tracker.found.connections.get_mut(id)?;
        let Some(known) = connection.end_mut(from).delivery.deliver() else { return newest };
        if let Some(event) = known.row.and_then(|row| connection.log.event_mut(row)) {
            event.acknowledge(at);
        }
        received(tracker, id, other(from), &known, at);
        newest = Some(known);
    }
}

/// An end has handled a message of its peer.
fn received(tracker: &mut Tracker, id: ConnectionId, to: u8, known: &Outstanding, at: At) {
    let MessageKind::Known(kind) = known.message else { return };
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let end = connection.end_mut(to);
    end.machine.step(Event::Receives(kind));
    if kind == MessageType::STOP_CCN {
        end.closed_at.get_or_insert(at.time);
        for call in &connection.calls {
            if let Some(call) = tracker.found.calls.get_mut(*call) {
                call.close_at(to, at.time);
            }
        }
    }
    if let Some(call) = known.call {
        calls::received(tracker, id, call, to, kind, at);
    }
}

/// The turn of a message of `from` has come: it moves the machine of its sender, and what is known of both.
pub(super) fn sent(tracker: &mut Tracker, id: ConnectionId, from: u8, message: SentMessage) {
    let MessageKind::Known(kind) = message.kind else { return };
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let from_start = connection.from_start || kind == MessageType::SCCRQ;
    let end = connection.end_mut(from);
    let before = end.machine;
    let fits = end.machine.step(Event::Sends(kind));
    if end.machine.state == ControlState::Established {
        end.machine.uncertain = false;
    }
    let closed = end.closed_at;
    let other_id = kind == MessageType::STOP_CCN
        && message.tunnel.zip(end.tunnel_id).is_some_and(|(now, then)| now != then);
    if kind == MessageType::STOP_CCN {
        end.closed_at.get_or_insert(message.at.time);
    }
    let departs = (!fits && !before.uncertain && from_start).then(|| departure(before.state, kind));
    let about_call = !matches!(kind.0, 1..=6);
    let late = closed.is_some_and(|closed| message.at.time.since(closed) > REORDERED);
    for what in [departs, other_id.then_some(Observation::OtherTunnelId)].into_iter().flatten() {
        tracker.of_connection(id, from, what, message.at, 1);
    }
    let (effect, call) = if about_call {
        if late && kind != MessageType::CDN {
            tracker.of_connection(id, from, Observation::AfterStopCcn(kind), message.at, 1);
        }
        calls::sent(tracker, id, from, kind, &message)
    } else {
        (of_connection(tracker, id, from, kind, &message), None)
    };
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    if let Some(call) = call {
        connection.end_mut(from).delivery.about(message.ns, call);
        tracker.context.call = Some(call);
    }
    if let Some(event) = message.row.and_then(|row| connection.log.event_mut(row)) {
        event.complete(effect, call);
    }
    tracker.effect(id, from, message.at, effect);
}

/// What a message departs from that its sender's state has no place for.
fn departure(state: ControlState, kind: MessageType) -> Observation {
    match kind {
        _ if state == ControlState::Established => Observation::SetupAgain(kind),
        MessageType::SCCRQ | MessageType::SCCRP | MessageType::SCCCN => Observation::Unexpected(kind),
        _ => Observation::BeforeEstablished(kind),
    }
}

/// What a message about the control connection does to it.
fn of_connection(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    kind: MessageType,
    message: &SentMessage,
) -> Effect {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return Effect::None };
    let tunnel = connection.end(from).tunnel_id.map_or(Effect::None, Effect::Tunnel);
    let time = message.at.time;
    match kind {
        MessageType::SCCRQ => {
            // The capture may have shown the answer to an earlier copy.
            if connection.state == ConnectionState::Unknown {
                connection.state = match connection.answered {
                    Some(_) => ConnectionState::WaitCtlConn,
                    None => ConnectionState::WaitCtlReply,
                };
            }
            connection.from_start = true;
            connection.requested = Some(connection.answered.map_or(time, |answered| answered.min(time)));
            tracker.identity.requested(id, &tracker.limits);
            tunnel
        }
        MessageType::SCCRP => {
            connection.answered.get_or_insert(time);
            if connection.state == ConnectionState::WaitCtlReply {
                connection.state = ConnectionState::WaitCtlConn;
            }
            tunnel
        }
        MessageType::SCCCN => {
            connection.establish(message.at);
            Effect::Established
        }
        MessageType::STOP_CCN => {
            let codes = message.result.as_ref().map(|result| (result.code, result.error));
            if connection.closed_by.is_none() {
                connection.closed_by = Some(from);
                connection.closed = Some(time);
                connection.closing_packet = Some(message.at.packet);
                connection.result = message.result.clone();
                connection.state = ConnectionState::Closed;
            }
            for call in &connection.calls {
                if let Some(call) = tracker.found.calls.get_mut(*call) {
                    calls::close(call, from, message.at, None);
                    call.close_at(from, time);
                }
            }
            Effect::Closed(codes)
        }
        _ => {
            connection.end_mut(from).hello.push(time);
            if connection.from_start {
                connection.is_used();
            }
            Effect::None
        }
    }
}

/// A copy of a message that the capture lacks, and that its receiver has: it is learned from, and nobody is judged by it.
pub(super) fn late_copy(tracker: &mut Tracker, id: ConnectionId, from: u8, message: SentMessage) {
    if let Some(connection) = tracker.found.connections.get_mut(id) {
        connection.lacks();
    }
    sent(tracker, id, from, message);
}

/// The initiator of a connection began anew with the same IDs: what there was is gone.
pub(super) fn restarted(tracker: &mut Tracker, id: ConnectionId, at: At) {
    tracker.identity.forget(&tracker.found, id);
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    connection.restarted.get_or_insert(at);
    connection.end_mut(0).closed_at.get_or_insert(at.time);
    tracker.connection_changed(id, 0, at, Change::Restarted);
}

/// Whether a connection looks dead, or lives again, after a message.
pub(super) fn alive_or_dead(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    message: &SeenMessage<'_>,
    resent: bool,
) {
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let dead = connection.looks_dead();
    let told = connection.told_dead;
    connection.told_dead = dead && (told || resent);
    // One line says that it is dead; more Hellos say nothing new.
    if resent && !told && message.is(MessageType::HELLO) {
        tracker.connection_changed(id, from, message.at, Change::HelloResent);
    }
    if dead && !told && resent {
        tracker.connection_changed(id, from, message.at, Change::Dead);
    } else if told && !dead && !message.is(MessageType::STOP_CCN) {
        tracker.connection_changed(id, from, message.at, Change::Alive);
    }
}

/// The capture ends: what waits has its turn.
pub(in crate::analysis) fn settle(tracker: &mut Tracker) {
    let ids: Vec<ConnectionId> = tracker.found.connections.places().map(|(id, _)| id).collect();
    for id in ids {
        for from in [0, 1] {
            while let Some(released) = tracker
                .found
                .connections
                .get_mut(id)
                .and_then(|one| one.end_mut(from).delivery.release_at_end())
            {
                match released {
                    Released::InOrder(message) => sent(tracker, id, from, message),
                    Released::Unseen { at, proved } => unseen(tracker, id, from, at, proved),
                }
            }
            deliver(tracker, id, from, At::default());
        }
    }
}
