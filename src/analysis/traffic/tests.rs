//! Calls that carry all kinds of traffic, and hostile ones.

use proptest::prelude::*;

use super::testing::{Talk, echo, ends, packet, reply, tcp, udp};
use super::*;
use crate::dissect::layers::{DnsHeader, InnerFragment, Quoted, TcpSegment};

const CLIENT: &str = "10.99.0.10";
const FAR: &str = "192.0.2.7";

#[test]
fn a_call_without_user_packets_takes_no_room() {
    let mut traffic = TrafficOfCall::default();
    traffic.gap(0, 1, 7);
    assert!(traffic.get().is_none());
    assert_eq!(std::mem::size_of::<TrafficOfCall>(), 8);
    let (mut budget, talk) = (TrafficBudget::default(), Talk::default());
    let inner = udp(CLIENT, FAR, 1, 2);
    traffic.push(&inner, 0, (1, Timestamp(0)), 100, &talk.tunnel.addresses(), &mut budget);
    assert_eq!(traffic.get().map(|found| found.direction(0).octets), Some(100));
    assert_eq!(budget, TrafficBudget::default());
}

#[test]
fn octets_are_those_of_the_ip_header_else_those_that_are_carried() {
    let mut talk = Talk::default();
    talk.send(0, udp(CLIENT, FAR, 1, 2)).send_octets(0, udp(CLIENT, FAR, 1, 2), 0);
    assert_eq!(talk.traffic.direction(0).octets, 100);
    let at = (9, Timestamp(0));
    let open = Inner { octets: 0, ..udp(CLIENT, FAR, 1, 2) };
    talk.traffic.push(&open, 0, at, 77, &talk.tunnel.addresses(), &mut talk.budget);
    assert_eq!(talk.traffic.direction(0).octets, 177);
}

#[test]
fn what_a_call_holds_is_given_back() {
    let mut traffic = TrafficOfCall::default();
    let (mut budget, talk) = (TrafficBudget::default(), Talk::default());
    for number in 0..500u16 {
        for inner in [
            tcp(CLIENT, FAR, number, 80, 1, 1, 10),
            echo(CLIENT, FAR, number, 1),
            super::testing::dns(CLIENT, FAR, number, 1),
        ] {
            traffic.push(&inner, 0, (1, Timestamp(0)), 100, &talk.tunnel.addresses(), &mut budget);
        }
    }
    assert!(budget.flows_left < TrafficBudget::default().flows_left);
    traffic.give_back(&mut budget);
    assert_eq!(budget, TrafficBudget::default());
}

#[test]
fn without_budget_calls_are_still_counted() {
    let budget = TrafficBudget { flows_left: 0, entries_left: 0, refused: 0 };
    let mut talk = Talk { budget, ..Talk::default() };
    talk.send(0, tcp(CLIENT, FAR, 1, 80, 1, 1, 10)).send(0, echo(CLIENT, FAR, 1, 1));
    talk.send(1, reply(FAR, CLIENT, 1, 1));
    assert_eq!(talk.traffic.direction(0).packets, 2);
    assert_eq!(talk.traffic.tcp(0).segments, 0);
    assert_eq!(talk.traffic.echo_counts(0).map(|asked| (asked.asked, asked.unanswered)), Some((1, 0)));
    assert!(talk.budget.refused >= 2);
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        (0u8..4).prop_map(|last| IpAddr::from([203, 0, 113, last])),
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0u32..6000, (u32::MAX - 3000)..=u32::MAX]
}

