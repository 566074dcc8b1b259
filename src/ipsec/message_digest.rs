//! The Message Digest of a control message of L2TPv3, and the keys that are made of a tunnel's secret (RFC 3931
//! sections 4.3, 5.3 and 5.4.1).

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;

/// Octets of the longest digest.
const LONGEST: usize = 20;

/// What a derived key is for: the octet that is hashed with the secret.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// To hide AVPs (section 5.3).
    Hiding = 1,
    /// To authenticate messages (section 5.4.1).
    Authentication = 2,
}

/// The key that a secret gives for a purpose.
pub(super) fn shared_key(secret: &[u8], purpose: Purpose) -> Vec<u8> {
    hmac::<Md5>(secret, [&[purpose as u8][..]])
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// The hash that a digest is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestHash {
    Md5,
    Sha1,
}

/// A digest in a message: where its octets stand, behind the Digest Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DigestPlace {
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// `None` if no RFC says how it is made.
    pub(crate) hash: Option<DigestHash>,
}

/// A message with what its digests are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digested<'a> {
    /// The message, from the first octet of its control header on.
    pub(crate) message: &'a [u8],
    /// Its digests, in the order in which they stand. All are zero where any is computed.
    pub(crate) digests: &'a [DigestPlace],
    /// The nonce of the sender, and that of the receiver: none of them for an SCCRQ, and where they sent none.
    pub(crate) nonces: [&'a [u8]; 2],
}

impl Digested<'_> {
    /// Whether any of its digests is that of the message under a key made for [`Purpose::Authentication`]: a message
    /// with two is good if one is.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        self.digests.iter().any(|place| match place.hash {
            Some(DigestHash::Md5) => self.is_made_with::<Md5>(key, place),
            Some(DigestHash::Sha1) => self.is_made_with::<Sha1>(key, place),
            None => false,
        })
    }

    /// Whether it holds as a check of integrity alone: without a secret and without nonces (section 4.3).
    pub(crate) fn is_intact(&self) -> bool {
        let bare = Digested { nonces: [&[], &[]], ..*self };
        bare.holds(&shared_key(&[], Purpose::Authentication))
    }

    fn is_made_with<D: EagerHash>(&self, key: &[u8], place: &DigestPlace) -> bool {
        let Some(mut mac) = hmac::<D>(key, self.nonces) else { return false };
        let mut at = 0;
        for other in self.digests {
            mac.update(self.message.get(at..other.start).unwrap_or_default());
            let mut left = other.len;
            while left > 0 {
                let zeros = [0; LONGEST];
                let some = zeros.get(..left).unwrap_or(&zeros);
                mac.update(some);
                left = left.saturating_sub(some.len());
            }
            at = other.start.saturating_add(other.len);
        }
        mac.update(self.message.get(at..).unwrap_or_default());
        let end = place.start.saturating_add(place.len);
        self.message.get(place.start..end).is_some_and(|digest| mac.verify_slice(digest).is_ok())
    }
}

