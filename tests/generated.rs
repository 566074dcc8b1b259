//! The man page and the completions are made from the one list of options; this holds the checked-in files to it.
//! `UPDATE_GOLDEN=1 cargo test --test generated` writes them anew.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use l2tp_inspect::cli::args::Args;

fn check(path: &str, made: Vec<u8>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &made).expect("writable");
    }
    let checked_in = std::fs::read(&file).unwrap_or_default();
    assert!(
        checked_in == made,
        "{path} is not what the options say; UPDATE_GOLDEN=1 cargo test --test generated"
    );
}

#[test]
fn man_page() {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).date("2026-11-24").render(&mut page).expect("a page");
    check("man/l2tp-inspect.1", page);
}

#[test]
fn completions() {
    for (shell, path) in [
        (Shell::Bash, "completions/l2tp-inspect.bash"),
        (Shell::Zsh, "completions/_l2tp-inspect"),
        (Shell::Fish, "completions/l2tp-inspect.fish"),
        (Shell::Elvish, "completions/l2tp-inspect.elv"),
        (Shell::PowerShell, "completions/_l2tp-inspect.ps1"),
    ] {
        let mut script = Vec::new();
        generate(shell, &mut Args::command(), "l2tp-inspect", &mut script);
        check(path, script);
    }
}
