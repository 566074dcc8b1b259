//! Where frames come from: capture files, standard input and interfaces.
//!
//! A source lends one [`Frame`] after the other; nothing is parsed beyond the file format, and nothing is copied that
//! the format does not force to be copied.
//!
//! Nothing in here panics or grows without bound, whatever the file says: every length is checked against a named
//! limit before a byte is asked for, and what is wrong with a file becomes a [`Damage`] with its offset, after every
//! frame before it has been lent.

mod bpf;
mod decompress;
mod error;
mod file;
mod input;
mod interface;
mod legacy;
#[cfg(feature = "live")]
pub mod live;
mod netmon;
mod pcapng;
mod record;
mod sniff;

pub use bpf::PacketFilter;
pub use decompress::{Compression, MAX_ZSTD_WINDOW};
pub use error::{CaptureError, Damage};
pub use file::{CaptureFile, Described, Format};

pub use crate::util::{Frame, LinkType};
pub use netmon::MAX_NETMON;
pub use record::{MAX_DESCRIPTION, MAX_INTERFACES, MAX_LINK_TYPES, MAX_OVER_SNAPLEN, MAX_RECORD};
