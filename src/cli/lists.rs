//! `--list-fields` and `--list-protocols`: what can be named in `-e` and in filters; `--list-algorithms`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::dissect::registry::{self, PROTOCOLS};
use crate::field::{FieldDef, Kind};
use crate::ipsec::suite::{ENCRYPTION, INTEGRITY, Names, Vocabulary};

/// A line for each field, by name: name, type, description, where it is defined; with tabs, for programs.
pub(super) fn fields() -> String {
    let mut named: BTreeMap<&str, &FieldDef> = BTreeMap::new();
    for field in registry::fields() {
        named.entry(field.name).or_insert(field);
    }
    let mut out = String::new();
    for field in named.values() {
        let _ = writeln!(out, "{}\t{}\t{}\t{}", field.name, kind(field.kind), field.label, field.section);
    }
    out
}

/// A line for each protocol in the order of the layers: name, description, where it is defined, how many fields.
pub(super) fn protocols() -> String {
    let mut out = String::new();
    for row in PROTOCOLS {
        let fields: usize = row.fields.iter().map(|list| list.len()).sum();
        let field = &row.field;
        let _ = writeln!(out, "{}\t{}\t{}\t{fields} fields", field.name, field.label, field.section);
    }
    out
}

/// A line for each algorithm: name, kind, octets of the key (with salt), octets of the ICV, where it is defined, and
/// what each key dialect calls it.
pub(super) fn algorithms() -> String {
    let mut out = String::new();
    for row in &ENCRYPTION {
        let (kind, icv) = match row.integrity() {
            Some(own) => ("combined", own.icv),
            None => ("encryption", 0),
        };
        let key = match row.other_keys {
            (least, most) if least == most => row.key_octets.to_string(),
            (least, most) => format!("{least}-{most}"),
        };
        let _ = writeln!(out, "{}\t{kind}\t{key}\t{icv}\t{}\t{}", row.name, row.rfc, dialects(&row.names));
    }
    for row in INTEGRITY.iter().filter(|row| row.needs_key()) {
        let (name, key, icv, rfc) = (row.name, row.key_octets, row.icv, row.rfc);
        let _ = writeln!(out, "{name}\tintegrity\t{key}\t{icv}\t{rfc}\t{}", dialects(&row.names));
    }
    out
}

/// `xfrm: cbc(aes), aes; esp_sa: AES-CBC [RFC3602]`.
fn dialects(names: &Names) -> String {
    let named = Vocabulary::ALL.into_iter().filter(|dialect| !names.of(*dialect).is_empty());
    let one = |dialect: Vocabulary| format!("{}: {}", dialect.name(), names.of(dialect).join(", "));
    named.map(one).collect::<Vec<_>>().join("; ")
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Dec(bits) => format!("number, {bits} bits"),
        Kind::Hex(bits) => format!("number, {bits} bits, hexadecimal"),
        other => String::from(match other {
            Kind::Flag => "flag",
            Kind::Ipv4 => "IPv4 address",
            Kind::Ipv6 => "IPv6 address",
            Kind::Mac => "MAC address",
            Kind::Bytes => "octets",
            Kind::Secret => "octets, masked",
            Kind::Text | Kind::Protocols => "text",
            Kind::Time => "time in seconds",
            Kind::Moment => "date and time",
            Kind::Protocol => "protocol",
            _ => "heading",
        }),
    }
}
