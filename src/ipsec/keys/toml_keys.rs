//! This tool's own key file: TOML with a table `[[sa]]` for each SA.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::sa::{AddressPattern, Spi, SpiPattern};
use super::super::suite::{Encryption, Integrity, Vocabulary, find_integrity, integrity_row, is_combined};
use super::{Dialect, Fault, Reason, SaRecord, Secret, Sink, text};
use crate::util::Printable;

pub(super) const DIALECT: Dialect = Dialect { name: "TOML with [[sa]]", probe, parse };

/// Longest name of an unknown key that a message repeats. A longer one may be a secret in a wrong place.
const LONGEST_KEY_NAME: usize = 32;
const HEX: &str = "a string of hexadecimal digits";

fn probe(text: &str) -> bool {
    text::lines(text).any(|(_, line)| {
        let line = line.trim();
        let inner = line.strip_prefix("[[").and_then(|rest| rest.split_once("]]"));
        inner.is_some_and(|(name, _)| name.trim() == "sa")
    })
}

/// The text and what turns places in it into lines and columns.
struct Place<'a>(&'a str);

impl Place<'_> {
    fn line(&self, at: usize) -> u32 {
        text::line_of(self.0.as_bytes().get(..at).unwrap_or_default())
    }

    fn column(&self, at: usize) -> usize {
        let before = self.0.as_bytes().get(..at).unwrap_or_default();
        before.rsplit(|octet| *octet == b'\n').next().map_or(1, |line| line.len().saturating_add(1))
    }

    fn fault(&self, span: &Range<usize>, reason: Reason) -> Fault {
        Fault { line: self.line(span.start), reason }
    }
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let place = Place(text);
    // The library's own message quotes the line, so only its position is used.
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Fault { line: place.line(at), reason: Reason::NotToml { column: place.column(at) } }
    })?;
    for (key, value) in root.get_ref() {
        if key.get_ref() != "sa" {
            return Err(place.fault(&key.span(), unknown_key(key.get_ref())));
        }
        let wrong =
            || place.fault(&value.span(), Reason::WrongType { key: "sa", expected: "written [[sa]]" });
        for entry in value.get_ref().as_array().ok_or_else(wrong)? {
            let table = entry.get_ref().as_table().ok_or_else(wrong)?;
            let record = Entry::read(&place, table)?.finish(&place, entry.span(), sink)?;
            sink.push(record)?;
        }
    }
    Ok(())
}

fn unknown_key(name: &str) -> Reason {
    let is_word = name.len() <= LONGEST_KEY_NAME
        && name.bytes().all(|octet| octet.is_ascii_alphabetic() || matches!(octet, b'-' | b'_'))
        && !name.bytes().all(|octet| octet.is_ascii_hexdigit());
    let name = if is_word { name } else { "(not a word)" };
    Reason::UnknownKey { name: Printable::from_text(name) }
}

/// A string of the file and where it stands.
struct Text<'a> {
    value: &'a str,
    span: Range<usize>,
}

/// The keys of one `[[sa]]`, not yet checked against each other.
#[derive(Default)]
struct Entry<'a> {
    spi: Option<u32>,
    source: Option<Text<'a>>,
    destination: Option<Text<'a>>,
    encryption: Option<Text<'a>>,
    encryption_key: Option<Text<'a>>,
    integrity: Option<Text<'a>>,
    integrity_key: Option<Text<'a>>,
    extended_sequence: Option<bool>,
}

impl<'a> Entry<'a> {
    fn read(place: &Place<'_>, table: &'a DeTable<'_>) -> Result<Self, Fault> {
        let mut entry = Self::default();
        for (key, value) in table {
            let string = |key, expected| string(place, key, expected, value).map(Some);
            match key.get_ref().as_ref() {
                "spi" => entry.spi = Some(spi(place, value)?),
                "source" => entry.source = string("source", "an address in quotes")?,
                "destination" => entry.destination = string("destination", "an address in quotes")?,
                "encryption" => entry.encryption = string("encryption", "a name in quotes")?,
                "encryption-key" => entry.encryption_key = string("encryption-key", HEX)?,
                "integrity" => entry.integrity = string("integrity", "a name in quotes")?,
                "integrity-key" => entry.integrity_key = string("integrity-key", HEX)?,
                "extended-sequence" => {
                    let expected = Reason::WrongType { key: "extended-sequence", expected: "true or false" };
                    let value =
                        value.get_ref().as_bool().ok_or_else(|| place.fault(&value.span(), expected))?;
                    entry.extended_sequence = Some(value);
                }
                other => return Err(place.fault(&key.span(), unknown_key(other))),
            }
        }
        Ok(entry)
    }

