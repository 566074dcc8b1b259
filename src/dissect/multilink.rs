//! The multilink header of a PPP frame (RFC 1990 section 3; classes RFC 2686 section 2).
//!
//! Whether sequence numbers are short was agreed in LCP, on links that may not be in the capture. They are taken for long,
//! as they are unless both ends agree otherwise, if what follows in a first fragment does not tell that they are short.

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::ppp::text;
use super::ppp_names::protocol_name;
use super::{Next, Protocol, Step};

fields! {
    section "RFC 1990 3";
    FRAGMENT = "mp.frag", "Fragment", Kind::Hex(6);
    FIRST = "mp.first", "First fragment", Kind::Flag;
    LAST = "mp.last", "Last fragment", Kind::Flag;
    CLASS = "mp.sequence_num_cls", "Class", Kind::Dec(4);
    RESERVED = "mp.sequence_num_reserved", "Reserved", Kind::Flag;
    SEQUENCE = "mp.seq", "Sequence number", Kind::Dec(24);
    SHORT_CLASS = "mp.short_sequence_num_cls", "Class", Kind::Dec(2);
    SHORT_SEQUENCE = "mp.sseq", "Short Sequence number", Kind::Dec(12);
    PAYLOAD = "mp.payload", "Payload", Kind::Bytes;
}

const FIRST_BIT: u8 = 0x80;
const LAST_BIT: u8 = 0x40;

/// A frame in one piece is read on; pieces of one are named and left.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let flags = c.peek(0).ok_or_else(|| c.short(&FRAGMENT, 1))?;
    let (first, last) = (flags & FIRST_BIT != 0, flags & LAST_BIT != 0);
    // FF 03 is no accident.
    let full = |ahead: usize| c.peek(ahead) == Some(0xff) && c.peek(ahead.saturating_add(1)) == Some(0x03);
    let short = (full(2) && !full(4)) || (!begins_frame(c, 4) && begins_frame(c, 2));
    if first && short {
        let word = c.bits16(&SHORT_SEQUENCE)?;
        c.part(&FIRST, 2, u64::from(first));
        c.part(&LAST, 2, u64::from(last));
        c.part(&SHORT_CLASS, 2, u64::from(flags >> 4 & 3));
        c.part(&SHORT_SEQUENCE, 2, u64::from(word & 0x0fff));
    } else {
        c.bits8(&FRAGMENT)?;
        c.part(&FRAGMENT, 1, u64::from(flags >> 2));
        c.part(&FIRST, 1, u64::from(first));
        c.part(&LAST, 1, u64::from(last));
        c.part(&CLASS, 1, u64::from(flags >> 2 & 0x0f));
        c.part(&RESERVED, 1, u64::from(flags & 3 != 0));
        let high = c.bits8(&SEQUENCE)?;
        let low = c.bits16(&SEQUENCE)?;
        c.part(&SEQUENCE, 3, u64::from(high) << 16 | u64::from(low));
    }
    if first && last {
        return Ok(Next::rest(c, Protocol::Ppp));
    }
    text(c, &PAYLOAD);
    Ok(Next::NotOurs)
}

/// Whether a PPP frame seems to begin `ahead` octets from here.
fn begins_frame<S: Sink>(c: &Cursor<'_, '_, S>, ahead: usize) -> bool {
    let at = |more: usize| c.peek(ahead.saturating_add(more));
    let (Some(first), Some(second)) = (at(0), at(1)) else { return false };
    let known = |number: u16| protocol_name(number.into()).is_some();
    match first {
        0xff => second == 0x03,
        // Padding is no first octet that anyone sends.
        first if first & 1 == 1 => first != 1 && known(first.into()),
        first => known(u16::from_be_bytes([first, second])),
    }
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

    #[test]
    fn short_numbers_are_told_by_what_follows() {
        assert_eq!(step(&[0xc0, 1, 0x80, 0x21, 1, 2], dissect), "Payload Ppp 2..6");
        assert_eq!(step(&[0xd0, 1, 0xff, 0x03, 0xc0, 0x21], dissect), "Payload Ppp 2..6");
        // Both could be: long.
        assert_eq!(step(&[0xc0, 0, 0x00, 0x21, 0x80, 0x21], dissect), "Payload Ppp 4..6");
        assert_eq!(step(&[0x30], dissect), "Short mp.seq needs 1, has 0 at 1");
        assert_eq!(step(&[], dissect), "Short mp.frag needs 1, has 0 at 0");
    }

    #[test]
    fn both_forms_are_described() {
        use crate::dissect::ppp::testing::described;
        assert_eq!(
            described("003d bc010203 abcd")[1..],
            [
                "mp.frag=47",
                "mp.first=1",
                "mp.last=0",
                "mp.sequence_num_cls=15",
                "mp.sequence_num_reserved=0",
                "mp.seq=66051",
                "mp.payload=abcd"
            ]
        );
        assert_eq!(
            described("003d 9123 8021")[1..],
            ["mp.first=1", "mp.last=0", "mp.short_sequence_num_cls=1", "mp.sseq=291", "mp.payload=8021"]
        );
    }
}
