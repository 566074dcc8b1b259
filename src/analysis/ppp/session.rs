//! The PPP session inside a call: LCP, authentication, network control protocols (RFC 1661 section 3.2).

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::LazyLock;

use crate::dissect::layers::{Ppp, PppBody, PppControl, PppOption, PppOptionValue};
use crate::util::{Printable, Timestamp};

use crate::analysis::bump32;
use crate::analysis::limits::TEXT;
use crate::analysis::ppp::marks::Marks;
use crate::analysis::ppp::proof::Proofs;

/// PPP protocol numbers that the analysis knows.
pub mod protocol {
    #![allow(missing_docs)]
    pub const LCP: u16 = 0xc021;
    pub const PAP: u16 = 0xc023;
    pub const CHAP: u16 = 0xc223;
    pub const EAP: u16 = 0xc227;
    pub const IPCP: u16 = 0x8021;
    pub const IPV6CP: u16 = 0x8057;
    pub const CCP: u16 = 0x80fd;
}

/// The LCP option Maximum-Receive-Unit (RFC 1661 section 6.1).
const MRU: u8 = 1;
const CONFIGURE_REQUEST: u8 = 1;
const CONFIGURE_ACK: u8 = 2;
const CONFIGURE_NAK: u8 = 3;
const CONFIGURE_REJECT: u8 = 4;
const TERMINATE_REQUEST: u8 = 5;
const PROTOCOL_REJECT: u8 = 8;
const RESET_REQUEST: u8 = 14;

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

/// One LCP or NCP negotiation.
#[derive(Debug, Clone, Default)]
pub struct Negotiation {
    /// Configure-Requests of each end.
    pub requests: [u32; 2],
    /// Configure-Requests of each end since the other last answered one.
    pub unanswered: [u32; 2],
    /// The packet and time of the first of them.
    pub unanswered_since: [Option<(u64, Timestamp)>; 2],
    /// The packet of the last Configure-Request of each end.
    pub last_request: [Option<(u64, Timestamp)>; 2],
    /// Configure-Naks and -Rejects that each end sent.
    pub refusals: [u32; 2],
    /// Reset-Requests of each end (CCP: its decompressor lost step).
    pub resets: [u32; 2],
    /// Whether each end's request was acknowledged.
    acknowledged: [bool; 2],
    /// Whether it ever opened.
    pub opened: bool,
    /// Refused by a Protocol-Reject.
    pub rejected: bool,
    /// The end that asked to terminate first, in which packet, and why.
    pub terminated: Option<(u8, u64, Printable)>,
}

impl Negotiation {
    /// How far it came; `None` if it was never tried.
    pub fn progress(&self) -> Option<Progress> {
        if self.opened {
            Some(Progress::Opened)
        } else if self.rejected {
            Some(Progress::Rejected)
        } else if self.requests == [0, 0] && self.acknowledged == [false, false] {
            None
        } else {
            Some(Progress::Negotiating)
        }
    }

    fn push(&mut self, control: &PppControl, from: usize, packet: u64, time: Timestamp) {
        let other = 1usize.saturating_sub(from);
        match control.code {
            CONFIGURE_REQUEST => {
                if let Some(count) = self.requests.get_mut(from) {
                    bump32(count);
                }
                if let Some(count) = self.unanswered.get_mut(from) {
                    bump32(count);
                }
                if let Some(since) = self.unanswered_since.get_mut(from) {
                    since.get_or_insert((packet, time));
                }
                if let Some(last) = self.last_request.get_mut(from) {
                    *last = Some((packet, time));
                }
            }
            CONFIGURE_ACK | CONFIGURE_NAK | CONFIGURE_REJECT => {
                if let Some(count) = self.unanswered.get_mut(other) {
                    *count = 0;
                }
                if let Some(since) = self.unanswered_since.get_mut(other) {
                    *since = None;
                }
                if control.code != CONFIGURE_ACK
                    && let Some(count) = self.refusals.get_mut(from)
                {
                    bump32(count);
                }
                if control.code == CONFIGURE_ACK {
                    if let Some(acknowledged) = self.acknowledged.get_mut(other) {
                        *acknowledged = true;
                    }
                    self.opened |= self.acknowledged == [true, true];
                }
            }
            RESET_REQUEST => {
                if let Some(count) = self.resets.get_mut(from) {
                    bump32(count);
                }
            }
            TERMINATE_REQUEST if self.terminated.is_none() => {
                let reason = match &control.body {
                    PppBody::Message(text) => text.clipped(TEXT),
                    _ => Printable::default(),
                };
                self.terminated = Some((u8::try_from(from).unwrap_or(0), packet, reason));
            }
            _ => {}
        }
    }
}

/// What the authenticator said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It accepted the peer.
    Success,
    /// It refused the peer.
    Failure,
}

