//! Two ends that follow RFC 1661 section 4.1, over a path that loses and reorders, and a tap beside one of them: what it
//! says of an end is true, and when all is quiet it knows that both are open.

use proptest::prelude::*;

use crate::analysis::ppp::automaton::Event::*;
use crate::analysis::ppp::automaton::State::{self, *};
use crate::analysis::ppp::protocol::{IPCP, LCP};
use crate::analysis::ppp::testing::{ACK, NAK, REQUEST, Session, control, magic, options};
use crate::dissect::layers::{Ppp, PppBody};

const TERMINATE_REQUEST: u8 = 5;
const TERMINATE_ACK: u8 = 6;
/// A packet of a later phase.
const LATER: u8 = 0;

#[derive(Debug, Clone, Copy)]
struct Packet {
    code: u8,
    identifier: u8,
    magic: u64,
    /// The how manieth request of its sender it is; no tap can see that.
    request: u32,
}

impl Packet {
    fn ppp(self) -> Ppp {
        match self.code {
            LATER => options(IPCP, REQUEST, self.identifier, &[]),
            TERMINATE_REQUEST | TERMINATE_ACK => control(LCP, self.code, self.identifier, PppBody::Other),
            code => options(LCP, code, self.identifier, &[magic(self.magic)]),
        }
    }
}

/// An end, as section 4.1 has it, with its actions.
struct Peer {
    number: u64,
    state: State,
    identifier: u8,
    magic: u64,
    answered: bool,
    requests: u32,
    /// The last of its requests with which it was open.
    opened_with: u32,
    out: Vec<Packet>,
}

impl Peer {
    fn new(number: u64) -> Self {
        let mut peer = Self {
            number,
            state: Starting,
            identifier: 0,
            magic: number,
            answered: true,
            requests: 0,
            opened_with: 0,
            out: Vec::new(),
        };
        peer.state = peer.state.after(Up);
        peer.ask(true);
        peer
    }

    fn send(&mut self, code: u8, identifier: u8, magic: u64) {
        self.out.push(Packet { code, identifier, magic, request: self.requests });
    }

    /// Send-Configure-Request. After a valid reply the Identifier changes (section 5.1).
    fn ask(&mut self, changed: bool) {
        if changed {
            self.magic += 2;
        }
        if changed || self.answered {
            self.identifier = self.identifier.wrapping_add(1);
            self.requests += 1;
            self.answered = false;
        }
        self.send(REQUEST, self.identifier, self.magic);
    }

    fn moves(&mut self, state: State) {
        self.state = state;
        if state == Opened {
            self.opened_with = self.requests;
        }
    }

    fn timeout(&mut self) {
        match self.state {
            ReqSent | AckRcvd | AckSent => {
                self.moves(self.state.after(SendsRequest));
                self.ask(false);
            }
            Closing => self.send(TERMINATE_REQUEST, self.identifier, 0),
            // The pause after a Terminate-Ack is over, and the link comes up again.
            Stopping | Stopped | Closed => {
                self.moves(ReqSent);
                self.ask(true);
            }
            Initial | Starting | Opened => {}
        }
    }

    fn command(&mut self, which: u8) {
        match (which, self.state) {
            (0, Opened) => {
                self.moves(ReqSent);
                self.ask(true);
            }
            (1, Opened) => {
                self.moves(Closing);
                self.send(TERMINATE_REQUEST, self.identifier, 0);
            }
            (_, Opened) => self.send(LATER, self.identifier, 0),
            _ => {}
        }
    }

    fn receive(&mut self, packet: Packet, good: bool) {
        match packet.code {
            REQUEST => self.asked(packet, good),
            ACK | NAK => {
                if packet.identifier != self.identifier || self.answered {
                    return;
                }
                self.answered = true;
                let before = self.state;
                let event = if packet.code == ACK { ReceivesAck } else { ReceivesNak };
                self.moves(before.after(event));
                match before {
                    Closed | Stopped => self.send(TERMINATE_ACK, packet.identifier, 0),
                    ReqSent | AckSent if packet.code == NAK => self.ask(true),
                    AckRcvd | Opened => self.ask(packet.code == NAK),
                    _ => {}
                }
            }
            TERMINATE_REQUEST => {
                self.moves(self.state.after(SendsTerminateAck));
                self.send(TERMINATE_ACK, packet.identifier, 0);
            }
            TERMINATE_ACK => {
                let before = self.state;
                self.moves(before.after(ReceivesTerminateAck));
                if before == Opened {
                    self.ask(true);
                }
            }
            _ => {}
        }
    }

