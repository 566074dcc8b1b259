//! What differs beside messages: answers that never come, ESP, closed ports, users' packets.

use std::net::IpAddr;

use crate::analysis::Analysis;
use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::ike::IkeSa;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::rules::words::count;
use crate::util::{Duration, Timestamp};

use super::pairs::lost_way;
use super::{Divergence, DivergenceKind, Key};

/// Copies of a message after which its sender waits for an answer that does not come.
const COPIES: u32 = 3;
/// ESP flows that are compared with each other.
const MOST_FLOWS: usize = 256;
/// Control connections that are compared.
const MOST: usize = 256;

/// What differs.
pub(super) fn compare(here: &Analysis, there: &Analysis) -> Vec<Divergence> {
    let mut out = Vec::new();
    let connections = here.in_order().into_iter().zip(there.in_order()).take(MOST);
    for ((_, a), (_, b)) in connections {
        protection([here, there], a, b, &mut out);
        if lost_way(a) || lost_way(b) {
            continue;
        }
        unanswered([here, there], a, b, &mut out);
        data([here, there], a, b, &mut out);
    }
    ike(here, there, &mut out);
    let known = out.len();
    ports(here, there, &mut out);
    // A closed port answers nothing, so that ESP going one way is what follows.
    if out.len() == known {
        esp(here, there, &mut out);
    }
    out
}

fn fact(
    kind: DivergenceKind,
    id: [Option<String>; 2],
    packets: [Option<u64>; 2],
    key: Key,
    sentence: String,
) -> Divergence {
    Divergence {
        kind,
        ids: id,
        who: String::new(),
        packets,
        names: [None, None],
        fields: Vec::new(),
        sentence,
        excuse: None,
        key,
    }
}

/// Silence for less is no silence.
const SILENCE: Duration = Duration::seconds(5);

/// How long a capture goes on after a moment.
fn left(analysis: &Analysis, time: Timestamp) -> Duration {
    analysis.totals.last.map_or(Duration::ZERO, |last| last.since(time))
}

/// Whether `other` lasts long enough to show what `analysis` shows at a moment.
fn could_show(other: &Analysis, analysis: &Analysis, time: Timestamp) -> bool {
    analysis.totals.first.is_some_and(|first| other.duration() > time.since(first))
}

/// A key for what only one of them shows: there is no packet before it that both have.
fn key(packets: [Option<u64>; 2]) -> Key {
    match packets {
        [Some(here), _] => (here, 0, 0),
        [None, there] => (u64::MAX - 1, 1, there.unwrap_or(0)),
    }
}

/// A message that was sent again and again and that nobody acknowledged, where in the other capture all were.
fn unanswered(analyses: [&Analysis; 2], a: &Connection, b: &Connection, out: &mut Vec<Divergence>) {
    let [first, second] = analyses;
    // One that is only resent when its capture ends may be answered behind that: as long again it must be silent. And
    // where the other capture ends while the same waits, that one shows no answer either.
    let waiting = |one: (&Analysis, &Connection), other: (&Analysis, &Connection), end: u8| {
        let (analysis, connection) = one;
        let open = |connection: &Connection, message| {
            connection.end(end).delivery.outstanding.iter().any(|open| open.message == message)
        };
        let gave_up = |first, last: Timestamp| {
            connection.closed.is_some_and(|at| at > last) || left(analysis, last) >= last.since(first)
        };
        let mut waiting = connection.end(end).delivery.outstanding.iter();
        waiting
            .find(|message| {
                let shown = other.1.closed.is_some() || could_show(other.0, analysis, message.last);
                message.copies >= COPIES
                    && gave_up(message.first, message.last)
                    && shown
                    && !open(other.1, message.message)
            })
            .cloned()
    };
    let (one, other) = ((first, a), (second, b));
    for end in [0, 1] {
        let (here, there) = (waiting(one, other, end), waiting(other, one, end));
        let (side, message, connection, words) = match (here, there) {
            (Some(message), None) => (0, message, a, ["here", "there"]),
            (None, Some(message)) => (1, message, b, ["there", "here"]),
            _ => continue,
        };
        let mut packets = [None, None];
        if let Some(packet) = packets.get_mut(side) {
            *packet = message.packets().first().copied();
        }
        let [one, other] = words;
        let sentence = format!(
            "T{}: the {}'s {} (packet {} {one}) is sent {} and never acknowledged {one}; {other} every message is",
            connection.number,
            connection.role(end).name(),
            message.message.name(),
            packets.get(side).copied().flatten().unwrap_or(0),
            count(message.copies.into(), "time"),
        );
        let ids = [a, b].map(|connection| Some(format!("T{}", connection.number)));
        out.push(fact(DivergenceKind::Unanswered, ids, packets, key(packets), sentence));
    }
}

