//! Which control connection, call and end a packet belongs to (RFC 2661 sections 3.1 and 5.1): by the tunnel ID that its
//! receiver assigned, by exactly what a request says, and never by a guess that takes what belongs to others.

use std::collections::VecDeque;

use crate::dissect::layers::{Endpoint, L2tp, MessageType, SessionId, Udp};
use crate::dissect::udp::L2TP_PORT;
use crate::util::Duration;

use super::copies::{CROSSING, answers_anew, before_restart, is_copy, request};
use super::routes::Routes;
use crate::analysis::control::call::{Call, CallState};
use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::message::{SeenMessage, other};
use crate::analysis::control::rfc2661_7_2::ControlState;
use crate::analysis::found::Analysis;
use crate::analysis::ids::{CallId, ConnectionId};

/// Connections between one pair of endpoints that a search without an ID looks at: a flood between two hosts must not
/// make it slow.
const MOST_STEPS: usize = 64;

/// The first wait before a resend, less what jitter may take (RFC 2661 section 5.8 recommends 1 s).
const FIRST_WAIT: Duration = Duration::millis(900);

/// A full cycle of resends, for which a closed connection keeps its state (RFC 2661 section 5.7).
const CYCLE: Duration = Duration::seconds(31);

/// Requests, the newest, that one of the other end may have crossed.
const MOST_CROSSING: usize = 16;

/// Numbers that a sender may be ahead of what was seen of it.
const PLAUSIBLE: u16 = 16;

/// Whose a control message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) enum Owner {
    /// Of this end of a connection.
    Known(ConnectionId, u8),
    /// An SCCRP whose SCCRQ the capture lacks.
    Answer,
    /// The initiator of this connection begins anew with the same tunnel ID.
    Restarted(ConnectionId),
    /// The same, but the capture lacks the request and shows the answer to it.
    Answered(ConnectionId),
    /// Of a connection that is not known yet.
    New,
}

/// The tables of who is who.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Identity {
    pub(in crate::analysis) routes: Routes,
    /// Requests in the order they came, some of which nobody answered.
    pub(super) half_open: VecDeque<ConnectionId>,
}

impl Identity {
    /// Whose a control message is.
    pub(in crate::analysis) fn of_message(
        &self,
        found: &Analysis,
        udp: &Udp,
        message: &SeenMessage<'_>,
    ) -> Owner {
        if message.is(MessageType::SCCRQ) {
            return self.of_request(found, udp, message);
        }
        let known = |place: Option<(ConnectionId, u8)>| place.map(|(id, from)| Owner::Known(id, from));
        let version = message.header.version();
        if message.header.tunnel_id.0 != 0 {
            let owner = self.of_header(found, udp, message.header);
            if let Some((id, 1)) = owner.filter(|(id, _)| answers_anew(found, *id, message)) {
                return self.asked_anew(found, udp, message.header, id).unwrap_or(Owner::Answered(id));
            }
            let unknown = if message.is(MessageType::SCCRP) { Owner::Answer } else { Owner::New };
            return known(owner).unwrap_or(unknown);
        }
        let named = message.tunnel.and_then(|tunnel| {
            let (id, end) = self.routes.find_exact(&reversed(udp), tunnel)?;
            (found.connection(id)?.version == version).then_some((id, end))
        });
        // What it assigns is not what a connection that is over had: its own request is not in the capture.
        let fits = |connection: &Connection, from| {
            let own = connection.end(from).tunnel_id;
            let other_id = message.tunnel.zip(own).is_some_and(|(now, then)| now != then);
            !(other_id && connection.state == ConnectionState::Closed)
        };
        known(named.or_else(|| self.newest_between(found, udp, version, fits))).unwrap_or(Owner::New)
    }

    /// The later request that an SCCRP from the port of an earlier answer answers: it went to the port that everybody asks.
    fn asked_anew(&self, found: &Analysis, udp: &Udp, header: &L2tp, before: ConnectionId) -> Option<Owner> {
        let (id, end) = self.routes.find_moved(udp, header.tunnel_id)?;
        let request = found.connection(id).filter(|_| id != before && end == 0)?;
        let waits = request.version == header.version()
            && request.from_start
            && request.end(1).packets == 0
            && request.asked.address == udp.source.address;
        waits.then_some(Owner::Known(id, 1))
    }

