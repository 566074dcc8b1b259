//! One call (RFC 2661 calls it session as well): its ids, state, data and PPP (sections 5.2, 7.4, 7.5).

use std::net::IpAddr;

use crate::dissect::layers::{L2tp, ResultCode, SessionId};
use crate::util::Timestamp;
use crate::util::seq::Seq16;

use super::call_machine::CallMachine;
use super::call_state::CallEndState;
use super::machine::Event;
use crate::analysis::ids::{ConnectionId, bump};
use crate::analysis::log::Log;
use crate::analysis::meta::At;
use crate::analysis::ppp::session::PppOfCall;
use crate::analysis::traffic::TrafficOfCall;

/// Who asked for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// The LAC, by an ICRQ.
    Incoming,
    /// The LNS, by an OCRQ.
    Outgoing,
    /// No request was seen.
    Unknown,
}

/// The state of a call as a passive observer sees it: names of RFC 2661 sections 7.4 and 7.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CallState {
    WaitReply,
    WaitConnect,
    Established,
    Closed,
    Unknown,
}

impl CallState {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::WaitReply => "wait-reply",
            Self::WaitConnect => "wait-connect",
            Self::Established => "established",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// One call.
///
/// In this order, so that what each data message needs and changes lies in one cache line for each end, and two more.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Call {
    /// Data from each end.
    pub data: [Data; 2],
    /// The control connection it belongs to.
    pub connection: ConnectionId,
    /// Where it stands.
    pub state: CallState,
    /// Data of it came before any message announced it.
    pub unannounced: bool,
    /// The end that connected it requires sequence numbers on data (Sequencing Required AVP).
    pub numbered: bool,
    /// Some data of it carries sequence numbers.
    pub counts: bool,
    /// What runs inside.
    pub ppp: PppOfCall,
    /// What users send through it.
    pub traffic: TrafficOfCall,
    /// The last packet about it, or of its data.
    pub last: At,
    /// When each end held it closed: by what it sent, or by what it acknowledged.
    pub closed_at: [Option<Timestamp>; 2],
    /// Who asked for it.
    pub kind: CallKind,
    /// Which end asked for it.
    pub requester: Option<u8>,
    /// The session ID that each end assigned.
    pub session_ids: [Option<SessionId>; 2],
    /// Call Serial Number.
    pub serial: Option<u32>,
    /// Whether it was ever established, as far as the capture shows.
    pub was_established: bool,
    /// When it was asked for.
    pub requested: Option<Timestamp>,
    /// When it was established.
    pub established: Option<Timestamp>,
    /// The end that closed it.
    pub closed_by: Option<u8>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Why: from the first CDN.
    pub result: Option<ResultCode>,
    /// The packet that closed it.
    pub closing_packet: Option<u64>,
    /// Its first packet.
    pub first_packet: u64,
    /// When that came.
    pub first_time: Timestamp,
    /// The packet of the message that connected it.
    pub established_packet: Option<u64>,
    /// Where each end stands, as far as its own messages and what it acknowledged show.
    pub machines: [CallMachine; 2],
    /// That data of the one session ID and of the other are of one call is a guess: no message says so.
    pub(crate) guessed: bool,
    /// How many messages the capture lacked when a message last moved it.
    pub(crate) lacks: u32,
    /// What happened to it that no control message says, and what is worth a rule.
    pub log: Log,
}

impl Call {
    pub(crate) fn new(connection: ConnectionId, first: At, lacks: u32) -> Self {
        Self {
            connection,
            kind: CallKind::Unknown,
            requester: None,
            session_ids: [None, None],
            serial: None,
            state: CallState::Unknown,
            was_established: false,
            requested: None,
            established: None,
            closed_by: None,
            closed: None,
            result: None,
            closing_packet: None,
            data: [Data::default(), Data::default()],
            ppp: PppOfCall::default(),
            traffic: TrafficOfCall::default(),
            first_packet: first.packet,
            first_time: first.time,
            last: first,
            established_packet: None,
            machines: [CallMachine::default(); 2],
            closed_at: [None, None],
            lacks,
            guessed: false,
            log: Log::default(),
            unannounced: false,
            numbered: false,
            counts: false,
        }
    }

    /// The session ID that an end assigned.
    pub fn session(&self, end: u8) -> Option<SessionId> {
        self.session_ids.get(usize::from(end)).copied().flatten()
    }

    fn asks(&self, end: u8) -> bool {
        self.requester == Some(end)
    }

    /// Moves the machine of an end. `lacks` is how many messages the capture lacks by now.
    pub(crate) fn step(&mut self, end: u8, event: Event, lacks: u32) {
        let (outgoing, asks) = (self.kind == CallKind::Outgoing, self.asks(end));
        let uncertain = self.lacks != lacks;
        if let Some(machine) = self.machines.get_mut(usize::from(end)) {
            machine.uncertain |= uncertain;
            machine.step(outgoing, asks, event);
            if machine.state == CallEndState::Established {
                machine.uncertain = false;
            }
        }
        if matches!(event, Event::Sends(_)) {
            self.lacks = lacks;
        }
    }

