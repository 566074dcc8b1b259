//! The lines of a ladder: what each control message was and did, and runs of data between them.

use crate::util::Timestamp;
use crate::util::seq::Seq16;

use super::{CallId, bump, bump32};
use crate::analysis::control::delivery::MessageKind;
use crate::dissect::layers::{SessionId, TunnelId};
use crate::util::Duration;

/// One line.
#[derive(Debug, Clone)]
pub enum Row {
    /// A control message, or resends of one that follow each other.
    Message(MessageRow),
    /// Data messages that follow each other.
    Data(DataRow),
}

/// A control message.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// The packet, of resends the first.
    pub packet: u64,
    /// Of resends the last packet.
    pub last_packet: u64,
    /// When (of resends: the first).
    pub time: Timestamp,
    /// Which end sent it.
    pub from: u8,
    /// What it is.
    pub message: MessageKind,
    /// Its Ns and Nr.
    pub numbers: Option<(Seq16, Seq16)>,
    /// How many packets: more than one for resends in a row.
    pub copies: u32,
    /// Sent before with the same Ns.
    pub resent: bool,
    /// What it did.
    pub effect: Effect,
}

/// What a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing worth a word.
    None,
    /// It assigned a tunnel ID.
    Tunnel(TunnelId),
    /// It established the control connection.
    Established,
    /// It assigned a session ID to a call.
    Session(CallId, Option<SessionId>),
    /// It established a call.
    CallEstablished(CallId),
    /// It acknowledged a message after so long.
    Acknowledged(Duration),
    /// It closed a call: result code and error code.
    CallClosed(CallId, Option<(u16, Option<u16>)>),
    /// It closed the control connection: result code and error code.
    Closed(Option<(u16, Option<u16>)>),
}

/// Data messages that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct DataRow {
    /// The first packet.
    pub packet: u64,
    /// The last packet.
    pub last_packet: u64,
    /// When the first came.
    pub time: Timestamp,
    /// When the last came.
    pub last_time: Timestamp,
    /// How many from each end.
    pub count: [u64; 2],
}

/// The ladder of one control connection.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    /// The lines.
    pub rows: Vec<Row>,
    /// Lines that were not kept.
    pub omitted: u64,
}

/// Lines that one control connection may have.
const MOST_ROWS: usize = 4096;

/// Counts the lines of all ladders against their common limit.
#[derive(Debug)]
pub(crate) struct Budget {
    pub left: usize,
    pub refused: u64,
}

impl Ladder {
    pub(crate) fn message(&mut self, row: MessageRow, budget: &mut Budget) {
        if let Some(Row::Message(last)) = self.rows.last_mut() {
            let again = row.resent
                && last.resent
                && last.from == row.from
                && last.message == row.message
                && last.numbers.map(|n| n.0) == row.numbers.map(|n| n.0);
            if again {
                bump32(&mut last.copies);
                last.last_packet = row.packet;
                return;
            }
        }
        self.push(Row::Message(row), budget);
    }

    pub(crate) fn data(&mut self, packet: u64, time: Timestamp, from: usize, budget: &mut Budget) {
        if let Some(Row::Data(run)) = self.rows.last_mut() {
            run.last_packet = packet;
            run.last_time = time;
            if let Some(count) = run.count.get_mut(from) {
                bump(count);
            }
            return;
        }
        let mut count = [0, 0];
        if let Some(count) = count.get_mut(from) {
            *count = 1;
        }
        self.push(Row::Data(DataRow { packet, last_packet: packet, time, last_time: time, count }), budget);
    }

    fn push(&mut self, row: Row, budget: &mut Budget) {
        if self.rows.len() >= MOST_ROWS || budget.left == 0 {
            bump(&mut self.omitted);
            bump(&mut budget.refused);
            return;
        }
        budget.left = budget.left.saturating_sub(1);
        if self.rows.is_empty() {
            self.rows.reserve_exact(1);
        }
        self.rows.push(row);
    }
}
