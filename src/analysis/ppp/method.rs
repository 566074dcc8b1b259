//! Protocols that authenticate, as LCP names them (RFC 1661 section 6.2).

use crate::analysis::ppp::protocol::{CHAP, EAP, PAP};

/// An authentication protocol, and of CHAP its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// PAP (RFC 1334).
    Pap,
    /// CHAP with MD5 (RFC 1994).
    ChapMd5,
    /// MS-CHAP (RFC 2433).
    MsChapV1,
    /// MS-CHAP version 2 (RFC 2759).
    MsChapV2,
    /// CHAP with another algorithm, or one that was not captured.
    Chap(Option<u8>),
    /// EAP (RFC 3748).
    Eap,
    /// Another protocol.
    Other(u16),
}

impl Method {
    /// What the option Authentication-Protocol names (RFC 1661 section 6.2).
    pub(super) fn of(protocol: u16, algorithm: Option<u8>) -> Self {
        match (protocol, algorithm) {
            (PAP, _) => Self::Pap,
            (EAP, _) => Self::Eap,
            (CHAP, Some(5)) => Self::ChapMd5,
            (CHAP, Some(0x80)) => Self::MsChapV1,
            (CHAP, Some(0x81)) => Self::MsChapV2,
            (CHAP, algorithm) => Self::Chap(algorithm),
            (number, _) => Self::Other(number),
        }
    }

    /// The name in reports, if it has one.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Pap => "PAP",
            Self::ChapMd5 => "CHAP-MD5",
            Self::MsChapV1 => "MS-CHAPv1",
            Self::MsChapV2 => "MS-CHAPv2",
            Self::Eap => "EAP",
            Self::Chap(_) | Self::Other(_) => return None,
        })
    }

    /// Whether it is CHAP, with any algorithm.
    pub fn is_chap(self) -> bool {
        matches!(self, Self::ChapMd5 | Self::MsChapV1 | Self::MsChapV2 | Self::Chap(_))
    }

    /// The number of the algorithm of CHAP, if it was captured.
    pub fn algorithm(self) -> Option<u8> {
        match self {
            Self::ChapMd5 => Some(5),
            Self::MsChapV1 => Some(0x80),
            Self::MsChapV2 => Some(0x81),
            Self::Chap(algorithm) => algorithm,
            Self::Pap | Self::Eap | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_by_protocol_and_algorithm() {
        for (protocol, algorithm, name) in [
            (PAP, None, Some("PAP")),
            (CHAP, Some(5), Some("CHAP-MD5")),
            (CHAP, Some(0x80), Some("MS-CHAPv1")),
            (CHAP, Some(0x81), Some("MS-CHAPv2")),
            (EAP, None, Some("EAP")),
            // Nearly: an algorithm and a protocol that nobody knows.
            (CHAP, Some(7), None),
            (0xc025, None, None),
        ] {
            let method = Method::of(protocol, algorithm);
            assert_eq!((method.name(), method.algorithm()), (name, algorithm));
            assert_eq!(method.is_chap(), protocol == CHAP);
        }
    }
}
