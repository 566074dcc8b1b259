//! `ip xfrm state` of Linux as iproute2 prints it: also with `-s`, with `-o`, several dumps in one file, and
//! with `ip xfrm policy` or `ip xfrm monitor` among them.

use std::net::IpAddr;

use super::super::sa::{AddressPattern, Mode, Spi, SpiPattern};
use super::super::suite::{Encryption, Integrity, Vocabulary, find_integrity, integrity_row, is_not_yet};
use super::{Dialect, Fault, Reason, SaRecord, Secret, Sink, text};
use crate::util::Printable;

pub(super) const DIALECT: Dialect = Dialect { name: "ip xfrm state", probe, parse };

/// What iproute2 prints instead of a key with `nokeys`.
const HIDDEN: &str = "<<Keys";
/// What `ip xfrm monitor` puts before an SA.
const EVENTS: [&str; 4] = ["Updated", "Deleted", "Expired", "Flushed"];
/// Longest name of an algorithm in the kernel (`XFRM_MAX_NAME`, `CRYPTO_MAX_ALG_NAME`).
const LONGEST_NAME: usize = 128;

fn probe(text: &str) -> bool {
    let (mut head, mut spi) = (false, false);
    for segment in text.lines().flat_map(|line| line.split('\\')) {
        let mut words = segment.split_whitespace().skip_while(|word| EVENTS.contains(word));
        match words.next() {
            Some("src") => head = words.nth(1) == Some("dst"),
            Some("proto") => spi |= head && words.nth(1) == Some("spi"),
            _ => {}
        }
    }
    spi
}

/// A word, and where it starts in the line, counted from 1.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    column: usize,
}

/// Splits at white space. A quoted word keeps its spaces; what `-s` adds in brackets is left out.
fn words<'a>(segment: &'a str, shift: usize, words: &mut Vec<Word<'a>>) -> Result<(), Reason> {
    words.clear();
    let mut rest = segment;
    let mut in_brackets = false;
    loop {
        rest = rest.trim_start();
        let column = shift.saturating_add(segment.len().saturating_sub(rest.len())).saturating_add(1);
        let (text, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(Reason::OpenQuote { column })?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if rest.is_empty() {
            return Ok(());
        }
        in_brackets |= text.starts_with('(');
        if !in_brackets {
            words.push(Word { text, column });
        }
        in_brackets &= !text.ends_with(')');
        rest = after;
    }
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    let mut draft: Option<Draft> = None;
    let mut buffer = Vec::new();
    for (line, whole) in text::lines(text) {
        // `ip -o` joins the lines of an SA with backslashes.
        let mut shift = 0usize;
        for segment in whole.split('\\') {
            let fault = |reason| Fault { line, reason };
            let start = shift;
            shift = shift.saturating_add(segment.len()).saturating_add(1);
            words(segment, start, &mut buffer).map_err(fault)?;
            let after_event = match buffer.split_first() {
                Some((event, rest)) if EVENTS.contains(&event.text) => rest,
                _ => &buffer,
            };
            match after_event {
                [Word { text: "src", .. }, source, Word { text: "dst", .. }, destination, ..] => {
                    finish(draft.take(), sink)?;
                    draft = Draft::start(line, *source, *destination).map_err(fault)?;
                }
                [first, rest @ ..] => {
                    if let Some(draft) = &mut draft {
                        draft.detail(first.text, rest).map_err(fault)?;
                    }
                }
                [] => {}
            }
        }
    }
    finish(draft, sink)
}

/// Protocol of a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    NotSaid,
    Esp,
    Other,
}

/// An SA whose lines are being read.
struct Draft {
    line: u32,
    source: IpAddr,
    destination: IpAddr,
    protocol: Protocol,
    spi: Option<u32>,
    mode: Option<Mode>,
    encryption: Option<(Encryption, Secret)>,
    integrity: Option<(Integrity, Secret)>,
    extended_sequence: bool,
    sequence_high: u32,
    replay_window: Option<u32>,
    udp_ports: Option<(u16, u16)>,
}

