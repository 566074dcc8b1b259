//! Display filters select the frames that tshark selects.
//!
//! The table holds what tshark 4.0.17 answered. Where tshark is installed it is asked again, and where the captures of
//! others are not at hand only those of this project are filtered. `RECORD=1` writes tshark's answers into the table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

mod common;

/// Rows in which we mean something else on purpose: `docs/tshark-differences.md` says why.
const OURS: &[(&str, &str)] = &[
    ("tcp xor udp", "tshark 4.0 has no xor"),
    ("pppoe", "either of pppoed and pppoes, where tshark has a name that no packet has"),
    ("count(eth.type) > 1", INFERRED),
    ("icmp.type == 8", INFERRED),
    ("icmp.type in {0, 8} and l2tp", INFERRED),
];
const INFERRED: &str = "tshark does not find out the layout of L2TPv3 data without control messages";

/// Ours, and that of the tshark at hand.
type Answers = (String, Option<String>);

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filters.tsv")
}

/// The capture of a row: ours, or those beside the project.
fn capture(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("testdata"), root.join("../shared/traces/public/captures")];
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// `1-3,7` of frame numbers, a line each.
fn ranges(lines: &str) -> String {
    let mut out = String::new();
    let mut numbers = lines.lines().filter_map(|line| line.trim().parse::<u64>().ok()).peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while numbers.next_if_eq(&(last + 1)).is_some() {
            last += 1;
        }
        let comma = if out.is_empty() { "" } else { "," };
        let _ =
            if first == last { write!(out, "{comma}{first}") } else { write!(out, "{comma}{first}-{last}") };
    }
    out
}

fn answer(output: std::process::Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout);
    if matches!(output.status.code(), Some(0 | 3)) { ranges(&said) } else { String::from("error") }
}

fn tshark(capture: &Path, filter: &str) -> Option<String> {
    let output = Command::new("tshark")
        .args(["-n", "-Y", filter, "-T", "fields", "-e", "frame.number", "-r"])
        .arg(capture)
        .output()
        .ok()?;
    // tshark ends with 2 at a cut capture too, but says so.
    let said = String::from_utf8_lossy(&output.stderr);
    let refused = output.stdout.is_empty() && said.contains("tshark: ") && !said.contains("cut short");
    Some(if refused { String::from("error") } else { ranges(&String::from_utf8_lossy(&output.stdout)) })
}

#[test]
fn filters_select_what_tshark_selects() {
    let text = std::fs::read_to_string(table()).expect("the table");
    let (head, body): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    let rows: Vec<(&str, &str, &str)> = body
        .into_iter()
        .map(|line| {
            let mut cells = line.split('\t');
            let mut next = || cells.next().expect("three cells");
            (next(), next(), next())
        })
        .collect();
    let record = std::env::var_os("RECORD").is_some();
    let has_tshark =
        record || (cfg!(target_os = "linux") && Command::new("tshark").arg("-v").output().is_ok());
    let results: Mutex<Vec<Option<Answers>>> = Mutex::new(vec![None; rows.len()]);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((name, filter, _)) = rows.get(at) else { return };
                    let Some(path) = capture(name) else { continue };
                    let arguments = ["-T", "fields", "-e", "frame.number", "-Y", filter];
                    let ours = common::tool(&[&arguments[..], &[path.to_str().expect("a name")]].concat());
                    let theirs = has_tshark.then(|| tshark(&path, filter)).flatten();
                    results.lock().expect("no panic")[at] = Some((answer(ours), theirs));
                }
            });
        }
    });
    let results = results.into_inner().expect("no panic");
    if record {
        let mut out = head.join("\n") + "\n";
        for ((name, filter, known), result) in rows.iter().zip(&results) {
            let theirs = result.as_ref().and_then(|result| result.1.as_deref()).unwrap_or(known);
            let _ = writeln!(out, "{name}\t{filter}\t{theirs}");
        }
        std::fs::write(table(), out).expect("written");
        return;
    }
    let mut wrong = Vec::new();
    let mut tested = 0;
    for ((name, filter, known), result) in rows.iter().zip(&results) {
        let Some((ours, theirs)) = result else { continue };
        tested += 1;
        if OURS.iter().any(|(own, _)| own == filter) {
            assert_ne!(ours, "error", "{filter}");
            continue;
        }
        // Another version of tshark may know other fields: the recorded answer is that of 4.0.17.
        if ours != known {
            wrong
                .push(format!("{name}: {filter}: recorded {known:?}, tshark here {theirs:?}, ours {ours:?}"));
        }
    }
    assert!(tested > 0, "no capture of the table is at hand");
    assert!(wrong.is_empty(), "{} of {tested} differ:\n{}", wrong.len(), wrong.join("\n"));
}
