//! Questions that wait for their answers, oldest first: no more than so many.

use std::collections::VecDeque;

use crate::util::{Duration, Timestamp};

use super::budget::{Held, TrafficBudget};
use super::evidence::Examples;
use crate::analysis::ids::bump;

/// Questions that wait at once, of one kind, end and call.
pub(super) const MOST_WAITING: usize = 64;

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<K> {
    pub key: K,
    pub at: (u64, Timestamp),
    /// Octets of the IP packet that asked.
    pub octets: u32,
}

/// How many were asked, and what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Questions; one that is asked again is the same one.
    pub asked: u64,
    /// Answered, in whatever sense.
    pub answered: u64,
    /// Not answered, though there was time.
    pub unanswered: u64,
    /// Not known: asked too shortly before the last packet of the call, or too many at once.
    pub open: u64,
}

/// Questions that wait, and how many came before.
#[derive(Debug, Clone)]
pub(super) struct Waiting<K> {
    queue: VecDeque<Question<K>>,
    /// For how many there was room at once.
    room: usize,
    asked: u64,
    answered: u64,
    /// Made room for others after they had waited long enough.
    lost: u64,
    lost_packets: Examples,
}

impl<K> Default for Waiting<K> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            room: 0,
            asked: 0,
            answered: 0,
            lost: 0,
            lost_packets: Examples::default(),
        }
    }
}

impl<K: Eq + Copy> Waiting<K> {
    /// Takes a question; one that waits already is asked again, which changes nothing. Says whether it is new.
    pub(super) fn ask(&mut self, question: Question<K>, wait: Duration, budget: &mut TrafficBudget) -> bool {
        if self.queue.iter().rev().any(|known| known.key == question.key) {
            return false;
        }
        bump(&mut self.asked);
        if self.queue.len() >= self.room {
            if self.room < MOST_WAITING && budget.entry() {
                self.room = self.room.saturating_add(1);
            } else {
                self.make_room(question.at.1, wait);
            }
        }
        if self.queue.len() < self.room {
            self.queue.push_back(question);
        }
        true
    }

    fn make_room(&mut self, now: Timestamp, wait: Duration) {
        if let Some(oldest) = self.queue.pop_front()
            && now.since(oldest.at.1) > wait
        {
            bump(&mut self.lost);
            self.lost_packets.push(oldest.at.0);
        }
    }

    /// Takes the question with this key out: it is answered.
    pub(super) fn answer(&mut self, key: &K) -> Option<Question<K>> {
        let at = self.queue.iter().rposition(|known| known.key == *key)?;
        bump(&mut self.answered);
        self.queue.remove(at)
    }

    /// Whether a question of which this holds waits.
    pub(super) fn any(&self, holds: impl FnMut(&Question<K>) -> bool) -> bool {
        self.queue.iter().any(holds)
    }

    /// Those that wait longer than `wait` already.
    pub(super) fn overdue(&self, now: Timestamp, wait: Duration) -> impl Iterator<Item = &Question<K>> {
        self.queue.iter().filter(move |question| now.since(question.at.1) > wait)
    }

    /// What came of all, as of `now`.
    pub(super) fn counts(&self, now: Timestamp, wait: Duration) -> Asked {
        let overdue = u64::try_from(self.overdue(now, wait).count()).unwrap_or(u64::MAX);
        let unanswered = self.lost.saturating_add(overdue);
        Asked {
            asked: self.asked,
            answered: self.answered,
            unanswered,
            open: self.asked.saturating_sub(self.answered).saturating_sub(unanswered),
        }
    }

    /// The first packets that asked in vain.
    pub(super) fn in_vain(&self, now: Timestamp, wait: Duration) -> Examples {
        let mut packets = self.lost_packets.clone();
        self.overdue(now, wait).for_each(|question| packets.push(question.at.0));
        packets
    }

    pub(super) fn held(&self) -> Held {
        Held::entries(self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::seconds(1);

    fn ask(waiting: &mut Waiting<u32>, key: u32, seconds: i64, budget: &mut TrafficBudget) -> bool {
        let at = (u64::from(key), Timestamp(Duration::seconds(seconds).0));
        waiting.ask(Question { key, at, octets: 84 }, WAIT, budget)
    }

    fn counts(waiting: &Waiting<u32>, seconds: i64) -> (u64, u64, u64, u64) {
        let asked = waiting.counts(Timestamp(Duration::seconds(seconds).0), WAIT);
        (asked.asked, asked.answered, asked.unanswered, asked.open)
    }

    #[test]
    fn what_was_asked_just_now_is_open() {
        let (mut waiting, mut budget) = (Waiting::default(), TrafficBudget::default());
        assert!(ask(&mut waiting, 1, 0, &mut budget) && ask(&mut waiting, 2, 10, &mut budget));
        assert!(!ask(&mut waiting, 2, 11, &mut budget));
        assert_eq!(counts(&waiting, 10), (2, 0, 1, 1));
        assert!(waiting.answer(&1).is_some() && waiting.answer(&1).is_none());
        assert_eq!(counts(&waiting, 20), (2, 1, 1, 0));
        assert_eq!(waiting.in_vain(Timestamp(i64::MAX), WAIT).packets(), [2]);
    }

    #[test]
    fn a_flood_is_not_taken_for_silence() {
        let (mut waiting, mut budget) = (Waiting::default(), TrafficBudget::default());
        assert!((0..1000).all(|key| ask(&mut waiting, key, 0, &mut budget)));
        assert_eq!(counts(&waiting, 0), (1000, 0, 0, 1000));
        // Those that are still known were not answered; of the others nothing is known.
        assert_eq!(counts(&waiting, 9), (1000, 0, 64, 936));
        assert_eq!(waiting.held(), Held::entries(MOST_WAITING));
    }

    #[test]
    fn without_room_nothing_is_known() {
        let mut budget = TrafficBudget { entries_left: 1, ..TrafficBudget::default() };
        let mut waiting = Waiting::default();
        assert!((0..3).all(|key| ask(&mut waiting, key, i64::from(key) * 10, &mut budget)));
        assert_eq!(counts(&waiting, 100), (3, 0, 3, 0));
        let mut empty = Waiting::default();
        assert!(ask(&mut empty, 1, 0, &mut budget));
        assert_eq!(counts(&empty, 100), (1, 0, 0, 1));
        assert!(budget.refused > 0);
    }
}
