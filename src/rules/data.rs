//! Rules on data messages (RFC 2661 sections 5.3 and 5.4).

use crate::analysis::control::call::{Call, CallKind};
use crate::analysis::control::connection::Connection;
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// A call carries data before it is established.
    ///
    /// One round trip of it is normal: the side that sends the last message of the set-up may send data right behind
    /// it. More of it, or a call that is never established, shows that the last message was lost or never sent.
    /// Example: ICRQ, ICRP, and data although no ICCN follows.
    DATA_BEFORE_ESTABLISHED = "data-before-established", Warning, "RFC 2661 7.4",
        "an incoming call is established by the ICCN, an outgoing one by the OCCN.";

    /// Data comes with a session ID that no message of the tunnel announced.
    ///
    /// The sender believes in a call that the tunnel does not have: a stale call after a restart, a wrong id, or
    /// hidden AVPs that could not be read.
    /// Example: a call that is up, and data to Session ID 99.
    DATA_UNKNOWN_SESSION = "data-unknown-session", Warning, "RFC 2661 5.3",
        "the Session ID of a data message is the one that its receiver assigned to the call.";

    /// Sequence numbers of data messages are missing.
    ///
    /// Data messages are never resent: what is missing is lost, on the path before the capture point or by the capture. It
    /// is no fault of either end.
    DATA_SEQ_GAP = "data-seq-gap", Warning, "RFC 2661 5.4",
        "Ns of data messages counts by one, so that a receiver notices loss.";

    /// Data came out of order.
    ///
    /// Receivers put it right or drop it. Stateful compression and encryption inside suffer. Usual cause: several paths
    /// of different length, or several queues on one host.
    DATA_SEQ_OUT_OF_ORDER = "data-seq-out-of-order", Warning, "RFC 2661 5.4",
        "sequence numbers let a receiver restore the original order.";

    /// Data came twice.
    ///
    /// The same Ns stands in two data messages. Usual cause: the path doubles packets; receivers drop the second.
    DATA_SEQ_DUPLICATE = "data-seq-duplicate", Warning, "RFC 2661 5.4",
        "each data message of a session has the next sequence number.";

    /// Data has no sequence numbers, although the set-up of the call requires them.
    ///
    /// The receiver may drop it.
    /// Example: an ICCN with the Sequencing Required AVP, and data without Ns.
    DATA_SEQ_REQUIRED_MISSING = "data-seq-required-missing", Error, "RFC 2661 5.4",
        "with the Sequencing Required AVP in the set-up, sequence numbers must be present at all times.";

    /// Data goes on after the call was closed.
    ///
    /// More than a round trip after the CDN, so not what was under way. The receiver drops it. Usual cause: the
    /// sender did not hear of the end, or its data path outlives the call.
    /// Example: a CDN, its acknowledgement, and data 2 s later.
    DATA_AFTER_CDN = "data-after-cdn", Warning, "RFC 2661 5.6",
        "a session is torn down by the CDN.";

    /// Data goes on after the tunnel was closed.
    ///
    /// More than a round trip after the StopCCN, so not what was under way. The receiver drops it. Usual cause: the
    /// sender did not hear of the end: its peer gave the tunnel up, or another host answers for it.
    DATA_AFTER_STOPCCN = "data-after-stopccn", Warning, "RFC 2661 6.4",
        "by a StopCCN the tunnel is shut down and all its sessions are cleared.";

    /// Data has Tunnel ID or Session ID 0.
    ///
    /// 0 names no tunnel and no call, so the receiver drops it.
    /// Example: data to Session ID 0.
    DATA_SESSION_ZERO = "data-session-zero", Error, "RFC 2661 5.3",
        "0 is special and must not be used as an assigned ID.";
}

/// Data that races the last message of the set-up.
const ROUND_TRIP: Duration = Duration::seconds(1);

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.all_observed(Observation::EarlyData) {
        found.extend(early(case, scope, tally));
    }
    for (scope, tally) in case.analysis.all_observed(Observation::UnknownSession) {
        found.extend(unknown(case, scope, tally));
    }
    for (scope, tally) in case.analysis.all_observed(Observation::DataGap) {
        found.extend(gap(case, scope, tally));
    }
    for (fact, rule, title, what) in NETWORK {
        for (scope, tally) in case.analysis.all_observed(*fact) {
            found.extend(by_the_network(case, (rule, title, what), scope, tally));
        }
    }
    for (scope, tally) in case.analysis.all_observed(Observation::DataReplayed) {
        found.extend(replayed(case, scope, tally));
    }
    for (fact, rule, title, advice) in LOOSE {
        for (scope, tally) in case.analysis.all_observed(*fact) {
            found.extend(loose(case, rule, title, advice, scope, tally));
        }
    }
}

