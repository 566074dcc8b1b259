//! `--list-fields` and `--list-protocols`: what can be named in `-e` and in filters.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::dissect::registry::{self, PROTOCOLS};
use crate::field::{FieldDef, Kind};

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
            Kind::Protocol => "protocol",
            _ => "heading",
        }),
    }
}
