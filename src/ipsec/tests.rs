//! Sealed packets, opened: every suite, every size, every kind of damage.

use std::net::IpAddr;

use super::suite::{ENCRYPTION, EncryptionRow, INTEGRITY, IntegrityRow, integrity_row};
use super::testing::Sender;
use super::{Hints, Opening, SaId, Sad, Spi, keys};
use crate::util::Printable;

const SPI: Spi = Spi(0xc0de_0001);
const UDP: u8 = 17;

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn sad_of(texts: &[String]) -> Sad {
    let parse = |text: &String| keys::parse(&Printable::from_text("keys"), text.as_bytes()).expect(text);
    Sad::build(texts.iter().map(parse)).unwrap()
}

fn encryption(name: &str) -> &'static EncryptionRow {
    ENCRYPTION.iter().find(|row| row.name == name).unwrap()
}

fn usual() -> Sender {
    Sender::new(encryption("aes-cbc-128"), integrity_row("hmac-sha1-96").unwrap(), 1)
}

/// Opens with fresh hints; an opening that fails must leave the output alone.
fn open(sad: &Sad, packet: &[u8]) -> (Opening, Vec<u8>) {
    open_with(sad, &mut Hints::new(sad), packet)
}

fn open_with(sad: &Sad, hints: &mut Hints, packet: &[u8]) -> (Opening, Vec<u8>) {
    let mut out = b"earlier".to_vec();
    let opening = sad.open(hints, SPI, address(1), address(2), packet, &mut out);
    assert!(out.starts_with(b"earlier"));
    match &opening {
        Opening::Opened { payload, .. } => {
            let payload = out[payload.clone()].to_vec();
            (opening, payload)
        }
        _ => {
            assert_eq!(out, b"earlier");
            (opening, Vec::new())
        }
    }
}

fn checked_rows() -> impl Iterator<Item = &'static IntegrityRow> {
    INTEGRITY.iter().filter(|row| row.needs_key())
}

/// What a cipher can be used with: a combined mode with itself only.
fn partners(encryption: &EncryptionRow) -> Vec<&'static IntegrityRow> {
    match encryption.integrity() {
        Some(own) => vec![own],
        None => checked_rows().collect(),
    }
}

#[test]
fn every_suite_opens_what_it_sealed() {
    for encryption in &ENCRYPTION {
        let none = integrity_row("none").filter(|_| encryption.combined.is_none());
        for integrity in partners(encryption).into_iter().chain(none) {
            let sender = Sender::new(encryption, integrity, 7);
            let sad = sad_of(&[sender.toml(SPI.0, "")]);
            let mut hints = Hints::new(&sad);
            for size in 0..=100usize {
                let payload: Vec<u8> = (0..size as u8).map(|octet| octet ^ 0x5a).collect();
                let packet = sender.seal(SPI.0, size as u32, UDP, &payload);
                let (opening, opened) = open_with(&sad, &mut hints, &packet);
                let Opening::Opened {
                    sa,
                    next_header,
                    icv_checked,
                    integrity: by,
                    icv_length,
                    high,
                    padding_ok,
                    ..
                } = opening
                else {
                    panic!("{} {} {size}: {opening:?}", encryption.name, integrity.name);
                };
                assert_eq!(opened, payload);
                assert_eq!((sa, next_header, high, padding_ok), (SaId(0), UDP, None, true));
                assert_eq!(
                    (icv_checked, by, icv_length),
                    (integrity.mac.is_some(), integrity.name, integrity.icv)
                );
            }
        }
    }
}

