//! What stops an attempt: nothing comes back.

use super::declare;

declare! {
    Path:
    /// The first IKE message is sent again and again, and nothing comes back.
    ///
    /// Usual causes: UDP 500 or 4500 closed on the path, a wrong address, no IKE daemon there.
    IKE_NO_ANSWER = "ike-no-answer", absent;

    /// SCCRQ is sent again and again, and nothing of L2TP comes back.
    ///
    /// Usual causes: the L2TP daemon does not run, a firewall after IPsec, a policy that does not let UDP 1701 in.
    NO_SCCRP = "no-sccrp", absent;

    /// Every SCCRQ is answered by ICMP port unreachable: no L2TP daemon listens there.
    LNS_PORT_UNREACHABLE = "lns-port-unreachable";
}
