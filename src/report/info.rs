//! A packet in a few words: protocol, ids and what it says.

use std::fmt::Write as _;

use crate::dissect::avp_table::attribute;
use crate::dissect::ike::exchange_name;
use crate::dissect::ip_protocol_name;
use crate::dissect::l2tp_names::{cdn_reason, stop_ccn_reason};
use crate::dissect::layers::{
    AvpValue, Control, Esp, EspOutcome, Fragment, IcmpError, Ike, L2tpV3, MessageType, Ppp, PppBody,
    PppControl, PppOption, PppOptionValue,
};
use crate::dissect::ppp_names::{self, protocol_name};
use crate::field::{Kind, Value};
use crate::rules::words::count;
use crate::util::seq::Seq16;

use super::packet::{Packet, call_name};
use super::{ledger, value};

/// Who sent a packet and who is to have it: the outermost IP addresses, else those of the link.
pub fn ends(packet: &Packet<'_>) -> (String, String) {
    match packet.layers.outer {
        Some(outer) => (outer.source.to_string(), outer.destination.to_string()),
        None if packet.nodes().iter().any(|node| node.field.name == "sll.src.eth") => {
            (value_of(packet, "sll.src.eth"), String::from("-"))
        }
        None => (value_of(packet, "eth.src"), value_of(packet, "eth.dst")),
    }
}

