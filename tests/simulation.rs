//! Two ends that keep to RFC 2661 section 5.8, a network that loses, doubles and delays, and a capture beside the LAC:
//! whatever the network does, nobody who keeps to the RFC is accused.

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::*;
use l2tp_inspect::analysis::CallId;
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

/// A message as the capture saw it: when, from which end.
type Seen = (i64, usize, Message);

/// Runs a conversation; returns what the capture saw, and whether it came to its end.
fn run(seed: u64, loss: u64, double: u64) -> (Talk, bool, BTreeMap<(usize, u16), u32>) {
    let mut counts = BTreeMap::new();
    let (capture, ended) = converse(seed, loss, double);
    let mut talk = Talk::default();
    for (when, from, message) in capture {
        *counts.entry((from, message.kind)).or_insert(0) += 1;
        talk.now = when;
        talk.message(from, message.kind, message.ns, message.nr);
    }
    (talk, ended, counts)
}

fn converse(seed: u64, loss: u64, double: u64) -> (Vec<Seen>, bool) {
    let mut random = Random(seed);
    let hellos = random.next() % 6;
    let mut ends = [End::default(), End::default()];
    ends[LAC].queue.push_back(SCCRQ);
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
    let ended = ends[LNS].done && ends[LAC].open.is_empty() && ends[LNS].open.is_empty();
    (capture, ended)
}

#[test]
fn peers_that_keep_to_the_rfc_are_never_accused() {
    let mut ended = 0;
    for seed in 0..10_000 {
        let (loss, double) = ([0, 5, 15, 30][seed as usize % 4], [0, 10][seed as usize / 4 % 2]);
        let (talk, complete, counts) = run(seed, loss, double);
        let judged = talk.judge();
        assert_eq!(judged.analysis.connections.len(), 1, "seed {seed}");
        let connection = judged.analysis.connections.iter().next().unwrap();
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
            assert!(judged.analysis.call(CallId(0)).unwrap().was_established, "seed {seed}");
        }
    }
    assert!(ended > 6_000, "only {ended} conversations came to their end");
}

/// A fault of one end: the rule that names it, and the conversation with the fault in it.
type Fault = (&'static str, fn(Vec<Seen>) -> Talk);

fn play(seen: &[Seen]) -> Talk {
    let mut talk = Talk::default();
    for (when, from, message) in seen {
        talk.now = *when;
        talk.message(*from, message.kind, message.ns, message.nr);
    }
    talk
}

fn place(seen: &[Seen], from: usize, kind: u16) -> usize {
    seen.iter().position(|(_, end, message)| (*end, message.kind) == (from, kind)).expect("sent")
}

fn end_of(seen: &[Seen]) -> i64 {
    seen.last().map_or(0, |(when, ..)| *when)
}

/// One message with octets of its own instead of its usual ones.
fn instead(seen: &[Seen], at: usize, send: impl Fn(&mut Talk, &Message)) -> Talk {
    let mut talk = play(&seen[..at]);
    let (when, _, message) = &seen[at];
    talk.now = *when;
    send(&mut talk, message);
    for (when, from, message) in &seen[at + 1..] {
        talk.now = *when;
        talk.message(*from, message.kind, message.ns, message.nr);
    }
    talk
}

fn kind(mut seen: Vec<Seen>, from: usize, old: u16, new: u16) -> Talk {
    let at = place(&seen, from, old);
    seen[at].2.kind = new;
    play(&seen)
}

/// The request with these AVPs behind the others.
fn request_with(seen: &[Seen], more: &[u8], less: u16) -> Talk {
    instead(seen, 0, |talk, message| {
        let avps = [avp(0, &[0, 1]), avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"lac"), avp(9, &[0, 7])];
        let kept = avps.iter().filter(|avp| avp[5] != less as u8).flatten().copied();
        let body: Vec<u8> = kept.chain(more.iter().copied()).collect();
        talk.raw(LAC, 0, 0, message.ns, message.nr, &body);
    })
}

/// What is never acknowledged, with copies after these pauses.
fn in_vain(seen: &[Seen], kind: u16, pauses: &[i64]) -> Talk {
    let stop = place(seen, LAC, STOPCCN);
    let mut talk = play(&seen[..stop]);
    let (_, _, last) = &seen[stop];
    talk.now = seen[stop].0;
    // All before it is acknowledged.
    talk.message(LNS, ZLB, last.nr, last.ns);
    talk.message(LAC, kind, last.ns, last.nr);
    for pause in pauses {
        talk.now += pause - 5;
        talk.message(LAC, kind, last.ns, last.nr);
    }
    talk
}

