//! The Configure-Requests of one end that may be answered yet (RFC 1661 sections 5.1 to 5.4).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::analysis::ids::bump32;
use crate::analysis::ppp::notice::At;
use crate::dissect::layers::{PppBody, PppControl, PppOptionValue};

/// The Identifier field, which tells which request an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identifier(pub u8);

/// A hash of the options of a packet, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options(u64);

impl Options {
    pub(super) fn of(control: &PppControl) -> Self {
        let mut hasher = DefaultHasher::new();
        control.length.hash(&mut hasher);
        if let PppBody::Options(options) = &control.body {
            for option in options {
                (option.kind, option.length).hash(&mut hasher);
                match option.value {
                    PppOptionValue::Number(number) => number.hash(&mut hasher),
                    PppOptionValue::Address(address) => address.hash(&mut hasher),
                    PppOptionValue::Authentication(protocol, algorithm) => {
                        (protocol, algorithm).hash(&mut hasher);
                    }
                    PppOptionValue::Empty | PppOptionValue::Octets | PppOptionValue::Unreadable => {}
                }
            }
        }
        Self(hasher.finish())
    }
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// By a Configure-Ack.
    Ack,
    /// By a Configure-Nak.
    Nak,
    /// By a Configure-Reject.
    Reject,
}

/// A Configure-Request and its retransmissions.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its Identifier.
    pub identifier: Identifier,
    /// The first packet of it and its time; of one that was not captured, those of the answer that proves it.
    pub first: At,
    /// The last packet of it and its time.
    pub last: At,
    /// How often it was seen: more than once if it was retransmitted, 0 if only its answer shows that it was sent.
    pub copies: u32,
    /// The last answer to it, and in which packet.
    pub answer: Option<(Answer, u64)>,
    /// How often it was answered.
    answers: u32,
    /// One of the answers was a Configure-Ack.
    acknowledged: bool,
    options: Options,
}

impl Request {
    fn is_as(&self, identifier: Identifier, options: Options) -> bool {
        self.identifier == identifier && (self.options == options || self.copies == 0)
    }
}

/// Requests that are kept of each end, the latest. The Max-Failure of RFC 1661 section 4.6 is 5.
pub const MOST_REQUESTS: usize = 6;

/// The requests of one end, in the order in which it sent them.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests {
    list: Vec<Request>,
    /// One before the last was acknowledged, whether it is kept or not.
    acknowledged_before: bool,
}

/// What a Configure-Request is, given those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Another request.
    New,
    /// Another request, under the Identifier of the last one.
    SameIdentifier,
    /// The last request once more.
    Again,
    /// A copy of an earlier one, which came late.
    Late,
}

/// What an answer is, given the requests before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched {
    /// It answers the last request.
    Last {
        /// The options are those of the request.
        same: bool,
        /// The request was answered as often as it was seen: this is a copy of an answer.
        copy: bool,
    },
    /// It answers a request that was followed by another.
    Earlier,
    /// It answers none of those that are known.
    None,
    /// No request is known.
    NothingAsked,
}

impl Requests {
    pub(super) fn all(&self) -> &[Request] {
        &self.list
    }

    pub(super) fn last(&self) -> Option<&Request> {
        self.list.last()
    }

    pub(super) fn knows(&self, identifier: Identifier) -> bool {
        self.list.iter().any(|known| known.identifier == identifier)
    }

    /// Whether a request before the last was acknowledged.
    pub(super) fn acknowledged_before(&self) -> bool {
        self.acknowledged_before
    }

    /// Whether the last request asked for the same.
    pub(super) fn repeats(&self, options: Options) -> bool {
        self.last().is_some_and(|known| known.options == options)
    }

    pub(super) fn is_last(&self, identifier: Identifier, options: Options) -> bool {
        self.last().is_some_and(|known| known.copies > 0 && known.is_as(identifier, options))
    }

