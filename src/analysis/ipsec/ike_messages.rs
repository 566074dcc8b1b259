//! IKE messages: to which IKE SA they belong.

use crate::dissect::layers::{Addresses, Ike};

use super::ike::sa::IkeSa;
use crate::analysis::limits::Limit;
use crate::analysis::log::Change;
use crate::analysis::log::fresh::{Entity, Fresh, News};
use crate::analysis::meta::Meta;
use crate::analysis::tracker::Tracker;

/// Takes an IKE message.
pub(in crate::analysis) fn take(tracker: &mut Tracker, ike: &Ike, addresses: Addresses, meta: &Meta) {
    let at = match tracker.ipsec.ike.get(&ike.initiator_spi) {
        Some(at) => *at,
        None if tracker.found.ike.len() >= tracker.limits.ike => {
            tracker.found.reach(Limit::Ike);
            return;
        }
        None => {
            let at = tracker.found.ike.len();
            tracker.found.ike.push(IkeSa::new(ike, addresses, meta.at()));
            tracker.ipsec.ike.insert(ike.initiator_spi, at);
            at
        }
    };
    if let Some(sa) = tracker.found.ike.get_mut(at) {
        let before = sa.outcome();
        sa.push(ike, addresses, meta.at());
        if sa.outcome() != before && sa.outcome() != Some("no-answer") {
            let what = News::Change(Change::IkeOutcome);
            tracker.fresh.push(Fresh { at: meta.at(), entity: Entity::Ike(at), end: 0, what });
        }
    }
}
