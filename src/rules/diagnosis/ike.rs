//! Did the ends make an IKE SA? RFC 2409 section 5, RFC 7296 sections 1.2 and 2.15.

use crate::analysis::ipsec::ike::message::Message;
use crate::analysis::ipsec::ike::{IkeSa, Phase, Refusal};
use crate::dissect::ike::notify_name;
use crate::util::Duration;

use super::attempt::{Attempt, unproved};
use super::causes::{
    ID_MISMATCH, IKE_FRAGMENTS_LOST, IKE_NOT_ESTABLISHED, IKE_SA_DELETED, NATT_PORT_BLOCKED,
    NO_PROPOSAL_CHOSEN, PHASE_TWO_FAILED, PSK_MISMATCH, XAUTH_FAILED,
};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many copies without an answer are beyond loss.
pub(super) const COPIES: u64 = 3;
/// After so long the next message of an exchange does not come any more.
pub(super) const OVER: Duration = Duration::seconds(30);
/// What follows so soon after a message is the answer to it.
const AT_ONCE: Duration = Duration::seconds(1);
/// An IKE_AUTH response that is no longer has no room for more than a refusal: identity and proof alone take more.
const ONLY_A_REFUSAL: u32 = 100;
/// INVALID_ID_INFORMATION (RFC 2408 section 3.14.1).
pub(super) const INVALID_ID: u16 = 18;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let between = attempt.between;
    if between.ike.is_empty() {
        return Outcome::NotNeeded;
    }
    if attempt.connection.is_some() || !between.flows.is_empty() {
        // What needs it is there.
        let made =
            between.ike.iter().any(|sa| sa.agreed() || sa.began_phase_two()) || !between.flows.is_empty();
        return if made { Outcome::Proved } else { Outcome::NotNeeded };
    }
    if between.ike.iter().any(|sa| is_made(sa)) {
        return Outcome::Proved;
    }
    let mut open = None;
    for sa in between.ike.iter().rev().filter(|sa| !sa.unanswered()) {
        match of_sa(attempt, sa) {
            failed @ Outcome::Failed(_) => return failed,
            other => open = open.or(Some(other)),
        }
    }
    open.unwrap_or(Outcome::NotNeeded)
}

/// Whether both ends are known to each other.
fn is_made(sa: &IkeSa) -> bool {
    if sa.version == 2 {
        return sa.auth == [true, true]
            && refused_proof(sa).is_none()
            && sa.authentication_failed().is_none();
    }
    sa.began_phase_two() && refusal_of_proof(sa).is_none()
}

/// An IKE_AUTH response in which there is no room for anything but a refusal.
fn refused_proof(sa: &IkeSa) -> Option<&Message> {
    let exchange = sa.exchanges.iter().find(|exchange| exchange.phase == Phase::Authentication)?;
    let answer = exchange.answer.as_ref().filter(|_| exchange.refusal.is_none())?;
    let later = sa
        .exchanges
        .iter()
        .any(|other| other.phase == Phase::Authentication && other.message_id > exchange.message_id);
    (answer.octets <= ONLY_A_REFUSAL && sa.children.is_empty() && !later).then_some(answer)
}

/// A refusal that can be read, of who an end is.
fn refusal_of_proof(sa: &IkeSa) -> Option<&Refusal> {
    sa.refusals.iter().find(|refusal| {
        refusal.phase == Phase::One && refusal.kind == INVALID_ID
            || sa.authentication_failed() == Some(*refusal)
    })
}

fn of_sa(attempt: &Attempt<'_>, sa: &IkeSa) -> Outcome {
    if let Some(refusal) = sa.no_proposal_chosen(Phase::One) {
        return no_proposal(sa, refusal);
    }
    if let Some(refusal) = refusal_of_proof(sa) {
        return refused(sa, refusal);
    }
    if sa.version == 2 { version_2(attempt, sa) } else { version_1(attempt, sa) }
}

fn no_proposal(sa: &IkeSa, refusal: &Refusal) -> Outcome {
    let packet = refusal.first.packet;
    let (by, whose) = (sa.end(refusal.from), sa.end(1 - refusal.from));
    Diagnosis::broken(
        &NO_PROPOSAL_CHOSEN,
        format!("{by} refused every IKE proposal from {whose} (packet {packet})."),
    )
    .evidence([sa.first.packet, packet])
    .advice("compare the IKE proposals of both sides: encryption, hash, group, authentication.")
    .into()
}

