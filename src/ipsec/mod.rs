//! Keys and crypto: bytes in, bytes out.
//!
//! [`keys`] reads security associations from what hosts print and tools save, [`Sad`] holds them and opens
//! ESP packets with them, and a [`Keychain`] makes a larger one when keys are added. Nothing here knows a protocol above ESP, and no key leaves this module.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

pub mod keys;
pub mod sa;
pub mod sad;
pub mod secret;
pub mod suite;

mod aes_mac;
mod cbc_cipher;
mod combined;
mod ctr_cipher;
mod hmac_mac;
mod ike_cipher;
pub mod ike_keys;
mod ike_suite;
mod keychain;
mod keyed;
mod merge;
mod message_digest;
mod ms_chap;
mod open;
mod secrets_file;
mod tunnel_secrets;
mod users;

#[cfg(test)]
mod combined_vectors;
#[cfg(test)]
mod ike_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use ike_keys::IkeKeys;
pub use keychain::Keychain;
pub(crate) use message_digest::{DigestHash, DigestPlace, Digested};
pub use ms_chap::Authenticator;
pub(crate) use ms_chap::next_challenge;
pub(crate) use open::Ahead;
pub use open::{Hints, Opening};
pub use sa::{Mode, Origin, SaId, SecurityAssociation, Spi, SpiPattern};
pub use sad::Sad;
pub use secret::Secret;
pub use secrets_file::SecretsFile;
pub use tunnel_secrets::TunnelSecrets;
pub(crate) use tunnel_secrets::{HiddenValue, HidingVersion};
pub use users::{Attempt, Proof, Scheme, Users, Verdict};
