//! One IKE SA: who talks, of which version, how it came out.

use std::net::IpAddr;

use crate::analysis::ids::bump;
use crate::analysis::log::Log;
use crate::analysis::meta::At;
use crate::dissect::ike::contents::{Contents, IKE_PROTOCOL};
use crate::dissect::ike::exchange_name;
use crate::dissect::layers::{Addresses, Ike};

use super::child::{self, Child, Deletion};
use super::exchanges::Exchanges;
use super::liveness::Liveness;
use super::message::Captured;
use super::phase::{Phase, messages};
use super::phase_one::PhaseOne;
use super::refusal::{self, Refusal};

/// Names of exchanges of one IKE SA that are kept.
const MOST_NAMES: usize = 16;
/// Proposals of one end that are kept.
const MOST_OFFERS: usize = 16;
/// Packets of one IKE SA that are kept as evidence.
const MOST_PACKETS: usize = 6;
/// The Initiator flag of IKEv2 (RFC 7296 section 3.1).
const INITIATOR: u8 = 0x08;
/// The Security Association payload of IKEv1.
const SECURITY_ASSOCIATION: u8 = 1;

/// One IKE SA. Its ends are told by 0, the initiator, and 1, the responder.
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
    /// Names of exchanges in the order they began.
    pub exchange_names: Vec<&'static str>,
    /// Each exchange.
    pub exchanges: Exchanges,
    /// Messages.
    pub messages: u64,
    /// Messages of each end.
    pub sent: [u64; 2],
    /// The messages of phase 1 (IKEv1).
    pub phase_one: PhaseOne,
    /// Whether each end sent a message of IKE_AUTH (IKEv2).
    pub auth: [bool; 2],
    /// Informational messages of each end.
    pub informational: [u64; 2],
    /// What was refused.
    pub refusals: Vec<Refusal>,
    /// What each end proposed or chose for the IKE SA, in words.
    pub proposals: [Vec<String>; 2],
    /// The Diffie-Hellman group that the responder chose.
    pub group: Option<u64>,
    /// The lifetime of the IKE SA in seconds, as each end wrote it (IKEv1).
    pub lifetimes: [Option<u64>; 2],
    /// Whether each end is behind a NAT, as the hashes of the other say.
    pub behind_nat: [Option<bool>; 2],
    /// The first message of each end on port 4500.
    pub floated: [Option<At>; 2],
    /// Its child SAs, as far as they can be read.
    pub children: Vec<Child>,
    /// SAs that were deleted.
    pub deleted: Vec<Deletion>,
    /// The deletion of this IKE SA itself, and by which end.
    pub ended: Option<(At, usize)>,
    /// The rekey of this IKE SA, and the SPI of the initiator of the one that replaces it (RFC 7296 section 1.3.2).
    pub rekeyed: Option<(At, u64)>,
    /// Questions whether the peer is there.
    pub liveness: Liveness,
    /// The first message.
    pub first: At,
    /// The last message.
    pub last: At,
    /// The first packets, as evidence.
    pub packets: Vec<u64>,
    /// What was said in it, where that is kept.
    pub log: Log,
    /// An exchange that makes child SAs was begun; one was completed.
    pub(super) child_sa: (bool, bool),
}

