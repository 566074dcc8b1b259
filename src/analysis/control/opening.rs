//! A control connection comes into the tables, moves in them, and leaves them.

use crate::dissect::layers::{L2tp, TunnelId, Udp};

use crate::analysis::control::connection::Connection;
use crate::analysis::limits::Limit;
use crate::analysis::{ConnectionId, Meta, Tracker, bump32};

impl Tracker {
    /// The next older connection between the same endpoints. What came to its place later is none.
    pub(in crate::analysis) fn older(&self, connection: &Connection) -> Option<ConnectionId> {
        let before = |id: &ConnectionId| {
            self.state.connection(*id).is_some_and(|older| older.number < connection.number)
        };
        connection.older.filter(before)
    }

    /// Opens a connection for the sender of a message; if the table is full, in the place of the oldest request
    /// that nobody answered.
    pub(in crate::analysis) fn open(
        &mut self,
        meta: &Meta,
        udp: &Udp,
        header: &L2tp,
        requested: Option<TunnelId>,
    ) -> Option<(ConnectionId, u8)> {
        let recycled = if self.state.connections.len() < self.limits.tunnels {
            None
        } else {
            self.state.reach(Limit::Tunnels);
            Some(self.recycle()?)
        };
        let number = &mut self.state.totals.connections;
        bump32(number);
        let connection = Connection::new(*number, header.version(), udp.source, udp.destination, meta.packet);
        let id = match recycled {
            Some(id) => self.state.connections.put(id, connection).map(|()| id)?,
            None => self.state.connections.fill(connection)?,
        };
        let older = self.routes.set_newest(udp.source, udp.destination, id);
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.older = older.filter(|older| *older != id);
        }
        if let Some(tunnel) = requested {
            self.routes.learn(id, 0, udp.source, udp.destination, tunnel);
        }
        Some((id, 0))
    }

    fn recycle(&mut self) -> Option<ConnectionId> {
        while let Some(id) = self.half_open.pop_front() {
            let Some(connection) = self.state.connection(id) else { continue };
            if !connection.is_half_open() {
                continue;
            }
            self.budget.left = self.budget.left.saturating_add(connection.ladder.rows.len());
            self.forget(id);
            return Some(id);
        }
        None
    }

    /// Takes a connection out of the tables: its place is to be used again, or an end moves.
    pub(in crate::analysis) fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.state.connection(id) else { return };
        let [a, b] = &connection.ends;
        let older = self.older(connection);
        for (receiver, sender) in [(a, b), (b, a)] {
            if let Some(tunnel) = receiver.tunnel_id {
                self.routes.forget(id, receiver.endpoint, sender.endpoint, tunnel);
            }
        }
        self.routes.unset_newest(a.endpoint, b.endpoint, id, older);
    }

    /// Puts both tunnel IDs of a connection into the tables.
    pub(in crate::analysis) fn relearn(&mut self, id: ConnectionId) {
        let Some(connection) = self.state.connection(id) else { return };
        let [a, b] = &connection.ends;
        let ways = [(0, a.endpoint, b.endpoint, a.tunnel_id), (1, b.endpoint, a.endpoint, b.tunnel_id)];
        for (end, receiver, sender, tunnel) in ways {
            if let Some(tunnel) = tunnel {
                self.routes.learn(id, end, receiver, sender, tunnel);
            }
        }
        let (a, b) = (a.endpoint, b.endpoint);
        let older = self.routes.set_newest(a, b, id).filter(|older| *older != id);
        if let Some(connection) = self.state.connections.get_mut(id)
            && connection.older.is_none()
        {
            connection.older = older;
        }
    }
}
