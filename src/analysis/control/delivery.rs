//! Reliable delivery of control messages, one direction (RFC 2661 section 5.8): Ns, Nr, resends, what is unacknowledged.

use std::collections::VecDeque;

use crate::dissect::layers::MessageType;
use crate::util::seq::Seq16;
use crate::util::{Duration, Timestamp};

use crate::analysis::{CallId, bump32};

/// What a control message is, as the report names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A message type.
    Known(MessageType),
    /// No AVP at all: an acknowledgement alone.
    Zlb,
    /// A Message Type AVP that cannot be read.
    Unknown,
}

impl MessageKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Known(message) => message.name(),
            Self::Zlb => "ZLB",
            Self::Unknown => "unknown",
        }
    }

    /// Whether this takes no number of its own: a ZLB, or the ACK message of RFC 3931 section 6.15.
    pub fn is_acknowledgement(self) -> bool {
        self == Self::Zlb || self.is(MessageType::ACK)
    }

    /// Whether this is a message of that type.
    pub fn is(self, message: MessageType) -> bool {
        self == Self::Known(message)
    }
}

/// A control message that its receiver has not acknowledged.
#[derive(Debug, Clone)]
pub struct Outstanding {
    /// Its number.
    pub ns: Seq16,
    /// What it is.
    pub message: MessageKind,
    /// Which call it is about.
    pub call: Option<CallId>,
    /// When it was sent first.
    pub first: Timestamp,
    /// When it was sent last.
    pub last: Timestamp,
    /// How often it was sent.
    pub copies: u32,
    /// The hash of its AVPs; 0 if hidden ones make each copy another.
    body: u64,
    /// The wait before the last copy.
    wait: Duration,
    /// How many waits before a copy were no longer than the one before them.
    flat: u32,
    packets: [u64; PACKETS],
}

const PACKETS: usize = 6;

impl Outstanding {
    /// The packets of the first copies.
    pub fn packets(&self) -> &[u64] {
        let known = (self.copies as usize).min(PACKETS);
        self.packets.get(..known).unwrap_or_default()
    }
}

/// What a sent number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The next one, or the first that is seen.
    New,
    /// So many numbers were skipped.
    Skipped(u16),
    /// One number was skipped, and the last packet of this end was a ZLB that carried it.
    CountsZlb,
    /// It fills a hole.
    Late,
    /// The number was used before.
    Again(Resend),
}

/// A message as its sender puts it on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) ns: Seq16,
    pub(crate) message: MessageKind,
    /// The hash of its AVPs; 0 if hidden ones make each copy another.
    pub(crate) body: u64,
    pub(crate) packet: u64,
    pub(crate) time: Timestamp,
}

/// What a resend is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Resend {
    /// Another message stands under the same number.
    pub(crate) different: bool,
    /// It was acknowledged before.
    pub(crate) acknowledged: bool,
    /// This is the third copy or a later one, and none was longer waited for than the one before.
    pub(crate) flat: bool,
    /// The fourth resend or a later one, after less than [`CAP`] and no longer a wait than before.
    pub(crate) capped_low: bool,
    /// The first resend, after less than [`EARLY`].
    pub(crate) early: bool,
}

/// The least that the wait between resends may be capped at (RFC 2661 section 5.8).
pub(crate) const CAP: Duration = Duration::seconds(8);
/// The recommended first wait is 1 s (RFC 2661 section 5.8); half of it is early.
pub(crate) const EARLY: Duration = Duration(500_000_000);

/// A message that was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Settled {
    ns: Seq16,
    body: u64,
}

/// Acknowledged messages that are remembered, to know other messages under their numbers.
const MOST_SETTLED: usize = 8;

/// An Nr that acknowledges what was not seen yet.
#[derive(Debug, Clone, Copy)]
pub struct Beyond {
    /// The Nr.
    pub nr: Seq16,
    /// In which packet.
    pub packet: u64,
    /// When.
    pub time: Timestamp,
    /// It covers just the number that a ZLB had carried, the last packet before it.
    pub zlb: bool,
}

/// What became of an Nr that acknowledged what was not seen yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Explained {
    /// The number was used after it had been acknowledged.
    BeyondSent(Beyond),
    /// The messages were sent, and the capture lacks them.
    Unseen(Beyond),
}

