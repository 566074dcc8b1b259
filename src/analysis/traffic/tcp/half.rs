//! One direction of a TCP connection: what is new, what is sent again, what is missing, and which sizes are acknowledged.

use crate::analysis::ids::bump;
use crate::util::{Duration, Timestamp};

use super::totals::{Stuck, TcpTotals};

/// Data that is sent again so often without an acknowledgement is stuck: congestion alone does not do that.
const STUCK: u16 = 3;
/// Packets that overtake each other come within this time; what comes later was sent again.
const REORDERED: Duration = Duration::millis(3);
/// Sizes that wait for their acknowledgement at once: each is larger than those before it.
const MOST_SIZES: usize = 4;
/// Holes that are kept at once.
const MOST_HOLES: usize = 3;
/// A hole that is larger is none: no window is larger (RFC 7323 section 2.3).
const LARGEST_HOLE: u32 = 1 << 30;

/// Whether a sequence number comes after another (RFC 9293 section 3.4).
fn after(number: u32, other: u32) -> bool {
    let distance = number.wrapping_sub(other);
    distance != 0 && distance < 1 << 31
}

/// A packet that waits for its acknowledgement: where its data ends, and its octets.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    end: u32,
    octets: u32,
}

/// Data that did not come, though later data did.
#[derive(Debug, Clone, Copy, Default)]
struct Hole {
    from: u32,
    to: u32,
    since: Timestamp,
}

impl Hole {
    fn octets(&self) -> u32 {
        self.to.wrapping_sub(self.from)
    }
}

/// The oldest data that is sent again and not acknowledged.
#[derive(Debug, Clone, Copy)]
struct Head {
    sequence: u32,
    /// Octets of the smallest packet that it was sent in.
    octets: u32,
    /// How often it was sent again in a packet of that size.
    again: u16,
    first: u64,
    last: u64,
}

/// One direction of a TCP connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Half {
    /// Where the data ends that was sent so far.
    next: Option<u32>,
    /// Up to where it is acknowledged.
    acknowledged: Option<u32>,
    sizes: [Size; MOST_SIZES],
    waiting: usize,
    largest_passed: u32,
    holes: [Hole; MOST_HOLES],
    open: usize,
    head: Option<Head>,
    /// What was stuck until it was sent in smaller packets.
    shrunk: Option<Box<Stuck>>,
}

impl Half {
    /// Whether anything of it was seen.
    pub(super) fn has_begun(&self) -> bool {
        self.next.is_some() || self.acknowledged.is_some()
    }

    /// Reads a little of what each segment changes.
    pub(super) fn touch(&self) -> u64 {
        u64::from(self.next.is_some()) ^ u64::from(self.head.is_some())
    }

    /// A SYN: data begins here.
    pub(super) fn begin(&mut self, sequence: u32) {
        if self.next.is_none() {
            self.next = Some(sequence);
        }
    }

    /// Data in a packet of `octets`.
    pub(super) fn data(
        &mut self,
        sequence: u32,
        payload: u32,
        at: (u64, Timestamp),
        octets: u32,
        totals: &mut TcpTotals,
    ) {
        let end = sequence.wrapping_add(payload);
        let next = *self.next.get_or_insert(sequence);
        if sequence != next && !self.out_of_step((sequence, end), next, at, octets, totals) {
            return;
        }
        bump(&mut totals.segments);
        totals.octets = totals.octets.saturating_add(payload.into());
        if after(end, next) {
            self.next = Some(end);
        }
        self.wait(Size { end, octets });
    }

    /// Data that does not follow what came last. Says whether it counts as data.
    #[cold]
    fn out_of_step(
        &mut self,
        (sequence, end): (u32, u32),
        next: u32,
        at: (u64, Timestamp),
        octets: u32,
        totals: &mut TcpTotals,
    ) -> bool {
        if after(sequence, next) {
            self.skip(next, sequence, at.1);
            return true;
        }
        // A keepalive, or a probe of a window that is closed, repeats one octet (RFC 9293 section 3.8.4).
        if end == next && end == sequence.wrapping_add(1) {
            return false;
        }
        if let Some(since) = self.fill(sequence, end) {
            if at.1.since(since) <= REORDERED {
                bump(&mut totals.holes.reordered);
                return true;
            }
            bump(&mut totals.resent);
            totals.resent_packets.push(at.0);
            return true;
        }
        bump(&mut totals.resent);
        totals.resent_packets.push(at.0);
        self.again(sequence, end, at.0, octets);
        true
    }

    /// Data is missing.
    fn skip(&mut self, from: u32, to: u32, since: Timestamp) {
        let hole = Hole { from, to, since };
        if hole.octets() > LARGEST_HOLE {
            return;
        }
        if let Some(room) = self.holes.get_mut(self.open) {
            *room = hole;
            self.open = self.open.saturating_add(1);
        }
    }

