//! Questions to DNS servers in UDP and their answers (RFC 1035 section 4.1.1), by server.

use std::net::IpAddr;

use crate::analysis::ids::bump;
use crate::dissect::layers::DnsHeader;
use crate::util::{Duration, Timestamp};

use super::answers::{DNS, to_many};
use super::budget::{Held, TrafficBudget};
use super::evidence::{Examples, RoundTrip, RoundTrips};
use super::waiting::{Asked, Question, Waiting};

/// Servers that are told apart, of one end and call.
const MOST_SERVERS: usize = 16;
/// Resolvers ask again, or another server, after one to five seconds: by then the first question was too long on its way.
const WAIT: Duration = Duration::seconds(2);
const SERVER_FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;

/// What one server said to one end.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// Its address.
    pub address: IpAddr,
    /// Questions; one that is asked again is the same one.
    pub asked: u64,
    /// Answers of any kind.
    pub answered: u64,
    /// Answers among them that there is no such name (RCODE 3).
    pub no_such_name: u64,
    /// Answers among them that refuse (RCODE 5) or say that the server failed (RCODE 2).
    pub refused: u64,
}

/// A question: whom, from which port, with which ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    server: IpAddr,
    port: u16,
    id: u16,
}

/// Questions that one end of a tunnel sent through it to DNS servers, and the answers to them.
#[derive(Debug, Clone, Default)]
pub struct Dns {
    waiting: Waiting<Key>,
    round_trips: RoundTrips,
    servers: Vec<Server>,
    /// Questions to servers for which there was no room.
    pub elsewhere: u64,
    /// Questions that were asked again before they were answered.
    pub repeated: u64,
    /// Answers to a question that another server was asked: whoever asked drops them.
    pub strange: u64,
    /// Packets of the first of them.
    pub strange_packets: Examples,
    /// The first answers.
    pub answers: Examples,
    /// The first answers that refuse or say that the server failed.
    pub refusals: Examples,
}

impl Dns {
    /// A question from `port`.
    pub(super) fn question(
        &mut self,
        server: IpAddr,
        port: u16,
        dns: DnsHeader,
        at: (u64, Timestamp),
        budget: &mut TrafficBudget,
    ) {
        if to_many(server) {
            return;
        }
        let key = Key { server, port, id: dns.id };
        if !self.waiting.ask(Question { key, at, octets: 0 }, WAIT, budget) {
            bump(&mut self.repeated);
            return;
        }
        match self.server(server, budget) {
            Some(known) => bump(&mut known.asked),
            None => bump(&mut self.elsewhere),
        }
    }

    fn server(&mut self, address: IpAddr, budget: &mut TrafficBudget) -> Option<&mut Server> {
        let at = match self.servers.iter().position(|known| known.address == address) {
            Some(at) => at,
            None if self.servers.len() < MOST_SERVERS && budget.entry() => {
                self.servers.push(Server { address, asked: 0, answered: 0, no_such_name: 0, refused: 0 });
                self.servers.len().saturating_sub(1)
            }
            None => return None,
        };
        self.servers.get_mut(at)
    }

    /// An answer to `port`.
    pub(super) fn answer(&mut self, server: IpAddr, port: u16, dns: DnsHeader, at: (u64, Timestamp)) {
        let key = Key { server, port, id: dns.id };
        let Some(question) = self.waiting.answer(&key) else {
            if self.waiting.any(|known| Key { server, ..known.key } == key) {
                bump(&mut self.strange);
                self.strange_packets.push(at.0);
            }
            return;
        };
        self.round_trips.push(at.1.since(question.at.1));
        self.answers.push(at.0);
        let refuses = matches!(dns.rcode, SERVER_FAILURE | REFUSED);
        if refuses {
            self.refusals.push(at.0);
        }
        if let Some(known) = self.servers.iter_mut().find(|known| known.address == server) {
            bump(&mut known.answered);
            if refuses {
                bump(&mut known.refused);
            } else if dns.rcode == NO_SUCH_NAME {
                bump(&mut known.no_such_name);
            }
        }
    }

    /// What came of the questions, as of the time of the last packet of the call.
    pub fn counts(&self, now: Timestamp) -> Asked {
        self.waiting.counts(now, WAIT)
    }

