//! How far phase 1 of IKEv1 came: each of its messages, by number (RFC 2409 section 5).

use super::message::Message;
use super::phase::MOST_MESSAGES;

/// The messages of phase 1 of one IKE SA.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhaseOne {
    /// How many messages its mode has: six of main mode, three of aggressive mode; 0 as long as none was captured.
    pub length: u8,
    messages: [Option<Message>; MOST_MESSAGES],
}

impl PhaseOne {
    /// The message with this number, if it was captured.
    pub fn message(&self, number: u8) -> Option<&Message> {
        self.messages.get(usize::from(number.checked_sub(1)?))?.as_ref()
    }

    /// How often the message with this number was sent.
    pub fn copies(&self, number: u8) -> u64 {
        self.message(number).map_or(0, |message| message.copies)
    }

    /// The highest number of a message; 0 if none was captured.
    pub fn reached(&self) -> u8 {
        self.messages.iter().flatten().map(|message| message.number).max().unwrap_or(0)
    }

    /// All its messages came: the last of them was captured.
    pub fn is_complete(&self) -> bool {
        self.length > 0 && self.reached() >= self.length
    }

    /// The message that was sent last, if it waits for an answer: "message 5 was sent four times, and message 6 never
    /// came". If a message with a higher number was captured, that answer does not reach the end that asks.
    pub fn waiting(&self) -> Option<&Message> {
        let last = self.messages.iter().flatten().max_by_key(|message| message.last.packet)?;
        (last.number < self.length).then_some(last)
    }

    /// A message with this number was sent, again or for the first time.
    pub(super) fn note(&mut self, sent: Message, length: u8) {
        self.length = length;
        let place = usize::from(sent.number).checked_sub(1).and_then(|at| self.messages.get_mut(at));
        match place {
            Some(Some(known)) => known.again(sent.last),
            Some(place) => *place = Some(Message { copies: 1, first: sent.last, ..sent }),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::at;

    fn run(numbers: &[u8]) -> PhaseOne {
        let mut phase = PhaseOne::default();
        for (packet, number) in (1..).zip(numbers) {
            let (from, at) = (usize::from(number % 2 == 0), at(packet));
            phase.note(Message { number: *number, from, octets: 0, copies: 1, first: at, last: at }, 6);
        }
        phase
    }

    #[test]
    fn message_5_was_sent_again_and_never_answered() {
        let phase = run(&[1, 2, 3, 4, 5, 5, 5]);
        let waiting = phase.waiting().unwrap();
        assert_eq!((waiting.number, waiting.from, waiting.copies), (5, 0, 3));
        assert_eq!((waiting.first.packet, waiting.last.packet), (5, 7));
        assert!(!phase.is_complete());
    }

    #[test]
    fn an_answer_that_does_not_reach_the_end_that_asks() {
        let phase = run(&[1, 2, 3, 4, 3, 4, 3]);
        assert_eq!(phase.waiting().map(|waiting| (waiting.number, waiting.copies)), Some((3, 3)));
        assert_eq!(phase.reached(), 4);
    }

    #[test]
    fn near_misses() {
        assert!(run(&[1, 2, 3, 4, 5, 5, 6]).waiting().is_none());
        assert!(run(&[1, 2, 3, 4, 5, 5, 6]).is_complete());
        // Only the responder was captured: it has the last word.
        assert!(run(&[2, 4, 6]).is_complete());
        assert!(run(&[]).waiting().is_none());
    }
}
