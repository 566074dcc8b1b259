//! What an IKE message needs to know of those before it: the negotiation and the chained initialization vectors of IKEv1
//! (RFC 2409 section 5 and appendix B), and fragments (RFC 7383).

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use crate::field::{Bound, Cursor, Nothing, Short};
use crate::ipsec::ike_keys::{IkeKeys, IkeSealed, V1Cipher, v1_vector};
use crate::ipsec::suite::Hash;

use super::super::layers::Ike;
use super::{PROPOSAL, TRANSFORM, chain, sense};

/// IKEv1 SAs that are remembered; the one that was silent longest gives up its place.
const MOST_SAS: usize = 4096;
/// Exchanges of phase 2 that one SA remembers.
const MOST_EXCHANGES: usize = 32;
/// Messages of one exchange that are remembered, so that one that is sent again is opened like the first.
const MOST_MESSAGES: usize = 8;
/// The largest public value of a Diffie-Hellman group: 8192 bits.
const MOST_PUBLIC: usize = 1024;
/// Messages that wait for fragments.
const MOST_WAITING: usize = 64;
/// Fragments of one message.
const MOST_FRAGMENTS: usize = 255;
/// Octets of one message in fragments.
const MOST_OCTETS: usize = 1 << 18;

/// What earlier messages taught.
#[derive(Debug, Default)]
pub struct IkeState {
    sas: HashMap<u64, Phase1>,
    waiting: HashMap<FragmentKey, Waiting>,
    clock: u64,
    pushed_out: [u64; 2],
}

/// One IKEv1 SA.
#[derive(Debug, Default)]
struct Phase1 {
    cipher: Option<V1Cipher>,
    hash: Option<Hash>,
    /// Whether the responder has chosen.
    chosen: bool,
    /// g^xi and g^xr, in the order they were sent.
    public: Vec<Vec<u8>>,
    first: Exchange,
    later: VecDeque<(u32, Exchange)>,
    used: u64,
}

/// The chain of one exchange: what each message leaves to the next.
#[derive(Debug, Default, Clone)]
struct Exchange {
    /// The last block of the message that was opened last.
    next: Option<Vec<u8>>,
    /// Of each message its last block, and the vector it was opened with.
    messages: VecDeque<(Vec<u8>, Option<Vec<u8>>)>,
}

/// What fragments of one message have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FragmentKey {
    pub spis: (u64, u64),
    pub version: u8,
    /// Whose it is, of IKEv2.
    pub from_initiator: bool,
    /// The Message ID, or the fragment ID of IKEv1.
    pub id: u32,
}

/// One fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    /// Counted from 1.
    pub number: u16,
    /// How many there are, if it says so.
    pub total: Option<u16>,
    /// The type of the first payload inside, which the first fragment tells.
    pub kind: u8,
    pub octets: &'a [u8],
}

#[derive(Debug, Default)]
struct Waiting {
    parts: BTreeMap<u16, Vec<u8>>,
    total: Option<u16>,
    kind: u8,
    octets: usize,
    since: u64,
}

impl IkeState {
    fn tick(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    /// How many IKEv1 SAs, and how many messages that waited for fragments, gave up their place to newer ones.
    pub fn pushed_out(&self) -> [u64; 2] {
        self.pushed_out
    }

    /// How many messages wait for fragments.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn sa(&mut self, cookie: u64) -> &mut Phase1 {
        if self.sas.len() >= MOST_SAS && !self.sas.contains_key(&cookie) {
            let oldest = self.sas.iter().min_by_key(|(_, sa)| sa.used).map(|(cookie, _)| *cookie);
            oldest.and_then(|cookie| self.sas.remove(&cookie));
            self.pushed_out[0] = self.pushed_out[0].saturating_add(1);
        }
        let used = self.tick();
        let sa = self.sas.entry(cookie).or_default();
        sa.used = used;
        sa
    }

    /// Learns from the body of a Security Association payload which cipher and hash were chosen.
    pub(super) fn learn_proposal(&mut self, ike: &Ike, body: &[u8]) {
        let sa = self.sa(ike.initiator_spi);
        // The initiator offers, the responder chooses; without the answer the first offer is the likely one.
        let answer = ike.responder_spi != 0;
        if sa.chosen || (!answer && sa.cipher.is_some()) {
            return;
        }
        let (cipher, hash) = first_transform(body);
        if cipher.is_some() && hash.is_some() {
            (sa.cipher, sa.hash, sa.chosen) = (cipher, hash, answer);
        }
    }

