//! One SA with its keys: verify first, then decrypt (RFC 4303 section 3.4.4).

use std::fmt;
use std::ops::Range;

use super::cbc_cipher::CipherState;
use super::combined::Combined;
use super::hmac_mac::MacState;
use super::keys::SaRecord;
use super::suite::{Encryption, Integrity, IntegrityRow, Mac, integrity_row};

/// SPI and sequence number (RFC 4303 section 2).
const HEADER: usize = 8;
/// Pad Length and Next Header.
const TRAILER: usize = 2;
/// High halves of the sequence number that are tried when nothing better is known: 0 to this.
const GUESSED_HIGH: u32 = 3;

/// Next headers that a packet without an ICV may have: what occurs below IP. Anything else is taken for the
/// garbage that a wrong key gives.
const PLAUSIBLE_NEXT_HEADERS: [u8; 15] = [1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 59, 89, 108, 115, 132];

/// Keys of one SA, made ready at load.
///
/// In this order, and beginning with a cache line, so that the usual suites reach over five lines and no more.
#[repr(C, align(64))]
pub(super) struct Keyed {
    integrity: &'static IntegrityRow,
    /// Another ICV length for the same key.
    also: Option<&'static IntegrityRow>,
    high: u32,
    extended: Option<bool>,
    block: u8,
    iv: u8,
    mac: Option<MacState>,
    cipher: CipherState,
}

/// What verified last for one SA. It decides what is tried first, not what is accepted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    known: bool,
    other_icv: bool,
    high: Option<u32>,
}

impl Memory {
    pub(super) fn touch(&self) -> usize {
        usize::from(self.known)
    }
}

/// What came out of a packet.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) next_header: u8,
    /// Where the payload is in the output.
    pub(super) payload: Range<usize>,
    pub(super) integrity: &'static IntegrityRow,
    pub(super) high: Option<u32>,
    pub(super) padding_ok: bool,
    pub(super) iv: u8,
}

/// Why a packet did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    BadIcv,
    BadPadding,
    TooShort { needed: usize, available: usize },
}

impl Keyed {
    /// Octets of IV and ICV.
    pub(super) fn lengths(&self) -> (usize, usize) {
        (self.iv.into(), self.integrity.icv)
    }

    /// Computes schedules and keyed states; `None` if an algorithm cannot be computed.
    pub(super) fn new(record: &SaRecord) -> Option<Self> {
        let (Encryption::Known(encryption), Integrity::Known(integrity)) =
            (&record.encryption, &record.integrity)
        else {
            return None;
        };
        // A combined mode brings its own row.
        let integrity = encryption.integrity().unwrap_or(integrity);
        let mac = match integrity.mac {
            None | Some(Mac::Combined) => None,
            Some(mac) => Some(MacState::new(mac, &record.integrity_key)?),
        };
        Some(Self {
            cipher: CipherState::new(encryption, &record.encryption_key)?,
            mac,
            integrity,
            also: integrity.also_tried.and_then(integrity_row),
            block: encryption.block,
            iv: encryption.iv,
            extended: record.extended_sequence,
            high: record.sequence_high,
        })
    }

    /// Reads a little here and there, so that the keys are near when they are needed.
    pub(super) fn touch(&self) -> usize {
        let mac = usize::from(self.mac.is_some());
        self.integrity.icv ^ mac ^ self.cipher.touch()
    }

    /// Whether an ICV proves that a packet belongs to this SA.
    pub(super) fn has_mac(&self) -> bool {
        self.integrity.mac.is_some()
    }

