//! Rules on IKE (RFC 2408, RFC 2409, RFC 7296).

use std::collections::HashMap;

use crate::analysis::At;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::refusal::{AUTHENTICATION_FAILED, INVALID_KE_PAYLOAD};
use crate::analysis::ipsec::ike::{IkeSa, Message, Phase, Refusal};
use crate::dissect::ike::{NO_PROPOSAL_CHOSEN, notify_name};
use crate::ipsec::Spi;
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// The first message of IKE was sent again and again, and nothing came back.
    ///
    /// Nothing above IKE can begin. Usual causes: UDP 500 or 4500 is blocked, the address is wrong, or no IKE service runs
    /// there. Found by: two or more copies of the first message, and none of the other end.
    /// Example: a server whose IKE daemon is stopped.
    IKE_NO_RESPONSE = "ike-no-response", Error, "RFC 2408 5.1",
        "a message without an answer is sent again; after the retry limit the exchange is given up.";

    /// The responder refused every proposal.
    ///
    /// The two sides have no combination of encryption, hash and group in common. The proposals of the initiator stand in
    /// the clear and are listed. Usual causes: an old client that offers 3DES and 1024-bit groups only, or a server that
    /// was set to a single suite. Example: IKEv2 with different suites on the two sides.
    IKE_NO_PROPOSAL_CHOSEN = "ike-no-proposal-chosen", Error, "RFC 7296 3.10.1",
        "NO_PROPOSAL_CHOSEN: none of the proposed crypto suites was acceptable.";

    /// IKE exchanged keys, and then one side did not accept the proof of the other.
    ///
    /// In main mode the messages 5 and 6 are encrypted with keys that depend on the pre-shared key: with the wrong one the
    /// responder cannot read message 5, and it is sent again and again. In IKEv2 the refusal is encrypted; it is read
    /// where the keys of the IKE SA are given. Usual causes: different pre-shared keys, or an identity (behind NAT the
    /// private address) that the other side does not expect. Example: a client with a wrong pre-shared key.
    IKE_AUTH_FAILED = "ike-auth-failed", Error, "RFC 7296 2.21.2",
        "a failed authentication ends the IKE SA: AUTHENTICATION_FAILED in IKEv2, in IKEv1 often silence.";

    /// The responder asked for another Diffie-Hellman group.
    ///
    /// One round trip more; the initiator tries again with the group that is asked for. No fault if it comes up.
    /// Example: IKE_SA_INIT with group 2, answered by INVALID_KE_PAYLOAD that asks for group 14.
    IKE_INVALID_KE = "ike-invalid-ke", Note, "RFC 7296 1.2",
        "INVALID_KE_PAYLOAD names the group that the initiator must use instead.";

    /// A request for a new SA got no answer, or was refused, and ESP stopped.
    ///
    /// When the old SA ends, the tunnel dies some time later: Hellos and LCP echoes go unanswered. Usual causes: a firewall
    /// that forgot UDP 500 or 4500, lifetimes that differ, or a peer that refuses to rekey.
    /// Example: UDP 500 and 4500 blocked before the rekey.
    IKE_REKEY_FAILED = "ike-rekey-failed", Error, "RFC 7296 2.8",
        "rekeying has to be done before the old SA expires.";

    /// The SAs were deleted while the L2TP tunnel was open.
    ///
    /// The tunnel has no protection any more, and what its ends still send is lost or leaves in the clear; it dies when the
    /// Hellos time out. Found where IKE was opened with keys. Usual causes: somebody stopped IPsec first, or dead peer
    /// detection cleared the SAs.
    /// Example: main mode, quick mode and a call under ESP, then a Delete of the SA while the tunnel is up.
    IKE_DELETE_BEFORE_STOPCCN = "ike-delete-before-stopccn", Warning, "RFC 3193 3.1",
        "the SAs should be deleted once the L2TP tunnel is deleted.";

    /// The peer was asked whether it is there, and did not answer.
    ///
    /// After some questions without an answer the SAs are deleted. Usual causes: a laptop that sleeps, a NAT mapping that
    /// expired, a path that broke. Found by: three or more R-U-THERE without an answer (IKEv1, opened with keys), or an
    /// INFORMATIONAL request that was sent three times or more (IKEv2).
    /// Example: three R-U-THERE, 4 s apart, without an R-U-THERE-ACK.
    IKE_DPD_TIMEOUT = "ike-dpd-timeout", Error, "RFC 3706 5.5",
        "a peer that does not answer several R-U-THERE messages is taken for dead.";

    /// Messages of IKE had to be sent again, and were answered in the end.
    ///
    /// A message or its answer was lost, or the peer is slow.
    /// Example: message 1 of main mode three times, and message 2 behind the third.
    IKE_RETRANSMIT = "ike-retransmit", Note, "RFC 7296 2.1",
        "a request is sent again until there is an answer or it is given up.";

    /// IKE refused something that was asked for.
    ///
    /// The notification tells what; many are harmless. Found in the clear, or where IKE was opened with keys.
    /// Example: message 1 of main mode, answered by the notification PAYLOAD-MALFORMED.
    IKE_REFUSED = "ike-refused", Note, "RFC 2408 3.14.1",
        "notify message types below 8192 (IKEv1) or 16384 (IKEv2) are errors.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let flows: HashMap<Spi, &Flow> = case.analysis.flows.iter().map(|flow| (flow.spi, flow)).collect();
    for sa in &case.analysis.ike {
        let before = found.len();
        silence(case, sa, found);
        refused(sa, found);
        if let Some(failure) = auth_failure(case, sa) {
            found.push(failure.finding(sa));
        }
        dead_peer(case, sa, found);
        if found.len() == before {
            retransmitted(sa, found);
        }
        deleted(case, sa, &flows, found);
    }
    if let Some((waits, last)) = rekey_failure(case) {
        found.push(
            Finding::new(&IKE_REKEY_FAILED, "a request for a new SA was not answered, and ESP stopped")
                .packets(&[waits.first.packet, waits.last.packet])
                .seen(format!(
                    "{} sent {} times from {} on; the last ESP {} came at {}.",
                    waits.exchange,
                    waits.copies,
                    case.at(waits.first.time),
                    words_way(last),
                    case.at(last.last.0)
                ))
                .unsure(Some(String::from("what an encrypted request asks for is not seen without its key.")))
                .advice("let UDP 500 and 4500 through in both directions, and compare the lifetimes of both sides."),
        );
    }
}

