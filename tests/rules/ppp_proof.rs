//! Rules on what PPP authentication proves: each is raised by one session that breaks it, and not by one that nearly does.

use crate::common::ppp::*;
use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};
use md5::{Digest, Md5};

const RESPONSE_WRONG: &str = "ppp-auth-response-wrong";
const SUCCESS_WRONG: &str = "ppp-auth-success-wrong";

const USERS: &str = "[[user]]\nname = \"alice\"\npassword = \"wonderland\"\n[[user]]\nname = \"bob\"\npassword = \"builder\"\n\
     [[user]]\nname = \"User\"\npassword = \"clientPass\"\n";

fn digest(identifier: u8, password: &str, challenge: &[u8]) -> Vec<u8> {
    Md5::digest([&[identifier], password.as_bytes(), challenge].concat()).to_vec()
}

const CHALLENGE: &[u8] = b"a challenge of twenty";

/// CHAP with MD5: the LNS asks, and the LAC answers with this password.
fn md5(name: &str, password: &str) -> Talk {
    let mut talk = call();
    talk.data(LNS, &packet(CHAP, 1, 7, &value(CHALLENGE, "lns")));
    talk.data(LAC, &packet(CHAP, 2, 7, &value(&digest(7, password, CHALLENGE), name)));
    talk
}

#[test]
fn a_response_of_another_password() {
    let end = |name: &str, password: &str, code: Option<u8>| {
        let mut talk = md5(name, password);
        if let Some(code) = code {
            talk.data(LNS, &packet(CHAP, code, 7, b"so it is"));
        }
        talk.judge_told(USERS)
    };
    let (success, failure) = (Some(3), Some(4));
    let judged = end("alice", "looking-glass", failure);
    let found = judged.assert_raises(RESPONSE_WRONG, Error, Certain);
    assert_eq!(found.packets.len(), 2);
    let refused = judged.finding("ppp-auth-failed").expect("a refusal");
    assert!(refused.seen.contains("the Response is not that of the password that was given"), "{refused:?}");
    assert!(judged.diagnosis.sentence.contains("is not that of the password"), "{:?}", judged.diagnosis);
    // Who accepts it knows better than the file.
    end("alice", "looking-glass", success).assert_raises(RESPONSE_WRONG, Note, Possible);
    end("alice", "looking-glass", None).assert_raises(RESPONSE_WRONG, Warning, Possible);
    // Near misses: the password is right, or none was given for the name.
    for outcome in [success, failure, None] {
        end("alice", "wonderland", outcome).assert_quiet(RESPONSE_WRONG);
        end("carol", "looking-glass", outcome).assert_quiet(RESPONSE_WRONG);
    }
    let judged = end("alice", "wonderland", failure);
    let refused = judged.finding("ppp-auth-failed").expect("a refusal");
    assert!(refused.seen.contains("the LAC 192.0.2.10 proved the password"), "{refused:?}");
    assert!(judged.diagnosis.sentence.contains("proved the password"), "{:?}", judged.diagnosis);
    // The password of another user.
    let judged = end("alice", "builder", failure);
    assert!(judged.assert_raises(RESPONSE_WRONG, Error, Certain).title.contains("\"bob\""));
    end("carol", "builder", failure).assert_raises(RESPONSE_WRONG, Error, Certain);
    end("carol", "builder", success).assert_quiet(RESPONSE_WRONG);
    // Without passwords nothing is said.
    md5("alice", "looking-glass").judge().assert_quiet(RESPONSE_WRONG);
}

