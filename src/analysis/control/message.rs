//! What a control message says (RFC 2661 sections 3.2 and 4): its kind, and the AVPs that move states.

use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{Avp, AvpValue, Control, L2tp, MessageType, ResultCode, SessionId, TunnelId};
use crate::util::Printable;
use crate::util::seq::Seq16;

use crate::analysis::limits;
use crate::analysis::meta::At;

/// What a control message is, as the report names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A message type.
    Known(MessageType),
    /// No AVP at all: an acknowledgement alone.
    Zlb,
    /// A Message Type AVP that cannot be read.
    Unknown,
}

impl MessageKind {
    /// The kind of a message.
    pub(in crate::analysis) fn of(control: &Control) -> Self {
        match control.message {
            Some(message) if message.name() != "unknown" => Self::Known(message),
            Some(_) => Self::Unknown,
            None if find(control, attribute::MESSAGE_TYPE).is_some()
                || control.cut
                || control.fault.is_some() =>
            {
                Self::Unknown
            }
            None => Self::Zlb,
        }
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known(message) => message.name(),
            Self::Zlb => "ZLB",
            Self::Unknown => "unknown",
        }
    }

    /// Whether this takes no number of its own: a ZLB, or the ACK message of RFC 3931 section 6.15.
    pub fn is_acknowledgement(self) -> bool {
        self == Self::Zlb || self.is(MessageType::ACK)
    }

    /// The type of the message, if it has one.
    pub fn message_type(self) -> Option<MessageType> {
        match self {
            Self::Known(message) => Some(message),
            Self::Zlb | Self::Unknown => None,
        }
    }

    /// Whether this is a message of that type.
    pub fn is(self, message: MessageType) -> bool {
        self == Self::Known(message)
    }
}

/// A control message as the capture shows it.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis) struct SeenMessage<'a> {
    pub(in crate::analysis) kind: MessageKind,
    pub(in crate::analysis) control: &'a Control,
    pub(in crate::analysis) header: &'a L2tp,
    /// Assigned Tunnel ID, or Assigned Control Connection ID.
    pub(in crate::analysis) tunnel: Option<TunnelId>,
    /// Assigned Session ID, or Local Session ID.
    pub(in crate::analysis) session: Option<SessionId>,
    pub(in crate::analysis) at: At,
}

impl<'a> SeenMessage<'a> {
    pub(in crate::analysis) fn new(header: &'a L2tp, control: &'a Control, at: At) -> Self {
        let (tunnel, session) = match header.version() {
            3 => (attribute::ASSIGNED_CONNECTION_ID, attribute::LOCAL_SESSION_ID),
            _ => (attribute::ASSIGNED_TUNNEL_ID, attribute::ASSIGNED_SESSION_ID),
        };
        Self {
            kind: MessageKind::of(control),
            control,
            header,
            tunnel: number32(control, tunnel).map(TunnelId),
            session: number32(control, session).map(SessionId),
            at,
        }
    }

    pub(in crate::analysis) fn is(&self, message: MessageType) -> bool {
        self.kind.is(message)
    }

    /// The hash of its AVPs; 0 if hidden ones make each copy another.
    pub(in crate::analysis) fn body(&self) -> u64 {
        if self.control.avps.iter().any(|avp| avp.hidden) { 0 } else { self.control.body }
    }

    /// What is kept of it until its turn has come.
    pub(in crate::analysis) fn sent(&self, ns: Seq16, row: Option<usize>) -> SentMessage {
        SentMessage {
            ns,
            kind: self.kind,
            tunnel: self.tunnel,
            session: self.session,
            header_session: self.header.session_id,
            result: result(self.control),
            serial: number32(self.control, attribute::CALL_SERIAL_NUMBER),
            sequencing: find(self.control, attribute::SEQUENCING_REQUIRED).is_some(),
            at: self.at,
            row,
        }
    }
}

/// What a message says to the state machines of both ends.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct SentMessage {
    pub(in crate::analysis) ns: Seq16,
    pub(in crate::analysis) kind: MessageKind,
    pub(in crate::analysis) tunnel: Option<TunnelId>,
    pub(in crate::analysis) session: Option<SessionId>,
    pub(in crate::analysis) header_session: SessionId,
    pub(in crate::analysis) result: Option<ResultCode>,
    pub(in crate::analysis) serial: Option<u32>,
    /// It has the Sequencing Required AVP.
    pub(in crate::analysis) sequencing: bool,
    pub(in crate::analysis) at: At,
    /// Its place in the log.
    pub(in crate::analysis) row: Option<usize>,
}

pub(in crate::analysis) fn find(control: &Control, wanted: u16) -> Option<&Avp> {
    control.avps.iter().find(|avp| avp.vendor == 0 && avp.attribute == wanted)
}

pub(in crate::analysis) fn number(control: &Control, wanted: u16) -> Option<u64> {
    match find(control, wanted)?.value {
        AvpValue::Number(number) => Some(number),
        _ => None,
    }
}

pub(in crate::analysis) fn number16(control: &Control, wanted: u16) -> Option<u16> {
    number(control, wanted).and_then(|number| u16::try_from(number).ok())
}

pub(in crate::analysis) fn number32(control: &Control, wanted: u16) -> Option<u32> {
    number(control, wanted).and_then(|number| u32::try_from(number).ok())
}

pub(in crate::analysis) fn text(control: &Control, wanted: u16) -> Option<Printable> {
    match &find(control, wanted)?.value {
        AvpValue::Text(text) => Some(text.clipped(limits::TEXT)),
        _ => None,
    }
}

pub(in crate::analysis) fn octets(control: &Control, wanted: u16) -> Option<&[u8]> {
    match &find(control, wanted)?.value {
        AvpValue::Octets(octets) => Some(octets),
        _ => None,
    }
}

fn result(control: &Control) -> Option<ResultCode> {
    match &find(control, attribute::RESULT_CODE)?.value {
        AvpValue::Result(result) => {
            let message = result.message.as_ref().map(|text| text.clipped(limits::TEXT));
            Some(ResultCode { code: result.code, error: result.error, message })
        }
        _ => None,
    }
}

/// The other end of two.
pub(in crate::analysis) fn other(end: u8) -> u8 {
    1u8.saturating_sub(end)
}
