//! What an end does on its own: it sends, sends again, keeps alive, gives up and closes (RFC 2661 sections 5 and 7).

use super::conn::*;
use super::faults::bug::Outgoing;
use super::messages::{self, Message, hello, introduce, of_call, stop};
use super::transport::{Due, Transport};
use super::truth::{Change, Note, What};
use super::wire::{self, Numbers};
use super::world::{Content, Packet, World};
use crate::common::{CDN, HELLO, ICRQ, OCRQ, SCCRQ, STOPCCN};

/// State of a closed control connection is kept so long: more than any full cycle of resends (section 5.7).
const LINGER: i64 = 100_000;

impl World {
    pub fn enter(&mut self, conn: usize, end: usize, state: &'static str) {
        self.conns[conn].ends[end].state = state;
        self.truth.changes.push(Change { conn, end, call: None, state });
        if state == ESTABLISHED {
            self.truth.note(self.now, conn, end, What::Established);
        }
    }

    pub fn enter_call(&mut self, call: usize, end: usize, state: &'static str) {
        let conn = self.calls[call].conn;
        self.calls[call].ends[end].state = state;
        self.truth.changes.push(Change { conn, end, call: Some(call), state });
        if state == ESTABLISHED {
            self.truth.note(self.now, conn, end, What::CallEstablished(call));
            self.start_line(call, end);
        } else if state == IDLE {
            self.calls[call].ends[end].line = None;
        }
    }

    /// The initiator asks for a control connection.
    pub fn open(&mut self, conn: usize) {
        let version = self.conns[conn].version;
        let end = &mut self.conns[conn].ends[0];
        end.phase = Phase::Up;
        end.last_heard = self.now;
        let request = introduce(version, SCCRQ, &end.introduction).enters(WAIT_CTL_REPLY);
        self.push(conn, 0, request);
    }

    pub fn push(&mut self, conn: usize, end: usize, message: Message) {
        self.conns[conn].ends[end].transport.queue.push_back(message);
        self.poll(conn, end);
    }

    /// Asks for a call, at once or as soon as the control connection is up.
    pub fn request(&mut self, call: usize) {
        let (conn, end) = (self.calls[call].conn, self.calls[call].requester);
        self.enter_call(call, end, WAIT_TUNNEL);
        if self.conns[conn].ends[end].state == ESTABLISHED && self.conns[conn].ends[end].is_up() {
            self.ask(call);
        }
    }

    pub fn ask(&mut self, call: usize) {
        let (conn, end) = (self.calls[call].conn, self.calls[call].requester);
        let kind = if self.calls[call].outgoing { OCRQ } else { ICRQ };
        let message = self.about(call, end, kind, 0).enters(WAIT_REPLY);
        self.push(conn, end, message);
    }

    /// A message about a call.
    pub fn about(&self, call: usize, end: usize, kind: u16, code: u16) -> Message {
        let it = &self.calls[call];
        let peer = if it.ends[end].knows_peer { it.ends[1 - end].id } else { 0 };
        let version = self.conns[it.conn].version;
        of_call(version, kind, [it.ends[end].id, peer], it.serial, code, it.required).about(call)
    }

    pub fn close_call(&mut self, call: usize, end: usize, code: u16) {
        let conn = self.calls[call].conn;
        let state = self.calls[call].ends[end].state;
        if !self.conns[conn].ends[end].is_up() || state == IDLE || self.calls[call].ends[end].close_queued {
            return;
        }
        self.conns[conn].ends[end].transport.queue.retain(|message| message.call != Some(call));
        self.calls[call].ends[end].close_queued = true;
        self.calls[call].ends[end].line = None;
        if state == WAIT_TUNNEL {
            self.enter_call(call, end, IDLE);
        } else {
            let message = self.about(call, end, CDN, code).enters(IDLE);
            self.push(conn, end, message);
        }
    }

    pub fn close_tunnel(&mut self, conn: usize, end: usize, code: u16) {
        if self.conns[conn].ends[end].state == ESTABLISHED && self.conns[conn].ends[end].is_up() {
            self.stop(conn, end, code);
        }
    }

