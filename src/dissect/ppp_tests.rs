//! Whole frames of links that carry PPP: what is found in them, and what is said of those that broke others.

use super::layers::{Layers, PppBody, Stop};
use super::ppp::testing::octets;
use super::{Context, Learned, Scratch, dissect};
use crate::field::{Nothing, Sink, Tree};
use crate::ipsec::{Hints, Sad};
use crate::util::{Frame, LinkType, Timestamp};

fn look<S: Sink>(link: u32, data: &[u8], original: usize, sink: &mut S) -> Layers {
    let frame = Frame {
        number: 1,
        time: Timestamp(0),
        original_len: original as u32,
        link: LinkType(link),
        data,
        interface: 0,
        offset: 0,
    };
    let mut layers = Layers::default();
    let mut context = Context {
        sad: &Sad::default(),
        hints: &mut Hints::default(),
        scratch: &mut Scratch::default(),
        defrag: None,
        ike: None,
        learned: &Learned::default(),
    };
    dissect(&frame, &mut context, sink, &mut layers);
    layers
}

/// The layers of a whole frame; every shorter form of it is tried too, as if it was so and as if the capture cut it.
fn layers(link: u32, data: &[u8]) -> Layers {
    for len in 0..data.len() {
        for original in [len, data.len()] {
            look(link, &data[..len], original, &mut Nothing);
            look(link, &data[..len], original, &mut Tree::default());
        }
    }
    look(link, data, data.len(), &mut Nothing)
}

/// The fields of a frame.
fn names(link: u32, data: &[u8]) -> Vec<&'static str> {
    let mut tree = Tree::default();
    look(link, data, data.len(), &mut tree);
    tree.nodes().iter().map(|node| node.field.name).collect()
}

/// What is said of a frame.
fn says(link: u32, hex: &str) -> String {
    let data = octets(hex);
    layers(link, &data);
    match look(link, &data, data.len(), &mut Nothing).stop {
        Stop::Malformed { what, .. } => {
            format!("{} needs {}, has {}", what.field.name, what.needed, what.available)
        }
        other => format!("{other:?}"),
    }
}

/// IPv4, UDP, and an L2TP message behind.
fn packet(l2tp: &str) -> String {
    let len = octets(l2tp).len();
    format!(
        "4500 {:04x} 0001 0000 4011 0000 0a000001 0a000002 06a5 06a5 {:04x} 0000 {l2tp}",
        28 + len,
        8 + len
    )
}

/// A zero-length body, and LCP's Terminate-Ack as data.
const ZLB: &str = "c802 000c 0001 0000 0001 0001";
const DATA: &str = "0002 0001 0001 ff03 c021 0602 0004";
const MACS: &str = "020000000001 020000000002";

fn every_link(packet: &str) -> Vec<(u32, String)> {
    let len = octets(packet).len();
    let pppoe = format!("1100 0012 {:04x} 0021 {packet}", len + 2);
    let escaped: String = octets(&format!("ff030021 {packet}"))
        .iter()
        .map(|octet| if *octet < 0x20 { format!("7d{:02x}", octet ^ 0x20) } else { format!("{octet:02x}") })
        .collect();
    vec![
        (1, format!("{MACS} 8864 {pppoe}")),
        (1, format!("{MACS} 88a8 0005 8100 0006 8864 {pppoe} 0000 0000")),
        (1, format!("{MACS} 8847 00010040 00020140 {packet}")),
        (1, format!("{MACS} 8847 00010140 00000000 {MACS} 0800 {packet}")),
        (1, format!("{MACS} 880b 0021 {packet}")),
        (9, format!("ff03 0021 {packet}")),
        (9, format!("21 {packet}")),
        (9, format!("0f00 0800 {packet}")),
        (9, format!("ff03 003d c0000001 ff03 21 {packet}")),
        (9, format!("ff03 0281 00010140 {packet}")),
        (9, format!("ff03 0031 00 01 {MACS} 0800 {packet}")),
        (50, format!("ff03 0021 {packet}")),
        (50, format!("7e {escaped} 7d20 7d20 7e")),
        (51, pppoe.clone()),
        (104, format!("8f00 0800 {packet}")),
        (109, format!("02000000 00001001 00000c00 {packet}")),
        (166, format!("01 ff03 0021 {packet}")),
        (204, format!("00 ff03 0021 {packet}")),
        (239, format!("02 00 0001 0800 0100 0800 03 00 {:02x}00 0900 {packet}", len + 4)),
    ]
}

