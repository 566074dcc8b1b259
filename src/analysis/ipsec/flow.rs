//! One SA as a flow of ESP packets: how many, which sequence numbers, and what came of opening them.

use crate::dissect::layers::{Addresses, Encapsulation, Esp, EspOutcome, Mode};
use crate::ipsec::{SaId, Spi};
use crate::util::{Duration, Timestamp};

use super::lengths::Lengths;
use crate::analysis::ids::{FlowId, bump};
use crate::analysis::log::Log;

/// The packets of one SPI between two addresses.
///
/// In this order, so that what each packet needs and changes lies together at the front.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Flow {
    /// Security Parameters Index.
    pub spi: Spi,
    /// The addresses of the IP header before ESP.
    pub addresses: Addresses,
    /// In IP or in UDP.
    pub encapsulation: Encapsulation,
    /// Transport or tunnel, as the opened packets show.
    pub mode: Option<Mode>,
    /// The SA whose key was used.
    pub sa: Option<SaId>,
    /// The highest sequence number seen.
    pub last_sequence: u32,
    /// From which UDP port to which its last packet went; zeros in IP.
    pub ports: (u16, u16),
    /// When the last packet came, and its number.
    pub last: (Timestamp, u64),
    /// Opened.
    pub decrypted: u64,
    /// Different sequence numbers seen.
    distinct: u64,
    /// Which of the last numbers were seen: bit 0 is `last_sequence`.
    seen: [u64; WORDS],
    /// The name of the integrity algorithm that verified the first packet of `sa`.
    pub integrity: Option<&'static str>,
    /// Not openable: no key, a suite that is not known, or the capture lacks the end with the ICV.
    pub no_key: u64,
    /// Of these, cut by the capture.
    pub cut: u64,
    /// The ICV does not hold.
    pub bad_icv: u64,
    /// No ICV and padding or next header wrong; or too short for its algorithms.
    pub bad_padding: u64,
    /// A key is there, but for a suite that cannot be opened.
    pub unsupported: bool,
    /// Sequence numbers that came again.
    pub replayed: u64,
    /// Packets with a number below the highest, for the first time.
    pub reordered: u64,
    /// The first sequence number seen.
    pub first_sequence: u32,
    /// When the first packet came, and its number.
    pub first: (Timestamp, u64),
    /// Packets so far behind the highest number that nothing is remembered of them.
    pub too_old: u64,
    /// Of [`reordered`](Self::reordered), those at least so far behind as each of [`WINDOWS`].
    pub late: [u64; WINDOWS.len()],
    /// The packet that was farthest behind: how far, and its number.
    pub latest: Option<(u32, u64)>,
    /// The packet with which numbers began again at 0 without extended numbers.
    pub wrapped: Option<u64>,
    /// The packet with which the counter began at 1 again: its sender restarted with the same keys.
    pub restarted: Option<u64>,
    /// What was known of the numbers before that, until the next packet shows whether it was so.
    before: Option<Box<Numbers>>,
    /// Its packets verified with a high half of the sequence number (RFC 4303 section 2.2.1).
    pub extended: Option<u32>,
    /// Opened packets whose padding is not 1, 2, 3 …
    pub odd_padding: u64,
    /// Opened packets with a Next Header that does not belong to L2TP.
    pub odd_next_header: u64,
    /// The Next Header of the last of them.
    pub next_header: u8,
    /// Opened packets with TFC padding.
    pub tfc: u64,
    /// Packets without a key that can be read as they stand.
    pub legible: u64,
    /// The lengths of packets without a key.
    pub lengths: Lengths,
    /// The longest time without a packet, and when it began.
    pub longest_pause: (Duration, Timestamp),
    /// The ports of its first packet, if they changed later.
    pub first_ports: Option<(u16, u16)>,
    /// What of it is worth a rule.
    pub log: Log,
    /// The flow that this one replaced, by a rekey.
    pub replaces: Option<FlowId>,
    /// The flow that replaced this one.
    pub replaced_by: Option<FlowId>,
}

/// Sizes of anti-replay windows: the default of strongSwan, that of RFC 4303 section 3.4.3, and twice that.
pub const WINDOWS: [u32; 3] = [32, 64, 128];

const WORDS: usize = 4;
const WINDOW: u32 = 256;
/// Shorter pauses are not worth remembering.
const PAUSE: Duration = Duration::seconds(15);

/// Whether the padding of an opened packet is not 1, 2, 3 …, and whether its Next Header does not belong to L2TP.
#[inline]
pub(crate) fn oddities(outcome: &EspOutcome) -> (bool, bool) {
    match outcome {
        EspOutcome::Opened { padding_ok, next_header, .. } => (!padding_ok, !EXPECTED.contains(next_header)),
        _ => (false, false),
    }
}

