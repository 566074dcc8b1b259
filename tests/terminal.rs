//! Nothing that a terminal would obey, hide or reorder comes out, whatever is in packets, file names and key files.

mod common;

use common::*;
use l2tp_inspect::util::printable::is_dangerous;

/// Colours, title, cursor, bell, C1, bidirectional override, zero width, byte order mark, no UTF-8.
const HOSTILE: &[u8] =
    b"\x1b[31m\x1b]0;owned\x07\r\x08\x7f\xc2\x9b31m\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf\xff\xfe\x00lac";

/// A conversation in which every text is hostile.
fn conversation() -> Vec<u8> {
    let mut talk = Talk::default();
    let names = [avp(7, HOSTILE), avp(8, HOSTILE)].concat();
    let request = [avp(0, &[0, 1]), avp(9, &[0, 7]), names.clone()].concat();
    let reply = [avp(0, &[0, 2]), avp(9, &[0, 9]), names].concat();
    talk.send_with(LAC, SCCRQ, 0, &request).send_with(LNS, SCCRP, 0, &reply).send(LAC, SCCCN).zlb(LNS);
    talk.call();
    let with = |head: &[u8], text: &[u8]| [head, text].concat();
    let long = HOSTILE.len() as u8;
    let pap = with(&[0xff, 3, 0xc0, 0x23, 1, 1, 0, long + 8, long], &with(HOSTILE, b"\x02pw"));
    let chap = with(&[0xff, 3, 0xc2, 0x23, 2, 1, 0, long + 6, 1, 0xaa], HOSTILE);
    let failure = with(&[0xff, 3, 0xc2, 0x23, 4, 1, 0, long + 4], HOSTILE);
    let terminate = with(&[0xff, 3, 0xc0, 0x21, 5, 1, 0, long + 4], HOSTILE);
    for frame in [pap, chap, failure, terminate] {
        talk.data(LAC, &frame).data(LNS, &frame);
    }
    let cdn = [avp(0, &[0, 14]), avp(1, &with(&[0, 2, 0, 6], HOSTILE)), avp(14, &[0, 22])].concat();
    talk.send_with(LNS, CDN, 21, &cdn).zlb(LAC);
    let stop = [avp(0, &[0, 4]), avp(1, &with(&[0, 2, 0, 6], HOSTILE)), avp(9, &[0, 9])].concat();
    talk.send_with(LNS, STOPCCN, 0, &stop).zlb(LAC);
    pcap(&talk.frames)
}

#[track_caller]
fn assert_clean(what: &str, output: &std::process::Output) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what}: {stream} is no UTF-8"));
        let bad: Vec<char> = text.chars().filter(|c| is_dangerous(*c) && *c != '\n').collect();
        assert!(bad.is_empty(), "{what}: {stream} has {bad:?} in {text:?}");
    }
}

#[test]
fn texts_of_packets() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("hostile.pcap");
    std::fs::write(&file, conversation()).expect("written");
    let file = file.to_str().expect("a name");
    for arguments in [
        &["-T", "json"][..],
        &[],
        &["--ladder"],
        &["--findings"],
        &["-q"],
        &["--ascii"],
        &["--width", "80"],
        &["-P"],
        &["-V", "-x"],
        &["-V", "-x", "-T", "json"],
        &["-P", "-T", "jsonl"],
        &["--show-secrets", "-V"],
        &[
            "-T",
            "fields",
            "-E",
            "separator=;",
            "-e",
            "l2tp.avp.host_name",
            "-e",
            "chap.name",
            "-e",
            "frame.protocols",
        ],
    ] {
        let output = tool(&[arguments, &[file]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_clean(&format!("{arguments:?}"), &output);
        if arguments == ["-T", "json"] {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("lac") && text.contains("\\\\u{1b}[31m"), "the texts are there, escaped");
        }
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_and_options() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let name = std::ffi::OsStr::from_bytes(b"a\x1b[31m\xc2\x9b\xe2\x80\xae\xffb");
    let file = dir.path().join(name);
    let run = |arguments: &[&std::ffi::OsStr]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_l2tp-inspect")).args(arguments).output().expect("runs")
    };
    let file_name = file.as_os_str();
    assert_clean("missing file", &run(&[file_name]));
    assert_clean("missing keys", &run(&["-k".as_ref(), file_name, file_name]));
    assert_clean("bad option", &run(&[std::ffi::OsStr::from_bytes(b"--\x1b[31mcolour")]));
    assert_clean("bad value", &run(&["-T".as_ref(), std::ffi::OsStr::from_bytes(b"\x1b[31m\xff")]));
    assert_clean("unknown rule", &run(&["--explain".as_ref(), std::ffi::OsStr::from_bytes(b"\x1b[31mgap")]));
    assert_clean(
        "bad filter",
        &run(&["-f".as_ref(), std::ffi::OsStr::from_bytes(b"\x1b[31mgap"), file_name]),
    );
    std::fs::write(&file, conversation()).expect("written");
    assert_clean("capture", &run(&[file_name]));
    assert_clean(
        "bad display filter",
        &run(&["-Y".as_ref(), std::ffi::OsStr::from_bytes(b"\x1b[31mgap"), file_name]),
    );
    assert_clean("packets", &run(&["-P".as_ref(), file_name]));
    assert_clean("json", &run(&["-T".as_ref(), "json".as_ref(), file_name]));
    std::fs::write(&file, b"\x1b[31mno keys in here\xff").expect("written");
    assert_clean("no capture", &run(&[file_name]));
    assert_clean("no keys", &run(&["-k".as_ref(), file_name, file_name]));
    std::fs::write(
        &file,
        b"src 10.0.0.1 dst 10.0.0.2\n\tproto esp spi 0x1 mode \x1b[31mx\n\tenc \x1b[31m(aes) 0x00\n",
    )
    .expect("written");
    assert_clean("odd keys", &run(&["-k".as_ref(), file_name, file_name]));
}
