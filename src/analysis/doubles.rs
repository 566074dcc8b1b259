//! Frames that the capture shows twice: the same bytes from the IP header on, within 2 ms (a mirror port, or the
//! `any` interface of a router).

use crate::util::{Duration, Timestamp};

/// Two copies are this far from each other at the most.
const WINDOW: Duration = Duration::millis(2);
/// A power of two.
const SLOTS: usize = 8192;
const MASK: u64 = 0x1fff;

/// Remembers the packets of the last moments. A newer packet may push an older one out, so that a double is missed
/// at rates of millions of packets a second; it never takes different packets for doubles.
#[derive(Debug)]
pub(crate) struct Doubles {
    slots: Vec<(u64, Timestamp)>,
}

impl Doubles {
    pub(crate) fn new() -> Self {
        Self { slots: vec![(0, Timestamp(i64::MIN)); SLOTS] }
    }

    /// Reads the place of a digest, so that it is near by the time it is needed.
    pub(crate) fn touch(&self, digest: u64) -> u64 {
        usize::try_from(digest & MASK).ok().and_then(|index| self.slots.get(index)).map_or(0, |slot| slot.0)
    }

    /// Whether a packet with this digest was there a moment ago.
    pub(crate) fn seen(&mut self, digest: u64, time: Timestamp) -> bool {
        let index = usize::try_from(digest & MASK).unwrap_or(0);
        let Some(slot) = self.slots.get_mut(index) else { return false };
        let double = slot.0 == digest && time.since(slot.1).0.saturating_abs() <= WINDOW.0;
        *slot = (digest, time);
        double
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_within_two_milliseconds_is_a_double() {
        let mut doubles = Doubles::new();
        assert!(!doubles.seen(7, Timestamp(0)));
        assert!(doubles.seen(7, Timestamp(2_000_000)));
        assert!(!doubles.seen(7, Timestamp(4_000_001)));
        assert!(!doubles.seen(8, Timestamp(4_000_001)));
        assert!(doubles.seen(7, Timestamp(4_000_000)));
    }
}