fn refused(sa: &IkeSa, refusal: &Refusal) -> Outcome {
    let packet = refusal.first.packet;
    let (by, whose) = (sa.end(refusal.from), sa.end(1 - refusal.from));
    let name = notify_name(sa.version, refusal.kind).unwrap_or("a refusal");
    let (cause, advice) = if refusal.kind == INVALID_ID {
        (&ID_MISMATCH, COMPARE_IDENTITIES)
    } else {
        (&PSK_MISMATCH, COMPARE_KEYS)
    };
    Diagnosis::broken(
        cause,
        format!("{by} refused the authentication of {whose} with {name} (packet {packet})."),
    )
    .evidence([sa.first.packet, packet])
    .confidence(Confidence::Likely)
    .advice(advice)
    .into()
}

const COMPARE_KEYS: &str = "compare the pre-shared keys of both sides, then the identities.";
const COMPARE_IDENTITIES: &str = "compare the identity that one side declares with the one the other expects (after a NAT, the private address).";

fn version_1(attempt: &Attempt<'_>, sa: &IkeSa) -> Outcome {
    let phase = &sa.phase_one;
    if phase.is_complete() {
        return completed(attempt, sa);
    }
    let Some(waits) = phase.waiting() else { return not_over(sa) };
    let resent = waits.copies >= COPIES;
    if let Some(lost) = fragments_lost(attempt, sa, waits).filter(|_| resent) {
        return lost;
    }
    if let Some(blocked) = port_blocked(attempt, sa, waits) {
        return blocked;
    }
    // Where the answer to a message is sent again and again, it does not arrive, or cannot be read.
    let proof = if phase.length == 3 { 2 } else { 5 };
    let proof = phase.message(proof).filter(|_| phase.reached() >= proof);
    if let Some(proof) = proof {
        let peer = 1 - proof.from;
        let refusal = informational(sa, peer, proof.first.time);
        let before = phase.message(proof.number.saturating_sub(1));
        let again = before.is_some_and(|before| before.last.time > proof.first.time);
        if refusal.is_some() || again || proof.copies >= COPIES {
            return not_accepted(sa, proof, refusal, again);
        }
        return not_over(sa);
    }
    if resent {
        return silence(sa, waits, phase.length, "main mode");
    }
    not_over(sa)
}

/// The first informational message from an end after a moment.
fn informational(sa: &IkeSa, from: usize, since: crate::util::Timestamp) -> Option<u64> {
    let mut sent = sa.exchanges.iter().filter(|exchange| {
        exchange.phase == Phase::Informational && exchange.from == from && exchange.first.time >= since
    });
    sent.next().map(|exchange| exchange.first.packet)
}

fn not_accepted(sa: &IkeSa, proof: &Message, refusal: Option<u64>, again: bool) -> Outcome {
    let (own, peer) = (sa.end(proof.from), sa.end(1 - proof.from));
    let times = if proof.copies == 1 { String::from("once") } else { format!("{} times", proof.copies) };
    let answer = match refusal {
        Some(packet) => format!("{peer} answers it with an encrypted Informational (packet {packet})"),
        None if again => {
            format!("{peer} answers it only with message {} again: it cannot read it", proof.number - 1)
        }
        None => format!("{peer} never answers it"),
    };
    Diagnosis::broken(
        &PSK_MISMATCH,
        format!(
            "IKE keys were exchanged; message {} from {own}, with its proof, was sent {times} (packet {}), and {answer}: the pre-shared keys differ.",
            proof.number, proof.first.packet
        ),
    )
    .evidence([sa.first.packet, proof.first.packet].into_iter().chain(refusal))
    .confidence(if refusal.is_some() || again { Confidence::Likely } else { Confidence::Possible })
    .advice(COMPARE_KEYS)
    .into()
}