/// The messages that one end sent, and what the other acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    next: Option<Seq16>,
    /// The newest Nr that came back.
    pub acknowledged: Option<Seq16>,
    /// Messages without an acknowledgement, oldest first.
    pub outstanding: Vec<Outstanding>,
    holes: Vec<(Seq16, u64, Timestamp)>,
    /// An Nr beyond what was seen, which nothing explains yet.
    pub beyond: Option<Box<Beyond>>,
    /// How often a number was used again.
    pub resent: u32,
    /// The capture lacks some of its messages, or the way numbers are used makes it look so.
    pub unseen: bool,
    /// The newest Nr that it sent, and when it did first.
    pub nr_sent: Option<(Seq16, Timestamp)>,
    /// Copies of an acknowledged message since the other end last sent a control message.
    pub(crate) deaf: u8,
    /// When it sent its newest message.
    newest: Timestamp,
    /// Its last packet was a ZLB with the number of its next message.
    zlb: bool,
    settled: VecDeque<Settled>,
}

/// Unacknowledged messages and holes that are remembered: more than any window (RFC 2661 section 4.4.3) in use.
const MOST: usize = 128;

impl Delivery {
    /// The number that follows the highest one sent.
    pub fn next(&self) -> Option<Seq16> {
        self.next
    }

    /// Numbers that were skipped and never came: the number, the packet that skipped it, and when.
    pub fn holes(&self) -> &[(Seq16, u64, Timestamp)] {
        &self.holes
    }

    /// The packet of the message with this number, if it waits for its acknowledgement.
    pub(crate) fn waiting(&self, ns: Seq16) -> Option<u64> {
        let known = self.outstanding.iter().find(|known| known.ns == ns)?;
        known.packets.first().copied()
    }

    /// Takes a message that this end sent.
    pub(crate) fn send(&mut self, letter: Letter) -> (Sent, Option<Explained>) {
        let ns = letter.ns;
        let Some(next) = self.next else {
            self.next = Some(ns.next());
            self.remember(letter);
            return (Sent::New, None);
        };
        if next.is_newer_than(ns) {
            if let Some(at) = self.holes.iter().position(|hole| hole.0 == ns) {
                self.holes.remove(at);
                self.remember(letter);
                return (Sent::Late, None);
            }
            bump32(&mut self.resent);
            return (Sent::Again(self.resend(letter)), None);
        }
        let explained = self.beyond.take().map(|beyond| {
            if beyond.nr.is_newer_than(ns) {
                Explained::BeyondSent(*beyond)
            } else {
                Explained::Unseen(*beyond)
            }
        });
        let skipped = ns.steps_from(next);
        self.unseen |= skipped > 0 || explained.is_some();
        let mut hole = next;
        for _ in 0..usize::from(skipped).min(MOST) {
            if self.holes.len() < MOST {
                self.holes.push((hole, letter.packet, letter.time));
            }
            hole = hole.next();
        }
        self.next = Some(ns.next());
        self.remember(letter);
        let sent = match skipped {
            0 => Sent::New,
            1 if self.zlb => Sent::CountsZlb,
            skipped => Sent::Skipped(skipped),
        };
        self.zlb = false;
        (sent, explained)
    }

    fn resend(&mut self, letter: Letter) -> Resend {
        let other = |body: u64| body != 0 && letter.body != 0 && body != letter.body;
        if let Some(known) = self.outstanding.iter_mut().find(|known| known.ns == letter.ns) {
            let different = other(known.body) || known.message != letter.message;
            if let Some(slot) = known.packets.get_mut(known.copies as usize) {
                *slot = letter.packet;
            }
            bump32(&mut known.copies);
            let wait = letter.time.since(known.last);
            let (first, resends) = (known.copies == 2, known.copies.saturating_sub(1));
            // Half as long again is longer beyond any jitter.
            let short = wait < CAP && wait.0.saturating_mul(2) < known.wait.0.saturating_mul(3);
            if !first && short {
                bump32(&mut known.flat);
            }
            known.last = letter.time;
            known.wait = wait;
            return Resend {
                different,
                acknowledged: false,
                flat: resends >= 3 && known.flat == resends.saturating_sub(1),
                capped_low: resends >= 5 && short && known.flat < resends.saturating_sub(1),
                early: first && wait < EARLY,
            };
        }
        let settled = self.settled.iter().find(|known| known.ns == letter.ns);
        Resend {
            different: settled.is_some_and(|known| other(known.body)),
            acknowledged: self.acknowledged.is_some_and(|nr| nr.is_newer_than(letter.ns)),
            ..Resend::default()
        }
    }

