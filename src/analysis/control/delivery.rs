//! Delivery of control messages in one direction, as their receiver has it (RFC 2661 section 5.8): what was sent, resent,
//! acknowledged, and in which order it was handled.
//!
//! A capture sees messages when they pass it: out of order, or never. Their receiver handles them in the order of Ns, and
//! every packet of the receiver says by its Nr which of them it has. So messages are *released* in the order of Ns, to move
//! the machine of their sender, and *delivered* when an Nr covers them, to move that of their receiver.

use crate::dissect::layers::MessageType;
use crate::util::seq::Seq16;
use crate::util::{Duration, Timestamp};

use super::message::{MessageKind, SentMessage};
use crate::analysis::ids::{CallId, bump32};
use crate::analysis::meta::At;
use crate::analysis::timing::REORDERED;

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
    /// Its place in the log.
    pub(in crate::analysis) row: Option<usize>,
}

const PACKETS: usize = 6;

impl Outstanding {
    /// How long its sender waited before the last copy.
    pub fn last_wait(&self) -> Duration {
        self.wait
    }

    /// How long its sender waits at least before the next copy, or before it gives up: waits grow until they are capped.
    pub fn next_wait(&self) -> Duration {
        let grows = self.flat == 0 && self.copies > 2;
        if grows { Duration(self.wait.0.saturating_mul(5) / 4) } else { self.wait }
    }

    /// Whether its sender still waits for the acknowledgement: one who waits sends it again. `round_trip` is the longest
    /// that is known.
    pub(in crate::analysis) fn is_awaited(&self, now: Timestamp, round_trip: Duration) -> bool {
        let first = FIRST_WAIT.max(Duration(round_trip.0.saturating_mul(2)));
        now.since(self.last) <= first.max(Duration(self.wait.0.saturating_mul(2)))
    }

    /// The packets of the first copies.
    pub fn packets(&self) -> &[u64] {
        let known = (self.copies as usize).min(PACKETS);
        self.packets.get(..known).unwrap_or_default()
    }
}

/// What a sent number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) enum Numbering {
    /// The next one, or the first that is seen.
    New,
    /// So many numbers were skipped.
    Skipped(u16),
    /// One number was skipped, and the last packet of this end was a ZLB that carried it.
    CountsZlb,
    /// It fills a hole: it was reordered, or its first copy was lost before the capture.
    Late,
    /// A copy of a message that the capture lacks: its receiver has acknowledged the number already.
    LateCopy,
    /// The number was used before.
    Again(Retransmission),
    /// A StopCCN under a number that another message had: of a peer that lost its state.
    OutOfSequence,
}

/// What a retransmission is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::analysis) struct Retransmission {
    /// Another message stands under the same number.
    pub(in crate::analysis) different: bool,
    /// It was acknowledged before.
    pub(in crate::analysis) acknowledged: bool,
    /// This is the third copy or a later one, and none was longer waited for than the one before.
    pub(in crate::analysis) flat: bool,
    /// The fourth resend or a later one, after less than [`CAP`] and no longer a wait than before.
    pub(in crate::analysis) capped_low: bool,
    /// It was sent again after less than [`EARLY`].
    pub(in crate::analysis) early: bool,
}

/// The least that the wait between resends may be capped at (RFC 2661 section 5.8), less what jitter may take.
const CAP: Duration = Duration::millis(7500);
/// Nobody waits longer before the first resend, unless the round trip asks for it: the recommended wait is 1 s (RFC 2661
/// section 5.8).
const FIRST_WAIT: Duration = Duration::millis(2500);
/// The least that a sender waits before it resends: 1 s (RFC 2661 section 5.8), less what jitter may take.
const LEAST_WAIT: Duration = Duration::millis(900);
/// The recommended first wait is 1 s (RFC 2661 section 5.8); half of it is early.
const EARLY: Duration = Duration::millis(500);

/// Copies that follow so soon are made by the path: no sender resends within what its jitter may take.
const PATH_COPY: Duration = Duration::millis(100);

