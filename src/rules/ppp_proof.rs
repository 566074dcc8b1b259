//! Rules on what PPP authentication proves, held against the passwords that were given (RFC 1994, RFC 2759).

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::authentication::Outcome;
use crate::analysis::ppp::proof::{Answer, Server};
use crate::ipsec::Verdict;

use super::words;
use super::{Case, Finding, Severity, rules};

rules! {
    /// A peer does not prove the password that was given for it.
    ///
    /// Its Response (of PAP: its password) is held against the passwords of `--secrets`. It is made with none of them,
    /// with that of another user, or for MS-CHAPv2 with another form of the name. Only Responses whose Challenge was
    /// seen, with the same Identifier, are judged. For PAP the finding cites RFC 1334. If the authenticator accepts it all
    /// the same, it is rather the file that is wrong, and the finding is a note; if it says nothing, a warning. Usual
    /// causes: a mistyped or old password at the client, a mistyped name, a client that hashes the name with its domain.
    /// Example: a CHAP Challenge, a Response made with another password than that of --secrets, and a Failure.
    PPP_AUTH_RESPONSE_WRONG = "ppp-auth-response-wrong", Error, "RFC 1994 4.1",
        "whenever a Response is received, the authenticator compares it with its own calculation of the expected value.";

    /// A server of MS-CHAPv2 does not prove that it knows the password.
    ///
    /// The Response is right for the password of `--secrets`, and the authenticator response (`S=`) in the Success is
    /// not the one that this password gives, or is missing. Clients end the session then. Whoever answers does not have
    /// the user's password: a server that lets everybody in, or a backend that hashes the name with its domain.
    /// Example: an MS-CHAPv2 Response made with the password of --secrets, and a Success with another S=.
    PPP_AUTH_SUCCESS_WRONG = "ppp-auth-success-wrong", Error, "RFC 2759 5",
        "if the authenticator response is either missing or incorrect, the peer must end the session.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        for id in &connection.calls {
            let Some(call) = case.analysis.call(*id) else { continue };
            for end in 0..2u8 {
                let Some(answer) = call.ppp.answer(end) else { continue };
                found.extend(wrong_response(connection, *id, end, answer));
                found.extend(wrong_success(connection, *id, end, answer));
            }
        }
    }
}

fn finding(
    rule: &'static super::Rule,
    title: String,
    (connection, id, by): (&Connection, CallId, u8),
    answer: &Answer,
) -> Finding {
    let outcome = answer.outcome.map(|(_, packet)| packet);
    let packets: Vec<u64> = std::iter::once(answer.packet).chain(outcome).collect();
    Finding::new(rule, format!("{}: {title}", words::call(id)))
        .packets(&packets)
        .connection(connection.number)
        .call(id)
        .by(by)
}

/// What RFC 1334 says of PAP, as RFC 1994 does of CHAP.
const OF_PAP: (&str, &str) = (
    "RFC 1334 2.2.2",
    "a Peer-ID/Password pair that is not recognizable or acceptable is answered by an Authenticate-Nak.",
);

/// What an end sent: the password, or what is made with it.
fn sent(answer: &Answer) -> &'static str {
    if answer.in_clear() { "password" } else { "Response" }
}

