//! One end of a negotiation: its automaton, what it asked for and what was answered.

use crate::analysis::ppp::automaton::{Event, State};
use crate::analysis::ppp::notice::{At, Run};
use crate::analysis::ppp::requests::{Request, Requests};

/// One end of a negotiation.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// Where its automaton stands, as far as its own packets prove it.
    pub state: State,
    /// What was sent to it last, of which it did not show yet whether it arrived.
    pub in_flight: Option<Event>,
    /// Configure-Requests that it sent, with retransmissions.
    pub asked: u32,
    /// Configure-Acks that it sent.
    pub acknowledged: u32,
    /// Configure-Naks and -Rejects that it sent.
    pub refused: u32,
    /// Reset-Requests that it sent (CCP: its decompressor lost step, RFC 1962 section 4).
    pub resets: u32,
    /// Its Configure-Requests since the other last answered one.
    pub unanswered: Option<Run>,
    /// Its last Configure-Request.
    pub last_request: Option<At>,
    /// A code that it rejected: the last of those that are needed, else the first (RFC 1661 section 5.6).
    pub rejected_code: Option<u8>,
    pub(super) requests: Requests,
    /// Packets that it sent after its last Configure-Request, and that this protocol has to be open for.
    pub(super) used: u8,
    /// The Magic-Number that it asked for last (RFC 1661 section 6.4).
    pub(super) magic: Option<u32>,
}

impl End {
    /// Where its automaton stands if what was sent to it arrived.
    pub fn likely(&self) -> State {
        self.in_flight.map_or(self.state, |event| self.state.after(event))
    }

    /// Whether it acknowledges what the other asks for, and never asks itself: PPP runs there, and what it sends of its
    /// own, or the packets after its start, get lost.
    pub fn only_acknowledges(&self) -> bool {
        self.state == State::AckSent && self.requests.all().is_empty()
    }

    /// Its latest requests, the last one last: when the protocol opens, only that is kept.
    pub fn requests(&self) -> &[Request] {
        self.requests.all()
    }

    /// Whether this packet asks for the same as the one before.
    pub(super) fn repeats(&self, at: At) -> bool {
        self.requests.last().is_some_and(|known| known.copies > 1 && known.last == at)
    }

    /// Whether what it sent shows that the protocol is open. One packet may come late, from when it was open before.
    pub(super) fn shows_use(&self, first_round: bool) -> bool {
        let before = !first_round || self.requests.acknowledged_before();
        self.used >= if before { 2 } else { 1 }
    }

    pub(super) fn on(&mut self, event: Event) {
        self.state = self.state.after(event);
    }

    /// What was in flight arrived.
    pub(super) fn arrived(&mut self) {
        if let Some(event) = self.in_flight.take() {
            self.on(event);
        }
    }
}
