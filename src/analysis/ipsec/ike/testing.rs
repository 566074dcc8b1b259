//! IKE messages as values, for tests.

use std::net::{IpAddr, Ipv4Addr};

use crate::analysis::meta::At;
use crate::dissect::ike::contents::{Contents, Deleted, ESP_PROTOCOL, Offer, Transform};
use crate::dissect::layers::{Addresses, Ike};
use crate::ipsec::Spi;
use crate::util::Timestamp;

use super::message::Captured;
use super::sa::IkeSa;

pub(super) const MAIN: u8 = 2;
pub(super) const AGGRESSIVE: u8 = 4;
pub(super) const INFORMATIONAL: u8 = 5;
pub(super) const QUICK: u8 = 32;
pub(super) const SA_INIT: u8 = 34;
pub(super) const AUTH: u8 = 35;
pub(super) const CREATE_CHILD: u8 = 36;
pub(super) const INFORMATIONAL_V2: u8 = 37;

const A: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 2));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 2));

/// This packet, at as many seconds.
pub(super) fn at(packet: u64) -> At {
    At { packet, time: Timestamp(packet as i64 * 1_000_000_000) }
}

/// A message of IKEv1 without payloads that are read; messages with another `digest` differ.
pub(super) fn v1(exchange: u8, message_id: u32, digest: u64) -> Ike {
    Ike {
        initiator_spi: 7,
        responder_spi: 9,
        next_payload: 8,
        version: 1,
        exchange,
        flags: 0,
        message_id,
        length: 100,
        marker: false,
        notifies: Vec::new(),
        in_order: false,
        contents: Contents::default(),
        endpoints: None,
        digest,
    }
}

/// A request or response of IKEv2 from an end.
pub(super) fn v2(from: usize, response: bool, exchange: u8, message_id: u32, digest: u64) -> Ike {
    let flags = if from == 0 { 0x08 } else { 0 } | if response { 0x20 } else { 0 };
    Ike { version: 2, flags, next_payload: 46, ..v1(exchange, message_id, digest) }
}

/// The same with an encrypted part.
pub(super) fn sealed(mut ike: Ike) -> Ike {
    if ike.version == 1 {
        ike.flags |= 1;
    }
    ike.contents.sealed = true;
    ike
}

/// The same with notifications.
pub(super) fn says(mut ike: Ike, kinds: &[u16]) -> Ike {
    ike.notifies.extend(kinds);
    ike
}

/// The same with a proposal of ESP with this SPI.
pub(super) fn offers(mut ike: Ike, spi: u32) -> Ike {
    let transform = Transform { kind: 0, id: 12, attributes: vec![(1, 1), (2, 3600)] };
    let offer =
        Offer { protocol: ESP_PROTOCOL, spi: Some(Spi(spi)), ike_spi: None, transforms: vec![transform] };
    ike.contents.offers.push(offer);
    ike
}

/// The same with a Delete of these SAs.
pub(super) fn deletes(mut ike: Ike, protocol: u8, spis: &[u32]) -> Ike {
    ike.contents.deletes.push(Deleted { protocol, spis: spis.iter().map(|spi| Spi(*spi)).collect() });
    ike
}

/// Messages in the order they were captured, one each second from packet 1 on: who sent each of them.
pub(super) fn captured(messages: &[(usize, Ike)]) -> Vec<Captured<'_>> {
    (1..).zip(messages).map(|(packet, (from, ike))| Captured { ike, from: *from, at: at(packet) }).collect()
}

/// The IKE SA of such messages.
pub(super) fn sa(messages: &[(usize, Ike)]) -> IkeSa {
    let mut sa: Option<IkeSa> = None;
    for (packet, (from, ike)) in (1..).zip(messages) {
        let (source, destination) = if *from == 0 { (A, B) } else { (B, A) };
        let addresses = Addresses { source, destination };
        sa.get_or_insert_with(|| IkeSa::new(ike, addresses, at(packet))).push(ike, addresses, at(packet));
    }
    sa.expect("a message")
}

/// Main mode from message 1 to message `last`, each in the clear up to message 4.
pub(super) fn main_mode(last: u64) -> Vec<(usize, Ike)> {
    let message = |number: u64| {
        let ike = v1(MAIN, 0, number);
        match number {
            1 => Ike { next_payload: 1, responder_spi: 0, ..ike },
            2 => Ike { next_payload: 1, ..ike },
            3 | 4 => Ike { next_payload: 4, ..ike },
            _ => sealed(Ike { next_payload: 5, ..ike }),
        }
    };
    (1..=last).map(|number| (usize::from(number % 2 == 0), message(number))).collect()
}