    /// Whose an SCCRQ is: a copy of one that was seen, or a new one.
    fn of_request(&self, found: &Analysis, udp: &Udp, message: &SeenMessage<'_>) -> Owner {
        let candidate = match message.tunnel {
            Some(tunnel) => self.routes.find_exact(&reversed(udp), tunnel).or_else(|| {
                // Its responder may answer from another port by now.
                let (id, end) = self.routes.find_moved(&reversed(udp), tunnel)?;
                let known = found.connection(id)?;
                let asked = known.asked == udp.destination
                    || !known.from_start && known.asked.address == udp.destination.address;
                let same = known.end(0).endpoint == udp.source && asked;
                same.then_some((id, end))
            }),
            // The ID is hidden: a resend has the same octets, a request for another tunnel has not.
            None => {
                let same = |connection: &Connection, from| {
                    from == 0 && connection.request.is_some_and(|request| request.0 == message.control.body)
                };
                self.newest_between(found, udp, message.header.version(), same)
            }
        };
        let known =
            candidate.filter(|(_, end)| *end == 0).and_then(|(id, _)| Some((id, found.connection(id)?)));
        let Some((id, connection)) =
            known.filter(|(_, connection)| connection.version == message.header.version())
        else {
            return Owner::New;
        };
        if is_copy(connection, message) {
            Owner::Known(id, 0)
        } else if connection.state == ConnectionState::Closed {
            Owner::New
        } else {
            Owner::Restarted(id)
        }
    }

    /// A request that was sent once and that this one may be the copy of, but for the tunnel ID.
    pub(in crate::analysis) fn may_replace(
        &self,
        found: &Analysis,
        udp: &Udp,
        message: &SeenMessage<'_>,
    ) -> Option<ConnectionId> {
        let (_, rest) = request(message);
        let id = self.routes.newest(udp)?;
        let known = found.connection(id)?;
        let waited = message.at.time.since(known.request_again);
        let copy = known.ends[0].endpoint == udp.source
            && known.request.is_some_and(|request| request.1 == rest)
            && known.is_half_open()
            && (FIRST_WAIT..=CROSSING).contains(&waited);
        (copy && message.tunnel.is_some()).then_some(id)
    }

    /// Data of a known call whose sender has the address that PPP gave to an end of that call: a route leads into the tunnel
    /// itself, and chose its own address.
    fn came_through(
        &self,
        found: &Analysis,
        id: ConnectionId,
        end: u8,
        udp: &Udp,
        session: SessionId,
    ) -> bool {
        let call = self.routes.session(id, end, session).and_then(|call| found.call(call));
        call.is_some_and(|call| call.has_inside(udp.source.address))
    }

