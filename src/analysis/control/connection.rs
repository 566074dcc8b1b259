//! One control connection (RFC 2661 sections 5.1, 7.2): its two ends, its state, how it ended.

use crate::dissect::layers::{Endpoint, MessageType, ResultCode, SessionId, TunnelId};
use crate::dissect::udp::L2TP_PORT;
use crate::util::{Duration, Printable, Timestamp};

use super::delivery::Delivery;
use super::message::MessageKind;
use super::rfc2661_7_2::ControlMachine;
use crate::analysis::ids::{CallId, ConnectionId, bump, bump32};
use crate::analysis::limits;
use crate::analysis::log::Log;
use crate::analysis::meta::At;
use crate::analysis::timing::RoundTrips;

/// The state of a control connection as a passive observer sees it (RFC 2661 section 7.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConnectionState {
    WaitCtlReply,
    WaitCtlConn,
    Established,
    Closed,
    /// The capture began after the set-up.
    Unknown,
}

impl ConnectionState {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::WaitCtlReply => "wait-ctl-reply",
            Self::WaitCtlConn => "wait-ctl-conn",
            Self::Established => "established",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// LAC or LNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Role {
    Lac,
    Lns,
}

impl Role {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lac => "LAC",
            Self::Lns => "LNS",
        }
    }

    /// The other one.
    pub fn peer(self) -> Self {
        match self {
            Self::Lac => Self::Lns,
            Self::Lns => Self::Lac,
        }
    }
}

/// One end of a control connection.
///
/// In this order, so that what each packet needs and changes lies in one cache line.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct End {
    /// Where it sends from.
    pub endpoint: Endpoint,
    /// The tunnel ID it assigned.
    pub tunnel_id: Option<TunnelId>,
    /// Packets of any kind it sent.
    pub packets: u64,
    /// Its last packet: number and time.
    pub last: Option<(u64, Timestamp)>,
    /// Host Name AVP.
    pub host_name: Option<Printable>,
    /// Vendor Name AVP.
    pub vendor: Option<Printable>,
    /// It sent a Challenge AVP.
    pub challenged: bool,
    /// It sent a Challenge Response AVP.
    pub responded: bool,
    /// A message of the set-up could not be read to its end.
    pub setup_cut: bool,
    /// Whether its Challenge Response is right, as far as secrets were given.
    pub secret_proved: Option<bool>,
    /// It sent hidden AVPs.
    pub hides: bool,
    /// It acknowledged what the capture does not show.
    pub acknowledged_unseen: bool,
    /// Its Receive Window Size.
    pub window: Option<u16>,
    /// Where it stands, as far as its own messages and what it acknowledged show.
    pub machine: ControlMachine,
    /// Packets that came under ESP and that the capture shows once more, decrypted.
    pub shown_again: u32,
    /// Packets in the clear right after an ESP packet between the same hosts that could not be opened.
    pub after_esp: u32,
    /// Its Challenge, if it can be read.
    pub(crate) challenge: Option<Box<[u8]>>,
    /// Its Tie Breaker.
    pub tie_breaker: Option<u64>,
    /// The control messages it sent, and what came back.
    pub delivery: Delivery,
    /// From the capture point to this end and back: how long it took to acknowledge messages that were sent once.
    pub round_trips: RoundTrips,
    /// How many of each kind it sent.
    pub messages: Vec<(MessageKind, u32)>,
    /// Its last control message: packet and time.
    pub last_control: Option<(u64, Timestamp)>,
    /// Its Hellos.
    pub hello: Hello,
    /// When it held the connection closed: by what it sent, or by what it acknowledged.
    pub closed_at: Option<Timestamp>,
}

/// The Hellos of one end, resends aside.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hello {
    /// How many.
    pub sent: u32,
    /// When the first was sent, if any was.
    first: Timestamp,
    /// When the last was sent.
    pub last: Option<Timestamp>,
}

impl Hello {
    pub(crate) fn push(&mut self, time: Timestamp) {
        if self.sent == 0 {
            self.first = time;
        }
        bump32(&mut self.sent);
        self.last = Some(time);
    }

    /// The mean time between two Hellos.
    pub fn interval(&self) -> Option<Duration> {
        let gaps = i64::from(self.sent.checked_sub(1)?);
        self.last?.since(self.first).0.checked_div(gaps).map(Duration)
    }
}

