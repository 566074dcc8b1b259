//! IKE messages of both versions: the header, and the chain of payloads (RFC 2408 section 3, RFC 7296 section 3).
//!
//! What is encrypted stays closed unless there are keys.

mod algorithms;
pub(crate) mod attributes;
pub(crate) mod config;
pub mod contents;
mod names;
mod nat_detection;
pub(crate) mod notify;
mod notify_names;
pub(crate) mod payloads;
pub(crate) mod proposals;
pub(crate) mod sealed;
mod state;
pub(crate) mod vendor_ids;

use crate::field::{Bound, Cursor, Kind, Short, Sink};
use crate::fields;

pub(crate) use sealed::Opener;
pub use state::IkeState;

use super::content_hash;
use super::layers::{Ike, Layers};
use super::{Next, Protocol, Step};

fields! {
    section "RFC 7296 3.1";
    INITIATOR_SPI = "isakmp.ispi", "Initiator SPI", Kind::Bytes;
    RESPONDER_SPI = "isakmp.rspi", "Responder SPI", Kind::Bytes;
    NEXT_PAYLOAD = "isakmp.nextpayload", "Next payload", Kind::Dec(8), names names::payload;
    VERSION = "isakmp.version", "Version", Kind::Hex(8);
    MAJOR_VERSION = "isakmp.mjver", "MjVer", Kind::Hex(8);
    MINOR_VERSION = "isakmp.mnver", "MnVer", Kind::Hex(8);
    EXCHANGE = "isakmp.exchangetype", "Exchange type", Kind::Dec(8), names names::exchange;
    FLAGS = "isakmp.flags", "Flags", Kind::Hex(8);
    ENCRYPTION = "isakmp.flag_e", "Encryption", Kind::Flag;
    COMMIT = "isakmp.flag_c", "Commit", Kind::Flag;
    AUTHENTICATION = "isakmp.flag_a", "Authentication", Kind::Flag;
    INITIATOR = "isakmp.flag_i", "Initiator", Kind::Flag;
    HIGHER_VERSION = "isakmp.flag_v", "Version", Kind::Flag;
    RESPONSE = "isakmp.flag_r", "Response", Kind::Flag;
    MESSAGE_ID = "isakmp.messageid", "Message ID", Kind::Hex(32);
    LENGTH = "isakmp.length", "Length", Kind::Dec(32);
    TREE = "isakmp.typepayload.tree", "Payload", Kind::Group;
    PAYLOAD = "isakmp.typepayload", "Payload", Kind::Dec(8), names names::payload;
    CRITICAL = "isakmp.criticalpayload", "Critical Bit", Kind::Flag;
    RESERVED_BITS = "isakmp.reserved7", "Reserved", Kind::Hex(8);
    RESERVED = "isakmp.reserved", "Reserved", Kind::Bytes;
    PAYLOAD_LENGTH = "isakmp.payloadlength", "Payload length", Kind::Dec(16);
    BODY = "isakmp.datapayload", "Data Payload", Kind::Bytes;
    EXTRA = "isakmp.extradata", "Extra data", Kind::Bytes;
}

const LENGTH_BOUND: Bound = Bound::Header("the IKE Length");
const PAYLOAD_BOUND: Bound = Bound::Header("the IKE Payload Length");

/// Payload types that the walk itself must know.
const NOTIFICATION: u8 = 11;
const NOTIFICATION_V2: u8 = 41;
const ENCRYPTED_PAYLOAD: u8 = 46;
const ENCRYPTED_FRAGMENT: u8 = 53;
const SECURITY_ASSOCIATION: u8 = 1;
const PROPOSAL: u8 = 2;
const TRANSFORM: u8 = 3;
const KEY_EXCHANGE: u8 = 4;
/// A part of a message of IKEv1.
const FRAGMENT: u8 = 132;

/// Octets of the generic header of a payload.
const HEADER: u16 = 4;

/// Names of the exchange types of both versions, as the report writes them.
pub fn exchange_name(version: u8, exchange: u8) -> &'static str {
    // RFC 7296 section 3.1: numbers below 34 are those of version 1.
    if (exchange >= 34) != (version >= 2) {
        return "unknown";
    }
    names::exchange(exchange.into()).unwrap_or("unknown")
}

/// The name of a notify message type.
pub fn notify_name(version: u8, kind: u16) -> Option<&'static str> {
    if version == 1 { notify_names::v1(kind.into()) } else { notify_names::v2(kind.into()) }
}

/// The name of a payload type.
pub fn payload_name(payload: u8) -> Option<&'static str> {
    names::payload(payload.into())
}

/// The name of an Encapsulation Mode (RFC 2407 section 4.5).
pub fn encapsulation_name(mode: u64) -> Option<&'static str> {
    algorithms::encapsulation_mode(mode)
}

