//! Folding of long ladders: the beginning, the end, and what tells most between them stay.

use std::cmp::Reverse;
use std::ops::Range;

use crate::rules::Severity;

use super::line::Line;

/// Lines of one ladder in the summary.
pub(super) const MOST_LINES: usize = 40;
/// Lines that stay at the beginning: the set-up.
const HEAD: usize = 22;
/// Telling lines that stay between beginning and end.
const MIDDLE: usize = 4;
/// Lines that stay at the end, where `middle` telling lines do, with a fold before and behind each.
const fn tail(middle: usize) -> usize {
    MOST_LINES - HEAD - 2 * middle - 1
}

/// What is drawn.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Line(&'a Line),
    /// So many lines are not shown.
    Fold(usize),
}

/// The lines, all if they are no more than `most`.
pub(super) fn folded(lines: &[Line], most: usize) -> Vec<Part<'_>> {
    if lines.len() <= most {
        return lines.iter().map(Part::Line).collect();
    }
    let telling = telling(lines, &(HEAD..lines.len().saturating_sub(tail(MIDDLE))));
    let middle = HEAD..lines.len().saturating_sub(tail(telling.len()));
    let mut parts = Vec::new();
    let mut hidden = 0;
    for (at, line) in lines.iter().enumerate() {
        if middle.contains(&at) && !telling.contains(&at) {
            hidden += 1;
            continue;
        }
        match hidden {
            0 => {}
            1 => parts.extend(lines.get(at - 1).map(Part::Line)),
            n => parts.push(Part::Fold(n)),
        }
        hidden = 0;
        parts.push(Part::Line(line));
    }
    parts
}

/// The lines of the middle that stay: what is broken, the worst first, then what was established or closed, unless that
/// happens all the time.
fn telling(lines: &[Line], middle: &Range<usize>) -> Vec<usize> {
    let inside = || lines.iter().enumerate().filter(|(at, _)| middle.contains(at));
    let severity = |line: &Line| line.mark.map(|mark| mark.severity).filter(|s| *s >= Severity::Warning);
    let mut broken: Vec<(Reverse<Severity>, usize)> =
        inside().filter_map(|(at, line)| Some((Reverse(severity(line)?), at))).collect();
    broken.sort_unstable();
    let mut kept: Vec<usize> = broken.into_iter().map(|(_, at)| at).take(MIDDLE).collect();
    let turns = inside().filter(|(at, line)| line.turn && !kept.contains(at)).map(|(at, _)| at);
    let turns: Vec<usize> = turns.collect();
    if kept.len() + turns.len() <= MIDDLE {
        kept.extend(turns);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ladder::line::Body;
    use crate::report::ladder::marks::Mark;

    fn line(at: usize) -> Line {
        Line {
            packets: at.to_string(),
            time: String::new(),
            body: Body::Text(String::new()),
            effect: String::new(),
            mark: None,
            turn: false,
        }
    }

    fn text(parts: &[Part<'_>]) -> Vec<String> {
        parts
            .iter()
            .map(|part| match part {
                Part::Line(line) => line.packets.clone(),
                Part::Fold(n) => format!("+{n}"),
            })
            .collect()
    }

    #[test]
    fn a_short_ladder_stays_whole() {
        let lines: Vec<Line> = (0..40).map(line).collect();
        assert_eq!(folded(&lines, MOST_LINES).len(), 40);
        assert_eq!(folded(&lines, usize::MAX).len(), 40);
    }

    #[test]
    fn beginning_end_and_what_is_broken_between_stay() {
        let mut lines: Vec<Line> = (0..100).map(line).collect();
        lines[50].mark = Some(Mark { rule: "seq-gap", severity: Severity::Error });
        lines[52].turn = true;
        let parts = text(&folded(&lines, MOST_LINES));
        assert_eq!(parts[21..28], ["21", "+28", "50", "51", "52", "+34", "87"]);
        assert_eq!(parts.last().map(String::as_str), Some("99"));
    }

    #[test]
    fn what_happens_all_the_time_is_folded() {
        let mut lines: Vec<Line> = (0..100).map(line).collect();
        for at in (0..100).step_by(2) {
            lines[at].turn = true;
        }
        assert_eq!(text(&folded(&lines, MOST_LINES))[21..24], ["21", "+61", "83"]);
    }

    #[test]
    fn never_too_long() {
        for total in 41..200 {
            let mut lines: Vec<Line> = (0..total).map(line).collect();
            for at in (0..total).step_by(3) {
                lines[at].mark = Some(Mark { rule: "seq-gap", severity: Severity::Error });
            }
            assert!(folded(&lines, MOST_LINES).len() <= MOST_LINES, "{total}");
        }
    }
}
