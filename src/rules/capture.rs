//! Rules on the capture itself. They are no faults of the protocol; they qualify everything else.

use crate::analysis::ipsec::flow::Flow;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;

use crate::ipsec::SpiPattern;

use super::words::{self, count};
use super::{Case, Finding, Severity, esp, rules};

rules! {
    /// The capture file is damaged, or ends in the middle of a packet.
    ///
    /// Everything before the damage was analysed and is in this report; what follows it could not be read.
    /// Usual causes: the capturing program was killed, the disk was full, the file was cut by a transfer in text mode.
    /// Found by: a record or block whose length does not fit, or an end of file inside a record.
    /// Example: a pcap file that ends within a record.
    CAP_DAMAGED = "cap-damaged", Warning, "", "";

    /// Packets were cut by the snap length of the capture.
    ///
    /// ESP needs the whole packet: its ICV stands at the end. A cut ESP packet cannot be opened, whatever the key.
    /// Usual cause: tcpdump -s with a small number, or a sniffer with a fixed slice size.
    CAP_TRUNCATED = "cap-truncated", Warning, "", "";

    /// The capture begins after the control connection was set up.
    ///
    /// The first Ns and Nr seen are taken as the beginning, and rules that need the set-up say nothing.
    CAP_MID_STREAM = "cap-mid-stream", Note, "", "";

    /// Only one direction of a conversation is in the capture, although the other side did speak.
    ///
    /// Rules that need the other side's packets say nothing. Found by: an Nr that acknowledges messages of a side of
    /// which there is no packet, or data in an established tunnel from one side alone.
    /// Usual causes: a capture filter on one source address, asymmetric routing, a mirror port of one direction.
    CAP_ONE_WAY = "cap-one-way", Warning, "", "";

    /// A side acknowledged control messages that are not in the capture.
    ///
    /// They were sent and they arrived, so the capture lost them, not the network.
    /// Usual causes: a sniffer that cannot keep up, a filter, a second path.
    /// Example: a ZLB with Nr 5, although no message with Ns 4 is in the capture.
    CAP_MISSING_ACKED = "cap-missing-acked", Warning, "RFC 2661 5.8",
        "Nr is the number of the next message expected, so it acknowledges all before it.";

    /// The capture holds packets twice: the same bytes from the IP header on, within 2 ms.
    ///
    /// The second copy is counted here and looked at no further, so that no rule takes it for a resend or a replay.
    /// Usual causes: the interface `any` on a router, a mirror port that copies both directions, or a path that
    /// really doubles packets.
    CAP_DUPLICATE_FRAMES = "cap-duplicate-frames", Note, "", "";

    /// ESP packets stay encrypted, because no key for their SPI was given or the suite cannot be opened.
    ///
    /// Whatever they hold is unknown: findings that it could explain say so. A rekey changes the SPI; the keys of the
    /// new SA are then needed too.
    /// Example: a capture with ESP that is read without --keys.
    CAP_ESP_UNDECRYPTED = "cap-esp-undecrypted", Warning, "", "";

    /// A table of the analysis is full, and what came after was left out.
    ///
    /// Every table has a limit, so that hostile captures cannot fill the memory.
    /// Example: requests for 500 tunnels where the limit is 50.
    CAP_LIMIT_REACHED = "cap-limit-reached", Warning, "", "";

    /// The capturing interface or system dropped packets itself.
    ///
    /// The file counts them. What is missing may be among them, so nothing that is missing is certain.
    /// Usual causes: a busy machine, a small buffer; tcpdump -B and a capture filter help.
    /// Example: a pcapng file whose interface statistics count dropped packets.
    CAP_DROPS = "cap-drops", Warning, "", "";

    /// The clock of the capture was set while it ran.
    ///
    /// Rules on times say nothing about such a capture. Found by: a packet more than a second before, or more than an
    /// hour after the one in front of it. Usual causes: NTP that steps, a laptop that slept, files put together.
    /// Example: a packet 5 s before the one in front of it.
    CAP_CLOCK_STEP = "cap-clock-step", Note, "", "";

    /// IP datagrams are in the capture in part only.
    ///
    /// Fragments of them are missing, so what they carry cannot be read.
    /// Usual causes: a capture filter on ports (only the first fragment has them), loss of fragments on the way.
    /// Example: the first fragment of a datagram, and no other.
    CAP_INNER_FRAGMENTS = "cap-inner-fragments", Note, "", "";

    /// A key that was given fits no packet of the capture.
    ///
    /// Usual causes: keys of another session, of an SA that was rekeyed before the capture began, or of a direction
    /// that was not captured.
    KEY_UNUSED = "key-unused", Note, "", "";
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    damage(case, found);
    drops(case, found);
    clock(case, found);
    fragments(case, found);
    doubles(case, found);
    connections(case, found);
    undecrypted(case, found);
    limits(case, found);
    unused_keys(case, found);
}

