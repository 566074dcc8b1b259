//! What a rule has found.

use crate::analysis::CallId;
use crate::ipsec::sad::Spi;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// A cause of trouble, or a breach without visible harm.
    Warning,
    /// A breach that breaks something, or what is broken.
    Error,
}

impl Severity {
    /// The name in reports and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// Nothing in the capture could explain it away.
    Certain,
    /// Something could: the finding says what.
    Possible,
}

impl Certainty {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Possible => "possible",
        }
    }
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule: a stable id such as `hello-unacknowledged`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong, without packet numbers and rule.
    pub title: String,
    /// The packets that show it, the first few.
    pub packets: Vec<u64>,
    /// How often it was seen, if that is more than `packets` has.
    pub count: u64,
    /// In which control connection: the number of `T1`.
    pub connection: Option<u32>,
    /// In which call.
    pub call: Option<CallId>,
    /// In which SA.
    pub spi: Option<Spi>,
    /// The section of the RFC, such as `RFC 2661 5.5`; empty for what no RFC rules.
    pub section: &'static str,
    /// What was seen, with numbers.
    pub seen: String,
    /// What could make the judgement wrong. Then it is not certain.
    pub unsure: Option<String>,
    /// What the section says.
    pub rule_text: &'static str,
    /// What to do next.
    pub advice: String,
}

impl Finding {
    /// Certain, unless something could make it wrong.
    pub fn certainty(&self) -> Certainty {
        if self.unsure.is_some() { Certainty::Possible } else { Certainty::Certain }
    }
}
