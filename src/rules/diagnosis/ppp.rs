//! PPP inside a call: LCP, authentication, IPCP.

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::authentication::Outcome;
use crate::analysis::ppp::protocol;

use super::super::words::{self, count, who};
use super::super::{Case, ppp as ppp_rules, ppp_order, ppp_proof};
use super::{Confidence, Diagnosis};

/// LCP, authentication, IPCP.
pub(super) fn session(
    case: &Case<'_>,
    connection: &Connection,
    id: CallId,
    call: &Call,
) -> Option<Diagnosis> {
    let session = &call.ppp;
    let name = words::call(id);
    let unanswered = |end| ppp_rules::lcp_never_answered(case, connection, call, end);
    if let Some(row) = (0..2u8).find_map(unanswered) {
        let (end, peer, asked) = (row.end, 1u8.saturating_sub(row.end), row.count);
        let came_up = if session.lcp.ever_opened() { "did not come up again" } else { "never came up" };
        let came = call.data.get(usize::from(peer)).map_or(0, |data| data.packets);
        let (own, advice) = match came {
            0 => (String::new(), "is a PPP daemon attached to the call there, and does data reach it?"),
            n => (
                format!(", although {} of the other side came", count(n, "data packet")),
                "data towards it is probably lost: compare the session ID of the data with the one it assigned, look at its sessions (ip l2tp show session) and counters.",
            ),
        };
        return Some(
            Diagnosis::broken(
                "kernel-data-path",
                format!(
                    "{name} was set up, but LCP {came_up}: {asked} requests of {} got no reply{own}.",
                    who(connection, end)
                ),
            )
            .evidence([row.first.0])
            .confidence(Confidence::Likely)
            .advice(format!("on {}: {advice}", who(connection, peer))),
        );
    }
    if session.authentication.outcome() == Some(Outcome::Failure) {
        return Some(auth_failed(connection, &name, call));
    }
    if let Some(diagnosis) = no_common_authentication(connection, &name, call) {
        return Some(diagnosis);
    }
    let ipcp = session.negotiation(protocol::IPCP)?;
    let refusals = ipcp.refusals();
    // It may open without an address, only to be ended for that.
    let useless = !ipcp.ever_opened()
        || session.network.addresses.iter().any(Option::is_none) && ipcp.terminated.is_some();
    if useless && ipcp.rejected.is_none() && (refusals >= 5 || ipcp.terminated.is_some()) {
        let last = ipcp.last_request().map(|(packet, _)| packet);
        let why = ipcp.terminated.as_ref().map(|end| &end.reason).filter(|text| !text.is_empty());
        let why = why.map_or_else(String::new, |text| {
            let by = ipcp.terminated.as_ref().map_or(0, |ended| ended.end);
            format!("; {} ended it with \"{text}\"", who(connection, by))
        });
        if let Some((end, (asked, offered, dispute))) =
            (0..2u8).find_map(|end| Some((end, ppp_rules::insists(call, end)?)))
        {
            let (own, peer) = (who(connection, end), who(connection, 1 - end));
            return Some(
                Diagnosis::broken(
                    "ipcp-trouble",
                    format!(
                        "{name} has no address: {own} asks for {asked}, {peer} answers with {offered} ({}){why}.",
                        count(dispute.naks.into(), "Configure-Nak")
                    ),
                )
                .evidence(last)
                .advice(format!("let {own} accept the address it is given, or assign {asked} to it on {peer}.")),
            );
        }
        return Some(
            Diagnosis::broken(
                "ipcp-trouble",
                format!(
                    "{name} authenticated, but IPCP did not agree on addresses after {}{why}.",
                    count(refusals.into(), "refusal")
                ),
            )
            .evidence(last)
            .advice("compare the address that one side wants with the one the other assigns."),
        );
    }
    None
}

fn auth_failed(connection: &Connection, name: &str, call: &Call) -> Diagnosis {
    let (authenticator, known) = call.ppp.authentication.latest();
    let protocol = known.method().and_then(|method| method.name()).unwrap_or("authentication");
    let id = if protocol == "MS-CHAPv2" { "mschapv2-failure" } else { "ppp-auth-failed" };
    let user = known.name.as_ref().map_or_else(String::new, |user| format!(" of \"{user}\""));
    let meaning = known.message.as_ref().and_then(|text| ppp_rules::ms_chap_meaning(text.as_str()));
    let meaning = match (meaning, &known.message) {
        (Some(meaning), _) => format!(": {meaning}"),
        (None, Some(text)) => format!(": \"{text}\""),
        (None, None) => String::new(),
    };
    let packet = known.packet.unwrap_or(0);
    let (proof, advice) = ppp_proof::of_refusal(connection, call).unzip();
    let proof = proof.map_or_else(String::new, |proof| format!("; {proof}"));
    Diagnosis::broken(
        id,
        format!(
            "{} refused the {protocol} authentication{user}{meaning}{proof} ({name}, packet {packet}).",
            who(connection, authenticator.unwrap_or(1))
        ),
    )
    .evidence([packet])
    .advice(advice.unwrap_or_else(|| String::from(ppp_rules::CHECK_BOTH)))
}

/// A demand for authentication that was declined, and no authentication afterwards.
fn no_common_authentication(connection: &Connection, name: &str, call: &Call) -> Option<Diagnosis> {
    let declined = ppp_order::declined(call).filter(|declined| declined.proved)?;
    let (packet, decliner) = (declined.packet, declined.by);
    let both = call.ppp.authentication.both_demanded();
    let (id, sentence) = if both && !call.ppp.lcp.ever_opened() && call.ppp.lcp.terminated.is_some() {
        (
            "both-sides-authenticate",
            format!(
                "each side of {name} demands that the other authenticates itself, and {} declines (packet {packet}).",
                who(connection, decliner)
            ),
        )
    } else {
        (
            "auth-protocol-disagreed",
            format!(
                "{name}: {} declined the authentication that was asked of it (packet {packet}), and no other was agreed.",
                who(connection, decliner)
            ),
        )
    };
    Some(Diagnosis::broken(id, sentence).evidence([packet]).confidence(Confidence::Likely).advice(
        "let only the LNS authenticate (client option noauth), and allow one common protocol on both sides.",
    ))
}
