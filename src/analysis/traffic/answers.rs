//! Which packets have to be answered. What nobody has to answer proves nothing: neither does silence after it mean that
//! packets are lost, nor does it show that anything came back.

use std::net::IpAddr;

use crate::dissect::layers::{IcmpBody, Inner, TcpSegment, Transport};

const IGMP: u8 = 2;
/// Router Solicitation and Router Advertisement (RFC 4861 sections 4.1, 4.2).
const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
pub(super) const DNS: u16 = 53;

/// Whether a packet is of a kind that nobody has to answer: to many hosts at once, or of a protocol in which hosts look
/// round for others (LLMNR, mDNS, SSDP, NetBIOS names, DHCP, router solicitations, IGMP).
#[inline]
pub fn nobody_answers(inner: &Inner) -> bool {
    let Some(addresses) = &inner.addresses else { return true };
    if to_many(addresses.destination) || inner.protocol == IGMP {
        return true;
    }
    match &inner.transport {
        Transport::Udp(_) => {
            inner.ports.is_some_and(|(source, destination)| looks_round(source, destination))
        }
        Transport::Icmp(message) => {
            message.v6 && matches!(message.kind, ROUTER_SOLICITATION | ROUTER_ADVERTISEMENT)
        }
        Transport::Tcp(_) | Transport::Other => false,
    }
}

/// Whether a packet makes whoever it goes to send one back, if all works: an echo request, a question to a DNS server, and
/// of TCP a SYN, data or a FIN. Of other protocols a packet does not tell.
pub fn expects_answer(inner: &Inner) -> bool {
    asks(inner) && !nobody_answers(inner)
}

/// The same of a packet that somebody has to answer if it asks.
#[inline]
pub(super) fn asks(inner: &Inner) -> bool {
    match &inner.transport {
        Transport::Tcp(segment) => {
            !segment.has(TcpSegment::RST)
                && (segment.flags & (TcpSegment::SYN | TcpSegment::FIN) != 0
                    || segment.payload.is_some_and(|octets| octets > 0))
        }
        Transport::Udp(Some(dns)) => {
            !dns.response && inner.ports.is_some_and(|(_, destination)| destination == DNS)
        }
        Transport::Icmp(message) => matches!(message.body, IcmpBody::Echo { reply: false, .. }),
        Transport::Udp(None) | Transport::Other => false,
    }
}

/// A multicast or broadcast address, or one that is no address of a host. The broadcast address of a network can only be
/// guessed, so it is not.
pub(super) fn to_many(destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(address) => matches!(address.octets(), [0 | 224..=255, ..]),
        IpAddr::V6(address) => address.is_multicast() || address.is_unspecified(),
    }
}

/// mDNS, LLMNR, SSDP, NetBIOS names and datagrams, DHCP, DHCPv6: by either port, for their answers come unasked, too.
fn looks_round(source: u16, destination: u16) -> bool {
    // Most ports are above all of these.
    if source.min(destination) > 5355 {
        return false;
    }
    let known = |port| matches!(port, 5353 | 5355 | 1900 | 137 | 138 | 67 | 68 | 546 | 547);
    known(destination) || known(source)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dns, echo, fin, igmp, packet, syn, tcp, udp};
    use super::*;

    #[test]
    fn what_asks() {
        for asks in [
            echo("10.0.0.1", "192.0.2.1", 1, 1),
            echo("2001:db8::1", "2001:db8::2", 1, 1),
            syn("10.0.0.1", "192.0.2.1", 1000, 80, 1),
            tcp("10.0.0.1", "192.0.2.1", 1000, 80, 2, 1, 100),
            fin("10.0.0.1", "192.0.2.1", 1000, 80, 2),
            dns("10.0.0.1", "192.0.2.53", 1000, 7),
        ] {
            assert!(expects_answer(&asks) && !nobody_answers(&asks), "{asks:?}");
        }
    }

    #[test]
    fn what_does_not_ask_but_is_someones() {
        for other in [
            tcp("10.0.0.1", "192.0.2.1", 1000, 80, 2, 1, 0),
            udp("10.0.0.1", "192.0.2.1", 1000, 5004),
            packet("10.0.0.1", "192.0.2.1", 47, None, Transport::Other, 60),
        ] {
            assert!(!expects_answer(&other) && !nobody_answers(&other), "{other:?}");
        }
    }

    #[test]
    fn what_nobody_has_to_answer() {
        for nothing in [
            udp("10.0.0.1", "224.0.0.252", 1000, 5355),
            udp("10.0.0.1", "239.255.255.250", 1000, 1900),
            udp("10.0.0.1", "224.0.0.251", 5353, 5353),
            udp("10.0.0.1", "255.255.255.255", 68, 67),
            udp("10.0.0.1", "10.0.0.255", 137, 137),
            udp("fe80::1", "ff02::1:2", 546, 547),
            echo("10.0.0.1", "224.0.0.1", 1, 1),
            dns("10.0.0.1", "255.255.255.255", 1000, 7),
            igmp("10.0.0.1", "224.0.0.22"),
        ] {
            assert!(!expects_answer(&nothing) && nobody_answers(&nothing), "{nothing:?}");
        }
    }
}
