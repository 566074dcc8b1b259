//! What users send through a call, and what comes back: whether the call carries. Observed by call and direction, judged
//! by the rules.
//!
//! Ends are 0 and 1 as in [`Call::data`](super::control::call::Call::data): 0 is the initiator of the control connection.
//! All tables are bounded, in each call and in all calls together ([`TrafficBudget`]), for what is in them is chosen by
//! whoever sends.

mod answers;
mod budget;
mod direction;
mod dns;
mod echo;
mod errors;
mod estimate;
mod evidence;
mod loops;
mod tcp;
mod waiting;

use std::net::{IpAddr, Ipv4Addr};

use crate::dissect::layers::{Addresses, IcmpBody, IcmpMessage, Inner, Transport};
use crate::util::Timestamp;

pub use answers::{expects_answer, nobody_answers};
pub use budget::TrafficBudget;
pub use direction::{At, Direction, Gaps, Silence};
pub use dns::{Dns, Server};
pub use echo::{Destination, Echo, Target};
pub use errors::{Errors, IcmpErrors};
pub use estimate::{Estimate, EstimatedBy};
pub use evidence::{Examples, MOST_EXAMPLES, RoundTrip};
pub use loops::Looped;
pub use tcp::{Holes, MOST_FLOWS, Stuck, TcpTotals};
pub use waiting::Asked;

use budget::Held;
use tcp::Tcp;

/// The addresses of the tunnel that carries a call.
#[derive(Debug, Clone, Copy)]
pub struct TunnelAddresses<'a> {
    /// The addresses of the IP headers before L2TP, by end.
    pub outer: [&'a IpAddr; 2],
    /// The addresses that IPCP gave to the ends, once they are known.
    pub ppp: &'a [Option<Ipv4Addr>; 2],
}

/// The user traffic of a call, which takes no room before there is any.
#[derive(Debug, Clone, Default)]
pub struct TrafficOfCall(Option<Box<CallTraffic>>);

impl TrafficOfCall {
    /// What was observed, if there was any.
    pub fn get(&self) -> Option<&CallTraffic> {
        self.0.as_deref()
    }

    /// Takes a user's packet. See [`CallTraffic::push`].
    #[inline]
    pub(crate) fn push(
        &mut self,
        inner: &Inner,
        from: u8,
        at: At,
        octets: u32,
        tunnel: &TunnelAddresses<'_>,
        budget: &mut TrafficBudget,
    ) {
        self.0.get_or_insert_default().push(inner, from, at, octets, tunnel, budget);
    }

    /// Numbers of data messages are missing before the next packet from the end `from`.
    pub(crate) fn gap(&mut self, from: u8, packet: u64, missing: u16) {
        if let Some(direction) = self.0.as_mut().and_then(|all| all.directions.get_mut(usize::from(from))) {
            direction.gap(packet, missing);
        }
    }

    /// Gives back the room that the tables of this call hold, for the call is let go of.
    pub(crate) fn give_back(&self, budget: &mut TrafficBudget) {
        if let Some(traffic) = &self.0 {
            budget.give_back(traffic.held());
        }
    }
}

/// The user traffic of a call.
///
/// In this order, so that what each packet changes lies together at the front.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub struct CallTraffic {
    directions: [Direction; 2],
    tcp: Option<Box<Tcp>>,
    echo: [Option<Box<Echo>>; 2],
    dns: [Option<Box<Dns>>; 2],
    errors: Option<Box<Errors>>,
    looped: Option<Box<Looped>>,
}

impl CallTraffic {
    /// Takes a user's packet of `octets` that the end `from` sent in the frame `at`.
    pub fn push(
        &mut self,
        inner: &Inner,
        from: u8,
        at: At,
        octets: u32,
        tunnel: &TunnelAddresses<'_>,
        budget: &mut TrafficBudget,
    ) {
        let Some(ends) = &inner.addresses else { return };
        let octets = if inner.octets > 0 { inner.octets } else { octets };
        let [first, second] = &mut self.directions;
        let (mine, theirs) = if from == 0 { (first, second) } else { (second, first) };
        mine.push(at, octets);
        if nobody_answers(inner) {
            mine.to_nobody = mine.to_nobody.saturating_add(1);
            return;
        }
        mine.last_telling = Some(at);
        theirs.heard();
        if answers::asks(inner) {
            mine.asks(at);
        }
        if let Some(what) = loops::find(inner, ends, tunnel) {
            self.looped.get_or_insert_default().push(what, from, at.0);
        }
        match &inner.transport {
            Transport::Tcp(segment) => {
                let Some(ports) = inner.ports else { return };
                let key = tcp::Key::new(ends, ports, from);
                self.tcp.get_or_insert_default().push(segment, key, from, at, octets, budget);
            }
            Transport::Udp(Some(header)) => {
                let Some(ports) = inner.ports else { return };
                match dns::direction(*header, ports) {
                    Some((false, port)) => {
                        let Some(dns) = self.dns.get_mut(usize::from(from)) else { return };
                        let dns = dns.get_or_insert_default();
                        dns.question(ends.destination, port, *header, at, budget);
                    }
                    Some((true, port)) => {
                        let asker = self.dns.get_mut(usize::from(1u8.saturating_sub(from)));
                        let Some(Some(dns)) = asker else { return };
                        dns.answer(ends.source, port, *header, at);
                    }
                    None => {}
                }
            }
            Transport::Icmp(message) => {
                let octets = if inner.fragment.is_none() { octets } else { 0 };
                self.icmp(message, ends, from, at, octets, tunnel, budget);
            }
            Transport::Udp(None) | Transport::Other => {}
        }
    }

