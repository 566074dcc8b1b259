//! What the Debian package is made of is there, and goes where Debian looks for it. `.ci/package.sh` installs it.

use std::fs;
use std::path::{Path, PathBuf};

/// What an asset is, where it goes, with which mode.
type Asset = (String, String, String);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> toml::Table {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    manifest["package"]["metadata"]["deb"].as_table().unwrap().clone()
}

fn assets() -> Vec<Asset> {
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let assets = metadata()["assets"].as_array().unwrap().clone();
    assets.iter().map(|asset| (text(&asset[0]), text(&asset[1]), text(&asset[2]))).collect()
}

/// The path an asset is installed as.
fn installed(source: &str, target: &str) -> String {
    let name = Path::new(source).file_name().unwrap().to_str().unwrap();
    if target.ends_with('/') { format!("{target}{name}") } else { target.to_owned() }
}

#[test]
fn every_asset_is_there() {
    for (source, target, mode) in assets() {
        assert!(!target.starts_with('/'), "{target}");
        if source == "target/release/l2tp-inspect" {
            assert_eq!((target.as_str(), mode.as_str()), ("usr/bin/", "755"));
            continue;
        }
        assert_eq!(mode, "644", "{source}");
        match source.split_once("/*.") {
            None => assert!(root().join(&source).is_file(), "{source}"),
            Some((folder, extension)) => {
                let mut entries = fs::read_dir(root().join(folder)).unwrap();
                let fits = |path: PathBuf| path.extension().is_some_and(|found| found == extension);
                assert!(entries.any(|entry| fits(entry.unwrap().path())), "{source}");
            }
        }
    }
}

#[test]
fn shells_and_man_find_theirs() {
    let paths: Vec<String> = assets().iter().map(|(source, target, _)| installed(source, target)).collect();
    for path in [
        "usr/share/man/man1/l2tp-inspect.1",
        "usr/share/bash-completion/completions/l2tp-inspect",
        "usr/share/zsh/vendor-completions/_l2tp-inspect",
        "usr/share/fish/vendor_completions.d/l2tp-inspect.fish",
    ] {
        assert!(paths.iter().any(|found| found == path), "{path}");
    }
    for entry in fs::read_dir(root().join("completions")).unwrap() {
        let source = format!("completions/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(assets().iter().any(|(found, ..)| *found == source), "{source} is not in the package");
    }
}

#[test]
fn the_package_has_what_debian_asks_for() {
    let metadata = metadata();
    assert_eq!(metadata["depends"].as_str(), Some("$auto"));
    assert_eq!(metadata["section"].as_str(), Some("net"));
    // The line of a list of packages, which cargo-deb breaks if it is longer.
    assert!(env!("CARGO_PKG_DESCRIPTION").len() < 80);
    assert!(metadata["maintainer"].as_str().is_some_and(|name| !name.is_empty()));
    let copyright = metadata["license-file"].as_str().unwrap();
    let copyright = fs::read_to_string(root().join(copyright)).unwrap();
    // The text of the MIT licence is that of the repository, moved by a space, with dots for empty lines.
    let licence = fs::read_to_string(root().join("LICENSE-MIT")).unwrap();
    let (holder, words) = (licence.lines().nth(2).unwrap(), licence.lines().skip(4));
    assert!(copyright.contains(&format!("\n{}", holder.replace("Copyright (c)", "Copyright:"))), "{holder}");
    let moved: String =
        words.map(|line| format!(" {}\n", if line.is_empty() { "." } else { line })).collect();
    assert!(copyright.contains(&moved), "not the text of LICENSE-MIT");
}
