//! Sessions as they are seen in captures: what each end's automaton says, and what is noticed.

use std::net::Ipv4Addr;

use crate::analysis::ppp::agreed::Compression;
use crate::analysis::ppp::authentication::{Outcome, Stage};
use crate::analysis::ppp::automaton::{Event, State};
use crate::analysis::ppp::method::Method;
use crate::analysis::ppp::negotiation::Progress;
use crate::analysis::ppp::notice::PppNotice;
use crate::analysis::ppp::protocol::{CCP, IPCP, IPV6CP, LCP};
use crate::analysis::ppp::session::PppSession;
use crate::analysis::ppp::testing::*;
use crate::dissect::layers::{PppBody, PppOption, PppOptionValue};
use crate::util::Printable;

const LAC: u8 = 0;
const LNS: u8 = 1;

fn states(session: &PppSession) -> [State; 2] {
    [session.lcp.end(LAC).state, session.lcp.end(LNS).state]
}

fn likely(session: &PppSession) -> [State; 2] {
    [session.lcp.end(LAC).likely(), session.lcp.end(LNS).likely()]
}

fn message(code: u8, text: &str) -> crate::dissect::layers::Ppp {
    control(LCP, code, 9, PppBody::Message(Printable::from_text(text)))
}

#[test]
fn an_acknowledgement_is_in_flight_until_the_next_phase() {
    let mut session = Session::default();
    session.open();
    assert_eq!(states(&session.call), [State::AckSent, State::AckSent]);
    assert_eq!(likely(&session.call), [State::Opened, State::Opened]);
    assert!(session.call.lcp.opened_now() && !session.call.lcp.opened_at_both());
    session.chap(LNS, 1, 1);
    assert_eq!(states(&session.call), [State::AckSent, State::Opened]);
    session.chap(LAC, 2, 1);
    assert!(session.call.lcp.opened_at_both());
    assert_eq!((session.call.lcp.rounds, session.call.lcp.progress()), (1, Some(Progress::Opened)));
}

#[test]
fn a_lost_acknowledgement_is_asked_for_again() {
    let mut session = Session::default();
    session.open();
    // The Ack did not reach the LAC: the same request comes again.
    session.lcp(LAC, REQUEST, 1, &[magic(1)]);
    assert_eq!(likely(&session.call), [State::AckSent, State::Opened]);
    assert!(!session.call.lcp.opened_now());
    // It opened once as far as Acks show it, and it is one round.
    assert_eq!((session.call.lcp.ever_opened(), session.call.lcp.rounds), (true, 1));
    session.lcp(LNS, ACK, 1, &[magic(1)]);
    assert_eq!(session.call.lcp.end(LAC).likely(), State::Opened);
    assert_eq!(session.call.lcp.end(LAC).requests()[0].copies, 2);
    // Nearly: a copy that comes after the LAC went on is late, and moves nothing.
    session.chap(LNS, 1, 1).chap(LAC, 2, 1);
    let at = states(&session.call);
    session.lcp(LAC, REQUEST, 1, &[magic(1)]);
    assert_eq!(states(&session.call), at);
}

#[test]
fn answers_match_by_identifier() {
    let mut session = Session::default();
    session.lcp(LAC, REQUEST, 1, &[magic(1)]).lcp(LNS, ACK, 7, &[magic(1)]);
    assert_eq!(session.call.lcp.end(LAC).likely(), State::ReqSent);
    assert_eq!(session.call.noted(PppNotice::UnmatchedAnswer, Some(LNS)).map(|n| n.count), Some(1));
    session.lcp(LAC, REQUEST, 2, &[magic(3)]).lcp(LNS, ACK, 1, &[magic(1)]);
    assert!(session.call.noted(PppNotice::StaleAnswer, Some(LNS)).is_some());
    assert_eq!(session.call.lcp.end(LAC).in_flight, None);
    session.lcp(LAC, REQUEST, 2, &[magic(4)]);
    assert!(session.call.noted(PppNotice::IdentifierReused, Some(LAC)).is_some());
    session.lcp(LNS, ACK, 2, &[magic(5)]);
    assert!(session.call.noted(PppNotice::AlteredAnswer, Some(LNS)).is_some());
    // Nearly: the last request, as it was.
    let mut session = Session::default();
    session.lcp(LAC, REQUEST, 1, &[magic(1)]).lcp(LNS, ACK, 1, &[magic(1)]);
    assert_eq!(session.call.lcp.end(LAC).likely(), State::AckRcvd);
    assert_eq!(session.call.notices().count(), 0);
}

