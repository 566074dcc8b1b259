//! The AVPs of the Broadband Forum (vendor 3561): access lines (RFC 5515 section 5).

use super::{M, Part, Row, Shape, row};
use crate::dissect::avp_names;
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(1, "Agent-Circuit-Id", &AGENT_CIRCUIT_ID, Shape::Text, M::Any, true),
    row(2, "Agent-Remote-Id", &AGENT_REMOTE_ID, Shape::Text, M::Any, true),
    row(129, "Actual-Data-Rate-Upstream", &ACTUAL_DR_UP, Shape::U64, M::Any, true),
    row(130, "Actual-Data-Rate-Downstream", &ACTUAL_DR_DOWN, Shape::U64, M::Any, true),
    row(131, "Minimum-Data-Rate-Upstream", &MINIMUM_DR_UP, Shape::U64, M::Any, true),
    row(132, "Minimum-Data-Rate-Downstream", &MINIMUM_DR_DOWN, Shape::U64, M::Any, true),
    row(133, "Attainable-Data-Rate-Upstream", &ATTAINABLE_DR_UP, Shape::U64, M::Any, true),
    row(134, "Attainable-Data-Rate-Downstream", &ATTAINABLE_DR_DOWN, Shape::U64, M::Any, true),
    row(135, "Maximum-Data-Rate-Upstream", &MAXIMUM_DR_UP, Shape::U64, M::Any, true),
    row(136, "Maximum-Data-Rate-Downstream", &MAXIMUM_DR_DOWN, Shape::U64, M::Any, true),
    row(137, "Minimum-Data-Rate-Upstream-Low-Power", &MINIMUM_DR_UP_LOW_POWER, Shape::U64, M::Any, true),
    row(138, "Minimum-Data-Rate-Downstream-Low-Power", &MINIMUM_DR_DOWN_LOW_POWER, Shape::U64, M::Any, true),
    row(139, "Maximum-Interleaving-Delay-Upstream", &MAXIMUM_INTERLEAVING_DELAY_UP, Shape::U32, M::Any, true),
    row(140, "Actual-Interleaving-Delay-Upstream", &ACTUAL_INTERLEAVING_DELAY_UP, Shape::U32, M::Any, true),
    row(
        141,
        "Maximum-Interleaving-Delay-Downstream",
        &MAXIMUM_INTERLEAVING_DELAY_DOWN,
        Shape::U32,
        M::Any,
        true,
    ),
    row(
        142,
        "Actual-Interleaving-Delay-Downstream",
        &ACTUAL_INTERLEAVING_DELAY_DOWN,
        Shape::U32,
        M::Any,
        true,
    ),
    row(
        144,
        "Access-Loop-Encapsulation",
        &LOOP,
        Shape::Parts(&[Part::Mark(&LOOP), Part::U8(&DATA_LINK), Part::U8(&ENCAPS_1), Part::U8(&ENCAPS_2)]),
        M::Any,
        true,
    ),
    row(145, "ANCP Access Line Type", &LINE_TYPE, Shape::U32, M::Any, true),
    row(254, "IWF-Session", &IWF_SESSION, Shape::U32, M::Any, true),
];

fields! {
    section "RFC 5515 5";
    AGENT_CIRCUIT_ID = "l2tp.broadband.agent_circuit_id", "Agent Circuit ID", Kind::Text;
    AGENT_REMOTE_ID = "l2tp.broadband.agent_remote_id", "Agent Remote ID", Kind::Text;
    ACTUAL_DR_UP = "l2tp.broadband.actual_dr_up", "Actual Data Rate Upstream", Kind::Dec(64);
    ACTUAL_DR_DOWN = "l2tp.broadband.actual_dr_down", "Actual Data Rate Downstream", Kind::Dec(64);
    MINIMUM_DR_UP = "l2tp.broadband.minimum_dr_up", "Minimum Data Rate Upstream", Kind::Dec(64);
    MINIMUM_DR_DOWN = "l2tp.broadband.minimum_dr_down", "Minimum Data Rate Downstream", Kind::Dec(64);
    ATTAINABLE_DR_UP = "l2tp.broadband.attainable_dr_up", "Attainable Data Rate Upstream", Kind::Dec(64);
    ATTAINABLE_DR_DOWN = "l2tp.broadband.attainable_dr_down", "Attainable Data Rate Downstream", Kind::Dec(64);
    MAXIMUM_DR_UP = "l2tp.broadband.maximum_dr_up", "Maximum Data Rate Upstream", Kind::Dec(64);
    MAXIMUM_DR_DOWN = "l2tp.broadband.maximum_dr_down", "Maximum Data Rate Downstream", Kind::Dec(64);
    MINIMUM_DR_UP_LOW_POWER = "l2tp.broadband.minimum_dr_up_low_power", "Minimum Data Rate Upstream Low-Power", Kind::Dec(64);
    MINIMUM_DR_DOWN_LOW_POWER = "l2tp.broadband.minimum_dr_down_low_power", "Minimum Data Rate Downstream Low-Power", Kind::Dec(64);
    MAXIMUM_INTERLEAVING_DELAY_UP = "l2tp.broadband.maximum_interleaving_delay_up", "Maximum Interleaving Delay Upstream", Kind::Dec(32);
    ACTUAL_INTERLEAVING_DELAY_UP = "l2tp.broadband.actual_interleaving_delay_up", "Actual Interleaving Delay Upstream", Kind::Dec(32);
    MAXIMUM_INTERLEAVING_DELAY_DOWN = "l2tp.broadband.maximum_interleaving_delay_down", "Maximum Interleaving Delay Downstream", Kind::Dec(32);
    ACTUAL_INTERLEAVING_DELAY_DOWN = "l2tp.broadband.actual_interleaving_delay_down", "Actual Interleaving Delay Downstream", Kind::Dec(32);
    LOOP = "l2tp.broadband.access_loop_encapsulation", "Access Loop Encapsulation", Kind::Flag;
    DATA_LINK = "l2tp.broadband.access_loop_encapsulation.data_link", "Data Link", Kind::Hex(8), names avp_names::loop_data_link_name;
    ENCAPS_1 = "l2tp.broadband.access_loop_encapsulation.enc1", "Encaps 1", Kind::Hex(8), names avp_names::loop_encaps_1_name;
    ENCAPS_2 = "l2tp.broadband.access_loop_encapsulation.enc2", "Encaps 2", Kind::Hex(8), names avp_names::loop_encaps_2_name;
    LINE_TYPE = "l2tp.broadband.ancp_access_line_type", "ANCP Access Line Type", Kind::Hex(32), names avp_names::line_type_name;
    IWF_SESSION = "l2tp.broadband.iwf_session", "IWF Session", Kind::Hex(32), names avp_names::iwf_name;
}
