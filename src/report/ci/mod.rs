//! Outputs for continuous integration: what came of a check, as text, JUnit, SARIF, GitHub annotations and Markdown.

pub mod github;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod text;

use crate::check;
use crate::rules::Finding;
use crate::rules::words::packets;

use super::Report;

/// A report and what came of checking it.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The report.
    pub report: &'a Report<'a>,
    /// What came of the check.
    pub result: &'a check::Result,
}

impl<'a> Checked<'a> {
    /// The findings that fail the check.
    fn failing(&self) -> impl Iterator<Item = &'a Finding> {
        self.result.failing.iter().filter_map(|at| self.report.findings.get(*at))
    }

    /// The findings that are allowed, and why.
    fn allowed(&self) -> impl Iterator<Item = (&'a Finding, &'a str)> {
        self.result
            .allowed
            .iter()
            .filter_map(|(at, reason)| Some((self.report.findings.get(*at)?, reason.as_str())))
    }
}

/// What a finding says, in sentences.
fn sentences(finding: &Finding) -> String {
    let mut out = format!("{}: {}", finding.title, finding.seen);
    if let Some(unsure) = &finding.unsure {
        out.push_str(&format!(" Unsure: {unsure}"));
    }
    if !finding.section.is_empty() {
        out.push_str(&format!(" {}: {}", finding.section, finding.says));
    }
    if !finding.advice.is_empty() {
        out.push_str(&format!(" Advice: {}", finding.advice));
    }
    if !finding.packets.is_empty() {
        out.push_str(&format!(" ({})", packets(&finding.packets, finding.count)));
    }
    out
}
