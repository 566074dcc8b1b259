//! PPP over Ethernet: discovery and session (RFC 2516; PPP-Max-Payload RFC 4638, credits and metrics RFC 5578, access
//! line TR-101).

use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink};

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Protocol, Step};

crate::fields! {
    section "RFC 2516 4";
    VERSION = "pppoe.version", "Version", Kind::Dec(4);
    TYPE = "pppoe.type", "Type", Kind::Dec(4);
    CODE = "pppoe.code", "Code", Kind::Hex(8), names code_name;
    SESSION = "pppoe.session_id", "Session ID", Kind::Hex(16);
    LENGTH = "pppoe.payload_length", "Payload Length", Kind::Dec(16);
    BAD_LENGTH = "pppoe.payload_length.bad", "Payload Length is not the length of the payload", Kind::Flag;
    TAGS = "pppoed.tags", "PPPoE Tags", Kind::Group;
    TAG = "pppoed.tag", "Tag", Kind::Hex(16), names tag_name;
    TAG_LENGTH = "pppoed.tag_length", "Tag Length", Kind::Dec(16);
    UNKNOWN = "pppoed.tag.unknown_data", "Unknown Data", Kind::Bytes;
    SERVICE_NAME = "pppoed.tags.service_name", "Service-Name", Kind::Text;
    AC_NAME = "pppoed.tags.ac_name", "AC-Name", Kind::Text;
    HOST_UNIQ = "pppoed.tags.host_uniq", "Host-Uniq", Kind::Bytes;
    AC_COOKIE = "pppoed.tags.ac_cookie", "AC-Cookie", Kind::Bytes;
    VENDOR = "pppoed.tags.vendor_id", "Vendor ID", Kind::Dec(32);
    VENDOR_DATA = "pppoed.tags.vendor_unspecified", "Vendor unspecified", Kind::Bytes;
    VENDOR_TAGS = "pppoed.tags.vendorspecific.tags", "Vendor-Specific tags", Kind::Group;
    VENDOR_TAG = "pppoed.tags.vendorspecific.tag", "Tag", Kind::Hex(8), names line_name;
    VENDOR_TAG_LENGTH = "pppoed.tag_length_8", "Tag Length", Kind::Dec(8);
    CIRCUIT_ID = "pppoed.tags.circuit_id", "Agent Circuit ID", Kind::Text;
    REMOTE_ID = "pppoed.tags.remote_id", "Agent Remote ID", Kind::Text;
    ACTUAL_UP = "pppoed.tags.act_data_rate_up", "Actual data rate upstream", Kind::Dec(32);
    ACTUAL_DOWN = "pppoed.tags.act_data_rate_down", "Actual data rate downstream", Kind::Dec(32);
    MINIMUM_UP = "pppoed.tags.min_data_rate_up", "Minimum data rate upstream", Kind::Dec(32);
    MINIMUM_DOWN = "pppoed.tags.min_data_rate_down", "Minimum data rate downstream", Kind::Dec(32);
    ATTAINABLE_UP = "pppoed.tags.attainable_data_rate_up", "Attainable data rate upstream", Kind::Dec(32);
    ATTAINABLE_DOWN = "pppoed.tags.attainable_data_rate_down", "Attainable data rate downstream", Kind::Dec(32);
    MAXIMUM_UP = "pppoed.tags.max_data_rate_up", "Maximum data rate upstream", Kind::Dec(32);
    MAXIMUM_DOWN = "pppoed.tags.max_data_rate_down", "Maximum data rate downstream", Kind::Dec(32);
    LOW_POWER_UP = "pppoed.tags.min_data_rate_up_lp", "Minimum data rate upstream in low power state", Kind::Dec(32);
    LOW_POWER_DOWN = "pppoed.tags.min_data_rate_down_lp", "Minimum data rate downstream in low power state", Kind::Dec(32);
    MAXIMUM_DELAY_UP = "pppoed.tags.max_int_delay_up", "Maximum interleaving delay upstream", Kind::Dec(32);
    ACTUAL_DELAY_UP = "pppoed.tags.act_int_delay_up", "Actual interleaving delay upstream", Kind::Dec(32);
    MAXIMUM_DELAY_DOWN = "pppoed.tags.max_int_delay_down", "Maximum interleaving delay downstream", Kind::Dec(32);
    ACTUAL_DELAY_DOWN = "pppoed.tags.act_int_delay_down", "Actual interleaving delay downstream", Kind::Dec(32);
    ENCAPSULATION = "pppoed.tags.access_loop_encap", "Access loop encapsulation", Kind::Group;
    DATA_LINK = "pppoed.tags.access_loop_encap.data_link", "Data link", Kind::Hex(8);
    ENCAPSULATION_1 = "pppoed.tags.access_loop_encap.encap_1", "Encaps 1", Kind::Hex(8);
    ENCAPSULATION_2 = "pppoed.tags.access_loop_encap.encap_2", "Encaps 2", Kind::Hex(8);
    CREDITS = "pppoed.tags.credits", "Credits", Kind::Group;
    FCN = "pppoed.tags.credits.fcn", "Forward Credit Notification", Kind::Dec(16);
    BCN = "pppoed.tags.credits.bcn", "Backward Credit Notification", Kind::Dec(16);
    METRICS = "pppoed.tags.metrics", "Metrics", Kind::Group;
    RECEIVE_ONLY = "pppoed.tags.metrics.r", "Receive Only", Kind::Flag;
    MDR_UNITS = "pppoed.tags.metrics.mdr_units", "Units of the maximum data rate", Kind::Hex(2);
    CDR_UNITS = "pppoed.tags.metrics.cdr_units", "Units of the current data rate", Kind::Hex(2);
    QUALITY = "pppoed.tags.metrics.rlq", "Relative Link Quality", Kind::Dec(8);
    RESOURCE = "pppoed.tags.metrics.resource", "Resource", Kind::Dec(8);
    LATENCY = "pppoed.tags.metrics.latency", "Latency", Kind::Dec(16);
    CURRENT_RATE = "pppoed.tags.metrics.curr_drate", "Current data rate", Kind::Dec(16);
    MAXIMUM_RATE = "pppoed.tags.metrics.max_drate", "Maximum data rate", Kind::Dec(16);
    SEQUENCE = "pppoed.tags.seq_num", "Sequence Number", Kind::Hex(16);
    SCALE = "pppoed.tags.credit_scale", "Credit Scale Factor", Kind::Dec(16);
    RELAY = "pppoed.tags.relay_session_id", "Relay-Session-Id", Kind::Bytes;
    HURL = "pppoed.tags.hurl", "HURL", Kind::Bytes;
    MOTM = "pppoed.tags.motm", "MOTM", Kind::Bytes;
    MAX_PAYLOAD = "pppoed.tags.max_payload", "PPP-Max-Payload", Kind::Bytes;
    ROUTE = "pppoed.tags.ip_route_add", "IP Route Add", Kind::Bytes;
    NAME_ERROR = "pppoed.tags.service_name_error", "Service-Name-Error", Kind::Text;
    SYSTEM_ERROR = "pppoed.tags.ac_system_error", "AC-System-Error", Kind::Text;
    GENERIC_ERROR = "pppoed.tags.generic_error", "Generic-Error", Kind::Text;
    SESSION_TAGS = "pppoes.tags", "PPPoE Tags", Kind::Group;
    SESSION_FCN = "pppoes.tags.credits.fcn", "Forward Credit Notification", Kind::Dec(16);
    SESSION_BCN = "pppoes.tags.credits.bcn", "Backward Credit Notification", Kind::Dec(16);
}

