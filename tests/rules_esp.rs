//! Rules on ESP, IKE, UDP and protection: each is raised by one conversation, and not by another that nearly breaks it.

mod common;

use common::*;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::{Sad, keys};
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};
use l2tp_inspect::rules::{self, Case};
use l2tp_inspect::util::{Frame, LinkType, Printable, Timestamp};

const A: [u8; 4] = [192, 0, 2, 10];
const B: [u8; 4] = [198, 51, 100, 1];

/// Packets between two hosts, without a key unless one is given.
#[derive(Default)]
struct Wire {
    frames: Vec<(i64, Vec<u8>)>,
    now: i64,
    keys: String,
}

impl Wire {
    fn wait(&mut self, millis: i64) -> &mut Self {
        self.now += millis;
        self
    }

    fn ip(&mut self, from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> &mut Self {
        let mut out = vec![0x45, 0];
        out.extend((20 + payload.len() as u16).to_be_bytes());
        out.extend((self.frames.len() as u16).to_be_bytes());
        out.extend([0, 0, 64, protocol, 0, 0]);
        out.extend(from);
        out.extend(to);
        out.extend(payload);
        self.frames.push((self.now, out));
        self.now += 10;
        self
    }

    fn udp(&mut self, from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> &mut Self {
        self.ip(from.0, to.0, 17, &udp(from.1, to.1, payload))
    }

    /// ESP of sealed octets.
    fn esp(&mut self, from: [u8; 4], to: [u8; 4], spi: u32, sequence: u32) -> &mut Self {
        let payload = esp(spi, sequence, &sequence.to_be_bytes().repeat(12));
        self.ip(from, to, 50, &payload)
    }

    fn natt(&mut self, from: ([u8; 4], u16), to: ([u8; 4], u16), spi: u32, sequence: u32) -> &mut Self {
        let payload = esp(spi, sequence, &sequence.to_be_bytes().repeat(12));
        self.udp(from, to, &payload)
    }

    /// NULL encryption without an ICV: what stands in it can be chosen.
    fn null(&mut self, spi: u32, sequence: u32, next_header: u8, inside: &[u8], padding: &[u8]) -> &mut Self {
        let trailer = [padding, &[padding.len() as u8, next_header]].concat();
        self.ip(A, B, 50, &esp(spi, sequence, &[inside, &trailer].concat()))
    }

    fn null_keys(&mut self, spi: u32) -> &mut Self {
        self.keys += &format!(
            "\"IPv4\",\"192.0.2.10\",\"198.51.100.1\",\"{spi:#010x}\",\"NULL\",\"\",\"NULL\",\"\"\n"
        );
        self
    }

    fn ike(&mut self, from: usize, message: &[u8]) -> &mut Self {
        let ends = [(A, 500), (B, 500)];
        self.udp(ends[from], ends[1 - from], message)
    }

    fn judge(&self) -> Judged {
        let sad = if self.keys.is_empty() {
            Sad::default()
        } else {
            Sad::build([keys::parse(&Printable::from_text("keys"), self.keys.as_bytes()).unwrap()]).unwrap()
        };
        let mut inspector = Inspector::new(&sad, Limits::default());
        for (number, (millis, octets)) in (1..).zip(&self.frames) {
            inspector.push(&Frame {
                number,
                time: Timestamp(millis * 1_000_000),
                link: LinkType::RAW,
                interface: 0,
                data: octets,
                original_len: octets.len() as u32,
                offset: 0,
            });
        }
        let analysis = inspector.finish();
        let case = Case {
            analysis: &analysis,
            sad: &sad,
            damage: None,
            drops: 0,
            left_out: 0,
            profile: rules::Profile::Interop,
        };
        let findings = rules::judge(&case);
        let diagnosis = rules::diagnose(&case, &findings);
        Judged { analysis, findings, diagnosis }
    }
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    out.extend((8 + payload.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

fn esp(spi: u32, sequence: u32, payload: &[u8]) -> Vec<u8> {
    [&spi.to_be_bytes(), &sequence.to_be_bytes(), payload].concat()
}

/// An IKE message with these payloads: type and body.
fn ike(
    version: u8,
    spis: (u64, u64),
    exchange: u8,
    flags: u8,
    id: u32,
    payloads: &[(u8, Vec<u8>)],
) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, (_, octets)) in payloads.iter().enumerate() {
        let next = payloads.get(at + 1).map_or(0, |(kind, _)| *kind);
        body.extend([next, 0]);
        body.extend((4 + octets.len() as u16).to_be_bytes());
        body.extend(octets);
    }
    let first = payloads.first().map_or(0, |(kind, _)| *kind);
    let mut out = [spis.0.to_be_bytes(), spis.1.to_be_bytes()].concat();
    out.extend([first, version << 4, exchange, flags]);
    out.extend(id.to_be_bytes());
    out.extend((28 + body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}

const MAIN: u8 = 2;
const QUICK: u8 = 32;

/// The Security Association payload of main mode with one transform: 3DES, SHA, this group.
fn phase_1(group: u8) -> (u8, Vec<u8>) {
    let attributes = [0x80, 1, 0, 5, 0x80, 2, 0, 2, 0x80, 4, 0, group, 0x80, 3, 0, 1];
    let transform = [&[0, 0, 0, 8 + attributes.len() as u8, 1, 1, 0, 0][..], &attributes].concat();
    let proposal = [&[0, 0, 0, 8 + transform.len() as u8, 1, 1, 0, 1][..], &transform].concat();
    (1, [&[0, 0, 0, 1, 0, 0, 0, 1][..], &proposal].concat())
}

fn refusal(kind: u16) -> (u8, Vec<u8>) {
    (11, [&[0, 0, 0, 1, 1, 0][..], &kind.to_be_bytes()].concat())
}

/// Main mode up to message 4, then these encrypted messages of main mode.
fn main_mode(wire: &mut Wire, group: u8) -> &mut Wire {
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(group)]))
        .ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[phase_1(group)]))
        .ike(0, &ike(1, (7, 9), MAIN, 0, 0, &[(4, vec![1; 128])]))
        .ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[(4, vec![2; 128])]))
}

