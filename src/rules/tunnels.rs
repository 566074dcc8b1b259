//! Rules on several control connections between the same hosts.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::analysis::control::connection::{Connection, ConnectionState, End};
use crate::util::{Duration, Timestamp};

use super::words;
use super::{Case, Finding, Severity, rules};

rules! {
    /// Two tunnels between the same hosts are up at once.
    ///
    /// Allowed, and sometimes wanted. Some systems deliver data to the last one only.
    TUN_DUPLICATE_PAIR = "tun-duplicate-pair", Note, "RFC 2661 5.3",
        "multiple tunnels may exist between a given LNS-LAC pair.";

    /// Both hosts asked the other for a tunnel at the same time.
    ///
    /// Without tie breakers both tunnels come up; with them, one of the two gives way.
    /// Example: two SCCRQ that cross each other.
    TUN_COLLISION = "tun-collision", Note, "RFC 2661 7.2.1",
        "an SCCRQ in the state wait-ctl-reply is decided by the tie breakers.";

    /// Two requests met, and their tie breakers did not decide.
    ///
    /// The one with the lower value wins and the other is dropped; of equal values both are dropped; one with a tie
    /// breaker wins against one without. Here both tunnels, or the wrong one, came up.
    /// Example: two SCCRQ that cross each other, with Tie Breakers 1 and 2; the one with 2 is answered by an SCCRP.
    TUN_TIE_BREAKER_IGNORED = "tun-tie-breaker-ignored", Error, "RFC 2661 4.4.3",
        "the lower Tie Breaker value wins, and the other request is discarded.";

    /// A host asks for a new tunnel while its old one is up.
    ///
    /// And sends nothing more in the old one: it was restarted, or lost its state. Its peer keeps the old tunnel and
    /// its calls until a Hello fails.
    /// Example: a tunnel with a call, and a new SCCRQ from the same port without a StopCCN.
    TUN_PEER_RESTARTED = "tun-peer-restarted", Warning, "RFC 2661 5.7",
        "a control connection is torn down by a StopCCN.";

    /// A tunnel ID is used again soon after its tunnel was closed.
    ///
    /// Late messages of the old tunnel can be taken for those of the new one.
    /// Example: a StopCCN, and a tunnel with the same Tunnel IDs 2 s later.
    TUN_ID_REUSED_EARLY = "tun-id-reused-early", Warning, "RFC 2661 5.7",
        "state of a closed tunnel is kept for a full retransmission cycle, 31 seconds.";

    /// Control messages of a tunnel whose set-up is not in the capture, beside one whose is.
    ///
    /// A stale tunnel that one side still believes in, or one that was set up before the capture began.
    /// Example: a Hello of another tunnel between the ends of one whose set-up is in the capture.
    TUN_UNKNOWN_TUNNEL = "tun-unknown-tunnel", Note, "RFC 2661 5.3",
        "the Tunnel ID of a message is the one that its receiver assigned.";
}

/// Pairs that are compared for one pair of hosts; a flood of tunnels must not make this slow.
const MOST_COMPARED: usize = 32;

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    let mut pairs: HashMap<[IpAddr; 2], Vec<&Connection>> = HashMap::new();
    let mut order = Vec::new();
    for (_, connection) in case.analysis.in_order() {
        let mut hosts = [connection.end(0).endpoint.address, connection.end(1).endpoint.address];
        hosts.sort_unstable();
        let tunnels = pairs.entry(hosts).or_default();
        if tunnels.is_empty() {
            order.push(hosts);
        }
        if tunnels.len() < MOST_COMPARED {
            tunnels.push(connection);
        }
    }
    for hosts in order {
        let tunnels = &pairs[&hosts];
        found.extend(at_once(tunnels));
        for (at, later) in tunnels.iter().enumerate() {
            for (place, earlier) in tunnels[..at].iter().enumerate() {
                // A tunnel that was left behind is told of once, by the one that took its place.
                let left =
                    tunnels[place + 1..at].iter().any(|mid| follows(earlier, mid) && replaced(earlier, mid));
                found.extend(two(case, earlier, later, !left));
            }
            if !later.from_start
                && later.ends.iter().any(|end| !end.messages.is_empty())
                && tunnels.iter().any(|other| other.from_start)
            {
                found.push(unknown(later));
            }
        }
    }
}

