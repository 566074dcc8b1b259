//! Rules on IKE and the SAs it makes: each is raised by one conversation, and not by another that nearly breaks it.

use crate::common::wire::*;
use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

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
    agreed(&mut Wire::default()).judge().assert_quiet("ike-refused");
}

#[test]
fn proposals_of_quick_mode_that_are_refused() {
    let quick = |id: u32, octets| sealed(QUICK, id, octets);
    let mut wire = Wire::default();
    main_mode(&mut wire, 14).ike(0, &sealed(MAIN, 0, 3)).ike(1, &sealed(MAIN, 0, 4));
    wire.ike(0, &quick(77, 5)).ike(1, &ike(1, (7, 9), 5, 0, 3, &[refusal(14)]));
    let judged = wire.judge();
    let found = judged.assert_raises("ike-no-proposal-chosen", Error, Certain);
    assert!(found.title.contains("quick mode"), "{}", found.title);
    assert_eq!(judged.diagnosis.id, "no-proposal-chosen");
    assert!(judged.diagnosis.sentence.contains("quick mode"), "{}", judged.diagnosis.sentence);
    // Near miss: the next quick mode was agreed on.
    wire.ike(0, &quick(78, 6)).ike(1, &quick(78, 7)).ike(0, &quick(78, 8));
    let judged = wire.judge();
    judged.assert_quiet("ike-no-proposal-chosen");
    judged.assert_raises("ike-refused", Note, Certain);
    // Near miss: a refusal from somebody else, after which main mode went on.
    let mut wire = Wire::default();
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(14)]));
    wire.ike(1, &ike(1, (7, 9), 5, 0, 3, &[refusal(14)]));
    main_mode(&mut wire, 14).judge().assert_quiet("ike-no-proposal-chosen");
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
    // Both ends ask by turns, and only the initiator answers.
    let says = |from: usize, id: u32, kind: u16, number: u32| {
        let body = [&[0, 0, 0, 1, 1, 0][..], &kind.to_be_bytes(), &number.to_be_bytes()].concat();
        (from, ike(1, (7, 9), 5, 0, id, &[(11, body)]))
    };
    let mut wire = Wire::default();
    for round in 0..3 {
        for (from, message) in [
            says(0, 10 + round, 36136, 1 + round),
            says(1, 20 + round, 36136, 50 + round),
            says(0, 30 + round, 36137, 50 + round),
        ] {
            wire.ike(from, &message);
        }
        wire.wait(4000);
    }
    let judged = wire.judge();
    let found = judged.assert_raises("ike-dpd-timeout", Error, Certain);
    assert!(found.title.starts_with("198.51.100.1 "), "{}", found.title);
    // Near miss: the answer to the second question is for the first as well.
    let (from, message) = says(1, 40, 36137, 2);
    wire.ike(from, &message).judge().assert_quiet("ike-dpd-timeout");
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
