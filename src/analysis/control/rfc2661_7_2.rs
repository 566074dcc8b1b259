//! The machine of a control connection at each of its ends: RFC 2661 section 7.2.1, and RFC 3931 section 7.2, which has
//! the same states and messages.

use crate::dissect::layers::MessageType;

use super::machine::{Event, Row, next};

/// Where one end of a control connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ControlState {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// It has an SCCRQ to answer: in the RFC a step within `idle`.
    Asked,
    /// It sent an SCCRQ.
    WaitCtlReply,
    /// It has the SCCRP, and its SCCCN is due: in the RFC a step within `wait-ctl-reply`.
    Answered,
    /// It sent an SCCRP.
    WaitCtlConn,
    /// The control connection is up.
    Established,
    /// It was shut down: `idle` again.
    Closed,
}

impl ControlState {
    /// The name of the state in the RFC.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle | Self::Asked | Self::Closed => "idle",
            Self::WaitCtlReply | Self::Answered => "wait-ctl-reply",
            Self::WaitCtlConn => "wait-ctl-conn",
            Self::Established => "established",
        }
    }
}

use ControlState::{Answered, Asked, Closed, Established, Idle, WaitCtlConn, WaitCtlReply};
use Event::{Receives, Sends};

const SCCRQ: MessageType = MessageType::SCCRQ;
const SCCRP: MessageType = MessageType::SCCRP;
const SCCCN: MessageType = MessageType::SCCCN;

/// The table of section 7.2.1, with what is acceptable to the receiver shown by what it sends then. A StopCCN, which ends
/// every state, stands in [`step`].
static TABLE: &[Row<ControlState>] = &[
    (Idle, Sends(SCCRQ), WaitCtlReply),
    (Idle, Receives(SCCRQ), Asked),
    (Asked, Sends(SCCRP), WaitCtlConn),
    // Its Nr does not say that it has the request, yet it answers it.
    (Idle, Sends(SCCRP), WaitCtlConn),
    // A tie: each end asked, and the one that loses answers the other's request (section 4.4.3, Tie Breaker).
    (WaitCtlReply, Receives(SCCRQ), WaitCtlReply),
    (WaitCtlReply, Receives(SCCRP), Answered),
    (Answered, Sends(SCCCN), Established),
    (WaitCtlConn, Receives(SCCCN), Established),
];

/// Messages that belong into an established control connection.
fn needs_established(message: MessageType) -> bool {
    !matches!(message, SCCRQ | SCCRP | SCCCN | MessageType::STOP_CCN | MessageType::ACK)
}

/// The machine of one end.
#[derive(Debug, Clone, Copy, Default)]
pub struct ControlMachine {
    /// Where it stands.
    pub state: ControlState,
    /// A message that the capture lacks may have moved it.
    pub uncertain: bool,
}

impl ControlMachine {
    /// Moves it. Says whether the state had a place for the event: a sender is to blame for what it sends in another.
    pub(super) fn step(&mut self, event: Event) -> bool {
        let (Sends(message) | Receives(message)) = event;
        if message == MessageType::STOP_CCN {
            self.state = Closed;
            return true;
        }
        if let Some(state) = next(TABLE, self.state, event) {
            self.state = state;
            return true;
        }
        if self.state == Closed {
            return true;
        }
        if needs_established(message) {
            let fits = self.state == Established;
            // Whoever uses it has it up, as far as it knows. What it receives shows what its peer believes.
            if let (Sends(_), true) = (event, self.uncertain) {
                self.state = Established;
            }
            return fits || matches!(event, Receives(_));
        }
        if let Sends(message) = event
            && (self.uncertain || message == SCCCN)
        {
            self.state = match message {
                SCCRQ => WaitCtlReply,
                SCCRP => WaitCtlConn,
                _ => Established,
            };
        }
        matches!(event, Receives(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: &[Event]) -> (ControlState, bool) {
        let mut machine = ControlMachine::default();
        let fits = events.iter().all(|event| machine.step(*event));
        (machine.state, fits)
    }

    #[test]
    fn both_ends_of_the_table() {
        assert_eq!(run(&[Sends(SCCRQ), Receives(SCCRP), Sends(SCCCN)]), (Established, true));
        assert_eq!(run(&[Receives(SCCRQ), Sends(SCCRP)]), (WaitCtlConn, true));
        assert_eq!(run(&[Receives(SCCRQ), Sends(SCCRP), Receives(SCCCN)]), (Established, true));
        assert_eq!(run(&[Receives(SCCRQ), Sends(MessageType::STOP_CCN)]), (Closed, true));
        // Whoever sends an SCCCN has it up, as far as it knows.
        assert_eq!(run(&[Sends(SCCRQ), Sends(SCCCN)]), (Established, false));
        assert_eq!(run(&[Receives(SCCRQ), Sends(SCCRP), Sends(SCCRP)]), (WaitCtlConn, false));
        assert_eq!(run(&[Sends(SCCRQ), Receives(SCCRP), Sends(MessageType::HELLO)]), (Answered, false));
        let hello = Sends(MessageType::HELLO);
        assert_eq!(run(&[Receives(SCCRQ), Sends(SCCRP), Receives(SCCCN), hello]), (Established, true));
        assert_eq!(run(&[Receives(SCCRQ), Sends(SCCRP), hello]), (WaitCtlConn, false));
    }

    #[test]
    fn what_the_capture_lacks_is_believed() {
        let mut machine = ControlMachine { state: WaitCtlReply, uncertain: true };
        machine.step(Sends(MessageType::ICRQ));
        assert_eq!(machine.state, Established);
    }
}
