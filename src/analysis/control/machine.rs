//! State machines as tables: what an end sends or receives moves its own machine, and no other.

use crate::dissect::layers::MessageType;

/// What happens to one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It sends a message of this type.
    Sends(MessageType),
    /// It handles a message of this type from its peer.
    Receives(MessageType),
}

/// A row of a table: in which state, what happens, and the state after it.
pub(super) type Row<S> = (S, Event, S);

/// The state after an event; `None` where the table has no place for it.
pub(super) fn next<S: Copy + PartialEq>(table: &[Row<S>], state: S, event: Event) -> Option<S> {
    table.iter().find(|(from, what, _)| *from == state && *what == event).map(|(.., to)| *to)
}

/// The state in which an end must have been to send or handle this: the last row that leads somewhere by this event.
pub(super) fn implied<S: Copy>(table: &[Row<S>], event: Event) -> Option<S> {
    table.iter().rev().find(|(_, what, _)| *what == event).map(|(.., to)| *to)
}
