//! Control messages: to which connection and call they belong, and what they change (RFC 2661 sections 5 and 7).

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{
    Avp, AvpValue, Control, L2tp, MessageType, ResultCode, SessionId, TunnelId, Udp,
};
use crate::util::Printable;

use crate::analysis::control::call_messages::close;
use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::delivery::{Explained, Letter, MessageKind, Resend, Sent};
use crate::analysis::control::watch::ROUND_TRIP;
use crate::analysis::facts::{Fact, Scope};
use crate::analysis::ladder::{Effect, MessageRow};
use crate::analysis::limits;
use crate::analysis::{CallId, ConnectionId, Meta, Tracker, bump, bump32};

/// Connections between one pair of endpoints that a search looks at: a flood between two hosts must not make it slow.
pub(in crate::analysis) const MOST_STEPS: usize = 64;

pub(in crate::analysis) fn find(control: &Control, wanted: u16) -> Option<&Avp> {
    control.avps.iter().find(|avp| avp.vendor == 0 && avp.attribute == wanted)
}

pub(in crate::analysis) fn number(control: &Control, wanted: u16) -> Option<u64> {
    match find(control, wanted)?.value {
        AvpValue::Number(number) => Some(number),
        _ => None,
    }
}

pub(in crate::analysis) fn number16(control: &Control, wanted: u16) -> Option<u16> {
    number(control, wanted).and_then(|number| u16::try_from(number).ok())
}

pub(in crate::analysis) fn number32(control: &Control, wanted: u16) -> Option<u32> {
    number(control, wanted).and_then(|number| u32::try_from(number).ok())
}

fn text(control: &Control, wanted: u16) -> Option<Printable> {
    match &find(control, wanted)?.value {
        AvpValue::Text(text) => Some(text.clipped(limits::TEXT)),
        _ => None,
    }
}

pub(in crate::analysis) fn result(control: &Control) -> Option<ResultCode> {
    match &find(control, attribute::RESULT_CODE)?.value {
        AvpValue::Result(result) => {
            let message = result.message.as_ref().map(|text| text.clipped(limits::TEXT));
            Some(ResultCode { code: result.code, error: result.error, message })
        }
        _ => None,
    }
}

fn kind(control: &Control) -> MessageKind {
    match control.message {
        Some(message) if message.name() != "unknown" => MessageKind::Known(message),
        Some(_) => MessageKind::Unknown,
        None if find(control, attribute::MESSAGE_TYPE).is_some()
            || control.cut
            || control.fault.is_some() =>
        {
            MessageKind::Unknown
        }
        None => MessageKind::Zlb,
    }
}

pub(in crate::analysis) fn other(end: u8) -> u8 {
    1u8.saturating_sub(end)
}

/// What a control message says of itself.
pub(in crate::analysis) struct Message<'a> {
    pub(in crate::analysis) kind: MessageKind,
    pub(in crate::analysis) control: &'a Control,
    pub(in crate::analysis) header: &'a L2tp,
    pub(in crate::analysis) tunnel: Option<TunnelId>,
    pub(in crate::analysis) session: Option<SessionId>,
}

impl Message<'_> {
    fn is(&self, message: MessageType) -> bool {
        self.kind.is(message)
    }
}

