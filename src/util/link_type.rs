//! Link-layer header types (the LINKTYPE_ registry of tcpdump.org).

use std::fmt;

/// The link-layer header type of an interface, by its number in the LINKTYPE_ registry of tcpdump.org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

/// Declares the constants and the table of names from one list, so that neither can miss an entry.
macro_rules! link_types {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal;)*) => {
        impl LinkType {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*
        }

        /// Every link type with a name.
        const NAMES: &[(LinkType, &str)] = &[$((LinkType::$constant, $name),)*];
    };
}

link_types! {
    /// BSD loopback: the address family, in the byte order of the capturing machine.
    NULL = 0, "NULL";
    /// Ethernet (10 Mbit/s and everything after it).
    ETHERNET = 1, "ETHERNET";
    /// PPP, with or without address and control bytes.
    PPP = 9, "PPP";
    /// Raw IP, as older files of most systems number it (the system's own DLT_RAW).
    RAW_12 = 12, "RAW";
    /// Raw IP, as older files of OpenBSD number it.
    RAW_14 = 14, "RAW";
    /// PPP in HDLC-like framing (RFC 1662), or Cisco PPP with a 4-byte header.
    PPP_SERIAL = 50, "PPP_HDLC";
    /// PPPoE: the frame begins with a PPPoE session header.
    PPPOE = 51, "PPP_ETHER";
    /// Raw IP, version 4 or 6.
    RAW = 101, "RAW";
    /// Cisco HDLC.
    C_HDLC = 104, "C_HDLC";
    /// IEEE 802.11.
    IEEE802_11 = 105, "IEEE802_11";
    /// OpenBSD loopback: the address family in network byte order.
    LOOP = 108, "LOOP";
    /// OpenBSD's enc(4): packets before and after IPsec.
    ENC = 109, "ENC";
    /// Linux cooked capture.
    LINUX_SLL = 113, "LINUX_SLL";
    /// PPP with an octet of direction before it, as pppd writes it.
    PPP_PPPD = 166, "PPP_PPPD";
    /// Apple's PPP over IP.
    PPP_WITH_DIR = 204, "PPP_WITH_DIR";
    /// Raw IPv4.
    IPV4 = 228, "IPV4";
    /// Raw IPv6.
    IPV6 = 229, "IPV6";
    /// Linux netfilter log (NFLOG).
    NFLOG = 239, "NFLOG";
    /// Linux cooked capture, version 2.
    LINUX_SLL2 = 276, "LINUX_SLL2";
}

impl LinkType {
    /// Its name in the registry without the prefix, if it is one that has a name here.
    ///
    /// All numbers of raw IP share one name.
    pub fn known_name(self) -> Option<&'static str> {
        NAMES.iter().find(|(link, _)| *link == self).map(|(_, name)| *name)
    }

    /// What people call it.
    pub fn word(self) -> String {
        match self {
            Self::ETHERNET => String::from("Ethernet"),
            Self::RAW | Self::IPV4 | Self::IPV6 => String::from("raw IP"),
            Self::LINUX_SLL | Self::LINUX_SLL2 => String::from("Linux cooked"),
            other => match other.known_name() {
                Some("RAW") => String::from("raw IP"),
                _ => other.name(),
            },
        }
    }

    /// Its name, or `LINKTYPE n` for a number without one.
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known_name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("LINKTYPE {}", self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_registry_or_are_the_number() {
        assert_eq!(LinkType::ETHERNET.name(), "ETHERNET");
        assert_eq!(LinkType(12).name(), "RAW");
        assert_eq!(LinkType(101).name(), "RAW");
        assert_eq!(LinkType(276).name(), "LINUX_SLL2");
        assert_eq!(LinkType(4711).name(), "LINKTYPE 4711");
    }

    #[test]
    fn no_number_stands_twice() {
        for (i, (link, _)) in NAMES.iter().enumerate() {
            assert!(NAMES.iter().skip(i + 1).all(|(other, _)| other != link), "{link}");
        }
    }
}
