//! The stages of an attempt, and what became of each.

use super::{Diagnosis, Verdict};

/// A stage of an attempt to connect, from the lowest up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Anything comes back at all.
    Path,
    /// The IKE SA.
    Ike,
    /// The child SA, by quick mode or IKE_AUTH.
    ChildSa,
    /// ESP packets in both directions.
    Esp,
    /// The control connection.
    ControlConnection,
    /// The call.
    Call,
    /// LCP.
    Lcp,
    /// Authentication of PPP.
    Authentication,
    /// A network control protocol of PPP.
    Network,
    /// What users ask, and its answers.
    Traffic,
    /// Hellos and LCP echoes.
    Keepalive,
    /// How it ended, if it did.
    End,
}

impl Stage {
    /// All of them, from the lowest up.
    pub const ALL: [Self; 12] = [
        Self::Path,
        Self::Ike,
        Self::ChildSa,
        Self::Esp,
        Self::ControlConnection,
        Self::Call,
        Self::Lcp,
        Self::Authentication,
        Self::Network,
        Self::Traffic,
        Self::Keepalive,
        Self::End,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Ike => "ike",
            Self::ChildSa => "child-sa",
            Self::Esp => "esp",
            Self::ControlConnection => "tunnel",
            Self::Call => "call",
            Self::Lcp => "lcp",
            Self::Authentication => "authentication",
            Self::Network => "network",
            Self::Traffic => "traffic",
            Self::Keepalive => "keepalive",
            Self::End => "end",
        }
    }

    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ike => "IKE",
            Self::ChildSa => "child SA",
            Self::Esp => "ESP",
            Self::Lcp => "LCP",
            Self::Authentication => "auth",
            Self::Network => "NCP",
            other => other.name(),
        }
    }
}

/// What became of a stage.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The capture shows that it worked.
    Proved,
    /// It is not needed here, or there is none: no IPsec, no authentication, a static session of L2TPv3.
    NotNeeded,
    /// A stage below it failed.
    NotReached,
    /// It worked, with trouble.
    Degraded(Box<Diagnosis>),
    /// The capture does not show whether it worked: why, and what would show it.
    Unproved(Box<Diagnosis>),
    /// It failed.
    Failed(Box<Diagnosis>),
}

impl Outcome {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::NotNeeded => "not-needed",
            Self::NotReached => "not-reached",
            Self::Degraded(_) => "degraded",
            Self::Unproved(_) => "unproved",
            Self::Failed(_) => "failed",
        }
    }

    /// What is said of it, if it is not simply proved.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        match self {
            Self::Degraded(why) | Self::Unproved(why) | Self::Failed(why) => Some(why),
            _ => None,
        }
    }
}

impl From<Diagnosis> for Outcome {
    fn from(diagnosis: Diagnosis) -> Self {
        let diagnosis = Box::new(diagnosis);
        match diagnosis.verdict {
            Verdict::Broken => Self::Failed(diagnosis),
            Verdict::Degraded => Self::Degraded(diagnosis),
            Verdict::Undecided => Self::Unproved(diagnosis),
            Verdict::Healthy => Self::Proved,
        }
    }
}

/// What became of every stage of an attempt, from the lowest up.
#[derive(Debug, Clone, Default)]
pub struct Stages(Vec<(Stage, Outcome)>);

impl Stages {
    pub(super) fn push(&mut self, stage: Stage, outcome: Outcome) {
        self.0.push((stage, outcome));
    }

    /// Each stage with what became of it.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, &Outcome)> {
        self.0.iter().map(|(stage, outcome)| (*stage, outcome))
    }

    /// What became of one stage.
    pub fn of(&self, stage: Stage) -> Option<&Outcome> {
        self.iter().find(|(known, _)| *known == stage).map(|(_, outcome)| outcome)
    }

    /// The lowest stage that failed.
    pub fn failed(&self) -> Option<(Stage, &Diagnosis)> {
        self.iter().find_map(|(stage, outcome)| match outcome {
            Outcome::Failed(why) => Some((stage, &**why)),
            _ => None,
        })
    }

    /// What troubled it, from the lowest stage up.
    pub(super) fn degraded(&self) -> impl Iterator<Item = (Stage, &Diagnosis)> {
        self.iter().filter_map(|(stage, outcome)| match outcome {
            Outcome::Degraded(why) => Some((stage, &**why)),
            _ => None,
        })
    }

    /// The lowest stage that is not shown.
    pub(super) fn unproved(&self) -> Option<(Stage, &Diagnosis)> {
        self.iter().find_map(|(stage, outcome)| match outcome {
            Outcome::Unproved(why) => Some((stage, &**why)),
            _ => None,
        })
    }
}
