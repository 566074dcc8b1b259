//! Network control protocols with few options, or none that are known: ATCP (RFC 1378), CDPCP, ECP (RFC 1968, 2419,
//! 2420), IPXCP (RFC 1552), MPLSCP (RFC 3032 section 4), NBFCP (RFC 2097), OSINLCP (RFC 1377), PPPMuxCP (RFC 3153); and
//! every other protocol from 8000 to bfff, all of which are of this kind (RFC 1661 section 2).

use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp_names::protocol_name;
use super::{Protocol, Step};
use crate::field::{Cursor, Kind, Sink};

crate::fields! {
    section "RFC 1661 6";
    TYPE = "ncp.opt.type", "Type", Kind::Dec(8);
    LENGTH = "ncp.opt.length", "Length", Kind::Dec(8);
    DATA = "ncp.opt.data", "Data", Kind::Bytes;
    UNKNOWN = "ncp.opt.unknown", "Unknown option", Kind::Group;
    OPTION = "ncp.opt", "Option", Kind::Group;
    OSI_TYPE = "osinlcp.opt.type", "Type", Kind::Dec(8), names osi_name;
    OSI_LENGTH = "osinlcp.opt.length", "Length", Kind::Dec(8);
    OSI_ALIGN_OPTION = "osinlcp.opt.def_pid", "Align-NPDU", Kind::Group;
    OSI_ALIGN = "osinlcp.opt.alignment", "Alignment", Kind::Dec(8);
    MUX_TYPE = "pppmuxcp.opt.type", "Type", Kind::Dec(8), names mux_name;
    MUX_LENGTH = "pppmuxcp.opt.length", "Length", Kind::Dec(8);
    MUX_DEFAULT_OPTION = "pppmuxcp.opt.def_pid", "Default Protocol ID", Kind::Group;
    MUX_DEFAULT = "pppmuxcp.def_prot_id", "Default Protocol ID", Kind::Hex(16), names protocol_name;
    ECP_TYPE = "ecp.opt.type", "Type", Kind::Dec(8), names ecp_name;
    ECP_LENGTH = "ecp.opt.length", "Length", Kind::Dec(8);
    ECP_OUI = "ecp.opt.oui", "OUI", Kind::Hex(24);
    ECP_SUBTYPE = "ecp.opt.subtype", "Subtype", Kind::Dec(8);
    ECP_NONCE = "ecp.opt.nonce", "Initial Nonce", Kind::Bytes;
    IPX_TYPE = "ipxcp.opt.type", "Type", Kind::Dec(8), names ipx_name;
    IPX_LENGTH = "ipxcp.opt.length", "Length", Kind::Dec(8);
    IPX_NETWORK = "ipxcp.opt.network", "IPX-Network-Number", Kind::Hex(32);
    IPX_NODE = "ipxcp.opt.node", "IPX-Node-Number", Kind::Mac;
    IPX_COMPRESSION = "ipxcp.opt.compress_proto", "IPX-Compression-Protocol", Kind::Hex(16);
    IPX_ROUTING = "ipxcp.opt.routing_proto", "IPX-Routing-Protocol", Kind::Dec(16);
    IPX_ROUTER = "ipxcp.opt.router_name", "IPX-Router-Name", Kind::Text;
    NBF_TYPE = "nbfcp.opt.type", "Type", Kind::Dec(8), names nbf_name;
    NBF_LENGTH = "nbfcp.opt.length", "Length", Kind::Dec(8);
    NBF_NAMES = "nbfcp.opt.names", "NetBIOS names with what became of each", Kind::Bytes;
    NBF_CLASS = "nbfcp.opt.peer_class", "Peer-class", Kind::Dec(16);
    NBF_MAJOR = "nbfcp.opt.peer_major", "Peer-major-version", Kind::Dec(16);
    NBF_MINOR = "nbfcp.opt.peer_minor", "Peer-minor-version", Kind::Dec(16);
    NBF_NAME = "nbfcp.opt.peer_name", "Peer-name", Kind::Text;
    NBF_PERIOD = "nbfcp.opt.multicast_period", "Multicast-forward-period", Kind::Dec(16);
    NBF_PRIORITY = "nbfcp.opt.priority", "Priority", Kind::Dec(8);
    AT_TYPE = "atcp.opt.type", "Type", Kind::Dec(8), names at_name;
    AT_LENGTH = "atcp.opt.length", "Length", Kind::Dec(8);
    AT_RESERVED = "atcp.opt.reserved", "Reserved", Kind::Hex(8);
    AT_NETWORK = "atcp.opt.network", "AppleTalk network number", Kind::Dec(16);
    AT_NODE = "atcp.opt.node", "AppleTalk node ID", Kind::Dec(8);
    AT_ROUTING = "atcp.opt.routing_proto", "Routing-Protocol", Kind::Dec(16);
    AT_COMPRESSION = "atcp.opt.compress_proto", "AT-Compression-Protocol", Kind::Hex(16);
    AT_CLASS = "atcp.opt.server_class", "Server-class", Kind::Dec(16);
    AT_IMPLEMENTATION = "atcp.opt.server_id", "Server-implementation-id", Kind::Hex(32);
    AT_SERVER = "atcp.opt.server_name", "Server-name", Kind::Text;
    AT_ZONE = "atcp.opt.zone", "Default AppleTalk zone name", Kind::Text;
}