fn sealed(exchange: u8, id: u32, octets: u8) -> Vec<u8> {
    ike(1, (7, 9), exchange, 1, id, &[(5, vec![octets; 36])])
}

fn agreed(wire: &mut Wire) -> &mut Wire {
    main_mode(wire, 14).ike(0, &sealed(MAIN, 0, 3)).ike(1, &sealed(MAIN, 0, 4));
    wire.ike(0, &sealed(QUICK, 77, 5)).ike(1, &sealed(QUICK, 77, 6)).ike(0, &sealed(QUICK, 77, 7))
}

#[test]
fn esp_in_one_direction() {
    let mut wire = Wire::default();
    agreed(&mut wire);
    for n in 1..6 {
        wire.esp(A, B, 0x1000, n).wait(3000);
    }
    let judged = wire.judge();
    judged.assert_raises("esp-one-way", Error, Certain);
    assert_eq!(judged.diagnosis.id, "esp-blocked");
    // Near miss: one packet comes back.
    let mut answered = Wire { frames: wire.frames.clone(), now: wire.now, ..Wire::default() };
    answered.esp(B, A, 0x2000, 1).judge().assert_quiet("esp-one-way");
    // Near miss: neither IKE nor a key file says that anything should come back.
    let mut alone = Wire::default();
    for n in 1..6 {
        alone.esp(A, B, 0x1000, n).wait(3000);
    }
    alone.judge().assert_quiet("esp-one-way");
    // Only a key file says so: a capture of one direction would look the same.
    alone.keys =
        String::from("\"IPv4\",\"198.51.100.1\",\"192.0.2.10\",\"0x00002000\",\"NULL\",\"\",\"NULL\",\"\"\n");
    alone.judge().assert_raises("esp-one-way", Error, Possible);
}