fn wrong_response(connection: &Connection, id: CallId, end: u8, answer: &Answer) -> Option<Finding> {
    let outcome = answer.outcome.map(|(outcome, _)| outcome);
    let accepted = outcome == Some(Outcome::Success);
    let (own, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    let (sent, name) = (sent(answer), &answer.name);
    let (title, seen, advice) = match &answer.verdict {
        Verdict::Right => return None,
        // Two users may have one password.
        Verdict::OtherUser { listed: false, .. } if accepted => return None,
        Verdict::WrongPassword => (
            format!("\"{name}\" does not prove the password that was given"),
            format!("the {sent} of {own} is not that of the password which was given for \"{name}\""),
            format!(
                "set the password of \"{name}\" again on {own}; if it is right there, the file has another one."
            ),
        ),
        Verdict::OtherUser { user, listed } => (
            format!("\"{name}\" proves the password of \"{user}\""),
            format!("the {sent} of {own} names \"{name}\" and is that of the password of \"{user}\""),
            if *listed {
                format!("set the password of \"{name}\" on {own}.")
            } else {
                format!("no password was given for \"{name}\": is it \"{user}\" that {own} should say?")
            },
        ),
        Verdict::OtherName(form) => (
            format!("\"{name}\" proves its password with another form of the name"),
            format!(
                "the password is right, but the Response of {own} is made with the name \"{form}\" where \"{}\" is due",
                name.as_str().rsplit_once('\\').map_or(name.as_str(), |(_, account)| account)
            ),
            format!("give {own} the name as {peer} knows it, without a domain or in other case."),
        ),
    };
    let says = match outcome {
        Some(Outcome::Success) => format!("; {peer} accepted it."),
        Some(Outcome::Failure) => format!("; {peer} refused it."),
        None => String::from("."),
    };
    let form = matches!(answer.verdict, Verdict::OtherName(_));
    let unsure = match outcome {
        Some(Outcome::Failure) => None,
        _ if form => None,
        Some(Outcome::Success) => Some(format!(
            "{peer} accepted it: the password that was given is probably not that of \"{name}\"."
        )),
        None => Some(format!(
            "{peer} neither accepted nor refused it here: the password that was given may be old."
        )),
    };
    let found = finding(&PPP_AUTH_RESPONSE_WRONG, title, (connection, id, end), answer)
        .severity(match outcome {
            Some(Outcome::Failure) => Severity::Error,
            Some(Outcome::Success) => Severity::Note,
            None => Severity::Warning,
        })
        .seen(format!("{seen}{says}"))
        .unsure(unsure)
        .advice(advice);
    Some(if answer.in_clear() { found.cites(OF_PAP.0, OF_PAP.1) } else { found })
}

fn wrong_success(connection: &Connection, id: CallId, end: u8, answer: &Answer) -> Option<Finding> {
    let what = match answer.server? {
        Server::Right => return None,
        Server::Wrong => "its authenticator response (S=) is not that of the same password",
        Server::Missing => "it has no authenticator response (S=)",
    };
    let (own, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    let title = format!("{peer} does not prove that it knows the password of \"{}\"", answer.name);
    Some(
        finding(&PPP_AUTH_SUCCESS_WRONG, title, (connection, id, 1 - end), answer)
            .seen(format!(
                "the Response of {own} is right for the password that was given; {peer} accepts it, and {what}."
            ))
            .advice(format!(
                "see what checks passwords behind {peer}: it accepts users whose password it does not have, or hashes another form of the name."
            )),
    )
}

/// What the passwords say of a refusal, and what to do: for those who report it.
pub(super) fn of_refusal(connection: &Connection, call: &Call) -> Option<(String, String)> {
    let end = 1u8.checked_sub(call.ppp.authentication.latest().0?)?;
    let answer = call.ppp.answer(end)?;
    if answer.outcome.map(|(outcome, _)| outcome) != Some(Outcome::Failure) {
        return None;
    }
    let (own, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    let name = &answer.name;
    Some(match &answer.verdict {
        Verdict::Right => (
            format!("{own} proved the password that was given"),
            format!(
                "the password that was given is right on {own}: see whether {peer} has another one for \"{name}\", or does not let this user in."
            ),
        ),
        Verdict::WrongPassword => (
            format!("the {} is not that of the password that was given", sent(answer)),
            format!("set the password of \"{name}\" again on {own}."),
        ),
        Verdict::OtherUser { user, .. } => (
            format!("the password is that of \"{user}\""),
            format!("give {own} the name and the password of the same user."),
        ),
        Verdict::OtherName(form) => (
            format!("the password is right, but hashed with the name \"{form}\""),
            format!("give {own} the name as {peer} knows it."),
        ),
    })
}