    /// Takes a ZLB of this end: whether its Ns is one that this end used already. A ZLB takes no number, so
    /// it should name that of the next message (RFC 2661 section 5.8).
    ///
    /// One that the way may have reordered, within [`crate::analysis::control::watch::ROUND_TRIP`], is none.
    pub(crate) fn zlb(&mut self, ns: Seq16, time: Timestamp) -> bool {
        let Some(next) = self.next else {
            self.unseen |= ns.0 > 0;
            return false;
        };
        self.zlb = ns == next;
        self.unseen |= ns.is_newer_than(next);
        next.is_newer_than(ns) && time.since(self.newest) > crate::analysis::control::watch::ROUND_TRIP
    }

    /// Says which call the newest message was about.
    pub(crate) fn about(&mut self, ns: Seq16, call: CallId) {
        if let Some(known) = self.outstanding.iter_mut().rev().find(|known| known.ns == ns) {
            known.call = Some(call);
        }
    }

    fn remember(&mut self, letter: Letter) {
        let Letter { ns, message, body, packet, time } = letter;
        self.newest = time;
        // An acknowledgement may overtake the message at the capture point.
        if self.acknowledged.is_some_and(|nr| nr.is_newer_than(ns)) {
            return;
        }
        if self.outstanding.is_empty() {
            self.outstanding.reserve_exact(1);
        }
        if self.outstanding.len() < MOST {
            let mut packets = [0; PACKETS];
            if let Some(slot) = packets.first_mut() {
                *slot = packet;
            }
            let (first, last) = (time, time);
            let wait = Duration::ZERO;
            self.outstanding.push(Outstanding {
                ns,
                message,
                call: None,
                first,
                last,
                copies: 1,
                body,
                wait,
                flat: 0,
                packets,
            });
        }
    }

