//! ICMP errors inside the tunnel, and what they quote.

use std::net::IpAddr;

use crate::analysis::ids::bump;
use crate::dissect::layers::{IcmpBody, IcmpMessage, Quoted};

use super::budget::{Held, TrafficBudget};
use super::evidence::Examples;

/// Kinds of errors that are told apart, of one call.
const MOST_KINDS: usize = 16;

/// Errors of one kind that came from one end, about packets of one protocol.
#[derive(Debug, Clone)]
pub struct IcmpErrors {
    /// The end of the tunnel that they came from.
    pub from: u8,
    /// ICMPv6?
    pub v6: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// How many.
    pub count: u64,
    /// Who sent the first of them.
    pub sender: IpAddr,
    /// What the first of them quotes.
    pub quoted: Option<Quoted>,
    /// The smallest MTU that they tell, in octets.
    pub mtu: Option<u32>,
    /// The first packets.
    pub packets: Examples,
}

/// ICMP errors inside one call.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    kinds: Vec<IcmpErrors>,
    /// Errors of kinds for which there was no room.
    pub elsewhere: u64,
}

/// Whether an error says that what it quotes came to nothing. That a packet is too large or should go another path says no
/// more than that.
pub(super) fn refuses(message: &IcmpMessage) -> bool {
    match (message.v6, message.kind) {
        (false, 3) => message.code != 4,
        (false, 11) | (true, 1 | 3) => true,
        _ => false,
    }
}

impl Errors {
    /// Takes an error that `sender` sent.
    pub(super) fn push(
        &mut self,
        message: &IcmpMessage,
        sender: IpAddr,
        from: u8,
        packet: u64,
        budget: &mut TrafficBudget,
    ) {
        let IcmpBody::Error { quoted, mtu } = message.body else { return };
        let protocol = |quoted: &Option<Quoted>| quoted.map(|quoted| quoted.protocol);
        let same = |known: &IcmpErrors| {
            (known.from, known.v6, known.kind, known.code) == (from, message.v6, message.kind, message.code)
                && protocol(&known.quoted) == protocol(&quoted)
        };
        let at = match self.kinds.iter().position(same) {
            Some(at) => at,
            None if self.kinds.len() < MOST_KINDS && budget.entry() => {
                self.kinds.push(IcmpErrors {
                    from,
                    v6: message.v6,
                    kind: message.kind,
                    code: message.code,
                    count: 0,
                    sender,
                    quoted,
                    mtu,
                    packets: Examples::default(),
                });
                self.kinds.len().saturating_sub(1)
            }
            None => {
                bump(&mut self.elsewhere);
                return;
            }
        };
        if let Some(known) = self.kinds.get_mut(at) {
            bump(&mut known.count);
            known.packets.push(packet);
            known.mtu = match (known.mtu, mtu) {
                (Some(known), Some(mtu)) => Some(known.min(mtu)),
                (known, mtu) => known.or(mtu),
            };
        }
    }

    /// The errors, in the order of the first of each kind.
    pub fn kinds(&self) -> &[IcmpErrors] {
        &self.kinds
    }

    pub(super) fn held(&self) -> Held {
        Held::entries(self.kinds.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Talk, error, syn};

    const CLIENT: &str = "10.99.0.10";
    const LNS: &str = "10.99.0.1";
    const FAR: &str = "192.0.2.7";

    #[test]
    fn by_kind_with_the_smallest_mtu() {
        let mut talk = Talk::default();
        for mtu in [Some(1400), Some(1300), None, Some(1500)] {
            talk.send(1, error(LNS, CLIENT, (3, 4), (CLIENT, FAR, 6, Some((4000, 443))), mtu));
        }
        talk.send(1, error(LNS, CLIENT, (3, 13), (CLIENT, FAR, 17, Some((4000, 53))), None));
        talk.send(0, error(CLIENT, LNS, (3, 3), (LNS, CLIENT, 17, None), None));
        let errors = talk.traffic.errors().expect("errors");
        let found: Vec<_> =
            errors.kinds().iter().map(|one| (one.from, one.kind, one.code, one.count, one.mtu)).collect();
        assert_eq!(found, [(1, 3, 4, 4, Some(1300)), (1, 3, 13, 1, None), (0, 3, 3, 1, None)]);
        assert_eq!(errors.kinds()[0].packets.packets(), [1, 2, 3, 4]);
        assert_eq!(errors.kinds()[1].quoted.and_then(|quoted| quoted.ports), Some((4000, 53)));
    }

    #[test]
    fn an_error_about_a_syn_refuses_it() {
        let mut talk = Talk::default();
        talk.send(0, syn(CLIENT, FAR, 4000, 443, 100)).send(0, syn(CLIENT, FAR, 4001, 443, 100));
        talk.send(1, error(LNS, CLIENT, (3, 13), (CLIENT, FAR, 6, Some((4000, 443))), None)).after(9000);
        talk.send(0, syn(CLIENT, FAR, 4002, 443, 100));
        let tcp = talk.traffic.tcp(0);
        assert_eq!((tcp.refused, tcp.unanswered_syn), (1, 1));
    }

    #[test]
    fn a_redirect_and_a_packet_that_is_too_large_refuse_nothing() {
        let mut talk = Talk::default();
        talk.send(0, syn(CLIENT, FAR, 4000, 443, 100));
        for kind in [(5, 1), (3, 4), (4, 0)] {
            talk.send(1, error(LNS, CLIENT, kind, (CLIENT, FAR, 6, Some((4000, 443))), None));
        }
        // Of another connection, and one that end 0 sent itself.
        talk.send(1, error(LNS, CLIENT, (3, 1), (CLIENT, FAR, 6, Some((4000, 80))), None));
        talk.send(0, error(CLIENT, LNS, (3, 1), (CLIENT, FAR, 6, Some((4000, 443))), None));
        assert_eq!(talk.traffic.tcp(0).refused, 0);
    }

    #[test]
    fn more_kinds_than_there_is_room_for() {
        let mut talk = Talk::default();
        for code in 0..100 {
            talk.send(1, error(LNS, CLIENT, (3, code), (CLIENT, FAR, 6, None), None));
        }
        let errors = talk.traffic.errors().expect("errors");
        assert_eq!((errors.kinds().len(), errors.elsewhere), (16, 84));
    }
}