/// Main mode is complete, and no quick mode was begun.
fn completed(attempt: &Attempt<'_>, sa: &IkeSa) -> Outcome {
    if sa.began_phase_two() {
        return Outcome::Proved;
    }
    let length = sa.phase_one.length;
    let Some(last) = sa.phase_one.message(length) else { return not_over(sa) };
    if let Some(transaction) = sa.exchanges.iter().find(|exchange| exchange.phase == Phase::Configuration) {
        let ended =
            sa.ended.is_some() || (0..2).any(|end| informational(sa, end, transaction.first.time).is_some());
        if ended {
            return Diagnosis::broken(
                &XAUTH_FAILED,
                format!(
                    "main mode completed, then XAUTH (packet {}) was not accepted: no quick mode follows.",
                    transaction.first.packet
                ),
            )
            .evidence([sa.first.packet, transaction.first.packet, sa.last.packet])
            .confidence(Confidence::Likely)
            .advice("compare the XAUTH user and password of the client with those of the server.")
            .into();
        }
    }
    let soon = |end: usize| {
        let packet = informational(sa, end, last.first.time)?;
        let sent = sa.exchanges.iter().find(|exchange| exchange.first.packet == packet)?;
        (sent.first.time.since(last.first.time) < AT_ONCE).then_some(packet)
    };
    if let Some(packet) = soon(0) {
        return Diagnosis::broken(
            &ID_MISMATCH,
            format!(
                "IKE main mode completed, then {} ended it at once (packet {packet}): it does not accept the identity of {}.",
                sa.initiator, sa.responder
            ),
        )
        .evidence([last.first.packet, packet])
        .confidence(Confidence::Likely)
        .advice(COMPARE_IDENTITIES)
        .into();
    }
    if let Some(packet) = soon(1).or_else(|| sa.ended.map(|(at, _)| at.packet)) {
        let by = sa.ended.map_or(1, |(_, by)| by);
        return deleted(sa, by, last, packet).into();
    }
    if attempt.case.left_after(sa.last.time) < OVER {
        return not_over(sa);
    }
    let advice = if sa.behind_nat[1] == Some(true) {
        "a NAT is in front of the server: on Windows clients set AssumeUDPEncapsulationContextOnSendRule to 2 and reboot."
    } else {
        "look in the IKE log of the initiator why it does not go on."
    };
    Diagnosis::broken(
        &PHASE_TWO_FAILED,
        format!(
            "IKE main mode completed (packet {}), and {} never began quick mode.",
            last.first.packet, sa.initiator
        ),
    )
    .evidence([sa.first.packet, last.first.packet])
    .confidence(Confidence::Likely)
    .advice(advice)
    .into()
}

/// An end deletes the IKE SA as soon as it is established.
pub(super) fn deleted(sa: &IkeSa, by: usize, last: &Message, packet: u64) -> Diagnosis {
    Diagnosis::broken(
        &IKE_SA_DELETED,
        format!(
            "{} deletes the IKE SA as soon as it is established (packet {packet}), so that no quick mode gets through; main mode itself succeeded, so the pre-shared key is right.",
            sa.end(by)
        ),
    )
    .evidence([last.first.packet, packet])
    .confidence(if sa.ended.is_some() { Confidence::Certain } else { Confidence::Likely })
    .advice(format!(
        "look in the IKE log of {} why it ends the SA (some versions of libreswan compute a lifetime of 0 s from rekey=no).",
        sa.end(by)
    ))
}

fn version_2(attempt: &Attempt<'_>, sa: &IkeSa) -> Outcome {
    if let Some(answer) = refused_proof(sa) {
        return Diagnosis::broken(
            &PSK_MISMATCH,
            format!(
                "{} refused IKE_AUTH: its answer (packet {}, {} octets) has no room for more than a refusal.",
                sa.end(answer.from),
                answer.first.packet,
                answer.octets
            ),
        )
        .evidence([sa.first.packet, answer.first.packet])
        .confidence(Confidence::Likely)
        .advice(COMPARE_KEYS)
        .into();
    }
    let mut silences = sa.exchanges.silences();
    let waits = silences.find(|(exchange, _)| matches!(exchange.phase, Phase::One | Phase::Authentication));
    let Some((exchange, waits)) = waits else {
        if attempt.case.left_after(sa.last.time) < OVER || sa.auth != [false, false] {
            return not_over(sa);
        }
        return Diagnosis::broken(
            &IKE_NOT_ESTABLISHED,
            format!(
                "IKE_SA_INIT was answered (packet {}), and {} does not go on.",
                sa.last.packet, sa.initiator
            ),
        )
        .evidence([sa.first.packet, sa.last.packet])
        .confidence(Confidence::Likely)
        .advice(format!("look in the IKE log of {}.", sa.initiator))
        .into();
    };
    if waits.copies < COPIES {
        return not_over(sa);
    }
    if let Some(lost) = fragments_lost(attempt, sa, waits) {
        return lost;
    }
    if let Some(blocked) = port_blocked(attempt, sa, waits) {
        return blocked;
    }
    silence(sa, waits, 2, exchange.name)
}

