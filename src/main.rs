//! The `l2tp-inspect` command.

use std::process::ExitCode;

/// It gives memory back that a flood took, which a capture of hours needs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    l2tp_inspect::cli::run()
}
