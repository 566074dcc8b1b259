//! Rules on AVPs: their form, and which message carries which (RFC 2661 sections 3.2, 4 and 6).

use crate::analysis::control::form::{AvpNumber, Form};
use crate::dissect::avp_table::avp_name;

use super::{Rule, rules};

rules! {
    /// The Length of an AVP is below 6, less than its own header.
    ///
    /// Nothing behind it can be read. Several implementations looped for ever on a length of 0.
    /// Example: an SCCRQ that ends with an AVP of Length 5.
    AVP_LENGTH_SHORT = "avp-length-short", Error, "RFC 2661 4.1",
        "an AVP has at least 6 octets: flags and length, Vendor ID, Attribute Type.";

    /// The Length of an AVP leads past the end of its message.
    ///
    /// Nothing behind it can be read. Not raised where the capture cut the message.
    /// Example: an SCCRQ that ends with an AVP of Length 40 of which 7 octets are there.
    AVP_OVERRUNS_MESSAGE = "avp-overruns-message", Error, "RFC 2661 4.1",
        "Length is the number of octets of the AVP, header included.";

    /// Reserved bits of an AVP header are set.
    ///
    /// Its receiver must treat it as an AVP it does not know: with the M bit, the call or the tunnel is cleared.
    /// Example: a Vendor Name AVP that begins with 0x2007.
    AVP_RESERVED_BITS = "avp-reserved-bits", Warning, "RFC 2661 4.1",
        "reserved bits must be 0; an AVP with one set must be treated as unrecognized.";

    /// A control message does not begin with its Message Type.
    ///
    /// Until the type is known, the other AVPs have no meaning.
    /// Example: an SCCRQ whose first AVP is the Protocol Version.
    AVP_MESSAGE_TYPE_NOT_FIRST = "avp-message-type-not-first", Error, "RFC 2661 4.4.1",
        "the Message Type AVP must be the first AVP in a message.";

    /// A control message has more than one Message Type.
    ///
    /// Implementations differ in which one they take.
    /// Example: an SCCRQ with a second Message Type at its end.
    AVP_MESSAGE_TYPE_TWICE = "avp-message-type-twice", Error, "RFC 2661 4.4.1",
        "the Message Type AVP identifies the control message.";

    /// The Message Type of a message that RFC 2661 defines has the M bit clear.
    ///
    /// A receiver that does not know it would ignore the message instead of clearing the tunnel. All know it, so
    /// this seldom does harm.
    /// Example: an SCCRQ whose Message Type begins with 0x0008.
    AVP_MESSAGE_TYPE_M_BIT = "avp-message-type-m-bit", Warning, "RFC 2661 4.4.1",
        "the M bit must be 1 for all message types defined in RFC 2661.";

    /// The Message Type is hidden.
    ///
    /// Which secret and whose message it is can then not be told before it is read.
    /// Example: a message whose Message Type begins with 0xc00e.
    AVP_MESSAGE_TYPE_HIDDEN = "avp-message-type-hidden", Error, "RFC 2661 4.4.1",
        "the Message Type AVP may not be hidden.";

    /// A message type that no document defines, which its receiver must know.
    ///
    /// The M bit of its Message Type is set, so a receiver that does not know it clears the tunnel: a StopCCN follows.
    /// Usual cause: a private extension that was not switched off for this peer.
    /// Example: a message of type 99 whose Message Type has the M bit.
    MSG_TYPE_UNKNOWN_MANDATORY = "msg-type-unknown-mandatory", Error, "RFC 2661 4.4.1",
        "if the M bit is set and the Message Type is unknown, the tunnel must be cleared.";

    /// A message type that no document defines, which its receiver may ignore.
    ///
    /// Example: a message of type 99 whose Message Type does not have the M bit.
    MSG_TYPE_UNKNOWN_OPTIONAL = "msg-type-unknown-optional", Note, "RFC 2661 4.4.1",
        "if the M bit is not set, an unknown message type may be ignored.";

    /// A message type that RFC 2661 reserves: 0, 5 or 13.
    ///
    /// No implementation has a meaning for it. Usual cause: a broken sender, or a value that was never set.
    /// Example: a message of type 5.
    MSG_TYPE_RESERVED = "msg-type-reserved", Error, "RFC 2661 3.2",
        "message types 0, 5 and 13 are reserved.";

    /// A message lacks an AVP that it must carry.
    ///
    /// Its receiver cannot act on it, and answers with a StopCCN or a CDN. A hidden AVP counts as there.
    /// Example: an SCCRQ without a Host Name.
    AVP_MISSING_REQUIRED = "avp-missing-required", Error, "RFC 2661 6",
        "each message has AVPs that must be present.";

    /// A message carries an AVP of RFC 2661 that belongs into others.
    ///
    /// Most receivers ignore it. AVPs of later documents are not judged: those may add them.
    /// Example: an SCCRQ with an Assigned Session ID.
    AVP_NOT_ALLOWED = "avp-not-allowed", Warning, "RFC 2661 6",
        "each message has AVPs that must be and AVPs that may be present.";

    /// One AVP stands twice in a message.
    ///
    /// Implementations differ in which one they take.
    /// Example: an SCCRQ with two Host Names.
    AVP_DUPLICATE = "avp-duplicate", Warning, "RFC 2661 4.1",
        "an AVP has one meaning and one value in its message.";

    /// The M bit of an AVP is not what its document says.
    ///
    /// Between peers that know the AVP it makes no difference. Against one that does not, a set bit clears the call or
    /// tunnel, and a clear bit lets something essential be ignored.
    AVP_MANDATORY_BIT_WRONG = "avp-mandatory-bit-wrong", Warning, "RFC 2661 4.1",
        "the M bit says what a receiver does that does not recognize the AVP; each AVP's section says which it is.";

    /// An AVP is hidden that must not be.
    ///
    /// Its receiver needs it before it knows the secret, or for reading the others.
    /// Example: an SCCRQ whose Host Name is hidden.
    AVP_HIDDEN_NOT_ALLOWED = "avp-hidden-not-allowed", Error, "RFC 2661 4.4",
        "the section of each AVP says if it may be hidden.";

    /// The Length of an AVP does not fit its value.
    ///
    /// The value cannot be read. Not raised for hidden AVPs, nor where the capture cut the message.
    /// Example: an SCCRQ whose Framing Capabilities have 2 octets instead of 4.
    AVP_VALUE_LENGTH = "avp-value-length", Error, "RFC 2661 4.4",
        "the section of each AVP says how long it is.";

    /// An AVP that no document defines, which its receiver must know.
    ///
    /// A receiver that does not know it ends the call or the tunnel, with error code 8. The sender is at fault.
    /// Example: an SCCRQ with an AVP of vendor 4711 that has the M bit.
    AVP_UNKNOWN_MANDATORY = "avp-unknown-mandatory", Error, "RFC 2661 4.2",
        "receipt of an unknown AVP with the M bit set is catastrophic to the session or tunnel.";

    /// An AVP that no document defines, which its receiver may ignore.
    ///
    /// Example: an SCCRQ with an AVP of vendor 4711 without the M bit.
    AVP_UNKNOWN_OPTIONAL = "avp-unknown-optional", Note, "RFC 2661 4.1",
        "an unrecognized AVP with the M bit clear must be ignored.";

    /// A hidden AVP has no Random Vector before it.
    ///
    /// Without one it cannot be read, whatever the secret.
    /// Example: an SCCRQ with a hidden Vendor Name and no Random Vector.
    AVP_RANDOM_VECTOR_MISSING = "avp-random-vector-missing", Error, "RFC 2661 4.4.1",
        "a Random Vector AVP must precede the first AVP with the H bit set.";

    /// A Random Vector is short.
    ///
    /// Two messages with the same vector show which of their hidden values are equal.
    /// Example: an SCCRQ with a Random Vector of 8 octets.
    AVP_RANDOM_VECTOR_SHORT = "avp-random-vector-short", Note, "RFC 2661 4.4.1",
        "a random vector of at least 16 octets is recommended.";

    /// A hidden AVP that none of the given secrets opens.
    ///
    /// The lengths inside make no sense with any of them. The secret is another one, or the sender hides it in a way
    /// of its own; then the peer cannot read it either.
    /// Example: a hidden Assigned Tunnel ID, and --secrets with another secret than its sender's.
    AVP_HIDDEN_UNDECODABLE = "avp-hidden-undecodable", Error, "RFC 2661 4.3",
        "the hidden value begins with its original length, and is hidden with the secret and the Random Vector.";

    /// An Assigned Tunnel ID or Assigned Session ID is 0.
    ///
    /// 0 means that none is assigned yet, so nothing can be sent to it.
    /// Example: an SCCRQ with Assigned Tunnel ID 0.
    AVP_ASSIGNED_ID_ZERO = "avp-assigned-id-zero", Error, "RFC 2661 5.3",
        "0 must not be used as an Assigned Session ID or Assigned Tunnel ID.";

    /// A Receive Window Size of 0.
    ///
    /// Taken at its word, the peer might never send a control message.
    /// Example: an SCCRQ with a Receive Window Size of 0.
    AVP_WINDOW_ZERO = "avp-window-zero", Error, "RFC 2661 5.8",
        "a value of 0 for the Receive Window Size AVP is invalid.";

    /// A Protocol Version other than 1.0.
    ///
    /// The receiver refuses it with StopCCN result 5. L2TPv2 has the version 1, revision 0 in this AVP.
    /// Example: an SCCRQ with Protocol Version 2.0.
    AVP_PROTOCOL_VERSION = "avp-protocol-version", Error, "RFC 2661 4.4.3",
        "the Protocol Version AVP of L2TPv2 has version 1 and revision 0.";

    /// An empty Host Name.
    ///
    /// Peers choose the tunnel's secret and settings by this name.
    /// Example: an SCCRQ with a Host Name of no octets.
    AVP_HOST_NAME_EMPTY = "avp-host-name-empty", Error, "RFC 2661 4.4.3",
        "the Host Name is of arbitrary length, but must be at least 1 octet.";

    /// A proxy authentication lacks an AVP that its type needs.
    ///
    /// The LNS cannot check it, and authenticates the user again or closes the call.
    /// Example: an ICCN with Proxy Authen Type 3 (PAP) and no Proxy Authen Response.
    AVP_PROXY_AUTHEN_INCOMPLETE = "avp-proxy-authen-incomplete", Warning, "RFC 2661 4.4.5",
        "each Proxy Authen Type says which other proxy AVPs must be present.";

    /// The password of a user stands readable in a Proxy Authen Response.
    ///
    /// The call does not run under ESP and the AVP is not hidden: whoever sees the packet has the password.
    /// Example: an ICCN outside ESP with Proxy Authen Type 3 (PAP) and a Proxy Authen Response.
    AVP_CLEARTEXT_PROXY_PASSWORD = "avp-cleartext-proxy-password", Warning, "RFC 2661 4.4.5",
        "the Proxy Authen Response AVP of a cleartext or PAP type holds the password; it may be hidden.";

    /// A Hello carries more than it needs.
    ///
    /// Example: a Hello with a Host Name.
    HELLO_EXTRA_AVPS = "hello-extra-avps", Note, "RFC 2661 6.5",
        "a Hello carries the Message Type AVP.";
}