/// The authentication of one end by the other.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// The protocol last agreed in LCP, or seen: protocol number and CHAP algorithm.
    pub protocol: Option<(u16, Option<u8>)>,
    /// Who was to be authenticated.
    pub name: Option<Printable>,
    /// What the authenticator said last.
    pub outcome: Option<Outcome>,
    /// The end that asks (the authenticator).
    pub authenticator: Option<u8>,
    /// The text of the last answer.
    pub message: Option<Printable>,
    /// The packet of the last answer.
    pub packet: Option<u64>,
    /// Whether each end asked the other to authenticate itself.
    pub demanded: [bool; 2],
    /// The last packet in which each end rejected or changed that demand.
    pub declined: [Option<u64>; 2],
}

impl Authentication {
    /// The name of the protocol in reports.
    pub fn protocol_name(&self) -> Option<&'static str> {
        Some(match self.protocol? {
            (protocol::PAP, _) => "PAP",
            (protocol::EAP, _) => "EAP",
            (protocol::CHAP, Some(5)) => "CHAP-MD5",
            (protocol::CHAP, Some(0x80)) => "MS-CHAPv1",
            (protocol::CHAP, Some(0x81)) => "MS-CHAPv2",
            _ => return None,
        })
    }
}

/// What is said about the IPv4 address of one end before it is agreed on (RFC 1332 section 3.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Dispute {
    /// The address which that end asked for last.
    pub asked: Option<Ipv4Addr>,
    /// The address which the other end named last in a Configure-Nak.
    pub offered: Option<Ipv4Addr>,
    /// How many Configure-Naks named one.
    pub naks: u32,
    /// The packets of the first and the last of them.
    pub packets: Option<(u64, u64)>,
}

/// The PPP session of a call.
#[derive(Debug, Clone, Default)]
pub struct PppSession {
    /// LCP.
    pub lcp: Negotiation,
    /// Network control protocols and CCP, by number, in the order they appeared.
    pub ncps: Vec<(u16, Negotiation)>,
    /// Authentication.
    pub authentication: Authentication,
    /// The IPv4 address of each end.
    pub addresses: [Option<Ipv4Addr>; 2],
    /// How each end came to its address, or did not.
    pub disputes: [Dispute; 2],
    /// The Maximum-Receive-Unit that each end named and the other acknowledged.
    pub mru: [Option<u16>; 2],
    /// What came out of order.
    pub marks: Marks,
    /// What its authentication proved, if passwords were given.
    pub proofs: Option<Box<Proofs>>,
    /// DNS servers that an end was given, in the order of the options.
    pub dns: Vec<Ipv4Addr>,
}

/// The PPP session of a call, which takes no room before anything is negotiated in it.
#[derive(Debug, Clone, Default)]
pub struct PppOfCall(Option<Box<PppSession>>);

impl PppOfCall {
    /// Takes a packet. User data in a session that is up changes nothing.
    pub(crate) fn push(&mut self, ppp: &Ppp, from: usize, packet: u64, time: Timestamp) {
        if !self.changes_nothing(ppp) {
            self.make().push(ppp, from, packet, time);
        }
    }

