//! Rules on the phases of PPP, and on what its peers refuse or leave unanswered (RFC 1661 sections 3 and 5).

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::marks::Mark;
use crate::analysis::ppp::session::{Progress, protocol};
use crate::dissect::ppp_names::protocol_name;
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// The two sides found no authentication protocol that both accept.
    ///
    /// One demands that the other authenticates itself, the other rejects it or names another protocol, and the call
    /// ends. Usual causes: both sides demand authentication, or the lists of allowed protocols have none in common.
    PPP_AUTH_PROTOCOL_DISAGREED = "ppp-auth-protocol-disagreed", Error, "RFC 1661 6.2",
        "the Authentication-Protocol option names the protocol that its sender demands; the peer may reject it.";

    /// A weak authentication protocol is used.
    ///
    /// PAP sends the password itself. CHAP-MD5 and MS-CHAPv1 can be broken from a capture. Under ESP only the gateway
    /// sees it.
    PPP_AUTH_WEAK = "ppp-auth-weak", Warning, "RFC 1334 2",
        "PAP is not a strong authentication method: passwords are sent in the clear.";

    /// CHAP Challenges are repeated, and no Response comes.
    ///
    /// The peer does not see them, or does not know the protocol although it agreed on it.
    /// Example: four CHAP Challenges, 3 s apart, without a Response.
    PPP_AUTH_NO_ANSWER = "ppp-auth-no-answer", Error, "RFC 1994 4.1",
        "whenever a Challenge is received, the peer must send a Response.";

    /// A side ended PPP and said why.
    ///
    /// The reason is its own text. An end at the user's wish is not reported.
    PPP_TERMINATED = "ppp-terminated", Note, "RFC 1661 5.5",
        "a Terminate-Request closes a link; it may carry a reason.";

    /// Packets of a later phase came before LCP was open.
    ///
    /// Their receiver must discard them. A few at the end of the LCP negotiation are a race and are not reported.
    /// Example: Configure-Requests of LCP without an Ack, and IPCP every second.
    PPP_DATA_BEFORE_OPENED = "ppp-data-before-opened", Error, "RFC 1661 3.4",
        "any non-LCP packets received during the Link Establishment phase must be silently discarded.";

    /// A network control protocol began before the authentication had succeeded.
    ///
    /// Its packets must be discarded. A peer that answers them lets in who is not authenticated.
    /// Example: LCP that agreed on MS-CHAPv2, and IPCP every second without any Challenge.
    PPP_NCP_BEFORE_AUTH = "ppp-ncp-before-auth", Error, "RFC 1661 3.5",
        "advancement to the Network-Layer Protocol phase must not occur until authentication has completed.";

    /// LCP never comes to an end: it goes round in circles.
    ///
    /// More than ten Configure-Naks and -Rejects of one side, and LCP never opened.
    /// Example: twelve rounds of a Configure-Request and a Configure-Nak that asks for another MRU.
    PPP_LCP_LOOP = "ppp-lcp-loop", Error, "RFC 1661 4.6",
        "after Max-Failure Configure-Naks it is assumed that the configuration is not converging.";

    /// A peer does not know an essential LCP code.
    ///
    /// It rejects a code from 1 to 7. The two do not speak the same LCP.
    /// Example: a Code-Reject of a Configure-Ack.
    PPP_CODE_REJECT = "ppp-code-reject", Error, "RFC 1661 5.6",
        "the rejection of a code that is fundamental to the protocol ends the connection.";

    /// A peer refuses a protocol.
    ///
    /// Harmless for compression, encryption and protocols that are not needed; without IPCP and IPV6CP no user data
    /// passes.
    PPP_PROTOCOL_REJECT = "ppp-protocol-reject", Note, "RFC 1661 5.7",
        "an unknown protocol is answered by a Protocol-Reject, and is not sent again.";

    /// LCP Echo-Requests have no reply.
    ///
    /// At least three in a row. Many PPP daemons close the call after some of them. The data channel is dead in one
    /// direction, or the peer's PPP daemon is.
    /// Example: five Echo-Requests, 10 s apart, without an Echo-Reply.
    PPP_ECHO_UNANSWERED = "ppp-echo-unanswered", Error, "RFC 1661 5.8",
        "upon reception of an Echo-Request in the Opened state, an Echo-Reply must be transmitted.";

    /// The user was authenticated, and no network protocol came up.
    ///
    /// Usual causes: no address in the pool, a side that wants an address of its own, a policy of the server.
    /// Example: a CHAP Success, Configure-Requests of IPCP without an Ack, and a CDN.
    PPP_NO_NCP = "ppp-no-ncp", Error, "RFC 1661 3.6",
        "each network-layer protocol must be configured by its network control protocol.";
}

