//! Names of the values of AVPs and L2TP headers (RFC 2661 section 4.4, RFC 3145, 3573, 3931, 5515; vendors).

/// What the Ver field says the packet is (RFC 2661 section 3.1, RFC 3931 section 4.1.2).
pub(crate) fn version_name(value: u64) -> Option<&'static str> {
    Some(match value {
        1 => "L2F",
        2 => "L2TPv2",
        3 => "L2TPv3",
        _ => return None,
    })
}

/// Who a Vendor ID is: SMI Network Management Private Enterprise Codes.
pub(crate) fn vendor_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "IETF",
        9 => "Cisco Systems",
        43 => "3Com",
        193 => "Ericsson",
        311 => "Microsoft",
        529 => "Ascend",
        2352 => "Redback",
        2636 => "Juniper Networks",
        3561 => "Broadband Forum",
        4413 => "Broadcom",
        4491 => "CableLabs",
        6527 => "Nokia",
        14988 => "MikroTik",
        _ => return None,
    })
}

/// The Proxy Authen Type (RFC 2661 section 4.4.5).
pub(crate) fn proxy_name(value: u64) -> Option<&'static str> {
    Some(match value {
        1 => "textual username and password",
        2 => "PPP CHAP",
        3 => "PPP PAP",
        4 => "no authentication",
        5 => "MS-CHAPv1",
        7 => "EAP",
        8 => "MS-CHAPv2 (in use by vendors)",
        _ => return None,
    })
}

/// To which end a PPP Disconnect Cause Code belongs (RFC 3145 section 2).
pub(crate) fn direction_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "global error",
        1 => "at the peer",
        2 => "at the local end",
        _ => return None,
    })
}

/// How long a modem may be on hold (RFC 3573 section 4.2).
pub(crate) fn hold_timeout_name(value: u64) -> Option<&'static str> {
    Some(match value {
        1 => "10 seconds",
        2 => "20 seconds",
        3 => "30 seconds",
        4 => "40 seconds",
        5 => "1 minute",
        6 => "2 minutes",
        7 => "3 minutes",
        8 => "4 minutes",
        9 => "6 minutes",
        10 => "8 minutes",
        11 => "12 minutes",
        12 => "16 minutes",
        13 => "no limit",
        _ => return None,
    })
}

/// The Digest Type of a Message Digest (RFC 3931 section 5.4.1).
pub(crate) fn digest_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "HMAC-MD5",
        1 => "HMAC-SHA-1",
        _ => return None,
    })
}

/// The type of a pseudowire (IANA, MPLS Pseudowire Types).
pub(crate) fn pseudowire_name(value: u64) -> Option<&'static str> {
    Some(match value {
        1 => "Frame Relay DLCI",
        2 => "ATM AAL5 SDU VCC",
        3 => "ATM transparent cell, port",
        4 => "Ethernet VLAN",
        5 => "Ethernet",
        6 => "HDLC",
        7 => "PPP",
        9 => "ATM cell, VCC",
        10 => "ATM cell, VPC",
        11 => "IP",
        12 => "DOCSIS MPEG transport stream",
        13 => "DOCSIS packet streaming",
        17 => "structure-agnostic E1",
        18 => "structure-agnostic T1",
        19 => "structure-agnostic E3",
        20 => "structure-agnostic T3",
        21 => "CESoPSN, basic",
        23 => "CESoPSN with CAS",
        _ => return None,
    })
}

/// The L2-Specific Sublayer Type (RFC 3931 section 5.4.4, RFC 4454 section 12.1, DOCSIS DEPI).
pub(crate) fn sublayer_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "none",
        1 => "Default L2-Specific Sublayer",
        2 => "ATM-Specific Sublayer",
        3 => "MPT-Specific Sublayer",
        4 => "PSP-Specific Sublayer",
        _ => return None,
    })
}

/// Which data a receiver wants in sequence (RFC 3931 section 5.4.4).
pub(crate) fn data_sequencing_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "none",
        1 => "non-IP data",
        2 => "all data",
        _ => return None,
    })
}

/// The A bit of Circuit Status (RFC 3931 section 5.4.5).
pub(crate) fn circuit_status_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "inactive",
        1 => "active",
        _ => return None,
    })
}

/// The N bit of Circuit Status (RFC 3931 section 5.4.5).
pub(crate) fn circuit_type_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "existing circuit",
        1 => "new circuit",
        _ => return None,
    })
}

/// The messages of Ericsson.
pub(crate) fn ericsson_message_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "transport configuration notification",
        1 => "performance notification",
        2 => "transport configuration request",
        3 => "transport configuration response",
        4 => "Abis Lower configuration request",
        5 => "Abis Lower configuration response",
        6 => "channel status notification",
        _ => return None,
    })
}

/// The connection types of Ericsson.
pub(crate) fn ericsson_connection_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "primary",
        1 => "secondary",
        _ => return None,
    })
}

/// The Abis Lower modes of Ericsson.
pub(crate) fn abis_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "single timeslot",
        1 => "super channel",
        _ => return None,
    })
}

/// Access Loop Encapsulation, Data Link (RFC 5515 section 5.15).
pub(crate) fn loop_data_link_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "ATM AAL5",
        1 => "Ethernet",
        _ => return None,
    })
}

/// Access Loop Encapsulation, Encaps 1 (RFC 5515 section 5.15).
pub(crate) fn loop_encaps_1_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "not available",
        1 => "untagged Ethernet",
        2 => "single-tagged Ethernet",
        _ => return None,
    })
}

/// Access Loop Encapsulation, Encaps 2 (RFC 5515 section 5.15).
pub(crate) fn loop_encaps_2_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "not available",
        1 => "PPPoA LLC",
        2 => "PPPoA null",
        3 => "IPoA LLC",
        4 => "IPoA null",
        5 => "Ethernet over AAL5 LLC with FCS",
        6 => "Ethernet over AAL5 LLC without FCS",
        7 => "Ethernet over AAL5 null with FCS",
        8 => "Ethernet over AAL5 null without FCS",
        _ => return None,
    })
}

/// ANCP Access Line Type (RFC 5515 section 5.16).
pub(crate) fn line_type_name(value: u64) -> Option<&'static str> {
    Some(match value {
        1 => "ADSL1",
        2 => "ADSL2",
        3 => "ADSL2+",
        4 => "VDSL1",
        5 => "VDSL2",
        6 => "SDSL",
        7 => "unknown",
        _ => return None,
    })
}

/// IWF-Session (RFC 5515 section 5.18).
pub(crate) fn iwf_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "no interworking",
        1 => "interworking performed",
        _ => return None,
    })
}

/// QAM modulation (DOCSIS DEPI).
pub(crate) fn modulation_name(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "64-QAM",
        1 => "128-QAM",
        _ => return None,
    })
}
