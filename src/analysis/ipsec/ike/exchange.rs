//! One exchange: what was asked, how often, and whether it was answered (RFC 2408 section 5.1, RFC 7296 section 2.1).

use crate::analysis::ids::bump;
use crate::analysis::meta::At;
use crate::dissect::ike::contents::{ESP_PROTOCOL, IKE_PROTOCOL};
use crate::dissect::ike::exchange_name;
use crate::ipsec::Spi;

use super::message::{Captured, Message};
use super::phase::{Phase, awaits_answer, messages, number};
use super::refusal::refuses;

/// One exchange: the messages of one Message ID that one end began.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub phase: Phase,
    /// Its Message ID.
    pub message_id: u32,
    /// Which end began. In IKEv2 each end counts its own requests (RFC 7296 section 2.2).
    pub from: usize,
    /// Its first packet.
    pub first: At,
    /// Its last packet.
    pub last: At,
    /// Packets of each end.
    pub sent: [u64; 2],
    /// Messages that were sent again.
    pub resent: u64,
    /// Its first message, if it was captured. If several differ (IKE_SA_INIT, where a cookie or another group is asked
    /// for: RFC 7296 sections 1.2 and 2.6), the newest.
    pub request: Option<Message>,
    /// What the other end answered to it.
    pub answer: Option<Message>,
    /// The highest number of a message.
    pub reached: u8,
    /// The first notification that refuses something.
    pub refusal: Option<u16>,
    /// SPIs of the child SA it made: of the initiator of the IKE SA, and of the responder.
    pub spis: [Option<Spi>; 2],
    /// SPIs it deleted, and whether the IKE SA itself.
    pub deletes: (usize, bool),
    /// Something in it could not be opened.
    pub sealed: bool,
    /// Version and exchange type.
    kind: (u8, u8),
    /// What one end has sent since the other was last heard.
    asking: Option<Message>,
    /// The newest message of each end.
    newest: [Newest; 2],
    /// Which end sent the last packet.
    speaker: usize,
}

/// The newest message of one end, by which a copy of it is known.
#[derive(Debug, Clone, Copy, Default)]
struct Newest {
    /// 0: there is none.
    number: u8,
    digest: u64,
    in_fragments: bool,
}

/// What a packet is in its exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    New(u8),
    Copy(u8),
    /// One more part of a message in fragments.
    Part,
}

impl Exchange {
    pub(super) fn new(captured: &Captured<'_>, begun_by: usize) -> Self {
        let Captured { ike, at, .. } = captured;
        Self {
            name: exchange_name(ike.version, ike.exchange),
            phase: Phase::of(ike.version, ike.exchange),
            message_id: ike.message_id,
            from: begun_by,
            first: *at,
            last: *at,
            sent: [0, 0],
            resent: 0,
            request: None,
            answer: None,
            reached: 0,
            refusal: None,
            spis: [None, None],
            deletes: (0, false),
            sealed: false,
            kind: (ike.version, ike.exchange),
            asking: None,
            newest: [Newest::default(); 2],
            speaker: begun_by,
        }
    }

    /// Whether a message is of this exchange.
    pub(super) fn takes(&self, captured: &Captured<'_>) -> bool {
        let ike = captured.ike;
        self.kind == (ike.version, ike.exchange)
            && self.message_id == ike.message_id
            && (ike.version == 1 || self.from == captured.begun_by())
    }

    /// The message that waits for an answer: asked so many times, from its first to its last packet, since the other end
    /// was last heard in this exchange. `None` where no answer is due.
    pub fn silence(&self) -> Option<&Message> {
        let (version, exchange) = self.kind;
        self.asking.as_ref().filter(|asking| awaits_answer(version, exchange, asking.number))
    }

    /// Whether this exchange could begin only once the other one was answered: a later request of the same end of IKEv2,
    /// whose window is one request unless it says otherwise (RFC 7296 section 2.3).
    pub(super) fn shows_an_answer_to(&self, other: &Self) -> bool {
        let of_version_2 = self.kind.0 == 2 && other.kind.0 == 2;
        of_version_2 && self.from == other.from && self.message_id > other.message_id
    }

    /// All its messages came, as far as its last one tells.
    pub fn is_complete(&self) -> bool {
        let (version, exchange) = self.kind;
        self.reached >= messages(version, exchange)
    }

    /// Takes a message of this exchange. Tells what was sent, for the first time or again; `None` if it is only one more
    /// part of a message.
    pub(super) fn push(&mut self, captured: &Captured<'_>) -> Option<Message> {
        let Captured { ike, from, at } = *captured;
        self.last = at;
        self.sealed |= ike.contents.sealed;
        if let Some(sent) = self.sent.get_mut(from) {
            bump(sent);
        }
        let kind = self.kind_of(captured);
        self.speaker = from;
        self.effects(captured);
        match kind {
            Kind::Part => None,
            Kind::New(number) => {
                self.reached = self.reached.max(number);
                let newest = Newest { number, digest: ike.digest, in_fragments: captured.is_fragment() };
                if let Some(known) = self.newest.get_mut(from) {
                    *known = newest;
                }
                let message = Message::new(number, captured);
                match number {
                    1 => (self.request, self.answer) = (Some(message), None),
                    2 => self.answer = Some(message),
                    _ => {}
                }
                self.asking = Some(message);
                self.asking
            }
            Kind::Copy(number) => {
                bump(&mut self.resent);
                let same = |known: &&mut Message| known.from == from && known.number == number;
                for known in [&mut self.request, &mut self.answer] {
                    if let Some(known) = known.as_mut().filter(same) {
                        known.again(at);
                    }
                }
                match self.asking.as_mut().filter(same) {
                    Some(asking) => asking.again(at),
                    None => self.asking = Some(Message::new(number, captured)),
                }
                Some(Message::new(number, captured))
            }
        }
    }

    fn kind_of(&self, captured: &Captured<'_>) -> Kind {
        let Captured { ike, from, .. } = *captured;
        let newest = self.newest.get(from).copied().unwrap_or_default();
        let new = number(ike, from == self.from, self.reached);
        if newest.number == 0 {
            Kind::New(new)
        } else if newest.digest == ike.digest {
            Kind::Copy(newest.number)
        } else if newest.in_fragments && self.speaker == from {
            // The rest of its fragments, or the message that they make.
            Kind::Part
        } else {
            Kind::New(new)
        }
    }

    /// What it refuses, deletes and makes.
    fn effects(&mut self, captured: &Captured<'_>) {
        let Captured { ike, from, .. } = *captured;
        if self.refusal.is_none() {
            self.refusal = ike.notifies.iter().copied().find(|kind| refuses(ike.version, *kind));
        }
        for deleted in &ike.contents.deletes {
            self.deletes.0 = self.deletes.0.saturating_add(deleted.spis.len());
            self.deletes.1 |= deleted.protocol == IKE_PROTOCOL;
        }
        let offer = ike.contents.offers.iter().find(|offer| offer.protocol == ESP_PROTOCOL);
        if let (Some(spi), Some(own)) = (offer.and_then(|offer| offer.spi), self.spis.get_mut(from)) {
            own.get_or_insert(spi);
        }
    }
}
