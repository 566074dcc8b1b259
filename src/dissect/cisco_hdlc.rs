//! HDLC frames as Cisco sends them on serial lines, which pseudowires of type HDLC carry (RFC 4349 section 4).

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step, ethernet};

fields! {
    section "RFC 4349 4";
    ADDRESS = "chdlc.address", "Address", Kind::Hex(8), names address_name;
    CONTROL = "chdlc.control", "Control", Kind::Hex(8);
    PROTOCOL = "chdlc.protocol", "Protocol", Kind::Hex(16);
}

fn address_name(address: u64) -> Option<&'static str> {
    Some(match address {
        0x0f => "unicast",
        0x8f => "multicast",
        _ => return None,
    })
}

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    // HDLC with PPP in it says so with its address and control (RFC 1662 section 3.1).
    if c.peek_u16() == Some(0xff03) {
        return Ok(Next::rest(c, Protocol::Ppp));
    }
    c.u8(&ADDRESS)?;
    c.u8(&CONTROL)?;
    let protocol = c.u16(&PROTOCOL)?;
    Ok(ethernet::follow(c, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn an_ethertype_follows_address_and_control() {
        assert_eq!(step(&[0x0f, 0, 8, 0, 0x45], dissect), "Payload Ipv4 4..5");
        assert_eq!(step(&[0x8f, 0, 0x80, 0x35, 0], dissect), "NotOurs");
        assert_eq!(step(&[0xff, 3, 0, 0x21, 0x45], dissect), "Payload Ppp 0..5");
        assert_eq!(step(&[0x0f, 0, 8], dissect), "Short chdlc.protocol needs 2, has 1 at 2");
    }
}
