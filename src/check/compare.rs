//! An analysis and its findings, held against expectations.

use crate::analysis::Analysis;
use crate::analysis::control::call::{Call, CallKind};
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::authentication::Outcome as Authenticated;
use crate::analysis::ppp::negotiation::Progress;
use crate::analysis::ppp::protocol;
use crate::rules::{Certainty, Diagnosis, Finding, Severity};
use crate::util::Duration;

use super::expect::{Allow, CallExpect, ConnectionExpect, Expectations, HelloExpect, Level};

/// One thing that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What: `T1 setup`, `capture packets`, `allow seq-gap`.
    pub name: String,
    /// What was expected.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// Whether that is as expected.
    pub holds: bool,
}

/// What came of a check.
#[derive(Debug, Clone, Default)]
pub struct Result {
    /// A check was asked for: by expectations, or by a level from which on things fail.
    pub asked: bool,
    /// All that was expected, in the order of the file.
    pub outcomes: Vec<Outcome>,
    /// The findings that fail the check, by their places in the list.
    pub failing: Vec<usize>,
    /// The findings that are allowed, by their places, and why.
    pub allowed: Vec<(usize, String)>,
}

impl Result {
    /// Whether all is as expected.
    pub fn passes(&self) -> bool {
        self.failing.is_empty() && self.outcomes.iter().all(|outcome| outcome.holds)
    }

    /// How many expectations do not hold.
    pub fn differences(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.holds).count()
    }
}

/// From when on a verdict or a finding fails, beside what the expectations say.
#[derive(Debug, Clone)]
pub struct Bar {
    /// From this severity on; `None` for never.
    pub severity: Option<Severity>,
    /// Verdicts that fail, unless the expectations name the cause.
    pub levels: Vec<Level>,
    /// Only findings that nothing could explain away.
    pub certain: bool,
    /// Today, as year, month and day.
    pub today: (i16, i8, i8),
}

impl Bar {
    /// Every verdict but a healthy one.
    pub const VERDICTS: [Level; 2] = [Level::Degraded, Level::Undecided];
}

/// Holds a capture against what is expected.
pub fn compare(
    analysis: &Analysis,
    findings: &[Finding],
    diagnosis: &Diagnosis,
    expected: &Expectations,
    bar: &Bar,
) -> Result {
    let mut result = Result::default();
    capture(analysis, diagnosis, expected, &mut result);
    health(diagnosis, expected, bar, &mut result);
    connections(analysis, &expected.control_connection, &mut result);
    judge(findings, expected, bar, &mut result);
    result
}

fn say(result: &mut Result, name: String, expected: impl ToString, found: impl ToString, holds: bool) {
    let (expected, found) = (expected.to_string(), found.to_string());
    result.outcomes.push(Outcome { name, expected, found, holds });
}

fn capture(analysis: &Analysis, diagnosis: &Diagnosis, expected: &Expectations, result: &mut Result) {
    let totals = &analysis.totals;
    if let Some(packets) = &expected.capture.packets {
        say(result, "capture packets".into(), packets, totals.packets, packets.holds(totals.packets));
    }
    if let Some(share) = expected.capture.decrypted {
        let all: u64 = analysis.flows.iter().map(|flow| flow.packets()).sum();
        let opened: u64 = analysis.flows.iter().map(|flow| flow.decrypted).sum();
        let found = format!("{opened} of {all}");
        say(result, "capture decrypted".into(), share, found, share.holds(opened, all));
    }
    if let Some(verdict) = &expected.capture.verdict {
        say(result, "capture verdict".into(), verdict, diagnosis.id, verdict == diagnosis.id);
    }
}

/// A verdict that fails, unless the expectations name its cause.
fn health(diagnosis: &Diagnosis, expected: &Expectations, bar: &Bar, result: &mut Result) {
    let fails = bar.levels.iter().any(|level| level.fails(diagnosis.verdict));
    if fails && expected.capture.verdict.is_none() {
        say(result, "capture health".into(), "healthy", diagnosis.verdict.name(), false);
    }
}

