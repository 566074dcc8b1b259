//! Were Hellos and LCP echoes answered? RFC 2661 section 5.5, RFC 1661 section 5.8.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::control::delivery::Outstanding;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::Observation;
use crate::analysis::ppp::negotiation::Termination;
use crate::dissect::layers::ResultCode;
use crate::util::{Duration, Timestamp};

use super::super::words::{count, packets};
use super::super::{hello, loss, teardown, udp};
use super::answer::unreachable;
use super::attempt::Attempt;
use super::causes::{
    HELLO_TIMEOUT, LCP_ECHO_FAILURE, NAT_MAPPING_EXPIRED, PEER_DAEMON_DIED, PEER_RESTARTED,
    RETRANSMISSION_STORM,
};
use super::results::reason;
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// Fewer copies of a Hello may all be lost on a path that loses a fifth of all packets.
const LONG: u32 = 5;
/// A peer of which nothing at all comes for so long is gone.
const SILENCE: Duration = Duration::seconds(15);
/// So many Echo-Requests in a row without a reply are beyond loss.
const ECHOES: u32 = 3;
/// A Hello that was sent once has no answer any more after so long.
const PATIENCE: Duration = Duration::seconds(31);

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let Some(connection) = attempt.connection else { return Outcome::NotNeeded };
    if attempt.one_direction() {
        return Outcome::Proved;
    }
    let judged = mapping(attempt, connection)
        .or_else(|| hellos(attempt, connection))
        .or_else(|| restarted(attempt, connection))
        .or_else(|| attempt.call.and_then(|(_, call)| echoes(attempt, connection, call)));
    judged.map_or(Outcome::Proved, Outcome::from)
}

/// A NAT that forgot its mapping: what was sent to the old port was lost.
fn mapping(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let case = attempt.case;
    let moved = udp::first_move(&attempt.between.flows)?;
    let flow = moved.flow;
    let old = flow.first_ports?;
    let asks = u8::from(connection.end(0).endpoint.address == flow.addresses.source);
    let open = hello::unanswered(connection, asks);
    let lost = open.iter().filter(|hello| hello.first < moved.at).count() as u64;
    if lost == 0 {
        return None;
    }
    let (port, new) = if old.0 == flow.ports.0 { (old.1, flow.ports.1) } else { (old.0, flow.ports.0) };
    Some(
        Diagnosis::broken(
            &NAT_MAPPING_EXPIRED,
            format!(
                "{}{} came back from UDP port {new} instead of {port} at {} (packet {}): its NAT had forgotten the mapping, so {} sent to the old port went unanswered.",
                last_before(flow, moved.at),
                flow.addresses.source,
                case.at(moved.at),
                moved.packet,
                count(lost, "Hello")
            ),
        )
        .evidence([connection.first_packet, moved.packet])
        .confidence(Confidence::Likely)
        .advice("have the client send NAT keepalives (every 20 s), or Hellos more often than the NAT forgets."),
    )
}

/// `after 53.6 s without a packet, `.
fn last_before(flow: &Flow, at: Timestamp) -> String {
    let (pause, since) = flow.longest_pause;
    if pause > Duration::ZERO && since < at {
        format!("after {pause} without a packet, ")
    } else {
        String::new()
    }
}

