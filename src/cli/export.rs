//! `-w` and `--write-decrypted`: one pass over the captures, each packet written as it comes.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use hashbrown::HashMap;

use crate::analysis::PacketContext;
use crate::capture::{CaptureFile, PacketFilter};
use crate::dissect::layers::{EspOutcome, Layers};
use crate::export::pcapng::{Interface, Packet, Writer};
use crate::export::peel::{Dissected, Layer, Left};
use crate::export::trail::{Both, Trail};
use crate::field::Wanted;
use crate::ipsec::Sad;
use crate::util::{Frame, Printable};

use super::args::{self, Args, Format};
use super::exit::{Exit, Failure};
use super::offline::failure;
use super::output::{OutputFile, cannot_write, name};
use super::report::{display_filter, inspector};
use super::selection::Selection;
use super::views;

/// Control connections whose initiator is remembered, for the direction of PPP frames.
const MOST_INITIATORS: usize = 65_536;

/// Whether packets are to be written.
pub(super) fn wanted(args: &Args) -> bool {
    args.write.is_some() || args.write_decrypted.is_some()
}

/// Whether something is to be shown besides: as with tshark, `-w` alone prints nothing.
pub(super) fn also_shows(args: &Args) -> bool {
    views::wanted(args)
        || args.summary
        || args.ladder
        || args.findings
        || args.quiet
        || args.list_keys
        || args.format != Format::Text
        || !args.fail_on.is_empty()
}

/// What is read and must not be written over.
pub(super) fn inputs(args: &Args) -> Vec<&Path> {
    let paths = args.read.iter().chain(&args.files).chain(&args.keys).chain(&args.secrets);
    paths.map(PathBuf::as_path).collect()
}

/// Writes the packets of all files.
///
/// # Errors
///
/// When an output cannot be written, or options do not go together.
pub(super) fn run(args: &Args, files: &[&Path], sad: &Sad) -> Result<Exit, Failure> {
    check(args, files)?;
    let mut outputs = Outputs::create(args)?;
    let mut exit = Exit::Done;
    let mut read = false;
    for (path, number) in files.iter().zip(0..) {
        match file(args, path, number, sad, &mut outputs)? {
            Ok(ended) => {
                read = true;
                exit = exit.max(ended);
            }
            Err(failure) => {
                failure.print();
                exit = Exit::Failed;
            }
        }
    }
    if read {
        outputs.commit()?;
    }
    Ok(exit)
}

fn check(args: &Args, files: &[&Path]) -> Result<(), Failure> {
    let no_file = |path: &&&Path| !path.metadata().is_ok_and(|about| about.is_file());
    if also_shows(args)
        && let Some(path) = files.iter().find(no_file)
        && (*path == Path::new("-") || path.exists())
    {
        return Err(Failure::new(format!("{}: can be read only once", name(path)))
            .hint("write the packets to a file first, then look at that"));
    }
    let standard_output = Path::new("-");
    if args.write.as_deref() == Some(standard_output) && also_shows(args) {
        return Err(Failure::new("-w - leaves no room on standard output for anything else"));
    }
    if args.write_decrypted.as_deref() == Some(standard_output) {
        return Err(Failure::new("--write-decrypted writes to a file only")
            .hint("--write-decrypted decrypted.pcapng"));
    }
    if args.write.is_some() && args.write == args.write_decrypted {
        return Err(Failure::new("-w and --write-decrypted name the same file"));
    }
    Ok(())
}

/// Where packets as captured go.
enum Sink {
    File(OutputFile),
    Standard(BufWriter<io::Stdout>),
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(octets),
            Self::Standard(out) => out.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Standard(out) => out.flush(),
        }
    }
}

/// A file and what was written into it.
struct Output<'a> {
    path: &'a Path,
    writer: Writer<Sink>,
    written: u64,
}

