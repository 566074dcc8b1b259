//! IKE messages of the lab opened with the tables that its daemons saved. The keys are those of a test network that no
//! longer exists: strongSwan of `l2tp-ipsec/aes128-sha1` and `l2tp-natt/3des-sha1`, Libreswan of
//! `libreswan/ikev2-aes256-sha256`; the captures stand in `testdata`.

mod common;
mod samples;

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::field::{Tree, Value};
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::{Sad, keys};
use l2tp_inspect::util::Printable;
use samples::Held;

const AES: (&str, &str) = ("l2tp-ipsec/aes128-sha1", "dd23f0c628370adf,6b98e4ca079a67dd597b293a4a458eff\n");
const TRIPLE_DES: (&str, &str) =
    ("l2tp-natt/3des-sha1", "572ca16839384a25,a26da635c7aac572442e2a59dc16c5ad9412e2f4f0a29d1d\n");
const VERSION_2: (&str, &str) = (
    "libreswan/ikev2-aes256-sha256",
    "a06711c403fb647c,f9bfdf3a224a0948,42245607a5bf638874a219265d1f8dd15991729c8bce7369434a2a76511df335,\
     b27c75e4006c61a81be27f5f9fa45198db9cc911008e324a117a1cdbf2d1e294,\"AES-CBC-256 [RFC3602]\",\
     e5f86dccd58bd44b078a2f5fec2dd5ff7914d555068ff7423e48f9d2e616f358,\
     f21fcea6f2c4a8fb498b8393b294a7e7dab3d25f5c7f268965991ae129511df0,\"HMAC_SHA2_256_128 [RFC4868]\"\n",
);

fn sad(table: &str) -> Sad {
    Sad::build([keys::parse(&Printable::from_text("table"), table.as_bytes()).expect("a table")])
        .expect("keys")
}

/// The frames with IKE.
fn messages(sample: &str) -> Vec<Held> {
    let (mut frames, _) = samples::frames(&samples::sample(sample).capture()).expect("frames");
    let ike = |held: &Held| {
        let port = |at: usize| held.data.get(at..at + 2) == Some(&[1, 0xf4]);
        let marked = held.data.get(42..46) == Some(&[0; 4]) && held.data.get(23) == Some(&17);
        held.data.get(23) == Some(&17) && (port(34) || port(36) || marked)
    };
    frames.retain(ike);
    frames
}

/// Of each frame the numbers that a field has, as a view is told.
fn told(frames: &[Held], sad: &Sad, field: &str) -> Vec<Vec<u64>> {
    let mut inspector = Inspector::new(sad, Limits::default());
    let mut tree = Tree::default();
    let mut told = Vec::new();
    for held in frames {
        tree.clear();
        inspector.look(&held.frame(), &mut tree);
        let number = |value: Value| match value {
            Value::Number(number) | Value::Derived(number) => number,
            Value::Octets => 1,
        };
        let nodes = tree.nodes().iter().filter(|node| node.field.name == field);
        told.push(nodes.map(|node| number(node.value)).collect());
    }
    told
}

#[test]
fn main_mode_quick_mode_and_deletes_of_version_1() {
    for ((name, table), addresses) in [(AES, &[5u64, 5][..]), (TRIPLE_DES, &[5, 5, 21, 21])] {
        let frames = messages(name);
        let payloads = told(&frames, &sad(table), "isakmp.typepayload");
        let quick = [&[8, 1, 2, 3, 10], addresses].concat();
        let expected = [vec![5, 8], vec![5, 8], quick.clone(), quick, vec![8], vec![8, 12], vec![8, 12]];
        assert_eq!(payloads[4..], expected, "{name}");
        assert!(told(&frames, &sad(table), "isakmp.enc.sealed").concat().is_empty());
    }
}

#[test]
fn a_message_that_is_sent_again_is_opened_again() {
    let mut frames = messages(AES.0);
    let again = frames.clone();
    frames.splice(7..7, again[4..7].iter().cloned());
    let payloads = told(&frames, &sad(AES.1), "isakmp.typepayload");
    assert_eq!(payloads[4..7], payloads[7..10]);
    assert!(told(&frames, &sad(AES.1), "isakmp.enc.sealed").concat().is_empty());
}

