//! Questions whether the other end is there: R-U-THERE and R-U-THERE-ACK of IKEv1 (RFC 3706), INFORMATIONAL requests
//! without payloads of IKEv2 (RFC 7296 section 1.4).

use crate::analysis::meta::At;

use super::message::Captured;
use super::phase::Phase;

const R_U_THERE: u16 = 36136;
const R_U_THERE_ACK: u16 = 36137;

/// Questions without an answer that are told apart by their numbers; the newest beyond that share a place.
const MOST_OPEN: usize = 8;
/// A number that is so much higher at most comes after.
const HALF: u32 = u32::MAX / 2;

/// Questions of one end that the other has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// Packets with such a question, resends too.
    pub count: u64,
    /// The first of them.
    pub first: At,
    /// The last of them.
    pub last: At,
    /// One of them is encrypted: it may ask for something else.
    pub sealed: bool,
}

/// What one end asked and what came back.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Packets with a question.
    pub asked: u64,
    /// Packets with an answer.
    pub answered: u64,
    /// The last answer.
    pub last_answer: Option<At>,
    /// Those without an answer, the oldest first, by sequence number (RFC 3706 section 5.3) or Message ID.
    open: Vec<(Option<u32>, Unanswered)>,
}

/// The questions of both ends.
#[derive(Debug, Clone, Default)]
pub struct Liveness {
    ends: [Questions; 2],
}

impl Questions {
    /// Questions that were not answered.
    pub fn unanswered(&self) -> Option<Unanswered> {
        self.open.iter().map(|(_, open)| *open).reduce(|sum, open| Unanswered {
            count: sum.count.saturating_add(open.count),
            last: open.last.max(sum.last),
            sealed: sum.sealed || open.sealed,
            ..sum
        })
    }

    fn ask(&mut self, number: Option<u32>, at: At, sealed: bool) {
        self.asked = self.asked.saturating_add(1);
        let full = self.open.len() >= MOST_OPEN;
        let place = match self.open.iter().position(|(known, _)| number.is_some() && *known == number) {
            None if full => self.open.last_mut(),
            None => None,
            Some(place) => self.open.get_mut(place),
        };
        match place {
            Some((known, open)) => {
                (*known, open.count, open.last) = (number, open.count.saturating_add(1), at);
                open.sealed |= sealed;
            }
            None => self.open.push((number, Unanswered { count: 1, first: at, last: at, sealed })),
        }
    }

    /// The other end heard the question with this number, and so those before it; without a number all.
    fn answer(&mut self, number: Option<u32>, at: At) {
        self.answered = self.answered.saturating_add(1);
        self.last_answer = Some(at);
        self.hear(number);
    }

    fn hear(&mut self, number: Option<u32>) {
        let after = |known: Option<u32>| match (known, number) {
            // Numbers may go round.
            (Some(known), Some(number)) => matches!(known.wrapping_sub(number), 1..=HALF),
            _ => false,
        };
        self.open.retain(|(known, _)| after(*known));
    }
}

impl Liveness {
    /// What this end asked.
    pub fn of(&self, end: usize) -> Option<&Questions> {
        self.ends.get(end)
    }

    /// Questions that were not answered: which end asks, and how often. Where both wait, the one with more.
    pub fn unanswered(&self) -> Option<(usize, Unanswered)> {
        let ends = self.ends.iter().enumerate();
        ends.filter_map(|(end, questions)| Some((end, questions.unanswered()?)))
            .max_by_key(|(end, open)| (open.count, std::cmp::Reverse(*end)))
    }

    pub(super) fn push(&mut self, captured: &Captured<'_>) {
        match captured.ike.version {
            1 => self.version_1(captured),
            _ => self.version_2(captured),
        }
    }

    fn version_1(&mut self, captured: &Captured<'_>) {
        let Captured { ike, from, at } = *captured;
        let number = ike.contents.dpd_number;
        for kind in &ike.notifies {
            match *kind {
                R_U_THERE => {
                    if let Some(ours) = self.ends.get_mut(from) {
                        ours.ask(number, at, false);
                    }
                }
                R_U_THERE_ACK => {
                    if let Some(theirs) = self.ends.get_mut(captured.to()) {
                        theirs.answer(number, at);
                    }
                }
                _ => {}
            }
        }
    }

