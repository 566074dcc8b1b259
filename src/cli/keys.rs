//! `--keys`: key files into the database.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::ipsec::keys::{self, KeyError, KeyFile};
use crate::ipsec::{Sad, TunnelSecrets};
use crate::util::Printable;

use super::exit::Failure;
use super::privacy;

/// Reads all key files.
///
/// # Errors
///
/// When one cannot be read or understood. No message holds a byte of a key.
pub(super) fn load(paths: &[PathBuf]) -> Result<Sad, Failure> {
    if !paths.is_empty() {
        privacy::protect_memory();
    }
    let mut files = Vec::new();
    for path in paths {
        files.push(if path == Path::new("-") { standard_input()? } else { file(path)? });
    }
    Sad::build(files).map_err(|error| failure(&error))
}

/// Reads the file of `--secrets`.
///
/// # Errors
///
/// When it cannot be read or understood. No message holds a byte of a secret.
pub(super) fn secrets(path: &Path) -> Result<TunnelSecrets, Failure> {
    privacy::protect_memory();
    warn_of_others(path);
    let name = Printable::from_text(&path.to_string_lossy());
    let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| Failure::new(format!("cannot read {name}")).cause(error))?;
    TunnelSecrets::parse(&name, &text).map_err(|error| failure(&error))
}

fn file(path: &Path) -> Result<KeyFile, Failure> {
    warn_of_others(path);
    keys::load(path).map_err(|error| failure(&error))
}

fn warn_of_others(path: &Path) {
    if keys::readable_by_others(path) {
        let name = Printable::from_text(&path.to_string_lossy());
        let _ = writeln!(
            std::io::stderr(),
            "l2tp-inspect: warning: {name}: others can read these keys (chmod 600)"
        );
    }
}

fn standard_input() -> Result<KeyFile, Failure> {
    let mut text = zeroize::Zeroizing::new(Vec::new());
    let mut input = std::io::stdin().lock().take(keys::MAX_FILE_OCTETS);
    input
        .read_to_end(&mut text)
        .map_err(|error| Failure::new("cannot read keys from standard input").cause(error))?;
    keys::parse(&Printable::from_text("standard input"), &text).map_err(|error| failure(&error))
}

fn failure(error: &KeyError) -> Failure {
    let failure = Failure::new(error.to_string());
    match std::error::Error::source(error) {
        Some(source) => failure.cause(source),
        None => failure,
    }
}
