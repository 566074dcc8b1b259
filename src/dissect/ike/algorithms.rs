//! Names of algorithms, groups and modes that proposals offer, in the numbering of each version.

/// Encryption algorithms of ISAKMP SAs (RFC 2409 appendix A).
pub(super) fn v1_cipher(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "DES-CBC",
        2 => "IDEA-CBC",
        3 => "Blowfish-CBC",
        4 => "RC5-R16-B64-CBC",
        5 => "3DES-CBC",
        6 => "CAST-CBC",
        7 => "AES-CBC",
        8 => "CAMELLIA-CBC",
        _ => return None,
    })
}

/// Hash algorithms of ISAKMP SAs (RFC 2409 appendix A).
pub(super) fn v1_hash(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "MD5",
        2 => "SHA",
        3 => "Tiger",
        4 => "SHA2-256",
        5 => "SHA2-384",
        6 => "SHA2-512",
        _ => return None,
    })
}

/// Authentication methods of ISAKMP SAs (RFC 2409 appendix A, draft-beaulieu-ike-xauth).
pub(super) fn v1_authentication(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "pre-shared key",
        2 => "DSS signatures",
        3 => "RSA signatures",
        4 => "Encryption with RSA",
        5 => "Revised encryption with RSA",
        9 => "ECDSA with SHA-256 on the P-256 curve",
        10 => "ECDSA with SHA-384 on the P-384 curve",
        11 => "ECDSA with SHA-512 on the P-521 curve",
        64221 => "HybridInitRSA",
        64222 => "HybridRespRSA",
        65001 => "XAUTHInitPreShared",
        65002 => "XAUTHRespPreShared",
        65005 => "XAUTHInitRSA",
        65006 => "XAUTHRespRSA",
        _ => return None,
    })
}

pub(super) fn group_type(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "MODP",
        2 => "ECP",
        3 => "EC2N",
        _ => return None,
    })
}

pub(super) fn life_type(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "seconds",
        2 => "kilobytes",
        _ => return None,
    })
}

/// Encapsulation modes (RFC 2407 section 4.5, RFC 3947 section 5.1).
pub(super) fn encapsulation_mode(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "Tunnel",
        2 => "Transport",
        3 => "UDP-Encapsulated-Tunnel",
        4 => "UDP-Encapsulated-Transport",
        61443 => "UDP-Encapsulated-Tunnel (drafts)",
        61444 => "UDP-Encapsulated-Transport (drafts)",
        _ => return None,
    })
}

/// Authentication algorithms of AH and ESP (RFC 2407 section 4.5).
pub(super) fn v1_integrity(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "HMAC-MD5",
        2 => "HMAC-SHA",
        3 => "DES-MAC",
        4 => "KPDK",
        5 => "HMAC-SHA2-256",
        6 => "HMAC-SHA2-384",
        7 => "HMAC-SHA2-512",
        8 => "HMAC-RIPEMD",
        9 => "AES-XCBC-MAC",
        _ => return None,
    })
}

/// Diffie-Hellman groups of both versions.
pub(super) fn group(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "NONE",
        1 => "768-bit MODP",
        2 => "1024-bit MODP",
        3 => "EC2N over GF[2^155]",
        4 => "EC2N over GF[2^185]",
        5 => "1536-bit MODP",
        14 => "2048-bit MODP",
        15 => "3072-bit MODP",
        16 => "4096-bit MODP",
        17 => "6144-bit MODP",
        18 => "8192-bit MODP",
        19 => "256-bit random ECP",
        20 => "384-bit random ECP",
        21 => "521-bit random ECP",
        22 => "1024-bit MODP with 160-bit prime order subgroup",
        23 => "2048-bit MODP with 224-bit prime order subgroup",
        24 => "2048-bit MODP with 256-bit prime order subgroup",
        25 => "192-bit random ECP",
        26 => "224-bit random ECP",
        27 => "brainpoolP224r1",
        28 => "brainpoolP256r1",
        29 => "brainpoolP384r1",
        30 => "brainpoolP512r1",
        31 => "Curve25519",
        32 => "Curve448",
        35 => "ML-KEM-512",
        36 => "ML-KEM-768",
        37 => "ML-KEM-1024",
        _ => return None,
    })
}

/// Transforms of ISAKMP proposals (RFC 2407 section 4.4.2).
pub(super) fn v1_key_exchange(number: u64) -> Option<&'static str> {
    (number == 1).then_some("KEY_IKE")
}

/// Transforms of AH proposals (RFC 2407 section 4.4.3).
pub(super) fn v1_ah(number: u64) -> Option<&'static str> {
    Some(match number {
        2 => "AH_MD5",
        3 => "AH_SHA",
        4 => "AH_DES",
        5 => "AH_SHA2-256",
        6 => "AH_SHA2-384",
        7 => "AH_SHA2-512",
        8 => "AH_RIPEMD",
        9 => "AH_AES-XCBC-MAC",
        11 => "AH_AES-128-GMAC",
        12 => "AH_AES-192-GMAC",
        13 => "AH_AES-256-GMAC",
        _ => return None,
    })
}

