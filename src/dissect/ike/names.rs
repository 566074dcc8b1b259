//! Names of numbers in IKE messages: the IANA's registries of both versions, RFC 2407 to 2409, RFC 7296.

/// Exchange types of both versions, whose numbers differ, as the report writes them.
pub(super) fn exchange(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "base",
        2 => "main",
        3 => "authentication-only",
        4 => "aggressive",
        5 => "informational",
        6 => "configuration",
        32 => "quick",
        33 => "new-group",
        34 => "IKE_SA_INIT",
        35 => "IKE_AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "IKE_SESSION_RESUME",
        39 => "GSA_AUTH",
        40 => "GSA_REGISTRATION",
        41 => "GSA_REKEY",
        43 => "IKE_INTERMEDIATE",
        44 => "IKE_FOLLOWUP_KE",
        _ => return None,
    })
}

/// Payload types of both versions, whose numbers differ.
pub(super) fn payload(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "None",
        1 | 33 => "Security Association",
        2 => "Proposal",
        3 => "Transform",
        4 | 34 => "Key Exchange",
        5 => "Identification",
        6 | 37 => "Certificate",
        7 | 38 => "Certificate Request",
        8 => "Hash",
        9 => "Signature",
        10 | 40 => "Nonce",
        11 | 41 => "Notification",
        12 | 42 => "Delete",
        13 | 43 => "Vendor ID",
        14 => "Attributes",
        15 => "SA KEK",
        16 => "SA TEK",
        17 => "Key Download",
        18 => "Sequence Number",
        19 => "Proof of Possession",
        20 => "NAT Discovery",
        21 => "NAT Original Address",
        22 => "Group Associated Policy",
        35 => "Identification - Initiator",
        36 => "Identification - Responder",
        39 => "Authentication",
        44 => "Traffic Selector - Initiator",
        45 => "Traffic Selector - Responder",
        46 => "Encrypted and Authenticated",
        47 => "Configuration",
        48 => "Extensible Authentication",
        49 => "Generic Secure Password Method",
        50 => "Group Identification",
        51 => "Group Security Association",
        52 => "Key Download",
        53 => "Encrypted and Authenticated Fragment",
        54 => "Puzzle Solution",
        130 => "NAT Discovery (drafts)",
        131 => "NAT Original Address (drafts)",
        132 => "Fragment",
        _ => return None,
    })
}

/// Security protocols (RFC 2407 section 4.4.1, RFC 7296 section 3.3.1).
pub(super) fn protocol(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "IKE",
        2 => "AH",
        3 => "ESP",
        4 => "IPCOMP",
        _ => return None,
    })
}

pub(super) fn doi(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "ISAKMP",
        1 => "IPSEC",
        2 => "GDOI",
        _ => return None,
    })
}

/// Identification types (RFC 2407 section 4.6.2.1, RFC 7296 section 3.5).
pub(super) fn identification(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "ID_IPV4_ADDR",
        2 => "ID_FQDN",
        3 => "ID_USER_FQDN",
        4 => "ID_IPV4_ADDR_SUBNET",
        5 => "ID_IPV6_ADDR",
        6 => "ID_IPV6_ADDR_SUBNET",
        7 => "ID_IPV4_ADDR_RANGE",
        8 => "ID_IPV6_ADDR_RANGE",
        9 => "ID_DER_ASN1_DN",
        10 => "ID_DER_ASN1_GN",
        11 => "ID_KEY_ID",
        12 => "ID_LIST",
        13 => "ID_NULL",
        _ => return None,
    })
}

/// Certificate encodings (RFC 2408 section 3.9, RFC 7296 section 3.6).
pub(super) fn certificate(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "PKCS #7 wrapped X.509 certificate",
        2 => "PGP Certificate",
        3 => "DNS Signed Key",
        4 => "X.509 Certificate - Signature",
        5 => "X.509 Certificate - Key Exchange",
        6 => "Kerberos Tokens",
        7 => "Certificate Revocation List",
        8 => "Authority Revocation List",
        9 => "SPKI Certificate",
        10 => "X.509 Certificate - Attribute",
        11 => "Raw RSA Key",
        12 => "Hash and URL of X.509 certificate",
        13 => "Hash and URL of X.509 bundle",
        14 => "OCSP Content",
        15 => "Raw Public Key",
        _ => return None,
    })
}

/// Authentication methods of IKEv2 (RFC 7296 section 3.8).
pub(super) fn authentication(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "RSA Digital Signature",
        2 => "Shared Key Message Integrity Code",
        3 => "DSS Digital Signature",
        9 => "ECDSA with SHA-256 on the P-256 curve",
        10 => "ECDSA with SHA-384 on the P-384 curve",
        11 => "ECDSA with SHA-512 on the P-521 curve",
        12 => "Generic Secure Password Authentication Method",
        13 => "NULL Authentication",
        14 => "Digital Signature",
        _ => return None,
    })
}

/// Traffic Selector types (RFC 7296 section 3.13.1).
pub(super) fn selector(number: u64) -> Option<&'static str> {
    Some(match number {
        7 => "TS_IPV4_ADDR_RANGE",
        8 => "TS_IPV6_ADDR_RANGE",
        9 => "TS_FC_ADDR_RANGE",
        10 => "TS_SECLABEL",
        _ => return None,
    })
}
