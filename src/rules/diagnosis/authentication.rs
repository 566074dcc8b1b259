//! Did the ends let each other in? RFC 1661 section 3.5, RFC 1334, RFC 1994, RFC 2759, RFC 3748.

use crate::analysis::control::call::Call;
use crate::analysis::ppp::authentication::{Direction, Outcome as Said, Stage as Progress};
use crate::util::{Duration, Timestamp};

use super::super::words::{count, lossy};
use super::super::{ppp as ppp_rules, ppp_order, ppp_proof};
use super::attempt::Attempt;
use super::causes::{
    ACCOUNT_REFUSED, AUTH_NO_ANSWER, AUTH_NOT_GIVEN, AUTH_PROTOCOL_DISAGREED, BOTH_SIDES_AUTHENTICATE,
    MSCHAPV2_FAILURE, PPP_AUTH_FAILED, SUCCESS_MALFORMED,
};
use super::results::up_for;
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many copies without an answer are beyond loss.
const COPIES: u32 = 3;
/// What is asked is answered by then.
const PATIENCE: Duration = Duration::seconds(5);

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let Some((_, call)) = attempt.call else { return Outcome::NotNeeded };
    if call.ppp.lcp.ends.iter().all(|end| end.asked == 0) && call.ppp.authentication.outcome().is_none() {
        return Outcome::NotNeeded;
    }
    let known = &call.ppp.authentication;
    if let Some(why) = no_common(attempt, call) {
        return why.into();
    }
    if let Some(why) = success_refused(attempt, call) {
        return why.into();
    }
    for end in [known.latest().0.unwrap_or(1), 1 - known.latest().0.unwrap_or(1)] {
        let direction = known.by(end);
        let judged = of_direction(attempt, call, end, direction);
        if !matches!(judged, Outcome::Proved | Outcome::NotNeeded) {
            return judged;
        }
    }
    if (0..2u8).any(|end| known.by(end).outcome == Some(Said::Success)) || attempt.carried() {
        return Outcome::Proved;
    }
    Outcome::NotNeeded
}

fn of_direction(attempt: &Attempt<'_>, call: &Call, end: u8, direction: &Direction) -> Outcome {
    if attempt.carried() && direction.stage != Progress::Failed {
        return Outcome::Proved;
    }
    let gave_up = call.closed.is_some()
        || call.ppp.lcp.terminated.is_some()
        || attempt.connection.is_some_and(|connection| connection.closed.is_some());
    // What an authenticator says once it is told to stop is no answer.
    let late = direction.packet.is_some_and(|packet| {
        direction.message.is_none() && ended_before(attempt, call).is_some_and(|ended| packet > ended)
    });
    match direction.stage {
        Progress::Failed if !late => refused(attempt, call, end, direction).into(),
        Progress::Failed => no_answer(attempt, end, direction).into(),
        Progress::Responded => {
            let ended = ended_at(attempt, call);
            let waited = direction.undecided.is_some_and(|run| {
                let waits = ended
                    .map_or_else(|| attempt.case.left_after(run.last.1), |ended| ended.since(run.last.1));
                // Whoever did not get it asks again by then.
                run.count >= COPIES || waits >= PATIENCE
            });
            if waited {
                return no_answer(attempt, end, direction).into();
            }
            undecided(attempt, call)
        }
        Progress::Challenged => {
            let asked = direction.unanswered.map_or(0, |run| run.count);
            if asked >= COPIES {
                return not_given(attempt, end, direction).into();
            }
            undecided(attempt, call)
        }
        Progress::Succeeded => Outcome::Proved,
        Progress::Idle if direction.agreed.is_some() && gave_up && call.ppp.ncps.is_empty() => {
            let patient = up_for(call).is_some_and(|time| time >= PATIENCE);
            let lossy = attempt.connection.is_some_and(lossy) || attempt.case.capture_loses().is_some();
            if patient && !lossy {
                return never_began(attempt, call, end, direction);
            }
            Diagnosis::undecided(format!("{}: it ended before authentication began.", attempt.name()))
                .evidence([call.first_packet])
                .advice("look in the PPP logs of both sides: who ended it, and why?")
                .into()
        }
        Progress::Idle => Outcome::NotNeeded,
    }
}

/// It was begun, and nobody can say how it went on.
fn undecided(attempt: &Attempt<'_>, call: &Call) -> Outcome {
    let name = attempt.name();
    Diagnosis::undecided(format!(
        "{name}: authentication was not decided before the call or the capture ended."
    ))
    .evidence([call.first_packet])
    .advice("capture longer, and look in the PPP logs of both sides.")
    .into()
}

/// When the call, or its control connection, was closed.
fn ended_at(attempt: &Attempt<'_>, call: &Call) -> Option<Timestamp> {
    call.closed.or(attempt.connection.and_then(|connection| connection.closed))
}

