//! The AVPs of Ericsson (vendor 193): GSM A-bis over L2TPv3. No public document; layout as tshark shows it.

use super::{M, Part, Row, Shape, row};
use crate::dissect::avp_names;
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(0, "Ericsson Message Type", &MESSAGE, Shape::U16, M::Any, true),
    row(
        1,
        "Transport Configuration",
        &OVERLOAD,
        Shape::List(
            &[Part::U16(&OVERLOAD), Part::U8(&GROUPS)],
            &[
                Part::U8(&GROUP_ID),
                Part::Counted(&SAPI_COUNT, &SAPI),
                Part::Ipv4(&GROUP_IP),
                Part::U8(&DSCP),
                Part::Flag(&CRC_EN),
                Part::U8(&BUNDLE_TIMEOUT),
                Part::U16(&BUNDLE_SIZE),
            ],
        ),
        M::Any,
        true,
    ),
    row(2, "Packet Loss", &PACKET_LOSS, Shape::Octets, M::Any, true),
    row(
        3,
        "Protocol Version",
        &VERSION,
        Shape::Parts(&[Part::U32(&VERSION), Part::MaybeU32(&VERSION_2), Part::MaybeU32(&VERSION_3)]),
        M::Any,
        true,
    ),
    row(4, "Connection Type", &CONNECTION, Shape::Parts(&[Part::U8(&CONNECTION)]), M::Any, true),
    row(5, "CRC Enabled", &CRC_ENABLE, Shape::Parts(&[Part::Flag(&CRC_ENABLE)]), M::Any, true),
    row(6, "STN Name", &STN_NAME, Shape::Text, M::Any, true),
    row(7, "Abis Lower Mode", &ABIS, Shape::Parts(&[Part::U8(&ABIS)]), M::Any, true),
    row(
        8,
        "TEI to SC Map",
        &MAPS,
        Shape::List(&[Part::U8(&MAPS)], &[Part::U8(&TEI_LOW), Part::U8(&TEI_HIGH), Part::U8(&SUPER_CHANNEL)]),
        M::Any,
        true,
    ),
    row(9, "Channel Status List", &CHANNELS, Shape::Octets, M::Any, true),
    row(10, "Extended Protocol Version", &EXTENDED, Shape::Octets, M::Any, true),
    row(11, "Channel Status List 2", &CHANNELS_2, Shape::Octets, M::Any, true),
];

fields! {
    section "Ericsson A-bis over L2TP";
    MESSAGE = "l2tp.ericsson.msg_type", "Ericsson Message Type", Kind::Dec(16), names avp_names::ericsson_message_name;
    CONNECTION = "l2tp.ericsson.conn_type", "Connection Type", Kind::Dec(8), names avp_names::ericsson_connection_name;
    STN_NAME = "l2tp.ericsson.stn_name", "STN Name", Kind::Text;
    CRC_ENABLE = "l2tp.ericsson.crc32_enable", "CRC32 Enabled", Kind::Flag;
    ABIS = "l2tp.ericsson.abis_lower_mode", "Abis Lower Mode", Kind::Dec(8), names avp_names::abis_name;
    OVERLOAD = "l2tp.ericsson.overload_thresh", "Overload Threshold in 0.1%", Kind::Dec(16);
    GROUPS = "l2tp.ericsson.tc_num_groups", "Number of Transport Config Groups", Kind::Dec(8);
    GROUP_ID = "l2tp.ericsson.tc_group_id", "Transport Config Group ID", Kind::Dec(8);
    SAPI_COUNT = "l2tp.ericsson.tc_num_sapi", "Number of SAPIs in Transport Group", Kind::Dec(8);
    SAPI = "l2tp.ericsson.tcg_sapi", "TCG SAPI", Kind::Dec(8);
    GROUP_IP = "l2tp.ericsson.tcg_ip", "TCG IP Address", Kind::Ipv4;
    DSCP = "l2tp.ericsson.tcg_dscp", "TCG DSCP", Kind::Hex(8);
    CRC_EN = "l2tp.ericsson.crc32_en", "CRC32 Enabled", Kind::Flag;
    BUNDLE_TIMEOUT = "l2tp.ericsson.gcg.bundle_tout", "TCG Bundling Timeout (ms)", Kind::Dec(8);
    BUNDLE_SIZE = "l2tp.ericsson.tcg.bundle_max_pkt", "TCG Bundling Max Packet Size", Kind::Dec(16);
    MAPS = "l2tp.ericsson.num_maps", "Number of TEI-SC Maps", Kind::Dec(8);
    TEI_LOW = "l2tp.ericsson.map_tei_low", "TEI Range Lowest Value", Kind::Dec(8);
    TEI_HIGH = "l2tp.ericsson.map_tei_high", "TEI Range Highest Value", Kind::Dec(8);
    SUPER_CHANNEL = "l2tp.ericsson.map_ssc", "Super Channel", Kind::Dec(8);
    VERSION = "l2tp.ericsson.ver_pref", "Preferred/Chosen Version", Kind::Dec(32);
    VERSION_2 = "l2tp.ericsson.ver_2", "Version (2)", Kind::Dec(32);
    VERSION_3 = "l2tp.ericsson.ver_3", "Version (3)", Kind::Dec(32);
    PACKET_LOSS = "l2tp.ericsson.packet_loss", "Packet Loss", Kind::Bytes;
    CHANNELS = "l2tp.ericsson.channel_status", "Channel Status List", Kind::Bytes;
    EXTENDED = "l2tp.ericsson.extended_version", "Extended Protocol Version", Kind::Bytes;
    CHANNELS_2 = "l2tp.ericsson.channel_status_2", "Channel Status List 2", Kind::Bytes;
}
