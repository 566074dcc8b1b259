//! TCP/IP headers compressed after Van Jacobson (RFC 1144 section 3.2), in PPP frames.
//!
//! What was left out is known only from the packets before, in their direction; so a compressed header shows what it
//! changes, and an uncompressed one is read on as the packet that it stands for.

use crate::field::{Cursor, FieldDef, Kind, Short, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Protocol, Step, ipv4};

crate::fields! {
    section "RFC 1144 3.2";
    COMPRESSED = "vjc.compressed", "Is compressed", Kind::Flag;
    CONNECTION = "vjc.connection_number", "Connection number", Kind::Dec(8);
    MASK = "vjc.change_mask", "Change mask", Kind::Hex(8);
    MASK_RESERVED = "vjc.change_mask.reserved", "Reserved", Kind::Flag;
    MASK_CONNECTION = "vjc.change_mask.connection_number", "Connection number flag", Kind::Flag;
    MASK_ID = "vjc.change_mask.ip_id", "IP ID flag", Kind::Flag;
    MASK_PUSH = "vjc.change_mask.psh", "TCP PSH flag", Kind::Flag;
    MASK_SEQUENCE = "vjc.change_mask.seq", "TCP Sequence flag", Kind::Flag;
    MASK_ACK = "vjc.change_mask.ack", "TCP Acknowledgement flag", Kind::Flag;
    MASK_WINDOW = "vjc.change_mask.win", "TCP Window flag", Kind::Flag;
    MASK_URGENT = "vjc.change_mask.urg", "TCP Urgent flag", Kind::Flag;
    CHECKSUM = "vjc.checksum", "TCP Checksum", Kind::Hex(16);
    URGENT = "vjc.urgent_pointer", "Urgent pointer", Kind::Dec(16);
    WINDOW = "vjc.delta_window", "Delta window", Kind::Dec(16);
    ACK = "vjc.delta_ack", "Delta ack", Kind::Dec(16);
    SEQUENCE = "vjc.delta_seq", "Delta seq", Kind::Dec(16);
    ID = "vjc.delta_ipid", "Delta IP ID", Kind::Dec(16);
    DATA = "vjc.tcp_data", "TCP data", Kind::Bytes;
}

const CONNECTION_BIT: u8 = 0x40;
const ID_BIT: u8 = 0x20;
const SEQUENCE_BIT: u8 = 0x08;
const ACK_BIT: u8 = 0x04;
const WINDOW_BIT: u8 = 0x02;
const URGENT_BIT: u8 = 0x01;
/// The four bits whose impossible combinations mean something else.
const SPECIAL: u8 = 0x0f;
/// Echoed interactive traffic: both numbers advance by the length of the last packet's data.
const ECHOED: u8 = 0x0b;
/// One-way data: the sequence number does.
const ONE_WAY: u8 = 0x0f;
/// Where the IP header has its Protocol field, which holds the connection number here.
const PROTOCOL_AT: usize = 9;
const TCP: u8 = 6;

static MASK_BITS: &[(&FieldDef, u8)] = &[
    (&MASK_RESERVED, 0x80),
    (&MASK_CONNECTION, CONNECTION_BIT),
    (&MASK_ID, ID_BIT),
    (&MASK_PUSH, 0x10),
    (&MASK_SEQUENCE, SEQUENCE_BIT),
    (&MASK_ACK, ACK_BIT),
    (&MASK_WINDOW, WINDOW_BIT),
    (&MASK_URGENT, URGENT_BIT),
];

/// A whole packet whose Protocol field is the connection number: TCP comes back into it in `plain`.
pub(crate) fn uncompressed<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers, plain: &mut Vec<u8>) -> Step {
    let bytes = c.peek_rest();
    let at = PROTOCOL_AT.saturating_add(1);
    c.derived(&COMPRESSED, 0);
    c.sub(&ipv4::PROTOCOL, at, crate::field::Bound::Header("the IP header"))?;
    let number = bytes.get(PROTOCOL_AT).copied().unwrap_or(0);
    c.part(&CONNECTION, 1, number.into());
    plain.extend_from_slice(bytes);
    if let Some(octet) = plain.get_mut(PROTOCOL_AT) {
        *octet = TCP;
    }
    Ok(Next::Plain { protocol: Protocol::Ipv4, payload: 0..plain.len() })
}