impl<'a> Output<'a> {
    fn create(args: &Args, path: &'a Path) -> Result<Self, Failure> {
        let sink = if path == Path::new("-") {
            Sink::Standard(BufWriter::with_capacity(1 << 16, io::stdout()))
        } else {
            Sink::File(OutputFile::create(path, args.force, &inputs(args))?)
        };
        let writer = Writer::new(sink).map_err(|error| cannot_write(path, error))?;
        Ok(Self { path, writer, written: 0 })
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.written = self.written.saturating_add(1);
        self.writer.packet(packet)
    }

    fn commit(self) -> Result<(), Failure> {
        let Self { path, writer, .. } = self;
        match writer.finish() {
            Ok(Sink::File(file)) => file.commit(),
            Ok(Sink::Standard(_)) => Ok(()),
            Err(error) if path == Path::new("-") => super::finish(Err(error)),
            Err(error) => Err(cannot_write(path, error)),
        }
    }
}

struct Outputs<'a> {
    captured: Option<Output<'a>>,
    peeled: Option<Output<'a>>,
    layer: Layer,
    left: [u64; Left::ALL.len()],
    at_once: bool,
}

impl<'a> Outputs<'a> {
    fn create(args: &'a Args) -> Result<Self, Failure> {
        Ok(Self {
            captured: args.write.as_deref().map(|path| Output::create(args, path)).transpose()?,
            peeled: args.write_decrypted.as_deref().map(|path| Output::create(args, path)).transpose()?,
            layer: match args.layer {
                args::Layer::Ip => Layer::Ip,
                args::Layer::L2tp => Layer::L2tp,
                args::Layer::Ppp => Layer::Ppp,
                args::Layer::Inner => Layer::Inner,
            },
            left: [0; Left::ALL.len()],
            at_once: args.flush,
        })
    }

    fn commit(self) -> Result<(), Failure> {
        if let Some(captured) = self.captured {
            captured.commit()?;
        }
        let Some(peeled) = self.peeled else { return Ok(()) };
        let (file, written) = (name(peeled.path), peeled.written);
        peeled.commit()?;
        let sum: u64 = self.left.iter().sum();
        let reasons: Vec<String> = Left::ALL
            .iter()
            .zip(self.left)
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| format!("{count} {}", reason.words(self.layer)))
            .collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let packets = if written == 1 { "packet" } else { "packets" };
        let _ = writeln!(
            io::stderr(),
            "l2tp-inspect: {file}: {written} {packets} written, {sum} left out{reasons}"
        );
        Ok(())
    }

    /// Writes one packet.
    fn packet(&mut self, seen: &Seen<'_>, buffer: &mut Vec<u8>) -> Result<(), (PathBuf, io::Error)> {
        let frame = seen.dissected.frame;
        if let Some(captured) = &mut self.captured {
            let octets = frame.data;
            let packet = Packet {
                interface: seen.interface,
                time: frame.time,
                octets,
                original: frame.original_len,
                comments: seen.comments,
            };
            let written = captured.packet(&packet).and_then(|()| flush(captured, self.at_once));
            written.map_err(|error| (captured.path.to_owned(), error))?;
        }
        let Some(peeled) = &mut self.peeled else { return Ok(()) };
        let original = match seen.dissected.peel(self.layer, seen.sent, buffer) {
            Ok(original) => original,
            Err(why) => {
                let count = Left::ALL.iter().position(|one| *one == why);
                if let Some(count) = count.and_then(|at| self.left.get_mut(at)) {
                    *count = count.saturating_add(1);
                }
                return Ok(());
            }
        };
        let interface =
            Interface { capture: 0, number: 0, link: self.layer.link(), snaplen: 0, nanoseconds: true };
        let comment = comment(frame, seen.dissected.layers);
        let packet = Packet { interface, time: frame.time, octets: buffer, original, comments: &[&comment] };
        let written = peeled.packet(&packet).and_then(|()| flush(peeled, self.at_once));
        written.map_err(|error| (peeled.path.to_owned(), error))
    }
}

fn flush(output: &mut Output<'_>, at_once: bool) -> io::Result<()> {
    if at_once { output.writer.flush() } else { Ok(()) }
}