    /// Queues a StopCCN; what was not sent yet is not sent any more.
    pub fn stop(&mut self, conn: usize, end: usize, code: u16) {
        let version = self.conns[conn].version;
        let it = &mut self.conns[conn].ends[end];
        it.transport.queue.clear();
        it.stop_queued = true;
        let message = stop(version, it.introduction.id, code).enters(IDLE);
        for call in self.conns[conn].calls.clone() {
            self.calls[call].ends[end].line = None;
        }
        self.push(conn, end, message);
    }

    /// Notes what still waits at the end, after as many copies as show that it waits in vain.
    pub fn unanswered(&mut self) {
        for (conn, it) in self.conns.iter().enumerate() {
            for (end, at) in it.ends.iter().enumerate().filter(|(_, at)| at.phase != Phase::Gone) {
                for open in at.transport.open.iter().filter(|open| open.copies >= 5) {
                    self.truth.note(self.now, conn, end, What::Unanswered(open.message.kind));
                }
            }
        }
    }

    /// The host forgets everything.
    pub fn crash(&mut self, conn: usize, end: usize) {
        if matches!(self.conns[conn].ends[end].phase, Phase::Up) {
            self.conns[conn].ends[end].phase = Phase::Gone;
            self.truth.note(self.now, conn, end, What::Crashed);
        }
    }

    /// All timers and queues of an end.
    pub fn poll(&mut self, conn: usize, end: usize) {
        let now = self.now;
        if matches!(self.conns[conn].ends[end].phase, Phase::New | Phase::Gone) {
            return;
        }
        if self.conns[conn].ends[end].linger_until.is_some_and(|until| until <= now) {
            self.conns[conn].ends[end].phase = Phase::Gone;
            return;
        }
        loop {
            let it = &mut self.conns[conn].ends[end];
            match it.transport.due(now, &it.habits) {
                Some(Due::Resend(ns, message, copy)) => self.control(conn, end, ns, message, copy),
                Some(Due::GiveUp(message)) => return self.give_up(conn, end, &message),
                None => break,
            }
        }
        let it = &mut self.conns[conn].ends[end];
        let silent = it.habits.hello.is_some_and(|every| now - it.last_heard >= every);
        if silent && it.state == ESTABLISHED && it.is_up() {
            let waits = it.transport.open.iter().map(|open| &open.message).chain(&it.transport.queue);
            if waits.filter(|message| message.kind == HELLO).count() == 0 {
                it.transport.queue.push_back(hello());
            }
        }
        loop {
            let it = &mut self.conns[conn].ends[end];
            let Some((ns, message)) = it.transport.send(now, &it.habits) else { break };
            self.sent_first(conn, end, &message);
            self.control(conn, end, ns, message, 1);
        }
        if self.conns[conn].ends[end].transport.ack_at.is_some_and(|at| at <= now) {
            let it = &mut self.conns[conn].ends[end];
            it.transport.ack_at = None;
            let (ns, message) = (it.transport.ns, Transport::acknowledgement(it.habits.explicit_ack));
            self.control(conn, end, ns, message, 1);
        }
        self.poll_lines(conn, end);
        self.set_alarm(conn, end);
    }

    fn set_alarm(&mut self, conn: usize, end: usize) {
        let it = &self.conns[conn].ends[end];
        let lines = self.conns[conn].calls.iter().filter_map(|call| {
            let at = &self.calls[*call].ends[end];
            at.line.as_ref().filter(|_| at.state == ESTABLISHED).and_then(super::line::Line::due)
        });
        let waits = it.transport.open.iter().any(|open| open.message.kind == HELLO)
            || it.transport.queue.iter().any(|message| message.kind == HELLO);
        let hello = it.habits.hello.filter(|_| it.state == ESTABLISHED && it.is_up() && !waits);
        let hello = hello.map(|every| it.last_heard + every);
        let next = it.transport.next_due().into_iter().chain(it.linger_until).chain(hello).chain(lines).min();
        if let Some(next) = next.map(|at| at.max(self.now + 1))
            && self.conns[conn].ends[end].wake_at.is_none_or(|at| at > next)
        {
            self.conns[conn].ends[end].wake_at = Some(next);
            self.wake(conn, end, next);
        }
    }

