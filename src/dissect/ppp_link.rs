//! What stands before a PPP frame where a link layer is PPP: HDLC-like framing with its FCS (RFC 1662 sections 3, 4 and
//! appendix C), and the direction that some captures put there.

use crate::field::{Cursor, FieldDef, Kind, Sink, Value};

use super::layers::Layers;
use super::{Next, Protocol, Step, chdlc};

crate::fields! {
    section "RFC 1662 3.1";
    DIRECTION = "ppp.direction", "Direction", Kind::Dec(8), names direction_name;
    FLAG = "ppp_hdlc.flag", "Flag Sequence", Kind::Hex(8);
    DATA = "ppp_hdlc.data", "PPP Data", Kind::Bytes;
    FCS_16 = "ppp.fcs_16", "FCS 16", Kind::Hex(16);
    FCS_32 = "ppp.fcs_32", "FCS 32", Kind::Hex(32);
    FCS_STATUS = "ppp.fcs.status", "FCS Status", Kind::Dec(8), names status_name;
}

/// The octet between frames.
const FLAG_SEQUENCE: u8 = 0x7e;
/// The octet before one that is changed.
const ESCAPE: u8 = 0x7d;
/// How it is changed.
const CHANGE: u8 = 0x20;
/// What an FCS over a frame and its FCS comes to (RFC 1662 appendix C).
const GOOD_16: u16 = 0xf0b8;
const GOOD_32: u32 = 0xdebb_20e3;
const GOOD: u64 = 1;
const BAD: u64 = 0;

fn direction_name(direction: u64) -> Option<&'static str> {
    match direction {
        0 => Some("Sent"),
        1 => Some("Received"),
        _ => None,
    }
}

fn status_name(status: u64) -> Option<&'static str> {
    match status {
        BAD => Some("Bad"),
        GOOD => Some("Good"),
        _ => None,
    }
}

/// What a frame of a PPP link is, by its first octet: captures call more things PPP than are.
pub(crate) fn of(first: Option<u8>) -> Protocol {
    match first {
        Some(FLAG_SEQUENCE) => Protocol::PppHdlc,
        Some(first) if chdlc::is_address(first) => Protocol::Chdlc,
        _ => Protocol::Ppp,
    }
}

/// The octet before a frame of LINKTYPE_PPP_PPPD and LINKTYPE_PPP_WITH_DIR.
pub(crate) fn direction<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    // The octet is 0 for a frame that was received. It is shown the other way round, as tshark has it.
    let received = c.bits8(&DIRECTION)? == 0;
    c.part(&DIRECTION, 1, received.into());
    let protocol = of(c.peek(0));
    Ok(Next::rest(c, protocol))
}

/// A frame between Flag Sequences with octets escaped: what was sent comes into `plain`, without its FCS.
pub(crate) fn unframe<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers, plain: &mut Vec<u8>) -> Step {
    while c.peek(0) == Some(FLAG_SEQUENCE) {
        c.u8(&FLAG)?;
    }
    let framed = c.peek_rest();
    let len = framed.iter().position(|octet| *octet == FLAG_SEQUENCE).unwrap_or(framed.len());
    let mut octets = c.octets(&DATA, len)?.iter();
    while let Some(octet) = octets.next() {
        let octet = match *octet {
            ESCAPE => match octets.next() {
                Some(octet) => octet ^ CHANGE,
                // Escape and Flag Sequence: the sender gave the frame up (RFC 1662 section 4.3).
                None => return Ok(Next::End),
            },
            octet => octet,
        };
        plain.push(octet);
    }
    if c.peek(0) == Some(FLAG_SEQUENCE) {
        c.u8(&FLAG)?;
    }
    let whole = plain.len();
    let (field, fcs, status): (&'static FieldDef, usize, u64) = if fcs_16(plain) == GOOD_16 {
        (&FCS_16, 2, GOOD)
    } else if fcs_32(plain) == GOOD_32 {
        (&FCS_32, 4, GOOD)
    } else {
        (&FCS_16, 2, BAD)
    };
    let Some(end) = whole.checked_sub(fcs) else { return Err(c.short(field, fcs)) };
    c.made(field, end..whole, number(plain.get(end..).unwrap_or_default()));
    c.made(&FCS_STATUS, end..whole, Value::Derived(status));
    Ok(Next::Plain { protocol: Protocol::Ppp, payload: 0..end })
}

/// The FCS at the end of a frame without Flag Sequences, if one is there: not every capture keeps it, and only its value
/// tells. Ends the cursor before it.
pub(crate) fn trailer<S: Sink>(c: &mut Cursor<'_, '_, S>) {
    let bytes = c.peek_rest();
    let (field, fcs): (&'static FieldDef, usize) = if c.is_cut() || bytes.len() < 6 {
        return;
    } else if fcs_16(bytes) == GOOD_16 {
        (&FCS_16, 2)
    } else if fcs_32(bytes) == GOOD_32 {
        (&FCS_32, 4)
    } else {
        return;
    };
    let Some(end) = bytes.len().checked_sub(fcs) else { return };
    let range = c.range(end..bytes.len());
    c.describe(field, range, number(bytes.get(end..).unwrap_or_default()));
    c.describe(&FCS_STATUS, range, Value::Derived(GOOD));
    c.limit(end, crate::field::Bound::Header("the FCS"));
}

