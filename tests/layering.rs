//! A module imports only modules to its left, so that the layers stay a line and not a web; and inside a module no files
//! import each other in a circle. Tests inside modules (blocks after `#[cfg(test)]`, and files of tests) may reach further.

mod imports;

use std::fs;
use std::path::{Path, PathBuf};

use imports::{Source, circles};

/// From left to right.
const LINE: &[&str] = &[
    "util",
    "field",
    "ipsec",
    "dissect",
    "filter",
    "analysis",
    "rules",
    "check",
    "report",
    "inspector",
    "export",
    "cli",
];
/// What the reader of captures may import, and who may import it.
const CAPTURE: (&[&str], &[&str]) = (&["util"], &["inspector", "cli"]);
/// Only the command writes packets out; what is written needs no analysis and no keys.
const EXPORT: (&[&str], &[&str]) = (&["util", "field", "dissect"], &["cli"]);
/// Only the command prints reports.
const REPORT: &[&str] = &["cli"];

fn allowed(from: &str, to: &str) -> bool {
    let place = |module: &str| LINE.iter().position(|known| *known == module);
    match (from, to) {
        _ if from == to => true,
        ("capture", _) => CAPTURE.0.contains(&to),
        (_, "capture") => CAPTURE.1.contains(&from),
        ("export", _) => EXPORT.0.contains(&to),
        (_, "export") => EXPORT.1.contains(&from),
        (_, "report") => REPORT.contains(&from),
        _ => matches!((place(from), place(to)), (Some(from), Some(to)) if to < from),
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs")
            && !["testing.rs", "vectors.rs"].contains(&name.as_str())
            && !name.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

/// The modules that one line of code names as `crate::x`.
fn named(line: &str) -> impl Iterator<Item = String> + '_ {
    let identifier = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    line.split("crate::").skip(1).map(identifier)
}

#[test]
fn imports_point_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for file in &files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" || module == "main" {
            continue;
        }
        assert!(LINE.contains(&module) || module == "capture", "{module}: give it a place in this test");
        let text = imports::without_tests(&fs::read_to_string(file).unwrap());
        for (number, line) in text.lines().enumerate() {
            let code = if line.trim_start().starts_with("//") { "" } else { line };
            for to in named(code) {
                // Macros of this crate (`crate::fields!`) belong to field.
                let to = if to == "fields" { "field".to_owned() } else { to };
                checked += 1;
                // An empty name is a group, which would hide what is imported: write one `use` for each module.
                if to.is_empty() || !allowed(module, &to) {
                    wrong.push(format!("src/{}:{}: {module} imports {to}", inside.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports point right (allowed: {LINE:?}):\n{}", wrong.join("\n"));
    assert!(checked > 100, "only {checked} imports found");
}

/// Modules with circles of files that are not untied yet. What is free of them stays free.
const TIED: &[&str] = &["capture", "cli", "dissect", "filter", "ipsec", "report", "rules"];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |path: &PathBuf| Source::read(&root, path);
    let all: Vec<Source> = files.iter().map(read).collect();
    let found = circles(&all);
    let free =
        |circle: &&Vec<String>| !circle.iter().all(|file| TIED.iter().any(|tied| file.starts_with(tied)));
    let wrong: Vec<&Vec<String>> = found.iter().filter(free).collect();
    assert!(wrong.is_empty(), "files that import each other: {wrong:#?}");
    for tied in TIED {
        let still = found.iter().flatten().any(|file| file.starts_with(tied));
        assert!(still, "{tied} is free of circles: take it out of the list");
    }
}

#[test]
fn circles_are_seen() {
    let source = |name: &str, text: &str| Source::new(name, text);
    let two = [source("a::b", "use super::c::Thing;"), source("a::c", "use crate::a::b::{Other, More};")];
    assert_eq!(circles(&two).len(), 1);
    let through_parent = [
        source("a", "pub mod b;\nmod c;\npub use b::Thing;"),
        source("a::b", "use super::c::help;"),
        source("a::c", "fn help() { let _ = crate::a::Thing; }"),
    ];
    assert_eq!(circles(&through_parent).len(), 1);
    let line = [
        source("a", "pub use b::Thing;"),
        source("a::b", "use super::c::help;\n#[cfg(test)]\nmod tests {\n use super::super::Thing;\n}\n"),
        source("a::c", "use crate::d::Far;"),
    ];
    assert!(circles(&line).is_empty());
    let after = "fn one() {}\n#[cfg(test)]\nmod tests {\n fn two() { { } }\n}\nuse crate::x::Y;\n";
    assert!(imports::without_tests(after).contains("crate::x"), "what follows a block of tests is read");
}

#[test]
fn the_test_itself_sees_what_points_right() {
    assert!(allowed("dissect", "ipsec") && allowed("cli", "capture") && allowed("capture", "util"));
    assert!(!allowed("ipsec", "dissect") && !allowed("capture", "field") && !allowed("rules", "capture"));
    assert!(allowed("export", "dissect") && !allowed("export", "ipsec") && !allowed("inspector", "export"));
    assert!(!allowed("inspector", "report") && !allowed("util", "nowhere"));
    let line = "use crate::util::Frame; crate::rules::all()";
    assert_eq!(named(line).collect::<Vec<_>>(), ["util", "rules"]);
}
