//! Rules on how Ns and Nr are used, and on when messages are sent again (RFC 2661 section 5.8).

use crate::analysis::control::connection::Connection;
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// The first message of a side does not have Ns 0.
    ///
    /// Its peer expects 0 and takes it for a message out of order. Usual cause: numbers of an older tunnel go on.
    /// Example: an SCCRQ with Ns 5.
    SEQ_FIRST_NS_NONZERO = "seq-first-ns-nonzero", Error, "RFC 2661 5.8",
        "the message sequence number, Ns, begins at 0.";

    /// A control message that skipped a number came later.
    ///
    /// The way reordered it, or it was lost before the capture point and sent again. No fault of either side.
    /// Example: a Hello with Ns 5, then the one with Ns 4.
    SEQ_OUT_OF_ORDER = "seq-out-of-order", Note, "RFC 2661 5.8",
        "messages that arrive out of order may be queued, or discarded and sent again.";

    /// Two different messages stand under one number.
    ///
    /// The receiver takes the second for a copy of the first and drops it: what it says is lost. Hidden AVPs, which
    /// may differ in each copy, are not compared.
    /// Example: a Hello with Ns 4, and a CDN with Ns 4 a second later.
    SEQ_DUPLICATE_DIFFERENT = "seq-duplicate-different", Error, "RFC 2661 5.8",
        "the retransmitted message contains the same Ns value.";

    /// A side counts its acknowledgements alone (ZLBs) as if they used up a number.
    ///
    /// Its peer waits for the number that was skipped, drops everything behind it, and the tunnel dies.
    /// Example: twice a ZLB with Ns n and the next message with Ns n + 1.
    SEQ_ZLB_ADVANCES_NS = "seq-zlb-advances-ns", Error, "RFC 2661 5.8",
        "Ns is not incremented after a ZLB message is sent.";

    /// ZLBs carry a number that their sender used before.
    ///
    /// Some stacks repeat their last number instead of naming the next. A receiver need not look at it.
    /// Example: a ZLB with the Ns of the last message, 2 s behind it.
    SEQ_ZLB_NS_WRONG = "seq-zlb-ns-wrong", Warning, "RFC 2661 5.8",
        "a ZLB takes no slot in the number space, so its Ns is that of the next message.";

    /// A new message acknowledges less than its sender acknowledged before.
    ///
    /// The way reordered two messages, or the sender lost its count.
    /// Example: a Hello whose Nr is one less than that of the message 2 s before.
    SEQ_NR_BACKWARDS = "seq-nr-backwards", Warning, "RFC 2661 5.8",
        "Nr is the sequence number of the message that its sender expects next.";

    /// Messages are sent again with the Nr of their first copy.
    ///
    /// What arrived meanwhile is not acknowledged by the copy, so the peer may resend too: both sides then storm.
    SEQ_RETRANSMIT_STALE_NR = "seq-retransmit-stale-nr", Warning, "RFC 2661 5.8",
        "the Nr of a retransmitted message must be updated.";

    /// More messages wait for their acknowledgement than the peer has room for.
    ///
    /// The peer may drop what is beyond its Receive Window Size; without that AVP it is 4.
    /// Example: an LNS that announced a window of 2 and gets four ICRQs at once.
    SEQ_WINDOW_EXCEEDED = "seq-window-exceeded", Error, "RFC 2661 5.8",
        "once as many messages as the Receive Window Size are sent, a sender must wait for an acknowledgement.";

    /// A message was acknowledged late, though it was sent once.
    ///
    /// Most senders resend after 1 s, so late acknowledgements cause copies. Usual causes: a busy or hanging daemon,
    /// acknowledgements that wait for the next message.
    /// Example: a Hello, and the ZLB that acknowledges it 1.5 s later.
    SEQ_ACK_DELAYED = "seq-ack-delayed", Warning, "RFC 2661 5.8",
        "a peer must not withhold acknowledgement, and a sender resends after about 1 s.";

    /// Copies of a message that was acknowledged are not acknowledged again.
    ///
    /// The first acknowledgement was lost, and its sender resends to the end and then clears the tunnel.
    /// Example: a Hello, its ZLB, and three copies of the Hello that nothing answers.
    SEQ_DUPLICATE_NOT_ACKED = "seq-duplicate-not-acked", Error, "RFC 2661 5.8",
        "receipt of duplicate messages must be acknowledged.";

    /// A message is resent at a steady pace.
    ///
    /// On a congested way this makes the congestion worse. Judged from three resends on.
    SEQ_RETRANSMIT_BACKOFF = "seq-retransmit-backoff", Warning, "RFC 2661 5.8",
        "each subsequent retransmission of a message must employ an exponential backoff interval.";

    /// The waits between resends stop growing below 8 s.
    ///
    /// Example: a Hello sent again after 1, 2, 4, 4 and 4 s.
    SEQ_RETRANSMIT_CAP_LOW = "seq-retransmit-cap-low", Warning, "RFC 2661 5.8",
        "a cap upon the interval between retransmissions must be no less than 8 seconds.";

    /// A message is resent within half a second.
    ///
    /// On a way with a long round trip each message is then sent twice.
    /// Example: a Hello sent again after 0.3 s.
    SEQ_RETRANSMIT_TOO_EARLY = "seq-retransmit-too-early", Note, "RFC 2661 5.8",
        "the recommended wait before the first retransmission is 1 second.";

    /// A message was sent again after its acknowledgement had passed the capture point.
    ///
    /// The acknowledgement did not reach the sender, or reached it after its timer had run out: look between the
    /// capture point and the sender.
    SEQ_RETRANSMIT_AFTER_ACK = "seq-retransmit-after-ack", Note, "RFC 2661 5.8",
        "a message is resent until an Nr covers it.";
}

