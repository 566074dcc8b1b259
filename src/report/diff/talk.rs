//! The conversations of one capture: what was said in each IKE SA, control connection and call.

use std::collections::HashMap;

use crate::analysis::Analysis;
use crate::analysis::CallId;
use crate::analysis::control::connection::Connection;
use crate::analysis::log::{Event, Log, What};
use crate::util::Timestamp;

use super::words::{Spoken, Utterance, utterance};

/// Different messages of one conversation that are kept.
const MOST_LINES: usize = 1024;

/// One conversation.
#[derive(Debug)]
pub(super) struct Talk<'a> {
    /// `T1`, `C1`, `IKE SA 1`.
    pub id: String,
    /// The control connection, unless it is an IKE SA.
    pub connection: Option<&'a Connection>,
    /// The capture shows its beginning.
    pub from_start: bool,
    /// What was said, each thing once.
    pub lines: Vec<Line>,
    /// Something was not kept.
    pub cut: bool,
    /// Conversations inside it.
    pub inner: Vec<Talk<'a>>,
}

/// What one end said, once or again and again.
#[derive(Debug)]
pub(super) struct Line {
    /// Which end: 0 is the initiator.
    pub from: usize,
    /// The packet that said it first.
    pub packet: u64,
    /// When.
    pub time: Timestamp,
    /// How often, resends of control messages aside.
    pub copies: u32,
    /// What.
    pub said: Utterance,
}

/// The IKE SAs of a capture, and its control connections with their calls.
pub(super) fn talks(analysis: &Analysis) -> [Vec<Talk<'_>>; 2] {
    let ike = analysis.ike.iter().enumerate().map(|(at, sa)| {
        let (lines, cut) = lines(sa.log.events().iter().filter_map(said));
        let first = sa.exchanges.first().map_or("", |row| row.name);
        let from_start = ["main", "aggressive", "IKE_SA_INIT"].contains(&first);
        let id = format!("IKE SA {}", at + 1);
        Talk { id, connection: None, from_start, lines, cut: cut || sa.log.omitted > 0, inner: Vec::new() }
    });
    let connections = analysis.in_order().into_iter().map(|(_, connection)| {
        let from_start = connection.from_start;
        let calls = connection.calls.iter().map(|call| {
            let (lines, cut) = lines(in_call(analysis, &connection.log, *call));
            let id = format!("C{}", call.0 + 1);
            let connection = Some(connection);
            Talk { id, connection, from_start, lines, cut, inner: Vec::new() }
        });
        let own = connection.log.events().iter().filter(|event| call_of(event).is_none());
        let (lines, cut) = lines(own.filter_map(said));
        let (id, inner) = (format!("T{}", connection.number), calls.collect());
        Talk { id, connection: Some(connection), from_start, lines, cut, inner }
    });
    [ike.collect(), connections.collect()]
}

/// The call that a control message is about.
fn call_of(event: &Event) -> Option<CallId> {
    match &event.what {
        What::Message(message) => message.call,
        _ => None,
    }
}

/// Messages about a call, and PPP inside it, in the order of the capture.
fn in_call<'a>(
    analysis: &'a Analysis,
    log: &'a Log,
    id: CallId,
) -> impl Iterator<Item = (&'a Event, Spoken<'a>)> {
    let control = log.events().iter().filter(move |event| call_of(event) == Some(id));
    let ppp = analysis.call(id).into_iter().flat_map(|call| call.log.events());
    let mut all: Vec<_> = control.chain(ppp).filter_map(said).collect();
    all.sort_by_key(|(event, _)| event.at.packet);
    all.into_iter()
}

/// What was said, if it was kept. Resends say nothing new.
fn said(event: &Event) -> Option<(&Event, Spoken<'_>)> {
    let spoken = match &event.what {
        What::Message(message) if !message.resent => Spoken::Control(message.said.as_deref()?, message.cut),
        What::Said(said) => match (&said.ppp, &said.ike) {
            (Some(ppp), _) => Spoken::Ppp(ppp, said.cut),
            (None, Some(ike)) => Spoken::Ike(ike, said.cut),
            (None, None) => return None,
        },
        _ => return None,
    };
    Some((event, spoken))
}

/// What one end says again is there once: how often things are repeated depends on time and loss.
fn lines<'a>(spoken: impl Iterator<Item = (&'a Event, Spoken<'a>)>) -> (Vec<Line>, bool) {
    let mut seen: HashMap<(u8, String, Vec<String>), usize> = HashMap::new();
    let mut lines: Vec<Line> = Vec::new();
    for (event, spoken) in spoken {
        let Some(mut words) = utterance(&spoken) else { continue };
        words.partial |= spoken.is_cut();
        let fields = words.fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
        let key = (event.end, words.name.clone(), fields);
        if let Some(line) = seen.get(&key).and_then(|at| lines.get_mut(*at)) {
            line.copies = line.copies.saturating_add(1);
            continue;
        }
        if lines.len() >= MOST_LINES {
            return (lines, true);
        }
        seen.insert(key, lines.len());
        let (from, packet, time) = (usize::from(event.end), event.at.packet, event.at.time);
        lines.push(Line { from, packet, time, copies: 1, said: words });
    }
    (lines, false)
}

impl Talk<'_> {
    /// Its first line, or that of what is inside it.
    pub(super) fn first(&self) -> Option<&Line> {
        let inner = self.inner.iter().filter_map(|inner| inner.lines.first());
        self.lines.first().into_iter().chain(inner).min_by_key(|line| line.packet)
    }
}