fn words_way(flow: &Flow) -> String {
    format!("from {} to {}", flow.addresses.source, flow.addresses.destination)
}

/// `v1 10.1.0.2 to 203.0.113.2`.
fn between(sa: &IkeSa) -> String {
    format!("IKEv{} {} to {}", sa.version, sa.initiator, sa.responder)
}

fn silence(case: &Case<'_>, sa: &IkeSa, found: &mut Vec<Finding>) {
    if !sa.unanswered() || sa.messages < 2 {
        return;
    }
    let closed = case.analysis.unreachable.filter(|(by, _)| *by == sa.responder);
    let (unsure, advice) = match closed {
        Some(_) => (None, format!("{} says that nothing listens there: start IKE on it.", sa.responder)),
        None => (
            Some(String::from("a capture of one direction only looks the same.")),
            format!("is UDP 500 open to {}, and does IKE run there? Try from another network.", sa.responder),
        ),
    };
    // Messages of the responder elsewhere show that both directions are captured.
    let heard = case.some_ike().any(|other| other.sent.iter().all(|sent| *sent > 0))
        || case.some_flows().any(|flow| flow.addresses.source == sa.responder);
    found.push(
        Finding::new(&IKE_NO_RESPONSE, format!("{} does not answer IKE", sa.responder))
            .packets(&sa.packets)
            .seen(format!(
                "the first message was sent {} in {}, and nothing came back.",
                count(sa.messages, "time"),
                sa.last.time.since(sa.first.time)
            ))
            .unsure(unsure.filter(|_| !heard && sa.messages < 3))
            .advice(advice),
    );
}

