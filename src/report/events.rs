//! Events of a capture that goes on: a line for people, an object for programs. Both come from [`describe`].

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::fresh::{Entity, Fresh, News};
use crate::analysis::log::{Change, Effect};
use crate::analysis::ppp::protocol::IPCP;
use crate::analysis::{Analysis, CallId};
use crate::rules::words::{call, count, packets, tunnel, who};
use crate::rules::{Finding, cdn_words, stop_reason};
use crate::util::{Printable, Timestamp};

use super::findings::tone;
use super::json::{self, rfc3339};
use super::style::{Style, Tone};

/// What is said of one event.
struct Said {
    id: &'static str,
    tone: Option<Tone>,
    connection: Option<u32>,
    call: Option<CallId>,
    text: String,
    facts: Facts,
}

/// What a program would otherwise have to read out of the text.
#[derive(Default, Serialize)]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    spi: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lns: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
}

/// How events are written.
#[derive(Debug, Clone)]
pub enum Form {
    /// A line each, with the time of day in this zone.
    Text(Style, TimeZone),
    /// A JSON object on a line each.
    Json,
}

/// Writes an event. Nothing is written of what is not there any more.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(event: &Fresh, analysis: &Analysis, form: &Form, out: &mut dyn Write) -> io::Result<()> {
    let Some(said) = describe(event, analysis) else { return Ok(()) };
    match form {
        Form::Text(style, zone) => {
            let id = said.call.map(call).or_else(|| said.connection.map(|number| format!("T{number}")));
            line(event.at.time, zone, &id.unwrap_or_default(), said.tone, &said.text, style, out)
        }
        Form::Json => {
            let object = EventJson {
                event: said.id,
                time: rfc3339(event.at.time),
                packet: event.at.packet,
                connection: said.connection.map(|number| format!("T{number}")),
                call: said.call.map(call),
                facts: said.facts,
                text: &said.text,
            };
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")
        }
    }
}

/// Writes a finding that was not there before, at this time.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_finding(finding: &Finding, time: Timestamp, form: &Form, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Text(style, zone) => {
            let unsure = if finding.unsure.is_some() { " (not certain)" } else { "" };
            let shown = if finding.packets.is_empty() {
                String::new()
            } else {
                format!(", {}", packets(&finding.packets, finding.count))
            };
            let severity = finding.severity.name();
            let text = format!("{severity}[{}]{unsure}: {}{shown}", finding.rule.id, finding.title);
            line(time, zone, "", Some(tone(finding.severity)), &text, style, out)
        }
        Form::Json => {
            let object =
                FindingEvent { event: "finding", time: rfc3339(time), finding: json::finding(finding) };
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")
        }
    }
}

/// Writes that keys were added after this packet at this time: how many, and where they are from.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_keys(
    more: usize,
    of: &Printable,
    (packet, time): (u64, Timestamp),
    form: &Form,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = keys(more, of);
    match form {
        Form::Text(style, zone) => line(time, zone, "", Some(Tone::Good), &text, style, out),
        Form::Json => {
            let object = EventJson {
                event: "keys",
                time: rfc3339(time),
                packet,
                connection: None,
                call: None,
                facts: Facts { keys: Some(more), of: Some(of.to_string()), ..Facts::default() },
                text: &text,
            };
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")
        }
    }
}

/// Says that keys were added.
pub fn keys(more: usize, of: &Printable) -> String {
    format!("{} more, of {of}", count(more as u64, "key"))
}

#[derive(Serialize)]
struct EventJson<'a> {
    event: &'static str,
    time: String,
    packet: u64,
    connection: Option<String>,
    call: Option<String>,
    #[serde(flatten)]
    facts: Facts,
    text: &'a str,
}

#[derive(Serialize)]
struct FindingEvent<F> {
    event: &'static str,
    time: String,
    #[serde(flatten)]
    finding: F,
}

fn line(
    time: Timestamp,
    zone: &TimeZone,
    id: &str,
    tone: Option<Tone>,
    text: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let time = jiff::Timestamp::from_nanosecond(time.0.into()).unwrap_or_default();
    let time = time.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S%.3f").to_string();
    let text = style.wrap(&format!("{time}  {id:<5} "), &style.text(text));
    let text = tone.map_or_else(|| text.clone(), |tone| style.paint(tone, &text));
    writeln!(out, "{text}")
}

/// The one description of each event.
fn describe(event: &Fresh, analysis: &Analysis) -> Option<Said> {
    Some(match event.entity {
        Entity::Ike(at) => ike(analysis, at)?,
        Entity::Flow(id) => sa(event, analysis.flow(id)?),
        Entity::Connection(id) => connection(event, analysis.connection(id)?)?,
        Entity::Call(id) => of_call(analysis, event.what, id)?,
    })
}

fn sa(event: &Fresh, flow: &Flow) -> Said {
    let first_sealed = event.what == News::Change(Change::FirstSealed);
    let sealed = match () {
        () if !first_sealed => "",
        () if flow.bad_icv > 0 => ": an ICV does not hold",
        () if flow.cut > 0 => ": cut by the capture",
        () if flow.unsupported => ": a suite that cannot be opened",
        () => ": no key",
    };
    let (from, to) = (flow.addresses.source, flow.addresses.destination);
    Said {
        id: if first_sealed { "sa-sealed" } else { "sa" },
        tone: first_sealed.then_some(Tone::Odd),
        connection: None,
        call: None,
        text: format!("ESP SA {} from {from} to {to}{sealed}", flow.spi),
        facts: Facts { spi: Some(flow.spi.to_string()), ..Facts::default() },
    }
}

