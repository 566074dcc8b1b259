//! IPv6 and its extension headers (RFC 8200).

use crate::field::{Bound, Cursor, Kind, Short, Sink};
use crate::fields;

use super::defrag::Key;
use super::layers::{Addresses, Layers};
use super::{Next, Protocol, Step, ip_follow, ip_protocol_name};

fields! {
    section "RFC 8200 3";
    IP_VERSION = "ip.version", "Version", Kind::Dec(8);
    VERSION = "ipv6.version", "Version", Kind::Dec(8);
    TRAFFIC_CLASS = "ipv6.tclass", "Traffic Class", Kind::Hex(32);
    DSCP = "ipv6.tclass.dscp", "Differentiated Services Codepoint", Kind::Dec(32);
    ECN = "ipv6.tclass.ecn", "Explicit Congestion Notification", Kind::Dec(32);
    FLOW_LABEL = "ipv6.flow", "Flow Label", Kind::Hex(24);
    LENGTH = "ipv6.plen", "Payload Length", Kind::Dec(16);
    NEXT_HEADER = "ipv6.nxt", "Next Header", Kind::Dec(8), names ip_protocol_name;
    HOP_LIMIT = "ipv6.hlim", "Hop Limit", Kind::Dec(8);
    SOURCE = "ipv6.src", "Source Address", Kind::Ipv6;
    DESTINATION = "ipv6.dst", "Destination Address", Kind::Ipv6;
    EXTENSION_NEXT = "ipv6.opt.next_header", "Next Header", Kind::Dec(8), names ip_protocol_name;
    EXTENSION_LENGTH = "ipv6.opt.length", "Length", Kind::Dec(8);
    EXTENSION_DATA = "ipv6.opt.unknown", "Extension data", Kind::Bytes;
    HOP_BY_HOP_NEXT = "ipv6.hopopts.nxt", "Next Header", Kind::Dec(8), names ip_protocol_name;
    HOP_BY_HOP_LENGTH = "ipv6.hopopts.len", "Length", Kind::Dec(8);
    ROUTING_NEXT = "ipv6.routing.nxt", "Next Header", Kind::Dec(8), names ip_protocol_name;
    ROUTING_LENGTH = "ipv6.routing.len", "Length", Kind::Dec(8);
    DESTINATION_NEXT = "ipv6.dstopts.nxt", "Next Header", Kind::Dec(8), names ip_protocol_name;
    DESTINATION_LENGTH = "ipv6.dstopts.len", "Length", Kind::Dec(8);
    FRAGMENT_NEXT = "ipv6.fraghdr.nxt", "Next header", Kind::Dec(8), names ip_protocol_name;
    FRAGMENT_RESERVED = "ipv6.fraghdr.reserved_octet", "Reserved octet", Kind::Hex(8);
    FRAGMENT_OFFSET = "ipv6.fraghdr.offset", "Offset", Kind::Dec(16);
    FRAGMENT_MORE = "ipv6.fraghdr.more", "More Fragments", Kind::Flag;
    FRAGMENT_IDENTIFICATION = "ipv6.fraghdr.ident", "Identification", Kind::Hex(32);
}

const BOUND: Bound = Bound::Header("the IPv6 payload length");

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let word = [c.peek(0), c.peek(1), c.peek(2), c.peek(3)].map(|octet| octet.unwrap_or_default());
    c.sub(&VERSION, word.len(), Bound::Capture)?;
    let first = u32::from_be_bytes(word);
    let version = u64::from(first >> 28);
    // tshark's filters on ip.version find both.
    c.part_of(&IP_VERSION, word.len(), 1, version);
    c.part_of(&VERSION, word.len(), 1, version);
    if first >> 28 != 6 {
        return Err(c.invalid(&VERSION, 6, first >> 28));
    }
    c.part(&TRAFFIC_CLASS, 4, u64::from(first >> 20 & 0xff));
    c.part(&DSCP, 4, u64::from(first >> 22 & 0x3f));
    c.part(&ECN, 4, u64::from(first >> 20 & 3));
    c.part(&FLOW_LABEL, 3, u64::from(first & 0xf_ffff));
    let length = c.u16(&LENGTH)?;
    let next = c.u8(&NEXT_HEADER)?;
    c.u8(&HOP_LIMIT)?;
    let addresses = Addresses { source: c.ipv6(&SOURCE)?.into(), destination: c.ipv6(&DESTINATION)?.into() };
    layers.addresses = Some(addresses);
    layers.outer.get_or_insert(addresses);
    // Payload Length 0: a jumbogram (RFC 2675), or a capture before segmentation offload.
    if length != 0 {
        layers.overruns(Protocol::Ipv6, c.overrun(&LENGTH, length.into()));
        c.limit(usize::from(length), BOUND);
    }
    let upper = upper(c, next)?;
    Ok(match upper.fragment {
        Some(Place { identification, offset, more }) => {
            let key = Key { addresses, identification, protocol: upper.protocol };
            Next::fragment(c, key, offset, more)
        }
        None => ip_follow(c, upper.protocol),
    })
}