/// L2TP in the clear beside ESP or IKE, where in the other capture it is under ESP.
fn protection(analyses: [&Analysis; 2], a: &Connection, b: &Connection, out: &mut Vec<Divergence>) {
    let [here, there] = analyses;
    let has_ipsec = |analysis: &Analysis| !analysis.flows.is_empty() || !analysis.ike.is_empty();
    let leaks = |analysis, connection: &Connection, other: &Connection| {
        (has_ipsec(analysis) && !connection.protected() && other.protected())
            .then_some((connection.first_packet, connection.number))
    };
    one_sided([leaks(here, a, b), leaks(there, b, a)], out, |(packet, number), place| {
        format!("T{number}: it runs outside ESP {place} (from packet {packet} on)")
    });
}

/// Users' packets that go both ways in one capture, and one way in the other.
fn data(analyses: [&Analysis; 2], a: &Connection, b: &Connection, out: &mut Vec<Divergence>) {
    let [here, there] = analyses;
    for (x, y) in a.calls.iter().zip(&b.calls).take(MOST) {
        let (Some(one), Some(other)) = (here.call(*x), there.call(*y)) else { continue };
        let network =
            |call: &crate::analysis::control::call::Call| call.data.each_ref().map(|data| data.network);
        let (one_way, other_way) = (network(one), network(other));
        let both = |ways: [u64; 2]| ways.iter().all(|way| *way > 0);
        let half = |ways: [u64; 2]| ways.contains(&0) && ways.iter().any(|way| *way > 2);
        let words = match (both(one_way), both(other_way)) {
            (false, true) if half(one_way) => (a, one_way, ["here", "there"], 0),
            (true, false) if half(other_way) => (b, other_way, ["there", "here"], 1),
            _ => continue,
        };
        let (connection, ways, [place, counter], side) = words;
        let (analysis, call) = if side == 0 { (here, one) } else { (there, other) };
        let began = call.data.iter().filter_map(|data| data.first).min();
        if began.is_none_or(|began| left(analysis, began) < SILENCE) {
            continue;
        }
        let silent = u8::from(ways[0] > 0);
        let sent = ways.iter().sum();
        let sentence = format!(
            "C{}: users' packets go one way {place}: {} from the {}, none from the {}; {counter} they go both ways",
            if side == 0 { x.0 } else { y.0 } + 1,
            count(sent, "packet"),
            connection.role(1 - silent).name(),
            connection.role(silent).name(),
        );
        let packets = [None, None];
        let ids = [Some(format!("C{}", x.0 + 1)), Some(format!("C{}", y.0 + 1))];
        out.push(fact(DivergenceKind::Fact, ids, packets, (u64::MAX, 0, 0), sentence));
    }
}

