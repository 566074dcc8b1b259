//! The three tables of the summary: security associations, control connections, calls.
//!
//! Columns are sized here: comfy-table would split words. In a narrow terminal columns are left out from the right,
//! never those that name the row.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use unicode_width::UnicodeWidthStr;

use crate::analysis::Analysis;
use crate::analysis::call::{Call, CallKind};
use crate::analysis::connection::{Connection, End};
use crate::analysis::flow::Flow;
use crate::analysis::ppp_session::{Outcome, PppSession, Progress, protocol};
use crate::rules::words::thousands;
use crate::util::Duration;

use super::style::Style;
use super::{Report, state};

/// Rows of one table; more would be no summary.
const MOST_ROWS: usize = 20;

/// A column: its title, whether it is a number, and whether it may be left out.
type Column = (&'static str, bool, bool);

const SA_COLUMNS: &[Column] = &[
    ("SPI", false, false),
    ("From", false, false),
    ("To", false, false),
    ("Algorithms", false, true),
    ("Packets", true, true),
    ("Bad", true, true),
    ("Lost", true, true),
    ("Replay", true, true),
];

const CONNECTION_COLUMNS: &[Column] = &[
    ("ID", false, false),
    ("LAC (tunnel)", false, false),
    ("LNS (tunnel)", false, false),
    ("State", false, false),
    ("Setup", true, true),
    ("Messages", true, true),
    ("Resent", true, true),
    ("Hello", true, true),
];

const CALL_COLUMNS: &[Column] = &[
    ("ID", false, false),
    ("In", false, false),
    ("Sessions", false, true),
    ("Kind", false, true),
    ("State", false, false),
    ("Setup", true, true),
    ("From LAC", true, true),
    ("From LNS", true, true),
    ("PPP", false, false),
];

/// All tables that have rows, each with a title.
pub(super) fn all(report: &Report<'_>, style: &Style) -> String {
    let analysis = report.analysis;
    let flows = analysis.flows.iter().take(MOST_ROWS).map(|flow| sa(report, flow)).collect();
    let connections = analysis.in_order();
    let shown = connections.iter().take(MOST_ROWS);
    let mut out = table(style, "Security associations", SA_COLUMNS, flows, analysis.flows.len());
    let rows = shown.map(|(_, connection)| connection_row(connection, style)).collect();
    out += &table(style, "Control connections", CONNECTION_COLUMNS, rows, connections.len());
    let rows = calls(analysis, &connections, style);
    out += &table(style, "Calls", CALL_COLUMNS, rows, analysis.calls.len());
    out
}

fn table(style: &Style, title: &str, columns: &[Column], rows: Vec<Vec<String>>, total: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.iter().map(|cell| style.text(cell)).collect()).collect();
    let kept = fit(style, columns, &rows);
    let rule = if style.ascii { '-' } else { '─' };
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill(rule)));
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(kept.iter().filter_map(|(at, _)| columns.get(*at)).map(|column| column.0));
    for row in &rows {
        table.add_row(
            kept.iter().map(|(at, room)| style.clip(row.get(*at).map_or("", String::as_str), *room)),
        );
    }
    for (column, (at, _)) in table.column_iter_mut().zip(&kept) {
        column.set_padding((1, 2));
        if columns.get(*at).is_some_and(|column| column.1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = format!("\n{title}\n");
    for line in table.lines() {
        out += line.trim_end();
        out.push('\n');
    }
    if total > rows.len() {
        let more = thousands((total - rows.len()) as u64);
        out += &format!(" {} {more} more, -T json has all\n", style.pick("…", "..."));
    }
    out
}

/// Which columns stay, and how wide each may be.
fn fit(style: &Style, columns: &[Column], rows: &[Vec<String>]) -> Vec<(usize, usize)> {
    let width = |at: usize| {
        let title = columns.get(at).map_or(0, |column| column.0.width());
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).fold(title, usize::max)
    };
    let mut kept: Vec<(usize, usize)> = (0..columns.len()).map(|at| (at, width(at))).collect();
    let total = |kept: &[(usize, usize)]| kept.iter().map(|(_, room)| room + 3).sum::<usize>();
    while total(&kept) > style.width {
        let Some(at) = kept.iter().rposition(|(at, _)| columns.get(*at).is_some_and(|column| column.2))
        else {
            break;
        };
        kept.remove(at);
    }
    // What names the row stays, but two IPv6 addresses may have to be cut.
    while total(&kept) > style.width {
        let Some(widest) = kept.iter_mut().max_by_key(|(_, room)| *room).filter(|(_, room)| *room > 8) else {
            break;
        };
        widest.1 -= 1;
    }
    kept
}

