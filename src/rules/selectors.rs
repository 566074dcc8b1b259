//! Rules on what IKE agreed and what is sent: policies, encapsulation and NAT (RFC 3193 section 4, RFC 3947, RFC 3948).

use crate::analysis::ConnectionId;
use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::{Child, IkeSa};
use crate::dissect::ike::contents::Selector;
use crate::dissect::layers::Encapsulation;
use crate::util::Duration;

use super::words::{self, count};
use super::{Case, Finding, rules};

rules! {
    /// L2TP leaves in the clear although IKE made an SA between the same two hosts.
    ///
    /// The policy does not cover the UDP ports in use, so the packets pass beside the tunnel: everybody on the way reads
    /// them, while both users believe in a VPN. Usual causes: a client that uses another source port than 1701 while the
    /// policy says 1701, or a second L2TP daemon that holds port 1701.
    /// Example: a policy for 1701 to 1701 and a client on an ephemeral port.
    SEC_LEAK_WITH_SA = "sec-leak-with-sa", Error, "RFC 3193 3.3",
        "L2TP must check that a packet of a tunnel that requires security came under IPsec.";

    /// The traffic that an SA was agreed for is not the traffic that is sent.
    ///
    /// The ports in the identities of quick mode, or in the traffic selectors, do not cover the ports of L2TP. What does
    /// not fit leaves in the clear or is dropped. Found where IKE was opened with keys.
    /// Example: quick mode for UDP port 1702, and an SCCRQ from and to port 1701.
    SEC_SELECTOR_MISMATCH = "sec-selector-mismatch", Error, "RFC 3193 4.2",
        "the identities of quick mode must cover the UDP ports of L2TP, 1701 among them.";

    /// Quick mode agreed on an encapsulation mode that does not fit what is on the way.
    ///
    /// Without a NAT the mode is tunnel (1) or transport (2), behind one it is UDP-encapsulated tunnel (3) or transport (4).
    /// Found where IKE was opened with keys.
    /// Example: NAT detection that found a NAT, and quick mode with encapsulation mode 2 (transport).
    SEC_ENCAP_MODE_WRONG = "sec-encap-mode-wrong", Warning, "RFC 3947 5.1",
        "UDP-encapsulated modes should be used if a NAT was detected, and only then.";

    /// IKE detected a NAT, and ESP is sent as IP protocol 50 all the same.
    ///
    /// A NAT has no ports to tell apart the hosts behind it, so what comes back does not find its way. Found by the hashes
    /// of NAT detection, which do not fit the addresses on the wire.
    /// Example: NAT detection that found a NAT, and ESP as IP protocol 50.
    SEC_NAT_T_NEEDED = "sec-nat-t-needed", Error, "RFC 3947 5.1",
        "when a NAT is detected, UDP encapsulation should be used.";

    /// Packets in UDP pause for more than a minute, and no NAT keepalives are sent.
    ///
    /// A NAT forgets its mapping after some time without packets, often after 30 s; what comes back later is lost.
    /// Example: ESP in UDP, silence of 70 s without a keepalive, and the next packet from another port.
    SEC_NAT_KEEPALIVE_MISSING = "sec-nat-keepalive-missing", Note, "RFC 3948 4",
        "a NAT-keepalive should be sent if no other packet was sent for 20 seconds (the default).";

    /// Two clients behind one NAT have SAs with the same selectors, and the older one gets no packets any more.
    ///
    /// In transport mode both look like the same address with UDP port 1701. A gateway that looks only at these sends the
    /// answers for the first client with the SA of the second, who drops them. Usual cause: a server that does not tell
    /// clients by their NAT-T port. Example: a second Windows client behind the same NAT.
    SEC_NAT_PORT_COLLISION = "sec-nat-port-collision", Warning, "RFC 3948 5.2",
        "in transport mode the server cannot tell which SA is right for two clients behind one NAT.";

    /// IKE agreed on a Diffie-Hellman group that is too small.
    ///
    /// The 768-bit group must not be used and the 1024-bit group should not: whoever records the exchange may read it later.
    /// Usual cause: an old client or an old default of the server.
    SEC_WEAK_GROUP = "sec-weak-group", Note, "RFC 8247 2.4",
        "768-bit MODP MUST NOT be used, 1024-bit MODP SHOULD NOT.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    leak(case, found);
    for sa in &case.analysis.ike {
        weak_group(sa, found);
        encapsulation(sa, found);
        nat_needed(case, sa, found);
    }
    let connections: Vec<_> = case.analysis.in_order().into_iter().take(MOST_COMPARED).collect();
    for sa in case.some_ike() {
        for child in &sa.children {
            mismatch(&connections, sa, child, found);
        }
    }
    for flow in &case.analysis.flows {
        keepalive(case, flow, found);
    }
    let flows: Vec<&Flow> = case.analysis.flows.iter().take(MOST_COMPARED).collect();
    if let Some(collision) = collision(&flows) {
        found.push(collision.finding(case));
    }
}