/// Proposals in words, the first few.
fn offered(sa: &IkeSa) -> String {
    let [offers, _] = &sa.proposals;
    if offers.is_empty() { String::from("not readable") } else { words::some(offers.iter().cloned()) }
}

fn refused(sa: &IkeSa, found: &mut Vec<Finding>) {
    found.extend(sa.no_proposal_chosen(Phase::One).map(|refusal| {
        let by = sa.end(refusal.from);
        Finding::new(&IKE_NO_PROPOSAL_CHOSEN, format!("{by} refused every IKE proposal"))
            .packets(&[sa.first.packet, refusal.first.packet])
            .seen(format!("{}; offered: {}.", between(sa), offered(sa)))
            .advice(format!(
                "compare with what {by} accepts: encryption, hash and group must all be equal in one proposal."
            ))
    }));
    found.extend(sa.no_proposal_chosen(Phase::Two).map(|refusal| of_a_child_sa(sa, refusal)));
    if let Some(refusal) = sa.refusal(Phase::One, INVALID_KE_PAYLOAD).filter(|_| sa.version == 2) {
        found.push(
            Finding::new(&IKE_INVALID_KE, format!("{} asked for another group", sa.end(refusal.from)))
                .packets(&[refusal.first.packet])
                .seen(format!("{}: INVALID_KE_PAYLOAD.", between(sa)))
                .advice("put the group that both like first in the proposal of the initiator."),
        );
    }
    let other = sa.refusals.iter().find(|refusal| match refusal.kind {
        NO_PROPOSAL_CHOSEN => sa.no_proposal_chosen(refusal.phase).is_none(),
        INVALID_KE_PAYLOAD => sa.version == 1,
        AUTHENTICATION_FAILED => false,
        _ => true,
    });
    if let Some(refusal) = other {
        let name =
            notify_name(sa.version, refusal.kind).map_or_else(|| refusal.kind.to_string(), str::to_owned);
        let who = sa.end(refusal.from);
        found.push(
            Finding::new(&IKE_REFUSED, format!("{who} refused: {name}"))
                .packets(&[refusal.first.packet])
                .seen(format!("{}.", between(sa)))
                .unsure(
                    (!sa.exchange_names.iter().any(|name| matches!(*name, "quick" | "IKE_AUTH")))
                        .then(|| String::from("such a message in the clear may come from anybody.")),
                )
                .advice(format!("look in the IKE log of {who} for the reason.")),
        );
    }
}

/// NO_PROPOSAL_CHOSEN where the IKE SA was agreed on, and a child SA was not.
fn of_a_child_sa(sa: &IkeSa, refusal: &Refusal) -> Finding {
    let by = sa.end(refusal.from);
    let exchange = if sa.version == 1 { "quick mode" } else { "the child SA" };
    Finding::new(&IKE_NO_PROPOSAL_CHOSEN, format!("{by} refused every proposal of {exchange}"))
        .packets(&[sa.first.packet, refusal.first.packet])
        .seen(format!("{}; the IKE SA itself was agreed on.", between(sa)))
        .advice(format!(
            "compare the ESP proposals with what {by} accepts: encryption, integrity, group (PFS), encapsulation mode."
        ))
}

/// An authentication that failed.
pub(super) struct AuthFailure {
    packets: Vec<u64>,
    seen: String,
    unsure: Option<String>,
}

