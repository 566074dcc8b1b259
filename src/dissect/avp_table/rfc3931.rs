//! The AVPs of L2TPv3 (RFC 3931 section 5.4) and of what was defined since.

use super::{Bits, M, Part, Row, Shape, row};
use crate::dissect::avp_names;
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(
        58,
        "Extended Vendor ID",
        &EXTENDED_VENDOR,
        Shape::Parts(&[
            Part::U32(&EXTENDED_VENDOR),
            Part::U16(&EXTENDED_TYPE),
            Part::Octets(&EXTENDED_VALUE),
        ]),
        M::Zero,
        true,
    ),
    row(59, "Message Digest", &MESSAGE_DIGEST, Shape::Digest { kind: &DIGEST_TYPE }, M::Any, false),
    row(60, "Router ID", &ROUTER_ID, Shape::U32, M::Any, false),
    row(61, "Assigned Control Connection ID", &CONTROL_CONNECTION_ID, Shape::U32, M::Any, true),
    row(62, "Pseudowire Capabilities List", &PW_TYPE, Shape::List(&[], &[Part::U16(&PW_TYPE)]), M::Any, true),
    row(63, "Local Session ID", &LOCAL_SESSION_ID, Shape::U32, M::Any, true),
    row(64, "Remote Session ID", &REMOTE_SESSION_ID, Shape::U32, M::Any, true),
    row(65, "Assigned Cookie", &ASSIGNED_COOKIE, Shape::Octets, M::Any, true),
    row(66, "Remote End ID", &REMOTE_END_ID, Shape::Text, M::Any, true),
    row(68, "Pseudowire Type", &PSEUDOWIRE_TYPE, Shape::U16, M::Any, true),
    row(69, "L2-Specific Sublayer", &SUBLAYER, Shape::U16, M::Any, true),
    row(70, "Data Sequencing", &DATA_SEQUENCING, Shape::U16, M::Any, true),
    row(
        71,
        "Circuit Status",
        &CIRCUIT,
        Shape::Parts(&[Part::Word(&CIRCUIT, &[Bits(&CIRCUIT_STATUS, 0, 1), Bits(&CIRCUIT_TYPE, 1, 1)])]),
        M::Any,
        true,
    ),
    row(72, "Preferred Language", &PREFERRED_LANGUAGE, Shape::Text, M::Any, true),
    row(73, "Control Message Authentication Nonce", &NONCE, Shape::Octets, M::Any, false),
    row(74, "Tx Connect Speed BPS (v3)", &TX_SPEED, Shape::U64, M::Any, true),
    row(75, "Rx Connect Speed BPS (v3)", &RX_SPEED, Shape::U64, M::Any, true),
    row(
        76,
        "Failover Capability",
        &FAILOVER,
        Shape::Parts(&[
            Part::Word(&FAILOVER, &[Bits(&FAILOVER_DATA, 1, 1), Bits(&FAILOVER_CONTROL, 0, 1)]),
            Part::U32(&RECOVERY_TIME),
        ]),
        M::Zero,
        true,
    ),
    row(
        77,
        "Tunnel Recovery",
        &RECOVER_TUNNEL,
        Shape::Parts(&[Part::U16(&RESERVED), Part::U32(&RECOVER_TUNNEL), Part::U32(&RECOVER_REMOTE)]),
        M::One,
        false,
    ),
    row(
        78,
        "Suggested Control Sequence",
        &SUGGESTED_NS,
        Shape::Parts(&[Part::U16(&RESERVED), Part::U16(&SUGGESTED_NS), Part::U16(&SUGGESTED_NR)]),
        M::Zero,
        true,
    ),
    row(
        79,
        "Failover Session State",
        &STATE_SESSION,
        Shape::Parts(&[Part::U16(&RESERVED), Part::U32(&STATE_SESSION), Part::U32(&STATE_REMOTE)]),
        M::One,
        true,
    ),
    row(80, "Multicast Capability", &MULTICAST, Shape::Empty, M::Zero, true),
    row(
        81,
        "New Outgoing Sessions",
        &NEW_OUTGOING,
        Shape::List(&[], &[Part::U16(&NEW_OUTGOING)]),
        M::One,
        true,
    ),
    row(
        82,
        "New Outgoing Sessions Acknowledgement",
        &NEW_OUTGOING_ACK,
        Shape::List(&[], &[Part::U16(&NEW_OUTGOING_ACK)]),
        M::One,
        true,
    ),
    row(83, "Withdraw Outgoing Sessions", &WITHDRAW, Shape::List(&[], &[Part::U16(&WITHDRAW)]), M::One, true),
    row(84, "Multicast Packets Priority", &MULTICAST_PRIORITY, Shape::U16, M::Zero, true),
    row(85, "Frame-Relay Header Length", &FR_HEADER_LENGTH, Shape::U16, M::Any, true),
    row(86, "ATM Maximum Concatenated Cells", &ATM_MAXIMUM_CELLS, Shape::U16, M::Any, true),
    row(87, "OAM Emulation Required", &OAM_EMULATION, Shape::Empty, M::Any, true),
    row(
        88,
        "ATM Alarm Status",
        &ATM_STATUS,
        Shape::Parts(&[Part::U16(&ATM_STATUS), Part::U16(&ATM_ALARM)]),
        M::Any,
        true,
    ),
    row(89, "Attachment Group Identifier", &GROUP_IDENTIFIER, Shape::Octets, M::Any, true),
    row(90, "Local End Identifier", &LOCAL_END, Shape::Octets, M::Any, true),
    row(91, "Interface MTU", &INTERFACE_MTU, Shape::U16, M::Any, true),
    row(92, "FCS Retention", &FCS_RETENTION, Shape::U16, M::Any, true),
    row(93, "Tunnel Switching Aggregator ID", &AGGREGATOR, Shape::Octets, M::Any, true),
    row(94, "Maximum Receive Unit (MRU)", &MRU, Shape::U16, M::Any, true),
    row(95, "Maximum Reassembled Receive Unit (MRRU)", &MRRU, Shape::U16, M::Any, true),
    row(
        96,
        "VCCV Capability",
        &VCCV_CC,
        Shape::Parts(&[Part::U8(&VCCV_CC), Part::U8(&VCCV_CV)]),
        M::Zero,
        true,
    ),
    row(
        97,
        "Connect Speed Update",
        &SPEED_UPDATE,
        Shape::SpeedUpdate {
            v2: &[
                Part::U16(&SPEED_RESERVED),
                Part::U16(&SPEED_SESSION),
                Part::U32(&SPEED_TX),
                Part::U32(&SPEED_RX),
            ],
            v3: &[Part::U32(&SPEED_SESSION3), Part::U64(&SPEED_TX64), Part::U64(&SPEED_RX64)],
        },
        M::Any,
        true,
    ),
    row(98, "Connect Speed Update Enable", &SPEED_UPDATE_ENABLE, Shape::Empty, M::Any, true),
    row(99, "TDM Pseudowire", &TDM, Shape::Octets, M::Any, true),
    row(100, "RTP", &RTP, Shape::Octets, M::Any, true),
    row(101, "PW Switching Point", &SWITCHING_POINT, Shape::Octets, M::Any, true),
    row(102, "S-BFD Target Discriminator ID", &SBFD, Shape::List(&[], &[Part::U32(&SBFD)]), M::Zero, true),
];

