//! What happens while a capture goes on, as it happens: facts with a time, not judgements.

use crate::util::Timestamp;

use super::ladder::Effect;
use super::{Analysis, CallId, ConnectionId, FlowId, Meta, Tracker};
use crate::analysis::control::call::Call;
use crate::analysis::control::delivery::MessageKind;
use crate::analysis::ppp::session::{Outcome, protocol};
use crate::dissect::layers::MessageType;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The packet that shows it.
    pub packet: u64,
    /// When it came.
    pub time: Timestamp,
    /// What it was.
    pub what: What,
}

/// What can happen. Ids hold until the tracker lets go of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An IKE SA was established, or its messages show how it failed: its index.
    Ike(usize),
    /// The first packet of an SA.
    Sa(FlowId),
    /// The first packet of an SA that could not be opened: no key, or the ICV does not hold.
    SaSealed(FlowId),
    /// A control connection was established.
    ConnectionUp(ConnectionId),
    /// An end sent a Hello again.
    HelloResent(ConnectionId, u8),
    /// A message was sent again and again without an answer.
    ConnectionDead(ConnectionId),
    /// Its peer, taken for dead, acknowledged a message.
    ConnectionAlive(ConnectionId),
    /// A StopCCN closed it.
    ConnectionClosed(ConnectionId),
    /// A call was established.
    CallUp(CallId),
    /// PPP authentication failed.
    UserRefused(CallId),
    /// A network control protocol of its PPP opened: which.
    NetworkUp(CallId, u16),
    /// A CDN closed it.
    CallClosed(CallId),
}

/// Events that wait to be taken: more than ever happen between two ticks, unless it is a flood.
const MOST_WAITING: usize = 16_384;
/// SAs of which the first packet is an event: more than that is a flood of SPIs.
const MOST_SAS: usize = 1024;

/// Events that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: Vec<Event>,
}

impl Tracker {
    /// Keeps from now on what happens.
    pub(crate) fn watch(&mut self) {
        self.events = Some(Events::default());
    }

    /// What happened since the last call.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.events.as_mut().map(|events| std::mem::take(&mut events.waiting)).unwrap_or_default()
    }

    /// What was found so far: without what can be said at the end only.
    pub(crate) fn so_far(&self) -> &Analysis {
        &self.state
    }

    pub(super) fn happened(&mut self, meta: &Meta, what: What) {
        if let Some(events) = &mut self.events
            && events.waiting.len() < MOST_WAITING
        {
            events.waiting.push(Event { packet: meta.packet, time: meta.time, what });
        }
    }

    /// What a control message made happen.
    pub(super) fn control_happened(
        &mut self,
        meta: &Meta,
        (id, from): (ConnectionId, u8),
        kind: MessageKind,
        resent: bool,
        effect: Effect,
    ) {
        if self.events.is_none() {
            return;
        }
        match effect {
            Effect::Established => self.happened(meta, What::ConnectionUp(id)),
            Effect::CallEstablished(call) => self.happened(meta, What::CallUp(call)),
            Effect::CallClosed(call, _) => self.happened(meta, What::CallClosed(call)),
            Effect::Closed(_) if self.state.connection(id).is_some_and(|one| one.closed_by == Some(from)) => {
                self.happened(meta, What::ConnectionClosed(id));
            }
            _ => {}
        }
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        let dead = connection.looks_dead();
        let told = connection.told_dead;
        connection.told_dead = dead && (told || resent);
        // One line says that it is dead; more Hellos say nothing new.
        if resent && !told && kind.is(MessageType::HELLO) {
            self.happened(meta, What::HelloResent(id, from));
        }
        if dead && !told && resent {
            self.happened(meta, What::ConnectionDead(id));
        } else if told && !dead && !matches!(effect, Effect::Closed(_)) {
            self.happened(meta, What::ConnectionAlive(id));
        }
    }

    /// What the first packet of a flow, or its first that could not be opened, made happen.
    pub(super) fn esp_happened(&mut self, meta: &Meta, id: FlowId, first: bool, sealed: bool) {
        if self.events.is_none() || id.0 as usize >= MOST_SAS {
            return;
        }
        if sealed {
            self.happened(meta, What::SaSealed(id));
        } else if first {
            self.happened(meta, What::Sa(id));
        }
    }
}

/// How far the PPP of a call came: whether a user was refused, and how many network layers opened.
pub(super) fn stage(call: &Call) -> (bool, usize) {
    let refused = call.ppp.authentication.outcome == Some(Outcome::Failure);
    let open = call.ppp.ncps.iter().filter(|(number, ncp)| *number != protocol::CCP && ncp.opened).count();
    (refused, open)
}
