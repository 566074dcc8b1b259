//! Encrypted messages: opened if there are keys (RFC 7296 section 3.14, RFC 7383, RFC 2409 appendix B), else shown from
//! outside.

use crate::field::{Bound, Cursor, Kind, Short, Sink, Value};
use crate::fields;
use crate::ipsec::IkeKeys;
use crate::ipsec::ike_keys::{IkeOpened, IkeSealed};

use super::super::layers::Ike;
use super::state::{Fragment, FragmentKey, IkeState};
use super::{ENCRYPTED_FRAGMENT, HEADER, PAYLOAD_BOUND, TREE, body, header, walk};

fields! {
    section "RFC 7296 3.14";
    FRAGMENT_NUMBER = "isakmp.frag.number", "Fragment Number", Kind::Dec(16), section "RFC 7383 2.5";
    FRAGMENT_TOTAL = "isakmp.frag.total", "Total Fragments", Kind::Dec(16), section "RFC 7383 2.5";
    IV = "isakmp.enc.iv", "Initialization Vector", Kind::Bytes;
    ICV = "isakmp.enc.icd", "Integrity Checksum Data", Kind::Bytes;
    ENCRYPTED = "isakmp.enc.data", "Encrypted Data", Kind::Bytes;
    DECRYPTED = "isakmp.enc.decrypted", "Decrypted Data", Kind::Bytes;
    CONTAINED = "isakmp.enc.contained", "Contained Data", Kind::Bytes;
    PADDING = "isakmp.enc.padding", "Padding", Kind::Bytes;
    PAD_LENGTH = "isakmp.enc.pad_length", "Pad Length", Kind::Dec(8);
    SEALED = "isakmp.enc.sealed", "Not opened", Kind::Dec(8), names why;
}

fn why(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "wrong Integrity Checksum Data",
        2 => "too short for its algorithms",
        3 => "wrong key, or messages before it are missing",
        4 => "the choice of cipher and hash was not captured",
        _ => return None,
    })
}

fn number(sealed: IkeSealed) -> u64 {
    match sealed {
        IkeSealed::BadIcv => 1,
        IkeSealed::TooShort => 2,
        IkeSealed::Nonsense => 3,
        IkeSealed::NotNegotiated => 4,
    }
}

/// What opens messages.
#[derive(Debug)]
pub(crate) struct Opener<'o> {
    /// The keys.
    pub keys: &'o IkeKeys,
    /// What earlier messages taught; without it, messages that need it stay closed.
    pub state: Option<&'o mut IkeState>,
    /// The plaintext of this message.
    pub plain: &'o mut Vec<u8>,
}

/// Reads an encrypted message of IKEv1 (RFC 2408 section 3.1: the Encryption bit covers all payloads).
pub(super) fn version_1<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    ike: &mut Ike,
    opener: &mut Opener<'_>,
) -> Result<(), Short> {
    ike.contents.sealed = true;
    if c.is_cut() || !opener.keys.has_v1(ike.initiator_spi) {
        c.rest(&ENCRYPTED);
        return Ok(());
    }
    let Some(state) = &mut opener.state else {
        ike.in_order = true;
        c.rest(&ENCRYPTED);
        return Ok(());
    };
    match state.open(opener.keys, ike, c.peek_rest(), opener.plain) {
        Ok(end) => {
            ike.contents.sealed = false;
            let len = c.remaining();
            c.sub(&ENCRYPTED, len, PAYLOAD_BOUND)?;
            payloads(c, ike.next_payload, ike, opener.plain.get(..end).unwrap_or_default())
        }
        Err(sealed) => {
            c.derived(&SEALED, number(sealed));
            c.rest(&ENCRYPTED);
            Ok(())
        }
    }
}

/// Walks the payloads of `plain`, which was made of what `c` reads.
fn payloads<S: Sink>(c: &mut Cursor<'_, '_, S>, kind: u8, ike: &mut Ike, plain: &[u8]) -> Result<(), Short> {
    let mut c = c.over(plain, 0, Bound::Buffer);
    let critical = ike.version == 2;
    let (sealed, walked) = walk(&mut c, critical, kind, &mut |c, kind| body(c, ike, kind));
    if sealed.is_some() && S::FULL {
        c.rest(&ENCRYPTED);
    }
    walked
}

