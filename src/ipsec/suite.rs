//! The one table of algorithms, with their names in every key dialect.

use crate::util::Printable;

/// The way a cipher is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES in CBC mode, any key length.
    AesCbc,
    /// Triple DES (EDE, three keys) in CBC mode.
    TripleDesCbc,
    /// DES in CBC mode.
    DesCbc,
    /// No encryption.
    Null,
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
}

/// What one algorithm is called in each dialect; a name may stand for several rows (key or ICV length
/// decides).
#[derive(Debug, Clone, Copy)]
pub struct Names {
    wireshark: &'static [&'static str],
    xfrm: &'static [&'static str],
    toml: &'static [&'static str],
}

/// Whose names are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Wireshark's `esp_sa` table; strongSwan writes it too.
    Wireshark,
    /// The Linux kernel's crypto API, as `ip xfrm state` prints it.
    Xfrm,
    /// This tool's own key file.
    Toml,
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
    /// Length of the key in octets.
    pub key_octets: usize,
    /// Length of a block in octets; 1 where there are no blocks.
    pub block: u8,
    /// Length of the IV at the start of the ESP payload, in octets.
    pub iv: u8,
    /// Where its use in ESP is written down.
    pub rfc: &'static str,
    names: Names,
}

/// An integrity algorithm with one ICV length.
#[derive(Debug)]
pub struct IntegrityRow {
    /// How it is computed; `None`: there is no ICV, or one that cannot be checked.
    pub hash: Option<Hash>,
    /// Name in reports: `hmac-sha1-96`.
    pub name: &'static str,
    /// Name on the screen: `sha1-96`.
    pub short: &'static str,
    /// Length of the key that the RFC asks for, in octets. Other lengths work (RFC 2104 section 3).
    pub key_octets: usize,
    /// Length of the ICV in octets.
    pub icv: usize,
    /// Where its use in ESP is written down.
    pub rfc: &'static str,
    /// Name of the row which the same key is also tried with, because key files are known to mix them up.
    pub also_tried: Option<&'static str>,
    names: Names,
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

const fn names(
    wireshark: &'static [&'static str],
    xfrm: &'static [&'static str],
    toml: &'static [&'static str],
) -> Names {
    Names { wireshark, xfrm, toml }
}

const AES_WIRESHARK: &[&str] = &["AES-CBC [RFC3602]"];
const AES_XFRM: &[&str] = &["cbc(aes)", "aes"];

const fn aes(
    name: &'static str,
    short: &'static str,
    key: usize,
    toml: &'static [&'static str],
) -> EncryptionRow {
    EncryptionRow {
        cipher: Cipher::AesCbc,
        name,
        short,
        key_octets: key,
        block: 16,
        iv: 16,
        rfc: "RFC 3602",
        names: names(AES_WIRESHARK, AES_XFRM, toml),
    }
}

/// Every encryption algorithm that can be computed.
pub static ENCRYPTION: [EncryptionRow; 6] = [
    aes("aes-cbc-128", "aes128", 16, &["aes-cbc", "aes-cbc-128"]),
    aes("aes-cbc-192", "aes192", 24, &["aes-cbc", "aes-cbc-192"]),
    aes("aes-cbc-256", "aes256", 32, &["aes-cbc", "aes-cbc-256"]),
    EncryptionRow {
        cipher: Cipher::TripleDesCbc,
        name: "3des-cbc",
        short: "3des",
        key_octets: 24,
        block: 8,
        iv: 8,
        rfc: "RFC 2451",
        names: names(&["TripleDES-CBC [RFC2451]"], &["cbc(des3_ede)", "des3_ede"], &["3des-cbc"]),
    },
    EncryptionRow {
        cipher: Cipher::DesCbc,
        name: "des-cbc",
        short: "des",
        key_octets: 8,
        block: 8,
        iv: 8,
        rfc: "RFC 2405",
        names: names(&["DES-CBC [RFC2405]"], &["cbc(des)", "des"], &["des-cbc"]),
    },
    EncryptionRow {
        cipher: Cipher::Null,
        name: "null",
        short: "null",
        key_octets: 0,
        block: 1,
        iv: 0,
        rfc: "RFC 2410",
        names: names(&["NULL"], &["ecb(cipher_null)", "cipher_null"], &["null"]),
    },
];

