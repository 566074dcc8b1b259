//! One attempt to connect, and what the stages ask of it.

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;

use super::super::{Case, words};
use super::causes::HEALTHY;
use super::hosts::{Between, Hosts};
use super::stage::Outcome;
use super::{Diagnosis, Verdict};

/// What one client tried: the chain from the path to its users' packets, as far as it is in the capture.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub case: &'a Case<'a>,
    pub hosts: &'a Hosts<'a>,
    /// IKE, ESP and control connections between the same hosts.
    pub between: &'a Between<'a>,
    pub connection: Option<&'a Connection>,
    pub call: Option<(CallId, &'a Call)>,
}

impl<'a> Attempt<'a> {
    /// `the LAC 10.1.0.2`.
    pub(super) fn who(&self, end: u8) -> String {
        self.connection.map_or_else(String::new, |connection| words::who(connection, end))
    }

    /// `C1`, or `T1` where there is no call.
    pub(super) fn name(&self) -> String {
        match (self.call, self.connection) {
            (Some((id, _)), _) => words::call(id),
            (None, Some(connection)) => words::tunnel(connection),
            (None, None) => String::new(),
        }
    }

    /// Only one direction is in the capture.
    pub(super) fn one_direction(&self) -> bool {
        self.connection.is_some_and(words::one_direction_missing)
    }

    /// Packets of this attempt that could not be opened.
    pub(super) fn sealed(&self) -> u64 {
        self.between.flows.iter().map(|flow| flow.no_key + flow.bad_icv + flow.bad_padding).sum()
    }

    /// Users' packets went both ways: whatever the capture lacks of the stages below, they worked.
    pub(super) fn carried(&self) -> bool {
        let carries = |call: &Call| call.data.iter().all(|data| data.network > 0);
        let v3 = |call: &Call| {
            self.connection.is_some_and(|connection| connection.version == 3)
                && call.data.iter().all(|data| data.packets > 0)
        };
        self.call.is_some_and(|(_, call)| carries(call) || v3(call))
    }

    /// Packets that kernel or interface dropped, or that a damaged file lacks.
    pub(super) fn lost_by_capture(&self) -> Option<String> {
        if self.case.drops > 0 {
            return Some(format!(
                "{} were dropped while capturing.",
                words::count(self.case.drops, "packet")
            ));
        }
        None
    }
}

/// What is not shown, and what would show it.
pub(super) fn unproved(why: impl Into<String>, advice: &str) -> Outcome {
    Diagnosis::undecided(why).advice(advice).into()
}

/// The verdict where everything is proved.
pub(super) fn healthy(sentence: impl Into<String>) -> Diagnosis {
    Diagnosis::new(Verdict::Healthy, HEALTHY.id, sentence)
}
