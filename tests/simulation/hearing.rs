//! What an end does with what it gets (RFC 2661 sections 5.8, 7.2, 7.4 and 7.5).

use super::conn::*;
use super::line::Line;
use super::messages::{ACK, Message, ZLB, connected, introduce};
use super::truth::{Note, What};
use super::world::{Content, Packet, World};
use crate::common::{CDN, ICCN, ICRP, ICRQ, OCCN, OCRP, OCRQ, SCCCN, SCCRP, SCCRQ, STOPCCN};

impl World {
    pub fn arrive(&mut self, packet: Packet) {
        match packet.content {
            Content::Data { session, ns, payload } => self.hear_data(&packet.note, session, ns, &payload),
            Content::Control { tunnel, session, ns, nr, message } => {
                self.hear(&packet.note, [tunnel, session], (ns, nr), message);
            }
        }
    }

    fn hear(&mut self, note: &Note, [tunnel, session]: [u32; 2], numbers: (u16, u16), message: Message) {
        let (conn, end) = (note.conn, 1 - note.end);
        let (now, (ns, nr)) = (self.now, numbers);
        match self.conns[conn].ends[end].phase {
            Phase::Gone => return,
            Phase::New if message.kind == SCCRQ && end == 1 => {
                if !self.takes_request(conn) {
                    return;
                }
                let it = &mut self.conns[conn].ends[1];
                it.phase = Phase::Up;
                if self.bug.lenient {
                    it.transport.nr = ns;
                }
            }
            Phase::New => return,
            Phase::Up | Phase::Closing => {}
        }
        let it = &mut self.conns[conn].ends[end];
        let unnamed = message.kind == SCCRQ || (tunnel == 0 && message.kind == STOPCCN);
        if tunnel != it.introduction.id && !unnamed {
            return;
        }
        // Without an answer yet there is nothing but an answer to expect.
        let expected = matches!(message.kind, SCCRP | STOPCCN | ZLB | ACK);
        if it.state == WAIT_CTL_REPLY
            && (!expected || (ns != 0 && message.kind == SCCRP && !self.bug.lenient))
        {
            return;
        }
        it.last_heard = now;
        let acknowledged = it.transport.acknowledge(nr);
        let must_answer = !matches!(message.kind, ZLB | ACK)
            && (ns == it.transport.nr || ns.wrapping_sub(it.transport.nr) >= 0x8000);
        self.audit.arrives(now, note, nr, must_answer);
        if acknowledged.iter().any(|message| message.kind == STOPCCN) {
            self.linger(conn, end);
        }
        if matches!(message.kind, ZLB | ACK) {
            return self.poll(conn, end);
        }
        if self.bug.lenient && ns.wrapping_sub(self.conns[conn].ends[end].transport.nr) < 0x8000 {
            self.conns[conn].ends[end].transport.nr = ns;
        }
        let patience = self.random.between(0, self.conns[conn].ends[end].habits.ack_delay);
        let patience = self.bug.late.filter(|(late, _)| *late == end).map_or(patience, |(_, wait)| wait);
        let it = &mut self.conns[conn].ends[end];
        let known = it.transport.nr;
        let request = matches!(message.kind, ICRQ | OCRQ);
        let wrong_session = message
            .call
            .filter(|_| !request && session != 0)
            .is_some_and(|call| session != self.calls[call].ends[end].id);
        let delivered = it.transport.take(ns, message, &it.habits, now, patience);
        if self.bug.ignores_copies == Some(end) && delivered.is_empty() && ns.wrapping_sub(known) >= 0x8000 {
            it.transport.ack_at = None;
        }
        for message in delivered {
            if !wrong_session {
                self.deliver(conn, end, &message);
            }
        }
        self.poll(conn, end);
    }

