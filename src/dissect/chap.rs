//! The Challenge Handshake Authentication Protocol (RFC 1994; MS-CHAP RFC 2433, MS-CHAPv2 RFC 2759).

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::negotiation::{bounded, keep};
use super::ppp::text;
use super::ppp_names::{CHAP, chap_code_name};
use crate::field::{Cursor, Kind, Short, Sink};
use crate::util::Printable;

crate::fields! {
    section "RFC 1994 4";
    CODE = "chap.code", "Code", Kind::Dec(8), names chap_code_name;
    IDENTIFIER = "chap.identifier", "Identifier", Kind::Dec(8);
    LENGTH = "chap.length", "Length", Kind::Dec(16);
    VALUE_SIZE = "chap.value_size", "Value Size", Kind::Dec(8);
    CHALLENGE_VALUE = "chap.value", "Value", Kind::Bytes;
    RESPONSE_VALUE = "chap.value", "Value", Kind::Secret;
    NAME = "chap.name", "Name", Kind::Text;
    MESSAGE = "chap.message", "Message", Kind::Text;
    STUFF = "chap.stuff", "Stuff", Kind::Secret;
}

const CHALLENGE: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;

/// Reads a CHAP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let code = c.u8(&CODE)?;
    let identifier = c.u8(&IDENTIFIER)?;
    let length = c.u16(&LENGTH)?;
    let mut body = PppBody::Other;
    let end = bounded(c, &LENGTH, length, |c| read_body(c, code, &mut body));
    keep(layers, PppControl { protocol: CHAP, code, identifier, length, body });
    end
}

fn read_body<S: Sink>(c: &mut Cursor<'_, '_, S>, code: u8, body: &mut PppBody) -> Result<(), Short> {
    match code {
        CHALLENGE | RESPONSE => {
            let size = c.u8(&VALUE_SIZE)?;
            // A response is what a password is guessed from.
            let value = if code == RESPONSE { &RESPONSE_VALUE } else { &CHALLENGE_VALUE };
            c.octets(value, size.into())?;
            *body = PppBody::Chap { name: Printable::from_bytes(text(c, &NAME)), size };
        }
        SUCCESS | FAILURE => *body = PppBody::Message(Printable::from_bytes(text(c, &MESSAGE))),
        // A change of password, or unknown.
        _ => {
            text(c, &STUFF);
        }
    }
    Ok(())
}
