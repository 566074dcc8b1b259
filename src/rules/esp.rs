//! Rules on ESP (RFC 4303): integrity, keys, and what is inside. Sequence numbers are in `esp_sequence`.

use std::collections::HashMap;

use crate::analysis::FlowId;
use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::{Deletion, IkeSa};
use crate::analysis::ipsec::lengths::Fits;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::dissect::layers::Encapsulation;
use crate::ipsec::Spi;
use crate::util::{Duration, Timestamp};

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// Packets of an SA carry an ICV that does not verify.
    ///
    /// Where other packets of the SA pass, the key is right: these bytes were changed on the way, or made up by somebody
    /// without the key. Where none passes although the SA of the other direction opens with keys of the same file, the
    /// two gateways most likely hold different integrity keys (see esp-key-does-not-fit). The receiver drops the packets
    /// in both cases. Usual causes: damaged memory or a device that rewrites packets; keys that were typed by hand.
    /// Example: two hosts with manual SAs and different authentication keys.
    ESP_ICV_BAD = "esp-icv-bad", Error, "RFC 4303 3.4.4.1", "a packet whose ICV does not verify must be discarded.";

    /// No packet of an SA opens, although a key was given.
    ///
    /// The key, the algorithm, the length of the ICV or the kind of sequence number is wrong: keys of another session, of
    /// one end whose peer holds others, of the other direction, or a suite that was written down wrongly. Damage would
    /// spare some packets. Where the ICV holds and padding and next header make no sense, the integrity key is right
    /// and the encryption key, or its algorithm, is wrong.
    ESP_KEY_DOES_NOT_FIT = "esp-key-does-not-fit", Error, "RFC 4303 3.4.4.1",
        "a packet whose ICV does not verify must be discarded.";

    /// An SA verifies only with another ICV length of HMAC-SHA-256 than its key line says.
    ///
    /// RFC 4868 cuts it to 128 bits; Linux before 2.6.33 and some phones cut it to 96, as a draft did. Two gateways that
    /// differ here agree in IKE and then drop every packet of each other. Some key dialects cannot name the 96-bit form,
    /// so a key line alone proves nothing: compare what both gateways use. Without keys the lengths of the packets
    /// tell the ICV of each direction.
    /// Example: ESP whose ICV is that of HMAC-SHA-256 cut to 96 bits, with a key line for 128.
    ESP_SHA256_TRUNCATION = "esp-sha256-truncation", Note, "RFC 4868 2.3",
        "HMAC-SHA-256 in ESP is truncated to 128 bits.";

    /// The padding of opened packets is not 1, 2, 3 and so on.
    ///
    /// The ICV holds, so this is how the sender made them. A receiver that checks drops them. Usual cause: an
    /// implementation that pads with zeros or random octets.
    /// Example: packets with a good ICV whose padding is 0, 0.
    ESP_PADDING_BAD = "esp-padding-bad", Warning, "RFC 4303 2.4",
        "padding octets are 1, 2, 3 and so on, unless the encryption algorithm asks for others.";

    /// An SA that should carry L2TP carries other protocols.
    ///
    /// Its selectors are wider than UDP 1701, or its packets are not what they seem. Found by: a Next Header that is
    /// neither UDP, L2TP, IPComp, IP in IP, nor a dummy packet, after a good ICV. ICMP between the gateways is usual where
    /// the policy covers all traffic between two hosts.
    /// Example: packets with a good ICV and Next Header 47 (GRE).
    ESP_NEXT_HEADER_UNEXPECTED = "esp-next-header-unexpected", Warning, "RFC 4303 2.6",
        "Next Header names the protocol of the payload.";

    /// An SPI that is reserved.
    ///
    /// 0 is for local use and never on the wire, 1 to 255 are reserved. Usual cause: what was taken for ESP is none.
    /// Example: an ESP packet with SPI 255.
    ESP_SPI_RESERVED = "esp-spi-reserved", Error, "RFC 4303 2.1",
        "SPI values from 1 to 255 are reserved, and 0 must not be sent on the wire.";

    /// ESP goes on with an SPI after IKE deleted it.
    ///
    /// The receiver has no SA any more and drops the packets. Found where IKE was opened with keys. Usual causes: a Delete
    /// that got lost, or a gateway that restarted and a peer that did not notice.
    /// Example: a Delete of an SA, and ESP with its SPI 5 s later.
    ESP_UNKNOWN_SPI = "esp-unknown-spi", Warning, "RFC 4303 3.4.2",
        "if no valid SA exists for a packet, its receiver must discard it.";

    /// ESP goes in one direction only.
    ///
    /// Packets of one SA are there, and none of the SA of the other direction. Found where that direction should have
    /// packets: IKE of both ends is in the capture, or the key file names the SA that stays silent. Usual causes: a
    /// firewall that lets IKE through and drops ESP (IP protocol 50 or UDP 4500), or a server whose L2TP daemon does not
    /// answer. Example: protocol 50 dropped by a router after IKE agreed.
    ESP_ONE_WAY = "esp-one-way", Error, "RFC 4301 4.1",
        "an SA is simplex: traffic in both directions needs one SA for each.";

    /// Octets stand behind the packets inside: padding against traffic analysis.
    ///
    /// It is allowed, costs bandwidth, and hides the sizes of packets.
    /// Example: opened packets with 8 octets behind the UDP datagram.
    ESP_TFC_PADDING = "esp-tfc-padding", Note, "RFC 4303 2.7",
        "TFC padding may follow the payload where the payload says its own length.";

    /// The sequence numbers of an SA turned out to be extended ones.
    ///
    /// Its packets verify only with an upper half that is not on the wire, and the key file did not say so. Nothing is
    /// wrong; a tool that takes such an SA for an ordinary one fails to verify every packet.
    /// Example: ESP of an SA with extended sequence numbers, whose key line does not say so.
    ESP_ESN_HIGH_GUESS = "esp-esn-high-guess", Note, "RFC 4303 2.2.1",
        "the upper 32 bits of an extended sequence number are part of the ICV and not transmitted.";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let deletions: HashMap<Spi, &Deletion> = case
        .analysis
        .ike
        .iter()
        .flat_map(|sa| &sa.deleted)
        .map(|deletion| (deletion.spi, deletion))
        .collect();
    for (flow, id) in case.analysis.flows.iter().zip(0u32..) {
        integrity(case, flow, FlowId(id), found);
        inside(case, flow, FlowId(id), found);
        numbers(case, flow, found);
        if let Some(deletion) = deletions.get(&flow.spi) {
            unknown_spi(case, flow, deletion, found);
        }
    }
    lengths(case, found);
    if let Some(silence) = one_way(case) {
        found.push(silence.finding(case));
    }
}

