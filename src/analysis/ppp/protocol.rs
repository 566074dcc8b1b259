//! Numbers of PPP protocols and of the codes of their packets, as far as the analysis follows them (RFC 1661 sections 2
//! and 5).

use crate::dissect::layers::Ppp;

/// Link Control Protocol (RFC 1661).
pub const LCP: u16 = 0xc021;
/// Password Authentication Protocol (RFC 1334).
pub const PAP: u16 = 0xc023;
/// Challenge Handshake Authentication Protocol (RFC 1994).
pub const CHAP: u16 = 0xc223;
/// Extensible Authentication Protocol (RFC 3748).
pub const EAP: u16 = 0xc227;
/// IP Control Protocol (RFC 1332).
pub const IPCP: u16 = 0x8021;
/// IPv6 Control Protocol (RFC 5072).
pub const IPV6CP: u16 = 0x8057;
/// Compression Control Protocol (RFC 1962); MPPE is negotiated in it (RFC 3078).
pub const CCP: u16 = 0x80fd;
/// Encryption Control Protocol (RFC 1968).
pub const ECP: u16 = 0x8053;

/// Multilink (RFC 1990 section 3).
pub const MULTILINK: u16 = 0x003d;

/// TCP/IP headers compressed as Van Jacobson did, and those that fit no slot (RFC 1332 section 4).
const VJ: [u16; 2] = [0x002d, 0x002f];

/// Codes that LCP and all NCPs share (RFC 1661 section 5), those of LCP alone, and Reset-Request (RFC 1962 section 4).
pub mod code {
    #![allow(missing_docs)]
    pub const CONFIGURE_REQUEST: u8 = 1;
    pub const CONFIGURE_ACK: u8 = 2;
    pub const CONFIGURE_NAK: u8 = 3;
    pub const CONFIGURE_REJECT: u8 = 4;
    pub const TERMINATE_REQUEST: u8 = 5;
    pub const TERMINATE_ACK: u8 = 6;
    pub const CODE_REJECT: u8 = 7;
    pub const PROTOCOL_REJECT: u8 = 8;
    pub const ECHO_REQUEST: u8 = 9;
    pub const ECHO_REPLY: u8 = 10;
    pub const RESET_REQUEST: u8 = 14;
}

/// Whether a number is that of a network control protocol (RFC 1661 section 2).
pub fn is_ncp(number: u16) -> bool {
    matches!(number, 0x8000..=0xbfff)
}

/// Whether a number is that of a network control protocol that lets users' packets through: all but those that compress
/// and encrypt, on the bundle and on each link.
pub fn carries(number: u16) -> bool {
    is_ncp(number) && !matches!(number, CCP | ECP | 0x80fb | 0x8055)
}

/// Whether a number is that of a protocol that authenticates.
pub fn is_authentication(number: u16) -> bool {
    matches!(number, PAP | CHAP | EAP)
}

/// The control protocol that has to be open before data with this number may be sent (RFC 1661 section 2): data has the
/// number of its control protocol less 0x8000.
pub fn control_of(data: u16) -> Option<u16> {
    match data {
        _ if VJ.contains(&data) => Some(IPCP),
        0..=0x3fff => Some(data | 0x8000),
        _ => None,
    }
}

/// Whether a packet belongs to a phase after Link Establishment: authentication, a network control protocol or what it
/// opened the link for (RFC 1661 section 3).
pub fn is_after_lcp(ppp: &Ppp) -> bool {
    ppp.protocol <= 0x3fff || is_ncp(ppp.protocol) || is_authentication(ppp.protocol)
}

/// The other end.
pub(super) fn other(end: u8) -> u8 {
    1u8.saturating_sub(end)
}
