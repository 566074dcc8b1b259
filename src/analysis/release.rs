//! When something counts as ended, and what was let go of: a capture that goes on for hours keeps what lives and the
//! newest of what ended.

use crate::util::{Duration, Timestamp};

use super::control::connection::{Connection, ConnectionState};
use super::ipsec::flow::Flow;

/// Ended control connections, silent SAs and silent IKE SAs that are kept of each for the report.
pub(super) const KEPT: usize = 256;
/// How many more there must be before any are let go: the tables are then gone through once.
pub(super) const SLACK: usize = KEPT / 4;

/// An end whose Hellos come less often than this is taken as gone.
const IDLE: Duration = Duration::seconds(7200);
/// SAs of IKE and ESP live on for as long without a packet.
const SILENT: Duration = Duration::seconds(3600);

/// When a tracker looked for what ended.
#[derive(Debug, Default)]
pub(super) struct Release {
    pub(super) looked: Option<Timestamp>,
    pub(super) ending: Option<Ending>,
}

/// What a tracker let go of.
#[derive(Debug, Default, Clone, Copy)]
pub struct LetGo {
    /// Control connections that ended.
    pub connections: u64,
    /// Their calls.
    pub calls: u64,
    /// SAs that were silent.
    pub flows: u64,
    /// IKE SAs that were silent.
    pub ike: u64,
    /// The packets of these SAs.
    pub esp: EspCounts,
}

/// What came of opening ESP packets.
#[derive(Debug, Default, Clone, Copy)]
pub struct EspCounts {
    /// Opened.
    pub decrypted: u64,
    /// The ICV does not hold.
    pub bad_icv: u64,
    /// Padding or Next Header are wrong, or it is too short.
    pub bad_padding: u64,
    /// No usable key, or cut by the capture.
    pub no_key: u64,
    /// Sequence numbers that came again.
    pub replayed: u64,
}

impl EspCounts {
    /// Adds those of a flow.
    pub fn add(&mut self, flow: &Flow) {
        let sum = |count: &mut u64, more: u64| *count = count.saturating_add(more);
        sum(&mut self.decrypted, flow.decrypted);
        sum(&mut self.bad_icv, flow.bad_icv);
        sum(&mut self.bad_padding, flow.bad_padding);
        sum(&mut self.no_key, flow.no_key);
        sum(&mut self.replayed, flow.replayed);
    }
}

/// The last packet of either end.
pub(super) fn last(connection: &Connection) -> Timestamp {
    let times = connection.ends.iter().filter_map(|end| end.last.map(|(_, time)| time));
    times.max().unwrap_or(Timestamp(0))
}

/// When something counts as ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) now: Timestamp,
    pub(super) stepped: Option<Timestamp>,
    pub(super) closed: Duration,
    pub(super) unanswered: Duration,
}

impl Ending {
    /// For how long nothing came, as far as the clock of the capture ran on.
    fn silence(self, last: Timestamp) -> Duration {
        let since = self.now.since(last);
        self.stepped.map_or(since, |stepped| since.min(self.now.since(stepped)))
    }

    pub(super) fn connection(self, connection: &Connection) -> bool {
        let silent = self.silence(last(connection));
        match connection.state {
            ConnectionState::Closed => silent >= self.closed,
            ConnectionState::WaitCtlReply | ConnectionState::WaitCtlConn => silent >= self.unanswered,
            ConnectionState::Established | ConnectionState::Unknown => silent >= IDLE,
        }
    }

    /// When an SA that ended had its last packet.
    pub(super) fn sa(self, last: Timestamp) -> Option<Timestamp> {
        (self.silence(last) >= SILENT).then_some(last)
    }
}

/// Which of them go: of those that ended (at that time), all but the [`KEPT`] newest.
pub(super) fn oldest(all: impl Iterator<Item = Option<Timestamp>>) -> Vec<bool> {
    let all: Vec<Option<Timestamp>> = all.collect();
    let mut times: Vec<Timestamp> = all.iter().copied().flatten().collect();
    let mut many = times.len().saturating_sub(KEPT);
    if many <= SLACK {
        return vec![false; all.len()];
    }
    times.sort_unstable();
    let newest = times.get(many.saturating_sub(1)).copied();
    let goes = |ended: &Option<Timestamp>| {
        let goes = many > 0 && ended.is_some() && *ended <= newest;
        many = many.saturating_sub(usize::from(goes));
        goes
    };
    all.iter().map(goes).collect()
}

pub(super) fn keep<T>(all: &mut Vec<T>, going: &[bool]) {
    let mut at = going.iter();
    all.retain(|_| !at.next().copied().unwrap_or(false));
    all.shrink_to_fit();
}
