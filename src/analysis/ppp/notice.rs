//! What was noticed in a PPP session that departs from its RFCs or explains why it fails: counted, with examples.

use crate::analysis::ids::bump32;
use crate::util::Timestamp;

/// The number of a packet in the capture, and its time.
pub type At = (u64, Timestamp);

/// Something that is noticed. What the wire says (numbers, codes, names) is no part of it, so that a peer cannot make
/// many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PppNotice {
    /// An end sent a packet of a later phase before LCP first opened (RFC 1661 section 3.4).
    BeforeOpened,
    /// An end sent a packet of a later phase while LCP was negotiated anew (RFC 1661 section 3.4).
    DuringRenegotiation,
    /// An end sent a packet of an NCP before the authentication that LCP agreed on had succeeded (RFC 1661 section 3.5).
    BeforeAuthentication,
    /// An end sent a packet of a later phase between two copies of a Configure-Request of LCP, so while LCP was not open
    /// there (RFC 1661 section 3.4).
    WhileNegotiating,
    /// An end sent a packet of an NCP between two attempts to authenticate, so before that had succeeded (RFC 1661
    /// section 3.5).
    WhileAuthenticating,
    /// An end answered with an Identifier that no request has which was captured (RFC 1661 section 5.2).
    UnmatchedAnswer,
    /// An end answered a request after its peer had sent another one; the peer discards that (RFC 1661 section 5.2).
    StaleAnswer,
    /// An end acknowledged other options than those that were asked for (RFC 1661 section 5.2).
    AlteredAnswer,
    /// An end changed the options of its request and left the Identifier as it was (RFC 1661 section 5.1).
    IdentifierReused,
    /// A Configure-Request in a protocol that was open: it is negotiated anew (RFC 1661 section 4.3).
    Renegotiated,
    /// What an end sends comes back to it, as its own Magic-Number shows (RFC 1661 section 6.4). The end is the one that
    /// it comes back to.
    LoopedBack,
    /// An end rejected a code from 1 to 7, without which there is no negotiation (RFC 1661 section 5.6).
    EssentialCodeRejected,
    /// An end rejected another code (RFC 1661 section 5.6).
    CodeRejected,
    /// An end rejected a protocol (RFC 1661 section 5.7).
    ProtocolRejected,
    /// An end responded to no Challenge or Request that was captured (RFC 1994 section 4.1, RFC 3748 section 4.1).
    UnmatchedResponse,
    /// An end said yes or no to no response that was captured (RFC 1994 section 4.2, RFC 1334 section 2.2.2).
    UnmatchedResult,
}

/// How often something was noticed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The end that did it.
    pub end: u8,
    /// How often.
    pub count: u32,
    /// The first packet and its time.
    pub first: At,
    /// The last packet and its time.
    pub last: At,
    /// The first packets, at most [`MOST_PACKETS`].
    pub packets: Vec<u64>,
}

/// Packets that are kept of one kind of notice, as examples.
pub const MOST_PACKETS: usize = 4;

/// What was noticed in one session. There is one entry at most for each kind and end.
#[derive(Debug, Clone, Default)]
pub struct Notices(Vec<(PppNotice, Noted)>);

impl Notices {
    /// Notes what an end did, in the packet `at`.
    pub(super) fn note(&mut self, what: PppNotice, end: u8, at: At) {
        let known = self.0.iter_mut().find(|(known, noted)| (*known, noted.end) == (what, end));
        match known {
            Some((_, noted)) => {
                bump32(&mut noted.count);
                noted.last = at;
                if noted.packets.len() < MOST_PACKETS {
                    noted.packets.push(at.0);
                }
            }
            None => {
                let noted = Noted { end, count: 1, first: at, last: at, packets: vec![at.0] };
                self.0.push((what, noted));
            }
        }
    }

    /// What was noted of one end, or of the end that did it first.
    pub fn noted(&self, what: PppNotice, end: Option<u8>) -> Option<&Noted> {
        let fits = |entry: &&(PppNotice, Noted)| entry.0 == what && end.is_none_or(|end| entry.1.end == end);
        self.0.iter().find(fits).map(|(_, noted)| noted)
    }

    /// Everything that was noted, in the order of its first packets.
    pub fn all(&self) -> impl Iterator<Item = (PppNotice, &Noted)> {
        self.0.iter().map(|(what, noted)| (*what, noted))
    }
}

/// Packets of one kind in a row that wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The end that sent them.
    pub end: u8,
    /// How many.
    pub count: u32,
    /// The first packet and its time.
    pub first: At,
    /// The last packet and its time.
    pub last: At,
}

impl Run {
    /// One more in this row, or the first of a new one.
    pub(super) fn extend(row: &mut Option<Self>, end: u8, at: At) {
        match row {
            Some(row) => {
                bump32(&mut row.count);
                row.last = at;
            }
            None => *row = Some(Self { end, count: 1, first: at, last: at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_counted_by_kind_and_end() {
        let mut notices = Notices::default();
        let at = |packet| (packet, Timestamp(i64::try_from(packet).unwrap_or(0)));
        for packet in 1..=9 {
            notices.note(PppNotice::StaleAnswer, 1, at(packet));
        }
        notices.note(PppNotice::StaleAnswer, 0, at(10));
        let first = notices.noted(PppNotice::StaleAnswer, None).expect("noted");
        assert_eq!((first.end, first.count, first.first.0, first.last.0), (1, 9, 1, 9));
        assert_eq!(first.packets, [1, 2, 3, 4]);
        assert_eq!(notices.noted(PppNotice::StaleAnswer, Some(0)).map(|noted| noted.count), Some(1));
        assert_eq!(notices.noted(PppNotice::LoopedBack, None), None);
        assert_eq!(notices.all().count(), 2);
    }
}
