//! What packets say beside control messages, PPP negotiation and IKE, kept in the logs where that is asked for, so that two
//! captures can be compared message by message.

use std::sync::Arc;

use crate::dissect::layers::{Addresses, Ike, Layers, PppBody, PppControl};

use super::log::{Event, Said, What};
use super::meta::Meta;
use super::tracker::Tracker;

/// What an option or transform takes beside its octets, about.
const PART: usize = 96;

/// Keeps what a frame says.
pub(super) fn take_down(tracker: &mut Tracker, meta: &Meta, layers: &Layers) {
    if !tracker.budget.transcribes() {
        return;
    }
    if let (Some(ike), Some(addresses)) = (&layers.ike, layers.addresses) {
        in_ike(tracker, meta, ike, addresses);
        return;
    }
    let (Some(call), Some(from)) = (tracker.context.call, tracker.context.from) else { return };
    let ppp = layers.ppp.as_ref().and_then(|ppp| ppp.control.as_deref());
    let Some(ppp) = ppp.filter(|ppp| !keeps_alive(ppp)) else { return };
    let parts = if let PppBody::Options(options) = &ppp.body { options.len() } else { 1 };
    let octets = usize::from(ppp.length).saturating_add(parts.saturating_mul(PART));
    if tracker.budget.take_said(octets)
        && let Some(call) = tracker.found.calls.get_mut(call)
    {
        let said = Said { cut: meta.captured < meta.original, ppp: Some(ppp.without_secrets()), ike: None };
        let event = Event { at: meta.at(), end: from, what: What::Said(Arc::new(said)) };
        call.log.push(event, &mut tracker.budget);
    }
}

fn in_ike(tracker: &mut Tracker, meta: &Meta, ike: &Ike, addresses: Addresses) {
    let Some(at) = tracker.ipsec.ike.get(&ike.initiator_spi).copied() else { return };
    let parts: usize = ike.contents.offers.iter().map(|offer| offer.transforms.len()).sum();
    let octets = (ike.length as usize).min(1 << 16).saturating_add(parts.saturating_mul(PART));
    if tracker.budget.take_said(octets)
        && let Some(sa) = tracker.found.ike.get_mut(at)
    {
        let end = u8::try_from(sa.sender(ike, addresses)).unwrap_or(0);
        let said = Said { cut: meta.captured < meta.original, ppp: None, ike: Some(ike.clone()) };
        let event = Event { at: meta.at(), end, what: What::Said(Arc::new(said)) };
        sa.log.push(event, &mut tracker.budget);
    }
}

/// LCP Echo, Discard, Identification and Time-Remaining, and Reset of CCP: how many depends on time and loss.
fn keeps_alive(ppp: &PppControl) -> bool {
    const LQR: u16 = 0xc025;
    matches!(ppp.body, PppBody::Magic(_)) || matches!(ppp.code, 9..=15) || ppp.protocol == LQR
}
