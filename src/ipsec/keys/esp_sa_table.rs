//! Wireshark's `esp_sa` table from what key files say: the one way that keys leave this tool, for a file of the user's.

use std::hash::BuildHasher as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use hashbrown::HashMap;
use zeroize::Zeroizing;

use super::super::sa::{AddressPattern, SpiPattern};
use super::super::suite::{Encryption, INTEGRITY, Integrity, IntegrityRow, Mac, Vocabulary};
use super::{KeyFile, SaRecord};

/// The table, and how much went into it.
pub struct EspSaTable {
    /// Its lines. They hold keys.
    pub lines: Zeroizing<Vec<u8>>,
    /// How many lines there are.
    pub associations: usize,
    /// How many SAs have an algorithm that Wireshark has no name for.
    pub unknown: usize,
}

/// Octets that a line takes at the most besides its keys.
const LINE: usize = 320;

/// Makes the table of all SAs of `files`, each once.
///
/// A line has eight columns, which every version of Wireshark reads. Extended sequence numbers are not told: older
/// versions refuse the whole table for the columns that say so, and decryption needs them only for combined modes,
/// which no version gives them.
pub fn esp_sa_table(files: &[KeyFile]) -> EspSaTable {
    let records = || files.iter().flat_map(|file| &file.records);
    let room = records().fold(0_usize, |sum, record| {
        let keys = record.encryption_key.len().saturating_add(record.integrity_key.len());
        sum.saturating_add(LINE).saturating_add(keys.saturating_mul(4))
    });
    // Room for all of it at once: a vector that grows leaves copies of keys behind.
    let mut lines = Zeroizing::new(Vec::with_capacity(room));
    let (mut associations, mut unknown) = (0_usize, 0_usize);
    // Where lines stand, by their hash: no other copy of a key is made.
    let mut written: HashMap<u64, Range<usize>> = HashMap::new();
    for record in records() {
        let Some(line) = line(record) else {
            unknown = unknown.saturating_add(1);
            continue;
        };
        let hash = written.hasher().hash_one(line.as_slice());
        if written.get(&hash).and_then(|place| lines.get(place.clone())) == Some(line.as_slice()) {
            continue;
        }
        let start = lines.len();
        lines.extend_from_slice(&line);
        written.insert(hash, start..lines.len());
        associations = associations.saturating_add(1);
    }
    EspSaTable { lines, associations, unknown }
}

fn line(record: &SaRecord) -> Option<Zeroizing<Vec<u8>>> {
    let (Encryption::Known(encryption), Integrity::Known(integrity)) =
        (&record.encryption, &record.integrity)
    else {
        return None;
    };
    let cipher = encryption.names.of(Vocabulary::Wireshark).first()?;
    let (checked, has_key) = match encryption.integrity() {
        // Its ICV is told by the name of the cipher.
        Some(_) => ("NULL", false),
        None => named(integrity)?,
    };
    let any_v6 = [record.source, record.destination]
        .iter()
        .any(|address| matches!(address.exact(), Some(IpAddr::V6(_))));
    let any_v4 = [record.source, record.destination]
        .iter()
        .any(|address| matches!(address.exact(), Some(IpAddr::V4(_))));
    let keys = record.encryption_key.len().saturating_add(record.integrity_key.len());
    let mut out = Zeroizing::new(Vec::with_capacity(keys.saturating_mul(4).saturating_add(LINE)));
    for version in [(!any_v6).then_some("IPv4"), (!any_v4).then_some("IPv6")].into_iter().flatten() {
        let (source, destination) = (address(record.source), address(record.destination));
        let spi = spi(record.spi);
        let _ = write!(out, "\"{version}\",\"{source}\",\"{destination}\",\"{spi}\",\"{cipher}\",\"");
        hex(record.encryption_key.expose(), &mut out);
        let _ = write!(out, "\",\"{checked}\",\"");
        if has_key {
            hex(record.integrity_key.expose(), &mut out);
        }
        out.extend_from_slice(b"\"\n");
    }
    Some(out)
}

/// What Wireshark calls an integrity algorithm, and whether it wants the key. One that it cannot compute is named by its
/// length alone.
fn named(row: &IntegrityRow) -> Option<(&'static str, bool)> {
    match row.mac {
        Some(Mac::Hmac(_)) => row.names.of(Vocabulary::Wireshark).first().map(|name| (*name, true)),
        None => row.names.of(Vocabulary::Wireshark).first().map(|name| (*name, false)),
        Some(_) => INTEGRITY
            .iter()
            .find(|other| other.mac.is_none() && other.icv == row.icv)
            .and_then(|other| other.names.of(Vocabulary::Wireshark).first())
            .map(|name| (*name, false)),
    }
}

/// A pattern that is no single address becomes any address: the SPI tells enough.
fn address(pattern: AddressPattern) -> String {
    pattern.exact().map_or_else(|| String::from("*"), |address| address.to_string())
}

fn spi(pattern: SpiPattern) -> String {
    match pattern.to_string().replace('?', "*") {
        any if any == "0x********" => String::from("*"),
        spi => spi,
    }
}

fn hex(key: &[u8], out: &mut Vec<u8>) {
    if !key.is_empty() {
        out.extend_from_slice(b"0x");
    }
    for octet in key {
        let _ = write!(out, "{octet:02x}");
    }
}