fn damage(case: &Case<'_>, found: &mut Vec<Finding>) {
    if let Some(damage) = case.damage {
        found.push(
            Finding::new(&CAP_DAMAGED, "the capture file is damaged")
                .seen(format!("{damage}."))
                .advice("what stands above comes from the part before the damage. Capture again, or ask for the whole file."),
        );
    }
    if let Some(tally) = case.analysis.observed(Observation::Truncated, Scope::default()) {
        let cut = case.analysis.totals.esp_cut;
        let esp = if cut > 0 {
            format!(", {} ESP packets among them", words::thousands(cut))
        } else {
            String::new()
        };
        found.push(
            Finding::new(&CAP_TRUNCATED, "packets were cut by the snap length")
                .tally(tally)
                .seen(format!("{} shorter than on the wire{esp}.", count(tally.count, "packet")))
                .advice("capture whole packets: tcpdump -s 0."),
        );
    }
}

fn drops(case: &Case<'_>, found: &mut Vec<Finding>) {
    if case.drops > 0 {
        found.push(
            Finding::new(&CAP_DROPS, "the capture dropped packets itself")
                .times(case.drops)
                .seen(format!("{} dropped, by its own count.", count(case.drops, "packet")))
                .advice("capture again with a larger buffer (tcpdump -B), a filter, or on a machine that keeps up."),
        );
    }
}

fn clock(case: &Case<'_>, found: &mut Vec<Finding>) {
    let steps =
        [(Observation::ClockBack, "went backwards", "ms"), (Observation::ClockAhead, "jumped ahead", "s")];
    for (fact, what, unit) in steps {
        if let Some(tally) = case.analysis.observed(fact, Scope::default()) {
            found.push(
                Finding::new(&CAP_CLOCK_STEP, format!("the clock of the capture {what}"))
                    .tally(tally)
                    .seen(format!(
                        "{}, by {} {unit} in all.",
                        count(tally.count, "time"),
                        words::thousands(tally.amount)
                    ))
                    .advice("times across a step say nothing: rules on times are silent."),
            );
        }
    }
}

fn fragments(case: &Case<'_>, found: &mut Vec<Finding>) {
    let incomplete = case.analysis.incomplete_datagrams;
    if incomplete > 0 {
        found.push(
            Finding::new(&CAP_INNER_FRAGMENTS, "IP datagrams are not whole")
                .times(incomplete)
                .seen(format!("{} of which fragments are missing.", count(incomplete, "datagram")))
                .advice("capture fragments too: a filter on ports keeps only the first of each datagram."),
        );
    }
}

fn doubles(case: &Case<'_>, found: &mut Vec<Finding>) {
    if let Some(tally) = case.analysis.observed(Observation::Double, Scope::default()) {
        found.push(
            Finding::new(&CAP_DUPLICATE_FRAMES, "packets are in the capture twice")
                .tally(tally)
                .seen(format!(
                    "{} repeated within 2 ms. The second copy is left out of everything else.",
                    count(tally.count, "packet")
                ))
                .advice("capture on one interface instead of any, if the copies are not on the wire."),
        );
    }
}

