//! Reassembly of IP fragments (RFC 791 section 3.2, RFC 8200 section 4.5), bounded in number, octets and time.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::util::{Duration, Timestamp};

use super::layers::Addresses;

/// What fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub addresses: Addresses,
    pub identification: u32,
    pub protocol: u8,
}

/// Where a fragment belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Of its first octet in the datagram's payload.
    pub offset: u32,
    /// Others follow it.
    pub more: bool,
    /// The capture lacks its end.
    pub cut: bool,
    /// Its octets in the IP packet: from.
    pub start: usize,
    /// Its octets in the IP packet: to.
    pub end: usize,
}

/// Datagrams that wait for fragments.
const MOST_DATAGRAMS: usize = 1024;
/// Octets they may hold together.
const MOST_OCTETS: usize = 16 << 20;
/// Fragments of one datagram: 64 KiB in the smallest useful pieces.
const MOST_PIECES: usize = 256;
/// The largest IP payload.
const LARGEST: u32 = 65_535;
/// RFC 8200 section 4.5 gives up after 60 s; RFC 1122 section 3.3.2 allows the same to IPv4.
const TIMEOUT: Duration = Duration::seconds(60);

#[derive(Debug)]
struct Datagram {
    first: Timestamp,
    pieces: Vec<(u32, Vec<u8>)>,
    total: Option<u32>,
    octets: usize,
}

/// Fragments that wait for each other.
#[derive(Debug, Default)]
pub struct Defrag {
    waiting: HashMap<Key, Datagram>,
    /// In order of arrival, so that the oldest is given up first.
    order: VecDeque<(Key, Timestamp)>,
    octets: usize,
    given_up: u64,
    over_limit: u64,
}

/// A datagram that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    pub fragments: u16,
}

impl Defrag {
    /// How many datagrams never became complete, up to now.
    pub fn incomplete(&self) -> u64 {
        self.given_up.saturating_add(self.waiting.len() as u64)
    }

    /// How many of them were given up because too many waited at once.
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// Takes a fragment; if it completes its datagram, writes the payload into `out`.
    pub(crate) fn push(
        &mut self,
        key: Key,
        piece: Piece,
        octets: &[u8],
        time: Timestamp,
        out: &mut Vec<u8>,
    ) -> Option<Whole> {
        self.expire(time);
        let end = piece.offset.checked_add(u32::try_from(octets.len()).ok()?)?;
        if piece.cut || end > LARGEST || octets.is_empty() {
            return None;
        }
        if !self.waiting.contains_key(&key) {
            self.order.push_back((key, time));
        }
        let datagram = self.waiting.entry(key).or_insert_with(|| Datagram {
            first: time,
            pieces: Vec::new(),
            total: None,
            octets: 0,
        });
        // A copy of a fragment, or one that overlaps: the first one stays (RFC 5722 forbids overlaps anyway).
        let overlaps = datagram.pieces.iter().any(|(offset, held)| {
            let held_end = offset.saturating_add(u32::try_from(held.len()).unwrap_or(u32::MAX));
            piece.offset < held_end && *offset < end
        });
        if overlaps || datagram.pieces.len() >= MOST_PIECES {
            return None;
        }
        datagram.pieces.push((piece.offset, octets.to_vec()));
        datagram.octets = datagram.octets.saturating_add(octets.len());
        self.octets = self.octets.saturating_add(octets.len());
        if !piece.more {
            datagram.total = Some(end);
        }
        let whole = datagram.total.is_some_and(|total| total as usize == datagram.octets);
        if !whole {
            self.shrink();
            return None;
        }
        let mut datagram = self.forget(&key)?;
        datagram.pieces.sort_unstable_by_key(|(offset, _)| *offset);
        out.clear();
        for (_, bytes) in &datagram.pieces {
            out.extend_from_slice(bytes);
        }
        Some(Whole { fragments: u16::try_from(datagram.pieces.len()).unwrap_or(u16::MAX) })
    }

    fn forget(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.waiting.remove(key)?;
        self.octets = self.octets.saturating_sub(datagram.octets);
        Some(datagram)
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(&(key, since)) = self.order.front() {
            if now.since(since) <= TIMEOUT {
                break;
            }
            self.order.pop_front();
            self.give_up(&key, since);
        }
    }

    fn shrink(&mut self) {
        while self.waiting.len() > MOST_DATAGRAMS || self.octets > MOST_OCTETS {
            let Some((key, since)) = self.order.pop_front() else { break };
            if self.give_up(&key, since) {
                self.over_limit = self.over_limit.saturating_add(1);
            }
        }
        // Entries of completed datagrams stay in the queue until their turn: bound them too.
        while self.order.len() > MOST_DATAGRAMS.saturating_mul(4) {
            let Some((key, since)) = self.order.pop_front() else { break };
            self.give_up(&key, since);
        }
    }

    fn give_up(&mut self, key: &Key, since: Timestamp) -> bool {
        let stale = self.waiting.get(key).is_some_and(|datagram| datagram.first == since);
        if stale && self.forget(key).is_some() {
            self.given_up = self.given_up.saturating_add(1);
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn key(identification: u32) -> Key {
        let address = Ipv4Addr::LOCALHOST.into();
        Key { addresses: Addresses { source: address, destination: address }, identification, protocol: 17 }
    }

    proptest! {
        #[test]
        fn any_order_and_copies_give_the_datagram(
            bytes in proptest::collection::vec(any::<u8>(), 1..4000),
            order in Just((0..500usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let pieces: Vec<_> = bytes.chunks(8).enumerate().collect();
            let last = pieces.len() - 1;
            let mut defrag = Defrag::default();
            let mut out = Vec::new();
            let mut done = None;
            if last >= MOST_PIECES { return Ok(()); }
            for i in order.into_iter().filter(|i| *i <= last) {
                let piece = Piece { offset: i as u32 * 8, more: i != last, cut: false, start: 0, end: 0 };
                let again = defrag.push(key(1), piece, pieces[i].1, Timestamp(0), &mut out);
                done = done.or(again);
                if done.is_none() {
                    prop_assert_eq!(defrag.push(key(1), piece, pieces[i].1, Timestamp(0), &mut out), None);
                }
            }
            prop_assert_eq!(done.map(|whole| whole.fragments as usize), Some(last + 1));
            prop_assert_eq!(out, bytes);
            prop_assert_eq!((defrag.incomplete(), defrag.octets), (0, 0));
        }
    }

    #[test]
    fn a_flood_stays_bounded_and_old_fragments_go() {
        let mut defrag = Defrag::default();
        let mut out = Vec::new();
        let piece = Piece { offset: 0, more: true, cut: false, start: 0, end: 0 };
        for id in 0..100_000 {
            defrag.push(key(id), piece, &[0; 1400], Timestamp(i64::from(id)), &mut out);
        }
        assert!(defrag.waiting.len() <= MOST_DATAGRAMS && defrag.order.len() <= 4 * MOST_DATAGRAMS);
        assert!(defrag.over_limit() > 0);
        assert_eq!(defrag.incomplete(), 100_000);
        defrag.push(key(1), piece, &[0; 8], Timestamp(200_000_000_000), &mut out);
        assert_eq!(defrag.waiting.len(), 1);
    }
}
