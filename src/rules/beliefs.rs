//! What the two ends of a control connection believe of it at the end (RFC 2661 section 7): a message moves its sender's
//! machine when it is sent, and its receiver's only when it arrives.

use crate::analysis::control::connection::Connection;
use crate::dissect::layers::MessageType;
use crate::util::{Duration, Timestamp};

use super::words;
use super::{Case, Finding, rules};

rules! {
    /// The two ends disagree on whether a control connection is up.
    ///
    /// A StopCCN closes it for its sender at once, for its receiver when it arrives. Whoever never heard of it goes on using
    /// what its peer has forgotten, until a keepalive fails. Usual causes: the StopCCN was lost, or came while its
    /// receiver could not be reached; its sender did not resend it; its receiver acknowledged it and went on.
    END_DISAGREEMENT = "end-disagreement", Note, "RFC 2661 5.7",
        "the receiver of a StopCCN acknowledges it, waits for its resends, and cleans up.";
}

/// What was on its way when the StopCCN was sent arrives in this time.
const IN_FLIGHT: Duration = Duration::seconds(1);

/// One end closed the connection by a StopCCN; the other shows by what it sends later that it does not know.
pub(super) struct Unaware {
    /// Who does not know.
    pub end: u8,
    /// When the other end closed it.
    pub closed: Timestamp,
    /// The last packet of the end that does not know.
    pub last: (u64, Timestamp),
    /// It acknowledged the StopCCN all the same.
    pub acknowledged: bool,
}

/// Whether an end goes on using what its peer has closed.
pub(super) fn unaware(connection: &Connection) -> Option<Unaware> {
    let (closer, closed) = (connection.closed_by?, connection.closed?);
    let end = 1 - closer;
    let mut open = connection.end(closer).delivery.outstanding.iter();
    let unheard = open.any(|message| message.message.is(MessageType::STOP_CCN));
    let last = connection.end(end).last.filter(|(_, time)| *time > closed.after(IN_FLIGHT))?;
    let knows = connection.end(end).sent(MessageType::STOP_CCN) > 0;
    // Only a keepalive is sure to be new: a CDN or data may be what was under way, or part of the clean-up.
    let keeps_alive = connection.end(end).hello.last.is_some_and(|time| time > closed.after(IN_FLIGHT));
    (!knows && connection.was_established && (unheard || keeps_alive)).then_some(Unaware {
        end,
        closed,
        last,
        acknowledged: !unheard,
    })
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        let Some(Unaware { end, closed, last, acknowledged }) = unaware(connection) else { continue };
        let (knows, unaware) = (words::who(connection, 1 - end), words::who(connection, end));
        let heard = if acknowledged { "acknowledged, and yet" } else { "not acknowledged;" };
        found.push(
            Finding::new(
                &END_DISAGREEMENT,
                format!("{}: {unaware} believes it established, {knows} closed", words::tunnel(connection)),
            )
            .packets(&connection.closing_packet.into_iter().chain([last.0]).collect::<Vec<_>>())
            .connection(connection.number)
            .by(end)
            .seen(format!(
                "the StopCCN of {knows} at {} was {heard} {unaware} sends until {}.",
                case.at(closed),
                case.at(last.1)
            ))
            .advice(if acknowledged {
                format!("report it to the makers of {unaware}: it does not clear a tunnel that is shut down.")
            } else {
                format!("find out why {unaware} did not hear of the StopCCN; until its keepalive fails it will not call again.")
            }),
        );
    }
}
