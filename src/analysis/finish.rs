//! The end of a capture, or a pause in one that goes on: what can be said only then.

use crate::util::Timestamp;

use super::control::{join, turn};
use super::coverage::Coverage;
use super::found::Analysis;
use super::ipsec::succession;
use super::let_go;
use super::limits::Limit;
use super::log::Budget;
use super::log::fresh::Fresh;
use super::tracker::Tracker;

/// What a paused [`Tracker`] goes on with.
#[derive(Debug)]
pub struct Paused(Budget);

impl Tracker {
    /// Ends the capture.
    pub fn finish(mut self) -> Analysis {
        turn::settle(&mut self);
        join::join_requests(&mut self);
        join::join_misdirected(&mut self);
        conclude(&mut self);
        self.found
    }

    /// What would be found if the capture ended now. It is to be given [back](Self::resume) before the next frame.
    pub(crate) fn pause(&mut self) -> (Analysis, Paused) {
        let paused = Paused(self.budget);
        conclude(self);
        (std::mem::replace(&mut self.found, Analysis::new()), paused)
    }

    /// Goes on after a [pause](Self::pause).
    pub(crate) fn resume(&mut self, mut analysis: Analysis, paused: Paused) {
        analysis.reached.retain(|(limit, _)| !concluded(*limit));
        (self.found, self.budget) = (analysis, paused.0);
    }

    /// Whether there is so much that ended that [`Tracker::let_go`] has something to do. `now` is the time where no
    /// packet tells it.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        let_go::is_full(self, now)
    }

    /// Lets go of all that ended but the newest. To be called between batches: what was foreseen does not hold any more.
    pub(crate) fn let_go(&mut self) {
        let_go::let_go(self);
    }

    /// What was found so far: without what can be said at the end only.
    pub(crate) fn so_far(&self) -> &Analysis {
        &self.found
    }

    /// Keeps from now on what happens, for [`Self::fresh`].
    pub(crate) fn watch(&mut self) {
        self.fresh.watch();
    }

    /// What happened since the last call.
    pub(crate) fn fresh(&mut self) -> Vec<Fresh> {
        self.fresh.take()
    }

    /// Keeps from now on what messages say.
    pub(crate) fn transcribe(&mut self) {
        self.budget.transcribe();
        self.found.transcribed = true;
    }
}

/// Limits that are told at the end, by what was refused.
fn refused(tracker: &Tracker) -> [(Limit, u64); 5] {
    [
        (Limit::Observations, tracker.budget.refused_observations),
        (Limit::Events, tracker.budget.refused_events),
        (Limit::Said, tracker.budget.refused_said),
        (Limit::Learned, tracker.learned.refused()),
        (Limit::Traffic, tracker.traffic.refused),
    ]
}

fn concluded(limit: Limit) -> bool {
    matches!(
        limit,
        Limit::Observations
            | Limit::Events
            | Limit::Said
            | Limit::Learned
            | Limit::Traffic
            | Limit::Fragments
            | Limit::IkeStates
            | Limit::IkeFragments
    )
}

/// Adds what can be said at the end only.
fn conclude(tracker: &mut Tracker) {
    let refused = refused(tracker).into_iter().filter(|(_, count)| *count > 0);
    tracker.found.reached.extend(refused);
    succession::follow(&mut tracker.found.flows);
    tracker.found.coverage = Coverage::of(&tracker.found.flows);
    let places = tracker.found.connections.places();
    let mut numbers: Vec<_> = places.map(|(id, connection)| (connection.number, id)).collect();
    numbers.sort_unstable();
    tracker.found.numbers = numbers;
    tracker.found.noted = tracker.found.note_all();
}
