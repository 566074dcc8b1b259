//! Full-size packets that vanish, and how many octets a packet may have (RFC 3193 section 3.2).

use crate::analysis::flow::Flow;
use crate::analysis::fragments::Fragmented;
use crate::dissect::layers::{Encapsulation, Mode};
use crate::ipsec::suite::{Encryption, Integrity, integrity_row};

use super::super::Case;
use super::super::words::{count, packets};
use super::{Confidence, Diagnosis};

/// Segments that were sent again before it is said that they vanish.
const ENOUGH: u64 = 3;
/// What a path takes if nothing says otherwise: Ethernet.
const USUAL_MTU: u32 = 1500;
/// Headers of IP and TCP without options.
const TCP_HEADERS: u32 = 40;

/// The same full-size segments leave in fragments again and again, while small packets get through.
pub(super) fn black_hole(case: &Case<'_>) -> Option<Diagnosis> {
    let worst = case.analysis.fragmented.iter().max_by_key(|one| one.repeated)?;
    let passes = case.analysis.calls.iter().any(|call| call.data.iter().all(|data| data.network > 0));
    if worst.repeated < ENOUGH || !passes {
        return None;
    }
    let told =
        case.analysis.path_mtu.map(|(by, mtu)| format!(" {by} tells an MTU of {mtu}.")).unwrap_or_default();
    Some(
        Diagnosis::broken(
            "mtu-black-hole",
            format!(
                "full-size packets vanish: {} of TCP from {} left as IP fragments and had to be sent again ({}), while small packets pass.{told}",
                count(worst.repeated, "segment"),
                worst.addresses.source,
                packets(&worst.repeats, worst.repeated)
            ),
        )
        .evidence(worst.repeats.iter().copied())
        .confidence(Confidence::Likely)
        .advice(budget(case, worst).unwrap_or_else(|| {
            String::from("lower MTU and MRU of PPP (1400 is safe), or clamp the TCP MSS.")
        })),
    )
}

/// What each header takes, and what is left.
fn budget(case: &Case<'_>, fragmented: &Fragmented) -> Option<String> {
    let mtu = case.analysis.path_mtu.map_or(USUAL_MTU, |(_, mtu)| mtu);
    let (l2tp, ppp) = fragmented.headers?;
    let ip = if fragmented.addresses.source.is_ipv4() { 20 } else { 40 };
    let mut parts = vec![(ip, "IP")];
    let flow = case.analysis.flows.iter().find(|flow| flow.addresses == fragmented.addresses);
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
    Some(format!(
        "of {mtu} octets, {} leave {inner}: set MTU and MRU of PPP to at most {inner}, or clamp the TCP MSS to {}.",
        sum.join(" + "),
        inner.saturating_sub(TCP_HEADERS)
    ))
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
