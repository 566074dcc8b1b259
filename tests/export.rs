//! Files that are written: packets, decrypted packets, keys. What is refused, and what other tools read in them.

mod common;
mod samples;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{Talk, pcap, tool};
use l2tp_inspect::capture::CaptureFile;
use samples::{command, testdata};

/// A sample with its keys.
const SAMPLES: &[&str] = &["l2tp-ipsec/aes128-sha1", "l2tp-natt/3des-sha1", "l2tp-ipsec/tunnelmode"];

fn plain() -> Vec<u8> {
    let mut talk = Talk::default();
    talk.tunnel().call().chat(5).close();
    pcap(&talk.frames)
}

fn text(path: &Path) -> String {
    path.to_str().expect("a name").to_owned()
}

/// The octets, times and original lengths of all packets.
fn packets(path: &Path) -> Vec<(i64, u32, Vec<u8>)> {
    let mut file = CaptureFile::open(path).expect("a capture");
    let mut found = Vec::new();
    while let Some(frame) = file.next_frame().expect("readable") {
        found.push((frame.time.0, frame.original_len, frame.data.to_vec()));
    }
    assert!(file.damage().is_none(), "{:?}", file.damage());
    found
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

fn tshark(file: &Path, filter: &str, options: &[&str]) -> Option<usize> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-r"]).arg(file);
    tshark.args(["-Y", filter, "-T", "fields", "-e", "frame.number"]).args(options);
    match tshark.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", words(&output));
            Some(String::from_utf8_lossy(&output.stdout).lines().count())
        }
        Err(_) => {
            eprintln!("skipped: there is no tshark here");
            None
        }
    }
}

#[test]
fn captured_packets_come_back_as_they_were() {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, to, again) =
        (dir.path().join("from.pcap"), dir.path().join("to.pcapng"), dir.path().join("again.pcapng"));
    fs::write(&from, plain()).expect("written");
    let output = tool(&[&text(&from), "-w", &text(&to)]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", words(&output));
    assert_eq!(packets(&from), packets(&to));
    assert_eq!(fs::metadata(&to).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(tool(&[&text(&to), "-w", &text(&again)]).status.success());
    assert_eq!(fs::read(&to).expect("there"), fs::read(&again).expect("there"), "nothing is lost or added");
    let both = tool(&[&text(&from), "-w", &text(&to), "--force", "-P"]);
    let alone = tool(&[&text(&from), "-P"]);
    assert_eq!(both.stdout, alone.stdout, "a view goes with it");
    let standard = tool(&[&text(&from), "-w", "-"]);
    assert_eq!(standard.stdout, fs::read(&to).expect("there"));
}

#[test]
fn only_packets_that_pass_are_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, to) = (dir.path().join("from.pcap"), dir.path().join("to.pcapng"));
    fs::write(&from, plain()).expect("written");
    let all = packets(&from).len();
    for (options, least, most) in [
        (&["-c", "3"][..], 3, 3),
        (&["-Y", "l2tp.type == 1"], 1, all - 1),
        (&["-f", "udp port 9"], 0, 0),
        (&["--call", "C1"], 1, all - 1),
        (&["--tunnel", "T1"], 1, all),
    ] {
        let (from, to) = (text(&from), text(&to));
        let arguments = [&[from.as_str(), "-w", to.as_str(), "--force"], options].concat();
        let output = tool(&arguments);
        assert!(output.status.success(), "{}", words(&output));
        let written = packets(Path::new(&to)).len();
        assert!((least..=most).contains(&written), "{options:?}: {written}");
    }
}