/// A Hello that nobody acknowledged.
fn hellos(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    (0..2u8).find_map(|end| {
        let open = hello::unanswered(connection, end);
        let peer = 1 - end;
        let silent = |hello: &Outstanding| {
            let heard = connection.end(peer).last.is_some_and(|(_, last)| last > hello.first);
            let long = attempt.case.left_after(hello.first) >= SILENCE;
            !heard && (hello.copies >= 3 && long || hello.copies >= 4)
        };
        let given_up = |hello: &&&Outstanding| {
            hello.copies >= LONG || hello::gave_up(connection, end, hello) || silent(hello)
        };
        let Some(first) = open.first().filter(given_up) else {
            return never_resent(attempt, connection, end, &open);
        };
        let last = connection.end(peer).last;
        let evidence = last.map(|(packet, _)| packet).into_iter().chain(first.packets().iter().copied());
        let name = attempt.name();
        let after = unreachable(connection, peer)
            .filter(|tally| last.is_none_or(|(_, time)| tally.last > time || tally.first > time));
        if let Some(tally) = after {
            return Some(
                Diagnosis::broken(
                    &PEER_DAEMON_DIED,
                    format!(
                        "{name} worked until {}; then {} answered with ICMP port unreachable ({}): nothing listens on its L2TP port any more.",
                        hello::last_packet(attempt.case, connection, peer),
                        attempt.who(peer),
                        packets(&tally.packets, tally.count)
                    ),
                )
                .evidence(evidence.chain(tally.packets.iter().copied()))
                .advice(format!(
                    "read the log of the L2TP daemon of {} at that time: stopped or crashed? (ss -ulpn 'sport = :1701')",
                    attempt.who(peer)
                )),
            );
        }
        Some(silent_or_deaf(attempt, connection, end, &open).evidence(evidence))
    })
}

/// A Hello that was not answered, nor sent again: the control channel died at one side.
fn never_resent(
    attempt: &Attempt<'_>,
    connection: &Connection,
    end: u8,
    open: &[&Outstanding],
) -> Option<Diagnosis> {
    let case = attempt.case;
    let hello = open.iter().find(|hello| case.left_after(hello.first) >= PATIENCE)?;
    let peer = 1 - end;
    let lacks = connection.unseen_messages > 0 || case.capture_loses().is_some();
    // Whatever was released after it was acknowledged in order.
    if lacks || case.unread_from(connection.end(peer), hello.first).is_some() || connection.closed.is_some() {
        return None;
    }
    let data = hello::data_after(case, connection, peer, hello.first);
    let goes_on = if data { ", though its data goes on" } else { "" };
    Some(
        Diagnosis::broken(
            &HELLO_TIMEOUT,
            format!(
                "{} never acknowledged the Hello in packet {} at {}{goes_on}; {} did not send it again.",
                attempt.who(peer),
                hello.packets().first().copied().unwrap_or(0),
                case.at(hello.first),
                attempt.who(end)
            ),
        )
        .evidence(hello.packets().iter().copied())
        .confidence(Confidence::Possible)
        .advice(format!(
            "do the L2TP daemons of both sides still run? Look in the log of {}.",
            attempt.who(peer)
        )),
    )
}

/// The peer of an unanswered Hello: not heard of any more, or still there and not answering.
fn silent_or_deaf(
    attempt: &Attempt<'_>,
    connection: &Connection,
    end: u8,
    open: &[&Outstanding],
) -> Diagnosis {
    let case = attempt.case;
    let peer = 1 - end;
    let (own, other) = (attempt.who(end), attempt.who(peer));
    let first = open.first().map_or(Timestamp::default(), |hello| hello.first);
    let hellos = count(open.len() as u64, "Hello");
    let gave_up = match connection.closed_by {
        Some(by) if by == end => format!(" until {own} gave up"),
        _ => String::new(),
    };
    let unread = case.unread_from(connection.end(peer), first).is_some();
    let last = hello::last_packet(case, connection, peer);
    if connection.end(peer).last.is_none_or(|(_, time)| time < first) {
        return Diagnosis::broken(
            &HELLO_TIMEOUT,
            format!("{other} fell silent after {last}; {hellos} went unanswered{gave_up}."),
        )
        .confidence(if unread { Confidence::Possible } else { Confidence::Certain })
        .advice("a dead peer and a dead path look the same from here: look in the log of that side, and capture there too.");
    }
    let resent: u32 = connection.ends.iter().map(|end| end.delivery.resent).sum();
    if connection.ends.iter().all(|end| end.delivery.resent >= 3) {
        return Diagnosis::broken(
            &RETRANSMISSION_STORM,
            format!(
                "both sides are alive, but so many control messages are lost that {resent} resends piled up; {hellos} from {own} went unanswered{gave_up}."
            ),
        )
        .confidence(Confidence::Likely)
        .advice("find the loss on the path of control messages, in each direction: compare captures of both ends.");
    }
    let (heard, since) = (hello::data_after(case, connection, peer, first), case.at(first));
    let silent = connection.end(peer).last_control.filter(|(_, time)| *time > first).is_none();
    let sentence = if heard && silent {
        format!(
            "from {since} on {other} acknowledged no control message ({hellos}{gave_up}), though its data still came; {last} is its last."
        )
    } else {
        format!("{other} is still heard ({last} is its last), but left {hellos} unanswered{gave_up}.")
    };
    Diagnosis::broken(&HELLO_TIMEOUT, sentence)
        .confidence(if unread { Confidence::Possible } else { Confidence::Likely })
        .advice(format!(
            "either the L2TP daemon of {other} hangs or has forgotten the tunnel, or what is sent to it is lost: look in its log, and capture there."
        ))
}

