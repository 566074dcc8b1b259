//! `--keys`, `-E` and `-o`: key files, and keys of the command line, into the database.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::path::Path;
#[cfg(feature = "live")]
use std::path::PathBuf;

use crate::analysis::Analysis;
use crate::ipsec::keys::{self, KeyError, KeyFile};
use crate::ipsec::{Keychain, Sad, SecretsFile};
use crate::util::Printable;

use super::args::Args;
use super::exit::Failure;
use super::output::{self, OutputFile};
use super::{export, privacy};

/// What tcpdump's `-E` begins with if the keys are in a file.
const FROM_FILE: &str = "file ";
/// What tshark's `-o` begins with for Wireshark's table of SAs.
const ESP_SA: &str = "uat:esp_sa:";
/// What tshark's `-E` can set.
const LAYOUT: [&str; 7] = ["header", "separator", "occurrence", "aggregator", "quote", "escape", "bom"];

/// Reads all key files, and the keys of the command line.
///
/// # Errors
///
/// When one cannot be read or understood. No message holds a byte of a key.
pub(super) fn load(args: &Args) -> Result<Keychain, Failure> {
    let secrets: Vec<&String> = args.layout.iter().filter(|option| is_secret(option)).collect();
    if !args.keys.is_empty() || !secrets.is_empty() || !args.preferences.is_empty() {
        privacy::protect_memory();
    }
    let mut files = Vec::new();
    for secret in secrets {
        files.push(match secret.trim().strip_prefix(FROM_FILE) {
            Some(path) => file(Path::new(path.trim()))?,
            None => visible("-E", secret)?,
        });
    }
    for preference in &args.preferences {
        if !preference.starts_with(ESP_SA) {
            return Err(Failure::new("-o takes uat:esp_sa:… only")
                .hint("-o 'uat:esp_sa:\"IPv4\",\"*\",\"*\",\"0x…\",…', or the lines in a file with -k"));
        }
        files.push(visible("-o", preference)?);
    }
    for path in &args.keys {
        files.push(if path == Path::new("-") { standard_input()? } else { file(path)? });
    }
    if let Some(path) = &args.export_esp_sa {
        export_esp_sa(args, path, &files)?;
    }
    Keychain::new(files).map_err(|error| failure(&error))
}

/// The key files of the command line that can be read again.
#[cfg(feature = "live")]
pub(super) fn files(args: &Args) -> Vec<PathBuf> {
    let secrets = args.layout.iter().filter(|option| is_secret(option));
    let paths = secrets.filter_map(|secret| secret.trim().strip_prefix(FROM_FILE));
    let paths = paths.map(|path| PathBuf::from(path.trim())).chain(args.keys.iter().cloned());
    paths.filter(|path| path.is_file() || path.is_dir()).collect()
}

/// Writes the SAs as lines of Wireshark's table.
fn export_esp_sa(args: &Args, path: &Path, files: &[KeyFile]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Err(Failure::new("--export-esp-sa writes keys, and those go to a file only")
            .hint("--export-esp-sa esp_sa"));
    }
    let mut file = OutputFile::create(path, args.force, &export::inputs(args))?;
    let table = keys::esp_sa_table(files);
    file.write_all(&table.lines).map_err(|error| output::cannot_write(path, error))?;
    file.commit()?;
    let name = output::name(path);
    let (count, unknown) = (table.associations, table.unknown);
    let left = if unknown == 0 {
        String::new()
    } else {
        format!(", {unknown} left out (algorithms that Wireshark does not know)")
    };
    let _ = writeln!(std::io::stderr(), "l2tp-inspect: {name}: {count} SAs with their keys{left}");
    Ok(())
}

/// Reads the file of `--secrets`.
///
/// # Errors
///
/// When it cannot be read or understood. No message holds a byte of a secret.
pub(super) fn secrets(path: &Path) -> Result<SecretsFile, Failure> {
    privacy::protect_memory();
    warn_of_others(path);
    let name = Printable::from_text(&path.to_string_lossy());
    let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| Failure::new(format!("cannot read {name}")).cause(error))?;
    SecretsFile::parse(&name, &text).map_err(|error| failure(&error))
}

/// `--list-keys`: a line for each SA with SPI, source, destination, algorithms, place in the key files, and how many
/// packets it opened, with tabs; `unused` if there were captures and none needed it. No octet of a key.
pub(super) fn list(sad: &Sad, analyses: &[&Analysis]) -> String {
    let mut out = String::new();
    for (id, sa) in sad.iter() {
        let end = |address: Option<IpAddr>| {
            address.map_or_else(|| String::from("*"), |address| address.to_string())
        };
        let opened: u64 = analyses
            .iter()
            .flat_map(|analysis| &analysis.flows)
            .filter(|flow| flow.sa == Some(id))
            .map(|flow| flow.decrypted)
            .sum();
        let used = match opened {
            0 if analyses.is_empty() => String::new(),
            0 => String::from("unused"),
            1 => String::from("1 packet"),
            count => format!("{count} packets"),
        };
        let (source, destination) = (end(sa.source), end(sa.destination));
        let _ = writeln!(out, "{}\t{source}\t{destination}\t{}\t{}\t{used}", sa.spi, sa.suite(), sa.origin);
    }
    out
}

/// Whether an `-E` is tcpdump's: keys, and no layout of fields.
pub(super) fn is_secret(option: &str) -> bool {
    let option = option.trim();
    let is_layout = option.split_once('=').is_some_and(|(name, _)| LAYOUT.contains(&name));
    !is_layout && (option.contains(':') || option.starts_with(FROM_FILE))
}

/// Keys that stand on the command line.
fn visible(option: &'static str, text: &str) -> Result<KeyFile, Failure> {
    let _ = writeln!(
        std::io::stderr(),
        "l2tp-inspect: warning: {option}: others can see this key in the list of processes; -k FILE keeps it private"
    );
    keys::parse(&Printable::from_text(option), text.as_bytes()).map_err(|error| failure(&error))
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