/// A counter that begins anew was farther than this.
const FIRST_FEW: u32 = 8;
/// The path delivers a packet twice within this time, if it does.
const COPY: Duration = Duration::seconds(1);

/// The sequence numbers that were seen.
#[derive(Debug, Clone)]
struct Numbers {
    first: u32,
    last: u32,
    distinct: u64,
    seen: [u64; WORDS],
}

/// What the sequence number of a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The next one.
    InOrder,
    /// So many were skipped.
    After(u32),
    /// A number below the highest that was not seen before.
    Late,
    /// It was seen before.
    Again,
    /// So old that nobody knows, and a receiver drops it unseen.
    TooOld,
}

/// Next headers that an SA of L2TP may have: IPv4, UDP, IPv6, none (a dummy packet), L2TP, IPComp.
const EXPECTED: [u8; 6] = [4, 17, 41, 59, 108, 115];

impl Flow {
    pub(crate) fn new(esp: &Esp, time: Timestamp, packet: u64) -> Self {
        Self {
            spi: esp.spi,
            addresses: esp.addresses,
            encapsulation: esp.encapsulation,
            mode: None,
            sa: None,
            integrity: None,
            decrypted: 0,
            no_key: 0,
            cut: 0,
            bad_icv: 0,
            bad_padding: 0,
            unsupported: false,
            replayed: 0,
            reordered: 0,
            first_sequence: esp.sequence,
            last_sequence: esp.sequence,
            distinct: 0,
            seen: [0; WORDS],
            first: (time, packet),
            last: (time, packet),
            ports: esp.ports.unwrap_or_default(),
            too_old: 0,
            late: [0; WINDOWS.len()],
            latest: None,
            wrapped: None,
            restarted: None,
            before: None,
            extended: None,
            odd_padding: 0,
            odd_next_header: 0,
            next_header: 0,
            tfc: 0,
            legible: 0,
            lengths: Lengths::default(),
            longest_pause: (Duration::ZERO, time),
            first_ports: None,
            log: Log::default(),
            replaces: None,
            replaced_by: None,
        }
    }

    /// Reads a little of all that [`Flow::push`] changes, so that it is near by then.
    pub(crate) fn touch(&self) -> u64 {
        self.seen.first().copied().unwrap_or(0) ^ u64::from(self.spi.0)
    }

    /// Whole ESP packets.
    pub fn packets(&self) -> u64 {
        [self.decrypted, self.no_key, self.bad_icv, self.bad_padding].into_iter().fold(0, u64::saturating_add)
    }

    /// Whether its only packet so far was opened.
    #[inline]
    pub(crate) fn is_first(&self) -> bool {
        self.decrypted == 1 && self.packets() == 1
    }

    /// Whether its last packet is the first that could not be opened, by `outcome`.
    #[inline]
    pub(crate) fn is_first_sealed(&self, outcome: &EspOutcome) -> bool {
        !matches!(outcome, EspOutcome::Opened { .. }) && self.packets() == self.decrypted.saturating_add(1)
    }

    /// Sequence numbers between the first and the highest that were never seen.
    pub fn lost(&self) -> u64 {
        let span = u64::from(self.last_sequence.wrapping_sub(self.first_sequence)).saturating_add(1);
        if self.distinct == 0 { 0 } else { span.saturating_sub(self.distinct) }
    }

