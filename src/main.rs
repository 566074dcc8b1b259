//! The `l2tp-inspect` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    l2tp_inspect::cli::run()
}
