//! Capture on interfaces: a pair of virtual ones in a network namespace, onto which traces are replayed. That takes root
//! and iproute2; where they are missing the tests say so and pass.
#![cfg(target_os = "linux")]

#[path = "live/events.rs"]
mod events;
#[path = "live/keys.rs"]
mod keys;
mod samples;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use l2tp_inspect::capture::CaptureFile;
use l2tp_inspect::capture::live::DEFAULT_FILTER;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_l2tp-inspect");
/// Traffic in the clear and under ESP, without packets that look the same when they come close together.
const PLAIN: &str = "l2tp-plain/pap";
const SECRET: &str = "l2tp-ipsec/aes256-sha256";
/// Longer than any capture here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A network namespace with two interfaces that are the ends of one cable.
struct Lab {
    space: String,
}

static LABS: AtomicU32 = AtomicU32::new(0);

impl Lab {
    /// `None`, with the reason printed, where this machine does not let us.
    fn new() -> Option<Self> {
        let space = format!("l2tpi-{}-{}", std::process::id(), LABS.fetch_add(1, Ordering::Relaxed));
        if let Err(why) = ip(&["netns", "add", &space]) {
            println!("skipped: no network namespace: {why}");
            return None;
        }
        let lab = Self { space };
        // Otherwise the interfaces talk by themselves.
        let quiet = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6";
        let _ = lab.command("sh").args(["-c", quiet]).status();
        let space = lab.space.as_str();
        let steps: [&[&str]; 3] = [
            &[
                "-n", space, "link", "add", "near0", "mtu", "9000", "type", "veth", "peer", "name", "far0",
                "mtu", "9000",
            ],
            &["-n", space, "link", "set", "near0", "up"],
            &["-n", space, "link", "set", "far0", "up"],
        ];
        for step in steps {
            if let Err(why) = ip(step) {
                println!("skipped: no virtual interfaces: {why}");
                return None;
            }
        }
        Some(lab)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space, program]).env_remove("SUDO_UID").env_remove("SUDO_GID");
        command
    }

    fn ip(&self, arguments: &[&str]) {
        ip(&[&["-n", self.space.as_str()], arguments].concat()).unwrap();
    }

    /// Starts the tool on all packets and waits until it captures.
    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(TOOL);
        Running::new(command.args(arguments).args(["-f", ""]))
    }

    /// Sends the frames of a trace out of `near0`, so many times faster than they were captured; `None`: at once.
    fn replay(&self, trace: &Path, faster: Option<u32>) -> usize {
        let (space, trace) = (format!("/run/netns/{}", self.space), trace.to_owned());
        std::thread::spawn(move || {
            let space = fs::File::open(space).unwrap();
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let mut out = pcap::Capture::from_device("near0").unwrap().open().unwrap();
            let mut capture = CaptureFile::open(&trace).unwrap();
            let (mut sent, mut begin) = (0, None);
            while let Some(frame) = capture.next_frame().unwrap() {
                if let Some(faster) = faster {
                    let (began, first) = *begin.get_or_insert((Instant::now(), frame.time));
                    let due = Duration::from_nanos(frame.time.since(first).0.unsigned_abs()) / faster;
                    std::thread::sleep(due.saturating_sub(began.elapsed()));
                }
                out.sendpacket(frame.data).unwrap();
                sent += 1;
            }
            sent
        })
        .join()
        .unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.space]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    match Command::new("ip").args(arguments).stdin(Stdio::null()).output() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Err(format!("ip: {error}")),
    }
}