/// `from A to B`.
pub(super) fn way(flow: &Flow) -> String {
    format!("from {} to {}", flow.addresses.source, flow.addresses.destination)
}

/// Whether what was opened is garbage: the integrity key fits, the encryption key does not.
pub(super) fn garbage(flow: &Flow) -> bool {
    flow.bad_icv == 0
        && flow.decrypted.saturating_add(flow.bad_padding) >= 2
        && flow.odd_padding.saturating_add(flow.bad_padding).saturating_mul(2)
            > flow.decrypted.saturating_add(flow.bad_padding)
        && (flow.odd_next_header > 0 || flow.bad_padding > 0)
}

/// Whether another SA of the same key file, in the other direction, opens: then the file is of this session.
fn peer_opens(case: &Case<'_>, flow: &Flow) -> bool {
    let file = |flow: &Flow| flow.sa.and_then(|sa| case.sad.get(sa)).map(|sa| &sa.origin.file);
    case.some_flows().any(|other| {
        other.decrypted > 0
            && !garbage(other)
            && other.addresses.source == flow.addresses.destination
            && other.addresses.destination == flow.addresses.source
            && file(other) == file(flow)
    })
}

fn integrity(case: &Case<'_>, flow: &Flow, id: FlowId, found: &mut Vec<Finding>) {
    let scope = Scope { flow: Some(id), ..Scope::default() };
    let analysis = case.analysis;
    if garbage(flow) {
        let tally = analysis
            .observed(Observation::EspPadding, scope)
            .or_else(|| analysis.observed(Observation::BadIcv, scope));
        let packets = tally.map_or_else(|| vec![flow.first.1], |tally| tally.packets.clone());
        let verified = flow.integrity.is_some_and(|name| name != "none") || has_mac(case, flow);
        let (seen, advice) = if verified {
            (
                "the ICV holds, but padding and Next Header of most packets are garbage: the integrity key is right, the encryption key or its algorithm is not.",
                "compare the encryption algorithm and key of this SPI with `ip xfrm state` of a gateway.",
            )
        } else {
            (
                "no ICV can prove the key, and padding and Next Header of most packets are garbage.",
                "compare algorithms and key of this SPI with `ip xfrm state` of a gateway.",
            )
        };
        found.push(
            Finding::new(
                &ESP_KEY_DOES_NOT_FIT,
                format!("the encryption key of SA {} does not fit", flow.spi),
            )
            .packets(&packets)
            .spi(flow.spi)
            .seen(seen)
            .advice(advice),
        );
        return;
    }
    let bad = flow.bad();
    let Some(tally) = analysis.observed(Observation::BadIcv, scope) else { return };
    if flow.decrypted > 0 {
        found.push(
            Finding::new(&ESP_ICV_BAD, format!("integrity check failed on SA {}", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!(
                    "{} {}. The {} other packets of this SA pass, so the key is right.",
                    count(bad, "bad packet"),
                    way(flow),
                    words::thousands(flow.decrypted)
                ))
                .advice("these bytes changed on the way. Compare with a capture from the other end."),
        );
        return;
    }
    let few = (bad < 3).then(|| String::from("with so few packets, damage on the way would look the same."));
    found.push(
        Finding::new(&ESP_KEY_DOES_NOT_FIT, format!("the key of SA {} does not fit", flow.spi))
            .tally(tally)
            .spi(flow.spi)
            .seen(format!("none of {} {} passes.", count(bad, "packet"), way(flow)))
            .unsure(few)
            .advice("take the keys of this SPI from both gateways (`ip xfrm state`) and compare keys, algorithms, ICV length and ESN: if they differ, the receiver drops everything."),
    );
    if bad >= 3 && flow.bad_icv == bad && peer_opens(case, flow) {
        found.push(
            Finding::new(&ESP_ICV_BAD, format!("integrity check fails on every packet of SA {}", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!(
                    "{} {}; with the same key file the other direction opens.",
                    count(bad, "bad packet"),
                    way(flow)
                ))
                .unsure(Some(String::from("a wrong key line for this SPI alone would look the same.")))
                .advice(format!(
                    "compare the integrity key of this SPI on both gateways: if they differ, {} drops every packet.",
                    flow.addresses.destination
                )),
        );
    }
}

fn has_mac(case: &Case<'_>, flow: &Flow) -> bool {
    let sa = flow.sa.and_then(|sa| case.sad.get(sa));
    sa.is_some_and(|sa| sa.integrity.name() != "none")
}

/// ICMP, TCP and ICMPv6: what two hosts say to each other besides.
const COMPANIONS: [u8; 3] = [1, 6, 58];

fn inside(case: &Case<'_>, flow: &Flow, id: FlowId, found: &mut Vec<Finding>) {
    if garbage(flow) {
        return;
    }
    let scope = Scope { flow: Some(id), ..Scope::default() };
    let analysis = case.analysis;
    if let Some(tally) = analysis.observed(Observation::EspPadding, scope) {
        let packets = count(flow.odd_padding, "packet");
        found.push(
            Finding::new(&ESP_PADDING_BAD, format!("the padding on SA {} is wrong", flow.spi))
                .tally(tally)
                .spi(flow.spi)
                .seen(format!("{packets} {}, with a good ICV, padded with other octets.", way(flow)))
                .advice(format!("{} pads wrongly: update it, or report it.", flow.addresses.source)),
        );
    }
    if let Some(tally) = analysis.observed(Observation::EspNextHeader, scope) {
        let packets = count(flow.odd_next_header, "packet");
        found.push(
            Finding::new(&ESP_NEXT_HEADER_UNEXPECTED, format!("SA {} carries more than L2TP", flow.spi))
                .tally(tally)
                .severity(if COMPANIONS.contains(&flow.next_header) {
                    Severity::Note
                } else {
                    Severity::Warning
                })
                .spi(flow.spi)
                .seen(format!("{packets} {}; the last has Next Header {}.", way(flow), flow.next_header))
                .advice("see whether the selectors of the policy are meant to be that wide."),
        );
    }
    if flow.tfc > 0 {
        found.push(
            Finding::new(&ESP_TFC_PADDING, format!("SA {} pads packets against traffic analysis", flow.spi))
                .packets(&[flow.first.1])
                .spi(flow.spi)
                .seen(format!(
                    "{} of {} {} are longer than the packet inside.",
                    words::thousands(flow.tfc),
                    count(flow.decrypted, "packet"),
                    way(flow)
                ))
                .advice("nothing to repair; switch it off (strongSwan: tfc_padding) if bandwidth is short."),
        );
    }
    let said = flow.sa.and_then(|sa| case.sad.get(sa)).map(|sa| sa.integrity.name());
    if let (Some(said), Some(used)) = (said, flow.integrity)
        && said != used
        && said.starts_with("hmac-sha256")
        && used.starts_with("hmac-sha256")
    {
        found.push(
            Finding::new(&ESP_SHA256_TRUNCATION, format!("SA {} verifies as {used}", flow.spi))
                .packets(&[flow.first.1])
                .spi(flow.spi)
                .seen(format!("the key line says {said}; {} {} verify as {used} only.", count(flow.decrypted, "packet"), way(flow)))
                .unsure(Some(String::from("key files of some programs cannot tell the two apart.")))
                .advice("if the receiver counts integrity errors (`ip -s xfrm state`), set the same length on both sides (libreswan: sha2-truncbug)."),
        );
    }
}

/// `AES-CBC or another cipher of 128-bit blocks, ICV of 96 bits`.
pub(super) fn fitting(fits: Fits) -> String {
    let cipher = match fits.block {
        16 => "AES-CBC or another cipher of 128-bit blocks",
        _ => "3DES or another cipher of 64-bit blocks",
    };
    format!("{cipher}, {}", icv(fits))
}

fn icv(fits: Fits) -> &'static str {
    if fits.icv == 12 { "an ICV of 96 bits" } else { "an ICV of 128 bits or more" }
}

/// Two directions without keys, with the same cipher and ICVs of different lengths.
fn lengths(case: &Case<'_>, found: &mut Vec<Finding>) {
    for flow in case.some_flows() {
        let Some(there) = flow.lengths.fits().filter(|there| there.icv == 12) else { continue };
        let back = case.some_flows().find_map(|other| {
            let fits = other.lengths.fits()?;
            let opposite = other.addresses.source == flow.addresses.destination
                && other.addresses.destination == flow.addresses.source;
            (opposite && fits.block == there.block && fits.icv != there.icv).then_some((other, fits))
        });
        let Some((other, fits)) = back else { continue };
        found.push(
            Finding::new(
                &ESP_SHA256_TRUNCATION,
                format!("SA {} and SA {} have ICVs of different lengths", flow.spi, other.spi),
            )
            .severity(Severity::Warning)
            .packets(&[flow.first.1, other.first.1])
            .spi(flow.spi)
            .seen(format!(
                "by the lengths of packets: {} {}, {} {}.",
                icv(there),
                way(flow),
                icv(fits),
                way(other)
            ))
            .unsure(Some(String::from("without keys, lengths are all there is; two different MACs look the same.")))
            .advice("set the same length on both sides (libreswan: sha2-truncbug), or use SHA-1, SHA-512 or AES-GCM."),
        );
    }
}

fn numbers(case: &Case<'_>, flow: &Flow, found: &mut Vec<Finding>) {
    if flow.spi.0 < 256 {
        found.push(
            Finding::new(&ESP_SPI_RESERVED, format!("SPI {} is reserved", flow.spi))
                .packets(&[flow.first.1])
                .spi(flow.spi)
                .seen(format!("{} {}.", count(flow.packets(), "packet"), way(flow)))
                .unsure(
                    (flow.decrypted == 0).then(|| String::from("what looks like ESP may be something else.")),
                )
                .advice("manual SAs need SPIs from 256 on."),
        );
    }
    let said = flow.sa.and_then(|sa| case.sad.get(sa)).is_some_and(|sa| sa.extended_sequence.is_none());
    if let (true, Some(high)) = (said, flow.extended)
        && !found.iter().any(|one| one.rule.id == ESP_ESN_HIGH_GUESS.id)
    {
        found.push(
            Finding::new(&ESP_ESN_HIGH_GUESS, format!("SA {} uses extended sequence numbers", flow.spi))
                .packets(&[flow.first.1])
                .spi(flow.spi)
                .seen(format!("its packets verify with the upper half {high}; the key file does not say so."))
                .advice("nothing to repair. Other tools may need to be told."),
        );
    }
}

/// A Delete needs a moment to arrive and to be obeyed.
const OBEYED: Duration = Duration::seconds(3);

fn unknown_spi(case: &Case<'_>, flow: &Flow, deletion: &Deletion, found: &mut Vec<Finding>) {
    if flow.last.0.since(deletion.at.time) <= OBEYED {
        return;
    }
    found.push(
        Finding::new(&ESP_UNKNOWN_SPI, format!("SA {} is still used after its Delete", flow.spi))
            .packets(&[deletion.at.packet, flow.last.1])
            .spi(flow.spi)
            .seen(format!(
                "IKE deleted it at {} (packet {}); ESP {} goes on until {}.",
                case.at(deletion.at.time),
                deletion.at.packet,
                way(flow),
                case.at(flow.last.0)
            ))
            .advice(format!(
                "{} has not taken note of the Delete: look in its IKE log; restart the connection there.",
                flow.addresses.source
            )),
    );
}

/// ESP of which one direction is missing.
pub(super) struct Silence<'a> {
    pub flow: &'a Flow,
    pub sent: u64,
    /// The IKE SA that agreed on both directions.
    pub ike: Option<&'a IkeSa>,
    /// The SPI that the key file has for the direction that is silent.
    pub silent: Option<String>,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// The first pair of ends of which one direction is missing, although it should be there.
pub(super) fn one_way<'a>(case: &Case<'a>) -> Option<Silence<'a>> {
    let analysis = case.analysis;
    // With many pairs of ends a report on the first is enough; each is compared with all.
    analysis.flows.iter().take(256).find_map(|flow| {
        let (from, to) = (flow.addresses.source, flow.addresses.destination);
        let ike = case.some_ike().find(|sa| {
            let ends = [sa.initiator, sa.responder];
            ends.contains(&from) && ends.contains(&to) && sa.agreed() && sa.sent.iter().all(|sent| *sent > 0)
        });
        let silent = case
            .sad
            .iter()
            .find(|(_, sa)| sa.source == Some(to) && sa.destination == Some(from))
            .map(|(_, sa)| sa.spi.to_string());
        if ike.is_none() && silent.is_none() {
            return None;
        }
        let back = analysis
            .flows
            .iter()
            .any(|other| other.addresses.source == to && other.addresses.destination == from);
        if back {
            return None;
        }
        let ours = analysis.flows.iter().filter(|other| other.addresses == flow.addresses);
        let sent: u64 = ours.clone().map(Flow::packets).sum();
        let first = ours.clone().map(|flow| flow.first.0).min()?;
        let last = ours.map(|flow| flow.last.0).max()?;
        let long = case.left_after(first) > Duration::seconds(10);
        (sent >= 2 && long).then_some(Silence { flow, sent, ike, silent, first, last })
    })
}

