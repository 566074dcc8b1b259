//! L2TP and what it carries: control connection, call, PPP, traffic, keepalive.

use crate::analysis::CallId;
use crate::analysis::control::call::{Call, Data};
use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::delivery::Outstanding;
use crate::analysis::log::query::Scope;
use crate::analysis::log::{Observation, Tally};
use crate::analysis::ppp::protocol;
use crate::dissect::layers::MessageType;
use crate::util::Timestamp;

use super::super::words::{self, count, who};
use super::super::{Case, hello, teardown, tunnel};
use super::{Confidence, Diagnosis};

/// The verdict of the first connection that has one.
pub(super) fn first(
    case: &Case<'_>,
    judge: fn(&Case<'_>, &Connection) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    case.analysis.in_order().into_iter().find_map(|(_, connection)| judge(case, connection))
}

/// The verdict of the first call that has one.
pub(super) fn first_call(
    case: &Case<'_>,
    judge: fn(&Case<'_>, &Connection, CallId, &Call) -> Option<Diagnosis>,
) -> Option<Diagnosis> {
    case.analysis.in_order().into_iter().find_map(|(_, connection)| {
        connection.calls.iter().find_map(|id| judge(case, connection, *id, case.analysis.call(*id)?))
    })
}

fn unreachable<'a>(case: &Case<'a>) -> Option<&'a Tally> {
    case.analysis.observed(Observation::PortUnreachable, Scope::default())
}

/// IKE made an SA, no ESP is seen, and the tunnel runs in the clear.
pub(super) fn leak(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    let agreed = analysis.ike.iter().find(|sa| sa.agreed())?;
    if !analysis.flows.is_empty() {
        return None;
    }
    let (_, connection) = analysis
        .in_order()
        .into_iter()
        .find(|(_, connection)| connection.was_established && connection.protection[1] > 0)?;
    Some(
        Diagnosis::broken(
            "plaintext-leak",
            format!(
                "IKE made an SA, but {} and all its data run outside ESP, from packet {} on.",
                words::tunnel(connection),
                connection.first_packet
            ),
        )
        .evidence([agreed.first.packet, connection.first_packet])
        .advice("the IPsec policy does not cover the UDP ports in use: compare its selectors with the ports of the tunnel."),
    )
}

/// The set-up of the control connection.
pub(super) fn control_connection(case: &Case<'_>, connection: &Connection) -> Option<Diagnosis> {
    if tunnel::unanswered(case, connection) {
        return Some(no_sccrp(case, connection));
    }
    if connection.was_established || !connection.from_start || connection.state != ConnectionState::Closed {
        return None;
    }
    let by = connection.closed_by?;
    let reason = connection.result.as_ref().map_or_else(String::new, teardown::stop_reason);
    let text = connection.result.as_ref().and_then(|result| result.message.clone());
    let text = text.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!(" \"{text}\""));
    let challenged = connection.ends.iter().any(|end| end.challenged || end.responded);
    let answered = connection.end(1).sent(MessageType::SCCRP) > 0;
    let packet = connection.closing_packet;
    let (id, advice) = if challenged && answered {
        ("tunnel-auth-failed", "compare the tunnel secret of both sides.")
    } else {
        ("tunnel-refused", "look in the log of the side that refused: access list, limit, or authentication.")
    };
    Some(
        Diagnosis::broken(
            id,
            format!(
                "{} refused the control connection: {reason}{text} (packet {}).",
                who(connection, by),
                packet.unwrap_or(0)
            ),
        )
        .evidence([connection.first_packet].into_iter().chain(packet))
        .advice(advice),
    )
}

