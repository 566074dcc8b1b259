//! Capture on interfaces: the same reports and views as of a file, of what comes by.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::capture::live::{self, Interface, Live, LiveError, Next, Options};
use crate::inspector::Inspector;
use crate::ipsec::Sad;
use crate::report::packet::Outlook;
use crate::util::{Frame, Printable, Timestamp};

use super::args::{Args, Format};
use super::checking::Checking;
use super::end::End;
use super::exit::{Exit, Failure};
use super::memory::{self, Freed};
use super::metrics::Socket;
use super::new_keys::{Keys, NewKeys, News};
use super::privilege::{Needs, Privileges};
use super::report::{self, Collector, Origin};
use super::ring::Ring;
use super::views::{self, Output, View, Viewer};
use super::watch::{self, Watch};
use super::{finish, keys};

/// How often what does not wait for packets is done.
const TICK: Duration = Duration::from_millis(100);

/// Captures until the user, a signal or a condition ends it, and reports.
///
/// # Errors
///
/// When the capture cannot begin.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    check(args)?;
    memory::small_pages();
    let checking = Checking::new(args)?;
    let keys = Keys::new(args, keys::load(args)?)?;
    let sad = keys.sad();
    let end = End::new(args)?;
    let privileges = Privileges::new(args)?;
    let mut live = Live::open(&args.interface, &options(args)?).map_err(|error| failure(&error))?;
    let interfaces = live.interfaces();
    let ring = args.write.as_deref().map(|path| Ring::new(args, path, interfaces.clone(), &privileges));
    let mut ring = ring.transpose()?;
    let mut shown = Shown::new(args, &sad, &checking, &interfaces)?;
    let socket = args.metrics.as_deref().map(Socket::open).transpose()?;
    let reads = live.reads();
    privileges.give_up(&Needs { reads, writes: ring.iter().filter_map(Ring::writes).collect() })?;
    if let Some(ring) = &ring {
        ring.check(&privileges)?;
    }
    if let Some(socket) = socket {
        shown.serve(socket)?;
    }
    let mut keys = keys.follow();
    if keys.is_some() {
        shown.inspector().watch_keys();
    }
    let name = names(&interfaces);
    let _ = writeln!(io::stderr(), "l2tp-inspect: capturing on {name}; Ctrl-C ends it");
    let written = capture(&mut live, &mut shown, (args, &checking), (ring.as_mut(), keys.as_mut()), end);
    let interfaces = live.interfaces();
    let whole = ring.is_none_or(|mut ring| ring.end(&interfaces));
    written?;
    drop(keys);
    let ended = shown.end(args, &checking, &interfaces)?;
    Ok(if whole { ended } else { Exit::Failed })
}

/// What the command line asks for, and what is checked.
type Settings<'a> = (&'a Args, &'a Checking);

/// Whether packets are shown, and not events and a report.
fn shows_packets(args: &Args) -> bool {
    match args.format {
        Format::Jsonl => args.packets || args.details || args.hex,
        _ => views::wanted(args),
    }
}

/// The loop: one place for each frame, one for each tick.
fn capture(
    live: &mut Live,
    shown: &mut Shown<'_>,
    settings: Settings<'_>,
    (mut ring, mut keys): (Option<&mut Ring>, Option<&mut NewKeys>),
    mut end: End,
) -> Result<(), Failure> {
    let mut ticked = Instant::now();
    let mut gone = 0;
    while !end.reached(ring.as_deref()) {
        match live.next(TICK) {
            Next::Frame(frame) if end.is_past(&frame) => break,
            Next::Frame(frame) => {
                end.frames = end.frames.saturating_add(1);
                match shown.frame(&frame) {
                    Ok(true) => ring.iter_mut().for_each(|ring| ring.packet(&frame)),
                    Ok(false) => {}
                    // Nobody reads any more.
                    Err(error) => return finish(Err(error)),
                }
            }
            // What is still in the kernel's buffer is taken, however much it is.
            Next::Quiet if end.is_past_waiting() => break,
            Next::Quiet => {}
            Next::Ended => break,
        }
        if ticked.elapsed() >= TICK {
            ticked = Instant::now();
            let interfaces = live.interfaces();
            gone = warn_of_gone(&interfaces, gone);
            let ticked = shown.tick(settings, &interfaces);
            let told = keys.iter_mut().try_for_each(|keys| {
                end.hang_up(keys.lost_terminal());
                let news = keys.tick(shown.inspector());
                shown.tell(&news)
            });
            if let Err(error) = ticked.and(told) {
                return finish(Err(error));
            }
            if end.asked.swap(false, Ordering::Relaxed) {
                shown.interim(settings, &interfaces).unwrap_or_else(|failure| failure.print());
            }
            ring.iter_mut().for_each(|ring| ring.tick(&interfaces));
        }
    }
    warn_of_gone(&live.interfaces(), gone);
    Ok(())
}

