//! Users and their passwords, and what the proof that a peer gave of its password says of them.

use std::fmt;

use subtle::ConstantTimeEq;
use toml::de::DeTable;

use crate::util::Printable;

use super::keys::Reason;
use super::ms_chap::{self, RESPONSE};
use super::secret::Secret;

use super::ms_chap::Authenticator;

/// The users that may dial in, and their passwords.
#[derive(Default)]
pub struct Users(Vec<User>);

struct User {
    name: String,
    password: Secret,
}

/// How a password is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// It is sent as it is (RFC 1334).
    Pap,
    /// CHAP with MD5 (RFC 1994), and the MD5-Challenge of EAP (RFC 3748 section 5.4).
    Md5,
    /// MS-CHAP (RFC 2433).
    MsChap,
    /// MS-CHAPv2 (RFC 2759).
    MsChap2,
}

impl Scheme {
    /// That of a Challenge and a Response of CHAP with Values of these sizes.
    pub fn of(challenge: usize, response: usize) -> Option<Self> {
        match (challenge, response) {
            (1.., 16) => Some(Self::Md5),
            (8, 49) => Some(Self::MsChap),
            (16, 49) => Some(Self::MsChap2),
            _ => None,
        }
    }

    /// The algorithm of CHAP that LCP names for it.
    pub fn algorithm(self) -> Option<u8> {
        match self {
            Self::Pap => None,
            Self::Md5 => Some(5),
            Self::MsChap => Some(0x80),
            Self::MsChap2 => Some(0x81),
        }
    }
}

/// What a peer sent to prove its password.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// How.
    pub scheme: Scheme,
    /// The Identifier of the Response.
    pub identifier: u8,
    /// The Value of the Challenge; nothing for PAP.
    pub challenge: &'a Secret,
    /// The Value of the Response, or the password.
    pub response: &'a Secret,
    /// The name that the peer gave.
    pub name: &'a str,
}

/// What the passwords that were given say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is made with the password of that user.
    Right,
    /// It is not made with the password of that user, nor with that of another one who was tried.
    WrongPassword,
    /// It is made with the password of another user.
    OtherUser {
        /// Who has it.
        user: Printable,
        /// Whether the name that the peer gave has a password too.
        listed: bool,
    },
    /// It is made with the right password, but with this name in place of the one that RFC 2759 section 8.2 wants.
    OtherName(Printable),
}

/// A verdict, and by what the server shows that it knows the password as well.
#[derive(Debug)]
pub struct Proof {
    /// The verdict.
    pub verdict: Verdict,
    /// Of MS-CHAPv2, if the response is right.
    pub authenticator: Option<Authenticator>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.0.len())
    }
}

impl Users {
    /// Users that one run may hold.
    pub const MOST: usize = 1024;
    /// Users whose password is tried on a response that gives another name, the first of the file.
    const OTHERS: usize = 64;

    /// Adds what a table `[[user]]` holds.
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

    /// Holds what a peer sent against the passwords; `None` if they say nothing of it.
    pub fn prove(&self, attempt: &Attempt<'_>) -> Option<Proof> {
        let presented = account(attempt.name);
        let named = || self.0.iter().filter(|user| user.is_called(attempt.name));
        for user in named() {
            if attempt.fits(user, presented)? {
                let authenticator = attempt.authenticator(user, presented);
                return Some(Proof { verdict: Verdict::Right, authenticator });
            }
        }
        let proof = |verdict| Some(Proof { verdict, authenticator: None });
        if attempt.scheme == Scheme::MsChap2 {
            for user in named() {
                for form in [attempt.name, user.name.as_str(), account(&user.name)] {
                    if attempt.fits(user, form)? {
                        return proof(Verdict::OtherName(Printable::from_text(form)));
                    }
                }
            }
        }
        let listed = named().next().is_some();
        for user in self.0.iter().take(Self::OTHERS).filter(|user| !user.is_called(attempt.name)) {
            if attempt.fits(user, presented)? {
                return proof(Verdict::OtherUser { user: Printable::from_text(&user.name), listed });
            }
        }
        if listed { proof(Verdict::WrongPassword) } else { None }
    }
}

impl User {
    /// Whether it is the user that a peer calls so, with the Windows NT domain or without (RFC 2759 section 4).
    fn is_called(&self, name: &str) -> bool {
        let whole = self.name.contains('\\') && name.contains('\\');
        let [own, other] = if whole { [&self.name, name] } else { [account(&self.name), account(name)] };
        own.eq_ignore_ascii_case(other)
    }

    fn password(&self) -> &str {
        // It was text in the file.
        std::str::from_utf8(self.password.expose()).unwrap_or_default()
    }
}

/// A name without its Windows NT domain.
fn account(name: &str) -> &str {
    name.rsplit_once('\\').map_or(name, |(_, account)| account)
}