impl End {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            tunnel_id: None,
            host_name: None,
            vendor: None,
            challenged: false,
            responded: false,
            setup_cut: false,
            secret_proved: None,
            challenge: None,
            window: None,
            tie_breaker: None,
            hides: false,
            delivery: Delivery::default(),
            machine: ControlMachine::default(),
            round_trips: RoundTrips::default(),
            acknowledged_unseen: false,
            messages: Vec::new(),
            last_control: None,
            hello: Hello::default(),
            shown_again: 0,
            after_esp: 0,
            closed_at: None,
            packets: 0,
            last: None,
        }
    }

    pub(crate) fn count(&mut self, kind: MessageKind) {
        if let Some((_, count)) = self.messages.iter_mut().find(|(known, _)| *known == kind) {
            bump32(count);
        } else if self.messages.len() < limits::KINDS {
            self.messages.reserve_exact(1);
            self.messages.push((kind, 1));
        }
    }

    pub(crate) fn touch(&mut self, packet: u64, time: Timestamp) {
        bump(&mut self.packets);
        self.last = Some((packet, time));
    }

    /// How many messages of this type it sent, resends included.
    pub fn sent(&self, message: MessageType) -> u32 {
        self.messages.iter().find(|(kind, _)| kind.is(message)).map_or(0, |(_, count)| *count)
    }

    /// Hellos that were not acknowledged.
    pub fn unanswered_hellos(&self) -> u32 {
        let open = self.delivery.outstanding.iter().filter(|o| o.message.is(MessageType::HELLO)).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }
}

/// One control connection. End 0 is its initiator, or the first to send if the capture begins later.
///
/// In this order, so that what each packet needs and changes lies together at the front, and nothing lies idle between the
/// cache lines: there may be tens of thousands.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Connection {
    /// Packets under ESP, and in the clear.
    pub protection: [u32; 2],
    /// Its number: `T1` is 1.
    pub number: u32,
    /// The version of its headers: 2 (RFC 2661) or 3 (RFC 3931).
    pub version: u8,
    /// The capture shows its SCCRQ.
    pub from_start: bool,
    /// Which end is the LAC, if a message shows it.
    pub lac: Option<u8>,
    /// The last session of data to each end, and its call: what the routes say, without a look-up.
    pub(crate) recent: [Option<(SessionId, CallId)>; 2],
    /// What happened to it.
    pub log: Log,
    /// Where it stands.
    pub state: ConnectionState,
    /// Whether it was ever established, as far as the capture shows.
    pub was_established: bool,
    /// Each end asked the other for a control connection, and this request lost (RFC 2661 section 4.4.3, Tie Breaker).
    pub lost_tie: bool,
    /// It was said to look dead.
    pub(crate) told_dead: bool,
    /// The end that sent the first StopCCN.
    pub closed_by: Option<u8>,
    /// From which port to which its first packet went.
    pub first_ports: (u16, u16),
    /// How often the capture was found to lack messages of it: what is judged by a state is not certain across that.
    pub unseen_messages: u32,
    /// When the SCCRQ was sent last.
    pub(crate) request_again: Timestamp,
    /// An older connection between the same endpoints.
    pub(crate) older: Option<ConnectionId>,
    /// The two ends.
    pub ends: [End; 2],
    /// A hash of the SCCRQ, and one of it without its Assigned Tunnel ID.
    pub(crate) request: Option<(u64, u64)>,
    /// A request before this one that was sent once, and whose copy with another tunnel ID this may be.
    pub(crate) other_id_of: Option<ConnectionId>,
    /// The connection that its initiator left when it began anew.
    pub(crate) replaces: Option<ConnectionId>,
    /// The end that the SCCRQ went to.
    pub asked: Endpoint,
    /// Its initiator began anew with the same IDs: what there was is gone.
    pub restarted: Option<At>,
    /// When the SCCRQ was sent.
    pub requested: Option<Timestamp>,
    /// When the SCCRP was sent.
    pub answered: Option<Timestamp>,
    /// When it was established.
    pub established: Option<Timestamp>,
    /// When the first StopCCN was sent.
    pub closed: Option<Timestamp>,
    /// Why.
    pub result: Option<ResultCode>,
    /// The packet of the first StopCCN.
    pub closing_packet: Option<u64>,
    /// Its calls, in order.
    pub calls: Vec<CallId>,
    /// Its first packet.
    pub first_packet: u64,
    /// When that came.
    pub first_time: Timestamp,
    /// The packet of the SCCCN.
    pub established_packet: Option<u64>,
}

impl Connection {
    pub(crate) fn new(number: u32, version: u8, source: Endpoint, destination: Endpoint, first: At) -> Self {
        Self {
            number,
            version,
            ends: [End::new(source), End::new(destination)],
            lac: None,
            state: ConnectionState::Unknown,
            was_established: false,
            from_start: false,
            request: None,
            request_again: Timestamp(0),
            other_id_of: None,
            replaces: None,
            asked: destination,
            lost_tie: false,
            restarted: None,
            requested: None,
            answered: None,
            established: None,
            closed_by: None,
            closed: None,
            result: None,
            closing_packet: None,
            protection: [0, 0],
            calls: Vec::new(),
            log: Log::default(),
            first_packet: first.packet,
            first_time: first.time,
            established_packet: None,
            first_ports: (source.port, destination.port),
            unseen_messages: 0,
            told_dead: false,
            older: None,
            recent: [None, None],
        }
    }

    /// From SCCRQ to SCCCN.
    pub fn setup(&self) -> Option<Duration> {
        Some(self.established?.since(self.requested?))
    }

