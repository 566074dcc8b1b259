//! What scripts rely on: exit codes, standard input, several files, full disks, closed pipes.

mod common;
mod samples;

use common::*;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn healthy() -> Vec<u8> {
    let mut talk = Talk::default();
    talk.tunnel().call().chat(5).close();
    pcap(&talk.frames)
}

fn broken() -> Vec<u8> {
    let mut talk = Talk::default();
    talk.in_vain(LAC, SCCRQ, &[1000, 2000, 4000, 8000]);
    pcap(&talk.frames)
}

fn put(dir: &Path, name: &str, octets: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, octets).expect("written");
    path.to_str().expect("a name").to_owned()
}

fn code(arguments: &[&str]) -> Option<i32> {
    tool(arguments).status.code()
}

#[test]
fn exit_codes() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = put(dir.path(), "good.pcap", &healthy());
    let bad = put(dir.path(), "bad.pcap", &broken());
    let cut = put(dir.path(), "cut.pcap", healthy().get(..300).expect("long enough"));
    let empty = put(dir.path(), "empty.pcap", b"");
    let text = put(dir.path(), "text.pcap", b"this is no capture\n");
    let netmon = put(dir.path(), "netmon.cap", b"GMBU\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let missing = dir.path().join("missing.pcap");
    let missing = missing.to_str().expect("a name");
    assert_eq!(code(&[&good]), Some(0));
    assert_eq!(code(&[&bad]), Some(0), "findings alone do not fail");
    assert_eq!(code(&["--fail-on", "error", &bad]), Some(1));
    assert_eq!(code(&["--fail-on", "warning", &good]), Some(1), "L2TP in the clear");
    assert_eq!(code(&["--fail-on", "error", &good]), Some(0));
    assert_eq!(code(&[&cut]), Some(3));
    assert_eq!(code(&["--fail-on", "note", &cut]), Some(3), "damage counts more");
    for not_a_capture in [&empty, &text, &netmon, missing, dir.path().to_str().expect("a name")] {
        let output = tool(&[not_a_capture]);
        assert_eq!(output.status.code(), Some(2), "{not_a_capture}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("l2tp-inspect: error: "), "{output:?}");
    }
    assert_eq!(code(&[]), Some(2), "no file");
    assert_eq!(code(&["--no-such-option", &good]), Some(2));
    assert_eq!(code(&["-f", "udp poort 1", &good]), Some(2));
    assert_eq!(code(&["-k", missing, &good]), Some(2));
    assert_eq!(code(&["-k", &text, &good]), Some(2), "no keys in there");
    assert_eq!(code(&["--explain", "seq-gap"]), Some(0));
    assert_eq!(code(&["--explain", "seq-gapp"]), Some(2));
    for quiet in ["--help", "-h", "--version", "--list-rules"] {
        assert_eq!(code(&[quiet]), Some(0), "{quiet}");
    }
}

#[test]
fn several_files_give_a_report_each_and_the_worst_code() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = put(dir.path(), "good.pcap", &healthy());
    let cut = put(dir.path(), "cut.pcap", healthy().get(..300).expect("long enough"));
    let text = put(dir.path(), "text.pcap", b"this is no capture\n");
    let output = tool(&["-T", "json", "-r", &good, &cut]);
    assert_eq!(output.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let captures = document["captures"].as_array().expect("a list");
    assert_eq!(captures.len(), 2);
    assert_eq!((&captures[0]["truncated"], &captures[1]["truncated"]), (&false.into(), &true.into()));
    assert_eq!(code(&[&good, &text, &cut]), Some(2));
}

#[test]
fn standard_input_count_and_filter() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"))
        .args(["-T", "json", "-c", "4", "-f", "src host 192.0.2.10", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    child.stdin.take().expect("a pipe").write_all(&healthy()).expect("written");
    let output = child.wait_with_output().expect("ends");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let connection = &document["captures"][0]["control_connections"][0];
    assert_eq!(document["captures"][0]["packets"], 4);
    assert_eq!(connection["lac"]["address"], "192.0.2.10");
    assert_eq!(connection["messages"]["lns"], serde_json::json!({}));
    assert_eq!(code(&["-", "-k", "-"]), Some(2), "standard input can be read once only");
}

#[test]
fn compressed_captures_are_read_as_they_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let plain = put(dir.path(), "plain", &healthy());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&healthy()).expect("compressed");
    let gzip = put(dir.path(), "a", &gzip.finish().expect("compressed"));
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&healthy()).expect("compressed");
    let lz4 = put(dir.path(), "b", &lz4.finish().expect("compressed"));
    let expected = String::from_utf8_lossy(&tool(&["-T", "json", &plain]).stdout).replace("/plain\"", "\"");
    for (file, name) in [(&gzip, "/a\""), (&lz4, "/b\"")] {
        let got = String::from_utf8_lossy(&tool(&["-T", "json", file]).stdout).replace(name, "\"");
        assert_eq!(got, expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = put(dir.path(), "good.pcap", &healthy());
    for arguments in [
        &["-T", "json", &good][..],
        &[&good],
        &["-q", &good],
        &["--help"],
        &["--list-rules"],
        &["--explain", "seq-gap"],
        &["--version"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there");
        let output = Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"))
            .args(arguments)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"), "{output:?}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"))
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    for sample in samples::samples() {
        for view in [&["-T", "json"][..], &[]] {
            let arguments = [view, &sample.arguments()].concat();
            let first = samples::run(&sample.directory, &arguments).stdout;
            for (zone, locale) in [("Pacific/Kiritimati", "C.UTF-8"), ("America/St_Johns", "tr_TR.UTF-8")] {
                let again = samples::command()
                    .env("TZ", zone)
                    .env("LC_ALL", locale)
                    .env("COLUMNS", "60")
                    .current_dir(&sample.directory)
                    .args(&arguments)
                    .output()
                    .expect("runs")
                    .stdout;
                assert!(again == first, "{} {view:?} in {zone}", sample.name);
            }
        }
    }
}

#[test]
fn every_rule_explains_itself() {
    let list = String::from_utf8(tool(&["--list-rules"]).stdout).expect("text");
    let rules: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(rules.len() >= 33, "{rules:?}");
    for rule in rules {
        let output = tool(&["--explain", rule]);
        assert_eq!(output.status.code(), Some(0), "{rule}");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.starts_with(rule) && text.lines().count() >= 3, "{rule}: {text}");
    }
}

/// A message may only send people to options that there are.
#[test]
fn hints_name_options_that_exist() {
    let help = String::from_utf8(tool(&["--help"]).stdout).expect("text");
    let mut wrong = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders
                .extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("one").path()));
            continue;
        }
        // The one lists options that there are not, the other has a word that nobody is to type.
        if path.ends_with("cli/habits.rs") || path.ends_with("cli/key_helper.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        for line in text.lines().take_while(|line| line.trim() != "#[cfg(test)]") {
            // Options in string literals: of comments, only those that --explain prints would matter.
            for (before, after) in line.match_indices("--").map(|(at, _)| line.split_at(at)) {
                let name: String =
                    after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                let quoted = before.matches('"').count() % 2 == 1;
                if quoted && name.len() > 4 && !name.ends_with('-') && !help.contains(&name) {
                    wrong.push(format!("{}: {name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such option:\n{}", wrong.join("\n"));
}

/// The reader goes away after the first line; what is left of a long report is not worth a word.
#[cfg(unix)]
#[test]
fn a_pipe_that_closes_early_is_no_error() {
    let sample = samples::sample("l2tp-ipsec/dataseq-kernel");
    for view in [&["-T", "json"][..], &["--ladder"], &[]] {
        let mut child = samples::command()
            .current_dir(&sample.directory)
            .args(
                [
                    view,
                    &sample.arguments(),
                    &sample.captures.iter().map(String::as_str).cycle().take(40).collect::<Vec<_>>(),
                ]
                .concat(),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut first = [0; 10];
        std::io::Read::read_exact(&mut child.stdout.take().expect("a pipe"), &mut first)
            .expect("a few octets");
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(0), "{view:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("error") && !said.contains("panicked"), "{said}");
    }
}
