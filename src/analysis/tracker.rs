//! Takes the typed layers of one frame after the other, and keeps what they show.

use hashbrown::HashMap;

use crate::dissect::layers::{Addresses, Fragment, Layers, Stop};
use crate::dissect::{Learned, Told};
use crate::util::{Duration, Timestamp};

use super::doubles::Doubles;
use super::events::{Events, What};
use super::facts::{Fact, Facts, Scope};
use super::foresee::Foreseen;
use super::found::Analysis;
use super::ids::{ConnectionId, FlowId, bump};
use super::ipsec::ike::IkeSa;
use super::ipsec::{shown_again, succession};
use super::ladder::Budget;
use super::limits::{Limit, Limits};
use super::meta::Meta;
use super::place::Place;
use super::release::Release;
use super::routing::Routes;

/// Interfaces that are captured together differ by less.
const STEP_BACK: Duration = Duration::seconds(1);
/// Keepalives, rekeys and users leave no tunnel silent for so long.
const STEP_AHEAD: Duration = Duration::seconds(3600);

/// Follows everything in one capture.
#[derive(Debug)]
pub struct Tracker {
    pub(super) limits: Limits,
    pub(super) routes: Routes,
    pub(super) doubles: Doubles,
    pub(super) flow_index: HashMap<(u32, Addresses), FlowId>,
    /// The newest flow of each SA: the usual one.
    pub(super) flow_of_sa: Vec<Option<FlowId>>,
    pub(super) ike_index: HashMap<u64, usize>,
    pub(super) budget: Budget,
    pub(super) half_open: std::collections::VecDeque<ConnectionId>,
    pub(super) learned: Learned,
    pub(super) place: Place,
    pub(super) decrypted: shown_again::Decrypted,
    /// The time of the last frame.
    pub(super) clock: Option<Timestamp>,
    pub(super) release: Release,
    pub(super) events: Option<Events>,
    pub(super) state: Analysis,
}

/// What a paused [`Tracker`] goes on with.
#[derive(Debug)]
pub struct Paused {
    facts: Facts,
    reached: Vec<(Limit, u64)>,
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

    pub(super) fn note(&mut self, fact: Fact, scope: Scope, meta: &Meta, amount: u64) {
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