fn connection(event: &Fresh, connection: &Connection) -> Option<Said> {
    Some(match event.what {
        News::Effect(Effect::Established) => {
            let after = connection.setup().map_or_else(String::new, |after| format!(" after {after}"));
            let text = format!("control connection up{after}: {}", both(connection));
            of_connection("connection-up", Some(Tone::Good), connection, text)
        }
        News::Effect(_) => {
            let by =
                connection.closed_by.map_or_else(String::new, |by| format!(" by {}", who(connection, by)));
            let why =
                connection.result.as_ref().map_or_else(String::new, |why| format!(": {}", stop_reason(why)));
            of_connection(
                "connection-closed",
                None,
                connection,
                format!("control connection closed{by}{why}"),
            )
        }
        News::Change(Change::HelloResent) => {
            let text = format!("Hello resent by {}, not acknowledged", who(connection, event.end));
            of_connection("hello-resent", Some(Tone::Odd), connection, text)
        }
        News::Change(Change::Dead) => {
            let waits = connection.ends.iter().position(|end| !end.delivery.outstanding.is_empty())?;
            let silent = if waits == 0 { 1 } else { 0 };
            let since = connection.end(silent).last.map(|(_, last)| event.at.time.since(last));
            let since = since.map_or_else(
                || String::from("it never sent a packet"),
                |since| format!("its last packet came {since} ago"),
            );
            let text = format!("{} does not answer any more: {since}", who(connection, silent));
            of_connection("connection-dead", Some(Tone::Bad), connection, text)
        }
        News::Change(Change::Alive) => {
            let text = String::from("answers come again");
            of_connection("connection-alive", Some(Tone::Good), connection, text)
        }
        News::Change(Change::Restarted) => {
            let text = format!("{} begins anew: its old tunnel is gone", who(connection, event.end));
            of_connection("connection-restarted", Some(Tone::Odd), connection, text)
        }
        News::Change(_) => return None,
    })
}

fn ike(analysis: &Analysis, at: usize) -> Option<Said> {
    let sa = analysis.ike.get(at)?;
    let outcome = sa.outcome()?;
    let fails = outcome != "established";
    Some(Said {
        id: if fails { "ike-failed" } else { "ike-up" },
        tone: Some(if fails { Tone::Bad } else { Tone::Good }),
        connection: None,
        call: None,
        text: format!(
            "IKEv{} of {} and {}: {}",
            sa.version,
            sa.initiator,
            sa.responder,
            outcome.replace('-', " ")
        ),
        facts: Facts::default(),
    })
}

fn of_connection(id: &'static str, tone: Option<Tone>, connection: &Connection, text: String) -> Said {
    let lac = connection.lac_end();
    let address = |end: usize| connection.ends.get(end).map(|end| end.endpoint.address.to_string());
    Said {
        id,
        tone,
        connection: Some(connection.number),
        call: None,
        text,
        facts: Facts { lac: address(lac), lns: address(1usize.saturating_sub(lac)), ..Facts::default() },
    }
}

fn of_call(analysis: &Analysis, what: News, id: CallId) -> Option<Said> {
    let call = analysis.call(id)?;
    let connection = analysis.connection(call.connection)?;
    let lac = connection.lac_end();
    let user = call.ppp.authentication.latest().1.name.as_ref().map(|name| name.as_str().to_owned());
    let named = user.as_ref().map_or_else(String::new, |user| format!(" of user {user}"));
    let address = call.ppp.network.addresses.get(lac).copied().flatten().map(|address| address.to_string());
    let (event, tone, text) = match what {
        News::Effect(Effect::CallEstablished(_)) => {
            let sessions: Vec<String> =
                call.session_ids.iter().flatten().map(|id| id.0.to_string()).collect();
            let text = format!("call up in {}, session IDs {}", tunnel(connection), sessions.join(" and "));
            ("call-up", Some(Tone::Good), text)
        }
        News::Change(Change::UserRefused) => {
            let by = call.ppp.authentication.latest().0.map(|by| who(connection, by));
            let by = by.map_or_else(String::new, |by| format!(" by {by}"));
            let why = call.ppp.authentication.latest().1.message.as_ref();
            let why = why.filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(": {why}"));
            ("user-refused", Some(Tone::Bad), format!("PPP authentication{named} refused{by}{why}"))
        }
        News::Change(Change::NetworkUp(protocol)) => {
            let at = address.as_ref().filter(|_| protocol == IPCP);
            let at = at.map_or_else(String::new, |address| format!(", address {address}"));
            let text = format!("PPP up{named}: {}{at}", json::ncp_name(protocol));
            ("network-up", Some(Tone::Good), text)
        }
        _ => {
            let by = call.closed_by.map_or_else(String::new, |by| format!(" by {}", who(connection, by)));
            let why = call.result.as_ref().map_or_else(String::new, |why| format!(": {}", cdn_words(why)));
            ("call-closed", None, format!("call{named} closed{by}{why}"))
        }
    };
    let mut said = of_connection(event, tone, connection, text);
    said.call = Some(id);
    said.facts.user = user;
    said.facts.address = address;
    Some(said)
}

/// `the LAC 10.1.0.2 (lac.lab) and the LNS 203.0.113.2 (lns.lab)`, LAC first.
fn both(connection: &Connection) -> String {
    let lac = u8::try_from(connection.lac_end()).unwrap_or(0);
    let named = |end: u8| {
        let name = connection.end(end).host_name.as_ref();
        let name = name.filter(|name| !name.is_empty()).map_or_else(String::new, |name| format!(" ({name})"));
        who(connection, end) + &name
    };
    format!("{} and {}", named(lac), named(1u8.saturating_sub(lac)))
}