impl Attempt<'_> {
    /// Whether this user's password, and for MS-CHAPv2 this name, give the response. `None` if that cannot be said.
    fn fits(&self, user: &User, name: &str) -> Option<bool> {
        let response = self.response.expose();
        let same = |expected: &[u8], given: &[u8]| bool::from(expected.ct_eq(given));
        match self.scheme {
            Scheme::Pap => Some(user.password.same(self.response)),
            Scheme::Md5 => {
                let expected =
                    ms_chap::chap_md5(self.identifier, user.password.expose(), self.challenge.expose());
                Some(same(&expected, response))
            }
            Scheme::MsChap => {
                let challenge = self.challenge.expose().try_into().ok()?;
                let (lm, rest) = response.split_at_checked(RESPONSE)?;
                let (nt, flags) = rest.split_at_checked(RESPONSE)?;
                if flags.first()? & 1 == 1 {
                    let hash = ms_chap::nt_hash(user.password());
                    Some(same(&ms_chap::challenge_response(challenge, &hash), nt))
                } else {
                    let hash = ms_chap::lm_hash(user.password())?;
                    Some(same(&ms_chap::challenge_response(challenge, &hash), lm))
                }
            }
            Scheme::MsChap2 => {
                let challenge = self.hashed(name)?;
                let hash = ms_chap::nt_hash(user.password());
                Some(same(&ms_chap::challenge_response(challenge, &hash), self.nt_response()?))
            }
        }
    }

    /// What the server answers to a right response.
    fn authenticator(&self, user: &User, name: &str) -> Option<Authenticator> {
        if self.scheme != Scheme::MsChap2 {
            return None;
        }
        let hash = ms_chap::nt_hash(user.password());
        Some(Authenticator::new(&hash, self.nt_response()?, self.hashed(name)?))
    }

    /// The challenge of MS-CHAPv2 for a user of this name.
    fn hashed(&self, name: &str) -> Option<[u8; 8]> {
        let peer = self.response.expose().get(..16)?;
        Some(ms_chap::challenge_hash(peer, self.challenge.expose(), name.as_bytes()))
    }

    fn nt_response(&self) -> Option<&[u8]> {
        self.response.expose().get(24..48)
    }
}