    /// Learns a public value: the initiator's comes first.
    pub(super) fn learn_public(&mut self, ike: &Ike, value: &[u8]) {
        let public = &mut self.sa(ike.initiator_spi).public;
        let new = !public.iter().any(|known| known == value);
        if new && public.len() < 2 && value.len() <= MOST_PUBLIC {
            public.push(value.to_vec());
        }
    }

    /// Opens an encrypted message of IKEv1 into `out`; tells where its payloads end.
    pub(super) fn open(
        &mut self,
        keys: &IkeKeys,
        ike: &Ike,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, IkeSealed> {
        let sa = self.sa(ike.initiator_spi);
        let (Some(cipher), Some(hash)) = (sa.cipher, sa.hash) else { return Err(IkeSealed::NotNegotiated) };
        let begin = sa.begin(ike.message_id, cipher, hash);
        let exchange = sa.exchange(ike.message_id);
        let last = sealed.len().checked_sub(cipher.block()).and_then(|at| sealed.get(at..));
        let last = last.ok_or(IkeSealed::TooShort)?;
        let vectors = exchange.vectors(last, begin);
        let opened = keys.open_v1(ike.initiator_spi, cipher, &vectors, sealed, out, |plain| {
            sense(plain, ike.next_payload, 1)
        });
        let vector = opened.as_ref().ok().and_then(|(at, _)| vectors.get(*at)).cloned();
        exchange.note(last, vector);
        opened.map(|(_, end)| end)
    }

    /// Takes a fragment; the whole message and the type of its first payload when all are there.
    pub(super) fn fragment(
        &mut self,
        key: FragmentKey,
        fragment: Fragment<'_>,
        out: &mut Vec<u8>,
    ) -> Option<u8> {
        if self.waiting.len() >= MOST_WAITING && !self.waiting.contains_key(&key) {
            let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(key, _)| *key);
            oldest.and_then(|key| self.waiting.remove(&key));
            self.pushed_out[1] = self.pushed_out[1].saturating_add(1);
        }
        let since = self.tick();
        let waiting = self.waiting.entry(key).or_insert_with(|| Waiting { since, ..Waiting::default() });
        // RFC 7383 section 2.6: a sender may begin anew with smaller fragments.
        if fragment.total.is_some_and(|total| waiting.total.is_some_and(|known| known != total)) {
            *waiting = Waiting { since, ..Waiting::default() };
        }
        waiting.total = waiting.total.or(fragment.total);
        if fragment.number == 1 {
            waiting.kind = fragment.kind;
        }
        let octets = waiting.octets.saturating_add(fragment.octets.len());
        if fragment.number == 0 || waiting.parts.len() >= MOST_FRAGMENTS || octets > MOST_OCTETS {
            return None;
        }
        if !waiting.parts.contains_key(&fragment.number) {
            waiting.octets = octets;
            waiting.parts.insert(fragment.number, fragment.octets.to_vec());
        }
        let total = usize::from(waiting.total?);
        let whole = waiting.parts.len() == total && waiting.parts.keys().copied().eq(1..=waiting.total?);
        if !whole {
            return None;
        }
        let waiting = self.waiting.remove(&key)?;
        out.clear();
        out.extend(waiting.parts.values().flatten());
        Some(waiting.kind)
    }
}

impl Phase1 {
    /// The vector of the first encrypted message of an exchange (RFC 2409 appendix B).
    fn begin(&self, message_id: u32, cipher: V1Cipher, hash: Hash) -> Option<Vec<u8>> {
        let of_phase_1 = || match self.public.as_slice() {
            [initiator, responder] => Some(v1_vector(hash, cipher, &[initiator, responder])),
            _ => None,
        };
        if message_id == 0 {
            return of_phase_1();
        }
        let last = self.first.next.clone().or_else(of_phase_1)?;
        Some(v1_vector(hash, cipher, &[&last, &message_id.to_be_bytes()]))
    }

    fn exchange(&mut self, message_id: u32) -> &mut Exchange {
        if message_id == 0 {
            return &mut self.first;
        }
        // The exchange that was used last is in front.
        let at = self.later.iter().position(|(id, _)| *id == message_id);
        let exchange = at.and_then(|at| self.later.remove(at)).map(|(_, exchange)| exchange);
        self.later.truncate(MOST_EXCHANGES.saturating_sub(1));
        self.later.push_front((message_id, exchange.unwrap_or_default()));
        self.later.front_mut().map_or(&mut self.first, |(_, exchange)| exchange)
    }
}

