//! Letting go of all that ended but the newest, in a capture that goes on for hours.

use std::net::IpAddr;

use hashbrown::HashSet;

use crate::util::{Duration, Timestamp};

use super::found::Analysis;
use super::identity::older;
use super::ids::{ConnectionId, FlowId};
use super::log::Kind;
use super::release::{Ending, KEPT, SLACK, keep, last, oldest};
use super::tracker::Tracker;

/// How often, in time of packets, what ended is looked for.
const PAUSE: Duration = Duration::millis(500);
/// A closed control connection keeps its state for a full cycle of resends (RFC 2661 section 5.7): 31 s by default.
const CLOSED: Duration = Duration::seconds(60);
/// Nobody resends an SCCRQ for so long.
const UNANSWERED: Duration = Duration::seconds(120);
/// Both where as many are there as this part of all that may be followed: what is resent later than that looks like a
/// control connection of its own, which is better than none.
const CROWDED: [(usize, [Duration; 2]); 2] =
    [(4, [Duration::seconds(1), CYCLE]), (16, [Duration::seconds(10), CYCLE])];
/// A full cycle of resends and more (RFC 2661 section 5.8).
const CYCLE: Duration = Duration::seconds(40);
/// Whether there is so much that ended that [`Tracker::let_go`] has something to do. `now` is the time where no
/// packet tells it.
pub(super) fn is_full(tracker: &mut Tracker, now: Timestamp) -> bool {
    let now = tracker.clock.map_or(now, |clock| clock.max(now));
    let few = KEPT.saturating_add(SLACK);
    let tables = [tracker.found.connections.len(), tracker.found.flows.len(), tracker.found.ike.len()];
    if tables.iter().all(|len| *len <= few) || tracker.release.looked.is_some_and(|at| now.since(at) < PAUSE)
    {
        return false;
    }
    tracker.release.looked = Some(now);
    let ending = ending(tracker, now);
    tracker.release.ending = Some(ending);
    let ended = tracker.found.connections.iter().filter(|one| ending.connection(one)).count();
    let flows = tracker.found.flows.iter().filter(|flow| ending.sa(flow.last.0).is_some()).count();
    let ike = tracker.found.ike.iter().filter(|sa| ending.sa(sa.last.time).is_some()).count();
    [ended, flows, ike].iter().any(|count| *count > few)
}

fn ending(tracker: &Tracker, now: Timestamp) -> Ending {
    let crowded =
        |part: usize| tracker.found.connections.len() > tracker.limits.tunnels.checked_div(part).unwrap_or(0);
    let [closed, unanswered] =
        CROWDED.iter().find(|(part, _)| crowded(*part)).map_or([CLOSED, UNANSWERED], |(_, after)| *after);
    Ending { now, stepped: tracker.stepped, closed, unanswered }
}

/// Lets go of all that ended but the newest. To be called between batches: what was foreseen does not hold any more.
pub(super) fn let_go(tracker: &mut Tracker) {
    let Some(ending) = tracker.release.ending.take() else { return };
    let_go_of_connections(tracker, ending);
    let_go_of_flows(tracker, ending);
    let_go_of_ike(tracker, ending);
}

fn let_go_of_connections(tracker: &mut Tracker, ending: Ending) {
    let all = &tracker.found.connections;
    let goes = oldest(all.iter().map(|one| ending.connection(one).then(|| last(one))));
    if !goes.contains(&true) {
        return;
    }
    let going = all.places().zip(&goes).filter_map(|((id, _), goes)| goes.then_some(id));
    let going: HashSet<ConnectionId> = going.collect();
    let mut routes = std::mem::take(&mut tracker.identity.routes);
    for id in all.places().map(|(id, _)| id).filter(|id| !going.contains(id)).collect::<Vec<_>>() {
        let elder = elder(&tracker.found, id, &going);
        if let Some(one) = tracker.found.connections.get_mut(id) {
            one.older = elder;
        }
    }
    routes.let_go(|id| !going.contains(&id), |id| elder(&tracker.found, id, &going));
    tracker.identity.routes = routes;
    let mut gone = HashSet::new();
    for id in going {
        let Some(connection) = tracker.found.connections.remove(id) else { continue };
        gone.insert(connection.number);
        tracker.budget.free(&connection.log, Kind::L2tp);
        tracker.found.let_go.calls = tracker.found.let_go.calls.saturating_add(connection.calls.len() as u64);
        for call in &connection.calls {
            if let Some(call) = tracker.found.calls.remove(*call) {
                tracker.budget.free(&call.log, Kind::L2tp);
                call.traffic.give_back(&mut tracker.traffic);
            }
        }
    }
    tracker.found.calls.pass();
    if tracker.found.connections.len() < gone.len() {
        tracker.found.connections.gather();
        tracker.found.calls.gather();
    }
    tracker.found.let_go.connections = tracker.found.let_go.connections.saturating_add(gone.len() as u64);
    let connections = &tracker.found.connections;
    let places: HashSet<IpAddr> =
        connections.iter().flat_map(|one| one.ends.each_ref().map(|end| end.endpoint.address)).collect();
    tracker.learned.keep(|address| places.contains(&address));
    tracker.identity.tidy(&tracker.found);
}

/// The next older one between the endpoints of a connection that does not go.
fn elder(found: &Analysis, id: ConnectionId, going: &HashSet<ConnectionId>) -> Option<ConnectionId> {
    let mut next = older(found, found.connection(id)?);
    while let Some(id) = next.filter(|id| going.contains(id)) {
        next = older(found, found.connection(id)?);
    }
    next
}

fn let_go_of_flows(tracker: &mut Tracker, ending: Ending) {
    let going = oldest(tracker.found.flows.iter().map(|flow| ending.sa(flow.last.0)));
    if !going.contains(&true) {
        return;
    }
    let mut moved = Vec::with_capacity(going.len());
    let mut stays = 0;
    for goes in &going {
        moved.push((!goes).then_some(FlowId(stays)));
        stays = stays.saturating_add(u32::from(!goes));
    }
    for flow in tracker.found.flows.iter().zip(&going).filter_map(|(flow, goes)| goes.then_some(flow)) {
        tracker.found.let_go.esp.add(flow);
        tracker.budget.free(&flow.log, Kind::Ipsec);
    }
    let to = |id: FlowId| moved.get(id.0 as usize).copied().flatten();
    keep(&mut tracker.found.flows, &going);
    tracker.ipsec.flows = tracker.ipsec.flows.iter().filter_map(|(key, id)| Some((*key, to(*id)?))).collect();
    tracker.ipsec.flow_of_sa.iter_mut().for_each(|newest| *newest = newest.and_then(to));
    let gone = going.iter().filter(|goes| **goes).count() as u64;
    tracker.found.let_go.flows = tracker.found.let_go.flows.saturating_add(gone);
}

fn let_go_of_ike(tracker: &mut Tracker, ending: Ending) {
    let going = oldest(tracker.found.ike.iter().map(|sa| ending.sa(sa.last.time)));
    keep(&mut tracker.found.ike, &going);
    let places = tracker.found.ike.iter().enumerate().map(|(at, sa)| (sa.initiator_spi, at));
    tracker.ipsec.ike = places.collect();
    let gone = going.iter().filter(|goes| **goes).count() as u64;
    tracker.found.let_go.ike = tracker.found.let_go.ike.saturating_add(gone);
}
