//! Frame time: a point on the capture's clock and the distance between two of them, in nanoseconds.

use std::fmt;

/// A frame's time, in nanoseconds since 1970-01-01 00:00:00 UTC.
///
/// The clock is the capture's: it may step, so the distance of two timestamps may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A distance between two [`Timestamp`]s, in nanoseconds; negative if the clock stepped back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub i64);

impl Timestamp {
    /// The time of this system's clock.
    pub fn now() -> Self {
        Self(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
    }

    /// The time from `earlier` to `self`.
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// This time moved by `distance`.
    pub fn after(self, distance: Duration) -> Self {
        Self(self.0.saturating_add(distance.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// So many whole milliseconds.
    pub const fn millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The same in seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for Duration {
    /// Three or so significant digits with a unit: `0.4 ms`, `31 ms`, `4.20 s`, `61.0 s`, `83 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.as_seconds();
        match seconds.abs() {
            s if s < 0.000_999_5 => write!(f, "{:.1} ms", seconds * 1e3),
            s if s < 0.009_95 => write!(f, "{:.1} ms", seconds * 1e3),
            s if s < 0.999_5 => write!(f, "{:.0} ms", seconds * 1e3),
            s if s < 99.95 => write!(f, "{seconds:.1} s"),
            _ => write!(f, "{seconds:.0} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_print_with_a_unit_that_fits() {
        for (nanos, text) in [
            (0, "0.0 ms"),
            (400_000, "0.4 ms"),
            (6_000_000, "6.0 ms"),
            (31_000_000, "31 ms"),
            (999_900_000, "1.0 s"),
            (62_118_000_000, "62.1 s"),
            (3_600_000_000_000, "3600 s"),
        ] {
            assert_eq!(Duration(nanos).to_string(), text);
        }
    }

    #[test]
    fn the_ends_of_the_clock_do_not_overflow() {
        assert_eq!(Timestamp(i64::MAX).since(Timestamp(i64::MIN)), Duration(i64::MAX));
        assert_eq!(Timestamp(i64::MAX).after(Duration::seconds(1)), Timestamp(i64::MAX));
    }
}
