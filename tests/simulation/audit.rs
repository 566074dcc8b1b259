//! Holds the simulated ends to RFC 2661 section 5.8 where they send, so that an accusation is never right by accident.

use std::collections::HashMap;

use super::messages::{ACK, DATA, ZLB};
use super::truth::Note;
use super::wire::Numbers;

#[derive(Debug, Default)]
struct Sender {
    /// The next number, once it has sent one.
    next: Option<u16>,
    /// The Nr of its last message.
    nr: Option<u16>,
    /// For each number when it was sent: first, last, the wait before the last copy, and what it was.
    sent: HashMap<u16, (i64, i64, i64, u16)>,
    /// The highest Nr that arrived here.
    acknowledged: u16,
    /// When a message last came that must be acknowledged, and nothing was sent since.
    owes: Option<i64>,
}

/// What every end sent and got, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Audit {
    senders: HashMap<(usize, usize), Sender>,
    pub wrong: Vec<String>,
}

fn newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

impl Audit {
    /// A control message leaves an end. `window` is its peer's, `patience` how long an acknowledgement may wait.
    pub fn leaves(&mut self, now: i64, note: &Note, numbers: Numbers, window: u16, patience: i64) {
        let Self { senders, wrong } = self;
        let sender = senders.entry((note.conn, note.end)).or_default();
        let mut say = |what: String| wrong.push(format!("{now} ms, {}/{}: {what}", note.conn, note.end));
        let Numbers { ns, nr, .. } = numbers;
        if sender.nr.is_some_and(|before| newer(before, nr)) {
            say(format!("Nr goes back to {nr}"));
        }
        sender.nr = Some(nr);
        if sender.owes.take().is_some_and(|since| now - since > patience) {
            say(String::from("acknowledges late"));
        }
        let next = sender.next.unwrap_or(ns);
        if matches!(note.kind, ZLB | ACK) {
            if ns != next {
                say(format!("a ZLB with Ns {ns}, not {next}"));
            }
            return;
        }
        match sender.sent.get_mut(&ns) {
            Some((_, last, wait, kind)) if !newer(ns, next.wrapping_sub(1)) => {
                let waited = now - *last;
                if *kind != note.kind {
                    say(format!("another message under Ns {ns}"));
                }
                if !newer(ns.wrapping_add(1), sender.acknowledged) {
                    say(format!("resends Ns {ns}, which is acknowledged"));
                }
                if waited < 1000 || (waited <= *wait && waited < 8000) {
                    say(format!("resends Ns {ns} after {waited} ms, before that after {wait} ms"));
                }
                (*last, *wait) = (now, waited);
            }
            _ => {
                if ns != next {
                    say(format!("Ns {ns}, not {next}"));
                }
                let open = ns.wrapping_sub(sender.acknowledged);
                if sender.next.is_some() && open >= window {
                    say(format!("{} messages are under way, of {window}", open + 1));
                }
                if sender.next.is_none() {
                    sender.acknowledged = ns;
                }
                sender.sent.insert(ns, (now, now, 0, note.kind));
                sender.next = Some(ns.wrapping_add(1));
            }
        }
    }

    /// A packet arrives at an end that is there.
    pub fn arrives(&mut self, now: i64, note: &Note, nr: u16, must_answer: bool) {
        if note.kind == DATA {
            return;
        }
        let receiver = self.senders.entry((note.conn, 1 - note.end)).or_default();
        let next = receiver.next.unwrap_or(receiver.acknowledged);
        if newer(nr, receiver.acknowledged) && !newer(nr, next) {
            receiver.acknowledged = nr;
        }
        if must_answer {
            receiver.owes.get_or_insert(now);
        }
    }

    /// The numbers of a control connection jump, both sides alike.
    pub fn forget(&mut self, conn: usize) {
        self.senders.retain(|(of, _), _| *of != conn);
    }

    /// Acknowledgements that never came, of ends that are still there.
    pub fn owed(&self, now: i64, patience: i64, there: impl Fn(usize, usize) -> bool) -> usize {
        let late = |sender: &Sender| sender.owes.is_some_and(|since| now - since > patience);
        self.senders.iter().filter(|((conn, end), sender)| there(*conn, *end) && late(sender)).count()
    }
}