    /// Counts a packet; the sequence numbers of packets whose ICV does not hold mean nothing.
    pub(crate) fn push(&mut self, esp: &Esp, time: Timestamp, packet: u64) -> Option<Arrival> {
        if time.since(self.last.0) > PAUSE {
            self.pause(time);
        }
        self.last = (time, packet);
        match esp.outcome {
            EspOutcome::Opened { sa, mode, integrity, high, next_header, padding_ok, tfc } => {
                if self.sa != Some(sa) || self.decrypted == 0 {
                    self.sa = Some(sa);
                    self.mode = Some(mode);
                    self.integrity = Some(integrity);
                    self.extended = high;
                }
                if !padding_ok || tfc || !EXPECTED.contains(&next_header) {
                    self.odd(next_header, padding_ok, tfc);
                }
                bump(&mut self.decrypted);
            }
            EspOutcome::NoKey => {
                bump(&mut self.no_key);
                self.lengths.push(esp.octets);
                if esp.legible {
                    bump(&mut self.legible);
                }
            }
            EspOutcome::Unsupported { sa } => {
                self.sa.get_or_insert(sa);
                self.unsupported = true;
                bump(&mut self.no_key);
            }
            EspOutcome::BadIcv { sa } => {
                self.sa.get_or_insert(sa);
                bump(&mut self.bad_icv);
                return None;
            }
            EspOutcome::BadPadding { sa } => {
                self.sa.get_or_insert(sa);
                bump(&mut self.bad_padding);
                return None;
            }
            EspOutcome::TooShort => {
                bump(&mut self.bad_padding);
                return None;
            }
            EspOutcome::Cut => {
                bump(&mut self.no_key);
                bump(&mut self.cut);
                return None;
            }
        }
        if esp.sequence == 1 && self.begins_anew(esp, time) {
            self.begin_anew(packet);
            return Some(Arrival::InOrder);
        }
        if self.before.is_some() {
            self.goes_on_as_before(esp.sequence);
        }
        let before = self.last_sequence;
        let arrival = self.arrive(esp.sequence);
        match arrival {
            Arrival::Again => bump(&mut self.replayed),
            Arrival::Late | Arrival::TooOld => self.behind(arrival, esp.sequence, packet),
            Arrival::InOrder | Arrival::After(_) => {
                if esp.sequence < before {
                    self.wrap(packet);
                }
            }
        }
        Some(arrival)
    }

    /// A packet that came late, and how far behind.
    #[cold]
    fn behind(&mut self, arrival: Arrival, sequence: u32, packet: u64) {
        bump(if arrival == Arrival::Late { &mut self.reordered } else { &mut self.too_old });
        let behind = self.last_sequence.wrapping_sub(sequence);
        for (count, window) in self.late.iter_mut().zip(WINDOWS) {
            if behind >= window {
                bump(count);
            }
        }
        if self.latest.is_none_or(|(most, _)| most < behind) {
            self.latest = Some((behind, packet));
        }
    }

    #[cold]
    fn wrap(&mut self, packet: u64) {
        if self.extended.is_none() && self.first.1 != packet {
            self.wrapped.get_or_insert(packet);
        }
    }

    #[cold]
    fn odd(&mut self, next_header: u8, padding_ok: bool, tfc: bool) {
        if !padding_ok {
            bump(&mut self.odd_padding);
        }
        if tfc {
            bump(&mut self.tfc);
        }
        if !EXPECTED.contains(&next_header) {
            bump(&mut self.odd_next_header);
            self.next_header = next_header;
        }
    }

    #[cold]
    fn pause(&mut self, time: Timestamp) {
        let pause = time.since(self.last.0);
        if pause > self.longest_pause.0 {
            self.longest_pause = (pause, self.last.0);
        }
    }

    /// Takes the ports of a packet; says whether they changed.
    #[inline]
    pub(crate) fn moves(&mut self, ports: (u16, u16)) -> bool {
        if self.ports == ports {
            return false;
        }
        self.first_ports.get_or_insert(self.ports);
        self.ports = ports;
        true
    }

    /// Packets that were tried and did not open.
    pub fn bad(&self) -> u64 {
        self.bad_icv.saturating_add(self.bad_padding)
    }

    /// Whether the counter of an opened packet begins at 1 again, and not because the path delivers its first packet twice.
    fn begins_anew(&self, esp: &Esp, time: Timestamp) -> bool {
        matches!(esp.outcome, EspOutcome::Opened { .. })
            && self.last_sequence > FIRST_FEW
            && time.since(self.first.0) > COPY
    }

    #[cold]
    fn begin_anew(&mut self, packet: u64) {
        let numbers = Numbers {
            first: self.first_sequence,
            last: self.last_sequence,
            distinct: self.distinct,
            seen: self.seen,
        };
        self.before = Some(Box::new(numbers));
        self.restarted = Some(packet);
        (self.first_sequence, self.last_sequence, self.distinct, self.seen) = (1, 1, 1, [1, 0, 0, 0]);
    }

    /// The next packet after a number 1: if it follows the numbers before that, the 1 was sent again by somebody.
    #[cold]
    fn goes_on_as_before(&mut self, sequence: u32) {
        let Some(before) = self.before.take() else { return };
        if (1..=u32::from(u8::MAX)).contains(&sequence.wrapping_sub(before.last)) {
            self.restarted = None;
            bump(&mut self.replayed);
            (self.first_sequence, self.last_sequence) = (before.first, before.last);
            (self.distinct, self.seen) = (before.distinct, before.seen);
        }
    }

