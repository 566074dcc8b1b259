//! Does ESP come in both directions, does it open, and does it go on? RFC 4303, RFC 3193.

use std::net::IpAddr;

use crate::analysis::control::connection::Connection;
use crate::analysis::ipsec::flow::{Flow, WINDOWS};
use crate::analysis::ipsec::ike::IkeSa;
use crate::util::{Duration, Timestamp};

use super::super::words::{count, tunnel};
use super::super::{esp, gateway_view, ike, selectors};
use super::attempt::Attempt;
use super::causes::{
    CAPTURE_TRUNCATED, DPD_KILL, ESP_BLOCKED, ESP_REPLAY_DROPS, ESP_STOPPED, KEYS_DIFFER, PATH_DUPLICATES,
    PLAINTEXT_LEAK, REKEY_FAILURE, STALE_SA, TWO_CLIENTS_ONE_NAT,
};
use super::stage::Outcome;
use super::{Confidence, Diagnosis};

/// So many ESP packets of one side, with none of the other, are no accident of where the capture ends.
const ENOUGH: u64 = 3;
/// What is asked is answered by then.
const PATIENCE: Duration = Duration::seconds(5);
/// So many packets beyond a usual window are no accident.
const BEYOND_WINDOW: u64 = 5;
/// INVALID_SPI: the same number in IKEv1 and IKEv2.
const INVALID_SPI: u16 = 11;
/// How far the end of an SA may be from its lifetime: rekeys are tried some time before (RFC 7296 section 2.8).
const MARGIN: Duration = Duration::seconds(5);

pub(super) fn judge(attempt: &Attempt<'_>) -> Outcome {
    let in_clear = attempt.connection.is_some_and(|connection| connection.protection[0] == 0);
    if in_clear && attempt.between.ike.is_empty() && attempt.between.flows.is_empty() {
        return Outcome::NotNeeded;
    }
    let judged = match attempt.connection {
        Some(connection) => of_connection(attempt, connection),
        None => of_hosts(attempt),
    };
    judged.map_or(Outcome::Proved, Outcome::from)
}

fn of_connection(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    garbage(attempt)
        .or_else(|| leak(attempt, connection))
        .or_else(|| dead_peer(attempt))
        .or_else(|| unknown_spi(attempt))
        .or_else(|| rekey(attempt))
        .or_else(|| collision(attempt))
        .or_else(|| nothing_back(attempt, connection))
        .or_else(|| unreadable(attempt, connection))
        .or_else(|| late(attempt))
        .or_else(|| duplicated(attempt))
}

fn of_hosts(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let between = attempt.between;
    let first = between.flows.iter().map(|flow| flow.first.1).min();
    let Some(first) = first else { return no_esp(attempt) };
    let sum = |field: fn(&Flow) -> u64| between.flows.iter().map(|flow| field(flow)).sum::<u64>();
    let (total, cut) = (sum(Flow::packets), sum(|flow| flow.cut));
    if cut > 0 && cut == total {
        return Some(
            Diagnosis::undecided(format!(
                "all {} were cut by the snap length, so nothing inside can be read.",
                count(total, "ESP packet")
            ))
            .named(&CAPTURE_TRUNCATED)
            .evidence([first])
            .advice("capture whole packets: tcpdump -s 0."),
        );
    }
    garbage(attempt)
        .or_else(|| bad_icv(attempt, first))
        .or_else(|| one_way(attempt))
        .or_else(|| collision(attempt))
        .or_else(|| dead_peer(attempt))
        .or_else(|| unknown_spi(attempt))
        .or_else(|| rekey(attempt))
        .or_else(|| stopped(attempt))
        .or_else(|| Some(sealed(attempt, first, total)))
}

/// IKE without a packet of ESP.
fn no_esp(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let sa = attempt.between.ike.last()?;
    Some(
        Diagnosis::undecided(format!(
            "IKE between {} and {} is there, but neither ESP nor L2TP.",
            sa.initiator, sa.responder
        ))
        .evidence([sa.first.packet, sa.last.packet])
        .advice("capture ip proto 50 and udp port 4500 too; if they were captured, the SA carried nothing."),
    )
}

