//! The PPP session inside a call: LCP, authentication, network control protocols (RFC 1661 section 3.2).

use std::ops::Deref;
use std::sync::LazyLock;

use crate::analysis::ids::bump32;
use crate::analysis::ppp::agreed::{Compressions, Link, Network};
use crate::analysis::ppp::authentication::{Authentication, Outcome};
use crate::analysis::ppp::automaton::State;
use crate::analysis::ppp::early::Early;
use crate::analysis::ppp::echo::Echoes;
use crate::analysis::ppp::method::Method;
use crate::analysis::ppp::negotiation::{Negotiation, Refused, is_essential};
use crate::analysis::ppp::notice::{At, Noted, Notices, PppNotice};
use crate::analysis::ppp::order::Phase;
use crate::analysis::ppp::proof::{Answer, Proofs};
use crate::analysis::ppp::protocol::{self, CCP, ECP, IPCP, LCP, code, other};
use crate::dissect::layers::{Ppp, PppBody, PppControl, PppOption, PppOptionValue};
use crate::ipsec::Users;
use crate::util::Timestamp;

/// The PPP session of a call.
#[derive(Debug, Clone, Default)]
pub struct PppSession {
    /// LCP.
    pub lcp: Negotiation,
    /// Network control protocols, CCP and ECP, by number, in the order they appeared.
    pub ncps: Vec<(u16, Negotiation)>,
    /// Authentication, in both directions.
    pub authentication: Authentication,
    /// What LCP agreed on.
    pub link: Link,
    /// What IPCP agreed on.
    pub network: Network,
    /// What CCP and ECP agreed on.
    pub compression: Compressions,
    /// Echo-Requests of LCP.
    pub echoes: Echoes,
    /// Frames inside multilink that each end sent before a network control protocol opened.
    pub multilink_frames: [u32; 2],
    /// The first packet of them.
    pub first_multilink: Option<u64>,
    /// Protocols that were rejected, each once (RFC 1661 section 5.7).
    pub refused: Vec<Refused>,
    notices: Notices,
    early: Early,
    proofs: Option<Box<Proofs>>,
    /// User data changes nothing.
    settled: bool,
}

/// The PPP session of a call, which takes no room before anything is negotiated in it.
#[derive(Debug, Clone, Default)]
pub struct PppOfCall(Option<Box<PppSession>>);

impl PppOfCall {
    /// Takes a packet. User data in a session that is up changes nothing.
    pub(crate) fn push(&mut self, ppp: &Ppp, from: usize, packet: u64, time: Timestamp) {
        let quiet = ppp.control.is_none() && self.is_settled();
        if !quiet {
            self.0.get_or_insert_default().push(ppp, u8::from(from > 0), (packet, time));
        }
    }

    /// Whether user data changes nothing.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.0.as_ref().is_none_or(|session| session.settled)
    }

    /// Looks for what a packet of authentication proves, after [`PppOfCall::push`] took it.
    pub(crate) fn prove(&mut self, control: &PppControl, from: u8, packet: u64, users: &Users) {
        if protocol::is_authentication(control.protocol) {
            self.0.get_or_insert_default().prove(control, from, packet, users);
        }
    }
}

impl Deref for PppOfCall {
    type Target = PppSession;

    fn deref(&self) -> &PppSession {
        static NOTHING: LazyLock<PppSession> = LazyLock::new(PppSession::default);
        self.0.as_deref().unwrap_or_else(|| &NOTHING)
    }
}

/// More network control protocols than any peer tries.
const MOST_NCPS: usize = 16;
/// Different protocols that are kept of those a peer rejects.
const MOST_REFUSED: usize = 8;

impl PppSession {
    /// The negotiation of one protocol, if it was tried.
    pub fn negotiation(&self, number: u16) -> Option<&Negotiation> {
        if number == LCP {
            return Some(&self.lcp);
        }
        self.ncps.iter().find(|(protocol, _)| *protocol == number).map(|(_, negotiation)| negotiation)
    }

    /// How often something was noticed, of this end, or of the end that did it first.
    pub fn noted(&self, what: PppNotice, end: Option<u8>) -> Option<&Noted> {
        self.notices.noted(what, end)
    }

    /// Everything that was noticed, in the order in which it first was.
    pub fn notices(&self) -> impl Iterator<Item = (PppNotice, &Noted)> {
        self.notices.all()
    }

