//! How many octets a user's packet may have, and the rule on those that have more (RFC 3193 section 3.2).

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::fragments::Fragmented;
use crate::analysis::ppp::agreed::USUAL_MRU;
use crate::analysis::ppp::negotiation::Progress;
use crate::dissect::layers::{Addresses, Encapsulation, Mode};
use crate::ipsec::suite::{Encryption, Integrity, integrity_row};

use super::words::{self, count};
use super::{Case, Finding, rules};

rules! {
    /// The MRU of PPP is larger than what fits into a packet of the path.
    ///
    /// Full-size packets of users leave as IP fragments. It costs speed, and where a firewall or NAT drops fragments they
    /// vanish. Found by: an MRU that is agreed (1500 if LCP does not name one), plus all headers, above the MTU, and
    /// fragments that carry users' packets. Usual cause: nobody lowered the MRU for the tunnel.
    PPP_MRU_TOO_BIG = "ppp-mru-too-big", Warning, "RFC 3193 3.2",
        "PPP should be given the MTU of the interface minus the overhead of the headers.";
}

/// What a path takes if nothing says otherwise: Ethernet.
const USUAL_MTU: u32 = 1500;
/// Headers of IP and TCP without options.
const TCP_HEADERS: u32 = 40;

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        let fragmented =
            case.analysis.fragmented.iter().filter(|one| one.headers.is_some() && is_of(connection, one));
        let Some(worst) = fragmented.max_by_key(|one| one.datagrams) else { continue };
        let Some(budget) = budget(case, worst) else { continue };
        for id in &connection.calls {
            let opened = |call: &&Call| call.ppp.lcp.progress() == Some(Progress::Opened);
            let Some(mru) = case.analysis.call(*id).filter(opened).map(largest) else {
                continue;
            };
            if u32::from(mru) <= budget.inner {
                continue;
            }
            found.push(
                Finding::new(
                    &PPP_MRU_TOO_BIG,
                    format!("{}: the MRU of {mru} does not fit the path", words::call(*id)),
                )
                .packets(&worst.packets)
                .times(worst.datagrams)
                .connection(connection.number)
                .call(*id)
                .seen(format!(
                    "{} with users' packets of up to {} octets left as fragments.",
                    count(worst.datagrams, "datagram"),
                    worst.largest_inside
                ))
                .unsure(case.analysis.path_mtu.is_none().then(|| {
                    format!("the MTU of the path is taken to be {USUAL_MTU}, as no ICMP error tells it.")
                }))
                .advice(budget.advice()),
            );
        }
    }
}

/// Whether fragments went between the hosts of a connection: under tunnel mode they have the addresses of gateways.
pub(super) fn is_of(connection: &Connection, fragmented: &Fragmented) -> bool {
    let [a, b] = &connection.ends;
    let (a, b) = (a.endpoint.address, b.endpoint.address);
    let hosts = [fragmented.addresses.source, fragmented.addresses.destination];
    hosts == [a, b] || hosts == [b, a] || connection.protected()
}

/// The larger of the two MRUs.
fn largest(call: &Call) -> u16 {
    call.ppp.link.mru.iter().map(|mru| mru.unwrap_or(USUAL_MRU)).max().unwrap_or(USUAL_MRU)
}

/// What a path takes, and what is left of it for a user's packet.
pub(super) struct Budget {
    mtu: u32,
    inner: u32,
    /// Each header and what it takes.
    spent: String,
}

impl Budget {
    /// What to set, and why.
    pub(super) fn advice(&self) -> String {
        let Self { mtu, inner, spent } = self;
        format!(
            "of {mtu} octets, {spent} leave {inner}: set MTU and MRU of PPP to at most {inner}, or clamp the TCP MSS to {}.",
            inner.saturating_sub(TCP_HEADERS)
        )
    }
}

