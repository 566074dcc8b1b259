//! Each rule is raised by one conversation, and not by another that nearly breaks it.

use crate::common::*;
use l2tp_inspect::analysis::CallId;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

fn up() -> Talk {
    let mut talk = Talk::default();
    talk.tunnel().call();
    talk
}

#[test]
fn an_orderly_conversation_raises_nothing() {
    let mut talk = up();
    let judged = talk.chat(20).send(LAC, HELLO).zlb(LNS).wait(1000).close().judge();
    assert_eq!(judged.raised(), Vec::<&str>::new());
    assert_eq!(judged.diagnosis.id, "healthy");
}

#[test]
fn no_reply_to_sccrq() {
    let mut talk = Talk::default();
    let judged = talk.in_vain(LAC, SCCRQ, &[1000, 2000, 4000, 8000]).judge();
    judged.assert_raises("tun-no-reply", Error, Certain);
    assert_eq!(judged.diagnosis.id, "no-sccrp");
    // Near miss: sent once, and the capture ends at once.
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).judge().assert_quiet("tun-no-reply");
    // Near miss: one direction only was captured, as the SCCCN proves.
    let mut talk = Talk::default();
    let judged =
        talk.send(LAC, SCCRQ).unseen(LNS, SCCRP).send(LAC, SCCCN).wait(60_000).send(LAC, HELLO).judge();
    judged.assert_quiet("tun-no-reply");
    judged.assert_raises("cap-one-way", Warning, Certain);
}

#[test]
fn a_tunnel_without_scccn() {
    let mut talk = Talk::default();
    let judged = talk.send(LAC, SCCRQ).send(LNS, SCCRP).wait(10_000).zlb(LAC).wait(10_000).zlb(LAC).judge();
    judged.assert_raises("tun-incomplete", Warning, Certain);
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ).send(LNS, SCCRP).judge().assert_quiet("tun-incomplete");
}

#[test]
fn calls_that_do_not_come_up() {
    let mut talk = Talk::default();
    let judged = talk.tunnel().send(LAC, ICRQ).zlb(LNS).wait(10_000).send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_raises("call-no-reply", Error, Certain);
    let mut talk = Talk::default();
    let judged =
        talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP).zlb(LAC).wait(10_000).send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_raises("call-incomplete", Warning, Certain);
    judged.assert_quiet("call-no-reply");
    // Near miss: refused by a CDN.
    let mut talk = Talk::default();
    let judged =
        talk.tunnel().send(LAC, ICRQ).send(LNS, CDN).zlb(LAC).wait(10_000).send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_quiet("call-no-reply");
    up().chat(1).wait(20_000).chat(1).judge().assert_quiet("call-incomplete");
    assert_eq!(judged.diagnosis.id, "call-refused");
}

#[test]
fn a_message_that_is_never_acknowledged() {
    let mut talk = Talk::default();
    let judged = talk.tunnel().in_vain(LAC, ICRQ, &[]).wait(40_000).zlb(LNS).judge();
    judged.assert_raises("seq-ack-missing", Error, Certain);
    let mut talk = Talk::default();
    talk.tunnel().in_vain(LAC, ICRQ, &[]).wait(20_000).zlb(LNS).judge().assert_quiet("seq-ack-missing");
    let mut talk = Talk::default();
    let judged = talk.tunnel().in_vain(LAC, ICRQ, &[1000, 2000, 4000, 8000, 16_000]).judge();
    judged.assert_raises("seq-retransmit-exhausted", Error, Certain);
    judged.assert_raises("seq-duplicate", Note, Certain);
    judged.assert_quiet("seq-ack-missing");
    // Near miss: acknowledged after the last resend; and nothing was sent again.
    let mut talk = Talk::default();
    talk.tunnel().in_vain(LAC, HELLO, &[1000, 2000, 4000, 8000]);
    talk.nr[LNS] = talk.ns[LAC];
    talk.zlb(LNS).judge().assert_quiet("seq-retransmit-exhausted");
    up().send(LAC, HELLO).zlb(LNS).send(LAC, HELLO).zlb(LNS).judge().assert_quiet("seq-duplicate");
}