/// What a finding of one of these rules says, beside its title.
struct Said {
    title: String,
    seen: String,
    unsure: Option<String>,
    advice: String,
}

/// An observation that one rule reports.
struct Row {
    fact: Observation,
    rule: &'static Rule,
    /// About times, which a clock that steps makes worthless (guard G10).
    timing: bool,
    say: fn(&Case<'_>, &Connection, u8, &Tally) -> Said,
}

const fn row(
    fact: Observation,
    rule: &'static Rule,
    say: fn(&Case<'_>, &Connection, u8, &Tally) -> Said,
) -> Row {
    Row { fact, rule, timing: false, say }
}

const fn timed(
    fact: Observation,
    rule: &'static Rule,
    say: fn(&Case<'_>, &Connection, u8, &Tally) -> Said,
) -> Row {
    Row { fact, rule, timing: true, say }
}

static ROWS: &[Row] = &[
    row(Observation::LateMessage, &SEQ_OUT_OF_ORDER, out_of_order),
    row(Observation::OtherMessage, &SEQ_DUPLICATE_DIFFERENT, other_message),
    row(Observation::ZlbNumber, &SEQ_ZLB_NS_WRONG, zlb_number),
    row(Observation::NrBackwards, &SEQ_NR_BACKWARDS, backwards),
    row(Observation::StaleNr, &SEQ_RETRANSMIT_STALE_NR, stale),
    row(Observation::WindowExceeded, &SEQ_WINDOW_EXCEEDED, window),
    row(Observation::ResentAfterAcknowledgement, &SEQ_RETRANSMIT_AFTER_ACK, after_acknowledgement),
    timed(Observation::FlatBackoff, &SEQ_RETRANSMIT_BACKOFF, flat),
    timed(Observation::LowCap, &SEQ_RETRANSMIT_CAP_LOW, low_cap),
    timed(Observation::EarlyResend, &SEQ_RETRANSMIT_TOO_EARLY, early),
];

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let steps = case.clock_steps();
    for row in ROWS.iter().filter(|row| !(row.timing && steps)) {
        for (scope, tally) in case.analysis.all_observed(row.fact) {
            report(case, row.rule, row.say, scope, tally, found);
        }
    }
    for (scope, tally) in case.analysis.all_observed(Observation::CopyNotAcknowledged) {
        report(case, &SEQ_DUPLICATE_NOT_ACKED, unanswered_copies, scope, tally, found);
        let connection = scope.connection.and_then(|number| case.analysis.numbered(number));
        let repeated: u32 =
            connection.map_or(0, |(_, one)| one.ends.iter().map(|end| end.delivery.repeated).sum());
        // Whoever is gone acknowledges nothing.
        let gone = connection.is_some_and(|(_, one)| {
            let silent = 1 - scope.end.unwrap_or(0);
            one.restarted.is_some() || one.end(silent).last.is_none_or(|(_, time)| time < tally.first)
        });
        // A path that is dead in one direction after the capture point looks the same, unless that is beside the receiver.
        let near = connection.is_some_and(|(_, one)| one.near() == Some(1 - scope.end.unwrap_or(0)));
        if let Some(last) = found.last_mut() {
            // Where other messages are lost too, so may be the answers.
            last.severity = if repeated > 1 || !near || gone { Severity::Note } else { last.severity };
            last.end = last.end.map(|end| 1 - end);
        }
    }
    for (scope, tally) in case.analysis.all_observed(Observation::LateAcknowledgement) {
        if !steps && delays(case, scope, tally) {
            report(case, &SEQ_ACK_DELAYED, late_acknowledgement, scope, tally, found);
            if let Some(last) = found.last_mut().filter(|_| tally.count < OFTEN) {
                last.severity = Severity::Note;
            }
        }
    }
    for (scope, tally) in case.analysis.all_observed(Observation::FirstNs) {
        report(case, &SEQ_FIRST_NS_NONZERO, first_ns, scope, tally, found);
    }
    for (scope, tally) in case.analysis.all_observed(Observation::ZlbCounted) {
        let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
            continue;
        };
        // Lost messages are acknowledged or sent again; numbers that nobody used are neither.
        let acknowledged = case.analysis.observed(Observation::AcknowledgedUnseen, scope).is_some();
        let holes = connection.end(scope.end.unwrap_or(0)).delivery.holes().count() as u64;
        if !acknowledged && tally.count >= 2 && holes >= tally.count {
            report(case, &SEQ_ZLB_ADVANCES_NS, zlb_counted, scope, tally, found);
        }
    }
}

/// Whether acknowledgements that came late are the doing of their sender: later than its path takes by far, and not the few
/// whose first copy was lost.
fn delays(case: &Case<'_>, scope: Scope, tally: &Tally) -> bool {
    let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
        return false;
    };
    let trips = &connection.end(scope.end.unwrap_or(0)).round_trips;
    let average = Duration::millis(i64::try_from(tally.amount / tally.count.max(1)).unwrap_or(i64::MAX));
    // One whose acknowledgement was lost, and that a much later message acknowledged, outweighs the others.
    let usual =
        if words::lossy(connection) { trips.median().unwrap_or(average).min(average) } else { average };
    let path = trips.least().unwrap_or_default();
    let often = tally.count.saturating_mul(2) >= u64::from(trips.count);
    let slow = usual.0 > path.0.saturating_mul(2).saturating_add(AT_ONCE.0);
    let enough = if connection.unseen_messages > 0 { OFTEN_UNSEEN } else { OFTEN };
    slow && (!words::lossy(connection) || often && tally.count >= enough)
}

