//! What a gateway's capture shows twice: an ESP packet, and once more what its kernel made of it.
//!
//! A capture on the gateway itself may see packets of one direction as they came and as they were decrypted, and those of
//! the other under ESP alone. The second copy is no message of its own, and nothing ran in the clear.

use crate::dissect::layers::{Control, L2tp, Udp};

use super::index::Seen;
use crate::analysis::ids::{ConnectionId, bump32};
use crate::analysis::log::Observation;
use crate::analysis::meta::Meta;
use crate::analysis::tracker::Tracker;

/// Whether a packet is the second copy of one that came under ESP. A control message is one if all it says was there just
/// now. Data after it is one if it is from the same end.
pub(in crate::analysis) fn is_copy(
    tracker: &mut Tracker,
    meta: &Meta,
    udp: &Udp,
    header: &L2tp,
    control: Option<&Control>,
    protected: bool,
) -> bool {
    if protected {
        if let Some(control) = control {
            tracker.ipsec.decrypted.message(Seen::new(udp, header, control), meta.time);
        }
        return false;
    }
    tracker.ipsec.decrypted.has_messages() && copies(tracker, meta, udp, header, control)
}

#[cold]
fn copies(tracker: &mut Tracker, meta: &Meta, udp: &Udp, header: &L2tp, control: Option<&Control>) -> bool {
    let (identity, found) = (&tracker.identity, &tracker.found);
    let owner = match control {
        Some(control) => tracker
            .ipsec
            .decrypted
            .was_just_seen(&Seen::new(udp, header, control), meta.time)
            .then(|| {
                let newest = || identity.newest_between(found, udp, header.version(), |_, _| true);
                identity.of_header(found, udp, header).or_else(newest)
            })
            .flatten(),
        None => identity.of_header(found, udp, header).filter(|(id, from)| shows_again(tracker, *id, *from)),
    };
    let Some((id, from)) = owner else { return false };
    let Some(connection) = tracker.found.connections.get_mut(id) else { return false };
    bump32(&mut connection.end_mut(from).shown_again);
    (tracker.context.connection, tracker.context.from) = (Some(connection.number), Some(from));
    tracker.of_connection(id, from, Observation::ShownAgain, meta.at(), 1);
    true
}

fn shows_again(tracker: &Tracker, id: ConnectionId, from: u8) -> bool {
    tracker.found.connection(id).is_some_and(|connection| connection.end(from).shown_again > 0)
}