/// What is made of the frames.
enum Shown<'k> {
    Report(Box<(Collector<'k>, Watch)>),
    Packets(Box<(Viewer<'k>, View, Output<'static>, Freed)>),
}

impl<'k> Shown<'k> {
    fn new(
        args: &Args,
        sad: &'k Sad,
        checking: &Checking,
        interfaces: &[Interface],
    ) -> Result<Self, Failure> {
        if !shows_packets(args) {
            let (mut collector, watch) = (Collector::new(args, sad)?, Watch::new(args, checking));
            if watch.wants_events() {
                collector.watch();
            }
            return Ok(Self::Report(Box::new((collector, watch))));
        }
        let nanoseconds = interfaces.iter().any(|interface| interface.nanoseconds);
        let viewer = Viewer::new(args, sad, Outlook::default(), nanoseconds)?;
        let (view, mut output) = (View::new(args)?, Output::new(true));
        view.begin(&mut output.waiting);
        Ok(Self::Packets(Box::new((viewer, view, output, Freed::default()))))
    }

    /// Takes the next frame, and says whether it passes what the command line asks of packets.
    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<bool> {
        match self {
            Self::Report(parts) => Ok(parts.0.frame(frame)),
            Self::Packets(parts) => {
                let (viewer, view, output, _) = &mut **parts;
                let shown = viewer.frame(frame, view, output);
                output.written().map(|()| shown)
            }
        }
    }

    /// Answers those who ask for metrics from now on.
    fn serve(&mut self, socket: Socket) -> Result<(), Failure> {
        if let Self::Report(parts) = self {
            parts.1.serve(socket.serve());
        }
        Ok(())
    }

    fn tick(&mut self, settings: Settings<'_>, interfaces: &[Interface]) -> io::Result<()> {
        match self {
            Self::Report(parts) => {
                let (collector, watch) = &mut **parts;
                watch.tick(collector, settings, interfaces)
            }
            Self::Packets(parts) => {
                let (viewer, .., freed) = &mut **parts;
                if viewer.inspector().is_full(Timestamp::now()) {
                    viewer.inspector().let_go();
                    freed.note();
                }
                freed.tick();
                Ok(())
            }
        }
    }

    /// What inspects the frames.
    fn inspector(&mut self) -> &mut Inspector<'k> {
        match self {
            Self::Report(parts) => parts.0.inspector(),
            Self::Packets(parts) => parts.0.inspector(),
        }
    }

    /// Tells that keys came.
    fn tell(&mut self, news: &News) -> io::Result<()> {
        match self {
            _ if news.is_empty() => Ok(()),
            Self::Report(parts) => {
                let (collector, watch) = &mut **parts;
                watch.tell(news, collector)
            }
            Self::Packets(_) => {
                news.say();
                Ok(())
            }
        }
    }

    /// Writes the report as it is now.
    fn interim(&mut self, (args, checking): Settings<'_>, interfaces: &[Interface]) -> Result<(), Failure> {
        let Self::Report(parts) = self else { return Ok(()) };
        let (collector, watch) = &mut **parts;
        if let Err(error) = watch.end() {
            return finish(Err(error));
        }
        let gone = interfaces.iter().filter_map(went).collect();
        collector.interim(args, checking, origin(args, interfaces, gone))
    }

    fn end(self, args: &Args, checking: &Checking, interfaces: &[Interface]) -> Result<Exit, Failure> {
        let gone: Vec<String> = interfaces.iter().filter_map(went).collect();
        match self {
            Self::Packets(parts) => {
                let (_, view, mut output, _) = *parts;
                view.end(&mut output.waiting);
                finish(output.flush())?;
                Ok(if gone.is_empty() { Exit::Done } else { Exit::Damaged })
            }
            Self::Report(parts) => {
                let (mut collector, mut watch) = *parts;
                finish(watch.tick(&mut collector, (args, checking), interfaces))?;
                finish(watch.end())?;
                let sad = &collector.keys();
                let inspected = collector.finish(args, sad, checking, origin(args, interfaces, gone))?;
                let exit = inspected.exit(args, checking);
                if args.list_keys {
                    super::print(&keys::list(sad, &[&inspected.analysis]))?;
                } else {
                    report::write(args, sad, &[inspected], checking)?;
                }
                Ok(exit)
            }
        }
    }
}