    /// Whether a request is taken at all: two that cross are decided by their tie breakers (section 4.4.3).
    fn takes_request(&mut self, conn: usize) -> bool {
        if let Some(old) = self.conns[conn].replaces
            && matches!(self.conns[old].ends[1].phase, Phase::Up | Phase::Closing)
        {
            // The ID that the old one named now names the new one, so the old one is gone.
            self.conns[old].ends[1].phase = Phase::Gone;
            self.truth.note(self.now, old, 1, What::Replaced);
            self.enter(old, 1, IDLE);
            self.idle_calls(old, 1);
        }
        let Some(rival) = self.conns[conn].rival else { return true };
        let own = &self.conns[rival].ends[0];
        if own.phase == Phase::New || own.phase == Phase::Gone {
            return true;
        }
        let wins = match (own.introduction.tie, self.conns[conn].ends[0].introduction.tie) {
            (None, None) => return true,
            (Some(own), Some(other)) => own < other,
            (own, _) => own.is_some(),
        };
        if wins {
            return false;
        }
        if own.state == WAIT_CTL_REPLY {
            self.truth.note(self.now, rival, 0, What::LostTie);
            self.enter(rival, 0, IDLE);
            self.conns[rival].ends[0].phase = Phase::Gone;
        }
        true
    }

    fn deliver(&mut self, conn: usize, end: usize, message: &Message) {
        if message.kind == STOPCCN {
            return self.hear_stop(conn, end);
        }
        if !self.conns[conn].ends[end].is_up() {
            return;
        }
        let version = self.conns[conn].version;
        let state = self.conns[conn].ends[end].state;
        match (message.kind, state) {
            (SCCRQ, IDLE) => {
                self.conns[conn].ends[end].knows_peer = true;
                if let Some(code) = self.conns[conn].refuse {
                    return self.stop(conn, end, code);
                }
                let it = &mut self.conns[conn].ends[end];
                let reply = introduce(version, SCCRP, &it.introduction).enters(WAIT_CTL_CONN);
                it.transport.queue.push_back(reply);
            }
            (SCCRP, WAIT_CTL_REPLY) => {
                let it = &mut self.conns[conn].ends[end];
                it.knows_peer = true;
                if let Some(code) = self.bug.declines_reply {
                    return self.stop(conn, end, code);
                }
                it.transport.queue.push_back(connected().enters(ESTABLISHED));
                self.poll(conn, end);
                self.tunnel_open(conn, end);
            }
            (SCCCN, WAIT_CTL_CONN) => {
                self.enter(conn, end, ESTABLISHED);
                self.tunnel_open(conn, end);
            }
            (SCCRQ | SCCRP | SCCCN, _) => self.stop(conn, end, 7),
            // Section 7.1: a message in an improper sequence clears the control connection.
            (ICRQ | OCRQ, WAIT_CTL_CONN) => self.stop(conn, end, 7),
            (_, WAIT_CTL_CONN) => {}
            _ => {
                if let Some(call) = message.call {
                    self.hear_of_call(call, end, message.kind);
                }
            }
        }
    }

    fn tunnel_open(&mut self, conn: usize, end: usize) {
        for call in self.conns[conn].calls.clone() {
            let it = &self.calls[call];
            if it.requester == end && it.ends[end].state == WAIT_TUNNEL {
                self.ask(call);
            }
        }
    }

    /// A StopCCN clears the control connection and its calls; a ZLB acknowledges it (section 5.7).
    fn hear_stop(&mut self, conn: usize, end: usize) {
        self.truth.note(self.now, conn, end, What::HeardStop);
        let it = &mut self.conns[conn].ends[end];
        it.knows_peer = true;
        it.transport.clear();
        it.transport.ack_at = Some(self.now);
        it.stop_queued = false;
        if it.phase == Phase::Up {
            it.phase = Phase::Closing;
            self.enter(conn, end, IDLE);
            self.idle_calls(conn, end);
        }
        if self.conns[conn].ends[end].transport.open.is_empty() {
            self.linger(conn, end);
        }
        if self.bug.deaf_to_stop == Some(end) {
            self.conns[conn].ends[end].phase = Phase::Gone;
        }
    }

