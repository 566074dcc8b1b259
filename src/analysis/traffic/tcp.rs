//! TCP connections inside a call (RFC 9293): opened, refused, unanswered; what was sent again, and what never passes.

mod flow;
mod half;
mod totals;

use crate::dissect::layers::{Quoted, TcpSegment};
use crate::util::{Duration, Timestamp};

use super::budget::{Held, TrafficBudget};
use flow::{Flow, State};
pub(super) use totals::Key;
pub use totals::{Holes, Stuck, TcpTotals};

/// TCP connections that are followed at once, of one call: the least recently used go first.
pub const MOST_FLOWS: usize = 64;
/// A SYN is sent again after one second (RFC 6298 section 2.1): by then it could have been answered.
const SYN_WAIT: Duration = Duration::seconds(1);
const TCP: u8 = 6;

/// Where a connection stands in the table.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    used: u64,
}

/// The TCP connections of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Tcp {
    slots: Vec<Slot>,
    flows: Vec<Flow>,
    /// The one of the last segment.
    recent: usize,
    clock: u64,
    /// What is counted as it comes, and what is known of connections that are not followed any more.
    totals: [TcpTotals; 2],
}

impl Tcp {
    /// Takes a segment of a packet of `octets` that the end `from` sent.
    pub(super) fn push(
        &mut self,
        segment: &TcpSegment,
        key: Key,
        from: u8,
        at: (u64, Timestamp),
        octets: u32,
        budget: &mut TrafficBudget,
    ) {
        if let (Some(mss), Some(totals)) = (segment.mss, self.totals.get_mut(usize::from(from))) {
            totals.announce(mss);
        }
        let Some(place) = self.find(&key).or_else(|| self.open(key, segment, at, budget)) else { return };
        self.recent = place;
        self.clock = self.clock.saturating_add(1);
        if let Some(slot) = self.slots.get_mut(place) {
            slot.used = self.clock;
        }
        let Some(flow) = self.flows.get_mut(place) else { return };
        if flow.begins_anew(segment, from) {
            retire(flow, at.1, &mut self.totals);
            *flow = Flow::new(key);
        }
        flow.push(segment, from, at, octets, &mut self.totals);
    }

    /// Reads a little of what the next segment of the last connection changes.
    pub(super) fn touch(&self) -> u64 {
        self.flows.get(self.recent).map_or(0, Flow::touch) ^ self.clock
    }

    /// The connection, of the last segment first.
    #[inline]
    fn find(&self, key: &Key) -> Option<usize> {
        if self.flows.get(self.recent).is_some_and(|flow| flow.key == *key) {
            return Some(self.recent);
        }
        let tag = key.tag();
        let mut slots = self.slots.iter().enumerate().filter(|(_, slot)| slot.tag == tag);
        slots.find(|(at, _)| self.flows.get(*at).is_some_and(|flow| flow.key == *key)).map(|(at, _)| at)
    }

    /// Makes room for a connection. One that only ends needs none.
    fn open(
        &mut self,
        key: Key,
        segment: &TcpSegment,
        at: (u64, Timestamp),
        budget: &mut TrafficBudget,
    ) -> Option<usize> {
        if segment.has(TcpSegment::RST) {
            return None;
        }
        let (slot, flow) = (Slot { tag: key.tag(), used: self.clock }, Flow::new(key));
        if self.flows.len() < MOST_FLOWS && budget.flow() {
            self.slots.push(slot);
            self.flows.push(flow);
            return Some(self.flows.len().saturating_sub(1));
        }
        let Some((place, _)) = self.slots.iter().enumerate().min_by_key(|(_, slot)| slot.used) else {
            budget.refuse();
            return None;
        };
        let oldest = self.flows.get_mut(place)?;
        retire(oldest, at.1, &mut self.totals);
        *oldest = flow;
        *self.slots.get_mut(place)? = slot;
        Some(place)
    }

    /// An ICMP error from the end `from` says that a packet from the other end came to nothing.
    pub(super) fn refuse(&mut self, quoted: &Quoted, from: u8) {
        let Some(ports) = quoted.ports.filter(|_| quoted.protocol == TCP) else { return };
        let sender = 1u8.saturating_sub(from);
        let Some(place) = self.find(&Key::new(&quoted.addresses, ports, sender)) else { return };
        if let Some(flow) = self.flows.get_mut(place) {
            flow.refuse(sender, &mut self.totals);
        }
    }

    /// What is known of one end as of `now`, the time of the last packet of the call.
    pub(super) fn totals(&self, end: u8, now: Timestamp) -> TcpTotals {
        let mut all = self.totals.clone();
        self.flows.iter().for_each(|flow| retire(flow, now, &mut all));
        let [first, second] = all;
        if end == 0 { first } else { second }
    }

    pub(super) fn held(&self) -> Held {
        Held { flows: u32::try_from(self.flows.len()).unwrap_or(u32::MAX), entries: 0 }
    }
}

/// Adds what only the end of a connection tells.
fn retire(flow: &Flow, now: Timestamp, totals: &mut [TcpTotals; 2]) {
    if let (Some(opening), Some(opener)) = (&flow.opening, totals.get_mut(flow.opener())) {
        match flow.state {
            State::Asked if opening.copies > 1 || now.since(opening.syn.1) > SYN_WAIT => {
                opener.unanswered_syn = opener.unanswered_syn.saturating_add(1);
                opener.unanswered_packets.push(opening.syn.0);
            }
            State::Answered if now.since(opening.answered) > SYN_WAIT => {
                opener.half_open = opener.half_open.saturating_add(1);
            }
            _ => {}
        }
    }
    for (half, totals) in flow.halves.iter().zip(totals) {
        totals.stuck = Stuck::merge(totals.stuck, half.stuck());
        for octets in half.open_holes() {
            let (least, most) = totals.holes.octets.unwrap_or((octets, octets));
            totals.holes.octets = Some((least.min(octets), most.max(octets)));
            totals.holes.open = totals.holes.open.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