impl Silence<'_> {
    fn finding(&self, case: &Case<'_>) -> Finding {
        let (from, to) = (self.flow.addresses.source, self.flow.addresses.destination);
        let agreed = match (self.ike, &self.silent) {
            (Some(_), Some(spi)) => format!("IKE agreed on both directions (SPI {spi} back)"),
            (Some(_), None) => String::from("IKE agreed on both directions"),
            (None, Some(spi)) => format!("the key file has SPI {spi} for the way back"),
            (None, None) => String::from("the way back is missing"),
        };
        // Guard G3: without IKE of both ends, the capture may lack a direction.
        let unsure =
            self.ike.is_none().then(|| String::from("a capture of one direction only looks the same."));
        let through = match self.flow.encapsulation {
            Encapsulation::Ip => "ESP (IP protocol 50)",
            Encapsulation::Udp => "UDP 4500",
        };
        Finding::new(&ESP_ONE_WAY, format!("no ESP came from {to}"))
            .packets(&[self.flow.first.1])
            .spi(self.flow.spi)
            .seen(format!(
                "{} from {from} between {} and {}, none back; {agreed}.",
                count(self.sent, "packet"),
                case.at(self.first),
                case.at(self.last)
            ))
            .unsure(unsure)
            .advice(format!(
                "on {to}, see whether the SAs count packets (`ip -s xfrm state`). In: its daemon or firewall does not answer. Not in: {through} is dropped on the way."
            ))
    }
}
