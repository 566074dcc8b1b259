//! Conversations for tests.

use std::net::{IpAddr, Ipv4Addr};

use super::{CallTraffic, TrafficBudget, TunnelAddresses};
use crate::dissect::layers::{
    Addresses, DnsHeader, IcmpBody, IcmpMessage, Inner, Quoted, TcpSegment, Transport,
};
use crate::util::{Duration, Timestamp};

pub(super) const LAC_OUTER: &str = "203.0.113.1";
pub(super) const LNS_OUTER: &str = "203.0.113.2";

/// A call in which packets are sent one after the other.
pub(super) struct Talk {
    pub traffic: CallTraffic,
    pub budget: TrafficBudget,
    pub tunnel: Tunnel,
    pub packet: u64,
    pub time: Timestamp,
}

/// The tunnel around it: the addresses of its two ends, outside and inside.
pub(super) struct Tunnel {
    outer: [IpAddr; 2],
    pub ppp: [Option<Ipv4Addr>; 2],
}

impl Tunnel {
    pub fn addresses(&self) -> TunnelAddresses<'_> {
        TunnelAddresses { outer: self.outer.each_ref(), ppp: &self.ppp }
    }
}

impl Default for Talk {
    fn default() -> Self {
        let outer = [LAC_OUTER, LNS_OUTER].map(|address| address.parse().unwrap());
        let ppp = ["10.99.0.10", "10.99.0.1"].map(|address| address.parse().ok());
        Self {
            traffic: CallTraffic::default(),
            budget: TrafficBudget::default(),
            tunnel: Tunnel { outer, ppp },
            packet: 0,
            time: Timestamp(0),
        }
    }
}

impl Talk {
    pub fn send(&mut self, from: u8, inner: Inner) -> &mut Self {
        self.packet += 1;
        let at = (self.packet, self.time);
        let tunnel = self.tunnel.addresses();
        self.traffic.push(&inner, from, at, inner.octets, &tunnel, &mut self.budget);
        self
    }

    pub fn send_octets(&mut self, from: u8, inner: Inner, octets: u32) -> &mut Self {
        self.send(from, Inner { octets, ..inner })
    }

    /// So many milliseconds pass.
    pub fn after(&mut self, milliseconds: i64) -> &mut Self {
        self.time = self.time.after(Duration::millis(milliseconds));
        self
    }

    pub fn gap(&mut self, from: u8, missing: u16) -> &mut Self {
        self.traffic.directions[usize::from(from)].gap(self.packet + 1, missing);
        self
    }
}

pub(super) fn ends(source: &str, destination: &str) -> Addresses {
    Addresses { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

pub(super) fn packet(
    source: &str,
    destination: &str,
    protocol: u8,
    ports: Option<(u16, u16)>,
    transport: Transport,
    octets: u32,
) -> Inner {
    let addresses = Some(ends(source, destination));
    Inner { addresses, protocol, ports, sequence: None, octets, fragment: None, transport }
}

fn icmp(source: &str, destination: &str, kinds: (u8, u8), body: IcmpBody) -> Inner {
    let v6 = source.parse::<IpAddr>().unwrap().is_ipv6();
    let (protocol, kind) = if v6 { (58, kinds.1) } else { (1, kinds.0) };
    let message = IcmpMessage { v6, kind, code: 0, body };
    packet(source, destination, protocol, None, Transport::Icmp(message), 84)
}

pub(super) fn echo(source: &str, destination: &str, identifier: u16, sequence: u16) -> Inner {
    icmp(source, destination, (8, 128), IcmpBody::Echo { reply: false, identifier, sequence })
}

pub(super) fn reply(source: &str, destination: &str, identifier: u16, sequence: u16) -> Inner {
    icmp(source, destination, (0, 129), IcmpBody::Echo { reply: true, identifier, sequence })
}

/// An ICMP error of a type and code about a packet with these addresses, protocol and ports.
pub(super) fn error(
    source: &str,
    destination: &str,
    (kind, code): (u8, u8),
    (from, to, protocol, ports): (&str, &str, u8, Option<(u16, u16)>),
    mtu: Option<u32>,
) -> Inner {
    let quoted = Some(Quoted { addresses: ends(from, to), protocol, ports });
    let message = IcmpMessage { v6: false, kind, code, body: IcmpBody::Error { quoted, mtu } };
    packet(source, destination, 1, None, Transport::Icmp(message), 56)
}

pub(super) fn udp(source: &str, destination: &str, from: u16, to: u16) -> Inner {
    packet(source, destination, 17, Some((from, to)), Transport::Udp(None), 100)
}

pub(super) fn igmp(source: &str, destination: &str) -> Inner {
    packet(source, destination, 2, None, Transport::Other, 40)
}

pub(super) fn dns(source: &str, server: &str, port: u16, id: u16) -> Inner {
    let header = DnsHeader { id, response: false, rcode: 0 };
    packet(source, server, 17, Some((port, 53)), Transport::Udp(Some(header)), 60)
}

pub(super) fn answer(server: &str, destination: &str, port: u16, id: u16, rcode: u8) -> Inner {
    let header = DnsHeader { id, response: true, rcode };
    packet(server, destination, 17, Some((53, port)), Transport::Udp(Some(header)), 120)
}

fn segment(source: &str, destination: &str, ports: (u16, u16), segment: TcpSegment) -> Inner {
    let octets = 40 + segment.payload.unwrap_or(0);
    packet(source, destination, 6, Some(ports), Transport::Tcp(segment), octets)
}

pub(super) fn flagged(
    source: &str,
    destination: &str,
    ports: (u16, u16),
    flags: u8,
    (sequence, acknowledgment, payload): (u32, u32, u32),
) -> Inner {
    let mss = (flags & TcpSegment::SYN != 0).then_some(1360);
    let all = TcpSegment { sequence, acknowledgment, flags, payload: Some(payload), mss };
    segment(source, destination, ports, all)
}

pub(super) fn syn(source: &str, destination: &str, from: u16, to: u16, sequence: u32) -> Inner {
    flagged(source, destination, (from, to), TcpSegment::SYN, (sequence, 0, 0))
}

pub(super) fn fin(source: &str, destination: &str, from: u16, to: u16, sequence: u32) -> Inner {
    flagged(source, destination, (from, to), TcpSegment::FIN | TcpSegment::ACK, (sequence, 1, 0))
}

/// A segment with ACK.
pub(super) fn tcp(
    source: &str,
    destination: &str,
    from: u16,
    to: u16,
    sequence: u32,
    acknowledgment: u32,
    payload: u32,
) -> Inner {
    let numbers = (sequence, acknowledgment, payload);
    flagged(source, destination, (from, to), TcpSegment::ACK, numbers)
}
