//! Words that several rules share, and the guards against false accusations.

use crate::analysis::CallId;
use crate::analysis::control::connection::{Connection, End};
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::IkeSa;
use crate::analysis::log::Observation;
use crate::util::{Duration, Timestamp};

use super::Case;

/// `1 packet`, `2 packets`.
pub(crate) fn count(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", thousands(n)) }
}

/// `1,272`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `T1`.
pub(crate) fn tunnel(connection: &Connection) -> String {
    format!("T{}", connection.number)
}

/// `C1`.
pub(crate) fn call(id: CallId) -> String {
    format!("C{}", u64::from(id.0) + 1)
}

/// `the LAC 10.1.0.2`.
pub(crate) fn who(connection: &Connection, end: u8) -> String {
    // RFC 3931 section 1.3: an end of L2TPv3 may act as LAC and as LNS at once.
    let role = if connection.version == 3 { "LCCE" } else { connection.role(end).name() };
    format!("the {role} {}", connection.end(end).endpoint.address)
}

/// The first four, and how many more there are.
pub(crate) fn some(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(4);
    let shown = all.take(4).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// `packets 3, 4 and 5`, `packet 3`, `packets 3, 4, 5 and 12 more`.
pub(crate) fn packets(packets: &[u64], total: u64) -> String {
    let shown: Vec<String> = packets.iter().take(6).map(u64::to_string).collect();
    let more = total.saturating_sub(shown.len() as u64);
    match (shown.as_slice(), more) {
        ([], _) => String::from("no packet"),
        ([one], 0) => format!("packet {one}"),
        ([first @ .., last], 0) => format!("packets {} and {last}", first.join(", ")),
        (all, more) => format!("packets {} and {} more", all.join(", "), thousands(more)),
    }
}

/// SAs and IKE SAs that one thing is compared with: in a flood of them a rule must not take hours.
const MOST_COMPARED: usize = 2048;

impl<'a> Case<'a> {
    /// The first flows, as many as one thing may be compared with.
    pub(super) fn some_flows(&self) -> impl Iterator<Item = &'a Flow> + Clone + use<'a> {
        self.analysis.flows.iter().take(MOST_COMPARED)
    }

    /// The first IKE SAs, as many as one thing may be compared with.
    pub(super) fn some_ike(&self) -> impl Iterator<Item = &'a IkeSa> + Clone + use<'a> {
        self.analysis.ike.iter().take(MOST_COMPARED)
    }
}

impl Case<'_> {
    /// The time of a moment, in seconds from the first frame.
    pub(super) fn at(&self, time: Timestamp) -> String {
        let since = self.analysis.totals.first.map_or(Duration::ZERO, |first| time.since(first));
        format!("{:.1} s", since.as_seconds())
    }

    /// How long the capture goes on after a moment.
    pub(super) fn left_after(&self, time: Timestamp) -> Duration {
        self.analysis.totals.last.map_or(Duration::ZERO, |last| last.since(time))
    }

    /// Guard G14: packets from `peer` after `since` that could not be read. The answer may be in them.
    pub(super) fn unread_from(&self, peer: &End, since: Timestamp) -> Option<String> {
        let address = peer.endpoint.address;
        self.analysis.coverage.sealed_from(address, since).map(|sealed| {
            let (packets, spi) = (count(sealed.packets, "packet"), sealed.spi);
            format!("{packets} of SA {spi} from {address} could not be decrypted. The answer may be in them.")
        })
    }

    /// Guard G10: the clock of the capture was set while it ran, so times say nothing.
    pub(super) fn clock_steps(&self) -> bool {
        [Observation::ClockBack, Observation::ClockAhead].into_iter().any(|what| self.analysis.log.has(what))
    }

    /// The user left out packets, so what is missing may be there.
    pub(super) fn leaves_out(&self) -> Option<String> {
        let packets = count(self.left_out, "packet");
        let were = if self.left_out == 1 { "was" } else { "were" };
        (self.left_out > 0).then(|| {
            format!("{packets} {were} left out of this report. What seems to be missing may be among them.")
        })
    }

    /// Guard G2: signs that the capture itself lacks packets.
    pub(super) fn capture_loses(&self) -> Option<String> {
        if let Some(why) = self.leaves_out() {
            return Some(why);
        }
        if self.drops > 0 {
            return Some(format!("the capture dropped {} itself.", count(self.drops, "packet")));
        }
        if self.damage.is_some() {
            return Some(String::from("the capture file is damaged, so packets may be missing."));
        }
        if self.analysis.totals.esp_cut > 0 {
            return Some(String::from("the capture cut packets, so ESP among them could not be opened."));
        }
        None
    }
}

/// Signs that the path or the capture loses messages of this connection.
pub(super) fn lossy(connection: &Connection) -> bool {
    connection.unseen_messages > 0
        || connection.ends.iter().any(|end| end.delivery.resent > 0 || end.delivery.unseen)
}

/// The same, but for numbers that were skipped.
pub(super) fn lossy_but_for_gaps(connection: &Connection) -> bool {
    connection.ends.iter().any(|end| end.delivery.resent > 0 || end.acknowledged_unseen)
}

/// Guard G3: one end was never seen although the other shows that it answered.
pub(super) fn one_direction_missing(connection: &Connection) -> bool {
    connection.is_one_direction()
}
