//! Link-Quality-Reports (RFC 1989 section 2.6), and what is known of Shiva's SPAP.

use crate::field::{Cursor, FieldDef, Kind, Sink};

use super::layers::Layers;
use super::ppp::{bounded, text};
use super::{Next, Step};

crate::fields! {
    section "RFC 1989 2.6";
    MAGIC = "lqr.magic_number", "Magic-Number", Kind::Hex(32);
    LAST_OUT_LQRS = "lqr.last_out_lqrs", "LastOutLQRs", Kind::Dec(32);
    LAST_OUT_PACKETS = "lqr.last_out_packets", "LastOutPackets", Kind::Dec(32);
    LAST_OUT_OCTETS = "lqr.last_out_octets", "LastOutOctets", Kind::Dec(32);
    PEER_IN_LQRS = "lqr.peer_in_lqrs", "PeerInLQRs", Kind::Dec(32);
    PEER_IN_PACKETS = "lqr.peer_in_packets", "PeerInPackets", Kind::Dec(32);
    PEER_IN_DISCARDS = "lqr.peer_in_discards", "PeerInDiscards", Kind::Dec(32);
    PEER_IN_ERRORS = "lqr.peer_in_errors", "PeerInErrors", Kind::Dec(32);
    PEER_IN_OCTETS = "lqr.peer_in_octets", "PeerInOctets", Kind::Dec(32);
    PEER_OUT_LQRS = "lqr.peer_out_lqrs", "PeerOutLQRs", Kind::Dec(32);
    PEER_OUT_PACKETS = "lqr.peer_out_packets", "PeerOutPackets", Kind::Dec(32);
    PEER_OUT_OCTETS = "lqr.peer_out_octets", "PeerOutOctets", Kind::Dec(32);
    REST = "lqr.data", "Data", Kind::Bytes;
    SPAP_CODE = "spap.code", "Code", Kind::Dec(8);
    SPAP_IDENTIFIER = "spap.identifier", "Identifier", Kind::Dec(8);
    SPAP_LENGTH = "spap.length", "Length", Kind::Dec(16);
    // It may be a password that was reversibly scrambled.
    SPAP_DATA = "spap.data", "Data", Kind::Secret;
}

static COUNTERS: &[&FieldDef] = &[
    &MAGIC,
    &LAST_OUT_LQRS,
    &LAST_OUT_PACKETS,
    &LAST_OUT_OCTETS,
    &PEER_IN_LQRS,
    &PEER_IN_PACKETS,
    &PEER_IN_DISCARDS,
    &PEER_IN_ERRORS,
    &PEER_IN_OCTETS,
    &PEER_OUT_LQRS,
    &PEER_OUT_PACKETS,
    &PEER_OUT_OCTETS,
];

/// Reads a report: counters, without Code, Identifier and Length.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    for counter in COUNTERS {
        c.u32(counter)?;
    }
    text(c, &REST);
    Ok(Next::End)
}

/// Reads the header of an SPAP packet; what it holds was never published.
pub(crate) fn spap<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.u8(&SPAP_CODE)?;
    c.u8(&SPAP_IDENTIFIER)?;
    let length = c.u16(&SPAP_LENGTH)?;
    bounded(c, &SPAP_LENGTH, length, |c| {
        text(c, &SPAP_DATA);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn reports_are_twelve_numbers() {
        let report: Vec<u8> = (0..48).collect();
        layers_of(&report, dissect);
        assert_eq!(step(&report, dissect), "End");
        assert_eq!(step(&report[..46], dissect), "Short lqr.peer_out_octets needs 4, has 2 at 44");
    }

    #[test]
    fn spap_is_named() {
        let packet = octets("01 02 0006 abcd");
        layers_of(&packet, spap);
        assert_eq!(step(&packet, spap), "End");
        assert_eq!(step(&octets("01 02 0003"), spap), "Short spap.length needs 4, has 3 at 4");
    }
}
