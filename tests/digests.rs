//! Message Digests and hidden AVPs of L2TPv3, on packets that Python made from the text of RFC 3931: see
//! `testdata/digest/origin.md`.

mod common;

use common::*;
use l2tp_inspect::analysis::control::tunnel_proof::TunnelProof;
use l2tp_inspect::dissect::layers::DigestCheck;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note};

const RIGHT: &str = include_str!("../testdata/digest/secrets.toml");
const OLD: &str = "[[tunnel]]\nsecret = \"old-s3cret\"\n";
const WRONG: &str = "[[tunnel]]\nsecret = \"wrong\"\n";
const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/digest/digests.pcap");
const SECRETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/digest/secrets.toml");

/// Octets of an IPv4 and a UDP header.
const HEADERS: usize = 28;
const TTL: usize = 8;
/// The Hello over UDP: after it the first end sends two messages more.
const HELLO_PACKET: usize = 5;

fn capture() -> Talk {
    let file = include_bytes!("../testdata/digest/digests.pcap");
    let mut rest = &file[24..];
    let mut talk = Talk::default();
    while let Some((head, more)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        talk.frames.push((talk.now, more[..length].to_vec()));
        talk.now += 5;
        rest = &more[length..];
    }
    talk
}

/// The first control connection alone.
fn over_udp() -> Talk {
    let mut talk = capture();
    talk.frames.truncate(8);
    talk
}

fn proofs(judged: &Judged) -> Vec<[Option<TunnelProof>; 2]> {
    let connections = judged.analysis.in_order();
    connections
        .iter()
        .map(|(_, connection)| [0, 1].map(|end| judged.analysis.tunnel_proof(connection, end)))
        .collect()
}

/// How many messages of both ends of the first control connection show this.
fn shown(judged: &Judged, check: DigestCheck) -> u64 {
    let (_, connection) = judged.analysis.in_order()[0];
    [0, 1]
        .map(|end| judged.analysis.digests(connection, end, check).map_or(0, |tally| tally.count))
        .iter()
        .sum()
}

fn assert_accuses_nobody(judged: &Judged) {
    judged.assert_quiet("tun-digest-wrong");
    judged.assert_quiet("tun-digest-secret");
}

#[test]
fn digests_prove_the_secret_over_udp_and_over_ip() {
    use TunnelProof::{Intact, Proved};
    let judged = capture().judge_told(RIGHT);
    let all = [Proved, Proved, Intact, Proved].map(|proof| [Some(proof); 2]);
    assert_eq!(proofs(&judged), all);
    assert_eq!(shown(&judged, DigestCheck::Proved), 8);
    assert_accuses_nobody(&judged);
    // Two digests, of an old and of a new secret: either will do.
    assert_eq!(proofs(&capture().judge_told(OLD))[3], [Some(Proved); 2]);
}

#[test]
fn without_a_secret_only_a_check_of_integrity_says_something() {
    let judged = capture().judge();
    let said = [None, None, Some(TunnelProof::Intact), None].map(|proof| [proof; 2]);
    assert_eq!(proofs(&judged), said);
    assert_accuses_nobody(&judged);
    // A secret of other tunnels is none of these.
    let judged = capture().judge_told("[[tunnel]]\nlns = \"203.0.113.9\"\nsecret = \"digest-s3cret\"\n");
    assert_eq!(proofs(&judged), said);
    assert_accuses_nobody(&judged);
}

#[test]
fn a_secret_that_fits_no_message_is_rather_the_wrong_one() {
    let judged = over_udp().judge_told(WRONG);
    assert_eq!(proofs(&judged), [[Some(TunnelProof::WrongSecret); 2]]);
    assert_eq!(shown(&judged, DigestCheck::Wrong), 8);
    let finding = judged.assert_raises("tun-digest-secret", Note, Possible);
    assert!(finding.unsure.as_ref().is_some_and(|why| why.contains("secret that was given")), "{finding:#?}");
    judged.assert_quiet("tun-digest-wrong");
    // If nothing comes up, the two sides may have different secrets indeed.
    let mut refused = over_udp();
    refused.frames.truncate(1);
    let judged = refused.judge_told(WRONG);
    judged.assert_raises("tun-digest-secret", Error, Possible);
    // A check of integrity needs no secret, right or wrong.
    assert_eq!(proofs(&capture().judge_told(WRONG))[2], [Some(TunnelProof::Intact); 2]);
}