#[test]
fn one_side_only_acknowledges_and_never_asks() {
    let mut session = Session::default();
    for identifier in 1..8 {
        session.lcp(LAC, REQUEST, identifier, &[magic(1)]).lcp(LNS, ACK, identifier, &[magic(1)]);
    }
    let lns = session.call.lcp.end(LNS);
    assert!(lns.only_acknowledges());
    assert_eq!((lns.state, lns.asked, lns.acknowledged), (State::AckSent, 0, 7));
    assert_eq!(session.call.lcp.end(LAC).likely(), State::AckRcvd);
    assert_eq!(session.call.lcp.progress(), Some(Progress::Negotiating));
    // Nearly: the capture lacks its request, which the LAC acknowledges.
    session.lcp(LAC, ACK, 1, &[magic(2)]);
    assert!(!session.call.lcp.end(LNS).only_acknowledges());
    assert_eq!(session.call.lcp.end(LNS).requests()[0].copies, 0);
    assert_eq!(session.call.lcp.progress(), Some(Progress::Opened));
}

#[test]
fn requests_that_nobody_answers() {
    let mut session = Session::default();
    for _ in 0..10 {
        session.lcp(LAC, REQUEST, 1, &[magic(1)]);
    }
    let run = session.call.lcp.end(LAC).unanswered.expect("a run");
    assert_eq!((run.count, run.first.0, run.last.0), (10, 1, 10));
    assert_eq!(states(&session.call), [State::ReqSent, State::Initial]);
    // Nearly: refused is answered.
    session.lcp(LNS, REJECT, 1, &[magic(1)]);
    assert_eq!(session.call.lcp.unanswered(LAC), 0);
}

/// Conversation 17: the LNS begins anew, and the LAC never answers.
#[test]
fn a_renegotiation_that_is_not_answered() {
    let mut session = Session::default();
    session.open().chap(LNS, 1, 1).chap(LAC, 2, 1).chap(LNS, 3, 1);
    session.ipcp(LAC, REQUEST, 1, &[]).ipcp(LNS, REQUEST, 1, &[]);
    session.ipcp(LNS, ACK, 1, &[]).ipcp(LAC, ACK, 1, &[]).data(LAC).data(LNS);
    assert!(session.call.negotiation(IPCP).is_some_and(|ipcp| ipcp.opened_at_both()));
    for _ in 0..10 {
        session.lcp(LNS, REQUEST, 2, &[magic(8)]).data(LAC);
    }
    let lcp = &session.call.lcp;
    assert_eq!(states(&session.call), [State::Opened, State::ReqSent]);
    assert_eq!((lcp.rounds, lcp.unanswered(LNS), lcp.opened_now()), (2, 10, false));
    assert_eq!(lcp.round_began.map(|at| at.0), Some(14));
    assert_eq!(lcp.progress(), Some(Progress::Opened));
    // What LCP carries is down at the end that began anew, and not at the other.
    let ipcp = session.call.negotiation(IPCP).expect("IPCP");
    assert_eq!([ipcp.end(LAC).state, ipcp.end(LNS).state], [State::Opened, State::Starting]);
    assert_eq!(session.call.noted(PppNotice::Renegotiated, None).map(|n| (n.end, n.count)), Some((LNS, 1)));
    assert!(session.call.noted(PppNotice::DuringRenegotiation, Some(LAC)).is_some());
    assert_eq!(session.call.authentication.by(LNS).stage, Stage::Idle);
    // Nearly: it is answered, and all begins anew.
    session.lcp(LAC, REQUEST, 9, &[magic(9)]).lcp(LAC, ACK, 2, &[magic(8)]).lcp(LNS, ACK, 9, &[magic(9)]);
    // One packet may come late, from before; two of each end do not.
    session.chap(LNS, 1, 2).chap(LAC, 2, 2);
    assert!(!session.call.lcp.opened_at_both());
    session.chap(LNS, 3, 2);
    assert!(session.call.lcp.opened_at_both());
    assert_eq!((session.call.lcp.rounds, session.call.negotiation(IPCP).map(|n| n.rounds)), (2, Some(1)));
    session.ipcp(LAC, REQUEST, 1, &[]);
    assert_eq!(session.call.negotiation(IPCP).map(|n| n.rounds), Some(2));
}

