//! Every sample against its checked-in outputs, byte for byte. `UPDATE_GOLDEN=1 cargo test --test golden` rewrites
//! them; read what changed before you commit it, for a golden keeps mistakes as well as it keeps the truth.

mod samples;

use std::path::Path;

/// What is checked in beside each capture, and the arguments that make it.
const OUTPUTS: &[(&str, &[&str])] = &[
    ("report.json", &["-T", "json"]),
    ("summary.txt", &["--width", "100"]),
    ("findings.txt", &["--findings", "--width", "100"]),
];

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
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} outputs of {} samples", samples.len() * OUTPUTS.len(), samples.len());
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
                || OUTPUTS.iter().any(|(output, _)| output == file)
        };
        for entry in std::fs::read_dir(&sample.directory).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            assert!(known(&file), "{}: {file} is no file of a sample", sample.name);
        }
    }
}

#[test]
fn the_screen_in_the_readme_is_a_real_one() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let screen = readme.split("```").find(|block| block.contains("$ l2tp-inspect")).unwrap();
    let sample = samples::sample("l2tp-ipsec/hello5-dead-peer");
    let golden = std::fs::read_to_string(sample.directory.join("summary.txt")).unwrap();
    let mut rest = golden.lines();
    for line in screen.lines().skip(2).filter(|line| *line != "…") {
        assert!(rest.any(|real| real == line), "not in summary.txt, or not in this order: {line}");
    }
}
