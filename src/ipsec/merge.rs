//! One SA from its many mentions: repeated dumps, both ends' key files, several dialects.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::keys::{KeyError, SaRecord};
use super::sa::Spi;
use super::sad::{MAX_ASSOCIATIONS, MAX_CANDIDATES};
use super::suite::{Encryption, Integrity, IntegrityRow};

/// Merges the records that are the same SA; those that differ in a key all stay.
pub(super) fn merge(records: impl Iterator<Item = SaRecord>) -> Result<Vec<SaRecord>, KeyError> {
    let mut merged: Vec<SaRecord> = Vec::new();
    let mut places: HashMap<(Option<Spi>, Option<IpAddr>), Vec<usize>> = HashMap::new();
    for record in records {
        let key = (record.spi.exact(), record.destination.exact());
        // A record without a destination is the same SA as one with it, if the keys are the same.
        let nearby = [Some(key), key.1.map(|_| (key.0, None))].into_iter().flatten();
        let found = nearby
            .filter_map(|key| places.get(&key))
            .flat_map(|list| list.iter().take(MAX_CANDIDATES))
            .find(|place| merged.get(**place).is_some_and(|known| is_same(known, &record)))
            .copied();
        if let Some(known) = found.and_then(|place| merged.get_mut(place)) {
            absorb(known, record);
            continue;
        }
        if merged.len() >= MAX_ASSOCIATIONS {
            return Err(KeyError::TooMany { what: "security associations", limit: MAX_ASSOCIATIONS });
        }
        places.entry(key).or_default().push(merged.len());
        merged.push(record);
    }
    Ok(merged)
}

fn is_same(a: &SaRecord, b: &SaRecord) -> bool {
    let addresses = a.spi == b.spi
        && (a.destination == b.destination
            || a.destination.exact().is_none()
            || b.destination.exact().is_none());
    addresses
        && same_encryption(&a.encryption, &b.encryption)
        && same_integrity(&a.integrity, &b.integrity)
        && a.encryption_key.same(&b.encryption_key)
        && a.integrity_key.same(&b.integrity_key)
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
        | (Integrity::Unsupported(_), Integrity::Known(row)) => row.hash.is_none(),
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
