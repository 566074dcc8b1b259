//! Letting go: a capture that goes on for hours keeps what lives and the newest of what ended.

use std::net::IpAddr;

use hashbrown::HashSet;

use crate::util::{Duration, Timestamp};

use super::{ConnectionId, FlowId, Tracker};
use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::ipsec::flow::Flow;

/// Ended control connections, silent SAs and silent IKE SAs that are kept of each for the report.
const KEPT: usize = 256;
/// How many more there must be before any are let go: the tables are then gone through once.
const SLACK: usize = KEPT / 4;
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
/// An end whose Hellos come less often than this is taken as gone.
const IDLE: Duration = Duration::seconds(7200);
/// SAs of IKE and ESP live on for as long without a packet.
const SILENT: Duration = Duration::seconds(3600);

/// When a tracker looked for what ended.
#[derive(Debug, Default)]
pub(super) struct Release {
    looked: Option<Timestamp>,
    ending: Option<Ending>,
    /// The last time that the clock of the capture was set: silence is not counted across it.
    pub(super) stepped: Option<Timestamp>,
}

impl Tracker {
    /// Whether there is so much that ended that [`Tracker::let_go`] has something to do. `now` is the time where no
    /// packet tells it.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        let few = KEPT.saturating_add(SLACK);
        let tables = [self.state.connections.len(), self.state.flows.len(), self.state.ike.len()];
        if tables.iter().all(|len| *len <= few) || self.release.looked.is_some_and(|at| now.since(at) < PAUSE)
        {
            return false;
        }
        self.release.looked = Some(now);
        let ending = self.ending(now);
        self.release.ending = Some(ending);
        let ended = self.state.connections.iter().filter(|one| ending.connection(one)).count();
        let flows = self.state.flows.iter().filter(|flow| ending.sa(flow.last.0).is_some()).count();
        let ike = self.state.ike.iter().filter(|sa| ending.sa(sa.last.1).is_some()).count();
        [ended, flows, ike].iter().any(|count| *count > few)
    }

    fn ending(&self, now: Timestamp) -> Ending {
        let crowded =
            |part: usize| self.state.connections.len() > self.limits.tunnels.checked_div(part).unwrap_or(0);
        let [closed, unanswered] =
            CROWDED.iter().find(|(part, _)| crowded(*part)).map_or([CLOSED, UNANSWERED], |(_, after)| *after);
        Ending { now, stepped: self.release.stepped, closed, unanswered }
    }

    /// Lets go of all that ended but the newest. To be called between batches: what was foreseen does not hold any more.
    pub(crate) fn let_go(&mut self) {
        let Some(ending) = self.release.ending.take() else { return };
        self.let_go_of_connections(ending);
        self.let_go_of_flows(ending);
        self.let_go_of_ike(ending);
    }

    fn let_go_of_connections(&mut self, ending: Ending) {
        let all = &self.state.connections;
        let goes = oldest(all.iter().map(|one| ending.connection(one).then(|| last(one))));
        if !goes.contains(&true) {
            return;
        }
        let going = all.places().zip(&goes).filter_map(|((id, _), goes)| goes.then_some(id));
        let going: HashSet<ConnectionId> = going.collect();
        let mut routes = std::mem::take(&mut self.routes);
        for id in all.places().map(|(id, _)| id).filter(|id| !going.contains(id)).collect::<Vec<_>>() {
            let elder = self.elder(id, &going);
            if let Some(one) = self.state.connections.get_mut(id) {
                one.older = elder;
            }
        }
        routes.let_go(|id| !going.contains(&id), |id| self.elder(id, &going));
        self.routes = routes;
        let mut gone = HashSet::new();
        for id in going {
            let Some(connection) = self.state.connections.remove(id) else { continue };
            gone.insert(connection.number);
            self.budget.left = self.budget.left.saturating_add(connection.ladder.rows.len());
            self.state.let_go.calls = self.state.let_go.calls.saturating_add(connection.calls.len() as u64);
            connection.calls.iter().for_each(|call| drop(self.state.calls.remove(*call)));
        }
        self.state.calls.pass();
        if self.state.connections.len() < gone.len() {
            self.state.connections.gather();
            self.state.calls.gather();
        }
        self.state.let_go.connections = self.state.let_go.connections.saturating_add(gone.len() as u64);
        let connections = &self.state.connections;
        self.half_open.retain(|id| connections.get(*id).is_some());
        self.half_open.shrink_to_fit();
        let places: HashSet<IpAddr> =
            connections.iter().flat_map(|one| one.ends.each_ref().map(|end| end.endpoint.address)).collect();
        self.learned.keep(|address| places.contains(&address));
        self.state.facts.keep(|scope| !scope.connection.is_some_and(|number| gone.contains(&number)));
    }

    /// The next older one between the endpoints of a connection that does not go.
    fn elder(&self, id: ConnectionId, going: &HashSet<ConnectionId>) -> Option<ConnectionId> {
        let mut next = self.older(self.state.connection(id)?);
        while let Some(id) = next.filter(|id| going.contains(id)) {
            next = self.older(self.state.connection(id)?);
        }
        next
    }

    fn let_go_of_flows(&mut self, ending: Ending) {
        let going = oldest(self.state.flows.iter().map(|flow| ending.sa(flow.last.0)));
        if !going.contains(&true) {
            return;
        }
        let mut moved = Vec::with_capacity(going.len());
        let mut stays = 0;
        for goes in &going {
            moved.push((!goes).then_some(FlowId(stays)));
            stays = stays.saturating_add(u32::from(!goes));
        }
        for flow in self.state.flows.iter().zip(&going).filter_map(|(flow, goes)| goes.then_some(flow)) {
            self.state.let_go.esp.add(flow);
        }
        let to = |id: FlowId| moved.get(id.0 as usize).copied().flatten();
        keep(&mut self.state.flows, &going);
        self.flow_index = self.flow_index.iter().filter_map(|(key, id)| Some((*key, to(*id)?))).collect();
        self.flow_of_sa.iter_mut().for_each(|newest| *newest = newest.and_then(to));
        self.state.facts.move_flows(to);
        let gone = going.iter().filter(|goes| **goes).count() as u64;
        self.state.let_go.flows = self.state.let_go.flows.saturating_add(gone);
    }

    fn let_go_of_ike(&mut self, ending: Ending) {
        let going = oldest(self.state.ike.iter().map(|sa| ending.sa(sa.last.1)));
        keep(&mut self.state.ike, &going);
        let places = self.state.ike.iter().enumerate().map(|(at, sa)| (sa.initiator_spi, at));
        self.ike_index = places.collect();
        let gone = going.iter().filter(|goes| **goes).count() as u64;
        self.state.let_go.ike = self.state.let_go.ike.saturating_add(gone);
    }
}