/// The initiator began anew.
fn restarted(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let at = connection.restarted?;
    let never = connection.log.has(Observation::StopOutOfSequence);
    (!never).then(|| {
        Diagnosis::degraded(
            &PEER_RESTARTED,
            format!(
                "{} began anew with the same tunnel ID (packet {}) without a StopCCN: what there was of {} is gone.",
                attempt.who(0),
                at.packet,
                super::super::words::tunnel(connection)
            ),
        )
        .evidence([connection.first_packet, at.packet])
        .confidence(Confidence::Likely)
        .advice(format!("was {} restarted, or did its link break? Look in its log before that time.", attempt.who(0)))
    })
}

/// Whether control messages of the other end to this one are unanswered to the end: it, or the path to it, is dead.
pub(super) fn is_dead(connection: &Connection, peer: u8) -> bool {
    let end = 1 - peer;
    let open = hello::unanswered(connection, end);
    open.first().is_some_and(|first| first.copies >= 3 || hello::gave_up(connection, end, first))
}

/// The end that ended the link because its LCP echoes have no replies, as it says itself.
pub(super) fn gave_up(call: &Call) -> Option<&Termination> {
    let blames = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("not responding") || text.contains("echo") || text.contains("peer is dead")
    };
    call.ppp.lcp.terminated.as_ref().filter(|ended| blames(ended.reason.as_str()))
}

/// LCP echoes that had no reply, and a link that was given up for it.
fn echoes(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let ppp = &call.ppp;
    // It says so itself, whatever the capture shows of the replies.
    let said = gave_up(call);
    let row = (0..2u8).filter_map(|end| ppp.echoes.unanswered(end)).find(|row| row.count >= ECHOES);
    let explained = row.and_then(|row| loss::explains(attempt.case, connection, call, row));
    if said.is_none() && (row.is_none() || explained.is_some()) {
        return None;
    }
    let end = said.map(|ended| ended.end).or(row.map(|row| row.end))?;
    let (own, peer) = (attempt.who(end), attempt.who(1 - end));
    let close =
        |result: &Option<ResultCode>| result.as_ref().map(|result| reason(result, teardown::cdn_words));
    let words = match said {
        Some(ended) => format!("; {own} ended the link with \"{}\" (packet {})", ended.reason, ended.packet),
        None if call.closed_by == Some(end) => {
            format!("; {own} closed the call ({})", close(&call.result).unwrap_or_default())
        }
        None => String::new(),
    };
    let row = row.filter(|row| row.end == end);
    let sentence = match row {
        Some(row) => format!(
            "{}: {} from {own} in a row had no reply (packets {} to {}){words}.",
            attempt.name(),
            count(row.count.into(), "LCP Echo-Request"),
            row.first.0,
            row.last.0
        ),
        None => format!(
            "{}: {own} gave the link up because its LCP Echo-Requests have no reply, though {peer} is heard: what {peer} sends does not reach it{words}.",
            attempt.name()
        ),
    };
    Some(
        Diagnosis::broken(&LCP_ECHO_FAILURE, sentence)
            .evidence(
                row.map(|row| row.first.0)
                    .into_iter()
                    .chain(row.map(|row| row.last.0))
                    .chain(said.map(|ended| ended.packet)),
            )
            .confidence(Confidence::Likely)
            .advice(format!(
                "is PPP of {peer} alive, and does data reach {own}? Control messages do not show that."
            )),
    )
}
