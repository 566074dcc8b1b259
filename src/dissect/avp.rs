//! The AVPs of a control message (RFC 2661 section 4).

use std::hash::{BuildHasher, Hasher as _};

use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink};
use crate::fields;
use crate::util::Printable;

use super::avp_table::{self, Shape};
use super::layers::{Avp, AvpFault, AvpValue, Control, MessageType, ResultCode};

fields! {
    section "RFC 2661 4.1";
    AVP = "l2tp.avp", "AVP", Kind::Group;
    MANDATORY = "l2tp.avp.mandatory", "Mandatory", Kind::Flag;
    HIDDEN = "l2tp.avp.hidden", "Hidden", Kind::Flag;
    LENGTH = "l2tp.avp.length", "Length", Kind::Dec(16);
    VENDOR = "l2tp.avp.vendor_id", "Vendor ID", Kind::Dec(16);
    ATTRIBUTE = "l2tp.avp.type", "AVP Type", Kind::Dec(16), names avp_table::attribute_name;
    VALUE = "l2tp.avp.value", "Value", Kind::Bytes;
    HIDDEN_VALUE = "l2tp.avp.hidden_value", "Hidden value", Kind::Bytes;
}

const BOUND: Bound = Bound::Header("the AVP Length");

/// More AVPs than any message has; a hostile one of 64 KiB could hold ten thousand empty ones.
const MOST_AVPS: usize = 256;

/// Reads the AVPs of one message; a fault ends the walk and is kept beside what came before it.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Control {
    let mut control = Control {
        message: None,
        zlb: c.is_empty() && !c.is_cut(),
        avps: Vec::new(),
        body: hash(c.peek_rest()),
        cut: false,
        fault: None,
    };
    let whole = c.remaining();
    while !c.is_empty() && control.avps.len() < MOST_AVPS {
        let offset = u32::try_from(whole.saturating_sub(c.remaining())).unwrap_or(u32::MAX);
        match one(c, offset) {
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

/// The same for the same octets within one run; another in another run, so that nobody can choose collisions.
fn hash(octets: &[u8]) -> u64 {
    static STATE: std::sync::LazyLock<hashbrown::DefaultHashBuilder> =
        std::sync::LazyLock::new(Default::default);
    let mut hasher = STATE.build_hasher();
    hasher.write(octets);
    hasher.finish()
}

fn one<S: Sink>(c: &mut Cursor<'_, '_, S>, offset: u32) -> Result<Avp, AvpFault> {
    let available = u32::try_from(c.remaining()).unwrap_or(u32::MAX);
    let overruns = |length| AvpFault::Overruns { length, available, offset };
    let word = c.peek_u16().ok_or(overruns(6))?;
    let length = word & 0x03ff;
    if length < 6 {
        return Err(AvpFault::LengthShort { length, offset });
    }
    let mut avp = c.group(&AVP, length.into(), BOUND).map_err(|_| overruns(length))?;
    read(&mut avp).map_err(|_| overruns(length))
}

fn read<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<Avp, Short> {
    let word = c.u16(&MANDATORY_WORD)?;
    let mandatory = word & 0x8000 != 0;
    let hidden = word & 0x4000 != 0;
    c.part(&MANDATORY, 2, u64::from(mandatory));
    c.part(&HIDDEN, 2, u64::from(hidden));
    c.part(&LENGTH, 2, u64::from(word & 0x03ff));
    let vendor = c.u16(&VENDOR)?;
    let attribute = c.u16(&ATTRIBUTE)?;
    let value = if hidden {
        c.rest(&HIDDEN_VALUE);
        AvpValue::Hidden
    } else {
        match avp_table::find(vendor, attribute) {
            Some(row) => value(c, row.field, row.shape).unwrap_or(AvpValue::Unreadable),
            None => AvpValue::Octets(c.rest(&VALUE).into()),
        }
    };
    Ok(Avp { vendor, attribute, mandatory, hidden, reserved: word & 0x3c00, length: word & 0x03ff, value })
}

static MANDATORY_WORD: FieldDef = FieldDef {
    name: "l2tp.avp.flags",
    label: "Flags and Length",
    kind: Kind::Hex(16),
    names: None,
    section: "RFC 2661 4.1",
};

fn value<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    field: &'static FieldDef,
    shape: Shape,
) -> Result<AvpValue, Short> {
    let value = match shape {
        Shape::Empty => AvpValue::Empty,
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
        Shape::Result { error, message } => {
            let code = c.u16(field)?;
            let error = if c.is_empty() { None } else { Some(c.u16(error)?) };
            let message = (!c.is_empty()).then(|| Printable::from_bytes(c.rest(message)));
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
    };
    if !c.is_empty() {
        // Longer than its type allows: the value stands, the rest is kept for the reader.
        c.rest(&VALUE);
    }
    Ok(value)
}