/// What stands behind the extension headers.
pub(super) struct Upper {
    pub protocol: u8,
    /// Where it belongs, if it is a part of a datagram.
    pub fragment: Option<Place>,
}

/// The place of a fragment.
pub(super) struct Place {
    pub identification: u32,
    pub offset: u32,
    pub more: bool,
}

/// Walks over hop-by-hop, routing, destination options and such headers (each at least 8 octets, so the walk ends), up
/// to the upper layer or the fragment header.
pub(super) fn upper<S: Sink>(c: &mut Cursor<'_, '_, S>, mut next: u8) -> Result<Upper, Short> {
    loop {
        match next {
            0 | 43 | 60 | 135 | 139 | 140 => {
                let (next_field, length_field) = match next {
                    0 => (&HOP_BY_HOP_NEXT, &HOP_BY_HOP_LENGTH),
                    43 => (&ROUTING_NEXT, &ROUTING_LENGTH),
                    60 => (&DESTINATION_NEXT, &DESTINATION_LENGTH),
                    _ => (&EXTENSION_NEXT, &EXTENSION_LENGTH),
                };
                next = c.u8(next_field)?;
                let units = c.u8(length_field)?;
                c.octets(&EXTENSION_DATA, usize::from(units).saturating_mul(8).saturating_add(6))?;
            }
            44 => {
                let protocol = c.u8(&FRAGMENT_NEXT)?;
                c.u8(&FRAGMENT_RESERVED)?;
                let word = c.bits16(&FRAGMENT_OFFSET)?;
                // In units of eight octets, as it stands in the header.
                c.part(&FRAGMENT_OFFSET, 2, u64::from(word >> 3));
                let more = word & 1 == 1;
                c.part(&FRAGMENT_MORE, 2, u64::from(more));
                let identification = c.u32(&FRAGMENT_IDENTIFICATION)?;
                let offset = u32::from(word & 0xfff8);
                if more || offset > 0 {
                    let fragment = Some(Place { identification, offset, more });
                    return Ok(Upper { protocol, fragment });
                }
                // RFC 6946: an atomic fragment is a whole packet.
                next = protocol;
            }
            _ => return Ok(Upper { protocol: next, fragment: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    fn packet(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
        bytes.extend([0x20; 32]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn extension_headers_lead_to_the_payload() {
        assert_eq!(step(&packet(17, &[0; 8]), dissect), "Payload Udp 40..48");
        let two = [&[60, 0, 1, 2, 3, 4, 5, 6][..], &[50, 0, 1, 2, 3, 4, 5, 6], &[9; 9]].concat();
        assert_eq!(step(&packet(0, &two), dissect), "Payload Esp 56..65");
        let fragment = [17, 0, 0x05, 0xb9, 0, 0, 0, 1, 1, 2, 3];
        assert_eq!(step(&packet(44, &fragment), dissect), "Fragment 1464 more");
        let atomic = [17, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3];
        assert_eq!(step(&packet(44, &atomic), dissect), "Payload Udp 48..51");
        assert_eq!(step(&packet(0, &[60, 9, 0]), dissect), "Short ipv6.opt.unknown needs 78, has 1 at 42");
    }
}
