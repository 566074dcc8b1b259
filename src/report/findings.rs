//! Findings, five lines each: title, seen, unsure, rule, advice.

use std::collections::BTreeMap;

use crate::rules::words::packets;
use crate::rules::{Finding, Severity};

use super::style::{Style, Tone};

/// Findings that are written in full; a flood has thousands alike.
const MOST: usize = 25;

pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Odd,
        Severity::Note => Tone::Note,
    }
}

/// All findings, those past the first few counted by rule.
pub(super) fn all(findings: &[Finding], style: &Style) -> String {
    let mut out = String::new();
    for finding in findings.iter().take(MOST) {
        out += &one(finding, style);
        out.push('\n');
    }
    let mut rest: BTreeMap<(std::cmp::Reverse<Severity>, &str), u64> = BTreeMap::new();
    for finding in findings.iter().skip(MOST) {
        *rest.entry((std::cmp::Reverse(finding.severity), finding.rule.id)).or_insert(0) += 1;
    }
    for ((severity, rule), count) in rest {
        out += &format!("{count} more of {}[{rule}], -T json has all\n", severity.0.name());
    }
    out
}

fn one(finding: &Finding, style: &Style) -> String {
    let code = format!("{}[{}]", finding.severity.name(), finding.rule.id);
    let code = style.paint(tone(finding.severity), &code);
    let title = style.text(&finding.title);
    let mut out = if finding.packets.is_empty() {
        format!("{code} {title}\n")
    } else {
        format!("{code} {}: {title}\n", packets(&finding.packets, finding.count))
    };
    let mut line = |name: &str, text: &str| {
        out += &style.wrap(&format!("  {name:<8}"), text);
        out.push('\n');
    };
    line("seen:", &finding.seen);
    if let Some(unsure) = &finding.unsure {
        line("unsure:", unsure);
    }
    if !finding.rule.section.is_empty() {
        line("rule:", &format!("{}: {}", section(finding.rule.section), finding.rule.says));
    }
    line("advice:", &finding.advice);
    out
}

/// `RFC 2661 section 5.8` of `RFC 2661 5.8`.
pub(super) fn section(short: &str) -> String {
    match short.rsplit_once(' ') {
        Some((rfc, section)) => format!("{rfc} section {section}"),
        None => short.to_owned(),
    }
}
