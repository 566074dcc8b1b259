//! Rules on numbers, order and ends: each is raised by one conversation that breaks it, and not by one that nearly does.

use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};
use md5::{Digest, Md5};

fn up() -> Talk {
    let mut talk = Talk::default();
    talk.tunnel().call();
    talk
}

fn body(message: u16, avps: &[Vec<u8>]) -> Vec<u8> {
    [vec![avp(0, &message.to_be_bytes())], avps.to_vec()].concat().concat()
}

#[test]
fn first_numbers() {
    let mut talk = Talk::default();
    talk.ns[LAC] = 5;
    talk.nr[LNS] = 5;
    talk.tunnel().judge().assert_raises("seq-first-ns-nonzero", Error, Certain);
    // Near miss: the capture began later.
    let mut talk = up();
    talk.frames.drain(..2);
    talk.chat(1).judge().assert_quiet("seq-first-ns-nonzero");
}

#[test]
fn late_messages() {
    let mut talk = up();
    talk.ns[LAC] += 1;
    talk.send(LAC, HELLO);
    talk.ns[LAC] -= 2;
    talk.send(LAC, HELLO).judge().assert_raises("seq-out-of-order", Note, Certain);
    up().chat(2).judge().assert_quiet("seq-out-of-order");
}

#[test]
fn two_messages_under_one_number() {
    let mut talk = up();
    talk.send(LAC, HELLO).wait(1000);
    talk.ns[LAC] -= 1;
    talk.send(LAC, CDN).zlb(LNS).judge().assert_raises("seq-duplicate-different", Error, Certain);
    // Near miss: the same message again, acknowledged or not.
    let mut talk = up();
    talk.send(LAC, HELLO).wait(1000);
    talk.ns[LAC] -= 1;
    talk.send(LAC, HELLO).zlb(LNS).judge().assert_quiet("seq-duplicate-different");
}

#[test]
fn zlbs() {
    let mut talk = up();
    for _ in 0..2 {
        talk.zlb(LAC);
        talk.ns[LAC] += 1;
        talk.send(LAC, HELLO);
    }
    talk.judge().assert_raises("seq-zlb-advances-ns", Error, Possible);
    let mut talk = up();
    for _ in 0..2 {
        talk.zlb(LAC).send(LAC, HELLO).zlb(LNS);
    }
    talk.judge().assert_quiet("seq-zlb-advances-ns");
    let mut talk = up();
    talk.wait(2000);
    talk.ns[LAC] -= 1;
    talk.zlb(LAC).judge().assert_raises("seq-zlb-ns-wrong", Warning, Possible);
    // Near miss: reordered, right behind the message.
    let mut talk = up();
    talk.ns[LAC] -= 1;
    talk.zlb(LAC).judge().assert_quiet("seq-zlb-ns-wrong");
}

#[test]
fn acknowledgements_that_go_back() {
    let mut talk = up();
    talk.wait(2000);
    talk.nr[LAC] -= 1;
    talk.send(LAC, HELLO).zlb(LNS).judge().assert_raises("seq-nr-backwards", Warning, Possible);
    let mut talk = up();
    talk.nr[LAC] -= 1;
    talk.send(LAC, HELLO).zlb(LNS).judge().assert_quiet("seq-nr-backwards");
    // A resend with the Nr of its first copy, although more was acknowledged meanwhile.
    let resend = |stale: bool| {
        let mut talk = up();
        talk.in_vain(LAC, HELLO, &[]).send(LNS, HELLO).zlb(LAC).wait(2000);
        talk.ns[LAC] -= 1;
        talk.nr[LAC] -= u16::from(stale);
        talk.send(LAC, HELLO).judge()
    };
    resend(true).assert_raises("seq-retransmit-stale-nr", Warning, Possible);
    resend(false).assert_quiet("seq-retransmit-stale-nr");
}