#[test]
fn a_gap_that_is_never_filled() {
    let mut talk = up();
    talk.ns[LAC] += 1;
    let judged = talk.send(LAC, HELLO).judge();
    judged.assert_raises("seq-gap", Error, Possible);
    // Near miss: the missing number comes late.
    let mut talk = up();
    talk.ns[LAC] += 1;
    talk.send(LAC, HELLO);
    talk.ns[LAC] -= 2;
    talk.send(LAC, HELLO).judge().assert_quiet("seq-gap");
    // Near miss: acknowledged, so the capture lost it.
    let mut talk = up();
    let judged = talk.unseen(LAC, HELLO).zlb(LNS).send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_quiet("seq-gap");
    judged.assert_raises("cap-missing-acked", Warning, Certain);
}

#[test]
fn an_nr_beyond_what_was_sent() {
    // The number is used after it was acknowledged. Its first copy may be missing in the capture.
    let mut talk = up();
    talk.nr[LNS] += 1;
    talk.zlb(LNS).send(LAC, HELLO).zlb(LNS);
    talk.judge().assert_raises("seq-nr-beyond-sent", Error, Possible);
    // Near miss: a copy that crosses the acknowledgement of its first, which the capture lacks.
    let mut talk = up();
    talk.wait(5000).unseen(LAC, HELLO).wait(990).zlb(LNS);
    talk.message(LAC, HELLO, talk.ns[LAC] - 1, talk.nr[LAC]);
    talk.zlb(LNS).judge().assert_quiet("seq-nr-beyond-sent");
    // Nothing follows: the capture may have lost a message.
    let mut talk = up();
    talk.nr[LNS] += 1;
    talk.zlb(LNS).judge().assert_raises("seq-nr-beyond-sent", Note, Possible);
    // Near miss: the message was sent, the capture lacks it.
    let mut talk = up();
    let judged = talk.unseen(LAC, HELLO).zlb(LNS).send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_quiet("seq-nr-beyond-sent");
}

#[test]
fn hellos_without_an_answer() {
    let mut talk = up();
    let judged = talk.chat(3).wait(60_000).in_vain(LAC, HELLO, &[1000, 2000, 4000, 8000, 16_000]).judge();
    let found = judged.assert_raises("hello-unacknowledged", Error, Certain);
    assert_eq!(found.packets.len(), 6);
    judged.assert_raises("hello-tunnel-dead", Error, Certain);
    assert_eq!(judged.diagnosis.id, "hello-timeout");
    // Near miss: the capture ends right behind the Hello.
    let mut talk = up();
    let judged = talk.chat(3).wait(60_000).in_vain(LAC, HELLO, &[]).judge();
    judged.assert_quiet("hello-unacknowledged");
    // Unsure: it ends soon after.
    let mut talk = up();
    let judged = talk.chat(3).wait(60_000).in_vain(LAC, HELLO, &[1000]).judge();
    judged.assert_raises("hello-unacknowledged", Note, Possible);
    // Near miss: answered at last.
    let mut talk = up();
    talk.chat(3).wait(60_000).in_vain(LAC, HELLO, &[1000, 2000]);
    talk.nr[LNS] = talk.ns[LAC];
    talk.zlb(LNS).judge().assert_all_quiet(&["hello-unacknowledged", "hello-tunnel-dead"]);
}

#[test]
fn data_before_the_call_is_established() {
    let mut talk = Talk::default();
    let judged = talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP).zlb(LAC).chat(2).judge();
    // Both send data, so the one message that connects the call is more likely missing in the capture.
    judged.assert_raises("data-before-established", Note, Possible);
    // A later message without a gap before it shows that there was no ICCN.
    let mut talk = Talk::default();
    talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP).zlb(LAC).chat(2).send(LAC, HELLO);
    talk.judge().assert_raises("data-before-established", Error, Certain);
    // One round trip before the ICCN is a race.
    let mut talk = Talk::default();
    let judged =
        talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP).data(LNS, IP).send(LAC, ICCN).zlb(LNS).chat(2).judge();
    judged.assert_raises("data-before-established", Note, Certain);
    let mut talk = Talk::default();
    talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP).data(LNS, IP).wait(5000).send(LAC, ICCN).zlb(LNS);
    talk.judge().assert_raises("data-before-established", Warning, Certain);
}

#[test]
fn data_of_a_call_that_is_established() {
    up().chat(2).judge().assert_quiet("data-before-established");
}

