//! Data messages: to which call they belong, and what they carry (RFC 2661 sections 5.3, 5.4).

use crate::dissect::layers::{L2tp, Ppp, Udp};
use crate::util::Timestamp;

use super::control::call::{Call, CallState};
use super::control::call_state::CallEndState;
use super::control::message::other;
use super::control::{arrive, calls};
use super::foresee::Route;
use super::ids::{CallId, ConnectionId, bump};
use super::log::{Change, Data, Event, Observation, What};
use super::meta::Meta;
use super::ppp::authentication::Outcome;
use super::ppp::protocol;
use super::timing::REORDERED;
use super::tracker::Tracker;
use super::traffic::TunnelAddresses;

/// Data from the LNS in a row that shows whether it numbers: a packet or two may be out of order.
const ROW: u16 = 3;

/// Whether data from the LAC does not follow the LNS, `lns`, into or out of sequence numbers (RFC 2661 section 5.4), for
/// longer than what the LNS sent may have been on its way.
fn strays(call: &Call, lns: u8, header: &L2tp, time: Timestamp) -> bool {
    let Some(lead) = call.data.get(usize::from(lns)) else { return false };
    lead.run >= ROW
        && lead.numbered != header.ns.is_some()
        && time.since(lead.turned) > REORDERED
        && call.state == CallState::Established
        && !call.numbered
}

/// Takes a data message of L2TPv2.
pub(super) fn packet(
    tracker: &mut Tracker,
    meta: &Meta,
    udp: &Udp,
    header: &L2tp,
    ppp: Option<&Ppp>,
    protected: bool,
    route: Option<Route>,
) {
    let known = route.map(|route| (route.connection, other(route.end)));
    let known = known.or_else(|| tracker.identity.of_header(&tracker.found, udp, header));
    let Some((id, from)) = known.or_else(|| Some((tracker.open(meta, udp, header.version(), None)?, 0)))
    else {
        return;
    };
    if header.tunnel_id.0 == 0 {
        tracker.of_connection(id, from, Observation::DataZero, meta.at(), 1);
    }
    carry(tracker, meta, (id, from), udp, header, ppp, protected);
}

