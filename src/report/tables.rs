//! The three tables of the summary: security associations, control connections, calls.

use std::collections::HashSet;

use crate::analysis::CallId;
use crate::analysis::control::call::CallKind;
use crate::analysis::control::connection::{Connection, End};
use crate::analysis::ipsec::flow::Flow;
use crate::dissect::udp::L2TP_PORT;
use crate::ipsec::Spi;
use crate::rules::Severity;
use crate::rules::words::{some, thousands};
use crate::util::Duration;

use super::ppp_words::ppp;
use super::style::Style;
use super::table::{Column, table};
use super::{Report, state};

/// Rows of one table; more would be no summary.
const MOST_ROWS: usize = 20;

const SA_COLUMNS: &[Column] = &[
    Column::always("SPI"),
    Column::always("From"),
    Column::always("To"),
    Column::words("Algorithms"),
    Column::number("Packets"),
    Column::number("Bad"),
    Column::number("Lost"),
    Column::number("Replay"),
];

const CONNECTION_COLUMNS: &[Column] = &[
    Column::always("ID"),
    Column::always("LAC (tunnel)"),
    Column::always("LNS (tunnel)"),
    Column::always("State"),
    Column::number("Setup"),
    Column::number("Messages"),
    Column::number("Resent"),
    Column::number("Hello"),
];

const CALL_COLUMNS: &[Column] = &[
    Column::always("ID"),
    Column::always("In"),
    Column::words("Sessions"),
    Column::words("Kind"),
    Column::always("State"),
    Column::number("Setup"),
    Column::total("From LAC"),
    Column::total("From LNS"),
    Column::always("PPP"),
];

/// What errors and warnings are about: where rows are left out, these stay.
struct Troubled {
    connections: HashSet<u32>,
    calls: HashSet<CallId>,
    spis: HashSet<Spi>,
}

impl Troubled {
    fn of(report: &Report<'_>) -> Self {
        let bad = || report.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
        Self {
            connections: bad().filter_map(|finding| finding.connection).collect(),
            calls: bad().filter_map(|finding| finding.call).collect(),
            spis: bad().filter_map(|finding| finding.spi).collect(),
        }
    }
}

/// At most [`MOST_ROWS`] of `all` in their order, and how many are left out: those that are `troubled` stay.
fn choose<T>(all: impl Iterator<Item = T> + Clone, troubled: impl Fn(&T) -> bool) -> (Vec<T>, usize) {
    let total = all.clone().count();
    if total <= MOST_ROWS {
        return (all.collect(), 0);
    }
    let worse = all.clone().filter(&troubled).count().min(MOST_ROWS);
    let (mut worse_left, mut others_left) = (worse, MOST_ROWS - worse);
    let room = |row: &T| {
        let left = if troubled(row) { &mut worse_left } else { &mut others_left };
        let there_is = *left > 0;
        *left = left.saturating_sub(1);
        there_is
    };
    (all.filter(room).collect(), total - MOST_ROWS)
}

/// Rekeys that are told below the table; more would be no summary.
const MOST_REKEYS: usize = 4;

