//! Check mode: reads expectations, holds each capture against them, and decides the exit code.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use crate::analysis::Analysis;
use crate::capture::CaptureFile;
use crate::check::{self, Bar, Expectations};
use crate::report::ci::sarif::Places;
use crate::rules::{Choice, Diagnosis, Finding, Severity};
use crate::util::{Printable, nearest};

use super::args::{Args, Format};
use super::exit::{Exit, Failure};

/// What the command line asks of findings and expectations.
pub(super) struct Checking {
    choice: Choice,
    expected: Option<Expectations>,
    bar: Bar,
}

impl Checking {
    /// Reads what the command line names.
    ///
    /// # Errors
    ///
    /// When a rule is not known, or the expectations cannot be read.
    pub(super) fn new(args: &Args) -> Result<Self, Failure> {
        let mut choice = Choice::default();
        for names in &args.select {
            choice.select(names).map_err(|name| no_rule("--select", &name))?;
        }
        for names in &args.ignore {
            choice.ignore(names).map_err(|name| no_rule("--ignore", &name))?;
        }
        for text in &args.severity {
            let (name, severity) = severity(text)?;
            choice.severity(name, severity).map_err(|name| no_rule("--severity", &name))?;
        }
        let expected = match args.check.as_deref() {
            None => None,
            Some(path) if path.is_empty() => Some(Expectations { schema: 1, ..Expectations::default() }),
            Some(path) => Some(read(Path::new(path))?),
        };
        let own = expected.as_ref().and_then(|expected| expected.fail_on);
        let levels = if args.fail_on.is_empty() { own.into_iter().collect() } else { args.fail_on.clone() };
        let bar = if levels.is_empty() {
            let levels = if expected.is_some() { Bar::VERDICTS.to_vec() } else { Vec::new() };
            Bar {
                severity: Some(Severity::Error),
                certain: expected.is_some() || args.certain,
                levels,
                today: today(),
            }
        } else {
            let severity = levels.iter().filter_map(|level| level.severity()).min();
            Bar { severity, certain: args.certain, levels, today: today() }
        };
        Ok(Self { choice, expected, bar })
    }

    /// Leaves out the findings that are not wanted.
    pub(super) fn choose(&self, findings: &mut Vec<Finding>) {
        self.choice.apply(findings);
    }

    /// Holds a capture against what is expected, if anything is or a format of CI is asked for.
    pub(super) fn compare(
        &self,
        args: &Args,
        analysis: &Analysis,
        findings: &[Finding],
        diagnosis: &Diagnosis,
    ) -> Option<check::Result> {
        let formats = [Format::Markdown, Format::Junit, Format::Sarif, Format::Github];
        if self.expected.is_none() && args.fail_on.is_empty() && !formats.contains(&args.format) {
            return None;
        }
        let nothing = Expectations::default();
        let expected = self.expected.as_ref().unwrap_or(&nothing);
        let asked = self.checks() || !args.fail_on.is_empty();
        let result = check::compare(analysis, findings, diagnosis, expected, &self.bar);
        Some(check::Result { asked, ..result })
    }

    /// Whether differences are the output.
    pub(super) fn checks(&self) -> bool {
        self.expected.is_some()
    }

    /// The exit code of one capture.
    pub(super) fn exit(&self, args: &Args, damaged: bool, result: Option<&check::Result>) -> Exit {
        // A viewer does not fail for what it shows.
        let counts = self.checks() || !args.fail_on.is_empty();
        match result {
            _ if damaged => Exit::Damaged,
            Some(result) if counts && !result.passes() => Exit::Findings,
            _ => Exit::Done,
        }
    }
}

fn no_rule(option: &str, name: &str) -> Failure {
    let ids: Vec<&str> = crate::rules::all().map(|rule| rule.id).collect();
    let failure = Failure::new(format!("{option}: {}: no such rule or family", Printable::from_text(name)));
    match nearest(name, ids.into_iter()) {
        Some(near) => failure.hint(format!("did you mean {near}? --list-rules lists all")),
        None => failure.hint("l2tp-inspect --list-rules"),
    }
}

fn severity(text: &str) -> Result<(&str, Option<Severity>), Failure> {
    let wrong = || {
        Failure::new(format!("--severity {}: expected RULE=LEVEL", Printable::from_text(text)))
            .hint("--severity seq-duplicate=off, or note, warning, error")
    };
    let (name, level) = text.split_once('=').ok_or_else(wrong)?;
    let severity = match level {
        "off" => None,
        "note" => Some(Severity::Note),
        "warning" => Some(Severity::Warning),
        "error" => Some(Severity::Error),
        _ => return Err(wrong()),
    };
    Ok((name, severity))
}

fn read(path: &Path) -> Result<Expectations, Failure> {
    let name = Printable::from_bytes(path.as_os_str().as_encoded_bytes());
    let failed = |error: std::io::Error| Failure::new(format!("cannot read {name}")).cause(error);
    let length = path.metadata().map_err(failed)?.len();
    if length > check::MAX_FILE {
        return Err(Failure::new(format!("{name}: {length} octets are more than expectations may have")));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Expectations::parse(&name, &text).map_err(|error| {
        Failure::new(error.to_string())
            .hint("l2tp-inspect FILE --write-expect expect.toml writes one to edit")
    })
}

/// In UTC, so that a check ends on the same day everywhere.
fn today() -> (i16, i8, i8) {
    let date = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    (date.year(), date.month(), date.day())
}

/// Writes the expectations that a capture meets.
///
/// # Errors
///
/// When the file is there, or cannot be written.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let name = Printable::from_bytes(path.as_os_str().as_encoded_bytes());
    let failed = |error: std::io::Error| {
        let failure = Failure::new(format!("cannot write {name}")).cause(&error);
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => failure.hint("choose another name, or remove it first"),
            _ => failure,
        }
    };
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// Where the packets of these findings are in their file. Of a pipe nothing is known any more.
pub(super) fn places(path: &Path, findings: &[Finding]) -> Places {
    let wanted: BTreeSet<u64> = findings.iter().flat_map(|finding| finding.packets.iter().copied()).collect();
    let mut places = Places::new();
    let (Some(last), true) = (wanted.last(), path.is_file()) else { return places };
    let Ok(mut capture) = CaptureFile::open(path) else { return places };
    while let Ok(Some(frame)) = capture.next_frame() {
        if wanted.contains(&frame.number) {
            places.insert(frame.number, (frame.offset, frame.data.len() as u64));
        }
        if frame.number >= *last {
            break;
        }
    }
    places
}
