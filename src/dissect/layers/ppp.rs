//! What PPP frames say: values only, never bytes.

use std::sync::Arc;

use crate::ipsec::Secret;
use crate::util::Printable;

use super::Inner;

/// A PPP frame (RFC 1661 section 2).
#[derive(Debug)]
pub struct Ppp {
    /// Protocol number.
    pub protocol: u16,
    /// Address and Control fields (FF 03) are there.
    pub address_control: bool,
    /// Octets of the Protocol field: 1 if compressed, else 2.
    pub protocol_len: u8,
    /// It came inside multilink (RFC 1990 section 3).
    pub multilink: bool,
    /// Octets behind the Protocol field.
    pub payload: u32,
    /// A control protocol's packet.
    pub control: Option<Box<PppControl>>,
    /// The packet of a network layer.
    pub inner: Option<Inner>,
}

/// A packet of a PPP control or authentication protocol: Code, Identifier, and what the protocol makes of the rest.
#[derive(Debug)]
pub struct PppControl {
    /// The PPP protocol number it belongs to.
    pub protocol: u16,
    /// Code.
    pub code: u8,
    /// Identifier.
    pub identifier: u8,
    /// Length field.
    pub length: u16,
    /// What the code and protocol make of the rest.
    pub body: PppBody,
}

impl PppControl {
    /// A copy that can be kept: without passwords, challenges and responses.
    pub(crate) fn without_secrets(&self) -> Self {
        let body = match &self.body {
            PppBody::Options(options) => PppBody::Options(options.clone()),
            PppBody::Message(text) => PppBody::Message(text.clone()),
            PppBody::ProtocolReject(protocol) => PppBody::ProtocolReject(*protocol),
            PppBody::CodeReject(code) => PppBody::CodeReject(*code),
            PppBody::Magic(number) => PppBody::Magic(*number),
            PppBody::PapRequest { name, .. } => PppBody::PapRequest { name: name.clone(), password: None },
            PppBody::Chap { name, .. } => {
                PppBody::Chap { name: name.clone(), value: Arc::new(Secret::new(Vec::new())) }
            }
            PppBody::Eap { kind, identity, .. } => {
                PppBody::Eap { kind: *kind, identity: identity.clone(), value: None }
            }
            PppBody::Other => PppBody::Other,
        };
        Self { body, ..*self }
    }
}

/// What a PPP control packet carries.
#[derive(Debug)]
pub enum PppBody {
    /// Configure-Request, -Ack, -Nak, -Reject: options.
    Options(Vec<PppOption>),
    /// Terminate-Request, -Ack; PAP and CHAP results: a message.
    Message(Printable),
    /// LCP Protocol-Reject: the refused protocol.
    ProtocolReject(u16),
    /// Code-Reject: the refused code.
    CodeReject(u8),
    /// LCP Echo, Discard, Identification, Time-Remaining: the Magic-Number.
    Magic(u32),
    /// PAP Authenticate-Request.
    PapRequest {
        /// Peer-ID field.
        name: Printable,
        /// Password field, if it is there: to be held against those that the user gave, never to be shown.
        password: Option<Secret>,
    },
    /// CHAP Challenge or Response.
    Chap {
        /// Name field.
        name: Printable,
        /// Value field: 16 octets for a challenge of MS-CHAPv2 and responses of MD5, 49 for MS-CHAP responses.
        value: Arc<Secret>,
    },
    /// EAP Request or Response.
    Eap {
        /// EAP type.
        kind: u8,
        /// The identity, of an identity response.
        identity: Option<Printable>,
        /// The Value of an MD5-Challenge, of Request or Response.
        value: Option<Arc<Secret>>,
    },
    /// Nothing more, or nothing known.
    Other,
}

/// A configuration option of LCP or an NCP.
#[derive(Debug, Clone)]
pub struct PppOption {
    /// Type.
    pub kind: u8,
    /// Length field.
    pub length: u8,
    /// Its value, as far as the analysis needs it.
    pub value: PppOptionValue,
}

/// The value of a configuration option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PppOptionValue {
    /// No value.
    Empty,
    /// A number: MRU, ACCM, Magic-Number, MPPE bits, compression protocol …
    Number(u64),
    /// An IP address: of an end, or of a DNS or NBNS server.
    Address(std::net::Ipv4Addr),
    /// Authentication-Protocol, and for CHAP its algorithm.
    Authentication(u16, Option<u8>),
    /// Octets that nobody needs to know.
    Octets,
    /// Too short or too long for its type.
    Unreadable,
}
