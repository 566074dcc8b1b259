//! Rules on the header of control messages (RFC 2661 sections 3.1, 4.4.3 and 5.3).

use crate::analysis::control::form::Form;

use super::{Rule, rules};

rules! {
    /// A control message has no Length field.
    ///
    /// Dissectors that need it skip the AVPs, and a strict receiver drops the message.
    /// Found by: T bit 1 and L bit 0.
    /// Example: an SCCRQ that begins with 0x8802.
    HDR_CONTROL_LENGTH_BIT = "hdr-control-length-bit", Error, "RFC 2661 3.1",
        "the L bit must be set for control messages.";

    /// A control message has no Ns and Nr.
    ///
    /// Without them it can neither be acknowledged nor put in order, so its receiver drops it.
    /// Found by: T bit 1 and S bit 0. Usual cause: a home-made sender, or data that is sent with the T bit.
    /// Example: an SCCRQ that begins with 0xc002.
    HDR_CONTROL_SEQUENCE_BIT = "hdr-control-sequence-bit", Error, "RFC 2661 3.1",
        "the S bit must be set for control messages.";

    /// A control message has an Offset Size field.
    ///
    /// A receiver that does not expect it reads the first AVP from the wrong place.
    /// Example: an SCCRQ that begins with 0xca02.
    HDR_CONTROL_OFFSET_BIT = "hdr-control-offset-bit", Error, "RFC 2661 3.1",
        "the O bit must be 0 for control messages.";

    /// A control message has the priority bit set.
    ///
    /// It means something for data alone. Most receivers ignore it; a strict one drops the message.
    /// Example: an SCCRQ that begins with 0xc902.
    HDR_CONTROL_PRIORITY_BIT = "hdr-control-priority-bit", Error, "RFC 2661 3.1",
        "the P bit must be 0 for all control messages.";

    /// Reserved bits of the header are set.
    ///
    /// They are to be ignored on arrival, so this seldom breaks anything. It shows another protocol on the port, or a
    /// sender of a draft.
    /// Example: an SCCRQ that begins with 0xc812.
    HDR_RESERVED_BITS = "hdr-reserved-bits", Warning, "RFC 2661 3.1",
        "all reserved bits must be 0 on outgoing messages.";

    /// A control message has Tunnel ID 0, although its receiver has assigned one.
    ///
    /// The receiver cannot tell which tunnel is meant. Only an SCCRQ, and a StopCCN that refuses one, may have none.
    /// Example: a Hello to Tunnel ID 0.
    HDR_CONTROL_TUNNEL_ID_ZERO = "hdr-control-tunnel-id-zero", Error, "RFC 2661 5.3",
        "the sender places the Tunnel ID that its peer assigned in the header; 0 only while none is assigned.";

    /// An SCCRQ has a Tunnel ID in its header.
    ///
    /// It opens a tunnel, so its receiver has assigned none yet, and drops it as a message of an unknown tunnel.
    /// Example: an SCCRQ to Tunnel ID 5.
    HDR_TUNNEL_ID_NOT_ZERO = "hdr-tunnel-id-not-zero", Error, "RFC 2661 5.3",
        "where the Tunnel ID has not been assigned by the peer yet, it must be sent as 0.";

    /// A message about the control connection names a call in its header.
    ///
    /// It is about the tunnel as a whole. Receivers mostly ignore it; some look for the call and drop the message.
    /// Example: an SCCRQ with Session ID 5 in its header.
    HDR_SESSION_ID_ON_TUNNEL_MESSAGE = "hdr-session-id-on-tunnel-message", Error, "RFC 2661 5.3",
        "the Session ID names the session that a message is associated with; a message about the tunnel has none.";

    /// A Hello names a call in its header.
    ///
    /// Its receiver may take it for a message of that call, find no such type, and drop it: the tunnel then dies.
    /// Example: a Hello with Session ID 5 in its header.
    HELLO_SESSION_ID = "hello-session-id", Error, "RFC 2661 6.5",
        "a Hello is global to the tunnel: its Session ID must be 0.";

    /// A request for a call names a call in its header.
    ///
    /// The peer has assigned none yet. A strict receiver answers with a CDN, or not at all.
    /// Example: an ICRQ with Session ID 5 in its header.
    CALL_REQUEST_SESSION_ID_NOT_ZERO = "call-request-session-id-not-zero", Error, "RFC 2661 5.3",
        "where the Session ID has not been assigned by the peer yet, it must be sent as 0.";
}

/// The rule of a departure of a header, and what was seen.
pub(super) fn departure(form: &Form) -> Option<(&'static Rule, String)> {
    let (rule, what): (&'static Rule, _) = match form {
        Form::NoLengthBit => (&HDR_CONTROL_LENGTH_BIT, String::from("no L bit")),
        Form::NoSequenceBit => (&HDR_CONTROL_SEQUENCE_BIT, String::from("no S bit")),
        Form::OffsetBit => (&HDR_CONTROL_OFFSET_BIT, String::from("the O bit is set")),
        Form::PriorityBit => (&HDR_CONTROL_PRIORITY_BIT, String::from("the P bit is set")),
        Form::ReservedBits => (&HDR_RESERVED_BITS, String::from("reserved header bits are set")),
        Form::TunnelIdZero(message) => {
            (&HDR_CONTROL_TUNNEL_ID_ZERO, format!("{} to Tunnel ID 0", message.name()))
        }
        Form::TunnelIdNotZero => (&HDR_TUNNEL_ID_NOT_ZERO, String::from("SCCRQ with a Tunnel ID")),
        Form::SessionId(message) if message.name() == "Hello" => {
            (&HELLO_SESSION_ID, String::from("Hello with a Session ID"))
        }
        Form::SessionId(message) => {
            (&HDR_SESSION_ID_ON_TUNNEL_MESSAGE, format!("{} with a Session ID", message.name()))
        }
        Form::RequestSessionId(message) => {
            (&CALL_REQUEST_SESSION_ID_NOT_ZERO, format!("{} with a Session ID", message.name()))
        }
        _ => return None,
    };
    Some((rule, what))
}
