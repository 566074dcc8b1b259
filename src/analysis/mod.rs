//! Who talks to whom: control connections, calls, ESP flows and IKE SAs, rebuilt from typed layers.
//!
//! A [`Tracker`] takes the [`Layers`] of one frame after the other and keeps facts. It never sees bytes, and never
//! judges: that is for the rules.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

pub mod call;
pub mod connection;
pub mod delivery;
pub mod events;
pub mod facts;
pub mod flow;
pub mod form;
pub mod fragments;
pub mod ike_exchange;
pub mod ladder;
pub mod lengths;
pub mod limits;
pub mod nat;
pub mod place;
pub mod ppp_marks;
pub mod ppp_proof;
pub mod ppp_session;
pub mod table;
pub mod transcript;
pub mod tunnel_proof;

mod call_messages;
mod control;
mod data;
mod doubles;
mod esp;
mod foresee;
mod header_faults;
mod icmp;
mod opening;
pub mod release;
mod routing;
mod shown_again;
mod succession;
mod version3;
pub mod watch;

use std::net::IpAddr;

use hashbrown::HashMap;

use crate::dissect::layers::{Addresses, Fragment, Layers, Stop};
use crate::dissect::{Learned, Told};
use crate::util::{Duration, Timestamp};
use crate::util::{Frame, LinkType};

use call::Call;
use connection::Connection;
use doubles::Doubles;
use events::{Events, What};
use facts::{Fact, Facts, Scope};
use flow::Flow;
pub(crate) use foresee::Foreseen;
use fragments::Fragmented;
use ike_exchange::IkeSa;
use ladder::Budget;
use limits::{Limit, Limits};
use nat::Keepalives;
use place::Place;
use release::{LetGo, Release};
use routing::Routes;
use table::Table;
use transcript::Transcript;

/// The place of a control connection in its table. A place is used again when a flood or a long capture let go of what
/// was there; numbers are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// The number of a call, less one: call `C1` has 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u32);

/// The index of an ESP flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u32);

pub(crate) fn bump(count: &mut u64) {
    *count = count.saturating_add(1);
}

pub(crate) fn bump32(count: &mut u32) {
    *count = count.saturating_add(1);
}

/// What is known of a frame beside its layers.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// Its number.
    pub packet: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// The link type.
    pub link: LinkType,
    /// Octets captured.
    pub captured: u32,
    /// Octets on the wire.
    pub original: u32,
}

impl Meta {
    /// What is known of this frame.
    pub fn of(frame: &Frame<'_>) -> Self {
        Self {
            packet: frame.number,
            time: frame.time,
            link: frame.link,
            captured: u32::try_from(frame.data.len()).unwrap_or(u32::MAX),
            original: frame.original_len,
        }
    }
}

/// Counts over the whole capture.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    /// Frames.
    pub packets: u64,
    /// Captured octets.
    pub bytes: u64,
    /// The time of the first frame.
    pub first: Option<Timestamp>,
    /// The time of the latest frame.
    pub last: Option<Timestamp>,
    /// Link types in the order they appeared.
    pub link_types: Vec<LinkType>,
    /// Frames that were seen twice.
    pub doubles: u64,
    /// Frames with an L2TPv2 header.
    pub l2tp: u64,
    /// Frames with an L2TP header of another version.
    pub other_version: u64,
    /// ESP packets that the capture cut.
    pub esp_cut: u64,
    /// Frames with ESP.
    pub esp_frames: u64,
    /// Frames that break their format.
    pub malformed: u64,
    /// Datagrams that came in fragments and were put together.
    pub reassembled: u64,
    /// Control connections that were followed, let go of or not: the number of the last one.
    pub connections: u32,
    /// Control messages that were sent again.
    pub resent: u64,
    /// Hellos.
    pub hello: HelloTotals,
}

/// Counts over all Hellos (RFC 2661 section 5.5).
#[derive(Debug, Default, Clone, Copy)]
pub struct HelloTotals {
    /// Sent again.
    pub resent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// From the first copy of each of these to its acknowledgement, added up.
    pub waited: Duration,
}

/// Interfaces that are captured together differ by less.
const STEP_BACK: Duration = Duration::seconds(1);
/// Keepalives, rekeys and users leave no tunnel silent for so long.
const STEP_AHEAD: Duration = Duration::seconds(3600);

