//! What names a control connection, a call and a flow; counters that stay at their highest value.

/// The place of a control connection in its table. A place is used again when a flood or a long capture let go of what
/// was there; numbers are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// The number of a call, less one: call `C1` has 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u32);

/// The index of an ESP flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u32);

pub(crate) fn bump(count: &mut u64) {
    *count = count.saturating_add(1);
}

pub(crate) fn bump32(count: &mut u32) {
    *count = count.saturating_add(1);
}
