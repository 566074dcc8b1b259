//! Views of packets: each packet is dissected in full and written at once, in constant memory.

use std::io::{self, Write};
use std::path::Path;

use crate::analysis::Acknowledgements;
use crate::capture::{CaptureFile, PacketFilter};
use crate::dissect::{Protocol, registry};
use crate::field::{FieldDef, Node, Range, Tree, Value};
use crate::filter::Filter;
use crate::inspector::Inspector;
use crate::ipsec::Sad;
use crate::report::fields::{Columns, Layout};
use crate::report::mask::Masks;
use crate::report::packet::{Clock, Outlook, Packet};
use crate::report::style::Style;
use crate::report::times::Stamp;
use crate::report::{details, hex, info, packet_json, packets};
use crate::util::{Frame, Printable, Timestamp, meant};

use super::args::{Args, Format, Time};
use super::exit::{Exit, Failure};
use super::offline::failure;
use super::report::{display_filter, inspector};
use super::screen;
use super::selection::Selection;

/// Octets that are gathered before they are written.
const BUFFER: usize = 1 << 16;

/// Whether these arguments ask for packets, and not for a report.
pub(super) fn wanted(args: &Args) -> bool {
    args.packets
        || args.details
        || args.hex
        || matches!(args.format, Format::Fields | Format::Csv | Format::Jsonl)
}

/// What writes the packets.
pub(super) enum View {
    Columns(Columns),
    Text { line: bool, details: bool, hex: bool, stamp: Stamp, style: Style, columns: Option<usize> },
    Json { shape: packet_json::Shape, lines: bool, any: bool },
}

impl View {
    pub(super) fn new(args: &Args) -> Result<Self, Failure> {
        let (line, details) = (args.packets, args.details);
        Ok(match args.format {
            Format::Fields | Format::Csv => Self::Columns(columns(args)?),
            Format::Markdown | Format::Junit | Format::Sarif | Format::Github => {
                return Err(Failure::new(
                    "-T markdown, junit, sarif and github are for the report, not for packets",
                )
                .hint("l2tp-inspect FILE -T junit, or l2tp-inspect FILE -P -T json"));
            }
            Format::Json | Format::Jsonl => {
                let line = line || !details;
                let shape = packet_json::Shape { line, layers: details, hex: args.hex };
                Self::Json { shape, lines: args.format == Format::Jsonl, any: false }
            }
            Format::Text => Self::Text {
                line: line || !details,
                details,
                hex: args.hex,
                stamp: stamp(args.time),
                style: screen::style(args),
                // Without the option a line is as long as it is: a search must find all of it.
                columns: args.width.map(usize::from),
            },
        })
    }

    /// Whether the words of this view get better when the capture was read before.
    fn looks_ahead(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        match self {
            Self::Columns(columns) => columns.begin(out),
            Self::Json { lines: false, .. } => out.push(b'['),
            _ => {}
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Columns(columns) => columns.write(packet, out),
            Self::Text { line, details: tree, hex: octets, stamp, style, columns } => {
                if *line {
                    packets::write(packet, *stamp, style, *columns, out);
                }
                if *tree {
                    details::write(packet, style, out);
                }
                if *octets {
                    hex::write(packet, out);
                }
            }
            Self::Json { shape, lines, any } => {
                if !*lines {
                    out.extend_from_slice(if *any { b",\n" } else { b"\n" });
                    *any = true;
                }
                packet_json::write(packet, *shape, out);
                if *lines {
                    out.push(b'\n');
                }
            }
        }
    }

    pub(super) fn end(&self, out: &mut Vec<u8>) {
        if let Self::Json { lines: false, .. } = self {
            out.extend_from_slice(b"\n]\n");
        }
    }
}

fn stamp(time: Time) -> Stamp {
    match time {
        Time::R => Stamp::Relative,
        Time::D => Stamp::Delta,
        Time::A => Stamp::Absolute,
        Time::Ad => Stamp::AbsoluteDate,
        Time::U => Stamp::Utc,
        Time::Ud => Stamp::UtcDate,
        Time::E => Stamp::Epoch,
    }
}

