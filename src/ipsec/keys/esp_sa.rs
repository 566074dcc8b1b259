//! Wireshark's `esp_sa` table, which strongSwan's save-keys plugin writes too.
//!
//! Columns: protocol, source, destination, SPI, encryption, its key, authentication, its key; newer versions
//! add the length of sequence numbers and their high half.

use zeroize::Zeroizing;

use super::super::sa::AddressPattern;
use super::super::suite::{Integrity, Vocabulary, find_integrity, is_combined};
use super::{Dialect, Fault, Reason, SaRecord, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "Wireshark esp_sa", probe, parse };

/// What tshark's `-o` option puts before such a line.
const OPTION: &str = "uat:esp_sa:";
/// The longest line has ten; one more may be there to be counted.
const MOST_COLUMNS: usize = 11;
const PROTOCOLS: [&str; 3] = ["IPv4", "IPv6", "Any"];

fn probe(text: &str) -> bool {
    text::lines(text).any(|(_, line)| {
        let line = content(line);
        let line = line.strip_prefix('"').unwrap_or(line);
        line.split_once(',').is_some_and(|(first, _)| {
            let first = first.trim_end().trim_end_matches('"');
            PROTOCOLS.iter().any(|protocol| first.eq_ignore_ascii_case(protocol))
        })
    })
}

fn content(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix(OPTION).unwrap_or(line)
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    for (number, line) in text::lines(text) {
        let inner = content(line);
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        let shift = line.find(inner).unwrap_or(0);
        let record = fields(inner.as_bytes(), shift)
            .and_then(|fields| record(&fields, number, sink))
            .map_err(|reason| Fault { line: number, reason })?;
        sink.push(record)?;
    }
    Ok(())
}

/// A column: its octets without quotes, and where it starts in the line, counted from 1.
struct Field {
    octets: Zeroizing<Vec<u8>>,
    column: usize,
}

impl Field {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.octets).unwrap_or("\u{fffd}")
    }
}

/// Splits a line at its commas. Quoted columns may hold commas, and `\x22` or `\"` for octets that need it.
fn fields(line: &[u8], shift: usize) -> Result<Vec<Field>, Reason> {
    let mut fields = Vec::with_capacity(10);
    let mut octets = line.iter().copied().zip(shift.saturating_add(1)..).peekable();
    loop {
        // Each takes room for a whole line.
        if fields.len() >= MOST_COLUMNS {
            return Err(Reason::Columns { found: fields.len().saturating_add(1) });
        }
        while octets.next_if(|(octet, _)| octet.is_ascii_whitespace()).is_some() {}
        // Room for all of it at once: a vector that grows leaves copies of keys behind.
        let mut field = Zeroizing::new(Vec::with_capacity(line.len()));
        let mut column = octets.peek().map_or(line.len().saturating_add(shift), |(_, column)| *column);
        if let Some((_, quote)) = octets.next_if(|(octet, _)| *octet == b'"') {
            column = quote.saturating_add(1);
            loop {
                match octets.next() {
                    Some((b'"', _)) => break,
                    Some((b'\\', place)) => field.push(escaped(&mut octets, place)?),
                    Some((octet, _)) => field.push(octet),
                    None => return Err(Reason::OpenQuote { column: quote }),
                }
            }
            while octets.next_if(|(octet, _)| octet.is_ascii_whitespace()).is_some() {}
        } else {
            while let Some((octet, _)) = octets.next_if(|(octet, _)| *octet != b',') {
                field.push(octet);
            }
            let length = field.trim_ascii_end().len();
            field.truncate(length);
        }
        fields.push(Field { octets: field, column });
        match octets.next() {
            None => return Ok(fields),
            Some((b',', _)) => {}
            Some((_, column)) => return Err(Reason::Expected { what: "a comma", column }),
        }
    }
}

/// The octet that an escape stands for.
fn escaped(octets: &mut impl Iterator<Item = (u8, usize)>, place: usize) -> Result<u8, Reason> {
    let wrong = Reason::Expected { what: "an escape like \\x22", column: place };
    match octets.next() {
        Some((b'x', _)) => {
            let mut digit = || octets.next().and_then(|(octet, _)| char::from(octet).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(wrong) };
            u8::try_from(high << 4 | low).map_err(|_| wrong)
        }
        Some((octet @ (b'"' | b'\\'), _)) => Ok(octet),
        _ => Err(wrong),
    }
}

fn record(fields: &[Field], line: u32, sink: &Sink) -> Result<SaRecord, Reason> {
    let ([protocol, source, destination, spi, encryption, encryption_key, integrity, integrity_key], extra) =
        fields.split_first_chunk().ok_or(Reason::Columns { found: fields.len() })?;
    let (length, high) = match extra {
        [] => (None, None),
        [length, high] => (Some(length), Some(high)),
        _ => return Err(Reason::Columns { found: fields.len() }),
    };
    if !PROTOCOLS.iter().any(|known| protocol.text().eq_ignore_ascii_case(known)) {
        return Err(Reason::Expected { what: "IPv4 or IPv6", column: protocol.column });
    }
    let spi = text::spi_pattern(spi.text())
        .ok_or(Reason::Expected { what: "an SPI like 0xc0de0001", column: spi.column })?;
    let encryption_key = text::key(&encryption_key.octets, encryption_key.column)?;
    let found = find_integrity(Vocabulary::Wireshark, integrity.text(), None)
        .map_err(|_| Reason::UnknownAlgorithm { what: "integrity", column: integrity.column });
    // strongSwan tells the length of a combined mode's ICV in the name of an algorithm that checks nothing.
    let icv = match &found {
        Ok(Integrity::Known(row)) if row.icv > 0 => Some(row.icv),
        _ => None,
    };
    let cipher =
        text::encryption(Vocabulary::Wireshark, encryption.text(), encryption.column, &encryption_key, icv)?;
    let own = text::own_integrity(&cipher).filter(|_| is_combined(Vocabulary::Wireshark, encryption.text()));
    let (integrity, integrity_key) = if let Some(own) = own {
        (own, super::Secret::default())
    } else {
        let found = found?;
        let key = match &found {
            Integrity::Known(row) if row.mac.is_none() => super::Secret::default(),
            _ => text::key(&integrity_key.octets, integrity_key.column)?,
        };
        (text::keyed(found, &key)?, key)
    };
    // "32-bit" is what the table starts with, so it tells nothing.
    let extended_sequence = length.filter(|length| length.text().starts_with("64")).map(|_| true);
    let high = high.filter(|high| extended_sequence.is_some() && !high.octets.is_empty());
    let sequence_high = match high {
        None => 0,
        Some(high) => {
            let digits = high.text().trim_start_matches("0x");
            u32::from_str_radix(digits, 16)
                .map_err(|_| Reason::Expected { what: "a number", column: high.column })?
        }
    };
    Ok(SaRecord {
        spi,
        source: address(source)?,
        destination: address(destination)?,
        encryption: cipher,
        encryption_key,
        integrity,
        integrity_key,
        extended_sequence,
        sequence_high,
        replay_window: None,
        mode: None,
        udp_ports: None,
        origin: sink.origin(line),
    })
}

fn address(field: &Field) -> Result<AddressPattern, Reason> {
    text::address_pattern(field.text())
        .ok_or(Reason::Expected { what: "an address or *", column: field.column })
}