fn row(table: &DeTable<'_>) -> Result<User, Reason> {
    let (mut name, mut password) = (None, None);
    for (key, value) in table {
        let text = |key| {
            let text = value.get_ref().as_str();
            text.ok_or(Reason::WrongType { key, expected: "text in quotes" })
        };
        match key.get_ref().as_ref() {
            "name" => name = Some(text("name")?.to_owned()),
            "password" => password = Some(Secret::new(text("password")?.as_bytes().to_vec())),
            _ => return Err(Reason::WrongType { key: "each key", expected: "name or password" }),
        }
    }
    let name = name.filter(|name| !name.is_empty()).ok_or(Reason::Missing { what: "name" })?;
    Ok(User { name, password: password.ok_or(Reason::Missing { what: "password" })? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipsec::ms_chap::octets;

    fn users(rows: &[(&str, &str)]) -> Users {
        let user = |&(name, password): &(&str, &str)| User {
            name: name.to_owned(),
            password: Secret::new(password.as_bytes().to_vec()),
        };
        Users(rows.iter().map(user).collect())
    }

    const CHALLENGE: [u8; 16] = *b"\x5b\x5d\x7c\x7d\x7b\x3f\x2f\x3e\x3c\x2c\x60\x21\x32\x26\x26\x28";

    /// The Value of a Response of MS-CHAPv2 with the Peer-Challenge of RFC 2759 section 9.2.
    fn second(password: &str, name: &str) -> Secret {
        let peer = b"\x21\x40\x23\x24\x25\x5e\x26\x2a\x28\x29\x5f\x2b\x3a\x33\x7c\x7e";
        let challenge = ms_chap::challenge_hash(peer, &CHALLENGE, name.as_bytes());
        let response = ms_chap::challenge_response(challenge, &ms_chap::nt_hash(password));
        Secret::new([&peer[..], &[0; 8], &response, &[0]].concat())
    }

    fn verdict(
        users: &Users,
        scheme: Scheme,
        challenge: &[u8],
        response: &Secret,
        name: &str,
    ) -> Option<Verdict> {
        let challenge = &Secret::new(challenge.to_vec());
        users.prove(&Attempt { scheme, identifier: 1, challenge, response, name }).map(|proof| proof.verdict)
    }

    fn other(user: &str, listed: bool) -> Option<Verdict> {
        Some(Verdict::OtherUser { user: Printable::from_text(user), listed })
    }

    #[test]
    fn passwords_in_the_clear() {
        let known = users(&[("alice", "one"), ("bob", "two")]);
        let prove = |name, password: &str| {
            verdict(&known, Scheme::Pap, &[], &Secret::new(password.as_bytes().to_vec()), name)
        };
        assert_eq!(prove("alice", "one"), Some(Verdict::Right));
        assert_eq!(prove("BIGCO\\alice", "one"), Some(Verdict::Right));
        assert_eq!(prove("alice", "three"), Some(Verdict::WrongPassword));
        assert_eq!(prove("alice", "two"), other("bob", true));
        assert_eq!(prove("carol", "two"), other("bob", false));
        assert_eq!(prove("carol", "three"), None);
        assert_eq!(prove("alice", ""), Some(Verdict::WrongPassword));
    }

    #[test]
    fn domains_of_windows_nt() {
        let known = users(&[("BIGCO\\johndoe", "secret")]);
        let prove =
            |name, hashed| verdict(&known, Scheme::MsChap2, &CHALLENGE, &second("secret", hashed), name);
        for name in ["johndoe", "BIGCO\\johndoe", "bigco\\johndoe"] {
            assert_eq!(prove(name, "johndoe"), Some(Verdict::Right), "{name}");
        }
        // Section 8.2 excludes the domain.
        let form = |name| Some(Verdict::OtherName(Printable::from_text(name)));
        assert_eq!(prove("johndoe", "BIGCO\\johndoe"), form("BIGCO\\johndoe"));
        assert_eq!(prove("bigco\\johndoe", "bigco\\johndoe"), form("bigco\\johndoe"));
        assert_eq!(prove("JOHNDOE", "johndoe"), form("johndoe"));
        assert_eq!(prove("johndoe", "somebody"), Some(Verdict::WrongPassword));
        // Another domain has another johndoe.
        assert_eq!(prove("OTHER\\johndoe", "johndoe"), other("BIGCO\\johndoe", false));
    }

    /// RFC 2759 section 9.2.
    #[test]
    fn version_2_proves_the_server_too() {
        let known = users(&[("bob", "else"), ("User", "clientPass")]);
        let response = second("clientPass", "User");
        let attempt = Attempt {
            scheme: Scheme::MsChap2,
            identifier: 9,
            challenge: &Secret::new(CHALLENGE.to_vec()),
            response: &response,
            name: "User",
        };
        let proof = known.prove(&attempt).unwrap();
        assert_eq!(proof.verdict, Verdict::Right);
        let server = proof.authenticator.unwrap();
        assert_eq!(server.is_in("S=407A5589115FD0D6209F510FE9C04566932CDA56 M=x"), Some(true));
        assert_eq!(
            verdict(&known, Scheme::MsChap2, &CHALLENGE, &second("else", "User"), "User"),
            other("bob", true)
        );
        let wrong = second("wrong", "User");
        assert_eq!(
            verdict(&known, Scheme::MsChap2, &CHALLENGE, &wrong, "User"),
            Some(Verdict::WrongPassword)
        );
    }

    /// RFC 2433 appendix B.2, and the same with the LAN Manager response.
    #[test]
    fn version_1_says_which_response_counts() {
        let known = users(&[("u", "MyPw")]);
        let challenge = octets("102DB5DF085D3041").unwrap();
        let nt = octets("4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61").unwrap();
        let eight = challenge.as_slice().try_into().unwrap();
        let lm = ms_chap::challenge_response(eight, &ms_chap::lm_hash("mypw").unwrap());
        let prove = |known: &Users, lm: &[u8], nt: &[u8], flag: u8| {
            let response = Secret::new([lm, nt, &[flag]].concat());
            verdict(known, Scheme::MsChap, &challenge, &response, "u")
        };
        assert_eq!(prove(&known, &[0; 24], &nt, 1), Some(Verdict::Right));
        assert_eq!(prove(&known, &lm, &[0; 24], 0), Some(Verdict::Right));
        assert_eq!(prove(&known, &lm, &[0; 24], 1), Some(Verdict::WrongPassword));
        assert_eq!(prove(&known, &[0; 24], &nt, 0), Some(Verdict::WrongPassword));
        // No LAN Manager password has so many characters.
        assert_eq!(prove(&users(&[("u", "fifteen-letters")]), &lm, &[0; 24], 0), None);
    }

    #[test]
    fn md5_and_sizes() {
        let known = users(&[("u", "secret")]);
        let response = Secret::new(ms_chap::chap_md5(1, b"secret", b"abc").to_vec());
        assert_eq!(verdict(&known, Scheme::Md5, b"abc", &response, "u"), Some(Verdict::Right));
        assert_eq!(verdict(&known, Scheme::Md5, b"abd", &response, "u"), Some(Verdict::WrongPassword));
        assert_eq!(Scheme::of(3, 16), Some(Scheme::Md5));
        assert_eq!(Scheme::of(8, 49), Some(Scheme::MsChap));
        assert_eq!(Scheme::of(16, 49), Some(Scheme::MsChap2));
        for (challenge, response) in [(0, 16), (15, 49), (16, 48), (0, 0)] {
            assert_eq!(Scheme::of(challenge, response), None);
        }
        // Whatever the sizes, nothing breaks.
        for scheme in [Scheme::Pap, Scheme::Md5, Scheme::MsChap, Scheme::MsChap2] {
            for size in 0..50 {
                verdict(&known, scheme, &CHALLENGE[..size.min(16)], &Secret::new(vec![1; size]), "u");
            }
        }
    }
}
