//! The verdict on a capture, from those on all its attempts.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::analysis::CallId;
use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::util::{Duration, Timestamp};

use super::super::words::{self, count, thousands};
use super::causes::{DPD_KILL, HEALTHY, OUTAGE_RECOVERED, UNDETERMINED};
use super::judge::Judge;
use super::results::up_for;
use super::{Confidence, Diagnosis, Verdict, end};

/// How many attempts came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// By [`Verdict::ALL`].
    by: [u64; Verdict::ALL.len()],
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        if let Some(count) = self.by.get_mut(place(verdict)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many came out so.
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.by.get(place(verdict)).copied().unwrap_or(0)
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.by.iter().sum()
    }
}

fn place(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|known| *known == verdict).unwrap_or(0)
}

/// Attempts that did not work for the same cause.
#[derive(Debug, Clone)]
pub struct Group {
    /// The cause.
    pub id: &'static str,
    /// What kind of verdict it is.
    pub verdict: Verdict,
    /// How many attempts.
    pub count: u64,
    /// The first of them, such as `C18`.
    pub examples: Vec<String>,
    /// Users whose attempts these were, each once.
    pub users: Vec<String>,
    /// Hosts from which they came, each once.
    pub peers: Vec<IpAddr>,
    /// What the first of them says.
    pub sentence: String,
}

/// Examples, users and peers that a group names.
const MOST_NAMES: usize = 8;
/// Groups that are told apart: there are hardly more causes.
const MOST_GROUPS: usize = 64;

/// The verdict on one attempt.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The number of its control connection, `T1` is 1; `None` where none can be read.
    pub connection: Option<u32>,
    /// Its call, if there is one.
    pub call: Option<CallId>,
    /// The verdict.
    pub diagnosis: Diagnosis,
}

/// Verdicts that are kept of single attempts; of more, only how many came out how.
const MOST_KEPT: usize = 4096;

/// One attempt, in short.
struct Short {
    client: IpAddr,
    began: Timestamp,
    ended: Timestamp,
    id: &'static str,
    verdict: Verdict,
    confidence: Confidence,
    connection: Option<u32>,
    call: Option<CallId>,
    user: Option<Box<str>>,
    diagnosis: Option<Box<Diagnosis>>,
}

impl Short {
    /// `C1`, `T1` where there is no call, the client where there is no L2TP that can be read.
    fn name(&self) -> String {
        match (self.call, self.connection) {
            (Some(call), _) => words::call(call),
            (None, Some(number)) => format!("T{number}"),
            (None, None) => self.client.to_string(),
        }
    }
}

/// The verdict on the whole capture.
pub(super) fn verdict(judge: &Judge<'_>) -> Diagnosis {
    let mut all = attempts(judge);
    let mut diagnosis = match all.as_mut_slice() {
        [] => nothing(judge),
        [one] => one.diagnosis.as_deref().cloned().unwrap_or_else(|| nothing(judge)),
        several => of_several(judge, several),
    };
    diagnosis.attempts = all
        .into_iter()
        .filter_map(|one| {
            Some(Judged { connection: one.connection, call: one.call, diagnosis: *one.diagnosis? })
        })
        .collect();
    diagnosis
}

fn attempts(judge: &Judge<'_>) -> Vec<Short> {
    let analysis = judge.case.analysis;
    let mut all = Vec::new();
    for (_, connection) in analysis.in_order() {
        if connection.lost_tie || gave_way(judge, connection) {
            continue;
        }
        let calls: Vec<(CallId, &Call)> = connection
            .calls
            .iter()
            .filter_map(|id| Some((*id, analysis.call(*id)?)))
            .filter(|(_, call)| counts(connection, call))
            .collect();
        if calls.is_empty() {
            add(&mut all, short(judge, connection, None));
        }
        for call in calls {
            add(&mut all, short(judge, connection, Some(call)));
        }
    }
    let pairs: Vec<_> = judge.hosts.without_l2tp().collect();
    for pair in pairs {
        let between = judge.hosts.between(pair);
        let first = between
            .ike
            .iter()
            .map(|sa| sa.first.time)
            .chain(between.flows.iter().map(|flow| flow.first.0))
            .min();
        let last = between
            .ike
            .iter()
            .map(|sa| sa.last.time)
            .chain(between.flows.iter().map(|flow| flow.last.0))
            .max();
        let client = between.ike.first().map_or(pair.0, |sa| sa.initiator);
        let diagnosis = judge.of_hosts(pair);
        add(
            &mut all,
            Short {
                client,
                began: first.unwrap_or_default(),
                ended: last.unwrap_or_default(),
                id: diagnosis.id,
                verdict: diagnosis.verdict,
                confidence: diagnosis.confidence,
                connection: None,
                call: None,
                user: None,
                diagnosis: Some(Box::new(diagnosis)),
            },
        );
    }
    all
}