/// A protocol whose options nobody here knows.
const fn plain(protocol: u16) -> Negotiation {
    Negotiation { protocol, kind: &TYPE, length: &LENGTH, data: &DATA, unknown: &UNKNOWN, options: &[] }
}

static MPLSCP: Negotiation = plain(0x8281);
static CDPCP: Negotiation = plain(0x8207);

static OSINLCP: Negotiation = Negotiation {
    protocol: 0x8023,
    kind: &OSI_TYPE,
    length: &OSI_LENGTH,
    options: &[OptionRow::new(1, "Align-NPDU", &OSI_ALIGN_OPTION, &[Piece::u8(&OSI_ALIGN)])],
    ..plain(0)
};

static PPPMUXCP: Negotiation = Negotiation {
    protocol: 0x8059,
    kind: &MUX_TYPE,
    length: &MUX_LENGTH,
    options: &[OptionRow::new(1, "Default-PID", &MUX_DEFAULT_OPTION, &[Piece::u16(&MUX_DEFAULT)])],
    ..plain(0)
};

static ECP: Negotiation = Negotiation {
    protocol: 0x8053,
    kind: &ECP_TYPE,
    length: &ECP_LENGTH,
    options: &[
        OptionRow::new(
            0,
            "OUI",
            &OPTION,
            &[Piece::u24(&ECP_OUI), Piece::u8(&ECP_SUBTYPE), Piece::rest(&DATA)],
        ),
        OptionRow::new(1, "DESE", &OPTION, &[Piece::octets(&ECP_NONCE, 8)]),
        OptionRow::new(2, "3DESE", &OPTION, &[Piece::octets(&ECP_NONCE, 8)]),
        OptionRow::new(3, "DESE-bis", &OPTION, &[Piece::octets(&ECP_NONCE, 8)]),
    ],
    ..plain(0)
};

static IPXCP: Negotiation = Negotiation {
    protocol: 0x802b,
    kind: &IPX_TYPE,
    length: &IPX_LENGTH,
    options: &[
        OptionRow::new(1, "IPX-Network-Number", &OPTION, &[Piece::u32(&IPX_NETWORK)]),
        OptionRow::new(2, "IPX-Node-Number", &OPTION, &[Piece::octets(&IPX_NODE, 6)]),
        OptionRow::new(
            3,
            "IPX-Compression-Protocol",
            &OPTION,
            &[Piece::u16(&IPX_COMPRESSION), Piece::rest(&DATA)],
        ),
        OptionRow::new(4, "IPX-Routing-Protocol", &OPTION, &[Piece::u16(&IPX_ROUTING), Piece::rest(&DATA)]),
        OptionRow::new(5, "IPX-Router-Name", &OPTION, &[Piece::rest(&IPX_ROUTER)]),
        OptionRow::new(6, "IPX-Configuration-Complete", &OPTION, &[]),
    ],
    ..plain(0)
};

static NBFCP: Negotiation = Negotiation {
    protocol: 0x803f,
    kind: &NBF_TYPE,
    length: &NBF_LENGTH,
    options: &[
        OptionRow::new(1, "Name-Projection", &OPTION, &[Piece::rest(&NBF_NAMES)]),
        OptionRow::new(
            2,
            "Peer-Information",
            &OPTION,
            &[Piece::u16(&NBF_CLASS), Piece::u16(&NBF_MAJOR), Piece::u16(&NBF_MINOR), Piece::rest(&NBF_NAME)],
        ),
        OptionRow::new(
            3,
            "Multicast-Filtering",
            &OPTION,
            &[Piece::u16(&NBF_PERIOD), Piece::u8(&NBF_PRIORITY)],
        ),
        OptionRow::new(4, "IEEE-MAC-Address-Required", &OPTION, &[]),
    ],
    ..plain(0)
};