/// What an Ethernet frame of the least size has room for behind the header: up to this, octets behind the payload are
/// padding (IEEE 802.3 clause 3.2.8).
const LEAST_PAYLOAD: usize = 40;
const END_OF_LIST: u16 = 0;
const VENDOR_SPECIFIC: u16 = 0x0105;
const CREDITS_TAG: u16 = 0x0106;
const METRICS_TAG: u16 = 0x0107;
/// The enterprise number of the Broadband Forum, whose tags describe the access line.
const BROADBAND_FORUM: u32 = 3561;
const ENCAPSULATION_TAG: u8 = 0x90;
const TAG_BOUND: Bound = Bound::Header("the tag's length");
const PAYLOAD_BOUND: Bound = Bound::Header("the PPPoE payload length");

/// Tags whose value is one field.
static SIMPLE: &[(u16, &FieldDef)] = &[
    (0x0101, &SERVICE_NAME),
    (0x0102, &AC_NAME),
    (0x0103, &HOST_UNIQ),
    (0x0104, &AC_COOKIE),
    (0x0108, &SEQUENCE),
    (0x0109, &SCALE),
    (0x0110, &RELAY),
    (0x0111, &HURL),
    (0x0112, &MOTM),
    (0x0120, &MAX_PAYLOAD),
    (0x0121, &ROUTE),
    (0x0201, &NAME_ERROR),
    (0x0202, &SYSTEM_ERROR),
    (0x0203, &GENERIC_ERROR),
];

