//! Published vectors for the combined modes.

use aes::{Aes128Enc, Aes192Enc, Aes256Enc};

use super::combined::{Gcm, keyed};
use super::secret::Secret;
use super::suite::{ENCRYPTION, EncryptionRow};
use super::testing::{digits, octets};

struct Vector {
    name: &'static str,
    source: &'static str,
    /// With the salt.
    key: &'static str,
    iv: &'static str,
    aad: &'static str,
    plain: &'static str,
    sealed: &'static str,
    icv: &'static str,
}

const VECTORS: [Vector; 19] = [
    Vector {
        name: "aes-gcm-16-128",
        source: "GCM specification, test case 4",
        key: "feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        icv: "5bc94fbc3221a5db94fae95ae7121a47",
    },
    Vector {
        name: "aes-gcm-12-128",
        source: "GCM specification, test case 4, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        icv: "5bc94fbc3221a5db94fae95a",
    },
    Vector {
        name: "aes-gcm-8-128",
        source: "GCM specification, test case 4, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        icv: "5bc94fbc3221a5db",
    },
    Vector {
        name: "aes-gcm-16-192",
        source: "GCM specification, test case 10",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
        icv: "2519498e80f1478f37ba55bd6d27618c",
    },
    Vector {
        name: "aes-gcm-12-192",
        source: "GCM specification, test case 10, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
        icv: "2519498e80f1478f37ba55bd",
    },
    Vector {
        name: "aes-gcm-8-192",
        source: "GCM specification, test case 10, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
        icv: "2519498e80f1478f",
    },
    Vector {
        name: "aes-gcm-16-256",
        source: "GCM specification, test case 16",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        icv: "76fc6ece0f4e1768cddf8853bb2d551b",
    },
    Vector {
        name: "aes-gcm-12-256",
        source: "GCM specification, test case 16, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        icv: "76fc6ece0f4e1768cddf8853",
    },
    Vector {
        name: "aes-gcm-8-256",
        source: "GCM specification, test case 16, tag cut (NIST SP 800-38D)",
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308 cafebabe",
        iv: "facedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        icv: "76fc6ece0f4e1768",
    },
    Vector {
        name: "aes-ccm-16-128",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "1e2c7e01419aefc00d58966e5ca24bd3 4fa319",
        iv: "d3015ad830601556",
        aad: "dae6289c452dfd635eda4cb6e6fcf9b70c56cbe4e0057ae10a630978bc2c55de",
        plain: "87a336fd96b39378a92863ba12a31485571e06c97b21ef767f387e8e29a43e7e",
        sealed: "8a1e11f0026be219fc70c46d8eb799abc54ba2acd3f348ff3bb5ce53efdebb02",
        icv: "a986156c13feda0a22b8293dd8399a23",
    },
    Vector {
        name: "aes-ccm-16-192",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "56df5c8f263f0e42ef7ad3cefc846062cab440af5fc9c901 d63c8c",
        iv: "8684b6cdef092e94",
        aad: "0265783ce9213091b1b9da769a786d95f28832a3f250cb4ce300736984698779",
        plain: "9fd2024b5249313c43693a2d8e70ad7ee0e54609808913b28c8bd93f86fbb56b",
        sealed: "39df7c3c5a29b9625d51c216d8bd069f9b6a0970c15183c266881d4f9adae01e",
        icv: "c7791158e56b20407aea46428be46fe1",
    },
    Vector {
        name: "aes-ccm-8-256",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "e08d997160d7971abd0199d58adf713ad3df244b5e3d4b4e307ab9d8530a5e2b 1e2991",
        iv: "ad8ec1530acf2dbe",
        aad: "19b61f57c4f3f08b782b9402290f42276b75cb9834087e79e43e490d848b2287",
        plain: "e1d9d813eb3a753f9dbd5f66bedcbb66bf1799624a39271f1ddc24ae192f984c",
        sealed: "19b86133452b43966f51d020307d9bc6263df8c96516a89ff0621734f21e8d75",
        icv: "4e13ccc0c32a542d",
    },
    Vector {
        name: "aes-ccm-12-256",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "7cc8183b8d99e07c4541b8bd5ca7c2328ab80259a4fea92c09759a9b3c9b2739 f9d94e",
        iv: "63b53d9d43f61e50",
        aad: "57f56b8b575c3d3b1302010c834c96358ed639cf7d149b94b03936e68f57e013",
        plain: "3b6c2936b6ef07a68372074fcffa66895fcab1bad58f2c2730db750993d465e4",
        sealed: "b0885a33aae5c71d8523c7c62ff41e3dcc63442507784f9e96b888ebbc481f06",
        icv: "39af39acd84a80397b728af7",
    },
    Vector {
        name: "aes-ccm-16-256",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "abd0e9330726e5838c7695d4b6dcf346f98fade3021383773fb0f1a1a1220f2b 24a78b",
        iv: "07cbcc0ee633bff5",
        aad: "d4db301d03fefd5f87d48cb6b6f17a5dab90658d8eca4d4f160c40904bc73673",
        plain: "f5c67d48c1b7e692975acac4a96df93d6cdebcf190ea6ab2358636af5cfe4b3a",
        sealed: "836f408772cfc113efbb8021046c5809071bfcdfc03f5bc7e079a86e717c3fcf",
        icv: "5cdab233e513e20d74d1efb50f3ab5f8",
    },
    Vector {
        name: "aes-ccm-8-128",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "ab2f8a74b71cd2b1ff802e487d82f8b9 af9487",
        iv: "783582817f889468",
        aad: "",
        plain: "",
        sealed: "",
        icv: "413cb88773cbf3f3",
    },
    Vector {
        name: "aes-ccm-8-192",
        source: "NIST CAVS, as in the test vectors of Linux and strongSwan",
        key: "585da096651a04d796e5c568aa9535e029a0ba9e4878d1ba ee4983",
        iv: "e9a9ffe957bafd9e",
        aad: "44a62c05e9e143b1587cf25c6d390a64a4f01305d177996711c4c6db00563661",
        plain: "85346642c8920f3658e06b913c985cbb0a85cc02ad7a96e96543a4c30fdc5581",
        sealed: "fbe55d34bee5e8e75aef2fbf1f7fd4b266ca611e967a61b31c164552ba049c9f",
        icv: "b1d240bc527c6fb1",
    },
    Vector {
        name: "aes-ccm-12-128",
        source: "strongSwan, aes_ccm15",
        key: "7cc8183b8d99e07c4541b8bd5ca7c232 8ab802",
        iv: "63b53d9d43f61e50",
        aad: "57f56b8b575c3d3b1302010c834c96358ed639cf7d149b94b03936e68f57e013",
        plain: "3b6c2936b6ef07a68372074fcffa66895fcab1bad58f2c2730db750993d465e4",
        sealed: "2b94711ad32821e5e2eb75e809989c0ac9ea3ee43af9714c4f16731da510935b",
        icv: "83cddd30b93f86b314bb7d81",
    },
    Vector {
        name: "aes-ccm-12-192",
        source: "strongSwan, aes_ccm16",
        key: "7cc8183b8d99e07c4541b8bd5ca7c2328ab80259a4fea92c f9d94e",
        iv: "63b53d9d43f61e50",
        aad: "57f56b8b575c3d3b1302010c834c96358ed639cf7d149b94b03936e68f57e013",
        plain: "3b6c2936b6ef07a68372074fcffa66895fcab1bad58f2c2730db750993d465e4",
        sealed: "481960bb65a800b826f17f161f3cfc6d866210c551cfef74acc6df28ac366fa0",
        icv: "3a382450680f401eafea4216",
    },
    Vector {
        name: "chacha20-poly1305",
        source: "RFC 7634 appendix A",
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3",
        iv: "1011121314151617",
        aad: "0102030400000005",
        plain: "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204",
        sealed: "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0",
        icv: "76aaa8266b7fb0f7b11b369907e1ad43",
    },
];