static ATCP: Negotiation = Negotiation {
    protocol: 0x8029,
    kind: &AT_TYPE,
    length: &AT_LENGTH,
    options: &[
        OptionRow::new(
            1,
            "AppleTalk-Address",
            &OPTION,
            &[Piece::u8(&AT_RESERVED), Piece::u16(&AT_NETWORK), Piece::u8(&AT_NODE)],
        ),
        OptionRow::new(2, "Routing-Protocol", &OPTION, &[Piece::u16(&AT_ROUTING), Piece::rest(&DATA)]),
        OptionRow::new(3, "Suppress-Broadcasts", &OPTION, &[Piece::rest(&DATA)]),
        OptionRow::new(
            4,
            "AT-Compression-Protocol",
            &OPTION,
            &[Piece::u16(&AT_COMPRESSION), Piece::rest(&DATA)],
        ),
        OptionRow::new(
            6,
            "Server-Information",
            &OPTION,
            &[Piece::u16(&AT_CLASS), Piece::u32(&AT_IMPLEMENTATION), Piece::rest(&AT_SERVER)],
        ),
        OptionRow::new(7, "Zone-Information", &OPTION, &[Piece::rest(&AT_ZONE)]),
        OptionRow::new(
            8,
            "Default-Router-Address",
            &OPTION,
            &[Piece::u8(&AT_RESERVED), Piece::u16(&AT_NETWORK), Piece::u8(&AT_NODE)],
        ),
    ],
    ..plain(0)
};

fn osi_name(kind: u64) -> Option<&'static str> {
    OSINLCP.name(kind)
}

fn mux_name(kind: u64) -> Option<&'static str> {
    PPPMUXCP.name(kind)
}

fn ecp_name(kind: u64) -> Option<&'static str> {
    ECP.name(kind)
}

fn ipx_name(kind: u64) -> Option<&'static str> {
    IPXCP.name(kind)
}

fn nbf_name(kind: u64) -> Option<&'static str> {
    NBFCP.name(kind)
}

fn at_name(kind: u64) -> Option<&'static str> {
    ATCP.name(kind)
}

/// The table of one of these protocols.
pub(crate) fn table(protocol: Protocol) -> Option<&'static Negotiation> {
    Some(match protocol {
        Protocol::Atcp => &ATCP,
        Protocol::Cdpcp => &CDPCP,
        Protocol::Ecp => &ECP,
        Protocol::Ipxcp => &IPXCP,
        Protocol::Mplscp => &MPLSCP,
        Protocol::Nbfcp => &NBFCP,
        Protocol::Osinlcp => &OSINLCP,
        Protocol::PppMuxcp => &PPPMUXCP,
        _ => return None,
    })
}

/// Reads a packet of one of these protocols.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, protocol: Protocol) -> Step {
    match table(protocol) {
        Some(table) => table.dissect(c, layers),
        // Its number stands in the frame before; the analysis keeps them apart by it.
        None => plain(layers.ppp.as_ref().map_or(0, |ppp| ppp.protocol)).dissect(c, layers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::PppBody;
    use crate::dissect::ppp::testing::{described, sound};

    #[test]
    fn each_protocol_names_its_options() {
        for (hex, fields) in [
            ("802301010007 010304", &["osinlcp.opt.alignment=4"][..]),
            ("805901010008 0104c021", &["pppmuxcp.def_prot_id=49185"]),
            ("805301010018 030a0102030405060708 020a0102030405060708", &["ecp.opt.nonce=0102030405060708"]),
            (
                "802b0101001e 010600000001 0208000000000001 0506 6c6e7331 0602 04040002",
                &["ipxcp.opt.network=1", "ipxcp.opt.node=000000000001", "ipxcp.opt.routing_proto=2"],
            ),
            ("803f01010015 020a 0001 0004 0000 6c6e 0305000302 0402", &["nbfcp.opt.peer_name=6c6e"]),
            (
                "802901010018 0106 00 0001 02 0606 0001 0000 0704 6162 0404 0001",
                &["atcp.opt.network=1", "atcp.opt.node=2", "atcp.opt.zone=6162"],
            ),
            ("8281010100080104abcd", &["ncp.opt.type=1", "ncp.opt.data=abcd"]),
            // A protocol that nobody knows is of this kind too.
            ("8899010100080104abcd", &["ppp.code=1", "ncp.opt.data=abcd"]),
        ] {
            let control = sound_or_cut(hex);
            assert!(matches!(control, PppBody::Options(options) if !options.is_empty()), "{hex}");
            let seen = described(hex);
            for field in fields {
                assert!(seen.contains(&(*field).to_owned()), "{field}: {seen:?}");
            }
        }
    }

    fn sound_or_cut(hex: &str) -> PppBody {
        sound(hex).control.expect(hex).body
    }

    #[test]
    fn tables_are_in_order() {
        for table in [&ATCP, &ECP, &IPXCP, &NBFCP] {
            assert!(table.options.is_sorted_by(|a, b| a.number() < b.number()));
        }
    }
}
