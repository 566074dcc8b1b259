//! `diagnose vpn tunnel list` of FortiOS: a tunnel with its ends, and an SA for each direction.

use std::net::IpAddr;

use super::super::suite::Vocabulary;
use super::draft::Draft;
use super::{Dialect, Fault, Reason, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "FortiOS diagnose vpn tunnel list", probe, parse };

fn probe(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        direction(line).is_some_and(|(_, rest)| rest.starts_with("spi=") && rest.contains(" esp="))
    })
}

/// Whether the SA is for what the gateway receives, and the rest of the line.
fn direction(line: &str) -> Option<(bool, &str)> {
    match line.strip_prefix("dec:") {
        Some(rest) => Some((true, rest.trim_start())),
        None => Some((false, line.strip_prefix("enc:")?.trim_start())),
    }
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let mut draft: Option<Draft> = None;
    let mut ends: Option<(IpAddr, IpAddr)> = None;
    let mut extended = None;
    for (line, whole) in text::lines(text) {
        let fault = |reason| Fault { line, reason };
        let words = whole.trim();
        if words.starts_with("name=") {
            ends = words.split_whitespace().find_map(|word| {
                let (local, remote) = word.split_once("->")?;
                Some((text::endpoint(local)?, text::endpoint(remote)?))
            });
        }
        if let Some(esn) = words.split_whitespace().find_map(|word| word.strip_prefix("esn=")) {
            extended = Some(esn != "0");
        }
        match direction(words) {
            Some((received, rest)) if rest.starts_with("spi=") => {
                Draft::finish(draft.take(), sink)?;
                let digits = rest.split_whitespace().find_map(|word| word.strip_prefix("spi="));
                let spi = digits.and_then(text::hex_number);
                let expected = Reason::Expected {
                    what: "spi= with hexadecimal digits",
                    column: text::column_of(whole, rest),
                };
                let mut next = Draft::new(Vocabulary::Fortios, line, spi.ok_or_else(|| fault(expected))?);
                next.extended_sequence = extended;
                if let Some((local, remote)) = ends {
                    let (source, destination) = if received { (remote, local) } else { (local, remote) };
                    (next.source, next.destination) = (Some(source), Some(destination));
                }
                draft = Some(next);
            }
            _ => {}
        }
        if let Some(draft) = &mut draft {
            for (name, is_encryption) in [("esp=", true), ("ah=", false)] {
                let Some((algorithm, key)) = text::named(whole, name) else { continue };
                let column = text::column_of(whole, algorithm);
                let digits = key.split_whitespace().nth(1).unwrap_or_default();
                let key = text::hex(digits.as_bytes(), text::column_of(whole, digits)).map_err(fault)?;
                match is_encryption {
                    true => draft.encryption(algorithm, column, key),
                    false => draft.integrity(algorithm, column, key),
                }
                .map_err(fault)?;
            }
        }
    }
    Draft::finish(draft, sink)
}
