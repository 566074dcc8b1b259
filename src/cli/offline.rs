//! Reading capture files: each gives a report.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::Analysis;
use crate::analysis::limits::Limits;
use crate::capture::{CaptureError, CaptureFile, PacketFilter};
use crate::check;
use crate::dissect::Told;
use crate::filter::Filter;
use crate::inspector::Inspector;
use crate::ipsec::Sad;
use crate::report::ci::sarif::Places;
use crate::report::ci::{Checked, github, junit, markdown, sarif, text as check_text};
use crate::report::{Report, json, ladder, summary};
use crate::rules::words::{count, thousands};
use crate::rules::{self, Case, Diagnosis, Finding};
use crate::util::Printable;

use super::args::{Args, Format};
use super::checking::{self, Checking};
use super::exit::{Exit, Failure};
use super::selection::Selection;
use super::{diff, export, finish, keys, screen, views};

/// One capture, read to its end.
pub(super) struct Inspected {
    file: Printable,
    format: &'static str,
    nanoseconds: bool,
    pub(super) damage: Option<String>,
    left_out: Vec<String>,
    analysis: Analysis,
    findings: Vec<Finding>,
    diagnosis: Diagnosis,
    check: Option<check::Result>,
    /// Where the packets of its findings are, where an output names that.
    places: Places,
}

impl Inspected {
    /// What an output writes of it.
    pub(super) fn report<'a>(&'a self, sad: &'a Sad, checks: bool) -> Report<'a> {
        Report {
            file: self.file.clone(),
            format: self.format,
            nanoseconds: self.nanoseconds,
            damage: self.damage.clone(),
            left_out: self.left_out.clone(),
            analysis: &self.analysis,
            sad,
            findings: &self.findings,
            diagnosis: &self.diagnosis,
            check: self.check.as_ref().filter(|_| checks),
        }
    }
}

/// Inspects all files of the command line.
///
/// # Errors
///
/// When there is none, a key file is bad, or the output cannot be written.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let files: Vec<&PathBuf> = args.read.iter().chain(&args.files).collect();
    if files.is_empty() && (args.list_keys || args.export_esp_sa.is_some()) {
        let sad = keys::load(args)?;
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
    let sad = keys::load(args)?;
    if !args.fields.is_empty() && !matches!(args.format, Format::Fields | Format::Csv) {
        return Err(Failure::new("-e goes with -T fields or -T csv")
            .hint("l2tp-inspect FILE -T fields -e frame.number -e l2tp.tunnel"));
    }
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
                exit = exit.max(checking.exit(args, one.damage.is_some(), one.check.as_ref()));
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
        write(args, &sad, &inspected, &checking)?;
    }
    Ok(exit)
}

pub(super) fn inspect(
    args: &Args,
    path: &Path,
    sad: &Sad,
    checking: &Checking,
) -> Result<Inspected, Failure> {
    let mut capture = CaptureFile::open(path).map_err(|error| failure(&error))?;
    let mut filter = args.capture_filter.as_deref().map(PacketFilter::new);
    let selection = Selection::new(args)?;
    let mut inspector = inspector(args, sad)?;
    let mut display = display_filter(args)?.map(|filter| {
        let wanted = filter.wanted();
        (filter, wanted)
    });
    if let Some((filter, _)) = &display
        && crate::dissect::registry::columns().iter().any(|field| filter.names(field))
    {
        return Err(Failure::new(
            "-Y with _ws.col.info or _ws.col.protocol goes with packets, not with the report",
        )
        .hint("l2tp-inspect FILE -P -Y '_ws.col.info contains \"SCCRQ\"'"));
    }
    if display.is_some() {
        inspector.select(limits(args));
    }
    if args.diff.is_some() {
        inspector.transcribe();
    }
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut counts = Counts::default();
    while left > 0 {
        let Some(frame) = capture.next_frame().map_err(|error| failure(&error))? else { break };
        counts.read += 1;
        if let Some(filter) = &mut filter
            && !filter.matches(&frame).map_err(|error| failure(&error))?
        {
            counts.captured += 1;
            continue;
        }
        match &mut display {
            None => inspector.push(&frame),
            Some((filter, wanted)) => {
                wanted.clear();
                inspector.look(&frame, wanted);
                inspector.follow(&frame);
                let octets = |range| inspector.scratch().octets(frame.data, range);
                if filter.passes(wanted, &octets) {
                    inspector.keep(&frame);
                } else {
                    counts.displayed += 1;
                }
            }
        }
        left -= 1;
    }
    counts.goes_on = left == 0 && matches!(capture.next_frame(), Ok(Some(_)));
    let mut analysis = inspector.finish();
    let damage = capture.damage().map(ToString::to_string);
    let (drops, left_out) = (capture.interface_drops(), counts.captured + counts.displayed);
    let profile = args.profile;
    let case = Case { analysis: &analysis, sad, damage: damage.as_deref(), drops, left_out, profile };
    let mut findings = rules::judge(&case);
    let diagnosis = rules::diagnose(&case, &findings);
    checking.choose(&mut findings);
    selection.restrict(&mut analysis, &mut findings)?;
    let file = Printable::from_text(&path.to_string_lossy());
    let (format, nanoseconds) = (capture.format().name(), capture.nanoseconds());
    let left_out = counts.sentences(args);
    let check = checking.compare(args, &analysis, &findings, &diagnosis);
    let places = match args.format {
        Format::Sarif => checking::places(path, &findings),
        _ => Places::default(),
    };
    Ok(Inspected {
        file,
        format,
        nanoseconds,
        damage,
        left_out,
        analysis,
        findings,
        diagnosis,
        check,
        places,
    })
}

/// How many packets options left out of a report.
#[derive(Default)]
struct Counts {
    read: u64,
    captured: u64,
    displayed: u64,
    goes_on: bool,
}

