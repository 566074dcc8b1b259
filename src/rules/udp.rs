//! Rules on UDP, ports and fragments (RFC 2661 section 8.1, RFC 3193 sections 3.2 and 4.2).

use std::net::IpAddr;

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::util::Timestamp;

use super::words::{self, count};
use super::{Case, Finding, Severity, hello, rules};

rules! {
    /// Packets of L2TP or ESP leave as IP fragments.
    ///
    /// The user's packet plus PPP, L2TP, UDP, ESP and IP headers is larger than the link takes. It works as long as every
    /// device on the path lets fragments through; many firewalls and NATs do not, and then full-size packets vanish.
    /// Usual cause: an MTU or MRU of 1500 on the PPP link. Lower it (1400 is safe), or clamp the TCP MSS.
    UDP_FRAGMENTED = "udp-fragmented", Note, "RFC 3193 3.2",
        "PPP can be given the MTU of the interface minus the overhead of the extra headers.";

    /// An ICMP error says that nothing listens on a port of L2TP or IKE.
    ///
    /// The daemon there is stopped or crashed, or a firewall answers in its place. The error names host and port. Once all
    /// control connections of that host are closed it is a note: its program ended, and the other end still sends.
    /// Example: a server whose L2TP daemon was killed.
    UDP_ICMP_PORT_UNREACHABLE = "udp-icmp-port-unreachable", Error, "RFC 2661 8.1",
        "L2TP uses the registered UDP port 1701.";

    /// An ICMP error says that a packet of the tunnel is too big for the path.
    ///
    /// It tells the MTU of the next hop. Sender and PPP link must use less, or full-size packets vanish.
    /// Example: an ICMP error of type 3 code 4 with an MTU of 1400, quoting UDP 1701.
    UDP_ICMP_FRAG_NEEDED = "udp-icmp-frag-needed", Warning, "RFC 3193 3.2",
        "path MTU information must be taken into account for the packets inside.";

    /// The UDP port of an SA changed while it was in use.
    ///
    /// The NAT in front of the sender forgot the mapping and made a new one. What the other side sent in between went to
    /// the old port and was lost; if it does not follow the new port, the tunnel dies. A new client behind the same NAT
    /// would have SPIs of its own, so this is the old one. Usual causes: no NAT keepalives, or longer pauses between them
    /// than the NAT remembers (often 30 s). Example: a NAT that forgets after 4 s without keepalives.
    UDP_PORT_CHANGED = "udp-port-changed", Error, "RFC 2661 8.1",
        "once the source and destination ports and addresses are established, they must remain static for the life of the tunnel.";

    /// The SCCRQ went to another port than 1701.
    ///
    /// A responder listens on 1701; only its answer may come from another port.
    /// Example: an SCCRQ from port 1701 to port 1702.
    UDP_SCCRQ_NOT_TO_1701 = "udp-sccrq-not-to-1701", Error, "RFC 2661 8.1",
        "the initiator sends to the destination port 1701.";

    /// The answer to an SCCRQ came from another address than it went to.
    ///
    /// RFC 2661 allows it, and most initiators, NATs and firewalls drop it; no SA to the first address covers it. Note if the
    /// tunnel came up all the same. Usual cause: a responder with several addresses that answers from the one of its route
    /// instead of the one that was asked. Example: an SCCRQ to 198.51.100.1, and an SCCRP from 198.51.100.2.
    UDP_ADDRESS_CHANGED_IN_SCCRP = "udp-address-changed-in-sccrp", Warning, "RFC 3193 4",
        "implementations requiring protection of L2TP via IPsec should not use a new IP address when sending the SCCRP.";

    /// The SCCRP came from another port than the SCCRQ went to.
    ///
    /// Allowed, but NATs and stateful firewalls drop it, and IPsec policies on 1701 to 1701 do not cover it.
    /// Example: an SCCRQ to port 1701, and an SCCRP from port 60000.
    UDP_RESPONDER_FLOATED = "udp-responder-floated", Note, "RFC 2661 8.1",
        "the recipient picks a free port on its own system (which may or may not be 1701).";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    fragments(case, found);
    errors(case, found);
    answers(case, found);
    moved(case, found);
    moved_in_clear(case, found);
    for (_, connection) in case.analysis.in_order() {
        ports(case, connection, found);
    }
}