/// What a tracker let go of.
#[derive(Debug, Default, Clone, Copy)]
pub struct LetGo {
    /// Control connections that ended.
    pub connections: u64,
    /// Their calls.
    pub calls: u64,
    /// SAs that were silent.
    pub flows: u64,
    /// IKE SAs that were silent.
    pub ike: u64,
    /// The packets of these SAs.
    pub esp: EspCounts,
}

/// What came of opening ESP packets.
#[derive(Debug, Default, Clone, Copy)]
pub struct EspCounts {
    /// Opened.
    pub decrypted: u64,
    /// The ICV does not hold.
    pub bad_icv: u64,
    /// Padding or Next Header are wrong, or it is too short.
    pub bad_padding: u64,
    /// No usable key, or cut by the capture.
    pub no_key: u64,
    /// Sequence numbers that came again.
    pub replayed: u64,
}

impl EspCounts {
    /// Adds those of a flow.
    pub fn add(&mut self, flow: &Flow) {
        let sum = |count: &mut u64, more: u64| *count = count.saturating_add(more);
        sum(&mut self.decrypted, flow.decrypted);
        sum(&mut self.bad_icv, flow.bad_icv);
        sum(&mut self.bad_padding, flow.bad_padding);
        sum(&mut self.no_key, flow.no_key);
        sum(&mut self.replayed, flow.replayed);
    }
}

/// The last packet of either end.
fn last(connection: &Connection) -> Timestamp {
    let times = connection.ends.iter().filter_map(|end| end.last.map(|(_, time)| time));
    times.max().unwrap_or(Timestamp(0))
}

/// When something counts as ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    now: Timestamp,
    stepped: Option<Timestamp>,
    closed: Duration,
    unanswered: Duration,
}

impl Ending {
    /// For how long nothing came, as far as the clock of the capture ran on.
    fn silence(self, last: Timestamp) -> Duration {
        let since = self.now.since(last);
        self.stepped.map_or(since, |stepped| since.min(self.now.since(stepped)))
    }

    fn connection(self, connection: &Connection) -> bool {
        let silent = self.silence(last(connection));
        match connection.state {
            ConnectionState::Closed => silent >= self.closed,
            ConnectionState::WaitCtlReply | ConnectionState::WaitCtlConn => silent >= self.unanswered,
            ConnectionState::Established | ConnectionState::Unknown => silent >= IDLE,
        }
    }

    /// When an SA that ended had its last packet.
    fn sa(self, last: Timestamp) -> Option<Timestamp> {
        (self.silence(last) >= SILENT).then_some(last)
    }
}

/// Which of them go: of those that ended (at that time), all but the [`KEPT`] newest.
fn oldest(all: impl Iterator<Item = Option<Timestamp>>) -> Vec<bool> {
    let all: Vec<Option<Timestamp>> = all.collect();
    let mut times: Vec<Timestamp> = all.iter().copied().flatten().collect();
    let mut many = times.len().saturating_sub(KEPT);
    if many <= SLACK {
        return vec![false; all.len()];
    }
    times.sort_unstable();
    let newest = times.get(many.saturating_sub(1)).copied();
    let goes = |ended: &Option<Timestamp>| {
        let goes = many > 0 && ended.is_some() && *ended <= newest;
        many = many.saturating_sub(usize::from(goes));
        goes
    };
    all.iter().map(goes).collect()
}

fn keep<T>(all: &mut Vec<T>, going: &[bool]) {
    let mut at = going.iter();
    all.retain(|_| !at.next().copied().unwrap_or(false));
    all.shrink_to_fit();
}
