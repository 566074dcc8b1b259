//! ESP (RFC 4303): SPI and sequence number in the clear, the rest by the key database.

use crate::field::{Cursor, Kind, Range, Sink, Value};
use crate::fields;
use crate::ipsec::{Hints, Opening, Sad, Spi};

use super::layers::{Encapsulation, Esp, EspOutcome, Layers, Mode};
use super::{Next, Step, ip_protocol, ip_protocol_name};

fields! {
    section "RFC 4303 2";
    SPI = "esp.spi", "ESP SPI", Kind::Hex(32);
    SEQUENCE = "esp.sequence", "ESP Sequence", Kind::Dec(32);
    IV = "esp.iv", "ESP IV", Kind::Bytes;
    SEALED = "esp.encrypted_data", "ESP Encrypted Data", Kind::Bytes;
    ICV = "esp.icv", "ESP ICV", Kind::Bytes;
    ICV_GOOD = "esp.icv_good", "ICV good", Kind::Flag;
    ICV_BAD = "esp.icv_bad", "ICV bad", Kind::Flag;
    DECRYPTED = "esp.decrypted_data", "ESP Decrypted Data", Kind::Bytes;
    CONTAINED = "esp.contained_data", "ESP Contained Data", Kind::Bytes;
    PADDING = "esp.pad", "ESP Pad", Kind::Bytes;
    PAD_LENGTH = "esp.pad_len", "ESP Pad Length", Kind::Dec(8);
    NEXT_HEADER = "esp.protocol", "Next header", Kind::Hex(8), names ip_protocol_name;
}

/// Reads an ESP packet and opens it into `plain`, a new byte source.
pub(crate) fn dissect<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    sad: &Sad,
    hints: &mut Hints,
    plain: &mut Vec<u8>,
) -> Step {
    let Some(addresses) = layers.addresses else { return Ok(Next::NotOurs) };
    let packet = c.peek_rest();
    let spi = Spi(c.u32(&SPI)?);
    let sequence = c.u32(&SEQUENCE)?;
    let sealed = c.rest_range();
    let ports = layers.udp.map(|udp| (udp.source.port, udp.destination.port));
    let opening = if c.is_cut() {
        None
    } else {
        Some(sad.open(hints, spi, addresses.source, addresses.destination, packet, plain))
    };
    if S::FULL {
        parts(c, opening.as_ref(), sealed, sad);
        if let Some(opening) = &opening {
            describe(c, opening, plain);
        }
    }
    let (outcome, next) = outcome(opening, plain);
    let legible = matches!(outcome, EspOutcome::NoKey) && legible(packet);
    let esp = Esp {
        spi,
        sequence,
        addresses,
        encapsulation: if ports.is_some() { Encapsulation::Udp } else { Encapsulation::Ip },
        ports,
        octets: u32::try_from(packet.len()).unwrap_or(u32::MAX),
        outcome,
        legible,
    };
    match layers.esp {
        None => layers.esp = Some(esp),
        Some(_) => layers.deeper_esp.push(esp),
    }
    Ok(next)
}

/// Initialization vector, encrypted octets and ICV (RFC 4303 section 2): where one ends only the key tells.
fn parts<S: Sink>(c: &mut Cursor<'_, '_, S>, opening: Option<&Opening>, sealed: Range, sad: &Sad) {
    let (iv, icv, good, bad) = match opening {
        Some(Opening::Opened { iv_length, icv_length, icv_checked, .. }) => {
            (*iv_length, *icv_length, *icv_checked, false)
        }
        Some(Opening::BadIcv { sa }) => {
            let (iv, icv) = sad.lengths(*sa).unwrap_or_default();
            (iv, icv, false, true)
        }
        _ => (0, 0, false, false),
    };
    let octets = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let start = sealed.start.saturating_add(octets(iv)).min(sealed.end);
    let end = sealed.end.saturating_sub(octets(icv)).max(start);
    let ranges = [
        (&IV, Range { end: start, ..sealed }),
        (&SEALED, Range { start, end, ..sealed }),
        (&ICV, Range { start: end, ..sealed }),
    ];
    for (field, range) in ranges {
        if !range.is_empty() {
            c.describe(field, range, Value::Octets);
        }
    }
    // Neither, where the key does not let it be checked.
    if icv > 0 {
        c.derived(&ICV_GOOD, good.into());
        c.derived(&ICV_BAD, bad.into());
    }
}

