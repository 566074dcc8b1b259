//! What really happened, written down while it happens.

use std::collections::BTreeSet;

use crate::common::{CDN, ICCN, ICRP, ICRQ, OCCN, OCRP, OCRQ, SCCCN, SCCRP, SCCRQ, STOPCCN};

/// What a packet is, for whoever compares later.
#[derive(Debug, Clone)]
pub struct Note {
    pub conn: usize,
    /// Who sent it.
    pub end: usize,
    pub call: Option<usize>,
    /// The kind of control message, `ZLB` or `DATA`.
    pub kind: u16,
    /// How many state changes had happened when it was sent.
    pub step: usize,
    /// Marks what a fault did.
    pub tag: u8,
    /// The header names the session of its receiver.
    pub to_session: bool,
}

#[derive(Debug, Clone)]
pub struct Captured {
    pub at: i64,
    pub octets: Vec<u8>,
    pub note: Note,
}

/// A change of state of one end.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub conn: usize,
    pub end: usize,
    pub call: Option<usize>,
    pub state: &'static str,
}

/// Something that happened to an end of a control connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A message of this kind was sent as often as it is, and never acknowledged.
    GaveUp(u16),
    /// A message of this kind had been sent five times or more when the capture ended, and was not acknowledged.
    Unanswered(u16),
    /// It sent a StopCCN of this code.
    Stopped(u16),
    /// The StopCCN of its peer was delivered to it.
    HeardStop,
    /// It lost its memory.
    Crashed,
    /// Its request lost a tie.
    LostTie,
    /// Its peer came back with the same ID, so it dropped the old control connection.
    Replaced,
    Established,
    CallEstablished(usize),
    /// It sent a CDN of this code.
    Cleared(usize, u16),
    /// PPP authentication was refused by this end.
    Refused(usize),
}

impl What {
    /// Its name without what it is about, except for the kind of message.
    pub fn name(self) -> String {
        match self {
            Self::GaveUp(kind) => format!("GaveUp {}", super::messages::name(kind)),
            Self::Unanswered(kind) => format!("Unanswered {}", super::messages::name(kind)),
            other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
        }
    }
}

#[derive(Debug, Default)]
pub struct Truth {
    pub changes: Vec<Change>,
    pub captured: Vec<Captured>,
    /// The control messages that were sent: control connection, end, call, kind.
    pub sent: BTreeSet<(usize, usize, Option<usize>, u16)>,
    /// Whose data the path lost before the tap, or the capture at it: control connection and end.
    pub data_missing: BTreeSet<(usize, usize)>,
    /// What happened: time, control connection, end.
    pub happened: Vec<(i64, usize, usize, What)>,
}

impl Truth {
    pub fn note(&mut self, at: i64, conn: usize, end: usize, what: What) {
        self.happened.push((at, conn, end, what));
    }

    pub fn any(&self, conn: usize, test: impl Fn(usize, What) -> bool) -> bool {
        self.happened.iter().any(|(_, of, end, what)| *of == conn && test(*end, *what))
    }

    pub fn did(&self, conn: usize, end: usize, what: What) -> bool {
        self.any(conn, |by, known| by == end && known == what)
    }

    /// The state of an end when it sent its last captured control message, and those that it was in after it: what the
    /// other end says later may tell of them.
    pub fn states_at_last(&self, conn: usize, end: usize, call: Option<usize>) -> Option<Vec<&'static str>> {
        let last = self.captured.iter().rev().find(|packet| {
            packet.note.conn == conn && packet.note.end == end && packet.note.kind != super::messages::DATA
        })?;
        let own = |change: &&Change| (change.conn, change.end, change.call) == (conn, end, call);
        let (before, after) = self.changes.split_at(last.note.step);
        let then = before.iter().rev().find(own).map_or(super::conn::IDLE, |change| change.state);
        Some(std::iter::once(then).chain(after.iter().filter(own).map(|change| change.state)).collect())
    }

    /// Whether the capture has a copy of every message that moved the states of a control connection, or of a call.
    pub fn shown(&self, conn: usize, call: Option<usize>) -> bool {
        let moves: &[u16] = if call.is_some() {
            &[ICRQ, ICRP, ICCN, OCRQ, OCRP, OCCN, CDN, STOPCCN]
        } else {
            &[SCCRQ, SCCRP, SCCCN, STOPCCN]
        };
        let mut sent = self.sent.iter().filter(|(of, _, about, kind)| {
            *of == conn && moves.contains(kind) && (*about == call || about.is_none())
        });
        sent.all(|(_, end, about, kind)| {
            self.captured.iter().any(|packet| {
                let note = &packet.note;
                (note.conn, note.end, note.call, note.kind) == (conn, *end, *about, *kind)
            })
        })
    }

    /// A packet that the capture does not have.
    pub fn missing(&mut self, note: &Note) {
        if note.kind == super::messages::DATA {
            self.data_missing.insert((note.conn, note.end));
        }
    }

    /// The captured data of an end, each by the Identification of its IP header, which counts all that is sent.
    fn data_order(&self, conn: usize, end: usize) -> Vec<u16> {
        let of = |packet: &&Captured| {
            (packet.note.conn, packet.note.end, packet.note.kind) == (conn, end, super::messages::DATA)
        };
        let number = |packet: &Captured| u16::from_be_bytes([packet.octets[4], packet.octets[5]]);
        self.captured.iter().filter(of).map(number).collect()
    }

    /// Whether the path doubled data of an end before the tap.
    pub fn data_doubled(&self, conn: usize, end: usize) -> bool {
        let mut known = BTreeSet::new();
        !self.data_order(conn, end).into_iter().all(|number| known.insert(number))
    }

    /// Whether the path changed the order of data of an end before the tap.
    pub fn data_reordered(&self, conn: usize, end: usize) -> bool {
        !self.data_order(conn, end).is_sorted()
    }

    /// Whether a message of this kind was captured.
    pub fn saw(&self, conn: usize, end: usize, kind: u16) -> bool {
        self.captured
            .iter()
            .any(|packet| packet.note.conn == conn && packet.note.end == end && packet.note.kind == kind)
    }

    pub fn saw_of_call(&self, call: usize, end: usize, kind: u16) -> bool {
        self.captured.iter().any(|packet| {
            packet.note.call == Some(call) && packet.note.end == end && packet.note.kind == kind
        })
    }
}
