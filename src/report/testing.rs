//! Hand-made findings for tests.

use crate::rules::{self, Finding, Severity};

/// A finding of the rule with this id.
pub(super) fn finding(id: &str, severity: Severity, connection: u32, packets: &[u64]) -> Finding {
    let rule = rules::all().find(|rule| rule.id == id).expect("a rule");
    Finding {
        rule,
        severity,
        section: rule.section,
        says: rule.says,
        title: String::from("title"),
        packets: packets.to_vec(),
        count: packets.len() as u64,
        connection: Some(connection),
        end: None,
        call: None,
        spi: None,
        seen: String::new(),
        unsure: None,
        advice: String::new(),
    }
}
