//! IKE SAs as their headers show them: who, which exchanges, how it came out (RFC 2408, RFC 7296).

use std::net::IpAddr;

use crate::dissect::ike::{NO_PROPOSAL_CHOSEN, exchange_name};
use crate::dissect::layers::{Addresses, Ike};
use crate::util::Timestamp;

use super::bump;

/// One IKE SA.
#[derive(Debug, Clone)]
pub struct IkeSa {
    /// Major version.
    pub version: u8,
    /// Who began.
    pub initiator: IpAddr,
    /// Who answered, or should have.
    pub responder: IpAddr,
    /// SPI (IKEv1: cookie) of the initiator.
    pub initiator_spi: u64,
    /// SPI (IKEv1: cookie) of the responder; 0 as long as it has not answered.
    pub responder_spi: u64,
    /// Exchanges in the order they began.
    pub exchanges: Vec<&'static str>,
    /// Messages.
    pub messages: u64,
    /// Messages of each end: initiator, responder.
    pub sent: [u64; 2],
    /// The responder refused all proposals, in this packet.
    pub no_proposal_chosen: Option<u64>,
    /// Encrypted main mode messages of each end: 5 by the initiator, 6 by the responder (RFC 2409 section 5).
    pub proofs: [u64; 2],
    /// Informational messages of each end.
    pub informational: [u64; 2],
    /// A request that was sent again and again, and not answered.
    pub pending: Option<Pending>,
    /// Messages of quick mode (IKEv1) or answered IKE_AUTH (IKEv2): what a child SA needs.
    pub(crate) quick: u64,
    pub(crate) auth: [bool; 2],
    /// The first message: packet and time.
    pub first: (u64, Timestamp),
    /// The last message.
    pub last: (u64, Timestamp),
    /// The first packets, as evidence.
    pub packets: Vec<u64>,
}

/// A request without an answer.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    message_id: u32,
    from: usize,
    exchange: u8,
    /// How often it was sent.
    pub copies: u64,
    /// The first packet and its time.
    pub first: (u64, Timestamp),
    /// The last packet.
    pub last: u64,
}

impl IkeSa {
    pub(crate) fn new(ike: &Ike, addresses: Addresses, packet: u64, time: Timestamp) -> Self {
        let from_responder = ike.version == 2 && ike.flags & 0x08 == 0;
        let (initiator, responder) = if from_responder {
            (addresses.destination, addresses.source)
        } else {
            (addresses.source, addresses.destination)
        };
        Self {
            version: ike.version,
            initiator,
            responder,
            initiator_spi: ike.initiator_spi,
            responder_spi: ike.responder_spi,
            exchanges: Vec::new(),
            messages: 0,
            sent: [0, 0],
            no_proposal_chosen: None,
            proofs: [0, 0],
            informational: [0, 0],
            pending: None,
            quick: 0,
            auth: [false, false],
            first: (packet, time),
            last: (packet, time),
            packets: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, ike: &Ike, addresses: Addresses, packet: u64, time: Timestamp) {
        let from = usize::from(addresses.source != self.initiator);
        bump(&mut self.messages);
        if let Some(count) = self.sent.get_mut(from) {
            bump(count);
        }
        self.last = (packet, time);
        if self.packets.len() < 6 {
            self.packets.push(packet);
        }
        if ike.responder_spi != 0 {
            self.responder_spi = ike.responder_spi;
        }
        let name = exchange_name(ike.version, ike.exchange);
        if !self.exchanges.contains(&name) && self.exchanges.len() < 16 {
            self.exchanges.push(name);
        }
        if ike.notifies.contains(&NO_PROPOSAL_CHOSEN) {
            self.no_proposal_chosen.get_or_insert(packet);
        }
        self.wait(ike, from, packet, time);
        match name {
            "main" if ike.flags & 1 == 1 => {
                if let Some(count) = self.proofs.get_mut(from) {
                    bump(count);
                }
            }
            "informational" | "INFORMATIONAL" => {
                if let Some(count) = self.informational.get_mut(from) {
                    bump(count);
                }
            }
            "quick" => bump(&mut self.quick),
            "IKE_AUTH" => {
                if let Some(sent) = self.auth.get_mut(from) {
                    *sent = true;
                }
            }
            _ => {}
        }
    }

    /// Remembers the last request; anything of the other end in the same exchange answers it.
    fn wait(&mut self, ike: &Ike, from: usize, packet: u64, time: Timestamp) {
        match &mut self.pending {
            Some(known) if known.message_id == ike.message_id && known.exchange == ike.exchange => {
                if known.from == from {
                    bump(&mut known.copies);
                    known.last = packet;
                } else {
                    self.pending = None;
                }
            }
            _ => {
                let (message_id, exchange) = (ike.message_id, ike.exchange);
                let first = (packet, time);
                self.pending = Some(Pending { message_id, from, exchange, copies: 1, first, last: packet });
            }
        }
    }

    /// Whether the responder never said a word.
    pub fn unanswered(&self) -> bool {
        self.responder_spi == 0 && self.sent.last() == Some(&0)
    }

    /// How it came out, as far as messages in the clear show: a child SA exists, no answer, refused. `None` if they
    /// do not show it.
    pub fn outcome(&self) -> Option<&'static str> {
        if self.unanswered() {
            Some("no-answer")
        } else if self.quick >= 3 {
            Some("established")
        } else if self.no_proposal_chosen.is_some() {
            Some("no-proposal-chosen")
        } else {
            None
        }
    }
}