fn bad_icv(attempt: &Attempt<'_>, first: u64) -> Option<Diagnosis> {
    let sum = |field: fn(&Flow) -> u64| attempt.between.flows.iter().map(|flow| field(flow)).sum::<u64>();
    let bad = sum(|flow| flow.bad_icv);
    (bad > 0 && sum(|flow| flow.decrypted) == 0).then(|| {
        Diagnosis::broken(
            &KEYS_DIFFER,
            format!("none of {} passes its integrity check: the keys do not fit.", count(bad, "ESP packet")),
        )
        .evidence([first])
        .confidence(Confidence::Likely)
        .advice("take fresh keys from both gateways (`ip xfrm state`); if those differ, that is the fault.")
    })
}

/// What cannot be opened, and nothing else to say.
fn sealed(attempt: &Attempt<'_>, first: u64, total: u64) -> Diagnosis {
    let between = attempt.between;
    if between.flows.iter().any(|flow| flow.decrypted > 0) {
        return Diagnosis::undecided("ESP was decrypted, but there is no L2TP in it.").evidence([first]);
    }
    let mut suites = between.flows.iter().filter_map(|flow| attempt.case.sad.get(flow.sa?)?.unsupported());
    if let Some(suite) = suites.next() {
        return Diagnosis::undecided(format!(
            "{} cannot be decrypted: this version does not know {suite}.",
            count(total, "ESP packet")
        ))
        .evidence([first]);
    }
    Diagnosis::undecided(format!(
        "{} cannot be decrypted without a key: whether L2TP works is not visible.",
        count(total, "ESP packet")
    ))
    .evidence([first])
    .advice("run `ip xfrm state` on a gateway while the SA is up, save it, and add it with --keys FILE.")
}