#[test]
fn the_window_of_the_peer() {
    // So many, with so many milliseconds between.
    let hellos = |count: usize, pause: i64| {
        let mut talk = up();
        for _ in 0..count {
            talk.in_vain(LAC, HELLO, &[]).wait(pause - 5);
        }
        talk.judge()
    };
    // Within less than a round trip no acknowledgement can have come.
    hellos(5, 0).assert_raises("seq-window-exceeded", Error, Possible);
    hellos(4, 0).assert_quiet("seq-window-exceeded");
    // Later one acknowledgement may be missing in the capture, but not two.
    hellos(9, 20).assert_raises("seq-window-exceeded", Error, Possible);
    hellos(5, 20).assert_quiet("seq-window-exceeded");
}

#[test]
fn when_messages_are_acknowledged_and_resent() {
    let mut talk = up();
    talk.send(LAC, HELLO).wait(1500).zlb(LNS).judge().assert_raises("seq-ack-delayed", Note, Possible);
    let mut talk = up();
    for _ in 0..6 {
        talk.send(LAC, HELLO).wait(1500).zlb(LNS);
    }
    talk.judge().assert_raises("seq-ack-delayed", Warning, Possible);
    // A long path is no fault of the LNS.
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).wait(1400).send(LNS, SCCRP).send(LAC, SCCCN).wait(1400).zlb(LNS);
    for _ in 0..6 {
        talk.send(LAC, HELLO).wait(1400).zlb(LNS);
    }
    talk.judge().assert_quiet("seq-ack-delayed");
    up().send(LAC, HELLO).wait(500).zlb(LNS).judge().assert_quiet("seq-ack-delayed");
    let resent = |pauses: &[i64]| {
        let mut talk = up();
        talk.in_vain(LAC, HELLO, pauses).judge()
    };
    resent(&[1000, 1000, 1000]).assert_raises("seq-retransmit-backoff", Warning, Certain);
    resent(&[1000, 2000, 4000]).assert_quiet("seq-retransmit-backoff");
    resent(&[1000, 2000, 4000, 4000, 4000]).assert_raises("seq-retransmit-cap-low", Warning, Certain);
    resent(&[1000, 2000, 4000, 8000, 8000, 8000]).assert_quiet("seq-retransmit-cap-low");
    resent(&[300]).assert_raises("seq-retransmit-too-early", Note, Certain);
    resent(&[700]).assert_quiet("seq-retransmit-too-early");
    // The clock of the capture went back: nothing is said about times.
    let mut talk = up();
    talk.in_vain(LAC, HELLO, &[1000, 1000, 1000]).wait(-60_000);
    talk.send(LNS, HELLO).judge().assert_quiet("seq-retransmit-backoff");
}

#[test]
fn copies_of_what_was_acknowledged() {
    let copies = |answered: bool| {
        let mut talk = up();
        talk.send(LAC, HELLO).zlb(LNS);
        for _ in 0..3 {
            talk.wait(1000);
            talk.ns[LAC] -= 1;
            talk.send(LAC, HELLO);
            if answered {
                talk.zlb(LNS);
            }
        }
        talk.judge()
    };
    let unanswered = copies(false);
    unanswered.assert_raises("seq-duplicate-not-acked", Note, Possible);
    unanswered.assert_raises("seq-retransmit-after-ack", Note, Certain);
    copies(true).assert_quiet("seq-duplicate-not-acked");
    up().chat(1).judge().assert_quiet("seq-retransmit-after-ack");
}

