//! The Extensible Authentication Protocol in PPP (RFC 3748 sections 4 and 5).

use std::sync::Arc;

use super::layers::{Layers, PppBody, PppControl};
use super::ppp::{bounded, keep, text};
use super::ppp_names::{EAP, eap_code_name, eap_type_name};
use super::{Step, chap};
use crate::field::{Cursor, Kind, Short, Sink};
use crate::ipsec::Secret;
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
    OPCODE = "eap.ms_chap_v2.opcode", "EAP-MS-CHAP-v2 OpCode", Kind::Dec(8), names opcode_name;
    MS_IDENTIFIER = "eap.ms_chap_v2.id", "EAP-MS-CHAP-v2 Id", Kind::Dec(8);
    MS_LENGTH = "eap.ms_chap_v2.length", "EAP-MS-CHAP-v2 Length", Kind::Dec(16);
    MS_SIZE = "eap.ms_chap_v2.value_size", "EAP-MS-CHAP-v2 Value-Size", Kind::Dec(8);
    MS_CHALLENGE = "eap.ms_chap_v2.challenge", "EAP-MS-CHAP-v2 Challenge", Kind::Bytes;
    PEER_CHALLENGE = "eap.ms_chap_v2.peer_challenge", "EAP-MS-CHAP-v2 Peer-Challenge", Kind::Bytes;
    RESERVED = "eap.ms_chap_v2.reserved", "EAP-MS-CHAP-v2 Reserved", Kind::Bytes;
    NT_RESPONSE = "eap.ms_chap_v2.nt_response", "EAP-MS-CHAP-v2 NT-Response", Kind::Secret;
    MS_FLAGS = "eap.ms_chap_v2.flags", "EAP-MS-CHAP-v2 Flags", Kind::Hex(8);
    MS_RESPONSE = "eap.ms_chap_v2.response", "EAP-MS-CHAP-v2 Response (Unknown Length)", Kind::Secret;
    MS_NAME = "eap.ms_chap_v2.name", "EAP-MS-CHAP-v2 Name", Kind::Text;
    MS_MESSAGE = "eap.ms_chap_v2.message", "EAP-MS-CHAP-v2 Message", Kind::Text;
    MS_FAILURE = "eap.ms_chap_v2.failure_request", "EAP-MS-CHAP-v2 Failure-Request", Kind::Text;
    MS_DATA = "eap.ms_chap_v2.data", "EAP-MS-CHAP-v2 Data", Kind::Secret;
    TLS_FLAGS = "eap.tls.flags", "EAP-TLS Flags", Kind::Hex(8);
    TLS_HAS_LENGTH = "eap.tls.flags.len_included", "Length Included", Kind::Flag;
    TLS_MORE = "eap.tls.flags.more_fragments", "More Fragments", Kind::Flag;
    TLS_START = "eap.tls.flags.start", "Start", Kind::Flag;
    TLS_VERSION = "eap.tls.flags.version", "Version", Kind::Dec(3);
    TLS_LENGTH = "eap.tls.len", "EAP-TLS Length", Kind::Dec(32);
    VENDOR = "eap.ext.vendor_id", "EAP-EXT Vendor Id", Kind::Hex(24);
    VENDOR_TYPE = "eap.ext.vendor_type", "EAP-EXT Vendor Type", Kind::Hex(32);
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
    *body = PppBody::Eap { kind, identity: None, value: None };
    match kind {
        1 => {
            let identity = text(c, &IDENTITY);
            let identity = response.then(|| Printable::from_bytes(identity));
            *body = PppBody::Eap { kind, identity, value: None };
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
            let octets = c.octets(if response { &HASH } else { &CHALLENGE }, size.into())?;
            let value = Some(Arc::new(Secret::new(octets.to_vec())));
            *body = PppBody::Eap { kind, identity: None, value };
            text(c, &EXTRA);
        }
        13 | 21 | 25 | 43 | 55 => tls(c, kind)?,
        26 => ms_chap(c, response)?,
        254 => {
            let (high, low) = (c.bits8(&VENDOR)?, c.bits16(&VENDOR)?);
            c.part(&VENDOR, 3, u64::from(high) << 16 | u64::from(low));
            c.u32(&VENDOR_TYPE)?;
            text(c, if response { &SECRET } else { &DATA });
        }
        // One-time passwords and token codes are passwords in the clear; others prove one.
        _ => {
            text(c, if response { &SECRET } else { &DATA });
        }
    }
    Ok(())
}

fn opcode_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "Challenge",
        2 => "Response",
        3 => "Success",
        4 => "Failure",
        7 => "Change-Password",
        _ => return None,
    })
}

/// What TLS in EAP begins with (RFC 5216 section 3.1; the version is that of PEAP, TTLS, FAST or TEAP).
fn tls<S: Sink>(c: &mut Cursor<'_, '_, S>, kind: u8) -> Result<(), Short> {
    // An acknowledgement may be nothing but its type.
    if c.is_empty() {
        return Ok(());
    }
    let flags = c.u8(&TLS_FLAGS)?;
    for (field, bit) in [(&TLS_HAS_LENGTH, 0x80), (&TLS_MORE, 0x40), (&TLS_START, 0x20)] {
        c.part(field, 1, u64::from(flags & bit != 0));
    }
    if kind != 13 {
        c.part(&TLS_VERSION, 1, u64::from(flags & 7));
    }
    if flags & 0x80 != 0 {
        c.u32(&TLS_LENGTH)?;
    }
    text(c, &DATA);
    Ok(())
}

