//! What stops an attempt: keepalives.

use super::declare;

declare! {
    Keepalive:
    /// An established tunnel dies because Hellos get no acknowledgement that reaches their sender.
    HELLO_TIMEOUT = "hello-timeout", absent;

    /// A peer closes a working link because its LCP Echo-Requests get no proper answer.
    LCP_ECHO_FAILURE = "lcp-echo-failure", absent;

    /// After a pause the peer is no longer reachable at its old NAT address and port.
    ///
    /// Usual cause: the mapping of the NAT expired; no keepalives were sent.
    NAT_MAPPING_EXPIRED = "nat-mapping-expired";

    /// In an established tunnel one host suddenly answers with ICMP port unreachable: its L2TP daemon is gone.
    PEER_DAEMON_DIED = "peer-daemon-died";

    /// Both sides are alive, but so many control messages are lost that retransmissions pile up and one side gives the
    /// tunnel up.
    RETRANSMISSION_STORM = "retransmission-storm";

    /// One side keeps using tunnel and session IDs that the other has forgotten after a restart.
    STALE_TUNNEL = "stale-tunnel";

    /// One end restarted without a word and begins anew, also with the same tunnel ID.
    PEER_RESTARTED = "peer-restarted";

    /// The path was gone for a while and the tunnel died of it; it was dialled again with success.
    OUTAGE_RECOVERED = "outage-recovered";
}
