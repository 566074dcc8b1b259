//! Did the control connection come up? RFC 2661 sections 5.1 and 7.2.

use crate::analysis::control::connection::{Connection, ConnectionState, End};
use crate::analysis::log::Observation;
use crate::dissect::layers::MessageType;
use crate::util::Duration;

use super::super::words::{count, packets};
use super::super::{teardown, tunnel};
use super::answer::{elsewhere_answered, no_sccrp};
use super::attempt::{Attempt, unproved};
use super::causes::{
    ACKS_DELAYED, AVP_REFUSED, CONTROL_LOSS_RECOVERED, RETRANSMISSION_STORM, STALE_TUNNEL,
    TUNNEL_AUTH_FAILED, TUNNEL_REFUSED,
};
use super::results::{blames_an_avp, reason, strange_avps};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// What is missing after so long does not come any more: a full cycle of resends (RFC 2661 section 5.8).
const OVER: Duration = Duration::seconds(31);
/// What follows so soon after a message is the answer to it.
const AT_ONCE: Duration = Duration::seconds(2);
/// So few resends are ordinary in any case.
const FEW: u64 = 3;
/// Of so many messages one is resent on a path that is in order.
const ORDINARY: u64 = 50;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let Some(connection) = attempt.connection else {
        return unproved(
            "there is no L2TP that can be read.",
            "capture on the outside of a gateway: udp port 500 or 4500 or 1701 or ip proto 50.",
        );
    };
    if connection.calls.is_empty()
        && connection.version == 3
        && !connection.from_start
        && connection.ends[0].packets == 0
    {
        return Outcome::NotNeeded;
    }
    let up = connection.was_established
        || !connection.from_start && connection.ends.iter().all(|end| end.packets > 0);
    if tunnel::unanswered(attempt.case, connection) {
        return no_sccrp(attempt, connection);
    }
    if let Some(refused) = refused_at_once(attempt, connection) {
        return refused.into();
    }
    if up {
        return troubles(attempt, connection).map_or(Outcome::Proved, Outcome::from);
    }
    if connection.state == ConnectionState::Closed && connection.from_start {
        return refused(attempt, connection).into();
    }
    waiting(attempt, connection)
}

/// The SCCCN came, and the other side closed the control connection at once: it did not accept what that says.
fn refused_at_once(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let result = connection.result.as_ref()?;
    let closed = connection.closed?.since(connection.established?);
    let asked =
        connection.ends.iter().any(|end| end.sent(MessageType::ICRP) > 0 || end.sent(MessageType::OCRP) > 0);
    let at_once = connection.closed_by == Some(1) && closed < AT_ONCE && !asked;
    (at_once && teardown::is_an_error(result)).then(|| refused(attempt, connection))
}

