//! Two ends that keep to RFC 2661 section 5.8, a network that loses, doubles and delays, and a capture beside the LAC:
//! whatever the network does, nobody who keeps to the RFC is accused.

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::*;
use l2tp_inspect::rules::Severity;

/// A small generator, so that every seed gives the same conversation everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

#[derive(Clone)]
struct Message {
    ns: u16,
    nr: u16,
    kind: u16,
}

const ZLB: u16 = 0;
const WINDOW: u16 = 4;

#[derive(Default)]
struct End {
    queue: VecDeque<u16>,
    /// Sent and not acknowledged: number, kind, when to send again, how long to wait then.
    open: VecDeque<(u16, u16, i64, i64)>,
    ns: u16,
    nr: u16,
    acknowledge: bool,
    done: bool,
}

impl End {
    /// What it sends now.
    fn step(&mut self, now: i64) -> Vec<Message> {
        let mut out = Vec::new();
        while self.open.len() < WINDOW as usize {
            let Some(kind) = self.queue.pop_front() else { break };
            self.open.push_back((self.ns, kind, now + 1000, 1000));
            out.push(Message { ns: self.ns, nr: self.nr, kind });
            self.ns += 1;
        }
        for (ns, kind, due, wait) in &mut self.open {
            if *due <= now {
                out.push(Message { ns: *ns, nr: self.nr, kind: *kind });
                *wait = (*wait * 2).min(8000);
                *due = now + *wait;
            }
        }
        if out.is_empty() && self.acknowledge {
            out.push(Message { ns: self.ns, nr: self.nr, kind: ZLB });
        }
        self.acknowledge = false;
        out
    }

    /// Takes a message; returns it if it is new and in order.
    fn receive(&mut self, message: &Message) -> Option<u16> {
        self.open.retain(|(ns, ..)| *ns >= message.nr);
        if message.kind == ZLB {
            return None;
        }
        self.acknowledge = true;
        if message.ns != self.nr {
            return None;
        }
        self.nr += 1;
        Some(message.kind)
    }
}

/// What an end does when it gets a message.
fn react(ends: &mut [End; 2], at: usize, kind: u16, hellos: u64) {
    let end = &mut ends[at];
    match (at, kind) {
        (LNS, SCCRQ) => end.queue.push_back(SCCRP),
        (LAC, SCCRP) => end.queue.extend([SCCCN, ICRQ]),
        (LNS, ICRQ) => end.queue.push_back(ICRP),
        (LAC, ICRP) => {
            end.queue.push_back(ICCN);
            end.queue.extend((0..hellos).map(|_| HELLO));
            end.queue.extend([CDN, STOPCCN]);
        }
        (LNS, ICCN) => end.queue.extend((0..hellos / 2).map(|_| HELLO)),
        (LNS, STOPCCN) => end.done = true,
        _ => {}
    }
}

/// Runs a conversation; returns what the capture saw, and whether it came to its end.
fn run(seed: u64, loss: u64, double: u64) -> (Talk, bool, BTreeMap<(usize, u16), u32>) {
    let mut random = Random(seed);
    let hellos = random.next() % 6;
    let mut ends = [End::default(), End::default()];
    ends[LAC].queue.push_back(SCCRQ);
    let mut talk = Talk::default();
    let mut counts = BTreeMap::new();
    // In flight: when it arrives, at whom.
    let mut flying: Vec<(i64, usize, Message)> = Vec::new();
    let mut capture: Vec<(i64, usize, Message)> = Vec::new();
    for now in (0..200_000).step_by(10) {
        let (arrived, rest): (Vec<_>, Vec<_>) = flying.into_iter().partition(|(when, ..)| *when <= now);
        flying = rest;
        for (_, at, message) in arrived {
            if at == LAC {
                capture.push((now, LNS, message.clone()));
            }
            if let Some(kind) = ends[at].receive(&message) {
                react(&mut ends, at, kind, hellos);
            }
        }
        for from in [LAC, LNS] {
            for message in ends[from].step(now) {
                if from == LAC {
                    capture.push((now + 1, LAC, message.clone()));
                }
                let copies = if random.chance(loss) { 0 } else { 1 + usize::from(random.chance(double)) };
                for _ in 0..copies {
                    let delay = 20 + (random.next() % 20) as i64 * 10;
                    flying.push((now + delay, 1 - from, message.clone()));
                }
            }
        }
        if ends[LNS].done && ends[LAC].open.is_empty() && flying.is_empty() {
            break;
        }
    }
    for (when, from, message) in capture {
        *counts.entry((from, message.kind)).or_insert(0) += 1;
        talk.now = when;
        talk.message(from, message.kind, message.ns, message.nr);
    }
    let ended = ends[LNS].done && ends[LAC].open.is_empty() && ends[LNS].open.is_empty();
    (talk, ended, counts)
}

#[test]
fn peers_that_keep_to_the_rfc_are_never_accused() {
    let mut ended = 0;
    for seed in 0..10_000 {
        let (loss, double) = ([0, 5, 15, 30][seed as usize % 4], [0, 10][seed as usize / 4 % 2]);
        let (talk, complete, counts) = run(seed, loss, double);
        let judged = talk.judge();
        assert_eq!(judged.analysis.connections.len(), 1, "seed {seed}");
        let connection = &judged.analysis.connections[0];
        for ((from, kind), count) in counts {
            if kind != ZLB {
                let name = l2tp_inspect::dissect::layers::MessageType(kind);
                assert_eq!(connection.ends[from].sent(name), count, "seed {seed} {from} {}", name.name());
            }
        }
        for rule in ["seq-nr-beyond-sent", "cap-missing-acked", "cap-one-way", "tun-no-reply"] {
            judged.assert_quiet(rule);
        }
        if complete {
            ended += 1;
            let own = ["sec-l2tp-in-clear"];
            let accused =
                judged.findings.iter().filter(|f| f.severity > Severity::Note && !own.contains(&f.rule.id));
            let accused: Vec<_> = accused.collect();
            assert!(accused.is_empty(), "seed {seed}: {accused:#?}");
            assert_eq!((connection.was_established, judged.analysis.calls.len()), (true, 1), "seed {seed}");
            assert!(judged.analysis.calls[0].was_established, "seed {seed}");
        }
    }
    assert!(ended > 6_000, "only {ended} conversations came to their end");
}
