//! Did a network control protocol open at both ends, with addresses that can be used? RFC 1332, RFC 5072, RFC 1962, RFC 1990.

use crate::analysis::control::call::Call;
use crate::analysis::ppp::notice::Run;
use crate::analysis::ppp::protocol::{self, CCP, IPCP};
use crate::util::Duration;

use super::super::words::count;
use super::super::{loss, ppp as ppp_rules};
use super::attempt::Attempt;
use super::causes::{IPCP_TROUBLE, MPPE_REFUSED, MULTILINK_MISMATCH, PPP_FRAMING_MISMATCH};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many refusals are no agreement.
const REFUSALS: u32 = 5;
/// What is missing after so long does not come any more.
const OVER: Duration = Duration::seconds(30);

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let Some((_, call)) = attempt.call else { return Outcome::NotNeeded };
    if call.ppp.lcp.ends.iter().all(|end| end.asked == 0) && call.ppp.ncps.is_empty() {
        return Outcome::NotNeeded;
    }
    if let Some(why) =
        framing(attempt, call).or_else(|| encryption(attempt, call)).or_else(|| multilink(attempt, call))
    {
        return why.into();
    }
    if let Some(why) = addresses(attempt, call) {
        return why.into();
    }
    let opened = call.ppp.ncps.iter().any(|(number, ncp)| protocol::carries(*number) && ncp.ever_opened());
    if opened || attempt.carried() {
        return Outcome::Proved;
    }
    not_open(attempt, call)
}

/// Protocol-Rejects of a protocol that nobody sent: a compressed protocol field and the first octet of an IP packet.
fn framing(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let misread = |number: u16| {
        let [protocol, first] = number.to_be_bytes();
        protocol == 0x21 && first >> 4 == 4 || protocol == 0x57 && first >> 4 == 6
    };
    let refused = call.ppp.refused.iter().find(|refused| misread(refused.protocol))?;
    let (own, peer) = (attempt.who(refused.end), attempt.who(1 - refused.end));
    Some(
        Diagnosis::broken(
            &PPP_FRAMING_MISMATCH,
            format!(
                "{}: {own} rejects protocol 0x{:04x} (packet {}): that is the compressed protocol field and the first octet of an IP packet from {peer}, which it does not read.",
                attempt.name(),
                refused.protocol,
                refused.packet
            ),
        )
        .evidence([refused.packet])
        .advice(format!("switch protocol field compression off (nopcomp; RouterOS, Cisco: ppp pfc local forbid), or update {own}.")),
    )
}

/// MPPE that one side demands and the other declines.
fn encryption(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let ccp = call.ppp.negotiation(CCP);
    let declined = call.ppp.compression.declined;
    let end = (0..2u8).find(|end| declined.get(usize::from(*end)).copied().flatten().is_some())?;
    let (_, packet) = declined.get(usize::from(end)).copied().flatten()?;
    let ended = call.ppp.lcp.terminated.as_ref().or_else(|| ccp.and_then(|ccp| ccp.terminated.as_ref()));
    let agreed = call.ppp.compression.agreed.iter().flatten().any(|one| one.encrypts());
    let says = ended.is_some_and(|ended| {
        let text = ended.reason.as_str().to_ascii_lowercase();
        text.contains("mppe") || text.contains("encrypt")
    });
    let ended_link = call.ppp.lcp.terminated.as_ref().is_some_and(|ended| ended.end == end);
    let closed = ended_link || call.closed_by == Some(end);
    if agreed || attempt.carried() || !(says || closed) {
        return None;
    }
    let words = ended.filter(|ended| !ended.reason.is_empty()).map_or_else(String::new, |ended| {
        format!(
            "; {} ended the link with \"{}\" (packet {})",
            attempt.who(ended.end),
            ended.reason,
            ended.packet
        )
    });
    Some(
        Diagnosis::broken(
            &MPPE_REFUSED,
            format!(
                "{}: {} demands MPPE, {} refuses it (packet {packet}){words}.",
                attempt.name(),
                attempt.who(end),
                attempt.who(1 - end)
            ),
        )
        .evidence([packet].into_iter().chain(ended.map(|ended| ended.packet)))
        .confidence(if says { Confidence::Certain } else { Confidence::Likely })
        .advice(if attempt.connection.is_some_and(|connection| connection.protected()) {
            "do not require MPPE under ESP, which encrypts already (pppd: nomppe; RouterOS: use-encryption=no)."
        } else {
            "allow MPPE on both sides, or require it on none (pppd: require-mppe, nomppe)."
        }),
    )
}