/// GMAC with other keys: GCM over nothing, with all of the message beside it.
struct GmacVector {
    name: &'static str,
    source: &'static str,
    key: &'static str,
    iv: &'static str,
    aad: &'static str,
    tag: &'static str,
}

const GMAC: [GmacVector; 3] = [
    GmacVector {
        name: "aes-gmac-128",
        source: "IEEE 802.1AE annex C, 54-octet frame, authentication only",
        key: "ad7a2bd03eac835a6f620fdcb506b345 12153524",
        iv: "c0895e81b2c28465",
        aad: MACSEC,
        tag: "f09478a9b09007d06f46e9b6a1da25dd",
    },
    GmacVector {
        name: "aes-gmac-192",
        source: "GCM specification, test case 7",
        key: "000000000000000000000000000000000000000000000000 00000000",
        iv: "0000000000000000",
        aad: "",
        tag: "cd33b28ac773f74ba00ed1f312572435",
    },
    GmacVector {
        name: "aes-gmac-256",
        source: "IEEE 802.1AE, the same frame with 256 bits",
        key: "e3c08a8f06c6e3ad95a70557b23f75483ce33021a9c72b7025666204c69c0b72 12153524",
        iv: "c0895e81b2c28465",
        aad: MACSEC,
        tag: "2f0bc5af409e06d609ea8b7d0fa5ea50",
    },
];

