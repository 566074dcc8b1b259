//! Which file of the source tree imports which, and where they do so in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// One file.
pub struct Source {
    /// Its module, such as `analysis::log::event`.
    name: String,
    code: String,
}

impl Source {
    /// A file by its module and text.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), code: without_comments(&without_tests(text)) }
    }

    /// A file below `root`.
    pub fn read(root: &Path, path: &Path) -> Self {
        let inside = path.strip_prefix(root).unwrap().with_extension("");
        let mut parts: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        if ["mod", "lib", "main"].contains(parts.last().unwrap()) {
            parts.pop();
        }
        Self::new(&parts.join("::"), &fs::read_to_string(path).unwrap())
    }
}

/// The text without blocks of tests: `#[cfg(test)] mod … { … }`.
pub fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        // The item ends with the line that closes it at the depth where it began; one without a block is a line.
        let first = lines.next().unwrap_or_default();
        let indent = first.len() - first.trim_start().len();
        out.push_str("\n\n");
        if first.trim_end().ends_with('{') {
            for line in lines.by_ref() {
                out.push('\n');
                if line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}') {
                    break;
                }
            }
        }
    }
    out
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths of a `use` tree: `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        found.push(path.trim_end_matches("::self").to_owned());
        return;
    };
    let (head, rest) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in rest.char_indices().chain([(rest.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let piece = rest[start..at].trim();
                if !piece.is_empty() {
                    expand(&format!("{head}{piece}"), found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Every path that a file names: its `use` declarations, and paths in the code that begin with `crate`, `super` or `self`.
fn paths(code: &str) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let visibility = line.find("use ").map_or("", |at| &line[..at]);
        let public = visibility.starts_with("pub") && !visibility.trim_start_matches("pub").contains("fn ");
        let reexport = public && visibility.split_whitespace().count() == 1;
        if !(reexport || line.starts_with("use ")) {
            continue;
        }
        let mut tree = line[visibility.len() + 4..].to_owned();
        while !tree.contains(';') {
            let Some(next) = lines.next() else { break };
            tree.push_str(next);
        }
        expand(tree.split(';').next().unwrap_or_default(), if public { &mut exports } else { &mut imports });
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for piece in code.split(|c: char| !word(c)) {
        if ["crate::", "super::", "self::"].iter().any(|head| piece.starts_with(head)) {
            imports.push(piece.trim_end_matches(':').to_owned());
        }
    }
    (imports, exports)
}

/// A path as seen from the crate.
fn absolute(from: &str, path: &str) -> String {
    let mut module: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts = path.split("::").peekable();
    match parts.peek() {
        Some(&"crate") => module.clear(),
        Some(&"self") => {}
        Some(&"super") => {
            while parts.next_if_eq(&"super").is_some() {
                module.pop();
            }
            return module.into_iter().chain(parts).collect::<Vec<_>>().join("::");
        }
        // A child of this module, or another crate.
        _ => return module.into_iter().chain(parts).collect::<Vec<_>>().join("::"),
    }
    parts.next();
    module.into_iter().chain(parts).collect::<Vec<_>>().join("::")
}

/// Each circle of files, by their modules.
pub fn circles(all: &[Source]) -> Vec<Vec<String>> {
    let names: BTreeSet<&str> = all.iter().map(|source| source.name.as_str()).collect();
    let known: Vec<_> = all.iter().map(|source| (source, paths(&source.code))).collect();
    // What a parent hands on counts for the file that defines it.
    let mut handed: BTreeMap<String, String> = BTreeMap::new();
    for (source, (_, exports)) in &known {
        for path in exports {
            let last = path.rsplit("::").next().unwrap_or_default();
            handed.insert(format!("{}::{last}", source.name), absolute(&source.name, path));
        }
    }
    let file = |path: &str| {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let Some(next) = handed.get(&path).filter(|next| **next != path) else { break };
            path = next.clone();
        }
        let mut prefix = path.as_str();
        loop {
            if names.contains(prefix) {
                return Some(prefix.to_owned());
            }
            prefix = &prefix[..prefix.rfind("::")?];
        }
    };
    let mut arrows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (source, (imports, exports)) in &known {
        let targets = imports.iter().map(|path| absolute(&source.name, path)).filter_map(|path| file(&path));
        // A parent that only hands a name on does not use it.
        let _ = exports;
        let own = source.name.as_str();
        arrows.entry(own).or_default().extend(targets.filter(|target| target != own));
    }
    strongly_connected(&arrows)
}

fn strongly_connected(arrows: &BTreeMap<&str, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(name) = next.pop() {
            for to in arrows.get(name.as_str()).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = arrows.keys().map(|name| (*name, reach(name))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (name, all) in &reached {
        if all.contains(*name) {
            let circle = all
                .iter()
                .filter(|other| reached.get(other.as_str()).is_some_and(|back| back.contains(*name)));
            found.insert(circle.cloned().collect());
        }
    }
    found.into_iter().collect()
}
