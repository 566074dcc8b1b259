//! tcpdump's `-E`: `SPI@ADDRESS ALGORITHM:KEY`, several with commas or line by line, on the command line or in a
//! file. Without an SPI a secret is for every packet.

use super::super::sa::{AddressPattern, SpiPattern};
use super::super::suite::{Vocabulary, integrity_row};
use super::draft::Draft;
use super::{Dialect, Fault, Reason, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "tcpdump -E", probe, parse };

/// What is appended to an algorithm whose packets end with 96 bits that nobody checks.
const WITH_ICV: &str = "-hmac96";

fn probe(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let (Some(ends), Some(secret)) = (words.next(), words.next()) else { return false };
        ends.split_once('@').is_some_and(|(spi, _)| text::number(spi).is_some()) && secret.contains(':')
    }) || {
        // A secret alone, as on the command line.
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let only = lines.next().unwrap_or_default();
        lines.next().is_none() && only.split_once(':').is_some_and(|(name, _)| is_algorithm(name))
    }
}

fn is_algorithm(name: &str) -> bool {
    let name = name.strip_suffix(WITH_ICV).unwrap_or(name);
    super::super::suite::ENCRYPTION
        .iter()
        .any(|row| row.names.of(Vocabulary::Tcpdump).iter().any(|known| known.eq_ignore_ascii_case(name)))
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    for (line, whole) in text::lines(text) {
        for entry in whole.split(',').map(str::trim) {
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            self::entry(whole, entry, line, sink)?;
        }
    }
    Ok(())
}

fn entry(whole: &str, entry: &str, line: u32, sink: &mut Sink) -> Result<(), Fault> {
    let fault = |reason| Fault { line, reason };
    let column = text::column_of(whole, entry);
    let expected = |what| Reason::Expected { what, column };
    let (ends, secret) = match entry.split_once(char::is_whitespace) {
        Some((ends, secret)) => (Some(ends), secret.trim_start()),
        None => (None, entry),
    };
    let (spi, destination) = match ends {
        None => (SpiPattern::masked(0, 0), AddressPattern::ANY),
        Some(ends) => ends
            .split_once('@')
            .and_then(|(spi, address)| Some((text::spi_pattern(spi)?, text::address_pattern(address)?)))
            .ok_or_else(|| fault(expected("SPI@ADDRESS, such as 0xc0de0001@192.0.2.1")))?,
    };
    let (name, secret) =
        secret.split_once(':').ok_or_else(|| fault(expected("ALGORITHM:KEY, such as 3des-cbc:0x…")))?;
    let (name, icv) = match name.strip_suffix(WITH_ICV) {
        Some(name) => (name, "unchecked-96"),
        None => (name, "none"),
    };
    let at = text::column_of(whole, secret);
    let key = text::key(secret.as_bytes(), at).map_err(fault)?;
    let mut draft = Draft::new(Vocabulary::Tcpdump, line, 0);
    draft.encryption(name, text::column_of(whole, name), key).map_err(fault)?;
    let integrity = integrity_row(icv).ok_or_else(|| fault(Reason::Missing { what: "the ICV" }))?;
    let record = draft.record(sink, integrity)?;
    sink.push(super::SaRecord { spi, destination, ..record })
}
