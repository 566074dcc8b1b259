//! How much the tables of user traffic may hold, in all calls together: how many calls there are, and what is in them, is
//! chosen by whoever sends.

/// TCP connections that are followed in all calls together: some 500 octets each.
const FLOWS: u32 = 65_536;
/// Other entries in all calls together: some 64 octets each.
const ENTRIES: u32 = 524_288;

/// What is left for the tables of user traffic in all calls together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficBudget {
    /// TCP connections.
    pub flows_left: u32,
    /// Echoes and questions that wait, destinations, servers, kinds of errors.
    pub entries_left: u32,
    /// What was not followed for want of room.
    pub refused: u64,
}

impl Default for TrafficBudget {
    fn default() -> Self {
        Self { flows_left: FLOWS, entries_left: ENTRIES, refused: 0 }
    }
}

impl TrafficBudget {
    /// Takes room for a flow, if there is any.
    pub(super) fn flow(&mut self) -> bool {
        take(&mut self.flows_left)
    }

    /// Takes room for an entry; counts what finds none.
    pub(super) fn entry(&mut self) -> bool {
        let taken = take(&mut self.entries_left);
        if !taken {
            self.refuse();
        }
        taken
    }

    #[cold]
    pub(super) fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }

    /// Takes back the room of a call that is let go of.
    pub(super) fn give_back(&mut self, held: Held) {
        self.flows_left = self.flows_left.saturating_add(held.flows);
        self.entries_left = self.entries_left.saturating_add(held.entries);
    }
}

fn take(left: &mut u32) -> bool {
    match left.checked_sub(1) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

/// The room that the tables of one call hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub flows: u32,
    pub entries: u32,
}

impl Held {
    pub(super) fn entries(count: usize) -> Self {
        Self { flows: 0, entries: u32::try_from(count).unwrap_or(u32::MAX) }
    }
}

impl Held {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            flows: self.flows.saturating_add(other.flows),
            entries: self.entries.saturating_add(other.entries),
        }
    }
}
