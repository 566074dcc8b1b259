//! What one message says, as a name and fields with shown values: what differs by nature between two runs (IDs, serial
//! numbers, challenges, addresses, magic numbers) is there as a field without a value, secrets never have one.

use crate::dissect::avp_table::{attribute, avp_name};
use crate::dissect::l2tp_names::{cdn_reason, disconnect_name, error_name, stop_ccn_reason};
use crate::dissect::layers::{
    Avp, AvpValue, Control, Ike, MessageType, PppBody, PppControl, PppOption, PppOptionValue, ResultCode,
};
use crate::dissect::ppp_names::{
    CHAP, EAP, PAP, chap_algorithm_name, code_name, eap_type_name, option_name, protocol_name,
};
use crate::util::Printable;

use super::ike_words;

/// What a message said, and whether the capture cut it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spoken<'a> {
    /// A control message.
    Control(&'a Control, bool),
    /// A packet of a PPP control or authentication protocol.
    Ppp(&'a PppControl, bool),
    /// An IKE message.
    Ike(&'a Ike, bool),
}

impl Spoken<'_> {
    /// Whether the capture cut it.
    pub(super) fn is_cut(&self) -> bool {
        let (Self::Control(_, cut) | Self::Ppp(_, cut) | Self::Ike(_, cut)) = self;
        *cut
    }
}

/// One message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Utterance {
    /// `SCCRQ`, `LCP Configure-Request`, `IKEv1 main, Key Exchange`.
    pub name: String,
    /// Messages of one end in the same lane follow each other in an order that timing does not change.
    pub lane: u16,
    /// What it says.
    pub fields: Vec<Field>,
    /// It ends something for a reason: with another one it is another message.
    pub closes: bool,
    /// It belongs to an end, which comes when somebody wants it.
    pub ends: bool,
    /// Not all of it could be read: what is missing says nothing.
    pub partial: bool,
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub name: String,
    /// Its value as it is compared; empty if only that it is there may be compared.
    pub value: String,
    /// Its value as it is shown, if that tells more.
    pub shown: Option<String>,
    /// It says who the sender is: two clients differ in it without any harm.
    pub identity: bool,
}

/// Longest text of a peer that is repeated.
const TEXT: usize = 80;

impl Field {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), shown: None, identity: false }
    }

    /// Its value as it is shown.
    pub(super) fn text(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.value)
    }

    fn who(name: impl Into<String>, value: &Printable) -> Self {
        Self { name: name.into(), value: quoted(value), shown: None, identity: true }
    }
}

fn quoted(text: &Printable) -> String {
    format!("\"{}\"", text.clipped(TEXT))
}

/// A message in words; `None` if it only shows that its sender is there.
pub(super) fn utterance(spoken: &Spoken<'_>) -> Option<Utterance> {
    match spoken {
        Spoken::Control(control, _) => Some(self::control(control)),
        Spoken::Ppp(ppp, _) => Some(self::ppp(ppp)),
        Spoken::Ike(ike, _) => ike_words::utterance(ike),
    }
}

fn control(control: &Control) -> Utterance {
    let name = match control.message {
        Some(message) if message.name() == "unknown" => format!("message {}", message.0),
        Some(message) => message.name().to_owned(),
        None => String::from("unknown message"),
    };
    let fields = control.avps.iter().filter_map(|avp| self::avp(control.message, avp)).collect();
    let closes =
        control.message.is_some_and(|kind| [MessageType::STOP_CCN, MessageType::CDN].contains(&kind));
    let partial = control.cut || control.fault.is_some();
    Utterance { name, lane: 0, fields, closes, ends: closes, partial }
}

/// AVPs that only tell who somebody is, or what his line is like.
const IDENTITY: &[u16] = &[
    6, // Firmware Revision
    attribute::HOST_NAME,
    attribute::VENDOR_NAME,
    16, // Minimum BPS
    17, // Maximum BPS
    21, // Called Number
    22, // Calling Number
    23, // Sub-Address
    24, // (Tx) Connect Speed
    25, // Physical Channel ID
    attribute::PROXY_AUTHEN_NAME,
    38, // Rx Connect Speed
    60, // Router ID
];

