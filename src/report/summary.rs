//! The default screen: what was read, the verdict, tables, ladders, findings.

use std::collections::HashSet;
use std::io::{self, Write};

use crate::rules::words::{count, thousands};
use crate::rules::{self, Severity};
use crate::util::Duration;

use super::style::Style;
use super::{Report, findings, ladder, tables, verdict};

/// Writes the whole screen.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.flow(&first_line(report)))?;
    writeln!(out, "{}", verdict::sentence(report.diagnosis, style))?;
    if let Some(line) = verdict::stages(report.diagnosis, style) {
        writeln!(out, "{line}")?;
    }
    write!(out, "{}", verdict::groups(report.diagnosis, style))?;
    write!(out, "{}", tables::all(report, style))?;
    ladder::some(report, style, out)?;
    writeln!(out)?;
    if !report.findings.is_empty() {
        writeln!(out, "Findings\n")?;
        findings::some(report.findings, style, out)?;
    }
    writeln!(out, "{}\n", style.flow(&closing(report)))?;
    // What scrolls by must not hide it.
    writeln!(out, "{}", verdict::sentence(report.diagnosis, style))
}

/// Writes only the findings, all of them.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_findings(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    findings::write_all(report.findings.iter(), style, out)?;
    writeln!(out, "{}", style.flow(&closing(report)))
}

/// Writes what was read, and how much of it could be decrypted.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_first_line(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.flow(&first_line(report)))
}

/// Writes only the verdict, in one line; behind the file's name if there are several.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_verdict(report: &Report<'_>, named: bool, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if named {
        write!(out, "{}: ", style.text(report.file.as_str()))?;
    }
    let diagnosis = report.diagnosis;
    let word = style.paint(verdict::tone(diagnosis.verdict), diagnosis.verdict.word());
    writeln!(out, "{word}: {}", style.text(&diagnosis.sentence))
}

/// What was read, and how much of it could be decrypted.
pub(super) fn first_line(report: &Report<'_>) -> Vec<String> {
    let totals = &report.analysis.totals;
    let mut out = format!("{}: {}", report.file, count(totals.packets, "packet"));
    if totals.packets > 0 {
        out += &format!(" in {}", span(report.analysis.duration()));
    }
    for link in &totals.link_types {
        out += &format!(", {}", link.word());
    }
    out.push('.');
    let damage = report.damage.as_ref().map(|damage| format!("Damaged at {damage}."));
    let left_out = report.left_out.iter().cloned();
    [Some(out), damage].into_iter().flatten().chain(left_out).chain([decrypted(report)]).collect()
}

/// How much ESP there is, and how much of it could be decrypted.
fn decrypted(report: &Report<'_>) -> String {
    let flows = &report.analysis.flows;
    let packets: u64 = flows.iter().map(|flow| flow.packets()).sum();
    let decrypted: u64 = flows.iter().map(|flow| flow.decrypted).sum();
    let used = flows.iter().filter(|flow| flow.decrypted > 0).filter_map(|flow| flow.sa);
    let used = used.collect::<HashSet<_>>().len() as u64;
    let given = report.sad.len() as u64;
    if packets == 0 {
        let clear = if report.analysis.totals.l2tp > 0 { ": L2TP in the clear" } else { "" };
        let keys = if given > 0 { format!(" ({} not used)", count(given, "key")) } else { String::new() };
        return format!("No ESP{clear}{keys}.");
    }
    let cut: u64 = flows.iter().map(|flow| flow.cut).sum();
    let keys = match (given, used) {
        (0, _) => String::from(", no keys"),
        (given, 0) if cut > 0 => format!(" with {}, {} cut short", count(given, "key"), thousands(cut)),
        (1, 0) => String::from(", the key fits none"),
        (given, 0) => format!(", none of {} keys fits", thousands(given)),
        (given, used) if given == used => format!(" with {}", count(used, "key")),
        (given, used) => format!(" with {} of {}", thousands(used), count(given, "key")),
    };
    format!("ESP: {} of {} decrypted{keys}.", thousands(decrypted), thousands(packets))
}

/// `62.118 s`; of hours also `9,312.118 s (2 h 35 min)`.
fn span(duration: Duration) -> String {
    let millis = duration.0.unsigned_abs().saturating_add(500_000) / 1_000_000;
    let seconds = millis / 1000;
    let exact = format!("{}.{:03} s", thousands(seconds), millis % 1000);
    if seconds < 3600 { exact } else { format!("{exact} ({} h {} min)", seconds / 3600, seconds % 3600 / 60) }
}

fn closing(report: &Report<'_>) -> Vec<String> {
    let connections = report.analysis.in_order();
    let things = format!(
        "{}, {}.",
        count(connections.len() as u64, "control connection"),
        count(connections.iter().map(|(_, one)| one.calls.len() as u64).sum(), "call")
    );
    let Some(first) = report.findings.first() else {
        return vec![things, format!("No findings from {} rules.", rules::all().count())];
    };
    let severities = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts: Vec<String> = severities
        .into_iter()
        .map(|(severity, word)| {
            (report.findings.iter().filter(|f| f.severity == severity).count() as u64, word)
        })
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| count(n, word))
        .collect();
    let counts = format!("{}.", counts.join(", "));
    vec![things, counts, format!("More on one: --explain {}", first.rule.id)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_hours_are_also_said_in_hours() {
        assert_eq!(span(Duration(62_118_400_000)), "62.118 s");
        assert_eq!(span(Duration(59_999_900_000)), "60.000 s");
        assert_eq!(span(Duration::seconds(9312)), "9,312.000 s (2 h 35 min)");
    }
}
