//! Rules on the order of messages: what the state machines of RFC 2661 section 7 have a place for.

use crate::analysis::control::connection::Connection;
use crate::analysis::known::{Unknown, unknown_of};
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};
use crate::dissect::layers::MessageType;

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// An SCCRP came where none was awaited.
    ///
    /// Its receiver sends a StopCCN. Usual cause: two daemons answer one request, or an answer to an older request.
    /// Example: SCCRQ, SCCRP, and a second SCCRP with the next Ns.
    TUN_SCCRP_UNEXPECTED = "tun-sccrp-unexpected", Error, "RFC 2661 7.2.1",
        "an SCCRP is acceptable in the state wait-ctl-reply only.";

    /// An SCCCN came where none was awaited, for example right behind the SCCRQ.
    ///
    /// Its receiver clears the tunnel.
    /// Example: SCCRQ, and an SCCCN right behind it.
    TUN_SCCCN_UNEXPECTED = "tun-scccn-unexpected", Error, "RFC 2661 7.2.1",
        "an SCCCN is acceptable in the state wait-ctl-conn only.";

    /// A message of the set-up came in an established control connection.
    ///
    /// Its receiver clears the tunnel and all calls. Usual cause: the sender lost its state and begins anew with old
    /// IDs.
    /// Example: a tunnel that is up, and an SCCCN with the next Ns.
    TUN_SCCRQ_IN_ESTABLISHED = "tun-sccrq-in-established", Error, "RFC 2661 7.2.1",
        "an SCCRQ, SCCRP or SCCCN in the state established is answered by a StopCCN.";

    /// A Hello or a message about a call was sent before the control connection was established.
    ///
    /// Its receiver is not ready for it, and clears the tunnel or drops the message. A request for a call right behind
    /// the SCCCN is in order.
    /// Example: SCCRQ, SCCRP, and an ICRQ where the SCCCN should be.
    TUN_MESSAGE_BEFORE_ESTABLISHED = "tun-message-before-established", Error, "RFC 2661 5.2",
        "calls are set up after the control connection is established.";

    /// A Hello was sent before the control connection was established.
    ///
    /// The peer has no established tunnel to keep alive.
    /// Example: SCCRQ, SCCRP, and a Hello where the SCCCN should be.
    HELLO_BEFORE_ESTABLISHED = "hello-before-established", Error, "RFC 2661 7.2.1",
        "the states before established have no place for a Hello.";

    /// An SCCRP went to another Tunnel ID than the request assigned.
    ///
    /// The initiator does not know the ID and drops the answer, so the set-up stalls.
    /// Example: an SCCRQ that assigns Tunnel ID 7, and an SCCRP to Tunnel ID 77.
    TUN_WRONG_TUNNEL_ID = "tun-wrong-tunnel-id", Error, "RFC 2661 4.4.3",
        "the Tunnel ID of a message is the one that its receiver gave in the Assigned Tunnel ID AVP.";

    /// A resent SCCRP assigns another Tunnel ID than its first copy.
    ///
    /// The initiator has the first one, and everything it sends goes to a tunnel that the sender has forgotten.
    /// Example: an SCCRP with Assigned Tunnel ID 9, sent again with 78.
    TUN_ID_CHANGED_ON_RETRANSMIT = "tun-id-changed-on-retransmit", Error, "RFC 2661 5.8",
        "a retransmission is the same message.";

    /// A message about a call came in a state that has no place for it.
    ///
    /// Its receiver answers with a CDN.
    /// Example: an ICRQ, and an ICCN before any ICRP.
    CALL_UNEXPECTED_MESSAGE = "call-unexpected-message", Error, "RFC 2661 7.4",
        "each state of a call has the messages that it accepts; others clear the call.";

    /// A message about a call has another Session ID in its header than its receiver assigned.
    ///
    /// The receiver looks for another call, finds none, and drops the message.
    /// Example: a call that is up, and an ICRP for it to Session ID 99.
    CALL_WRONG_SESSION_ID = "call-wrong-session-id", Error, "RFC 2661 5.3",
        "the Session ID of a message is the one that its receiver assigned.";

    /// A message about a call that nobody asked for.
    ///
    /// Its Session ID was not assigned by any message of this tunnel. Usual cause: one side kept a call over a
    /// restart of the other.
    /// Example: a CDN to Session ID 99, which nobody assigned.
    CALL_UNKNOWN_SESSION = "call-unknown-session", Warning, "RFC 2661 5.3",
        "the Session ID of a message is the one that its receiver assigned.";

    /// A request assigns a Session ID that another call of the same tunnel still has.
    ///
    /// Data of the two calls cannot be told apart.
    /// Example: a call that is up, and an ICRQ that assigns the same Session ID.
    CALL_ID_IN_USE = "call-id-in-use", Error, "RFC 2661 4.4.4",
        "the Assigned Session ID uniquely identifies the session at the end that assigns it.";

    /// A StopCCN names another tunnel than its sender gave before.
    ///
    /// Its receiver may not find the tunnel that is meant.
    /// Example: a StopCCN with Assigned Tunnel ID 99 from an end that had assigned 7.
    END_STOPCCN_TUNNEL_ID = "end-stopccn-tunnel-id", Error, "RFC 2661 4.4.3",
        "the Assigned Tunnel ID in a StopCCN is the one first sent to the receiving peer.";

    /// A CDN names another call than its sender gave before.
    ///
    /// Its receiver may not find the call that is meant.
    END_CDN_SESSION_ID = "end-cdn-session-id", Error, "RFC 2661 4.4.4",
        "the Assigned Session ID in a CDN is the one that its sender assigned to the call.";

    /// A CDN was answered by a CDN, instead of an acknowledgement alone.
    ///
    /// The call is gone on both sides all the same.
    END_CDN_ANSWERED = "end-cdn-answered", Note, "RFC 2661 5.6",
        "a CDN is answered by a ZLB acknowledgement.";

    /// Messages about calls go on after the StopCCN.
    ///
    /// The tunnel and its calls are gone; its receiver drops them.
    /// Example: a StopCCN, its acknowledgement, and an ICRQ 3 s later.
    END_SESSIONS_AFTER_STOPCCN = "end-sessions-after-stopccn", Warning, "RFC 2661 6.4",
        "the tunnel and all its calls are shut down by a StopCCN.";
}

