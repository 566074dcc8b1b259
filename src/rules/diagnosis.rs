//! The one sentence on top: healthy, or the lowest layer that is broken.
//!
//! Layers are tried from below: reach, IKE, ESP, control connection, call, LCP, authentication, NCP, traffic,
//! keepalive, teardown. What is broken lowest is the headline; the rest are its consequences.

mod below;
mod inside;
mod outcome;
mod ppp;
mod size;

use super::{Case, Finding, words};

/// How sure the sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Confidence {
    Certain,
    Likely,
    Possible,
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// What kind of verdict it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to repair.
    Healthy,
    /// It worked, with trouble.
    Degraded,
    /// It did not work, or it stopped working.
    Broken,
    /// The capture does not show enough.
    Undecided,
}

impl Verdict {
    /// The word in front of the sentence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Degraded => "Degraded",
            Self::Broken => "Broken",
            Self::Undecided => "Undecided",
        }
    }
}

/// The verdict on a capture.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// A word of a fixed vocabulary, such as `healthy` or `hello-timeout`.
    pub id: &'static str,
    /// What kind of verdict it is.
    pub verdict: Verdict,
    /// One sentence with its evidence, without the word in front.
    pub sentence: String,
    /// The packets that show it.
    pub evidence: Vec<u64>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do next.
    pub advice: Option<String>,
}

impl Diagnosis {
    fn new(verdict: Verdict, id: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            id,
            verdict,
            sentence: sentence.into(),
            evidence: Vec::new(),
            confidence: Confidence::Certain,
            advice: None,
        }
    }

    fn broken(id: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Broken, id, sentence)
    }

    fn degraded(id: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Degraded, id, sentence)
    }

    fn undecided(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Undecided, "undetermined", sentence).confidence(Confidence::Possible)
    }

    fn named(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    fn evidence(mut self, packets: impl IntoIterator<Item = u64>) -> Self {
        self.evidence = packets.into_iter().take(8).collect();
        self
    }

    fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Verdicts that say that something is not there: packets that were left out may have it.
static ABSENCES: &[&str] = &[
    "control-loss-recovered",
    "data-loss",
    "data-one-way",
    "esp-blocked",
    "hello-timeout",
    "ike-no-answer",
    "no-sccrp",
    "peer-daemon-died",
    "rekey-failure",
    "retransmission-storm",
];

/// Finds the verdict: the first that applies, from the lowest layer up. Of a part of a capture none is certain.
pub fn diagnose(case: &Case<'_>, findings: &[Finding]) -> Diagnosis {
    let mut diagnosis = of_all(case, findings);
    if case.left_out > 0 {
        diagnosis.confidence = Confidence::Possible;
        let packets = words::count(case.left_out, "packet");
        let sentence = diagnosis.sentence.trim_end_matches('.');
        let were = if case.left_out == 1 { "was" } else { "were" };
        if ABSENCES.contains(&diagnosis.id) {
            (diagnosis.verdict, diagnosis.id) = (Verdict::Undecided, "undetermined");
            diagnosis.sentence =
                format!("{packets} {were} left out of this report; without them, {sentence}.");
        } else {
            diagnosis.sentence = format!("{sentence}; {packets} {were} left out of this report.");
        }
    }
    diagnosis
}

fn of_all(case: &Case<'_>, _findings: &[Finding]) -> Diagnosis {
    below::reach_and_ike(case)
        .or_else(|| below::garbage(case))
        .or_else(|| inside::leak(case))
        .or_else(|| inside::first(case, inside::control_connection))
        .or_else(|| outcome::other_version(case))
        .or_else(|| below::collision(case))
        .or_else(|| below::esp_packets(case))
        .or_else(|| below::unreadable(case))
        .or_else(|| inside::first_call(case, inside::call))
        .or_else(|| inside::first_call(case, ppp::session))
        .or_else(|| below::mapping(case))
        .or_else(|| inside::first(case, inside::keepalive))
        .or_else(|| below::rekey(case))
        .or_else(|| size::black_hole(case))
        .or_else(|| inside::first_call(case, inside::traffic))
        .or_else(|| inside::degraded(case))
        .unwrap_or_else(|| outcome::worked(case))
}