/// Multilink frames from one end only, though both agreed to take them.
fn multilink(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let frames = call.ppp.multilink_frames;
    let end = (0..2u8).find(|end| frames[usize::from(*end)] >= 3 && frames[usize::from(1 - *end)] == 0)?;
    let opened = call.ppp.ncps.iter().any(|(_, ncp)| ncp.ever_opened());
    if opened || attempt.carried() {
        return None;
    }
    let first = call.ppp.first_multilink.unwrap_or(0);
    Some(
        Diagnosis::broken(
            &MULTILINK_MISMATCH,
            format!(
                "{}: {} sends its frames inside multilink ({}, from packet {first} on), and {}, which acknowledged MRRU, takes no notice and uses none itself.",
                attempt.name(),
                attempt.who(end),
                count(frames[usize::from(end)].into(), "frame"),
                attempt.who(1 - end)
            ),
        )
        .evidence([first])
        .confidence(Confidence::Likely)
        .advice(format!("have {} reject MRRU and the Endpoint Discriminator (nomultilink), or switch multilink off on {}.", attempt.who(1 - end), attempt.who(end))),
    )
}

/// IPCP without an address for an end that wants one.
fn addresses(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let ipcp = call.ppp.negotiation(IPCP)?;
    let name = attempt.name();
    let refusals = ipcp.refusals();
    // It may open without an address, only to be ended for that.
    let without = call.ppp.network.addresses.iter().any(Option::is_none);
    let useless =
        !ipcp.ever_opened() || without && (ipcp.terminated.is_some() || call.ppp.lcp.terminated.is_some());
    let last = ipcp.last_request().map(|(packet, _)| packet);
    let ended = ipcp.terminated.as_ref().or(call.ppp.lcp.terminated.as_ref());
    let why = ended.map(|end| (end.end, &end.reason)).filter(|(_, text)| !text.is_empty());
    let why =
        why.map_or_else(String::new, |(by, text)| format!("; {} ended it with \"{text}\"", attempt.who(by)));
    // An end that has the option itself rejected gets no address.
    let rejected = (0..2u8).find_map(|end| {
        let dispute = call.ppp.network.disputes.get(usize::from(end))?;
        Some((end, dispute.rejected?))
    });
    let traffic = call.traffic.get();
    let tells = |end: u8| traffic.is_some_and(|traffic| traffic.direction(end).last_telling.is_some());
    let used = tells(0) && tells(1);
    if used && ipcp.ever_opened() || ipcp.rejected.is_some() && !others(call) {
        return None;
    }
    if let Some((end, packet)) = rejected.filter(|_| without && !other_network(call)) {
        let (own, peer) = (attempt.who(end), attempt.who(1 - end));
        if !used {
            return Some(
                Diagnosis::broken(
                    &IPCP_TROUBLE,
                    format!("{name} has no address: {peer} answers the IP-Address option from {own} with Configure-Reject (packet {packet}){why}."),
                )
                .evidence([packet])
                .advice(format!("give {peer} an address, or a pool, to assign to {own}.")),
            );
        }
    }
    if !(useless && ipcp.rejected.is_none() && (refusals >= REFUSALS || ipcp.terminated.is_some())) {
        return None;
    }
    let insists = (0..2u8).find_map(|end| Some((end, ppp_rules::insists(call, end)?)));
    if let Some((end, (asked, offered, dispute))) = insists {
        let (own, peer) = (attempt.who(end), attempt.who(1 - end));
        return Some(
            Diagnosis::broken(
                &IPCP_TROUBLE,
                format!(
                    "{name} has no address: {own} asks for {asked}, {peer} answers with {offered} ({}){why}.",
                    count(dispute.naks.into(), "Configure-Nak")
                ),
            )
            .evidence(last)
            .advice(format!("let {own} accept the address it is given, or assign {asked} to it on {peer}.")),
        );
    }
    Some(
        Diagnosis::broken(
            &IPCP_TROUBLE,
            format!(
                "{name} is authenticated, but IPCP did not agree on addresses after {}{why}.",
                count(refusals.into(), "refusal")
            ),
        )
        .evidence(last)
        .advice("compare the address that one side wants with the one the other assigns."),
    )
}