fn origin<'a>(args: &Args, interfaces: &[Interface], gone: Vec<String>) -> Origin<'a> {
    let filtered = filter(args).ok().flatten().filter(|filter| !filter.is_empty());
    let filtered = filtered.map(|_| String::from("Only packets that pass the capture filter were captured."));
    Origin {
        name: names(interfaces),
        path: None,
        format: "live",
        nanoseconds: interfaces.iter().any(|interface| interface.nanoseconds),
        damage: None,
        drops: watch::drops(interfaces),
        goes_on: false,
        cut_short: !gone.is_empty(),
        lacks: filtered.into_iter().chain(gone).collect(),
    }
}

/// Options that make no sense with an interface.
fn check(args: &Args) -> Result<(), Failure> {
    if args.write_decrypted.is_some() {
        return Err(Failure::new("--write-decrypted does not go with -i")
            .hint("-w FILE, then l2tp-inspect FILE --write-decrypted OTHER"));
    }
    if args.write_expect.is_some() {
        return Err(Failure::new("--write-expect does not go with -i")
            .hint("-w FILE, then l2tp-inspect FILE --write-expect expect.toml"));
    }
    if args.write.is_some() && (args.tunnel.is_some() || args.call.is_some()) && !shows_packets(args) {
        return Err(Failure::new("-w with -i writes the packets of all control connections and calls")
            .hint("-w FILE, then l2tp-inspect FILE --tunnel T1 -w OTHER"));
    }
    if args.metrics.is_some() && shows_packets(args) {
        return Err(Failure::new("--metrics goes with events and the report, not with packets")
            .hint("without -P, -V, -x and -T fields, csv"));
    }
    if args.write.is_none() && !args.ring_buffer.is_empty() {
        return Err(Failure::new("-b needs a file").hint("-w NAME.pcapng -b filesize:100000 -b files:10"));
    }
    super::offline::check_columns(args)
}

fn options(args: &Args) -> Result<Options, Failure> {
    let buffer = args.buffer_size.map(|mebibytes| mebibytes.saturating_mul(1 << 20));
    Ok(Options {
        snaplen: args.snaplen.filter(|octets| *octets > 0),
        promiscuous: !args.no_promiscuous,
        buffer,
        filter: filter(args)?,
        promptly: shows_packets(args),
    })
}

/// The capture filter: `-f`, or all words behind the options, as tcpdump takes it.
fn filter(args: &Args) -> Result<Option<String>, Failure> {
    let words: Option<Vec<&str>> = args.files.iter().map(|word| word.to_str()).collect();
    let words = words.ok_or_else(|| Failure::new("the capture filter is no text"))?.join(" ");
    match &args.capture_filter {
        Some(_) if !words.is_empty() => {
            Err(Failure::new("two capture filters: -f, and the words behind the options")
                .hint("with -i, files cannot be read too"))
        }
        Some(filter) => Ok(Some(filter.clone())),
        None => Ok((!words.is_empty()).then_some(words)),
    }
}

fn names(interfaces: &[Interface]) -> Printable {
    let names: Vec<&str> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    Printable::from_text(&names.join(", "))
}

fn went(interface: &Interface) -> Option<String> {
    let why = interface.gone.as_ref()?;
    Some(format!("{} went away during the capture: {}.", interface.name, why.as_str().trim_end_matches('.')))
}

fn warn_of_gone(interfaces: &[Interface], known: usize) -> usize {
    let gone: Vec<String> = interfaces.iter().filter_map(went).collect();
    if gone.len() > known {
        for sentence in &gone {
            let _ = writeln!(io::stderr(), "l2tp-inspect: warning: {sentence}");
        }
    }
    gone.len()
}

/// `-D`: a line for each interface with name, state, addresses and description, with tabs.
pub(super) fn list() -> Result<String, Failure> {
    let rows = live::list().map_err(|error| failure(&error))?;
    Ok(rows.iter().map(|row| format!("{}\n", row.each_ref().map(Printable::as_str).join("\t"))).collect())
}

fn failure(error: &LiveError) -> Failure {
    let failure = Failure::new(error.to_string());
    let failure = match error {
        LiveError::Permission { reason, .. } => failure.cause(reason),
        _ => failure,
    };
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
