//! What Ns and Nr of a message say of its sender, and what its receiver left unacknowledged (RFC 2661 section 5.8).

use crate::dissect::layers::MessageType;

use super::delivery::{Outstanding, Retransmission};
use super::message::{SeenMessage, other};
use crate::analysis::ids::ConnectionId;
use crate::analysis::log::Observation;
use crate::analysis::timing::REORDERED;
use crate::analysis::tracker::Tracker;

/// The window of a peer that names none (RFC 2661 section 4.4.3).
const WINDOW: u16 = 4;

/// So many copies of acknowledged messages without any answer between them, and not all at once, show a receiver that does
/// not acknowledge copies.
const UNANSWERED_COPIES: u8 = 3;

/// Notes what the numbers of a message show.
pub(super) fn observe(
    tracker: &mut Tracker,
    id: ConnectionId,
    from: u8,
    message: &SeenMessage<'_>,
    again: Option<Retransmission>,
) {
    let (Some(ns), Some(nr)) = (message.header.ns, message.header.nr) else { return };
    let at = message.at;
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let from_start = connection.from_start;
    let window = connection.end(other(from)).window;
    let round_trip = connection.round_trip();
    // What it acknowledges and the capture lacks may have acknowledged messages of it in turn.
    let peer_sent = &connection.end(other(from)).delivery;
    let unseen = peer_sent.next().is_none_or(|next| nr.is_newer_than(next));
    connection.end_mut(other(from)).delivery.unanswered_copies = 0;
    let heard = connection.end(other(from)).last;
    let delivery = &mut connection.end_mut(from).delivery;
    // What the path reordered is not older than that.
    let older = delivery.nr_sent.is_some_and(|sent| sent.is_newer_than(nr));
    let stale = older && at.time.since(delivery.nr_since) > REORDERED;
    if delivery.nr_sent.is_none_or(|sent| nr.is_newer_than(sent)) {
        (delivery.nr_sent, delivery.nr_since) = (Some(nr), at.time);
    }
    let mut seen = [None; 6];
    let [first, second, third, fourth, fifth, sixth] = &mut seen;
    if stale {
        *first = Some(if again.is_some() { Observation::StaleNr } else { Observation::NrBackwards });
    }
    let mut amount = 1;
    match again {
        Some(again) => {
            *second = again.different.then_some(Observation::OtherMessage);
            *third = again.acknowledged.then_some(Observation::ResentAfterAcknowledgement);
            *fourth = again.flat.then_some(Observation::FlatBackoff);
            *fifth = again.capped_low.then_some(Observation::LowCap);
            *sixth = again.early.then_some(Observation::EarlyResend);
            if again.acknowledged {
                if delivery.unanswered_copies == 0 {
                    delivery.unanswered_since = at.time;
                }
                delivery.unanswered_copies = delivery.unanswered_copies.saturating_add(1);
                let since = delivery.unanswered_since;
                if delivery.unanswered_copies >= UNANSWERED_COPIES && at.time.since(since) > REORDERED {
                    // Whoever sends data meanwhile is not cut off.
                    let alive = heard.is_some_and(|(_, last)| last > since);
                    delivery.unanswered_copies = 0;
                    tracker.of_connection(id, from, Observation::CopyNotAcknowledged, at, alive.into());
                }
            }
        }
        None if message.kind.is_acknowledgement() => {
            *second = delivery.zlb(ns, at.time).then_some(Observation::ZlbNumber);
        }
        None => {
            // An acknowledgement of the oldest cannot have come back yet, if it was sent less than a round trip before.
            // One that the capture lacks may have opened the window once more, and not twice. What was not sent again in
            // time was acknowledged.
            let allowed = usize::from(window.unwrap_or(WINDOW).max(1));
            let longest = round_trip.unwrap_or_default();
            let waits = |known: &&Outstanding| known.is_awaited(at.time, longest);
            let open = delivery.outstanding.iter().filter(waits).count();
            let waited = delivery.outstanding.first().map(|oldest| at.time.since(oldest.first));
            let too_soon = waited
                .zip(round_trip)
                .is_some_and(|(waited, round_trip)| waited.0.saturating_mul(2) < round_trip.0);
            let far = open > allowed.saturating_mul(2);
            *second = (from_start && open > allowed && !unseen && (too_soon || far))
                .then_some(Observation::WindowExceeded);
            let opens = message.is(MessageType::SCCRQ) || from_start && message.is(MessageType::SCCRP);
            if opens && ns.0 != 0 && delivery.begins_with(ns) {
                *third = Some(Observation::FirstNs);
                amount = ns.0.into();
            }
        }
    }
    for what in seen.into_iter().flatten() {
        let amount = if what == Observation::FirstNs { amount } else { 1 };
        tracker.of_connection(id, from, what, at, amount);
    }
}