/// A header of changes.
pub(crate) fn compressed<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.derived(&COMPRESSED, 1);
    let mask = c.u8(&MASK)?;
    for (field, bit) in MASK_BITS {
        c.part(field, 1, u64::from(mask & bit != 0));
    }
    if mask & CONNECTION_BIT != 0 {
        c.u8(&CONNECTION)?;
    }
    c.u16(&CHECKSUM)?;
    let special = matches!(mask & SPECIAL, ECHOED | ONE_WAY);
    if !special {
        for (bit, field) in
            [(URGENT_BIT, &URGENT), (WINDOW_BIT, &WINDOW), (ACK_BIT, &ACK), (SEQUENCE_BIT, &SEQUENCE)]
        {
            if mask & bit != 0 {
                delta(c, field)?;
            }
        }
    }
    if mask & ID_BIT != 0 {
        delta(c, &ID)?;
    } else {
        c.derived(&ID, 1);
    }
    text(c, &DATA);
    Ok(Next::End)
}

/// A change of 1 to 255 in one octet; else 0 and two octets.
fn delta<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef) -> Result<(), Short> {
    let (back, value) = match c.bits8(field)? {
        0 => (3, c.bits16(field)?),
        short => (1, short.into()),
    };
    c.part(field, back, value.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};
    use crate::field::{Bound, Tree, Value};

    fn values(bytes: &[u8]) -> Vec<(&'static str, u64)> {
        let mut tree = Tree::default();
        let mut c = Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut tree);
        let _ = compressed(&mut c, &mut Layers::default());
        drop(c);
        let number = |value| match value {
            Value::Number(number) | Value::Derived(number) => Some(number),
            Value::Octets => None,
        };
        let seen = tree.nodes().iter().filter_map(|node| Some((node.field.name, number(node.value)?)));
        seen.filter(|(name, _)| !name.starts_with("vjc.change_mask.")).collect()
    }

    #[test]
    fn a_header_of_changes() {
        let all = octets("67 03 1234 05 00 0100 07 02 6162");
        layers_of(&all, compressed);
        assert_eq!(
            values(&all),
            [
                ("vjc.compressed", 1),
                ("vjc.change_mask", 0x67),
                ("vjc.connection_number", 3),
                ("vjc.checksum", 0x1234),
                ("vjc.urgent_pointer", 5),
                ("vjc.delta_window", 256),
                ("vjc.delta_ack", 7),
                ("vjc.delta_ipid", 2)
            ]
        );
        // The special cases have no deltas of their own.
        let one_way = octets("0f 1234 6162");
        assert_eq!(values(&one_way)[2..], [("vjc.checksum", 0x1234), ("vjc.delta_ipid", 1)]);
        assert_eq!(step(&octets("08 1234 00 01"), compressed), "Short vjc.delta_seq needs 2, has 1 at 4");
    }

    #[test]
    fn an_uncompressed_header_becomes_tcp_again() {
        let packet = octets("4500 0014 0001 0000 4003 0000 0a000001 0a000002");
        let mut nothing = crate::field::Nothing;
        for len in 0..=packet.len() {
            let mut plain = Vec::new();
            let mut c = Cursor::new(&packet[..len], 0, 0, Bound::Capture, false, &mut nothing);
            let next = uncompressed(&mut c, &mut Layers::default(), &mut plain);
            assert_eq!(next.is_ok(), len > PROTOCOL_AT);
            assert!(len <= PROTOCOL_AT || (plain.len() == len && plain[PROTOCOL_AT] == TCP));
        }
    }
}
