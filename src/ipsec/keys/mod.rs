//! Key files: one file here per dialect, found by content.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::util::Printable;

use super::ike_keys::IkeRecord;
use super::sa::{AddressPattern, Mode, Origin, SecurityAssociation, SpiPattern};
use super::secret::Secret;
use super::suite::{Encryption, Integrity};

mod draft;
mod error;
mod esp_sa;
mod esp_sa_table;
mod fortios;
mod ike_tables;
mod routeros;
mod setkey;
mod tcpdump;
mod text;
mod toml_keys;
mod vpp;
mod xfrm;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use error::{KeyError, Reason};
pub use esp_sa_table::{EspSaTable, esp_sa_table};

/// How large a key file may be, in octets. A dump of 40,000 SAs has some 20 MB.
pub const MAX_FILE_OCTETS: u64 = 64 << 20;
/// How many SAs one file may name, repetitions included.
pub const MAX_RECORDS: usize = 1_048_576;
/// What is read of a directory of strongSwan's save-keys plugin.
const DIRECTORY_FILES: [&str; 3] = ["esp_sa", "ikev1_decryption_table", "ikev2_decryption_table"];

/// A way to write keys down.
#[derive(Debug)]
pub struct Dialect {
    /// Its name in messages.
    pub name: &'static str,
    /// Whether a text is written this way. No text fits two dialects, unless two files were joined.
    probe: fn(&str) -> bool,
    parse: fn(&str, &mut Sink) -> Result<(), Fault>,
}

/// Every dialect.
pub static DIALECTS: [Dialect; 9] = [
    xfrm::DIALECT,
    esp_sa::DIALECT,
    toml_keys::DIALECT,
    ike_tables::DIALECT,
    tcpdump::DIALECT,
    setkey::DIALECT,
    fortios::DIALECT,
    routeros::DIALECT,
    vpp::DIALECT,
];

/// What a key file holds. Its SAs go onto a [`Keychain`](super::Keychain), or straight into a [`Sad`](super::Sad).
#[derive(Debug)]
pub struct KeyFile {
    /// Name of the file or directory.
    pub name: Printable,
    /// Names of the dialects it is written in: one, or one for each file of a directory.
    pub dialects: Vec<&'static str>,
    /// Entries without keys, which are no use: larval SAs of the kernel.
    pub keyless: usize,
    /// Entries for other protocols than ESP.
    pub other_protocols: usize,
    pub(in crate::ipsec) records: Vec<SaRecord>,
    pub(in crate::ipsec) ike: Vec<IkeRecord>,
}

impl KeyFile {
    /// How many entries with keys for ESP there are, repetitions included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many entries with keys for IKE there are, repetitions included.
    pub fn ike_len(&self) -> usize {
        self.ike.len()
    }
}

/// One mention of an SA in a key file.
#[derive(Debug)]
pub(in crate::ipsec) struct SaRecord {
    pub(in crate::ipsec) spi: SpiPattern,
    pub(in crate::ipsec) source: AddressPattern,
    pub(in crate::ipsec) destination: AddressPattern,
    pub(in crate::ipsec) encryption: Encryption,
    pub(in crate::ipsec) encryption_key: Secret,
    pub(in crate::ipsec) integrity: Integrity,
    pub(in crate::ipsec) integrity_key: Secret,
    pub(in crate::ipsec) extended_sequence: Option<bool>,
    pub(in crate::ipsec) sequence_high: u32,
    pub(in crate::ipsec) replay_window: Option<u32>,
    pub(in crate::ipsec) mode: Option<Mode>,
    pub(in crate::ipsec) udp_ports: Option<(u16, u16)>,
    pub(in crate::ipsec) origin: Origin,
}

impl SaRecord {
    /// All but the keys.
    pub(in crate::ipsec) fn association(&self) -> SecurityAssociation {
        SecurityAssociation {
            spi: self.spi,
            source: self.source.exact(),
            destination: self.destination.exact(),
            encryption: self.encryption.clone(),
            integrity: self.integrity.clone(),
            extended_sequence: self.extended_sequence,
            sequence_high: self.sequence_high,
            replay_window: self.replay_window,
            mode: self.mode,
            udp_ports: self.udp_ports,
            origin: self.origin.clone(),
        }
    }
}

/// What is wrong in which line.
#[derive(Debug)]
struct Fault {
    line: u32,
    reason: Reason,
}

/// Where a parser puts what it finds.
#[derive(Debug)]
struct Sink {
    file: Printable,
    keyless: usize,
    other_protocols: usize,
    records: Vec<SaRecord>,
    ike: Vec<IkeRecord>,
}

impl Sink {
    fn origin(&self, line: u32) -> Origin {
        Origin { file: self.file.clone(), line }
    }

