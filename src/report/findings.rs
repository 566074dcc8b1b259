//! Findings, five lines each: title, seen, unsure, rule, advice.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use crate::rules::words::{packets, thousands};
use crate::rules::{Finding, Severity};

use super::style::{Style, Tone};

/// Findings that are written in full; a flood has thousands alike.
const MOST: usize = 20;
/// Where there are more: findings of one rule that are written in full, so that one rule does not hide the others.
const MOST_ALIKE: usize = 3;

pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Odd,
        Severity::Note => Tone::Note,
    }
}

/// The findings of the summary; of many, those past the first few of each rule are counted.
pub(super) fn some(findings: &[Finding], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (shown, rest) = choose(findings);
    write_all(shown.into_iter(), style, out)?;
    for (at, ((severity, rule), count)) in rest.iter().enumerate() {
        let hint = if at == 0 { ", --findings shows all" } else { "" };
        let dots = style.pick("…", "...");
        let code = style.paint(tone(severity.0), &format!("{}[{rule}]", severity.0.name()));
        writeln!(out, "{dots} {} more of {code}{hint}", thousands(*count))?;
    }
    if !rest.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// How many findings of each rule are left out, the worst first.
type Rest = BTreeMap<(Reverse<Severity>, &'static str), u64>;

fn choose(findings: &[Finding]) -> (Vec<&Finding>, Rest) {
    let mut rest = Rest::new();
    if findings.len() <= MOST {
        return (findings.iter().collect(), rest);
    }
    let mut alike: HashMap<&str, usize> = HashMap::new();
    let mut shown = Vec::new();
    for finding in findings {
        let seen = alike.entry(finding.rule.id).or_default();
        *seen += 1;
        if *seen <= MOST_ALIKE && shown.len() < MOST {
            shown.push(finding);
        } else {
            *rest.entry((Reverse(finding.severity), finding.rule.id)).or_default() += 1;
        }
    }
    (shown, rest)
}

/// Findings, each in full.
pub(super) fn write_all<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{}", one(finding, style))?;
    }
    Ok(())
}

fn one(finding: &Finding, style: &Style) -> String {
    let code = format!("{}[{}]", finding.severity.name(), finding.rule.id);
    let code = style.paint(tone(finding.severity), &code);
    let title = style.text(&finding.title);
    let mut out = if finding.packets.is_empty() {
        format!("{code}: {title}\n")
    } else {
        format!("{code} {}: {title}\n", packets(&finding.packets, finding.count))
    };
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            out += &style.wrap(&format!("  {name:<8}"), text);
            out.push('\n');
        }
    };
    line("seen:", &finding.seen);
    line("unsure:", finding.unsure.as_deref().unwrap_or_default());
    if !finding.section.is_empty() {
        line("rule:", &format!("{}: {}", section(finding.section), finding.says));
    }
    line("advice:", &finding.advice);
    out
}

/// `RFC 2661 section 5.8` of `RFC 2661 5.8`.
fn section(short: &str) -> String {
    match short.rsplit_once(' ') {
        Some((rfc, section)) => format!("{rfc} section {section}"),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::finding;

    #[test]
    fn a_title_is_one_line_and_the_rest_hangs() {
        let style = Style { width: 60, ascii: false, color: false };
        let mut finding = finding("seq-gap", Severity::Error, 1, &[3, 4]);
        finding.title =
            String::from("T1: a title that is much longer than the sixty columns of this terminal");
        finding.seen = String::from("Ns 4, 5, 6, 7 and 8 never came, and nobody acknowledged them at all.");
        finding.advice = String::from("capture near the sender.");
        let text = one(&finding, &style);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("error[seq-gap] packets 3 and 4: T1: a title"), "{text}");
        assert!(lines[0].ends_with("this terminal"), "{text}");
        assert_eq!(lines[1], "  seen:   Ns 4, 5, 6, 7 and 8 never came, and nobody");
        assert_eq!(lines[2], "          acknowledged them at all.");
        assert!(lines[3].starts_with("  rule:   RFC 2661 section 5.8: "), "{text}");
        assert_eq!(lines.last(), Some(&"  advice: capture near the sender."));
    }

    #[test]
    fn a_flood_does_not_hide_the_other_rules() {
        let mut findings: Vec<Finding> =
            (1..=500).map(|number| finding("tun-no-reply", Severity::Error, number, &[])).collect();
        findings.push(finding("seq-gap", Severity::Error, 9, &[77]));
        let (shown, rest) = choose(&findings);
        let ids: Vec<&str> = shown.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(ids, ["tun-no-reply", "tun-no-reply", "tun-no-reply", "seq-gap"]);
        assert_eq!(rest.into_iter().collect::<Vec<_>>(), [((Reverse(Severity::Error), "tun-no-reply"), 497)]);
        let (shown, rest) = choose(&findings[..MOST]);
        assert_eq!((shown.len(), rest.len()), (MOST, 0));
    }
}
