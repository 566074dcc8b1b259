//! The JSON report, schema 1 (`docs/report.schema.json`). Connections, calls and flows are written one by one, so that
//! a capture of many tunnels needs no second copy of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::analysis::control::call::{Call, CallKind, Data};
use crate::analysis::control::connection::{Connection, End};
use crate::analysis::control::tunnel_proof::TunnelProof;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::{Child, IkeSa};
use crate::analysis::ppp::authentication::Outcome;
use crate::analysis::ppp::protocol;
use crate::analysis::ppp::session::PppSession;
use crate::analysis::timing::RoundTrips;
use crate::analysis::{Analysis, CallId};
use crate::dissect::layers::{Encapsulation, Mode, ResultCode};
use crate::dissect::ppp_names::protocol_name;
use crate::rules::Finding;
use crate::util::{Duration, Timestamp};

use super::diagnosis_json::{DiagnosisJson, Verdicts, of_capture};
use super::traffic_json::{TrafficJson, traffic};
use super::{Report, state};

/// The number of the schema: raised when a field is renamed or removed.
pub const SCHEMA: u32 = 2;

/// Writes the whole document.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(reports, None))?;
    out.write_all(b"\n")
}

/// Writes the whole document on one line, as the last of a list of events.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_line(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &document(reports, Some("report")))?;
    out.write_all(b"\n")
}

fn document<'a>(reports: &'a [Report<'a>], event: Option<&'static str>) -> impl Serialize + use<'a> {
    Document {
        event,
        schema: SCHEMA,
        tool: concat!("l2tp-inspect ", env!("CARGO_PKG_VERSION")),
        captures: List(|| reports.iter().map(Capture::of)),
    }
}

/// A list that is made while it is written.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[derive(Serialize)]
struct Document<L> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    schema: u32,
    tool: &'static str,
    captures: L,
}

struct Capture<'a>(&'a Report<'a>);

impl<'a> Capture<'a> {
    fn of(report: &'a Report<'a>) -> Self {
        Self(report)
    }
}

impl Serialize for Capture<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let report = self.0;
        let analysis = report.analysis;
        let totals = &analysis.totals;
        let link_types: Vec<String> = totals.link_types.iter().map(|link| link.name()).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("file", report.file.as_str())?;
        map.serialize_entry("format", report.format)?;
        map.serialize_entry("packets", &totals.packets)?;
        map.serialize_entry("bytes", &totals.bytes)?;
        map.serialize_entry("first", &totals.first.map(rfc3339))?;
        map.serialize_entry("last", &totals.last.map(rfc3339))?;
        map.serialize_entry("duration", &seconds(analysis.duration()))?;
        map.serialize_entry("link_types", &link_types)?;
        map.serialize_entry("truncated", &report.damage.is_some())?;
        map.serialize_entry("damage", &report.damage)?;
        map.serialize_entry("left_out", &report.left_out)?;
        map.serialize_entry("esp", &esp(analysis))?;
        let flows = || analysis.flows.iter().map(|flow| sa(report, flow));
        map.serialize_entry("security_associations", &List(flows))?;
        map.serialize_entry("ike", &List(|| analysis.ike.iter().map(|sa| ike(sa, analysis))))?;
        let ids = analysis.in_order();
        let verdicts = Verdicts::of(report.diagnosis);
        let connections =
            || ids.iter().map(|(_, connection)| connection_json(analysis, &verdicts, connection));
        map.serialize_entry("control_connections", &List(connections))?;
        map.serialize_entry("diagnosis", &of_capture(report.diagnosis))?;
        map.serialize_entry("findings", &List(|| report.findings.iter().map(finding)))?;
        map.serialize_entry("check", &report.check.map(CheckJson::of))?;
        map.end()
    }
}

#[derive(Serialize)]
struct CheckJson<'a> {
    passed: bool,
    expectations: Vec<ExpectationJson<'a>>,
    failing: Vec<usize>,
    allowed: Vec<usize>,
}

#[derive(Serialize)]
struct ExpectationJson<'a> {
    name: &'a str,
    expected: &'a str,
    found: &'a str,
    holds: bool,
}

