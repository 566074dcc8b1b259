//! Messages about calls: which call they mean, and what they change (RFC 2661 sections 5.2, 5.6, 7.4 and 7.5).

use crate::dissect::layers::{MessageType, ResultCode, SessionId};

use super::call::{Call, CallKind, CallState};
use super::call_state::CallEndState;
use super::machine::Event;
use super::message::{SentMessage, other};
use crate::analysis::ids::{CallId, ConnectionId};
use crate::analysis::limits::Limit;
use crate::analysis::log::{Effect, Observation};
use crate::analysis::meta::At;
use crate::analysis::tracker::Tracker;

/// Whether a message asks for a call.
fn asks(kind: MessageType) -> bool {
    matches!(kind, MessageType::ICRQ | MessageType::OCRQ)
}

/// Whether a message is about the set-up or the end of one call.
fn about_one_call(kind: MessageType) -> bool {
    use MessageType as M;
    asks(kind) || matches!(kind, M::ICRP | M::ICCN | M::OCRP | M::OCCN | M::CDN)
}

/// The turn of a message about a call has come: it moves the machine of its sender, and what is known of the call.
pub(super) fn sent(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    kind: MessageType,
    message: &SentMessage,
) -> (Effect, Option<CallId>) {
    if !about_one_call(kind) {
        return (Effect::None, None);
    }
    role(tracker, id, from, kind);
    let call =
        if asks(kind) { request(tracker, id, from, message) } else { find(tracker, id, from, kind, message) };
    let Some(call) = call else { return (Effect::None, None) };
    judge(tracker, id, call, from, kind, message);
    (apply(tracker, id, call, from, kind, message), Some(call))
}

/// An end has handled a message about a call.
pub(super) fn received(
    tracker: &mut Tracker,
    id: ConnectionId,
    call: CallId,
    to: u8,
    kind: MessageType,
    at: At,
) {
    let lacks = tracker.found.connection(id).map_or(0, |connection| connection.unseen_messages);
    let Some(call) = tracker.found.calls.get_mut(call) else { return };
    call.step(to, Event::Receives(kind), lacks);
    if kind == MessageType::CDN
        && let Some(closed) = call.closed_at.get_mut(usize::from(to))
    {
        closed.get_or_insert(at.time);
    }
}

/// Which end is the LAC: who asks for an incoming call, or answers an outgoing one (RFC 2661 section 5.2).
fn role(tracker: &mut Tracker, id: ConnectionId, from: u8, kind: MessageType) {
    let lac = match kind {
        MessageType::ICRQ | MessageType::ICCN | MessageType::OCRP | MessageType::OCCN => from,
        MessageType::ICRP | MessageType::OCRQ => other(from),
        _ => return,
    };
    if let Some(connection) = tracker.found.connections.get_mut(id) {
        connection.lac.get_or_insert(lac);
    }
}

/// The call of a request: a new one, unless the capture lacks its first copy and shows answers to it.
fn request(tracker: &mut Tracker, id: ConnectionId, from: u8, message: &SentMessage) -> Option<CallId> {
    let own = message.session.filter(|session| session.0 != 0);
    let known = own.and_then(|own| tracker.identity.routes.session(id, from, own));
    let known = known.or_else(|| tracker.identity.nameless_call(&tracker.found, id, from, None));
    let answered = known.filter(|known| {
        tracker.found.call(*known).is_some_and(|call| {
            // A call that was connected was asked for before: this asks for another.
            let connected = call.established.is_some();
            let lacks_request = call.requested.is_none() && call.requester == Some(from);
            lacks_request && !connected && call.state != CallState::Closed
        })
    });
    if answered.is_some() {
        return answered;
    }
    in_use(tracker, id, from, message);
    open(tracker, id, message.at)
}