/// All that was opened is garbage: what seems to be in it means nothing.
fn garbage(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let flows = || attempt.between.flows.iter().copied().filter(|flow| flow.packets() > 0);
    if !flows().any(esp::garbage) || !flows().all(|flow| esp::garbage(flow) || flow.decrypted == 0) {
        return None;
    }
    let total: u64 = flows().map(Flow::packets).sum();
    Some(
        Diagnosis::broken(
            &KEYS_DIFFER,
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
pub(super) fn unreadable(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let flow = attempt.between.flows.iter().find(|flow| {
        let bad = flow.bad();
        bad >= ENOUGH && bad == flow.packets() || esp::garbage(flow)
    })?;
    connection.was_established.then(|| {
        Diagnosis::undecided(format!(
            "what {} sent cannot be read: the key of SA {} fits none of {}. The other side goes on, so the key file is wrong rather than a gateway.",
            flow.addresses.source,
            flow.spi,
            count(flow.packets(), "packet")
        ))
        .named(&KEYS_DIFFER)
        .evidence([flow.first.1])
        .advice("take fresh keys from both gateways (`ip xfrm state`) and compare this SPI.")
    })
}

/// After IKE agreed, ESP in one direction only.
fn one_way(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let between = attempt.between;
    let sa = between.ike.iter().find(|sa| sa.agreed())?;
    let (speaker, silent) = match (between.esp_from(sa.initiator), between.esp_from(sa.responder)) {
        (1.., 0) => (sa.initiator, sa.responder),
        (0, 1..) => (sa.responder, sa.initiator),
        _ => return None,
    };
    let sent = between.esp_from(speaker);
    let first = between.flows_from(speaker).map(|flow| flow.first).min()?;
    if sent < ENOUGH || attempt.case.left_after(first.0) < PATIENCE {
        return Some(
            Diagnosis::undecided(format!(
                "IKE agreed, then {} came from {speaker}, and the capture ends before an answer is due.",
                count(sent, "ESP packet")
            ))
            .evidence([sa.first.packet, first.1])
            .advice("capture longer, about a minute."),
        );
    }
    Some(
        Diagnosis::broken(
            &ESP_BLOCKED,
            format!(
                "IKE agreed, then {} came from {speaker} and none from {silent}.",
                count(sent, "ESP packet")
            ),
        )
        .evidence([sa.first.packet, first.1])
        .confidence(Confidence::Likely)
        .advice("is ESP (IP protocol 50, or UDP 4500) let through in both directions?"),
    )
}

/// SCCRQs go out under ESP, and no ESP comes back: what is missing, ESP or L2TP, is not shown.
fn nothing_back(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let silent = connection.end(1);
    let nothing = attempt.between.esp_from(silent.endpoint.address) == 0 && silent.packets == 0;
    (nothing && connection.protection[0] > 0).then(|| {
        Diagnosis::undecided(format!("no ESP came from {}.", silent.endpoint.address))
            .evidence([connection.first_packet])
            .advice("is ESP (IP protocol 50, or UDP 4500) let through in both directions, and does the L2TP daemon answer?")
    })
}

/// When a host sent its last ESP packet, and its number.
fn last_from(attempt: &Attempt<'_>, host: IpAddr) -> Option<(Timestamp, u64)> {
    attempt.between.flows_from(host).map(|flow| flow.last).max()
}

/// ESP of one side that stops while the other goes on, where nothing inside can be read.
fn stopped(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let flow = attempt.between.flows.first()?;
    let ends = [flow.addresses.source, flow.addresses.destination];
    let last = ends.map(|end| last_from(attempt, end));
    let [Some(one), Some(other)] = last else { return None };
    let (silent, speaker, stopped, until) =
        if one.0 < other.0 { (ends[0], ends[1], one, other) } else { (ends[1], ends[0], other, one) };
    let goes_on: u64 = attempt
        .between
        .flows_from(speaker)
        .filter(|flow| flow.last.0 > stopped.0)
        .map(|flow| flow.packets())
        .sum();
    if until.0.since(stopped.0) < Duration::seconds(20) || goes_on < 10 {
        return None;
    }
    Some(
        Diagnosis::broken(
            &ESP_STOPPED,
            format!(
                "ESP from {silent} stops at {} (packet {}), and {speaker} goes on until {} (packet {}).",
                attempt.case.at(stopped.0),
                stopped.1,
                attempt.case.at(until.0),
                until.1
            ),
        )
        .evidence([stopped.1, until.1])
        .confidence(Confidence::Possible)
        .advice(format!("what is inside is not read: an idle user looks alike. Look in the IKE log of {silent} at that time, and add keys with --keys FILE.")),
    )
}

/// IKE made an SA, and the tunnel, or one direction of it, runs in the clear.
fn leak(attempt: &Attempt<'_>, connection: &Connection) -> Option<Diagnosis> {
    let between = attempt.between;
    let [under_esp, in_clear] = connection.protection;
    if in_clear == 0 || gateway_view::without_a_key(attempt.case, connection).is_some() {
        return None;
    }
    if under_esp == 0 {
        let agreed = between.ike.iter().find(|sa| {
            sa.agreed()
                && sa.first.packet < connection.first_packet
                && sa.ended.is_none_or(|(at, _)| at.packet > connection.first_packet)
        })?;
        if !between.flows.is_empty() || !connection.was_established {
            return None;
        }
        return Some(
            Diagnosis::broken(
                &PLAINTEXT_LEAK,
                format!(
                    "IKE made an SA, but {} and all its data run outside ESP, from packet {} on.",
                    tunnel(connection),
                    connection.first_packet
                ),
            )
            .evidence([agreed.first.packet, connection.first_packet])
            .advice("the IPsec policy does not cover the UDP ports in use: compare its selectors with the ports of the tunnel."),
        );
    }
    // One end sends no ESP at all: all that comes from it is in the clear.
    let leaks = (0..2u8).find(|end| {
        let end = connection.end(*end);
        end.packets >= ENOUGH && between.esp_from(end.endpoint.address) == 0 && end.shown_again == 0
    })?;
    let first = connection.end(leaks);
    Some(
        Diagnosis::broken(
            &PLAINTEXT_LEAK,
            format!(
                "{} answers outside ESP: none of its {} is encrypted, though {} sends under ESP.",
                attempt.who(leaks),
                count(first.packets, "packet"),
                attempt.who(1 - leaks)
            ),
        )
        .evidence([connection.first_packet].into_iter().chain(first.last.map(|(packet, _)| packet)))
        .confidence(Confidence::Likely)
        .advice(format!("the policy of {} does not cover what it sends from UDP 1701: compare its selectors (ip xfrm policy).", attempt.who(leaks))),
    )
}

/// Dead peer detection without an answer, and SAs that were given up for it.
fn dead_peer(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let between = attempt.between;
    let (sa, from, open) = between.ike.iter().find_map(|sa| {
        let (from, open) =
            sa.liveness.unanswered().filter(|(_, open)| open.count >= ENOUGH && !open.sealed)?;
        Some((sa, from, open))
    })?;
    let peer = sa.end(1 - from);
    let heard = last_from(attempt, peer).is_some_and(|(time, _)| time > open.last.time);
    if heard || attempt.case.left_after(open.last.time) < PATIENCE {
        return None;
    }
    let gone = sa.ended.filter(|(at, _)| at.packet > open.first.packet);
    let end =
        gone.map_or_else(String::new, |(at, _)| format!("; the SAs were deleted (packet {})", at.packet));
    Some(
        Diagnosis::broken(
            &DPD_KILL,
            format!(
                "{peer} no longer answers: {} asked {} times from {} on whether it is there (packets {} to {}){end}.",
                sa.end(from),
                open.count,
                attempt.case.at(open.first.time),
                open.first.packet,
                open.last.packet
            ),
        )
        .evidence([open.first.packet, open.last.packet].into_iter().chain(gone.map(|(at, _)| at.packet)))
        .confidence(Confidence::Likely)
        .advice("a dead peer and a dead path look the same from here: look in the log of that side, and whether its NAT mapping, address or link changed."),
    )
}

/// An end says that it does not know the SPI with which the other sends (RFC 2408 section 3.14.1, RFC 7296 section 3.10.1).
fn unknown_spi(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let (sa, refusal) = attempt.between.ike.iter().find_map(|sa| {
        let refusal = sa.refusals.iter().find(|refusal| refusal.kind == INVALID_SPI)?;
        Some((sa, refusal))
    })?;
    let (host, peer) = (sa.end(refusal.from), sa.end(1 - refusal.from));
    Some(
        Diagnosis::broken(
            &STALE_SA,
            format!(
                "{host} says that it does not know the SA with which {peer} sends (INVALID_SPI, packet {}): it has lost its SAs.",
                refusal.first.packet
            ),
        )
        .evidence([refusal.first.packet])
        .confidence(Confidence::Likely)
        .advice(format!("was IPsec on {host} restarted? Have {peer} connect again; dead peer detection does that by itself.")),
    )
}

/// A request for a new SA that nobody answered, after which ESP stopped; or an SA whose lifetime ran out without one.
fn rekey(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let failure = |sa: &&IkeSa| ike::rekey_failure_of(attempt.case, sa, &attempt.between.flows);
    if let Some((pending, flow)) = attempt.between.ike.iter().find_map(failure) {
        let last = flow.last.0;
        return Some(
            Diagnosis::broken(
                &REKEY_FAILURE,
                format!(
                    "a request for a new SA was sent {} times from {} on without an answer (packets {} to {}); ESP from {} stopped at {}.",
                    pending.copies,
                    attempt.case.at(pending.first.time),
                    pending.first.packet,
                    pending.last.packet,
                    flow.addresses.source,
                    attempt.case.at(last)
                ),
            )
            .evidence([pending.first.packet, pending.last.packet])
            .confidence(Confidence::Likely)
            .advice("does IKE still get through (UDP 500 and 4500), and does the peer accept the rekey? Look in its IKE log."),
        );
    }
    expired(attempt)
}

/// ESP from one side that stops when the lifetime of its SA ends, while the other side goes on.
fn expired(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    attempt.between.ike.iter().find_map(|sa| {
        let child = sa.children.iter().rfind(|child| child.is_complete() && child.replaced_by.is_none())?;
        (0..2usize).find_map(|end| {
            let lifetime = child.lifetimes.get(end).copied().flatten().or(child.lifetime)?;
            let lifetime = Duration::seconds(i64::try_from(lifetime).ok()?);
            let (host, peer) = (sa.end(end), sa.end(1 - end));
            let (last, packet) = last_from(attempt, host)?;
            let (until, _) = last_from(attempt, peer)?;
            let lived = last.since(child.made.time);
            let near = lived.0.abs_diff(lifetime.0) <= MARGIN.0.unsigned_abs().max(lifetime.0.unsigned_abs() / 10);
            (near && until.since(last) > PATIENCE).then(|| {
                Diagnosis::broken(
                    &REKEY_FAILURE,
                    format!(
                        "ESP from {host} stops {lived} after its SA was made (packet {packet}), whose lifetime is {} s, and no new SA took its place; {peer} goes on sending.",
                        lifetime.as_seconds()
                    ),
                )
                .evidence([child.made.packet, packet])
                .confidence(Confidence::Likely)
                .advice("let the client rekey before the lifetime ends (rekey=yes), or raise the lifetime on both sides.")
            })
        })
    })
}

/// Two clients behind one NAT, and the older one gets no packets any more.
fn collision(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let case = attempt.case;
    let collision = selectors::collision(&attempt.between.flows)?;
    let (old, new) = (collision.old, collision.new);
    // The client that came second is served.
    if attempt.connection.is_some_and(|connection| connection.first_time >= new.first.0) {
        return None;
    }
    Some(
        Diagnosis::broken(
            &TWO_CLIENTS_ONE_NAT,
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

/// Most packets come more than once.
fn duplicated(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let most =
        |flow: &&&Flow| flow.replayed >= BEYOND_WINDOW && flow.replayed.saturating_mul(4) >= flow.packets();
    let flow = attempt.between.flows.iter().find(most)?;
    Some(
        Diagnosis::degraded(
            &PATH_DUPLICATES,
            format!(
                "it worked, but {} of {} from {} came more than once (SA {}): the path duplicates packets, and IPsec drops the copies.",
                count(flow.replayed, "packet"),
                flow.packets(),
                flow.addresses.source,
                flow.spi
            ),
        )
        .evidence([flow.first.1])
        .confidence(Confidence::Likely)
        .advice("look for a switch or a tunnel on the path that sends packets on twice; captured on two interfaces, it looks alike."),
    )
}

/// Packets so late that a usual window has passed them.
fn late(attempt: &Attempt<'_>) -> Option<Diagnosis> {
    let flow = attempt.between.flows.iter().copied().max_by_key(|flow| flow.late[0])?;
    let [beyond, ..] = flow.late;
    let (behind, packet) = flow.latest?;
    (beyond >= BEYOND_WINDOW).then(|| {
        Diagnosis::degraded(
            &ESP_REPLAY_DROPS,
            format!(
                "{} of SA {} from {} come {} or more numbers late (the latest {behind}, packet {packet}): a receiver with that anti-replay window drops them.",
                count(beyond, "packet"),
                flow.spi,
                flow.addresses.source,
                WINDOWS[0]
            ),
        )
        .evidence([packet])
        .confidence(Confidence::Likely)
        .advice("find what holds packets back on the path (load balancing, queues by size), and set a larger replay window (replay_window=128).")
    })
}
