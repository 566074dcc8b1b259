//! The form of one control message, held against the tables of messages and AVPs (RFC 2661 sections 3.1, 4 and 6).
//!
//! It needs no other message: whatever departs from the tables becomes an observation, and the rules say what it means.

use crate::dissect::avp_table::{self, M, attribute, presence, required3, vendor};
use crate::dissect::layers::{Avp, AvpFault, AvpValue, Control, L2tp, MessageType};

/// An AVP by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AvpNumber {
    /// Vendor ID.
    pub vendor: u16,
    /// Attribute Type.
    pub attribute: u16,
}

impl AvpNumber {
    fn of(avp: &Avp) -> Self {
        Self { vendor: avp.vendor, attribute: avp.attribute }
    }

    /// An AVP of the IETF.
    pub const fn ietf(attribute: u16) -> Self {
        Self { vendor: vendor::IETF, attribute }
    }
}

/// A departure from the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// The L bit is clear.
    NoLengthBit,
    /// The S bit is clear.
    NoSequenceBit,
    /// The O bit is set.
    OffsetBit,
    /// The P bit is set.
    PriorityBit,
    /// A reserved bit of the header is set.
    ReservedBits,
    /// The header has Tunnel ID 0.
    TunnelIdZero(MessageType),
    /// The header of an SCCRQ has another Tunnel ID than 0.
    TunnelIdNotZero,
    /// A message about the control connection has a Session ID in its header.
    SessionId(MessageType),
    /// A request for a call has a Session ID in its header.
    RequestSessionId(MessageType),
    /// An AVP Length below 6.
    AvpLengthShort,
    /// An AVP Length past the end of its message.
    AvpOverruns,
    /// Reserved bits of an AVP are set.
    AvpReserved(AvpNumber),
    /// The first AVP is not the Message Type.
    MessageTypeNotFirst,
    /// More than one Message Type.
    MessageTypeTwice,
    /// The Message Type has the M bit clear.
    MessageTypeOptional(MessageType),
    /// The Message Type is hidden.
    MessageTypeHidden,
    /// A message type without a meaning; with the M bit?
    UnknownMessage(MessageType, bool),
    /// A message type that is reserved.
    ReservedMessage(MessageType),
    /// A message without an AVP that it must carry.
    Missing(MessageType, AvpNumber),
    /// A message with an AVP that belongs into others.
    Misplaced(MessageType, AvpNumber),
    /// An AVP that may stand once is there twice.
    Twice(AvpNumber),
    /// An AVP whose M bit is not what its document says; the bit.
    MandatoryBit(AvpNumber, bool),
    /// An AVP is hidden that must not be.
    HiddenForbidden(AvpNumber),
    /// An AVP whose Length does not fit its value.
    ValueLength(AvpNumber, u16),
    /// An AVP without a meaning; with the M bit?
    UnknownAvp(AvpNumber, bool),
    /// A hidden AVP with no Random Vector before it.
    NoRandomVector(AvpNumber),
    /// A hidden AVP of which no secret that was given makes sense.
    Sealed(AvpNumber),
    /// A Random Vector of fewer than 16 octets.
    ShortRandomVector(u16),
    /// An Assigned Tunnel or Session ID of 0.
    AssignedZero(AvpNumber),
    /// A Receive Window Size of 0.
    WindowZero,
    /// A Protocol Version that is not 1.0.
    ProtocolVersion(u8, u8),
    /// An empty Host Name.
    HostNameEmpty,
    /// A proxy authentication of this type lacks an AVP that it needs.
    ProxyIncomplete(u16, AvpNumber),
    /// The response of a proxy authentication that sends passwords stands in the clear, outside ESP.
    ProxyPassword,
    /// A Hello with more than it needs.
    HelloExtra(AvpNumber),
    /// A general error without an Error Code.
    NoErrorCode(MessageType),
    /// An Error Code that wants an explanation, without one.
    NoErrorText(MessageType, u16),
    /// A result code that no document defines, as it stands in the message.
    UnknownResult(MessageType, u16),
}

