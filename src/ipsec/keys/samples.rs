//! A sample of each dialect that network devices and other tools print, and what they have to say.

use super::tests::{fault, load_text, sad_of};

/// `setkey -D`.
pub(super) const SETKEY: &str = "10.1.0.2[4500] 203.0.113.2[4500]
\tesp-udp mode=transport spi=3454478588(0xcde728fc) reqid=1(0x00000001)
\tE: aes-cbc  0fdb5c39 e19596ff 39960ca0 922c7574
\tA: hmac-sha1  8cd5e823 d517a8ab 8203549a b2b4f2d3 c7ac1023
\tseq=0x00000000 replay=4 flags=0x00000000 state=mature
\tcreated: Nov 23 21:00:00 2026\tcurrent: Nov 23 21:01:00 2026
\tsadb_seq=1 pid=1234 refcnt=0
203.0.113.2 10.1.0.2
\tah mode=tunnel spi=4096(0x00001000) reqid=0(0x00000000)
\tA: hmac-md5  000102030405060708090a0b0c0d0e0f
";

/// `diagnose vpn tunnel list` of FortiOS.
pub(super) const FORTIOS: &str = "list all ipsec tunnel in vd 0
------------------------------------------------------
name=lns ver=1 serial=1 203.0.113.2:0->10.1.0.2:0 tun_id=10.1.0.2 dst_mtu=1500
bound_if=3 lgwy=static/1 tun=intf/0 mode=auto/1 encap=none/512 options[0200]=
proxyid=lns proto=0 sa=1 ref=2 serial=1
  src: 0:0.0.0.0/0.0.0.0:0
  SA:  ref=3 options=10226 type=00 soft=0 mtu=1438 expire=42897/0B replaywin=2048
       seqno=5 esn=0 replaywin_lastseq=00000002 itn=0
  dec: spi=cde728fc esp=aes key=16 0fdb5c39e19596ff39960ca0922c7574
       ah=sha1 key=20 8cd5e823d517a8ab8203549ab2b4f2d3c7ac1023
  enc: spi=c5c3b9bb esp=aes-gcm key=20 4a8f75b0acab84807c4ce2f7028c4c8000112233
       ah=null key=0 
  dec:pkts/bytes=1/84, enc:pkts/bytes=4/608
";

/// `/ip ipsec installed-sa print` of RouterOS.
pub(super) const ROUTEROS: &str = "Flags: H - hw-aead, A - AH, E - ESP 
 0   E spi=0xCDE728FC src-address=10.1.0.2:4500 dst-address=203.0.113.2:4500 state=mature 
      auth-algorithm=sha1 enc-algorithm=aes-cbc enc-key-size=128 
      auth-key=\"8cd5e823d517a8ab8203549ab2b4f2d3c7ac1023\" 
      enc-key=\"0fdb5c39e19596ff39960ca0922c7574\" 
      addtime=nov/23/2026 21:00:00 expires-in=24m5s current-bytes=1200 replay=128 
";

/// `show ipsec sa` of VPP.
pub(super) const VPP: &str = "[0] sa 10 (0xa) spi 3454478588 (0xcde728fc) protocol:esp flags:[anti-replay ]
   locks 1
   salt 0x0
   seq 0 seq-hi 0
   crypto alg aes-cbc-128 key 0fdb5c39e19596ff39960ca0922c7574
   integrity alg sha1-96 key 8cd5e823d517a8ab8203549ab2b4f2d3c7ac1023
   table-ID 0 [10.1.0.2->203.0.113.2]
[1] sa 20 (0x14) spi 4096 (0x00001000) protocol:esp flags:[esn anti-replay aead ]
   salt 0x112233
   crypto alg aes-gcm-128 key 4a8f75b0acab84807c4ce2f7028c4c80
   integrity alg none
";

/// tcpdump's file for `-E`.
pub(super) const TCPDUMP: &str =
    "0xcde728fc@203.0.113.2 aes-128-cbc-hmac96:0x0fdb5c39e19596ff39960ca0922c7574
0x1000@10.1.0.2 3des-cbc:twenty-four octets here!
";

/// tcpdump's `-E` without an SPI.
pub(super) const TCPDUMP_ALONE: &str = "des-cbc:0x0123456789abcdef";

#[test]
fn what_devices_print_says_the_same() {
    let first = |text| {
        let sad = sad_of(&[text]);
        let (_, sa) = sad.iter().next().unwrap();
        format!("{} {:?} {:?} {}", sa.spi, sa.source, sa.destination, sa.suite())
    };
    let expected = "0xcde728fc Some(10.1.0.2) Some(203.0.113.2) aes128 sha1-96";
    for text in [SETKEY, FORTIOS, ROUTEROS, VPP] {
        assert_eq!(first(text), expected, "{text}");
    }
    // Given together they are one SA, and one more in each of two files.
    assert_eq!(sad_of(&[SETKEY, FORTIOS, ROUTEROS, VPP, super::tests::XFRM]).len(), 4);
    assert_eq!(first(TCPDUMP), "0xcde728fc None Some(203.0.113.2) aes128 unchecked-96");
    assert_eq!(first(TCPDUMP_ALONE), "0x???????? None None des none");
}

#[test]
fn salts_and_directions() {
    for (text, key) in [
        (FORTIOS, "4a8f75b0acab84807c4ce2f7028c4c8000112233"),
        (VPP, "4a8f75b0acab84807c4ce2f7028c4c8000112233"),
    ] {
        let file = load_text(text).unwrap();
        let second = &file.records[1];
        let found: String =
            second.encryption_key.expose().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!((found.as_str(), second.encryption.short()), (key, "aes128gcm16"));
    }
    let file = load_text(FORTIOS).unwrap();
    assert_eq!(file.records[1].source.exact(), Some("203.0.113.2".parse().unwrap()));
    assert_eq!(file.records[1].extended_sequence, Some(false));
    assert_eq!(load_text(SETKEY).unwrap().other_protocols, 1);
}

#[test]
fn faults_name_the_place() {
    let cases = [
        (SETKEY.replace("E: aes-cbc  0f", "E: aes-cbc  0x"), "keys:3: column 15 is no hexadecimal digit"),
        (
            SETKEY.replace("E: aes-cbc", "E: rot13-x"),
            "keys:3: column 5: no encryption algorithm has this name",
        ),
        (
            FORTIOS.replace("esp=aes key=16 0fdb", "esp=aes key=16 0fd"),
            "keys:9: the key at column 36 has an odd number",
        ),
        (
            FORTIOS.replace("spi=cde728fc", "spi=cde728fz"),
            "keys:9: column 8: spi= with hexadecimal digits expected",
        ),
        (ROUTEROS.replace("0xCDE728FC", "0xCDE728FCA"), "keys:2: column 12: an SPI like 0xC0DE0001 expected"),
        (ROUTEROS.replace("auth-key=\"8cd5", "auth-key=\"8xd5"), "keys:4: column 18 is no hexadecimal digit"),
        (
            VPP.replace(" key 0fdb5c39e19596ff39960ca0922c7574", " key [redacted]"),
            "keys:5: the keys are hidden",
        ),
        (
            TCPDUMP.replace("aes-128-cbc", "aes-129-cbc"),
            "keys:1: column 24: no encryption algorithm has this name",
        ),
        (TCPDUMP.replace("0x1000@10.1.0.2 3des", "0x1000 3des"), "keys:2: column 1: SPI@ADDRESS, such as"),
    ];
    for (text, start) in cases {
        let message = fault(&text);
        assert!(message.starts_with(start), "{message} instead of {start}");
    }
}
