//! Layers below L2TP: is there an answer at all, does IKE agree, does ESP come and open?

use crate::analysis::ipsec::flow::Flow;
use crate::analysis::ipsec::ike::{IkeSa, Phase};
use crate::util::{Duration, Timestamp};

use super::super::words::{count, packets};
use super::super::{Case, esp, hello, ike, selectors, udp};
use super::{Confidence, Diagnosis};

/// IKE that got no answer or no agreement, where nothing else got through.
pub(super) fn reach_and_ike(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    let carried = !analysis.connections.is_empty() || !analysis.flows.is_empty();
    if carried || analysis.ike.iter().any(|sa| analysis.ike_outcome(sa) == Some("established")) {
        return None;
    }
    let sa = analysis.ike.last()?;
    let refused = analysis.ike.iter().find_map(|sa| Some((sa, sa.no_proposal_chosen(Phase::One)?)));
    if let Some((sa, refusal)) = refused {
        let packet = refusal.first.packet;
        let (by, whose) = (sa.end(refusal.from), sa.end(1 - refusal.from));
        return Some(
            Diagnosis::broken(
                "no-proposal-chosen",
                format!("{by} refused every IKE proposal of {whose} (packet {packet})."),
            )
            .evidence([sa.first.packet, packet])
            .advice("compare the IKE proposals of both sides: encryption, hash, group, authentication."),
        );
    }
    let refused = analysis.ike.iter().find_map(|sa| Some((sa, sa.no_proposal_chosen(Phase::Two)?)));
    if let Some((sa, refusal)) = refused {
        let packet = refusal.first.packet;
        let (by, whose) = (sa.end(refusal.from), sa.end(1 - refusal.from));
        let exchange = if sa.version == 1 { "quick mode" } else { "a child SA" };
        return Some(
            Diagnosis::broken(
                "no-proposal-chosen",
                format!("IKE agreed, then {by} refused every proposal of {whose} for {exchange} (packet {packet})."),
            )
            .evidence([sa.first.packet, packet])
            .advice("compare the ESP proposals of both sides: encryption, integrity, group (PFS), encapsulation mode."),
        );
    }
    if sa.unanswered() {
        let sure = if sa.messages >= 3 { Confidence::Certain } else { Confidence::Possible };
        return Some(
            Diagnosis::broken(
                "ike-no-answer",
                format!(
                    "the first IKE message was sent {} to {} and nothing came back ({}).",
                    if sa.messages == 1 { String::from("once") } else { format!("{} times", sa.messages) },
                    sa.responder,
                    packets(&sa.packets, sa.messages)
                ),
            )
            .evidence(sa.packets.iter().copied())
            .confidence(sure)
            .advice(
                "is UDP 500 and 4500 open to this address, and does IKE run there? Try from another network.",
            ),
        );
    }
    authentication(sa)
}

/// IKEv1 main mode hides names and proofs: what happens around messages 5 and 6 tells what went wrong.
fn authentication(sa: &IkeSa) -> Option<Diagnosis> {
    let [initiator, responder] = [5, 6].map(|number| sa.phase_one.copies(number));
    let (id, sentence) = if sa.version == 1 && initiator > 0 && responder == 0 {
        (
            "psk-mismatch",
            format!(
                "IKE keys were exchanged, but {} does not accept the proof of {} (main mode message 5, sent {initiator} times).",
                sa.responder, sa.initiator
            ),
        )
    } else if sa.version == 1 && responder > 0 && !sa.began_phase_two() {
        (
            "id-mismatch",
            format!(
                "IKE main mode completed, then {} ended it at once: it does not accept the identity of {}.",
                sa.initiator, sa.responder
            ),
        )
    } else if sa.version == 2 && sa.auth[0] {
        ("psk-mismatch", format!("IKE_AUTH of {} led to no SA: {} refused it.", sa.initiator, sa.responder))
    } else {
        return None;
    };
    let advice = match id {
        "id-mismatch" => {
            "compare the identity that one side declares with the one the other expects (IDs, behind NAT the private address)."
        }
        _ => "compare the pre-shared keys of both sides, then the identities.",
    };
    Some(
        Diagnosis::broken(id, sentence)
            .evidence([sa.first.packet, sa.last.packet])
            .confidence(Confidence::Likely)
            .advice(advice),
    )
}

