//! Keys that come while a capture goes on: the trace of a rekey in two parts, the keys of the second one later.

use std::io::Write as _;

use super::*;

const REKEY: &str = "l2tp-ipsec/rekey-ikev2";
/// ESP packets of that trace.
const PACKETS: u64 = 147;
/// SAs of which the first part has packets.
const EARLY: usize = 2;
/// Longer than the pause between two runs of the command.
const PAUSE: Duration = Duration::from_millis(2_200);

/// The trace, and what makes its keys known.
struct Rekey {
    folder: tempfile::TempDir,
    /// Until the first packet of an SA whose key comes later, that packet, and the others.
    parts: [PathBuf; 3],
    /// Each SA as `ip xfrm state` prints it.
    states: Vec<String>,
    /// Every key in hexadecimal digits.
    digits: Vec<String>,
}

impl Rekey {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = samples::sample(REKEY);
        let table = fs::read_to_string(sample.directory.join(&sample.keys[0])).unwrap();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("\",\"").map(|word| word.trim_matches('"')).collect())
            .collect();
        let state = |row: &Vec<&str>| {
            format!(
                "src {} dst {}\n\tproto esp spi {} reqid 1 mode transport\n\treplay-window 32\n\
                 \tauth-trunc hmac(sha256) {} 128\n\tenc cbc(aes) {}\n",
                row[1], row[2], row[3], row[7], row[5]
            )
        };
        let digits = |row: &Vec<&str>| [row[5], row[7]].map(|key| key.trim_start_matches("0x").to_owned());
        let later: Vec<[u8; 4]> = rows[EARLY..]
            .iter()
            .map(|row| u32::from_str_radix(row[3].trim_start_matches("0x"), 16).unwrap().to_be_bytes())
            .collect();
        let mut capture = CaptureFile::open(&sample.directory.join(&sample.captures[0])).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = capture.next_frame().unwrap() {
            frames.push(frame.data.to_vec());
        }
        // IKE tells the SPIs under encryption, so who shows one is ESP.
        let shows = |frame: &Vec<u8>| frame.windows(4).any(|octets| later.iter().any(|spi| octets == spi));
        let first = frames.iter().position(shows).unwrap();
        let part = |name: &str, frames: &[Vec<u8>]| {
            let mut file =
                vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
            for frame in frames {
                let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
                file.extend([&[0; 8], &length[..], &length, frame].concat());
            }
            let path = folder.path().join(name);
            fs::write(&path, file).unwrap();
            path
        };
        let parts = [
            part("before.pcap", &frames[..first]),
            part("first.pcap", &frames[first..=first]),
            part("after.pcap", &frames[first + 1..]),
        ];
        let (states, digits) = (rows.iter().map(state).collect(), rows.iter().flat_map(digits).collect());
        Self { folder, parts, states, digits }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that only its owner reads.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A command that prints the file `dump`, and takes its time once there is a file `slow`.
    fn command(&self) -> String {
        let folder = self.folder.path().to_str().unwrap();
        let script =
            format!("echo run >>{folder}/runs\n[ -e {folder}/slow ] && sleep 60\ncat {folder}/dump\n");
        let path = self.write("print keys.sh", &script);
        format!("sh '{}'", path.to_str().unwrap())
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }
}

/// Lines of a pipe, until one holds these words.
fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, words: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while !heard.last().is_some_and(|line: &String| line.contains(words)) {
        heard.push(lines.next().unwrap_or_else(|| panic!("no {words} in {heard:#?}")).unwrap());
    }
    heard
}

/// The process that fetches the keys of a capture.
fn helper(running: &Running) -> i32 {
    let parent = format!("PPid:\t{}", running.pid().as_raw_nonzero());
    let pid = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let is_child = fs::read_to_string(path.join("status")).ok()?.lines().any(|line| line == parent);
        path.file_name()?.to_str()?.parse().ok().filter(|_| is_child)
    };
    fs::read_dir("/proc").unwrap().find_map(pid).expect("a helper")
}

