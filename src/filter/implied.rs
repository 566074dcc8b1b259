//! Protocols that tshark dissects and this tool does not, by what a header of ours says of them.
//!
//! Their numbers stand in a field that is read: an EtherType, an IP protocol, a well-known port. A name becomes that test.

use super::FilterError;
use super::lexer::{self, Kind, Token};

/// Names, and the filter that selects the same packets (IANA's registries of EtherTypes, protocol numbers and ports).
pub(super) static IMPLIED: &[(&str, &str)] = &[
    ("rarp", "eth.type == 0x8035 or vlan.etype == 0x8035"),
    ("eapol", "eth.type == 0x888e or vlan.etype == 0x888e or sll.etype == 0x888e"),
    ("lldp", "eth.type == 0x88cc or vlan.etype == 0x88cc or sll.etype == 0x88cc"),
    ("slow", "eth.type == 0x8809 or vlan.etype == 0x8809"),
    ("llc", "eth.len"),
    ("egp", "ip.proto == 8"),
    ("eigrp", "ip.proto == 88 or ipv6.nxt == 88"),
    ("ospf", "ip.proto == 89 or ipv6.nxt == 89"),
    ("pim", "ip.proto == 103 or ipv6.nxt == 103"),
    ("vrrp", "ip.proto == 112 or ipv6.nxt == 112"),
    ("sctp", "ip.proto == 132 or ipv6.nxt == 132"),
    ("dns", "udp.port == 53 or tcp.port == 53 and tcp.payload"),
    ("dhcp", "udp.port == 67"),
    ("bootp", "udp.port == 67"),
    ("tftp", "udp.dstport == 69"),
    ("http", "tcp.port in {80, 8080} and tcp.payload"),
    ("tls", "tcp.port == 443 and tcp.payload"),
    ("ssl", "tcp.port == 443 and tcp.payload"),
    ("ssh", "tcp.port == 22 and tcp.payload"),
    ("telnet", "tcp.port == 23 and tcp.payload"),
    ("smtp", "tcp.port == 25 and tcp.payload"),
    ("bgp", "tcp.port == 179 and tcp.payload"),
    ("pptp", "tcp.port == 1723 and tcp.payload"),
    ("ntp", "udp.port == 123"),
    ("nbns", "udp.port == 137"),
    ("nbdgm", "udp.port == 138"),
    ("snmp", "udp.port in {161, 162}"),
    ("syslog", "udp.dstport == 514"),
    ("rip", "udp.port == 520"),
    ("dhcpv6", "udp.port in {546, 547}"),
    ("radius", "udp.port in {1645, 1646, 1812, 1813}"),
    ("ssdp", "udp.port == 1900"),
    ("mdns", "udp.port == 5353"),
    ("llmnr", "udp.port == 5355"),
    ("vxlan", "udp.dstport == 4789"),
    ("quic", "udp.port == 443"),
];

/// The filter that a name stands for.
pub(super) fn filter_of(name: &str) -> Option<&'static str> {
    IMPLIED.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
}

/// Puts the test of a protocol where its name stands as a condition. As a value (`pap.peer_id == dns`) it stays a word.
///
/// # Errors
///
/// When the name is compared with something: there is nothing to compare.
pub(super) fn expand(tokens: Vec<Token>) -> Result<Vec<Token>, FilterError> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let test = match &token.kind {
            Kind::Word(word) if begins_condition(out.last()) => filter_of(word),
            _ => None,
        };
        let Some(test) = test else {
            out.push(token);
            continue;
        };
        let own = |kind| Token { kind, place: token.place.clone() };
        out.push(own(Kind::Sign("(")));
        out.extend(lexer::tokens(test)?.into_iter().map(|inner| own(inner.kind)));
        out.push(own(Kind::Sign(")")));
    }
    Ok(out)
}

fn begins_condition(before: Option<&Token>) -> bool {
    match before.map(|token| &token.kind) {
        None => true,
        Some(Kind::Sign(sign)) => matches!(*sign, "(" | "!" | "&&" | "||" | "^^"),
        Some(Kind::Word(word)) => matches!(word.as_str(), "not" | "and" | "or" | "xor"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    #[test]
    fn every_test_is_a_filter_and_no_name_is_one_of_ours() {
        for (name, test) in IMPLIED {
            assert!(Filter::new(test).is_ok(), "{name}: {:?}", Filter::new(test).err());
            assert!(crate::dissect::Protocol::fields_named(name).is_empty(), "{name} is dissected");
            for whole in [name.to_string(), format!("!{name} and not ({name} or udp)")] {
                assert!(Filter::new(&whole).is_ok(), "{whole}");
            }
            assert!(Filter::new(&format!("{name} == 1")).is_err());
        }
        // As a value a name is text.
        assert!(Filter::new("pap.peer_id == dns").is_ok());
    }
}