fn columns(args: &Args) -> Result<Columns, Failure> {
    let mut layout = if args.format == Format::Csv { Layout::csv() } else { Layout::default() };
    for option in args.layout.iter().filter(|option| !super::keys::is_secret(option)) {
        layout
            .set(option)
            .map_err(|why| Failure::new(format!("-E {}: {why}", Printable::from_text(option))))?;
    }
    let mut columns = Vec::new();
    for name in &args.fields {
        columns.push((name.clone(), named(name)?));
    }
    if columns.is_empty() {
        return Err(Failure::new("no field was asked for")
            .hint("l2tp-inspect FILE -T fields -e frame.number -e l2tp.tunnel"));
    }
    Ok(Columns::new(columns, layout))
}

/// The definitions of a field that the user named.
fn named(name: &str) -> Result<Vec<&'static FieldDef>, Failure> {
    let found = Protocol::fields_named(name);
    if !found.is_empty() {
        return Ok(found);
    }
    let near = meant(name, registry::names());
    Err(Failure::new(format!("{}: no such field{near}", Printable::from_text(name)))
        .hint("l2tp-inspect --list-fields"))
}

/// Writes the packets of all files.
///
/// # Errors
///
/// When an option does not fit or the output cannot be written.
pub(super) fn run(args: &Args, files: &[&Path], sad: &Sad) -> Result<Exit, Failure> {
    let mut view = View::new(args)?;
    let mut output = Output::new(args.flush);
    let mut exit = Exit::Done;
    view.begin(&mut output.waiting);
    for path in files {
        match file(args, path, sad, &mut view, &mut output) {
            Ok(Ok(ended)) => exit = exit.max(ended),
            Ok(Err(error)) => return super::finish(Err(error)).map(|()| exit),
            Err(failure) => {
                failure.print();
                exit = Exit::Failed;
            }
        }
    }
    view.end(&mut output.waiting);
    super::finish(output.flush()).map(|()| exit)
}

/// Standard output, behind a buffer.
pub(super) struct Output<'a> {
    to: io::StdoutLock<'a>,
    pub(super) waiting: Vec<u8>,
    at_once: bool,
}

impl Output<'_> {
    pub(super) fn new(at_once: bool) -> Self {
        Self { to: io::stdout().lock(), waiting: Vec::new(), at_once }
    }

    pub(super) fn written(&mut self) -> io::Result<()> {
        if self.at_once || self.waiting.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.waiting)?;
        self.waiting.clear();
        self.to.flush()
    }
}

/// The frames of a capture that pass the options.
struct Frames {
    capture: CaptureFile,
    filter: Option<PacketFilter>,
    left: u64,
    left_out: u64,
}

impl Frames {
    fn open(args: &Args, path: &Path) -> Result<Self, Failure> {
        let capture = CaptureFile::open(path).map_err(|error| failure(&error))?;
        let filter = args.capture_filter.as_deref().map(PacketFilter::new);
        Ok(Self { capture, filter, left: args.count.unwrap_or(u64::MAX), left_out: 0 })
    }