#[test]
fn set_up_out_of_order() {
    // SCCCN right behind the SCCRQ: the RFC's own example of an invalid message.
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LAC, SCCCN).zlb(LNS).judge().assert_raises(
        "tun-scccn-unexpected",
        Error,
        Certain,
    );
    // Near miss: it acknowledges an SCCRP that the capture lacks.
    let mut talk = Talk::default();
    let judged = talk.send(LAC, SCCRQ).unseen(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS).judge();
    assert!(judged.finding("tun-scccn-unexpected").is_none_or(|found| found.unsure.is_some()));
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LNS, SCCRP).send(LNS, SCCRP);
    talk.judge().assert_raises("tun-sccrp-unexpected", Error, Certain);
    let mut talk = up();
    talk.send(LAC, SCCCN).judge().assert_raises("tun-sccrq-in-established", Error, Certain);
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LNS, SCCRP).send(LAC, HELLO);
    talk.judge().assert_raises("hello-before-established", Error, Certain);
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LNS, SCCRP).send(LAC, ICRQ);
    talk.judge().assert_raises("tun-message-before-established", Error, Certain);
    let orderly = up().judge();
    orderly.assert_all_quiet(&[
        "tun-scccn-unexpected",
        "tun-sccrp-unexpected",
        "tun-sccrq-in-established",
        "hello-before-established",
        "tun-message-before-established",
    ]);
}

#[test]
fn tunnel_ids_that_do_not_fit() {
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ);
    talk.tunnels[LAC] = 77;
    talk.send(LNS, SCCRP).judge().assert_raises("tun-wrong-tunnel-id", Error, Certain);
    // Its copies go there too, and the request is sent again in vain.
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ);
    (talk.ns, talk.nr) = ([0, 0], [0, 1]);
    talk.tunnels[LAC] = 77;
    talk.in_vain(LNS, SCCRP, &[1000, 2000, 4000]);
    (talk.ns, talk.nr, talk.tunnels[LAC]) = ([0, 0], [0, 0], 7);
    let judged = talk.in_vain(LAC, SCCRQ, &[1000]).judge();
    judged.assert_raises("tun-wrong-tunnel-id", Error, Certain);
    assert_eq!(judged.analysis.connections.len(), 1);
    // Near misses: the SCCRP answers another request, which the capture lacks; its sender goes on, or sends a copy of it.
    for again in [false, true] {
        let mut talk = Talk { tunnels: [77, 79], ..Talk::default() };
        talk.unseen(LAC, SCCRQ);
        let mut other = Talk::default();
        other.send(LAC, SCCRQ);
        talk.now = other.now + 5;
        talk.send(LNS, SCCRP).wait(200);
        if again {
            talk.message(LAC, SCCRQ, 0, 0);
        }
        talk.send(LAC, SCCCN).zlb(LNS);
        other.now = talk.now + 5;
        other.send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS);
        let mut both = Talk { frames: [talk.frames, other.frames].concat(), ..Talk::default() };
        both.frames.sort_by_key(|frame| frame.0);
        let judged = both.judge();
        judged.assert_all_quiet(&["tun-wrong-tunnel-id", "tun-sccrp-unexpected", "tun-peer-restarted"]);
        assert_eq!(judged.analysis.connections.len(), 2);
        assert!(judged.analysis.connections.iter().all(|one| one.was_established));
    }
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LNS, SCCRP).wait(1000);
    (talk.ns[LNS], talk.tunnels[LNS]) = (0, 78);
    talk.send(LNS, SCCRP).judge().assert_raises("tun-id-changed-on-retransmit", Error, Certain);
    let mut talk = up();
    let stop = body(STOPCCN, &[avp(9, &[0, 99]), avp(1, &[0, 1])]);
    talk.send_with(LAC, STOPCCN, 0, &stop).zlb(LNS).judge().assert_raises(
        "end-stopccn-tunnel-id",
        Error,
        Certain,
    );
    let orderly = up().close().judge();
    orderly.assert_all_quiet(&[
        "tun-wrong-tunnel-id",
        "tun-id-changed-on-retransmit",
        "end-stopccn-tunnel-id",
    ]);
}

