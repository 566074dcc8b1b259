//! Rules on Ns and Nr of control messages (RFC 2661 section 5.8).

use crate::analysis::control::connection::Connection;
use crate::analysis::control::delivery::Outstanding;
use crate::analysis::log::{Observation, Tally};
use crate::analysis::timing::REORDERED;
use crate::dissect::layers::MessageType;
use crate::util::{Duration, Timestamp};

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// Control messages of one side are missing and never came.
    ///
    /// Their numbers were skipped, nobody acknowledged them, and they were not sent again while the capture ran.
    /// The receiver cannot go on past the hole: RFC 2661 delivers control messages in order.
    SEQ_GAP = "seq-gap", Error, "RFC 2661 5.8", "each new message has the Ns of the one before plus one.";

    /// A control message was sent again with the same Ns.
    ///
    /// A resend is the normal answer to a missing acknowledgement; many of them show loss, or a receiver that does
    /// not acknowledge. The state machine is fed once only.
    SEQ_DUPLICATE = "seq-duplicate", Note, "RFC 2661 5.8",
        "a message is resent until it is acknowledged, and a duplicate must be acknowledged.";

    /// An Nr acknowledges a message that was never sent.
    ///
    /// The other side then takes its next message for a duplicate and drops it, or tears the tunnel down.
    /// Usual cause: a ZLB was counted as if it used up a number.
    SEQ_NR_BEYOND_SENT = "seq-nr-beyond-sent", Error, "RFC 2661 5.8",
        "Nr is the Ns of the next message expected, at most one more than the highest Ns sent.";

    /// A ZLB was acknowledged as if it were a message.
    ///
    /// The side that does so expects a number too many: the next message of its peer then looks like a duplicate to it,
    /// and is acknowledged and dropped. Found by: an Nr that covers just the number which only a ZLB had carried, and the
    /// ZLB was the last packet before it. Usual cause: a receiver that sees the ZLB as a message, as some do when it has a
    /// Session ID in its header that is not theirs.
    SEQ_NR_COUNTS_ZLB = "seq-nr-counts-zlb", Error, "RFC 2661 5.8",
        "the Nr of the next message sent is not updated by the Ns of a ZLB.";

    /// A control message was not acknowledged, although the capture goes on for more than 31 s.
    ///
    /// 31 s is a full cycle of resends with the defaults of RFC 2661.
    /// Example: an ICRQ, and 40 s later a ZLB whose Nr does not cover it.
    SEQ_ACK_MISSING = "seq-ack-missing", Error, "RFC 2661 5.8",
        "every message other than a ZLB must be acknowledged.";

    /// A control message was resent to the end, and never acknowledged.
    ///
    /// The sender then gives up the tunnel. The peer is gone, or the way to it or back is broken.
    /// Example: an ICRQ sent six times, with 1, 2, 4, 8 and 16 s between, and no acknowledgement.
    SEQ_RETRANSMIT_EXHAUSTED = "seq-retransmit-exhausted", Error, "RFC 2661 5.8",
        "after a number of resends without an acknowledgement, the tunnel and its calls must be cleared.";
}

/// With 1, 2, 4, 8 and 16 s between the copies: how long a sender tries (RFC 2661 section 5.8).
pub(super) const FULL_CYCLE: Duration = Duration::seconds(31);

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        for end in 0..2u8 {
            found.extend(gap(case, connection, end));
            if let Some(tally) = connection.log.get(Observation::Resent, Some(end)) {
                found.push(duplicate(connection, end, tally));
            }
            beyond(case, connection, end, found);
            counts_zlb(case, connection, end, found);
            if words::one_direction_missing(connection) {
                continue;
            }
            for message in &connection.end(end).delivery.outstanding {
                found.extend(unacknowledged(case, connection, end, message));
            }
        }
    }
}

