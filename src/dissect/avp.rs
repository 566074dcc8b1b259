//! The AVPs of a control message (RFC 2661 section 4).

use std::net::IpAddr;

use crate::field::{Bound, Cursor, Kind, Short, Sink, Value};
use crate::fields;
use crate::ipsec::{HiddenValue, HidingVersion, TunnelSecrets};
use crate::util::Printable;

use super::avp_names;
use super::avp_table::{self, Part, Row, Shape, attribute as number, vendor};
use super::content_hash;
use super::layers::{Avp, AvpFault, AvpValue, Control, MessageType, ResultCode};

fields! {
    section "RFC 2661 4.1";
    AVP = "l2tp.avp", "AVP", Kind::Group;
    WORD = "l2tp.avp.flags", "Flags and Length", Kind::Hex(16);
    MANDATORY = "l2tp.avp.mandatory", "Mandatory", Kind::Flag;
    HIDDEN = "l2tp.avp.hidden", "Hidden", Kind::Flag;
    LENGTH = "l2tp.avp.length", "Length", Kind::Dec(16);
    VENDOR = "l2tp.avp.vendor_id", "Vendor ID", Kind::Dec(16), names avp_names::vendor_name;
    ATTRIBUTE = "l2tp.avp.type", "AVP Type", Kind::Dec(16), names avp_table::attribute_name;
    OTHER_ATTRIBUTE = "l2tp.avp.type", "AVP Type", Kind::Dec(16);
    CISCO_TYPE = "l2tp.avp.ciscotype", "Type", Kind::Dec(16), names avp_table::cisco_name;
    ERICSSON_TYPE = "l2tp.avp.ericssontype", "Type", Kind::Dec(16), names avp_table::ericsson_name;
    BROADBAND_TYPE = "l2tp.avp.broadbandtype", "Type", Kind::Dec(16), names avp_table::broadband_name;
    CABLELABS_TYPE = "l2tp.avp.cablelabstype", "Type", Kind::Dec(16), names avp_table::cablelabs_name;
    VALUE = "l2tp.avp.value", "Value", Kind::Bytes;
    HIDDEN_VALUE = "l2tp.avp.hidden_value", "Hidden value", Kind::Bytes, section "RFC 2661 4.3";
    HIDDEN_SECRET = "l2tp.avp.hidden_value", "Hidden value", Kind::Secret, section "RFC 2661 4.3";
    ZERO_LENGTH_BODY = "l2tp.zero_length_body_message", "Zero-Length Body message", Kind::Flag, section "RFC 2661 1.2";
    ORIGINAL_LENGTH = "l2tp.avp.original_length", "Original Length", Kind::Dec(16), section "RFC 2661 4.3";
    HIDDEN_PADDING = "l2tp.avp.hidden_padding", "Padding", Kind::Bytes, section "RFC 2661 4.3";
    VENDOR_SPECIFIC = "l2tp.vendor_specific_avp_data", "Vendor-specific AVP whose value is not known", Kind::Flag;
    BAD_LENGTH = "l2tp.avp_length.bad", "AVP Length that cannot be", Kind::Flag;
}

const BOUND: Bound = Bound::Header("the AVP Length");

/// More AVPs than any message has; a hostile one of 64 KiB could hold ten thousand empty ones.
const MOST_AVPS: usize = 256;

/// Reads the AVPs of one message; a fault ends the walk and is kept beside what came before it.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, mut unhide: Option<Unhide<'_>>) -> Control {
    let mut control = Control {
        message: None,
        zlb: c.is_empty() && !c.is_cut(),
        avps: Vec::new(),
        body: content_hash::hash(c.peek_rest()),
        cut: false,
        fault: None,
    };
    if control.zlb {
        c.derived(&ZERO_LENGTH_BODY, 1);
    }
    let whole = c.remaining();
    while !c.is_empty() && control.avps.len() < MOST_AVPS {
        let offset = u32::try_from(whole.saturating_sub(c.remaining())).unwrap_or(u32::MAX);
        match one(c, offset, control.message, unhide.as_mut()) {
            Ok(avp) => {
                if control.message.is_none()
                    && avp.vendor == 0
                    && avp.attribute == 0
                    && let AvpValue::Number(number) = avp.value
                {
                    control.message = u16::try_from(number).ok().map(MessageType);
                }
                control.avps.push(avp);
            }
            Err(_) if c.is_cut() => break,
            Err(fault) => {
                control.fault = Some(fault);
                break;
            }
        }
    }
    control.cut = c.is_cut();
    control
}

