//! `-P` and `-V` with `-T json` or `jsonl`: one object for each packet.

use std::io::Write as _;

use crate::field::{Kind, Node, Value};

use super::packet::Packet;
use super::{info, ledger, value};

/// What an object holds.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The line of `-P`.
    pub line: bool,
    /// The layers of `-V`.
    pub layers: bool,
    /// The buffers of `-x`.
    pub hex: bool,
}

/// Writes the object of a packet.
pub fn write(packet: &Packet<'_>, shape: Shape, out: &mut Vec<u8>) {
    let _ = write!(out, "{{\"number\":{},\"time\":\"", packet.frame.number);
    value::rfc3339(packet.frame.time, out);
    let _ = write!(out, "\",\"length\":{}", packet.frame.original_len);
    if shape.line {
        line(packet, out);
    }
    if shape.layers {
        steps(packet, out);
        layers(packet, out);
    }
    if shape.hex {
        buffers(packet, out);
    }
    out.push(b'}');
}

fn line(packet: &Packet<'_>, out: &mut Vec<u8>) {
    let (from, to) = info::ends(packet);
    member("source", Some(&from), out);
    member("destination", Some(&to), out);
    member("protocol", Some(info::protocol(packet)), out);
    let connection = packet.place.connection.map(|number| format!("T{number}"));
    member("connection", connection.as_deref(), out);
    member("call", packet.place.call.map(super::packet::call_name).as_deref(), out);
    member("info", Some(&info::info(packet)), out);
}

fn steps(packet: &Packet<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"steps\":[");
    for (at, step) in ledger::ledger(packet).iter().enumerate() {
        comma(at, out);
        let _ = write!(out, "{{\"name\":\"{}\",\"state\":\"{}\"", step.name, step.state.name());
        member("why", Some(&step.why), out);
        out.push(b'}');
    }
    out.push(b']');
}

/// A list for each protocol, of its fields in order; headings keep their place as fields without a value.
fn layers(packet: &Packet<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"layers\":[");
    let mut open = false;
    let mut text = Vec::new();
    for node in packet.nodes() {
        if node.field.kind == Kind::Protocol {
            out.extend_from_slice(if open { &b"]},{\"protocol\":\""[..] } else { &b"{\"protocol\":\""[..] });
            out.extend_from_slice(node.field.name.as_bytes());
            out.extend_from_slice(b"\",\"fields\":[");
            open = true;
            continue;
        }
        if out.last() == Some(&b'}') {
            out.push(b',');
        }
        field(packet, node, &mut text, out);
    }
    if open {
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
}

fn field(packet: &Packet<'_>, node: &Node, text: &mut Vec<u8>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":\"");
    out.extend_from_slice(node.field.name.as_bytes());
    out.extend_from_slice(b"\",\"value\":");
    if matches!(node.field.kind, Kind::Text | Kind::Secret) {
        text.clear();
        value::write(packet, node, text);
        string(text, out);
    } else {
        // Digits, and words of our own: nothing in them needs care.
        out.push(b'"');
        value::write(packet, node, out);
        out.push(b'"');
    }
    if let Some(name) = shown(node).filter(|_| !packet.keeps_hidden(node.range)) {
        out.extend_from_slice(b",\"show\":");
        string(name.as_bytes(), out);
    }
    if !matches!(node.value, Value::Derived(_)) {
        out.extend_from_slice(b",\"source\":");
        value::decimal(node.range.source.into(), out);
        out.extend_from_slice(b",\"start\":");
        value::decimal(node.range.start.into(), out);
        out.extend_from_slice(b",\"end\":");
        value::decimal(node.range.end.into(), out);
    }
    out.push(b'}');
}

/// The name of a value.
fn shown(node: &Node) -> Option<&'static str> {
    match node.value {
        Value::Number(number) | Value::Derived(number) => node.field.names.and_then(|names| names(number)),
        Value::Octets => node.title,
    }
}

fn buffers(packet: &Packet<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"buffers\":[");
    for (at, (name, range, octets)) in packet.buffers().enumerate() {
        comma(at, out);
        let _ = write!(out, "{{\"name\":\"{name}\",\"octets\":\"");
        value::masked_hex(packet, range, octets, out);
        out.extend_from_slice(b"\"}");
    }
    out.push(b']');
}

fn comma(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

fn member(name: &str, text: Option<&str>, out: &mut Vec<u8>) {
    let _ = write!(out, ",\"{name}\":");
    match text {
        Some(text) => string(text.as_bytes(), out),
        None => out.extend_from_slice(b"null"),
    }
}

/// A JSON string of text that is printable already: only quotes and backslashes need care.
fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if text.iter().any(|octet| matches!(octet, b'"' | b'\\')) {
        for octet in text {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*octet);
        }
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'"');
}