/// When its last packet came, or its StopCCN.
fn end_of(connection: &Connection) -> Option<Timestamp> {
    let last = connection.ends.iter().filter_map(|end| Some(end.last?.1)).max();
    connection.closed.or(last)
}

fn same_direction(earlier: &Connection, later: &Connection) -> bool {
    earlier.end(0).endpoint == later.end(0).endpoint
}

fn two(case: &Case<'_>, earlier: &Connection, later: &Connection, next: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    if !(earlier.from_start && later.from_start) || earlier.version != later.version {
        return found;
    }
    let Some(asked) = later.requested else { return found };
    let waited = earlier.established.is_none_or(|time| time > asked);
    if !same_direction(earlier, later) {
        let met = waited && earlier.closed.is_none_or(|time| time > asked);
        let hosts_swapped = earlier.end(0).endpoint.address == later.end(1).endpoint.address;
        if met && hosts_swapped && earlier.answered.is_none_or(|time| time > asked) {
            found.push(collision(earlier, later));
            found.extend(ignored(earlier, later));
        }
        return found;
    }
    if next && replaced(earlier, later) && case.left_after(asked) > Duration::seconds(1) {
        found.push(restarted(case, earlier, later));
    }
    let again = earlier.end(0).tunnel_id.is_some() && earlier.end(0).tunnel_id == later.end(0).tunnel_id;
    if let Some(closed) = earlier.closed
        && again
        // Whoever lost its state knows of no StopCCN.
        && earlier.end(0).closed_at.is_some_and(|closed| closed < asked)
        && asked.since(closed) < super::sequence::FULL_CYCLE
        && asked > closed
        && !case.clock_steps()
    {
        found.push(reused(earlier, later, asked.since(closed)));
    }
    found
}

fn about(later: &Connection, rule: &'static super::Rule, title: String) -> Finding {
    Finding::new(rule, title).packets(&[later.first_packet]).connection(later.number)
}

fn names(earlier: &Connection, later: &Connection) -> String {
    format!("{} and {}", words::tunnel(earlier), words::tunnel(later))
}

fn collision(earlier: &Connection, later: &Connection) -> Finding {
    about(later, &TUN_COLLISION, format!("{} were asked for at the same time", names(earlier, later)))
        .packets(&[earlier.first_packet, later.first_packet])
        .seen(format!("{} and {} both sent an SCCRQ.", words::who(earlier, 0), words::who(later, 0)))
        .advice("let one side alone start the tunnel, or set tie breakers on both.")
}

/// RFC 2661 section 4.4.3, Tie Breaker.
fn ignored(earlier: &Connection, later: &Connection) -> Option<Finding> {
    let (a, b) = (earlier.end(0).tie_breaker, later.end(0).tie_breaker);
    let (won, lost) = (earlier.was_established, later.was_established);
    let what = match (a, b) {
        (None, None) => return None,
        (Some(a), Some(b)) if a == b => {
            (won || lost).then_some("the values are equal, so both should be dropped")
        }
        (Some(a), Some(b)) if a < b => lost.then_some("the second one has the higher value"),
        (Some(_), Some(_)) => won.then_some("the first one has the higher value"),
        (Some(_), None) => lost.then_some("only the first one has a tie breaker"),
        (None, Some(_)) => won.then_some("only the second one has a tie breaker"),
    }?;
    let unseen =
        [earlier, later].iter().any(|connection| connection.ends.iter().any(|end| end.delivery.unseen));
    Some(
        about(
            later,
            &TUN_TIE_BREAKER_IGNORED,
            format!("{}: the tie breaker did not decide", names(earlier, later)),
        )
        .packets(&[earlier.first_packet, later.first_packet])
        .seen(format!("{what}, and it came up."))
        .unsure(unseen.then(|| String::from("control messages are missing in the capture.")))
        .advice("update the side that kept the request which should have lost."),
    )
}

/// A message that was sent so often was on its way to be given up.
const OFTEN: u32 = 4;

/// What its peer sends so long after its own last packet was no answer to that.
const GOES_ON: Duration = Duration::seconds(5);

/// Whether an end had given up the connection before a moment: it had sent a message often, and would have sent it again.
fn gave_up(end: &End, before: Timestamp) -> bool {
    end.delivery.outstanding.iter().any(|message| {
        let due = Duration(message.last_wait().0.saturating_mul(2));
        message.copies >= OFTEN && before.since(message.last) > due
    })
}

