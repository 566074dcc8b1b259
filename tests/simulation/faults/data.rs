//! Faults on the data channel and in PPP (RFC 2661 sections 5.3 and 5.4, RFC 1661, RFC 1994).

use super::Fault;
use super::bug::EVIDENCE;
use super::tools::*;
use crate::common::ppp::CHAP;

const NOTHING: &[(&str, &str)] = &[];

pub const FAULTS: &[Fault] = &[
    Fault {
        rule: "data-session-zero",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.at(CALM, move |world| world.data_to(CALL, end, 0, None, USER.to_vec(), EVIDENCE));
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "data-unknown-session",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.at(CALM, move |world| world.data_to(CALL, end, 60_099, None, USER.to_vec(), EVIDENCE));
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "data-seq-required-missing",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.calls[CALL].required = true;
            run.world.at(CALM, move |world| world.calls[CALL].ends[end].numbers = false);
        },
        evidence: 0,
        beside: NOTHING,
    },
    Fault {
        rule: "data-seq-lac-not-following",
        ends: &[0],
        plant: |run, _| {
            run.world.bug.ignores_numbers = true;
            run.world.at(CALM, |world| world.calls[CALL].ends[1].numbers = true);
        },
        evidence: 0,
        beside: NOTHING,
    },
    Fault {
        rule: "data-seq-not-resumed",
        ends: &[1],
        plant: |run, end| {
            run.world.calls[CALL].ends[end].numbers = true;
            run.world.at(CALM, move |world| world.calls[CALL].ends[end].numbers = false);
            run.world.at(CALM + 12_000, move |world| {
                let end = &mut world.calls[CALL].ends[end];
                (end.numbers, end.next) = (true, 0);
                // The first number of the new count, so that it does not hang on one packet.
                let session = world.calls[CALL].ends[0].id;
                world.data_to(CALL, 1, session, Some(0), USER.to_vec(), EVIDENCE);
                world.calls[CALL].ends[1].next = 1;
            });
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "ppp-lcp-no-answer",
        ends: &[0, 1],
        plant: |run, end| run.world.calls[CALL].ppp.mute[end] = true,
        evidence: 0,
        beside: NOTHING,
    },
    Fault {
        rule: "ppp-echo-unanswered",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.calls[CALL].ppp.no_echo_reply[end] = true;
            run.world.calls[CALL].ppp.echo[1 - end] = Some(3000);
        },
        evidence: 0,
        beside: NOTHING,
    },
    Fault {
        rule: "ppp-auth-no-answer",
        ends: &[0],
        plant: |run, _| {
            run.world.calls[CALL].ppp.demand = Some(CHAP);
            run.world.calls[CALL].ppp.no_response = true;
        },
        evidence: 0,
        beside: NOTHING,
    },
];
