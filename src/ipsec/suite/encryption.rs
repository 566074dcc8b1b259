//! The rows of encryption algorithms, combined ones included.

use super::names::Names;
use super::{Cipher, EncryptionRow};

/// What the rows of a cipher have in common.
#[derive(Clone, Copy)]
struct Family {
    cipher: Cipher,
    block: u8,
    iv: u8,
    rfc: &'static str,
    names: Names,
}

impl Family {
    const fn row(self, name: &'static str, short: &'static str, key_octets: usize) -> EncryptionRow {
        let Self { cipher, block, iv, rfc, names } = self;
        EncryptionRow {
            cipher,
            name,
            short,
            key_octets,
            other_keys: (key_octets, key_octets),
            block,
            iv,
            combined: None,
            rfc,
            names,
        }
    }

    /// With the lengths that the RFC allows besides.
    const fn variable(
        self,
        name: &'static str,
        key_octets: usize,
        other_keys: (usize, usize),
    ) -> EncryptionRow {
        EncryptionRow { other_keys, ..self.row(name, name, key_octets) }
    }

    /// A combined mode: `icv` is the row of its ICV.
    const fn with(
        self,
        icv: &'static str,
        name: &'static str,
        short: &'static str,
        key: usize,
    ) -> EncryptionRow {
        EncryptionRow { combined: Some(icv), ..self.row(name, short, key) }
    }

    const fn toml(self, names: &'static [&'static str]) -> Self {
        Self { names: self.names.toml(names), ..self }
    }

    const fn vpp(self, names: &'static [&'static str]) -> Self {
        Self { names: self.names.vpp(names), ..self }
    }

    const fn tcpdump(self, names: &'static [&'static str]) -> Self {
        Self { names: self.names.tcpdump(names), ..self }
    }

    const fn wireshark(self, names: &'static [&'static str]) -> Self {
        Self { names: self.names.wireshark(names), ..self }
    }
}

const AES: Family = Family {
    cipher: Cipher::AesCbc,
    block: 16,
    iv: 16,
    rfc: "RFC 3602",
    names: Names::NONE
        .wireshark(&["AES-CBC [RFC3602]"])
        .xfrm(&["cbc(aes)", "aes"])
        .setkey(&["aes-cbc", "rijndael-cbc"])
        .fortios(&["aes"])
        .routeros(&["aes-cbc"]),
};

const CTR: Family = Family {
    cipher: Cipher::AesCtr,
    block: 1,
    iv: 8,
    rfc: "RFC 3686",
    names: Names::NONE
        .wireshark(&["AES-CTR [RFC3686]"])
        .xfrm(&["rfc3686(ctr(aes))"])
        .setkey(&["aes-ctr"])
        .routeros(&["aes-ctr"]),
};

const GCM: Family = Family {
    cipher: Cipher::AesGcm,
    block: 1,
    iv: 8,
    rfc: "RFC 4106",
    names: Names::NONE.xfrm(&["rfc4106(gcm(aes))"]),
};

/// The dialects that do not say how long the ICV is mean 16 octets.
const GCM_16: Family = Family {
    names: GCM
        .names
        .wireshark(&["AES-GCM with 16 octet ICV [RFC4106]", "AES-GCM [RFC4106]"])
        .setkey(&["aes-gcm-16", "aes-gcm"])
        .fortios(&["aes-gcm"])
        .routeros(&["aes-gcm"]),
    ..GCM
};

const CCM: Family = Family {
    cipher: Cipher::AesCcm,
    rfc: "RFC 4309",
    names: Names::NONE.xfrm(&["rfc4309(ccm(aes))"]),
    ..GCM
};

const GMAC: Family = Family {
    cipher: Cipher::AesGmac,
    rfc: "RFC 4543",
    names: Names::NONE.xfrm(&["rfc4543(gcm(aes))"]),
    ..GCM
};

const CHACHA: Family = Family {
    cipher: Cipher::ChaCha20Poly1305,
    rfc: "RFC 7634",
    names: Names::NONE
        .wireshark(&["ChaCha20 with Poly1305 [RFC7634]", "CHACHA20-POLY1305 [RFC7634]"])
        .xfrm(&["rfc7539esp(chacha20,poly1305)"])
        .toml(&["chacha20-poly1305"])
        .setkey(&["chacha20-poly1305"])
        .fortios(&["chacha20poly1305"])
        .vpp(&["chacha20-poly1305"]),
    ..GCM
};

const CAMELLIA: Family = Family {
    cipher: Cipher::CamelliaCbc,
    rfc: "RFC 4312",
    names: Names::NONE
        .wireshark(&["CAMELLIA-CBC [RFC4312]"])
        .xfrm(&["cbc(camellia)", "camellia"])
        .setkey(&["camellia-cbc"])
        .routeros(&["camellia"]),
    ..AES
};

