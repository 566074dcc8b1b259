//! GRE (RFC 2784, RFC 2890, RFC 1701) and the enhanced GRE that carries the PPP of PPTP (RFC 2637 section 4.1).

use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step, ethernet};

fields! {
    section "RFC 2784 2";
    FLAGS = "gre.flags_and_version", "Flags and Version", Kind::Hex(16);
    CHECKSUM_BIT = "gre.flags.checksum", "Checksum Bit", Kind::Flag;
    ROUTING_BIT = "gre.flags.routing", "Routing Bit", Kind::Flag;
    KEY_BIT = "gre.flags.key", "Key Bit", Kind::Flag;
    SEQUENCE_BIT = "gre.flags.sequence_number", "Sequence Number Bit", Kind::Flag;
    STRICT_BIT = "gre.flags.strict_source_route", "Strict Source Route Bit", Kind::Flag;
    RECURSION = "gre.flags.recursion_control", "Recursion control", Kind::Dec(16);
    ACK_BIT = "gre.flags.ack", "Acknowledgment", Kind::Flag;
    RESERVED = "gre.flags.reserved", "Flags (Reserved)", Kind::Dec(16);
    VERSION = "gre.flags.version", "Version", Kind::Dec(16);
    PROTOCOL = "gre.proto", "Protocol Type", Kind::Hex(16);
    CHECKSUM = "gre.checksum", "Checksum", Kind::Hex(16);
    OFFSET = "gre.offset", "Offset", Kind::Dec(16);
    KEY = "gre.key", "Key", Kind::Hex(32);
    PAYLOAD_LENGTH = "gre.key.payload_length", "Payload Length", Kind::Dec(16);
    CALL_ID = "gre.key.call_id", "Call ID", Kind::Dec(16);
    SEQUENCE = "gre.sequence_number", "Sequence Number", Kind::Dec(32);
    ACKNOWLEDGMENT = "gre.ack_number", "Acknowledgment Number", Kind::Dec(32);
    ROUTE_FAMILY = "gre.routing.address_family", "Address Family", Kind::Dec(16);
    ROUTE_OFFSET = "gre.routing.sre_offset", "SRE Offset", Kind::Dec(8);
    ROUTE_LENGTH = "gre.routing.src_length", "SRE Length", Kind::Dec(8);
    ROUTE = "gre.routing.information", "Routing Information", Kind::Bytes;
}

const CHECKSUM_PRESENT: u16 = 0x8000;
const ROUTING_PRESENT: u16 = 0x4000;
const KEY_PRESENT: u16 = 0x2000;
const SEQUENCE_PRESENT: u16 = 0x1000;
const STRICT: u16 = 0x0800;
/// Of version 1 only.
const ACK_PRESENT: u16 = 0x0080;

/// Protocol types beside the EtherTypes of IP: PPP (RFC 2637) and bridged Ethernet (RFC 1701).
const PPP: u16 = 0x880b;
const ETHERNET: u16 = 0x6558;

const BOUND: Bound = Bound::Header("the GRE payload length");

/// Reads a GRE header of version 0 or 1.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let flags = c.u16(&FLAGS)?;
    let has = |bit: u16| flags & bit != 0;
    let enhanced = flags & 7 == 1;
    let bits: [(&'static FieldDef, u16); 5] = [
        (&CHECKSUM_BIT, CHECKSUM_PRESENT),
        (&ROUTING_BIT, ROUTING_PRESENT),
        (&KEY_BIT, KEY_PRESENT),
        (&SEQUENCE_BIT, SEQUENCE_PRESENT),
        (&STRICT_BIT, STRICT),
    ];
    for (field, bit) in bits {
        c.part(field, 2, has(bit).into());
    }
    c.part(&RECURSION, 2, u64::from(flags >> 8 & 7));
    if enhanced {
        c.part(&ACK_BIT, 2, has(ACK_PRESENT).into());
        c.part(&RESERVED, 2, u64::from(flags >> 3 & 0xf));
    } else {
        c.part(&RESERVED, 2, u64::from(flags >> 3 & 0x1f));
    }
    c.part(&VERSION, 2, u64::from(flags & 7));
    let protocol = c.u16(&PROTOCOL)?;
    if has(CHECKSUM_PRESENT | ROUTING_PRESENT) {
        c.u16(&CHECKSUM)?;
        c.u16(&OFFSET)?;
    }
    let mut payload = None;
    if has(KEY_PRESENT) {
        if enhanced {
            payload = Some(c.u16(&PAYLOAD_LENGTH)?);
            c.u16(&CALL_ID)?;
        } else {
            c.u32(&KEY)?;
        }
    }
    if has(SEQUENCE_PRESENT) {
        c.u32(&SEQUENCE)?;
    }
    if enhanced && has(ACK_PRESENT) {
        c.u32(&ACKNOWLEDGMENT)?;
    }
    if has(ROUTING_PRESENT) {
        routes(c)?;
    }
    if let Some(length) = payload {
        c.limit(length.into(), BOUND);
    }
    if flags & 7 > 1 {
        return Ok(Next::NotOurs);
    }
    // RFC 2637 section 4.1: without a payload it is an acknowledgment alone.
    if c.is_empty() && !c.is_cut() {
        return Ok(Next::End);
    }
    Ok(match protocol {
        PPP => Next::rest(c, Protocol::Ppp),
        ETHERNET => Next::rest(c, Protocol::Ethernet),
        ethertype => ethernet::follow(c, ethertype),
    })
}

/// Source route entries (RFC 1701): each has at least 4 octets, so the walk ends. One without length is the last.
fn routes<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    loop {
        c.u16(&ROUTE_FAMILY)?;
        c.u8(&ROUTE_OFFSET)?;
        let length = c.u8(&ROUTE_LENGTH)?;
        if length == 0 {
            return Ok(());
        }
        c.octets(&ROUTE, length.into())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn the_ppp_of_pptp_is_found() {
        // RFC 2637 section 4.1: K, S and A set, version 1.
        let data = [0x30, 0x81, 0x88, 0x0b, 0, 2, 0, 7, 0, 0, 0, 5, 0, 0, 0, 4, 0xff, 0x03, 9];
        assert_eq!(step(&data, dissect), "Payload Ppp 16..18");
        let acknowledgment = [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 4];
        assert_eq!(step(&acknowledgment, dissect), "End");
        assert_eq!(step(&data[..17], dissect), "Payload Ppp 16..17 cut");
        layers_of(&data, dissect);
    }

    #[test]
    fn version_0_carries_what_has_an_ethertype() {
        assert_eq!(step(&[0, 0, 8, 0, 0x45], dissect), "Payload Ipv4 4..5");
        assert_eq!(
            step(&[0x30, 0, 0x86, 0xdd, 0, 0, 0, 1, 0, 0, 0, 2, 0x60], dissect),
            "Payload Ipv6 12..13"
        );
        assert_eq!(step(&[0, 0, 0x65, 0x58, 1], dissect), "Payload Ethernet 4..5");
        assert_eq!(step(&[0, 2, 8, 0, 0x45], dissect), "NotOurs");
        let routed = [0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 10, 0, 0, 1, 0, 0, 0, 0, 0x45];
        assert_eq!(step(&routed, dissect), "Payload Ipv4 20..21");
        assert_eq!(step(&routed[..18], dissect), "Short gre.routing.sre_offset needs 1, has 0 at 18");
        layers_of(&routed, dissect);
    }
}
