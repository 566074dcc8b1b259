//! Are users' packets answered? "Connected, but nothing works" is judged from what they ask.

use std::net::IpAddr;

use crate::analysis::control::call::{Call, Data};
use crate::analysis::control::connection::Connection;
use crate::analysis::log::{Observation, query::Scope};
use crate::analysis::ppp::protocol::{self, CCP};
use crate::analysis::traffic::{CallTraffic, EstimatedBy, IcmpErrors, Silence, Target};
use crate::util::Duration;

use super::super::words::{count, lossy, thousands};
use super::attempt::Attempt;
use super::causes::{
    COMPRESSION_DESYNC, DATA_LOSS, DATA_ONE_WAY, DNS_NO_ANSWER, INNER_ICMP_REFUSED, INNER_TCP_BLOCKED,
    LAYOUT_MISMATCH, LNS_NOT_FORWARDING, ROUTE_LOOP,
};
use super::keepalive;
use super::size;
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many packets that ask, with nothing from the other side between or after them, are beyond loss.
const ASKED: u32 = 5;
/// For so long: slower answers are none.
const SILENT: Duration = Duration::seconds(4);
/// So many questions of one kind without one answer are beyond loss.
const IN_VAIN: u64 = 3;
/// Losses that users feel: at least so many, and so large a share (one in).
const LOST: u64 = 5;
const SHARE_OF_ECHOES: u64 = 20;
const SHARE_OF_SEGMENTS: u64 = 12;

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let (Some(connection), Some((_, call))) = (attempt.connection, attempt.call) else {
        return Outcome::NotNeeded;
    };
    if attempt.one_direction() {
        return Outcome::Proved;
    }
    let traffic = call.traffic.get();
    let judged = traffic
        .and_then(|traffic| {
            loops(attempt, connection, call, traffic)
                .or_else(|| refused(attempt, traffic))
                .or_else(|| beyond(attempt, traffic))
                .or_else(|| silent(attempt, connection, call, traffic))
                .or_else(|| blocked(attempt, traffic))
                .or_else(|| dns(attempt, call, traffic))
                .or_else(|| size::black_hole(attempt, call, traffic))
        })
        .or_else(|| size::fragmented_black_hole(attempt, call))
        .or_else(|| layout(attempt, connection, call))
        .or_else(|| one_way(attempt, connection, call))
        .or_else(|| desync(attempt, call))
        .or_else(|| loss(attempt, call))
        .or_else(|| traffic.and_then(|traffic| estimated_loss(attempt, traffic)))
        .or_else(|| size::fragments(attempt));
    match judged {
        Some(judged) => judged.into(),
        None => traffic.and_then(|traffic| open(attempt, traffic)).map_or(Outcome::Proved, Outcome::from),
    }
}

/// Packets of the tunnel inside the tunnel, or an outer address inside it, after which one side falls silent.
fn loops(
    attempt: &Attempt<'_>,
    connection: &Connection,
    call: &Call,
    traffic: &CallTraffic,
) -> Option<Diagnosis> {
    let outer = connection.ends.each_ref().map(|end| end.endpoint.address);
    let addresses = call.ppp.network.addresses;
    // IPCP gave an end of the link the outer address of that end: the route to it leads into the tunnel.
    let taken = (0..2usize).find_map(|end| {
        let address = addresses.get(end).copied().flatten().map(IpAddr::V4)?;
        outer.contains(&address).then_some((end, address))
    });
    if let Some(looped) = traffic.looped() {
        let packets: u64 = looped.packets.iter().sum();
        let beside: u64 = looped.to_outer.iter().sum();
        if packets >= 1 || beside >= IN_VAIN && taken.is_some() {
            let examples = if packets > 0 { &looped.examples } else { &looped.to_outer_examples };
            let from = u8::from(
                looped.packets[1].max(looped.to_outer[1]) > looped.packets[0].max(looped.to_outer[0]),
            );
            let gave = taken.map_or_else(String::new, |(_, address)| {
                format!("; IPCP gave out {address}, which is an end of the tunnel as well")
            });
            return Some(
                Diagnosis::broken(
                    &ROUTE_LOOP,
                    format!(
                        "the tunnel is routed into itself: {} for its own outer address are inside {} ({}, from packet {} on){gave}.",
                        count(packets.max(beside), "packet"),
                        attempt.name(),
                        attempt.who(from),
                        examples.packets().first().copied().unwrap_or(0)
                    ),
                )
                .evidence(examples.packets().iter().copied())
                .confidence(Confidence::Likely)
                .advice(route_advice(attempt, from)),
            );
        }
    }
    let (end, address) = taken?;
    // The other end of the link sends what goes to this address into the link, its own tunnel packets too.
    let end = u8::try_from(end).ok()?;
    let swallowed = 1 - end;
    let waits = |end: u8| traffic.direction(end).silence.is_some_and(|silence| silence.asked >= 3);
    let falls_silent = waits(0)
        || waits(1)
        || connection.end(swallowed).last.is_some_and(|(_, last)| {
            connection.end(end).last.is_some_and(|(_, other)| other.since(last) > SILENT)
        });
    falls_silent.then(|| {
        Diagnosis::broken(
            &ROUTE_LOOP,
            format!(
                "IPCP gave {} the address {address}, which is an end of the tunnel as well; since then nothing from {} comes out: its packets go into the tunnel itself.",
                attempt.who(end),
                attempt.who(swallowed)
            ),
        )
        .evidence([call.first_packet].into_iter().chain(connection.end(swallowed).last.map(|(packet, _)| packet)))
        .confidence(Confidence::Likely)
        .advice(route_advice(attempt, swallowed))
    })
}

