//! How an IKE SA came out.

use crate::dissect::ike::NO_PROPOSAL_CHOSEN;

use super::message::Message;
use super::phase::Phase;
use super::refusal::{AUTHENTICATION_FAILED, Refusal};
use super::sa::IkeSa;

impl IkeSa {
    /// Whether the responder never said a word.
    pub fn unanswered(&self) -> bool {
        self.responder_spi == 0 && self.sent.last() == Some(&0)
    }

    /// Whether an exchange that makes child SAs was begun after phase 1 (IKEv1), or beside IKE_AUTH (IKEv2).
    pub fn began_phase_two(&self) -> bool {
        self.child_sa.0
    }

    /// Whether such an exchange came to its end: of quick mode the third message (RFC 2409 section 5.5).
    pub fn completed_phase_two(&self) -> bool {
        self.child_sa.1
    }

    /// Whether messages show that both ends took part until a child SA could be there.
    pub fn agreed(&self) -> bool {
        self.version == 1 && self.completed_phase_two() || self.auth == [true, true]
    }

    /// Who is behind a NAT, as NAT detection says: `none`, `initiator`, `responder`, `both`. `None`: it was not seen.
    pub fn nat(&self) -> Option<&'static str> {
        match self.behind_nat {
            [None, None] => None,
            [Some(true), Some(true)] => Some("both"),
            [Some(true), _] => Some("initiator"),
            [_, Some(true)] => Some("responder"),
            _ => Some("none"),
        }
    }

    /// The first notification of this kind that refuses something of this phase.
    pub fn refusal(&self, phase: Phase, kind: u16) -> Option<&Refusal> {
        self.refusals.iter().find(|refusal| (refusal.phase, refusal.kind) == (phase, kind))
    }

    /// NO_PROPOSAL_CHOSEN after which this phase did not go on: of [`Phase::One`] every proposal for the IKE SA was
    /// refused, of [`Phase::Two`] every one for a child SA.
    pub fn no_proposal_chosen(&self, phase: Phase) -> Option<&Refusal> {
        self.refusal(phase, NO_PROPOSAL_CHOSEN).filter(|refusal| !self.went_on(refusal))
    }

    /// The refusal of an authentication, in the clear or opened.
    pub fn authentication_failed(&self) -> Option<&Refusal> {
        self.refusals.iter().find(|refusal| refusal.kind == AUTHENTICATION_FAILED)
    }

    /// Whether messages after a refusal show that it was not the end of it.
    fn went_on(&self, refusal: &Refusal) -> bool {
        let after = |message: &Message| message.last.packet > refusal.last.packet;
        match refusal.phase {
            // The third message takes up what the second chose.
            Phase::One => {
                (3..=6).filter_map(|number| self.phase_one.message(number)).any(after)
                    || self.exchanges.iter().any(|exchange| {
                        exchange.phase == Phase::Authentication && exchange.last.packet > refusal.last.packet
                    })
            }
            _ => self.exchanges.iter().any(|exchange| {
                exchange.phase == Phase::Two
                    && exchange.refusal.is_none()
                    && exchange.is_complete()
                    && exchange.last.packet > refusal.last.packet
            }),
        }
    }

    /// How it came out, as far as messages in the clear show: a child SA exists, no answer, refused. `None` if they
    /// do not show it.
    pub fn outcome(&self) -> Option<&'static str> {
        if self.unanswered() {
            Some("no-answer")
        } else if self.version == 1 && self.completed_phase_two() {
            Some("established")
        } else if self.no_proposal_chosen(Phase::One).is_some() {
            Some("no-proposal-chosen")
        } else if self.authentication_failed().is_some() {
            Some("authentication-failed")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::{
        AUTH, CREATE_CHILD, INFORMATIONAL, INFORMATIONAL_V2, QUICK, SA_INIT, deletes, main_mode, sa, says,
        v1, v2,
    };
    use crate::dissect::ike::contents::{IKE_PROTOCOL, Offer};
    use crate::dissect::layers::Ike;

    fn quick(id: u32, numbers: std::ops::RangeInclusive<u64>) -> Vec<(usize, Ike)> {
        numbers.map(|number| (usize::from(number % 2 == 0), v1(QUICK, id, number))).collect()
    }

    fn refuses(from: usize, kind: u16) -> (usize, Ike) {
        (from, says(v1(INFORMATIONAL, 77, 77), &[kind]))
    }

    #[test]
    fn three_messages_of_quick_mode_make_a_child_sa() {
        assert_eq!(sa(&[main_mode(6), quick(5, 1..=3)].concat()).outcome(), Some("established"));
        // The first message three times is no quick mode.
        let first = quick(5, 1..=1);
        let again = sa(&[main_mode(6), first.clone(), first.clone(), first].concat());
        assert_eq!((again.outcome(), again.began_phase_two()), (None, true));
        assert_eq!(again.exchanges.silence().map(|(_, waits)| waits.copies), Some(3));
        // Of the initiator alone, the third shows that the second came.
        let one_direction: Vec<_> = [main_mode(6), quick(5, 1..=3)].concat();
        let one_direction: Vec<_> = one_direction.into_iter().filter(|(from, _)| *from == 0).collect();
        assert_eq!(sa(&one_direction).outcome(), Some("established"));
    }

    #[test]
    fn refusals_name_their_end_and_phase() {
        let early = sa(&[main_mode(1), vec![refuses(1, NO_PROPOSAL_CHOSEN)]].concat());
        assert_eq!(early.outcome(), Some("no-proposal-chosen"));
        assert_eq!(early.no_proposal_chosen(Phase::One).map(|refusal| refusal.from), Some(1));
        assert!(early.no_proposal_chosen(Phase::Two).is_none());
        let late = sa(&[main_mode(6), quick(5, 1..=1), vec![refuses(1, NO_PROPOSAL_CHOSEN)]].concat());
        assert_eq!(late.outcome(), None);
        assert!(late.no_proposal_chosen(Phase::One).is_none());
        assert_eq!(late.no_proposal_chosen(Phase::Two).map(|refusal| refusal.from), Some(1));
        // The initiator refuses what the responder asks for.
        let theirs =
            [main_mode(6), quick(5, 1..=3), vec![(1, v1(QUICK, 6, 9)), refuses(0, NO_PROPOSAL_CHOSEN)]];
        let theirs = sa(&theirs.concat());
        assert_eq!(theirs.outcome(), Some("established"));
        assert_eq!(theirs.no_proposal_chosen(Phase::Two).map(|refusal| refusal.from), Some(0));
    }

    #[test]
    fn a_refusal_that_was_not_the_end() {
        let forged = [main_mode(1), vec![refuses(1, NO_PROPOSAL_CHOSEN)], main_mode(6)[1..].to_vec()];
        let forged = sa(&forged.concat());
        assert_eq!((forged.outcome(), forged.no_proposal_chosen(Phase::One)), (None, None));
        let second = [main_mode(6), quick(5, 1..=1), vec![refuses(1, NO_PROPOSAL_CHOSEN)], quick(6, 1..=3)];
        let second = sa(&second.concat());
        assert!(second.no_proposal_chosen(Phase::Two).is_none());
        assert!(second.refusal(Phase::Two, NO_PROPOSAL_CHOSEN).is_some());
    }

    #[test]
    fn refusals_of_version_2() {
        let init = |from, kinds: &[u16]| (from, says(v2(from, from == 1, SA_INIT, 0, from as u64), kinds));
        let auth = |from, kinds: &[u16]| (from, says(v2(from, from == 1, AUTH, 1, from as u64), kinds));
        let run = |messages: &[(usize, Ike)]| sa(messages).refusals.first().map(|one| one.phase);
        assert_eq!(run(&[init(0, &[]), init(1, &[14])]), Some(Phase::One));
        assert_eq!(
            run(&[init(0, &[]), init(1, &[]), auth(0, &[]), auth(1, &[24])]),
            Some(Phase::Authentication)
        );
        assert_eq!(run(&[init(0, &[]), init(1, &[]), auth(0, &[]), auth(1, &[14])]), Some(Phase::Two));
        let rekey = (1, says(v2(1, true, CREATE_CHILD, 2, 8), &[14]));
        assert_eq!(run(&[rekey]), Some(Phase::Two));
    }

    #[test]
    fn the_capture_begins_late() {
        // Message 2 of main mode is the responder's.
        let late = sa(&main_mode(6)[1..]);
        assert_eq!((late.sent, late.initiator.to_string().as_str()), ([2, 3], "10.1.0.2"));
        assert!(late.phase_one.is_complete() && late.phase_one.message(1).is_none());
        assert_eq!(late.exchanges.first().map(|first| (first.from, first.request)), Some((0, None)));
        // A response of the initiator of the IKE SA.
        let late = sa(&[(0, v2(0, true, INFORMATIONAL_V2, 4, 1))]);
        assert_eq!(late.exchanges.first().map(|first| first.from), Some(1));
        assert!(late.exchanges.silence().is_none() && !late.unanswered());
    }

    #[test]
    fn one_direction_only() {
        let of_one = |end| main_mode(6).into_iter().filter(|(from, _)| *from == end).collect::<Vec<_>>();
        let initiator = sa(&of_one(0));
        assert_eq!((initiator.phase_one.reached(), initiator.phase_one.copies(5)), (5, 1));
        let responder = sa(&of_one(1));
        assert_eq!((responder.sent, responder.phase_one.is_complete()), ([0, 3], true));
        assert!(responder.exchanges.silence().is_none());
    }

    #[test]
    fn the_ike_sa_is_rekeyed_and_deleted() {
        let spi = |from: usize| {
            let mut ike = v2(from, from == 1, CREATE_CHILD, 2, from as u64);
            let ike_spi = Some(0xaa + from as u64);
            ike.contents.offers.push(Offer { protocol: IKE_PROTOCOL, ike_spi, ..Offer::default() });
            (from, ike)
        };
        let gone = (0, deletes(v2(0, false, INFORMATIONAL_V2, 3, 9), IKE_PROTOCOL, &[]));
        let sa = sa(&[spi(0), spi(1), gone]);
        assert_eq!(sa.rekeyed.map(|(at, spi)| (at.packet, spi)), Some((1, 0xaa)));
        assert_eq!(sa.ended.map(|(at, by)| (at.packet, by)), Some((3, 0)));
    }
}