#[test]
fn a_zlb_that_is_counted() {
    const RULE: &str = "seq-nr-counts-zlb";
    // The LAC takes the ZLB of the LNS for a message, and acknowledges its number.
    let counted = |used: bool| {
        let mut talk = up();
        talk.send(LAC, HELLO).zlb(LNS);
        talk.nr[LAC] += 1;
        talk.send(LAC, HELLO).zlb(LNS);
        if used {
            talk.send(LNS, HELLO);
        }
        talk.judge()
    };
    let judged = counted(true);
    assert!(judged.assert_raises(RULE, Error, Possible).seen.contains("came only then"));
    // Without a message after it the capture may lack one: no more than a note.
    counted(false).assert_raises(RULE, Note, Possible);
    // Near miss: the number that it acknowledges is not that of a ZLB.
    let mut talk = up();
    talk.send(LAC, HELLO).zlb(LNS);
    talk.nr[LAC] += 2;
    let judged = talk.send(LAC, HELLO).zlb(LNS).judge();
    judged.assert_quiet(RULE);
    judged.assert_raises("seq-nr-beyond-sent", Note, Possible);
    // Near miss: the LNS sent a message, which the capture lacks.
    let mut talk = up();
    talk.send(LAC, HELLO).zlb(LNS).unseen(LNS, HELLO).zlb(LAC).send(LNS, HELLO).zlb(LAC);
    talk.judge().assert_quiet(RULE);
}

#[test]
fn data_of_an_unknown_session() {
    let mut talk = up();
    let judged = talk.chat(2).data_to(LAC, 99, None, IP).judge();
    judged.assert_raises("data-unknown-session", Warning, Certain);
    // Near miss: the capture began after the set-up.
    let mut talk = up();
    talk.frames.clear();
    let judged = talk.chat(2).judge();
    judged.assert_quiet("data-unknown-session");
    judged.assert_raises("cap-mid-stream", Note, Certain);
    assert_eq!(judged.analysis.connections.len(), 1);
    assert_eq!(judged.analysis.calls.len(), 1);
    up().chat(2).judge().assert_all_quiet(&["cap-mid-stream", "cap-one-way", "cap-missing-acked"]);
}

#[test]
fn lost_data() {
    let mut talk = up();
    for ns in [0, 1, 4, 5] {
        talk.data_to(LNS, 21, Some(ns), IP);
    }
    talk.judge().assert_raises("data-seq-gap", Warning, Certain);
    let mut talk = up();
    for ns in [0, 2, 1, 3] {
        talk.data_to(LNS, 21, Some(ns), IP);
    }
    talk.judge().assert_quiet("data-seq-gap");
}

#[test]
fn broken_messages() {
    let mut talk = up();
    talk.send_with(LAC, HELLO, 0, &[0x80, 8, 0, 0, 0, 0, 0, 6, 0x80, 3, 0, 0]).zlb(LNS);
    talk.judge().assert_raises("avp-length-short", Error, Certain);
    let mut talk = up();
    talk.send_with(LAC, HELLO, 0, &[0x80, 8, 0, 0, 0, 0, 0, 6, 0x80, 30, 0, 0, 0, 1]).zlb(LNS);
    talk.judge().assert_raises("avp-overruns-message", Error, Certain);
    let mut talk = up();
    let hello = [0x88, 2, 0, 9, 0, 0, 0, 4, 0, 2, 0x80, 8, 0, 0, 0, 0, 0, 6];
    talk.datagram(LAC, &hello);
    talk.judge().assert_raises("hdr-control-length-bit", Error, Certain);
}

#[test]
fn lcp_that_is_never_answered() {
    let request: &[u8] = &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 10, 5, 6, 1, 2, 3, 4];
    let mut talk = up();
    for _ in 0..10 {
        talk.data(LAC, request).wait(3000);
    }
    talk.send(LAC, HELLO).zlb(LNS);
    let judged = talk.judge();
    judged.assert_raises("ppp-lcp-no-answer", Error, Certain);
    assert_eq!(judged.diagnosis.id, "kernel-data-path");
    let mut talk = up();
    let ack: &[u8] = &[0xff, 3, 0xc0, 0x21, 2, 1, 0, 10, 5, 6, 1, 2, 3, 4];
    for _ in 0..3 {
        talk.data(LAC, request).wait(3000);
    }
    talk.data(LNS, ack).judge().assert_quiet("ppp-lcp-no-answer");
}

