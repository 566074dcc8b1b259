//! Data messages: to which call they belong, and what they carry (RFC 2661 sections 5.3, 5.4).

use crate::dissect::layers::{L2tp, Ppp, Udp};
use crate::util::Timestamp;

use super::events::{What, stage};
use super::facts::{Fact, Scope};
use super::foresee::Route;
use super::{CallId, ConnectionId, Meta, Tracker, bump};
use crate::analysis::control::call::{Call, CallState};
use crate::analysis::control::watch::ROUND_TRIP;

/// Data of the LNS in a row that shows whether it numbers: a packet or two may be out of order.
const ROW: u16 = 3;

/// Whether data of the LAC does not follow the LNS, `lns`, into or out of sequence numbers (RFC 2661 section 5.4), for
/// longer than what the LNS sent may have been on its way.
fn strays(call: &Call, lns: u8, header: &L2tp, time: Timestamp) -> bool {
    let Some(lead) = call.data.get(usize::from(lns)) else { return false };
    lead.run >= ROW
        && lead.numbered != header.ns.is_some()
        && time.since(lead.turned) > ROUND_TRIP
        && call.state == CallState::Established
        && !call.numbered
}

impl Tracker {
    pub(super) fn data(
        &mut self,
        meta: &Meta,
        udp: &Udp,
        header: &L2tp,
        ppp: Option<&Ppp>,
        protected: bool,
        route: Option<Route>,
    ) {
        let found = route.map(|route| (route.connection, 1u8.saturating_sub(route.end)));
        let Some((id, from)) = found.or_else(|| self.route_data(meta, udp, header)) else { return };
        if header.tunnel_id.0 == 0 {
            self.data_to_nothing(id, from, meta);
        }
        self.carry(meta, (id, from), udp, header, ppp, protected);
    }

    /// Counts data that an end of a connection sent.
    pub(super) fn carry(
        &mut self,
        meta: &Meta,
        (id, from): (ConnectionId, u8),
        udp: &Udp,
        header: &L2tp,
        ppp: Option<&Ppp>,
        protected: bool,
    ) {
        self.arrived(id, from, meta, udp, header, protected);
        let to = 1u8.saturating_sub(from);
        let Some(call_id) = self.call_of_data(id, to, meta, header) else { return };
        self.place.call = Some(call_id);
        let Some(connection) = self.state.connections.get_mut(id) else { return };
        let number = connection.number;
        connection.ladder.data(meta.packet, meta.time, usize::from(from), &mut self.budget);
        let mid_stream = !connection.from_start;
        let follows = connection.lac == Some(from) && connection.version == 2;
        let Some(call) = self.state.calls.get_mut(call_id) else { return };
        call.counts |= header.ns.is_some();
        // Only a call whose data carries numbers at times has another state to follow.
        let astray = call.counts && follows && !mid_stream && strays(call, to, header, meta.time);
        let Some(data) = call.data.get_mut(usize::from(from)) else { return };
        let before = (data.duplicated, data.reordered, data.restarts);
        let skipped = data.push(header, meta.time);
        let (copy, behind) = (data.duplicated > before.0, data.reordered > before.1);
        let mut staged = None;
        let restarted = data.restarts > before.2;
        if let Some(ppp) = ppp {
            // Network-layer protocols have numbers up to 3fff (RFC 1661 section 2); compressed ones count too.
            if ppp.protocol < 0x4000 {
                bump(&mut data.network);
            }
            let before = ppp.control.is_some().then(|| stage(call));
            call.ppp.push(ppp, usize::from(from), meta.packet, meta.time);
            staged = before.map(|before| (before, stage(call)));
            let users = self.learned.users();
            if let Some(control) = ppp.control.as_deref().filter(|_| !users.is_empty()) {
                call.ppp.make().prove(control, from, meta.packet, users);
            }
        } else if header.version() == 3 {
            bump(&mut data.network);
        }
        let early = matches!(call.state, CallState::WaitReply | CallState::WaitConnect) && !mid_stream;
        let unannounced = call.unannounced;
        let unnumbered = call.numbered && header.ns.is_none();
        let late = call.closed.is_some_and(|closed| meta.time.since(closed) > ROUND_TRIP);
        let scope =
            Scope { connection: Some(number), call: Some(call_id), end: Some(from), ..Scope::default() };
        self.place.data_skipped = skipped;
        if let Some((before, now)) = staged {
            if now.0 && !before.0 {
                self.happened(meta, What::UserRefused(call_id));
            }
            if let Some(control) = ppp.and_then(|ppp| ppp.control.as_deref()).filter(|_| now.1 > before.1) {
                self.happened(meta, What::NetworkUp(call_id, control.protocol));
            }
        }
        if late {
            let tunnel = self.state.connection(id).is_some_and(|connection| connection.closed.is_some());
            self.note(Fact::LateData { tunnel }, scope, meta, 1);
        }
        if unnumbered {
            self.note(Fact::DataUnnumbered, scope, meta, 1);
        }
        if header.session_id.0 == 0 {
            self.note(Fact::DataZero, scope, meta, 1);
        }
        if astray {
            self.note(Fact::NotFollowing { begins: header.ns.is_none() }, scope, meta, 1);
        }
        if restarted {
            self.note(Fact::NumbersRestart, scope, meta, 1);
        }
        if copy || behind {
            self.note(if copy { Fact::DataCopy } else { Fact::DataLate }, scope, meta, 1);
        }
        if skipped > 0 {
            self.note(Fact::DataGap, scope, meta, u64::from(skipped));
        }
        if early {
            self.note(Fact::EarlyData, scope, meta, 1);
        }
        if unannounced && !mid_stream {
            self.note(Fact::UnknownSession, scope, meta, 1);
        }
    }