/// Reserved bits of the header (RFC 2661 section 3.1).
const RESERVED: u16 = 0x34f0;

/// AVPs that may stand several times in one message: Random Vector, and the Disconnect Cause of each direction.
const REPEATABLE: [u16; 2] = [attribute::RANDOM_VECTOR, attribute::DISCONNECT_CAUSE];

/// What a message is checked with beside its own octets.
pub(in crate::analysis) struct Known {
    /// Under ESP.
    pub(in crate::analysis) protected: bool,
    /// Secrets were given, so hidden AVPs should be readable.
    pub(in crate::analysis) secrets: bool,
    /// The sender cannot know the receiver's tunnel ID yet.
    pub(in crate::analysis) nameless: bool,
}

/// Looks at one control message; says each departure once.
pub(in crate::analysis) fn look(header: &L2tp, control: &Control, known: &Known, say: &mut dyn FnMut(Form)) {
    header_bits(header, say);
    match control.fault {
        Some(AvpFault::LengthShort { .. }) => say(Form::AvpLengthShort),
        Some(AvpFault::Overruns { .. }) => say(Form::AvpOverruns),
        None => {}
    }
    if let Some(message) = control.message {
        ids(header, message, known, say);
        message_type(control, message, say);
        if control.fault.is_none() && !control.cut {
            places(control, message, say);
        }
        results(control, message, say);
    }
    let leads = |avp: &Avp| AvpNumber::of(avp) == AvpNumber::ietf(attribute::MESSAGE_TYPE);
    match control.avps.first() {
        Some(first) if !leads(first) => say(Form::MessageTypeNotFirst),
        Some(first) if first.hidden => say(Form::MessageTypeHidden),
        _ => {}
    }
    let mut vector = false;
    for (at, avp) in control.avps.iter().enumerate() {
        let cut = control.cut && at.saturating_add(1) == control.avps.len();
        one(avp, vector, cut, known, say);
        vector |= AvpNumber::of(avp) == AvpNumber::ietf(attribute::RANDOM_VECTOR);
    }
    proxy(control, known, say);
}

/// The same of L2TPv3, as far as RFC 3931 section 6 and the table of AVPs tell.
pub(in crate::analysis) fn look3(control: &Control, say: &mut dyn FnMut(Form)) {
    match control.fault {
        Some(AvpFault::LengthShort { .. }) => return say(Form::AvpLengthShort),
        Some(AvpFault::Overruns { .. }) => return say(Form::AvpOverruns),
        None => {}
    }
    let Some(message) = control.message.filter(|_| !control.cut) else { return };
    let has = |wanted: u16| control.avps.iter().any(|avp| AvpNumber::of(avp) == AvpNumber::ietf(wanted));
    for wanted in required3(message).iter().filter(|wanted| !has(**wanted)) {
        say(Form::Missing(message, AvpNumber::ietf(*wanted)));
    }
    for avp in control.avps.iter().filter(|avp| avp_table::bits(avp.vendor, avp.attribute).is_none()) {
        say(Form::UnknownAvp(AvpNumber::of(avp), avp.mandatory));
    }
}

fn header_bits(header: &L2tp, say: &mut dyn FnMut(Form)) {
    let bits = [
        (!header.has(L2tp::L), Form::NoLengthBit),
        (!header.has(L2tp::S), Form::NoSequenceBit),
        (header.has(L2tp::O), Form::OffsetBit),
        (header.has(L2tp::P), Form::PriorityBit),
        (header.flags & RESERVED != 0, Form::ReservedBits),
    ];
    for (_, form) in bits.into_iter().filter(|(wrong, _)| *wrong) {
        say(form);
    }
}

