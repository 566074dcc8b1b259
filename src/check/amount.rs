//! Amounts in expectations: counts, shares and times, exact or between two ends.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::util::Duration;

/// What may be limited.
pub trait Amount: Copy + PartialOrd + fmt::Display {}

impl Amount for u64 {}
impl Amount for Duration {}

/// Exactly so much, or from `min` to `max`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit<T> {
    /// Not less.
    pub min: Option<T>,
    /// Not more.
    pub max: Option<T>,
}

/// A count, or its ends.
pub type Count = Limit<u64>;

impl<T: Amount> Limit<T> {
    /// Exactly this.
    pub fn exactly(value: T) -> Self {
        Self { min: Some(value), max: Some(value) }
    }

    /// At most this.
    pub fn at_most(value: T) -> Self {
        Self { min: None, max: Some(value) }
    }

    /// Whether a value lies between the ends.
    pub fn holds(&self, value: T) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

impl<T: Amount> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(f, "{min}"),
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("anything"),
        }
    }
}

/// A limit as TOML has it: one value, or a table of its ends.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written<T> {
    One(T),
    Ends(Ends<T>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends<T> {
    min: Option<T>,
    max: Option<T>,
}

/// A time as TOML has it: a number and its unit, such as `250 ms`.
#[derive(Clone, Copy)]
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text)
            .map(Time)
            .ok_or_else(|| de::Error::custom("expected a time such as \"250 ms\", \"60 s\" or \"5 min\""))
    }
}

/// Reads `250 ms`, `1.5 s`, `5 min`, `1 h`; `None` if it is no time.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let number: f64 = number.trim().parse().ok()?;
    let nanos = match unit {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3600e9,
        _ => return None,
    };
    let total = number * nanos;
    // Nine thousand years would not fit.
    (total.is_finite() && (0.0..9e18).contains(&total)).then_some(Duration(total as i64))
}

/// Reads a count or its ends.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Count>, D::Error> {
    Ok(Option::<Written<u64>>::deserialize(deserializer)?.map(|written| match written {
        Written::One(value) => Limit::exactly(value),
        Written::Ends(Ends { min, max }) => Limit { min, max },
    }))
}

/// Reads a time or its ends.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Limit<Duration>>, D::Error> {
    Ok(Option::<Written<Time>>::deserialize(deserializer)?.map(|written| match written {
        Written::One(value) => Limit::at_most(value.0),
        Written::Ends(Ends { min, max }) => {
            Limit { min: min.map(|time| time.0), max: max.map(|time| time.0) }
        }
    }))
}

/// A time, or none.
pub(super) fn plain_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<Time>::deserialize(deserializer)?.map(|time| time.0))
}

/// How many of something: all, a count, or at least a share of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// All.
    All,
    /// So many.
    Count(u64),
    /// At least so many in a hundred.
    Percent(f64),
}

impl Share {
    /// Whether `part` of `whole` is enough.
    pub fn holds(self, part: u64, whole: u64) -> bool {
        match self {
            Self::All => part == whole,
            Self::Count(count) => part == count,
            Self::Percent(percent) => part as f64 * 100.0 >= percent * whole as f64,
        }
    }

    /// Whether `part` of `whole` is not too much.
    pub fn allows(self, part: u64, whole: u64) -> bool {
        match self {
            Self::All => true,
            Self::Count(count) => part <= count,
            Self::Percent(percent) => part as f64 * 100.0 <= percent * whole as f64,
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Count(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Count(count) => Ok(Self::Count(count)),
            Written::Text(text) if text == "all" => Ok(Self::All),
            Written::Text(text) => {
                let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
                percent.filter(|percent: &f64| (0.0..=100.0).contains(percent)).map(Self::Percent).ok_or_else(
                    || de::Error::custom("expected \"all\", a count, or a share such as \"95 %\""),
                )
            }
        }
    }
}

/// At most a share: `{ max = "0.1 %" }`.
pub(super) fn most<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Share>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Most {
        max: Share,
    }
    Ok(Option::<Most>::deserialize(deserializer)?.map(|most| most.max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let millis = |text| duration(text).map(|time| time.0 / 1_000_000);
        assert_eq!(
            (millis("250 ms"), millis("1.5s"), millis("5 min"), millis("1 h")),
            (Some(250), Some(1500), Some(300_000), Some(3_600_000))
        );
        for wrong in ["", "5", "ms", "-1 s", "1 day", "nan s", "1e30 h", "infinity s"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn shares_round_nothing() {
        assert!(Share::All.holds(3, 3) && !Share::All.holds(2, 3));
        assert!(Share::Percent(95.0).holds(95, 100) && !Share::Percent(95.0).holds(94, 100));
        assert!(Share::Percent(0.1).allows(1, 1000) && !Share::Percent(0.1).allows(2, 1000));
        assert!(Share::Count(2).allows(2, 9) && !Share::Count(2).allows(3, 9));
    }
}
