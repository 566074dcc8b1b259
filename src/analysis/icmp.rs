//! ICMP errors about L2TP, IKE and ESP: closed ports, and packets that were too big (RFC 792, RFC 1191). An error belongs to
//! the flow that it quotes.

use crate::dissect::layers::{Addresses, Endpoint, IcmpError, Udp};

use super::control::message::other;
use super::log::Observation;
use super::meta::Meta;
use super::tracker::Tracker;

/// Flows that an ICMP error is compared with.
const MOST_COMPARED: usize = 1024;
/// The protocol number of ESP.
const ESP: u8 = 50;

/// Takes an ICMP error.
pub(super) fn error(tracker: &mut Tracker, icmp: &IcmpError, meta: &Meta) {
    let unreachable = if icmp.v6 { (1, 4) } else { (3, 3) };
    let too_big = if icmp.v6 { (2, 0) } else { (3, 4) };
    let ours = |port: u16| matches!(port, 1701 | 500 | 4500);
    let connection = quoted(icmp).and_then(|udp| tracker.identity.between(&tracker.found, &udp));
    let quoted = icmp.quoted_ports.is_some_and(|(source, destination)| ours(source) || ours(destination));
    let flow = |addresses: Option<Addresses>| {
        addresses.is_some_and(|quoted| {
            icmp.quoted_protocol == ESP
                && tracker.found.flows.iter().take(MOST_COMPARED).any(|flow| flow.addresses == quoted)
        })
    };
    if (icmp.kind, icmp.code) == too_big && (quoted || connection.is_some() || flow(icmp.quoted)) {
        tracker.of_capture(Observation::FragmentationNeeded, meta.at(), 1);
        if let Some(mtu) = icmp.mtu
            && tracker.found.path_mtu.is_none_or(|(_, least)| mtu < least)
        {
            tracker.found.path_mtu = Some((icmp.addresses.source, mtu));
        }
    }
    if (icmp.kind, icmp.code) == unreachable && (quoted || connection.is_some()) {
        tracker.of_capture(Observation::PortUnreachable, meta.at(), 1);
        let closed = icmp.quoted_ports.map_or(0, |(_, destination)| destination);
        tracker.found.unreachable.get_or_insert((icmp.addresses.source, closed));
        if let Some((id, from)) = connection {
            // The end that the quoted packet went to has closed its port.
            tracker.of_connection(id, other(from), Observation::PortUnreachable, meta.at(), closed.into());
        }
    }
}

/// The datagram that an error quotes, if its ports are there.
fn quoted(icmp: &IcmpError) -> Option<Udp> {
    let (addresses, (source, destination)) = icmp.quoted.zip(icmp.quoted_ports)?;
    Some(Udp {
        source: Endpoint { address: addresses.source, port: source },
        destination: Endpoint { address: addresses.destination, port: destination },
        checksum: 0,
    })
}