fn restarted(case: &Case<'_>, earlier: &Connection, later: &Connection) -> Finding {
    let who = words::who(later, 0);
    let last = earlier.end(0).last.map_or_else(String::new, |(_, time)| format!(" after {}", case.at(time)));
    // The capture may lack its StopCCN, unless its peer goes on in the old one.
    let heard = |end: u8| earlier.end(end).last.map(|(_, time)| time);
    let goes_on = heard(1).zip(heard(0)).is_some_and(|(peer, own)| peer.since(own) > GOES_ON);
    let over = later.requested.is_some_and(|asked| earlier.ends.iter().any(|end| gave_up(end, asked)));
    // Without a call a tunnel may well be idle.
    let in_use =
        earlier.calls.iter().filter_map(|id| case.analysis.call(*id)).any(|call| call.closed.is_none());
    let sure = !over && (goes_on || in_use && case.analysis.totals.unseen == 0);
    about(later, &TUN_PEER_RESTARTED, format!("{who} starts anew while {} is up", words::tunnel(earlier)))
        .severity(if sure { Severity::Warning } else { Severity::Note })
        .by(0)
        .seen(format!("no StopCCN for {}, and nothing of {who} in it{last}.", words::tunnel(earlier)))
        .unsure(Some(String::from("it may have left the old tunnel idle on purpose.")))
        .advice(format!(
            "look in the log of {who} for a crash or restart before packet {}.",
            later.first_packet
        ))
}

/// Tunnels in one direction that were established while an earlier one was up.
fn at_once(tunnels: &[&Connection]) -> Option<Finding> {
    let beside = |later: &&&Connection| {
        let (Some(asked), true) = (later.requested, later.was_established) else { return false };
        tunnels.iter().take_while(|earlier| earlier.number != later.number).any(|earlier| {
            let older = earlier.from_start && earlier.was_established && earlier.version == later.version;
            older
                && same_direction(earlier, later)
                && !replaced(earlier, later)
                && end_of(earlier) > Some(asked)
        })
    };
    let later: Vec<&&Connection> = tunnels.iter().filter(beside).collect();
    let first = tunnels.iter().find(|tunnel| tunnel.was_established)?;
    let last = later.last()?;
    let others = words::some(later.iter().map(|tunnel| words::tunnel(tunnel)));
    let packets: Vec<u64> = later.iter().map(|tunnel| tunnel.first_packet).take(8).collect();
    Some(
        about(last, &TUN_DUPLICATE_PAIR, format!("{others} came up beside {}", words::tunnel(first)))
            .packets(&packets)
            .seen(format!("between the same hosts, {} and {}.", words::who(first, 0), words::who(first, 1)))
            .advice("fine, if it is wanted. If data of one of them is lost, try one tunnel."),
    )
}

/// Whether both were set up here, in one direction and with one version of L2TP.
fn follows(earlier: &Connection, later: &Connection) -> bool {
    let both = earlier.from_start && later.from_start && earlier.version == later.version;
    both && same_direction(earlier, later)
}

/// Whether the initiator of a later tunnel left this one without closing it: a restart, not two at once.
fn replaced(earlier: &Connection, later: &Connection) -> bool {
    let silent =
        later.requested.is_some_and(|asked| earlier.end(0).last.is_none_or(|(_, time)| time < asked));
    earlier.state == ConnectionState::Established && silent && later.was_established
}

fn reused(earlier: &Connection, later: &Connection, after: Duration) -> Finding {
    let id = later.end(0).tunnel_id.map_or_else(String::new, |id| id.to_string());
    about(
        later,
        &TUN_ID_REUSED_EARLY,
        format!("{}: tunnel ID {id} is used again early", words::tunnel(later)),
    )
    .by(0)
    .seen(format!("{after} after the StopCCN of {}.", words::tunnel(earlier)))
    .advice(format!("{} should choose another ID, such as a random one.", words::who(later, 0)))
}

fn unknown(connection: &Connection) -> Finding {
    about(
        connection,
        &TUN_UNKNOWN_TUNNEL,
        format!("{}: control messages of a tunnel that nobody set up here", words::tunnel(connection)),
    )
    .seen("no SCCRQ of it, while another tunnel of these hosts was set up.")
    .unsure(Some(String::from("it may have been set up before the capture began.")))
    .advice("one side may keep an old tunnel: is its ID in the log of its peer?")
}
