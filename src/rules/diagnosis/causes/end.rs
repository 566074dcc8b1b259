//! What stops an attempt: how it ended.

use super::declare;

declare! {
    End:
    /// A tunnel or call that was up is cleared with an error result, or a disconnect cause (AVP 46), not in good order.
    CLEARED_WITH_ERROR = "cleared-with-error";

    /// The session worked and was then ended by the LNS, which says why: an idle limit, an administrator.
    CLOSED_BY_LNS = "closed-by-lns";

    /// The session worked; the StopCCN or CDN that ends it is resent and never acknowledged.
    TEARDOWN_UNACKNOWLEDGED = "teardown-unacknowledged", absent;
}
