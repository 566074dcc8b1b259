//! Rules on the end of control connections under IPsec: each is raised by one conversation, and not by another that nearly
//! breaks it.

use crate::common::wire::*;
use crate::common::*;
use l2tp_inspect::analysis::CallId;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

/// After IKE agreed, a conversation under ESP whose keys are known.
fn secured(talk: &Talk) -> Wire {
    let mut wire = Wire { keys: proven::keys(), ..Wire::default() };
    agreed(&mut wire);
    let start = wire.now;
    let mut sequences = [0, 0];
    for (time, frame) in &talk.frames {
        let from = usize::from(frame[12..16] == B);
        sequences[from] += 1;
        wire.now = start + time;
        proven::send(&mut wire, from, sequences[from], &frame[20..], &[1, 2, 3]);
    }
    wire
}

fn between() -> Talk {
    Talk { addresses: [A, B], ..Talk::default() }
}

#[test]
fn sas_that_stay() {
    let mut talk = between();
    talk.tunnel().call().chat(2).close();
    let last = |wire: &mut Wire| {
        wire.wait(70_000).udp((A, 5000), (B, 53), b"the capture goes on");
    };
    let mut wire = secured(&talk);
    last(&mut wire);
    wire.judge().assert_raises("ike-sa-left-after-stopccn", Note, Possible);
    // Near miss: an encrypted message of IKE, which may be the Delete.
    let mut wire = secured(&talk);
    wire.wait(100).ike(0, &sealed(5, 99, 8));
    last(&mut wire);
    wire.judge().assert_quiet("ike-sa-left-after-stopccn");
    // Near miss: the capture ends soon.
    secured(&talk).judge().assert_quiet("ike-sa-left-after-stopccn");
    // Near miss: a second tunnel uses the SAs.
    let mut second = between();
    second.tunnel().call().chat(2).close();
    second.wait(40_000).tunnel();
    let mut wire = secured(&second);
    last(&mut wire);
    wire.judge().assert_quiet("ike-sa-left-after-stopccn");
}

#[test]
fn try_another() {
    let refused = |text: &str| {
        let mut talk = between();
        talk.send(LAC, SCCRQ);
        let result = [&[0, 2, 0, 7][..], text.as_bytes()].concat();
        let body = [avp(0, &STOPCCN.to_be_bytes()), avp(9, &7u16.to_be_bytes()), avp(1, &result)].concat();
        talk.send_with(LNS, STOPCCN, 0, &body).zlb(LAC);
        let mut wire = secured(&talk);
        wire.wait(70_000).udp((A, 5000), (B, 53), b"the capture goes on");
        wire
    };
    let judged = refused("go to 198.51.100.2").judge();
    judged.assert_raises("sec-try-another-bad", Warning, Certain);
    refused("").judge().assert_raises("sec-try-another-bad", Warning, Certain);
    refused("198.51.100.2").judge().assert_raises("sec-try-another-bad", Warning, Possible);
    // Near miss: the initiator goes there, under an SA without a key.
    let mut wire = refused("198.51.100.2");
    wire.esp(A, [198, 51, 100, 2], 0x3000, 1).judge().assert_quiet("sec-try-another-bad");
}

/// The conversation under ESP as a gateway's capture shows it: what comes from A once more, decrypted, `later` behind.
fn half_view(talk: &Talk, keys: bool, later: i64) -> Judged {
    let mut wire = secured(talk);
    if !keys {
        wire.keys = String::new();
    }
    let start = wire.now - talk.frames.last().map_or(0, |frame| frame.0) - 10;
    for (time, frame) in talk.frames.iter().filter(|(_, frame)| frame[12..16] == A) {
        wire.frames.push((start + time + later, frame.clone()));
    }
    wire.frames.sort_by_key(|frame| frame.0);
    wire.judge()
}

#[test]
fn a_gateway_that_shows_what_it_decrypted() {
    const RULE: &str = "cap-xfrm-view";
    let mut talk = between();
    talk.tunnel().call().chat(5).close();
    let judged = half_view(&talk, true, 1);
    judged.assert_raises(RULE, Note, Certain);
    judged.assert_all_quiet(&["sec-l2tp-in-clear", "sec-leak-with-sa", "seq-duplicate"]);
    assert_eq!(judged.analysis.call(CallId(0)).unwrap().data.each_ref().map(|data| data.packets), [5, 5]);
    // Without a key it is likely.
    let judged = half_view(&talk, false, 1);
    judged.assert_raises(RULE, Note, Possible);
    judged.assert_all_quiet(&["sec-l2tp-in-clear", "sec-leak-with-sa", "cap-one-way"]);
    // Near miss: too late to be a kernel's copy, so it did run in the clear.
    for keys in [true, false] {
        let judged = half_view(&talk, keys, 4);
        judged.assert_quiet(RULE);
        judged.assert_raises("sec-l2tp-in-clear", Warning, Possible);
    }
    half_view(&talk, false, 4).assert_raises("sec-leak-with-sa", Error, Possible);
    // Near miss: under ESP alone.
    secured(&talk).judge().assert_all_quiet(&[RULE, "sec-l2tp-in-clear", "key-unused"]);
}
