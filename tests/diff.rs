//! `--diff`: two captures beside each other. What differs is named, first of all the first of it; what does not, or what
//! the captures themselves explain, is not.

mod samples;

use std::path::PathBuf;

use l2tp_inspect::analysis::Analysis;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::report::diff::Diff;
use samples::{Held, Sample};
use serde_json::Value;

fn analysis(frames: &[Held], sample: &Sample) -> Analysis {
    let sad = sample.sad();
    let mut inspector = Inspector::new(&sad, Limits::default());
    inspector.transcribe();
    for held in frames {
        inspector.push(&held.frame());
    }
    inspector.finish()
}

fn frames(sample: &Sample) -> Vec<Held> {
    samples::frames(&sample.capture()).unwrap().0
}

fn captures() -> PathBuf {
    samples::testdata().join("captures")
}

/// `family/name` and its keys, as arguments below `testdata/captures`.
fn arguments(here: &str, there: &str, more: &[&str]) -> Vec<String> {
    let [here, there] = [here, there].map(samples::sample);
    let path = |sample: &Sample, file: &str| format!("{}/{file}", sample.name);
    let mut out =
        vec![path(&here, &here.captures[0]), String::from("--diff"), path(&there, &there.captures[0])];
    for sample in [&here, &there] {
        for key in sample.keys.iter().take(1) {
            out.extend([String::from("-k"), path(sample, key)]);
        }
    }
    out.extend(more.iter().map(|word| (*word).to_owned()));
    out
}

