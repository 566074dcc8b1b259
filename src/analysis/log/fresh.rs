//! What happens while a capture goes on, as it happens: the events of all logs that a person beside it waits for.

use super::event::{Change, Effect};
use crate::analysis::ids::{CallId, ConnectionId, FlowId};
use crate::analysis::meta::At;

/// Whose event it is. Ids hold until the tracker lets go of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// A control connection.
    Connection(ConnectionId),
    /// A call.
    Call(CallId),
    /// An SA.
    Flow(FlowId),
    /// An IKE SA: its index.
    Ike(usize),
}

/// An event that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh {
    /// The packet that shows it, and when.
    pub at: At,
    /// Whose it is.
    pub entity: Entity,
    /// Which end did it.
    pub end: u8,
    /// What.
    pub what: News,
}

/// What it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// What a control message did.
    Effect(Effect),
    /// A change that no control message says.
    Change(Change),
}

/// Events that wait to be taken: more than ever happen between two ticks, unless it is a flood.
const MOST_WAITING: usize = 16_384;

/// Events that wait to be taken, if anybody does.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Waiting(Option<Vec<Fresh>>);

impl Waiting {
    /// Keeps them from now on.
    pub(in crate::analysis) fn watch(&mut self) {
        self.0 = Some(Vec::new());
    }

    /// Whether anybody waits for them.
    pub(in crate::analysis) fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    /// Takes those since the last call.
    pub(in crate::analysis) fn take(&mut self) -> Vec<Fresh> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(in crate::analysis) fn push(&mut self, fresh: Fresh) {
        if let Some(waiting) = &mut self.0
            && waiting.len() < MOST_WAITING
        {
            waiting.push(fresh);
        }
    }
}