/// StopCCN: the control connection exists already (RFC 2661 section 4.4.2), which the loser of a tie is told as well.
const EXISTS_ALREADY: u16 = 3;

/// Whether this request was refused because there is another control connection between the same hosts, and there is: one
/// beside it in number.
fn gave_way(judge: &Judge<'_>, connection: &Connection) -> bool {
    let told = connection.result.as_ref().is_some_and(|result| result.code == EXISTS_ALREADY);
    if !told || connection.was_established {
        return false;
    }
    let hosts = |one: &Connection| {
        let [a, b] = one.ends.each_ref().map(|end| end.endpoint.address);
        (a.min(b), a.max(b))
    };
    let near = [connection.number.wrapping_sub(1), connection.number.wrapping_add(1)];
    let mut others = near.into_iter().filter_map(|number| judge.case.analysis.numbered(number));
    others.any(|(_, other)| other.was_established && hosts(other) == hosts(connection))
}

/// Whether a call is an attempt of its own: one that lost a tie, or that is known by a CDN of before the capture, is none.
fn counts(connection: &Connection, call: &Call) -> bool {
    let nothing = call.data.iter().all(|data| data.packets == 0);
    let before = call.requester.is_none() && nothing && !call.was_established;
    !super::call::lost_a_tie(connection, call) && !before
}

fn short(judge: &Judge<'_>, connection: &Connection, call: Option<(CallId, &Call)>) -> Short {
    let diagnosis = judge.of(connection, call);
    let user = call.and_then(|(_, call)| {
        let known = &call.ppp.authentication;
        known.by(1).name.as_ref().or(known.by(0).name.as_ref()).map(|name| name.as_str().into())
    });
    let last = connection.ends.iter().filter_map(|end| end.last).map(|(_, time)| time).max();
    Short {
        client: connection.end(u8::try_from(connection.lac_end()).unwrap_or(0)).endpoint.address,
        began: call.map_or(connection.first_time, |(_, call)| call.first_time),
        ended: call.and_then(|(_, call)| call.closed).or(last).unwrap_or(connection.first_time),
        id: diagnosis.id,
        verdict: diagnosis.verdict,
        confidence: diagnosis.confidence,
        connection: Some(connection.number),
        call: call.map(|(id, _)| id),
        user,
        diagnosis: Some(Box::new(diagnosis)),
    }
}

/// Keeps an attempt; of very many, not what is said of each.
fn add(all: &mut Vec<Short>, mut one: Short) {
    if all.len() >= MOST_KEPT {
        one.diagnosis = None;
    }
    all.push(one);
}

/// Nothing that an attempt could be made of.
fn nothing(judge: &Judge<'_>) -> Diagnosis {
    let analysis = judge.case.analysis;
    if let Some(tally) = analysis
        .observed(Observation::OtherVersion, Scope::default())
        .filter(|_| analysis.totals.other_version > 0)
    {
        return Diagnosis::undecided(format!(
            "{} of another version than 2 and 3 (L2F, or none that is defined), which this tool does not follow.",
            count(analysis.totals.other_version, "L2TP packet")
        ))
        .evidence(tally.packets.iter().copied());
    }
    Diagnosis::undecided("there is no L2TP, ESP or IKE in this capture.")
        .advice("capture on the outside of a gateway: udp port 500 or 4500 or 1701 or ip proto 50.")
}

fn of_several(judge: &Judge<'_>, all: &mut [Short]) -> Diagnosis {
    forgive(all);
    let all = &*all;
    let mut tally = Counts::default();
    for one in all {
        tally.add(one.verdict);
    }
    let groups = groups(all);
    let worked = tally.of(Verdict::Healthy) + tally.of(Verdict::Degraded);
    let mut diagnosis = match groups.first() {
        None if worked == 0 => {
            all.iter().find_map(|one| one.diagnosis.as_deref()).cloned().unwrap_or_else(|| nothing(judge))
        }
        None => all_worked(judge, all, tally),
        Some(_) => some_failed(all, tally, &groups),
    };
    diagnosis.stages = None;
    diagnosis.counts = Some(tally);
    diagnosis.groups = groups;
    diagnosis
}