fn connections(analysis: &Analysis, expected: &[ConnectionExpect], result: &mut Result) {
    let mut left: Vec<&Connection> =
        analysis.in_order().into_iter().map(|(_, connection)| connection).collect();
    for (at, expect) in expected.iter().enumerate() {
        let lac = |connection: &Connection| connection.ends[connection.lac_end()].endpoint.address;
        let lns = |connection: &Connection| connection.ends[1 - connection.lac_end()].endpoint.address;
        let fits = |connection: &&Connection| {
            expect.lac.is_none_or(|address| address == lac(connection))
                && expect.lns.is_none_or(|address| address == lns(connection))
        };
        let Some(place) = left.iter().position(fits) else {
            let any = |address: Option<std::net::IpAddr>| {
                address.map_or_else(|| "any".to_owned(), |a| a.to_string())
            };
            let who = format!("LAC {}, LNS {}", any(expect.lac), any(expect.lns));
            say(result, format!("control connection {}", at + 1), who, "none", false);
            continue;
        };
        connection(analysis, left.remove(place), expect, result);
    }
}

fn connection(analysis: &Analysis, connection: &Connection, expect: &ConnectionExpect, result: &mut Result) {
    let name = |what: &str| format!("T{} {what}", connection.number);
    if let Some(state) = &expect.state {
        say(result, name("state"), state, connection.state.name(), state == connection.state.name());
    }
    if let Some(ended) = &expect.ended {
        let code = connection.result.as_ref().map(|result| result.code);
        let found = match (connection.closed_by, code) {
            (None, _) => String::from("open"),
            (Some(_), Some(code)) => format!("StopCCN {code}"),
            (Some(_), None) => String::from("StopCCN"),
        };
        say(result, name("ended"), ended, &found, end_fits(ended, &found));
    }
    if let Some(setup) = &expect.setup {
        let found = connection.setup();
        say(result, name("setup"), setup, shown(found), found.is_some_and(|found| setup.holds(found)));
    }
    if let Some(resent) = &expect.resent {
        let found: u64 = connection.ends.iter().map(|end| u64::from(end.delivery.resent)).sum();
        say(result, name("resent"), resent, found, resent.holds(found));
    }
    if let Some(hello) = &expect.hello {
        hellos(connection, hello, result);
    }
    let mut left = connection.calls.clone();
    for (at, expect) in expect.call.iter().enumerate() {
        let fits = |id: &crate::analysis::CallId| {
            analysis
                .call(*id)
                .is_some_and(|call| expect.kind.as_deref().is_none_or(|kind| kind == kind_of(call)))
        };
        match left.iter().position(fits) {
            Some(place) => {
                let id = left.remove(place);
                if let Some(found) = analysis.call(id) {
                    call(u64::from(id.0) + 1, found, expect, result);
                }
            }
            None => {
                let kind = expect.kind.as_deref().unwrap_or("any");
                say(result, name(&format!("call {}", at + 1)), format!("{kind} call"), "none", false);
            }
        }
    }
}

/// `StopCCN` alone stands for any result code.
fn end_fits(expected: &str, found: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, found) = (squeezed(expected), squeezed(found));
    expected == found || found.split(' ').next() == Some(expected.as_str())
}

fn hellos(connection: &Connection, expect: &HelloExpect, result: &mut Result) {
    let name = |what: &str| format!("T{} {what}", connection.number);
    if let Some(unanswered) = &expect.unanswered {
        let found: u64 = connection.ends.iter().map(|end| u64::from(end.unanswered_hellos())).sum();
        say(result, name("hello unanswered"), unanswered, found, unanswered.holds(found));
    }
    let Some(interval) = expect.interval else { return };
    let tolerance = expect.tolerance.unwrap_or(Duration::ZERO);
    let found: Vec<Duration> = connection.ends.iter().filter_map(|end| end.hello.interval()).collect();
    let off = |found: &Duration| (found.0 - interval.0).abs() <= tolerance.0;
    let words = found.iter().map(Duration::to_string).collect::<Vec<_>>().join(", ");
    let words = if found.is_empty() { String::from("no two Hellos of one side") } else { words };
    say(
        result,
        name("hello interval"),
        format!("{interval} ± {tolerance}"),
        words,
        !found.is_empty() && found.iter().all(off),
    );
}

fn kind_of(call: &Call) -> &'static str {
    match call.kind {
        CallKind::Incoming => "incoming",
        CallKind::Outgoing => "outgoing",
        CallKind::Unknown => "unknown",
    }
}

