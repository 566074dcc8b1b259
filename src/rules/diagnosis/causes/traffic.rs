//! What stops an attempt: users' packets.

use super::declare;

declare! {
    Traffic:
    /// The session is up, and what users of one side ask is never, or no longer, answered, though the control channel
    /// lives.
    ///
    /// Usual causes: routes and firewall after the side that does not answer; a kernel session that is gone; a receiver
    /// that waits for a lost number for ever.
    DATA_ONE_WAY = "data-one-way", absent;

    /// Small packets pass, and full-size packets, or their second fragments, vanish.
    ///
    /// Usual causes: MTU and MRU of PPP leave no room for the headers of IPsec and L2TP, and ICMP too big is dropped.
    MTU_BLACK_HOLE = "mtu-black-hole", absent;

    /// The control channel is fine, and data packets are lost on the path: data Ns, ESP sequence numbers, echoes and TCP
    /// resends show it.
    DATA_LOSS = "data-loss", absent;

    /// The LNS itself answers inside the tunnel, hosts beyond it never do: it does not forward, or no route or masquerade
    /// leads their answers back.
    LNS_NOT_FORWARDING = "lns-not-forwarding", absent;

    /// User packets are refused by ICMP from inside the tunnel: no route to the target, or a filter against it.
    INNER_ICMP_REFUSED = "inner-icmp-refused";

    /// A host beyond the tunnel answers pings, and never a TCP SYN: a firewall beyond the tunnel.
    INNER_TCP_BLOCKED = "inner-tcp-blocked", absent;

    /// User data passes, and the DNS server never answers a question.
    DNS_NO_ANSWER = "dns-no-answer", absent;

    /// The route to the other tunnel end leads into the tunnel itself: packets of the tunnel appear inside it, or those of
    /// one side stop right after IPCP.
    ROUTE_LOOP = "route-loop";

    /// The ends of a session of L2TPv3 disagree on cookie or L2-specific sublayer: what one sends the other misreads
    /// (RFC 3931 sections 4.1 and 4.6).
    LAYOUT_MISMATCH = "l2tpv3-layout-mismatch";

    /// The compressors of both sides lose step: CCP Reset-Requests, or a Terminate "Lost compression sync".
    COMPRESSION_DESYNC = "compression-desync";

    /// It works, but full-size packets leave as IP fragments: MRU plus overhead is larger than the path takes.
    OUTER_FRAGMENTATION = "outer-fragmentation";
}