/// What each header takes, and what is left.
/// What to do where packets of so many octets vanish, and none left in fragments: what they are inside is computed from the
/// headers that they get.
pub(super) fn advice_for(
    case: &Case<'_>,
    connection: Option<&Connection>,
    call: &Call,
    octets: u32,
) -> String {
    let ends = connection.map(|connection| connection.ends.each_ref().map(|end| end.endpoint.address));
    let budget = ends.and_then(|[source, destination]| {
        // Of a data message without options: 6 octets of L2TP, 8 with a Length field, 12 with sequence numbers as well.
        let l2tp = if call.data.iter().any(|data| data.sequenced) { 12 } else { 8 };
        let ppp = if call.ppp.link.short_protocol.contains(&true) { 1 } else { 2 };
        let address = if call.ppp.link.no_address_control.contains(&true) { 0 } else { 2 };
        budget_between(case, Addresses { source, destination }, (l2tp, ppp + address))
    });
    match budget {
        Some(budget) if budget.inner < octets => budget.advice(),
        _ => {
            format!(
                "the path takes less than {octets} octets inside: set MTU and MRU of PPP to less than that (try {}), or clamp the TCP MSS, and let ICMP too big through.",
                octets.saturating_sub(100)
            )
        }
    }
}

pub(super) fn budget(case: &Case<'_>, fragmented: &Fragmented) -> Option<Budget> {
    budget_between(case, fragmented.addresses, fragmented.headers?)
}

/// The same between two addresses, with so many octets of L2TP and PPP headers.
fn budget_between(case: &Case<'_>, addresses: Addresses, (l2tp, ppp): (u32, u32)) -> Option<Budget> {
    let mtu = case.analysis.path_mtu.map_or(USUAL_MTU, |(_, mtu)| mtu);
    let ip = if addresses.source.is_ipv4() { 20 } else { 40 };
    let mut parts = vec![(ip, "IP")];
    let flow = case.analysis.flows.iter().find(|flow| flow.addresses == addresses);
    let trailer = match flow {
        Some(flow) => esp(case, flow, &mut parts)?,
        None => None,
    };
    let spent = |parts: &[(u32, &str)]| parts.iter().map(|(octets, _)| octets).sum::<u32>();
    let mut left = mtu.checked_sub(spent(&parts))?;
    let mut rest = vec![(8, "UDP"), (l2tp, "L2TP"), (ppp, "PPP")];
    if let Some(block) = trailer {
        // What is encrypted fills whole blocks, Pad Length and Next Header among it.
        let usable = left - left % block.max(1);
        if left > usable {
            parts.push((left - usable, "padding"));
        }
        left = usable.checked_sub(2)?;
        parts.push((2, "ESP trailer"));
        if flow.is_some_and(|flow| flow.mode == Some(Mode::Tunnel)) {
            rest.insert(0, (ip, "inner IP"));
        }
    }
    let inner = left.checked_sub(spent(&rest))?;
    parts.extend(rest);
    let sum: Vec<String> = parts.iter().map(|(octets, what)| format!("{octets} {what}")).collect();
    Some(Budget { mtu, inner, spent: sum.join(" + ") })
}

/// What ESP takes before and behind what it encrypts, and on which multiple that ends. `None` where the suite is not
/// known.
#[allow(clippy::option_option, reason = "no ESP and unknown ESP are different answers")]
fn esp(case: &Case<'_>, flow: &Flow, parts: &mut Vec<(u32, &'static str)>) -> Option<Option<u32>> {
    let sa = case.sad.get(flow.sa?)?;
    let (Encryption::Known(encryption), Integrity::Known(integrity)) = (&sa.encryption, &sa.integrity) else {
        return None;
    };
    let used = flow.integrity.and_then(integrity_row).or_else(|| encryption.integrity()).unwrap_or(integrity);
    if flow.encapsulation == Encapsulation::Udp {
        parts.push((8, "NAT-T UDP"));
    }
    parts.push((8, "ESP"));
    parts.extend((encryption.iv > 0).then_some((u32::from(encryption.iv), "IV")));
    parts.extend((used.icv > 0).then_some((u32::try_from(used.icv).unwrap_or(0), "ICV")));
    Some(Some(u32::from(encryption.block).max(4)))
}
