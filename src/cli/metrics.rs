//! `--metrics`: what a capture counts, as a page for Prometheus.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::analysis::Analysis;
use crate::analysis::control::call::CallState;
use crate::analysis::control::connection::ConnectionState;
use crate::analysis::release::EspCounts;
use crate::capture::live::Interface;
use crate::util::Printable;

use super::exit::Failure;

/// The port where none is given.
const PORT: u16 = 9701;
/// How long a request may take, and how long it waits for the next tick.
const PATIENCE: Duration = Duration::from_secs(2);
/// Octets of a request: more than any scraper sends.
const MOST_OCTETS: usize = 8192;
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

    /// Begins to take requests, in a thread of its own: it has to wait until privileges were given up.
    pub(super) fn serve(self) -> Page {
        let asked = Arc::new(AtomicBool::new(false));
        let (pages, written) = mpsc::channel();
        let page = Page { asked: Arc::clone(&asked), pages };
        std::thread::spawn(move || {
            for stream in self.0.incoming().flatten() {
                // Whoever goes away, or does not read, gets nothing.
                let _ = answer(stream, &asked, &written);
            }
        });
        page
    }
}

/// Answers one request and hangs up. There is one at a time, of so many octets and so long, so that nobody who asks takes
/// memory, and who does not read the answer holds up only others who ask. No HTTP library that was looked at has a
/// bound on requests that wait.
fn answer(mut stream: TcpStream, asked: &AtomicBool, pages: &Receiver<String>) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; MOST_OCTETS];
    let mut len = 0;
    while !request[..len].windows(4).any(|four| four == b"\r\n\r\n") {
        let more = stream.read(&mut request[len..])?;
        if more == 0 || Instant::now() >= until {
            return Ok(());
        }
        len += more;
    }
    let (status, form, page) = if !request.starts_with(b"GET /metrics ") {
        ("404 Not Found", "text/plain", String::from("/metrics\n"))
    } else {
        // One that came too late for the request before.
        while pages.try_recv().is_ok() {}
        asked.store(true, Ordering::Relaxed);
        match pages.recv_timeout(PATIENCE) {
            Ok(page) => ("200 OK", FORM, page),
            Err(_) => ("503 Service Unavailable", "text/plain", String::from("not now\n")),
        }
    };
    let length = page.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {form}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(page.as_bytes())
}

/// The page, for whoever asks.
pub(super) struct Page {
    asked: Arc<AtomicBool>,
    pages: Sender<String>,
}

impl Page {
    /// Writes the page if somebody asked since the last tick. Never waits.
    pub(super) fn tick(&self, analysis: &Analysis, interfaces: &[Interface]) {
        if self.asked.swap(false, Ordering::Relaxed) {
            // Nobody takes it if the thread is gone.
            let _ = self.pages.send(page(analysis, interfaces));
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