/// A race at the end of a phase is not longer.
const RACE: Duration = Duration::seconds(1);
/// Max-Failure is 5 by default (RFC 1661 section 4.6); both sides may use theirs up.
const LOOP: u32 = 10;
/// So many Echo-Requests in a row are no loss.
const ECHOES: u32 = 3;
/// So many are none of the capture either, where nothing else comes.
const ECHOES_CERTAIN: u32 = 5;
/// So many Challenges in a row are no loss.
const CHALLENGES: u32 = 3;
/// Negotiation is over after this.
const PATIENCE: Duration = Duration::seconds(30);

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        if words::one_direction_missing(connection) {
            continue;
        }
        for id in &connection.calls {
            if let Some(call) = case.analysis.call(*id) {
                found.extend(of_call(case, connection, *id, call));
            }
        }
    }
}

fn of_call(case: &Case<'_>, connection: &Connection, id: CallId, call: &Call) -> Vec<Finding> {
    let place = Place { case, connection, id, call };
    let mut found = Vec::new();
    found.extend(place.disagreed());
    found.extend(place.weak());
    found.extend(place.terminated());
    found.extend(place.before());
    found.extend(place.looping());
    found.extend(place.refused());
    found.extend(place.unanswered());
    found.extend(place.no_network());
    found
}

/// The packet of the last demand for authentication that was declined, and who declined it; if no authentication
/// followed and the call came to nothing.
pub(super) fn declined(call: &Call) -> Option<(u64, u8)> {
    let known = &call.ppp.authentication;
    let ended = call.closed_by.is_some() || call.ppp.lcp.terminated.is_some();
    if known.outcome.is_some() || !ended || !call.ppp.ncps.is_empty() {
        return None;
    }
    let packet = known.declined.iter().flatten().copied().max()?;
    Some((packet, u8::from(known.declined.first().copied().flatten() != Some(packet))))
}

struct Place<'a> {
    case: &'a Case<'a>,
    connection: &'a Connection,
    id: CallId,
    call: &'a Call,
}