fn route_advice(attempt: &Attempt<'_>, from: u8) -> String {
    format!(
        "on {}, set a host route to the outer address of the other end by the real gateway, and give PPP addresses of its own.",
        attempt.who(from)
    )
}

/// ICMP errors from inside the tunnel about what users ask, and nothing beyond that answers.
fn refused(attempt: &Attempt<'_>, traffic: &CallTraffic) -> Option<Diagnosis> {
    let errors = traffic.errors()?;
    let refuses = |one: &&IcmpErrors| match (one.v6, one.kind) {
        // Port unreachable is the answer of a host that was reached, but of one that is asked for names.
        (false, 3) => !matches!(one.code, 3 | 4),
        (true, 1) => one.code != 4,
        _ => false,
    };
    let worst = errors.kinds().iter().filter(refuses).max_by_key(|one| one.count)?;
    let asker = 1 - worst.from;
    let (_, answered) = traffic.echo(asker).map_or((0, 0), |echo| echo.at(Target::Beyond));
    let opened = traffic.tcp(asker).opened;
    let names = traffic.dns_counts(asker).map_or(0, |asked| asked.answered);
    if worst.count < IN_VAIN || answered + opened + names > 0 {
        return None;
    }
    let target =
        worst.quoted.map_or_else(String::new, |quoted| format!(" to {}", quoted.addresses.destination));
    Some(
        Diagnosis::broken(
            &INNER_ICMP_REFUSED,
            format!(
                "user packets{target} are refused inside {}: {} answers with ICMP {} ({}).",
                attempt.name(),
                worst.sender,
                icmp_words(worst),
                super::super::words::packets(worst.packets.packets(), worst.count)
            ),
        )
        .evidence(worst.packets.packets().iter().copied())
        .advice(format!(
            "on {}: is there a route to the target, and does the firewall let it through?",
            worst.sender
        )),
    )
}

fn icmp_words(one: &IcmpErrors) -> &'static str {
    match (one.v6, one.kind, one.code) {
        (false, 3, 0) => "network unreachable",
        (false, 3, 1) => "host unreachable",
        (false, 3, 2) => "protocol unreachable",
        (false, 3, 9 | 10 | 13) => "prohibited by a filter",
        (true, 1, 0) => "no route",
        (true, 1, 1) => "prohibited by a filter",
        (true, 1, 3) => "address unreachable",
        _ => "unreachable",
    }
}