#[test]
fn only_a_challenge_that_was_seen() {
    let answer =
        |identifier: u8| packet(CHAP, 2, identifier, &value(&digest(7, "wrong", CHALLENGE), "alice"));
    let ask = |identifier: u8, challenge: &[u8]| packet(CHAP, 1, identifier, &value(challenge, "lns"));
    // The capture began later; the Challenge has another Identifier; the same end sent both.
    let mut late = call();
    late.data(LAC, &answer(7)).judge_told(USERS).assert_quiet(RESPONSE_WRONG);
    let mut other = call();
    other.data(LNS, &ask(6, CHALLENGE)).data(LAC, &answer(7)).judge_told(USERS).assert_quiet(RESPONSE_WRONG);
    let mut own = call();
    own.data(LAC, &ask(7, CHALLENGE)).data(LAC, &answer(7)).judge_told(USERS).assert_quiet(RESPONSE_WRONG);
    // A Challenge that is repeated is one.
    let mut again = call();
    again.data(LNS, &ask(7, CHALLENGE)).data(LNS, &ask(7, CHALLENGE)).data(LAC, &answer(7));
    again.judge_told(USERS).assert_raises(RESPONSE_WRONG, Warning, Possible);
    // Two with one Identifier: which of them it answers is not known.
    let mut two = call();
    two.data(LNS, &ask(7, CHALLENGE)).data(LNS, &ask(7, b"another")).data(LAC, &answer(7));
    two.judge_told(USERS).assert_quiet(RESPONSE_WRONG);
    // One that was decided is answered no more.
    let mut decided = call();
    decided.data(LNS, &ask(7, b"another")).data(LAC, &answer(7)).data(LNS, &packet(CHAP, 4, 7, b""));
    decided.data(LNS, &ask(7, CHALLENGE));
    let right = packet(CHAP, 2, 7, &value(&digest(7, "wonderland", CHALLENGE), "alice"));
    decided
        .data(LAC, &right)
        .data(LNS, &packet(CHAP, 3, 7, b""))
        .judge_told(USERS)
        .assert_quiet(RESPONSE_WRONG);
    // LCP agreed on another algorithm than the sizes say.
    let mut mixed = call();
    let demand = [3, 5, 0xc2, 0x23, 0x80];
    mixed.data(LNS, &packet(0xc021, 1, 1, &demand)).data(LAC, &packet(0xc021, 2, 1, &demand));
    mixed.data(LNS, &ask(7, CHALLENGE)).data(LAC, &answer(7)).judge_told(USERS).assert_quiet(RESPONSE_WRONG);
}

/// RFC 2759 section 9.2.
const SERVER: &[u8] = b"\x5b\x5d\x7c\x7d\x7b\x3f\x2f\x3e\x3c\x2c\x60\x21\x32\x26\x26\x28";
const PEER: &[u8] = b"\x21\x40\x23\x24\x25\x5e\x26\x2a\x28\x29\x5f\x2b\x3a\x33\x7c\x7e";
const NT: &[u8] =
    b"\x82\x30\x9e\xcd\x8d\x70\x8b\x5e\xa0\x8f\xaa\x39\x81\xcd\x83\x54\x42\x33\x11\x4a\x3d\x85\xd6\xdf";
const PROOF: &str = "S=407A5589115FD0D6209F510FE9C04566932CDA56";

fn second(identifier: u8, nt: &[u8], name: &str) -> Vec<u8> {
    packet(CHAP, 2, identifier, &value(&[PEER, &[0; 8], nt, &[0]].concat(), name))
}

#[test]
fn a_server_that_does_not_know_the_password() {
    let end = |name: &str, success: &str| {
        let mut talk = call();
        talk.data(LNS, &packet(CHAP, 1, 9, &value(SERVER, "lns"))).data(LAC, &second(9, NT, name));
        talk.data(LNS, &packet(CHAP, 3, 9, success.as_bytes()));
        talk
    };
    let judge = |name: &str, success: &str| end(name, success).judge_told(USERS);
    let wrong = PROOF.replace("CDA56", "CDA57");
    let judged = judge("User", &wrong);
    let found = judged.assert_raises(SUCCESS_WRONG, Error, Certain);
    assert_eq!((found.end, found.packets.len()), (Some(LNS as u8), 2));
    judge("User", "M=Welcome").assert_raises(SUCCESS_WRONG, Error, Certain);
    // Near misses: it is right, with domain or without; the capture cut it; the response is wrong itself.
    for name in ["User", "BIGCO\\User"] {
        let judged = judge(name, &format!("{PROOF} M=Welcome"));
        judged.assert_quiet(SUCCESS_WRONG);
        judged.assert_quiet(RESPONSE_WRONG);
    }
    end("User", &wrong).judge_told_cut(USERS, Some(200)).assert_raises(SUCCESS_WRONG, Error, Certain);
    let mut cut = end("User", &wrong);
    cut.frames.last_mut().expect("a Success").1.truncate(70);
    cut.judge_told_cut(USERS, Some(200)).assert_quiet(SUCCESS_WRONG);
    let other = USERS.replace("clientPass", "other");
    let judged = end("User", &wrong).judge_told(&other);
    judged.assert_quiet(SUCCESS_WRONG);
    judged.assert_raises(RESPONSE_WRONG, Note, Possible);
}