/// The IKE SA between the ends of a connection that made an SA before it began.
fn agreed<'a>(case: &Case<'a>, connection: &Connection) -> Option<&'a IkeSa> {
    let ends = connection.ends.each_ref().map(|end| end.endpoint.address);
    case.some_ike().find(|sa| {
        ends.contains(&sa.initiator)
            && ends.contains(&sa.responder)
            && sa.agreed()
            && sa.first.packet < connection.first_packet
            && sa.ended.is_none_or(|(at, _)| at.packet > connection.first_packet)
    })
}

fn leak(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        let [under_esp, in_clear] = connection.protection;
        // A packet or two after the end of the SA are no leak of the policy.
        let decrypted = super::gateway_view::without_a_key(case, connection).is_some();
        if in_clear == 0 || under_esp > 0 || !connection.from_start || decrypted {
            continue;
        }
        let Some(sa) = agreed(case, connection) else { continue };
        let esp = case.analysis.totals.esp_frames > 0;
        let ports = format!("ports {} to {}", connection.first_ports.0, connection.first_ports.1);
        found.push(
            Finding::new(
                &SEC_LEAK_WITH_SA,
                format!("{} runs beside the SA, in the clear", words::tunnel(connection)),
            )
            .packets(&[sa.first.packet, connection.first_packet])
            .connection(connection.number)
            .seen(format!(
                "IKEv{} agreed from packet {} on; then {} in the clear ({ports}).",
                sa.version,
                sa.first.packet,
                count(in_clear.into(), "packet")
            ))
            // Guard G15.
            .unsure(esp.then(|| {
                String::from("on a gateway, the capture also shows packets in the clear that came or leave under ESP.")
            }))
            .advice("compare the selectors of the policy with these ports; stop what else holds UDP 1701 on the client."),
        );
    }
}

fn covers(selector: &Selector, port: u16) -> bool {
    matches!(selector.protocol, 0 | 17) && (selector.ports.0..=selector.ports.1).contains(&port)
}

fn mismatch(
    connections: &[(ConnectionId, &Connection)],
    sa: &IkeSa,
    child: &Child,
    found: &mut Vec<Finding>,
) {
    let [first, second] = child.selectors.as_slice() else { return };
    let ends = [sa.initiator, sa.responder];
    let connection = connections.iter().find(|(_, connection)| {
        connection.first_packet > child.made.packet
            && connection.ends.iter().all(|end| ends.contains(&end.endpoint.address))
    });
    let Some((_, connection)) = connection else { return };
    let (from, to) = connection.first_ports;
    // Either end may have begun the exchange.
    let fits = covers(first, from) && covers(second, to) || covers(first, to) && covers(second, from);
    if fits || connection.protection[0] > 0 {
        return;
    }
    let words = |selector: &Selector| match selector.ports {
        (0, u16::MAX) => String::from("any port"),
        (a, b) if a == b => format!("port {a}"),
        (a, b) => format!("ports {a} to {b}"),
    };
    found.push(
        Finding::new(
            &SEC_SELECTOR_MISMATCH,
            format!("the SA does not cover the ports of {}", words::tunnel(connection)),
        )
        .packets(&[child.made.packet, connection.first_packet])
        .connection(connection.number)
        .seen(format!("agreed: {} and {}; used: port {from} to port {to}.", words(first), words(second)))
        .advice(
            "widen the policy (libreswan: leftprotoport=udp/%any), or have L2TP use port 1701 on both sides.",
        ),
    );
}