/// One side asks, and nothing comes back, never or no longer.
fn silent(
    attempt: &Attempt<'_>,
    connection: &Connection,
    call: &Call,
    traffic: &CallTraffic,
) -> Option<Diagnosis> {
    let enough = if lossy(connection) { 2 * ASKED } else { ASKED };
    let (end, silence) = (0..2u8)
        .filter_map(|end| Some((end, traffic.direction(end).silence?)))
        .filter(|(_, silence)| silence.asked >= enough && silence.span() >= SILENT)
        .max_by_key(|(_, silence)| silence.asked)?;
    let peer = 1 - end;
    let waited = traffic.last().is_some_and(|last| last.since(silence.first.1) >= SILENT);
    if !waited || attempt.case.unread_from(connection.end(peer), silence.first.1).is_some() {
        return None;
    }
    // A peer that was not heard of any more on any channel, and one that was given up for its echoes, are the concern of
    // keepalives.
    let alive = connection.end(peer).last.is_some_and(|(_, last)| last > silence.first.1);
    if keepalive::gave_up(call).is_some()
        || keepalive::is_dead(connection, peer)
        || !alive && connection.end(peer).last.is_some()
    {
        return None;
    }
    let before = traffic.direction(peer).last_telling.filter(|last| last.1 < silence.first.1);
    let (own, other) = (attempt.who(end), attempt.who(peer));
    let asked = asks(&silence);
    let own_last = call
        .data
        .get(usize::from(peer))
        .and_then(|data| data.last)
        .is_some_and(|last| last > silence.first.1);
    let control = if alive && !own_last { ", while its control messages go on" } else { "" };
    let sure = if alive { Confidence::Likely } else { Confidence::Possible };
    Some(match before {
        Some((packet, time)) => Diagnosis::broken(
            &DATA_ONE_WAY,
            format!(
                "{}: no user data from {other} comes after packet {packet} at {}{control}; {own} goes on asking ({asked}).",
                attempt.name(),
                attempt.case.at(time)
            ),
        )
        .evidence([packet, silence.first.0, silence.last.0])
        .confidence(sure)
        .advice(format!("look at the session of {other} (ip l2tp show session, its counters) and at the path of its data; control messages do not show that.")),
        None => Diagnosis::broken(
            &DATA_ONE_WAY,
            format!("{} is open, but only {own} sends user data; nothing it asks is answered ({asked}).", attempt.name()),
        )
        .evidence([silence.first.0, silence.last.0])
        .confidence(sure)
        .advice(format!("check routes and firewall after {other}, and whether it forwards.")),
    })
}

fn asks(silence: &Silence) -> String {
    format!("{}, packets {} to {}", count(silence.asked.into(), "packet"), silence.first.0, silence.last.0)
}

/// The other end of the tunnel answers, and nothing beyond it ever does.
fn beyond(attempt: &Attempt<'_>, traffic: &CallTraffic) -> Option<Diagnosis> {
    (0..2u8).find_map(|end| {
        let echo = traffic.echo(end);
        let (_, by_peer) = echo.map_or((0, 0), |echo| echo.at(Target::Peer));
        let (asked, answered) = echo.map_or((0, 0), |echo| echo.at(Target::Beyond));
        let tcp = traffic.tcp(end);
        let names = traffic.dns_counts(end).map_or(0, |asked| asked.answered);
        let in_vain = asked + tcp.unanswered_syn;
        let peer_lives = by_peer > 0 || names > 0 && asked == 0;
        if !peer_lives || by_peer == 0 || answered + tcp.opened + tcp.refused + names > 0 || in_vain < IN_VAIN {
            return None;
        }
        let mut packets: Vec<u64> = echo
            .map_or_else(Vec::new, |echo| echo.in_vain(traffic.last().unwrap_or_default()).packets().to_vec());
        packets.extend(tcp.unanswered_packets.packets());
        packets.sort_unstable();
        Some(
            Diagnosis::broken(
                &LNS_NOT_FORWARDING,
                format!(
                    "{}: {} itself answers inside the tunnel, but none of {} to hosts beyond it is answered.",
                    attempt.name(),
                    attempt.who(1 - end),
                    count(in_vain, "question")
                ),
            )
            .evidence(packets)
            .confidence(Confidence::Likely)
            .advice(format!("on {}: is forwarding on (net.ipv4.ip_forward), do the hosts beyond know a route back, or is it masquerading?", attempt.who(1 - end))),
        )
    })
}

/// A host answers pings and never a SYN.
fn blocked(attempt: &Attempt<'_>, traffic: &CallTraffic) -> Option<Diagnosis> {
    (0..2u8).find_map(|end| {
        let tcp = traffic.tcp(end);
        let (_, answered) = traffic.echo(end)?.at(Target::Beyond);
        if tcp.opened + tcp.refused + tcp.half_open > 0 || tcp.unanswered_syn < 2 || answered == 0 {
            return None;
        }
        let packets = tcp.unanswered_packets.packets();
        Some(
            Diagnosis::broken(
                &INNER_TCP_BLOCKED,
                format!(
                    "{}: hosts beyond the tunnel answer pings, but never a TCP SYN ({}).",
                    attempt.name(),
                    super::super::words::packets(packets, tcp.unanswered_syn)
                ),
            )
            .evidence(packets.iter().copied())
            .confidence(Confidence::Likely)
            .advice("look for a firewall at or after the LNS that drops TCP from the tunnel."),
        )
    })
}