/// Transforms of ESP proposals (RFC 2407 section 4.4.4).
pub(super) fn v1_esp(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "ESP_DES-IV64",
        2 => "ESP_DES",
        3 => "ESP_3DES",
        4 => "ESP_RC5",
        5 => "ESP_IDEA",
        6 => "ESP_CAST",
        7 => "ESP_BLOWFISH",
        8 => "ESP_3IDEA",
        9 => "ESP_DES-IV32",
        10 => "ESP_RC4",
        11 => "ESP_NULL",
        12 => "ESP_AES-CBC",
        13 => "ESP_AES-CTR",
        14 => "ESP_AES-CCM_8",
        15 => "ESP_AES-CCM_12",
        16 => "ESP_AES-CCM_16",
        18 => "ESP_AES-GCM_8",
        19 => "ESP_AES-GCM_12",
        20 => "ESP_AES-GCM_16",
        22 => "ESP_CAMELLIA",
        23 => "ESP_NULL_AUTH_AES-GMAC",
        _ => return None,
    })
}

/// Transforms of IPComp proposals, also of IPCOMP_SUPPORTED (RFC 2407 section 4.4.5, RFC 7296 section 3.10.1).
pub(super) fn compression(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "IPCOMP_OUI",
        2 => "IPCOMP_DEFLATE",
        3 => "IPCOMP_LZS",
        4 => "IPCOMP_LZJH",
        _ => return None,
    })
}

/// Transform types of IKEv2 (RFC 7296 section 3.3.2, RFC 9370).
pub(super) fn transform_type(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "Encryption Algorithm (ENCR)",
        2 => "Pseudorandom Function (PRF)",
        3 => "Integrity Algorithm (INTEG)",
        4 => "Key Exchange Method (KE)",
        5 => "Extended Sequence Numbers (ESN)",
        6 => "Additional Key Exchange 1",
        7 => "Additional Key Exchange 2",
        8 => "Additional Key Exchange 3",
        9 => "Additional Key Exchange 4",
        10 => "Additional Key Exchange 5",
        11 => "Additional Key Exchange 6",
        12 => "Additional Key Exchange 7",
        _ => return None,
    })
}

pub(super) fn v2_cipher(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "ENCR_DES_IV64",
        2 => "ENCR_DES",
        3 => "ENCR_3DES",
        4 => "ENCR_RC5",
        5 => "ENCR_IDEA",
        6 => "ENCR_CAST",
        7 => "ENCR_BLOWFISH",
        8 => "ENCR_3IDEA",
        9 => "ENCR_DES_IV32",
        11 => "ENCR_NULL",
        12 => "ENCR_AES_CBC",
        13 => "ENCR_AES_CTR",
        14 => "ENCR_AES_CCM_8",
        15 => "ENCR_AES_CCM_12",
        16 => "ENCR_AES_CCM_16",
        18 => "ENCR_AES_GCM_8",
        19 => "ENCR_AES_GCM_12",
        20 => "ENCR_AES_GCM_16",
        21 => "ENCR_NULL_AUTH_AES_GMAC",
        23 => "ENCR_CAMELLIA_CBC",
        24 => "ENCR_CAMELLIA_CTR",
        25 => "ENCR_CAMELLIA_CCM_8",
        26 => "ENCR_CAMELLIA_CCM_12",
        27 => "ENCR_CAMELLIA_CCM_16",
        28 => "ENCR_CHACHA20_POLY1305",
        _ => return None,
    })
}

pub(super) fn prf(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "PRF_HMAC_MD5",
        2 => "PRF_HMAC_SHA1",
        3 => "PRF_HMAC_TIGER",
        4 => "PRF_AES128_XCBC",
        5 => "PRF_HMAC_SHA2_256",
        6 => "PRF_HMAC_SHA2_384",
        7 => "PRF_HMAC_SHA2_512",
        8 => "PRF_AES128_CMAC",
        _ => return None,
    })
}

pub(super) fn integrity(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "NONE",
        1 => "AUTH_HMAC_MD5_96",
        2 => "AUTH_HMAC_SHA1_96",
        3 => "AUTH_DES_MAC",
        4 => "AUTH_KPDK_MD5",
        5 => "AUTH_AES_XCBC_96",
        6 => "AUTH_HMAC_MD5_128",
        7 => "AUTH_HMAC_SHA1_160",
        8 => "AUTH_AES_CMAC_96",
        9 => "AUTH_AES_128_GMAC",
        10 => "AUTH_AES_192_GMAC",
        11 => "AUTH_AES_256_GMAC",
        12 => "AUTH_HMAC_SHA2_256_128",
        13 => "AUTH_HMAC_SHA2_384_192",
        14 => "AUTH_HMAC_SHA2_512_256",
        _ => return None,
    })
}

pub(super) fn esn(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "No Extended Sequence Numbers",
        1 => "Extended Sequence Numbers",
        _ => return None,
    })
}

/// Hash algorithms of signatures (RFC 7427 section 4).
pub(super) fn signature_hash(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "SHA1",
        2 => "SHA2-256",
        3 => "SHA2-384",
        4 => "SHA2-512",
        5 => "Identity",
        _ => return None,
    })
}
