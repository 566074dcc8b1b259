//! Every sample against its checked-in outputs, byte for byte. `UPDATE_GOLDEN=1 cargo test --test golden` rewrites
//! them; read what changed before you commit it, for a golden keeps mistakes as well as it keeps the truth.

mod samples;

use std::path::Path;

/// What is checked in beside each capture, and the arguments that make it.
const OUTPUTS: &[(&str, &[&str])] = &[
    ("report.json", &["-T", "json"]),
    ("summary.txt", &["--width", "100"]),
    ("findings.txt", &["--findings", "--width", "100"]),
    ("packets.txt", &["-P"]),
];

/// Views of some packets: those that are the first of their kind. `NUMBERS` stands for them.
const CHOSEN: &[(&str, &[&str])] = &[
    ("details.txt", &["-V", "-x", "-Y", "NUMBERS"]),
    ("packets.json", &["-P", "-V", "-T", "json", "-Y", "NUMBERS"]),
];

/// Packets of one sample that are shown whole.
const MOST_CHOSEN: usize = 5;

/// The first packet of each kind (what `-P` calls its protocol, and its first word), the rarest kinds first.
fn chosen(lines: &str) -> String {
    let mut kinds: Vec<(String, u64, u64)> = Vec::new();
    for line in lines.lines() {
        let packet: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| packet[name].as_str().unwrap_or_default().to_owned();
        if packet["connection"].is_null() && !["IKE", "ESP", "ICMP"].contains(&text("protocol").as_str()) {
            continue;
        }
        let kind = format!("{} {}", text("protocol"), text("info").split(' ').next().unwrap_or_default());
        match kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, _, count)) => *count += 1,
            None => kinds.push((kind, packet["number"].as_u64().unwrap(), 1)),
        }
    }
    kinds.sort_by_key(|(_, number, count)| (*count, *number));
    let mut numbers: Vec<u64> = kinds.iter().take(MOST_CHOSEN).map(|(_, number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.push(u64::from(u32::MAX));
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("frame.number in {{{}}}", numbers.join(","))
}

#[test]
fn every_output_of_every_sample_is_as_checked_in() {
    let mut wrong = Vec::new();
    let samples = samples::samples();
    for sample in &samples {
        for (file, options) in OUTPUTS {
            let arguments = [*options, &sample.arguments()].concat();
            let output = samples::run(&sample.directory, &arguments);
            assert!(
                output.status.code() == Some(0),
                "{}: exit {:?}: {}",
                sample.name,
                output.status.code(),
                String::from_utf8_lossy(&output.stderr)
            );
            wrong.extend(samples::golden(&sample.directory.join(file), &output.stdout));
        }
        let lines =
            samples::run(&sample.directory, &[&["-P", "-T", "jsonl"], &sample.arguments()[..]].concat());
        let numbers = chosen(&String::from_utf8_lossy(&lines.stdout));
        for (file, options) in CHOSEN {
            let options: Vec<&str> = options
                .iter()
                .map(|word| if *word == "NUMBERS" { numbers.as_str() } else { *word })
                .collect();
            let output = samples::run(&sample.directory, &[options, sample.arguments()].concat());
            assert_eq!(output.status.code(), Some(0), "{}", sample.name);
            wrong.extend(samples::golden(&sample.directory.join(file), &output.stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} outputs of {} samples", samples.len() * (OUTPUTS.len() + CHOSEN.len()), samples.len());
}

/// The report of a run, without the names of files.
fn report(directory: &Path, capture: &str, key: Option<&String>) -> serde_json::Value {
    let mut arguments = vec!["-T", "json", capture];
    if let Some(key) = key {
        arguments.extend(["-k", key]);
    }
    let output = samples::run(directory, &arguments);
    let mut document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    document["captures"][0]["file"].take();
    document
}

#[test]
fn every_key_file_and_every_copy_of_a_sample_tells_the_same() {
    for sample in samples::samples() {
        let first = report(&sample.directory, &sample.captures[0], sample.keys.first());
        for key in sample.keys.iter().skip(1) {
            let other = report(&sample.directory, &sample.captures[0], Some(key));
            let esp = |document: &serde_json::Value| document["captures"][0]["esp"].clone();
            assert_eq!(esp(&first), esp(&other), "{} with {key}", sample.name);
        }
        for capture in sample.captures.iter().skip(1) {
            assert_eq!(first, report(&sample.directory, capture, sample.keys.first()), "{}", sample.name);
        }
    }
}

#[test]
fn every_sample_says_where_it_comes_from_and_all_its_files_are_known() {
    for sample in samples::samples() {
        let origin = std::fs::read_to_string(sample.directory.join("origin.md")).unwrap_or_default();
        for word in ["**Shows**", "**Made by**", "**Keys**", "**Licence**"] {
            assert!(origin.contains(word), "{}: origin.md without {word}", sample.name);
        }
        for key in &sample.keys {
            assert!(origin.contains(key.as_str()), "{}: origin.md does not name {key}", sample.name);
        }
        let known = |file: &String| {
            sample.captures.contains(file)
                || sample.keys.contains(file)
                || file == "origin.md"
                || OUTPUTS.iter().chain(CHOSEN).any(|(output, _)| output == file)
        };
        for entry in std::fs::read_dir(&sample.directory).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            assert!(known(&file), "{}: {file} is no file of a sample", sample.name);
        }
    }
}
