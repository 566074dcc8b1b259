//! ESP (RFC 4303): SPI and sequence number in the clear, the rest by the key database.

use crate::field::{Cursor, Kind, Sink};
use crate::fields;
use crate::ipsec::{Hints, Opening, Sad, Spi};

use super::layers::{Encapsulation, Esp, EspOutcome, Layers, Mode};
use super::{Next, Step, ip_protocol, ip_protocol_name};

fields! {
    section "RFC 4303 2";
    SPI = "esp.spi", "ESP SPI", Kind::Hex(32);
    SEQUENCE = "esp.sequence", "ESP Sequence", Kind::Dec(32);
    SEALED = "esp.encrypted_data", "ESP Encrypted Data", Kind::Bytes;
    NEXT_HEADER = "esp.protocol", "ESP Next Header", Kind::Hex(8), names ip_protocol_name;
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
    c.rest(&SEALED);
    let ports = layers.udp.map(|udp| (udp.source.port, udp.destination.port));
    let opening = if c.is_cut() {
        None
    } else {
        Some(sad.open(hints, spi, addresses.source, addresses.destination, packet, plain))
    };
    if matches!(opening, Some(Opening::Opened { next_header: super::L2TPV3, .. })) {
        layers.other_version = Some(3);
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
