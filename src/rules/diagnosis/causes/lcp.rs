//! What stops an attempt: LCP.

use super::declare;

declare! {
    Lcp:
    /// The call is up, and the LCP Configure-Requests of one side are repeated and never answered, though the peer lives on
    /// the control channel.
    ///
    /// Usual causes: no PPP daemon attached to the call, a kernel session with another ID, a firewall that drops data.
    KERNEL_DATA_PATH = "kernel-data-path", absent;

    /// LCP sees its own frames: everything that is sent comes back, with its own magic number (RFC 1661 section 6.4).
    LCP_LOOPBACK = "lcp-loopback";

    /// LCP goes round in circles over an option, and never opens.
    LCP_NEVER_CONVERGES = "lcp-never-converges";

    /// The call is connected, and no end ever sends a PPP frame, or one of them does not.
    ///
    /// Usual cause: the PPP daemon did not start there.
    PPP_NOT_STARTED = "ppp-not-started", absent;

    /// LCP does not open, or not again, for another reason: one side acknowledges and never asks, leaves a request without
    /// an answer, or negotiates anew in vain.
    LCP_NOT_OPENED = "lcp-not-opened";
}