    fn arrive(&mut self, sequence: u32) -> Arrival {
        if self.distinct == 0 {
            self.first_sequence = sequence;
            self.last_sequence = sequence;
            self.seen = [1, 0, 0, 0];
            self.distinct = 1;
            return Arrival::InOrder;
        }
        let ahead = sequence.wrapping_sub(self.last_sequence);
        // RFC 4303 section 3.4.3: half of the number space is ahead, half behind, so that a wrap under ESN goes on.
        if ahead != 0 && ahead < u32::MAX / 2 {
            self.shift(ahead);
            self.last_sequence = sequence;
            bump(&mut self.distinct);
            return if ahead == 1 { Arrival::InOrder } else { Arrival::After(ahead.saturating_sub(1)) };
        }
        let behind = self.last_sequence.wrapping_sub(sequence);
        let (word, bit) = (behind / 64, behind % 64);
        if behind >= WINDOW {
            return Arrival::TooOld;
        }
        let Some(word) = self.seen.get_mut(word as usize) else { return Arrival::Again };
        let mask = 1u64 << bit;
        if *word & mask != 0 {
            return Arrival::Again;
        }
        *word |= mask;
        bump(&mut self.distinct);
        // Earlier than the first one seen: the capture began in between, and the span grows.
        if self.first_sequence.wrapping_sub(sequence) < WINDOW {
            self.first_sequence = sequence;
        }
        Arrival::Late
    }

    fn shift(&mut self, ahead: u32) {
        if ahead >= WINDOW {
            self.seen = [1, 0, 0, 0];
            return;
        }
        let (words, bits) = ((ahead / 64) as usize, ahead % 64);
        let old = self.seen;
        let at = |index: Option<usize>| index.and_then(|i| old.get(i)).copied().unwrap_or(0);
        for (index, word) in self.seen.iter_mut().enumerate() {
            let low = at(index.checked_sub(words));
            let below = at(index.checked_sub(words.saturating_add(1)));
            *word = if bits == 0 { low } else { low << bits | below >> 64u32.saturating_sub(bits) };
        }
        if let Some(first) = self.seen.first_mut() {
            *first |= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::net::Ipv4Addr;

    fn flow() -> Flow {
        let address = Ipv4Addr::LOCALHOST.into();
        let esp = Esp {
            spi: Spi(1),
            sequence: 0,
            addresses: Addresses { source: address, destination: address },
            encapsulation: Encapsulation::Ip,
            ports: None,
            octets: 100,
            outcome: EspOutcome::NoKey,
            legible: false,
        };
        Flow::new(&esp, Timestamp(0), 1)
    }

    #[test]
    fn gaps_repeats_and_late_packets_are_told_apart() {
        let mut flow = flow();
        let arrivals: Vec<_> = [1, 2, 5, 3, 5, 4, 6, 300, 5].into_iter().map(|n| flow.arrive(n)).collect();
        use Arrival::*;
        assert_eq!(arrivals, [InOrder, InOrder, After(2), Late, Again, Late, InOrder, After(293), TooOld]);
        assert_eq!(flow.lost(), 293);
    }

    #[test]
    fn what_every_packet_needs_lies_in_two_cache_lines() {
        assert!(std::mem::offset_of!(Flow, seen) + size_of::<[u64; WORDS]>() <= 128);
        for rare in [
            std::mem::offset_of!(Flow, late),
            std::mem::offset_of!(Flow, odd_padding),
            std::mem::offset_of!(Flow, longest_pause),
            std::mem::offset_of!(Flow, replaces),
        ] {
            assert!(rare >= 128, "{rare}");
        }
    }

    #[test]
    fn a_wrap_goes_on() {
        let mut flow = flow();
        for n in [u32::MAX - 1, u32::MAX, 0, 1] {
            assert_eq!(flow.arrive(n), Arrival::InOrder, "{n}");
        }
        assert_eq!(flow.lost(), 0);
    }

    proptest! {
        /// Against a set of all numbers seen, as long as nothing is older than the window.
        #[test]
        fn agrees_with_a_set(steps in proptest::collection::vec(-60i64..70, 1..300)) {
            let mut flow = flow();
            let mut seen = HashSet::new();
            let mut highest = 1000i64;
            for step in steps {
                let n = highest + step;
                let again = !seen.insert(n);
                let arrival = flow.arrive(n as u32);
                prop_assert_eq!(arrival == Arrival::Again, again, "{}", n);
                if seen.len() == 1 { highest = n } else { highest = highest.max(n) }
                let first = seen.iter().min().copied().unwrap_or(0);
                prop_assert_eq!(flow.lost() as i64, highest - first + 1 - seen.len() as i64);
            }
        }
    }
}
