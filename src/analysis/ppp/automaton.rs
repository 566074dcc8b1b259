//! The option negotiation automaton of one end (RFC 1661 section 4), as an observer sees it.
//!
//! An observer does not see timers and commands, only packets. What an end sends shows what happened in it: a
//! Configure-Ack that it received an acceptable request (`RCR+`), a Configure-Nak or -Reject that it received another
//! (`RCR-`), a Terminate-Ack a Terminate-Request (`RTR`). What it receives without an answer (`RCA`, `RCN`, `RTA`, `RXJ`)
//! is an event of its own, for those who know that it arrived.

/// The states of RFC 1661 section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum State {
    /// Nothing is known of this end yet: the lower layer is not available.
    #[default]
    Initial,
    /// The layer below went down, and this one is to open again with it.
    Starting,
    /// It was ended by its own side.
    Closed,
    /// It was ended by the peer, or failed.
    Stopped,
    /// It sent a Terminate-Request, without an answer yet.
    Closing,
    /// It was told to end, and waits for the end.
    Stopping,
    /// It asked; no Configure-Ack was sent nor received.
    ReqSent,
    /// It asked, and was acknowledged.
    AckRcvd,
    /// It acknowledged the request of its peer, and was not acknowledged itself.
    AckSent,
    /// It acknowledged and was acknowledged.
    Opened,
}

/// What an observer sees of an end: it sends one of the packets of section 5, or one reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The layer below opened (`Up`, in a layer that is to open).
    Up,
    /// The layer below is no longer open (`Down`).
    Down,
    /// It sends a Configure-Request (`scr`: first of all, after a timeout or after a refusal).
    SendsRequest,
    /// It sends a Configure-Ack (`RCR+`, `sca`).
    SendsAck,
    /// It sends a Configure-Nak or -Reject (`RCR-`, `scn`).
    SendsNak,
    /// It sends a Terminate-Request (`str`: `Close`, or `TO+` of one that was sent).
    SendsTerminateRequest,
    /// It sends a Terminate-Ack (`RTR`, `sta`).
    SendsTerminateAck,
    /// It sends a Code-Reject (`RUC`, `scj`).
    SendsCodeReject,
    /// A Configure-Ack that matches its request reaches it (`RCA`).
    ReceivesAck,
    /// A Configure-Nak or -Reject that matches its request reaches it (`RCN`).
    ReceivesNak,
    /// A Terminate-Ack reaches it (`RTA`).
    ReceivesTerminateAck,
    /// A Code-Reject of a code that is needed, or a Protocol-Reject of this protocol, reaches it (`RXJ-`).
    ReceivesReject,
}

/// No transition: what RFC 1661 marks by a dash.
const X: u8 = u8::MAX;

/// Section 4.1: events are read vertically, states horizontally, with the RFC's numbers. Where the observer's event is
/// one of the RFC (`RCA` …), the row is the RFC's. Where an end sends what its state does not let it send, something
/// before that was not captured, and the row says where it stands afterwards.
#[rustfmt::skip]
static TABLE: &[(Event, [u8; 10])] = &[
    //                              Initial Starting Closed Stopped Closing Stopping Req-Sent Ack-Rcvd Ack-Sent Opened
    //                              0       1        2      3       4       5        6        7        8        9
    (Event::Up,                    [2,      6,       X,     X,      X,      X,       X,       X,       X,       X]),
    (Event::Down,                  [X,      X,       0,     1,      0,      1,       1,       1,       1,       1]),
    // Open in Closed, RCR in Stopped, TO+ later. A lost end of Closing lets it ask again.
    (Event::SendsRequest,          [6,      6,       6,     6,      6,      6,       6,       6,       8,       6]),
    // In Stopped the Ack may come before the request: the actions have no order.
    (Event::SendsAck,              [8,      8,       8,     8,      8,      8,       8,       9,       8,       8]),
    (Event::SendsNak,              [6,      6,       6,     6,      6,      6,       6,       7,       6,       6]),
    // Close; in Stopping it is the answer to RXJ-, sent again.
    (Event::SendsTerminateRequest, [4,      4,       4,     4,      4,      5,       4,       4,       4,       4]),
    (Event::SendsTerminateAck,     [2,      3,       2,     3,      4,      5,       6,       6,       6,       5]),
    (Event::SendsCodeReject,       [X,      X,       2,     3,      4,      5,       6,       7,       8,       9]),
    (Event::ReceivesAck,           [X,      X,       2,     3,      4,      5,       7,       6,       9,       6]),
    (Event::ReceivesNak,           [X,      X,       2,     3,      4,      5,       6,       6,       8,       6]),
    (Event::ReceivesTerminateAck,  [X,      X,       2,     3,      2,      3,       6,       6,       8,       6]),
    (Event::ReceivesReject,        [X,      X,       2,     3,      2,      3,       3,       3,       3,       5]),
];

