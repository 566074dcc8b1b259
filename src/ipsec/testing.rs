//! For tests: sealing packets the way a sender does, and hexadecimal text.

use cbc::Encryptor;
use cbc::cipher::block::BlockCipherEncrypt;
use cbc::cipher::{Array, BlockModeEncrypt, KeyInit, KeyIvInit};
use hmac::{Hmac, Mac};

use super::suite::{Cipher, EncryptionRow, Hash, IntegrityRow};

/// Octets of a text of hexadecimal digits and white space.
pub(super) fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Hexadecimal digits of `octets`.
pub(super) fn digits(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn cbc<C: BlockCipherEncrypt + KeyInit + cbc::cipher::AlgorithmName>(key: &[u8], iv: &[u8], data: &mut [u8])
where
    Encryptor<C>: KeyIvInit + BlockModeEncrypt,
{
    let mut encryptor = Encryptor::<C>::new_from_slices(key, iv).unwrap();
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    assert!(rest.is_empty());
    encryptor.encrypt_blocks(blocks);
}

/// Encrypts whole blocks in place.
pub(super) fn encrypt(row: &EncryptionRow, key: &[u8], iv: &[u8], data: &mut [u8]) {
    match (row.cipher, row.key_octets) {
        (Cipher::AesCbc, 16) => cbc::<aes::Aes128>(key, iv, data),
        (Cipher::AesCbc, 24) => cbc::<aes::Aes192>(key, iv, data),
        (Cipher::AesCbc, _) => cbc::<aes::Aes256>(key, iv, data),
        (Cipher::TripleDesCbc, _) => cbc::<des::TdesEde3>(key, iv, data),
        (Cipher::DesCbc, _) => cbc::<des::Des>(key, iv, data),
        (Cipher::Null, _) => {}
    }
}

/// The whole tag of `data`.
pub(super) fn tag(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    fn with<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        <M as KeyInit>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Md5 => with::<Hmac<md5::Md5>>(key, data),
        Hash::Sha1 => with::<Hmac<sha1::Sha1>>(key, data),
        Hash::Sha256 => with::<Hmac<sha2::Sha256>>(key, data),
        Hash::Sha384 => with::<Hmac<sha2::Sha384>>(key, data),
        Hash::Sha512 => with::<Hmac<sha2::Sha512>>(key, data),
    }
}

/// What a sender of ESP packets has.
pub(super) struct Sender {
    pub(super) encryption: &'static EncryptionRow,
    pub(super) encryption_key: Vec<u8>,
    pub(super) integrity: &'static IntegrityRow,
    pub(super) integrity_key: Vec<u8>,
    pub(super) high: Option<u32>,
}

impl Sender {
    /// A sender with keys made of `seed`.
    pub(super) fn new(
        encryption: &'static EncryptionRow,
        integrity: &'static IntegrityRow,
        seed: u8,
    ) -> Self {
        let key =
            |length: usize, salt: u8| (0..length).map(|i| seed ^ salt ^ (i as u8).wrapping_mul(29)).collect();
        Self {
            encryption,
            encryption_key: key(encryption.key_octets, 0x11),
            integrity,
            integrity_key: key(integrity.key_octets, 0x77),
            high: None,
        }
    }

    /// Seals `payload` with correct padding (RFC 4303 section 3.3.2).
    pub(super) fn seal(&self, spi: u32, sequence: u32, next_header: u8, payload: &[u8]) -> Vec<u8> {
        let unit = usize::from(self.encryption.block).max(4);
        let pad = (unit - (payload.len() + 2) % unit) % unit;
        let padding: Vec<u8> = (1..=pad as u8).collect();
        self.seal_padded(spi, sequence, payload, &padding, pad as u8, next_header)
    }

    /// Seals with this very trailer.
    pub(super) fn seal_padded(
        &self,
        spi: u32,
        sequence: u32,
        payload: &[u8],
        padding: &[u8],
        pad_length: u8,
        next_header: u8,
    ) -> Vec<u8> {
        let mut packet = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        let iv: Vec<u8> = (0..self.encryption.iv).map(|i| (sequence as u8).wrapping_add(i * 7)).collect();
        let mut body = [payload, padding, &[pad_length, next_header]].concat();
        encrypt(self.encryption, &self.encryption_key, &iv, &mut body);
        packet.extend_from_slice(&iv);
        packet.extend_from_slice(&body);
        let icv = match self.integrity.hash {
            None => vec![0xee; self.integrity.icv],
            Some(hash) => {
                let mut data = packet.clone();
                data.extend(self.high.into_iter().flat_map(u32::to_be_bytes));
                tag(hash, &self.integrity_key, &data)
            }
        };
        packet.extend_from_slice(&icv[..self.integrity.icv]);
        packet
    }

    /// The SA as a table of the TOML dialect.
    pub(super) fn toml(&self, spi: u32, extra: &str) -> String {
        let mut text =
            format!("[[sa]]\nspi = {spi:#x}\nencryption = \"{}\"\n{extra}\n", self.encryption.name);
        if !self.encryption_key.is_empty() {
            text += &format!("encryption-key = \"{}\"\n", digits(&self.encryption_key));
        }
        if self.integrity.hash.is_some() {
            text += &format!(
                "integrity = \"{}\"\nintegrity-key = \"{}\"\n",
                self.integrity.name,
                digits(&self.integrity_key)
            );
        }
        text
    }
}
