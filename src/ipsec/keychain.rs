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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipsec::sad::MAX_WILDCARDS;
    use crate::ipsec::suite::{ENCRYPTION, integrity_row};
    use crate::ipsec::testing::Sender;
    use crate::ipsec::{Hints, Opening, SaId, Spi, keys};
    use crate::util::Printable;

    fn sender(seed: u8) -> Sender {
        let row = ENCRYPTION.iter().find(|row| row.name == "aes-cbc-128").unwrap();
        Sender::new(row, integrity_row("hmac-sha1-96").unwrap(), seed)
    }

    fn file(name: &str, text: &str) -> KeyFile {
        keys::parse(&Printable::from_text(name), text.as_bytes()).unwrap()
    }

    fn open(sad: &Sad, hints: &mut Hints, spi: u32, seed: u8) -> Option<SaId> {
        let packet = sender(seed).seal(spi, 1, 17, b"payload");
        let [from, to] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        match sad.open(hints, Spi(spi), from, to, &packet, &mut Vec::new()) {
            Opening::Opened { sa, .. } => Some(sa),
            _ => None,
        }
    }

    #[test]
    fn keys_that_come_later_have_places_behind_the_others() {
        let mut keys = Keychain::new([file("a", &(sender(1).toml(1, "") + &sender(2).toml(2, "")))]).unwrap();
        let early = keys.sad();
        let mut hints = Hints::new(&early);
        assert_eq!(open(&early, &mut hints, 2, 2), Some(SaId(1)));
        assert_eq!(open(&early, &mut hints, 3, 3), None);

        // The same SAs in another order, one more, and another key for an SPI that is known.
        let more = [(4, 1), (3, 3), (2, 2), (1, 1)].map(|(seed, spi)| sender(seed).toml(spi, "")).concat();
        keys.add(file("b", &more)).unwrap();
        assert_eq!(keys.len(), 4);
        let late = keys.sad();
        hints.grow(&late);
        assert_eq!(open(&late, &mut hints, 1, 1), Some(SaId(0)));
        assert_eq!(open(&late, &mut hints, 2, 2), Some(SaId(1)));
        assert_eq!(open(&late, &mut hints, 1, 4), Some(SaId(2)));
        assert_eq!(open(&late, &mut hints, 3, 3), Some(SaId(3)));
        let origins: Vec<String> = late.iter().map(|(_, sa)| sa.origin.file.to_string()).collect();
        assert_eq!(origins, ["a", "a", "b", "b"]);
    }

    #[test]
    fn what_is_there_learns_nothing_more() {
        let known = sender(1).toml(1, "");
        let mut keys = Keychain::new([file("a", &known)]).unwrap();
        keys.add(file("b", &sender(1).toml(1, "source = \"192.0.2.1\"\n"))).unwrap();
        let sad = keys.sad();
        assert_eq!((sad.len(), sad.get(SaId(0)).unwrap().source), (1, None));
    }

    #[test]
    fn spis_without_a_key_are_remembered_where_somebody_asks() {
        let sad = Keychain::new([file("a", &sender(1).toml(1, ""))]).unwrap().sad();
        let mut hints = Hints::new(&sad);
        open(&sad, &mut hints, 7, 7);
        assert_eq!(hints.strangers().count(), 0);
        hints.watch();
        for (spi, seed) in [(7, 7), (7, 7), (1, 1), (1, 9)] {
            open(&sad, &mut hints, spi, seed);
        }
        assert_eq!(hints.strangers().collect::<Vec<_>>(), [Spi(7)]);
        assert_eq!(hints.strangers().count(), 0);
    }

    #[test]
    fn no_more_than_the_limits_and_what_had_room_stays() {
        let pattern = |n: usize| format!("IPv4,*,*,0x{n:04x}*,NULL,,HMAC-MD5-96 [RFC2403],key{n}\n");
        let all: String = (0..=MAX_WILDCARDS).map(pattern).collect();
        let mut keys = Keychain::default();
        assert!(matches!(keys.add(file("a", &all)), Err(KeyError::TooMany { .. })));
        assert_eq!(keys.len(), MAX_WILDCARDS);
        keys.add(file("a", &pattern(0))).unwrap();
        assert_eq!(keys.len(), MAX_WILDCARDS);
    }
}