/// Tags of the access line.
static LINE: &[(u8, &FieldDef)] = &[
    (0x01, &CIRCUIT_ID),
    (0x02, &REMOTE_ID),
    (0x81, &ACTUAL_UP),
    (0x82, &ACTUAL_DOWN),
    (0x83, &MINIMUM_UP),
    (0x84, &MINIMUM_DOWN),
    (0x85, &ATTAINABLE_UP),
    (0x86, &ATTAINABLE_DOWN),
    (0x87, &MAXIMUM_UP),
    (0x88, &MAXIMUM_DOWN),
    (0x89, &LOW_POWER_UP),
    (0x8a, &LOW_POWER_DOWN),
    (0x8b, &MAXIMUM_DELAY_UP),
    (0x8c, &ACTUAL_DELAY_UP),
    (0x8d, &MAXIMUM_DELAY_DOWN),
    (0x8e, &ACTUAL_DELAY_DOWN),
];

fn code_name(code: u64) -> Option<&'static str> {
    Some(match code {
        0x00 => "Session Data",
        0x07 => "Active Discovery Offer (PADO)",
        0x09 => "Active Discovery Initiation (PADI)",
        0x0a => "Active Discovery Session-Grant (PADG)",
        0x0b => "Active Discovery Session-Credit Response (PADC)",
        0x0c => "Active Discovery Quality (PADQ)",
        0x19 => "Active Discovery Request (PADR)",
        0x65 => "Active Discovery Session-confirmation (PADS)",
        0xa7 => "Active Discovery Terminate (PADT)",
        0xd3 => "Active Discovery Message (PADM)",
        0xd4 => "Active Discovery Network (PADN)",
        _ => return None,
    })
}

fn tag_name(tag: u64) -> Option<&'static str> {
    Some(match tag {
        0 => "End-Of-List",
        0x0105 => "Vendor-Specific",
        0x0106 => "Credits",
        0x0107 => "Metrics",
        _ => return SIMPLE.iter().find(|(known, _)| u64::from(*known) == tag).map(|(_, field)| field.label),
    })
}

fn line_name(tag: u64) -> Option<&'static str> {
    if tag == u64::from(ENCAPSULATION_TAG) {
        return Some(ENCAPSULATION.label);
    }
    LINE.iter().find(|(known, _)| u64::from(*known) == tag).map(|(_, field)| field.label)
}

/// Reads the header, and ends the cursor where the payload does: what is behind it is padding of Ethernet. Returns the
/// fault of a payload that is not all there.
fn header<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<Option<Short>, Short> {
    let first = c.bits8(&VERSION)?;
    c.part(&VERSION, 1, u64::from(first >> 4));
    c.part(&TYPE, 1, u64::from(first & 0xf));
    c.u8(&CODE)?;
    c.u16(&SESSION)?;
    let length = usize::from(c.u16(&LENGTH)?);
    let there = c.remaining();
    if !c.is_cut() && there > LEAST_PAYLOAD && there != length {
        c.derived(&BAD_LENGTH, 1);
    }
    let missing = (length > there).then(|| c.short(&TAGS, length));
    // A frame that the capture cut may still hold all of its payload.
    c.limit(length, PAYLOAD_BOUND);
    Ok(missing)
}

/// A packet of the discovery stage: tags.
pub(crate) fn discovery<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let missing = header(c)?;
    if !c.is_empty() {
        let cut = c.is_cut();
        let mut tags = c.group(&TAGS, c.remaining(), PAYLOAD_BOUND)?;
        if cut {
            tags.limit(usize::MAX, PAYLOAD_BOUND);
        }
        while !tags.is_empty() {
            if tag(&mut tags)? == END_OF_LIST {
                break;
            }
        }
    }
    missing.map_or(Ok(Next::End), Err)
}