/// Encapsulation Modes in UDP: of RFC 3947 section 5.1 and of the drafts before it.
const IN_UDP: [u64; 4] = [3, 4, 61443, 61444];

fn encapsulation(sa: &IkeSa, found: &mut Vec<Finding>) {
    let behind = sa.behind_nat.contains(&Some(true));
    if sa.nat().is_none() {
        return;
    }
    for child in &sa.children {
        let Some(mode) = child.encapsulation.filter(|mode| IN_UDP.contains(mode) != behind) else { continue };
        let (in_udp, nat) =
            if behind { ("without", "a NAT was detected") } else { ("in", "no NAT was detected") };
        found.push(
            Finding::new(&SEC_ENCAP_MODE_WRONG, format!("quick mode agreed on ESP {in_udp} UDP"))
                .packets(&[child.made.packet])
                .seen(format!("Encapsulation Mode {mode}, though {nat}."))
                .unsure(Some(String::from("an end may be set to use UDP in any case.")))
                .advice("compare the NAT traversal settings of both sides (encap, forceencaps)."),
        );
        return;
    }
}

fn nat_needed(case: &Case<'_>, sa: &IkeSa, found: &mut Vec<Finding>) {
    let Some(end) = sa.behind_nat.iter().position(|behind| *behind == Some(true)) else { return };
    let ends = [sa.initiator, sa.responder];
    let flow = case.some_flows().find(|flow| {
        flow.encapsulation == Encapsulation::Ip
            && ends.contains(&flow.addresses.source)
            && ends.contains(&flow.addresses.destination)
            && flow.first.0 >= sa.first.time
    });
    let Some(flow) = flow else { return };
    let behind = if end == 0 { sa.initiator } else { sa.responder };
    found.push(
        Finding::new(&SEC_NAT_T_NEEDED, "ESP is sent outside UDP although there is a NAT")
            .packets(&[sa.first.packet, flow.first.1])
            .spi(flow.spi)
            .seen(format!(
                "NAT detection says that {behind} is behind a NAT; SA {} uses IP protocol 50.",
                flow.spi
            ))
            .advice("switch on NAT traversal on both sides, or force it (strongSwan: encap=yes)."),
    );
}

const LONG_PAUSE: Duration = Duration::seconds(60);

fn keepalive(case: &Case<'_>, flow: &Flow, found: &mut Vec<Finding>) {
    let (pause, since) = flow.longest_pause;
    if flow.encapsulation != Encapsulation::Udp || pause < LONG_PAUSE || flow.replaced_by.is_some() {
        return;
    }
    let analysis = case.analysis;
    let behind = case.some_ike().find_map(|sa| {
        let ends = [sa.initiator, sa.responder];
        let end = ends.iter().position(|end| *end == flow.addresses.source)?;
        ends.contains(&flow.addresses.destination).then(|| sa.behind_nat.get(end).copied().flatten())?
    });
    let sends = analysis.keepalives.iter().any(|known| known.addresses == flow.addresses);
    if sends || behind == Some(false) {
        return;
    }
    found.push(
        Finding::new(
            &SEC_NAT_KEEPALIVE_MISSING,
            format!("{} sends no NAT keepalives", flow.addresses.source),
        )
        .packets(&[flow.first.1])
        .spi(flow.spi)
        .seen(format!(
            "no packet of SA {} for {pause} from {} on, and no keepalive.",
            flow.spi,
            case.at(since)
        ))
        .unsure(behind.is_none().then(|| {
            String::from(
                "the capture does not show whether this end is behind a NAT; only that end sends them.",
            )
        }))
        .advice("set a NAT keepalive of 20 s on the client (strongSwan: keep_alive)."),
    );
}