/// Notes a request that takes a session ID which another call of its sender still has.
fn in_use(tracker: &mut Tracker, id: ConnectionId, from: u8, message: &SentMessage) {
    let session = message.session.filter(|session| session.0 != 0);
    let holder = session.and_then(|session| tracker.identity.routes.session(id, from, session));
    let Some((holder, call)) = holder.and_then(|holder| Some((holder, tracker.found.call(holder)?))) else {
        return;
    };
    let closed = call.state == CallState::Closed
        || call.machines.get(usize::from(from)).is_some_and(|machine| machine.state == CallEndState::Closed);
    let certain = tracker.found.connection(id).is_some_and(|one| one.unseen_messages == call.lacks);
    if !closed && certain {
        tracker.of_call(holder, from, Observation::SessionIdInUse, message.at, 1);
    }
}

/// The call of a message that is no request; a new one, if none is known.
fn find(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    kind: MessageType,
    message: &SentMessage,
) -> Option<CallId> {
    let (to, session) = (other(from), message.header_session);
    if let Some(call) = tracker.identity.call_of_message(id, from, session, message.session) {
        // A message that names both ends teaches the ID of an answer that the capture lacks.
        let named = message
            .session
            .is_some_and(|own| tracker.found.call(call).is_some_and(|call| call.session(from) == Some(own)));
        if named && kind != MessageType::CDN {
            assign(tracker, id, call, to, Some(session));
        }
        return Some(call);
    }
    let found = &tracker.found;
    if let Some(call) = tracker.identity.nameless_call(found, id, to, message.session) {
        if let Some(known) = tracker.found.calls.get_mut(call) {
            // Only data is known of it, and nothing says that it is data of this call.
            known.guessed |= known.requester.is_none() && message.session.is_none();
        }
        assign(tracker, id, call, to, Some(session));
        return Some(call);
    }
    let known = tracker.found.connection(id).is_some_and(|one| one.from_start && one.unseen_messages == 0);
    // An answer to a request that hid its ID, sent to session 0; or to another ID, unless the capture lacks its request.
    if matches!(kind, MessageType::ICRP | MessageType::OCRP)
        && (known || session.0 == 0)
        && let Some(call) = tracker.identity.nameless_call(found, id, from, None)
    {
        return Some(call);
    }
    if session.0 != 0 && known {
        tracker.of_connection(id, from, Observation::UnknownCall, message.at, session.0.into());
    }
    if kind == MessageType::CDN {
        return None;
    }
    let call = open(tracker, id, message.at)?;
    if let Some(opened) = tracker.found.calls.get_mut(call) {
        // Its request was not seen.
        opened.machines.iter_mut().for_each(|machine| machine.uncertain = true);
    }
    assign(tracker, id, call, to, Some(session));
    Some(call)
}

/// Notes a message about a call that does not fit the state of its sender, or names other IDs than were assigned.
fn judge(
    tracker: &mut Tracker,
    id: ConnectionId,
    call_id: CallId,
    from: u8,
    kind: MessageType,
    message: &SentMessage,
) {
    let Some((connection, call)) = tracker.found.connection(id).zip(tracker.found.call(call_id)) else {
        return;
    };
    let (own, theirs) = (call.session(from), call.session(other(from)));
    let certain = connection.unseen_messages == call.lacks && connection.from_start;
    let fits = call.accepts(from, Event::Sends(kind));
    let heard = call.machines.get(usize::from(from)).is_some_and(|one| one.state == CallEndState::Closed);
    let changed = |now: SessionId, then: SessionId| now != then && now.0 != 0;
    let cdn = kind == MessageType::CDN;
    let seen = [
        (certain && call.requester.is_some() && !fits).then_some(Observation::Unexpected(kind)),
        (cdn && !call.guessed && message.session.zip(own).is_some_and(|(now, then)| changed(now, then)))
            .then_some(Observation::OtherSessionId),
        (cdn && heard && call.closed_by == Some(other(from)) && call.result.is_some())
            .then_some(Observation::CdnAnswered),
        (message.header_session.0 != 0
            && !call.guessed
            && theirs.is_some_and(|theirs| theirs != message.header_session))
        .then_some(Observation::WrongSession),
    ];
    for what in seen.into_iter().flatten() {
        tracker.of_call(call_id, from, what, message.at, 1);
    }
}

