//! Why it does not work: how far each attempt to connect came, stage by stage, and what stopped it.
//!
//! An attempt is what one client makes: path, IKE, child SA, ESP, control connection, call, PPP, traffic. Each stage has a
//! file with one function that proves it, or names what stopped it there. A verdict is a proof: *Healthy* needs every
//! stage that is needed, *Broken* names the lowest stage that failed, and what is not shown is *Undecided*.

mod answer;
mod attempt;
mod authentication;
mod call;
mod capture;
mod causes;
mod child_sa;
mod control_connection;
mod end;
mod esp;
mod hosts;
mod ike;
mod judge;
mod keepalive;
mod lcp;
mod network;
mod path;
mod results;
mod size;
mod stage;
mod traffic;

use super::{Case, Finding, words};

pub use capture::{Counts, Group, Judged};
pub use causes::{Cause, all as causes};
pub use stage::{Outcome, Stage, Stages};

pub(crate) use judge::Judge;

/// How sure the sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Confidence {
    Possible,
    Likely,
    Certain,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// All of them, from good to bad.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Undecided, Self::Degraded, Self::Broken];

    /// The word in front of the sentence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Degraded => "Degraded",
            Self::Broken => "Broken",
            Self::Undecided => "Undecided",
        }
    }

    /// The name in JSON and in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
        }
    }
}

/// The verdict on a capture, a control connection or a call.
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
    /// How far it came: of one attempt.
    pub stages: Option<Stages>,
    /// Of several attempts, how many came out how.
    pub counts: Option<Counts>,
    /// What failed, alike put together, the most frequent first.
    pub groups: Vec<Group>,
    /// The verdict on each attempt, as many as are kept.
    pub attempts: Vec<Judged>,
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
            stages: None,
            counts: None,
            groups: Vec::new(),
            attempts: Vec::new(),
        }
    }

    fn broken(cause: &'static Cause, sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Broken, cause.id, sentence)
    }

    fn degraded(cause: &'static Cause, sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Degraded, cause.id, sentence)
    }

    fn undecided(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Undecided, causes::UNDETERMINED.id, sentence).confidence(Confidence::Possible)
    }

    /// What would be broken, if the capture showed more.
    fn into_undecided(mut self) -> Self {
        self.verdict = Verdict::Undecided;
        self.id = causes::UNDETERMINED.id;
        self
    }

    fn named(mut self, cause: &'static Cause) -> Self {
        self.id = cause.id;
        self
    }

    fn evidence(mut self, packets: impl IntoIterator<Item = u64>) -> Self {
        let mut packets: Vec<u64> = packets.into_iter().filter(|packet| *packet > 0).collect();
        packets.dedup();
        packets.truncate(8);
        self.evidence = packets;
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

/// Finds the verdict on a capture. Of a part of a capture none is certain.
pub fn diagnose(case: &Case<'_>, findings: &[Finding]) -> Diagnosis {
    let mut diagnosis = capture::verdict(&Judge::new(case, findings));
    if case.left_out > 0 {
        diagnosis.confidence = Confidence::Possible;
        let packets = words::count(case.left_out, "packet");
        let sentence = diagnosis.sentence.trim_end_matches('.');
        let were = if case.left_out == 1 { "was" } else { "were" };
        if causes::is_absence(diagnosis.id) {
            (diagnosis.verdict, diagnosis.id) = (Verdict::Undecided, causes::UNDETERMINED.id);
            diagnosis.sentence =
                format!("{packets} {were} left out of this report; without them, {sentence}.");
        } else {
            diagnosis.sentence = format!("{sentence}; {packets} {were} left out of this report.");
        }
    }
    diagnosis
}