impl<'a> CheckJson<'a> {
    fn of(check: &'a crate::check::Result) -> Self {
        let expectations = check.outcomes.iter().map(|outcome| ExpectationJson {
            name: &outcome.name,
            expected: &outcome.expected,
            found: &outcome.found,
            holds: outcome.holds,
        });
        Self {
            passed: check.passes(),
            expectations: expectations.collect(),
            failing: check.failing.clone(),
            allowed: check.allowed.iter().map(|(at, _)| *at).collect(),
        }
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_seconds()
}

/// A time as RFC 3339 writes it, with nanoseconds.
pub(super) fn rfc3339(time: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(time.0.into()) {
        Ok(known) => format!("{known:.9}"),
        Err(_) => format!("{} ns", time.0),
    }
}

/// A packet and its time.
#[derive(Serialize)]
struct AtJson {
    time: String,
    packet: u64,
}

fn at(packet: u64, time: Timestamp) -> AtJson {
    AtJson { time: rfc3339(time), packet }
}

fn maybe(packet: Option<u64>, time: Option<Timestamp>) -> Option<AtJson> {
    Some(at(packet?, time?))
}

/// Round trips from the capture point to an end and back, in seconds.
#[derive(Serialize)]
struct RoundTripJson {
    min: f64,
    median: f64,
    max: f64,
}

fn round_trip(trips: &RoundTrips) -> Option<RoundTripJson> {
    let [min, median, max] = [trips.least()?, trips.median()?, trips.most()?].map(seconds);
    Some(RoundTripJson { min, median, max })
}

#[derive(Serialize)]
struct EspJson {
    packets: u64,
    decrypted: u64,
    no_key: u64,
    bad_icv: u64,
    bad_padding: u64,
}

fn esp(analysis: &Analysis) -> EspJson {
    let sum = |count: fn(&Flow) -> u64| analysis.flows.iter().map(count).sum();
    EspJson {
        packets: sum(|flow| flow.packets()),
        decrypted: sum(|flow| flow.decrypted),
        no_key: sum(|flow| flow.no_key),
        bad_icv: sum(|flow| flow.bad_icv),
        bad_padding: sum(|flow| flow.bad_padding),
    }
}

#[derive(Serialize)]
struct SaJson {
    spi: String,
    source: String,
    destination: String,
    encapsulation: &'static str,
    mode: Option<&'static str>,
    encryption: Option<String>,
    integrity: Option<String>,
    key: bool,
    packets: u64,
    decrypted: u64,
    bad_icv: u64,
    lost: u64,
    replayed: u64,
    reordered: u64,
    first_seq: u32,
    last_seq: u32,
    replaces: Option<String>,
    first: AtJson,
    last: AtJson,
}

fn sa(report: &Report<'_>, flow: &Flow) -> SaJson {
    let suite = super::suite(report, flow);
    SaJson {
        spi: flow.spi.to_string(),
        source: flow.addresses.source.to_string(),
        destination: flow.addresses.destination.to_string(),
        encapsulation: match flow.encapsulation {
            Encapsulation::Ip => "ip",
            Encapsulation::Udp => "udp",
        },
        mode: flow.mode.map(|mode| match mode {
            Mode::Transport => "transport",
            Mode::Tunnel => "tunnel",
        }),
        encryption: suite.as_ref().map(|suite| suite.encryption.clone()),
        integrity: suite.map(|suite| suite.integrity),
        key: flow.sa.is_some(),
        packets: flow.packets(),
        decrypted: flow.decrypted,
        bad_icv: flow.bad_icv,
        lost: flow.lost(),
        replayed: flow.replayed,
        reordered: flow.reordered,
        first_seq: flow.first_sequence,
        last_seq: flow.last_sequence,
        replaces: flow.replaces.and_then(|id| report.analysis.flow(id)).map(|old| old.spi.to_string()),
        first: at(flow.first.1, flow.first.0),
        last: at(flow.last.1, flow.last.0),
    }
}

#[derive(Serialize)]
struct IkeJson {
    version: u8,
    initiator: String,
    responder: String,
    initiator_spi: String,
    responder_spi: String,
    exchanges: Vec<&'static str>,
    outcome: Option<&'static str>,
    nat: Option<&'static str>,
    messages: u64,
    first: AtJson,
    last: AtJson,
    opened: Option<AtJson>,
    closed: Option<AtJson>,
    children: Vec<ChildJson>,
}

#[derive(Serialize)]
struct ChildJson {
    packet: u64,
    initiator_spi: Option<String>,
    responder_spi: Option<String>,
    algorithms: String,
    lifetime: Option<u64>,
    selectors: Vec<SelectorJson>,
}

#[derive(Serialize)]
struct SelectorJson {
    protocol: u8,
    first_port: u16,
    last_port: u16,
}

fn child(child: &Child) -> ChildJson {
    let [initiator, responder] = child.spis.map(|spi| spi.map(|spi| spi.to_string()));
    let selectors = child.selectors.iter().map(|selector| SelectorJson {
        protocol: selector.protocol,
        first_port: selector.ports.0,
        last_port: selector.ports.1,
    });
    ChildJson {
        packet: child.made.packet,
        initiator_spi: initiator,
        responder_spi: responder,
        algorithms: child.suite.clone(),
        lifetime: child.lifetime,
        selectors: selectors.collect(),
    }
}

fn ike(sa: &IkeSa, analysis: &Analysis) -> IkeJson {
    IkeJson {
        version: sa.version,
        initiator: sa.initiator.to_string(),
        responder: sa.responder.to_string(),
        initiator_spi: format!("{:016x}", sa.initiator_spi),
        responder_spi: format!("{:016x}", sa.responder_spi),
        exchanges: sa.exchange_names.clone(),
        outcome: analysis.ike_outcome(sa),
        nat: sa.nat(),
        messages: sa.messages,
        first: at(sa.first.packet, sa.first.time),
        last: at(sa.last.packet, sa.last.time),
        opened: sa.children.first().map(|child| at(child.made.packet, child.made.time)),
        closed: sa.ended.map(|(ended, _)| at(ended.packet, ended.time)),
        children: sa.children.iter().map(child).collect(),
    }
}

#[derive(Serialize)]
struct ConnectionJson<'a, L: Serialize> {
    id: String,
    version: u8,
    role_known: bool,
    lac: EndJson<'a>,
    lns: EndJson<'a>,
    protected_by_esp: bool,
    state: &'static str,
    setup: Option<f64>,
    messages: Sides<BTreeMap<&'static str, u32>>,
    resent: Sides<u32>,
    hello: Sides<HelloJson>,
    round_trip: Sides<Option<RoundTripJson>>,
    first: AtJson,
    last: Option<AtJson>,
    opened: Option<AtJson>,
    closed: Option<AtJson>,
    closed_by: Option<&'static str>,
    result: Option<ResultJson<'a>>,
    diagnosis: Option<DiagnosisJson<'a>>,
    calls: L,
}

