//! Reliable delivery of control messages, one end (RFC 2661 section 5.8 and Appendix A; RFC 3931 section 4.2).

use std::collections::{BTreeMap, VecDeque};

use super::messages::{Message, ZLB};

/// What the RFCs leave to an implementation.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Receive Window Size; without the AVP it is 4.
    pub window: Option<u16>,
    /// Messages out of order are queued, not dropped.
    pub queues: bool,
    /// A message out of order is answered by an acknowledgement of what is there.
    pub answers_gaps: bool,
    /// Acknowledgements wait up to so long for a message to ride on.
    pub ack_delay: i64,
    pub first_wait: i64,
    pub cap: i64,
    pub resends: u32,
    pub slow_start: bool,
    /// Who gives up says so by a StopCCN, if the window has room for it.
    pub stops_when_dead: bool,
    /// A Hello follows so much silence of the peer.
    pub hello: Option<i64>,
    /// ACK messages in place of ZLBs (RFC 3931 section 6.15).
    pub explicit_ack: bool,
    /// Data has the Length field.
    pub length: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            window: None,
            queues: true,
            answers_gaps: false,
            ack_delay: 100,
            first_wait: 1000,
            cap: 8000,
            resends: 5,
            slow_start: false,
            stops_when_dead: true,
            hello: None,
            explicit_ack: false,
            length: false,
        }
    }
}

/// A message that is not acknowledged.
#[derive(Debug, Clone)]
pub struct Open {
    pub ns: u16,
    pub message: Message,
    pub due: i64,
    wait: i64,
    pub copies: u32,
}

/// What the timers ask for.
pub enum Due {
    Resend(u16, Message, u32),
    GiveUp(Message),
}

#[derive(Debug)]
pub struct Transport {
    pub ns: u16,
    pub nr: u16,
    /// The Receive Window Size of the peer.
    pub window: u16,
    congestion: u16,
    threshold: u16,
    grown: u16,
    pub queue: VecDeque<Message>,
    pub open: VecDeque<Open>,
    held: BTreeMap<u16, Message>,
    /// An acknowledgement is due.
    pub ack_at: Option<i64>,
}

impl Transport {
    pub fn new(window: u16) -> Self {
        Self {
            ns: 0,
            nr: 0,
            window,
            congestion: 1,
            threshold: window,
            grown: 0,
            queue: VecDeque::new(),
            open: VecDeque::new(),
            held: BTreeMap::new(),
            ack_at: None,
        }
    }

    /// Takes an Nr; what is not sent yet cannot be acknowledged, so such an Nr is ignored.
    pub fn acknowledge(&mut self, nr: u16) -> Vec<Message> {
        let Some(front) = self.open.front() else { return Vec::new() };
        let count = usize::from(nr.wrapping_sub(front.ns));
        if count == 0 || count > self.open.len() {
            return Vec::new();
        }
        // Appendix A: slow start below the threshold, congestion avoidance from there on.
        if self.congestion < self.threshold {
            self.congestion += 1;
        } else {
            self.grown += 1;
            if self.grown >= self.congestion {
                (self.congestion, self.grown) = ((self.congestion + 1).min(self.window), 0);
            }
        }
        self.open.drain(..count).map(|open| open.message).collect()
    }

    /// Takes a message that uses a number; returns what can be delivered now, in order.
    pub fn take(
        &mut self,
        ns: u16,
        message: Message,
        habits: &Habits,
        now: i64,
        patience: i64,
    ) -> Vec<Message> {
        let ahead = ns.wrapping_sub(self.nr);
        let mut delivered = Vec::new();
        let soon = now + patience;
        if ahead == 0 {
            self.nr = self.nr.wrapping_add(1);
            delivered.push(message);
            while let Some(next) = self.held.remove(&self.nr) {
                self.nr = self.nr.wrapping_add(1);
                delivered.push(next);
            }
        } else if ahead < 0x8000 {
            if habits.queues && ahead < habits.window.unwrap_or(4) {
                self.held.insert(ns, message);
            }
            if !habits.answers_gaps {
                return delivered;
            }
        }
        // A new message or a duplicate: it must be acknowledged.
        self.ack_at = Some(self.ack_at.map_or(soon, |at| at.min(soon)));
        delivered
    }

    pub fn has_room(&self, habits: &Habits) -> bool {
        let congestion = if habits.slow_start { self.congestion } else { u16::MAX };
        self.open.len() < usize::from(self.window.min(congestion))
    }

    /// The next message of the queue, if the window has room for it.
    pub fn send(&mut self, now: i64, habits: &Habits) -> Option<(u16, Message)> {
        if !self.has_room(habits) {
            return None;
        }
        let message = self.queue.pop_front()?;
        let ns = self.ns;
        self.ns = ns.wrapping_add(1);
        self.open.push_back(Open {
            ns,
            message: message.clone(),
            due: now + habits.first_wait,
            wait: habits.first_wait,
            copies: 1,
        });
        self.ack_at = None;
        Some((ns, message))
    }

    /// A message whose timer ran out.
    pub fn due(&mut self, now: i64, habits: &Habits) -> Option<Due> {
        let open = self.open.iter_mut().find(|open| open.due <= now)?;
        if open.copies > habits.resends {
            return Some(Due::GiveUp(open.message.clone()));
        }
        open.copies += 1;
        open.wait = (open.wait * 2).min(habits.cap.max(habits.first_wait));
        open.due = now + open.wait;
        if open.copies == 2 || open.ns == self.ns.wrapping_sub(1) {
            (self.threshold, self.congestion, self.grown) = ((self.congestion / 2).max(1), 1, 0);
        }
        self.ack_at = None;
        Some(Due::Resend(open.ns, open.message.clone(), open.copies))
    }

    pub fn next_due(&self) -> Option<i64> {
        self.open.iter().map(|open| open.due).chain(self.ack_at).min()
    }

    /// Nothing waits to be sent or acknowledged.
    pub fn is_quiet(&self) -> bool {
        self.queue.is_empty() && self.open.is_empty() && self.ack_at.is_none()
    }

    /// Forgets what the end of the control connection makes pointless.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.open.retain(|open| open.message.kind == crate::common::STOPCCN);
    }

    /// What was sent last, for faults that send it again.
    pub fn acknowledgement(explicit: bool) -> Message {
        Message::new(if explicit { super::messages::ACK } else { ZLB }, Vec::new())
    }
}
