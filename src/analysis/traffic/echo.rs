//! Echo requests and replies (RFC 792, RFC 4443 section 4): what was asked and answered, and where.

use std::net::IpAddr;

use crate::analysis::ids::bump;
use crate::dissect::layers::{Addresses, IcmpBody, IcmpMessage};
use crate::util::{Duration, Timestamp};

use super::TunnelAddresses;
use super::answers::to_many;
use super::budget::{Held, TrafficBudget};
use super::evidence::{Examples, RoundTrip, RoundTrips};
use super::waiting::{Asked, Question, Waiting};

/// Destinations that are told apart, of one end and call.
const MOST_DESTINATIONS: usize = 32;
/// Most programs ask once a second and take what comes later as lost; no path that carries speech takes so long.
const WAIT: Duration = Duration::seconds(1);

/// Where a destination lies, seen from the end that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// It is the other end of the tunnel itself.
    Peer,
    /// It lies beyond the other end of the tunnel.
    Beyond,
}

/// Echo requests from one end to one address.
#[derive(Debug, Clone, Copy)]
pub struct Destination {
    /// The address.
    pub address: IpAddr,
    /// Where it lies; `None` while the PPP address of the other end is not known.
    pub target: Option<Target>,
    /// Requests.
    pub asked: u64,
    /// Replies to them.
    pub answered: u64,
    /// Octets of the largest request (the whole IP packet, not in fragments) that was answered.
    pub largest_answered: Option<u32>,
}

/// A request: its destination, Identifier and Sequence Number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    destination: IpAddr,
    identifier: u16,
    sequence: u16,
}

/// Echo requests that one end of a tunnel sent through it, and the replies to them.
#[derive(Debug, Clone, Default)]
pub struct Echo {
    waiting: Waiting<Key>,
    round_trips: RoundTrips,
    destinations: Vec<Destination>,
    /// Requests to addresses for which there was no room.
    pub elsewhere: u64,
    /// The first requests.
    pub requests: Examples,
    /// The first replies to them.
    pub replies: Examples,
}

impl Echo {
    /// A request of `octets` (0 in fragments) from the end `from`.
    pub(super) fn request(
        &mut self,
        destination: IpAddr,
        (identifier, sequence): (u16, u16),
        at: (u64, Timestamp),
        octets: u32,
        target: Option<Target>,
        budget: &mut TrafficBudget,
    ) {
        let key = Key { destination, identifier, sequence };
        if !self.waiting.ask(Question { key, at, octets }, WAIT, budget) {
            return;
        }
        self.requests.push(at.0);
        match self.destination(destination, budget) {
            Some(known) => {
                bump(&mut known.asked);
                known.target = known.target.or(target);
            }
            None => bump(&mut self.elsewhere),
        }
    }

    fn destination(&mut self, address: IpAddr, budget: &mut TrafficBudget) -> Option<&mut Destination> {
        let at = match self.destinations.iter().position(|known| known.address == address) {
            Some(at) => at,
            None if self.destinations.len() < MOST_DESTINATIONS && budget.entry() => {
                self.destinations.push(Destination {
                    address,
                    target: None,
                    asked: 0,
                    answered: 0,
                    largest_answered: None,
                });
                self.destinations.len().saturating_sub(1)
            }
            None => return None,
        };
        self.destinations.get_mut(at)
    }

    /// A reply from `source`.
    pub(super) fn reply(&mut self, source: IpAddr, (identifier, sequence): (u16, u16), at: (u64, Timestamp)) {
        let key = Key { destination: source, identifier, sequence };
        let Some(question) = self.waiting.answer(&key) else { return };
        self.round_trips.push(at.1.since(question.at.1));
        self.replies.push(at.0);
        if let Some(known) = self.destinations.iter_mut().find(|known| known.address == source) {
            bump(&mut known.answered);
            if question.octets > 0 {
                known.largest_answered = known.largest_answered.max(Some(question.octets));
            }
        }
    }

    /// What came of the requests, as of the time of the last packet of the call.
    pub fn counts(&self, now: Timestamp) -> Asked {
        self.waiting.counts(now, WAIT)
    }

    /// From request to reply.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trips.summary()
    }

    /// The addresses that were asked, in the order of their first requests.
    pub fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// Asked and answered at destinations that lie there.
    pub fn at(&self, target: Target) -> (u64, u64) {
        self.destinations.iter().filter(|known| known.target == Some(target)).fold(
            (0, 0),
            |(asked, answered), known| {
                (asked.saturating_add(known.asked), answered.saturating_add(known.answered))
            },
        )
    }

    /// Octets of the smallest request (the whole IP packet, not in fragments) to `destination` that waits in vain.
    pub fn smallest_in_vain(&self, destination: IpAddr, now: Timestamp) -> Option<u32> {
        let overdue = self.waiting.overdue(now, WAIT);
        overdue
            .filter(|question| question.octets > 0 && question.key.destination == destination)
            .map(|q| q.octets)
            .min()
    }

    /// Packets of the first requests that were not answered.
    pub fn in_vain(&self, now: Timestamp) -> Examples {
        self.waiting.in_vain(now, WAIT)
    }

    pub(super) fn held(&self) -> Held {
        self.waiting.held().and(Held::entries(self.destinations.len()))
    }
}

