//! Packets of the tunnel inside the tunnel: what should go around it goes into it, where it can only be lost.

use std::net::IpAddr;

use crate::analysis::ids::bump;
use crate::dissect::layers::{Addresses, Inner};

use super::TunnelAddresses;
use super::evidence::Examples;

const UDP: u8 = 17;
const ESP: u8 = 50;
const AH: u8 = 51;
const L2TPV3: u8 = 115;
/// L2TP, IKE, and IKE and ESP past a NAT.
const PORTS: [u16; 3] = [1701, 500, 4500];

/// Packets with the outer addresses of their own tunnel.
#[derive(Debug, Clone, Default)]
pub struct Looped {
    /// Packets from each end that belong to the tunnel itself: between its outer addresses, or of L2TP, ESP, AH or IKE to
    /// one of them.
    pub packets: [u64; 2],
    /// The first of them.
    pub examples: Examples,
    /// Other packets from each end to an outer address: a route leads into the tunnel that should lead around it.
    pub to_outer: [u64; 2],
    /// The first of these.
    pub to_outer_examples: Examples,
}

/// What a packet has to do with the outer addresses of its own tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    /// It is one of the tunnel.
    Tunnel,
    /// It goes to an outer address.
    ToOuter,
}

/// Compares a packet with the tunnel that carries it.
#[inline]
pub(super) fn find(inner: &Inner, ends: &Addresses, tunnel: &TunnelAddresses<'_>) -> Option<Loop> {
    if !tunnel.outer.contains(&&ends.destination) {
        return None;
    }
    judge(inner, ends, tunnel)
}

#[cold]
fn judge(inner: &Inner, ends: &Addresses, tunnel: &TunnelAddresses<'_>) -> Option<Loop> {
    let of_tunnel = match inner.protocol {
        ESP | AH | L2TPV3 => true,
        UDP => inner.ports.is_some_and(|(source, destination)| {
            PORTS.contains(&destination) || PORTS.contains(&source) && tunnel.outer.contains(&&ends.source)
        }),
        _ => false,
    };
    if of_tunnel {
        return Some(Loop::Tunnel);
    }
    // A gateway may have one address outside and inside: then nothing but the protocol tells.
    let inside = |address: IpAddr| tunnel.ppp.iter().flatten().any(|known| IpAddr::V4(*known) == address);
    if inside(ends.destination) {
        return None;
    }
    let both = tunnel.outer.contains(&&ends.source) && !inside(ends.source);
    Some(if both && ends.source != ends.destination { Loop::Tunnel } else { Loop::ToOuter })
}

impl Looped {
    pub(super) fn push(&mut self, what: Loop, from: u8, packet: u64) {
        let (counts, examples) = match what {
            Loop::Tunnel => (&mut self.packets, &mut self.examples),
            Loop::ToOuter => (&mut self.to_outer, &mut self.to_outer_examples),
        };
        if let Some(count) = counts.get_mut(usize::from(from)) {
            bump(count);
        }
        examples.push(packet);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LAC_OUTER, LNS_OUTER, Talk, echo, packet, syn, udp};
    use crate::dissect::layers::Transport;

    const CLIENT: &str = "10.99.0.10";

    fn loops(talk: &Talk) -> ([u64; 2], [u64; 2]) {
        talk.traffic.looped().map_or(([0; 2], [0; 2]), |found| (found.packets, found.to_outer))
    }

    #[test]
    fn the_tunnel_in_itself_in_three_dresses() {
        for dress in [
            udp(LAC_OUTER, LNS_OUTER, 1701, 1701),
            // Sent with the address that PPP gave, which the route into the tunnel chose; and ESP in its place.
            udp(CLIENT, LNS_OUTER, 40000, 4500),
            packet(CLIENT, LNS_OUTER, 50, None, Transport::Other, 120),
            // A later fragment of it.
            packet(LAC_OUTER, LNS_OUTER, 17, None, Transport::Other, 120),
        ] {
            let mut talk = Talk::default();
            talk.send(0, dress).send(0, dress);
            assert_eq!(loops(&talk), ([2, 0], [0, 0]), "{dress:?}");
            assert_eq!(talk.traffic.looped().map(|found| found.examples.packets().len()), Some(2));
        }
    }

    #[test]
    fn a_route_to_the_gateway_that_leads_inside() {
        let mut talk = Talk::default();
        talk.send(0, echo(CLIENT, LNS_OUTER, 1, 1)).send(0, syn(CLIENT, LNS_OUTER, 4000, 443, 1));
        assert_eq!(loops(&talk), ([0, 0], [2, 0]));
    }

    #[test]
    fn what_is_no_loop() {
        let mut talk = Talk::default();
        // A tunnel of the user's to somewhere else, and what comes from the gateway's outer address.
        talk.send(0, udp(CLIENT, "192.0.2.99", 4500, 4500)).send(0, udp(CLIENT, "192.0.2.99", 1701, 1701));
        talk.send(1, udp(LNS_OUTER, CLIENT, 53, 4000)).send(1, echo(LNS_OUTER, CLIENT, 1, 1));
        assert_eq!(loops(&talk), ([0, 0], [0, 0]));
    }

    #[test]
    fn a_gateway_with_one_address_inside_and_outside() {
        let mut talk = Talk::default();
        talk.tunnel.ppp[1] = LNS_OUTER.parse().ok();
        talk.send(0, echo(CLIENT, LNS_OUTER, 1, 1)).send(0, syn(CLIENT, LNS_OUTER, 4000, 80, 1));
        assert_eq!(loops(&talk), ([0, 0], [0, 0]));
        talk.send(0, udp(LAC_OUTER, LNS_OUTER, 1701, 1701));
        assert_eq!(loops(&talk), ([1, 0], [0, 0]));
    }
}
