//! `show ipsec sa` of VPP, in detail: one SA for each `[index] sa …`.

use super::super::suite::{Vocabulary, is_combined};
use super::draft::Draft;
use super::{Dialect, Fault, Reason, Secret, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "VPP show ipsec sa", probe, parse };

fn probe(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().starts_with('[') && line.contains("] sa ") && line.contains(" spi "))
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let mut draft: Option<Draft> = None;
    let mut salt = 0u32;
    for (line, whole) in text::lines(text) {
        let fault = |reason| Fault { line, reason };
        let words = whole.trim();
        if words.starts_with('[') && words.contains("] sa ") {
            Draft::finish(draft.take(), sink)?;
            salt = 0;
            let digits = text::named(whole, " spi ").map(|(digits, _)| digits);
            let expected = Reason::Missing { what: "the number after spi" };
            let spi = digits.and_then(text::number).ok_or_else(|| fault(expected))?;
            if !words.contains("protocol:esp") {
                sink.other_protocols = sink.other_protocols.saturating_add(1);
                continue;
            }
            draft = Some(Draft::new(Vocabulary::Vpp, line, spi));
            if let Some(draft) = &mut draft {
                draft.extended_sequence = text::named(whole, "flags:[").map(|_| words.contains("esn"));
            }
        }
        let Some(draft) = &mut draft else { continue };
        if let Some((digits, _)) = text::named(whole, "salt ") {
            let expected = Reason::Expected { what: "a number", column: text::column_of(whole, digits) };
            salt = text::number(digits).ok_or_else(|| fault(expected))?;
        }
        for (start, is_encryption) in [("crypto alg ", true), ("integrity alg ", false)] {
            let Some((name, rest)) = text::named(whole, start) else { continue };
            let column = text::column_of(whole, name);
            let digits = text::named(rest, "key ").map_or("", |(digits, _)| digits);
            if digits.starts_with('[') {
                return Err(fault(Reason::HiddenKeys));
            }
            let key = text::hex(digits.as_bytes(), text::column_of(whole, digits)).map_err(fault)?;
            match is_encryption {
                // The other dialects have the salt at the end of the key.
                true if is_combined(Vocabulary::Vpp, name) || name.starts_with("aes-ctr") => {
                    let mut whole = Vec::with_capacity(key.len().saturating_add(4));
                    whole.extend_from_slice(key.expose());
                    whole.extend_from_slice(&salt.to_be_bytes());
                    draft.encryption(name, column, Secret::new(whole))
                }
                true => draft.encryption(name, column, key),
                false => draft.integrity(name, column, key),
            }
            .map_err(fault)?;
        }
        if let Some((source, rest)) = text::named(whole, "[").filter(|_| words.contains("->")) {
            let ends = source
                .split_once("->")
                .map(|(source, destination)| (source, destination.trim_end_matches(']')));
            let _ = rest;
            if let Some((source, destination)) = ends {
                (draft.source, draft.destination) = (text::endpoint(source), text::endpoint(destination));
            }
        }
    }
    Draft::finish(draft, sink)
}
