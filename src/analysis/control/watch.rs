//! What a control message shows beside the state it moves: departures from its form, its numbers and its order
//! (RFC 2661 sections 3.1, 4, 5.8, 6 and 7). Observations only; the rules weigh them.

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{AvpValue, MessageType, SessionId};
use crate::util::Duration;

use crate::analysis::control::call::{Call, CallKind, CallState};
use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::control::{Message, find, number16, other};
use crate::analysis::control::delivery::Resend;
use crate::analysis::control::form::{self, Known};
use crate::analysis::facts::{Fact, Scope};
use crate::analysis::{CallId, ConnectionId, Meta, Tracker};

/// What is on its way when an end closes a call or a tunnel may still arrive; also the longest round trip that an
/// acknowledgement without a resend may take (RFC 2661 section 5.8 recommends a first wait of 1 s).
pub const ROUND_TRIP: Duration = Duration::seconds(1);

/// The window of a peer that names none (RFC 2661 section 4.4.3).
const WINDOW: u16 = 4;

impl Tracker {
    /// Notes how a message that is no resend departs from the tables.
    pub(in crate::analysis) fn watch_form(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        protected: bool,
    ) {
        let Some(connection) = self.state.connection(id) else { return };
        // The tables are those of RFC 2661.
        if connection.version != 2 {
            return;
        }
        let scope = scope(connection, from);
        let known = Known {
            protected,
            secrets: self.learned.has_secrets(),
            nameless: connection.state != ConnectionState::Established && !connection.was_established,
        };
        let facts = &mut self.state.facts;
        form::look(message.header, message.control, &known, &mut |form| {
            facts.note(Fact::Form(form), scope, meta.packet, meta.time, 1);
        });
    }

    /// Notes what the Nr of a message says of its sender, and what its receiver left unacknowledged.
    pub(in crate::analysis) fn watch_numbers(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        resend: Option<Resend>,
    ) {
        let (Some(ns), Some(nr)) = (message.header.ns, message.header.nr) else { return };
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        let scope = scope(connection, from);
        let from_start = connection.from_start;
        let window = connection.end(other(from)).window;
        let peer_heard = connection.end(other(from)).packets > 0;
        connection.end_mut(other(from)).delivery.deaf = 0;
        let delivery = &mut connection.end_mut(from).delivery;
        // What the way reordered is not older than a round trip.
        let older = delivery.nr_sent.filter(|(sent, _)| sent.is_newer_than(nr));
        let stale = older.is_some_and(|(_, when)| meta.time.since(when) > ROUND_TRIP);
        if delivery.nr_sent.is_none_or(|(sent, _)| nr.is_newer_than(sent)) {
            delivery.nr_sent = Some((nr, meta.time));
        }
        let mut facts = [None; 6];
        let [first, second, third, fourth, fifth, sixth] = &mut facts;
        if stale {
            *first = Some(if resend.is_some() { Fact::StaleNr } else { Fact::NrBackwards });
        }
        match resend {
            Some(resend) => {
                *second = resend.different.then_some(Fact::OtherMessage);
                *third = resend.acknowledged.then_some(Fact::ResentAfterAcknowledgement);
                *fourth = resend.flat.then_some(Fact::FlatBackoff);
                *fifth = resend.capped_low.then_some(Fact::LowCap);
                *sixth = resend.early.then_some(Fact::EarlyResend);
                if resend.acknowledged {
                    delivery.deaf = delivery.deaf.saturating_add(1);
                    if delivery.deaf == DEAF {
                        self.note(Fact::CopyNotAcknowledged, scope, meta, 1);
                    }
                }
            }
            None if message.kind.is_acknowledgement() => {
                *second = delivery.zlb(ns, meta.time).then_some(Fact::ZlbNumber);
            }
            None => {
                let allowed = usize::from(window.unwrap_or(WINDOW).max(1));
                let open = delivery.outstanding.len();
                // Without the peer's set-up or any packet of it, its window and its acknowledgements are unknown.
                *second = (from_start && peer_heard && open > allowed).then_some(Fact::WindowExceeded);
                let asks = message.kind.is(MessageType::SCCRQ);
                let opens = asks || from_start && message.kind.is(MessageType::SCCRP);
                *third = (opens && ns.0 != 0).then_some(Fact::FirstNs(ns.0));
            }
        }
        for fact in facts.into_iter().flatten() {
            self.note(fact, scope, meta, 1);
        }
    }

