//! Opening an ESP packet: find the SA, verify, decrypt, take off the trailer (RFC 4303 section 3.4).

use std::net::IpAddr;
use std::ops::Range;

use hashbrown::HashSet;

use super::keyed::{Failure, Keyed, Memory, Plain};
use super::sa::{SaId, Spi};
use super::sad::{Sad, Slot};

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// It is open.
    Opened {
        /// The SA whose keys fit.
        sa: SaId,
        /// Protocol number of the payload (RFC 4303 section 2.6).
        next_header: u8,
        /// Where the payload is in the output; padding, pad length and next header follow it up to the end.
        payload: Range<usize>,
        /// Whether an ICV proved the packet; else only its padding and next header were plausible.
        icv_checked: bool,
        /// Report name of the integrity algorithm that verified: `hmac-sha256-96` for an SA that claims
        /// `hmac-sha256-128` if that is what its packets have.
        integrity: &'static str,
        /// Length of the IV in octets.
        iv_length: usize,
        /// Length of the ICV in octets.
        icv_length: usize,
        /// High half of the sequence number that verified; `None`: the number has 32 bits, or nothing
        /// verified it.
        high: Option<u32>,
        /// Whether the padding is 1, 2, 3 … (RFC 4303 section 2.4).
        padding_ok: bool,
    },
    /// No SA has this SPI.
    NoKey,
    /// The ICV is wrong with every key for this SPI.
    BadIcv {
        /// The first SA that was tried.
        sa: SaId,
    },
    /// The padding or the next header is impossible: a wrong key if there is no ICV, else a broken sender.
    BadPadding {
        /// The first SA that was tried.
        sa: SaId,
    },
    /// The packet cannot hold what the SA's algorithms need.
    TooShort {
        /// The first SA that was tried.
        sa: SaId,
        /// The shortest packet of this SA, in octets from the SPI on.
        needed: usize,
        /// What there is.
        available: usize,
    },
    /// The only SAs with this SPI have algorithms that cannot be computed.
    Unsupported {
        /// The first of them.
        sa: SaId,
    },
}

/// What one worker remembers so that the usual packet costs one look-up and one MAC.
///
/// It changes what is tried first, never what is accepted. One may be used with one [`Sad`] only, and with those to which
/// its keys grew.
#[derive(Debug, Default)]
pub struct Hints {
    /// By [`SaId`].
    memories: Vec<Memory>,
    /// By [`Slot::start`], for lists: which member opened the last packet.
    winners: Vec<u32>,
    /// SPIs without a key, where somebody asks for them.
    strangers: Option<HashSet<Spi>>,
}

/// SPIs without a key that are remembered until they are taken: more at a time is a flood.
const MOST_STRANGERS: usize = 1024;

impl Hints {
    /// Nothing remembered, with room for the SAs of `sad`.
    pub fn new(sad: &Sad) -> Self {
        Self {
            memories: vec![Memory::default(); sad.len()],
            winners: vec![0; sad.members.len()],
            strangers: None,
        }
    }

    /// Goes on with `sad`, which has the SAs of the one before in the same places, and more.
    pub fn grow(&mut self, sad: &Sad) {
        self.memories.resize(sad.len(), Memory::default());
        self.winners = vec![0; sad.members.len()];
    }

    /// Remembers from now on SPIs without a key, for [`strangers`](Self::strangers).
    pub fn watch(&mut self) {
        self.strangers.get_or_insert_default();
    }

    /// The SPIs without a key of the packets since the last call.
    pub fn strangers(&mut self) -> impl Iterator<Item = Spi> {
        self.strangers.iter_mut().flat_map(HashSet::drain)
    }

    fn note_stranger(&mut self, spi: Spi) {
        if let Some(strangers) = &mut self.strangers
            && strangers.len() < MOST_STRANGERS
        {
            strangers.insert(spi);
        }
    }
}

/// The first thing that went wrong; what comes later matters less.
struct Verdict(Option<Opening>);

impl Verdict {
    fn note(&mut self, opening: Opening) {
        match self.0 {
            None => self.0 = Some(opening),
            // Any SA that can be computed says more than one that cannot.
            Some(Opening::Unsupported { .. }) if !matches!(opening, Opening::Unsupported { .. }) => {
                self.0 = Some(opening);
            }
            Some(_) => {}
        }
    }
}

/// What [`Sad::foresee`] works with, reused from call to call.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    packets: Vec<(Spi, IpAddr)>,
    slots: Vec<Slot>,
}

/// With fewer SAs than this all keys are in the caches anyway. Tests look ahead always.
const FEW: usize = if cfg!(debug_assertions) { 0 } else { 256 };

impl Sad {
    /// Whether [`Sad::foresee`] is worth its time.
    pub(crate) fn is_large(&self) -> bool {
        self.len() > FEW
    }

    /// Has the keys of packets that will be opened soon come nearer, so that the waits for memory pass together.
    pub(crate) fn foresee(
        &self,
        hints: &Hints,
        packets: impl Iterator<Item = (Spi, IpAddr)>,
        ahead: &mut Ahead,
    ) {
        let Ahead { packets: named, slots } = ahead;
        named.clear();
        named.extend(packets);
        slots.clear();
        slots.extend(named.iter().filter_map(|(spi, destination)| self.exact.get(*spi, *destination)));
        let mut sum = 0;
        for slot in slots.iter().filter(|slot| slot.length == 1) {
            let id = SaId(slot.start);
            sum ^= self.keyed(id).map_or(0, Keyed::touch);
            sum ^= hints.memories.get(id.index()).map_or(0, Memory::touch);
        }
        std::hint::black_box(sum);
    }

