//! For tests: sealing packets the way a sender does, and hexadecimal text.

use cbc::Encryptor;
use cbc::cipher::block::BlockCipherEncrypt;
use cbc::cipher::{Array, BlockModeEncrypt, InnerIvInit, KeyInit};
use hmac::{Hmac, Mac};

use super::aes_mac::AesMac;
use super::cbc_cipher::Decrypt as _;
use super::combined::{self, Combined};
use super::ctr_cipher::Ctr;
use super::secret::Secret;
use super::suite::{Cipher, EncryptionRow, Hash, IntegrityRow, Mac as Kind};

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

fn cbc<C: BlockCipherEncrypt + KeyInit>(key: &[u8], iv: &[u8], data: &mut [u8]) {
    let cipher = C::new_from_slice(key).unwrap();
    let mut encryptor = Encryptor::<C>::inner_iv_init(cipher, iv.try_into().unwrap());
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
        (Cipher::CamelliaCbc, 16) => cbc::<camellia::Camellia128>(key, iv, data),
        (Cipher::CamelliaCbc, 24) => cbc::<camellia::Camellia192>(key, iv, data),
        (Cipher::CamelliaCbc, _) => cbc::<camellia::Camellia256>(key, iv, data),
        (Cipher::TwofishCbc, _) => cbc::<twofish::Twofish>(key, iv, data),
        (Cipher::BlowfishCbc, _) => cbc::<blowfish::Blowfish>(key, iv, data),
        (Cipher::Cast5Cbc, _) => cbc::<cast5::Cast5>(key, iv, data),
        // The way back is the same.
        (Cipher::AesCtr, 20) => assert!(Ctr::<aes::Aes128Enc>::new(key).unwrap().decrypt(iv, data)),
        (Cipher::AesCtr, 28) => assert!(Ctr::<aes::Aes192Enc>::new(key).unwrap().decrypt(iv, data)),
        (Cipher::AesCtr, _) => assert!(Ctr::<aes::Aes256Enc>::new(key).unwrap().decrypt(iv, data)),
        (Cipher::Null, _) => {}
        (Cipher::AesGcm | Cipher::AesCcm | Cipher::AesGmac | Cipher::ChaCha20Poly1305, _) => unreachable!(),
    }
}

/// The whole tag of `data`.
pub(super) fn tag(kind: Kind, key: &[u8], data: &[u8]) -> Vec<u8> {
    let hash = match kind {
        Kind::Hmac(hash) => hash,
        Kind::AesXcbc => return AesMac::xcbc(&Secret::new(key.to_vec())).unwrap().tag(data, None).to_vec(),
        Kind::AesCmac => return AesMac::cmac(&Secret::new(key.to_vec())).unwrap().tag(data, None).to_vec(),
        Kind::Combined => unreachable!(),
    };
    fn with<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        <M as KeyInit>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Md5 => with::<Hmac<md5::Md5>>(key, data),
        Hash::Sha1 => with::<Hmac<sha1::Sha1>>(key, data),
        Hash::Sha256 => with::<Hmac<sha2::Sha256>>(key, data),
        Hash::Sha384 => with::<Hmac<sha2::Sha384>>(key, data),
        Hash::Sha512 => with::<Hmac<sha2::Sha512>>(key, data),
        Hash::Ripemd160 => with::<Hmac<ripemd::Ripemd160>>(key, data),
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
        if self.encryption.combined.is_some() {
            let mode = combined::keyed(self.encryption, &Secret::new(self.encryption_key.clone())).unwrap();
            let mut aad = spi.to_be_bytes().to_vec();
            aad.extend(self.high.into_iter().flat_map(u32::to_be_bytes));
            aad.extend(sequence.to_be_bytes());
            let icv = Combined::seal(mode.as_ref(), iv.as_slice().try_into().unwrap(), &aad, &mut body);
            return [&packet, &iv, &body, &icv[..self.integrity.icv]].concat();
        }
        encrypt(self.encryption, &self.encryption_key, &iv, &mut body);
        packet.extend_from_slice(&iv);
        packet.extend_from_slice(&body);
        let icv = match self.integrity.mac {
            None => vec![0xee; self.integrity.icv],
            Some(kind) => {
                let mut data = packet.clone();
                data.extend(self.high.into_iter().flat_map(u32::to_be_bytes));
                tag(kind, &self.integrity_key, &data)
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
        if self.integrity.needs_key() {
            text += &format!(
                "integrity = \"{}\"\nintegrity-key = \"{}\"\n",
                self.integrity.name,
                digits(&self.integrity_key)
            );
        }
        text
    }
}
