//! Questions to all logs at once, for rules.

use super::noted::Noted;
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
        self.each_observed(|known| (known == what).then_some(()))
            .into_iter()
            .map(|((), scope, tally)| (scope, tally))
            .collect()
    }

    /// All observations of a kind that has values, such as the message, in a stable order.
    pub fn each_observed<T: Ord>(
        &self,
        wanted: impl Fn(Observation) -> Option<T>,
    ) -> Vec<(T, Scope, &Tally)> {
        let mut found = Vec::new();
        let noted = self.noted.iter().filter_map(|whose| self.log_of(*whose));
        for (scope, log) in std::iter::once((Scope::default(), &self.log)).chain(noted) {
            for known in log.observations() {
                if let Some(value) = wanted(known.what) {
                    found.push((value, Scope { end: known.end, ..scope }, &known.tally));
                }
            }
        }
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        found
    }

    /// The logs in which anything was observed: of tens of thousands few, and rules ask all of them again and again.
    pub(in crate::analysis) fn find_noted(&self) -> Vec<Noted> {
        let noted = |log: &Log, whose: Noted| (!log.observations().is_empty()).then_some(whose);
        let connections = self.connections.places();
        let connections = connections.filter_map(|(id, one)| noted(&one.log, Noted::Connection(id)));
        let calls = self.calls.places().filter_map(|(id, one)| noted(&one.log, Noted::Call(id)));
        let flows = (0u32..).zip(&self.flows);
        let flows = flows.filter_map(|(at, one)| noted(&one.log, Noted::Flow(FlowId(at))));
        connections.chain(calls).chain(flows).collect()
    }

    /// A log with its place.
    fn log_of(&self, whose: Noted) -> Option<(Scope, &Log)> {
        Some(match whose {
            Noted::Connection(id) => {
                let connection = self.connection(id)?;
                (Scope { connection: Some(connection.number), ..Scope::default() }, &connection.log)
            }
            Noted::Call(id) => {
                let call = self.call(id)?;
                let connection = self.connection(call.connection).map(|connection| connection.number);
                (Scope { connection, call: Some(id), ..Scope::default() }, &call.log)
            }
            Noted::Flow(id) => (Scope { flow: Some(id), ..Scope::default() }, &self.flow(id)?.log),
        })
    }
}
