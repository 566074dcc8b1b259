//! What known stacks always do, although an RFC says otherwise: a note under the profile `interop`.
//!
//! The stack of an end is known by its Vendor Name AVP.

use super::{Case, Finding, Severity};

/// A stack: its name, and what its Vendor Name begins with.
struct Stack {
    name: &'static str,
    vendor: &'static str,
    /// Rules that it breaks as a habit, and what it does.
    habits: &'static [(&'static str, &'static str)],
}

static STACKS: &[Stack] = &[
    Stack {
        name: "xl2tpd",
        vendor: "xelerance.com",
        habits: &[
            ("seq-retransmit-stale-nr", "resends the octets of the first copy"),
            ("seq-window-exceeded", "sends Hellos on its timer, whatever is unacknowledged"),
        ],
    },
    Stack {
        name: "SoftEther",
        vendor: "L2TP",
        habits: &[
            ("avp-mandatory-bit-wrong", "clears the M bit of capabilities and window"),
            ("end-result-out-of-range", "puts an error code where the result stands"),
        ],
    },
];

/// Makes a note of a finding that is a habit of the stack which does it.
pub(super) fn excuse(case: &Case<'_>, finding: &mut Finding) {
    let Some((_, connection)) = finding.connection.and_then(|number| case.analysis.numbered(number)) else {
        return;
    };
    let Some(end) = finding.end else { return };
    let Some(vendor) = &connection.end(end).vendor else { return };
    let Some(stack) = STACKS.iter().find(|stack| vendor.as_str().starts_with(stack.vendor)) else { return };
    if let Some((_, habit)) = stack.habits.iter().find(|(rule, _)| *rule == finding.rule.id) {
        finding.severity = finding.severity.min(Severity::Note);
        finding.seen.push_str(&format!(" A habit of {}: it {habit}.", stack.name));
        finding.advice = String::from("nothing to do, unless the peer breaks on it.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_habit_names_a_rule() {
        for (rule, _) in STACKS.iter().flat_map(|stack| stack.habits) {
            assert!(super::super::all().any(|known| known.id == *rule), "{rule}");
        }
    }
}
