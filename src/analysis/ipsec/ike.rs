//! IKE SAs as their messages show them: who, which exchanges, how it came out (RFC 2408, RFC 7296).

use std::net::IpAddr;

use crate::dissect::ike::contents::{Contents, ESP_PROTOCOL, IKE_PROTOCOL, Offer, Selector};
use crate::dissect::ike::{NO_PROPOSAL_CHOSEN, exchange_name};
use crate::dissect::layers::{Addresses, Ike};
use crate::ipsec::Spi;
use crate::util::Timestamp;

use crate::analysis::bump;

/// Exchanges of one IKE SA that are kept.
const MOST_EXCHANGES: usize = 128;
/// Child SAs of one IKE SA that are kept.
const MOST_CHILDREN: usize = 64;
/// Proposals of one end that are kept.
const MOST_OFFERS: usize = 16;
/// SPIs deleted by one IKE SA that are kept.
const MOST_DELETED: usize = 128;

/// IKEv2: no key that fits (RFC 7296 section 3.10.1), and the same number in IKEv1.
const AUTHENTICATION_FAILED: u16 = 24;
const R_U_THERE: u16 = 36136;
const R_U_THERE_ACK: u16 = 36137;
const INVALID_KE_PAYLOAD: u16 = 17;

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
    /// Names of exchanges in the order they began.
    pub exchanges: Vec<&'static str>,
    /// Each exchange.
    pub rows: Vec<Exchange>,
    /// Messages.
    pub messages: u64,
    /// Messages of each end: initiator, responder.
    pub sent: [u64; 2],
    /// The responder refused all proposals, in this packet.
    pub no_proposal_chosen: Option<u64>,
    /// The responder asked for another Diffie-Hellman group, in this packet.
    pub invalid_ke: Option<u64>,
    /// A refusal of the authentication that is in the clear or was opened: packet, and which end sent it.
    pub auth_failed: Option<(u64, usize)>,
    /// Any other refusal: packet, which end sent it, and its number.
    pub refusal: Option<(u64, usize, u16)>,
    /// Encrypted main mode messages of each end: 5 by the initiator, 6 by the responder (RFC 2409 section 5).
    pub proofs: [u64; 2],
    /// Informational messages of each end.
    pub informational: [u64; 2],
    /// A request that was sent again and again, and not answered.
    pub pending: Option<Pending>,
    /// What each end proposed or chose for the IKE SA, in words.
    pub proposals: [Vec<String>; 2],
    /// The Diffie-Hellman group that the responder chose.
    pub group: Option<u64>,
    /// Whether each end is behind a NAT, as the hashes of the other say.
    pub behind_nat: [Option<bool>; 2],
    /// The first message on port 4500.
    pub floated: Option<u64>,
    /// Its child SAs, as far as they can be read.
    pub children: Vec<Child>,
    /// SAs that were deleted.
    pub deleted: Vec<Deletion>,
    /// The deletion of this IKE SA itself: packet, time, by which end.
    pub ended: Option<(u64, Timestamp, usize)>,
    /// Questions whether the peer is there that were not answered (RFC 3706): how many, first and last packet, by whom.
    pub unheard: Option<Unheard>,
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

/// One exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// Its Message ID.
    pub message_id: u32,
    /// First and last packet.
    pub packets: (u64, u64),
    /// When it began, and when its last message came.
    pub times: (Timestamp, Timestamp),
    /// Messages of each end.
    pub sent: [u64; 2],
    /// Messages that were sent again.
    pub resent: u64,
    /// Which end began.
    pub from: usize,
    /// The first notification that refuses something.
    pub refusal: Option<u16>,
    /// SPIs of the child SA it made: of the initiator of the IKE SA, and of the responder.
    pub spis: [Option<Spi>; 2],
    /// SPIs it deleted, and whether the IKE SA itself.
    pub deletes: (usize, bool),
    /// Something in it could not be opened.
    pub sealed: bool,
    /// Type of the first payload and length of the last message of each end: one that is sent again has the same.
    last: [(u8, u32); 2],
}

/// A child SA.
#[derive(Debug, Clone)]
pub struct Child {
    /// The packet that completed it, and its time.
    pub made: (u64, Timestamp),
    /// The SPIs with which initiator and responder of the IKE SA receive.
    pub spis: [Option<Spi>; 2],
    /// The traffic it is to protect: as the initiator of the exchange names it first, then the responder.
    pub selectors: Vec<Selector>,
    /// Its algorithms, as chosen.
    pub suite: String,
    /// Encapsulation Mode (IKEv1).
    pub encapsulation: Option<u64>,
    /// Lifetime in seconds (IKEv1).
    pub lifetime: Option<u64>,
    message_id: u32,
}

/// SAs that one message deleted.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// The packet.
    pub packet: u64,
    /// When.
    pub time: Timestamp,
    /// Which end, whose own SPIs these are.
    pub by: usize,
    /// The SPI.
    pub spi: Spi,
}

