//! The AVPs of CableLabs (vendor 4491): DOCSIS External PHY Interface (DEPI).

use super::{Bits, M, Part, Row, Shape, row};
use crate::dissect::avp_names;
use crate::field::Kind;
use crate::fields;

/// By number.
pub(super) static ROWS: &[Row] = &[
    row(1, "DEPI Result Code", &RAW, Shape::Octets, M::Any, true),
    row(2, "DEPI Resource Allocation Request", &RAW, Shape::Octets, M::Any, true),
    row(3, "DEPI Resource Allocation Reply", &RAW, Shape::Octets, M::Any, true),
    row(4, "DEPI Local MTU", &RAW, Shape::Octets, M::Any, true),
    row(5, "DOCSIS SYNC Control", &RAW, Shape::Octets, M::Any, true),
    row(6, "EQAM Capability Bits", &RAW, Shape::Octets, M::Any, true),
    row(7, "DEPI Remote MTU", &RAW, Shape::Octets, M::Any, true),
    row(8, "DEPI Local UDP Port", &RAW, Shape::Octets, M::Any, true),
    row(9, "DPR Session Type", &RAW, Shape::Octets, M::Any, true),
    row(10, "DPR Session Status", &RAW, Shape::Octets, M::Any, true),
    row(100, "QAM TSID Group", &RAW, Shape::Octets, M::Any, true),
    row(
        101,
        "QAM Frequency",
        &FREQUENCY,
        Shape::Parts(&[
            Part::Word(&QAM_WORD, &[Bits(&LOCK, 15, 1), Bits(&TSID, 8, 0x7f)]),
            Part::U32(&FREQUENCY),
        ]),
        M::Any,
        true,
    ),
    row(102, "QAM Power", &RAW, Shape::Octets, M::Any, true),
    row(
        103,
        "QAM Modulation",
        &MODULATION,
        Shape::Parts(&[Part::Word(
            &QAM_WORD,
            &[Bits(&LOCK, 15, 1), Bits(&TSID, 8, 0x7f), Bits(&MODULATION, 0, 0xf)],
        )]),
        M::Any,
        true,
    ),
    row(104, "QAM J.83 Annex", &RAW, Shape::Octets, M::Any, true),
    row(
        105,
        "QAM Symbol Rate",
        &SYMBOL_M,
        Shape::List(
            &[Part::Word(&QAM_WORD, &[Bits(&LOCK, 15, 1), Bits(&TSID, 8, 0x7f)])],
            &[Part::U16(&SYMBOL_M), Part::MaybeU16(&SYMBOL_N)],
        ),
        M::Any,
        true,
    ),
    row(106, "QAM Interleave Depth", &RAW, Shape::Octets, M::Any, true),
    row(107, "QAM RF Muting", &RAW, Shape::Octets, M::Any, true),
    row(200, "DEPI Redundancy Capabilities", &RAW, Shape::Octets, M::Any, true),
];

fields! {
    section "DOCSIS DEPI";
    QAM_WORD = "l2tp.cablel.qam", "QAM word", Kind::Hex(16);
    LOCK = "l2tp.cablel.l_bit", "L(lock bit)", Kind::Flag;
    TSID = "l2tp.cablel.tsid_group_id", "TSID Group ID", Kind::Dec(16);
    FREQUENCY = "l2tp.cablel.frequency", "Frequency", Kind::Dec(32);
    MODULATION = "l2tp.cablel.modulation", "Modulation", Kind::Dec(16), names avp_names::modulation_name;
    SYMBOL_M = "l2tp.cablel.m", "M", Kind::Dec(16);
    SYMBOL_N = "l2tp.cablel.n", "N", Kind::Dec(16);
    RAW = "l2tp.cablel.value", "Value", Kind::Bytes;
}
