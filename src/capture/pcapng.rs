//! The pcapng file format (draft-ietf-opsawg-pcapng): blocks, sections, packets.
//!
//! `pcap-parser` reads the interface descriptions and statistics. Blocks are framed here, because a length must be
//! judged before the bytes are asked for and blocks without packets are passed over without keeping them; packet blocks
//! are read here, because reading their options would cost an allocation each.

use std::io;

use pcap_parser::{EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, SHB_MAGIC, SPB_MAGIC};

use super::input::Input;
use super::interface::{Interface, statistics};
use super::record::{
    MAX_DESCRIPTION, MAX_INTERFACES, MAX_LINK_TYPES, MAX_OVER_SNAPLEN, MAX_RECORD, Order, Packet, Step,
    fatal, size,
};
use super::{Damage, LinkType};
use crate::util::Timestamp;

/// The first bytes of a section, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = SHB_MAGIC.to_be_bytes();
/// The obsolete Packet Block (section A of the draft).
const PB_MAGIC: u32 = 2;

/// Type and length, before the body of each block.
const BLOCK_HEADER: usize = 8;
/// The shortest block: header and the length again.
const MIN_BLOCK: usize = 12;
/// The shortest Section Header Block.
const MIN_SECTION: usize = 28;
/// Up to the packet of an Enhanced Packet Block; the obsolete block has the same length.
const EPB_HEADER: usize = 28;
/// Up to the packet of a Simple Packet Block.
const SPB_HEADER: usize = 12;

/// The byte order and version of a section whose first bytes are `head`; `None` if it is none, or cut.
pub(super) fn section(head: &[u8]) -> Option<(Order, u16, u16)> {
    let order = match *head.get(BLOCK_HEADER..)?.first_chunk()? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
        [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
        _ => return None,
    };
    Some((order, order.u16(head, 12)?, order.u16(head, 14)?))
}

/// A reader of blocks.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    /// What was dropped in the sections before this one.
    earlier_drops: u64,
    pub(super) links: Vec<LinkType>,
    pub(super) nanoseconds: bool,
    last_time: Timestamp,
}

/// A block was read: either it was a packet or something else, and the next one may be read.
type Read<T> = io::Result<Result<T, Damage>>;

impl PcapNg {
    pub(super) fn new() -> Self {
        Self {
            order: Order::Little,
            interfaces: Vec::new(),
            earlier_drops: 0,
            links: Vec::new(),
            nanoseconds: false,
            last_time: Timestamp(0),
        }
    }

    /// The snapshot length of the first interface of this section, if it has one.
    pub(super) fn snaplen(&self) -> Option<u32> {
        self.interfaces.first().map(|interface| interface.snaplen).filter(|&snaplen| snaplen != 0)
    }

