//! What a rule has found.

use crate::analysis::CallId;
use crate::analysis::log::Tally;
use crate::ipsec::Spi;

use super::Rule;

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
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is: the rule's severity, or a lower one.
    pub severity: Severity,
    /// The section of the RFC: the rule's, or for L2TPv3 its like in RFC 3931.
    pub section: &'static str,
    /// What that section says, in one sentence.
    pub says: &'static str,
    /// One line: what is wrong, without packet numbers and rule.
    pub title: String,
    /// The packets that show it, the first few.
    pub packets: Vec<u64>,
    /// How often it was seen; may be more than `packets` has.
    pub count: u64,
    /// In which control connection: the number of `T1`.
    pub connection: Option<u32>,
    /// Which end of it did what is wrong, where one did.
    pub end: Option<u8>,
    /// In which call.
    pub call: Option<CallId>,
    /// In which SA.
    pub spi: Option<Spi>,
    /// What was seen, with numbers.
    pub seen: String,
    /// What could make the judgement wrong. Then it is not certain.
    pub unsure: Option<String>,
    /// What to do next.
    pub advice: String,
}

impl Finding {
    /// A finding of `rule`.
    pub(super) fn new(rule: &'static Rule, title: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            section: rule.section,
            says: rule.says,
            title: title.into(),
            packets: Vec::new(),
            count: 1,
            connection: None,
            end: None,
            call: None,
            spi: None,
            seen: String::new(),
            unsure: None,
            advice: String::new(),
        }
    }

    /// Certain, unless something could make it wrong.
    pub fn certainty(&self) -> Certainty {
        if self.unsure.is_some() { Certainty::Possible } else { Certainty::Certain }
    }

    pub(super) fn packets(mut self, packets: &[u64]) -> Self {
        self.packets = packets.to_vec();
        self.count = self.count.max(packets.len() as u64);
        self
    }

    pub(super) fn tally(mut self, tally: &Tally) -> Self {
        self.packets.clone_from(&tally.packets);
        // One packet may show the same thing several times.
        self.count =
            if tally.packets.len() < Tally::MOST_PACKETS { tally.packets.len() as u64 } else { tally.count };
        self
    }

    /// How often, where that is known without the packets.
    pub(super) fn times(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Another section than the rule's, where that one is about another protocol.
    pub(super) fn cites(mut self, section: &'static str, says: &'static str) -> Self {
        (self.section, self.says) = (section, says);
        self
    }

    pub(super) fn connection(mut self, number: u32) -> Self {
        self.connection = Some(number);
        self
    }

    pub(super) fn by(mut self, end: u8) -> Self {
        self.end = Some(end);
        self
    }

    pub(super) fn call(mut self, call: CallId) -> Self {
        self.call = Some(call);
        self
    }

    pub(super) fn spi(mut self, spi: Spi) -> Self {
        self.spi = Some(spi);
        self
    }

    pub(super) fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = seen.into();
        self
    }

    pub(super) fn unsure(mut self, unsure: Option<String>) -> Self {
        self.unsure = unsure;
        self
    }

    /// A note only, if something else explains what was seen.
    pub(super) fn unless(mut self, explained: Option<String>) -> Self {
        if explained.is_some() {
            self.severity = Severity::Note;
        }
        self.unsure = explained;
        self
    }

    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }
}
