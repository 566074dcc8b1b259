//! The Link Control Protocol (RFC 1661 sections 5 and 6; options also RFC 1570, RFC 1990).

use super::accm;
use super::layers::{Layers, PppBody};
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp::{carried, text};
use super::ppp_names::{IPV6, LCP, chap_algorithm_name, protocol_name};
use super::{Next, Protocol, Step};
use crate::field::{Cursor, Kind, Short, Sink};

crate::fields! {
    section "RFC 1661 6";
    MAGIC_NUMBER = "lcp.magic_number", "Magic Number", Kind::Hex(32);
    DATA = "lcp.data", "Data", Kind::Bytes;
    MESSAGE = "lcp.message", "Message", Kind::Text;
    SECONDS = "lcp.secs_remaining", "Seconds Remaining", Kind::Dec(32);
    REJECTED = "lcp.rej_proto", "Rejected Protocol", Kind::Hex(16), names protocol_name;
    TYPE = "lcp.opt.type", "Type", Kind::Dec(8), names type_name;
    LENGTH = "lcp.opt.length", "Length", Kind::Dec(8);
    OPTION_DATA = "lcp.opt.data", "Data", Kind::Bytes;
    UNKNOWN = "lcp.opt.unknown", "Unknown option", Kind::Group;
    VENDOR = "lcp.opt.vendor", "Vendor Specific", Kind::Group;
    OUI = "lcp.opt.oui", "OUI", Kind::Hex(24);
    VENDOR_KIND = "lcp.opt.kind", "Kind", Kind::Dec(8);
    MRU_OPTION = "lcp.opt.mtu_bytes", "Maximum Receive Unit", Kind::Group;
    MRU = "lcp.opt.mru", "Maximum Receive Unit", Kind::Dec(16);
    ACCM_OPTION = "lcp.opt.asyncmap_bytes", "Async Control Character Map", Kind::Group;
    ACCM = "lcp.opt.asyncmap", "Async Control Character Map", Kind::Hex(32);
    AUTHENTICATION_OPTION = "lcp.opt.auth_protocol_bytes", "Authentication Protocol", Kind::Group;
    AUTHENTICATION = "lcp.opt.auth_protocol", "Authentication Protocol", Kind::Hex(16), names protocol_name;
    ALGORITHM = "lcp.opt.algorithm", "Algorithm", Kind::Dec(8), names chap_algorithm_name;
    QUALITY_OPTION = "lcp.opt.quality_protocol_bytes", "Quality Protocol", Kind::Group;
    QUALITY = "lcp.opt.quality_protocol", "Quality Protocol", Kind::Hex(16), names protocol_name;
    REPORTING_PERIOD = "lcp.opt.reporting_period", "Reporting Period", Kind::Dec(32);
    MAGIC_OPTION = "lcp.opt.magic_number_bytes", "Magic Number", Kind::Group;
    OPTION_MAGIC = "lcp.opt.magic_number", "Magic Number", Kind::Hex(32);
    LINK_QUALITY = "lcp.opt.linkqualmon", "Link Quality Monitoring", Kind::Group;
    PFC = "lcp.opt.field_compress", "Protocol Field Compression", Kind::Group;
    ACFC = "lcp.opt.addr_field_compress", "Address and Control Field Compression", Kind::Group;
    FCS_OPTION = "lcp.opt.fcs_alternatives_bytes", "FCS Alternatives", Kind::Group;
    FCS = "lcp.opt.fcs_alternatives", "FCS Alternatives", Kind::Hex(8);
    FCS_NULL = "lcp.opt.fcs_alternatives.null", "NULL FCS", Kind::Flag;
    FCS_16 = "lcp.opt.fcs_alternatives.ccitt16", "CCITT 16-bit", Kind::Flag;
    FCS_32 = "lcp.opt.fcs_alternatives.ccitt32", "CCITT 32-bit", Kind::Flag;
    SELF_PAD = "lcp.opt.self_desc_pad", "Self Describing Pad", Kind::Group;
    MAXIMUM = "lcp.opt.maximum", "Maximum", Kind::Dec(8);
    NUMBERED_MODE = "lcp.opt.numbered_mode", "Numbered Mode", Kind::Group;
    WINDOW = "lcp.opt.window", "Window", Kind::Dec(8);
    HDLC_ADDRESS = "lcp.opt.hdlc_address", "Address", Kind::Bytes;
    CALLBACK = "lcp.opt.callback", "Callback", Kind::Group;
    OPERATION = "lcp.opt.operation", "Operation", Kind::Dec(8), names operation_name;
    CALLBACK_MESSAGE = "lcp.opt.message", "Message", Kind::Bytes;
    COMPOUND_FRAMES = "lcp.opt.compound_frames", "Compound Frames (Deprecated)", Kind::Group;
    NOMINAL_DATA = "lcp.opt.nomdataencap", "Nominal Data Encapsulation (Deprecated)", Kind::Group;
    MRRU_OPTION = "lcp.opt.multilink_mrru", "Multilink MRRU", Kind::Group;
    MRRU = "lcp.opt.mrru", "MRRU", Kind::Dec(16);
    SHORT_SEQUENCE = "lcp.opt.multilink_ssnh", "Multilink Short Sequence Number Header", Kind::Group;
    ENDPOINT = "lcp.opt.multilink_ep_disc", "Multilink Endpoint Discriminator", Kind::Group;
    ENDPOINT_CLASS = "lcp.opt.ep_disc_class", "Class", Kind::Dec(8), names endpoint_class_name;
    ENDPOINT_IP = "lcp.opt.ip_address", "IP Address", Kind::Ipv4;
    ENDPOINT_MAC = "lcp.opt.802_1_address", "IEEE 802.1 Address", Kind::Mac;
    ENDPOINT_MAGIC = "lcp.opt.magic_block", "PPP Magic-Number Block", Kind::Bytes;
    ENDPOINT_NUMBER = "lcp.opt.psndn", "Public Switched Network Directory Number", Kind::Bytes;
    DCE = "lcp.opt.dce_identifier", "DCE Identifier", Kind::Group;
    MODE = "lcp.opt.mode", "Mode", Kind::Dec(8);
    UNUSED = "lcp.opt.unused", "Unused", Kind::Bytes;
    MULTILINK_PLUS = "lcp.opt.multilink_pp", "Multi Link Plus Procedure", Kind::Group;
    DISCRIMINATOR_OPTION = "lcp.opt.link_discrim_bytes", "Link Discriminator for BACP", Kind::Group;
    DISCRIMINATOR = "lcp.opt.link_discrim", "Link Discriminator", Kind::Dec(16);
    AUTH_OPTION = "lcp.opt.auth", "Authentication Option", Kind::Group;
    AUTH_ID = "lcp.opt.id", "Identification", Kind::Bytes;
    COBS = "lcp.opt.cobs", "Consistent Overhead Byte Stuffing (COBS)", Kind::Group;
    COBS_FLAGS = "lcp.opt.flags", "Flags", Kind::Hex(8);
    COBS_RESERVED = "lcp.opt.flags.reserved", "Reserved", Kind::Hex(6);
    COBS_PREEMPTION = "lcp.opt.flags.pre", "PRE", Kind::Flag;
    COBS_ZERO_PAIRS = "lcp.opt.flags.zxe", "ZXE", Kind::Flag;
    PREFIX = "lcp.opt.prefix", "Prefix", Kind::Bytes;
    PREFIX_ELISION = "lcp.opt.prefix_elision", "Prefix Elision", Kind::Group;
    PREFIX_CLASS = "lcp.opt.class", "Class", Kind::Dec(8);
    MULTILINK_HEADER = "lcp.opt.multilink_hdr_fmt", "Multilink header format", Kind::Group;
    MULTILINK_CODE = "lcp.opt.code", "Code", Kind::Dec(8);
    MULTILINK_CLASSES = "lcp.opt.max_susp_classes", "Max suspendable classes", Kind::Dec(8);
    INTERNATIONALIZATION = "lcp.opt.internationalization", "Internationalization", Kind::Group;
    CHARSET = "lcp.opt.MIBenum", "MIBenum", Kind::Dec(32);
    LANGUAGE = "lcp.opt.language_tag", "Language-Tag", Kind::Text;
    SONET = "lcp.opt.sonet_sdh", "Simple Data Link on SONET/SDH", Kind::Group;
}

