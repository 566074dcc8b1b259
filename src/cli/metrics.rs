//! `--metrics`: what a capture counts, as a page for Prometheus.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tiny_http::{Header, Method, Response, Server};

use crate::analysis::Analysis;
use crate::analysis::call::CallState;
use crate::analysis::connection::ConnectionState;
use crate::analysis::release::EspCounts;
use crate::capture::live::Interface;
use crate::util::Printable;

use super::exit::Failure;

/// The port where none is given.
const PORT: u16 = 9701;
/// Requests that are answered in one tick: whoever sends more waits.
const MOST_ANSWERS: usize = 8;
/// What Prometheus calls the form of the page.
const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A socket that was opened before privileges were given up.
pub(super) struct Socket(TcpListener);

impl Socket {
    /// Listens at an address, such as `127.0.0.1:9701`, a port, or an address with the usual port.
    ///
    /// # Errors
    ///
    /// When the text is no address, or nobody may listen there.
    pub(super) fn open(text: &str) -> Result<Self, Failure> {
        let shown = Printable::from_text(text);
        let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let address = text
            .parse()
            .or_else(|_| text.parse().map(local))
            .or_else(|_| text.parse().map(|ip| SocketAddr::new(ip, PORT)))
            .map_err(|_| {
                Failure::new(format!("--metrics {shown}: expected an address and a port"))
                    .hint("--metrics 127.0.0.1:9701")
            })?;
        let listener = TcpListener::bind(address)
            .map_err(|error| Failure::new(format!("--metrics {shown}: cannot listen there")).cause(error))?;
        Ok(Self(listener))
    }

    /// Begins to take requests. It starts threads, so it has to wait until privileges were given up.
    ///
    /// # Errors
    ///
    /// When the socket cannot be used.
    pub(super) fn serve(self) -> Result<Page, Failure> {
        let server = Server::from_listener(self.0, None)
            .map_err(|error| Failure::new("--metrics: cannot serve").cause(error))?;
        Ok(Page(server))
    }
}

/// The page.
pub(super) struct Page(Server);

impl Page {
    /// Answers whoever asked since the last tick.
    pub(super) fn tick(&self, analysis: &Analysis, interfaces: &[Interface]) {
        for _ in 0..MOST_ANSWERS {
            let Ok(Some(request)) = self.0.try_recv() else { return };
            let here = matches!(request.method(), Method::Get | Method::Head) && request.url() == "/metrics";
            // Whoever asks and goes away gets nothing.
            let _ = if here {
                let response = Response::from_string(page(analysis, interfaces));
                let form = Header::from_bytes("Content-Type", FORM);
                request.respond(form.into_iter().fold(response, Response::with_header))
            } else {
                request.respond(Response::from_string("/metrics\n").with_status_code(404))
            };
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types)]
enum By {
    kernel,
    interface,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    by: By,
}

/// The whole page.
fn page(analysis: &Analysis, interfaces: &[Interface]) -> String {
    let totals = &analysis.totals;
    let mut registry = Registry::with_prefix("l2tp_inspect");
    let mut count = |name: &str, help: &str, value: u64| {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    };
    count("packets", "Captured packets", totals.packets);
    count("control_connections_seen", "Control connections that were followed", totals.connections.into());
    count("calls_seen", "Calls that were followed", analysis.calls.opened().into());
    count("control_messages_resent", "Control messages that were sent again", totals.resent);
    count(
        "hellos_resent",
        "Hellos that were sent again: each time one was not acknowledged in time",
        totals.hello.resent,
    );
    count("hellos_acknowledged", "Hellos that were acknowledged", totals.hello.acknowledged);

    let seconds = Counter::<f64, std::sync::atomic::AtomicU64>::default();
    seconds.inc_by(totals.hello.waited.0 as f64 / 1e9);
    let help = "Time from each acknowledged Hello to its acknowledgement, added up";
    registry.register("hello_round_trips_seconds", help, seconds);

    let connections = Family::<State, Gauge>::default();
    let states = [ConnectionState::WaitCtlReply, ConnectionState::WaitCtlConn, ConnectionState::Established];
    for state in states {
        let here = analysis.connections.iter().filter(|one| one.state == state).count();
        connections.get_or_create(&State { state: state.name() }).set(here as i64);
    }
    registry.register("control_connections", "Control connections by state", connections);
    let dead: Gauge = Gauge::default();
    dead.set(analysis.connections.iter().filter(|one| one.looks_dead()).count() as i64);
    registry.register(
        "control_connections_unanswered",
        "Control connections whose peer does not answer",
        dead,
    );
    let calls: Gauge = Gauge::default();
    calls.set(analysis.calls.iter().filter(|call| call.state == CallState::Established).count() as i64);
    registry.register("calls", "Established calls", calls);

    let mut esp = analysis.let_go.esp;
    analysis.flows.iter().for_each(|flow| esp.add(flow));
    let outcomes = Family::<Outcome, Counter>::default();
    for (outcome, packets) in esp_rows(&esp) {
        outcomes.get_or_create(&Outcome { outcome }).inc_by(packets);
    }
    registry.register("esp_packets", "ESP packets by what came of opening them", outcomes);
    let replayed: Counter = Counter::default();
    replayed.inc_by(esp.replayed);
    registry.register("esp_replays", "ESP sequence numbers that came again", replayed);

    let drops = Family::<Dropped, Counter>::default();
    for interface in interfaces {
        drops.get_or_create(&Dropped { by: By::kernel }).inc_by(interface.counts.dropped);
        drops.get_or_create(&Dropped { by: By::interface }).inc_by(interface.counts.interface_dropped);
    }
    registry.register("packets_dropped", "Packets that the capture lacks", drops);

    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

fn esp_rows(esp: &EspCounts) -> [(&'static str, u64); 4] {
    [
        ("decrypted", esp.decrypted),
        ("bad_icv", esp.bad_icv),
        ("bad_padding", esp.bad_padding),
        ("no_key", esp.no_key),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::limits::Limits;
    use crate::inspector::Inspector;
    use crate::ipsec::Sad;

    #[test]
    fn a_page_has_every_count_and_ends() {
        let sad = Sad::default();
        let page = page(Inspector::new(&sad, Limits::default()).so_far(), &[]);
        for name in [
            "l2tp_inspect_packets_total 0",
            "l2tp_inspect_control_connections{state=\"established\"} 0",
            "l2tp_inspect_esp_packets_total{outcome=\"bad_icv\"} 0",
            "l2tp_inspect_hello_round_trips_seconds_total 0.0",
        ] {
            assert!(page.contains(name), "{name}: {page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn addresses() {
        for text in ["nowhere", "", "1.2.3.4:99999", "70000"] {
            assert!(Socket::open(text).is_err(), "{text}");
        }
        for text in ["127.0.0.1:0", "0"] {
            assert!(Socket::open(text).is_ok(), "{text}");
        }
    }
}
