//! The typed result of one frame: what the analysis may know of a packet. Values only, never bytes.

use std::fmt;
use std::net::IpAddr;

use crate::field::Short;
use crate::ipsec::{SaId, Spi};
use crate::util::Printable;
use crate::util::seq::Seq16;

use super::Protocol;
use super::ike::contents::Contents;

/// The Tunnel ID of an L2TPv2 header or AVP (RFC 2661 section 3.1), 16 bits, or the Control Connection ID of L2TPv3
/// (RFC 3931 section 3.2.1): the number that its *receiver* gave the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TunnelId(pub u32);

/// The Session ID of an L2TPv2 header or AVP (RFC 2661 section 3.1), 16 bits, or of L2TPv3 (RFC 3931 section 4.1): the
/// number that its *receiver* gave the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SessionId(pub u32);

impl fmt::Display for TunnelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All that is known of one frame.
#[derive(Debug, Default)]
pub struct Layers {
    /// A hash of the packet from the IP header on, less what a router changes (TTL and header checksum). Equal for
    /// the doubles of one packet. `None` if there is no IP header.
    pub digest: Option<u64>,
    /// The outermost IP addresses.
    pub outer: Option<Addresses>,
    /// The IP addresses nearest to what is read now; at the end, those next to UDP or ICMP.
    pub addresses: Option<Addresses>,
    /// A non-ESP marker was read (RFC 3948 section 2.2).
    pub marker: bool,
    /// The outermost ESP packet.
    pub esp: Option<Esp>,
    /// ESP packets inside it, outermost first.
    pub deeper_esp: Vec<Esp>,
    /// An IKE message.
    pub ike: Option<Box<Ike>>,
    /// An ICMP error that quotes a packet.
    pub icmp: Option<Box<IcmpError>>,
    /// A NAT keepalive (RFC 3948 section 2.3).
    pub nat_keepalive: bool,
    /// The UDP header next to L2TP or IKE, with the addresses of the IP header next to it.
    pub udp: Option<Udp>,
    /// The L2TP header.
    pub l2tp: Option<L2tp>,
    /// The version of an L2TP header that is not version 2: 1 (L2F, RFC 2341), 3 (RFC 3931) or no version at all.
    pub other_version: Option<u8>,
    /// What an L2TPv3 header and the control message behind it say.
    pub v3: Option<Box<L2tpV3>>,
    /// The control message behind it.
    pub control: Option<Box<Control>>,
    /// The PPP frame behind it.
    pub ppp: Option<Ppp>,
    /// This frame is, or contains, an IP fragment; or was put together from some.
    pub fragment: Option<Fragment>,
    /// Why dissection ended where it did.
    pub stop: Stop,
    /// The outermost header that promises more octets than there are, though the capture cut nothing.
    pub overrun: Option<Box<Fault>>,
    /// What is wrong with what a user's or a quoted packet carries: read for views alone.
    pub inside: Option<Box<Fault>>,
}

/// What could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// In which protocol.
    pub layer: Protocol,
    /// The read that did not fit.
    pub what: Short,
    /// The capture cut the packet: the fault is none of the packet.
    pub cut: bool,
}

impl Layers {
    /// Notes that a header promises more octets than there are.
    pub(crate) fn overruns(&mut self, layer: Protocol, what: Option<Short>) {
        if let Some(what) = what
            && self.overrun.is_none()
        {
            self.overrun = Some(Box::new(Fault { layer, what, cut: false }));
        }
    }

    /// What could not be read of the packet, the outermost first.
    pub fn fault(&self) -> Option<Fault> {
        if let Some(fault) = &self.overrun {
            return Some(**fault);
        }
        match self.stop {
            Stop::Cut { layer, what } => Some(Fault { layer, what, cut: true }),
            Stop::Malformed { layer, what } => Some(Fault { layer, what, cut: false }),
            _ => self.inside.as_deref().copied(),
        }
    }
}

/// Source and destination of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// Who sent it.
    pub source: IpAddr,
    /// Who is to have it.
    pub destination: IpAddr,
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The IP address.
    pub address: IpAddr,
    /// The UDP port.
    pub port: u16,
}

/// A UDP header with the addresses of the IP header next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp {
    /// Who sent it.
    pub source: Endpoint,
    /// Who is to have it.
    pub destination: Endpoint,
    /// The Checksum field; 0 means that the sender computed none.
    pub checksum: u16,
}