/// Without a value: the fact, its rule, what is wrong and what was seen of how many messages.
static PLAIN: &[(Observation, &Rule, &str, &str)] = &[
    (Observation::TunnelIdChanged, &TUN_ID_CHANGED_ON_RETRANSMIT, "another tunnel ID in a resend", "SCCRP"),
    (Observation::WrongSession, &CALL_WRONG_SESSION_ID, "another session ID than was assigned", "message"),
    (Observation::SessionIdInUse, &CALL_ID_IN_USE, "a session ID that a call still has", "request"),
    (Observation::OtherTunnelId, &END_STOPCCN_TUNNEL_ID, "another tunnel ID in the StopCCN", "StopCCN"),
    (Observation::OtherSessionId, &END_CDN_SESSION_ID, "another session ID in the CDN", "CDN"),
    (Observation::CdnAnswered, &END_CDN_ANSWERED, "a CDN answered by a CDN", "CDN"),
];

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let analysis = case.analysis;
    for (fact, rule, title, what) in PLAIN {
        for (scope, tally) in analysis.all_observed(*fact) {
            let seen = |who: &str| format!("{} of {who}.", count(tally.count, what));
            found.extend(one(case, rule, scope, tally, title, seen));
        }
    }
    let unexpected = |fact| match fact {
        Observation::Unexpected(message) => Some((message, false)),
        Observation::SetupAgain(message) => Some((message, true)),
        _ => None,
    };
    for ((message, again), scope, tally) in analysis.each_observed(unexpected) {
        let (rule, title): (&'static Rule, _) = match message {
            _ if again => (&TUN_SCCRQ_IN_ESTABLISHED, format!("{} in an established tunnel", message.name())),
            MessageType::SCCRP => (&TUN_SCCRP_UNEXPECTED, String::from("an SCCRP that nobody awaits")),
            MessageType::SCCCN => (&TUN_SCCCN_UNEXPECTED, String::from("an SCCCN that nobody awaits")),
            _ => {
                (&CALL_UNEXPECTED_MESSAGE, format!("{} in a state that has no place for it", message.name()))
            }
        };
        let seen = |who: &str| format!("{} of {who}.", count(tally.count, message.name()));
        found.extend(one(case, rule, scope, tally, &title, seen));
    }
    let before = |fact| if let Observation::BeforeEstablished(message) = fact { Some(message) } else { None };
    for (message, scope, tally) in analysis.each_observed(before) {
        let rule: &'static Rule = if message == MessageType::HELLO {
            &HELLO_BEFORE_ESTABLISHED
        } else {
            &TUN_MESSAGE_BEFORE_ESTABLISHED
        };
        let title = format!("{} before the tunnel is established", message.name());
        let seen =
            |who: &str| format!("{} of {who}, and no SCCCN before.", count(tally.count, message.name()));
        found.extend(one(case, rule, scope, tally, &title, seen));
    }
    let after = |fact| if let Observation::AfterStopCcn(message) = fact { Some(message) } else { None };
    for (message, scope, tally) in analysis.each_observed(after) {
        let title = format!("{} after the StopCCN", message.name());
        let seen =
            |who: &str| format!("{} of {who}, more than 1 s later.", count(tally.count, message.name()));
        found.extend(one(case, &END_SESSIONS_AFTER_STOPCCN, scope, tally, &title, seen));
    }
    for (scope, tally) in analysis.all_observed(Observation::WrongTunnelId) {
        let id = tally.first_amount;
        let title = String::from("SCCRP to a tunnel ID that was not assigned");
        let seen = |who: &str| format!("{who} answers to tunnel ID {id}.");
        found.extend(one(case, &TUN_WRONG_TUNNEL_ID, scope, tally, &title, seen));
    }
    unknown_calls(case, found);
}

