//! Does anything come back?

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::ike::IkeSa;
use crate::analysis::log::Observation;
use crate::dissect::layers::MessageType;

use super::super::words::{count, packets};
use super::super::{Case, tunnel};
use super::answer::{COPIES, PATIENCE, elsewhere_answered, no_sccrp};
use super::attempt::{Attempt, unproved};
use super::causes::IKE_NO_ANSWER;
use super::esp;
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

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