fn fragments(case: &Case<'_>, found: &mut Vec<Finding>) {
    let all = &case.analysis.fragmented;
    let Some(most) = all.iter().max_by_key(|one| one.datagrams) else { return };
    let total: u64 = all.iter().map(|one| one.datagrams).sum();
    let inside = match most.largest_inside {
        0 => String::new(),
        octets => format!(", with packets of up to {octets} octets inside"),
    };
    found.push(
        Finding::new(&UDP_FRAGMENTED, "packets leave as IP fragments")
            .packets(&most.packets)
            .seen(format!(
                "{}, {} of them from {} to {}{inside}.",
                count(total, "datagram"),
                words::thousands(most.datagrams),
                most.addresses.source,
                most.addresses.destination
            ))
            .advice("lower MTU and MRU of the PPP link (1400 is safe), or clamp the TCP MSS."),
    );
}

/// Whether this host had control connections, and all of them were closed by then.
fn is_over(case: &Case<'_>, host: IpAddr, by: Timestamp) -> bool {
    let has = |one: &&Connection| one.ends.iter().any(|end| end.endpoint.address == host && end.packets > 0);
    let mut all = case.analysis.connections.iter().filter(has).peekable();
    all.peek().is_some() && all.all(|one| one.closed.is_some_and(|closed| closed < by))
}

fn errors(case: &Case<'_>, found: &mut Vec<Finding>) {
    let analysis = case.analysis;
    if let (Some(tally), Some((by, port))) =
        (analysis.observed(Observation::PortUnreachable, Scope::default()), case.analysis.unreachable)
    {
        let errors = format!("{} from {} on", count(tally.count, "ICMP error"), case.at(tally.first));
        let finding =
            Finding::new(&UDP_ICMP_PORT_UNREACHABLE, format!("{by} says that UDP port {port} is closed"))
                .tally(tally);
        found.push(if is_over(case, by, tally.first) {
            finding
                .severity(Severity::Note)
                .seen(format!("{errors}, after the control connection was closed."))
                .advice("harmless: the L2TP program there has ended, and the other end still sent something.")
        } else {
            // A host that was heard may have closed what there was in messages that the capture lacks.
            let heard = |one: &Connection| one.ends.iter().all(|end| end.packets > 0) && !hello::is_dead(one);
            let lacks = analysis.connections.iter().any(heard);
            finding
                .seen(format!("{errors}."))
                .unsure(lacks.then(|| {
                    String::from("the control connection may have been closed before, in messages that the capture lacks.")
                }))
                .advice(format!("start the daemon there (ss -ulpn 'sport = :{port}')."))
        });
    }
    if let Some(tally) = analysis.observed(Observation::FragmentationNeeded, Scope::default()) {
        let told = case.analysis.path_mtu;
        let mtu = told.map_or_else(String::new, |(by, mtu)| format!("; {by} tells an MTU of {mtu}"));
        found.push(
            Finding::new(&UDP_ICMP_FRAG_NEEDED, "packets of the tunnel are too big for the path")
                .tally(tally)
                .seen(format!("{}{mtu}.", count(tally.count, "ICMP error")))
                .advice("lower MTU and MRU of the PPP link by what is missing."),
        );
    }
}

/// A mapping that changed.
pub(super) struct Moved<'a> {
    pub flow: &'a Flow,
    pub at: Timestamp,
    pub packet: u64,
}

/// The first of these SAs whose ports changed while it was in use.
pub(super) fn first_move<'a>(flows: &[&'a Flow]) -> Option<Moved<'a>> {
    let moves = flows.iter().filter_map(|flow| {
        let tally = flow.log.get(Observation::EspPorts, None)?;
        Some(Moved { flow, at: tally.first, packet: *tally.packets.first()? })
    });
    moves.min_by_key(|moved| moved.packet)
}

