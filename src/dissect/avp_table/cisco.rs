//! The AVPs of Cisco (vendor 9), which its drafts of L2TPv3 used before RFC 3931 gave them numbers.

use super::{Bits, M, Part, Row, Shape, row};
use crate::dissect::avp_names;
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(0, "Cisco ACK", &CISCO_ACK, Shape::Octets, M::Any, true),
    row(1, "Assigned Connection ID", &CONNECTION_ID, Shape::U32, M::Any, true),
    row(2, "Pseudowire Capabilities List", &PW_TYPE, Shape::List(&[], &[Part::U16(&PW_TYPE)]), M::Any, true),
    row(3, "Local Session ID", &LOCAL_SESSION_ID, Shape::U32, M::Any, true),
    row(4, "Remote Session ID", &REMOTE_SESSION_ID, Shape::U32, M::Any, true),
    row(5, "Assigned Cookie", &COOKIE, Shape::Octets, M::Any, true),
    row(6, "Remote End ID", &REMOTE_END_ID, Shape::Text, M::Any, true),
    row(7, "Pseudowire Type", &PSEUDOWIRE_TYPE, Shape::U16, M::Any, true),
    row(
        8,
        "Circuit Status",
        &CIRCUIT,
        Shape::Parts(&[Part::Word(&CIRCUIT, &[Bits(&CIRCUIT_STATUS, 0, 1), Bits(&CIRCUIT_TYPE, 1, 1)])]),
        M::Any,
        true,
    ),
    row(9, "Session Tie Breaker", &TIE_BREAKER, Shape::U64, M::Any, true),
    row(10, "Draft AVP Version", &DRAFT_VERSION, Shape::U16, M::Any, true),
    row(12, "Message Digest", &DIGEST, Shape::Octets, M::Any, true),
    row(13, "Control Message Authentication Nonce", &NONCE, Shape::Octets, M::Any, true),
    row(14, "Interface MTU", &MTU, Shape::U16, M::Any, true),
];

fields! {
    section "Cisco draft of L2TPv3";
    CISCO_ACK = "l2tp.cisco.ack", "Cisco ACK", Kind::Bytes;
    CONNECTION_ID = "l2tp.cisco.assigned_control_connection_id", "Assigned Control Connection ID", Kind::Dec(32);
    PW_TYPE = "l2tp.cisco.pw_type", "PW Type", Kind::Dec(16), names avp_names::pseudowire_name;
    LOCAL_SESSION_ID = "l2tp.cisco.local_session_id", "Local Session ID", Kind::Dec(32);
    REMOTE_SESSION_ID = "l2tp.cisco.remote_session_id", "Remote Session ID", Kind::Dec(32);
    COOKIE = "l2tp.cisco.assigned_cookie", "Assigned Cookie", Kind::Bytes;
    REMOTE_END_ID = "l2tp.cisco.remote_end_id", "Remote End ID", Kind::Text;
    PSEUDOWIRE_TYPE = "l2tp.cisco.pseudowire_type", "Pseudowire Type", Kind::Dec(16), names avp_names::pseudowire_name;
    CIRCUIT = "l2tp.cisco.circuit", "Circuit Status word", Kind::Hex(16);
    CIRCUIT_STATUS = "l2tp.cisco.circuit_status", "Circuit Status", Kind::Flag, names avp_names::circuit_status_name;
    CIRCUIT_TYPE = "l2tp.cisco.circuit_type", "Circuit Type", Kind::Flag, names avp_names::circuit_type_name;
    TIE_BREAKER = "l2tp.cisco.tie_breaker", "Tie Breaker", Kind::Hex(64);
    DRAFT_VERSION = "l2tp.cisco.draft_avp_version", "Draft AVP Version", Kind::Dec(16);
    DIGEST = "l2tp.cisco.message_digest", "Message Digest", Kind::Secret;
    NONCE = "l2tp.cisco.nonce", "Nonce", Kind::Bytes;
    MTU = "l2tp.cisco.interface_mtu", "Interface MTU", Kind::Dec(16);
}