/// Counts data that an end of a connection sent.
pub(super) fn carry(
    tracker: &mut Tracker,
    meta: &Meta,
    (id, from): (ConnectionId, u8),
    udp: &Udp,
    header: &L2tp,
    ppp: Option<&Ppp>,
    protected: bool,
) {
    arrive::arrived(tracker, id, from, meta, udp, header, protected);
    let to = other(from);
    let Some(call_id) = call_of(tracker, id, to, meta, header) else { return };
    tracker.context.call = Some(call_id);
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    if let Some(Event { what: What::Data(run), .. }) = connection.log.last_mut() {
        (run.last_packet, run.last_time) = (meta.packet, meta.time);
        if let Some(count) = run.count.get_mut(usize::from(from)) {
            bump(count);
        }
    } else {
        let count = if from == 0 { [1, 0] } else { [0, 1] };
        let what = What::Data(Data { last_packet: meta.packet, last_time: meta.time, count });
        connection.log.push(Event { at: meta.at(), end: from, what }, &mut tracker.budget);
    }
    // Of what follows, only what each packet needs is read at once: the rest lies far from it in memory.
    let connection = &*connection;
    let mid_stream = !connection.from_start;
    let Some(call) = tracker.found.calls.get_mut(call_id) else { return };
    call.last = meta.at();
    call.counts |= header.ns.is_some();
    // Only a call whose data carries numbers at times has another state to follow.
    let astray = call.counts
        && (connection.lac == Some(from) && connection.version == 2)
        && !mid_stream
        && strays(call, to, header, meta.time);
    let Some(data) = call.data.get_mut(usize::from(from)) else { return };
    let before = (data.duplicated, data.reordered, data.restarts);
    let skipped = data.push(header, meta.time);
    let (copy, late_number) = (data.duplicated > before.0, data.reordered > before.1);
    let restarted = data.restarts > before.2;
    let mut staged = None;
    if let Some(ppp) = ppp {
        // Network-layer protocols have numbers up to 3fff (RFC 1661 section 2); compressed ones count too.
        if ppp.protocol < 0x4000 {
            bump(&mut data.network);
        }
        let before = ppp.control.is_some().then(|| stage(call));
        call.ppp.push(ppp, usize::from(from), meta.packet, meta.time);
        staged = before.map(|before| (before, stage(call)));
        if skipped > 0 {
            call.traffic.gap(from, meta.packet, skipped);
        }
        if let Some(inner) = &ppp.inner {
            let outer = connection.ends.each_ref().map(|end| &end.endpoint.address);
            let tunnel = TunnelAddresses { outer, ppp: &call.ppp.network.addresses };
            let at = (meta.packet, meta.time);
            call.traffic.push(inner, from, at, ppp.payload, &tunnel, &mut tracker.traffic);
        }
        let users = tracker.learned.users();
        if let Some(control) = ppp.control.as_deref().filter(|_| !users.is_empty()) {
            call.ppp.prove(control, from, meta.packet, users);
        }
    } else if header.version() == 3 {
        bump(&mut data.network);
    }
    let up = call.state == CallState::Established
        || call
            .machines
            .get(usize::from(from))
            .is_some_and(|machine| machine.state == CallEndState::Established);
    let waiting = matches!(call.state, CallState::WaitReply | CallState::WaitConnect);
    // What a capture lacks may have moved the call.
    let early = (waiting && !up && !mid_stream)
        && call.lacks == connection.unseen_messages
        && connection.ends.iter().all(|end| end.delivery.waits() == 0);
    let late = |closed: Option<Timestamp>| closed.is_some_and(|closed| meta.time.since(closed) > REORDERED);
    let late_in_tunnel = late(connection.end(from).closed_at);
    let late_in_call = late(call.closed_at.get(usize::from(from)).copied().flatten()) && !call.guessed;
    let unnumbered = call.numbered && header.ns.is_none();
    let unknown = call.unannounced && !mid_stream && connection.unseen_messages == 0;
    tracker.context.data_skipped = skipped;
    if let Some((before, now)) = staged {
        if now.0 && !before.0 {
            tracker.call_changed(call_id, from, meta.at(), Change::UserRefused);
        }
        if let Some(control) = ppp.and_then(|ppp| ppp.control.as_deref()).filter(|_| now.1 > before.1) {
            tracker.call_changed(call_id, from, meta.at(), Change::NetworkUp(control.protocol));
        }
    }
    let mut note = |seen: bool, what: Observation| {
        if seen {
            tracker.of_call(call_id, from, what, meta.at(), 1);
        }
    };
    note(late_in_tunnel || late_in_call, Observation::LateData { tunnel: late_in_tunnel });
    note(unnumbered, Observation::DataUnnumbered);
    note(header.session_id.0 == 0, Observation::DataZero);
    note(astray, Observation::NotFollowing { begins: header.ns.is_none() });
    note(restarted, Observation::NumbersRestart);
    note(copy, Observation::DataCopy);
    note(!copy && late_number, Observation::DataLate);
    note(early, Observation::EarlyData);
    note(unknown, Observation::UnknownSession);
    if skipped > 0 {
        tracker.of_call(call_id, from, Observation::DataGap, meta.at(), u64::from(skipped));
    }
}

/// Notes numbered data in an ESP packet that came before: it counts nowhere else.
#[cold]
pub(super) fn replayed(tracker: &mut Tracker, meta: &Meta, udp: &Udp, header: &L2tp) {
    let owner = tracker.identity.of_header(&tracker.found, udp, header).filter(|_| header.ns.is_some());
    let Some((id, from)) = owner else { return };
    if let Some(call) = tracker.identity.routes.session(id, other(from), header.session_id) {
        tracker.of_call(call, from, Observation::DataReplayed, meta.at(), 1);
    }
}

/// The call of data to a session of the end `to`; a new one, if no message announced it.
fn call_of(tracker: &mut Tracker, id: ConnectionId, to: u8, meta: &Meta, header: &L2tp) -> Option<CallId> {
    let session = header.session_id;
    let connection = tracker.found.connections.get_mut(id)?;
    if let Some(call) = connection.recent_call(to, session) {
        return Some(call);
    }
    if let Some(call) = tracker.identity.routes.session(id, to, session) {
        if let Some(recent) = connection.recent.get_mut(usize::from(to)) {
            *recent = Some((session, call));
        }
        return Some(call);
    }
    let call = match tracker.identity.unanswered_call(&tracker.found, id, to) {
        Some(call) => {
            if let Some(known) = tracker.found.calls.get_mut(call) {
                known.guessed |= known.requester.is_none();
            }
            call
        }
        None => {
            let call = calls::open(tracker, id, meta.at())?;
            if let Some(opened) = tracker.found.calls.get_mut(call) {
                opened.unannounced = true;
            }
            call
        }
    };
    calls::assign(tracker, id, call, to, Some(session));
    Some(call)
}

/// How far the PPP of a call came: whether a user was refused, and how many network layers opened.
fn stage(call: &Call) -> (bool, usize) {
    let refused = call.ppp.authentication.outcome() == Some(Outcome::Failure);
    let open =
        call.ppp.ncps.iter().filter(|(number, ncp)| *number != protocol::CCP && ncp.ever_opened()).count();
    (refused, open)
}