/// Two clients behind one NAT whose SAs are mixed up.
pub(super) struct Collision<'a> {
    /// From the server to the first client: it stopped.
    pub old: &'a Flow,
    /// From the server to the second client.
    pub new: &'a Flow,
    /// From the first client to the server: it goes on.
    pub asks: &'a Flow,
}

/// SAs and connections that are compared with each other.
const MOST_COMPARED: usize = 512;

/// Looks for an SA that fell silent when another one to the same address, on another port, began.
pub(super) fn collision<'a>(flows: &[&'a Flow]) -> Option<Collision<'a>> {
    let in_udp = || flows.iter().copied().filter(|flow: &&'a Flow| flow.encapsulation == Encapsulation::Udp);
    let back = |flow: &Flow| (flow.ports.1, flow.ports.0);
    // A rekey ends an SA: the client is served on the next one.
    let goes_on = |old: &Flow| {
        in_udp().any(|other| {
            other.addresses == old.addresses && other.ports == old.ports && other.last.0 > old.last.0
        })
    };
    in_udp().find_map(|new| {
        let old = in_udp().find(|old| {
            let silent = new.first.0.since(old.last.0);
            old.addresses == new.addresses
                && old.ports != new.ports
                && old.first_ports.is_none()
                && !goes_on(old)
                && old.first.0 < new.first.0
                && silent > Duration(-Duration::seconds(1).0)
        })?;
        let asks = in_udp().find(|asks| {
            asks.addresses.source == old.addresses.destination
                && asks.addresses.destination == old.addresses.source
                && asks.ports == back(old)
                && asks.last.0.since(new.first.0) > Duration::seconds(5)
        })?;
        Some(Collision { old, new, asks })
    })
}

impl Collision<'_> {
    fn finding(&self, case: &Case<'_>) -> Finding {
        let (old, new) = (self.old, self.new);
        Finding::new(
            &SEC_NAT_PORT_COLLISION,
            format!("a second client behind {} takes the answers of the first", old.addresses.destination),
        )
        .packets(&[new.first.1, old.last.1])
        .spi(old.spi)
        .seen(format!(
            "SA {} to port {} began at {}; SA {} to port {} ended at {}, though packets from that port came until {}.",
            new.spi,
            new.ports.1,
            case.at(new.first.0),
            old.spi,
            old.ports.1,
            case.at(old.last.0),
            case.at(self.asks.last.0)
        ))
        .unsure(Some(String::from("the first client's tunnel may have ended by itself at that moment.")))
        .advice("have the server tell clients by their port (a mark for each SA; strongSwan: connmark), or use one gateway for all clients.")
    }
}

fn weak_group(sa: &IkeSa, found: &mut Vec<Finding>) {
    let words = match sa.group {
        Some(1) => "768-bit MODP (group 1) MUST NOT be used",
        Some(2) => "1024-bit MODP (group 2) SHOULD NOT be used",
        Some(22) => "1024-bit MODP with 160-bit prime order subgroup (group 22) MUST NOT be used",
        _ => return,
    };
    found.push(
        Finding::new(&SEC_WEAK_GROUP, "IKE agreed on a small Diffie-Hellman group")
            .packets(&[sa.first.packet])
            .seen(format!("IKEv{} {} to {}: {words}.", sa.version, sa.initiator, sa.responder))
            .advice("offer group 14 (2048-bit MODP) or larger on both sides."),
    );
}
