//! The header of L2F (RFC 2341 section 4.2), which shares port 1701 with L2TP.

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step};

fields! {
    section "RFC 2341 4.2";
    FLAGS = "l2f.flags", "Flags and Version", Kind::Hex(16);
    OFFSET_BIT = "l2f.offset_bit", "F (Offset)", Kind::Flag;
    KEY_BIT = "l2f.key_bit", "K (Key)", Kind::Flag;
    PRIORITY_BIT = "l2f.priority", "P (Priority)", Kind::Flag;
    SEQUENCE_BIT = "l2f.seq_bit", "S (Sequence)", Kind::Flag;
    CHECKSUM_BIT = "l2f.checksum_bit", "C (Checksum)", Kind::Flag;
    VERSION = "l2f.version", "Version", Kind::Dec(8);
    PROTOCOL = "l2f.protocol", "Protocol", Kind::Dec(8), names protocol_name;
    SEQUENCE = "l2f.sequence", "Sequence", Kind::Dec(8);
    MULTIPLEX_ID = "l2f.mid", "Multiplex ID", Kind::Dec(16);
    CLIENT_ID = "l2f.client_id", "Client ID", Kind::Dec(16);
    LENGTH = "l2f.length", "Length", Kind::Dec(16);
    OFFSET = "l2f.offset", "Offset", Kind::Dec(16);
    KEY = "l2f.key", "Key", Kind::Secret;
    OFFSET_PADDING = "l2f.offset_padding", "Offset padding", Kind::Bytes;
    PAYLOAD = "l2f.payload", "Payload", Kind::Bytes;
}

const BOUND: Bound = Bound::Header("the L2F Length");
const PPP: u8 = 2;

fn protocol_name(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "L2F management",
        2 => "PPP",
        3 => "SLIP",
        _ => return None,
    })
}

/// Whether the low bits of the second octet are those of L2F: the C bit, and version 1 in three bits.
pub(crate) fn is_version(octet: u8) -> bool {
    octet & 7 == 1
}

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    c.title("Layer 2 Forwarding");
    layers.other_version = Some(1);
    let start = c.consumed();
    let flags = c.u16(&FLAGS)?;
    let bit = |mask: u16| u64::from(flags & mask != 0);
    let bits = [
        (&OFFSET_BIT, 0x8000),
        (&KEY_BIT, 0x4000),
        (&PRIORITY_BIT, 0x2000),
        (&SEQUENCE_BIT, 0x1000),
        (&CHECKSUM_BIT, 0x0008),
    ];
    for (field, mask) in bits {
        c.part(field, 2, bit(mask));
    }
    c.part(&VERSION, 2, u64::from(flags & 7));
    let protocol = c.u8(&PROTOCOL)?;
    if bit(0x1000) == 1 {
        c.u8(&SEQUENCE)?;
    }
    c.u16(&MULTIPLEX_ID)?;
    c.u16(&CLIENT_ID)?;
    let length = c.u16(&LENGTH)?;
    match usize::from(length).checked_sub(c.consumed().saturating_sub(start)) {
        Some(rest) => {
            c.limit(rest, BOUND);
        }
        None => return Err(c.invalid(&LENGTH, 9, length.into())),
    }
    let offset = if bit(0x8000) == 1 { c.u16(&OFFSET)? } else { 0 };
    if bit(0x4000) == 1 {
        c.octets(&KEY, 4)?;
    }
    if offset > 0 {
        c.octets(&OFFSET_PADDING, offset.into())?;
    }
    if protocol == PPP {
        let start = c.consumed();
        let end = start.saturating_add(c.remaining());
        return Ok(Next::Inside { protocol: Protocol::Ppp, start, end });
    }
    c.rest(&PAYLOAD);
    Ok(Next::NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};

    /// A management packet with sequence, key and checksum; then data with an offset.
    #[test]
    fn the_bits_say_which_fields_there_are() {
        let management = [0x50, 0x09, 1, 7, 0, 2, 0, 3, 0, 15, 0xde, 0xad, 0xbe, 0xef, 1, 0x12, 0x34];
        assert_eq!(step(&management, dissect), "NotOurs");
        assert_eq!(layers_of(&management, dissect).other_version, Some(1));
        let data = [0x80, 1, 2, 0, 2, 0, 3, 0, 15, 0, 2, 9, 9, 0xff, 3, 0xee];
        assert_eq!(step(&data, dissect), "Inside { protocol: Ppp, start: 13, end: 15 }");
        assert_eq!(step(&[0, 1, 2, 0, 2, 0, 3, 0, 8], dissect), "Short l2f.length needs 9, has 8 at 9");
        assert_eq!(step(&[0, 1, 2, 0, 2], dissect), "Short l2f.client_id needs 2, has 0 at 5");
    }
}
