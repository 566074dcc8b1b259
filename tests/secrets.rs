//! No byte of a key or password in any output, error or process list.

mod common;
mod samples;

use common::*;
use std::path::PathBuf;

const CIPHER_KEY: &str = "deadbeefcafef00d0123456789abcdef";
const MAC_KEY: &str = "fee1deadba5eba11c001d00d8badf00dfeedface";

fn assert_none(what: &str, text: &[u8], secrets: &[&str]) {
    let text = String::from_utf8_lossy(text).to_lowercase();
    for secret in secrets {
        // Any eight characters in a row would be too many.
        for window in secret.as_bytes().windows(8) {
            let window = String::from_utf8_lossy(window).to_lowercase();
            assert!(!text.contains(&window), "{what} has {window} in {text}");
        }
        let raw: Vec<u8> = (0..secret.len() / 2)
            .filter_map(|i| u8::from_str_radix(&secret[2 * i..2 * i + 2], 16).ok())
            .collect();
        let shown = String::from_utf8_lossy(&raw).to_lowercase();
        assert!(raw.len() < 8 || !text.contains(&shown), "{what} has raw key octets");
    }
}

fn xfrm(cipher: &str, mac: &str) -> String {
    format!(
        "src 192.0.2.10 dst 198.51.100.1\n\tproto esp spi 0x00000007 reqid 1 mode transport\n\treplay-window 0 \n\
         \tauth-trunc hmac(sha1) 0x{mac} 96\n\tenc cbc(aes) 0x{cipher}\n"
    )
}

#[test]
fn keys_are_in_no_output() {
    let dir = tempfile::tempdir().expect("a folder");
    let capture = dir.path().join("capture.pcap");
    let mut talk = Talk::default();
    talk.tunnel().call().chat(3).close();
    std::fs::write(&capture, pcap(&talk.frames)).expect("written");
    let capture = capture.to_str().expect("a name");
    let esp_sa = format!(
        "\"IPv4\",\"*\",\"*\",\"0x00000007\",\"AES-CBC [RFC3602]\",\"0x{CIPHER_KEY}\",\"HMAC-SHA-1-96 [RFC2404]\",\"0x{MAC_KEY}\"\n"
    );
    let toml = format!(
        "[[sa]]\nspi = 7\nencryption = \"aes-cbc\"\nencryption-key = \"{CIPHER_KEY}\"\nintegrity = \"hmac-sha1-96\"\nintegrity-key = \"{MAC_KEY}\"\n"
    );
    let mut files: Vec<(String, String)> = Vec::new();
    for (name, good) in [("xfrm", xfrm(CIPHER_KEY, MAC_KEY)), ("esp_sa", esp_sa), ("toml", toml)] {
        files.push((format!("{name}-good"), good.clone()));
        files.push((format!("{name}-bad-digit"), good.replace("deadbeef", "deadbeeg")));
        files.push((format!("{name}-odd"), good.replace("cafef00d", "cafef00")));
        files.push((format!("{name}-short"), good.replace("0123456789abcdef", "")));
        files.push((format!("{name}-unknown-suite"), good.replace("aes", "zzz").replace("AES", "ZZZ")));
        files.push((format!("{name}-no-line-ends"), good.replace('\n', " ")));
        for cut in (1..good.len()).step_by(13) {
            files.push((format!("{name}-cut-{cut}"), good.get(..cut).unwrap_or_default().to_owned()));
        }
    }
    files.push((String::from("unknown"), format!("my keys: {CIPHER_KEY} and {MAC_KEY}\n")));
    for (name, text) in files {
        let keys = dir.path().join(&name);
        std::fs::write(&keys, text).expect("written");
        let keys = keys.to_str().expect("a name");
        for arguments in [&["-T", "json"][..], &["-q"], &[]] {
            let output = tool(&[arguments, &["-k", keys, capture]].concat());
            assert_none(&name, &output.stdout, &[CIPHER_KEY, MAC_KEY]);
            assert_none(&name, &output.stderr, &[CIPHER_KEY, MAC_KEY]);
        }
        // A key file given where a capture belongs.
        let output = tool(&[keys]);
        assert_none(&name, &output.stderr, &[CIPHER_KEY, MAC_KEY]);
    }
}