#[test]
fn what_was_not_captured_is_said() {
    let frames = messages(AES.0);
    // Without the negotiation nothing tells the cipher.
    let sealed = told(&frames[4..], &sad(AES.1), "isakmp.enc.sealed");
    assert!(sealed.iter().all(|reasons| reasons == &[4]), "{sealed:?}");
    // Without the last message of phase 1, phase 2 has other vectors.
    let mut gap = frames.clone();
    gap.remove(5);
    assert_eq!(told(&gap, &sad(AES.1), "isakmp.enc.sealed").concat()[..1], [3]);
    // The second message of an exchange follows the last block of the first, which is at hand.
    assert_eq!(told(&gap, &sad(AES.1), "isakmp.typepayload")[6][..2], [8, 1]);
}

#[test]
fn version_2_is_opened_if_its_checksum_is_right() {
    let frames = messages(VERSION_2.0);
    let payloads = told(&frames, &sad(VERSION_2.1), "isakmp.typepayload");
    assert_eq!(payloads[2][..4], [46, 35, 39, 41]);
    assert_eq!(payloads[3][..4], [46, 36, 39, 33]);
    assert_eq!(payloads[4..], [vec![46, 42], vec![46]]);
    let wrong = sad(&VERSION_2.1.replace("e5f86dcc", "e5f86dcd"));
    assert_eq!(told(&frames, &wrong, "isakmp.enc.sealed").concat().first(), Some(&1));
    let wrong = sad(&AES.1.replace("eff", "efe"));
    assert!(told(&messages(AES.0), &wrong, "isakmp.enc.sealed").concat().iter().all(|reason| *reason == 3));
}

#[test]
fn without_keys_nothing_is_opened_or_blamed() {
    for name in [AES.0, VERSION_2.0] {
        let (frames, none) = (messages(name), Sad::default());
        assert!(told(&frames, &none, "isakmp.enc.sealed").concat().is_empty());
        assert!(told(&frames, &none, "isakmp.enc.data").concat().len() > 3);
    }
}

#[test]
fn cut_and_flipped_messages() {
    for (name, table) in [AES, VERSION_2] {
        let (frames, sad) = (messages(name), sad(table));
        for (at, held) in frames.iter().enumerate() {
            for len in 0..held.data.len() {
                let mut cut = frames[..=at].to_vec();
                cut[at].data.truncate(len);
                told(&cut[at.saturating_sub(5)..], &sad, "isakmp.enc.icd");
            }
            // From the IKE header on, behind Ethernet, IPv4, UDP and the marker.
            for bit in (46 * 8..held.data.len() * 8).step_by(3) {
                let mut flipped = frames[..=at].to_vec();
                flipped[at].data[bit / 8] ^= 0x80 >> (bit % 8);
                let opened = told(&flipped[at.saturating_sub(4)..], &sad, "isakmp.enc.icd");
                assert!(opened.last().is_some_and(Vec::is_empty), "{name} message {at} bit {bit}");
            }
        }
    }
}

#[test]
fn no_key_in_any_output() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, table) in [AES, VERSION_2] {
        let capture = samples::sample(name).directory.join("outer.pcap");
        let capture = capture.to_str().expect("a name");
        let secrets: Vec<&str> = table
            .trim()
            .split(',')
            .filter(|column| column.len() >= 32 && column.bytes().all(|octet| octet.is_ascii_hexdigit()))
            .collect();
        assert!(!secrets.is_empty());
        let mut tables = vec![table.to_owned(), table.replace("AES", "ZZZ").replace("HMAC", "ZZZZ")];
        tables.push(table.replace(',', ";"));
        tables.push(table.replace("b2", "bx").replace("6b", "6x"));
        tables.extend((1..table.len()).step_by(29).map(|cut| table[..cut].to_owned()));
        for (at, text) in tables.iter().enumerate() {
            let path = dir.path().join("table");
            std::fs::write(&path, text).expect("written");
            let path = path.to_str().expect("a name");
            for view in [&["-V"][..], &["-x"], &["-T", "json"], &["-P", "-T", "json"]] {
                let output = common::tool(&[view, &["-k", path, capture]].concat());
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text).to_lowercase();
                for window in secrets.iter().flat_map(|secret| secret.as_bytes().windows(12)) {
                    let window = String::from_utf8_lossy(window);
                    assert!(!text.contains(&*window), "{name} table {at} {view:?} shows {window}");
                }
                if at > 0 && output.status.code() == Some(2) {
                    break;
                }
            }
        }
    }
}
