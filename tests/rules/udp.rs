//! Rules on UDP, ICMP errors and fragments: each is raised by one conversation, and not by another that nearly breaks it.

use crate::common::wire::*;
use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

#[test]
fn a_nat_that_forgets() {
    let run = |spi: u32, port: u16| {
        let mut wire = Wire::default();
        wire.natt((NAT, 35273), (B, 4500), 0x1000, 1).natt((B, 4500), (NAT, 35273), 0x2000, 1).wait(70_000);
        wire.natt((NAT, port), (B, 4500), spi, 2);
        wire.judge()
    };
    let judged = run(0x1000, 20422);
    judged.assert_raises("udp-port-changed", Error, Possible);
    judged.assert_raises("sec-nat-keepalive-missing", Note, Possible);
    // Near miss: a new client has an SPI of its own.
    run(0x3000, 20422).assert_quiet("udp-port-changed");
    run(0x1000, 35273).assert_quiet("udp-port-changed");
    // Near miss: keepalives in the pause.
    let mut wire = Wire::default();
    wire.natt((NAT, 35273), (B, 4500), 0x1000, 1);
    for _ in 0..4 {
        wire.wait(20_000).udp((NAT, 35273), (B, 4500), &[0xff]);
    }
    wire.natt((NAT, 35273), (B, 4500), 0x1000, 2).judge().assert_quiet("sec-nat-keepalive-missing");
}

#[test]
fn ports_of_l2tp() {
    let mut talk = Talk::default();
    talk.tunnel().call();
    talk.ports[LAC] = 50_000;
    talk.chat(2).judge().assert_raises("udp-port-changed", Warning, Possible);
    // Near miss: the responder takes another port with its SCCRP, as it may.
    let mut talk = Talk { ports: [1701, 1701], ..Talk::default() };
    talk.send(LAC, SCCRQ);
    talk.ports[LNS] = 60_000;
    let judged = talk.send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS).judge();
    judged.assert_quiet("udp-port-changed");
    judged.assert_raises("udp-responder-floated", Note, Certain);
    let mut talk = Talk { ports: [50_000, 1701], ..Talk::default() };
    talk.tunnel().judge().assert_quiet("udp-responder-floated");
    let mut talk = Talk { ports: [1701, 1702], ..Talk::default() };
    talk.tunnel().judge().assert_raises("udp-sccrq-not-to-1701", Error, Possible);
    let mut talk = Talk::default();
    talk.tunnel().judge().assert_quiet("udp-sccrq-not-to-1701");
}

#[test]
fn errors_of_icmp() {
    let error = |kind: u8, code: u8, mtu: u16, port: u16| {
        let quoted = udp(1701, port, &[0; 8]);
        let mut header = vec![0x45, 0, 5, 0xdc, 0, 0, 0, 0, 63, 17, 0, 0];
        header.extend(A);
        header.extend(B);
        let mut wire = Wire::default();
        let mut out = vec![kind, code, 0, 0, 0, 0];
        out.extend(mtu.to_be_bytes());
        wire.ip(B, A, 1, &[out, header, quoted].concat()).judge()
    };
    error(3, 3, 0, 1701).assert_raises("udp-icmp-port-unreachable", Error, Certain);
    error(3, 4, 1400, 1701).assert_raises("udp-icmp-frag-needed", Warning, Certain);
    error(3, 1, 0, 1701).assert_quiet("udp-icmp-port-unreachable");
    error(3, 4, 1400, 1701).assert_quiet("udp-icmp-port-unreachable");
    error(3, 3, 0, 1701).assert_quiet("udp-icmp-frag-needed");
}

/// The LAC's program is gone when the LNS still sends: that is trouble only if nobody closed the control connection.
#[test]
fn a_port_that_is_closed_when_all_is_over() {
    let after = |closes: bool| {
        let mut talk = Talk::default();
        talk.tunnel().call().chat(2);
        if closes {
            talk.close();
        }
        talk.wait(1000).send(LNS, HELLO);
        let refused = talk.frames.last().unwrap().1.clone();
        let [lac, lns] = talk.addresses;
        let body = [&[3, 3, 0, 0, 0, 0, 0, 0], &refused[..]].concat();
        let mut error = vec![0x45, 0];
        error.extend((20 + body.len() as u16).to_be_bytes());
        error.extend([&[0, 1, 0, 0, 64, 1, 0, 0], &lac[..], &lns[..], &body[..]].concat());
        talk.frames.push((talk.now, error));
        talk.judge()
    };
    after(true).assert_raises("udp-icmp-port-unreachable", Note, Certain);
    // A capture that lacks the StopCCN looks the same.
    after(false).assert_raises("udp-icmp-port-unreachable", Error, Possible);
}

