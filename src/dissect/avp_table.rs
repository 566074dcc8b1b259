//! The one table of AVPs: number, name, field, and how the value is laid out (RFC 2661 section 4.4, RFC 3145).

use crate::field::{FieldDef, Kind};
use crate::fields;

/// How the value of an AVP is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Empty,
    U16,
    U32,
    U64,
    /// Four octets whose two lowest bits have names (bit 1, bit 0).
    Bits(&'static FieldDef, &'static FieldDef),
    Text,
    Octets,
    Version(&'static FieldDef),
    Result {
        error: &'static FieldDef,
        message: &'static FieldDef,
    },
    Cause {
        message: &'static FieldDef,
        advisory: &'static FieldDef,
    },
    Disconnect {
        protocol: &'static FieldDef,
        direction: &'static FieldDef,
        message: &'static FieldDef,
    },
    CallErrors {
        reserved: &'static FieldDef,
        counters: [&'static FieldDef; 6],
    },
    Accm {
        reserved: &'static FieldDef,
        receive: &'static FieldDef,
    },
}

/// One AVP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub attribute: u16,
    pub name: &'static str,
    pub field: &'static FieldDef,
    pub shape: Shape,
}

/// The number of each AVP that other modules ask for.
pub mod attribute {
    #![allow(missing_docs)]
    pub const MESSAGE_TYPE: u16 = 0;
    pub const RESULT_CODE: u16 = 1;
    pub const HOST_NAME: u16 = 7;
    pub const VENDOR_NAME: u16 = 8;
    pub const ASSIGNED_TUNNEL_ID: u16 = 9;
    pub const RECEIVE_WINDOW_SIZE: u16 = 10;
    pub const CHALLENGE: u16 = 11;
    pub const CHALLENGE_RESPONSE: u16 = 13;
    pub const ASSIGNED_SESSION_ID: u16 = 14;
    pub const CALL_SERIAL_NUMBER: u16 = 15;
    pub const SEQUENCING_REQUIRED: u16 = 39;
}

const fn row(attribute: u16, name: &'static str, field: &'static FieldDef, shape: Shape) -> Row {
    Row { attribute, name, field, shape }
}

