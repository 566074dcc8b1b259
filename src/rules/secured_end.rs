//! What RFC 3193 asks for when a control connection that IPsec protects is refused or ends.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::ike::IkeSa;
use crate::util::{Duration, Timestamp};

use super::words;
use super::{Case, Finding, rules};

rules! {
    /// A StopCCN sends the initiator to another address, and does not say to which, or the initiator does not go there.
    ///
    /// Under IPsec a responder that wants to use another address must say so by Error Code 7 (Try Another) with the address
    /// as Error Message, so that the initiator can make SAs with it. Usual causes: a text beside the address, a name in
    /// place of it, a client that does not know of Try Another.
    /// Example: a StopCCN with error code 7 and the text "go to 198.51.100.2".
    SEC_TRY_ANOTHER_BAD = "sec-try-another-bad", Warning, "RFC 3193 4",
        "only the IP address, in ASCII, should be in the Error Message of Try Another, and the initiator must send a new SCCRQ to it.";

    /// The L2TP tunnel was closed, and its SAs were left.
    ///
    /// They stay until their lifetime ends; a client that comes back from behind another NAT mapping may then be sent
    /// packets on the old ones. Usual cause: L2TP and IPsec are run by programs that do not know of each other.
    /// Example: IKE, a tunnel that ends by a StopCCN, and 70 s without a message of IKE.
    IKE_SA_LEFT_AFTER_STOPCCN = "ike-sa-left-after-stopccn", Note, "RFC 3193 3.1",
        "once the L2TP tunnel is deleted by either peer, its phase 1 and phase 2 SAs should be deleted.";
}

/// StopCCN: general error, and what it says (RFC 2661 section 4.4.2).
const GENERAL_ERROR: u16 = 2;
const TRY_ANOTHER: u16 = 7;
/// What should follow a StopCCN has come by then: longer than a full cycle of resends (RFC 2661 section 5.8).
const PATIENCE: Duration = Duration::seconds(60);

/// Two hosts, the smaller address first.
type Pair = (IpAddr, IpAddr);

fn pair(one: IpAddr, other: IpAddr) -> Pair {
    (one.min(other), one.max(other))
}

/// What goes on between two hosts, gathered once.
#[derive(Default)]
struct Between<'a> {
    /// The last packet that began a control connection.
    begun: u64,
    /// When the last control connection was closed, and whether one is open.
    closed: Option<Timestamp>,
    open: bool,
    ike: Vec<&'a IkeSa>,
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let mut hosts: HashMap<Pair, Between<'_>> = HashMap::new();
    let connections = case.analysis.in_order();
    for (_, connection) in &connections {
        let [one, other] = connection.ends.each_ref().map(|end| end.endpoint.address);
        let between = hosts.entry(pair(one, other)).or_default();
        between.begun = between.begun.max(connection.first_packet);
        between.closed = between.closed.max(connection.closed);
        between.open |= connection.closed.is_none();
    }
    for sa in case.some_ike() {
        hosts.entry(pair(sa.initiator, sa.responder)).or_default().ike.push(sa);
    }
    for (_, connection) in connections.iter().filter(|(_, connection)| connection.protected()) {
        found.extend(try_another(case, connection, &hosts));
        found.extend(left(case, connection, &hosts));
    }
}

fn try_another(
    case: &Case<'_>,
    connection: &Connection,
    hosts: &HashMap<Pair, Between<'_>>,
) -> Option<Finding> {
    let result = connection.result.as_ref()?;
    let (by, closed) = (connection.closed_by?, connection.closed?);
    if result.code != GENERAL_ERROR || result.error != Some(TRY_ANOTHER) {
        return None;
    }
    let (sender, other) = (words::who(connection, by), words::who(connection, 1 - by));
    let text = result.message.as_ref().map(|text| text.as_str()).unwrap_or_default();
    let finding = |title: String| {
        Finding::new(&SEC_TRY_ANOTHER_BAD, format!("{}: {title}", words::tunnel(connection)))
            .packets(&connection.closing_packet.into_iter().collect::<Vec<_>>())
            .connection(connection.number)
    };
    let Ok(address) = text.parse::<IpAddr>() else {
        let instead = if text.is_empty() {
            String::from("no Error Message")
        } else {
            format!("the Error Message \"{text}\"")
        };
        return Some(
            finding(String::from("Try Another without an address"))
                .by(by)
                .seen(format!("a StopCCN of {sender} with result 2, error 7 and {instead}."))
                .advice(format!("have {sender} put nothing but the address into the message.")),
        );
    };
    let initiator = connection.end(1 - by).endpoint.address;
    let went =
        hosts.get(&pair(initiator, address)).is_some_and(|between| between.begun > connection.first_packet);
    // Under a new SA without a key nobody sees where it goes.
    let sealed = case.analysis.flows.iter().any(|flow| flow.addresses.source == initiator && flow.no_key > 0);
    (!went && !sealed && case.left_after(closed) >= PATIENCE).then(|| {
        finding(format!("{other} does not try the other address"))
            .by(1 - by)
            .seen(format!("{sender} told {address} at {}; no SCCRQ to it came.", case.at(closed)))
            .unsure(Some(String::from("the way to that address may not pass the capture point.")))
            .advice(format!(
                "does {other} know of Try Another? If not, give it {address} as the address of the server."
            ))
    })
}

fn left(case: &Case<'_>, connection: &Connection, hosts: &HashMap<Pair, Between<'_>>) -> Option<Finding> {
    let closed = connection.closed.filter(|_| connection.was_established)?;
    let [one, other] = connection.ends.each_ref().map(|end| end.endpoint.address);
    let between = hosts.get(&pair(one, other)).filter(|between| !between.open)?;
    let last = between.closed == Some(closed) && case.left_after(closed) >= PATIENCE;
    if !last || between.ike.is_empty() || !between.ike.iter().all(|sa| is_left(sa, closed)) {
        return None;
    }
    Some(
        Finding::new(
            &IKE_SA_LEFT_AFTER_STOPCCN,
            format!("{} is closed, and its SAs stay", words::tunnel(connection)),
        )
        .packets(&connection.closing_packet.into_iter().collect::<Vec<_>>())
        .connection(connection.number)
        .seen(format!("no Delete of IKE in the {} after the StopCCN.", case.left_after(closed)))
        .unsure(Some(String::from("a Delete that the capture lacks would look the same.")))
        .advice(
            "harmless, unless the client comes back and is not heard: then have IPsec stopped with L2TP.",
        ),
    )
}

/// Whether nothing after this moment can have deleted this SA.
fn is_left(sa: &IkeSa, closed: Timestamp) -> bool {
    let mut after = sa.exchanges.iter().filter(|exchange| exchange.last.time >= closed);
    // What an exchange did that is not kept any more is not known.
    let known = sa.exchanges.forgotten.is_none_or(|last| last.time < closed);
    known
        && sa.ended.is_none()
        && sa.deleted.is_empty()
        && after.all(|exchange| !exchange.sealed && exchange.deletes == (0, false))
}
