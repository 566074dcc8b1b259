//! The only door from foreign bytes (packets, file names, key files) to text that is shown.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Text that is safe to write to a terminal, whatever bytes it was made from.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, format characters (Unicode's Cf: bidirectional and
/// zero-width ones), unassigned and private ones, and letters that show nothing become `\u{…}` escapes, bytes that are no UTF-8 become `\x…`. All other text stays as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Printable(Arc<str>);

impl Printable {
    /// Makes text of bytes that claim to be UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut out = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            push_escaped(&mut out, chunk.valid());
            for byte in chunk.invalid() {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
        Self(out.into())
    }

    /// Makes text of foreign text, such as a file name.
    pub fn from_text(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// The same, but not longer than `limit` octets; what is left out is marked by `…`.
    ///
    /// For texts that are kept for each of many peers, who choose them.
    pub fn clipped(&self, limit: usize) -> Self {
        if self.0.len() <= limit {
            return self.clone();
        }
        let end = (0..=limit).rev().find(|end| self.0.is_char_boundary(*end)).unwrap_or(0);
        let kept = self.0.get(..end).unwrap_or_default();
        Self(format!("{kept}…").into())
    }

    /// The clean text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes octets that claim to be UTF-8 as [`Printable`] would show them.
pub fn write(octets: &[u8], out: &mut Vec<u8>) {
    if octets.iter().all(|octet| matches!(octet, 0x20..=0x7e)) {
        out.extend_from_slice(octets);
    } else {
        out.extend_from_slice(Printable::from_bytes(octets).as_str().as_bytes());
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        if is_dangerous(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Whether `c` can move the cursor, change colours, hide or reorder text on a terminal.
pub fn is_dangerous(c: char) -> bool {
    c.is_control()
        || !c.is_ascii()
            && (is_blank(c)
                || matches!(
                    get_general_category(c),
                    GeneralCategory::Format
                        | GeneralCategory::Unassigned
                        | GeneralCategory::PrivateUse
                        | GeneralCategory::Surrogate
                        | GeneralCategory::LineSeparator
                        | GeneralCategory::ParagraphSeparator
                ))
}

/// Whether `c` is a letter or sign that shows nothing.
fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2065}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        let hostile = b"a\x1b[31mb\x07\xff\xc2\x9bc\xe2\x80\xaed\xe2\x80\x8be";
        assert_eq!(
            Printable::from_bytes(hostile).as_str(),
            "a\\u{1b}[31mb\\u{7}\\xff\\u{9b}c\\u{202e}d\\u{200b}e"
        );
    }

    #[test]
    fn escapes_what_shows_nothing() {
        for c in [
            '\u{2800}',
            '\u{3164}',
            '\u{e000}',
            '\u{378}',
            '\u{1bca0}',
            '\u{600}',
            '\u{fff9}',
            '\u{e0041}',
            '\u{fe0f}',
        ] {
            assert!(is_dangerous(c), "{c:?}");
        }
    }

    #[test]
    fn leaves_honest_text_alone() {
        assert_eq!(Printable::from_text("Zürich VPN – 東京").as_str(), "Zürich VPN – 東京");
    }

    #[test]
    fn clips_between_characters() {
        assert_eq!(Printable::from_text("Zürich").clipped(2).as_str(), "Z…");
        assert_eq!(Printable::from_text("Zürich").clipped(3).as_str(), "Zü…");
        assert_eq!(Printable::from_text("Zürich").clipped(7).as_str(), "Zürich");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_comes_out(bytes: Vec<u8>) {
            prop_assert!(!Printable::from_bytes(&bytes).as_str().chars().any(is_dangerous));
        }
    }
}