/// Follows everything in one capture.
#[derive(Debug)]
pub struct Tracker {
    limits: Limits,
    routes: Routes,
    doubles: Doubles,
    flow_index: HashMap<(u32, Addresses), FlowId>,
    /// The newest flow of each SA: the usual one.
    flow_of_sa: Vec<Option<FlowId>>,
    ike_index: HashMap<u64, usize>,
    budget: Budget,
    half_open: std::collections::VecDeque<ConnectionId>,
    learned: Learned,
    place: Place,
    decrypted: shown_again::Decrypted,
    /// The time of the last frame.
    clock: Option<Timestamp>,
    release: Release,
    events: Option<Events>,
    state: Analysis,
}

/// What a paused [`Tracker`] goes on with.
#[derive(Debug)]
pub struct Paused {
    facts: Facts,
    reached: Vec<(Limit, u64)>,
}

/// What a [`Tracker`] has found.
#[derive(Debug)]
pub struct Analysis {
    /// Counts over the capture.
    pub totals: Totals,
    /// Control connections.
    pub connections: Table<ConnectionId, Connection>,
    /// Calls of all connections.
    pub calls: Table<CallId, Call>,
    /// ESP flows.
    pub flows: Vec<Flow>,
    /// IKE SAs.
    pub ike: Vec<IkeSa>,
    /// Observations.
    pub facts: Facts,
    /// Limits that were reached, and how much was left out.
    pub reached: Vec<(Limit, u64)>,
    /// IP datagrams of which fragments are missing.
    pub incomplete_datagrams: u64,
    /// Datagrams in fragments, by their addresses.
    pub fragmented: Vec<Fragmented>,
    /// What a long capture let go of.
    pub let_go: LetGo,
    /// NAT keepalives, by their addresses.
    pub keepalives: Vec<Keepalives>,
    /// The first ICMP port unreachable that quotes L2TP, IKE or NAT traversal: who sent it, and the port that is closed.
    pub unreachable: Option<(IpAddr, u16)>,
    /// The smallest MTU that an ICMP error about such a packet told, and who sent the error.
    pub path_mtu: Option<(IpAddr, u32)>,
    /// What was said, if it was asked for.
    pub transcript: Option<Transcript>,
    numbers: HashMap<u32, ConnectionId>,
}

impl Analysis {
    /// Nothing found yet; keeps so many different observations.
    fn new(facts: usize) -> Self {
        Self {
            totals: Totals::default(),
            connections: Table::default(),
            calls: Table::default(),
            flows: Vec::new(),
            ike: Vec::new(),
            facts: Facts::new(facts),
            reached: Vec::new(),
            incomplete_datagrams: 0,
            fragmented: Vec::new(),
            let_go: LetGo::default(),
            keepalives: Vec::new(),
            unreachable: None,
            path_mtu: None,
            transcript: None,
            numbers: HashMap::new(),
        }
    }

    /// A control connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(id)
    }

    /// The control connection `T` with this number.
    pub fn numbered(&self, number: u32) -> Option<(ConnectionId, &Connection)> {
        let id = *self.numbers.get(&number)?;
        Some((id, self.connection(id)?))
    }

    /// Leaves out of every list all control connections but this one. Says whether there is one with this number.
    pub fn restrict(&mut self, number: u32) -> bool {
        self.numbers.retain(|known, _| *known == number);
        !self.numbers.is_empty()
    }

    /// The control connections in the order of their numbers.
    pub fn in_order(&self) -> Vec<(ConnectionId, &Connection)> {
        let mut numbers: Vec<u32> = self.numbers.keys().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.numbered(number)).collect()
    }

    /// A call.
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    /// An ESP flow.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(id.0 as usize)
    }

    /// How an IKE SA came out: as its messages show, or as ESP between its ends does afterwards.
    pub fn ike_outcome(&self, sa: &IkeSa) -> Option<&'static str> {
        sa.outcome().or_else(|| {
            let ours = |flow: &&Flow| {
                let ends = [flow.addresses.source, flow.addresses.destination];
                ends.contains(&sa.initiator) && ends.contains(&sa.responder) && flow.first.0 > sa.first.1
            };
            (sa.auth == [true, true] && self.flows.iter().any(|flow| ours(&flow))).then_some("established")
        })
    }

    /// From the first frame to the latest.
    pub fn duration(&self) -> Duration {
        match (self.totals.first, self.totals.last) {
            (Some(first), Some(last)) => last.since(first),
            _ => Duration::ZERO,
        }
    }

    fn reach(&mut self, limit: Limit) {
        match self.reached.iter_mut().find(|(known, _)| *known == limit) {
            Some((_, count)) => bump(count),
            None => self.reached.push((limit, 1)),
        }
    }
}