    fn asked(&mut self, packet: Packet, good: bool) {
        match self.state {
            Closed => return self.send(TERMINATE_ACK, packet.identifier, 0),
            Closing | Stopping | Initial | Starting => return,
            Stopped | Opened => {
                self.moves(ReqSent);
                self.ask(self.state == Stopped);
            }
            ReqSent | AckRcvd | AckSent => {}
        }
        self.moves(self.state.after(if good { SendsAck } else { SendsNak }));
        self.send(if good { ACK } else { NAK }, packet.identifier, packet.magic + u64::from(!good));
    }
}

struct World {
    peers: [Peer; 2],
    /// What is under way to the other end.
    path: [Vec<Packet>; 2],
    /// The end that the tap is beside.
    tap: usize,
    seen: Session,
    last_request_seen: [u32; 2],
}

impl World {
    fn new(tap: usize) -> Self {
        let peers = [Peer::new(1), Peer::new(1000)];
        let path = [Vec::new(), Vec::new()];
        Self { peers, path, tap, seen: Session::default(), last_request_seen: [0, 0] }
    }

    fn captures(&mut self, from: usize, packet: Packet) {
        self.seen.send(u8::try_from(from).unwrap(), packet.ppp());
        if packet.code == REQUEST {
            self.last_request_seen[from] = self.last_request_seen[from].max(packet.request);
        }
    }

    /// What the ends sent goes on its path, past the tap if it is beside that end.
    fn departs(&mut self) {
        for from in 0..2 {
            for packet in std::mem::take(&mut self.peers[from].out) {
                if from == self.tap {
                    self.captures(from, packet);
                }
                self.path[from].push(packet);
            }
        }
    }

    fn arrives(&mut self, from: usize, index: usize, lost: bool, good: bool) {
        if index >= self.path[from].len() {
            return;
        }
        let packet = self.path[from].remove(index);
        if lost {
            return;
        }
        if from != self.tap {
            self.captures(from, packet);
        }
        self.peers[1 - from].receive(packet, good);
    }

    /// What is said for sure was true, after the last request that the tap saw.
    fn holds(&self) -> Result<(), TestCaseError> {
        for (end, peer) in self.peers.iter().enumerate() {
            let claimed = self.seen.call.lcp.end(u8::try_from(end).unwrap()).state;
            if claimed == Opened {
                prop_assert!(
                    peer.opened_with >= self.last_request_seen[end].max(1),
                    "end {end} ({}) is in {}, opened with {}, last seen {}",
                    peer.number,
                    peer.state.name(),
                    peer.opened_with,
                    self.last_request_seen[end]
                );
            }
        }
        Ok(())
    }

    fn step(&mut self, random: u16) {
        let [what, how] = random.to_le_bytes();
        let end = usize::from(how & 1);
        match what % 16 {
            0 => self.peers[end].timeout(),
            1 => self.peers[end].command(how >> 6),
            2 | 3 => self.peers[end].command(2),
            // One of eight is lost, and one of eight comes before the one ahead of it.
            _ => {
                self.arrives(end, usize::from(how >> 5 == 1), how >> 5 == 2, what < 224);
            }
        }
        self.departs();
    }

    /// Nothing is lost any more, and ends are patient: both open, and say something.
    fn settles(&mut self) {
        for _ in 0..100 {
            while let Some(from) = (0..2).find(|from| !self.path[*from].is_empty()) {
                self.arrives(from, 0, false, true);
                self.departs();
            }
            if self.peers.iter().all(|peer| peer.state == Opened) {
                break;
            }
            self.peers.iter_mut().for_each(Peer::timeout);
            self.departs();
        }
        for end in [0, 1, 0, 1, 0, 1] {
            self.peers[end].command(2);
            self.departs();
            self.arrives(end, 0, false, true);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn a_tap_is_right_about_both_ends(tap in 0usize..2, steps in prop::collection::vec(any::<u16>(), 0..120)) {
        let mut world = World::new(tap);
        world.departs();
        for step in steps {
            world.step(step);
            world.holds()?;
        }
        world.settles();
        world.holds()?;
        prop_assert!(world.peers.iter().all(|peer| peer.state == Opened), "the simulation does not settle");
        let lcp = &world.seen.call.lcp;
        prop_assert!(lcp.opened_at_both(), "{:?}", lcp.ends);
        prop_assert!(lcp.ever_opened() && lcp.ends.iter().all(|end| end.requests().len() <= 6));
    }

    #[test]
    fn no_sequence_of_packets_panics(packets in prop::collection::vec((0u8..2, any::<u16>(), 0u8..16, 0u8..3, 0u64..3), 0..60)) {
        let mut session = Session::default();
        for (from, kind, code, identifier, value) in packets {
            let protocol = [LCP, IPCP, 0xc223, 0xc023, 0xc227, 0x80fd, 0x0021, kind][usize::from(kind % 8)];
            let body = if code < 5 { PppBody::Options(vec![magic(value)]) } else { PppBody::Other };
            session.send(from, control(protocol, code, identifier, body));
            session.data(from);
        }
        prop_assert!(session.call.ncps.len() <= 16);
    }
}
