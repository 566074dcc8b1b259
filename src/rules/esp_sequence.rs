//! Rules on the sequence numbers of ESP (RFC 4303 sections 2.2, 3.3.3, 3.4.3), and on rekeys.

use std::collections::HashMap;

use crate::analysis::FlowId;
use crate::analysis::ipsec::flow::{Flow, WINDOWS};
use crate::analysis::ipsec::ike::Child;
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};
use crate::ipsec::Spi;
use crate::util::Duration;

use super::esp::{garbage, way};
use super::words::count;
use super::{Case, Finding, Severity, rules};

rules! {
    /// A sequence number came again in the same SA, and not as a double of the capture.
    ///
    /// A receiver with anti-replay drops it. Usual causes: a path that doubles packets with some delay, or somebody
    /// who sends recorded packets.
    ESP_REPLAY = "esp-replay", Error, "RFC 4303 3.4.3",
        "each sequence number of an SA may be received once; a duplicate must be rejected.";

    /// Packets came so late that the anti-replay window of their receiver has passed them.
    ///
    /// The receiver drops them, although they are genuine. Judged by the window in the key file (`ip xfrm state` prints
    /// it), else by 64, the default of RFC 4303. Usual causes: links that are used in parallel, priority queues below
    /// ESP, several cores that encrypt one SA.
    /// Example: sequence numbers 1, 2, 200, and then 136.
    ESP_OUTSIDE_WINDOW = "esp-outside-window", Warning, "RFC 4303 3.4.3",
        "packets to the left of the window must be rejected; a window of 64 is the default.";

    /// Sequence numbers of an SA are missing.
    ///
    /// They were sent and are not in the capture: lost before the capture point, or by the capture.
    ESP_SEQ_GAP = "esp-seq-gap", Note, "RFC 4303 2.2", "the sender counts every packet of an SA by one.";

    /// A packet carries the sequence number 0.
    ///
    /// The first packet of an SA has 1, and without extended numbers a sender must not go round. Usual cause: a sender
    /// that begins to count at 0. Receivers drop the packet.
    /// Example: sequence numbers 0, 1, 2 of an SA.
    ESP_SEQ_ZERO = "esp-seq-zero", Error, "RFC 4303 2.2",
        "the first packet sent using a given SA will have a sequence number of 1.";

    /// The first packet of an SA whose negotiation is in the capture does not have the number 1.
    ///
    /// Packets before it were lost before the capture point, or by the capture.
    /// Example: quick mode, and ESP of its SA that begins with sequence number 3.
    ESP_SEQ_FIRST = "esp-seq-first", Note, "RFC 4303 3.3.3",
        "the counter is initialized to 0 when an SA is established, so the first packet has 1.";

    /// The sequence numbers of an SA began again at 0 without extended numbers.
    ///
    /// Once all numbers are used the receiver drops everything; the SA has to be rekeyed before. Usual cause: a fast link
    /// and a lifetime by time alone. Extended sequence numbers (RFC 4303 section 2.2.1) avoid it.
    /// Example: sequence numbers 4294967294, 4294967295, 0, 1 with one SPI.
    ESP_SEQ_WRAP = "esp-seq-wrap", Error, "RFC 4303 3.3.3",
        "with anti-replay, the sequence number must not cycle: a new SA must be there before the 2^32nd packet.";

    /// An SA is used on after another one took its place.
    ///
    /// A rekey was seen, and the old SA carried packets for more than ten seconds beside the new one. Nothing breaks as
    /// long as both ends keep the old SA; when one deletes it, packets are lost.
    /// Example: an SA that another replaces, and 15 packets of it beside the new one.
    ESP_OLD_SA_IN_USE = "esp-old-sa-in-use", Note, "RFC 4301 4.4.2.1",
        "an SA has a lifetime after which it must be replaced with a new SA or terminated.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let children = case.analysis.ike.iter().flat_map(|sa| &sa.children);
    let made: HashMap<Spi, &Child> =
        children.flat_map(|child| child.spis.iter().flatten().map(move |spi| (*spi, child))).collect();
    for (flow, id) in case.analysis.flows.iter().zip(0u32..) {
        let scope = Scope { flow: Some(FlowId(id)), ..Scope::default() };
        let tally = |fact| case.analysis.observed(fact, scope);
        if garbage(flow) {
            continue;
        }
        order(case, flow, tally(Observation::EspReplay), tally(Observation::EspGap), found);
        ends(flow, tally(Observation::EspZero), made.get(&flow.spi).copied(), found);
        old(case, flow, found);
    }
}

