//! How the values of configuration options are laid out: one table row an option, one piece a field (RFC 1661 section 6).

use super::layers::PppOptionValue;
use super::negotiation::{Negotiation, OPTION_LENGTH_INVALID};
use super::ppp::text;
use crate::field::{Bound, Cursor, FieldDef, Short, Sink, Value};

const COUNTED: Bound = Bound::Header("the length before it");

/// An option that is known.
#[derive(Debug)]
pub(crate) struct OptionRow {
    pub(super) kind: u8,
    pub(super) name: &'static str,
    pub(super) heading: &'static FieldDef,
    shape: Shape,
}

/// How the value of an option is laid out.
#[derive(Debug)]
enum Shape {
    /// These, one after the other.
    Pieces(&'static [Piece]),
    /// A number, and what follows depends on it.
    Chosen(Piece, &'static [(u64, &'static [Piece])]),
    /// The same, of Authentication-Protocol: what follows is the algorithm.
    Authentication(Piece, &'static [(u64, &'static [Piece])]),
}

/// A part of an option's value.
#[derive(Debug)]
pub(crate) struct Piece {
    field: &'static FieldDef,
    read: Read,
    bits: &'static [(&'static FieldDef, u64)],
    optional: bool,
}

#[derive(Debug)]
enum Read {
    U8,
    U16,
    U24,
    U32,
    Ipv4,
    Octets(usize),
    Rest,
    /// A length of one octet, and so many octets.
    Counted,
    /// Numbers of two octets to the end.
    Each16,
    /// Octets to the end, which are numbers of four octets too.
    Block32(&'static FieldDef),
    /// Options of an option.
    Options(&'static Negotiation),
}

impl Read {
    fn len(&self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U24 => 3,
            Self::U32 | Self::Ipv4 => 4,
            Self::Octets(len) => *len,
            Self::Counted => 1,
            Self::Rest | Self::Each16 | Self::Block32(_) | Self::Options(_) => 0,
        }
    }

    /// Whether it takes as much as there is.
    fn is_open(&self) -> bool {
        matches!(self, Self::Rest | Self::Counted | Self::Each16 | Self::Block32(_) | Self::Options(_))
    }
}

impl Piece {
    const fn new(field: &'static FieldDef, read: Read) -> Self {
        Self { field, read, bits: &[], optional: false }
    }

    pub(crate) const fn u8(field: &'static FieldDef) -> Self {
        Self::new(field, Read::U8)
    }

    pub(crate) const fn u16(field: &'static FieldDef) -> Self {
        Self::new(field, Read::U16)
    }

    pub(crate) const fn u24(field: &'static FieldDef) -> Self {
        Self::new(field, Read::U24)
    }

    pub(crate) const fn u32(field: &'static FieldDef) -> Self {
        Self::new(field, Read::U32)
    }

    pub(crate) const fn ipv4(field: &'static FieldDef) -> Self {
        Self::new(field, Read::Ipv4)
    }

    pub(crate) const fn octets(field: &'static FieldDef, len: usize) -> Self {
        Self::new(field, Read::Octets(len))
    }

    pub(crate) const fn rest(field: &'static FieldDef) -> Self {
        Self::new(field, Read::Rest)
    }

    pub(crate) const fn counted(field: &'static FieldDef) -> Self {
        Self::new(field, Read::Counted)
    }

    pub(crate) const fn each16(field: &'static FieldDef) -> Self {
        Self::new(field, Read::Each16)
    }

    pub(crate) const fn block32(field: &'static FieldDef, number: &'static FieldDef) -> Self {
        Self::new(field, Read::Block32(number))
    }

    /// Options that `table` knows.
    pub(crate) const fn options(table: &'static Negotiation) -> Self {
        Self::new(table.data, Read::Options(table))
    }

    /// The same, which may be missing.
    pub(crate) const fn open(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The same, whose bits have fields of their own.
    pub(crate) const fn bits(self, bits: &'static [(&'static FieldDef, u64)]) -> Self {
        Self { bits, ..self }
    }

    fn read<S: Sink>(&self, c: &mut Cursor<'_, '_, S>) -> Result<PppOptionValue, Short> {
        let number: u64 = match self.read {
            Read::U8 => c.u8(self.field)?.into(),
            Read::U16 => c.u16(self.field)?.into(),
            Read::U24 => u24(c, self.field)?,
            Read::U32 => c.u32(self.field)?.into(),
            Read::Ipv4 => return Ok(PppOptionValue::Address(c.ipv4(self.field)?)),
            // Eight octets are an Interface-Identifier: shown as octets, compared as a number.
            Read::Octets(len) => match c.octets(self.field, len)?.try_into() {
                Ok(octets) => u64::from_be_bytes(octets),
                Err(_) => return Ok(PppOptionValue::Octets),
            },
            Read::Rest => {
                c.rest(self.field);
                return Ok(PppOptionValue::Octets);
            }
            Read::Counted => {
                let len = usize::from(c.peek(0).unwrap_or(0));
                // What does not fit is data: the option itself has its length.
                if len < c.remaining() {
                    c.sub(self.field, 1, COUNTED)?;
                    c.octets(self.field, len)?;
                } else {
                    c.derived(&OPTION_LENGTH_INVALID, 1);
                }
                return Ok(PppOptionValue::Octets);
            }
            Read::Each16 => {
                while c.remaining() > 1 {
                    c.u16(self.field)?;
                }
                return Ok(PppOptionValue::Octets);
            }
            Read::Block32(number) => {
                c.describe(self.field, c.rest_range(), Value::Octets);
                while c.remaining() > 3 {
                    c.u32(number)?;
                }
                return Ok(PppOptionValue::Octets);
            }
            Read::Options(table) => {
                if table.options(c, &mut Vec::new()).is_err() {
                    c.derived(&OPTION_LENGTH_INVALID, 1);
                }
                return Ok(PppOptionValue::Octets);
            }
        };
        for (field, mask) in self.bits {
            let shifted = (number & mask).checked_shr(mask.trailing_zeros()).unwrap_or(0);
            c.part(field, self.read.len(), shifted);
        }
        Ok(PppOptionValue::Number(number))
    }
}