/// The IETF's AVPs, by number.
static ROWS: &[Row] = &[
    row(0, "Message Type", &MESSAGE_TYPE, Shape::U16),
    row(1, "Result Code", &RESULT_CODE, Shape::Result { error: &ERROR_CODE, message: &ERROR_MESSAGE }),
    row(2, "Protocol Version", &PROTOCOL_VERSION, Shape::Version(&PROTOCOL_REVISION)),
    row(3, "Framing Capabilities", &FRAMING_CAPABILITIES, Shape::Bits(&ASYNC_SUPPORTED, &SYNC_SUPPORTED)),
    row(4, "Bearer Capabilities", &BEARER_CAPABILITIES, Shape::Bits(&ANALOG_SUPPORTED, &DIGITAL_SUPPORTED)),
    row(5, "Tie Breaker", &TIE_BREAKER, Shape::U64),
    row(6, "Firmware Revision", &FIRMWARE_REVISION, Shape::U16),
    row(7, "Host Name", &HOST_NAME, Shape::Text),
    row(8, "Vendor Name", &VENDOR_NAME, Shape::Text),
    row(9, "Assigned Tunnel ID", &ASSIGNED_TUNNEL_ID, Shape::U16),
    row(10, "Receive Window Size", &RECEIVE_WINDOW_SIZE, Shape::U16),
    row(11, "Challenge", &CHALLENGE, Shape::Octets),
    row(12, "Q.931 Cause Code", &CAUSE_CODE, Shape::Cause { message: &CAUSE_MESSAGE, advisory: &ADVISORY }),
    row(13, "Challenge Response", &CHALLENGE_RESPONSE, Shape::Octets),
    row(14, "Assigned Session ID", &ASSIGNED_SESSION_ID, Shape::U16),
    row(15, "Call Serial Number", &CALL_SERIAL_NUMBER, Shape::U32),
    row(16, "Minimum BPS", &MINIMUM_BPS, Shape::U32),
    row(17, "Maximum BPS", &MAXIMUM_BPS, Shape::U32),
    row(18, "Bearer Type", &BEARER_TYPE, Shape::Bits(&ANALOG_BEARER, &DIGITAL_BEARER)),
    row(19, "Framing Type", &FRAMING_TYPE, Shape::Bits(&ASYNC_FRAMING, &SYNC_FRAMING)),
    row(20, "Packet Processing Delay", &PROCESSING_DELAY, Shape::U16),
    row(21, "Called Number", &CALLED_NUMBER, Shape::Text),
    row(22, "Calling Number", &CALLING_NUMBER, Shape::Text),
    row(23, "Sub-Address", &SUB_ADDRESS, Shape::Text),
    row(24, "(Tx) Connect Speed BPS", &CONNECT_SPEED, Shape::U32),
    row(25, "Physical Channel ID", &PHYSICAL_CHANNEL, Shape::U32),
    row(26, "Initial Received LCP CONFREQ", &INITIAL_CONFREQ, Shape::Octets),
    row(27, "Last Sent LCP CONFREQ", &LAST_SENT_CONFREQ, Shape::Octets),
    row(28, "Last Received LCP CONFREQ", &LAST_RECEIVED_CONFREQ, Shape::Octets),
    row(29, "Proxy Authen Type", &PROXY_TYPE, Shape::U16),
    row(30, "Proxy Authen Name", &PROXY_NAME, Shape::Text),
    row(31, "Proxy Authen Challenge", &PROXY_CHALLENGE, Shape::Octets),
    row(32, "Proxy Authen ID", &PROXY_ID, Shape::U16),
    row(33, "Proxy Authen Response", &PROXY_RESPONSE, Shape::Octets),
    row(
        34,
        "Call Errors",
        &CALL_ERRORS,
        Shape::CallErrors {
            reserved: &CALL_ERRORS,
            counters: [
                &CRC_ERRORS,
                &FRAMING_ERRORS,
                &HARDWARE_OVERRUNS,
                &BUFFER_OVERRUNS,
                &TIME_OUT_ERRORS,
                &ALIGNMENT_ERRORS,
            ],
        },
    ),
    row(35, "ACCM", &SEND_ACCM, Shape::Accm { reserved: &ACCM_RESERVED, receive: &RECEIVE_ACCM }),
    row(36, "Random Vector", &RANDOM_VECTOR, Shape::Octets),
    row(37, "Private Group ID", &PRIVATE_GROUP_ID, Shape::Octets),
    row(38, "Rx Connect Speed", &RX_CONNECT_SPEED, Shape::U32),
    row(39, "Sequencing Required", &SEQUENCING_REQUIRED, Shape::Empty),
    row(
        46,
        "PPP Disconnect Cause Code",
        &DISCONNECT_CODE,
        Shape::Disconnect {
            protocol: &DISCONNECT_PROTOCOL,
            direction: &DISCONNECT_DIRECTION,
            message: &DISCONNECT_MESSAGE,
        },
    ),
];

/// The row of an AVP; vendors have none.
pub(crate) fn find(vendor: u16, attribute: u16) -> Option<&'static Row> {
    if vendor != 0 {
        return None;
    }
    ROWS.iter().find(|row| row.attribute == attribute)
}

/// The name of an IETF AVP.
pub fn attribute_name(attribute: u64) -> Option<&'static str> {
    find(0, u16::try_from(attribute).ok()?).map(|row| row.name)
}