/// NO-PROPOSAL-CHOSEN: the same number in RFC 2408 section 3.14.1 and RFC 7296 section 3.10.1.
pub const NO_PROPOSAL_CHOSEN: u16 = 14;

/// Reads a message; what of it was encrypted, or stood in fragments, becomes a new byte source.
#[inline(never)]
pub(crate) fn dissect<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    mut opener: Opener<'_>,
) -> Step {
    let message = c.peek_rest();
    let initiator_spi = eight(c.octets(&INITIATOR_SPI, 8)?);
    let responder_spi = eight(c.octets(&RESPONDER_SPI, 8)?);
    let next_payload = c.u8(&NEXT_PAYLOAD)?;
    let version = c.u8(&VERSION)?;
    c.part(&MAJOR_VERSION, 1, u64::from(version >> 4));
    c.part(&MINOR_VERSION, 1, u64::from(version & 0xf));
    let version = version >> 4;
    let exchange = c.u8(&EXCHANGE)?;
    let flags = c.u8(&FLAGS)?;
    let bits = match version {
        1 => [(&ENCRYPTION, 1), (&COMMIT, 2), (&AUTHENTICATION, 4)],
        _ => [(&INITIATOR, 8), (&HIGHER_VERSION, 0x10), (&RESPONSE, 0x20)],
    };
    for (field, bit) in bits {
        c.part(field, 1, u64::from(flags & bit != 0));
    }
    let message_id = c.u32(&MESSAGE_ID)?;
    let length = c.u32(&LENGTH)?;
    if !(1..=2).contains(&version) {
        return Ok(Next::NotOurs);
    }
    let mut ike = Ike {
        initiator_spi,
        responder_spi,
        next_payload,
        version,
        exchange,
        flags,
        message_id,
        length,
        marker: layers.marker,
        notifies: Vec::new(),
        in_order: false,
        contents: contents::Contents::default(),
        endpoints: layers.udp.map(|udp| (udp.source, udp.destination)),
        digest: 0,
    };
    let walked = match length.checked_sub(28) {
        None => Err(c.invalid(&LENGTH, 28, length)),
        Some(body) => {
            c.limit(usize::try_from(body).unwrap_or(usize::MAX), LENGTH_BOUND);
            let end = c.consumed().saturating_add(c.remaining());
            let message = message.get(..end).unwrap_or_default();
            ike.digest = content_hash::hash(message);
            payloads(c, &mut ike, message, &mut opener)
        }
    };
    layers.ike = Some(Box::new(ike));
    walked
}

fn eight(octets: &[u8]) -> u64 {
    octets.first_chunk().map_or(0, |chunk| u64::from_be_bytes(*chunk))
}

fn payloads<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    ike: &mut Ike,
    message: &[u8],
    opener: &mut Opener<'_>,
) -> Result<Next, Short> {
    // RFC 2408 section 3.1: the Encryption bit covers all payloads.
    if ike.version == 1 && ike.flags & 1 == 1 {
        return sealed::version_1(c, ike, opener).map(|()| Next::End);
    }
    let mut whole = false;
    let (encrypted, walked) = walk(c, ike.version == 2, ike.next_payload, &mut |c, kind| {
        if ike.version == 1 {
            whole |= learn(c.peek_rest(), kind, ike, opener);
        }
        body(c, ike, kind)
    });
    let opened = match encrypted {
        Some(kind) => sealed::version_2(c, kind, ike, message, opener),
        None => Ok(()),
    };
    walked.and(opened)?;
    Ok(if whole {
        Next::Plain { protocol: Protocol::Ike, payload: 0..opener.plain.len() }
    } else {
        Next::End
    })
}

/// Learns from a payload in the clear what later messages of IKEv1 need; `true` if it completed a message in fragments.
fn learn(octets: &[u8], kind: u8, ike: &mut Ike, opener: &mut Opener<'_>) -> bool {
    match kind {
        FRAGMENT => return sealed::fragment_of_version_1(octets, ike, opener),
        SECURITY_ASSOCIATION | KEY_EXCHANGE if opener.keys.has_v1(ike.initiator_spi) => {
            match &mut opener.state {
                Some(state) if kind == SECURITY_ASSOCIATION => state.learn_proposal(ike, octets),
                Some(state) => state.learn_public(ike, octets),
                None => ike.in_order = true,
            }
        }
        _ => {}
    }
    false
}

/// Reads the body of a payload.
fn body<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike, kind: u8) -> Result<(), Short> {
    match (ike.version, kind) {
        (1, NOTIFICATION) | (2, NOTIFICATION_V2) => notify::read(c, ike),
        _ => payloads::read(c, ike, kind),
    }
}

/// What reads the body of a payload of some type.
type Body<'f, 'a, S> = dyn FnMut(&mut Cursor<'a, '_, S>, u8) -> Result<(), Short> + 'f;

