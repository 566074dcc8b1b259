//! The default screen: what was read, the verdict, tables, ladders, findings.

use std::io::{self, Write};

use crate::rules::words::{count, thousands};
use crate::rules::{self, Severity, Verdict};

use super::style::{Style, Tone};
use super::{Report, findings, ladder, tables};

/// Writes the whole screen.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.wrap("", &first_line(report)))?;
    writeln!(out, "{}", verdict(report, style))?;
    write!(out, "{}", tables::all(report, style))?;
    ladder::some(report, style, out)?;
    if !report.findings.is_empty() {
        write!(out, "\nFindings\n\n{}", findings::all(report.findings, style))?;
    } else {
        writeln!(out)?;
    }
    writeln!(out, "{}", style.wrap("", &closing(report)))
}

/// Writes only the findings.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_findings(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}", findings::all(report.findings, style))?;
    writeln!(out, "{}", style.wrap("", &closing(report)))
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
    let word = style.paint(tone(diagnosis.verdict), diagnosis.verdict.word());
    writeln!(out, "{word}: {}", style.text(&diagnosis.sentence))
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Healthy => Tone::Good,
        Verdict::Degraded => Tone::Odd,
        Verdict::Broken => Tone::Bad,
        Verdict::Undecided => Tone::Note,
    }
}

fn verdict(report: &Report<'_>, style: &Style) -> String {
    let diagnosis = report.diagnosis;
    let word = diagnosis.verdict.word();
    let plain = style.wrap("", &format!("{word}: {}", diagnosis.sentence));
    let mut out = plain.replacen(word, &style.paint(tone(diagnosis.verdict), word), 1);
    if let Some(advice) = &diagnosis.advice {
        out.push('\n');
        out += &style.wrap(style.pick("→ ", "-> "), advice);
    }
    out
}

/// What was read, and how much of it could be decrypted.
fn first_line(report: &Report<'_>) -> String {
    let totals = &report.analysis.totals;
    let links: Vec<String> = totals.link_types.iter().map(|link| link_word(&link.name())).collect();
    let mut out = format!(
        "{}: {} in {:.3} s",
        report.file,
        count(totals.packets, "packet"),
        report.analysis.duration().as_seconds()
    );
    for link in &links {
        out += &format!(", {link}");
    }
    out.push('.');
    if let Some(damage) = &report.damage {
        out += &format!(" Damaged at {damage}.");
    }
    let flows = &report.analysis.flows;
    let (packets, decrypted): (u64, u64) =
        flows.iter().fold((0, 0), |sum, flow| (sum.0 + flow.packets, sum.1 + flow.decrypted));
    out += &match (packets, report.sad.len() as u64) {
        (0, 0) => String::from(" No ESP."),
        (0, keys) => format!(" No ESP ({}).", count(keys, "key")),
        (n, 0) => format!(" ESP: 0 of {} decrypted, no keys.", thousands(n)),
        (n, keys) => {
            format!(
                " ESP: {} of {} decrypted with {}.",
                thousands(decrypted),
                thousands(n),
                count(keys, "key")
            )
        }
    };
    out
}

/// `Ethernet` for `ETHERNET`; the others keep the name of the registry.
fn link_word(name: &str) -> String {
    if name == "ETHERNET" { String::from("Ethernet") } else { name.to_owned() }
}

fn closing(report: &Report<'_>) -> String {
    let analysis = report.analysis;
    let things = format!(
        "{}, {}.",
        count(analysis.connections.len() as u64, "control connection"),
        count(analysis.calls.len() as u64, "call")
    );
    let Some(first) = report.findings.first() else {
        return format!("{things} No findings from {} rules.", rules::all().count());
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
    format!("{things} {}. More on one: --explain {}", counts.join(", "), first.rule.id)
}
