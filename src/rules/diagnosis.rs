//! The one sentence on top: healthy, or the lowest layer that is broken.

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

/// The verdict on a capture.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// A word of a fixed vocabulary, such as `healthy` or `hello-timeout`.
    pub id: &'static str,
    /// Nothing is broken.
    pub healthy: bool,
    /// One sentence with its evidence, without the word in front (`Healthy:`, `Broken:`).
    pub sentence: String,
    /// The packets that show it.
    pub evidence: Vec<u64>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do next.
    pub advice: Option<String>,
}

/// Finds the verdict.
pub fn diagnose(_case: &super::Case<'_>, _findings: &[super::Finding]) -> Diagnosis {
    Diagnosis {
        id: "healthy",
        healthy: true,
        sentence: String::new(),
        evidence: Vec::new(),
        confidence: Confidence::Certain,
        advice: None,
    }
}
