//! The Password Authentication Protocol (RFC 1334 section 2).

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::ppp::{bounded, keep, text};
use super::ppp_names::{PAP, pap_code_name};
use crate::field::{Cursor, Kind, Short, Sink};
use crate::ipsec::Secret;
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
            let name = Printable::from_bytes(c.octets(&PEER_ID, length.into())?);
            *body = PppBody::PapRequest { name: name.clone(), password: None };
            let length = c.u8(&PASSWORD_LENGTH)?;
            let password = Some(Secret::new(c.octets(&PASSWORD, length.into())?.to_vec()));
            *body = PppBody::PapRequest { name, password };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::Ppp;
    use crate::dissect::ppp::testing::{described, octets, read, sound};
    use crate::field::{Nothing, Tree};

    /// pppd: user alice.
    const FROM_PPPD: &str = "ff03c0230101001505616c6963650a506135352d7730726421";

    fn body(ppp: Ppp) -> PppBody {
        ppp.control.expect("PAP").body
    }

    #[test]
    fn the_password_is_described_as_a_secret_and_not_kept() {
        let ppp = sound(FROM_PPPD);
        let kept = format!("{ppp:?}");
        assert!(kept.contains("alice") && !kept.contains("Pa55"), "{kept}");
        assert!(matches!(body(ppp), PppBody::PapRequest { name, .. } if name.as_str() == "alice"));
        assert_eq!(
            described(FROM_PPPD)[3..],
            [
                "pap.code=1",
                "pap.identifier=1",
                "pap.length=21",
                "pap.peer_id.length=5",
                "pap.peer_id=616c696365",
                "pap.password.length=10",
                "pap.password=506135352d7730726421"
            ]
        );
        let mut tree = Tree::default();
        read(&octets(FROM_PPPD), false, &mut tree);
        let last = tree.nodes().last().expect("the password");
        assert_eq!(last.field.kind, Kind::Secret);
    }

    #[test]
    fn no_cut_or_change_of_lengths_lets_the_password_out() {
        let frame = octets(FROM_PPPD);
        for at in 0..frame.len() {
            for value in 0..=255 {
                let mut changed = frame.clone();
                changed[at] = value;
                let (layers, _) = read(&changed, false, &mut Nothing);
                let Some(Ppp { protocol: PAP, control: Some(control), .. }) = layers.ppp else { continue };
                // A wrong Peer-ID-Length makes a Peer-ID of the password; a wrong code a message of it. No dissector
                // can know. Any other change must not.
                if at != 8 && control.code == REQUEST {
                    assert!(!format!("{control:?}").contains("Pa55"), "octet {at} = {value}");
                }
            }
        }
    }

    #[test]
    fn results_have_a_message() {
        for (hex, message) in [
            ("ff03c0230201000d084c6f67696e206f6b", "Login ok"),
            ("ff03c023030100140f4c6f67696e20696e636f7272656374", "Login incorrect"),
            ("c0230201000500", ""),
            ("c02302010004", ""),
        ] {
            assert!(matches!(body(sound(hex)), PppBody::Message(text) if text.as_str() == message), "{hex}");
        }
    }

    #[test]
    fn a_message_longer_than_the_packet_is_short() {
        let (layers, short) = read(&octets("c02302010008ff4c6f67"), false, &mut Nothing);
        let short = short.expect("a fault");
        assert_eq!((short.field.name, short.needed, short.available), ("pap.message", 255, 3));
        assert!(layers.ppp.and_then(|ppp| ppp.control).is_some());
    }
}
