//! Where to find an observation: its kind, whose log it is in, and its place there.

use super::Observation;
use crate::analysis::ids::{CallId, ConnectionId, FlowId};

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// That of the capture as a whole.
    Capture,
    /// Of a control connection.
    Connection(ConnectionId),
    /// Of a call.
    Call(CallId),
    /// Of an SA.
    Flow(FlowId),
}

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    /// What was observed.
    pub what: Observation,
    /// In which log.
    pub whose: Whose,
    /// Its place among the observations of that log.
    pub place: usize,
}
