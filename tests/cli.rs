//! What scripts rely on: exit codes, standard input, several files, full disks, closed pipes.

mod common;

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
    let dir = tempfile::tempdir().expect("a folder");
    let good = put(dir.path(), "good.pcap", &healthy());
    for arguments in [&["-T", "json"][..], &[]] {
        let first = tool(&[arguments, &[&good]].concat()).stdout;
        for _ in 0..20 {
            assert_eq!(tool(&[arguments, &[&good]].concat()).stdout, first);
        }
    }
}