#[test]
fn calls_out_of_order() {
    let mut talk = Talk::default();
    talk.tunnel().send(LAC, ICRQ);
    talk.sessions[LNS] = 0;
    talk.send(LAC, ICCN).judge().assert_raises("call-unexpected-message", Error, Certain);
    let mut talk = up();
    let again = body(ICRP, &[avp(14, &[0, 22])]);
    talk.send_with(LNS, ICRP, 99, &again).judge().assert_raises("call-wrong-session-id", Error, Certain);
    let mut talk = up();
    let stray = body(CDN, &[avp(1, &[0, 3]), avp(14, &[0, 88])]);
    talk.send_with(LNS, CDN, 99, &stray).judge().assert_raises("call-unknown-session", Warning, Certain);
    let mut talk = up();
    talk.send(LAC, ICRQ).judge().assert_raises("call-id-in-use", Error, Certain);
    let mut talk = up();
    let other = body(CDN, &[avp(1, &[0, 3]), avp(14, &[0, 98])]);
    talk.send_with(LAC, CDN, 22, &other).zlb(LNS).judge().assert_raises("end-cdn-session-id", Error, Certain);
    let mut talk = up();
    talk.send(LAC, CDN).send(LNS, CDN).zlb(LAC).judge().assert_raises("end-cdn-answered", Note, Certain);
    let mut talk = up();
    talk.send(LAC, STOPCCN).zlb(LNS).wait(3000);
    talk.send(LNS, HELLO).judge().assert_quiet("end-sessions-after-stopccn");
    talk.sessions = [51, 52];
    talk.send(LNS, ICRQ).judge().assert_raises("end-sessions-after-stopccn", Warning, Certain);
    // Near misses: an orderly call, and a second one after the first was closed.
    let mut talk = up();
    let orderly = talk.send(LAC, CDN).zlb(LNS).call().close().judge();
    orderly.assert_all_quiet(&[
        "call-unexpected-message",
        "call-wrong-session-id",
        "call-unknown-session",
        "call-id-in-use",
        "end-cdn-session-id",
        "end-cdn-answered",
        "end-sessions-after-stopccn",
    ]);
}

#[test]
fn data_that_does_not_fit() {
    let mut talk = up();
    talk.send(LAC, CDN).zlb(LNS).wait(2000).data(LNS, IP);
    talk.judge().assert_raises("data-after-cdn", Warning, Certain);
    let mut talk = up();
    talk.send(LAC, STOPCCN).zlb(LNS).wait(2000).data(LNS, IP);
    talk.judge().assert_raises("data-after-stopccn", Warning, Certain);
    // Near miss: what was under way.
    let mut talk = up();
    let judged = talk.send(LAC, CDN).data(LNS, IP).send(LAC, STOPCCN).data(LNS, IP).zlb(LNS).judge();
    judged.assert_quiet("data-after-cdn");
    judged.assert_quiet("data-after-stopccn");
    let mut talk = up();
    talk.data_to(LAC, 0, None, IP).judge().assert_raises("data-session-zero", Error, Certain);
    let numbered = |numbers: &[Option<u16>]| {
        let mut talk = Talk::default();
        talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP);
        let connect = body(ICCN, &[avp(19, &[0, 0, 0, 1]), avp(24, &[0; 4]), avp(39, &[])]);
        talk.send_with(LAC, ICCN, 22, &connect).zlb(LNS);
        for number in numbers {
            talk.data_to(LAC, 22, *number, IP);
        }
        talk.judge()
    };
    numbered(&[Some(0), None]).assert_raises("data-seq-required-missing", Error, Certain);
    numbered(&[Some(0), Some(2), Some(1)]).assert_raises("data-seq-out-of-order", Warning, Certain);
    numbered(&[Some(0), Some(1), Some(1)]).assert_raises("data-seq-duplicate", Warning, Certain);
    let orderly = numbered(&[Some(0), Some(1), Some(2)]);
    orderly.assert_all_quiet(&[
        "data-seq-required-missing",
        "data-seq-out-of-order",
        "data-seq-duplicate",
        "data-session-zero",
    ]);
}

