//! Outputs: one file each. A report is data; nothing in here dissects or judges.

pub mod ci;
pub mod details;
pub mod diff;
pub mod events;
pub mod fields;
pub mod hex;
pub mod info;
pub mod json;
pub mod ladder;
pub mod ledger;
pub mod mask;
pub mod packet;
pub mod packet_json;
pub mod packets;
pub mod style;
pub mod summary;
pub mod times;
pub mod value;

mod diagnosis_json;
mod findings;
mod ppp_words;
mod table;
mod tables;
#[cfg(test)]
mod testing;
mod traffic_json;
mod verdict;

use crate::analysis::Analysis;
use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::ipsec::Sad;
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
    /// What options left out of it, a sentence each.
    pub left_out: Vec<String>,
    /// The facts.
    pub analysis: &'a Analysis,
    /// The keys that were given.
    pub sad: &'a Sad,
    /// The judgements, worst first within each place.
    pub findings: &'a [Finding],
    /// The verdict.
    pub diagnosis: &'a Diagnosis,
    /// What came of a check, if there was one.
    pub check: Option<&'a crate::check::Result>,
}

/// The algorithms of a flow, by their names in reports.
pub(crate) struct Suite {
    pub encryption: String,
    pub integrity: String,
}

/// The algorithms of a flow, if a key says which.
pub(crate) fn suite(report: &Report<'_>, flow: &Flow) -> Option<Suite> {
    let sa = report.sad.get(flow.sa?)?;
    Some(Suite {
        encryption: sa.encryption.name().to_owned(),
        integrity: flow.integrity.map_or_else(|| sa.integrity.name().to_owned(), str::to_owned),
    })
}

/// The state of a connection in reports: `no-answer` is what a tunnel is called that died waiting, for its SCCRP or for
/// the answer to a Hello.
pub(crate) fn state(connection: &Connection) -> &'static str {
    if connection.looks_dead() { "no-answer" } else { connection.state.name() }
}
