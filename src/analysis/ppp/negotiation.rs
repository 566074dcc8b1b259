//! The negotiation of one protocol, LCP or a network control protocol, by both ends (RFC 1661 sections 4 and 5).
//!
//! Each end has its own automaton. It moves on what the end sends. What is sent *to* an end is in flight until the end
//! shows that it arrived, or that it did not: by its next packet.

use crate::analysis::ids::bump32;
use crate::analysis::limits::TEXT;
use crate::analysis::ppp::automaton::{Event, State};
use crate::analysis::ppp::end::End;
use crate::analysis::ppp::notice::{At, Notices, PppNotice};
use crate::analysis::ppp::protocol::{code, other};
use crate::analysis::ppp::requests::Answer;
use crate::dissect::layers::{PppBody, PppControl};
use crate::util::Printable;

/// How far a control protocol came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Requests, and not a Configure-Ack each way.
    Negotiating,
    /// A Configure-Ack each way.
    Opened,
    /// Refused by a Protocol-Reject.
    Rejected,
}

impl Progress {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negotiating => "negotiating",
            Self::Opened => "opened",
            Self::Rejected => "rejected",
        }
    }
}

/// Who ended a protocol first, and why.
#[derive(Debug, Clone)]
pub struct Termination {
    /// The end that sent the Terminate-Request.
    pub end: u8,
    /// In which packet.
    pub packet: u64,
    /// The text in it (RFC 1661 section 5.5), which may be empty.
    pub reason: Printable,
}

/// A protocol that was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub protocol: u16,
    /// The end that rejected it.
    pub end: u8,
    /// In which packet.
    pub packet: u64,
}

/// The negotiation of LCP, of a network control protocol or of CCP.
#[derive(Debug, Clone, Default)]
pub struct Negotiation {
    /// Both ends.
    pub ends: [End; 2],
    /// How often it was negotiated: once, and once more for each time that it was open or ended and a Configure-Request
    /// followed (RFC 1661 section 4.3).
    pub rounds: u32,
    /// The first packet of the current round.
    pub round_began: Option<At>,
    /// The first Protocol-Reject of it.
    pub rejected: Option<Refused>,
    /// Who ended it first.
    pub terminated: Option<Termination>,
    pub(super) ever_opened: bool,
    pub(super) ended: bool,
}

impl Negotiation {
    /// One end. There are two; any other number means the second.
    pub fn end(&self, end: u8) -> &End {
        let [first, second] = &self.ends;
        if end == 0 { first } else { second }
    }

    pub(super) fn end_mut(&mut self, end: u8) -> &mut End {
        let [first, second] = &mut self.ends;
        if end == 0 { first } else { second }
    }

    /// How far it came, as far as its own packets show; `None` if none of them was captured.
    pub fn progress(&self) -> Option<Progress> {
        let tried = self.ends.iter().any(|end| end.asked > 0 || end.acknowledged > 0);
        if self.ever_opened && self.ends.iter().all(|end| end.acknowledged > 0) {
            Some(Progress::Opened)
        } else if self.rejected.is_some() {
            Some(Progress::Rejected)
        } else {
            tried.then_some(Progress::Negotiating)
        }
    }

    /// Whether it was open once: a Configure-Ack each way, or both ends used what it has to be open for.
    pub fn ever_opened(&self) -> bool {
        self.ever_opened
    }

    /// Whether it is open at both ends now, if what was sent last arrived.
    pub fn opened_now(&self) -> bool {
        self.ends.iter().all(|end| end.likely() == State::Opened)
    }

    /// Whether both ends have shown that it is open there now.
    pub fn opened_at_both(&self) -> bool {
        self.ends.iter().all(|end| end.state == State::Opened)
    }

    /// Configure-Requests of an end since the other last answered one.
    pub fn unanswered(&self, end: u8) -> u32 {
        self.end(end).unanswered.map_or(0, |run| run.count)
    }

    /// Whether each end asked.
    pub fn both_asked(&self) -> bool {
        self.ends.iter().all(|end| end.asked > 0)
    }

    /// The last Configure-Request of either end.
    pub fn last_request(&self) -> Option<At> {
        self.ends.iter().filter_map(|end| end.last_request).max()
    }

    /// Configure-Naks and -Rejects of both ends.
    pub fn refusals(&self) -> u32 {
        self.ends.iter().map(|end| end.refused).fold(0, u32::saturating_add)
    }

