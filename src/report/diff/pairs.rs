//! Conversations of two captures beside each other, and what differs in them.

use std::collections::BTreeSet;

use crate::analysis::Analysis;
use crate::analysis::control::connection::Role;
use crate::analysis::limits::Limit;
use crate::analysis::log::Observation;
use crate::analysis::log::query::Scope;
use crate::rules::words::count;
use crate::util::{Duration, Timestamp};

use super::align::{MOST, align};
use super::talk::{Line, Talk, talks};
use super::words::{Field, Utterance};
use super::{Diff, Divergence, DivergenceKind, Event, FieldDiff, Key, Pair, sentence};

/// Behind all packets.
const LAST: u64 = u64::MAX - 2;
/// Conversations of one kind that are compared.
const MOST_PAIRS: usize = 256;

/// A capture as far as it explains what is missing in it.
struct Side<'a> {
    analysis: &'a Analysis,
    end: Timestamp,
    /// How it is called.
    word: &'static str,
}

impl Side<'_> {
    /// What of the capture could not be read and may hold what is missing.
    fn unseen(&self, l2tp: bool) -> Option<String> {
        let sealed: u64 = self.analysis.flows.iter().map(|flow| flow.no_key).sum();
        if l2tp && sealed > 0 {
            let packets = count(sealed, "ESP packet");
            return Some(format!(
                "{} has {packets} without a key: what is missing may be in them.",
                self.word
            ));
        }
        let cut = self.analysis.observed(Observation::Truncated, Scope::default())?.count;
        let packets = count(cut, "packet");
        Some(format!("{} has {packets} cut by a snap length: what is missing may be in them.", self.word))
    }
}

/// What is compared, and what came of it so far.
struct Work<'a> {
    sides: [Side<'a>; 2],
    diff: Diff,
    /// Packets that both have: here and there, with their times.
    matched: Vec<Matched>,
}

#[derive(Clone, Copy)]
pub(super) struct Matched {
    pub packets: [u64; 2],
    times: [Timestamp; 2],
    pub copies: [u32; 2],
}

/// Compares what is said in two captures.
pub(super) fn compare(here: &Analysis, there: &Analysis) -> Diff {
    let side = |analysis, word| Side { analysis, end: end(analysis), word };
    let mut work = Work {
        sides: [side(here, "this capture"), side(there, "the other one")],
        diff: Diff { pairs: Vec::new(), divergences: Vec::new(), notes: Vec::new() },
        matched: Vec::new(),
    };
    let [ike_here, connections_here] = talks(here);
    let [ike_there, connections_there] = talks(there);
    // Hosts that never speak IKE where the other capture does, and have ESP: the keys are older than the capture.
    let lacks = [ike_here.is_empty(), ike_there.is_empty()];
    if lacks[0] == lacks[1] || !work.explains_lack_of_ike(usize::from(lacks[1])) {
        work.list(&ike_here, &ike_there);
    }
    work.list(&connections_here, &connections_there);
    work.limits();
    work.diff
}

fn end(analysis: &Analysis) -> Timestamp {
    analysis.totals.last.unwrap_or(Timestamp(0))
}

impl<'a> Work<'a> {
    fn explains_lack_of_ike(&mut self, side: usize) -> bool {
        let Some(lacking) = self.sides.get(side) else { return false };
        let (totals, flows) = (&lacking.analysis.totals, &lacking.analysis.flows);
        let note = if !flows.is_empty() {
            format!("{} has no IKE messages, but ESP: IKE is not compared.", lacking.word)
        } else if totals.l2tp > 0 {
            format!("{} has L2TP in the clear, without IKE and ESP: IKE is not compared.", lacking.word)
        } else {
            return false;
        };
        self.note(note);
        true
    }

    fn note(&mut self, note: String) {
        self.diff.note(&note);
    }

    fn limits(&mut self) {
        for side in [0, 1] {
            let Some(one) = self.sides.get(side) else { continue };
            let word = one.word;
            if one.analysis.reached.iter().any(|(limit, _)| matches!(limit, Limit::Said | Limit::Events)) {
                self.note(format!("{word} has more messages than are compared."));
            }
        }
    }

    /// Conversations in their order: the first with the first, and so on.
    fn list(&mut self, here: &[Talk<'a>], there: &[Talk<'a>]) {
        let most = here.len().max(there.len());
        if most > MOST_PAIRS {
            self.note(format!("Only the first {MOST_PAIRS} of {most} conversations are compared."));
        }
        for at in 0..most.min(MOST_PAIRS) {
            match (here.get(at), there.get(at)) {
                (Some(a), Some(b)) => {
                    self.both(a, b);
                    self.list(&a.inner, &b.inner);
                }
                (Some(talk), None) => self.alone(0, talk, at > 0),
                (None, Some(talk)) => self.alone(1, talk, at > 0),
                (None, None) => {}
            }
        }
    }

