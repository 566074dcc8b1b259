//! The comparison for programs: `docs/diff.schema.json`.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::Report;

use super::{Diff, Divergence};

/// The number of the schema: raised when a field is renamed or removed.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: &'static str,
    here: Capture<'a>,
    there: Capture<'a>,
    equal: bool,
    first: Option<Difference<'a>>,
    then: Option<Difference<'a>>,
    divergences: Vec<Difference<'a>>,
    unsure: &'a [String],
}

#[derive(Serialize)]
struct Capture<'a> {
    file: &'a str,
    packets: u64,
    damage: Option<&'a str>,
    verdict: &'static str,
    diagnosis: &'static str,
    sentence: &'a str,
}

#[derive(Serialize)]
struct Both<T> {
    here: T,
    there: T,
}

#[derive(Serialize)]
struct Difference<'a> {
    kind: &'static str,
    conversation: Both<Option<&'a str>>,
    from: Option<&'a str>,
    message: Both<Option<&'a str>>,
    packet: Both<Option<u64>>,
    fields: Vec<FieldJson<'a>>,
    sentence: &'a str,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    name: &'a str,
    here: Option<&'a str>,
    there: Option<&'a str>,
}

fn both(values: &[Option<String>; 2]) -> Both<Option<&str>> {
    let [here, there] = values.each_ref().map(Option::as_deref);
    Both { here, there }
}

impl<'a> Difference<'a> {
    fn of(divergence: &'a Divergence) -> Self {
        let fields = divergence.fields.iter().map(|field| {
            let Both { here, there } = both(&field.values);
            FieldJson { name: &field.name, here, there }
        });
        let [here, there] = divergence.packets;
        Self {
            kind: divergence.kind.name(),
            conversation: both(&divergence.ids),
            from: Some(divergence.who.as_str()).filter(|who| !who.is_empty()),
            message: both(&divergence.names),
            packet: Both { here, there },
            fields: fields.collect(),
            sentence: &divergence.sentence,
        }
    }
}

impl<'a> Capture<'a> {
    fn of(report: &'a Report<'a>) -> Self {
        Self {
            file: report.file.as_str(),
            packets: report.analysis.totals.packets,
            damage: report.damage.as_deref(),
            verdict: report.diagnosis.verdict.word(),
            diagnosis: report.diagnosis.id,
            sentence: &report.diagnosis.sentence,
        }
    }
}

/// Writes the comparison.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(diff: &Diff, reports: [&Report<'_>; 2], out: &mut dyn Write) -> io::Result<()> {
    let [here, there] = reports;
    let document = Document {
        schema: SCHEMA,
        tool: concat!("l2tp-inspect ", env!("CARGO_PKG_VERSION")),
        here: Capture::of(here),
        there: Capture::of(there),
        equal: diff.is_empty(),
        first: diff.first().map(Difference::of),
        then: diff.then().map(Difference::of),
        divergences: diff.divergences.iter().map(Difference::of).collect(),
        unsure: &diff.notes,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}
