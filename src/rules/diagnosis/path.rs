//! Does anything come back?

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::ike::IkeSa;
use crate::analysis::log::{Observation, Tally};
use crate::dissect::layers::MessageType;
use crate::util::Duration;

use super::super::words::{count, packets};
use super::super::{Case, tunnel};
use super::attempt::{Attempt, unproved};
use super::cause::causes;
use super::control_connection::elsewhere_answered;
use super::esp::{self, KEYS_DIFFER};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

causes! {
    Path:
    /// The first IKE message is sent again and again, and nothing comes back.
    ///
    /// Usual causes: UDP 500 or 4500 closed on the path, a wrong address, no IKE daemon there.
    IKE_NO_ANSWER = "ike-no-answer", absent;

    /// SCCRQ is sent again and again, and nothing of L2TP comes back.
    ///
    /// Usual causes: the L2TP daemon does not run, a firewall after IPsec, a policy that does not let UDP 1701 in.
    NO_SCCRP = "no-sccrp", absent;

    /// Every SCCRQ is answered by ICMP port unreachable: no L2TP daemon listens there.
    LNS_PORT_UNREACHABLE = "lns-port-unreachable";
}

/// So many copies of a request without an answer are beyond loss.
const COPIES: u64 = 3;
/// After so long a request that was sent once or twice has no answer any more: two resends are due (RFC 2661 section 5.8).
const PATIENCE: Duration = Duration::seconds(8);

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    match attempt.connection {
        Some(connection) => of_connection(attempt, connection),
        None => of_hosts(attempt),
    }
}

fn of_connection(attempt: &Attempt<'_>, connection: &Connection) -> Outcome {
    if tunnel::unanswered(attempt.case, connection) {
        // Where IKE was answered, the path is there: what is missing is the answer of L2TP.
        let answered = attempt.between.ike.iter().any(|sa| !sa.unanswered());
        return if answered { Outcome::Proved } else { no_sccrp(attempt, connection) };
    }
    if let Some(elsewhere) = other_address(attempt, connection) {
        return elsewhere.into();
    }
    let heard = connection.ends.iter().all(|end| end.packets > 0);
    if attempt.one_direction() || !heard {
        let end = u8::from(connection.end(0).packets == 0);
        // It goes on as one does whose messages are acknowledged, and whose packets are answered.
        let goes_on = connection.end(end).delivery.resent == 0
            && attempt.call.is_some_and(|(_, call)| call.data.iter().any(|data| data.network > 0));
        if goes_on && connection.was_established && attempt.sealed() == 0 {
            return Outcome::Proved;
        }
        if let Some(wrong) = esp::unreadable(attempt, connection) {
            return wrong.into();
        }
        let sealed = attempt.sealed();
        if sealed > 0 {
            return Diagnosis::undecided(format!(
                "{}: only what {} sent can be read; {} could not be decrypted.",
                attempt.name(),
                attempt.who(end),
                count(sealed, "ESP packet")
            ))
            .evidence([connection.first_packet])
            .advice("add the keys of both directions (ip xfrm state) with --keys FILE.")
            .into();
        }
        return Diagnosis::undecided(format!(
            "{}: only packets from {} are in the capture.",
            attempt.name(),
            attempt.who(end)
        ))
        .evidence([connection.first_packet])
        .advice("capture both directions, where both pass.")
        .into();
    }
    Outcome::Proved
}

/// The answer came from another address, and the initiator goes on with the one that it asked.
fn other_address(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let initiator = connection.end(0);
    let only_asked = u64::from(initiator.sent(MessageType::SCCRQ)) == initiator.packets;
    let elsewhere = connection.log.has(Observation::AnsweredElsewhere);
    (elsewhere && only_asked && connection.end(1).packets > 1)
        .then(|| elsewhere_answered(attempt, connection))
}

fn of_hosts(attempt: &Attempt<'_>) -> Outcome {
    let Some(sa) = attempt.between.ike.last() else { return Outcome::Proved };
    let answered = attempt.between.ike.iter().any(|sa| !sa.unanswered());
    if answered || !attempt.between.flows.is_empty() { Outcome::Proved } else { ike_no_answer(attempt, sa) }
}

fn ike_no_answer(attempt: &Attempt<'_>, sa: &IkeSa) -> Outcome {
    let Case { analysis, .. } = attempt.case;
    let closed = analysis.unreachable.filter(|(by, port)| *by == sa.responder && matches!(port, 500 | 4500));
    let waited = attempt.case.left_after(sa.first.time) >= PATIENCE;
    if sa.messages < COPIES && closed.is_none() && !waited {
        return unproved(
            format!(
                "IKE was begun with {} (packet {}), and the capture ends before an answer is due.",
                sa.responder, sa.first.packet
            ),
            "capture longer, about a minute.",
        );
    }
    let times = if sa.messages == 1 { String::from("once") } else { format!("{} times", sa.messages) };
    let back = match closed {
        Some((by, port)) => format!("{by} answered with ICMP port unreachable (UDP {port})"),
        None => String::from("nothing came back"),
    };
    let sure = sa.messages >= COPIES || closed.is_some();
    Diagnosis::broken(
        &IKE_NO_ANSWER,
        format!(
            "the first IKE message was sent {times} to {} and {back} ({}).",
            sa.responder,
            packets(&sa.packets, sa.messages)
        ),
    )
    .evidence(sa.packets.iter().copied())
    .confidence(if sure { Confidence::Certain } else { Confidence::Possible })
    .advice("is UDP 500 and 4500 open to this address, and does IKE run there? Try from another network.")
    .into()
}

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