#[test]
fn numbers_of_esp() {
    let run = |numbers: &[u32]| {
        let mut wire = Wire::default();
        for n in numbers {
            wire.esp(A, B, 0x1000, *n);
        }
        wire.judge()
    };
    run(&[0, 1, 2]).assert_raises("esp-seq-zero", Error, Certain);
    run(&[1, 2]).assert_quiet("esp-seq-zero");
    // A wrap passes 0 too; without a key it may be the lower half of an extended number.
    let judged = run(&[u32::MAX - 1, u32::MAX, 0, 1]);
    judged.assert_raises("esp-seq-wrap", Error, Possible);
    judged.assert_raises("esp-seq-zero", Error, Possible);
    run(&[u32::MAX - 1, u32::MAX]).assert_quiet("esp-seq-wrap");
    run(&[1, 2, 3, 2]).assert_raises("esp-replay", Error, Certain);
    run(&[1, 3, 2]).assert_quiet("esp-replay");
    run(&[1, 2, 5]).assert_raises("esp-seq-gap", Note, Possible);
    run(&[1, 3, 2, 4]).assert_quiet("esp-seq-gap");
    // Behind the default window, and just inside.
    let late = |behind: u32| run(&[1, 2, 200, 200 - behind]);
    late(64).assert_raises("esp-outside-window", Warning, Possible);
    late(63).assert_quiet("esp-outside-window");
    // So far behind that nobody knows: no replay is said.
    let judged = run(&[1, 2, 1000, 700]);
    judged.assert_raises("esp-outside-window", Warning, Possible);
    judged.assert_quiet("esp-replay");
}

#[test]
fn a_reserved_spi() {
    let mut wire = Wire::default();
    wire.esp(A, B, 255, 1).judge().assert_raises("esp-spi-reserved", Error, Possible);
    let mut wire = Wire::default();
    wire.esp(A, B, 256, 1).judge().assert_quiet("esp-spi-reserved");
}

#[test]
fn what_is_inside_esp() {
    let inside = udp(1701, 1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21, 0, 0]);
    let run = |next_header: u8, inside: &[u8], padding: &[u8], n: u32| {
        let mut wire = Wire::default();
        wire.null_keys(0x1000);
        for sequence in 1..=n {
            wire.null(0x1000, sequence, next_header, inside, padding);
        }
        wire.judge()
    };
    let judged = run(17, &inside, &[1, 2], 4);
    judged.assert_raises("sec-esp-null-encryption", Warning, Certain);
    judged.assert_quiet("esp-next-header-unexpected");
    judged.assert_quiet("esp-tfc-padding");
    run(47, &inside, &[1, 2], 4).assert_raises("esp-next-header-unexpected", Warning, Certain);
    run(1, &inside, &[1, 2], 4).assert_raises("esp-next-header-unexpected", Note, Certain);
    let longer = [&inside[..], &[0; 8]].concat();
    run(17, &longer, &[1, 2], 4).assert_raises("esp-tfc-padding", Note, Certain);
    // Without an ICV wrong padding means a wrong key.
    run(17, &inside, &[9, 9], 4).assert_raises("esp-key-does-not-fit", Error, Certain);
}

#[test]
fn null_encryption_without_a_key() {
    let inside = udp(1701, 1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21, 0, 0]);
    let run = |packets: u32, legible: u32| {
        let mut wire = Wire::default();
        for sequence in 1..=packets {
            let padding: &[u8] = if sequence <= legible { &[1, 2] } else { &[7, 7] };
            wire.null(0x1000, sequence, 17, &inside, padding);
        }
        wire.judge()
    };
    run(3, 3).assert_raises("sec-esp-null-encryption", Warning, Possible);
    run(2, 2).assert_quiet("sec-esp-null-encryption");
    run(4, 3).assert_quiet("sec-esp-null-encryption");
}

#[test]
fn ike_without_an_answer() {
    let first = ike(1, (7, 0), MAIN, 0, 0, &[phase_1(14)]);
    let mut wire = Wire::default();
    wire.ike(0, &first).wait(4000).ike(0, &first).wait(8000).ike(0, &first);
    let judged = wire.judge();
    judged.assert_raises("ike-no-response", Error, Certain);
    assert_eq!(judged.diagnosis.id, "ike-no-answer");
    let mut wire = Wire::default();
    wire.ike(0, &first).wait(4000).ike(0, &first).judge().assert_raises("ike-no-response", Error, Possible);
    let mut wire = Wire::default();
    wire.ike(0, &first).judge().assert_quiet("ike-no-response");
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).judge().assert_quiet("ike-no-response");
}

