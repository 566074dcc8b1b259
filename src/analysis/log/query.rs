//! Questions to all logs at once, for rules.

use super::noted::{Noted, Whose};
use super::{Log, Observation, Tally};
use crate::analysis::found::Analysis;
use crate::analysis::ids::{CallId, FlowId};

/// Where something was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scope {
    /// In which control connection, by its number.
    pub connection: Option<u32>,
    /// In which call.
    pub call: Option<CallId>,
    /// In which ESP flow.
    pub flow: Option<FlowId>,
    /// By which end of the control connection.
    pub end: Option<u8>,
}

impl Analysis {
    /// How often something was observed in one place.
    pub fn observed(&self, what: Observation, scope: Scope) -> Option<&Tally> {
        let log = match (scope.call, scope.connection, scope.flow) {
            (Some(call), ..) => &self.call(call)?.log,
            (None, Some(number), _) => &self.numbered(number)?.1.log,
            (None, None, Some(flow)) => &self.flow(flow)?.log,
            (None, None, None) => &self.log,
        };
        log.get(what, scope.end)
    }

    /// All places of one kind of observation, in a stable order.
    pub fn all_observed(&self, what: Observation) -> Vec<(Scope, &Tally)> {
        let begin = self.noted.partition_point(|noted| noted.what < what);
        let same = self.noted.iter().skip(begin).take_while(|noted| noted.what == what);
        let mut found: Vec<_> = same.filter_map(|noted| self.noted_at(noted)).collect();
        found.sort_by_key(|one| one.0);
        found
    }

    /// All observations of a kind that has values, such as the message, in a stable order.
    pub fn each_observed<T: Ord>(
        &self,
        wanted: impl Fn(Observation) -> Option<T>,
    ) -> Vec<(T, Scope, &Tally)> {
        let one = |noted: &Noted| {
            let value = wanted(noted.what)?;
            let (scope, tally) = self.noted_at(noted)?;
            Some((value, scope, tally))
        };
        let mut found: Vec<_> = self.noted.iter().filter_map(one).collect();
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        found
    }

    /// Every observation, by its kind: rules ask for one kind after the other, and there may be tens of thousands of logs.
    pub(in crate::analysis) fn note_all(&self) -> Vec<Noted> {
        let mut all = Vec::new();
        let mut add = |whose: Whose, log: &Log| {
            let observed = log.observations().iter().enumerate();
            all.extend(observed.map(|(place, one)| Noted { what: one.what, whose, place }));
        };
        add(Whose::Capture, &self.log);
        self.connections.places().for_each(|(id, one)| add(Whose::Connection(id), &one.log));
        self.calls.places().for_each(|(id, one)| add(Whose::Call(id), &one.log));
        (0u32..).zip(&self.flows).for_each(|(at, one)| add(Whose::Flow(FlowId(at)), &one.log));
        all.sort_unstable();
        all
    }

    /// An observation, with its place.
    fn noted_at(&self, noted: &Noted) -> Option<(Scope, &Tally)> {
        let nowhere = Scope::default();
        let (scope, log) = match noted.whose {
            Whose::Capture => (nowhere, &self.log),
            Whose::Connection(id) => {
                let connection = self.connection(id)?;
                (Scope { connection: Some(connection.number), ..nowhere }, &connection.log)
            }
            Whose::Call(id) => {
                let call = self.call(id)?;
                let connection = self.connection(call.connection).map(|connection| connection.number);
                (Scope { connection, call: Some(id), ..nowhere }, &call.log)
            }
            Whose::Flow(id) => (Scope { flow: Some(id), ..nowhere }, &self.flow(id)?.log),
        };
        let observed = log.observations().get(noted.place)?;
        Some((Scope { end: observed.end, ..scope }, &observed.tally))
    }
}
