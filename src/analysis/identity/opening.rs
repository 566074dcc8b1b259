//! A control connection comes into the tables, moves in them, and leaves them.

use crate::dissect::layers::{TunnelId, Udp};

use super::owner::{Identity, older};
use crate::analysis::control::connection::Connection;
use crate::analysis::found::Analysis;
use crate::analysis::ids::{ConnectionId, bump32};
use crate::analysis::limits::{Limit, Limits};
use crate::analysis::log::{Budget, Kind};
use crate::analysis::meta::Meta;

/// Newer connections between two endpoints that are passed for the place of one that moved there.
const MOST_NEWER: usize = 64;

/// Puts a connection among those between its endpoints, the newest of which is `newest`, at the place of its number.
fn keep_order(found: &mut Analysis, newest: ConnectionId, id: ConnectionId, number: u32) {
    let mut newer = newest;
    for _ in 0..MOST_NEWER {
        let next = found.connection(newer).and_then(|one| older(found, one));
        match next {
            Some(next) if next == id => return,
            Some(next) if found.connection(next).is_some_and(|one| one.number > number) => newer = next,
            next => {
                if let Some(one) = found.connections.get_mut(newer) {
                    one.older = Some(id);
                }
                if let Some(one) = found.connections.get_mut(id).filter(|one| one.older.is_none()) {
                    one.older = next;
                }
                return;
            }
        }
    }
}

impl Identity {
    /// Opens a connection for the sender of a message; if the table is full, in the place of the oldest request that
    /// nobody answered.
    pub(in crate::analysis) fn open(
        &mut self,
        found: &mut Analysis,
        (limits, budget): (&Limits, &mut Budget),
        meta: &Meta,
        udp: &Udp,
        version: u8,
        requested: Option<TunnelId>,
    ) -> Option<ConnectionId> {
        let recycled = if found.connections.len() < limits.tunnels {
            None
        } else {
            found.reach(Limit::Tunnels);
            Some(self.recycle(found, budget)?)
        };
        let number = &mut found.totals.connections;
        bump32(number);
        let connection = Connection::new(*number, version, udp.source, udp.destination, meta.at());
        let id = match recycled {
            Some(id) => found.connections.put(id, connection).map(|()| id)?,
            None => found.connections.fill(connection)?,
        };
        let before = self.routes.set_newest(udp.source, udp.destination, id);
        if let Some(connection) = found.connections.get_mut(id) {
            connection.older = before.filter(|before| *before != id);
        }
        if let Some(tunnel) = requested {
            self.routes.learn(id, 0, udp.source, udp.destination, tunnel);
        }
        Some(id)
    }

    /// Remembers a request that may stay without an answer.
    pub(in crate::analysis) fn requested(&mut self, id: ConnectionId, limits: &Limits) {
        self.half_open.push_back(id);
        // Places of answered requests leave the queue when their turn comes; it must not grow meanwhile.
        if self.half_open.len() > limits.tunnels.saturating_mul(2) {
            self.half_open.pop_front();
        }
    }

    fn recycle(&mut self, found: &Analysis, budget: &mut Budget) -> Option<ConnectionId> {
        while let Some(id) = self.half_open.pop_front() {
            let Some(connection) = found.connection(id) else { continue };
            if !connection.is_half_open() {
                continue;
            }
            budget.free(&connection.log, Kind::L2tp);
            self.forget(found, id);
            return Some(id);
        }
        None
    }

    /// Takes a connection out of the tables: its place is to be used again, or an end moves.
    pub(in crate::analysis) fn forget(&mut self, found: &Analysis, id: ConnectionId) {
        let Some(connection) = found.connection(id) else { return };
        let [a, b] = &connection.ends;
        let before = older(found, connection);
        for (receiver, sender) in [(a, b), (b, a)] {
            if let Some(tunnel) = receiver.tunnel_id {
                self.routes.forget(id, receiver.endpoint, sender.endpoint, tunnel);
            }
        }
        self.routes.unset_newest(a.endpoint, b.endpoint, id, before);
    }

    /// Puts both tunnel IDs of a connection into the tables.
    pub(in crate::analysis) fn relearn(&mut self, found: &mut Analysis, id: ConnectionId) {
        let Some(connection) = found.connection(id) else { return };
        let [a, b] = &connection.ends;
        let ends = [(0, a.endpoint, b.endpoint, a.tunnel_id), (1, b.endpoint, a.endpoint, b.tunnel_id)];
        for (end, receiver, sender, tunnel) in ends {
            if let Some(tunnel) = tunnel {
                self.routes.learn(id, end, receiver, sender, tunnel);
            }
        }
        let (a, b, number) = (a.endpoint, b.endpoint, connection.number);
        let newer = |newest: &ConnectionId| found.connection(*newest).is_some_and(|one| one.number > number);
        if let Some(newest) = self.routes.newest_between(a, b).filter(newer) {
            return keep_order(found, newest, id, number);
        }
        let before = self.routes.set_newest(a, b, id).filter(|before| *before != id);
        if let Some(connection) = found.connections.get_mut(id)
            && connection.older.is_none()
        {
            connection.older = before;
        }
    }

    /// Drops what names connections that were let go of.
    pub(in crate::analysis) fn tidy(&mut self, found: &Analysis) {
        self.half_open.retain(|id| found.connection(*id).is_some());
        self.half_open.shrink_to_fit();
    }
}