/// The first value of a field, as text.
fn value_of(packet: &Packet<'_>, name: &str) -> String {
    let Some(node) = packet.nodes().iter().find(|node| node.field.name == name) else {
        return String::from("-");
    };
    let mut text = Vec::new();
    value::write(packet, node, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The name of the last value of one of these fields.
fn name_of(packet: &Packet<'_>, fields: &[&str]) -> Option<&'static str> {
    let node = packet.nodes().iter().rev().find(|node| fields.contains(&node.field.name))?;
    match node.value {
        Value::Number(number) | Value::Derived(number) => node.field.names?(number),
        Value::Octets => None,
    }
}

/// The protocol that says most: the innermost that was read.
pub fn protocol(packet: &Packet<'_>) -> &'static str {
    let layers = packet.layers;
    if layers.control.is_some() {
        return "L2TP";
    }
    if let Some(ppp) = &layers.ppp {
        return match (&ppp.control, ppp.inner) {
            (_, Some(inner)) => ip_protocol_name(inner.protocol.into()).unwrap_or("IP"),
            _ => protocol_name(ppp.protocol.into()).unwrap_or("PPP"),
        };
    }
    if layers.l2tp.is_some() {
        return "L2TP";
    }
    if layers.v3.is_some() {
        return "L2TPv3";
    }
    match (&layers.ike, &layers.esp) {
        (Some(_), _) => "IKE",
        (None, Some(_)) => "ESP",
        _ if layers.icmp.is_some() => "ICMP",
        _ if layers.nat_keepalive => "NAT-T",
        _ => last_protocol(packet),
    }
}

/// The last protocol of the tree: what there is where nothing of ours was found.
fn last_protocol(packet: &Packet<'_>) -> &'static str {
    let mut names = packet.nodes().iter().filter(|node| node.field.kind == Kind::Protocol);
    match names.next_back().map_or("-", |node| node.field.name) {
        "eth" => name_of(packet, &["eth.type"]).unwrap_or("Ethernet"),
        "arp" => "ARP",
        "gre" => "GRE",
        "igmp" => "IGMP",
        "icmpv6" => "ICMPv6",
        "icmp" => "ICMP",
        "tcp" => "TCP",
        "udp" => "UDP",
        "ip" => name_of(packet, &["ip.proto"]).unwrap_or("IPv4"),
        "ipv6" => name_of(packet, &["ipv6.nxt"]).unwrap_or("IPv6"),
        other => other,
    }
}

/// `T1 C1`.
pub fn ids(packet: &Packet<'_>) -> String {
    let mut out = packet.place.connection.map_or_else(String::new, |number| format!("T{number}"));
    if let Some(call) = packet.place.call {
        let _ = write!(out, "{}{}", if out.is_empty() { "" } else { " " }, call_name(call));
    }
    out
}

/// What a packet says, and what is odd about it.
pub fn info(packet: &Packet<'_>) -> String {
    let mut out = said(packet);
    let place = packet.place;
    let mut add = |words: String| {
        let _ = write!(out, "{}[{words}]", if out.is_empty() { "" } else { " " });
    };
    match (place.resent, place.resend_of) {
        (true, Some(first)) => add(format!("resend of {first}")),
        (true, None) => add(String::from("resend")),
        _ => {}
    }
    if place.double {
        add(String::from("double of the capture"));
    }
    if place.replayed {
        add(String::from("ESP sequence number came before"));
    }
    if place.esp_skipped > 0 {
        add(format!("{} missing before", count(u64::from(place.esp_skipped), "ESP packet")));
    }
    if place.data_skipped > 0 {
        add(format!("{} missing before", count(u64::from(place.data_skipped), "data packet")));
    }
    if let Some(why) = ledger::stopped(packet) {
        add(why);
    }
    for rule in packet.outlook.rules(packet.frame.number) {
        add((*rule).to_owned());
    }
    out
}

fn said(packet: &Packet<'_>) -> String {
    let layers = packet.layers;
    if let (Some(header), Some(message)) = (&layers.l2tp, &layers.control) {
        return control([header.ns, header.nr], message);
    }
    if let Some(data) = &layers.ppp {
        return ppp(packet, data);
    }
    if let Some(header) = &layers.l2tp {
        return format!("data, tunnel {} session {}", header.tunnel_id, header.session_id);
    }
    if let Some(v3) = &layers.v3 {
        return version3(packet, v3);
    }
    if let Some(message) = &layers.ike {
        return ike(message);
    }
    if let Some(sealed) = &layers.esp {
        return esp(sealed);
    }
    if let Some(error) = &layers.icmp {
        let quoted = error.quoted.map_or_else(String::new, |ends| {
            let ports =
                error.quoted_ports.map_or_else(String::new, |(from, to)| format!(" port {from} to {to}"));
            format!(" about {} to {}{ports}", ends.source, ends.destination)
        });
        let mtu = error.mtu.map_or_else(String::new, |mtu| format!(", MTU {mtu}"));
        return format!("{}{quoted}{mtu}", icmp_error(packet, error));
    }
    if layers.nat_keepalive {
        return String::from("keepalive");
    }
    if let Some(version) = layers.other_version {
        return format!("L2TP version {version}");
    }
    if matches!(layers.fragment, Some(Fragment::Waiting)) {
        return fragment(packet);
    }
    plain(packet)
}

/// `Destination Unreachable (port unreachable)`.
fn icmp_error(packet: &Packet<'_>, error: &IcmpError) -> String {
    let [kinds, codes] = if error.v6 { ["icmpv6.type", "icmpv6.code"] } else { ["icmp.type", "icmp.code"] };
    // The error comes before what it quotes, which may be an error as well.
    let named = |name: &str, number: u8| {
        let known = value_named(packet, name);
        known.map_or_else(|| number.to_string(), str::to_owned)
    };
    let kind = named(kinds, error.kind);
    match value_named(packet, codes) {
        Some(code) => format!("{kind} ({code})"),
        None if error.code == 0 => kind,
        None => format!("{kind} (code {})", error.code),
    }
}

/// The name of the first value of a field.
fn value_named(packet: &Packet<'_>, name: &str) -> Option<&'static str> {
    let node = packet.nodes().iter().find(|node| node.field.name == name)?;
    match node.value {
        Value::Number(number) | Value::Derived(number) => node.field.names?(number),
        Value::Octets => None,
    }
}

/// The first value of a field, if it is a number.
fn number_of(packet: &Packet<'_>, name: &str) -> Option<u64> {
    let node = packet.nodes().iter().find(|node| node.field.name == name)?;
    match node.value {
        Value::Number(number) | Value::Derived(number) => Some(number),
        Value::Octets => None,
    }
}

/// A fragment whose others are missing.
fn fragment(packet: &Packet<'_>) -> String {
    let number = |names: [&str; 2]| names.iter().find_map(|name| number_of(packet, name)).unwrap_or(0);
    let protocol = value_named(packet, "ip.proto").or_else(|| value_named(packet, "ipv6.fraghdr.nxt"));
    let id = number(["ipv6.fraghdr.ident", "ip.id"]);
    let offset = number(["ipv6.fraghdr.offset", "ip.frag_offset"]).saturating_mul(8);
    let more = number(["ipv6.fraghdr.more", "ip.flags.mf"]);
    let last = if more == 0 { ", the last" } else { "" };
    format!("fragment of {}, id {id:#06x}, offset {offset}{last}", protocol.unwrap_or("an IP packet"))
}

/// What carries nothing of ours, or nothing that is known.
fn plain(packet: &Packet<'_>) -> String {
    let has = |name: &str| packet.nodes().iter().any(|node| node.field.name == name);
    if let Some(opcode) = number_of(packet, "arp.opcode") {
        let [from, to] = ["arp.src.proto_ipv4", "arp.dst.proto_ipv4"].map(|name| value_of(packet, name));
        return match opcode {
            1 => format!("who has {to}? {from} asks"),
            2 => format!("{from} is at {}", value_of(packet, "arp.src.hw_mac")),
            _ => format!("{}: {from} to {to}", value_named(packet, "arp.opcode").unwrap_or("unknown opcode")),
        };
    }
    if has("igmp.type") {
        let kind = value_named(packet, "igmp.type").unwrap_or("unknown type");
        let group =
            if has("igmp.maddr") { format!(" {}", value_of(packet, "igmp.maddr")) } else { String::new() };
        return format!("{kind}{group}");
    }
    if has("tcp.flags") {
        return tcp(packet);
    }
    match &packet.layers.udp {
        Some(udp) => format!("port {} to {}", udp.source.port, udp.destination.port),
        None => icmp_query(packet),
    }
}

/// `port 51000 to 443, SYN ACK, 12 octets`.
fn tcp(packet: &Packet<'_>) -> String {
    let [from, to] = ["tcp.srcport", "tcp.dstport"].map(|name| value_of(packet, name));
    let flags = ["syn", "fin", "reset", "push", "ack", "urg"].into_iter().filter(|flag| {
        packet.nodes().iter().any(|node| {
            node.field.name.strip_prefix("tcp.flags.") == Some(flag) && node.value == Value::Number(1)
        })
    });
    let words = flags.map(|flag| match flag {
        "reset" => String::from("RST"),
        "push" => String::from("PSH"),
        other => other.to_uppercase(),
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let words = if words.is_empty() { String::from("no flags") } else { words };
    let payload = packet.nodes().iter().find(|node| node.field.name == "tcp.payload");
    let payload = payload.map_or_else(String::new, |node| format!(", {} octets", node.range.len()));
    format!("port {from} to {to}, {words}{payload}")
}

/// What an ICMP message is that is no error.
fn icmp_query(packet: &Packet<'_>) -> String {
    let kind = name_of(packet, &["icmp.type", "icmpv6.type"]).unwrap_or("");
    let number = |names: [&str; 2]| names.iter().find_map(|name| number_of(packet, name));
    let id = number(["icmp.ident", "icmpv6.echo.identifier"]);
    match id.zip(number(["icmp.seq", "icmpv6.echo.sequence_number"])) {
        Some((id, sequence)) => format!("{kind} id {id} seq {sequence}"),
        None => kind.to_owned(),
    }
}

fn control(numbers: [Option<Seq16>; 2], control: &Control) -> String {
    let [ns, nr] =
        numbers.map(|number| number.map_or_else(|| String::from("-"), |number| number.0.to_string()));
    if control.zlb {
        return format!("ack Nr {nr}");
    }
    let name = control.message.map_or("unknown", MessageType::name);
    let mut out = format!("{name} Ns {ns} Nr {nr}");
    for avp in control.avps.iter().filter(|avp| avp.vendor == 0) {
        let word = match (avp.attribute, &avp.value) {
            (attribute::ASSIGNED_TUNNEL_ID, AvpValue::Number(id)) => format!(", tunnel {id}"),
            (attribute::ASSIGNED_SESSION_ID, AvpValue::Number(id)) => format!(", session {id}"),
            (attribute::HOST_NAME, AvpValue::Text(name)) => format!(", {name}"),
            (attribute::RESULT_CODE, AvpValue::Result(result)) => {
                let stop = control.message == Some(MessageType::STOP_CCN);
                let reason = if stop { stop_ccn_reason(result.code) } else { cdn_reason(result.code) };
                let reason = reason.map_or_else(String::new, |reason| format!(" {reason}"));
                let error = result
                    .error
                    .filter(|error| *error != 0)
                    .map_or_else(String::new, |error| format!(" error {error}"));
                let text = result.message.as_ref().map_or_else(String::new, |text| format!(" \"{text}\""));
                format!(", result {}{reason}{error}{text}", result.code)
            }
            _ => continue,
        };
        out.push_str(&word);
    }
    out
}

/// An L2TPv3 message, or what a session carries.
fn version3(packet: &Packet<'_>, v3: &L2tpV3) -> String {
    if let Some(message) = &v3.control {
        return control([v3.ns, v3.nr], message);
    }
    let session = v3.session.map_or_else(String::new, |session| format!(" session {session:#x}"));
    let inside = last_protocol(packet);
    let inside = if inside == "l2tp" { String::new() } else { format!(": {inside}") };
    let what =
        name_of(packet, &["icmp.type", "icmpv6.type"]).map_or_else(String::new, |what| format!(", {what}"));
    format!("data{session}{inside}{what}")
}

fn ike(ike: &Ike) -> String {
    let direction = match (ike.version, ike.flags & 0x20) {
        (2, 0) => " request",
        (2, _) => " response",
        (_, _) if ike.flags & 1 == 1 => ", encrypted",
        _ => "",
    };
    // The first exchange of each SA has message 0, which says nothing.
    let message = match (ike.message_id, ike.version) {
        (0, _) => String::new(),
        (id, 2) => format!(", message {id}"),
        (id, _) => format!(", message {id:#010x}"),
    };
    format!("IKEv{} {}{direction}{message}", ike.version, exchange_name(ike.version, ike.exchange))
}

fn esp(esp: &Esp) -> String {
    let inside = match esp.outcome {
        EspOutcome::Opened { .. } => ", opened",
        _ => "",
    };
    format!("SPI {} sequence {}{inside}", esp.spi, esp.sequence)
}

fn ppp(packet: &Packet<'_>, ppp: &Ppp) -> String {
    if let Some(inner) = ppp.inner {
        let Some(ends) = inner.addresses else { return String::from("unreadable") };
        return match inner.ports {
            Some((from, to)) => format!("{}:{from} to {}:{to}", ends.source, ends.destination),
            None => {
                let what = icmp_query(packet);
                let comma = if what.is_empty() { "" } else { ", " };
                format!("{} to {}{comma}{what}", ends.source, ends.destination)
            }
        };
    }
    match &ppp.control {
        Some(control) => negotiation(control),
        None => format!("{} octets", ppp.payload),
    }
}

fn negotiation(control: &PppControl) -> String {
    let code = ppp_names::code_name(control.protocol, control.code).unwrap_or("unknown code");
    let mut out = format!("{code} id {}", control.identifier);
    match &control.body {
        PppBody::Options(options) => {
            for (at, option) in options.iter().enumerate() {
                out.push_str(if at == 0 { ": " } else { ", " });
                out.push_str(&option_words(control.protocol, option));
            }
        }
        PppBody::Message(text) if !text.is_empty() => {
            let _ = write!(out, " \"{text}\"");
        }
        PppBody::ProtocolReject(protocol) => {
            let _ = write!(out, ": {}", protocol_name((*protocol).into()).unwrap_or("unknown protocol"));
        }
        PppBody::PapRequest { name, .. } | PppBody::Chap { name, .. } => {
            let _ = write!(out, " \"{name}\"");
        }
        PppBody::Eap { kind, identity, .. } => {
            let _ = write!(out, " {}", ppp_names::eap_type_name((*kind).into()).unwrap_or("unknown type"));
            if let Some(identity) = identity {
                let _ = write!(out, " \"{identity}\"");
            }
        }
        _ => {}
    }
    out
}

fn option_words(protocol: u16, option: &PppOption) -> String {
    let name = ppp_names::option_name(protocol, option.kind).unwrap_or("option");
    match option.value {
        PppOptionValue::Number(number) if option.length > 8 => format!("{name} {number:016x}"),
        PppOptionValue::Number(number) if option.length > 4 => format!("{name} {number:#010x}"),
        PppOptionValue::Number(number) => format!("{name} {number}"),
        PppOptionValue::Address(address) => format!("{name} {address}"),
        PppOptionValue::Authentication(number, algorithm) => {
            let method = protocol_name(number.into()).unwrap_or("unknown");
            match algorithm.and_then(|algorithm| ppp_names::chap_algorithm_name(algorithm.into())) {
                Some(algorithm) => format!("{name} {method} {algorithm}"),
                None => format!("{name} {method}"),
            }
        }
        _ => name.to_owned(),
    }
}
