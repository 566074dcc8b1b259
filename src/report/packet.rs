//! One packet as the views of packets see it.

use crate::dissect::Scratch;
use crate::field::{Node, Range, Tree};
use crate::util::Frame;

/// A packet: its frame, its fields, and the buffers that were made of it.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// The frame as captured.
    pub frame: &'a Frame<'a>,
    /// All its fields.
    pub tree: &'a Tree,
    /// Decrypted and reassembled buffers.
    pub scratch: &'a Scratch,
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
}