#[test]
fn proposals_that_are_refused() {
    let mut wire = Wire::default();
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(2)]));
    wire.ike(1, &ike(1, (7, 9), 5, 0, 3, &[refusal(14)]));
    let judged = wire.judge();
    let found = judged.assert_raises("ike-no-proposal-chosen", Error, Certain);
    assert!(found.seen.contains("3DES-CBC SHA 1024-bit MODP"), "{}", found.seen);
    assert_eq!(judged.diagnosis.id, "no-proposal-chosen");
    // Near miss: another notification, which is told as what it is.
    let mut wire = Wire::default();
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(2)]));
    wire.ike(1, &ike(1, (7, 9), 5, 0, 3, &[refusal(16)]));
    let judged = wire.judge();
    judged.assert_quiet("ike-no-proposal-chosen");
    judged.assert_raises("ike-refused", Note, Possible);
}

#[test]
fn authentication_of_ike() {
    let proof = sealed(MAIN, 0, 3);
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).ike(0, &proof).wait(4000).ike(0, &proof).wait(8000).ike(0, &proof);
    let judged = wire.judge();
    judged.assert_raises("ike-auth-failed", Error, Possible);
    assert_eq!(judged.diagnosis.id, "psk-mismatch");
    // In the clear it is certain.
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).ike(1, &ike(1, (7, 9), 5, 0, 3, &[refusal(24)]));
    wire.judge().assert_raises("ike-auth-failed", Error, Certain);
    // Near miss: message 5 was sent again, and answered.
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).ike(0, &proof).wait(4000).ike(0, &proof).ike(1, &sealed(MAIN, 0, 4));
    wire.ike(0, &sealed(QUICK, 77, 5)).ike(1, &sealed(QUICK, 77, 6)).ike(0, &sealed(QUICK, 77, 7));
    wire.judge().assert_quiet("ike-auth-failed");
    // Near miss: the same ends agreed at another time.
    let mut wire = Wire::default();
    agreed(&mut wire).wait(10_000);
    wire.ike(0, &ike(1, (8, 0), MAIN, 0, 0, &[phase_1(14)]));
    wire.ike(1, &ike(1, (8, 10), MAIN, 0, 0, &[phase_1(14)]));
    let again = ike(1, (8, 10), MAIN, 1, 0, &[(5, vec![3; 36])]);
    wire.ike(0, &again).wait(4000).ike(0, &again).judge().assert_quiet("ike-auth-failed");
}

#[test]
fn resends_of_ike() {
    let first = ike(1, (7, 0), MAIN, 0, 0, &[phase_1(14)]);
    let mut wire = Wire::default();
    wire.ike(0, &first).wait(4000).ike(0, &first).wait(8000).ike(0, &first);
    wire.ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[phase_1(14)]));
    wire.judge().assert_raises("ike-retransmit", Note, Possible);
    let mut wire = Wire::default();
    agreed(&mut wire).judge().assert_quiet("ike-retransmit");
}

#[test]
fn a_rekey_without_an_answer() {
    let run = |answered: bool, after: i64| {
        let mut wire = Wire::default();
        agreed(&mut wire).esp(A, B, 0x1000, 1).esp(B, A, 0x2000, 1).wait(60_000);
        let request = sealed(QUICK, 88, 5);
        wire.ike(0, &request).wait(4000).ike(0, &request).wait(8000).ike(0, &request);
        if answered {
            wire.ike(1, &sealed(QUICK, 88, 6)).ike(0, &sealed(QUICK, 88, 7));
        }
        wire.esp(A, B, 0x1000, 2).wait(after).ip(A, B, 89, &[0; 20]);
        wire.judge()
    };
    let judged = run(false, 20_000);
    judged.assert_raises("ike-rekey-failed", Error, Possible);
    assert_eq!(judged.diagnosis.id, "rekey-failure");
    run(true, 20_000).assert_quiet("ike-rekey-failed");
    // Near miss: ESP goes on until the capture ends.
    run(false, 1000).assert_quiet("ike-rekey-failed");
}