#[test]
fn damage_and_wrong_keys_do_not_open() {
    for encryption in &ENCRYPTION {
        for integrity in partners(encryption) {
            let sender = Sender::new(encryption, integrity, 7);
            let sad = sad_of(&[sender.toml(SPI.0, "")]);
            let packet = sender.seal(SPI.0, 9, UDP, b"forty octets of payload or thereabouts");
            let other = Sender::new(encryption, integrity, 8).seal(SPI.0, 9, UDP, b"forty octets");
            assert_eq!(open(&sad, &other).0, Opening::BadIcv { sa: SaId(0) });
            for place in 0..packet.len() {
                let mut flipped = packet.clone();
                flipped[place] ^= 1 << (place % 8);
                assert_eq!(open(&sad, &flipped).0, Opening::BadIcv { sa: SaId(0) }, "octet {place}");
            }
            // Four octets less of a 128-bit ICV are a 96-bit ICV.
            let shorter = integrity.also_tried.and_then(integrity_row).map(|row| integrity.icv - row.icv);
            for length in (0..packet.len()).filter(|length| Some(packet.len() - length) != shorter) {
                let opening = open(&sad, &packet[..length]).0;
                let short = matches!(opening, Opening::TooShort { available, needed, .. }
                    if available == length && needed > length);
                assert!(short || opening == Opening::BadIcv { sa: SaId(0) }, "{length}: {opening:?}");
            }
        }
    }
}

