//! What happens in a PPP session out of its order: packets before their phase, rejects, echoes and challenges without an
//! answer (RFC 1661 sections 3 and 5).

use crate::dissect::layers::{Ppp, PppBody};
use crate::util::Timestamp;

use crate::analysis::bump32;
use crate::analysis::ppp::session::{Outcome, PppSession, protocol};

/// Something that was seen: how often, and the first and last packet with its time.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// How often.
    pub count: u32,
    /// The end that sent it.
    pub end: u8,
    /// The first packet and its time.
    pub first: (u64, Timestamp),
    /// The last packet and its time.
    pub last: (u64, Timestamp),
}

/// A protocol that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// Its number.
    pub protocol: u16,
    /// The end that refused it.
    pub end: u8,
    /// In which packet.
    pub packet: u64,
}

/// What is out of order in one session.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// Packets of a network layer, of an NCP or of authentication before LCP opened.
    pub before_opened: Option<Mark>,
    /// Packets of an NCP before the authentication that LCP agreed on.
    pub before_authentication: Option<Mark>,
    /// LCP Code-Rejects, and the code that was rejected last.
    pub code_reject: Option<(Mark, u8)>,
    /// Protocols that were refused, each once.
    pub refused: Vec<Refused>,
    /// Echo-Requests of each end since the last Echo-Reply to it.
    pub echoes: [Option<Mark>; 2],
    /// The most Echo-Requests in a row without a reply, of each end.
    pub unanswered_echoes: [Option<Mark>; 2],
    /// CHAP Challenges since the last Response.
    pub challenges: Option<Mark>,
}

/// Different protocols that are kept of those a peer refuses.
const MOST_REFUSED: usize = 8;

const CODE_REJECT: u8 = 7;
const PROTOCOL_REJECT: u8 = 8;
const ECHO_REQUEST: u8 = 9;
const ECHO_REPLY: u8 = 10;

fn add(mark: &mut Option<Mark>, end: u8, at: (u64, Timestamp)) {
    match mark {
        Some(mark) => {
            bump32(&mut mark.count);
            mark.last = at;
        }
        None => *mark = Some(Mark { count: 1, end, first: at, last: at }),
    }
}

impl PppSession {
    /// Looks at a packet before it moves the session.
    pub(in crate::analysis) fn mark(&mut self, ppp: &Ppp, end: u8, at: (u64, Timestamp)) {
        let number = ppp.protocol;
        let negotiated = number != protocol::LCP;
        let started = self.lcp.requests.iter().all(|requests| *requests > 0);
        if negotiated && started && !self.lcp.opened {
            add(&mut self.marks.before_opened, end, at);
        }
        // The value of LCP: PAP, CHAP or EAP was agreed, and nobody was let in yet.
        let ncp = matches!(number, 0x8000..=0xbfff);
        let guarded = self.lcp.opened
            && self.authentication.authenticator.is_some()
            && self.authentication.demanded != [false, false];
        if ncp && guarded && self.authentication.outcome.is_none() {
            add(&mut self.marks.before_authentication, end, at);
        }
        let Some(control) = ppp.control.as_deref() else { return };
        match (control.protocol, control.code, &control.body) {
            (protocol::LCP, CODE_REJECT, PppBody::CodeReject(code)) => {
                let mut mark = self.marks.code_reject.map(|(mark, _)| mark);
                add(&mut mark, end, at);
                self.marks.code_reject = mark.map(|mark| (mark, *code));
            }
            (protocol::LCP, PROTOCOL_REJECT, PppBody::ProtocolReject(refused)) => {
                let refused = Refused { protocol: *refused, end, packet: at.0 };
                let known = |other: &Refused| (other.protocol, other.end) == (refused.protocol, end);
                if self.marks.refused.len() < MOST_REFUSED && !self.marks.refused.iter().any(known) {
                    self.marks.refused.push(refused);
                }
            }
            (protocol::LCP, ECHO_REQUEST, _) => self.echo(end, at),
            (protocol::LCP, ECHO_REPLY, _) => {
                if let Some(mark) = self.marks.echoes.get_mut(usize::from(1u8.saturating_sub(end))) {
                    *mark = None;
                }
            }
            (protocol::CHAP, 1, _) => add(&mut self.marks.challenges, end, at),
            (protocol::CHAP, 2.., _) => self.marks.challenges = None,
            _ => {}
        }
    }

    fn echo(&mut self, end: u8, at: (u64, Timestamp)) {
        let index = usize::from(end);
        let (Some(row), Some(most)) =
            (self.marks.echoes.get_mut(index), self.marks.unanswered_echoes.get_mut(index))
        else {
            return;
        };
        // One is always under way; it counts when the next one is sent.
        if let Some(waiting) = row
            && most.is_none_or(|most| most.count < waiting.count)
        {
            *most = Some(*waiting);
        }
        add(row, end, at);
    }

    /// Whether the peer was let in, as far as the capture shows.
    pub fn authenticated(&self) -> bool {
        self.authentication.outcome == Some(Outcome::Success)
    }
}
