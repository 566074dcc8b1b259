//! The lines of a ladder as words, before they are drawn.

use std::cmp::Reverse;

use crate::analysis::control::connection::Connection;
use crate::analysis::control::message::MessageKind;
use crate::analysis::ipsec::ike::IkeSa;
use crate::analysis::log::{Change, Data, Effect, Event, Message, What};
use crate::dissect::l2tp_names::{cdn_reason, stop_ccn_reason};
use crate::dissect::layers::MessageType;
use crate::report::Report;
use crate::report::style::Style;
use crate::rules::words::{count, thousands};
use crate::util::Timestamp;

use super::marks::{Mark, Marks, Own};

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    /// Packet numbers.
    pub packets: String,
    /// Seconds from the first frame.
    pub time: String,
    /// What stands between the lifelines.
    pub body: Body,
    /// What it did.
    pub effect: String,
    /// The rule it broke.
    pub mark: Option<Mark>,
    /// Something was established or closed here.
    pub turn: bool,
}

/// What stands between the lifelines.
#[derive(Debug)]
pub(super) enum Body {
    /// A control message.
    Message { name: String, numbers: Option<(Option<u16>, u16)>, from_lac: bool, resent: bool },
    /// Data: so many packets, and the way they went if it was one way.
    Data { text: String, from_lac: Option<bool> },
    /// Words.
    Text(String),
}

/// All lines of a connection.
pub(super) fn lines(
    report: &Report<'_>,
    connection: &Connection,
    marks: &Marks<'_>,
    ike: &[&IkeSa],
    style: &Style,
) -> Vec<Line> {
    let pen = Pen { report, style };
    let mut writer = Writer {
        report,
        connection,
        style,
        pen: Pen { report, style },
        marks: marks.connection(connection.number),
        lac: u8::from(connection.lac_end() == 1),
        hello: None,
    };
    let own = connection.log.events().iter().filter_map(|event| {
        let line = match &event.what {
            What::Message(message) => writer.message(event, message),
            What::Data(data) => writer.data(event, data),
            What::Changed(Change::Restarted) => Line::words(String::from("the initiator begins anew")),
            What::Changed(_) | What::Said(_) => return None,
        };
        Some((event.at.packet, line))
    });
    let mut all: Vec<(u64, Line)> = own.collect();
    if !ike.is_empty() {
        let left = connection.end(writer.lac).endpoint.address;
        all.extend(super::ike::lines(report, ike, left, &pen));
        all.sort_by_key(|(packet, _)| *packet);
    }
    let mut out: Vec<Line> = all.into_iter().map(|(_, line)| line).collect();
    if connection.log.omitted > 0 {
        out.push(Line::words(format!("{} more lines were not kept", thousands(connection.log.omitted))));
    }
    out.extend(writer.silence());
    out
}

impl Line {
    fn words(text: String) -> Self {
        Self {
            packets: String::new(),
            time: String::new(),
            body: Body::Text(text),
            effect: String::new(),
            mark: None,
            turn: false,
        }
    }
}

/// Writes packet numbers and times.
pub(super) struct Pen<'a> {
    pub report: &'a Report<'a>,
    pub style: &'a Style,
}

impl Pen<'_> {
    pub(super) fn range(&self, first: u64, last: u64) -> String {
        if first == last {
            first.to_string()
        } else {
            format!("{first}{}{last}", self.style.pick("–", "-"))
        }
    }

    pub(super) fn time(&self, time: Timestamp) -> String {
        let nanos = self.report.analysis.totals.first.map_or(0, |first| time.since(first).0);
        let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        if self.report.nanoseconds {
            format!("{sign}{seconds}.{rest:09}")
        } else {
            format!("{sign}{seconds}.{:06}", rest / 1000)
        }
    }
}

struct Writer<'a> {
    report: &'a Report<'a>,
    pen: Pen<'a>,
    connection: &'a Connection,
    style: &'a Style,
    marks: Own<'a>,
    lac: u8,
    /// Who sent the last Hello, if nothing else came since: the delay of its acknowledgement is worth a word.
    hello: Option<u8>,
}