impl Tracker {
    pub(in crate::analysis) fn control(
        &mut self,
        meta: &Meta,
        udp: &Udp,
        header: &L2tp,
        control: &Control,
        protected: bool,
    ) {
        let (tunnel, session) = match header.version() {
            3 => (attribute::ASSIGNED_CONNECTION_ID, attribute::LOCAL_SESSION_ID),
            _ => (attribute::ASSIGNED_TUNNEL_ID, attribute::ASSIGNED_SESSION_ID),
        };
        let message = Message {
            kind: kind(control),
            control,
            header,
            tunnel: number32(control, tunnel).map(TunnelId),
            session: number32(control, session).map(SessionId),
        };
        self.learned.learn(udp);
        let Some((id, from)) = self.route(meta, udp, &message) else { return };
        self.arrived(id, from, meta, udp, header, protected);
        self.assign(id, from, &message);
        self.watch_setup(id, from, &message);
        let sent = self.deliver(id, from, meta, &message);
        let resend = if let Delivered::Again(resend) = sent { Some(resend) } else { None };
        self.watch_numbers(id, from, meta, &message, resend);
        if resend.is_none() {
            self.watch_form(id, from, meta, &message, protected);
        } else {
            self.watch_resend(id, from, meta, &message);
        }
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        connection.end_mut(from).count(message.kind);
        connection.end_mut(from).last_control = Some((meta.packet, meta.time));
        let (effect, call) = match sent {
            Delivered::Again(_) => (Effect::None, None),
            Delivered::New(acknowledged) => {
                let (effect, call) = self.change(id, from, meta, &message);
                let effect = match acknowledged {
                    Some(after) if effect == Effect::None => Effect::Acknowledged(after),
                    _ => effect,
                };
                (effect, call)
            }
        };
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        if let (Some(call), Some(ns)) = (call, header.ns) {
            connection.end_mut(from).delivery.about(ns, call);
        }
        self.place.call = call;
        let row = MessageRow {
            packet: meta.packet,
            last_packet: meta.packet,
            time: meta.time,
            from,
            message: message.kind,
            numbers: header.ns.zip(header.nr),
            copies: 1,
            resent: resend.is_some(),
            effect,
        };
        connection.ladder.message(row, &mut self.budget);
        self.control_happened(meta, (id, from), message.kind, resend.is_some(), effect);
    }

    /// Finds, or opens, the connection of a control message; says which end sent it.
    fn route(&mut self, meta: &Meta, udp: &Udp, message: &Message<'_>) -> Option<(ConnectionId, u8)> {
        if message.is(MessageType::SCCRQ) {
            return match self.repeated_request(udp, message) {
                Some(id) => Some((id, 0)),
                None => self.open(meta, udp, message.header, message.tunnel),
            };
        }
        let receiver = message.header.tunnel_id;
        if receiver.0 != 0 {
            let known = self.whose(udp, message.header);
            return known
                .or_else(|| self.misdirected(meta, udp, message))
                .or_else(|| self.open(meta, udp, message.header, None));
        }
        let named = message.tunnel.and_then(|tunnel| {
            let reverse = Udp { source: udp.destination, destination: udp.source, checksum: 0 };
            self.routes.find_exact(&reverse, tunnel)
        });
        let version = message.header.version();
        let named =
            named.filter(|(id, _)| self.state.connection(*id).is_some_and(|known| known.version == version));
        named
            .or_else(|| self.newest_between(udp, version, |_, _| true))
            .or_else(|| self.open(meta, udp, message.header, None))
    }

    /// An SCCRP to a tunnel ID that nobody assigned, while a request between these ends waits for an answer, is that
    /// answer.
    fn misdirected(&mut self, meta: &Meta, udp: &Udp, message: &Message<'_>) -> Option<(ConnectionId, u8)> {
        if !message.is(MessageType::SCCRP) {
            return None;
        }
        let waits =
            |connection: &Connection, from| connection.state == ConnectionState::WaitCtlReply && from == 1;
        let found = self.newest_between(udp, message.header.version(), waits)?;
        let number = self.state.connection(found.0)?.number;
        let scope = Scope { connection: Some(number), end: Some(found.1), ..Scope::default() };
        self.note(Fact::WrongTunnelId(message.header.tunnel_id), scope, meta, 1);
        Some(found)
    }