    /// What the first sending of a message does to its sender.
    fn sent_first(&mut self, conn: usize, end: usize, message: &Message) {
        let code = || {
            let result = message.avps.iter().find(|avp| avp.attribute == 1);
            result.map_or(0, |avp| u16::from_be_bytes([avp.value[0], avp.value[1]]))
        };
        match (message.call, message.enters) {
            (Some(call), Some(state)) => self.enter_call(call, end, state),
            (None, Some(state)) => self.enter(conn, end, state),
            _ => {}
        }
        match message.kind {
            STOPCCN => {
                self.truth.note(self.now, conn, end, What::Stopped(code()));
                self.conns[conn].ends[end].phase = Phase::Closing;
                self.idle_calls(conn, end);
            }
            CDN => {
                if let Some(call) = message.call {
                    self.truth.note(self.now, conn, end, What::Cleared(call, code()));
                }
            }
            _ => {}
        }
    }

    pub fn idle_calls(&mut self, conn: usize, end: usize) {
        for call in self.conns[conn].calls.clone() {
            if self.calls[call].ends[end].state != IDLE {
                self.enter_call(call, end, IDLE);
            }
        }
    }

    /// The StopCCN was acknowledged, or heard: what still comes is answered for a full cycle.
    pub fn linger(&mut self, conn: usize, end: usize) {
        self.conns[conn].ends[end].linger_until = Some(self.now + LINGER);
    }

    fn give_up(&mut self, conn: usize, end: usize, message: &Message) {
        self.truth.note(self.now, conn, end, What::GaveUp(message.kind));
        let version = self.conns[conn].version;
        let it = &self.conns[conn].ends[end];
        let says = it.habits.stops_when_dead && it.transport.has_room(&it.habits) && message.kind != STOPCCN;
        let (ns, id) = (it.transport.ns, it.introduction.id);
        self.enter(conn, end, IDLE);
        self.idle_calls(conn, end);
        if says {
            self.truth.note(self.now, conn, end, What::Stopped(1));
            self.control(conn, end, ns, stop(version, id, 1), 1);
        }
        self.conns[conn].ends[end].phase = Phase::Gone;
    }

    /// Sends one copy of a control message.
    pub fn control(&mut self, conn: usize, end: usize, ns: u16, message: Message, copy: u32) {
        let it = &self.conns[conn];
        let (own, peer) = (&it.ends[end], &it.ends[1 - end]);
        let tunnel = if message.kind != SCCRQ && own.knows_peer { peer.introduction.id } else { 0 };
        let session = message.call.map_or(0, |call| {
            let ends = &self.calls[call].ends;
            if ends[end].knows_peer && !it.version.is_3() { ends[1 - end].id } else { 0 }
        });
        let numbers = Numbers { tunnel, session, ns, nr: own.transport.nr };
        let outgoing = Outgoing { conn, end, message, numbers, reserved: 0, copy, tag: 0 };
        self.put(outgoing, true);
    }

    /// Puts a control message on the path, after the fault of this run had its way with it.
    pub fn put(&mut self, mut outgoing: Outgoing, tampered: bool) {
        if tampered && let Some(tamper) = self.bug.tamper.clone() {
            let more = tamper(self, &mut outgoing);
            if outgoing.tag == super::faults::bug::SUPPRESSED {
                return;
            }
            for (delay, extra) in more {
                self.at(self.now + delay, move |world| world.put(extra, false));
            }
        }
        let Outgoing { conn, end, message, numbers, reserved, tag, .. } = outgoing;
        let version = self.conns[conn].version;
        let octets = wire::control(version, numbers, reserved, &message.body());
        let note = Note {
            conn,
            end,
            call: message.call,
            kind: message.kind,
            step: self.truth.changes.len(),
            tag,
            to_session: if version.is_3() {
                message.call.is_some_and(|call| self.calls[call].ends[end].knows_peer)
            } else {
                numbers.session != 0
            },
        };
        let peer_window = self.conns[conn].ends[1 - end].habits.window.unwrap_or(4);
        let patience = self.conns[conn].ends[end].habits.ack_delay;
        self.audit.leaves(self.now, &note, numbers, peer_window, patience);
        let Numbers { tunnel, session, ns, nr } = numbers;
        self.emit(note, &octets, Content::Control { tunnel, session, ns, nr, message });
    }