/// Which SA took the place of which.
fn rekeys(report: &Report<'_>, flows: &[&Flow], style: &Style) -> String {
    let first = report.analysis.totals.first.unwrap_or_default();
    let told = flows.iter().filter_map(|flow| {
        let old = flow.replaces.and_then(|id| report.analysis.flow(id))?;
        let since = flow.first.0.since(first).as_seconds();
        Some(format!("{} replaced {} at {since:.1} s", flow.spi, old.spi))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return String::new();
    }
    let more = told.len().saturating_sub(MOST_REKEYS);
    let mut words = told.get(..MOST_REKEYS.min(told.len())).unwrap_or_default().join("; ");
    if more > 0 {
        words += &format!("; and {more} more");
    }
    format!("{}\n", style.hang(" ", 1, &format!("Rekeys: {words}.")))
}

/// All tables that have rows, each with a title.
pub(super) fn all(report: &Report<'_>, style: &Style) -> String {
    let troubled = Troubled::of(report);
    let (flows, more) = choose(report.analysis.flows.iter(), |flow| troubled.spis.contains(&flow.spi));
    let rows: Vec<_> = flows.iter().map(|flow| sa(report, flow)).collect();
    let mut out = table(style, "Security associations", SA_COLUMNS, &rows, more);
    out += &rekeys(report, &flows, style);
    let all = report.analysis.in_order();
    let connections = all.iter().map(|(_, connection)| *connection);
    let (connections, more) = choose(connections, |one| troubled.connections.contains(&one.number));
    let rows: Vec<_> = connections.iter().map(|one| connection_row(one, style)).collect();
    out += &table(style, "Control connections", CONNECTION_COLUMNS, &rows, more);
    out += &roles(&connections, style);
    let calls = all.iter().flat_map(|(_, one)| one.calls.iter().map(move |id| (*one, *id)));
    let (calls, more) = choose(calls, |(_, id)| troubled.calls.contains(id));
    let rows: Vec<_> =
        calls.into_iter().filter_map(|(connection, id)| call_row(report, connection, id, style)).collect();
    out + &table(style, "Calls", CALL_COLUMNS, &rows, more)
}

fn sa(report: &Report<'_>, flow: &Flow) -> Vec<String> {
    let algorithms = match flow.sa.and_then(|sa| report.sad.get(sa)) {
        Some(sa) => sa.suite(),
        None if flow.cut > 0 && flow.no_key == flow.cut => {
            // Nothing could be tried: the key may fit.
            let expected = report.sad.expected(flow.spi, flow.addresses.destination);
            expected.map_or_else(|| String::from("(cut short)"), |sa| sa.suite())
        }
        None => String::from("(no key)"),
    };
    let unread = flow.decrypted == 0 && flow.bad_icv == 0 && flow.bad_padding == 0;
    let bad =
        if unread { String::from("?") } else { thousands(flow.bad_icv.saturating_add(flow.bad_padding)) };
    vec![
        flow.spi.to_string(),
        flow.addresses.source.to_string(),
        flow.addresses.destination.to_string(),
        algorithms,
        thousands(flow.packets()),
        bad,
        thousands(flow.lost()),
        thousands(flow.replayed),
    ]
}

fn end(end: &End) -> String {
    let tunnel = end.tunnel_id.map_or_else(|| String::from("?"), |id| id.to_string());
    let endpoint = end.endpoint;
    match endpoint.port {
        // L2TPv3 may run over IP, without ports.
        0 | L2TP_PORT => format!("{} ({tunnel})", endpoint.address),
        port => format!("{} ({tunnel})", std::net::SocketAddr::new(endpoint.address, port)),
    }
}

fn setup(duration: Option<Duration>, style: &Style) -> String {
    duration.map_or_else(|| style.pick("–", "-").to_owned(), |duration| duration.to_string())
}

fn connection_row(connection: &Connection, style: &Style) -> Vec<String> {
    let lac = u8::from(connection.lac_end() == 1);
    let (lac, lns) = (connection.end(lac), connection.end(1 - lac));
    let count = |end: &End| end.messages.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
    vec![
        format!("T{}", connection.number),
        end(lac),
        end(lns),
        state_word(connection).to_owned(),
        setup(connection.setup(), style),
        thousands(count(lac) + count(lns)),
        thousands(u64::from(lac.delivery.resent) + u64::from(lns.delivery.resent)),
        thousands(u64::from(lac.hello.sent) + u64::from(lns.hello.sent)),
    ]
}

/// The state for people. A tunnel that nobody answered is not just closed when its initiator gives up.
fn state_word(connection: &Connection) -> &'static str {
    let unheard = connection.from_start && connection.end(1).packets == 0 && !connection.was_established;
    match state(connection) {
        "no-answer" => "no answer",
        "closed" if unheard => "no answer",
        state => state,
    }
}

/// Says where the columns LAC and LNS are a guess. Who sends an SCCRQ that nobody answers is no guess worth a word.
fn roles(connections: &[&Connection], style: &Style) -> String {
    let guessed: Vec<String> = connections
        .iter()
        .filter(|connection| connection.lac.is_none() && !connection.from_start)
        .map(|connection| format!("T{}", connection.number))
        .collect();
    if guessed.is_empty() {
        return String::new();
    }
    let text = "no message shows which end is the LAC; taken to be the first to send.";
    style.wrap(" ", &format!("{}: {text}", some(guessed.into_iter()))) + "\n"
}

fn call_row(report: &Report<'_>, connection: &Connection, id: CallId, style: &Style) -> Option<Vec<String>> {
    let call = report.analysis.call(id)?;
    let lac = connection.lac_end();
    let lns = 1 - lac;
    let session = |end: usize| {
        let id = call.session_ids.get(end).copied().flatten();
        id.map_or_else(|| String::from("?"), |id| id.to_string())
    };
    let packets = |end: usize| thousands(call.data.get(end).map_or(0, |data| data.packets));
    Some(vec![
        format!("C{}", u64::from(id.0) + 1),
        format!("T{}", connection.number),
        format!("{}, {}", session(lac), session(lns)),
        String::from(match call.kind {
            CallKind::Incoming => "incoming",
            CallKind::Outgoing => "outgoing",
            CallKind::Unknown => "?",
        }),
        call.state.name().to_owned(),
        setup(call.setup(), style),
        packets(lac),
        packets(lns),
        ppp(call, lac),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_troubled_keeps_its_row() {
        assert_eq!(choose(0..20, |_| false), ((0..20).collect(), 0));
        let (shown, more) = choose(0..300, |n| *n == 187 || *n == 3);
        assert_eq!(shown, (0..19).chain([187]).collect::<Vec<_>>());
        assert_eq!(more, 280);
        assert_eq!(choose(0..300, |_| true), ((0..20).collect(), 280));
        assert_eq!(choose(0..30, |n| *n >= 10), ((10..30).collect(), 10));
    }
}