/// ESP that does not come back, does not open, or was cut.
pub(super) fn esp_packets(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    if !analysis.connections.is_empty() || analysis.flows.is_empty() {
        return None;
    }
    let sum = |field: fn(&Flow) -> u64| analysis.flows.iter().map(field).sum::<u64>();
    let (total, cut, bad) = (sum(|f| f.packets()), sum(|f| f.cut), sum(|f| f.bad_icv));
    let first = analysis.flows.iter().map(|flow| flow.first.1).min().unwrap_or(0);
    if cut == total {
        return Some(
            Diagnosis::undecided(format!(
                "all {} were cut by the snap length, so nothing inside can be read.",
                count(total, "ESP packet")
            ))
            .named("capture-truncated")
            .evidence([first])
            .advice("capture whole packets: tcpdump -s 0."),
        );
    }
    if bad > 0 && sum(|f| f.decrypted) == 0 {
        return Some(
            Diagnosis::broken(
                "icv-or-key-trouble",
                format!(
                    "none of {} passes its integrity check: the keys do not fit.",
                    count(bad, "ESP packet")
                ),
            )
            .evidence([first])
            .confidence(Confidence::Likely)
            .advice(
                "take fresh keys from both gateways (`ip xfrm state`); if those differ, that is the fault.",
            ),
        );
    }
    if let Some(silent) = one_way(case).or_else(|| rekey(case)) {
        return Some(silent);
    }
    if sum(|f| f.decrypted) > 0 {
        return Some(
            Diagnosis::undecided("ESP was decrypted, but there is no L2TP in it.").evidence([first]),
        );
    }
    let mut suites = analysis.flows.iter().filter_map(|flow| case.sad.get(flow.sa?)?.unsupported());
    if let Some(suite) = suites.next() {
        return Some(
            Diagnosis::undecided(format!(
                "{} cannot be decrypted: this version does not know {suite}.",
                count(total, "ESP packet")
            ))
            .evidence([first]),
        );
    }
    Some(
        Diagnosis::undecided(format!(
            "{} cannot be decrypted without a key: whether L2TP works is not visible.",
            count(total, "ESP packet")
        ))
        .evidence([first])
        .advice("run `ip xfrm state` on a gateway while the SA is up, save it, and add it with --keys FILE."),
    )
}

/// All that was opened is garbage: what seems to be in it means nothing.
pub(super) fn garbage(case: &Case<'_>) -> Option<Diagnosis> {
    let flows = || case.analysis.flows.iter().filter(|flow| flow.packets() > 0);
    if !flows().any(esp::garbage) || !flows().all(|flow| esp::garbage(flow) || flow.decrypted == 0) {
        return None;
    }
    let total: u64 = flows().map(Flow::packets).sum();
    Some(
        Diagnosis::broken(
            "icv-or-key-trouble",
            format!(
                "{} decrypt to garbage: the encryption keys, or their algorithm, do not fit.",
                count(total, "ESP packet")
            ),
        )
        .evidence(flows().map(|flow| flow.first.1).min())
        .confidence(Confidence::Likely)
        .advice("take fresh keys from a gateway (`ip xfrm state`), and compare the encryption algorithm."),
    )
}

/// One direction whose key does not fit, of a tunnel that works: its ends hold the right keys.
pub(super) fn unreadable(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    let flow = analysis.flows.iter().find(|flow| {
        let bad = flow.bad();
        bad >= 3 && bad == flow.packets() || esp::garbage(flow)
    })?;
    let ends = [flow.addresses.source, flow.addresses.destination];
    let works = analysis.in_order().into_iter().any(|(_, connection)| {
        connection.was_established && connection.ends.iter().all(|end| ends.contains(&end.endpoint.address))
    });
    if !works {
        return None;
    }
    Some(
        Diagnosis::undecided(format!(
            "what {} sent cannot be read: the key of SA {} fits none of {}. The other side goes on, so the key file is wrong rather than a gateway.",
            flow.addresses.source,
            flow.spi,
            count(flow.packets(), "packet")
        ))
        .named("icv-or-key-trouble")
        .evidence([flow.first.1])
        .advice("take fresh keys from both gateways (`ip xfrm state`) and compare this SPI."),
    )
}

