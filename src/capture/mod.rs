//! Where frames come from: capture files and standard input.
//!
//! A source lends one [`Frame`] after the other; nothing is parsed beyond the file format, and nothing is copied that
//! the format does not force to be copied.
//!
//! Nothing in here panics or grows without bound, whatever the file says: every length is checked against a named
//! limit before a byte is asked for, and what is wrong with a file becomes a [`Damage`] with its offset, after every
//! frame before it has been lent.

use crate::util::Timestamp;

mod bpf;
mod decompress;
mod error;
mod file;
mod input;
mod interface;
mod legacy;
mod link_type;
mod pcapng;
mod record;
mod sniff;

pub use bpf::PacketFilter;
pub use decompress::{Compression, MAX_ZSTD_WINDOW};
pub use error::{CaptureError, Damage};
pub use file::{CaptureFile, Format};
pub use link_type::LinkType;
pub use record::{MAX_DESCRIPTION, MAX_INTERFACES, MAX_LINK_TYPES, MAX_OVER_SNAPLEN, MAX_RECORD};

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
