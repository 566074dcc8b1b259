//! The secrets that LAC and LNS share. With a tunnel's secret its hidden AVPs can be read (RFC 2661 section 4.3, RFC
//! 3931 section 5.3), and what proves it can be checked.

use std::fmt;
use std::net::IpAddr;

use md5::{Digest as _, Md5};
use toml::de::DeTable;

use super::keys::Reason;
use super::message_digest::{Digested, Purpose, shared_key};
use super::secret::Secret;

/// Octets of an MD5 digest, and of a block of a hidden value.
const BLOCK: usize = 16;
/// The Original Length field before the value.
const LENGTH: usize = 2;

/// The secrets of tunnels.
#[derive(Default)]
pub struct TunnelSecrets(Vec<Row>);

#[derive(Default)]
struct Row {
    ends: [Option<IpAddr>; 2],
    secret: Secret,
    /// The keys that L2TPv3 makes of it.
    hiding: Secret,
    authentication: Secret,
}

/// A hidden value, and what stands around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HiddenValue<'a> {
    pub(crate) version: HidingVersion,
    pub(crate) attribute: u16,
    /// The Random Vector before it.
    pub(crate) vector: &'a [u8],
    pub(crate) octets: &'a [u8],
}

/// How AVPs are hidden: both versions do the same, with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HidingVersion {
    /// With the secret (RFC 2661 section 4.3).
    V2,
    /// With a key made of the secret (RFC 3931 section 5.3).
    V3,
}

impl fmt::Debug for TunnelSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TunnelSecrets({})", self.0.len())
    }
}

impl TunnelSecrets {
    /// Secrets that one run may hold; a hidden AVP is tried with each that fits its addresses.
    pub const MOST: usize = 64;

    /// Adds what a table `[[tunnel]]` holds.
    pub(super) fn add(&mut self, table: &DeTable<'_>) -> Result<(), Reason> {
        if self.0.len() >= Self::MOST {
            return Err(Reason::TooMany { limit: Self::MOST });
        }
        self.0.push(row(table)?);
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `response` answers `challenge` in a message of type `message` between these ends: a CHAP response with
    /// the message type as Identifier (RFC 2661 section 5.1.1). `None` if there is no secret for such a tunnel.
    pub(crate) fn proves(
        &self,
        ends: [IpAddr; 2],
        message: u8,
        challenge: &[u8],
        response: &[u8],
    ) -> Option<bool> {
        let mut rows = self.0.iter().filter(|row| row.is_for(ends)).peekable();
        rows.peek()?;
        let answers = |row: &Row| {
            let mut digest = Md5::new();
            digest.update([message]);
            digest.update(row.secret.expose());
            digest.update(challenge);
            digest.finalize().as_slice() == response
        };
        Some(rows.any(answers))
    }

    /// Whether a secret of a tunnel between these ends made a digest of this message. `None` if there is no such secret.
    pub(crate) fn authenticates(&self, ends: [IpAddr; 2], digested: &Digested<'_>) -> Option<bool> {
        let mut rows = self.0.iter().filter(|row| row.is_for(ends)).peekable();
        rows.peek()?;
        Some(rows.any(|row| digested.holds(row.authentication.expose())))
    }

    /// Reads the value of a hidden AVP into `out`: Original Length, value, padding. Says how many octets the value has;
    /// `None` if no secret makes sense of it, and then `out` keeps its length.
    ///
    /// `fits` says whether a value may have so many octets: the length is all that proves a secret (RFC 2661 section
    /// 4.3 has no checksum).
    pub(crate) fn unhide(
        &self,
        ends: [IpAddr; 2],
        hidden: HiddenValue<'_>,
        fits: impl Fn(usize) -> bool,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let start = out.len();
        for row in self.0.iter().filter(|row| row.is_for(ends)) {
            row.reveal(hidden, out);
            let length =
                out.get(start..start.saturating_add(LENGTH)).and_then(|octets| octets.try_into().ok());
            let length = length.map(u16::from_be_bytes).map_or(usize::MAX, usize::from);
            if length <= hidden.octets.len().saturating_sub(LENGTH) && fits(length) {
                return Some(length);
            }
            out.truncate(start);
        }
        None
    }
}

impl Row {
    /// Whether the tunnel between these addresses may have this secret, whichever of them is the LAC.
    fn is_for(&self, ends: [IpAddr; 2]) -> bool {
        let known = |end: &Option<IpAddr>| end.is_none_or(|address| ends.contains(&address));
        self.ends.iter().all(known)
    }