/// Whether the authentication of an IKE SA failed, as far as it shows.
pub(super) fn auth_failure(case: &Case<'_>, sa: &IkeSa) -> Option<AuthFailure> {
    if let Some(refusal) = sa.authentication_failed() {
        let (who, packet) = (sa.end(refusal.from), refusal.first.packet);
        let seen = format!("{who} sent AUTHENTICATION_FAILED (packet {packet}).");
        return Some(AuthFailure { packets: vec![sa.first.packet, packet], seen, unsure: None });
    }
    // Ends that agreed at another time know each other's secrets: an IKE SA that is rekeyed has no quick mode of its own.
    let ends = |other: &IkeSa| {
        let ends = [other.initiator, other.responder];
        ends.contains(&sa.initiator) && ends.contains(&sa.responder)
    };
    let known = case
        .some_ike()
        .any(|other| ends(other) && (other.completed_phase_two() || !other.children.is_empty()));
    let carries = case.some_flows().any(|flow| {
        let (from, to) = (flow.addresses.source, flow.addresses.destination);
        [sa.initiator, sa.responder] == [from, to] || [sa.responder, sa.initiator] == [from, to]
    });
    if known || carries {
        return None;
    }
    let [initiator, responder] = [5, 6].map(|number| sa.phase_one.copies(number));
    let packets =
        || sa.exchanges.first().map_or_else(Vec::new, |first| vec![first.first.packet, first.last.packet]);
    let guess =
        || Some(String::from("messages 5 and 6 are encrypted: this is inferred from who repeats what."));
    if sa.version == 1 && initiator >= 2 && responder == 0 && !sa.began_phase_two() {
        return Some(AuthFailure {
            packets: packets(),
            seen: format!(
                "main mode messages 1 to 4 went both ways; message 5 was sent {initiator} times, and message 6 never came."
            ),
            unsure: guess(),
        });
    }
    // Both proofs went through, and the initiator ended it at once instead of beginning quick mode.
    if sa.version == 1
        && responder > 0
        && !sa.began_phase_two()
        && sa.informational.first().is_some_and(|sent| *sent > 0)
    {
        return Some(AuthFailure {
            packets: packets(),
            seen: String::from(
                "main mode completed; then the initiator sent an informational message and no quick mode followed.",
            ),
            unsure: guess(),
        });
    }
    let over = case.left_after(sa.last.time) > Duration::seconds(5);
    if sa.version == 2 && sa.auth == [true, true] && sa.children.is_empty() && over {
        return Some(AuthFailure {
            packets: packets(),
            seen: String::from("IKE_AUTH was answered, and neither ESP nor another message followed."),
            unsure: Some(String::from(
                "the answer is encrypted: a refusal is likely, but an SA without traffic looks the same.",
            )),
        });
    }
    None
}

impl AuthFailure {
    fn finding(self, sa: &IkeSa) -> Finding {
        Finding::new(&IKE_AUTH_FAILED, format!("IKE authentication failed between {} and {}", sa.initiator, sa.responder))
            .packets(&self.packets)
            .seen(self.seen)
            .unsure(self.unsure)
            .advice("compare the pre-shared keys of both sides, then the identities (behind NAT the private address).")
    }
}

fn dead_peer(case: &Case<'_>, sa: &IkeSa, found: &mut Vec<Finding>) {
    let Some((from, open)) = sa.liveness.unanswered().filter(|(_, open)| open.count >= 3) else { return };
    let peer = sa.end(1 - from);
    let question = if sa.version == 1 { "R-U-THERE" } else { "INFORMATIONAL" };
    let last = case.some_flows().filter(|flow| flow.addresses.source == peer).map(|flow| flow.last.0).max();
    let heard = last.map_or_else(String::new, |last| format!("; its last ESP came at {}", case.at(last)));
    found.push(
        Finding::new(&IKE_DPD_TIMEOUT, format!("{peer} does not answer whether it is there"))
            .packets(&[open.first.packet, open.last.packet])
            .seen(format!("{question} was sent {} times without an answer{heard}.", open.count))
            .unsure(open.sealed.then(|| String::from("the request is encrypted: it may also be a Delete.")))
            .advice("a dead peer and a dead path look the same from here: look in the log of that side."),
    );
}

