//! SARIF 2.1.0: rules, and results with the octets of the packet they are about.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::rules::{self, Finding, Severity};

use super::{Checked, sentences};

/// Where packets are in their file: number, then offset and length in octets.
pub type Places = HashMap<u64, (u64, u64)>;

/// Writes the log, with a run for all captures.
///
/// # Errors
///
/// Those of the writer.
pub fn write(all: &[(Checked<'_>, Places)], out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = rules::all().map(rule).chain([expectation()]).collect();
    let results: Vec<Value> = all
        .iter()
        .flat_map(|(checked, places)| {
            let findings = checked.report.findings.iter().enumerate();
            findings
                .map(move |(at, finding)| result(checked, at, finding, places))
                .chain(differences(checked))
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "l2tp-inspect",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// What a difference from the expectations is reported as.
fn expectation() -> Value {
    let text = "Something that was expected of the capture (--check) does not hold.";
    json!({
        "id": "expectation",
        "shortDescription": { "text": text },
        "fullDescription": { "text": text },
        "defaultConfiguration": { "level": "error" },
    })
}

fn rule(rule: &rules::Rule) -> Value {
    let lines: Vec<&str> = rule.doc.lines().map(str::trim).collect();
    let short = lines.first().copied().unwrap_or_default();
    json!({
        "id": rule.id,
        "shortDescription": { "text": short },
        "fullDescription": { "text": lines.join(" ").trim() },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "section": rule.section },
    })
}

fn result(checked: &Checked<'_>, at: usize, finding: &Finding, places: &Places) -> Value {
    let packets: Vec<Value> =
        finding.packets.iter().map(|packet| location(checked, *packet, places)).collect();
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level(finding.severity),
        "message": { "text": sentences(finding) },
        "locations": packets.first().map_or_else(|| vec![whole(checked)], |first| vec![first.clone()]),
        "relatedLocations": packets.iter().skip(1).collect::<Vec<_>>(),
        "partialFingerprints": { "place/v1": fingerprint(checked, finding) },
        "properties": { "certainty": finding.certainty().name(), "packets": finding.packets },
    });
    if let Some((_, reason)) = checked.result.allowed.iter().find(|(allowed, _)| *allowed == at) {
        result["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
    }
    result
}

/// An expectation that does not hold has no rule; its name is its rule.
fn differences<'a>(checked: &'a Checked<'_>) -> impl Iterator<Item = Value> + 'a {
    checked.result.outcomes.iter().filter(|outcome| !outcome.holds).map(|outcome| {
        json!({
            "ruleId": "expectation",
            "level": "error",
            "message": { "text": format!("{}: expected {}, found {}", outcome.name, outcome.expected, outcome.found) },
            "locations": [whole(checked)],
            "partialFingerprints": { "place/v1": hash(&["expectation", &outcome.name]) },
        })
    })
}

fn whole(checked: &Checked<'_>) -> Value {
    json!({ "physicalLocation": { "artifactLocation": { "uri": uri(checked.report.file.as_str()) } } })
}

fn location(checked: &Checked<'_>, packet: u64, places: &Places) -> Value {
    let mut place = whole(checked);
    place["message"] = json!({ "text": format!("packet {packet}") });
    if let Some((offset, length)) = places.get(&packet) {
        place["physicalLocation"]["region"] = json!({ "byteOffset": offset, "byteLength": length });
    }
    place
}

/// The same for the same fault in the same place of another recording: no packet numbers, no times.
fn fingerprint(checked: &Checked<'_>, finding: &Finding) -> String {
    let analysis = checked.report.analysis;
    let connection =
        finding.connection.and_then(|number| analysis.numbered(number)).map(|(_, connection)| connection);
    let ends = connection.map_or_else(String::new, |connection| {
        connection.ends.iter().map(|end| end.endpoint.address.to_string()).collect::<Vec<_>>().join(" ")
    });
    let tunnel = finding.connection.map_or_else(String::new, |number| number.to_string());
    let call = finding.call.map_or_else(String::new, |call| call.0.to_string());
    hash(&[finding.rule.id, &ends, &tunnel, &call])
}

fn hash(parts: &[&str]) -> String {
    let digest = Sha1::digest(parts.join("\n").as_bytes());
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A path as a relative or absolute reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::new();
    for octet in path.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(octet.into())
            }
            octet => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}
