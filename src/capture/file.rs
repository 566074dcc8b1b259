//! A capture file as a stream of frames.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::decompress::{Compression, unpack};
use super::input::Input;
use super::legacy::{FILE_HEADER, Legacy, Magic};
use super::netmon::{self, NetMon};
use super::pcapng::{self, PcapNg};
use super::record::{Packet, Step};
use super::sniff::refuse;
use super::{CaptureError, Damage, Frame, LinkType};
use crate::util::Printable;

/// A frame, and what its file says of it besides.
#[derive(Debug, Clone)]
pub struct Described<'a> {
    /// The frame.
    pub frame: Frame<'a>,
    /// The snapshot length of its interface in bytes; 0: none.
    pub snaplen: u32,
    /// Whether the times of its interface are finer than microseconds.
    pub nanoseconds: bool,
    /// The comments on it.
    pub comments: Vec<&'a str>,
}

/// The format of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The classic format, its "modified" form included.
    Pcap {
        /// Whether its times are in nanoseconds; else microseconds.
        nanoseconds: bool,
    },
    /// The next generation format.
    PcapNg,
    /// Microsoft Network Monitor 2.
    NetMon,
}

impl Format {
    /// `pcap`, `pcapng` or `netmon`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcap { .. } => "pcap",
            Self::PcapNg => "pcapng",
            Self::NetMon => "netmon",
        }
    }
}

/// A capture file that is being read, in constant memory, from its beginning to its end.
///
/// pcap, pcapng and Network Monitor 2, compressed with gzip, zstd or lz4 or not at all, told apart by their content.
///
/// ```
/// use l2tp_inspect::capture::CaptureFile;
///
/// // A pcap file with one packet of two bytes.
/// let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
/// file.extend([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 0xca, 0xfe]);
///
/// let mut capture = CaptureFile::from_reader(Box::new(std::io::Cursor::new(file)))?;
/// while let Some(frame) = capture.next_frame()? {
///     assert_eq!((frame.number, frame.data, frame.original_len), (1, &[0xca, 0xfe][..], 60));
/// }
/// assert_eq!(capture.damage(), None);
/// # Ok::<(), l2tp_inspect::capture::CaptureError>(())
/// ```
pub struct CaptureFile {
    name: Printable,
    input: Input,
    reader: Reader,
    compression: Option<Compression>,
    frames: u64,
    /// The bytes of the frame that is lent.
    lent: usize,
    damage: Option<Damage>,
}

enum Reader {
    Pcap(Legacy, bool),
    PcapNg(PcapNg),
    NetMon(NetMon),
    /// A pcap file that ends within its header.
    Headless(bool),
}