    /// The connection in which the receiver assigned the tunnel ID of a header, and the end that sends; else the newest
    /// between these endpoints in which the receiver's ID is not known.
    pub(in crate::analysis) fn of_header(
        &self,
        found: &Analysis,
        udp: &Udp,
        header: &L2tp,
    ) -> Option<(ConnectionId, u8)> {
        let (receiver, version) = (header.tunnel_id, header.version());
        let same = |id: &ConnectionId| found.connection(*id).is_some_and(|known| known.version == version);
        if let Some((id, end)) = self.routes.find_exact(udp, receiver).filter(|(id, _)| same(id)) {
            if let Some(later) = self.follows_closed(found, udp, header, id) {
                return Some(later);
            }
            return Some((before_restart(found, id, other(end), header).unwrap_or(id), other(end)));
        }
        // Answers may come from another port or address than was asked (RFC 2661 section 8.1), and a NAT may move a
        // port later; somebody else who knows the ID is neither.
        if let Some((id, end)) = self.routes.find_moved(udp, receiver).filter(|(id, _)| same(id)) {
            let sender = found.connection(id)?.end(other(end));
            if sender.packets == 0 || sender.endpoint.address == udp.source.address {
                return Some((id, other(end)));
            }
            if !header.is_control() && self.came_through(found, id, end, udp, header.session_id) {
                return Some((id, other(end)));
            }
        }
        let nameless = |connection: &Connection, from| {
            let (sender, receiver) = (connection.end(from), connection.end(other(from)));
            if receiver.tunnel_id.is_some() {
                return false;
            }
            // Whoever was not answered yet cannot know the ID; what an older tunnel goes on with is not its.
            let heard = receiver.packets > 0 || receiver.hides || !connection.from_start;
            let next = sender.delivery.next();
            let ahead = header.ns.zip(next).map(|(ns, next)| ns.steps_from(next));
            let answers = header.nr.is_some_and(|nr| nr.0 > 0);
            let follows = ahead.is_some_and(|ahead| ahead == 0 || answers && ahead <= PLAUSIBLE);
            heard || header.is_control() && follows
        };
        // Of several, rather one whose answer was on its way than one of which nothing came yet.
        let answered = |connection: &Connection, from| {
            let next = connection.end(from).delivery.next();
            nameless(connection, from) && connection.end(other(from)).packets > 0 && next == header.ns
        };
        let newest = self.newest_between(found, udp, version, nameless);
        let unheard = newest.filter(|(id, from)| {
            let silent = |one: &Connection| one.from_start && one.end(other(*from)).packets == 0;
            header.is_control() && found.connection(*id).is_some_and(silent)
        });
        let better = unheard.and_then(|_| self.newest_between(found, udp, version, answered));
        // Of requests that were sent at once the first is answered first.
        let first = unheard.map(|(id, from)| (first_asked(found, id, |one| nameless(one, from)), from));
        better.or(first).or(newest).or_else(|| {
            // The responder chose another port in an answer that the capture lacks: the request went to this one.
            let asked = Endpoint { port: L2TP_PORT, ..udp.destination };
            let waits = |connection: &Connection, from| {
                from == 0 && connection.end(1).packets == 0 && nameless(connection, from)
            };
            let to_asked = Udp { destination: asked, ..*udp };
            (header.is_control() && asked != udp.destination)
                .then(|| self.newest_between(found, &to_asked, version, waits))?
        })
    }

    /// The connection of a header whose tunnel ID one had that was closed long before: its owner uses it again, and the
    /// capture lacks the message that says so.
    fn follows_closed(
        &self,
        found: &Analysis,
        udp: &Udp,
        header: &L2tp,
        old: ConnectionId,
    ) -> Option<(ConnectionId, u8)> {
        let closed = found.connection(old).filter(|_| header.is_control())?.closed?;
        let fits = |connection: &Connection, from| {
            let unnamed = connection.end(other(from)).tunnel_id.is_none();
            let later = connection.first_time.since(closed) > CYCLE;
            unnamed && later && connection.from_start && connection.end(from).delivery.next() == header.ns
        };
        self.newest_between(found, udp, header.version(), fits)
    }

    /// The newest connection between two endpoints that `fits`; with the end that sends.
    pub(in crate::analysis) fn newest_between(
        &self,
        found: &Analysis,
        udp: &Udp,
        version: u8,
        fits: impl Fn(&Connection, u8) -> bool,
    ) -> Option<(ConnectionId, u8)> {
        let mut next = self.routes.newest(udp);
        for _ in 0..MOST_STEPS {
            let id = next?;
            let connection = found.connection(id)?;
            let from = u8::from(connection.ends[0].endpoint != udp.source);
            if connection.version == version && fits(connection, from) {
                return Some((id, from));
            }
            next = older(found, connection);
        }
        None
    }

    /// The newest control connection of any version between these ends, and which of them sends.
    pub(in crate::analysis) fn between(&self, found: &Analysis, udp: &Udp) -> Option<(ConnectionId, u8)> {
        self.newest_between(found, udp, 2, |_, _| true)
            .or_else(|| self.newest_between(found, udp, 3, |_, _| true))
    }