/// No DNS server answers, though other packets pass.
fn dns(attempt: &Attempt<'_>, call: &Call, traffic: &CallTraffic) -> Option<Diagnosis> {
    (0..2u8).find_map(|end| {
        let dns = traffic.dns(end)?;
        let counts = traffic.dns_counts(end)?;
        let servers = dns.servers();
        // A server that IPCP gave out has to answer; of another one that is known only where others do.
        let given = |address: IpAddr| call.ppp.network.dns.iter().any(|known| IpAddr::V4(*known) == address);
        let others = traffic.tcp(end).opened + traffic.echo_counts(end).map_or(0, |asked| asked.answered);
        if !servers.iter().any(|server| given(server.address)) && others == 0 {
            return None;
        }
        let in_vain: u64 = servers.iter().map(|server| server.asked).sum::<u64>() + dns.repeated;
        if counts.answered > 0 || counts.unanswered < 1 || in_vain < IN_VAIN {
            return None;
        }
        let packets = dns.in_vain(traffic.last().unwrap_or_default());
        let names = servers.iter().take(3).map(|server| server.address.to_string()).collect::<Vec<_>>().join(", ");
        Some(
            Diagnosis::broken(
                &DNS_NO_ANSWER,
                format!(
                    "{}: the DNS server {names} answers none of {}, while other packets pass.",
                    attempt.name(),
                    count(in_vain, "question")
                ),
            )
            .evidence(packets.packets().iter().copied())
            .confidence(Confidence::Likely)
            .advice("does that server run, and does it answer clients of the VPN? Give out another one by IPCP (ms-dns)."),
        )
    })
}

/// The layout of L2TPv3 data differs in the two directions.
fn layout(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let [one, other] = [0, 1].map(|end: usize| call.data.get(end).and_then(|data| data.sublayer));
    let (one, other) = (one?, other?);
    if connection.version != 3 || one == other {
        return None;
    }
    let words =
        |octets: u8| if octets == 0 { String::from("none") } else { format!("{octets} octets of it") };
    Some(
        Diagnosis::broken(
            &LAYOUT_MISMATCH,
            format!(
                "the ends do not agree on the L2-specific sublayer of {}: {} sends {}, {} sends {}.",
                attempt.name(),
                attempt.who(0),
                words(one),
                attempt.who(1),
                words(other)
            ),
        )
        .evidence([call.first_packet])
        .confidence(Confidence::Likely)
        .advice("set the same on both ends (ip l2tp add session … l2spec_type none, or default; RouterOS: use-l2-specific-sublayer)."),
    )
}

/// An open call through which data goes in one direction only.
fn one_way(attempt: &Attempt<'_>, connection: &Connection, call: &Call) -> Option<Diagnosis> {
    let [a, b] = &call.data;
    let opened = call.ppp.ncps.iter().any(|(number, ncp)| protocol::carries(*number) && ncp.ever_opened());
    let carried = |data: &Data| if connection.version == 3 { data.packets } else { data.network };
    let (many, none) = (carried(a).max(carried(b)), carried(a).min(carried(b)));
    if none > 0 || many < ASKED.into() {
        return None;
    }
    let speaker = u8::from(carried(b) > carried(a));
    // What nobody has to answer proves nothing.
    let asks = call.traffic.get().map_or(0, |traffic| traffic.direction(speaker).asking);
    if connection.version == 3 {
        // A pseudowire has no negotiation that shows both of its ends at work.
        let up = connection.was_established && call.was_established;
        return up.then(|| {
            Diagnosis::degraded(
                &DATA_ONE_WAY,
                format!(
                    "{} is up, but only {} sends data ({}); nothing comes back.",
                    attempt.name(),
                    attempt.who(speaker),
                    count(many, "packet")
                ),
            )
            .evidence([call.first_packet])
            .confidence(Confidence::Possible)
            .advice("check what the pseudowire is bridged to on the side that does not answer.")
        });
    }
    (opened && asks >= ASKED.into()).then(|| {
        Diagnosis::broken(
            &DATA_ONE_WAY,
            format!(
                "{} is open, but only {} sends user data ({}); nothing comes back.",
                attempt.name(),
                attempt.who(speaker),
                count(many, "packet")
            ),
        )
        .evidence([call.first_packet])
        .confidence(Confidence::Likely)
        .advice(format!("check routes and firewall after {}.", attempt.who(1 - speaker)))
    })
}