fn no_sccrp(case: &Case<'_>, connection: &Connection) -> Diagnosis {
    let [initiator, responder] = &connection.ends;
    let copies = initiator.sent(MessageType::SCCRQ);
    let times = if copies == 1 { String::from("once") } else { format!("{copies} times") };
    let evidence = [connection.first_packet];
    if let Some(tally) = unreachable(case) {
        return Diagnosis::broken(
            "lns-port-unreachable",
            format!(
                "SCCRQ was sent {times} and {} answered with ICMP port unreachable ({}): no L2TP daemon listens there.",
                responder.endpoint.address,
                words::packets(&tally.packets, tally.count)
            ),
        )
        .evidence(evidence.into_iter().chain(tally.packets.iter().copied()))
        .advice("start the L2TP daemon there (ss -ulpn 'sport = :1701').");
    }
    let address = responder.endpoint.address;
    let sealed = case.analysis.flows.iter().find(|flow| flow.addresses.source == address && flow.bad_icv > 0);
    if let Some(flow) = sealed {
        return Diagnosis::broken(
            "icv-or-key-trouble",
            format!(
                "SCCRQ was sent {times} without a readable answer: {} from {address} (SPI {}) fail the integrity check. Either the gateways hold different keys, or the key file is wrong for this SPI.",
                count(flow.bad_icv, "ESP packet"),
                flow.spi
            ),
        )
        .evidence(evidence)
        .confidence(Confidence::Likely)
        .advice(format!(
            "run `ip xfrm state` on both and compare SPI {}: if the keys differ, {} drops every reply; if not, mend the key file.",
            flow.spi, initiator.endpoint.address
        ));
    }
    let unread = case.unread_from(responder, connection.requested.unwrap_or_default()).is_some();
    let confidence = match (unread, copies) {
        (true, _) | (_, 1) => Confidence::Possible,
        _ => Confidence::Certain,
    };
    let protected = connection.protection[0] > 0;
    let advice = if protected {
        format!(
            "nothing comes back through ESP: on {address}, check the L2TP daemon (ss -ulpn 'sport = :1701'), its firewall behind IPsec, and the counters of the SA."
        )
    } else {
        format!(
            "on {address}, check the L2TP daemon (ss -ulpn 'sport = :1701') and the firewall for UDP 1701."
        )
    };
    Diagnosis::broken(
        "no-sccrp",
        format!("SCCRQ was sent {times} to {address} and nothing of L2TP came back."),
    )
    .evidence(evidence)
    .confidence(confidence)
    .advice(advice)
}

/// A call that was asked for and never came up.
pub(super) fn call(case: &Case<'_>, connection: &Connection, id: CallId, call: &Call) -> Option<Diagnosis> {
    let requester = call.requester?;
    if call.was_established || words::one_direction_missing(connection) {
        return None;
    }
    let name = words::call(id);
    if connection.ends.iter().any(|end| end.hides) {
        return Some(
            Diagnosis::broken(
                "hidden-avp-failed",
                format!(
                    "{name} did not come up, and its messages carry hidden AVPs that this tool cannot read."
                ),
            )
            .evidence([call.first_packet].into_iter().chain(call.closing_packet))
            .confidence(Confidence::Possible)
            .advice("try without hidden AVPs, and compare the tunnel secrets."),
        );
    }
    match call.closed_by {
        Some(by) => {
            let reason = match (&call.result, &connection.result) {
                (Some(result), _) => format!(": {}", teardown::cdn_words(result)),
                (None, Some(result)) => format!(" by a StopCCN: {}", teardown::stop_reason(result)),
                (None, None) => String::new(),
            };
            let packet = call.closing_packet.unwrap_or(0);
            let verb = if by == requester { "gave up" } else { "refused" };
            Some(
                Diagnosis::broken(
                    "call-refused",
                    format!("{} {verb} {name}{reason} (packet {packet}).", who(connection, by)),
                )
                .evidence([call.first_packet, packet])
                .advice(format!("look in the log of {} for the reason.", who(connection, by))),
            )
        }
        None if call.requested.is_some_and(|since| case.left_after(since).as_seconds() > 8.0) => Some(
            Diagnosis::broken("call-refused", format!("{name} was asked for and never came up."))
                .evidence([call.first_packet])
                .confidence(Confidence::Likely)
                .advice(format!("look in the log of {}.", who(connection, 1 - requester))),
        ),
        None => None,
    }
}

