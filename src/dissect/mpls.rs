//! MPLS label stacks (RFC 3032 section 2.1), and what can be told of their payload (RFC 4385 section 3, RFC 4928).

use crate::field::{Cursor, Kind, Sink};

use super::layers::Layers;
use super::{Next, Protocol, Step};

crate::fields! {
    section "RFC 3032 2.1";
    LABEL = "mpls.label", "MPLS Label", Kind::Dec(20);
    EXPERIMENTAL = "mpls.exp", "MPLS Experimental Bits", Kind::Dec(3);
    BOTTOM = "mpls.bottom", "MPLS Bottom Of Label Stack", Kind::Dec(1);
    TTL = "mpls.ttl", "MPLS TTL", Kind::Dec(8);
    CONTROL_WORD = "pweth.cw", "Pseudowire Control Word", Kind::Hex(32);
}

/// A frame of Ethernet in a pseudowire has at least its header.
const ETHERNET_HEADER: usize = 14;

/// Reads one label; each is a layer of its own.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let top = c.bits16(&LABEL)?;
    let (third, ttl) = (c.bits8(&LABEL)?, c.bits8(&TTL)?);
    let label = u64::from(top) << 4 | u64::from(third >> 4);
    let bottom = third & 1 == 1;
    c.part(&LABEL, 4, label);
    c.part(&EXPERIMENTAL, 4, u64::from(third >> 1 & 7));
    c.part(&BOTTOM, 4, u64::from(bottom));
    c.part(&TTL, 4, u64::from(ttl));
    if !bottom {
        return Ok(Next::rest(c, Protocol::Mpls));
    }
    // Nothing says what follows. A first nibble of 4 or 6 is IP, of 0 is the control word of a pseudowire, most of which
    // carry Ethernet.
    Ok(match c.peek(0).map(|octet| octet >> 4) {
        Some(4) => Next::rest(c, Protocol::Ipv4),
        Some(6) => Next::rest(c, Protocol::Ipv6),
        Some(0) if c.remaining() > ETHERNET_HEADER.saturating_add(4) => {
            c.u32(&CONTROL_WORD)?;
            Next::rest(c, Protocol::Ethernet)
        }
        _ => Next::NotOurs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn labels_stack_and_the_first_nibble_tells() {
        let label = |bottom: u8, payload: &[u8]| [&[0, 1, 0x20 | bottom, 64][..], payload].concat();
        assert_eq!(step(&label(0, &[0; 4]), dissect), "Payload Mpls 4..8");
        assert_eq!(step(&label(1, &[0x45]), dissect), "Payload Ipv4 4..5");
        assert_eq!(step(&label(1, &[0x60]), dissect), "Payload Ipv6 4..5");
        let wire = label(1, &[0; 20]);
        layers_of(&wire, dissect);
        assert_eq!(step(&wire, dissect), "Payload Ethernet 8..24");
        assert_eq!(step(&label(1, &[0; 4]), dissect), "NotOurs");
        assert_eq!(step(&[0, 1, 0x21], dissect), "Short mpls.ttl needs 1, has 0 at 3");
    }
}
