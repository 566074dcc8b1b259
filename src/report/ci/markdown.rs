//! Markdown for comments and job summaries.

use std::io::{self, Write};

use crate::rules::words::packets;

use super::Checked;

/// Writes a section for each capture.
///
/// # Errors
///
/// Those of the writer.
pub fn write(all: &[Checked<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (at, checked) in all.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        section(checked, out)?;
    }
    Ok(())
}

fn section(checked: &Checked<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (report, result) = (checked.report, checked.result);
    let state = match (result.asked, result.passes()) {
        (true, true) => "passed",
        (true, false) => "failed",
        (false, _) => report.diagnosis.verdict.word(),
    };
    writeln!(out, "## {}: {state}\n", cell(report.file.as_str()))?;
    let diagnosis = report.diagnosis;
    writeln!(out, "**{}:** {}", diagnosis.verdict.word(), cell(&diagnosis.sentence))?;
    if let Some(advice) = &diagnosis.advice {
        writeln!(out, "\n{}", cell(advice))?;
    }
    if !result.outcomes.is_empty() {
        writeln!(out, "\n| | Expectation | Expected | Found |\n| --- | --- | --- | --- |")?;
        for outcome in &result.outcomes {
            let sign = if outcome.holds { "held" } else { "**differs**" };
            let (name, expected, found) =
                (cell(&outcome.name), cell(&outcome.expected), cell(&outcome.found));
            writeln!(out, "| {sign} | {name} | {expected} | {found} |")?;
        }
    }
    if !report.findings.is_empty() {
        writeln!(out, "\n| Level | Rule | Packets | What | RFC |\n| --- | --- | --- | --- | --- |")?;
    }
    for (at, finding) in report.findings.iter().enumerate() {
        let allowed = result.allowed.iter().find(|(allowed, _)| *allowed == at);
        let level = match (allowed, result.failing.contains(&at)) {
            (Some(_), _) => format!("{} (allowed)", finding.severity.name()),
            (None, true) => format!("**{}**", finding.severity.name()),
            (None, false) => finding.severity.name().to_owned(),
        };
        let unsure =
            finding.unsure.as_ref().map_or_else(String::new, |why| format!(" *Unsure:* {}", cell(why)));
        let why = allowed.map_or_else(String::new, |(_, reason)| format!(" *Allowed:* {}", cell(reason)));
        writeln!(
            out,
            "| {level} | `{}` | {} | {}: {}{unsure}{why} | {} |",
            finding.rule.id,
            packets(&finding.packets, finding.count),
            cell(&finding.title),
            cell(&finding.seen),
            finding.section
        )?;
    }
    Ok(())
}

/// Text that is nothing but text in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // The at sign would notify whoever is called so.
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '@' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup() {
        assert_eq!(cell("a|b <img> `x`\n@you"), "a\\|b &lt;img&gt; \\`x\\` \\@you");
    }
}
