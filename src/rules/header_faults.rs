//! Rules on headers that end or begin wrongly (RFC 2661 section 3.1): lengths that lie, and versions.

use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};

use super::words::{self, count};
use super::{Case, Finding, Rule, rules};

rules! {
    /// The Length of a header promises more octets than its datagram has.
    ///
    /// A receiver drops such a message, or reads beyond it. AVPs at its end are missing. What the capture itself cut is none
    /// of this. Usual causes: a sender that counts wrongly, a middlebox that shortens UDP.
    /// Example: a Hello of 20 octets whose Length is 32.
    HDR_LENGTH_TOO_BIG = "hdr-length-too-big", Error, "RFC 2661 3.1",
        "the Length field indicates the total length of the message in octets.";

    /// The Length of a header ends within the header.
    ///
    /// Nothing of such a message can be read, and its receiver drops it: a control header has 12 octets.
    /// Usual causes: a sender that counts only what follows the header, another protocol on the port.
    /// Example: a Hello whose Length is 8, although its header has 12 octets.
    HDR_LENGTH_TOO_SMALL = "hdr-length-too-small", Error, "RFC 2661 3.1",
        "the Length field indicates the total length of the message in octets.";

    /// The Offset Size of a header goes past its message.
    ///
    /// No payload is left, and the receiver drops the packet. Usual cause: octets of padding, or of another field, that
    /// are read as Offset Size because the O bit is set by mistake.
    /// Example: data of 30 octets whose Offset Size is 200.
    HDR_OFFSET_TOO_BIG = "hdr-offset-too-big", Error, "RFC 2661 3.1",
        "the Offset Size specifies the octets past the header at which the payload is expected to start.";

    /// The header has a version that nobody defined.
    ///
    /// Its receiver drops it. Said only between the ends of a control connection that the capture shows; elsewhere it is
    /// another protocol. Usual causes: another program that sends on the port of the tunnel, a damaged packet.
    /// Example: a datagram with Ver 4 between the ends of a tunnel.
    HDR_VERSION_UNKNOWN = "hdr-version-unknown", Error, "RFC 2661 3.1",
        "packets received with an unknown Ver field must be discarded.";

    /// Packets are L2F, which shares the port with L2TP.
    ///
    /// A receiver of L2TP alone drops them. Usual cause: an old access server that tries L2F first, or is set to it.
    /// Example: an L2F management packet to port 1701.
    HDR_VERSION_L2F = "hdr-version-l2f", Note, "RFC 2661 3.1",
        "the value 1 is reserved to detect L2F packets should they arrive intermixed with L2TP packets.";
}

struct Row {
    rule: &'static Rule,
    title: &'static str,
    advice: &'static str,
}

static TOO_BIG: Row = Row {
    rule: &HDR_LENGTH_TOO_BIG,
    title: "Length goes past the datagram",
    advice: "compare a capture at the sender: if the octets are there, something on the way cuts the datagram.",
};
static TOO_SMALL: Row = Row {
    rule: &HDR_LENGTH_TOO_SMALL,
    title: "Length ends within the header",
    advice: "update the sender, or report it to its maker with this packet.",
};
static OFFSET: Row = Row {
    rule: &HDR_OFFSET_TOO_BIG,
    title: "Offset Size goes past the message",
    advice: "update the sender, or report it to its maker with this packet.",
};
static L2F: Row = Row {
    rule: &HDR_VERSION_L2F,
    title: "L2F instead of L2TP",
    advice: "set the sender to L2TP. This tool does not follow L2F.",
};
static VERSION: Row = Row {
    rule: &HDR_VERSION_UNKNOWN,
    title: "a version that nobody defined",
    advice: "look which program sends from this port beside the L2TP daemon.",
};

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let analysis = case.analysis;
    for (scope, tally) in analysis.all_observed(Observation::LengthTooBig) {
        let octets = count(tally.amount, "octet");
        found.push(finding(case, &TOO_BIG, scope, tally, &format!(", {octets} short in all")));
    }
    for (fact, row) in [
        (Observation::LengthTooSmall, &TOO_SMALL),
        (Observation::OffsetTooBig, &OFFSET),
        (Observation::L2f, &L2F),
    ] {
        for (scope, tally) in analysis.all_observed(fact) {
            found.push(finding(case, row, scope, tally, ""));
        }
    }
    for (scope, tally) in analysis.all_observed(Observation::UnknownVersion) {
        let version = tally.first_amount;
        found.push(finding(case, &VERSION, scope, tally, &format!(" with Ver {version}")));
    }
}

fn finding(case: &Case<'_>, row: &Row, scope: Scope, tally: &Tally, more: &str) -> Finding {
    let packets = count(tally.count, "packet");
    let known = scope.connection.and_then(|number| case.analysis.numbered(number));
    let end = scope.end.unwrap_or(0);
    let finding = match known {
        Some((_, connection)) => {
            let title = format!("{}: {}", words::tunnel(connection), row.title);
            Finding::new(row.rule, title)
                .connection(connection.number)
                .by(end)
                .seen(format!("{packets} of {}{more}.", words::who(connection, end)))
        }
        None => Finding::new(row.rule, format!("on the L2TP port: {}", row.title))
            .seen(format!("{packets}{more}."))
            .unsure(Some(String::from(
                "no L2TP of these hosts is in the capture: another protocol on the port looks the same.",
            ))),
    };
    finding.tally(tally).advice(row.advice)
}