fields! {
    section "RFC 3931 5.4";
    EXTENDED_VENDOR = "l2tp.avp.extended_vendor_id", "Extended Vendor ID", Kind::Dec(32), names avp_names::vendor_name, section "RFC 3931 5.2";
    EXTENDED_TYPE = "l2tp.avp.extended_type", "Extended Attribute Type", Kind::Dec(16), section "RFC 3931 5.2";
    EXTENDED_VALUE = "l2tp.avp.extended_value", "Extended Attribute Value", Kind::Bytes, section "RFC 3931 5.2";
    MESSAGE_DIGEST = "l2tp.avp.message_digest", "Message Digest", Kind::Secret, section "RFC 3931 5.4.1";
    DIGEST_TYPE = "l2tp.avp.digest_type", "Digest Type", Kind::Dec(8), names avp_names::digest_name, section "RFC 3931 5.4.1";
    ROUTER_ID = "l2tp.avp.router_id", "Router ID", Kind::Dec(32), section "RFC 3931 5.4.3";
    CONTROL_CONNECTION_ID = "l2tp.avp.assigned_control_conn_id", "Assigned Control Connection ID", Kind::Dec(32), section "RFC 3931 5.4.3";
    PW_TYPE = "l2tp.avp.pw_type", "PW Type", Kind::Dec(16), names avp_names::pseudowire_name, section "RFC 3931 5.4.3";
    LOCAL_SESSION_ID = "l2tp.avp.local_session_id", "Local Session ID", Kind::Dec(32), section "RFC 3931 5.4.4";
    REMOTE_SESSION_ID = "l2tp.avp.remote_session_id", "Remote Session ID", Kind::Dec(32), section "RFC 3931 5.4.4";
    ASSIGNED_COOKIE = "l2tp.avp.assigned_cookie", "Assigned Cookie", Kind::Bytes, section "RFC 3931 5.4.4";
    REMOTE_END_ID = "l2tp.avp.remote_end_id", "Remote End ID", Kind::Text, section "RFC 3931 5.4.4";
    PSEUDOWIRE_TYPE = "l2tp.avp.pseudowire_type", "Pseudowire Type", Kind::Dec(16), names avp_names::pseudowire_name, section "RFC 3931 5.4.4";
    SUBLAYER = "l2tp.avp.layer2_specific_sublayer", "Layer2 Specific Sublayer", Kind::Dec(16), names avp_names::sublayer_name, section "RFC 3931 5.4.4";
    DATA_SEQUENCING = "l2tp.avp.data_sequencing", "Data Sequencing", Kind::Dec(16), names avp_names::data_sequencing_name, section "RFC 3931 5.4.4";
    CIRCUIT = "l2tp.avp.circuit", "Circuit Status word", Kind::Hex(16), section "RFC 3931 5.4.5";
    CIRCUIT_STATUS = "l2tp.avp.circuit_status", "Circuit Status", Kind::Flag, names avp_names::circuit_status_name, section "RFC 3931 5.4.5";
    CIRCUIT_TYPE = "l2tp.avp.circuit_type", "Circuit Type", Kind::Flag, names avp_names::circuit_type_name, section "RFC 3931 5.4.5";
    PREFERRED_LANGUAGE = "l2tp.avp.preferred_language", "Preferred Language", Kind::Text, section "RFC 3931 5.4.3";
    NONCE = "l2tp.avp.nonce", "Nonce", Kind::Bytes, section "RFC 3931 5.4.1";
    TX_SPEED = "l2tp.avp.tx_connect_speed_v3", "Tx Connect Speed v3", Kind::Hex(64), section "RFC 3931 5.4.4";
    RX_SPEED = "l2tp.avp.rx_connect_speed_v3", "Rx Connect Speed v3", Kind::Hex(64), section "RFC 3931 5.4.4";
    RESERVED = "l2tp.avp.failover_reserved", "Reserved", Kind::Hex(16), section "RFC 4951 5";
    FAILOVER = "l2tp.avp.failover_capability", "Failover Capability", Kind::Hex(16), section "RFC 4951 5.1";
    FAILOVER_DATA = "l2tp.avp.failover_capability.data", "D (data channel)", Kind::Flag, section "RFC 4951 5.1";
    FAILOVER_CONTROL = "l2tp.avp.failover_capability.control", "C (control channel)", Kind::Flag, section "RFC 4951 5.1";
    RECOVERY_TIME = "l2tp.avp.recovery_time", "Recovery Time (ms)", Kind::Dec(32), section "RFC 4951 5.1";
    RECOVER_TUNNEL = "l2tp.avp.recover_tunnel_id", "Recover Tunnel ID", Kind::Dec(32), section "RFC 4951 5.2";
    RECOVER_REMOTE = "l2tp.avp.recover_remote_tunnel_id", "Recover Remote Tunnel ID", Kind::Dec(32), section "RFC 4951 5.2";
    SUGGESTED_NS = "l2tp.avp.suggested_ns", "Suggested Ns", Kind::Dec(16), section "RFC 4951 5.3";
    SUGGESTED_NR = "l2tp.avp.suggested_nr", "Suggested Nr", Kind::Dec(16), section "RFC 4951 5.3";
    STATE_SESSION = "l2tp.avp.failover_session_id", "Session ID", Kind::Dec(32), section "RFC 4951 5.4";
    STATE_REMOTE = "l2tp.avp.failover_remote_session_id", "Remote Session ID", Kind::Dec(32), section "RFC 4951 5.4";
    MULTICAST = "l2tp.avp.multicast_capability", "Multicast Capability", Kind::Flag, section "RFC 4045 5.1";
    NEW_OUTGOING = "l2tp.avp.new_outgoing_session", "New Outgoing Session", Kind::Dec(16), section "RFC 4045 5.2";
    NEW_OUTGOING_ACK = "l2tp.avp.new_outgoing_session_ack", "New Outgoing Session acknowledged", Kind::Dec(16), section "RFC 4045 5.2";
    WITHDRAW = "l2tp.avp.withdraw_outgoing_session", "Withdrawn Outgoing Session", Kind::Dec(16), section "RFC 4045 5.2";
    MULTICAST_PRIORITY = "l2tp.avp.multicast_priority", "Multicast Packets Priority", Kind::Dec(16), section "RFC 4045 5.2";
    FR_HEADER_LENGTH = "l2tp.avp.frame_relay_header_length", "Frame-Relay Header Length", Kind::Dec(16), section "RFC 4591 3.2";
    ATM_MAXIMUM_CELLS = "l2tp.avp.atm_maximum_concatenated_cells", "ATM Maximum Concatenated Cells", Kind::Dec(16), section "RFC 4454 5";
    OAM_EMULATION = "l2tp.avp.oam_emulation_required", "OAM Emulation Required", Kind::Flag, section "RFC 4454 6";
    ATM_STATUS = "l2tp.avp.atm_circuit_status_reason", "Circuit Status Reason", Kind::Dec(16), section "RFC 4454 8.1";
    ATM_ALARM = "l2tp.avp.atm_alarm", "Alarm", Kind::Dec(16), section "RFC 4454 8.1";
    GROUP_IDENTIFIER = "l2tp.avp.attachment_group_identifier", "Attachment Group Identifier", Kind::Bytes, section "RFC 4667 4.3";
    LOCAL_END = "l2tp.avp.local_end_identifier", "Local End Identifier", Kind::Bytes, section "RFC 4667 4.3";
    INTERFACE_MTU = "l2tp.avp.interface_mtu", "Interface MTU", Kind::Dec(16), section "RFC 4667 4.3";
    FCS_RETENTION = "l2tp.avp.fcs_retention", "FCS Retention", Kind::Dec(16), section "RFC 4720";
    AGGREGATOR = "l2tp.avp.tunnel_switching_aggregator_id", "Tunnel Switching Aggregator ID", Kind::Bytes, section "draft-ietf-l2tpext-tunnel-switching";
    MRU = "l2tp.avp.mru", "Maximum Receive Unit", Kind::Dec(16), section "RFC 4623";
    MRRU = "l2tp.avp.mrru", "Maximum Reassembled Receive Unit", Kind::Dec(16), section "RFC 4623";
    VCCV_CC = "l2tp.avp.vccv_cc_types", "CC Types", Kind::Hex(8), section "RFC 5085 6";
    VCCV_CV = "l2tp.avp.vccv_cv_types", "CV Types", Kind::Hex(8), section "RFC 5085 6";
    SPEED_UPDATE = "l2tp.avp.csu", "Connect Speed Update", Kind::Flag, section "RFC 5515 6.1";
    SPEED_RESERVED = "l2tp.avp.csu.res", "Reserved", Kind::Hex(16), section "RFC 5515 6.1";
    SPEED_SESSION = "l2tp.avp.csu.remote_session_id", "Remote Session ID", Kind::Dec(16), section "RFC 5515 6.1";
    SPEED_SESSION3 = "l2tp.avp.csu.remote_session_id", "Remote Session ID", Kind::Dec(32), section "RFC 5515 6.1";
    SPEED_TX = "l2tp.avp.csu.current_tx_speed", "Current TX Connect Speed", Kind::Dec(32), section "RFC 5515 6.1";
    SPEED_RX = "l2tp.avp.csu.current_rx_speed", "Current RX Connect Speed", Kind::Dec(32), section "RFC 5515 6.1";
    SPEED_TX64 = "l2tp.avp.csu.current_tx_speed64", "Current TX Connect Speed", Kind::Dec(64), section "RFC 5515 6.1";
    SPEED_RX64 = "l2tp.avp.csu.current_rx_speed64", "Current RX Connect Speed", Kind::Dec(64), section "RFC 5515 6.1";
    SPEED_UPDATE_ENABLE = "l2tp.avp.csu_enable", "Connect Speed Update Enable", Kind::Flag, section "RFC 5515 6.2";
    TDM = "l2tp.avp.tdm_pseudowire", "TDM Pseudowire", Kind::Bytes, section "RFC 5611 2.1";
    RTP = "l2tp.avp.rtp", "RTP", Kind::Bytes, section "RFC 5611 2.2";
    SWITCHING_POINT = "l2tp.avp.pw_switching_point", "PW Switching Point", Kind::Bytes, section "RFC 6073 7.4";
    SBFD = "l2tp.avp.sbfd_discriminator", "S-BFD Target Discriminator ID", Kind::Dec(32), section "RFC 7886";
}