/// What became of an IP fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// Others are missing; nothing behind the IP header was read.
    Waiting,
    /// It completed its datagram, which was read.
    Completed {
        /// How many fragments the datagram had.
        fragments: u16,
        /// How many octets its payload has.
        octets: u32,
    },
}

/// How ESP is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// Directly in IP, protocol 50.
    Ip,
    /// In UDP (RFC 3948).
    Udp,
}

/// The mode of an SA (RFC 4301 section 3.2), as its packets show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A transport protocol is next.
    Transport,
    /// An IP packet is next.
    Tunnel,
}

/// An ESP packet (RFC 4303).
#[derive(Debug, Clone, Copy)]
pub struct Esp {
    /// Security Parameters Index.
    pub spi: Spi,
    /// Sequence Number.
    pub sequence: u32,
    /// The addresses of the IP header before it.
    pub addresses: Addresses,
    /// In IP or in UDP.
    pub encapsulation: Encapsulation,
    /// From which port to which, if in UDP.
    pub ports: Option<(u16, u16)>,
    /// Length from the SPI to the end of the ICV, in octets.
    pub octets: u32,
    /// What came of opening it.
    pub outcome: EspOutcome,
    /// There is no key for it, and what it carries can be read as it stands: NULL encryption, as far as one packet shows.
    pub legible: bool,
}

/// What came of opening an ESP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EspOutcome {
    /// The ICV holds (or there is none, and padding and next header are right).
    Opened {
        /// The SA whose key fits.
        sa: SaId,
        /// Transport or tunnel.
        mode: Mode,
        /// The name of the integrity algorithm that verified; not what the key says if the ICV is cut to 96 bits.
        integrity: &'static str,
        /// The high half of the extended sequence number, if the SA has them.
        high: Option<u32>,
        /// The Next Header field.
        next_header: u8,
        /// The padding is 1, 2, 3 … (RFC 4303 section 2.4).
        padding_ok: bool,
        /// Octets follow the packet inside (TFC padding, RFC 4303 section 2.7).
        tfc: bool,
    },
    /// No key for this SPI.
    NoKey,
    /// A key, but for a suite that cannot be opened.
    Unsupported {
        /// The SA.
        sa: SaId,
    },
    /// The ICV does not hold.
    BadIcv {
        /// The SA whose key was tried last.
        sa: SaId,
    },
    /// No ICV, and the padding or next header is wrong; or a pad length beyond the packet.
    BadPadding {
        /// The SA whose key was tried last.
        sa: SaId,
    },
    /// The capture lacks a part of it.
    Cut,
    /// Too short to be ESP.
    TooShort,
}

/// The header of an IKE message (RFC 2408 section 3.1, RFC 7296 section 3.1), and what it shows in the clear.
#[derive(Debug, Clone)]
pub struct Ike {
    /// SPI (IKEv1: cookie) of the initiator.
    pub initiator_spi: u64,
    /// SPI (IKEv1: cookie) of the responder; 0 in the first message.
    pub responder_spi: u64,
    /// Type of the first payload.
    pub next_payload: u8,
    /// Major version: 1 or 2.
    pub version: u8,
    /// Exchange type.
    pub exchange: u8,
    /// Flags octet.
    pub flags: u8,
    /// Message ID.
    pub message_id: u32,
    /// Length of the message, in octets.
    pub length: u32,
    /// Behind a non-ESP marker.
    pub marker: bool,
    /// Notify message types of notify payloads in the clear, or that keys opened.
    pub notifies: Vec<u16>,
    /// Its place among other messages matters: it is encrypted with a key that is known, or teaches how others are, or
    /// is a fragment.
    pub in_order: bool,
    /// What its payloads say.
    pub contents: Contents,
    /// Source and destination with their ports.
    pub endpoints: Option<(Endpoint, Endpoint)>,
}

/// An ICMP or ICMPv6 error and the flow that it quotes.
#[derive(Debug, Clone)]
pub struct IcmpError {
    /// ICMPv6?
    pub v6: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Who sent the error, and to whom.
    pub addresses: Addresses,
    /// The addresses of the quoted packet.
    pub quoted: Option<Addresses>,
    /// Its transport protocol.
    pub quoted_protocol: u8,
    /// Its ports, if it is UDP and they are quoted.
    pub quoted_ports: Option<(u16, u16)>,
    /// The MTU of the next hop, if the error tells.
    pub mtu: Option<u32>,
}

