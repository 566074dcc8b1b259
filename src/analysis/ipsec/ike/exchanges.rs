//! The exchanges of one IKE SA that are kept: its first ones, and the newest.

use std::collections::VecDeque;

use crate::analysis::meta::At;

use super::exchange::Exchange;
use super::message::{Captured, Message};
use super::phase::Phase;

/// Exchanges of one IKE SA that are kept from its beginning.
const MOST_FIRST: usize = 112;
/// Newer ones that are kept beyond those.
const MOST_NEWEST: usize = 16;

/// Exchanges in the order they began.
#[derive(Debug, Clone, Default)]
pub struct Exchanges {
    first: Vec<Exchange>,
    newest: VecDeque<Exchange>,
    /// The last packet of an exchange that is not kept any more.
    pub forgotten: Option<At>,
}

impl Exchanges {
    /// Those that are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Exchange> + Clone {
        self.first.iter().chain(&self.newest)
    }

    /// The first of the IKE SA.
    pub fn first(&self) -> Option<&Exchange> {
        self.first.first()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.first.len().saturating_add(self.newest.len())
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Exchanges in which an end still waits for an answer, each with the message that waits, in the order they began.
    /// Those are left out after which the other end answered an exchange for the same purpose.
    pub fn silences(&self) -> impl DoubleEndedIterator<Item = (&Exchange, &Message)> {
        self.iter().filter_map(|exchange| {
            let waits = exchange.silence()?;
            (!self.answered_since(exchange, waits)).then_some((exchange, waits))
        })
    }

    /// The newest message that waits for an answer.
    pub fn silence(&self) -> Option<(&Exchange, &Message)> {
        self.silences().max_by_key(|(_, waits)| waits.last.packet)
    }

    fn answered_since(&self, exchange: &Exchange, waits: &Message) -> bool {
        self.iter().any(|other| {
            let answers = other
                .answer
                .is_some_and(|answer| answer.from != waits.from && answer.first.packet > waits.last.packet);
            other.phase == exchange.phase && answers || other.shows_an_answer_to(exchange)
        })
    }

    /// Takes a message: what was sent, for the first time or again, and its exchange.
    pub(super) fn push(&mut self, captured: &Captured<'_>) -> (Option<Message>, Option<&Exchange>) {
        let known = |exchange: &Exchange| exchange.takes(captured);
        if let Some(at) = self.newest.iter().rposition(known) {
            let exchange = self.newest.get_mut(at);
            return taken(exchange, captured);
        }
        if let Some(at) = self.first.iter().rposition(known) {
            let exchange = self.first.get_mut(at);
            return taken(exchange, captured);
        }
        if self.first.len() < MOST_FIRST {
            self.first.push(begun(captured));
            return taken(self.first.last_mut(), captured);
        }
        if self.newest.len() >= MOST_NEWEST
            && let Some(old) = self.newest.pop_front()
        {
            self.forgotten = Some(old.last);
        }
        self.newest.push_back(begun(captured));
        taken(self.newest.back_mut(), captured)
    }
}

/// A new exchange. In phase 1 of IKEv1 it is the initiator of the IKE SA that began, whoever is captured first.
fn begun(captured: &Captured<'_>) -> Exchange {
    let phase = Phase::of(captured.ike.version, captured.ike.exchange);
    let of_the_initiator = phase == Phase::One && captured.ike.version == 1;
    Exchange::new(captured, if of_the_initiator { 0 } else { captured.begun_by() })
}