/// A message that waits for its answer left in IP fragments.
fn fragments_lost(attempt: &Attempt<'_>, sa: &IkeSa, waits: &Message) -> Option<Outcome> {
    let fragmented = attempt.case.analysis.fragmented.iter().find(|one| {
        one.addresses.source == sa.end(waits.from)
            && one.addresses.destination == sa.end(1 - waits.from)
            && one.packets.contains(&waits.first.packet)
    })?;
    Some(
        Diagnosis::broken(
            &IKE_FRAGMENTS_LOST,
            format!(
                "an IKE message from {} of {} octets leaves as IP fragments (packet {}), was sent {} times and never answered: the path drops fragments.",
                sa.end(waits.from),
                fragmented.largest,
                waits.first.packet,
                waits.copies
            ),
        )
        .evidence([waits.first.packet, waits.last.packet])
        .confidence(Confidence::Likely)
        .advice("switch on IKE fragmentation (RFC 7383; fragmentation=yes), send fewer or smaller certificates, or let IP fragments through.")
        .into(),
    )
}

/// What moved to UDP 4500 is never answered there.
fn port_blocked(attempt: &Attempt<'_>, sa: &IkeSa, waits: &Message) -> Option<Outcome> {
    let peer = 1 - waits.from;
    let moved = sa.floated.get(waits.from).copied().flatten()?;
    let heard =
        sa.floated.get(peer).copied().flatten().is_some() || attempt.between.esp_from(sa.end(peer)) > 0;
    if heard || waits.first.packet < moved.packet || waits.copies < COPIES {
        return None;
    }
    Some(
        Diagnosis::broken(
            &NATT_PORT_BLOCKED,
            format!(
                "IKE answers on UDP 500, but since {} went on to UDP 4500 (packet {}) nothing comes back: message {} was sent {} times.",
                sa.end(waits.from),
                moved.packet,
                waits.number,
                waits.copies
            ),
        )
        .evidence([moved.packet, waits.last.packet])
        .confidence(Confidence::Likely)
        .advice(format!("let UDP 4500 in to {}, and back.", sa.end(peer)))
        .into(),
    )
}

fn silence(sa: &IkeSa, waits: &Message, length: u8, exchange: &str) -> Outcome {
    Diagnosis::broken(
        &IKE_NOT_ESTABLISHED,
        format!(
            "message {} of {length} of {exchange} was sent {} times from {} (packets {} to {}), and {} never answered.",
            waits.number,
            waits.copies,
            sa.end(waits.from),
            waits.first.packet,
            waits.last.packet,
            sa.end(1 - waits.from)
        ),
    )
    .evidence([sa.first.packet, waits.first.packet, waits.last.packet])
    .confidence(Confidence::Likely)
    .advice("look in the IKE log of the side that does not answer, and for loss of large packets on the path.")
    .into()
}

/// The capture ends before it is decided.
fn not_over(sa: &IkeSa) -> Outcome {
    let Outcome::Unproved(why) = unproved(
        format!(
            "IKE between {} and {} is not complete when the capture ends (packet {}).",
            sa.initiator, sa.responder, sa.last.packet
        ),
        "capture longer, until IKE is done or given up (about a minute).",
    ) else {
        return Outcome::NotNeeded;
    };
    Outcome::Unproved(Box::new(why.evidence([sa.first.packet, sa.last.packet])))
}
