//! What differs beside messages: answers that never come, ESP, closed ports, users' packets.

use std::net::IpAddr;

use crate::analysis::Analysis;
use crate::analysis::connection::Connection;
use crate::analysis::facts::{Fact, Scope};
use crate::rules::words::count;

use super::pairs::lost_way;
use super::{Divergence, DivergenceKind, Key};

/// Copies of a message after which its sender waits for an answer that does not come.
const COPIES: u32 = 3;
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
        unanswered(a, b, &mut out);
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

/// A key for what only one of them shows: there is no packet before it that both have.
fn key(packets: [Option<u64>; 2]) -> Key {
    match packets {
        [Some(here), _] => (here, 0, 0),
        [None, there] => (u64::MAX - 1, 1, there.unwrap_or(0)),
    }
}

/// A message that was sent again and again and that nobody acknowledged, where in the other capture all were.
fn unanswered(a: &Connection, b: &Connection, out: &mut Vec<Divergence>) {
    let waiting = |connection: &Connection, end: u8| {
        let mut open = connection.end(end).delivery.outstanding.iter();
        open.find(|message| message.copies >= COPIES).cloned()
    };
    for end in [0, 1] {
        let (here, there) = (waiting(a, end), waiting(b, end));
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
        let network = |call: &crate::analysis::call::Call| call.data.each_ref().map(|data| data.network);
        let (one_way, other_way) = (network(one), network(other));
        let both = |ways: [u64; 2]| ways.iter().all(|way| *way > 0);
        let half = |ways: [u64; 2]| ways.contains(&0) && ways.iter().any(|way| *way > 2);
        let words = match (both(one_way), both(other_way)) {
            (false, true) if half(one_way) => (a, one_way, ["here", "there"], 0),
            (true, false) if half(other_way) => (b, other_way, ["there", "here"], 1),
            _ => continue,
        };
        let (connection, ways, [place, counter], side) = words;
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
    let pending = |sa: &crate::analysis::ike_exchange::IkeSa| {
        sa.pending.filter(|pending| pending.copies >= COPIES.into())
    };
    for (at, (a, b)) in here.ike.iter().zip(&there.ike).take(MOST).enumerate() {
        let (side, sa, waits, [one, other]) = match (pending(a), pending(b)) {
            (Some(waits), None) => (0, a, waits, ["here", "there"]),
            (None, Some(waits)) => (1, b, waits, ["there", "here"]),
            _ => continue,
        };
        let mut packets = [None, None];
        if let Some(packet) = packets.get_mut(side) {
            *packet = Some(waits.first.0);
        }
        let sentence = format!(
            "IKE SA {}: the {}'s message of {} (packet {} {one}) is sent {} and never answered {one}; {other} nothing \
             waits so",
            at + 1,
            if waits.from == 0 { "initiator" } else { "responder" },
            waits.name(sa.version),
            waits.first.0,
            count(waits.copies, "time"),
        );
        let id = Some(format!("IKE SA {}", at + 1));
        out.push(fact(DivergenceKind::Unanswered, [id.clone(), id], packets, key(packets), sentence));
    }
}

/// ESP that goes one way only, or does not stand its integrity check.
fn esp(here: &Analysis, there: &Analysis, out: &mut Vec<Divergence>) {
    let bad = |analysis: &Analysis| {
        let flows = analysis.flows.iter().filter(|flow| flow.bad_icv > 0);
        let first = flows.clone().map(|flow| flow.first.1).min();
        first.map(|first| (first, flows.map(|flow| flow.bad_icv).sum::<u64>()))
    };
    one_sided([bad(here), bad(there)], out, |(packet, packets), place| {
        format!(
            "ESP: {} {place} do not stand the integrity check (from packet {packet} on)",
            count(packets, "packet")
        )
    });
    let lonely = |analysis: &Analysis| -> Option<(u64, IpAddr)> {
        let flows = || analysis.flows.iter().take(1024);
        let back = |source| flows().any(|flow| flow.addresses.destination == source);
        let mut lonely = flows().filter(|flow| !back(flow.addresses.source) && flow.packets() > 1);
        lonely.next().map(|flow| (flow.first.1, flow.addresses.source))
    };
    let speaks = |analysis: &Analysis| !analysis.flows.is_empty();
    if speaks(here) && speaks(there) {
        one_sided([lonely(here), lonely(there)], out, |(packet, source), place| {
            format!("ESP: it goes one way {place}, from {source} (packet {packet}), and nothing comes back")
        });
    }
}

fn ports(here: &Analysis, there: &Analysis, out: &mut Vec<Divergence>) {
    let closed = |analysis: &Analysis| {
        let tally = analysis.facts.get(Fact::PortUnreachable, Scope::default())?;
        let (who, port) = analysis.unreachable?;
        Some((tally.packets.first().copied().unwrap_or(0), (who, port)))
    };
    one_sided([closed(here), closed(there)], out, |(packet, (who, port)), place| {
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