    /// Appends the plaintext of `packet` to `out`, which stays as it was if that fails.
    pub(super) fn open(
        &self,
        memory: &mut Memory,
        packet: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Plain, Failure> {
        if let (None, CipherState::Combined(mode)) = (&self.mac, &self.cipher) {
            return self.open_combined(mode.as_ref(), memory, packet, out);
        }
        let (integrity, high) = self.verify(memory, packet)?;
        let start = out.len();
        let opened = self.decrypt(packet, integrity, high, out);
        if opened.is_none() {
            out.truncate(start);
        }
        opened.ok_or(Failure::BadPadding)
    }

    /// The same for a combined mode, which verifies and decrypts in one.
    fn open_combined(
        &self,
        mode: &dyn Combined,
        memory: &mut Memory,
        packet: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Plain, Failure> {
        let start = out.len();
        let Parts { header, iv, body, icv } = self.parts(packet).ok_or_else(|| self.too_short(packet))?;
        let mut attempt = |high: Option<u32>| {
            out.truncate(start);
            out.extend_from_slice(body);
            let aad = Authenticated::new(header, high);
            out.get_mut(start..).is_some_and(|data| mode.open(iv, aad.octets(), data, icv))
        };
        let first = if memory.known { memory.high } else { self.first_high() };
        let high = if attempt(first) {
            Some(first)
        } else {
            let others = self.highs(memory.high).into_iter().filter(|high| *high != first);
            others.into_iter().find(|high| attempt(*high))
        };
        let Some(high) = high else {
            out.truncate(start);
            return Err(Failure::BadIcv);
        };
        *memory = Memory { known: true, high, ..*memory };
        let plain = self.trailer(start, self.integrity, high, out);
        if plain.is_none() {
            out.truncate(start);
        }
        plain.ok_or(Failure::BadPadding)
    }

    /// Header, IV, sealed payload and ICV of a combined mode.
    fn parts<'a>(&self, packet: &'a [u8]) -> Option<Parts<'a>> {
        let (sealed, icv) = self.split(packet, self.integrity)?;
        let (header, rest) = sealed.split_first_chunk()?;
        let (iv, body) = rest.split_first_chunk()?;
        Some(Parts { header, iv, body, icv })
    }

    /// The shortest packet with this ICV: one block, or the trailer alone.
    fn needed(&self, integrity: &IntegrityRow) -> usize {
        let (iv, block) = (usize::from(self.iv), usize::from(self.block));
        HEADER.saturating_add(iv).saturating_add(block.max(TRAILER)).saturating_add(integrity.icv)
    }

