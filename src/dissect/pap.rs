//! The Password Authentication Protocol (RFC 1334 section 2).

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::negotiation::{bounded, keep};
use super::ppp::text;
use super::ppp_names::{PAP, pap_code_name};
use crate::field::{Cursor, Kind, Short, Sink};
use crate::util::Printable;

crate::fields! {
    section "RFC 1334 2.2";
    CODE = "pap.code", "Code", Kind::Dec(8), names pap_code_name;
    IDENTIFIER = "pap.identifier", "Identifier", Kind::Dec(8);
    LENGTH = "pap.length", "Length", Kind::Dec(16);
    PEER_ID_LENGTH = "pap.peer_id.length", "Peer-ID-Length", Kind::Dec(8);
    PEER_ID = "pap.peer_id", "Peer-ID", Kind::Text;
    PASSWORD_LENGTH = "pap.password.length", "Password-Length", Kind::Dec(8);
    PASSWORD = "pap.password", "Password", Kind::Secret;
    MESSAGE_LENGTH = "pap.message.length", "Message-Length", Kind::Dec(8);
    MESSAGE = "pap.message", "Message", Kind::Text;
    STUFF = "pap.stuff", "stuff", Kind::Bytes;
    SECRET_STUFF = "pap.stuff", "stuff", Kind::Secret;
}

const REQUEST: u8 = 1;
const ACK: u8 = 2;
const NAK: u8 = 3;

/// Reads a PAP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let code = c.u8(&CODE)?;
    let identifier = c.u8(&IDENTIFIER)?;
    let length = c.u16(&LENGTH)?;
    let mut body = PppBody::Other;
    let end = bounded(c, &LENGTH, length, |c| read_body(c, code, &mut body));
    keep(layers, PppControl { protocol: PAP, code, identifier, length, body });
    end
}

fn read_body<S: Sink>(c: &mut Cursor<'_, '_, S>, code: u8, body: &mut PppBody) -> Result<(), Short> {
    match code {
        REQUEST => {
            let length = c.u8(&PEER_ID_LENGTH)?;
            *body = PppBody::PapRequest(Printable::from_bytes(c.octets(&PEER_ID, length.into())?));
            let length = c.u8(&PASSWORD_LENGTH)?;
            // Described as a secret, kept nowhere.
            c.octets(&PASSWORD, length.into())?;
        }
        ACK | NAK => {
            *body = PppBody::Message(Printable::default());
            // Some implementations leave out the length of an empty message; pppd takes that as none.
            if !c.is_empty() {
                let length = c.u8(&MESSAGE_LENGTH)?;
                *body = PppBody::Message(Printable::from_bytes(c.octets(&MESSAGE, length.into())?));
            }
        }
        _ => {}
    }
    // Octets of a code that nobody knows, or behind a password, may be a secret all the same.
    text(c, if matches!(code, ACK | NAK) { &STUFF } else { &SECRET_STUFF });
    Ok(())
}
