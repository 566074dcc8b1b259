//! Rules on the set-up of calls (RFC 2661 sections 5.2, 7.4 and 7.5).

use crate::analysis::CallId;
use crate::analysis::control::call::{Call, CallKind, CallState};
use crate::analysis::control::connection::Connection;
use crate::util::{Duration, Timestamp};

use super::words;
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// A call was asked for, the request was acknowledged, and no answer followed.
    ///
    /// Usual causes: a session limit, a role the peer does not take, an AVP it misses.
    /// Example: an ICRQ, a ZLB that acknowledges it, and 10 s without an ICRP or CDN.
    CALL_NO_REPLY = "call-no-reply", Error, "RFC 2661 5.2", "an ICRQ is answered by an ICRP or a CDN.";

    /// A call was asked for and answered, and never connected.
    ///
    /// The side that asked did not accept the answer, or its last message was lost.
    /// Example: ICRQ, ICRP, a ZLB, and 10 s without an ICCN.
    CALL_INCOMPLETE = "call-incomplete", Warning, "RFC 2661 5.2",
        "the three messages ICRQ, ICRP and ICCN (or OCRQ, OCRP and OCCN) establish a call.";
}

/// Waiting is no fault before this.
const PATIENCE: Duration = Duration::seconds(8);

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        if words::one_direction_missing(connection) {
            continue;
        }
        for id in &connection.calls {
            if let Some(call) = case.analysis.call(*id) {
                found.extend(one(case, connection, *id, call));
            }
        }
    }
}

fn one(case: &Case<'_>, connection: &Connection, id: CallId, call: &Call) -> Option<Finding> {
    let requested = call.requested?;
    let requester = call.requester?;
    let peer = 1 - requester;
    let over = case.left_after(requested) >= PATIENCE;
    let acknowledged = !connection
        .end(requester)
        .delivery
        .outstanding
        .iter()
        .any(|message| message.call == Some(id) && message.first == requested);
    let (request, answer) = if call.kind == CallKind::Outgoing { ("OCRQ", "OCRP") } else { ("ICRQ", "ICRP") };
    // Closed so late that an answer was overdue.
    let waited = |closed: Option<Timestamp>| closed.is_none_or(|closed| closed.since(requested) >= PATIENCE);
    let no_answer = !call.was_established && !answered(call, peer);
    let (rule, seen): (&'static Rule, _) = match call.state {
        CallState::WaitReply if over && acknowledged && waited(connection.closed) => {
            (&CALL_NO_REPLY, format!("the {request} was acknowledged, and no {answer} or CDN came."))
        }
        CallState::WaitConnect if over => {
            (&CALL_INCOMPLETE, format!("{request} and {answer} came, and nothing that connects the call."))
        }
        CallState::Closed if call.result.is_none() && no_answer && acknowledged && waited(call.closed) => {
            (&CALL_NO_REPLY, format!("the {request} was acknowledged, and no {answer} or CDN came."))
        }
        CallState::Closed
            if !call.was_established && call.closed_by == Some(requester) && answered(call, peer) =>
        {
            (&CALL_INCOMPLETE, format!("{request} and {answer} came, then the call was closed."))
        }
        _ => return None,
    };
    let who = if rule.id == CALL_NO_REPLY.id { peer } else { requester };
    // A later message of that side, with no number missing, shows that it sent none before.
    let end = connection.end(who);
    let heard = end.last_control.is_some_and(|(_, time)| time.since(requested) >= PATIENCE);
    // Who uses a call has it; and whoever asked for an answer that did not come would ask again.
    let used = call.data.iter().all(|data| data.packets > 0);
    let missing = used || !heard && words::lossy(connection) || connection.unseen_messages > 0;
    let missed = (!heard || end.delivery.unseen)
        .then(|| String::from("the message may have been sent, and not be in the capture."));
    Some(
        Finding::new(rule, format!("{} was never established", words::call(id)))
            .severity(if missing { Severity::Note } else { rule.severity })
            .packets(&[call.first_packet])
            .connection(connection.number)
            .call(id)
            .seen(seen)
            .unsure(case.unread_from(connection.end(who), requested).or(missed))
            .advice(format!("look in the log of {} for the reason.", words::who(connection, who))),
    )
}

fn answered(call: &Call, peer: u8) -> bool {
    call.session_ids.get(usize::from(peer)).is_some_and(Option::is_some)
}