#[test]
fn nothing_is_written_over_by_accident() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| text(&dir.path().join(name));
    let (from, there, link, nowhere) =
        (path("from.pcap"), path("there"), path("link"), path("missing/to.pcapng"));
    fs::write(&from, plain()).expect("written");
    fs::write(&there, "precious").expect("written");
    symlink(&there, &link).expect("linked");
    let keys = path("keys.txt");
    fs::write(&keys, KEYS).expect("written");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("set");
    let before = names(dir.path());
    for option in ["-w", "--write-decrypted", "--export-esp-sa"] {
        for (target, force, what) in [
            (&there, false, "exists"),
            (&link, false, "is a link"),
            (&link, true, "is a link"),
            (&from, true, "is an input"),
            (&keys, true, "is an input"),
            (&nowhere, false, "cannot write"),
            (&path(""), true, "is no ordinary file"),
            (&String::from("/dev/full"), true, "is no ordinary file"),
        ] {
            let mut arguments = vec![from.as_str(), "-k", &keys, option, target];
            arguments.extend(force.then_some("--force"));
            let output = tool(&arguments);
            assert_eq!(output.status.code(), Some(2), "{option} {target}");
            assert!(words(&output).contains(what), "{option} {target}: {}", words(&output));
            assert!(output.stdout.is_empty());
        }
    }
    assert_eq!(fs::read(&there).expect("there"), b"precious");
    assert_eq!(names(dir.path()), before, "nothing is left");
    assert!(tool(&[&from, "-w", &there, "--force"]).status.success());
    assert!(fs::read(&there).expect("there").starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    assert_eq!(names(dir.path()), before);
    for options in [["--write-decrypted", "-"], ["--export-esp-sa", "-"]] {
        let output = tool(&[&[from.as_str(), "-k", &keys], &options[..]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{options:?}");
    }
    let output = tool(&["/no/such/capture", "-w", &path("new")]);
    assert_eq!((output.status.code(), names(dir.path())), (Some(2), before));
}

#[test]
fn a_full_disk_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let from = dir.path().join("from.pcap");
    fs::write(&from, plain()).expect("written");
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: there is no /dev/full here");
        return;
    };
    let output = command().arg(&from).args(["-w", "-"]).stdout(full).stderr(Stdio::piped()).output();
    let output = output.expect("run");
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("cannot write to standard output"), "{}", words(&output));
    // A limit on the size of files stands in for a disk that is full.
    let to = dir.path().join("to.pcapng");
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let mut bash = Command::new("bash");
    let capped = bash.args(["-c", script, "-"]).arg(command().get_program());
    let output = capped.arg(&from).arg(&from).arg("-w").arg(&to).output().expect("run");
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("nothing is left of it"), "{}", words(&output));
    assert_eq!(names(dir.path()), ["from.pcap"]);
}

#[test]
fn other_tools_read_what_was_decrypted() {
    for name in SAMPLES {
        let sample = testdata().join("captures").join(name);
        let dir = tempfile::tempdir().expect("a folder");
        let (to, table) = (dir.path().join("to.pcapng"), dir.path().join("esp_sa"));
        let (capture, keys) = files(&sample);
        let counted = tool(&[&capture, "-k", &keys, "-Y", "l2tp", "-T", "fields", "-e", "frame.number"]);
        let ours = String::from_utf8_lossy(&counted.stdout).lines().count();
        assert!(ours > 0, "{name}");
        for (layer, filter) in [("ip", "l2tp"), ("l2tp", "l2tp")] {
            let arguments =
                [&capture, "-k", &keys, "--write-decrypted", &text(&to), "--layer", layer, "--force"];
            let output = tool(&arguments);
            assert!(output.status.success() && output.stdout.is_empty(), "{}", words(&output));
            assert!(words(&output).contains("written"), "{}", words(&output));
            let again = tool(&[&text(&to), "-Y", "l2tp", "-T", "fields", "-e", "frame.number"]);
            assert_eq!(String::from_utf8_lossy(&again.stdout).lines().count(), ours, "{name} {layer}");
            let esp = tool(&[&text(&to), "-Y", "esp", "-T", "fields", "-e", "frame.number"]);
            assert!(esp.stdout.is_empty(), "{name} {layer}");
            let Some(theirs) = tshark(&to, filter, &[]) else { continue };
            assert_eq!(theirs, ours, "{name} {layer}");
            let bad = "_ws.malformed or ip.checksum.status == Bad or udp.checksum.status == Bad";
            assert_eq!(tshark(&to, bad, &[]), Some(0), "{name} {layer}");
            assert!(tshark(&to, "frame.comment contains \"packet\"", &[]) >= Some(ours));
        }
        let output = tool(&["-k", &keys, "--export-esp-sa", &text(&table)]);
        assert!(output.status.success() && output.stdout.is_empty(), "{}", words(&output));
        assert_eq!(fs::metadata(&table).expect("there").permissions().mode() & 0o777, 0o600);
        let lines = fs::read_to_string(&table).expect("there");
        for key in lines.split('"').filter(|part| part.len() > 20 && part.starts_with("0x")) {
            assert!(!words(&output).contains(&key[2..12]), "a key is in a message");
        }
        let ours_again =
            tool(&[&capture, "-k", &text(&table), "-Y", "l2tp", "-T", "fields", "-e", "frame.number"]);
        assert_eq!(counted.stdout, ours_again.stdout, "{name}: the table opens the same");
        let options: Vec<String> = lines.lines().map(|line| format!("uat:esp_sa:{line}")).collect();
        let mut all = vec!["-o", "esp.enable_encryption_decode:TRUE"];
        all.extend(options.iter().flat_map(|option| ["-o", option.as_str()]));
        if let Some(theirs) = tshark(Path::new(&capture), "l2tp", &all) {
            assert_eq!(theirs, ours, "{name}: tshark with the table");
        }
    }
}

