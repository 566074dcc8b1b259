//! Full-size packets that vanish, or leave in fragments (RFC 3193 section 3.2).

use crate::analysis::control::call::Call;
use crate::analysis::traffic::{CallTraffic, Stuck};

use super::super::mtu;
use super::super::words::{count, packets};
use super::attempt::Attempt;
use super::causes::{MTU_BLACK_HOLE, OUTER_FRAGMENTATION};
use super::{Confidence, Diagnosis};

/// Segments that were sent again before it is said that they vanish.
const ENOUGH: u64 = 3;
/// Smaller packets pass everywhere (RFC 791 section 3.1: every host takes 576 octets).
const SMALL: u32 = 577;

/// Data that is sent again and again in large packets and never acknowledged, while smaller ones pass.
pub(super) fn black_hole(attempt: &Attempt<'_>, call: &Call, traffic: &CallTraffic) -> Option<Diagnosis> {
    let (end, stuck) = (0..2u8).find_map(|end| {
        let stuck = traffic.tcp(end).stuck?;
        let larger = stuck.smallest_stuck >= SMALL
            && stuck.largest_passed.is_none_or(|passed| passed < stuck.smallest_stuck);
        (larger && stuck.packets >= ENOUGH).then_some((end, stuck))
    })?;
    // Small ones must be seen to pass, and nothing of that size may.
    let others = traffic.tcp(end).largest_passed.is_some_and(|passed| passed >= stuck.smallest_stuck);
    let passes = traffic.direction(1 - end).last.is_some_and(|(packet, _)| packet > stuck.first);
    if others || !passes {
        return None;
    }
    Some(
        Diagnosis::broken(
            &MTU_BLACK_HOLE,
            format!(
                "{}: large packets from {} vanish: {} {} was sent again {} (packets {} to {}) and never acknowledged, while small packets pass.",
                attempt.name(),
                attempt.who(end),
                bracket(&stuck),
                if stuck.flows == 1 { "of a TCP connection" } else { "of TCP connections" },
                if stuck.packets == 1 { String::from("once") } else { format!("{} times", stuck.packets) },
                stuck.first,
                stuck.last
            ),
        )
        .evidence([stuck.first, stuck.last])
        .confidence(Confidence::Likely)
        .advice(mtu::advice_for(attempt.case, attempt.connection, call, stuck.smallest_stuck)),
    )
}

/// `a packet of 1,348 octets (372 pass)`.
fn bracket(stuck: &Stuck) -> String {
    let passed = stuck.largest_passed.map_or_else(String::new, |octets| format!(" ({octets} pass)"));
    format!("a packet of {} octets{passed}", stuck.smallest_stuck)
}

/// The same full-size segments leave in fragments again and again, while small packets get through.
pub(super) fn fragmented_black_hole(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let case = attempt.case;
    let connection = attempt.connection?;
    let ours = case.analysis.fragmented.iter().filter(|one| mtu::is_of(connection, one));
    let worst = ours.max_by_key(|one| one.repeated)?;
    let passes = call.data.iter().all(|data| data.network > 0);
    if worst.repeated < ENOUGH || !passes {
        return None;
    }
    let told =
        case.analysis.path_mtu.map(|(by, mtu)| format!(" {by} tells an MTU of {mtu}.")).unwrap_or_default();
    Some(
        Diagnosis::broken(
            &MTU_BLACK_HOLE,
            format!(
                "full-size packets vanish: {} of TCP from {} left as IP fragments and had to be sent again ({}), while small packets pass.{told}",
                count(worst.repeated, "segment"),
                worst.addresses.source,
                packets(&worst.repeats, worst.repeated)
            ),
        )
        .evidence(worst.repeats.iter().copied())
        .confidence(Confidence::Likely)
        .advice(mtu::budget(case, worst).map(|budget| budget.advice()).unwrap_or_else(|| {
            String::from("lower MTU and MRU of PPP (1400 is safe), or clamp the TCP MSS.")
        })),
    )
}

/// It works, in fragments.
pub(super) fn fragments(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let connection = attempt.connection?;
    let ours = attempt
        .case
        .analysis
        .fragmented
        .iter()
        .filter(|one| mtu::is_of(connection, one) && one.headers.is_some());
    let worst = ours.max_by_key(|one| one.datagrams)?;
    Some(
        Diagnosis::degraded(
            &OUTER_FRAGMENTATION,
            format!(
                "{} works, but {} from {} left as IP fragments: MRU plus overhead is larger than the path takes.",
                attempt.name(),
                count(worst.datagrams, "datagram"),
                worst.addresses.source
            ),
        )
        .evidence(worst.packets.iter().copied())
        .confidence(Confidence::Likely)
        .advice(mtu::budget(attempt.case, worst).map_or_else(
            || String::from("where fragments are dropped, full-size packets vanish: lower MTU and MRU of PPP (1400 is safe), or clamp the TCP MSS."),
            |budget| format!("where fragments are dropped, full-size packets vanish: {}", budget.advice()),
        )),
    )
}
