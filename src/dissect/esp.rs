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
    ICV_GOOD = "esp.icv_good", "Good", Kind::Flag;
    ICV_BAD = "esp.icv_bad", "Bad", Kind::Flag;
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
    c.rest(&SEALED);
    let ports = layers.udp.map(|udp| (udp.source.port, udp.destination.port));
    let opening = if c.is_cut() {
        None
    } else {
        Some(sad.open(hints, spi, addresses.source, addresses.destination, packet, plain))
    };
    if S::FULL
        && let Some(opening) = &opening
    {
        describe(c, opening, sealed, plain);
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

/// The parts of a packet that only opening it shows (RFC 4303 section 2).
fn describe<S: Sink>(c: &mut Cursor<'_, '_, S>, opening: &Opening, sealed: Range, plain: &[u8]) {
    match opening {
        Opening::Opened { payload, icv_checked, iv_length, icv_length, next_header, .. } => {
            let octets = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
            let iv = Range { end: sealed.start.saturating_add(octets(*iv_length)), ..sealed };
            let icv = Range { start: sealed.end.saturating_sub(octets(*icv_length)), ..sealed };
            for (field, range) in [(&IV, iv), (&ICV, icv)] {
                if !range.is_empty() {
                    c.describe(field, range, Value::Octets);
                }
            }
            // Neither, where the key does not let it be checked.
            if !icv.is_empty() {
                c.derived(&ICV_GOOD, (*icv_checked).into());
                c.derived(&ICV_BAD, 0);
            }
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
        Opening::BadIcv { .. } => {
            c.derived(&ICV_GOOD, 0);
            c.derived(&ICV_BAD, 1);
        }
        _ => {}
    }
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
