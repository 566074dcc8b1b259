//! One TCP connection: how it is opened (RFC 9293 section 3.5), and its two directions.

use crate::dissect::layers::TcpSegment;
use crate::util::Timestamp;

use super::half::Half;
use super::totals::{Key, TcpTotals};
use crate::analysis::ids::bump;

/// How far a connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is known: it was there before the capture.
    Unknown,
    /// A SYN.
    Asked,
    /// A SYN, and one that answers it.
    Answered,
    /// And that was acknowledged.
    Open,
    /// The SYN was answered with a RST or an ICMP error.
    Refused,
}

/// The SYN that began a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// The end that sent it.
    pub opener: u8,
    /// Its Sequence Number; `None` if only the answer to it was seen.
    sequence: Option<u32>,
    /// Its first packet.
    pub syn: (u64, Timestamp),
    /// How often it was sent.
    pub copies: u16,
    /// When it was answered.
    pub answered: Timestamp,
}

/// One TCP connection.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub key: Key,
    pub state: State,
    pub opening: Option<Opening>,
    /// What each end sends.
    pub halves: [Half; 2],
}

impl Flow {
    pub(super) fn new(key: Key) -> Self {
        Self { key, state: State::Unknown, opening: None, halves: [Half::default(), Half::default()] }
    }

    /// The end that opened it.
    pub(super) fn opener(&self) -> usize {
        self.opening.map_or(0, |opening| opening.opener.into())
    }

    /// Reads a little of all that [`Flow::push`] changes, so that it is near by then.
    pub(super) fn touch(&self) -> u64 {
        self.halves.iter().fold(u64::from(self.state == State::Open), |sum, half| sum ^ half.touch())
    }

    /// Whether this is the SYN of another connection between the same ports.
    pub(super) fn begins_anew(&self, segment: &TcpSegment, from: u8) -> bool {
        let syn = segment.flags & (TcpSegment::SYN | TcpSegment::ACK) == TcpSegment::SYN;
        syn && match &self.opening {
            Some(opening) => {
                opening.opener != from || opening.sequence.is_some_and(|known| known != segment.sequence)
            }
            // Segments without their SYN, and now a SYN.
            None => self.halves.iter().any(Half::has_begun),
        }
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        segment: &TcpSegment,
        from: u8,
        at: (u64, Timestamp),
        octets: u32,
        totals: &mut [TcpTotals; 2],
    ) {
        let control = segment.flags & (TcpSegment::SYN | TcpSegment::RST) != 0;
        if control || self.state != State::Open {
            self.handshake(segment, from, at, totals);
        }
        let ([first, second], [mine, theirs]) = (&mut self.halves, totals);
        let (sender, receiver, mine, theirs) =
            if from == 0 { (first, second, mine, theirs) } else { (second, first, theirs, mine) };
        if segment.has(TcpSegment::ACK) && !segment.has(TcpSegment::RST) {
            receiver.acknowledged(segment.acknowledgment, theirs);
        }
        match segment.payload {
            Some(payload) if payload > 0 => {
                let syn = u32::from(segment.has(TcpSegment::SYN));
                sender.data(segment.sequence.wrapping_add(syn), payload, at, octets, mine);
            }
            _ => {}
        }
    }

    fn handshake(
        &mut self,
        segment: &TcpSegment,
        from: u8,
        at: (u64, Timestamp),
        totals: &mut [TcpTotals; 2],
    ) {
        let (syn, ack) = (segment.has(TcpSegment::SYN), segment.has(TcpSegment::ACK));
        if segment.has(TcpSegment::RST) {
            self.refuse(1u8.saturating_sub(from), totals);
        } else if syn && !ack {
            self.asked(segment, from, at);
        } else if syn {
            self.answered(segment, from, at, totals);
        } else if ack {
            self.acknowledged(totals);
        }
        if let (true, Some(half)) = (syn, self.halves.get_mut(usize::from(from))) {
            half.begin(segment.sequence.wrapping_add(1));
        }
    }

    fn asked(&mut self, segment: &TcpSegment, from: u8, at: (u64, Timestamp)) {
        match &mut self.opening {
            Some(opening) => {
                opening.sequence = Some(segment.sequence);
                opening.copies = opening.copies.saturating_add(1);
            }
            None => {
                let sequence = Some(segment.sequence);
                self.opening = Some(Opening { opener: from, sequence, syn: at, copies: 1, answered: at.1 });
                self.state = State::Asked;
            }
        }
    }

    fn answered(
        &mut self,
        segment: &TcpSegment,
        from: u8,
        at: (u64, Timestamp),
        totals: &mut [TcpTotals; 2],
    ) {
        let opening = self.opening.get_or_insert(Opening {
            opener: 1u8.saturating_sub(from),
            sequence: None,
            syn: at,
            copies: 0,
            answered: at.1,
        });
        let fits = opening.sequence.is_none_or(|sequence| sequence.wrapping_add(1) == segment.acknowledgment);
        if from == opening.opener || !fits || matches!(self.state, State::Answered | State::Open) {
            return;
        }
        self.state = State::Answered;
        opening.answered = at.1;
        // Of a SYN that was sent again nobody knows which copy is answered.
        if let (1, Some(totals)) = (opening.copies, totals.get_mut(usize::from(opening.opener))) {
            totals.round_trips.push(at.1.since(opening.syn.1));
        }
    }

    /// A segment after the SYNs: it shows that both came through, even if the capture lacks the second.
    fn acknowledged(&mut self, totals: &mut [TcpTotals; 2]) {
        let Some(opening) = &self.opening else { return };
        if !matches!(self.state, State::Asked | State::Answered) {
            return;
        }
        self.state = State::Open;
        if let Some(totals) = totals.get_mut(usize::from(opening.opener)) {
            bump(&mut totals.opened);
            totals.opened_packets.push(opening.syn.0);
        }
    }

    /// The SYN of the end `asker`, if one waits, came to nothing.
    pub(super) fn refuse(&mut self, asker: u8, totals: &mut [TcpTotals; 2]) {
        let Some(opening) = self.opening.filter(|opening| opening.opener == asker) else { return };
        if self.state != State::Asked {
            return;
        }
        self.state = State::Refused;
        if let Some(totals) = totals.get_mut(usize::from(asker)) {
            bump(&mut totals.refused);
            totals.refused_packets.push(opening.syn.0);
        }
    }
}
