//! User traffic of a call in the JSON report: what each side sent through the call, and what came of it. What was not
//! there to be seen is null, not 0.

use serde::Serialize;

use crate::analysis::traffic::{
    Asked, CallTraffic, Destination, Direction, Dns, Echo, Estimate, IcmpErrors, RoundTrip, Server, Silence,
    Stuck, Target, TcpTotals,
};
use crate::util::Timestamp;

#[derive(Serialize)]
pub(super) struct TrafficJson {
    lac: SentJson,
    lns: SentJson,
    icmp_errors: Vec<ErrorJson>,
    looped: Option<LoopedJson>,
}

/// The traffic of a call whose LAC is the end `lac`.
pub(super) fn traffic(traffic: &CallTraffic, lac: usize) -> TrafficJson {
    let lac = u8::from(lac == 1);
    let lns = 1u8.saturating_sub(lac);
    let errors = traffic.errors().map(|errors| errors.kinds()).unwrap_or_default();
    TrafficJson {
        lac: sent(traffic, lac),
        lns: sent(traffic, lns),
        icmp_errors: errors
            .iter()
            .map(|errors| ErrorJson::of(errors, if errors.from == lac { "lac" } else { "lns" }))
            .collect(),
        looped: traffic.looped().map(|looped| {
            let [first, second] = looped.packets;
            let [to_first, to_second] = looped.to_outer;
            LoopedJson {
                of_tunnel: first.saturating_add(second),
                to_outer: to_first.saturating_add(to_second),
                evidence: looped.examples.packets().to_vec(),
                to_outer_evidence: looped.to_outer_examples.packets().to_vec(),
            }
        }),
    }
}

#[derive(Serialize)]
struct SentJson {
    packets: u64,
    octets: u64,
    asking: u64,
    to_nobody: u64,
    silence: Option<SilenceJson>,
    longest_silence: Option<SilenceJson>,
    echo: Option<EchoJson>,
    tcp: Option<TcpJson>,
    dns: Option<DnsJson>,
    loss_estimate: Option<EstimateJson>,
}

fn sent(traffic: &CallTraffic, end: u8) -> SentJson {
    let now = traffic.last().unwrap_or_default();
    let Direction { packets, octets, asking, to_nobody, silence, longest, .. } = traffic.direction(end);
    SentJson {
        packets: *packets,
        octets: *octets,
        asking: *asking,
        to_nobody: *to_nobody,
        silence: silence.as_ref().map(SilenceJson::of),
        longest_silence: longest.as_ref().map(SilenceJson::of),
        echo: traffic.echo(end).map(|echo| EchoJson::of(echo, now)),
        tcp: traffic.has_tcp().then(|| TcpJson::of(&traffic.tcp(end))),
        dns: traffic.dns(end).map(|dns| DnsJson::of(dns, now)),
        loss_estimate: traffic.loss_estimate(end).map(EstimateJson::of),
    }
}

#[derive(Serialize)]
struct SilenceJson {
    asked: u32,
    span: f64,
    first: u64,
    last: u64,
}

impl SilenceJson {
    fn of(silence: &Silence) -> Self {
        Self {
            asked: silence.asked,
            span: silence.span().as_seconds(),
            first: silence.first.0,
            last: silence.last.0,
        }
    }
}

#[derive(Serialize)]
struct RoundTripJson {
    min: f64,
    median: f64,
    max: f64,
}

impl RoundTripJson {
    fn of(trip: RoundTrip) -> Self {
        Self { min: trip.min.as_seconds(), median: trip.median.as_seconds(), max: trip.max.as_seconds() }
    }
}

#[derive(Serialize)]
struct EchoJson {
    asked: u64,
    answered: u64,
    unanswered: u64,
    open: u64,
    round_trip: Option<RoundTripJson>,
    destinations: Vec<DestinationJson>,
    unanswered_evidence: Vec<u64>,
}

#[derive(Serialize)]
struct DestinationJson {
    address: String,
    place: Option<&'static str>,
    asked: u64,
    answered: u64,
    largest_answered: Option<u32>,
    smallest_unanswered: Option<u32>,
}

impl EchoJson {
    fn of(echo: &Echo, now: Timestamp) -> Self {
        let Asked { asked, answered, unanswered, open } = echo.counts(now);
        let destination = |known: &Destination| DestinationJson {
            address: known.address.to_string(),
            place: known.target.map(|target| match target {
                Target::Peer => "peer",
                Target::Beyond => "beyond",
            }),
            asked: known.asked,
            answered: known.answered,
            largest_answered: known.largest_answered,
            smallest_unanswered: echo.smallest_in_vain(known.address, now),
        };
        Self {
            asked,
            answered,
            unanswered,
            open,
            round_trip: echo.round_trip().map(RoundTripJson::of),
            destinations: echo.destinations().iter().map(destination).collect(),
            unanswered_evidence: echo.in_vain(now).packets().to_vec(),
        }
    }
}

