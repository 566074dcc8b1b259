//! HMAC with a truncated tag (RFC 2403, RFC 2404, RFC 4868).

use std::fmt;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, CoreProxy};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::secret::Secret;
use super::suite::Hash;

/// An HMAC that has taken in its key, ready to be cloned for a packet.
///
/// Without the buffer for a partial block: the less memory an SA has, the more SAs are at hand. The two with the large
/// state are boxed so that the usual ones stay small.
pub(super) enum MacState {
    Md5(HmacCore<Md5>),
    Sha1(HmacCore<Sha1>),
    Sha256(HmacCore<Sha256>),
    Sha384(Box<HmacCore<Sha384>>),
    Sha512(Box<HmacCore<Sha512>>),
}

impl MacState {
    /// Takes in the key; HMAC takes keys of any length, so `None` does not happen.
    pub(super) fn new(hash: Hash, key: &Secret) -> Option<Self> {
        let key = key.expose();
        Some(match hash {
            Hash::Md5 => Self::Md5(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha1 => Self::Sha1(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha256 => Self::Sha256(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha384 => Self::Sha384(Box::new(HmacCore::new_from_slice(key).ok()?)),
            Hash::Sha512 => Self::Sha512(Box::new(HmacCore::new_from_slice(key).ok()?)),
        })
    }

    /// Whether `icv` is the start of the tag over `data` and, with extended sequence numbers, the high half
    /// (RFC 4303 section 2.2.1: it is not sent, but authenticated as if it followed the trailer).
    pub(super) fn verify(&self, data: &[u8], high: Option<u32>, icv: &[u8]) -> bool {
        match self {
            Self::Md5(mac) => verify(mac, data, high, icv),
            Self::Sha1(mac) => verify(mac, data, high, icv),
            Self::Sha256(mac) => verify(mac, data, high, icv),
            Self::Sha384(mac) => verify(mac, data, high, icv),
            Self::Sha512(mac) => verify(mac, data, high, icv),
        }
    }

    /// The first of `highs` for which [`verify`](Self::verify) holds; `data` is taken in only once.
    pub(super) fn find_high(&self, data: &[u8], highs: &[Option<u32>], icv: &[u8]) -> Option<Option<u32>> {
        match self {
            Self::Md5(mac) => find_high(mac, data, highs, icv),
            Self::Sha1(mac) => find_high(mac, data, highs, icv),
            Self::Sha256(mac) => find_high(mac, data, highs, icv),
            Self::Sha384(mac) => find_high(mac, data, highs, icv),
            Self::Sha512(mac) => find_high(mac, data, highs, icv),
        }
    }
}

/// The HMAC of one packet.
#[inline]
fn begin<D: EagerHash>(keyed: &HmacCore<D>) -> Hmac<D> {
    Hmac::compose(keyed.clone(), Buffer::<HmacCore<D>>::default())
}

fn verify<D: EagerHash>(keyed: &HmacCore<D>, data: &[u8], high: Option<u32>, icv: &[u8]) -> bool {
    let mut mac = begin(keyed);
    mac.update(data);
    finish(mac, high, icv)
}

fn find_high<D: EagerHash>(
    keyed: &HmacCore<D>,
    data: &[u8],
    highs: &[Option<u32>],
    icv: &[u8],
) -> Option<Option<u32>> {
    let mut mac = begin(keyed);
    mac.update(data);
    highs.iter().copied().find(|high| finish(mac.clone(), *high, icv))
}

fn finish<M: Mac>(mut mac: M, high: Option<u32>, icv: &[u8]) -> bool {
    if let Some(high) = high {
        mac.update(&high.to_be_bytes());
    }
    let tag = mac.finalize().into_bytes();
    // An empty ICV would match every packet.
    !icv.is_empty() && tag.get(..icv.len()).is_some_and(|tag| tag.ct_eq(icv).into())
}

impl fmt::Debug for MacState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacState")
    }
}
