//! LCP Echo-Requests and their replies (RFC 1661 section 5.8).

use crate::analysis::ppp::notice::{At, Run};
use crate::analysis::ppp::protocol::other;

/// Echo-Requests of each end, and those that got no reply.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echoes {
    /// Since the last Echo-Reply to that end.
    waiting: [Option<Run>; 2],
    longest: [Option<Run>; 2],
}

impl Echoes {
    /// The most Echo-Requests in a row of that end which got no reply before the next one was sent.
    pub fn unanswered(&self, end: u8) -> Option<&Run> {
        self.longest.get(usize::from(end))?.as_ref()
    }

    /// Those that wait for a reply now, of that end.
    pub fn waiting(&self, end: u8) -> Option<&Run> {
        self.waiting.get(usize::from(end))?.as_ref()
    }

    pub(super) fn request(&mut self, end: u8, at: At) {
        let index = usize::from(end);
        let (Some(row), Some(longest)) = (self.waiting.get_mut(index), self.longest.get_mut(index)) else {
            return;
        };
        // One is always under way; it counts when the next one is sent.
        if let Some(waiting) = row
            && longest.is_none_or(|longest| longest.count < waiting.count)
        {
            *longest = Some(*waiting);
        }
        Run::extend(row, end, at);
    }

    /// LCP is negotiated anew, or ends: what was sent before need not be answered any more (RFC 1661 section 5.8).
    pub(super) fn forget(&mut self) {
        self.waiting = [None; 2];
    }

    pub(super) fn reply(&mut self, from: u8) {
        if let Some(row) = self.waiting.get_mut(usize::from(other(from))) {
            *row = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::Timestamp;

    #[test]
    fn the_longest_row_without_a_reply() {
        let mut echoes = Echoes::default();
        for packet in 1..=4 {
            echoes.request(0, (packet, Timestamp(0)));
        }
        echoes.reply(1);
        echoes.request(0, (9, Timestamp(0)));
        echoes.request(0, (10, Timestamp(0)));
        let row = echoes.unanswered(0).map(|row| (row.count, row.first.0, row.last.0));
        assert_eq!(row, Some((3, 1, 3)));
        assert_eq!(echoes.waiting(0).map(|row| row.count), Some(2));
        // Nearly: LCP is not open between them.
        echoes.request(1, (11, Timestamp(0)));
        echoes.request(1, (12, Timestamp(0)));
        echoes.forget();
        echoes.request(1, (13, Timestamp(0)));
        echoes.request(1, (14, Timestamp(0)));
        assert_eq!(echoes.unanswered(1).map(|row| row.count), Some(1));
    }

    #[test]
    fn one_under_way_is_not_in_a_row() {
        let mut echoes = Echoes::default();
        echoes.request(1, (1, Timestamp(0)));
        assert!(echoes.unanswered(1).is_none());
    }
}