fn hmac<'a, D: EagerHash>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Option<Hmac<D>> {
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nonces and messages of `testdata/digest`, which Python made: an SCCRQ and an SCCRP of each hash.
    const INITIATOR: &[u8] = b"@ABCDEFGHIJKLMNO";
    const SECRET: &[u8] = b"digest-s3cret";
    const MD5_SCCRQ: &str = "c80300680000000000000000800800000000000180170000003b00c79250845246a0f2a2b9b8823d13549e8016\
        00000049404142434445464748494a4b4c4d4e4f800a0000003cc0000200800b000000076c63636530800a0000003d1111000180080000003e0005";
    const MD5_SCCRP: &str = "c80300701111000100000001800800000000000280170000003b00caef8475287e3eaad1042da45dd7b4e9801e\
        00000049808182838485868788898a8b8c8d8e8f9091929394959697800a0000003cc0000201800b000000076c63636531800a0000003d2222000180080000003e0005";
    const SHA1_SCCRQ: &str = "c803006c00000000000000008008000000000001801b0000003b013cc555913a573b7fd0806dd0cf4993d13401a4d88016\
        00000049404142434445464748494a4b4c4d4e4f800a0000003cc0000200800b000000076c63636530800a0000003d1111000280080000003e0005";
    const SHA1_SCCRP: &str = "c803007411110002000000018008000000000002801b0000003b0177f1d08898f8e8b34310a2779fd8336b6550406d801e\
        00000049808182838485868788898a8b8c8d8e8f9091929394959697800a0000003cc0000201800b000000076c63636531800a0000003d2222000280080000003e0005";
    const BARE_SCCRQ: &str = "c80300520000000000000000800800000000000180170000003b0059bae85bc6afe9919c949b7d80547d8a80\
        0a0000003cc0000200800b000000076c63636530800a0000003d1111000380080000003e0005";
    /// Where the digest stands behind control header, Message Type and Digest Type.
    const START: usize = 12 + 8 + 7;
    const MD5: DigestPlace = DigestPlace { start: START, len: 16, hash: Some(DigestHash::Md5) };
    const SHA1: DigestPlace = DigestPlace { start: START, len: 20, hash: Some(DigestHash::Sha1) };

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    fn responder() -> Vec<u8> {
        (0x80..0x98).collect()
    }

    fn holds(message: &[u8], place: DigestPlace, nonces: [&[u8]; 2], secret: &[u8]) -> bool {
        let digested = Digested { message, digests: &[place], nonces };
        digested.holds(&shared_key(secret, Purpose::Authentication))
    }

    /// The key of an empty secret is the one that osmo-el2tpd sends its messages with: found in the traffic of Ericsson's
    /// SIU, which sends digests without a secret.
    #[test]
    fn keys_are_made_of_the_secret() {
        assert_eq!(shared_key(&[], Purpose::Authentication), octets("7b6085fbf45933670abcb07a27fcea5e"));
        assert_eq!(shared_key(&[], Purpose::Hiding), octets("b41153dc48510aeee089ee50d9574434"));
    }

    #[test]
    fn digests_of_both_hashes_hold() {
        let none: [&[u8]; 2] = [&[], &[]];
        let nonces = responder();
        let both: [&[u8]; 2] = [&nonces, INITIATOR];
        for (message, place, nonces) in [
            (MD5_SCCRQ, MD5, none),
            (MD5_SCCRP, MD5, both),
            (SHA1_SCCRQ, SHA1, none),
            (SHA1_SCCRP, SHA1, both),
        ] {
            let message = octets(message);
            assert!(holds(&message, place, nonces, SECRET));
            assert!(!holds(&message, place, nonces, b"digest-s3cre"), "another secret");
            assert!(!holds(&message, place, [INITIATOR, &[7]], SECRET), "other nonces");
            for at in 0..message.len() {
                let mut other = message.clone();
                other[at] ^= 0x10;
                assert!(!holds(&other, place, nonces, SECRET), "octet {at} counts");
                assert!(!holds(&message[..at], place, nonces, SECRET), "cut at {at}");
            }
        }
        // The sender's nonce comes first.
        assert!(!holds(&octets(MD5_SCCRP), MD5, [INITIATOR, &nonces], SECRET));
    }

    #[test]
    fn integrity_needs_neither_secret_nor_nonces() {
        let message = octets(BARE_SCCRQ);
        let digested = Digested { message: &message, digests: &[MD5], nonces: [INITIATOR, &[]] };
        assert!(digested.is_intact());
        assert!(!Digested { message: &octets(MD5_SCCRQ), ..digested }.is_intact());
    }

    #[test]
    fn places_outside_the_message_hold_nothing() {
        let message = octets(MD5_SCCRQ);
        for (start, len) in [(usize::MAX, 16), (START, 70_000), (message.len(), 16), (START, 0)] {
            assert!(!holds(&message, DigestPlace { start, len, ..MD5 }, [&[], &[]], SECRET));
        }
    }
}
