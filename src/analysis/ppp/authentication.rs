//! The authentication of one end by the other, in each direction (RFC 1334, 1994, 2433, 2759, 3748).
//!
//! Both ends may demand that the other authenticates itself (RFC 1661 section 6.2): these are two authentications, each
//! with its own protocol, names and outcome.

use crate::analysis::ids::bump32;
use crate::analysis::limits::TEXT;
use crate::analysis::ppp::method::Method;
use crate::analysis::ppp::notice::{At, Notices, PppNotice, Run};
use crate::analysis::ppp::protocol::{CHAP, EAP, PAP, other};
use crate::dissect::layers::{PppBody, PppControl};
use crate::util::Printable;

/// What the authenticator said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It accepted the peer.
    Success,
    /// It refused the peer.
    Failure,
}

/// How far the authentication of one end came, since LCP opened last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nothing was sent.
    #[default]
    Idle,
    /// The authenticator sent a Challenge or an EAP Request.
    Challenged,
    /// The peer sent a Response or an Authenticate-Request.
    Responded,
    /// It was accepted.
    Succeeded,
    /// It was refused.
    Failed,
}

/// The authentication of one end, by the other.
#[derive(Debug, Clone, Default)]
pub struct Direction {
    /// What the authenticator demanded last, in its Configure-Request or by the Ack to it.
    pub demanded: Option<Method>,
    /// What both agreed on in LCP, last.
    pub agreed: Option<Method>,
    /// The last packet in which the peer declined a demand, by Configure-Nak or -Reject.
    pub declined: Option<u64>,
    /// The peer rejected the option itself, or declined more than one protocol: it does not only prefer another one.
    pub refused_all: bool,
    /// How far it came since LCP opened last.
    pub stage: Stage,
    /// The name that the peer gave.
    pub name: Option<Printable>,
    /// The name that the authenticator gave in its Challenge.
    pub authenticator_name: Option<Printable>,
    /// The last answer of the authenticator.
    pub outcome: Option<Outcome>,
    /// The text of that answer, if there is one.
    pub message: Option<Printable>,
    /// The packet of that answer.
    pub packet: Option<u64>,
    /// How often the authenticator refused.
    pub failures: u32,
    /// Whether the peer tried again after it was refused.
    pub retried: bool,
    /// Challenges and EAP Requests since the peer last responded.
    pub unanswered: Option<Run>,
    /// Responses and Authenticate-Requests since the authenticator last answered.
    pub undecided: Option<Run>,
    /// It succeeded since LCP opened last.
    passed: bool,
    /// The protocol that was seen at work, which LCP need not have been captured for.
    used: Option<Method>,
    /// The protocol that the peer declined first.
    declined_first: Option<Method>,
    /// The Identifiers of the last Challenge and the last Response.
    challenge: Option<u8>,
    response: Option<u8>,
}

impl Direction {
    /// The protocol: as last agreed in LCP, else the one that was seen at work.
    pub fn method(&self) -> Option<Method> {
        self.agreed.or(self.used)
    }

    /// Whether it was agreed on, and then neither end began with it.
    pub fn never_began(&self) -> bool {
        self.agreed.is_some() && self.stage == Stage::Idle && self.used.is_none() && self.outcome.is_none()
    }

    /// Whether anything is known of it.
    pub fn is_known(&self) -> bool {
        self.demanded.is_some() || self.method().is_some() || self.outcome.is_some()
    }

    /// Whether it has to succeed before a network layer may begin, and did not yet. One that is repeated later does not
    /// close the network layer (RFC 1994 section 2).
    pub(super) fn is_due(&self) -> bool {
        self.agreed.is_some() && !self.passed && self.stage != Stage::Failed
    }

    fn challenged(&mut self, identifier: u8, end: u8, at: At) {
        self.challenge = Some(identifier);
        self.stage = Stage::Challenged;
        Run::extend(&mut self.unanswered, end, at);
    }

    fn responded(&mut self, identifier: u8, end: u8, at: At) {
        self.retried |= self.failures > 0;
        self.response = Some(identifier);
        self.stage = Stage::Responded;
        self.unanswered = None;
        Run::extend(&mut self.undecided, end, at);
    }

    fn decided(&mut self, outcome: Outcome, message: Option<Printable>, packet: u64) {
        self.stage = match outcome {
            Outcome::Success => Stage::Succeeded,
            Outcome::Failure => Stage::Failed,
        };
        match outcome {
            Outcome::Success => self.passed = true,
            Outcome::Failure => bump32(&mut self.failures),
        }
        self.outcome = Some(outcome);
        self.message = message.filter(|text| !text.is_empty());
        self.packet = Some(packet);
        self.unanswered = None;
        self.undecided = None;
    }
}

/// Both directions of a session.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// By the end that demands it: how it authenticates the other.
    by: [Direction; 2],
    /// The authenticator of which there was news last.
    latest: Option<u8>,
}

impl Authentication {
    /// How this end authenticates the other.
    pub fn by(&self, end: u8) -> &Direction {
        let [first, second] = &self.by;
        if end == 0 { first } else { second }
    }

    /// An authenticator and how it authenticates the other, for a report with room for one direction: the one that
    /// answered last, else the one of which there was news last.
    pub fn latest(&self) -> (Option<u8>, &Direction) {
        let answered = [0, 1].into_iter().filter_map(|end| Some((self.by(end).packet?, end))).max();
        let end = answered.map(|(_, end)| end).or(self.latest);
        (end, self.by(end.unwrap_or(0)))
    }