impl Draft {
    /// `None` for a policy, whose addresses have prefix lengths.
    fn start(line: u32, source: Word<'_>, destination: Word<'_>) -> Result<Option<Self>, Reason> {
        if source.text.contains('/') || destination.text.contains('/') {
            return Ok(None);
        }
        let address = |word: Word<'_>| {
            word.text.parse().map_err(|_| Reason::Expected { what: "an address", column: word.column })
        };
        Ok(Some(Self {
            line,
            source: address(source)?,
            destination: address(destination)?,
            protocol: Protocol::NotSaid,
            spi: None,
            mode: None,
            encryption: None,
            integrity: None,
            extended_sequence: false,
            sequence_high: 0,
            replay_window: None,
            udp_ports: None,
        }))
    }

    /// One line below the addresses. Lines that matter not for opening packets are passed over, so that later
    /// versions of iproute2 may add some.
    fn detail(&mut self, first: &str, rest: &[Word<'_>]) -> Result<(), Reason> {
        match first {
            "proto" => self.identity(rest)?,
            "enc" => self.encryption = Some(encryption(rest, "encryption", None)?),
            "auth" => self.integrity = Some(integrity(rest, false)?),
            "auth-trunc" => self.integrity = Some(integrity(rest, true)?),
            "aead" => {
                let icv = rest.get(2).map(octets).transpose()?;
                let (encryption, key) = encryption(rest, "combined", icv)?;
                self.integrity =
                    text::own_integrity(&encryption).map(|integrity| (integrity, Secret::default()));
                self.encryption = Some((encryption, key));
            }
            "replay-window" => {
                self.replay_window = rest.first().map(value).transpose()?;
                let mut flags = rest.iter().skip_while(|word| word.text != "flag");
                self.extended_sequence = flags.any(|word| word.text == "esn");
            }
            // With extended sequence numbers the window is larger than the line above can say.
            "replay_window" => self.replay_window = rest.first().map(value).transpose()?,
            "seq-hi" => {
                // An SA is used in one direction; the other counter is zero.
                let sent = after(rest, "oseq-hi").map(|word| value(&word)).transpose()?;
                let received = rest.first().map(value).transpose()?;
                self.sequence_high = sent.unwrap_or(0).max(received.unwrap_or(0));
            }
            "encap" => {
                let port = |name| after(rest, name).and_then(|word| word.text.parse().ok());
                self.udp_ports = port("sport").zip(port("dport"));
            }
            _ => {}
        }
        Ok(())
    }

    /// `proto esp spi 0xc0de0001 reqid 1 mode transport`
    fn identity(&mut self, rest: &[Word<'_>]) -> Result<(), Reason> {
        self.protocol = match rest.first() {
            Some(Word { text: "esp", .. }) => Protocol::Esp,
            _ => Protocol::Other,
        };
        if let Some(word) = after(rest, "spi") {
            // `-s` prints it twice: 0xc0de0001(3235774465).
            let digits = word.text.split('(').next().unwrap_or_default();
            let wrong = Reason::Expected { what: "an SPI like 0xc0de0001", column: word.column };
            self.spi = Some(text::number(digits).ok_or(wrong)?);
        }
        self.mode = match after(rest, "mode").map(|word| word.text) {
            Some("transport") => Some(Mode::Transport),
            Some("tunnel") => Some(Mode::Tunnel),
            Some("beet") => Some(Mode::Beet),
            _ => None,
        };
        Ok(())
    }
}

/// The word after `name`.
fn after<'a>(words: &[Word<'a>], name: &str) -> Option<Word<'a>> {
    let mut words = words.iter().skip_while(|word| word.text != name);
    words.next()?;
    words.next().copied()
}

/// A number that may be followed by a comma.
fn value(word: &Word<'_>) -> Result<u32, Reason> {
    text::number(word.text.trim_end_matches(','))
        .ok_or(Reason::Expected { what: "a number", column: word.column })
}

/// A length that is given in bits, in octets.
fn octets(bits: &Word<'_>) -> Result<usize, Reason> {
    Ok(usize::try_from(value(bits)? / 8).unwrap_or(0))
}

