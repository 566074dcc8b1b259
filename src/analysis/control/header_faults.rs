//! Headers that break RFC 2661 section 3.1 before there is a message: lengths that lie, and versions.

use crate::dissect::Protocol;
use crate::dissect::layers::{L2tpFault, Layers, Stop, Udp};

use crate::analysis::ids::{ConnectionId, bump};
use crate::analysis::log::Observation;
use crate::analysis::meta::Meta;
use crate::analysis::tracker::Tracker;

/// Notes what is wrong with an L2TP header, whether the packet could be read or not.
#[cold]
pub(in crate::analysis) fn header(tracker: &mut Tracker, layers: &Layers, meta: &Meta) {
    let beyond = layers.overrun.as_deref().filter(|fault| fault.layer == Protocol::L2tp);
    let (what, amount) = match (beyond, layers.l2tp_fault()) {
        (Some(fault), _) => {
            (Observation::LengthTooBig, fault.what.needed.saturating_sub(fault.what.available))
        }
        (None, Some(L2tpFault::LengthShort)) => (Observation::LengthTooSmall, 1),
        (None, Some(L2tpFault::OffsetLong)) => (Observation::OffsetTooBig, 1),
        (None, None) => return,
    };
    let read = tracker.context.connection_id.zip(tracker.context.from);
    let place = read.or_else(|| layers.udp.as_ref().and_then(|udp| between(tracker, udp)));
    note(tracker, place, what, meta, amount.into());
}

/// Notes a packet of another version than 2 and 3.
#[cold]
pub(in crate::analysis) fn other_version(tracker: &mut Tracker, version: u8, layers: &Layers, meta: &Meta) {
    bump(&mut tracker.found.totals.other_version);
    tracker.of_capture(Observation::OtherVersion, meta.at(), u64::from(version));
    let Some(udp) = &layers.udp else { return };
    let place = between(tracker, udp);
    let whole = !matches!(layers.stop, Stop::Malformed { .. });
    if version == 1 && whole {
        note(tracker, place, Observation::L2f, meta, 1);
    } else if !matches!(version, 1..=3) && place.is_some() {
        note(tracker, place, Observation::UnknownVersion, meta, version.into());
    }
}

fn note(
    tracker: &mut Tracker,
    place: Option<(ConnectionId, u8)>,
    what: Observation,
    meta: &Meta,
    amount: u64,
) {
    match place {
        Some((id, end)) => tracker.of_connection(id, end, what, meta.at(), amount),
        None => tracker.of_capture(what, meta.at(), amount),
    }
}

/// The newest control connection between these ends, and which of them sends.
fn between(tracker: &Tracker, udp: &Udp) -> Option<(ConnectionId, u8)> {
    tracker.identity.between(&tracker.found, udp)
}
