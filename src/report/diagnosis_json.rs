//! Verdicts in JSON: of the capture, of each control connection and of each call, with their stages.

use std::collections::HashMap;

use serde::Serialize;

use crate::analysis::CallId;
use crate::rules::diagnosis::{Counts, Diagnosis, Group, Stages, Verdict};

#[derive(Serialize)]
pub(super) struct DiagnosisJson<'a> {
    status: &'static str,
    id: &'static str,
    sentence: &'a str,
    evidence: &'a [u64],
    confidence: &'static str,
    advice: Option<&'a str>,
    stages: Option<Vec<StageJson<'a>>>,
}

#[derive(Serialize)]
struct StageJson<'a> {
    stage: &'static str,
    outcome: &'static str,
    id: Option<&'static str>,
    evidence: &'a [u64],
}

#[derive(Serialize)]
pub(super) struct CaptureDiagnosisJson<'a> {
    #[serde(flatten)]
    verdict: DiagnosisJson<'a>,
    counts: CountsJson,
    groups: Vec<GroupJson<'a>>,
}

#[derive(Serialize)]
struct CountsJson {
    healthy: u64,
    degraded: u64,
    broken: u64,
    undecided: u64,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    id: &'static str,
    status: &'static str,
    count: u64,
    examples: &'a [String],
    users: &'a [String],
    peers: Vec<String>,
    sentence: &'a str,
}

fn one(diagnosis: &Diagnosis) -> DiagnosisJson<'_> {
    DiagnosisJson {
        status: diagnosis.verdict.name(),
        id: diagnosis.id,
        sentence: &diagnosis.sentence,
        evidence: &diagnosis.evidence,
        confidence: diagnosis.confidence.name(),
        advice: diagnosis.advice.as_deref(),
        stages: diagnosis.stages.as_ref().map(stages),
    }
}

fn stages(stages: &Stages) -> Vec<StageJson<'_>> {
    let each = stages.iter().map(|(stage, outcome)| StageJson {
        stage: stage.name(),
        outcome: outcome.name(),
        id: outcome.diagnosis().map(|why| why.id),
        evidence: outcome.diagnosis().map_or(&[], |why| &why.evidence),
    });
    each.collect()
}

fn counts(diagnosis: &Diagnosis) -> CountsJson {
    let of = |verdict: Verdict| match &diagnosis.counts {
        Some(counts) => Counts::of(counts, verdict),
        None => u64::from(diagnosis.verdict == verdict),
    };
    CountsJson {
        healthy: of(Verdict::Healthy),
        degraded: of(Verdict::Degraded),
        broken: of(Verdict::Broken),
        undecided: of(Verdict::Undecided),
    }
}

fn group(group: &Group) -> GroupJson<'_> {
    GroupJson {
        id: group.id,
        status: group.verdict.name(),
        count: group.count,
        examples: &group.examples,
        users: &group.users,
        peers: group.peers.iter().map(ToString::to_string).collect(),
        sentence: &group.sentence,
    }
}

/// The verdict on the capture.
pub(super) fn of_capture(diagnosis: &Diagnosis) -> CaptureDiagnosisJson<'_> {
    CaptureDiagnosisJson {
        verdict: one(diagnosis),
        counts: counts(diagnosis),
        groups: diagnosis.groups.iter().map(group).collect(),
    }
}

/// The verdicts on single attempts, by control connection and call.
pub(super) struct Verdicts<'a> {
    connections: HashMap<u32, &'a Diagnosis>,
    calls: HashMap<CallId, &'a Diagnosis>,
}

impl<'a> Verdicts<'a> {
    pub(super) fn of(diagnosis: &'a Diagnosis) -> Self {
        let mut verdicts = Self { connections: HashMap::new(), calls: HashMap::new() };
        let bad = |one: &Diagnosis| Verdict::ALL.iter().position(|known| *known == one.verdict);
        for judged in &diagnosis.attempts {
            if let Some(call) = judged.call {
                verdicts.calls.insert(call, &judged.diagnosis);
            }
            let Some(number) = judged.connection else { continue };
            // Of several calls the worst stands for their control connection.
            let known = verdicts.connections.entry(number).or_insert(&judged.diagnosis);
            if bad(&judged.diagnosis) > bad(known) {
                *known = &judged.diagnosis;
            }
        }
        verdicts
    }

    pub(super) fn connection(&self, number: u32) -> Option<DiagnosisJson<'a>> {
        self.connections.get(&number).map(|diagnosis| one(diagnosis))
    }

    pub(super) fn call(&self, call: CallId) -> Option<DiagnosisJson<'a>> {
        self.calls.get(&call).map(|diagnosis| one(diagnosis))
    }
}
