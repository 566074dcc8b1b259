//! The one table of protocols.

use crate::field::{FieldDef, Kind};

use super::avp_table::{broadband, cablelabs, cisco, ericsson, rfc2661, rfc3145, rfc3931};
use super::{
    accm, ah, arp, avp, bandwidth, bridging, cbcp, ccp, chap, chdlc, cooked, eap, esp, ethernet, frame, gre,
    icmp, icmpv6, igmp, ike, ipcomp, ipcp, ipv4, ipv6, ipv6cp, ipx, l2f, l2tp, l2tpv3, lcp, lqr,
    message_digest, mpls, multilink, nat_traversal, ncps, negotiation, nflog, pap, ppp, ppp_link, ppp_mux,
    pppoe, raw, streams, tcp, udp, vjc,
};

/// One protocol.
#[derive(Debug)]
pub struct Row {
    /// The protocol.
    pub protocol: Protocol,
    /// Its heading: name in filters (tshark's), name for people, and where it is defined.
    pub field: FieldDef,
    /// The fields that its dissectors describe.
    pub fields: &'static [&'static [&'static FieldDef]],
}

macro_rules! protocols {
    ($($id:ident = $name:literal, $label:literal, $section:literal, [$($fields:path),*];)*) => {
        /// A protocol that this tool dissects.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Protocol {
            $(#[doc = $label] $id),*
        }

        /// All protocols.
        pub static PROTOCOLS: &[Row] = &[
            $(Row {
                protocol: Protocol::$id,
                field: FieldDef { name: $name, label: $label, kind: Kind::Protocol, names: None, section: $section },
                fields: &[$($fields),*],
            }),*
        ];
    };
}

protocols! {
    Frame = "frame", "Frame", "capture file", [frame::FIELDS];
    Ethernet = "eth", "Ethernet", "IEEE 802.3", [ethernet::FIELDS];
    ServiceVlan = "ieee8021ad", "IEEE 802.1ad", "IEEE 802.1ad", [];
    Vlan = "vlan", "802.1Q Virtual LAN", "IEEE 802.1Q", [];
    LinuxSll = "sll", "Linux cooked capture", "LINKTYPE_LINUX_SLL", [cooked::FIELDS];
    LinuxSll2 = "sll", "Linux cooked capture v2", "LINKTYPE_LINUX_SLL2", [];
    Null = "null", "Null/Loopback", "LINKTYPE_NULL", [raw::FIELDS];
    Enc = "enc", "Packet of the enc interface", "LINKTYPE_ENC", [];
    Nflog = "nflog", "Linux Netfilter NFLOG", "LINKTYPE_NFLOG", [nflog::FIELDS];
    Chdlc = "chdlc", "Cisco HDLC", "LINKTYPE_C_HDLC", [chdlc::FIELDS];
    Slarp = "slarp", "Cisco SLARP", "LINKTYPE_C_HDLC", [];
    Mpls = "mpls", "MultiProtocol Label Switching Header", "RFC 3032", [mpls::FIELDS];
    Pppoed = "pppoed", "PPP-over-Ethernet Discovery", "RFC 2516", [pppoe::FIELDS];
    Pppoes = "pppoes", "PPP-over-Ethernet Session", "RFC 2516", [];
    PppDirection = "ppp_direction", "Direction of a PPP frame", "LINKTYPE_PPP_WITH_DIR", [];
    PppHdlc = "ppp_hdlc", "PPP In HDLC-Like Framing", "RFC 1662", [ppp_link::FIELDS];
    Arp = "arp", "Address Resolution Protocol", "RFC 826", [arp::FIELDS];
    RawIp = "raw", "Raw packet data", "LINKTYPE_RAW", [];
    Ipv4 = "ip", "Internet Protocol Version 4", "RFC 791", [ipv4::FIELDS];
    Ipv6 = "ipv6", "Internet Protocol Version 6", "RFC 8200", [ipv6::FIELDS];
    Icmp = "icmp", "Internet Control Message Protocol", "RFC 792", [icmp::FIELDS];
    Icmpv6 = "icmpv6", "Internet Control Message Protocol v6", "RFC 4443", [icmpv6::FIELDS];
    Igmp = "igmp", "Internet Group Management Protocol", "RFC 2236", [igmp::FIELDS];
    Tcp = "tcp", "Transmission Control Protocol", "RFC 9293", [tcp::FIELDS, streams::FIELDS];
    Udp = "udp", "User Datagram Protocol", "RFC 768", [udp::FIELDS];
    NatTraversal = "udpencap", "UDP Encapsulation of IPsec Packets", "RFC 3948", [nat_traversal::FIELDS];
    Esp = "esp", "Encapsulating Security Payload", "RFC 4303", [esp::FIELDS];
    Ah = "ah", "Authentication Header", "RFC 4302", [ah::FIELDS];
    Ipcomp = "ipcomp", "IP Payload Compression", "RFC 3173", [ipcomp::FIELDS];
    Gre = "gre", "Generic Routing Encapsulation", "RFC 2784", [gre::FIELDS];
    Ike = "isakmp", "Internet Security Association and Key Management Protocol", "RFC 7296", [
        ike::FIELDS, ike::payloads::FIELDS, ike::proposals::FIELDS, ike::attributes::FIELDS, ike::notify::FIELDS,
        ike::config::FIELDS, ike::vendor_ids::FIELDS, ike::sealed::FIELDS
    ];
    L2tp = "l2tp", "Layer 2 Tunneling Protocol", "RFC 2661", [
        l2tp::FIELDS, avp::FIELDS, message_digest::FIELDS, rfc2661::FIELDS, rfc3145::FIELDS, rfc3931::FIELDS, cisco::FIELDS,
        ericsson::FIELDS, broadband::FIELDS, cablelabs::FIELDS
    ];
    L2tpOverIp = "l2tp", "Layer 2 Tunneling Protocol version 3", "RFC 3931 4.1.1", [l2tpv3::FIELDS, l2f::FIELDS];
    Ppp = "ppp", "Point-to-Point Protocol", "RFC 1661", [ppp::FIELDS];
    Multilink = "mp", "PPP Multilink Protocol", "RFC 1990", [multilink::FIELDS];
    Lcp = "lcp", "PPP Link Control Protocol", "RFC 1661", [lcp::FIELDS, accm::FIELDS, negotiation::FIELDS];
    Pap = "pap", "PPP Password Authentication Protocol", "RFC 1334", [pap::FIELDS];
    Chap = "chap", "PPP Challenge Handshake Authentication Protocol", "RFC 1994", [chap::FIELDS];
    Eap = "eap", "Extensible Authentication Protocol", "RFC 3748", [eap::FIELDS];
    Ipcp = "ipcp", "PPP IP Control Protocol", "RFC 1332", [ipcp::FIELDS];
    Ipv6cp = "ipv6cp", "PPP IPv6 Control Protocol", "RFC 5072", [ipv6cp::FIELDS];
    Ccp = "ccp", "PPP Compression Control Protocol", "RFC 1962", [ccp::FIELDS];
    Bcp = "bcp_ncp", "PPP Bridging Control Protocol", "RFC 3518", [];
    Bridged = "bcp_bpdu", "Frame bridged over PPP", "RFC 3518", [bridging::FIELDS];
    Atcp = "atcp", "PPP AppleTalk Control Protocol", "RFC 1378", [];
    Cdpcp = "cdpcp", "PPP CDP Control Protocol", "PPP 8207", [];
    Ecp = "ppp_ecp", "PPP Encryption Control Protocol", "RFC 1968", [];
    Ipxcp = "ipxcp", "PPP IPX Control Protocol", "RFC 1552", [];
    Mplscp = "mplscp", "PPP MPLS Control Protocol", "RFC 3032", [];
    Nbfcp = "nbfcp", "PPP NetBIOS Frames Control Protocol", "RFC 2097", [];
    Osinlcp = "osinlcp", "PPP OSI Network Layer Control Protocol", "RFC 1377", [];
    PppMuxcp = "pppmuxcp", "PPPMux Control Protocol", "RFC 3153", [];
    Ncp = "ncp", "PPP Network Control Protocol", "RFC 1661", [ncps::FIELDS];
    Bacp = "bacp", "PPP Bandwidth Allocation Control Protocol", "RFC 2125", [bandwidth::FIELDS];
    Bap = "bap", "PPP Bandwidth Allocation Protocol", "RFC 2125", [];
    Cbcp = "cbcp", "PPP Callback Control Protocol", "[MS-CBCP]", [cbcp::FIELDS];
    Lqr = "lqr", "PPP Link-Quality-Report", "RFC 1989", [lqr::FIELDS];
    Spap = "spap", "Shiva Password Authentication Protocol", "PPP c027", [];
    VjCompressed = "vjc", "Van Jacobson compressed TCP/IP", "RFC 1144", [vjc::FIELDS];
    VjUncompressed = "vjc", "Van Jacobson uncompressed TCP/IP", "RFC 1144", [];
    Ipx = "ipx", "Internetwork Packet eXchange", "RFC 1132", [ipx::FIELDS];
    Nbf = "netbios", "NetBIOS", "RFC 2097", [];
    PppMux = "pppmux", "PPP Multiplexing", "RFC 3153", [ppp_mux::FIELDS];
    CompressedData = "comp_data", "PPP Compressed Datagram", "RFC 1962", [];
    Inner = "ip", "Internet Protocol inside PPP", "RFC 791", [];
}

/// Names for either of two fields, as tshark has them.
static ALIASES: &[(&str, &[&str])] = &[
    ("_ws.col.Info", &["_ws.col.info"]),
    ("_ws.col.Protocol", &["_ws.col.protocol"]),
    ("eth.addr", &["eth.dst", "eth.src"]),
    ("ip.addr", &["ip.src", "ip.dst"]),
    ("ipv6.addr", &["ipv6.src", "ipv6.dst"]),
    ("pppoe", &["pppoed", "pppoes"]),
    ("tcp.port", &["tcp.srcport", "tcp.dstport"]),
    ("udp.port", &["udp.srcport", "udp.dstport"]),
];

/// All fields, the headings of protocols among them, in the order of the table.
pub fn fields() -> impl Iterator<Item = &'static FieldDef> {
    PROTOCOLS
        .iter()
        .flat_map(|row| std::iter::once(&row.field).chain(row.fields.iter().copied().flatten().copied()))
}

