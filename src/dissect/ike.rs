//! The header of IKE messages, and notifications in the clear (RFC 2408 section 3, RFC 7296 section 3).

use crate::field::{Bound, Cursor, Kind, Short, Sink};
use crate::fields;

use super::layers::{Ike, Layers};
use super::{Next, Step};

fields! {
    section "RFC 7296 3.1";
    INITIATOR_SPI = "isakmp.ispi", "Initiator SPI", Kind::Bytes;
    RESPONDER_SPI = "isakmp.rspi", "Responder SPI", Kind::Bytes;
    NEXT_PAYLOAD = "isakmp.nextpayload", "Next payload", Kind::Dec(8);
    VERSION = "isakmp.version", "Version", Kind::Hex(8);
    EXCHANGE = "isakmp.exchangetype", "Exchange type", Kind::Dec(8);
    FLAGS = "isakmp.flags", "Flags", Kind::Hex(8);
    MESSAGE_ID = "isakmp.messageid", "Message ID", Kind::Hex(32);
    LENGTH = "isakmp.length", "Length", Kind::Dec(32);
    PAYLOAD = "isakmp.typepayload", "Payload", Kind::Group;
    PAYLOAD_RESERVED = "isakmp.reserved", "Reserved", Kind::Hex(8);
    PAYLOAD_LENGTH = "isakmp.payloadlength", "Payload length", Kind::Dec(16);
    DOI = "isakmp.notify.doi", "Domain of interpretation", Kind::Dec(32);
    PROTOCOL_ID = "isakmp.notify.protoid", "Protocol ID", Kind::Dec(8);
    SPI_SIZE = "isakmp.spisize", "SPI Size", Kind::Dec(8);
    NOTIFY_TYPE = "isakmp.notify.msgtype", "Notify Message Type", Kind::Dec(16);
    BODY = "isakmp.datapayload", "Data Payload", Kind::Bytes;
    ENCRYPTED = "isakmp.enc.data", "Encrypted Data", Kind::Bytes;
}

const LENGTH_BOUND: Bound = Bound::Header("the IKE Length");
const PAYLOAD_BOUND: Bound = Bound::Header("the IKE Payload Length");

/// Names of the exchange types of both versions, as the report writes them.
pub fn exchange_name(version: u8, exchange: u8) -> &'static str {
    match (version, exchange) {
        (1, 1) => "base",
        (1, 2) => "main",
        (1, 3) => "authentication-only",
        (1, 4) => "aggressive",
        (1, 5) => "informational",
        (1, 6) => "configuration",
        (1, 32) => "quick",
        (1, 33) => "new-group",
        (2, 34) => "IKE_SA_INIT",
        (2, 35) => "IKE_AUTH",
        (2, 36) => "CREATE_CHILD_SA",
        (2, 37) => "INFORMATIONAL",
        _ => "unknown",
    }
}

/// NO-PROPOSAL-CHOSEN: the same number in RFC 2408 section 3.14.1 and RFC 7296 section 3.10.1.
pub const NO_PROPOSAL_CHOSEN: u16 = 14;

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let initiator_spi = eight(c.octets(&INITIATOR_SPI, 8)?);
    let responder_spi = eight(c.octets(&RESPONDER_SPI, 8)?);
    let next_payload = c.u8(&NEXT_PAYLOAD)?;
    let version = c.u8(&VERSION)?;
    let exchange = c.u8(&EXCHANGE)?;
    let flags = c.u8(&FLAGS)?;
    let message_id = c.u32(&MESSAGE_ID)?;
    let length = c.u32(&LENGTH)?;
    let version = version >> 4;
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
    };
    let walked = match length.checked_sub(28) {
        None => Err(c.invalid(&LENGTH, 28, length)),
        Some(body) => {
            c.limit(usize::try_from(body).unwrap_or(usize::MAX), LENGTH_BOUND);
            payloads(c, &mut ike)
        }
    };
    layers.ike = Some(Box::new(ike));
    walked.map(|()| Next::End)
}

fn eight(octets: &[u8]) -> u64 {
    octets.first_chunk().map_or(0, |chunk| u64::from_be_bytes(*chunk))
}

/// Walks the chain of payloads; each has at least 4 octets, so the walk ends.
fn payloads<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike) -> Result<(), Short> {
    // RFC 2408 section 3.1: the Encryption bit covers all payloads.
    if ike.version == 1 && ike.flags & 1 == 1 {
        c.rest(&ENCRYPTED);
        return Ok(());
    }
    let mut kind = ike.next_payload;
    while kind != 0 && !c.is_empty() {
        // RFC 7296 section 3.14 and RFC 7383: Encrypted payload and its fragments come last.
        if ike.version == 2 && matches!(kind, 46 | 53) {
            c.rest(&ENCRYPTED);
            return Ok(());
        }
        let len = [c.peek(2), c.peek(3)];
        let [Some(high), Some(low)] = len else { return Err(c.short(&PAYLOAD_LENGTH, 4)) };
        let length = u16::from_be_bytes([high, low]);
        if length < 4 {
            return Err(c.invalid(&PAYLOAD_LENGTH, 4, length.into()));
        }
        let mut payload = c.group(&PAYLOAD, length.into(), PAYLOAD_BOUND)?;
        let next = payload.u8(&NEXT_PAYLOAD)?;
        payload.u8(&PAYLOAD_RESERVED)?;
        payload.u16(&PAYLOAD_LENGTH)?;
        match (ike.version, kind) {
            (1, 11) => {
                payload.u32(&DOI)?;
                notify(&mut payload, ike)?;
            }
            (2, 41) => notify(&mut payload, ike)?,
            _ => {}
        }
        payload.rest(&BODY);
        drop(payload);
        kind = next;
    }
    Ok(())
}

fn notify<S: Sink>(payload: &mut Cursor<'_, '_, S>, ike: &mut Ike) -> Result<(), Short> {
    payload.u8(&PROTOCOL_ID)?;
    payload.u8(&SPI_SIZE)?;
    let kind = payload.u16(&NOTIFY_TYPE)?;
    // A handful at most in honest messages; a hostile one repeats itself.
    if ike.notifies.len() < 16 {
        ike.notifies.push(kind);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};

    fn message(version: u8, exchange: u8, next: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1; 8];
        bytes.extend([0; 8]);
        bytes.extend([next, version << 4, exchange, flags, 0, 0, 0, 0]);
        bytes.extend((28 + body.len() as u32).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_refusal_in_the_clear_is_seen_in_both_versions() {
        let v2 = message(2, 34, 41, 0x20, &[0, 0, 0, 8, 0, 0, 0, 14]);
        let layers = layers_of(&v2, dissect);
        assert_eq!(layers.ike.map(|ike| ike.notifies), Some(vec![NO_PROPOSAL_CHOSEN]));
        let v1 = message(1, 5, 11, 0, &[0, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0, 14]);
        let layers = layers_of(&v1, dissect);
        assert_eq!(layers.ike.map(|ike| ike.notifies), Some(vec![NO_PROPOSAL_CHOSEN]));
    }

    #[test]
    fn encrypted_payloads_are_left_alone_and_loops_end() {
        assert_eq!(step(&message(1, 2, 5, 1, &[0; 3]), dissect), "End");
        assert_eq!(step(&message(2, 35, 46, 8, &[0; 3]), dissect), "End");
        assert_eq!(
            step(&message(1, 2, 1, 0, &[1, 0, 0, 0]), dissect),
            "Short isakmp.payloadlength needs 4, has 0 at 28"
        );
    }
}