/// AVPs whose numbers are another in each run.
const BY_NATURE: &[u16] = &[
    attribute::TIE_BREAKER,
    attribute::ASSIGNED_TUNNEL_ID,
    attribute::ASSIGNED_SESSION_ID,
    attribute::CALL_SERIAL_NUMBER,
    attribute::PROXY_AUTHEN_ID,
    attribute::ASSIGNED_CONNECTION_ID,
    attribute::LOCAL_SESSION_ID,
    attribute::REMOTE_SESSION_ID,
];

fn avp(message: Option<MessageType>, avp: &Avp) -> Option<Field> {
    let ietf = avp.vendor == 0;
    if ietf && [attribute::MESSAGE_TYPE, attribute::RANDOM_VECTOR].contains(&avp.attribute) {
        return None;
    }
    let name = avp_name(avp.vendor, avp.attribute)
        .map_or_else(|| format!("AVP {} of vendor {}", avp.attribute, avp.vendor), str::to_owned);
    if avp.hidden {
        return Some(Field::new(name, "hidden"));
    }
    let value = match &avp.value {
        _ if ietf && BY_NATURE.contains(&avp.attribute) => String::new(),
        AvpValue::Number(bits) if ietf && matches!(avp.attribute, 3 | 19) => pair(*bits, "async", "sync"),
        AvpValue::Number(bits) if ietf && matches!(avp.attribute, 4 | 18) => pair(*bits, "analog", "digital"),
        AvpValue::Number(number) => number.to_string(),
        AvpValue::Text(text) => quoted(text),
        AvpValue::Version(version, revision) => format!("{version}.{revision}"),
        AvpValue::Result(result) => self::result(message, result),
        AvpValue::Cause(cause, number, advisory) => {
            format!("{cause}, message {number}, {}", quoted(advisory))
        }
        AvpValue::Disconnect(code, ..) => named(u64::from(*code), disconnect_name(u64::from(*code))),
        AvpValue::Octets(octets) if !octets.is_empty() => hex(octets),
        AvpValue::Unreadable => String::from("unreadable"),
        _ => String::new(),
    };
    Some(Field { name, value, shown: None, identity: ietf && IDENTITY.contains(&avp.attribute) })
}

fn pair(bits: u64, one: &str, two: &str) -> String {
    match bits & 3 {
        0 => String::from("none"),
        1 => format!("{two} only"),
        2 => format!("{one} only"),
        _ => format!("{one} and {two}"),
    }
}

fn result(message: Option<MessageType>, result: &ResultCode) -> String {
    let stop = message == Some(MessageType::STOP_CCN);
    let reason = if stop { stop_ccn_reason(result.code) } else { cdn_reason(result.code) };
    let mut out = named(result.code.into(), reason);
    if let Some(error) = result.error.filter(|error| *error != 0) {
        out += &format!(", error {}", named(error.into(), error_name(error.into())));
    }
    if let Some(text) = result.message.as_ref().filter(|text| !text.is_empty()) {
        out += &format!(", {}", quoted(text));
    }
    out
}

/// `4 (busy)`.
pub(super) fn named(number: u64, name: Option<&str>) -> String {
    name.map_or_else(|| number.to_string(), |name| format!("{number} ({name})"))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().take(16).map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ")
}

const CONFIGURE_ACK: u8 = 2;
const TERMINATE_REQUEST: u8 = 5;
const TERMINATE_ACK: u8 = 6;
/// Authenticate-Nak (RFC 1334 section 2.2.2).
const PAP_NAK: u8 = 3;
/// Failure (RFC 1994 section 4.2).
const CHAP_FAILURE: u8 = 4;
/// IP-Compression-Protocol (RFC 1332 section 3.2).
const IP_COMPRESSION: (u16, u8) = (0x8021, 2);

