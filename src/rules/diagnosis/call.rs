//! Did the call come up? RFC 2661 sections 5.2, 7.4 and 7.5.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::control::form::Form;
use crate::analysis::log::Observation;
use crate::dissect::avp_names::vendor_name;
use crate::dissect::layers::{MessageType, ResultCode};
use crate::util::Duration;

use super::super::teardown;
use super::super::words::lossy;
use super::attempt::Attempt;
use super::causes::{
    AVP_REFUSED, CALL_NO_REPLY, CALL_NOT_CONNECTED, CALL_REFUSED, CLEARED_WITH_ERROR, HIDDEN_AVP_FAILED,
};
use super::results::{blames_an_avp, last_received, reason, strange_avps};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// What is missing after so long does not come any more.
const OVER: Duration = Duration::seconds(8);
/// What follows so soon after a request is the answer to it.
const AT_ONCE: Duration = Duration::seconds(2);
/// CDN: for administrative reasons, which users' programs say too.
const ADMINISTRATIVE: u16 = 3;
/// CDN: the session lost the tie breaker (RFC 3931 section 5.4.4).
const LOST_THE_TIE: u16 = 13;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let (Some(connection), Some((_, call))) = (attempt.connection, attempt.call) else {
        return without_call(attempt);
    };
    let used = call.data.iter().all(|data| data.packets > 0);
    if call.was_established || call.requester.is_none() && used || used && !connection.from_start {
        return Outcome::Proved;
    }
    if call.requester.is_none() {
        return Diagnosis::undecided(format!(
            "{}: data without its set-up, in one direction.",
            attempt.name()
        ))
        .evidence([call.first_packet])
        .advice("capture both directions, from the set-up on.")
        .into();
    }
    match call.closed_by {
        Some(by) => closed(attempt, connection, call, by).into(),
        None => open(attempt, connection, call),
    }
}

/// A control connection without a call.
fn without_call(attempt: &Attempt<'_>) -> Outcome {
    let Some(connection) = attempt.connection else { return Outcome::NotNeeded };
    let asked =
        connection.ends.iter().any(|end| end.sent(MessageType::ICRQ) > 0 || end.sent(MessageType::OCRQ) > 0);
    if asked
        || !connection.from_start
        || connection.version == 3 && connection.calls.is_empty() && connection.was_established
    {
        return Outcome::NotNeeded;
    }
    if let (Some(by), Some(result)) = (connection.closed_by, &connection.result)
        && teardown::is_an_error(result)
    {
        return Diagnosis::broken(
            &CLEARED_WITH_ERROR,
            format!(
                "{} came up, and {} closed it before a call was asked for: {} (packet {}).",
                attempt.name(),
                attempt.who(by),
                reason(result, teardown::stop_reason),
                connection.closing_packet.unwrap_or(0)
            ),
        )
        .evidence([connection.first_packet, connection.closing_packet.unwrap_or(0)])
        .advice(format!("the reason is in the log of {}.", attempt.who(by)))
        .into();
    }
    Outcome::NotNeeded
}

/// Hidden AVPs that nobody could read, in messages of this connection.
fn hidden_trouble(connection: &Connection, call: &Call) -> bool {
    // An ID that was hidden and could not be read: the answer goes to session 0.
    let lost_id = call.session_ids.iter().any(|id| id.is_some_and(|id| id.0 == 0));
    let zero = connection
        .log
        .observations()
        .iter()
        .any(|known| matches!(known.what, Observation::Form(Form::AssignedZero(_))));
    let hidden = connection.ends.iter().any(|end| end.hides);
    let named = |result: &Option<ResultCode>| {
        result.as_ref().and_then(|result| result.message.as_ref()).is_some_and(|text| {
            let text = text.as_str().to_ascii_lowercase();
            text.contains("hidden") || text.contains("random vector")
        })
    };
    hidden && (lost_id || zero || named(&call.result) || named(&connection.result) || garbled(connection))
}

/// A hidden AVP whose vendor or number is garbage, or an answer that goes to no session.
fn garbled(connection: &Connection) -> bool {
    let unknown = |what: Observation| match what {
        Observation::Form(Form::UnknownAvp(avp, _)) => {
            avp.vendor != 0 && vendor_name(avp.vendor.into()).is_none()
        }
        Observation::Form(Form::Missing(message, _)) => {
            matches!(message, MessageType::ICRQ | MessageType::ICRP | MessageType::OCRQ | MessageType::OCRP)
        }
        _ => false,
    };
    connection.log.observations().iter().any(|known| unknown(known.what))
}