/// A failure of a client that connected with success afterwards is a trouble, no failure: it was repaired.
fn forgive(all: &mut [Short]) {
    let mut good: HashMap<IpAddr, Timestamp> = HashMap::new();
    for one in all.iter().filter(|one| matches!(one.verdict, Verdict::Healthy | Verdict::Degraded)) {
        let latest = good.entry(one.client).or_insert(one.began);
        *latest = (*latest).max(one.began);
    }
    for one in all.iter_mut() {
        let later = good.get(&one.client).is_some_and(|began| {
            *began > one.began && began.since(one.ended) > Duration(-Duration::seconds(2).0)
        });
        if !later {
            continue;
        }
        if one.verdict == Verdict::Broken {
            one.verdict = Verdict::Degraded;
            // The path was gone, and came back.
            if one.id == DPD_KILL.id {
                one.id = OUTAGE_RECOVERED.id;
            }
            if let Some(diagnosis) = one.diagnosis.as_deref_mut() {
                let sentence = diagnosis.sentence.trim_end_matches('.');
                diagnosis.sentence = format!("{sentence}; afterwards it connected with success.");
                diagnosis.verdict = Verdict::Degraded;
                diagnosis.id = one.id;
            }
        }
    }
}

/// Attempts that did not simply work, alike put together: broken before degraded before undecided, the most frequent
/// first.
fn groups(all: &[Short]) -> Vec<Group> {
    let mut groups: Vec<(Group, Option<u32>)> = Vec::new();
    for one in all.iter().filter(|one| one.verdict != Verdict::Healthy) {
        let same = |known: &&mut (Group, Option<u32>)| known.0.id == one.id && known.0.verdict == one.verdict;
        if let Some((group, connection)) = groups.iter_mut().find(same) {
            group.count = group.count.saturating_add(1);
            *connection = one.connection;
            note(group, one);
        } else if groups.len() < MOST_GROUPS {
            let mut group = Group {
                id: one.id,
                verdict: one.verdict,
                count: 1,
                examples: Vec::new(),
                users: Vec::new(),
                peers: Vec::new(),
                sentence: one.diagnosis.as_ref().map_or_else(String::new, |why| why.sentence.clone()),
            };
            note(&mut group, one);
            groups.push((group, one.connection));
        }
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|(group, _)| group).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(place(group.verdict)), std::cmp::Reverse(group.count)));
    groups
}

fn note(group: &mut Group, one: &Short) {
    let full = |len: usize| len >= MOST_NAMES;
    if !full(group.examples.len()) {
        group.examples.push(one.name());
    }
    if let Some(user) = &one.user
        && !full(group.users.len())
        && !group.users.iter().any(|known| **known == **user)
    {
        group.users.push(user.to_string());
    }
    if !full(group.peers.len()) && !group.peers.contains(&one.client) {
        group.peers.push(one.client);
    }
}

fn all_worked(judge: &Judge<'_>, all: &[Short], tally: Counts) -> Diagnosis {
    let analysis = judge.case.analysis;
    let calls: Vec<&Call> = analysis.calls.iter().collect();
    let connections: Vec<&Connection> =
        analysis.in_order().into_iter().map(|(_, connection)| connection).collect();
    let longest = calls.iter().filter_map(|call| up_for(call)).max();
    let up = longest.map_or_else(String::new, |time| format!(" up for {time}"));
    let esp =
        connections.iter().all(|connection| connection.protection[0] > 0 && connection.protection[1] == 0);
    let esp = if esp { " under ESP" } else { ", without IPsec" };
    let what = match connections.len() {
        1 => format!("{}{up}{esp}", count(calls.len() as u64, "call")),
        n => format!("{} in {n} tunnels{up}{esp}", count(calls.len() as u64, "call")),
    };
    let closed = connections.iter().filter(|connection| connection.closed_by.is_some()).count();
    let ending = match (connections.len(), closed) {
        (1, 0) => String::from(", still up when the capture ends"),
        (1, _) => connections
            .first()
            .and_then(|connection| {
                Some(format!(", closed by {}", words::who(connection, connection.closed_by?)))
            })
            .unwrap_or_default(),
        (n, closed) if closed == n => String::from(", all closed in good order"),
        (_, 0) => String::from(", all still up when the capture ends"),
        (_, closed) => format!(", {closed} of them closed"),
    };
    let undecided = match tally.of(Verdict::Undecided) {
        0 => String::new(),
        n => format!("; of {n} more the capture does not show enough"),
    };
    let confidence = all.iter().map(|one| one.confidence).min().unwrap_or(Confidence::Possible);
    let evidence = connections.iter().flat_map(|one| [Some(one.first_packet), one.closing_packet]).flatten();
    Diagnosis::new(
        Verdict::Healthy,
        HEALTHY.id,
        format!("{what}{}{ending}{undecided}.", end::user_data(&calls)),
    )
    .evidence(evidence)
    .confidence(confidence)
}