/// Conversation 16: whatever the LAC sends comes back.
#[test]
fn a_line_that_is_looped_back() {
    let mut session = Session::default();
    for identifier in 1..6 {
        let own = [magic(identifier.into())];
        session.lcp(LAC, REQUEST, identifier, &own).lcp(LNS, REQUEST, identifier, &own);
        let nak = [magic(u64::from(identifier) + 1)];
        session.lcp(LAC, NAK, identifier, &nak).lcp(LNS, NAK, identifier, &nak);
    }
    let noted = session.call.noted(PppNotice::LoopedBack, None).expect("noted");
    assert_eq!((noted.end, noted.count), (LAC, 5));
    let lns = session.call.lcp.end(LNS);
    assert_eq!((lns.state, lns.asked, lns.refused), (State::Initial, 0, 0));
    assert_eq!(session.call.lcp.progress(), Some(Progress::Negotiating));
    // Nearly: two peers with the same options, and none of them a Magic-Number.
    let mut session = Session::default();
    session.lcp(LAC, REQUEST, 1, &[number(1, 1400)]).lcp(LNS, REQUEST, 1, &[number(1, 1400)]);
    assert!(session.call.noted(PppNotice::LoopedBack, None).is_none());
    assert!(session.call.lcp.both_asked());
}

/// Conversation 75: what comes first is not lost.
#[test]
fn packets_that_race() {
    let mut session = Session::default();
    session.lcp(LNS, REQUEST, 1, &[magic(2)]).lcp(LAC, ACK, 1, &[magic(2)]);
    session.lcp(LAC, REQUEST, 1, &[magic(1)]).lcp(LNS, ACK, 1, &[magic(1)]);
    assert!(session.call.lcp.opened_now());
    // An Ack that is captured before what it acknowledges.
    let mut session = Session::default();
    session.lcp(LNS, ACK, 1, &[magic(1)]).lcp(LAC, REQUEST, 1, &[magic(1)]);
    assert_eq!(session.call.lcp.end(LAC).likely(), State::AckRcvd);
    assert_eq!(session.call.notices().count(), 0);
}

fn ip(kind: u8, last: u8) -> PppOption {
    PppOption { kind, length: 6, value: PppOptionValue::Address(Ipv4Addr::new(10, 0, 0, last)) }
}

/// Conversation 45: the LNS rejects the option IP-Address.
#[test]
fn ipcp_without_an_address() {
    let mut session = Session::default();
    session.open().ipcp(LAC, REQUEST, 1, &[ip(3, 0), ip(129, 0)]).ipcp(LNS, REJECT, 1, &[ip(3, 0)]);
    session.ipcp(LAC, REQUEST, 2, &[ip(129, 0)]).ipcp(LNS, NAK, 2, &[ip(129, 53)]);
    session.ipcp(LAC, REQUEST, 3, &[ip(129, 53)]).ipcp(LNS, ACK, 3, &[ip(129, 53)]);
    session.ipcp(LNS, REQUEST, 1, &[ip(3, 1)]).ipcp(LAC, ACK, 1, &[ip(3, 1)]);
    let network = &session.call.network;
    assert_eq!(network.addresses, [None, Some(Ipv4Addr::new(10, 0, 0, 1))]);
    assert_eq!(network.disputes[0].rejected, Some(6));
    assert_eq!(network.dns, [Ipv4Addr::new(10, 0, 0, 53)]);
    assert!(session.call.negotiation(IPCP).is_some_and(|ipcp| ipcp.opened_now()));
    // Nearly: it is offered another one.
    let mut session = Session::default();
    session.open().ipcp(LAC, REQUEST, 1, &[ip(3, 0)]).ipcp(LNS, NAK, 1, &[ip(3, 9)]);
    let dispute = session.call.network.disputes[0];
    assert_eq!((dispute.rejected, dispute.naks, dispute.packets), (None, 1, Some((6, 6))));
}

/// Conversation 13: the LNS requires MPPE.
#[test]
fn mppe_that_is_declined() {
    let mppe = [number(18, 0x0100_0040)];
    let declined = |session: &mut Session| session.call.compression.declined;
    let mut session = Session::default();
    session.open().send(LNS, options(CCP, REQUEST, 1, &mppe)).send(LAC, options(CCP, REJECT, 1, &mppe));
    assert_eq!(declined(&mut session)[1], Some((Compression::Microsoft(0x0100_0040), 6)));
    // Or the protocol itself is.
    let mut session = Session::default();
    session.open().send(LNS, options(CCP, REQUEST, 1, &mppe));
    session.send(LAC, control(LCP, 8, 5, PppBody::ProtocolReject(CCP)));
    assert_eq!(declined(&mut session)[1].map(|(_, packet)| packet), Some(6));
    let ccp = session.call.negotiation(CCP).expect("CCP");
    assert_eq!(ccp.progress(), Some(Progress::Rejected));
    assert_eq!(ccp.end(LNS).likely(), State::Stopped);
    // Nearly: other bits of MPPE are no refusal, and compression alone is not needed.
    let mut session = Session::default();
    session.open().send(LNS, options(CCP, REQUEST, 1, &mppe));
    session.send(LAC, options(CCP, NAK, 1, &[number(18, 0x40)]));
    session.send(LAC, options(CCP, REQUEST, 1, &[number(26, 1)]));
    session.send(LNS, options(CCP, REJECT, 1, &[number(26, 1)]));
    assert_eq!(declined(&mut session), [None, None]);
}