/// The options of LCP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: LCP,
    kind: &TYPE,
    length: &LENGTH,
    data: &OPTION_DATA,
    unknown: &UNKNOWN,
    options: &[
        OptionRow::new(
            0,
            "Vendor-Specific",
            &VENDOR,
            &[Piece::u24(&OUI), Piece::u8(&VENDOR_KIND), Piece::rest(&OPTION_DATA)],
        ),
        OptionRow::new(1, "MRU", &MRU_OPTION, &[Piece::u16(&MRU)]),
        OptionRow::new(2, "ACCM", &ACCM_OPTION, &[Piece::u32(&ACCM).bits(accm::BITS)]),
        OptionRow::authentication(
            3,
            "Authentication-Protocol",
            &AUTHENTICATION_OPTION,
            Piece::u16(&AUTHENTICATION),
            &[(0xc223, &[Piece::u8(&ALGORITHM)])],
        ),
        OptionRow::chosen(
            4,
            "Quality-Protocol",
            &QUALITY_OPTION,
            Piece::u16(&QUALITY),
            &[(0xc025, &[Piece::u32(&REPORTING_PERIOD)])],
        ),
        OptionRow::new(5, "Magic-Number", &MAGIC_OPTION, &[Piece::u32(&OPTION_MAGIC)]),
        OptionRow::new(6, "Link-Quality-Monitoring", &LINK_QUALITY, &[Piece::rest(&OPTION_DATA)]),
        OptionRow::new(7, "PFC", &PFC, &[]),
        OptionRow::new(8, "ACFC", &ACFC, &[]),
        OptionRow::new(
            9,
            "FCS-Alternatives",
            &FCS_OPTION,
            &[Piece::u8(&FCS).bits(&[(&FCS_NULL, 1), (&FCS_16, 2), (&FCS_32, 4)])],
        ),
        OptionRow::new(10, "Self-Describing-Pad", &SELF_PAD, &[Piece::u8(&MAXIMUM)]),
        OptionRow::new(
            11,
            "Numbered-Mode",
            &NUMBERED_MODE,
            &[Piece::u8(&WINDOW), Piece::rest(&HDLC_ADDRESS)],
        ),
        OptionRow::new(12, "Multilink-Procedure", &UNKNOWN, &[Piece::rest(&OPTION_DATA)]),
        OptionRow::new(13, "Callback", &CALLBACK, &[Piece::u8(&OPERATION), Piece::rest(&CALLBACK_MESSAGE)]),
        OptionRow::new(14, "Connect-Time", &UNKNOWN, &[Piece::rest(&OPTION_DATA)]),
        OptionRow::new(15, "Compound-Frames", &COMPOUND_FRAMES, &[]),
        OptionRow::new(16, "Nominal-Data-Encapsulation", &NOMINAL_DATA, &[Piece::rest(&OPTION_DATA)]),
        OptionRow::new(17, "MRRU", &MRRU_OPTION, &[Piece::u16(&MRRU)]),
        OptionRow::new(18, "Short-Sequence-Number", &SHORT_SEQUENCE, &[]),
        OptionRow::chosen(
            19,
            "Endpoint-Discriminator",
            &ENDPOINT,
            Piece::u8(&ENDPOINT_CLASS),
            &[
                (2, &[Piece::ipv4(&ENDPOINT_IP)]),
                (3, &[Piece::octets(&ENDPOINT_MAC, 6)]),
                (4, &[Piece::block32(&ENDPOINT_MAGIC, &OPTION_MAGIC)]),
                (5, &[Piece::rest(&ENDPOINT_NUMBER)]),
            ],
        ),
        OptionRow::new(20, "Proprietary", &UNKNOWN, &[Piece::rest(&OPTION_DATA)]),
        OptionRow::new(21, "DCE-Identifier", &DCE, &[Piece::u8(&MODE)]),
        OptionRow::new(22, "Multilink-Plus-Procedure", &MULTILINK_PLUS, &[Piece::octets(&UNUSED, 2)]),
        OptionRow::new(23, "Link-Discriminator", &DISCRIMINATOR_OPTION, &[Piece::u16(&DISCRIMINATOR)]),
        OptionRow::new(24, "LCP-Authentication", &AUTH_OPTION, &[Piece::counted(&AUTH_ID)]),
        OptionRow::new(
            25,
            "COBS",
            &COBS,
            &[Piece::u8(&COBS_FLAGS).bits(&[
                (&COBS_RESERVED, 0xfc),
                (&COBS_PREEMPTION, 0x02),
                (&COBS_ZERO_PAIRS, 0x01),
            ])],
        ),
        OptionRow::new(
            26,
            "Prefix-Elision",
            &PREFIX_ELISION,
            &[Piece::u8(&PREFIX_CLASS), Piece::counted(&PREFIX).open()],
        ),
        OptionRow::new(
            27,
            "Multilink-Header-Format",
            &MULTILINK_HEADER,
            &[Piece::u8(&MULTILINK_CODE), Piece::u8(&MULTILINK_CLASSES)],
        ),
        OptionRow::new(
            28,
            "Internationalization",
            &INTERNATIONALIZATION,
            &[Piece::u32(&CHARSET), Piece::rest(&LANGUAGE)],
        ),
        OptionRow::new(29, "Simple-Data-Link", &SONET, &[]),
        OptionRow::new(30, "PPP-Multiplexing", &UNKNOWN, &[]),
    ],
};

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

