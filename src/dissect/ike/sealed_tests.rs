//! Messages in fragments, of both versions.

use hmac::{Hmac, KeyInit, Mac};

use super::*;
use crate::field::{Tree, Value};
use crate::ipsec::{Sad, keys};
use crate::util::Printable;

/// An IKEv2 SA without encryption, so that a test can seal.
const TABLE: &str = "0101010101010101,0202020202020202,,,\"NULL [RFC2410]\",\
                     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,\
                     \"HMAC_SHA1_96 [RFC2404]\"";

fn header(kind: u8, version: u8, exchange: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = [[1; 8], [2; 8]].concat();
    bytes.extend([kind, version, exchange, flags, 0, 0, 0, 3]);
    bytes.extend((28 + body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A fragment by the initiator; the type of the first payload stands in the first.
fn fragment(number: u8, total: u8, kind: u8, part: &[u8]) -> Vec<u8> {
    let length = (8 + part.len() + 1 + 12) as u16;
    let mut body = vec![if number == 1 { kind } else { 0 }, 0];
    body.extend(length.to_be_bytes());
    body.extend([0, number, 0, total]);
    body.extend(part);
    body.extend([0; 13]);
    let mut message = header(53, 0x20, 35, 8, &body);
    message.truncate(message.len() - 12);
    let tag = Hmac::<sha1::Sha1>::new_from_slice(&[0xaa; 20]).unwrap().chain_update(&message).finalize();
    message.extend(&tag.into_bytes()[..12]);
    message
}

/// Reads a message; what a view is told of the payloads and why it stays closed.
fn read(bytes: &[u8], sad: &Sad, state: &mut IkeState) -> (Vec<u64>, Vec<u64>, String, Vec<u16>) {
    let (mut tree, mut plain, mut layers) = (Tree::default(), Vec::new(), Layers::default());
    let mut c = Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut tree);
    let opener = Opener { keys: sad.ike(), state: Some(state), plain: &mut plain };
    let step = dissect(&mut c, &mut layers, opener);
    drop(c);
    let numbers = |name: &str| {
        let nodes = tree.nodes().iter().filter(|node| node.field.name == name);
        nodes
            .filter_map(|node| match node.value {
                Value::Number(number) | Value::Derived(number) => Some(number),
                Value::Octets => None,
            })
            .collect()
    };
    let notifies = layers.ike.map(|ike| ike.notifies).unwrap_or_default();
    (numbers("isakmp.typepayload"), numbers("isakmp.enc.sealed"), format!("{step:?}"), notifies)
}

fn sad() -> Sad {
    Sad::build([keys::parse(&Printable::from_text("table"), TABLE.as_bytes()).unwrap()]).unwrap()
}

/// A nonce and a notification, to be cut anywhere.
const PAYLOADS: [u8; 32] =
    [41, 0, 0, 20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 12, 0, 0, 0, 14, 9, 9, 9, 9];

#[test]
fn fragments_of_version_2_in_any_order() {
    let sad = sad();
    for cut in 1..31 {
        let (one, two) = PAYLOADS.split_at(cut);
        let messages = [fragment(1, 2, 40, one), fragment(2, 2, 40, two)];
        for order in [[0, 1], [1, 0]] {
            let mut state = IkeState::default();
            let first = read(&messages[order[0]], &sad, &mut state);
            assert_eq!((first.0, first.3), (vec![53], vec![]));
            let second = read(&messages[order[1]], &sad, &mut state);
            assert_eq!((second.0, second.3), (vec![53, 40, 41], vec![14]));
        }
    }
}

#[test]
fn a_fragment_that_was_changed_is_not_put_in() {
    let (sad, mut state) = (sad(), IkeState::default());
    read(&fragment(1, 2, 40, &PAYLOADS[..10]), &sad, &mut state);
    let whole = fragment(2, 2, 40, &PAYLOADS[10..]);
    for bit in 16 * 8 + 32..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 0x80 >> (bit % 8);
        let (payloads, ..) = read(&changed, &sad, &mut state);
        assert!(payloads.len() < 3, "bit {bit}");
    }
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(read(&changed, &sad, &mut state).1, [1]);
    assert_eq!(read(&whole, &sad, &mut state).0, [53, 40, 41]);
}

#[test]
fn fragments_of_version_1_become_a_message() {
    let whole = header(10, 0x10, 2, 0, &[0, 0, 0, 8, 1, 2, 3, 4]);
    let part = |number: u8, last: u8, octets: &[u8]| {
        let mut body = vec![0, 0, 0, 8 + octets.len() as u8, 0, 1, number, last];
        body.extend(octets);
        header(132, 0x10, 2, 0, &body)
    };
    let (sad, mut state) = (Sad::default(), IkeState::default());
    assert_eq!(read(&part(2, 1, &whole[20..]), &sad, &mut state).2, "Ok(End)");
    let expected = format!("Ok(Plain {{ protocol: Ike, payload: 0..{} }})", whole.len());
    assert_eq!(read(&part(1, 0, &whole[..20]), &sad, &mut state).2, expected);
}

#[test]
fn no_more_waits_than_the_limits() {
    let (sad, mut state) = (Sad::default(), IkeState::default());
    for id in 0..200u8 {
        let body = [0, 0, 0, 9, 0, id, 1, 0, 5];
        read(&header(132, 0x10, 2, 0, &body), &sad, &mut state);
    }
    assert_eq!(state.waiting(), 64);
}
