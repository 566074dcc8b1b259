//! What stops an attempt: no IKE SA.

use super::declare;

declare! {
    Ike:
    /// The responder answers the IKE offer with NO_PROPOSAL_CHOSEN, or one for a child SA.
    ///
    /// Usual causes: no common encryption, hash, group or authentication; of a child SA no common group (PFS) or mode.
    NO_PROPOSAL_CHOSEN = "no-proposal-chosen";

    /// IKE answers on UDP 500, a NAT is detected, and nothing on UDP 4500 is answered.
    ///
    /// Usual cause: a firewall that lets UDP 500 in, and not UDP 4500.
    NATT_PORT_BLOCKED = "natt-port-blocked", absent;

    /// A large IKE message leaves as IP fragments, and its exchange never completes: the path drops fragments.
    ///
    /// Usual causes: certificates make message 5 larger than the path's MTU; a NAT or firewall that drops fragments.
    IKE_FRAGMENTS_LOST = "ike-fragments-lost", absent;

    /// The ends hold different pre-shared keys: the proof of one is not accepted.
    ///
    /// In main mode message 5 is resent or refused right after the key exchange; in IKEv2 IKE_AUTH is refused.
    PSK_MISMATCH = "psk-mismatch";

    /// Authentication is refused because of who an end says it is, not because of its key.
    ///
    /// Usual cause: after a NAT an end declares its private address, and the other expects the public one.
    ID_MISMATCH = "id-mismatch";

    /// Main mode succeeded, then the user or password of XAUTH was refused.
    XAUTH_FAILED = "xauth-failed";

    /// An end deletes the IKE SA as soon as it is established, so that no child SA comes up.
    IKE_SA_DELETED = "ike-sa-deleted";

    /// IKE does not complete, for a reason that the packets do not show.
    IKE_NOT_ESTABLISHED = "ike-not-established", absent;
}
