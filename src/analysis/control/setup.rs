//! What the set-up of a control connection says of its ends (RFC 2661 sections 4.4.3 and 5.1), and what may be kept of what
//! a message says.

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{AvpValue, Control, MessageType};

use super::message::{SeenMessage, find, number, number16, octets, other};
use crate::analysis::ids::ConnectionId;
use crate::analysis::tracker::Tracker;

/// Octets of a Challenge that are kept; longer ones cannot be proved.
const MOST_CHALLENGE: usize = 128;
/// Pseudowire Capabilities List (RFC 3931 section 5.4.3): octets that are an offer, not a proof.
const CAPABILITIES: u16 = 62;

/// Learns what the set-up of a control connection says of its sender.
pub(super) fn learn(tracker: &mut Tracker, id: ConnectionId, from: u8, message: &SeenMessage<'_>) {
    let setup = [MessageType::SCCRQ, MessageType::SCCRP, MessageType::SCCCN];
    if !setup.into_iter().any(|kind| message.is(kind)) {
        return;
    }
    let Some(connection) = tracker.found.connection(id) else { return };
    let ends = [connection.end(0).endpoint.address, connection.end(1).endpoint.address];
    let challenge = connection.end(other(from)).challenge.as_deref();
    let response = octets(message.control, attribute::CHALLENGE_RESPONSE);
    let proof =
        challenge.zip(response).zip(message.control.message).and_then(|((challenge, response), message)| {
            tracker.learned.proves(ends, message, challenge, response)
        });
    let Some(connection) = tracker.found.connections.get_mut(id) else { return };
    let end = connection.end_mut(from);
    end.window = end.window.or_else(|| number16(message.control, attribute::RECEIVE_WINDOW_SIZE));
    end.tie_breaker = end.tie_breaker.or_else(|| number(message.control, attribute::TIE_BREAKER));
    end.setup_cut |= message.control.cut || message.control.fault.is_some();
    end.challenged |= find(message.control, attribute::CHALLENGE).is_some();
    end.responded |= find(message.control, attribute::CHALLENGE_RESPONSE).is_some();
    if let Some(challenge) = octets(message.control, attribute::CHALLENGE) {
        end.challenge.get_or_insert_with(|| challenge.iter().copied().take(MOST_CHALLENGE).collect());
    }
    end.secret_proved = end.secret_proved.or(proof);
}

/// Whether a control message says more than that another one came, or that its sender is there.
pub(super) fn says_something(control: &Control) -> bool {
    let quiet = [MessageType::HELLO, MessageType::ACK];
    !control.zlb && !control.message.is_some_and(|message| quiet.contains(&message))
}

/// A copy that can be kept: without challenges, proofs and hidden values.
pub(super) fn without_secrets(control: &Control) -> Control {
    let mut kept = control.clone();
    for avp in &mut kept.avps {
        match &avp.value {
            _ if avp.hidden => avp.value = AvpValue::Hidden,
            AvpValue::Octets(_) if (avp.vendor, avp.attribute) != (0, CAPABILITIES) => {
                avp.value = AvpValue::Octets(Box::default());
            }
            _ => {}
        }
    }
    kept
}