fn ppp(control: &PppControl) -> Utterance {
    let protocol = protocol_name(control.protocol.into())
        .map_or_else(|| format!("PPP protocol {:#06x}", control.protocol), str::to_owned);
    let code = code_name(control.protocol, control.code)
        .map_or_else(|| format!("code {}", control.code), str::to_owned);
    let name = if code.starts_with(&protocol) { code } else { format!("{protocol} {code}") };
    let refusal = if control.protocol == PAP { PAP_NAK } else { CHAP_FAILURE };
    let fields = match &control.body {
        // An Ack repeats the request (RFC 1661 section 5.2), and a welcome says nothing that matters.
        PppBody::Options(_) if control.code == CONFIGURE_ACK => Vec::new(),
        PppBody::Message(_) if [PAP, CHAP].contains(&control.protocol) && control.code != refusal => {
            Vec::new()
        }
        PppBody::Message(_) if control.code == TERMINATE_ACK => Vec::new(),
        PppBody::Options(options) => {
            options.iter().map(|option| self::option(control.protocol, option)).collect()
        }
        PppBody::Message(text) if !text.is_empty() => vec![Field::new("Message", message(control, text))],
        PppBody::ProtocolReject(number) => {
            let rejected = protocol_name((*number).into());
            vec![Field::new(
                "Rejected-Protocol",
                rejected.map_or_else(|| format!("{number:#06x}"), str::to_owned),
            )]
        }
        PppBody::CodeReject(number) => vec![Field::new("Rejected-Code", number.to_string())],
        PppBody::PapRequest { name, .. } => vec![Field::who("Peer-ID", name)],
        PppBody::Chap { name, .. } => vec![Field::who("Name", name)],
        PppBody::Eap { kind, identity, .. } => {
            let kind = Field::new("Type", named(u64::from(*kind), eap_type_name((*kind).into())));
            let identity = identity.as_ref().map(|identity| Field::who("Identity", identity));
            [Some(kind), identity].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    let lane = if [PAP, CHAP, EAP].contains(&control.protocol) { PAP } else { control.protocol };
    let ends = lane != PAP && [TERMINATE_REQUEST, TERMINATE_ACK].contains(&control.code);
    let closes = ends && control.code == TERMINATE_REQUEST;
    Utterance { name, lane, fields, closes, ends, partial: false }
}

/// The text of an answer. The challenge for another attempt, which is another in each run (RFC 2759 section 6), is left
/// out.
fn message(control: &PppControl, text: &Printable) -> String {
    if control.protocol != CHAP {
        return quoted(text);
    }
    let kept = |word: &&str| !word.starts_with("S=") && !word.starts_with("C=");
    let words: Vec<&str> = text.as_str().split(' ').filter(kept).collect();
    quoted(&Printable::from_text(&words.join(" ")))
}

/// Magic-Number, and the Interface-Identifier of IPV6CP.
fn by_nature(protocol: u16, kind: u8) -> bool {
    matches!((protocol, kind), (0xc021, 5) | (0x8057, 1))
}

fn option(protocol: u16, option: &PppOption) -> Field {
    let name =
        option_name(protocol, option.kind).map_or_else(|| format!("option {}", option.kind), str::to_owned);
    let value = match option.value {
        _ if by_nature(protocol, option.kind) => String::new(),
        PppOptionValue::Number(number) if (protocol, option.kind) == IP_COMPRESSION => {
            protocol_name(number).map_or_else(|| format!("{number:#06x}"), str::to_owned)
        }
        PppOptionValue::Number(number) if option.length > 4 => format!("{number:#010x}"),
        PppOptionValue::Number(number) => number.to_string(),
        // Which address it is, is a matter of the pool; whether one is asked for, is not.
        PppOptionValue::Address(address) if address.is_unspecified() => String::from("0.0.0.0"),
        PppOptionValue::Address(_) => String::from("an address"),
        PppOptionValue::Authentication(number, algorithm) => {
            let method = protocol_name(number.into()).unwrap_or("unknown protocol");
            match algorithm.map(|algorithm| named(algorithm.into(), chap_algorithm_name(algorithm.into()))) {
                Some(algorithm) => format!("{method} {algorithm}"),
                None => method.to_owned(),
            }
        }
        PppOptionValue::Unreadable => String::from("unreadable"),
        _ => String::new(),
    };
    let shown = match option.value {
        PppOptionValue::Address(address) => Some(address.to_string()),
        _ => None,
    };
    Field { shown, ..Field::new(name, value) }
}