#[test]
fn ends_that_nobody_acknowledges() {
    let mut talk = up();
    let judged =
        talk.chat(1).in_vain(LAC, STOPCCN, &[1000, 2000, 4000, 8000]).wait(5000).data(LNS, IP).judge();
    judged.assert_raises("end-stopccn-not-acked", Error, Certain);
    judged.assert_raises("end-disagreement", Note, Certain);
    let mut talk = up();
    let judged = talk.chat(1).in_vain(LAC, STOPCCN, &[]).judge();
    judged.assert_quiet("end-stopccn-not-acked");
    judged.assert_quiet("end-disagreement");
    // An LNS that acknowledges the StopCCN and sends its keepalive all the same, which nobody has to answer.
    let mut talk = up();
    let judged =
        talk.chat(1).send(LAC, STOPCCN).zlb(LNS).wait(3000).in_vain(LNS, HELLO, &[1000, 2000]).judge();
    judged.assert_raises("end-disagreement", Note, Certain);
    judged.assert_quiet("hello-unacknowledged");
    // Near miss: what was under way when the StopCCN was sent.
    let mut talk = up();
    talk.chat(1).send(LAC, STOPCCN).data(LNS, IP).zlb(LNS).judge().assert_quiet("end-disagreement");
    // A tunnel with Hellos that stops while the capture goes on.
    let mut talk = up();
    talk.send(LAC, HELLO).zlb(LNS);
    let mut other = Talk { tunnels: [8, 10], sessions: [31, 32], now: 300_000, ..Talk::default() };
    other.addresses = [[192, 0, 2, 77], [198, 51, 100, 1]];
    other.tunnel().call();
    let mut both = Talk { frames: [talk.frames.clone(), other.frames].concat(), ..Talk::default() };
    both.judge().assert_raises("end-silent", Warning, Possible);
    talk.close();
    both.frames.splice(..9, talk.frames);
    both.judge().assert_quiet("end-silent");
}

#[test]
fn authentication_of_tunnels() {
    let set_up = |request: &[Vec<u8>], reply: &[Vec<u8>], connect: &[Vec<u8>]| {
        let base = |id: u16| vec![avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"x"), avp(9, &id.to_be_bytes())];
        let mut talk = Talk::default();
        talk.send_with(LAC, SCCRQ, 0, &body(SCCRQ, &[base(7), request.to_vec()].concat()));
        talk.send_with(LNS, SCCRP, 0, &body(SCCRP, &[base(9), reply.to_vec()].concat()));
        talk.send_with(LAC, SCCCN, 0, &body(SCCCN, connect)).zlb(LNS).judge()
    };
    let (challenge, response) = (avp(11, &[5; 16]), avp(13, &[6; 16]));
    set_up(std::slice::from_ref(&challenge), &[], &[]).assert_raises(
        "tun-challenge-unanswered",
        Error,
        Certain,
    );
    set_up(&[], std::slice::from_ref(&challenge), &[]).assert_raises(
        "tun-challenge-unanswered",
        Error,
        Certain,
    );
    set_up(&[], std::slice::from_ref(&response), &[]).assert_raises(
        "tun-response-without-challenge",
        Warning,
        Certain,
    );
    let both = set_up(std::slice::from_ref(&challenge), &[response.clone(), challenge.clone()], &[response]);
    both.assert_quiet("tun-challenge-unanswered");
    both.assert_quiet("tun-response-without-challenge");
}

#[test]
fn challenges_that_are_used_twice() {
    const RULE: &str = "tun-same-challenge";
    let request = |id: u16, challenge: &[u8]| {
        let base = [avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"x"), avp(9, &id.to_be_bytes())];
        [base.concat(), avp(11, challenge)]
    };
    let both = |ours: &[u8], theirs: &[u8]| {
        let mut talk = Talk::default();
        talk.send_with(LAC, SCCRQ, 0, &body(SCCRQ, &request(7, ours)));
        talk.send_with(LNS, SCCRP, 0, &body(SCCRP, &request(9, theirs))).judge()
    };
    both(&[5; 16], &[5; 16]).assert_raises(RULE, Warning, Certain);
    both(&[5; 16], &[6; 16]).assert_quiet(RULE);
    // The same end in two tunnels.
    let twice = |id: u16, challenge: u8| {
        let mut talk = Talk::default();
        talk.send_with(LAC, SCCRQ, 0, &body(SCCRQ, &request(7, &[5; 16]))).wait(60_000);
        (talk.ns, talk.tunnels) = ([0, 0], [id, 9]);
        talk.send_with(LAC, SCCRQ, 0, &body(SCCRQ, &request(id, &[challenge; 16]))).judge()
    };
    twice(8, 5).assert_raises(RULE, Warning, Certain);
    twice(8, 6).assert_quiet(RULE);
    // Near miss: the same request again.
    twice(7, 5).assert_quiet(RULE);
}

