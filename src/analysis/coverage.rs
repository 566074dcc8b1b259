//! What the capture as a whole can know: whose packets could not be read, and until when. The question of one end is in
//! `known`.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::ipsec::flow::Flow;
use crate::ipsec::Spi;
use crate::util::Timestamp;

/// Packets from one host that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// How many.
    pub packets: u64,
    /// The SA of the last of them.
    pub spi: Spi,
    /// When that came.
    pub last: Timestamp,
}

/// What is looked up about the capture as a whole.
#[derive(Debug, Default)]
pub struct Coverage {
    sealed: HashMap<IpAddr, Sealed>,
}

impl Coverage {
    pub(super) fn of(flows: &[Flow]) -> Self {
        let mut sealed: HashMap<IpAddr, Sealed> = HashMap::new();
        for flow in flows {
            let packets = flow.no_key.saturating_add(flow.bad_icv).saturating_add(flow.bad_padding);
            if packets == 0 {
                continue;
            }
            let last = flow.last.0;
            let known =
                sealed.entry(flow.addresses.source).or_insert(Sealed { packets: 0, spi: flow.spi, last });
            known.packets = known.packets.saturating_add(packets);
            if last >= known.last {
                (known.last, known.spi) = (last, flow.spi);
            }
        }
        Self { sealed }
    }

    /// Packets from a host after a moment that could not be read.
    pub fn sealed_from(&self, host: IpAddr, since: Timestamp) -> Option<Sealed> {
        self.sealed.get(&host).copied().filter(|sealed| sealed.last > since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::{Addresses, Encapsulation, Esp, EspOutcome};

    #[test]
    fn what_could_not_be_read_is_known_by_host_and_time() {
        let host = |last: u8| IpAddr::from([192, 0, 2, last]);
        let esp = |spi: u32, from: u8| Esp {
            spi: Spi(spi),
            sequence: 1,
            addresses: Addresses { source: host(from), destination: host(9) },
            encapsulation: Encapsulation::Ip,
            ports: None,
            octets: 100,
            outcome: EspOutcome::NoKey,
            legible: false,
        };
        let mut flows = Vec::new();
        for (spi, from, time) in [(1, 1, 10), (2, 1, 20), (3, 2, 5)] {
            let esp = esp(spi, from);
            let mut flow = Flow::new(&esp, Timestamp(time), 1);
            flow.push(&esp, Timestamp(time), 1);
            flows.push(flow);
        }
        let coverage = Coverage::of(&flows);
        let sealed = coverage.sealed_from(host(1), Timestamp(15)).expect("sealed");
        assert_eq!((sealed.packets, sealed.spi, sealed.last), (2, Spi(2), Timestamp(20)));
        assert_eq!(coverage.sealed_from(host(1), Timestamp(20)), None, "nothing after that");
        assert_eq!(coverage.sealed_from(host(9), Timestamp(0)), None, "it sends nothing");
    }
}
