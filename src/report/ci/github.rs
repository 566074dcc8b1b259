//! Annotations of GitHub Actions: a workflow command for each finding and each expectation that does not hold.

use std::io::{self, Write};

use crate::rules::Severity;

use super::{Checked, sentences};

/// Writes them.
///
/// # Errors
///
/// Those of the writer.
pub fn write(all: &[Checked<'_>], out: &mut dyn Write) -> io::Result<()> {
    for checked in all {
        let file = property(checked.report.file.as_str());
        for outcome in checked.result.outcomes.iter().filter(|outcome| !outcome.holds) {
            let text = format!("{}: expected {}, found {}", outcome.name, outcome.expected, outcome.found);
            writeln!(out, "::error file={file},title={}::{}", property(&outcome.name), data(&text))?;
        }
        for (at, finding) in checked.report.findings.iter().enumerate() {
            if checked.result.allowed.iter().any(|(allowed, _)| *allowed == at) {
                continue;
            }
            let fails = checked.result.failing.contains(&at);
            let command = match finding.severity {
                _ if fails => "error",
                Severity::Note => "notice",
                Severity::Warning | Severity::Error => "warning",
            };
            writeln!(
                out,
                "::{command} file={file},title={}::{}",
                property(finding.rule.id),
                data(&sentences(finding))
            )?;
        }
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_or_begins_a_command() {
        assert_eq!(data("100 %\n::error::x"), "100 %25%0A::error::x");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