struct Mac(Hash, &'static str, &'static str, usize, usize, &'static str);

const fn hmac(mac: Mac, also_tried: Option<&'static str>, names: Names) -> IntegrityRow {
    let Mac(hash, name, short, key_octets, icv, rfc) = mac;
    IntegrityRow { hash: Some(hash), name, short, key_octets, icv, rfc, also_tried, names }
}

const fn unchecked(name: &'static str, icv: usize, wireshark: &'static [&'static str]) -> IntegrityRow {
    IntegrityRow {
        hash: None,
        name,
        short: name,
        key_octets: 0,
        icv,
        rfc: "RFC 4303 section 3.2.2",
        also_tried: None,
        names: names(wireshark, &[], &[]),
    }
}

/// Every integrity algorithm that can be computed, and the ways to have none.
///
/// For one hash and `auth` (no length) in the kernel's dump the first row counts: the longest ICV.
pub static INTEGRITY: [IntegrityRow; 12] = [
    hmac(
        Mac(Hash::Sha1, "hmac-sha1-96", "sha1-96", 20, 12, "RFC 2404"),
        None,
        names(&["HMAC-SHA-1-96 [RFC2404]"], &["hmac(sha1)", "sha1"], &["hmac-sha1-96"]),
    ),
    hmac(
        Mac(Hash::Md5, "hmac-md5-96", "md5-96", 16, 12, "RFC 2403"),
        None,
        names(&["HMAC-MD5-96 [RFC2403]"], &["hmac(md5)", "md5"], &["hmac-md5-96"]),
    ),
    hmac(
        Mac(Hash::Sha256, "hmac-sha256-128", "sha256-128", 32, 16, "RFC 4868"),
        // strongSwan writes this name for the 96-bit ICV too.
        Some("hmac-sha256-96"),
        names(
            &["HMAC-SHA-256-128 [RFC4868]"],
            &["hmac(sha256)", "sha256"],
            &["hmac-sha256-128", "hmac-sha2-256-128"],
        ),
    ),
    hmac(
        Mac(Hash::Sha256, "hmac-sha256-96", "sha256-96", 32, 12, "draft-ietf-ipsec-ciph-sha-256-00"),
        None,
        names(
            &["HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]"],
            &["hmac(sha256)", "sha256"],
            &["hmac-sha256-96", "hmac-sha2-256-96"],
        ),
    ),
    hmac(
        Mac(Hash::Sha384, "hmac-sha384-192", "sha384-192", 48, 24, "RFC 4868"),
        None,
        names(
            &["HMAC-SHA-384-192 [RFC4868]"],
            &["hmac(sha384)", "sha384"],
            &["hmac-sha384-192", "hmac-sha2-384-192"],
        ),
    ),
    hmac(
        Mac(Hash::Sha512, "hmac-sha512-256", "sha512-256", 64, 32, "RFC 4868"),
        None,
        names(
            &["HMAC-SHA-512-256 [RFC4868]"],
            &["hmac(sha512)", "sha512"],
            &["hmac-sha512-256", "hmac-sha2-512-256"],
        ),
    ),
    IntegrityRow {
        hash: None,
        name: "none",
        short: "none",
        key_octets: 0,
        icv: 0,
        rfc: "RFC 4303 section 3.2.2",
        also_tried: None,
        names: names(&["NULL"], &["digest_null"], &["none", "null"]),
    },
    unchecked("unchecked-64", 8, &["ANY 64 bit authentication [no checking]"]),
    unchecked("unchecked-96", 12, &["ANY 96 bit authentication [no checking]"]),
    unchecked("unchecked-128", 16, &["ANY 128 bit authentication [no checking]"]),
    unchecked("unchecked-192", 24, &["ANY 192 bit authentication [no checking]"]),
    unchecked("unchecked-256", 32, &["ANY 256 bit authentication [no checking]"]),
];

const fn not_yet(purpose: Purpose, names: Names) -> NotYet {
    NotYet { purpose, names }
}

/// Algorithms whose names load, so that the other associations of a key file can be used.
pub static NOT_YET: [NotYet; 13] = [
    not_yet(
        Purpose::Combined,
        names(
            &[
                "AES-GCM [RFC4106]",
                "AES-GCM with 8 octet ICV [RFC4106]",
                "AES-GCM with 12 octet ICV [RFC4106]",
                "AES-GCM with 16 octet ICV [RFC4106]",
                "AES-GCM with IIV and 16 octet ICV [RFC4106 & RFC8750]",
            ],
            &["rfc4106(gcm(aes))"],
            &["aes-gcm", "aes-gcm-8", "aes-gcm-12", "aes-gcm-16", "aes-gcm-16-iiv"],
        ),
    ),
    not_yet(
        Purpose::Combined,
        names(&[], &["rfc4309(ccm(aes))"], &["aes-ccm", "aes-ccm-8", "aes-ccm-12", "aes-ccm-16"]),
    ),
    not_yet(
        Purpose::Combined,
        names(
            &[
                "ChaCha20 with Poly1305 [RFC7634]",
                "ChaCha20 with Poly1305 and IIV [RFC7634 & RFC8750]",
                "CHACHA20-POLY1305 [RFC7634]",
            ],
            &["rfc7539esp(chacha20,poly1305)"],
            &["chacha20-poly1305", "chacha20-poly1305-iiv"],
        ),
    ),
    not_yet(Purpose::Combined, names(&[], &["rfc4543(gcm(aes))"], &["aes-gmac"])),
    not_yet(Purpose::Encryption, names(&["AES-CTR [RFC3686]"], &["rfc3686(ctr(aes))"], &["aes-ctr"])),
    not_yet(Purpose::Encryption, names(&["CAMELLIA-CBC [RFC4312]"], &["cbc(camellia)"], &["camellia-cbc"])),
    not_yet(
        Purpose::Encryption,
        names(&["BLOWFISH-CBC [RFC2451]"], &["cbc(blowfish)", "blowfish"], &["blowfish-cbc"]),
    ),
    not_yet(Purpose::Encryption, names(&["TWOFISH-CBC"], &["cbc(twofish)", "twofish"], &["twofish-cbc"])),
    not_yet(
        Purpose::Encryption,
        names(&["CAST5-CBC [RFC2144]"], &["cbc(cast5)", "cast5", "cbc(cast128)"], &["cast128-cbc"]),
    ),
    not_yet(Purpose::Encryption, names(&[], &["cbc(serpent)", "serpent"], &["serpent-cbc"])),
    not_yet(
        Purpose::Integrity,
        names(&["AES-XCBC-MAC-96 [RFC3566]"], &["xcbc(aes)"], &["aes-xcbc-96", "aes-xcbc-mac-96"]),
    ),
    not_yet(Purpose::Integrity, names(&["AES-CMAC-96 [RFC4494]"], &["cmac(aes)"], &["aes-cmac-96"])),
    not_yet(
        Purpose::Integrity,
        names(&["MAC-RIPEMD-160-96 [RFC2857]"], &["hmac(rmd160)", "rmd160"], &["hmac-ripemd160-96"]),
    ),
];

impl Names {
    fn of(&self, vocabulary: Vocabulary) -> &'static [&'static str] {
        match vocabulary {
            Vocabulary::Wireshark => self.wireshark,
            Vocabulary::Xfrm => self.xfrm,
            Vocabulary::Toml => self.toml,
        }
    }

    fn has(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.of(vocabulary).iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

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
    /// Name in reports: `aes-cbc-128`, `unsupported(rfc4106(gcm(aes)))`.
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
    /// Name in reports: `hmac-sha1-96`, `none`, `unsupported(cmac(aes))`.
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
    /// The key fits none of the rows with this name; the lengths that would, in octets.
    KeyLength(Vec<usize>),
}

/// The encryption algorithm called `name` that takes a key of `key_octets`.
pub(super) fn find_encryption(
    vocabulary: Vocabulary,
    name: &str,
    key_octets: usize,
) -> Result<Encryption, NoAlgorithm> {
    let named = || ENCRYPTION.iter().filter(|row| row.names.has(vocabulary, name));
    // Other tools ignore a key given for NULL.
    if let Some(row) = named().find(|row| row.key_octets == key_octets || row.cipher == Cipher::Null) {
        return Ok(Encryption::Known(row));
    }
    let fitting: Vec<usize> = named().map(|row| row.key_octets).collect();
    if !fitting.is_empty() {
        return Err(NoAlgorithm::KeyLength(fitting));
    }
    match is_not_yet(vocabulary, name) {
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
    let fits = |row: &&IntegrityRow| row.hash.is_none() || icv.is_none_or(|icv| row.icv == icv);
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
    NOT_YET.iter().any(|row| row.purpose == Purpose::Combined && row.names.has(vocabulary, name))
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
        let name = |v, n, k| find_encryption(v, n, k).unwrap().name();
        assert_eq!(name(Vocabulary::Wireshark, "AES-CBC [RFC3602]", 24), "aes-cbc-192");
        assert_eq!(name(Vocabulary::Wireshark, "TripleDes-CBC [RFC2451]", 24), "3des-cbc");
        assert_eq!(name(Vocabulary::Xfrm, "ecb(cipher_null)", 0), "null");
        assert_eq!(name(Vocabulary::Xfrm, "rfc4106(gcm(aes))", 36), "unsupported(rfc4106(gcm(aes)))");
        assert_eq!(
            find_encryption(Vocabulary::Toml, "aes-cbc", 20).unwrap_err(),
            NoAlgorithm::KeyLength(vec![16, 24, 32])
        );
        assert_eq!(find_encryption(Vocabulary::Toml, "rot13", 1).unwrap_err(), NoAlgorithm::Unknown);
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
    fn names_are_unique_and_references_hold() {
        let mut seen = std::collections::HashSet::new();
        for name in ENCRYPTION.iter().map(|row| row.name).chain(INTEGRITY.iter().map(|row| row.name)) {
            assert!(seen.insert(name), "{name} twice");
        }
        for other in INTEGRITY.iter().filter_map(|row| row.also_tried) {
            assert!(integrity_row(other).is_some(), "{other}");
        }
    }
}
