//! The Address Resolution Protocol (RFC 826): who asks for which gateway, before any packet of ours can go.

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Step};

fields! {
    section "RFC 826";
    HARDWARE = "arp.hw.type", "Hardware type", Kind::Dec(16);
    PROTOCOL = "arp.proto.type", "Protocol type", Kind::Hex(16);
    HARDWARE_SIZE = "arp.hw.size", "Hardware size", Kind::Dec(8);
    PROTOCOL_SIZE = "arp.proto.size", "Protocol size", Kind::Dec(8);
    OPCODE = "arp.opcode", "Opcode", Kind::Dec(16), names opcode_name;
    SENDER_MAC = "arp.src.hw_mac", "Sender MAC address", Kind::Mac;
    SENDER_IPV4 = "arp.src.proto_ipv4", "Sender IP address", Kind::Ipv4;
    TARGET_MAC = "arp.dst.hw_mac", "Target MAC address", Kind::Mac;
    TARGET_IPV4 = "arp.dst.proto_ipv4", "Target IP address", Kind::Ipv4;
    ADDRESSES = "arp.addresses", "Addresses", Kind::Bytes;
}

fn opcode_name(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "request",
        2 => "reply",
        3 => "reverse request",
        4 => "reverse reply",
        8 => "inverse request",
        9 => "inverse reply",
        _ => return None,
    })
}

/// Reads a packet; addresses by name if they are those of Ethernet and IPv4.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.u16(&HARDWARE)?;
    let protocol = c.u16(&PROTOCOL)?;
    let hardware_size = c.u8(&HARDWARE_SIZE)?;
    let protocol_size = c.u8(&PROTOCOL_SIZE)?;
    c.u16(&OPCODE)?;
    if (protocol, hardware_size, protocol_size) != (0x0800, 6, 4) {
        let size = usize::from(hardware_size).saturating_add(protocol_size.into()).saturating_mul(2);
        if size > 0 {
            c.octets(&ADDRESSES, size)?;
        }
        return Ok(Next::NotOurs);
    }
    for (mac, ipv4) in [(&SENDER_MAC, &SENDER_IPV4), (&TARGET_MAC, &TARGET_IPV4)] {
        c.octets(mac, 6)?;
        c.ipv4(ipv4)?;
    }
    Ok(Next::NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::step;

    #[test]
    fn requests_of_ethernet_and_others() {
        let request = octets("0001 0800 06 04 0001 00005e005301 c0000201 000000000000 c0000202");
        assert_eq!(step(&request, dissect), "NotOurs");
        assert_eq!(step(&request[..27], dissect), "Short arp.dst.proto_ipv4 needs 4, has 3 at 24");
        assert_eq!(step(&octets("0001 86dd 01 01 0001 01020304"), dissect), "NotOurs");
        assert_eq!(
            step(&octets("0001 86dd 01 01 0001 010203"), dissect),
            "Short arp.addresses needs 4, has 3 at 8"
        );
    }
}
