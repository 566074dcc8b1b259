//! Rules on keepalives (RFC 2661 sections 5.5 and 6.5).

use crate::analysis::control::connection::Connection;
use crate::analysis::control::delivery::Outstanding;
use crate::analysis::log::Observation;
use crate::dissect::layers::MessageType;
use crate::util::{Duration, Timestamp};

use super::words;
use super::{Case, Finding, Severity, rules};

rules! {
    /// A Hello, and its resends, were never acknowledged.
    ///
    /// The peer does not answer on the control connection any more. Data may still flow for a while.
    HELLO_UNACKNOWLEDGED = "hello-unacknowledged", Error, "RFC 2661 5.5",
        "if a Hello is not reliably delivered, the tunnel is declared down and is reset.";

    /// A tunnel died: a Hello was resent to the end without an answer, and the sender gave up or fell silent.
    ///
    /// The path broke, or the peer lost its state, about when its last packet was seen.
    HELLO_TUNNEL_DEAD = "hello-tunnel-dead", Error, "RFC 2661 5.5",
        "if a Hello is not reliably delivered, the tunnel is declared down and is reset.";

    /// A Hello was never answered, and its sender goes on using the tunnel.
    ///
    /// More than a full cycle of resends (31 s) later it still sends data, although it should have cleared the tunnel and
    /// told its users. Usual cause: a data path that does not know of the control connection.
    /// Example: a Hello sent five times in vain, and data of its sender 40 s later.
    HELLO_NOT_TORN_DOWN = "hello-not-torn-down", Error, "RFC 2661 5.8",
        "without a response after several retransmissions, the tunnel and all its sessions must be cleared.";
}

/// Fewer copies may all be lost on a path that loses a fifth of all packets.
const LONG: u32 = 5;
/// An answer may be on its way this long after the last copy.
const IN_FLIGHT: Duration = Duration::seconds(1);

/// Hellos of one end that nobody acknowledged, oldest first. Those that it sent after its peer had closed the connection
/// are left out: nobody has to answer them.
pub(super) fn unanswered(connection: &Connection, end: u8) -> Vec<&Outstanding> {
    let closed = connection.closed.filter(|_| connection.closed_by.is_some_and(|by| by != end));
    let hellos = connection.end(end).delivery.outstanding.iter();
    let hellos = hellos.filter(|message| message.message.is(MessageType::HELLO));
    hellos.filter(|hello| closed.is_none_or(|closed| hello.first < closed)).collect()
}

/// Whether the sender gave up waiting for this Hello.
pub(super) fn gave_up(connection: &Connection, end: u8, hello: &Outstanding) -> bool {
    let closed_after =
        connection.closed_by == Some(end) && connection.closed.is_some_and(|at| at > hello.last);
    let waited = connection.closed.is_some_and(|at| at.since(hello.last) >= hello.next_wait());
    hello.copies >= 6 || (hello.copies >= 3 && closed_after && waited)
}

/// Whether a Hello of either end was resent until its sender gave up.
pub(super) fn is_dead(connection: &Connection) -> bool {
    (0..2u8)
        .any(|end| unanswered(connection, end).first().is_some_and(|first| gave_up(connection, end, first)))
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        if words::one_direction_missing(connection) {
            continue;
        }
        for end in 0..2u8 {
            let open = unanswered(connection, end);
            let Some(first) = open.first() else { continue };
            // Behind a hole in the numbering nothing can be acknowledged: seq-gap says so.
            if connection.end(end).delivery.holes().any(|(hole, ..)| first.ns.is_newer_than(hole)) {
                continue;
            }
            if first.copies < 2 && case.left_after(first.last) < IN_FLIGHT {
                continue;
            }
            found.push(unacknowledged(case, connection, end, first, open.len()));
            if gave_up(connection, end, first) {
                found.push(dead(case, connection, end, first));
            }
            if first.copies >= 4
                && data_after(case, connection, end, first.last.after(super::sequence::FULL_CYCLE))
            {
                found.push(goes_on(case, connection, end, first));
            }
        }
    }
}