fn operation_name(operation: u64) -> Option<&'static str> {
    Some(match operation {
        0 => "location is determined by user authentication",
        1 => "dialing string",
        2 => "location identifier",
        3 => "E.164 number",
        4 => "distinguished name",
        6 => "determined by CBCP",
        _ => return None,
    })
}

fn endpoint_class_name(class: u64) -> Option<&'static str> {
    Some(match class {
        0 => "null",
        1 => "locally assigned",
        2 => "IPv4 address",
        3 => "IEEE 802.1 MAC address",
        4 => "PPP magic number block",
        5 => "E.164 number",
        _ => return None,
    })
}

/// Reads a Protocol-Reject, whose packet is `quoted` if someone wants to see it and its protocol is read here.
pub(crate) fn rejected<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    quoted: &mut Option<Next>,
) -> Result<PppBody, Short> {
    let number = c.u16(&REJECTED)?;
    let start = c.consumed();
    let end = start.saturating_add(c.remaining());
    *quoted = match carried(number) {
        Some(protocol) if S::FULL && start < end => {
            let protocol = match protocol {
                Protocol::Inner if number == IPV6 => Protocol::Ipv6,
                Protocol::Inner => Protocol::Ipv4,
                other => other,
            };
            Some(Next::Inside { protocol, start, end })
        }
        _ => {
            text(c, &DATA);
            None
        }
    };
    Ok(PppBody::ProtocolReject(number))
}

