//! What earlier packets taught about later ones: ports that turned out to carry L2TP, and what data of an L2TPv3 session
//! looks like. Nothing here is guessed: all of it stood in control messages.

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::Protocol;
use super::avp_table::{attribute, vendor};
use super::layers::{Addresses, Avp, AvpValue, Control, Endpoint, MessageType, Udp};
use super::nonces::{Both, Nonces};
use super::udp::L2TP_PORT;
use crate::ipsec::{TunnelSecrets, Users};

/// What earlier packets taught.
#[derive(Debug, Default)]
pub struct Learned {
    told: Told,
    endpoints: HashSet<Endpoint>,
    sessions: HashMap<(IpAddr, u32), Session>,
    nonces: Nonces,
    refused: u64,
}

/// What the user says that UDP ports carry.
#[derive(Debug, Clone, Default)]
pub struct DecodeAs(Vec<(u16, Protocol)>);

/// What the user says beforehand: nothing of it was in a packet.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What UDP ports carry.
    pub ports: DecodeAs,
    /// The secrets of tunnels.
    pub secrets: Arc<TunnelSecrets>,
    /// Users and their passwords.
    pub users: Arc<Users>,
}

impl DecodeAs {
    /// Takes one assignment, such as `udp.port==1702,l2tp`; the last one for a port counts.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), &'static str> {
        let (selector, name) = text.split_once(',').ok_or("expected udp.port==PORT,PROTOCOL")?;
        let port =
            selector.trim().strip_prefix("udp.port==").ok_or("expected udp.port==PORT before the comma")?;
        let port = port.trim().parse().map_err(|_| "the port is a number up to 65535")?;
        let protocol = match name.trim() {
            "l2tp" => Protocol::L2tp,
            "udpencap" => Protocol::NatTraversal,
            "isakmp" => Protocol::Ike,
            _ => return Err("the protocol is l2tp, isakmp or udpencap"),
        };
        self.0.retain(|(known, _)| *known != port);
        self.0.push((port, protocol));
        Ok(())
    }

    /// The protocol of a datagram between these ports, if the user said so.
    pub(super) fn protocol(&self, source: u16, destination: u16) -> Option<Protocol> {
        let row = self.0.iter().find(|(port, _)| *port == source || *port == destination)?;
        Some(row.1)
    }
}

/// How data of an L2TPv3 session reaches the end that assigned the Session ID (RFC 3931 section 4.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// The cookie that the receiver assigned. `None` if it was not seen, or hidden.
    pub cookie: Option<Cookie>,
    /// The L2-Specific Sublayer Type that the receiver asked for.
    pub sublayer: Option<u16>,
    /// The Pseudowire Type.
    pub pseudowire: Option<u16>,
}

/// The cookie that data must bear (RFC 3931 section 4.1): 0, 4 or 8 octets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cookie {
    octets: [u8; 8],
    len: u8,
}

impl Cookie {
    /// A cookie of these octets, if they are as many as it may have.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let len = octets.len();
        let mut cookie = Self { octets: [0; 8], len: u8::try_from(len).ok()? };
        cookie.octets.get_mut(..len).filter(|_| matches!(len, 0 | 4 | 8))?.copy_from_slice(octets);
        Some(cookie)
    }

    /// How many octets it has.
    pub fn len(self) -> u8 {
        self.len
    }

    /// Whether data bears no cookie.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Whether these octets begin with it.
    pub fn begins(self, octets: &[u8]) -> bool {
        self.octets.get(..self.len.into()).is_some_and(|own| octets.starts_with(own))
    }
}

impl Learned {
    /// Nothing learned yet, but told.
    pub fn with(told: Told) -> Self {
        Self { told, ..Self::default() }
    }

    /// Takes what the user says now in place of what was told before.
    pub fn tell(&mut self, told: Told) {
        self.told = told;
    }

    /// What the user says that ports carry.
    pub(super) fn assigned(&self) -> &DecodeAs {
        &self.told.ports
    }

    /// The secrets of tunnels.
    pub(super) fn secrets(&self) -> &TunnelSecrets {
        &self.told.secrets
    }

    /// Users and their passwords.
    pub fn users(&self) -> &Users {
        &self.told.users
    }

    /// Whether the secret of any tunnel is known.
    pub fn has_secrets(&self) -> bool {
        !self.told.secrets.is_empty()
    }

    /// Whether a Challenge Response in a message of this type is right (RFC 2661 section 5.1.1); `None` if no secret
    /// for a tunnel between these ends is known.
    pub fn proves(
        &self,
        ends: [std::net::IpAddr; 2],
        message: super::layers::MessageType,
        challenge: &[u8],
        response: &[u8],
    ) -> Option<bool> {
        self.told.secrets.proves(ends, u8::try_from(message.0).ok()?, challenge, response)
    }