/// A message that was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Settled {
    ns: Seq16,
    body: u64,
    /// When it was sent last.
    last: Timestamp,
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
    /// What was then sent under its number may be a copy: it came long enough after the last new message.
    pub(in crate::analysis) may_be_copy: bool,
    /// It covers just the number that a ZLB had carried, the last packet before it.
    pub zlb: bool,
}

/// What became of an Nr that acknowledged what was not seen yet.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis) enum Explained {
    /// The number was used after it had been acknowledged.
    BeyondSent(Beyond),
    /// The messages were sent, and the capture lacks them.
    Unseen(Beyond),
}

/// A number that was skipped.
#[derive(Debug, Clone, Copy)]
struct Hole {
    ns: Seq16,
    /// The packet that skipped it.
    at: At,
    /// Its receiver acknowledged it: the capture lacks it.
    proved: bool,
}

/// A message whose turn has come.
#[derive(Debug)]
pub(in crate::analysis) enum Released {
    /// In the order of Ns.
    InOrder(SentMessage),
    /// A number that the capture lacks, and its receiver has acknowledged; or nobody knows.
    Unseen {
        /// The packet that shows that it is missing.
        at: At,
        /// Its receiver has it.
        proved: bool,
    },
}

/// The messages that one end sent, and what the other acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Follows the highest number sent.
    next: Option<Seq16>,
    /// The first number that was seen.
    first: Seq16,
    /// The next number to be released.
    turn: Seq16,
    /// The newest Nr that came back.
    pub acknowledged: Option<Seq16>,
    /// Messages without an acknowledgement, oldest first.
    pub outstanding: Vec<Outstanding>,
    /// Seen, and waiting for the numbers before them; in the order of Ns.
    waiting: Vec<SentMessage>,
    holes: Vec<Hole>,
    /// An Nr beyond what was seen, which nothing explains yet.
    pub beyond: Option<Box<Beyond>>,
    /// How often a number was used again.
    pub resent: u32,
    /// Different messages that were sent again.
    pub repeated: u32,
    /// The capture lacks some of its messages, or the way numbers are used makes it look so.
    pub unseen: bool,
    /// The newest Nr that it sent.
    pub(in crate::analysis) nr_sent: Option<Seq16>,
    /// When it sent that first.
    pub(in crate::analysis) nr_since: Timestamp,
    /// Copies of an acknowledged message since the other end last sent a control message.
    pub(in crate::analysis) unanswered_copies: u8,
    /// When the first of these came.
    pub(in crate::analysis) unanswered_since: Timestamp,
    /// When it sent its newest message.
    newest: Timestamp,
    /// The number of a ZLB that shows that those before it were used, and the capture lacks them.
    shown: Option<Seq16>,
    /// Its last packet was a ZLB with the number of its next message.
    zlb: bool,
    settled: Vec<Settled>,
}

/// Unacknowledged messages and holes that are remembered: more than any window (RFC 2661 section 4.4.3) in use.
const MOST: usize = 128;
/// Messages that wait for a number before them: more than any window that is in use.
const MOST_WAITING: usize = 16;
/// How long they wait: a full cycle of resends (RFC 2661 section 5.8).
const PATIENCE: Duration = Duration::seconds(40);
/// An Nr farther ahead of what was seen than this acknowledges nothing that can have been sent.
const BELIEVED: u16 = 64;

impl Delivery {
    /// The number that follows the highest one sent.
    pub fn next(&self) -> Option<Seq16> {
        self.next
    }

    /// Whether this is the first number that was seen.
    pub(in crate::analysis) fn begins_with(&self, ns: Seq16) -> bool {
        self.first == ns && self.next == Some(ns.next())
    }

    /// Numbers that were skipped and never came, nor were acknowledged: the number, the packet that skipped it, and when.
    pub fn holes(&self) -> impl Iterator<Item = (Seq16, u64, Timestamp)> {
        let open = self.holes.iter().filter(|hole| !hole.proved);
        open.map(|hole| (hole.ns, hole.at.packet, hole.at.time))
    }

