//! Why a key file cannot be used. No message contains a byte of the file but names that are no keys.

use std::io;

use thiserror::Error;

use crate::util::Printable;

use super::DIALECTS;

/// Why keys cannot be loaded.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("{file}: {cause}")]
    Read {
        /// Name of the file.
        file: Printable,
        /// What it said.
        cause: io::Error,
    },
    /// The file is larger than any key file.
    #[error("{file}: larger than {limit} bytes, so it is no key file")]
    TooLarge {
        /// Name of the file.
        file: Printable,
        /// How large it may be, in octets.
        limit: u64,
    },
    /// No dialect fits.
    #[error("{file}: in no known key dialect; known are {}", known_dialects())]
    UnknownDialect {
        /// Name of the file.
        file: Printable,
    },
    /// Two dialects in one file.
    #[error("{file}: holds both {first} and {second}; give them as two files")]
    TwoDialects {
        /// Name of the file.
        file: Printable,
        /// A dialect that fits.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
    /// A directory without a file that strongSwan's save-keys plugin writes.
    #[error(
        "{file}: no keys in this directory; looked for esp_sa, ikev1_decryption_table, ikev2_decryption_table"
    )]
    EmptyDirectory {
        /// Name of the directory.
        file: Printable,
    },
    /// A line is wrong.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// Name of the file.
        file: Printable,
        /// Line, counted from 1.
        line: u32,
        /// What is wrong with it.
        reason: Reason,
    },
    /// All key files together hold too much.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}

/// What is wrong with a line. Columns count from 1, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Reason {
    #[error("not UTF-8 text")]
    NotText,
    #[error("column {column} is no hexadecimal digit")]
    BadHex { column: usize },
    #[error("the key at column {column} has an odd number of hexadecimal digits")]
    OddHex { column: usize },
    #[error("the quote at column {column} is not closed")]
    OpenQuote { column: usize },
    #[error("{what} is missing")]
    Missing { what: &'static str },
    #[error("column {column}: {what} expected")]
    Expected { what: &'static str, column: usize },
    #[error("column {column}: no {what} algorithm has this name")]
    UnknownAlgorithm { what: &'static str, column: usize },
    #[error("the key for {algorithm} has {found} bytes instead of {}", lengths(.expected))]
    KeyLength { algorithm: &'static str, found: usize, expected: Vec<usize> },
    #[error("the keys are hidden; print them with `ip xfrm state`, without nokeys and as root")]
    HiddenKeys,
    #[error("{found} columns instead of 8 or 10")]
    Columns { found: usize },
    #[error("{found} columns instead of 2 (IKEv1) or 8 (IKEv2)")]
    IkeColumns { found: usize },
    #[error("column {column}: not valid TOML")]
    NotToml { column: usize },
    #[error("unknown key {name}")]
    UnknownKey { name: Printable },
    #[error("{key} must be {expected}")]
    WrongType { key: &'static str, expected: &'static str },
    #[error("more than {limit} entries")]
    TooMany { limit: usize },
}

fn known_dialects() -> String {
    DIALECTS.iter().map(|dialect| dialect.name).collect::<Vec<_>>().join(", ")
}

fn lengths(lengths: &[usize]) -> String {
    let mut text = String::new();
    for (place, length) in lengths.iter().enumerate() {
        if place > 0 {
            text.push_str(if place.saturating_add(1) == lengths.len() { " or " } else { ", " });
        }
        text.push_str(&length.to_string());
    }
    text
}