#[test]
fn secrets_of_tunnels() {
    const SECRETS: &str = "[[tunnel]]\nsecret = \"wonderland\"\n";
    // RFC 2661 section 5.1.1: the MD5 of the message type, the secret and the challenge.
    let set_up = |secret: &str, connected: bool| {
        let challenge = [5; 16];
        let response = Md5::digest([&[SCCCN as u8], secret.as_bytes(), &challenge].concat()).to_vec();
        let mut talk = Talk::default();
        let reply = [avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"lns"), avp(9, &[0, 9]), avp(11, &challenge)];
        talk.send(LAC, SCCRQ).send_with(LNS, SCCRP, 0, &body(SCCRP, &reply));
        talk.send_with(LAC, SCCCN, 0, &body(SCCCN, &[avp(13, &response)])).zlb(LNS);
        if connected {
            talk.call();
        }
        talk.judge_told(SECRETS)
    };
    let judged = set_up("looking-glass", true);
    judged.assert_raises("tun-auth-failed", Error, Possible);
    judged.assert_raises("tun-auth-failed-accepted", Error, Possible);
    set_up("wonderland", true).assert_all_quiet(&["tun-auth-failed", "tun-auth-failed-accepted"]);
    // A hidden Assigned Tunnel ID (RFC 2661 section 4.3): length and value, XORed with the MD5 of attribute, secret and vector.
    let hidden = |secret: &str| {
        let vector = [7; 16];
        let pad = Md5::digest([&[0, 9], secret.as_bytes(), &vector].concat());
        let mut value: Vec<u8> = [0, 2, 0, 7].iter().zip(pad).map(|(plain, pad)| plain ^ pad).collect();
        value.splice(0..0, [0xc0, 10, 0, 0, 0, 9]);
        let request = [avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"lac"), avp(36, &vector), value];
        let mut talk = Talk::default();
        talk.send_with(LAC, SCCRQ, 0, &body(SCCRQ, &request)).judge_told(SECRETS)
    };
    hidden("looking-glass").assert_raises("avp-hidden-undecodable", Error, Possible);
    hidden("wonderland").assert_quiet("avp-hidden-undecodable");
}

