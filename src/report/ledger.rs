//! The seven steps that take L2TP over IPsec apart, and how far a packet came.

use std::fmt::Write as _;

use crate::dissect::layers::{AvpFault, Encapsulation, EspOutcome, Fragment, Layers, Mode, Stop};
use crate::dissect::ppp_names::protocol_name;
use crate::dissect::{self, Protocol, ip_protocol_name};
use crate::util::LinkType;

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
        udp(layers),
        l2tp(packet),
        ppp(layers),
    ];
    let mut names = STEPS.into_iter();
    found.map(|(state, why)| Step { name: names.next().unwrap_or(""), state, why })
}

/// The first step that failed, in a few words; nothing if none did.
pub fn stopped(packet: &Packet<'_>) -> Option<String> {
    let steps = ledger(packet).into_iter();
    // ESP that nobody could open ends the way, though nothing failed.
    let closed = sealed(packet.layers);
    let ends = |step: &Step| step.state == State::Failed || closed && step.name == STEPS[2];
    let Some(failed) = steps.into_iter().find(ends) else {
        // IKE and others that are no step of the way down.
        return broken(packet.layers).map(|why| format!("malformed: {why}"));
    };
    // The line names SPI and sequence number already.
    let why = failed.why.split(" (SA ").next().unwrap_or(&failed.why);
    match failed.state {
        State::Failed => Some(format!("{} failed: {why}", failed.name)),
        _ => Some(format!("ESP: {why}")),
    }
}

fn ok(why: impl Into<String>) -> (State, String) {
    (State::Ok, why.into())
}

fn failed(why: impl Into<String>) -> (State, String) {
    (State::Failed, why.into())
}

fn skipped(why: impl Into<String>) -> (State, String) {
    (State::Skipped, why.into())
}

/// The fault that ended dissection, if it is in one of these protocols.
fn fault(layers: &Layers, protocols: &[Protocol]) -> Option<(State, String)> {
    let (Stop::Cut { layer, .. } | Stop::Malformed { layer, .. }) = layers.stop else { return None };
    if protocols.contains(&layer) { broken(layers).map(failed) } else { None }
}

/// What could not be read, and why; nothing if all could.
pub fn broken(layers: &Layers) -> Option<String> {
    let (what, cut) = match layers.stop {
        Stop::Cut { what, .. } => (what, true),
        Stop::Malformed { what, .. } => (what, false),
        _ => return None,
    };
    let (field, needed, at, there) = (what.field.label, what.needed, what.offset, what.available);
    let mut why = format!("{field} needs {needed} octets at {at}, there are {there}");
    let _ = if cut {
        write!(why, " (the capture cut the packet)")
    } else {
        write!(why, " within {}", what.bound)
    };
    Some(why)
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
        EspOutcome::Cut => skipped(format!("the capture cut the packet, so its ICV is not there {sa}")),
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

fn udp(layers: &Layers) -> (State, String) {
    if let Some(fault) = fault(layers, &[Protocol::Udp]) {
        return fault;
    }
    if sealed(layers) {
        return skipped("not reached");
    }
    match (&layers.udp, &layers.icmp) {
        (Some(udp), _) => ok(format!("{} to {}", udp.source.port, udp.destination.port)),
        (None, Some(_)) => skipped("ICMP"),
        (None, None) => skipped("not reached"),
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
    let Some(header) = &layers.l2tp else { return skipped("not reached") };
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

fn ppp(layers: &Layers) -> (State, String) {
    match layers.stop {
        Stop::Malformed { layer, .. } | Stop::Cut { layer, .. } if layers.ppp.is_some() => {
            if let Some(fault) = fault(layers, &[layer]) {
                return fault;
            }
        }
        _ => {}
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