    /// From question to answer.
    pub fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trips.summary()
    }

    /// The servers, in the order of their first questions.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Packets of the first questions that were not answered.
    pub fn in_vain(&self, now: Timestamp) -> Examples {
        self.waiting.in_vain(now, WAIT)
    }

    pub(super) fn held(&self) -> Held {
        self.waiting.held().and(Held::entries(self.servers.len()))
    }
}

/// Whether a DNS message is a question (`false`) or an answer (`true`), where its ports and its header agree, and the port
/// of whoever asks.
pub(super) fn direction(dns: DnsHeader, (source, destination): (u16, u16)) -> Option<(bool, u16)> {
    match dns.response {
        false if destination == DNS => Some((false, source)),
        true if source == DNS => Some((true, destination)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Talk, answer, dns};
    use super::*;

    const CLIENT: &str = "10.99.0.10";
    const FIRST: &str = "192.0.2.53";
    const SECOND: &str = "198.51.100.53";

    fn counts(talk: &Talk) -> (u64, u64, u64, u64) {
        let asked = talk.traffic.dns_counts(0).expect("questions");
        (asked.asked, asked.answered, asked.unanswered, asked.open)
    }

    #[test]
    fn a_resolver_that_tries_one_server_and_then_the_other() {
        let mut talk = Talk::default();
        talk.send(0, dns(CLIENT, FIRST, 4000, 1)).after(5000).send(0, dns(CLIENT, FIRST, 4000, 1));
        talk.after(5000).send(0, dns(CLIENT, SECOND, 4001, 2)).after(30);
        talk.send(1, answer(SECOND, CLIENT, 4001, 2, 0)).after(9000).send(0, dns(CLIENT, FIRST, 4002, 3));
        assert_eq!(counts(&talk), (3, 1, 1, 1));
        let found = talk.traffic.dns(0).expect("questions");
        let servers: Vec<_> = found.servers().iter().map(|one| (one.asked, one.answered)).collect();
        assert_eq!((servers, found.repeated), (vec![(2, 0), (1, 1)], 1));
        assert_eq!(found.in_vain(talk.traffic.last().expect("a time")).packets(), [1]);
        assert_eq!(found.round_trip().map(|trip| trip.max), Some(Duration::millis(30)));
    }

    #[test]
    fn refusals_and_names_that_do_not_exist_are_answers() {
        let mut talk = Talk::default();
        for (id, rcode) in [(1, 0), (2, 2), (3, 3), (4, 5)] {
            talk.send(0, dns(CLIENT, FIRST, 4000, id)).send(1, answer(FIRST, CLIENT, 4000, id, rcode));
        }
        assert_eq!(counts(&talk), (4, 4, 0, 0));
        let found = talk.traffic.dns(0).expect("questions");
        let server = found.servers().first().expect("a server");
        assert_eq!((server.no_such_name, server.refused), (1, 2));
        assert_eq!(found.refusals.packets(), [4, 8]);
    }

    #[test]
    fn an_answer_from_another_server_is_none() {
        let mut talk = Talk::default();
        talk.send(0, dns(CLIENT, FIRST, 4000, 1)).send(1, answer(SECOND, CLIENT, 4000, 1, 0)).after(3000);
        talk.send(0, dns(CLIENT, SECOND, 4000, 9));
        assert_eq!(counts(&talk), (2, 0, 1, 1));
        let found = talk.traffic.dns(0).expect("questions");
        assert_eq!((found.strange, found.strange_packets.packets()), (1, &[2][..]));
    }

    #[test]
    fn what_is_near_an_answer() {
        let mut talk = Talk::default();
        talk.send(0, dns(CLIENT, FIRST, 4000, 1));
        // Another ID, another port, and what the end that asks sends itself.
        talk.send(1, answer(FIRST, CLIENT, 4000, 2, 0)).send(1, answer(FIRST, CLIENT, 4001, 1, 0));
        talk.send(0, answer(FIRST, CLIENT, 4000, 1, 0))
            .after(9000)
            .send(0, dns(CLIENT, "255.255.255.255", 1, 1));
        assert_eq!(counts(&talk), (1, 0, 1, 0));
        assert_eq!(talk.traffic.dns(0).map(|found| found.strange), Some(0));
    }
}