#[test]
fn refused_authentication() {
    let failure = b"\xff\x03\xc2\x23\x04\x01\x00\x11E=691 R=0 V=3";
    let mut talk = up();
    let judged = talk.data(LNS, failure).judge();
    judged.assert_raises("ppp-auth-failed", Error, Certain);
    let success = b"\xff\x03\xc2\x23\x03\x02\x00\x06ok";
    let mut talk = up();
    talk.data(LNS, failure).data(LNS, success).judge().assert_quiet("ppp-auth-failed");
}

#[test]
fn closed_for_a_reason() {
    let mut talk = Talk::default();
    let body = [avp(0, &[0, 4]), avp(9, &[0, 9]), avp(1, &[0, 2, 0, 6])].concat();
    talk.send(LAC, SCCRQ).send_with(LNS, STOPCCN, 0, &body).zlb(LAC);
    let judged = talk.judge();
    judged.assert_raises("end-stopccn", Error, Certain);
    assert_eq!(judged.diagnosis.id, "tunnel-refused");
    let mut talk = up();
    let body = [avp(0, &[0, 14]), avp(1, &[0, 4, 0, 0]), avp(14, &[0, 22])].concat();
    talk.send_with(LNS, CDN, 21, &body).zlb(LAC);
    talk.judge().assert_raises("end-cdn", Error, Certain);
    // Near miss: closed because there is nothing more to do.
    up().chat(1).close().judge().assert_all_quiet(&["end-stopccn", "end-cdn"]);
}

#[test]
fn tunnel_ids_are_used_again_after_stopccn() {
    let mut talk = up();
    talk.chat(2).close().wait(2000);
    (talk.ns, talk.nr) = ([0, 0], [0, 0]);
    let judged = talk.tunnel().call().chat(3).close().judge();
    assert_eq!(judged.raised(), ["tun-id-reused-early"]);
    judged.assert_raises("tun-id-reused-early", Warning, Certain);
    assert_eq!(judged.analysis.connections.len(), 2);
    let packets: Vec<u64> = judged.analysis.calls.iter().map(|call| call.data[0].packets).collect();
    assert_eq!(packets, [2, 3]);
}

#[test]
fn several_tunnels_and_calls_on_one_pair_of_ports() {
    let mut first = up();
    let mut second = Talk { tunnels: [8, 10], sessions: [31, 32], ..Talk::default() };
    second.tunnel().call().chat(4).close();
    first.chat(3);
    (first.sessions, first.now) = ([41, 42], 400);
    first.call().chat(5).close();
    let mut both = Talk { frames: [first.frames, second.frames].concat(), ..Talk::default() };
    both.frames.sort_by_key(|frame| frame.0);
    let judged = both.judge();
    assert_eq!(judged.raised(), ["tun-duplicate-pair"]);
    judged.assert_raises("tun-duplicate-pair", Note, Certain);
    up().close().judge().assert_quiet("tun-duplicate-pair");
    let mut packets: Vec<u64> = judged.analysis.calls.iter().map(|call| call.data[1].packets).collect();
    packets.sort_unstable();
    assert_eq!((judged.analysis.connections.len(), packets), (2, vec![3, 4, 5]));
}

#[test]
fn both_ends_leave_port_1701() {
    let mut talk = Talk { ports: [50_000, 1701], ..Talk::default() };
    talk.send(LAC, SCCRQ);
    talk.ports[LNS] = 60_000;
    let judged = talk.send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS).call().chat(3).close().judge();
    assert_eq!(judged.raised(), ["udp-responder-floated"]);
    assert_eq!(judged.analysis.connections.len(), 1);
    assert_eq!(judged.analysis.call(CallId(0)).unwrap().data.each_ref().map(|data| data.packets), [3, 3]);
}