/// The packet in which the call or its PPP ended.
fn ended_before(attempt: &Attempt<'_>, call: &Call) -> Option<u64> {
    let ppp = call.ppp.lcp.terminated.as_ref().map(|ended| ended.packet);
    let tunnel = attempt.connection.and_then(|connection| connection.closing_packet);
    [ppp, call.closing_packet, tunnel].into_iter().flatten().min()
}

fn method(direction: &Direction) -> &'static str {
    direction.method().and_then(|method| method.name()).unwrap_or("authentication")
}

fn user(direction: &Direction) -> String {
    direction.name.as_ref().map_or_else(String::new, |user| format!(" of \"{user}\""))
}

fn refused(attempt: &Attempt<'_>, call: &Call, end: u8, direction: &Direction) -> Diagnosis {
    let protocol = method(direction);
    let text = direction.message.as_ref().map(|text| text.as_str());
    let meaning = text.and_then(ppp_rules::ms_chap_meaning);
    let account = meaning.is_some() && !text.is_some_and(|text| text.contains("E=691"));
    let cause = match protocol {
        _ if account => &ACCOUNT_REFUSED,
        "MS-CHAPv2" => &MSCHAPV2_FAILURE,
        _ => &PPP_AUTH_FAILED,
    };
    let said = match (meaning, &direction.message) {
        (Some(meaning), _) => format!(": {meaning}"),
        (None, Some(text)) => format!(": \"{text}\""),
        (None, None) => String::new(),
    };
    let packet = direction.packet.unwrap_or(0);
    let proof = attempt.connection.and_then(|connection| ppp_proof::of_refusal(connection, call));
    let (proof, advice) = proof.unzip();
    let proof = proof.map_or_else(String::new, |proof| format!("; {proof}"));
    Diagnosis::broken(
        cause,
        format!(
            "{} refused the {protocol} authentication{}{said}{proof} ({}, packet {packet}).",
            attempt.who(end),
            user(direction),
            attempt.name()
        ),
    )
    .evidence([packet])
    .advice(advice.unwrap_or_else(|| String::from(if account {
        "let this user dial in, at this hour, and renew the password: the account is refused, not the password."
    } else {
        ppp_rules::CHECK_BOTH
    })))
}

fn no_answer(attempt: &Attempt<'_>, end: u8, direction: &Direction) -> Diagnosis {
    let run = direction.undecided;
    let sent = run.map_or_else(|| String::from("a response"), |run| count(run.count.into(), "response"));
    let packet = run.map_or(direction.packet.unwrap_or(0), |run| run.first.0);
    Diagnosis::broken(
        &AUTH_NO_ANSWER,
        format!(
            "{}: {} neither accepted nor refused the {} authentication{}: {sent} from packet {packet} on had no answer.",
            attempt.name(),
            attempt.who(end),
            method(direction),
            user(direction)
        ),
    )
    .evidence([packet])
    .confidence(Confidence::Likely)
    .advice(format!("does the authenticator that {} asks answer (RADIUS server: address, secret, log)?", attempt.who(end)))
}

fn not_given(attempt: &Attempt<'_>, end: u8, direction: &Direction) -> Diagnosis {
    let run = direction.unanswered;
    let (asked, packet) = run.map_or((0, 0), |run| (run.count, run.first.0));
    Diagnosis::broken(
        &AUTH_NOT_GIVEN,
        format!(
            "{}: {} asked for {} authentication {} (from packet {packet} on), and {} never responded.",
            attempt.name(),
            attempt.who(end),
            method(direction),
            if asked == 1 { String::from("once") } else { format!("{asked} times") },
            attempt.who(1 - end)
        ),
    )
    .evidence([packet].into_iter().chain(run.map(|run| run.last.0)))
    .confidence(Confidence::Likely)
    .advice(format!(
        "does {} have a name and a password for this server (chap-secrets), and does data reach it?",
        attempt.who(1 - end)
    ))
}

/// A protocol was agreed on, and then neither end began with it.
fn never_began(attempt: &Attempt<'_>, call: &Call, end: u8, direction: &Direction) -> Outcome {
    // PAP is begun by the peer, everything else by the authenticator.
    let waits = if method(direction) == "PAP" { 1 - end } else { end };
    Diagnosis::broken(
        if waits == end { &AUTH_NO_ANSWER } else { &AUTH_NOT_GIVEN },
        format!(
            "{}: {} was agreed on, and {} never began with it.",
            attempt.name(),
            method(direction),
            attempt.who(waits)
        ),
    )
    .evidence([call.first_packet])
    .confidence(Confidence::Possible)
    .advice(format!("look in the PPP log of {}.", attempt.who(waits)))
    .into()
}

