//! One SA from its many mentions: repeated dumps, both ends' key files, several dialects.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::keys::{KeyError, SaRecord};
use super::sa::Spi;
use super::sad::{MAX_ASSOCIATIONS, MAX_CANDIDATES, MAX_WILDCARDS};
use super::suite::{Encryption, Integrity, IntegrityRow};

/// Places in the merged list, by SPI and an address.
type Places = HashMap<(Option<Spi>, Option<IpAddr>), Vec<usize>>;

/// SAs, each once; those that differ in a key all stay.
#[derive(Default)]
pub(super) struct Merged {
    records: Vec<SaRecord>,
    wildcards: usize,
    /// So many records at the beginning learn nothing more.
    settled: usize,
    by_destination: Places,
    by_source: Places,
    by_spi: Places,
}

impl Merged {
    /// The SAs, in the order in which each was first mentioned.
    pub(super) fn records(&self) -> &[SaRecord] {
        &self.records
    }

    /// From now on what is there stays as it is.
    pub(super) fn settle(&mut self) {
        self.settled = self.records.len();
    }

    /// Adds what a record says: to an SA that is there, or a new one at the end.
    pub(super) fn add(&mut self, record: SaRecord) -> Result<(), KeyError> {
        let spi = record.spi.exact();
        let destination = (spi, record.destination.exact());
        let source = (spi, record.source.exact());
        let nearby = [
            self.by_destination.get(&destination),
            self.by_destination.get(&(spi, None)),
            self.by_source.get(&source),
            // Only a record without a destination may be the same as any of this SPI.
            self.by_spi.get(&(spi, None)).filter(|_| destination.1.is_none()),
        ];
        let found = nearby
            .into_iter()
            .flatten()
            .flat_map(|list| list.iter().take(MAX_CANDIDATES))
            .find(|place| self.records.get(**place).is_some_and(|known| is_same(known, &record)))
            .copied();
        if let Some((place, known)) = found.and_then(|place| Some((place, self.records.get_mut(place)?))) {
            if place >= self.settled {
                absorb(known, record);
            }
            return Ok(());
        }
        let place = self.records.len();
        if place >= MAX_ASSOCIATIONS {
            return Err(KeyError::TooMany { what: "security associations", limit: MAX_ASSOCIATIONS });
        }
        if spi.is_none() {
            if self.wildcards >= MAX_WILDCARDS {
                let what = "associations without a definite SPI";
                return Err(KeyError::TooMany { what, limit: MAX_WILDCARDS });
            }
            self.wildcards = self.wildcards.saturating_add(1);
        }
        self.by_destination.entry(destination).or_default().push(place);
        self.by_source.entry(source).or_default().push(place);
        self.by_spi.entry((spi, None)).or_default().push(place);
        self.records.push(record);
        Ok(())
    }
}

fn is_same(a: &SaRecord, b: &SaRecord) -> bool {
    same_addresses(a, b)
        && same_encryption(&a.encryption, &b.encryption)
        && same_integrity(&a.integrity, &b.integrity)
        && a.encryption_key.same(&b.encryption_key)
        && a.integrity_key.same(&b.integrity_key)
}

/// One end may differ: the hosts on both sides of a NAT name it differently. If both do, these are two
/// directions with the same manual keys, or two pairs of hosts.
fn same_addresses(a: &SaRecord, b: &SaRecord) -> bool {
    let is_any = |record: &SaRecord| record.spi.exact().is_some() && record.destination.exact().is_none();
    let same_source = a.source.exact().is_some() && a.source == b.source;
    a.spi == b.spi
        && if a.spi.exact().is_some() {
            a.destination == b.destination || same_source || is_any(a) || is_any(b)
        } else {
            a.destination == b.destination && a.source == b.source
        }
}

fn same_encryption(a: &Encryption, b: &Encryption) -> bool {
    match (a, b) {
        (Encryption::Known(a), Encryption::Known(b)) => std::ptr::eq(*a, *b),
        // The dialects call it differently; the keys decide.
        (Encryption::Unsupported(_), Encryption::Unsupported(_)) => true,
        _ => false,
    }
}

fn same_integrity(a: &Integrity, b: &Integrity) -> bool {
    match (a, b) {
        (Integrity::Known(a), Integrity::Known(b)) => std::ptr::eq(*a, *b) || covers(a, b) || covers(b, a),
        (Integrity::Unsupported(_), Integrity::Unsupported(_)) => true,
        // strongSwan's `esp_sa` writes a combined algorithm as an ICV that nobody checks.
        (Integrity::Known(row), Integrity::Unsupported(_))
        | (Integrity::Unsupported(_), Integrity::Known(row)) => row.mac.is_none(),
    }
}

/// Whether `a` tries what `b` is.
fn covers(a: &IntegrityRow, b: &IntegrityRow) -> bool {
    a.also_tried == Some(b.name)
}

/// Adds what `other` knows to `known`.
fn absorb(known: &mut SaRecord, other: SaRecord) {
    // Only the kernel's dump says 96 where strongSwan's table says 128.
    if let (Integrity::Known(a), Integrity::Known(b)) = (&known.integrity, &other.integrity)
        && covers(a, b)
    {
        known.integrity = other.integrity.clone();
    }
    if known.source.exact().is_none() {
        known.source = other.source;
    }
    if known.destination.exact().is_none() {
        known.destination = other.destination;
    }
    known.extended_sequence = match (known.extended_sequence, other.extended_sequence) {
        (Some(a), Some(b)) if a != b => None,
        (a, b) => a.or(b),
    };
    known.sequence_high = known.sequence_high.max(other.sequence_high);
    known.replay_window = other.replay_window.or(known.replay_window);
    known.mode = known.mode.or(other.mode);
    known.udp_ports = known.udp_ports.or(other.udp_ports);
}