    /// The request from the other end that crosses this one, if both wait for an answer (a tie).
    pub(in crate::analysis) fn crossing_request(
        &self,
        found: &Analysis,
        udp: &Udp,
        message: &SeenMessage<'_>,
    ) -> Option<ConnectionId> {
        // Each asks from a port of its own choice, so the addresses tell.
        let crosses = |id: &&ConnectionId| {
            found.connection(**id).is_some_and(|connection| {
                connection.from_start
                    && connection.end(0).endpoint.address == udp.destination.address
                    && connection.asked.address == udp.source.address
                    && matches!(connection.end(0).machine.state, ControlState::WaitCtlReply)
                    && connection.version == message.header.version()
                    && !connection.lost_tie
                    && connection.end(1).packets == 0
                    && message.at.time.since(connection.request_again) <= CROSSING
            })
        };
        self.half_open.iter().rev().take(MOST_CROSSING).find(crosses).copied()
    }

    /// The call of a message about a call that `from` sent: by the receiver's session ID in the header, else by the
    /// sender's in the AVP.
    pub(in crate::analysis) fn call_of_message(
        &self,
        id: ConnectionId,
        from: u8,
        header: SessionId,
        own: Option<SessionId>,
    ) -> Option<CallId> {
        let named =
            |end, session: SessionId| (session.0 != 0).then(|| self.routes.session(id, end, session))?;
        named(other(from), header).or_else(|| own.and_then(|own| named(from, own)))
    }

    /// The oldest call of a connection in which an end's session ID is not known, and which may be the one that a message
    /// of the other end means: what that end calls it must agree, as far as both are known.
    pub(in crate::analysis) fn nameless_call(
        &self,
        found: &Analysis,
        id: ConnectionId,
        end: u8,
        own: Option<SessionId>,
    ) -> Option<CallId> {
        let connection = found.connection(id)?;
        let fits = |call: &Call| {
            let [first, second] = &call.session_ids;
            let (theirs, known) = if end == 0 { (first, second) } else { (second, first) };
            let agrees = own.is_none_or(|own| own.0 == 0 || known.is_none_or(|known| known == own));
            theirs.is_none() && agrees && call.state != CallState::Closed
        };
        connection.calls.iter().take(MOST_STEPS).copied().find(|id| found.call(*id).is_some_and(&fits))
    }

    /// The call of data to a session that no message announced: one whose answer the capture lacks, or hides.
    pub(in crate::analysis) fn unanswered_call(
        &self,
        found: &Analysis,
        id: ConnectionId,
        to: u8,
    ) -> Option<CallId> {
        let connection = found.connection(id)?;
        // Where the capture shows the set-up, only answers that it lacks are unknown; later data may be of an older call.
        let may = connection.from_start || connection.end(to).hides || connection.version == 3;
        self.nameless_call(found, id, to, None).filter(|call| {
            may || found
                .call(*call)
                .is_some_and(|call| call.requester.is_none() || call.established.is_some())
        })
    }
}

/// The next older connection between the same endpoints. What came to its place later is none.
pub(in crate::analysis) fn older(found: &Analysis, connection: &Connection) -> Option<ConnectionId> {
    let before =
        |id: &ConnectionId| found.connection(*id).is_some_and(|older| older.number < connection.number);
    connection.older.filter(before)
}

/// The oldest of the requests that wait, were sent at about the same time as `newest`, and fit as well.
fn first_asked(found: &Analysis, newest: ConnectionId, fits: impl Fn(&Connection) -> bool) -> ConnectionId {
    let mut first = newest;
    for _ in 0..MOST_CROSSING {
        let Some(one) = found.connection(first) else { break };
        let Some(before) = older(found, one) else { break };
        let at_once = |elder: &Connection| {
            let waits =
                elder.from_start && elder.end(1).packets == 0 && elder.end(0).endpoint == one.end(0).endpoint;
            waits && one.first_time.since(elder.request_again) <= FIRST_WAIT
        };
        if !found.connection(before).is_some_and(|elder| at_once(elder) && fits(elder)) {
            break;
        }
        first = before;
    }
    first
}

fn reversed(udp: &Udp) -> Udp {
    Udp { source: udp.destination, destination: udp.source, checksum: 0 }
}
