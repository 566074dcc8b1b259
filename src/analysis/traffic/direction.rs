//! One direction of a call: what was sent, and whether anything came back.

use crate::analysis::ids::{bump, bump32};
use crate::util::{Duration, Timestamp};

/// A packet: its number and time.
pub type At = (u64, Timestamp);

/// Packets from one end that expect answers, with nothing from the other end between them or after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The first of them.
    pub first: At,
    /// The last of them.
    pub last: At,
    /// How many.
    pub asked: u32,
}

impl Silence {
    /// From the first packet to the last.
    pub fn span(&self) -> Duration {
        self.last.1.since(self.first.1)
    }
}

/// Holes in the sequence numbers of data messages (RFC 2661 section 5.4), and how large the packets around them are. How
/// large those are that are missing stands nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Holes.
    pub count: u32,
    /// Numbers that are missing, late ones among them.
    pub missing: u64,
    /// Octets of the largest IP packet that came right before a hole.
    pub largest_before: u32,
    /// Octets of the largest IP packet that came right after one.
    pub largest_after: u32,
    /// The packets that showed the first and the last one.
    pub shown: Option<(u64, u64)>,
}

/// User packets from one end.
///
/// In this order, so that what each packet changes lies in three cache lines.
#[derive(Debug, Clone, Default)]
#[repr(C, align(64))]
pub struct Direction {
    /// IP packets.
    pub packets: u64,
    /// Their octets, with IP headers.
    pub octets: u64,
    /// The last packet of any kind.
    pub last: Option<At>,
    /// The last packet but those that nobody has to answer.
    pub last_telling: Option<At>,
    /// Octets of the largest packet.
    pub largest: u32,
    /// Octets of the last packet.
    size: u32,
    /// Packets among them that expect an answer.
    pub asking: u64,
    /// The last packet that expects an answer.
    pub last_asking: Option<At>,
    /// The first packet of any kind.
    pub first: Option<At>,
    /// Packets that expect an answer, since the other end last sent any but such as nobody has to answer.
    pub silence: Option<Silence>,
    after_gap: bool,
    /// The longest such silence that ended.
    pub longest: Option<Silence>,
    /// Packets among them that nobody has to answer: they prove nothing in either direction.
    pub to_nobody: u64,
    /// Holes in the sequence numbers.
    pub gaps: Gaps,
}

impl Direction {
    /// Reads one of each line that a packet changes.
    pub(super) fn touch(&self) -> u64 {
        self.packets ^ u64::from(self.largest) ^ u64::from(self.silence.is_some())
    }

    /// Counts a packet.
    #[inline]
    pub(super) fn push(&mut self, at: At, octets: u32) {
        bump(&mut self.packets);
        self.octets = self.octets.saturating_add(octets.into());
        self.first.get_or_insert(at);
        self.last = Some(at);
        self.largest = self.largest.max(octets);
        self.size = octets;
        if self.after_gap {
            self.after_gap = false;
            self.gaps.largest_after = self.gaps.largest_after.max(octets);
        }
    }

    /// The packet expects an answer.
    #[inline]
    pub(super) fn asks(&mut self, at: At) {
        bump(&mut self.asking);
        self.last_asking = Some(at);
        match &mut self.silence {
            Some(silence) => {
                silence.last = at;
                bump32(&mut silence.asked);
            }
            None => self.silence = Some(Silence { first: at, last: at, asked: 1 }),
        }
    }

    /// The other end sent something.
    #[inline]
    pub(super) fn heard(&mut self) {
        if let Some(silence) = &self.silence {
            if silence.asked > 1 && self.longest.is_none_or(|longest| silence.span() > longest.span()) {
                self.longest = Some(*silence);
            }
            self.silence = None;
        }
    }

