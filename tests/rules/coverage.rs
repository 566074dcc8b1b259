//! Every rule has a test in which it is raised and one in which it nearly is, and says where it can be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use l2tp_inspect::rules;

use crate::samples;

/// Words behind which a test names a rule that is raised.
const RAISES: &[&str] = &["assert_raises(", "raises(", ".says("];
/// Words behind which it names one, or a list of them, that is not.
const QUIET: &[&str] = &["assert_quiet(", "assert_all_quiet(&[", ".quiet(&["];

/// The text of the tests: of this one, and of those with whole captures.
fn tests() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let own = std::fs::read_dir(root.join("rules")).unwrap().map(|entry| entry.unwrap().path());
    let own = own.filter(|path| !path.ends_with("coverage.rs"));
    let texts = own
        .chain(["wrong_keys.rs", "digests.rs"].map(|file| root.join(file)))
        .map(|path| std::fs::read_to_string(path).unwrap());
    texts.map(|text| with_constants(&text)).collect()
}

/// Puts the ids in the place of constants that hold one, from where each is defined.
fn with_constants(text: &str) -> String {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let constant = line.trim().strip_prefix("const ").and_then(|rest| rest.split_once(": &str = \""));
        if let Some((name, rest)) = constant
            && let Some((id, _)) = rest.split_once('"')
        {
            known.insert(name, id);
        }
        let put = |line: String, (name, id): (&&str, &&str)| {
            line.replace(&format!("({name}"), &format!("(\"{id}\""))
                .replace(&format!("[{name}"), &format!("[\"{id}\""))
        };
        out.push_str(&known.iter().fold(line.to_owned(), put));
        out.push('\n');
    }
    out
}

/// The strings that stand right behind these words.
fn named(text: &str, words: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in words {
        for behind in text.split(word).skip(1) {
            let list = word.ends_with('[');
            let end = behind.find(if list { ']' } else { ',' }).unwrap_or(behind.len());
            let end = if list { end } else { end.min(behind.find(')').unwrap_or(behind.len())) };
            found.extend(behind[..end].split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// Rows of tables: a rule, its severity, and behind it messages that break it and messages that nearly do.
fn rows(text: &str) -> BTreeSet<String> {
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let severities = ["Error,", "Warning,", "Note,"];
    let rows = squeezed.split("(\"").flat_map(|part| part.split("( \"")).filter_map(|part| {
        let (id, rest) = part.split_once("\", ")?;
        severities.iter().any(|severity| rest.starts_with(severity)).then(|| id.to_owned())
    });
    rows.collect()
}

#[test]
fn every_rule_has_a_case_and_a_near_miss() {
    let text = tests();
    let rows = rows(&text);
    let (raised, quiet) = (named(&text, RAISES), named(&text, QUIET));
    let lacks = |seen: &BTreeSet<String>| {
        let all = rules::all().map(|rule| rule.id);
        all.filter(|id| !seen.contains(*id) && !rows.contains(*id)).collect::<Vec<_>>()
    };
    assert_eq!(lacks(&raised), Vec::<&str>::new(), "are raised by no test");
    assert_eq!(lacks(&quiet), Vec::<&str>::new(), "have no near miss");
}

/// A capture in which a rule is raised, best first: severe, certain, with little else.
type Choice = (std::cmp::Reverse<u8>, bool, usize, String, String);

fn choices() -> BTreeMap<String, Choice> {
    let mut best = BTreeMap::new();
    for sample in samples::samples() {
        let text = std::fs::read_to_string(sample.directory.join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let findings = report["captures"][0]["findings"].as_array().unwrap();
        for finding in findings {
            let packets: Vec<u64> = finding["packets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|packet| packet.as_u64().unwrap())
                .collect();
            let words = match packets.as_slice() {
                [] => String::from("the whole capture"),
                [one] => format!("packet {one}"),
                [one, two, ..] => format!("packets {one} and {two}"),
            };
            let severity = match finding["severity"].as_str().unwrap() {
                "error" => 2,
                "warning" => 1,
                _ => 0,
            };
            let unsure = finding["certainty"] != "certain";
            let choice = (std::cmp::Reverse(severity), unsure, findings.len(), sample.name.clone(), words);
            let rule = finding["rule"].as_str().unwrap().to_owned();
            let known: &mut Choice = best.entry(rule).or_insert_with(|| choice.clone());
            *known = choice.min(known.clone());
        }
    }
    best
}

/// `src/rules/examples.tsv` is written from the reports of the samples; who no sample raises says in its documentation
/// what a conversation that raises it looks like.
#[test]
fn every_rule_says_where_it_can_be_seen() {
    let rows: String = choices()
        .into_iter()
        .map(|(rule, (.., capture, packets))| format!("{rule}\t{capture}\t{packets}\n"))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/examples.tsv");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rows).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), rows, "UPDATE_GOLDEN=1 writes it");
    let seen: BTreeSet<&str> = rows.lines().filter_map(|row| row.split('\t').next()).collect();
    let silent = rules::all().filter(|rule| !seen.contains(rule.id) && !rule.doc.contains("Example: "));
    assert_eq!(silent.map(|rule| rule.id).collect::<Vec<_>>(), Vec::<&str>::new(), "name no example");
}