#[test]
fn passwords_of_packets_are_in_no_output() {
    let dir = tempfile::tempdir().expect("a folder");
    let capture: PathBuf = dir.path().join("pap.pcap");
    let mut talk = Talk::default();
    talk.tunnel().call();
    let password = b"correct-horse-battery";
    let mut request = vec![0xff, 3, 0xc0, 0x23, 1, 1, 0, 4 + 1 + 5 + 1 + password.len() as u8, 5];
    request.extend(b"alice");
    request.push(password.len() as u8);
    request.extend(password);
    talk.data(LAC, &request).data(LNS, b"\xff\x03\xc0\x23\x03\x01\x00\x08\x03bad").close();
    std::fs::write(&capture, pcap(&talk.frames)).expect("written");
    let capture = capture.to_str().expect("a name");
    for arguments in VIEWS {
        let output = tool(&[*arguments, &[capture][..]].concat());
        assert_none("pap", &output.stdout, &["correct-horse-battery"]);
        assert_none("pap", &output.stderr, &["correct-horse-battery"]);
        if *arguments == ["-T", "json"] {
            assert!(String::from_utf8_lossy(&output.stdout).contains("alice"));
        }
    }
    // Unless it is asked for.
    let shown = tool(&["-V", "--show-secrets", capture]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("correct-horse-battery"));
}

/// Where no dissector reads a PAP request as one: fragments, quotes, other protocol numbers.
#[test]
fn passwords_are_masked_wherever_their_octets_stand() {
    const PASSWORD: &[u8] = b"correct-horse-battery";
    let dir = tempfile::tempdir().expect("a folder");
    let mut packet = vec![1, 1, 0, 4 + 1 + 5 + 1 + PASSWORD.len() as u8, 5];
    packet.extend(b"alice");
    packet.push(PASSWORD.len() as u8);
    packet.extend(PASSWORD);
    let frame = |head: &[u8], body: &[u8]| [head, body].concat();
    let lcp = |code: u8, head: &[u8]| {
        let length = (4 + head.len() + packet.len()) as u16;
        let header = [&[0xff, 3, 0xc0, 0x21, code, 1][..], &length.to_be_bytes(), head].concat();
        frame(&header, &packet)
    };
    let whole = frame(b"\xc0\x23", &packet);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("first multilink fragment", frame(b"\xff\x03\x00\x3d\x80\0\0\x01\xff\x03", &whole)),
        ("whole multilink frame", frame(b"\xff\x03\x00\x3d\xc0\0\0\x01", &whole)),
        ("short multilink numbers", frame(b"\xff\x03\x00\x3d\x80\x01", &whole)),
        ("PPPMux", frame(&[0xff, 3, 0x00, 0x59, 0x80 | whole.len() as u8], &whole)),
        ("Protocol-Reject", lcp(8, b"\xc0\x23")),
        ("Code-Reject", lcp(7, b"")),
        ("Echo-Request", lcp(9, b"\0\0\0\x01\xc0\x23")),
        ("Identification", lcp(12, b"\0\0\0\x01\xc0\x23")),
        ("old SPAP", frame(b"\xff\x03\xc1\x23", &packet)),
        ("SPAP", frame(b"\xff\x03\xc0\x27", &packet)),
        ("an unknown protocol", frame(b"\xff\x03\x00\x77", &whole)),
        ("a cut PAP request", frame(b"\xff\x03", &whole[..whole.len() - 3])),
        ("a Length that lies", {
            let mut lies = frame(b"\xff\x03", &whole);
            lies[7] -= 6;
            lies
        }),
    ];
    let check = |what: &str, frames: &[(i64, Vec<u8>)]| {
        let capture = dir.path().join("capture.pcap");
        std::fs::write(&capture, pcap(frames)).expect("written");
        let capture = capture.to_str().expect("a name");
        for arguments in VIEWS {
            let output = tool(&[*arguments, &[capture][..]].concat());
            let tail = &arguments.join(" ");
            let spellings = [&PASSWORD[..10], &PASSWORD[8..18]].map(spellings).concat();
            for spelling in spellings {
                let found = output.stdout.windows(spelling.len()).any(|window| window == spelling);
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(!found, "{what} {tail}: {text}");
            }
            // Lines of hexadecimal break where they will.
            let text = String::from_utf8_lossy(&output.stdout);
            for piece in [" 68 6f 72 73 65", " 62 61 74 74 65", "horse", "batt"] {
                assert!(!text.contains(piece), "{what} {tail} has {piece}: {text}");
            }
        }
    };
    for (what, body) in bodies {
        let mut talk = Talk::default();
        talk.tunnel().call();
        talk.data(LAC, &body).data(LNS, b"\xff\x03\xc0\x23\x03\x01\x00\x08\x03bad").close();
        check(what, &talk.frames);
    }
    // Fragments of IP: the password begins in the first and ends in the second, or stands in the first alone.
    for cut in [52, 60, 68] {
        let mut talk = Talk::default();
        talk.tunnel().call().data(LAC, &frame(b"\xff\x03", &whole));
        let (now, datagram) = talk.frames.pop().expect("a datagram");
        let [first, second] = fragments(&datagram, cut);
        talk.frames.extend([(now, first.clone()), (now + 1, second)]);
        check(&format!("fragments at {cut}"), &talk.frames);
        talk.frames.truncate(talk.frames.len() - 1);
        check(&format!("a first fragment of {cut}"), &talk.frames);
    }
    // A proxy LCP and authentication AVP that says it is hidden and is not (RFC 2661 section 4.4.5).
    let mut talk = Talk::default();
    talk.tunnel();
    let mut response = avp(33, PASSWORD);
    response[0] |= 0x40;
    let body = [avp(0, &[0, ICRQ as u8]), avp(14, &[0, 21]), avp(15, &[0, 0, 0, 1]), response].concat();
    talk.send_with(LAC, ICRQ, 0, &body);
    check("a hidden AVP in the clear", &talk.frames);
    // What a password was in one packet is one in the next.
    let mut talk = Talk::default();
    talk.tunnel().call().data(LAC, &frame(b"\xff\x03", &whole));
    talk.data(LNS, &frame(b"\xff\x03\xc0\x21\x0a\x01\0\x1d\0\0\0\x01", PASSWORD));
    check("a message that repeats it", &talk.frames);
}