impl Tracker {
    /// A tracker with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            routes: Routes::default(),
            doubles: Doubles::new(),
            flow_index: HashMap::new(),
            flow_of_sa: Vec::new(),
            ike_index: HashMap::new(),
            budget: Budget { left: limits.ladder, refused: 0 },
            half_open: std::collections::VecDeque::new(),
            learned: Learned::default(),
            place: Place::default(),
            decrypted: shown_again::Decrypted::default(),
            clock: None,
            release: Release::default(),
            events: None,
            state: Analysis::new(limits.facts),
        }
    }

    /// Takes what the user says beforehand.
    pub(crate) fn tell(&mut self, told: Told) {
        self.learned = Learned::with(told);
    }

    /// Takes what the user says now, and keeps what packets taught.
    pub(crate) fn tell_more(&mut self, told: Told) {
        self.learned.tell(told);
    }

    /// What earlier packets taught.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Whether this frame wants to be dissected once more, now that others before it are known: a fragment, or a
    /// datagram on ports of which nothing was known when a batch was dissected.
    pub fn wants_again(&self, layers: &Layers) -> bool {
        match layers.stop {
            Stop::Fragment => true,
            Stop::UnknownPort => layers.udp.is_some_and(|udp| self.learned.knows(&udp)),
            _ => {
                layers.ike.as_ref().is_some_and(|ike| ike.in_order)
                    || layers
                        .v3
                        .as_ref()
                        .is_some_and(|v3| self.knows_session(layers, v3) || Self::may_know_nonces(v3))
            }
        }
    }

    /// Counts a frame. Says whether it is a double of the capture, which is looked at no further.
    pub fn count(&mut self, meta: &Meta, digest: Option<u64>) -> bool {
        let totals = &mut self.state.totals;
        bump(&mut totals.packets);
        totals.bytes = totals.bytes.saturating_add(u64::from(meta.captured));
        totals.first = Some(totals.first.map_or(meta.time, |first| first.min(meta.time)));
        totals.last = Some(totals.last.map_or(meta.time, |last| last.max(meta.time)));
        if !totals.link_types.contains(&meta.link) && totals.link_types.len() < 64 {
            totals.link_types.push(meta.link);
        }
        self.clock(meta);
        let double = digest.is_some_and(|digest| self.doubles.seen(digest, meta.time));
        if double {
            bump(&mut self.state.totals.doubles);
            self.note(Fact::Double, Scope::default(), meta, 1);
        } else if meta.captured < meta.original {
            self.note(Fact::Truncated, Scope::default(), meta, 1);
        }
        double
    }

    /// Guard against clocks that are set while they run: times across a step say nothing.
    fn clock(&mut self, meta: &Meta) {
        let passed = meta.time.since(self.clock.unwrap_or(meta.time));
        self.clock = Some(meta.time);
        if passed < Duration(-STEP_BACK.0) || passed > STEP_AHEAD {
            self.clock_step(meta, passed);
        }
    }

    #[cold]
    fn clock_step(&mut self, meta: &Meta, passed: Duration) {
        self.release.stepped = Some(meta.time);
        let (fact, unit) = if passed < Duration::ZERO {
            (Fact::ClockBack, 1_000_000)
        } else {
            (Fact::ClockAhead, 1_000_000_000)
        };
        let amount = passed.0.unsigned_abs().checked_div(unit).unwrap_or(0);
        self.note(fact, Scope::default(), meta, amount);
    }

    /// Takes the layers of a frame that [`Tracker::count`] did not call a double.
    pub(crate) fn push(&mut self, meta: &Meta, layers: &Layers, foreseen: Foreseen) {
        self.place = Place::default();
        if let Some(Fragment::Completed { .. }) = layers.fragment {
            bump(&mut self.state.totals.reassembled);
            self.fragments(layers, meta);
        }
        if layers.nat_keepalive
            && let Some(addresses) = layers.addresses
        {
            self.keepalive(addresses, meta);
        }
        if matches!(layers.stop, Stop::Malformed { .. }) {
            bump(&mut self.state.totals.malformed);
        }
        if let Some(ike) = &layers.ike
            && let Some(addresses) = layers.addresses
        {
            self.ike(ike, addresses, meta);
        }
        if let Some(icmp) = &layers.icmp {
            self.icmp(icmp, meta);
        }
        if layers.esp.is_some() && !self.esp(layers, meta, foreseen) {
            if let (Some(udp), Some(header), None) = (&layers.udp, &layers.l2tp, &layers.control) {
                self.replayed_data(meta, udp, header);
            }
            return;
        }
        if let Some(version) = layers.other_version.filter(|_| layers.v3.is_none()) {
            self.other_version(version, layers, meta);
        }
        let protected = layers.esp.is_some();
        if let Some(v3) = &layers.v3 {
            self.version3(layers, v3, meta);
        }
        let (Some(udp), Some(header)) = (&layers.udp, &layers.l2tp) else {
            if layers.overrun.is_some() || matches!(layers.stop, Stop::Malformed { .. }) {
                self.header_faults(layers, meta);
            }
            return;
        };
        bump(&mut self.state.totals.l2tp);
        if self.shown_again(meta, udp, header, layers.control.as_deref(), protected) {
            return;
        }
        match &layers.control {
            Some(control) => self.control(meta, udp, header, control, protected),
            None => {
                let route = foreseen.route.filter(|route| route.version == self.routes.version());
                self.data(meta, udp, header, layers.ppp.as_ref(), protected, route);
            }
        }
        if layers.overrun.is_some() {
            self.header_faults(layers, meta);
        }
    }

    /// Ends the capture.
    pub fn finish(mut self) -> Analysis {
        self.conclude();
        self.state
    }

    /// What would be found if the capture ended now. It is to be given [back](Self::resume) before the next frame.
    pub(crate) fn pause(&mut self) -> (Analysis, Paused) {
        let paused = Paused { facts: self.state.facts.clone(), reached: self.state.reached.clone() };
        self.conclude();
        (std::mem::replace(&mut self.state, Analysis::new(self.limits.facts)), paused)
    }

    /// Goes on after a [pause](Self::pause).
    pub(crate) fn resume(&mut self, analysis: Analysis, paused: Paused) {
        self.state = Analysis { facts: paused.facts, reached: paused.reached, ..analysis };
    }

    /// Adds what can be said at the end only.
    fn conclude(&mut self) {
        for (limit, count) in [
            (Limit::Facts, self.state.facts.refused()),
            (Limit::Ladder, self.budget.refused),
            (Limit::Learned, self.learned.refused()),
        ] {
            if count > 0 {
                self.state.reached.push((limit, count));
            }
        }
        self.settle();
        succession::follow(&mut self.state.flows);
        let places = self.state.connections.places();
        self.state.numbers = places.map(|(id, connection)| (connection.number, id)).collect();
    }

    fn note(&mut self, fact: Fact, scope: Scope, meta: &Meta, amount: u64) {
        self.state.facts.note(fact, scope, meta.packet, meta.time, amount);
    }

    fn ike(&mut self, ike: &crate::dissect::layers::Ike, addresses: Addresses, meta: &Meta) {
        let at = match self.ike_index.get(&ike.initiator_spi) {
            Some(at) => *at,
            None if self.state.ike.len() >= self.limits.ike => {
                self.state.reach(Limit::Ike);
                return;
            }
            None => {
                let at = self.state.ike.len();
                self.state.ike.push(IkeSa::new(ike, addresses, meta.packet, meta.time));
                self.ike_index.insert(ike.initiator_spi, at);
                at
            }
        };
        if let Some(sa) = self.state.ike.get_mut(at) {
            let before = sa.outcome();
            sa.push(ike, addresses, meta.packet, meta.time);
            if sa.outcome() != before && sa.outcome() != Some("no-answer") {
                self.happened(meta, What::Ike(at));
            }
        }
    }
}
