//! How did it end, if it did? RFC 2661 sections 4.4.2 and 5.6.

use std::fmt::Write as _;

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::log::What;
use crate::analysis::ppp::negotiation::Termination;
use crate::dissect::layers::{MessageType, ResultCode};
use crate::util::Duration;

use super::super::words::count;
use super::super::{ppp_order, teardown};
use super::attempt::{Attempt, healthy as healthy_verdict};
use super::causes::{CLEARED_WITH_ERROR, CLOSED_BY_LNS, MESSAGE_NOT_UNDERSTOOD, TEARDOWN_UNACKNOWLEDGED};
use super::results::{blames_an_avp, is_an_error, last_received, reason, up_for};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// What follows so soon after a message is the answer to it.
const AT_ONCE: Duration = Duration::millis(500);
/// CDN: for administrative reasons, which users' programs say too (RFC 2661 section 4.4.2).
const ADMINISTRATIVE: u16 = 3;
/// So many copies of a StopCCN without an acknowledgement are beyond loss.
const COPIES: u32 = 4;
/// Legal messages about an established call that some stacks do not know (RFC 2661 sections 6.13 and 6.14).
const OFTEN_UNKNOWN: [MessageType; 2] = [MessageType::WEN, MessageType::SLI];

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let Some(connection) = attempt.connection else { return Outcome::NotNeeded };
    let judged = attempt
        .call
        .and_then(|(_, call)| {
            not_understood(attempt, connection, call).or_else(|| call_cleared(attempt, call))
        })
        .or_else(|| cleared(attempt, connection))
        .or_else(|| attempt.call.and_then(|(_, call)| by_policy(attempt, connection, call)))
        .or_else(|| unacknowledged(attempt, connection));
    judged.map_or(Outcome::Proved, Outcome::from)
}

/// A message that is legal, and right after it a CDN without an error of its own.
fn not_understood(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let (by, packet, closed) = (call.closed_by?, call.closing_packet?, call.closed?);
    let (message, asked) = last_received(connection, attempt, by, packet)?;
    let sent = connection.log.events().iter().find(|event| event.at.packet == asked)?;
    let ppp = call.ppp.lcp.terminated.as_ref().is_some_and(|ended| ended.packet < packet);
    // What it said in between shows that it went on; so does a reason of its own.
    let went_on = connection.log.events().iter().any(|event| match &event.what {
        What::Message(said) => {
            event.end == by && (asked..packet).contains(&event.at.packet) && !said.kind.is_acknowledgement()
        }
        _ => false,
    });
    // A user who hangs up closes the tunnel as well.
    let hangs_up = connection.closed_by == Some(by);
    let wished = hangs_up || call.result.as_ref().is_some_and(|result| result.code == ADMINISTRATIVE);
    let late = closed.since(sent.at.time) > AT_ONCE;
    let lacks = attempt.case.capture_loses().is_some();
    if !OFTEN_UNKNOWN.contains(&message) || late || ppp || went_on || wished || lacks {
        return None;
    }
    Some(
        Diagnosis::broken(
            &MESSAGE_NOT_UNDERSTOOD,
            format!(
                "{} closed {}, which was in order, right after the {} from {} (packet {asked}): it does not understand that message, which is legal (packet {packet}).",
                attempt.who(by),
                attempt.name(),
                message.name(),
                attempt.who(1 - by)
            ),
        )
        .evidence([asked, packet])
        .confidence(Confidence::Likely)
        .advice(format!("update {}, or have {} not send {}.", attempt.who(by), attempt.who(1 - by), message.name())),
    )
}

/// The call was closed with an error.
fn call_cleared(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let (by, result) = (call.closed_by?, call.result.as_ref()?);
    let packet = call.closing_packet.unwrap_or(0);
    if !is_an_error(result) {
        return None;
    }
    // Whoever closes PPP in good order first has said why.
    let orderly =
        call.ppp.lcp.terminated.as_ref().is_some_and(|ended| ended.packet < packet && !says_why(ended));
    if orderly && !blames_an_avp(result) && result.message.is_none() {
        return None;
    }
    let ppp = call.ppp.lcp.terminated.as_ref().filter(|ended| ended.packet < packet && says_why(ended));
    let before = ppp.map_or_else(String::new, |ended| {
        format!(
            "; before that {} had ended PPP with \"{}\" (packet {})",
            attempt.who(ended.end),
            ended.reason,
            ended.packet
        )
    });
    let last = last_event(call);
    Some(
        Diagnosis::broken(
            &CLEARED_WITH_ERROR,
            format!(
                "{} closed {}, which was up{}: {} (packet {packet}){before}.",
                attempt.who(by),
                attempt.name(),
                last,
                reason(result, teardown::cdn_words)
            ),
        )
        .evidence([packet])
        .advice(format!("the reason is in the log of {} at that time.", attempt.who(by))),
    )
}

fn last_event(call: &Call) -> String {
    match (call.established, call.closed) {
        (Some(since), Some(until)) => format!(" for {}", until.since(since)),
        _ => String::new(),
    }
}

