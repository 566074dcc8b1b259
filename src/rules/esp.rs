//! Rules on ESP (RFC 4303).

use crate::analysis::FlowId;
use crate::analysis::facts::{Fact, Scope};

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// Packets of an SA whose other packets verify carry a wrong ICV.
    ///
    /// The key is right, since other packets pass; so these bytes were changed on the way, or made up by somebody
    /// without the key. The receiver drops them.
    ESP_ICV_BAD = "esp-icv-bad", Error, "RFC 4303 3.4.4.1", "a packet whose ICV does not verify must be discarded.";

    /// No packet of an SA passes its integrity check, although a key was given.
    ///
    /// The key, the algorithm or the length of the ICV is wrong: keys of another session, of one end whose peer holds
    /// others, or a suite that was written down wrongly. Damage would spare some packets.
    ESP_KEY_DOES_NOT_FIT = "esp-key-does-not-fit", Error, "RFC 4303 3.4.4.1",
        "a packet whose ICV does not verify must be discarded.";

    /// A sequence number came again in the same SA, and not as a double of the capture.
    ///
    /// A receiver with anti-replay drops it. Usual causes: a path that doubles packets with some delay, or somebody
    /// who sends recorded packets.
    ESP_REPLAY = "esp-replay", Error, "RFC 4303 3.4.3",
        "each sequence number of an SA may be received once; a duplicate must be rejected.";

    /// Sequence numbers of an SA are missing.
    ///
    /// They were sent and are not in the capture: lost before the capture point, or by the capture.
    ESP_SEQ_GAP = "esp-seq-gap", Note, "RFC 4303 2.2", "the sender counts every packet of an SA by one.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (flow, id) in case.analysis.flows.iter().zip(0u32..) {
        let scope = Scope { flow: Some(FlowId(id)), ..Scope::default() };
        let tally = |fact| case.analysis.facts.get(fact, scope);
        let way = format!("from {} to {}", flow.addresses.source, flow.addresses.destination);
        let bad = flow.bad_icv.saturating_add(flow.bad_padding);
        if let Some(tally) = tally(Fact::BadIcv) {
            let finding = if flow.decrypted > 0 {
                Finding::new(&ESP_ICV_BAD, format!("integrity check failed on SA {}", flow.spi))
                    .seen(format!(
                        "{} {way}. The {} other packets of this SA pass, so the key is right.",
                        count(bad, "bad packet"),
                        words::thousands(flow.decrypted)
                    ))
                    .advice("these bytes changed on the way. Compare with a capture from the other end.")
            } else {
                Finding::new(&ESP_KEY_DOES_NOT_FIT, format!("the key of SA {} does not fit", flow.spi))
                    .seen(format!("none of {} {way} passes.", count(bad, "packet")))
                    .unsure((bad < 3).then(|| {
                        String::from("with so few packets, damage on the way would look the same.")
                    }))
                    .advice("take the keys of this SPI from both gateways (`ip xfrm state`) and compare: if they differ, the receiver drops everything.")
            };
            found.push(finding.tally(tally).spi(flow.spi));
        }
        if let Some(tally) = tally(Fact::EspReplay) {
            found.push(
                Finding::new(&ESP_REPLAY, format!("sequence numbers came again on SA {}", flow.spi))
                    .tally(tally)
                    .spi(flow.spi)
                    .seen(format!("{} {way}; a receiver drops them.", count(tally.count, "replayed packet")))
                    .advice(
                        "look for a device on the path that doubles packets, before thinking of an attack.",
                    ),
            );
        }
        let lost = flow.lost();
        if let (Some(tally), true) = (tally(Fact::EspGap), lost > 0) {
            found.push(
                Finding::new(&ESP_SEQ_GAP, format!("sequence numbers are missing on SA {}", flow.spi))
                    .tally(tally)
                    .spi(flow.spi)
                    .severity(Severity::Note)
                    .seen(format!(
                        "{} {way} never seen between {} and {}.",
                        count(lost, "number"),
                        flow.first_sequence,
                        flow.last_sequence
                    ))
                    .unsure(Some(String::from("lost on the way to the capture point, or by the capture.")))
                    .advice("compare with the counters of the receiving gateway (`ip -s xfrm state`)."),
            );
        }
    }
}
