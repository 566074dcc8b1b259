//! Judges attempts: every stage in turn, and the verdict that follows.

use std::collections::HashMap;

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;

use super::super::{Case, Certainty, Finding, Severity};
use super::attempt::Attempt;
use super::causes::{
    Cause, DPD_KILL, HELLO_TIMEOUT, IPCP_TROUBLE, KEYS_DIFFER, LCP_ECHO_FAILURE, PATH_DUPLICATES,
    PLAINTEXT_LEAK, REKEY_FAILURE, SUCCESS_MALFORMED,
};
use super::hosts::{Hosts, Pair, pair};
use super::stage::{Outcome, Stage, Stages};
use super::{
    Confidence, Diagnosis, Verdict, authentication, call, child_sa, control_connection, end, esp, ike,
    keepalive, lcp, network, path, traffic,
};

/// Judges one stage.
type JudgeStage = fn(&Attempt<'_>) -> Outcome;

/// Each stage with the function that judges it.
static STAGES: &[(Stage, JudgeStage)] = &[
    (Stage::Path, path::judge),
    (Stage::Ike, ike::judge),
    (Stage::ChildSa, child_sa::judge),
    (Stage::Esp, esp::judge),
    (Stage::ControlConnection, control_connection::judge),
    (Stage::Call, call::judge),
    (Stage::Lcp, lcp::judge),
    (Stage::Authentication, authentication::judge),
    (Stage::Network, network::judge),
    (Stage::Traffic, traffic::judge),
    (Stage::Keepalive, keepalive::judge),
    (Stage::End, end::judge),
];

/// Of several troubles the one that users feel most is named.
const TROUBLES: [Stage; 6] =
    [Stage::Traffic, Stage::Esp, Stage::Network, Stage::Call, Stage::Keepalive, Stage::ControlConnection];

/// Judges attempts: what is looked up for all of them is gathered once.
pub(crate) struct Judge<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) hosts: Hosts<'a>,
    /// The first certain error of each call, of each control connection beside its calls, and of the capture.
    errors: Errors<'a>,
}

/// Certain errors, by what they are about.
#[derive(Default)]
struct Errors<'a> {
    calls: HashMap<CallId, &'a Finding>,
    connections: HashMap<u32, &'a Finding>,
    capture: Option<&'a Finding>,
}

impl<'a> Errors<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        let mut errors = Self::default();
        let certain = |finding: &&Finding| {
            finding.severity == Severity::Error && finding.certainty() == Certainty::Certain
        };
        for finding in findings.iter().filter(certain) {
            match (finding.call, finding.connection) {
                (Some(call), _) => {
                    errors.calls.entry(call).or_insert(finding);
                }
                (None, Some(number)) => {
                    errors.connections.entry(number).or_insert(finding);
                }
                (None, None) => {
                    errors.capture.get_or_insert(finding);
                }
            }
        }
        errors
    }
}

impl<'a> Judge<'a> {
    pub(crate) fn new(case: &'a Case<'a>, findings: &'a [Finding]) -> Self {
        Self { case, hosts: Hosts::of(case), errors: Errors::of(findings) }
    }

    /// The verdict on a call, or on a control connection without calls.
    pub(crate) fn of(&self, connection: &Connection, call: Option<(CallId, &Call)>) -> Diagnosis {
        let [one, other] = connection.ends.each_ref().map(|end| end.endpoint.address);
        let between = self.hosts.between(pair(one, other));
        self.verdict(&Attempt {
            case: self.case,
            hosts: &self.hosts,
            between,
            connection: Some(connection),
            call,
        })
    }

    /// The verdict on what two hosts tried without L2TP that can be read.
    pub(super) fn of_hosts(&self, pair: Pair) -> Diagnosis {
        let between = self.hosts.between(pair);
        self.verdict(&Attempt { case: self.case, hosts: &self.hosts, between, connection: None, call: None })
    }

    fn verdict(&self, attempt: &Attempt<'_>) -> Diagnosis {
        let mut stages = Stages::default();
        for (stage, judge) in STAGES {
            // What one direction says of the stages above is no proof of the other.
            let half = attempt.one_direction() && (Stage::Lcp..=Stage::Keepalive).contains(stage);
            let outcome = match stages.failed() {
                Some(_) => Outcome::NotReached,
                None if half => Outcome::NotNeeded,
                None => judge(attempt),
            };
            stages.push(*stage, outcome);
        }
        let known = stages.failed().or_else(|| trouble(&stages)).or_else(|| stages.unproved());
        let mut diagnosis = match (known, self.worse(attempt)) {
            (Some((_, why)), _) => why.clone(),
            (None, Some(finding)) => of_finding(finding),
            (None, None) => end::healthy(attempt),
        };
        if diagnosis.verdict != Verdict::Broken
            && let Some(drops) = attempt.lost_by_capture()
        {
            diagnosis.confidence = Confidence::Possible;
            if diagnosis.verdict == Verdict::Healthy {
                diagnosis.sentence = format!(
                    "{}, as far as it was captured: {drops}",
                    diagnosis.sentence.trim_end_matches('.')
                );
            }
        }
        diagnosis.stages = Some(stages);
        diagnosis
    }

    /// A certain error that concerns this attempt.
    fn worse(&self, attempt: &Attempt<'_>) -> Option<&Finding> {
        let errors = &self.errors;
        let of_call = attempt.call.and_then(|(id, _)| errors.calls.get(&id));
        let of_connection = || errors.connections.get(&attempt.connection?.number);
        of_call.or_else(of_connection).copied().or(errors.capture)
    }
}

fn trouble(stages: &Stages) -> Option<(Stage, &Diagnosis)> {
    let weight = |stage: Stage| TROUBLES.iter().position(|known| *known == stage).unwrap_or(TROUBLES.len());
    stages.degraded().min_by_key(|(stage, _)| weight(*stage))
}

/// Errors of rules that are signs of a cause: what their ids begin with.
static SIGNS: &[(&str, &Cause)] = &[
    ("esp-icv", &KEYS_DIFFER),
    ("esp-replay", &PATH_DUPLICATES),
    ("ike-dpd", &DPD_KILL),
    ("ike-rekey", &REKEY_FAILURE),
    ("sec-leak", &PLAINTEXT_LEAK),
    ("hello-", &HELLO_TIMEOUT),
    ("ppp-echo", &LCP_ECHO_FAILURE),
    ("ppp-auth-success", &SUCCESS_MALFORMED),
    ("ppp-ipcp", &IPCP_TROUBLE),
];

/// Everything worked, and a rule was broken all the same.
fn of_finding(finding: &Finding) -> Diagnosis {
    let title = finding.title.trim_end_matches('.');
    let sign = SIGNS.iter().find(|(rule, _)| finding.rule.id.starts_with(rule));
    let id = sign.map_or(finding.rule.id, |(_, cause)| cause.id);
    Diagnosis::new(Verdict::Degraded, id, format!("it worked, but {title}."))
        .evidence(finding.packets.iter().copied())
        .advice(finding.advice.clone())
}
