//! Packets inside packets: how deep the walk goes, and what it finds there.

use super::layers::{EspOutcome, Layers, Stop};
use super::{Context, Learned, Scratch, dissect};
use crate::field::Tree;
use crate::ipsec::{Hints, Sad, keys};
use crate::util::{Frame, LinkType, Printable, Timestamp};

const UDP: u8 = 17;
const ESP: u8 = 50;
const AH: u8 = 51;

/// ESP without encryption and without ICV: what it carries can be written down.
const KEYS: &str = "[[sa]]\nspi = 0x1000\nencryption = \"null\"\nintegrity = \"none\"\n";

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 20).to_be_bytes();
    let mut packet =
        vec![0x45, 0, length[0], length[1], 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend(payload);
    packet
}

/// RFC 4303 section 2: two octets of padding at the most, since no cipher asks for more.
fn esp(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0, 0, 0x10, 0, 0, 0, 0, 1];
    packet.extend(payload);
    let pad = (4 - (payload.len() + 2) % 4) % 4;
    packet.extend(1..=pad as u8);
    packet.extend([pad as u8, next]);
    packet
}

/// A Hello (RFC 2661 section 6.5) in UDP.
fn hello() -> Vec<u8> {
    let message = [0xc8, 2, 0, 20, 0, 7, 0, 0, 0, 0, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6];
    [&[6, 0xa5, 6, 0xa5, 0, 28, 0, 0][..], &message].concat()
}

/// The layers of an IP packet, and the names of what a view is told.
fn walk(packet: &[u8]) -> (Layers, Vec<&'static str>) {
    let file = keys::parse(&Printable::from_text("keys"), KEYS.as_bytes()).expect("keys");
    let sad = Sad::build([file]).expect("a database");
    let (mut hints, mut scratch, learned) = (Hints::new(&sad), Scratch::default(), Learned::default());
    let mut context = Context {
        sad: &sad,
        hints: &mut hints,
        scratch: &mut scratch,
        defrag: None,
        ike: None,
        learned: &learned,
    };
    let frame = Frame {
        number: 1,
        time: Timestamp(0),
        link: LinkType::RAW,
        interface: 0,
        data: packet,
        original_len: packet.len() as u32,
        offset: 0,
    };
    let (mut layers, mut tree) = (Layers::default(), Tree::default());
    dissect(&frame, &mut context, &mut tree, &mut layers);
    (layers, tree.nodes().iter().map(|node| node.field.name).collect())
}

/// L2TP in so many layers of ESP.
fn sealed(times: usize) -> Vec<u8> {
    let mut packet = hello();
    for time in 0..times {
        packet = esp(if time == 0 { UDP } else { ESP }, &packet);
    }
    ipv4(ESP, &packet)
}

#[test]
fn esp_in_esp_is_opened_sixteen_times_and_no_more() {
    let (layers, _) = walk(&sealed(16));
    assert_eq!(layers.deeper_esp.len(), 15);
    let opened = |outcome| matches!(outcome, EspOutcome::Opened { .. });
    assert!(layers.esp.is_some_and(|esp| opened(esp.outcome)));
    assert!(layers.deeper_esp.iter().all(|esp| opened(esp.outcome)));
    assert!(layers.l2tp.is_some() && matches!(layers.stop, Stop::Complete), "{:?}", layers.stop);
    let (layers, _) = walk(&sealed(17));
    assert!(layers.l2tp.is_none() && matches!(layers.stop, Stop::TooDeep), "{:?}", layers.stop);
    assert_eq!(layers.deeper_esp.len(), 16);
}

#[test]
fn ah_leads_to_esp_and_to_l2tp() {
    let ah = |next: u8, payload: &[u8]| [&[next, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1][..], payload].concat();
    let (layers, names) = walk(&ipv4(AH, &ah(ESP, &esp(UDP, &hello()))));
    assert!(layers.esp.is_some() && layers.l2tp.is_some());
    assert!(names.contains(&"ah.spi"));
    let (layers, _) = walk(&ipv4(AH, &ah(UDP, &hello())));
    assert!(layers.l2tp.is_some() && layers.esp.is_none());
}

#[test]
fn l2tp_that_icmp_quotes_is_shown_and_not_judged() {
    let quotation = ipv4(UDP, &hello());
    let (layers, names) = walk(&ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &quotation].concat()));
    assert!(names.contains(&"l2tp.tunnel") && names.iter().filter(|name| **name == "ip.src").count() == 2);
    assert!(layers.l2tp.is_none());
    assert_eq!(layers.icmp.and_then(|error| error.quoted_ports), Some((1701, 1701)));
}

#[test]
fn every_cut_of_a_deep_packet_is_survived() {
    let packet = sealed(5);
    for len in 0..packet.len() {
        walk(&packet[..len]);
    }
}