#[test]
fn l2tp_is_found_behind_every_link() {
    for (link, hex) in every_link(&packet(ZLB)) {
        let layers = layers(link, &octets(&hex));
        assert!(layers.control.is_some(), "{link}: {hex}: {:?}", layers.stop);
        assert!(layers.ppp.is_none(), "{link}: {hex}");
        assert!(layers.digest.is_some() || hex.starts_with("7e"), "{link}: {hex}");
    }
}

#[test]
fn the_frame_of_a_call_is_not_taken_for_that_of_the_link() {
    for (link, hex) in every_link(&packet(DATA)) {
        let layers = layers(link, &octets(&hex));
        let control = layers.ppp.and_then(|ppp| ppp.control).expect(&hex);
        assert!(matches!(control.body, PppBody::Message(_)), "{link}: {hex}");
    }
}

#[test]
fn l2tp_in_a_call_is_shown_and_not_counted() {
    let inner = format!("0002 0001 0001 ff03 0021 {}", packet(ZLB));
    let data = octets(&packet(&inner));
    let seen = layers(101, &data);
    assert!(seen.control.is_none() && seen.ppp.is_some_and(|ppp| ppp.inner.is_some()));
    assert_eq!(names(101, &data).iter().filter(|name| **name == "l2tp.version").count(), 2);
}

#[test]
fn a_rejected_packet_is_shown_and_not_counted() {
    let data = octets("ff03 c021 0801 0014 8057 0101 000e 010a 0102030405060708");
    let seen = names(9, &data);
    assert!(seen.contains(&"ipv6cp.interface_identifier"), "{seen:?}");
    let rejected = look(9, &data, data.len(), &mut Tree::default()).ppp.and_then(|ppp| ppp.control);
    assert!(matches!(rejected.expect("LCP").body, PppBody::ProtocolReject(0x8057)));
    // A packet that was cut to fit is still a Protocol-Reject.
    assert!(names(9, &octets("ff03 c021 0801 0008 8057 0101")).contains(&"lcp.rej_proto"));
    // Of a user's packet too.
    assert!(names(9, &octets("ff03 c021 0801 0008 0057 6000")).contains(&"ipv6"));
}

#[test]
fn uncompressed_tcp_is_read_on() {
    let tcp = "04d2 0050 00000001 00000002 5010 2000 0000 0000";
    let data = octets(&format!("ff03 002f 4500 0028 0001 0000 4003 0000 0a000001 0a000002 {tcp}"));
    layers(9, &data);
    let seen = names(9, &data);
    assert!(seen.contains(&"vjc.connection_number") && seen.contains(&"tcp.srcport"), "{seen:?}");
}

#[test]
fn options_whose_length_is_a_lie() {
    // 0 and 1, past the packet, and a packet of zero options.
    assert_eq!(says(9, "ff03 c021 0101 0008 0500 0000"), "lcp.opt.length needs 2, has 0");
    assert_eq!(says(9, "ff03 c021 0101 0008 0501 0000"), "lcp.opt.length needs 2, has 1");
    assert_eq!(says(9, "ff03 c021 0101 0008 0506 0102"), "lcp.opt.data needs 4, has 2");
    assert_eq!(says(9, "ff03 c021 0101 0004"), "Complete");
    // A value shorter than its type needs breaks no bound: it is shown as what it is.
    assert_eq!(says(9, "ff03 80fd 0101 0007 1a03 78"), "Complete");
    assert!(names(9, &octets("ff03 80fd 0101 0007 1a03 78")).contains(&"ppp.opt.len.invalid"));
    assert_eq!(says(9, "ff03 8021 0101 0007 0303 0a"), "Complete");
    // A packet longer than the frame.
    assert_eq!(says(9, "ff03 c021 0901 ffff 01020304"), "ppp.data needs 65531, has 4");
}

