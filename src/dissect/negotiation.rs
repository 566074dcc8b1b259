//! Packets of LCP and the NCPs: Code, Identifier, Length, and options (RFC 1661 sections 5 and 6).
//!
//! One walker serves all of these protocols. What differs is a table: which option types there are and how their values
//! are laid out.

use super::layers::{Layers, PppBody, PppControl, PppOption, PppOptionValue};
use super::options::u24;
pub(crate) use super::options::{OptionRow, Piece};
use super::ppp::{DATA, MAGIC_NUMBER, bounded, keep, text};
use super::ppp_names::{LCP, negotiation_code_name};
use super::{Next, Step, lcp};
use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink, Value};
use crate::util::Printable;

crate::fields! {
    section "RFC 1661 5";
    CODE = "ppp.code", "Code", Kind::Dec(8), names negotiation_code_name;
    IDENTIFIER = "ppp.identifier", "Identifier", Kind::Dec(8);
    LENGTH = "ppp.length", "Length", Kind::Dec(16);
    OUI = "ppp.oui", "OUI", Kind::Hex(24);
    KIND = "ppp.kind", "Kind", Kind::Dec(8);
    REJECTED_CODE = "ppp.rejected_code", "Rejected Code", Kind::Dec(8), names negotiation_code_name;
    REJECTED_IDENTIFIER = "ppp.rejected_identifier", "Rejected Identifier", Kind::Dec(8);
    REJECTED_LENGTH = "ppp.rejected_length", "Rejected Length", Kind::Dec(16);
    OPTION_LENGTH_INVALID = "ppp.opt.len.invalid", "The option's length does not fit its type", Kind::Flag;
}

/// The code of a Configure-Request; an answer to one has the next three numbers.
const CONFIGURE_REQUEST: u8 = 1;
const CONFIGURE_REJECT: u8 = 4;
const OPTION_HEADER_LEN: u8 = 2;

/// A protocol that negotiates options.
#[derive(Debug)]
pub(crate) struct Negotiation {
    /// Its PPP protocol number.
    pub(crate) protocol: u16,
    /// The Type field of its options.
    pub(crate) kind: &'static FieldDef,
    /// The Length field of its options.
    pub(crate) length: &'static FieldDef,
    /// The octets of an option that nothing better is known of.
    pub(crate) data: &'static FieldDef,
    /// The heading of an option that the table lacks.
    pub(crate) unknown: &'static FieldDef,
    /// Its options.
    pub(crate) options: &'static [OptionRow],
}

impl Negotiation {
    fn row(&self, kind: u64) -> Option<&'static OptionRow> {
        self.options.iter().find(|row| u64::from(row.kind) == kind)
    }

    /// The name of an option type.
    pub(crate) fn name(&self, kind: u64) -> Option<&'static str> {
        Some(self.row(kind)?.name)
    }

    /// Reads a packet of this protocol.
    pub(crate) fn dissect<S: Sink>(&self, c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
        let code = c.u8(&CODE)?;
        let identifier = c.u8(&IDENTIFIER)?;
        let length = c.u16(&LENGTH)?;
        let (mut body, mut quoted) = (PppBody::Other, None);
        let end = bounded(c, &LENGTH, length, |c| self.body(c, code, &mut body, &mut quoted));
        keep(layers, PppControl { protocol: self.protocol, code, identifier, length, body });
        Ok(quoted.unwrap_or(end?))
    }

    fn body<S: Sink>(
        &self,
        c: &mut Cursor<'_, '_, S>,
        code: u8,
        body: &mut PppBody,
        quoted: &mut Option<Next>,
    ) -> Result<(), Short> {
        match code {
            0 => {
                c.u32(&MAGIC_NUMBER)?;
                u24(c, &OUI)?;
                c.u8(&KIND)?;
            }
            CONFIGURE_REQUEST..=CONFIGURE_REJECT => {
                let mut options = Vec::new();
                let walked = self.options(c, &mut options);
                *body = PppBody::Options(options);
                return walked;
            }
            5 | 6 => *body = PppBody::Message(Printable::from_bytes(text(c, &DATA))),
            7 => {
                *body = PppBody::CodeReject(rejected_code(c)?);
            }
            8 if self.protocol == LCP => *body = lcp::rejected(c, quoted)?,
            9..=13 if self.protocol == LCP => *body = lcp::body(c, code)?,
            // Reset-Request and Reset-Ack of CCP, and codes that nobody knows, have data alone.
            _ => {}
        }
        if quoted.is_none() {
            text(c, &DATA);
        }
        Ok(())
    }

    /// Reads options to the end of the cursor.
    pub(super) fn options<S: Sink>(
        &self,
        c: &mut Cursor<'_, '_, S>,
        options: &mut Vec<PppOption>,
    ) -> Result<(), Short> {
        while !c.is_empty() {
            let length = c.peek(1).unwrap_or(0);
            let whole = usize::from(length);
            if length < OPTION_HEADER_LEN || whole > c.remaining() {
                c.u8(self.kind)?;
                c.u8(self.length)?;
                let value = whole.checked_sub(OPTION_HEADER_LEN.into());
                return Err(value.map_or_else(
                    || c.invalid(self.length, OPTION_HEADER_LEN.into(), length.into()),
                    |value| c.short(self.data, value),
                ));
            }
            let row = c.peek(0).and_then(|kind| self.row(kind.into()));
            let mut option = c.group(
                row.map_or(self.unknown, |row| row.heading),
                whole,
                Bound::Header("the option's length"),
            )?;
            let kind = option.u8(self.kind)?;
            let length = option.u8(self.length)?;
            let value = match row {
                Some(row) => row.value(self.data, &mut option)?,
                None if option.is_empty() => PppOptionValue::Empty,
                None => {
                    option.rest(self.data);
                    PppOptionValue::Octets
                }
            };
            options.push(PppOption { kind, length, value });
        }
        Ok(())
    }
}