impl Place<'_> {
    fn finding(&self, rule: &'static Rule, title: &str, packets: &[u64]) -> Finding {
        Finding::new(rule, format!("{}: {title}", words::call(self.id)))
            .packets(packets)
            .connection(self.connection.number)
            .call(self.id)
    }

    fn marked(&self, rule: &'static Rule, title: &str, mark: &Mark) -> Finding {
        let last = (mark.count > 1).then_some(mark.last.0);
        let packets: Vec<u64> = std::iter::once(mark.first.0).chain(last).collect();
        self.finding(rule, title, &packets).times(mark.count.into()).by(mark.end)
    }

    fn who(&self, end: u8) -> String {
        words::who(self.connection, end)
    }

    /// Guards G1 and G2: data is not resent, so what the capture lacks is never shown.
    fn lossy(&self) -> String {
        self.case
            .capture_loses()
            .unwrap_or_else(|| String::from("the capture may lack the packets that would put it in order."))
    }

    fn disagreed(&self) -> Option<Finding> {
        let (packet, decliner) = declined(self.call)?;
        Some(
            self.finding(&PPP_AUTH_PROTOCOL_DISAGREED, "no common authentication protocol", &[packet])
                .by(decliner)
                .seen(format!(
                    "{} declined what was asked of it, and no other was agreed.",
                    self.who(decliner)
                ))
                .unsure(self.case.capture_loses())
                .advice("let only the LNS authenticate, and allow one common protocol on both sides."),
        )
    }

    fn weak(&self) -> Option<Finding> {
        let known = &self.call.ppp.authentication;
        known.outcome?;
        let name = known.protocol_name()?;
        let open = !self.connection.protected();
        let severity = match (name, open) {
            ("PAP", true) => Severity::Warning,
            ("PAP" | "MS-CHAPv1" | "CHAP-MD5", _) => Severity::Note,
            _ => return None,
        };
        let packet = known.packet.map_or_else(Vec::new, |packet| vec![packet]);
        let seen = match (name, open) {
            ("PAP", true) => "the password stands readable in the capture.",
            ("PAP", false) => "the password is protected by ESP alone.",
            (_, true) => "outside ESP, the password can be searched for with this capture.",
            (_, false) => "protected by ESP alone.",
        };
        Some(
            self.finding(&PPP_AUTH_WEAK, &format!("{name} is weak"), &packet)
                .severity(severity)
                .seen(seen)
                .advice("use EAP-TLS, or MS-CHAPv2 under ESP."),
        )
    }

    fn terminated(&self) -> Option<Finding> {
        let lcp = &self.call.ppp.lcp;
        let ended = self
            .call
            .ppp
            .ncps
            .iter()
            .find_map(|(_, ncp)| ncp.terminated.as_ref().filter(|(.., text)| !text.is_empty()));
        let (end, packet, text) = lcp.terminated.as_ref().filter(|(.., text)| !text.is_empty()).or(ended)?;
        if text.as_str().eq_ignore_ascii_case("user request") {
            return None;
        }
        Some(
            self.finding(&PPP_TERMINATED, &format!("{} ended PPP: \"{text}\"", self.who(*end)), &[*packet])
                .by(*end)
                .seen("a Terminate-Request with this reason.")
                .advice(format!("the log of {} says more.", self.who(*end))),
        )
    }

    fn before(&self) -> Vec<Finding> {
        let marks = &self.call.ppp.marks;
        let long = |mark: &&Mark| mark.last.1.since(mark.first.1) > RACE && mark.count > 2;
        let opened = marks.before_opened.as_ref().filter(long).map(|mark| {
            self.marked(&PPP_DATA_BEFORE_OPENED, "packets of a later phase before LCP is open", mark).seen(
                format!(
                    "{} in {}, from {} on.",
                    count(mark.count.into(), "packet"),
                    mark.last.1.since(mark.first.1),
                    self.who(mark.end)
                ),
            )
        });
        let authenticated = marks.before_authentication.as_ref().filter(long).map(|mark| {
            self.marked(&PPP_NCP_BEFORE_AUTH, "network configuration before authentication", mark)
                .seen(format!("{} of {}.", count(mark.count.into(), "NCP packet"), self.who(mark.end)))
        });
        let all = opened.into_iter().chain(authenticated);
        all.map(|finding| {
            finding
                .unsure(Some(self.lossy()))
                .advice("compare the PPP logs of both sides: one of them is a phase ahead of the other.")
        })
        .collect()
    }

    fn looping(&self) -> Option<Finding> {
        let lcp = &self.call.ppp.lcp;
        let end = (0..2u8).find(|end| lcp.refusals[usize::from(*end)] > LOOP).filter(|_| !lcp.opened)?;
        let packet = lcp.last_request.iter().flatten().map(|(packet, _)| *packet).max();
        Some(
            self.finding(&PPP_LCP_LOOP, "LCP does not come to an agreement", packet.as_slice())
                .by(end)
                .seen(format!(
                    "{} of {}.",
                    count(lcp.refusals[usize::from(end)].into(), "Configure-Nak or -Reject"),
                    self.who(end)
                ))
                .unsure(self.case.capture_loses())
                .advice("look with -V which option is refused again and again, and drop it on one side."),
        )
    }

    fn refused(&self) -> Vec<Finding> {
        let marks = &self.call.ppp.marks;
        let code =
            marks.code_reject.as_ref().filter(|(_, code)| (1..=7).contains(code)).map(|(mark, code)| {
                self.marked(&PPP_CODE_REJECT, &format!("LCP code {code} is rejected"), mark)
                    .seen(format!("Code-Reject of {}.", self.who(mark.end)))
                    .advice(format!(
                        "{} does not speak LCP as RFC 1661 has it: update it.",
                        self.who(mark.end)
                    ))
            });
        let protocols = marks.refused.iter().map(|refused| {
            let name = protocol_name(refused.protocol.into()).unwrap_or("unknown protocol");
            let needed = refused.protocol == protocol::IPCP;
            self.finding(
                &PPP_PROTOCOL_REJECT,
                &format!("{name} (0x{:04x}) is refused", refused.protocol),
                &[refused.packet],
            )
            .severity(if needed { Severity::Warning } else { Severity::Note })
            .by(refused.end)
            .seen(format!("Protocol-Reject of {}.", self.who(refused.end)))
            .advice(if needed {
                "without IPCP no IPv4 passes: allow it on that side."
            } else {
                "harmless, if nothing else is wrong."
            })
        });
        protocols.chain(code).collect()
    }

    /// A lossy capture may lack a few replies; not those of a peer of which nothing comes any more.
    fn replies_lost(&self, peer: u8, mark: &Mark) -> Option<String> {
        let heard = self.call.data.get(usize::from(peer)).and_then(|data| data.last);
        let came = heard.is_some_and(|last| last > mark.first.1);
        (came || mark.count < ECHOES_CERTAIN).then(|| {
            let meanwhile = if came { "; other data of that end came meanwhile" } else { "" };
            format!("replies that the capture lacks would look the same{meanwhile}.")
        })
    }

    fn unanswered(&self) -> Vec<Finding> {
        let marks = &self.call.ppp.marks;
        let mut found = Vec::new();
        for mark in marks.unanswered_echoes.iter().flatten().filter(|mark| mark.count >= ECHOES) {
            let peer = 1 - mark.end;
            found.push(
                self.marked(&PPP_ECHO_UNANSWERED, "LCP echoes have no reply", mark)
                    .by(peer)
                    .seen(format!(
                        "{} of {} in a row.",
                        count(mark.count.into(), "Echo-Request"),
                        self.who(mark.end)
                    ))
                    .unsure(
                        self.case
                            .unread_from(self.connection.end(peer), mark.first.1)
                            .or_else(|| self.case.capture_loses())
                            .or_else(|| self.replies_lost(peer, mark)),
                    )
                    .advice(format!(
                        "is {} alive, and does data reach it? Control messages do not show that.",
                        self.who(peer)
                    )),
            );
        }
        let challenges = marks.challenges.as_ref().filter(|mark| mark.count >= CHALLENGES);
        if let Some(mark) = challenges.filter(|_| self.call.ppp.authentication.outcome.is_none()) {
            let peer = 1 - mark.end;
            found.push(
                self.marked(&PPP_AUTH_NO_ANSWER, "CHAP Challenges have no Response", mark)
                    .by(peer)
                    .seen(format!(
                        "{} of {} in a row.",
                        count(mark.count.into(), "Challenge"),
                        self.who(mark.end)
                    ))
                    .unsure(
                        self.case
                            .unread_from(self.connection.end(peer), mark.first.1)
                            .or_else(|| self.case.capture_loses()),
                    )
                    .advice(format!("look in the PPP log of {}.", self.who(peer))),
            );
        }
        found
    }

    fn no_network(&self) -> Option<Finding> {
        let ppp = &self.call.ppp;
        let known = &ppp.authentication;
        let packet = known.packet?;
        let opened = ppp.ncps.iter().any(|(number, ncp)| {
            matches!(*number, protocol::IPCP | protocol::IPV6CP) && ncp.progress() == Some(Progress::Opened)
        });
        let network = self.call.data.iter().any(|data| data.network > 0);
        let tried = ppp
            .ncps
            .iter()
            .flat_map(|(_, ncp)| ncp.last_request.iter().flatten())
            .map(|(_, time)| *time)
            .max();
        let over = self.call.closed.is_some()
            || tried.is_some_and(|time| self.case.left_after(time) > PATIENCE)
            || ppp.lcp.terminated.is_some();
        if !ppp.authenticated() || opened || network || !over || ppp.ncps.is_empty() {
            return None;
        }
        Some(
            self.finding(&PPP_NO_NCP, "no network protocol came up", &[packet])
                .seen("authentication succeeded, and neither IPCP nor IPV6CP opened.")
                .unsure(Some(self.lossy()))
                .advice("look in both PPP logs: which side wants which address, and is there one to give?"),
        )
    }
}