#[derive(Serialize)]
struct Sides<T> {
    lac: T,
    lns: T,
}

#[derive(Serialize)]
struct EndJson<'a> {
    address: String,
    port: Option<u16>,
    tunnel_id: Option<u32>,
    host_name: Option<&'a str>,
    vendor: Option<&'a str>,
    proof: Option<&'static str>,
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct HelloJson {
    sent: u32,
    unanswered: u32,
    interval: Option<f64>,
}

#[derive(Serialize)]
struct ResultJson<'a> {
    code: u16,
    error: Option<u16>,
    message: Option<&'a str>,
}

fn result(result: &ResultCode) -> ResultJson<'_> {
    ResultJson {
        code: result.code,
        error: result.error,
        message: result.message.as_ref().map(|text| text.as_str()),
    }
}

fn connection_json<'a>(
    analysis: &'a Analysis,
    verdicts: &'a Verdicts<'a>,
    connection: &'a Connection,
) -> impl Serialize + use<'a> {
    let lac = u8::from(connection.lac_end() == 1);
    let lns = 1 - lac;
    let ends = [connection.end(lac), connection.end(lns)];
    let from_start = connection.from_start;
    let end = |at: u8| end(connection.end(at), analysis.tunnel_proof(connection, at), from_start);
    let calls = connection.calls.clone();
    ConnectionJson {
        id: format!("T{}", connection.number),
        version: connection.version,
        role_known: connection.lac.is_some(),
        lac: end(lac),
        lns: end(lns),
        protected_by_esp: connection.protected(),
        state: state(connection),
        setup: connection.setup().map(seconds),
        messages: Sides { lac: messages(ends[0]), lns: messages(ends[1]) },
        resent: Sides { lac: ends[0].delivery.resent, lns: ends[1].delivery.resent },
        hello: Sides { lac: hello(ends[0]), lns: hello(ends[1]) },
        round_trip: Sides { lac: round_trip(&ends[0].round_trips), lns: round_trip(&ends[1].round_trips) },
        first: at(connection.first_packet, connection.first_time),
        last: connection.ends.iter().filter_map(|end| end.last).max().map(|(packet, time)| at(packet, time)),
        opened: maybe(connection.established_packet, connection.established),
        closed: maybe(connection.closing_packet, connection.closed),
        closed_by: connection.closed_by.map(|by| side(connection, by)),
        result: connection.result.as_ref().map(result),
        diagnosis: verdicts.connection(connection.number),
        calls: List(move || {
            let connection: &'a Connection = connection;
            calls
                .clone()
                .into_iter()
                .filter_map(move |id| Some(call(connection, verdicts, id, analysis.call(id)?)))
        }),
    }
}