fn moved(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.all_observed(Observation::EspPorts) {
        let Some(flow) = scope.flow.and_then(|id| case.analysis.flow(id)) else { continue };
        let Some(old) = flow.first_ports else { continue };
        let (pause, since) = flow.longest_pause;
        let idle = if since <= tally.first && pause.0 > 0 {
            format!(", after {pause} without a packet")
        } else {
            String::new()
        };
        let unsure = (flow.decrypted == 0)
            .then(|| String::from("without a key, somebody who copies the SPI would look the same."));
        found.push(
            Finding::new(&UDP_PORT_CHANGED, format!("the UDP ports of SA {} changed", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!(
                    "{} to {}: from ports {} to {} it came to {} to {} at {}{idle}.",
                    flow.addresses.source,
                    flow.addresses.destination,
                    old.0,
                    old.1,
                    flow.ports.0,
                    flow.ports.1,
                    case.at(tally.first)
                ))
                .unsure(unsure)
                .advice("have the client send NAT keepalives more often (20 s is usual), or Hellos below the memory of the NAT."),
        );
    }
}

/// Outside ESP the ports of L2TP itself count.
fn moved_in_clear(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.all_observed(Observation::EndMoved) {
        let number = scope.connection.and_then(|number| case.analysis.numbered(number));
        let (Some((_, connection)), Some(end)) = (number, scope.end) else { continue };
        let now = connection.end(end).endpoint;
        // The path goes on both ways: nothing was lost but the old mapping.
        let works = connection.end(1 - end).last.is_some_and(|(_, time)| time > tally.last);
        found.push(
            Finding::new(
                &UDP_PORT_CHANGED,
                format!(
                    "{}: {} sends from another port",
                    words::tunnel(connection),
                    words::who(connection, end)
                ),
            )
            .severity(if works { Severity::Warning } else { Severity::Error })
            .tally(tally)
            .connection(connection.number)
            .seen(format!(
                "{}, the first at {}; now it sends from port {} of {}.",
                count(tally.count, "change"),
                case.at(tally.first),
                now.port,
                now.address
            ))
            .unsure(Some(String::from("a second device with the same tunnel ID would look the same.")))
            .advice("a NAT in front of it made a new mapping: shorten the Hello interval below its memory."),
        );
    }
}

fn ports(case: &Case<'_>, connection: &Connection, found: &mut Vec<Finding>) {
    let first = connection.first_ports;
    // L2TPv3 over IP has no ports (RFC 3931 section 4.1.1).
    if !connection.from_start || first == (0, 0) {
        return;
    }
    let name = words::tunnel(connection);
    let answered = connection.end(1).packets > 0;
    let now = connection.end(1).endpoint.port;
    let packets = [connection.first_packet];
    if first.1 != 1701 {
        found.push(
            Finding::new(&UDP_SCCRQ_NOT_TO_1701, format!("{name}: the SCCRQ went to port {}", first.1))
                .packets(&packets)
                .connection(connection.number)
                .seen(format!(
                    "from port {} to port {} at {}.",
                    first.0,
                    first.1,
                    case.at(connection.requested.unwrap_or_default())
                ))
                .unsure(Some(String::from("a NAT that maps 1701 to another port looks the same.")))
                .advice("have the initiator send to port 1701, or say why the responder listens elsewhere."),
        );
    } else if answered && now != first.1 {
        found.push(
            Finding::new(&UDP_RESPONDER_FLOATED, format!("{name}: the responder answers from port {now}"))
                .packets(&packets)
                .connection(connection.number)
                .seen(format!("the SCCRQ went to port {}.", first.1))
                .advice("if a firewall or NAT is on the way, have the responder answer from port 1701."),
        );
    }
}

fn answers(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (scope, tally) in case.analysis.all_observed(Observation::AnsweredElsewhere) {
        let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
            continue;
        };
        let (asked, answered) = (connection.asked.address, connection.end(1).endpoint.address);
        let up = connection.was_established;
        found.push(
            Finding::new(
                &UDP_ADDRESS_CHANGED_IN_SCCRP,
                format!("{}: the answer comes from another address", words::tunnel(connection)),
            )
            .severity(if up { Severity::Note } else { Severity::Warning })
            .tally(tally)
            .connection(connection.number)
            .by(1)
            .seen(format!("the SCCRQ went to {asked}, and {answered} answered."))
            .unsure((!up).then(|| String::from("a NAT whose two sides are both in the capture would explain it.")))
            .advice(format!(
                "let the L2TP daemon listen on {asked} itself, so that it answers from there, or ask {answered} at once."
            )),
        );
    }
}
