//! The Callback Control Protocol of Microsoft ([MS-CBCP] section 2.2).

use crate::field::{Bound, Cursor, Kind, Short, Sink};

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::negotiation::{IDENTIFIER, LENGTH, OPTION_LENGTH_INVALID};
use super::ppp::{DATA, bounded, keep, text};

crate::fields! {
    section "[MS-CBCP] 2.2";
    CODE = "ppp.code", "Code", Kind::Dec(8), names code_name;
    OPTION = "cbcp.opt", "Option", Kind::Group;
    TYPE = "cbcp.opt.type", "Type", Kind::Dec(8), names type_name;
    OPTION_LENGTH = "cbcp.opt.length", "Length", Kind::Dec(8);
    DELAY = "cbcp.callback_delay", "Callback delay", Kind::Dec(8);
    ADDRESS_TYPE = "cbcp.address_type", "Address Type", Kind::Dec(8), names address_type_name;
    ADDRESS = "cbcp.address", "Address", Kind::Text;
}

const PROTOCOL: u16 = 0xc029;
const OPTION_HEADER: u8 = 2;
const BOUND: Bound = Bound::Header("the option's length");

fn code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "Callback-Request",
        2 => "Callback-Response",
        3 => "Callback-Ack",
        _ => return None,
    })
}

fn type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        1 => "No callback",
        2 => "Callback to a user-specified number",
        3 => "Callback to a number that the administrator gave",
        4 => "Callback to any of a list of numbers",
        _ => return None,
    })
}

fn address_type_name(kind: u64) -> Option<&'static str> {
    (kind == 1).then_some("PSTN/ISDN")
}

/// Reads a CBCP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let code = c.u8(&CODE)?;
    let identifier = c.u8(&IDENTIFIER)?;
    let length = c.u16(&LENGTH)?;
    let end = bounded(c, &LENGTH, length, |c| {
        while matches!(code, 1..=3) && !c.is_empty() {
            option(c)?;
        }
        text(c, &DATA);
        Ok(())
    });
    keep(layers, PppControl { protocol: PROTOCOL, code, identifier, length, body: PppBody::Other });
    end
}

fn option<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let length = c.peek(1).ok_or_else(|| c.short(&OPTION_LENGTH, OPTION_HEADER.into()))?;
    if length < OPTION_HEADER {
        return Err(c.invalid(&OPTION_LENGTH, OPTION_HEADER.into(), length.into()));
    }
    let mut option = c.group(&OPTION, length.into(), BOUND)?;
    let kind = option.u8(&TYPE)?;
    option.u8(&OPTION_LENGTH)?;
    if matches!(kind, 2..=4) {
        option.u8(&DELAY)?;
        while option.remaining() > 1 {
            option.u8(&ADDRESS_TYPE)?;
            let rest = option.peek_rest();
            let len = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
            option.octets(&ADDRESS, len)?;
            // The octet of zero that ends it.
            option.sub(&ADDRESS, usize::from(!option.is_empty()), BOUND)?;
        }
    }
    if !option.is_empty() {
        option.derived(&OPTION_LENGTH_INVALID, 1);
        text(&mut option, &DATA);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::dissect::ppp::testing::{described, sound};

    #[test]
    fn the_three_packets() {
        // No callback, a number of the caller's, one of the administrator's, one of a list.
        let hex = "c029 0101 0019 0102 02080a 0136343500 03030a 04080a 0131323300";
        assert!(sound(hex).control.is_some());
        let seen = described(hex);
        for field in
            ["cbcp.opt.type=3", "cbcp.callback_delay=10", "cbcp.address=363435", "cbcp.address=313233"]
        {
            assert!(seen.contains(&field.to_owned()), "{field}: {seen:?}");
        }
        assert!(sound("c029 0301 0007 020305").control.is_some());
        assert!(described("c029 0101 0008 0104 aabb").contains(&"ppp.opt.len.invalid=1".to_owned()));
    }
}