    /// Calls `each` with every frame, until it says that it has enough.
    fn each(&mut self, mut each: impl FnMut(&Frame<'_>) -> bool) -> Result<(), Failure> {
        while self.left > 0 {
            let Some(frame) = self.capture.next_frame().map_err(|error| failure(&error))? else { break };
            if let Some(filter) = &mut self.filter
                && !filter.matches(&frame).map_err(|error| failure(&error))?
            {
                self.left_out += 1;
                continue;
            }
            if !each(&frame) {
                break;
            }
            self.left -= 1;
        }
        Ok(())
    }
}

/// Reads the whole capture once, for what only its end can tell. A pipe is read once only, so nothing is known then.
fn outlook(args: &Args, path: &Path, sad: &Sad) -> Result<Outlook, Failure> {
    if !path.metadata().is_ok_and(|about| about.is_file()) {
        return Ok(Outlook::default());
    }
    let mut frames = Frames::open(args, path)?;
    let mut inspector = inspector(args, sad)?;
    frames.each(|frame| {
        inspector.push(frame);
        true
    })?;
    let analysis = inspector.finish();
    let damage = frames.capture.damage().map(ToString::to_string);
    let drops = frames.capture.interface_drops();
    let case = crate::rules::Case {
        analysis: &analysis,
        sad,
        damage: damage.as_deref(),
        drops,
        left_out: frames.left_out,
        profile: args.profile,
    };
    Ok(Outlook::new(Acknowledgements::of(&analysis), &crate::rules::judge(&case)))
}

/// Whether a packet passes a filter, which may ask for what its line says.
fn passes(filter: &mut Filter, packet: &Packet<'_>) -> bool {
    let columns = registry::columns();
    if !columns.iter().any(|field| filter.names(field)) {
        return filter.passes_tree(packet.nodes(), &|range| packet.octets(range));
    }
    let mut nodes = packet.nodes().to_vec();
    let words = [info::protocol(packet).to_owned(), info::info(packet)];
    for (source, (field, text)) in (LINE_SOURCE..).zip(columns.into_iter().zip(&words)) {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let range = Range { source, start: 0, end };
        nodes.push(Node { field, range, value: Value::Octets, depth: 0, title: None });
    }
    let octets = |range: Range| match range.source.checked_sub(LINE_SOURCE).map(usize::from) {
        Some(at) => words.get(at).map_or(&[][..], String::as_bytes),
        None => packet.octets(range),
    };
    filter.passes_tree(&nodes, &octets)
}

/// No frame has so many buffers: the texts of its line stand behind.
const LINE_SOURCE: u8 = 0xf0;

/// The outer error is the capture's, the inner one the output's.
fn file(
    args: &Args,
    path: &Path,
    sad: &Sad,
    view: &mut View,
    output: &mut Output<'_>,
) -> Result<io::Result<Exit>, Failure> {
    let outlook = if view.looks_ahead() { outlook(args, path, sad)? } else { Outlook::default() };
    let mut frames = Frames::open(args, path)?;
    let mut viewer = Viewer::new(args, sad, outlook, frames.capture.nanoseconds())?;
    let mut written = Ok(());
    frames.each(|frame| {
        viewer.frame(frame, view, output);
        written = output.written();
        written.is_ok()
    })?;
    if let Err(error) = written {
        return Ok(Err(error));
    }
    Ok(Ok(match frames.capture.damage() {
        Some(damage) => {
            let name = Printable::from_text(&path.to_string_lossy());
            let damage = Printable::from_text(&damage.to_string());
            let _ = writeln!(io::stderr(), "l2tp-inspect: warning: {name}: {damage}");
            Exit::Damaged
        }
        None => Exit::Done,
    }))
}

/// Looks at the frames of one capture, one by one.
pub(super) struct Viewer<'k> {
    inspector: Inspector<'k>,
    filter: Option<Filter>,
    selection: Selection,
    outlook: Outlook,
    nanoseconds: bool,
    show_secrets: bool,
    tree: Tree,
    masks: Masks,
    times: Option<(Timestamp, Timestamp)>,
}

impl<'k> Viewer<'k> {
    /// What the command line asks for.
    ///
    /// # Errors
    ///
    /// When an option makes no sense or the secrets cannot be read.
    pub(super) fn new(
        args: &Args,
        sad: &'k Sad,
        outlook: Outlook,
        nanoseconds: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            inspector: inspector(args, sad)?,
            filter: display_filter(args)?,
            selection: Selection::new(args)?,
            outlook,
            nanoseconds,
            show_secrets: args.show_secrets,
            tree: Tree::default(),
            masks: Masks::default(),
            times: None,
        })
    }

    /// What looks at the frames.
    #[cfg(feature = "live")]
    pub(super) fn inspector(&mut self) -> &mut Inspector<'k> {
        &mut self.inspector
    }

    /// Takes the next frame, puts it into the output if it is to be shown, and says whether it is.
    pub(super) fn frame(&mut self, frame: &Frame<'_>, view: &mut View, output: &mut Output<'_>) -> bool {
        let (first, previous) = self.times.unwrap_or((frame.time, frame.time));
        let clock = Clock {
            since_first: frame.time.since(first),
            since_previous: frame.time.since(previous),
            nanoseconds: self.nanoseconds,
        };
        self.times = Some((first, frame.time));
        self.tree.clear();
        self.inspector.look(frame, &mut self.tree);
        let place = self.inspector.follow(frame);
        let (layers, scratch) = (self.inspector.layers(), self.inspector.scratch());
        let packet = Packet {
            frame,
            tree: &self.tree,
            scratch,
            layers,
            place: &place,
            sad: self.inspector.keys(),
            outlook: &self.outlook,
            clock,
            masked: &[],
        };
        let shown = self.filter.as_mut().is_none_or(|filter| passes(filter, &packet));
        if !shown || !self.selection.has(&place) {
            return false;
        }
        if !self.show_secrets {
            self.masks.find(self.tree.nodes(), frame, layers, scratch);
        }
        let packet = Packet { masked: self.masks.ranges(), ..packet };
        view.packet(&packet, &mut output.waiting);
        true
    }
}
