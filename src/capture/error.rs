//! What can keep a capture from being read, and what can be wrong inside one.

use std::{fmt, io};

use crate::util::Printable;

/// A fault inside a capture that was opened: every frame before it has been lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where the faulty record or block begins, in bytes from the start of the (decompressed) file.
    pub offset: u64,
    /// What was expected and what was there, in plain ASCII words without any byte of the file.
    pub what: String,
    /// Whether reading had to stop here; otherwise the record was lent and reading went on.
    pub stopped: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.what)
    }
}

/// Why there is no capture to read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file could not be opened.
    #[error("cannot open {file}")]
    Open {
        /// The file's name.
        file: Printable,
        /// What the system says.
        source: io::Error,
    },
    /// The system failed while the file was being read.
    #[error("cannot read {file}")]
    Read {
        /// The file's name.
        file: Printable,
        /// What the system says.
        source: io::Error,
    },
    /// The name is that of a directory.
    #[error("{file} is a directory, not a capture")]
    Directory {
        /// The directory's name.
        file: Printable,
    },
    /// There is not a single byte (or none in the compressed data).
    #[error("{file} is empty")]
    Empty {
        /// The file's name.
        file: Printable,
    },
    /// A format that is known by its first bytes, but not read here.
    #[error("{file} is {format}, not a pcap or pcapng capture")]
    Foreign {
        /// The file's name.
        file: Printable,
        /// The format with its article, such as `a snoop capture`.
        format: &'static str,
        /// What the user can do about it.
        hint: &'static str,
    },
    /// Text where a capture was expected.
    #[error("{file} is text, not a pcap or pcapng capture")]
    Text {
        /// The file's name.
        file: Printable,
    },
    /// The first bytes are those of no format that is known here.
    #[error("{file} is not a pcap or pcapng capture: it begins with {magic}")]
    Unknown {
        /// The file's name.
        file: Printable,
        /// The first bytes (up to eight) in hexadecimal.
        magic: String,
    },
    /// A version of pcap or pcapng that is not known.
    #[error("{file} is {format} version {major}.{minor}, which is not known")]
    Version {
        /// The file's name.
        file: Printable,
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// The major version in the file.
        major: u16,
        /// The minor version in the file.
        minor: u16,
    },
    /// Compressed data that fail before the first bytes of a capture came out of them.
    #[error("{file} cannot be decompressed: {what}")]
    Compressed {
        /// The file's name.
        file: Printable,
        /// What is wrong with the data.
        what: String,
    },
    /// A capture filter that libpcap does not accept.
    #[error("capture filter \"{expression}\": {reason}")]
    Filter {
        /// The expression.
        expression: Printable,
        /// What libpcap says.
        reason: Printable,
    },
}

impl CaptureError {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign { hint, .. } => Some(hint),
            _ => None,
        }
    }
}