    /// Data that fills a hole, or a part of one: since when it was missing.
    fn fill(&mut self, sequence: u32, end: u32) -> Option<Timestamp> {
        let within = |hole: &Hole| !after(hole.from, sequence) && after(hole.to, sequence);
        let place = self.holes.iter().take(self.open).position(within)?;
        let hole = self.holes.get_mut(place)?;
        let since = hole.since;
        if hole.from == sequence {
            hole.from = end;
            if !after(hole.to, end) {
                self.close(place);
            }
        } else {
            // What is missing after this is forgotten.
            hole.to = sequence;
        }
        Some(since)
    }

    fn close(&mut self, place: usize) {
        self.open = self.open.saturating_sub(1);
        self.holes.swap(place, self.open);
    }

    /// Data that was sent before.
    fn again(&mut self, sequence: u32, end: u32, packet: u64, octets: u32) {
        // Data that went in a larger packet goes in smaller ones now: an acknowledgement says nothing of the larger one.
        let mut kept = 0;
        for place in 0..self.waiting {
            let Some(size) = self.sizes.get(place).copied() else { break };
            if size.octets <= octets || !after(size.end, sequence) {
                if let Some(room) = self.sizes.get_mut(kept) {
                    *room = size;
                }
                kept = kept.saturating_add(1);
            }
        }
        self.waiting = kept;
        if self.acknowledged.is_some_and(|known| !after(end, known)) {
            // It was acknowledged: that did not arrive in time.
            return;
        }
        match &mut self.head {
            Some(Head { sequence: at, octets: least, .. }) if *at == sequence && octets < *least => {
                let before = self.head.and_then(|head| self.stuck_at(&head));
                self.shrunk = Stuck::merge(self.shrunk.as_deref().copied(), before).map(Box::new);
                self.head = Some(Head { sequence, octets, again: 0, first: packet, last: packet });
            }
            Some(head) if head.sequence == sequence => {
                head.again = head.again.saturating_add(1);
                head.last = packet;
            }
            Some(head) if after(sequence, head.sequence) => {}
            _ => self.head = Some(Head { sequence, octets, again: 1, first: packet, last: packet }),
        }
    }

    /// Keeps the size of a packet until it is acknowledged, if it is larger than all that was.
    #[inline]
    fn wait(&mut self, size: Size) {
        if size.octets <= self.largest_passed {
            return;
        }
        let last = self.waiting.checked_sub(1).and_then(|place| self.sizes.get(place));
        if last.is_some_and(|last| size.octets <= last.octets) {
            return;
        }
        if let Some(room) = self.sizes.get_mut(self.waiting) {
            *room = size;
            self.waiting = self.waiting.saturating_add(1);
        }
    }

    /// The other end has all before `number`.
    pub(super) fn acknowledged(&mut self, number: u32, totals: &mut TcpTotals) {
        if self.acknowledged.is_some_and(|known| !after(number, known)) {
            return;
        }
        self.acknowledged = Some(number);
        if self.next.is_none_or(|next| after(number, next)) {
            // The capture lacks what is acknowledged here.
            self.next = Some(number);
        }
        if self.waiting > 0 {
            self.pass(number, totals);
        }
        if self.open > 0 {
            let mut place = 0;
            while let Some(hole) = self.holes.get(place).filter(|_| place < self.open) {
                if after(hole.to, number) {
                    place = place.saturating_add(1);
                } else {
                    bump(&mut totals.holes.unseen);
                    self.close(place);
                }
            }
        }
        if self.head.is_some_and(|head| after(number, head.sequence)) {
            self.head = None;
        }
    }

    /// Packets that are acknowledged up to `number`.
    fn pass(&mut self, number: u32, totals: &mut TcpTotals) {
        let passed = self.sizes.iter().take(self.waiting).take_while(|size| !after(size.end, number)).count();
        let Some(largest) = passed.checked_sub(1).and_then(|place| self.sizes.get(place)) else { return };
        self.largest_passed = self.largest_passed.max(largest.octets);
        totals.largest_passed = totals.largest_passed.max(Some(self.largest_passed));
        self.sizes.rotate_left(passed.min(MOST_SIZES));
        self.waiting = self.waiting.saturating_sub(passed);
    }

    fn stuck_at(&self, head: &Head) -> Option<Stuck> {
        (head.again >= STUCK).then_some(Stuck {
            largest_passed: Some(self.largest_passed).filter(|octets| *octets > 0),
            smallest_stuck: head.octets,
            packets: head.again.into(),
            flows: 1,
            first: head.first,
            last: head.last,
        })
    }

    /// What does not pass.
    pub(super) fn stuck(&self) -> Option<Stuck> {
        let now = self.head.and_then(|head| self.stuck_at(&head));
        let all = Stuck::merge(self.shrunk.as_deref().copied(), now)?;
        let largest_passed = Some(self.largest_passed).filter(|octets| *octets > 0);
        Some(Stuck { largest_passed, flows: 1, ..all })
    }

    /// Octets of each hole that is open.
    pub(super) fn open_holes(&self) -> impl Iterator<Item = u32> + '_ {
        self.holes.iter().take(self.open).map(Hole::octets)
    }
}