    /// Numbers are missing before the next packet.
    #[cold]
    pub(super) fn gap(&mut self, packet: u64, missing: u16) {
        let gaps = &mut self.gaps;
        bump32(&mut gaps.count);
        gaps.missing = gaps.missing.saturating_add(missing.into());
        gaps.largest_before = gaps.largest_before.max(self.size);
        gaps.shown = Some((gaps.shown.map_or(packet, |(first, _)| first), packet));
        self.after_gap = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Talk, dns, echo, reply, syn, tcp, udp};

    const CLIENT: &str = "10.99.0.10";
    const FAR: &str = "192.0.2.7";

    #[test]
    fn one_end_asks_and_the_other_is_silent() {
        for ask in [echo(CLIENT, FAR, 1, 1), syn(CLIENT, FAR, 4000, 80, 1), dns(CLIENT, FAR, 4000, 1)] {
            let mut talk = Talk::default();
            talk.send(0, ask).after(3000).send(0, ask).after(3000).send(0, ask);
            let silence = talk.traffic.direction(0).silence.expect("silence");
            assert_eq!((silence.asked, silence.first.0, silence.last.0), (3, 1, 3), "{ask:?}");
            assert_eq!(talk.traffic.direction(1).packets, 0);
        }
    }

    #[test]
    fn what_nobody_has_to_answer_ends_no_silence_and_begins_none() {
        let mut talk = Talk::default();
        talk.send(0, udp(CLIENT, "224.0.0.252", 4000, 5355))
            .send(0, udp(CLIENT, "239.255.255.250", 4000, 1900));
        let first = talk.traffic.direction(0);
        assert_eq!((first.packets, first.asking, first.to_nobody, first.silence), (2, 0, 2, None));
        talk.send(0, echo(CLIENT, FAR, 1, 1)).send(1, udp("10.99.0.1", "224.0.0.1", 1, 2));
        assert_eq!(talk.traffic.direction(0).silence.map(|silence| silence.asked), Some(1));
    }

    #[test]
    fn an_idle_user_an_answered_one_and_one_who_only_sends() {
        let mut talk = Talk::default();
        talk.send(0, echo(CLIENT, FAR, 1, 1)).send(1, reply(FAR, CLIENT, 1, 1)).after(600_000);
        assert_eq!(talk.traffic.direction(0).silence, None);
        // A stream that nobody answers.
        talk.send(0, udp(CLIENT, FAR, 5004, 5004)).after(20).send(0, udp(CLIENT, FAR, 5004, 5004));
        assert_eq!((talk.traffic.direction(0).silence, talk.traffic.direction(0).asking), (None, 1));
        // Acknowledgements alone expect nothing.
        talk.send(0, tcp(CLIENT, FAR, 4000, 80, 1, 1, 0));
        assert_eq!(talk.traffic.direction(0).silence, None);
    }

    #[test]
    fn the_longest_silence_that_ended_is_kept() {
        let mut talk = Talk::default();
        for (sequence, pause) in [(1, 100), (2, 9000), (3, 50)] {
            talk.send(0, echo(CLIENT, FAR, 1, sequence)).after(pause).send(0, echo(CLIENT, FAR, 2, sequence));
            talk.send(1, reply(FAR, CLIENT, 2, sequence));
        }
        let longest = talk.traffic.direction(0).longest.expect("a silence");
        assert_eq!((longest.first.0, longest.last.0, longest.asked), (4, 5, 2));
        assert_eq!(longest.span().as_seconds(), 9.0);
    }

    #[test]
    fn sizes_around_holes() {
        let mut talk = Talk::default();
        talk.send_octets(0, udp(CLIENT, FAR, 1, 2), 60).gap(0, 2).send_octets(0, udp(CLIENT, FAR, 1, 2), 80);
        talk.send_octets(0, udp(CLIENT, FAR, 1, 2), 1400);
        let direction = talk.traffic.direction(0);
        let gaps = direction.gaps;
        assert_eq!((gaps.count, gaps.missing, gaps.largest_before, gaps.largest_after), (1, 2, 60, 80));
        assert_eq!((direction.largest, gaps.shown), (1400, Some((2, 2))));
    }
}
