//! Rules on PPP inside calls (RFC 1661, 1334, 1994, 2759).

use std::net::{IpAddr, Ipv4Addr};

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::call_state::CallEndState;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::agreed::Dispute;
use crate::analysis::ppp::authentication::Outcome;
use crate::analysis::ppp::notice::Run;

use super::words::{self, count};
use super::{Case, Finding, loss, ppp_proof, rules};

rules! {
    /// LCP Configure-Requests are repeated, and the other side never answers them.
    ///
    /// The call is up, but its data does not arrive, or nobody listens to it: a kernel data path that is not
    /// connected to the call, data that is filtered while control messages pass, a PPP daemon that did not start. Loss
    /// alone explains a few of them: then it is a note.
    PPP_LCP_NO_ANSWER = "ppp-lcp-no-answer", Error, "RFC 1661 5.1",
        "upon reception of a Configure-Request, an appropriate reply must be transmitted.";

    /// The authenticator refused the peer.
    ///
    /// MS-CHAP says why in its message: E=691 wrong name or password, E=649 no dial-in permission, E=648 password
    /// expired, E=647 account disabled, E=646 not at this hour.
    PPP_AUTH_FAILED = "ppp-auth-failed", Error, "RFC 1661 3.5",
        "a peer that is not authenticated must not reach the network-layer phase.";

    /// An address inside PPP is one of the tunnel outside.
    ///
    /// A client routes the address of its peer into the PPP link. If that is the address the tunnel itself goes to, its
    /// packets are sent into themselves: the call comes up, and at once nothing passes. Or both ends have one address.
    /// Usual cause: a server whose local PPP address is set to its public one, which some clients live with.
    /// Example: IPCP that opens with 198.51.100.1 for the LNS, whose UDP comes from 198.51.100.1.
    PPP_IPCP_ADDRESS_COLLISION = "ppp-ipcp-address-collision", Warning, "RFC 1332 3.3",
        "the IP-Address option negotiates the IP address to be used on the local end of the link.";

    /// One end asks for an IPv4 address again and again, and the other names another one each time.
    ///
    /// Neither gives way, so IPCP ends without an address. Usual causes: a fixed address on one side that the pool of
    /// the other does not hold, or an option that refuses what the peer assigns.
    /// Example: five requests for 10.55.55.55, each answered by a Configure-Nak with 10.99.0.10.
    PPP_IPCP_NAK_LOOP = "ppp-ipcp-nak-loop", Error, "RFC 1332 3.3",
        "the peer may accept the value of a Configure-Nak or ask for another; the negotiation has to end.";
}

/// As many Configure-Naks about one address are a loop.
const LOOP: u32 = 5;

/// A PPP daemon that starts late misses one or two requests; this many is no start-up.
const NO_START_UP: u32 = 4;
/// Where nothing at all comes from the other end, so many are beyond loss: it would have to lose all that the other end
/// asks by itself as well.
const NOTHING_CAME: u32 = 5;

/// What to do about a refusal of which no password says more.
pub(super) const CHECK_BOTH: &str = "check name and password on both sides, and that this user may dial in.";

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        for id in &connection.calls {
            let Some(call) = case.analysis.call(*id) else { continue };
            for end in 0..2u8 {
                found.extend(no_answer(case, connection, *id, call, end));
            }
            found.extend(refused(connection, *id, call));
            found.extend(collision(connection, *id, call));
            for end in 0..2u8 {
                found.extend(address_loop(connection, *id, call, end));
            }
        }
    }
}

/// The Configure-Requests of LCP to which an end gets no answer, and what else could explain that.
fn lcp_unanswered<'a>(
    case: &Case<'_>,
    connection: &Connection,
    call: &'a Call,
    end: u8,
) -> Option<(&'a Run, Option<String>)> {
    let lcp = &call.ppp.lcp;
    let row = lcp.end(end).unanswered.as_ref().filter(|row| row.count >= NO_START_UP)?;
    if lcp.opened_now() || words::one_direction_missing(connection) {
        return None;
    }
    let peer = 1u8.saturating_sub(end);
    // Before it has connected the call, it takes no data.
    let connected = !connection.from_start
        || call
            .machines
            .get(usize::from(peer))
            .is_some_and(|machine| machine.state == CallEndState::Established)
        // Whoever sends data in a call has connected it.
        || call.data.get(usize::from(peer)).is_some_and(|data| data.last.is_some());
    let unconnected =
        || (!connected).then(|| format!("{} may not have connected the call.", words::who(connection, peer)));
    let silent = row.count >= NOTHING_CAME && !loss::heard(call, peer, row);
    let explains = match case.unread_from(connection.end(peer), row.first.1) {
        Some(unread) => Some(unread),
        None if silent => loss::unmatched(connection, call),
        None => loss::explains(case, connection, call, row),
    };
    Some((row, explains.or_else(unconnected)))
}

/// The Configure-Requests of LCP to which an end gets no answer, if loss does not explain it.
pub(super) fn lcp_never_answered<'a>(
    case: &Case<'_>,
    connection: &Connection,
    call: &'a Call,
    end: u8,
) -> Option<&'a Run> {
    lcp_unanswered(case, connection, call, end).filter(|(_, unsure)| unsure.is_none()).map(|(row, _)| row)
}

