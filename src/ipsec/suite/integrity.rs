//! The rows of integrity algorithms: those of their own, those of combined modes, and the ways to have none.

use super::names::Names;
use super::{Hash, IntegrityRow, Mac};

const fn row(
    mac: Mac,
    name: &'static str,
    short: &'static str,
    key_octets: usize,
    icv: usize,
) -> IntegrityRow {
    let rfc = match mac {
        Mac::Hmac(Hash::Sha1) => "RFC 2404",
        Mac::Hmac(Hash::Md5) => "RFC 2403",
        Mac::Hmac(Hash::Ripemd160) => "RFC 2857",
        Mac::Hmac(_) if icv == 12 => "draft-ietf-ipsec-ciph-sha-256-00",
        Mac::Hmac(_) => "RFC 4868",
        Mac::AesXcbc => "RFC 3566",
        Mac::AesCmac => "RFC 4494",
        Mac::Combined => "RFC 4303 section 3.4.4.2",
    };
    IntegrityRow { mac: Some(mac), name, short, key_octets, icv, rfc, also_tried: None, names: Names::NONE }
}

impl IntegrityRow {
    const fn named(self, names: Names) -> Self {
        Self { names, ..self }
    }

    const fn also(self, other: &'static str) -> Self {
        Self { also_tried: Some(other), ..self }
    }
}

/// The ICV of a combined mode. The row has no names, because the encryption algorithm has them.
const fn combined(name: &'static str, icv: usize) -> IntegrityRow {
    row(Mac::Combined, name, "", 0, icv)
}

const fn unchecked(name: &'static str, icv: usize, wireshark: &'static [&'static str]) -> IntegrityRow {
    IntegrityRow {
        mac: None,
        name,
        short: name,
        key_octets: 0,
        icv,
        rfc: "RFC 4303 section 3.2.2",
        also_tried: None,
        names: Names::NONE.wireshark(wireshark),
    }
}

const NAMES: Names = Names::NONE;

/// Every integrity algorithm that can be computed, and the ways to have none.
///
/// For one hash and no length in the dump of a kernel the first row counts: the longest ICV.
pub static INTEGRITY: [IntegrityRow; 23] = [
    row(Mac::Hmac(Hash::Sha1), "hmac-sha1-96", "sha1-96", 20, 12).named(
        NAMES
            .wireshark(&["HMAC-SHA-1-96 [RFC2404]"])
            .xfrm(&["hmac(sha1)", "sha1"])
            .toml(&["hmac-sha1-96"])
            .setkey(&["hmac-sha1"])
            .fortios(&["sha1"])
            .routeros(&["sha1"])
            .vpp(&["sha1-96"]),
    ),
    row(Mac::Hmac(Hash::Md5), "hmac-md5-96", "md5-96", 16, 12).named(
        NAMES
            .wireshark(&["HMAC-MD5-96 [RFC2403]"])
            .xfrm(&["hmac(md5)", "md5"])
            .toml(&["hmac-md5-96"])
            .setkey(&["hmac-md5"])
            .fortios(&["md5"])
            .routeros(&["md5"])
            .vpp(&["md5-96"]),
    ),
    // strongSwan writes this name for the 96-bit ICV too; KAME's stack had no other.
    row(Mac::Hmac(Hash::Sha256), "hmac-sha256-128", "sha256-128", 32, 16).also("hmac-sha256-96").named(
        NAMES
            .wireshark(&["HMAC-SHA-256-128 [RFC4868]"])
            .xfrm(&["hmac(sha256)", "sha256"])
            .toml(&["hmac-sha256-128", "hmac-sha2-256-128"])
            .setkey(&["hmac-sha2-256", "hmac-sha256"])
            .fortios(&["sha256"])
            .routeros(&["sha256"])
            .vpp(&["sha-256-128"]),
    ),
    row(Mac::Hmac(Hash::Sha256), "hmac-sha256-96", "sha256-96", 32, 12).named(
        NAMES
            .wireshark(&["HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]"])
            .xfrm(&["hmac(sha256)", "sha256"])
            .toml(&["hmac-sha256-96", "hmac-sha2-256-96"])
            .vpp(&["sha-256-96"]),
    ),
    row(Mac::Hmac(Hash::Sha384), "hmac-sha384-192", "sha384-192", 48, 24).named(
        NAMES
            .wireshark(&["HMAC-SHA-384-192 [RFC4868]"])
            .xfrm(&["hmac(sha384)", "sha384"])
            .toml(&["hmac-sha384-192", "hmac-sha2-384-192"])
            .setkey(&["hmac-sha2-384", "hmac-sha384"])
            .fortios(&["sha384"])
            .vpp(&["sha-384-192"]),
    ),
    row(Mac::Hmac(Hash::Sha512), "hmac-sha512-256", "sha512-256", 64, 32).named(
        NAMES
            .wireshark(&["HMAC-SHA-512-256 [RFC4868]"])
            .xfrm(&["hmac(sha512)", "sha512"])
            .toml(&["hmac-sha512-256", "hmac-sha2-512-256"])
            .setkey(&["hmac-sha2-512", "hmac-sha512"])
            .fortios(&["sha512"])
            .routeros(&["sha512"])
            .vpp(&["sha-512-256"]),
    ),
    row(Mac::Hmac(Hash::Ripemd160), "hmac-ripemd160-96", "ripemd160-96", 20, 12).named(
        NAMES
            .wireshark(&["MAC-RIPEMD-160-96 [RFC2857]"])
            .xfrm(&["hmac(rmd160)", "rmd160"])
            .toml(&["hmac-ripemd160-96"])
            .setkey(&["hmac-ripemd160"]),
    ),
    row(Mac::AesXcbc, "aes-xcbc-96", "xcbc-96", 16, 12).named(
        NAMES
            .wireshark(&["AES-XCBC-MAC-96 [RFC3566]"])
            .xfrm(&["xcbc(aes)"])
            .toml(&["aes-xcbc-96", "aes-xcbc-mac-96"])
            .setkey(&["aes-xcbc-mac"]),
    ),
    row(Mac::AesCmac, "aes-cmac-96", "cmac-96", 16, 12)
        .named(NAMES.wireshark(&["AES-CMAC-96 [RFC4494]"]).xfrm(&["cmac(aes)"]).toml(&["aes-cmac-96"])),
    combined("aes-gcm-16", 16),
    combined("aes-gcm-12", 12),
    combined("aes-gcm-8", 8),
    combined("aes-ccm-16", 16),
    combined("aes-ccm-12", 12),
    combined("aes-ccm-8", 8),
    combined("aes-gmac", 16),
    combined("chacha20-poly1305", 16),
    unchecked("none", 0, &["NULL"]).named(
        NAMES
            .wireshark(&["NULL"])
            .xfrm(&["digest_null"])
            .toml(&["none", "null"])
            .setkey(&["null"])
            .fortios(&["null"])
            .routeros(&["null", "none"])
            .vpp(&["none"]),
    ),
    unchecked("unchecked-64", 8, &["ANY 64 bit authentication [no checking]"]),
    unchecked("unchecked-96", 12, &["ANY 96 bit authentication [no checking]"]),
    unchecked("unchecked-128", 16, &["ANY 128 bit authentication [no checking]"]),
    unchecked("unchecked-192", 24, &["ANY 192 bit authentication [no checking]"]),
    unchecked("unchecked-256", 32, &["ANY 256 bit authentication [no checking]"]),
];