fn taken<'e>(
    exchange: Option<&'e mut Exchange>,
    captured: &Captured<'_>,
) -> (Option<Message>, Option<&'e Exchange>) {
    let Some(exchange) = exchange else { return (None, None) };
    (exchange.push(captured), Some(exchange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::{
        CREATE_CHILD, INFORMATIONAL, INFORMATIONAL_V2, MAIN, QUICK, SA_INIT, captured, main_mode, v1, v2,
    };
    use crate::dissect::layers::Ike;

    fn run(messages: &[(usize, Ike)]) -> Exchanges {
        let mut exchanges = Exchanges::default();
        for message in captured(messages) {
            exchanges.push(&message);
        }
        exchanges
    }

    /// Who waits for an answer: Message ID, number of the message, end, copies, first and last packet.
    fn waits(messages: &[(usize, Ike)]) -> Vec<(u32, u8, usize, u64, u64, u64)> {
        let exchanges = run(messages);
        let each = exchanges.silences().map(|(exchange, waits)| {
            let (first, last) = (waits.first.packet, waits.last.packet);
            (exchange.message_id, waits.number, waits.from, waits.copies, first, last)
        });
        each.collect()
    }

    #[test]
    fn a_request_that_nobody_answers() {
        let ask = || (0, v2(0, false, INFORMATIONAL_V2, 5, 1));
        assert_eq!(waits(&[ask(), ask(), ask()]), [(5, 1, 0, 3, 1, 3)]);
        let quick = || (1, v1(QUICK, 9, 1));
        assert_eq!(waits(&[quick(), quick()]), [(9, 1, 1, 2, 1, 2)]);
        // Message 2 of quick mode: now the end that began is silent.
        let answer = || (0, v1(QUICK, 9, 2));
        assert_eq!(waits(&[quick(), answer(), answer()]), [(9, 2, 0, 2, 2, 3)]);
    }

    #[test]
    fn what_is_no_silence() {
        let ask = |id| (0, v2(0, false, INFORMATIONAL_V2, id, u64::from(id)));
        let answer = |id| (1, v2(1, true, INFORMATIONAL_V2, id, 99));
        // Answered in the end.
        assert_eq!(waits(&[ask(5), ask(5), ask(5), answer(5)]), []);
        // The answers are not captured: the next request shows that the one before was answered.
        assert_eq!(waits(&[ask(5), ask(5), ask(5), ask(6)]), [(6, 1, 0, 1, 4, 4)]);
        // The last message of quick mode needs no answer, and may be sent again.
        let quick = |from, digest| (from, v1(QUICK, 9, digest));
        assert_eq!(waits(&[quick(0, 1), quick(1, 2), quick(0, 3), quick(0, 3), quick(0, 3)]), []);
        // What answers an informational message of IKEv1 is an exchange of its own.
        let tell = || (0, v1(INFORMATIONAL, 9, 1));
        assert_eq!(waits(&[tell(), tell(), tell()]), []);
        // Another quick mode was answered later.
        let again = |from, digest| (from, v1(QUICK, 10, digest));
        assert_eq!(waits(&[quick(0, 1), quick(0, 1), again(0, 4), again(1, 5), again(0, 6)]), []);
    }

    #[test]
    fn answers_that_are_lost() {
        let ask = || (0, v2(0, false, CREATE_CHILD, 5, 1));
        let answer = || (1, v2(1, true, CREATE_CHILD, 5, 2));
        let exchanges = run(&[ask(), answer(), ask(), answer()]);
        assert!(exchanges.silence().is_none());
        let exchange = exchanges.first().unwrap();
        assert_eq!((exchange.resent, exchange.sent), (2, [2, 2]));
        assert_eq!(exchange.request.map(|request| (request.first.packet, request.copies)), Some((1, 2)));
        assert_eq!(exchange.answer.map(|answer| (answer.first.packet, answer.copies)), Some((2, 2)));
        // Since the answer it was asked three times more.
        assert_eq!(waits(&[ask(), answer(), ask(), ask(), ask()]), [(5, 1, 0, 3, 3, 5)]);
    }

    #[test]
    fn message_5_of_main_mode_again_and_again() {
        let mut messages = main_mode(5);
        messages.extend([main_mode(5).pop().unwrap(), main_mode(5).pop().unwrap()]);
        assert_eq!(waits(&messages), [(0, 5, 0, 3, 5, 7)]);
        messages.push(main_mode(6).pop().unwrap());
        assert_eq!(waits(&messages), []);
        assert!(run(&messages).first().unwrap().is_complete());
    }

    #[test]
    fn exchanges_between_each_other() {
        let quick = |id: u32, from, digest| (from, v1(QUICK, id, u64::from(id) + digest));
        let messages =
            [quick(100, 0, 1), quick(200, 1, 1), quick(100, 1, 2), quick(200, 0, 2), quick(100, 0, 3)];
        let exchanges = run(&messages);
        let each: Vec<_> = exchanges.iter().map(|one| (one.from, one.sent, one.reached)).collect();
        assert_eq!(each, [(0, [2, 1], 3), (1, [1, 1], 2)]);
        assert_eq!(waits(&messages), [(200, 2, 0, 1, 4, 4)]);
    }

    #[test]
    fn each_end_of_version_2_counts_its_own() {
        let ask = |from| (from, v2(from, false, INFORMATIONAL_V2, 3, from as u64));
        let answer = |from| (from, v2(from, true, INFORMATIONAL_V2, 3, 9));
        let messages = [ask(0), ask(1), answer(1), ask(1), ask(1)];
        assert_eq!(run(&messages).iter().map(|one| one.from).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(waits(&messages), [(3, 1, 1, 3, 2, 5)]);
    }

    #[test]
    fn a_cookie_is_asked_for() {
        let init = |from, digest| (from, v2(from, from == 1, SA_INIT, 0, digest));
        let exchanges = run(&[init(0, 1), init(1, 2), init(0, 3)]);
        let exchange = exchanges.first().unwrap();
        assert_eq!((exchange.resent, exchange.answer), (0, None));
        assert_eq!(exchange.request.map(|request| request.first.packet), Some(3));
        assert!(exchanges.silence().is_some());
    }

    #[test]
    fn fragments_are_one_message() {
        let part = |digest| (0, Ike { next_payload: 53, ..v2(0, false, CREATE_CHILD, 5, digest) });
        let exchanges = run(&[part(1), part(2), part(3)]);
        let exchange = exchanges.first().unwrap();
        assert_eq!((exchange.resent, exchange.sent), (0, [3, 0]));
        assert_eq!(waits(&[part(1), part(2), part(1), part(2)]), [(5, 1, 0, 2, 1, 3)]);
        // Of IKEv1 the message that was put together follows its parts.
        let part = |digest| (0, Ike { next_payload: 132, ..v1(MAIN, 0, digest) });
        let exchanges = run(&[part(1), part(2), main_mode(5).pop().unwrap()]);
        assert_eq!(exchanges.first().unwrap().resent, 0);
    }

    #[test]
    fn the_first_and_the_newest_are_kept() {
        let messages: Vec<_> = (1..=200).map(|id| (0, v1(INFORMATIONAL, id, id.into()))).collect();
        let exchanges = run(&messages);
        assert_eq!(exchanges.len(), MOST_FIRST + MOST_NEWEST);
        assert_eq!(exchanges.iter().next_back().map(|last| last.message_id), Some(200));
        assert_eq!(exchanges.forgotten.map(|at| at.packet), Some(184));
    }
}
