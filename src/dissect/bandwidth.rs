//! Bandwidth allocation in multilink PPP: BACP and BAP (RFC 2125).

use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink};

use super::Step;
use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp::{bounded, text};

crate::fields! {
    section "RFC 2125 4";
    BACP_TYPE = "bacp.opt.type", "Type", Kind::Dec(8), names bacp_name;
    BACP_LENGTH = "bacp.opt.length", "Length", Kind::Dec(8);
    BACP_DATA = "bacp.opt.data", "Data", Kind::Bytes;
    BACP_UNKNOWN = "bacp.opt.unknown", "Unknown option", Kind::Group;
    FAVORED = "bacp.opt.favored_peer", "Favored-Peer", Kind::Group;
    MAGIC = "bacp.magic_number", "Magic number", Kind::Hex(32);
    LINK_SPEED = "bacp.link_speed", "Link Speed", Kind::Dec(16);
    LINK_TYPE = "bacp.link_type", "Link Type", Kind::Dec(8), names link_type_name;
    CODE = "bap.type", "Type", Kind::Hex(8), names code_name;
    IDENTIFIER = "bap.identifier", "Identifier", Kind::Hex(8);
    LENGTH = "bap.length", "Length", Kind::Dec(16);
    RESPONSE = "bap.response_code", "Response Code", Kind::Hex(8), names response_name;
    OPTION = "bap.opt", "Option", Kind::Group;
    TYPE = "bap.opt.type", "Type", Kind::Dec(8), names option_name;
    OPTION_LENGTH = "bap.opt.length", "Length", Kind::Dec(8);
    SUB_TYPE = "bap.sub_option_type", "Sub-Option Type", Kind::Dec(8), names sub_option_name;
    SUB_LENGTH = "bap.sub_option_length", "Sub-Option Length", Kind::Dec(8);
    DIGIT = "bap.unique_digit", "Unique Digit", Kind::Dec(8);
    SUBSCRIBER = "bap.subscriber_number", "Subscriber Number", Kind::Text;
    SUB_ADDRESS = "bap.phone_number_sub_address", "Phone Number Sub Address", Kind::Text;
    UNKNOWN = "bap.unknown_option_data", "Unknown", Kind::Bytes;
    REASON = "bap.reason", "Reason", Kind::Text;
    DISCRIMINATOR = "bap.link_discriminator", "Link Discriminator", Kind::Hex(16);
    STATUS = "bap.call_status", "Status", Kind::Hex(8);
    ACTION = "bap.call_action", "Action", Kind::Hex(8), names action_name;
}

const OPTION_HEADER: u8 = 2;
const BOUND: Bound = Bound::Header("the option's length");

/// The option of BACP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: 0xc02b,
    kind: &BACP_TYPE,
    length: &BACP_LENGTH,
    data: &BACP_DATA,
    unknown: &BACP_UNKNOWN,
    options: &[OptionRow::new(1, "Favored-Peer", &FAVORED, &[Piece::u32(&MAGIC)])],
};

fn bacp_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

fn nth(names: &[&'static str], first: u64, number: u64) -> Option<&'static str> {
    names.get(usize::try_from(number.checked_sub(first)?).ok()?).copied()
}

fn code_name(code: u64) -> Option<&'static str> {
    const NAMES: [&str; 8] = [
        "Call-Request",
        "Call-Response",
        "Callback-Request",
        "Callback-Response",
        "Link-Drop-Query-Request",
        "Link-Drop-Query-Response",
        "Call-Status-Indication",
        "Call-Status-Response",
    ];
    nth(&NAMES, 1, code)
}

fn response_name(code: u64) -> Option<&'static str> {
    nth(&["Request-Ack", "Request-Nak", "Request-Rej", "Request-Full-Nak"], 0, code)
}

fn option_name(kind: u64) -> Option<&'static str> {
    const NAMES: [&str; 6] =
        ["Link-Type", "Phone-Delta", "No-Phone-Number-Needed", "Reason", "Link-Discriminator", "Call-Status"];
    nth(&NAMES, 1, kind)
}

