//! Did LCP open at both ends? RFC 1661 sections 3.4, 4.6 and 6.4.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::log::Observation;
use crate::analysis::ppp::notice::PppNotice;
use crate::util::Duration;

use super::super::ppp as ppp_rules;
use super::super::ppp_order::says_why;
use super::super::words::count;
use super::answer::elsewhere_answered;
use super::attempt::Attempt;
use super::authentication;
use super::causes::{KERNEL_DATA_PATH, LCP_LOOPBACK, LCP_NEVER_CONVERGES, LCP_NOT_OPENED, PPP_NOT_STARTED};
use super::results::up_for;
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many refusals in a row are a circle (RFC 1661 section 4.6: Max-Failure is 5).
const CIRCLE: u32 = 10;
/// So many requests of one end while the other asks for nothing are no accident.
const ASKS: u32 = 4;
/// What is missing after so long does not come any more.
const OVER: Duration = Duration::seconds(10);
/// Fewer frames may all be lost.
const ENOUGH: u64 = 4;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let (Some(connection), Some((_, call))) = (attempt.connection, attempt.call) else {
        return Outcome::NotNeeded;
    };
    if connection.version == 3 && call.ppp.lcp.ends.iter().all(|end| end.asked == 0) {
        return Outcome::NotNeeded;
    }
    let lcp = &call.ppp.lcp;
    if let Some(loops) = looped_back(attempt, call) {
        return loops.into();
    }
    if let Some(dead) = never_answered(attempt, connection, call) {
        return dead.into();
    }
    if let Some(silent) = only_acknowledges(attempt, call) {
        return silent.into();
    }
    if lcp.ever_opened() || attempt.carried() {
        return Outcome::Proved;
    }
    if let Some(why) = authentication::no_common(attempt, call) {
        return why.into();
    }
    not_open(attempt, connection, call)
}

fn looped_back(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let noted = call.ppp.noted(PppNotice::LoopedBack, None)?;
    Some(
        Diagnosis::broken(
            &LCP_LOOPBACK,
            format!(
                "{}: what {} sends in LCP comes back to it with its own magic number (packet {}): the line is looped.",
                attempt.name(),
                attempt.who(noted.end),
                noted.first.0
            ),
        )
        .evidence(noted.packets.iter().copied())
        .confidence(Confidence::Likely)
        .advice(format!(
            "look at the data path of {}: its session sends back what it is sent (a bridge, a loop of pseudo terminals).",
            attempt.who(1 - noted.end)
        )),
    )
}

fn never_answered(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let unanswered = |end| ppp_rules::lcp_never_answered(attempt.case, connection, call, end);
    let row = (0..2u8).find_map(unanswered)?;
    let (end, peer, asked) = (row.end, 1u8.saturating_sub(row.end), row.count);
    if connection.log.has(Observation::AnsweredElsewhere) {
        return Some(
            elsewhere_answered(attempt, connection).evidence([connection.first_packet, row.first.0]),
        );
    }
    let again = call.ppp.lcp.ever_opened();
    let came_up = if again { "did not come up again" } else { "never came up" };
    let came = call.data.get(usize::from(peer)).map_or(0, |data| data.packets);
    let (own, advice) = match came {
        0 => (String::new(), "is a PPP daemon attached to the call there, and does data reach it?"),
        n => (
            format!(", although {} of the other side came", count(n, "data packet")),
            "data towards it is probably lost: compare the session ID of the data with the one it assigned, look at its sessions (ip l2tp show session) and counters.",
        ),
    };
    Some(
        Diagnosis::broken(
            if again { &LCP_NOT_OPENED } else { &KERNEL_DATA_PATH },
            format!(
                "{} was set up, but LCP {came_up}: {asked} requests from {} got no reply{own}.",
                attempt.name(),
                attempt.who(end)
            ),
        )
        .evidence([row.first.0, row.last.0])
        .confidence(Confidence::Likely)
        .advice(format!("on {}: {advice}", attempt.who(peer))),
    )
}

