//! The ladder of a control connection.
//!
//! ```text
//!    packet       time  lac-01 192.0.2.10        lns-a 198.51.100.1
//!         1   0.000000  |- SCCRQ      Ns 0 Nr 0 ---------->| tunnel 7
//!         2   0.015204  |<---------- SCCRP      Ns 0 Nr 1 -| tunnel 9
//!         4   0.031377  |<---------- ack             Nr 2 -|
//!       6-8   1.040200  |- ICRQ x3    Ns 2 Nr 1 -------->>>| resent  call-no-reply
//!     9-639             |======= 611 data packets =========|
//!   640-651             |======== 12 data packets ========>|
//!                       ... 26 more, --ladder shows all
//!                 83 s  |        no acknowledgement        | Hello Ns 4
//! ```

mod draw;
mod fold;
mod ike;
mod line;
mod marks;

use std::io::{self, Write};

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::ike::IkeSa;
use crate::rules::words::count;
use crate::rules::{Finding, Severity};

use super::Report;
use super::style::Style;
use draw::Drawing;
use fold::{MOST_LINES, Part, folded};
use ike::IkeLadders;
use line::{Line, Pen, lines};
use marks::Marks;

/// Ladders in the summary.
const MOST_LADDERS: usize = 3;

/// The ladders of the summary: connections with findings first, long ones folded.
pub(super) fn some(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let all = report.analysis.in_order();
    let marks = Marks::of(report.findings);
    let ike = IkeLadders::of(report);
    for sas in ike.alone.iter().take(MOST_LADDERS) {
        writeln!(out)?;
        alone(report, sas, MOST_LINES, style, out)?;
    }
    let more = ike.alone.len().saturating_sub(MOST_LADDERS);
    if more > 0 {
        let more = count(more as u64, "more pair");
        writeln!(out, "\n{} IKE between {more} of hosts, --ladder shows all", style.pick("…", "..."))?;
    }
    let chosen = choose(report.findings, all.iter().map(|(_, connection)| connection.number));
    for number in &chosen {
        let Some((_, connection)) = report.analysis.numbered(*number) else { continue };
        writeln!(out)?;
        let ike = ike.connection(*number);
        write(report, connection, &marks, ike, MOST_LINES, style, out)?;
    }
    let more = all.len().saturating_sub(chosen.len());
    if more > 0 {
        let more = count(more as u64, "more control connection");
        writeln!(out, "\n{} {more}, --ladder shows all", style.pick("…", "..."))?;
    }
    Ok(())
}

/// The connections that the summary draws: those with the worst findings, then the first.
fn choose(findings: &[Finding], all: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::new();
    let troubled = findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    for number in troubled.filter_map(|finding| finding.connection).chain(all) {
        if chosen.len() >= MOST_LADDERS {
            break;
        }
        if !chosen.contains(&number) {
            chosen.push(number);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// All ladders, complete.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_all(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let marks = Marks::of(report.findings);
    let ike = IkeLadders::of(report);
    let mut gap = false;
    for sas in &ike.alone {
        if std::mem::replace(&mut gap, true) {
            writeln!(out)?;
        }
        alone(report, sas, usize::MAX, style, out)?;
    }
    for (_, connection) in report.analysis.in_order() {
        if std::mem::replace(&mut gap, true) {
            writeln!(out)?;
        }
        let ike = ike.connection(connection.number);
        write(report, connection, &marks, ike, usize::MAX, style, out)?;
    }
    Ok(())
}

fn write(
    report: &Report<'_>,
    connection: &Connection,
    marks: &Marks<'_>,
    ike: &[&IkeSa],
    most: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = lines(report, connection, marks, ike, style);
    let drawing = Drawing::new(style, &lines);
    writeln!(out, "T{}", connection.number)?;
    for heading in drawing.heading(connection) {
        writeln!(out, "{heading}")?;
    }
    draw(&lines, &drawing, most, out)
}

/// The ladder of IKE between two hosts that no control connection is between.
fn alone(
    report: &Report<'_>,
    sas: &[&IkeSa],
    most: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(first) = sas.first() else { return Ok(()) };
    let pen = Pen { report, style };
    let mut lines = ike::lines(report, sas, first.initiator, &pen);
    lines.sort_by_key(|(packet, _)| *packet);
    let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    let drawing = Drawing::new(style, &lines);
    writeln!(out, "IKE")?;
    for heading in drawing.labels(&first.initiator.to_string(), &first.responder.to_string()) {
        writeln!(out, "{heading}")?;
    }
    draw(&lines, &drawing, most, out)
}

fn draw(lines: &[Line], drawing: &Drawing<'_>, most: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut hint = ", --ladder shows all";
    for part in folded(lines, most) {
        match part {
            Part::Line(line) => writeln!(out, "{}", drawing.line(line))?,
            Part::Fold(hidden) => {
                writeln!(out, "{}", drawing.fold(hidden, hint))?;
                hint = "";
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::finding;

    #[test]
    fn the_worst_connections_come_first_then_the_first() {
        let findings = [
            finding("seq-gap", Severity::Error, 9, &[]),
            finding("seq-ack-missing", Severity::Warning, 9, &[]),
            finding("seq-duplicate", Severity::Note, 5, &[]),
        ];
        assert_eq!(choose(&findings, 1..=20), [1, 2, 9]);
        assert_eq!(choose(&[], 1..=2), [1, 2]);
    }
}
