//! The one table of algorithms, with their names in every key dialect.

use crate::util::Printable;

mod encryption;
mod integrity;
mod names;

pub use encryption::ENCRYPTION;
pub use integrity::INTEGRITY;
pub use names::{Names, Vocabulary};

/// The way a cipher is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES in CBC mode, any key length.
    AesCbc,
    /// AES in counter mode; the key ends with a nonce of four octets.
    AesCtr,
    /// AES in Galois/counter mode; the key ends with a salt of four octets.
    AesGcm,
    /// AES in CTR mode with CBC-MAC; the key ends with a salt of three octets.
    AesCcm,
    /// Galois MAC over an unencrypted payload; the key ends with a salt of four octets.
    AesGmac,
    /// ChaCha20 with Poly1305; the key ends with a salt of four octets.
    ChaCha20Poly1305,
    /// Camellia in CBC mode, any key length.
    CamelliaCbc,
    /// Twofish in CBC mode, any key length.
    TwofishCbc,
    /// Blowfish in CBC mode, any key length.
    BlowfishCbc,
    /// CAST-128 in CBC mode, any key length.
    Cast5Cbc,
    /// Triple DES (EDE, three keys) in CBC mode.
    TripleDesCbc,
    /// DES in CBC mode.
    DesCbc,
    /// No encryption.
    Null,
}

impl Cipher {
    /// Its name, as the RFCs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCbc => "AES-CBC",
            Self::AesCtr => "AES-CTR with a nonce",
            Self::AesGcm => "AES-GCM with a salt",
            Self::AesCcm => "AES-CCM with a salt",
            Self::AesGmac => "AES-GMAC with a salt",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305 with a salt",
            Self::CamelliaCbc => "Camellia-CBC",
            Self::TwofishCbc => "Twofish-CBC",
            Self::BlowfishCbc => "Blowfish-CBC",
            Self::Cast5Cbc => "CAST-128-CBC",
            Self::TripleDesCbc => "Triple DES",
            Self::DesCbc => "DES",
            Self::Null => "NULL",
        }
    }
}

/// The hash below an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Ripemd160,
}

/// The way an ICV is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mac {
    /// HMAC (RFC 2104) with this hash.
    Hmac(Hash),
    /// AES-XCBC-MAC (RFC 3566).
    AesXcbc,
    /// AES-CMAC (RFC 4493).
    AesCmac,
    /// By the encryption algorithm itself, with the same key.
    Combined,
}

/// An encryption algorithm with one key length.
#[derive(Debug)]
pub struct EncryptionRow {
    /// How it is computed.
    pub cipher: Cipher,
    /// Name in reports: `aes-cbc-128`.
    pub name: &'static str,
    /// Name on the screen: `aes128`.
    pub short: &'static str,
    /// Length of the key in octets, with the salt or nonce that key files append to it.
    pub key_octets: usize,
    /// The shortest and the longest key, where the RFC allows more lengths than one.
    pub other_keys: (usize, usize),
    /// Length of a block in octets; 1 where there are no blocks.
    pub block: u8,
    /// Length of the IV at the start of the ESP payload, in octets.
    pub iv: u8,
    /// For a combined mode the report name of its ICV's row.
    pub combined: Option<&'static str>,
    /// Where its use in ESP is written down.
    pub rfc: &'static str,
    /// What the key dialects call it.
    pub names: Names,
}

impl EncryptionRow {
    /// The row of the ICV that a combined mode has.
    pub fn integrity(&self) -> Option<&'static IntegrityRow> {
        integrity_row(self.combined?)
    }

    fn takes(&self, key_octets: usize) -> bool {
        let (least, most) = self.other_keys;
        // Other tools ignore a key given for NULL.
        self.cipher == Cipher::Null || (least..=most).contains(&key_octets)
    }

    fn has_icv(&self, icv: Option<usize>) -> bool {
        match (self.integrity(), icv) {
            (Some(row), Some(icv)) => row.icv == icv,
            _ => true,
        }
    }
}

/// An integrity algorithm with one ICV length.
#[derive(Debug)]
pub struct IntegrityRow {
    /// How it is computed; `None`: there is no ICV, or one that cannot be checked.
    pub mac: Option<Mac>,
    /// Name in reports: `hmac-sha1-96`.
    pub name: &'static str,
    /// Name on the screen: `sha1-96`. A combined mode has none besides that of its encryption.
    pub short: &'static str,
    /// Length of the key that the RFC asks for, in octets. For an HMAC other lengths work (RFC 2104 section 3).
    pub key_octets: usize,
    /// Length of the ICV in octets.
    pub icv: usize,
    /// Where its use in ESP is written down.
    pub rfc: &'static str,
    /// Name of the row which the same key is also tried with, because key files are known to mix them up.
    pub also_tried: Option<&'static str>,
    /// What the key dialects call it.
    pub names: Names,
}

