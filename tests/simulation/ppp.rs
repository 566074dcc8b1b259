//! One end of PPP (RFC 1661): LCP, then PAP (RFC 1334) or CHAP (RFC 1994) if the server asks for it, then IPCP
//! (RFC 1332), then packets of users.

use super::automaton::{Action, Automaton, Event, Options, RESTART};
use super::options::{PppPlan, demand_option, parse, unparse};
use super::random::Random;
use super::traffic::Traffic;
use crate::common::ppp::{CHAP, IPCP, LCP, PAP, packet};

const IP: u16 = 0x0021;
const TRIES: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    NotYet,
    Waits,
    Done,
    Failed,
}

#[derive(Debug)]
pub struct Ppp {
    server: bool,
    plan: PppPlan,
    machines: [Automaton; 2],
    /// What the last request of the peer is answered with.
    answer: Vec<u8>,
    proof: Proof,
    /// What authentication the client agreed to.
    agreed: Option<u16>,
    proof_timer: Option<i64>,
    tries: u32,
    proof_id: u8,
    /// The reply to a proof, for copies of it.
    verdict: Option<Vec<u8>>,
    echo_at: Option<i64>,
    echo_id: u8,
    magic: [u8; 4],
    traffic: Traffic,
    random: Random,
    out: Vec<Vec<u8>>,
    pub refused: bool,
}

impl Ppp {
    pub fn new(server: bool, plan: &PppPlan, mut random: Random) -> Self {
        let magic: [u8; 4] = random.octets(4).try_into().expect("four");
        let mut lcp: Options = vec![(5, magic.to_vec())];
        let own = [10, 9, 0, 1];
        let mut ipcp: Options = vec![(3, if server { own.to_vec() } else { vec![0; 4] })];
        if server {
            lcp.insert(0, (1, if plan.large_mru { vec![5, 220] } else { vec![5, 120] }));
            lcp.extend(plan.demand.map(|demand| (3, demand_option(demand))));
        } else {
            lcp.insert(0, (1, vec![5, 120]));
            lcp.extend(plan.odd_option.then(|| (13, vec![6])));
            ipcp.extend(plan.dns.then(|| (129, vec![0; 4])));
        }
        let machines = [Automaton::new(LCP, lcp), Automaton::new(IPCP, ipcp)];
        Self {
            server,
            plan: plan.clone(),
            machines,
            answer: Vec::new(),
            proof: Proof::NotYet,
            agreed: None,
            proof_timer: None,
            tries: 0,
            proof_id: random.next() as u8,
            verdict: None,
            echo_at: None,
            echo_id: 0,
            magic,
            traffic: Traffic::new(server, plan.ping, plan.tcp),
            random,
            out: Vec::new(),
            refused: false,
        }
    }

    fn mute(&self) -> bool {
        self.plan.mute[usize::from(self.server)]
    }

    fn replies(&self) -> bool {
        !self.plan.no_echo_reply[usize::from(self.server)]
    }

    pub fn start(&mut self, now: i64) {
        if !self.mute() {
            self.event(0, Event::Up, now);
        }
    }

    /// Asks for a new negotiation of LCP (section 4.1.2, the restart option).
    pub fn renegotiate(&mut self, now: i64) {
        if self.machines[0].opened() {
            self.event(0, Event::Down, now);
            self.event(0, Event::Up, now);
        }
    }

    pub fn terminate(&mut self, now: i64) {
        self.event(0, Event::Close, now);
    }