    /// The connection in which the receiver assigned this tunnel ID, and the end that sends; else the newest between
    /// these endpoints in which the receiver's ID is not known.
    pub(in crate::analysis) fn whose(&self, udp: &Udp, header: &L2tp) -> Option<(ConnectionId, u8)> {
        let (receiver, version) = (header.tunnel_id, header.version());
        let same =
            |id: &ConnectionId| self.state.connection(*id).is_some_and(|known| known.version == version);
        if let Some((id, end)) = self.routes.find_exact(udp, receiver).filter(|(id, _)| same(id)) {
            return Some((id, other(end)));
        }
        // Answers may come from another port or address than was asked (RFC 2661 section 8.1), and a NAT may move a
        // port later; a stranger who knows the ID is neither.
        if let Some((id, end)) = self.routes.find_moved(udp, receiver).filter(|(id, _)| same(id)) {
            let sender = self.state.connection(id)?.end(other(end));
            if sender.packets == 0 || sender.endpoint.address == udp.source.address {
                return Some((id, other(end)));
            }
        }
        self.newest_between(udp, version, |connection, from| connection.end(other(from)).tunnel_id.is_none())
    }

    fn repeated_request(&self, udp: &Udp, message: &Message<'_>) -> Option<ConnectionId> {
        let same = |connection: &Connection| {
            let [initiator, responder] = &connection.ends;
            connection.from_start
                && connection.state != ConnectionState::Closed
                && initiator.endpoint == udp.source
                && responder.endpoint.address == udp.destination.address
                && match message.tunnel {
                    Some(tunnel) => initiator.tunnel_id == Some(tunnel),
                    // The ID is hidden: a resend has the same octets, a request for another tunnel has not.
                    None => connection.request == Some(message.control.body),
                }
        };
        let version = message.header.version();
        self.newest_between(udp, version, |connection, from| from == 0 && same(connection)).map(|(id, _)| id)
    }

    /// The newest connection between two endpoints that `fits`; with the end that sends.
    pub(in crate::analysis) fn newest_between(
        &self,
        udp: &Udp,
        version: u8,
        fits: impl Fn(&Connection, u8) -> bool,
    ) -> Option<(ConnectionId, u8)> {
        let mut next = self.routes.newest(udp);
        for _ in 0..MOST_STEPS {
            let id = next?;
            let connection = self.state.connection(id)?;
            let from = u8::from(connection.ends[0].endpoint != udp.source);
            if connection.version == version && fits(connection, from) {
                return Some((id, from));
            }
            next = self.older(connection);
        }
        None
    }

