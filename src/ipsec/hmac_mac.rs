//! MACs with a truncated tag: HMAC (RFC 2403, RFC 2404, RFC 2857, RFC 4868), and those made of AES.

use std::fmt;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, CoreProxy};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use md5::Md5;
use ripemd::Ripemd160;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::aes_mac::AesMac;
use super::secret::Secret;
use super::suite::{Hash, Mac as Kind};

/// A MAC that has taken in its key, an HMAC ready to be cloned for a packet.
///
/// Without the buffer for a partial block: the less memory an SA has, the more SAs are at hand. Those with a large
/// state, and the rare ones, are boxed so that the usual ones stay small.
pub(super) enum MacState {
    Md5(HmacCore<Md5>),
    Sha1(HmacCore<Sha1>),
    Sha256(HmacCore<Sha256>),
    Sha384(Box<HmacCore<Sha384>>),
    Sha512(Box<HmacCore<Sha512>>),
    Ripemd160(Box<HmacCore<Ripemd160>>),
    Aes(Box<AesMac>),
}

impl MacState {
    /// Takes in the key; `None` if it has a wrong length (HMAC takes any) or belongs to a combined mode.
    pub(super) fn new(kind: Kind, key: &Secret) -> Option<Self> {
        let hash = match kind {
            Kind::Hmac(hash) => hash,
            Kind::AesXcbc => return Some(Self::Aes(Box::new(AesMac::xcbc(key)?))),
            Kind::AesCmac => return Some(Self::Aes(Box::new(AesMac::cmac(key)?))),
            Kind::Combined => return None,
        };
        let key = key.expose();
        Some(match hash {
            Hash::Md5 => Self::Md5(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha1 => Self::Sha1(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha256 => Self::Sha256(HmacCore::new_from_slice(key).ok()?),
            Hash::Sha384 => Self::Sha384(Box::new(HmacCore::new_from_slice(key).ok()?)),
            Hash::Sha512 => Self::Sha512(Box::new(HmacCore::new_from_slice(key).ok()?)),
            Hash::Ripemd160 => Self::Ripemd160(Box::new(HmacCore::new_from_slice(key).ok()?)),
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
            Self::Ripemd160(mac) => verify(mac, data, high, icv),
            Self::Aes(mac) => mac.verify(data, high, icv),
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
            Self::Ripemd160(mac) => find_high(mac, data, highs, icv),
            Self::Aes(mac) => highs.iter().copied().find(|high| mac.verify(data, *high, icv)),
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
