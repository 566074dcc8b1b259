//! Keys of IKE SAs, and messages opened with them (RFC 7296 section 3.14, RFC 2409 appendix B).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::hmac_mac::MacState;
use super::ike_cipher;
use super::ike_suite::{EncryptionRow, IntegrityRow};
use super::keys::KeyError;
use super::secret::Secret;
use super::suite::{Hash, Mac};

/// How many IKE SAs one run may hold.
pub const MAX_IKE_SAS: usize = 65_536;
/// How many keys are tried for SPIs that have several.
const MAX_CANDIDATES: usize = 4;

/// One line of a key file.
#[derive(Debug)]
pub(in crate::ipsec) enum IkeRecord {
    /// IKEv1: the initiator's cookie and the encryption key (SKEYID_e, or what RFC 2409 appendix B makes of it).
    V1 { cookie: u64, key: Secret },
    /// IKEv2: both SPIs and the keys of both directions.
    V2 { spis: (u64, u64), sa: V2Keys },
}

/// The keys of an IKEv2 SA (RFC 7296 section 2.14), each of the initiator and the responder.
#[derive(Debug)]
pub(in crate::ipsec) struct V2Keys {
    pub(super) encryption: &'static EncryptionRow,
    /// SK_ei, SK_er.
    pub(super) encryption_keys: [Secret; 2],
    pub(super) integrity: &'static IntegrityRow,
    /// SK_ai, SK_ar.
    pub(super) integrity_keys: [Secret; 2],
}

impl V2Keys {
    fn same(&self, other: &Self) -> bool {
        let pairs = self.encryption_keys.iter().chain(&self.integrity_keys);
        let others = other.encryption_keys.iter().chain(&other.integrity_keys);
        self.encryption.name == other.encryption.name
            && self.integrity.name == other.integrity.name
            && pairs.zip(others).all(|(own, other)| own.same(other))
    }
}

/// The keys of IKE SAs. They do not change while messages are opened. Copies share the keys.
#[derive(Default, Clone)]
pub struct IkeKeys {
    v1: HashMap<u64, Vec<Arc<Secret>>>,
    v2: HashMap<(u64, u64), Vec<Arc<V2Keys>>>,
    len: usize,
}

/// The cipher of an IKEv1 SA (RFC 2409 appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum V1Cipher {
    /// DES-CBC.
    Des,
    /// 3DES-CBC.
    TripleDes,
    /// AES-CBC with a key of so many octets; `None`: nobody said how many, so the key does.
    Aes(Option<usize>),
}

impl V1Cipher {
    /// Octets of a block, and so of an initialization vector.
    pub fn block(self) -> usize {
        match self {
            Self::Des | Self::TripleDes => 8,
            Self::Aes(_) => 16,
        }
    }

    /// The row of the table of ESP, and how many octets of `key` it takes.
    fn row(self, key: &Secret) -> Option<(&'static str, usize)> {
        match self {
            Self::Des => Some(("des-cbc", 8)),
            Self::TripleDes => Some(("3des-cbc", 24)),
            Self::Aes(octets) => match octets.unwrap_or(key.len()) {
                16 => Some(("aes-cbc-128", 16)),
                24 => Some(("aes-cbc-192", 24)),
                32 => Some(("aes-cbc-256", 32)),
                _ => None,
            },
        }
    }
}

/// The first octets of the hash of `parts`, as many as a block has: how IKEv1 makes initialization vectors
/// (RFC 2409 appendix B).
pub fn v1_vector(hash: Hash, cipher: V1Cipher, parts: &[&[u8]]) -> Vec<u8> {
    let mut vector = ike_cipher::digest(hash, parts);
    vector.truncate(cipher.block());
    vector
}

/// The hash of NAT detection (RFC 3947 section 3.2: that of the negotiation; RFC 7296 section 2.23: SHA-1), told by its
/// length; `None` if no hash has so many octets.
pub fn address_hash(octets: usize, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let hash = match octets {
        16 => Hash::Md5,
        20 => Hash::Sha1,
        32 => Hash::Sha256,
        48 => Hash::Sha384,
        64 => Hash::Sha512,
        _ => return None,
    };
    Some(ike_cipher::digest(hash, parts))
}

/// An Encrypted payload of IKEv2 that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IkeOpened {
    /// Octets of the initialization vector.
    pub iv: usize,
    /// Octets of the ICV.
    pub icv: usize,
    /// Whether the ICV proved it.
    pub checked: bool,
    /// Where the payloads are in the output; padding and its length follow.
    pub payloads: Range<usize>,
}

/// Why an encrypted message stays closed although there is a key for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IkeSealed {
    /// The ICV is wrong with every key.
    BadIcv,
    /// It cannot hold what the algorithms need.
    TooShort,
    /// What comes out has no sense: a wrong key, or messages before it are missing.
    Nonsense,
    /// IKEv1: the messages that chose cipher and hash were not captured, or chose what cannot be computed.
    NotNegotiated,
}

