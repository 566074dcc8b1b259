//! What the tests over `testdata` share: its captures and keys, running the command, and a whole run in process.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use l2tp_inspect::analysis::Analysis;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::capture::{CaptureError, CaptureFile, Frame};
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::{Sad, keys};
use l2tp_inspect::report::style::Style;
use l2tp_inspect::report::{Report, json, ladder, summary};
use l2tp_inspect::rules::{self, Case};
use l2tp_inspect::util::{LinkType, Printable, Timestamp};

/// One folder of `testdata/captures`.
#[derive(Debug, Clone)]
pub struct Sample {
    /// `family/name`.
    pub name: String,
    pub directory: PathBuf,
    /// File names; the first is the one with goldens.
    pub captures: Vec<String>,
    /// File names; each alone opens all that the others open.
    pub keys: Vec<String>,
}

impl Sample {
    pub fn capture(&self) -> Vec<u8> {
        fs::read(self.directory.join(&self.captures[0])).unwrap()
    }

    /// The database of the first key file.
    pub fn sad(&self) -> Sad {
        Sad::build(self.keys.iter().take(1).map(|key| keys::load(&self.directory.join(key)).unwrap()))
            .unwrap()
    }

    /// Its capture and keys as arguments, to be run in its directory.
    pub fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec![self.captures[0].as_str()];
        if let Some(key) = self.keys.first() {
            arguments.extend(["-k", key]);
        }
        arguments
    }
}

pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All samples, by name.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for family in entries(&testdata().join("captures")) {
        for directory in entries(&family) {
            let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
            let files: BTreeSet<String> = entries(&directory).iter().map(|path| name(path)).collect();
            let mut captures: Vec<String> =
                files.iter().filter(|file| file.contains(".pcap")).cloned().collect();
            captures.sort_by_key(|file| !file.starts_with("outer."));
            let mut keys: Vec<String> = files
                .iter()
                .filter(|file| file.contains("xfrm-state") || file.contains("esp_sa"))
                .cloned()
                .collect();
            keys.sort_by_key(|file| !file.contains("xfrm-state"));
            let name = format!("{}/{}", name(&family), name(&directory));
            samples.push(Sample { name, directory, captures, keys });
        }
    }
    assert!(samples.len() >= 34, "testdata is not whole");
    samples
}

/// The sample `family/name`.
pub fn sample(name: &str) -> Sample {
    samples().into_iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no sample {name}"))
}

/// The command.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"));
    command.stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("COLUMNS");
    command
}

/// Runs the command in a directory.
pub fn run(directory: &Path, arguments: &[&str]) -> Output {
    command().current_dir(directory).args(arguments).output().unwrap()
}

/// Runs the command with something on its standard input.
pub fn run_with_input(directory: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command()
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Compares with a checked-in file, or rewrites it with `UPDATE_GOLDEN=1`. Gives what differs.
pub fn golden(path: &Path, found: &[u8]) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        if fs::read(path).ok().as_deref() != Some(found) {
            fs::write(path, found).unwrap();
        }
        return None;
    }
    let expected = fs::read(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    let (expected, found) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(found));
    let mut words = format!("{} differs (UPDATE_GOLDEN=1 rewrites it)", path.display());
    let different =
        expected.lines().zip(found.lines()).enumerate().find(|(_, (expected, found))| expected != found);
    match different {
        Some((line, (expected, found))) => {
            words.push_str(&format!("\n  line {}\n  expected {expected}\n  found    {found}", line + 1));
        }
        None => words.push_str(&format!(
            "\n  expected {} lines, found {}",
            expected.lines().count(),
            found.lines().count()
        )),
    }
    Some(words)
}

/// One frame, kept.
#[derive(Debug, Clone)]
pub struct Held {
    pub number: u64,
    pub time: Timestamp,
    pub link: LinkType,
    pub interface: u32,
    pub data: Vec<u8>,
    pub original_len: u32,
    pub offset: u64,
    /// Where the record ends in the file.
    pub end: u64,
}