    fn version_2(&mut self, captured: &Captured<'_>) {
        let Captured { ike, from, at } = *captured;
        let informational = Phase::of(2, ike.exchange) == Phase::Informational;
        let number = Some(ike.message_id);
        if captured.is_response() {
            let Some(theirs) = self.ends.get_mut(captured.to()) else { return };
            match informational {
                true => theirs.answer(number, at),
                // RFC 7296 section 2.4: any answer shows that the peer is there.
                false => theirs.hear(number),
            }
        } else if informational
            && ike.notifies.is_empty()
            && ike.contents.deletes.is_empty()
            && let Some(ours) = self.ends.get_mut(from)
        {
            // The next request shows that those before it were answered (RFC 7296 section 2.3: a window of one).
            ours.hear(Some(ike.message_id.wrapping_sub(1)));
            ours.ask(number, at, ike.contents.sealed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::{
        CREATE_CHILD, INFORMATIONAL, INFORMATIONAL_V2, captured, deletes, sealed, v1, v2,
    };
    use crate::dissect::layers::Ike;

    fn run(messages: &[(usize, Ike)]) -> Liveness {
        let mut liveness = Liveness::default();
        for message in captured(messages) {
            liveness.push(&message);
        }
        liveness
    }

    fn says(kind: u16, number: Option<u32>) -> Ike {
        let mut ike = v1(INFORMATIONAL, 1, 1);
        ike.notifies.push(kind);
        ike.contents.dpd_number = number;
        ike
    }

    fn ask(from: usize, number: u32) -> (usize, Ike) {
        (from, says(R_U_THERE, Some(number)))
    }

    fn answer(from: usize, number: u32) -> (usize, Ike) {
        (from, says(R_U_THERE_ACK, Some(number)))
    }

    fn open(liveness: &Liveness, end: usize) -> Option<(u64, u64, u64)> {
        let open = liveness.of(end)?.unanswered()?;
        Some((open.count, open.first.packet, open.last.packet))
    }

    #[test]
    fn questions_of_both_ends_are_counted_apart() {
        let liveness = run(&[ask(0, 1), ask(1, 50), ask(0, 2), ask(1, 51), ask(0, 3)]);
        assert_eq!([open(&liveness, 0), open(&liveness, 1)], [Some((3, 1, 5)), Some((2, 2, 4))]);
        assert_eq!(liveness.unanswered().map(|(end, open)| (end, open.count)), Some((0, 3)));
        let liveness = run(&[ask(0, 1), ask(1, 50), ask(0, 2), answer(1, 2), ask(1, 51)]);
        assert_eq!([open(&liveness, 0), open(&liveness, 1)], [None, Some((2, 2, 5))]);
    }

    #[test]
    fn an_answer_is_for_its_question_and_those_before() {
        let liveness = run(&[ask(0, 7), ask(0, 8), answer(1, 7), ask(0, 9)]);
        assert_eq!(open(&liveness, 0), Some((2, 2, 4)));
        assert_eq!(liveness.of(0).map(|ours| (ours.asked, ours.answered)), Some((3, 1)));
        // Numbers go round.
        assert_eq!(open(&run(&[ask(0, u32::MAX), ask(0, 0), answer(1, 0)]), 0), None);
        // Asked again with the same number.
        assert_eq!(open(&run(&[ask(0, 7), ask(0, 7)]), 0), Some((2, 1, 2)));
        // A number that was cut off.
        let silent = run(&[(0, says(R_U_THERE, None)), (0, says(R_U_THERE, None))]);
        assert_eq!(open(&silent, 0), Some((2, 1, 2)));
        let heard = run(&[(0, says(R_U_THERE, None)), ask(0, 8), (1, says(R_U_THERE_ACK, None))]);
        assert_eq!(open(&heard, 0), None);
    }

    #[test]
    fn many_questions_take_no_more_room() {
        let messages: Vec<_> = (1..=100).map(|number| ask(0, number)).collect();
        let liveness = run(&messages);
        assert_eq!(open(&liveness, 0), Some((100, 1, 100)));
        assert!(liveness.ends[0].open.len() <= MOST_OPEN);
    }

    #[test]
    fn version_2_asks_by_requests_without_payloads() {
        let ask = |id| (0, sealed(v2(0, false, INFORMATIONAL_V2, id, 1)));
        let liveness = run(&[ask(5), ask(5), ask(5)]);
        assert_eq!(open(&liveness, 0), Some((3, 1, 3)));
        assert!(liveness.unanswered().unwrap().1.sealed);
        // Answered, or the next request shows that it was.
        assert_eq!(open(&run(&[ask(5), ask(5), (1, v2(1, true, INFORMATIONAL_V2, 5, 2))]), 0), None);
        assert_eq!(open(&run(&[ask(5), ask(5), ask(6)]), 0), Some((1, 3, 3)));
        assert_eq!(open(&run(&[ask(5), ask(5), (1, v2(1, true, CREATE_CHILD, 6, 2))]), 0), None);
        // A request of the other end with the same Message ID is none.
        assert_eq!(open(&run(&[ask(5), (1, v2(1, false, INFORMATIONAL_V2, 5, 2))]), 0), Some((1, 1, 1)));
        // A Delete asks for something else.
        let delete = deletes(v2(0, false, INFORMATIONAL_V2, 5, 1), 3, &[1]);
        assert_eq!(open(&run(&[(0, delete)]), 0), None);
    }
}