/// The names of all fields, and those that stand for either of two.
pub fn names() -> impl Iterator<Item = &'static str> {
    fields().map(|field| field.name).chain(ALIASES.iter().map(|(name, _)| *name))
}

/// What a line of a packet says, which is in no octet: its protocol, and its words.
pub fn columns() -> [&'static FieldDef; 2] {
    [&frame::COLUMN_PROTOCOL, &frame::COLUMN_INFO]
}

impl Protocol {
    /// The row of this protocol.
    pub fn row(self) -> Option<&'static Row> {
        PROTOCOLS.get(self as usize)
    }

    /// The fields called `name`; several where protocols or versions share a name.
    pub fn fields_named(name: &str) -> Vec<&'static FieldDef> {
        let either = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, names)| *names);
        match either {
            Some(names) => fields().filter(|field| names.contains(&field.name)).collect(),
            None => fields().filter(|field| field.name == name).collect(),
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        self.row().map_or("", |row| row.field.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_a_label_and_every_field_a_section() {
        for row in PROTOCOLS {
            assert_eq!(row.protocol.row().map(|found| found.protocol), Some(row.protocol));
            assert!(!row.field.label.is_empty() && !row.field.section.is_empty());
            for field in row.fields.iter().copied().flatten() {
                assert!(field.name.contains('.') && !field.section.is_empty(), "{}", field.name);
            }
        }
    }
}