#[test]
fn a_flood_of_requests_does_not_hide_a_tunnel() {
    let mut flood = Talk::default();
    for i in 0..500u16 {
        flood.addresses[LAC] = [10, 0, (i >> 8) as u8, i as u8];
        flood.tunnels[LAC] = 1000 + i;
        flood.ns = [0, 0];
        flood.send(LAC, SCCRQ);
    }
    let mut talk = Talk { now: flood.now, ..up() };
    let base = talk.frames.clone();
    talk.frames = flood.frames;
    talk.frames.extend(base.into_iter().map(|(time, octets)| (time + flood.now, octets)));
    let judged = talk.chat(3).close().judge_within(Limits { tunnels: 50, ..Limits::default() });
    judged.assert_raises("cap-limit-reached", Warning, Certain);
    assert_eq!(judged.analysis.connections.len(), 50);
    assert!(judged.analysis.connections.iter().any(|connection| connection.was_established));
    assert_eq!(judged.analysis.call(CallId(0)).unwrap().data[0].packets, 3);
}

/// A packet of IPCP whose only option is the address.
fn ipcp(code: u8, address: [u8; 4]) -> Vec<u8> {
    [&[0x80, 0x21, code, 1, 0, 10, 3, 6][..], &address].concat()
}

#[test]
fn an_address_that_neither_side_gives_up() {
    let (wanted, offered) = ([10, 55, 55, 55], [10, 99, 0, 10]);
    let round = |talk: &mut Talk| {
        talk.data(LAC, &ipcp(1, wanted)).data(LNS, &ipcp(3, offered));
    };
    let mut talk = up();
    (0..5).for_each(|_| round(&mut talk));
    let judged = talk.judge();
    let finding = judged.assert_raises("ppp-ipcp-nak-loop", Error, Certain);
    assert!(finding.seen.contains("10.55.55.55") && finding.seen.contains("10.99.0.10"), "{}", finding.seen);
    // Near miss: after the fifth refusal it takes what it is given.
    talk.data(LAC, &ipcp(1, offered)).data(LNS, &ipcp(2, offered));
    talk.judge().assert_quiet("ppp-ipcp-nak-loop");
    // Near miss: four refusals.
    let mut talk = up();
    (0..4).for_each(|_| round(&mut talk));
    talk.judge().assert_quiet("ppp-ipcp-nak-loop");
}

#[test]
fn what_a_capture_says_of_itself() {
    let mut talk = up();
    talk.chat(2);
    talk.judge().again(Some("a record ends too early"), 0).assert_raises("cap-damaged", Warning, Certain);
    talk.judge().again(None, 7).assert_raises("cap-drops", Warning, Certain);
    talk.judge().again(None, 0).assert_all_quiet(&["cap-damaged", "cap-drops"]);
    talk.judge_cut(1500).assert_raises("cap-truncated", Warning, Certain);
    talk.judge().assert_quiet("cap-truncated");
    // Each packet once more, a moment later.
    let twice = |later: i64| {
        let mut talk = up();
        talk.chat(2);
        let copies = talk.frames.clone().into_iter().map(|(time, octets)| (time + later, octets));
        talk.frames.extend(copies);
        talk.frames.sort_by_key(|frame| frame.0);
        talk.judge()
    };
    twice(1).assert_raises("cap-duplicate-frames", Note, Certain);
    twice(3).assert_quiet("cap-duplicate-frames");
}

#[test]
fn l2tp_outside_esp() {
    up().chat(1).judge().assert_raises("sec-l2tp-in-clear", Warning, Certain);
}

#[test]
fn addresses_that_are_used_twice() {
    const RULE: &str = "ppp-ipcp-address-collision";
    let agreed = |lac: [u8; 4], lns: [u8; 4]| {
        let mut talk = up();
        talk.data(LAC, &ipcp(1, lac)).data(LNS, &ipcp(2, lac));
        talk.data(LNS, &ipcp(1, lns)).data(LAC, &ipcp(2, lns)).chat(2);
        talk.judge()
    };
    agreed([10, 0, 0, 5], [198, 51, 100, 1]).assert_raises(RULE, Warning, Certain);
    agreed([10, 0, 0, 5], [10, 0, 0, 5]).assert_raises(RULE, Warning, Certain);
    agreed([10, 0, 0, 5], [198, 51, 100, 2]).assert_quiet(RULE);
    // Near miss: the address of the tunnel is asked for, and not agreed on.
    let mut talk = up();
    talk.data(LNS, &ipcp(1, [198, 51, 100, 1])).data(LAC, &ipcp(3, [10, 0, 0, 1]));
    talk.judge().assert_quiet(RULE);
}
