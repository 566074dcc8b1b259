//! What stops an attempt: the control connection.

use super::declare;

declare! {
    ControlConnection:
    /// The answer to an SCCRQ is a StopCCN: not authorized, no room, shutting down.
    TUNNEL_REFUSED = "tunnel-refused";

    /// A Challenge is answered with a wrong Challenge Response, or with none, and a StopCCN follows: the tunnel secrets
    /// differ, or only one side has one.
    TUNNEL_AUTH_FAILED = "tunnel-auth-failed";

    /// The answer to the SCCRQ comes from another address than it was sent to, and one side does not take it.
    ///
    /// Usual causes: a second address of the LNS, a load balancer, a route that chooses the source address.
    ANSWER_FROM_OTHER_ADDRESS = "answer-from-other-address";

    /// A message is refused because of an AVP that its receiver does not know or misreads.
    ///
    /// Usual causes: AVPs of a vendor, an M bit, a Length that the receiver does not expect.
    AVP_REFUSED = "avp-refused";

    /// A legal message that the peer does not implement makes it close the call or the tunnel.
    MESSAGE_NOT_UNDERSTOOD = "message-not-understood";

    /// Control messages, or their acknowledgements, were lost; retransmissions repaired it, and the session worked.
    CONTROL_LOSS_RECOVERED = "control-loss-recovered";

    /// The peer answers or acknowledges so late that control messages are resent; everything works.
    ACKS_DELAYED = "acks-delayed";
}
