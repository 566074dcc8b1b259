//! The lines of IKE: one for each exchange, in the ladder of the control connection that it protects, or in one of its
//! own.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::analysis::ipsec::ike::{Exchange, IkeSa};
use crate::dissect::ike::notify_name;
use crate::report::Report;
use crate::rules::words::count;
use crate::rules::{Finding, Severity};

use super::line::{Body, Line, Pen};
use super::marks::Mark;

/// Two hosts, in any order.
type Pair = (IpAddr, IpAddr);

fn pair(a: IpAddr, b: IpAddr) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}

/// Which IKE SAs are drawn where.
pub(super) struct IkeLadders<'a> {
    by_connection: HashMap<u32, Vec<&'a IkeSa>>,
    /// Those between hosts that no control connection is between, in the order of the capture.
    pub alone: Vec<Vec<&'a IkeSa>>,
}

impl<'a> IkeLadders<'a> {
    pub(super) fn of(report: &Report<'a>) -> Self {
        let mut first: HashMap<Pair, u32> = HashMap::new();
        for (_, connection) in report.analysis.in_order() {
            let [a, b] = connection.ends.each_ref().map(|end| end.endpoint.address);
            first.entry(pair(a, b)).or_insert(connection.number);
        }
        let mut by_connection: HashMap<u32, Vec<&IkeSa>> = HashMap::new();
        let mut alone: Vec<(Pair, Vec<&IkeSa>)> = Vec::new();
        let mut places: HashMap<Pair, usize> = HashMap::new();
        for sa in &report.analysis.ike {
            let ends = pair(sa.initiator, sa.responder);
            match first.get(&ends) {
                Some(number) => by_connection.entry(*number).or_default().push(sa),
                None => {
                    let at = *places.entry(ends).or_insert_with(|| {
                        alone.push((ends, Vec::new()));
                        alone.len() - 1
                    });
                    if let Some((_, list)) = alone.get_mut(at) {
                        list.push(sa);
                    }
                }
            }
        }
        Self { by_connection, alone: alone.into_iter().map(|(_, list)| list).collect() }
    }

    /// Those of one connection.
    pub(super) fn connection(&self, number: u32) -> &[&'a IkeSa] {
        self.by_connection.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// The lines of some IKE SAs, each with its first packet; `left` stands at the left lifeline.
pub(super) fn lines(report: &Report<'_>, sas: &[&IkeSa], left: IpAddr, pen: &Pen<'_>) -> Vec<(u64, Line)> {
    let mut out = Vec::new();
    for sa in sas {
        let mut rows = sa.exchanges.iter().peekable();
        let mut first = true;
        while let Some(row) = rows.next() {
            let (mut last, mut more) = (row, 1);
            // Questions whether the peer is there: one line tells as much as a hundred.
            while let Some(next) = rows.next_if(|next| quiet(row) && quiet(next) && next.name == row.name) {
                (last, more) = (next, more + 1);
            }
            out.push((row.first.packet, line(report, sa, (row, last, more), first, left, pen)));
            first = false;
        }
    }
    out
}

/// An informational exchange that says nothing worth a word.
fn quiet(row: &Exchange) -> bool {
    row.name.eq_ignore_ascii_case("informational")
        && row.refusal.is_none()
        && row.deletes == (0, false)
        && row.resent == 0
}

fn line(
    report: &Report<'_>,
    sa: &IkeSa,
    (row, last, rows): (&Exchange, &Exchange, u64),
    first: bool,
    left: IpAddr,
    pen: &Pen<'_>,
) -> Line {
    let [a, b] = row.sent;
    // Names of IKEv2 say which version they are of.
    let name = if sa.version == 1 { format!("IKEv1 {}", row.name) } else { row.name.to_owned() };
    let text = match (rows, a.saturating_add(b)) {
        (1, 0 | 1) => name,
        (1, messages) => format!("{name}, {}", count(messages, "packet")),
        (n, _) => format!("{name}, {}{n}", pen.style.pick("×", "x")),
    };
    let sender = match (a, b, rows) {
        (_, 0, 1) => Some(sa.initiator),
        (0, _, 1) => Some(sa.responder),
        _ => None,
    };
    Line {
        packets: pen.range(row.first.packet, last.last.packet),
        time: pen.time(row.first.time),
        body: Body::Data { text, from_lac: sender.map(|sender| sender == left) },
        effect: effect(sa, row, first),
        mark: mark(report.findings, row, last),
        turn: false,
    }
}

fn effect(sa: &IkeSa, row: &Exchange, first: bool) -> String {
    if let Some(kind) = row.refusal {
        return notify_name(sa.version, kind).map_or_else(|| format!("refused ({kind})"), str::to_owned);
    }
    match row.deletes {
        (_, true) => return String::from("IKE SA deleted"),
        (n, _) if n > 0 => return format!("{} deleted", count(n as u64, "SA")),
        _ => {}
    }
    if let [Some(a), Some(b)] = row.spis {
        return format!("SA {a}, {b}");
    }
    match sa.nat() {
        _ if first && sa.unanswered() => String::from("no answer"),
        Some("both") if first => String::from("both behind a NAT"),
        Some(who @ ("initiator" | "responder")) if first => format!("{who} behind a NAT"),
        _ => String::new(),
    }
}

/// The worst finding on IKE that the packets of a line show.
fn mark(findings: &[Finding], row: &Exchange, last: &Exchange) -> Option<Mark> {
    let span = row.first.packet..=last.last.packet;
    let ours = findings.iter().filter(|finding| {
        finding.rule.id.starts_with("ike-")
            && finding.severity >= Severity::Warning
            && finding.packets.iter().any(|packet| span.contains(packet))
    });
    let worst = ours.max_by_key(|finding| finding.severity)?;
    Some(Mark { rule: worst.rule.id, severity: worst.severity })
}