#[test]
fn ends_with_different_secrets_are_told_apart() {
    // The answer of an end that has the old secret only: its digest of the new one is that of nobody.
    let mut talk = capture();
    talk.frames = talk.frames.split_off(30);
    talk.frames.truncate(2);
    let end = HEADERS + 12 + 8 + 27 + 23;
    talk.frames[1].1[end - 1] ^= 1;
    let judged = talk.judge_told(RIGHT);
    assert_eq!(proofs(&judged), [[Some(TunnelProof::Proved), Some(TunnelProof::WrongSecret)]]);
    let finding = judged.assert_raises("tun-digest-secret", Error, Possible);
    assert!(finding.seen.contains("which is that of the LCCE 192.0.2.4"), "{}", finding.seen);
    assert_eq!((finding.end, finding.packets.as_slice()), (Some(1), &[2][..]));
}

#[test]
fn what_cannot_be_checked_accuses_nobody() {
    for secrets in [RIGHT, WRONG] {
        // Packet 1 has one nonce, packet 2 the other.
        for (missing, unseen) in [(0..1, 7), (1..2, 6), (0..2, 6)] {
            let mut talk = over_udp();
            talk.frames.drain(missing.clone());
            let judged = talk.judge_told(secrets);
            assert_eq!(shown(&judged, DigestCheck::Unseen), unseen, "{missing:?} {secrets}");
            if missing.start == 0 || secrets == RIGHT {
                assert_accuses_nobody(&judged);
            }
        }
    }
}

/// The nonce of each end counts: with another octet in either, later messages do not hold.
#[test]
fn both_nonces_enter_the_digest() {
    // Behind the Message Type and the Message Digest.
    let nonce = HEADERS + 12 + 8 + 23 + 6;
    for packet in [0, 1] {
        let mut talk = over_udp();
        talk.frames[packet].1[nonce] ^= 1;
        let judged = talk.judge_told(RIGHT);
        assert_eq!(shown(&judged, DigestCheck::Wrong), 8 - packet as u64, "{packet}");
    }
}

#[test]
fn a_message_that_was_changed_is_named() {
    let whole = over_udp();
    let octets = whole.frames[HELLO_PACKET - 1].1.len();
    // Another Digest Type with this length is the same reading of the RFC; Length and flags make another message of it.
    let digest_type = HEADERS + 12 + 8 + 6;
    for at in HEADERS + 4..octets {
        let mut talk = whole.frames.clone();
        talk[HELLO_PACKET - 1].1[at] ^= 1;
        let talk = Talk { frames: talk, ..Talk::default() };
        let judged = talk.judge_told(RIGHT);
        assert!(shown(&judged, DigestCheck::Proved) < 8, "octet {at} does not count");
        if at > digest_type {
            let finding = judged.assert_raises("tun-digest-wrong", Error, Certain);
            assert_eq!(finding.packets, [HELLO_PACKET as u64]);
            assert_eq!(proofs(&judged), [[Some(TunnelProof::SomeWrong), Some(TunnelProof::Proved)]]);
        }
    }
    // Near miss: what a router changes is not covered.
    let mut talk = over_udp();
    talk.frames[HELLO_PACKET - 1].1[TTL] -= 1;
    assert_accuses_nobody(&talk.judge_told(RIGHT));
    // Nor is it certain of the last message: another control connection with the same IDs may have begun unseen.
    let mut talk = over_udp();
    let last = talk.frames[6].1.len() - 1;
    talk.frames[6].1[last] ^= 1;
    talk.judge_told(RIGHT).assert_raises("tun-digest-wrong", Error, Possible);
    // Without a secret, a check of integrity tells damage as well.
    let mut talk = capture();
    let last = talk.frames[26].1.len() - 1;
    talk.frames[26].1[last] ^= 1;
    talk.judge().assert_raises("tun-digest-wrong", Error, Certain);
}

