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
    let (outcome, next) = outcome(opening);
    let esp = Esp {
        spi,
        sequence,
        addresses,
        encapsulation: if ports.is_some() { Encapsulation::Udp } else { Encapsulation::Ip },
        ports,
        octets: u32::try_from(packet.len()).unwrap_or(u32::MAX),
        outcome,
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

fn outcome(opening: Option<Opening>) -> (EspOutcome, Next) {
    let outcome = match opening {
        None => EspOutcome::Cut,
        Some(Opening::NoKey) => EspOutcome::NoKey,
        Some(Opening::Unsupported { sa }) => EspOutcome::Unsupported { sa },
        Some(Opening::BadIcv { sa }) => EspOutcome::BadIcv { sa },
        Some(Opening::BadPadding { sa }) => EspOutcome::BadPadding { sa },
        Some(Opening::TooShort { .. }) => EspOutcome::TooShort,
        Some(Opening::Opened { sa, next_header, payload, integrity, high, .. }) => {
            let mode = if matches!(next_header, 4 | 41) { Mode::Tunnel } else { Mode::Transport };
            let next = match ip_protocol(next_header) {
                Some(protocol) => Next::Plain { protocol, payload },
                None => Next::NotOurs,
            };
            return (EspOutcome::Opened { sa, mode, integrity, high }, next);
        }
    };
    (outcome, Next::Sealed)
}
