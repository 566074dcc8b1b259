//! What netfilter logged: a header, and attributes of which one is the packet (LINKTYPE_NFLOG).

use crate::field::{Bound, Cursor, Kind, Short, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Protocol, Step};

crate::fields! {
    section "LINKTYPE_NFLOG";
    FAMILY = "nflog.family", "Family", Kind::Dec(8), names family_name;
    VERSION = "nflog.version", "Version", Kind::Dec(8);
    RESOURCE = "nflog.res_id", "Resource ID", Kind::Dec(16);
    TLV = "nflog.tlv", "TLV", Kind::Group;
    TLV_LENGTH = "nflog.tlv_length", "Length", Kind::Dec(16);
    TLV_TYPE = "nflog.tlv_type", "Type", Kind::Dec(16), names type_name;
    HARDWARE_PROTOCOL = "nflog.protocol", "Hardware protocol", Kind::Hex(16);
    HOOK = "nflog.hook", "Netfilter hook", Kind::Dec(8);
    IN = "nflog.ifindex_indev", "Index of the incoming interface", Kind::Dec(32);
    OUT = "nflog.ifindex_outdev", "Index of the outgoing interface", Kind::Dec(32);
    PHYSICAL_IN = "nflog.ifindex_physindev", "Index of the physical incoming interface", Kind::Dec(32);
    PHYSICAL_OUT = "nflog.ifindex_physoutdev", "Index of the physical outgoing interface", Kind::Dec(32);
    TIME = "nflog.timestamp", "Timestamp", Kind::Time;
    PREFIX = "nflog.prefix", "Prefix", Kind::Text;
    UID = "nflog.uid", "UID", Kind::Dec(32);
    GID = "nflog.gid", "GID", Kind::Dec(32);
    VALUE = "nflog.tlv_value", "Value", Kind::Bytes;
}

const TLV_HEADER: u16 = 4;
const PAYLOAD: u16 = 9;
const TYPE_MASK: u16 = 0x7fff;
const BOUND: Bound = Bound::Header("the attribute's length");

fn family_name(family: u64) -> Option<&'static str> {
    Some(match family {
        2 => "IP",
        7 => "Bridge",
        10 => "IPv6",
        _ => return None,
    })
}

fn type_name(kind: u64) -> Option<&'static str> {
    const NAMES: [&str; 20] = [
        "packet header",
        "mark",
        "timestamp",
        "incoming interface",
        "outgoing interface",
        "physical incoming interface",
        "physical outgoing interface",
        "hardware address",
        "payload",
        "prefix",
        "UID",
        "sequence",
        "global sequence",
        "GID",
        "hardware type",
        "hardware header",
        "hardware header length",
        "conntrack",
        "conntrack information",
        "VLAN",
    ];
    NAMES.get(usize::try_from(kind).ok()?.checked_sub(1)?).copied()
}

/// Reads the attributes, whose lengths and types are in the order of the capturing host.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let family = c.u8(&FAMILY)?;
    c.u8(&VERSION)?;
    c.u16(&RESOURCE)?;
    let mut payload = None;
    while !c.is_empty() {
        let short = c.short(&TLV_TYPE, TLV_HEADER.into());
        let (Some(a), Some(b)) = (c.peek(0), c.peek(1)) else { return Err(short) };
        let (Some(d), Some(e)) = (c.peek(2), c.peek(3)) else { return Err(short) };
        // The type is below 256 in either order.
        let order = if e & 0x7f == 0 { u16::from_le_bytes } else { u16::from_be_bytes };
        let (length, kind) = (order([a, b]), order([d, e]) & TYPE_MASK);
        if length < TLV_HEADER {
            return Err(c.invalid(&TLV_LENGTH, TLV_HEADER.into(), length.into()));
        }
        if kind == PAYLOAD {
            let start = c.consumed().saturating_add(TLV_HEADER.into());
            let end = c.consumed().saturating_add(length.into());
            let there = c.consumed().saturating_add(c.remaining());
            payload = Some((start, end.min(there), end > there));
            if end > there {
                // The packet was cut; what there is of it is read.
                break;
            }
        }
        attribute(c, length, kind)?;
        // Attributes begin at multiples of four.
        let pad = usize::from(length.wrapping_neg() & 3).min(c.remaining());
        c.sub(&TLV, pad, BOUND)?;
    }
    let Some((start, end, cut)) = payload else { return Ok(Next::End) };
    let protocol = match family {
        2 => Protocol::Ipv4,
        10 => Protocol::Ipv6,
        _ => return Ok(Next::NotOurs),
    };
    Ok(Next::Payload { protocol, start, end, cut })
}