    fn hear_of_call(&mut self, call: usize, end: usize, kind: u16) {
        let (conn, state) = (self.calls[call].conn, self.calls[call].ends[end].state);
        let closing = self.calls[call].ends[end].close_queued;
        if kind != CDN && kind != ICCN && kind != OCCN {
            self.calls[call].ends[end].knows_peer = true;
        }
        match (kind, state) {
            (ICRQ | OCRQ, IDLE) => {
                if let Some(code) = self.calls[call].refuse {
                    let message = self.about(call, end, CDN, code);
                    return self.push(conn, end, message);
                }
                let (reply, next) = if kind == ICRQ { (ICRP, WAIT_CONNECT) } else { (OCRP, WAIT_CS_ANSWER) };
                let message = self.about(call, end, reply, 0).enters(next);
                self.push(conn, end, message);
                if kind == OCRQ {
                    let dials = self.calls[call].dials;
                    self.at(self.now + dials, move |world| world.answered(call, end));
                }
            }
            (ICRP, WAIT_REPLY) if !closing => {
                let message = self.about(call, end, ICCN, 0).enters(ESTABLISHED);
                self.push(conn, end, message);
            }
            (OCRP, WAIT_REPLY) if !closing => self.enter_call(call, end, WAIT_CONNECT),
            (ICCN | OCCN, WAIT_CONNECT) if !closing => self.enter_call(call, end, ESTABLISHED),
            (CDN, _) => {
                self.calls[call].ends[end].knows_peer = true;
                self.conns[conn].ends[end].transport.queue.retain(|message| message.call != Some(call));
                if state != IDLE {
                    self.enter_call(call, end, IDLE);
                }
            }
            // Section 7.4: what a state has no place for ends the call.
            (ICRP | OCRP | ICRQ | OCRQ | ICCN | OCCN, state) if state != IDLE && !closing => {
                self.close_call(call, end, 2);
            }
            _ => {}
        }
    }

    /// The LAC has dialled (section 7.5.1).
    fn answered(&mut self, call: usize, end: usize) {
        let conn = self.calls[call].conn;
        let ready = self.calls[call].ends[end].state == WAIT_CS_ANSWER;
        if ready && !self.calls[call].ends[end].close_queued && self.conns[conn].ends[end].is_up() {
            let message = self.about(call, end, OCCN, 0).enters(ESTABLISHED);
            self.push(conn, end, message);
        }
    }

    fn hear_data(&mut self, note: &Note, session: u32, ns: Option<u16>, payload: &[u8]) {
        let (conn, end) = (note.conn, 1 - note.end);
        let Some(call) = note.call else { return };
        if self.conns[conn].ends[end].phase != Phase::Up {
            return;
        }
        self.conns[conn].ends[end].last_heard = self.now;
        let (lac, version) = (self.conns[conn].lac, self.conns[conn].version);
        let required = self.calls[call].required;
        let at = &mut self.calls[call].ends[end];
        if at.state != ESTABLISHED || session != at.id {
            return;
        }
        // Section 5.4: the LAC follows the LNS.
        if end == lac && !required && !version.is_3() && !self.bug.ignores_numbers {
            at.numbers = ns.is_some();
        }
        if let Some(line) = &mut at.line {
            line.receive(payload, self.now);
        }
        self.poll(conn, end);
    }

    /// The line of a call closes in good order.
    pub fn terminate(&mut self, call: usize, end: usize) {
        if let Some(Line::Ppp(ppp)) = &mut self.calls[call].ends[end].line {
            ppp.terminate(self.now);
        }
        let conn = self.calls[call].conn;
        self.poll(conn, end);
    }

    pub fn renegotiate(&mut self, call: usize, end: usize) {
        if let Some(Line::Ppp(ppp)) = &mut self.calls[call].ends[end].line {
            ppp.renegotiate(self.now);
        }
        let conn = self.calls[call].conn;
        self.poll(conn, end);
    }
}