    fn push(&mut self, record: SaRecord) -> Result<(), Fault> {
        if self.records.len() >= MAX_RECORDS {
            return Err(Fault { line: record.origin.line, reason: Reason::TooMany { limit: MAX_RECORDS } });
        }
        self.records.push(record);
        Ok(())
    }
}

/// Reads a key file, or a directory of strongSwan's save-keys plugin.
///
/// # Errors
///
/// [`KeyError`] if it cannot be read, is too large, is in no known dialect or has a fault.
pub fn load(path: &Path) -> Result<KeyFile, KeyError> {
    let name = Printable::from_bytes(path.as_os_str().as_encoded_bytes());
    let mut whole: Option<KeyFile> = None;
    for (inner, text) in texts(path)? {
        let part = parse(&inner, &text)?;
        whole = Some(match whole {
            None => part,
            Some(before) => join(before, part),
        });
    }
    whole.map(|file| KeyFile { name: name.clone(), ..file }).ok_or(KeyError::EmptyDirectory { file: name })
}

/// The name of a key file, and what stands in it.
pub type Text = (Printable, Zeroizing<Vec<u8>>);

/// The text of a key file with its name, or of each that is not empty in a directory of strongSwan's save-keys plugin.
///
/// # Errors
///
/// [`KeyError`] if it cannot be read.
pub fn texts(path: &Path) -> Result<Vec<Text>, KeyError> {
    let name = Printable::from_bytes(path.as_os_str().as_encoded_bytes());
    let failed = |cause| KeyError::Read { file: name.clone(), cause };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        let text = read(path, &name)?;
        return Ok(vec![(name, text)]);
    }
    let mut texts = Vec::new();
    for inner in DIRECTORY_FILES.map(|file| path.join(file)) {
        if !inner.is_file() {
            continue;
        }
        let inner_name = Printable::from_bytes(inner.as_os_str().as_encoded_bytes());
        let text = read(&inner, &inner_name)?;
        if !text.trim_ascii().is_empty() {
            texts.push((inner_name, text));
        }
    }
    Ok(texts)
}

fn join(mut whole: KeyFile, mut part: KeyFile) -> KeyFile {
    whole.dialects.append(&mut part.dialects);
    whole.records.append(&mut part.records);
    whole.keyless = whole.keyless.saturating_add(part.keyless);
    whole.other_protocols = whole.other_protocols.saturating_add(part.other_protocols);
    whole.ike.append(&mut part.ike);
    whole
}

fn read(path: &Path, name: &Printable) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |cause| KeyError::Read { file: name.clone(), cause };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_FILE_OCTETS);
    // Room for all of it at once: a vector that grows leaves copies of keys behind.
    let room = usize::try_from(length.saturating_add(1)).unwrap_or(0);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_FILE_OCTETS.saturating_add(1)).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

/// Reads the text of a key file; `name` is for messages.
///
/// # Errors
///
/// [`KeyError`] if it is too large, is in no known dialect or has a fault.
pub fn parse(name: &Printable, text: &[u8]) -> Result<KeyFile, KeyError> {
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_FILE_OCTETS) {
        return Err(KeyError::TooLarge { file: name.clone(), limit: MAX_FILE_OCTETS });
    }
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let text = std::str::from_utf8(text).map_err(|error| {
        let before = text.get(..error.valid_up_to()).unwrap_or_default();
        KeyError::Line { file: name.clone(), line: text::line_of(before), reason: Reason::NotText }
    })?;
    let mut claims = DIALECTS.iter().filter(|dialect| (dialect.probe)(text));
    let dialect = claims.next().ok_or_else(|| KeyError::UnknownDialect { file: name.clone() })?;
    if let Some(other) = claims.next() {
        return Err(KeyError::TwoDialects { file: name.clone(), first: dialect.name, second: other.name });
    }
    let mut sink =
        Sink { file: name.clone(), keyless: 0, other_protocols: 0, records: Vec::new(), ike: Vec::new() };
    (dialect.parse)(text, &mut sink).map_err(|Fault { line, reason }| KeyError::Line {
        file: name.clone(),
        line,
        reason,
    })?;
    Ok(KeyFile {
        name: name.clone(),
        dialects: vec![dialect.name],
        keyless: sink.keyless,
        other_protocols: sink.other_protocols,
        records: sink.records,
        ike: sink.ike,
    })
}

/// Whether users other than the owner may read the key file, or a key file in the directory.
///
/// Always `false` where files have no such permissions, and for what cannot be examined.
pub fn readable_by_others(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            mode(&metadata) & 0o011 != 0
                && DIRECTORY_FILES
                    .iter()
                    .filter_map(|file| fs::metadata(path.join(file)).ok())
                    .any(|metadata| mode(&metadata) & 0o044 != 0)
        }
        Ok(metadata) => metadata.is_file() && mode(&metadata) & 0o044 != 0,
        Err(_) => false,
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode()
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}