fn transport() -> impl Strategy<Value = (u8, Transport)> {
    let segment = (number(), number(), any::<u8>(), proptest::option::of(0u32..2000), any::<Option<u16>>());
    let quoted = (address(), address(), any::<u8>(), any::<Option<(u16, u16)>>());
    prop_oneof![
        segment.prop_map(|(sequence, acknowledgment, flags, payload, mss)| {
            (6, Transport::Tcp(TcpSegment { sequence, acknowledgment, flags, payload, mss }))
        }),
        (any::<u16>(), any::<bool>(), 0u8..16).prop_map(|(id, response, rcode)| {
            (17, Transport::Udp(Some(DnsHeader { id, response, rcode })))
        }),
        (any::<bool>(), any::<u16>(), 0u16..3).prop_map(|(reply, identifier, sequence)| {
            let body = IcmpBody::Echo { reply, identifier, sequence };
            (1, Transport::Icmp(IcmpMessage { v6: false, kind: 8, code: 0, body }))
        }),
        (any::<bool>(), any::<u8>(), any::<u8>(), any::<Option<u32>>(), proptest::option::of(quoted))
            .prop_map(|(v6, kind, code, mtu, quoted)| {
                let quoted = quoted.map(|(source, destination, protocol, ports)| Quoted {
                    addresses: Addresses { source, destination },
                    protocol,
                    ports,
                });
                (1, Transport::Icmp(IcmpMessage { v6, kind, code, body: IcmpBody::Error { quoted, mtu } }))
            }),
        any::<u8>().prop_map(|protocol| (protocol, Transport::Other)),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    let ports = prop_oneof![any::<(u16, u16)>(), Just((4000, 53)), Just((53, 4000)), Just((4000, 80))];
    let fragment = proptest::option::of((any::<u16>(), any::<bool>()));
    (address(), address(), proptest::option::of(ports), any::<u32>(), fragment, transport()).prop_map(
        |(source, destination, ports, octets, fragment, (protocol, transport))| Inner {
            addresses: Some(Addresses { source, destination }),
            protocol,
            ports,
            sequence: None,
            octets,
            fragment: fragment.map(|(offset, more)| InnerFragment { offset, more }),
            transport,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is sent: nothing panics, the tables stay within their limits, and what they hold is what the budget says.
    #[test]
    fn hostile_packets_fill_no_more_than_their_room(
        packets in proptest::collection::vec((inner(), 0u8..2, -5i64..5000), 1..600),
        flows_left in 0u32..100,
        entries_left in 0u32..400,
    ) {
        let budget = TrafficBudget { flows_left, entries_left, refused: 0 };
        let mut talk = Talk { budget, ..Talk::default() };
        for (inner, from, pause) in packets {
            talk.after(pause).send(from, inner);
        }
        let held = talk.traffic.held();
        prop_assert_eq!(held.flows, flows_left - talk.budget.flows_left);
        prop_assert_eq!(held.entries, entries_left - talk.budget.entries_left);
        prop_assert!(held.flows as usize <= MOST_FLOWS);
        prop_assert!(held.entries <= 2 * (64 + 32 + 64 + 16) + 16);
        for end in [0, 1] {
            let (tcp, direction) = (talk.traffic.tcp(end), talk.traffic.direction(end));
            prop_assert!(tcp.segments <= direction.packets && tcp.resent <= tcp.segments);
            prop_assert!(direction.asking + direction.to_nobody <= direction.packets);
            for asked in [talk.traffic.echo_counts(end), talk.traffic.dns_counts(end)].into_iter().flatten() {
                prop_assert_eq!(asked.asked, asked.answered + asked.unanswered + asked.open);
            }
            let _ = talk.traffic.loss_estimate(end);
        }
    }

    /// A sequence of segments of one connection, with any numbers.
    #[test]
    fn hostile_segments_of_one_connection(
        segments in proptest::collection::vec((number(), number(), any::<u8>(), 0u32..2000, 0u8..2), 1..300),
    ) {
        let mut talk = Talk::default();
        for (sequence, acknowledgment, flags, payload, from) in segments {
            let (source, destination, ports) =
                if from == 0 { (CLIENT, FAR, (4000, 80)) } else { (FAR, CLIENT, (80, 4000)) };
            let inner = super::testing::flagged(
                source, destination, ports, flags, (sequence, acknowledgment, payload));
            talk.after(1).send(from, inner);
        }
        prop_assert!(talk.traffic.tcp(0).stuck.is_none_or(|stuck| stuck.packets >= 3));
        // A RST alone is no connection.
        prop_assert!(talk.traffic.held().flows <= 1);
    }
}

#[test]
fn a_later_fragment_only_counts() {
    let mut talk = Talk::default();
    let fragment = Some(InnerFragment { offset: 1480, more: false });
    let later = Inner { fragment, ..packet(CLIENT, FAR, 1, None, Transport::Other, 500) };
    talk.send(0, later);
    assert_eq!((talk.traffic.direction(0).packets, talk.traffic.direction(0).asking), (1, 0));
    assert_eq!(ends(CLIENT, FAR), later.addresses.unwrap());
}
