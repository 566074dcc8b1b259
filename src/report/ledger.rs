//! The seven steps that take L2TP over IPsec apart, and how far a packet came.

use std::fmt::Write as _;

use crate::dissect::layers::{AvpFault, Encapsulation, EspOutcome, Fault, Fragment, Layers, Mode, Stop};
use crate::dissect::ppp_names::protocol_name;
use crate::dissect::{self, Protocol, ip_protocol_name};
use crate::field::{Bound, Node};
use crate::util::LinkType;

use super::info;
use super::packet::{Packet, call_name};

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Done.
    Ok,
    /// Not possible.
    Failed,
    /// Nothing to do, or not reached.
    Skipped,
}

impl State {
    /// The word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One step of the way down.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is done.
    pub name: &'static str,
    /// How it came out.
    pub state: State,
    /// What was found, or why not.
    pub why: String,
}

/// The names of the steps, from the outside in.
pub const STEPS: [&str; 7] =
    ["data link", "IP", "ESP authentication", "ESP decryption", "UDP", "L2TP tunnel and call", "PPP"];

/// All seven steps of a packet.
pub fn ledger(packet: &Packet<'_>) -> [Step; 7] {
    let layers = packet.layers;
    let found: [(State, String); 7] = [
        link(packet.frame.link, layers),
        ip(layers),
        authentication(packet),
        decryption(packet),
        udp(packet),
        l2tp(packet),
        ppp(packet),
    ];
    let mut names = STEPS.into_iter();
    found.map(|(state, why)| Step { name: names.next().unwrap_or(""), state, why })
}

/// The first step that failed, or what is wrong beside the steps, in a few words; nothing if all is well.
pub fn stopped(packet: &Packet<'_>) -> Option<String> {
    if let Some(words) = damaged(packet.layers) {
        return Some(words);
    }
    let steps = ledger(packet).into_iter();
    // ESP that nobody could open ends the way, though nothing failed.
    let closed = sealed(packet.layers);
    let ends = |step: &Step| step.state == State::Failed || closed && step.name == STEPS[2];
    let failed = steps.into_iter().find(ends)?;
    // The line names SPI and sequence number already.
    let why = failed.why.split(" (SA ").next().unwrap_or(&failed.why);
    match failed.state {
        _ if why.starts_with(CUT) => Some(why.to_owned()),
        State::Failed => Some(format!("{} failed: {why}", failed.name)),
        _ => Some(format!("ESP: {why}")),
    }
}

/// That a packet breaks its format, or that the capture cut it, and where; nothing if neither.
pub fn damaged(layers: &Layers) -> Option<String> {
    if matches!(layers.stop, Stop::TooDeep) {
        return Some(format!("malformed: {TOO_DEEP}"));
    }
    let cut = if layers.fault().is_some_and(|fault| fault.cut) { CUT } else { "malformed" };
    broken(layers).map(|why| format!("{cut}: {why}"))
}

const CUT: &str = "cut by the capture";
const TOO_DEEP: &str = "more protocols inside each other than any honest packet has";

fn ok(why: impl Into<String>) -> (State, String) {
    (State::Ok, why.into())
}

fn failed(why: impl Into<String>) -> (State, String) {
    (State::Failed, why.into())
}

fn skipped(why: impl Into<String>) -> (State, String) {
    (State::Skipped, why.into())
}

/// What is wrong in one of these protocols, if anything is.
fn fault(layers: &Layers, protocols: &[Protocol]) -> Option<(State, String)> {
    let fault = layers.fault().filter(|fault| protocols.contains(&fault.layer))?;
    let why = broken(layers)?;
    Some(if fault.cut { skipped(format!("{CUT}: {why}")) } else { failed(why) })
}

/// What could not be read, and why; nothing if all could.
fn broken(layers: &Layers) -> Option<String> {
    let Fault { what, cut, .. } = layers.fault()?;
    let (field, needed, at, there) = (what.field.label, what.needed, what.offset, what.available);
    let were = if there == 1 { "there is 1".to_owned() } else { format!("there are {there}") };
    let octets = if needed == 1 { "octet" } else { "octets" };
    let within = if cut { String::new() } else { format!(" within {}", what.bound) };
    // A field that is wrong by its own value, and a Length that promises too much, are no reads that did not fit.
    if what.bound == Bound::Header("its own value") {
        let wrong = if there < needed { "less than" } else { "not" };
        return Some(format!("{field} is {there}, {wrong} {needed}"));
    }
    if layers.overrun.is_some() {
        return Some(format!("{field} promises {needed} more {octets} at {at}, {were}{within}"));
    }
    Some(format!("{field} needs {needed} {octets} at {at}, {were}{within}"))
}