impl Held {
    /// The frame with no more than `length` bytes of data, by a snap length or by a sender that lies.
    pub fn cut(&self, length: usize, keep_original: bool) -> Self {
        let data = self.data[..length.min(self.data.len())].to_vec();
        let original_len = if keep_original { self.original_len } else { data.len() as u32 };
        Self { data, original_len, ..*self }
    }

    pub fn frame(&self) -> Frame<'_> {
        Frame {
            number: self.number,
            time: self.time,
            link: self.link,
            interface: self.interface,
            data: &self.data,
            original_len: self.original_len,
            offset: self.offset,
        }
    }
}

/// Hands out the frames of a capture; gives the damage that ended it.
pub fn walk(bytes: &[u8], mut each: impl FnMut(&Frame<'_>)) -> Result<Option<String>, CaptureError> {
    let mut capture = CaptureFile::from_reader(Box::new(Cursor::new(bytes.to_vec())))?;
    while let Some(frame) = capture.next_frame()? {
        each(&frame);
    }
    Ok(capture.damage().map(ToString::to_string))
}

/// The frames of a capture, and the damage that ended it.
pub fn frames(bytes: &[u8]) -> Result<(Vec<Held>, Option<String>), CaptureError> {
    let mut frames: Vec<Held> = Vec::new();
    let damage = walk(bytes, |frame| {
        frames.push(Held {
            number: frame.number,
            time: frame.time,
            link: frame.link,
            interface: frame.interface,
            data: frame.data.to_vec(),
            original_len: frame.original_len,
            offset: frame.offset,
            end: record_end(bytes, frame.offset, frame.data.len()),
        });
    })?;
    Ok((frames, damage))
}

/// A record of pcap is its header of 16 bytes and the data, a block of pcapng says its length.
fn record_end(bytes: &[u8], offset: u64, data: usize) -> u64 {
    let start = usize::try_from(offset).unwrap();
    let length = if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        u32::from_le_bytes(bytes[start + 4..start + 8].try_into().unwrap()) as usize
    } else {
        16 + data
    };
    (start + length) as u64
}

/// What a whole run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub packets: u64,
    pub decrypted: u64,
    pub rules: Vec<&'static str>,
}

/// Frames through everything that follows the reader, as the command does it: inspector, rules, verdict and, if asked
/// for, every output.
pub fn inspect<'f>(
    frames: impl IntoIterator<Item = Frame<'f>>,
    damage: Option<&str>,
    sad: &Sad,
    write: bool,
) -> Outcome {
    let mut inspector = Inspector::new(sad, Limits::default());
    for frame in frames {
        inspector.push(&frame);
    }
    report(&inspector.finish(), damage, sad, write)
}

/// Judges an analysis and, if asked for, writes every output of it to nowhere.
pub fn report(analysis: &Analysis, damage: Option<&str>, sad: &Sad, write: bool) -> Outcome {
    let case = Case { damage, ..Case::of(analysis, sad) };
    let findings = rules::judge(&case);
    let diagnosis = rules::diagnose(&case, &findings);
    let report = Report {
        file: Printable::from_text("capture"),
        format: "pcap",
        nanoseconds: false,
        left_out: Vec::new(),
        damage: damage.map(str::to_owned),
        analysis,
        sad,
        findings: &findings,
        diagnosis: &diagnosis,
        check: None,
    };
    if write {
        for width in [40, 100] {
            let style = Style { width, ascii: width == 40, color: false };
            summary::write(&report, &style, &mut std::io::sink()).unwrap();
            ladder::write_all(&report, &style, &mut std::io::sink()).unwrap();
        }
        json::write(&[report], &mut std::io::sink()).unwrap();
    }
    Outcome {
        packets: analysis.totals.packets,
        decrypted: analysis.flows.iter().map(|flow| flow.decrypted).sum(),
        rules: findings.iter().map(|finding| finding.rule.id).collect(),
    }
}

/// Splits work over two threads (the number of cores of the smallest machine that runs these tests).
pub fn on_two_threads<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

/// A small pseudo-random generator (SplitMix64), so that a failure can be repeated.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
}
