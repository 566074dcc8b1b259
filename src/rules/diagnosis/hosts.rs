//! What goes on below L2TP between two hosts, gathered once for all attempts.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::IkeSa;

use super::super::Case;

/// IKE SAs, flows and connections of one pair of hosts that are looked at: a flood of them must not take hours.
const MOST: usize = 64;

/// Two hosts, the smaller address first.
pub(super) type Pair = (IpAddr, IpAddr);

pub(super) fn pair(one: IpAddr, other: IpAddr) -> Pair {
    (one.min(other), one.max(other))
}

/// What goes on between two hosts.
#[derive(Debug, Default)]
pub(super) struct Between<'a> {
    pub ike: Vec<&'a IkeSa>,
    pub flows: Vec<&'a Flow>,
    /// There is L2TP that can be read.
    pub l2tp: bool,
}

/// All pairs of hosts, and the order in which they appeared.
#[derive(Debug, Default)]
pub(super) struct Hosts<'a> {
    known: HashMap<Pair, Between<'a>>,
    order: Vec<Pair>,
    /// Hosts that answered an SCCRQ.
    answering: HashSet<IpAddr>,
    nothing: Between<'a>,
}

fn add<T>(list: &mut Vec<T>, one: T) {
    if list.len() < MOST {
        list.push(one);
    }
}

impl<'a> Hosts<'a> {
    pub(super) fn of(case: &Case<'a>) -> Self {
        let mut hosts = Self::default();
        for sa in &case.analysis.ike {
            add(&mut hosts.at(pair(sa.initiator, sa.responder)).ike, sa);
        }
        for flow in &case.analysis.flows {
            let (from, to) = (flow.addresses.source, flow.addresses.destination);
            add(&mut hosts.at(pair(from, to)).flows, flow);
        }
        for connection in case.analysis.connections.iter() {
            let [one, other] = connection.ends.each_ref().map(|end| end.endpoint.address);
            if let Some(between) = hosts.known.get_mut(&pair(one, other)) {
                between.l2tp = true;
            }
            if connection.was_established {
                hosts.answering.insert(other);
            }
        }
        hosts
    }

    fn at(&mut self, pair: Pair) -> &mut Between<'a> {
        let order = &mut self.order;
        self.known.entry(pair).or_insert_with(|| {
            order.push(pair);
            Between::default()
        })
    }

    /// What goes on between two hosts.
    pub(super) fn between(&self, pair: Pair) -> &Between<'a> {
        self.known.get(&pair).unwrap_or(&self.nothing)
    }

    /// Whether a host answered some SCCRQ.
    pub(super) fn answers(&self, host: IpAddr) -> bool {
        self.answering.contains(&host)
    }

    /// Pairs of hosts with IKE or ESP, and no L2TP that can be read.
    pub(super) fn without_l2tp(&self) -> impl Iterator<Item = Pair> + '_ {
        self.order.iter().copied().filter(|pair| !self.between(*pair).l2tp)
    }
}

impl Between<'_> {
    /// ESP packets from a host.
    pub(super) fn esp_from(&self, host: IpAddr) -> u64 {
        self.flows_from(host).map(Flow::packets).sum()
    }

    /// SAs with which a host sends.
    pub(super) fn flows_from(&self, host: IpAddr) -> impl Iterator<Item = &Flow> {
        self.flows.iter().copied().filter(move |flow| flow.addresses.source == host)
    }
}
