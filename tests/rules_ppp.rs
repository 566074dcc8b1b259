//! Rules on PPP inside calls: each is raised by one session that breaks it, and not by one that nearly does.

mod common;

use common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

const LCP: u16 = 0xc021;
const CHAP: u16 = 0xc223;
const IPCP: u16 = 0x8021;

const REQUEST: u8 = 1;
const ACK: u8 = 2;
const NAK: u8 = 3;

/// A packet of a control protocol: code, identifier, and what follows the length.
fn control(protocol: u16, code: u8, identifier: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff, 3];
    out.extend(protocol.to_be_bytes());
    out.extend([code, identifier]);
    out.extend((4 + rest.len() as u16).to_be_bytes());
    out.extend(rest);
    out
}

fn call() -> Talk {
    let mut talk = Talk::default();
    talk.tunnel().call();
    talk
}

const MRU: &[u8] = &[1, 4, 5, 0x78];
const MS_CHAP: &[u8] = &[3, 5, 0xc2, 0x23, 0x81];

/// LCP comes up; the LNS demands authentication if `demand` is its option.
fn lcp(talk: &mut Talk, demand: &[u8]) {
    talk.data(LAC, &control(LCP, REQUEST, 1, MRU)).data(LNS, &control(LCP, REQUEST, 1, demand));
    talk.data(LNS, &control(LCP, ACK, 1, MRU)).data(LAC, &control(LCP, ACK, 1, demand));
}

fn up(demand: &[u8]) -> Talk {
    let mut talk = call();
    lcp(&mut talk, demand);
    talk
}

#[test]
fn echoes_without_a_reply() {
    let echoes = |answered: bool| {
        let mut talk = up(MRU);
        for identifier in 0..5 {
            talk.wait(10_000).data(LNS, &control(LCP, 9, identifier, &[0; 4]));
            if answered {
                talk.data(LAC, &control(LCP, 10, identifier, &[0; 4]));
            }
        }
        talk.judge()
    };
    echoes(false).assert_raises("ppp-echo-unanswered", Error, Certain);
    echoes(true).assert_quiet("ppp-echo-unanswered");
    // Near miss: two are no proof.
    let mut talk = up(MRU);
    talk.data(LNS, &control(LCP, 9, 1, &[0; 4])).data(LNS, &control(LCP, 9, 2, &[0; 4]));
    talk.judge().assert_quiet("ppp-echo-unanswered");
}

#[test]
fn what_a_peer_refuses() {
    let mut talk = up(MRU);
    talk.data(LNS, &control(LCP, 8, 1, &[0x80, 0xfd, 1, 1, 0, 4]));
    talk.judge().assert_raises("ppp-protocol-reject", Note, Certain);
    let mut talk = up(MRU);
    talk.data(LNS, &control(LCP, 8, 1, &[0x80, 0x21, 1, 1, 0, 4]));
    talk.judge().assert_raises("ppp-protocol-reject", Warning, Certain);
    let mut talk = up(MRU);
    talk.data(LNS, &control(LCP, 7, 1, &[2, 1, 0, 4])).judge().assert_raises(
        "ppp-code-reject",
        Error,
        Certain,
    );
    // Near misses: an extension is rejected, nothing is.
    let mut talk = up(MRU);
    talk.data(LNS, &control(LCP, 7, 1, &[12, 1, 0, 4])).judge().assert_quiet("ppp-code-reject");
    up(MRU).judge().assert_quiet("ppp-protocol-reject");
}

#[test]
fn ends_with_a_reason() {
    let ended = |reason: &[u8]| {
        let mut talk = up(MRU);
        talk.data(LNS, &control(LCP, 5, 2, reason)).judge()
    };
    ended(b"out of memory").assert_raises("ppp-terminated", Note, Certain);
    ended(b"User request").assert_quiet("ppp-terminated");
    ended(b"").assert_quiet("ppp-terminated");
}

#[test]
fn phases_out_of_order() {
    let early = |pause: i64| {
        let mut talk = call();
        talk.data(LAC, &control(LCP, REQUEST, 1, MRU)).data(LNS, &control(LCP, REQUEST, 1, MRU));
        for identifier in 0..4 {
            talk.wait(pause).data(LAC, &control(IPCP, REQUEST, identifier, &[]));
        }
        talk.judge()
    };
    early(1000).assert_raises("ppp-data-before-opened", Error, Possible);
    early(50).assert_quiet("ppp-data-before-opened");
    let before = |authenticated: bool| {
        let mut talk = up(MS_CHAP);
        if authenticated {
            talk.data(LNS, &control(CHAP, 1, 1, &[16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
            talk.data(LAC, &control(CHAP, 2, 1, &[&[49][..], &[0; 49], b"alice"].concat()));
            talk.data(LNS, &control(CHAP, 3, 1, b"welcome"));
        }
        for identifier in 0..4 {
            talk.wait(1000).data(LAC, &control(IPCP, REQUEST, identifier, &[]));
        }
        talk.judge()
    };
    before(false).assert_raises("ppp-ncp-before-auth", Error, Possible);
    before(true).assert_quiet("ppp-ncp-before-auth");
}

#[test]
fn negotiations_and_challenges_that_lead_nowhere() {
    let refused = |naks: u8| {
        let mut talk = call();
        for identifier in 0..naks {
            talk.wait(100).data(LAC, &control(LCP, REQUEST, identifier, MRU));
            talk.data(LNS, &control(LCP, NAK, identifier, &[1, 4, 5, 0xdc]));
        }
        talk.judge()
    };
    refused(12).assert_raises("ppp-lcp-loop", Error, Certain);
    refused(9).assert_quiet("ppp-lcp-loop");
    let challenged = |times: u8| {
        let mut talk = up(MS_CHAP);
        for identifier in 0..times {
            talk.wait(3000).data(LNS, &control(CHAP, 1, identifier, &[[16].as_slice(), &[7; 16]].concat()));
        }
        talk.judge()
    };
    challenged(4).assert_raises("ppp-auth-no-answer", Error, Certain);
    challenged(2).assert_quiet("ppp-auth-no-answer");
}

#[test]
fn users_who_are_let_in_and_get_no_network() {
    let session = |network: bool| {
        let mut talk = up(MS_CHAP);
        talk.data(LNS, &control(CHAP, 1, 1, &[[16].as_slice(), &[7; 16]].concat()));
        talk.data(LAC, &control(CHAP, 2, 1, &[&[49][..], &[0; 49], b"alice"].concat()));
        talk.data(LNS, &control(CHAP, 3, 1, b"welcome"));
        talk.data(LAC, &control(IPCP, REQUEST, 1, &[])).data(LNS, &control(IPCP, REQUEST, 1, &[]));
        if network {
            talk.data(LAC, &control(IPCP, ACK, 1, &[])).data(LNS, &control(IPCP, ACK, 1, &[]));
        }
        talk.close().judge()
    };
    session(false).assert_raises("ppp-no-ncp", Error, Possible);
    session(true).assert_quiet("ppp-no-ncp");
}
