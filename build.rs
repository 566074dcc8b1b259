//! Says in one line what to install when libpcap's development files are missing.
//!
//! The `pcap` crate builds without them and leaves it to the linker to fail, with a page of words. This script runs
//! before the linker, looks where that crate looks (`LIBPCAP_LIBDIR`, pkg-config, the linker's own directories), and
//! complains only if the linker itself says that it cannot find the library.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ADVICE: &str = "libpcap is needed to build: apt install libpcap-dev (Debian, Ubuntu), \
    dnf install libpcap-devel (Fedora), brew install libpcap (macOS)";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["LIBPCAP_LIBDIR", "PKG_CONFIG", "PKG_CONFIG_PATH", "LIBRARY_PATH", "DOCS_RS"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // Without the feature nothing of libpcap is used.
    if env::var_os("CARGO_FEATURE_LIVE").is_none() {
        return;
    }
    let windows = env::var("CARGO_CFG_WINDOWS").is_ok();
    // On Windows the library is part of a driver kit with directories of its own, and docs.rs never links.
    if windows || env::var("DOCS_RS").is_ok() || pkg_config_knows() {
        return;
    }
    if linker_misses_libpcap() == Some(true) {
        println!("cargo::error={ADVICE}");
    }
}

/// Whether pkg-config finds libpcap, for a build for this very machine.
fn pkg_config_knows() -> bool {
    if env::var_os("LIBPCAP_LIBDIR").is_some() || env::var_os("HOST") != env::var_os("TARGET") {
        return false;
    }
    let tool = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    Command::new(tool).args(["--exists", "libpcap"]).output().is_ok_and(|done| done.status.success())
}

/// Links a program of one line with libpcap, as cargo would; `None` if that says nothing about libpcap.
fn linker_misses_libpcap() -> Option<bool> {
    let directory = PathBuf::from(env::var_os("OUT_DIR")?);
    let program = directory.join("probe.rs");
    fs::write(&program, "#[link(name = \"pcap\")] unsafe extern \"C\" {}\nfn main() {}\n").ok()?;
    let mut compiler = Command::new(env::var_os("RUSTC")?);
    compiler.args(["--edition=2024", "--crate-type=bin", "--target"]).arg(env::var_os("TARGET")?);
    // The linker drops a library of which nothing is used, but not before it has looked for it.
    compiler.arg("-o").arg(directory.join("probe")).arg(&program);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("linker=");
        option.push(linker);
        compiler.arg("-C").arg(option);
    }
    if let Some(path) = env::var_os("LIBPCAP_LIBDIR") {
        compiler.arg("-L").arg(Path::new(&path));
    }
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        compiler.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    }
    let done = compiler.output().ok()?;
    if done.status.success() {
        return Some(false);
    }
    // No linker for the target, no standard library for it and the like are not our business: `cargo check` needs
    // neither, and the build itself will say so. The linkers in use name the library in one of these ways.
    let words = String::from_utf8_lossy(&done.stderr);
    let missing = ["cannot find -lpcap", "unable to find library -lpcap", "library not found for -lpcap"];
    let others = ["library 'pcap' not found", "library not found: pcap", "cannot find library 'pcap'"];
    Some(missing.iter().chain(&others).any(|said| words.contains(said)))
}