/// An L2TP header (RFC 2661 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct L2tp {
    /// The first two octets: T, L, S, O, P bits, reserved bits and version.
    pub flags: u16,
    /// Length field, if the L bit is set.
    pub length: Option<u16>,
    /// Tunnel ID: the receiver's.
    pub tunnel_id: TunnelId,
    /// Session ID: the receiver's.
    pub session_id: SessionId,
    /// Ns, if the S bit is set.
    pub ns: Option<Seq16>,
    /// Nr, if the S bit is set.
    pub nr: Option<Seq16>,
    /// Offset Size, if the O bit is set.
    pub offset: Option<u16>,
    /// How many octets follow the header, within its Length and the datagram.
    pub payload: u32,
}

impl L2tp {
    /// The T bit: a control message.
    pub const T: u16 = 0x8000;
    /// The L bit: a Length field.
    pub const L: u16 = 0x4000;
    /// The S bit: Ns and Nr fields.
    pub const S: u16 = 0x0800;
    /// The O bit: an Offset Size field.
    pub const O: u16 = 0x0200;
    /// The P bit: priority.
    pub const P: u16 = 0x0100;

    /// Whether this is a control message.
    pub fn is_control(&self) -> bool {
        self.flags & Self::T != 0
    }

    /// The Ver field.
    pub fn version(&self) -> u8 {
        (self.flags & 0xf) as u8
    }

    /// Whether all bits of `mask` are set.
    pub fn has(&self, mask: u16) -> bool {
        self.flags & mask == mask
    }
}

/// An L2TPv3 packet (RFC 3931 section 3.2): a control message, or data of a session.
#[derive(Debug, Clone, Default)]
pub struct L2tpV3 {
    /// The first two octets of a control message: T, L and S bits, version.
    pub flags: u16,
    /// Control Connection ID: the receiver's.
    pub connection: Option<u32>,
    /// Ns, of a control message.
    pub ns: Option<Seq16>,
    /// Nr, of a control message.
    pub nr: Option<Seq16>,
    /// The control message.
    pub control: Option<Box<Control>>,
    /// Session ID of data: the receiver's.
    pub session: Option<u32>,
    /// How the data is laid out, if it is known.
    pub carried: Option<Carried>,
    /// Octets behind the Session ID of data; behind cookie and sublayer, where the layout is known.
    pub payload: u32,
}

/// What stands between a Session ID and the frame of a pseudowire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The Pseudowire Type.
    pub pseudowire: u16,
    /// Octets of cookie.
    pub cookie: u8,
    /// The L2-Specific Sublayer Type.
    pub sublayer: u16,
    /// The sequence number, if the sublayer has the S bit set.
    pub sequence: Option<u32>,
    /// No control message said so: the inner headers prove it.
    pub inferred: bool,
}

/// The type of a control message (RFC 2661 section 3.2). Unknown numbers survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u16);

/// A control message: its AVPs.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its type; `None` for a ZLB, and where the Message Type AVP is missing or unreadable.
    pub message: Option<MessageType>,
    /// Nothing follows the header: a zero-length body message, an acknowledgement alone.
    pub zlb: bool,
    /// The AVPs that were read, in order.
    pub avps: Vec<Avp>,
    /// A hash of the octets behind Nr: equal for the resends of one message (RFC 2661 section 5.8).
    pub body: u64,
    /// The capture cut it: AVPs at its end are missing.
    pub cut: bool,
    /// What stopped the walk over the AVPs, if not the end.
    pub fault: Option<AvpFault>,
}

/// What stopped the walk over the AVPs of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AvpFault {
    /// Length below 6 (RFC 2661 section 4.1).
    LengthShort {
        /// The Length field.
        length: u16,
        /// Offset of the AVP in the message.
        offset: u32,
    },
    /// Length past the end of the message.
    Overruns {
        /// The Length field.
        length: u16,
        /// What was left of the message.
        available: u32,
        /// Offset of the AVP in the message.
        offset: u32,
    },
}

