//! Configure-Requests and the answers to them (RFC 1661 sections 5.1 to 5.4).

use crate::analysis::ids::bump32;
use crate::analysis::ppp::automaton::{Event, State};
use crate::analysis::ppp::negotiation::{Negotiation, looped};
use crate::analysis::ppp::notice::{At, Notices, PppNotice, Run};
use crate::analysis::ppp::protocol::other;
use crate::analysis::ppp::requests::{Answer, Asked, Identifier, Matched, Options};
use crate::dissect::layers::PppControl;

impl Negotiation {
    pub(super) fn request(
        &mut self,
        control: &PppControl,
        from: u8,
        at: At,
        magic: Option<u32>,
        notices: &mut Notices,
    ) -> bool {
        let (identifier, options) = (Identifier(control.identifier), Options::of(control));
        // The own Magic-Number comes back: only to be told from a coincidence if all else is the same (section 6.4).
        let peer = self.end(other(from));
        if magic.is_some() && magic == peer.magic && peer.requests.knows(identifier) {
            notices.note(PppNotice::LoopedBack, other(from), at);
            return false;
        }
        let anew = self.begins_anew(from, identifier, options);
        let opened = self.opened_now();
        let end = self.end_mut(from);
        let asked = end.requests.ask(identifier, options, at);
        bump32(&mut end.asked);
        end.last_request = Some(at);
        end.magic = magic.or(end.magic);
        // What was answered and is proved to have arrived is not sent again: a copy came late.
        let settled = matches!(end.state, State::Opened | State::AckRcvd);
        if asked == Asked::Late || asked == Asked::Again && settled {
            return false;
        }
        if asked == Asked::SameIdentifier {
            notices.note(PppNotice::IdentifierReused, from, at);
        }
        Run::extend(&mut end.unanswered, from, at);
        end.used = 0;
        if anew {
            end.arrived();
        }
        end.in_flight = None;
        end.on(Event::SendsRequest);
        if anew && opened {
            notices.note(PppNotice::Renegotiated, from, at);
        }
        if anew || self.rounds == 0 {
            self.begin(at);
        }
        true
    }

    /// Whether a request begins another round. One that looks like the last, whose answer may have been lost, does not.
    fn begins_anew(&self, from: u8, identifier: Identifier, options: Options) -> bool {
        let end = self.end(from);
        let again = end.requests.is_last(identifier, options)
            || end.state != State::Opened && end.requests.repeats(options);
        self.ended || self.opened_now() && !again
    }

    fn begin(&mut self, at: At) {
        bump32(&mut self.rounds);
        self.round_began = Some(at);
        self.ended = false;
        for end in &mut self.ends {
            end.used = 0;
        }
    }

    pub(super) fn answer(
        &mut self,
        control: &PppControl,
        answer: Answer,
        from: u8,
        at: At,
        notices: &mut Notices,
    ) -> bool {
        let (identifier, options) = (Identifier(control.identifier), Options::of(control));
        // What an end says to its own request.
        if looped(from, notices) && self.end(other(from)).asked == 0 {
            return false;
        }
        let asker = self.end_mut(other(from));
        let matched = asker.requests.answer(identifier, options, answer, at);
        asker.unanswered = None;
        let (notice, copy) = match matched {
            Matched::Last { same: false, copy } if answer == Answer::Ack => {
                (Some(PppNotice::AlteredAnswer), copy)
            }
            Matched::Last { copy, .. } => (None, copy),
            Matched::Earlier => (Some(PppNotice::StaleAnswer), false),
            Matched::None => (Some(PppNotice::UnmatchedAnswer), false),
            Matched::NothingAsked => (None, false),
        };
        if matched == Matched::NothingAsked && !asker.state.asks() {
            asker.on(Event::SendsRequest);
        }
        // Once a valid answer arrived, others are discarded.
        let waits = !matches!(asker.state, State::Opened | State::AckRcvd);
        if matches!(matched, Matched::Last { .. } | Matched::NothingAsked) && waits && !copy {
            let event = if answer == Answer::Ack { Event::ReceivesAck } else { Event::ReceivesNak };
            asker.in_flight = Some(event);
        }
        let end = self.end_mut(from);
        bump32(if answer == Answer::Ack { &mut end.acknowledged } else { &mut end.refused });
        if !copy {
            end.on(if answer == Answer::Ack { Event::SendsAck } else { Event::SendsNak });
        }
        if let Some(notice) = notice {
            notices.note(notice, from, at);
        }
        if self.rounds == 0 {
            self.begin(at);
        }
        self.ever_opened |= self.opened_now();
        matched != Matched::Earlier
    }
}