    /// Notes a message about the control connection that does not fit its state, before it changes it.
    pub(in crate::analysis) fn watch_connection(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) {
        let Some(connection) = self.state.connection(id) else { return };
        let scope = scope(connection, from);
        let fact = unexpected(connection, from, kind).or_else(|| {
            let stop = kind == MessageType::STOP_CCN;
            let given = connection.end(from).tunnel_id?;
            (stop && message.tunnel? != given).then_some(Fact::OtherTunnelId)
        });
        if let Some(fact) = fact {
            self.note(fact, scope, meta, 1);
        }
    }

    /// Notes what is odd about a resend: it may assign another ID than the first copy.
    pub(in crate::analysis) fn watch_resend(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
    ) {
        let Some(connection) = self.state.connection(id) else { return };
        let changed = message.kind.is(MessageType::SCCRP)
            && message.tunnel.zip(connection.end(from).tunnel_id).is_some_and(|(now, then)| now != then);
        if changed {
            let scope = scope(connection, from);
            self.note(Fact::TunnelIdChanged, scope, meta, 1);
        }
    }

    /// Notes a message about a call that does not fit the call's state, before it changes it.
    pub(in crate::analysis) fn watch_call(
        &mut self,
        id: ConnectionId,
        call_id: CallId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) {
        let (Some(connection), Some(call)) = (self.state.connection(id), self.state.call(call_id)) else {
            return;
        };
        let scope = Scope { call: Some(call_id), ..scope(connection, from) };
        let own = call.session_ids.get(usize::from(from)).copied().flatten();
        let theirs = call.session_ids.get(usize::from(other(from))).copied().flatten();
        let header = message.header.session_id;
        let closed = call.state == CallState::Closed;
        let late = connection.closed.is_some_and(|closed| meta.time.since(closed) > ROUND_TRIP);
        let facts = [
            (connection.from_start && call_departs(call, from, kind)).then_some(Fact::Unexpected(kind)),
            (kind == MessageType::CDN
                && message.session.zip(own).is_some_and(|(now, then)| now != then && now.0 != 0))
            .then_some(Fact::OtherSessionId),
            (kind == MessageType::CDN
                && closed
                && call.closed_by == Some(other(from))
                && call.result.is_some())
            .then_some(Fact::CdnAnswered),
            (header.0 != 0 && theirs.is_some_and(|theirs| theirs != header)).then_some(Fact::WrongSession),
            (late && kind != MessageType::CDN).then_some(Fact::AfterStopCcn(kind)),
        ];
        for fact in facts.into_iter().flatten() {
            self.note(fact, scope, meta, 1);
        }
    }

    /// Notes a request for a call that takes a session ID which another call still has.
    pub(in crate::analysis) fn watch_request(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) {
        let Some(connection) = self.state.connection(id) else { return };
        let scope = scope(connection, from);
        let late = connection.closed.is_some_and(|closed| meta.time.since(closed) > ROUND_TRIP);
        let session = message.session.filter(|session| session.0 != 0);
        let holder = session.and_then(|session| self.routes.session(id, from, session));
        let in_use =
            holder.and_then(|call| self.state.call(call)).is_some_and(|call| call.state != CallState::Closed);
        if in_use {
            self.note(Fact::SessionIdInUse, Scope { call: holder, ..scope }, meta, 1);
        }
        if late {
            self.note(Fact::AfterStopCcn(kind), scope, meta, 1);
        }
    }

    /// Notes a message about a call of which nobody assigned the session ID.
    pub(in crate::analysis) fn watch_unknown_call(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        session: SessionId,
    ) {
        let Some(connection) = self.state.connection(id) else { return };
        let scope = scope(connection, from);
        self.note(Fact::UnknownCall(session), scope, meta, 1);
    }