fn ids(header: &L2tp, message: MessageType, known: &Known, say: &mut dyn FnMut(Form)) {
    let request = message == MessageType::SCCRQ;
    if request && header.tunnel_id.0 != 0 {
        say(Form::TunnelIdNotZero);
    }
    // A StopCCN may refuse a request whose Assigned Tunnel ID could not be read (RFC 2661 section 4.4.3).
    let refusal = message == MessageType::STOP_CCN && known.nameless;
    if !request && !refusal && header.tunnel_id.0 == 0 {
        say(Form::TunnelIdZero(message));
    }
    if header.session_id.0 != 0 {
        match message {
            MessageType::SCCRQ
            | MessageType::SCCRP
            | MessageType::SCCCN
            | MessageType::STOP_CCN
            | MessageType::HELLO => say(Form::SessionId(message)),
            MessageType::ICRQ | MessageType::OCRQ => say(Form::RequestSessionId(message)),
            _ => {}
        }
    }
}

fn message_type(control: &Control, message: MessageType, say: &mut dyn FnMut(Form)) {
    let mut all =
        control.avps.iter().filter(|avp| AvpNumber::of(avp) == AvpNumber::ietf(attribute::MESSAGE_TYPE));
    let mandatory = all.next().is_some_and(|avp| avp.mandatory);
    if all.next().is_some() {
        say(Form::MessageTypeTwice);
    }
    match (message.0, message.name()) {
        (0 | 5 | 13, _) => say(Form::ReservedMessage(message)),
        (_, "unknown") => say(Form::UnknownMessage(message, mandatory)),
        (1..=16, _) if !mandatory => say(Form::MessageTypeOptional(message)),
        _ => {}
    }
}

/// RFC 2661 section 6: what each message must and may carry.
fn places(control: &Control, message: MessageType, say: &mut dyn FnMut(Form)) {
    let Some(table) = presence(message) else { return };
    let has = |wanted: u16| control.avps.iter().any(|avp| AvpNumber::of(avp) == AvpNumber::ietf(wanted));
    for wanted in table.must.iter().filter(|wanted| !has(**wanted)) {
        say(Form::Missing(message, AvpNumber::ietf(*wanted)));
    }
    for (at, avp) in control.avps.iter().enumerate() {
        let number = AvpNumber::of(avp);
        let before = control.avps.get(..at).unwrap_or_default();
        if before.iter().any(|other| AvpNumber::of(other) == number)
            && number.vendor == vendor::IETF
            && !REPEATABLE.contains(&number.attribute)
            && number.attribute != attribute::MESSAGE_TYPE
        {
            say(Form::Twice(number));
        }
        // Later documents put AVPs into more messages than these tables know; RFC 2661 itself is complete.
        let ours = number.vendor == vendor::IETF && number.attribute <= attribute::LAST_OF_RFC2661;
        if ours && !table.must.contains(&number.attribute) && !table.may.contains(&number.attribute) {
            let form = if message == MessageType::HELLO {
                Form::HelloExtra(number)
            } else {
                Form::Misplaced(message, number)
            };
            say(form);
        } else if message == MessageType::HELLO && !ours {
            say(Form::HelloExtra(number));
        }
    }
}

fn one(avp: &Avp, vector: bool, cut: bool, known: &Known, say: &mut dyn FnMut(Form)) {
    let number = AvpNumber::of(avp);
    if avp.reserved != 0 {
        say(Form::AvpReserved(number));
    }
    let Some((mandatory, may_hide)) = avp_table::bits(avp.vendor, avp.attribute) else {
        say(Form::UnknownAvp(number, avp.mandatory));
        return;
    };
    let ietf = avp.vendor == vendor::IETF;
    let wanted = match mandatory {
        M::One => Some(true),
        M::Zero => Some(false),
        M::Any => None,
    };
    if ietf
        && number.attribute != attribute::MESSAGE_TYPE
        && wanted.is_some_and(|wanted| wanted != avp.mandatory)
    {
        say(Form::MandatoryBit(number, avp.mandatory));
    }
    if avp.hidden {
        if ietf && !may_hide && number.attribute != attribute::MESSAGE_TYPE {
            say(Form::HiddenForbidden(number));
        }
        if !vector {
            say(Form::NoRandomVector(number));
        } else if known.secrets && avp.value == AvpValue::Hidden {
            say(Form::Sealed(number));
        }
        return;
    }
    if avp.value == AvpValue::Unreadable && !cut {
        say(Form::ValueLength(number, avp.length));
    }
    if !ietf {
        return;
    }
    match (number.attribute, &avp.value) {
        (attribute::ASSIGNED_TUNNEL_ID | attribute::ASSIGNED_SESSION_ID, AvpValue::Number(0)) => {
            say(Form::AssignedZero(number));
        }
        (attribute::RECEIVE_WINDOW_SIZE, AvpValue::Number(0)) => say(Form::WindowZero),
        (attribute::PROTOCOL_VERSION, AvpValue::Version(version, revision))
            if (*version, *revision) != (1, 0) =>
        {
            say(Form::ProtocolVersion(*version, *revision));
        }
        (attribute::HOST_NAME, _) if avp.length <= AVP_HEADER => say(Form::HostNameEmpty),
        (attribute::RANDOM_VECTOR, _) if avp.length < AVP_HEADER.saturating_add(GOOD_VECTOR) => {
            say(Form::ShortRandomVector(avp.length.saturating_sub(AVP_HEADER)));
        }
        _ => {}
    }
}

