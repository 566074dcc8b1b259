//! Judgement: from facts to findings, and from findings to the one sentence on top.
//!
//! A rule looks at the [`Analysis`] alone; it never sees bytes. Each rule says one thing, with the section of the RFC,
//! what was seen, what could make the judgement wrong, and what to do next. Its documentation is its doc comment.

pub mod choice;
pub mod diagnosis;
pub mod finding;

mod authentication;
mod avp;
mod beliefs;
mod call;
mod capture;
mod data;
mod data_numbers;
mod esp;
mod esp_sequence;
mod form;
mod gateway_view;
mod habits;
mod header;
mod header_faults;
mod hello;
mod ike;
mod loss;
mod message_digest;
mod mtu;
mod numbers;
mod order;
mod ppp;
mod ppp_order;
mod ppp_proof;
mod secured_end;
mod security;
mod selectors;
mod sequence;
mod teardown;
mod tunnel;
mod tunnels;
mod udp;
pub(crate) mod words;

pub use choice::Choice;
pub use diagnosis::{Confidence, Diagnosis, Verdict, diagnose};
pub use finding::{Certainty, Finding, Severity};
pub(crate) use teardown::{cdn_words, stop_reason};

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
    /// Packets that the interface dropped while it captured, by its own count.
    pub drops: u64,
    /// Packets of the capture that the user left out: what seems to be missing may be in them.
    pub left_out: u64,
    /// Whether known habits of real stacks are notes.
    pub profile: Profile,
}

/// How known habits of real stacks are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Profile {
    /// What a known stack always does, and its peers live with, is a note.
    #[default]
    Interop,
    /// As the RFCs say.
    Strict,
}

impl<'a> Case<'a> {
    /// A whole capture without damage or drops, under the profile `interop`.
    pub fn of(analysis: &'a Analysis, sad: &'a Sad) -> Self {
        Self { analysis, sad, damage: None, drops: 0, left_out: 0, profile: Profile::default() }
    }
}

/// Each family: its rules, and the function that raises them.
type Family = (&'static [&'static Rule], fn(&Case<'_>, &mut Vec<Finding>));

static FAMILIES: &[Family] = &[
    (capture::RULES, capture::judge),
    (gateway_view::RULES, gateway_view::judge),
    (security::RULES, security::judge),
    (selectors::RULES, selectors::judge),
    (ike::RULES, ike::judge),
    (esp::RULES, esp::judge),
    (esp_sequence::RULES, esp_sequence::judge),
    (udp::RULES, udp::judge),
    (header::RULES, form::judge),
    (header_faults::RULES, header_faults::judge),
    (avp::RULES, |_, _| {}),
    (sequence::RULES, sequence::judge),
    (numbers::RULES, numbers::judge),
    (tunnel::RULES, tunnel::judge),
    (tunnels::RULES, tunnels::judge),
    (authentication::RULES, authentication::judge),
    (message_digest::RULES, message_digest::judge),
    (order::RULES, order::judge),
    (call::RULES, call::judge),
    (hello::RULES, hello::judge),
    (data::RULES, data::judge),
    (data_numbers::RULES, data_numbers::judge),
    (ppp::RULES, ppp::judge),
    (ppp_order::RULES, ppp_order::judge),
    (ppp_proof::RULES, ppp_proof::judge),
    (mtu::RULES, mtu::judge),
    (teardown::RULES, teardown::judge),
    (beliefs::RULES, beliefs::judge),
    (secured_end::RULES, secured_end::judge),
];

/// Real captures below `testdata/captures` that raise a rule: the rule, the capture's folder, packets. Written by
/// `UPDATE_GOLDEN=1 cargo test --test rules`, from the reports of the captures.
static EXAMPLES: &str = include_str!("examples.tsv");

/// A real capture that raises a rule: its folder below `testdata/captures`, and the packets.
pub fn example(id: &str) -> Option<(&'static str, &'static str)> {
    let rest = EXAMPLES.lines().find_map(|line| line.strip_prefix(id)?.strip_prefix('\t'))?;
    rest.split_once('\t')
}

/// All rules, in the order of their families.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|(rules, _)| rules.iter().copied())
}

/// Sections of RFC 2661 and those of RFC 3931 that say the same of L2TPv3.
static VERSION3: &[(&str, &str)] = &[
    ("RFC 2661 3.1", "RFC 3931 3.2.1"),
    ("RFC 2661 4.4.2", "RFC 3931 5.4.2"),
    ("RFC 2661 4.4.3", "RFC 3931 5.4.3"),
    ("RFC 2661 4.4.4", "RFC 3931 5.4.4"),
    ("RFC 2661 5.1", "RFC 3931 3.3.1"),
    ("RFC 2661 5.2", "RFC 3931 3.4"),
    ("RFC 2661 5.3", "RFC 3931 4.5"),
    ("RFC 2661 5.4", "RFC 3931 4.6.1"),
    ("RFC 2661 5.5", "RFC 3931 4.4"),
    ("RFC 2661 5.6", "RFC 3931 3.4.3"),
    ("RFC 2661 5.7", "RFC 3931 3.3.2"),
    ("RFC 2661 5.8", "RFC 3931 4.2"),
    ("RFC 2661 4.1", "RFC 3931 5.1"),
    ("RFC 2661 4.2", "RFC 3931 5.2"),
    ("RFC 2661 6", "RFC 3931 6"),
    ("RFC 2661 6.4", "RFC 3931 6.4"),
    ("RFC 2661 6.5", "RFC 3931 6.5"),
    ("RFC 2661 7.2.1", "RFC 3931 7.2"),
    ("RFC 2661 7.4", "RFC 3931 7.3"),
];

fn in_version3(section: &'static str) -> &'static str {
    VERSION3.iter().find(|(old, _)| *old == section).map_or(section, |(_, new)| new)
}

/// Judges a capture: findings, worst first; within a severity in the order of their first packets.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, family) in FAMILIES {
        family(case, &mut findings);
    }
    for finding in &mut findings {
        let connection = finding.connection.and_then(|number| case.analysis.numbered(number));
        if connection.is_some_and(|(_, connection)| connection.version == 3) {
            finding.section = in_version3(finding.section);
        }
    }
    if case.profile == Profile::Interop {
        findings.iter_mut().for_each(|finding| habits::excuse(case, finding));
    }
    if let Some(why) = case.leaves_out() {
        for finding in findings.iter_mut().filter(|finding| !shown_by_its_packets(finding)) {
            finding.unsure.get_or_insert_with(|| why.clone());
        }
    }
    findings.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), finding.packets.first().copied().unwrap_or(0))
    });
    findings
}

/// Whether the packets of a finding show it, whatever others say: what is wrong inside a message.
fn shown_by_its_packets(finding: &Finding) -> bool {
    let id = finding.rule.id;
    [capture::RULES, security::RULES, header::RULES, header_faults::RULES, avp::RULES]
        .iter()
        .any(|rules| rules.iter().any(|rule| rule.id == id))
        || id.starts_with("esp-icv")
}