    /// Endpoints, and sessions, that are remembered at the most.
    pub const LIMIT: usize = 65_536;

    /// How many endpoints, sessions and nonces could not be remembered.
    pub fn refused(&self) -> u64 {
        self.refused.saturating_add(self.nonces.refused())
    }

    /// Remembers the nonce of the sender of a message of L2TPv3 to the Control Connection ID `connection`, if it may
    /// have one.
    pub fn learn_nonce(&mut self, ends: [Endpoint; 2], connection: u32, control: &Control) {
        self.nonces.learn(ends, connection, control);
    }

    /// The nonces that the digest of such a message is made with.
    pub(super) fn nonces<'a>(
        &'a self,
        ends: [Endpoint; 2],
        connection: u32,
        control: &'a Control,
    ) -> Both<'a> {
        self.nonces.of(ends, connection, control)
    }

    /// Remembers the ends of a control message that do not use port 1701 (RFC 2661 section 8.1).
    pub fn learn(&mut self, udp: &Udp) {
        for end in [udp.source, udp.destination] {
            if end.port == L2TP_PORT || self.endpoints.contains(&end) {
                continue;
            }
            if self.endpoints.len() < Self::LIMIT {
                self.endpoints.insert(end);
            } else {
                self.refused = self.refused.saturating_add(1);
            }
        }
    }

    /// Keeps what was learned of hosts with these addresses only.
    pub fn keep(&mut self, wanted: impl Fn(IpAddr) -> bool) {
        self.endpoints.retain(|end| wanted(end.address));
        self.endpoints.shrink_to_fit();
        self.sessions.retain(|(address, _), _| wanted(*address));
        self.sessions.shrink_to_fit();
    }

    /// Whether both ends of a datagram are known to speak L2TP.
    pub fn knows(&self, udp: &Udp) -> bool {
        let known = |end: &Endpoint| end.port == L2TP_PORT || self.endpoints.contains(end);
        !self.endpoints.is_empty() && known(&udp.source) && known(&udp.destination)
    }

    /// What is known of the session that this receiver calls so.
    pub fn session(&self, receiver: IpAddr, id: u32) -> Option<&Session> {
        self.sessions.get(&(receiver, id))
    }

    /// Remembers what an L2TPv3 message says of the data that its sender will receive (RFC 3931 section 5.4.4).
    pub fn learn_session(&mut self, addresses: Addresses, control: &Control) {
        let first = match control.message {
            Some(MessageType::ICRQ | MessageType::ICRP | MessageType::OCRQ | MessageType::OCRP) => true,
            Some(MessageType::ICCN | MessageType::OCCN) => false,
            _ => return,
        };
        // What a message lacks means something only where the whole message was read.
        if control.cut || control.fault.is_some() {
            return;
        }
        let draft = find(control, (vendor::CISCO, draft::LOCAL_SESSION_ID)).is_some();
        let named = |ietf: u16, cisco: u16| {
            find(control, if draft { (vendor::CISCO, cisco) } else { (vendor::IETF, ietf) })
        };
        let id = |ietf, cisco| number(named(ietf, cisco)).filter(|id| *id != 0);
        let Some(local) = id(attribute::LOCAL_SESSION_ID, draft::LOCAL_SESSION_ID) else { return };
        let remote = id(attribute::REMOTE_SESSION_ID, draft::REMOTE_SESSION_ID);
        let key = (addresses.source, local);
        let before = self.sessions.get(&key).copied();
        if before.is_none() && self.sessions.len() >= Self::LIMIT {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let mut session = if first { Session::default() } else { before.unwrap_or_default() };
        match named(attribute::ASSIGNED_COOKIE, draft::ASSIGNED_COOKIE).map(|avp| &avp.value) {
            Some(AvpValue::Octets(octets)) => session.cookie = Cookie::new(octets),
            Some(_) => session.cookie = None,
            None if first => session.cookie = Some(Cookie::default()),
            None => {}
        }
        let sublayer = find(control, (vendor::IETF, attribute::L2_SPECIFIC_SUBLAYER));
        match sublayer {
            Some(avp) => session.sublayer = number(Some(avp)).and_then(|kind| u16::try_from(kind).ok()),
            // Not received means that there is none; the draft had no such AVP.
            None if first && !draft => session.sublayer = Some(0),
            None => {}
        }
        let told = number(named(attribute::PSEUDOWIRE_TYPE, draft::PSEUDOWIRE_TYPE));
        let peer = remote.and_then(|remote| self.session(addresses.destination, remote));
        session.pseudowire = told
            .and_then(|kind| u16::try_from(kind).ok())
            .or_else(|| peer.and_then(|peer| peer.pseudowire))
            .or(session.pseudowire);
        self.sessions.insert(key, session);
    }
}