fn one<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    offset: u32,
    message: Option<MessageType>,
    unhide: Option<&mut Unhide<'_>>,
) -> Result<Avp, AvpFault> {
    let available = u32::try_from(c.remaining()).unwrap_or(u32::MAX);
    let overruns = |length| AvpFault::Overruns { length, available, offset };
    let word = c.peek_u16().ok_or(overruns(6))?;
    let length = word & 0x03ff;
    if length < 6 {
        c.derived(&BAD_LENGTH, 1);
        return Err(AvpFault::LengthShort { length, offset });
    }
    if c.remaining() < usize::from(length) {
        if c.is_cut() {
            header_of_cut(c);
        } else {
            c.derived(&BAD_LENGTH, 1);
        }
        return Err(overruns(length));
    }
    let mut avp = c.group(&AVP, length.into(), BOUND).map_err(|_| overruns(length))?;
    read(&mut avp, message, unhide).map_err(|_| overruns(length))
}

/// Describes what the capture left of the header of the last AVP.
fn header_of_cut<S: Sink>(c: &mut Cursor<'_, '_, S>) {
    if S::FULL
        && let Ok(mut avp) = c.group(&AVP, c.remaining(), BOUND)
    {
        let _ = header(&mut avp);
    }
}

/// The fields before the value: M, H and reserved bits with the Length, Vendor ID, Attribute Type.
fn header<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(u16, u16, u16), Short> {
    let word = c.u16(&WORD)?;
    c.part(&MANDATORY, 2, u64::from(word >> 15));
    c.part(&HIDDEN, 2, u64::from(word >> 14 & 1));
    c.part(&LENGTH, 2, u64::from(word & 0x03ff));
    let vendor = c.u16(&VENDOR)?;
    let field = match vendor {
        vendor::IETF => &ATTRIBUTE,
        vendor::CISCO => &CISCO_TYPE,
        vendor::ERICSSON => &ERICSSON_TYPE,
        vendor::BROADBAND_FORUM => &BROADBAND_TYPE,
        vendor::CABLELABS => &CABLELABS_TYPE,
        _ => &OTHER_ATTRIBUTE,
    };
    Ok((word, vendor, c.u16(field)?))
}

/// What hidden values can be read with.
#[derive(Debug)]
pub(crate) struct Unhide<'a> {
    pub(crate) secrets: &'a TunnelSecrets,
    /// How they were hidden.
    pub(crate) version: HidingVersion,
    /// The addresses of the message.
    pub(crate) ends: [IpAddr; 2],
    /// Where values go, one behind the other: a new byte source.
    pub(crate) plain: &'a mut Vec<u8>,
    /// The last Random Vector of the message (RFC 2661 section 4.3: it holds until the next one).
    pub(crate) vector: Vec<u8>,
}

/// Reads the value of a hidden AVP, if a secret opens it. Of an AVP that is in no table the octets alone are known.
fn unhidden<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    attribute: u16,
    row: Option<&Row>,
    message: Option<MessageType>,
    unhide: &mut Unhide<'_>,
) -> Option<AvpValue> {
    let start = unhide.plain.len();
    if unhide.vector.is_empty() {
        return None;
    }
    let needed = row.and_then(|row| row.shape.octets());
    let fits = |length| needed.is_none_or(|octets| octets == length);
    let Unhide { secrets, version, ends, plain, vector } = unhide;
    let hidden = HiddenValue { version: *version, attribute, vector, octets: c.peek_rest() };
    let length = secrets.unhide(*ends, hidden, fits, plain)?;
    c.rest(&HIDDEN_VALUE);
    let begin = start.saturating_add(2);
    let end = begin.saturating_add(length);
    c.made(&ORIGINAL_LENGTH, start..begin, Value::Number(u64::try_from(length).unwrap_or(0)));
    if end < plain.len() {
        c.made(&HIDDEN_PADDING, end..plain.len(), Value::Octets);
    }
    let octets = plain.get(begin..end)?;
    let mut within = c.over(octets, begin, Bound::Header("the Original Length"));
    Some(match row {
        Some(row) => value(&mut within, row, message).unwrap_or(AvpValue::Unreadable),
        None => AvpValue::Octets(within.rest(&VALUE).into()),
    })
}

