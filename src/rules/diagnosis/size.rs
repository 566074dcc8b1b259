//! Full-size packets that vanish (RFC 3193 section 3.2).

use super::super::Case;
use super::super::mtu::budget;
use super::super::words::{count, packets};
use super::{Confidence, Diagnosis};

/// Segments that were sent again before it is said that they vanish.
const ENOUGH: u64 = 3;

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
        .advice(budget(case, worst).map(|budget| budget.advice()).unwrap_or_else(|| {
            String::from("lower MTU and MRU of PPP (1400 is safe), or clamp the TCP MSS.")
        })),
    )
}