fn side(connection: &Connection, end: u8) -> &'static str {
    if usize::from(end) == connection.lac_end() { "lac" } else { "lns" }
}

fn end(end: &End, proof: Option<TunnelProof>, from_start: bool) -> EndJson<'_> {
    EndJson {
        address: end.endpoint.address.to_string(),
        port: Some(end.endpoint.port).filter(|port| *port != 0),
        tunnel_id: end.tunnel_id.map(|id| id.0),
        host_name: end.host_name.as_ref().map(|text| text.as_str()),
        vendor: end.vendor.as_ref().map(|text| text.as_str()),
        proof: proof.map(TunnelProof::name),
        state: (from_start && !end.machine.uncertain).then(|| end.machine.state.name()),
    }
}

fn messages(end: &End) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    for (kind, count) in &end.messages {
        *counts.entry(kind.name()).or_insert(0) += count;
    }
    counts
}

fn hello(end: &End) -> HelloJson {
    HelloJson {
        sent: end.hello.sent,
        unanswered: end.unanswered_hellos(),
        interval: end.hello.interval().map(seconds),
    }
}

#[derive(Serialize)]
struct CallJson<'a> {
    id: String,
    kind: Option<&'static str>,
    serial: Option<u32>,
    lac_session_id: Option<u32>,
    lns_session_id: Option<u32>,
    state: &'static str,
    closed_by: Option<&'static str>,
    result: Option<ResultJson<'a>>,
    setup: Option<f64>,
    states: Sides<Option<&'static str>>,
    first: AtJson,
    last: AtJson,
    opened: Option<AtJson>,
    closed: Option<AtJson>,
    data: Sides<DataJson>,
    ppp: PppJson<'a>,
    traffic: Option<TrafficJson>,
    diagnosis: Option<DiagnosisJson<'a>>,
}

#[derive(Serialize)]
struct DataJson {
    packets: u64,
    bytes: u64,
    sequenced: bool,
    lost: Option<u64>,
    duplicated: u64,
    reordered: u64,
}

fn data(data: &Data) -> DataJson {
    DataJson {
        packets: data.packets,
        bytes: data.bytes,
        sequenced: data.sequenced,
        // Nothing counts without sequence numbers.
        lost: data.sequenced.then_some(data.lost),
        duplicated: data.duplicated,
        reordered: data.reordered,
    }
}