impl IntegrityRow {
    /// Whether it needs a key of its own.
    pub fn needs_key(&self) -> bool {
        self.mac.is_some_and(|mac| mac != Mac::Combined)
    }

    /// Whether a key of this length can be used.
    pub fn takes(&self, key_octets: usize) -> bool {
        match self.mac {
            Some(Mac::Hmac(_)) => key_octets > 0,
            Some(Mac::AesXcbc | Mac::AesCmac) => key_octets == self.key_octets,
            Some(Mac::Combined) | None => true,
        }
    }
}

/// What an unsupported algorithm would have been used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Encryption alone.
    Encryption,
    /// Integrity alone.
    Integrity,
    /// Both in one.
    Combined,
}

/// An algorithm that is known by name but cannot be computed yet.
#[derive(Debug)]
pub struct NotYet {
    /// What it is for.
    pub purpose: Purpose,
    names: Names,
}

/// Algorithms whose names load, so that the other associations of a key file can be used.
pub static NOT_YET: [NotYet; 4] = [
    NotYet {
        purpose: Purpose::Combined,
        names: Names::NONE
            .wireshark(&[
                "AES-GCM with IIV and 16 octet ICV [RFC4106 & RFC8750]",
                "ChaCha20 with Poly1305 and IIV [RFC7634 & RFC8750]",
            ])
            .toml(&["aes-gcm-16-iiv", "chacha20-poly1305-iiv"]),
    },
    NotYet {
        purpose: Purpose::Encryption,
        names: Names::NONE.xfrm(&["cbc(serpent)", "serpent"]).toml(&["serpent-cbc"]),
    },
    NotYet { purpose: Purpose::Encryption, names: Names::NONE.fortios(&["aria", "seed"]) },
    NotYet { purpose: Purpose::Encryption, names: Names::NONE.tcpdump(&["rc3-cbc"]) },
];

/// The encryption algorithm of an SA.
#[derive(Debug, Clone)]
pub enum Encryption {
    /// It can be computed.
    Known(&'static EncryptionRow),
    /// It cannot; the name is the key file's.
    Unsupported(Printable),
}

/// The integrity algorithm of an SA.
#[derive(Debug, Clone)]
pub enum Integrity {
    /// It can be computed (or there is none).
    Known(&'static IntegrityRow),
    /// It cannot; the name is the key file's. For a combined algorithm this is its name too.
    Unsupported(Printable),
}

impl Encryption {
    /// Name in reports: `aes-cbc-128`, `unsupported(cbc(serpent))`.
    pub fn name(&self) -> String {
        match self {
            Self::Known(row) => row.name.to_owned(),
            Self::Unsupported(name) => format!("unsupported({name})"),
        }
    }

    /// Name on the screen: `aes128`, or the key file's name.
    pub fn short(&self) -> &str {
        match self {
            Self::Known(row) => row.short,
            Self::Unsupported(name) => name.as_str(),
        }
    }
}

impl Integrity {
    /// Name in reports: `hmac-sha1-96`, `none`, `unsupported(hmac(sm3))`.
    pub fn name(&self) -> String {
        match self {
            Self::Known(row) => row.name.to_owned(),
            Self::Unsupported(name) => format!("unsupported({name})"),
        }
    }

    /// Name on the screen: `sha1-96`, or the key file's name.
    pub fn short(&self) -> &str {
        match self {
            Self::Known(row) => row.short,
            Self::Unsupported(name) => name.as_str(),
        }
    }
}

/// Why a name does not lead to an algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAlgorithm {
    /// No algorithm has this name.
    Unknown,
    /// The key fits none of the rows with this name.
    KeyLength {
        /// What the rows compute.
        cipher: Cipher,
        /// The lengths that would fit, in octets.
        octets: Vec<usize>,
    },
}

/// The encryption algorithm called `name` that takes a key of `key_octets`, with an ICV of `icv` octets if it is a
/// combined mode and the dialect tells the length.
pub(super) fn find_encryption(
    vocabulary: Vocabulary,
    name: &str,
    key_octets: usize,
    icv: Option<usize>,
) -> Result<Encryption, NoAlgorithm> {
    let named = || ENCRYPTION.iter().filter(|row| row.names.has(vocabulary, name));
    if let Some(row) = named().find(|row| row.takes(key_octets) && row.has_icv(icv)) {
        return Ok(Encryption::Known(row));
    }
    let first = named().next();
    if let Some(row) = first
        && !named().any(|row| row.takes(key_octets))
    {
        let mut octets: Vec<usize> = named().map(|row| row.key_octets).collect();
        octets.sort_unstable();
        octets.dedup();
        return Err(NoAlgorithm::KeyLength { cipher: row.cipher, octets });
    }
    match first.is_some() || is_not_yet(vocabulary, name) {
        true => Ok(Encryption::Unsupported(Printable::from_text(name))),
        false => Err(NoAlgorithm::Unknown),
    }
}

/// The integrity algorithm called `name`, with an ICV of `icv` octets if the dialect tells the length.
pub(super) fn find_integrity(
    vocabulary: Vocabulary,
    name: &str,
    icv: Option<usize>,
) -> Result<Integrity, NoAlgorithm> {
    let named = || INTEGRITY.iter().filter(|row| row.names.has(vocabulary, name));
    let fits = |row: &&IntegrityRow| row.mac.is_none() || icv.is_none_or(|icv| row.icv == icv);
    if let Some(row) = named().find(fits) {
        return Ok(Integrity::Known(row));
    }
    match named().next().is_some() || is_not_yet(vocabulary, name) {
        true => Ok(Integrity::Unsupported(Printable::from_text(name))),
        false => Err(NoAlgorithm::Unknown),
    }
}

/// The row with this report name.
pub fn integrity_row(name: &str) -> Option<&'static IntegrityRow> {
    INTEGRITY.iter().find(|row| row.name == name)
}

