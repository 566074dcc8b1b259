//! The AVPs of the extensions that came before L2TPv3: RFC 3145, 3301, 3308, 3437, 3573 and 3817.

use super::{Bits, M, Part, Row, Shape, row};
use crate::dissect::{avp_names, l2tp_names};
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(40, "Rx Minimum BPS", &RX_MINIMUM_BPS, Shape::U32, M::Zero, true),
    row(41, "Rx Maximum BPS", &RX_MAXIMUM_BPS, Shape::U32, M::Zero, true),
    row(
        42,
        "Service Category",
        &SERVICE_CATEGORY,
        Shape::Parts(&[Part::Word(&SERVICE_CATEGORY, &[Bits(&REAL_TIME, 0, 1)])]),
        M::Zero,
        true,
    ),
    row(43, "Service Name", &SERVICE_NAME, Shape::Text, M::Zero, true),
    row(44, "Calling Sub-Address", &CALLING_SUB_ADDRESS, Shape::Octets, M::Zero, true),
    row(
        45,
        "VPI/VCI Identifier",
        &VPI,
        Shape::Parts(&[Part::Word(&VPI_WORD, &[Bits(&VPI, 0, 0xfff)]), Part::U16(&VCI)]),
        M::Zero,
        true,
    ),
    row(
        46,
        "PPP Disconnect Cause Code",
        &DISCONNECT_CODE,
        Shape::Disconnect {
            protocol: &DISCONNECT_PROTOCOL,
            direction: &DISCONNECT_DIRECTION,
            message: &DISCONNECT_MESSAGE,
        },
        M::Zero,
        true,
    ),
    row(47, "Control Connection DS (CCDS)", &CONTROL_CONNECTION_DS, Shape::U16, M::Zero, true),
    row(48, "Session DS (SDS)", &SESSION_DS, Shape::U16, M::Zero, true),
    row(49, "LCP Want Options", &LCP_WANT_OPTIONS, Shape::Octets, M::Any, true),
    row(50, "LCP Allow Options", &LCP_ALLOW_OPTIONS, Shape::Octets, M::Any, true),
    row(51, "LNS Last Sent LCP Confreq", &LNS_LAST_SENT, Shape::Octets, M::Any, true),
    row(52, "LNS Last Received LCP Confreq", &LNS_LAST_RECEIVED, Shape::Octets, M::Any, true),
    row(53, "Modem On-Hold Capable", &MODEM_ON_HOLD_CAPABLE, Shape::Empty, M::Zero, true),
    row(
        54,
        "Modem On-Hold Status",
        &MODEM_ON_HOLD,
        Shape::Parts(&[Part::Word(&MODEM_ON_HOLD, &[Bits(&HOLD, 15, 1), Bits(&HOLD_TIMEOUT, 0, 0xf)])]),
        M::Zero,
        true,
    ),
    row(55, "PPPoE Relay", &PPPOE_RELAY, Shape::Octets, M::Any, true),
    row(56, "PPPoE Relay Response Capability", &PPPOE_RESPONSE, Shape::Empty, M::Any, true),
    row(57, "PPPoE Relay Forward Capability", &PPPOE_FORWARD, Shape::Empty, M::Any, true),
];

fields! {
    section "RFC 3145";
    RX_MINIMUM_BPS = "l2tp.avp.rx_minimum_bps", "Rx Minimum BPS", Kind::Dec(32), section "RFC 3301";
    RX_MAXIMUM_BPS = "l2tp.avp.rx_maximum_bps", "Rx Maximum BPS", Kind::Dec(32), section "RFC 3301";
    SERVICE_CATEGORY = "l2tp.avp.service_category", "Service Category", Kind::Hex(16), section "RFC 3301";
    REAL_TIME = "l2tp.avp.service_category.real_time", "Real time", Kind::Flag, section "RFC 3301";
    SERVICE_NAME = "l2tp.avp.service_name", "Service Name", Kind::Text, section "RFC 3301";
    CALLING_SUB_ADDRESS = "l2tp.avp.calling_sub_address", "Calling Sub-Address", Kind::Bytes, section "RFC 3301";
    VPI_WORD = "l2tp.avp.vpi_word", "Reserved and VPI", Kind::Hex(16), section "RFC 3301";
    VPI = "l2tp.avp.vpi", "VPI", Kind::Dec(16), section "RFC 3301";
    VCI = "l2tp.avp.vci", "VCI", Kind::Dec(16), section "RFC 3301";
    DISCONNECT_CODE = "l2tp.avp.disconnect_code", "Disconnect Code", Kind::Dec(16), names l2tp_names::disconnect_name;
    DISCONNECT_PROTOCOL = "l2tp.avp.control_protocol_number", "Control Protocol Number", Kind::Dec(16);
    DISCONNECT_MESSAGE = "l2tp.avp.cause_code_message", "Message", Kind::Text;
    DISCONNECT_DIRECTION = "l2tp.avp.cause_code_direction", "Direction", Kind::Dec(8), names avp_names::direction_name;
    CONTROL_CONNECTION_DS = "l2tp.avp.ccds", "PHB code of the control connection", Kind::Hex(16), section "RFC 3308";
    SESSION_DS = "l2tp.avp.sds", "PHB code of the session", Kind::Hex(16), section "RFC 3308";
    LCP_WANT_OPTIONS = "l2tp.avp.lcp_want_options", "LCP Want Options", Kind::Bytes, section "RFC 3437";
    LCP_ALLOW_OPTIONS = "l2tp.avp.lcp_allow_options", "LCP Allow Options", Kind::Bytes, section "RFC 3437";
    LNS_LAST_SENT = "l2tp.avp.lns_last_sent_lcp_confreq", "LNS Last Sent LCP Confreq", Kind::Bytes, section "RFC 3437";
    LNS_LAST_RECEIVED = "l2tp.avp.lns_last_received_lcp_confreq", "LNS Last Received LCP Confreq", Kind::Bytes, section "RFC 3437";
    MODEM_ON_HOLD_CAPABLE = "l2tp.avp.modem_on_hold_capable", "Modem On-Hold Capable", Kind::Flag, section "RFC 3573";
    MODEM_ON_HOLD = "l2tp.avp.modem_on_hold_status", "Modem On-Hold Status", Kind::Hex(16), section "RFC 3573";
    HOLD = "l2tp.avp.modem_on_hold_status.hold", "Hold", Kind::Flag, section "RFC 3573";
    HOLD_TIMEOUT = "l2tp.avp.modem_on_hold_status.timeout", "Timeout", Kind::Dec(8), names avp_names::hold_timeout_name, section "RFC 3573";
    PPPOE_RELAY = "l2tp.avp.pppoe_relay", "PPPoE Relay", Kind::Bytes, section "RFC 3817";
    PPPOE_RESPONSE = "l2tp.avp.pppoe_relay_response_capability", "PPPoE Relay Response Capability", Kind::Flag, section "RFC 3817";
    PPPOE_FORWARD = "l2tp.avp.pppoe_relay_forward_capability", "PPPoE Relay Forward Capability", Kind::Flag, section "RFC 3817";
}
