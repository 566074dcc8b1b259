//! The one table of protocols.

use crate::field::FieldDef;

use super::{
    avp, avp_table, ccp, chap, cooked, eap, esp, ethernet, icmp, icmpv6, ike, inner, ipcp, ipv4, ipv6,
    ipv6cp, l2tp, lcp, multilink, nat_traversal, negotiation, pap, ppp, raw, udp,
};

/// One protocol.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The protocol.
    pub protocol: Protocol,
    /// Its name in filters: tshark's.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Where it is defined.
    pub section: &'static str,
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
                protocol: Protocol::$id, name: $name, label: $label, section: $section,
                fields: &[$($fields),*],
            }),*
        ];
    };
}

protocols! {
    Ethernet = "eth", "Ethernet", "IEEE 802.3", [ethernet::FIELDS];
    Vlan = "vlan", "802.1Q Virtual LAN", "IEEE 802.1Q", [];
    LinuxSll = "sll", "Linux cooked capture", "LINKTYPE_LINUX_SLL", [cooked::FIELDS];
    LinuxSll2 = "sll", "Linux cooked capture v2", "LINKTYPE_LINUX_SLL2", [];
    Null = "null", "Null/Loopback", "LINKTYPE_NULL", [raw::FIELDS];
    RawIp = "raw", "Raw packet data", "LINKTYPE_RAW", [];
    Ipv4 = "ip", "Internet Protocol Version 4", "RFC 791", [ipv4::FIELDS];
    Ipv6 = "ipv6", "Internet Protocol Version 6", "RFC 8200", [ipv6::FIELDS];
    Icmp = "icmp", "Internet Control Message Protocol", "RFC 792", [icmp::FIELDS];
    Icmpv6 = "icmpv6", "Internet Control Message Protocol v6", "RFC 4443", [icmpv6::FIELDS];
    Udp = "udp", "User Datagram Protocol", "RFC 768", [udp::FIELDS];
    NatTraversal = "udpencap", "UDP Encapsulation of IPsec Packets", "RFC 3948", [nat_traversal::FIELDS];
    Esp = "esp", "Encapsulating Security Payload", "RFC 4303", [esp::FIELDS];
    Ike = "isakmp", "Internet Security Association and Key Management Protocol", "RFC 7296", [ike::FIELDS];
    L2tp = "l2tp", "Layer 2 Tunneling Protocol", "RFC 2661", [l2tp::FIELDS, avp::FIELDS, avp_table::FIELDS];
    Ppp = "ppp", "Point-to-Point Protocol", "RFC 1661", [ppp::FIELDS];
    Multilink = "mp", "PPP Multilink Protocol", "RFC 1990", [multilink::FIELDS];
    Lcp = "lcp", "PPP Link Control Protocol", "RFC 1661", [lcp::FIELDS, negotiation::FIELDS];
    Pap = "pap", "PPP Password Authentication Protocol", "RFC 1334", [pap::FIELDS];
    Chap = "chap", "PPP Challenge Handshake Authentication Protocol", "RFC 1994", [chap::FIELDS];
    Eap = "eap", "Extensible Authentication Protocol", "RFC 3748", [eap::FIELDS];
    Ipcp = "ipcp", "PPP IP Control Protocol", "RFC 1332", [ipcp::FIELDS];
    Ipv6cp = "ipv6cp", "PPP IPv6 Control Protocol", "RFC 5072", [ipv6cp::FIELDS];
    Ccp = "ccp", "PPP Compression Control Protocol", "RFC 1962", [ccp::FIELDS];
    Inner = "ip", "Internet Protocol inside PPP", "RFC 791", [inner::FIELDS];
}

impl Protocol {
    /// The row of this protocol.
    pub fn row(self) -> Option<&'static Row> {
        PROTOCOLS.iter().find(|row| row.protocol == self)
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        self.row().map_or("", |row| row.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_a_label_and_every_field_a_section() {
        for row in PROTOCOLS {
            assert!(!row.label.is_empty() && !row.section.is_empty());
            for field in row.fields.iter().copied().flatten() {
                assert!(field.name.contains('.') && !field.section.is_empty(), "{}", field.name);
            }
        }
    }
}