fn unacknowledged(
    case: &Case<'_>,
    connection: &Connection,
    end: u8,
    hello: &Outstanding,
    open: usize,
) -> Finding {
    let peer = 1 - end;
    let sent = match hello.copies {
        1 => format!("sent once by {} at {}", words::who(connection, end), case.at(hello.first)),
        n => {
            format!("sent {n} times by {} in {}", words::who(connection, end), hello.last.since(hello.first))
        }
    };
    let others = match open {
        1 => String::new(),
        2 => String::from(" Another Hello after it had no answer either."),
        n => format!(" {} more Hellos after it had no answer either.", n - 1),
    };
    let left = case.left_after(hello.first);
    let early = (left < super::sequence::FULL_CYCLE && !gave_up(connection, end, hello))
        .then(|| format!("the capture ends {left} after the Hello; an answer may have come later."));
    Finding::new(
        &HELLO_UNACKNOWLEDGED,
        format!("{}: Hello (Ns {}) was never acknowledged", words::tunnel(connection), hello.ns),
    )
    .severity(if hello.copies < LONG && !gave_up(connection, end, hello) {
        Severity::Note
    } else {
        Severity::Error
    })
    .packets(hello.packets())
    .connection(connection.number)
    .seen(format!("{sent}.{others}"))
    .unsure(case.unread_from(connection.end(peer), hello.first).or(early).or_else(|| case.capture_loses()))
    .advice(format!(
        "find out what happened to {} {}.",
        words::who(connection, peer),
        since_when(case, connection, peer, hello)
    ))
}

fn dead(case: &Case<'_>, connection: &Connection, end: u8, hello: &Outstanding) -> Finding {
    let peer = 1 - end;
    let (silent, waiting) = (words::who(connection, peer), words::who(connection, end));
    let last = last_packet(case, connection, peer);
    let heard_after = match (connection.closed, connection.end(peer).last) {
        (Some(closed), Some((_, time))) => time > closed,
        _ => false,
    };
    let seen = if heard_after {
        format!(
            "{waiting} gave up, although {silent} was still heard: its last L2TP packet of any kind is {last}."
        )
    } else {
        format!("the last L2TP packet of {silent} is {last}; {waiting} then gave up.")
    };
    Finding::new(
        &HELLO_TUNNEL_DEAD,
        format!("{} died waiting for the answer to a Hello", words::tunnel(connection)),
    )
    .packets(hello.packets())
    .connection(connection.number)
    .seen(seen)
    .unsure(case.unread_from(connection.end(peer), hello.first))
    .advice(match connection.log.get(Observation::PortUnreachable, Some(peer)) {
        Some(_) => "that host still answers with ICMP port unreachable, so the path is alive: look at its L2TP daemon.",
        None if heard_after => "the path still carries its packets, so look at its L2TP daemon first: does it hang, or has it forgotten the tunnel?",
        None => "from one capture point a dead peer and a dead path look the same: capture at the other end too.",
    })
}

fn goes_on(case: &Case<'_>, connection: &Connection, end: u8, hello: &Outstanding) -> Finding {
    let (who, peer) = (words::who(connection, end), 1 - end);
    Finding::new(
        &HELLO_NOT_TORN_DOWN,
        format!("{}: {who} goes on although its Hello had no answer", words::tunnel(connection)),
    )
    .packets(hello.packets())
    .connection(connection.number)
    .by(end)
    .seen(format!(
        "Hello (Ns {}) was sent {} times until {}; data of {who} comes more than 31 s later.",
        hello.ns,
        hello.copies,
        case.at(hello.last)
    ))
    .unsure(Some(
        case.unread_from(connection.end(peer), hello.first)
            .unwrap_or_else(|| String::from("the answer may have been sent, and not be in the capture.")),
    ))
    .advice(format!(
        "does the data path of {who} outlive its L2TP daemon? Look at its sessions (ip l2tp show session)."
    ))
}

/// Between which moments an end stopped to answer.
fn since_when(case: &Case<'_>, connection: &Connection, end: u8, hello: &Outstanding) -> String {
    let asked = hello.packets().first().copied().unwrap_or(0);
    match connection.end(end).last_control.filter(|(_, time)| *time < hello.first) {
        Some((packet, time)) => format!(
            "between its last control message (packet {packet} at {}) and the Hello in packet {asked} at {}",
            case.at(time),
            case.at(hello.first)
        ),
        None => format!("about packet {asked} at {}", case.at(hello.first)),
    }
}

/// Data messages of an end after a moment: it lives, whatever became of its control connection.
pub(super) fn data_after(case: &Case<'_>, connection: &Connection, end: u8, since: Timestamp) -> bool {
    let calls = connection.calls.iter().filter_map(|id| case.analysis.call(*id));
    calls.filter_map(|call| call.data.get(usize::from(end))?.last).any(|last| last > since)
}

pub(super) fn last_packet(case: &Case<'_>, connection: &Connection, end: u8) -> String {
    match connection.end(end).last {
        Some((packet, time)) => format!("packet {packet} at {}", case.at(time)),
        None => String::from("not in the capture"),
    }
}
