//! What is counted of the TCP connections of one end, and what tells one connection from another.

use std::net::IpAddr;

use crate::dissect::layers::Addresses;

use super::super::evidence::{Examples, RoundTrip, RoundTrips};

/// Data that is sent again and again and never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// Octets of the largest IP packet of these connections that was acknowledged.
    pub largest_passed: Option<u32>,
    /// Octets of the smallest IP packet that was sent again three times or more and never acknowledged.
    pub smallest_stuck: u32,
    /// How often such packets were sent again.
    pub packets: u64,
    /// Connections.
    pub flows: u32,
    /// The first packet that was sent again.
    pub first: u64,
    /// The last packet that was sent again.
    pub last: u64,
}

impl Stuck {
    pub(super) fn merge(known: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (Some(known), Some(other)) = (known, other) else { return known.or(other) };
        Some(Self {
            largest_passed: known.largest_passed.max(other.largest_passed),
            smallest_stuck: known.smallest_stuck.min(other.smallest_stuck),
            packets: known.packets.saturating_add(other.packets),
            flows: known.flows.saturating_add(other.flows),
            first: known.first.min(other.first),
            last: known.last.max(other.last),
        })
    }
}

/// Octets of TCP data that never came by, though later data did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holes {
    /// Holes that were there when the connection was last looked at, and were not acknowledged.
    pub open: u32,
    /// Octets of the smallest and the largest of them: data, without headers.
    pub octets: Option<(u32, u32)>,
    /// Holes whose octets came soon after: out of order.
    pub reordered: u64,
    /// Holes whose octets were acknowledged though they never came by: the capture lacks them.
    pub unseen: u64,
}

/// TCP from one end of a tunnel: connections that it opened, data that it sent.
#[derive(Debug, Clone, Default)]
pub struct TcpTotals {
    /// Connections that were opened: the SYN from this end was answered with a SYN and that was acknowledged.
    pub opened: u64,
    /// SYNs that were answered with a RST or an ICMP error.
    pub refused: u64,
    /// SYNs to which nothing came back, one that is sent again counted once.
    pub unanswered_syn: u64,
    /// SYNs that were answered with a SYN which this end never acknowledged.
    pub half_open: u64,
    /// Segments with data.
    pub segments: u64,
    /// Octets of data, with what was sent again.
    pub octets: u64,
    /// Segments with data that was sent before, or that fill a hole later than packets that overtake each other.
    pub resent: u64,
    /// Octets of the largest IP packet with data that was acknowledged.
    pub largest_passed: Option<u32>,
    /// Data that is never acknowledged.
    pub stuck: Option<Stuck>,
    /// Data that is missing.
    pub holes: Holes,
    /// The smallest and the largest Maximum Segment Size that this end's SYNs announced.
    pub mss: Option<(u16, u16)>,
    /// The first SYNs of connections that were opened.
    pub opened_packets: Examples,
    /// The first SYNs that were refused.
    pub refused_packets: Examples,
    /// The first SYNs that were not answered.
    pub unanswered_packets: Examples,
    /// The first segments that were sent again.
    pub resent_packets: Examples,
    pub(super) round_trips: RoundTrips,
}

impl TcpTotals {
    /// From a SYN to the SYN that answers it.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trips.summary()
    }

    pub(super) fn announce(&mut self, mss: u16) {
        let (least, most) = self.mss.unwrap_or((mss, mss));
        self.mss = Some((least.min(mss), most.max(mss)));
    }
}

/// A connection: its addresses and ports at the side of end 0 and at the side of end 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) addresses: [IpAddr; 2],
    pub(super) ports: [u16; 2],
}

impl Key {
    /// Of a packet that the end `from` sent.
    #[inline]
    pub(crate) fn new(ends: &Addresses, (source, destination): (u16, u16), from: u8) -> Self {
        let (addresses, ports) = ([ends.source, ends.destination], [source, destination]);
        match from {
            0 => Self { addresses, ports },
            _ => {
                let ([a, b], [p, q]) = (addresses, ports);
                Self { addresses: [b, a], ports: [q, p] }
            }
        }
    }

    /// A number that differs for most connections of a call. Whoever makes all alike makes a search of 64.
    #[inline]
    pub(super) fn tag(&self) -> u32 {
        let low = |address: IpAddr| match address {
            IpAddr::V4(address) => u32::from(address),
            IpAddr::V6(address) => {
                let [.., a, b, c, d] = address.octets();
                u32::from_be_bytes([a, b, c, d])
            }
        };
        let [near, far] = self.addresses.map(low);
        let [p, q] = self.ports.map(u32::from);
        near.rotate_left(16) ^ far.wrapping_mul(0x9e37_79b1) ^ p.rotate_left(16) ^ q
    }
}
