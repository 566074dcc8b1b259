//! What a capture on interfaces shows while it goes on: events, findings as they become certain, a status line.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::analysis::CallId;
use crate::analysis::control::call::CallState;
use crate::analysis::control::connection::ConnectionState;
use crate::capture::live::Interface;
use crate::ipsec::Spi;
use crate::report::events::{self, Form};
use crate::rules::words::{count, thousands};
use crate::rules::{Certainty, Finding, Severity};
use crate::util::Timestamp;

use super::args::{Args, Format, Time};
use super::checking::Checking;
use super::memory::Freed;
use super::metrics::Page;
use super::new_keys::News;
use super::report::Collector;
use super::screen;

/// How often findings are looked for at the most.
const JUDGE: Duration = Duration::from_secs(1);
/// For one part of the time that goes into judging, so many go into packets.
const SHARE: u32 = 50;
/// With more control connections than this findings wait for the report: packets must not.
const MOST_JUDGED: usize = 8192;
/// How often the status line is drawn.
const STATUS: Duration = Duration::from_secs(1);
/// Findings that are remembered as told.
const MOST_TOLD: usize = 65_536;

/// Which finding it is: one of each rule in each place is told.
type Told = (&'static str, Option<u32>, Option<CallId>, Option<Spi>);

/// Writes what happens.
pub(super) struct Watch {
    form: Option<Form>,
    told: HashSet<Told>,
    judge: Instant,
    status: Option<Status>,
    /// Events were written since the last report.
    written: bool,
    page: Option<Page>,
    freed: Freed,
}

/// The line at the bottom of a terminal.
struct Status {
    drawn: Instant,
    packets: u64,
}

impl Watch {
    /// What the command line asks for. Events go with the report for people and with `-T jsonl`.
    pub(super) fn new(args: &Args, checking: &Checking) -> Self {
        let quiet = args.quiet || checking.checks() || args.list_keys;
        let zone = if matches!(args.time, Time::U | Time::Ud) { TimeZone::UTC } else { TimeZone::system() };
        let form = match args.format {
            Format::Text if !quiet => Some(Form::Text(screen::style(args), zone)),
            Format::Jsonl => Some(Form::Json),
            _ => None,
        };
        let drawn = Status { drawn: Instant::now(), packets: 0 };
        let status = (!quiet && io::stderr().is_terminal()).then_some(drawn);
        Self {
            form,
            told: HashSet::new(),
            judge: Instant::now() + JUDGE,
            status,
            written: false,
            page: None,
            freed: Freed::default(),
        }
    }

    /// Answers those who ask for metrics from now on.
    pub(super) fn serve(&mut self, page: Page) {
        self.page = Some(page);
    }

    /// Whether anybody wants to see events.
    pub(super) fn wants_events(&self) -> bool {
        self.form.is_some()
    }

    /// Shows what happened since the last tick, and lets go of what ended long ago.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn tick(
        &mut self,
        collector: &mut Collector<'_>,
        (args, checking): (&Args, &Checking),
        interfaces: &[Interface],
    ) -> io::Result<()> {
        let mut lines = Vec::new();
        self.show_events(collector, &mut lines)?;
        // What goes is judged before.
        let full = collector.is_full();
        let few = collector.so_far().connections.len() <= MOST_JUDGED;
        if self.form.is_some() && few && (full || Instant::now() >= self.judge) {
            let began = Instant::now();
            let (findings, time) = collector.findings(args, checking, drops(interfaces));
            self.show_findings(&findings, time, &mut lines)?;
            self.judge = Instant::now() + JUDGE.max(began.elapsed() * SHARE);
        }
        if full {
            collector.let_go();
            self.forget_gone(collector);
            self.freed.note();
        }
        self.freed.tick();
        self.write(&lines)?;
        if let Some(page) = &self.page {
            page.tick(collector.so_far(), interfaces);
        }
        self.draw(collector, interfaces);
        Ok(())
    }

    /// Forgets what was told of control connections that were let go of: their numbers do not come again.
    fn forget_gone(&mut self, collector: &Collector<'_>) {
        let here: HashSet<u32> = collector.so_far().connections.iter().map(|one| one.number).collect();
        self.told.retain(|told| told.1.is_none_or(|number| here.contains(&number)));
        self.told.shrink_to_fit();
    }

    /// Tells that keys came, as an event where events are shown.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn tell(&mut self, news: &News, collector: &Collector<'_>) -> io::Result<()> {
        self.clear();
        let Some(form) = &self.form else {
            news.say();
            return Ok(());
        };
        news.say_rest();
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        let at = (collector.so_far().totals.packets, Timestamp(now));
        let mut lines = Vec::new();
        for (of, more) in &news.more {
            events::write_keys(*more, of, at, form, &mut lines)?;
        }
        self.write(&lines)
    }

    fn show_events(&self, collector: &mut Collector<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(form) = &self.form else { return Ok(()) };
        let (all, analysis) = collector.events();
        all.iter().try_for_each(|event| events::write(event, analysis, form, out))
    }

    /// Shows what became certain. What only may be so waits for the report: more packets may explain it.
    fn show_findings(
        &mut self,
        findings: &[Finding],
        time: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(form) = &self.form else { return Ok(()) };
        for finding in findings {
            let worth = finding.severity >= Severity::Warning && finding.certainty() == Certainty::Certain;
            let key = (finding.rule.id, finding.connection, finding.call, finding.spi);
            if worth && self.told.len() < MOST_TOLD && self.told.insert(key) {
                events::write_finding(finding, time, form, out)?;
            }
        }
        Ok(())
    }

    /// Writes lines to standard output, above the status line.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.written = true;
        self.clear();
        let mut out = io::stdout().lock();
        out.write_all(lines)?;
        out.flush()
    }

    /// Ends the list of events before a report.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.clear();
        if matches!(self.form, Some(Form::Text(..))) && std::mem::take(&mut self.written) {
            writeln!(io::stdout())?;
        }
        Ok(())
    }

    /// Takes the status line away.
    pub(super) fn clear(&self) {
        if self.status.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn draw(&mut self, collector: &Collector<'_>, interfaces: &[Interface]) {
        let Some(status) = &mut self.status else { return };
        let passed = status.drawn.elapsed();
        if passed < STATUS {
            return;
        }
        let analysis = collector.so_far();
        let packets = analysis.totals.packets;
        let rate = packets.saturating_sub(status.packets) as f64 / passed.as_secs_f64();
        let open = |state| state == ConnectionState::Established;
        let connections = analysis.connections.iter().filter(|one| open(one.state)).count();
        let calls = analysis.calls.iter().filter(|call| call.state == CallState::Established).count();
        let line = format!(
            "{} packets/s, {} dropped, {} and {} up",
            thousands(rate.round() as u64),
            thousands(drops(interfaces)),
            count(connections as u64, "control connection"),
            count(calls as u64, "call"),
        );
        *status = Status { drawn: Instant::now(), packets };
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

/// Packets that interfaces and system dropped so far.
pub(super) fn drops(interfaces: &[Interface]) -> u64 {
    let counts = interfaces.iter().map(|interface| interface.counts);
    counts.fold(0, |sum: u64, counts| {
        sum.saturating_add(counts.dropped).saturating_add(counts.interface_dropped)
    })
}