fn refused(attempt: &Attempt<'_>, connection: &Connection) -> Diagnosis {
    let by = connection.closed_by.unwrap_or(1);
    let peer = 1u8.saturating_sub(by);
    let packet = connection.closing_packet.unwrap_or(0);
    let evidence = [connection.first_packet, packet];
    let why = connection
        .result
        .as_ref()
        .map_or_else(String::new, |result| format!(": {}", reason(result, teardown::stop_reason)));
    let who = attempt.who(by);
    let result = connection.result.as_ref();
    let texts =
        result.and_then(|result| result.message.as_ref()).map(|text| text.as_str().to_ascii_lowercase());
    let about_secret =
        texts.is_some_and(|text| ["challenge", "secret", "authentic"].iter().any(|word| text.contains(word)));
    let asked = connection.end(peer).challenged || connection.end(by).challenged;
    let answered = connection.end(1).sent(MessageType::SCCRP) > 0;
    // A Challenge that was not answered, or was answered wrongly, before the side that closes had sent its StopCCN.
    let unanswered = connection.end(by).challenged
        && !connection.end(peer).responded
        && answered
        && connection.end(peer).sent(MessageType::SCCCN) > 0;
    let wrong = connection.ends.iter().any(|end| end.secret_proved == Some(false));
    let not_authorized = result.is_some_and(|result| result.code == 4 || result.error == Some(6));
    if wrong || unanswered || asked && (about_secret || answered && not_authorized) {
        let detail = if unanswered {
            format!(
                "{} did not answer the Challenge, and {who} closed the control connection{why}",
                attempt.who(peer)
            )
        } else if wrong {
            let end = u8::from(connection.end(1).secret_proved == Some(false));
            format!(
                "the Challenge Response from {} is not that of the tunnel secret; {who} closed the control connection{why}",
                attempt.who(end)
            )
        } else {
            format!("{who} did not accept the tunnel authentication{why}")
        };
        return Diagnosis::broken(&TUNNEL_AUTH_FAILED, format!("{detail} (packet {packet})."))
            .evidence(evidence)
            .advice(if unanswered {
                "switch tunnel authentication off on the side that asks for it (Windows cannot answer), or set the secret on both."
            } else {
                "compare the tunnel secret of both sides: only one may have one."
            });
    }
    if result.is_some_and(blames_an_avp) {
        let strange = strange_avps(connection, peer);
        let seen = strange.as_ref().map_or_else(String::new, |(avp, packet)| {
            format!("; {} sent {avp} in packet {packet}", attempt.who(peer))
        });
        return Diagnosis::broken(
            &AVP_REFUSED,
            format!("{who} refused the control connection because of an AVP{why} (packet {packet}){seen}."),
        )
        .evidence(evidence.into_iter().chain(strange.map(|(_, packet)| packet)))
        .confidence(Confidence::Likely)
        .advice(format!(
            "if the message keeps to the RFC, update {who}; else leave the AVP out on {}.",
            attempt.who(peer)
        ));
    }
    let own = by == 0 && !answered;
    let verb = if own { "gave up" } else { "refused" };
    Diagnosis::broken(&TUNNEL_REFUSED, format!("{who} {verb} the control connection{why} (packet {packet})."))
        .evidence(evidence)
        .advice(format!("look in the log of {who}: access list, limit, or authentication."))
}

/// Neither up nor closed when the capture ends.
fn waiting(attempt: &Attempt<'_>, connection: &Connection) -> Outcome {
    let [initiator, responder] = &connection.ends;
    let last =
        connection.ends.iter().filter_map(|end| end.last).map(|(_, time)| time).max().unwrap_or_default();
    let copies = responder.sent(MessageType::SCCRP);
    let elsewhere = connection.log.has(Observation::AnsweredElsewhere);
    if elsewhere && (initiator.sent(MessageType::SCCRQ) > 1 || copies > 1) {
        return elsewhere_answered(attempt, connection).into();
    }
    if attempt.case.left_after(last) < OVER && copies < 3 {
        return Diagnosis::undecided(format!(
            "{}: the set-up of the control connection is not complete when the capture ends.",
            attempt.name()
        ))
        .evidence([connection.first_packet])
        .advice("capture both directions, until the tunnel is up or given up (about a minute).")
        .into();
    }
    Diagnosis::broken(
        &RETRANSMISSION_STORM,
        format!(
            "{} never came up: SCCRQ was sent {} and answered by SCCRP {}, and no SCCCN followed.",
            attempt.name(),
            times(initiator.sent(MessageType::SCCRQ)),
            times(copies)
        ),
    )
    .evidence([connection.first_packet])
    .confidence(Confidence::Likely)
    .advice(format!(
        "does the SCCRP reach {}? Capture there; look at its firewall, and at the route back.",
        attempt.who(0)
    ))
    .into()
}

fn times(n: u32) -> String {
    if n == 1 { String::from("once") } else { format!("{n} times") }
}

