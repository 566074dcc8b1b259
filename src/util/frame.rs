//! One captured frame: what a source lends and everything else reads.

use super::{LinkType, Timestamp};

/// One captured record, as the file or the interface gave it.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// The type of its link-layer header.
    pub link: LinkType,
    /// The interface it came from, from 0 within its section.
    pub interface: u32,
    /// The captured bytes.
    pub data: &'a [u8],
    /// How many bytes it had on the wire.
    pub original_len: u32,
    /// Where the record begins in the (decompressed) file.
    pub offset: u64,
}
