//! What a tracker has found: the tables that rules and reports read.

use std::net::IpAddr;

use crate::util::Duration;

use super::control::call::Call;
use super::control::connection::Connection;
use super::coverage::Coverage;
use super::ids::{CallId, ConnectionId, FlowId, bump};
use super::ipsec::flow::Flow;
use super::ipsec::fragments::Fragmented;
use super::ipsec::ike::sa::IkeSa;
use super::ipsec::nat::Keepalives;
use super::limits::Limit;
use super::log::Log;
use super::log::noted::Noted;
use super::meta::Totals;
use super::release::LetGo;
use super::table::Table;

// As many to a page as fill a piece of memory of the allocator, whose sizes are far apart.
const CONNECTIONS_A_PAGE: usize = 15;
const CALLS_A_PAGE: usize = 17;

/// What a [`Tracker`] has found.
#[derive(Debug)]
pub struct Analysis {
    /// Counts over the capture.
    pub totals: Totals,
    /// Control connections.
    pub connections: Table<ConnectionId, Connection, CONNECTIONS_A_PAGE>,
    /// Calls of all connections.
    pub calls: Table<CallId, Call, CALLS_A_PAGE>,
    /// ESP flows.
    pub flows: Vec<Flow>,
    /// IKE SAs.
    pub ike: Vec<IkeSa>,
    /// What happened to the capture as a whole, and is worth a rule.
    pub log: Log,
    /// Limits that were reached, and how much was left out.
    pub reached: Vec<(Limit, u64)>,
    /// IP datagrams of which fragments are missing.
    pub incomplete_datagrams: u64,
    /// Datagrams in fragments, by their addresses.
    pub fragmented: Vec<Fragmented>,
    /// What a long capture let go of.
    pub let_go: LetGo,
    /// NAT keepalives, by their addresses.
    pub keepalives: Vec<Keepalives>,
    /// The first ICMP port unreachable that quotes L2TP, IKE or NAT traversal: who sent it, and the port that is closed.
    pub unreachable: Option<(IpAddr, u16)>,
    /// The smallest MTU that an ICMP error about such a packet told, and who sent the error.
    pub path_mtu: Option<(IpAddr, u32)>,
    /// What the capture as a whole can know.
    pub coverage: Coverage,
    /// What messages said was kept, as far as there was room.
    pub transcribed: bool,
    /// The control connections by their numbers, in order.
    pub(super) numbers: Vec<(u32, ConnectionId)>,
    /// Every observation, by its kind.
    pub(super) noted: Vec<Noted>,
}

impl Analysis {
    /// Nothing found yet.
    pub(super) fn new() -> Self {
        Self {
            totals: Totals::default(),
            connections: Table::default(),
            calls: Table::default(),
            flows: Vec::new(),
            ike: Vec::new(),
            log: Log::default(),
            reached: Vec::new(),
            incomplete_datagrams: 0,
            fragmented: Vec::new(),
            let_go: LetGo::default(),
            keepalives: Vec::new(),
            unreachable: None,
            path_mtu: None,
            coverage: Coverage::default(),
            transcribed: false,
            numbers: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// A control connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(id)
    }

    /// The control connection `T` with this number.
    pub fn numbered(&self, number: u32) -> Option<(ConnectionId, &Connection)> {
        let place = self.numbers.binary_search_by_key(&number, |known| known.0).ok()?;
        let id = self.numbers.get(place)?.1;
        Some((id, self.connection(id)?))
    }

    /// Leaves out of every list all control connections but this one. Says whether there is one with this number.
    pub fn restrict(&mut self, number: u32) -> bool {
        self.numbers.retain(|known| known.0 == number);
        !self.numbers.is_empty()
    }

    /// The control connections in the order of their numbers.
    pub fn in_order(&self) -> Vec<(ConnectionId, &Connection)> {
        self.numbers.iter().filter_map(|(_, id)| Some((*id, self.connection(*id)?))).collect()
    }

    /// A call.
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    /// An ESP flow.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(id.0 as usize)
    }

    /// How an IKE SA came out: as its messages show, or as ESP between its ends does afterwards.
    pub fn ike_outcome(&self, sa: &IkeSa) -> Option<&'static str> {
        sa.outcome().or_else(|| {
            let ours = |flow: &&Flow| {
                let ends = [flow.addresses.source, flow.addresses.destination];
                ends.contains(&sa.initiator) && ends.contains(&sa.responder) && flow.first.0 > sa.first.time
            };
            (sa.auth == [true, true] && self.flows.iter().any(|flow| ours(&flow))).then_some("established")
        })
    }

    /// From the first frame to the latest.
    pub fn duration(&self) -> Duration {
        match (self.totals.first, self.totals.last) {
            (Some(first), Some(last)) => last.since(first),
            _ => Duration::ZERO,
        }
    }

    pub(super) fn reach(&mut self, limit: Limit) {
        match self.reached.iter_mut().find(|(known, _)| *known == limit) {
            Some((_, count)) => bump(count),
            None => self.reached.push((limit, 1)),
        }
    }
}
