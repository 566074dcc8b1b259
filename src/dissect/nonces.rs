//! The nonces that the ends of L2TPv3 control connections send in SCCRQ and SCCRP (RFC 3931 section 5.4.1, Control
//! Message Authentication Nonce): the digests of all later messages are made with both.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::avp_table::{attribute, vendor};
use super::layers::{Avp, AvpValue, Control, Endpoint, MessageType};

/// An end: its address and port, and the Control Connection ID that it assigned.
type Key = (Endpoint, u32);

/// What is known of the nonce of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nonce<'a> {
    /// The message that may have it was not seen.
    Unseen,
    /// It sent none.
    Without,
    /// It sent this one.
    Sent(&'a [u8]),
}

/// The nonces that the digest of one message is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Both<'a> {
    /// Those of the sender and of the receiver.
    pub(super) both: [Nonce<'a>; 2],
    /// They belong to this control connection: nobody else used the same IDs.
    pub(super) sure: bool,
}

impl<'a> Both<'a> {
    /// The octets that enter the digest.
    pub(super) fn octets(&self) -> [&'a [u8]; 2] {
        self.both.map(|nonce| match nonce {
            Nonce::Sent(octets) => octets,
            Nonce::Unseen | Nonce::Without => &[],
        })
    }
}

#[derive(Debug)]
struct End {
    nonce: Option<Box<[u8]>>,
    /// The other end, once an SCCRP named it.
    peer: Option<Key>,
    /// Another one had the same ID before: who a message is from is not certain.
    shared: bool,
}

impl End {
    fn nonce(&self) -> Nonce<'_> {
        self.nonce.as_deref().map_or(Nonce::Without, Nonce::Sent)
    }
}

/// The nonces of all ends.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    ends: HashMap<Key, End>,
    /// Those that nobody answered may give up their place.
    unanswered: VecDeque<Key>,
    refused: u64,
}

impl Nonces {
    /// Ends that are remembered at the most.
    const LIMIT: usize = 16_384;

    /// Ends that could not be remembered.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// Remembers what an SCCRQ or SCCRP says of its sender.
    pub(super) fn learn(&mut self, [source, destination]: [Endpoint; 2], connection: u32, control: &Control) {
        let answers = match control.message {
            Some(MessageType::SCCRQ) => false,
            Some(MessageType::SCCRP) => true,
            _ => return,
        };
        let Some(own) = assigned(control) else { return };
        let key = (source, own);
        match nonce_in(control) {
            Nonce::Unseen => return,
            Nonce::Without => self.remember(key, None, answers),
            Nonce::Sent(nonce) => self.remember(key, Some(nonce), answers),
        }
        if !answers {
            return;
        }
        let asked = (destination, connection);
        if let Some(end) = self.ends.get_mut(&key) {
            end.peer = Some(asked);
        }
        if let Some(end) = self.ends.get_mut(&asked) {
            end.shared |= end.peer.is_some_and(|peer| peer != key);
            end.peer = Some(key);
        }
    }

