//! What shows an observation: the first packets, and round trips.

use crate::util::Duration;

/// Packets that are kept to show one observation.
pub const MOST_EXAMPLES: usize = 8;
/// Round trips of which the median is taken: of more, every second, fourth … one.
const MOST_SAMPLES: usize = 32;

/// The numbers of the first packets that show something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examples(Vec<u64>);

impl Examples {
    pub(super) fn push(&mut self, packet: u64) {
        if self.0.len() < MOST_EXAMPLES {
            self.0.push(packet);
        }
    }

    /// The packets, in the order they were noted.
    pub fn packets(&self) -> &[u64] {
        &self.0
    }
}

/// The time from a question to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// The shortest.
    pub min: Duration,
    /// The median: of at most 32 round trips that are spread over all.
    pub median: Duration,
    /// The longest.
    pub max: Duration,
}

/// Round trips as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundTrips {
    /// In microseconds: 32 bits reach for more than an hour.
    samples: Vec<u32>,
    range: Option<(Duration, Duration)>,
    /// How many are passed over between two samples, and how many have been since the last.
    stride: u32,
    passed: u32,
}

impl RoundTrips {
    /// Takes one. A clock that stepped back makes none.
    pub(super) fn push(&mut self, time: Duration) {
        if time < Duration::ZERO {
            return;
        }
        let (min, max) = self.range.unwrap_or((time, time));
        self.range = Some((min.min(time), max.max(time)));
        if self.passed < self.stride {
            self.passed = self.passed.saturating_add(1);
            return;
        }
        self.passed = 0;
        if self.samples.len() >= MOST_SAMPLES {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride = self.stride.saturating_mul(2).saturating_add(1);
        }
        let micros = time.0.checked_div(1000).unwrap_or(0);
        self.samples.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    /// What they come to, if there was any.
    pub(super) fn summary(&self) -> Option<RoundTrip> {
        let (min, max) = self.range?;
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        let middle = *sorted.get(sorted.len().checked_div(2)?)?;
        let median = Duration(i64::from(middle).saturating_mul(1000));
        // Samples are whole microseconds, the ends are not.
        Some(RoundTrip { min, median: median.clamp(min, max), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_many_stays_in_the_middle() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.summary(), None);
        for ms in 1..=1000 {
            trips.push(Duration::millis(ms));
        }
        trips.push(Duration(-5));
        let found = trips.summary().expect("round trips");
        assert_eq!((found.min, found.max), (Duration::millis(1), Duration::millis(1000)));
        assert!((450..550).contains(&(found.median.0 / 1_000_000)), "{found:?}");
        assert!(trips.samples.len() <= MOST_SAMPLES);
    }

    #[test]
    fn one_is_its_own_median() {
        let mut trips = RoundTrips::default();
        trips.push(Duration(1_234_567));
        let found = trips.summary().expect("a round trip");
        assert_eq!((found.min, found.median, found.max), (found.min, found.min, found.min));
    }

    #[test]
    fn only_the_first_packets_are_kept() {
        let mut examples = Examples::default();
        (1..100).for_each(|packet| examples.push(packet));
        assert_eq!(examples.packets(), [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
