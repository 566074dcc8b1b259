//! Rules on when data messages carry sequence numbers (RFC 2661 section 5.4): the LNS decides, and the LAC follows.

use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};

use super::words::{self, count};
use super::{Case, Finding, rules};

rules! {
    /// The LAC does not follow the LNS into, or out of, sequence numbers on data.
    ///
    /// An LNS that switched them on drops data without them, or cannot see loss; one that switched them off may drop data
    /// with them. Said of a call without the Sequencing Required AVP, once three data messages of the LNS in a row show the
    /// switch and the LAC goes on as before for more than a second. Usual cause: a LAC with a fixed setting.
    /// Example: an LNS whose sixth packet and all after it carry Ns, and a LAC that never sends any.
    DATA_SEQ_LAC_NOT_FOLLOWING = "data-seq-lac-not-following", Warning, "RFC 2661 5.4",
        "a LAC that receives data with sequence numbers must begin to send them, and without them must stop.";

    /// Sequence numbers of data begin at 0 again after a pause without them.
    ///
    /// A receiver takes what follows for old packets and drops it, until the numbers pass those of before. Usual cause: a
    /// sender that forgets its count when sequence numbers are switched off.
    /// Example: data with Ns 0 to 4, three packets without, and Ns 0 again.
    DATA_SEQ_NOT_RESUMED = "data-seq-not-resumed", Warning, "RFC 2661 5.4",
        "if sequencing is enabled after it was disabled, the sequence number state picks up where it left off.";
}

/// One packet or two of the LAC may have been made before it heard of the switch.
const ENOUGH: u64 = 3;
/// So much data from the LNS after the switch does not all get lost after the capture point.
const SURE: u16 = 8;

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for begins in [false, true] {
        for (scope, tally) in case.analysis.all_observed(Observation::NotFollowing { begins }) {
            found.extend(not_following(case, begins, scope, tally));
        }
    }
    for (scope, tally) in case.analysis.all_observed(Observation::NumbersRestart) {
        found.extend(not_resumed(case, scope, tally));
    }
}

fn not_following(case: &Case<'_>, begins: bool, scope: Scope, tally: &Tally) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let (id, end) = (scope.call?, scope.end?);
    let lead = case.analysis.call(id)?.data.get(usize::from(1 - end))?;
    let (switch, goes_on) = if begins { ("began", "without") } else { ("stopped", "with") };
    // Data of the LNS that was lost after the capture point switches nothing.
    let unsure = (lead.run < SURE || lead.numbered != begins).then(|| {
        format!("the data of {} may have been lost after the capture point.", words::who(connection, 1 - end))
    });
    (tally.count >= ENOUGH).then(|| {
        Finding::new(
            &DATA_SEQ_LAC_NOT_FOLLOWING,
            format!(
                "{}: the LNS {switch} to send sequence numbers, the LAC goes on {goes_on} them",
                words::call(id)
            ),
        )
        .tally(tally)
        .connection(connection.number)
        .call(id)
        .by(end)
        .seen(format!(
            "{} of {}, more than 1 s after the switch.",
            count(tally.count, "data packet"),
            words::who(connection, end)
        ))
        .unsure(unsure)
        .advice("set sequence numbers on data alike at both ends, or require them in the set-up.")
    })
}

fn not_resumed(case: &Case<'_>, scope: Scope, tally: &Tally) -> Option<Finding> {
    let (_, connection) = case.analysis.numbered(scope.connection?)?;
    let (id, end) = (scope.call?, scope.end?);
    // The capture may lack the set-up of a new call with the same ID.
    let reused = connection.ends.iter().any(|end| end.delivery.unseen);
    let unsure = reused
        .then(|| String::from("a new call may have the same ID, if the capture lacks its set-up."))
        .or_else(|| case.capture_loses());
    Some(
        Finding::new(
            &DATA_SEQ_NOT_RESUMED,
            format!("{}: data is numbered from 0 again after a pause", words::call(id)),
        )
        .tally(tally)
        .connection(connection.number)
        .call(id)
        .by(end)
        .seen(format!(
            "{} of {}: Ns 0 after data without numbers, and higher ones before that.",
            count(tally.count, "time"),
            words::who(connection, end)
        ))
        .unsure(unsure)
        .advice("update the sender; until then leave sequence numbers on, or off, for a whole call."),
    )
}