/// The tunnel was closed with an error.
fn cleared(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let (by, result) = (connection.closed_by?, connection.result.as_ref()?);
    let packet = connection.closing_packet.unwrap_or(0);
    let cut_off =
        attempt.call.is_none_or(|(_, call)| call.closing_packet.is_none_or(|closed| closed >= packet));
    if !teardown::is_an_error(result) || !cut_off || attempt.call.is_none() && !connection.calls.is_empty() {
        return None;
    }
    let verb = if attempt.call.is_some() { "while it was up" } else { "after it had come up" };
    Some(
        Diagnosis::broken(
            &CLEARED_WITH_ERROR,
            format!(
                "{} closed the control connection {verb}: {} (packet {packet}).",
                attempt.who(by),
                reason(result, teardown::stop_reason)
            ),
        )
        .evidence([packet])
        .advice(format!("the reason is in the log of {} at that time.", attempt.who(by))),
    )
}

fn says_why(ended: &Termination) -> bool {
    ppp_order::says_why(ended)
}

/// The LNS ended a session that worked, and says why.
fn by_policy(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let ended = call.ppp.lcp.terminated.as_ref().filter(|ended| says_why(ended))?;
    if connection.role(ended.end).name() != "LNS" {
        return None;
    }
    Some(
        Diagnosis::degraded(
            &CLOSED_BY_LNS,
            format!(
                "{} worked{} and was then ended by {}: \"{}\" (packet {}).",
                attempt.name(),
                last_event(call),
                attempt.who(ended.end),
                ended.reason,
                ended.packet
            ),
        )
        .evidence([ended.packet])
        .advice(format!(
            "if that is not wanted, look for a limit on {}: idle time, session time, an administrator.",
            attempt.who(ended.end)
        )),
    )
}

/// A StopCCN that was resent to the end without an acknowledgement.
fn unacknowledged(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let end = connection.closed_by?;
    let stop =
        connection.end(end).delivery.outstanding.iter().rfind(|one| one.message.is(MessageType::STOP_CCN))?;
    let lacks = connection.unseen_messages > 0 || attempt.case.capture_loses().is_some();
    (stop.copies >= COPIES && !lacks).then(|| {
        Diagnosis::degraded(
            &TEARDOWN_UNACKNOWLEDGED,
            format!(
                "{} worked, and the StopCCN that ends it was sent {} times from {} and never acknowledged.",
                attempt.name(),
                stop.copies,
                attempt.who(end)
            ),
        )
        .evidence(stop.packets().iter().copied())
        .confidence(Confidence::Likely)
        .advice(format!(
            "does {} still run, and does it forget closed tunnels at once?",
            attempt.who(1 - end)
        ))
    })
}

/// The sentence of an attempt in which everything is proved.
pub(super) fn healthy(attempt: &Attempt<'_>) -> Diagnosis {
    let Some(connection) = attempt.connection else {
        return healthy_verdict("nothing is wrong as far as it can be read.")
            .confidence(Confidence::Possible);
    };
    let mut sentence = match attempt.call {
        Some((_, call)) => {
            let up = up_for(call).map_or_else(String::new, |time| format!(" up for {time}"));
            format!("1 call{up}")
        }
        None => String::from("the control connection came up, and no call was asked for"),
    };
    sentence += protection(connection);
    if let Some((_, call)) = attempt.call {
        sentence += user_data(std::slice::from_ref(&call));
    }
    let _ = write!(sentence, "{}.", ending(attempt, connection));
    let sealed = attempt.sealed();
    let evidence = [Some(connection.first_packet), connection.closing_packet];
    let verdict = healthy_verdict(sentence).evidence(evidence.into_iter().flatten());
    if sealed > 0 {
        return verdict.confidence(Confidence::Possible).advice(format!(
            "{} could not be decrypted: what they hold is not judged.",
            count(sealed, "ESP packet")
        ));
    }
    let whole =
        connection.from_start && attempt.case.capture_loses().is_none() && connection.unseen_messages == 0;
    verdict.confidence(if whole { Confidence::Certain } else { Confidence::Likely })
}

/// ` under ESP`, `, without IPsec`.
pub(super) fn protection(connection: &Connection) -> &'static str {
    let [under_esp, in_clear] = connection.protection;
    match (under_esp, in_clear) {
        (1.., 0) => " under ESP",
        (1.., _) => ", mostly under ESP",
        _ => ", without IPsec",
    }
}

/// What users' packets went where.
pub(super) fn user_data(calls: &[&Call]) -> &'static str {
    let network =
        |end: usize| calls.iter().filter_map(|call| call.data.get(end)).map(|data| data.network).sum::<u64>();
    match (network(0), network(1)) {
        (0, 0) => ", no user data",
        (a, b) if a > 0 && b > 0 => ", user data in both directions",
        _ => ", user data in one direction",
    }
}

fn ending(attempt: &Attempt<'_>, connection: &Connection) -> String {
    let call = attempt.call.and_then(|(_, call)| call.closed_by);
    match (call, connection.closed_by) {
        (Some(first), Some(by)) if first != by => {
            format!(", the call closed by {}, the tunnel by {}", attempt.who(first), attempt.who(by))
        }
        (_, Some(by)) => format!(", closed by {}{}", attempt.who(by), apple(connection.result.as_ref())),
        (Some(_), None) => String::from(", the call was closed"),
        (None, None) => String::from(", still up when the capture ends"),
    }
}

/// What a Result Code means whose octets are swapped.
fn apple(result: Option<&ResultCode>) -> String {
    match result.map(|result| result.code.to_be_bytes()) {
        Some([code, 0]) if code > 0 => format!(" (result {code}, its octets swapped as Apple does)"),
        _ => String::new(),
    }
}