const MACSEC: &str = "d609b1f056637a0d46df998d88e5222ab2c2846512153524c0895e8108000f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233340001";

/// The names of all rows that have a vector here.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VECTORS.iter().map(|vector| vector.name).chain(GMAC.iter().map(|vector| vector.name))
}

fn row(name: &str) -> &'static EncryptionRow {
    ENCRYPTION.iter().find(|row| row.name == name).expect(name)
}

#[test]
fn combined_modes_agree_with_published_vectors() {
    for vector in &VECTORS {
        let mode = keyed(row(vector.name), &Secret::new(octets(vector.key))).expect(vector.source);
        let iv = octets(vector.iv).try_into().unwrap();
        let (aad, mut icv, mut data) = (octets(vector.aad), octets(vector.icv), octets(vector.sealed));
        assert_eq!(icv.len(), row(vector.name).integrity().unwrap().icv, "{}", vector.source);
        assert!(mode.open(&iv, &aad, &mut data, &icv), "{} {}", vector.name, vector.source);
        assert_eq!(digits(&data), digits(&octets(vector.plain)), "{}", vector.source);
        assert_eq!(mode.seal(&iv, &aad, &mut data)[..icv.len()], icv, "{}", vector.source);
        assert_eq!(digits(&data), digits(&octets(vector.sealed)), "{}", vector.source);
        assert!(!mode.open(&iv, &[&aad, b"x".as_slice()].concat(), &mut data.clone(), &icv));
        assert!(!mode.open(&iv, &aad, &mut data.clone(), &[]), "an empty ICV");
        assert!(!mode.open(&iv, &aad, &mut data.clone(), &[0; 17]), "an ICV longer than any tag");
        *icv.last_mut().unwrap() ^= 1;
        assert!(!mode.open(&iv, &aad, &mut data, &icv), "{}", vector.source);
    }
}

#[test]
fn gmac_agrees_with_published_vectors_however_the_message_is_cut() {
    for vector in &GMAC {
        let (key, aad) = (octets(vector.key), octets(vector.aad));
        let iv = octets(vector.iv).try_into().unwrap();
        for cut in 0..=aad.len() {
            let (start, end) = aad.split_at(cut);
            let parts = [start, &[], end];
            let tag = match key.len() {
                20 => Gcm::<Aes128Enc>::new(&key).unwrap().tag(&iv, parts, &[]),
                28 => Gcm::<Aes192Enc>::new(&key).unwrap().tag(&iv, parts, &[]),
                _ => Gcm::<Aes256Enc>::new(&key).unwrap().tag(&iv, parts, &[]),
            };
            assert_eq!(digits(&tag), vector.tag, "{} {cut}", vector.source);
        }
    }
}