    /// An end holds it closed from now on.
    pub(crate) fn close_at(&mut self, end: u8, time: Timestamp) {
        let end = usize::from(end);
        if let (Some(machine), Some(closed)) = (self.machines.get_mut(end), self.closed_at.get_mut(end)) {
            machine.state = CallEndState::Closed;
            closed.get_or_insert(time);
        }
    }

    /// Whether the state of an end has a place for an event.
    pub(crate) fn accepts(&self, end: u8, event: Event) -> bool {
        let machine = self.machines.get(usize::from(end)).copied();
        machine.is_none_or(|mut machine| {
            machine.uncertain || machine.step(self.kind == CallKind::Outgoing, self.asks(end), event)
        })
    }

    /// Whether PPP gave this address to one of its ends.
    pub(crate) fn has_inside(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else { return false };
        self.ppp.network.addresses.contains(&Some(address))
    }

    /// From the request to the connection of the call.
    pub fn setup(&self) -> Option<crate::util::Duration> {
        Some(self.established?.since(self.requested?))
    }
}

/// Data messages in one direction.
#[derive(Debug, Clone, Default)]
#[repr(C, align(64))]
pub struct Data {
    /// Messages.
    pub packets: u64,
    /// Octets after their L2TP headers.
    pub bytes: u64,
    /// Network-layer packets among them.
    pub network: u64,
    /// When the first one came.
    pub first: Option<Timestamp>,
    /// When the last one came.
    pub last: Option<Timestamp>,
    /// Octets of L2-specific sublayer before the frames (RFC 3931 section 4.6), where it is known.
    pub sublayer: Option<u8>,
    /// Some carry sequence numbers.
    pub sequenced: bool,
    /// The last one carries a sequence number.
    pub numbered: bool,
    next: Option<Seq16>,
    /// How many in a row, up to the last one, carry numbers, or carry none.
    pub run: u16,
    /// When that row began.
    pub(crate) turned: Timestamp,
    resumes: bool,
    seen: u64,
    /// Numbers that never came.
    pub lost: u64,
    /// Numbers that came again.
    pub duplicated: u64,
    /// Numbers that came late.
    pub reordered: u64,
    /// How often the numbers began at 0 again after a pause without them.
    pub restarts: u32,
}

/// Packets without numbers that make a pause in the numbering: fewer may be out of order.
const PAUSE: u16 = 2;

impl Data {
    /// Counts a message; returns how many numbers it skipped.
    pub(crate) fn push(&mut self, header: &L2tp, time: Timestamp) -> u16 {
        bump(&mut self.packets);
        self.bytes = self.bytes.saturating_add(u64::from(header.payload));
        self.first.get_or_insert(time);
        self.last = Some(time);
        if header.ns.is_some() == self.numbered && self.packets > 1 {
            self.run = self.run.saturating_add(1);
        } else {
            self.turn(header.ns.is_some(), time);
        }
        let Some(ns) = header.ns else { return 0 };
        self.sequenced = true;
        if self.resumes && self.restarted(ns) {
            return 0;
        }
        let Some(next) = self.next else {
            self.next = Some(ns.next());
            self.seen = 1;
            return 0;
        };
        if next.is_newer_than(ns) {
            let behind = next.steps_from(ns).saturating_sub(1);
            let mask = if behind < 64 { 1u64 << behind } else { 0 };
            if self.seen & mask != 0 || mask == 0 {
                bump(&mut self.duplicated);
            } else {
                self.seen |= mask;
                bump(&mut self.reordered);
                self.lost = self.lost.saturating_sub(1);
            }
            return 0;
        }
        let skipped = ns.steps_from(next);
        let ahead = u32::from(skipped).saturating_add(1);
        self.seen = if ahead < 64 { self.seen << ahead | 1 } else { 1 };
        self.lost = self.lost.saturating_add(u64::from(skipped));
        self.next = Some(ns.next());
        skipped
    }

    /// The first packet with numbers behind others without, or the other way round.
    #[cold]
    fn turn(&mut self, numbered: bool, time: Timestamp) {
        self.resumes = numbered && self.next.is_some() && self.run >= PAUSE;
        (self.numbered, self.run, self.turned) = (numbered, 1, time);
    }

    /// Whether the numbers begin at 0 again behind a pause, instead of going on where they were.
    #[cold]
    fn restarted(&mut self, ns: Seq16) -> bool {
        self.resumes = false;
        // 0 behind 0 may be a copy of the first.
        let again = ns == Seq16(0) && self.next.is_some_and(|next| next.0 > 1 && next.is_newer_than(ns));
        if again {
            crate::analysis::ids::bump32(&mut self.restarts);
            (self.next, self.seen) = (Some(ns.next()), 1);
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::TunnelId;

    #[test]
    fn data_numbers_tell_loss_copies_and_late_packets() {
        let mut data = Data::default();
        let header = |ns| L2tp {
            flags: 0x0802,
            length: None,
            tunnel_id: TunnelId(1),
            session_id: SessionId(1),
            ns: Some(Seq16(ns)),
            nr: Some(Seq16(0)),
            offset: None,
            payload: 10,
        };
        for ns in [65534, 65535, 0, 3, 2, 2, 4] {
            data.push(&header(ns), Timestamp(0));
        }
        assert_eq!((data.packets, data.bytes), (7, 70));
        assert_eq!((data.lost, data.duplicated, data.reordered), (1, 1, 1));
    }
}
