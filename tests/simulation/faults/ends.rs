//! Faults in how calls and control connections end (RFC 2661 sections 4.4.2, 5.6 and 5.7).

use super::super::messages::of_call;
use super::super::wire::Version;
use super::Fault;
use super::tools::*;
use crate::common::{CDN, ICRQ, OCRQ, STOPCCN};

const NOTHING: &[(&str, &str)] = &[];
/// A StopCCN with a general error is reported for what it says.
const SAYS_WHY: &[(&str, &str)] = &[("end-stopccn", "its result is no orderly end, whatever its form")];

pub const FAULTS: &[Fault] = &[
    Fault {
        rule: "end-stopccn-not-acked",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = 1 - end;
            run.until = CLOSE_TUNNEL + 40_000;
            run.closes_call = false;
            run.world.bug.deaf_to_stop = Some(end);
            mark(run, 1 - end, STOPCCN);
            // Its data path goes on, so it is heard.
            for number in 0..3 {
                run.world.at(CLOSE_TUNNEL + 20_000 + number * 7000, move |world| {
                    let session = world.calls[CALL].ends[1 - end].id;
                    world.data_to(CALL, end, session, None, USER.to_vec(), 0);
                });
            }
        },
        evidence: 6,
        beside: &[("data-after-stopccn", "its data path goes on")],
    },
    Fault {
        rule: "end-result-out-of-range",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = end;
            tamper(run, end, STOPCCN, |_, outgoing| set(&mut outgoing.message, 1, &[0, 200]));
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "end-error-code-missing",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = end;
            tamper(run, end, STOPCCN, |_, outgoing| set(&mut outgoing.message, 1, &[0, 2]));
        },
        evidence: 1,
        beside: SAYS_WHY,
    },
    Fault {
        rule: "end-error-6-no-text",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = end;
            tamper(run, end, STOPCCN, |_, outgoing| set(&mut outgoing.message, 1, &[0, 2, 0, 6]));
        },
        evidence: 1,
        beside: SAYS_WHY,
    },
    Fault {
        rule: "end-stopccn-tunnel-id",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = end;
            tamper(run, end, STOPCCN, |_, outgoing| set(&mut outgoing.message, 9, &[0xff, 99]));
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "end-cdn-session-id",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = end;
            tamper(run, end, CDN, |_, outgoing| set(&mut outgoing.message, 14, &[0xff, 99]));
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "end-cdn-answered",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = 1 - end;
            mark(run, 0, CDN);
            mark(run, 1, CDN);
            calm(run, CLOSE_CALL + 300, move |world| {
                let answer = world.about(CALL, end, CDN, 3);
                world.push(CONN, end, answer);
            });
        },
        evidence: 2,
        beside: NOTHING,
    },
    Fault {
        rule: "end-sessions-after-stopccn",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = 1 - end;
            mark(run, 1 - end, STOPCCN);
            calm(run, CLOSE_TUNNEL + 5000, move |world| {
                let kind = if end == 0 { ICRQ } else { OCRQ };
                let request = of_call(Version::V2, kind, [555, 0], 9, 0, false);
                world.put(loose(world, end, request), false);
            });
        },
        evidence: 2,
        beside: NOTHING,
    },
    Fault {
        rule: "data-after-stopccn",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = 1 - end;
            mark(run, 1 - end, STOPCCN);
            for number in 0..3 {
                run.world.at(CLOSE_TUNNEL + 8000 + number * 300, move |world| {
                    let session = world.calls[CALL].ends[1 - end].id;
                    world.data_to(CALL, end, session, None, USER.to_vec(), super::bug::EVIDENCE);
                });
            }
            // The call is not closed by itself.
            run.closes_call = false;
        },
        evidence: 4,
        beside: NOTHING,
    },
    Fault {
        rule: "data-after-cdn",
        ends: &[0, 1],
        plant: |run, end| {
            run.closer = 1 - end;
            mark(run, 1 - end, CDN);
            for number in 0..3 {
                run.world.at(CLOSE_CALL + 3200 + number * 200, move |world| {
                    let session = world.calls[CALL].ends[1 - end].id;
                    world.data_to(CALL, end, session, None, USER.to_vec(), super::bug::EVIDENCE);
                });
            }
        },
        evidence: 4,
        beside: NOTHING,
    },
];