fn no_answer(case: &Case<'_>, connection: &Connection, id: CallId, call: &Call, end: u8) -> Option<Finding> {
    let (row, unsure) = lcp_unanswered(case, connection, call, end)?;
    let never = if call.ppp.lcp.ever_opened() { "no longer" } else { "never" };
    let (requests, (first, since), (last, until)) = (row.count, row.first, row.last);
    let peer = 1u8.saturating_sub(end);
    let title = format!("{}: LCP of {} is {never} answered", words::call(id), words::who(connection, end));
    Some(
        Finding::new(&PPP_LCP_NO_ANSWER, title)
            .unless(unsure)
            .packets(&[first, last])
            .connection(connection.number)
            .call(id)
            .seen(format!(
                "{} in {}, packets {first} to {last}.",
                count(requests.into(), "Configure-Request"),
                until.since(since)
            ))
            .advice(format!(
                "does data reach {}, and is a PPP daemon attached to the call there? Control messages pass.",
                words::who(connection, peer)
            )),
    )
}

/// The address that an end insists on, and the one it should take; `None` unless they go round in circles.
pub(super) fn insists(call: &Call, end: u8) -> Option<(Ipv4Addr, Ipv4Addr, Dispute)> {
    let dispute = *call.ppp.network.disputes.get(usize::from(end))?;
    if dispute.naks < LOOP || call.ppp.network.addresses.get(usize::from(end)).copied().flatten().is_some() {
        return None;
    }
    Some((dispute.asked?, dispute.offered?, dispute))
}

fn address_loop(connection: &Connection, id: CallId, call: &Call, end: u8) -> Option<Finding> {
    let (asked, offered, dispute) = insists(call, end)?;
    let (first, last) = dispute.packets?;
    let (own, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    Some(
        Finding::new(
            &PPP_IPCP_NAK_LOOP,
            format!("{}: no agreement on the address of {own}", words::call(id)),
        )
        .packets(&[first, last])
        .connection(connection.number)
        .call(id)
        .seen(format!(
            "it asks for {asked}; {peer} answers with {offered}: {}, packets {first} to {last}.",
            count(dispute.naks.into(), "Configure-Nak")
        ))
        .advice(format!("let {own} accept the address it is given, or assign {asked} to it on {peer}.")),
    )
}

fn collision(connection: &Connection, id: CallId, call: &Call) -> Option<Finding> {
    let outside = connection.ends.each_ref().map(|end| end.endpoint.address);
    let [first, second] = call.ppp.network.addresses;
    let taken =
        call.ppp.network.addresses.iter().flatten().find(|address| outside.contains(&IpAddr::V4(**address)));
    let (address, seen) = match (taken, first.zip(second)) {
        (Some(address), _) => {
            (*address, format!("IPCP agreed on {address}, which is an end of the tunnel as well."))
        }
        (None, Some((a, b))) if a == b && !a.is_unspecified() => {
            (a, format!("IPCP agreed on {a} for both ends."))
        }
        _ => return None,
    };
    let title = format!("{}: {address} is used twice", words::call(id));
    Some(
        Finding::new(&PPP_IPCP_ADDRESS_COLLISION, title)
            .packets(&[call.first_packet])
            .connection(connection.number)
            .call(id)
            .seen(seen)
            .advice("give PPP an address of its own on the server (local address); else see that no client routes it into the link."),
    )
}

fn refused(connection: &Connection, id: CallId, call: &Call) -> Option<Finding> {
    let (authenticator, known) = call.ppp.authentication.latest();
    if known.outcome != Some(Outcome::Failure) {
        return None;
    }
    let authenticator = authenticator.unwrap_or(1);
    let protocol = known.method().and_then(|method| method.name()).unwrap_or("authentication");
    let name = known.name.as_ref().map_or_else(String::new, |name| format!(" for \"{name}\""));
    let message = known.message.as_ref().map_or_else(String::new, |text| format!(" \"{text}\""));
    let meaning = known.message.as_ref().and_then(|text| ms_chap_meaning(text.as_str()));
    let meaning = meaning.map_or_else(String::new, |meaning| format!(": {meaning}"));
    let (proof, advice) = ppp_proof::of_refusal(connection, call).unzip();
    let proof = proof.map_or_else(String::new, |proof| format!("; {proof}"));
    Some(
        Finding::new(&PPP_AUTH_FAILED, format!("{}: {protocol} failed{name}", words::call(id)))
            .packets(&known.packet.map_or_else(Vec::new, |packet| vec![packet]))
            .connection(connection.number)
            .call(id)
            .seen(format!("{} refused{message}{meaning}{proof}.", words::who(connection, authenticator)))
            .advice(advice.unwrap_or_else(|| String::from(CHECK_BOTH))),
    )
}

/// What the error code of an MS-CHAP Failure means (RFC 2433 section 5, RFC 2759 section 6).
pub(super) fn ms_chap_meaning(message: &str) -> Option<&'static str> {
    let code: String = message.split("E=").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    Some(match code.as_str() {
        "646" => "not allowed at this hour",
        "647" => "the account is disabled",
        "648" => "the password has expired",
        "649" => "no permission to dial in",
        "691" => "wrong user name or password",
        "709" => "the password could not be changed",
        _ => return None,
    })
}