fn link(link: LinkType, layers: &Layers) -> (State, String) {
    use Protocol::{Ethernet, LinuxSll, LinuxSll2, Null, RawIp, Vlan};
    if let Some(fault) = fault(layers, &[Ethernet, LinuxSll, LinuxSll2, Null, RawIp, Vlan]) {
        return fault;
    }
    match (layers.outer, layers.stop) {
        (None, Stop::NotOurs) if dissect::reads(link) => skipped(format!("{}: no IP inside", link.word())),
        (None, Stop::NotOurs) => failed(format!("{link}: a link type that is not read")),
        _ => ok(link.word()),
    }
}

fn ip(layers: &Layers) -> (State, String) {
    if let Some(fault) = fault(layers, &[Protocol::Ipv4, Protocol::Ipv6]) {
        return fault;
    }
    let Some(outer) = layers.outer else { return skipped("not reached") };
    let ways = format!("{} to {}", outer.source, outer.destination);
    match layers.fragment {
        Some(Fragment::Waiting) if layers.esp.is_none() => {
            skipped(format!("{ways}: a fragment, others are missing"))
        }
        Some(Fragment::Completed { fragments, octets }) => {
            ok(format!("{ways}: {fragments} fragments put together, {octets} octets"))
        }
        _ => ok(ways),
    }
}

fn authentication(packet: &Packet<'_>) -> (State, String) {
    let layers = packet.layers;
    let Some(esp) = &layers.esp else { return no_esp(layers) };
    let sa = format!("(SA {}, sequence {})", esp.spi, esp.sequence);
    match esp.outcome {
        EspOutcome::Opened { integrity: "none", .. } => {
            skipped(format!("the SA has no integrity algorithm {sa}"))
        }
        EspOutcome::Opened { integrity, .. } if packet.place.replayed => {
            ok(format!("{integrity} holds, but the sequence number came before {sa}"))
        }
        EspOutcome::Opened { integrity, .. } => ok(format!("{integrity} holds {sa}")),
        EspOutcome::NoKey => skipped(format!("no key for this SPI {sa}")),
        EspOutcome::Unsupported { .. } => skipped(format!("a suite that cannot be opened yet {sa}")),
        EspOutcome::BadIcv { .. } => {
            failed(format!("the ICV does not hold, so the key is wrong or octets changed {sa}"))
        }
        EspOutcome::BadPadding { .. } => skipped(format!("no integrity algorithm {sa}")),
        EspOutcome::Cut => {
            let by = if layers.overrun.is_some() { "cut short" } else { CUT };
            skipped(format!("{by}: its ICV is not there {sa}"))
        }
        EspOutcome::TooShort => failed(format!("too short for its algorithms {sa}")),
    }
}

fn no_esp(layers: &Layers) -> (State, String) {
    if let Some(fault) = fault(layers, &[Protocol::Esp, Protocol::NatTraversal]) {
        return fault;
    }
    match (layers.outer, &layers.ike) {
        (None, _) => skipped("not reached"),
        (_, Some(_)) => skipped("IKE, not ESP"),
        _ if layers.nat_keepalive => skipped("a NAT keepalive"),
        _ => skipped("no ESP: in the clear"),
    }
}

fn decryption(packet: &Packet<'_>) -> (State, String) {
    let layers = packet.layers;
    let Some(esp) = &layers.esp else { return no_esp(layers) };
    match esp.outcome {
        EspOutcome::Opened { sa, mode, .. } => {
            let suite = packet.sad.get(sa).map_or_else(String::new, |sa| sa.encryption.name().to_string());
            let mode = match mode {
                Mode::Transport => "transport",
                Mode::Tunnel => "tunnel",
            };
            let within = match esp.encapsulation {
                Encapsulation::Ip => "",
                Encapsulation::Udp => " in UDP",
            };
            ok(format!("{suite}, {mode} mode{within}"))
        }
        EspOutcome::BadPadding { .. } => failed("padding or next header is impossible: wrong key"),
        _ => skipped("not authenticated, so not decrypted"),
    }
}

/// Whether ESP stands in the way of all below it.
fn sealed(layers: &Layers) -> bool {
    layers.esp.as_ref().is_some_and(|esp| !matches!(esp.outcome, EspOutcome::Opened { .. }))
}

fn udp(packet: &Packet<'_>) -> (State, String) {
    let layers = packet.layers;
    if let Some(fault) = fault(layers, &[Protocol::Udp]) {
        return fault;
    }
    if sealed(layers) {
        return skipped("not reached");
    }
    match &layers.udp {
        Some(udp) => ok(format!("{} to {}", udp.source.port, udp.destination.port)),
        None => skipped(
            instead(packet).map_or_else(|| "not reached".to_owned(), |what| format!("{what}, not UDP")),
        ),
    }
}