/// Two fragments of an IPv4 packet, cut at `at` octets from its begin.
fn fragments(datagram: &[u8], at: usize) -> [Vec<u8>; 2] {
    let (mut first, rest) = (datagram[..at].to_vec(), &datagram[at..]);
    let mut second = [&datagram[..20], rest].concat();
    for (fragment, offset) in [(&mut first, 0x2000), (&mut second, (at as u16 - 20) / 8)] {
        let length = fragment.len() as u16;
        fragment[2..4].copy_from_slice(&length.to_be_bytes());
        fragment[6..8].copy_from_slice(&u16::to_be_bytes(offset));
    }
    [first, second]
}

/// A key where the name of an algorithm belongs, on an SA that the capture has: reports name the algorithms of such an
/// SA, so this must not be taken for a name.
#[test]
fn a_key_in_the_place_of_a_name_is_in_no_output() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/captures/l2tp-ipsec/aes128-sha1/outer.pcap");
    let dir = tempfile::tempdir().expect("a folder");
    let head = "src 10.1.0.2 dst 203.0.113.2\n\tproto esp spi 0xcde728fc reqid 1 mode transport\n";
    let sa = |encryption: &str, integrity: &str| {
        format!(
            "[[sa]]\nspi = 0xcde728fc\nencryption = \"{encryption}\"\nencryption-key = \"{CIPHER_KEY}\"\n\
                 integrity = \"{integrity}\"\nintegrity-key = \"{MAC_KEY}\"\n"
        )
    };
    let line = |encryption: &str, integrity: &str| {
        format!(
            "\"IPv4\",\"*\",\"*\",\"0xcde728fc\",\"{encryption}\",\"0x{CIPHER_KEY}\",\"{integrity}\",\"0x{MAC_KEY}\"\n"
        )
    };
    let cbc = "AES-CBC [RFC3602]";
    for (at, text) in [
        format!("{head}\taead rfc4106({CIPHER_KEY}) 0x{MAC_KEY} 128\n"),
        format!(
            "{head}\tauth-trunc hmac({MAC_KEY}) 0x{MAC_KEY} 96\n\tenc cbc({CIPHER_KEY}) 0x{CIPHER_KEY}\n"
        ),
        format!("{head}\tauth-trunc hmac({MAC_KEY}) 0x{MAC_KEY} 96\n\tenc cbc(aes) 0x{CIPHER_KEY}\n"),
        line(&format!("AES-{CIPHER_KEY} [RFC3602]"), "HMAC-SHA-1-96 [RFC2404]"),
        line(cbc, &format!("HMAC-{MAC_KEY} [RFC2404]")),
        line(cbc, &format!("ANY {MAC_KEY} bit authentication")),
        sa(CIPHER_KEY, "hmac-sha1-96"),
        sa("aes-cbc", MAC_KEY),
    ]
    .into_iter()
    .enumerate()
    {
        let keys = dir.path().join(format!("keys-{at}"));
        std::fs::write(&keys, text).expect("written");
        let keys = keys.to_str().expect("a name");
        for arguments in [&["-T", "json"][..], &[], &["--findings"], &["-q"]] {
            let output = tool(&[arguments, &["-k", keys, capture]].concat());
            assert_none(keys, &output.stdout, &[CIPHER_KEY, MAC_KEY]);
            assert_none(keys, &output.stderr, &[CIPHER_KEY, MAC_KEY]);
        }
    }
}

