//! The report of one capture, whether it is a file or comes from an interface: frames in, a report out.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use crate::analysis::Analysis;
use crate::analysis::limits::Limits;
#[cfg(feature = "live")]
use crate::analysis::log::fresh::Fresh;
use crate::analysis::release::LetGo;
use crate::check;
use crate::dissect::{Told, registry};
use crate::field::Wanted;
use crate::filter::Filter;
use crate::inspector::Inspector;
#[cfg(feature = "live")]
use crate::inspector::Keys;
use crate::ipsec::Sad;
use crate::report::ci::sarif::Places;
use crate::report::ci::{Checked, github, junit, markdown, sarif, text as check_text};
use crate::report::{Report, json, ladder, summary};
use crate::rules::words::{count, thousands};
use crate::rules::{self, Case, Diagnosis, Finding};
#[cfg(feature = "live")]
use crate::util::Timestamp;
use crate::util::{Frame, Printable};

use super::args::{Args, Format};
use super::checking::{self, Checking};
use super::exit::{Exit, Failure};
use super::selection::Selection;
use super::{finish, keys, screen};

/// One capture, read to its end.
pub(super) struct Inspected {
    file: Printable,
    format: &'static str,
    nanoseconds: bool,
    pub(super) damage: Option<String>,
    cut_short: bool,
    left_out: Vec<String>,
    pub(super) analysis: Analysis,
    pub(super) findings: Vec<Finding>,
    pub(super) diagnosis: Diagnosis,
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

    /// The exit code of this capture.
    pub(super) fn exit(&self, args: &Args, checking: &Checking) -> Exit {
        checking.exit(args, self.damage.is_some() || self.cut_short, self.check.as_ref())
    }
}

/// What is known of a capture besides its frames, at its end.
pub(super) struct Origin<'a> {
    /// Its name in the report.
    pub(super) name: Printable,
    /// Its file, if it is one.
    pub(super) path: Option<&'a Path>,
    pub(super) format: &'static str,
    pub(super) nanoseconds: bool,
    pub(super) damage: Option<String>,
    /// Packets that the interfaces or the system dropped.
    pub(super) drops: u64,
    /// There are more frames behind those of `-c`.
    pub(super) goes_on: bool,
    /// It ended before it was to end.
    pub(super) cut_short: bool,
    /// What else it lacks, a sentence each.
    pub(super) lacks: Vec<String>,
}

/// Gathers the frames of one capture for its report.
pub(super) struct Collector<'k> {
    inspector: Inspector<'k>,
    display: Option<(Filter, Wanted)>,
    counts: Counts,
}

impl<'k> Collector<'k> {
    /// What the command line asks for.
    ///
    /// # Errors
    ///
    /// When an option makes no sense or the secrets cannot be read.
    pub(super) fn new(args: &Args, sad: &'k Sad) -> Result<Self, Failure> {
        let mut inspector = inspector(args, sad)?;
        let display = display_filter(args)?.map(|filter| {
            let wanted = filter.wanted();
            (filter, wanted)
        });
        if let Some((filter, _)) = &display
            && registry::columns().iter().any(|field| filter.names(field))
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
        Ok(Self { inspector, display, counts: Counts::default() })
    }

    /// Takes the next frame, and says whether it passes `-Y`.
    pub(super) fn frame(&mut self, frame: &Frame<'_>) -> bool {
        self.counts.read += 1;
        let Some((filter, wanted)) = &mut self.display else {
            self.inspector.push(frame);
            return true;
        };
        wanted.clear();
        self.inspector.look(frame, wanted);
        self.inspector.follow(frame);
        let octets = |range| self.inspector.scratch().octets(frame.data, range);
        let passes = filter.passes(wanted, &octets);
        if passes {
            self.inspector.keep(frame);
        } else {
            self.counts.displayed += 1;
        }
        passes
    }

    /// Counts a frame that `-f` left out of a file.
    pub(super) fn left_out(&mut self) {
        self.counts.read += 1;
        self.counts.captured += 1;
    }