fn run(here: &str, there: &str, more: &[&str]) -> std::process::Output {
    let arguments = arguments(here, there, more);
    samples::run(&captures(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn document(here: &str, there: &str) -> Value {
    let output = run(here, there, &["-T", "json"]);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn nothing_differs_from_itself() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let analysis = analysis(&frames(sample), sample);
        let diff = Diff::between(&analysis, &analysis);
        assert!(diff.is_empty(), "{}: {:?}", sample.name, diff.sentences());
    });
}

/// A capture that ended earlier shows less, and that is no difference of the peers.
#[test]
fn a_capture_that_ended_earlier_is_not_another_course_of_things() {
    let wrong = std::sync::Mutex::new(Vec::new());
    samples::on_two_threads(&samples::samples(), |sample| {
        let frames = frames(sample);
        let whole = analysis(&frames, sample);
        for eighths in 0..8 {
            let part = analysis(&frames[..frames.len() * eighths / 8], sample);
            for diff in [Diff::between(&part, &whole), Diff::between(&whole, &part)] {
                if !diff.is_empty() {
                    let words = format!("{} cut to {eighths}/8: {:?}", sample.name, diff.sentences());
                    wrong.lock().unwrap().push(words);
                }
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs of the same things: other IDs, times, resends, keys, a NAT that moves ports, another link type.
#[test]
fn two_runs_of_the_same_things_do_not_differ() {
    for (here, there) in [
        ("l2tp-plain/loss-nth", "l2tp-plain/mschapv2"),
        ("l2tp-plain/sll-any", "l2tp-plain/mschapv2"),
        ("l2tp-plain/nat-ports", "l2tp-plain/mschapv2"),
        ("l2tp-plain/oneway-capture", "l2tp-plain/mschapv2"),
        ("l2tp-ipsec/snaplen", "l2tp-ipsec/aes128-sha1"),
    ] {
        for (here, there) in [(here, there), (there, here)] {
            let document = document(here, there);
            assert_eq!(document["equal"], true, "{here} {there}: {document:#}");
            assert!(document["first"].is_null());
        }
    }
}

/// What the first sentence must name: words of `first` or `then`.
const CAUSES: &[(&str, &str, &str)] = &[
    ("l2tp-ipsec/wrong-tunnel-secret", "l2tp-ipsec/aes128-sha1", "\"Invalid challenge authentication\""),
    (
        "l2tp-ipsec/wrong-psk",
        "l2tp-ipsec/aes128-sha1",
        "message of main (packet 11 here) is sent 3 times and never answered here",
    ),
    ("l2tp-ipsec/lns-refuses-host", "l2tp-ipsec/aes128-sha1", "\"No Authorization\""),
    ("l2tp-ipsec/hello5-dead-peer", "l2tp-ipsec/aes128-sha1", "Hello (packet 73 here)"),
    ("l2tp-ipsec/esp-blocked", "l2tp-ipsec/aes128-sha1", "ESP: it goes one way here, from 10.1.0.2"),
    ("l2tp-ipsec/lns-port-closed", "l2tp-ipsec/aes128-sha1", "its port 1701 is closed"),
    ("l2tp-ipsec/no-sccrp", "l2tp-ipsec/aes128-sha1", "SCCRQ (packet 18 here) is sent 5 times"),
    ("l2tp-plain/badpw-mschapv2", "l2tp-plain/mschapv2", "sends CHAP Failure here (packet 20"),
    ("l2tp-plain/badpw-pap", "l2tp-plain/pap", "sends PAP Authenticate-Nak here"),
    (
        "l2tp-plain/data-to-lns-dropped",
        "l2tp-plain/mschapv2",
        "LCP Configure-Ack here after packet 16 (sent 10 times)",
    ),
    ("l2tp-plain/auth-fallback", "l2tp-plain/mschapv2", "CHAP 5 (MD5) here, CHAP 129 (MS-CHAPv2) there"),
    (
        "l2tp-plain/tunnel-auth",
        "l2tp-plain/mschapv2",
        "SCCRQ (packet 4 here, 4 there) has Challenge only here",
    ),
    ("l2tp-plain/lns-restarted", "l2tp-plain/mschapv2", "its port 1701 is closed (packet 48)"),
];

#[test]
fn the_first_sentences_name_the_cause() {
    for (here, there, words) in CAUSES {
        let document = document(here, there);
        let sentence = |name: &str| document[name]["sentence"].as_str().unwrap_or_default().to_owned();
        let said = format!("{}. {}.", sentence("first"), sentence("then"));
        assert!(said.contains(words), "{here}: {said}");
    }
}

#[test]
fn every_document_is_what_the_schema_says() {
    let path = samples::testdata().join("../docs/diff.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (here, there, _) in CAUSES {
        for document in [document(here, there), document(there, here)] {
            let faults: Vec<String> =
                validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert_eq!(faults, [] as [String; 0], "{here}");
        }
    }
}

#[test]
fn screens_are_as_checked_in() {
    let golden = samples::testdata().join("diff");
    let mut wrong = Vec::new();
    for (file, here, there, more) in [
        (
            "wrong-tunnel-secret.txt",
            "l2tp-ipsec/wrong-tunnel-secret",
            "l2tp-ipsec/aes128-sha1",
            &["--width", "80"],
        ),
        ("badpw.txt", "l2tp-plain/badpw-mschapv2", "l2tp-plain/mschapv2", &["--width", "120"]),
        ("dead-peer.txt", "l2tp-ipsec/hello5-dead-peer", "l2tp-ipsec/aes128-sha1", &["--width", "100"]),
        ("softether.txt", "softether/l2tp-raw", "l2tp-plain/mschapv2", &["--width", "100"]),
        ("badpw.json", "l2tp-plain/badpw-mschapv2", "l2tp-plain/mschapv2", &["-T", "json"]),
    ] {
        let output = run(here, there, more);
        assert_eq!(output.status.code(), Some(0), "{file}");
        wrong.extend(samples::golden(&golden.join(file), &output.stdout));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No word is broken and no line is too long, where no word is.
#[test]
fn lines_keep_to_the_width() {
    for (here, there, _) in CAUSES {
        for width in [80, 120] {
            let output = run(here, there, &["--width", &width.to_string(), "--ascii"]);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.is_ascii(), "{text}");
            for line in text.lines() {
                assert!(line.len() <= width, "{here}: {line}");
            }
        }
    }
}

#[test]
fn exit_codes_are_those_of_a_viewer_unless_it_checks() {
    let [good, bad] = ["l2tp-plain/mschapv2", "l2tp-plain/badpw-mschapv2"];
    assert_eq!(run(bad, good, &[]).status.code(), Some(0));
    assert_eq!(run(bad, good, &["--check"]).status.code(), Some(1));
    assert_eq!(run("l2tp-plain/loss-nth", good, &["--check"]).status.code(), Some(0));
    let file = arguments(good, good, &[]).remove(0);
    let code = |arguments: &[&str]| samples::run(&captures(), arguments).status.code();
    assert_eq!(code(&[&file, "--diff", "no-such-file.pcap"]), Some(2));
    assert_eq!(code(&[&file, &file, "--diff", &file]), Some(2));
    assert_eq!(code(&[&file, "--diff", &file, "-T", "csv"]), Some(2));
    assert_eq!(code(&["-", "--diff", "-"]), Some(2));
}

/// Nothing that proves or hides a secret is shown, whatever is known of it.
#[test]
fn no_secret_is_shown() {
    let sample = samples::sample("l2tp-plain/hidden-avps");
    let secrets = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("diff-secrets.toml");
    std::fs::write(&secrets, "[[tunnel]]\nsecret = \"tunnel-s3cret\"\n").unwrap();
    let secrets = secrets.to_str().unwrap();
    for format in ["text", "json"] {
        let output = run(&sample.name, "l2tp-plain/mschapv2", &["-T", format, "--secrets", secrets]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Challenge"), "{text}");
        assert!(!text.contains("tunnel-s3cret") && !text.contains("Pa55"), "{text}");
    }
}
