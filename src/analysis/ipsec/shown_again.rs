//! What a gateway's capture shows twice: an ESP packet, and once more what its kernel made of it.
//!
//! A capture on the gateway itself may see packets of one direction as they came and as they were decrypted, and those of
//! the other under ESP alone. The second copy is no message of its own, and nothing ran in the clear.

use std::collections::VecDeque;

use crate::dissect::layers::{Addresses, Control, Endpoint, L2tp, Udp};
use crate::util::{Duration, Timestamp};

use crate::analysis::facts::{Fact, Scope};
use crate::analysis::{ConnectionId, Meta, Tracker};

/// A kernel hands on what it decrypted at once.
const AT_ONCE: Duration = Duration::millis(2);
/// Packets that are remembered for that long.
const MOST: usize = 8;

/// A control message as both copies carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    ends: (Endpoint, Endpoint),
    header: L2tp,
    body: u64,
}

/// The last packets under ESP.
#[derive(Debug, Default)]
pub(crate) struct Decrypted {
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
    /// Remembers an ESP packet that could not be opened.
    pub(in crate::analysis) fn sealed(&mut self, addresses: Addresses, time: Timestamp) {
        push(&mut self.sealed, addresses, time);
    }

    /// Whether such a packet came just now, from and to the hosts of this one.
    pub(in crate::analysis) fn follows(&self, udp: &Udp, time: Timestamp) -> bool {
        let addresses = Addresses { source: udp.source.address, destination: udp.destination.address };
        !self.sealed.is_empty() && just_now(&self.sealed, &addresses, time)
    }
}

impl Tracker {
    /// Whether a packet is the second copy of one that came under ESP. A control message is one if all it says was
    /// there just now. Data behind it is one if it is of the same end.
    pub(in crate::analysis) fn shown_again(
        &mut self,
        meta: &Meta,
        udp: &Udp,
        header: &L2tp,
        control: Option<&Control>,
        protected: bool,
    ) -> bool {
        if protected {
            if let Some(control) = control {
                let seen = Seen { ends: (udp.source, udp.destination), header: *header, body: control.body };
                push(&mut self.decrypted.messages, seen, meta.time);
            }
            return false;
        }
        !self.decrypted.messages.is_empty() && self.copies(meta, udp, header, control)
    }

    #[cold]
    fn copies(&mut self, meta: &Meta, udp: &Udp, header: &L2tp, control: Option<&Control>) -> bool {
        let place = match control {
            Some(control) => {
                let seen = Seen { ends: (udp.source, udp.destination), header: *header, body: control.body };
                just_now(&self.decrypted.messages, &seen, meta.time)
                    .then(|| {
                        self.whose(udp, header)
                            .or_else(|| self.newest_between(udp, header.version(), |_, _| true))
                    })
                    .flatten()
            }
            None => self.whose(udp, header).filter(|(id, from)| self.shows_again(*id, *from)),
        };
        let Some((id, from)) = place else { return false };
        let Some(connection) = self.state.connections.get_mut(id) else { return false };
        crate::analysis::bump32(&mut connection.end_mut(from).shown_again);
        (self.place.connection, self.place.from) = (Some(connection.number), Some(from));
        let scope = Scope { connection: Some(connection.number), end: Some(from), ..Scope::default() };
        self.note(Fact::ShownAgain, scope, meta, 1);
        true
    }

    fn shows_again(&self, id: ConnectionId, from: u8) -> bool {
        self.state.connection(id).is_some_and(|connection| connection.end(from).shown_again > 0)
    }
}
