//! Keys that become more: those that a capture begins with, and those that come while it goes on.

use std::fmt;

use super::ike_keys::IkeKeys;
use super::keys::{KeyError, KeyFile};
use super::merge::Merged;
use super::sad::Sad;

/// The keys of a run. What is on it stays as it is and where it is, so that the [`SaId`](super::SaId)s of one [`Sad`] are
/// those of all later ones.
#[derive(Default)]
pub struct Keychain {
    esp: Merged,
    ike: IkeKeys,
}

impl Keychain {
    /// Takes the keys out of `files`, merging SAs that are the same.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooMany`] if there are more than [`Sad::build`] takes.
    pub fn new(files: impl IntoIterator<Item = KeyFile>) -> Result<Self, KeyError> {
        let mut keys = Self::default();
        files.into_iter().try_for_each(|file| keys.put(file))?;
        Ok(keys)
    }

    /// Adds the keys of another file behind those that are there; what is there already stays as it is.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooMany`] if not all of them have room; those before are added then.
    pub fn add(&mut self, file: KeyFile) -> Result<(), KeyError> {
        self.esp.settle();
        self.put(file)
    }

    fn put(&mut self, file: KeyFile) -> Result<(), KeyError> {
        file.ike.into_iter().try_for_each(|record| self.ike.add(record))?;
        file.records.into_iter().try_for_each(|record| self.esp.add(record))
    }

    /// How many SAs there are, of ESP and IKE.
    pub fn len(&self) -> usize {
        self.esp.records().len().saturating_add(self.ike.len())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, ready to open packets.
    pub fn sad(&self) -> Sad {
        Sad::of(self.esp.records(), self.ike.clone())
    }
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keychain({} SAs)", self.len())
    }
}