fn tag<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<u16, Short> {
    let tag = c.u16(&TAG)?;
    let length = c.u16(&TAG_LENGTH)?;
    if tag == END_OF_LIST {
        return Ok(tag);
    }
    let simple = SIMPLE.iter().find(|(known, _)| *known == tag).map(|(_, field)| *field);
    let mut value = match tag {
        CREDITS_TAG => c.group(&CREDITS, length.into(), TAG_BOUND)?,
        METRICS_TAG => c.group(&METRICS, length.into(), TAG_BOUND)?,
        _ => c.sub(simple.unwrap_or(&UNKNOWN), length.into(), TAG_BOUND)?,
    };
    match tag {
        VENDOR_SPECIFIC => vendor(&mut value)?,
        CREDITS_TAG => {
            value.u16(&FCN)?;
            value.u16(&BCN)?;
        }
        METRICS_TAG => metrics(&mut value)?,
        _ => {
            simple.map_or(Ok(()), |field| one(&mut value, field))?;
        }
    }
    text(&mut value, &UNKNOWN);
    Ok(tag)
}

/// A value that is one field.
fn one<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef) -> Result<(), Short> {
    match field.kind {
        Kind::Dec(16) | Kind::Hex(16) => c.u16(field).map(drop),
        Kind::Dec(32) => c.u32(field).map(drop),
        _ => {
            text(c, field);
            Ok(())
        }
    }
}

fn metrics<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let flags = c.bits16(&RECEIVE_ONLY)?;
    c.part(&MDR_UNITS, 2, u64::from(flags >> 3 & 3));
    c.part(&CDR_UNITS, 2, u64::from(flags >> 1 & 3));
    c.part(&RECEIVE_ONLY, 2, u64::from(flags & 1));
    c.u8(&QUALITY)?;
    c.u8(&RESOURCE)?;
    c.u16(&LATENCY)?;
    c.u16(&CURRENT_RATE)?;
    c.u16(&MAXIMUM_RATE)?;
    Ok(())
}

fn vendor<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    // The vendor may be left out with all the rest.
    if c.is_empty() {
        return Ok(());
    }
    if c.u32(&VENDOR)? != BROADBAND_FORUM {
        text(c, &VENDOR_DATA);
        return Ok(());
    }
    if c.is_empty() {
        return Ok(());
    }
    let mut tags = c.group(&VENDOR_TAGS, c.remaining(), TAG_BOUND)?;
    while !tags.is_empty() {
        let tag = tags.u8(&VENDOR_TAG)?;
        let length = tags.u8(&VENDOR_TAG_LENGTH)?;
        if tag == ENCAPSULATION_TAG {
            let mut value = tags.group(&ENCAPSULATION, length.into(), TAG_BOUND)?;
            value.u8(&DATA_LINK)?;
            value.u8(&ENCAPSULATION_1)?;
            value.u8(&ENCAPSULATION_2)?;
            text(&mut value, &UNKNOWN);
            continue;
        }
        let known = LINE.iter().find(|(known, _)| *known == tag).map(|(_, field)| *field);
        let mut value = tags.sub(known.unwrap_or(&UNKNOWN), length.into(), TAG_BOUND)?;
        if let Some(field) = known {
            one(&mut value, field)?;
        }
        text(&mut value, &UNKNOWN);
    }
    Ok(())
}