    /// RFC 2661 section 4.3: each block is XORed with a digest, of Attribute Type, key and Random Vector for the
    /// first, of key and the hidden block before for the others.
    fn reveal(&self, hidden: HiddenValue<'_>, out: &mut Vec<u8>) {
        let key = match hidden.version {
            HidingVersion::V2 => self.secret.expose(),
            HidingVersion::V3 => self.hiding.expose(),
        };
        let mut digest = Md5::new();
        digest.update(hidden.attribute.to_be_bytes());
        digest.update(key);
        digest.update(hidden.vector);
        for block in hidden.octets.chunks(BLOCK) {
            let mask = digest.finalize();
            out.extend(block.iter().zip(mask).map(|(octet, mask)| octet ^ mask));
            digest = Md5::new();
            digest.update(key);
            digest.update(block);
        }
    }
}

fn row(table: &DeTable<'_>) -> Result<Row, Reason> {
    let mut row = Row::default();
    for (key, value) in table {
        let text = |key| {
            let text = value.get_ref().as_str();
            text.ok_or(Reason::WrongType { key, expected: "text in quotes" })
        };
        match key.get_ref().as_ref() {
            "secret" => row.secret = Secret::new(text("secret")?.as_bytes().to_vec()),
            "lac" => row.ends[0] = Some(address(text("lac")?)?),
            "lns" => row.ends[1] = Some(address(text("lns")?)?),
            _ => return Err(Reason::WrongType { key: "each key", expected: "secret, lac or lns" }),
        }
    }
    if row.secret.is_empty() {
        return Err(Reason::Missing { what: "secret" });
    }
    let key = |purpose| Secret::new(shared_key(row.secret.expose(), purpose));
    (row.hiding, row.authentication) = (key(Purpose::Hiding), key(Purpose::Authentication));
    Ok(row)
}

fn address(text: &str) -> Result<IpAddr, Reason> {
    text.parse().map_err(|_| Reason::WrongType { key: "lac or lns", expected: "an address in quotes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> TunnelSecrets {
        let name = crate::util::Printable::from_text("secrets.toml");
        crate::ipsec::SecretsFile::parse(&name, text).unwrap().tunnels
    }

    fn of_version_2<'a>(vector: &'a [u8], octets: &'a [u8]) -> HiddenValue<'a> {
        HiddenValue { version: HidingVersion::V2, attribute: 21, vector, octets }
    }

    #[test]
    fn what_was_hidden_by_the_rfc_is_read_again() {
        let known =
            secrets("[[tunnel]]\nsecret = \"wrong\"\n[[tunnel]]\nlns = \"192.0.2.1\"\nsecret = \"right\"\n");
        let (vector, value) = ([7; 16], *b"0123456789abcdef0123");
        let mut plain = vec![0, 20];
        plain.extend(value);
        plain.extend([0xee; 5]);
        // Hide as section 4.3 says, block by block.
        let mut hidden = Vec::new();
        let mut digest = Md5::digest([&[0u8, 21][..], b"right", &vector].concat());
        for block in plain.chunks(16) {
            let start = hidden.len();
            hidden.extend(block.iter().zip(digest).map(|(octet, mask)| octet ^ mask));
            digest = Md5::digest([b"right", &hidden[start..]].concat());
        }
        let ends = ["192.0.2.1".parse().unwrap(), "198.51.100.1".parse().unwrap()];
        let mut out = vec![9];
        assert_eq!(
            known.unhide(ends, of_version_2(&vector, &hidden), |length| length == 20, &mut out),
            Some(20)
        );
        assert_eq!(out[3..23], value);
        let strangers = ["203.0.113.1".parse().unwrap(); 2];
        let mut out = Vec::new();
        assert_eq!(
            known.unhide(strangers, of_version_2(&vector, &hidden), |length| length == 20, &mut out),
            None
        );
        assert!(out.is_empty());
        for len in 0..hidden.len() {
            known.unhide(ends, of_version_2(&vector, &hidden[..len]), |_| true, &mut Vec::new());
        }
    }
}
