//! Rules on protection by IPsec (RFC 3193).

use crate::analysis::facts::{Fact, Scope};

use super::words::count;
use super::{Case, Finding, rules};

rules! {
    /// L2TP with PPP inside runs outside ESP.
    ///
    /// Without IPsec, L2TP protects nothing: user names, and often passwords and all user data, can be read on the
    /// way. On a laboratory link that is on purpose; on the Internet it is "not a VPN".
    /// A gateway whose policy does not cover the UDP ports in use leaks L2TP in the clear although an SA exists.
    SEC_L2TP_IN_CLEAR = "sec-l2tp-in-clear", Warning, "RFC 3193 2.1",
        "L2TP security secures both control and data packets by ESP.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let Some(tally) = case.analysis.facts.get(Fact::InClear, Scope::default()) else { return };
    let protected: u64 =
        case.analysis.connections.iter().map(|connection| u64::from(connection.protection[0])).sum();
    let seen = match protected {
        0 => format!("{} outside ESP.", count(tally.count, "L2TP packet")),
        n => format!("{} outside ESP, {} inside.", count(tally.count, "L2TP packet"), n),
    };
    // Guard G15: a gateway with kernel IPsec shows what it decrypted once more, in the clear.
    let unsure = (protected > 0 || case.analysis.totals.esp_frames > 0).then(|| {
        String::from(
            "on a gateway, the capture also shows packets in the clear that came or leave under ESP.",
        )
    });
    // A packet or two outside are sent when the SA is gone already: no VPN without IPsec, but a policy with a hole.
    let leaks = protected > tally.count;
    let title = if leaks { "some L2TP left outside ESP" } else { "L2TP runs without IPsec" };
    let advice = if leaks {
        "most likely the SA was gone already when these were sent: let the policy drop UDP 1701 without IPsec."
    } else {
        "if this is no laboratory: check that the IPsec policy covers these addresses and UDP ports."
    };
    found.push(Finding::new(&SEC_L2TP_IN_CLEAR, title).tally(tally).seen(seen).unsure(unsure).advice(advice));
}
