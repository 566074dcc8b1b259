//! The answer to an SCCRQ: none, an ICMP error, or one from another address.

use crate::analysis::control::connection::Connection;
use crate::analysis::log::{Observation, Tally};
use crate::dissect::layers::MessageType;
use crate::util::Duration;

use super::super::words::{count, packets};
use super::attempt::{Attempt, unproved};
use super::causes::{ANSWER_FROM_OTHER_ADDRESS, KEYS_DIFFER, LNS_PORT_UNREACHABLE, NO_SCCRP};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many copies of a request without an answer are beyond loss.
pub(super) const COPIES: u64 = 3;
/// After so long a request that was sent once or twice has no answer any more: two resends are due (RFC 2661 section 5.8).
pub(super) const PATIENCE: Duration = Duration::seconds(8);

pub(super) fn no_sccrp(attempt: &Attempt<'_>, connection: &Connection) -> Outcome {
    let case = attempt.case;
    let [initiator, responder] = &connection.ends;
    let copies = initiator.sent(MessageType::SCCRQ);
    let times = if copies == 1 { String::from("once") } else { format!("{copies} times") };
    let evidence = [connection.first_packet];
    if let Some(tally) = refused(connection) {
        return Diagnosis::broken(
            &LNS_PORT_UNREACHABLE,
            format!(
                "SCCRQ was sent {times} and {} answered with ICMP port unreachable ({}): no L2TP daemon listens there.",
                responder.endpoint.address,
                packets(&tally.packets, tally.count)
            ),
        )
        .evidence(evidence.into_iter().chain(tally.packets.iter().copied()))
        .advice("start the L2TP daemon there (ss -ulpn 'sport = :1701').")
        .into();
    }
    let address = responder.endpoint.address;
    let mut flows = attempt.between.flows_from(address);
    if let Some(flow) = flows.find(|flow| flow.bad_icv > 0) {
        return Diagnosis::broken(
            &KEYS_DIFFER,
            format!(
                "SCCRQ was sent {times} without a readable answer: {} from {address} (SPI {}) fail the integrity check. Either the gateways hold different keys, or the key file is wrong for this SPI.",
                count(flow.bad_icv, "ESP packet"),
                flow.spi
            ),
        )
        .evidence(evidence.into_iter().chain([flow.first.1]))
        .confidence(Confidence::Likely)
        .advice(format!(
            "run `ip xfrm state` on both and compare SPI {}: if the keys differ, {} drops every reply; if not, mend the key file.",
            flow.spi, initiator.endpoint.address
        ))
        .into();
    }
    let since = connection.requested.unwrap_or_default();
    if let Some(unread) = case.unread_from(responder, since) {
        return unproved(
            format!("SCCRQ was sent {times} to {address} and no answer can be read: {unread}"),
            "add the keys of both directions (ip xfrm state) with --keys FILE.",
        );
    }
    if u64::from(copies) < COPIES && case.left_after(since) < PATIENCE {
        return unproved(
            format!(
                "SCCRQ was sent {times} to {address} (packet {}), and the capture ends before an answer is due.",
                connection.first_packet
            ),
            "capture longer, about a minute.",
        );
    }
    let protected = connection.protection[0] > 0;
    let others = attempt.hosts.answers(address);
    let advice = if others {
        format!(
            "{address} answers others: look at the path from {}, and at what the LNS says of this client.",
            initiator.endpoint.address
        )
    } else if protected {
        format!(
            "nothing comes back through ESP: on {address}, check the L2TP daemon (ss -ulpn 'sport = :1701'), its firewall after IPsec, and the counters of the SA."
        )
    } else {
        format!(
            "on {address}, check the L2TP daemon (ss -ulpn 'sport = :1701') and the firewall for UDP 1701."
        )
    };
    Diagnosis::broken(
        &NO_SCCRP,
        format!(
            "SCCRQ was sent {times} from {} to {address} and nothing of L2TP came back.",
            initiator.endpoint.address
        ),
    )
    .evidence(evidence)
    .confidence(if copies == 1 { Confidence::Possible } else { Confidence::Certain })
    .advice(advice)
    .into()
}

/// ICMP port unreachables from the responder's host.
fn refused(connection: &Connection) -> Option<&Tally> {
    connection.log.get(Observation::PortUnreachable, Some(1))
}

/// The same from an end of a control connection that was up.
pub(super) fn unreachable(connection: &Connection, end: u8) -> Option<&Tally> {
    connection.log.get(Observation::PortUnreachable, Some(end))
}

/// The answer came from another address than was asked.
pub(super) fn elsewhere_answered(attempt: &Attempt<'_>, connection: &Connection) -> Diagnosis {
    let tally = connection
        .log
        .get(Observation::AnsweredElsewhere, None)
        .or_else(|| (0..2).find_map(|end| connection.log.get(Observation::AnsweredElsewhere, Some(end))));
    let packet = tally.and_then(|tally| tally.packets.first().copied()).unwrap_or(0);
    Diagnosis::broken(
        &ANSWER_FROM_OTHER_ADDRESS,
        format!(
            "SCCRQ went to {}, and the answer came from {} (packet {packet}): what comes from the other address is not taken.",
            connection.asked.address,
            connection.end(1).endpoint.address
        ),
    )
    .evidence([connection.first_packet, packet])
    .confidence(Confidence::Likely)
    .advice(format!(
        "have {} send from the address that it is asked at: bind the L2TP daemon to it (listen-addr), or route its answers by source.",
        attempt.who(1)
    ))
}
