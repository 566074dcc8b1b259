//! Which octets of a packet nobody is to read: passwords, what proves one, and values that were hidden.
//!
//! A field says by its kind that it is secret. The same octets may stand where no dissector reads them as such: in a
//! buffer that the packet was made of, a fragment, a rejected packet, a later message. They are masked there too.

use std::collections::VecDeque;

use crate::dissect::Protocol;
use crate::dissect::Scratch;
use crate::dissect::layers::{Layers, Stop};
use crate::field::{Kind, Node, Range, Value};
use crate::util::Frame;

use super::packet::was_hidden;

/// Fewer octets in a row are found everywhere.
const SHORTEST: usize = 4;
/// The same for octets that only an earlier packet named.
const SHORTEST_EARLIER: usize = 6;
/// A packet repeats a password once or twice at the most.
const MOST_COPIES: usize = 8;
/// So many octets of a secret are looked for elsewhere.
const MOST_OCTETS: usize = 256;
/// So many secrets of earlier packets are remembered, the latest.
const MOST_REMEMBERED: usize = 32;
/// Code, Identifier and Length of a PPP control packet.
const HEADER: usize = 4;

/// The secret octets of one packet after the other.
#[derive(Debug, Default)]
pub struct Masks {
    ranges: Vec<Range>,
    copies: Vec<Range>,
    remembered: VecDeque<Vec<u8>>,
}

impl Masks {
    /// What is to be masked in the packet that was found last.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Finds what is to be masked in a packet.
    pub fn find(&mut self, nodes: &[Node], frame: &Frame<'_>, layers: &Layers, scratch: &Scratch) {
        let secret = |node: &&Node| node.field.kind == Kind::Secret || was_hidden(node.range, scratch);
        self.ranges.clear();
        self.ranges.extend(nodes.iter().filter(secret).map(|node| node.range));
        // A packet that ends, or lies, within an exchange of passwords may end in one.
        if let Stop::Cut { layer, what } | Stop::Malformed { layer, what } = layers.stop
            && matches!(layer, Protocol::Pap | Protocol::Chap | Protocol::Eap)
        {
            let start = what.offset.saturating_sub(1);
            self.ranges.push(Range { source: what.source, start, end: u32::MAX });
        }
        let last = nodes.iter().map(|node| node.range.source).max().unwrap_or(0);
        for source in 0..=last {
            exchanges(nodes, source, scratch.source(frame.data, source), &mut self.ranges);
        }
        rejected(nodes, frame, scratch, &mut self.ranges);
        if !self.ranges.is_empty() || !self.remembered.is_empty() {
            self.copies(nodes, frame, scratch, last);
        }
    }

    /// The same octets in other buffers, and those that earlier packets named.
    fn copies(&mut self, nodes: &[Node], frame: &Frame<'_>, scratch: &Scratch, last: u8) {
        self.copies.clear();
        for own in &self.ranges {
            let octets = beginning(frame, scratch, *own);
            for source in (0..=last).filter(|source| *source != own.source) {
                if octets.len() >= SHORTEST {
                    find_all(source, scratch.source(frame.data, source), octets, &mut self.copies);
                }
                pieces(nodes, frame, scratch, source, octets, &mut self.copies);
            }
        }
        for octets in &self.remembered {
            for source in 0..=last {
                find_all(source, scratch.source(frame.data, source), octets, &mut self.copies);
            }
        }
        // Only what a field names as a password is one everywhere.
        let named = nodes.iter().filter(|node| node.field.kind == Kind::Secret);
        for node in named {
            let octets = beginning(frame, scratch, node.range);
            if octets.len() >= SHORTEST_EARLIER && !self.remembered.iter().any(|known| known == octets) {
                if self.remembered.len() >= MOST_REMEMBERED {
                    self.remembered.pop_front();
                }
                self.remembered.push_back(octets.to_vec());
            }
        }
        self.ranges.append(&mut self.copies);
    }
}

fn beginning<'a>(frame: &Frame<'a>, scratch: &'a Scratch, range: Range) -> &'a [u8] {
    let whole = scratch.source(frame.data, range.source);
    let end = (range.end as usize).min(whole.len());
    let octets = whole.get(range.start as usize..end).unwrap_or_default();
    octets.get(..MOST_OCTETS).unwrap_or(octets)
}

fn range(source: u8, start: usize, end: usize) -> Range {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Range { source, start: place(start), end: place(end) }
}

fn find_all(source: u8, within: &[u8], octets: &[u8], out: &mut Vec<Range>) {
    let places = within.windows(octets.len().max(1)).enumerate().filter(|(_, window)| *window == octets);
    out.extend(places.take(MOST_COPIES).map(|(at, _)| range(source, at, at.saturating_add(octets.len()))));
}

/// A fragment may end, or begin, in the middle of a secret that the whole packet shows.
fn pieces(
    nodes: &[Node],
    frame: &Frame<'_>,
    scratch: &Scratch,
    source: u8,
    octets: &[u8],
    out: &mut Vec<Range>,
) {
    let whole = scratch.source(frame.data, source);
    let own = || nodes.iter().filter(|node| node.range.source == source);
    // Behind the last field stands what nobody described: the data of a fragment.
    let headings = |node: &&Node| !matches!(node.field.kind, Kind::Protocol | Kind::Group);
    let described = own().filter(headings).map(|node| node.range.end as usize).max().unwrap_or(0);
    let opaque = own().filter(|node| is_opaque(node));
    let places = opaque.map(|node| (node.range.start as usize, node.range.end as usize));
    for (start, end) in places.chain([(described, whole.len())]) {
        let own = whole.get(start..end).unwrap_or_default();
        let lengths = || (1..=octets.len().min(own.len())).rev();
        if let Some(len) = lengths().find(|len| octets.ends_with(&own[..*len])) {
            out.push(range(source, start, start.saturating_add(len)));
        }
        if let Some(len) = lengths().find(|len| octets.starts_with(&own[own.len() - len..])) {
            out.push(range(source, end.saturating_sub(len), end));
        }
    }
}

