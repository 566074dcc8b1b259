//! A pcapng file (draft-ietf-opsawg-pcapng): one section, its interfaces as packets of them come, packets.
//!
//! Each block is handed over whole, so a file that ends after any of them is valid.

use std::io::{self, Write};

use hashbrown::HashMap;

use crate::util::{LinkType, Timestamp};

/// Interfaces that one file may have.
pub const MOST_INTERFACES: usize = 65_536;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Code 0 with length 0.
const END_OF_OPTIONS: u32 = 0;
const COMMENT: u16 = 1;
const NAME: u16 = 2;
const RECEIVED: u16 = 4;
const DROPPED_BY_INTERFACE: u16 = 5;
const DROPPED_BY_SYSTEM: u16 = 7;
const USER_APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;

/// An interface of the file that is written. Those that differ in anything are described separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interface {
    /// Of which capture it is, when several are written into one file.
    pub capture: u32,
    /// Its number there.
    pub number: u32,
    /// The link type of its packets.
    pub link: LinkType,
    /// Octets that a packet may have at the most; 0: no limit.
    pub snaplen: u32,
    /// Times in nanoseconds, not microseconds.
    pub nanoseconds: bool,
}

/// A packet to write.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Where it was captured.
    pub interface: Interface,
    /// When. Before 1970 there is no time in this format: such a packet gets the first.
    pub time: Timestamp,
    /// Its octets.
    pub octets: &'a [u8],
    /// How many it had on the wire.
    pub original: u32,
    /// Comments.
    pub comments: &'a [&'a str],
}

/// What an interface counted since its capture began.
#[derive(Debug, Clone, Copy)]
pub struct Statistics {
    /// When it was asked.
    pub time: Timestamp,
    /// Packets that it received.
    pub received: u64,
    /// Packets that the interface dropped.
    pub dropped_by_interface: u64,
    /// Packets that the operating system dropped.
    pub dropped_by_system: u64,
}

/// Writes one file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    known: HashMap<Interface, u32>,
    block: Vec<u8>,
    has_options: bool,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, known: HashMap::new(), block: Vec::new(), has_options: false };
        writer.begin(SECTION);
        writer.word(BYTE_ORDER);
        writer.half(1);
        writer.half(0);
        // The length of the section is not known yet.
        writer.block.extend_from_slice(&u64::MAX.to_le_bytes());
        writer.option(USER_APPLICATION, concat!("l2tp-inspect ", env!("CARGO_PKG_VERSION")).as_bytes());
        writer.end()?;
        Ok(writer)
    }

    /// Writes a packet, and before it its interface if it is the first of it.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or the file has too many interfaces.
    pub fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let interface = match self.known.get(&packet.interface) {
            Some(number) => *number,
            None => self.interface(packet.interface, None)?,
        };
        let [high, low] = units(packet.interface, packet.time);
        let captured = u32::try_from(packet.octets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.begin(ENHANCED_PACKET);
        self.word(interface);
        self.word(high);
        self.word(low);
        self.word(captured);
        self.word(packet.original.max(captured));
        self.block.extend_from_slice(packet.octets);
        self.pad();
        for comment in packet.comments {
            self.option(COMMENT, comment.as_bytes());
        }
        self.end()
    }

    /// Describes an interface by its name before packets of it come.
    ///
    /// # Errors
    ///
    /// As [`packet`](Self::packet).
    pub fn describe(&mut self, interface: Interface, name: &str) -> io::Result<()> {
        if self.known.contains_key(&interface) {
            Ok(())
        } else {
            self.interface(interface, Some(name)).map(drop)
        }
    }

    /// Writes what an interface counted; of several the last holds.
    ///
    /// # Errors
    ///
    /// As [`packet`](Self::packet).
    pub fn statistics(&mut self, interface: Interface, statistics: Statistics) -> io::Result<()> {
        let number = match self.known.get(&interface) {
            Some(number) => *number,
            None => self.interface(interface, None)?,
        };
        let [high, low] = units(interface, statistics.time);
        self.begin(INTERFACE_STATISTICS);
        self.word(number);
        self.word(high);
        self.word(low);
        self.option(RECEIVED, &statistics.received.to_le_bytes());
        self.option(DROPPED_BY_INTERFACE, &statistics.dropped_by_interface.to_le_bytes());
        self.option(DROPPED_BY_SYSTEM, &statistics.dropped_by_system.to_le_bytes());
        self.end()
    }

    /// Where the file goes.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// Hands over what waits.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// When the rest of it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn interface(&mut self, interface: Interface, name: Option<&str>) -> io::Result<u32> {
        if self.known.len() >= MOST_INTERFACES {
            return Err(io::Error::other(format!("more than {MOST_INTERFACES} interfaces")));
        }
        let number = u32::try_from(self.known.len()).map_err(io::Error::other)?;
        let link = u16::try_from(interface.link.0).map_err(io::Error::other)?;
        self.known.insert(interface, number);
        self.begin(INTERFACE);
        self.half(link);
        self.half(0);
        self.word(interface.snaplen);
        if let Some(name) = name {
            self.option(NAME, name.as_bytes());
        }
        if interface.nanoseconds {
            self.option(TIME_RESOLUTION, &[9]);
        }
        self.end()?;
        Ok(number)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.word(kind);
        // The length comes at the end.
        self.word(0);
    }

    fn end(&mut self) -> io::Result<()> {
        // Without options the list of them is left out altogether.
        if std::mem::take(&mut self.has_options) {
            self.word(END_OF_OPTIONS);
        }
        let length = self.block.len().saturating_add(4);
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.word(length);
        if let Some(field) = self.block.get_mut(4..8) {
            field.copy_from_slice(&length.to_le_bytes());
        }
        self.out.write_all(&self.block)
    }

    /// An option; one that is too long for its length field is cut.
    fn option(&mut self, code: u16, value: &[u8]) {
        let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
        self.has_options = true;
        self.half(code);
        self.half(u16::try_from(value.len()).unwrap_or(u16::MAX));
        self.block.extend_from_slice(value);
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn word(&mut self, value: u32) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn half(&mut self, value: u16) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }
}

/// A time in the units of an interface, its upper and its lower half.
fn units(interface: Interface, time: Timestamp) -> [u32; 2] {
    let nanoseconds = u64::try_from(time.0).unwrap_or(0);
    let units = if interface.nanoseconds { nanoseconds } else { nanoseconds / 1_000 };
    let half = |half: u64| u32::try_from(half).unwrap_or(u32::MAX);
    [half(units >> 32), half(units & u64::from(u32::MAX))]
}