/// Questions that were not answered.
#[derive(Debug, Clone, Copy)]
pub struct Unheard {
    /// How many since the last answer.
    pub count: u64,
    /// The first and the last packet.
    pub packets: (u64, u64),
    /// When the first was sent, and the last.
    pub times: (Timestamp, Timestamp),
    /// Which end asks.
    pub from: usize,
}

/// A request without an answer.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    message_id: u32,
    /// Which end sent it.
    pub from: usize,
    exchange: u8,
    /// How often it was sent.
    pub copies: u64,
    /// The first packet and its time.
    pub first: (u64, Timestamp),
    /// The last packet.
    pub last: u64,
}

impl Pending {
    /// The name of its exchange.
    pub fn name(&self, version: u8) -> &'static str {
        exchange_name(version, self.exchange)
    }
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
            rows: Vec::new(),
            messages: 0,
            sent: [0, 0],
            no_proposal_chosen: None,
            invalid_ke: None,
            auth_failed: None,
            refusal: None,
            proofs: [0, 0],
            informational: [0, 0],
            pending: None,
            proposals: [Vec::new(), Vec::new()],
            group: None,
            behind_nat: [None, None],
            floated: None,
            children: Vec::new(),
            deleted: Vec::new(),
            ended: None,
            unheard: None,
            quick: 0,
            auth: [false, false],
            first: (packet, time),
            last: (packet, time),
            packets: Vec::new(),
        }
    }

    /// Which end sent a message: 0 is the initiator.
    pub(crate) fn sender(&self, ike: &Ike, addresses: Addresses) -> usize {
        match ike.version {
            // The flag of IKEv2 holds where a NAT changed the address.
            2 => usize::from(ike.flags & 0x08 == 0),
            _ => usize::from(addresses.source != self.initiator),
        }
    }

    pub(crate) fn push(&mut self, ike: &Ike, addresses: Addresses, packet: u64, time: Timestamp) {
        let from = self.sender(ike, addresses);
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
        if ike.marker {
            self.floated.get_or_insert(packet);
        }
        let name = exchange_name(ike.version, ike.exchange);
        if !self.exchanges.contains(&name) && self.exchanges.len() < 16 {
            self.exchanges.push(name);
        }
        self.notifications(ike, from, packet, time);
        self.wait(ike, from, packet, time);
        self.detect_nat(&ike.contents, from);
        self.row(ike, name, from, packet, time);
        self.children(ike, from, packet, time);
        self.deletions(&ike.contents, from, packet, time);
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

    fn notifications(&mut self, ike: &Ike, from: usize, packet: u64, time: Timestamp) {
        for kind in &ike.notifies {
            match *kind {
                // What a rekey asks for is another matter.
                NO_PROPOSAL_CHOSEN if self.quick == 0 && self.children.is_empty() => {
                    self.no_proposal_chosen.get_or_insert(packet);
                }
                INVALID_KE_PAYLOAD if ike.version == 2 => {
                    self.invalid_ke.get_or_insert(packet);
                }
                AUTHENTICATION_FAILED => {
                    self.auth_failed.get_or_insert((packet, from));
                }
                R_U_THERE => {
                    let now = (packet, time);
                    let asked = self.unheard.filter(|asked| asked.from == from);
                    self.unheard = Some(match asked {
                        Some(asked) => Unheard {
                            count: asked.count.saturating_add(1),
                            packets: (asked.packets.0, packet),
                            times: (asked.times.0, time),
                            from,
                        },
                        None => Unheard { count: 1, packets: (now.0, now.0), times: (time, time), from },
                    });
                }
                R_U_THERE_ACK => self.unheard = None,
                kind if refuses(ike.version, kind) => {
                    self.refusal.get_or_insert((packet, from, kind));
                }
                _ => {}
            }
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

    fn row(&mut self, ike: &Ike, name: &'static str, from: usize, packet: u64, time: Timestamp) {
        // In IKEv2 each end counts its own requests.
        let begins =
            if ike.version == 2 && ike.flags & 0x20 != 0 { 1usize.saturating_sub(from) } else { from };
        let known = self.rows.iter().enumerate().rev().take(16).find(|(_, row)| {
            row.name == name && row.message_id == ike.message_id && (ike.version == 1 || row.from == begins)
        });
        let at = match known {
            Some((at, _)) => at,
            None if self.rows.len() >= MOST_EXCHANGES => return,
            None => {
                self.rows.push(Exchange::new(ike, name, begins, packet, time));
                self.rows.len().saturating_sub(1)
            }
        };
        let Some(row) = self.rows.get_mut(at) else { return };
        row.packets.1 = packet;
        row.times.1 = time;
        row.sealed |= ike.contents.sealed;
        let shape = (ike.next_payload, ike.length);
        if let (Some(last), Some(sent)) = (row.last.get_mut(from), row.sent.get_mut(from)) {
            if *last == shape {
                bump(&mut row.resent);
            }
            *last = shape;
            bump(sent);
        }
        if row.refusal.is_none() {
            row.refusal = ike.notifies.iter().copied().find(|kind| refuses(ike.version, *kind));
        }
        for deleted in &ike.contents.deletes {
            row.deletes.0 = row.deletes.0.saturating_add(deleted.spis.len());
            row.deletes.1 |= deleted.protocol == IKE_PROTOCOL;
        }
        if let (Some(spi), Some(own)) = (esp_spi(&ike.contents.offers), row.spis.get_mut(from)) {
            own.get_or_insert(spi);
        }
    }

    /// Proposals: of the IKE SA, and of its children with the traffic they are to protect.
    fn children(&mut self, ike: &Ike, from: usize, packet: u64, time: Timestamp) {
        let contents = &ike.contents;
        for offer in contents.offers.iter().filter(|offer| offer.protocol == IKE_PROTOCOL) {
            let words = offer.words();
            if let Some(known) = self.proposals.get_mut(from)
                && self.rows.len() <= 2
            {
                known.extend(words.into_iter().filter(|word| !word.is_empty()).take(MOST_OFFERS));
                known.dedup();
                known.truncate(MOST_OFFERS);
            }
            if from == 1 {
                let group = offer.transforms.iter().find_map(|transform| transform.group(IKE_PROTOCOL));
                self.group = self.group.or(group);
            }
        }
        let Some(offer) = contents.offers.iter().find(|offer| offer.protocol == ESP_PROTOCOL) else {
            return;
        };
        let at = self.children.iter().position(|child| child.message_id == ike.message_id);
        let at = match at {
            Some(at) => at,
            None if self.children.len() >= MOST_CHILDREN => return,
            None => {
                self.children.push(Child::new(ike.message_id, packet, time));
                self.children.len().saturating_sub(1)
            }
        };
        let Some(child) = self.children.get_mut(at) else { return };
        if let Some(own) = child.spis.get_mut(from) {
            *own = own.or(offer.spi);
        }
        child.made = (packet, time);
        if child.selectors.is_empty() || !contents.selectors.is_empty() {
            // The answer may narrow what was asked for.
            child.selectors.clone_from(&contents.selectors);
        }
        child.suite = offer.words().into_iter().next().unwrap_or_default();
        let transform = offer.transforms.first();
        child.encapsulation = transform.and_then(|transform| transform.encapsulation());
        child.lifetime = transform.and_then(|transform| transform.lifetime(ESP_PROTOCOL));
    }

    fn deletions(&mut self, contents: &Contents, by: usize, packet: u64, time: Timestamp) {
        for deleted in &contents.deletes {
            if deleted.protocol == IKE_PROTOCOL {
                self.ended.get_or_insert((packet, time, by));
            }
            for spi in &deleted.spis {
                if self.deleted.len() < MOST_DELETED && deleted.protocol == ESP_PROTOCOL {
                    self.deleted.push(Deletion { packet, time, by, spi: *spi });
                }
            }
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

    /// Whether messages show that both ends took part until a child SA could be there.
    pub fn agreed(&self) -> bool {
        self.quick >= 3 || self.auth == [true, true]
    }

    /// Who is behind a NAT, as NAT detection says: `none`, `initiator`, `responder`, `both`. `None`: it was not seen.
    pub fn nat(&self) -> Option<&'static str> {
        match self.behind_nat {
            [None, None] => None,
            [Some(true), Some(true)] => Some("both"),
            [Some(true), _] => Some("initiator"),
            [_, Some(true)] => Some("responder"),
            _ => Some("none"),
        }
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
        } else if self.auth_failed.is_some() {
            Some("authentication-failed")
        } else {
            None
        }
    }
}

impl Exchange {
    fn new(ike: &Ike, name: &'static str, from: usize, packet: u64, time: Timestamp) -> Self {
        Self {
            name,
            message_id: ike.message_id,
            packets: (packet, packet),
            times: (time, time),
            sent: [0, 0],
            resent: 0,
            from,
            refusal: None,
            spis: [None, None],
            deletes: (0, false),
            sealed: false,
            last: [(0, 0), (0, 0)],
        }
    }
}

impl Child {
    fn new(message_id: u32, packet: u64, time: Timestamp) -> Self {
        Self {
            made: (packet, time),
            spis: [None, None],
            selectors: Vec::new(),
            suite: String::new(),
            encapsulation: None,
            lifetime: None,
            message_id,
        }
    }
}

fn esp_spi(offers: &[Offer]) -> Option<Spi> {
    offers.iter().find(|offer| offer.protocol == ESP_PROTOCOL)?.spi
}

/// Whether a notification is an error (RFC 2408 section 3.14.1: 1 to 8191; RFC 7296 section 3.10.1: below 16384).
pub fn refuses(version: u8, kind: u16) -> bool {
    let limit = if version == 1 { 8192 } else { 16384 };
    kind > 0 && kind < limit
}
