//! A verdict is a proof: "Healthy" stands beside no certain error, and every stage that is needed is proved; whatever part
//! of a capture is there.

mod samples;

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::Sad;
use l2tp_inspect::rules::diagnosis::{Diagnosis, Outcome};
use l2tp_inspect::rules::{self, Case, Certainty, Finding, Severity, Verdict};
use samples::Held;

/// Places at which each sample is cut.
const CUTS: usize = 40;

/// What is wrong with a verdict, if anything is.
fn fault(diagnosis: &Diagnosis, findings: &[Finding]) -> Option<String> {
    if diagnosis.verdict == Verdict::Healthy {
        let certain = |finding: &&Finding| {
            finding.severity == Severity::Error && finding.certainty() == Certainty::Certain
        };
        if let Some(error) = findings.iter().find(certain) {
            return Some(format!("healthy beside {}", error.rule.id));
        }
    }
    let all =
        diagnosis.attempts.iter().map(|one| &one.diagnosis).filter(|one| one.verdict == Verdict::Healthy);
    for stages in all.filter_map(|one| one.stages.as_ref()) {
        let open =
            stages.iter().find(|(_, outcome)| !matches!(outcome, Outcome::Proved | Outcome::NotNeeded));
        if let Some((stage, outcome)) = open {
            return Some(format!("healthy, and {} is {}", stage.name(), outcome.name()));
        }
    }
    None
}

fn verdict<'f>(frames: impl Iterator<Item = &'f Held>, sad: &Sad) -> Option<String> {
    let mut inspector = Inspector::new(sad, Limits::default());
    frames.for_each(|frame| inspector.push(&frame.frame()));
    let analysis = inspector.finish();
    let case = Case::of(&analysis, sad);
    let findings = rules::judge(&case);
    fault(&rules::diagnose(&case, &findings), &findings)
}

#[test]
fn of_every_sample_cut_at_forty_places() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).expect("sound");
        let step = (all.len() / CUTS).max(1);
        for length in (0..=all.len()).step_by(step).chain([all.len()]) {
            let begins = verdict(all[..length].iter(), &sad);
            assert_eq!(begins, None, "{}: the first {length} frames", sample.name);
            let ends = verdict(all[length..].iter(), &sad);
            assert_eq!(ends, None, "{}: without the first {length} frames", sample.name);
        }
    });
}

#[test]
fn of_every_sample_that_lacks_frames() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).expect("sound");
        for every in [2, 3, 7, 20] {
            for first in 0..every.min(4) {
                let kept =
                    all.iter().enumerate().filter(|(at, _)| at % every != first).map(|(_, frame)| frame);
                assert_eq!(verdict(kept, &sad), None, "{}: each {every}th from {first} on", sample.name);
            }
        }
    });
}

/// An unknown fault is still told by its stage.
#[test]
fn each_cause_has_a_stage_and_a_meaning() {
    let mut ids: Vec<&str> = rules::diagnosis::causes().map(|cause| cause.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id names one cause");
    for cause in rules::diagnosis::causes() {
        assert!(cause.doc.trim().len() > 30, "{}", cause.id);
    }
}
