//! The header of IPX (XNS' Internet Datagram Protocol with Novell's numbers, RFC 1132 section 2) and that of NBF
//! (IBM's NetBIOS frames, RFC 2097 section 2), as far as PPP carries them.

use crate::field::{Cursor, FieldDef, Kind, Short, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Step};

crate::fields! {
    section "RFC 1132 2";
    CHECKSUM = "ipx.checksum", "Checksum", Kind::Hex(16);
    LENGTH = "ipx.len", "Length", Kind::Dec(16);
    HOPS = "ipx.hops", "Transport Control (Hops)", Kind::Dec(8);
    TYPE = "ipx.packet_type", "Packet Type", Kind::Hex(8), names type_name;
    DESTINATION_NETWORK = "ipx.dst.net", "Destination Network", Kind::Hex(32);
    DESTINATION_NODE = "ipx.dst.node", "Destination Node", Kind::Mac;
    DESTINATION_SOCKET = "ipx.dst.socket", "Destination Socket", Kind::Hex(16), names socket_name;
    SOURCE_NETWORK = "ipx.src.net", "Source Network", Kind::Hex(32);
    SOURCE_NODE = "ipx.src.node", "Source Node", Kind::Mac;
    SOURCE_SOCKET = "ipx.src.socket", "Source Socket", Kind::Hex(16), names socket_name;
    DATA = "ipx.data", "Data", Kind::Bytes;
    NBF_LENGTH = "netbios.hdr_len", "Length", Kind::Dec(16);
    NBF_DELIMITER = "netbios.delimiter", "Delimiter", Kind::Hex(16);
    NBF_COMMAND = "netbios.command", "Command", Kind::Hex(8), names command_name;
    NBF_OPTION = "netbios.data1", "Optional Data 1", Kind::Hex(8);
    NBF_OPTION_2 = "netbios.data2", "Optional Data 2", Kind::Hex(16);
    NBF_TRANSMIT = "netbios.xmit_corrl", "Transmit Correlator", Kind::Hex(16);
    NBF_RESPONSE = "netbios.resp_corrl", "Response Correlator", Kind::Hex(16);
    NBF_DATA = "netbios.data", "Data", Kind::Bytes;
}

fn type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        0 => "Regular",
        1 => "RIP",
        2 => "Echo",
        3 => "Error",
        4 => "PEP",
        5 => "SPX",
        17 => "NCP",
        20 => "NetBIOS Broadcast",
        _ => return None,
    })
}

fn socket_name(socket: u64) -> Option<&'static str> {
    Some(match socket {
        0x0451 => "NCP",
        0x0452 => "SAP",
        0x0453 => "RIP",
        0x0455 => "NetBIOS",
        0x0456 => "Diagnostics",
        0x0457 => "Serialization",
        _ => return None,
    })
}

fn command_name(command: u64) -> Option<&'static str> {
    Some(match command {
        0x00 => "Add Group Query",
        0x01 => "Add Name Query",
        0x02 => "Name In Conflict",
        0x03 => "Status Query",
        0x07 => "Terminate Trace",
        0x08 => "Datagram",
        0x09 => "Broadcast Datagram",
        0x0a => "Name Query",
        0x0d => "Add Name Response",
        0x0e => "Name Recognized",
        0x0f => "Status Response",
        0x14 => "Data Ack",
        0x15 => "Data First Middle",
        0x16 => "Data Only Last",
        0x17 => "Session Confirm",
        0x18 => "Session End",
        0x19 => "Session Initialize",
        0x1a => "No Receive",
        0x1b => "Receive Outstanding",
        0x1c => "Receive Continue",
        0x1f => "Session Alive",
        _ => return None,
    })
}

/// Reads an IPX header.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.u16(&CHECKSUM)?;
    c.u16(&LENGTH)?;
    c.u8(&HOPS)?;
    c.u8(&TYPE)?;
    c.u32(&DESTINATION_NETWORK)?;
    c.octets(&DESTINATION_NODE, 6)?;
    c.u16(&DESTINATION_SOCKET)?;
    c.u32(&SOURCE_NETWORK)?;
    c.octets(&SOURCE_NODE, 6)?;
    c.u16(&SOURCE_SOCKET)?;
    text(c, &DATA);
    Ok(Next::End)
}

/// Reads an NBF header, whose numbers have their least octet first.
pub(crate) fn nbf<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    little(c, &NBF_LENGTH)?;
    little(c, &NBF_DELIMITER)?;
    c.u8(&NBF_COMMAND)?;
    c.u8(&NBF_OPTION)?;
    little(c, &NBF_OPTION_2)?;
    little(c, &NBF_TRANSMIT)?;
    little(c, &NBF_RESPONSE)?;
    text(c, &NBF_DATA);
    Ok(Next::End)
}

fn little<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef) -> Result<(), Short> {
    let value = c.bits16(field)?.swap_bytes();
    c.part(field, 2, value.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn headers_are_read_to_their_end() {
        // A query for the nearest server.
        let query = octets("ffff 0022 00 04 00000001 ffffffffffff 0452 00000002 000000000001 4000 0003 0004");
        layers_of(&query, dissect);
        assert_eq!(step(&query, dissect), "End");
        assert_eq!(step(&query[..29], dissect), "Short ipx.src.socket needs 2, has 1 at 28");
        let alive = octets("0e00 ffef 1f 00 0000 0000 0000 01 02");
        layers_of(&alive, nbf);
        assert_eq!(step(&alive, nbf), "End");
        assert_eq!(step(&alive[..11], nbf), "Short netbios.resp_corrl needs 2, has 1 at 10");
    }
}