    fn remember(&mut self, key: Key, nonce: Option<&[u8]>, answers: bool) {
        if let Some(end) = self.ends.get_mut(&key) {
            // A resend says the same.
            if end.nonce.as_deref() != nonce {
                *end = End { nonce: nonce.map(Into::into), peer: None, shared: true };
            }
            return;
        }
        if self.ends.len() >= Self::LIMIT && !self.make_room() {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        self.ends.insert(key, End { nonce: nonce.map(Into::into), peer: None, shared: false });
        if !answers {
            self.unanswered.push_back(key);
        }
    }

    /// Forgets the oldest that nobody answered.
    fn make_room(&mut self) -> bool {
        while let Some(key) = self.unanswered.pop_front() {
            if self.ends.get(&key).is_some_and(|end| end.peer.is_none()) {
                self.ends.remove(&key);
                return true;
            }
        }
        false
    }

    /// The nonces for the digest of a message from one end to the other, to the Control Connection ID `connection`.
    pub(super) fn of<'a>(
        &'a self,
        [source, destination]: [Endpoint; 2],
        connection: u32,
        control: &'a Control,
    ) -> Both<'a> {
        // The digest of an SCCRQ is made without nonces: its own stands in the message.
        if control.message == Some(MessageType::SCCRQ) {
            let own = match nonce_in(control) {
                Nonce::Sent(_) => Nonce::Sent(&[]),
                none => none,
            };
            return Both { both: [own, Nonce::Without], sure: true };
        }
        let receiver = self.ends.get(&(destination, connection)).filter(|_| connection != 0);
        let received = receiver.map_or(Nonce::Unseen, End::nonce);
        if control.message == Some(MessageType::SCCRP) {
            let own = nonce_in(control);
            let answered = receiver.and_then(|end| end.peer);
            // Another answer to the same ID: the request that it belongs to may be missing.
            let same = answered.is_none_or(|key| {
                assigned(control).map(|id| (source, id)) == Some(key)
                    && self.ends.get(&key).is_some_and(|end| end.nonce() == own)
            });
            return Both { both: [own, received], sure: same && receiver.is_none_or(|end| !end.shared) };
        }
        let named = assigned(control).map(|own| (source, own));
        let sender = receiver.and_then(|end| end.peer).or(named).and_then(|key| self.ends.get(&key));
        let sent = sender.map_or(Nonce::Unseen, End::nonce);
        let sure = [sender, receiver].into_iter().flatten().all(|end| !end.shared);
        Both { both: [sent, received], sure }
    }
}

fn find(control: &Control, wanted: u16) -> Option<&Avp> {
    control.avps.iter().find(|avp| avp.vendor == vendor::IETF && avp.attribute == wanted)
}

/// The nonce that an SCCRQ or SCCRP brings. That there is none is certain only where the whole message was read.
fn nonce_in(control: &Control) -> Nonce<'_> {
    match find(control, attribute::AUTHENTICATION_NONCE).map(|avp| &avp.value) {
        Some(AvpValue::Octets(octets)) => Nonce::Sent(octets),
        None if !control.cut && control.fault.is_none() => Nonce::Without,
        _ => Nonce::Unseen,
    }
}