const TWOFISH: Family = Family {
    cipher: Cipher::TwofishCbc,
    rfc: "draft-ietf-ipsec-ciph-aes-cbc-00",
    names: Names::NONE
        .wireshark(&["TWOFISH-CBC"])
        .xfrm(&["cbc(twofish)", "twofish"])
        .setkey(&["twofish-cbc"])
        .routeros(&["twofish"]),
    ..AES
};

const TRIPLE_DES: Family = Family {
    cipher: Cipher::TripleDesCbc,
    block: 8,
    iv: 8,
    rfc: "RFC 2451",
    names: Names::NONE
        .wireshark(&["TripleDES-CBC [RFC2451]"])
        .xfrm(&["cbc(des3_ede)", "des3_ede"])
        .toml(&["3des-cbc"])
        .tcpdump(&["3des-cbc", "des-ede3-cbc", "des3"])
        .setkey(&["3des-cbc"])
        .fortios(&["3des"])
        .routeros(&["3des"])
        .vpp(&["3des-cbc"]),
};

const DES: Family = Family {
    cipher: Cipher::DesCbc,
    rfc: "RFC 2405",
    names: Names::NONE
        .wireshark(&["DES-CBC [RFC2405]"])
        .xfrm(&["cbc(des)", "des"])
        .toml(&["des-cbc"])
        .tcpdump(&["des-cbc", "des"])
        .setkey(&["des-cbc"])
        .fortios(&["des"])
        .routeros(&["des"])
        .vpp(&["des-cbc"]),
    ..TRIPLE_DES
};

const BLOWFISH: Family = Family {
    cipher: Cipher::BlowfishCbc,
    names: Names::NONE
        .wireshark(&["BLOWFISH-CBC [RFC2451]"])
        .xfrm(&["cbc(blowfish)", "blowfish"])
        .toml(&["blowfish-cbc"])
        .tcpdump(&["blowfish-cbc", "bf-cbc", "blowfish"])
        .setkey(&["blowfish-cbc"])
        .routeros(&["blowfish"]),
    ..TRIPLE_DES
};

const CAST: Family = Family {
    cipher: Cipher::Cast5Cbc,
    names: Names::NONE
        .wireshark(&["CAST5-CBC [RFC2144]"])
        .xfrm(&["cbc(cast5)", "cast5", "cbc(cast128)", "cast128"])
        .toml(&["cast5-cbc", "cast128-cbc"])
        .tcpdump(&["cast128-cbc", "cast5-cbc"])
        .setkey(&["cast128-cbc"]),
    ..TRIPLE_DES
};

const NULL: Family = Family {
    cipher: Cipher::Null,
    block: 1,
    iv: 0,
    rfc: "RFC 2410",
    names: Names::NONE
        .wireshark(&["NULL"])
        .xfrm(&["ecb(cipher_null)", "cipher_null"])
        .toml(&["null"])
        .tcpdump(&["none"])
        .setkey(&["null"])
        .fortios(&["null"])
        .routeros(&["null", "none"])
        .vpp(&["none"]),
};

const GCM_8: Family = GCM.wireshark(&["AES-GCM with 8 octet ICV [RFC4106]", "AES-GCM [RFC4106]"]);
const GCM_12: Family = GCM.wireshark(&["AES-GCM with 12 octet ICV [RFC4106]", "AES-GCM [RFC4106]"]);

