//! The pcap file format (draft-ietf-opsawg-pcap) and its "modified" form.
//!
//! `pcap-parser` reads the file header. The record header is read here, because its length must be judged before the
//! bytes are asked for.

use std::io;

use pcap_parser::parse_pcap_header;

use super::LinkType;
use super::input::Input;
use super::record::{MAX_OVER_SNAPLEN, MAX_RECORD, Order, Packet, Step, fatal, link_type, size};
use crate::util::Timestamp;

/// The length of the file header.
pub(super) const FILE_HEADER: usize = 24;

/// Alexey Kuznetzov's modified format: eight more bytes in each record header, with a big-endian twin.
const MODIFIED: [u8; 4] = [0x34, 0xcd, 0xb2, 0xa1];
const MODIFIED_BIG: [u8; 4] = [0xa1, 0xb2, 0xcd, 0x34];
const MICROSECONDS: [u8; 4] = [0xd4, 0xc3, 0xb2, 0xa1];
const MICROSECONDS_BIG: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];
const NANOSECONDS: [u8; 4] = [0x4d, 0x3c, 0xb2, 0xa1];
const NANOSECONDS_BIG: [u8; 4] = [0xa1, 0xb2, 0x3c, 0x4d];

/// What the first four bytes of a pcap file say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Magic {
    order: Order,
    pub(super) nanoseconds: bool,
    modified: bool,
}

impl Magic {
    /// `None` if `head` is not the beginning of a pcap file.
    pub(super) fn find(head: &[u8]) -> Option<Self> {
        let (order, nanoseconds, modified) = match *head.first_chunk()? {
            MICROSECONDS => (Order::Little, false, false),
            MICROSECONDS_BIG => (Order::Big, false, false),
            NANOSECONDS => (Order::Little, true, false),
            NANOSECONDS_BIG => (Order::Big, true, false),
            MODIFIED => (Order::Little, false, true),
            MODIFIED_BIG => (Order::Big, false, true),
            _ => return None,
        };
        Some(Self { order, nanoseconds, modified })
    }
}

/// How the two lengths of a record stand: files before version 2.4 came in both ways.
#[derive(Debug, Clone, Copy)]
enum Lengths {
    /// Captured first (version 2.4).
    InOrder,
    /// The smaller one is the captured one (version 2.3).
    Either,
    /// Original first (before version 2.3).
    Swapped,
}

/// A reader of records, past the file header.
#[derive(Debug)]
pub(super) struct Legacy {
    order: Order,
    record_header: usize,
    nanos_per_unit: i64,
    lengths: Lengths,
    pub(super) link: LinkType,
    pub(super) snaplen: u32,
}

impl Legacy {
    /// Reads the file header in `head`. The error is the version, if it is not one that is known.
    pub(super) fn new(magic: Magic, head: &[u8]) -> Result<Self, (u16, u16)> {
        // pcap-parser does not know the big-endian form of the modified format; the headers are the same.
        let mut header = [0; FILE_HEADER];
        for (to, from) in header.iter_mut().zip(head) {
            *to = *from;
        }
        if header.starts_with(&MODIFIED_BIG) {
            let (start, _) = header.split_at_mut(MICROSECONDS_BIG.len());
            start.copy_from_slice(&MICROSECONDS_BIG);
        }
        let Ok((_, header)) = parse_pcap_header(&header) else { return Err((0, 0)) };
        let lengths = match (header.version_major, header.version_minor) {
            (2, 0..=2) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            (2, 4) => Lengths::InOrder,
            version => return Err(version),
        };
        Ok(Self {
            order: magic.order,
            record_header: if magic.modified { 24 } else { 16 },
            nanos_per_unit: if magic.nanoseconds { 1 } else { 1_000 },
            lengths,
            link: link_type(header.network),
            snaplen: header.snaplen,
        })
    }

    /// The next record.
    pub(super) fn next(&self, input: &mut Input) -> io::Result<Step> {
        let offset = input.offset();
        let available = input.fill(self.record_header)?;
        if available == 0 {
            return Ok(input.ended_early().map_or(Step::End, Step::Damaged));
        }
        let header = if available < self.record_header { None } else { self.header(input.data()) };
        let Some((time, captured, original_len)) = header else {
            return Ok(Step::Damaged(input.cut(offset, "a record header", self.record_header, available)));
        };
        let len = size(captured);
        let over_snaplen = (self.snaplen != 0 && captured > self.snaplen).then_some(self.snaplen);
        if len > MAX_RECORD || (over_snaplen.is_some() && captured > MAX_OVER_SNAPLEN) {
            let limit = if len > MAX_RECORD { MAX_RECORD } else { size(self.snaplen.max(MAX_OVER_SNAPLEN)) };
            let what =
                format!("a record claims {captured} captured bytes, more than the {limit} that can be");
            return Ok(Step::Damaged(fatal(offset, what)));
        }
        let total = self.record_header.saturating_add(len);
        let available = input.fill(total)?;
        if available < total {
            return Ok(Step::Damaged(input.cut(offset, "a record", total, available)));
        }
        Ok(Step::Packet(Packet {
            time,
            link: self.link,
            interface: 0,
            original_len: original_len.max(captured),
            start: self.record_header,
            len,
            total,
            over_snaplen,
        }))
    }

    /// Time, captured and original length.
    #[inline]
    fn header(&self, bytes: &[u8]) -> Option<(Timestamp, u32, u32)> {
        let seconds = i64::from(self.order.u32(bytes, 0)?).saturating_mul(1_000_000_000);
        let fraction = i64::from(self.order.u32(bytes, 4)?).saturating_mul(self.nanos_per_unit);
        let (first, second) = (self.order.u32(bytes, 8)?, self.order.u32(bytes, 12)?);
        let (captured, original) = match self.lengths {
            Lengths::InOrder => (first, second),
            Lengths::Either => (first.min(second), first.max(second)),
            Lengths::Swapped => (second, first),
        };
        Some((Timestamp(seconds.saturating_add(fraction)), captured, original))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(minor: u8) -> Result<Legacy, (u16, u16)> {
        let mut head = MICROSECONDS.to_vec();
        head.extend([2, 0, minor, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0]);
        Legacy::new(Magic::find(&head).unwrap(), &head)
    }

    #[test]
    fn old_versions_swap_the_lengths() {
        let record = [1, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 40, 0, 0, 0];
        let lengths = |minor| {
            reader(minor).unwrap().header(&record).map(|(_, captured, original)| (captured, original))
        };
        assert_eq!(lengths(4), Some((60, 40)));
        assert_eq!(lengths(3), Some((40, 60)));
        assert_eq!(lengths(2), Some((40, 60)));
        assert_eq!(reader(5).unwrap_err(), (2, 5));
    }

    #[test]
    fn the_latest_time_of_the_format_fits() {
        let time = reader(4).unwrap().header(&[0xff; 16]).unwrap().0;
        assert_eq!(time.0, i64::from(u32::MAX) * 1_000_000_000 + i64::from(u32::MAX) * 1_000);
    }
}