fn retransmitted(sa: &IkeSa, found: &mut Vec<Finding>) {
    let resent: u64 = sa.exchanges.iter().map(|row| row.resent).sum();
    let Some(row) = sa.exchanges.iter().find(|row| row.resent > 0) else { return };
    if resent < 2 || row.sent.contains(&0) {
        return;
    }
    found.push(
        Finding::new(
            &IKE_RETRANSMIT,
            format!("IKE messages between {} and {} were resent", sa.initiator, sa.responder),
        )
        .packets(&[row.first.packet, row.last.packet])
        .severity(Severity::Note)
        .seen(format!("{} in the {} exchange, answered in the end.", count(resent, "resend"), row.name))
        .unsure(Some(String::from("a message that the path duplicated looks the same.")))
        .advice("look for loss on the path of UDP 500 and 4500."),
    );
}

fn deleted(case: &Case<'_>, sa: &IkeSa, flows: &HashMap<Spi, &Flow>, found: &mut Vec<Finding>) {
    for deletion in &sa.deleted {
        let Some(flow) = flows.get(&deletion.spi) else { continue };
        // A rekey deletes the old SA; another one takes its place.
        let replaced = flow.replaced_by.is_some()
            || case.some_flows().any(|other| {
                other.addresses == flow.addresses && other.spi != flow.spi && other.last.0 > deletion.at.time
            });
        if replaced {
            continue;
        }
        let ends = [flow.addresses.source, flow.addresses.destination];
        let open = case.analysis.in_order().into_iter().find(|(_, connection)| {
            connection.was_established
                && connection.protected()
                && connection.closed.is_none_or(|closed| closed.since(deletion.at.time) > Duration::ZERO)
                && connection.ends.iter().all(|end| ends.contains(&end.endpoint.address))
        });
        let Some((_, connection)) = open else { continue };
        let who = sa.end(deletion.by);
        found.push(
            Finding::new(
                &IKE_DELETE_BEFORE_STOPCCN,
                format!("{who} deleted the SAs while {} was open", words::tunnel(connection)),
            )
            .packets(&[deletion.at.packet])
            .connection(connection.number)
            .spi(deletion.spi)
            .seen(format!(
                "Delete of SPI {} at {}, without a StopCCN before.",
                deletion.spi,
                case.at(deletion.at.time)
            ))
            .advice("stop L2TP before IPsec; if nobody did, look for dead peer detection in the IKE log."),
        );
        return;
    }
}

/// A request that nobody answered.
pub(super) struct Request {
    pub exchange: &'static str,
    pub copies: u64,
    pub first: At,
    pub last: At,
}

/// A request that nobody answered, after which ESP stopped: the request, and the flow that stopped last.
pub(super) fn rekey_failure<'a>(case: &Case<'a>) -> Option<(Request, &'a Flow)> {
    let flows: Vec<&Flow> = case.analysis.flows.iter().collect();
    case.some_ike().find_map(|sa| rekey_failure_of(case, sa, &flows))
}

/// The same of one IKE SA, among these flows.
pub(super) fn rekey_failure_of<'a>(
    case: &Case<'_>,
    sa: &IkeSa,
    flows: &[&'a Flow],
) -> Option<(Request, &'a Flow)> {
    let asks = sa
        .exchanges
        .silences()
        .filter(|(exchange, waits)| exchange.phase != Phase::Informational && waits.copies >= 3);
    let (exchange, waits) = asks.max_by_key(|(_, waits)| waits.last.packet)?;
    let Message { copies, first, last, .. } = *waits;
    let ours = flows.iter().copied().filter(|flow| flow.addresses.source == sa.end(waits.from));
    let flow = ours.max_by_key(|flow| flow.last.0)?;
    let stopped = flow.last.0 > sa.first.time && case.left_after(flow.last.0).as_seconds() >= 5.0;
    stopped.then_some((Request { exchange: exchange.name, copies, first, last }, flow))
}
