//! Times: what a path may do to packets, and the round trips that were measured.

use crate::util::Duration;

/// Packets that a path reordered are no farther apart than this, and what was on its way when an end closed something
/// arrives within it. No RFC says so: reordering comes from paths of different length, which differ by less.
pub const REORDERED: Duration = Duration::seconds(1);

/// Round trips of which the length is kept.
const MOST: usize = 32;

/// From the capture point to one end and back.
#[derive(Debug, Clone, Default)]
pub struct RoundTrips {
    /// In microseconds, sorted.
    sorted: Vec<u32>,
    /// How many were measured.
    pub count: u32,
}

impl RoundTrips {
    /// Takes a message that was sent once, and how long its acknowledgement took (Karn: one that was resent says nothing).
    pub(super) fn push(&mut self, took: Duration) {
        let micros = u32::try_from(took.0.checked_div(1000).unwrap_or(0).max(0)).unwrap_or(u32::MAX);
        self.count = self.count.saturating_add(1);
        if self.sorted.len() >= MOST {
            // Of later ones every other place is given up in turn, so that the ends and the middle stay what they are.
            let inner = MOST.saturating_sub(2);
            let place = (self.count as usize).checked_rem(inner).unwrap_or(0).saturating_add(1);
            self.sorted.remove(place.min(self.sorted.len().saturating_sub(1)));
        }
        let place = self.sorted.partition_point(|known| *known < micros);
        if self.sorted.is_empty() {
            self.sorted.reserve_exact(1);
        }
        self.sorted.insert(place, micros);
    }

    fn duration(micros: Option<&u32>) -> Option<Duration> {
        micros.map(|micros| Duration(i64::from(*micros).saturating_mul(1000)))
    }

    /// The shortest.
    pub fn least(&self) -> Option<Duration> {
        Self::duration(self.sorted.first())
    }

    /// The one in the middle.
    pub fn median(&self) -> Option<Duration> {
        Self::duration(self.sorted.get(self.sorted.len() / 2))
    }

    /// The longest.
    pub fn most(&self) -> Option<Duration> {
        Self::duration(self.sorted.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_median_and_most_stay_when_there_are_many() {
        let mut trips = RoundTrips::default();
        for millis in (0..200).map(|n| 20 + n % 10).chain([1, 900]) {
            trips.push(Duration::millis(millis));
        }
        assert_eq!((trips.least(), trips.most()), (Some(Duration::millis(1)), Some(Duration::millis(900))));
        let median = trips.median().expect("measured");
        assert!(median >= Duration::millis(22) && median <= Duration::millis(27), "{median}");
        assert_eq!(trips.count, 202);
    }
}
