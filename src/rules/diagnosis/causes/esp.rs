//! What stops an attempt: ESP.

use super::declare;

declare! {
    Esp:
    /// IKE is fine, and ESP comes in one direction only, or not at all.
    ///
    /// Usual causes: IP protocol 50 or UDP 4500 closed on the path in one direction.
    ESP_BLOCKED = "esp-blocked", absent;

    /// ESP from one side stops while the other goes on sending.
    ESP_STOPPED = "esp-stopped", absent;

    /// ESP arrives, and its ICV does not verify, or it decrypts to garbage: other keys or algorithms.
    KEYS_DIFFER = "icv-or-key-trouble";

    /// Packets of an SA arrive so late that they have fallen out of the anti-replay window of their receiver (RFC 4303
    /// section 3.4.3), which drops them.
    ESP_REPLAY_DROPS = "esp-replay-drops";

    /// Every packet arrives more than once, because the path duplicates it; the session works.
    PATH_DUPLICATES = "path-duplicates";

    /// One end has lost its SAs, and the other goes on sending under SPIs that nobody knows any more.
    STALE_SA = "stale-sa", absent;

    /// The peer no longer answers dead peer detection (RFC 3706, RFC 7296 section 2.4), and its SAs are given up.
    DPD_KILL = "dpd-kill", absent;

    /// An SA reached its lifetime, and no working successor was made.
    REKEY_FAILURE = "rekey-failure", absent;

    /// Two IPsec clients share one address of a NAT; since the second connected, the first one gets nothing.
    TWO_CLIENTS_ONE_NAT = "two-clients-one-nat", absent;

    /// IKE ran between the two hosts, and the tunnel, or one direction of it, travels outside ESP.
    PLAINTEXT_LEAK = "plaintext-leak";
}