fn connections(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        let name = words::tunnel(connection);
        let first = [connection.first_packet];
        let control = connection.ends.iter().any(|end| !end.messages.is_empty());
        if !connection.from_start && !control && connection.version == 3 {
            found.push(
                Finding::new(&CAP_MID_STREAM, format!("{name} has no control messages in the capture"))
                    .packets(&first)
                    .connection(connection.number)
                    .seen("data of L2TPv3 sessions alone: a static tunnel, or one set up before the capture began.")
                    .advice("to judge the set-up of a tunnel that is not static, start the capture before it."),
            );
        } else if !connection.from_start {
            found.push(
                Finding::new(&CAP_MID_STREAM, format!("{name} was set up before the capture began"))
                    .packets(&first)
                    .connection(connection.number)
                    .seen("no SCCRQ of this tunnel. The first Ns and Nr seen are taken as the beginning.")
                    .advice("to judge the set-up, start the capture before the tunnel."),
            );
        }
        let silent = u8::from(connection.end(0).packets > 0);
        // Guard G14: what is there and cannot be read is not missing in the capture.
        let since = case.analysis.totals.first.unwrap_or_default();
        let unread = case.unread_from(connection.end(silent), since).is_some();
        if words::one_direction_missing(connection) && !unread {
            let nr = connection.end(silent).delivery.acknowledged;
            let proof = match nr.filter(|nr| nr.0 > 0 && connection.from_start) {
                Some(nr) => format!(
                    "no packet from {}, yet the other side acknowledges its messages up to Nr {nr}.",
                    words::who(connection, silent)
                ),
                None => format!("no packet from {}.", words::who(connection, silent)),
            };
            found.push(
                Finding::new(&CAP_ONE_WAY, format!("{name} was captured in one direction only"))
                    .packets(&first)
                    .connection(connection.number)
                    .seen(proof)
                    .advice("capture both directions. Until then nothing can be said about missing answers."),
            );
        }
        for end in 0..2u8 {
            let scope = Scope { connection: Some(connection.number), end: Some(end), ..Scope::default() };
            if let Some(tally) = case.analysis.observed(Observation::AcknowledgedUnseen, scope) {
                let who = words::who(connection, end);
                found.push(
                    Finding::new(
                        &CAP_MISSING_ACKED,
                        format!("control messages of {name} are missing in the capture"),
                    )
                    .tally(tally)
                    .connection(connection.number)
                    .seen(format!(
                        "{} of {who} are acknowledged but not in the capture.",
                        count(tally.count, "message number")
                    ))
                    .advice(
                        "the capture lost them. Look for drops of the sniffer before blaming the network.",
                    ),
                );
            }
        }
    }
}

fn undecrypted(case: &Case<'_>, found: &mut Vec<Finding>) {
    // Packets that the capture cut are named by cap-truncated.
    let sealed = |flow: &Flow| flow.no_key.saturating_sub(flow.cut);
    let flows: Vec<&Flow> = case.analysis.flows.iter().filter(|flow| sealed(flow) > 0).collect();
    let advice = "run `ip xfrm state` on a gateway while the SA is up, save it, and add it with --keys FILE.";
    if let ([first, _, ..], true) = (flows.as_slice(), case.sad.is_empty()) {
        let packets = count(flows.iter().map(|flow| sealed(flow)).sum(), "packet");
        let sas = count(flows.len() as u64, "SA");
        found.push(
            Finding::new(
                &CAP_ESP_UNDECRYPTED,
                format!("no key was given, {packets} of {sas} stay encrypted"),
            )
            .packets(&[first.first.1])
            .seen(format!(
                "SPI {}.{}",
                words::some(flows.iter().map(|flow| flow.spi.to_string())),
                by_length(&flows)
            ))
            .advice(advice),
        );
        return;
    }
    for flow in flows {
        let packets = count(sealed(flow), "packet");
        let stay = if sealed(flow) == 1 { "stays" } else { "stay" };
        let way = format!("{} to {}", flow.addresses.source, flow.addresses.destination);
        let finding = match flow.sa.and_then(|sa| case.sad.get(sa)).and_then(|sa| sa.unsupported().cloned()) {
            Some(suite) => Finding::new(
                &CAP_ESP_UNDECRYPTED,
                format!("SA {} uses {suite}, which cannot be opened; {packets} {stay} encrypted", flow.spi),
            )
            .severity(Severity::Note)
            .advice("this version does not know the suite. Everything outside ESP is still analysed."),
            None if flow.decrypted > 0 => Finding::new(
                &CAP_ESP_UNDECRYPTED,
                format!("the key of SA {} came late, {packets} before it {stay} encrypted", flow.spi),
            )
            .severity(Severity::Note)
            .advice("a key opens what comes after it. Read a file of the capture again, with all keys."),
            None => Finding::new(
                &CAP_ESP_UNDECRYPTED,
                format!("SA {} has no key, {packets} {stay} encrypted", flow.spi),
            )
            .advice(rekeyed(case, flow).unwrap_or_else(|| advice.to_owned())),
        };
        found.push(finding.packets(&[flow.first.1]).spi(flow.spi).seen(format!(
            "{packets} from {way}, from {} to {}.{}",
            case.at(flow.first.0),
            case.at(flow.last.0),
            by_length(&[flow])
        )));
    }
}

