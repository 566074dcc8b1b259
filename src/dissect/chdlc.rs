//! Cisco HDLC, and SLARP in it (LINKTYPE_C_HDLC); pseudowires of type HDLC carry it too (RFC 4349 section 4).

use crate::field::{Cursor, Kind, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Protocol, Step, ethernet};

crate::fields! {
    section "LINKTYPE_C_HDLC";
    ADDRESS = "chdlc.address", "Address", Kind::Hex(8), names address_name;
    CONTROL = "chdlc.control", "Control", Kind::Hex(8);
    PROTOCOL = "chdlc.protocol", "Protocol", Kind::Hex(16);
    PACKET_TYPE = "slarp.ptype", "Packet type", Kind::Dec(32), names packet_type_name;
    SLARP_ADDRESS = "slarp.address", "Address", Kind::Ipv4;
    NETMASK = "slarp.netmask", "Netmask", Kind::Ipv4;
    MINE = "slarp.mysequence", "Outgoing sequence number", Kind::Dec(32);
    YOURS = "slarp.yoursequence", "Returned sequence number", Kind::Dec(32);
    RELIABILITY = "slarp.reliability", "Reliability", Kind::Hex(16);
    REST = "slarp.data", "Data", Kind::Bytes;
}

/// The address of a frame for one station.
const UNICAST: u8 = 0x0f;
/// The address of a frame for all.
const MULTICAST: u8 = 0x8f;
const SLARP: u16 = 0x8035;
const KEEPALIVE: u32 = 2;

fn address_name(address: u64) -> Option<&'static str> {
    match u8::try_from(address) {
        Ok(UNICAST) => Some("Unicast"),
        Ok(MULTICAST) => Some("Multicast"),
        _ => None,
    }
}

fn packet_type_name(kind: u64) -> Option<&'static str> {
    ["Address request", "Address reply", "Line keepalive"].get(usize::try_from(kind).ok()?).copied()
}

/// Whether a frame that begins with this octet is Cisco HDLC and not PPP.
pub(crate) fn is_address(first: u8) -> bool {
    matches!(first, UNICAST | MULTICAST)
}

/// Reads a frame: Address, Control, EtherType.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    // HDLC with PPP in it says so with its address and control (RFC 1662 section 3.1).
    if c.peek_u16() == Some(0xff03) {
        return Ok(Next::rest(c, Protocol::Ppp));
    }
    c.u8(&ADDRESS)?;
    c.u8(&CONTROL)?;
    let protocol = c.u16(&PROTOCOL)?;
    Ok(if protocol == SLARP { Next::rest(c, Protocol::Slarp) } else { ethernet::follow(c, protocol) })
}

/// Reads a packet of the Serial Line Address Resolution Protocol.
pub(crate) fn slarp<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    if c.u32(&PACKET_TYPE)? == KEEPALIVE {
        c.u32(&MINE)?;
        c.u32(&YOURS)?;
    } else {
        c.ipv4(&SLARP_ADDRESS)?;
        c.ipv4(&NETMASK)?;
    }
    c.u16(&RELIABILITY)?;
    text(c, &REST);
    Ok(Next::End)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn an_ethertype_leads_on() {
        assert_eq!(step(&[0x0f, 0, 8, 0, 0x45], dissect), "Payload Ipv4 4..5");
        assert_eq!(step(&[0x8f, 0, 0x80, 0x35, 0, 0], dissect), "Payload Slarp 4..6");
        assert_eq!(step(&[0xff, 3, 0, 0x21, 0x45], dissect), "Payload Ppp 0..5");
        assert_eq!(step(&[0x8f, 0, 0x20], dissect), "Short chdlc.protocol needs 2, has 1 at 2");
    }

    #[test]
    fn slarp_is_read_to_its_end() {
        let keepalive = [0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 6, 0xff, 0xff];
        layers_of(&keepalive, slarp);
        assert_eq!(step(&keepalive, slarp), "End");
        let request = [0, 0, 0, 0, 192, 0, 2, 1, 255, 255, 255, 0, 0xff, 0xff];
        assert_eq!(step(&request, slarp), "End");
        assert_eq!(step(&request[..13], slarp), "Short slarp.reliability needs 2, has 1 at 12");
    }
}