fn call<'a>(connection: &Connection, verdicts: &Verdicts<'a>, id: CallId, call: &'a Call) -> CallJson<'a> {
    let lac = connection.lac_end();
    let lns = 1 - lac;
    let known = call.requester.is_some();
    let state_at = |end: usize| {
        let machine = call.machines[end];
        (known && !machine.uncertain).then(|| machine.state.name())
    };
    CallJson {
        id: format!("C{}", id.0 + 1),
        kind: match call.kind {
            CallKind::Incoming => Some("incoming"),
            CallKind::Outgoing => Some("outgoing"),
            CallKind::Unknown => None,
        },
        serial: call.serial,
        lac_session_id: call.session_ids[lac].map(|id| id.0),
        lns_session_id: call.session_ids[lns].map(|id| id.0),
        state: call.state.name(),
        closed_by: call.closed_by.map(|by| side(connection, by)),
        result: call.result.as_ref().map(result),
        setup: call.setup().map(seconds),
        states: Sides { lac: state_at(lac), lns: state_at(lns) },
        first: at(call.first_packet, call.first_time),
        last: at(call.last.packet, call.last.time),
        opened: maybe(call.established_packet, call.established),
        closed: maybe(call.closing_packet, call.closed),
        data: Sides { lac: data(&call.data[lac]), lns: data(&call.data[lns]) },
        ppp: ppp(&call.ppp, lac, lns),
        traffic: call.traffic.get().map(|found| traffic(found, lac)),
        diagnosis: verdicts.call(id),
    }
}

#[derive(Serialize)]
struct PppJson<'a> {
    lcp: Option<&'static str>,
    authentication: Option<AuthenticationJson<'a>>,
    ncps: BTreeMap<String, &'static str>,
    ccp: Option<&'static str>,
    lac_address: Option<String>,
    lns_address: Option<String>,
    dns: Vec<String>,
}

#[derive(Serialize)]
struct AuthenticationJson<'a> {
    protocol: Option<&'static str>,
    name: Option<&'a str>,
    outcome: Option<&'static str>,
    proof: Option<&'static str>,
}

fn ppp(session: &PppSession, lac: usize, lns: usize) -> PppJson<'_> {
    let (authenticator, known) = session.authentication.latest();
    let method = known.method().and_then(|method| method.name());
    let authentication = method.map(|name| AuthenticationJson {
        protocol: Some(name),
        name: known.name.as_ref().map(|text| text.as_str()),
        outcome: known.outcome.map(|outcome| match outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
        }),
        proof: authenticator
            .and_then(|end| session.answer(1u8.checked_sub(end)?))
            .map(|answer| answer.proof_name()),
    });
    let mut ncps = BTreeMap::new();
    for (number, negotiation) in &session.ncps {
        if let (Some(progress), true) = (negotiation.progress(), *number != protocol::CCP) {
            ncps.insert(ncp_name(*number), progress.name());
        }
    }
    let address = |end: usize| session.network.addresses[end].map(|address| address.to_string());
    PppJson {
        lcp: session.lcp.progress().map(|progress| progress.name()),
        authentication,
        ncps,
        ccp: session
            .negotiation(protocol::CCP)
            .and_then(|ccp| ccp.progress())
            .map(|progress| progress.name()),
        lac_address: address(lac),
        lns_address: address(lns),
        dns: session.network.dns.iter().map(|address| address.to_string()).collect(),
    }
}

/// The name of a network control protocol, or its number.
pub(super) fn ncp_name(number: u16) -> String {
    protocol_name(number.into()).map_or_else(|| format!("{number:#06x}"), str::to_owned)
}

#[derive(Serialize)]
pub(super) struct FindingJson<'a> {
    rule: &'static str,
    severity: &'static str,
    certainty: &'static str,
    packets: &'a [u64],
    count: u64,
    connection: Option<String>,
    call: Option<String>,
    spi: Option<String>,
    section: Option<&'static str>,
    title: &'a str,
    seen: &'a str,
    unsure: Option<&'a str>,
    advice: &'a str,
}

pub(super) fn finding(finding: &Finding) -> FindingJson<'_> {
    FindingJson {
        rule: finding.rule.id,
        severity: finding.severity.name(),
        certainty: finding.certainty().name(),
        packets: &finding.packets,
        count: finding.count,
        connection: finding.connection.map(|number| format!("T{number}")),
        call: finding.call.map(|call| format!("C{}", call.0 + 1)),
        spi: finding.spi.map(|spi| spi.to_string()),
        section: (!finding.section.is_empty()).then_some(finding.section),
        title: &finding.title,
        seen: &finding.seen,
        unsure: finding.unsure.as_deref(),
        advice: &finding.advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nanoseconds_and_a_z() {
        assert_eq!(rfc3339(Timestamp(1_795_471_640_894_838_763)), "2026-11-23T22:07:20.894838763Z");
    }
}
