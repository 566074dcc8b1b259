//! The Challenge Handshake Authentication Protocol (RFC 1994; MS-CHAP RFC 2433, MS-CHAPv2 RFC 2759).

use std::sync::Arc;

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::ppp::{bounded, keep, text};
use super::ppp_names::{CHAP, chap_code_name};
use crate::field::{Cursor, FieldDef, Kind, Range, Short, Sink, Value};
use crate::ipsec::Secret;
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
    PEER_CHALLENGE = "chap.ms.peer_challenge", "Peer-Challenge", Kind::Bytes;
    RESERVED = "chap.ms.reserved", "Reserved", Kind::Bytes;
    LM_RESPONSE = "chap.ms.lm_response", "LAN Manager Response", Kind::Secret;
    NT_RESPONSE = "chap.ms.nt_response", "NT-Response", Kind::Secret;
    FLAGS = "chap.ms.flags", "Flags", Kind::Hex(8);
    ERROR = "chap.ms.error", "Error (E)", Kind::Text;
    RETRY = "chap.ms.retry", "Retry allowed (R)", Kind::Text;
    NEW_CHALLENGE = "chap.ms.challenge", "Challenge for a retry (C)", Kind::Text;
    VERSION = "chap.ms.version", "Password change version (V)", Kind::Text;
    TEXT = "chap.ms.message", "Message (M)", Kind::Text;
    PROOF = "chap.ms.authenticator_response", "Authenticator Response (S)", Kind::Text;
    STUFF = "chap.stuff", "Stuff", Kind::Secret;
}

const CHALLENGE: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;
/// The size of a response of both versions of MS-CHAP.
const MS_RESPONSE: usize = 49;

/// The letters of an MS-CHAP result (RFC 2433 section 6, RFC 2759 sections 5 and 6).
static LETTERS: &[(u8, &FieldDef)] = &[
    (b'E', &ERROR),
    (b'R', &RETRY),
    (b'C', &NEW_CHALLENGE),
    (b'V', &VERSION),
    (b'S', &PROOF),
    (b'M', &TEXT),
];

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
            let octets = c.octets(value, size.into())?;
            if S::FULL && code == RESPONSE {
                let range = c.last(octets.len());
                ms_response(c, octets, range);
            }
            let value = Arc::new(Secret::new(octets.to_vec()));
            *body = PppBody::Chap { name: Printable::from_bytes(text(c, &NAME)), value };
        }
        SUCCESS | FAILURE => {
            let message = text(c, &MESSAGE);
            if S::FULL {
                let range = c.last(message.len());
                ms_result(c, message, range);
            }
            *body = PppBody::Message(Printable::from_bytes(message));
        }
        // A change of password, or unknown.
        _ => {
            text(c, &STUFF);
        }
    }
    Ok(())
}