/// What stands in the IP packet where UDP would.
static NOT_UDP: &[(&str, &str)] =
    &[("tcp", "TCP"), ("icmp", "ICMP"), ("icmpv6", "ICMPv6"), ("igmp", "IGMP"), ("gre", "GRE")];

fn instead(packet: &Packet<'_>) -> Option<&'static str> {
    let layers = packet.layers;
    layers.outer?;
    if matches!(layers.fragment, Some(Fragment::Waiting)) {
        return None;
    }
    if layers.v3.is_some() {
        return Some("L2TP in IP");
    }
    let named = |node: &Node| NOT_UDP.iter().find(|(name, _)| *name == node.field.name);
    if let Some((_, word)) = packet.nodes().iter().find_map(named) {
        return Some(word);
    }
    match info::protocol(packet) {
        "ESP" | "UDP" | "IPv4" | "IPv6" | "IP" | "-" | "ip" | "ipv6" => None,
        other => Some(other),
    }
}

fn l2tp(packet: &Packet<'_>) -> (State, String) {
    let layers = packet.layers;
    if let Some(fault) = fault(layers, &[Protocol::L2tp]) {
        return fault;
    }
    if let Some(v3) = &layers.v3 {
        return ok(match (v3.control.as_deref(), v3.connection, v3.session) {
            (Some(control), connection, _) => {
                let name = control.message.map_or("ZLB", |message| message.name());
                format!("version 3, control connection {:#x}, control: {name}", connection.unwrap_or(0))
            }
            (None, _, session) => format!("version 3, session {:#x}: data", session.unwrap_or(0)),
        });
    }
    if let Some(version) = layers.other_version.filter(|_| layers.l2tp.is_none()) {
        return skipped(format!("L2TP version {version}"));
    }
    let Some(header) = &layers.l2tp else {
        return skipped(match (&layers.ike, layers.nat_keepalive, &layers.udp) {
            (Some(_), ..) => "IKE, not L2TP",
            (_, true, _) => "a NAT keepalive",
            (_, _, Some(_)) if layers.icmp.is_none() && !sealed(layers) => "ports that are not L2TP's",
            _ => "not reached",
        });
    };
    let mut ids =
        packet.place.connection.map_or_else(|| String::from("of no tunnel"), |number| format!("T{number}"));
    if let Some(call) = packet.place.call {
        let _ = write!(ids, " {}", call_name(call));
    }
    match &layers.control {
        Some(control) => {
            if let Some(fault) = &control.fault {
                return failed(format!("{ids}: {}", avp_fault(*fault)));
            }
            let name =
                control.message.map_or(if control.zlb { "ZLB" } else { "unknown" }, |message| message.name());
            ok(format!("{ids}, tunnel {}, control: {name}", header.tunnel_id))
        }
        None => ok(format!("{ids}, tunnel {}, session {}: data", header.tunnel_id, header.session_id)),
    }
}

/// What is wrong with an AVP (RFC 2661 section 4.1).
fn avp_fault(fault: AvpFault) -> String {
    match fault {
        AvpFault::LengthShort { length, offset } => {
            format!(
                "the AVP at octet {offset} of the message has Length {length}, less than its header of 6 octets"
            )
        }
        AvpFault::Overruns { length, available, offset } => {
            format!("the AVP at octet {offset} of the message claims {length} octets, {available} are left")
        }
    }
}

fn ppp(packet: &Packet<'_>) -> (State, String) {
    let layers = packet.layers;
    let above = |layer| !matches!(layer, Protocol::Ipv4 | Protocol::Ipv6 | Protocol::Udp | Protocol::L2tp);
    if layers.ppp.is_some()
        && let Some(inner) = layers.fault().filter(|fault| above(fault.layer) || layers.inside.is_some())
        && let Some(fault) = fault(layers, &[inner.layer])
    {
        return fault;
    }
    match (&layers.ppp, &layers.l2tp, &layers.control) {
        (Some(ppp), ..) => {
            let name = protocol_name(ppp.protocol.into()).unwrap_or("protocol without a name");
            match ppp.inner {
                Some(inner) => ok(format!(
                    "{name}: {}",
                    ip_protocol_name(inner.protocol.into()).unwrap_or("unknown protocol")
                )),
                None => ok(name),
            }
        }
        (None, Some(_), Some(_)) => skipped("a control message carries none"),
        _ => skipped("not reached"),
    }
}
