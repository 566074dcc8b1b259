//! Verdicts that name no stage.

use super::declare;

declare! {
    End:
    /// Every stage that is needed is proved: tunnel, call and PPP came up, what users asked was answered, keepalives
    /// were acknowledged, and the end, if there is one, was in good order.
    HEALTHY = "healthy";

    /// The capture does not show enough: the sentence says what is missing, and the advice what would show it.
    UNDETERMINED = "undetermined";

    /// Packets were cut by the snap length, and what would decide is in the part that is missing.
    CAPTURE_TRUNCATED = "capture-truncated";
}