    pub fn taken(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.out)
    }

    pub fn due(&self) -> Option<i64> {
        let timers = self.machines.iter().filter_map(|machine| machine.timer);
        let traffic = if self.machines[1].opened() { self.traffic.due() } else { None };
        timers.chain(self.proof_timer).chain(self.echo_at).chain(traffic).min()
    }

    pub fn poll(&mut self, now: i64) {
        for at in 0..2 {
            if self.machines[at].timer.is_some_and(|due| due <= now) {
                self.event(at, Event::Timeout, now);
            }
        }
        if self.proof_timer.is_some_and(|due| due <= now) {
            self.prove(now);
        }
        if self.echo_at.is_some_and(|due| due <= now) {
            self.echo_id = self.echo_id.wrapping_add(1);
            self.push(packet(LCP, 9, self.echo_id, &self.magic));
            self.echo_at = self.plan.echo[usize::from(self.server)].map(|every| now + every);
        }
        if self.machines[1].opened() {
            for inner in self.traffic.poll(now, self.client_address()) {
                self.network(&inner);
            }
        }
    }

    fn client_address(&self) -> [u8; 4] {
        [10, 9, 1, 10 + self.plan.place]
    }

    fn push(&mut self, frame: Vec<u8>) {
        self.out.push(frame);
    }

    fn network(&mut self, inner: &[u8]) {
        self.push([&[0xff, 3, 0, 0x21], inner].concat());
    }

    pub fn receive(&mut self, frame: &[u8], now: i64) {
        if self.mute() || frame.len() < 4 {
            return;
        }
        let protocol = u16::from_be_bytes([frame[2], frame[3]]);
        let body = &frame[4..];
        // Section 3.4: before LCP is open everything else is dropped; section 3.5: so are NCPs before the proof.
        match protocol {
            LCP => self.control(0, body, now),
            PAP | CHAP if self.machines[0].opened() => self.authenticate(protocol, body, now),
            IPCP if self.machines[0].opened() && self.proof == Proof::Done => self.control(1, body, now),
            IP if self.machines[1].opened() => {
                for answer in self.traffic.receive(body, now) {
                    self.network(&answer);
                }
            }
            _ => {}
        }
    }

    fn control(&mut self, at: usize, body: &[u8], now: i64) {
        let (code, id) = (body[0], body[1]);
        let length = usize::from(u16::from_be_bytes([body[2], body[3]]));
        let rest = &body[4..length];
        let current = id == self.machines[at].id && self.machines[at].talks() && !self.machines[at].answered;
        match code {
            1 => {
                let (code, options) = self.judge(at, &parse(rest));
                self.answer = packet(self.machines[at].protocol, code, id, &options);
                self.event(at, Event::Request { good: code == 2 }, now);
            }
            2 if current => {
                self.machines[at].answered = true;
                self.event(at, Event::Ack, now);
            }
            3 | 4 if current => {
                self.machines[at].answered = true;
                let wanted = &mut self.machines[at].wanted;
                for (option, value) in parse(rest) {
                    if code == 4 {
                        wanted.retain(|(known, _)| *known != option);
                    } else if let Some(known) = wanted.iter_mut().find(|(known, _)| *known == option) {
                        known.1 = value;
                    }
                }
                self.event(at, Event::Nak, now);
            }
            5 => {
                self.answer = packet(self.machines[at].protocol, 6, id, &[]);
                self.event(at, Event::TerminateRequest, now);
            }
            6 => self.event(at, Event::TerminateAck, now),
            9 if at == 0 && self.machines[0].opened() && self.replies() => {
                self.push(packet(LCP, 10, id, &self.magic));
            }
            _ => {}
        }
    }

    /// The answer to the options of the peer: code and options.
    fn judge(&mut self, at: usize, options: &Options) -> (u8, Vec<u8>) {
        let known: &[u8] = if at == 0 { &[1, 3, 5] } else { &[3, 129] };
        let foreign = |option: u8| !known.contains(&option) || (option == 129 && !self.server);
        let rejected: Options = options.iter().filter(|(option, _)| foreign(*option)).cloned().collect();
        if !rejected.is_empty() {
            return (4, unparse(&rejected));
        }
        let mut declined = Options::new();
        for (option, value) in options {
            let better = match (at, *option) {
                (0, 1) if !self.server && value[..] > [5u8, 120][..] => Some(vec![5, 120]),
                (0, 3) if self.plan.prefers_pap && value[..2] == CHAP.to_be_bytes()[..] => {
                    Some(demand_option(PAP))
                }
                (1, 3) if self.server && value[..] != self.client_address()[..] => {
                    Some(self.client_address().to_vec())
                }
                (1, 129) if value[..] == [0u8; 4][..] => Some(vec![10, 9, 0, 53]),
                _ => None,
            };
            declined.extend(better.map(|value| (*option, value)));
        }
        if !declined.is_empty() {
            return (3, unparse(&declined));
        }
        if at == 0 && !self.server {
            let demand = options.iter().find(|(option, _)| *option == 3);
            self.agreed = demand.map(|(_, value)| u16::from_be_bytes([value[0], value[1]]));
        }
        (2, unparse(options))
    }

    fn event(&mut self, at: usize, event: Event, now: i64) {
        for action in self.machines[at].step(event, now) {
            let machine = &mut self.machines[at];
            match action {
                Action::Request => {
                    if machine.answered {
                        machine.id = machine.id.wrapping_add(1);
                        machine.answered = false;
                    }
                    let request = packet(machine.protocol, 1, machine.id, &unparse(&machine.wanted));
                    self.push(request);
                }
                Action::Answer => self.push(self.answer.clone()),
                Action::Terminate => {
                    machine.id = machine.id.wrapping_add(1);
                    machine.answered = true;
                    let request = packet(machine.protocol, 5, machine.id, &[]);
                    self.push(request);
                }
                Action::TerminateAck => {
                    let id = self.answer.get(5).copied().unwrap_or(0);
                    let answer = packet(self.machines[at].protocol, 6, id, &[]);
                    self.push(answer);
                }
                Action::LayerUp if at == 0 => self.opened(now),
                Action::LayerDown if at == 0 => {
                    self.proof = Proof::NotYet;
                    (self.proof_timer, self.echo_at, self.verdict) = (None, None, None);
                    self.event(1, Event::Down, now);
                }
                Action::LayerUp => self.traffic.start(now),
                _ => {}
            }
        }
    }

    /// LCP is open at this end: the proof of the client, or the network at once.
    fn opened(&mut self, now: i64) {
        self.echo_at = self.plan.echo[usize::from(self.server)].map(|every| now + every);
        if self.server {
            let demand = self.machines[0].wanted.iter().find(|(option, _)| *option == 3);
            self.agreed = demand.map(|(_, value)| u16::from_be_bytes([value[0], value[1]]));
        }
        self.tries = 0;
        match self.agreed {
            None => self.proved(now),
            Some(protocol) => {
                self.proof = Proof::Waits;
                if self.server == (protocol == CHAP) {
                    self.prove(now);
                }
            }
        }
    }

    fn proved(&mut self, now: i64) {
        self.proof = Proof::Done;
        self.proof_timer = None;
        self.event(1, Event::Up, now);
    }

    /// Sends what this end has to send for the proof, and again after 3 s.
    fn prove(&mut self, now: i64) {
        self.tries += 1;
        if self.tries > TRIES || self.proof != Proof::Waits {
            self.proof_timer = None;
            return;
        }
        self.proof_timer = Some(now + RESTART);
        if self.server {
            // RFC 1994 section 4.1: each Challenge has an Identifier of its own.
            self.proof_id = self.proof_id.wrapping_add(1);
            let value = [&[16], &self.random.octets(16)[..], b"lns"].concat();
            self.push(packet(CHAP, 1, self.proof_id, &value));
        } else if self.agreed == Some(PAP) {
            // RFC 1334 section 2.2.1: so has each Authenticate-Request.
            self.proof_id = self.proof_id.wrapping_add(1);
            let password: &[u8] = if self.plan.wrong_password { b"wrong" } else { b"right" };
            let body = [&[4], &b"user"[..], &[password.len() as u8], password].concat();
            self.push(packet(PAP, 1, self.proof_id, &body));
        } else if let Some(response) = self.verdict.clone() {
            self.push(response);
        }
    }

    fn authenticate(&mut self, protocol: u16, body: &[u8], now: i64) {
        let (code, id) = (body[0], body[1]);
        if self.agreed != Some(protocol) {
            return;
        }
        match (self.server, protocol, code) {
            // A copy of what was decided gets the same reply (RFC 1334 section 2.2.1, RFC 1994 section 4.1).
            (true, PAP, 1) | (true, CHAP, 2) if self.proof != Proof::Waits => {
                if let Some(mut verdict) = self.verdict.clone() {
                    verdict[5] = id;
                    self.push(verdict);
                }
            }
            (true, PAP, 1) => self.decide(PAP, if self.plan.wrong_password { 3 } else { 2 }, id, now),
            (true, CHAP, 2) if id == self.proof_id => {
                self.decide(CHAP, if self.plan.wrong_password { 4 } else { 3 }, id, now);
            }
            (false, CHAP, 1) if !self.plan.no_response && self.proof == Proof::Waits => {
                let value = [&[16], &self.random.octets(16)[..], b"user"].concat();
                self.verdict = Some(packet(CHAP, 2, id, &value));
                self.proof_id = id;
                self.prove(now);
            }
            (false, PAP, 2) | (false, CHAP, 3) if self.proof == Proof::Waits && id == self.proof_id => {
                self.proved(now);
            }
            (false, PAP, 3) | (false, CHAP, 4) => {
                self.proof = Proof::Failed;
                self.proof_timer = None;
            }
            _ => {}
        }
    }

    fn decide(&mut self, protocol: u16, code: u8, id: u8, now: i64) {
        let body: &[u8] = if protocol == PAP { &[0] } else { &[] };
        let verdict = packet(protocol, code, id, body);
        self.verdict = Some(verdict.clone());
        self.push(verdict);
        if self.plan.wrong_password {
            self.proof = Proof::Failed;
            self.proof_timer = None;
            self.refused = true;
        } else {
            self.proved(now);
        }
    }
}