/// Whether `name` is a combined algorithm (one key for encryption and integrity).
pub(super) fn is_combined(vocabulary: Vocabulary, name: &str) -> bool {
    ENCRYPTION.iter().any(|row| row.combined.is_some() && row.names.has(vocabulary, name))
        || NOT_YET.iter().any(|row| row.purpose == Purpose::Combined && row.names.has(vocabulary, name))
}

/// Whether the name is one of [`NOT_YET`].
pub(in crate::ipsec) fn is_not_yet(vocabulary: Vocabulary, name: &str) -> bool {
    NOT_YET.iter().any(|row| row.names.has(vocabulary, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_rows() {
        let name = |v, n, k| find_encryption(v, n, k, None).unwrap().name();
        assert_eq!(name(Vocabulary::Wireshark, "AES-CBC [RFC3602]", 24), "aes-cbc-192");
        assert_eq!(name(Vocabulary::Wireshark, "TripleDes-CBC [RFC2451]", 24), "3des-cbc");
        assert_eq!(name(Vocabulary::Xfrm, "ecb(cipher_null)", 0), "null");
        assert_eq!(name(Vocabulary::Xfrm, "rfc4106(gcm(aes))", 36), "aes-gcm-16-256");
        assert_eq!(name(Vocabulary::Xfrm, "cbc(serpent)", 36), "unsupported(cbc(serpent))");
        assert_eq!(
            find_encryption(Vocabulary::Toml, "aes-cbc", 20, None).unwrap_err(),
            NoAlgorithm::KeyLength { cipher: Cipher::AesCbc, octets: vec![16, 24, 32] }
        );
        assert_eq!(find_encryption(Vocabulary::Toml, "rot13", 1, None).unwrap_err(), NoAlgorithm::Unknown);
    }

    #[test]
    fn the_kernel_tells_the_length_of_the_icv() {
        let name = |bits| find_integrity(Vocabulary::Xfrm, "hmac(sha256)", bits).unwrap().name();
        assert_eq!(name(Some(12)), "hmac-sha256-96");
        assert_eq!(name(Some(16)), "hmac-sha256-128");
        assert_eq!(name(Some(32)), "unsupported(hmac(sha256))");
        assert_eq!(name(None), "hmac-sha256-128");
    }

    #[test]
    fn the_length_of_the_icv_leads_to_a_combined_row() {
        let gcm = |icv| find_encryption(Vocabulary::Xfrm, "rfc4106(gcm(aes))", 20, icv).unwrap().name();
        assert_eq!(gcm(Some(8)), "aes-gcm-8-128");
        assert_eq!(gcm(Some(12)), "aes-gcm-12-128");
        assert_eq!(gcm(Some(16)), "aes-gcm-16-128");
        assert_eq!(gcm(Some(4)), "unsupported(rfc4106(gcm(aes)))");
        for row in ENCRYPTION.iter().filter(|row| row.combined.is_some()) {
            assert_eq!(row.integrity().and_then(|row| row.mac), Some(Mac::Combined), "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique_and_references_hold() {
        let mut seen = std::collections::HashSet::new();
        for name in ENCRYPTION.iter().map(|row| row.name) {
            assert!(seen.insert(name), "{name} twice");
        }
        seen.clear();
        for name in INTEGRITY.iter().map(|row| row.name) {
            assert!(seen.insert(name), "{name} twice");
        }
        for other in INTEGRITY.iter().filter_map(|row| row.also_tried) {
            assert!(integrity_row(other).is_some(), "{other}");
        }
    }
}
