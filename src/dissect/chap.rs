//! The Challenge Handshake Authentication Protocol (RFC 1994; MS-CHAP RFC 2433, MS-CHAPv2 RFC 2759).

use super::Step;
use super::layers::{Layers, PppBody, PppControl};
use super::ppp::{bounded, keep, text};
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
            let PppBody::Chap { name, size } = body(hex) else { panic!("{hex}") };
            assert_eq!((name.as_str(), size), (who, octets), "{hex}");
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