    /// The packet of the message with this number, if it waits for its acknowledgement.
    pub(in crate::analysis) fn waiting_packet(&self, ns: Seq16) -> Option<u64> {
        let known = self.outstanding.iter().find(|known| known.ns == ns)?;
        known.packets.first().copied()
    }

    /// The message with this number, which is missing here, came elsewhere.
    pub(in crate::analysis) fn came_elsewhere(&mut self, ns: Seq16) {
        self.holes.retain(|hole| hole.ns != ns);
    }

    fn is_acknowledged(&self, ns: Seq16) -> bool {
        self.acknowledged.is_some_and(|nr| nr.is_newer_than(ns))
    }

    /// Takes a message that this end sent. `body` is the hash of its AVPs, or 0. `zero` says that its first message must
    /// have had the number 0.
    pub(in crate::analysis) fn take(
        &mut self,
        message: SentMessage,
        body: u64,
        zero: bool,
    ) -> (Numbering, Option<Explained>) {
        let ns = message.ns;
        let Some(next) = self.next else {
            return (self.begin(message, body, zero), None);
        };
        if next.is_newer_than(ns) {
            return (self.take_old(message, body), None);
        }
        let shown = self.shown.is_some_and(|shown| shown.is_newer_than(ns));
        let may_be_copy = message.at.time.since(self.newest) >= LEAST_WAIT;
        let explained = self.beyond.take().map(|beyond| {
            if beyond.nr.is_newer_than(ns) && !shown {
                Explained::BeyondSent(Beyond { may_be_copy, ..*beyond })
            } else {
                Explained::Unseen(*beyond)
            }
        });
        let skipped = ns.steps_from(next);
        self.unseen |= skipped > 0 || explained.is_some();
        self.skip(next, skipped, message.at);
        self.next = Some(ns.next());
        self.remember(&message, body);
        self.wait_for_turn(message);
        let numbering = match skipped {
            0 => Numbering::New,
            1 if self.zlb => Numbering::CountsZlb,
            skipped => Numbering::Skipped(skipped),
        };
        self.zlb = false;
        (numbering, explained)
    }

    /// The first message that is seen.
    fn begin(&mut self, message: SentMessage, body: u64, zero: bool) -> Numbering {
        let ns = message.ns;
        self.next = Some(ns.next());
        (self.first, self.turn) = (ns, ns);
        if zero && (1..=MOST_WAITING).contains(&usize::from(ns.0)) {
            self.turn = Seq16(0);
            self.first = Seq16(0);
            self.unseen = true;
            self.skip(Seq16(0), ns.0, message.at);
        }
        self.remember(&message, body);
        self.wait_for_turn(message);
        Numbering::New
    }

    fn skip(&mut self, from: Seq16, numbers: u16, at: At) {
        let mut ns = from;
        for _ in 0..usize::from(numbers).min(MOST) {
            if self.holes.len() < MOST {
                let proved = self.is_acknowledged(ns);
                self.holes.push(Hole { ns, at, proved });
            }
            ns = ns.next();
        }
    }

    /// A number below the highest.
    fn take_old(&mut self, message: SentMessage, body: u64) -> Numbering {
        let ns = message.ns;
        if let Some(at) = self.holes.iter().position(|hole| hole.ns == ns) {
            let hole = self.holes.remove(at);
            if hole.proved {
                return Numbering::LateCopy;
            }
            self.remember(&message, body);
            self.wait_for_turn(message);
            return Numbering::Late;
        }
        // The capture begins among messages that the path had reordered.
        let before = self.first.steps_from(ns);
        if self.first.is_newer_than(ns) && usize::from(before) <= MOST_WAITING && !self.is_acknowledged(ns) {
            self.skip(ns.next(), before.saturating_sub(1), message.at);
            self.first = ns;
            self.remember(&message, body);
            self.wait_for_turn(message);
            return Numbering::Late;
        }
        bump32(&mut self.resent);
        let again = self.again(&message, body);
        if again.different && message.kind.is(MessageType::STOP_CCN) {
            return Numbering::OutOfSequence;
        }
        Numbering::Again(again)
    }