fn attribute<S: Sink>(c: &mut Cursor<'_, '_, S>, length: u16, kind: u16) -> Result<(), Short> {
    let mut tlv = c.group(&TLV, length.into(), BOUND)?;
    tlv.bits16(&TLV_LENGTH)?;
    tlv.part(&TLV_LENGTH, 2, length.into());
    tlv.bits16(&TLV_TYPE)?;
    tlv.part(&TLV_TYPE, 2, kind.into());
    // Values are in network order, whatever the header is in.
    match kind {
        1 => {
            tlv.u16(&HARDWARE_PROTOCOL)?;
            tlv.u8(&HOOK)?;
        }
        3 if tlv.remaining() >= 16 => {
            let mut octets =
                tlv.peek_rest().chunks_exact(8).filter_map(|part| part.first_chunk::<8>().copied());
            let (seconds, micros) = (octets.next().unwrap_or_default(), octets.next().unwrap_or_default());
            let nanoseconds = u64::from_be_bytes(seconds)
                .saturating_mul(1_000_000_000)
                .saturating_add(u64::from_be_bytes(micros).saturating_mul(1_000));
            tlv.sub(&TIME, 16, BOUND)?;
            tlv.part(&TIME, 16, nanoseconds);
        }
        4 => {
            tlv.u32(&IN)?;
        }
        5 => {
            tlv.u32(&OUT)?;
        }
        6 => {
            tlv.u32(&PHYSICAL_IN)?;
        }
        7 => {
            tlv.u32(&PHYSICAL_OUT)?;
        }
        10 => {
            text(&mut tlv, &PREFIX);
        }
        11 => {
            tlv.u32(&UID)?;
        }
        14 => {
            tlv.u32(&GID)?;
        }
        // The packet is read by who knows it.
        PAYLOAD => return Ok(()),
        _ => {}
    }
    text(&mut tlv, &VALUE);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn the_payload_is_found_among_the_attributes() {
        // Little-endian host: packet header, interface, prefix with padding, payload.
        let bytes =
            octets("02 00 0001 0800 0100 0800 01 00 0800 0400 00000002 0700 0a00 6c6e00 00 0600 0900 4500");
        layers_of(&bytes, dissect);
        assert_eq!(step(&bytes, dissect), "Payload Ipv4 32..34");
        let big = octets("0a 00 0001 0008 000b 00000000 0005 0009 60");
        layers_of(&big, dissect);
        assert_eq!(step(&big, dissect), "Payload Ipv6 16..17");
        let time = octets("02 00 0001 1400 0300 0000000065000000 0000000000000005 0500 0900 45");
        layers_of(&time, dissect);
        assert_eq!(step(&time, dissect), "Payload Ipv4 28..29");
        assert_eq!(step(&octets("07 00 0001 0500 0900 45"), dissect), "NotOurs");
    }

    #[test]
    fn lengths_that_lie() {
        assert_eq!(
            step(&octets("02 00 0001 0000 0900"), dissect),
            "Short nflog.tlv_length needs 4, has 0 at 4"
        );
        assert_eq!(step(&octets("02 00 0001 0900 0a00 61"), dissect), "Short nflog.tlv needs 9, has 5 at 4");
        assert_eq!(step(&octets("02 00 0001 2000 0900 45"), dissect), "Payload Ipv4 8..9 cut");
        assert_eq!(step(&octets("02 00 0001 0900"), dissect), "Short nflog.tlv_type needs 4, has 2 at 4");
    }
}
