//! Every rule cites a section that exists and says what the rule says: a phrase of it, looked up in the text of the RFC
//! where that is at hand (../shared/reference/rfc).

use std::collections::BTreeMap;
use std::path::Path;

use l2tp_inspect::rules;

/// Rules and the phrase of their section.
fn phrases() -> BTreeMap<&'static str, &'static str> {
    include_str!("rfc_phrases.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap_or_else(|| panic!("{line}: rule and phrase")))
        .collect()
}

#[test]
fn every_cited_rule_has_a_phrase() {
    let phrases = phrases();
    let cited: Vec<&str> = rules::all().filter(|rule| !rule.section.is_empty()).map(|rule| rule.id).collect();
    let missing: Vec<&&str> = cited.iter().filter(|rule| !phrases.contains_key(**rule)).collect();
    assert!(missing.is_empty(), "without a phrase: {missing:?}");
    let unknown: Vec<_> = phrases.keys().filter(|rule| !cited.contains(rule)).collect();
    assert!(unknown.is_empty(), "no such rule: {unknown:?}");
}

/// A section of an RFC, its white space squeezed and its page breaks removed; with the sections below it.
fn section(text: &str, number: &str) -> Option<String> {
    let page = |line: &str| {
        line.contains("[Page ") || (line.starts_with("RFC ") && line.ends_with(|c: char| c.is_ascii_digit()))
    };
    let heading = |line: &str| {
        let (first, rest) = line.split_once(char::is_whitespace)?;
        let number = first.trim_end_matches('.');
        let number = number.strip_suffix(".0").unwrap_or(number);
        let numbered =
            number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        // The table of contents has dots and page numbers.
        let titled = rest.trim().starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.contains("...");
        (numbered && titled && !rest.trim_end().ends_with(|c: char| c.is_ascii_digit()))
            .then(|| number.to_owned())
    };
    let within =
        |found: &str| found == number || found.strip_prefix(number).is_some_and(|rest| rest.starts_with('.'));
    let (mut inside, mut seen, mut out) = (false, false, String::new());
    for line in text.lines().filter(|line| !page(line)) {
        if !line.starts_with(' ')
            && let Some(found) = heading(line)
        {
            inside = within(&found);
            seen |= inside;
        }
        if inside {
            out.push_str(line);
            out.push(' ');
        }
    }
    seen.then(|| out.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_phrase_is_in_its_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/rfc");
    if !folder.is_dir() {
        println!("skipped: the texts of the RFCs are not at hand");
        return;
    }
    let phrases = phrases();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for rule in rules::all().filter(|rule| !rule.section.is_empty()) {
        let (rfc, number) = rule.section.strip_prefix("RFC ").unwrap().split_once(' ').unwrap();
        let Ok(text) = std::fs::read(folder.join(format!("rfc{rfc}.txt"))) else { continue };
        let text = String::from_utf8_lossy(&text);
        let phrase = phrases[rule.id];
        checked += 1;
        match section(&text, number) {
            None => wrong.push(format!("{}: {} does not exist", rule.id, rule.section)),
            Some(said) if !said.to_lowercase().contains(&phrase.to_lowercase()) => {
                wrong.push(format!("{}: {} does not say: {phrase}", rule.id, rule.section));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 100, "{checked}");
}
