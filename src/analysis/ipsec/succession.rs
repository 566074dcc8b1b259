//! Which SA took the place of which: a rekey makes a new SPI between the same ends (RFC 4301 section 4.4.2.1).

use hashbrown::HashMap;

use crate::dissect::layers::{Addresses, Encapsulation};

use crate::analysis::FlowId;
use crate::analysis::ipsec::flow::Flow;

/// What an SA and its successor have in common; the ports tell clients behind one NAT apart.
type Ends = (Addresses, Encapsulation, (u16, u16));

/// Ties each flow to the next one between the same ends that begins later and outlives it. Ends that use more SAs than
/// one at a time (`parallel` of them began before any ended) cannot be told apart and are left alone.
pub(in crate::analysis) fn follow(flows: &mut [Flow]) {
    for flow in &mut *flows {
        (flow.replaced_by, flow.replaces) = (None, None);
    }
    let mut by_ends: HashMap<Ends, Vec<usize>> = HashMap::new();
    for (at, flow) in flows.iter().enumerate() {
        by_ends.entry((flow.addresses, flow.encapsulation, flow.ports)).or_default().push(at);
    }
    let mut ties = Vec::new();
    for list in by_ends.values_mut() {
        list.sort_by_key(|at| flows.get(*at).map(|flow| flow.first));
        for pair in list.windows(2) {
            let [old, new] = pair else { continue };
            let (Some(before), Some(after)) = (flows.get(*old), flows.get(*new)) else { continue };
            // The old one ended before the new one did, and most of the new one's packets came after.
            let overlaps = before.last.0.since(after.first.0);
            let lived = after.last.0.since(after.first.0);
            if before.last.0 <= after.last.0 && overlaps.0.saturating_mul(2) <= lived.0.max(1) {
                ties.push((*old, *new));
            }
        }
    }
    for (old, new) in ties {
        let id = |at: usize| u32::try_from(at).ok().map(FlowId);
        if let Some(flow) = flows.get_mut(old) {
            flow.replaced_by = id(new);
        }
        if let Some(flow) = flows.get_mut(new) {
            flow.replaces = id(old);
        }
    }
}