/// What the lengths of packets say of the algorithms of these SAs, where they say the same of all.
fn by_length(flows: &[&Flow]) -> String {
    let mut known = flows.iter().filter_map(|flow| flow.lengths.fits());
    match known.next() {
        Some(fits) if known.all(|other| other == fits) => {
            format!(" By their lengths: {}.", esp::fitting(fits))
        }
        _ => String::new(),
    }
}

/// An SA that took the place of one whose key is there.
fn rekeyed(case: &Case<'_>, flow: &Flow) -> Option<String> {
    let old = flow.replaces.and_then(|id| case.analysis.flow(id)).filter(|old| old.decrypted > 0)?;
    Some(format!(
        "it replaced {} at {} (a rekey). Run `ip xfrm state` again, add --keys FILE.",
        old.spi,
        case.at(flow.first.0)
    ))
}

fn limits(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (limit, left_out) in &case.analysis.reached {
        let advice = match limit.option() {
            Some(option) => format!("raise it with {option}, if the memory allows."),
            None => String::from("split the capture, for instance with a capture filter (-f)."),
        };
        found.push(
            Finding::new(&CAP_LIMIT_REACHED, format!("the limit of {} was reached", limit.what()))
                .seen(format!("left out or pushed out: {}.", words::thousands(*left_out)))
                .advice(advice),
        );
    }
}

fn unused_keys(case: &Case<'_>, found: &mut Vec<Finding>) {
    let mut used = vec![false; case.sad.len()];
    for id in case.analysis.flows.iter().filter_map(|flow| flow.sa) {
        if let Some(used) = used.get_mut(id.index()) {
            *used = true;
        }
    }
    // Packets that the capture cut were not tried, but they are there.
    let cut = |spi: SpiPattern| case.analysis.flows.iter().any(|flow| flow.cut > 0 && spi.fits(flow.spi));
    let (mut unused, mut silent) = (Vec::new(), Vec::new());
    for ((_, sa), _) in case.sad.iter().zip(used).filter(|((_, sa), used)| !used && !cut(sa.spi)) {
        // The other direction of an SA that is in use: that nothing came is worth a word of its own.
        let returns = case.analysis.flows.iter().any(|flow| {
            flow.decrypted > 0
                && sa.source == Some(flow.addresses.destination)
                && sa.destination == Some(flow.addresses.source)
        });
        let answered = |flow: &Flow| {
            sa.source == Some(flow.addresses.source) && sa.destination == Some(flow.addresses.destination)
        };
        match (sa.source, sa.destination) {
            (Some(source), Some(destination)) if returns && !case.analysis.flows.iter().any(answered) => {
                silent.push(format!("{} ({source} to {destination})", sa.spi));
            }
            _ => unused.push(sa.spi.to_string()),
        }
    }
    if let Some(first) = silent.first() {
        found.push(
            Finding::new(&KEY_UNUSED, format!("no ESP came back: SA {first} carried no packet"))
                .severity(Severity::Note)
                .seen("ESP of the other direction is there and opens.")
                .unsure(Some(String::from("a capture of one direction only looks the same.")))
                .advice("on the host that should answer, see whether the SA of the other direction counts packets (ip -s xfrm state): if not, look at the path; if so, at its daemon and firewall."),
        );
    }
    if unused.is_empty() {
        return;
    }
    let n = unused.len() as u64;
    found.push(
        Finding::new(
            &KEY_UNUSED,
            format!("{} fit{} no packet", count(n, "key"), if n == 1 { "s" } else { "" }),
        )
        .severity(Severity::Note)
        .seen(format!("no ESP packet with SPI {}.", words::some(unused.into_iter())))
        .advice("harmless, unless ESP stays encrypted: then the key file is of another session."),
    );
}