impl IkeSa {
    pub(crate) fn new(ike: &Ike, addresses: Addresses, at: At) -> Self {
        // Where the capture begins late, the first message may be the responder's: in IKEv1 its proposal is told by its
        // own cookie.
        let from_responder = match ike.version {
            2 => ike.flags & INITIATOR == 0,
            _ => {
                let begins = Phase::of(ike.version, ike.exchange) == Phase::One;
                begins && ike.next_payload == SECURITY_ASSOCIATION && ike.responder_spi != 0
            }
        };
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
            exchange_names: Vec::new(),
            exchanges: Exchanges::default(),
            messages: 0,
            sent: [0, 0],
            phase_one: PhaseOne::default(),
            auth: [false, false],
            informational: [0, 0],
            refusals: Vec::new(),
            proposals: [Vec::new(), Vec::new()],
            group: None,
            lifetimes: [None, None],
            behind_nat: [None, None],
            floated: [None, None],
            children: Vec::new(),
            deleted: Vec::new(),
            ended: None,
            rekeyed: None,
            liveness: Liveness::default(),
            first: at,
            last: at,
            packets: Vec::new(),
            log: Log::default(),
            child_sa: (false, false),
        }
    }

    /// The address of an end.
    pub fn end(&self, end: usize) -> IpAddr {
        if end == 0 { self.initiator } else { self.responder }
    }

    /// Which end sent a message: 0 is the initiator.
    pub(crate) fn sender(&self, ike: &Ike, addresses: Addresses) -> usize {
        match ike.version {
            // The flag of IKEv2 holds where a NAT changed the address.
            2 => usize::from(ike.flags & INITIATOR == 0),
            _ => usize::from(addresses.source != self.initiator),
        }
    }

    pub(crate) fn push(&mut self, ike: &Ike, addresses: Addresses, at: At) {
        let from = self.sender(ike, addresses);
        let captured = Captured { ike, from, at };
        bump(&mut self.messages);
        if let Some(count) = self.sent.get_mut(from) {
            bump(count);
        }
        self.last = at;
        if self.packets.len() < MOST_PACKETS {
            self.packets.push(at.packet);
        }
        if ike.responder_spi != 0 {
            self.responder_spi = ike.responder_spi;
        }
        if ike.marker
            && let Some(first) = self.floated.get_mut(from)
        {
            first.get_or_insert(at);
        }
        let name = exchange_name(ike.version, ike.exchange);
        if !self.exchange_names.contains(&name) && self.exchange_names.len() < MOST_NAMES {
            self.exchange_names.push(name);
        }
        let begun = if self.child_sa.0 { Phase::Two } else { Phase::One };
        refusal::note(&mut self.refusals, &captured, begun);
        self.liveness.push(&captured);
        self.detect_nat(&ike.contents, from);
        self.exchange(&captured);
        self.offers(&captured);
        child::note(&mut self.children, &captured);
        child::delete(&mut self.children, &mut self.deleted, &captured);
        if ike.contents.deletes.iter().any(|deleted| deleted.protocol == IKE_PROTOCOL) {
            self.ended.get_or_insert((at, from));
        }
    }

    fn detect_nat(&mut self, contents: &Contents, from: usize) {
        let ends = [(from, contents.nat.source), (1usize.saturating_sub(from), contents.nat.destination)];
        for (end, fits) in ends {
            if let (Some(known), Some(fits)) = (self.behind_nat.get_mut(end), fits) {
                *known = Some(!fits || *known == Some(true));
            }
        }
    }

    fn exchange(&mut self, captured: &Captured<'_>) {
        let Captured { ike, from, .. } = *captured;
        let (sent, exchange) = self.exchanges.push(captured);
        // Where both directions are captured, a third message without a second is the first one once more.
        let both = self.sent.iter().all(|sent| *sent > 0);
        let complete =
            exchange.is_some_and(|exchange| exchange.is_complete() && (!both || exchange.answer.is_some()));
        match Phase::of(ike.version, ike.exchange) {
            Phase::One if ike.version == 1 => {
                if let Some(sent) = sent {
                    self.phase_one.note(sent, messages(ike.version, ike.exchange));
                }
            }
            Phase::Authentication => {
                if let Some(sent) = self.auth.get_mut(from) {
                    *sent = true;
                }
            }
            Phase::Two => self.child_sa = (true, self.child_sa.1 || complete),
            Phase::Informational => {
                if let Some(count) = self.informational.get_mut(from) {
                    bump(count);
                }
            }
            _ => {}
        }
    }

    /// Proposals for the IKE SA: at its beginning, and to rekey it.
    fn offers(&mut self, captured: &Captured<'_>) {
        let Captured { ike, from, at } = *captured;
        for offer in ike.contents.offers.iter().filter(|offer| offer.protocol == IKE_PROTOCOL) {
            if let Some(known) = self.proposals.get_mut(from)
                && self.exchanges.len() <= 2
            {
                let words = offer.words().into_iter();
                known.extend(words.filter(|word| !word.is_empty()).take(MOST_OFFERS));
                known.dedup();
                known.truncate(MOST_OFFERS);
            }
            let first = offer.transforms.first();
            if let (Some(seconds), Some(known)) =
                (first.and_then(|first| first.lifetime(IKE_PROTOCOL)), self.lifetimes.get_mut(from))
            {
                known.get_or_insert(seconds);
            }
            if from == 1 {
                let group = offer.transforms.iter().find_map(|transform| transform.group(IKE_PROTOCOL));
                self.group = self.group.or(group);
            }
            if let (Some(spi), false) = (offer.ike_spi, captured.is_response()) {
                self.rekeyed = Some((at, spi));
            }
        }
    }
}
