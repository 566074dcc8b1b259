//! Microsoft Network Monitor 2 captures.
//!
//! The frames are found by a table that usually stands at the end of the file, so the file is read whole before the
//! first frame is lent, up to [`MAX_NETMON`].

use std::io;

use super::LinkType;
use super::input::Input;
use super::record::{MAX_RECORD, Order, Packet, Step, fatal, size};
use crate::util::Timestamp;

/// The first four bytes.
pub(super) const MAGIC: [u8; 4] = *b"GMBU";

/// The largest file that is read, in bytes: 256 MiB.
pub const MAX_NETMON: usize = 256 << 20;

/// The part of the file header that is needed.
const FILE_HEADER: usize = 32;
/// Time, original and captured length of a frame.
const RECORD_HEADER: usize = 16;
const ORDER: Order = Order::Little;

/// A media type in which the other bits are a link type of pcap.
const PCAP_MEDIA: u16 = 0xe000;

/// A reader of frames.
#[derive(Debug)]
pub(super) struct NetMon {
    frames: std::vec::IntoIter<u32>,
    start: i64,
    pub(super) link: LinkType,
    /// From version 2.1 on each frame has a media type of its own, behind its bytes.
    media_of_each: bool,
}

impl NetMon {
    /// Reads the file header and the table of frames; `None` if it is of a kind that is not read.
    pub(super) fn open(input: &mut Input) -> io::Result<Option<Self>> {
        if input.fill(FILE_HEADER)? < FILE_HEADER {
            return Ok(None);
        }
        let Some((mut reader, table, octets)) = Self::header(input.data()) else { return Ok(None) };
        let end = table.saturating_add(octets);
        if end > MAX_NETMON || input.fill(end)? < end {
            return Ok(None);
        }
        let table = input.data().get(table..end).unwrap_or_default();
        let offsets: Vec<u32> = table.chunks_exact(4).filter_map(|entry| ORDER.u32(entry, 0)).collect();
        reader.frames = offsets.into_iter();
        Ok(Some(reader))
    }

    /// The reader without its table, and where the table is and how long.
    fn header(head: &[u8]) -> Option<(Self, usize, usize)> {
        let &[minor, major] = head.get(4..)?.first_chunk()?;
        if major != 2 {
            return None;
        }
        let field =
            |index: usize| ORDER.u16(head, index.saturating_mul(2).saturating_add(8)).map(i16::try_from);
        let small = |index| field(index)?.ok().and_then(|number| i8::try_from(number).ok());
        // A day of the week stands between month and day.
        let time = jiff::civil::DateTime::new(
            field(0)?.ok()?,
            small(1)?,
            small(3)?,
            small(4)?,
            small(5)?,
            small(6)?,
            i32::from(field(7)?.ok()?).saturating_mul(1_000_000),
        );
        let start = jiff::tz::Offset::UTC.to_timestamp(time.ok()?).ok()?.as_nanosecond();
        let reader = Self {
            frames: Vec::new().into_iter(),
            start: i64::try_from(start).ok()?,
            link: link_type(ORDER.u16(head, 6)?)?,
            media_of_each: minor >= 1,
        };
        Some((reader, size(ORDER.u32(head, 24)?), size(ORDER.u32(head, 28)?)))
    }

