//! Where one end of a call stands: the states of RFC 2661 sections 7.4 and 7.5 and RFC 3931 sections 7.3 and 7.4.

/// Where one end of a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallEndState {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// It has a request to answer: in the RFC a step within `idle`.
    Asked,
    /// It asked.
    WaitReply,
    /// It has the answer, and what connects the call is due: in the RFC a step within `wait-reply`.
    Accepted,
    /// It waits for what connects the call.
    WaitConnect,
    /// It answered, and waits until the number it dials is answered.
    WaitCsAnswer,
    /// The call is up.
    Established,
    /// It was disconnected: `idle` again.
    Closed,
}

impl CallEndState {
    /// The name of the state in the RFC.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle | Self::Asked | Self::Closed => "idle",
            Self::WaitReply | Self::Accepted => "wait-reply",
            Self::WaitConnect => "wait-connect",
            Self::WaitCsAnswer => "wait-cs-answer",
            Self::Established => "established",
        }
    }
}