#[test]
fn without_an_icv_the_trailer_decides() {
    let sender = Sender::new(encryption("aes-cbc-256"), integrity_row("none").unwrap(), 7);
    let sad = sad_of(&[sender.toml(SPI.0, "")]);
    let bad = Opening::BadPadding { sa: SaId(0) };
    let sealed = |padding: &[u8], length, next| sender.seal_padded(SPI.0, 1, &[0; 12], padding, length, next);
    assert!(matches!(open(&sad, &sealed(&[1, 2], 2, UDP)).0, Opening::Opened { icv_checked: false, .. }));
    assert_eq!(open(&sad, &sealed(&[1, 1], 2, UDP)).0, bad);
    assert_eq!(open(&sad, &sealed(&[1, 2], 2, 200)).0, bad);
    assert_eq!(open(&sad, &sealed(&[1, 2], 15, UDP)).0, bad);
    let packet = sealed(&[1, 2], 2, UDP);
    for length in 0..packet.len() {
        assert!(!matches!(open(&sad, &packet[..length]).0, Opening::Opened { .. }), "{length}");
    }
    // An ICV that nobody can check is taken off all the same.
    let unchecked = Sender::new(encryption("aes-cbc-128"), integrity_row("unchecked-96").unwrap(), 3);
    let key = super::testing::digits(&unchecked.encryption_key);
    let table =
        format!(r#"IPv4,*,*,{SPI},AES-CBC [RFC3602],0x{key},ANY 96 bit authentication [no checking],"#);
    let (opening, payload) = open(&sad_of(&[table]), &unchecked.seal(SPI.0, 1, UDP, b"payload"));
    assert!(matches!(opening, Opening::Opened { icv_checked: false, icv_length: 12, .. }), "{opening:?}");
    assert_eq!(payload, b"payload");
}

#[test]
fn after_a_good_icv_odd_padding_is_reported_and_impossible_padding_refused() {
    let sender = usual();
    let sad = sad_of(&[sender.toml(SPI.0, "")]);
    let sealed = |length, next| sender.seal_padded(SPI.0, 1, &[0; 12], &[9, 9], length, next);
    let (opening, payload) = open(&sad, &sealed(2, 253));
    assert!(matches!(opening, Opening::Opened { padding_ok: false, next_header: 253, .. }), "{opening:?}");
    assert_eq!(payload.len(), 12);
    assert!(matches!(open(&sad, &sealed(14, UDP)).0, Opening::Opened { .. }));
    assert_eq!(open(&sad, &sealed(15, UDP)).0, Opening::BadPadding { sa: SaId(0) });
    assert_eq!(open(&sad, &sealed(255, UDP)).0, Opening::BadPadding { sa: SaId(0) });
}

#[test]
fn the_high_half_of_the_sequence_number_is_found() {
    let mut sender = usual();
    let high_of = |opening| match opening {
        Opening::Opened { high, .. } => Some(high),
        _ => None,
    };
    let unknown = sad_of(&[sender.toml(SPI.0, "")]);
    let yes = sad_of(&[sender.toml(SPI.0, "extended-sequence = true")]);
    let no = sad_of(&[sender.toml(SPI.0, "extended-sequence = false")]);
    for (high, by_unknown, by_yes, by_no) in [
        (None, Some(None), None, Some(None)),
        (Some(0), Some(Some(0)), Some(Some(0)), None),
        (Some(1), Some(Some(1)), Some(Some(1)), None),
        (Some(900), None, None, None),
    ] {
        sender.high = high;
        let packet = sender.seal(SPI.0, 5, UDP, b"payload");
        assert_eq!(high_of(open(&unknown, &packet).0), by_unknown);
        assert_eq!(high_of(open(&yes, &packet).0), by_yes);
        assert_eq!(high_of(open(&no, &packet).0), by_no);
    }
    // One worker that follows a counter through its wraps, with a packet of the past in between.
    let mut hints = Hints::new(&yes);
    for high in [0, 1, 2, 1, 3, 4, 5, 6, 5] {
        sender.high = Some(high);
        assert_eq!(
            high_of(open_with(&yes, &mut hints, &sender.seal(SPI.0, 5, UDP, b"x")).0),
            Some(Some(high))
        );
    }
    // The dump tells where it was.
    let dump = format!(
        "src 192.0.2.1 dst 192.0.2.2\n\tproto esp spi {SPI} reqid 1 mode transport\n\treplay-window 0 flag esn\n\tauth-trunc hmac(sha1) 0x{} 96\n\tenc cbc(aes) 0x{}\n\tanti-replay esn context:\n\t seq-hi 0x384, seq 0x38, oseq-hi 0x0, oseq 0x0\n",
        super::testing::digits(&sender.integrity_key),
        super::testing::digits(&sender.encryption_key),
    );
    let dumped = sad_of(&[dump]);
    for high in [899, 900, 901, 0] {
        sender.high = Some(high);
        assert_eq!(high_of(open(&dumped, &sender.seal(SPI.0, 5, UDP, b"x")).0), Some(Some(high)));
    }
}

#[test]
fn combined_modes_authenticate_the_high_half() {
    for encryption in ENCRYPTION.iter().filter(|row| row.combined.is_some()) {
        let mut sender = Sender::new(encryption, encryption.integrity().unwrap(), 3);
        let sad = sad_of(&[sender.toml(SPI.0, "")]);
        let sure = sad_of(&[sender.toml(SPI.0, "extended-sequence = true")]);
        let (mut hints, mut sure_hints) = (Hints::new(&sad), Hints::new(&sure));
        for (turn, high) in [Some(0), Some(1), None, Some(1), Some(2)].into_iter().enumerate() {
            sender.high = high;
            let packet = sender.seal(SPI.0, turn as u32, UDP, b"payload");
            let (opening, payload) = open_with(&sad, &mut hints, &packet);
            assert!(matches!(opening, Opening::Opened { high: found, .. } if found == high), "{opening:?}");
            assert_eq!(payload, b"payload");
            let opened = matches!(open_with(&sure, &mut sure_hints, &packet).0, Opening::Opened { .. });
            assert_eq!(opened, high.is_some(), "{}", encryption.name);
        }
    }
}

#[test]
fn a_key_for_128_bits_also_verifies_96() {
    let long = Sender::new(encryption("aes-cbc-128"), integrity_row("hmac-sha256-128").unwrap(), 5);
    let mut short = Sender::new(encryption("aes-cbc-128"), integrity_row("hmac-sha256-96").unwrap(), 5);
    short.high = Some(0);
    let sad = sad_of(&[long.toml(SPI.0, "")]);
    let mut hints = Hints::new(&sad);
    for _ in 0..3 {
        for (sender, name) in [(&short, "hmac-sha256-96"), (&long, "hmac-sha256-128")] {
            let (opening, payload) = open_with(&sad, &mut hints, &sender.seal(SPI.0, 5, UDP, b"payload"));
            let Opening::Opened { integrity, .. } = opening else { panic!("{opening:?}") };
            assert_eq!((integrity, payload.as_slice()), (name, b"payload".as_slice()));
        }
    }
    assert_eq!(open(&sad, &short.seal(SPI.0, 5, UDP, &[7; 30])[..60]).0, Opening::BadIcv { sa: SaId(0) });
}

#[test]
fn candidates_with_one_spi_are_all_tried() {
    let row = integrity_row("hmac-sha1-96").unwrap();
    let senders: Vec<_> = (0..10).map(|seed| Sender::new(encryption("aes-cbc-128"), row, seed)).collect();
    // Half of them for the destination of the packets, half for others; the first for none.
    let place = |n: usize| match n {
        0 => String::new(),
        n => format!("destination = \"192.0.2.{}\"", 2 + n % 2),
    };
    let text: String = senders.iter().enumerate().map(|(n, s)| s.toml(SPI.0, &place(n))).collect();
    let sad = sad_of(&[text]);
    let mut hints = Hints::new(&sad);
    for turn in [0, 1, 2, 3, 9, 9, 8, 8, 0, 0, 5] {
        let packet = senders[turn].seal(SPI.0, 1, UDP, b"payload");
        let (opening, _) = open_with(&sad, &mut hints, &packet);
        let Opening::Opened { sa, .. } = opening else { panic!("{opening:?}") };
        assert_eq!(sa, SaId(turn as u32));
    }
    let stranger = Sender::new(encryption("aes-cbc-128"), row, 200).seal(SPI.0, 1, UDP, b"payload");
    let failed = open_with(&sad, &mut hints, &stranger).0;
    assert_eq!(failed, open(&sad, &stranger).0, "the answer depends on the hints");
    assert!(matches!(failed, Opening::BadIcv { .. }));
    let mut out = Vec::new();
    let elsewhere = sad.open(&mut hints, Spi(5), address(1), address(2), &stranger, &mut out);
    assert_eq!(elsewhere, Opening::NoKey);
}

#[test]
fn patterns_and_unsupported_algorithms() {
    let sender = Sender::new(encryption("null"), integrity_row("hmac-md5-96").unwrap(), 5);
    let packet = sender.seal(SPI.0, 1, UDP, b"payload");
    let key = super::testing::digits(&sender.integrity_key);
    let table = |source: &str, spi: &str| {
        sad_of(&[format!("IPv4,{source},*,{spi},NULL,,HMAC-MD5-96 [RFC2403],0x{key}\n")])
    };
    for (source, spi) in
        [("*", "*"), ("192.0.2.0/24", "0xc0de*"), ("192.0.2.1", "0x????0001"), ("*", "0xc0de0001")]
    {
        assert!(matches!(open(&table(source, spi), &packet).0, Opening::Opened { .. }), "{source} {spi}");
    }
    for (source, spi) in [("192.0.3.0/24", "*"), ("*", "0xc0df*"), ("192.0.2.9", "0x????0001")] {
        assert_eq!(open(&table(source, spi), &packet).0, Opening::NoKey, "{source} {spi}");
    }
    let serpent = format!("[[sa]]\nspi = {}\nencryption = \"serpent-cbc\"\nencryption-key = \"00\"\n", SPI.0);
    let sad = sad_of(std::slice::from_ref(&serpent));
    assert_eq!(open(&sad, &packet).0, Opening::Unsupported { sa: SaId(0) });
    // With a usable key for the same SPI the unusable one does not matter.
    let sad = sad_of(&[serpent, sender.toml(SPI.0, "")]);
    assert!(matches!(open(&sad, &packet).0, Opening::Opened { sa: SaId(1), .. }));
    assert_eq!(open(&sad, &packet[..packet.len() - 1]).0, Opening::BadIcv { sa: SaId(1) });
}

#[test]
fn a_crowd_on_one_spi_is_cut_and_told() {
    let row = integrity_row("hmac-sha1-96").unwrap();
    let text: String =
        (0..100).map(|seed| Sender::new(encryption("null"), row, seed).toml(SPI.0, "")).collect();
    let sad = sad_of(&[text]);
    assert_eq!((sad.len(), sad.left_out()), (100, 100 - super::sad::MAX_CANDIDATES));
}