/// What is made of the encrypted octets.
fn describe<S: Sink>(c: &mut Cursor<'_, '_, S>, opening: &Opening, plain: &[u8]) {
    let Opening::Opened { payload, next_header, .. } = opening else { return };
    let trailer = plain.len().saturating_sub(2);
    c.made(&DECRYPTED, 0..plain.len(), Value::Octets);
    c.made(&CONTAINED, payload.clone(), Value::Octets);
    if payload.end < trailer {
        c.made(&PADDING, payload.end..trailer, Value::Octets);
    }
    let pad_length = plain.get(trailer).copied().unwrap_or(0);
    c.made(&PAD_LENGTH, trailer..trailer.saturating_add(1), Value::Number(pad_length.into()));
    let last = trailer.saturating_add(1)..plain.len();
    c.made(&NEXT_HEADER, last, Value::Number((*next_header).into()));
}

fn outcome(opening: Option<Opening>, plain: &[u8]) -> (EspOutcome, Next) {
    let outcome = match opening {
        None => EspOutcome::Cut,
        Some(Opening::NoKey) => EspOutcome::NoKey,
        Some(Opening::Unsupported { sa }) => EspOutcome::Unsupported { sa },
        Some(Opening::BadIcv { sa }) => EspOutcome::BadIcv { sa },
        Some(Opening::BadPadding { sa }) => EspOutcome::BadPadding { sa },
        Some(Opening::TooShort { .. }) => EspOutcome::TooShort,
        Some(Opening::Opened { sa, next_header, payload, integrity, high, padding_ok, .. }) => {
            let mode = if matches!(next_header, 4 | 41) { Mode::Tunnel } else { Mode::Transport };
            let inside = plain.get(payload.clone()).unwrap_or_default();
            let tfc = length_inside(next_header, inside).is_some_and(|length| length < inside.len());
            let next = match ip_protocol(next_header) {
                Some(protocol) => Next::Plain { protocol, payload },
                None => Next::NotOurs,
            };
            let outcome = EspOutcome::Opened { sa, mode, integrity, high, next_header, padding_ok, tfc };
            return (outcome, next);
        }
    };
    (outcome, Next::Sealed)
}

const IPV4: u8 = 4;
const UDP: u8 = 17;
const IPV6: u8 = 41;
/// Octets of an IPv6 header, which its Payload Length leaves out.
const IPV6_HEADER: usize = 40;

/// How long the packet inside says it is, if it is IP or UDP. 0 says nothing.
#[inline]
fn length_inside(next_header: u8, inside: &[u8]) -> Option<usize> {
    let at = |offset: usize| {
        let octets = inside.get(offset..)?.first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*octets))).filter(|length| *length != 0)
    };
    match next_header {
        IPV4 => at(2),
        IPV6 => at(4).map(|length| length.saturating_add(IPV6_HEADER)),
        UDP => at(4),
        _ => None,
    }
}

/// Lengths of the ICVs that NULL encryption comes with (RFC 2403, RFC 2404, RFC 4868), and none.
const ICV_LENGTHS: [usize; 5] = [12, 16, 24, 32, 0];

/// Whether a packet without a key can be read as it stands: Next Header, padding and the length of UDP or IP agree for
/// some length of the ICV. By chance one packet in many millions does.
fn legible(packet: &[u8]) -> bool {
    let Some(payload) = packet.get(8..) else { return false };
    ICV_LENGTHS.into_iter().any(|icv| {
        let Some([content @ .., pad_length, next_header]) =
            payload.len().checked_sub(icv).and_then(|end| payload.get(..end))
        else {
            return false;
        };
        let Some((inside, padding)) =
            content.len().checked_sub(usize::from(*pad_length)).and_then(|end| content.split_at_checked(end))
        else {
            return false;
        };
        let right = match *next_header {
            UDP => inside.len() >= 8,
            IPV4 => inside.first() == Some(&0x45),
            IPV6 => inside.first().is_some_and(|first| first >> 4 == 6),
            _ => false,
        };
        right
            && padding.iter().zip(1u8..).all(|(octet, count)| *octet == count)
            && length_inside(*next_header, inside) == Some(inside.len())
    })
}