fn gap(case: &Case<'_>, connection: &Connection, end: u8) -> Option<Finding> {
    let holes: Vec<_> = connection.end(end).delivery.holes().collect();
    let mut packets: Vec<u64> = holes.iter().map(|(_, packet, _)| *packet).collect();
    packets.dedup();
    packets.truncate(Tally::MOST_PACKETS);
    if holes.is_empty() {
        return None;
    }
    let numbers: Vec<String> = holes.iter().take(6).map(|(ns, _, _)| ns.to_string()).collect();
    let unsure = case.capture_loses().unwrap_or_else(|| {
        String::from("a message lost before this capture point is resent; the capture may end before that.")
    });
    // A sender resends what is not acknowledged; only where it did not, and went on, it is to blame.
    let oldest = connection.end(end).delivery.outstanding.iter().map(|message| message.copies).max();
    let often = oldest.is_some_and(|copies| copies >= 4) && case.analysis.totals.unseen == 0;
    // Nor does it resend anything once the connection is closed.
    let closed = |at: Timestamp| connection.closed.is_some_and(|closed| closed.since(at) < RESEND);
    let over = holes.iter().all(|(.., at)| closed(*at));
    let goes_on = often || !words::lossy_but_for_gaps(connection) && !over;
    let title = format!(
        "{}: control messages from {} are missing",
        words::tunnel(connection),
        words::who(connection, end)
    );
    Some(
        Finding::new(&SEQ_GAP, title)
            .severity(if goes_on { Severity::Error } else { Severity::Note })
            .packets(&packets)
            .connection(connection.number)
            .seen(format!("Ns {} never came, and nobody acknowledged such a number.", numbers.join(", ")))
            .unsure(Some(unsure))
            .advice("capture near the sender too: it shows whether the message left."),
    )
}

fn duplicate(connection: &Connection, end: u8, tally: &Tally) -> Finding {
    Finding::new(
        &SEQ_DUPLICATE,
        format!("{}: {} resent control messages", words::tunnel(connection), words::who(connection, end)),
    )
    .tally(tally)
    .connection(connection.number)
    .seen(match tally.count {
        1 => String::from("1 resend."),
        n => format!("{} in {}.", count(n, "resend"), tally.last.since(tally.first)),
    })
    .advice("look at what was sent just before: the message or its acknowledgement was lost or late.")
}

/// Signs that messages are lost, beside the one in question: any that were sent again, or that the capture lacks.
fn loses(case: &Case<'_>, connection: &Connection) -> bool {
    case.analysis.totals.unseen > 2
        || connection.ends.iter().any(|end| end.delivery.resent > 0 || end.acknowledged_unseen)
}

fn beyond(case: &Case<'_>, connection: &Connection, end: u8, found: &mut Vec<Finding>) {
    let peer = 1 - end;
    // Answered from another address, the initiator may go on with the one that it asked: what it sends there counts too.
    if peer == 0 && connection.log.has(Observation::AnsweredElsewhere) {
        return;
    }
    let certain = connection.log.get(Observation::NrBeyondSent, Some(end));
    let possible = connection.end(peer).delivery.beyond.as_deref().map(|beyond| vec![beyond.packet]);
    let Some(packets) = certain.map(|tally| tally.packets.clone()).or(possible) else { return };
    let next = connection.end(peer).delivery.next().map_or(0, |next| next.0);
    // A message that the capture lacks, sent again because its acknowledgement was lost, looks the same.
    let severity =
        if certain.is_some() && !loses(case, connection) { Severity::Error } else { Severity::Note };
    let unsure =
        format!("if the capture lost a message of {}, the Nr would be right.", words::who(connection, peer));
    found.push(
        Finding::new(
            &SEQ_NR_BEYOND_SENT,
            format!(
                "{}: {} acknowledges what was never sent",
                words::tunnel(connection),
                words::who(connection, end)
            ),
        )
        .severity(severity)
        .packets(&packets)
        .times(certain.map_or(1, |tally| tally.count))
        .by(end)
        .connection(connection.number)
        .seen(match certain {
            Some(_) => String::from("the number was used for the first time after it had been acknowledged."),
            None => {
                format!("the next Ns of {} is {next}, and a higher Nr came.", words::who(connection, peer))
            }
        })
        .unsure(Some(unsure))
        .advice("the side that sent this Nr counts wrongly, most often a ZLB as if it were a message."),
    );
}