    /// The comments of a packet (section 3.5), from its whole block; those that are no UTF-8 are left out.
    pub(super) fn comments<'a>(&self, block: &'a [u8]) -> Vec<&'a str> {
        let mut found = Vec::new();
        if self.order.u32(block, 0) != Some(EPB_MAGIC) {
            return found;
        }
        let captured = self.order.u32(block, 20).map_or(usize::MAX, size);
        let padded = captured.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        let mut at = EPB_HEADER.saturating_add(padded);
        let end = block.len().saturating_sub(4);
        while let (Some(code), Some(length)) =
            (self.order.u16(block, at), self.order.u16(block, at.saturating_add(2)))
        {
            let value = at.saturating_add(4);
            let after = value.saturating_add(usize::from(length));
            if code == 0 || after > end {
                break;
            }
            if code == 1
                && let Some(text) = block.get(value..after).and_then(|text| std::str::from_utf8(text).ok())
            {
                found.push(text);
            }
            at = after.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        }
        found
    }

    /// The snapshot length of an interface of the current section, and whether its times are finer than microseconds.
    pub(super) fn described(&self, number: u32) -> Option<(u32, bool)> {
        let interface = self.interfaces.get(size(number))?;
        Some((interface.snaplen, interface.is_finer_than_micro()))
    }

    /// What all interfaces dropped, by the last statistics block of each.
    pub(super) fn drops(&self) -> u64 {
        self.interfaces.iter().fold(self.earlier_drops, |sum, interface| sum.saturating_add(interface.drops))
    }

    /// The next packet, past all blocks before it.
    pub(super) fn next(&mut self, input: &mut Input) -> io::Result<Step> {
        loop {
            let available = input.fill(MIN_BLOCK)?;
            if available == 0 {
                return Ok(input.ended_early().map_or(Step::End, Step::Damaged));
            }
            match self.block(input, available)? {
                Ok(Some(packet)) => return Ok(Step::Packet(packet)),
                Ok(None) => {}
                Err(damage) => return Ok(Step::Damaged(damage)),
            }
        }
    }

    /// Reads one block; goes past it unless it is a packet.
    fn block(&mut self, input: &mut Input, available: usize) -> Read<Option<Packet>> {
        let offset = input.offset();
        if available < MIN_BLOCK {
            return Ok(Err(input.cut(offset, "a block", MIN_BLOCK, available)));
        }
        if input.data().starts_with(&SECTION) {
            return self.section(input).map(|read| read.map(|()| None));
        }
        let (Some(kind), Some(length)) = (self.order.u32(input.data(), 0), self.order.u32(input.data(), 4))
        else {
            return Ok(Err(input.cut(offset, "a block", MIN_BLOCK, available)));
        };
        let (name, least, most) = match kind {
            EPB_MAGIC => ("an Enhanced Packet Block", EPB_HEADER + 4, MAX_RECORD),
            SPB_MAGIC => ("a Simple Packet Block", SPB_HEADER + 4, MAX_RECORD),
            PB_MAGIC => ("a Packet Block", EPB_HEADER + 4, MAX_RECORD),
            IDB_MAGIC => ("an Interface Description Block", 20, MAX_DESCRIPTION),
            ISB_MAGIC => ("an Interface Statistics Block", 24, MAX_DESCRIPTION),
            _ => ("a block", MIN_BLOCK, usize::MAX),
        };
        if let Some(damage) = bad_length(offset, name, length, least, most) {
            return Ok(Err(damage));
        }
        if !matches!(kind, EPB_MAGIC | SPB_MAGIC | PB_MAGIC | IDB_MAGIC | ISB_MAGIC) {
            return self.pass(input, length).map(|read| read.map(|()| None));
        }
        let total = size(length);
        let available = input.fill(total)?;
        if available < total {
            return Ok(Err(input.cut(offset, name, total, available)));
        }
        let block = input.data().get(..total).unwrap_or_default();
        if let Some(damage) = bad_trailer(offset, length, self.order.u32(block, total.saturating_sub(4))) {
            return Ok(Err(damage));
        }
        let read = match kind {
            EPB_MAGIC => return Ok(self.enhanced(offset, block).map(Some)),
            PB_MAGIC => return Ok(self.obsolete(offset, block).map(Some)),
            SPB_MAGIC => return Ok(self.simple(offset, block).map(Some)),
            IDB_MAGIC => self.describe(offset, block),
            _ => {
                self.count(block);
                Ok(())
            }
        };
        input.advance(total);
        Ok(read.map(|()| None))
    }

    /// Begins a new section (section 4.1): other byte order, other interfaces.
    fn section(&mut self, input: &mut Input) -> Read<()> {
        let offset = input.offset();
        let available = input.fill(MIN_SECTION)?;
        if available < MIN_SECTION {
            return Ok(Err(input.cut(offset, "a Section Header Block", MIN_SECTION, available)));
        }
        let Some((order, major, minor)) = section(input.data()) else {
            let what = "a Section Header Block has neither byte-order magic".to_owned();
            return Ok(Err(fatal(offset, what)));
        };
        if major != 1 {
            let what = format!("a section has version {major}.{minor}, only 1 is known");
            return Ok(Err(fatal(offset, what)));
        }
        let length = order.u32(input.data(), 4).unwrap_or_default();
        if let Some(damage) = bad_length(offset, "a Section Header Block", length, MIN_SECTION, usize::MAX) {
            return Ok(Err(damage));
        }
        self.earlier_drops = self.drops();
        self.interfaces.clear();
        self.order = order;
        self.pass(input, length)
    }

    /// Goes past a block of `length` bytes without keeping it.
    fn pass(&mut self, input: &mut Input, length: u32) -> Read<()> {
        let offset = input.offset();
        let total = size(length);
        let body = total.saturating_sub(4);
        let passed = input.skip(body)?;
        let available = if passed < body { 0 } else { input.fill(4)?.min(4) };
        if available < 4 {
            return Ok(Err(input.cut(offset, "a block", total, passed.saturating_add(available))));
        }
        if let Some(damage) = bad_trailer(offset, length, self.order.u32(input.data(), 0)) {
            return Ok(Err(damage));
        }
        input.advance(4);
        Ok(Ok(()))
    }

    /// An Interface Description Block.
    fn describe(&mut self, offset: u64, block: &[u8]) -> Result<(), Damage> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(fatal(offset, format!("a section has more than {MAX_INTERFACES} interfaces")));
        }
        let interface = Interface::read(block, self.order)
            .ok_or_else(|| fatal(offset, "an Interface Description Block cannot be read".to_owned()))?;
        if self.links.len() < MAX_LINK_TYPES && !self.links.contains(&interface.link) {
            self.links.push(interface.link);
        }
        self.nanoseconds |= interface.is_finer_than_micro();
        self.interfaces.push(interface);
        Ok(())
    }

    /// An Interface Statistics Block; one for an interface that is not described says nothing.
    fn count(&mut self, block: &[u8]) {
        if let Some((interface, drops)) = statistics(block, self.order)
            && let Some(interface) = self.interfaces.get_mut(size(interface))
        {
            interface.drops = drops;
        }
    }

    /// An Enhanced Packet Block (section 4.3).
    fn enhanced(&mut self, offset: u64, block: &[u8]) -> Result<Packet, Damage> {
        let interface = self.order.u32(block, 8).unwrap_or_default();
        self.timed(offset, block, interface)
    }

    /// The obsolete Packet Block: 16 bits of interface, 16 of drops, and then as the Enhanced Packet Block.
    fn obsolete(&mut self, offset: u64, block: &[u8]) -> Result<Packet, Damage> {
        let interface = self.order.u16(block, 8).unwrap_or_default();
        self.timed(offset, block, interface.into())
    }

    fn timed(&mut self, offset: u64, block: &[u8], number: u32) -> Result<Packet, Damage> {
        let interface = self.interface(offset, number)?;
        let field = |at| self.order.u32(block, at).unwrap_or_default();
        let (captured, original) = (field(20), field(24));
        let room = block.len().saturating_sub(EPB_HEADER + 4);
        if size(captured) > room {
            let what = format!("a packet claims {captured} captured bytes, its block has room for {room}");
            return Err(fatal(offset, what));
        }
        let over_snaplen =
            (interface.snaplen != 0 && captured > interface.snaplen).then_some(interface.snaplen);
        if over_snaplen.is_some() && captured > MAX_OVER_SNAPLEN {
            let limit = interface.snaplen.max(MAX_OVER_SNAPLEN);
            let what =
                format!("a packet claims {captured} captured bytes, more than the {limit} that can be");
            return Err(fatal(offset, what));
        }
        let packet = Packet {
            time: interface.time(field(12), field(16)),
            link: interface.link,
            interface: number,
            original_len: original.max(captured),
            start: EPB_HEADER,
            len: size(captured),
            total: block.len(),
            over_snaplen,
        };
        self.last_time = packet.time;
        Ok(packet)
    }

    /// A Simple Packet Block (section 4.4): of interface 0, and without a time. It gets that of the packet before it.
    fn simple(&mut self, offset: u64, block: &[u8]) -> Result<Packet, Damage> {
        let interface = self.interface(offset, 0)?;
        let original_len = self.order.u32(block, 8).unwrap_or_default();
        let room = block.len().saturating_sub(SPB_HEADER + 4);
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let wanted = size(original_len.min(snaplen));
        if wanted > room {
            let what = format!("a simple packet needs {wanted} bytes, its block has room for {room}");
            return Err(fatal(offset, what));
        }
        Ok(Packet {
            time: self.last_time,
            link: interface.link,
            interface: 0,
            original_len,
            start: SPB_HEADER,
            len: wanted,
            total: block.len(),
            over_snaplen: None,
        })
    }

    fn interface(&self, offset: u64, number: u32) -> Result<&Interface, Damage> {
        self.interfaces.get(size(number)).ok_or_else(|| {
            let known = self.interfaces.len();
            fatal(offset, format!("a packet is of interface {number}, the section describes {known} so far"))
        })
    }
}

/// The damage of a length that no block of this kind can have.
fn bad_length(offset: u64, name: &str, length: u32, least: usize, most: usize) -> Option<Damage> {
    let what = if size(length) < least {
        format!("{name} claims a length of {length} bytes, it needs {least}")
    } else if size(length) > most {
        format!("{name} claims a length of {length} bytes, more than the {most} that can be")
    } else if !length.is_multiple_of(4) {
        format!("{name} claims a length of {length} bytes, no multiple of 4")
    } else {
        return None;
    };
    Some(fatal(offset, what))
}

/// The damage of a block whose two lengths differ.
fn bad_trailer(offset: u64, length: u32, trailer: Option<u32>) -> Option<Damage> {
    let trailer = trailer.unwrap_or_default();
    (trailer != length).then(|| {
        fatal(offset, format!("a block has the length {length} at its start and {trailer} at its end"))
    })
}
