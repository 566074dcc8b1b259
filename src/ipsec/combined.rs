//! Combined modes: AES-GCM (RFC 4106), AES-GMAC (RFC 4543), AES-CCM (RFC 4309), ChaCha20-Poly1305 (RFC 7634).
//!
//! In all of them the nonce is a salt, which stands at the end of the key, and the IV of the packet; and what is
//! authenticated besides the payload is SPI and sequence number, the latter with its high half if it is extended
//! (RFC 4106 section 5).

use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use ccm::aead::{AeadInOut, Tag, array::ArraySize};
use ccm::consts::{U8, U11, U12};
use ccm::{Ccm, TagSize};
use chacha20poly1305::ChaCha20Poly1305;
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::ctr_cipher::{counter_block, keystream};
use super::secret::Secret;
use super::suite::{Cipher, EncryptionRow};

/// The salt at the end of the key, where it has four octets.
type Salt = [u8; 4];
/// Octets of the IV in the packet, in all of these modes.
const IV: usize = 8;

/// A keyed combined mode.
pub(super) trait Combined: Send + Sync {
    /// Decrypts `data` in place if `icv` is right, else leaves in it what nobody may read.
    fn open(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8], icv: &[u8]) -> bool;

    /// The way back: encrypts `data` in place and returns the ICV, perhaps with more octets than are sent.
    #[cfg(test)]
    fn seal(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8]) -> Vec<u8>;
}

/// Computes the key schedule; `None` if the key has a wrong length or the row is no combined mode.
pub(super) fn keyed(row: &EncryptionRow, key: &Secret) -> Option<Box<dyn Combined>> {
    let key = key.expose();
    let icv = row.integrity()?.icv;
    // Cipher key and salt.
    Some(match (row.cipher, key.len(), icv) {
        (Cipher::AesGcm, 20, _) => Box::new(Gcm::<Aes128Enc>::new(key)?),
        (Cipher::AesGcm, 28, _) => Box::new(Gcm::<Aes192Enc>::new(key)?),
        (Cipher::AesGcm, 36, _) => Box::new(Gcm::<Aes256Enc>::new(key)?),
        (Cipher::AesGmac, 20, _) => Box::new(Gmac(Gcm::<Aes128Enc>::new(key)?)),
        (Cipher::AesGmac, 28, _) => Box::new(Gmac(Gcm::<Aes192Enc>::new(key)?)),
        (Cipher::AesGmac, 36, _) => Box::new(Gmac(Gcm::<Aes256Enc>::new(key)?)),
        (Cipher::AesCcm, 19, _) => ccm::<Aes128Enc>(key, icv)?,
        (Cipher::AesCcm, 27, _) => ccm::<Aes192Enc>(key, icv)?,
        (Cipher::AesCcm, 35, _) => ccm::<Aes256Enc>(key, icv)?,
        (Cipher::ChaCha20Poly1305, _, _) => Box::new(ChaCha::new(key)?),
        _ => return None,
    })
}

/// AES-GCM of its parts, because the ICV may have 8 octets and GMAC shares them.
pub(super) struct Gcm<C> {
    cipher: C,
    hash: GHash,
    salt: Salt,
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit> Gcm<C> {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let (key, salt) = key.split_last_chunk()?;
        let cipher = C::new_from_slice(key).ok()?;
        let mut subkey = Array::default();
        cipher.encrypt_block(&mut subkey);
        let hash = GHash::new(&subkey);
        subkey.zeroize();
        Some(Self { cipher, hash, salt: *salt })
    }

    /// The tag over what is only authenticated, in parts, and over `sealed`.
    pub(super) fn tag<const N: usize>(&self, iv: &[u8; IV], aad: [&[u8]; N], sealed: &[u8]) -> [u8; 16] {
        let mut hash = self.hash.clone();
        let aad_length = update(&mut hash, aad);
        let sealed_length = update(&mut hash, [sealed]);
        let bits = |octets: u64| u128::from(octets.saturating_mul(8));
        let lengths = bits(aad_length).unbounded_shl(64) | bits(sealed_length);
        hash.update(&[lengths.to_be_bytes().into()]);
        let mut tag: [u8; 16] = hash.finalize().into();
        // The block with counter 1 masks the tag, those from 2 on the payload.
        keystream(&self.cipher, counter_block(self.salt, *iv, 1), &mut tag);
        tag
    }
}

/// Whether `icv` is the start of `tag`.
fn is_start(icv: &[u8], tag: &[u8; 16]) -> bool {
    !icv.is_empty() && tag.get(..icv.len()).is_some_and(|tag| tag.ct_eq(icv).into())
}