fn sa(report: &Report<'_>, flow: &Flow) -> Vec<String> {
    let suite = flow.sa.and_then(|sa| report.sad.get(sa));
    let algorithms = match suite {
        Some(sa) => format!("{} {}", sa.encryption.short(), sa.integrity.short()),
        None => String::from("(no key)"),
    };
    let bad = if flow.decrypted == 0 && flow.bad_icv == 0 {
        String::from("?")
    } else {
        thousands(flow.bad_icv + flow.bad_padding)
    };
    vec![
        flow.spi.to_string(),
        flow.addresses.source.to_string(),
        flow.addresses.destination.to_string(),
        algorithms,
        thousands(flow.packets),
        bad,
        thousands(flow.lost()),
        thousands(flow.replayed),
    ]
}

fn end(end: &End) -> String {
    let tunnel = end.tunnel_id.map_or_else(|| String::from("?"), |id| id.to_string());
    format!("{} ({tunnel})", end.endpoint.address)
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
        state(connection).replace("no-answer", "no answer"),
        setup(connection.setup(), style),
        thousands(count(lac) + count(lns)),
        thousands(u64::from(lac.delivery.resent) + u64::from(lns.delivery.resent)),
        thousands(u64::from(lac.hello.sent) + u64::from(lns.hello.sent)),
    ]
}

fn calls(
    analysis: &Analysis,
    connections: &[(crate::analysis::ConnectionId, &Connection)],
    style: &Style,
) -> Vec<Vec<String>> {
    let all = connections.iter().flat_map(|(_, connection)| {
        connection.calls.iter().filter_map(move |id| Some((*connection, *id, analysis.call(*id)?)))
    });
    all.take(MOST_ROWS)
        .map(|(connection, id, call)| {
            let lac = connection.lac_end();
            let session =
                |end: usize| call.session_ids[end].map_or_else(|| String::from("?"), |id| id.to_string());
            vec![
                format!("C{}", id.0 + 1),
                format!("T{}", connection.number),
                format!("{}, {}", session(lac), session(1 - lac)),
                String::from(match call.kind {
                    CallKind::Incoming => "incoming",
                    CallKind::Outgoing => "outgoing",
                    CallKind::Unknown => "?",
                }),
                call.state.name().to_owned(),
                setup(call.setup(), style),
                thousands(call.data[lac].packets),
                thousands(call.data[1 - lac].packets),
                ppp(call, lac),
            ]
        })
        .collect()
}

/// The most telling thing about PPP in a call.
fn ppp(call: &Call, lac: usize) -> String {
    let session: &PppSession = &call.ppp;
    let known = &session.authentication;
    let opened =
        |number| session.negotiation(number).and_then(|known| known.progress()) == Some(Progress::Opened);
    if known.outcome == Some(Outcome::Failure) {
        return format!("{} failed", known.protocol_name().unwrap_or("login"));
    }
    if let (Some(address), true) = (session.addresses[lac], opened(protocol::IPCP)) {
        return address.to_string();
    }
    if opened(protocol::IPCP) || opened(protocol::IPV6CP) {
        return String::from("open");
    }
    if session.negotiation(protocol::IPCP).is_some_and(|ipcp| ipcp.progress().is_some()) {
        return String::from("IPCP negotiating");
    }
    if known.outcome == Some(Outcome::Success) {
        return String::from("authenticated");
    }
    match session.lcp.progress() {
        Some(Progress::Opened) => String::from("LCP open"),
        Some(_) if session.lcp.unanswered.iter().any(|n| *n >= 4) => String::from("LCP no answer"),
        Some(_) => String::from("LCP negotiating"),
        None if session.frames > 0 => String::from("data"),
        None => String::from("none"),
    }
}
