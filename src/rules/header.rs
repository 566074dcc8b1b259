//! Rules on the L2TP header and the form of AVPs (RFC 2661 sections 3.1 and 4.1).

use crate::analysis::facts::Fact;

use super::words::{self, count};
use super::{Case, Finding, Rule, rules};

rules! {
    /// A control message has no Length field.
    ///
    /// Dissectors that need it skip the AVPs, and a strict receiver drops the message.
    HDR_CONTROL_LENGTH_BIT = "hdr-control-length-bit", Error, "RFC 2661 3.1",
        "the L bit must be set for control messages.";

    /// The Length of an AVP is below 6, less than its own header.
    ///
    /// Nothing behind it can be read. Several implementations looped for ever on a length of 0.
    AVP_LENGTH_SHORT = "avp-length-short", Error, "RFC 2661 4.1",
        "an AVP has at least 6 octets: flags and length, Vendor ID, Attribute Type.";

    /// The Length of an AVP leads past the end of its message.
    ///
    /// Nothing behind it can be read.
    AVP_OVERRUNS_MESSAGE = "avp-overruns-message", Error, "RFC 2661 4.1",
        "Length is the number of octets of the AVP, header included.";
}

static FACTS: &[(Fact, &Rule, &str, &str)] = &[
    (Fact::NoLengthBit, &HDR_CONTROL_LENGTH_BIT, "control messages without the L bit", "control message"),
    (Fact::AvpLengthShort, &AVP_LENGTH_SHORT, "an AVP is shorter than its header", "message"),
    (Fact::AvpOverruns, &AVP_OVERRUNS_MESSAGE, "an AVP runs past the end of its message", "message"),
];

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (fact, rule, title, what) in FACTS {
        for (scope, tally) in case.analysis.facts.all(*fact) {
            let Some((_, connection)) = scope.connection.and_then(|number| case.analysis.numbered(number))
            else {
                continue;
            };
            let who = words::who(connection, scope.end.unwrap_or(0));
            found.push(
                Finding::new(rule, format!("{}: {title}", words::tunnel(connection)))
                    .tally(tally)
                    .connection(connection.number)
                    .seen(format!("{} of {who}.", count(tally.count, what)))
                    .advice("the sender builds broken messages: update it, or report it with this packet."),
            );
        }
    }
}