/// What a message does to its call.
fn apply(
    tracker: &mut Tracker,
    id: ConnectionId,
    call_id: CallId,
    from: u8,
    kind: MessageType,
    message: &SentMessage,
) -> Effect {
    if kind != MessageType::CDN {
        assign(tracker, id, call_id, from, message.session);
    }
    let Some(connection) = tracker.found.connections.get_mut(id) else { return Effect::None };
    if connection.from_start {
        connection.is_used();
    }
    let lacks = connection.unseen_messages;
    let Some(call) = tracker.found.calls.get_mut(call_id) else { return Effect::None };
    let time = message.at.time;
    call.last = call.last.max(message.at);
    if asks(kind) {
        call.kind = if kind == MessageType::ICRQ { CallKind::Incoming } else { CallKind::Outgoing };
        call.requester = Some(from);
        call.serial = call.serial.or(message.serial);
        call.requested = Some(time);
        if call.state == CallState::Unknown {
            call.state = CallState::WaitReply;
        }
    }
    // The capture may lack the request.
    let (kind_of_call, asks) = match kind {
        MessageType::ICRP => (CallKind::Incoming, Some(other(from))),
        MessageType::ICCN => (CallKind::Incoming, Some(from)),
        MessageType::OCRP | MessageType::OCCN => (CallKind::Outgoing, Some(other(from))),
        _ => (call.kind, call.requester),
    };
    if call.requester.is_none() {
        (call.kind, call.requester) = (kind_of_call, asks);
    }
    call.step(from, Event::Sends(kind), lacks);
    match kind {
        MessageType::ICRQ | MessageType::OCRQ => Effect::Session(call_id, message.session),
        MessageType::ICRP | MessageType::OCRP => {
            if call.state == CallState::WaitReply {
                call.state = CallState::WaitConnect;
            }
            Effect::Session(call_id, message.session)
        }
        MessageType::ICCN | MessageType::OCCN => {
            call.numbered |= message.sequencing;
            if call.state != CallState::Closed {
                call.state = CallState::Established;
                call.was_established = true;
                call.established = Some(time);
                call.established_packet = Some(message.at.packet);
            }
            Effect::CallEstablished(call_id)
        }
        _ => {
            let codes = message.result.as_ref().map(|result| (result.code, result.error));
            if let Some(closed) = call.closed_at.get_mut(usize::from(from)) {
                closed.get_or_insert(time);
            }
            close(call, from, message.at, message.result.clone());
            Effect::CallClosed(call_id, codes)
        }
    }
}

/// Opens a call.
pub(in crate::analysis) fn open(tracker: &mut Tracker, id: ConnectionId, at: At) -> Option<CallId> {
    if tracker.found.calls.len() >= tracker.limits.calls {
        tracker.found.reach(Limit::Calls);
        return None;
    }
    let lacks = tracker.found.connection(id)?.unseen_messages;
    let call = tracker.found.calls.push(Call::new(id, at, lacks))?;
    tracker.found.connections.get_mut(id)?.calls.push(call);
    Some(call)
}

/// Learns the session ID that an end gave a call.
pub(in crate::analysis) fn assign(
    tracker: &mut Tracker,
    id: ConnectionId,
    call_id: CallId,
    end: u8,
    session: Option<SessionId>,
) {
    let (Some(session), Some(call)) = (session, tracker.found.calls.get_mut(call_id)) else { return };
    if session.0 == 0 {
        return;
    }
    // The first one counts: a peer that assigns ID after ID must not fill the table.
    let Some(known) = call.session_ids.get_mut(usize::from(end)).filter(|known| known.is_none()) else {
        return;
    };
    *known = Some(session);
    let routes = &mut tracker.identity.routes;
    routes.learn_session(id, end, session, call_id);
    if let Some(connection) = tracker.found.connections.get_mut(id) {
        if connection.version == 3 {
            let address = connection.end(end).endpoint.address;
            routes.learn_addressed(id, end, address, session, call_id);
        }
        connection.recent = [None, None];
    }
}

/// Closes a call, unless it is closed already.
pub(super) fn close(call: &mut Call, by: u8, at: At, result: Option<ResultCode>) {
    if call.state == CallState::Closed {
        return;
    }
    call.state = CallState::Closed;
    call.closed_by = Some(by);
    call.closed = Some(at.time);
    call.closing_packet = Some(at.packet);
    call.result = result;
}
