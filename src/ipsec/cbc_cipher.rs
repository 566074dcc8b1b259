//! Block ciphers in CBC mode (RFC 3602, RFC 2451, RFC 2405) and the NULL cipher (RFC 2410).

use std::fmt;

use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use cbc::Decryptor;
use cbc::cipher::block::BlockCipherDecrypt;
use cbc::cipher::{Array, BlockModeDecrypt, InnerIvInit, KeyInit};
use des::{Des, TdesEde3};

use super::secret::Secret;
use super::suite::{Cipher, EncryptionRow};

/// A cipher with its key schedule, ready to decrypt.
///
/// The usual schedules lie next to the keyed MAC in memory; that of triple DES is boxed because it is larger.
pub(super) enum CipherState {
    Null,
    Aes128(Aes128Dec),
    Aes192(Aes192Dec),
    Aes256(Aes256Dec),
    Des(Des),
    TripleDes(Box<TdesEde3>),
}

impl CipherState {
    /// Computes the key schedule; `None` if the key has a wrong length.
    pub(super) fn new(row: &EncryptionRow, key: &Secret) -> Option<Self> {
        let key = key.expose();
        Some(match (row.cipher, row.key_octets) {
            (Cipher::AesCbc, 16) => Self::Aes128(Aes128Dec::new_from_slice(key).ok()?),
            (Cipher::AesCbc, 24) => Self::Aes192(Aes192Dec::new_from_slice(key).ok()?),
            (Cipher::AesCbc, _) => Self::Aes256(Aes256Dec::new_from_slice(key).ok()?),
            (Cipher::TripleDesCbc, _) => Self::TripleDes(Box::new(TdesEde3::new_from_slice(key).ok()?)),
            (Cipher::DesCbc, _) => Self::Des(Des::new_from_slice(key).ok()?),
            (Cipher::Null, _) => Self::Null,
        })
    }

    /// Uses every round key once, so that they are near when they are needed.
    pub(super) fn touch(&self) -> usize {
        let mut block = Array::default();
        match self {
            Self::Aes128(cipher) => cipher.decrypt_block(&mut block),
            Self::Aes192(cipher) => cipher.decrypt_block(&mut block),
            Self::Aes256(cipher) => cipher.decrypt_block(&mut block),
            Self::Null | Self::Des(_) | Self::TripleDes(_) => {}
        }
        block.first().copied().map_or(0, usize::from)
    }

    /// Decrypts `data` in place; `false` (and `data` untouched) unless it is whole blocks and the IV is one.
    #[must_use]
    pub(super) fn decrypt(&self, iv: &[u8], data: &mut [u8]) -> bool {
        match self {
            Self::Null => iv.is_empty(),
            Self::Aes128(cipher) => decrypt(cipher, iv, data),
            Self::Aes192(cipher) => decrypt(cipher, iv, data),
            Self::Aes256(cipher) => decrypt(cipher, iv, data),
            Self::Des(cipher) => decrypt(cipher, iv, data),
            Self::TripleDes(cipher) => decrypt(cipher.as_ref(), iv, data),
        }
    }
}

fn decrypt<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], data: &mut [u8]) -> bool {
    let (blocks, rest) = Array::<u8, C::BlockSize>::slice_as_chunks_mut(data);
    let Ok(iv) = <&Array<u8, C::BlockSize>>::try_from(iv) else {
        return false;
    };
    if !rest.is_empty() {
        return false;
    }
    Decryptor::<&C>::inner_iv_init(cipher, iv).decrypt_blocks(blocks);
    true
}

impl fmt::Debug for CipherState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherState")
    }
}