impl Exchange {
    /// The vectors that a message with this last block may have been sealed with, the likely ones first.
    fn vectors(&self, last: &[u8], begin: Option<Vec<u8>>) -> Vec<Vec<u8>> {
        let again =
            self.messages.iter().find(|(block, _)| block == last).and_then(|(_, vector)| vector.clone());
        // Messages that were not opened, or that the capture has out of order, may have gone before all the same.
        let others = self.messages.iter().rev().map(|(block, _)| block.clone());
        let mut vectors: Vec<Vec<u8>> = Vec::new();
        for vector in again.into_iter().chain(self.next.clone()).chain(begin).chain(others) {
            if !vectors.contains(&vector) {
                vectors.push(vector);
            }
        }
        vectors
    }

    /// Remembers a message, and with which vector it was opened.
    fn note(&mut self, last: &[u8], vector: Option<Vec<u8>>) {
        if self.messages.iter().any(|(block, known)| block == last && known.is_some()) {
            return;
        }
        if vector.is_some() {
            self.next = Some(last.to_vec());
        }
        self.messages.retain(|(block, _)| block != last);
        if self.messages.len() >= MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back((last.to_vec(), vector));
    }
}

/// Octets of DOI and Situation before the proposals (RFC 2407 section 4.6.1).
const BEFORE_PROPOSALS: usize = 8;
/// Attributes of RFC 2409 appendix A.
const ENCRYPTION_ALGORITHM: u16 = 1;
const HASH_ALGORITHM: u16 = 2;
const KEY_LENGTH: u16 = 14;

/// Cipher and hash of the first transform.
fn first_transform(body: &[u8]) -> (Option<V1Cipher>, Option<Hash>) {
    let mut found = None;
    let mut nothing = Nothing;
    let proposals = body.get(BEFORE_PROPOSALS..).unwrap_or_default();
    let mut c = Cursor::new(proposals, 0, 0, Bound::Capture, false, &mut nothing);
    // What breaks its format is told where it is shown.
    let _ = chain(&mut c, false, PROPOSAL, &mut |c, _| {
        let rest = c.peek_rest();
        let spi = rest.get(2).copied().map_or(0, usize::from);
        transforms(rest.get(spi.saturating_add(4)..).unwrap_or_default(), &mut found)
    });
    found.unwrap_or_default()
}

fn transforms(octets: &[u8], found: &mut Option<(Option<V1Cipher>, Option<Hash>)>) -> Result<(), Short> {
    let mut nothing = Nothing;
    let mut c = Cursor::new(octets, 0, 0, Bound::Capture, false, &mut nothing);
    chain(&mut c, false, TRANSFORM, &mut |c, _| {
        found.get_or_insert_with(|| algorithms(c.peek_rest().get(4..).unwrap_or_default()));
        Ok(())
    })
}

fn algorithms(mut attributes: &[u8]) -> (Option<V1Cipher>, Option<Hash>) {
    let (mut cipher, mut hash, mut length) = (None, None, None);
    while let Some(([k0, k1, v0, v1], rest)) = attributes.split_first_chunk() {
        let (kind, value) = (u16::from_be_bytes([*k0, *k1]), u16::from_be_bytes([*v0, *v1]));
        // Without the AF bit the value follows, which none of these three has.
        attributes = if kind & 0x8000 == 0 { rest.get(value.into()..).unwrap_or_default() } else { rest };
        match kind & 0x7fff {
            _ if kind & 0x8000 == 0 => {}
            ENCRYPTION_ALGORITHM => cipher = Some(value),
            HASH_ALGORITHM => hash = Some(value),
            KEY_LENGTH => length = Some(usize::from(value >> 3)),
            _ => {}
        }
    }
    let cipher = match cipher {
        Some(1) => Some(V1Cipher::Des),
        Some(5) => Some(V1Cipher::TripleDes),
        Some(7) => Some(V1Cipher::Aes(length)),
        _ => None,
    };
    let hash = match hash {
        Some(1) => Some(Hash::Md5),
        Some(2) => Some(Hash::Sha1),
        Some(4) => Some(Hash::Sha256),
        Some(5) => Some(Hash::Sha384),
        Some(6) => Some(Hash::Sha512),
        _ => None,
    };
    (cipher, hash)
}
