//! Datagrams that came in IP fragments, and full-size segments of TCP among them that were sent again and again.

use std::collections::VecDeque;

use crate::dissect::layers::{Addresses, Fragment, L2tp, Layers};
use crate::util::Timestamp;

use crate::analysis::ids::bump;
use crate::analysis::log::Tally;
use crate::analysis::meta::Meta;

/// Pairs of addresses between which fragments are counted.
const MOST_PAIRS: usize = 256;
/// Segments of one pair that are remembered.
const MOST_SEGMENTS: usize = 32;
/// The protocol number of TCP.
const TCP: u8 = 6;

/// What a segment of TCP is known by: addresses, ports and sequence number.
type Segment = (Addresses, (u16, u16), u32);

/// The datagrams in fragments from one address to another.
#[derive(Debug)]
pub struct Fragmented {
    /// From where to where.
    pub addresses: Addresses,
    /// Datagrams that were put together.
    pub datagrams: u64,
    /// Octets of the largest, after its IP header.
    pub largest: u32,
    /// The first packets that completed one.
    pub packets: Vec<u64>,
    /// When the first came, and the last.
    pub span: (Timestamp, Timestamp),
    /// Octets of L2TP and PPP headers in the last that carried a user's packet.
    pub headers: Option<(u32, u32)>,
    /// The largest of the users' packets in them.
    pub largest_inside: u32,
    /// Segments of TCP that were in one before.
    pub repeated: u64,
    /// The first packets that repeated one.
    pub repeats: Vec<u64>,
    segments: VecDeque<Segment>,
}

/// Counts a datagram that came in fragments.
#[cold]
pub(in crate::analysis) fn count(all: &mut Vec<Fragmented>, layers: &Layers, meta: &Meta) {
    let (Some(addresses), Some(Fragment::Completed { octets, .. })) = (layers.outer, layers.fragment) else {
        return;
    };
    // Others' fragments say nothing of L2TP.
    if layers.esp.is_none() && layers.l2tp.is_none() && layers.ike.is_none() {
        return;
    }
    let at = match all.iter().position(|known| known.addresses == addresses) {
        Some(at) => at,
        None if all.len() >= MOST_PAIRS => return,
        None => {
            all.push(Fragmented::new(addresses, meta.time));
            all.len().saturating_sub(1)
        }
    };
    if let Some(found) = all.get_mut(at) {
        found.push(layers, octets, meta);
    }
}

impl Fragmented {
    fn new(addresses: Addresses, time: Timestamp) -> Self {
        Self {
            addresses,
            datagrams: 0,
            largest: 0,
            packets: Vec::new(),
            span: (time, time),
            headers: None,
            largest_inside: 0,
            repeated: 0,
            repeats: Vec::new(),
            segments: VecDeque::new(),
        }
    }

    fn push(&mut self, layers: &Layers, octets: u32, meta: &Meta) {
        bump(&mut self.datagrams);
        self.largest = self.largest.max(octets);
        self.span.1 = meta.time;
        keep(&mut self.packets, meta.packet);
        let (Some(l2tp), Some(ppp)) = (&layers.l2tp, &layers.ppp) else { return };
        let control = if ppp.address_control { 2 } else { 0 };
        self.headers = Some((header(l2tp), u32::from(ppp.protocol_len).saturating_add(control)));
        self.largest_inside = self.largest_inside.max(ppp.payload);
        let segment = ppp
            .inner
            .as_ref()
            .filter(|inner| inner.protocol == TCP)
            .and_then(|inner| Some((inner.addresses?, inner.ports?, inner.sequence?)));
        let Some(segment) = segment else { return };
        if self.segments.contains(&segment) {
            bump(&mut self.repeated);
            keep(&mut self.repeats, meta.packet);
            return;
        }
        if self.segments.len() >= MOST_SEGMENTS {
            self.segments.pop_front();
        }
        self.segments.push_back(segment);
    }
}

fn keep(packets: &mut Vec<u64>, packet: u64) {
    if packets.len() < Tally::MOST_PACKETS {
        packets.push(packet);
    }
}

/// Octets of an L2TP header (RFC 2661 section 3.1).
fn header(l2tp: &L2tp) -> u32 {
    let fields = [(L2tp::L, 2), (L2tp::S, 4), (L2tp::O, 2)];
    let offset = u32::from(l2tp.offset.unwrap_or(0));
    fields
        .into_iter()
        .filter(|(bit, _)| l2tp.has(*bit))
        .fold(6 + offset, |sum, (_, octets)| sum.saturating_add(octets))
}
