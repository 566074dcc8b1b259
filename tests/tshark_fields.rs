//! The names and types of fields are tshark's: `testdata/tshark-fields-*.tsv` lists those of tshark 4.0.17, a line each
//! with name, type and base. A script that names one of them must not break here.

use l2tp_inspect::dissect::registry;
use l2tp_inspect::field::Kind;

/// Fields that hold more here than there, with why (see `docs/tshark-differences.md`).
const MORE: &[&str] = &[
    // tshark only says that there are some.
    "l2tp.offset_padding",
    "l2tp.lapd_info",
];

fn fits(kind: Kind, type_name: &str, base: &str) -> bool {
    let bits = |name: &str| name.strip_prefix("FT_UINT").and_then(|bits| bits.parse::<u8>().ok());
    match (kind, type_name) {
        (Kind::Dec(width), _) => bits(type_name) == Some(width) && base != "BASE_HEX",
        (Kind::Hex(width), _) => bits(type_name) == Some(width) && base == "BASE_HEX",
        (Kind::Flag, _) => matches!(type_name, "FT_BOOLEAN" | "FT_NONE"),
        (Kind::Text, _) => type_name == "FT_STRING",
        (Kind::Bytes | Kind::Secret, _) => type_name == "FT_BYTES",
        (Kind::Ipv4, _) => type_name == "FT_IPv4",
        _ => false,
    }
}

#[test]
fn every_l2tp_field_of_tshark_is_here_with_its_type() {
    let mut wrong = Vec::new();
    for line in include_str!("../testdata/tshark-fields-l2tp.tsv").lines() {
        let mut cells = line.split('\t');
        let [name, type_name, base] = [(); 3].map(|()| cells.next().unwrap_or_default());
        let ours: Vec<Kind> =
            registry::fields().filter(|field| field.name == name).map(|field| field.kind).collect();
        if ours.is_empty() {
            wrong.push(format!("{name} is missing"));
        } else if !MORE.contains(&name) && !ours.iter().any(|kind| fits(*kind, type_name, base)) {
            wrong.push(format!("{name} is {ours:?}, and {type_name} {base} in tshark"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