/// An L2TP data message in two fragments: a segment of TCP with this sequence number.
fn fragments(wire: &mut Wire, sequence: u32, together: bool) {
    let mut tcp = vec![0; 1380];
    tcp[..4].copy_from_slice(&[0xc0, 0, 0x1e, 0x61]);
    tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
    let mut inner = vec![0x45, 0];
    inner.extend((20 + tcp.len() as u16).to_be_bytes());
    inner.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 5, 10, 0, 0, 1]);
    inner.extend(tcp);
    let data = [&[0, 2, 0, 9, 0, 22, 0xff, 3, 0, 0x21][..], &inner].concat();
    let datagram = udp(1701, 1701, &data);
    if together {
        wire.ip(A, B, 17, &datagram);
        return;
    }
    let id = 0x4000 + wire.frames.len() as u16;
    for (start, end, more) in [(0, 1200, 0x2000u16), (1200, datagram.len(), 0)] {
        wire.ip(A, B, 17, &datagram[start..end]);
        let frame = &mut wire.frames.last_mut().unwrap().1;
        frame[4..6].copy_from_slice(&id.to_be_bytes());
        frame[6..8].copy_from_slice(&(more | (start / 8) as u16).to_be_bytes());
    }
}

#[test]
fn full_size_packets_that_vanish() {
    let run = |again: bool, together: bool| {
        let mut talk = Talk::default();
        talk.tunnel().call().chat(3);
        let mut wire = Wire { frames: talk.frames.clone(), now: talk.now, ..Wire::default() };
        for n in 0..5 {
            fragments(&mut wire, if again { 1 } else { n }, together);
            wire.wait(1000);
        }
        wire.judge()
    };
    let judged = run(true, false);
    judged.assert_raises("udp-fragmented", Note, Certain);
    assert_eq!(judged.diagnosis.id, "mtu-black-hole");
    let advice = judged.diagnosis.advice.unwrap();
    assert!(advice.contains("of 1500 octets, 20 IP + 8 UDP + 6 L2TP + 4 PPP leave 1462"), "{advice}");
    // Near miss: nothing is sent again.
    let judged = run(false, false);
    judged.assert_raises("udp-fragmented", Note, Certain);
    assert_eq!(judged.diagnosis.id, "outer-fragmentation");
    run(true, true).assert_quiet("udp-fragmented");
}

#[test]
fn an_mru_that_does_not_fit() {
    let run = |mru: u16, pieces: bool| {
        let mut option = vec![1, 4];
        option.extend(mru.to_be_bytes());
        let mut talk = Talk { addresses: [A, B], ..Talk::default() };
        talk.tunnel().call();
        talk.data(LAC, &ppp::packet(ppp::LCP, ppp::REQUEST, 1, &option));
        talk.data(LNS, &ppp::packet(ppp::LCP, ppp::REQUEST, 1, &option));
        talk.data(LNS, &ppp::packet(ppp::LCP, ppp::ACK, 1, &option));
        talk.data(LAC, &ppp::packet(ppp::LCP, ppp::ACK, 1, &option)).chat(2);
        let mut wire = Wire { frames: talk.frames, now: talk.now, ..Wire::default() };
        for sequence in 0..3 {
            fragments(&mut wire, sequence, !pieces);
        }
        wire.judge()
    };
    run(1500, true).assert_raises("ppp-mru-too-big", Warning, Possible);
    run(1462, true).assert_quiet("ppp-mru-too-big");
    run(1500, false).assert_quiet("ppp-mru-too-big");
}

#[test]
fn an_answer_from_another_address() {
    const RULE: &str = "udp-address-changed-in-sccrp";
    let run = |address: [u8; 4], goes_on: bool| {
        let mut talk = Talk::default();
        talk.send(LAC, SCCRQ);
        talk.addresses[LNS] = address;
        talk.send(LNS, SCCRP);
        if goes_on {
            talk.send(LAC, SCCCN).zlb(LNS).call().chat(2);
        }
        talk.judge()
    };
    let judged = run([198, 51, 100, 2], false);
    assert!(judged.assert_raises(RULE, Warning, Possible).seen.contains("198.51.100.1"));
    run([198, 51, 100, 2], true).assert_raises(RULE, Note, Certain);
    // Near miss: the same address from another port is another matter.
    run([198, 51, 100, 1], true).assert_quiet(RULE);
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ);
    talk.ports[LNS] = 60_000;
    talk.send(LNS, SCCRP).judge().assert_quiet(RULE);
}
