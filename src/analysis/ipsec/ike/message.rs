//! One message of an exchange, with the times it was sent.

use crate::analysis::meta::At;
use crate::dissect::layers::Ike;

/// A message with its retransmissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Its number in the exchange, as the RFCs count: odd numbers come from the end that began, even ones from the
    /// other. Of IKEv2, 1 is the request and 2 the response; of main mode there are six (RFC 2409 section 5).
    pub number: u8,
    /// Which end sent it: 0 is the initiator of the IKE SA, 1 the responder.
    pub from: usize,
    /// How often it was sent.
    pub copies: u64,
    /// Its length in octets, as its header has it.
    pub octets: u32,
    /// The first packet with it.
    pub first: At,
    /// The last packet with it.
    pub last: At,
}

impl Message {
    pub(super) fn new(number: u8, captured: &Captured<'_>) -> Self {
        let Captured { ike, from, at } = *captured;
        Self { number, from, octets: ike.length, copies: 1, first: at, last: at }
    }

    /// It was sent again.
    pub(super) fn again(&mut self, at: At) {
        self.copies = self.copies.saturating_add(1);
        self.last = at;
    }
}

/// An IKE message at the moment it was captured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Captured<'m> {
    pub ike: &'m Ike,
    /// Which end of the IKE SA sent it.
    pub from: usize,
    pub at: At,
}

impl Captured<'_> {
    /// The end that it was sent to.
    pub fn to(&self) -> usize {
        1usize.saturating_sub(self.from)
    }

    /// The end that began its exchange, if it is its first message (IKEv1) or in any case (IKEv2): there a flag tells
    /// responses (RFC 7296 section 3.1).
    pub fn begun_by(&self) -> usize {
        if self.is_response() { self.to() } else { self.from }
    }

    /// A response of IKEv2.
    pub fn is_response(&self) -> bool {
        const RESPONSE: u8 = 0x20;
        self.ike.version == 2 && self.ike.flags & RESPONSE != 0
    }

    /// One part of a message that is too long for the path (RFC 7383 section 2.5; of IKEv1, payload 132).
    pub fn is_fragment(&self) -> bool {
        const FRAGMENT: u8 = 132;
        const ENCRYPTED_FRAGMENT: u8 = 53;
        self.ike.next_payload == if self.ike.version == 1 { FRAGMENT } else { ENCRYPTED_FRAGMENT }
    }
}