/// Walks a chain of payloads in which nothing is encrypted.
fn chain<'a, S: Sink>(
    c: &mut Cursor<'a, '_, S>,
    critical: bool,
    kind: u8,
    body: &mut Body<'_, 'a, S>,
) -> Result<(), Short> {
    walk(c, critical, kind, body).1
}

/// Walks a chain of payloads that begins with one of type `kind`; each has at least 4 octets, so the walk ends. Before an
/// Encrypted payload or a fragment of one it ends too, and tells its type.
///
/// A body that breaks its format does not hide those behind it: the first fault is returned at the end. A length that
/// cannot be true ends the walk.
fn walk<'a, S: Sink>(
    c: &mut Cursor<'a, '_, S>,
    critical: bool,
    mut kind: u8,
    body: &mut Body<'_, 'a, S>,
) -> (Option<u8>, Result<(), Short>) {
    let mut fault = None;
    while kind != 0 && !c.is_empty() {
        // RFC 7296 section 3.14 and RFC 7383: Encrypted payload and its fragments come last, and the type in their
        // header is that of the first payload inside.
        if critical && matches!(kind, ENCRYPTED_PAYLOAD | ENCRYPTED_FRAGMENT) {
            return (Some(kind), fault.map_or(Ok(()), Err));
        }
        let (Some(high), Some(low)) = (c.peek(2), c.peek(3)) else {
            return (None, Err(fault.unwrap_or_else(|| c.short(&PAYLOAD_LENGTH, HEADER.into()))));
        };
        let length = u16::from_be_bytes([high, low]);
        let untrue = if length < HEADER {
            Some(c.invalid(&PAYLOAD_LENGTH, HEADER.into(), length.into()))
        } else if usize::from(length) > c.remaining() {
            Some(c.short(&PAYLOAD, length.into()))
        } else {
            None
        };
        if untrue.is_some() && !S::FULL {
            return (None, fault.or(untrue).map_or(Ok(()), Err));
        }
        let (next, read) = match payload(c, critical, kind, length, body) {
            Ok(read) => read,
            Err(short) => return (None, Err(short)),
        };
        fault = fault.or(untrue).or(read.err());
        if untrue.is_some() {
            break;
        }
        kind = next;
    }
    if fault.is_none() && S::FULL && !c.is_empty() {
        c.rest(&EXTRA);
    }
    (None, fault.map_or(Ok(()), Err))
}

/// Reads one payload whose header says `length`, or what there is of it: the type of the next, and how its body was.
fn payload<'a, S: Sink>(
    c: &mut Cursor<'a, '_, S>,
    critical: bool,
    kind: u8,
    length: u16,
    body: &mut Body<'_, 'a, S>,
) -> Result<(u8, Result<(), Short>), Short> {
    let there = usize::from(length.max(HEADER)).min(c.remaining());
    let mut c = c.group(&TREE, there, PAYLOAD_BOUND)?;
    let next = header(&mut c, critical, kind)?;
    c.limit(usize::from(length.saturating_sub(HEADER)), PAYLOAD_BOUND);
    Ok((next, if length < HEADER { Ok(()) } else { body(&mut c, kind) }))
}

/// The generic header (RFC 2408 section 3.2, RFC 7296 section 3.2).
fn header<S: Sink>(c: &mut Cursor<'_, '_, S>, critical: bool, kind: u8) -> Result<u8, Short> {
    if let Some(name) = names::payload(kind.into()) {
        c.title(name);
    }
    c.derived(&PAYLOAD, kind.into());
    let next = c.u8(&NEXT_PAYLOAD)?;
    if critical {
        let bits = c.bits8(&CRITICAL)?;
        c.part(&CRITICAL, 1, u64::from(bits >> 7));
        c.part(&RESERVED_BITS, 1, u64::from(bits & 0x7f));
    } else {
        c.octets(&RESERVED, 1)?;
    }
    c.u16(&PAYLOAD_LENGTH)?;
    Ok(next)
}

/// Where the payloads of a plaintext end, if they make sense as a chain that begins with one of type `kind`: what IKEv1
/// has instead of a checksum that can be checked without the keys of its hashes.
fn sense(plain: &[u8], mut kind: u8, version: u8) -> Option<usize> {
    let mut rest = plain;
    while kind != 0 {
        let known = match version {
            1 => matches!(kind, 1..=22 | 128..=132),
            _ => kind >= 33,
        };
        let [next, reserved, l0, l1] = *rest.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let zero = if version == 1 { reserved } else { reserved & 0x7f };
        if !known || zero != 0 || length < usize::from(HEADER) {
            return None;
        }
        rest = rest.get(length..)?;
        kind = next;
    }
    plain.len().checked_sub(rest.len())
}

#[cfg(test)]
mod sealed_tests;
#[cfg(test)]
mod tests;
