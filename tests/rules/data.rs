//! Rules on when data carries sequence numbers: each is raised by one call, and not by another that nearly breaks it.

use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::Warning;

/// Data of both ends in turns, a second apart: with numbers or without.
fn call(turns: &[(Option<u16>, Option<u16>)]) -> Talk {
    let mut talk = Talk::default();
    talk.tunnel().call();
    for (lac, lns) in turns {
        talk.data_to(LNS, 21, *lns, IP).data_to(LAC, 22, *lac, IP).wait(1000);
    }
    talk
}

fn turns(lac: impl Fn(u16) -> Option<u16>, lns: impl Fn(u16) -> Option<u16>) -> Talk {
    call(&(0..20).map(|n| (lac(n), lns(n))).collect::<Vec<_>>())
}

#[test]
fn a_lac_that_does_not_follow() {
    const RULE: &str = "data-seq-lac-not-following";
    let from = |start: u16| move |n: u16| (n >= start).then(|| n - start);
    let until = |end: u16| move |n: u16| (n < end).then_some(n);
    // The LNS switches them on, or off, and the LAC stays as it was.
    let on = turns(|_| None, from(5)).judge();
    assert!(on.assert_raises(RULE, Warning, Certain).title.contains("began to send"));
    let off = turns(Some, until(5)).judge();
    assert!(off.assert_raises(RULE, Warning, Certain).title.contains("stopped"));
    // Near misses: it follows at once, or a packet later.
    for late in [5, 6] {
        turns(from(late), from(5)).judge().assert_quiet(RULE);
        turns(until(late), until(5)).judge().assert_quiet(RULE);
    }
    // Near miss: the switch is too near the end to be sure that the LAC heard of it.
    turns(|_| None, from(17)).judge().assert_quiet(RULE);
    turns(|_| None, from(14)).judge().assert_raises(RULE, Warning, Possible);
    // Near miss: the LAC switches; the LNS need not follow.
    turns(from(5), |_| None).judge().assert_raises(RULE, Warning, Certain);
    let mut lns_alone = Talk::default();
    lns_alone.tunnel().call();
    for n in 0..20 {
        lns_alone.data_to(LNS, 21, Some(n), IP).wait(1000);
    }
    lns_alone.judge().assert_quiet(RULE);
    // Near miss: the set-up requires numbers, so the LNS is at fault.
    let mut required = Talk::default();
    required.tunnel().send(LAC, ICRQ).send(LNS, ICRP);
    let body = [avp(0, &ICCN.to_be_bytes()), avp(24, &[0; 4]), avp(19, &[0, 0, 0, 1]), avp(39, &[])].concat();
    required.send_with(LAC, ICCN, 22, &body).zlb(LNS);
    for n in 0..20 {
        required.data_to(LNS, 21, None, IP).data_to(LAC, 22, Some(n), IP).wait(1000);
    }
    required.judge().assert_quiet(RULE);
    // Near miss: the capture began later, so what the set-up requires is not known.
    let mut later = turns(|_| None, from(5));
    later.frames.drain(..8);
    later.judge().assert_quiet(RULE);
}

#[test]
fn numbers_that_begin_again() {
    const RULE: &str = "data-seq-not-resumed";
    let pause = |before: u16, quiet: u16, after: u16| {
        let mut talk = Talk::default();
        talk.tunnel().call();
        let numbers =
            (0..before).map(Some).chain((0..quiet).map(|_| None)).chain((after..after + 4).map(Some));
        for ns in numbers {
            talk.data_to(LNS, 21, ns, IP);
        }
        talk.judge()
    };
    let judged = pause(5, 3, 0);
    judged.assert_raises(RULE, Warning, Certain);
    judged.assert_all_quiet(&["data-seq-duplicate", "data-seq-out-of-order"]);
    // Near misses: it goes on; a number or two were lost; no pause; the first was sent twice.
    pause(5, 3, 5).assert_quiet(RULE);
    pause(5, 3, 7).assert_quiet(RULE);
    pause(5, 0, 0).assert_quiet(RULE);
    pause(1, 3, 0).assert_quiet(RULE);
    // Near miss: over the wrap.
    let mut talk = Talk::default();
    talk.tunnel().call();
    for ns in [Some(65534), Some(65535), None, None, Some(0), Some(1)] {
        talk.data_to(LNS, 21, ns, IP);
    }
    talk.judge().assert_quiet(RULE);
}