/// Where `destination` lies for packets that the end `from` sends.
pub(super) fn target(destination: IpAddr, from: u8, tunnel: &TunnelAddresses<'_>) -> Option<Target> {
    match destination {
        // On a link between two, whoever else has such an address is the other end.
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(Target::Peer),
        IpAddr::V4(address) => {
            let peer = (*tunnel.ppp.get(usize::from(1u8.saturating_sub(from)))?)?;
            Some(if address == peer { Target::Peer } else { Target::Beyond })
        }
        IpAddr::V6(_) => Some(Target::Beyond),
    }
}

/// What an echo message says to the tables: whether it is a reply, whose address matters, its numbers.
pub(super) fn message(message: &IcmpMessage, ends: &Addresses) -> Option<(bool, IpAddr, (u16, u16))> {
    let IcmpBody::Echo { reply, identifier, sequence } = message.body else { return None };
    let address = if reply { ends.source } else { ends.destination };
    (reply || !to_many(address)).then_some((reply, address, (identifier, sequence)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Talk, echo, reply};
    use super::*;

    const CLIENT: &str = "10.99.0.10";
    const LNS: &str = "10.99.0.1";
    const FAR: &str = "192.0.2.7";

    fn counts(talk: &Talk) -> (u64, u64, u64, u64) {
        let asked = talk.traffic.echo_counts(0).expect("echoes");
        (asked.asked, asked.answered, asked.unanswered, asked.open)
    }

    #[test]
    fn the_other_end_answers_and_what_lies_beyond_does_not() {
        let mut talk = Talk::default();
        for sequence in 0..4 {
            talk.send(0, echo(CLIENT, LNS, 7, sequence)).after(20).send(1, reply(LNS, CLIENT, 7, sequence));
            talk.send(0, echo(CLIENT, FAR, 8, sequence)).after(980);
        }
        talk.after(1000).send(0, echo(CLIENT, LNS, 7, 99));
        assert_eq!(counts(&talk), (9, 4, 4, 1));
        let found = talk.traffic.echo(0).expect("echoes");
        assert_eq!((found.at(Target::Peer), found.at(Target::Beyond)), ((5, 4), (4, 0)));
        assert_eq!(found.in_vain(talk.traffic.last().expect("a time")).packets(), [3, 6, 9, 12]);
        assert_eq!(found.round_trip().map(|trip| trip.median), Some(Duration::millis(20)));
        assert_eq!((found.requests.packets().len(), found.replies.packets()), (8, &[2, 5, 8, 11][..]));
        assert!(talk.traffic.echo(1).is_none());
    }

    #[test]
    fn ipv6_both_ends_and_out_of_order() {
        let mut talk = Talk::default();
        talk.send(1, echo("fe80::1", "fe80::2", 1, 1)).send(1, echo("fe80::1", "fe80::2", 1, 2));
        talk.send(0, reply("fe80::2", "fe80::1", 1, 2)).send(0, reply("fe80::2", "fe80::1", 1, 1));
        let found = talk.traffic.echo(1).expect("echoes");
        assert_eq!(found.at(Target::Peer), (2, 2));
    }

    #[test]
    fn what_is_no_answer() {
        let mut talk = Talk::default();
        talk.send(0, echo(CLIENT, FAR, 7, 1));
        // Of another address, another number, to another request, and from the end that asked.
        talk.send(1, reply(LNS, CLIENT, 7, 1)).send(1, reply(FAR, CLIENT, 7, 2));
        talk.send(1, reply(FAR, CLIENT, 8, 1)).send(0, reply(FAR, CLIENT, 7, 1));
        talk.after(5000).send(1, echo(FAR, CLIENT, 9, 9));
        assert_eq!(counts(&talk), (1, 0, 1, 0));
    }

    #[test]
    fn a_reply_that_comes_twice_or_unasked_is_one_or_none() {
        let mut talk = Talk::default();
        talk.send(1, reply(FAR, CLIENT, 3, 3)).send(0, echo(CLIENT, FAR, 7, 1));
        talk.send(1, reply(FAR, CLIENT, 7, 1)).send(1, reply(FAR, CLIENT, 7, 1));
        assert_eq!(counts(&talk), (1, 1, 0, 0));
    }

    #[test]
    fn sizes_that_pass_and_sizes_that_do_not() {
        let mut talk = Talk::default();
        for (sequence, octets) in [(1, 84), (2, 1400), (3, 1428), (4, 1300)] {
            talk.send_octets(0, echo(CLIENT, FAR, 7, sequence), octets);
            if octets <= 1400 {
                talk.after(10).send_octets(1, reply(FAR, CLIENT, 7, sequence), octets);
            }
            talk.after(2000);
        }
        talk.send(0, echo(CLIENT, LNS, 1, 1));
        let (found, now) = (talk.traffic.echo(0).expect("echoes"), talk.traffic.last().expect("a time"));
        let far = found.destinations().first().expect("a destination");
        assert_eq!(far.largest_answered, Some(1400));
        assert_eq!(found.smallest_in_vain(far.address, now), Some(1428));
    }

    #[test]
    fn a_ping_of_all_hosts_waits_for_nobody() {
        let mut talk = Talk::default();
        talk.send(0, echo(CLIENT, "224.0.0.1", 7, 1)).after(5000).send(0, echo(CLIENT, FAR, 7, 2));
        assert_eq!(counts(&talk), (1, 0, 0, 1));
    }
}
