//! Wireshark's `ikev1_decryption_table` and `ikev2_decryption_table`, which strongSwan's save-keys plugin writes too.
//!
//! Columns of IKEv1: the initiator's cookie, the encryption key. Of IKEv2: the SPIs of initiator and responder, SK_ei,
//! SK_er, the encryption algorithm, SK_ai, SK_ar, the integrity algorithm.

use super::super::ike_keys::{IkeRecord, MAX_IKE_SAS, V2Keys};
use super::super::ike_suite::{EncryptionRow, IntegrityRow};
use super::super::secret::Secret;
use super::{Dialect, Fault, Reason, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "Wireshark IKE decryption table", probe, parse };

/// What tshark's `-o` option puts before such a line.
const OPTIONS: [&str; 2] = ["uat:ikev1_decryption_table:", "uat:ikev2_decryption_table:"];
/// How many hexadecimal digits an IKE SPI (cookie) has.
const SPI_DIGITS: usize = 16;

fn probe(text: &str) -> bool {
    text::lines(text).any(|(_, line)| is_entry(content(line)))
}

fn content(line: &str) -> &str {
    let line = line.trim();
    OPTIONS.iter().find_map(|option| line.strip_prefix(option)).unwrap_or(line)
}

fn is_entry(line: &str) -> bool {
    let mut columns = line.split(',').map(unquoted);
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    columns.next().is_some_and(|spi| spi.len() == SPI_DIGITS && is_hex(spi))
        && columns.next().is_some_and(is_hex)
}

fn unquoted(column: &str) -> &str {
    let column = column.trim();
    column.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(column)
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    for (number, line) in text::lines(text) {
        let inner = content(line);
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        let record = record(line, inner).map_err(|reason| Fault { line: number, reason })?;
        if sink.ike.len() >= MAX_IKE_SAS {
            return Err(Fault { line: number, reason: Reason::TooMany { limit: MAX_IKE_SAS } });
        }
        sink.ike.push(record);
    }
    Ok(())
}

/// A column without quotes, and where it begins in its line, counted from 1.
#[derive(Clone, Copy)]
struct Column<'a> {
    text: &'a str,
    place: usize,
}

fn record(line: &str, inner: &str) -> Result<IkeRecord, Reason> {
    let columns: Vec<Column<'_>> = inner
        .split(',')
        .map(|column| {
            let text = unquoted(column);
            // Both are parts of one text, so their places tell the column.
            let before = text.as_ptr().addr().saturating_sub(line.as_ptr().addr());
            Column { text, place: before.saturating_add(1) }
        })
        .collect();
    match columns.as_slice() {
        [cookie, key] => Ok(IkeRecord::V1 { cookie: spi(*cookie)?, key: key_of(*key)? }),
        [initiator, responder, ei, er, encryption, ai, ar, integrity] => {
            let spis = (spi(*initiator)?, spi(*responder)?);
            let unknown = |what, column: &Column<'_>| Reason::UnknownAlgorithm { what, column: column.place };
            let row = EncryptionRow::find(encryption.text).ok_or(unknown("encryption", encryption))?;
            let integrity = IntegrityRow::find(integrity.text).ok_or(unknown("integrity", integrity))?;
            let encryption_keys = [sized(row, *ei)?, sized(row, *er)?];
            let integrity_keys = [key_of(*ai)?, key_of(*ar)?];
            if row.icv().is_none() && integrity.hash.is_some() && integrity_keys.iter().any(Secret::is_empty)
            {
                return Err(Reason::Missing { what: "an integrity key" });
            }
            let sa = V2Keys { encryption: row, encryption_keys, integrity, integrity_keys };
            Ok(IkeRecord::V2 { spis, sa })
        }
        _ => Err(Reason::IkeColumns { found: columns.len() }),
    }
}

fn spi(column: Column<'_>) -> Result<u64, Reason> {
    let digits = Some(column.text).filter(|text| text.len() == SPI_DIGITS && !text.starts_with('+'));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or(Reason::Expected { what: "an IKE SPI of 16 hexadecimal digits", column: column.place })
}

fn key_of(column: Column<'_>) -> Result<Secret, Reason> {
    let (digits, place) = match column.text.strip_prefix("0x").or_else(|| column.text.strip_prefix("0X")) {
        Some(digits) => (digits, column.place.saturating_add(2)),
        None => (column.text, column.place),
    };
    text::hex(digits.as_bytes(), place)
}

fn sized(row: &'static EncryptionRow, column: Column<'_>) -> Result<Secret, Reason> {
    let key = key_of(column)?;
    let expected = row.key.saturating_add(row.salt());
    // Other tools ignore a key given for NULL.
    if key.len() != expected && row.key > 0 {
        return Err(Reason::KeyLength { algorithm: row.name, found: key.len(), expected: vec![expected] });
    }
    Ok(key)
}
