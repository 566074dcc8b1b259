//! Rules on the end of control connections under IPsec: each is raised by one conversation, and not by another that nearly
//! breaks it.

mod common;

use common::wire::*;
use common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Note, Warning};

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
