//! `/ip ipsec installed-sa print` of RouterOS: words `name=value` over several lines, an SA from `spi=` to `spi=`.

use super::super::suite::Vocabulary;
use super::draft::Draft;
use super::{Dialect, Fault, Reason, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "RouterOS installed-sa print", probe, parse };

fn probe(text: &str) -> bool {
    text.contains("enc-algorithm=") && text.contains("spi=")
}

/// The name of an algorithm, and where it stands.
type Name = Option<(String, usize)>;

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let mut draft: Option<Draft> = None;
    let (mut cipher, mut mac): (Name, Name) = (None, None);
    for (line, whole) in text::lines(text) {
        let fault = |reason| Fault { line, reason };
        for word in whole.split_whitespace() {
            let Some((name, value)) = word.split_once('=') else { continue };
            let value = value.trim_matches('"');
            let column = text::column_of(whole, value);
            if name == "spi" {
                finish(draft.take(), (&cipher, &mac), sink)?;
                (cipher, mac) = (None, None);
                let expected = Reason::Expected { what: "an SPI like 0xC0DE0001", column };
                let spi = text::number(value).ok_or_else(|| fault(expected))?;
                draft = Some(Draft::new(Vocabulary::Routeros, line, spi));
                continue;
            }
            let Some(draft) = &mut draft else { continue };
            match name {
                "src-address" => draft.source = text::endpoint(value),
                "dst-address" => draft.destination = text::endpoint(value),
                "enc-algorithm" => cipher = Some((value.to_owned(), column)),
                "auth-algorithm" => mac = Some((value.to_owned(), column)),
                "enc-key" => draft.keys.0 = text::hex(value.as_bytes(), column).map_err(fault)?,
                "auth-key" => draft.keys.1 = text::hex(value.as_bytes(), column).map_err(fault)?,
                _ => {}
            }
        }
    }
    finish(draft, (&cipher, &mac), sink)
}

/// The keys may stand before or after the names, so both are put together at the end.
fn finish(draft: Option<Draft>, (cipher, mac): (&Name, &Name), sink: &mut Sink) -> Result<(), Fault> {
    let Some(mut draft) = draft else { return Ok(()) };
    let fault = |line| move |reason| Fault { line, reason };
    let line = draft.line;
    let (encryption_key, integrity_key) = std::mem::take(&mut draft.keys);
    if let Some((name, column)) = cipher {
        draft.encryption(name, *column, encryption_key).map_err(fault(line))?;
    }
    if let Some((name, column)) = mac {
        draft.integrity(name, *column, integrity_key).map_err(fault(line))?;
    }
    Draft::finish(Some(draft), sink)
}
