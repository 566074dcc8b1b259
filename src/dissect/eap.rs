//! The Extensible Authentication Protocol in PPP (RFC 3748 sections 4 and 5).

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::ppp::{bounded, keep, text};
use super::ppp_names::{EAP, eap_code_name, eap_type_name};
use crate::field::{Cursor, Kind, Short, Sink};
use crate::util::Printable;

crate::fields! {
    section "RFC 3748 4";
    CODE = "eap.code", "Code", Kind::Dec(8), names eap_code_name;
    IDENTIFIER = "eap.id", "Id", Kind::Dec(8);
    LENGTH = "eap.len", "Length", Kind::Dec(16);
    TYPE = "eap.type", "Type", Kind::Dec(8), names eap_type_name;
    IDENTITY = "eap.identity", "Identity", Kind::Text;
    NOTIFICATION = "eap.notification", "Notification", Kind::Text;
    DESIRED_TYPE = "eap.desired_type", "Desired Auth Type", Kind::Dec(8), names eap_type_name;
    VALUE_SIZE = "eap.md5.value_size", "EAP-MD5 Value-Size", Kind::Dec(8);
    CHALLENGE = "eap.md5.value", "EAP-MD5 Value", Kind::Bytes;
    HASH = "eap.md5.value", "EAP-MD5 Value", Kind::Secret;
    EXTRA = "eap.md5.extra_data", "EAP-MD5 Extra Data", Kind::Bytes;
    DATA = "eap.data", "EAP Data", Kind::Bytes;
    SECRET = "eap.data", "EAP Data", Kind::Secret;
}

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

/// Reads an EAP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let code = c.u8(&CODE)?;
    let identifier = c.u8(&IDENTIFIER)?;
    let length = c.u16(&LENGTH)?;
    let mut body = PppBody::Other;
    let end = bounded(c, &LENGTH, length, |c| read_body(c, code, &mut body));
    keep(layers, PppControl { protocol: EAP, code, identifier, length, body });
    end
}

fn read_body<S: Sink>(c: &mut Cursor<'_, '_, S>, code: u8, body: &mut PppBody) -> Result<(), Short> {
    if !matches!(code, REQUEST | RESPONSE) {
        text(c, &DATA);
        return Ok(());
    }
    let response = code == RESPONSE;
    let kind = c.u8(&TYPE)?;
    *body = PppBody::Eap { kind, identity: None };
    match kind {
        1 => {
            let identity = text(c, &IDENTITY);
            let identity = response.then(|| Printable::from_bytes(identity));
            *body = PppBody::Eap { kind, identity };
        }
        2 => {
            text(c, &NOTIFICATION);
        }
        3 => {
            while !c.is_empty() {
                c.u8(&DESIRED_TYPE)?;
            }
        }
        4 => {
            let size = c.u8(&VALUE_SIZE)?;
            c.octets(if response { &HASH } else { &CHALLENGE }, size.into())?;
            text(c, &EXTRA);
        }
        // One-time passwords and token codes are passwords in the clear; others prove one.
        _ => {
            text(c, if response { &SECRET } else { &DATA });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::{described, octets, read, sound};
    use crate::field::{Nothing, Tree};

    fn body(hex: &str) -> PppBody {
        sound(hex).control.expect("EAP").body
    }

    #[test]
    fn who_asks_and_who_answers() {
        assert!(matches!(body("c22701010005 01"), PppBody::Eap { kind: 1, identity: None }));
        assert!(matches!(
            body("c2270201000a01 616c696365"),
            PppBody::Eap { kind: 1, identity: Some(name) } if name.as_str() == "alice"
        ));
        assert!(matches!(body("c22703020004"), PppBody::Other));
        assert!(matches!(body("c22704020004"), PppBody::Other));
        assert!(matches!(body("c227010200070268 69"), PppBody::Eap { kind: 2, identity: None }));
    }

    #[test]
    fn a_nak_names_what_it_wants() {
        assert_eq!(
            described("c227020200070304 1a")[4..],
            ["eap.type=3", "eap.desired_type=4", "eap.desired_type=26"]
        );
    }

    #[test]
    fn proofs_are_secrets_and_challenges_are_not() {
        for (hex, name, kind) in [
            ("c227010200080402aabb", "eap.md5.value", Kind::Bytes),
            ("c227020200080402aabb", "eap.md5.value", Kind::Secret),
            ("c227010200071aaabb", "eap.data", Kind::Bytes),
            ("c2270202000705aabb", "eap.data", Kind::Secret),
        ] {
            sound(hex);
            let mut tree = Tree::default();
            read(&octets(hex), false, &mut tree);
            let last = tree.nodes().last().expect("a field");
            assert_eq!((last.field.name, last.field.kind), (name, kind), "{hex}");
        }
    }

    #[test]
    fn a_value_past_the_end_is_short() {
        // What CVE-2020-8597 is about.
        let (layers, short) = read(&octets("c2270202000a04ff61626364"), false, &mut Nothing);
        let short = short.expect("a fault");
        assert_eq!((short.field.name, short.needed, short.available), ("eap.md5.value", 255, 4));
        let control = layers.ppp.and_then(|ppp| ppp.control).expect("EAP");
        assert!(matches!(control.body, PppBody::Eap { kind: 4, identity: None }));
    }
}
