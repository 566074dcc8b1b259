//! Messages about calls: which call they mean, and what they change (RFC 2661 sections 5.2, 5.6, 7.4 and 7.5).

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{MessageType, ResultCode, SessionId};

use crate::analysis::control::call::{Call, CallKind, CallState};
use crate::analysis::control::control::{MOST_STEPS, Message, find, number, other, result};
use crate::analysis::ladder::Effect;
use crate::analysis::limits::Limit;
use crate::analysis::{CallId, ConnectionId, Meta, Tracker};

impl Tracker {
    pub(in crate::analysis) fn request_call(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) -> (Effect, Option<CallId>) {
        let incoming = kind == MessageType::ICRQ;
        self.role(id, if incoming { from } else { other(from) });
        self.watch_request(id, from, meta, message, kind);
        let Some(call_id) = self.open_call(id, meta) else { return (Effect::None, None) };
        if let Some(call) = self.state.calls.get_mut(call_id) {
            call.kind = if incoming { CallKind::Incoming } else { CallKind::Outgoing };
            call.requester = Some(from);
            call.serial =
                number(message.control, attribute::CALL_SERIAL_NUMBER).and_then(|n| u32::try_from(n).ok());
            call.state = CallState::WaitReply;
            call.requested = Some(meta.time);
        }
        self.assign_session(id, call_id, from, message.session);
        (Effect::Session(call_id, message.session), Some(call_id))
    }

    pub(in crate::analysis) fn change_call(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) -> (Effect, Option<CallId>) {
        match kind {
            MessageType::ICRP => self.role(id, other(from)),
            MessageType::ICCN | MessageType::OCRP | MessageType::OCCN => self.role(id, from),
            _ => {}
        }
        let Some(call_id) = self.call_of(id, from, meta, message, kind) else { return (Effect::None, None) };
        self.watch_call(id, call_id, from, meta, message, kind);
        if kind != MessageType::CDN {
            self.assign_session(id, call_id, from, message.session);
        }
        let Some(call) = self.state.calls.get_mut(call_id) else { return (Effect::None, None) };
        let effect = match kind {
            MessageType::ICRP | MessageType::OCRP => {
                if call.state == CallState::WaitReply {
                    call.state = CallState::WaitConnect;
                }
                Effect::Session(call_id, message.session)
            }
            MessageType::ICCN | MessageType::OCCN => {
                call.numbered |= find(message.control, attribute::SEQUENCING_REQUIRED).is_some();
                if call.state != CallState::Closed {
                    call.state = CallState::Established;
                    call.was_established = true;
                    call.established = Some(meta.time);
                }
                Effect::CallEstablished(call_id)
            }
            _ => {
                let result = result(message.control);
                let codes = result.as_ref().map(|result| (result.code, result.error));
                close(call, from, meta, result);
                Effect::CallClosed(call_id, codes)
            }
        };
        (effect, Some(call_id))
    }

    /// The call of a message about a call: by the receiver's session ID in the header, else by the sender's in the
    /// AVP, else the oldest call that lacks the ID.
    fn call_of(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) -> Option<CallId> {
        let to = other(from);
        let session = message.header.session_id;
        if session.0 != 0
            && let Some(call) = self.routes.session(id, to, session)
        {
            return Some(call);
        }
        if let Some(call) = message.session.and_then(|own| self.routes.session(id, from, own)) {
            return Some(call);
        }
        if let Some(call) = self.nameless_call(id, to) {
            if session.0 != 0 {
                self.assign_session(id, call, to, Some(session));
            }
            return Some(call);
        }
        // An answer to a request that hid its ID, sent to session 0.
        if matches!(kind, MessageType::ICRP | MessageType::OCRP)
            && let Some(call) = self.nameless_call(id, from)
        {
            return Some(call);
        }
        if session.0 != 0 {
            self.watch_unknown_call(id, from, meta, session);
        }
        if kind == MessageType::CDN {
            return None;
        }
        let call = self.open_call(id, meta)?;
        if session.0 != 0 {
            self.assign_session(id, call, to, Some(session));
        }
        Some(call)
    }

    /// The oldest call of a connection in which an end's session ID is unknown.
    pub(in crate::analysis) fn nameless_call(&self, id: ConnectionId, end: u8) -> Option<CallId> {
        let connection = self.state.connection(id)?;
        let nameless = |call: &&CallId| {
            self.state.call(**call).is_some_and(|call| call.session_ids.get(usize::from(end)) == Some(&None))
        };
        connection.calls.iter().take(MOST_STEPS).find(nameless).copied()
    }

    pub(in crate::analysis) fn open_call(&mut self, id: ConnectionId, meta: &Meta) -> Option<CallId> {
        if self.state.calls.len() >= self.limits.calls {
            self.state.reach(Limit::Calls);
            return None;
        }
        let call = self.state.calls.push(Call::new(id, meta.packet))?;
        self.state.connections.get_mut(id)?.calls.push(call);
        Some(call)
    }

    pub(in crate::analysis) fn assign_session(
        &mut self,
        id: ConnectionId,
        call_id: CallId,
        end: u8,
        session: Option<SessionId>,
    ) {
        let (Some(session), Some(call)) = (session, self.state.calls.get_mut(call_id)) else {
            return;
        };
        if session.0 == 0 {
            return;
        }
        // The first one counts: a peer that assigns ID after ID must not fill the table.
        if let Some(known) = call.session_ids.get_mut(usize::from(end))
            && known.is_none()
        {
            *known = Some(session);
            self.routes.learn_session(id, end, session, call_id);
            if let Some(connection) = self.state.connections.get_mut(id) {
                if connection.version == 3 {
                    let address = connection.end(end).endpoint.address;
                    self.routes.learn_addressed(id, end, address, session, call_id);
                }
                connection.recent = [None, None];
            }
        }
    }

    fn role(&mut self, id: ConnectionId, lac: u8) {
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.lac.get_or_insert(lac);
        }
    }
}

/// Closes a call, unless it is closed already.
pub(in crate::analysis) fn close(call: &mut Call, by: u8, meta: &Meta, result: Option<ResultCode>) {
    if call.state == CallState::Closed {
        return;
    }
    call.state = CallState::Closed;
    call.closed_by = Some(by);
    call.closed = Some(meta.time);
    call.closing_packet = Some(meta.packet);
    call.result = result;
}