    /// Learns what the set-up of a control connection says of its sender.
    pub(in crate::analysis) fn watch_setup(&mut self, id: ConnectionId, from: u8, message: &Message<'_>) {
        let setup = [MessageType::SCCRQ, MessageType::SCCRP, MessageType::SCCCN];
        if !setup.into_iter().any(|kind| message.kind.is(kind)) {
            return;
        }
        let ends = self
            .state
            .connection(id)
            .map(|connection| [connection.end(0).endpoint.address, connection.end(1).endpoint.address]);
        let challenged =
            self.state.connection(id).and_then(|connection| connection.end(other(from)).challenge.clone());
        let response = octets(message, attribute::CHALLENGE_RESPONSE);
        let proof = ends.zip(challenged).zip(response).zip(message.control.message).and_then(
            |(((ends, challenge), response), message)| {
                self.learned.proves(ends, message, &challenge, response)
            },
        );
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        let end = connection.end_mut(from);
        end.window = end.window.or_else(|| number16(message.control, attribute::RECEIVE_WINDOW_SIZE));
        end.tie_breaker = end
            .tie_breaker
            .or_else(|| crate::analysis::control::control::number(message.control, attribute::TIE_BREAKER));
        end.setup_cut |= message.control.cut || message.control.fault.is_some();
        end.challenged |= find(message.control, attribute::CHALLENGE).is_some();
        end.responded |= find(message.control, attribute::CHALLENGE_RESPONSE).is_some();
        if let Some(challenge) = octets(message, attribute::CHALLENGE) {
            end.challenge.get_or_insert_with(|| challenge.iter().copied().take(MOST_CHALLENGE).collect());
        }
        end.secret_proved = end.secret_proved.or(proof);
    }
}

/// Octets of a Challenge that are kept; longer ones cannot be proved.
const MOST_CHALLENGE: usize = 128;

/// So many copies of an acknowledged message without any answer between them show a receiver that does not
/// acknowledge copies.
const DEAF: u8 = 3;

fn octets<'a>(message: &'a Message<'_>, wanted: u16) -> Option<&'a [u8]> {
    match &find(message.control, wanted)?.value {
        AvpValue::Octets(octets) => Some(octets),
        _ => None,
    }
}

fn scope(connection: &Connection, from: u8) -> Scope {
    Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() }
}

/// RFC 2661 section 7.2.1, for both ends at once: a message about the control connection that its state has no place for.
fn unexpected(connection: &Connection, from: u8, kind: MessageType) -> Option<Fact> {
    use ConnectionState::{Closed, Established, Unknown, WaitCtlConn, WaitCtlReply};
    if !connection.from_start {
        return None;
    }
    let fits = match (kind, connection.state) {
        (_, Closed | Unknown) => true,
        (MessageType::SCCRP, WaitCtlReply) => from == 1,
        (MessageType::SCCCN, WaitCtlConn) => from == 0,
        (MessageType::SCCRQ | MessageType::SCCRP | MessageType::SCCCN, _) => false,
        (MessageType::HELLO, state) => state == Established,
        _ => true,
    };
    if fits {
        return None;
    }
    Some(if connection.state == Established {
        Fact::SetupAgain(kind)
    } else if kind == MessageType::HELLO {
        Fact::BeforeEstablished(kind)
    } else {
        Fact::Unexpected(kind)
    })
}

/// RFC 2661 sections 7.4 and 7.5, for both ends at once.
fn call_departs(call: &Call, from: u8, kind: MessageType) -> bool {
    let Some(requester) = call.requester else { return false };
    if matches!(call.state, CallState::Closed | CallState::Unknown) {
        return false;
    }
    let (incoming, asks) = (call.kind == CallKind::Incoming, from == requester);
    let (reply, connect) = (call.state == CallState::WaitReply, call.state == CallState::WaitConnect);
    let fits = match kind {
        MessageType::ICRP => incoming && !asks && reply,
        MessageType::ICCN => incoming && asks && connect,
        MessageType::OCRP => !incoming && !asks && reply,
        MessageType::OCCN => !incoming && !asks && connect,
        _ => true,
    };
    !fits
}
