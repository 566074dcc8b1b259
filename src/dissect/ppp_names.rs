//! Names of PPP protocol numbers, codes and types: the IANA PPP registry, in the short forms that fit a screen.

use super::{ccp, ipcp, ipv6cp, lcp};

/// The PPP protocol number of IPv4.
pub const IPV4: u16 = 0x0021;
/// The PPP protocol number of IPv6.
pub const IPV6: u16 = 0x0057;
/// The PPP protocol number of IPCP.
pub const IPCP: u16 = 0x8021;
/// The PPP protocol number of IPV6CP.
pub const IPV6CP: u16 = 0x8057;
/// The PPP protocol number of CCP.
pub const CCP: u16 = 0x80fd;
/// Multilink (RFC 1990).
pub const MULTILINK: u16 = 0x003d;
/// The PPP protocol number of LCP.
pub const LCP: u16 = 0xc021;
/// The PPP protocol number of PAP.
pub const PAP: u16 = 0xc023;
/// The PPP protocol number of CHAP.
pub const CHAP: u16 = 0xc223;
/// The PPP protocol number of EAP.
pub const EAP: u16 = 0xc227;
/// The number that Shiva's SPAP used before it had an assigned one. Its first octet is odd, which no assigned
/// two-octet number may be (RFC 1661 section 2).
pub const OLD_SPAP: u16 = 0xc123;

/// The name of a PPP protocol number.
pub fn protocol_name(number: u64) -> Option<&'static str> {
    Some(match number {
        0x0001 => "Padding",
        0x0021 => "IPv4",
        0x0023 => "OSI",
        0x0025 => "XNS IDP",
        0x0027 => "DECnet",
        0x0029 => "AppleTalk",
        0x002b => "IPX",
        0x002d => "VJ compressed TCP/IP",
        0x002f => "VJ uncompressed TCP/IP",
        0x0031 => "Bridging",
        0x0033 => "ST-II",
        0x0035 => "Vines",
        0x003d => "Multilink",
        0x003f => "NBF",
        0x004b => "SNA over 802.2",
        0x004d => "SNA",
        0x0053 => "Encrypted datagram",
        0x0055 => "Encrypted link",
        0x0057 => "IPv6",
        0x0059 => "PPP mux",
        0x0061 => "IPHC full header",
        0x0063 => "IPHC compressed TCP",
        0x0065 => "IPHC compressed non-TCP",
        0x0067 => "IPHC compressed UDP",
        0x0069 => "IPHC compressed RTP",
        0x00fb => "Compressed link",
        0x00fd => "Compressed datagram",
        0x0201 => "802.1D hello",
        0x0207 => "CDP",
        0x0281 => "MPLS unicast",
        0x0283 => "MPLS multicast",
        0x8021 => "IPCP",
        0x8023 => "OSINLCP",
        0x8025 => "XNSCP",
        0x8027 => "DNCP",
        0x8029 => "ATCP",
        0x802b => "IPXCP",
        0x8031 => "BCP",
        0x8035 => "BVCP",
        0x803d => "MPCP",
        0x803f => "NBFCP",
        0x804b => "SNACP over 802.2",
        0x804d => "SNACP",
        0x8053 => "ECP",
        0x8055 => "ILECP",
        0x8057 => "IPV6CP",
        0x8059 => "PPPMuxCP",
        0x80fb => "ILCCP",
        0x80fd => "CCP",
        0x8207 => "CDPCP",
        0x8281 => "MPLSCP",
        0xc021 => "LCP",
        0xc023 => "PAP",
        0xc025 => "LQR",
        0xc027 => "SPAP",
        0xc029 => "CBCP",
        0xc02b => "BACP",
        0xc02d => "BAP",
        0xc05b => "VSAP",
        0xc081 => "CCTL",
        0xc123 => "SPAP (old)",
        0xc223 => "CHAP",
        0xc225 => "RSA",
        0xc227 => "EAP",
        0xc281 => "Proprietary authentication",
        _ => return None,
    })
}

/// The name of a code of LCP or of an NCP (RFC 1661 section 5).
pub fn negotiation_code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "Vendor-Specific",
        1 => "Configure-Request",
        2 => "Configure-Ack",
        3 => "Configure-Nak",
        4 => "Configure-Reject",
        5 => "Terminate-Request",
        6 => "Terminate-Ack",
        7 => "Code-Reject",
        8 => "Protocol-Reject",
        9 => "Echo-Request",
        10 => "Echo-Reply",
        11 => "Discard-Request",
        12 => "Identification",
        13 => "Time-Remaining",
        14 => "Reset-Request",
        15 => "Reset-Ack",
        _ => return None,
    })
}

