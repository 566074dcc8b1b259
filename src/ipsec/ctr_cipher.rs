//! AES in counter mode (RFC 3686).

use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, consts::U16};
use ctr::{Ctr32BE, CtrCore};

use super::cbc_cipher::Decrypt;

/// Octets of the nonce that follows the key (RFC 3686 section 5.1).
const NONCE: usize = 4;

/// A key schedule and the nonce of the SA.
pub(super) struct Ctr<C> {
    cipher: C,
    nonce: [u8; NONCE],
}

impl<C: KeyInit> Ctr<C> {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let (key, nonce) = key.split_last_chunk()?;
        Some(Self { cipher: C::new_from_slice(key).ok()?, nonce: *nonce })
    }
}

impl<C> Decrypt for Ctr<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    /// The counter block is nonce, IV and a counter from 1 (RFC 3686 section 4).
    fn decrypt(&self, iv: &[u8], data: &mut [u8]) -> bool {
        let Ok(iv) = <[u8; 8]>::try_from(iv) else { return false };
        keystream(&self.cipher, counter_block(self.nonce, iv, 1), data)
    }
}

/// Salt or nonce, IV, counter.
pub(super) fn counter_block(salt: [u8; NONCE], iv: [u8; 8], counter: u32) -> [u8; 16] {
    let mut block = [0; 16];
    let parts = salt.iter().chain(&iv);
    for (octet, part) in block.iter_mut().zip(parts.chain(&counter.to_be_bytes())) {
        *octet = *part;
    }
    block
}

/// Adds the key stream that starts with this counter block.
pub(super) fn keystream<C>(cipher: &C, start: [u8; 16], data: &mut [u8]) -> bool
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let core = CtrCore::<&C, ctr::flavors::Ctr32BE>::inner_iv_init(cipher, &start.into());
    Ctr32BE::<&C>::from_core(core).try_apply_keystream(data).is_ok()
}