#[test]
fn a_peer_that_is_not_there() {
    let ask = |id| ike(2, (7, 9), 37, 8, id, &[(46, vec![0; 40])]);
    let run = |copies: i64, answered: bool| {
        let mut wire = Wire::default();
        for _ in 0..copies {
            wire.ike(0, &ask(5)).wait(4000);
        }
        if answered {
            wire.ike(1, &ike(2, (7, 9), 37, 0x20, 5, &[(46, vec![0; 40])]));
        }
        wire.judge()
    };
    run(3, false).assert_raises("ike-dpd-timeout", Error, Possible);
    run(3, true).assert_quiet("ike-dpd-timeout");
    run(2, false).assert_quiet("ike-dpd-timeout");
    // IKEv1 says what it asks.
    let mut wire = Wire::default();
    for id in 1..4 {
        wire.ike(0, &ike(1, (7, 9), 5, 0, id, &[refusal(36136)])).wait(4000);
    }
    wire.judge().assert_raises("ike-dpd-timeout", Error, Certain);
    wire.ike(1, &ike(1, (7, 9), 5, 0, 9, &[refusal(36137)]));
    wire.judge().assert_quiet("ike-dpd-timeout");
}

#[test]
fn groups_that_are_too_small() {
    let mut wire = Wire::default();
    main_mode(&mut wire, 2).judge().assert_raises("sec-weak-group", Note, Certain);
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).judge().assert_quiet("sec-weak-group");
    // Near miss: offered, and not chosen.
    let mut wire = Wire::default();
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(2)]));
    wire.judge().assert_quiet("sec-weak-group");
}

#[test]
fn another_group_is_asked_for() {
    let run = |kind: u8| {
        let mut wire = Wire::default();
        wire.ike(0, &ike(2, (7, 0), 34, 8, 0, &[(40, vec![0; 16])]));
        wire.ike(1, &ike(2, (7, 0), 34, 0x20, 0, &[(41, vec![0, 0, 0, kind, 0, 14])]));
        wire.judge()
    };
    run(17).assert_raises("ike-invalid-ke", Note, Certain);
    run(7).assert_quiet("ike-invalid-ke");
}

#[test]
fn a_leak_beside_the_sa() {
    let clear = |wire: &mut Wire| {
        let mut talk = Talk::default();
        talk.tunnel().call().chat(2);
        let start = wire.now;
        wire.frames.extend(talk.frames.into_iter().map(|(time, octets)| (time + start, octets)));
    };
    let mut wire = Wire::default();
    clear(agreed(&mut wire));
    let judged = wire.judge();
    judged.assert_raises("sec-leak-with-sa", Error, Certain);
    assert_eq!(judged.diagnosis.id, "plaintext-leak");
    // Near miss: IKE did not come to an SA.
    let mut wire = Wire::default();
    clear(main_mode(&mut wire, 14));
    wire.judge().assert_quiet("sec-leak-with-sa");
    // Near miss: L2TP was there first.
    let mut wire = Wire::default();
    clear(&mut wire);
    wire.wait(10_000);
    agreed(&mut wire).judge().assert_quiet("sec-leak-with-sa");
}

const NAT: [u8; 4] = [203, 0, 113, 1];

#[test]
fn two_clients_behind_one_nat() {
    let run = |second_port: u16, old_goes_on: bool| {
        let mut wire = Wire::default();
        for n in 1..4 {
            wire.natt((NAT, 4500), (B, 4500), 0x1000, n).natt((B, 4500), (NAT, 4500), 0x2000, n).wait(500);
        }
        for n in 1..8 {
            wire.natt((NAT, second_port), (B, 4500), 0x3000, n);
            wire.natt((B, 4500), (NAT, second_port), 0x4000, n);
            wire.natt((NAT, 4500), (B, 4500), 0x1000, n + 3).wait(1500);
            if old_goes_on {
                wire.natt((B, 4500), (NAT, 4500), 0x2000, n + 3);
            }
        }
        wire.judge()
    };
    let judged = run(6410, false);
    judged.assert_raises("sec-nat-port-collision", Warning, Possible);
    assert_eq!(judged.diagnosis.id, "two-clients-one-nat");
    run(6410, true).assert_quiet("sec-nat-port-collision");
    // Near miss: the same port, so it is a rekey.
    run(4500, false).assert_quiet("sec-nat-port-collision");
}

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
    talk.chat(2).judge().assert_raises("udp-port-changed", Error, Possible);
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

