//! Aligns what one end said in two captures.

use super::words::Utterance;

/// Messages of one end in one lane that are aligned.
pub(super) const MOST: usize = 128;

/// One place of an alignment: the index here, there, or both.
pub(super) type Place = [Option<usize>; 2];

/// The alignment with the highest score: alike counts most, the same message with other fields less, and only messages
/// of the same name stand beside each other. What is left over on both sides at the same place stands beside each
/// other once: one came instead of the other.
pub(super) fn align(here: &[&Utterance], there: &[&Utterance]) -> Vec<Place> {
    let (here, there) = (here.get(..MOST).unwrap_or(here), there.get(..MOST).unwrap_or(there));
    let columns = there.len() + 1;
    // best[i][j]: the score of what follows index i here and j there.
    let mut best = vec![0u32; (here.len() + 1) * columns];
    let at = |i: usize, j: usize| i * columns + j;
    let value = |best: &[u32], i, j| best.get(at(i, j)).copied().unwrap_or(0);
    for (i, a) in here.iter().enumerate().rev() {
        for (j, b) in there.iter().enumerate().rev() {
            let skip = value(&best, i + 1, j).max(value(&best, i, j + 1));
            let pair = score(a, b).map_or(0, |score| score + value(&best, i + 1, j + 1));
            if let Some(place) = best.get_mut(at(i, j)) {
                *place = skip.max(pair);
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while let (Some(a), Some(b)) = (here.get(i), there.get(j)) {
        let now = value(&best, i, j);
        if score(a, b).is_some_and(|score| score + value(&best, i + 1, j + 1) == now) {
            out.push([Some(i), Some(j)]);
            (i, j) = (i + 1, j + 1);
        } else if value(&best, i + 1, j) == now {
            out.push([Some(i), None]);
            i += 1;
        } else {
            out.push([None, Some(j)]);
            j += 1;
        }
    }
    out.extend((i..here.len()).map(|i| [Some(i), None]));
    out.extend((j..there.len()).map(|j| [None, Some(j)]));
    instead(out)
}

fn score(a: &Utterance, b: &Utterance) -> Option<u32> {
    if a.name != b.name {
        return None;
    }
    if a.fields == b.fields {
        return Some(100);
    }
    if a.closes {
        return None;
    }
    let shared = a.fields.iter().filter(|field| b.fields.contains(field)).count();
    let most = a.fields.len().max(b.fields.len()).max(1);
    Some(50 + u32::try_from(40 * shared / most).unwrap_or(0))
}

/// In each run of places that have one side only, the first of each side becomes one place.
fn instead(places: Vec<Place>) -> Vec<Place> {
    let mut out: Vec<Place> = Vec::new();
    let mut run: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    let close = |run: &mut [Vec<usize>; 2], out: &mut Vec<Place>| {
        let [here, there] = std::mem::take(run);
        let both = usize::from(!here.is_empty() && !there.is_empty());
        out.extend(here.first().zip(there.first()).map(|(i, j)| [Some(*i), Some(*j)]));
        out.extend(here.iter().skip(both).map(|i| [Some(*i), None]));
        out.extend(there.iter().skip(both).map(|j| [None, Some(*j)]));
    };
    for place in places {
        match place {
            [Some(i), None] => run[0].push(i),
            [None, Some(j)] => run[1].push(j),
            both => {
                close(&mut run, &mut out);
                out.push(both);
            }
        }
    }
    close(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::diff::words::Field;

    fn said(name: &str, value: &str) -> Utterance {
        let field = Field { name: String::from("f"), value: value.to_owned(), shown: None, identity: false };
        Utterance {
            name: name.to_owned(),
            lane: 0,
            fields: vec![field],
            closes: false,
            ends: false,
            partial: false,
        }
    }

    fn places(here: &[(&str, &str)], there: &[(&str, &str)]) -> Vec<Place> {
        let [here, there] =
            [here, there].map(|list| list.iter().map(|(name, value)| said(name, value)).collect::<Vec<_>>());
        align(&here.iter().collect::<Vec<_>>(), &there.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_alike_stands_beside_each_other() {
        let list = [("a", "1"), ("b", "1"), ("a", "2")];
        assert_eq!(places(&list, &list), [[Some(0), Some(0)], [Some(1), Some(1)], [Some(2), Some(2)]]);
        assert_eq!(places(&[("a", "2")], &list), [[None, Some(0)], [None, Some(1)], [Some(0), Some(2)]]);
        assert_eq!(places(&[], &[]), [] as [Place; 0]);
    }

    #[test]
    fn other_fields_are_no_other_message() {
        assert_eq!(places(&[("a", "1")], &[("a", "2")]), [[Some(0), Some(0)]]);
    }

    #[test]
    fn one_came_instead_of_another() {
        let found = places(&[("a", "1"), ("x", "1")], &[("a", "1"), ("b", "1"), ("c", "1")]);
        assert_eq!(found, [[Some(0), Some(0)], [Some(1), Some(1)], [None, Some(2)]]);
    }

    #[test]
    fn more_than_the_limit_is_cut() {
        let many: Vec<(&str, &str)> = (0..200).map(|_| ("a", "1")).collect();
        assert_eq!(places(&many, &many).len(), MOST);
    }
}
