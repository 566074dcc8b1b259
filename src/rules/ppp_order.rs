//! Rules on the phases of PPP, and on what its peers refuse or leave unanswered (RFC 1661 sections 3 and 5).

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::negotiation::{Negotiation, Progress, Termination};
use crate::analysis::ppp::notice::{At, Noted, PppNotice, Run};
use crate::analysis::ppp::protocol;
use crate::dissect::ppp_names::protocol_name;
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, loss, rules};

rules! {
    /// The two sides found no authentication protocol that both accept.
    ///
    /// One demands that the other authenticates itself, the other rejects it or names another protocol, and the call
    /// ends. Usual causes: both sides demand authentication, or the lists of allowed protocols have none in common. Who
    /// names another protocol once may only have had no time to agree: then it is a note.
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
    /// The peer does not see them, or does not know the protocol although it agreed on it. Loss alone explains a few: then
    /// it is a note.
    /// Example: six CHAP Challenges, 3 s apart, without a Response.
    PPP_AUTH_NO_ANSWER = "ppp-auth-no-answer", Error, "RFC 1994 4.1",
        "whenever a Challenge is received, the peer must send a Response.";

    /// A side ended PPP and said why.
    ///
    /// The reason is its own text. An end at the user's wish is not reported.
    PPP_TERMINATED = "ppp-terminated", Note, "RFC 1661 5.5",
        "a Terminate-Request closes a link; it may carry a reason.";

    /// Packets of a later phase came before LCP was open.
    ///
    /// Their receiver must discard them. A few at the end of the LCP negotiation are a race and are not reported. Proved if
    /// they stand between a Configure-Request and its copy of the same end, which has no answer then; else the capture may
    /// lack the answer, and it is a note.
    /// Example: a Configure-Request of LCP every 3 s without an Ack, and IPCP of the same end between them.
    PPP_DATA_BEFORE_OPENED = "ppp-data-before-opened", Error, "RFC 1661 3.4",
        "any non-LCP packets received during the Link Establishment phase must be silently discarded.";

    /// A network control protocol began before the authentication had succeeded.
    ///
    /// Its packets must be discarded. A peer that answers them lets in who is not authenticated. Proved if they stand between
    /// two Challenges, as nothing was decided then; else the capture may lack what was, and it is a note.
    /// Example: LCP that agreed on MS-CHAPv2, a Challenge every 3 s, and IPCP between them.
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
    /// direction, or the peer's PPP daemon is. Loss alone explains a few: then it is a note.
    /// Example: six Echo-Requests, 10 s apart, without an Echo-Reply.
    PPP_ECHO_UNANSWERED = "ppp-echo-unanswered", Error, "RFC 1661 5.8",
        "upon reception of an Echo-Request in the Opened state, an Echo-Reply must be transmitted.";

    /// The user was authenticated, and no network protocol came up.
    ///
    /// Usual causes: no address in the pool, a side that wants an address of its own, a policy of the server. A call that
    /// ends before there was time for it, with no refusal and no row of unanswered requests, is a note.
    /// Example: a CHAP Success, and Configure-Requests of IPCP that are never answered.
    PPP_NO_NCP = "ppp-no-ncp", Error, "RFC 1661 3.6",
        "each network-layer protocol must be configured by its network control protocol.";
}

/// A race at the end of a phase is not longer.
const RACE: Duration = Duration::seconds(1);
/// Max-Failure is 5 by default (RFC 1661 section 4.6); both sides may use theirs up.
const LOOP: u32 = 10;
/// Worth a note: PPP daemons begin to worry.
const ECHOES: u32 = 3;
/// Worth a note.
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

/// A demand for authentication that was declined, where no authentication followed and the call came to nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declined {
    /// The packet of the last one.
    pub packet: u64,
    /// Who declined it.
    pub by: u8,
    /// They did not only lack time to agree on another one.
    pub proved: bool,
}

pub(super) fn declined(call: &Call) -> Option<Declined> {
    let known = &call.ppp.authentication;
    let ended = call.closed_by.is_some() || call.ppp.lcp.terminated.is_some();
    if known.outcome().is_some() || !ended || !call.ppp.ncps.is_empty() {
        return None;
    }
    let (packet, by) = known.declined()?;
    let authenticator = 1u8.saturating_sub(by);
    let demand = known.by(authenticator);
    let proved = demand.refused_all || ended_for_a_reason(call, authenticator);
    demand.agreed.is_none().then_some(Declined { packet, by, proved })
}