impl IkeKeys {
    /// How many IKE SAs there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a key, unless it is there.
    pub(super) fn add(&mut self, record: IkeRecord) -> Result<(), KeyError> {
        let full = self.len >= MAX_IKE_SAS;
        let added = match record {
            IkeRecord::V1 { cookie, key } => {
                let keys = self.v1.get(&cookie).map_or(&[][..], Vec::as_slice);
                let new = keys.len() < MAX_CANDIDATES && !keys.iter().any(|known| known.same(&key));
                if new && !full {
                    self.v1.entry(cookie).or_default().push(Arc::new(key));
                }
                new
            }
            IkeRecord::V2 { spis, sa } => {
                let keys = self.v2.get(&spis).map_or(&[][..], Vec::as_slice);
                let new = keys.len() < MAX_CANDIDATES && !keys.iter().any(|known| known.same(&sa));
                if new && !full {
                    self.v2.entry(spis).or_default().push(Arc::new(sa));
                }
                new
            }
        };
        if added && full {
            return Err(KeyError::TooMany { what: "IKE SAs", limit: MAX_IKE_SAS });
        }
        self.len = self.len.saturating_add(added.into());
        Ok(())
    }

    /// Whether there is a key for the IKEv1 SA of this initiator's cookie.
    pub fn has_v1(&self, cookie: u64) -> bool {
        self.v1.contains_key(&cookie)
    }

    /// Whether there are keys for the IKEv2 SA of these SPIs.
    pub fn has_v2(&self, spis: (u64, u64)) -> bool {
        self.v2.contains_key(&spis)
    }

    /// Opens an encrypted IKEv1 message with each key and each of `ivs`, until `fits` finds sense in the plaintext: which
    /// of `ivs` it was, and what was found.
    pub fn open_v1<T>(
        &self,
        cookie: u64,
        cipher: V1Cipher,
        ivs: &[Vec<u8>],
        sealed: &[u8],
        out: &mut Vec<u8>,
        fits: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<(usize, T), IkeSealed> {
        if sealed.is_empty() || !sealed.len().is_multiple_of(cipher.block()) {
            return Err(IkeSealed::TooShort);
        }
        for key in self.v1.get(&cookie).into_iter().flatten() {
            let state = cipher.row(key).and_then(|(name, octets)| {
                let own = Secret::new(key.expose().get(..octets)?.to_vec());
                ike_cipher::cbc(name, &own)
            });
            let Some(state) = state else { continue };
            for (at, iv) in ivs.iter().enumerate() {
                out.clear();
                out.extend_from_slice(sealed);
                if state.decrypt(iv, out)
                    && let Some(found) = fits(out)
                {
                    return Ok((at, found));
                }
            }
        }
        out.clear();
        Err(IkeSealed::Nonsense)
    }

    /// Opens the Encrypted payload (or fragment) at the end of `message`, whose initialization vector begins at `start`,
    /// into `out`. Nothing is decrypted before its ICV is right; what has none must make sense to `fits`.
    pub fn open_v2(
        &self,
        spis: (u64, u64),
        from_initiator: bool,
        message: &[u8],
        start: usize,
        out: &mut Vec<u8>,
        fits: impl Fn(&[u8]) -> bool,
    ) -> Result<IkeOpened, IkeSealed> {
        let mut failure = None;
        for keys in self.v2.get(&spis).into_iter().flatten() {
            out.clear();
            match keys.open(usize::from(!from_initiator), message, start, out) {
                Ok(opened)
                    if opened.checked || fits(out.get(opened.payloads.clone()).unwrap_or_default()) =>
                {
                    return Ok(opened);
                }
                Ok(_) => failure = failure.or(Some(IkeSealed::Nonsense)),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        out.clear();
        Err(failure.unwrap_or(IkeSealed::Nonsense))
    }
}

impl V2Keys {
    fn open(
        &self,
        end: usize,
        message: &[u8],
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<IkeOpened, IkeSealed> {
        let combined = self.encryption.icv();
        let icv = combined.unwrap_or(self.integrity.icv);
        let parts = message
            .len()
            .checked_sub(icv)
            .and_then(|sealed| message.split_at_checked(sealed))
            .and_then(|(sealed, tag)| Some((sealed, sealed.split_at_checked(start)?, tag)));
        let Some((sealed, (head, body), tag)) = parts else { return Err(IkeSealed::TooShort) };
        let Some((iv, data)) = body.split_at_checked(self.encryption.iv()) else {
            return Err(IkeSealed::TooShort);
        };
        let (Some(key), Some(mac_key)) = (self.encryption_keys.get(end), self.integrity_keys.get(end)) else {
            return Err(IkeSealed::Nonsense);
        };
        let mac = self.integrity.hash.filter(|_| combined.is_none());
        if let Some(hash) = mac {
            let good =
                MacState::new(Mac::Hmac(hash), mac_key).is_some_and(|mac| mac.verify(sealed, None, tag));
            if !good {
                return Err(IkeSealed::BadIcv);
            }
        }
        out.extend_from_slice(data);
        if !ike_cipher::open(self.encryption, key, iv, head, out, tag) {
            return Err(if combined.is_some() { IkeSealed::BadIcv } else { IkeSealed::TooShort });
        }
        // RFC 7296 section 3.14: the last octet says how many before it are padding.
        let padding = out.last().map(|length| usize::from(*length).saturating_add(1));
        let payloads =
            padding.and_then(|padding| out.len().checked_sub(padding)).ok_or(IkeSealed::Nonsense)?;
        let checked = mac.is_some() || combined.is_some();
        Ok(IkeOpened { iv: iv.len(), icv, checked, payloads: 0..payloads })
    }
}

impl fmt::Debug for IkeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IkeKeys").field("len", &self.len).finish_non_exhaustive()
    }
}