    fn again(&mut self, message: &SentMessage, body: u64) -> Retransmission {
        let other = |known: u64| known != 0 && body != 0 && known != body;
        if let Some(known) = self.outstanding.iter_mut().find(|known| known.ns == message.ns) {
            let different = other(known.body) || known.message != message.kind;
            if let Some(slot) = known.packets.get_mut(known.copies as usize) {
                *slot = message.at.packet;
            }
            bump32(&mut known.copies);
            let wait = message.at.time.since(known.last);
            if wait < PATH_COPY && !different {
                return Retransmission { different, ..Retransmission::default() };
            }
            let (first, resends) = (known.copies == 2, known.copies.saturating_sub(1));
            if first {
                bump32(&mut self.repeated);
            }
            // Half as long again is longer beyond any jitter.
            let short = wait < CAP && wait.0.saturating_mul(2) < known.wait.0.saturating_mul(3);
            if !first && short {
                bump32(&mut known.flat);
            }
            known.last = message.at.time;
            known.wait = wait;
            return Retransmission {
                different,
                acknowledged: false,
                flat: resends >= 3 && known.flat == resends.saturating_sub(1),
                capped_low: resends >= 5 && short && known.flat < resends.saturating_sub(1),
                early: wait < EARLY,
            };
        }
        let settled = self.settled.iter_mut().find(|known| known.ns == message.ns);
        let wait = settled.as_ref().map(|known| message.at.time.since(known.last));
        let early = wait.is_some_and(|wait| (PATH_COPY..EARLY).contains(&wait));
        if let Some(known) = settled {
            known.last = message.at.time;
        }
        let settled = self.settled.iter().find(|known| known.ns == message.ns);
        Retransmission {
            early,
            different: settled.is_some_and(|known| other(known.body)),
            acknowledged: self.is_acknowledged(message.ns),
            ..Retransmission::default()
        }
    }

    /// Puts a message among those that wait, in the order of Ns.
    fn wait_for_turn(&mut self, message: SentMessage) {
        let place = self.waiting.iter().rposition(|known| message.ns.is_newer_than(known.ns));
        let place = place.map_or(0, |place| place.saturating_add(1));
        if self.waiting.is_empty() {
            self.waiting.reserve_exact(1);
        }
        self.waiting.insert(place, message);
    }

    /// The next message whose turn has come. `now` is the time of the packet that asks; `crowded` says that there is no
    /// room for messages that wait.
    pub(in crate::analysis) fn release(&mut self, now: At, crowded: bool) -> Option<Released> {
        let first = self.waiting.first()?;
        if !first.ns.is_newer_than(self.turn) {
            let message = self.waiting.remove(0);
            if self.waiting.is_empty() {
                self.waiting = Vec::new();
            }
            if message.ns == self.turn {
                self.turn = message.ns.next();
            }
            return Some(Released::InOrder(message));
        }
        // Numbers out of all order prove nothing, and are passed over at once, not each by itself.
        let far = first.ns.steps_from(self.turn) > BELIEVED;
        let proved = !far && self.is_acknowledged(self.turn);
        let gives_up =
            crowded || self.waiting.len() > MOST_WAITING || now.time.since(first.at.time) > PATIENCE || far;
        if !proved && !gives_up {
            return None;
        }
        let at = first.at;
        let turn = self.turn;
        // What nobody knows of is passed over as one.
        self.turn = if proved { turn.next() } else { first.ns };
        if proved && let Some(hole) = self.holes.iter_mut().find(|hole| hole.ns == turn) {
            hole.proved = true;
        }
        Some(Released::Unseen { at, proved })
    }

    /// Messages that wait for a number before them.
    pub(in crate::analysis) fn waits(&self) -> usize {
        self.waiting.len()
    }

    /// The capture ends: whatever waits has its turn.
    pub(in crate::analysis) fn release_at_end(&mut self) -> Option<Released> {
        self.release(At::default(), true)
    }