#[test]
fn ppp_frames_and_users_packets_are_laid_bare() {
    let (capture, keys) = files(&testdata().join("captures").join(SAMPLES[0]));
    let dir = tempfile::tempdir().expect("a folder");
    let to = dir.path().join("to.pcapng");
    for (layer, ours, theirs) in [("ppp", "ppp", "ppp"), ("inner", "l2tp and icmp", "icmp")] {
        let output =
            tool(&[&capture, "-k", &keys, "--write-decrypted", &text(&to), "--layer", layer, "--force"]);
        assert!(output.status.success(), "{}", words(&output));
        let counted = tool(&[&capture, "-k", &keys, "-Y", ours, "-T", "fields", "-e", "frame.number"]);
        let ours = String::from_utf8_lossy(&counted.stdout).lines().count();
        assert!(ours > 0, "{layer}");
        if let Some(found) = tshark(&to, theirs, &[]) {
            assert_eq!(found, ours, "{layer}");
            assert_eq!(tshark(&to, "_ws.malformed", &[]), Some(0));
        }
        if layer == "ppp"
            && let Some(sent) = tshark(&to, "ppp.direction == 1", &[])
        {
            assert!(sent > 0 && sent < ours, "both directions: {sent} of {ours}");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_left_out_and_counted() {
    let (capture, _) = files(&testdata().join("captures").join(SAMPLES[0]));
    let dir = tempfile::tempdir().expect("a folder");
    let to = dir.path().join("to.pcapng");
    let output = tool(&[&capture, "--write-decrypted", &text(&to)]);
    assert!(output.status.success());
    assert!(words(&output).contains(" without a key"), "{}", words(&output));
    let all = tool(&[&text(&to), "-Y", "esp", "-T", "fields", "-e", "frame.number"]);
    assert!(all.stdout.is_empty());
}

/// Capture and key file of a sample.
fn files(sample: &Path) -> (String, String) {
    let all = names(sample);
    let pick = |wanted: &dyn Fn(&str) -> bool| {
        let name = all.iter().find(|name| wanted(name)).expect("a file");
        text(&sample.join(name))
    };
    let capture = pick(&|name| name.ends_with(".pcap") || name.ends_with(".pcapng"));
    (capture, pick(&|name| name.contains("xfrm") || name.contains("esp_sa") || name.starts_with("keys")))
}

/// An SA that no packet here belongs to.
const KEYS: &str = "\"IPv4\",\"192.0.2.10\",\"198.51.100.1\",\"0xc0de0001\",\"AES-CBC [RFC3602]\",\
    \"0x000102030405060708090a0b0c0d0e0f\",\"HMAC-SHA-1-96 [RFC2404]\",\
    \"0x000102030405060708090a0b0c0d0e0f10111213\"\n";