/// A packet of the session stage: a PPP frame, before it perhaps credits (RFC 5578 section 8).
pub(crate) fn session<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    header(c)?;
    if c.peek_u16() == Some(CREDITS_TAG) && c.remaining() >= 8 {
        let mut tags = c.group(&SESSION_TAGS, 8, TAG_BOUND)?;
        tags.u16(&TAG)?;
        tags.u16(&TAG_LENGTH)?;
        tags.u16(&SESSION_FCN)?;
        tags.u16(&SESSION_BCN)?;
    }
    Ok(Next::rest(c, Protocol::Ppp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::dissect::testing::{layers_of, step};
    use crate::field::{Tree, Value};

    fn values(bytes: &[u8]) -> Vec<String> {
        let mut tree = Tree::default();
        let mut c = Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut tree);
        let _ = discovery(&mut c, &mut Layers::default());
        drop(c);
        let shown = |node: &crate::field::Node| match node.value {
            Value::Number(number) | Value::Derived(number) => format!("{}={number}", node.field.name),
            Value::Octets => {
                let octets = &bytes[node.range.start as usize..node.range.end as usize];
                format!("{}={}", node.field.name, String::from_utf8_lossy(octets))
            }
        };
        tree.nodes().iter().filter(|node| node.field.kind != Kind::Group).map(shown).collect()
    }

    /// The PADI of RFC 2516 appendix B, from its Ethernet payload on.
    #[test]
    fn the_discovery_of_the_rfc() {
        let padi = octets("1109 0000 0004 0101 0000");
        layers_of(&padi, discovery);
        assert_eq!(step(&padi, discovery), "End");
        assert_eq!(
            values(&padi),
            [
                "pppoe.version=1",
                "pppoe.type=1",
                "pppoe.code=9",
                "pppoe.session_id=0",
                "pppoe.payload_length=4",
                "pppoed.tag=257",
                "pppoed.tag_length=0"
            ]
        );
        // The PADO of the same appendix.
        let pado =
            octets("1107 0000 0020 0101 0000 0102 0018 476f20526564426163 6b202d2065736873686573686f6f74");
        layers_of(&pado, discovery);
        assert!(values(&pado).contains(&"pppoed.tags.ac_name=Go RedBack - eshshesho\u{6f}t".to_owned()));
    }

    #[test]
    fn tags_of_other_documents() {
        let hex = "1119 0000 005c \
            0103 0004 01020304 0104 0002 beef 0105 001c 00000de9 0103 6c6e32 8104 00000400 9003 000100 8506 000000010000 \
            0106 0004 00050006 0107 000a 001d 64 32 0007 0010 0020 0108 0002 0001 0109 0002 0003 0120 0002 05dc \
            0000 0000";
        let bytes = octets(hex);
        layers_of(&bytes, discovery);
        let seen = values(&bytes);
        for field in [
            "pppoed.tags.vendor_id=3561",
            "pppoed.tags.circuit_id=ln2",
            "pppoed.tags.act_data_rate_up=1024",
            "pppoed.tags.access_loop_encap.encap_1=1",
            "pppoed.tags.attainable_data_rate_up=1",
            "pppoed.tags.credits.bcn=6",
            "pppoed.tags.metrics.r=1",
            "pppoed.tags.metrics.mdr_units=3",
            "pppoed.tags.metrics.cdr_units=2",
            "pppoed.tags.metrics.max_drate=32",
            "pppoed.tags.seq_num=1",
            "pppoed.tags.credit_scale=3",
        ] {
            assert!(seen.contains(&field.to_owned()), "{field} {seen:?}");
        }
    }

    #[test]
    fn a_session_carries_a_ppp_frame_and_what_is_behind_its_length_is_padding() {
        let bytes = octets("1100 0012 0004 c021 0506 0000 0000");
        layers_of(&bytes, session);
        assert_eq!(step(&bytes, session), "Payload Ppp 6..10");
        // Seven octets: a protocol of one octet and nothing behind it.
        assert_eq!(step(&octets("1100 0012 0001 21"), session), "Payload Ppp 6..7");
        // Less than its length says: cut, or a lie.
        assert_eq!(step(&octets("1100 0012 0009 c021 0506"), session), "Payload Ppp 6..10 cut");
        let credits = octets("1100 0012 000a 0106 0004 0001 0002 0021");
        layers_of(&credits, session);
        assert_eq!(step(&credits, session), "Payload Ppp 14..16");
    }

    #[test]
    fn a_tag_past_the_payload_stops_the_walk_and_keeps_what_was_before() {
        let bytes = octets("1109 0000 000c 0103 0002 aabb 0101 0007 6162");
        assert_eq!(step(&bytes, discovery), "Short pppoed.tags.service_name needs 7, has 2 at 16");
        assert!(values(&bytes).iter().any(|field| field.starts_with("pppoed.tags.host_uniq")));
        // Octets behind the payload do not lengthen the last tag.
        let padded = octets("1109 0000 0005 0101 0002 61 6263 00");
        assert_eq!(step(&padded, discovery), "Short pppoed.tags.service_name needs 2, has 1 at 10");
        assert_eq!(
            step(&octets("1109 0000 0003 0101 00"), discovery),
            "Short pppoed.tag_length needs 2, has 1 at 8"
        );
        // Tags inside a tag cannot leave it.
        let inside = octets("1109 0000 000d 0105 0009 00000de9 0109 6c6e32");
        assert_eq!(step(&inside, discovery), "Short pppoed.tags.circuit_id needs 9, has 3 at 16");
    }
}
