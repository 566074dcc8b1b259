//! Which finding belongs to which line of a ladder.

use std::collections::{HashMap, HashSet};

use crate::rules::{Finding, Severity};

/// The findings of each control connection by their packets.
pub(super) struct Marks<'a> {
    findings: &'a [Finding],
    /// Packet and index of the finding, in the order of packets.
    by_connection: HashMap<u32, Vec<(u64, usize)>>,
}

/// A rule in the margin of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub rule: &'static str,
    pub severity: Severity,
}

impl<'a> Marks<'a> {
    /// Findings about no connection (an SA, the whole capture) have their packets all over the ladder: they say nothing
    /// about a line of it.
    pub(super) fn of(findings: &'a [Finding]) -> Self {
        let mut by_connection: HashMap<u32, Vec<(u64, usize)>> = HashMap::new();
        for (index, finding) in findings.iter().enumerate() {
            let Some(number) = finding.connection else { continue };
            let marks = by_connection.entry(number).or_default();
            marks.extend(finding.packets.iter().map(|packet| (*packet, index)));
        }
        for marks in by_connection.values_mut() {
            marks.sort_unstable();
        }
        Self { findings, by_connection }
    }

    /// Those of one connection.
    pub(super) fn connection(&self, number: u32) -> Own<'_> {
        let marks = self.by_connection.get(&number).map_or(&[][..], Vec::as_slice);
        Own { findings: self.findings, marks, used: HashSet::new() }
    }
}

/// The findings of one connection, each for the first line that shows it.
pub(super) struct Own<'a> {
    findings: &'a [Finding],
    marks: &'a [(u64, usize)],
    used: HashSet<usize>,
}

impl Own<'_> {
    /// The worst finding that these packets show and that no line has yet. Notes are only for lines that say nothing
    /// else.
    pub(super) fn take(&mut self, first: u64, last: u64, notes: bool) -> Option<Mark> {
        let start = self.marks.partition_point(|(packet, _)| *packet < first);
        let here = self.marks.get(start..)?.iter().take_while(|(packet, _)| *packet <= last);
        let index = here.map(|(_, index)| *index).filter(|index| !self.used.contains(index)).min()?;
        let finding = self.findings.get(index)?;
        if finding.severity == Severity::Note && !notes {
            return None;
        }
        self.used.insert(index);
        Some(Mark { rule: finding.rule.id, severity: finding.severity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::finding;

    #[test]
    fn each_finding_marks_the_first_line_that_shows_it() {
        let findings = [
            finding("seq-gap", Severity::Error, 1, &[5, 9]),
            finding("seq-duplicate", Severity::Note, 1, &[5, 7, 30]),
        ];
        let marks = Marks::of(&findings);
        let mut own = marks.connection(1);
        assert_eq!(own.take(1, 4, true), None);
        assert_eq!(own.take(5, 6, true).map(|mark| mark.rule), Some("seq-gap"));
        assert_eq!(own.take(7, 9, false), None);
        assert_eq!(own.take(7, 9, true).map(|mark| mark.rule), Some("seq-duplicate"));
        assert_eq!(own.take(30, 40, true), None);
        assert_eq!(marks.connection(2).take(1, 100, true), None);
    }
}