    /// Takes a ZLB of this end: whether its Ns is one that this end used already. A ZLB takes no number, so
    /// it should name that of the next message (RFC 2661 section 5.8). One that the path may have reordered is none.
    pub(in crate::analysis) fn zlb(&mut self, ns: Seq16, time: Timestamp) -> bool {
        let Some(next) = self.next else {
            self.unseen |= ns.0 > 0;
            return false;
        };
        self.zlb = ns == next;
        if ns.is_newer_than(next) {
            self.unseen = true;
            self.shown = Some(ns);
        }
        next.is_newer_than(ns) && time.since(self.newest) > REORDERED
    }

    /// Says which call a message was about.
    pub(in crate::analysis) fn about(&mut self, ns: Seq16, call: CallId) {
        if let Some(known) = self.outstanding.iter_mut().rev().find(|known| known.ns == ns) {
            known.call = Some(call);
        }
    }

    fn remember(&mut self, message: &SentMessage, body: u64) {
        let time = message.at.time;
        self.newest = time;
        if self.outstanding.is_empty() {
            self.outstanding.reserve_exact(1);
        }
        if self.outstanding.len() < MOST {
            let mut packets = [0; PACKETS];
            if let Some(slot) = packets.first_mut() {
                *slot = message.at.packet;
            }
            let place = self.outstanding.iter().rposition(|known| message.ns.is_newer_than(known.ns));
            self.outstanding.insert(
                place.map_or(0, |place| place.saturating_add(1)),
                Outstanding {
                    ns: message.ns,
                    message: message.kind,
                    call: None,
                    first: time,
                    last: time,
                    copies: 1,
                    body,
                    wait: Duration::ZERO,
                    flat: 0,
                    packets,
                    row: message.row,
                },
            );
        }
    }

    /// Takes an Nr that came back. Says whether it is newer than those before.
    pub(in crate::analysis) fn acknowledge(&mut self, nr: Seq16, at: At) -> bool {
        if self.acknowledged.is_some_and(|known| !nr.is_newer_than(known)) {
            return false;
        }
        if let Some(next) = self.next
            && nr.is_newer_than(next)
        {
            let zlb = self.zlb && nr == next.next();
            let beyond = Beyond { nr, packet: at.packet, time: at.time, may_be_copy: false, zlb };
            self.beyond.get_or_insert_with(|| Box::new(beyond));
            self.unseen = true;
            if nr.steps_from(next) > BELIEVED {
                return false;
            }
        }
        self.acknowledged = Some(nr);
        // Of an end that was not heard, every number is one that the capture lacks.
        self.unseen |= self.next.is_none() && nr.0 > 0;
        for hole in self.holes.iter_mut().filter(|hole| nr.is_newer_than(hole.ns)) {
            hole.proved = true;
        }
        true
    }

