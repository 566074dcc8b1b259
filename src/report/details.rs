//! `-V`: every field of a packet, under the seven steps that led to it.

use std::io::Write as _;

use crate::field::{Kind, Node, Value};

use super::ledger::{self, State};
use super::packet::Packet;
use super::style::{Style, Tone};
use super::value;

/// Columns of one level of the tree.
const INDENT: usize = 4;
/// Octets of a long field that are shown; `-x` shows all.
const MOST_OCTETS: usize = 48;

/// The fields that stand in the heading of their protocol.
const HEADINGS: &[(&str, &[&str])] = &[
    ("frame", &["frame.number", "frame.len"]),
    ("eth", &["eth.src", "eth.dst"]),
    ("vlan", &["vlan.id"]),
    ("ip", &["ip.src", "ip.dst"]),
    ("ipv6", &["ipv6.src", "ipv6.dst"]),
    ("udp", &["udp.srcport", "udp.dstport"]),
    ("tcp", &["tcp.srcport", "tcp.dstport"]),
    ("esp", &["esp.spi", "esp.sequence"]),
    ("ah", &["ah.spi", "ah.sequence"]),
    ("isakmp", &["isakmp.exchangetype", "isakmp.messageid"]),
    ("l2tp", &["l2tp.type", "l2tp.tunnel", "l2tp.session", "l2tp.ccid", "l2tp.sid"]),
    ("ppp", &["ppp.protocol"]),
    ("lcp", &["ppp.code", "ppp.identifier"]),
    ("ipcp", &["ppp.code", "ppp.identifier"]),
    ("ipv6cp", &["ppp.code", "ppp.identifier"]),
    ("ccp", &["ppp.code", "ppp.identifier"]),
    ("chap", &["chap.code", "chap.identifier"]),
    ("pap", &["pap.code", "pap.identifier"]),
    ("eap", &["eap.code", "eap.id"]),
    ("icmp", &["icmp.type", "icmp.code"]),
    ("icmpv6", &["icmpv6.type", "icmpv6.code"]),
    ("igmp", &["igmp.type"]),
    ("arp", &["arp.opcode"]),
    ("pppoe", &["pppoe.code", "pppoe.session_id"]),
];

/// Writes a packet: the ledger, the tree, and what is known from other packets.
pub fn write(packet: &Packet<'_>, style: &Style, out: &mut Vec<u8>) {
    steps(packet, style, out);
    let nodes = packet.nodes();
    for (at, node) in nodes.iter().enumerate() {
        // Two names of one value, so that filters find it by either.
        let again = |next: &Node| {
            (next.range, next.value, next.field.label) == (node.range, node.value, node.field.label)
                && next.value != Value::Octets
        };
        if nodes.get(at + 1).is_some_and(again) {
            continue;
        }
        out.extend(std::iter::repeat_n(b' ', INDENT * usize::from(node.depth)));
        match node.field.kind {
            Kind::Protocol => heading(packet, nodes, at, style, out),
            Kind::Group => {
                let label = node.field.label;
                let _ = match node.title {
                    Some(title) => write!(out, "{label}: {title}"),
                    None => write!(out, "{label}"),
                };
            }
            _ => line(packet, node, style, out),
        }
        out.push(b'\n');
    }
    known(packet, out);
    out.push(b'\n');
}

fn steps(packet: &Packet<'_>, style: &Style, out: &mut Vec<u8>) {
    for (number, step) in (1..).zip(ledger::ledger(packet)) {
        let tone = match step.state {
            State::Ok => Tone::Good,
            State::Failed => Tone::Bad,
            State::Skipped => Tone::Note,
        };
        let state = style.paint(tone, &format!("{:<7}", step.state.name()));
        let _ = writeln!(out, "{number} {:<20}  {state}  {}", step.name, style.text(&step.why));
    }
}

fn heading(packet: &Packet<'_>, nodes: &[Node], at: usize, style: &Style, out: &mut Vec<u8>) {
    let Some(node) = nodes.get(at) else { return };
    out.extend_from_slice(style.paint(Tone::Arrow, node.field.label).as_bytes());
    let wanted = HEADINGS.iter().find(|row| row.0 == node.field.name).map_or(&[][..], |row| row.1);
    let own = || nodes.iter().skip(at + 1).take_while(|below| below.depth > node.depth);
    for name in wanted {
        if let Some(below) = own().find(|below| below.field.name == *name) {
            let _ = write!(out, ", {}: ", below.field.label);
            shown(packet, below, style, out);
        }
    }
}

fn line(packet: &Packet<'_>, node: &Node, style: &Style, out: &mut Vec<u8>) {
    let derived = matches!(node.value, Value::Derived(_));
    if derived {
        out.push(b'[');
    }
    let _ = write!(out, "{}: ", node.field.label);
    shown(packet, node, style, out);
    if derived {
        out.push(b']');
    }
}

/// A value with its name, as people read it.
fn shown(packet: &Packet<'_>, node: &Node, style: &Style, out: &mut Vec<u8>) {
    let name = match node.value {
        _ if packet.keeps_hidden(node.range) => None,
        Value::Number(number) | Value::Derived(number) => node.field.names.and_then(|names| names(number)),
        Value::Octets => None,
    };
    let octets = node.range.len();
    let long = matches!(node.field.kind, Kind::Bytes | Kind::Secret) && octets > MOST_OCTETS;
    let node = if long {
        let end = node.range.start.saturating_add(MOST_OCTETS as u32);
        &Node { range: crate::field::Range { end, ..node.range }, ..*node }
    } else {
        node
    };
    if let Some(name) = name {
        let _ = write!(out, "{name} (");
    }
    let start = out.len();
    value::write(packet, node, out);
    if style.ascii
        && let Some(text) = out.get(start..).map(|text| style.text(&String::from_utf8_lossy(text)))
    {
        out.truncate(start);
        out.extend_from_slice(text.as_bytes());
    }
    if name.is_some() {
        out.push(b')');
    }
    if long {
        let _ = write!(out, "{} ({octets} octets)", style.pick("…", "..."));
    }
}

/// What other packets say of this one.
fn known(packet: &Packet<'_>, out: &mut Vec<u8>) {
    let place = packet.place;
    let mut say = |words: String| {
        let _ = writeln!(out, "[{words}]");
    };
    if let Some(number) = place.connection {
        let call =
            place.call.map_or_else(String::new, |call| format!(", call {}", super::packet::call_name(call)));
        say(format!("control connection T{number}{call}"));
    }
    match (place.resent, place.resend_of) {
        (true, Some(first)) => say(format!("resend of packet {first}")),
        (true, None) => say(String::from("resend of a message that was acknowledged")),
        _ => {}
    }
    if let Some((message, after)) = place.acknowledges {
        say(format!("acknowledges packet {message}, after {after}"));
    }
    if let Some((by, after)) = packet.outlook.acknowledged.of_packet(packet.frame.number) {
        say(format!("acknowledged in packet {by}, after {after}"));
    }
    if let Some(words) = ledger::damaged(packet.layers) {
        say(words);
    }
    if place.double {
        say(String::from("a double: the capture shows this packet twice"));
    }
    for rule in packet.outlook.rules(packet.frame.number) {
        say(format!("evidence of {rule}"));
    }
}
