//! How Encrypted payloads of IKEv2 are opened, and encrypted messages of IKEv1.

use aes::{Aes128, Aes192, Aes256};
use ccm::aead::AeadInOut;
use ccm::aead::consts::{U8, U11, U12, U16};
use ccm::{Ccm, NonceSize, TagSize};
use ctr::Ctr32BE;
use ctr::cipher::block::BlockCipherEncrypt;
use ctr::cipher::{Array, BlockSizeUser, KeyInit, KeyIvInit, StreamCipher};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::cbc_cipher::CipherState;
use super::ike_suite::{Cipher, EncryptionRow};
use super::secret::Secret;
use super::suite::{self, Hash};

/// A CBC cipher of the table of ESP.
pub(super) fn cbc(name: &str, key: &Secret) -> Option<CipherState> {
    let row = suite::ENCRYPTION.iter().find(|row| row.name == name)?;
    CipherState::new(row, key)
}

/// Decrypts `data` in place; `tag` is what a combined algorithm proves `head` and `data` with, and is checked before
/// anything is decrypted. `false`: `data` is not what this key sealed.
pub(super) fn open(
    row: &EncryptionRow,
    key: &Secret,
    iv: &[u8],
    head: &[u8],
    data: &mut [u8],
    tag: &[u8],
) -> bool {
    match row.cipher {
        Cipher::Null => true,
        Cipher::Cbc(name) => cbc(name, key).is_some_and(|cipher| cipher.decrypt(iv, data)),
        Cipher::Ctr | Cipher::Gcm(_) | Cipher::Ccm(_) => {
            let Some((key, salt)) = key.expose().split_at_checked(row.key) else { return false };
            let sealed = Sealed { nonce: &[salt, iv].concat(), head, tag };
            match row.key {
                16 => sealed.open::<Aes128>(row.cipher, key, data),
                24 => sealed.open::<Aes192>(row.cipher, key, data),
                _ => sealed.open::<Aes256>(row.cipher, key, data),
            }
            .unwrap_or(false)
        }
    }
}

/// What stands around the ciphertext.
struct Sealed<'a> {
    /// Salt and initialization vector.
    nonce: &'a [u8],
    /// What is authenticated and not encrypted: the message up to the initialization vector (RFC 5282 section 5.1).
    head: &'a [u8],
    tag: &'a [u8],
}

impl Sealed<'_> {
    fn open<C>(&self, cipher: Cipher, key: &[u8], data: &mut [u8]) -> Option<bool>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        match cipher {
            // The counter of RFC 3686 section 4 begins with 1.
            Cipher::Ctr => self.count::<C>(1, key, data),
            Cipher::Gcm(_) => self.gcm::<C>(key, data),
            Cipher::Ccm(8) => self.ccm::<C, U8>(key, data),
            Cipher::Ccm(12) => self.ccm::<C, U12>(key, data),
            Cipher::Ccm(_) => self.ccm::<C, U16>(key, data),
            Cipher::Cbc(_) | Cipher::Null => None,
        }
    }

    /// GCM of its parts (NIST SP 800-38D section 7.2): no implementation at hand takes a tag of 8 octets.
    fn gcm<C>(&self, key: &[u8], data: &mut [u8]) -> Option<bool>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        let cipher = C::new_from_slice(key).ok()?;
        let mut subkey = Array::<u8, U16>::default();
        cipher.encrypt_block(&mut subkey);
        let mut hash = GHash::new(&subkey);
        subkey.as_mut_slice().zeroize();
        hash.update_padded(self.head);
        hash.update_padded(data);
        let bits = |octets: usize| u64::try_from(octets).ok()?.checked_mul(8).map(u64::to_be_bytes);
        hash.update_padded(&[bits(self.head.len())?, bits(data.len())?].concat());
        let mut mask = *<&Array<u8, U16>>::try_from(self.block(1).as_slice()).ok()?;
        cipher.encrypt_block(&mut mask);
        let mut tag = hash.finalize();
        for (octet, mask) in tag.iter_mut().zip(&mask) {
            *octet ^= mask;
        }
        let good: bool = tag.get(..self.tag.len()).filter(|tag| !tag.is_empty())?.ct_eq(self.tag).into();
        if good { self.count::<C>(2, key, data) } else { Some(false) }
    }

    fn block(&self, count: u8) -> Vec<u8> {
        [self.nonce, &[0, 0, 0, count]].concat()
    }

    /// Counter mode that begins with `count`.
    fn count<C>(&self, count: u8, key: &[u8], data: &mut [u8]) -> Option<bool>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        Ctr32BE::<C>::new_from_slices(key, &self.block(count)).ok()?.try_apply_keystream(data).ok()?;
        Some(true)
    }

    fn ccm<C, M>(&self, key: &[u8], data: &mut [u8]) -> Option<bool>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
        M: ccm::aead::array::ArraySize + TagSize,
        U11: NonceSize,
    {
        let cipher = Ccm::<C, M, U11>::new_from_slice(key).ok()?;
        let nonce = <&Array<u8, U11>>::try_from(self.nonce).ok()?;
        let tag = <&Array<u8, M>>::try_from(self.tag).ok()?;
        Some(cipher.decrypt_inout_detached(nonce, self.head, data.into(), tag).is_ok())
    }
}

/// The hash of `parts` one after the other.
pub(super) fn digest(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = D::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
    match hash {
        Hash::Md5 => of::<Md5>(parts),
        Hash::Sha1 => of::<Sha1>(parts),
        Hash::Sha256 => of::<Sha256>(parts),
        Hash::Sha384 => of::<Sha384>(parts),
        Hash::Sha512 => of::<Sha512>(parts),
        Hash::Ripemd160 => of::<ripemd::Ripemd160>(parts),
    }
}
