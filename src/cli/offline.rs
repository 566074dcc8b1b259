//! Reading capture files: each gives a report.

use std::path::{Path, PathBuf};

use crate::analysis::Analysis;
use crate::capture::{CaptureError, CaptureFile, PacketFilter};
use crate::check;
use crate::ipsec::Sad;
use crate::util::Printable;

use super::args::{Args, Format};
use super::checking::{self, Checking};
use super::exit::{Exit, Failure};
use super::report::{self, Collector, Inspected, Origin, display_filter};
use super::selection::Selection;
use super::{diff, export, keys, views};

/// Inspects all files of the command line.
///
/// # Errors
///
/// When there is none, a key file is bad, or the output cannot be written.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let files: Vec<&PathBuf> = args.read.iter().chain(&args.files).collect();
    if files.is_empty() && (args.list_keys || args.export_esp_sa.is_some()) {
        let sad = keys::load(args)?.sad();
        if args.list_keys {
            super::print(&keys::list(&sad, &[]))?;
        }
        return Ok(Exit::Done);
    }
    if files.is_empty() {
        return Err(Failure::new("no capture file given")
            .hint("l2tp-inspect FILE.pcap -k KEYS, or l2tp-inspect --help"));
    }
    let standard_input = files
        .iter()
        .chain(&args.keys.iter().collect::<Vec<_>>())
        .filter(|path| path.as_path() == Path::new("-"))
        .count();
    if standard_input > 1 {
        return Err(Failure::new("standard input (-) can be read only once"));
    }
    if args.write_expect.is_some() && files.len() != 1 {
        return Err(Failure::new("--write-expect records one capture")
            .hint("l2tp-inspect FILE.pcap -k KEYS --write-expect expect.toml"));
    }
    display_filter(args)?;
    Selection::new(args)?;
    let sad = keys::load(args)?.sad();
    check_columns(args)?;
    let mut exit = Exit::Done;
    if export::wanted(args) {
        let files: Vec<&Path> = files.iter().map(|path| path.as_path()).collect();
        exit = export::run(args, &files, &sad)?;
        if !export::also_shows(args) {
            return Ok(exit);
        }
    }
    if views::wanted(args) {
        let files: Vec<&Path> = files.iter().map(|path| path.as_path()).collect();
        return views::run(args, &files, &sad).map(|ended| ended.max(exit));
    }
    let checking = Checking::new(args)?;
    if let Some(other) = &args.diff {
        return diff::run(args, &files, other, &sad, &checking);
    }
    let mut inspected = Vec::new();
    for path in files {
        match inspect(args, path, &sad, &checking) {
            Ok(one) => {
                exit = exit.max(one.exit(args, &checking));
                inspected.push(one);
            }
            Err(failure) => {
                failure.print();
                exit = Exit::Failed;
            }
        }
    }
    if args.list_keys {
        let analyses: Vec<&Analysis> = inspected.iter().map(|one| &one.analysis).collect();
        super::print(&keys::list(&sad, &analyses))?;
    } else if let (Some(path), [one]) = (&args.write_expect, inspected.as_slice()) {
        checking::write(path, &check::record(&one.analysis, &one.findings, &one.diagnosis))?;
    } else if !inspected.is_empty() {
        report::write(args, &sad, &inspected, &checking)?;
    }
    Ok(exit)
}

/// Columns make no sense without an output that has them.
///
/// # Errors
///
/// When there is none.
pub(super) fn check_columns(args: &Args) -> Result<(), Failure> {
    if args.fields.is_empty() || matches!(args.format, Format::Fields | Format::Csv) {
        return Ok(());
    }
    Err(Failure::new("-e goes with -T fields or -T csv")
        .hint("l2tp-inspect FILE -T fields -e frame.number -e l2tp.tunnel"))
}

pub(super) fn inspect(
    args: &Args,
    path: &Path,
    sad: &Sad,
    checking: &Checking,
) -> Result<Inspected, Failure> {
    let mut capture = CaptureFile::open(path).map_err(|error| failure(&error))?;
    let mut filter = args.capture_filter.as_deref().map(PacketFilter::new);
    let mut collector = Collector::new(args, sad)?;
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(frame) = capture.next_frame().map_err(|error| failure(&error))? else { break };
        if let Some(filter) = &mut filter
            && !filter.matches(&frame).map_err(|error| failure(&error))?
        {
            collector.left_out();
            continue;
        }
        collector.frame(&frame);
        left -= 1;
    }
    let goes_on = left == 0 && matches!(capture.next_frame(), Ok(Some(_)));
    let origin = Origin {
        name: Printable::from_text(&path.to_string_lossy()),
        path: Some(path),
        format: capture.format().name(),
        nanoseconds: capture.nanoseconds(),
        damage: capture.damage().map(ToString::to_string),
        drops: capture.interface_drops(),
        goes_on,
        cut_short: false,
        lacks: Vec::new(),
    };
    collector.finish(args, sad, checking, origin)
}

pub(super) fn failure(error: &CaptureError) -> Failure {
    let mut failure = Failure::new(error.to_string());
    if let Some(source) = std::error::Error::source(error) {
        failure = failure.cause(source);
    }
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
