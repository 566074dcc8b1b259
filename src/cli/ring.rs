//! `-w` of a live capture: one pcapng file or, with `-b`, a ring of them.
//!
//! Files appear under their names at once and hold whole blocks only, so whatever ends the capture leaves valid ones. A
//! file that cannot be written on is cut back to its last whole block; the capture goes on without it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::tz::TimeZone;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, openat, unlinkat};

use crate::capture::live::Interface;
use crate::export::pcapng::{self, Packet, Statistics, Writer};
use crate::util::{Frame, Timestamp};

use super::args::Args;
use super::conditions::Conditions;
use super::exit::Failure;
use super::output::name;
use super::privilege::Privileges;

/// Octets that are gathered before they are written, in whole blocks.
const BUFFER: usize = 1 << 16;

/// The file that is written, and those before it.
pub(super) struct Ring {
    folder: OwnedFd,
    folder_path: PathBuf,
    file: OsString,
    zone: TimeZone,
    limits: Conditions,
    is_ring: bool,
    force: bool,
    at_once: bool,
    interfaces: Vec<Interface>,
    current: Option<Current>,
    /// Files that were begun.
    begun: u64,
    /// The names of those that are kept, the oldest first.
    kept: VecDeque<OsString>,
    failed: bool,
}

struct Current {
    path: PathBuf,
    writer: Writer<Blocks>,
    since: Instant,
    packets: u64,
}