/// What is known of the packet whose Code was rejected (RFC 1661 section 5.6): it is data all the same.
fn rejected_code<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<u8, Short> {
    let code = c.peek(0).ok_or_else(|| c.short(&REJECTED_CODE, 1))?;
    let mut at = c.consumed();
    let length = c.peek(2).zip(c.peek(3)).map(|(high, low)| u16::from_be_bytes([high, low]));
    for (field, len, value) in [
        (&REJECTED_CODE, 1, Some(u64::from(code))),
        (&REJECTED_IDENTIFIER, 1, c.peek(1).map(u64::from)),
        (&REJECTED_LENGTH, 2, length.map(u64::from)),
    ] {
        let Some(value) = value else { break };
        let end = at.saturating_add(len);
        c.describe(field, c.range(at..end), Value::Number(value));
        at = end;
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::{described, octets, read, sound};
    use crate::dissect::{ccp, ipcp, ipv6cp};
    use crate::field::Nothing;

    /// The fault of an LCP packet, and how many options were read before it.
    fn fault(hex: &str, cut: bool) -> (Short, usize) {
        let (layers, short) = read(&octets(hex), cut, &mut Nothing);
        let control = layers.ppp.and_then(|ppp| ppp.control).expect(hex);
        let options = if let PppBody::Options(options) = control.body { options.len() } else { 0 };
        (short.expect(hex), options)
    }

    #[test]
    fn broken_options_stop_the_walk_and_keep_what_was_before() {
        for (hex, field, needed, available) in [
            // Lengths 0 and 1, an option past the packet, a lone type.
            ("c0210101000a010405780700", "lcp.opt.length", 2, 0),
            ("c0210101000a010405780701", "lcp.opt.length", 2, 1),
            ("c0210101000c01040578 05060102", "lcp.opt.data", 4, 2),
            ("c0210101000901040578 05", "lcp.opt.length", 1, 0),
        ] {
            let (short, options) = fault(hex, false);
            assert_eq!(
                (short.field.name, short.needed, short.available),
                (field, needed, available),
                "{hex}"
            );
            assert!(!short.cut && options == 1, "{hex}");
        }
    }

    #[test]
    fn the_length_bounds_the_packet() {
        // Padding is not read.
        let padded = sound("c0210101000801040578 0000");
        assert!(matches!(padded.control.expect("LCP").body, PppBody::Options(options) if options.len() == 1));
        let (short, options) = fault("c0210101000301040578", false);
        assert_eq!((short.field.name, short.needed, short.available, options), ("ppp.length", 4, 3, 0));
        // Two octets fewer than the Length says: options are read, then it is a fault, or a cut.
        for cut in [false, true] {
            let (short, options) = fault("c0210101000a01040578", cut);
            assert_eq!((short.needed, short.available, short.cut, options), (6, 4, cut, 1));
        }
    }

    #[test]
    fn tables_are_in_order_and_name_everything() {
        for table in [&lcp::TABLE, &ipcp::TABLE, &ipv6cp::TABLE, &ccp::TABLE] {
            assert!(table.options.is_sorted_by(|a, b| a.kind < b.kind), "{:04x}", table.protocol);
            assert!(table.options.iter().all(|row| !row.name.is_empty() && row.heading.kind == Kind::Group));
        }
    }

    #[test]
    fn unknown_codes_and_options_are_data() {
        assert!(matches!(sound("c02163010006abcd").control.expect("LCP").body, PppBody::Other));
        assert_eq!(
            described("8021010100080f04abcd")[4..],
            ["ipcp.opt.type=15", "ipcp.opt.length=4", "ipcp.data=abcd"]
        );
        // Codes of LCP mean nothing to an NCP.
        assert!(matches!(sound("80210901000401020304").control.expect("IPCP").body, PppBody::Other));
    }
}