impl Writer<'_> {
    fn message(&mut self, event: &Event, row: &Message) -> Line {
        let ack = row.kind == MessageKind::Zlb;
        let mut name = String::from(if ack { "ack" } else { row.kind.name() });
        if row.copies > 1 {
            name += &format!(" {}{}", self.style.pick("×", "x"), row.copies);
        }
        let effect = self.effect(event.end, row);
        let mark = self.marks.take(event.at.packet, row.last_packet, effect.is_empty());
        self.hello = match row.kind {
            MessageKind::Known(MessageType::HELLO) => Some(event.end),
            MessageKind::Zlb => None,
            _ => self.hello,
        };
        let turn = !row.resent
            && matches!(
                row.effect,
                Effect::Established | Effect::CallEstablished(_) | Effect::CallClosed(..) | Effect::Closed(_)
            );
        Line {
            packets: self.pen.range(event.at.packet, row.last_packet),
            time: self.pen.time(event.at.time),
            body: Body::Message {
                name,
                numbers: row.numbers.map(|(ns, nr)| ((!ack).then_some(ns.0), nr.0)),
                from_lac: event.end == self.lac,
                resent: row.resent,
            },
            effect,
            mark,
            turn,
        }
    }

    fn data(&mut self, event: &Event, row: &Data) -> Line {
        let [first, second] = row.count;
        let from_lac = match (first, second) {
            (_, 0) => Some(self.lac == 0),
            (0, _) => Some(self.lac == 1),
            _ => None,
        };
        Line {
            packets: self.pen.range(event.at.packet, row.last_packet),
            body: Body::Data { text: count(first.saturating_add(second), "data packet"), from_lac },
            mark: self.marks.take(event.at.packet, row.last_packet, true),
            ..Line::words(String::new())
        }
    }

    /// A message that was sent again and again, and how long nobody acknowledged it.
    fn silence(&self) -> Option<Line> {
        let [first, second] = &self.connection.ends;
        // Nobody can be accused of silence where the capture has one direction only.
        if self.connection.one_way() && self.connection.was_established {
            return None;
        }
        let open = first.delivery.outstanding.iter().chain(&second.delivery.outstanding);
        // The message that was tried most; a StopCCN only if there is no other, for it comes when all is over.
        let message = open.filter(|message| message.copies >= 2).min_by_key(|message| {
            (message.message.is(MessageType::STOP_CCN), Reverse(message.copies), message.first)
        })?;
        let last = self.report.analysis.totals.last.unwrap_or(message.last);
        Some(Line {
            time: last.since(message.first).to_string(),
            effect: format!("{} Ns {}", message.message.name(), message.ns),
            ..Line::words(String::from("no acknowledgement"))
        })
    }

    fn effect(&self, from: u8, row: &Message) -> String {
        let tunnel = self.connection.number;
        match row.effect {
            _ if row.resent => String::from("resent"),
            Effect::None => String::new(),
            Effect::Tunnel(id) => format!("tunnel {id}"),
            Effect::Established => format!("T{tunnel} established"),
            Effect::Session(call, Some(session)) => format!("C{} session {session}", call.0 + 1),
            Effect::Session(call, None) => format!("C{}", call.0 + 1),
            Effect::CallEstablished(call) => format!("C{} established", call.0 + 1),
            Effect::Acknowledged(after) if self.hello == Some(1 - from) => after.to_string(),
            Effect::Acknowledged(_) => String::new(),
            Effect::CallClosed(call, result) => format!("C{} closed{}", call.0 + 1, reason(result, cdn_word)),
            Effect::Closed(result) => format!("T{tunnel} closed{}", reason(result, stop_word)),
        }
    }
}

fn reason(result: Option<(u16, Option<u16>)>, word: fn(u16) -> Option<&'static str>) -> String {
    match result {
        None => String::new(),
        Some((2, Some(error))) => format!(": general error (2, error {error})"),
        Some((code, _)) => format!(": {} ({code})", word(code).unwrap_or("unknown result")),
    }
}

/// The reasons of a StopCCN that are too long for a margin, in fewer words.
fn stop_word(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "clear request",
        3 => "channel already exists",
        4 => "requester not authorized",
        5 => "version not supported",
        6 => "shutting down",
        _ => return stop_ccn_reason(code),
    })
}

fn cdn_word(code: u16) -> Option<&'static str> {
    Some(match code {
        3 => "administrative",
        10 => "not established in time",
        11 => "no framing detected",
        _ => return cdn_reason(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_a_margin() {
        for code in 0..=12 {
            for word in [stop_word as fn(u16) -> Option<&'static str>, cdn_word] {
                assert!(reason(Some((code, None)), word).len() <= 32, "{code}");
            }
        }
        assert_eq!(reason(Some((2, Some(6))), cdn_word), ": general error (2, error 6)");
        assert_eq!(reason(Some((77, None)), cdn_word), ": unknown result (77)");
        assert_eq!(reason(None, stop_word), "");
    }
}