    /// To be changed.
    pub(crate) fn make(&mut self) -> &mut PppSession {
        self.0.get_or_insert_default()
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

impl PppSession {
    /// The negotiation of one protocol, if it was tried.
    pub fn negotiation(&self, number: u16) -> Option<&Negotiation> {
        if number == protocol::LCP {
            return Some(&self.lcp);
        }
        self.ncps.iter().find(|(protocol, _)| *protocol == number).map(|(_, negotiation)| negotiation)
    }

    pub(crate) fn push(&mut self, ppp: &Ppp, from: usize, packet: u64, time: Timestamp) {
        let end = u8::try_from(from).unwrap_or(0);
        self.mark(ppp, end, (packet, time));
        let Some(control) = ppp.control.as_deref() else { return };
        match control.protocol {
            protocol::LCP => {
                self.lcp.push(control, from, packet, time);
                self.lcp_options(control, from, packet);
            }
            protocol::PAP => self.pap(control, end, packet),
            protocol::CHAP => self.chap(control, end, packet),
            protocol::EAP => self.eap(control, end, packet),
            0x8000..=0xbfff => {
                if let Some(negotiation) = self.ncp(control.protocol) {
                    negotiation.push(control, from, packet, time);
                }
                if control.protocol == protocol::IPCP {
                    self.ipcp(control, from, packet);
                }
            }
            _ => {}
        }
    }

    /// Whether this packet changes nothing: user data in a session that is up.
    fn changes_nothing(&self, ppp: &Ppp) -> bool {
        ppp.control.is_none() && (self.lcp.opened || self.lcp.requests == [0, 0])
    }

    fn ncp(&mut self, number: u16) -> Option<&mut Negotiation> {
        let at = match self.ncps.iter().position(|(protocol, _)| *protocol == number) {
            Some(at) => at,
            None if self.ncps.len() < MOST_NCPS => {
                self.ncps.push((number, Negotiation::default()));
                self.ncps.len().saturating_sub(1)
            }
            None => return None,
        };
        self.ncps.get_mut(at).map(|(_, negotiation)| negotiation)
    }

    fn lcp_options(&mut self, control: &PppControl, from: usize, packet: u64) {
        match (control.code, &control.body) {
            // The Ack repeats the other end's options: what that end asked for is agreed.
            (CONFIGURE_ACK, PppBody::Options(options)) => {
                for option in options {
                    if let (MRU, PppOptionValue::Number(number)) = (option.kind, option.value)
                        && let Some(mru) = self.mru.get_mut(1usize.saturating_sub(from))
                    {
                        *mru = u16::try_from(number).ok();
                    }
                    if let PppOptionValue::Authentication(number, algorithm) = option.value {
                        self.authentication.protocol = Some((number, algorithm));
                        self.authentication.authenticator = u8::try_from(1usize.saturating_sub(from)).ok();
                    }
                }
            }
            (CONFIGURE_REQUEST, PppBody::Options(options)) if has_authentication(options) => {
                if let Some(demanded) = self.authentication.demanded.get_mut(from) {
                    *demanded = true;
                }
            }
            (CONFIGURE_NAK | CONFIGURE_REJECT, PppBody::Options(options)) if has_authentication(options) => {
                if let Some(declined) = self.authentication.declined.get_mut(from) {
                    *declined = Some(packet);
                }
            }
            (PROTOCOL_REJECT, PppBody::ProtocolReject(number)) => {
                if matches!(number, 0x8000..=0xbfff)
                    && let Some(negotiation) = self.ncp(*number)
                {
                    negotiation.rejected = true;
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, outcome: Outcome, from: u8, message: Option<Printable>, packet: u64) {
        let known = &mut self.authentication;
        known.outcome = Some(outcome);
        known.authenticator = Some(from);
        known.message = message.filter(|text| !text.is_empty());
        known.packet = Some(packet);
    }

    fn pap(&mut self, control: &PppControl, from: u8, packet: u64) {
        self.authentication.protocol.get_or_insert((protocol::PAP, None));
        match (control.code, &control.body) {
            (1, PppBody::PapRequest { name, .. }) => self.authentication.name = Some(name.clipped(TEXT)),
            (2, body) => self.answered(Outcome::Success, from, text(body), packet),
            (3, body) => self.answered(Outcome::Failure, from, text(body), packet),
            _ => {}
        }
    }

    fn chap(&mut self, control: &PppControl, from: u8, packet: u64) {
        match (control.code, &control.body) {
            (1, PppBody::Chap { .. }) => self.authentication.authenticator = Some(from),
            (2, PppBody::Chap { name, value }) => {
                self.authentication.name = Some(name.clipped(TEXT));
                // Without LCP in the capture, the size of the response tells MD5 (RFC 1994) from MS-CHAP.
                let algorithm = if value.len() == 16 { Some(5) } else { None };
                self.authentication.protocol.get_or_insert((protocol::CHAP, algorithm));
            }
            (3, body) => self.answered(Outcome::Success, from, text(body), packet),
            (4, body) => self.answered(Outcome::Failure, from, text(body), packet),
            _ => {}
        }
    }

    fn eap(&mut self, control: &PppControl, from: u8, packet: u64) {
        self.authentication.protocol.get_or_insert((protocol::EAP, None));
        match (control.code, &control.body) {
            (2, PppBody::Eap { identity: Some(name), .. }) => {
                self.authentication.name = Some(name.clipped(TEXT))
            }
            (3, _) => self.answered(Outcome::Success, from, None, packet),
            (4, _) => self.answered(Outcome::Failure, from, None, packet),
            _ => {}
        }
    }

    fn ipcp(&mut self, control: &PppControl, from: usize, packet: u64) {
        let PppBody::Options(options) = &control.body else { return };
        let asked = 1usize.saturating_sub(from);
        let named = options.iter().find_map(|option| address(option, 3));
        match (control.code, self.disputes.get_mut(from)) {
            (CONFIGURE_REQUEST, Some(own)) => own.asked = named.or(own.asked),
            (CONFIGURE_NAK, _) if named.is_some() => {
                if let Some(theirs) = self.disputes.get_mut(asked) {
                    theirs.offered = named;
                    bump32(&mut theirs.naks);
                    theirs.packets = Some((theirs.packets.map_or(packet, |(first, _)| first), packet));
                }
            }
            _ => {}
        }
        if control.code != CONFIGURE_ACK {
            return;
        }
        if let Some(address) = options.iter().find_map(|option| address(option, 3))
            && let Some(known) = self.addresses.get_mut(asked)
        {
            *known = Some(address);
        }
        let dns: Vec<_> = [129, 131]
            .into_iter()
            .filter_map(|kind| options.iter().find_map(|option| address(option, kind)))
            .collect();
        if !dns.is_empty() {
            self.dns = dns;
        }
    }
}

fn has_authentication(options: &[PppOption]) -> bool {
    options.iter().any(|option| matches!(option.value, PppOptionValue::Authentication(..)))
}

fn address(option: &PppOption, kind: u8) -> Option<Ipv4Addr> {
    match option.value {
        PppOptionValue::Address(address) if option.kind == kind => Some(address),
        _ => None,
    }
}

fn text(body: &PppBody) -> Option<Printable> {
    match body {
        PppBody::Message(text) => Some(text.clipped(TEXT)),
        _ => None,
    }
}
