//! ESP packets: to which flow they belong, and what about them is worth noting (RFC 4303).

use crate::dissect::layers::{Esp, EspOutcome, Layers};

use super::flow::{self, Arrival, Flow};
use crate::analysis::foresee::Foreseen;
use crate::analysis::ids::{FlowId, bump};
use crate::analysis::limits::Limit;
use crate::analysis::log::fresh::{Entity, Fresh, News};
use crate::analysis::log::{Change, Observation};
use crate::analysis::meta::Meta;
use crate::analysis::tracker::Tracker;

/// SAs of which the first packet is news: more than that is a flood of SPIs.
const MOST_NEWS: usize = 1024;

/// Counts ESP packets; says whether their receiver would look into the outermost.
pub(in crate::analysis) fn packets(
    tracker: &mut Tracker,
    layers: &Layers,
    meta: &Meta,
    foreseen: Foreseen,
) -> bool {
    let mut look = true;
    bump(&mut tracker.found.totals.esp_frames);
    for esp in layers.esp.iter().chain(&layers.deeper_esp) {
        if esp.outcome == EspOutcome::Cut {
            bump(&mut tracker.found.totals.esp_cut);
        }
        let Some(id) = flow_of(tracker, esp, meta, foreseen) else { continue };
        let Some(flow) = tracker.found.flows.get_mut(id.0 as usize) else { continue };
        let moved = flow.moves(esp.ports.unwrap_or_default());
        let arrival = flow.push(esp, meta.time, meta.packet);
        let (first, sealed) = (flow.is_first(), flow.is_first_sealed(&esp.outcome));
        // Asked of the packet and not of the flow, whose counts of what is rare are in lines of their own.
        let odd = flow::oddities(&esp.outcome);
        if first || sealed {
            happened(tracker, meta, id, sealed);
        }
        if moved {
            tracker.of_flow(id, Observation::EspPorts, meta.at(), 1);
        }
        if odd.0 {
            tracker.of_flow(id, Observation::EspPadding, meta.at(), 1);
        }
        if odd.1 {
            tracker.of_flow(id, Observation::EspNextHeader, meta.at(), 1);
        }
        if esp.sequence == 0 {
            tracker.of_flow(id, Observation::EspZero, meta.at(), 1);
        }
        match arrival {
            Some(Arrival::Again) => {
                tracker.context.replayed = true;
                tracker.of_flow(id, Observation::EspReplay, meta.at(), 1);
                look = false;
            }
            Some(Arrival::TooOld) => look = false,
            Some(Arrival::After(skipped)) => {
                tracker.context.esp_skipped = skipped;
                tracker.of_flow(id, Observation::EspGap, meta.at(), u64::from(skipped));
            }
            _ => {}
        }
        match esp.outcome {
            EspOutcome::BadIcv { .. } | EspOutcome::BadPadding { .. } | EspOutcome::TooShort => {
                tracker.of_flow(id, Observation::BadIcv, meta.at(), 1);
            }
            EspOutcome::NoKey | EspOutcome::Unsupported { .. } => {
                tracker.ipsec.decrypted.sealed(esp.addresses, meta.time);
                tracker.of_flow(id, Observation::NoKey, meta.at(), 1);
            }
            _ => {}
        }
    }
    look
}

/// The flow of an ESP packet, a new one if it must be.
fn flow_of(tracker: &mut Tracker, esp: &Esp, meta: &Meta, foreseen: Foreseen) -> Option<FlowId> {
    let same = |flow: &Flow| flow.spi == esp.spi && flow.addresses == esp.addresses;
    if let Some(id) = foreseen.flow.filter(|id| tracker.found.flow(*id).is_some_and(same)) {
        return Some(id);
    }
    let key = (esp.spi.0, esp.addresses);
    let id = match tracker.ipsec.flows.get(&key) {
        Some(id) => *id,
        None if tracker.found.flows.len() >= tracker.limits.flows => {
            tracker.found.reach(Limit::Flows);
            return None;
        }
        None => {
            let id = FlowId(u32::try_from(tracker.found.flows.len()).unwrap_or(u32::MAX));
            tracker.found.flows.push(Flow::new(esp, meta.time, meta.packet));
            tracker.ipsec.flows.insert(key, id);
            id
        }
    };
    if let EspOutcome::Opened { sa, .. } = esp.outcome {
        if tracker.ipsec.flow_of_sa.len() <= sa.index() {
            tracker.ipsec.flow_of_sa.resize(sa.index().saturating_add(1), None);
        }
        if let Some(newest) = tracker.ipsec.flow_of_sa.get_mut(sa.index()) {
            *newest = Some(id);
        }
    }
    Some(id)
}

/// What the first packet of a flow, or its first that could not be opened, made happen.
fn happened(tracker: &mut Tracker, meta: &Meta, id: FlowId, sealed: bool) {
    if id.0 as usize >= MOST_NEWS {
        return;
    }
    let what = News::Change(if sealed { Change::FirstSealed } else { Change::FirstPacket });
    tracker.fresh.push(Fresh { at: meta.at(), entity: Entity::Flow(id), end: 0, what });
}