pub(super) fn name(number: AvpNumber) -> String {
    match (avp_name(number.vendor, number.attribute), number.vendor) {
        (Some(name), _) => String::from(name),
        (None, 0) => format!("AVP {}", number.attribute),
        (None, vendor) => format!("AVP {} of vendor {vendor}", number.attribute),
    }
}

fn bit(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

/// The rule of a departure of an AVP, and what was seen.
pub(super) fn departure(form: &Form) -> Option<(&'static Rule, String)> {
    let (rule, what): (&'static Rule, _) = match *form {
        Form::AvpLengthShort => (&AVP_LENGTH_SHORT, String::from("an AVP shorter than its header")),
        Form::AvpOverruns => (&AVP_OVERRUNS_MESSAGE, String::from("an AVP runs past the end of its message")),
        Form::AvpReserved(avp) => (&AVP_RESERVED_BITS, format!("reserved bits of {}", name(avp))),
        Form::MessageTypeNotFirst => {
            (&AVP_MESSAGE_TYPE_NOT_FIRST, String::from("the first AVP is not the Message Type"))
        }
        Form::MessageTypeTwice => (&AVP_MESSAGE_TYPE_TWICE, String::from("several Message Types")),
        Form::MessageTypeOptional(message) => {
            (&AVP_MESSAGE_TYPE_M_BIT, format!("{} with M bit 0", message.name()))
        }
        Form::MessageTypeHidden => (&AVP_MESSAGE_TYPE_HIDDEN, String::from("a hidden Message Type")),
        Form::UnknownMessage(message, true) => {
            (&MSG_TYPE_UNKNOWN_MANDATORY, format!("message type {} with M bit 1", message.0))
        }
        Form::UnknownMessage(message, false) => {
            (&MSG_TYPE_UNKNOWN_OPTIONAL, format!("message type {} with M bit 0", message.0))
        }
        Form::ReservedMessage(message) => (&MSG_TYPE_RESERVED, format!("message type {}", message.0)),
        Form::Missing(message, avp) => {
            (&AVP_MISSING_REQUIRED, format!("{} without {}", message.name(), name(avp)))
        }
        Form::Misplaced(message, avp) => (&AVP_NOT_ALLOWED, format!("{} with {}", message.name(), name(avp))),
        Form::Twice(avp) => (&AVP_DUPLICATE, format!("{} twice", name(avp))),
        Form::MandatoryBit(avp, set) => {
            (&AVP_MANDATORY_BIT_WRONG, format!("{} with M bit {}", name(avp), bit(set)))
        }
        Form::HiddenForbidden(avp) => (&AVP_HIDDEN_NOT_ALLOWED, format!("hidden {}", name(avp))),
        Form::ValueLength(avp, length) => (&AVP_VALUE_LENGTH, format!("{} with Length {length}", name(avp))),
        Form::UnknownAvp(avp, true) => (&AVP_UNKNOWN_MANDATORY, format!("{} with M bit 1", name(avp))),
        Form::UnknownAvp(avp, false) => (&AVP_UNKNOWN_OPTIONAL, format!("{} with M bit 0", name(avp))),
        Form::NoRandomVector(avp) => {
            (&AVP_RANDOM_VECTOR_MISSING, format!("hidden {} without a Random Vector", name(avp)))
        }
        Form::Sealed(avp) => (&AVP_HIDDEN_UNDECODABLE, format!("{} stays hidden", name(avp))),
        Form::ShortRandomVector(octets) => {
            (&AVP_RANDOM_VECTOR_SHORT, format!("Random Vector of {octets} octets"))
        }
        Form::AssignedZero(avp) => (&AVP_ASSIGNED_ID_ZERO, format!("{} 0", name(avp))),
        Form::WindowZero => (&AVP_WINDOW_ZERO, String::from("Receive Window Size 0")),
        Form::ProtocolVersion(version, revision) => {
            (&AVP_PROTOCOL_VERSION, format!("Protocol Version {version}.{revision}"))
        }
        Form::HostNameEmpty => (&AVP_HOST_NAME_EMPTY, String::from("empty Host Name")),
        Form::ProxyIncomplete(kind, avp) => {
            (&AVP_PROXY_AUTHEN_INCOMPLETE, format!("Proxy Authen Type {kind} without {}", name(avp)))
        }
        Form::ProxyPassword => {
            (&AVP_CLEARTEXT_PROXY_PASSWORD, String::from("a password in a Proxy Authen Response"))
        }
        Form::HelloExtra(avp) => (&HELLO_EXTRA_AVPS, format!("Hello with {}", name(avp))),
        _ => return None,
    };
    Some((rule, what))
}