#[test]
fn frames_of_hardly_anything() {
    assert_eq!(says(50, ""), "ppp.protocol needs 2, has 0");
    assert_eq!(says(50, "30"), "ppp.protocol needs 2, has 1");
    assert_eq!(says(50, "3030"), "Complete");
    assert_eq!(says(50, "0f"), "chdlc.control needs 1, has 0");
    assert_eq!(says(50, "ff"), "ppp.control needs 1, has 0");
    assert_eq!(says(50, "7e"), "ppp.fcs_16 needs 2, has 0");
    assert_eq!(says(50, "7e7d"), "Complete");
    assert_eq!(says(9, "ff033d30"), "mp.seq needs 1, has 0");
    assert_eq!(says(9, "ff03 002d"), "vjc.change_mask needs 1, has 0");
    assert_eq!(says(9, "ff03 c021"), "ppp.code needs 1, has 0");
}

#[test]
fn messages_and_values_past_their_packet() {
    assert_eq!(says(9, "ff03 c023 0201 0006 9486"), "pap.message needs 148, has 1");
    assert_eq!(says(9, "ff03 c223 0101 0008 ff 010203"), "chap.value needs 255, has 3");
    assert_eq!(says(9, "ff03 c227 0201 000a 04ff 61626364"), "eap.md5.value needs 255, has 4");
    assert_eq!(says(9, "ff03 c227 0101 0004"), "eap.type needs 1, has 0");
}

#[test]
fn valid_protocols_are_not_called_unsupported() {
    for (number, body) in [
        ("8281", "0101 0004"),
        ("8031", "0101 0004"),
        ("8053", "0101 0004"),
        ("802b", "0101 0004"),
        ("803f", "0101 0004"),
        ("8029", "0101 0004"),
        ("8023", "0101 0004"),
        ("8035", "0101 0004"),
        ("c02b", "0101 0004"),
        ("c02d", "0101 0004"),
        ("c029", "0101 0004"),
        ("c027", "0101 0004"),
        ("00fd", "9001"),
        ("00fb", "9001"),
        ("0053", "9001"),
        ("4021", "9001"),
    ] {
        assert_eq!(says(9, &format!("ff03 {number} {body}")), "Complete", "{number}");
    }
}

#[test]
fn pppoe_whose_length_is_a_lie() {
    let session = |rest: &str| says(1, &format!("{MACS} 8864 {rest}"));
    // Seven octets of session: a protocol of one octet, and no packet.
    assert_eq!(session("1100 0012 0001 21"), "ip.version needs 1, has 0");
    assert_eq!(session("1100 0012 0001 c0"), "ppp.protocol needs 2, has 1");
    assert_eq!(session("1100 0012 0000"), "ppp.protocol needs 2, has 0");
    // Octets behind the payload are padding, and are not read.
    assert_eq!(session("1100 0012 0006 c021 0506 0004 ffff ffff"), "Complete");
    // An LCP packet that claims them.
    assert_eq!(session("1100 0012 0006 c021 0506 0008 ffff ffff"), "ppp.data needs 4, has 0");
    assert_eq!(session("1100 0012 0400 c021 0506 0004"), "Complete");
    let discovery = |rest: &str| says(1, &format!("{MACS} 8863 {rest}"));
    assert_eq!(discovery("1109 0000 0008 0101 0044 6162 6364"), "pppoed.tags.service_name needs 68, has 4");
    assert_eq!(discovery("1109 0000 0002 0101"), "pppoed.tag_length needs 2, has 0");
    assert_eq!(discovery("1109 0000 0004 0101 0000"), "Complete");
    // Of a length beyond the frame, the tags that are there are read before it is a fault.
    assert_eq!(discovery("1109 0000 0040 0101 0000"), "pppoed.tags needs 64, has 4");
}

#[test]
fn frames_inside_frames_have_an_end() {
    // Multilink frames in each other, each whole.
    let nested = format!("ff03 {}", "003d c0000000 ".repeat(64));
    assert_eq!(says(9, &nested), "TooDeep");
    let labels = format!("{MACS} 8847 {}", "00010040 ".repeat(64));
    assert_eq!(says(1, &labels), "TooDeep");
    let rejects = format!("ff03 {}", "c021 0801 0040 ".repeat(40));
    layers(9, &octets(&rejects));
}