/// MS-CHAPv2 in EAP (draft-kamath-pppext-eap-mschapv2 section 2).
fn ms_chap<S: Sink>(c: &mut Cursor<'_, '_, S>, response: bool) -> Result<(), Short> {
    let code = c.u8(&OPCODE)?;
    // An answer to Success or Failure is the code alone.
    if c.is_empty() {
        return Ok(());
    }
    c.u8(&MS_IDENTIFIER)?;
    c.u16(&MS_LENGTH)?;
    match code {
        1 => {
            let size = c.u8(&MS_SIZE)?;
            c.octets(&MS_CHALLENGE, size.into())?;
            text(c, &MS_NAME);
        }
        2 => {
            let size = c.u8(&MS_SIZE)?;
            if size == 49 {
                c.octets(&PEER_CHALLENGE, 16)?;
                c.octets(&RESERVED, 8)?;
                c.octets(&NT_RESPONSE, 24)?;
                c.u8(&MS_FLAGS)?;
            } else {
                c.octets(&MS_RESPONSE, size.into())?;
            }
            text(c, &MS_NAME);
        }
        3 | 4 if !response => {
            let message = text(c, if code == 3 { &MS_MESSAGE } else { &MS_FAILURE });
            if S::FULL {
                let range = c.last(message.len());
                chap::ms_result(c, message, range);
            }
        }
        _ => {
            text(c, &MS_DATA);
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
        assert!(matches!(body("c22701010005 01"), PppBody::Eap { kind: 1, identity: None, .. }));
        assert!(matches!(
            body("c2270201000a01 616c696365"),
            PppBody::Eap { kind: 1, identity: Some(name), .. } if name.as_str() == "alice"
        ));
        assert!(matches!(body("c22703020004"), PppBody::Other));
        assert!(matches!(body("c22704020004"), PppBody::Other));
        assert!(matches!(body("c227010200070268 69"), PppBody::Eap { kind: 2, identity: None, .. }));
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
            ("c2270102000706aabb", "eap.data", Kind::Bytes),
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
    fn microsoft_in_eap_is_split() {
        let challenge = "c227 0101 001c 1a 01 02 0017 10 000102030405060708090a0b0c0d0e0f 6c6e";
        sound(challenge);
        assert_eq!(
            described(challenge)[5..],
            [
                "eap.ms_chap_v2.opcode=1",
                "eap.ms_chap_v2.id=2",
                "eap.ms_chap_v2.length=23",
                "eap.ms_chap_v2.value_size=16",
                "eap.ms_chap_v2.challenge=000102030405060708090a0b0c0d0e0f",
                "eap.ms_chap_v2.name=6c6e"
            ]
        );
        let half = "01".repeat(16);
        let answer = format!(
            "c227 0201 003e 1a 02 02 0039 31 {half} 0000000000000000 {half}0101010101010101 00 6c6e72"
        );
        sound(&answer);
        assert!(described(&answer).contains(&format!("eap.ms_chap_v2.peer_challenge={half}")));
        assert_eq!(described(&answer).last().map(String::as_str), Some("eap.ms_chap_v2.name=6c6e72"));
        let failure = "c227 0101 0012 1a 04 02 000d 453d36393120523d31";
        sound(failure);
        assert_eq!(described(failure)[9..], ["chap.ms.error=363931", "chap.ms.retry=31"]);
        sound("c227 0201 0006 1a 03");
        sound("c227 0201 000b 1a 07 02 0006 0102");
        // Three octets of a response that claims 49.
        let (_, short) = read(&octets("c227 0201 000d 1a 02 02 0008 31 010203"), false, &mut Nothing);
        assert_eq!(short.map(|short| short.field.name), Some("eap.ms_chap_v2.peer_challenge"));
    }

    #[test]
    fn tls_and_types_of_vendors() {
        sound("c227 0101 0006 0d 20");
        assert_eq!(
            described("c227 0101 000b 19 81 00000100 16")[5..],
            [
                "eap.tls.flags=129",
                "eap.tls.flags.len_included=1",
                "eap.tls.flags.more_fragments=0",
                "eap.tls.flags.start=0",
                "eap.tls.flags.version=1",
                "eap.tls.len=256",
                "eap.data=16"
            ]
        );
        sound("c227 0201 0005 0d");
        assert!(
            described("c227 0101 000e fe 00372a 00000001 0102")
                .contains(&"eap.ext.vendor_id=14122".to_owned())
        );
    }

    #[test]
    fn a_value_past_the_end_is_short() {
        // What CVE-2020-8597 is about.
        let (layers, short) = read(&octets("c2270202000a04ff61626364"), false, &mut Nothing);
        let short = short.expect("a fault");
        assert_eq!((short.field.name, short.needed, short.available), ("eap.md5.value", 255, 4));
        let control = layers.ppp.and_then(|ppp| ppp.control).expect("EAP");
        assert!(matches!(control.body, PppBody::Eap { kind: 4, identity: None, .. }));
    }
}
