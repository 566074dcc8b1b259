//! Names of L2TP's numbers (RFC 2661 sections 3.2 and 4.4, RFC 3145 section 3, RFC 3931 section 10 and its extensions).

use super::layers::MessageType;

/// Each control message: its number, its short name and its full name (RFC 2661 section 3.2).
static MESSAGES: &[(u16, &str, &str)] = &[
    (1, "SCCRQ", "Start-Control-Connection-Request"),
    (2, "SCCRP", "Start-Control-Connection-Reply"),
    (3, "SCCCN", "Start-Control-Connection-Connected"),
    (4, "StopCCN", "Stop-Control-Connection-Notification"),
    (6, "Hello", "Hello"),
    (7, "OCRQ", "Outgoing-Call-Request"),
    (8, "OCRP", "Outgoing-Call-Reply"),
    (9, "OCCN", "Outgoing-Call-Connected"),
    (10, "ICRQ", "Incoming-Call-Request"),
    (11, "ICRP", "Incoming-Call-Reply"),
    (12, "ICCN", "Incoming-Call-Connected"),
    (14, "CDN", "Call-Disconnect-Notify"),
    (15, "WEN", "WAN-Error-Notify"),
    (16, "SLI", "Set-Link-Info"),
    (17, "MDMST", "Modem-Status"),
    (18, "SRRQ", "Service-Relay-Request"),
    (19, "SRRP", "Service-Relay-Reply"),
    (20, "ACK", "Explicit-Acknowledgement"),
    (21, "FSQ", "Failover-Session-Query"),
    (22, "FSR", "Failover-Session-Response"),
    (23, "MSRQ", "Multicast-Session-Request"),
    (24, "MSRP", "Multicast-Session-Response"),
    (25, "MSE", "Multicast-Session-Establishment"),
    (26, "MSI", "Multicast-Session-Information"),
    (27, "MSEN", "Multicast-Session-End-Notify"),
    (28, "CSUN", "Connect-Speed-Update-Notification"),
    (29, "CSURQ", "Connect-Speed-Update-Request"),
];

#[allow(missing_docs)]
impl MessageType {
    pub const SCCRQ: Self = Self(1);
    pub const SCCRP: Self = Self(2);
    pub const SCCCN: Self = Self(3);
    pub const STOP_CCN: Self = Self(4);
    pub const HELLO: Self = Self(6);
    pub const OCRQ: Self = Self(7);
    pub const OCRP: Self = Self(8);
    pub const OCCN: Self = Self(9);
    pub const ICRQ: Self = Self(10);
    pub const ICRP: Self = Self(11);
    pub const ICCN: Self = Self(12);
    pub const CDN: Self = Self(14);
    pub const WEN: Self = Self(15);
    pub const SLI: Self = Self(16);
    pub const ACK: Self = Self(20);

    /// The short name, such as `SCCRQ`; `unknown` if the number has none.
    pub fn name(self) -> &'static str {
        MESSAGES.iter().find(|row| row.0 == self.0).map_or("unknown", |row| row.1)
    }
}

/// The full name of a message type.
pub fn message_name(number: u64) -> Option<&'static str> {
    MESSAGES.iter().find(|row| u64::from(row.0) == number).map(|row| row.2)
}

/// What a Result Code of StopCCN means (RFC 2661 section 4.4.2).
pub fn stop_ccn_reason(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "general request to clear the control connection",
        2 => "general error",
        3 => "control channel already exists",
        4 => "requester is not authorized to establish a control channel",
        5 => "protocol version of the requester is not supported",
        6 => "requester is being shut down",
        7 => "finite state machine error",
        8 => "mismatching CCDS value",
        _ => return None,
    })
}

/// What a Result Code of CDN means (RFC 2661 section 4.4.2).
pub fn cdn_reason(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "loss of carrier",
        2 => "general error",
        3 => "administrative reasons",
        4 => "no facilities (temporary)",
        5 => "no facilities (permanent)",
        6 => "invalid destination",
        7 => "no carrier detected",
        8 => "busy signal detected",
        9 => "no dial tone",
        10 => "not established within the time allotted by the LAC",
        11 => "no appropriate framing detected",
        12 => "mismatching SDS value",
        13 => "session lost the tie breaker",
        14 => "unsupported pseudowire type",
        15 => "sequencing required without a valid L2-Specific Sublayer",
        16 => "finite state machine error or timeout",
        17 => "Frame Relay PVC deleted permanently",
        18 => "Frame Relay PVC inactive for an extended period",
        19 => "mismatched Frame Relay header length",
        20 => "HDLC link deleted permanently",
        21 => "HDLC link inactive for an extended period",
        22 => "the peer cannot emulate OAM cells",
        23 => "mismatching interface MTU",
        24 => "no such forwarder",
        25 => "not authorized for this forwarder",
        26 => "loop detected",
        27 => "attachment circuit bound to another PE",
        28 => "attachment circuit bound to another remote attachment circuit",
        30 => "refused because of TDM pseudowire parameters",
        31 => "sequencing not supported",
        _ => return None,
    })
}

/// What a General Error Code means (RFC 2661 section 4.4.2).
pub fn error_name(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "no general error",
        1 => "no control connection exists yet for this LAC-LNS pair",
        2 => "length is wrong",
        3 => "a field was out of range, or a reserved field was not zero",
        4 => "insufficient resources to handle this operation now",
        5 => "the Session ID is invalid in this context",
        6 => "a generic vendor-specific error occurred in the LAC",
        7 => "try another destination",
        8 => "unknown AVP with the M bit set",
        9 => "try another directed",
        10 => "next hop unreachable",
        11 => "next hop busy",
        12 => "tunnel switching aggregator busy",
        _ => return None,
    })
}

/// What a PPP Disconnect Cause Code means (RFC 3145 section 3).
pub fn disconnect_name(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "no information available",
        1 => "administrative disconnect",
        2 => "LCP renegotiation at LNS disabled and the LAC sent no proxy LCP",
        3 => "normal disconnection, LCP Terminate-Request sent",
        4 => "compulsory encryption refused",
        5 => "LCP FSM timeout",
        6 => "no recognizable LCP packets received",
        7 => "LCP magic number error, link possibly looped back",
        8 => "LCP echo request timeout",
        9 => "unexpected endpoint discriminator for existing MP bundle",
        10 => "unexpected MRRU for existing MP bundle",
        11 => "unexpected short-sequence-number option for existing MP bundle",
        12 => "compulsory call-back refused",
        13 => "authentication FSM timeout",
        14 => "unexpected authenticated name for existing MP bundle",
        15 => "authentication protocol unacceptable",
        16 => "authentication failed (bad name, password or secret)",
        17 => "NCP FSM timeout",
        18 => "no NCPs available",
        19 => "NCP did not converge on acceptable addresses",
        20 => "NCP: user not permitted to use any addresses",
        _ => return None,
    })
}

/// What a Result Code of StopCCN means, for its field.
pub(crate) fn stop_ccn_name(code: u64) -> Option<&'static str> {
    stop_ccn_reason(u16::try_from(code).ok()?)
}

/// What a Result Code of CDN means, for its field.
pub(crate) fn cdn_name(code: u64) -> Option<&'static str> {
    cdn_reason(u16::try_from(code).ok()?)
}
