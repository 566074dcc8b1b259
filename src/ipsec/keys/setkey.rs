//! `setkey -D` of KAME and its descendants (FreeBSD, NetBSD, macOS, ipsec-tools).
//!
//! An SA begins with its addresses at the left margin; what follows is indented.

use super::super::suite::Vocabulary;
use super::draft::Draft;
use super::{Dialect, Fault, Reason, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "setkey -D", probe, parse };

fn probe(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let protocol = words.next().is_some_and(|word| word.starts_with("esp") || word.starts_with("ah"));
        protocol && words.any(|word| word.starts_with("mode=")) && line.contains(" spi=")
    })
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let mut draft: Option<Draft> = None;
    let mut ends = None;
    for (line, whole) in text::lines(text) {
        let fault = |reason| Fault { line, reason };
        let (words, column) = (whole.trim(), text::column_of(whole, whole.trim_start()));
        if !whole.starts_with([' ', '\t']) {
            Draft::finish(draft.take(), sink)?;
            let mut addresses = words.split_whitespace().map(text::endpoint);
            ends = match (addresses.next(), addresses.next()) {
                (Some(Some(source)), Some(Some(destination))) => Some((source, destination)),
                _ => None,
            };
            continue;
        }
        let Some((source, destination)) = ends else { continue };
        let Some((first, rest)) = words.split_once(char::is_whitespace) else { continue };
        let at = column.saturating_add(first.len()).saturating_add(1);
        match first {
            "esp" | "esp-udp" => {
                let spi = value(rest, "spi=").and_then(|spi| text::number(spi.split('(').next()?));
                let expected = Reason::Expected { what: "spi=… with a number", column: at };
                let mut next = Draft::new(Vocabulary::Setkey, line, spi.ok_or_else(|| fault(expected))?);
                (next.source, next.destination) = (Some(source), Some(destination));
                next.mode = value(rest, "mode=").and_then(text::mode);
                draft = Some(next);
            }
            "ah" | "ipcomp" => sink.other_protocols = sink.other_protocols.saturating_add(1),
            "E:" | "A:" => {
                let Some(draft) = &mut draft else { continue };
                let rest = rest.trim_start();
                let at = text::column_of(whole, rest);
                let (name, digits) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let key = text::spaced_hex(digits, text::column_of(whole, digits)).map_err(fault)?;
                match first {
                    "E:" => draft.encryption(name, at, key),
                    _ => draft.integrity(name, at, key),
                }
                .map_err(fault)?;
            }
            _ => {}
        }
    }
    Draft::finish(draft, sink)
}

/// What follows `name` up to the next space.
fn value<'a>(words: &'a str, name: &str) -> Option<&'a str> {
    words.split_whitespace().find_map(|word| word.strip_prefix(name))
}
