//! Whose log it is in which anything was observed.

use crate::analysis::ids::{CallId, ConnectionId, FlowId};

/// What has a log of its own beside the capture.
#[derive(Debug, Clone, Copy)]
pub enum Noted {
    /// A control connection.
    Connection(ConnectionId),
    /// A call.
    Call(CallId),
    /// An SA.
    Flow(FlowId),
}
