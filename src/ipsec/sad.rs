//! The security association database.

use std::fmt;

/// The number of an SA in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SaId(pub u32);

/// A Security Parameters Index (RFC 4303 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spi(pub u32);

impl fmt::Display for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[derive(Debug, Default)]
pub struct Sad;
#[derive(Debug, Default)]
pub struct Hints;
#[derive(Debug)]
pub enum Opening {
    NoKey,
    Unsupported { sa: SaId },
    BadIcv { sa: SaId },
    BadPadding { sa: SaId },
    TooShort { needed: usize, available: usize },
    Opened { sa: SaId, next_header: u8, payload: std::ops::Range<usize>, short_icv: bool, high: Option<u32> },
}
impl Sad {
    pub fn open(
        &self,
        _: &mut Hints,
        _: Spi,
        _: std::net::IpAddr,
        _: std::net::IpAddr,
        _: &[u8],
        _: &mut Vec<u8>,
    ) -> Opening {
        Opening::NoKey
    }
}