    /// The end that is taken as the LAC: by role, else the initiator; where the capture lacks the request, the one that
    /// does not sit at the port of L2TP.
    pub fn lac_end(&self) -> usize {
        let at_the_port = |end: &End| end.endpoint.port == L2TP_PORT;
        let [first, second] = &self.ends;
        let answers = !self.from_start && at_the_port(first) && !at_the_port(second);
        usize::from(self.lac.unwrap_or(answers.into())).min(1)
    }

    /// The role of an end.
    pub fn role(&self, end: u8) -> Role {
        if usize::from(end) == self.lac_end() { Role::Lac } else { Role::Lns }
    }

    /// One end.
    pub fn end(&self, end: u8) -> &End {
        let [first, second] = &self.ends;
        if end == 0 { first } else { second }
    }

    /// The call of `session` at the end `end`, if that is the one of the last data.
    pub(crate) fn recent_call(&self, end: u8, session: SessionId) -> Option<CallId> {
        let recent = (*self.recent.get(usize::from(end))?)?;
        (recent.0 == session).then_some(recent.1)
    }

    pub(crate) fn end_mut(&mut self, end: u8) -> &mut End {
        let [first, second] = &mut self.ends;
        if end == 0 { first } else { second }
    }

    /// The capture lacks a message, which may have moved both ends.
    pub(crate) fn lacks(&mut self) {
        bump32(&mut self.unseen_messages);
        for end in &mut self.ends {
            end.machine.uncertain = true;
        }
    }

    /// The SCCCN was sent.
    pub(crate) fn establish(&mut self, at: At) {
        if self.state != ConnectionState::Closed {
            self.state = ConnectionState::Established;
            self.was_established = true;
            self.established.get_or_insert(at.time);
            self.established_packet.get_or_insert(at.packet);
        }
    }

    /// An end uses it: if the capture lacks messages, the SCCCN is among them.
    pub(crate) fn is_used(&mut self) {
        let waits = matches!(self.state, ConnectionState::WaitCtlReply | ConnectionState::WaitCtlConn);
        if self.unseen_messages > 0 && waits {
            self.state = ConnectionState::Established;
            self.was_established = true;
        }
    }

    /// One end was never seen although the other shows that it answered.
    pub fn is_one_direction(&self) -> bool {
        let [first, second] = &self.ends;
        [(first, second), (second, first)].into_iter().any(|(silent, heard)| {
            let acknowledged = silent.delivery.acknowledged.is_some_and(|nr| nr.0 > 0);
            silent.packets == 0
                && heard.packets > 0
                && (acknowledged || self.was_established || !self.from_start)
        })
    }

    /// The end beside which the capture point stands, judged by the round trips to both.
    pub fn near(&self) -> Option<u8> {
        let [first, second] = self.ends.each_ref().map(|end| end.round_trips.least());
        let (first, second) = (first?, second?);
        let beside = |this: Duration, other: Duration| this.0.saturating_mul(3) <= other.0;
        if beside(first, second) {
            Some(0)
        } else if beside(second, first) {
            Some(1)
        } else {
            None
        }
    }

    /// When its last packet came.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.ends.iter().filter_map(|end| end.last.map(|(_, time)| time)).max()
    }

    /// From one end to the other and back, at its shortest, as far as it was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        let [first, second] = &self.ends;
        let (first, second) = (first.round_trips.least()?, second.round_trips.least()?);
        Some(Duration(first.0.saturating_add(second.0)))
    }

    /// Whether only its SCCRQ was seen: what a flood of requests leaves behind.
    pub(crate) fn is_half_open(&self) -> bool {
        let [first, second] = &self.ends;
        self.state == ConnectionState::WaitCtlReply && second.packets == 0 && first.packets <= 1
    }

    /// Whether it runs under ESP. A packet or two outside, sent when the SA is gone already, do not change that.
    pub fn protected(&self) -> bool {
        let [under_esp, in_clear] = self.protection;
        under_esp > in_clear
    }

    /// Whether it waits for an answer that does not come: to its SCCRQ, or to a message that was resent often.
    pub fn looks_dead(&self) -> bool {
        let waits = |end: &End| end.delivery.outstanding.iter().any(|message| message.copies >= 4);
        match self.state {
            ConnectionState::Closed => false,
            ConnectionState::WaitCtlReply => self.end(1).packets == 0 && !self.lost_tie,
            _ => self.ends.iter().any(waits),
        }
    }

    /// Packets of one end only, in a conversation that takes two.
    pub fn one_way(&self) -> bool {
        let [first, second] = &self.ends;
        first.packets == 0 || second.packets == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_makes_up_kinds_of_messages_fills_no_memory() {
        let mut end = End::new(Endpoint { address: std::net::Ipv4Addr::LOCALHOST.into(), port: 1701 });
        for number in (0..1000).chain([6]) {
            end.count(MessageKind::Known(MessageType(number)));
        }
        assert_eq!((end.messages.len(), end.sent(MessageType::HELLO)), (limits::KINDS, 2));
    }

    #[test]
    fn a_connection_stays_small() {
        assert!(size_of::<End>() <= 448, "{}", size_of::<End>());
        assert!(size_of::<Connection>() <= 1280, "{}", size_of::<Connection>());
    }
}
