//! The AVPs of RFC 2661 section 4.4.

use super::{M, Part, Row, Shape, row};
use crate::dissect::{avp_names, l2tp_names};
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(0, "Message Type", &MESSAGE_TYPE, Shape::U16, M::One, false),
    row(
        1,
        "Result Code",
        &RESULT_CODE,
        Shape::Result {
            stop_ccn: &STOP_CCN_RESULT,
            cdn: &CDN_RESULT,
            error: &ERROR_CODE,
            message: &ERROR_MESSAGE,
        },
        M::One,
        false,
    ),
    row(2, "Protocol Version", &PROTOCOL_VERSION, Shape::Version(&PROTOCOL_REVISION), M::One, false),
    row(
        3,
        "Framing Capabilities",
        &FRAMING_CAPABILITIES,
        Shape::Bits(&ASYNC_SUPPORTED, &SYNC_SUPPORTED),
        M::One,
        true,
    ),
    row(
        4,
        "Bearer Capabilities",
        &BEARER_CAPABILITIES,
        Shape::Bits(&ANALOG_SUPPORTED, &DIGITAL_SUPPORTED),
        M::One,
        true,
    ),
    row(5, "Tie Breaker", &TIE_BREAKER, Shape::U64, M::Zero, false),
    row(6, "Firmware Revision", &FIRMWARE_REVISION, Shape::U16, M::Zero, true),
    row(7, "Host Name", &HOST_NAME, Shape::Text, M::One, false),
    row(8, "Vendor Name", &VENDOR_NAME, Shape::Text, M::Zero, true),
    row(9, "Assigned Tunnel ID", &ASSIGNED_TUNNEL_ID, Shape::U16, M::One, true),
    row(10, "Receive Window Size", &RECEIVE_WINDOW_SIZE, Shape::U16, M::One, false),
    row(11, "Challenge", &CHALLENGE, Shape::Octets, M::One, true),
    row(
        12,
        "Q.931 Cause Code",
        &CAUSE_CODE,
        Shape::Cause { message: &CAUSE_MESSAGE, advisory: &ADVISORY },
        M::One,
        false,
    ),
    row(13, "Challenge Response", &CHALLENGE_RESPONSE, Shape::Octets, M::One, true),
    row(14, "Assigned Session ID", &ASSIGNED_SESSION_ID, Shape::U16, M::One, true),
    row(15, "Call Serial Number", &CALL_SERIAL_NUMBER, Shape::U32, M::One, true),
    row(16, "Minimum BPS", &MINIMUM_BPS, Shape::U32, M::One, true),
    row(17, "Maximum BPS", &MAXIMUM_BPS, Shape::U32, M::One, true),
    row(18, "Bearer Type", &BEARER_TYPE, Shape::Bits(&ANALOG_BEARER, &DIGITAL_BEARER), M::One, true),
    row(19, "Framing Type", &FRAMING_TYPE, Shape::Bits(&ASYNC_FRAMING, &SYNC_FRAMING), M::One, true),
    row(20, "Packet Processing Delay", &PROCESSING_DELAY, Shape::U16, M::Any, true),
    row(21, "Called Number", &CALLED_NUMBER, Shape::Text, M::One, true),
    row(22, "Calling Number", &CALLING_NUMBER, Shape::Text, M::One, true),
    row(23, "Sub-Address", &SUB_ADDRESS, Shape::Text, M::One, true),
    row(24, "(Tx) Connect Speed BPS", &CONNECT_SPEED, Shape::U32, M::One, true),
    row(25, "Physical Channel ID", &PHYSICAL_CHANNEL, Shape::U32, M::Zero, true),
    row(26, "Initial Received LCP CONFREQ", &INITIAL_CONFREQ, Shape::Octets, M::Zero, true),
    row(27, "Last Sent LCP CONFREQ", &LAST_SENT_CONFREQ, Shape::Octets, M::Zero, true),
    row(28, "Last Received LCP CONFREQ", &LAST_RECEIVED_CONFREQ, Shape::Octets, M::Zero, true),
    row(29, "Proxy Authen Type", &PROXY_TYPE, Shape::U16, M::Zero, true),
    row(30, "Proxy Authen Name", &PROXY_NAME, Shape::Text, M::Zero, true),
    row(31, "Proxy Authen Challenge", &PROXY_CHALLENGE, Shape::Octets, M::Zero, true),
    row(
        32,
        "Proxy Authen ID",
        &PROXY_ID,
        Shape::Parts(&[Part::U8(&PROXY_ID_RESERVED), Part::U8(&PROXY_ID)]),
        M::Zero,
        true,
    ),
    row(33, "Proxy Authen Response", &PROXY_RESPONSE, Shape::Octets, M::Zero, true),
    row(
        34,
        "Call Errors",
        &CRC_ERRORS,
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
        M::One,
        true,
    ),
    row(
        35,
        "ACCM",
        &SEND_ACCM,
        Shape::Accm { reserved: &ACCM_RESERVED, receive: &RECEIVE_ACCM },
        M::One,
        true,
    ),
    row(36, "Random Vector", &RANDOM_VECTOR, Shape::Octets, M::One, false),
    row(37, "Private Group ID", &PRIVATE_GROUP_ID, Shape::Octets, M::Zero, true),
    row(38, "Rx Connect Speed", &RX_CONNECT_SPEED, Shape::U32, M::Zero, true),
    row(39, "Sequencing Required", &SEQUENCING_REQUIRED, Shape::Empty, M::One, false),
];