    /// The last answer of an authenticator.
    pub fn outcome(&self) -> Option<Outcome> {
        self.latest().1.outcome
    }

    /// Whether both ends demanded that the other authenticates itself.
    pub fn both_demanded(&self) -> bool {
        self.by.iter().all(|direction| direction.demanded.is_some())
    }

    /// The last packet in which a demand was declined, and the end that declined it.
    pub fn declined(&self) -> Option<(u64, u8)> {
        let each = [1, 0].into_iter().zip(&self.by);
        each.filter_map(|(decliner, direction)| Some((direction.declined?, decliner))).max()
    }

    /// Whether one that was agreed on has not succeeded yet.
    pub(super) fn is_due(&self) -> bool {
        self.by.iter().any(Direction::is_due)
    }

    /// LCP is negotiated anew, and so is this (RFC 1661 section 3.4).
    pub(super) fn begin_anew(&mut self) {
        for direction in &mut self.by {
            direction.agreed = None;
            direction.used = direction.used.or(direction.method());
            direction.stage = Stage::Idle;
            direction.passed = false;
            direction.unanswered = None;
            direction.undecided = None;
        }
    }

    /// This end negotiates LCP: it need not answer what came before (RFC 1661 section 3.4).
    pub(super) fn not_open(&mut self, end: u8) {
        self.direction(other(end)).unanswered = None;
    }

    /// A Configure-Request demands it.
    pub(super) fn demand(&mut self, end: u8, method: Method) {
        self.direction(end).demanded = Some(method);
    }

    /// A Configure-Ack agrees to what this end demanded.
    pub(super) fn agree(&mut self, end: u8, method: Method) {
        let direction = self.direction(end);
        direction.demanded = Some(method);
        direction.agreed = Some(method);
        self.latest = Some(end);
    }

    /// A Configure-Nak or -Reject declines what this end demanded.
    pub(super) fn decline(&mut self, end: u8, packet: u64, rejected: bool) {
        let direction = self.direction(end);
        direction.declined = Some(packet);
        let first = direction.declined_first.or(direction.demanded);
        direction.refused_all |= rejected || first != direction.demanded;
        direction.declined_first = first;
    }

    fn direction(&mut self, end: u8) -> &mut Direction {
        let [first, second] = &mut self.by;
        if end == 0 { first } else { second }
    }

    /// A packet of PAP, CHAP or EAP.
    pub(super) fn push(&mut self, control: &PppControl, from: u8, at: At, notices: &mut Notices) {
        match (control.protocol, control.code) {
            (PAP, 1) | (CHAP | EAP, 2) => self.response(control, from, at, notices),
            (PAP, 2) | (CHAP | EAP, 3) => self.result(control, Outcome::Success, from, at, notices),
            (PAP, 3) | (CHAP | EAP, 4) => self.result(control, Outcome::Failure, from, at, notices),
            (CHAP, 1) => {
                if let PppBody::Chap { name, .. } = &control.body {
                    self.direction(from).authenticator_name = Some(name.clipped(TEXT));
                }
                self.challenge(control, from, at);
            }
            (EAP, 1) => {
                self.direction(from).used.get_or_insert(Method::Eap);
                self.challenge(control, from, at);
            }
            _ => {}
        }
    }

    fn challenge(&mut self, control: &PppControl, from: u8, at: At) {
        self.latest = Some(from);
        self.direction(from).challenged(control.identifier, from, at);
    }

    fn response(&mut self, control: &PppControl, from: u8, at: At, notices: &mut Notices) {
        let authenticator = other(from);
        self.latest = Some(authenticator);
        let direction = self.direction(authenticator);
        let (name, method) = match &control.body {
            PppBody::PapRequest { name, .. } => (Some(name), Method::Pap),
            PppBody::Chap { name, value } => {
                // Without LCP in the capture, the size of the response tells MD5 (RFC 1994) from MS-CHAP.
                let algorithm = if value.len() == 16 { Some(5) } else { None };
                (Some(name), Method::of(CHAP, algorithm))
            }
            PppBody::Eap { identity, .. } => (identity.as_ref(), Method::Eap),
            _ => (None, Method::of(control.protocol, None)),
        };
        if let Some(name) = name {
            direction.name = Some(name.clipped(TEXT));
        }
        direction.used.get_or_insert(method);
        if control.protocol != PAP && direction.challenge.is_some_and(|known| known != control.identifier) {
            notices.note(PppNotice::UnmatchedResponse, from, at);
        }
        direction.responded(control.identifier, from, at);
    }

    fn result(&mut self, control: &PppControl, outcome: Outcome, from: u8, at: At, notices: &mut Notices) {
        self.latest = Some(from);
        let direction = self.direction(from);
        if control.protocol == PAP {
            direction.used.get_or_insert(Method::Pap);
        }
        if direction.response.is_some_and(|known| known != control.identifier) {
            notices.note(PppNotice::UnmatchedResult, from, at);
        }
        let message = match &control.body {
            PppBody::Message(text) => Some(text.clipped(TEXT)),
            _ => None,
        };
        direction.decided(outcome, message, at.0);
    }
}
