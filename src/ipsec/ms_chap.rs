//! What a password makes of a challenge: CHAP with MD5 (RFC 1994), MS-CHAP (RFC 2433) and MS-CHAPv2 (RFC 2759).

use std::fmt;

use des::Des;
use des::cipher::{Array, BlockCipherEncrypt, KeyInit};
use md4::Md4;
use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::secret::Secret;

/// Octets of a response of both versions of MS-CHAP inside the Value field, without the flags.
pub(super) const RESPONSE: usize = 24;
/// Octets of an NT or LAN Manager password hash.
const HASH: usize = 16;
/// Characters of a LAN Manager password (RFC 2433 section 5).
const LM_MOST: usize = 14;

/// The text that a LAN Manager password encrypts (RFC 2433 appendix A.3).
const LM_TEXT: [u8; 8] = *b"KGS!@#$%";
/// RFC 2759 section 8.7.
const MAGIC1: &[u8] = b"Magic server to client signing constant";
const MAGIC2: &[u8] = b"Pad to make it do more than one iteration";

/// The hash of a password.
pub(super) type Hash = Zeroizing<[u8; HASH]>;

/// The Response of CHAP with MD5 (RFC 1994 section 4.1), also that of EAP's MD5-Challenge (RFC 3748 section 5.4).
pub(super) fn chap_md5(identifier: u8, password: &[u8], challenge: &[u8]) -> [u8; 16] {
    let mut digest = Md5::new();
    digest.update([identifier]);
    digest.update(password);
    digest.update(challenge);
    digest.finalize().into()
}

/// The NT hash of a password (RFC 2433 appendix A.6, RFC 2759 section 8.3).
pub(super) fn nt_hash(password: &str) -> Hash {
    let mut digest = Md4::new();
    for unit in password.encode_utf16() {
        digest.update(Zeroizing::new(unit.to_le_bytes()).as_slice());
    }
    Zeroizing::new(digest.finalize().into())
}

/// The LAN Manager hash of a password (RFC 2433 appendix A.2). `None` for one that is too long, or whose characters
/// depend on a code page.
pub(super) fn lm_hash(password: &str) -> Option<Hash> {
    if password.len() > LM_MOST || !password.is_ascii() {
        return None;
    }
    let mut clear = Zeroizing::new([0; LM_MOST]);
    for (octet, letter) in clear.iter_mut().zip(password.bytes()) {
        *octet = letter.to_ascii_uppercase();
    }
    let mut hash = Hash::default();
    for (part, key) in hash.chunks_exact_mut(8).zip(clear.chunks_exact(7)) {
        part.copy_from_slice(&encrypt(key, LM_TEXT));
    }
    Some(hash)
}

/// The response to a challenge of eight octets (RFC 2433 appendix A.7, RFC 2759 section 8.5).
pub(super) fn challenge_response(challenge: [u8; 8], hash: &Hash) -> [u8; RESPONSE] {
    let mut keys = Zeroizing::new([0; 21]);
    for (octet, own) in keys.iter_mut().zip(hash.iter()) {
        *octet = *own;
    }
    let mut response = [0; RESPONSE];
    for (part, key) in response.chunks_exact_mut(8).zip(keys.chunks_exact(7)) {
        part.copy_from_slice(&encrypt(key, challenge));
    }
    response
}

