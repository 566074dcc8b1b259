//! ICMP errors about L2TP, IKE and ESP: closed ports, and packets that were too big (RFC 792, RFC 1191).

use crate::dissect::layers::{Addresses, IcmpError};

use super::facts::{Fact, Scope};
use super::{Meta, Tracker};

/// Flows that an ICMP error is compared with.
const MOST_COMPARED: usize = 1024;

/// Whether the quoted packet is ESP in IP.
fn quoted_esp(icmp: &IcmpError) -> bool {
    icmp.quoted_protocol == 50
}

impl Tracker {
    pub(super) fn icmp(&mut self, icmp: &IcmpError, meta: &Meta) {
        let unreachable = if icmp.v6 { (1, 4) } else { (3, 3) };
        let ours = |port: u16| matches!(port, 1701 | 500 | 4500);
        let quoted = icmp.quoted_ports.is_some_and(|(source, destination)| ours(source) || ours(destination));
        let too_big = if icmp.v6 { (2, 0) } else { (3, 4) };
        let flow = |addresses: Option<Addresses>| {
            addresses.is_some_and(|quoted| {
                quoted_esp(icmp)
                    && self.state.flows.iter().take(MOST_COMPARED).any(|flow| flow.addresses == quoted)
            })
        };
        if (icmp.kind, icmp.code) == too_big && (quoted || flow(icmp.quoted)) {
            self.note(Fact::FragmentationNeeded, Scope::default(), meta, 1);
            if let Some(mtu) = icmp.mtu
                && self.state.path_mtu.is_none_or(|(_, least)| mtu < least)
            {
                self.state.path_mtu = Some((icmp.addresses.source, mtu));
            }
        }
        if (icmp.kind, icmp.code) == unreachable && quoted {
            self.note(Fact::PortUnreachable, Scope::default(), meta, 1);
            let closed = icmp.quoted_ports.map_or(0, |(_, destination)| destination);
            self.state.unreachable.get_or_insert((icmp.addresses.source, closed));
        }
    }
}
