//! Messages in states that have no place for them, and with IDs that nobody has (RFC 2661 sections 5.3 and 7).

use super::super::messages::{Message, hello, introduce, of_call};
use super::super::wire::Version;
use super::super::world::World;
use super::Fault;
use super::tools::*;
use crate::common::{CDN, HELLO, ICCN, ICRP, ICRQ, SCCCN, SCCRP, SCCRQ};

const NOTHING: &[(&str, &str)] = &[];

/// The SCCCN never comes, so nothing that follows finds a control connection.
const NEVER_UP: &[(&str, &str)] = &[
    ("tun-message-before-established", "the LAC goes on as if it were up"),
    ("call-no-reply", "the LNS has no place for the request"),
    ("seq-retransmit-exhausted", "the LNS gives up"),
    ("hello-before-established", "the LAC goes on as if it were up"),
    ("end-stopccn", "the LNS clears what comes in an improper sequence, as section 7.1 says"),
];

fn scccn(_: &World) -> Message {
    Message::new(SCCCN, Vec::new())
}

pub const FAULTS: &[Fault] = &[
    Fault {
        rule: "tun-no-reply",
        ends: &[1],
        plant: |run, end| {
            run.world.conns[CONN].ends[end].phase = super::super::conn::Phase::Gone;
            mark(run, 0, SCCRQ);
        },
        evidence: 6,
        beside: NOTHING,
    },
    Fault {
        rule: "tun-wrong-tunnel-id",
        ends: &[1],
        plant: |run, end| tamper(run, end, SCCRP, |_, outgoing| outgoing.numbers.tunnel = 60_077),
        evidence: 1,
        beside: &[
            ("tun-no-reply", "the initiator drops every answer"),
            ("seq-retransmit-exhausted", "both ends give up"),
            ("seq-ack-missing", "both ends give up"),
            ("seq-duplicate-not-acked", "the copies of the SCCRP that acknowledge the request go astray"),
        ],
    },
    Fault {
        rule: "hello-before-established",
        ends: &[0, 1],
        plant: |run, end| {
            if end == 0 {
                tamper(run, end, SCCCN, |_, outgoing| outgoing.message = hello());
                return;
            }
            mark(run, end, HELLO);
            tamper(run, end, SCCRP, move |world, outgoing| {
                outgoing.tag = 0;
                if outgoing.copy == 1 {
                    world.conns[CONN].ends[end].transport.queue.push_back(hello());
                }
            });
        },
        evidence: 1,
        beside: NEVER_UP,
    },
    Fault {
        rule: "tun-message-before-established",
        ends: &[0],
        plant: |run, end| {
            tamper(run, end, SCCCN, |_, outgoing| {
                outgoing.message = of_call(Version::V2, ICRQ, [555, 0], 9, 0, false);
            });
        },
        evidence: 1,
        beside: NEVER_UP,
    },
    Fault {
        rule: "tun-sccrq-in-established",
        ends: &[0, 1],
        plant: |run, end| {
            calm(run, CALM, move |world| {
                let message = if end == 0 {
                    scccn(world)
                } else {
                    introduce(Version::V2, SCCRP, &world.conns[CONN].ends[end].introduction)
                };
                world.push(CONN, end, message);
            });
            tamper(run, end, if end == 0 { SCCCN } else { SCCRP }, |world, outgoing| {
                outgoing.tag = u8::from(world.now >= CALM);
            });
        },
        evidence: 1,
        beside: &[("end-stopccn", "the peer answers by a StopCCN, as section 7.2.1 says")],
    },
    Fault {
        rule: "tun-scccn-unexpected",
        ends: &[0],
        plant: |run, end| {
            tamper_more(run, end, SCCRQ, |world, outgoing| {
                let mut early = outgoing.clone();
                early.message = scccn(world);
                early.numbers.ns = 1;
                vec![(1, early)]
            });
        },
        evidence: 2,
        beside: &[
            ("hdr-control-tunnel-id-zero", "its sender was given no ID yet"),
            ("tun-sccrq-in-established", "the SCCCN that is due comes when the early one was taken"),
        ],
    },
    Fault {
        rule: "call-unexpected-message",
        ends: &[1],
        plant: |run, end| {
            calm(run, CALM, move |world| {
                let again = world.about(CALL, end, ICRP, 0);
                world.push(CONN, end, again);
            });
            tamper(run, end, ICRP, |world, outgoing| outgoing.tag = u8::from(world.now >= CALM));
        },
        evidence: 1,
        beside: &[("end-cdn", "the LAC answers by a CDN, as section 7.4.1 says")],
    },
    Fault {
        rule: "call-wrong-session-id",
        ends: &[0],
        plant: |run, end| tamper(run, end, ICCN, |_, outgoing| outgoing.numbers.session = 60_099),
        evidence: 1,
        beside: &[
            ("data-before-established", "the LNS never hears that the call is connected"),
            ("ppp-lcp-no-answer", "the LNS never hears that the call is connected"),
        ],
    },
    Fault {
        rule: "call-unknown-session",
        ends: &[0, 1],
        plant: |run, end| {
            calm(run, CALM, move |world| {
                world.push(CONN, end, of_call(Version::V2, CDN, [60_098, 0], 9, 3, false));
            });
            tamper(run, end, CDN, |_, outgoing| {
                outgoing.tag = u8::from(outgoing.message.call.is_none());
                if outgoing.message.call.is_none() {
                    outgoing.numbers.session = 60_099;
                }
            });
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "call-id-in-use",
        ends: &[0],
        plant: |run, end| {
            calm(run, CALM, move |world| {
                let id = world.calls[CALL].ends[end].id;
                world.push(CONN, end, of_call(Version::V2, ICRQ, [id, 0], 9, 0, false));
            });
            tamper(run, end, ICRQ, |world, outgoing| outgoing.tag = u8::from(world.now >= CALM));
        },
        evidence: 1,
        beside: &[
            ("call-no-reply", "the LNS does not answer it"),
            ("data-before-established", "data of the two calls cannot be told apart"),
        ],
    },
    Fault {
        rule: "call-no-reply",
        ends: &[1],
        plant: |run, _| {
            calm(run, CALM, move |world| {
                world.push(CONN, 0, of_call(Version::V2, ICRQ, [60_001, 0], 9, 0, false));
            });
            tamper(run, 0, ICRQ, |world, outgoing| outgoing.tag = u8::from(world.now >= CALM));
        },
        evidence: 1,
        beside: NOTHING,
    },
];