/// Compressors that lost step.
fn desync(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let ccp = call.ppp.negotiation(CCP)?;
    let resets: u32 = ccp.ends.iter().map(|end| end.resets).sum();
    let ended =
        ccp.terminated.as_ref().filter(|ended| ended.reason.as_str().to_ascii_lowercase().contains("sync"));
    if resets < ASKED && ended.is_none() {
        return None;
    }
    let what = match ended {
        Some(ended) => format!(
            "{} ended CCP with \"{}\" (packet {})",
            attempt.who(ended.end),
            ended.reason,
            ended.packet
        ),
        None => format!("{} of CCP", count(resets.into(), "Reset-Request")),
    };
    Some(
        Diagnosis::degraded(
            &COMPRESSION_DESYNC,
            format!("the compression of {} lost step: {what}; data is lost on the path.", attempt.name()),
        )
        .evidence(ended.map(|ended| ended.packet).into_iter().chain([call.first_packet]))
        .advice("turn off PPP compression (noccp), and find the loss."),
    )
}

/// Numbers of data, or of ESP, that never came.
fn loss(attempt: &Attempt<'_>, call: &Call) -> Option<Diagnosis> {
    let [a, b] = &call.data;
    let lost = a.lost.saturating_add(b.lost);
    let sent = lost + a.packets + b.packets;
    if lost == 0 {
        return None;
    }
    let id = attempt.call.map(|(id, _)| id);
    let evidence = (0..2u8).filter_map(|end| {
        let scope = Scope { call: id, end: Some(end), ..Scope::default() };
        attempt.case.analysis.observed(Observation::DataGap, scope)
    });
    Some(
        Diagnosis::degraded(
            &DATA_LOSS,
            format!(
                "{} works, but {} of {} never came.",
                attempt.name(),
                count(lost, "data packet"),
                thousands(sent)
            ),
        )
        .evidence(evidence.flat_map(|tally| tally.packets.iter().copied()))
        .advice("find the hop that loses packets: compare captures of both ends."),
    )
}

/// Loss where nothing counts: echoes without replies beside others that have them, and TCP resends.
fn estimated_loss(attempt: &Attempt<'_>, traffic: &CallTraffic) -> Option<Diagnosis> {
    (0..2u8).find_map(|end| {
        let estimate = traffic.loss_estimate(end)?;
        let echoes = traffic.echo_counts(end).filter(|asked| asked.answered > 0);
        let lost_echoes = echoes.filter(|asked| {
            asked.unanswered >= LOST && asked.unanswered.saturating_mul(SHARE_OF_ECHOES) >= asked.asked
        });
        let segments = estimate.by == EstimatedBy::Tcp
            && estimate.lost >= LOST
            && estimate.lost.saturating_mul(SHARE_OF_SEGMENTS) >= estimate.of;
        // A slow line that drops what its queue cannot hold loses segments, and pings with them: TCP alone is no proof.
        let asked = lost_echoes.filter(|asked| segments || asked.unanswered.saturating_mul(10) >= asked.asked)?;
        let packets = traffic.echo(end)?.in_vain(traffic.last().unwrap_or_default());
        let tcp = if segments { format!(", and {} of {} TCP segments were sent again", estimate.lost, thousands(estimate.of)) } else { String::new() };
        Some(
            Diagnosis::degraded(
                &DATA_LOSS,
                format!(
                    "{} works, but {} of {} pings from {} had no reply{tcp}: about {} % of the packets are lost (an estimate; nothing numbers them).",
                    attempt.name(),
                    asked.unanswered,
                    asked.asked,
                    attempt.who(end),
                    asked.unanswered.saturating_mul(50) / asked.asked.max(1)
                ),
            )
            .evidence(packets.packets().iter().copied())
            .confidence(Confidence::Likely)
            .advice("find the hop that loses packets: compare captures of both ends."),
        )
    })
}

/// Users asked, and the capture ends before it shows an answer.
fn open(attempt: &Attempt<'_>, traffic: &CallTraffic) -> Option<Diagnosis> {
    let (end, silence) = (0..2u8).find_map(|end| {
        let never = traffic.direction(1 - end).last_telling.is_none();
        let silence = traffic.direction(end).silence.filter(|silence| never && silence.asked >= 2)?;
        Some((end, silence))
    })?;
    Some(
        Diagnosis::undecided(format!(
            "{} came up, and nothing that users of {} asked is answered yet ({}).",
            attempt.name(),
            attempt.who(end),
            asks(&silence)
        ))
        .evidence([silence.first.0, silence.last.0])
        .advice("capture longer, while users work."),
    )
}
