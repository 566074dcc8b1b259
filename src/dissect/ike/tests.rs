//! Messages of the lab's strongSwan, and messages that lie.

use super::*;
use crate::dissect::ppp::testing::octets;
use crate::dissect::testing::{layers_of, step};
use crate::field::{Tree, Value};
use crate::ipsec::IkeKeys;

/// Reads a message without keys.
fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let (keys, mut plain) = (IkeKeys::default(), Vec::new());
    super::dissect(c, layers, Opener { keys: &keys, state: None, plain: &mut plain })
}

fn message(version: u8, exchange: u8, next: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1; 8];
    bytes.extend([0; 8]);
    bytes.extend([next, version << 4, exchange, flags, 0, 0, 0, 0]);
    bytes.extend((28 + body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_refusal_in_the_clear_is_seen_in_both_versions() {
    let v2 = message(2, 34, 41, 0x20, &[0, 0, 0, 8, 0, 0, 0, 14]);
    let layers = layers_of(&v2, dissect);
    assert_eq!(layers.ike.map(|ike| ike.notifies), Some(vec![NO_PROPOSAL_CHOSEN]));
    let v1 = message(1, 5, 11, 0, &[0, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0, 14]);
    let layers = layers_of(&v1, dissect);
    assert_eq!(layers.ike.map(|ike| ike.notifies), Some(vec![NO_PROPOSAL_CHOSEN]));
}

#[test]
fn numbers_of_questions_and_spis_of_rekeys_are_kept() {
    let says = |message: &[u8]| layers_of(message, dissect).ike.unwrap().contents;
    // R-U-THERE with the two cookies as SPI (RFC 3706 section 5.3).
    let mut body = vec![0, 0, 0, 32, 0, 0, 0, 1, 1, 16, 0x8d, 0x28];
    body.extend([7; 16]);
    let numbered = [&body[..], &[0, 0, 1, 2]].concat();
    assert_eq!(says(&message(1, 5, 11, 0, &numbered)).dpd_number, Some(0x102));
    body[3] = 28;
    assert_eq!(says(&message(1, 5, 11, 0, &body)).dpd_number, None);
    // REKEY_SA (RFC 7296 section 1.3.3).
    let rekey = message(2, 36, 41, 8, &[0, 0, 0, 12, 3, 4, 0x40, 9, 0, 0, 0x10, 0]);
    assert_eq!(says(&rekey).rekeys.map(|spi| spi.0), Some(0x1000));
    // The same octets have the same digest, others another.
    let digest = |message: &[u8]| layers_of(message, dissect).ike.map(|ike| ike.digest);
    assert_eq!(digest(&rekey), digest(&rekey.clone()));
    assert_ne!(digest(&rekey), digest(&message(1, 5, 11, 0, &body)));
}

#[test]
fn encrypted_payloads_are_left_alone_and_loops_end() {
    assert_eq!(step(&message(1, 2, 5, 1, &[0; 3]), dissect), "End");
    assert_eq!(step(&message(2, 35, 46, 8, &[0; 3]), dissect), "End");
    assert_eq!(
        step(&message(1, 2, 1, 0, &[1, 0, 0, 0]), dissect),
        "Short isakmp.payloadlength needs 4, has 0 at 28"
    );
}

/// Aggressive mode, message 1: SA, KE, NONCE, ID and six vendor IDs.
const AGGRESSIVE: &str = "0c49934224092c2b00000000000000000110040000000000000001680400003800000001000000010000002c0101000100000024\
     0101000080010007800e0080800200028004000280030001800b0001800c3de00a000084fc47f7c87f782dcab944c18bb4ba15b38121\
     eac4f81c68d6cc058e629d5de174835ee915a4f4a05bb77e5d729cd5ef88ea4789a591cad2a49f1a0a9b6f67841137d61a51f2617a7a\
     4c1fc5e9172ecb6bdc6f17976216462b8d8ccac91db9994f5c51ef071683746367eaf6e7532c7694b63a6db7f1b2fe8785b12749061b\
     1604050000246941a218cba61c8a526cca5c624833d93d0c45098ce1099597767c6a4d7bf9f90d00000c010000000a0100020d00000c\
     09002689dfd6b7120d000014afcad71368a1f1c96b8696fc775701000d0000184048b7d56ebce88525e7de7f00d6c2d3800000000d00\
     00144a131c81070358455c5728f20e95452f0000001490cb80913ebb696e086381b5ec427b1f";

/// IKE_SA_INIT, request: SA, KE, NONCE and five notifications.
const SA_INIT: &str = "58329b65ca108bf8000000000000000021202208000000000000014c2200002c0000002801010004030000080100000303000008\
     03000001030000080200000100000008040000022800008800020000ce0ef4f301b650752fcd9f517aa4cbb6dad6a9da9f5985259c27\
     322e5619eb1577796bf95fe85b04861a235b2c1680bf50044977c8b6de3817c561b392b596e7595cac3a9c0cc93c26f8eeb7720f6ea4\
     0107b8ea65aea855647b606eb0992e95489ac05263b67abb5dbd54339ff4810e825375af5141628a4ba010ec660cca8729000024a20a\
     c4153b898299f9e1e2e074cddb6d8b052b97bb5547439bdfdf54196f12a42900001c000040044d575807b4353c74eb5549d8847073ba\
     c898ee292900001c00004005d3e028c3e05d263858e1ec73b7616a31b1ff9954290000080000402e290000100000402f000200030004\
     00050000000800004016";

/// What a view is told of a message; all shorter lengths are tried too and must not panic.
fn told(bytes: &[u8]) -> (Vec<(&'static str, Value)>, Vec<&'static str>, Option<Short>) {
    let mut tree = Tree::default();
    let mut fault = None;
    for len in 0..=bytes.len() {
        tree.clear();
        let mut c = Cursor::new(&bytes[..len], 0, 0, Bound::Capture, false, &mut tree);
        fault = dissect(&mut c, &mut Layers::default()).err();
    }
    let values = tree.nodes().iter().map(|node| (node.field.name, node.value)).collect();
    (values, tree.nodes().iter().filter_map(|node| node.title).collect(), fault)
}

fn numbers(told: &[(&'static str, Value)], name: &str) -> Vec<u64> {
    let number = |value: &Value| match value {
        Value::Number(number) | Value::Derived(number) => Some(*number),
        Value::Octets => None,
    };
    told.iter().filter(|(field, _)| *field == name).filter_map(|(_, value)| number(value)).collect()
}

fn count(told: &[(&'static str, Value)], name: &str) -> usize {
    told.iter().filter(|(field, _)| *field == name).count()
}

#[test]
fn aggressive_mode_is_read_to_the_last_payload() {
    let bytes = octets(AGGRESSIVE);
    let (told, titles, fault) = told(&bytes);
    assert!(fault.is_none());
    assert_eq!(numbers(&told, "isakmp.typepayload"), [1, 2, 3, 4, 10, 5, 13, 13, 13, 13, 13]);
    assert_eq!(numbers(&told, "isakmp.nextpayload"), [1, 4, 0, 0, 10, 5, 13, 13, 13, 13, 13, 0]);
    assert_eq!(numbers(&told, "isakmp.ike.attr.type"), [1, 14, 2, 4, 3, 11, 12]);
    assert_eq!(numbers(&told, "isakmp.ike.attr.encryption_algorithm"), [7]);
    assert_eq!(numbers(&told, "isakmp.ike.attr.key_length"), [128]);
    assert_eq!(numbers(&told, "isakmp.ike.attr.life_duration"), [15840]);
    assert_eq!(count(&told, "isakmp.id.data.ipv4_addr"), 1);
    assert_eq!(count(&told, "isakmp.datapayload") + count(&told, "isakmp.extradata"), 0);
    for name in ["XAUTH", "RFC 3706 DPD (Dead Peer Detection)", "Cisco Fragmentation", "Encryption-Algorithm"]
    {
        assert!(titles.contains(&name), "{name}");
    }
    layers_of(&bytes, dissect);
}

#[test]
fn an_ike_sa_init_is_read_to_the_last_payload() {
    let bytes = octets(SA_INIT);
    let (told, _, fault) = told(&bytes);
    assert!(fault.is_none());
    assert_eq!(numbers(&told, "isakmp.typepayload"), [33, 2, 3, 3, 3, 3, 34, 40, 41, 41, 41, 41, 41]);
    assert_eq!(numbers(&told, "isakmp.tf.id.encr"), [3]);
    assert_eq!(numbers(&told, "isakmp.tf.id.dh"), [2]);
    assert_eq!(numbers(&told, "isakmp.key_exchange.dh_group"), [2]);
    assert_eq!(numbers(&told, "isakmp.notify.data.signature_hash_algorithms"), [2, 3, 4, 5]);
    assert_eq!(numbers(&told, "isakmp.flag_i"), [1]);
    let layers = layers_of(&bytes, dissect);
    let notifies = layers.ike.map(|ike| ike.notifies);
    assert_eq!(notifies, Some(vec![16388, 16389, 16430, 16431, 16406]));
}

/// A message whose payloads have these types and bodies.
fn chained(version: u8, bodies: &[(u8, &[u8])]) -> Vec<u8> {
    let mut payloads = Vec::new();
    for (at, (_, body)) in bodies.iter().enumerate() {
        let next = bodies.get(at + 1).map_or(0, |(kind, _)| *kind);
        payloads.extend([next, 0]);
        payloads.extend((body.len() as u16 + 4).to_be_bytes());
        payloads.extend(*body);
    }
    message(version, if version == 1 { 5 } else { 37 }, bodies[0].0, 0, &payloads)
}

#[test]
fn payloads_of_version_1() {
    let bytes = chained(
        1,
        &[
            (12, &[0, 0, 0, 1, 3, 4, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2]),
            (11, &[0, 0, 0, 1, 1, 0, 0x8d, 0x28, 0, 0, 0, 5]),
            (11, &[0, 0, 0, 1, 1, 0, 0x60, 0, 0x80, 11, 0, 1, 0, 12, 0, 4, 0, 0, 0x70, 0x80]),
            (20, &[7; 20]),
            (21, &[1, 0, 0, 0, 10, 1, 0, 2]),
            (5, &[4, 17, 6, 0xa5, 10, 0, 0, 0, 255, 0, 0, 0]),
            (14, &[2, 0, 0, 5, 0x40, 0x89, 0, 3, b'm', b'p', b'a', 0x40, 0x8a, 0, 2, b'x', 0]),
            (132, &[0, 1, 2, 1, 9, 9]),
            (7, &[4]),
            (99, &[1]),
        ],
    );
    let (told, _, fault) = told(&bytes);
    assert!(fault.is_none(), "{fault:?}");
    assert_eq!(count(&told, "isakmp.delete.spi"), 2);
    assert_eq!(numbers(&told, "isakmp.notify.data.dpd.are_you_there"), [5]);
    assert_eq!(numbers(&told, "isakmp.notify.data.resp_lifetime.ike.attr.life_duration"), [28800]);
    for (name, times) in [
        ("isakmp.ike.nat_hash", 1),
        ("isakmp.ike.nat_original_address_ipv4", 1),
        ("isakmp.id.data.ipv4_subnet", 1),
        ("isakmp.cfg.attr.xauth.user_name", 1),
        ("isakmp.cfg.attr.xauth.user_password", 1),
        ("isakmp.ike.certreq.authority", 0),
        // The fragment and the unknown payload.
        ("isakmp.datapayload", 2),
    ] {
        assert_eq!(count(&told, name), times, "{name}");
    }
    assert_eq!(numbers(&told, "isakmp.frag.seq"), [2]);
}

#[test]
fn payloads_of_version_2() {
    let bytes = chained(
        2,
        &[
            (35, &[2, 0, 0, 0, b'a', b'.', b'b']),
            (39, &[14, 0, 0, 0, 2, 5, 0, 9, 9]),
            (44, &[1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 0xff, 0xff, 10, 0, 0, 0, 10, 0, 0, 255]),
            (47, &[1, 0, 0, 0, 0, 8, 0, 0, 0, 13, 0, 8, 10, 0, 0, 0, 255, 0, 0, 0]),
            (38, &[4; 41]),
            (41, &[0, 0, 0, 17, 0, 19]),
            (41, &[0, 0, 0x40, 0x17, 1, 4, 10, 0, 0, 1, 7]),
            (42, &[1, 0, 0, 0]),
            (53, &[0, 1, 0, 3, 8, 8, 8]),
        ],
    );
    let (told, _, fault) = told(&bytes);
    assert!(fault.is_none(), "{fault:?}");
    assert_eq!(numbers(&told, "isakmp.ts.end_port"), [65535]);
    assert_eq!(numbers(&told, "isakmp.notify.data.accepted_dh_group"), [19]);
    assert_eq!(
        (numbers(&told, "isakmp.frag.number"), numbers(&told, "isakmp.frag.total")),
        (vec![1], vec![3])
    );
    for (name, times) in [
        ("isakmp.id.data.fqdn", 1),
        ("isakmp.auth.data.sig.value", 1),
        ("isakmp.cfg.attr.internal_ip4_subnet_ip", 1),
        ("isakmp.ike.certreq.authority", 2),
        ("isakmp.notify.data.redirect.new_resp_gw_ident.ipv4", 1),
        ("isakmp.enc.data", 1),
    ] {
        assert_eq!(count(&told, name), times, "{name}");
    }
}

#[test]
fn a_body_that_breaks_its_format_does_not_hide_the_next_payload() {
    let bytes = chained(2, &[(44, &[1, 0, 0, 0, 7, 0, 0, 3]), (40, &[5; 16])]);
    let (told, _, fault) = told(&bytes);
    assert_eq!(fault.map(|short| short.field.name), Some("isakmp.ts.selector_length"));
    assert_eq!(count(&told, "isakmp.nonce"), 1);
    assert_eq!(step(&bytes, dissect), "Short isakmp.ts.selector_length needs 4, has 3 at 36");
}

#[test]
fn numbers_of_one_version_name_nothing_in_the_other() {
    assert_eq!((exchange_name(1, 2), exchange_name(2, 34)), ("main", "IKE_SA_INIT"));
    assert_eq!((exchange_name(2, 2), exchange_name(1, 34)), ("unknown", "unknown"));
}