/// Where a packet came from: `packet 402, ESP SPI 0xc0de0001 sequence 12`.
fn comment(frame: &Frame<'_>, layers: &Layers) -> String {
    let mut text = format!("packet {}", frame.number);
    for esp in layers.esp.iter().chain(&layers.deeper_esp) {
        if matches!(esp.outcome, EspOutcome::Opened { .. }) {
            text.push_str(&format!(", ESP SPI {} sequence {}", esp.spi, esp.sequence));
        }
    }
    text
}

/// A packet that is to be written.
struct Seen<'a> {
    dissected: Dissected<'a>,
    interface: Interface,
    comments: &'a [&'a str],
    sent: bool,
}

/// Who sent the first packet of each control connection.
#[derive(Default)]
struct Initiators(HashMap<u32, std::net::IpAddr>);

impl Initiators {
    fn sent(&mut self, place: &PacketContext, layers: &Layers) -> bool {
        let Some(addresses) = layers.addresses else { return false };
        let by_order = addresses.source < addresses.destination;
        let Some(connection) = place.connection else { return by_order };
        match self.0.get(&connection) {
            Some(initiator) => *initiator == addresses.source,
            None if self.0.len() < MOST_INITIATORS => {
                self.0.insert(connection, addresses.source);
                true
            }
            None => by_order,
        }
    }
}

/// The outer error is an output's, the inner one the capture's.
fn file(
    args: &Args,
    path: &Path,
    number: u32,
    sad: &Sad,
    outputs: &mut Outputs<'_>,
) -> Result<Result<Exit, Failure>, Failure> {
    let mut capture = match CaptureFile::open(path) {
        Ok(capture) => capture,
        Err(error) => return Ok(Err(failure(&error))),
    };
    let mut bpf = args.capture_filter.as_deref().map(PacketFilter::new);
    let selection = Selection::new(args)?;
    let mut display = display_filter(args)?;
    let mut wanted = display.as_ref().map_or_else(Wanted::default, |filter| filter.wanted());
    let mut inspector = inspector(args, sad)?;
    let (mut trail, mut initiators, mut buffer) = (Trail::default(), Initiators::default(), Vec::new());
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let described = match capture.next_described() {
            Ok(Some(described)) => described,
            Ok(None) => break,
            Err(error) => return Ok(Err(failure(&error))),
        };
        let frame = &described.frame;
        if let Some(filter) = &mut bpf {
            match filter.matches(frame) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => return Ok(Err(failure(&error))),
            }
        }
        left -= 1;
        trail.clear();
        wanted.clear();
        inspector.look(frame, &mut Both(&mut trail, &mut wanted));
        let place = inspector.follow(frame);
        let octets = |range| inspector.scratch().octets(frame.data, range);
        if !display.as_mut().is_none_or(|filter| filter.passes(&wanted, &octets)) || !selection.has(&place) {
            continue;
        }
        let (layers, scratch) = (inspector.layers(), inspector.scratch());
        let seen = Seen {
            dissected: Dissected {
                frame,
                trail: &trail,
                layers,
                scratch,
                replayed: place.replayed || place.double,
            },
            interface: Interface {
                capture: number,
                number: frame.interface,
                link: frame.link,
                snaplen: described.snaplen,
                nanoseconds: described.nanoseconds,
            },
            comments: &described.comments,
            sent: initiators.sent(&place, layers),
        };
        if let Err((path, error)) = outputs.packet(&seen, &mut buffer) {
            if path == Path::new("-") {
                super::finish(Err(error))?;
                return Ok(Ok(Exit::Done));
            }
            return Err(cannot_write(&path, error));
        }
    }
    Ok(Ok(match capture.damage() {
        Some(damage) => {
            let damage = Printable::from_text(&damage.to_string());
            let _ = writeln!(io::stderr(), "l2tp-inspect: warning: {}: {damage}", name(path));
            Exit::Damaged
        }
        None => Exit::Done,
    }))
}
