//! `--diff`: two captures beside each other.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::ipsec::Sad;
use crate::report::diff::{self, Diff};

use super::args::{Args, Format};
use super::checking::Checking;
use super::exit::{Exit, Failure};
use super::offline::inspect;
use super::{finish, screen};

/// Compares the capture of the command line with another one.
///
/// # Errors
///
/// When one of them cannot be read, or the output not be written.
pub(super) fn run(
    args: &Args,
    files: &[&PathBuf],
    other: &Path,
    sad: &Sad,
    checking: &Checking,
) -> Result<Exit, Failure> {
    let [file] = files else {
        return Err(Failure::new("--diff compares one capture with another")
            .hint("l2tp-inspect FAILING.pcap --diff WORKING.pcap -k KEYS"));
    };
    if !matches!(args.format, Format::Text | Format::Json) {
        return Err(Failure::new("--diff goes with -T text or -T json"));
    }
    if file.as_path() == Path::new("-") && other == Path::new("-") {
        return Err(Failure::new("standard input (-) can be read only once"));
    }
    let (here, there) = (inspect(args, file, sad, checking)?, inspect(args, other, sad, checking)?);
    let damaged = here.damage.is_some() || there.damage.is_some();
    let reports = [here.report(sad, false), there.report(sad, false)];
    let [here, there] = &reports;
    let diff = Diff::of(here, there);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let written = match args.format {
        Format::Json => diff::write_json(&diff, [here, there], &mut out),
        _ => diff::write(&diff, [here, there], &screen::style(args), &mut out),
    };
    finish(written.and_then(|()| out.flush()))?;
    Ok(match () {
        () if damaged => Exit::Damaged,
        () if checking.checks() && !diff.is_empty() => Exit::Findings,
        () => Exit::Done,
    })
}