/// The steps that a call reached.
pub(super) fn reached(call: &Call) -> Vec<&'static str> {
    let opened =
        |number| call.ppp.negotiation(number).is_some_and(|one| one.progress() == Some(Progress::Opened));
    let steps = [
        ("established", call.was_established),
        ("lcp-opened", opened(protocol::LCP)),
        ("authenticated", call.ppp.authentication.outcome() == Some(Authenticated::Success)),
        ("ipcp-opened", opened(protocol::IPCP)),
        ("ipv6cp-opened", opened(protocol::IPV6CP)),
    ];
    steps.into_iter().filter(|(_, there)| *there).map(|(step, _)| step).collect()
}

/// How a call ended, as expectations write it.
pub(super) fn call_end(call: &Call) -> String {
    match (call.closed_by, &call.result) {
        (None, _) => String::from("open"),
        (Some(_), Some(result)) => format!("CDN {}", result.code),
        (Some(_), None) => String::from("StopCCN"),
    }
}

fn call(number: u64, call: &Call, expect: &CallExpect, result: &mut Result) {
    let name = |what: &str| format!("C{number} {what}");
    if let Some(step) = &expect.reached {
        let steps = reached(call);
        let found = steps.last().copied().unwrap_or("nothing");
        say(result, name("reached"), step, found, steps.contains(&step.as_str()));
    }
    if let Some(ended) = &expect.ended {
        let found = call_end(call);
        say(result, name("ended"), ended, &found, end_fits(ended, &found));
    }
    if let Some(setup) = &expect.setup {
        let found = call.setup();
        say(result, name("setup"), setup, shown(found), found.is_some_and(|found| setup.holds(found)));
    }
    if let Some(most) = expect.lost {
        let lost: u64 = call.data.iter().map(|data| data.lost).sum();
        let all: u64 =
            call.data.iter().filter(|data| data.sequenced).map(|data| data.packets).sum::<u64>() + lost;
        say(
            result,
            name("lost"),
            format!("at most {most}"),
            format!("{lost} of {all}"),
            most.allows(lost, all),
        );
    }
}

fn shown(time: Option<Duration>) -> String {
    time.map_or_else(|| String::from("never"), |time| time.to_string())
}

fn judge(findings: &[Finding], expected: &Expectations, bar: &Bar, result: &mut Result) {
    let mut used = vec![false; expected.allow.len()];
    for (at, finding) in findings.iter().enumerate() {
        let allowed =
            expected.allow.iter().position(|allow| covers(allow, finding) && !expired(allow, bar.today));
        if let Some((place, allow)) = allowed.and_then(|place| Some((place, expected.allow.get(place)?))) {
            if let Some(used) = used.get_mut(place) {
                *used = true;
            }
            result.allowed.push((at, allow.reason.clone()));
            continue;
        }
        let counts = !bar.certain || finding.certainty() == Certainty::Certain;
        if counts && bar.severity.is_some_and(|severity| finding.severity >= severity) {
            result.failing.push(at);
        }
    }
    for (allow, used) in expected.allow.iter().zip(used) {
        let name = match &allow.connection {
            Some(connection) => format!("allow {} {connection}", allow.rule),
            None => format!("allow {}", allow.rule),
        };
        if expired(allow, bar.today) {
            let until = allow.until.as_ref().map_or_else(String::new, ToString::to_string);
            say(result, name, format!("until {until}"), "past its date", false);
        } else if !used {
            say(result, name, "a finding", "none: it is not needed any more", false);
        }
    }
}

fn covers(allow: &Allow, finding: &Finding) -> bool {
    let place = finding.connection.map(|number| format!("T{number}"));
    allow.rule == finding.rule.id
        && allow.connection.as_ref().is_none_or(|wanted| place.as_ref() == Some(wanted))
}

fn expired(allow: &Allow, today: (i16, i8, i8)) -> bool {
    let Some(date) = allow.until.as_ref().and_then(|until| until.date) else { return false };
    let (year, month, day) = today;
    (i32::from(date.year), i32::from(date.month), i32::from(date.day))
        < (i32::from(year), i32::from(month), i32::from(day))
}
