//! Faults of reliable delivery (RFC 2661 section 5.8).

use std::cell::RefCell;
use std::rc::Rc;

use super::super::messages::{SLI, WEN, ZLB, hello};
use super::super::scenario::Run;
use super::super::transport::Transport;
use super::super::world::Tap;
use super::Fault;
use super::bug::{EVIDENCE, Outgoing};
use super::tools::*;
use crate::common::{HELLO, ICRP, ICRQ, SCCRP, SCCRQ};

/// What follows when an end waits in vain to the end: the conversation really dies.
const DIES: &[(&str, &str)] = &[
    ("hello-unacknowledged", "the Hello really is never acknowledged"),
    ("hello-tunnel-dead", "its sender gives up"),
    ("seq-retransmit-exhausted", "its sender gives up"),
    ("seq-ack-missing", "the Hello really is never acknowledged"),
];

/// Nothing else.
const NOTHING: &[(&str, &str)] = &[];

/// Sends the first request or reply about the call once more, long after it was acknowledged.
fn once_more(run: &mut Run, end: usize, updated: bool) {
    let first: Rc<RefCell<Option<Outgoing>>> = Rc::default();
    let keep = Rc::clone(&first);
    tamper(run, end, if end == 0 { ICRQ } else { ICRP }, move |_, outgoing| {
        outgoing.tag = 0;
        keep.borrow_mut().get_or_insert_with(|| outgoing.clone());
    });
    calm(run, CALM, move |world| {
        let Some(mut again) = first.borrow_mut().take() else { return };
        again.tag = EVIDENCE;
        if updated {
            again.numbers.nr = world.conns[CONN].ends[end].transport.nr;
        }
        world.put(again, false);
    });
}

pub const FAULTS: &[Fault] = &[
    Fault {
        rule: "seq-first-ns-nonzero",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.bug.lenient = true;
            run.world.conns[CONN].ends[end].transport.ns = 5;
            mark(run, end, if end == 0 { SCCRQ } else { SCCRP });
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-nr-beyond-sent",
        ends: &[0, 1],
        plant: |run, end| {
            calm(run, CALM, move |world| {
                let mut outgoing = loose(world, end, Transport::acknowledgement(false));
                outgoing.numbers.nr = outgoing.numbers.nr.wrapping_add(100);
                world.put(outgoing, false);
            });
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-duplicate-different",
        ends: &[0, 1],
        plant: |run, end| {
            tamper_more(run, end, HELLO, move |world, outgoing| {
                let other = world.about(CALL, end, if end == 0 { WEN } else { SLI }, 0);
                let mut more = Outgoing { message: other, ..outgoing.clone() };
                more.numbers.session = world.calls[CALL].ends[1 - end].id;
                vec![(300, more)]
            });
            hellos(run, end, CALM, 1, 0);
        },
        evidence: 2,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-retransmit-stale-nr",
        ends: &[0, 1],
        plant: |run, end| once_more(run, end, false),
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-retransmit-after-ack",
        ends: &[0, 1],
        plant: |run, end| once_more(run, end, true),
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-window-exceeded",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, end, HELLO);
            calm(run, CALM, move |world| {
                world.conns[CONN].ends[end].transport.window = 100;
                for _ in 0..9 {
                    world.push(CONN, end, hello());
                }
            });
        },
        evidence: 9,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-retransmit-backoff",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, end, HELLO);
            run.world.conns[CONN].ends[end].habits.cap = 1000;
            in_vain(run, end);
        },
        evidence: 6,
        beside: DIES,
    },
    Fault {
        rule: "seq-retransmit-cap-low",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, end, HELLO);
            run.world.conns[CONN].ends[end].habits.cap = 4000;
            in_vain(run, end);
        },
        evidence: 6,
        beside: DIES,
    },
    Fault {
        rule: "hello-unacknowledged",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, 1 - end, HELLO);
            in_vain(run, 1 - end);
        },
        evidence: 6,
        beside: DIES,
    },
    Fault {
        rule: "seq-ack-delayed",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, 1 - end, HELLO);
            run.world.conns[CONN].ends[1 - end].habits.first_wait = 4000;
            run.world.at(CALM - 1000, move |world| world.bug.late = Some((end, 2500)));
            hellos(run, 1 - end, CALM, 4, 7000);
        },
        evidence: 4,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-duplicate-not-acked",
        ends: &[0, 1],
        plant: |run, end| {
            mark(run, 1 - end, HELLO);
            // Its acknowledgement passes the tap and is lost after it; where nothing can be lost, there is no fault.
            let near = if end == 0 { Tap::AtLac } else { Tap::AtLns };
            let tap = &mut run.world.path.tap;
            *tap = if *tap == Tap::Middle { Tap::Middle } else { near };
            run.world.bug.ignores_copies = Some(end);
            calm(run, CALM, move |world| {
                world.path.deaf_after_tap = Some((end, world.now, world.now + 5000));
                world.push(CONN, 1 - end, hello());
            });
        },
        evidence: 5,
        beside: DIES,
    },
    Fault {
        rule: "seq-nr-backwards",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, HELLO, |_, outgoing| {
                outgoing.numbers.nr = outgoing.numbers.nr.wrapping_sub(1);
            });
            hellos(run, end, CALM, 1, 0);
        },
        evidence: 1,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-zlb-advances-ns",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, ZLB, move |world, outgoing| {
                outgoing.tag = 0;
                if world.now >= CALM {
                    outgoing.tag = EVIDENCE;
                    let ns = &mut world.conns[CONN].ends[end].transport.ns;
                    *ns = ns.wrapping_add(1);
                }
            });
            tamper(run, end, HELLO, |_, outgoing| outgoing.tag = u8::from(outgoing.copy == 1));
            // Its peer waits for the number that was skipped, and acknowledges nothing more.
            for number in 0..3 {
                run.world.at(CALM + number * 4000, move |world| world.push(CONN, 1 - end, hello()));
                run.world.at(CALM + number * 4000 + 1500, move |world| world.push(CONN, end, hello()));
            }
        },
        evidence: 6,
        beside: &[
            ("seq-gap", "the numbers that the ZLBs used up are missing"),
            ("hello-unacknowledged", "its peer waits for the missing number"),
            ("hello-tunnel-dead", "it gives up"),
            ("seq-retransmit-exhausted", "it gives up"),
            ("seq-ack-missing", "its peer waits for the missing number"),
        ],
    },
    Fault {
        rule: "seq-retransmit-too-early",
        ends: &[0, 1],
        plant: |run, end| {
            run.world.path.delay = [350, 350];
            tamper_more(run, end, HELLO, |_, outgoing| vec![(200, outgoing.clone())]);
            hellos(run, end, CALM, 1, 0);
        },
        evidence: 2,
        beside: NOTHING,
    },
    Fault {
        rule: "seq-zlb-ns-wrong",
        ends: &[0, 1],
        plant: |run, end| {
            tamper(run, end, ZLB, |world, outgoing| {
                outgoing.tag = if world.now >= CALM { EVIDENCE } else { 0 };
                if world.now >= CALM {
                    outgoing.numbers.ns = outgoing.numbers.ns.wrapping_sub(1);
                }
            });
            hellos(run, 1 - end, CALM, 3, 4000);
        },
        evidence: 3,
        beside: NOTHING,
    },
];
