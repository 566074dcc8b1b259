//! Rules on headers that end or begin wrongly, and on other versions: each is raised by one packet, and not by another that
//! nearly breaks it.

use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note};

/// What a tunnel raises in which the LAC sends this datagram.
fn sent(payload: &[u8]) -> Judged {
    let mut talk = Talk::default();
    talk.tunnel().datagram(LAC, payload);
    talk.judge()
}

/// What the datagram raises alone.
fn alone(payload: &[u8]) -> Judged {
    let mut talk = Talk::default();
    talk.datagram(LAC, payload);
    talk.judge()
}

/// A Hello whose Length field says so much.
fn hello(length: u16) -> Vec<u8> {
    let mut out = vec![0xc8, 2];
    out.extend(length.to_be_bytes());
    out.extend([0, 9, 0, 0, 0, 2, 0, 1]);
    out.extend(avp(0, &HELLO.to_be_bytes()));
    out
}

#[test]
fn lengths_that_do_not_fit() {
    let found = sent(&hello(32));
    let found = found.assert_raises("hdr-length-too-big", Error, Certain);
    assert!(found.seen.contains("12 octets short") && found.packets == [5], "{found:#?}");
    sent(&hello(20)).assert_all_quiet(&["hdr-length-too-big", "hdr-length-too-small"]);
    // Near miss: the capture cut it.
    let mut talk = Talk::default();
    talk.tunnel().datagram(LAC, &hello(20));
    let message = &mut talk.frames.last_mut().expect("a Hello").1;
    message.truncate(message.len() - 4);
    talk.judge_cut(48).assert_quiet("hdr-length-too-big");
    for length in [3, 8, 11] {
        sent(&hello(length)).assert_raises("hdr-length-too-small", Error, Certain);
        alone(&hello(length)).assert_raises("hdr-length-too-small", Error, Possible);
    }
    // Near misses: a ZLB has nothing behind its header; a datagram that is too short has no Length to blame.
    sent(&hello(12)).assert_quiet("hdr-length-too-small");
    sent(&hello(20)[..7]).assert_quiet("hdr-length-too-small");
    // Data, whose header is shorter.
    sent(&[0x40, 2, 0, 7, 0, 9, 0, 22]).assert_raises("hdr-length-too-small", Error, Certain);
    sent(&[0x40, 2, 0, 8, 0, 9, 0, 22]).assert_quiet("hdr-length-too-small");
}

#[test]
fn offsets_that_do_not_fit() {
    let data = |offset: u8| [&[2, 2, 0, 9, 0, 22, 0, offset][..], IP].concat();
    sent(&data(200)).assert_raises("hdr-offset-too-big", Error, Certain);
    sent(&data(2)).assert_quiet("hdr-offset-too-big");
    sent(&data(0)).assert_quiet("hdr-offset-too-big");
}

#[test]
fn versions() {
    let version = |octet: u8| [&[0xc8, octet][..], &hello(20)[2..]].concat();
    for octet in [0, 4, 15] {
        sent(&version(octet)).assert_raises("hdr-version-unknown", Error, Certain);
        // Near miss: without a control connection it is no L2TP.
        alone(&version(octet)).assert_quiet("hdr-version-unknown");
    }
    sent(&version(2)).assert_quiet("hdr-version-unknown");
    // RFC 2341 section 4.2: protocol, sequence, MID, CLID, length, and four octets of payload.
    let l2f = |length: u8| [&[0x10, 1, 1, 7, 0, 1, 0, 2, 0, length][..], &[1, 2, 3, 4]].concat();
    sent(&l2f(14)).assert_raises("hdr-version-l2f", Note, Certain);
    alone(&l2f(14)).assert_raises("hdr-version-l2f", Note, Possible);
    // Near miss: the version is that of L2F, and the header is none.
    sent(&l2f(3)).assert_all_quiet(&["hdr-version-l2f", "hdr-version-unknown"]);
    sent(&version(2)).assert_quiet("hdr-version-l2f");
}
