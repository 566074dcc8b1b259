//! The IP Control Protocol (RFC 1332; name servers RFC 1877, Mobile-IPv4 RFC 2290, header compression RFC 2509).

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
    TCP_SPACE = "ipcp.opt.tcp_space", "TCP Space", Kind::Dec(16);
    NON_TCP_SPACE = "ipcp.opt.non_tcp_space", "Non TCP Space", Kind::Dec(16);
    MAX_PERIOD = "ipcp.opt.f_max_period", "F Max Period", Kind::Dec(16);
    MAX_TIME = "ipcp.opt.f_max_time", "F Max Time", Kind::Dec(16);
    MAX_HEADER = "ipcp.opt.max_header", "Max Header", Kind::Dec(16);
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
            &[
                (0x002d, &[Piece::u8(&MAX_SLOT), Piece::u8(&COMP_SLOT)]),
                (
                    0x0061,
                    &[
                        Piece::u16(&TCP_SPACE),
                        Piece::u16(&NON_TCP_SPACE),
                        Piece::u16(&MAX_PERIOD),
                        Piece::u16(&MAX_TIME),
                        Piece::u16(&MAX_HEADER),
                        Piece::rest(&DATA),
                    ],
                ),
            ],
        ),
        OptionRow::new(3, "IP-Address", &ADDRESS_OPTION, &[Piece::ipv4(&ADDRESS)]),
        OptionRow::new(4, "Mobile-IPv4", &MOBILE_OPTION, &[Piece::ipv4(&MOBILE)]),
        OptionRow::new(129, "Primary-DNS", &DNS1_OPTION, &[Piece::ipv4(&DNS1)]),
        OptionRow::new(130, "Primary-NBNS", &NBNS1_OPTION, &[Piece::ipv4(&NBNS1)]),
        OptionRow::new(131, "Secondary-DNS", &DNS2_OPTION, &[Piece::ipv4(&DNS2)]),
        OptionRow::new(132, "Secondary-NBNS", &NBNS2_OPTION, &[Piece::ipv4(&NBNS2)]),
    ],
};

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

/// Reads an IPCP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}