    fn finish(self, place: &Place<'_>, span: Range<usize>, sink: &Sink) -> Result<SaRecord, Fault> {
        let missing = |what| place.fault(&span, Reason::Missing { what });
        let spi = self.spi.ok_or_else(|| missing("spi"))?;
        let name = self.encryption.ok_or_else(|| missing("encryption"))?;
        let encryption_key = hex(place, self.encryption_key.as_ref())?;
        let encryption = encryption(place, &name, &encryption_key)?;
        let integrity_key = hex(place, self.integrity_key.as_ref())?;
        let integrity = match &self.integrity {
            None => match is_combined(Vocabulary::Toml, name.value) {
                true => text::own_integrity(&encryption).ok_or_else(|| missing("integrity"))?,
                false => Integrity::Known(integrity_row("none").ok_or_else(|| missing("integrity"))?),
            },
            Some(name) => find_integrity(Vocabulary::Toml, name.value, None)
                .map_err(|_| Reason::UnknownAlgorithm {
                    what: "integrity",
                    column: place.column(name.span.start),
                })
                .and_then(|found| text::keyed(found, &integrity_key))
                .map_err(|reason| place.fault(&name.span, reason))?,
        };
        if let (Integrity::Known(row), Some(key)) = (&integrity, &self.integrity_key)
            && !row.needs_key()
        {
            let reason = Reason::Missing { what: "integrity (there is an integrity-key)" };
            return Err(place.fault(&key.span, reason));
        }
        Ok(SaRecord {
            spi: SpiPattern::exactly(Spi(spi)),
            source: address(place, "source", self.source)?,
            destination: address(place, "destination", self.destination)?,
            encryption,
            encryption_key,
            integrity,
            integrity_key,
            extended_sequence: self.extended_sequence,
            sequence_high: 0,
            replay_window: None,
            mode: None,
            udp_ports: None,
            origin: sink.origin(place.line(span.start)),
        })
    }
}

fn string<'a>(
    place: &Place<'_>,
    key: &'static str,
    expected: &'static str,
    value: &'a Spanned<DeValue<'_>>,
) -> Result<Text<'a>, Fault> {
    let span = value.span();
    match value.get_ref().as_str() {
        Some(value) => Ok(Text { value, span }),
        None => Err(place.fault(&span, Reason::WrongType { key, expected })),
    }
}

fn spi(place: &Place<'_>, value: &Spanned<DeValue<'_>>) -> Result<u32, Fault> {
    let wrong =
        || place.fault(&value.span(), Reason::WrongType { key: "spi", expected: "a number like 0xc0de0001" });
    match value.get_ref() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).map_err(|_| wrong()),
        DeValue::String(Cow::Borrowed(number)) => text::number(number).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn hex(place: &Place<'_>, key: Option<&Text<'_>>) -> Result<Secret, Fault> {
    let Some(Text { value, span }) = key else {
        return Ok(Secret::default());
    };
    let digits = value.strip_prefix("0x").unwrap_or(value);
    // The digits start after the quote and perhaps `0x`.
    let skipped = value.len().saturating_sub(digits.len()).saturating_add(1);
    text::hex(digits.as_bytes(), place.column(span.start).saturating_add(skipped))
        .map_err(|reason| place.fault(span, reason))
}

fn encryption(place: &Place<'_>, name: &Text<'_>, key: &Secret) -> Result<Encryption, Fault> {
    text::encryption(Vocabulary::Toml, name.value, place.column(name.span.start), key, None)
        .map_err(|reason| place.fault(&name.span, reason))
}

fn address(place: &Place<'_>, key: &'static str, text: Option<Text<'_>>) -> Result<AddressPattern, Fault> {
    let Some(Text { value, span }) = text else {
        return Ok(AddressPattern::ANY);
    };
    value
        .parse()
        .map(AddressPattern::exactly)
        .map_err(|_| place.fault(&span, Reason::WrongType { key, expected: "an IPv4 or IPv6 address" }))
}