#[test]
fn names_in_another_form() {
    // The response of "User" under a name that only differs in case.
    let mut talk = call();
    talk.data(LNS, &packet(CHAP, 1, 9, &value(SERVER, "lns"))).data(LAC, &second(9, NT, "USER"));
    talk.data(LNS, &packet(CHAP, 4, 9, b"E=691 R=0 C=00000000000000000000000000000000 V=3 M=no"));
    let judged = talk.judge_told(USERS);
    let found = judged.assert_raises(RESPONSE_WRONG, Error, Certain);
    assert!(found.seen.contains("with the name \"User\" where \"USER\" is due"), "{found:?}");
    // A name that the capture cut is no other form of it.
    for cut in [1, 2, 3] {
        let mut talk = call();
        talk.data(LNS, &packet(CHAP, 1, 9, &value(SERVER, "lns"))).data(LAC, &second(9, NT, "User"));
        let response = &mut talk.frames.last_mut().expect("a Response").1;
        response.truncate(response.len() - cut);
        let users = "[[user]]\nname = \"U\"\npassword = \"x\"\n[[user]]\nname = \"Us\"\npassword = \"x\"\n\
                     [[user]]\nname = \"Use\"\npassword = \"x\"\n";
        talk.judge_told_cut(users, Some(200)).assert_quiet(RESPONSE_WRONG);
    }
}

#[test]
fn a_retry_answers_the_challenge_of_the_failure() {
    let hex: String = SERVER.iter().map(|octet| format!("{octet:02X}")).collect();
    let retry = |nt: &[u8]| {
        let mut talk = call();
        talk.data(LNS, &packet(CHAP, 1, 9, &value(&[1; 16], "lns"))).data(LAC, &second(9, &[7; 24], "User"));
        talk.data(LNS, &packet(CHAP, 4, 9, format!("E=691 R=1 C={hex} V=3 M=again").as_bytes()));
        talk.data(LAC, &second(10, nt, "User"));
        talk
    };
    retry(NT)
        .data(LNS, &packet(CHAP, 3, 10, PROOF.as_bytes()))
        .judge_told(USERS)
        .assert_quiet(RESPONSE_WRONG);
    retry(&[8; 24]).data(LNS, &packet(CHAP, 4, 10, b"E=691 R=0")).judge_told(USERS).assert_raises(
        RESPONSE_WRONG,
        Error,
        Certain,
    );
}

#[test]
fn passwords_in_the_clear() {
    let pap = |name: &str, password: &str, code: u8| {
        let mut talk = call();
        pap(&mut talk, name, password, code);
        talk
    };
    let judged = pap("alice", "looking-glass", 3).judge_told(USERS);
    let found = judged.assert_raises(RESPONSE_WRONG, Error, Certain);
    assert!(found.seen.contains("the password of the LAC 192.0.2.10 is not"), "{found:?}");
    assert_eq!(found.section, "RFC 1334 2.2.2");
    pap("alice", "looking-glass", 2).judge_told(USERS).assert_raises(RESPONSE_WRONG, Note, Possible);
    pap("alice", "wonderland", 3).judge_told(USERS).assert_quiet(RESPONSE_WRONG);
    // The capture cut the password.
    let mut cut = pap("alice", "wonderland", 3);
    let request = cut.frames.len() - 2;
    cut.frames[request].1.truncate(28 + 6 + 4 + 4 + 6 + 4);
    cut.judge_told_cut(USERS, Some(200)).assert_quiet(RESPONSE_WRONG);
}

#[test]
fn md5_in_eap() {
    let eap = |identity: bool, password: &str| {
        let mut talk = call();
        if identity {
            talk.data(LNS, &packet(EAP, 1, 3, &[1])).data(LAC, &packet(EAP, 2, 3, b"\x01alice"));
        }
        talk.data(LNS, &packet(EAP, 1, 4, &[&[4], &value(CHALLENGE, "")[..]].concat()));
        talk.data(LAC, &packet(EAP, 2, 4, &[&[4], &value(&digest(4, password, CHALLENGE), "")[..]].concat()));
        talk.data(LNS, &packet(EAP, 4, 4, b""));
        talk.judge_told(USERS)
    };
    eap(true, "looking-glass").assert_raises(RESPONSE_WRONG, Error, Certain);
    eap(true, "wonderland").assert_quiet(RESPONSE_WRONG);
    // Whose password it should be is not in the capture.
    eap(false, "looking-glass").assert_quiet(RESPONSE_WRONG);
}
