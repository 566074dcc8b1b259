//! Judgement: from facts to findings, and from findings to the one sentence on top.
//!
//! A rule looks at the [`Analysis`] alone; it never sees bytes. Each rule says one thing, with the section of the RFC,
//! what was seen, what could make the judgement wrong, and what to do next. Its documentation is its doc comment.

pub mod diagnosis;
pub mod finding;

mod call;
mod capture;
mod data;
mod esp;
mod esp_sequence;
mod header;
mod hello;
mod ike;
mod ppp;
mod security;
mod selectors;
mod sequence;
mod teardown;
mod tunnel;
mod udp;
pub(crate) mod words;

pub use diagnosis::{Confidence, Diagnosis, Verdict, diagnose};
pub use finding::{Certainty, Finding, Severity};

use crate::analysis::Analysis;
use crate::ipsec::Sad;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its stable id, such as `seq-gap`.
    pub id: &'static str,
    /// How bad a breach is, if nothing lowers it.
    pub severity: Severity,
    /// The section of the RFC, such as `RFC 2661 5.8`; empty for what no RFC rules.
    pub section: &'static str,
    /// What the section says, in one sentence; empty without a section.
    pub says: &'static str,
    /// What it means, why it matters, how it is found, its usual causes.
    pub doc: &'static str,
}

/// Declares the rules of one family. The doc comment of a rule is what `--explain` prints.
macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal, $severity:ident, $section:literal, $says:literal;)+) => {
        $(
            $(#[doc = $doc])+
            pub(super) static $name: $crate::rules::Rule = $crate::rules::Rule {
                id: $id,
                severity: $crate::rules::Severity::$severity,
                section: $section,
                says: $says,
                doc: concat!($($doc, "\n"),+),
            };
        )+
        pub(super) static RULES: &[&$crate::rules::Rule] = &[$(&$name),+];
    };
}
pub(crate) use rules;

/// Everything a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The facts.
    pub analysis: &'a Analysis,
    /// The keys that were given.
    pub sad: &'a Sad,
    /// What is damaged in the file, and where.
    pub damage: Option<&'a str>,
    /// Packets that the interface dropped while it captured, as the file says.
    pub drops: u64,
}

/// Each family: its rules, and the function that raises them.
type Family = (&'static [&'static Rule], fn(&Case<'_>, &mut Vec<Finding>));

static FAMILIES: &[Family] = &[
    (capture::RULES, capture::judge),
    (security::RULES, security::judge),
    (selectors::RULES, selectors::judge),
    (ike::RULES, ike::judge),
    (esp::RULES, esp::judge),
    (esp_sequence::RULES, esp_sequence::judge),
    (udp::RULES, udp::judge),
    (header::RULES, header::judge),
    (sequence::RULES, sequence::judge),
    (tunnel::RULES, tunnel::judge),
    (call::RULES, call::judge),
    (hello::RULES, hello::judge),
    (data::RULES, data::judge),
    (ppp::RULES, ppp::judge),
    (teardown::RULES, teardown::judge),
];

/// All rules, in the order of their families.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|(rules, _)| rules.iter().copied())
}

/// Judges a capture: findings, worst first; within a severity in the order of their first packets.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, family) in FAMILIES {
        family(case, &mut findings);
    }
    findings.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), finding.packets.first().copied().unwrap_or(0))
    });
    findings
}