/// A request of IKE that was sent again and again without an answer.
fn ike(here: &Analysis, there: &Analysis, out: &mut Vec<Divergence>) {
    let silence = |analysis: &Analysis, other: &Analysis, sa: &IkeSa| {
        let (exchange, waits) = sa.exchanges.silence()?;
        let (first, last) = (waits.first.time, sa.last.time);
        let shows = waits.copies >= COPIES.into()
            && left(analysis, last) >= last.since(first)
            && could_show(other, analysis, last);
        shows.then_some((exchange.name, *waits))
    };
    for (at, (a, b)) in here.ike.iter().zip(&there.ike).take(MOST).enumerate() {
        let (side, (name, waits), [one, other]) = match (silence(here, there, a), silence(there, here, b)) {
            (Some(waits), None) => (0, waits, ["here", "there"]),
            (None, Some(waits)) => (1, waits, ["there", "here"]),
            _ => continue,
        };
        let mut packets = [None, None];
        if let Some(packet) = packets.get_mut(side) {
            *packet = Some(waits.first.packet);
        }
        let sentence = format!(
            "IKE SA {}: the {}'s message of {} (packet {} {one}) is sent {} and never answered {one}; {other} nothing \
             waits so",
            at + 1,
            if waits.from == 0 { "initiator" } else { "responder" },
            name,
            waits.first.packet,
            count(waits.copies, "time"),
        );
        let id = Some(format!("IKE SA {}", at + 1));
        out.push(fact(DivergenceKind::Unanswered, [id.clone(), id], packets, key(packets), sentence));
    }
}

/// ESP that goes one way only, or does not stand its integrity check.
fn esp(here: &Analysis, there: &Analysis, out: &mut Vec<Divergence>) {
    let bad = |analysis: &Analysis, other: &Analysis| {
        let bad = analysis.all_observed(Observation::BadIcv);
        let first = bad.iter().min_by_key(|(_, tally)| tally.first)?;
        let packet = first.1.packets.first().copied()?;
        let packets: u64 = bad.iter().map(|(_, tally)| tally.count).sum();
        could_show(other, analysis, first.1.first).then_some((packet, packets))
    };
    one_sided([bad(here, there), bad(there, here)], out, |(packet, packets), place| {
        format!(
            "ESP: {} {place} do not stand the integrity check (from packet {packet} on)",
            count(packets, "packet")
        )
    });
    let back = |analysis: &Analysis, source| {
        analysis.flows.iter().take(MOST_FLOWS).any(|flow| flow.addresses.destination == source)
    };
    let lonely = |analysis: &Analysis, other: &Analysis| -> Option<(u64, IpAddr)> {
        let mut flows = analysis.flows.iter().take(MOST_FLOWS);
        let flow = flows.find(|flow| flow.packets() > 1 && !back(analysis, flow.addresses.source))?;
        let both_ways = other.flows.iter().take(MOST_FLOWS).any(|flow| back(other, flow.addresses.source));
        (both_ways && left(analysis, flow.first.0) >= SILENCE)
            .then_some((flow.first.1, flow.addresses.source))
    };
    one_sided([lonely(here, there), lonely(there, here)], out, |(packet, source), place| {
        format!("ESP: it goes one way {place}, from {source} (packet {packet}), and nothing comes back")
    });
}

fn ports(here: &Analysis, there: &Analysis, out: &mut Vec<Divergence>) {
    let closed = |analysis: &Analysis, other: &Analysis| {
        let tally = analysis.observed(Observation::PortUnreachable, Scope::default())?;
        let (who, port) = analysis.unreachable?;
        let packet = tally.packets.first().copied()?;
        could_show(other, analysis, tally.first).then_some((packet, (who, port)))
    };
    one_sided([closed(here, there), closed(there, here)], out, |(packet, (who, port)), place| {
        format!("ICMP: {who} says {place} that its port {port} is closed (packet {packet})")
    });
}

fn one_sided<T: Copy>(
    found: [Option<(u64, T)>; 2],
    out: &mut Vec<Divergence>,
    words: impl Fn((u64, T), &str) -> String,
) {
    let (packets, sentence) = match found {
        [Some(found), None] => {
            ([Some(found.0), None], format!("{}; there it is not so", words(found, "here")))
        }
        [None, Some(found)] => {
            ([None, Some(found.0)], format!("{}; here it is not so", words(found, "there")))
        }
        _ => return,
    };
    out.push(fact(DivergenceKind::Fact, [None, None], packets, key(packets), sentence));
}
