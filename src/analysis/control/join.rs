//! The capture ends: what looked like two control connections is joined where all that came shows that it was one.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::dissect::layers::MessageType;
use crate::util::seq::Seq16;

use super::connection::{Connection, ConnectionState, End};
use super::message::MessageKind;
use crate::analysis::ids::{ConnectionId, bump};
use crate::analysis::log::{Kind, Observation};
use crate::analysis::meta::At;
use crate::analysis::tracker::Tracker;

/// The number of the first message of an end (RFC 2661 section 5.8).
const FIRST: Seq16 = Seq16(0);

/// A request that was sent once and never answered, while a like one with another tunnel ID was and came up, is the first
/// copy of that: they are one control connection.
pub(in crate::analysis) fn join_requests(tracker: &mut Tracker) {
    let pairs: Vec<(ConnectionId, ConnectionId)> = tracker
        .found
        .connections
        .places()
        .filter_map(|(id, one)| Some((id, one.other_id_of.filter(|_| one.end(1).packets > 0)?)))
        .collect();
    for (id, first) in pairs {
        let Some(old) = tracker.found.connection(first).filter(|old| old.is_half_open()) else { continue };
        let (number, packet, requested) = (old.number, old.first_packet, old.requested);
        let Some(connection) = tracker.found.connections.get_mut(id).filter(|one| one.number > number) else {
            continue;
        };
        let at = At { packet: connection.first_packet, time: connection.requested.unwrap_or_default() };
        (connection.number, connection.first_packet, connection.requested) = (number, packet, requested);
        connection.end_mut(0).count(MessageKind::Known(MessageType::SCCRQ));
        bump(&mut connection.end_mut(0).packets);
        tracker.of_connection(id, 0, Observation::TunnelIdChanged, at, 1);
        tracker.found.connections.remove(first);
    }
}

/// An SCCRP to a tunnel ID that nobody assigned looks like the answer to a request that the capture lacks. If the one to
/// whom it went never says a word there, while a request of his stayed without any answer, it was the answer to that, and
/// misdirected (RFC 2661 section 4.4.3).
pub(in crate::analysis) fn join_misdirected(tracker: &mut Tracker) {
    let mut waiting: HashMap<[IpAddr; 2], Vec<ConnectionId>> = HashMap::new();
    let mut answers = Vec::new();
    for (id, one) in tracker.found.connections.places() {
        if is_waiting(one) {
            waiting.entry([one.end(0).endpoint.address, one.asked.address]).or_default().push(id);
        } else if is_lonely_answer(one) {
            answers.push(id);
        }
    }
    for answer in answers {
        let Some(one) = tracker.found.connection(answer) else { continue };
        let hosts = [one.end(0).endpoint.address, one.end(1).endpoint.address];
        let Some(requests) = waiting.get_mut(&hosts) else { continue };
        // The newest that was sent before it.
        let asked = |id: &ConnectionId| {
            let request = tracker.found.connection(*id)?;
            let before = request.version == one.version && request.requested? <= one.first_time;
            before.then_some(())
        };
        let Some(place) = requests.iter().rposition(|id| asked(id).is_some()) else { continue };
        let request = requests.remove(place);
        join(tracker, request, answer);
    }
}

/// A request to which nothing came, or nothing but what follows an answer.
fn is_waiting(one: &Connection) -> bool {
    let sent = &one.end(1).delivery;
    let lacks_first = sent.next().is_none() || sent.holes().any(|(ns, ..)| ns == FIRST);
    let over = one.state == ConnectionState::Closed && !one.was_established && one.restarted.is_none();
    let waits = one.state == ConnectionState::WaitCtlReply || over;
    one.from_start && waits && one.answered.is_none() && lacks_first && !one.lost_tie
}

/// Nothing but an SCCRP, and what its sender made of the silence.
fn is_lonely_answer(one: &Connection) -> bool {
    !one.from_start && one.end(0).packets == 0 && one.answered.is_some() && one.calls.is_empty()
}

fn join(tracker: &mut Tracker, request: ConnectionId, answer: ConnectionId) {
    let Some(gone) = tracker.found.connections.remove(answer) else { return };
    tracker.budget.free(&gone.log, Kind::L2tp);
    let Some(connection) = tracker.found.connections.get_mut(request) else { return };
    let amount = gone.end(0).tunnel_id.map_or(0, |id| u64::from(id.0));
    let sccrp = gone.end(1).delivery.outstanding.first().cloned();
    connection.answered = gone.answered;
    if connection.state == ConnectionState::WaitCtlReply {
        connection.state = ConnectionState::WaitCtlConn;
    }
    if gone.closed_by.is_some() && connection.closed_by.is_none() {
        connection.state = ConnectionState::Closed;
        (connection.closed_by, connection.closed) = (gone.closed_by, gone.closed);
        (connection.closing_packet, connection.result) = (gone.closing_packet, gone.result);
    }
    connection.log.merge(gone.log, &mut tracker.budget);
    let [_, end]: [End; 2] = gone.ends;
    let responder = connection.end_mut(1);
    if responder.packets == 0 {
        *responder = end;
    } else {
        responder.delivery.came_elsewhere(FIRST);
        responder.tunnel_id = responder.tunnel_id.or(end.tunnel_id);
        responder.packets = responder.packets.saturating_add(end.packets);
        responder.messages.extend(end.messages);
    }
    let first = At { packet: gone.first_packet, time: gone.first_time };
    let packets = sccrp.as_ref().map_or(&[][..], |message| message.packets());
    tracker.of_connection(request, 1, Observation::WrongTunnelId, first, amount);
    for packet in packets.iter().skip(1) {
        let time = sccrp.as_ref().map_or(first.time, |message| message.last);
        tracker.of_connection(request, 1, Observation::WrongTunnelId, At { packet: *packet, time }, amount);
    }
}