/// The numbers that Cisco used before RFC 3931 assigned some.
mod draft {
    pub(super) const LOCAL_SESSION_ID: u16 = 3;
    pub(super) const REMOTE_SESSION_ID: u16 = 4;
    pub(super) const ASSIGNED_COOKIE: u16 = 5;
    pub(super) const PSEUDOWIRE_TYPE: u16 = 7;
}

fn find(control: &Control, wanted: (u16, u16)) -> Option<&Avp> {
    control.avps.iter().find(|avp| (avp.vendor, avp.attribute) == wanted)
}

fn number(avp: Option<&Avp>) -> Option<u32> {
    match avp?.value {
        AvpValue::Number(number) => u32::try_from(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::control_of;

    const LAC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 0, 2));
    const LNS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2));

    fn avp(attribute: u8, value: &[u8]) -> Vec<u8> {
        [&[0x80, 6 + value.len() as u8, 0, 0, 0, attribute], value].concat()
    }

    fn push(learned: &mut Learned, from: IpAddr, avps: &[Vec<u8>]) {
        let to = if from == LAC { LNS } else { LAC };
        let control = control_of(&avps.concat());
        learned.learn_session(Addresses { source: from, destination: to }, &control);
    }

    #[test]
    fn each_end_says_how_it_wants_to_receive() {
        let mut learned = Learned::default();
        let request = [
            avp(0, &[0, 10]),
            avp(63, &[0, 0, 0, 1]),
            avp(64, &[0; 4]),
            avp(65, &[1, 2, 3, 4]),
            avp(68, &[0, 5]),
            avp(69, &[0, 1]),
        ];
        push(&mut learned, LAC, &request);
        push(&mut learned, LNS, &[avp(0, &[0, 11]), avp(63, &[0, 0, 0, 2]), avp(64, &[0, 0, 0, 1])]);
        let to_lac = Session { cookie: Cookie::new(&[1, 2, 3, 4]), sublayer: Some(1), pseudowire: Some(5) };
        let to_lns = Session { cookie: Cookie::new(&[]), sublayer: Some(0), pseudowire: Some(5) };
        assert_eq!(learned.session(LAC, 1), Some(&to_lac));
        assert_eq!(learned.session(LNS, 2), Some(&to_lns));
        assert_eq!(learned.session(LNS, 1), None);
        push(&mut learned, LAC, &[avp(0, &[0, 12]), avp(63, &[0, 0, 0, 1]), avp(69, &[0, 0])]);
        assert_eq!(learned.session(LAC, 1), Some(&Session { sublayer: Some(0), ..to_lac }));
    }

    #[test]
    fn what_is_hidden_or_was_not_seen_is_not_known() {
        let mut learned = Learned::default();
        let mut cookie = avp(65, &[1, 2, 3, 4]);
        cookie[0] = 0xc0;
        push(&mut learned, LAC, &[avp(0, &[0, 10]), avp(63, &[0, 0, 0, 1]), cookie]);
        assert_eq!(learned.session(LAC, 1).and_then(|session| session.cookie), None);
        push(&mut learned, LNS, &[avp(0, &[0, 12]), avp(63, &[0, 0, 0, 2])]);
        assert_eq!(learned.session(LNS, 2), Some(&Session::default()));
        push(&mut learned, LNS, &[avp(0, &[0, 14]), avp(63, &[0, 0, 0, 3])]);
        assert_eq!(learned.session(LNS, 3), None);
    }

    #[test]
    fn a_cookie_has_0_4_or_8_octets() {
        for len in 0..12 {
            let octets = [7; 12];
            assert_eq!(Cookie::new(&octets[..len]).is_some(), matches!(len, 0 | 4 | 8), "{len}");
        }
        let cookie = Cookie::new(&[1, 2, 3, 4]).expect("a cookie");
        assert!(
            cookie.begins(&[1, 2, 3, 4, 5]) && !cookie.begins(&[1, 2, 3]) && !cookie.begins(&[1, 2, 3, 5])
        );
    }

    #[test]
    fn no_more_sessions_than_the_limit() {
        let mut learned = Learned::default();
        let addresses = Addresses { source: LAC, destination: LNS };
        let mut control = control_of(&[avp(0, &[0, 10]), avp(63, &[0, 0, 0, 1])].concat());
        for id in 1..=Learned::LIMIT as u64 + 2 {
            control.avps[1].value = AvpValue::Number(id);
            learned.learn_session(addresses, &control);
        }
        assert_eq!(learned.sessions.len(), Learned::LIMIT);
        assert_eq!(learned.refused(), 2);
    }
}
