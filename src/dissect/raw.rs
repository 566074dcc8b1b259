//! Link types without a link header, or with little more than an address family (LINKTYPE_RAW, _NULL, _LOOP, _ENC).

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step};

fields! {
    section "LINKTYPE_NULL";
    FAMILY = "null.family", "Family", Kind::Dec(32);
    ENC_FAMILY = "enc.af", "Address Family", Kind::Dec(32);
    ENC_SPI = "enc.spi", "SPI", Kind::Hex(32);
    ENC_FLAGS = "enc.flags", "Flags", Kind::Hex(32);
}

/// An IP packet of either version.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    Ok(match c.peek(0).map(|octet| octet >> 4) {
        Some(4) => Next::rest(c, Protocol::Ipv4),
        Some(6) => Next::rest(c, Protocol::Ipv6),
        _ => Next::NotOurs,
    })
}

/// Four octets of address family: in the order of the capturing host for NULL, in network order for LOOP.
pub(crate) fn null<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let read = [c.peek(0), c.peek(1), c.peek(2), c.peek(3)].map(|octet| octet.unwrap_or_default());
    c.sub(&FAMILY, read.len(), Bound::Capture)?;
    // No family has a number above 65535, so the order shows itself.
    let family = u32::from_be_bytes(read);
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    c.part(&FAMILY, read.len(), family.into());
    Ok(follow(c, family))
}

/// What OpenBSD's and FreeBSD's enc(4) saw: the packet before it was encrypted, or after it was decrypted.
pub(crate) fn enc<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let family = c.u32(&ENC_FAMILY)?;
    c.u32(&ENC_SPI)?;
    c.u32(&ENC_FLAGS)?;
    Ok(follow(c, family))
}

fn follow<S: Sink>(c: &Cursor<'_, '_, S>, family: u32) -> Next {
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    match family {
        2 => Next::rest(c, Protocol::Ipv4),
        // AF_INET6 differs: 24 NetBSD and OpenBSD, 28 FreeBSD, 30 macOS, 10 Linux.
        10 | 24 | 28 | 30 => Next::rest(c, Protocol::Ipv6),
        _ => Next::NotOurs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn the_family_is_read_in_either_order() {
        assert_eq!(step(&[2, 0, 0, 0, 0x45], null), "Payload Ipv4 4..5");
        assert_eq!(step(&[0, 0, 0, 30, 0x60], null), "Payload Ipv6 4..5");
        assert_eq!(step(&[0x45, 0], dissect), "Payload Ipv4 0..2");
        assert_eq!(step(&[], dissect), "NotOurs");
        assert_eq!(step(&[2, 0, 0, 0, 0, 0, 0x10, 1, 0, 0, 4, 0, 0x45], enc), "Payload Ipv4 12..13");
        assert_eq!(step(&[0, 0, 0, 24, 0, 0], enc), "Short enc.spi needs 4, has 2 at 4");
    }
}