#[test]
fn both_ends_authenticate_each_other() {
    let mut session = Session::default();
    let demand = [ms_chap()];
    session.lcp(LAC, REQUEST, 1, &demand).lcp(LNS, REQUEST, 2, &demand);
    session.lcp(LNS, ACK, 1, &demand).lcp(LAC, ACK, 2, &demand);
    session.chap(LNS, 1, 1).chap(LAC, 2, 1).chap(LNS, 3, 1).chap(LAC, 1, 4);
    let known = &session.call.authentication;
    assert!(known.both_demanded());
    assert_eq!([known.by(LAC).stage, known.by(LNS).stage], [Stage::Challenged, Stage::Succeeded]);
    assert_eq!(known.by(LAC).unanswered.map(|run| run.count), Some(1));
    assert_eq!((known.latest().0, known.outcome()), (Some(LNS), Some(Outcome::Success)));
    // The network layer waits for both.
    session.ipcp(LAC, REQUEST, 1, &[]);
    assert!(session.call.noted(PppNotice::BeforeAuthentication, Some(LAC)).is_some());
    session.chap(LNS, 2, 4).chap(LAC, 4, 4);
    assert_eq!(session.call.authentication.outcome(), Some(Outcome::Failure));
    let name = |end| session.call.authentication.by(end).name.as_ref().map(|name| name.as_str().to_owned());
    assert_eq!([name(LAC), name(LNS)], [Some("alice".to_owned()), Some("alice".to_owned())]);
}

#[test]
fn authentication_that_does_not_end() {
    // Agreed, and never begun.
    let mut session = Session::default();
    session.open();
    let direction = session.call.authentication.by(LNS);
    assert!(direction.never_began());
    assert_eq!(direction.agreed, Some(Method::MsChapV2));
    // Challenges without a response.
    session.chap(LNS, 1, 1).chap(LNS, 1, 2);
    let direction = session.call.authentication.by(LNS);
    assert_eq!((direction.never_began(), direction.stage), (false, Stage::Challenged));
    assert_eq!(direction.unanswered.map(|run| run.count), Some(2));
    // Responses without a result, one of them to no Challenge.
    session.chap(LAC, 2, 2).chap(LAC, 2, 9);
    let direction = session.call.authentication.by(LNS);
    assert_eq!((direction.undecided.map(|run| run.count), direction.unanswered), (Some(2), None));
    assert!(session.call.noted(PppNotice::UnmatchedResponse, Some(LAC)).is_some());
    // Refused, and tried again.
    session.chap(LNS, 4, 9).chap(LAC, 2, 2).chap(LNS, 3, 2);
    let direction = session.call.authentication.by(LNS);
    assert_eq!((direction.failures, direction.retried), (1, true));
    assert_eq!(direction.message.as_ref().map(|text| text.as_str()), Some("E=691 R=0"));
    assert_eq!(session.call.authentication.outcome(), Some(Outcome::Success));
}

#[test]
fn a_demand_that_is_declined() {
    let mut session = Session::default();
    session.lcp(LNS, REQUEST, 1, &[ms_chap()]).lcp(LAC, REJECT, 1, &[ms_chap()]);
    let known = &session.call.authentication;
    assert_eq!((known.declined(), known.by(LNS).agreed), (Some((2, LAC)), None));
    assert_eq!(known.by(LNS).demanded, Some(Method::MsChapV2));
    assert!(!known.by(LAC).is_known());
}

