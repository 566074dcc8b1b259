//! Views of packets: each packet is dissected in full and written at once, in constant memory.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::capture::{CaptureFile, PacketFilter};
use crate::dissect::Protocol;
use crate::dissect::registry;
use crate::field::{FieldDef, Tree};
use crate::inspector::Inspector;
use crate::ipsec::Sad;
use crate::report::fields::{Columns, Layout};
use crate::report::packet::Packet;
use crate::util::Printable;

use super::args::{Args, Format};
use super::exit::{Exit, Failure};
use super::explain::distance;
use super::offline::{failure, limits};

/// Whether these arguments ask for packets, and not for a report.
pub(super) fn wanted(args: &Args) -> bool {
    args.format == Format::Fields
}

/// What writes the packets.
enum View {
    Columns(Columns),
}

impl View {
    fn new(args: &Args) -> Result<Self, Failure> {
        let mut layout = Layout::default();
        for option in &args.layout {
            layout
                .set(option)
                .map_err(|why| Failure::new(format!("-E {}: {why}", Printable::from_text(option))))?;
        }
        let mut columns = Vec::new();
        for name in &args.fields {
            columns.push((name.clone(), named(name)?));
        }
        if columns.is_empty() {
            return Err(Failure::new("-T fields: no field was asked for")
                .hint("l2tp-inspect FILE -T fields -e frame.number -e l2tp.tunnel"));
        }
        Ok(Self::Columns(Columns::new(columns, layout, args.show_secrets)))
    }

    fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Columns(columns) => columns.begin(out),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Columns(columns) => columns.write(packet, out),
        }
    }
}

/// The definitions of a field that the user named.
fn named(name: &str) -> Result<Vec<&'static FieldDef>, Failure> {
    let found = Protocol::fields_named(name);
    if !found.is_empty() {
        return Ok(found);
    }
    let nearest =
        registry::fields().min_by_key(|field| distance(field.name, name)).map_or("", |field| field.name);
    Err(Failure::new(format!("{}: no such field; did you mean {nearest}?", Printable::from_text(name)))
        .hint("l2tp-inspect --list-fields"))
}

/// Writes the packets of all files.
///
/// # Errors
///
/// When an option does not fit or the output cannot be written.
pub(super) fn run(args: &Args, files: &[&Path], sad: &Sad) -> Result<Exit, Failure> {
    let mut view = View::new(args)?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut exit = Exit::Done;
    if let Err(error) = view.begin(&mut out) {
        return super::finish(Err(error)).map(|()| exit);
    }
    for path in files {
        match file(args, path, sad, &mut view, &mut out) {
            Ok(Ok(ended)) => exit = exit.max(ended),
            Ok(Err(error)) => return super::finish(Err(error)).map(|()| exit),
            Err(failure) => {
                failure.print();
                exit = Exit::Failed;
            }
        }
    }
    super::finish(out.flush()).map(|()| exit)
}

/// The outer error is the capture's, the inner one the output's.
fn file(
    args: &Args,
    path: &Path,
    sad: &Sad,
    view: &mut View,
    out: &mut dyn Write,
) -> Result<io::Result<Exit>, Failure> {
    let mut capture = CaptureFile::open(path).map_err(|error| failure(&error))?;
    let mut filter = args.capture_filter.as_deref().map(PacketFilter::new);
    let mut inspector = Inspector::new(sad, limits(args));
    let mut tree = Tree::default();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(frame) = capture.next_frame().map_err(|error| failure(&error))? else { break };
        if let Some(filter) = &mut filter
            && !filter.matches(&frame).map_err(|error| failure(&error))?
        {
            continue;
        }
        tree.clear();
        inspector.look(&frame, &mut tree);
        inspector.follow(&frame);
        let packet = Packet { frame: &frame, tree: &tree, scratch: inspector.scratch() };
        if let Err(error) = view.packet(&packet, out) {
            return Ok(Err(error));
        }
        left -= 1;
    }
    Ok(Ok(match capture.damage() {
        Some(damage) => {
            let name = Printable::from_text(&path.to_string_lossy());
            let _ = writeln!(
                io::stderr(),
                "l2tp-inspect: warning: {name}: {}",
                Printable::from_text(&damage.to_string())
            );
            Exit::Damaged
        }
        None => Exit::Done,
    }))
}
