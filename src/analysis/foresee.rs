//! Looks up what the frames of a batch will need before they are followed one by one.
//!
//! With tens of thousands of flows nothing of them is in a cache any more, and a packet that is followed waits for
//! memory some twenty times in turn. Here the same memory is asked for in loops without much else, so that the waits of
//! many packets pass together. What is *written* counts as much: a store to a line that was not asked for holds up all
//! that follow, so the structs that every packet changes have those fields in their first lines, and one of each line is
//! read here. It changes nothing that a report shows.

use std::hint::black_box;

use crate::dissect::layers::{EspOutcome, Layers};

use super::ids::{CallId, ConnectionId, FlowId};
use super::ipsec::flow::Flow;
use super::log::What;
use super::tracker::Tracker;
use super::traffic::CallTraffic;

/// With fewer flows and connections than this everything is in the caches anyway. Tests foresee as soon as there is one.
const FEW: usize = if cfg!(debug_assertions) { 1 } else { 256 };

/// What is known of a frame before it is followed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Foreseen {
    pub(super) flow: Option<FlowId>,
    /// Holds while [`Routes::version`](super::identity) is the same.
    pub(super) route: Option<Route>,
}

/// Where an L2TP header leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) version: u64,
    pub(super) connection: ConnectionId,
    /// The end that receives.
    pub(super) end: u8,
    call: Option<CallId>,
}

/// Looks up flows, connections and calls of some frames, and has their memory come nearer.
pub(super) fn look_ahead(tracker: &Tracker, layers: &[Layers], foreseen: &mut Vec<Foreseen>) {
    foreseen.clear();
    if tracker.found.flows.len().saturating_add(tracker.found.connections.len()) < FEW {
        foreseen.resize(layers.len(), Foreseen::default());
        return;
    }
    foreseen.extend(layers.iter().map(|layers| look_up(tracker, layers)));
    let digests = layers.iter().filter_map(|layers| layers.digest);
    let mut sum = digests.fold(0, |sum, digest| sum ^ tracker.doubles.touch(digest));
    for (one, layers) in foreseen.iter_mut().zip(layers) {
        sum ^= touch_ends(tracker, one, layers);
    }
    for one in foreseen.iter() {
        sum ^= touch_call(tracker, one);
    }
    for one in foreseen.iter() {
        sum ^= touch_traffic(tracker, one);
    }
    black_box(sum);
}

fn look_up(tracker: &Tracker, layers: &Layers) -> Foreseen {
    let flow = layers.esp.as_ref().and_then(|esp| match esp.outcome {
        EspOutcome::Opened { sa, .. } => tracker.ipsec.flow_of_sa.get(sa.index()).copied().flatten(),
        _ => None,
    });
    let route = match (&layers.udp, &layers.l2tp) {
        (Some(udp), Some(header)) => tracker.identity.routes.find_exact(udp, header.tunnel_id),
        _ => None,
    };
    let version = tracker.identity.routes.version();
    let route = route.map(|(connection, end)| Route { version, connection, end, call: None });
    Foreseen { flow, route }
}

fn touch_ends(tracker: &Tracker, one: &mut Foreseen, layers: &Layers) -> u64 {
    let mut sum = one.flow.and_then(|id| tracker.found.flow(id)).map_or(0, Flow::touch);
    let (Some(route), Some(header)) = (&mut one.route, &layers.l2tp) else { return sum };
    let Some(connection) = tracker.found.connection(route.connection) else { return sum };
    if !header.is_control() {
        let session = header.session_id;
        let recent = connection.recent_call(route.end, session);
        route.call = recent.or_else(|| tracker.identity.routes.session(route.connection, route.end, session));
    }
    let (from, to) = (connection.end(1u8.saturating_sub(route.end)), connection.end(route.end));
    sum ^= from.packets ^ from.last.map_or(0, |last| last.0) ^ u64::from(from.endpoint.port);
    sum ^= u64::from(to.tunnel_id.is_some()) ^ connection.log.events().len() as u64;
    sum ^= u64::from(from.closed_at.is_some());
    sum ^ u64::from(connection.protection[0])
}

fn touch_call(tracker: &Tracker, one: &Foreseen) -> u64 {
    let Some(route) = one.route else { return 0 };
    let connection = tracker.found.connection(route.connection);
    let mut sum = match connection.and_then(|connection| connection.log.events().last()) {
        Some(event) => match &event.what {
            What::Data(run) => event.at.packet ^ run.count.last().copied().unwrap_or(0),
            _ => event.at.packet,
        },
        None => 0,
    };
    if let Some(call) = route.call.and_then(|id| tracker.found.call(id)) {
        let [first, second] = &call.data;
        let data = if route.end == 0 { second } else { first };
        sum ^= data.packets ^ data.network ^ u64::from(data.sequenced);
        sum ^= u64::from(call.unannounced) ^ u64::from(call.closed_at[0].is_some());
    }
    sum
}

/// What a call points at is asked for when the call itself has come.
fn touch_traffic(tracker: &Tracker, one: &Foreseen) -> u64 {
    let Some(call) = one.route.and_then(|route| tracker.found.call(route.call?)) else { return 0 };
    u64::from(call.ppp.is_settled()) ^ call.traffic.get().map_or(0, CallTraffic::touch)
}