fn assigned(control: &Control) -> Option<u32> {
    match find(control, attribute::ASSIGNED_CONNECTION_ID)?.value {
        AvpValue::Number(number) => u32::try_from(number).ok().filter(|id| *id != 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::control_of;

    fn end(host: u8) -> Endpoint {
        Endpoint { address: std::net::Ipv4Addr::new(192, 0, 2, host).into(), port: 1701 }
    }

    fn avp(attribute: u8, value: &[u8]) -> Vec<u8> {
        [&[0x80, 6 + value.len() as u8, 0, 0, 0, attribute], value].concat()
    }

    fn message(kind: u8, own: u32, nonce: &[u8]) -> Control {
        let mut avps = [avp(0, &[0, kind]), avp(61, &own.to_be_bytes())].concat();
        if !nonce.is_empty() {
            avps.extend(avp(73, nonce));
        }
        control_of(&avps)
    }

    const OUT: [u8; 2] = [1, 2];
    const BACK: [u8; 2] = [2, 1];

    fn octets(nonces: &Nonces, way: [u8; 2], connection: u32, control: &Control) -> (Vec<u8>, Vec<u8>, bool) {
        let both = nonces.of(way.map(end), connection, control);
        let [sender, receiver] = both.octets();
        let known = both.sure && both.both.iter().all(|nonce| !matches!(nonce, Nonce::Unseen));
        (sender.to_vec(), receiver.to_vec(), known)
    }

    fn set_up() -> Nonces {
        let mut nonces = Nonces::default();
        nonces.learn(OUT.map(end), 0, &message(1, 7, b"first"));
        nonces.learn(BACK.map(end), 7, &message(2, 9, b"second"));
        nonces
    }

    #[test]
    fn each_message_has_the_nonce_of_its_sender_first() {
        let hello = control_of(&avp(0, &[0, 6]));
        let nonces = set_up();
        assert_eq!(octets(&nonces, OUT, 9, &hello), (b"first".to_vec(), b"second".to_vec(), true));
        assert_eq!(octets(&nonces, BACK, 7, &hello), (b"second".to_vec(), b"first".to_vec(), true));
        // An SCCRQ has none, an SCCRP brings its own.
        assert_eq!(octets(&nonces, OUT, 0, &message(1, 7, b"first")), (Vec::new(), Vec::new(), true));
        let answer = message(2, 9, b"second");
        assert_eq!(octets(&nonces, BACK, 7, &answer), (b"second".to_vec(), b"first".to_vec(), true));
    }

    #[test]
    fn what_was_not_seen_is_not_known() {
        let hello = control_of(&avp(0, &[0, 6]));
        let nonces = set_up();
        for (way, connection) in [(OUT, 8), (BACK, 9), (OUT, 0), ([1, 3], 9)] {
            assert!(!octets(&nonces, way, connection, &hello).2, "{way:?} {connection}");
        }
        // A StopCCN that answers an SCCRQ: its sender has sent no nonce yet.
        let mut half = Nonces::default();
        half.learn(OUT.map(end), 0, &message(1, 7, b"first"));
        assert_eq!(octets(&half, BACK, 7, &message(4, 9, b"")), (Vec::new(), b"first".to_vec(), false));
        // A message that was not read to its end may have one.
        let mut cut = message(1, 7, b"");
        cut.cut = true;
        let mut broken = message(1, 7, b"");
        broken.fault = Some(crate::dissect::layers::AvpFault::LengthShort { length: 0, offset: 18 });
        for request in [cut, broken] {
            let mut nonces = Nonces::default();
            nonces.learn(OUT.map(end), 0, &request);
            assert!(nonces.ends.is_empty());
            assert!(!octets(&nonces, OUT, 0, &request).2);
        }
    }

    #[test]
    fn no_nonce_is_known_as_well() {
        let mut nonces = Nonces::default();
        nonces.learn(OUT.map(end), 0, &message(1, 7, b""));
        nonces.learn(BACK.map(end), 7, &message(2, 9, b""));
        let hello = control_of(&avp(0, &[0, 6]));
        assert_eq!(octets(&nonces, OUT, 9, &hello), (Vec::new(), Vec::new(), true));
    }

    #[test]
    fn ids_that_two_ends_used_prove_nothing() {
        let hello = control_of(&avp(0, &[0, 6]));
        let mut nonces = set_up();
        // Resends say the same.
        nonces.learn(OUT.map(end), 0, &message(1, 7, b"first"));
        nonces.learn(BACK.map(end), 7, &message(2, 9, b"second"));
        assert!(octets(&nonces, OUT, 9, &hello).2);
        nonces.learn(OUT.map(end), 0, &message(1, 7, b"other"));
        nonces.learn(BACK.map(end), 7, &message(2, 9, b"second"));
        assert_eq!(octets(&nonces, OUT, 9, &hello), (b"other".to_vec(), b"second".to_vec(), false));
        let mut answered_twice = set_up();
        answered_twice.learn(BACK.map(end), 7, &message(2, 10, b"third"));
        assert_eq!(octets(&answered_twice, BACK, 7, &hello), (b"third".to_vec(), b"first".to_vec(), false));
    }

    /// After a control connection, another with the same IDs, of which the capture lacks the SCCRQ.
    #[test]
    fn an_answer_to_a_request_that_was_not_seen_is_not_certain() {
        let nonces = set_up();
        assert!(octets(&nonces, BACK, 7, &message(2, 9, b"second")).2);
        assert!(!octets(&nonces, BACK, 7, &message(2, 9, b"another")).2);
        assert!(!octets(&nonces, BACK, 7, &message(2, 10, b"second")).2);
    }

    /// A flood of requests pushes out each other, and no control connection that was answered.
    #[test]
    fn a_flood_of_requests_leaves_those_that_were_answered() {
        let mut nonces = set_up();
        for own in 100..100 + 2 * Nonces::LIMIT as u32 {
            nonces.learn([end(3), end(2)], 0, &message(1, own, b"flood"));
        }
        assert_eq!((nonces.ends.len(), nonces.refused()), (Nonces::LIMIT, 0));
        assert!(nonces.unanswered.len() <= Nonces::LIMIT);
        let hello = control_of(&avp(0, &[0, 6]));
        assert!(octets(&nonces, OUT, 9, &hello).2);
    }
}