    /// The oldest message that is acknowledged and was not delivered yet. Its turn must have come.
    pub(in crate::analysis) fn deliver(&mut self) -> Option<Outstanding> {
        let nr = self.acknowledged?;
        let first = self.outstanding.first()?;
        let waits = self.waiting.first().is_some_and(|waiting| !waiting.ns.is_newer_than(first.ns));
        if !nr.is_newer_than(first.ns) || waits {
            return None;
        }
        let known = self.outstanding.remove(0);
        if self.settled.len() >= MOST_SETTLED {
            self.settled.remove(0);
        }
        // Most ends send few messages.
        self.settled.reserve_exact(1);
        self.settled.push(Settled { ns: known.ns, body: known.body, last: known.last });
        if self.outstanding.is_empty() {
            // Of tens of thousands of ends nearly all wait for nothing.
            self.outstanding = Vec::new();
        }
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::SessionId;
    use proptest::prelude::*;

    const HELLO: MessageKind = MessageKind::Known(MessageType::HELLO);

    fn message(ns: u16, millis: i64) -> SentMessage {
        SentMessage {
            ns: Seq16(ns),
            kind: HELLO,
            tunnel: None,
            session: None,
            header_session: SessionId(0),
            result: None,
            serial: None,
            sequencing: false,
            at: at(u64::from(ns), millis),
            row: None,
        }
    }

    fn at(packet: u64, millis: i64) -> At {
        At { packet, time: Timestamp(millis * 1_000_000) }
    }

    fn take(delivery: &mut Delivery, ns: u16) -> Numbering {
        delivery.take(message(ns, 0), 1, false).0
    }

    /// The numbers whose turn has come; a hole is `None`.
    fn released(delivery: &mut Delivery) -> Vec<Option<u16>> {
        let next = || delivery.release(at(9, 0), false);
        let number = |released| match released {
            Released::InOrder(message) => Some(message.ns.0),
            Released::Unseen { .. } => None,
        };
        std::iter::from_fn(next).map(number).collect()
    }

    fn delivered(delivery: &mut Delivery) -> Vec<u16> {
        std::iter::from_fn(|| delivery.deliver()).map(|known| known.ns.0).collect()
    }

    const AGAIN: Numbering = Numbering::Again(Retransmission {
        different: false,
        acknowledged: false,
        flat: false,
        capped_low: false,
        early: false,
    });

    #[test]
    fn resends_holes_and_late_messages_are_told_apart() {
        let mut d = Delivery::default();
        let sent: Vec<_> = [0, 1, 1, 4, 2, 2, 5].into_iter().map(|ns| take(&mut d, ns)).collect();
        use Numbering::*;
        assert_eq!(sent, [New, New, AGAIN, Skipped(2), Late, AGAIN, New]);
        assert_eq!((d.resent, d.holes().count(), d.outstanding.len()), (2, 1, 5));
        assert!(d.acknowledge(Seq16(2), at(9, 0)));
        assert_eq!(released(&mut d), [Some(0), Some(1), Some(2)]);
        assert_eq!(delivered(&mut d), [0, 1]);
        assert!(!d.acknowledge(Seq16(2), at(9, 0)));
    }

    #[test]
    fn messages_have_their_turn_in_the_order_of_ns() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        assert_eq!(released(&mut d), [Some(0)]);
        take(&mut d, 2);
        take(&mut d, 3);
        assert_eq!(released(&mut d), []);
        take(&mut d, 1);
        assert_eq!(released(&mut d), [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_number_that_the_capture_lacks_is_passed_over_once_its_receiver_has_it() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        take(&mut d, 2);
        assert_eq!(released(&mut d), [Some(0)]);
        d.acknowledge(Seq16(2), at(5, 0));
        assert_eq!(released(&mut d), [None, Some(2)]);
        assert_eq!(delivered(&mut d), [0], "its receiver has not said yet that it has the last one");
        assert_eq!(take(&mut d, 1), Numbering::LateCopy);
        assert_eq!(released(&mut d), []);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        take(&mut d, 2);
        assert_eq!(released(&mut d), [Some(0)]);
        let late = d.release(at(9, 41_000), false);
        assert!(matches!(late, Some(Released::Unseen { proved: false, .. })), "{late:?}");
        for ns in (5..60).step_by(2) {
            take(&mut d, ns);
            let _ = released(&mut d);
            assert!(d.waits() <= MOST_WAITING);
        }
    }

    #[test]
    fn the_answer_of_a_connection_that_began_here_has_the_number_0() {
        let mut d = Delivery::default();
        d.take(message(1, 0), 1, true);
        assert_eq!(released(&mut d), []);
        d.take(message(0, 0), 1, true);
        assert_eq!(released(&mut d), [Some(0), Some(1)]);
    }

    #[test]
    fn an_acknowledgement_of_what_cannot_have_been_sent_is_not_believed() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        assert!(!d.acknowledge(Seq16(9000), at(5, 0)));
        take(&mut d, 1);
        assert_eq!(released(&mut d), [Some(0), Some(1)]);
        assert!(delivered(&mut d).is_empty());
    }

    #[test]
    fn an_acknowledgement_of_what_was_not_seen_is_explained_by_what_follows() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        d.acknowledge(Seq16(2), at(5, 0));
        assert!(matches!(d.take(message(1, 0), 1, false).1, Some(Explained::BeyondSent(b)) if b.packet == 5));
        d.acknowledge(Seq16(4), at(7, 0));
        assert!(matches!(d.take(message(4, 0), 1, false).1, Some(Explained::Unseen(b)) if b.packet == 7));
    }

