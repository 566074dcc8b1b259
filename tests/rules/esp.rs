//! Rules on ESP and on protection by IPsec: each is raised by one conversation, and not by another that nearly breaks it.

use crate::common::wire::*;
use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

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
}

/// Real captures, where a conversation would need a cipher.
#[test]
fn protection_of_real_captures() {
    let weak = sampled("softether/ipsec-3des-sha1");
    weak.assert_raises("sec-weak-cipher", Note, Certain);
    let tunnel = sampled("l2tp-ipsec/tunnelmode");
    tunnel.assert_raises("sec-tunnel-mode", Note, Certain);
    let strong = sampled("l2tp-ipsec/aes128-sha1");
    strong.assert_all_quiet(&["sec-weak-cipher", "sec-tunnel-mode", "sec-no-integrity", "sec-l2tp-in-clear"]);
    strong.assert_all_quiet(&["cap-truncated", "key-unused"]);
}

fn sampled(name: &str) -> Judged {
    let sample = crate::samples::sample(name);
    let frames = crate::samples::frames(&sample.capture()).unwrap().0;
    let frames: Vec<_> = frames.iter().map(crate::samples::Held::frame).collect();
    judge_all(&frames, &sample.sad())
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