    /// Notes where a packet of an end came from, and learns the receiver's tunnel ID from its header.
    pub(in crate::analysis) fn arrived(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        udp: &Udp,
        header: &L2tp,
        protected: bool,
    ) {
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        connection.end_mut(from).touch(meta.packet, meta.time);
        let [under_esp, in_clear] = &mut connection.protection;
        bump32(if protected { under_esp } else { in_clear });
        self.place.connection = Some(connection.number);
        self.place.from = Some(from);
        let moved = connection.end(from).endpoint != udp.source;
        if moved {
            let end = Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() };
            let asked = connection.end(from).endpoint.address;
            let elsewhere = connection.from_start && from == 1 && asked != udp.source.address;
            if elsewhere && connection.end(from).packets == 1 {
                self.state.facts.note(Fact::AnsweredElsewhere(asked), end, meta.packet, meta.time, 1);
            }
            if connection.was_established && !protected {
                self.note(Fact::EndMoved, end, meta, 1);
            }
            self.forget(id);
        }
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        connection.end_mut(from).endpoint = udp.source;
        let receiver = connection.end(other(from));
        let learned = receiver.tunnel_id.is_none() && header.tunnel_id.0 != 0;
        if learned {
            connection.end_mut(other(from)).tunnel_id = Some(header.tunnel_id);
        }
        if moved || learned {
            self.relearn(id);
        }
        if !protected {
            let follows = self.decrypted.follows(udp, meta.time);
            if follows && let Some(connection) = self.state.connections.get_mut(id) {
                bump32(&mut connection.end_mut(from).behind_esp);
            }
            let scope = Scope::default();
            self.note(Fact::InClear, scope, meta, 1);
        }
    }

    /// Learns the tunnel ID that the sender assigned.
    fn assign(&mut self, id: ConnectionId, from: u8, message: &Message<'_>) {
        let Some(connection) = self.state.connections.get_mut(id) else { return };
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
            self.relearn(id);
        }
    }

    fn deliver(&mut self, id: ConnectionId, from: u8, meta: &Meta, message: &Message<'_>) -> Delivered {
        let Some(connection) = self.state.connections.get_mut(id) else {
            return Delivered::New(None);
        };
        let scope = Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() };
        let (Some(ns), Some(nr)) = (message.header.ns, message.header.nr) else {
            return Delivered::New(None);
        };
        let acknowledged = connection.end_mut(other(from)).delivery.acknowledge(nr, meta.packet, meta.time);
        let after = acknowledged.as_ref().map(|known| meta.time.since(known.first));
        let first = acknowledged.as_ref().and_then(|known| known.packets().first().copied());
        if let Some((known, after)) = acknowledged.as_ref().zip(after)
            && known.message.is(MessageType::HELLO)
        {
            let hello = &mut self.state.totals.hello;
            bump(&mut hello.acknowledged);
            hello.waited.0 = hello.waited.0.saturating_add(after.0.max(0));
        }
        self.place.acknowledges = first.zip(after);
        if acknowledged.as_ref().is_some_and(|known| known.copies == 1)
            && let Some(waited) = after.filter(|waited| *waited > ROUND_TRIP)
        {
            let millis = u64::try_from(waited.0 / 1_000_000).unwrap_or(0);
            self.note(Fact::LateAcknowledgement, scope, meta, millis);
        }
        if message.kind.is_acknowledgement() {
            return Delivered::New(after);
        }
        let Some(connection) = self.state.connections.get_mut(id) else {
            return Delivered::New(after);
        };
        let end = connection.end_mut(from);
        self.place.resend_of = end.delivery.waiting(ns);
        let hidden = message.control.avps.iter().any(|avp| avp.hidden);
        let (sent, explained) = end.delivery.send(Letter {
            ns,
            message: message.kind,
            body: if hidden { 0 } else { message.control.body },
            packet: meta.packet,
            time: meta.time,
        });
        let peer = Scope { end: Some(other(from)), ..scope };
        match explained {
            Some(Explained::BeyondSent(beyond)) => {
                self.state.facts.note(Fact::NrBeyondSent, peer, beyond.packet, beyond.time, 1);
                if beyond.zlb {
                    self.state.facts.note(Fact::NrCountsZlb, peer, beyond.packet, beyond.time, 1);
                }
            }
            Some(Explained::Unseen(beyond)) => {
                self.state.facts.note(Fact::AcknowledgedUnseen, scope, beyond.packet, beyond.time, 1);
            }
            None => {}
        }
        match sent {
            Sent::Again(resend) => {
                self.place.resent = true;
                bump(&mut self.state.totals.resent);
                if message.kind.is(MessageType::HELLO) {
                    bump(&mut self.state.totals.hello.resent);
                }
                self.note(Fact::Resent, scope, meta, 1);
                return Delivered::Again(resend);
            }
            Sent::Late => self.note(Fact::LateMessage, scope, meta, 1),
            Sent::CountsZlb => self.note(Fact::ZlbCounted, scope, meta, 1),
            Sent::New | Sent::Skipped(_) => {}
        }
        Delivered::New(after)
    }

    /// Moves the state of connection and call by a message that was not sent before.
    fn change(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
    ) -> (Effect, Option<CallId>) {
        let MessageKind::Known(kind) = message.kind else { return (Effect::None, None) };
        let Some(connection) = self.state.connection(id) else { return (Effect::None, None) };
        let waits = matches!(connection.state, ConnectionState::WaitCtlReply | ConnectionState::WaitCtlConn);
        let about_call = !matches!(kind.0, 1..=6);
        if waits && about_call && connection.from_start {
            let scope = Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() };
            self.note(Fact::BeforeEstablished(kind), scope, meta, 1);
        }
        match kind {
            MessageType::SCCRQ
            | MessageType::SCCRP
            | MessageType::SCCCN
            | MessageType::STOP_CCN
            | MessageType::HELLO => (self.change_connection(id, from, meta, message, kind), None),
            MessageType::ICRQ | MessageType::OCRQ => self.request_call(id, from, meta, message, kind),
            MessageType::ICRP
            | MessageType::ICCN
            | MessageType::OCRP
            | MessageType::OCCN
            | MessageType::CDN => self.change_call(id, from, meta, message, kind),
            _ => (Effect::None, None),
        }
    }

    fn change_connection(
        &mut self,
        id: ConnectionId,
        from: u8,
        meta: &Meta,
        message: &Message<'_>,
        kind: MessageType,
    ) -> Effect {
        self.watch_connection(id, from, meta, message, kind);
        let Some(connection) = self.state.connections.get_mut(id) else { return Effect::None };
        let tunnel = connection.end(from).tunnel_id.map_or(Effect::None, Effect::Tunnel);
        match kind {
            MessageType::SCCRQ => {
                connection.state = ConnectionState::WaitCtlReply;
                connection.from_start = true;
                connection.requested = Some(meta.time);
                connection.request = Some(message.control.body);
                self.half_open.push_back(id);
                // Places of answered requests leave the queue when their turn comes; it must not grow meanwhile.
                if self.half_open.len() > self.limits.tunnels.saturating_mul(2) {
                    self.half_open.pop_front();
                }
                tunnel
            }
            MessageType::SCCRP => {
                connection.answered.get_or_insert(meta.time);
                if connection.state == ConnectionState::WaitCtlReply {
                    connection.state = ConnectionState::WaitCtlConn;
                }
                tunnel
            }
            MessageType::SCCCN => {
                if connection.state != ConnectionState::Closed {
                    connection.state = ConnectionState::Established;
                    connection.was_established = true;
                    connection.established = Some(meta.time);
                }
                Effect::Established
            }
            MessageType::STOP_CCN => {
                let result = result(message.control);
                let codes = result.as_ref().map(|result| (result.code, result.error));
                if connection.closed_by.is_none() {
                    connection.closed_by = Some(from);
                    connection.closed = Some(meta.time);
                    connection.closing_packet = Some(meta.packet);
                    connection.result = result;
                    connection.state = ConnectionState::Closed;
                    for call in &connection.calls {
                        if let Some(call) = self.state.calls.get_mut(*call) {
                            close(call, from, meta, None);
                        }
                    }
                }
                Effect::Closed(codes)
            }
            _ => {
                connection.end_mut(from).hello.push(meta.time);
                Effect::None
            }
        }
    }

    /// Turns what is still open at the end of the capture into facts.
    pub(in crate::analysis) fn settle(&mut self) {
        for connection in self.state.connections.iter() {
            for from in [0, 1] {
                let scope =
                    Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() };
                let delivery = &connection.end(from).delivery;
                for (ns, packet, time) in delivery.holes() {
                    let seen = delivery.acknowledged.is_some_and(|nr| nr.is_newer_than(*ns));
                    let fact = if seen { Fact::AcknowledgedUnseen } else { Fact::SkippedNs };
                    self.state.facts.note(fact, scope, *packet, *time, 1);
                }
                if let Some(beyond) = &delivery.beyond {
                    let peer = Scope { end: Some(other(from)), ..scope };
                    self.state.facts.note(Fact::NrBeyondSeen, peer, beyond.packet, beyond.time, 1);
                    if beyond.zlb {
                        self.state.facts.note(Fact::NrMayCountZlb, peer, beyond.packet, beyond.time, 1);
                    }
                }
            }
        }
    }
}

/// What delivery says of a message.
enum Delivered {
    /// It is a resend: it changes nothing.
    Again(Resend),
    /// It is new; it acknowledges a message that was sent so long ago.
    New(Option<crate::util::Duration>),
}