/// Ends a capture whose lines are read elsewhere.
fn end(mut running: Running, lines: impl Iterator<Item = std::io::Result<String>>) -> (Vec<String>, String) {
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    let lines = lines.map(Result::unwrap).collect();
    let mut said = String::new();
    running.said.read_to_string(&mut said).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0), "{said}");
    (lines, said)
}

fn esp(lines: &[String]) -> Value {
    let report: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    report["captures"][0]["esp"].clone()
}

#[test]
fn a_command_is_run_again_when_an_sa_without_a_key_appears() {
    let Some(lab) = Lab::new() else { return };
    let rekey = Rekey::new();
    rekey.write("dump", &rekey.states[..EARLY].concat());
    let mut running = lab.start(&["-i", "far0", "-T", "jsonl", "--keys-command", &rekey.command()]);
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    let helper = helper(&running);
    for pid in [running.pid().as_raw_nonzero().get(), helper] {
        for what in ["cmdline", "environ"] {
            let text = fs::read(format!("/proc/{pid}/{what}")).unwrap();
            let text = String::from_utf8_lossy(&text).to_lowercase();
            assert!(!text.is_empty() && !rekey.digits.iter().any(|key| text.contains(key)), "{text}");
        }
    }
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(&running, set), ["0000000000000000"], "{set}");
    }
    assert!(status(&running, "Uid").iter().all(|id| id != "0"));

    lab.replay(&rekey.parts[0], None);
    std::thread::sleep(PAUSE);
    assert_eq!(rekey.runs(), 1);
    let mut dump = fs::OpenOptions::new().append(true).open(rekey.path("dump")).unwrap();
    dump.write_all(rekey.states[EARLY..].concat().as_bytes()).unwrap();
    lab.replay(&rekey.parts[1], None);
    let heard = wait_for(&mut lines, "\"event\":\"keys\"");
    let sealed = heard.iter().filter(|line| line.contains("sa-sealed")).count();
    assert_eq!(sealed, 1, "{heard:#?}");
    let event: Value = serde_json::from_str(heard.last().unwrap()).unwrap();
    assert_eq!((&event["keys"], &event["of"]), (&Value::from(12), &Value::from("sh")));
    assert_eq!(event["text"], "12 keys more, of sh");
    lab.replay(&rekey.parts[2], None);
    let (heard, said) = end(running, lines);
    let esp = esp(&heard);
    assert_eq!((&esp["decrypted"], &esp["no_key"]), (&Value::from(PACKETS - 1), &Value::from(1)), "{esp}");
    let report: Value = serde_json::from_str(heard.last().unwrap()).unwrap();
    let findings = report["captures"][0]["findings"].as_array().unwrap();
    let late = findings.iter().find(|finding| finding["rule"] == "cap-esp-undecrypted").unwrap();
    assert!(
        late["title"].as_str().unwrap().ends_with("came late, 1 packet before it stays encrypted"),
        "{late}"
    );
    assert_eq!(late["severity"], "note");
    assert_eq!(rekey.runs(), 2);
    assert!(!Path::new(&format!("/proc/{helper}")).exists());
    let heard = format!("{}{said}", heard.concat());
    assert!(!rekey.digits.iter().any(|key| heard.contains(key)));
}

#[test]
fn a_signal_has_key_files_read_again() {
    let Some(lab) = Lab::new() else { return };
    let rekey = Rekey::new();
    let keys = rekey.write("keys", &rekey.states[..EARLY].concat());
    let mut running = lab.start(&["-i", "far0", "-T", "jsonl", "-k", keys.to_str().unwrap()]);
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    // What is no file of keys changes nothing.
    rekey.write("keys", "nonsense\n");
    running.signal(Signal::HUP);
    let mut warning = String::new();
    running.said.read_line(&mut warning).unwrap();
    assert!(warning.contains("warning") && warning.contains("keys"), "{warning}");
    // Keys that are not there any more stay.
    rekey.write("keys", &rekey.states[EARLY..].concat());
    running.signal(Signal::HUP);
    let heard = wait_for(&mut lines, "\"event\":\"keys\"");
    assert!(heard.last().unwrap().contains("12 keys more, of"), "{heard:#?}");
    for part in &rekey.parts {
        lab.replay(part, None);
    }
    let (heard, said) = end(running, lines);
    let esp = esp(&heard);
    assert_eq!((&esp["decrypted"], &esp["no_key"]), (&Value::from(PACKETS), &Value::from(0)), "{said}");
}