    /// Reads a little of all that [`CallTraffic::push`] changes, so that it is near by then.
    pub(crate) fn touch(&self) -> u64 {
        let directions = self.directions.iter().fold(0, |sum, direction| sum ^ direction.touch());
        directions ^ self.tcp.as_ref().map_or(0, |tcp| tcp.touch())
    }

    #[allow(clippy::too_many_arguments)]
    fn icmp(
        &mut self,
        message: &IcmpMessage,
        ends: &Addresses,
        from: u8,
        at: At,
        octets: u32,
        tunnel: &TunnelAddresses<'_>,
        budget: &mut TrafficBudget,
    ) {
        if let IcmpBody::Error { quoted, .. } = &message.body {
            self.errors.get_or_insert_default().push(message, ends.source, from, at.0, budget);
            if let (Some(tcp), Some(quoted), true) = (&mut self.tcp, quoted, errors::refuses(message)) {
                tcp.refuse(quoted, from);
            }
            return;
        }
        match echo::message(message, ends) {
            Some((false, address, numbers)) => {
                let Some(echo) = self.echo.get_mut(usize::from(from)) else { return };
                let target = echo::target(address, from, tunnel);
                echo.get_or_insert_default().request(address, numbers, at, octets, target, budget);
            }
            Some((true, address, numbers)) => {
                let asker = self.echo.get_mut(usize::from(1u8.saturating_sub(from)));
                if let Some(Some(echo)) = asker {
                    echo.reply(address, numbers, at);
                }
            }
            None => {}
        }
    }

    /// What one end sent.
    pub fn direction(&self, end: u8) -> &Direction {
        let [first, second] = &self.directions;
        if end == 0 { first } else { second }
    }

    /// The time of the last packet of either end: what was asked shortly before it may yet be answered.
    pub fn last(&self) -> Option<Timestamp> {
        self.directions.iter().filter_map(|direction| direction.last).map(|(_, time)| time).max()
    }

    fn now(&self) -> Timestamp {
        self.last().unwrap_or_default()
    }

    /// Echo requests from one end, if there were any.
    pub fn echo(&self, end: u8) -> Option<&Echo> {
        self.echo.get(usize::from(end))?.as_deref()
    }

    /// What came of them.
    pub fn echo_counts(&self, end: u8) -> Option<Asked> {
        Some(self.echo(end)?.counts(self.now()))
    }

    /// Questions from one end to DNS servers, if there were any.
    pub fn dns(&self, end: u8) -> Option<&Dns> {
        self.dns.get(usize::from(end))?.as_deref()
    }

    /// What came of them.
    pub fn dns_counts(&self, end: u8) -> Option<Asked> {
        Some(self.dns(end)?.counts(self.now()))
    }

    /// Whether there was any TCP.
    pub fn has_tcp(&self) -> bool {
        self.tcp.is_some()
    }

    /// TCP from one end.
    pub fn tcp(&self, end: u8) -> TcpTotals {
        self.tcp.as_ref().map_or_else(TcpTotals::default, |tcp| tcp.totals(end, self.now()))
    }

    /// ICMP errors inside the call, if there were any.
    pub fn errors(&self) -> Option<&Errors> {
        self.errors.as_deref()
    }

    /// Packets of the tunnel inside the tunnel, if there were any.
    pub fn looped(&self) -> Option<&Looped> {
        self.looped.as_deref()
    }

    /// About how much of what one end sent was lost, if enough was sent to say.
    pub fn loss_estimate(&self, end: u8) -> Option<Estimate> {
        estimate::of(self.has_tcp().then(|| self.tcp(end)).as_ref(), self.echo_counts(end))
    }

    fn held(&self) -> Held {
        let tcp = self.tcp.as_ref().map_or_else(Held::default, |tcp| tcp.held());
        let errors = self.errors.as_ref().map_or_else(Held::default, |errors| errors.held());
        let echo = self.echo.iter().flatten().fold(tcp.and(errors), |sum, echo| sum.and(echo.held()));
        self.dns.iter().flatten().fold(echo, |sum, dns| sum.and(dns.held()))
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
