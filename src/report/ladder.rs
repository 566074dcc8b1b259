//! The ladder of a control connection.
//!
//! ```text
//!    packet       time  lac-01 192.0.2.10        lns-a 198.51.100.1
//!         1   0.000000  |- SCCRQ      Ns 0 Nr 0 ---------->| tunnel 7
//!         2   0.015204  |<---------- SCCRP      Ns 0 Nr 1 -| tunnel 9
//!     6-8     1.040200  |- ICRQ x3    Ns 2 Nr 1 -------->>>| resent
//!     9-639             |======= 611 data packets =========| data-before-established
//! ```

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::analysis::connection::Connection;
use crate::analysis::delivery::MessageKind;
use crate::analysis::ladder::{DataRow, Effect, MessageRow, Row};
use crate::dissect::l2tp_names::{cdn_reason, stop_ccn_reason};
use crate::dissect::layers::MessageType;
use crate::rules::words::{count, thousands};
use crate::rules::{Finding, Severity};
use crate::util::Timestamp;

use super::Report;
use super::style::{Style, Tone};

/// Columns between the two lifelines.
const BODY: usize = 34;
/// Columns before the first lifeline.
const LEFT: usize = 22;
/// Lines of one ladder in the summary, and how they are shared when the middle is folded.
const MOST_LINES: usize = 40;
const HEAD: usize = 24;
const TAIL: usize = 15;
/// Ladders in the summary.
const MOST_LADDERS: usize = 3;

/// The ladders of the summary: connections with findings first, long ones folded.
pub(super) fn some(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let all = report.analysis.in_order();
    let troubled = |number: u32| {
        report.findings.iter().any(|f| f.connection == Some(number) && f.severity >= Severity::Warning)
    };
    let mut chosen: Vec<&Connection> = all.iter().map(|(_, connection)| *connection).collect();
    chosen.sort_by_key(|connection| !troubled(connection.number));
    chosen.truncate(MOST_LADDERS);
    chosen.sort_by_key(|connection| connection.number);
    for connection in &chosen {
        let lines = lines(report, connection, style);
        writeln!(out)?;
        if lines.len() <= MOST_LINES {
            for line in &lines {
                writeln!(out, "{line}")?;
            }
            continue;
        }
        for line in lines.iter().take(HEAD) {
            writeln!(out, "{line}")?;
        }
        let folded = thousands((lines.len() - HEAD - TAIL) as u64);
        writeln!(out, "{:>LEFT$}{} {folded} more, --ladder shows all", "", style.pick("…", "..."))?;
        for line in lines.iter().skip(lines.len() - TAIL) {
            writeln!(out, "{line}")?;
        }
    }
    let more = all.len().saturating_sub(chosen.len());
    if more > 0 {
        writeln!(out, "\n{}, --ladder shows them", count(more as u64, "more control connection"))?;
    }
    Ok(())
}

/// All ladders, complete.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_all(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (at, (_, connection)) in report.analysis.in_order().into_iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        for line in lines(report, connection, style) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

struct Drawing<'a> {
    report: &'a Report<'a>,
    connection: &'a Connection,
    style: &'a Style,
    findings: Vec<&'a Finding>,
    lac: u8,
}

fn lines(report: &Report<'_>, connection: &Connection, style: &Style) -> Vec<String> {
    let mine =
        |finding: &&Finding| finding.connection.is_none() || finding.connection == Some(connection.number);
    let drawing = Drawing {
        report,
        connection,
        style,
        findings: report.findings.iter().filter(mine).filter(|f| f.severity >= Severity::Warning).collect(),
        lac: u8::from(connection.lac_end() == 1),
    };
    let mut out = vec![format!("T{}", connection.number), drawing.heading()];
    let mut hello = None;
    for row in &connection.ladder.rows {
        match row {
            Row::Message(row) => {
                out.push(drawing.message(row, hello));
                hello = match row.message {
                    MessageKind::Known(MessageType::HELLO) => Some(row.from),
                    MessageKind::Zlb => None,
                    _ => hello,
                };
            }
            Row::Data(row) => out.push(drawing.data(row)),
        }
    }
    if connection.ladder.omitted > 0 {
        out.push(format!("{:>LEFT$}{} lines were not kept", "", thousands(connection.ladder.omitted)));
    }
    out.extend(drawing.silence());
    out
}

