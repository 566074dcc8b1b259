//! The multilink header of a PPP frame (RFC 1990 section 3), with long sequence numbers.

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step};

fields! {
    section "RFC 1990 3";
    FRAGMENT = "mp.frag", "Fragment", Kind::Hex(8);
    FIRST = "mp.first", "First fragment", Kind::Flag;
    LAST = "mp.last", "Last fragment", Kind::Flag;
    SEQUENCE = "mp.seq", "Sequence number", Kind::Dec(24);
}

/// A frame in one piece is read on; pieces of one are named and left.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let word = c.u32(&SEQUENCE)?;
    c.part(&FRAGMENT, 4, u64::from(word >> 24));
    let (first, last) = (word >> 31 & 1 == 1, word >> 30 & 1 == 1);
    c.part(&FIRST, 4, u64::from(first));
    c.part(&LAST, 4, u64::from(last));
    Ok(if first && last { Next::rest(c, Protocol::Ppp) } else { Next::NotOurs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn a_whole_frame_goes_on() {
        assert_eq!(step(&[0xc0, 0, 0, 1, 0x80, 0x21], dissect), "Payload Ppp 4..6");
        assert_eq!(step(&[0x80, 0, 0, 1, 0x80, 0x21], dissect), "NotOurs");
    }
}