/// The Security Association payload of quick mode: ESP with this SPI and Encapsulation Mode.
fn phase_2(spi: u32, mode: u8) -> (u8, Vec<u8>) {
    let attributes = [0x80, 1, 0, 1, 0x80, 2, 0x0e, 0x10, 0x80, 4, 0, mode, 0x80, 5, 0, 2];
    let transform = [&[0, 0, 0, 8 + attributes.len() as u8, 1, 12, 0, 0][..], &attributes].concat();
    let mut proposal = vec![0, 0, 0, 12 + transform.len() as u8, 1, 3, 4, 1];
    proposal.extend(spi.to_be_bytes());
    proposal.extend(transform);
    (1, [&[0, 0, 0, 1, 0, 0, 0, 1][..], &proposal].concat())
}

/// The identity of quick mode: UDP and this port of an address.
fn selector(address: [u8; 4], port: u16) -> (u8, Vec<u8>) {
    let mut out = vec![1, 17];
    out.extend(port.to_be_bytes());
    out.extend(address);
    (5, out)
}

/// Main mode and a quick mode that can be read.
fn open_quick(wire: &mut Wire, mode: u8, port: u16) -> &mut Wire {
    main_mode(wire, 14).ike(0, &sealed(MAIN, 0, 3)).ike(1, &sealed(MAIN, 0, 4));
    let message = |spi| {
        let payloads = [phase_2(spi, mode), selector(A, port), selector(B, port)];
        ike(1, (7, 9), QUICK, 0, 77, &payloads)
    };
    wire.ike(0, &message(0x2000)).ike(1, &message(0x1000)).ike(0, &ike(1, (7, 9), QUICK, 0, 77, &[]))
}

fn delete(spi: u32) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 3, 4, 0, 1];
    body.extend(spi.to_be_bytes());
    ike(1, (7, 9), 5, 0, 99, &[(12, body)])
}

#[test]
fn child_sas_and_their_esp() {
    let mut wire = Wire::default();
    open_quick(&mut wire, 2, 1701).esp(A, B, 0x1000, 1).esp(B, A, 0x2000, 1);
    let judged = wire.judge();
    let child = &judged.analysis.ike[0].children[0];
    assert_eq!(child.spis.map(|spi| spi.map(|spi| spi.0)), [Some(0x2000), Some(0x1000)]);
    assert_eq!((child.lifetime, child.encapsulation), (Some(3600), Some(2)));
    judged.assert_quiet("esp-seq-first");
    judged.assert_quiet("esp-unknown-spi");
    // The first number of an SA that was made here is not 1.
    let mut wire = Wire::default();
    open_quick(&mut wire, 2, 1701).esp(A, B, 0x1000, 3).esp(B, A, 0x2000, 1);
    wire.judge().assert_raises("esp-seq-first", Note, Possible);
    // ESP goes on after the Delete.
    let mut wire = Wire::default();
    open_quick(&mut wire, 2, 1701).esp(A, B, 0x1000, 1).esp(B, A, 0x2000, 1).ike(1, &delete(0x1000));
    wire.wait(1000).esp(A, B, 0x1000, 2).judge().assert_quiet("esp-unknown-spi");
    wire.wait(5000).esp(A, B, 0x1000, 3).judge().assert_raises("esp-unknown-spi", Warning, Certain);
}

#[test]
fn selectors_that_do_not_fit() {
    let run = |port: u16| {
        let mut wire = Wire::default();
        open_quick(&mut wire, 2, port);
        let mut talk = Talk::default();
        talk.tunnel();
        wire.frames.extend(talk.frames.into_iter().map(|(time, octets)| (time + wire.now, octets)));
        wire.judge()
    };
    run(1702).assert_raises("sec-selector-mismatch", Error, Certain);
    run(1701).assert_quiet("sec-selector-mismatch");
    // Port 0 is any.
    run(0).assert_quiet("sec-selector-mismatch");
}

