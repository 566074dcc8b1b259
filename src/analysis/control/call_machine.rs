//! The machine of one end of a call: it takes the table that its role and the kind of call give.

use crate::dissect::layers::MessageType;

use super::call_state::CallEndState;
use super::machine::Event::{self, Receives, Sends};
use super::machine::{Row, implied, next};
use super::{rfc2661_7_4, rfc2661_7_5};

/// The machine of one end of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallMachine {
    /// Where it stands.
    pub state: CallEndState,
    /// A message that the capture lacks may have moved it.
    pub uncertain: bool,
}

/// The table of an end: of an outgoing call or an incoming one, which asks or answers.
fn table(outgoing: bool, asks: bool) -> &'static [Row<CallEndState>] {
    match (outgoing, asks) {
        (false, true) => rfc2661_7_4::ASKS,
        (false, false) => rfc2661_7_4::ANSWERS,
        (true, true) => rfc2661_7_5::ASKS,
        (true, false) => rfc2661_7_5::ANSWERS,
    }
}

impl CallMachine {
    /// Moves it. Says whether the state had a place for the event: a sender is to blame for what it sends in another.
    pub(super) fn step(&mut self, outgoing: bool, asks: bool, event: Event) -> bool {
        let (Sends(message) | Receives(message)) = event;
        if message == MessageType::CDN {
            self.state = CallEndState::Closed;
            return true;
        }
        let table = table(outgoing, asks);
        if let Some(state) = next(table, self.state, event) {
            self.state = state;
            return true;
        }
        // WEN, SLI and what is not about the set-up change nothing.
        let about_setup = (MessageType::OCRQ.0..=MessageType::ICCN.0).contains(&message.0);
        if self.state == CallEndState::Closed || !about_setup {
            return true;
        }
        if let Sends(_) = event
            && self.uncertain
        {
            self.state = implied(table, event).unwrap_or(self.state);
        }
        matches!(event, Receives(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallEndState::{Accepted, Closed, Established, WaitConnect, WaitCsAnswer, WaitReply};

    fn run(outgoing: bool, asks: bool, events: &[Event]) -> (CallEndState, bool) {
        let mut machine = CallMachine::default();
        let fits = events.iter().all(|event| machine.step(outgoing, asks, *event));
        (machine.state, fits)
    }

    const ICRQ: MessageType = MessageType::ICRQ;
    const ICRP: MessageType = MessageType::ICRP;
    const ICCN: MessageType = MessageType::ICCN;
    const OCRQ: MessageType = MessageType::OCRQ;
    const OCRP: MessageType = MessageType::OCRP;
    const OCCN: MessageType = MessageType::OCCN;

    #[test]
    fn incoming_calls() {
        assert_eq!(run(false, true, &[Sends(ICRQ), Receives(ICRP), Sends(ICCN)]), (Established, true));
        assert_eq!(run(false, false, &[Receives(ICRQ), Sends(ICRP)]), (WaitConnect, true));
        assert_eq!(run(false, false, &[Receives(ICRQ), Sends(ICRP), Receives(ICCN)]), (Established, true));
        assert_eq!(run(false, true, &[Sends(ICRQ), Sends(ICCN)]), (WaitReply, false));
        assert_eq!(run(false, true, &[Sends(ICRQ), Receives(ICRP), Sends(ICRP)]), (Accepted, false));
        assert_eq!(run(false, true, &[Sends(ICRQ), Receives(MessageType::CDN)]), (Closed, true));
    }

    #[test]
    fn outgoing_calls() {
        assert_eq!(run(true, true, &[Sends(OCRQ), Receives(OCRP)]), (WaitConnect, true));
        assert_eq!(run(true, true, &[Sends(OCRQ), Receives(OCRP), Receives(OCCN)]), (Established, true));
        assert_eq!(run(true, false, &[Receives(OCRQ), Sends(OCRP)]), (WaitCsAnswer, true));
        assert_eq!(run(true, false, &[Receives(OCRQ), Sends(OCRP), Sends(OCCN)]), (Established, true));
        assert!(!run(true, false, &[Receives(OCRQ), Sends(OCCN)]).1);
    }
}