fn read<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    message: Option<MessageType>,
    unhide: Option<&mut Unhide<'_>>,
) -> Result<Avp, Short> {
    let (word, vendor, attribute) = header(c)?;
    let (mandatory, hidden) = (word & 0x8000 != 0, word & 0x4000 != 0);
    let row = avp_table::find(vendor, attribute);
    if let Some(row) = row {
        c.title(row.name);
    }
    let value = match row {
        _ if hidden => {
            let value = unhide.and_then(|unhide| unhidden(c, attribute, row, message, unhide));
            value.unwrap_or_else(|| {
                // Some peers set the bit and hide nothing.
                let secret = row.is_some_and(|row| row.field.kind == Kind::Secret);
                c.rest(if secret { &HIDDEN_SECRET } else { &HIDDEN_VALUE });
                AvpValue::Hidden
            })
        }
        Some(row) => {
            if let Some(unhide) = unhide
                && (vendor, attribute) == (vendor::IETF, number::RANDOM_VECTOR)
            {
                unhide.vector = c.peek_rest().to_vec();
            }
            value(c, row, message).unwrap_or(AvpValue::Unreadable)
        }
        None => {
            if vendor != vendor::IETF {
                c.derived(&VENDOR_SPECIFIC, 1);
            }
            AvpValue::Octets(c.rest(&VALUE).into())
        }
    };
    Ok(Avp { vendor, attribute, mandatory, hidden, reserved: word & 0x3c00, length: word & 0x03ff, value })
}

fn value<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    row: &Row,
    message: Option<MessageType>,
) -> Result<AvpValue, Short> {
    let field = row.field;
    let value = match row.shape {
        Shape::Empty => {
            c.derived(field, 1);
            AvpValue::Empty
        }
        Shape::U16 => AvpValue::Number(c.u16(field)?.into()),
        Shape::U32 => AvpValue::Number(c.u32(field)?.into()),
        Shape::U64 => AvpValue::Number(c.u64(field)?),
        Shape::Bits(two, one) => {
            let bits = c.u32(field)?;
            c.part(two, 4, u64::from(bits >> 1 & 1));
            c.part(one, 4, u64::from(bits & 1));
            AvpValue::Number(bits.into())
        }
        Shape::Text => AvpValue::Text(Printable::from_bytes(c.rest(field))),
        Shape::Octets => AvpValue::Octets(c.rest(field).into()),
        Shape::Version(revision) => AvpValue::Version(c.u8(field)?, c.u8(revision)?),
        Shape::Result { stop_ccn, cdn, error, message: text } => {
            let code = c.u16(match message {
                Some(MessageType::STOP_CCN) => stop_ccn,
                Some(MessageType::CDN) => cdn,
                _ => field,
            })?;
            let error = if c.is_empty() { None } else { Some(c.u16(error)?) };
            let message = (!c.is_empty()).then(|| Printable::from_bytes(c.rest(text)));
            AvpValue::Result(ResultCode { code, error, message })
        }
        Shape::Cause { message, advisory } => {
            AvpValue::Cause(c.u16(field)?, c.u8(message)?, Printable::from_bytes(c.rest(advisory)))
        }
        Shape::Disconnect { protocol, direction, message } => AvpValue::Disconnect(
            c.u16(field)?,
            c.u16(protocol)?,
            c.u8(direction)?,
            Printable::from_bytes(c.rest(message)),
        ),
        Shape::CallErrors { reserved, counters } => {
            c.u16(reserved)?;
            let mut errors = [0; 6];
            for (error, counter) in errors.iter_mut().zip(counters) {
                *error = c.u32(counter)?;
            }
            AvpValue::CallErrors(errors)
        }
        Shape::Accm { reserved, receive } => {
            c.u16(reserved)?;
            AvpValue::Accm(c.u32(field)?, c.u32(receive)?)
        }
        Shape::Digest { kind } => {
            let first = c.peek(0);
            let digest = c.rest(field);
            if let Some(first) = first {
                c.part(kind, digest.len(), first.into());
            }
            AvpValue::Octets(digest.into())
        }
        Shape::SpeedUpdate { v2, v3 } => {
            // 12 octets in L2TPv2, 20 in L2TPv3 (RFC 5515 section 6.1).
            c.derived(field, 1);
            let octets = c.peek_rest().into();
            parts(c, if c.remaining() > 12 { v3 } else { v2 })?;
            AvpValue::Octets(octets)
        }
        Shape::Parts(list) => {
            let octets = c.peek_rest().into();
            parts(c, list)?;
            AvpValue::Octets(octets)
        }
        Shape::List(first, others) => {
            let octets = c.peek_rest().into();
            parts(c, first)?;
            while !c.is_empty() {
                parts(c, others)?;
            }
            AvpValue::Octets(octets)
        }
    };
    if !c.is_empty() {
        // Longer than its type allows: the value stands, the rest is kept for the reader.
        c.rest(&VALUE);
    }
    Ok(value)
}

