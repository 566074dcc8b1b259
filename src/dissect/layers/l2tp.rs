//! What L2TP headers, control messages and AVPs say: values only, never bytes.

use std::fmt;

use crate::util::Printable;
use crate::util::seq::Seq16;

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

/// What keeps the header from being read, beside a datagram that is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L2tpFault {
    /// The Length ends within the header.
    LengthShort,
    /// The Offset Size goes past the message.
    OffsetLong,
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
    /// What its Message Digest shows, if it has one.
    pub digest: Option<DigestCheck>,
    /// Session ID of data: the receiver's.
    pub session: Option<u32>,
    /// How the data is laid out, if it is known.
    pub carried: Option<Carried>,
    /// Octets behind the Session ID of data; behind cookie and sublayer, where the layout is known.
    pub payload: u32,
}

/// What the Message Digest of a control message of L2TPv3 shows (RFC 3931 sections 4.3 and 5.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestCheck {
    /// It is made with a secret that was given.
    Proved,
    /// It is made without a secret, as a check of integrity, and no end is known to have sent a nonce.
    Intact,
    /// It is made with no secret that was given.
    Wrong,
    /// No end sent a nonce, and it holds neither as a check of integrity nor with a secret.
    Damaged,
    /// It cannot be checked: the message in which an end may have sent its nonce was not seen.
    Unseen,
    /// It cannot be checked: there is no secret for this tunnel.
    NoSecret,
    /// It cannot be checked: its Digest Type is not known, or it has another length.
    UnknownType,
    /// It cannot be checked: the capture cut the message.
    Cut,
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
