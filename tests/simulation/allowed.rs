//! Findings above a note that are right in a conversation of peers that keep to the RFCs: each only where the simulation
//! itself knows that what it says happened.

use l2tp_inspect::rules::Finding;

use super::judge::about;
use super::scenario::Run;
use super::truth::What;
use crate::common::{HELLO, Judged, SCCRQ, STOPCCN};

pub fn allowed(run: &Run, judged: &Judged, finding: &Finding) -> bool {
    let id = finding.rule.id;
    // Nothing here runs under ESP; and what the capture lacks is a fault of the capture, not of a peer.
    if id == "sec-l2tp-in-clear" || id.starts_with("cap-") {
        return true;
    }
    let truth = &run.world.truth;
    let conn = about(run, judged, finding);
    let any = |test: &dyn Fn(usize, What) -> bool| {
        truth
            .happened
            .iter()
            .any(|(_, of, end, what)| conn.is_none_or(|conn| conn == *of) && test(*end, *what))
    };
    // An end that gave up, or lost its memory, answers nothing any more: its peer waits in vain.
    let died = any(&|_, what| matches!(what, What::GaveUp(_) | What::Crashed));
    let waits = |kind: u16| any(&|_, what| what == What::GaveUp(kind) || what == What::Unanswered(kind));
    let outage = run.world.path.outage.is_some();
    let both =
        |test: &dyn Fn(usize, What) -> bool| (0..2).all(|end| any(&|by, what| by == end && test(by, what)));
    let data = |test: &dyn Fn(usize, usize) -> bool| {
        let mut ends = (0..run.world.conns.len()).flat_map(|conn| [(conn, 0), (conn, 1)]);
        ends.any(|(of, end)| conn.is_none_or(|conn| conn == of) && test(of, end))
    };
    match id {
        // A peer said so itself, in a result code that is no orderly end.
        "end-stopccn" => any(&|_, what| matches!(what, What::Stopped(code) if code != 1)),
        "end-cdn" => {
            any(&|_, what| matches!(what, What::Cleared(_, code) if code != 1 && code != 3))
                || run.world.calls.iter().any(|call| call.refuse.is_some())
        }
        "ppp-auth-failed" => any(&|_, what| matches!(what, What::Refused(_))),
        // PAP in the clear shows the password.
        "ppp-auth-weak" => run.world.calls.iter().any(|call| call.ppp.demand.is_some()),
        // A message was sent to the end without an acknowledgement, or its receiver was gone, or the path was dead.
        "tun-no-reply" => waits(SCCRQ),
        "hello-unacknowledged" | "hello-tunnel-dead" => waits(HELLO) || died || outage,
        "seq-retransmit-exhausted" | "seq-ack-missing" => {
            died || outage || any(&|_, what| matches!(what, What::Unanswered(_)))
        }
        "end-silent" => died,
        "end-stopccn-not-acked" => waits(STOPCCN) || died || outage,
        // The set-up really stopped half way.
        "tun-incomplete" => died && !both(&|_, what| what == What::Established),
        "call-no-reply" | "call-incomplete" => !both(
            &|_, what| matches!(what, What::CallEstablished(call) if finding.call.is_none_or(|id| is_call(run, judged, id, call))),
        ),
        // The message that closes was never delivered, so its receiver goes on in good faith.
        "data-after-stopccn" | "data-after-cdn" | "data-before-established" => died,
        // They tell what the path did before the tap, and accuse nobody; of a gap the capture may be the cause.
        "data-seq-gap" => {
            finding.end.is_none() && data(&|conn, end| truth.data_missing.contains(&(conn, end)))
        }
        "data-seq-out-of-order" => {
            finding.end.is_none() && data(&|conn, end| truth.data_reordered(conn, end))
        }
        "data-seq-duplicate" => finding.end.is_none() && data(&|conn, end| truth.data_doubled(conn, end)),
        // The other end is gone, or the path was dead.
        "ppp-lcp-no-answer" | "ppp-echo-unanswered" | "ppp-auth-no-answer" | "ppp-no-ncp" => died || outage,
        // It says what happened: the client came back without a StopCCN.
        "tun-peer-restarted" => run.world.conns.iter().enumerate().any(|(at, one)| {
            one.replaces.is_some_and(|old| conn.is_none_or(|conn| conn == old || conn == at))
        }),
        _ => false,
    }
}

fn is_call(run: &Run, judged: &Judged, id: l2tp_inspect::analysis::CallId, call: usize) -> bool {
    let first = judged.analysis.call(id).map_or(0, |found| found.first_packet);
    let at = usize::try_from(first).unwrap_or(1).saturating_sub(1);
    run.world.truth.captured.get(at).is_some_and(|packet| packet.note.call == Some(call))
}