    /// Sends a data message of a call.
    pub fn data(&mut self, call: usize, end: usize, payload: Vec<u8>) {
        let conn = self.calls[call].conn;
        let session = self.calls[call].ends[1 - end].id;
        let version = self.conns[conn].version;
        let at = &mut self.calls[call].ends[end];
        let ns = (at.numbers && !version.is_3()).then_some(at.next);
        at.next = at.next.wrapping_add(u16::from(ns.is_some()));
        self.data_to(call, end, session, ns, payload, 0);
    }

    pub fn data_to(
        &mut self,
        call: usize,
        end: usize,
        session: u32,
        ns: Option<u16>,
        payload: Vec<u8>,
        tag: u8,
    ) {
        let conn = self.calls[call].conn;
        let (version, length) = (self.conns[conn].version, self.conns[conn].ends[end].habits.length);
        let tunnel = self.conns[conn].ends[1 - end].introduction.id;
        let octets = wire::data(version, tunnel, session, ns, length, &payload);
        let step = self.truth.changes.len();
        let note = Note { conn, end, call: Some(call), kind: messages::DATA, step, tag, to_session: true };
        self.emit(note, &octets, Content::Data { session, ns, payload });
    }

    fn emit(&mut self, note: Note, octets: &[u8], content: Content) {
        let it = &self.conns[note.conn];
        let (mut from, mut to) = (it.ends[note.end].address, it.ends[1 - note.end].address);
        if let Some(port) = it.floats_to {
            if note.end == 1 {
                from.port = port;
            } else if note.end == 0 && it.ends[0].knows_peer {
                to.port = port;
            }
        }
        let side = usize::from(note.end != it.lac);
        let version = it.version;
        let ident = self.ident();
        let octets = wire::carry(version, from, to, ident, octets);
        self.launch(Packet { octets, content, note, side });
    }

    /// The line of a call begins.
    fn start_line(&mut self, call: usize, end: usize) {
        let now = self.now;
        let random = super::random::Random::new(self.random.next());
        let it = &mut self.calls[call];
        let conn = &self.conns[it.conn];
        let mut line = if conn.version.is_3() {
            super::line::Line::Ethernet(super::line::Ethernet {
                asks: end == 0,
                every: it.ping,
                next: None,
                sequence: 0,
                out: Vec::new(),
            })
        } else {
            super::line::Line::Ppp(Box::new(super::ppp::Ppp::new(end != conn.lac, &it.ppp, random)))
        };
        it.ends[end].numbers |= it.required;
        line.start(now);
        it.ends[end].line = Some(line);
        let conn = it.conn;
        self.at(now, move |world| world.poll(conn, end));
    }

    fn poll_lines(&mut self, conn: usize, end: usize) {
        if !self.conns[conn].ends[end].is_up() {
            return;
        }
        for call in self.conns[conn].calls.clone() {
            let at = &mut self.calls[call].ends[end];
            if at.state != ESTABLISHED {
                continue;
            }
            let Some(line) = &mut at.line else { continue };
            let frames = line.poll(self.now);
            let refused = match line {
                super::line::Line::Ppp(ppp) => std::mem::take(&mut ppp.refused),
                super::line::Line::Ethernet(_) => false,
            };
            for frame in frames {
                self.data(call, end, frame);
            }
            if refused {
                // The authenticator ends the link (RFC 1661 section 3.5), then the call.
                self.truth.note(self.now, conn, end, What::Refused(call));
                self.at(self.now + 200, move |world| world.terminate(call, end));
                self.at(self.now + 3000, move |world| world.close_call(call, end, 3));
            }
        }
    }
}