/// A Hello that nobody answered.
pub(super) fn keepalive(case: &Case<'_>, connection: &Connection) -> Option<Diagnosis> {
    if words::one_direction_missing(connection) {
        return None;
    }
    (0..2u8).find_map(|end| {
        let open = hello::unanswered(connection, end);
        let first = open.first().filter(|first| first.copies >= 3 || hello::gave_up(connection, end, first))?;
        let peer = 1 - end;
        let last = connection.end(peer).last;
        let evidence = last.map(|(packet, _)| packet).into_iter().chain(first.packets().iter().copied());
        let name = words::tunnel(connection);
        let after = unreachable(case).filter(|tally| last.is_none_or(|(_, time)| tally.last > time || tally.first > time));
        if let Some(tally) = after {
            return Some(
                Diagnosis::broken(
                    "peer-daemon-died",
                    format!(
                        "{name} worked until {}; then {} answered with ICMP port unreachable ({}): nothing listens on its L2TP port any more.",
                        hello::last_packet(case, connection, peer),
                        who(connection, peer),
                        words::packets(&tally.packets, tally.count)
                    ),
                )
                .evidence(evidence)
                .advice(format!("read the log of the L2TP daemon of {} at that time: stopped or crashed? (ss -ulpn 'sport = :1701')", who(connection, peer))),
            );
        }
        Some(silent_or_deaf(case, connection, end, &open).evidence(evidence))
    })
}

/// The peer of an unanswered Hello: not heard of any more, or still there and not answering.
fn silent_or_deaf(case: &Case<'_>, connection: &Connection, end: u8, open: &[&Outstanding]) -> Diagnosis {
    let peer = 1 - end;
    let first = open.first().map_or(Timestamp::default(), |hello| hello.first);
    let hellos = count(open.len() as u64, "Hello");
    let gave_up = match connection.closed_by {
        Some(by) if by == end => format!(" until {} gave up", who(connection, end)),
        _ => String::new(),
    };
    let unread = case.unread_from(connection.end(peer), first).is_some();
    let last = hello::last_packet(case, connection, peer);
    if connection.end(peer).last.is_none_or(|(_, time)| time < first) {
        return Diagnosis::broken(
            "hello-timeout",
            format!("{} fell silent after {last}; {hellos} went unanswered{gave_up}.", who(connection, peer)),
        )
        .confidence(if unread { Confidence::Possible } else { Confidence::Certain })
        .advice("a dead peer and a dead path look the same from here: look in the log of that side, and capture there too.");
    }
    let resent: u32 = connection.ends.iter().map(|end| end.delivery.resent).sum();
    let both = connection.ends.iter().all(|end| end.delivery.resent >= 3);
    if both {
        return Diagnosis::broken(
            "retransmission-storm",
            format!(
                "both sides are alive, but so many control messages are lost that {} resends piled up; {hellos} of {} went unanswered{gave_up}.",
                resent,
                who(connection, end)
            ),
        )
        .confidence(Confidence::Likely)
        .advice("find the loss on the path of control messages, in each direction: compare captures of both ends.");
    }
    let (heard, since) = (hello::data_after(case, connection, peer, first), case.at(first));
    let own = connection.end(peer).last_control.filter(|(_, time)| *time > first).is_none();
    let sentence = if heard && own {
        format!(
            "from {since} on {} acknowledged no control message ({hellos}{gave_up}), though its data still came; {last} is its last.",
            who(connection, peer)
        )
    } else {
        format!(
            "{} is still heard ({last} is its last), but left {hellos} unanswered{gave_up}.",
            who(connection, peer)
        )
    };
    Diagnosis::broken("hello-timeout", sentence)
    .confidence(if unread { Confidence::Possible } else { Confidence::Likely })
    .advice(format!(
        "either the L2TP daemon of {} hangs or has forgotten the tunnel, or what is sent to it is lost: look in its log, and capture there.",
        who(connection, peer)
    ))
}