    /// What an end proved, if passwords were given that say something of it.
    pub fn answer(&self, end: u8) -> Option<&Answer> {
        self.proofs.as_ref()?.answer(end)
    }

    /// Whether the peer was let in, as far as the capture shows.
    pub fn authenticated(&self) -> bool {
        self.authentication.outcome() == Some(Outcome::Success)
    }

    /// Takes a packet that `from` sent.
    pub(super) fn push(&mut self, ppp: &Ppp, from: u8, at: At) {
        let phase = self.phase();
        phase.check(ppp.protocol, from, at, &mut self.notices);
        if ppp.multilink || ppp.protocol == protocol::MULTILINK {
            self.first_multilink.get_or_insert(at.0);
            if let Some(frames) = self.multilink_frames.get_mut(usize::from(from)) {
                bump32(frames);
            }
        }
        self.early.packet(ppp.protocol, from, at, phase.authenticating);
        let control = ppp.control.as_deref();
        if protocol::is_after_lcp(ppp) {
            self.use_lcp(control, from);
        }
        match control {
            Some(control) => self.control(control, from, at),
            None => {
                let number = protocol::control_of(ppp.protocol);
                let known = self.ncps.iter_mut().find(|(known, _)| Some(*known) == number);
                if let Some((_, negotiation)) = known {
                    negotiation.used(from, false);
                }
            }
        }
        self.settled = self.lcp.opened_at_both() && self.ncps.iter().all(|(_, ncp)| ncp.settled());
    }

    fn phase(&self) -> Phase {
        Phase {
            started: self.lcp.both_asked(),
            ever_opened: self.lcp.ever_opened(),
            opened: self.lcp.opened_now(),
            authenticating: self.authentication.is_due(),
        }
    }

    /// Whoever sends a packet of a later phase takes LCP for open. So does the peer, if that is an answer to it.
    fn use_lcp(&mut self, control: Option<&PppControl>, from: u8) {
        self.lcp.used(from, control.is_some());
        if control.is_some_and(is_answer) {
            self.lcp.used(other(from), true);
        }
    }

