//! The expectations that a capture meets, as a file to edit.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::analysis::Analysis;
use crate::analysis::control::call::{Call, CallKind};
use crate::analysis::control::connection::Connection;
use crate::rules::{Diagnosis, Finding, Severity};
use crate::util::Duration;

use super::compare::{call_end, reached};

/// Writes the expectations that this capture meets today.
///
/// Times get room: twice what was seen, at least 100 ms, for another machine is not as fast. Findings from warnings on
/// are allowed, with a reason to fill in.
pub fn record(analysis: &Analysis, findings: &[Finding], diagnosis: &Diagnosis) -> String {
    let mut out = String::from("schema = 1\nfail-on = \"warning\"\n\n[capture]\n");
    let totals = &analysis.totals;
    let _ = writeln!(out, "packets = {{ min = {} }}", totals.packets);
    let all: u64 = analysis.flows.iter().map(|flow| flow.packets()).sum();
    let opened: u64 = analysis.flows.iter().map(|flow| flow.decrypted).sum();
    if all > 0 {
        let share = if opened == all { String::from("\"all\"") } else { opened.to_string() };
        let _ = writeln!(out, "decrypted = {share}");
    }
    let _ = writeln!(out, "verdict = \"{}\"", diagnosis.id);
    for (_, one) in analysis.in_order() {
        connection(analysis, one, &mut out);
    }
    let mut allowed = HashSet::new();
    for finding in findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        // One of a rule and control connection allows all of them.
        if !allowed.insert((finding.rule.id, finding.connection)) {
            continue;
        }
        let _ = write!(out, "\n[[allow]]\nrule = \"{}\"\n", finding.rule.id);
        if let Some(number) = finding.connection {
            let _ = writeln!(out, "connection = \"T{number}\"");
        }
        let _ = writeln!(out, "reason = \"known when this file was written\"");
    }
    out
}

fn connection(analysis: &Analysis, connection: &Connection, out: &mut String) {
    let [lac, lns] = [connection.lac_end(), 1 - connection.lac_end()].map(|end| &connection.ends[end]);
    let _ = write!(
        out,
        "\n[[control-connection]]\nlac = \"{}\"\nlns = \"{}\"\n",
        lac.endpoint.address, lns.endpoint.address
    );
    let ended = match (connection.closed_by, &connection.result) {
        (None, _) => String::from("open"),
        (Some(_), Some(result)) => format!("StopCCN {}", result.code),
        (Some(_), None) => String::from("StopCCN"),
    };
    let _ = writeln!(out, "ended = \"{ended}\"");
    setup(connection.setup(), out);
    let resent: u32 = connection.ends.iter().map(|end| end.delivery.resent).sum();
    let _ = writeln!(out, "resent = {{ max = {resent} }}");
    let unanswered: u32 = connection.ends.iter().map(|end| end.unanswered_hellos()).sum();
    let _ = writeln!(out, "hello = {{ unanswered = {unanswered} }}");
    for call in connection.calls.iter().filter_map(|id| analysis.call(*id)) {
        one_call(call, out);
    }
}

fn one_call(call: &Call, out: &mut String) {
    out.push_str("\n  [[control-connection.call]]\n");
    match call.kind {
        CallKind::Incoming => out.push_str("  kind = \"incoming\"\n"),
        CallKind::Outgoing => out.push_str("  kind = \"outgoing\"\n"),
        CallKind::Unknown => {}
    }
    if let Some(step) = reached(call).last() {
        let _ = writeln!(out, "  reached = \"{step}\"");
    }
    let _ = writeln!(out, "  ended = \"{}\"", call_end(call));
    let lost: u64 = call.data.iter().map(|data| data.lost).sum();
    if call.data.iter().any(|data| data.sequenced) {
        let _ = writeln!(out, "  lost = {{ max = {lost} }}");
    }
}

fn setup(time: Option<Duration>, out: &mut String) {
    let Some(time) = time else { return };
    let millis = (time.0 / 1_000_000).saturating_mul(2).max(100);
    let _ = writeln!(out, "setup = {{ max = \"{millis} ms\" }}");
}
