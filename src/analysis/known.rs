//! What this capture can know of an end of a control connection since a moment: one question for every guard against false
//! accusations.

use super::control::connection::Connection;
use super::coverage::Sealed;
use super::found::Analysis;
use super::log::Observation;
use crate::util::Timestamp;

/// Why something is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The capture began later.
    BeforeStart,
    /// Nothing of this end is in the capture, although its peer shows that it answered.
    OneDirection,
    /// Packets from its host could not be read: no key, or a wrong one.
    Sealed(Sealed),
    /// The capture lacks control messages, which were acknowledged.
    Lost,
    /// The capture cut ESP packets, so that they could not be opened.
    Cut,
    /// The clock of the capture was set: times say nothing.
    ClockSet,
}

/// What keeps the capture from knowing all that an end of a control connection did since a moment; `None` if nothing
/// does. What a user left out, and what kernel and interface dropped, the caller knows.
pub fn unknown_of(
    analysis: &Analysis,
    connection: &Connection,
    end: u8,
    since: Timestamp,
) -> Option<Unknown> {
    if connection.is_one_direction() {
        return Some(Unknown::OneDirection);
    }
    if !connection.from_start && connection.first_time >= since {
        return Some(Unknown::BeforeStart);
    }
    let host = connection.end(end).endpoint.address;
    if let Some(sealed) = analysis.coverage.sealed_from(host, since) {
        return Some(Unknown::Sealed(sealed));
    }
    if connection.unseen_messages > 0 {
        return Some(Unknown::Lost);
    }
    if analysis.totals.esp_cut > 0 {
        return Some(Unknown::Cut);
    }
    let set =
        [Observation::ClockBack, Observation::ClockAhead].into_iter().any(|what| analysis.log.has(what));
    set.then_some(Unknown::ClockSet)
}
