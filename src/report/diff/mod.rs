//! `--diff`: what differs between two captures, message by message. The engine works on facts of two analyses: which
//! conversations there are, and what was said in them.

mod align;
mod draw;
mod facts;
mod ike_words;
mod json;
mod pairs;
mod sentence;
mod talk;
mod words;

use crate::analysis::Analysis;

use super::Report;

/// What could not be compared, at most so many sentences.
const MOST_NOTES: usize = 8;

pub use draw::write;
pub use json::write as write_json;

/// What differs, in the order of time.
#[derive(Debug)]
pub struct Diff {
    pub(super) pairs: Vec<Pair>,
    divergences: Vec<Divergence>,
    /// What cannot be compared, and what the captures cannot show: a sentence each.
    notes: Vec<String>,
}

/// Two conversations, one of each capture; or one that is in one of them only.
#[derive(Debug)]
pub(super) struct Pair {
    ids: [Option<String>; 2],
    /// Their messages beside each other.
    events: Vec<Event>,
}

/// A message, here, there, or in both.
#[derive(Debug)]
struct Event {
    /// Its packet in each.
    packets: [Option<u64>; 2],
    /// Its name in each.
    names: [Option<String>; 2],
    /// Who sends it.
    who: String,
    /// The index of its divergence; `None` if it is alike, or if the captures explain what differs.
    divergence: Option<usize>,
    /// Where it stands in time.
    key: Key,
}

/// Where something stands in time: the packet here, and what is only there behind the last packet before it that
/// both have.
type Key = (u64, u8, u64);

/// One difference.
#[derive(Debug)]
pub(super) struct Divergence {
    kind: DivergenceKind,
    /// The conversation, here and there.
    ids: [Option<String>; 2],
    /// Who sends what differs.
    who: String,
    packets: [Option<u64>; 2],
    names: [Option<String>; 2],
    fields: Vec<FieldDiff>,
    sentence: String,
    /// What could explain it beside the peers: how the capture was made.
    excuse: Option<String>,
    key: Key,
}

/// A field whose value differs. `None`: it is not there; empty: it is there.
#[derive(Debug)]
struct FieldDiff {
    name: String,
    values: [Option<String>; 2],
    identity: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DivergenceKind {
    /// The same message says other things.
    Fields,
    /// The same, of fields that only say who the sender is.
    Identity,
    /// A message is in one capture only.
    Message,
    /// One message came instead of another.
    Instead,
    /// A message that is never answered in one capture.
    Unanswered,
    /// A whole conversation is in one capture only, beside others of its kind that are in both.
    More,
    /// What facts beside messages show: ESP, ICMP, data.
    Fact,
}

impl DivergenceKind {
    fn name(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Identity => "identity",
            Self::Message => "message",
            Self::Instead => "instead",
            Self::Unanswered => "unanswered",
            Self::More => "more",
            Self::Fact => "fact",
        }
    }

    /// Whether the course of things differs, not only what is said in it.
    fn turns(self) -> bool {
        matches!(self, Self::Message | Self::Instead | Self::Unanswered | Self::Fact)
    }
}

impl Diff {
    /// Compares two captures whose analyses have transcripts.
    pub fn of(here: &Report<'_>, there: &Report<'_>) -> Self {
        Self::between(here.analysis, there.analysis)
    }

    /// The same of two analyses.
    pub fn between(here: &Analysis, there: &Analysis) -> Self {
        let mut diff = pairs::compare(here, there);
        diff.divergences.extend(facts::compare(here, there));
        diff.excuse();
        diff.sort();
        diff
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.divergences.is_empty()
    }

    /// Every difference in words, in the order of time.
    pub fn sentences(&self) -> Vec<&str> {
        self.divergences.iter().map(|divergence| divergence.sentence.as_str()).collect()
    }

    /// What the captures explain is no difference, unless another one came before: then it follows from that.
    fn excuse(&mut self) {
        let real = self
            .divergences
            .iter()
            .filter(|one| one.excuse.is_none() && one.kind != DivergenceKind::Identity);
        let first = real.map(|one| one.key).min();
        let excused = |one: &Divergence| one.excuse.is_some() && first.is_none_or(|first| one.key < first);
        let mut kept = Vec::new();
        let mut places = Vec::new();
        let mut notes = Vec::new();
        for mut divergence in std::mem::take(&mut self.divergences) {
            if excused(&divergence) {
                notes.extend(divergence.excuse.take());
                places.push(None);
            } else {
                places.push(Some(kept.len()));
                kept.push(divergence);
            }
        }
        self.divergences = kept;
        for event in self.pairs.iter_mut().flat_map(|pair| &mut pair.events) {
            event.divergence = event.divergence.and_then(|old| places.get(old).copied().flatten());
        }
        for note in notes {
            self.note(&note);
        }
    }

    fn note(&mut self, note: &str) {
        let mut characters = note.chars();
        let note: String =
            characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
        if !self.notes.contains(&note) && self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }

    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.divergences.len()).collect();
        order.sort_by_key(|at| self.divergences.get(*at).map(|divergence| divergence.key));
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(*old) {
                *place = new;
            }
        }
        for event in self.pairs.iter_mut().flat_map(|pair| &mut pair.events) {
            event.divergence = event.divergence.and_then(|old| place.get(old).copied());
        }
        self.divergences.sort_by_key(|divergence| divergence.key);
    }

    /// The difference that comes first. Who somebody is comes first only if nothing else differs, and so does what one
    /// capture has more of.
    fn first(&self) -> Option<&Divergence> {
        let small = |divergence: &&Divergence| {
            !matches!(divergence.kind, DivergenceKind::Identity | DivergenceKind::More)
        };
        self.divergences.iter().find(small).or_else(|| self.divergences.first())
    }

    /// Where the course of things first parts, if the first difference is only in what is said; of a message that is
    /// never answered, what else is seen of that.
    fn then(&self) -> Option<&Divergence> {
        let first = self.first()?;
        let mut later =
            self.divergences.iter().filter(|one| one.key >= first.key && !std::ptr::eq(*one, first));
        match first.kind {
            DivergenceKind::Fields => later.find(|one| one.kind.turns()),
            DivergenceKind::Unanswered => later.find(|one| {
                matches!(one.kind, DivergenceKind::Fact | DivergenceKind::Instead | DivergenceKind::Fields)
            }),
            DivergenceKind::Message => later.find(|one| one.kind == DivergenceKind::Fact),
            _ => None,
        }
    }
}
