//! The IP Control Protocol (RFC 1332; name servers RFC 1877, Mobile-IPv4 RFC 2290, header compression RFC 2509 and
//! RFC 3241).

use super::Step;
use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp_names::{IPCP, protocol_name};
use crate::field::{Cursor, Kind, Sink};

crate::fields! {
    section "RFC 1332 3";
    TYPE = "ipcp.opt.type", "Type", Kind::Dec(8), names type_name;
    LENGTH = "ipcp.opt.length", "Length", Kind::Dec(8);
    DATA = "ipcp.data", "Data", Kind::Bytes;
    UNKNOWN = "ipcp.opt.unknown", "Unknown option", Kind::Group;
    ADDRESSES_OPTION = "ipcp.opt.addrs", "IP Addresses (deprecated)", Kind::Group;
    SOURCE = "ipcp.opt.src_address", "Source IP Address", Kind::Ipv4;
    DESTINATION = "ipcp.opt.dst_address", "Destination IP Address", Kind::Ipv4;
    COMPRESSION_OPTION = "ipcp.opt.compress", "IP Compression Protocol", Kind::Group;
    COMPRESSION = "ipcp.opt.compress_proto", "IP Compression Protocol", Kind::Hex(16), names protocol_name;
    MAX_SLOT = "ipcp.opt.max_slot_id", "Max Slot ID", Kind::Dec(8);
    COMP_SLOT = "ipcp.opt.comp_slot_id", "Comp Slot ID", Kind::Dec(8);
    MAX_CID = "ipcp.opt.max_cid", "Max CID", Kind::Dec(16);
    MRRU = "ipcp.opt.mrru", "MRRU", Kind::Dec(16);
    TCP_SPACE = "ipcp.opt.tcp_space", "TCP Space", Kind::Dec(16);
    NON_TCP_SPACE = "ipcp.opt.non_tcp_space", "Non TCP Space", Kind::Dec(16);
    MAX_PERIOD = "ipcp.opt.f_max_period", "F Max Period", Kind::Dec(16);
    MAX_TIME = "ipcp.opt.f_max_time", "F Max Time", Kind::Dec(16);
    MAX_HEADER = "ipcp.opt.max_header", "Max Header", Kind::Dec(16);
    SUB_OPTION = "ipcp.opt.sub", "Suboption", Kind::Group;
    IPHC_TYPE = "ipcp.opt.iphc.type", "Type", Kind::Dec(8), names iphc_name;
    IPHC_LENGTH = "ipcp.opt.iphc.length", "Length", Kind::Dec(8);
    IPHC_PARAMETER = "ipcp.opt.iphc.param", "Parameter", Kind::Dec(8);
    ROHC_TYPE = "ipcp.opt.rohc.type", "Type", Kind::Dec(8), names rohc_name;
    ROHC_LENGTH = "ipcp.opt.rohc.length", "Length", Kind::Dec(8);
    ROHC_PROFILE = "ipcp.opt.rohc.profile", "Profile", Kind::Hex(16);
    ADDRESS_OPTION = "ipcp.opt.addr", "IP Address", Kind::Group;
    ADDRESS = "ipcp.opt.ip_address", "IP Address", Kind::Ipv4;
    MOBILE_OPTION = "ipcp.opt.mobileipv4", "Mobile Node's Home IP Address", Kind::Group;
    MOBILE = "ipcp.opt.mobilenodehomeaddress", "Mobile Node's Home Address", Kind::Ipv4;
    DNS1_OPTION = "ipcp.opt.pri_dns", "Primary DNS Server IP Address", Kind::Group;
    DNS1 = "ipcp.opt.pri_dns_address", "Primary DNS Address", Kind::Ipv4;
    NBNS1_OPTION = "ipcp.opt.pri_nbns", "Primary NBNS Server IP Address", Kind::Group;
    NBNS1 = "ipcp.opt.pri_nbns_address", "Primary NBNS Address", Kind::Ipv4;
    DNS2_OPTION = "ipcp.opt.sec_dns", "Secondary DNS Server IP Address", Kind::Group;
    DNS2 = "ipcp.opt.sec_dns_address", "Secondary DNS Address", Kind::Ipv4;
    NBNS2_OPTION = "ipcp.opt.sec_nbns", "Secondary NBNS Server IP Address", Kind::Group;
    NBNS2 = "ipcp.opt.sec_nbns_address", "Secondary NBNS Address", Kind::Ipv4;
}

/// Suboptions of IPHC (RFC 2509 section 2.1, RFC 3544 section 2).
static IPHC: Negotiation = Negotiation {
    protocol: IPCP,
    kind: &IPHC_TYPE,
    length: &IPHC_LENGTH,
    data: &DATA,
    unknown: &SUB_OPTION,
    options: &[
        OptionRow::new(1, "RTP-Compression", &SUB_OPTION, &[]),
        OptionRow::new(2, "Enhanced-RTP-Compression", &SUB_OPTION, &[]),
        OptionRow::new(3, "Negotiate-Header-Compression", &SUB_OPTION, &[Piece::u8(&IPHC_PARAMETER)]),
    ],
};

/// Suboptions of ROHC (RFC 3241 section 2.2).
static ROHC: Negotiation = Negotiation {
    protocol: IPCP,
    kind: &ROHC_TYPE,
    length: &ROHC_LENGTH,
    data: &DATA,
    unknown: &SUB_OPTION,
    options: &[OptionRow::new(1, "Profiles", &SUB_OPTION, &[Piece::each16(&ROHC_PROFILE)])],
};