/// Passwords that prove or refute what the samples show, and the user's own text around them.
#[test]
fn passwords_that_were_given_are_in_no_view() {
    const OTHER: &str = "xyzzy-plugh-frotz";
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("secrets.toml");
    for given in ["Pa55-w0rd!", OTHER] {
        let text = format!(
            "[[user]]\nname = \"alice\"\npassword = \"{given}\"\n[[user]]\nname = \"x\"\npassword = \"{OTHER}\"\n"
        );
        std::fs::write(&file, text).expect("written");
        for name in ["mschapv2", "mschapv1", "pap", "badpw-pap", "badpw-mschapv2", "auth-fallback"] {
            let sample = samples::sample(&format!("l2tp-plain/{name}"));
            let wanted: Vec<Vec<u8>> =
                [given, OTHER].iter().flat_map(|secret| spellings(secret.as_bytes())).collect();
            for view in VIEWS {
                let secrets = ["--secrets", file.to_str().expect("a name"), &sample.captures[0]];
                let output = samples::run(&sample.directory, &[*view, &secrets].concat());
                assert_eq!(output.status.code(), Some(0), "{name} {view:?}: {output:?}");
                for stream in [&output.stdout, &output.stderr] {
                    for spelling in &wanted {
                        let found = stream.windows(spelling.len()).any(|window| window == spelling);
                        assert!(!found, "{name} {view:?} prints a password");
                    }
                }
                if *view == ["-T", "json"] {
                    let text = String::from_utf8_lossy(&output.stdout);
                    let proof = if given == OTHER { "\"wrong-password\"" } else { "d\"" };
                    assert!(text.contains("\"proof\": ") && text.contains(proof), "{name}: {text}");
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_and_core_files_have_no_keys() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let dir = tempfile::tempdir().expect("a folder");
    let keys = dir.path().join("keys");
    std::fs::write(&keys, xfrm(CIPHER_KEY, MAC_KEY)).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"))
        .args(["-k", keys.to_str().expect("a name"), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let mut input = child.stdin.take().expect("a pipe");
    // As long as the capture does not end, the process is there to be looked at, its keys loaded.
    input.write_all(&pcap(&[])).expect("written");
    let limits = format!("/proc/{}/limits", child.id());
    let started = std::time::Instant::now();
    loop {
        let text = std::fs::read_to_string(&limits).unwrap_or_default();
        let core =
            text.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default().to_owned();
        let cells: Vec<&str> = core.split_whitespace().collect();
        if cells.get(4..6) == Some(&["0", "0"]) {
            break;
        }
        assert!(started.elapsed().as_secs() < 10, "a core file is possible: {core}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let command = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("readable");
    assert_none("cmdline", &command, &[CIPHER_KEY, MAC_KEY]);
    drop(input);
    child.wait().expect("ends");
}

/// Every option that changes what is printed of a capture.
const VIEWS: &[&[&str]] = &[
    &[],
    &["-T", "json"],
    &["--ladder"],
    &["--findings"],
    &["-q"],
    &["--ascii", "--width", "40"],
    &["--color", "always"],
    &["-c", "12"],
    &["-f", "udp or esp"],
    &["-P"],
    &["-V", "-x", "-c", "60"],
    &["-V", "-x", "-T", "json", "-c", "60"],
    &["-P", "-T", "jsonl"],
    &["-T", "csv", "-e", "esp.decrypted_data", "-e", "pap.password", "-e", "frame"],
    &["-Y", "ppp"],
];

/// The passwords and tunnel secrets of the networks that the samples were made in.
const PASSWORDS: &[&str] = &["Pa55-w0rd!", "B0b-secret", "other-password", "tunnel-s3cret"];

/// The keys in the text of a key file.
fn keys_of(text: &str) -> Vec<Vec<u8>> {
    let digits = text
        .split("0x")
        .skip(1)
        .map(|after| after.chars().take_while(char::is_ascii_hexdigit).collect::<String>());
    // Longer than an SPI.
    let keys = digits.filter(|key| key.len() >= 16 && key.len() % 2 == 0);
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex");
    keys.map(|key| key.as_bytes().chunks(2).map(octet).collect()).collect()
}

/// In the ways a secret could be written: as it is, in hexadecimal of both cases, spaced, in base64 at each alignment.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = |separator: &str| {
        secret.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(separator)
    };
    let mut spellings = vec![secret.to_vec()];
    for separator in ["", " ", ":", ", 0x"] {
        spellings.push(hex(separator).into_bytes());
        spellings.push(hex(separator).to_uppercase().into_bytes());
    }
    // As a debug print of a vector would have it.
    spellings.push(format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec());
    spellings.extend((0..3).map(|skip| base64(&secret[skip..secret.len() - (secret.len() - skip) % 3])));
    spellings
}

fn base64(octets: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = |three: &[u8]| three.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    let four = |three| [18, 12, 6, 0].map(|shift| LETTERS[number(three) >> shift & 63]);
    octets.chunks_exact(3).flat_map(four).collect()
}

/// Samples are opened with real keys, and one carries its password in the clear.
#[test]
fn real_keys_and_passwords_are_in_no_view_of_any_sample() {
    let mut keyed = 0;
    for sample in samples::samples() {
        let mut secrets: Vec<Vec<u8>> = PASSWORDS.iter().map(|text| text.as_bytes().to_vec()).collect();
        for key in &sample.keys {
            let text = std::fs::read_to_string(sample.directory.join(key)).expect("text");
            let keys = keys_of(&text);
            assert!(keys.len() >= 2, "{}: no keys in {key}?", sample.name);
            secrets.extend(keys);
            keyed += 1;
        }
        // A half of a key is too much as well.
        let halves = secrets.iter().flat_map(|secret| secret.chunks(secret.len().max(16) / 2));
        let wanted: Vec<Vec<u8>> = halves.filter(|half| half.len() >= 8).flat_map(spellings).collect();
        for view in VIEWS {
            let mut arguments = view.to_vec();
            arguments.push(&sample.captures[0]);
            sample.keys.iter().for_each(|key| arguments.extend(["-k", key]));
            let output = samples::run(&sample.directory, &arguments);
            assert_eq!(output.status.code(), Some(0), "{} {view:?}: {output:?}", sample.name);
            for stream in [&output.stdout, &output.stderr] {
                for spelling in &wanted {
                    let found = stream.windows(spelling.len()).any(|window| window == spelling);
                    assert!(!found, "{} {view:?} prints a secret", sample.name);
                }
            }
        }
    }
    assert!(keyed >= 20, "{keyed} key files");
    // The test would see one.
    assert_eq!(base64(b"l2tp-inspect"), b"bDJ0cC1pbnNwZWN0");
    let pap = samples::sample("l2tp-plain/pap").capture();
    assert!(pap.windows(10).any(|window| window == b"Pa55-w0rd!"));
}