#[test]
fn captures_that_began_later() {
    // NCPs both ways prove LCP; the report says nothing of what it did not see.
    let mut session = Session::default();
    session.ipcp(LAC, REQUEST, 1, &[]);
    assert!(!session.call.lcp.opened_now());
    session.ipcp(LNS, REQUEST, 1, &[]);
    assert!(session.call.lcp.opened_at_both());
    assert_eq!((session.call.lcp.progress(), session.call.lcp.rounds), (None, 0));
    // One direction alone: answers prove that the other asked.
    let mut session = Session::default();
    session.lcp(LAC, REQUEST, 1, &[magic(1)]).lcp(LAC, ACK, 1, &[magic(2)]);
    session.ipcp(LAC, REQUEST, 1, &[]).ipcp(LAC, ACK, 1, &[]);
    assert!(session.call.lcp.opened_at_both());
    // Data both ways proves what was lost of the negotiation of IPCP.
    let mut session = Session::default();
    session.open().ipcp(LAC, REQUEST, 1, &[]).ipcp(LNS, REQUEST, 1, &[]).ipcp(LNS, ACK, 1, &[]);
    assert_eq!(session.call.negotiation(IPCP).and_then(|n| n.progress()), Some(Progress::Negotiating));
    session.data(LAC).data(LNS);
    assert!(session.call.negotiation(IPCP).is_some_and(|ipcp| ipcp.ever_opened() && ipcp.opened_at_both()));
    // The report names what was captured: one Configure-Ack.
    assert_eq!(session.call.negotiation(IPCP).and_then(|n| n.progress()), Some(Progress::Negotiating));
    // Nearly: data one way, or of another protocol.
    let mut session = Session::default();
    session
        .open()
        .send(LAC, options(IPV6CP, REQUEST, 1, &[]))
        .data(LAC)
        .data(LNS)
        .send(LAC, frame(0x57, None));
    assert_eq!(session.call.negotiation(IPV6CP).and_then(|n| n.progress()), Some(Progress::Negotiating));
    // Data alone takes no room.
    let mut session = Session::default();
    session.data(LAC).data(LNS);
    assert!(format!("{:?}", session.call).contains("None"));
}

#[test]
fn ends_and_rejects() {
    let mut session = Session::default();
    session.open().chap(LNS, 1, 1).chap(LAC, 2, 1).send(LAC, message(5, "User request"));
    assert_eq!(likely(&session.call), [State::Closing, State::Opened]);
    session.send(LNS, message(6, ""));
    assert_eq!(likely(&session.call), [State::Closed, State::Stopping]);
    let ended = session.call.lcp.terminated.clone().expect("ended");
    assert_eq!((ended.end, ended.packet, ended.reason.as_str()), (LAC, 7, "User request"));
    assert_eq!(session.call.lcp.progress(), Some(Progress::Opened));
    // A server whose IPCP is closed answers with a Terminate-Ack (RFC 1661 section 4.2).
    let mut session = Session::default();
    session.open().ipcp(LAC, REQUEST, 1, &[]).send(LNS, control(IPCP, 6, 1, PppBody::Other));
    assert_eq!(session.call.negotiation(IPCP).map(|ipcp| ipcp.end(LNS).state), Some(State::Closed));
    // A Code-Reject of a code that is needed ends it; of another it does not.
    let mut session = Session::default();
    session.open().chap(LNS, 1, 1).chap(LAC, 2, 1).send(LNS, control(LCP, 7, 1, PppBody::CodeReject(12)));
    assert_eq!(likely(&session.call), [State::Opened, State::Opened]);
    assert!(session.call.noted(PppNotice::CodeRejected, Some(LNS)).is_some());
    session.send(LNS, control(LCP, 7, 2, PppBody::CodeReject(1)));
    assert_eq!(session.call.lcp.end(LAC).in_flight, Some(Event::ReceivesReject));
    assert_eq!(session.call.lcp.end(LNS).rejected_code, Some(1));
    session.send(LAC, message(5, ""));
    assert_eq!(session.call.lcp.end(LAC).state, State::Stopping);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut session = Session::default();
    for round in 0..2000u16 {
        let (identifier, value) = (round.to_le_bytes()[0], u64::from(round) + 1);
        let (from, protocol) = (identifier & 1, 0x8000 + (round % 300) * 2 + 1);
        session.lcp(from, REQUEST, identifier, &[magic(value)]);
        session.send(from, options(protocol, REQUEST, identifier, &[magic(value)]));
        session.send(from, control(LCP, 8, identifier, PppBody::ProtocolReject(protocol)));
        session.chap(from, 1, identifier);
    }
    assert!(session.call.ncps.len() <= 16 && session.call.refused.len() <= 8);
    assert!(session.call.lcp.ends.iter().all(|end| end.requests().len() <= 6));
    assert!(session.call.notices().count() <= 28);
}