    /// Sends one message at these moments, in milliseconds; what its resends are like.
    fn resends(at: &[i64]) -> Vec<Retransmission> {
        let mut d = Delivery::default();
        let all = at.iter().map(|at| d.take(message(7, *at), 1, false).0);
        let again = |sent| if let Numbering::Again(again) = sent { Some(again) } else { None };
        all.filter_map(again).collect()
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
        assert!(resends(&[0, 500, 1000]).iter().all(|resend| !resend.early));
        assert!(resends(&[0, 1000, 1050]).iter().all(|resend| !resend.early), "a copy that the path made");
        assert!(resends(&[0, 1000, 1200]).last().is_some_and(|resend| resend.early));
    }

    #[test]
    fn a_copy_after_the_acknowledgement_and_another_message_under_the_number_are_seen() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        released(&mut d);
        d.acknowledge(Seq16(1), at(2, 0));
        delivered(&mut d);
        let again = |d: &mut Delivery, body| match d.take(message(0, 0), body, false).0 {
            Numbering::Again(again) => again,
            other => panic!("{other:?}"),
        };
        assert_eq!((again(&mut d, 1).acknowledged, again(&mut d, 1).different), (true, false));
        assert!(again(&mut d, 2).different);
        assert!(!again(&mut d, 0).different, "hidden AVPs differ each time");
        let stop = SentMessage { kind: MessageKind::Known(MessageType::STOP_CCN), ..message(0, 0) };
        assert_eq!(d.take(stop, 2, false).0, Numbering::OutOfSequence);
    }

    #[test]
    fn a_zlb_that_used_up_a_number_is_seen() {
        let mut d = Delivery::default();
        take(&mut d, 0);
        let later = Timestamp(2_000_000_000);
        assert!(!d.zlb(Seq16(1), later));
        assert_eq!(take(&mut d, 2), Numbering::CountsZlb);
        assert!(!d.zlb(Seq16(2), Timestamp(0)), "the path may have reordered it");
        assert!(d.zlb(Seq16(2), later), "the number of the last message, not of the next");
        assert_eq!(take(&mut d, 4), Numbering::Skipped(1));
    }

    proptest! {
        /// In-order sending with any resends, from any first number, over the wrap: nothing is skipped or late, and all
        /// have their turn at once.
        #[test]
        fn resends_in_order_never_look_like_loss(start: u16, steps in proptest::collection::vec(0u16..4, 1..200)) {
            let mut d = Delivery::default();
            take(&mut d, start);
            let mut next = start.wrapping_add(1);
            for step in steps {
                let ns = next.wrapping_sub(step);
                d.acknowledge(Seq16(ns), at(0, 0));
                let sent = take(&mut d, ns);
                if step == 0 {
                    prop_assert_eq!(sent, Numbering::New);
                    next = next.wrapping_add(1);
                } else if ns.wrapping_sub(start) < 1000 {
                    prop_assert!(matches!(sent, Numbering::Again(_)));
                }
                released(&mut d);
                delivered(&mut d);
                prop_assert!(d.outstanding.len() <= MOST && d.waits() == 0);
            }
        }

        /// Whatever comes in whatever order: what is released never goes back, and nothing grows without bound.
        #[test]
        fn any_numbers_and_acknowledgements(
            steps in proptest::collection::vec((0u16..80, 0u16..100, proptest::bool::ANY), 1..300)
        ) {
            let mut d = Delivery::default();
            let mut last = None;
            for (n, (ns, nr, acknowledges)) in steps.into_iter().enumerate() {
                if acknowledges {
                    d.acknowledge(Seq16(nr), at(n as u64, n as i64));
                } else {
                    d.take(message(ns, n as i64), 1, false);
                }
                for number in released(&mut d).into_iter().flatten() {
                    let late = last.is_some_and(|last: u16| Seq16(last).is_newer_than(Seq16(number)));
                    prop_assert!(!late || number < d.turn.0);
                    last = Some(number);
                }
                delivered(&mut d);
                prop_assert!(d.waits() <= MOST_WAITING && d.holes.len() <= MOST && d.outstanding.len() <= MOST);
            }
        }
    }
}