/// The name of a PAP code (RFC 1334 section 2.2).
pub fn pap_code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "Authenticate-Request",
        2 => "Authenticate-Ack",
        3 => "Authenticate-Nak",
        _ => return None,
    })
}

/// The name of a CHAP code (RFC 1994 section 4; 5 to 7: RFC 2433 section 9, RFC 2759 section 7).
pub fn chap_code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "Challenge",
        2 => "Response",
        3 => "Success",
        4 => "Failure",
        5 => "Change-Password-1",
        6 => "Change-Password-2",
        7 => "Change-Password",
        _ => return None,
    })
}

/// The name of a CHAP algorithm of LCP's Authentication-Protocol option.
pub fn chap_algorithm_name(algorithm: u64) -> Option<&'static str> {
    Some(match algorithm {
        5 => "MD5",
        6 => "SHA-1",
        7 => "SHA-256",
        8 => "SHA3-256",
        0x80 => "MS-CHAPv1",
        0x81 => "MS-CHAPv2",
        _ => return None,
    })
}

/// The name of an EAP code (RFC 3748 section 4; 5 and 6: RFC 6696 section 5.3).
pub fn eap_code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "Request",
        2 => "Response",
        3 => "Success",
        4 => "Failure",
        5 => "Initiate",
        6 => "Finish",
        _ => return None,
    })
}

/// The name of an EAP type (RFC 3748 section 5).
pub fn eap_type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        1 => "Identity",
        2 => "Notification",
        3 => "Nak",
        4 => "MD5-Challenge",
        5 => "One-Time-Password",
        6 => "Generic-Token-Card",
        9 => "RSA-Public-Key",
        13 => "EAP-TLS",
        17 => "LEAP",
        18 => "EAP-SIM",
        21 => "EAP-TTLS",
        23 => "EAP-AKA",
        25 => "PEAP",
        26 => "EAP-MSCHAPv2",
        29 => "EAP-MSCHAPv2 (29)",
        33 => "EAP-TLV",
        43 => "EAP-FAST",
        47 => "EAP-PSK",
        48 => "EAP-SAKE",
        49 => "EAP-IKEv2",
        50 => "EAP-AKA'",
        51 => "EAP-GPSK",
        52 => "EAP-pwd",
        53 => "EAP-EKE",
        55 => "TEAP",
        254 => "Expanded",
        255 => "Experimental",
        _ => return None,
    })
}

/// The name of a code of the control or authentication protocol `protocol`.
pub fn code_name(protocol: u16, code: u8) -> Option<&'static str> {
    match protocol {
        PAP => pap_code_name(code.into()),
        CHAP => chap_code_name(code.into()),
        EAP => eap_code_name(code.into()),
        _ => negotiation_code_name(code.into()),
    }
}

/// The name of a configuration option of LCP, IPCP, IPV6CP or CCP.
pub fn option_name(protocol: u16, kind: u8) -> Option<&'static str> {
    match protocol {
        LCP => lcp::TABLE.name(kind.into()),
        IPCP => ipcp::TABLE.name(kind.into()),
        IPV6CP => ipv6cp::TABLE.name(kind.into()),
        CCP => ccp::TABLE.name(kind.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_the_protocol() {
        assert_eq!(code_name(LCP, 1), Some("Configure-Request"));
        assert_eq!(code_name(PAP, 1), Some("Authenticate-Request"));
        assert_eq!(code_name(CHAP, 1), Some("Challenge"));
        assert_eq!(code_name(EAP, 1), Some("Request"));
        assert_eq!(code_name(CCP, 200), None);
        assert_eq!(option_name(LCP, 3), Some("Authentication-Protocol"));
        assert_eq!(option_name(IPCP, 3), Some("IP-Address"));
        assert_eq!(option_name(IPV6CP, 1), Some("Interface-Identifier"));
        assert_eq!(option_name(CCP, 18), Some("MPPE/MPPC"));
        assert_eq!(option_name(PAP, 1), None);
    }

    #[test]
    fn no_assigned_protocol_looks_like_a_compressed_one() {
        // RFC 1661 section 2: the first octet of a two-octet number is even, the second odd.
        for number in 0..=u16::MAX {
            if protocol_name(number.into()).is_some() && number != OLD_SPAP {
                assert_eq!(number & 0x0101, 1, "{number:04x}");
            }
        }
    }
}