fn sub_option_name(kind: u64) -> Option<&'static str> {
    nth(&["Unique-Digits", "Subscriber-Number", "Phone-Number-Sub-Address"], 1, kind)
}

fn link_type_name(kind: u64) -> Option<&'static str> {
    nth(&["ISDN", "X.25", "Analog", "Switched digital", "ISDN data over voice"], 0, kind)
}

fn action_name(action: u64) -> Option<&'static str> {
    nth(&["No retry", "Retry"], 0, action)
}

/// Reads a BACP packet.
pub(crate) fn control<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

/// Reads a BAP datagram.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let code = c.u8(&CODE)?;
    c.u8(&IDENTIFIER)?;
    let length = c.u16(&LENGTH)?;
    bounded(c, &LENGTH, length, |c| {
        if matches!(code, 2 | 4 | 6) {
            c.u8(&RESPONSE)?;
        }
        while !c.is_empty() {
            let mut option = option(c, &OPTION, &OPTION_LENGTH)?;
            let kind = option.u8(&TYPE)?;
            option.u8(&OPTION_LENGTH)?;
            match kind {
                1 => {
                    option.u16(&LINK_SPEED)?;
                    option.u8(&LINK_TYPE)?;
                }
                2 => phone(&mut option)?,
                4 => {
                    text(&mut option, &REASON);
                }
                5 => {
                    option.u16(&DISCRIMINATOR)?;
                }
                6 => {
                    option.u8(&STATUS)?;
                    option.u8(&ACTION)?;
                }
                _ => {}
            }
            text(&mut option, &UNKNOWN);
        }
        Ok(())
    })
}

/// How a number differs from the one that was called before.
fn phone<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    while !c.is_empty() {
        let mut option = option(c, &OPTION, &SUB_LENGTH)?;
        let kind = option.u8(&SUB_TYPE)?;
        option.u8(&SUB_LENGTH)?;
        match kind {
            1 => {
                option.u8(&DIGIT)?;
            }
            2 => {
                text(&mut option, &SUBSCRIBER);
            }
            3 => {
                text(&mut option, &SUB_ADDRESS);
            }
            _ => {}
        }
        text(&mut option, &UNKNOWN);
    }
    Ok(())
}

/// A cursor over the next option, whose second octet is its length.
fn option<'a, 'c, S: Sink>(
    c: &'c mut Cursor<'a, '_, S>,
    heading: &'static FieldDef,
    length: &'static FieldDef,
) -> Result<Cursor<'a, 'c, S>, Short> {
    let len = c.peek(1).ok_or_else(|| c.short(length, OPTION_HEADER.into()))?;
    if len < OPTION_HEADER {
        return Err(c.invalid(length, OPTION_HEADER.into(), len.into()));
    }
    c.group(heading, len.into(), BOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::{described, octets, sound};
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn bacp_favours_a_peer() {
        assert!(sound("c02b0101000a010601020304").control.is_some());
        assert!(described("c02b0101000a010601020304").contains(&"bacp.magic_number=16909060".to_owned()));
    }

    #[test]
    fn bap_datagrams() {
        let call =
            octets("01 01 0023 0105006001 020d 010301 0205363435 030331 0302 0404 6869 05040001 0703 00");
        layers_of(&call, dissect);
        assert_eq!(step(&call[..], dissect), "End");
        let answer = octets("02 01 000e 00 0105006001 06040100");
        layers_of(&answer, dissect);
        assert_eq!(step(&answer, dissect), "End");
        assert_eq!(step(&octets("01 01 0006 0101"), dissect), "Short bap.opt.length needs 2, has 1 at 4");
        assert_eq!(step(&octets("01 01 0006 0109"), dissect), "Short bap.opt needs 9, has 2 at 4");
        assert_eq!(
            step(&octets("01 01 0008 0204 0100"), dissect),
            "Short bap.sub_option_length needs 2, has 0 at 6"
        );
    }
}
