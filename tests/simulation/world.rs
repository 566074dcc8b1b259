//! The clock, the path with its tap, and everybody who talks over it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::conn::{Call, Conn};
use super::faults::bug::Bug;
use super::random::Random;
use super::truth::{Captured, Note, Truth};

/// Where the capture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tap {
    AtLac,
    Middle,
    AtLns,
}

impl Tap {
    /// The part of the path from the LAC to the tap, in percent.
    fn before(self) -> u32 {
        match self {
            Self::AtLac => 0,
            Self::Middle => 50,
            Self::AtLns => 100,
        }
    }
}

/// What the network does to packets. Chances are in thousandths.
#[derive(Debug, Clone)]
pub struct Path {
    pub tap: Tap,
    /// From the LAC, and from the LNS.
    pub delay: [i64; 2],
    pub jitter: i64,
    pub loss: u32,
    pub copies: u32,
    /// What the capture loses of what passes the tap.
    pub capture_loss: u32,
    /// Nothing is captured before.
    pub capture_from: i64,
    /// Nothing passes in this time.
    pub outage: Option<(i64, i64)>,
    /// Control messages of this side (0: the LAC) are lost after the tap in this time.
    pub deaf_after_tap: Option<(usize, i64, i64)>,
}

impl Path {
    pub fn round_trip(&self) -> i64 {
        self.delay[0] + self.delay[1] + 2 * self.jitter
    }
}

/// What a control message or a data message says, for its receiver.
#[derive(Debug, Clone)]
pub enum Content {
    Control { tunnel: u32, session: u32, ns: u16, nr: u16, message: super::messages::Message },
    Data { session: u32, ns: Option<u16>, payload: Vec<u8> },
}

#[derive(Debug, Clone)]
pub struct Packet {
    pub octets: Vec<u8>,
    pub content: Content,
    pub note: Note,
    /// 0 from the side of the LAC.
    pub side: usize,
}

type Action = Box<dyn FnOnce(&mut World)>;

enum What {
    Tap(Packet, i64),
    Arrive(Packet),
    Wake(usize, usize),
    Do(Action),
}

struct Event {
    at: i64,
    number: u64,
    what: What,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

pub struct World {
    pub now: i64,
    number: u64,
    events: BinaryHeap<Reverse<Event>>,
    pub random: Random,
    pub path: Path,
    pub conns: Vec<Conn>,
    pub calls: Vec<Call>,
    pub truth: Truth,
    pub bug: Bug,
    pub audit: super::audit::Audit,
    ident: u16,
    /// Control messages that are on their way, by control connection and sender.
    pub flying: Vec<[u32; 2]>,
}

impl World {
    pub fn new(seed: u64, path: Path) -> Self {
        Self {
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            random: Random::new(seed ^ 0x00c0_ffee),
            path,
            conns: Vec::new(),
            calls: Vec::new(),
            truth: Truth::default(),
            bug: Bug::default(),
            audit: super::audit::Audit::default(),
            ident: 100,
            flying: Vec::new(),
        }
    }

    fn schedule(&mut self, at: i64, what: What) {
        self.number += 1;
        self.events.push(Reverse(Event { at: at.max(self.now), number: self.number, what }));
    }

    /// Does something at a time.
    pub fn at(&mut self, at: i64, action: impl FnOnce(&mut World) + 'static) {
        self.schedule(at, What::Do(Box::new(action)));
    }

    pub fn wake(&mut self, conn: usize, end: usize, at: i64) {
        self.schedule(at, What::Wake(conn, end));
    }

    pub fn ident(&mut self) -> u16 {
        self.ident = self.ident.wrapping_add(1);
        self.ident
    }

    pub fn run(&mut self, until: i64) {
        while let Some(Reverse(event)) = self.events.pop() {
            if event.at > until {
                break;
            }
            self.now = event.at;
            match event.what {
                What::Tap(packet, rest) => self.tap(packet, rest),
                What::Arrive(packet) => {
                    self.landed(&packet);
                    self.arrive(packet);
                }
                What::Wake(conn, end) => {
                    if self.conns[conn].ends[end].wake_at.is_some_and(|at| at <= self.now) {
                        self.conns[conn].ends[end].wake_at = None;
                        self.poll(conn, end);
                    }
                }
                What::Do(action) => action(self),
            }
        }
        self.now = until;
    }

    /// Whether the first control connection had a message of this kind of this end.
    pub fn sent(&self, end: usize, kind: u16) -> bool {
        self.truth.sent.iter().any(|(conn, by, _, sent)| (*conn, *by, *sent) == (0, end, kind))
    }

    /// Puts a packet on its way.
    pub fn launch(&mut self, packet: Packet) {
        let note = &packet.note;
        self.truth.sent.insert((note.conn, note.end, note.call, note.kind));
        let side = packet.side;
        let before = if side == 0 { self.path.tap.before() } else { 100 - self.path.tap.before() };
        let doubled = self.random.permille(self.path.copies);
        let doubled_before = self.random.chance(before);
        let copies = 1 + usize::from(doubled && doubled_before);
        let outage = self.path.outage.is_some_and(|(from, to)| (from..to).contains(&self.now));
        for _ in 0..copies {
            if self.random.permille(self.path.loss * before / 100) || (outage && self.random.chance(before)) {
                self.truth.missing(&packet.note);
                continue;
            }
            let total = self.path.delay[side] + self.random.between(0, self.path.jitter);
            let first = total * i64::from(before) / 100;
            self.flies(&packet);
            self.schedule(self.now + first, What::Tap(packet.clone(), total - first));
            if doubled && !doubled_before {
                // The copy is made after the tap: it only arrives.
                let again = total + self.random.between(1, 30 + self.path.jitter);
                self.flies(&packet);
                self.schedule(self.now + again, What::Arrive(packet.clone()));
            }
        }
    }

    fn flies(&mut self, packet: &Packet) {
        let control = matches!(packet.content, Content::Control { .. });
        self.flying[packet.note.conn][packet.note.end] += u32::from(control);
    }

    fn landed(&mut self, packet: &Packet) {
        let control = matches!(packet.content, Content::Control { .. });
        self.flying[packet.note.conn][packet.note.end] -= u32::from(control);
    }

    fn tap(&mut self, packet: Packet, rest: i64) {
        let captured = self.now >= self.path.capture_from && !self.random.permille(self.path.capture_loss);
        if captured {
            self.truth.captured.push(Captured {
                at: self.now,
                octets: packet.octets.clone(),
                note: packet.note.clone(),
            });
        } else {
            self.truth.missing(&packet.note);
        }
        let side = packet.side;
        let before = if side == 0 { self.path.tap.before() } else { 100 - self.path.tap.before() };
        let outage = self.path.outage.is_some_and(|(from, to)| (from..to).contains(&self.now));
        let deaf = self.path.deaf_after_tap.is_some_and(|(of, from, to)| {
            of == side && (from..to).contains(&self.now) && matches!(packet.content, Content::Control { .. })
        });
        if self.random.permille(self.path.loss * (100 - before) / 100) || deaf || (outage && before < 100) {
            return self.landed(&packet);
        }
        self.schedule(self.now + rest, What::Arrive(packet));
    }
}
