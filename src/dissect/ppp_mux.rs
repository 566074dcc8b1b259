//! PPP multiplexing: several frames in one (RFC 3153 section 1.1). And PPP frames whose payload is compressed.

use crate::field::{Bound, Cursor, Kind, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::ppp_names::protocol_name;
use super::{Next, Step};

crate::fields! {
    section "RFC 3153 1.1";
    SUBFRAME = "pppmux.subframe", "PPPMux Sub-frame", Kind::Group;
    FLAGS = "pppmuxcp.flags", "PFF/LXT", Kind::Hex(8);
    HAS_PROTOCOL = "pppmuxcp.flags.pid", "PID", Kind::Flag;
    LONG = "pppmuxcp.flags.field_length", "Length field", Kind::Flag;
    LENGTH = "pppmuxcp.sub_frame_length", "Sub-frame Length", Kind::Dec(14);
    PROTOCOL = "pppmux.protocol", "Protocol", Kind::Hex(16), names protocol_name;
    DATA = "pppmux.data", "Information Field", Kind::Bytes;
    COMPRESSED = "comp_data.data", "Compressed data", Kind::Bytes;
}

const HAS_PROTOCOL_BIT: u8 = 0x80;
const LONG_BIT: u8 = 0x40;

/// Reads the sub-frames. One without a Protocol field has that of the one before, or the default that was negotiated.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    while let Some(first) = c.peek(0) {
        let long = first & LONG_BIT != 0;
        let (header, length) = if long {
            let low = c.peek(1).ok_or_else(|| c.short(&LENGTH, 2))?;
            (2_usize, usize::from(first & 0x3f) << 8 | usize::from(low))
        } else {
            (1, usize::from(first & 0x3f))
        };
        let bound = Bound::Header("the sub-frame's length");
        let mut frame = c.group(&SUBFRAME, header.saturating_add(length), bound)?;
        frame.u8(&FLAGS)?;
        frame.part(&HAS_PROTOCOL, 1, u64::from(first & HAS_PROTOCOL_BIT != 0));
        frame.part(&LONG, 1, u64::from(long));
        if long {
            frame.bits8(&LENGTH)?;
        }
        frame.part(&LENGTH, header, u64::try_from(length).unwrap_or(0));
        if first & HAS_PROTOCOL_BIT != 0 {
            if frame.peek(0).is_some_and(|octet| octet & 1 == 1) {
                frame.u8(&PROTOCOL)?;
            } else {
                frame.u16(&PROTOCOL)?;
            }
        }
        text(&mut frame, &DATA);
    }
    Ok(Next::End)
}

/// A payload that was compressed or encrypted as CCP agreed (RFC 1962 section 2): named, not opened.
pub(crate) fn compressed<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    text(c, &COMPRESSED);
    Ok(Next::End)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn sub_frames_follow_each_other() {
        let bytes = octets("82 21 45 02 4500 c003 c02101 8003");
        layers_of(&bytes, dissect);
        assert_eq!(step(&octets("82 21 45 02 4500 c003 c02101"), dissect), "End");
        assert_eq!(step(&octets("05 4500"), dissect), "Short pppmux.subframe needs 6, has 3 at 0");
        assert_eq!(step(&octets("40"), dissect), "Short pppmuxcp.sub_frame_length needs 2, has 1 at 0");
        assert_eq!(step(&octets("80"), dissect), "Short pppmux.protocol needs 2, has 0 at 1");
        assert_eq!(step(&[], dissect), "End");
    }
}