/// The challenge that MS-CHAPv2 answers (RFC 2759 section 8.2).
pub(super) fn challenge_hash(peer_challenge: &[u8], challenge: &[u8], user: &[u8]) -> [u8; 8] {
    let mut digest = Sha1::new();
    digest.update(peer_challenge);
    digest.update(challenge);
    digest.update(user);
    let digest: [u8; 20] = digest.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// The Authenticator Response by which a server shows that it knows the password (RFC 2759 section 8.7).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Authenticator([u8; 20]);

impl Authenticator {
    pub(super) fn new(hash: &Hash, response: &[u8], challenge: [u8; 8]) -> Self {
        let twice: Hash = Zeroizing::new(Md4::digest(hash.as_slice()).into());
        let mut digest = Sha1::new();
        digest.update(twice.as_slice());
        digest.update(response);
        digest.update(MAGIC1);
        let first = digest.finalize();
        let mut digest = Sha1::new();
        digest.update(first);
        digest.update(challenge);
        digest.update(MAGIC2);
        Self(digest.finalize().into())
    }

    /// Whether the Message of a Success packet proves it; `None` if it has none (RFC 2759 section 5).
    pub fn is_in(&self, message: &str) -> Option<bool> {
        let digits = message.split(' ').find_map(|part| part.strip_prefix("S="))?;
        let octets = octets(digits)?;
        Some(octets.ct_eq(&self.0).into())
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(20 bytes)")
    }
}

/// The challenge that a Failure allows to answer anew: the one it names, or with version 1 the one before plus 23 in its
/// first octet (RFC 2433 section 8, RFC 2759 section 6).
pub(crate) fn next_challenge(message: &str, before: Option<&Secret>) -> Option<Secret> {
    let value = |letter: &str| message.split(' ').find_map(|part| part.strip_prefix(letter));
    if value("R=")? != "1" {
        return None;
    }
    if let Some(digits) = value("C=") {
        return octets(digits).map(Secret::new);
    }
    let mut octets = before.filter(|before| before.len() == 8)?.expose().to_vec();
    let first = octets.first_mut()?;
    *first = first.wrapping_add(23);
    Some(Secret::new(octets))
}

/// Octets written as hexadecimal digits.
pub(super) fn octets(digits: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// DES with a key of 56 bits, to which parity bits are added (RFC 2759 section 9.3).
fn encrypt(key: &[u8], clear: [u8; 8]) -> [u8; 8] {
    let bits = key.iter().take(7).fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
    let mut spread = Zeroizing::new([0_u8; 8]);
    for (place, octet) in spread.iter_mut().rev().enumerate() {
        let shift = u32::try_from(place).unwrap_or(0).saturating_mul(7);
        // The lowest bit is the parity, which DES ignores.
        *octet = u8::try_from(bits.checked_shr(shift).unwrap_or(0) & 0x7f).unwrap_or(0) << 1;
    }
    let mut block = Array::from(clear);
    Des::new(&Array::from(*spread)).encrypt_block(&mut block);
    block.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        octets(&text.replace(' ', "")).unwrap()
    }

    /// RFC 2433 appendix B.2.
    #[test]
    fn the_example_of_version_1() {
        let hash = nt_hash("MyPw");
        assert_eq!(hash.to_vec(), hex("FC 15 6A F7 ED CD 6C 0E DD E3 33 7D 42 7F 4E AC"));
        let challenge = hex("10 2D B5 DF 08 5D 30 41").try_into().unwrap();
        assert_eq!(
            challenge_response(challenge, &hash).to_vec(),
            hex("4E 9D 3C 8F 9C FD 38 5D 5B F4 D3 24 67 91 95 6C A4 C3 51 AB 40 9A 3D 61")
        );
    }

    /// RFC 2759 section 9.2.
    #[test]
    fn the_example_of_version_2() {
        let hash = nt_hash("clientPass");
        assert_eq!(hash.to_vec(), hex("44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE"));
        let peer = hex("21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E");
        let server = hex("5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28");
        let challenge = challenge_hash(&peer, &server, b"User");
        assert_eq!(challenge.to_vec(), hex("D0 2E 43 86 BC E9 12 26"));
        let response = challenge_response(challenge, &hash);
        assert_eq!(
            response.to_vec(),
            hex("82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF")
        );
        let authenticator = Authenticator::new(&hash, &response, challenge);
        let text = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
        assert_eq!(authenticator.is_in(text), Some(true));
        assert_eq!(authenticator.is_in(&format!("{text} M=Welcome S=00")), Some(true));
        for end in 3..text.len() {
            assert_ne!(authenticator.is_in(&text[..end]), Some(true));
        }
        assert_eq!(authenticator.is_in(&text.replace("56", "57")), Some(false));
        assert_eq!(authenticator.is_in("M=Welcome"), None);
        assert_eq!(format!("{authenticator:?}"), "Authenticator(20 bytes)");
    }

    /// The widely published hash of the LAN Manager password `PASSWORD`, and that of none.
    #[test]
    fn hashes_of_lan_manager() {
        let hash = |password| lm_hash(password).map(|hash| hash.to_vec());
        assert_eq!(hash(""), Some(hex("AAD3B435B51404EEAAD3B435B51404EE")));
        assert_eq!(hash("Password"), Some(hex("E52CAC67419A9A224A3B108F3FA6CB6D")));
        assert_eq!(hash("PASSWORD"), hash("password"));
        assert_eq!(hash("fifteen-letters"), None);
        assert_eq!(hash("pässword"), None);
    }

    #[test]
    fn challenges_for_a_retry() {
        let before = Secret::new(vec![0xff, 2, 3, 4, 5, 6, 7, 8]);
        let next = |message| next_challenge(message, Some(&before)).map(|next| next.expose().to_vec());
        assert_eq!(next("E=691 R=1 C=0102 V=3 M=no"), Some(vec![1, 2]));
        assert_eq!(next("E=691 R=1 V=2"), Some(vec![22, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(next("E=691 R=0 C=0102 V=3"), None);
        assert_eq!(next("E=691 R=1 C=010 V=3"), None);
        assert_eq!(next_challenge("E=691 R=1", Some(&Secret::new(vec![0; 16]))).map(|next| next.len()), None);
        assert_eq!(next("no"), None);
    }

    /// Made with another implementation: `printf '\x01secretCHALLENGE' | md5sum`.
    #[test]
    fn chap_with_md5() {
        assert_eq!(chap_md5(1, b"secret", b"CHALLENGE").to_vec(), hex("fc36736b5e16415197db2bcd56591853"));
    }
}
