//! What stops an attempt: no network control protocol.

use super::declare;

declare! {
    Network:
    /// IPCP cannot agree on an address: none is given, or the wanted one is refused, so no IPv4 passes.
    IPCP_TROUBLE = "ipcp-trouble";

    /// CCP: one side demands MPPE, the other refuses it, and the link is closed. Under ESP it is of no use.
    MPPE_REFUSED = "mppe-refused";

    /// MRRU was acknowledged by a peer that does not do multilink: frames inside multilink are not taken.
    MULTILINK_MISMATCH = "multilink-mismatch";

    /// The ends read PPP frames differently (PFC, ACFC): good packets are rejected as unknown protocols.
    ///
    /// A Protocol-Reject of 0x2145 is 0x21, a compressed protocol field, and the first octet of IPv4.
    PPP_FRAMING_MISMATCH = "ppp-framing-mismatch";
}