/// Fewer may come of acknowledgements that the capture lacks.
const OFTEN: u64 = 3;

/// The same where the capture is known to lack messages.
const OFTEN_UNSEEN: u64 = 4;

/// An acknowledgement is due at once, but for what a delay in the hope of a message to carry it may take.
const AT_ONCE: Duration = Duration::millis(500);

fn report(
    case: &Case<'_>,
    rule: &'static Rule,
    say: fn(&Case<'_>, &Connection, u8, &Tally) -> Said,
    scope: Scope,
    tally: &Tally,
    found: &mut Vec<Finding>,
) {
    let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
        return;
    };
    let end = scope.end.unwrap_or(0);
    let Said { title, seen, unsure, advice } = say(case, connection, end, tally);
    found.push(
        Finding::new(rule, format!("{}: {title}", words::tunnel(connection)))
            .tally(tally)
            .connection(connection.number)
            .by(end)
            .seen(seen)
            .unsure(unsure)
            .advice(advice),
    );
}

fn held_up() -> Option<String> {
    Some(String::from("a way that holds messages up for more than a second would explain it."))
}

fn first_ns(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} does not begin with Ns 0"),
        seen: format!("its first message has Ns {}.", tally.first_amount),
        unsure: None,
        advice: format!("{who} goes on with old numbers: restart its L2TP daemon, update it."),
    }
}

