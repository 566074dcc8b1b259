//! What to say where nothing is broken, or nothing is there.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::util::Duration;

use super::super::Case;
use super::super::words::{count, one_direction_missing, who};
use super::{Confidence, Diagnosis, Verdict};

/// The verdict on a capture in which nothing is broken.
pub(super) fn worked(case: &Case<'_>) -> Diagnosis {
    let analysis = case.analysis;
    let connections: Vec<&Connection> =
        analysis.in_order().into_iter().map(|(_, connection)| connection).collect();
    if connections.is_empty() {
        return nothing(case);
    }
    let calls: Vec<&Call> = analysis.calls.iter().collect();
    let one_way = connections.iter().any(|connection| one_direction_missing(connection));
    let up = connections.iter().any(|connection| {
        connection.was_established
            || !connection.from_start && connection.ends.iter().all(|end| end.packets > 0)
    });
    if !up {
        return Diagnosis::undecided(
            "no control connection is seen to come up or to fail before the capture ends.",
        )
        .evidence([connections.first().map_or(0, |connection| connection.first_packet)])
        .advice("capture both directions, until the tunnel is up or given up (about a minute).");
    }
    let sentence =
        format!("{}{}{}.", what(&connections, &calls), traffic(&calls), ending(case, &connections));
    let evidence = connections.iter().flat_map(|connection| {
        [Some(connection.first_packet), connection.closing_packet].into_iter().flatten()
    });
    let partial = one_way || connections.iter().any(|connection| !connection.from_start);
    let diagnosis = Diagnosis::new(Verdict::Healthy, "healthy", sentence).evidence(evidence);
    let sealed: u64 = analysis.flows.iter().map(|flow| flow.no_key + flow.bad_icv + flow.bad_padding).sum();
    if one_way && sealed == 0 {
        return diagnosis
            .confidence(Confidence::Possible)
            .advice("only one direction was captured: what the other side sent is not seen.");
    }
    if sealed > 0 {
        return diagnosis.confidence(Confidence::Possible).advice(format!(
            "{} could not be decrypted: what they hold is not judged.",
            count(sealed, "ESP packet")
        ));
    }
    diagnosis.confidence(if partial { Confidence::Likely } else { Confidence::Certain })
}

/// L2TP of a version that is not followed, and nothing else.
pub(super) fn other_version(case: &Case<'_>) -> Option<Diagnosis> {
    let totals = &case.analysis.totals;
    if totals.other_version == 0 || !case.analysis.connections.is_empty() {
        return None;
    }
    let tally = case.analysis.observed(Observation::OtherVersion, Scope::default())?;
    Some(
        Diagnosis::undecided(format!(
            "{} of another version than 2 and 3 (L2F, or none that is defined), which this tool does not follow.",
            count(totals.other_version, "L2TP packet")
        ))
        .evidence(tally.packets.iter().copied()),
    )
}

fn nothing(case: &Case<'_>) -> Diagnosis {
    let analysis = case.analysis;
    if let Some(sa) = analysis.ike.first() {
        return Diagnosis::undecided(format!(
            "IKE between {} and {} is there, but neither ESP nor L2TP.",
            sa.initiator, sa.responder
        ))
        .evidence([sa.first.packet]);
    }
    Diagnosis::undecided("there is no L2TP, ESP or IKE in this capture.")
        .advice("capture on the outside of a gateway: udp port 500 or 4500 or 1701 or ip proto 50.")
}

fn what(connections: &[&Connection], calls: &[&Call]) -> String {
    let protected =
        connections.iter().all(|connection| connection.protection[0] > 0 && connection.protection[1] == 0);
    let longest = calls.iter().filter_map(|call| up_for(call)).max();
    let up = longest.map_or_else(String::new, |time| format!(" up for {time}"));
    let esp = if protected { " under ESP" } else { ", without IPsec" };
    match connections.len() {
        1 => format!("{}{up}{esp}", count(calls.len() as u64, "call")),
        n => format!("{} in {} tunnels{up}{esp}", count(calls.len() as u64, "call"), n),
    }
}

/// How long a call carried data or was open.
fn up_for(call: &Call) -> Option<Duration> {
    let seen = call.data.iter().filter_map(|data| data.last).max();
    let since = call.established.or_else(|| call.data.iter().filter_map(|data| data.first).min())?;
    Some(call.closed.or(seen)?.since(since))
}

fn traffic(calls: &[&Call]) -> String {
    let network =
        |end: usize| calls.iter().filter_map(|call| call.data.get(end)).map(|data| data.network).sum::<u64>();
    match (network(0), network(1)) {
        (0, 0) => String::from(", no user data"),
        (a, b) if a > 0 && b > 0 => String::from(", user data in both directions"),
        _ => String::from(", user data in one direction"),
    }
}

fn ending(case: &Case<'_>, connections: &[&Connection]) -> String {
    match connections {
        [connection] => match connection.closed_by {
            Some(by) => {
                let mut calls = connection.calls.iter().filter_map(|id| case.analysis.call(*id)?.closed_by);
                match calls.next_back().filter(|first| *first != by) {
                    Some(first) => format!(
                        ", the call closed by {}, the tunnel by {}",
                        who(connection, first),
                        who(connection, by)
                    ),
                    None => format!(", closed by {}", who(connection, by)),
                }
            }
            None if connection
                .calls
                .iter()
                .any(|id| case.analysis.call(*id).is_some_and(|call| call.closed_by.is_some())) =>
            {
                String::from(", the call was closed")
            }
            None => String::from(", still up when the capture ends"),
        },
        many => match many.iter().filter(|connection| connection.closed_by.is_some()).count() {
            closed if closed == many.len() => String::from(", all closed in good order"),
            0 => String::from(", all still up when the capture ends"),
            closed => format!(", {closed} of them closed"),
        },
    }
}
