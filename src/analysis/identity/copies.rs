//! What is a copy of a request, and what begins anew: a client that restarts uses the same tunnel ID (RFC 2661 sections 5.7
//! and 5.8).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{AvpValue, L2tp, MessageType};
use crate::util::Duration;
use crate::util::seq::Seq16;

use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::message::SeenMessage;
use crate::analysis::found::Analysis;
use crate::analysis::ids::ConnectionId;
use crate::analysis::timing::REORDERED;

/// Copies that cross an answer were sent before their sender had it: within the shortest cap, and some more for the path.
pub(super) const CROSSING: Duration = Duration::seconds(10);
/// No RFC sender waits so long between two copies: a request after it is another one.
const SILENCE: Duration = Duration::seconds(60);
/// So long after it has the answer a sender's request may still be held up by the path.
const HELD_UP: Duration = Duration::seconds(2);

/// Whether an SCCRP is the answer to another request than that of a connection: it begins with Ns 0 and another tunnel ID
/// long after the first answer was acknowledged.
pub(super) fn answers_anew(found: &Analysis, id: ConnectionId, message: &SeenMessage<'_>) -> bool {
    let Some(connection) = found.connection(id).filter(|_| message.is(MessageType::SCCRP)) else {
        return false;
    };
    let responder = connection.end(1);
    let other_id = responder.tunnel_id.zip(message.tunnel).is_some_and(|(then, now)| then != now);
    let acknowledged = responder.delivery.acknowledged.is_some_and(|nr| nr.0 > 0);
    let begins = message.header.ns == Some(Seq16(0)) && responder.delivery.next() != Some(Seq16(0));
    let first = connection.answered.or(connection.requested);
    let late = first.is_none_or(|first| message.at.time.since(first) > CROSSING);
    other_id && acknowledged && begins && late
}

/// The connection that a client left when it began anew with the same ID, if a packet from its peer still belongs to that:
/// the peer has not answered the new request yet.
pub(super) fn before_restart(
    found: &Analysis,
    id: ConnectionId,
    from: u8,
    header: &L2tp,
) -> Option<ConnectionId> {
    let connection = found.connection(id)?;
    let old = connection.replaces?;
    let left = found.connection(old).filter(|left| left.restarted.is_some())?;
    let near = |next: Option<Seq16>, number: Option<Seq16>| {
        next.zip(number).is_some_and(|(next, number)| next.steps_from(number) <= 1)
    };
    let [lac, lns] = &left.ends;
    // The numbers of its first answer.
    let begins = header.ns == Some(Seq16(0)) && header.nr == Some(Seq16(1));
    let goes_on = near(lns.delivery.next(), header.ns) && near(lac.delivery.next(), header.nr) && !begins;
    // Whoever sends to the new tunnel ID of the peer has its answer.
    let unanswered =
        from == 1 && connection.end(1).last_control.is_none() && connection.end(1).tunnel_id.is_none();
    (unanswered && (goes_on || !header.is_control())).then_some(old)
}

/// Whether an SCCRQ with the tunnel ID of a connection is a copy of its SCCRQ.
pub(super) fn is_copy(connection: &Connection, message: &SeenMessage<'_>) -> bool {
    let waited = message.at.time.since(connection.request_again);
    let same = connection.request.is_none_or(|request| {
        request.0 == message.control.body || message.control.avps.iter().any(|avp| avp.hidden)
    });
    if !same {
        return false;
    }
    let refused = connection.closed_by == Some(1);
    // Its sender still waits, as far as it has shown: it has the answer once it acknowledges it.
    let unaware = connection.end(1).delivery.acknowledged.is_none_or(|nr| nr.0 == 0);
    if !connection.from_start {
        // The capture lacks the copy that was answered.
        let waited = connection.answered.map(|answered| message.at.time.since(answered));
        let patience = if unaware { SILENCE } else { HELD_UP };
        return connection.state != ConnectionState::Closed
            && waited.is_some_and(|waited| waited <= patience);
    }
    match connection.state {
        ConnectionState::Closed if refused => unaware && waited <= CROSSING,
        ConnectionState::Closed => waited <= REORDERED,
        _ if unaware => waited <= SILENCE,
        // Held up by the path.
        _ => waited <= HELD_UP,
    }
}

/// Two hashes of an SCCRQ: of all that follows its Nr, and of its AVPs but the Assigned Tunnel ID.
pub(in crate::analysis) fn request(message: &SeenMessage<'_>) -> (u64, u64) {
    let mut rest = DefaultHasher::new();
    for avp in &message.control.avps {
        let ids = [attribute::ASSIGNED_TUNNEL_ID, attribute::ASSIGNED_CONNECTION_ID];
        if avp.vendor == 0 && ids.contains(&avp.attribute) {
            continue;
        }
        (avp.vendor, avp.attribute, avp.mandatory, avp.length).hash(&mut rest);
        match &avp.value {
            AvpValue::Number(number) => number.hash(&mut rest),
            AvpValue::Text(text) => text.as_str().hash(&mut rest),
            AvpValue::Octets(octets) => octets.hash(&mut rest),
            AvpValue::Version(version, revision) => (version, revision).hash(&mut rest),
            _ => {}
        }
    }
    (message.control.body, rest.finish())
}
