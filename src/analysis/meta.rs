//! What is known of a frame beside its layers, and counts over the whole capture.

use crate::util::{Duration, Frame, LinkType, Timestamp};

/// What is known of a frame beside its layers.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// Its number.
    pub packet: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// The link type.
    pub link: LinkType,
    /// Octets captured.
    pub captured: u32,
    /// Octets on the wire.
    pub original: u32,
}

impl Meta {
    /// What is known of this frame.
    pub fn of(frame: &Frame<'_>) -> Self {
        Self {
            packet: frame.number,
            time: frame.time,
            link: frame.link,
            captured: u32::try_from(frame.data.len()).unwrap_or(u32::MAX),
            original: frame.original_len,
        }
    }
}

/// Counts over the whole capture.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    /// Frames.
    pub packets: u64,
    /// Captured octets.
    pub bytes: u64,
    /// The time of the first frame.
    pub first: Option<Timestamp>,
    /// The time of the latest frame.
    pub last: Option<Timestamp>,
    /// Link types in the order they appeared.
    pub link_types: Vec<LinkType>,
    /// Frames that were seen twice.
    pub doubles: u64,
    /// Frames with an L2TPv2 header.
    pub l2tp: u64,
    /// Frames with an L2TP header of another version.
    pub other_version: u64,
    /// ESP packets that the capture cut.
    pub esp_cut: u64,
    /// Frames with ESP.
    pub esp_frames: u64,
    /// Frames that break their format.
    pub malformed: u64,
    /// Datagrams that came in fragments and were put together.
    pub reassembled: u64,
    /// Control connections that were followed, let go of or not: the number of the last one.
    pub connections: u32,
    /// Control messages that were sent again.
    pub resent: u64,
    /// Control messages that the capture lacks.
    pub unseen: u64,
    /// Hellos.
    pub hello: HelloTotals,
}

/// Counts over all Hellos (RFC 2661 section 5.5).
#[derive(Debug, Default, Clone, Copy)]
pub struct HelloTotals {
    /// Sent again.
    pub resent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// From the first copy of each of these to its acknowledgement, added up.
    pub waited: Duration,
}

/// A packet and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct At {
    /// The number of the packet.
    pub packet: u64,
    /// When it was captured.
    pub time: Timestamp,
}

impl Meta {
    /// The packet and its time.
    pub fn at(&self) -> At {
        At { packet: self.packet, time: self.time }
    }
}