/// What follows the number of a header compression protocol; IPV6CP has the same.
pub(crate) static COMPRESSIONS: &[(u64, &[Piece])] = &[
    (0x0003, &[Piece::u16(&MAX_CID), Piece::u16(&MRRU), Piece::u16(&MAX_HEADER), Piece::options(&ROHC)]),
    (0x002d, &[Piece::u8(&MAX_SLOT), Piece::u8(&COMP_SLOT)]),
    (
        0x0061,
        &[
            Piece::u16(&TCP_SPACE),
            Piece::u16(&NON_TCP_SPACE),
            Piece::u16(&MAX_PERIOD),
            Piece::u16(&MAX_TIME),
            Piece::u16(&MAX_HEADER),
            Piece::options(&IPHC),
        ],
    ),
];

/// The options of IPCP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: IPCP,
    kind: &TYPE,
    length: &LENGTH,
    data: &DATA,
    unknown: &UNKNOWN,
    options: &[
        OptionRow::new(
            1,
            "IP-Addresses",
            &ADDRESSES_OPTION,
            &[Piece::ipv4(&SOURCE), Piece::ipv4(&DESTINATION)],
        ),
        OptionRow::chosen(
            2,
            "IP-Compression-Protocol",
            &COMPRESSION_OPTION,
            Piece::u16(&COMPRESSION),
            COMPRESSIONS,
        ),
        OptionRow::new(3, "IP-Address", &ADDRESS_OPTION, &[Piece::ipv4(&ADDRESS)]),
        OptionRow::new(4, "Mobile-IPv4", &MOBILE_OPTION, &[Piece::ipv4(&MOBILE)]),
        OptionRow::new(129, "Primary-DNS", &DNS1_OPTION, &[Piece::ipv4(&DNS1)]),
        OptionRow::new(130, "Primary-NBNS", &NBNS1_OPTION, &[Piece::ipv4(&NBNS1)]),
        OptionRow::new(131, "Secondary-DNS", &DNS2_OPTION, &[Piece::ipv4(&DNS2)]),
        OptionRow::new(132, "Secondary-NBNS", &NBNS2_OPTION, &[Piece::ipv4(&NBNS2)]),
    ],
};

fn iphc_name(kind: u64) -> Option<&'static str> {
    IPHC.name(kind)
}

fn rohc_name(kind: u64) -> Option<&'static str> {
    ROHC.name(kind)
}

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

/// Reads an IPCP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

#[cfg(test)]
mod tests {
    use crate::dissect::layers::{PppBody, PppOptionValue};
    use crate::dissect::ppp::testing::{described, sound};

    fn options(hex: &str) -> Vec<(u8, PppOptionValue)> {
        let control = sound(hex).control.expect("a control packet");
        let PppBody::Options(options) = control.body else { panic!("{hex}: {:?}", control.body) };
        options.iter().map(|option| (option.kind, option.value)).collect()
    }

    fn address(text: &str) -> PppOptionValue {
        PppOptionValue::Address(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_and_name_servers() {
        // pppd's request, and SoftEther's Nak with a name server.
        assert_eq!(options("ff0380210101000a03060a630001"), [(3, address("10.99.0.1"))]);
        assert_eq!(
            options("ff038021030200100306c0a81e0a8106c0a81e01"),
            [(3, address("192.168.30.10")), (129, address("192.168.30.1"))]
        );
        assert_eq!(
            options("ff0380210404001c 8206 01020304 8306 05060708 8406 090a0b0c 0406 0d0e0f10"),
            [
                (130, address("1.2.3.4")),
                (131, address("5.6.7.8")),
                (132, address("9.10.11.12")),
                (4, address("13.14.15.16"))
            ]
        );
        assert_eq!(options("80210101000e010a 01020304 05060708"), [(1, address("1.2.3.4"))]);
    }

    #[test]
    fn header_compression() {
        // xl2tpd's userspace path, without FF 03: Van Jacobson.
        let hex = "8021010100100206002d0f0103060a630001";
        assert_eq!(options(hex)[0], (2, PppOptionValue::Number(0x2d)));
        assert_eq!(
            described(hex)[4..9],
            [
                "ipcp.opt.type=2",
                "ipcp.opt.length=6",
                "ipcp.opt.compress_proto=45",
                "ipcp.opt.max_slot_id=15",
                "ipcp.opt.comp_slot_id=1"
            ]
        );
        // The short form without slots (RFC 1332 section 3.2 has 6 octets, some send 4), and IPHC.
        assert_eq!(options("802101010008 0204002d"), [(2, PppOptionValue::Number(0x2d))]);
        let iphc = "802101010012 020e 0061 0010 0010 0100 0005 00a8";
        assert_eq!(options(iphc), [(2, PppOptionValue::Number(0x61))]);
        assert!(described(iphc).contains(&"ipcp.opt.max_header=168".to_owned()));
    }

    #[test]
    fn an_address_of_the_wrong_size_is_no_address() {
        assert_eq!(
            options("80210101000e 0305010203 030501ffff"),
            [(3, PppOptionValue::Unreadable), (3, PppOptionValue::Unreadable)]
        );
        assert_eq!(options("80210101000b 0307 0102030405"), [(3, PppOptionValue::Unreadable)]);
        assert_eq!(options("802101010006 0302"), [(3, PppOptionValue::Unreadable)]);
    }
}
