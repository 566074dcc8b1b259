//! Formats that users have and that are not read here, told apart by their first bytes.

use super::CaptureError;
use crate::util::Printable;

const EDITCAP: &str = "convert it with: editcap -F pcapng IN OUT";

/// First bytes, what they are a sign of, and what to do.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (b"GMBU", "a Microsoft Network Monitor 2 capture", EDITCAP),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", EDITCAP),
    (b"snoop\0\0\0", "a snoop capture", EDITCAP),
    (b"btsnoop\0", "a Bluetooth snoop capture", EDITCAP),
    (b"TRSNIFF data", "a Sniffer capture", EDITCAP),
    (b"XCP\0", "a NetXray capture", EDITCAP),
    (b"5VW\0", "a Visual Networks capture", EDITCAP),
    (b"iptrace ", "an iptrace capture", EDITCAP),
    (b"\xfd7zXZ\0", "xz-compressed", "decompress it with: xz -d FILE"),
    (b"BZh", "bzip2-compressed", "decompress it with: bzip2 -d FILE"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it with: unzip FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it with: 7z x FILE"),
    (b"\x02\x21\x4c\x18", "lz4-compressed in the legacy format", "decompress it with: lz4 -d FILE"),
    (b"\x7fELF", "a program", "name the capture, not the program that wrote it"),
];

/// How many of the first bytes an error shows.
const SHOWN: usize = 8;

/// The error that says best what begins with `head`.
pub(super) fn refuse(file: Printable, head: &[u8]) -> CaptureError {
    if head.is_empty() {
        return CaptureError::Empty { file };
    }
    if let Some(&(_, format, hint)) = FORMATS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return CaptureError::Foreign { file, format, hint };
    }
    if is_text(head) {
        return CaptureError::Text { file };
    }
    let magic = head.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    CaptureError::Unknown { file, magic }
}

/// Whether `head` is UTF-8 (its last character may be cut) without control characters other than white space.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let whole = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(whole).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && valid.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(head: &[u8]) -> String {
        refuse(Printable::from_text("f"), head).to_string()
    }

    #[test]
    fn each_kind_is_told_apart() {
        assert_eq!(said(b""), "f is empty");
        assert_eq!(
            said(b"GMBU\0\x02"),
            "f is a Microsoft Network Monitor 2 capture, not a pcap or pcapng capture"
        );
        assert_eq!(said(b"snoop\0\0\0\0\0\0\x02"), "f is a snoop capture, not a pcap or pcapng capture");
        assert_eq!(said(b"12:00:01 IP 10.0.0.1\n"), "f is text, not a pcap or pcapng capture");
        assert_eq!(said("Zürich".get(..3).unwrap().as_bytes()), "f is text, not a pcap or pcapng capture");
        assert_eq!(said(b"\xc3"), "f is not a pcap or pcapng capture: it begins with c3");
        assert_eq!(
            said(&[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4]),
            "f is not a pcap or pcapng capture: it begins with de ad be ef 00 01 02 03"
        );
        assert!(refuse(Printable::default(), b"RTSS").hint().is_some_and(|hint| hint.contains("editcap")));
    }
}