/// Reads what only LCP has: codes 9 to 13.
pub(crate) fn body<S: Sink>(c: &mut Cursor<'_, '_, S>, code: u8) -> Result<PppBody, Short> {
    let magic = c.u32(&MAGIC_NUMBER)?;
    match code {
        12 => text(c, &MESSAGE),
        13 => {
            c.u32(&SECONDS)?;
            text(c, &MESSAGE)
        }
        _ => text(c, &DATA),
    };
    Ok(PppBody::Magic(magic))
}

/// Reads an LCP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::PppOptionValue::{self, Authentication, Empty, Number};
    use crate::dissect::ppp::testing::{described, sound};

    fn options(hex: &str) -> (u8, Vec<(u8, PppOptionValue)>) {
        let control = sound(hex).control.expect("a control packet");
        let PppBody::Options(options) = control.body else { panic!("{hex}: {:?}", control.body) };
        (control.code, options.iter().map(|option| (option.kind, option.value)).collect())
    }

    #[test]
    fn configure_requests_of_implementations() {
        // pppd as LNS asks for MS-CHAPv2.
        assert_eq!(
            options("ff03c02101010019010405780206000000000305c223810506fdea7b2b"),
            (
                1,
                vec![
                    (1, Number(1400)),
                    (2, Number(0)),
                    (3, Authentication(0xc223, Some(0x81))),
                    (5, Number(0xfdea_7b2b))
                ]
            )
        );
        // pppd with PAP, with multilink; l2tpns.
        assert_eq!(
            options("ff03c02101010018010405780206000000000304c02305068d1ea7b9").1[2].1,
            Authentication(0xc023, None)
        );
        let (_, multilink) =
            options("ff03c02101010027010405780206000000000305c2238105066c111a7f07020802110405781306016c6e73");
        assert_eq!(multilink[4..], [(7, Empty), (8, Empty), (17, Number(1400)), (19, Number(1))]);
        let (_, l2tpns) = options("ff03c0210102001e0104058e0305c2230505066b04bf711104064e130702cb007102");
        assert_eq!(l2tpns[4], (19, Number(2)));
    }

    #[test]
    fn answers_have_options_too() {
        assert_eq!(options("ff03c021040200081104064e"), (4, vec![(17, Number(1614))]));
        // SoftEther offers EAP, and is told to use CHAP with MD5.
        assert_eq!(options("ff03c021010000080304c227").1, [(3, Authentication(0xc227, None))]);
        assert_eq!(options("ff03c021030000090305c22305"), (3, vec![(3, Authentication(0xc223, Some(5)))]));
    }

    /// The thirty-two flags of an ACCM say what its number says.
    fn without_accm_bits(mut fields: Vec<String>) -> Vec<String> {
        fields.retain(|field| !field.starts_with("lcp.opt.asyncmap."));
        fields
    }

    #[test]
    fn an_accm_names_its_characters() {
        let seen = described("c0210101000a0206000a0000");
        let set: Vec<_> =
            seen.iter().filter(|f| f.starts_with("lcp.opt.asyncmap.") && f.ends_with("=1")).collect();
        assert_eq!(set, ["lcp.opt.asyncmap.dc3=1", "lcp.opt.asyncmap.dc1=1"]);
    }

    #[test]
    fn options_are_described() {
        assert_eq!(
            without_accm_bits(described("ff03c02101010019010405780206000000000305c223810506fdea7b2b")),
            [
                "ppp.address=255",
                "ppp.control=3",
                "ppp.protocol=49185",
                "ppp.code=1",
                "ppp.identifier=1",
                "ppp.length=25",
                "lcp.opt.type=1",
                "lcp.opt.length=4",
                "lcp.opt.mru=1400",
                "lcp.opt.type=2",
                "lcp.opt.length=6",
                "lcp.opt.asyncmap=0",
                "lcp.opt.type=3",
                "lcp.opt.length=5",
                "lcp.opt.auth_protocol=49699",
                "lcp.opt.algorithm=129",
                "lcp.opt.type=5",
                "lcp.opt.length=6",
                "lcp.opt.magic_number=4260002603"
            ]
        );
    }

    #[test]
    fn rarer_options_are_laid_out() {
        let hex = "c021 01010043 000900aabb07010203 0408c02500000064 090307 0a0304 0d040131 \
            130903010203040506 15030a 170400ab 190380 1a050102ff 1b040203 1c0800000006656e";
        let (_, seen) = options(hex);
        let expected = [
            (0, Number(0xaabb)),
            (4, Number(0xc025)),
            (9, Number(7)),
            (10, Number(4)),
            (13, Number(1)),
            (19, Number(3)),
            (21, Number(10)),
            (23, Number(171)),
            (25, Number(0x80)),
            (26, Number(1)),
            (27, Number(2)),
            (28, Number(6)),
        ];
        assert_eq!(seen, expected);
        let seen = described(hex);
        for field in [
            "lcp.opt.oui=43707",
            "lcp.opt.reporting_period=100",
            "lcp.opt.fcs_alternatives.ccitt32=1",
            "lcp.opt.802_1_address=010203040506",
            "lcp.opt.language_tag=656e",
        ] {
            assert!(seen.contains(&field.to_owned()), "{field}");
        }
    }

    #[test]
    fn codes_of_lcp_alone() {
        let body = |hex| sound(hex).control.expect("LCP").body;
        // l2tpns, accel-ppp: IPV6CP is refused, with and without its packet.
        assert!(matches!(
            body("ff03c0210804001480570101000e010add50120871c07252"),
            PppBody::ProtocolReject(0x8057)
        ));
        assert!(matches!(body("ff03c02108af00068057"), PppBody::ProtocolReject(0x8057)));
        // SoftEther's echo, and a made-up Time-Remaining.
        let echo = "ff03c021090000180000000041686f2042616b61204d616e756b6500";
        assert!(matches!(body(echo), PppBody::Magic(0)));
        assert!(matches!(body("c0210d01000e0102030400000e1062796521"), PppBody::Magic(0x0102_0304)));
        assert!(matches!(body("c0210c01000b010203046c6e73"), PppBody::Magic(0x0102_0304)));
        // pppd says why.
        assert!(matches!(
            body("ff03c02105020010557365722072657175657374"),
            PppBody::Message(text) if text.as_str() == "User request"
        ));
        assert!(matches!(body("c0210701000a0e0100041234"), PppBody::CodeReject(14)));
        assert!(matches!(body("c02100010010010203040000aa01deadbeef"), PppBody::Other));
    }
}