    /// The next frame.
    pub(super) fn next(&mut self, input: &mut Input) -> io::Result<Step> {
        let Some(at) = self.frames.next() else { return Ok(Step::End) };
        let Some(ahead) = u64::from(at).checked_sub(input.offset()) else {
            let what = format!("the table of frames goes back to byte {at}");
            return Ok(Step::Damaged(fatal(input.offset(), what)));
        };
        input.skip(usize::try_from(ahead).unwrap_or(usize::MAX))?;
        let offset = input.offset();
        let available = input.fill(RECORD_HEADER)?;
        let Some((time, original_len, captured)) = self.record(input.data()) else {
            return Ok(Step::Damaged(input.cut(offset, "a record header", RECORD_HEADER, available)));
        };
        let len = size(captured);
        if len > MAX_RECORD {
            let what =
                format!("a record claims {captured} captured bytes, more than the {MAX_RECORD} that can be");
            return Ok(Step::Damaged(fatal(offset, what)));
        }
        let total = RECORD_HEADER.saturating_add(len);
        let available = input.fill(total.saturating_add(2))?;
        if available < total {
            return Ok(Step::Damaged(input.cut(offset, "a record", total, available)));
        }
        let own = ORDER.u16(input.data(), total).filter(|_| self.media_of_each);
        let link = own.and_then(link_type).unwrap_or(self.link);
        let original_len = original_len.max(captured);
        Ok(Step::Packet(Packet {
            time,
            link,
            interface: 0,
            original_len,
            start: RECORD_HEADER,
            len,
            total,
            over_snaplen: None,
        }))
    }

    /// Time, original and captured length.
    fn record(&self, bytes: &[u8]) -> Option<(Timestamp, u32, u32)> {
        let microseconds = ORDER.u64(bytes, 0)?.cast_signed();
        let time = self.start.saturating_add(microseconds.saturating_mul(1_000));
        Some((Timestamp(time), ORDER.u32(bytes, 8)?, ORDER.u32(bytes, 12)?))
    }
}

fn link_type(media: u16) -> Option<LinkType> {
    match media {
        1 => Some(LinkType::ETHERNET),
        media if media & 0xf000 == PCAP_MEDIA => Some(LinkType(u32::from(media & 0x0fff))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2005-07-17 00:00:46.019 and one frame of two bytes, which came 976 us later.
    fn file() -> Vec<u8> {
        let mut file = b"GMBU\x00\x02\x01\x00".to_vec();
        for field in [2005u16, 7, 0, 17, 0, 0, 46, 19] {
            file.extend(field.to_le_bytes());
        }
        file.extend(50u32.to_le_bytes());
        file.extend(4u32.to_le_bytes());
        file.extend(976u64.to_le_bytes());
        file.extend([60, 0, 0, 0, 2, 0, 0, 0, 0xca, 0xfe]);
        file.extend(32u32.to_le_bytes());
        file
    }

    fn input(file: &[u8]) -> Input {
        Input::new(Box::new(io::Cursor::new(file.to_vec())))
    }

    #[test]
    fn a_frame_has_its_time_lengths_and_bytes() {
        let mut input = input(&file());
        let mut reader = NetMon::open(&mut input).unwrap().unwrap();
        let Step::Packet(packet) = reader.next(&mut input).unwrap() else { panic!("no packet") };
        assert_eq!(packet.time, Timestamp(1_121_558_446_019_976_000));
        assert_eq!((packet.original_len, packet.len, packet.link), (60, 2, LinkType::ETHERNET));
        assert_eq!(input.data().get(packet.start..packet.start + 2), Some(&[0xca, 0xfe][..]));
        assert!(matches!(reader.next(&mut input).unwrap(), Step::End));
    }

    #[test]
    fn what_is_not_whole_is_not_begun() {
        let file = file();
        for cut in 0..file.len() {
            assert!(NetMon::open(&mut input(&file[..cut])).unwrap().is_none(), "{cut}");
        }
    }

    #[test]
    fn a_table_that_points_astray_is_damage() {
        for (offsets, expected) in [([32u32, 1000], "cut short"), ([32, 32], "goes back to byte 32")] {
            let mut file = file();
            file.truncate(50);
            file.splice(28..32, 8u32.to_le_bytes());
            file.extend(offsets.map(u32::to_le_bytes).concat());
            let mut input = input(&file);
            let Some(mut reader) = NetMon::open(&mut input).unwrap() else { panic!("not begun") };
            let Step::Packet(packet) = reader.next(&mut input).unwrap() else { panic!("no packet") };
            input.advance(packet.total);
            let Step::Damaged(damage) = reader.next(&mut input).unwrap() else { panic!("no damage") };
            assert!(damage.what.contains(expected), "{damage}");
        }
    }
}