/// Whether these are octets that no dissector took apart.
fn is_opaque(node: &Node) -> bool {
    node.field.kind == Kind::Bytes && node.value == Value::Octets
}

/// Requests and responses of PAP, SPAP, CHAP and EAP, found by their PPP protocol number wherever they stand: in
/// fragments, quotes and payloads that are not taken apart.
fn exchanges(nodes: &[Node], source: u8, octets: &[u8], out: &mut Vec<Range>) {
    for second in memchr::memchr2_iter(0x23, 0x27, octets) {
        let Some((head, packet)) = octets.split_at_checked(second.saturating_add(1)) else { continue };
        let [.., first @ 0xc0..=0xc2, second] = *head else { continue };
        if [first, second] == [0xc1, 0x27] {
            continue;
        }
        let Some((start, end)) = secret_part([first, second], packet) else { continue };
        let base = head.len();
        // The name behind a response of EAP is none: its dissector knows where which is.
        let own = |node: &Node| node.field.name == "eap" && node.range.source == source;
        if nodes.iter().any(|node| own(node) && node.range.start as usize == base) {
            continue;
        }
        out.push(range(source, base.saturating_add(start), base.saturating_add(end)));
    }
}

/// Where the secret of a packet is, as offsets in it. What a fragment lacks is no reason not to mask what is there.
fn secret_part(protocol: [u8; 2], packet: &[u8]) -> Option<(usize, usize)> {
    let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    if length <= HEADER {
        return None;
    }
    let first = usize::from(*packet.get(HEADER)?);
    let start = match (protocol, packet.first()?) {
        // RFC 1334 section 2.2.1: Peer-ID-Length, Peer-ID, Passwd-Length, Password.
        ([_, 0x23], 1) if protocol[0] != 0xc2 => HEADER.checked_add(2)?.checked_add(first)?,
        ([0xc0, 0x27], _) => HEADER,
        // RFC 1994 section 4.1: Value-Size, Value, Name.
        ([0xc2, 0x23], 2) => {
            let start = HEADER.checked_add(1)?;
            return Some((start, start.checked_add(first)?.min(packet.len()))).filter(|part| part.0 < part.1);
        }
        // RFC 3748 section 4.2: Type and Type-Data; an Identity (1) and a Nak (3) are no secrets.
        ([0xc2, 0x27], 2) if !matches!(first, 1 | 3) => HEADER.checked_add(1)?,
        _ => return None,
    };
    let end = length.min(packet.len());
    (start < end).then_some((start, end))
}

/// A Code-Reject (RFC 1661 section 5.6) returns a packet without its protocol number: a PAP request is one by its lengths.
fn rejected(nodes: &[Node], frame: &Frame<'_>, scratch: &Scratch, out: &mut Vec<Range>) {
    for node in nodes.iter().filter(|node| is_opaque(node)) {
        let octets = scratch.octets(frame.data, node.range);
        let [1, _, high, low, name, rest @ ..] = octets else { continue };
        let name = usize::from(*name);
        let Some(password) = rest.get(name).map(|length| usize::from(*length)) else { continue };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if password > 0 && length == HEADER.saturating_add(2).saturating_add(name).saturating_add(password) {
            let start = (node.range.start as usize).saturating_add(HEADER + 2).saturating_add(name);
            out.push(range(node.range.source, start, start.saturating_add(password)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_by_their_protocol_number() {
        let mut out = Vec::new();
        let request = b"\0\0\xc0\x23\x01\x01\0\x0f\x05alice\x04pass behind";
        exchanges(&[], 0, request, &mut out);
        assert_eq!(out, [range(0, 15, 19)]);
        // A fragment that ends in the password, or before it.
        for (len, found) in [(17, 1), (16, 1), (15, 0), (7, 0), (3, 0)] {
            let mut out = Vec::new();
            exchanges(&[], 0, &request[..len], &mut out);
            assert_eq!(out.len(), found, "{len}");
        }
    }

    #[test]
    fn responses_are_found_and_challenges_are_not() {
        for (packet, part) in [
            (&b"\xc2\x23\x02\x01\0\x0a\x04abcd"[..], Some((7, 11))),
            (b"\xc2\x23\x01\x01\0\x0a\x04abcd", None),
            (b"\xc2\x27\x02\x01\0\x09\x04abcd", Some((7, 11))),
            (b"\xc2\x27\x02\x01\0\x09\x01abcd", None),
            (b"\xc0\x23\x02\x01\0\x09\x04abcd", None),
            (b"\xc0\x23\x01\x01\0\x04", None),
        ] {
            let mut out = Vec::new();
            exchanges(&[], 0, packet, &mut out);
            assert_eq!(out.first().map(|mask| (mask.start, mask.end.min(11))), part, "{packet:?}");
        }
    }
}