/// What an algorithm that cannot be computed is called. The kernel has more than any list, so an unlisted one is no
/// error; but its name is not repeated, because a misplaced key would be repeated as well.
fn algorithm(rest: &[Word<'_>], what: &'static str) -> Result<Printable, Reason> {
    let word = rest.first().ok_or(Reason::Missing { what: "the name of the algorithm" })?;
    if is_not_yet(Vocabulary::Xfrm, word.text) {
        return Ok(Printable::from_text(word.text));
    }
    let is_name = word.text.len() <= LONGEST_NAME && word.text.contains('(') && word.text.ends_with(')');
    match is_name {
        true => Ok(Printable::from_text("unlisted algorithm")),
        false => Err(Reason::UnknownAlgorithm { what, column: word.column }),
    }
}

/// The second word; there may be none for a key of no octets.
fn key(rest: &[Word<'_>]) -> Result<Secret, Reason> {
    match rest.get(1) {
        None => Ok(Secret::default()),
        Some(word) if word.text.starts_with(HIDDEN) => Err(Reason::HiddenKeys),
        Some(word) => text::key(word.text.as_bytes(), word.column),
    }
}

/// `enc cbc(aes) 0x…` or, with the length of the ICV in bits, `aead rfc4106(gcm(aes)) 0x… 128`
fn encryption(
    rest: &[Word<'_>],
    what: &'static str,
    icv: Option<usize>,
) -> Result<(Encryption, Secret), Reason> {
    let key = key(rest)?;
    let name = rest.first().ok_or(Reason::Missing { what: "the name of the algorithm" })?;
    match text::encryption(Vocabulary::Xfrm, name.text, name.column, &key, icv) {
        Err(Reason::UnknownAlgorithm { .. }) => Ok((Encryption::Unsupported(algorithm(rest, what)?), key)),
        other => Ok((other?, key)),
    }
}

/// `auth hmac(sha1) 0x…` or, with the length of the ICV in bits, `auth-trunc hmac(sha1) 0x… 96`
fn integrity(rest: &[Word<'_>], truncated: bool) -> Result<(Integrity, Secret), Reason> {
    let name = rest.first().ok_or(Reason::Missing { what: "the name of the algorithm" })?;
    let icv = match (truncated, rest.get(2)) {
        (false, _) => None,
        (true, Some(bits)) => Some(octets(bits)?),
        // Two words: a null algorithm without a key.
        (true, None) => None,
    };
    let found = match find_integrity(Vocabulary::Xfrm, name.text, icv) {
        Ok(found) => found,
        Err(_) => Integrity::Unsupported(algorithm(rest, "integrity")?),
    };
    let key = match &found {
        Integrity::Known(row) if row.mac.is_none() => Secret::default(),
        _ => key(rest)?,
    };
    Ok((text::keyed(found, &key)?, key))
}

fn finish(draft: Option<Draft>, sink: &mut Sink) -> Result<(), Fault> {
    let Some(draft) = draft else { return Ok(()) };
    let line = draft.line;
    let fault = |what| Fault { line, reason: Reason::Missing { what } };
    match draft.protocol {
        Protocol::Esp => {}
        Protocol::Other => {
            sink.other_protocols = sink.other_protocols.saturating_add(1);
            return Ok(());
        }
        Protocol::NotSaid => return Err(fault("the line `proto …`")),
    }
    // An SA that IKE is still negotiating has no algorithm at all.
    if draft.encryption.is_none() && draft.integrity.is_none() {
        sink.keyless = sink.keyless.saturating_add(1);
        return Ok(());
    }
    let spi = draft.spi.ok_or_else(|| fault("the SPI"))?;
    let (encryption, encryption_key) = draft.encryption.ok_or_else(|| fault("the line `enc …`"))?;
    let none = || integrity_row("none").map(|row| (Integrity::Known(row), Secret::default()));
    let (integrity, integrity_key) =
        draft.integrity.or_else(none).ok_or_else(|| fault("the line `auth …`"))?;
    let origin = sink.origin(line);
    sink.push(SaRecord {
        spi: SpiPattern::exactly(Spi(spi)),
        source: AddressPattern::exactly(draft.source),
        destination: AddressPattern::exactly(draft.destination),
        encryption,
        encryption_key,
        integrity,
        integrity_key,
        extended_sequence: Some(draft.extended_sequence),
        sequence_high: draft.sequence_high,
        replay_window: draft.replay_window,
        mode: draft.mode,
        udp_ports: draft.udp_ports,
        origin,
    })
}
