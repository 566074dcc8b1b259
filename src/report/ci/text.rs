//! What came of a check, for people: a line for each expectation that does not hold and each finding that fails it.

use std::io::{self, Write};

use crate::rules::words::{count, packets};

use super::Checked;
use crate::report::style::{Style, Tone};

/// Writes it.
///
/// # Errors
///
/// Those of the writer.
pub fn write(checked: &Checked<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (report, result) = (checked.report, checked.result);
    let expected = result.outcomes.len() as u64;
    let head = if result.passes() {
        let held = match expected {
            0 => String::new(),
            n => format!(", {} held", count(n, "expectation")),
        };
        format!("{}{held}", style.paint(Tone::Good, "passed"))
    } else {
        let differ = match result.differences() as u64 {
            0 => String::new(),
            n => format!(", {} of {} not held", n, count(expected, "expectation")),
        };
        let findings = match result.failing.len() as u64 {
            0 => String::new(),
            n => format!(", {}", count(n, "finding")),
        };
        format!("{}{differ}{findings}", style.paint(Tone::Bad, "failed"))
    };
    writeln!(out, "{}: {head}", report.file)?;
    for outcome in result.outcomes.iter().filter(|outcome| !outcome.holds) {
        writeln!(
            out,
            "  differs   {}: expected {}, found {}",
            outcome.name, outcome.expected, outcome.found
        )?;
    }
    for finding in checked.failing() {
        let place = packets(&finding.packets, finding.count);
        let code = format!("{}[{}]", finding.severity.name(), finding.rule.id);
        writeln!(out, "  finding   {code} {place}: {}", finding.title)?;
    }
    for (finding, reason) in checked.allowed() {
        writeln!(
            out,
            "  allowed   {}[{}] {}: {reason}",
            finding.severity.name(),
            finding.rule.id,
            finding.title
        )?;
    }
    Ok(())
}