/// After IKE agreed, ESP in one direction only.
fn one_way(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    let sa = analysis.ike.iter().find(|sa| sa.agreed())?;
    let from = |address| {
        let flows = analysis.flows.iter().filter(move |flow| flow.addresses.source == address);
        flows.map(|flow| flow.packets()).sum::<u64>()
    };
    let (speaker, silent, sent) = match (from(sa.initiator), from(sa.responder)) {
        (n @ 2.., 0) => (sa.initiator, sa.responder, n),
        (0, n @ 2..) => (sa.responder, sa.initiator, n),
        _ => return None,
    };
    Some(
        Diagnosis::broken(
            "esp-blocked",
            format!(
                "IKE agreed, then {} came from {speaker} and none from {silent}.",
                count(sent, "ESP packet")
            ),
        )
        .evidence(sa.packets.iter().copied())
        .confidence(Confidence::Likely)
        .advice("is ESP (IP protocol 50, or UDP 4500) let through in both directions?"),
    )
}

/// A request for a new SA that nobody answered, after which ESP stopped.
pub(super) fn rekey(case: &Case<'_>) -> Option<Diagnosis> {
    let (pending, flow) = ike::rekey_failure(case)?;
    let last = flow.last.0;
    Some(
        Diagnosis::broken(
            "rekey-failure",
            format!(
                "a request for a new SA was sent {} times from {} on without an answer (packets {} to {}); ESP of {} stopped at {}.",
                pending.copies,
                case.at(pending.first.time),
                pending.first.packet,
                pending.last.packet,
                flow.addresses.source,
                case.at(last)
            ),
        )
        .evidence([pending.first.packet, pending.last.packet])
        .confidence(Confidence::Likely)
        .advice("does IKE still get through (UDP 500 and 4500), and does the peer accept the rekey? Look in its IKE log."),
    )
}

/// Two clients behind one NAT, and the older one gets no packets any more.
pub(super) fn collision(case: &Case<'_>) -> Option<Diagnosis> {
    let collision = selectors::collision(case)?;
    let (old, new) = (collision.old, collision.new);
    Some(
        Diagnosis::broken(
            "two-clients-one-nat",
            format!(
                "two clients share {}: since the SA of the second (port {}) began at {}, nothing is sent any more on that of the first (port {}), which still asks until {}.",
                old.addresses.destination,
                new.ports.1,
                case.at(new.first.0),
                old.ports.1,
                case.at(collision.asks.last.0)
            ),
        )
        .evidence([old.first.1, new.first.1, old.last.1])
        .confidence(Confidence::Likely)
        .advice("have the server tell clients behind one NAT by their port (a mark for each SA), or give them one gateway of their own."),
    )
}

/// A NAT that forgot its mapping: what was sent to the old port was lost.
pub(super) fn mapping(case: &Case<'_>) -> Option<Diagnosis> {
    let moved = udp::first_move(case)?;
    let flow = case.analysis.flow(moved.flow)?;
    let old = flow.first_ports?;
    let ends = [flow.addresses.source, flow.addresses.destination];
    let (connection, lost) = case.analysis.in_order().into_iter().find_map(|(_, connection)| {
        let ours = connection.ends.iter().all(|end| ends.contains(&end.endpoint.address));
        let asks = u8::from(connection.end(0).endpoint.address == flow.addresses.source);
        let open = hello::unanswered(connection, asks);
        let lost = open.iter().filter(|hello| hello.first < moved.at).count();
        (ours && lost > 0).then_some((connection, lost as u64))
    })?;
    let (port, new) = if old.0 == flow.ports.0 { (old.1, flow.ports.1) } else { (old.0, flow.ports.0) };
    let silent = last_before(flow, moved.at);
    Some(
        Diagnosis::broken(
            "nat-mapping-expired",
            format!(
                "{silent}{} came back from UDP port {new} instead of {port} at {} (packet {}): its NAT had forgotten the mapping, so {} sent to the old port went unanswered.",
                flow.addresses.source,
                case.at(moved.at),
                moved.packet,
                count(lost, "Hello")
            ),
        )
        .evidence([connection.first_packet, moved.packet])
        .confidence(Confidence::Likely)
        .advice("have the client send NAT keepalives (every 20 s), or Hellos more often than the NAT forgets."),
    )
}

/// `after 53.6 s without a packet, `.
fn last_before(flow: &Flow, at: Timestamp) -> String {
    let (pause, since) = flow.longest_pause;
    if pause > Duration::ZERO && since < at {
        format!("after {pause} without a packet, ")
    } else {
        String::new()
    }
}