/// One finding for each sender, whatever number of sessions it names.
fn unknown_calls(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.all_observed(Observation::UnknownCall) {
        let one = tally.amount == tally.first_amount.saturating_mul(tally.count);
        let others = if one { "" } else { " and others" };
        let title = format!("messages about the unknown session ID {}{others}", tally.first_amount);
        let seen = |who: &str| format!("{} from {who}.", count(tally.count, "message"));
        found.extend(self::one(case, &CALL_UNKNOWN_SESSION, scope, tally, &title, seen));
    }
}

fn one(
    case: &Case<'_>,
    rule: &'static Rule,
    scope: Scope,
    tally: &Tally,
    title: &str,
    seen: impl Fn(&str) -> String,
) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    if words::one_direction_missing(connection) {
        return None;
    }
    let end = scope.end.unwrap_or(0);
    let who = words::who(connection, end);
    let place = scope.call.map_or_else(|| words::tunnel(connection), words::call);
    let finding = Finding::new(rule, format!("{place}: {title}"))
        .tally(tally)
        .connection(connection.number)
        .by(end)
        .seen(seen(&who))
        .unsure(doubt(case, connection))
        .advice(format!("look in the log of {who} at that time; if it repeats, update or report that side."));
    // The call is closed already: what the answer to a CDN names does no harm.
    let closed = scope.call.and_then(|call| case.analysis.call(call)).and_then(|call| call.closing_packet);
    let harmless = rule.id == END_CDN_SESSION_ID.id
        && closed.is_some_and(|closed| tally.packets.iter().all(|packet| *packet > closed));
    let finding = if harmless { finding.severity(Severity::Note) } else { finding };
    Some(match scope.call {
        Some(call) => finding.call(call),
        None => finding,
    })
}

/// Guards G1 and G2: a message that is not in the capture may have changed the state.
fn doubt(case: &Case<'_>, connection: &Connection) -> Option<String> {
    let since = connection.requested.unwrap_or_default();
    let unknown = (0..2).find_map(|end| unknown_of(case.analysis, connection, end, since));
    let unseen = connection.ends.iter().any(|end| end.delivery.unseen) || unknown == Some(Unknown::Lost);
    if unseen || !connection.from_start {
        return Some(String::from(
            "control messages of this tunnel are missing in the capture; one of them would explain it.",
        ));
    }
    case.unread_from(connection.end(0), connection.requested.unwrap_or_default())
        .or_else(|| case.unread_from(connection.end(1), connection.requested.unwrap_or_default()))
        .or_else(|| case.capture_loses())
}
