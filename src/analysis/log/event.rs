//! What happened, in the order of time.

use std::sync::Arc;

use crate::dissect::layers::{Control, Ike, PppControl, SessionId, TunnelId};
use crate::util::seq::Seq16;
use crate::util::{Duration, Timestamp};

use crate::analysis::control::message::MessageKind;
use crate::analysis::ids::CallId;
use crate::analysis::meta::At;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// The packet that shows it, and when.
    pub at: At,
    /// Which end did it.
    pub end: u8,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum What {
    /// A control message, or resends of one that follow each other.
    Message(Message),
    /// Data messages that follow each other.
    Data(Data),
    /// Something changed that no control message says.
    Changed(Change),
    /// What a packet said beside control messages: PPP negotiation and IKE. Kept only where it is asked for.
    Said(Arc<Said>),
}

/// A control message.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it is.
    pub kind: MessageKind,
    /// Its Ns and Nr.
    pub numbers: Option<(Seq16, Seq16)>,
    /// The call that it is about.
    pub call: Option<CallId>,
    /// Of resends the last packet.
    pub last_packet: u64,
    /// How many packets: more than one for resends in a row.
    pub copies: u32,
    /// Sent before with the same Ns.
    pub resent: bool,
    /// The capture cut it.
    pub cut: bool,
    /// What it did.
    pub effect: Effect,
    /// The first packet of its receiver that acknowledges it; packet 0 is none.
    pub(in crate::analysis) acknowledged: At,
    /// What it said, without secrets, where that is asked for.
    pub said: Option<Box<Control>>,
}

/// What a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing worth a word.
    None,
    /// It assigned a tunnel ID.
    Tunnel(TunnelId),
    /// It established the control connection.
    Established,
    /// It assigned a session ID to a call.
    Session(CallId, Option<SessionId>),
    /// It established a call.
    CallEstablished(CallId),
    /// It acknowledged a message after so long.
    Acknowledged(Duration),
    /// It closed a call: result code and error code.
    CallClosed(CallId, Option<(u16, Option<u16>)>),
    /// It closed the control connection: result code and error code.
    Closed(Option<(u16, Option<u16>)>),
}

/// Data messages that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Data {
    /// The last packet.
    pub last_packet: u64,
    /// When it came.
    pub last_time: Timestamp,
    /// How many from each end.
    pub count: [u64; 2],
}

/// Something that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// An end sent a Hello again.
    HelloResent,
    /// A message was sent again and again without an answer.
    Dead,
    /// The peer, taken for dead, acknowledged a message.
    Alive,
    /// The initiator began anew; what it had is gone.
    Restarted,
    /// PPP authentication failed.
    UserRefused,
    /// A network control protocol of PPP opened: which.
    NetworkUp(u16),
    /// The first packet of an SA.
    FirstPacket,
    /// The first packet of an SA that could not be opened.
    FirstSealed,
    /// An IKE SA was established, or its messages show how it failed.
    IkeOutcome,
}

/// What a packet said. No proofs, challenges, random vectors and hidden values: they are emptied.
#[derive(Debug)]
pub struct Said {
    /// The capture cut the packet.
    pub cut: bool,
    /// A packet of a PPP control or authentication protocol.
    pub ppp: Option<PppControl>,
    /// An IKE message.
    pub ike: Option<Ike>,
}

impl Message {
    /// The first packet of its receiver that acknowledges it.
    pub fn acknowledged(&self) -> Option<At> {
        Some(self.acknowledged).filter(|at| at.packet > 0)
    }
}

impl Event {
    /// The receiver of a message has acknowledged it.
    pub(in crate::analysis) fn acknowledge(&mut self, at: At) {
        if let What::Message(message) = &mut self.what
            && message.acknowledged().is_none()
        {
            message.acknowledged = at;
        }
    }

    /// The turn of a message has come: what it did, and which call it is about.
    pub(in crate::analysis) fn complete(&mut self, effect: Effect, call: Option<CallId>) {
        if let What::Message(message) = &mut self.what {
            message.call = call;
            if effect != Effect::None {
                message.effect = effect;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_small() {
        assert!(size_of::<Event>() <= 96, "{}", size_of::<Event>());
    }
}