impl CaptureFile {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// If it cannot be opened or read, or is no capture. One that is cut short or damaged inside is no error: see
    /// [`CaptureFile::damage`].
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path.as_os_str() == "-" {
            return Self::from_named(Box::new(io::stdin()), Printable::from_text("standard input"));
        }
        let file = Printable::from_bytes(path.as_os_str().as_encoded_bytes());
        match File::open(path).and_then(|opened| Ok((opened.metadata()?.is_dir(), opened))) {
            Ok((true, _)) => Err(CaptureError::Directory { file }),
            Ok((false, opened)) => Self::from_named(Box::new(opened), file),
            Err(_) if path.is_dir() => Err(CaptureError::Directory { file }),
            Err(source) => Err(CaptureError::Open { file, source }),
        }
    }

    /// Reads a capture from anything that gives bytes. It needs no buffer of its own.
    ///
    /// # Errors
    ///
    /// As [`CaptureFile::open`].
    pub fn from_reader(reader: Box<dyn Read + Send>) -> Result<Self, CaptureError> {
        Self::from_named(reader, Printable::from_text("the input"))
    }

    fn from_named(reader: Box<dyn Read + Send>, name: Printable) -> Result<Self, CaptureError> {
        let failed = |source| CaptureError::Read { file: name.clone(), source };
        let (reader, compression) = unpack(reader).map_err(failed)?;
        let mut input = Input::new(reader);
        input.fill(FILE_HEADER).map_err(failed)?;
        let head = input.data();
        let version =
            |format, (major, minor)| CaptureError::Version { file: name.clone(), format, major, minor };
        let mut damage = None;
        let reader = if let Some(magic) = Magic::find(head) {
            if head.len() < FILE_HEADER {
                damage = Some(input.cut(0, "the file header", FILE_HEADER, head.len()));
                Reader::Headless(magic.nanoseconds)
            } else {
                let legacy = Legacy::new(magic, head).map_err(|found| version("pcap", found))?;
                input.advance(FILE_HEADER);
                Reader::Pcap(legacy, magic.nanoseconds)
            }
        } else if head.starts_with(&pcapng::SECTION) {
            match pcapng::section(head) {
                Some((_, 1, _)) => {}
                Some((_, major, minor)) => return Err(version("pcapng", (major, minor))),
                // The first bytes alone could also be four line ends of a text.
                None if head.len() >= 16 => return Err(refuse(name, head)),
                None => {}
            }
            Reader::PcapNg(PcapNg::new())
        } else if head.starts_with(&netmon::MAGIC) {
            match NetMon::open(&mut input).map_err(failed)? {
                Some(netmon) => Reader::NetMon(netmon),
                None => return Err(refuse(name, input.data())),
            }
        } else if let Some(corrupt) = input.corrupt() {
            return Err(CaptureError::Compressed { file: name, what: corrupt.to_string() });
        } else {
            return Err(refuse(name, head));
        };
        Ok(Self { name, input, reader, compression, frames: 0, lent: 0, damage })
    }

    /// The next frame, which is valid until the one after it is asked for; `None` at the end, for ever.
    ///
    /// A frame with more captured bytes than it had on the wire is given that many original bytes.
    ///
    /// # Errors
    ///
    /// If the system fails to read. What is wrong with the file ends it early: see [`CaptureFile::damage`].
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        let Some(packet) = self.next_packet()? else { return Ok(None) };
        Ok(Some(self.lend(&packet)))
    }

    fn lend(&self, packet: &Packet) -> Frame<'_> {
        let end = packet.start.saturating_add(packet.len);
        Frame {
            number: self.frames,
            time: packet.time,
            link: packet.link,
            interface: packet.interface,
            data: self.input.data().get(packet.start..end).unwrap_or_default(),
            original_len: packet.original_len,
            offset: self.input.offset(),
        }
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, CaptureError> {
        self.input.advance(self.lent);
        self.lent = 0;
        if self.damage.as_ref().is_some_and(|damage| damage.stopped) {
            return Ok(None);
        }
        let step = match &mut self.reader {
            Reader::Pcap(legacy, _) => legacy.next(&mut self.input),
            Reader::PcapNg(pcapng) => pcapng.next(&mut self.input),
            Reader::NetMon(netmon) => netmon.next(&mut self.input),
            Reader::Headless(_) => Ok(Step::End),
        };
        let packet = match step.map_err(|source| CaptureError::Read { file: self.name.clone(), source })? {
            Step::Packet(packet) => packet,
            Step::End => return Ok(None),
            Step::Damaged(damage) => {
                self.damage = Some(damage);
                return Ok(None);
            }
        };
        let offset = self.input.offset();
        if let Some(snaplen) = packet.over_snaplen
            && self.damage.is_none()
        {
            let what =
                format!("a packet of {} captured bytes is over the snapshot length {snaplen}", packet.len);
            self.damage = Some(Damage { offset, what, stopped: false });
        }
        self.lent = packet.total;
        self.frames = self.frames.saturating_add(1);
        Ok(Some(packet))
    }

    /// The same, with what the file says besides.
    ///
    /// # Errors
    ///
    /// As [`next_frame`](Self::next_frame).
    pub fn next_described(&mut self) -> Result<Option<Described<'_>>, CaptureError> {
        let Some(packet) = self.next_packet()? else { return Ok(None) };
        let block = self.input.data().get(..packet.total).unwrap_or_default();
        let (snaplen, nanoseconds, comments) = match &self.reader {
            Reader::Pcap(legacy, nanoseconds) => (legacy.snaplen, *nanoseconds, Vec::new()),
            Reader::PcapNg(pcapng) => {
                let (snaplen, nanoseconds) = pcapng.described(packet.interface).unwrap_or((0, true));
                (snaplen, nanoseconds, pcapng.comments(block))
            }
            Reader::NetMon(_) => (0, false, Vec::new()),
            Reader::Headless(nanoseconds) => (0, *nanoseconds, Vec::new()),
        };
        Ok(Some(Described { frame: self.lend(&packet), snaplen, nanoseconds, comments }))
    }

    /// What is wrong with the file, as far as it was read: the fault that ended it, or else the first that did not.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// Its format.
    pub fn format(&self) -> Format {
        match &self.reader {
            Reader::Pcap(_, nanoseconds) | Reader::Headless(nanoseconds) => {
                Format::Pcap { nanoseconds: *nanoseconds }
            }
            Reader::PcapNg(_) => Format::PcapNg,
            Reader::NetMon(_) => Format::NetMon,
        }
    }

    /// How it is compressed, if it is.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Whether its times are finer than microseconds; of pcapng, those of any interface so far.
    pub fn nanoseconds(&self) -> bool {
        match &self.reader {
            Reader::Pcap(_, nanoseconds) | Reader::Headless(nanoseconds) => *nanoseconds,
            Reader::PcapNg(pcapng) => pcapng.nanoseconds,
            Reader::NetMon(_) => false,
        }
    }

    /// The different link types of the interfaces so far, in the order of the file, at most
    /// [`MAX_LINK_TYPES`](super::MAX_LINK_TYPES).
    pub fn link_types(&self) -> &[LinkType] {
        match &self.reader {
            Reader::Pcap(legacy, _) => std::slice::from_ref(&legacy.link),
            Reader::PcapNg(pcapng) => &pcapng.links,
            Reader::NetMon(netmon) => std::slice::from_ref(&netmon.link),
            Reader::Headless(_) => &[],
        }
    }

    /// The snapshot length in bytes, if there is one; of pcapng, that of the current section's first interface.
    pub fn snaplen(&self) -> Option<u32> {
        match &self.reader {
            Reader::Pcap(legacy, _) => Some(legacy.snaplen).filter(|&snaplen| snaplen != 0),
            Reader::PcapNg(pcapng) => pcapng.snaplen(),
            Reader::NetMon(_) | Reader::Headless(_) => None,
        }
    }

    /// How many packets the interfaces and the system dropped, as far as the file says (pcapng section 4.6: isb_ifdrop
    /// and isb_osdrop of the last statistics of each interface).
    pub fn interface_drops(&self) -> u64 {
        match &self.reader {
            Reader::PcapNg(pcapng) => pcapng.drops(),
            Reader::Pcap(..) | Reader::NetMon(_) | Reader::Headless(_) => 0,
        }
    }
}
