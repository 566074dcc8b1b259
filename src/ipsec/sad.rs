//! The security association database: which keys may fit a packet.

use std::fmt;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;

use super::ike_keys::IkeKeys;
use super::keychain::Keychain;
use super::keyed::Keyed;
use super::keys::{KeyError, KeyFile, SaRecord};
use super::sa::{AddressPattern, SaId, SecurityAssociation, Spi, SpiPattern};

/// How many different SAs one run may hold. Each costs about 1 KiB.
pub const MAX_ASSOCIATIONS: usize = 262_144;
/// How many SAs may have a pattern instead of an SPI. A packet without a better match is tried with each.
pub const MAX_WILDCARDS: usize = 256;
/// How many SAs a packet is tried with for its SPI (and destination); the rest of a longer list is left out.
pub const MAX_CANDIDATES: usize = 64;

/// The SAs of a run. It does not change while packets are opened, so it can be shared by threads; where keys are added,
/// a [`Keychain`] makes another one.
pub struct Sad {
    associations: Vec<SecurityAssociation>,
    /// By [`SaId`]; `None` where an algorithm cannot be computed. It has its full size from the beginning: keys are not
    /// moved about.
    pub(super) keyed: Vec<Option<Keyed>>,
    pub(super) exact: Exact,
    pub(super) by_spi: HashMap<Spi, Slot>,
    pub(super) members: Vec<SaId>,
    pub(super) wildcards: Vec<Wildcard>,
    left_out: usize,
    ike: IkeKeys,
}

/// A list of SAs: one SA by itself (`length` 1), or so many entries of [`Sad::members`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// Lists of SAs by SPI and destination. Every packet is looked up here: for IPv4 an entry is two words, so that tens of
/// thousands stay near.
#[derive(Default)]
pub(super) struct Exact {
    v4: HashMap<u64, Slot>,
    v6: HashMap<(Spi, Ipv6Addr), Slot>,
}

impl Exact {
    fn v4(spi: Spi, destination: Ipv4Addr) -> u64 {
        u64::from(spi.0) << 32 | u64::from(destination.to_bits())
    }

    fn insert(&mut self, spi: Spi, destination: IpAddr, slot: Slot) {
        match destination {
            IpAddr::V4(address) => self.v4.insert(Self::v4(spi, address), slot),
            IpAddr::V6(address) => self.v6.insert((spi, address), slot),
        };
    }

    #[inline]
    pub(super) fn get(&self, spi: Spi, destination: IpAddr) -> Option<Slot> {
        match destination {
            IpAddr::V4(address) => self.v4.get(&Self::v4(spi, address)),
            IpAddr::V6(address) => self.v6.get(&(spi, address)),
        }
        .copied()
    }
}

/// An SA that is found by comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wildcard {
    pub(super) spi: SpiPattern,
    pub(super) source: AddressPattern,
    pub(super) destination: AddressPattern,
    pub(super) sa: SaId,
}

impl Sad {
    /// Takes the SAs out of `files`, merging those that are the same, and computes all key schedules.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooMany`] if there are more than [`MAX_ASSOCIATIONS`], [`MAX_WILDCARDS`] or
    /// [`MAX_IKE_SAS`](super::ike_keys::MAX_IKE_SAS).
    pub fn build(files: impl IntoIterator<Item = KeyFile>) -> Result<Self, KeyError> {
        Keychain::new(files).map(|keys| keys.sad())
    }