/// Reads an Encrypted payload or a fragment of one, which is the last of `message`. How long its initialization vector
/// is, only its keys tell.
pub(super) fn version_2<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    kind: u8,
    ike: &mut Ike,
    message: &[u8],
    opener: &mut Opener<'_>,
) -> Result<(), Short> {
    ike.contents.sealed = true;
    let (len, cut) = (c.remaining(), c.is_cut());
    // A header that is cut is octets like the rest.
    let Ok(mut c) = c.group(&TREE, len, PAYLOAD_BOUND) else { return Ok(()) };
    let mut first = 0;
    if len >= usize::from(HEADER) {
        first = header(&mut c, true, kind)?;
    }
    let mut place = None;
    if kind == ENCRYPTED_FRAGMENT && c.remaining() >= 4 {
        place = Some((c.u16(&FRAGMENT_NUMBER)?, c.u16(&FRAGMENT_TOTAL)?));
    }
    let spis = (ike.initiator_spi, ike.responder_spi);
    let whole = !cut && (kind != ENCRYPTED_FRAGMENT || place.is_some());
    if !whole || !opener.keys.has_v2(spis) {
        c.rest(&ENCRYPTED);
        return Ok(());
    }
    let start = message.len().saturating_sub(c.remaining());
    let from_initiator = ike.flags & INITIATOR_FLAG != 0;
    // A part of payloads makes no sense by itself.
    let fits = |plain: &[u8]| place.is_some() || sense_of(plain, first);
    match opener.keys.open_v2(spis, from_initiator, message, start, opener.plain, fits) {
        Ok(opened) => {
            outside(&mut c, &opened)?;
            if let Some((number, total)) = place {
                ike.in_order = opener.state.is_none();
                let octets = opener.plain.get(opened.payloads.clone()).unwrap_or_default().to_vec();
                let key = FragmentKey { spis, version: 2, from_initiator, id: ike.message_id };
                let fragment = Fragment { number, total: Some(total), kind: first, octets: &octets };
                let state = opener.state.as_deref_mut();
                if let Some(kind) = state.and_then(|state| state.fragment(key, fragment, opener.plain)) {
                    ike.contents.sealed = false;
                    return payloads(&mut c, kind, ike, opener.plain);
                }
                inside(&mut c, &opened, opener.plain);
                return Ok(());
            }
            ike.contents.sealed = false;
            inside(&mut c, &opened, opener.plain);
            payloads(&mut c, first, ike, opener.plain.get(opened.payloads).unwrap_or_default())
        }
        Err(sealed) => {
            c.derived(&SEALED, number(sealed));
            c.rest(&ENCRYPTED);
            Ok(())
        }
    }
}

/// The Initiator flag (RFC 7296 section 3.1).
const INITIATOR_FLAG: u8 = 8;

fn sense_of(plain: &[u8], kind: u8) -> bool {
    super::sense(plain, kind, 2).is_some()
}

/// The parts of the payload that only its keys tell apart.
fn outside<S: Sink>(c: &mut Cursor<'_, '_, S>, opened: &IkeOpened) -> Result<(), Short> {
    if opened.iv > 0 {
        c.octets(&IV, opened.iv)?;
    }
    let data = c.remaining().saturating_sub(opened.icv);
    c.sub(&ENCRYPTED, data, PAYLOAD_BOUND)?;
    if opened.icv > 0 {
        c.octets(&ICV, opened.icv)?;
    }
    Ok(())
}

/// The parts of its plaintext.
fn inside<S: Sink>(c: &mut Cursor<'_, '_, S>, opened: &IkeOpened, plain: &[u8]) {
    let last = plain.len().saturating_sub(1);
    c.made(&DECRYPTED, 0..plain.len(), Value::Octets);
    if !opened.payloads.is_empty() {
        c.made(&CONTAINED, opened.payloads.clone(), Value::Octets);
    }
    if opened.payloads.end < last {
        c.made(&PADDING, opened.payloads.end..last, Value::Octets);
    }
    let length = plain.get(last).copied().unwrap_or(0);
    c.made(&PAD_LENGTH, last..plain.len(), Value::Number(length.into()));
}

/// Takes the body of a Fragment payload of IKEv1; the whole message goes to `opener` when all are there.
///
/// What Cisco and Microsoft agreed on: an ID, a number from 1, and whether it is the last.
pub(super) fn fragment_of_version_1(body: &[u8], ike: &mut Ike, opener: &mut Opener<'_>) -> bool {
    let Some(([i0, i1, number, last], octets)) = body.split_first_chunk() else { return false };
    let Some(state) = &mut opener.state else {
        ike.in_order = true;
        return false;
    };
    let key = FragmentKey {
        spis: (ike.initiator_spi, ike.responder_spi),
        version: 1,
        from_initiator: false,
        id: u16::from_be_bytes([*i0, *i1]).into(),
    };
    let number = u16::from(*number);
    let fragment = Fragment { number, total: (last & 1 == 1).then_some(number), kind: 0, octets };
    state.fragment(key, fragment, opener.plain).is_some()
}
