//! Algorithms of IKE SAs under the names of Wireshark's IKE decryption tables.

use super::suite::Hash;

/// The way an Encrypted payload of IKEv2 is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// A block cipher in CBC mode (RFC 7296 section 3.14): the name of its row in the table of ESP.
    Cbc(&'static str),
    /// AES in counter mode (RFC 5930).
    Ctr,
    /// AES-GCM with an ICV of so many octets (RFC 5282).
    Gcm(usize),
    /// AES-CCM with an ICV of so many octets (RFC 5282).
    Ccm(usize),
    /// No encryption (RFC 2410).
    Null,
}

/// An encryption algorithm of IKEv2 with one key length.
#[derive(Debug)]
pub(super) struct EncryptionRow {
    pub(super) name: &'static str,
    pub(super) cipher: Cipher,
    /// Length of the key without its salt, in octets.
    pub(super) key: usize,
}

/// An integrity algorithm of IKEv2.
#[derive(Debug)]
pub(super) struct IntegrityRow {
    pub(super) name: &'static str,
    /// `None`: there is no ICV, or one that cannot be checked.
    pub(super) hash: Option<Hash>,
    /// Length of the ICV in octets.
    pub(super) icv: usize,
}

const fn row(name: &'static str, cipher: Cipher, key: usize) -> EncryptionRow {
    EncryptionRow { name, cipher, key }
}

pub(super) static ENCRYPTION: [EncryptionRow; 26] = [
    row("3DES [RFC2451]", Cipher::Cbc("3des-cbc"), 24),
    row("AES-CBC-128 [RFC3602]", Cipher::Cbc("aes-cbc-128"), 16),
    row("AES-CBC-192 [RFC3602]", Cipher::Cbc("aes-cbc-192"), 24),
    row("AES-CBC-256 [RFC3602]", Cipher::Cbc("aes-cbc-256"), 32),
    row("AES-CTR-128 [RFC5930]", Cipher::Ctr, 16),
    row("AES-CTR-192 [RFC5930]", Cipher::Ctr, 24),
    row("AES-CTR-256 [RFC5930]", Cipher::Ctr, 32),
    row("AES-GCM-128 with 8 octet ICV [RFC5282]", Cipher::Gcm(8), 16),
    row("AES-GCM-192 with 8 octet ICV [RFC5282]", Cipher::Gcm(8), 24),
    row("AES-GCM-256 with 8 octet ICV [RFC5282]", Cipher::Gcm(8), 32),
    row("AES-GCM-128 with 12 octet ICV [RFC5282]", Cipher::Gcm(12), 16),
    row("AES-GCM-192 with 12 octet ICV [RFC5282]", Cipher::Gcm(12), 24),
    row("AES-GCM-256 with 12 octet ICV [RFC5282]", Cipher::Gcm(12), 32),
    row("AES-GCM-128 with 16 octet ICV [RFC5282]", Cipher::Gcm(16), 16),
    row("AES-GCM-192 with 16 octet ICV [RFC5282]", Cipher::Gcm(16), 24),
    row("AES-GCM-256 with 16 octet ICV [RFC5282]", Cipher::Gcm(16), 32),
    row("AES-CCM-128 with 8 octet ICV [RFC5282]", Cipher::Ccm(8), 16),
    row("AES-CCM-192 with 8 octet ICV [RFC5282]", Cipher::Ccm(8), 24),
    row("AES-CCM-256 with 8 octet ICV [RFC5282]", Cipher::Ccm(8), 32),
    row("AES-CCM-128 with 12 octet ICV [RFC5282]", Cipher::Ccm(12), 16),
    row("AES-CCM-192 with 12 octet ICV [RFC5282]", Cipher::Ccm(12), 24),
    row("AES-CCM-256 with 12 octet ICV [RFC5282]", Cipher::Ccm(12), 32),
    row("AES-CCM-128 with 16 octet ICV [RFC5282]", Cipher::Ccm(16), 16),
    row("AES-CCM-192 with 16 octet ICV [RFC5282]", Cipher::Ccm(16), 24),
    row("AES-CCM-256 with 16 octet ICV [RFC5282]", Cipher::Ccm(16), 32),
    row("NULL [RFC2410]", Cipher::Null, 0),
];

const fn mac(name: &'static str, hash: Hash, icv: usize) -> IntegrityRow {
    IntegrityRow { name, hash: Some(hash), icv }
}

const fn unchecked(name: &'static str, icv: usize) -> IntegrityRow {
    IntegrityRow { name, hash: None, icv }
}

pub(super) static INTEGRITY: [IntegrityRow; 14] = [
    mac("HMAC_MD5_96 [RFC2403]", Hash::Md5, 12),
    mac("HMAC_MD5_128 [RFC4595]", Hash::Md5, 16),
    mac("HMAC_SHA1_96 [RFC2404]", Hash::Sha1, 12),
    mac("HMAC_SHA1_160 [RFC4595]", Hash::Sha1, 20),
    mac("HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]", Hash::Sha256, 12),
    mac("HMAC_SHA2_256_128 [RFC4868]", Hash::Sha256, 16),
    mac("HMAC_SHA2_384_192 [RFC4868]", Hash::Sha384, 24),
    mac("HMAC_SHA2_512_256 [RFC4868]", Hash::Sha512, 32),
    unchecked("NONE [RFC4306]", 0),
    unchecked("ANY 64-bits of Authentication [No Checking]", 8),
    unchecked("ANY 96-bits of Authentication [No Checking]", 12),
    unchecked("ANY 128-bits of Authentication [No Checking]", 16),
    unchecked("ANY 192-bits of Authentication [No Checking]", 24),
    unchecked("ANY 256-bits of Authentication [No Checking]", 32),
];

impl EncryptionRow {
    /// Octets of the salt behind the key (RFC 5282 section 7.1, RFC 5930 section 2.3).
    pub(super) fn salt(&self) -> usize {
        match self.cipher {
            Cipher::Ctr | Cipher::Gcm(_) => 4,
            Cipher::Ccm(_) => 3,
            Cipher::Cbc(_) | Cipher::Null => 0,
        }
    }

    /// Octets of the initialization vector in front of the ciphertext.
    pub(super) fn iv(&self) -> usize {
        match self.cipher {
            Cipher::Cbc("3des-cbc") | Cipher::Ctr | Cipher::Gcm(_) | Cipher::Ccm(_) => 8,
            Cipher::Cbc(_) => 16,
            Cipher::Null => 0,
        }
    }

    /// Octets of the ICV that the cipher itself makes.
    pub(super) fn icv(&self) -> Option<usize> {
        match self.cipher {
            Cipher::Gcm(icv) | Cipher::Ccm(icv) => Some(icv),
            _ => None,
        }
    }

    pub(super) fn find(name: &str) -> Option<&'static Self> {
        ENCRYPTION.iter().find(|row| row.name.eq_ignore_ascii_case(name))
    }
}

impl IntegrityRow {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        INTEGRITY.iter().find(|row| row.name.eq_ignore_ascii_case(name))
    }
}
