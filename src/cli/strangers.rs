//! When it makes sense to ask for keys again: SAs without a key, and how often they were asked for.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::ipsec::Spi;

/// How often the command runs at the most.
const EVERY: Duration = Duration::from_secs(2);
/// How often it runs for an SA whose key it does not know: somebody else's.
const SELDOM: Duration = Duration::from_secs(30);
/// So many answers without its key make an SA somebody else's.
const TRIES: u8 = 3;
/// SPIs that are remembered.
const MOST: usize = 65_536;

/// SAs without a key.
pub(super) struct Strangers {
    asked: Instant,
    /// Seen since the last answer.
    seen: HashSet<Spi>,
    /// Those that the question is about to which no answer came yet.
    open: HashSet<Spi>,
    /// How many answers did not know an SPI.
    unknown: HashMap<Spi, u8>,
}

impl Strangers {
    /// None seen; somebody asked at this time.
    pub(super) fn new(asked: Instant) -> Self {
        Self { asked, seen: HashSet::new(), open: HashSet::new(), unknown: HashMap::new() }
    }

    /// Packets of these SPIs came, and there was no key for them.
    pub(super) fn note(&mut self, spis: impl Iterator<Item = Spi>) {
        for spi in spis {
            if self.seen.len() < MOST {
                self.seen.insert(spi);
            }
        }
    }

    /// Whether it is time to ask.
    pub(super) fn want(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.asked);
        let new = |spi: &Spi| self.unknown.get(spi).is_none_or(|answers| *answers < TRIES);
        match passed {
            passed if passed >= SELDOM => !self.seen.is_empty(),
            passed if passed >= EVERY => self.seen.iter().any(new),
            _ => false,
        }
    }

    /// The question was asked.
    pub(super) fn ask(&mut self, now: Instant) {
        self.asked = now;
        self.open = std::mem::take(&mut self.seen);
    }

    /// The answer came, and its keys are in use. What has no key still will come again.
    pub(super) fn answered(&mut self, good: bool) {
        let open = std::mem::take(&mut self.open);
        self.seen.clear();
        if !good {
            return;
        }
        if self.unknown.len() >= MOST {
            self.unknown.clear();
        }
        for spi in open {
            let answers = self.unknown.entry(spi).or_default();
            *answers = answers.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, tenths: u32) -> Instant {
        start + tenths * Duration::from_millis(100)
    }

    #[test]
    fn a_new_spi_is_asked_for_once_the_pause_is_over() {
        let start = Instant::now();
        let mut strangers = Strangers::new(start);
        assert!(!strangers.want(after(start, 1000)));
        strangers.note([Spi(1)].into_iter());
        assert!(!strangers.want(after(start, 19)) && strangers.want(after(start, 20)));
        strangers.ask(after(start, 20));
        strangers.answered(true);
        assert!(!strangers.want(after(start, 1000)));
    }

    #[test]
    fn an_spi_that_no_answer_knows_is_asked_for_seldom() {
        let start = Instant::now();
        let mut strangers = Strangers::new(start);
        let mut asked = Vec::new();
        for tenths in 0..=700 {
            strangers.note([Spi(1)].into_iter());
            if strangers.want(after(start, tenths)) {
                strangers.ask(after(start, tenths));
                strangers.answered(true);
                asked.push(tenths);
            }
        }
        assert_eq!(asked, [20, 40, 60, 360, 660]);
        strangers.note([Spi(2)].into_iter());
        assert!(strangers.want(after(start, 680)));
    }

    #[test]
    fn an_answer_that_failed_says_nothing_of_an_spi() {
        let start = Instant::now();
        let mut strangers = Strangers::new(start);
        for tenths in [20, 40, 60, 80, 100] {
            strangers.note([Spi(1)].into_iter());
            assert!(strangers.want(after(start, tenths)));
            strangers.ask(after(start, tenths));
            strangers.answered(false);
        }
    }
}