/// Another network control protocol opened.
fn other_network(call: &Call) -> bool {
    call.ppp
        .ncps
        .iter()
        .any(|(number, ncp)| *number != IPCP && protocol::carries(*number) && ncp.ever_opened())
}

fn others(call: &Call) -> bool {
    call.ppp.ncps.iter().any(|(number, _)| *number != IPCP && protocol::carries(*number))
}

/// No network control protocol is open.
fn not_open(attempt: &Attempt<'_>, call: &Call) -> Outcome {
    let name = attempt.name();
    let tried: Vec<_> = call.ppp.ncps.iter().filter(|(number, _)| protocol::carries(*number)).collect();
    let over = call.closed.is_some()
        || call.ppp.lcp.terminated.is_some()
        || attempt.connection.is_some_and(|connection| connection.closed.is_some());
    let last = call.data.iter().filter_map(|data| data.last).max().unwrap_or(call.first_time);
    if !over && attempt.case.left_after(last) < OVER {
        return Diagnosis::undecided(format!(
            "{name}: no network protocol of PPP is up when the capture ends."
        ))
        .evidence([call.first_packet])
        .advice("capture longer, until the call carries data or is given up.")
        .into();
    }
    let rejected = tried.iter().find_map(|(number, ncp)| Some((*number, ncp.rejected?)));
    let ended = call.ppp.lcp.terminated.as_ref().filter(|ended| !ended.reason.is_empty());
    let words = ended.map_or_else(String::new, |ended| {
        format!(
            "; {} ended the link with \"{}\" (packet {})",
            attempt.who(ended.end),
            ended.reason,
            ended.packet
        )
    });
    let unanswered = tried
        .iter()
        .find_map(|(_, ncp)| (0..2u8).find_map(|end| ncp.end(end).unanswered.filter(|run| run.count >= 3)));
    let sentence = match (rejected, unanswered) {
        (Some((_, refused)), _) => format!(
            "{name}: {} refuses the network protocol (Protocol-Reject, packet {}), and no other comes up{words}.",
            attempt.who(refused.end),
            refused.packet
        ),
        (None, Some(run)) => format!(
            "{name}: IPCP never came up: {} from {} had no answer{words}.",
            count(run.count.into(), "request"),
            attempt.who(run.end)
        ),
        (None, None) => format!("{name}: PPP ended before a network protocol came up{words}."),
    };
    let lost = |run: &Run| {
        attempt
            .connection
            .is_some_and(|connection| loss::explains(attempt.case, connection, call, run).is_some())
    };
    let silent = unanswered.is_some_and(|run| !lost(&run));
    let proved = rejected.is_some() || silent || ended.is_some();
    if !proved {
        return Diagnosis::undecided(sentence)
            .evidence([call.first_packet])
            .advice("look in both PPP logs: who ended it, and why?")
            .into();
    }
    Diagnosis::broken(&IPCP_TROUBLE, sentence)
        .evidence(
            rejected
                .map(|(_, refused)| refused.packet)
                .into_iter()
                .chain(unanswered.map(|run| run.first.0))
                .chain(ended.map(|ended| ended.packet)),
        )
        .confidence(Confidence::Likely)
        .advice("look in both PPP logs: which side wants which address, and is there one to give?")
        .into()
}