/// An FCS is sent with its least octet first.
fn number(octets: &[u8]) -> Value {
    Value::Number(octets.iter().rev().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}

/// The CRC of ITU-T V.42 of 16 bits, in the bit order of the line.
fn fcs_16(octets: &[u8]) -> u16 {
    octets.iter().fold(0xffff, |fcs, octet| {
        (0..8).fold(fcs ^ u16::from(*octet), |fcs, _| if fcs & 1 == 1 { fcs >> 1 ^ 0x8408 } else { fcs >> 1 })
    })
}

/// The one of 32 bits.
fn fcs_32(octets: &[u8]) -> u32 {
    octets.iter().fold(u32::MAX, |fcs, octet| {
        (0..8).fold(
            fcs ^ u32::from(*octet),
            |fcs, _| {
                if fcs & 1 == 1 { fcs >> 1 ^ 0xedb8_8320 } else { fcs >> 1 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};
    use crate::field::{Bound, Tree};

    /// An LCP Terminate-Ack with its FCS, as the kernel's asynchronous line discipline writes it with an ACCM of all ones.
    const FRAMED: &str = "7e ff 7d23 c0 21 7d26 7d22 7d20 7d24";

    fn framed() -> Vec<u8> {
        let mut frame = octets("ff03c02106020004");
        let fcs = !fcs_16(&frame);
        frame.extend(fcs.to_le_bytes());
        let mut out = octets(FRAMED);
        for octet in &frame[8..] {
            if *octet < 0x20 || matches!(*octet, 0x7d | 0x7e) {
                out.extend([ESCAPE, octet ^ CHANGE]);
            } else {
                out.push(*octet);
            }
        }
        out.push(FLAG_SEQUENCE);
        out
    }

    fn plain(bytes: &[u8]) -> (Vec<u8>, String) {
        let mut out = Vec::new();
        let said = std::cell::RefCell::new(&mut out);
        let said = step(bytes, |c, layers| unframe(c, layers, &mut said.borrow_mut()));
        (out, said)
    }

    #[test]
    fn the_checks_of_the_rfc() {
        // The check value of both CRCs is that of nine digits.
        assert_eq!(!fcs_16(b"123456789"), 0x906e);
        assert_eq!(!fcs_32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_frame_is_unescaped_and_its_fcs_checked() {
        let frame = framed();
        let (out, said) = plain(&frame);
        assert_eq!(out[..8], octets("ff03c02106020004")[..]);
        assert_eq!(said, "Plain { protocol: Ppp, payload: 0..8 }");
        let mut tree = Tree::default();
        let mut c = Cursor::new(&frame, 0, 0, Bound::Capture, false, &mut tree);
        assert!(unframe(&mut c, &mut Layers::default(), &mut Vec::new()).is_ok());
        drop(c);
        assert!(tree.nodes().iter().any(|n| n.field == &FCS_STATUS && n.value == Value::Derived(GOOD)));
        for len in 0..frame.len() {
            plain(&frame[..len]);
        }
    }

    #[test]
    fn short_and_aborted_frames() {
        assert_eq!(plain(&[0x7e]).1, "Short ppp.fcs_16 needs 2, has 0 at 1");
        assert_eq!(plain(&[0x7e, 0xff]).1, "Short ppp.fcs_16 needs 2, has 0 at 2");
        assert_eq!(plain(&[0x7e, 0xff, 0x7d, 0x7e]).1, "End");
        // A frame of one or two octets is nothing but an FCS.
        assert_eq!(plain(&[0x7e, 0x30, 0x30, 0x7e]).1, "Plain { protocol: Ppp, payload: 0..0 }");
        // Everything escaped twice the size, and no more than half of it comes out.
        assert_eq!(plain(&[0x7d; 64]).0, [0x5d; 32]);
    }

    #[test]
    fn a_trailer_is_found_by_its_value() {
        let mut frame = octets("ff03c02106020004");
        frame.extend((!fcs_16(&frame)).to_le_bytes());
        for (bytes, left) in [(&frame[..], 8), (&frame[..9], 9)] {
            let mut tree = Tree::default();
            let mut c = Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut tree);
            trailer(&mut c);
            assert_eq!(c.remaining(), left);
        }
    }

    #[test]
    fn directions_and_kinds() {
        assert_eq!(step(&[1, 0xff, 3, 0xc0, 0x21], direction), "Payload Ppp 1..5");
        assert_eq!(step(&[0, 0x8f, 0, 8, 0], direction), "Payload Chdlc 1..5");
        assert_eq!(step(&[0, 0x7e], direction), "Payload PppHdlc 1..2");
        assert_eq!(step(&[], direction), "Short ppp.direction needs 1, has 0 at 0");
        layers_of(&[0, 0x7e], direction);
    }
}
