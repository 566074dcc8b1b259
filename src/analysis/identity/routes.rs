//! Which connection, end and call a header belongs to.

use std::net::IpAddr;

use hashbrown::HashMap;

use crate::dissect::layers::{Endpoint, SessionId, TunnelId, Udp};

use crate::analysis::ids::{CallId, ConnectionId};

/// A header Tunnel ID names the receiver's tunnel: this is who sends to whom with which ID. Packed, because every packet
/// is looked up by it: between IPv4 addresses it is one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    V4(u128),
    V6(Endpoint, Endpoint, TunnelId),
}

impl Way {
    fn new(source: Endpoint, destination: Endpoint, tunnel_id: TunnelId) -> Self {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (source.address, destination.address) else {
            return Self::V6(source, destination, tunnel_id);
        };
        let addresses = u128::from(from.to_bits()) << 32 | u128::from(to.to_bits());
        let ports = u128::from(source.port) << 16 | u128::from(destination.port);
        Self::V4(addresses << 64 | ports << 32 | u128::from(tunnel_id.0))
    }
}

/// Whose tunnel: the connection, and which of its ends.
type Place = (ConnectionId, u8);

#[derive(Debug, Default)]
struct Ways {
    v4: HashMap<u128, Place>,
    v6: HashMap<(Endpoint, Endpoint, TunnelId), Place>,
}

impl Ways {
    #[inline]
    fn get(&self, way: &Way) -> Option<&Place> {
        match *way {
            Way::V4(way) => self.v4.get(&way),
            Way::V6(source, destination, tunnel_id) => self.v6.get(&(source, destination, tunnel_id)),
        }
    }

    fn insert(&mut self, way: Way, place: Place) {
        match way {
            Way::V4(way) => self.v4.insert(way, place),
            Way::V6(source, destination, tunnel_id) => {
                self.v6.insert((source, destination, tunnel_id), place)
            }
        };
    }

    fn remove(&mut self, way: &Way) {
        match *way {
            Way::V4(way) => self.v4.remove(&way),
            Way::V6(source, destination, tunnel_id) => self.v6.remove(&(source, destination, tunnel_id)),
        };
    }
}

/// The tables of a tracker.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Routes {
    ways: Ways,
    /// Without ports and sender: the way of a peer whose NAT mapping changed, or who answers from another port.
    receivers: HashMap<(IpAddr, TunnelId), (ConnectionId, u8)>,
    /// The newest connection between two endpoints.
    pairs: HashMap<(Endpoint, Endpoint), ConnectionId>,
    sessions: HashMap<u64, CallId>,
    /// Data of L2TPv3 names no tunnel: the call by the address that receives it and the Session ID.
    addressed: HashMap<(IpAddr, SessionId), (ConnectionId, u8, CallId)>,
    version: u64,
}

/// The receiver's end of a connection and its Session ID as one number. Tables have fewer than 2^31 connections.
fn session_key(id: ConnectionId, end: u8, session: SessionId) -> u64 {
    u64::from(id.0) << 33 | u64::from(end) << 32 | u64::from(session.0)
}

fn connection_of(key: u64) -> ConnectionId {
    ConnectionId(u32::try_from(key >> 33).unwrap_or_default())
}

/// Keeps these, and gives room back.
fn keep<K: Eq + std::hash::Hash, V>(table: &mut HashMap<K, V>, wanted: impl FnMut(&K, &mut V) -> bool) {
    table.retain(wanted);
    table.shrink_to_fit();
}

impl Routes {
    /// Another number whenever an answer of [`Routes::find_exact`] or [`Routes::session`] may have changed.
    pub(in crate::analysis) fn version(&self) -> u64 {
        self.version
    }

    /// Whose tunnel `tunnel_id` is, whoever sends: the connection, and the end that receives.
    pub(in crate::analysis) fn find_moved(
        &self,
        udp: &Udp,
        tunnel_id: TunnelId,
    ) -> Option<(ConnectionId, u8)> {
        self.receivers.get(&(udp.destination.address, tunnel_id)).copied()
    }

    /// Whose tunnel it is between exactly these endpoints: the connection, and the end that receives.
    pub(in crate::analysis) fn find_exact(
        &self,
        udp: &Udp,
        tunnel_id: TunnelId,
    ) -> Option<(ConnectionId, u8)> {
        self.ways.get(&Way::new(udp.source, udp.destination, tunnel_id)).copied()
    }