    fn control(&mut self, control: &PppControl, from: u8, at: At) {
        match control.protocol {
            LCP => self.lcp(control, from, at),
            number if protocol::is_authentication(number) => {
                self.authentication.push(control, from, at, &mut self.notices);
                self.early.authenticates(number, control.code, from, at, &mut self.notices);
            }
            number if protocol::is_ncp(number) => {
                let counts = match ncp(&mut self.ncps, number) {
                    Some(negotiation) => negotiation.push(control, from, at, None, &mut self.notices),
                    None => return,
                };
                match number {
                    IPCP if counts => self.network.push(control, from, at.0),
                    CCP if counts => self.compression.push(control, from, at.0),
                    ECP if counts => self.compression.push_encryption(control, from),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn lcp(&mut self, control: &PppControl, from: u8, at: At) {
        let open = |lcp: &Negotiation| [0, 1].map(|end| lcp.end(end).likely() == State::Opened);
        let (before, rounds) = (open(&self.lcp), self.lcp.rounds);
        let counts = self.lcp.push(control, from, at, magic(control), &mut self.notices);
        // Whatever LCP carries ends where it ends, and begins anew (RFC 1661 sections 3.4 and 4.4).
        for (end, (before, now)) in (0..).zip(before.into_iter().zip(open(&self.lcp))) {
            if before && !now {
                self.ncps.iter_mut().for_each(|(_, ncp)| ncp.down(end));
            }
        }
        if self.lcp.rounds > rounds.max(1) {
            self.authentication.begin_anew();
            self.early.begin_anew();
        }
        self.not_open(control.code, from, at);
        if counts {
            self.lcp_options(control, from, at);
        }
        match (control.code, &control.body) {
            (code::PROTOCOL_REJECT, PppBody::ProtocolReject(number)) => self.reject(*number, from, at),
            (code::CODE_REJECT, PppBody::CodeReject(rejected)) => {
                let essential = is_essential(*rejected);
                self.notices.note(
                    if essential { PppNotice::EssentialCodeRejected } else { PppNotice::CodeRejected },
                    from,
                    at,
                );
            }
            (code::ECHO_REQUEST, PppBody::Magic(magic)) => {
                let own = self.lcp.magic(from);
                if *magic != 0 && Some(*magic) == self.lcp.magic(other(from)) && Some(*magic) != own {
                    self.notices.note(PppNotice::LoopedBack, other(from), at);
                }
                self.echoes.request(from, at);
            }
            (code::ECHO_REQUEST, _) => self.echoes.request(from, at),
            (code::ECHO_REPLY, _) => {
                self.echoes.reply(from);
                self.lcp.used(from, true);
            }
            _ => {}
        }
    }

    /// Who negotiates or ends LCP has not opened it, and need not answer what it carries.
    fn not_open(&mut self, number: u8, from: u8, at: At) {
        match number {
            code::CONFIGURE_REQUEST => {
                let again = self.lcp.end(from).repeats(at);
                self.early.request(from, again, at, &mut self.notices);
                self.authentication.not_open(from);
                self.echoes.forget();
            }
            code::CONFIGURE_ACK | code::CONFIGURE_NAK | code::CONFIGURE_REJECT => self.early.answer(from),
            code::TERMINATE_REQUEST | code::TERMINATE_ACK => self.echoes.forget(),
            _ => {}
        }
    }

    fn lcp_options(&mut self, control: &PppControl, from: u8, at: At) {
        let PppBody::Options(options) = &control.body else { return };
        let demanded = options.iter().find_map(demands);
        match control.code {
            code::CONFIGURE_REQUEST => {
                if let Some(method) = demanded {
                    self.authentication.demand(from, method);
                }
            }
            code::CONFIGURE_ACK => {
                self.link.acknowledge(options, from);
                if let Some(method) = demanded {
                    self.authentication.agree(other(from), method);
                }
            }
            code::CONFIGURE_NAK | code::CONFIGURE_REJECT if demanded.is_some() => {
                let rejected = control.code == code::CONFIGURE_REJECT;
                self.authentication.decline(other(from), at.0, rejected);
            }
            _ => {}
        }
    }

    fn reject(&mut self, number: u16, from: u8, at: At) {
        let refused = Refused { protocol: number, end: from, packet: at.0 };
        self.notices.note(PppNotice::ProtocolRejected, from, at);
        let known = |other: &Refused| (other.protocol, other.end) == (number, from);
        if self.refused.len() < MOST_REFUSED && !self.refused.iter().any(known) {
            self.refused.push(refused);
        }
        if protocol::is_ncp(number)
            && let Some(negotiation) = ncp(&mut self.ncps, number)
        {
            negotiation.reject(refused);
        }
        if number == CCP {
            self.compression.reject(from, at.0);
        }
    }

    fn prove(&mut self, control: &PppControl, from: u8, packet: u64, users: &Users) {
        self.proofs.get_or_insert_default().push(control, from, packet, users, &self.authentication);
    }
}

/// The negotiation of a network control protocol, which begins if it is new and there is room.
fn ncp(ncps: &mut Vec<(u16, Negotiation)>, number: u16) -> Option<&mut Negotiation> {
    let at = match ncps.iter().position(|(protocol, _)| *protocol == number) {
        Some(at) => at,
        None if ncps.len() < MOST_NCPS => {
            ncps.push((number, Negotiation::default()));
            ncps.len().saturating_sub(1)
        }
        None => return None,
    };
    ncps.get_mut(at).map(|(_, negotiation)| negotiation)
}

/// Whether a packet of a later phase answers one that its peer sent: Configure-Ack, -Nak and -Reject, and all of
/// authentication but its first codes.
fn is_answer(control: &PppControl) -> bool {
    match control.code {
        2 | 3 => true,
        4 => control.protocol != protocol::PAP,
        _ => false,
    }
}

/// The Magic-Number of the options (RFC 1661 section 6.4); 0 is none.
fn magic(control: &PppControl) -> Option<u32> {
    let PppBody::Options(options) = &control.body else { return None };
    let number = options.iter().find(|option| option.kind == 5).map(|option| option.value)?;
    match number {
        PppOptionValue::Number(number) => u32::try_from(number).ok().filter(|number| *number != 0),
        _ => None,
    }
}

/// What an option demands.
fn demands(option: &PppOption) -> Option<Method> {
    match option.value {
        PppOptionValue::Authentication(number, algorithm) => Some(Method::of(number, algorithm)),
        _ => None,
    }
}