fn closed(attempt: &Attempt<'_>, connection: &Connection, call: &Call, by: u8) -> Diagnosis {
    let requester = call.requester.unwrap_or(0);
    let packet = call.closing_packet.or(connection.closing_packet).unwrap_or(0);
    let evidence = [call.first_packet, packet];
    let (name, who) = (attempt.name(), attempt.who(by));
    let result = call.result.as_ref().or(connection.result.as_ref());
    let words = if call.result.is_some() { teardown::cdn_words } else { teardown::stop_reason };
    let message = if call.result.is_some() { "" } else { " by a StopCCN" };
    let why = result.map_or_else(String::new, |result| format!("{message}: {}", reason(result, words)));
    if hidden_trouble(connection, call) {
        return Diagnosis::broken(
            &HIDDEN_AVP_FAILED,
            format!("{name} did not come up: hidden AVPs of its set-up cannot be read, and {who} closed it{why} (packet {packet})."),
        )
        .evidence(evidence)
        .confidence(Confidence::Likely)
        .advice("compare the tunnel secrets of both sides, or send the AVPs without hiding them.");
    }
    if result.is_some_and(blames_an_avp) {
        let last = last_received(connection, attempt, by, packet)
            .map(|(message, packet)| (String::from(message.name()), packet));
        let strange = strange_avps(connection, 1 - by).or(last);
        let seen = strange.as_ref().map_or_else(String::new, |(what, packet)| {
            format!("; {} had sent {what} (packet {packet})", attempt.who(1 - by))
        });
        return Diagnosis::broken(
            &AVP_REFUSED,
            format!("{who} refused {name} because of an AVP{why} (packet {packet}){seen}."),
        )
        .evidence(evidence.into_iter().chain(strange.map(|(_, packet)| packet)))
        .confidence(Confidence::Likely)
        .advice(format!(
            "if the message keeps to the RFC, {who} is at fault: update it; else leave the AVP out on {}.",
            attempt.who(1 - by)
        ));
    }
    // A tunnel that is closed in good order while a call is set up says nothing of the call.
    let since = call.requested.unwrap_or(call.first_time);
    let at_once = connection.closed.is_some_and(|closed| closed.since(since) < AT_ONCE) && by != requester;
    let of_tunnel = call.result.is_none() && result.is_none_or(|result| !teardown::is_an_error(result));
    let wished = by == requester && call.result.as_ref().is_some_and(|result| result.code == ADMINISTRATIVE);
    let soon = connection.closed.is_some_and(|closed| closed.since(since) < OVER);
    if of_tunnel && soon && !at_once || wished {
        let what = if wished { "took the call down" } else { "closed the control connection" };
        return Diagnosis::undecided(format!(
            "{who} {what}{why} while {name} was being set up (packet {packet})."
        ))
        .evidence(evidence)
        .advice(format!("look in the log of {who}: did somebody stop it?"));
    }
    // Whoever asked took it back: after an answer without connecting it, or without waiting for one.
    if by == requester {
        let answered = answered(connection, call);
        let (cause, what) = if answered {
            (
                &CALL_NOT_CONNECTED,
                format!(
                    "{who} asked for {name}, got an answer, and took it down before it was connected{why}"
                ),
            )
        } else {
            (
                &CALL_NO_REPLY,
                format!("{} did not answer the request for {name}; {who} gave up{why}", attempt.who(1 - by)),
            )
        };
        return Diagnosis::broken(cause, format!("{what} (packet {packet})."))
            .evidence(evidence)
            .confidence(Confidence::Likely)
            .advice(format!(
                "look in the log of {} for the reason.",
                attempt.who(if answered { by } else { 1 - by })
            ));
    }
    Diagnosis::broken(&CALL_REFUSED, format!("{who} refused {name}{why} (packet {packet})."))
        .evidence(evidence)
        .advice(format!("look in the log of {who} for the reason."))
}

/// Whether the other end assigned a session ID, so answered the request.
fn answered(connection: &Connection, call: &Call) -> bool {
    let peer = 1 - call.requester.unwrap_or(0);
    let _ = connection;
    call.session(peer).is_some()
}

/// Neither connected nor closed when the capture ends.
fn open(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Outcome {
    let requester = call.requester.unwrap_or(0);
    let since = call.requested.unwrap_or(call.first_time);
    let name = attempt.name();
    let ended = connection.closed.is_some();
    let lacks = lossy(connection) || attempt.case.capture_loses().is_some();
    if attempt.case.left_after(since) < OVER && !ended || lacks {
        return Diagnosis::undecided(format!("{name}: its set-up is not complete when the capture ends."))
            .evidence([call.first_packet])
            .advice("capture both directions, until the call is up or given up.")
            .into();
    }
    let (own, peer) = (attempt.who(requester), attempt.who(1 - requester));
    let diagnosis = if answered(connection, call) {
        Diagnosis::broken(
            &CALL_NOT_CONNECTED,
            format!(
                "{peer} answered the request for {name} (packet {}), and {own} never connected it.",
                call.first_packet
            ),
        )
        .advice(format!("look in the log of {own}: what does it wait for before it connects the call?"))
    } else {
        Diagnosis::broken(
            &CALL_NO_REPLY,
            format!(
                "{own} asked for {name} (packet {}), and {peer} never answered the request.",
                call.first_packet
            ),
        )
        .advice(format!(
            "look in the log of {peer}: a limit of sessions, its role (LAC or LNS), or a daemon that hangs."
        ))
    };
    diagnosis.evidence([call.first_packet]).confidence(Confidence::Likely).into()
}

/// Whether a CDN says that this call lost a tie and its twin goes on (RFC 3931 section 5.4.4).
pub(super) fn lost_a_tie(connection: &Connection, call: &Call) -> bool {
    connection.version == 3 && call.result.as_ref().is_some_and(|result| result.code == LOST_THE_TIE)
}
