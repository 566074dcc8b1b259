//! MACs made of AES: AES-XCBC-MAC (RFC 3566) and AES-CMAC (RFC 4493), for the 96-bit ICVs of RFC 3566 and RFC 4494.
//!
//! Both chain the message through AES and mask the last block, with one mask if the block is whole and another if it
//! was padded. They differ in the key of the chain and in where the masks come from.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::secret::Secret;

const BLOCK: usize = 16;
type Block = Array<u8, <aes::Aes128 as aes::cipher::BlockSizeUser>::BlockSize>;

/// A keyed MAC.
pub(super) struct AesMac {
    cipher: Aes128Enc,
    masks: Masks,
}

/// What the last block is masked with.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Masks {
    whole: [u8; BLOCK],
    padded: [u8; BLOCK],
}

impl AesMac {
    /// RFC 3566 section 4: all three keys are AES of constants.
    pub(super) fn xcbc(key: &Secret) -> Option<Self> {
        let base = Aes128Enc::new_from_slice(key.expose()).ok()?;
        let derived = |octet| encrypted(&base, [octet; BLOCK]);
        let mut chain = derived(1);
        let cipher = Aes128Enc::new_from_slice(&chain).ok()?;
        chain.zeroize();
        Some(Self { cipher, masks: Masks { whole: derived(2), padded: derived(3) } })
    }

    /// RFC 4493 section 2.3: the masks are multiples of AES of zero.
    pub(super) fn cmac(key: &Secret) -> Option<Self> {
        let cipher = Aes128Enc::new_from_slice(key.expose()).ok()?;
        let whole = doubled(encrypted(&cipher, [0; BLOCK]));
        Some(Self { cipher, masks: Masks { whole, padded: doubled(whole) } })
    }

    /// Whether `icv` is the start of the tag over `data` and, with extended sequence numbers, the high half.
    pub(super) fn verify(&self, data: &[u8], high: Option<u32>, icv: &[u8]) -> bool {
        let tag = self.tag(data, high);
        !icv.is_empty() && tag.get(..icv.len()).is_some_and(|tag| tag.ct_eq(icv).into())
    }

    pub(super) fn tag(&self, data: &[u8], high: Option<u32>) -> [u8; BLOCK] {
        let high = high.map(u32::to_be_bytes);
        let high = high.as_ref().map_or::<&[u8], _>(&[], |high| high);
        let mut octets = data.iter().chain(high);
        let mut left = data.len().saturating_add(high.len());
        let mut state = [0; BLOCK];
        while left > BLOCK {
            mix(&mut state, octets.by_ref());
            state = encrypted(&self.cipher, state);
            left = left.saturating_sub(BLOCK);
        }
        mix(&mut state, octets);
        let mask = match state.get_mut(left) {
            // 10* padding: the first octet after the message.
            Some(after) => {
                *after ^= 0x80;
                &self.masks.padded
            }
            None => &self.masks.whole,
        };
        mix(&mut state, mask.iter());
        encrypted(&self.cipher, state)
    }
}

/// Adds the next octets, a block at most.
fn mix<'a>(state: &mut [u8; BLOCK], octets: impl Iterator<Item = &'a u8>) {
    for (sum, octet) in state.iter_mut().zip(octets) {
        *sum ^= octet;
    }
}

fn encrypted(cipher: &Aes128Enc, octets: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut block = Block::from(octets);
    cipher.encrypt_block(&mut block);
    block.into()
}

/// The double in GF(2¹²⁸) as RFC 4493 writes it.
fn doubled(octets: [u8; BLOCK]) -> [u8; BLOCK] {
    let value = u128::from_be_bytes(octets);
    // The polynomial, without a branch on the key.
    let carry = value.unbounded_shr(127).wrapping_mul(0x87);
    (value.unbounded_shl(1) ^ carry).to_be_bytes()
}