#[test]
fn several_tunnels_between_the_same_hosts() {
    // Both ask at once, and the one with the higher tie breaker comes up.
    let meet = |ours: u8, theirs: u8| {
        let request = |id: u16, tie: u8| {
            body(
                SCCRQ,
                &[avp(2, &[1, 0]), avp(3, &[0; 4]), avp(7, b"x"), avp(9, &id.to_be_bytes()), {
                    let mut avp = avp(5, &[0, 0, 0, 0, 0, 0, 0, tie]);
                    avp[0] &= 0x7f;
                    avp
                }],
            )
        };
        let mut first = Talk::default();
        first.send_with(LAC, SCCRQ, 0, &request(7, ours)).wait(10);
        let mut second = Talk { now: 2, ..Talk::default() };
        second.addresses.reverse();
        second.tunnels = [17, 19];
        second.send_with(LAC, SCCRQ, 0, &request(17, theirs)).wait(20);
        second.send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS);
        let mut both = Talk { frames: [first.frames, second.frames].concat(), ..Talk::default() };
        both.frames.sort_by_key(|frame| frame.0);
        both.judge()
    };
    let wrong = meet(1, 2);
    wrong.assert_raises("tun-collision", Note, Certain);
    wrong.assert_raises("tun-tie-breaker-ignored", Error, Certain);
    up().chat(1).judge().assert_quiet("tun-collision");
    let right = meet(2, 1);
    right.assert_raises("tun-collision", Note, Certain);
    right.assert_quiet("tun-tie-breaker-ignored");
    // A restart: the old tunnel falls silent, and is not closed.
    let mut talk = up();
    talk.chat(2).wait(10_000);
    (talk.ns, talk.nr, talk.tunnels, talk.sessions) = ([0, 0], [0, 0], [27, 29], [61, 62]);
    talk.tunnel().call().chat(2).wait(3000).chat(1).judge().assert_raises(
        "tun-peer-restarted",
        Warning,
        Possible,
    );
    // Near misses: no call is left in the old one, so it may be idle; or it was given up after a Hello without an answer.
    let mut talk = up();
    talk.chat(2).send(LAC, CDN).zlb(LNS).wait(10_000);
    (talk.ns, talk.nr, talk.tunnels, talk.sessions) = ([0, 0], [0, 0], [27, 29], [61, 62]);
    let judged = talk.tunnel().call().chat(2).wait(3000).chat(1).judge();
    judged.assert_raises("tun-peer-restarted", Note, Possible);
    let mut talk = up();
    talk.chat(2).wait(10_000).in_vain(LNS, HELLO, &[1000, 2000, 4000, 8000]).wait(30_000);
    (talk.ns, talk.nr, talk.tunnels, talk.sessions) = ([0, 0], [0, 0], [27, 29], [61, 62]);
    let judged = talk.tunnel().call().chat(2).wait(3000).chat(1).judge();
    judged.assert_raises("tun-peer-restarted", Note, Possible);
    // Closed before.
    let mut talk = up();
    talk.chat(2).close().wait(40_000);
    (talk.ns, talk.nr, talk.tunnels, talk.sessions) = ([0, 0], [0, 0], [27, 29], [61, 62]);
    let judged = talk.tunnel().call().chat(2).wait(3000).chat(1).judge();
    judged.assert_all_quiet(&["tun-peer-restarted", "tun-id-reused-early"]);
    // A stale tunnel beside one that was set up here.
    let mut talk = up();
    talk.tunnels = [87, 89];
    talk.send(LAC, HELLO).judge().assert_raises("tun-unknown-tunnel", Note, Possible);
    up().chat(1).judge().assert_quiet("tun-unknown-tunnel");
}

#[test]
fn a_tunnel_that_should_have_been_cleared() {
    let after = |pause: i64| {
        let mut talk = up();
        talk.chat(1).in_vain(LAC, HELLO, &[1000, 2000, 4000, 8000]).wait(pause);
        talk.data(LAC, IP).judge()
    };
    after(40_000).assert_raises("hello-not-torn-down", Error, Possible);
    after(20_000).assert_quiet("hello-not-torn-down");
}

#[test]
fn clocks_that_are_set_and_datagrams_in_part() {
    let mut talk = up();
    talk.chat(1).wait(-5000);
    talk.chat(1).judge().assert_raises("cap-clock-step", Note, Certain);
    let mut talk = up();
    talk.chat(1).wait(4_000_000).chat(1).judge().assert_raises("cap-clock-step", Note, Certain);
    up().chat(1).wait(60_000).chat(1).judge().assert_quiet("cap-clock-step");
    let mut talk = up();
    talk.chat(1);
    let mut first = talk.frames.last().expect("a frame").1.clone();
    first.truncate(36);
    (first[3], first[6]) = (36, 0x20);
    talk.frames.push((talk.now, first));
    talk.judge().assert_raises("cap-inner-fragments", Note, Certain);
    up().chat(1).judge().assert_quiet("cap-inner-fragments");
}