/// In the order of their numbers in section 4.1.
static STATES: [State; 10] = [
    State::Initial,
    State::Starting,
    State::Closed,
    State::Stopped,
    State::Closing,
    State::Stopping,
    State::ReqSent,
    State::AckRcvd,
    State::AckSent,
    State::Opened,
];

impl State {
    /// The name that section 4.2 gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "Initial",
            Self::Starting => "Starting",
            Self::Closed => "Closed",
            Self::Stopped => "Stopped",
            Self::Closing => "Closing",
            Self::Stopping => "Stopping",
            Self::ReqSent => "Request-Sent",
            Self::AckRcvd => "Ack-Received",
            Self::AckSent => "Ack-Sent",
            Self::Opened => "Opened",
        }
    }

    /// The state after an event; the same where the table has no transition.
    pub fn after(self, event: Event) -> Self {
        let row = TABLE.iter().find(|(known, _)| *known == event);
        let column = STATES.iter().position(|state| *state == self);
        let number = row.zip(column).and_then(|((_, row), column)| row.get(column));
        number.and_then(|number| STATES.get(usize::from(*number))).copied().unwrap_or(self)
    }

    /// Whether a request of its own waits for a Configure-Ack.
    pub fn asks(self) -> bool {
        matches!(self, Self::ReqSent | Self::AckSent)
    }
}

#[cfg(test)]
mod tests {
    use super::Event::*;
    use super::*;

    /// The rows of section 4.1 that an observer has as they are: copied from the RFC, numbers only.
    #[test]
    fn rows_that_are_the_rfcs() {
        for (event, row) in [
            (Up, "2 6 - - - - - - - -"),
            (Down, "- - 0 1 0 1 1 1 1 1"),
            (ReceivesAck, "- - 2 3 4 5 7 6 9 6"),
            (ReceivesNak, "- - 2 3 4 5 6 6 8 6"),
            (ReceivesTerminateAck, "- - 2 3 2 3 6 6 8 6"),
            (ReceivesReject, "- - 2 3 2 3 3 3 3 5"),
            (SendsCodeReject, "- - 2 3 4 5 6 7 8 9"),
        ] {
            for ((column, state), cell) in STATES.iter().enumerate().zip(row.split(' ')) {
                let number = cell.parse().unwrap_or(column);
                assert_eq!(state.after(event), STATES[number], "{event:?} in {}", state.name());
            }
        }
    }

    /// `RCR+`, `RCR-` and `RTR` are seen by the answer: where the RFC has `sca`, `scn` or `sta`, the states agree.
    #[test]
    fn answers_move_as_what_they_answer() {
        for (event, row) in [
            (SendsAck, "- - - 8 - - 8 9 8 8"),
            (SendsNak, "- - - 6 - - 6 7 6 6"),
            (SendsTerminateAck, "- - 2 3 4 5 6 6 6 5"),
        ] {
            for (state, cell) in STATES.iter().zip(row.split(' ')) {
                if let Ok(number) = cell.parse::<usize>() {
                    assert_eq!(state.after(event), STATES[number], "{event:?} in {}", state.name());
                }
            }
        }
    }

    /// `scr` is what timeouts and refusals lead to, `str` what Close does.
    #[test]
    fn requests_move_as_what_makes_an_end_send_them() {
        // TO+ in 6, 7 and 8; Open in 2; RCA, RCN, RTA and RCR in 9.
        for (state, after) in [(6, 6), (7, 6), (8, 8), (2, 6), (9, 6), (3, 6), (1, 6)] {
            assert_eq!(STATES[state].after(SendsRequest), STATES[after]);
        }
        for (state, after) in [(4, 4), (5, 5), (6, 4), (7, 4), (8, 4), (9, 4)] {
            assert_eq!(STATES[state].after(SendsTerminateRequest), STATES[after]);
        }
    }

    #[test]
    fn an_end_that_only_acknowledges_never_opens() {
        let mut state = State::Initial;
        for _ in 0..10 {
            state = state.after(SendsAck);
        }
        assert_eq!(state, State::AckSent);
        // Nearly: it asks as well, and is acknowledged.
        assert_eq!(state.after(SendsRequest).after(ReceivesAck), State::Opened);
    }

    #[test]
    fn both_orders_of_acknowledgement_open() {
        let asked = State::Initial.after(SendsRequest);
        assert_eq!(asked.after(SendsAck).after(ReceivesAck), State::Opened);
        assert_eq!(asked.after(ReceivesAck).after(SendsAck), State::Opened);
        // Nearly: one of them is a refusal.
        assert_eq!(asked.after(SendsNak).after(ReceivesAck), State::AckRcvd);
        assert_eq!(asked.after(SendsAck).after(ReceivesNak), State::AckSent);
    }
}