/// A capture that runs.
struct Running {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Running {
    fn new(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut heard = String::new();
        while !heard.contains("capturing on") {
            assert!(said.read_line(&mut heard).unwrap() > 0, "it does not capture: {heard}");
        }
        Self { child, said }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// What it wrote, once it has ended.
    fn ended(mut self) -> Output {
        let mut stdout = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        let mut stderr = Vec::new();
        self.said.read_to_end(&mut stderr).unwrap();
        Output { status: self.child.wait().unwrap(), stdout, stderr }
    }

    fn interrupted(self) -> Output {
        std::thread::sleep(Duration::from_millis(200));
        self.signal(Signal::INT);
        self.ended()
    }
}

/// A folder that everybody may write to.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn trace(name: &str) -> (PathBuf, Vec<String>) {
    let sample = samples::sample(name);
    let key = sample.keys.first().map(|key| sample.directory.join(key).to_str().unwrap().to_owned());
    let keys = key.into_iter().flat_map(|key| [String::from("-k"), key]).collect();
    (sample.directory.join(&sample.captures[0]), keys)
}

fn report(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    document["captures"][0].clone()
}

/// A report without times, and without what depends on them.
fn timeless(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        const OF_TIME: [&str; 14] = [
            "setup",
            "interval",
            "first",
            "last",
            "opened",
            "closed",
            "round_trip",
            "longest_silence",
            "loss_estimate",
            "duration",
            "lifetime",
            "sentence",
            "evidence",
            "confidence",
        ];
        match value {
            Value::Object(map) => {
                // Packets are counted from another one on.
                map.retain(|key, _| !OF_TIME.contains(&key.as_str()) && !key.ends_with("_evidence"));
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    for key in ["file", "format", "left_out", "findings", "diagnosis"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

fn of_file(path: &Path, keys: &[String], filter: &str) -> Value {
    let output = Command::new(TOOL).arg(path).args(keys).args(["-T", "json", "-f", filter]).output().unwrap();
    report(&output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a capture says of a replayed trace is what reading the file says.
fn same_as_file(name: &str, faster: Option<u32>) {
    let Some(lab) = Lab::new() else { return };
    let (path, keys) = trace(name);
    let mut command = lab.command(TOOL);
    let running = Running::new(command.args(["-i", "far0", "-T", "json"]).args(&keys));
    let sent = lab.replay(&path, faster);
    let output = running.interrupted();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let live = report(&output);
    assert_eq!((&live["file"], &live["format"]), (&Value::from("far0"), &Value::from("live")));
    assert!(live["packets"].as_u64().unwrap() as usize <= sent);
    let findings = live["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "cap-drops"), "{findings:?}");
    let (live, file) = (timeless(live), timeless(of_file(&path, &keys, DEFAULT_FILTER)));
    let pretty = |report: &Value| serde_json::to_string_pretty(report).unwrap();
    assert_eq!(pretty(&live), pretty(&file), "{name}");
}

#[test]
fn a_replayed_trace_gives_the_report_of_its_file() {
    same_as_file(PLAIN, Some(20));
    same_as_file(SECRET, Some(20));
}

#[test]
fn at_full_speed_too() {
    for name in [
        PLAIN,
        SECRET,
        "accelppp/pair-outgoing-call",
        "l2tp-ipsec/aes256gcm16-ikev2",
        "l2tp-ipsec/null-sha1",
        "l2tp-ipsec/three-calls",
        "l2tp-natt/3des-sha1",
        "l2tp-plain/lns-hangup",
        "l2tp-plain/outgoing-call",
        "l2tp-plain/three-calls",
        "l2tp-plain/tunnel-auth",
        "l2tpns/chap",
    ] {
        same_as_file(name, None);
    }
}

#[test]
fn the_default_filter_sees_through_vlan_tags() {
    let Some(lab) = Lab::new() else { return };
    let (path, keys) = trace(SECRET);
    let mut capture = CaptureFile::open(&path).unwrap();
    let mut tagged = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    while let Some(frame) = capture.next_frame().unwrap() {
        let (addresses, rest) = frame.data.split_at(12);
        let length = u32::try_from(frame.data.len() + 4).unwrap();
        tagged.extend([0; 8]);
        tagged.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        tagged.extend([addresses, &[0x81, 0, 0, 7], rest].concat());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tagged.pcap");
    fs::write(&file, tagged).unwrap();
    let mut command = lab.command(TOOL);
    let running = Running::new(command.args(["-i", "far0", "-T", "json"]).args(&keys));
    lab.replay(&file, None);
    let live = report(&running.interrupted());
    let file = of_file(&path, &keys, DEFAULT_FILTER);
    assert_eq!((&live["packets"], &live["esp"]), (&file["packets"], &file["esp"]));
}

#[test]
fn two_interfaces_are_put_in_order() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let running = lab.start(&["-i", "near0", "-i", "far0", "-P", "-T", "jsonl"]);
    let sent = lab.replay(&path, None);
    let output = running.interrupted();
    let lines: Vec<Value> = output
        .stdout
        .split(|octet| *octet == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    assert_eq!(lines.len(), 2 * sent, "{}", stderr(&output));
    let times: Vec<String> = lines.iter().map(|line| line["time"].to_string()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn packets_are_shown_as_they_come() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let mut running = lab.start(&["-i", "far0", "-P", "-c", "5"]);
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    lab.replay(&path, None);
    for number in 1..=5 {
        let line = lines.next().unwrap().unwrap();
        assert!(line.trim_start().starts_with(&number.to_string()), "{line}");
    }
    assert!(lines.next().is_none());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_condition_or_a_signal_ends_the_capture_with_a_report() {
    let Some(lab) = Lab::new() else { return };
    let began = Instant::now();
    let timed = lab.start(&["-i", "far0", "-a", "duration:0.5"]).ended();
    assert_eq!(timed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&timed.stdout).starts_with("far0: 0 packets"), "{timed:?}");
    assert!(began.elapsed() < PATIENCE);

    let (path, _) = trace(PLAIN);
    let folder = open_folder();
    let file = folder.path().join("stop.pcapng");
    let stop = ["-a", "filesize:1", "-w", file.to_str().unwrap()];
    let running = lab.start(&[&["-i", "far0", "-T", "json"], &stop[..]].concat());
    lab.replay(&path, None);
    let stopped = report(&running.ended())["packets"].as_u64().unwrap();
    let octets = fs::metadata(&file).unwrap().len();
    assert!(stopped < 10 && octets >= 1_000, "{stopped} packets, {octets} octets");

    let running = lab.start(&["-i", "far0"]);
    running.signal(Signal::TERM);
    let output = running.ended();
    assert_eq!(output.status.code(), Some(0));
    assert!(!output.stdout.is_empty());

    let running = lab.start(&["-i", "far0"]);
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(50));
    running.signal(Signal::INT);
    let output = running.ended();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0));
}

fn status(running: &Running, what: &str) -> Vec<String> {
    let path = format!("/proc/{}/status", running.pid().as_raw_nonzero());
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn privileges_are_gone_before_the_first_packet() {
    let Some(lab) = Lab::new() else { return };
    let running = lab.start(&["-i", "far0"]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(&running, set), ["0000000000000000"], "{set}");
    }
    assert_eq!(status(&running, "NoNewPrivs"), ["1"]);
    assert_eq!(status(&running, "Threads"), ["1"]);
    assert_eq!(status(&running, "Groups"), [""; 0]);
    for ids in ["Uid", "Gid"] {
        assert!(status(&running, ids).iter().all(|id| id != "0"), "{ids}");
    }
    assert_eq!(running.interrupted().status.code(), Some(0));

    let mut command = lab.command(TOOL);
    command.env("SUDO_UID", "1234").env("SUDO_GID", "1235").args(["-i", "far0"]);
    let running = Running::new(&mut command);
    assert_eq!(status(&running, "Uid"), ["1234"; 4]);
    assert_eq!(status(&running, "Gid"), ["1235"; 4]);
    running.interrupted();

    let running = lab.start(&["-i", "far0", "--keep-privileges"]);
    assert_eq!(status(&running, "Uid"), ["0"; 4]);
    running.interrupted();

    let output = lab.command(TOOL).args(["-i", "far0", "--user", "nosuchuser"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nosuchuser: no such user"), "{}", stderr(&output));
}

#[test]
fn who_cannot_give_up_root_does_not_capture() {
    let Some(lab) = Lab::new() else { return };
    // In a namespace of users where root is the only one, nobody does not exist.
    let mut command = lab.command("unshare");
    let script = format!("ip link set lo up && exec {TOOL} -i lo -a duration:0.2");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c", &script]);
    let output = command.output().unwrap();
    if stderr(&output).contains("unshare") {
        println!("skipped: {}", stderr(&output));
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot give up privileges"), "{}", stderr(&output));
    assert!(stderr(&output).contains("--keep-privileges"), "{}", stderr(&output));
}

#[test]
fn without_permission_or_interface_it_says_what_to_do() {
    let Some(lab) = Lab::new() else { return };
    let said = |arguments: &[&str]| {
        let output = lab.command(arguments[0]).args(&arguments[1..]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let unknown = said(&[TOOL, "-i", "faar0"]);
    assert!(
        unknown.contains("faar0: no such interface") && unknown.contains("did you mean far0?"),
        "{unknown}"
    );
    let filter = said(&[TOOL, "-i", "far0", "udp", "prot", "1701"]);
    assert!(filter.contains("capture filter \"udp prot 1701\""), "{filter}");
    lab.ip(&["link", "set", "far0", "down"]);
    let down = said(&[TOOL, "-i", "far0"]);
    assert!(down.contains("far0: the interface is not up") && down.contains("ip link set far0 up"), "{down}");
    let copy = open_folder();
    let tool = copy.path().join("l2tp-inspect");
    fs::copy(TOOL, &tool).unwrap();
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        tool.to_str().unwrap(),
        "-i",
        "near0",
    ];
    let refused = said(&nobody);
    assert!(refused.contains("near0: no permission to capture") && refused.contains("setcap"), "{refused}");
}

#[test]
fn an_interface_that_goes_away_ends_the_capture_with_a_report() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let running = lab.start(&["-i", "far0", "-T", "json"]);
    let sent = lab.replay(&path, None);
    std::thread::sleep(Duration::from_millis(300));
    lab.ip(&["link", "del", "near0"]);
    let output = running.ended();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("far0 went away"), "{}", stderr(&output));
    assert_eq!(report(&output)["packets"], Value::from(sent));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_ring_keeps_the_last_files() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let folder = open_folder();
    let file = folder.path().join("ring.pcapng");
    let ring = ["-b", "packets:10", "-b", "files:3", "-w", file.to_str().unwrap()];
    let running = lab.start(&[&["-i", "far0", "-T", "json"], &ring[..]].concat());
    let sent = lab.replay(&path, None);
    let output = running.interrupted();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(report(&output)["packets"], Value::from(sent));
    let kept = files(folder.path());
    assert_eq!(kept.len(), 3);
    let mut read = 0;
    for (path, number) in kept.iter().zip((sent.div_ceil(10) - 2)..) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("ring_{number:05}_20")) && name.ends_with(".pcapng"), "{name}");
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
        assert_ne!(fs::metadata(path).unwrap().uid(), 0);
        let mut capture = CaptureFile::open(path).unwrap();
        while capture.next_frame().unwrap().is_some() {
            read += 1;
        }
        assert_eq!(capture.damage(), None);
    }
    assert_eq!(read, 20 + (sent - 1) % 10 + 1);

    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ring = ["-b", "packets:10", "-w", file.to_str().unwrap()];
    let output = lab.command(TOOL).args(["-i", "far0"]).args(ring).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("may not write there"), "{}", stderr(&output));
}

#[test]
fn a_file_is_valid_however_the_capture_ends() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let whole = fs::read(&path).unwrap();
    for wait in [0, 7, 30, 120, 250] {
        let folder = open_folder();
        let file = folder.path().join("live.pcapng");
        let running = lab.start(&["-i", "far0", "-w", file.to_str().unwrap()]);
        let sent = lab.replay(&path, None);
        std::thread::sleep(Duration::from_millis(wait));
        running.signal(Signal::KILL);
        running.ended();
        let mut capture = CaptureFile::open(&file).unwrap();
        let mut original = CaptureFile::from_reader(Box::new(std::io::Cursor::new(whole.clone()))).unwrap();
        let mut read = 0;
        while let Some(frame) = capture.next_frame().unwrap() {
            assert_eq!(frame.data, original.next_frame().unwrap().unwrap().data);
            read += 1;
        }
        assert_eq!(capture.damage(), None);
        assert!(read <= sent && (wait < 250 || read == sent), "{read} of {sent} after {wait} ms");
    }
}

#[test]
fn a_full_disk_ends_the_file_and_not_the_capture() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let folder = tempfile::tempdir().unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=16k", "l2tpi"]).arg(folder.path()).output();
    if !mount.as_ref().is_ok_and(|done| done.status.success()) {
        println!("skipped: no file system to fill: {mount:?}");
        return;
    }
    let file = folder.path().join("live.pcapng");
    let running = lab.start(&["-i", "far0", "-T", "json", "-w", file.to_str().unwrap()]);
    let sent: usize = (0..5).map(|_| lab.replay(&path, None)).sum();
    let output = running.interrupted();
    let mut capture = CaptureFile::open(&file).unwrap();
    while capture.next_frame().unwrap().is_some() {}
    let damage = capture.damage().cloned();
    drop(capture);
    Command::new("umount").arg(folder.path()).status().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot write") && stderr(&output).contains("No space left"),
        "{}",
        stderr(&output)
    );
    assert_eq!(report(&output)["packets"], Value::from(sent));
    assert_eq!(damage, None);
}
