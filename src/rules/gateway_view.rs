//! A capture on a gateway that shows one direction under ESP and decrypted, the other under ESP alone.

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::Observation;

use super::words::{self, count};
use super::{Case, Finding, rules};

rules! {
    /// The capture was taken on a gateway, behind its IPsec in one direction.
    ///
    /// Packets that arrive are there under ESP and once more as the kernel decrypted them; packets that leave are there
    /// under ESP alone. Nothing ran in the clear. Found by: a control message outside ESP whose twin under ESP came within
    /// 2 ms before it; without a key, by each packet in the clear coming right behind an ESP packet of its hosts while the
    /// other direction has ESP alone. Second copies are left out of everything else.
    /// Example: an SCCCN under ESP, and the same SCCCN outside ESP 1 ms later; SCCRPs under ESP alone.
    CAP_XFRM_VIEW = "cap-xfrm-view", Note, "", "";
}

/// Packets in the clear that must come right behind ESP before it is said without a key.
const ENOUGH: u32 = 3;

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let advice = "capture outside alone (ip proto 50, udp port 500 or 4500), or what is decrypted of both directions: the match policy of iptables with the target NFLOG, read from the interface nflog.";
    for (scope, tally) in case.analysis.all_observed(Observation::ShownAgain) {
        let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number)) else {
            continue;
        };
        let end = scope.end.unwrap_or(0);
        found.push(
            Finding::new(
                &CAP_XFRM_VIEW,
                format!("{}: a gateway's capture shows what it decrypted", words::tunnel(connection)),
            )
            .tally(tally)
            .connection(connection.number)
            .seen(format!(
                "{} of {} came under ESP, and again in the clear within 2 ms. The second copies are left out.",
                count(tally.count, "packet"),
                words::who(connection, end)
            ))
            .advice(advice),
        );
    }
    for (_, connection) in case.analysis.in_order() {
        let Some(end) = without_a_key(case, connection) else { continue };
        let sender = connection.end(end);
        found.push(
            Finding::new(
                &CAP_XFRM_VIEW,
                format!("{}: a gateway's capture shows what it decrypted", words::tunnel(connection)),
            )
            .packets(&[connection.first_packet])
            .times(sender.packets)
            .connection(connection.number)
            .seen(format!(
                "each of {} of {} in the clear came right behind ESP; the other direction is under ESP alone.",
                count(sender.packets, "packet"),
                words::who(connection, end)
            ))
            .unsure(Some(String::from(
                "no key proves that the packets are the same. One that leaks beside its ESP would look alike.",
            )))
            .advice(advice),
        );
    }
}

/// The end whose packets are all decrypted copies, as far as their times and the other direction show.
pub(super) fn without_a_key(case: &Case<'_>, connection: &Connection) -> Option<u8> {
    let end = (0..2u8).find(|end| connection.end(*end).after_esp >= ENOUGH)?;
    let (sender, peer) = (connection.end(end), connection.end(1 - end));
    let comes_back = |flow: &Flow| {
        flow.addresses.source == peer.endpoint.address
            && flow.addresses.destination == sender.endpoint.address
    };
    let each = u64::from(sender.after_esp) == sender.packets && peer.packets == 0;
    (each && connection.protection[0] == 0 && case.some_flows().any(comes_back)).then_some(end)
}

/// How many packets in the clear are such copies.
pub(super) fn decrypted(case: &Case<'_>) -> u64 {
    let ends = case.analysis.in_order().into_iter().filter_map(|(_, connection)| {
        let end = without_a_key(case, connection)?;
        Some(connection.end(end).packets)
    });
    ends.sum()
}
