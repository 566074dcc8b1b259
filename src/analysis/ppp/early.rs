//! Packets that an end sent before their phase, and itself proves it (RFC 1661 sections 3.4 and 3.5).
//!
//! That an end was not asked, or not answered, is never shown: the capture may lack it. But an end that asks once more
//! was not answered before. What it sent between the two of a later phase came too early, whatever the capture lacks.

use crate::analysis::ppp::notice::{At, MOST_PACKETS, Notices, PppNotice};
use crate::analysis::ppp::protocol::{LCP, PAP, is_ncp, other};
use crate::util::{Duration, Timestamp};

/// A packet so near to one that asks may be out of order.
const RACE: Duration = Duration::seconds(1);
/// Whoever asks again later may ask for something else: another negotiation, another round of authentication (RFC 1994
/// section 2).
const RETRY: Duration = Duration::seconds(10);

/// What an end asked, and what was sent since.
#[derive(Debug, Clone, Default)]
struct Asking {
    since: Option<Timestamp>,
    /// Packets of a later phase since then, with their senders.
    later: Vec<(u8, At)>,
}

impl Asking {
    /// It asks: for the same once more, or for something new.
    fn asks(&mut self, what: PppNotice, again: bool, at: At, notices: &mut Notices) {
        if let Some(since) = self.since.filter(|since| again && at.1.since(*since) <= RETRY) {
            let apart = |time: Timestamp| time.since(since) > RACE && at.1.since(time) > RACE;
            for (end, packet) in self.later.iter().filter(|(_, packet)| apart(packet.1)) {
                notices.note(what, *end, *packet);
            }
        }
        self.since = Some(at.1);
        self.later.clear();
    }

    fn later(&mut self, end: u8, at: At) {
        if self.since.is_some() && self.later.len() < MOST_PACKETS {
            self.later.push((end, at));
        }
    }

    fn forget(&mut self) {
        self.since = None;
        self.later.clear();
    }
}

/// What each end asked in LCP and in its authentication.
#[derive(Debug, Clone, Default)]
pub(super) struct Early {
    lcp: [Asking; 2],
    proof: [Asking; 2],
    /// The last one that asked for authentication did so for itself: PAP.
    by_peer: bool,
}

impl Early {
    /// A packet that `from` sent. `authenticating` says whether an authentication is due.
    pub(super) fn packet(&mut self, protocol: u16, from: u8, at: At, authenticating: bool) {
        if protocol == LCP {
            return;
        }
        if let Some(asking) = self.lcp.get_mut(usize::from(from)) {
            asking.later(from, at);
        }
        if authenticating && is_ncp(protocol) {
            for (end, asking) in (0..).zip(&mut self.proof) {
                // Whoever asks for itself may have been let in already, and not know it.
                if !self.by_peer || end == from {
                    asking.later(from, at);
                }
            }
        }
    }

    /// A Configure-Request of LCP.
    pub(super) fn request(&mut self, from: u8, again: bool, at: At, notices: &mut Notices) {
        if let Some(asking) = self.lcp.get_mut(usize::from(from)) {
            asking.asks(PppNotice::WhileNegotiating, again, at, notices);
        }
    }

    /// An answer of LCP that `from` sent.
    pub(super) fn answer(&mut self, from: u8) {
        if let Some(asking) = self.lcp.get_mut(usize::from(other(from))) {
            asking.forget();
        }
    }

    /// A packet of authentication: a Challenge, a Request, or what follows it.
    pub(super) fn authenticates(&mut self, protocol: u16, code: u8, from: u8, at: At, notices: &mut Notices) {
        match (protocol, code) {
            (_, 1) => {
                self.by_peer = protocol == PAP;
                if let Some(asking) = self.proof.get_mut(usize::from(from)) {
                    asking.asks(PppNotice::WhileAuthenticating, true, at, notices);
                }
            }
            (PAP, _) | (_, 3 | 4) => self.begin_anew(),
            _ => {}
        }
    }

    /// LCP is negotiated anew, or an authenticator said yes or no.
    pub(super) fn begin_anew(&mut self) {
        self.proof.iter_mut().for_each(Asking::forget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ppp::protocol::{CHAP, IPCP};

    fn at(second: i64) -> At {
        (u64::try_from(second).unwrap_or(0), Timestamp(0).after(Duration::seconds(second)))
    }

    fn noted(of: impl FnOnce(&mut Early, &mut Notices)) -> Vec<(PppNotice, u8, u32)> {
        let (mut early, mut notices) = (Early::default(), Notices::default());
        of(&mut early, &mut notices);
        notices.all().map(|(what, noted)| (what, noted.end, noted.count)).collect()
    }

    #[test]
    fn between_two_copies_of_a_request() {
        let between = |first: i64, packet: i64, again: bool, second: i64| {
            noted(|early, notices| {
                early.request(0, false, at(first), notices);
                early.packet(IPCP, 0, at(packet), false);
                // The other end is another matter.
                early.packet(IPCP, 1, at(packet), false);
                early.request(0, again, at(second), notices);
            })
        };
        assert_eq!(between(1, 3, true, 5), [(PppNotice::WhileNegotiating, 0, 1)]);
        // Nearly: a race at either end, another request, one that comes much later.
        assert_eq!(between(1, 2, true, 5), []);
        assert_eq!(between(1, 4, true, 5), []);
        assert_eq!(between(1, 3, false, 5), []);
        assert_eq!(between(1, 3, true, 50), []);
        // Nearly: it was answered between them.
        let answered = noted(|early, notices| {
            early.request(0, false, at(1), notices);
            early.packet(IPCP, 0, at(3), false);
            early.answer(1);
            early.request(0, true, at(5), notices);
        });
        assert_eq!(answered, []);
    }

    #[test]
    fn between_two_challenges() {
        let between = |protocol: u16, from: u8, due: bool| {
            noted(|early, notices| {
                early.authenticates(protocol, 1, 1, at(1), notices);
                early.packet(IPCP, from, at(3), due);
                early.authenticates(protocol, 2, 0, at(4), notices);
                early.authenticates(protocol, 1, 1, at(5), notices);
            })
        };
        assert_eq!(between(CHAP, 0, true), [(PppNotice::WhileAuthenticating, 0, 1)]);
        assert_eq!(between(CHAP, 1, true), [(PppNotice::WhileAuthenticating, 1, 1)]);
        // Nearly: it succeeded before; of PAP it is answered.
        assert_eq!(between(CHAP, 0, false), []);
        assert_eq!(between(PAP, 1, true), []);
    }

    #[test]
    fn who_asks_for_itself_may_have_been_let_in() {
        let between = |from: u8| {
            noted(|early, notices| {
                early.authenticates(PAP, 1, 0, at(1), notices);
                early.packet(IPCP, from, at(3), true);
                early.authenticates(PAP, 1, 0, at(5), notices);
            })
        };
        assert_eq!(between(0), [(PppNotice::WhileAuthenticating, 0, 1)]);
        // Nearly: the authenticator said yes, and the capture lacks it.
        assert_eq!(between(1), []);
    }
}