    /// Takes a packet of this protocol. Whether its options count: those of an answer that its peer discards do not.
    pub(super) fn push(
        &mut self,
        control: &PppControl,
        from: u8,
        at: At,
        magic: Option<u32>,
        notices: &mut Notices,
    ) -> bool {
        // All that comes from where nobody ever spoke is what the other end sent.
        let comes_back = looped(other(from), notices) && self.end(from).asked == 0;
        match control.code {
            code::CONFIGURE_REQUEST => return self.request(control, from, at, magic, notices),
            _ if comes_back => return false,
            code::CONFIGURE_ACK => return self.answer(control, Answer::Ack, from, at, notices),
            code::CONFIGURE_NAK => return self.answer(control, Answer::Nak, from, at, notices),
            code::CONFIGURE_REJECT => return self.answer(control, Answer::Reject, from, at, notices),
            code::TERMINATE_REQUEST => self.terminate(control, from, at),
            code::TERMINATE_ACK => self.terminated(from),
            code::CODE_REJECT => {
                if let PppBody::CodeReject(rejected) = control.body {
                    self.code_rejected(rejected, from);
                }
            }
            code::RESET_REQUEST => bump32(&mut self.end_mut(from).resets),
            _ => {}
        }
        true
    }

    fn terminate(&mut self, control: &PppControl, from: u8, at: At) {
        let end = self.end_mut(from);
        if end.in_flight == Some(Event::ReceivesReject) {
            end.arrived();
        }
        end.in_flight = None;
        end.used = 0;
        end.on(Event::SendsTerminateRequest);
        self.ended = true;
        self.terminated.get_or_insert_with(|| {
            let reason = match &control.body {
                PppBody::Message(text) => text.clipped(TEXT),
                _ => Printable::default(),
            };
            Termination { end: from, packet: at.0, reason }
        });
    }

    /// An end sent a Terminate-Ack: the answer to a Terminate-Request, or to whatever comes when it is closed.
    fn terminated(&mut self, from: u8) {
        let end = self.end_mut(from);
        end.in_flight = None;
        end.used = 0;
        end.on(Event::SendsTerminateAck);
        let peer = self.end_mut(other(from));
        peer.unanswered = None;
        peer.in_flight = Some(Event::ReceivesTerminateAck);
        self.ended = true;
    }

    fn code_rejected(&mut self, rejected: u8, from: u8) {
        let end = self.end_mut(from);
        end.on(Event::SendsCodeReject);
        if is_essential(rejected) || end.rejected_code.is_none() {
            end.rejected_code = Some(rejected);
        }
        if is_essential(rejected) {
            self.end_mut(other(from)).in_flight = Some(Event::ReceivesReject);
        }
    }

    /// The other protocol LCP says that an end does not know this one (RFC 1661 section 5.7).
    pub(super) fn reject(&mut self, refused: Refused) {
        self.rejected.get_or_insert(refused);
        self.end_mut(other(refused.end)).in_flight = Some(Event::ReceivesReject);
    }

    /// An end sent what this protocol has to be open for.
    ///
    /// If only its Configure-Ack was in flight, it arrived. If both ends do so, the protocol is open, whatever the capture
    /// shows of its negotiation. `control` says whether it is no user data, which goes on for a while when a protocol is
    /// negotiated anew, or comes late.
    pub(super) fn used(&mut self, from: u8, control: bool) {
        let first = self.rounds <= 1 && !self.ended;
        let end = self.end_mut(from);
        if end.state == State::Opened {
            end.in_flight = None;
            return;
        }
        let likely = end.likely() == State::Opened;
        if control || first || likely {
            end.used = end.used.saturating_add(1);
        }
        if likely && end.shows_use(first) {
            end.arrived();
        }
        if self.ends.iter().all(|end| end.state == State::Opened || end.shows_use(first)) {
            for end in &mut self.ends {
                end.state = State::Opened;
                end.in_flight = None;
                end.unanswered = None;
            }
        }
        self.ever_opened |= self.opened_now();
        if self.opened_at_both() {
            for end in &mut self.ends {
                end.requests.settle();
            }
        }
    }

    /// The layer below is no longer open at this end (RFC 1661 section 4.3).
    pub(super) fn down(&mut self, end: u8) {
        let end = self.end_mut(end);
        end.on(Event::Down);
        end.in_flight = None;
        end.used = 0;
        self.ended = true;
        // What one end asked, the other need not answer any more.
        for end in &mut self.ends {
            end.unanswered = None;
        }
    }

    /// Whether user data can prove nothing more of it.
    pub(super) fn settled(&self) -> bool {
        self.rejected.is_some() || self.ended || self.opened_at_both()
    }

    /// The Magic-Number that an end asked for last.
    pub(super) fn magic(&self, end: u8) -> Option<u32> {
        self.end(end).magic
    }
}

/// Whether what this end sends comes back to it.
pub(super) fn looped(end: u8, notices: &Notices) -> bool {
    notices.noted(PppNotice::LoopedBack, Some(end)).is_some()
}

/// Codes without which nothing can be negotiated (RFC 1661 section 5.6).
pub(super) fn is_essential(code: u8) -> bool {
    matches!(code, code::CONFIGURE_REQUEST..=code::CODE_REJECT)
}