    /// Computes the key schedules of `records`, whose places become their [`SaId`]s.
    pub(super) fn of(records: &[SaRecord], ike: IkeKeys) -> Self {
        let mut sad = Self {
            associations: Vec::with_capacity(records.len()),
            keyed: Vec::with_capacity(records.len()),
            exact: Exact::default(),
            by_spi: HashMap::new(),
            members: Vec::new(),
            wildcards: Vec::new(),
            left_out: 0,
            ike,
        };
        let mut exact: HashMap<(Spi, IpAddr), Vec<SaId>> = HashMap::with_capacity(records.len());
        let mut by_spi: HashMap<Spi, Vec<SaId>> = HashMap::with_capacity(records.len());
        for (record, id) in records.iter().zip((0u32..).map(SaId)) {
            match record.spi.exact() {
                Some(spi) => {
                    by_spi.entry(spi).or_default().push(id);
                    if let Some(destination) = record.destination.exact() {
                        exact.entry((spi, destination)).or_default().push(id);
                    }
                }
                None => {
                    let (spi, source, destination) = (record.spi, record.source, record.destination);
                    sad.wildcards.push(Wildcard { spi, source, destination, sa: id });
                }
            }
            sad.keyed.push(Keyed::new(record));
            sad.associations.push(record.association());
        }
        // The order of the maps decides where a list lies, never what is in it.
        for ((spi, destination), list) in exact {
            let slot = sad.slot(list);
            sad.exact.insert(spi, destination, slot);
        }
        for (key, list) in by_spi {
            let slot = sad.slot(list);
            sad.by_spi.insert(key, slot);
        }
        sad
    }

    /// Stores a list of candidates: those that prove themselves by an ICV first, those that cannot be used
    /// last.
    fn slot(&mut self, mut list: Vec<SaId>) -> Slot {
        list.sort_by_key(|id| match self.keyed(*id) {
            Some(keyed) if keyed.has_mac() => 0,
            Some(_) => 1,
            None => 2,
        });
        self.left_out = self.left_out.saturating_add(list.len().saturating_sub(MAX_CANDIDATES));
        list.truncate(MAX_CANDIDATES);
        if let [one] = list.as_slice() {
            return Slot { start: one.0, length: 1 };
        }
        let start = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(list.len()).unwrap_or(0);
        self.members.append(&mut list);
        Slot { start, length }
    }

    pub(super) fn keyed(&self, id: SaId) -> Option<&Keyed> {
        self.keyed.get(id.index())?.as_ref()
    }

    /// The SA with this id.
    pub fn get(&self, id: SaId) -> Option<&SecurityAssociation> {
        self.associations.get(id.index())
    }

    /// How many octets the IV and the ICV of a packet of this SA have, if its suite can be opened.
    pub fn lengths(&self, id: SaId) -> Option<(usize, usize)> {
        self.keyed(id).map(Keyed::lengths)
    }

    /// Whether there is an SA for these packets, whether or not its key fits.
    pub fn expected(&self, spi: Spi, destination: IpAddr) -> Option<&SecurityAssociation> {
        let to = |sa: &SecurityAssociation| sa.destination.is_none_or(|known| known == destination);
        self.associations.iter().find(|sa| sa.spi.fits(spi) && to(sa))
    }

    /// All SAs in the order of the key files.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SaId, &SecurityAssociation)> {
        self.associations
            .iter()
            .enumerate()
            .map(|(index, sa)| (SaId(u32::try_from(index).unwrap_or(u32::MAX)), sa))
    }

    /// How many SAs there are.
    pub fn len(&self) -> usize {
        self.associations.len()
    }

    /// Whether there is no SA.
    pub fn is_empty(&self) -> bool {
        self.associations.is_empty()
    }

    /// The keys of IKE SAs.
    pub fn ike(&self) -> &IkeKeys {
        &self.ike
    }

    /// How many entries of candidate lists were left out because one SPI had more than [`MAX_CANDIDATES`]
    /// SAs.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl Default for Sad {
    /// No SA at all.
    fn default() -> Self {
        Self {
            associations: Vec::new(),
            keyed: Vec::new(),
            exact: Exact::default(),
            by_spi: HashMap::new(),
            members: Vec::new(),
            wildcards: Vec::new(),
            left_out: 0,
            ike: IkeKeys::default(),
        }
    }
}

impl fmt::Debug for Sad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.associations).finish()
    }
}