/// Data that the state or the set-up of its call has no place for.
static LOOSE: &[(Observation, &Rule, &str, &str)] = &[
    (
        Observation::DataUnnumbered,
        &DATA_SEQ_REQUIRED_MISSING,
        "data without the sequence numbers that its set-up requires",
        "switch sequence numbers on at the sender, or the requirement off.",
    ),
    (
        Observation::LateData { tunnel: false },
        &DATA_AFTER_CDN,
        "data after the end of the call",
        "did the sender hear of the CDN? Look in its log.",
    ),
    (
        Observation::LateData { tunnel: true },
        &DATA_AFTER_STOPCCN,
        "data after the end of the tunnel",
        "did the sender hear of the StopCCN? It believes in a tunnel that its peer has given up.",
    ),
    (
        Observation::DataZero,
        &DATA_SESSION_ZERO,
        "data to ID 0",
        "the sender uses an ID before it is assigned one.",
    ),
];

fn loose(
    case: &Case<'_>,
    rule: &'static Rule,
    title: &str,
    advice: &str,
    scope: Scope,
    tally: &Tally,
) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let id = scope.call?;
    let end = scope.end?;
    let closed = case.analysis.call(id)?.closed;
    let after = closed.filter(|_| matches!(rule.id, "data-after-cdn" | "data-after-stopccn"));
    let when = after.map_or_else(String::new, |closed| {
        match (tally.first.since(closed).to_string(), tally.last.since(closed).to_string()) {
            (first, last) if first == last => format!(", {first} later"),
            (first, last) => format!(", {first} to {last} later"),
        }
    });
    // The capture may lack the set-up of a new call with the same ID.
    let reused = after.is_some() && connection.ends.iter().any(|end| end.delivery.unseen);
    Some(
        Finding::new(rule, format!("{}: {title}", words::call(id)))
            .tally(tally)
            .connection(connection.number)
            .call(id)
            .by(end)
            .seen(format!("{} of {}{when}.", count(tally.count, "data packet"), words::who(connection, end)))
            .unsure(
                reused.then(|| {
                    String::from("a new call may have the same ID, if the capture lacks its set-up.")
                }),
            )
            .advice(advice),
    )
}

/// Numbers that came late or again: the path's doing, not an end's.
static NETWORK: &[(Observation, &Rule, &str, &str)] = &[
    (
        Observation::DataLate,
        &DATA_SEQ_OUT_OF_ORDER,
        "the path changes the order of data",
        "after a later number",
    ),
    (Observation::DataCopy, &DATA_SEQ_DUPLICATE, "the path doubles data", "with a number that came before"),
];

fn by_the_network(
    case: &Case<'_>,
    (rule, title, what): (&'static Rule, &str, &str),
    scope: Scope,
    tally: &Tally,
) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let (id, end) = (scope.call?, scope.end?);
    let data = case.analysis.call(id)?.data.get(usize::from(end))?;
    Some(
        Finding::new(rule, format!("{}: {title}", words::call(id)))
            .tally(tally)
            .connection(connection.number)
            .call(id)
            .seen(format!(
                "{} from {} {what}, of {}.",
                count(tally.count, "data packet"),
                words::who(connection, end),
                words::thousands(data.packets)
            ))
            .advice("the path does this, not L2TP: compare captures of both ends to find the hop."),
    )
}

fn replayed(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let (id, end) = (scope.call?, scope.end?);
    Some(
        Finding::new(&DATA_SEQ_DUPLICATE, format!("{}: data comes twice under ESP", words::call(id)))
            .severity(Severity::Note)
            .tally(tally)
            .connection(connection.number)
            .call(id)
            .by(end)
            .seen(format!(
                "{} of {} came again with their ESP packets; the replay check drops them before L2TP.",
                count(tally.count, "data packet"),
                words::who(connection, end)
            ))
            .advice("see esp-replay: the network doubles packets."),
    )
}

