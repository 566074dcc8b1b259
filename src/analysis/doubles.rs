//! Frames that the capture shows twice: the same bytes from the IP header on, within 2 ms (a mirror port, or the
//! `any` interface of a router).

use crate::util::{Duration, Timestamp};

/// Two copies are this far from each other at the most.
const WINDOW: Duration = Duration::millis(2);
/// Powers of two. In parts, because one large piece of memory would hold others that are freed around it.
const PARTS: usize = 8;
const SLOTS: usize = 1024;

type Slot = (u64, Timestamp);

/// Remembers the packets of the last moments. A newer packet may push an older one out, so that a double is missed
/// at rates of millions of packets a second; it never takes different packets for doubles.
#[derive(Debug)]
pub(crate) struct Doubles {
    parts: [Vec<Slot>; PARTS],
}

impl Doubles {
    pub(crate) fn new() -> Self {
        Self { parts: std::array::from_fn(|_| vec![(0, Timestamp(i64::MIN)); SLOTS]) }
    }

    /// Reads the place of a digest, so that it is near by the time it is needed.
    pub(crate) fn touch(&self, digest: u64) -> u64 {
        let (part, slot) = place(digest);
        self.parts.get(part).and_then(|slots| slots.get(slot)).map_or(0, |slot| slot.0)
    }

    /// Whether a packet with this digest was there a moment ago.
    pub(crate) fn seen(&mut self, digest: u64, time: Timestamp) -> bool {
        let (part, slot) = place(digest);
        let Some(slot) = self.parts.get_mut(part).and_then(|slots| slots.get_mut(slot)) else { return false };
        let double = slot.0 == digest && time.since(slot.1).0.saturating_abs() <= WINDOW.0;
        *slot = (digest, time);
        double
    }
}

fn place(digest: u64) -> (usize, usize) {
    let low = usize::from(u16::try_from(digest & u64::from(u16::MAX)).unwrap_or(0));
    (low / SLOTS % PARTS, low % SLOTS)
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
