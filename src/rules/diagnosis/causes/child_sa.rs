//! What stops an attempt: no child SA.

use super::declare;

declare! {
    ChildSa:
    /// IKE authenticated both ends, and the traffic selectors, or the identities of quick mode, are refused.
    ///
    /// INVALID_ID_INFORMATION in IKEv1, TS_UNACCEPTABLE in IKEv2. Usual causes: other ports or addresses than the server
    /// has, tunnel mode where transport mode is set.
    SELECTOR_REFUSED = "selector-refused";

    /// The request for a child SA is never answered, or is refused for a reason that is not visible.
    PHASE_TWO_FAILED = "ike-phase2-failed";
}
