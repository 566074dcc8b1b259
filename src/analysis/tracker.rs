//! What follows a capture: the tables it needs, and the ways into the logs. What it does with a frame stands in `follow`.

use crate::dissect::layers::{TunnelId, Udp};
use crate::dissect::{Learned, Told};
use crate::util::{Duration, Timestamp};

use super::context::PacketContext;
use super::doubles::Doubles;
use super::found::Analysis;
use super::identity::Identity;
use super::ids::{CallId, ConnectionId, FlowId};
use super::ipsec::index::IpsecIndex;
use super::limits::Limits;
use super::log::fresh::{Entity, Fresh, News, Waiting};
use super::log::{Budget, Change, Effect, Event, Kind, Observation, What};
use super::meta::{At, Meta};
use super::release::Release;
use super::traffic::TrafficBudget;

/// Follows everything in one capture.
#[derive(Debug)]
pub struct Tracker {
    pub(super) limits: Limits,
    pub(super) identity: Identity,
    pub(super) ipsec: IpsecIndex,
    pub(super) doubles: Doubles,
    pub(super) budget: Budget,
    pub(super) traffic: TrafficBudget,
    /// Control messages that wait for a number before theirs.
    pub(super) waiting: usize,
    pub(super) learned: Learned,
    pub(super) context: PacketContext,
    /// The time of the last frame.
    pub(super) clock: Option<Timestamp>,
    /// The last time that the clock of the capture was set: silence is not counted across it.
    pub(super) stepped: Option<Timestamp>,
    /// For how long the whole capture was silent, the last time that it was for an hour.
    pub(super) jumped: Option<Duration>,
    pub(super) release: Release,
    pub(super) fresh: Waiting,
    pub(super) found: Analysis,
}

impl Tracker {
    /// A tracker with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            identity: Identity::default(),
            ipsec: IpsecIndex::default(),
            doubles: Doubles::new(),
            budget: Budget::new(limits.events, limits.observations),
            traffic: TrafficBudget::default(),
            waiting: 0,
            learned: Learned::default(),
            context: PacketContext::default(),
            clock: None,
            stepped: None,
            jumped: None,
            release: Release::default(),
            fresh: Waiting::default(),
            found: Analysis::new(),
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

    /// Opens a control connection for the sender of a message, as far as there is room.
    pub(super) fn open(
        &mut self,
        meta: &Meta,
        udp: &Udp,
        version: u8,
        requested: Option<TunnelId>,
    ) -> Option<ConnectionId> {
        let room = (&self.limits, &mut self.budget);
        self.identity.open(&mut self.found, room, meta, udp, version, requested)
    }

    /// Notes something of the capture as a whole.
    pub(super) fn of_capture(&mut self, what: Observation, at: At, amount: u64) {
        self.found.log.observe(what, None, at, amount, Kind::L2tp, &mut self.budget);
    }

    /// Notes something that an end of a control connection did.
    pub(super) fn of_connection(
        &mut self,
        id: ConnectionId,
        end: u8,
        what: Observation,
        at: At,
        amount: u64,
    ) {
        if let Some(connection) = self.found.connections.get_mut(id) {
            connection.log.observe(what, Some(end), at, amount, Kind::L2tp, &mut self.budget);
        }
    }

    /// Notes something that an end of a call did.
    pub(super) fn of_call(&mut self, id: CallId, end: u8, what: Observation, at: At, amount: u64) {
        if let Some(call) = self.found.calls.get_mut(id) {
            call.log.observe(what, Some(end), at, amount, Kind::L2tp, &mut self.budget);
        }
    }

    /// Notes something of an SA.
    pub(super) fn of_flow(&mut self, id: FlowId, what: Observation, at: At, amount: u64) {
        if let Some(flow) = self.found.flows.get_mut(id.0 as usize) {
            flow.log.observe(what, None, at, amount, Kind::Ipsec, &mut self.budget);
        }
    }

    /// Puts a change of a control connection into its log.
    pub(super) fn connection_changed(&mut self, id: ConnectionId, end: u8, at: At, change: Change) {
        let event = Event { at, end, what: What::Changed(change) };
        // The ladder shows messages; of changes it needs those that no message shows.
        if change == Change::Restarted
            && let Some(connection) = self.found.connections.get_mut(id)
        {
            connection.log.push(event, &mut self.budget);
        }
        self.fresh.push(Fresh { at, entity: Entity::Connection(id), end, what: News::Change(change) });
    }

    /// Puts a change of a call into its log.
    pub(super) fn call_changed(&mut self, id: CallId, end: u8, at: At, change: Change) {
        if let Some(call) = self.found.calls.get_mut(id) {
            call.log.push(Event { at, end, what: What::Changed(change) }, &mut self.budget);
        }
        self.fresh.push(Fresh { at, entity: Entity::Call(id), end, what: News::Change(change) });
    }

    /// Tells whoever waits for it what a control message did.
    pub(super) fn effect(&mut self, id: ConnectionId, end: u8, at: At, effect: Effect) {
        if !self.fresh.is_watched() {
            return;
        }
        let first = |by: Option<u8>| by == Some(end);
        let closes = self.found.connection(id).is_some_and(|connection| first(connection.closed_by));
        let entity = match effect {
            Effect::Established => Entity::Connection(id),
            Effect::Closed(_) if closes => Entity::Connection(id),
            Effect::CallEstablished(call) | Effect::CallClosed(call, _) => Entity::Call(call),
            _ => return,
        };
        self.fresh.push(Fresh { at, entity, end, what: News::Effect(effect) });
    }
}
