//! Questions to all logs at once, for rules.

use super::{Observation, Tally};
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
        for (scope, log) in self.logs() {
            for known in log.observations() {
                if let Some(value) = wanted(known.what) {
                    found.push((value, Scope { end: known.end, ..scope }, &known.tally));
                }
            }
        }
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        found
    }

    /// Every log with its place.
    fn logs(&self) -> impl Iterator<Item = (Scope, &super::Log)> {
        let calls = self.calls.places().map(|(id, call)| {
            let connection = self.connection(call.connection).map(|connection| connection.number);
            (Scope { connection, call: Some(id), ..Scope::default() }, &call.log)
        });
        let connections = self.connections.iter().map(|connection| {
            (Scope { connection: Some(connection.number), ..Scope::default() }, &connection.log)
        });
        let flows = (0u32..)
            .zip(&self.flows)
            .map(|(at, flow)| (Scope { flow: Some(FlowId(at)), ..Scope::default() }, &flow.log));
        std::iter::once((Scope::default(), &self.log)).chain(connections).chain(calls).chain(flows)
    }
}