    /// Remembers that `receiver` (end `end` of `id`) assigned `tunnel_id`, to be used by `sender`.
    pub(in crate::analysis) fn learn(
        &mut self,
        id: ConnectionId,
        end: u8,
        receiver: Endpoint,
        sender: Endpoint,
        tunnel_id: TunnelId,
    ) {
        self.version = self.version.wrapping_add(1);
        self.ways.insert(Way::new(sender, receiver, tunnel_id), (id, end));
        self.receivers.insert((receiver.address, tunnel_id), (id, end));
    }

    /// Forgets the same, if it still names that connection.
    pub(in crate::analysis) fn forget(
        &mut self,
        id: ConnectionId,
        receiver: Endpoint,
        sender: Endpoint,
        tunnel_id: TunnelId,
    ) {
        self.version = self.version.wrapping_add(1);
        let way = Way::new(sender, receiver, tunnel_id);
        if self.ways.get(&way).is_some_and(|known| known.0 == id) {
            self.ways.remove(&way);
        }
        let short = (receiver.address, tunnel_id);
        if self.receivers.get(&short).is_some_and(|known| known.0 == id) {
            self.receivers.remove(&short);
        }
    }

    /// The newest connection between two endpoints, in either direction.
    pub(in crate::analysis) fn newest(&self, udp: &Udp) -> Option<ConnectionId> {
        self.pairs.get(&pair(udp.source, udp.destination)).copied()
    }

    /// The same of two endpoints.
    pub(in crate::analysis) fn newest_between(&self, a: Endpoint, b: Endpoint) -> Option<ConnectionId> {
        self.pairs.get(&pair(a, b)).copied()
    }

    /// Makes `id` the newest between two endpoints; returns the one before.
    pub(in crate::analysis) fn set_newest(
        &mut self,
        a: Endpoint,
        b: Endpoint,
        id: ConnectionId,
    ) -> Option<ConnectionId> {
        self.pairs.insert(pair(a, b), id)
    }

    /// Forgets that `id` is the newest; an older one takes its place.
    pub(in crate::analysis) fn unset_newest(
        &mut self,
        a: Endpoint,
        b: Endpoint,
        id: ConnectionId,
        older: Option<ConnectionId>,
    ) {
        let key = pair(a, b);
        if self.pairs.get(&key) == Some(&id) {
            match older {
                Some(older) => self.pairs.insert(key, older),
                None => self.pairs.remove(&key),
            };
        }
    }

    pub(in crate::analysis) fn session(
        &self,
        id: ConnectionId,
        end: u8,
        session: SessionId,
    ) -> Option<CallId> {
        self.sessions.get(&session_key(id, end, session)).copied()
    }

    /// The call of data of L2TPv3, its connection, and the end that receives.
    pub(in crate::analysis) fn addressed(
        &self,
        to: IpAddr,
        session: SessionId,
    ) -> Option<(ConnectionId, u8, CallId)> {
        self.addressed.get(&(to, session)).copied()
    }

    /// Remembers that the host at `to` (end `end` of `id`) assigned `session` of L2TPv3 to a call.
    pub(in crate::analysis) fn learn_addressed(
        &mut self,
        id: ConnectionId,
        end: u8,
        to: IpAddr,
        session: SessionId,
        call: CallId,
    ) {
        self.addressed.insert((to, session), (id, end, call));
    }

    /// Forgets control connections that go, and their calls. `heir` is what takes the place of one that goes as the newest
    /// between its endpoints.
    pub(in crate::analysis) fn let_go(
        &mut self,
        stays: impl Fn(ConnectionId) -> bool,
        heir: impl Fn(ConnectionId) -> Option<ConnectionId>,
    ) {
        self.version = self.version.wrapping_add(1);
        keep(&mut self.ways.v4, |_, place| stays(place.0));
        keep(&mut self.ways.v6, |_, place| stays(place.0));
        keep(&mut self.receivers, |_, place| stays(place.0));
        keep(&mut self.addressed, |_, place| stays(place.0));
        keep(&mut self.sessions, |key, _| stays(connection_of(*key)));
        keep(&mut self.pairs, |_, newest| {
            let next = if stays(*newest) { Some(*newest) } else { heir(*newest) };
            *newest = next.unwrap_or(*newest);
            next.is_some()
        });
    }

    pub(in crate::analysis) fn learn_session(
        &mut self,
        id: ConnectionId,
        end: u8,
        session: SessionId,
        call: CallId,
    ) {
        self.version = self.version.wrapping_add(1);
        self.sessions.insert(session_key(id, end, session), call);
    }
}

fn pair(a: Endpoint, b: Endpoint) -> (Endpoint, Endpoint) {
    if a <= b { (a, b) } else { (b, a) }
}
