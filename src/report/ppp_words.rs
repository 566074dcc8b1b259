//! PPP in a call, in two or three words: the most telling thing about it.

use crate::analysis::control::call::Call;
use crate::analysis::ppp::authentication::Outcome;
use crate::analysis::ppp::negotiation::Progress;
use crate::analysis::ppp::protocol;
use crate::analysis::ppp::session::PppSession;
use crate::dissect::ppp_names::protocol_name;
use crate::ipsec::Verdict;

/// Configure-Requests without an answer that are no start-up any more.
const NO_START_UP: u32 = 4;

/// As many refusals of one address are a loop.
const LOOP: u32 = 5;

/// How far PPP came. `lac` is the end whose address is shown.
pub(super) fn ppp(call: &Call, lac: usize) -> String {
    let session = &call.ppp;
    let (authenticator, known) = session.authentication.latest();
    let login = known.method().and_then(|method| method.name()).unwrap_or("login");
    if known.outcome == Some(Outcome::Failure) {
        let answer = authenticator.and_then(|end| session.answer(1u8.checked_sub(end)?));
        return match answer.map(|answer| &answer.verdict) {
            Some(Verdict::WrongPassword) => String::from("wrong password"),
            Some(Verdict::OtherUser { .. }) => String::from("another user's password"),
            _ => format!("{login} failed"),
        };
    }
    if let Some(network) = network(session, lac) {
        return network;
    }
    if known.outcome == Some(Outcome::Success) {
        return String::from("authenticated");
    }
    match session.lcp.progress() {
        Some(Progress::Opened) if known.method().is_some() => format!("{login} no outcome"),
        Some(Progress::Opened) => String::from("LCP open"),
        Some(_) if (0..2).any(|end| session.lcp.unanswered(end) >= NO_START_UP) => {
            String::from("LCP no answer")
        }
        Some(_) => String::from("LCP negotiating"),
        None if call.data.iter().any(|data| data.network > 0) => String::from("user data"),
        None if call.data.iter().any(|data| data.packets > 0) => String::from("data"),
        None => String::from("none"),
    }
}

/// How far the network layer came: an address, else the protocol that opened, else the first that was tried.
fn network(session: &PppSession, lac: usize) -> Option<String> {
    let progress = |number| session.negotiation(number).and_then(|known| known.progress());
    let opened = |number| progress(number) == Some(Progress::Opened);
    if opened(protocol::IPCP) {
        let address = session.network.addresses.get(lac).copied().flatten();
        // It may open without an address, only to be ended for that.
        let useless = session.network.disputes.iter().any(|dispute| dispute.naks >= LOOP);
        let words = if useless { "no address" } else { "IPCP open" };
        return Some(address.map_or_else(|| String::from(words), |address| address.to_string()));
    }
    let ours = || session.ncps.iter().map(|(number, _)| *number).filter(|number| *number != protocol::CCP);
    let name = |number: u16| protocol_name(number.into()).unwrap_or("NCP");
    if let Some(number) = ours().find(|number| opened(*number)) {
        return Some(format!("{} open", name(number)));
    }
    let tried = ours().find_map(|number| Some((number, progress(number)?)))?;
    Some(format!("{} {}", name(tried.0), tried.1.name()))
}