/// Whether this end ended LCP and said why: not at the user's wish.
fn ended_for_a_reason(call: &Call, by: u8) -> bool {
    let ended = call.ppp.lcp.terminated.as_ref();
    ended.is_some_and(|ended| ended.end == by && says_why(ended))
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

    fn run(&self, rule: &'static Rule, title: &str, run: &Run) -> Finding {
        self.several(rule, title, run.count, (run.first, run.last)).by(run.end)
    }

    fn noted(&self, rule: &'static Rule, title: &str, noted: &Noted) -> Finding {
        self.several(rule, title, noted.count, (noted.first, noted.last)).by(noted.end)
    }

    fn several(&self, rule: &'static Rule, title: &str, times: u32, (first, last): (At, At)) -> Finding {
        let last = (times > 1).then_some(last.0);
        let packets: Vec<u64> = std::iter::once(first.0).chain(last).collect();
        self.finding(rule, title, &packets).times(times.into())
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
        let Declined { packet, by, proved } = declined(self.call)?;
        let unsure = (!proved).then(|| {
            format!("the call may have ended before {} could name another.", self.who(1u8.saturating_sub(by)))
        });
        Some(
            self.finding(&PPP_AUTH_PROTOCOL_DISAGREED, "no common authentication protocol", &[packet])
                .by(by)
                .seen(format!("{} declined what was asked of it, and no other was agreed.", self.who(by)))
                .unless(unsure.or_else(|| self.case.capture_loses()))
                .advice("let only the LNS authenticate, and allow one common protocol on both sides."),
        )
    }

    fn weak(&self) -> Option<Finding> {
        let (_, known) = self.call.ppp.authentication.latest();
        known.outcome?;
        let name = known.method()?.name()?;
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
        let ppp = &self.call.ppp;
        let negotiations = std::iter::once(&ppp.lcp).chain(ppp.ncps.iter().map(|(_, ncp)| ncp));
        let mut ended = negotiations.filter_map(|one| one.terminated.as_ref());
        let first = ended.find(|ended| !ended.reason.is_empty()).filter(|ended| says_why(ended))?;
        let Termination { end, packet, reason: text } = first;
        Some(
            self.finding(&PPP_TERMINATED, &format!("{} ended PPP: \"{text}\"", self.who(*end)), &[*packet])
                .by(*end)
                .seen("a Terminate-Request with this reason.")
                .advice(format!("the log of {} says more.", self.who(*end))),
        )
    }

    fn before(&self) -> Vec<Finding> {
        let opened = self.early(
            (&PPP_DATA_BEFORE_OPENED, "packets of a later phase before LCP is open", "packet"),
            PppNotice::WhileNegotiating,
            PppNotice::BeforeOpened,
        );
        let authenticated = self.early(
            (&PPP_NCP_BEFORE_AUTH, "network configuration before authentication", "NCP packet"),
            PppNotice::WhileAuthenticating,
            PppNotice::BeforeAuthentication,
        );
        opened.into_iter().chain(authenticated).collect()
    }

    /// Packets before their phase: proved by their sender, or only likely.
    fn early(
        &self,
        (rule, title, one): (&'static Rule, &str, &str),
        proved: PppNotice,
        likely: PppNotice,
    ) -> Option<Finding> {
        let long = |noted: &&Noted| noted.last.1.since(noted.first.1) > RACE && noted.count > 2;
        let proof = self.call.ppp.noted(proved, None);
        let mark = proof.or_else(|| self.call.ppp.noted(likely, None).filter(long))?;
        Some(
            self.noted(rule, title, mark)
                .seen(format!(
                    "{} of {}, over {}.",
                    count(mark.count.into(), one),
                    self.who(mark.end),
                    mark.last.1.since(mark.first.1)
                ))
                .unless(proof.is_none().then(|| self.lossy()))
                .advice("compare the PPP logs of both sides: one of them is a phase ahead of the other."),
        )
    }

    fn looping(&self) -> Option<Finding> {
        let lcp = &self.call.ppp.lcp;
        let end = (0..2u8).find(|end| lcp.end(*end).refused > LOOP).filter(|_| !lcp.ever_opened())?;
        let packet = lcp.last_request().map(|(packet, _)| packet);
        Some(
            self.finding(&PPP_LCP_LOOP, "LCP does not come to an agreement", packet.as_slice())
                .by(end)
                .seen(format!(
                    "{} of {}.",
                    count(lcp.end(end).refused.into(), "Configure-Nak or -Reject"),
                    self.who(end)
                ))
                .unsure(self.case.capture_loses())
                .advice("look with -V which option is refused again and again, and drop it on one side."),
        )
    }

    fn refused(&self) -> Vec<Finding> {
        let ppp = &self.call.ppp;
        let code = ppp.noted(PppNotice::EssentialCodeRejected, None).map(|mark| {
            let code = ppp.lcp.end(mark.end).rejected_code.unwrap_or(0);
            self.noted(&PPP_CODE_REJECT, &format!("LCP code {code} is rejected"), mark)
                .seen(format!("Code-Reject of {}.", self.who(mark.end)))
                .advice(format!("{} does not speak LCP as RFC 1661 has it: update it.", self.who(mark.end)))
        });
        let protocols = ppp.refused.iter().map(|refused| {
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

    fn explains(&self, row: &Run) -> Option<String> {
        loss::explains(self.case, self.connection, self.call, row)
    }

    fn unanswered(&self) -> Vec<Finding> {
        let ppp = &self.call.ppp;
        let mut found = Vec::new();
        let echoes = (0..2).filter_map(|end| ppp.echoes.unanswered(end));
        // The end that asked gave up and said why: no reply came to it, whatever was lost on the way.
        let ended_by = |row: &Run| {
            ppp.lcp
                .terminated
                .as_ref()
                .is_some_and(|ended| ended.end == row.end && ended.packet > row.last.0 && says_why(ended))
        };
        for mark in echoes.filter(|mark| mark.count >= ECHOES) {
            let peer = 1 - mark.end;
            found.push(
                self.run(&PPP_ECHO_UNANSWERED, "LCP echoes have no reply", mark)
                    .by(peer)
                    .seen(format!(
                        "{} of {} in a row.",
                        count(mark.count.into(), "Echo-Request"),
                        self.who(mark.end)
                    ))
                    .unless(self.explains(mark).filter(|_| !ended_by(mark)))
                    .advice(format!(
                        "is {} alive, and does data reach it? Control messages do not show that.",
                        self.who(peer)
                    )),
            );
        }
        let by = [0, 1].map(|end| ppp.authentication.by(end));
        let chap = by.iter().filter(|one| one.method().is_none_or(|method| method.is_chap()));
        let challenges = chap.filter_map(|one| one.unanswered).find(|mark| mark.count >= CHALLENGES);
        if let Some(mark) = &challenges.filter(|_| ppp.authentication.outcome().is_none()) {
            let peer = 1 - mark.end;
            found.push(
                self.run(&PPP_AUTH_NO_ANSWER, "CHAP Challenges have no Response", mark)
                    .by(peer)
                    .seen(format!(
                        "{} of {} in a row.",
                        count(mark.count.into(), "Challenge"),
                        self.who(mark.end)
                    ))
                    .unless(self.explains(mark))
                    .advice(format!("look in the PPP log of {}.", self.who(peer))),
            );
        }
        found
    }

    fn no_network(&self) -> Option<Finding> {
        let ppp = &self.call.ppp;
        let packet = ppp.authentication.latest().1.packet?;
        let opened = ppp.ncps.iter().any(|(number, ncp)| {
            matches!(*number, protocol::IPCP | protocol::IPV6CP) && ncp.progress() == Some(Progress::Opened)
        });
        let network = self.call.data.iter().any(|data| data.network > 0);
        let tried = ppp.ncps.iter().filter_map(|(_, ncp)| ncp.last_request()).map(|(_, time)| time).max();
        let over = self.call.closed.is_some()
            || tried.is_some_and(|time| self.case.left_after(time) > PATIENCE)
            || ppp.lcp.terminated.is_some();
        if !ppp.authenticated() || opened || network || !over || ppp.ncps.is_empty() {
            return None;
        }
        let failed = ppp.ncps.iter().any(|(_, ncp)| self.fails(ncp, packet))
            || [0, 1].into_iter().any(|end| ended_for_a_reason(self.call, end));
        Some(
            self.finding(&PPP_NO_NCP, "no network protocol came up", &[packet])
                .seen("authentication succeeded, and neither IPCP nor IPV6CP opened.")
                .unless((!failed).then(|| self.lossy()))
                .advice("look in both PPP logs: which side wants which address, and is there one to give?"),
        )
    }

    /// Whether a network control protocol did not only lack time: it was rejected, ended or refused again and again, or is
    /// not answered at all since the authentication was decided.
    fn fails(&self, ncp: &Negotiation, decided: u64) -> bool {
        let unanswered = ncp.ends.iter().filter_map(|end| end.unanswered.as_ref());
        ncp.rejected.is_some()
            || ncp.terminated.is_some()
            || ncp.ends.iter().any(|end| end.refused > LOOP)
            || unanswered.into_iter().any(|row| row.first.0 > decided && self.explains(row).is_none())
    }
}

/// Whether a Terminate-Request has a reason, and it is not the user's wish.
pub(super) fn says_why(ended: &Termination) -> bool {
    !ended.reason.is_empty() && !ended.reason.as_str().eq_ignore_ascii_case("user request")
}
