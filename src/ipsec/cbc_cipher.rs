//! Block ciphers in CBC mode (RFC 3602, RFC 2451, RFC 2405) and the NULL cipher (RFC 2410).

use std::fmt;

use aes::{Aes128Dec, Aes128Enc, Aes192Dec, Aes192Enc, Aes256Dec, Aes256Enc};
use blowfish::Blowfish;
use camellia::{Camellia128, Camellia192, Camellia256};
use cast5::Cast5;
use cbc::Decryptor;
use cbc::cipher::block::BlockCipherDecrypt;
use cbc::cipher::{Array, BlockModeDecrypt, InnerIvInit, KeyInit};
use des::{Des, TdesEde3};
use twofish::Twofish;

use super::combined::{self, Combined};
use super::ctr_cipher::Ctr;
use super::secret::Secret;
use super::suite::{Cipher, EncryptionRow};

/// A cipher with its key schedule, ready to decrypt.
///
/// The usual schedules lie next to the keyed MAC in memory; all others are boxed, because they are larger or rare.
pub(super) enum CipherState {
    Null,
    Aes128(Aes128Dec),
    Aes192(Aes192Dec),
    Aes256(Aes256Dec),
    Des(Des),
    TripleDes(Box<TdesEde3>),
    Other(Box<dyn Decrypt>),
    Combined(Box<dyn Combined>),
}

/// A cipher that needs an ICV of its own.
pub(super) trait Decrypt: Send + Sync {
    /// Decrypts `data` in place; `false` unless it is whole blocks and the IV is one.
    fn decrypt(&self, iv: &[u8], data: &mut [u8]) -> bool;
}

/// A block cipher in CBC mode.
struct Cbc<C>(C);

impl<C: BlockCipherDecrypt + Send + Sync> Decrypt for Cbc<C> {
    fn decrypt(&self, iv: &[u8], data: &mut [u8]) -> bool {
        decrypt(&self.0, iv, data)
    }
}

fn cbc<C: BlockCipherDecrypt + KeyInit + Send + Sync + 'static>(key: &[u8]) -> Option<CipherState> {
    Some(CipherState::Other(Box::new(Cbc(C::new_from_slice(key).ok()?))))
}

fn ctr<C>(key: &[u8]) -> Option<CipherState>
where
    C: KeyInit + 'static,
    Ctr<C>: Decrypt,
{
    Some(CipherState::Other(Box::new(Ctr::<C>::new(key)?)))
}

impl CipherState {
    /// Computes the key schedule; `None` if the key has a wrong length.
    pub(super) fn new(row: &EncryptionRow, key: &Secret) -> Option<Self> {
        if row.combined.is_some() {
            return Some(Self::Combined(combined::keyed(row, key)?));
        }
        let key = key.expose();
        Some(match (row.cipher, row.key_octets) {
            (Cipher::AesCbc, 16) => Self::Aes128(Aes128Dec::new_from_slice(key).ok()?),
            (Cipher::AesCbc, 24) => Self::Aes192(Aes192Dec::new_from_slice(key).ok()?),
            (Cipher::AesCbc, _) => Self::Aes256(Aes256Dec::new_from_slice(key).ok()?),
            (Cipher::TripleDesCbc, _) => Self::TripleDes(Box::new(TdesEde3::new_from_slice(key).ok()?)),
            (Cipher::DesCbc, _) => Self::Des(Des::new_from_slice(key).ok()?),
            (Cipher::AesCtr, 20) => return ctr::<Aes128Enc>(key),
            (Cipher::AesCtr, 28) => return ctr::<Aes192Enc>(key),
            (Cipher::AesCtr, _) => return ctr::<Aes256Enc>(key),
            (Cipher::CamelliaCbc, 16) => return cbc::<Camellia128>(key),
            (Cipher::CamelliaCbc, 24) => return cbc::<Camellia192>(key),
            (Cipher::CamelliaCbc, _) => return cbc::<Camellia256>(key),
            (Cipher::TwofishCbc, octets) if octets != key.len() => return None,
            (Cipher::TwofishCbc, _) => return cbc::<Twofish>(key),
            (Cipher::BlowfishCbc, _) => return cbc::<Blowfish>(key),
            (Cipher::Cast5Cbc, _) => return cbc::<Cast5>(key),
            (Cipher::Null, _) => Self::Null,
            (Cipher::AesGcm | Cipher::AesCcm | Cipher::AesGmac | Cipher::ChaCha20Poly1305, _) => return None,
        })
    }

    /// Uses every round key once, so that they are near when they are needed.
    pub(super) fn touch(&self) -> usize {
        let mut block = Array::default();
        match self {
            Self::Aes128(cipher) => cipher.decrypt_block(&mut block),
            Self::Aes192(cipher) => cipher.decrypt_block(&mut block),
            Self::Aes256(cipher) => cipher.decrypt_block(&mut block),
            Self::Null | Self::Des(_) | Self::TripleDes(_) | Self::Other(_) | Self::Combined(_) => {}
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
            Self::Other(cipher) => cipher.decrypt(iv, data),
            // Not without its ICV.
            Self::Combined(_) => false,
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