/// Some attempts did not simply work.
fn some_failed(all: &[Short], tally: Counts, groups: &[Group]) -> Diagnosis {
    let total = tally.all();
    let worked = tally.of(Verdict::Healthy) + tally.of(Verdict::Degraded);
    let broken = tally.of(Verdict::Broken);
    let bad: Vec<&Group> = groups.iter().filter(|group| group.verdict == groups[0].verdict).collect();
    let main = bad.first().copied().unwrap_or(&groups[0]);
    let first =
        all.iter().find(|one| one.id == main.id && one.verdict == main.verdict && one.diagnosis.is_some());
    let mut diagnosis = first
        .and_then(|one| one.diagnosis.as_deref().cloned())
        .unwrap_or_else(|| Diagnosis::undecided(String::new()));
    let clients: std::collections::HashSet<IpAddr> = all.iter().map(|one| one.client).collect();
    // Failures of one control connection are one failure, however many calls it had.
    let one_tunnel = all.iter().all(|one| one.connection == all[0].connection) && main.count == total;
    if one_tunnel {
        return diagnosis;
    }
    diagnosis.verdict = match main.verdict {
        Verdict::Broken if worked > 0 => Verdict::Degraded,
        other => other,
    };
    if main.verdict == Verdict::Undecided && worked > 0 {
        return undecided_beside(diagnosis, tally);
    }
    if main.verdict == Verdict::Undecided {
        let first = diagnosis.sentence.clone();
        diagnosis.sentence =
            format!("of {} attempts the capture does not show enough; the first: {first}", tally.all());
        return diagnosis;
    }
    if main.verdict == Verdict::Degraded && clients.len() == 1 && bad.len() == 1 && main.count == 1 {
        return diagnosis;
    }
    let own = diagnosis.sentence.clone();
    let list: Vec<String> = bad
        .iter()
        .take(4)
        .map(|group| {
            let who = if group.count == 1 {
                group.examples.first().cloned().unwrap_or_default()
            } else {
                thousands(group.count)
            };
            format!("{who} {}", meaning(group))
        })
        .collect();
    let more = bad.len().saturating_sub(list.len());
    let more = if more > 0 { format!(" and {more} other causes") } else { String::new() };
    diagnosis.sentence = match (broken, worked) {
        (0, _) if bad.len() == 1 && main.count == 1 => {
            format!("{} of {total} attempts worked; {own}", thousands(worked))
        }
        (0, _) => format!(
            "all {total} attempts worked in the end, {} with trouble ({}{more}); the first: {own}",
            thousands(main.count),
            list.join(", ")
        ),
        (_, 0) if bad.len() == 1 => format!("none of {total} attempts worked; {own}"),
        (_, 0) => format!("none of {total} attempts worked ({}{more}); the first: {own}", list.join(", ")),
        _ if bad.len() == 1 && main.count == 1 => {
            format!("{} of {total} attempts worked; {own}", thousands(worked))
        }
        _ => format!(
            "{} of {total} attempts worked, {} failed ({}{more}); the first: {own}",
            thousands(worked),
            thousands(broken),
            list.join(", ")
        ),
    };
    diagnosis
}

/// The meaning of a group's cause in a few words: its id, which `--explain` explains.
fn meaning(group: &Group) -> String {
    format!(
        "{}{}",
        group.id,
        if group.users.is_empty() { String::new() } else { format!(" (user {})", group.users.join(", ")) }
    )
}

/// Some worked, and of others the capture does not show enough.
fn undecided_beside(mut diagnosis: Diagnosis, tally: Counts) -> Diagnosis {
    let worked = tally.of(Verdict::Healthy);
    diagnosis.sentence =
        format!("{} of {} attempts worked; {}", thousands(worked), tally.all(), diagnosis.sentence);
    diagnosis.id = UNDETERMINED.id;
    diagnosis
}