/// Takes in one field of GHASH, given in parts, padded to whole blocks; returns its length in octets.
fn update<const N: usize>(hash: &mut GHash, parts: [&[u8]; N]) -> u64 {
    let mut rest = [0; 16];
    let (mut filled, mut length) = (0usize, 0u64);
    for mut part in parts {
        length = length.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        while filled > 0 || part.len() < 16 {
            let Some((first, after)) = part.split_first() else { break };
            let Some(place) = rest.get_mut(filled) else { break };
            (*place, part) = (*first, after);
            filled = filled.saturating_add(1);
            if filled == 16 {
                hash.update(&[rest.into()]);
                (rest, filled) = ([0; 16], 0);
            }
        }
        let (blocks, after) = Array::slice_as_chunks(part);
        hash.update(blocks);
        for (place, octet) in rest.iter_mut().skip(filled).zip(after) {
            *place = *octet;
            filled = filled.saturating_add(1);
        }
    }
    if filled > 0 {
        hash.update(&[rest.into()]);
    }
    length
}

impl<C> Combined for Gcm<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + Sync,
{
    fn open(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8], icv: &[u8]) -> bool {
        is_start(icv, &self.tag(iv, [aad], data))
            && keystream(&self.cipher, counter_block(self.salt, *iv, 2), data)
    }

    #[cfg(test)]
    fn seal(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8]) -> Vec<u8> {
        assert!(keystream(&self.cipher, counter_block(self.salt, *iv, 2), data));
        self.tag(iv, [aad], data).to_vec()
    }
}

/// GCM over an empty plaintext: header, IV and payload are authenticated, and nothing is encrypted
/// (RFC 4543 section 3.2).
struct Gmac<C>(Gcm<C>);

impl<C> Combined for Gmac<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + Sync,
{
    fn open(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8], icv: &[u8]) -> bool {
        is_start(icv, &self.0.tag(iv, [aad, iv, data], &[]))
    }

    #[cfg(test)]
    fn seal(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8]) -> Vec<u8> {
        self.0.tag(iv, [aad, iv, data], &[]).to_vec()
    }
}

/// CCM with the nonce of ESP, which leaves four octets to the counter.
struct EspCcm<C, M>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
    M: ArraySize + TagSize,
{
    mode: Ccm<C, M, U11>,
    salt: [u8; 3],
}

fn ccm<C>(key: &[u8], icv: usize) -> Option<Box<dyn Combined>>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + Sync + 'static,
{
    let (key, salt) = key.split_last_chunk()?;
    let (cipher, salt) = (C::new_from_slice(key).ok()?, *salt);
    Some(match icv {
        8 => Box::new(EspCcm::<C, U8> { mode: cipher.into(), salt }),
        12 => Box::new(EspCcm::<C, U12> { mode: cipher.into(), salt }),
        16 => Box::new(EspCcm::<C, U16> { mode: cipher.into(), salt }),
        _ => return None,
    })
}

impl<C, M> EspCcm<C, M>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
    M: ArraySize + TagSize,
{
    fn nonce(&self, iv: [u8; IV]) -> Array<u8, U11> {
        let [a, b, c] = self.salt;
        let [d, e, f, g, h, i, j, k] = iv;
        Array([a, b, c, d, e, f, g, h, i, j, k])
    }
}

impl<C, M> Combined for EspCcm<C, M>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
    M: ArraySize + TagSize + Send + Sync,
{
    fn open(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8], icv: &[u8]) -> bool {
        let Ok(tag) = Tag::<Ccm<C, M, U11>>::try_from(icv) else { return false };
        self.mode.decrypt_inout_detached(&self.nonce(*iv), aad, data.into(), &tag).is_ok()
    }

    #[cfg(test)]
    fn seal(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8]) -> Vec<u8> {
        self.mode.encrypt_inout_detached(&self.nonce(*iv), aad, data.into()).unwrap().to_vec()
    }
}

struct ChaCha {
    mode: ChaCha20Poly1305,
    salt: Salt,
}

impl ChaCha {
    fn new(key: &[u8]) -> Option<Self> {
        let (key, salt) = key.split_last_chunk()?;
        Some(Self { mode: ChaCha20Poly1305::new_from_slice(key).ok()?, salt: *salt })
    }

    fn nonce(&self, iv: [u8; IV]) -> Array<u8, U12> {
        let [a, b, c, d] = self.salt;
        let [e, f, g, h, i, j, k, l] = iv;
        Array([a, b, c, d, e, f, g, h, i, j, k, l])
    }
}

impl Combined for ChaCha {
    fn open(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8], icv: &[u8]) -> bool {
        let Ok(tag) = <&Tag<ChaCha20Poly1305>>::try_from(icv) else { return false };
        self.mode.decrypt_inout_detached(&self.nonce(*iv), aad, data.into(), tag).is_ok()
    }

    #[cfg(test)]
    fn seal(&self, iv: &[u8; IV], aad: &[u8], data: &mut [u8]) -> Vec<u8> {
        self.mode.encrypt_inout_detached(&self.nonce(*iv), aad, data.into()).unwrap().to_vec()
    }
}
