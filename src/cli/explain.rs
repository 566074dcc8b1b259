//! `--explain` and `--list-rules`: the documentation of the rules and of the causes that a verdict may name.

use std::fmt::Write as _;

use crate::rules::diagnosis::{Cause, causes};
use crate::rules::{self, Rule};
use crate::util::{Printable, meant};

use super::exit::Failure;

/// What `--explain` prints.
///
/// # Errors
///
/// When no rule and no cause has this id; the message offers the nearest.
pub(super) fn explain(id: &str) -> Result<String, Failure> {
    let cause = causes().find(|cause| cause.id == id);
    let Some(rule) = rules::all().find(|rule| rule.id == id) else {
        if let Some(cause) = cause {
            return Ok(of_cause(cause));
        }
        let near = meant(id, rules::all().map(|rule| rule.id).chain(causes().map(|cause| cause.id)));
        return Err(Failure::new(format!("{}: no such rule{near}", Printable::from_text(id)))
            .hint("l2tp-inspect --list-rules"));
    };
    let mut out = format!("{} ({})\n\n", rule.id, rule.severity.name());
    for line in rule.doc.lines() {
        let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(line));
    }
    if let Some((capture, packets)) = rules::example(rule.id) {
        let _ = writeln!(out, "\nExample trace: testdata/captures/{capture}, {packets}");
    }
    if !rule.section.is_empty() {
        let _ = writeln!(out, "\n{}: {}", rule.section, rule.says);
    }
    if let Some(cause) = cause {
        let _ = write!(out, "\n{}", of_cause(cause));
    }
    Ok(out)
}

/// A cause that a verdict may name.
fn of_cause(cause: &Cause) -> String {
    let mut out = format!("{} (verdict; stage {})\n\n", cause.id, cause.stage.name());
    for line in cause.doc.lines() {
        let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(line));
    }
    out
}

/// What `--list-rules` prints: id, severity, section, first sentence.
pub(super) fn list() -> String {
    let mut out = String::new();
    for rule in rules::all() {
        let section = if rule.section.is_empty() { "-" } else { rule.section };
        let _ =
            writeln!(out, "{:<24} {:<8} {:<17} {}", rule.id, rule.severity.name(), section, first_line(rule));
    }
    out
}

fn first_line(rule: &Rule) -> &str {
    rule.doc.lines().next().map_or("", str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_explains_itself_and_typos_find_the_nearest() {
        for rule in rules::all() {
            let text = explain(rule.id).unwrap_or_default();
            assert!(text.contains(rule.id) && text.lines().count() > 3, "{}", rule.id);
            assert_eq!(rule.section.is_empty(), rule.says.is_empty(), "{}", rule.id);
        }
        let failure = format!("{:?}", explain("seq-gapp").unwrap_err());
        assert!(failure.contains("did you mean seq-gap?"), "{failure}");
    }

    #[test]
    fn ids_are_unique_kebab_case() {
        let mut ids: Vec<_> = rules::all().map(|rule| rule.id).collect();
        assert!(
            ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        );
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