    /// Opens the ESP packet `packet` (from the SPI to the end of the ICV) and appends its plaintext to `out`.
    ///
    /// SAs for this SPI and destination are tried first, then those with the same SPI and other addresses (a
    /// NAT may stand between the capture and the host that printed the keys), then those with patterns. `out`
    /// keeps its length unless the packet opens. Nothing is decrypted before its ICV is right.
    pub fn open(
        &self,
        hints: &mut Hints,
        spi: Spi,
        source: IpAddr,
        destination: IpAddr,
        packet: &[u8],
        out: &mut Vec<u8>,
    ) -> Opening {
        let mut verdict = Verdict(None);
        let exact = self.exact.get(spi, destination);
        if let Some(slot) = exact
            && let Some(opened) = self.open_slot(slot, hints, packet, out, &mut verdict, |_| true)
        {
            return opened;
        }
        self.open_elsewhere(hints, (spi, source, destination), exact.is_some(), packet, out, verdict)
    }

    /// The SAs which addresses do not lead to.
    fn open_elsewhere(
        &self,
        hints: &mut Hints,
        (spi, source, destination): (Spi, IpAddr, IpAddr),
        had_exact: bool,
        packet: &[u8],
        out: &mut Vec<u8>,
        mut verdict: Verdict,
    ) -> Opening {
        // An SA of another destination must prove itself if there is one for this destination.
        let may = |id: SaId| {
            let elsewhere = self.get(id).and_then(|sa| sa.destination);
            match elsewhere {
                Some(other) if other == destination => false,
                Some(_) if had_exact => self.keyed(id).is_some_and(super::keyed::Keyed::has_mac),
                _ => true,
            }
        };
        if let Some(slot) = self.by_spi.get(&spi).copied()
            && let Some(opened) = self.open_slot(slot, hints, packet, out, &mut verdict, may)
        {
            return opened;
        }
        for wildcard in &self.wildcards {
            if wildcard.spi.fits(spi)
                && wildcard.source.fits(source)
                && wildcard.destination.fits(destination)
            {
                match self.open_with(wildcard.sa, hints, packet, out) {
                    opened @ Opening::Opened { .. } => return opened,
                    other => verdict.note(other),
                }
            }
        }
        verdict.0.unwrap_or_else(|| {
            hints.note_stranger(spi);
            Opening::NoKey
        })
    }

    /// Tries the SAs of a list, the last winner first.
    #[inline]
    fn open_slot(
        &self,
        slot: Slot,
        hints: &mut Hints,
        packet: &[u8],
        out: &mut Vec<u8>,
        verdict: &mut Verdict,
        may: impl Fn(SaId) -> bool,
    ) -> Option<Opening> {
        if slot.length == 1 {
            let id = SaId(slot.start);
            if !may(id) {
                return None;
            }
            return match self.open_with(id, hints, packet, out) {
                opened @ Opening::Opened { .. } => Some(opened),
                other => {
                    verdict.note(other);
                    None
                }
            };
        }
        let start = usize::try_from(slot.start).ok()?;
        let end = start.checked_add(usize::try_from(slot.length).ok()?)?;
        let members = self.members.get(start..end)?;
        let winner =
            hints.winners.get(start).copied().map_or(0, |winner| usize::try_from(winner).unwrap_or(0));
        // Only a proof may be taken out of turn: without an ICV two SAs may both look right.
        let early =
            members.get(winner).filter(|id| winner != 0 && self.keyed(**id).is_some_and(|k| k.has_mac()));
        if let Some(id) = early
            && may(*id)
            && let opened @ Opening::Opened { .. } = self.open_with(*id, hints, packet, out)
        {
            return Some(opened);
        }
        for (place, id) in (0u32..).zip(members).filter(|(_, id)| may(**id)) {
            match self.open_with(*id, hints, packet, out) {
                opened @ Opening::Opened { .. } => {
                    if let Some(winner) = hints.winners.get_mut(start) {
                        *winner = place;
                    }
                    return Some(opened);
                }
                other => verdict.note(other),
            }
        }
        None
    }

    #[inline]
    fn open_with(&self, sa: SaId, hints: &mut Hints, packet: &[u8], out: &mut Vec<u8>) -> Opening {
        let Some(keyed) = self.keyed(sa) else {
            return Opening::Unsupported { sa };
        };
        let mut nothing = Memory::default();
        let memory = hints.memories.get_mut(sa.index()).unwrap_or(&mut nothing);
        match keyed.open(memory, packet, out) {
            Ok(Plain { next_header, payload, integrity, high, padding_ok, iv }) => Opening::Opened {
                sa,
                next_header,
                payload,
                icv_checked: integrity.mac.is_some(),
                integrity: integrity.name,
                iv_length: iv.into(),
                icv_length: integrity.icv,
                high,
                padding_ok,
            },
            Err(Failure::BadIcv) => Opening::BadIcv { sa },
            Err(Failure::BadPadding) => Opening::BadPadding { sa },
            Err(Failure::TooShort { needed, available }) => Opening::TooShort { sa, needed, available },
        }
    }
}
