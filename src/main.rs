//! The `l2tp-inspect` command.

fn main() {}
