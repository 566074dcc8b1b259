//! Outputs: one file each. A report is data; nothing in here dissects or judges.

use crate::analysis::Analysis;
use crate::ipsec::sad::Sad;
use crate::rules::{Diagnosis, Finding};
use crate::util::Printable;

/// All that is known of one capture.
#[derive(Debug)]
pub struct Report<'a> {
    /// The name of the file, as the user gave it.
    pub file: Printable,
    /// `pcap` or `pcapng`.
    pub format: &'static str,
    /// The file has nanoseconds.
    pub nanoseconds: bool,
    /// What is damaged, and where; everything before it is in the analysis.
    pub damage: Option<String>,
    /// The facts.
    pub analysis: &'a Analysis,
    /// The keys that were given.
    pub sad: &'a Sad,
    /// The judgements, worst first within each place.
    pub findings: &'a [Finding],
    /// The verdict.
    pub diagnosis: &'a Diagnosis,
}