    pub(super) fn ask(&mut self, identifier: Identifier, options: Options, at: At) -> Asked {
        let earlier = self.list.iter().rposition(|known| known.is_as(identifier, options));
        let last = self.list.len().checked_sub(1);
        if let Some(known) = earlier.and_then(|index| self.list.get_mut(index)) {
            if known.copies == 0 {
                // Its answer came first: the capture does not keep the order.
                known.options = options;
                known.copies = 1;
                return Asked::Late;
            }
            bump32(&mut known.copies);
            known.last = at;
            return if earlier == last { Asked::Again } else { Asked::Late };
        }
        let same = self.last().is_some_and(|known| known.identifier == identifier);
        self.push(Request {
            identifier,
            first: at,
            last: at,
            copies: 1,
            answer: None,
            answers: 0,
            acknowledged: false,
            options,
        });
        if same { Asked::SameIdentifier } else { Asked::New }
    }

    pub(super) fn answer(
        &mut self,
        identifier: Identifier,
        options: Options,
        answer: Answer,
        at: At,
    ) -> Matched {
        let last = self.list.len().checked_sub(1);
        let acknowledged = answer == Answer::Ack;
        let Some(index) = self.list.iter().rposition(|known| known.identifier == identifier) else {
            if !self.list.is_empty() {
                return Matched::None;
            }
            let answer = Some((answer, at.0));
            self.push(Request {
                identifier,
                first: at,
                last: at,
                copies: 0,
                answer,
                answers: 1,
                acknowledged,
                options,
            });
            return Matched::NothingAsked;
        };
        let Some(known) = self.list.get_mut(index) else { return Matched::None };
        let same = known.options == options;
        let copy = known.answers >= known.copies.max(1) && known.answer.is_some_and(|(a, _)| a == answer);
        bump32(&mut known.answers);
        known.acknowledged |= acknowledged;
        known.answer = Some((answer, at.0));
        if Some(index) == last { Matched::Last { same, copy } } else { Matched::Earlier }
    }

    /// Forgets all but the last, when the protocol is open.
    pub(super) fn settle(&mut self) {
        let last = self.list.len().saturating_sub(1);
        if last > 0 || self.list.capacity() > 1 {
            self.list.drain(..last);
            self.list.shrink_to_fit();
        }
    }

    fn push(&mut self, request: Request) {
        self.acknowledged_before |= self.list.iter().any(|known| known.acknowledged);
        if self.list.len() >= MOST_REQUESTS {
            self.list.remove(0);
        }
        self.list.push(request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::Timestamp;

    const AT: At = (1, Timestamp(0));

    fn options(value: u64) -> Options {
        Options(value)
    }

    #[test]
    fn requests_by_identifier_and_options() {
        let mut requests = Requests::default();
        let id = Identifier;
        assert_eq!(requests.ask(id(1), options(7), AT), Asked::New);
        assert_eq!(requests.ask(id(1), options(7), AT), Asked::Again);
        assert_eq!(requests.ask(id(2), options(7), AT), Asked::New);
        assert_eq!(requests.ask(id(1), options(7), AT), Asked::Late);
        assert_eq!(requests.ask(id(2), options(8), AT), Asked::SameIdentifier);
        for identifier in 3..100 {
            requests.ask(id(identifier), options(9), AT);
        }
        assert_eq!(requests.all().len(), MOST_REQUESTS);
        requests.settle();
        assert_eq!(requests.all().len(), 1);
    }

    #[test]
    fn answers_by_identifier() {
        let mut requests = Requests::default();
        let id = Identifier;
        assert_eq!(requests.answer(id(4), options(7), Answer::Ack, AT), Matched::NothingAsked);
        // The request comes after its answer, with what was asked for.
        assert_eq!(requests.ask(id(4), options(7), AT), Asked::Late);
        requests.ask(id(5), options(8), AT);
        assert_eq!(requests.answer(id(6), options(8), Answer::Ack, AT), Matched::None);
        assert_eq!(requests.answer(id(4), options(7), Answer::Ack, AT), Matched::Earlier);
        let last = |same, copy| Matched::Last { same, copy };
        assert_eq!(requests.answer(id(5), options(9), Answer::Nak, AT), last(false, false));
        assert_eq!(requests.answer(id(5), options(9), Answer::Nak, AT), last(false, true));
        // Asked again, it may be answered again.
        requests.ask(id(5), options(8), AT);
        requests.ask(id(5), options(8), AT);
        assert_eq!(requests.answer(id(5), options(8), Answer::Ack, AT), last(true, false));
    }
}