impl Counts {
    fn sentences(&self, args: &Args) -> Vec<String> {
        let part = |option: &str, left_out: u64| {
            (left_out > 0).then(|| {
                format!("{option} left out {} of {}.", thousands(left_out), count(self.read, "packet"))
            })
        };
        let first = self.goes_on.then(|| {
            let taken = args.count.unwrap_or(0);
            let packets = if taken == 1 { "packet was" } else { "packets were" };
            format!("Only the first {} {packets} read (-c).", thousands(taken))
        });
        let only = args.call.as_ref().map(|_| "call").or(args.tunnel.as_ref().map(|_| "tunnel"));
        let only = only.map(|what| format!("Only one {what} is shown (--{what}); the verdict is of all."));
        [part("-f", self.captured), part("-Y", self.displayed), first, only].into_iter().flatten().collect()
    }
}

/// The display filter of the command line.
///
/// # Errors
///
/// When it cannot be compiled: the message points at the place.
pub(super) fn display_filter(args: &Args) -> Result<Option<Filter>, Failure> {
    let Some(text) = args.filter.as_deref() else { return Ok(None) };
    Filter::new(text).map(Some).map_err(|error| {
        let column = error.column(text);
        let word = text.get(error.place.clone()).unwrap_or_default();
        let length = text.get(error.place.clone()).map_or(1, |part| part.chars().count().max(1));
        let marks = format!("{}{}", " ".repeat(column - 1), "^".repeat(length));
        let text = around(text, column);
        let marks = if text.1 { format!("{}^", " ".repeat(text.2)) } else { marks };
        let text = text.0.as_str();
        let shown = Printable::from_text(text);
        let hint =
            if shown.as_str() == text { format!("{shown}\n        {marks}") } else { shown.to_string() };
        let word = Printable::from_text(word).clipped(ECHOED);
        let what = Printable::from_text(&error.what);
        let subject = if word.is_empty() { String::new() } else { format!("{word}: ") };
        Failure::new(format!("-Y, column {column}: {subject}{what}")).hint(hint)
    })
}

/// Characters of a filter that an error repeats.
const ECHOED: usize = 72;

/// A long filter only near the column: its part, whether it is one, and how many characters of it stand before the column.
fn around(text: &str, column: usize) -> (String, bool, usize) {
    let length = text.chars().count();
    if length <= ECHOED {
        return (text.to_owned(), false, column.saturating_sub(1));
    }
    let start = column.saturating_sub(ECHOED / 2);
    let part: String = text.chars().skip(start).take(ECHOED).collect();
    let (before, after) = (if start > 0 { "…" } else { "" }, if start + ECHOED < length { "…" } else { "" });
    (format!("{before}{part}{after}"), true, column.saturating_sub(1 + start) + before.chars().count())
}

/// An inspector as the command line wants it.
///
/// # Errors
///
/// When `-d` makes no sense, or the secrets cannot be read.
pub(super) fn inspector<'k>(args: &Args, sad: &'k Sad) -> Result<Inspector<'k>, Failure> {
    let mut told = Told::default();
    for text in &args.decode_as {
        told.ports.add(text).map_err(|why| {
            Failure::new(format!("-d {}: {why}", Printable::from_text(text))).hint("-d udp.port==1702,l2tp")
        })?;
    }
    if let Some(path) = &args.secrets {
        let secrets = keys::secrets(path)?;
        told.secrets = Arc::new(secrets.tunnels);
        told.users = Arc::new(secrets.users);
    }
    let mut inspector = Inspector::new(sad, limits(args));
    inspector.tell(&told);
    Ok(inspector)
}

/// The limits of the command line.
pub(super) fn limits(args: &Args) -> Limits {
    Limits { tunnels: args.max_tunnels as usize, calls: args.max_calls as usize, ..Limits::default() }
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

fn write(args: &Args, sad: &Sad, inspected: &[Inspected], checking: &Checking) -> Result<(), Failure> {
    let reports: Vec<Report<'_>> = inspected.iter().map(|one| one.report(sad, checking.checks())).collect();
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let results = inspected.iter().filter_map(|one| one.check.as_ref());
    let checked: Vec<Checked<'_>> =
        reports.iter().zip(results).map(|(report, result)| Checked { report, result }).collect();
    let written = match args.format {
        Format::Json => json::write(&reports, &mut out),
        Format::Junit => junit::write(&checked, &mut out),
        Format::Github => github::write(&checked, &mut out),
        Format::Markdown => markdown::write(&checked, &mut out),
        Format::Sarif => {
            let places = inspected.iter().map(|one| one.places.clone());
            sarif::write(&checked.into_iter().zip(places).collect::<Vec<_>>(), &mut out)
        }
        _ if checking.checks() && !args.quiet => {
            let style = screen::style(args);
            checked.iter().try_for_each(|checked| check_text::write(checked, &style, &mut out))
        }
        _ => text(args, &reports, &mut out),
    };
    finish(written.and_then(|()| out.flush()))
}

fn text(args: &Args, reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let style = screen::style(args);
    for (at, report) in reports.iter().enumerate() {
        if at > 0 && !args.quiet {
            writeln!(out)?;
        }
        if args.quiet {
            summary::write_verdict(report, reports.len() > 1, &style, out)?;
        } else if args.ladder {
            if reports.len() > 1 {
                summary::write_first_line(report, &style, out)?;
            }
            ladder::write_all(report, &style, out)?;
        } else if args.findings {
            if reports.len() > 1 {
                summary::write_first_line(report, &style, out)?;
            }
            summary::write_findings(report, &style, out)?;
        } else {
            summary::write(report, &style, out)?;
        }
    }
    Ok(())
}