const FAULTS: &[Fault] = &[
    ("seq-first-ns-nonzero", |mut seen| {
        for (_, from, message) in &mut seen {
            if *from == LAC { message.ns += 5 } else { message.nr += 5 }
        }
        play(&seen)
    }),
    ("seq-nr-beyond-sent", |mut seen| {
        let last = seen.iter().rposition(|(_, from, _)| *from == LNS).expect("sent");
        let sent =
            seen.iter().filter(|(_, from, _)| *from == LAC).map(|(.., message)| message.ns).max().unwrap();
        // The StopCCN is the last message, so its number plus one is all that may be acknowledged.
        seen[last].2.nr = sent.max(seen[place(&seen, LAC, STOPCCN)].2.ns) + 2;
        play(&seen)
    }),
    ("seq-duplicate-different", |mut seen| {
        let at = place(&seen, LAC, CDN);
        let mut other = seen[at].clone();
        (other.0, other.2.kind) = (other.0 + 1, HELLO);
        seen.insert(at + 1, other);
        play(&seen)
    }),
    ("seq-retransmit-stale-nr", |mut seen| {
        let old = seen[place(&seen, LAC, ICRQ)].clone();
        let late = (end_of(&seen) + 3000, LAC, old.2);
        seen.push(late);
        play(&seen)
    }),
    ("seq-retransmit-after-ack", |mut seen| {
        let (_, _, mut old) = seen[place(&seen, LAC, ICRQ)].clone();
        old.nr =
            seen.iter().filter(|(_, from, _)| *from == LAC).map(|(.., message)| message.nr).max().unwrap();
        seen.push((end_of(&seen) + 3000, LAC, old));
        play(&seen)
    }),
    ("seq-window-exceeded", |seen| {
        let stop = place(&seen, LAC, STOPCCN);
        let mut talk = play(&seen[..stop]);
        for more in 0..6 {
            talk.message(LAC, HELLO, seen[stop].2.ns + more, seen[stop].2.nr);
        }
        talk
    }),
    ("seq-retransmit-backoff", |seen| in_vain(&seen, HELLO, &[1000, 1000, 1000, 1000])),
    ("seq-retransmit-cap-low", |seen| in_vain(&seen, HELLO, &[1000, 2000, 4000, 4000, 4000])),
    ("hello-unacknowledged", |seen| in_vain(&seen, HELLO, &[1000, 2000, 4000, 8000, 16_000])),
    ("end-stopccn-not-acked", |seen| {
        let mut talk = in_vain(&seen, STOPCCN, &[1000, 2000, 4000, 8000]);
        talk.wait(3000).data(LNS, IP);
        talk
    }),
    ("tun-no-reply", |seen| {
        let mut talk = play(&seen[..1]);
        for pause in [1000, 2000, 4000, 8000] {
            talk.now += pause - 5;
            talk.message(LAC, SCCRQ, 0, 0);
        }
        talk
    }),
    ("hello-before-established", |seen| kind(seen, LAC, SCCCN, HELLO)),
    ("call-unexpected-message", |seen| kind(seen, LNS, ICRP, HELLO)),
    ("tun-sccrq-in-established", |seen| kind(seen, LAC, CDN, SCCCN)),
    ("tun-wrong-tunnel-id", |seen| {
        let at = place(&seen, LNS, SCCRP);
        instead(&seen, at, |talk, message| {
            talk.tunnels[LAC] = 77;
            talk.message(LNS, SCCRP, message.ns, message.nr);
            talk.tunnels[LAC] = 7;
        })
    }),
    ("avp-missing-required", |seen| request_with(&seen, &[], 7)),
    ("avp-unknown-mandatory", |seen| request_with(&seen, &[0x80, 7, 0x12, 0x67, 0, 1, 0], 99)),
    ("avp-window-zero", |seen| request_with(&seen, &avp(10, &[0, 0]), 99)),
    ("hdr-reserved-bits", |seen| {
        let mut talk = play(&seen);
        talk.frames[0].1[28] |= 0x10;
        talk
    }),
    ("end-result-out-of-range", |seen| {
        let at = place(&seen, LAC, STOPCCN);
        instead(&seen, at, |talk, message| {
            let body = [avp(0, &[0, 4]), avp(9, &[0, 7]), avp(1, &[0, 200])].concat();
            talk.raw(LAC, 9, 0, message.ns, message.nr, &body);
        })
    }),
    ("data-after-stopccn", |seen| {
        let mut talk = play(&seen);
        talk.wait(3000).data(LAC, IP);
        talk
    }),
    ("data-session-zero", |seen| {
        let mut talk = play(&seen[..place(&seen, LAC, CDN)]);
        talk.data_to(LAC, 0, None, IP);
        talk
    }),
    ("data-unknown-session", |seen| {
        let mut talk = play(&seen[..place(&seen, LAC, CDN)]);
        talk.data_to(LAC, 4711, None, IP);
        talk
    }),
];

/// Each fault is named by its rule, in whatever conversation it stands.
#[test]
fn one_fault_is_named_by_its_rule() {
    assert!(FAULTS.len() >= 20);
    for seed in 0..200 {
        let (seen, ended) = converse(seed, 0, 0);
        assert!(ended, "seed {seed}");
        for (rule, fault) in FAULTS {
            let judged = fault(seen.clone()).judge();
            assert!(judged.finding(rule).is_some(), "seed {seed}: {rule} not in {:?}", judged.raised());
        }
    }
}