fn out_of_order(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    Said {
        title: String::from("control messages came out of order"),
        seen: format!(
            "{} of {} came behind a later number.",
            count(tally.count, "message"),
            words::who(connection, end)
        ),
        unsure: None,
        advice: String::from("nothing to do, if it stays rare."),
    }
}

fn other_message(case: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} sends two messages under one Ns"),
        seen: format!(
            "{}: the octets behind Nr differ from those of the first copy.",
            count(tally.count, "time")
        ),
        unsure: case.capture_loses(),
        advice: format!("the peer drops the second one. Update {who}, or report it to its maker."),
    }
}

fn zlb_counted(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} counts ZLBs as messages"),
        seen: format!("{} a number was skipped that only a ZLB had carried.", count(tally.count, "time")),
        unsure: Some(String::from("messages with those numbers may be lost, and not in the capture.")),
        advice: format!("{who} breaks the numbering: update it, or report it to its maker."),
    }
}

fn zlb_number(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("ZLBs of {who} repeat a used Ns"),
        seen: format!("{}.", count(tally.count, "ZLB")),
        unsure: held_up(),
        advice: String::from("harmless, unless the peer drops such ZLBs and resends."),
    }
}

fn backwards(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    Said {
        title: format!("the Nr of {} goes back", words::who(connection, end)),
        seen: format!("in {}.", count(tally.count, "message")),
        unsure: held_up(),
        advice: String::from("nothing to do, if it stays rare."),
    }
}

fn stale(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} resends with an old Nr"),
        seen: format!("{} acknowledged less than it had acknowledged before.", count(tally.count, "resend")),
        unsure: held_up(),
        advice: format!("if both sides resend without end, this keeps it going: update {who}."),
    }
}

fn window(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    let peer = connection.end(1 - end);
    let allowed = match peer.window {
        Some(window) => format!("the peer's Receive Window Size is {window}"),
        None => String::from("the peer named no Receive Window Size, so it is 4"),
    };
    Said {
        title: format!("{who} has more messages under way than its peer has room for"),
        seen: format!("{}; {allowed}.", count(tally.count, "message")),
        unsure: Some(String::from("an acknowledgement that the capture lacks would explain it.")),
        advice: format!("the peer may drop them; look there for messages out of its window. Update {who}."),
    }
}

fn unanswered_copies(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let peer = words::who(connection, 1 - end);
    Said {
        title: format!("{peer} does not acknowledge copies"),
        seen: format!(
            "{} of {} came three times after their acknowledgement, with no answer between.",
            count(tally.count, "message"),
            words::who(connection, end)
        ),
        unsure: Some(String::from("the copies may have been lost on their way, or the answers to them.")),
        advice: format!("look in the log of {peer} for dropped or old control messages."),
    }
}

fn after_acknowledgement(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    Said {
        title: format!("{} resent what was acknowledged", words::who(connection, end)),
        seen: format!("{} after the acknowledgement had passed here.", count(tally.count, "resend")),
        unsure: None,
        advice: String::from(
            "the acknowledgement was lost or late between the capture point and the sender.",
        ),
    }
}

fn late_acknowledgement(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let peer = words::who(connection, end);
    let longest = tally.amount / tally.count.max(1);
    Said {
        title: format!("{peer} acknowledges late"),
        seen: format!("{}, after {longest} ms on average.", count(tally.count, "message")),
        unsure: Some(String::from("an earlier acknowledgement that the capture lacks would explain it.")),
        advice: format!("is {peer} busy? Senders resend after about 1 s."),
    }
}

fn flat(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} resends without back-off"),
        seen: format!("{} whose waits did not grow.", count(tally.count, "resend")),
        unsure: None,
        advice: format!("check the retransmit settings of {who}."),
    }
}

fn low_cap(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} resends at least every 8 s"),
        seen: format!("{} after less, although the waits had grown before.", count(tally.count, "resend")),
        unsure: None,
        advice: format!("raise the cap of the retransmit interval of {who} to 8 s or more."),
    }
}

fn early(_: &Case<'_>, connection: &Connection, end: u8, tally: &Tally) -> Said {
    let who = words::who(connection, end);
    Said {
        title: format!("{who} resends early"),
        seen: format!("{} within half a second.", count(tally.count, "message")),
        unsure: None,
        advice: String::from("raise the first retransmit interval to 1 s, if the way is long."),
    }
}