    fn split<'a>(&self, packet: &'a [u8], integrity: &IntegrityRow) -> Option<(&'a [u8], &'a [u8])> {
        if packet.len() < self.needed(integrity) {
            return None;
        }
        packet.split_at_checked(packet.len().checked_sub(integrity.icv)?)
    }

    /// Finds the ICV length and high half with which the ICV is right.
    #[inline]
    fn verify(
        &self,
        memory: &mut Memory,
        packet: &[u8],
    ) -> Result<(&'static IntegrityRow, Option<u32>), Failure> {
        let Some(mac) = &self.mac else {
            return match self.split(packet, self.integrity) {
                Some(_) => Ok((self.integrity, None)),
                None => Err(self.too_short(packet)),
            };
        };
        let first = match (memory.other_icv, self.also) {
            (true, Some(also)) => also,
            _ => self.integrity,
        };
        let high = if memory.known { memory.high } else { self.first_high() };
        if let Some((data, icv)) = self.split(packet, first)
            && mac.verify(data, high, icv)
        {
            *memory = Memory { known: true, high, ..*memory };
            return Ok((first, high));
        }
        self.search(mac, memory, packet)
    }

    /// All variants in turn.
    #[cold]
    fn search(
        &self,
        mac: &MacState,
        memory: &mut Memory,
        packet: &[u8],
    ) -> Result<(&'static IntegrityRow, Option<u32>), Failure> {
        let highs = self.highs(memory.high);
        let mut long_enough = false;
        for (other_icv, integrity) in [(false, Some(self.integrity)), (true, self.also)] {
            let Some(integrity) = integrity else { continue };
            let Some((data, icv)) = self.split(packet, integrity) else { continue };
            long_enough = true;
            if let Some(high) = mac.find_high(data, &highs, icv) {
                *memory = Memory { known: true, other_icv, high };
                return Ok((integrity, high));
            }
        }
        Err(if long_enough { Failure::BadIcv } else { self.too_short(packet) })
    }

    fn too_short(&self, packet: &[u8]) -> Failure {
        let needed = [Some(self.integrity), self.also]
            .into_iter()
            .flatten()
            .map(|row| self.needed(row))
            .min()
            .unwrap_or(0);
        Failure::TooShort { needed, available: packet.len() }
    }

    fn first_high(&self) -> Option<u32> {
        (self.extended == Some(true)).then_some(self.high)
    }

    /// High halves to try, the likely ones first. A capture would need 2³² packets of one SA to leave this
    /// list behind, and `last` follows even then.
    fn highs(&self, last: Option<u32>) -> Vec<Option<u32>> {
        let mut highs = Vec::with_capacity(12);
        if self.extended != Some(true) {
            highs.push(None);
        }
        if self.extended == Some(false) {
            return highs;
        }
        let near = |high: u32| [Some(high), high.checked_add(1), high.checked_sub(1)];
        let last = last.into_iter().flat_map(near);
        for high in
            last.chain([Some(self.high), Some(0)]).chain(near(self.high)).chain((0..=GUESSED_HIGH).map(Some))
        {
            if high.is_some() && !highs.contains(&high) {
                highs.push(high);
            }
        }
        highs
    }

    fn decrypt(
        &self,
        packet: &[u8],
        integrity: &'static IntegrityRow,
        high: Option<u32>,
        out: &mut Vec<u8>,
    ) -> Option<Plain> {
        let (sealed, _) = self.split(packet, integrity)?;
        let (iv, body) = sealed.get(HEADER..)?.split_at_checked(self.iv.into())?;
        let start = out.len();
        out.extend_from_slice(body);
        if !self.cipher.decrypt(iv, out.get_mut(start..)?) {
            return None;
        }
        self.trailer(start, integrity, high, out)
    }

    /// Takes the trailer off what is decrypted.
    #[inline]
    fn trailer(
        &self,
        start: usize,
        integrity: &'static IntegrityRow,
        high: Option<u32>,
        out: &[u8],
    ) -> Option<Plain> {
        let plain = out.get(start..)?;
        let [content @ .., pad_length, next_header] = plain else { return None };
        let (pad_length, next_header) = (*pad_length, *next_header);
        let (payload, padding) =
            content.split_at_checked(content.len().checked_sub(usize::from(pad_length))?)?;
        let padding_ok = is_counting(padding);
        if integrity.mac.is_none() {
            // RFC 4303 section 2.4: the trailer ends on a multiple of four octets.
            let aligned = plain.len().is_multiple_of(4);
            if !padding_ok || !aligned || !PLAUSIBLE_NEXT_HEADERS.contains(&next_header) {
                return None;
            }
        }
        let end = start.checked_add(payload.len())?;
        Some(Plain { next_header, payload: start..end, integrity, high, padding_ok, iv: self.iv })
    }
}

/// A packet of a combined mode.
struct Parts<'a> {
    header: &'a [u8; HEADER],
    iv: &'a [u8; 8],
    body: &'a [u8],
    icv: &'a [u8],
}

/// What a combined mode authenticates besides the payload: SPI and sequence number, an extended one whole
/// (RFC 4106 section 5).
struct Authenticated {
    octets: [u8; 12],
    length: usize,
}

impl Authenticated {
    fn new([a, b, c, d, e, f, g, h]: &[u8; HEADER], high: Option<u32>) -> Self {
        match high.map(u32::to_be_bytes) {
            None => Self { octets: [*a, *b, *c, *d, *e, *f, *g, *h, 0, 0, 0, 0], length: HEADER },
            Some([w, x, y, z]) => Self { octets: [*a, *b, *c, *d, w, x, y, z, *e, *f, *g, *h], length: 12 },
        }
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// Whether padding is 1, 2, 3 … (RFC 4303 section 2.4).
fn is_counting(padding: &[u8]) -> bool {
    padding.iter().zip(1u8..).all(|(octet, count)| *octet == count)
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("integrity", &self.integrity.name).finish_non_exhaustive()
    }
}
