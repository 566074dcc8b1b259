//! The one table of protocols.

/// A protocol that this tool dissects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Protocol {
    Ethernet,
    Vlan,
    LinuxSll,
    LinuxSll2,
    Null,
    RawIp,
    Ipv4,
    Ipv6,
    Icmp,
    Icmpv6,
    Udp,
    NatTraversal,
    Esp,
    Ike,
    L2tp,
    Ppp,
    Lcp,
    Pap,
    Chap,
    Eap,
    Ipcp,
    Ipv6cp,
    Ccp,
    Inner,
}
