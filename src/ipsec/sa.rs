//! What is known of one security association (RFC 4301 section 4.4.2), keys aside.

use std::fmt;
use std::net::IpAddr;

use crate::util::Printable;

use super::suite::{Encryption, Integrity};

/// A Security Parameters Index (RFC 4303 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spi(pub u32);

impl fmt::Display for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// One SPI, or all SPIs with some hexadecimal digits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpiPattern {
    value: u32,
    mask: u32,
}

impl SpiPattern {
    /// The pattern that only `spi` fits.
    pub fn exactly(spi: Spi) -> Self {
        Self { value: spi.0, mask: u32::MAX }
    }

    /// The pattern of all SPIs that equal `value` in the bits of `mask`.
    pub fn masked(value: u32, mask: u32) -> Self {
        Self { value: value & mask, mask }
    }

    /// The SPI, if only one fits.
    pub fn exact(self) -> Option<Spi> {
        (self.mask == u32::MAX).then_some(Spi(self.value))
    }

    /// Whether `spi` fits.
    pub fn fits(self, spi: Spi) -> bool {
        spi.0 & self.mask == self.value
    }
}

impl fmt::Display for SpiPattern {
    /// `0xc0de0001`, `0xc0de????`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        for shift in (0..32).step_by(4).rev() {
            match (self.mask >> shift) & 0xf {
                0 => f.write_str("?")?,
                _ => write!(f, "{:x}", (self.value >> shift) & 0xf)?,
            }
        }
        Ok(())
    }
}

/// Addresses with some bits in common, as an IPv4-mapped IPv6 address and a mask of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressPattern {
    value: u128,
    mask: u128,
    /// The address, if only one fits.
    exact: Option<IpAddr>,
}

impl AddressPattern {
    pub(super) const ANY: Self = Self { value: 0, mask: 0, exact: None };

    pub(super) fn exactly(address: IpAddr) -> Self {
        Self { value: mapped(address), mask: u128::MAX, exact: Some(address) }
    }

    /// All addresses that equal `address` in the bits of `mask`; an IPv4 mask has its upper 96 bits set.
    pub(super) fn masked(address: IpAddr, mask: u128) -> Self {
        let exact = (mask == u128::MAX).then_some(address);
        Self { value: mapped(address) & mask, mask, exact }
    }

    pub(super) fn exact(self) -> Option<IpAddr> {
        self.exact
    }

    pub(super) fn fits(self, address: IpAddr) -> bool {
        mapped(address) & self.mask == self.value
    }
}

/// An address as one number, IPv4 as IPv4-mapped IPv6: quicker to hash and compare.
pub(super) fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The place of an SA in its [`Sad`](super::Sad).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SaId(pub u32);

impl SaId {
    /// As an index of a list with an entry per SA.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What an SA encapsulates (RFC 4301 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The payload of an IP packet.
    Transport,
    /// A whole IP packet.
    Tunnel,
    /// A whole IP packet without its constant addresses (Linux).
    Beet,
}

impl Mode {
    /// The name in reports and in `ip xfrm state`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Tunnel => "tunnel",
            Self::Beet => "beet",
        }
    }
}

/// Where in a key file an SA stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Name of the file.
    pub file: Printable,
    /// Line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What the key files say of one SA. The keys are elsewhere and cannot be asked for.
#[derive(Debug, Clone)]
pub struct SecurityAssociation {
    /// Its SPI, or a pattern if the key file has one.
    pub spi: SpiPattern,
    /// Source address; `None`: any, or a pattern.
    pub source: Option<IpAddr>,
    /// Destination address; `None`: any, or a pattern.
    pub destination: Option<IpAddr>,
    /// Encryption algorithm.
    pub encryption: Encryption,
    /// Integrity algorithm. A packet may verify with another ICV length: see
    /// [`Opening::Opened`](super::Opening).
    pub integrity: Integrity,
    /// Whether sequence numbers have 64 bits (RFC 4303 section 2.2.1); `None`: the key file does not say.
    pub extended_sequence: Option<bool>,
    /// Highest high half of the sequence number seen in the key files.
    pub sequence_high: u32,
    /// Size of the anti-replay window in packets; 0: off, `None`: not said.
    pub replay_window: Option<u32>,
    /// What it encapsulates; `None`: not said.
    pub mode: Option<Mode>,
    /// Source and destination port of the UDP encapsulation (RFC 3948), if the key file names one.
    pub udp_ports: Option<(u16, u16)>,
    /// Where it stands in the key files, the first time.
    pub origin: Origin,
}

impl SecurityAssociation {
    /// Its algorithms, as the screen names them: `aes128 sha1-96`, `aes256gcm16`.
    pub fn suite(&self) -> String {
        match self.integrity.short() {
            "" => self.encryption.short().to_owned(),
            same if same == self.encryption.short() => same.to_owned(),
            integrity => format!("{} {integrity}", self.encryption.short()),
        }
    }

    /// The first algorithm that cannot be computed, if there is one.
    pub fn unsupported(&self) -> Option<&Printable> {
        match (&self.encryption, &self.integrity) {
            (Encryption::Unsupported(name), _) | (_, Integrity::Unsupported(name)) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spis_print_as_eight_digits() {
        assert_eq!(Spi(0xbeef).to_string(), "0x0000beef");
        assert_eq!(SpiPattern::masked(0xc0de_1234, 0xffff_0000).to_string(), "0xc0de????");
        assert_eq!(SpiPattern::exactly(Spi(1)).to_string(), "0x00000001");
    }

    #[test]
    fn patterns_of_addresses() {
        let net = AddressPattern::masked("10.1.0.0".parse().unwrap(), u128::MAX << 16);
        assert!(net.fits("10.1.2.3".parse().unwrap()));
        assert!(!net.fits("10.2.2.3".parse().unwrap()));
        assert!(AddressPattern::ANY.fits("2001:db8::1".parse().unwrap()));
    }
}
