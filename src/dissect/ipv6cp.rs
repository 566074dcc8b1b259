//! The IPv6 Control Protocol (RFC 5072 section 4; compression RFC 5172).

use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp_names::IPV6CP;
use super::{Step, ipcp};
use crate::field::{Cursor, Kind, Sink};

crate::fields! {
    section "RFC 5072 4";
    TYPE = "ipv6cp.opt.type", "Type", Kind::Dec(8), names type_name;
    LENGTH = "ipv6cp.opt.length", "Length", Kind::Dec(8);
    DATA = "ipv6cp.opt.data", "Data", Kind::Bytes;
    UNKNOWN = "ipv6cp.opt.unknown", "Unknown option", Kind::Group;
    INTERFACE_OPTION = "ipv6cp.opt.interface_identifier", "Interface Identifier", Kind::Group;
    INTERFACE = "ipv6cp.interface_identifier", "Interface Identifier", Kind::Mac;
    COMPRESSION_OPTION = "ipv6cp.opt.compress", "IPv6 compression", Kind::Group;
}

/// The options of IPV6CP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: IPV6CP,
    kind: &TYPE,
    length: &LENGTH,
    data: &DATA,
    unknown: &UNKNOWN,
    options: &[
        OptionRow::new(1, "Interface-Identifier", &INTERFACE_OPTION, &[Piece::octets(&INTERFACE, 8)]),
        OptionRow::chosen(
            2,
            "IPv6-Compression-Protocol",
            &COMPRESSION_OPTION,
            Piece::u16(&ipcp::COMPRESSION),
            ipcp::COMPRESSIONS,
        ),
    ],
};

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

/// Reads an IPV6CP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

#[cfg(test)]
mod tests {
    use crate::dissect::layers::{PppBody, PppOptionValue};
    use crate::dissect::ppp::testing::{described, sound};

    #[test]
    fn the_interface_identifier_is_a_number_to_compare() {
        // pppd's request.
        let hex = "ff0380570101000e010a680067d5c160c466";
        let control = sound(hex).control.expect("IPV6CP");
        let PppBody::Options(options) = control.body else { panic!("{:?}", control.body) };
        assert_eq!(options[0].value, PppOptionValue::Number(0x6800_67d5_c160_c466));
        assert_eq!(
            described(hex)[6..],
            ["ipv6cp.opt.type=1", "ipv6cp.opt.length=10", "ipv6cp.interface_identifier=680067d5c160c466"]
        );
    }

    #[test]
    fn compression_and_unknown_options() {
        let control = sound("80570101000e 0204004f 0606deadbeef").control;
        assert!(control.is_some());
        assert_eq!(
            described("80570101000c0204004f0904beef")[4..],
            [
                "ipv6cp.opt.type=2",
                "ipv6cp.opt.length=4",
                "ipcp.opt.compress_proto=79",
                "ipv6cp.opt.type=9",
                "ipv6cp.opt.length=4",
                "ipv6cp.opt.data=beef"
            ]
        );
    }
}