/// One side asks again and again, is acknowledged each time, and the other never asks for its own half.
fn only_acknowledges(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let lcp = &call.ppp.lcp;
    if lcp.opened_now() || attempt.carried() {
        return None;
    }
    let end = (0..2u8).find(|end| {
        let (own, peer) = (lcp.end(*end), lcp.end(1 - *end));
        own.asked == 0 && own.acknowledged >= ASKS && peer.asked >= ASKS
    })?;
    let (silent, asker) = (attempt.who(end), attempt.who(1 - end));
    Some(
        Diagnosis::broken(
            &LCP_NOT_OPENED,
            format!(
                "{}: LCP never opens: {silent} acknowledges each of {} from {asker}, and never sends a Configure-Request of its own.",
                attempt.name(),
                count(lcp.end(1 - end).asked.into(), "request")
            ),
        )
        .evidence(lcp.last_request().map(|(packet, _)| packet))
        .confidence(Confidence::Likely)
        .advice(format!(
            "the client after {silent} takes its LCP for open already: let the LAC send the proxy LCP AVPs (26, 27, 28) and the LNS use them, or have the client begin LCP anew."
        )),
    )
}

fn not_open(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Outcome {
    let lcp = &call.ppp.lcp;
    let name = attempt.name();
    let over = call.closed.is_some() || connection.closed.is_some() || lcp.terminated.is_some();
    let last =
        call.data.iter().filter_map(|data| data.last).max().or(call.established).unwrap_or(call.first_time);
    let waited = attempt.case.left_after(last) >= OVER;
    if let Some(end) = (0..2u8).find(|end| lcp.end(*end).refused >= CIRCLE) {
        return Diagnosis::broken(
            &LCP_NEVER_CONVERGES,
            format!(
                "{name}: LCP never opens: {} answered with {} and no agreement came.",
                attempt.who(end),
                count(lcp.end(end).refused.into(), "Configure-Nak or -Reject")
            ),
        )
        .evidence(lcp.last_request().map(|(packet, _)| packet))
        .confidence(Confidence::Likely)
        .advice("look with -V which option is refused again and again, and drop it on one side.")
        .into();
    }
    let sent = [0, 1].map(|end: usize| call.data.get(end).map_or(0, |data| data.packets));
    if !over && !waited {
        return Diagnosis::undecided(format!("{name}: PPP is not up when the capture ends."))
            .evidence([call.first_packet])
            .advice("capture longer, until the call carries data or is given up.")
            .into();
    }
    let reason =
        lcp.terminated.as_ref().filter(|ended| !ended.reason.is_empty()).map_or_else(String::new, |ended| {
            format!(
                "; {} ended it with \"{}\" (packet {})",
                attempt.who(ended.end),
                ended.reason,
                ended.packet
            )
        });
    let closed = call.closing_packet.or(connection.closing_packet);
    let diagnosis = match sent {
        // A capture of control messages alone looks like this.
        [0, 0] => return Outcome::NotNeeded,
        [0, _] | [_, 0] => {
            let silent = u8::from(sent[1] == 0);
            Diagnosis::broken(
                &PPP_NOT_STARTED,
                format!(
                    "{name} was connected, and {} never sent a PPP frame ({} came from {}){reason}.",
                    attempt.who(silent),
                    count(sent[usize::from(1 - silent)], "data packet"),
                    attempt.who(1 - silent)
                ),
            )
            .advice(format!("did PPP start on {} (pppd)? Look in its log.", attempt.who(silent)))
        }
        _ => Diagnosis::broken(&LCP_NOT_OPENED, format!("{name}: LCP never opened{reason}{}.", circle(call)))
            .advice("compare the LCP packets of both sides (-V): which request was not acknowledged?"),
    };
    let few = sent.iter().sum::<u64>() < ENOUGH && up_for(call).is_none_or(|time| time < OVER);
    let unsure = few
        || ended_politely(call)
        || attempt.case.capture_loses().is_some()
        || connection.unseen_messages > 0
        || call.guessed;
    let diagnosis = if unsure { diagnosis.into_undecided() } else { diagnosis };
    diagnosis
        .evidence(
            [call.first_packet].into_iter().chain(lcp.last_request().map(|(packet, _)| packet)).chain(closed),
        )
        .confidence(if unsure { Confidence::Possible } else { Confidence::Likely })
        .into()
}

/// A user who hangs up while PPP is negotiated breaks nothing.
fn ended_politely(call: &Call) -> bool {
    let asked: u32 = call.ppp.lcp.ends.iter().map(|end| end.asked).sum();
    call.ppp.lcp.terminated.as_ref().is_some_and(|ended| !says_why(ended)) && asked < ASKS
}

/// What was refused, in a few words.
fn circle(call: &Call) -> String {
    let refused = call.ppp.lcp.refusals();
    if refused == 0 {
        String::new()
    } else {
        format!(" ({})", count(refused.into(), "Configure-Nak or -Reject"))
    }
}