#[test]
fn nat_detection() {
    let run = |hash: fn(&[u8]) -> Vec<u8>, mode: u8, in_udp: bool| {
        let mut wire = Wire::default();
        wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(14)]));
        wire.ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[phase_1(14)]));
        let end = |address: [u8; 4]| {
            [&[0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9][..], &address, &[1, 0xf4]].concat()
        };
        let hashes = |from, to| vec![(4, vec![1; 128]), (20, hash(&end(to))), (20, hash(&end(from)))];
        wire.ike(0, &ike(1, (7, 9), MAIN, 0, 0, &hashes(A, B)));
        wire.ike(1, &ike(1, (7, 9), MAIN, 0, 0, &hashes(B, A)));
        let message = |spi| ike(1, (7, 9), QUICK, 0, 77, &[phase_2(spi, mode)]);
        wire.ike(0, &message(0x2000)).ike(1, &message(0x1000));
        if in_udp {
            wire.natt((A, 4500), (B, 4500), 0x1000, 1);
        } else {
            wire.esp(A, B, 0x1000, 1);
        }
        wire.judge()
    };
    let true_hash: fn(&[u8]) -> Vec<u8> =
        |parts| l2tp_inspect::ipsec::ike_keys::address_hash(20, &[parts]).unwrap();
    let other: fn(&[u8]) -> Vec<u8> = |_| vec![7; 20];
    let judged = run(true_hash, 2, false);
    assert_eq!(judged.analysis.ike[0].nat(), Some("none"));
    judged.assert_quiet("sec-nat-t-needed");
    judged.assert_quiet("sec-encap-mode-wrong");
    let judged = run(other, 2, false);
    assert_eq!(judged.analysis.ike[0].nat(), Some("both"));
    judged.assert_raises("sec-nat-t-needed", Error, Certain);
    judged.assert_raises("sec-encap-mode-wrong", Warning, Possible);
    let judged = run(other, 4, true);
    judged.assert_quiet("sec-nat-t-needed");
    judged.assert_quiet("sec-encap-mode-wrong");
    run(true_hash, 4, true).assert_raises("sec-encap-mode-wrong", Warning, Possible);
}

#[test]
fn an_sa_that_outlives_its_rekey() {
    let run = |beside: u32| {
        let mut wire = Wire::default();
        for n in 1..5 {
            wire.esp(A, B, 0x1000, n).wait(1000);
        }
        for n in 1..60 {
            wire.esp(A, B, 0x3000, n).wait(1000);
            if n <= beside {
                wire.esp(A, B, 0x1000, 4 + n);
            }
        }
        wire.judge()
    };
    let judged = run(15);
    judged.assert_raises("esp-old-sa-in-use", Note, Possible);
    assert!(judged.analysis.flows[1].replaces.is_some());
    run(3).assert_quiet("esp-old-sa-in-use");
    // Near miss: both are used to the end, so neither took the place of the other.
    let judged = run(59);
    judged.assert_quiet("esp-old-sa-in-use");
    assert!(judged.analysis.flows[1].replaces.is_none());
}

#[test]
fn protection_by_its_key_file() {
    let suite = |encryption: &str, key: usize, integrity: &str, mac: usize| {
        let hex = |octets: usize| format!("0x{}", "0f".repeat(octets));
        let keys = format!(
            "\"IPv4\",\"192.0.2.10\",\"198.51.100.1\",\"0x00001000\",\"{encryption}\",\"{}\",\"{integrity}\",\"{}\"\n",
            if key == 0 { String::new() } else { hex(key) },
            if mac == 0 { String::new() } else { hex(mac) }
        );
        let mut wire = Wire { keys, ..Wire::default() };
        wire.esp(A, B, 0x1000, 1).judge()
    };
    // What was not opened says nothing of its suite.
    suite("DES-CBC [RFC2405]", 8, "HMAC-MD5-96 [RFC2403]", 16).assert_quiet("sec-weak-cipher");
    suite("AES-CBC [RFC3602]", 16, "NULL", 0).assert_quiet("sec-no-integrity");
    let weak = samples::judge("softether/ipsec-3des-sha1");
    assert!(weak.iter().any(|rule| rule == "sec-weak-cipher"), "{weak:?}");
    let strong = samples::judge("l2tp-ipsec/aes128-sha1");
    assert!(!strong.iter().any(|rule| rule.starts_with("sec-")), "{strong:?}");
    let tunnel = samples::judge("l2tp-ipsec/tunnelmode");
    assert!(tunnel.iter().any(|rule| rule == "sec-tunnel-mode"), "{tunnel:?}");
}

