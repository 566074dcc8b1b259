//! Rules on data messages (RFC 2661 sections 5.3 and 5.4).

use crate::analysis::facts::{Fact, Scope, Tally};
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// A call carries data before it is established.
    ///
    /// One round trip of it is normal: the side that sends the last message of the set-up may send data right behind
    /// it. More of it, or a call that is never established, shows that the last message was lost or never sent.
    DATA_BEFORE_ESTABLISHED = "data-before-established", Warning, "RFC 2661 7.4",
        "an incoming call is established by the ICCN, an outgoing one by the OCCN.";

    /// Data comes with a session ID that no message of the tunnel announced.
    ///
    /// The sender believes in a call that the tunnel does not have: a stale call after a restart, a wrong id, or
    /// hidden AVPs that could not be read.
    DATA_UNKNOWN_SESSION = "data-unknown-session", Warning, "RFC 2661 5.3",
        "the Session ID of a data message is the one that its receiver assigned to the call.";

    /// Sequence numbers of data messages are missing.
    ///
    /// Data messages are never resent: what is missing is lost, on the way to the capture point or by the capture.
    DATA_SEQ_GAP = "data-seq-gap", Warning, "RFC 2661 5.4",
        "Ns of data messages counts by one, so that a receiver notices loss.";
}

/// Data that races the last message of the set-up.
const ROUND_TRIP: Duration = Duration::seconds(1);

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.facts.all(Fact::EarlyData) {
        found.extend(early(case, scope, tally));
    }
    for (scope, tally) in case.analysis.facts.all(Fact::UnknownSession) {
        found.extend(unknown(case, scope, tally));
    }
    for (scope, tally) in case.analysis.facts.all(Fact::DataGap) {
        found.extend(gap(case, scope, tally));
    }
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
    let unsure = call
        .established
        .is_none()
        .then(|| {
            case.unread_from(connection.end(call.requester.unwrap_or(0)), tally.first)
                .or_else(|| case.capture_loses())
        })
        .flatten();
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

fn unknown(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let id = scope.call?;
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
        Finding::new(&DATA_SEQ_GAP, format!("{} loses data", words::call(id)))
            .tally(tally)
            .connection(connection.number)
            .call(id)
            .seen(format!(
                "{} of {who} never seen, beside {} that came.",
                count(data.lost, "data packet"),
                words::thousands(data.packets)
            ))
            .unsure(case.capture_loses())
            .advice("data is not resent by L2TP. Find the hop that loses it: compare captures of both ends."),
    )
}
