//! How often something has to stay without an answer before loss explains it no more.
//!
//! Where a path loses one packet in five each way, and the capture one in twenty, an answer is seen to no more than
//! 0.8 · 0.8 · 0.95 = 61 % of what asks for one, so 39 % stay without: five in a row by chance once in 110 times, eight once
//! in 1,900, ten once in 12,000. A call has many places where a row may begin, so ten it has to be where loss is all that
//! is known. It may be fewer where something else speaks against loss as well: that nothing came from the other end at
//! all meanwhile, or that nothing else of the call was lost.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ppp::notice::Run;

use super::Case;
use super::words::{self, count};

/// Beyond loss, where it is all that is known.
pub(super) const BEYOND_LOSS: u32 = 10;
/// Beyond loss, where one thing speaks against it.
pub(super) const UNLIKE_LOSS: u32 = 8;
/// Beyond loss, where two things do.
pub(super) const NO_LOSS: u32 = 5;

/// Whether anything of the call came from an end after a row began.
pub(super) fn heard(call: &Call, end: u8, row: &Run) -> bool {
    let data = call.data.get(usize::from(end)).and_then(|data| data.last);
    data.is_some_and(|last| last > row.first.1)
}

/// Whether messages or data of the call are known to be lost, or may be without a sign of it: before the capture began.
fn loses(connection: &Connection, call: &Call) -> bool {
    !connection.from_start || words::lossy(connection) || call.data.iter().any(|data| data.lost > 0)
}

/// A call whose set-up the capture lacks: its answers may have gone for those of another call.
pub(super) fn unmatched(connection: &Connection, call: &Call) -> Option<String> {
    let matched = !call.guessed && (0..2u8).all(|end| call.session(end).is_some());
    (!matched)
        .then(|| format!("which data of {} belongs to which call is not known.", words::tunnel(connection)))
}

/// What could explain that a row stays without an answer of the other end.
pub(super) fn explains(case: &Case<'_>, connection: &Connection, call: &Call, row: &Run) -> Option<String> {
    let peer = 1u8.saturating_sub(row.end);
    let heard = heard(call, peer, row);
    let enough = match (heard, loses(connection, call)) {
        (true, true) => BEYOND_LOSS,
        (false, false) => NO_LOSS,
        _ => UNLIKE_LOSS,
    };
    let unread = case.unread_from(connection.end(peer), row.first.1);
    unread.or_else(|| case.capture_loses()).or_else(|| unmatched(connection, call)).or_else(|| {
        let other = if heard { "other data of that end came meanwhile, and " } else { "" };
        (row.count < enough)
            .then(|| format!("{other}loss explains {} without an answer.", count(row.count.into(), "packet")))
    })
}
