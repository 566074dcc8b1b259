//! What the tracker looks up of IPsec: flows by SPI, IKE SAs by their SPI, and the last packets under ESP.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::dissect::layers::{Addresses, Control, Endpoint, L2tp, Udp};
use crate::util::{Duration, Timestamp};

use crate::analysis::ids::FlowId;

/// The tables.
#[derive(Debug, Default)]
pub(in crate::analysis) struct IpsecIndex {
    pub(in crate::analysis) flows: HashMap<(u32, Addresses), FlowId>,
    /// The newest flow of each SA: the usual one.
    pub(in crate::analysis) flow_of_sa: Vec<Option<FlowId>>,
    pub(in crate::analysis) ike: HashMap<u64, usize>,
    pub(in crate::analysis) decrypted: Decrypted,
}

/// A kernel hands on what it decrypted at once.
const AT_ONCE: Duration = Duration::millis(2);
/// Packets that are remembered for that long.
const MOST: usize = 8;

/// A control message as both copies carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) struct Seen {
    ends: (Endpoint, Endpoint),
    header: L2tp,
    body: u64,
}

impl Seen {
    pub(super) fn new(udp: &Udp, header: &L2tp, control: &Control) -> Self {
        Self { ends: (udp.source, udp.destination), header: *header, body: control.body }
    }
}

/// The last packets under ESP.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Decrypted {
    messages: VecDeque<(Seen, Timestamp)>,
    sealed: VecDeque<(Addresses, Timestamp)>,
}

fn push<T>(queue: &mut VecDeque<(T, Timestamp)>, what: T, time: Timestamp) {
    if queue.len() >= MOST {
        queue.pop_front();
    }
    queue.push_back((what, time));
}

fn just_now<T: PartialEq>(queue: &VecDeque<(T, Timestamp)>, what: &T, time: Timestamp) -> bool {
    let near = |then: Timestamp| time.since(then) >= Duration::ZERO && time.since(then) <= AT_ONCE;
    queue.iter().any(|(known, then)| known == what && near(*then))
}

impl Decrypted {
    /// Remembers a control message that came under ESP.
    pub(super) fn message(&mut self, seen: Seen, time: Timestamp) {
        push(&mut self.messages, seen, time);
    }

    /// Whether any came.
    pub(super) fn has_messages(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Whether this one came just now.
    pub(super) fn was_just_seen(&self, seen: &Seen, time: Timestamp) -> bool {
        just_now(&self.messages, seen, time)
    }

    /// Remembers an ESP packet that could not be opened.
    pub(super) fn sealed(&mut self, addresses: Addresses, time: Timestamp) {
        push(&mut self.sealed, addresses, time);
    }

    /// Whether such a packet came just now, from and to the hosts of this one.
    pub(in crate::analysis) fn follows(&self, udp: &Udp, time: Timestamp) -> bool {
        let addresses = Addresses { source: udp.source.address, destination: udp.destination.address };
        !self.sealed.is_empty() && just_now(&self.sealed, &addresses, time)
    }
}
