//! Did the ends make a child SA? RFC 2409 section 5.5, RFC 7296 sections 1.2 and 1.3.

use crate::analysis::ipsec::ike::message::Message;
use crate::analysis::ipsec::ike::{IkeSa, Phase, Refusal};
use crate::dissect::ike::{NO_PROPOSAL_CHOSEN as NO_PROPOSAL, notify_name};

use super::attempt::{Attempt, unproved};
use super::causes::{NO_PROPOSAL_CHOSEN, PHASE_TWO_FAILED, SELECTOR_REFUSED};
use super::ike::{self, COPIES, INVALID_ID};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// TS_UNACCEPTABLE (RFC 7296 section 3.10.1).
const TS_UNACCEPTABLE: u16 = 38;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let between = attempt.between;
    if between.ike.is_empty() {
        return Outcome::NotNeeded;
    }
    if !between.flows.is_empty() || between.ike.iter().any(|sa| is_made(sa)) {
        return Outcome::Proved;
    }
    if attempt.connection.is_some() {
        return Outcome::NotNeeded;
    }
    let mut open = None;
    for sa in between.ike.iter().rev().filter(|sa| !sa.unanswered()) {
        match of_sa(sa) {
            failed @ Outcome::Failed(_) => return failed,
            other => open = open.or(Some(other)),
        }
    }
    open.unwrap_or(Outcome::NotNeeded)
}

fn is_made(sa: &IkeSa) -> bool {
    let refused = sa.refusals.iter().any(|refusal| refusal.phase == Phase::Two);
    sa.completed_phase_two() || sa.version == 2 && sa.auth == [true, true] && !refused
}

fn of_sa(sa: &IkeSa) -> Outcome {
    if let Some(refusal) = sa.refusals.iter().find(|refusal| refusal.phase == Phase::Two) {
        return refused(sa, refusal);
    }
    let waiting = sa.exchanges.silences().filter(|(exchange, _)| exchange.phase == Phase::Two);
    let known = waiting.max_by_key(|(_, waits)| waits.copies).map(|(exchange, waits)| (exchange, *waits));
    // A request that was encrypted anew for each copy: its exchange has no answer either.
    let anew = || {
        let exchange = sa.exchanges.iter().find(|exchange| {
            exchange.phase == Phase::Two && exchange.answer.is_none() && exchange.sent.contains(&0)
        })?;
        let request = exchange.request?;
        Some((exchange, Message { copies: exchange.sent.iter().sum(), last: exchange.last, ..request }))
    };
    let Some((exchange, waits)) = known.or_else(anew) else { return open(sa) };
    let waits = &waits;
    let (own, peer) = (sa.end(waits.from), sa.end(1 - waits.from));
    if let Some(deleted) = deleted_before(sa, waits) {
        return deleted.into();
    }
    let answers: Vec<u64> = sa
        .exchanges
        .iter()
        .filter(|other| {
            other.phase == Phase::Informational
                && other.from != waits.from
                && other.first.packet > waits.first.packet
        })
        .map(|other| other.first.packet)
        .collect();
    if answers.is_empty() && waits.copies < COPIES {
        return open(sa);
    }
    let name = if sa.version == 1 { "quick mode" } else { exchange.name };
    let times = if waits.copies == 1 { String::from("once") } else { format!("{} times", waits.copies) };
    let back = match answers.first() {
        Some(packet) => {
            format!(
                "{peer} answers with an encrypted Informational (packet {packet}): it refuses the request"
            )
        }
        None => format!("{peer} never answers"),
    };
    Diagnosis::broken(
        &PHASE_TWO_FAILED,
        format!(
            "the IKE SA is up, so the pre-shared key is right; {name} from {own} (packet {}) was sent {times}, and {back}.",
            waits.first.packet
        ),
    )
    .evidence([waits.first.packet].into_iter().chain(answers.iter().copied()))
    .confidence(Confidence::Likely)
    .advice(format!(
        "compare the ESP proposals, the mode (transport) and the protected ports (UDP 1701) of both sides; the IKE log of {peer} names what it refused."
    ))
    .into()
}

/// An informational message from the other side between main mode and the request for a child SA: it has deleted the IKE SA
/// already, and the request comes too late.
fn deleted_before(sa: &IkeSa, waits: &Message) -> Option<Diagnosis> {
    let last = sa.phase_one.message(sa.phase_one.length)?;
    let peer = 1 - waits.from;
    let said = sa.exchanges.iter().find(|exchange| {
        exchange.phase == Phase::Informational
            && exchange.from == peer
            && exchange.first.packet > last.first.packet
            && exchange.first.packet < waits.first.packet
    })?;
    let after = |packet: u64| packet > waits.first.packet;
    let answered = sa.exchanges.iter().any(|exchange| exchange.from == peer && after(exchange.first.packet));
    (!answered).then(|| ike::deleted(sa, peer, last, said.first.packet))
}

fn refused(sa: &IkeSa, refusal: &Refusal) -> Outcome {
    let packet = refusal.first.packet;
    let (by, whose) = (sa.end(refusal.from), sa.end(1 - refusal.from));
    let exchange = if sa.version == 1 { "quick mode" } else { "a child SA" };
    let (cause, sentence, advice) = match refusal.kind {
        NO_PROPOSAL => (
            &NO_PROPOSAL_CHOSEN,
            format!(
                "IKE agreed, then {by} refused every proposal from {whose} for {exchange} (packet {packet})."
            ),
            "compare the ESP proposals of both sides: encryption, integrity, group (PFS), encapsulation mode.",
        ),
        INVALID_ID | TS_UNACCEPTABLE => (
            &SELECTOR_REFUSED,
            format!(
                "IKE agreed, then {by} refused the addresses and ports that {whose} wants to protect in {exchange} ({}, packet {packet}).",
                notify_name(sa.version, refusal.kind).unwrap_or("refused")
            ),
            "compare the selectors of both sides: protocol UDP, port 1701 or any, the addresses after a NAT, transport mode.",
        ),
        kind => (
            &PHASE_TWO_FAILED,
            format!(
                "IKE agreed, then {by} refused {exchange} from {whose}: {} (packet {packet}).",
                notify_name(sa.version, kind).map_or_else(|| format!("notification {kind}"), str::to_owned)
            ),
            "the IKE log of the side that refused says more.",
        ),
    };
    Diagnosis::broken(cause, sentence).evidence([sa.first.packet, packet]).advice(advice).into()
}

fn open(sa: &IkeSa) -> Outcome {
    unproved(
        format!(
            "IKE between {} and {} agreed, and the capture ends before a child SA is made (packet {}).",
            sa.initiator, sa.responder, sa.last.packet
        ),
        "capture longer, until ESP comes or IKE is given up (about a minute).",
    )
}