/// A demand for authentication that was declined, and no authentication afterwards.
pub(super) fn no_common(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let declined = ppp_order::declined(call).filter(|declined| declined.proved);
    let (packet, decliner) =
        declined.map(|declined| (declined.packet, declined.by)).or_else(|| gave_way(call))?;
    let both = call.ppp.authentication.both_demanded();
    let ended = call.ppp.lcp.terminated.as_ref().filter(|ended| !ended.reason.is_empty());
    let words = ended.map_or_else(String::new, |ended| {
        format!("; {} ended it with \"{}\"", attempt.who(ended.end), ended.reason)
    });
    let (cause, sentence) = if both && call.ppp.lcp.terminated.is_some() {
        (
            &BOTH_SIDES_AUTHENTICATE,
            format!(
                "each side of {} demands that the other authenticates itself, and {} declines (packet {packet}){words}.",
                attempt.name(),
                attempt.who(decliner)
            ),
        )
    } else {
        (
            &AUTH_PROTOCOL_DISAGREED,
            format!(
                "{}: {} declined the authentication that was asked of it (packet {packet}), and no other was agreed{words}.",
                attempt.name(),
                attempt.who(decliner)
            ),
        )
    };
    Some(
        Diagnosis::broken(cause, sentence)
            .evidence([packet].into_iter().chain(ended.map(|ended| ended.packet)))
            .confidence(Confidence::Likely)
            .advice("let only the LNS authenticate (client option noauth), and allow one common protocol on both sides."),
    )
}

/// A demand that was declined and then dropped, so that LCP opened without it, only to be ended for just that: in which
/// packet it was declined, and by whom.
fn gave_way(call: &Call) -> Option<(u64, u8)> {
    let known = &call.ppp.authentication;
    let (packet, decliner) = known.declined()?;
    let ended = call.ppp.lcp.terminated.as_ref()?;
    let says = ended.reason.as_str().to_ascii_lowercase().contains("authenticat");
    (says && ended.end != decliner && known.outcome().is_none()).then_some((packet, decliner))
}

/// MS-CHAPv2 succeeded, and the client ends it at once: it does not take the Success.
fn success_refused(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let known = &call.ppp.authentication;
    let end = (0..2u8)
        .find(|end| known.by(*end).outcome == Some(Said::Success) && method(known.by(*end)) == "MS-CHAPv2")?;
    let direction = known.by(end);
    let packet = direction.packet?;
    let client = 1 - end;
    let ended = call.ppp.lcp.terminated.as_ref().filter(|ended| ended.end == client && ended.packet > packet);
    let opened = call.ppp.ncps.iter().any(|(_, ncp)| ncp.ever_opened());
    let by_client = ended.is_some() || call.closed_by == Some(client);
    if opened || !by_client || attempt.carried() {
        return None;
    }
    let text = direction.message.as_ref().map_or("", |text| text.as_str());
    let fault = malformed(text)?;
    let words = ended
        .filter(|ended| !ended.reason.is_empty())
        .map_or_else(String::new, |ended| format!(" with \"{}\"", ended.reason));
    Some(
        Diagnosis::broken(
            &SUCCESS_MALFORMED,
            format!(
                "{} accepted the password, and {} refused its Success (packet {packet}) and ended the link{words}: {fault}.",
                attempt.who(end),
                attempt.who(client)
            ),
        )
        .evidence([packet].into_iter().chain(ended.map(|ended| ended.packet)))
        .confidence(Confidence::Likely)
        .advice("update the PPP client (pppd 2.4.9 and later take a Success without the space), or let the server send \"S=<40 hexadecimal digits> M=<text>\"."),
    )
}

/// What is wrong with the message of a Success (RFC 2759 section 5: `S=<40 hexadecimal digits> M=<text>`).
fn malformed(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix("S=") else { return Some("it has no authenticator response (S=)") };
    let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
    if digits != 40 {
        return Some("its authenticator response (S=) is not 40 hexadecimal digits");
    }
    match rest.get(40..) {
        Some("") | None => None,
        Some(after) if after.starts_with(' ') => None,
        Some(_) => Some("the space before M= is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::malformed;

    #[test]
    fn the_message_of_a_success() {
        let digits = "0123456789ABCDEF0123456789abcdef01234567";
        for good in [format!("S={digits} M=OK"), format!("S={digits}"), format!("S={digits} ")] {
            assert_eq!(malformed(&good), None, "{good}");
        }
        for bad in
            [String::new(), String::from("M=OK"), String::from("S=0123 M=OK"), format!("S={digits}M=OK")]
        {
            assert!(malformed(&bad).is_some(), "{bad}");
        }
    }
}