    /// Takes an Nr that came back; returns the newest message it acknowledges for the first time.
    pub(crate) fn acknowledge(&mut self, nr: Seq16, packet: u64, time: Timestamp) -> Option<Outstanding> {
        if self.acknowledged.is_some_and(|known| !nr.is_newer_than(known)) {
            return None;
        }
        self.acknowledged = Some(nr);
        // Of an end that was not heard, every number is one that the capture lacks.
        self.unseen |= self.next.is_none() && nr.0 > 0;
        if self.next.is_some_and(|next| nr.is_newer_than(next)) {
            let zlb = self.zlb && self.next.is_some_and(|next| nr == next.next());
            self.beyond.get_or_insert_with(|| Box::new(Beyond { nr, packet, time, zlb }));
            self.unseen = true;
        }
        let mut newest = None;
        let settled = &mut self.settled;
        self.outstanding.retain(|known| {
            let covered = nr.is_newer_than(known.ns);
            if covered {
                newest = Some(known.clone());
                if settled.len() >= MOST_SETTLED {
                    settled.pop_front();
                }
                settled.push_back(Settled { ns: known.ns, body: known.body });
            }
            !covered
        });
        if self.outstanding.is_empty() {
            // Of tens of thousands of ends nearly all wait for nothing.
            self.outstanding = Vec::new();
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HELLO: MessageKind = MessageKind::Known(MessageType::HELLO);

    fn send(delivery: &mut Delivery, ns: u16) -> Sent {
        delivery.send(letter(ns, u64::from(ns), 0)).0
    }

    fn letter(ns: u16, packet: u64, millis: i64) -> Letter {
        Letter { ns: Seq16(ns), message: HELLO, body: 1, packet, time: Timestamp(millis * 1_000_000) }
    }

    const AGAIN: Sent = Sent::Again(Resend {
        different: false,
        acknowledged: false,
        flat: false,
        capped_low: false,
        early: true,
    });

    #[test]
    fn resends_holes_and_late_messages_are_told_apart() {
        let mut d = Delivery::default();
        let sent: Vec<_> = [0, 1, 1, 4, 2, 2, 5].into_iter().map(|ns| send(&mut d, ns)).collect();
        use Sent::*;
        assert_eq!(sent, [New, New, AGAIN, Skipped(2), Late, AGAIN, New]);
        assert_eq!((d.resent, d.holes().len(), d.outstanding.len()), (2, 1, 5));
        assert!(d.acknowledge(Seq16(2), 9, Timestamp(0)).is_some_and(|newest| newest.ns == Seq16(1)));
        assert_eq!(d.outstanding.len(), 3);
        assert!(d.acknowledge(Seq16(2), 9, Timestamp(0)).is_none());
    }

    #[test]
    fn an_acknowledgement_of_what_was_not_seen_is_explained_by_what_follows() {
        let mut d = Delivery::default();
        send(&mut d, 0);
        d.acknowledge(Seq16(2), 5, Timestamp(0));
        assert!(matches!(d.send(letter(1, 6, 0)).1, Some(Explained::BeyondSent(b)) if b.packet == 5));
        d.acknowledge(Seq16(4), 7, Timestamp(0));
        assert!(matches!(d.send(letter(4, 8, 0)).1, Some(Explained::Unseen(b)) if b.packet == 7));
    }

    /// Sends one message at these moments, in milliseconds; what its resends are like.
    fn resends(at: &[i64]) -> Vec<Resend> {
        let mut d = Delivery::default();
        let all = at.iter().map(|at| d.send(letter(7, 1, *at)).0);
        all.filter_map(|sent| if let Sent::Again(resend) = sent { Some(resend) } else { None }).collect()
    }

    #[test]
    fn waits_that_do_not_grow_are_seen() {
        let flat = |at: &[i64]| resends(at).last().is_some_and(|last| last.flat);
        assert!(flat(&[0, 1000, 2000, 3000]));
        assert!(!flat(&[0, 1000, 2000]), "too few");
        assert!(!flat(&[0, 1000, 3000, 7000, 15_000, 23_000, 31_000]), "a cap of 8 s is allowed");
        assert!(!flat(&[0, 3000, 7000, 15_000]), "the first resend is missing");
        let low = |at: &[i64]| resends(at).last().is_some_and(|last| last.capped_low);
        assert!(low(&[0, 1000, 3000, 7000, 11_000, 15_000]));
        assert!(!low(&[0, 1000, 3000, 7000, 15_000, 23_000]));
        assert!(resends(&[0, 499]).iter().all(|resend| resend.early));
        assert!(resends(&[0, 500, 600]).iter().all(|resend| !resend.early));
    }

    #[test]
    fn a_copy_after_the_acknowledgement_and_another_message_under_the_number_are_seen() {
        let mut d = Delivery::default();
        send(&mut d, 0);
        d.acknowledge(Seq16(1), 2, Timestamp(0));
        let Sent::Again(resend) = send(&mut d, 0) else { panic!("no resend") };
        assert!(resend.acknowledged && !resend.different);
        let Sent::Again(resend) = d.send(Letter { body: 2, ..letter(0, 3, 0) }).0 else {
            panic!("no resend")
        };
        assert!(resend.acknowledged && resend.different);
        let Sent::Again(resend) = d.send(Letter { body: 0, ..letter(0, 3, 0) }).0 else {
            panic!("no resend")
        };
        assert!(!resend.different, "hidden AVPs differ each time");
    }

    #[test]
    fn a_zlb_that_used_up_a_number_is_seen() {
        let mut d = Delivery::default();
        send(&mut d, 0);
        let later = Timestamp(2_000_000_000);
        assert!(!d.zlb(Seq16(1), later));
        assert_eq!(send(&mut d, 2), Sent::CountsZlb);
        assert!(!d.zlb(Seq16(2), Timestamp(0)), "the way may have reordered it");
        assert!(d.zlb(Seq16(2), later), "the number of the last message, not of the next");
        assert_eq!(send(&mut d, 4), Sent::Skipped(1));
    }

    proptest! {
        /// In-order sending with any resends, from any first number, over the wrap: nothing is skipped or late.
        #[test]
        fn resends_in_order_never_look_like_loss(start: u16, steps in proptest::collection::vec(0u16..4, 1..200)) {
            let mut d = Delivery::default();
            send(&mut d, start);
            let mut next = start.wrapping_add(1);
            for step in steps {
                let ns = next.wrapping_sub(step);
                let sent = send(&mut d, ns);
                if step == 0 {
                    prop_assert_eq!(sent, Sent::New);
                    next = next.wrapping_add(1);
                } else if ns.wrapping_sub(start) < 1000 {
                    prop_assert!(matches!(sent, Sent::Again(_)));
                }
                d.acknowledge(Seq16(ns), 0, Timestamp(0));
                prop_assert!(d.outstanding.len() <= MOST && d.beyond.is_none());
            }
        }
    }
}