/// What troubled a control connection that came up.
fn troubles(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    if connection.log.has(Observation::StopOutOfSequence) {
        return Some(forgotten(attempt, connection));
    }
    let sum = |field: fn(&Connection, usize) -> u64| (0..2).map(|end| field(connection, end)).sum::<u64>();
    let repeated = sum(|connection, end| connection.ends[end].delivery.repeated.into());
    // Hellos that were never acknowledged are the concern of keepalives.
    let unanswered = |end: &End| {
        let hellos = end.delivery.outstanding.iter().filter(|one| one.message.is(MessageType::HELLO));
        hellos.filter(|hello| hello.copies > 1).count() as u64
    };
    let repeated = repeated.saturating_sub(connection.ends.iter().map(unanswered).sum());
    let sent: u64 =
        connection.ends.iter().flat_map(|end| &end.messages).map(|(_, count)| u64::from(*count)).sum();
    let late: u64 = (0..2)
        .filter_map(|end| connection.log.get(Observation::LateAcknowledgement, Some(end)))
        .map(|tally| tally.count)
        .sum();
    let resent: Vec<_> =
        (0..2).filter_map(|end| connection.log.get(Observation::Resent, Some(end))).collect();
    let copies: u64 = resent.iter().map(|tally| tally.count).sum();
    let mut evidence: Vec<u64> = resent.iter().flat_map(|tally| tally.packets.iter().copied()).collect();
    evidence.sort_unstable();
    // The path, or the capture, makes copies of every packet.
    if attempt.case.analysis.totals.doubles > 0 {
        return None;
    }
    // What the capture lacks may be what makes it look so.
    let lacks = connection.unseen_messages > 0 && !counts_zlbs(connection);
    if lacks || repeated < FEW || repeated.saturating_mul(ORDINARY) < sent {
        return None;
    }
    // All of it was answered, and late: nothing was lost.
    let slow = connection
        .ends
        .iter()
        .filter_map(|end| end.round_trips.least())
        .any(|least| least >= Duration::seconds(1));
    if slow || late > repeated {
        return Some(
            Diagnosis::degraded(
                &ACKS_DELAYED,
                format!(
                    "it worked, but its control messages are answered so late that {} had to be sent again ({}).",
                    if copies == 1 { String::from("one") } else { copies.to_string() },
                    packets(&evidence, copies)
                ),
            )
            .evidence(evidence)
            .advice("look at the load of the side that answers late, and at queues on the path."),
        );
    }
    Some(
        Diagnosis::degraded(
            &CONTROL_LOSS_RECOVERED,
            format!(
                "it worked, but {} had to be sent again ({}).",
                count(copies, "control message"),
                packets(&evidence, copies)
            ),
        )
        .evidence(evidence)
        .advice("messages or their acknowledgements are lost on the path: look for loss."),
    )
}

/// An end acknowledges ZLBs as if they were messages: then the capture lacks nothing.
fn counts_zlbs(connection: &Connection) -> bool {
    let beyond = |end: &End| end.delivery.beyond.as_ref().is_some_and(|beyond| beyond.zlb);
    connection.log.has(Observation::NrCountsZlb) || connection.ends.iter().any(beyond)
}

/// An end answers what belongs to the tunnel by a StopCCN with a number out of step: it has lost its state.
fn forgotten(attempt: &Attempt<'_>, connection: &Connection) -> Diagnosis {
    let by = connection.closed_by.unwrap_or(1);
    let why = connection
        .result
        .as_ref()
        .map_or_else(String::new, |result| format!(": {}", reason(result, teardown::stop_reason)));
    let packet = connection.closing_packet.unwrap_or(0);
    Diagnosis::broken(
        &STALE_TUNNEL,
        format!(
            "{} has forgotten {}: it answers with a StopCCN whose Ns is out of step{why} (packet {packet}).",
            attempt.who(by),
            attempt.name()
        ),
    )
    .evidence([packet])
    .confidence(Confidence::Likely)
    .advice(format!(
        "was the L2TP daemon of {} restarted? Have {} connect again.",
        attempt.who(by),
        attempt.who(1 - by)
    ))
}