/// One AVP (RFC 2661 section 4.1).
#[derive(Debug, Clone)]
pub struct Avp {
    /// Vendor ID; 0 is the IETF.
    pub vendor: u16,
    /// Attribute Type.
    pub attribute: u16,
    /// The M bit.
    pub mandatory: bool,
    /// The H bit: the value is hidden.
    pub hidden: bool,
    /// The reserved bits, in place.
    pub reserved: u16,
    /// Length field, header included.
    pub length: u16,
    /// The value.
    pub value: AvpValue,
}

/// The value of an AVP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AvpValue {
    /// No value.
    Empty,
    /// A number of one, two, four or eight octets.
    Number(u64),
    /// Text.
    Text(Printable),
    /// Octets that mean something only to a proof: Challenge, Random Vector, proxy LCP …
    Octets(Box<[u8]>),
    /// Protocol Version: version and revision.
    Version(u8, u8),
    /// Result Code.
    Result(ResultCode),
    /// Q.931 Cause Code: cause code, cause message, advisory.
    Cause(u16, u8, Printable),
    /// PPP Disconnect Cause Code (RFC 3145): code, control protocol, direction, message.
    Disconnect(u16, u16, u8, Printable),
    /// Call Errors (RFC 2661 section 4.4.6): CRC, framing, hardware overruns, buffer overruns, time-outs, alignment.
    CallErrors([u32; 6]),
    /// ACCM: send and receive.
    Accm(u32, u32),
    /// Hidden, and no secret to unhide it.
    Hidden,
    /// The value is too short or too long for its type; or the capture cut it.
    Unreadable,
}

/// The Result Code AVP (RFC 2661 section 4.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultCode {
    /// Result Code.
    pub code: u16,
    /// Error Code, if there is one.
    pub error: Option<u16>,
    /// Error Message, if there is one.
    pub message: Option<Printable>,
}

/// A PPP frame (RFC 1661 section 2).
#[derive(Debug)]
pub struct Ppp {
    /// Protocol number.
    pub protocol: u16,
    /// Address and Control fields (FF 03) are there.
    pub address_control: bool,
    /// Octets of the Protocol field: 1 if compressed, else 2.
    pub protocol_len: u8,
    /// Octets behind the Protocol field.
    pub payload: u32,
    /// A control protocol's packet.
    pub control: Option<Box<PppControl>>,
    /// The packet of a network layer.
    pub inner: Option<Inner>,
}

/// A packet of a PPP control or authentication protocol: Code, Identifier, and what the protocol makes of the rest.
#[derive(Debug, Clone)]
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

/// What a PPP control packet carries.
#[derive(Debug, Clone)]
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
    /// PAP Authenticate-Request: the Peer-ID. The password is not kept.
    PapRequest(Printable),
    /// CHAP Challenge or Response: Name and size of the value.
    Chap {
        /// Name field.
        name: Printable,
        /// Value-Size: 16 for a challenge of MS-CHAPv2 and responses of MD5, 49 for MS-CHAP responses.
        size: u8,
    },
    /// EAP Request or Response.
    Eap {
        /// EAP type.
        kind: u8,
        /// The identity, of an identity response.
        identity: Option<Printable>,
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

/// The packet of a network layer inside PPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// Its addresses, if it is IP.
    pub addresses: Option<Addresses>,
    /// Its transport protocol.
    pub protocol: u8,
    /// Its ports, if TCP or UDP.
    pub ports: Option<(u16, u16)>,
    /// Its sequence number, if TCP.
    pub sequence: Option<u32>,
}

/// Why dissection of a frame ended.
#[derive(Debug, Clone, Copy, Default)]
pub enum Stop {
    /// All was read that this tool reads.
    #[default]
    Complete,
    /// The capture cut the packet; `what` could not be read.
    Cut {
        /// In which protocol.
        layer: Protocol,
        /// The read that did not fit.
        what: Short,
    },
    /// The packet breaks its format.
    Malformed {
        /// In which protocol.
        layer: Protocol,
        /// The read that did not fit.
        what: Short,
    },
    /// An IP fragment that waits for others.
    Fragment,
    /// ESP that could not be opened.
    Sealed,
    /// A UDP datagram on ports that are not known to carry anything of ours.
    UnknownPort,
    /// A protocol that is not looked into.
    NotOurs,
    /// More than so many protocols inside each other.
    TooDeep,
}
