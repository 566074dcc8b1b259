//! The log: the one record of what happened to a control connection, a call, an SA, an IKE SA, or the whole capture.
//!
//! A log has two parts. *Events* stand in the order of time: control messages and what they did, runs of data, states that
//! moved. *Observations* are folded: how often something worth a rule was seen at one end, with its first packets. Ladders,
//! live events, transcripts, views and rules all read logs; nothing else is kept of what happened. Each log is bounded, and
//! all of them together ([`Budget`]).

pub mod event;
pub mod fresh;
pub mod noted;
pub mod observation;
pub mod query;

use super::ids::bump;
use super::meta::At;

pub use event::{Change, Data, Effect, Event, Message, Said, What};
pub use observation::{Observation, Tally};

/// Whose log it is, for the bounds: a flood of one kind leaves room for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Control connections, calls and the capture.
    L2tp,
    /// SAs and IKE SAs.
    Ipsec,
}

/// Events that one log may have.
const MOST_EVENTS: usize = 4096;
/// Different observations that one log may have: more than one end can cause without values of its own choice.
const MOST_OBSERVATIONS: usize = 96;
/// Octets of memory that what was said may take in all, about.
const MOST_SAID: usize = 64 << 20;

/// What all logs together may still take.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Events.
    events: usize,
    /// Observations of each [`Kind`].
    observations: [usize; 2],
    /// Octets of what was said; `None` where nobody asks for it.
    said: Option<usize>,
    /// Events that were not kept.
    pub refused_events: u64,
    /// Observations that were not kept.
    pub refused_observations: u64,
    /// Messages of which it was not kept what they said.
    pub refused_said: u64,
}

impl Budget {
    /// So many events and observations.
    pub(super) fn new(events: usize, observations: usize) -> Self {
        Self {
            events,
            observations: [observations, observations],
            said: None,
            refused_events: 0,
            refused_observations: 0,
            refused_said: 0,
        }
    }

    /// Keeps from now on what messages say.
    pub(super) fn transcribe(&mut self) {
        self.said = Some(MOST_SAID);
    }

    /// Whether what messages say is kept.
    pub(super) fn transcribes(&self) -> bool {
        self.said.is_some()
    }

    /// Takes room for what a message says, of about so many octets of memory. Says whether there is any.
    pub(super) fn take_said(&mut self, octets: usize) -> bool {
        let Some(left) = &mut self.said else { return false };
        if *left < octets {
            bump(&mut self.refused_said);
            return false;
        }
        *left = left.saturating_sub(octets);
        true
    }

    /// Gets back what a log took that is let go of.
    pub(super) fn free(&mut self, log: &Log, kind: Kind) {
        self.events = self.events.saturating_add(log.events.len());
        if let Some(left) = self.observations.get_mut(kind as usize) {
            *left = left.saturating_add(log.observations.len());
        }
    }
}

/// One kind of observation at one end, folded.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What.
    pub what: Observation,
    /// By which end, where one did it.
    pub end: Option<u8>,
    /// How often, when, and the first packets.
    pub tally: Tally,
}

/// The log of one entity.
#[derive(Debug, Clone, Default)]
pub struct Log {
    events: Vec<Event>,
    observations: Vec<Observed>,
    /// Events that were not kept.
    pub omitted: u64,
}

impl Log {
    /// What happened, in the order of the capture.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What was observed, in the order in which it was first.
    pub fn observations(&self) -> &[Observed] {
        &self.observations
    }

    /// How often something was observed at an end.
    pub fn get(&self, what: Observation, end: Option<u8>) -> Option<&Tally> {
        self.observations
            .iter()
            .find(|known| known.what == what && known.end == end)
            .map(|known| &known.tally)
    }

    /// Whether it was observed at any end.
    pub fn has(&self, what: Observation) -> bool {
        self.observations.iter().any(|known| known.what == what)
    }

    /// Adds an event; returns its place, unless there is no room.
    pub(super) fn push(&mut self, event: Event, budget: &mut Budget) -> Option<usize> {
        if self.events.len() >= MOST_EVENTS || budget.events == 0 {
            bump(&mut self.omitted);
            bump(&mut budget.refused_events);
            return None;
        }
        budget.events = budget.events.saturating_sub(1);
        if self.events.is_empty() {
            self.events.reserve_exact(1);
        }
        self.events.push(event);
        Some(self.events.len().saturating_sub(1))
    }

    /// The last event is a copy of a message that was sent before: it goes with the copies just before it.
    pub(super) fn replace_last_by_resend(&mut self, event: Event, budget: &mut Budget) {
        let Event { at, end, what: What::Message(message) } = event else { return };
        if self.events.last().is_some_and(|last| last.at == at) {
            self.events.pop();
            budget.events = budget.events.saturating_add(1);
        }
        if let Some(Event { end: from, what: What::Message(last), .. }) = self.events.last_mut() {
            let number = |message: &Message| message.numbers.map(|numbers| numbers.0);
            if last.resent && *from == end && last.kind == message.kind && number(last) == number(&message) {
                last.copies = last.copies.saturating_add(1);
                last.last_packet = message.last_packet;
                return;
            }
        }
        self.push(Event { at, end, what: What::Message(message) }, budget);
    }

    /// Takes in the log of what turned out to be the same entity.
    pub(super) fn merge(&mut self, other: Self, budget: &mut Budget) {
        self.omitted = self.omitted.saturating_add(other.omitted);
        for event in other.events {
            self.push(event, budget);
        }
        self.events.sort_by_key(|event| event.at.packet);
        for Observed { what, end, tally } in other.observations {
            match self.observations.iter_mut().find(|known| known.what == what && known.end == end) {
                Some(known) => known.tally.merge(&tally),
                None => self.observations.push(Observed { what, end, tally }),
            }
        }
    }

    /// The last event, to be gone on with.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut Event> {
        self.events.last_mut()
    }

    /// An event by its place, to be completed by what comes later.
    pub(super) fn event_mut(&mut self, place: usize) -> Option<&mut Event> {
        self.events.get_mut(place)
    }

    /// Notes an observation; `amount` is what this one amounts to.
    pub(super) fn observe(
        &mut self,
        what: Observation,
        end: Option<u8>,
        at: At,
        amount: u64,
        kind: Kind,
        budget: &mut Budget,
    ) {
        if let Some(known) = self.observations.iter_mut().find(|known| known.what == what && known.end == end)
        {
            known.tally.add(at, amount);
            return;
        }
        let Some(left) = budget.observations.get_mut(kind as usize) else { return };
        if self.observations.len() >= MOST_OBSERVATIONS || *left == 0 {
            bump(&mut budget.refused_observations);
            return;
        }
        *left = left.saturating_sub(1);
        if self.observations.is_empty() {
            self.observations.reserve_exact(1);
        }
        self.observations.push(Observed { what, end, tally: Tally::new(at, amount) });
    }
}