fields! {
    section "RFC 2661 4.4";
    MESSAGE_TYPE = "l2tp.avp.message_type", "Message Type", Kind::Dec(16), names l2tp_names::message_name;
    RESULT_CODE = "l2tp.result_code", "Result code", Kind::Dec(16);
    STOP_CCN_RESULT = "l2tp.result_code", "Result code", Kind::Dec(16), names l2tp_names::stop_ccn_name;
    CDN_RESULT = "l2tp.result_code", "Result code", Kind::Dec(16), names l2tp_names::cdn_name;
    ERROR_CODE = "l2tp.avp.error_code", "Error code", Kind::Dec(16), names l2tp_names::error_name;
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
    FIRMWARE_REVISION = "l2tp.avp.firmware_revision", "Firmware Revision", Kind::Dec(16);
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
    PROXY_TYPE = "l2tp.avp.proxy_authen_type", "Proxy Authen Type", Kind::Dec(16), names avp_names::proxy_name;
    PROXY_NAME = "l2tp.avp.proxy_authen_name", "Proxy Authen Name", Kind::Text;
    PROXY_CHALLENGE = "l2tp.avp.proxy_authen_challenge", "Proxy Authen Challenge", Kind::Bytes;
    PROXY_RESPONSE = "l2tp.avp.proxy_authen_response", "Proxy Authen Response", Kind::Secret;
    CALL_ERRORS = "l2tp.avp.call_errors_reserved", "Reserved", Kind::Hex(16);
    CRC_ERRORS = "l2tp.avp.crc_errors", "CRC Errors", Kind::Dec(32);
    FRAMING_ERRORS = "l2tp.avp.framing_errors", "Framing Errors", Kind::Dec(32);
    HARDWARE_OVERRUNS = "l2tp.avp.hardware_overruns", "Hardware Overruns", Kind::Dec(32);
    BUFFER_OVERRUNS = "l2tp.avp.buffer_overruns", "Buffer Overruns", Kind::Dec(32);
    TIME_OUT_ERRORS = "l2tp.avp.time_out_errors", "Time-out Errors", Kind::Dec(32);
    ALIGNMENT_ERRORS = "l2tp.avp.alignment_errors", "Alignment Errors", Kind::Dec(32);
    ACCM_RESERVED = "l2tp.avp.accm_reserved", "Reserved", Kind::Hex(16);
    SEND_ACCM = "l2tp.avp.send_accm", "Send ACCM", Kind::Dec(32);
    RECEIVE_ACCM = "l2tp.avp.receive_accm", "Receive ACCM", Kind::Dec(32);
    RANDOM_VECTOR = "l2tp.avp.random_vector", "Random Vector", Kind::Bytes;
    PRIVATE_GROUP_ID = "l2tp.avp.private_group_id", "Private Group ID", Kind::Bytes;
    RX_CONNECT_SPEED = "l2tp.avp.rx_connect_speed", "Rx Connect Speed", Kind::Dec(32);
    PROXY_ID_RESERVED = "l2tp.avp.proxy_authen_id_reserved", "Reserved", Kind::Hex(8);
    PROXY_ID = "l2tp.avp.proxy_authen_id", "Proxy Authen ID", Kind::Dec(8);
    SEQUENCING_REQUIRED = "l2tp.avp.sequencing_required", "Sequencing Required", Kind::Flag;
}
