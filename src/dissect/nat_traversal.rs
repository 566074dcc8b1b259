//! What shares UDP port 4500: ESP, IKE behind a non-ESP marker, and keepalives (RFC 3948 section 2).

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step};

fields! {
    section "RFC 3948 2";
    KEEPALIVE = "udpencap.nat_keepalive", "NAT-keepalive packet", Kind::Flag;
    MARKER = "udpencap.non_esp_marker", "Non-ESP Marker", Kind::Flag;
}

// Both are there or not, and hold nothing: what tshark shows of them is 1.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    if c.remaining() == 1 && c.peek(0) == Some(0xff) {
        c.sub(&KEEPALIVE, 1, Bound::Capture)?;
        c.part(&KEEPALIVE, 1, 1);
        layers.nat_keepalive = true;
        return Ok(Next::End);
    }
    if [c.peek(0), c.peek(1), c.peek(2), c.peek(3)] == [Some(0); 4] {
        c.sub(&MARKER, 4, Bound::Capture)?;
        c.part(&MARKER, 4, 1);
        layers.marker = true;
        return Ok(Next::rest(c, Protocol::Ike));
    }
    Ok(Next::rest(c, Protocol::Esp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn the_first_four_octets_decide() {
        assert_eq!(step(&[0xff], dissect), "End");
        assert_eq!(step(&[0, 0, 0, 0, 1], dissect), "Payload Ike 4..5");
        assert_eq!(step(&[0, 0, 0, 1, 1], dissect), "Payload Esp 0..5");
        assert_eq!(step(&[], dissect), "Payload Esp 0..0");
    }
}
