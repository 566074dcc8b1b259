//! One fault of one end, in a conversation that is in order otherwise.

pub mod bug;

mod data;
mod ends;
mod form;
mod numbers;
mod order;
mod tools;

use l2tp_inspect::rules::{Finding, Severity};

use super::allowed::allowed;
use super::judge::{judge, known_as};
use super::options::PppPlan;
use super::scenario::{Run, TAPS};
use super::transport::Habits;
use super::wire::Version;
use super::world::{Path, Tap};
use crate::common::{ICCN, ICRP, ICRQ, Judged, SCCCN, SCCRP, SCCRQ};

/// Rules that name the same thing where the first one has no place for it, and why.
const ALSO: &[(&str, &str, &str)] = &[
    ("call-wrong-session-id", "call-unknown-session", "an ICCN names its call by the ID in its header alone"),
    ("tun-scccn-unexpected", "hdr-control-tunnel-id-zero", "beside the LNS it comes after the SCCRP"),
];

/// A fault, and how it should be judged.
pub struct Fault {
    pub rule: &'static str,
    /// Which ends may have it: 0 is the initiator and LAC, 1 the LNS.
    pub ends: &'static [usize],
    /// Gives it to this end.
    pub plant: fn(&mut Run, usize),
    /// Packets that show it: with fewer of them in the capture nothing need be said.
    pub evidence: usize,
    /// Other errors that follow from it, and why.
    pub beside: &'static [(&'static str, &'static str)],
}

pub fn all() -> impl Iterator<Item = &'static Fault> {
    [numbers::FAULTS, form::FAULTS, ends::FAULTS, order::FAULTS, data::FAULTS].into_iter().flatten()
}

pub fn named(rule: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.rule == rule)
}

fn end_of(fault: &Fault, seed: u64) -> usize {
    fault.ends[(seed / 6) as usize % fault.ends.len()]
}

/// A control connection with one call, and the fault in it. Every second run loses packets.
pub fn run(fault: &Fault, seed: u64) -> Run {
    let mut run = Run::new(seed);
    run.world.path = Path {
        tap: TAPS[(seed % 3) as usize],
        delay: [10 + (seed * 7 % 50) as i64, 10 + (seed * 11 % 50) as i64],
        jitter: 3,
        loss: if (seed / 3).is_multiple_of(2) { 0 } else { 50 },
        copies: 0,
        capture_loss: 0,
        capture_from: 0,
        outage: None,
        deaf_after_tap: None,
    };
    run.version = Version::V2;
    run.habits = [Habits::default(), Habits::default()];
    let opening = run.opening();
    let conn = run.conn(super::scenario::Opening { by_server: false, port: 1701, ..opening });
    run.world.conns[conn].floats_to = None;
    let call = run.call(conn, false, None);
    let it = &mut run.world.calls[call];
    (it.required, it.ends[1].numbers) = (false, false);
    it.ppp = PppPlan { ping: Some(1500), ..PppPlan::default() };
    it.ends[1].id = 300 + seed as u32;
    run.until = 76_000;
    run.world.at(0, move |world| world.open(conn));
    run.world.at(100, move |world| world.request(call));
    (fault.plant)(&mut run, end_of(fault, seed));
    tools::close(&mut run);
    run.world.run(run.until);
    run.world.unanswered();
    run
}

pub fn check(fault: &Fault, seed: u64) -> (Tap, u64, Vec<String>) {
    let run = run(fault, seed);
    let judged = judge(&run);
    (run.world.path.tap, seed, wrong(fault, seed, &run, &judged))
}

pub fn wrong(fault: &Fault, seed: u64, run: &Run, judged: &Judged) -> Vec<String> {
    let truth = &run.world.truth;
    let mut wrong = Vec::new();
    let shown = truth.captured.iter().filter(|packet| packet.note.tag == bug::EVIDENCE).count();
    let asked = truth.saw(0, 0, SCCRQ);
    let set_up = [(0, SCCRQ), (1, SCCRP), (0, SCCCN), (0, ICRQ), (1, ICRP), (0, ICCN)];
    // Without the set-up, as far as there was one, the capture does not show against what the fault goes.
    let from_start =
        set_up.iter().all(|(end, kind)| truth.saw(0, *end, *kind) || !run.world.sent(*end, *kind));
    if shown >= fault.evidence && asked && from_start {
        let names = |id: &str| {
            id == fault.rule || ALSO.iter().any(|(rule, other, _)| *rule == fault.rule && *other == id)
        };
        let findings: Vec<_> = judged.findings.iter().filter(|finding| names(finding.rule.id)).collect();
        if findings.is_empty() {
            wrong.push(format!("{}: not raised", fault.rule));
        }
        let right = |finding: &&&Finding| {
            let Some(end) = finding.end else { return true };
            let known = finding.connection.and_then(|number| judged.analysis.numbered(number));
            let first =
                known.and_then(|(_, connection)| known_as(run, connection)).map_or(0, |(_, first)| first);
            usize::from(end) ^ first == end_of(fault, seed)
        };
        // What the path does may raise a note about either end beside it.
        let accused: Vec<_> = findings.iter().filter(|finding| finding.severity > Severity::Note).collect();
        let enough = if accused.is_empty() {
            findings.iter().any(|one| right(&one))
        } else {
            accused.iter().all(right)
        };
        if !findings.is_empty() && !enough {
            wrong.push(format!("{}: names the other end", fault.rule));
        }
    }
    for finding in judged.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let id = finding.rule.id;
        if id != fault.rule
            && !fault.beside.iter().any(|(rule, _)| *rule == id)
            && !allowed(run, judged, finding)
        {
            wrong.push(format!("{}: beside it {id}", fault.rule));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}