/// Every encryption algorithm that can be computed.
///
/// Of two rows that only the ICV tells apart the one with the longest comes first.
pub static ENCRYPTION: [EncryptionRow; 39] = [
    AES.toml(&["aes-cbc", "aes-cbc-128"]).tcpdump(&["aes-128-cbc", "aes128"]).vpp(&["aes-cbc-128"]).row(
        "aes-cbc-128",
        "aes128",
        16,
    ),
    AES.toml(&["aes-cbc", "aes-cbc-192"]).tcpdump(&["aes-192-cbc", "aes192"]).vpp(&["aes-cbc-192"]).row(
        "aes-cbc-192",
        "aes192",
        24,
    ),
    AES.toml(&["aes-cbc", "aes-cbc-256"]).tcpdump(&["aes-256-cbc", "aes256"]).vpp(&["aes-cbc-256"]).row(
        "aes-cbc-256",
        "aes256",
        32,
    ),
    TRIPLE_DES.row("3des-cbc", "3des", 24),
    DES.row("des-cbc", "des", 8),
    NULL.row("null", "null", 0),
    CTR.toml(&["aes-ctr", "aes-ctr-128"]).vpp(&["aes-ctr-128"]).row("aes-ctr-128", "aes128ctr", 20),
    CTR.toml(&["aes-ctr", "aes-ctr-192"]).vpp(&["aes-ctr-192"]).row("aes-ctr-192", "aes192ctr", 28),
    CTR.toml(&["aes-ctr", "aes-ctr-256"]).vpp(&["aes-ctr-256"]).row("aes-ctr-256", "aes256ctr", 36),
    GCM_16.toml(&["aes-gcm", "aes-gcm-16", "aes-gcm-16-128"]).vpp(&["aes-gcm-128"]).with(
        "aes-gcm-16",
        "aes-gcm-16-128",
        "aes128gcm16",
        20,
    ),
    GCM_16.toml(&["aes-gcm", "aes-gcm-16", "aes-gcm-16-192"]).vpp(&["aes-gcm-192"]).with(
        "aes-gcm-16",
        "aes-gcm-16-192",
        "aes192gcm16",
        28,
    ),
    GCM_16.toml(&["aes-gcm", "aes-gcm-16", "aes-gcm-16-256"]).vpp(&["aes-gcm-256"]).with(
        "aes-gcm-16",
        "aes-gcm-16-256",
        "aes256gcm16",
        36,
    ),
    GCM_12.toml(&["aes-gcm-12", "aes-gcm-12-128"]).with("aes-gcm-12", "aes-gcm-12-128", "aes128gcm12", 20),
    GCM_12.toml(&["aes-gcm-12", "aes-gcm-12-192"]).with("aes-gcm-12", "aes-gcm-12-192", "aes192gcm12", 28),
    GCM_12.toml(&["aes-gcm-12", "aes-gcm-12-256"]).with("aes-gcm-12", "aes-gcm-12-256", "aes256gcm12", 36),
    GCM_8.toml(&["aes-gcm-8", "aes-gcm-8-128"]).with("aes-gcm-8", "aes-gcm-8-128", "aes128gcm8", 20),
    GCM_8.toml(&["aes-gcm-8", "aes-gcm-8-192"]).with("aes-gcm-8", "aes-gcm-8-192", "aes192gcm8", 28),
    GCM_8.toml(&["aes-gcm-8", "aes-gcm-8-256"]).with("aes-gcm-8", "aes-gcm-8-256", "aes256gcm8", 36),
    CCM.toml(&["aes-ccm", "aes-ccm-16", "aes-ccm-16-128"]).with(
        "aes-ccm-16",
        "aes-ccm-16-128",
        "aes128ccm16",
        19,
    ),
    CCM.toml(&["aes-ccm", "aes-ccm-16", "aes-ccm-16-192"]).with(
        "aes-ccm-16",
        "aes-ccm-16-192",
        "aes192ccm16",
        27,
    ),
    CCM.toml(&["aes-ccm", "aes-ccm-16", "aes-ccm-16-256"]).with(
        "aes-ccm-16",
        "aes-ccm-16-256",
        "aes256ccm16",
        35,
    ),
    CCM.toml(&["aes-ccm-12", "aes-ccm-12-128"]).with("aes-ccm-12", "aes-ccm-12-128", "aes128ccm12", 19),
    CCM.toml(&["aes-ccm-12", "aes-ccm-12-192"]).with("aes-ccm-12", "aes-ccm-12-192", "aes192ccm12", 27),
    CCM.toml(&["aes-ccm-12", "aes-ccm-12-256"]).with("aes-ccm-12", "aes-ccm-12-256", "aes256ccm12", 35),
    CCM.toml(&["aes-ccm-8", "aes-ccm-8-128"]).with("aes-ccm-8", "aes-ccm-8-128", "aes128ccm8", 19),
    CCM.toml(&["aes-ccm-8", "aes-ccm-8-192"]).with("aes-ccm-8", "aes-ccm-8-192", "aes192ccm8", 27),
    CCM.toml(&["aes-ccm-8", "aes-ccm-8-256"]).with("aes-ccm-8", "aes-ccm-8-256", "aes256ccm8", 35),
    GMAC.toml(&["aes-gmac", "aes-gmac-128"]).with("aes-gmac", "aes-gmac-128", "aes128gmac", 20),
    GMAC.toml(&["aes-gmac", "aes-gmac-192"]).with("aes-gmac", "aes-gmac-192", "aes192gmac", 28),
    GMAC.toml(&["aes-gmac", "aes-gmac-256"]).with("aes-gmac", "aes-gmac-256", "aes256gmac", 36),
    CHACHA.with("chacha20-poly1305", "chacha20-poly1305", "chacha20poly1305", 36),
    CAMELLIA.toml(&["camellia-cbc", "camellia-cbc-128"]).row("camellia-cbc-128", "camellia128", 16),
    CAMELLIA.toml(&["camellia-cbc", "camellia-cbc-192"]).row("camellia-cbc-192", "camellia192", 24),
    CAMELLIA.toml(&["camellia-cbc", "camellia-cbc-256"]).row("camellia-cbc-256", "camellia256", 32),
    BLOWFISH.variable("blowfish-cbc", 16, (5, 56)),
    CAST.variable("cast5-cbc", 16, (5, 16)),
    TWOFISH.toml(&["twofish-cbc", "twofish-cbc-128"]).row("twofish-cbc-128", "twofish128", 16),
    TWOFISH.toml(&["twofish-cbc", "twofish-cbc-192"]).row("twofish-cbc-192", "twofish192", 24),
    TWOFISH.toml(&["twofish-cbc", "twofish-cbc-256"]).row("twofish-cbc-256", "twofish256", 32),
];