#[test]
fn a_signal_has_secrets_read_again() {
    let Some(lab) = Lab::new() else { return };
    let (path, _) = trace(PLAIN);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    let password = |word: &str| {
        fs::write(&file, format!("[[user]]\nname = \"alice\"\npassword = \"{word}\"\n")).unwrap()
    };
    for again in [false, true] {
        password("another");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut running = lab.start(&["-i", "far0", "-T", "json", "--secrets", file.to_str().unwrap()]);
        if again {
            password("Pa55-w0rd!");
            running.signal(Signal::HUP);
            let mut said = String::new();
            running.said.read_line(&mut said).unwrap();
            assert!(said.contains("secrets: read again"), "{said}");
        }
        lab.replay(&path, None);
        let report = report(&running.interrupted());
        let findings = report["findings"].as_array().unwrap();
        let wrong = findings.iter().any(|finding| finding["rule"] == "ppp-auth-response-wrong");
        assert_eq!(wrong, !again, "{findings:?}");
    }
}

#[test]
fn views_take_new_keys_too() {
    let Some(lab) = Lab::new() else { return };
    let rekey = Rekey::new();
    let keys = rekey.write("keys", &rekey.states[..EARLY].concat());
    let mut running = lab.start(&["-i", "far0", "-P", "-k", keys.to_str().unwrap()]);
    let lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    lab.replay(&rekey.parts[0], None);
    lab.replay(&rekey.parts[1], None);
    std::thread::sleep(Duration::from_millis(300));
    rekey.write("keys", &rekey.states.concat());
    running.signal(Signal::HUP);
    let mut said = String::new();
    running.said.read_line(&mut said).unwrap();
    assert!(said.contains("12 keys more, of"), "{said}");
    lab.replay(&rekey.parts[2], None);
    let (heard, _) = end(running, lines);
    let sealed = heard.iter().filter(|line| line.contains(" ESP ")).count();
    assert_eq!((heard.len(), sealed), (212, 1), "{heard:#?}");
}

#[test]
fn a_command_that_fails_or_hangs_does_not_hold_up_the_capture() {
    let Some(lab) = Lab::new() else { return };
    let rekey = Rekey::new();
    let mut command = lab.command(TOOL);
    let options = ["-i", "far0", "-f", "", "-T", "json", "-a", "duration:5"];
    command.args(options).args(["--keys-command", "/nonexistent/program"]);
    let capture = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..2 {
        std::thread::sleep(PAUSE);
        for part in &rekey.parts {
            lab.replay(part, None);
        }
    }
    let output = capture.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(report(&output)["esp"]["no_key"].as_u64().unwrap() >= PACKETS);
    let told = stderr(&output).matches("/nonexistent/program: No such file").count();
    assert_eq!(told, 1, "{}", stderr(&output));

    rekey.write("dump", "");
    let running = lab.start(&["-i", "far0", "-T", "json", "--keys-command", &rekey.command()]);
    let helper = helper(&running);
    rekey.write("slow", "");
    std::thread::sleep(PAUSE);
    for part in &rekey.parts {
        lab.replay(part, None);
    }
    let began = Instant::now();
    while rekey.runs() < 2 {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    let began = Instant::now();
    let output = running.interrupted();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(report(&output)["esp"]["no_key"], PACKETS);
    assert!(!Path::new(&format!("/proc/{helper}")).exists());
}
