//! Rules on the set-up of control connections (RFC 2661 sections 5.1 and 7.2).

use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::log::Observation;
use crate::dissect::layers::MessageType;
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// An SCCRQ was sent, and no readable L2TP came back.
    ///
    /// The LNS does not hear it, or does not answer: no L2TP daemon on the port, a firewall, an IPsec policy that
    /// does not cover the answer, or ESP that the LNS cannot decrypt.
    TUN_NO_REPLY = "tun-no-reply", Error, "RFC 2661 5.1", "an SCCRQ is answered by an SCCRP or a StopCCN.";

    /// SCCRQ and SCCRP were exchanged, and no SCCCN followed.
    ///
    /// The initiator did not accept the SCCRP: wrong Challenge Response, an AVP it does not know, or the SCCRP never
    /// arrived.
    TUN_INCOMPLETE = "tun-incomplete", Warning, "RFC 2661 5.1",
        "the three messages SCCRQ, SCCRP and SCCCN establish a control connection.";
}

/// Waiting for an answer is no fault before this.
const PATIENCE: Duration = Duration::seconds(3);

/// An SCCRQ to which nothing came back: no packet at all, while resends show that none arrived either.
pub(super) fn unanswered(case: &Case<'_>, connection: &Connection) -> bool {
    let [initiator, responder] = &connection.ends;
    let silent = responder.packets == 0 && responder.delivery.acknowledged.is_none_or(|nr| nr.0 == 0);
    let waited = connection.requested.is_some_and(|since| case.left_after(since) >= PATIENCE);
    connection.from_start
        && !connection.lost_tie
        && !connection.was_established
        && silent
        && (initiator.delivery.resent > 0 || waited)
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        if unanswered(case, connection) {
            found.push(no_reply(case, connection));
        }
        let [initiator, responder] = &connection.ends;
        let answered = responder.sent(MessageType::SCCRP) > 0;
        let over = connection.state == ConnectionState::Closed
            || responder.last.is_some_and(|(_, time)| case.left_after(time) >= PATIENCE);
        if connection.from_start && answered && !connection.was_established && over {
            found.push(
                Finding::new(&TUN_INCOMPLETE, format!("{} was never established", words::tunnel(connection)))
                    .packets(&[connection.first_packet])
                    .connection(connection.number)
                    .seen(format!("an SCCRP came, but no SCCCN of {}.", words::who(connection, 0)))
                    .unsure(case.unread_from(initiator, connection.requested.unwrap_or_default()))
                    .advice("look at the message that ended it, or in the log of the initiator."),
            );
        }
    }
}

/// How many connections before and after one are looked at for a tie: a flood of SCCRQs costs no more for each.
const NEIGHBOURS: u32 = 16;
/// Requests that cross were sent within a retransmission or two of each other (RFC 2661 section 5.8).
const CROSSING: Duration = Duration::seconds(8);

/// Connections between the same two hosts that came up or were answered, of those near to this one.
fn answered_beside<'a>(case: &Case<'a>, connection: &Connection) -> impl Iterator<Item = &'a Connection> {
    let hosts = |connection: &Connection| connection.ends.each_ref().map(|end| end.endpoint.address);
    let [from, to] = hosts(connection);
    let first = connection.number.saturating_sub(NEIGHBOURS);
    let near = (first..=connection.number.saturating_add(NEIGHBOURS))
        .filter_map(|number| case.analysis.numbered(number));
    near.map(|(_, other)| other).filter(move |other| {
        let ends = hosts(other);
        (ends == [from, to] || ends == [to, from]) && other.ends.iter().all(|end| end.packets > 0)
    })
}

/// Whether the request may have lost a tie (RFC 2661 section 4.4.3): it has a Tie Breaker, or another connection of the
/// same two hosts, which is answered, began at about the same time.
fn may_lose_a_tie(case: &Case<'_>, connection: &Connection) -> bool {
    let since = connection.requested.unwrap_or_default();
    let at_once = |other: &Connection| {
        let began = other.requested.unwrap_or_default();
        began.since(since).max(since.since(began)) < CROSSING
    };
    connection.end(0).tie_breaker.is_some() || answered_beside(case, connection).any(at_once)
}

/// Whether the capture may lack the answer: a sender that waits for one sends again, and this one has gone on to another
/// request, which was answered.
fn went_on(case: &Case<'_>, connection: &Connection) -> bool {
    let since = connection.requested.unwrap_or_default();
    let later = |other: &Connection| {
        other.end(0).endpoint.address == connection.end(0).endpoint.address
            && other.requested.is_some_and(|asked| asked > since)
    };
    answered_beside(case, connection).any(later)
}

fn no_reply(case: &Case<'_>, connection: &Connection) -> Finding {
    let [initiator, responder] = &connection.ends;
    let request = initiator.delivery.outstanding.first();
    let copies = initiator.sent(MessageType::SCCRQ);
    let since = connection.requested.unwrap_or_default();
    let times = if copies == 1 { String::from("once") } else { format!("{copies} times") };
    let refused = connection.log.get(Observation::PortUnreachable, Some(1));
    let seen = match refused {
        Some(tally) => format!(
            "sent {times}, and {} came back ({}).",
            count(tally.count, "ICMP port unreachable"),
            words::packets(&tally.packets, tally.count)
        ),
        None => format!("sent {times} from {} on, and no readable L2TP came back.", case.at(since)),
    };
    let advice = match refused {
        Some(_) => {
            format!("start the L2TP daemon on {} (ss -ulpn 'sport = :1701').", responder.endpoint.address)
        }
        None => format!(
            "on {}: is the L2TP daemon running (ss -ulpn 'sport = :1701'), does the firewall let UDP 1701 in?",
            responder.endpoint.address
        ),
    };
    let unread = case.unread_from(responder, since);
    let advice = match unread {
        Some(_) => {
            String::from("first settle what could not be decrypted: the answer may be in those packets.")
        }
        None => advice,
    };
    let unsure = unread.or_else(|| {
        (copies == 1)
            .then(|| String::from("sent only once: the capture may have lost the answer, or ends too early."))
    });
    // The side that loses a tie drops its request after a copy or two; the other request may be missing in the capture.
    let settled = copies < 3 && may_lose_a_tie(case, connection) || copies == 1 && went_on(case, connection);
    Finding::new(
        &super::tunnel::TUN_NO_REPLY,
        format!("{}: SCCRQ was never answered", words::tunnel(connection)),
    )
    .severity(if settled { Severity::Note } else { Severity::Error })
    .packets(request.map_or(&[connection.first_packet][..], |request| request.packets()))
    .connection(connection.number)
    .seen(seen)
    .unsure(unsure)
    .advice(advice)
}