#[test]
fn no_cut_accuses_anybody() {
    for packet in [0, 1, 4, 12, 22, 30] {
        let whole = capture();
        for length in 0..whole.frames[packet].1.len() {
            let mut talk = capture();
            talk.frames[packet].1.truncate(length);
            assert_accuses_nobody(&talk.judge_told_cut(RIGHT, Some(1500)));
        }
    }
}

fn fields(arguments: &[&str]) -> String {
    let output =
        tool(&[&["--secrets", SECRETS, "--show-secrets", "-T", "fields"], arguments, &[CAPTURE]].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hidden_avps_are_read_and_the_cookie_in_them_is_used() {
    let request = [
        "-Y",
        "frame.number == 13",
        "-e",
        "l2tp.avp.local_session_id",
        "-e",
        "l2tp.avp.remote_end_id",
        "-e",
        "l2tp.avp.assigned_cookie",
    ];
    assert_eq!(fields(&request).trim(), "4097\tremote-end-with-a-long-name\tc00c1e00c00c1e01");
    let data = ["-Y", "frame.number == 17", "-e", "l2tp.cookie", "-e", "l2tp.inferred", "-e", "icmp.type"];
    assert_eq!(fields(&data).trim_end(), "c00c1e00c00c1e01\t\t8");
    // Nobody sees what was hidden unless the user asks for it.
    for view in [&["-V", "-x"][..], &["-P"], &["-T", "json"], &["-P", "-V", "-x", "-T", "json"]] {
        let output = tool(&[view, &["--secrets", SECRETS, CAPTURE]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        for secret in ["remote-end", "72656d6f7465", "72 65 6d 6f 74 65", "digest-s3cret"] {
            assert!(!text.contains(secret), "{view:?} has {secret}");
        }
    }
    // Without the secret they stay closed.
    let output = tool(&[&["-T", "fields"], &request[..], &[CAPTURE]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "");
}

#[test]
fn packets_say_whether_their_digest_holds() {
    let frames = |filter| fields(&["-Y", filter, "-e", "frame.number"]).lines().count();
    assert_eq!((frames("l2tp.correct_digest"), frames("l2tp.incorrect_digest")), (36, 0));
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("secrets.toml");
    std::fs::write(&wrong, WRONG).unwrap();
    let output = tool(&[
        "--secrets",
        wrong.to_str().unwrap(),
        "-T",
        "fields",
        "-Y",
        "l2tp.incorrect_digest",
        "-e",
        "frame.number",
        CAPTURE,
    ]);
    let numbers = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u32> = numbers.lines().map(|line| line.parse().unwrap()).collect();
    // All but data, and what holds without a secret.
    let expected: Vec<u32> = (1..=38).filter(|number| !matches!(number, 17 | 18 | 23..=30)).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn the_report_says_what_each_end_proved() {
    let output = tool(&["--secrets", SECRETS, "-T", "json", CAPTURE]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let connections = report["captures"][0]["control_connections"].as_array().unwrap();
    let proofs: Vec<_> =
        connections.iter().map(|connection| connection["lac"]["proof"].as_str().unwrap()).collect();
    assert_eq!(proofs, ["proved", "proved", "intact", "proved"]);
}

/// Of L2TPv2 it is the Challenge Response that proves the secret.
#[test]
fn a_challenge_response_is_such_a_proof_too() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/captures/l2tp-plain/tunnel-auth/outer.pcap");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secrets.toml");
    for (secret, proof) in [("tunnel-s3cret", "proved"), ("another", "wrong-secret")] {
        std::fs::write(&file, format!("[[tunnel]]\nsecret = \"{secret}\"\n")).unwrap();
        let output = tool(&["--secrets", file.to_str().unwrap(), "-T", "json", capture]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let connection = &report["captures"][0]["control_connections"][0];
        for end in ["lac", "lns"] {
            assert_eq!(connection[end]["proof"], proof, "{end}");
        }
    }
}

/// A capture that lacks packets accuses nobody with certainty.
#[test]
fn missing_packets_make_nothing_certain() {
    for missing in 0..38 {
        for others in 0..4 {
            let mut talk = capture();
            let mut at = 0;
            talk.frames.retain(|_| {
                at += 1;
                at - 1 != missing && (others == 0 || at % (others + 4) != 0)
            });
            assert_accuses_nobody(&talk.judge_told(RIGHT));
        }
    }
}
