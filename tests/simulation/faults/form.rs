//! Faults of form: headers and AVPs (RFC 2661 sections 3.1, 4 and 6).

use super::super::messages::{Message, must};
use super::Fault;
use super::tools::*;
use crate::common::{HELLO, ICRP, ICRQ, SCCCN, SCCRP, SCCRQ, STOPCCN};

const NOTHING: &[(&str, &str)] = &[];
const STOPS: &[(&str, &str)] = &[("end-stopccn", "the peer refuses it and says so")];

/// The message by which an end introduces itself.
fn introduction(end: usize) -> u16 {
    if end == 0 { SCCRQ } else { SCCRP }
}

pub const FAULTS: &[Fault] = &[
    Fault {
        rule: "avp-missing-required",
        ends: &[0, 1],
        plant: |run, end| tamper(run, end, introduction(end), |_, outgoing| remove(&mut outgoing.message, 7)),
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "avp-unknown-mandatory",
        ends: &[0],
        plant: |run, end| {
            tamper(run, end, SCCRQ, |_, outgoing| outgoing.message.avps.push(must(4711, [0])));
            // Section 4.2: the control connection must be closed.
            run.world.conns[CONN].refuse = Some(2);
            tamper(run, 1, STOPCCN, |_, outgoing| {
                outgoing.tag = 0;
                set(&mut outgoing.message, 1, b"\x00\x02\x00\x08attribute 4711");
            });
        },
        evidence: 1,
        beside: STOPS,
    },
    Fault {
        rule: "avp-window-zero",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, introduction(end), |_, outgoing| {
                outgoing.message.avps.push(must(10, [0, 0]));
            });
            run.world.conns[CONN].ends[1 - end].transport.window = 1;
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "avp-host-name-empty",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, introduction(end), |_, outgoing| set(&mut outgoing.message, 7, &[]))
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "avp-protocol-version",
        ends: &[0],
        plant: |run, end| {
            tamper(run, end, SCCRQ, |_, outgoing| set(&mut outgoing.message, 2, &[2, 0]));
            run.world.conns[CONN].refuse = Some(5);
            tamper(run, 1, STOPCCN, |_, outgoing| {
                outgoing.tag = 0;
                set(&mut outgoing.message, 1, &[0, 5, 1, 0]);
            });
        },
        evidence: 1,
        beside: STOPS,
    },
    Fault {
        rule: "avp-assigned-id-zero",
        ends: &[1],
        plant: |run, end| {
            run.world.conns[CONN].ends[end].introduction.id = 0;
            mark(run, end, SCCRP);
            run.world.bug.declines_reply = Some(2);
            tamper(run, 0, STOPCCN, |_, outgoing| {
                outgoing.tag = 0;
                set(&mut outgoing.message, 1, b"\x00\x02\x00\x03tunnel ID 0");
            });
        },
        evidence: 1,
        beside: &[
            ("end-stopccn", "the initiator refuses it and says so"),
            ("hdr-control-tunnel-id-zero", "the initiator was given no other ID"),
        ],
    },
    Fault {
        rule: "hdr-reserved-bits",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, HELLO, |_, outgoing| outgoing.reserved = 0x10);
            hellos(run, end, CALM, 1, 0);
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "hdr-session-id-on-tunnel-message",
        ends: &[0, 1],
        plant: |run, end| {
            let kind = if end == 0 { SCCCN } else { SCCRP };
            tamper(run, end, kind, |_, outgoing| outgoing.numbers.session = 5);
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "hdr-tunnel-id-not-zero",
        ends: &[0],
        plant: |run, end| tamper(run, end, SCCRQ, |_, outgoing| outgoing.numbers.tunnel = 5),
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "hello-session-id",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, HELLO, |_, outgoing| outgoing.numbers.session = 5);
            hellos(run, end, CALM, 1, 0);
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "call-request-session-id-not-zero",
        ends: &[0],
        plant: |run, end| tamper(run, end, ICRQ, |_, outgoing| outgoing.numbers.session = 5),
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "msg-type-reserved",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, end, 5);
            calm(run, CALM, move |world| world.push(CONN, end, Message::new(5, Vec::new())));
        },
        evidence: 1,
        beside: &[("msg-type-unknown-mandatory", "no document defines it either")],
    },
    Fault {
        rule: "tun-id-changed-on-retransmit",
        ends: &[1],
        plant: |run, end| {
            tamper_more(run, end, SCCRP, |_, outgoing| {
                let mut again = outgoing.clone();
                set(&mut again.message, 9, &[0, 78]);
                vec![(300, again)]
            });
        },
        evidence: 2,
        beside: &[("seq-duplicate-different", "the copy really differs from the first one")],
    },
    Fault {
        rule: "avp-duplicate",
        ends: &[0, 1],
        plant: |run, end| {
            let kind = if end == 0 { ICRQ } else { ICRP };
            tamper(run, end, kind, |_, outgoing| {
                let first = outgoing.message.avps[0].clone();
                outgoing.message.avps.push(first);
            });
        },
        evidence: 1,
        beside: NOTHING,
    },
];