impl Drawing<'_> {
    fn heading(&self) -> String {
        let label = |end: u8| {
            let end = self.connection.end(end);
            let name = end
                .host_name
                .as_ref()
                .map_or_else(String::new, |name| format!("{} ", self.style.clip(name.as_str(), 20)));
            self.style.text(&format!("{name}{}", end.endpoint.address))
        };
        let (lac, lns) = (label(self.lac), label(1 - self.lac));
        let room = (BODY + 2).saturating_sub(lns.width()).max(lac.width() + 2);
        let gap = " ".repeat(room - lac.width());
        let line = format!("{:>9}{:>11}  {lac}{gap}{lns}", "packet", "time");
        self.style.clip(&line, self.style.width)
    }

    fn line(&self, packets: &str, time: &str, body: &str, note: &str) -> String {
        let rail = self.style.pick("│", "|");
        let room = self.style.width.saturating_sub(LEFT + BODY + 3);
        let note = self.style.clip(&self.style.text(note), room);
        let line = format!("{packets:>9}{time:>11}  {rail}{body}{rail} {note}");
        line.trim_end().to_owned()
    }

    fn message(&self, row: &MessageRow, hello: Option<u8>) -> String {
        let name = match row.message {
            MessageKind::Zlb => "ack",
            kind => kind.name(),
        };
        let times = if row.copies > 1 {
            format!(" {}{}", self.style.pick("×", "x"), row.copies)
        } else {
            String::new()
        };
        let numbers = match (row.numbers, row.message) {
            (Some((_, nr)), MessageKind::Zlb) => format!("     Nr {nr}"),
            (Some((ns, nr)), _) => format!("Ns {ns} Nr {nr}"),
            (None, _) => String::new(),
        };
        let text = self.style.clip(&format!("{:<11}{numbers}", format!("{name}{times}")), BODY - 7);
        let heads = if row.resent { 3 } else { 1 };
        let dash = self.style.pick("─", "-");
        let shaft = dash.repeat(BODY.saturating_sub(text.width() + 3 + heads));
        let body = if row.from == self.lac {
            let head = self.style.paint(Tone::Arrow, &self.style.pick("▶", ">").repeat(heads));
            format!("{dash} {text} {shaft}{head}")
        } else {
            let head = self.style.paint(Tone::Arrow, &self.style.pick("◀", "<").repeat(heads));
            format!("{head}{shaft} {text} {dash}")
        };
        let note = self.note(row, hello);
        self.line(&self.range(row.packet, row.last_packet), &self.time(row.time), &body, &note)
    }

    fn data(&self, row: &DataRow) -> String {
        let [a, b] = row.count;
        let text = format!(" {} ", count(a.saturating_add(b), "data packet"));
        let left = BODY.saturating_sub(text.width()) / 2;
        let double = self.style.pick("═", "=");
        let body = format!(
            "{}{text}{}",
            double.repeat(left),
            double.repeat(BODY.saturating_sub(text.width() + left))
        );
        let note = self.broken(row.packet, row.last_packet).unwrap_or_default();
        self.line(&self.range(row.packet, row.last_packet), "", &body, note)
    }

    /// A message that was sent again and again, and how long nobody answered.
    fn silence(&self) -> Option<String> {
        let ends = self.connection.ends.iter();
        let open = ends
            .flat_map(|end| &end.delivery.outstanding)
            .filter(|message| message.copies >= 3)
            .min_by_key(|m| m.first)?;
        let last = self.report.analysis.totals.last.unwrap_or(open.last);
        let body = format!("{:^BODY$}", "no acknowledgement");
        Some(self.line(
            "",
            &last.since(open.first).to_string(),
            &body,
            &format!("{} Ns {}", open.message.name(), open.ns),
        ))
    }

    fn range(&self, first: u64, last: u64) -> String {
        if first == last {
            first.to_string()
        } else {
            format!("{first}{}{last}", self.style.pick("–", "-"))
        }
    }

    fn time(&self, time: Timestamp) -> String {
        let since = self.report.analysis.totals.first.map_or(0.0, |first| time.since(first).as_seconds());
        if self.report.nanoseconds { format!("{since:.9}") } else { format!("{since:.6}") }
    }

    /// The rule that a packet of a row broke.
    fn broken(&self, first: u64, last: u64) -> Option<&'static str> {
        let hit = |finding: &&&Finding| finding.packets.iter().any(|packet| (first..=last).contains(packet));
        self.findings
            .iter()
            .filter(|finding| finding.connection.is_some())
            .find(hit)
            .map(|finding| finding.rule.id)
    }

    fn note(&self, row: &MessageRow, hello: Option<u8>) -> String {
        let effect = match row.effect {
            _ if row.resent => String::from("resent"),
            Effect::None => String::new(),
            Effect::Tunnel(id) => format!("tunnel {id}"),
            Effect::Established => format!("T{} established", self.connection.number),
            Effect::Session(call, session) => match session {
                Some(session) => format!("C{} session {session}", call.0 + 1),
                None => format!("C{}", call.0 + 1),
            },
            Effect::CallEstablished(call) => format!("C{} established", call.0 + 1),
            Effect::Acknowledged(after) if hello == Some(1 - row.from) => after.to_string(),
            Effect::Acknowledged(_) => String::new(),
            Effect::CallClosed(call, result) => format!("C{} closed{}", call.0 + 1, reason(result, cdn_word)),
            Effect::Closed(result) => {
                format!("T{} closed{}", self.connection.number, reason(result, stop_word))
            }
        };
        match self.broken(row.packet, row.last_packet) {
            Some(rule) if effect.is_empty() => rule.to_owned(),
            Some(rule) => format!("{effect}  {rule}"),
            None => effect,
        }
    }
}

fn reason(result: Option<(u16, Option<u16>)>, word: fn(u16) -> Option<&'static str>) -> String {
    match result {
        None => String::new(),
        Some((code, Some(error))) if code == 2 => format!(": general error ({code}/{error})"),
        Some((code, _)) => format!(": {} ({code})", word(code).unwrap_or("unknown result")),
    }
}

fn stop_word(code: u16) -> Option<&'static str> {
    if code == 1 { Some("clear request") } else { stop_ccn_reason(code) }
}

fn cdn_word(code: u16) -> Option<&'static str> {
    if code == 3 { Some("administrative") } else { cdn_reason(code) }
}