/// An open call through which data goes in one direction only, or is lost.
pub(super) fn traffic(_: &Case<'_>, connection: &Connection, id: CallId, call: &Call) -> Option<Diagnosis> {
    if words::one_direction_missing(connection) {
        return None;
    }
    let name = words::call(id);
    let [a, b] = &call.data;
    let opened = call.ppp.negotiation(protocol::IPCP).is_some_and(|ipcp| ipcp.ever_opened());
    let carried = |data: &Data| if connection.version == 3 { data.packets } else { data.network };
    let (many, none) = (carried(a).max(carried(b)), carried(a).min(carried(b)));
    if opened && none == 0 && many >= 5 {
        let speaker = u8::from(b.network > a.network);
        return Some(
            Diagnosis::broken(
                "data-one-way",
                format!(
                    "{name} is open, but only {} sends user data ({}); nothing comes back.",
                    who(connection, speaker),
                    count(many, "packet")
                ),
            )
            .evidence([call.first_packet])
            .confidence(Confidence::Likely)
            .advice("check routes and firewall behind the side that does not answer."),
        );
    }
    // A pseudowire has no negotiation that shows both of its ends at work; one that carries only what nobody has to answer
    // looks the same.
    if connection.version == 3 && connection.was_established && call.was_established && none == 0 && many >= 5
    {
        let speaker = u8::from(b.packets > a.packets);
        return Some(
            Diagnosis::degraded(
                "data-one-way",
                format!(
                    "{name} is up, but only {} sends data ({}); nothing comes back.",
                    who(connection, speaker),
                    count(many, "packet")
                ),
            )
            .evidence([call.first_packet])
            .confidence(Confidence::Possible)
            .advice("check what the pseudowire is bridged to on the side that does not answer."),
        );
    }
    let resets: u32 =
        call.ppp.negotiation(protocol::CCP).map_or(0, |ccp| ccp.ends.iter().map(|end| end.resets).sum());
    if resets >= 5 {
        return Some(
            Diagnosis::degraded("compression-desync", format!("the compression of {name} lost step {resets} times (CCP Reset-Requests): data is lost on the way."))
                .evidence([call.first_packet])
                .advice("turn off PPP compression (noccp), and find the loss."),
        );
    }
    let lost = a.lost.saturating_add(b.lost);
    (lost > 0).then(|| {
        Diagnosis::degraded(
            "data-loss",
            format!(
                "{name} works, but {} of {} never came.",
                count(lost, "data packet"),
                words::thousands(lost + a.packets + b.packets)
            ),
        )
        .evidence([call.first_packet])
        .advice("find the hop that loses packets: compare captures of both ends.")
    })
}

/// What worked with trouble.
pub(super) fn degraded(case: &Case<'_>) -> Option<Diagnosis> {
    let analysis = case.analysis;
    let established = |connection: &&Connection| connection.was_established;
    let resent: u64 = analysis
        .connections
        .iter()
        .filter(established)
        .flat_map(|connection| &connection.ends)
        .map(|end| u64::from(end.delivery.resent))
        .sum();
    if resent >= 3 {
        let evidence: Vec<u64> = analysis
            .all_observed(Observation::Resent)
            .into_iter()
            .flat_map(|(_, tally)| tally.packets.clone())
            .collect();
        return Some(
            Diagnosis::degraded(
                "control-loss-recovered",
                format!(
                    "it worked, but {} had to be sent again ({}).",
                    count(resent, "control message"),
                    words::packets(&evidence, resent)
                ),
            )
            .evidence(evidence)
            .advice("messages or their acknowledgements are lost on the way: look for loss on the path."),
        );
    }
    (analysis.totals.reassembled > 0).then(|| {
        Diagnosis::degraded(
            "outer-fragmentation",
            format!(
                "calls came up, but {} left as IP fragments: MRU plus overhead is larger than the path takes.",
                count(analysis.totals.reassembled, "datagram")
            ),
        )
        .confidence(Confidence::Likely)
        .advice("where fragments are dropped, full-size packets vanish: lower MTU and MRU of PPP (1400 is safe), or clamp the TCP MSS.")
    })
}
