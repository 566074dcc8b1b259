//! One packet as the views of packets see it.

use hashbrown::HashMap;

use crate::analysis::CallId;
use crate::analysis::{Acknowledgements, PacketContext};
use crate::dissect::layers::Layers;
use crate::dissect::{Made, Scratch};
use crate::field::{Node, Range, Tree};
use crate::ipsec::Sad;
use crate::rules::{Finding, Severity};
use crate::util::{Duration, Frame};

/// A packet: its frame, its fields, the buffers that were made of it, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// The frame as captured.
    pub frame: &'a Frame<'a>,
    /// All its fields.
    pub tree: &'a Tree,
    /// Decrypted and reassembled buffers.
    pub scratch: &'a Scratch,
    /// What the analysis knows of it.
    pub layers: &'a Layers,
    /// Where it belongs.
    pub place: &'a PacketContext,
    /// The keys.
    pub sad: &'a Sad,
    /// What the rest of the capture says of it.
    pub outlook: &'a Outlook,
    /// The time to show.
    pub clock: Clock,
    /// Octets that nobody is to read, such as passwords.
    pub masked: &'a [Range],
}

/// Times that a packet is shown with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// Since the first packet.
    pub since_first: Duration,
    /// Since the packet before it.
    pub since_previous: Duration,
    /// The capture has nanoseconds.
    pub nanoseconds: bool,
}

/// What is known of packets when the capture has been read once before: nothing, if it could not be.
#[derive(Debug, Default)]
pub struct Outlook {
    /// Which packet acknowledged which.
    pub acknowledged: Acknowledgements,
    marks: HashMap<u64, Vec<&'static str>>,
}

impl Outlook {
    /// What findings and acknowledgements say of packets.
    pub fn new(acknowledged: Acknowledgements, findings: &[Finding]) -> Self {
        let mut marks: HashMap<u64, Vec<&'static str>> = HashMap::new();
        // A finding that names only the first of many packets would mark those alone, as if the others were sound.
        let whole = |finding: &&Finding| finding.count <= finding.packets.len() as u64;
        for finding in findings.iter().filter(|finding| finding.severity > Severity::Note).filter(whole) {
            for packet in &finding.packets {
                let rules = marks.entry(*packet).or_default();
                if !rules.contains(&finding.rule.id) {
                    rules.push(finding.rule.id);
                }
            }
        }
        Self { acknowledged, marks }
    }

    /// The rules that a packet is evidence for.
    pub fn rules(&self, packet: u64) -> &[&'static str] {
        self.marks.get(&packet).map_or(&[], Vec::as_slice)
    }
}

impl<'a> Packet<'a> {
    /// The octets of a range.
    pub fn octets(&self, range: Range) -> &'a [u8] {
        self.scratch.octets(self.frame.data, range)
    }

    /// The fields in order.
    pub fn nodes(&self) -> &'a [Node] {
        self.tree.nodes()
    }

    /// The buffers that were made of the frame, with their names and ranges.
    pub fn buffers(&self) -> impl Iterator<Item = (&'static str, Range, &'a [u8])> + use<'a> {
        let last = self.nodes().iter().map(|node| node.range.source).max().unwrap_or(0);
        let (scratch, frame) = (self.scratch, self.frame.data);
        (0..=last).map(move |source| {
            let name = match scratch.made(source) {
                None => "Frame",
                Some(Made::Decrypted) => "Decrypted ESP",
                Some(Made::Reassembled) => "Reassembled IP",
                Some(Made::Unhidden) => "Unhidden AVPs",
                Some(Made::DecryptedIke) => "Decrypted IKE",
                Some(Made::ReassembledIke) => "Reassembled IKE",
                Some(Made::Unescaped) => "Unescaped HDLC",
                Some(Made::Inflated) => "Decompressed IPComp",
                Some(Made::Restored) => "Restored header",
            };
            let octets = scratch.source(frame, source);
            let end = u32::try_from(octets.len()).unwrap_or(u32::MAX);
            (name, Range { source, start: 0, end }, octets)
        })
    }

    /// Whether nobody is to read a value because it was hidden in the packet.
    pub(super) fn keeps_hidden(&self, range: Range) -> bool {
        !self.masked.is_empty() && was_hidden(range, self.scratch)
    }

    /// Which octets of a range are to be masked, as offsets within it.
    pub(super) fn masks(&self, range: Range) -> impl Iterator<Item = std::ops::Range<usize>> + use<'a> {
        let own = self.masked.iter().filter(move |masked| {
            masked.source == range.source && masked.start < range.end && range.start < masked.end
        });
        own.map(move |masked| {
            let within = |at: u32| at.clamp(range.start, range.end).saturating_sub(range.start) as usize;
            within(masked.start)..within(masked.end)
        })
    }
}

/// Whether a value was hidden in the packet (RFC 2661 section 4.3).
pub(super) fn was_hidden(range: Range, scratch: &Scratch) -> bool {
    range.source > 0 && scratch.made(range.source) == Some(Made::Unhidden)
}

/// `C1`.
pub(super) fn call_name(call: CallId) -> String {
    format!("C{}", u64::from(call.0) + 1)
}