fn early(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let id = scope.call?;
    let call = case.analysis.call(id)?;
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    if words::one_direction_missing(connection) {
        return None;
    }
    let who = words::who(connection, scope.end?);
    let name = words::call(id);
    let packets = count(tally.count, "data packet");
    let (severity, seen) = match call.established {
        Some(time) if time.since(tally.first) <= ROUND_TRIP => (
            Severity::Note,
            format!("{packets} of {who} {} before; a race of one round trip.", time.since(tally.first)),
        ),
        Some(time) => {
            (Severity::Warning, format!("{packets} of {who}, from {} before on.", time.since(tally.first)))
        }
        None => (Severity::Error, format!("{packets} of {who}, and the call was never connected.")),
    };
    let unsure = call.established.is_none().then(|| never_connected(case, connection, call, tally)).flatten();
    // Both ends send data: the one message that connects the call is missing in the capture rather than two ends wrong.
    let both = call.data.iter().all(|data| data.packets > 0);
    // What connects it may have been lost before this capture point, and be seen only when it was sent again.
    let connects =
        if call.kind == CallKind::Outgoing { call.requester.map(|end| 1 - end) } else { call.requester };
    // That end sends data once it has connected the call.
    let sent_before = connects.and_then(|end| call.data.get(usize::from(end))?.first) < call.established
        && connects.is_some_and(|end| call.data.get(usize::from(end)).is_some_and(|data| data.packets > 0));
    let resent = call.established.is_some_and(|time| time.since(tally.first) <= super::sequence::FULL_CYCLE)
        && (scope.end == connects || sent_before || words::lossy(connection));
    let severity = if unsure.is_some() && (both || words::lossy(connection)) || resent {
        Severity::Note
    } else {
        severity
    };
    Some(
        Finding::new(&DATA_BEFORE_ESTABLISHED, format!("{name} carries data before it is established"))
            .tally(tally)
            .severity(severity)
            .connection(connection.number)
            .call(id)
            .seen(seen)
            .unsure(unsure)
            .advice(match severity {
                Severity::Note => String::from("nothing to do."),
                _ => format!("look for the message that connects {name}: lost, or never sent."),
            }),
    )
}

/// What could hide the message that connects a call. Only a later control message of the same side, with no number
/// missing, shows that it was never sent.
fn never_connected(case: &Case<'_>, connection: &Connection, call: &Call, tally: &Tally) -> Option<String> {
    let connects = if call.kind == CallKind::Outgoing { 1 - call.requester? } else { call.requester? };
    let end = connection.end(connects);
    let later = end.last_control.is_some_and(|(_, time)| time > tally.first);
    let missing = (end.delivery.unseen || !later).then(|| {
        String::from("the message that connects the call may have been sent, and not be in the capture.")
    });
    case.unread_from(end, tally.first).or_else(|| case.capture_loses()).or(missing)
}

fn unknown(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let id = scope.call?;
    // It was connected: the capture lacks the messages that assigned the ID.
    if case.analysis.call(id)?.was_established {
        return None;
    }
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let end = scope.end?;
    let session = case.analysis.call(id)?.session_ids.get(usize::from(1 - end)).copied().flatten();
    let session = session.map_or_else(|| String::from("0"), |session| session.to_string());
    Some(
        Finding::new(
            &DATA_UNKNOWN_SESSION,
            format!("{}: data with the unknown session ID {session}", words::tunnel(connection)),
        )
        .tally(tally)
        .connection(connection.number)
        .call(id)
        .seen(format!(
            "{} of {}; no message of this tunnel assigned {session}.",
            count(tally.count, "data packet"),
            words::who(connection, end)
        ))
        .unsure(
            case.unread_from(connection.end(1 - end), connection.requested.unwrap_or_default())
                .or_else(|| case.capture_loses()),
        )
        .advice("the sender keeps an old call: was one side restarted?"),
    )
}

fn gap(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let id = scope.call?;
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let data = case.analysis.call(id)?.data.get(usize::from(scope.end?))?;
    if data.lost == 0 {
        return None;
    }
    let who = words::who(connection, scope.end?);
    Some(
        Finding::new(&DATA_SEQ_GAP, format!("{}: data is lost on the path", words::call(id)))
            .tally(tally)
            .connection(connection.number)
            .call(id)
            .seen(format!(
                "{} from {who} never seen, beside {} that came.",
                count(data.lost, "data packet"),
                words::thousands(data.packets)
            ))
            .unsure(case.capture_loses())
            .advice("data is not resent by L2TP. Find the hop that loses it: compare captures of both ends."),
    )
}