fields! {
    section "RFC 2661 4.4";
    MESSAGE_TYPE = "l2tp.avp.message_type", "Message Type", Kind::Dec(16), names super::l2tp_names::message_name;
    RESULT_CODE = "l2tp.result_code", "Result code", Kind::Dec(16);
    ERROR_CODE = "l2tp.avp.error_code", "Error code", Kind::Dec(16), names super::l2tp_names::error_name;
    ERROR_MESSAGE = "l2tp.avp.error_message", "Error Message", Kind::Text;
    PROTOCOL_VERSION = "l2tp.avp.protocol_version", "Version", Kind::Dec(8);
    PROTOCOL_REVISION = "l2tp.avp.protocol_revision", "Revision", Kind::Dec(8);
    FRAMING_CAPABILITIES = "l2tp.avp.framing_capabilities", "Framing Capabilities", Kind::Hex(32);
    ASYNC_SUPPORTED = "l2tp.avp.async_framing_supported", "Async Framing Supported", Kind::Flag;
    SYNC_SUPPORTED = "l2tp.avp.sync_framing_supported", "Sync Framing Supported", Kind::Flag;
    BEARER_CAPABILITIES = "l2tp.avp.bearer_capabilities", "Bearer Capabilities", Kind::Hex(32);
    ANALOG_SUPPORTED = "l2tp.avp.analog_access_supported", "Analog Access Supported", Kind::Flag;
    DIGITAL_SUPPORTED = "l2tp.avp.digital_access_supported", "Digital Access Supported", Kind::Flag;
    TIE_BREAKER = "l2tp.tie_breaker", "Tie Breaker", Kind::Hex(64);
    FIRMWARE_REVISION = "l2tp.avp.firmware_revision", "Firmware Revision", Kind::Hex(16);
    HOST_NAME = "l2tp.avp.host_name", "Host Name", Kind::Text;
    VENDOR_NAME = "l2tp.avp.vendor_name", "Vendor Name", Kind::Text;
    ASSIGNED_TUNNEL_ID = "l2tp.avp.assigned_tunnel_id", "Assigned Tunnel ID", Kind::Dec(16);
    RECEIVE_WINDOW_SIZE = "l2tp.avp.receive_window_size", "Receive Window Size", Kind::Dec(16);
    CHALLENGE = "l2tp.avp.chap_challenge", "CHAP Challenge", Kind::Bytes;
    CAUSE_CODE = "l2tp.avp.cause_code", "Cause Code", Kind::Dec(16);
    CAUSE_MESSAGE = "l2tp.avp.cause_msg", "Cause Msg", Kind::Dec(8);
    ADVISORY = "l2tp.avp.advisory_msg", "Advisory Msg", Kind::Text;
    CHALLENGE_RESPONSE = "l2tp.avp.chap_challenge_response", "CHAP Challenge Response", Kind::Secret;
    ASSIGNED_SESSION_ID = "l2tp.avp.assigned_session_id", "Assigned Session ID", Kind::Dec(16);
    CALL_SERIAL_NUMBER = "l2tp.avp.call_serial_number", "Call Serial Number", Kind::Dec(32);
    MINIMUM_BPS = "l2tp.avp.minimum_bps", "Minimum BPS", Kind::Dec(32);
    MAXIMUM_BPS = "l2tp.avp.maximum_bps", "Maximum BPS", Kind::Dec(32);
    BEARER_TYPE = "l2tp.avp.bearer_type", "Bearer Type", Kind::Hex(32);
    ANALOG_BEARER = "l2tp.avp.analog_bearer_type", "Analog Bearer Type", Kind::Flag;
    DIGITAL_BEARER = "l2tp.avp.digital_bearer_type", "Digital Bearer Type", Kind::Flag;
    FRAMING_TYPE = "l2tp.avp.framing_type", "Framing Type", Kind::Hex(32);
    ASYNC_FRAMING = "l2tp.avp.async_framing_type", "Async Framing Type", Kind::Flag;
    SYNC_FRAMING = "l2tp.avp.sync_framing_type", "Sync Framing Type", Kind::Flag;
    PROCESSING_DELAY = "l2tp.avp.packet_processing_delay", "Packet Processing Delay", Kind::Dec(16);
    CALLED_NUMBER = "l2tp.avp.called_number", "Called Number", Kind::Text;
    CALLING_NUMBER = "l2tp.avp.calling_number", "Calling Number", Kind::Text;
    SUB_ADDRESS = "l2tp.avp.sub_address", "Sub-Address", Kind::Text;
    CONNECT_SPEED = "l2tp.avp.connect_speed", "Connect Speed", Kind::Dec(32);
    PHYSICAL_CHANNEL = "l2tp.avp.physical_channel", "Physical Channel", Kind::Dec(32);
    INITIAL_CONFREQ = "l2tp.avp.initial_received_lcp_confreq", "Initial Received LCP CONFREQ", Kind::Bytes;
    LAST_SENT_CONFREQ = "l2tp.avp.last_sent_lcp_confreq", "Last Sent LCP CONFREQ", Kind::Bytes;
    LAST_RECEIVED_CONFREQ = "l2tp.avp.last_received_lcp_confreq", "Last Received LCP CONFREQ", Kind::Bytes;
    PROXY_TYPE = "l2tp.avp.proxy_authen_type", "Proxy Authen Type", Kind::Dec(16);
    PROXY_NAME = "l2tp.avp.proxy_authen_name", "Proxy Authen Name", Kind::Text;
    PROXY_CHALLENGE = "l2tp.avp.proxy_authen_challenge", "Proxy Authen Challenge", Kind::Bytes;
    PROXY_ID = "l2tp.avp.proxy_authen_id", "Proxy Authen ID", Kind::Dec(16);
    PROXY_RESPONSE = "l2tp.avp.proxy_authen_response", "Proxy Authen Response", Kind::Secret;
    CALL_ERRORS = "l2tp.avp.call_errors_reserved", "Reserved", Kind::Hex(16);
    CRC_ERRORS = "l2tp.avp.crc_errors", "CRC Errors", Kind::Dec(32);
    FRAMING_ERRORS = "l2tp.avp.framing_errors", "Framing Errors", Kind::Dec(32);
    HARDWARE_OVERRUNS = "l2tp.avp.hardware_overruns", "Hardware Overruns", Kind::Dec(32);
    BUFFER_OVERRUNS = "l2tp.avp.buffer_overruns", "Buffer Overruns", Kind::Dec(32);
    TIME_OUT_ERRORS = "l2tp.avp.time_out_errors", "Time-out Errors", Kind::Dec(32);
    ALIGNMENT_ERRORS = "l2tp.avp.alignment_errors", "Alignment Errors", Kind::Dec(32);
    ACCM_RESERVED = "l2tp.avp.accm_reserved", "Reserved", Kind::Hex(16);
    SEND_ACCM = "l2tp.avp.send_accm", "Send ACCM", Kind::Hex(32);
    RECEIVE_ACCM = "l2tp.avp.receive_accm", "Receive ACCM", Kind::Hex(32);
    RANDOM_VECTOR = "l2tp.avp.random_vector", "Random Vector", Kind::Bytes;
    PRIVATE_GROUP_ID = "l2tp.avp.private_group_id", "Private Group ID", Kind::Bytes;
    RX_CONNECT_SPEED = "l2tp.avp.rx_connect_speed", "Rx Connect Speed", Kind::Dec(32);
    SEQUENCING_REQUIRED = "l2tp.avp.sequencing_required", "Sequencing Required", Kind::Group;
    DISCONNECT_CODE = "l2tp.avp.disconnect_code", "Disconnect Code", Kind::Dec(16), names super::l2tp_names::disconnect_name;
    DISCONNECT_PROTOCOL = "l2tp.avp.control_protocol_number", "Control Protocol Number", Kind::Hex(16);
    DISCONNECT_DIRECTION = "l2tp.avp.cause_code_direction", "Direction", Kind::Dec(8);
    DISCONNECT_MESSAGE = "l2tp.avp.cause_code_message", "Message", Kind::Text;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_avp_of_the_rfc_once() {
        let numbers: Vec<u16> = ROWS.iter().map(|row| row.attribute).collect();
        assert_eq!(numbers, (0..=39).chain([46]).collect::<Vec<_>>());
        assert!(find(9, 0).is_none());
        assert_eq!(attribute_name(46), Some("PPP Disconnect Cause Code"));
    }
}
