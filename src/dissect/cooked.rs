//! Linux cooked captures, versions 1 and 2 (tcpdump.org LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2).

use crate::field::{Cursor, Kind, Short, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Step, ethernet};

fields! {
    section "LINKTYPE_LINUX_SLL";
    PACKET_TYPE = "sll.pkttype", "Packet type", Kind::Dec(16);
    ADDRESS_TYPE = "sll.hatype", "Link-layer address type", Kind::Dec(16);
    ADDRESS_LENGTH = "sll.halen", "Link-layer address length", Kind::Dec(16);
    ADDRESS = "sll.src.eth", "Source", Kind::Mac;
    ADDRESS_IPV4 = "sll.src.ipv4", "Source", Kind::Ipv4;
    ADDRESS_OTHER = "sll.src.other", "Source", Kind::Bytes;
    PROTOCOL = "sll.etype", "Protocol", Kind::Hex(16);
    RESERVED = "sll.unused", "Unused", Kind::Bytes;
    INTERFACE = "sll.ifindex", "Interface index", Kind::Dec(32);
}

/// What both versions keep for an address.
const ADDRESS_OCTETS: usize = 8;

/// Version 1: 16 octets, the EtherType last.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.u16(&PACKET_TYPE)?;
    c.u16(&ADDRESS_TYPE)?;
    let length = c.u16(&ADDRESS_LENGTH)?;
    address(c, length)?;
    let protocol = c.u16(&PROTOCOL)?;
    Ok(ethernet::follow(c, protocol))
}

/// Version 2: 20 octets, the EtherType first.
pub(crate) fn version2<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let protocol = c.u16(&PROTOCOL)?;
    c.octets(&RESERVED, 2)?;
    c.u32(&INTERFACE)?;
    c.u16(&ADDRESS_TYPE)?;
    c.u8(&PACKET_TYPE)?;
    let length = c.u8(&ADDRESS_LENGTH)?;
    address(c, length.into())?;
    Ok(ethernet::follow(c, protocol))
}

/// The sender's address: eight octets, of which so many are one.
fn address<S: Sink>(c: &mut Cursor<'_, '_, S>, length: u16) -> Result<(), Short> {
    let length = usize::from(length).min(ADDRESS_OCTETS);
    let field = match length {
        4 => &ADDRESS_IPV4,
        6 => &ADDRESS,
        _ => &ADDRESS_OTHER,
    };
    if length > 0 {
        c.octets(field, length)?;
    }
    if length < ADDRESS_OCTETS {
        c.octets(&RESERVED, ADDRESS_OCTETS.saturating_sub(length))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn both_versions_find_the_payload() {
        let first = [&[0u8; 14][..], &[0x08, 0x00, 0x45]].concat();
        assert_eq!(step(&first, dissect), "Payload Ipv4 16..17");
        let second = [&[0x86, 0xdd][..], &[0u8; 18], &[0x60]].concat();
        assert_eq!(step(&second, version2), "Payload Ipv6 20..21");
    }
}