fn order(
    case: &Case<'_>,
    flow: &Flow,
    replay: Option<&Tally>,
    gap: Option<&Tally>,
    found: &mut Vec<Finding>,
) {
    let way = way(flow);
    if let Some(tally) = replay {
        found.push(
            Finding::new(&ESP_REPLAY, format!("sequence numbers came again on SA {}", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!("{} {way}; a receiver drops them.", count(tally.count, "replayed packet")))
                .advice("look for a device on the path that doubles packets, before thinking of an attack."),
        );
    }
    let said = flow.sa.and_then(|sa| case.sad.get(sa)).and_then(|sa| sa.replay_window);
    if let Some(packet) = flow.restarted {
        let finding = Finding::new(&ESP_REPLAY, format!("the counter of SA {} began at 1 again", flow.spi));
        let off = said == Some(0);
        found.push(
            finding
                .packets(&[packet])
                .spi(flow.spi)
                .severity(if off { Severity::Note } else { Severity::Warning })
                .seen(format!("{way}, from packet {packet} on: its sender restarted with the same keys."))
                .unsure(Some(String::from(if off {
                    "the replay window in the key file is 0, so its receiver takes these packets."
                } else {
                    "a receiver without protection against replays takes these packets."
                })))
                .advice("have IKE make new SAs after a restart; with manual keys, restart both sides."),
        );
    }
    let window = said.unwrap_or(64);
    let index = WINDOWS.iter().rposition(|size| *size <= window);
    let late = index.and_then(|at| flow.late.get(at)).copied().unwrap_or(0);
    if let (Some((farthest, packet)), true) = (flow.latest, window > 0)
        && farthest >= window
        && late > 0
    {
        let whose = if said.is_some() { "as the key file says" } else { "the default of RFC 4303" };
        let exact = WINDOWS.contains(&window);
        found.push(
            Finding::new(&ESP_OUTSIDE_WINDOW, format!("packets of SA {} came too late", flow.spi))
                .packets(&[packet])
                .spi(flow.spi)
                .seen(format!(
                    "{} {way} behind a window of {window} ({whose}), {farthest} numbers at the most.",
                    if exact { count(late, "packet") } else { String::from("packets") }
                ))
                .unsure(
                    said.is_none().then(|| String::from("the receiver may have set a larger window, or none.")),
                )
                .advice("find what reorders them, or give the receiver a larger window (strongSwan: replay_window)."),
        );
    }
    // Packets that do not verify were there, though their numbers prove nothing.
    let lost = flow.lost().saturating_sub(flow.bad());
    if let (Some(tally), true) = (gap, lost > 0) {
        found.push(
            Finding::new(&ESP_SEQ_GAP, format!("sequence numbers are missing on SA {}", flow.spi))
                .tally(tally)
                .spi(flow.spi)
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

fn ends(flow: &Flow, zero: Option<&Tally>, made: Option<&Child>, found: &mut Vec<Finding>) {
    let way = way(flow);
    let proven = flow.decrypted > 0;
    let unproven =
        || (!proven).then(|| String::from("without a key, extended sequence numbers would look the same."));
    if let Some(tally) = zero
        && flow.extended.is_none()
    {
        found.push(
            Finding::new(&ESP_SEQ_ZERO, format!("sequence number 0 on SA {}", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!("{} {way}.", count(tally.count, "packet")))
                .unsure(if flow.first_sequence == 0 { None } else { unproven() })
                .advice(format!("{} counts wrongly: update it, or report it.", flow.addresses.source)),
        );
    }
    if let Some(packet) = flow.wrapped.filter(|_| flow.extended.is_none()) {
        found.push(
            Finding::new(&ESP_SEQ_WRAP, format!("the sequence numbers of SA {} began again", flow.spi))
                .packets(&[packet])
                .spi(flow.spi)
                .seen(format!("after the number {} {way}.", u32::MAX))
                .unsure(unproven())
                .advice("let the SA be rekeyed by packets or octets, or use extended sequence numbers."),
        );
    }
    if flow.first_sequence > 1
        && let Some(child) = made.filter(|child| child.made.time <= flow.first.0)
    {
        found.push(
            Finding::new(&ESP_SEQ_FIRST, format!("the first packets of SA {} are missing", flow.spi))
                .packets(&[child.made.packet, flow.first.1])
                .spi(flow.spi)
                .seen(format!(
                    "IKE made it in packet {}; its first packet {way} has the number {}.",
                    child.made.packet, flow.first_sequence
                ))
                .unsure(Some(String::from("lost on the way to the capture point, or by the capture.")))
                .advice("compare with a capture nearer to the sender."),
        );
    }
}

fn old(case: &Case<'_>, flow: &Flow, found: &mut Vec<Finding>) {
    let Some(new) = flow.replaced_by.and_then(|id| case.analysis.flow(id)) else { return };
    let beside = flow.last.0.since(new.first.0);
    if beside < Duration::seconds(10) {
        return;
    }
    found.push(
        Finding::new(&ESP_OLD_SA_IN_USE, format!("SA {} is used on after a rekey", flow.spi))
            .packets(&[new.first.1, flow.last.1])
            .spi(flow.spi)
            .seen(format!(
                "SA {} took its place at {}; packets {} with the old one until {}.",
                new.spi,
                case.at(new.first.0),
                way(flow),
                case.at(flow.last.0)
            ))
            .unsure(Some(String::from("two SAs that are used on purpose side by side look the same.")))
            .advice("nothing to repair as long as both ends keep it; look at the lifetimes of both sides if packets are lost."),
    );
}
