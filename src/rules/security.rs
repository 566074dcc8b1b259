//! Rules on protection by IPsec (RFC 3193): what is not protected, or protected badly. Policies are in `selectors`.

use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::dissect::layers::Mode;

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// L2TP with PPP inside runs outside ESP.
    ///
    /// Without IPsec, L2TP protects nothing: user names, and often passwords and all user data, can be read on the
    /// way. On a laboratory link that is on purpose; on the Internet it is "not a VPN".
    /// A gateway whose policy does not cover the UDP ports in use leaks L2TP in the clear although an SA exists.
    SEC_L2TP_IN_CLEAR = "sec-l2tp-in-clear", Warning, "RFC 3193 2.1",
        "L2TP security secures both control and data packets by ESP.";

    /// An SA does not encrypt: its encryption algorithm is NULL.
    ///
    /// Whoever is on the path reads everything, the tunnel only keeps it from being changed. Found by the key file, or
    /// without one by packets that can be read as they stand: their Next Header, padding and lengths all agree.
    /// Usual cause: a policy for testing that stayed. Example: strongSwan with esp=null-sha1.
    SEC_ESP_NULL_ENCRYPTION = "sec-esp-null-encryption", Warning, "RFC 3193 2.1",
        "if confidentiality is not required, ESP with NULL encryption may be used.";

    /// An SA has no integrity protection: neither an ICV nor a combined mode.
    ///
    /// Packets can be changed on the way without notice, and what they hold can be guessed by changing them.
    /// Example: packets under AES-CBC without an ICV, as their key file says.
    SEC_NO_INTEGRITY = "sec-no-integrity", Error, "RFC 8221 4",
        "encryption without authentication is not effective and must not be used.";

    /// An SA uses an algorithm that is not to be used any more.
    ///
    /// DES can be broken by trying all keys, HMAC-MD5-96 must not be used, 3DES should not. Note where the algorithm
    /// should not be used, warning where it must not.
    SEC_WEAK_CIPHER = "sec-weak-cipher", Warning, "RFC 8221 5",
        "ENCR_DES MUST NOT be used, ENCR_3DES SHOULD NOT; AUTH_HMAC_MD5_96 MUST NOT (section 6).";

    /// L2TP runs inside tunnel mode ESP.
    ///
    /// Allowed, and each packet costs an IP header more than in transport mode. Clients of most systems want transport mode.
    SEC_TUNNEL_MODE = "sec-tunnel-mode", Note, "RFC 3193 2.1",
        "transport mode must be supported, tunnel mode may be.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    in_clear(case, found);
    for flow in case.analysis.flows.iter().filter(|flow| !super::esp::garbage(flow)) {
        null(case, flow, found);
        algorithms(case, flow, found);
    }
    tunnel_mode(case, found);
}

fn in_clear(case: &Case<'_>, found: &mut Vec<Finding>) {
    let Some(tally) = case.analysis.observed(Observation::InClear, Scope::default()) else { return };
    if tally.count <= super::gateway_view::decrypted(case) {
        return;
    }
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

/// Packets without a key that must look like NULL encryption before it is said.
const ENOUGH: u64 = 3;

fn null(case: &Case<'_>, flow: &Flow, found: &mut Vec<Finding>) {
    let way = format!("from {} to {}", flow.addresses.source, flow.addresses.destination);
    let known = flow.sa.and_then(|sa| case.sad.get(sa)).filter(|sa| sa.encryption.name() == "null");
    let whole = flow.no_key.saturating_sub(flow.cut);
    let (seen, unsure) = if known.is_some() && flow.decrypted > 0 {
        (
            format!("{} {way} with NULL encryption, as the key file says.", count(flow.decrypted, "packet")),
            None,
        )
    } else if known.is_none() && flow.legible >= ENOUGH && flow.legible == whole {
        (
            format!("{} {way}: all can be read without a key.", count(whole, "packet")),
            Some(String::from("inferred from Next Header, padding and lengths; no key file says so.")),
        )
    } else {
        return;
    };
    found.push(
        Finding::new(&SEC_ESP_NULL_ENCRYPTION, format!("SA {} does not encrypt", flow.spi))
            .packets(&[flow.first.1])
            .spi(flow.spi)
            .seen(seen)
            .unsure(unsure)
            .advice("take NULL out of the ESP proposals of both sides, unless this is a test."),
    );
}

fn algorithms(case: &Case<'_>, flow: &Flow, found: &mut Vec<Finding>) {
    let Some(sa) = flow.sa.and_then(|sa| case.sad.get(sa)).filter(|_| flow.decrypted > 0) else { return };
    let (encryption, integrity) = (sa.encryption.name(), sa.integrity.name());
    let finding = |rule, title: String, seen: String| {
        Finding::new(rule, title).packets(&[flow.first.1]).spi(flow.spi).seen(seen)
    };
    if integrity == "none" && encryption != "null" {
        found.push(
            finding(
                &SEC_NO_INTEGRITY,
                format!("SA {} has no integrity protection", flow.spi),
                format!("{encryption} without an ICV, {}.", count(flow.decrypted, "packet")),
            )
            .unsure(
                (sa.udp_ports.is_none() && sa.replay_window.is_none())
                    .then(|| String::from("some key files leave out an integrity algorithm that is there.")),
            )
            .advice("add an integrity algorithm, or use a combined mode such as AES-GCM."),
        );
    }
    let weak: &[(&str, &str, Severity)] = &[
        ("des-cbc", "MUST NOT be used", Severity::Warning),
        ("3des-cbc", "SHOULD NOT be used", Severity::Note),
        ("hmac-md5-96", "MUST NOT be used", Severity::Warning),
    ];
    let met: Vec<_> = weak
        .iter()
        .filter(|(name, ..)| [&encryption, &integrity].iter().any(|own| own.as_str() == *name))
        .collect();
    let Some(worst) = met.iter().map(|(_, _, severity)| *severity).max() else { return };
    // Both directions use the same suite: one word is enough.
    if found.iter().any(|one| one.rule.id == SEC_WEAK_CIPHER.id) {
        return;
    }
    let each: Vec<String> = met.iter().map(|(name, word, _)| format!("{name} {word}")).collect();
    found.push(
        finding(
            &SEC_WEAK_CIPHER,
            format!("SA {} uses a weak algorithm", flow.spi),
            format!("{}.", each.join(", ")),
        )
        .severity(worst)
        .advice("offer AES-CBC with SHA-2, or AES-GCM, on both sides."),
    );
}

fn tunnel_mode(case: &Case<'_>, found: &mut Vec<Finding>) {
    let flows = case.analysis.flows.iter().filter(|flow| flow.mode == Some(Mode::Tunnel));
    let flows: Vec<&Flow> = flows.filter(|flow| !super::esp::garbage(flow)).collect();
    let Some(first) = flows.first() else { return };
    let spis = words::some(flows.iter().map(|flow| flow.spi.to_string()));
    found.push(
        Finding::new(&SEC_TUNNEL_MODE, "L2TP runs inside tunnel mode ESP")
            .packets(&[first.first.1])
            .spi(first.spi)
            .seen(format!("SA {spis}."))
            .advice("nothing to repair; transport mode saves an IP header in each packet."),
    );
}