/// Real traces, where a conversation would need a cipher.
mod samples {
    pub fn judge(name: &str) -> Vec<String> {
        let path = format!("{}/testdata/captures/{name}", env!("CARGO_MANIFEST_DIR"));
        let output = super::tool(&[
            "-T",
            "json",
            &format!("{path}/outer.pcap"),
            "-k",
            &format!("{path}/lac-xfrm-state.txt"),
        ]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["captures"][0]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    }
}

/// Two hosts whose ESP has NULL encryption and HMAC-SHA1-96, so that packets with a good ICV can be made here.
mod proven {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    const KEY: [u8; 20] = [0x0f; 20];

    pub fn keys() -> String {
        let key = "0f".repeat(20);
        let line = |from: &str, to: &str, spi: u32| {
            format!(
                "\"IPv4\",\"{from}\",\"{to}\",\"{spi:#010x}\",\"NULL\",\"\",\"HMAC-SHA-1-96 [RFC2404]\",\"0x{key}\"\n"
            )
        };
        line("192.0.2.10", "198.51.100.1", 0x1000) + &line("198.51.100.1", "192.0.2.10", 0x2000)
    }

    pub fn send(wire: &mut Wire, from: usize, sequence: u32, inside: &[u8], padding: &[u8]) {
        let trailer = [padding, &[padding.len() as u8, 17]].concat();
        let (ends, spis) = ([A, B], [0x1000, 0x2000]);
        let packet = esp(spis[from], sequence, &[inside, &trailer].concat());
        let mut mac = Hmac::<Sha1>::new_from_slice(&KEY).unwrap();
        mac.update(&packet);
        let icv = mac.finalize().into_bytes();
        wire.ip(ends[from], ends[1 - from], 50, &[&packet[..], &icv[..12]].concat());
    }
}

#[test]
fn padding_behind_a_good_icv() {
    let inside = udp(1701, 1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21, 0, 0]);
    let run = |padding: &[u8]| {
        let mut wire = Wire { keys: proven::keys(), ..Wire::default() };
        for sequence in 1..5 {
            proven::send(&mut wire, 0, sequence, &inside, padding);
        }
        wire.judge()
    };
    run(&[0, 0]).assert_raises("esp-padding-bad", Warning, Certain);
    run(&[1, 2]).assert_quiet("esp-padding-bad");
    run(&[]).assert_quiet("esp-padding-bad");
}

#[test]
fn sas_that_are_deleted_too_early() {
    let run = |closed_first: bool| {
        let mut wire = Wire { keys: proven::keys(), ..Wire::default() };
        open_quick(&mut wire, 2, 1701);
        let mut talk = Talk::default();
        talk.tunnel().call().chat(2);
        if closed_first {
            talk.close();
        }
        let mut numbers = [0, 0];
        for (_, frame) in &talk.frames {
            let from = usize::from(frame[12..16] != A);
            numbers[from] += 1;
            proven::send(&mut wire, from, numbers[from], &frame[20..], &[1, 2]);
        }
        wire.wait(1000).ike(1, &delete(0x1000)).wait(1000);
        wire.judge()
    };
    run(false).assert_raises("ike-delete-before-stopccn", Warning, Certain);
    run(true).assert_quiet("ike-delete-before-stopccn");
}

#[test]
fn a_flood_of_ike_fragments_is_told() {
    let run = |messages: u32| {
        let mut wire = Wire::default();
        for id in 0..messages {
            // The first fragment of a message whose others never come.
            let fragment = [&(id as u16).to_be_bytes()[..], &[1, 0], &[0; 16]].concat();
            wire.ike(0, &ike(1, (7, 9), MAIN, 0, 0, &[(132, fragment)]));
        }
        wire.judge()
    };
    run(70).assert_raises("cap-limit-reached", Warning, Certain);
    run(60).assert_quiet("cap-limit-reached");
}