fn counts_zlb(case: &Case<'_>, connection: &Connection, end: u8, found: &mut Vec<Finding>) {
    let used = connection.log.get(Observation::NrCountsZlb, Some(end));
    let beyond = connection.end(1 - end).delivery.beyond.as_deref().filter(|beyond| beyond.zlb);
    let packets = used.map(|tally| tally.packets.clone()).or_else(|| Some(vec![beyond?.packet]));
    let Some(packets) = packets else { return };
    let (who, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    found.push(
        Finding::new(
            &SEQ_NR_COUNTS_ZLB,
            format!("{}: {who} counts a ZLB as a message", words::tunnel(connection)),
        )
        .severity(if used.is_some() && !loses(case, connection) { Severity::Error } else { Severity::Note })
        .packets(&packets)
        .times(used.map_or(1, |tally| tally.count))
        .connection(connection.number)
        .by(end)
        .seen(match used {
            Some(_) => format!(
                "right after a ZLB of {peer} it acknowledged its number, and a message with that number came only then."
            ),
            None => format!("right after a ZLB of {peer} it acknowledged the number of that ZLB."),
        })
        .unsure(Some(format!("if the capture lost a message of {peer}, the Nr would be right.")))
        .advice(format!("the next message of {peer} is dropped as a duplicate: update {who}, or report it to its maker.")),
    );
}

/// A sender waits no longer than this before it resends (RFC 2661 section 5.8: a cap of 8 seconds or more).
const RESEND: Duration = Duration::seconds(8);

fn unacknowledged(
    case: &Case<'_>,
    connection: &Connection,
    end: u8,
    message: &Outstanding,
) -> Option<Finding> {
    // These have rules of their own, which know more.
    let own = [MessageType::SCCRQ, MessageType::HELLO, MessageType::STOP_CCN];
    if own.into_iter().any(|own| message.message.is(own)) {
        return None;
    }
    // Behind a hole in the numbering nothing can be acknowledged: seq-gap says so.
    if connection.end(end).delivery.holes().any(|(hole, ..)| message.ns.is_newer_than(hole)) {
        return None;
    }
    // Nobody resends or acknowledges anything but the StopCCN once it was received (RFC 2661 section 5.7).
    let ended = connection.closed_by == Some(1 - end)
        && message.copies < 3
        && connection.closed.is_some_and(|at| at.since(message.last) < RESEND);
    if ended {
        return None;
    }
    let gave_up = connection.closed_by == Some(end) && connection.closed.is_some_and(|at| at > message.last);
    let exhausted = message.copies >= 6 || (message.copies >= 3 && gave_up);
    let rule: &'static Rule = if exhausted {
        &SEQ_RETRANSMIT_EXHAUSTED
    } else if case.left_after(message.last) > FULL_CYCLE {
        &SEQ_ACK_MISSING
    } else {
        return None;
    };
    let peer = 1 - end;
    let name = message.message.name();
    // A later message that does not acknowledge it proves that no earlier one did, unless it was under way by then.
    let receiver = connection.end(peer);
    let under_way = receiver.round_trips.most().unwrap_or_default().max(REORDERED);
    let heard = receiver.last_control.is_some_and(|(_, time)| time.since(message.last) > under_way);
    let missed = (!heard && !exhausted)
        .then(|| String::from("the acknowledgement may have been sent, and not be in the capture."));
    let unsure =
        case.unread_from(connection.end(peer), message.first).or_else(|| case.capture_loses()).or(missed);
    Some(
        Finding::new(
            rule,
            format!("{}: {name} (Ns {}) was never acknowledged", words::tunnel(connection), message.ns),
        )
        .severity(if heard || exhausted { Severity::Error } else { Severity::Note })
        .packets(message.packets())
        .connection(connection.number)
        .seen(format!(
            "sent {} by {} from {} on; no Nr of the other side covers it.",
            if message.copies == 1 { String::from("once") } else { format!("{} times", message.copies) },
            words::who(connection, end),
            case.at(message.first),
        ))
        .unsure(unsure)
        .advice(format!(
            "look at the log of {} at that time; if it saw nothing, the path is broken.",
            words::who(connection, peer)
        )),
    )
}
