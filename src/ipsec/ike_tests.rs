//! Vectors for the ciphers of IKE SAs, and faults in their key files.

use ccm::aead::AeadInOut;
use ccm::aead::consts::{U8, U11, U12, U16};
use ccm::{Ccm, KeyInit};

use super::ike_cipher::open;
use super::ike_keys::{IkeKeys, IkeRecord, IkeSealed, V1Cipher};
use super::ike_suite::{ENCRYPTION, EncryptionRow, INTEGRITY};
use super::keys;
use super::secret::Secret;
use super::testing::octets;
use crate::util::Printable;

fn opened(name: &str, key: &str, iv: &str, head: &str, data: &str, tag: &str) -> Option<Vec<u8>> {
    let row = EncryptionRow::find(name).unwrap();
    let mut data = octets(data);
    let before = data.clone();
    let good = open(row, &Secret::new(octets(key)), &octets(iv), &octets(head), &mut data, &octets(tag));
    assert!(good || data == before, "what is not proved is not decrypted");
    good.then_some(data)
}

/// Test cases 4 and 16 of "The Galois/Counter Mode of Operation (GCM)" by McGrew and Viega, whose nonces are salt and
/// initialization vector here.
#[test]
fn gcm_with_tags_of_all_lengths() {
    let key = "feffe9928665731c6d6a8f9467308308";
    let (salt, iv) = ("cafebabe", "facedbaddecaf888");
    let head = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    let plain = octets(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
         b16aedf5aa0de657ba637b39",
    );
    let short = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05\
                 1ba30b396a0aac973d58e091";
    let long = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
                c5f61e6393ba7a0abcc9f662";
    for (bits, key, data, tag) in [
        (128, format!("{key}{salt}"), short, "5bc94fbc3221a5db94fae95ae7121a47"),
        (256, format!("{key}{key}{salt}"), long, "76fc6ece0f4e1768cddf8853bb2d551b"),
    ] {
        for icv in [8, 12, 16] {
            let name = format!("AES-GCM-{bits} with {icv} octet ICV [RFC5282]");
            let tag = &tag[..icv * 2];
            assert_eq!(opened(&name, &key, iv, head, data, tag).as_ref(), Some(&plain), "{name}");
            assert_eq!(opened(&name, &key, iv, "", data, tag), None, "{name}");
            let flipped = tag.replace(&tag[..2], "00");
            assert_eq!(opened(&name, &key, iv, head, data, &flipped), None, "{name}");
        }
    }
}

/// RFC 3686 section 6, test vector 1.
#[test]
fn counter_mode() {
    let key = "ae6852f8121067cc4bf7a5765577f39e00000030";
    let plain =
        opened("AES-CTR-128 [RFC5930]", key, "0000000000000000", "", "e4095d4fb7a7b3792d6175a3261311b8", "");
    assert_eq!(plain.as_deref(), Some(&b"Single block msg"[..]));
}

#[test]
fn ccm_with_tags_of_all_lengths() {
    fn sealed<M>(head: &[u8], plain: &[u8]) -> (Vec<u8>, Vec<u8>)
    where
        M: ccm::aead::array::ArraySize + ccm::TagSize,
    {
        let cipher = Ccm::<aes::Aes128, M, U11>::new_from_slice(&[7; 16]).unwrap();
        let nonce = [9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut data = plain.to_vec();
        let tag = cipher.encrypt_inout_detached(&nonce.into(), head, data.as_mut_slice().into()).unwrap();
        (data, tag.to_vec())
    }
    let key = Secret::new([[7; 16].as_slice(), &[9; 3]].concat());
    let (head, plain) = (b"the header", b"and the payloads behind it");
    for (icv, (data, tag)) in
        [(8, sealed::<U8>(head, plain)), (12, sealed::<U12>(head, plain)), (16, sealed::<U16>(head, plain))]
    {
        let row = EncryptionRow::find(&format!("AES-CCM-128 with {icv} octet ICV [RFC5282]")).unwrap();
        let mut out = data.clone();
        assert!(open(row, &key, &[1, 2, 3, 4, 5, 6, 7, 8], head, &mut out, &tag));
        assert_eq!(out, plain);
        let mut out = data;
        assert!(!open(row, &key, &[1, 2, 3, 4, 5, 6, 7, 9], head, &mut out, &tag));
    }
}

#[test]
fn names_are_unique() {
    let mut seen = std::collections::HashSet::new();
    for name in ENCRYPTION.iter().map(|row| row.name).chain(INTEGRITY.iter().map(|row| row.name)) {
        assert!(seen.insert(name), "{name} twice");
    }
}

#[test]
fn the_same_key_counts_once_and_a_wrong_length_opens_nothing() {
    let mut ike = IkeKeys::default();
    for key in [vec![1; 16], vec![1; 16], vec![2; 3]] {
        ike.add(IkeRecord::V1 { cookie: 7, key: Secret::new(key) }).unwrap();
    }
    assert_eq!((ike.len(), format!("{ike:?}").as_str()), (2, "IkeKeys { len: 2, .. }"));
    let mut out = Vec::new();
    let mut open = |cipher, sealed: &[u8]| {
        ike.open_v1(7, cipher, &[vec![0; 8], vec![0; 16]], sealed, &mut out, |plain| {
            (plain.first() == Some(&0x42)).then_some(())
        })
    };
    assert_eq!(open(V1Cipher::TripleDes, &[0; 16]), Err(IkeSealed::Nonsense));
    assert_eq!(open(V1Cipher::Aes(None), &[0; 15]), Err(IkeSealed::TooShort));
    assert_eq!(open(V1Cipher::Aes(Some(17)), &[0; 16]), Err(IkeSealed::Nonsense));
}

#[test]
fn faults_of_tables_say_where_and_not_what() {
    let name = Printable::from_text("table");
    let fault = |text: &str| keys::parse(&name, text.as_bytes()).unwrap_err().to_string();
    let v2 =
        "0011223344556677,8899aabbccddeeff,00,11,\"AES-CBC-128 [RFC3602]\",22,33,\"HMAC_SHA1_96 [RFC2404]\"";
    for (text, expected) in [
        ("0011223344556677,00f", "table:1: the key at column 18 has an odd number of hexadecimal digits"),
        ("# a table\n0011223344556677,0011,22", "table:2: 3 columns instead of 2 (IKEv1) or 8 (IKEv2)"),
        (
            "0011223344556677,00\n00112233,0011",
            "table:2: column 1: an IKE SPI of 16 hexadecimal digits expected",
        ),
        (v2, "table:1: the key for AES-CBC-128 [RFC3602] has 1 bytes instead of 16"),
        (&v2.replace("CBC", "XYZ"), "table:1: column 42: no encryption algorithm has this name"),
        (&v2.replace("SHA1", "SHA9"), "table:1: column 72: no integrity algorithm has this name"),
    ] {
        assert_eq!(fault(text), expected);
    }
    let quoted = "uat:ikev1_decryption_table:\"0011223344556677\",\"00ff\"\n";
    assert_eq!(keys::parse(&name, quoted.as_bytes()).unwrap().ike_len(), 1);
}