impl OptionRow {
    pub(crate) const fn new(
        kind: u8,
        name: &'static str,
        heading: &'static FieldDef,
        pieces: &'static [Piece],
    ) -> Self {
        Self { kind, name, heading, shape: Shape::Pieces(pieces) }
    }

    pub(crate) const fn chosen(
        kind: u8,
        name: &'static str,
        heading: &'static FieldDef,
        first: Piece,
        choices: &'static [(u64, &'static [Piece])],
    ) -> Self {
        Self { kind, name, heading, shape: Shape::Chosen(first, choices) }
    }

    pub(crate) const fn authentication(
        kind: u8,
        name: &'static str,
        heading: &'static FieldDef,
        first: Piece,
        choices: &'static [(u64, &'static [Piece])],
    ) -> Self {
        Self { kind, name, heading, shape: Shape::Authentication(first, choices) }
    }

    /// Its number.
    #[cfg(test)]
    pub(crate) fn number(&self) -> u8 {
        self.kind
    }

    /// Reads its value.
    pub(super) fn value<S: Sink>(
        &self,
        data: &'static FieldDef,
        c: &mut Cursor<'_, '_, S>,
    ) -> Result<PppOptionValue, Short> {
        match &self.shape {
            Shape::Pieces(pieces) => read_pieces(pieces, data, c),
            Shape::Chosen(first, choices) => Ok(read_chosen(first, choices, data, c)?.0),
            Shape::Authentication(first, choices) => {
                let (value, follows) = read_chosen(first, choices, data, c)?;
                let PppOptionValue::Number(protocol) = value else { return Ok(value) };
                let algorithm = match follows {
                    PppOptionValue::Number(algorithm) => u8::try_from(algorithm).ok(),
                    _ => None,
                };
                let protocol = u16::try_from(protocol).ok();
                Ok(protocol
                    .map_or(PppOptionValue::Unreadable, |p| PppOptionValue::Authentication(p, algorithm)))
            }
        }
    }
}

/// Reads `pieces` if they fit, else everything as `data`. The value is that of the first piece.
fn read_pieces<S: Sink>(
    pieces: &[Piece],
    data: &'static FieldDef,
    c: &mut Cursor<'_, '_, S>,
) -> Result<PppOptionValue, Short> {
    let len = |sum: usize, piece: &Piece| sum.saturating_add(piece.read.len());
    let least = pieces.iter().filter(|piece| !piece.optional).fold(0, len);
    let most =
        if pieces.iter().any(|piece| piece.read.is_open()) { usize::MAX } else { pieces.iter().fold(0, len) };
    if c.remaining() < least || c.remaining() > most {
        c.derived(&OPTION_LENGTH_INVALID, 1);
        text(c, data);
        return Ok(PppOptionValue::Unreadable);
    }
    let mut value = None;
    for piece in pieces {
        if c.is_empty() || c.remaining() < piece.read.len() {
            break;
        }
        let read = piece.read(c)?;
        value.get_or_insert(read);
    }
    text(c, data);
    Ok(value.unwrap_or(PppOptionValue::Empty))
}

fn read_chosen<S: Sink>(
    first: &Piece,
    choices: &[(u64, &'static [Piece])],
    data: &'static FieldDef,
    c: &mut Cursor<'_, '_, S>,
) -> Result<(PppOptionValue, PppOptionValue), Short> {
    if c.remaining() < first.read.len() {
        let value = read_pieces(std::slice::from_ref(first), data, c)?;
        return Ok((value, PppOptionValue::Empty));
    }
    let value = first.read(c)?;
    let choice = choices.iter().find(|(number, _)| value == PppOptionValue::Number(*number));
    let follows = match choice {
        _ if c.is_empty() => PppOptionValue::Empty,
        Some((_, pieces)) => read_pieces(pieces, data, c)?,
        None => {
            c.rest(data);
            PppOptionValue::Octets
        }
    };
    Ok((value, follows))
}

/// Reads three octets as a number.
pub(super) fn u24<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef) -> Result<u64, Short> {
    if c.remaining() < 3 {
        return Err(c.short(field, 3));
    }
    let (high, low) = (c.bits8(field)?, c.bits16(field)?);
    let value = u64::from(high) << 16 | u64::from(low);
    c.part(field, 3, value);
    Ok(value)
}