    /// Notes numbered data in an ESP packet that came before: it counts nowhere else.
    #[cold]
    pub(super) fn replayed_data(&mut self, meta: &Meta, udp: &Udp, header: &L2tp) {
        let Some((id, from)) = self.whose(udp, header).filter(|_| header.ns.is_some()) else { return };
        let call = self.routes.session(id, 1u8.saturating_sub(from), header.session_id);
        let connection = self.state.connection(id).map(|connection| connection.number);
        if call.is_some() {
            let scope = Scope { connection, call, end: Some(from), ..Scope::default() };
            self.note(Fact::DataReplayed, scope, meta, 1);
        }
    }

    fn data_to_nothing(&mut self, id: ConnectionId, from: u8, meta: &Meta) {
        let number = self.state.connection(id).map(|connection| connection.number);
        self.note(Fact::DataZero, Scope { connection: number, end: Some(from), ..Scope::default() }, meta, 1);
    }

    fn route_data(&mut self, meta: &Meta, udp: &Udp, header: &L2tp) -> Option<(ConnectionId, u8)> {
        self.whose(udp, header).or_else(|| self.open(meta, udp, header, None))
    }

    fn call_of_data(&mut self, id: ConnectionId, to: u8, meta: &Meta, header: &L2tp) -> Option<CallId> {
        let session = header.session_id;
        let connection = self.state.connections.get_mut(id)?;
        if let Some(call) = connection.recent_call(to, session) {
            return Some(call);
        }
        if let Some(call) = self.routes.session(id, to, session) {
            if let Some(recent) = connection.recent.get_mut(usize::from(to)) {
                *recent = Some((session, call));
            }
            return Some(call);
        }
        let call = match self.nameless_call(id, to) {
            Some(call) => call,
            None => {
                let call = self.open_call(id, meta)?;
                if let Some(opened) = self.state.calls.get_mut(call) {
                    opened.unannounced = true;
                }
                call
            }
        };
        self.assign_session(id, call, to, Some(session));
        Some(call)
    }
}