    /// What inspects the frames.
    #[cfg(feature = "live")]
    pub(super) fn inspector(&mut self) -> &mut Inspector<'k> {
        &mut self.inspector
    }

    /// The keys as they are now.
    #[cfg(feature = "live")]
    pub(super) fn keys(&self) -> Keys<'k> {
        self.inspector.keys().clone()
    }

    /// Keeps from now on what happens.
    #[cfg(feature = "live")]
    pub(super) fn watch(&mut self) {
        self.inspector.watch();
    }

    /// What happened since the last call, and what was found so far.
    #[cfg(feature = "live")]
    pub(super) fn events(&mut self) -> (Vec<Fresh>, &Analysis) {
        self.inspector.events()
    }

    /// What was found so far, without what can be said at the end only.
    #[cfg(feature = "live")]
    pub(super) fn so_far(&self) -> &Analysis {
        self.inspector.so_far()
    }

    /// Analyses what waits for more frames, and says whether much ended long ago.
    #[cfg(feature = "live")]
    pub(super) fn is_full(&mut self) -> bool {
        self.inspector.is_full(Timestamp::now())
    }

    /// Lets go of the oldest of what ended.
    #[cfg(feature = "live")]
    pub(super) fn let_go(&mut self) {
        self.inspector.let_go();
    }

    /// What would be found if the capture ended now, and the time of its last frame.
    #[cfg(feature = "live")]
    pub(super) fn findings(
        &mut self,
        args: &Args,
        checking: &Checking,
        drops: u64,
    ) -> (Vec<Finding>, Timestamp) {
        let sad = &self.keys();
        let (analysis, paused) = self.inspector.pause();
        let left_out = self.counts.captured + self.counts.displayed;
        let mut findings =
            rules::judge(&Case { drops, left_out, profile: args.profile, ..Case::of(&analysis, sad) });
        checking.choose(&mut findings);
        let time = analysis.totals.last.unwrap_or(Timestamp(0));
        self.inspector.resume(analysis, paused);
        (findings, time)
    }

    /// Writes the report as if the capture ended now.
    ///
    /// # Errors
    ///
    /// When there is not yet what `--tunnel` or `--call` ask for, or standard output cannot be written.
    #[cfg(feature = "live")]
    pub(super) fn interim(
        &mut self,
        args: &Args,
        checking: &Checking,
        origin: Origin<'_>,
    ) -> Result<(), Failure> {
        let sad = &self.keys();
        let selection = Selection::new(args)?;
        let (analysis, paused) = self.inspector.pause();
        if let Err(failure) = selection.check(&analysis) {
            self.inspector.resume(analysis, paused);
            return Err(failure);
        }
        let inspected = [Self::inspect(analysis, &self.counts, (args, sad, checking), origin)?];
        let written = write(args, sad, &inspected, checking);
        let [inspected] = inspected;
        self.inspector.resume(inspected.analysis, paused);
        written
    }

    /// Ends the capture and judges it.
    ///
    /// # Errors
    ///
    /// When the capture has not what `--tunnel` or `--call` ask for.
    pub(super) fn finish(
        self,
        args: &Args,
        sad: &Sad,
        checking: &Checking,
        origin: Origin<'_>,
    ) -> Result<Inspected, Failure> {
        let analysis = self.inspector.finish();
        Selection::new(args)?.check(&analysis)?;
        Self::inspect(analysis, &self.counts, (args, sad, checking), origin)
    }

    /// Judges an analysis.
    fn inspect(
        mut analysis: Analysis,
        counts: &Counts,
        (args, sad, checking): (&Args, &Sad, &Checking),
        origin: Origin<'_>,
    ) -> Result<Inspected, Failure> {
        let Origin { name, path, format, nanoseconds, damage, drops, goes_on, cut_short, lacks } = origin;
        let (left_out, profile) = (counts.captured + counts.displayed, args.profile);
        let case = Case { analysis: &analysis, sad, damage: damage.as_deref(), drops, left_out, profile };
        let mut findings = rules::judge(&case);
        let diagnosis = rules::diagnose(&case, &findings);
        checking.choose(&mut findings);
        Selection::new(args)?.restrict(&mut analysis, &mut findings)?;
        let check = checking.compare(args, &analysis, &findings, &diagnosis);
        let places = match (args.format, path) {
            (Format::Sarif, Some(path)) => checking::places(path, &findings),
            _ => Places::default(),
        };
        let left_out = counts.sentences(args, goes_on).chain(lacks).chain(let_go(&analysis)).collect();
        Ok(Inspected {
            file: name,
            format,
            nanoseconds,
            damage,
            cut_short,
            left_out,
            analysis,
            findings,
            diagnosis,
            check,
            places,
        })
    }
}

/// How many packets options left out of a report.
#[derive(Default)]
struct Counts {
    read: u64,
    captured: u64,
    displayed: u64,
}

impl Counts {
    fn sentences(&self, args: &Args, goes_on: bool) -> impl Iterator<Item = String> {
        let part = |option: &str, left_out: u64| {
            (left_out > 0).then(|| {
                format!("{option} left out {} of {}.", thousands(left_out), count(self.read, "packet"))
            })
        };
        let first = goes_on.then(|| {
            let taken = args.count.unwrap_or(0);
            let packets = if taken == 1 { "packet was" } else { "packets were" };
            format!("Only the first {} {packets} read (-c).", thousands(taken))
        });
        let only = args.call.as_ref().map(|_| "call").or(args.tunnel.as_ref().map(|_| "tunnel"));
        let only = only.map(|what| format!("Only one {what} is shown (--{what}); the verdict is of all."));
        [part("-f", self.captured), part("-Y", self.displayed), first, only].into_iter().flatten()
    }
}

/// What a long capture let go of, in a sentence.
fn let_go(analysis: &Analysis) -> Option<String> {
    let LetGo { connections, calls, flows, ike, .. } = analysis.let_go;
    let parts = [(connections, "control connection"), (calls, "call"), (flows, "SA"), (ike, "IKE SA")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(*n, what)).collect();
    (!parts.is_empty())
        .then(|| format!("Ended long ago and not in this report any more: {}.", parts.join(", ")))
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

/// Writes the reports of all captures.
///
/// # Errors
///
/// When standard output cannot be written.
pub(super) fn write(
    args: &Args,
    sad: &Sad,
    inspected: &[Inspected],
    checking: &Checking,
) -> Result<(), Failure> {
    let reports: Vec<Report<'_>> = inspected.iter().map(|one| one.report(sad, checking.checks())).collect();
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let results = inspected.iter().filter_map(|one| one.check.as_ref());
    let checked: Vec<Checked<'_>> =
        reports.iter().zip(results).map(|(report, result)| Checked { report, result }).collect();
    let written = match args.format {
        Format::Json => json::write(&reports, &mut out),
        Format::Jsonl => json::write_line(&reports, &mut out),
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
