//! What stops an attempt: the call.

use super::declare;

declare! {
    Call:
    /// The tunnel is fine, and the request for a call is answered by CDN or StopCCN.
    CALL_REFUSED = "call-refused";

    /// The request for a call is acknowledged and never answered.
    ///
    /// Usual causes: a daemon that hangs, a limit of sessions without a message, a LAC where an LNS is expected.
    CALL_NO_REPLY = "call-no-reply", absent;

    /// The request is answered, and the ICCN or OCCN never follows: the call is never connected.
    CALL_NOT_CONNECTED = "call-not-connected", absent;

    /// A hidden AVP is malformed or is refused by its receiver, and the tunnel or call dies of it.
    ///
    /// Usual cause: the tunnel secrets differ, or one side hides with a secret that the other does not have.
    HIDDEN_AVP_FAILED = "hidden-avp-failed";
}