/// The parts of an MS-CHAP response (RFC 2433 section 4.2, RFC 2759 section 4). LCP says which version it is; without
/// it, the octets that version 2 reserves and that hold the first response of version 1 tell.
fn ms_response<S: Sink>(c: &mut Cursor<'_, '_, S>, octets: &[u8], range: Range) {
    if octets.len() != MS_RESPONSE {
        return;
    }
    let reserved = octets.get(16..24).is_some_and(|reserved| reserved.iter().all(|octet| *octet == 0));
    let challenge = octets.get(..16).is_some_and(|challenge| challenge.iter().any(|octet| *octet != 0));
    let parts: &[(&'static FieldDef, u32)] = if reserved && challenge {
        &[(&PEER_CHALLENGE, 16), (&RESERVED, 8), (&NT_RESPONSE, 24)]
    } else {
        &[(&LM_RESPONSE, 24), (&NT_RESPONSE, 24)]
    };
    let mut start = range.start;
    for (field, len) in parts {
        let end = start.saturating_add(*len);
        c.describe(field, Range { start, end, ..range }, Value::Octets);
        start = end;
    }
    if let Some(flags) = octets.last() {
        c.describe(&FLAGS, Range { start, ..range }, Value::Number((*flags).into()));
    }
}

/// The parts of an MS-CHAP result: `E=691 R=1 C=… V=3 M=…`, where the message is what is left and may have spaces.
pub(super) fn ms_result<S: Sink>(c: &mut Cursor<'_, '_, S>, message: &[u8], range: Range) {
    let at = |offset: usize| range.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
    let mut rest = 0;
    while let [letter, b'=', value @ ..] = message.get(rest..).unwrap_or_default() {
        let Some((_, field)) = LETTERS.iter().find(|(known, _)| known == letter) else { return };
        let len = if *letter == b'M' {
            value.len()
        } else {
            value.iter().position(|octet| *octet == b' ').unwrap_or(value.len())
        };
        let start = rest.saturating_add(2);
        let end = start.saturating_add(len);
        c.describe(field, Range { start: at(start), end: at(end), ..range }, Value::Octets);
        rest = end.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::{described, octets, read, sound};
    use crate::field::{Nothing, Tree};

    fn body(hex: &str) -> PppBody {
        sound(hex).control.expect("CHAP").body
    }

    #[test]
    fn challenges_and_responses_of_all_three_kinds() {
        for (hex, who, octets) in [
            // pppd, MS-CHAPv2.
            ("ff03c22301e3001e1024177c39cb2308fdc0b24f36ebb5748f6c6e73736572766572", "lnsserver", 16),
            (
                "ff03c22302e3003b3186f6ada91fe9a8431c70f36fbbc9c87700000000000000004bc4e94ea4006fbe76e6a4be70d178\
                 301940d381561c6ca400616c696365",
                "alice",
                49,
            ),
            // pppd, MS-CHAPv1.
            ("ff03c223012500160872aca62b53840a3e6c6e73736572766572", "lnsserver", 8),
            // l2tpns, MD5.
            ("ff03c2230101001a107fac334593a9f3eb2ed9646e61f709556c6162766d", "labvm", 16),
            ("ff03c2230201001a10e21c62331e9b7e3874209b0bd0671dd1616c696365", "alice", 16),
            // accel-ppp gives no name; pppd's userspace path no FF 03.
            ("c2230101001510 26cc2af276e820171f038b85a438ee7f", "", 16),
        ] {
            let PppBody::Chap { name, value } = body(hex) else { panic!("{hex}") };
            assert_eq!((name.as_str(), value.len()), (who, octets), "{hex}");
        }
    }

    #[test]
    fn a_response_is_a_secret_and_a_challenge_is_not() {
        for (code, kind) in [(1, Kind::Bytes), (2, Kind::Secret)] {
            let mut tree = Tree::default();
            read(&octets(&format!("c2230{code}0100080201026c6d")), false, &mut tree);
            let value = tree.nodes().iter().find(|node| node.field.name == "chap.value").expect("a value");
            assert_eq!(value.field.kind, kind);
        }
        assert_eq!(
            described("c223020100090201026c6d")[1..],
            [
                "chap.code=2",
                "chap.identifier=1",
                "chap.length=9",
                "chap.value_size=2",
                "chap.value=0102",
                "chap.name=6c6d"
            ]
        );
    }

    #[test]
    fn responses_of_microsoft_are_split() {
        let names = |hex: &str| -> Vec<String> {
            described(hex).into_iter().filter(|field| field.starts_with("chap.ms.")).collect()
        };
        // pppd, version 2: peer challenge, eight octets of zero, response, flags.
        let second = "c22302e3003b3186f6ada91fe9a8431c70f36fbbc9c87700000000000000004bc4e94ea4006fbe76e6a4be70d178\
            301940d381561c6ca400616c696365";
        assert_eq!(
            names(second),
            [
                "chap.ms.peer_challenge=86f6ada91fe9a8431c70f36fbbc9c877",
                "chap.ms.reserved=0000000000000000",
                "chap.ms.nt_response=4bc4e94ea4006fbe76e6a4be70d178301940d381561c6ca4",
                "chap.ms.flags=0"
            ]
        );
        // Version 1, which says that the second response is to be used.
        let first = format!("c223 0201 0036 31 {} {} 01", "00".repeat(24), "ab".repeat(24));
        assert_eq!(names(&first)[0], format!("chap.ms.lm_response={}", "00".repeat(24)));
        assert_eq!(names(&first)[2], "chap.ms.flags=1");
        // A response of MD5 has no parts.
        assert!(names("c2230201000802aabb616c").is_empty());
    }

    #[test]
    fn results_of_microsoft_are_split() {
        let result = |code: u8, message: &str| -> Vec<String> {
            let hex: String = message.bytes().map(|octet| format!("{octet:02x}")).collect();
            let packet = format!("c223{code:02x}01{:04x}{hex}", message.len() + 4);
            sound(&packet);
            described(&packet)
                .into_iter()
                .filter_map(|f| f.strip_prefix("chap.ms.").map(str::to_owned))
                .collect()
        };
        let failure = result(4, "E=691 R=1 C=00CB V=3 M=Access denied");
        assert_eq!(
            failure,
            [
                "error=363931",
                "retry=31",
                "challenge=30304342",
                "version=33",
                "message=4163636573732064656e696564"
            ]
        );
        assert_eq!(result(3, "S=AB M=OK"), ["authenticator_response=4142", "message=4f4b"]);
        assert!(result(3, "Access granted").is_empty());
        assert!(result(4, "E").is_empty());
        assert_eq!(result(4, "E="), ["error="]);
    }

    #[test]
    fn results_have_a_message() {
        for (hex, message) in [
            ("ff03c22303250012416363657373206772616e746564", "Access granted"),
            ("ff03c22303010004", ""),
            (
                "ff03c223042d0044453d36393120523d3120433d303063623438363130383030626566646262303766303964363330626437\
                 326120563d30204d3d4163636573732064656e696564",
                "E=691 R=1 C=00cb48610800befdbb07f09d630bd72a V=0 M=Access denied",
            ),
        ] {
            assert!(matches!(body(hex), PppBody::Message(text) if text.as_str() == message), "{hex}");
        }
        assert!(matches!(body("c223070100081234abcd"), PppBody::Other));
    }

    #[test]
    fn a_value_longer_than_the_packet_is_short() {
        let (_, short) = read(&octets("c22301010008ff010203"), false, &mut Nothing);
        let short = short.expect("a fault");
        assert_eq!(
            (short.field.name, short.needed, short.available, short.cut),
            ("chap.value", 255, 3, false)
        );
    }
}
