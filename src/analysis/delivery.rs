//! Reliable delivery of control messages, one direction (RFC 2661 section 5.8): Ns, Nr, resends, what is unacknowledged.

use crate::dissect::layers::MessageType;
use crate::util::Timestamp;
use crate::util::seq::Seq16;

use super::{CallId, bump32};

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
    /// It fills a hole.
    Late,
    /// The number was used before.
    Again,
}

/// An Nr that acknowledges what was not seen yet.
#[derive(Debug, Clone, Copy)]
pub struct Beyond {
    /// The Nr.
    pub nr: Seq16,
    /// In which packet.
    pub packet: u64,
    /// When.
    pub time: Timestamp,
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
    pub beyond: Option<Beyond>,
    /// How often a number was used again.
    pub resent: u32,
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
    pub(crate) fn send(
        &mut self,
        ns: Seq16,
        message: MessageKind,
        packet: u64,
        time: Timestamp,
    ) -> (Sent, Option<Explained>) {
        let Some(next) = self.next else {
            self.next = Some(ns.next());
            self.remember(ns, message, packet, time);
            return (Sent::New, None);
        };
        if next.is_newer_than(ns) {
            if let Some(at) = self.holes.iter().position(|hole| hole.0 == ns) {
                self.holes.remove(at);
                self.remember(ns, message, packet, time);
                return (Sent::Late, None);
            }
            bump32(&mut self.resent);
            if let Some(known) = self.outstanding.iter_mut().find(|known| known.ns == ns) {
                if let Some(slot) = known.packets.get_mut(known.copies as usize) {
                    *slot = packet;
                }
                bump32(&mut known.copies);
                known.last = time;
            }
            return (Sent::Again, None);
        }
        let explained = self.beyond.take().map(|beyond| {
            if beyond.nr.is_newer_than(ns) {
                Explained::BeyondSent(beyond)
            } else {
                Explained::Unseen(beyond)
            }
        });
        let skipped = ns.steps_from(next);
        let mut hole = next;
        for _ in 0..usize::from(skipped).min(MOST) {
            if self.holes.len() < MOST {
                self.holes.push((hole, packet, time));
            }
            hole = hole.next();
        }
        self.next = Some(ns.next());
        self.remember(ns, message, packet, time);
        (if skipped == 0 { Sent::New } else { Sent::Skipped(skipped) }, explained)
    }

    /// Says which call the newest message was about.
    pub(crate) fn about(&mut self, ns: Seq16, call: CallId) {
        if let Some(known) = self.outstanding.iter_mut().rev().find(|known| known.ns == ns) {
            known.call = Some(call);
        }
    }

    fn remember(&mut self, ns: Seq16, message: MessageKind, packet: u64, time: Timestamp) {
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
            self.outstanding.push(Outstanding { ns, message, call: None, first, last, copies: 1, packets });
        }
    }

    /// Takes an Nr that came back; returns the newest message it acknowledges for the first time.
    pub(crate) fn acknowledge(&mut self, nr: Seq16, packet: u64, time: Timestamp) -> Option<Outstanding> {
        if self.acknowledged.is_some_and(|known| !nr.is_newer_than(known)) {
            return None;
        }
        self.acknowledged = Some(nr);
        if self.next.is_some_and(|next| nr.is_newer_than(next)) {
            self.beyond.get_or_insert(Beyond { nr, packet, time });
        }
        let mut newest = None;
        self.outstanding.retain(|known| {
            let covered = nr.is_newer_than(known.ns);
            if covered {
                newest = Some(known.clone());
            }
            !covered
        });
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HELLO: MessageKind = MessageKind::Known(MessageType::HELLO);

    fn send(delivery: &mut Delivery, ns: u16) -> Sent {
        delivery.send(Seq16(ns), HELLO, u64::from(ns), Timestamp(0)).0
    }

    #[test]
    fn resends_holes_and_late_messages_are_told_apart() {
        let mut d = Delivery::default();
        let sent: Vec<_> = [0, 1, 1, 4, 2, 2, 5].into_iter().map(|ns| send(&mut d, ns)).collect();
        use Sent::*;
        assert_eq!(sent, [New, New, Again, Skipped(2), Late, Again, New]);
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
        assert!(
            matches!(d.send(Seq16(1), HELLO, 6, Timestamp(0)).1, Some(Explained::BeyondSent(b)) if b.packet == 5)
        );
        d.acknowledge(Seq16(4), 7, Timestamp(0));
        assert!(
            matches!(d.send(Seq16(4), HELLO, 8, Timestamp(0)).1, Some(Explained::Unseen(b)) if b.packet == 7)
        );
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
                    prop_assert_eq!(sent, Sent::Again);
                }
                d.acknowledge(Seq16(ns), 0, Timestamp(0));
                prop_assert!(d.outstanding.len() <= MOST && d.beyond.is_none());
            }
        }
    }
}