impl Ring {
    /// Begins the first file, which belongs to whom the process will be.
    ///
    /// # Errors
    ///
    /// When a condition makes no sense or the file cannot be made.
    pub(super) fn new(
        args: &Args,
        path: &Path,
        interfaces: Vec<Interface>,
        privileges: &Privileges,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(format!("cannot write {}", name(path))).cause(error);
        if path == Path::new("-") {
            return Err(Failure::new("-w - does not go with -i").hint("-w FILE, then -r FILE -w -"));
        }
        let Some(file) = path.file_name() else {
            return Err(Failure::new(format!("{} names no file", name(path))));
        };
        let limits = Conditions::new("-b", &args.ring_buffer)?;
        let is_ring = !args.ring_buffer.is_empty();
        if is_ring && limits.duration.is_none() && limits.octets.is_none() && limits.packets.is_none() {
            return Err(Failure::new("-b does not say when the next file begins")
                .hint("-b filesize:100000 -b files:10, or duration:SECONDS, or packets:N"));
        }
        let folder_path = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, &folder_path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let mut ring = Self {
            folder,
            folder_path,
            file: file.to_owned(),
            zone: TimeZone::system(),
            limits,
            is_ring,
            force: args.force,
            at_once: args.flush,
            interfaces,
            current: None,
            begun: 0,
            kept: VecDeque::new(),
            failed: false,
        };
        let current = ring.begin().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::new(format!("{} exists", name(path)))
                .hint("give another name, or --force to replace it"),
            _ => failed(error),
        })?;
        privileges.own(&current.writer.get_ref().file).map_err(failed)?;
        ring.current = Some(current);
        Ok(ring)
    }

    /// Folders in which files will be made and removed.
    pub(super) fn writes(&self) -> Option<PathBuf> {
        self.is_ring.then(|| self.folder_path.clone())
    }

    /// Checks, once the process is who it will be, that the next file of the ring can be made.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub(super) fn check(&self, privileges: &Privileges) -> Result<(), Failure> {
        if !self.is_ring
            || accessat(&self.folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
        {
            return Ok(());
        }
        let folder = name(&self.folder_path);
        let failure = Failure::new(format!("{folder}: no further files of the ring can be made there"));
        Err(match privileges.user() {
            Some(user) => failure
                .cause(format!("the capture runs as {user}, who may not write there"))
                .hint(format!("install -d -o {user} FOLDER for the ring, or --user NAME")),
            None => failure,
        })
    }

    /// Writes a packet.
    pub(super) fn packet(&mut self, frame: &Frame<'_>) {
        self.rotate(true);
        let Some(current) = &mut self.current else { return };
        let Some(interface) = self.interfaces.get(frame.interface as usize) else { return };
        let packet = Packet {
            interface: described(interface, frame.interface),
            time: frame.time,
            octets: frame.data,
            original: frame.original_len,
            comments: &[],
        };
        current.packets = current.packets.saturating_add(1);
        let written = current.writer.packet(&packet);
        let written = if self.at_once { written.and_then(|()| current.writer.flush()) } else { written };
        if let Err(error) = written {
            self.fail(error);
        }
    }

    /// What is due when time passes: what was gathered is written, and the next file begun.
    pub(super) fn tick(&mut self, interfaces: &[Interface]) {
        self.interfaces = interfaces.to_vec();
        self.rotate(false);
        if let Some(current) = &mut self.current
            && let Err(error) = current.writer.flush()
        {
            self.fail(error);
        }
    }

    /// Ends the last file. Whether all could be written.
    pub(super) fn end(&mut self, interfaces: &[Interface]) -> bool {
        self.interfaces = interfaces.to_vec();
        self.close();
        !self.failed
    }

    /// Files that were begun, and octets of the current one.
    pub(super) fn sizes(&self) -> (u64, u64) {
        (self.begun, self.current.as_ref().map_or(0, |current| current.writer.get_ref().octets()))
    }

    /// Begins the next file if it is time. A file is full only when there is a packet for the next one.
    fn rotate(&mut self, has_packet: bool) {
        let Some(current) = self.current.as_ref().filter(|_| self.is_ring) else { return };
        let (octets, packets) =
            if has_packet { (current.writer.get_ref().octets(), current.packets) } else { (0, 0) };
        if !self.limits.reached(current.since.elapsed(), octets, packets) {
            return;
        }
        self.close();
        if self.failed {
            return;
        }
        match self.begin() {
            Ok(current) => self.current = Some(current),
            Err(error) => self.fail(error),
        }
        while self.limits.files.is_some_and(|files| self.kept.len() as u64 > files) {
            let Some(oldest) = self.kept.pop_front() else { break };
            if let Err(error) = unlinkat(&self.folder, &oldest, AtFlags::empty()) {
                let path = name(&self.folder_path.join(&oldest));
                let _ = writeln!(io::stderr(), "l2tp-inspect: warning: cannot remove {path}: {error}");
            }
        }
    }

    fn begin(&mut self) -> io::Result<Current> {
        self.begun = self.begun.saturating_add(1);
        let file = if self.is_ring {
            let now = jiff::Timestamp::now().to_zoned_datetime(self.zone.clone());
            numbered(&self.file, self.begun, &now.strftime("%Y%m%d%H%M%S").to_string())
        } else {
            self.file.clone()
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let flags = flags | if self.force { OFlags::TRUNC } else { OFlags::EXCL };
        let opened = File::from(openat(&self.folder, &file, flags, Mode::RUSR | Mode::WUSR)?);
        let path = self.folder_path.join(&file);
        self.kept.push_back(file);
        let mut writer = Writer::new(Blocks { file: opened, waiting: Vec::new(), whole: 0 })?;
        for (interface, number) in self.interfaces.iter().zip(0..) {
            writer.describe(described(interface, number), interface.name.as_str())?;
        }
        // A reader that looks at once finds a capture without packets.
        writer.flush()?;
        Ok(Current { path, writer, since: Instant::now(), packets: 0 })
    }

    fn close(&mut self) {
        let Some(current) = &mut self.current else { return };
        let now = jiff::Timestamp::now().as_nanosecond();
        let time = Timestamp(i64::try_from(now).unwrap_or(i64::MAX));
        let mut written = Ok(());
        for (interface, number) in self.interfaces.iter().zip(0..) {
            let counts = interface.counts;
            let statistics = Statistics {
                time,
                received: counts.received,
                dropped_by_interface: counts.interface_dropped,
                dropped_by_system: counts.dropped,
            };
            written =
                written.and_then(|()| current.writer.statistics(described(interface, number), statistics));
        }
        match written.and_then(|()| current.writer.flush()) {
            Ok(()) => self.current = None,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) {
        let path =
            self.current.take().map_or_else(|| self.folder_path.join(&self.file), |current| current.path);
        self.failed = true;
        Failure::new(format!("cannot write {}", name(&path)))
            .cause(error)
            .hint("what was written before is whole; the capture goes on, and the report will come")
            .print();
    }
}

fn described(interface: &Interface, number: u32) -> pcapng::Interface {
    pcapng::Interface {
        capture: 0,
        number,
        link: interface.link,
        snaplen: interface.snaplen,
        nanoseconds: interface.nanoseconds,
    }
}

/// `name_00001_20261125103000.pcapng`, as tshark names the files of a ring.
fn numbered(file: &OsStr, number: u64, time: &str) -> OsString {
    let path = Path::new(file);
    let mut name = path.file_stem().unwrap_or(file).to_owned();
    name.push(format!("_{number:05}_{time}"));
    if let Some(suffix) = path.extension() {
        name.push(".");
        name.push(suffix);
    }
    name
}

/// A file that is written in whole blocks.
#[derive(Debug)]
struct Blocks {
    file: File,
    waiting: Vec<u8>,
    /// Octets of the file that are surely whole blocks.
    whole: u64,
}

impl Blocks {
    fn octets(&self) -> u64 {
        self.whole.saturating_add(self.waiting.len() as u64)
    }
}

impl Write for Blocks {
    /// Takes one whole block.
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        if !self.waiting.is_empty() && self.waiting.len().saturating_add(block.len()) > BUFFER {
            self.flush()?;
        }
        self.waiting.extend_from_slice(block);
        Ok(block.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.waiting);
        match written {
            Ok(()) => self.whole = self.octets(),
            // Half a block may stand at the end now. If it cannot be cut off, the first error says more.
            Err(_) => drop(self.file.set_len(self.whole)),
        }
        self.waiting.clear();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_tshark() {
        let name = |file: &str| numbered(OsStr::new(file), 1, "20261125103000").into_string().unwrap();
        assert_eq!(name("name.pcapng"), "name_00001_20261125103000.pcapng");
        assert_eq!(name("name"), "name_00001_20261125103000");
        assert_eq!(name("a.b.pcapng"), "a.b_00001_20261125103000.pcapng");
        assert_eq!(numbered(OsStr::new("x"), 123_456, "t"), "x_123456_t");
    }

    #[test]
    fn a_file_that_cannot_be_written_on_ends_with_a_whole_block() {
        let full = File::options().write(true).open("/dev/full");
        let Ok(file) = full else { return };
        let mut blocks = Blocks { file, waiting: Vec::new(), whole: 0 };
        blocks.write_all(&[1; 100]).unwrap();
        assert_eq!(blocks.octets(), 100);
        assert!(blocks.flush().is_err());
        assert_eq!(blocks.octets(), 0);
    }
}
