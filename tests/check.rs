//! Check mode: what a capture is expected to be, in every format of continuous integration, and the exit codes.

mod common;
mod samples;

use std::path::Path;

use common::tool;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the command on a sample with its keys.
fn run(sample: &str, more: &[&str]) -> Run {
    let folder = samples::sample(sample).directory;
    let capture = folder.join("outer.pcap");
    let mut arguments = vec![capture.to_str().unwrap().to_owned()];
    let keys = folder.join("lac-xfrm-state.txt");
    if keys.exists() {
        arguments.extend(["-k".to_owned(), keys.to_str().unwrap().to_owned()]);
    }
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let output = tool(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

const DEAD: &str = "l2tp-ipsec/hello5-dead-peer";

fn expectations(folder: &Path, text: &str) -> String {
    let path = folder.join("expect.toml");
    std::fs::write(&path, text).unwrap();
    format!("--check={}", path.to_str().unwrap())
}

#[test]
fn what_a_capture_is_today_holds_until_it_differs() {
    let dir = tempfile::tempdir().unwrap();
    let written = dir.path().join("written.toml");
    let made = run(DEAD, &["--write-expect", written.to_str().unwrap()]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let text = std::fs::read_to_string(&written).unwrap();
    let same = run(DEAD, &[&format!("--check={}", written.to_str().unwrap())]);
    assert_eq!(
        (same.code, same.out.contains("passed, 9 expectations held")),
        (Some(0), true),
        "{}",
        same.out
    );
    // A second time the file is there.
    assert_eq!(run(DEAD, &["--write-expect", written.to_str().unwrap()]).code, Some(2));
    for (from, to, says) in [
        (
            "packets = { min = 116 }",
            "packets = { min = 117 }",
            "capture packets: expected at least 117, found 116",
        ),
        ("decrypted = \"all\"", "decrypted = 89", "capture decrypted: expected 89, found 90 of 90"),
        ("verdict = \"hello-timeout\"", "verdict = \"healthy\"", "expected healthy, found hello-timeout"),
        (
            "lns = \"203.0.113.2\"",
            "lns = \"203.0.113.9\"",
            "control connection 1: expected LAC 10.1.0.2, LNS 203.0.113.9, found none",
        ),
        ("ended = \"StopCCN 1\"", "ended = \"StopCCN 6\"", "T1 ended: expected StopCCN 6, found StopCCN 1"),
        (
            "setup = { max = \"238 ms\" }",
            "setup = { max = \"100 ms\" }",
            "T1 setup: expected at most 100 ms, found 120 ms",
        ),
        ("resent = { max = 26 }", "resent = { max = 25 }", "T1 resent: expected at most 25, found 26"),
        (
            "unanswered = 7",
            "interval = \"60 s\", tolerance = \"5 s\"",
            "T1 hello interval: expected 60.0 s ± 5.0 s, found",
        ),
        ("reached = \"ipv6cp-opened\"", "reached = \"authenticated\"", ""),
        ("kind = \"incoming\"", "kind = \"outgoing\"", "T1 call 1: expected outgoing call, found none"),
    ] {
        assert!(text.contains(from), "{from} is not in\n{text}");
        let other = run(DEAD, &[&expectations(dir.path(), &text.replace(from, to))]);
        let holds = says.is_empty();
        assert_eq!(other.code, Some(i32::from(!holds)), "{to}: {}{}", other.out, other.err);
        assert!(other.out.contains(says), "{to}: {}", other.out);
    }
}

#[test]
fn findings_fail_a_check_unless_they_are_allowed() {
    let plain = run(DEAD, &["--check"]);
    assert_eq!(plain.code, Some(1));
    assert!(plain.out.contains("finding   error[hello-unacknowledged] packets 73"), "{}", plain.out);
    assert_eq!(run(DEAD, &["--check", "--fail-on", "never"]).code, Some(0));
    assert_eq!(run(DEAD, &["--check", "--fail-on", "warning", "--ignore", "hello,data"]).code, Some(0));
    assert_eq!(
        run(DEAD, &["--check", "--fail-on", "warning", "--select", "seq"]).code,
        Some(0),
        "notes alone"
    );
    assert_eq!(run(DEAD, &["--check", "--select", "seq", "--severity", "seq-duplicate=error"]).code, Some(1));
    assert_eq!(
        run(DEAD, &["--check", "--fail-on", "warning", "--severity", "hello=off", "--severity", "data=note"])
            .code,
        Some(0)
    );
    assert_eq!(run(DEAD, &["--select", "helo"]).code, Some(2));
    // A verdict that is not healthy fails by itself.
    let verdict = run(DEAD, &["--check", "--ignore", "hello,data"]);
    assert_eq!(
        (verdict.code, verdict.out.contains("capture health: expected healthy, found broken")),
        (Some(1), true)
    );
    assert_eq!(run(DEAD, &["--fail-on", "undecided"]).code, Some(0));
    assert_eq!(run(DEAD, &["--fail-on", "degraded"]).code, Some(1));
    let dir = tempfile::tempdir().unwrap();
    let allow =
        |rule: &str, more: &str| format!("[[allow]]\nrule = \"{rule}\"\nreason = \"known\"\n{more}\n");
    let known = ["hello-unacknowledged", "hello-tunnel-dead"].map(|rule| allow(rule, "")).concat();
    let with = |last: String| {
        run(DEAD, &[&expectations(dir.path(), &format!("schema = 1\nfail-on = \"warning\"\n{known}{last}"))])
    };
    assert_eq!(with(allow("data-after-stopccn", "connection = \"T1\"\nuntil = 9999-12-31")).code, Some(0));
    let past = with(allow("data-after-stopccn", "until = 2020-01-01"));
    assert_eq!((past.code, past.out.contains("past its date")), (Some(1), true), "{}", past.out);
    let elsewhere = with(allow("data-after-stopccn", "connection = \"T9\""));
    assert_eq!((elsewhere.code, elsewhere.out.contains("not needed any more")), (Some(1), true));
}

#[test]
fn only_certain_findings_count_with_certain() {
    // Unsure of an authentication that no key shows.
    let sealed = "l2tp-ipsec/wrong-psk";
    let chosen = ["--check", "--fail-on", "error", "--select", "ike-auth-failed"];
    assert_eq!(run(sealed, &chosen).code, Some(1));
    assert_eq!(run(sealed, &[&chosen[..], &["--certain"]].concat()).code, Some(0));
}

#[test]
fn bad_expectations_are_named_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("schema = 2", "schema 2 is not known"),
        ("schema = 1\n[capture]\npakets = 1", "unknown field `pakets`"),
        ("schema = 1\n[[allow]]\nrule = \"seq-gapp\"\nreason = \"x\"", "seq-gapp: no such rule"),
        ("schema = 1\n[[allow]]\nrule = \"seq-gap\"", "missing field `reason`"),
        ("schema = 1\n[[control-connection]]\nended = \"CDN 1\"", "expected \"open\" or StopCCN"),
        ("schema = 1\n[[control-connection]]\nsetup = { max = \"5\" }", ""),
        ("not toml", ""),
    ] {
        let bad = run(DEAD, &[&expectations(dir.path(), text)]);
        assert_eq!((bad.code, bad.err.contains(says)), (Some(2), true), "{text}: {}", bad.err);
    }
    assert_eq!(run(DEAD, &["--check=/no/such/file.toml"]).code, Some(2));
}

#[test]
fn every_format_says_what_failed() {
    let junit = run(DEAD, &["--check", "-T", "junit"]).out;
    assert!(junit.contains("failures=\"3\"") && junit.contains("<testcase name=\"seq-gap\""), "{junit}");
    let github = run(DEAD, &["--check", "-T", "github"]).out;
    assert_eq!(github.lines().filter(|line| line.starts_with("::error file=")).count(), 3, "{github}");
    assert!(github.lines().all(|line| line.starts_with("::")), "{github}");
    let markdown = run(DEAD, &["--check", "-T", "markdown"]).out;
    assert!(
        markdown.contains("outer.pcap: failed") && markdown.contains("| **error** | `hello-tunnel-dead` |"),
        "{markdown}"
    );
    let json: serde_json::Value = serde_json::from_str(&run(DEAD, &["--check", "-T", "json"]).out).unwrap();
    assert_eq!(json["captures"][0]["check"]["passed"], false);
}

#[test]
fn sarif_has_rules_levels_and_the_octets_of_packets() {
    let log: serde_json::Value = serde_json::from_str(&run(DEAD, &["--check", "-T", "sarif"]).out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run_ = &log["runs"][0];
    let rules: Vec<&str> = run_["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let capture = std::fs::read(samples::sample(DEAD).directory.join("outer.pcap")).unwrap();
    for result in run_["results"].as_array().unwrap() {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert_eq!(result["partialFingerprints"]["place/v1"].as_str().unwrap().len(), 40);
        // An expectation is about the capture as a whole.
        if result["ruleId"] == "expectation" {
            continue;
        }
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let end = region["byteOffset"].as_u64().unwrap() + region["byteLength"].as_u64().unwrap();
        assert!(end <= capture.len() as u64, "{region}");
    }
    // The same faults have the same fingerprints, whatever else is reported.
    let prints = |arguments: &[&str]| -> Vec<String> {
        let log: serde_json::Value = serde_json::from_str(&run(DEAD, arguments).out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"]["place/v1"].to_string()).collect()
    };
    let (all, some) = (prints(&["-T", "sarif"]), prints(&["-T", "sarif", "--select", "hello"]));
    assert!(some.len() == 2 && some.iter().all(|print| all.contains(print)));
}

#[test]
fn the_worst_of_several_captures_counts() {
    let healthy = samples::sample("l2tp-plain/nat-ports").directory.join("outer.pcap");
    let broken = samples::sample(DEAD).directory.join("outer.pcap");
    let both = [healthy.to_str().unwrap(), broken.to_str().unwrap(), "--check", "--ignore", "sec"];
    assert_eq!(tool(&both).status.code(), Some(1));
    assert_eq!(tool(&[both[0], "--check", "--ignore", "sec"]).status.code(), Some(0));
}
