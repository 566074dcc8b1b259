//! The conditions of `-a` and `-b`, written as in tshark.

use std::time::Duration;

use crate::util::Printable;

use super::exit::Failure;

/// tshark's kB.
const KILO: u64 = 1_000;

/// When something ends; what is not said sets no end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) duration: Option<Duration>,
    pub(super) packets: Option<u64>,
    pub(super) octets: Option<u64>,
    pub(super) files: Option<u64>,
}

impl Conditions {
    /// Reads `duration:SECONDS`, `packets:N`, `filesize:KB` and `files:N`.
    ///
    /// # Errors
    ///
    /// When one is none of these, or not above 0.
    pub(super) fn new(option: &str, texts: &[String]) -> Result<Self, Failure> {
        let mut conditions = Self::default();
        for text in texts {
            conditions.add(text).ok_or_else(|| {
                Failure::new(format!("{option} {}: no such condition", Printable::from_text(text)))
                    .hint(format!("{option} duration:SECONDS, packets:N, filesize:KB or files:N"))
            })?;
        }
        Ok(conditions)
    }

    fn add(&mut self, text: &str) -> Option<()> {
        let (what, amount) = text.split_once(':')?;
        let whole = || amount.parse::<u64>().ok().filter(|amount| *amount > 0);
        match what {
            "duration" => {
                let seconds = amount.parse::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
                self.duration = Some(Duration::try_from_secs_f64(seconds).ok()?);
            }
            "packets" => self.packets = Some(whole()?),
            "filesize" => self.octets = Some(whole()?.checked_mul(KILO)?),
            "files" => self.files = Some(whole()?),
            _ => return None,
        }
        Some(())
    }

    /// Whether any but `files` is met.
    pub(super) fn reached(&self, duration: Duration, octets: u64, packets: u64) -> bool {
        self.duration.is_some_and(|end| duration >= end)
            || self.octets.is_some_and(|end| octets >= end)
            || self.packets.is_some_and(|end| packets >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Conditions, Failure> {
        Conditions::new("-b", &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn conditions_are_read_as_tshark_writes_them() {
        let all = read(&["duration:1.5", "packets:7", "filesize:10", "files:3"]).unwrap();
        assert_eq!(all.duration, Some(Duration::from_millis(1500)));
        assert_eq!((all.packets, all.octets, all.files), (Some(7), Some(10_000), Some(3)));
        for bad in [
            "",
            "packets",
            "packets:",
            "packets:0",
            "packets:-1",
            "duration:nan",
            "duration:inf",
            "duration:0",
            "filesize:18446744073709551615",
            "interval:3",
            "duration:1e300",
        ] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_condition_that_is_met_counts() {
        let one = read(&["packets:2", "filesize:1"]).unwrap();
        assert!(!one.reached(Duration::MAX, 999, 1));
        assert!(one.reached(Duration::ZERO, 1_000, 0) && one.reached(Duration::ZERO, 0, 2));
        assert!(!Conditions::default().reached(Duration::MAX, u64::MAX, u64::MAX));
    }
}