/// Flags and length, Vendor ID, Attribute Type (RFC 2661 section 4.1).
const AVP_HEADER: u16 = 6;
/// "It is recommended that the Random Vector be at least 16 octets" (RFC 2661 section 4.3).
const GOOD_VECTOR: u16 = 16;

fn results(control: &Control, message: MessageType, say: &mut dyn FnMut(Form)) {
    let stop = message == MessageType::STOP_CCN;
    if !stop && message != MessageType::CDN {
        return;
    }
    let values =
        control.avps.iter().filter(|avp| AvpNumber::of(avp) == AvpNumber::ietf(attribute::RESULT_CODE));
    for avp in values {
        let AvpValue::Result(result) = &avp.value else { continue };
        let name = if stop {
            crate::dissect::l2tp_names::stop_ccn_reason(result.code)
        } else {
            crate::dissect::l2tp_names::cdn_reason(result.code)
        };
        if name.is_none() {
            say(Form::UnknownResult(message, result.code));
        }
        // StopCCN 5 has the supported version in the place of the error code.
        let wants = result.code == 2 || (stop && result.code == 5);
        match result.error {
            None if wants => say(Form::NoErrorCode(message)),
            Some(error @ (6 | 8))
                if result.code == 2 && result.message.as_ref().is_none_or(|text| text.is_empty()) =>
            {
                say(Form::NoErrorText(message, error));
            }
            _ => {}
        }
    }
}

/// RFC 2661 section 4.4.5: which AVPs the Proxy Authen Type asks for.
fn proxy(control: &Control, known: &Known, say: &mut dyn FnMut(Form)) {
    let find = |wanted: u16| control.avps.iter().find(|avp| AvpNumber::of(avp) == AvpNumber::ietf(wanted));
    let Some(AvpValue::Number(kind)) = find(attribute::PROXY_AUTHEN_TYPE).map(|avp| &avp.value) else {
        return;
    };
    let kind = u16::try_from(*kind).unwrap_or(u16::MAX);
    let needs = |kinds: &[u16]| kinds.contains(&kind);
    let wanted = [
        (attribute::PROXY_AUTHEN_NAME, needs(&[1, 2, 3, 5])),
        (attribute::PROXY_AUTHEN_CHALLENGE, needs(&[2, 5])),
        (attribute::PROXY_AUTHEN_ID, needs(&[2, 3, 5])),
        (attribute::PROXY_AUTHEN_RESPONSE, needs(&[1, 2, 3, 5])),
    ];
    if control.fault.is_none() && !control.cut {
        for (attribute, _) in
            wanted.into_iter().filter(|(attribute, needed)| *needed && find(*attribute).is_none())
        {
            say(Form::ProxyIncomplete(kind, AvpNumber::ietf(attribute)));
        }
    }
    // Types 1 (text user name and password exchange) and 3 (PAP) carry the password itself.
    let open = find(attribute::PROXY_AUTHEN_RESPONSE).is_some_and(|avp| !avp.hidden);
    if needs(&[1, 3]) && open && !known.protected {
        say(Form::ProxyPassword);
    }
}