fn parts<S: Sink>(c: &mut Cursor<'_, '_, S>, parts: &[Part]) -> Result<(), Short> {
    for part in parts {
        match *part {
            Part::U8(field) => {
                c.u8(field)?;
            }
            Part::U16(field) => {
                c.u16(field)?;
            }
            Part::U32(field) => {
                c.u32(field)?;
            }
            Part::U64(field) => {
                c.u64(field)?;
            }
            Part::MaybeU16(_) | Part::MaybeU32(_) if c.is_empty() => {}
            Part::MaybeU16(field) => {
                c.u16(field)?;
            }
            Part::MaybeU32(field) => {
                c.u32(field)?;
            }
            Part::Ipv4(field) => {
                c.ipv4(field)?;
            }
            Part::Octets(field) => {
                c.rest(field);
            }
            Part::Word(field, bits) => {
                let word = c.u16(field)?;
                for bit in bits {
                    let value = word.checked_shr(bit.1.into()).unwrap_or(0) & bit.2;
                    c.part(bit.0, 2, value.into());
                }
            }
            Part::Counted(count, item) => {
                for _ in 0..c.u8(count)? {
                    c.u8(item)?;
                }
            }
            Part::Flag(field) => {
                let octet = c.bits8(field)?;
                c.part(field, 1, u64::from(octet != 0));
            }
            Part::Mark(field) => c.derived(field, 1),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::control_of;

    /// Each AVP of the table, with values of every length up to 40 octets: whatever it is, the next AVP is found.
    #[test]
    fn no_value_of_any_length_loses_the_next_avp() {
        for vendor in [0, 9, 43, 193, 311, 3561, 4491] {
            for attribute in 0..=300 {
                for len in 0..40_u8 {
                    let mut bytes = vec![0x80, 6 + len];
                    bytes.extend(u16::to_be_bytes(vendor));
                    bytes.extend(u16::to_be_bytes(attribute));
                    bytes.extend(1..=len);
                    bytes.extend([0x80, 8, 0, 0, 0, 10, 0, 4]);
                    let control = control_of(&bytes);
                    assert!(control.fault.is_none(), "{vendor}/{attribute} of {len}");
                    assert_eq!(control.avps.len(), 2, "{vendor}/{attribute} of {len}");
                    assert_eq!(control.avps[1].value, AvpValue::Number(4), "{vendor}/{attribute} of {len}");
                }
            }
        }
    }

    /// A value that is shorter than its type needs is said to be unreadable, though its Length is legal.
    #[test]
    fn a_short_value_is_unreadable() {
        for (attribute, enough) in
            [(0, 2), (2, 2), (3, 4), (5, 8), (12, 3), (15, 4), (34, 26), (35, 10), (46, 5)]
        {
            for len in 0..=enough {
                let mut bytes = vec![0x80, 6 + len, 0, 0, 0, attribute];
                bytes.extend(1..=len);
                let control = control_of(&bytes);
                let readable = control.avps[0].value != AvpValue::Unreadable;
                assert_eq!(readable, len == enough, "{attribute} of {len}");
            }
        }
    }

    #[test]
    fn a_result_code_needs_no_error_code() {
        let control = control_of(&[0x80, 8, 0, 0, 0, 1, 0, 3]);
        let result = ResultCode { code: 3, error: None, message: None };
        assert_eq!(control.avps[0].value, AvpValue::Result(result));
    }

    #[test]
    fn a_hidden_avp_says_nothing_of_the_next() {
        let control = control_of(&[0xc0, 9, 0, 0, 0, 9, 1, 2, 3, 0x80, 8, 0, 0, 0, 10, 0, 4]);
        assert_eq!(control.avps[0].value, AvpValue::Hidden);
        assert_eq!(control.avps[1].value, AvpValue::Number(4));
    }

    #[test]
    fn lengths_that_cannot_be_end_the_walk() {
        for length in 0..6_u8 {
            let control = control_of(&[0x80, 8, 0, 0, 0, 0, 0, 6, 0x80, length, 0, 0, 0, 7, 1, 2]);
            assert_eq!(control.avps.len(), 1);
            let fault = AvpFault::LengthShort { length: length.into(), offset: 8 };
            assert_eq!(control.fault, Some(fault));
        }
        let control = control_of(&[0x83, 0xff, 0, 0, 0, 21, 1, 2]);
        assert_eq!(control.fault, Some(AvpFault::Overruns { length: 1023, available: 8, offset: 0 }));
    }
}
