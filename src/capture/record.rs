//! What the readers of both formats share: byte order, limits, and the place of a packet in the buffer.

use pcap_parser::Linktype;

use super::{Damage, LinkType};
use crate::util::Timestamp;

/// The longest record (pcap) or packet block (pcapng) that is believed, in bytes: 16 MiB.
///
/// The longest real packets are those of Linux with large offloads, about 512 KiB.
pub const MAX_RECORD: usize = 16 << 20;

/// The longest packet that is believed although it is longer than the snapshot length of the file, in bytes: 256 KiB.
///
/// It is the snapshot length that tcpdump and Wireshark use as "no limit". A longer one is taken for damage.
pub const MAX_OVER_SNAPLEN: u32 = 256 << 10;

/// The longest interface description or statistics block of pcapng, in bytes: 256 KiB.
pub const MAX_DESCRIPTION: usize = 256 << 10;

/// How many interfaces one pcapng section may describe.
pub const MAX_INTERFACES: usize = 65_536;

/// How many different link types of one file are listed; packets of others are lent all the same.
pub const MAX_LINK_TYPES: usize = 64;

/// The byte order of a file or section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The 16-bit number at `at`; `None` past the end.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }

    /// The 32-bit number at `at`; `None` past the end.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        })
    }

    /// The 64-bit number at `at`; `None` past the end.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(raw),
            Self::Big => u64::from_be_bytes(raw),
        })
    }
}

/// A length from the file as a size in memory; one that does not fit is over every limit anyway.
pub(super) fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The link type of a number in a file, without the bits that a pcap header keeps above it (frame check sequence).
pub(super) fn link_type(raw: Linktype) -> LinkType {
    LinkType(raw.0.cast_unsigned() & 0xffff)
}

/// One packet that lies whole in the buffer.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
    pub(super) interface: u32,
    pub(super) original_len: u32,
    /// Where its bytes begin, from the start of the record.
    pub(super) start: usize,
    /// How many bytes were captured.
    pub(super) len: usize,
    /// The length of the whole record.
    pub(super) total: usize,
    /// The snapshot length, if the packet is longer.
    pub(super) over_snaplen: Option<u32>,
}

/// What a reader found next.
#[derive(Debug)]
pub(super) enum Step {
    Packet(Packet),
    End,
    Damaged(Damage),
}

/// Damage after which nothing more can be read.
pub(super) fn fatal(offset: u64, what: String) -> Damage {
    Damage { offset, what, stopped: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_orders_and_never_past_the_end() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Order::Little.u16(&bytes, 1), Some(0x0302));
        assert_eq!(Order::Big.u32(&bytes, 4), Some(0x0506_0708));
        assert_eq!(Order::Big.u64(&bytes, 0), Some(0x0102_0304_0506_0708));
        assert_eq!(Order::Big.u32(&bytes, 5), None);
        assert_eq!(Order::Little.u64(&bytes, usize::MAX), None);
    }

    #[test]
    fn the_bits_of_the_frame_check_sequence_are_no_link_type() {
        assert_eq!(link_type(Linktype(0x2400_0001)), LinkType::ETHERNET);
        assert_eq!(link_type(Linktype(-1)), LinkType(0xffff));
    }
}