#[derive(Serialize)]
struct TcpJson {
    opened: u64,
    refused: u64,
    unanswered_syn: u64,
    half_open: u64,
    segments: u64,
    octets: u64,
    resent: u64,
    largest_passed: Option<u32>,
    stuck: Option<StuckJson>,
    mss: Option<MssJson>,
    round_trip: Option<RoundTripJson>,
    refused_evidence: Vec<u64>,
    unanswered_evidence: Vec<u64>,
    resent_evidence: Vec<u64>,
}

#[derive(Serialize)]
struct StuckJson {
    largest_passed: Option<u32>,
    smallest_stuck: u32,
    resent: u64,
    connections: u32,
    first: u64,
    last: u64,
}

impl StuckJson {
    fn of(stuck: Stuck) -> Self {
        Self {
            largest_passed: stuck.largest_passed,
            smallest_stuck: stuck.smallest_stuck,
            resent: stuck.packets,
            connections: stuck.flows,
            first: stuck.first,
            last: stuck.last,
        }
    }
}

#[derive(Serialize)]
struct MssJson {
    min: u16,
    max: u16,
}

impl TcpJson {
    fn of(tcp: &TcpTotals) -> Self {
        Self {
            opened: tcp.opened,
            refused: tcp.refused,
            unanswered_syn: tcp.unanswered_syn,
            half_open: tcp.half_open,
            segments: tcp.segments,
            octets: tcp.octets,
            resent: tcp.resent,
            largest_passed: tcp.largest_passed,
            stuck: tcp.stuck.map(StuckJson::of),
            mss: tcp.mss.map(|(min, max)| MssJson { min, max }),
            round_trip: tcp.round_trip().map(RoundTripJson::of),
            refused_evidence: tcp.refused_packets.packets().to_vec(),
            unanswered_evidence: tcp.unanswered_packets.packets().to_vec(),
            resent_evidence: tcp.resent_packets.packets().to_vec(),
        }
    }
}

#[derive(Serialize)]
struct DnsJson {
    asked: u64,
    answered: u64,
    unanswered: u64,
    open: u64,
    repeated: u64,
    from_another_server: u64,
    round_trip: Option<RoundTripJson>,
    servers: Vec<ServerJson>,
    unanswered_evidence: Vec<u64>,
    refused_evidence: Vec<u64>,
}

#[derive(Serialize)]
struct ServerJson {
    address: String,
    asked: u64,
    answered: u64,
    no_such_name: u64,
    refused: u64,
}

impl DnsJson {
    fn of(dns: &Dns, now: Timestamp) -> Self {
        let Asked { asked, answered, unanswered, open } = dns.counts(now);
        let server = |known: &Server| ServerJson {
            address: known.address.to_string(),
            asked: known.asked,
            answered: known.answered,
            no_such_name: known.no_such_name,
            refused: known.refused,
        };
        Self {
            asked,
            answered,
            unanswered,
            open,
            repeated: dns.repeated,
            from_another_server: dns.strange,
            round_trip: dns.round_trip().map(RoundTripJson::of),
            servers: dns.servers().iter().map(server).collect(),
            unanswered_evidence: dns.in_vain(now).packets().to_vec(),
            refused_evidence: dns.refusals.packets().to_vec(),
        }
    }
}

#[derive(Serialize)]
struct EstimateJson {
    lost: u64,
    of: u64,
    by: &'static str,
}

impl EstimateJson {
    fn of(estimate: Estimate) -> Self {
        Self { lost: estimate.lost, of: estimate.of, by: estimate.by.name() }
    }
}

#[derive(Serialize)]
struct ErrorJson {
    from: &'static str,
    sender: String,
    version: u8,
    r#type: u8,
    code: u8,
    count: u64,
    mtu: Option<u32>,
    quoted: Option<QuotedJson>,
    evidence: Vec<u64>,
}

#[derive(Serialize)]
struct QuotedJson {
    source: String,
    destination: String,
    protocol: u8,
    source_port: Option<u16>,
    destination_port: Option<u16>,
}

impl ErrorJson {
    fn of(errors: &IcmpErrors, from: &'static str) -> Self {
        Self {
            from,
            sender: errors.sender.to_string(),
            version: if errors.v6 { 6 } else { 4 },
            r#type: errors.kind,
            code: errors.code,
            count: errors.count,
            mtu: errors.mtu,
            quoted: errors.quoted.map(|quoted| QuotedJson {
                source: quoted.addresses.source.to_string(),
                destination: quoted.addresses.destination.to_string(),
                protocol: quoted.protocol,
                source_port: quoted.ports.map(|ports| ports.0),
                destination_port: quoted.ports.map(|ports| ports.1),
            }),
            evidence: errors.packets.packets().to_vec(),
        }
    }
}

#[derive(Serialize)]
struct LoopedJson {
    of_tunnel: u64,
    to_outer: u64,
    evidence: Vec<u64>,
    to_outer_evidence: Vec<u64>,
}