    /// Which end of `b` stands where each end of `a` does, and how both are called.
    fn ends(a: &Talk<'_>, b: &Talk<'_>) -> ([usize; 2], [&'static str; 2]) {
        let (Some(one), Some(other)) = (a.connection, b.connection) else {
            return ([0, 1], ["initiator", "responder"]);
        };
        // Who began is who began; where a capture began later, the roles tell, if messages show them.
        let began = one.from_start && other.from_start || one.lac.is_none() || other.lac.is_none();
        let turned = !began && one.lac_end() != other.lac_end();
        if began && one.lac.zip(other.lac).is_some_and(|(lac, theirs)| lac != theirs) {
            return ([0, 1], ["initiator", "responder"]);
        }
        let named = if one.lac.is_some() { one } else { other };
        let role = |end: u8| match (named.version, named.role(end)) {
            (3, _) if end == 0 => "initiator",
            (3, _) => "responder",
            (_, Role::Lac) => "LAC",
            (_, Role::Lns) => "LNS",
        };
        let names = if std::ptr::eq(named, one) || !turned { [role(0), role(1)] } else { [role(1), role(0)] };
        (if turned { [1, 0] } else { [0, 1] }, names)
    }

    fn both(&mut self, a: &Talk<'_>, b: &Talk<'_>) {
        if a.cut || b.cut {
            self.note(format!("{} says more than is compared.", a.id));
        }
        let (turned, names) = Self::ends(a, b);
        let ids = [Some(a.id.clone()), Some(b.id.clone())];
        let lanes: BTreeSet<u16> = a.lines.iter().chain(&b.lines).map(|line| line.said.lane).collect();
        // Where both are is known of a whole conversation before what is missing in it is judged.
        let mut places = Vec::new();
        for end in [0usize, 1] {
            for lane in &lanes {
                let pick = |talk: &'_ Talk<'_>, from: usize| -> Vec<usize> {
                    let ours = |line: &Line| line.from == from && line.said.lane == *lane;
                    talk.lines.iter().enumerate().filter(|(_, line)| ours(line)).map(|(at, _)| at).collect()
                };
                let other = turned.get(end).copied().unwrap_or(end);
                let (here, there) = (pick(a, end), pick(b, other));
                let said = |talk: &'_ Talk<'_>, list: &[usize]| -> Vec<Utterance> {
                    list.iter().filter_map(|at| talk.lines.get(*at)).map(|line| line.said.clone()).collect()
                };
                let (words_here, words_there) = (said(a, &here), said(b, &there));
                if here.len().max(there.len()) > MOST {
                    self.note(format!(
                        "Only the first {MOST} messages of each end in {} are compared.",
                        a.id
                    ));
                }
                let aligned =
                    align(&words_here.iter().collect::<Vec<_>>(), &words_there.iter().collect::<Vec<_>>());
                for [i, j] in aligned {
                    let line = |talk: &'_ Talk<'_>, list: &[usize], at: Option<usize>| {
                        at.and_then(|at| list.get(at)).filter(|at| talk.lines.get(**at).is_some()).copied()
                    };
                    places.push((end, [line(a, &here, i), line(b, &there, j)]));
                }
            }
        }
        let lines = |place: &[Option<usize>; 2]| {
            let [i, j] = *place;
            [i.and_then(|i| a.lines.get(i)), j.and_then(|j| b.lines.get(j))]
        };
        let start = self.matched.len();
        for (_, place) in &places {
            if let [Some(x), Some(y)] = lines(place) {
                self.matched.push(Matched {
                    packets: [x.packet, y.packet],
                    times: [x.time, y.time],
                    copies: [x.copies, y.copies],
                });
            }
        }
        let own: Vec<Matched> = self.matched.get(start..).unwrap_or_default().to_vec();
        let mut events = Vec::new();
        for (end, place) in &places {
            let who = names.get(*end).copied().unwrap_or("");
            let event = self.event(&ids, who, lines(place), [a, b], &own);
            events.push(event);
        }
        events.sort_by_key(|event| event.key);
        self.diff.pairs.push(Pair { ids, events });
    }

    fn event(
        &mut self,
        ids: &[Option<String>; 2],
        who: &str,
        lines: [Option<&Line>; 2],
        talks: [&Talk<'_>; 2],
        own: &[Matched],
    ) -> Event {
        let packets = lines.map(|line| line.map(|line| line.packet));
        let names = lines.map(|line| line.map(|line| line.said.name.clone()));
        let key = self.key(lines, own);
        let fields = match lines {
            [Some(a), Some(b)] if a.said.name == b.said.name => differing(&a.said, &b.said),
            [Some(line), None] | [None, Some(line)] => shown(&line.said, usize::from(packets[0].is_none())),
            [Some(a), Some(b)] => [shown(&a.said, 0), shown(&b.said, 1)].into_iter().flatten().collect(),
            _ => Vec::new(),
        };
        let kind = match &names {
            [Some(a), Some(b)] if a == b => match fields.iter().all(|field| field.identity) {
                _ if fields.is_empty() => None,
                true => Some(DivergenceKind::Identity),
                false => Some(DivergenceKind::Fields),
            },
            [Some(_), Some(_)] => Some(DivergenceKind::Instead),
            _ => Some(DivergenceKind::Message),
        };
        let excuse = match &names {
            [Some(_), None] => self.explained(1, lines, talks, own),
            [None, Some(_)] => self.explained(0, lines, talks, own),
            _ => None,
        };
        let divergence = kind.map(|kind| {
            let after = self.before(lines, own);
            let mut divergence = Divergence {
                kind,
                ids: ids.clone(),
                who: who.to_owned(),
                packets,
                names: names.clone(),
                fields,
                sentence: String::new(),
                excuse,
                key,
            };
            divergence.sentence = sentence::of(&divergence, after.as_ref());
            self.diff.divergences.push(divergence);
            self.diff.divergences.len() - 1
        });
        Event { packets, names, who: who.to_owned(), divergence, key }
    }

    /// The last packet that both have before a message that only one has: in the same conversation, else in any.
    fn before(&self, lines: [Option<&Line>; 2], own: &[Matched]) -> Option<Matched> {
        let (side, line) = match lines {
            [Some(line), None] => (0, line),
            [None, Some(line)] => (1, line),
            _ => return None,
        };
        let at = |matched: &Matched| matched.packets.get(side).copied().unwrap_or(0);
        let last = |list: &[Matched]| {
            list.iter().filter(|matched| at(matched) < line.packet).max_by_key(|matched| at(matched)).copied()
        };
        last(own).or_else(|| last(&self.matched))
    }

    fn key(&self, lines: [Option<&Line>; 2], own: &[Matched]) -> Key {
        match lines {
            [Some(line), other] => (line.packet, 0, other.map_or(0, |line| line.packet)),
            // When a conversation ends is for its users to say: that one did not yet, comes last.
            [None, Some(line)] if line.said.ends => (LAST, 1, line.packet),
            [None, Some(line)] => {
                let before = self.before(lines, own).map_or(0, |matched| matched.packets[0]);
                (before, 1, line.packet)
            }
            [None, None] => (0, 0, 0),
        }
    }

    /// Whether what `side` lacks is explained by how it was captured: it began later, or ended before.
    fn explained(
        &self,
        side: usize,
        lines: [Option<&Line>; 2],
        talks: [&Talk<'_>; 2],
        own: &[Matched],
    ) -> Option<String> {
        let line = lines.iter().flatten().next()?;
        let (lacking, talk) = self.sides.get(side).zip(talks.get(side))?;
        let (word, id) = (lacking.word, talk.id.clone());
        let left =
            |matched: &Matched| lacking.end.since(matched.times.get(side).copied().unwrap_or(lacking.end));
        let before = self.before(lines, own);
        let first = own.iter().filter_map(|matched| matched.packets.get(1 - side)).min();
        if !talk.from_start && first.is_none_or(|first| line.packet < *first) {
            return Some(format!(
                "{word} begins after the start of {id}: what came before cannot be compared."
            ));
        }
        if talk.connection.is_some_and(lost_way) {
            return Some(format!("{word} has the packets of one end of {id} only."));
        }
        if let Some(unseen) = lacking.unseen(talk.connection.is_some()) {
            return Some(unseen);
        }
        let before = before?;
        let waited = line.time.since(before.times.get(1 - side).copied().unwrap_or(line.time));
        let left = left(&before);
        too_early(left, waited).then(|| {
            format!(
                "{word} ends {:.1} s after packet {}: too early to show whether {id} would go on with {}.",
                left.as_seconds(),
                before.packets.get(side).copied().unwrap_or(0),
                line.said.name
            )
        })
    }

    /// A conversation that one capture has and the other has not.
    fn alone(&mut self, side: usize, talk: &Talk<'_>, more: bool) {
        let Some(line) = talk.first() else { return };
        let lines = if side == 0 { [Some(line), None] } else { [None, Some(line)] };
        let lacks = 1 - side;
        let key = self.key(lines, &[]);
        let before = self.before(lines, &[]);
        let unseen = self.sides.get(lacks).and_then(|lacking| lacking.unseen(talk.connection.is_some()));
        let early = self.sides.get(lacks).zip(self.sides.get(side)).and_then(|(lacking, having)| {
            // Without a message that both have: from the first packet on.
            let since = |one: &Side<'_>, at: usize| {
                let first = one.analysis.totals.first.unwrap_or(one.end);
                before.and_then(|before| before.times.get(at).copied()).unwrap_or(first)
            };
            let waited = line.time.since(since(having, side));
            let left = lacking.end.since(since(lacking, lacks));
            let note =
                || format!("{} ends too early to show whether there would be {}.", lacking.word, talk.id);
            too_early(left, waited).then(note)
        });
        let excuse = unseen.or(early);
        let (_, names) = Self::ends(talk, talk);
        let who = names.get(line.from).copied().unwrap_or("");
        let mut packets = [None, None];
        let mut named = [None, None];
        let mut ids = [None, None];
        if let (Some(packet), Some(name), Some(id)) =
            (packets.get_mut(side), named.get_mut(side), ids.get_mut(side))
        {
            (*packet, *name, *id) = (Some(line.packet), Some(line.said.name.clone()), Some(talk.id.clone()));
        }
        let kind = if more { DivergenceKind::More } else { DivergenceKind::Message };
        let mut divergence = Divergence {
            kind,
            ids: ids.clone(),
            who: who.to_owned(),
            packets,
            names: named.clone(),
            fields: Vec::new(),
            sentence: String::new(),
            excuse,
            key,
        };
        divergence.sentence = sentence::alone(&divergence, &talk.id);
        self.diff.divergences.push(divergence);
        let divergence = Some(self.diff.divergences.len() - 1);
        let event = Event { packets, names: named, who: who.to_owned(), divergence, key };
        self.diff.pairs.push(Pair { ids, events: vec![event] });
    }
}

/// As long as it took in the other capture, twice over and a second more: after that it did not come.
fn too_early(left: Duration, waited: Duration) -> bool {
    left.0 <= waited.0.max(0).saturating_mul(2).saturating_add(Duration::seconds(1).0)
}

/// Packets of one end only, though it was answered: the capture lacks the other way.
pub(super) fn lost_way(connection: &crate::analysis::control::connection::Connection) -> bool {
    connection.one_way()
        && (connection.was_established
            || connection.ends.iter().any(|end| end.delivery.acknowledged.is_some_and(|nr| nr.0 > 0)))
}

/// The fields of a message that only one capture has, as far as they tell something.
fn shown(said: &Utterance, side: usize) -> Vec<FieldDiff> {
    let telling = ["Result Code", "Message", "Rejected-Protocol", "deletes", "PPP Disconnect Cause Code"];
    let kept = said.fields.iter().filter(|field| telling.contains(&field.name.as_str()));
    kept.map(|field| {
        let mut values = [None, None];
        if let Some(value) = values.get_mut(side) {
            *value = Some(field.value.clone());
        }
        FieldDiff { name: field.name.clone(), values, identity: false }
    })
    .collect()
}

/// The fields of two messages of one name that differ.
fn differing(a: &Utterance, b: &Utterance) -> Vec<FieldDiff> {
    let mut names: Vec<&str> = Vec::new();
    for field in a.fields.iter().chain(&b.fields) {
        if !names.contains(&field.name.as_str()) {
            names.push(&field.name);
        }
    }
    let of = |said: &Utterance, name: &str, text: fn(&Field) -> &str| -> Option<String> {
        let values: Vec<&str> = said.fields.iter().filter(|field| field.name == name).map(text).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let identity =
        |name: &str| a.fields.iter().chain(&b.fields).any(|field| field.name == name && field.identity);
    let partial = [a.partial, b.partial];
    names
        .into_iter()
        .filter_map(|name| {
            let values = [a, b].map(|said| of(said, name, |field| &field.value));
            let unread = values.iter().zip(partial).any(|(value, partial)| value.is_none() && partial);
            (values[0] != values[1] && !unread).then(|| {
                let values = [a, b].map(|said| of(said, name, Field::text));
                FieldDiff { name: name.to_owned(), identity: identity(name), values }
            })
        })
        .collect()
}
