//! The comparison as text: what differs first, then each conversation with its messages beside each other.

use std::io::{self, Write};

use crate::report::Report;
use crate::report::style::{Style, Tone};
use crate::report::summary;

use super::{Diff, DivergenceKind, Event, Pair, sentence};

/// Lines of one conversation.
const MOST_LINES: usize = 60;
/// Conversations that are drawn.
const MOST_DRAWN: usize = 20;
/// Messages in a row that only one capture has: more are folded.
const FOLDED: usize = 4;
/// Columns of a range of packet numbers, and where words begin.
const NUMBERS: usize = 9;
const WORDS: usize = 2 + 2 * (NUMBERS + 2);

/// Writes the whole comparison.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(diff: &Diff, reports: [&Report<'_>; 2], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let named = ["here:  ", "there: "].into_iter().zip(reports);
    for (word, report) in named.clone() {
        writeln!(out, "{}", style.hang(word, 7, &summary::first_line(report).join(" ")))?;
    }
    writeln!(out)?;
    let tone = if diff.is_empty() { Tone::Good } else { Tone::Bad };
    for (first, sentence) in diff.headline() {
        let text = style.hang("", 2, &format!("{first}{sentence}"));
        writeln!(out, "{}", text.replacen(first, &style.paint(tone, first), 1))?;
    }
    for note in &diff.notes {
        writeln!(out, "{}", style.hang("", 2, &format!("unsure: {note}")))?;
    }
    let differing = |pair: &&Pair| pair.events.iter().any(|event| event.divergence.is_some());
    for pair in diff.pairs.iter().filter(differing).take(MOST_DRAWN) {
        conversation(diff, pair, style, out)?;
    }
    beside(diff, style, out)?;
    if !diff.is_empty() {
        writeln!(out, "\n= alike   | differs   < only here   > only there   ? not comparable")?;
    }
    writeln!(out)?;
    for (word, report) in named {
        let diagnosis = report.diagnosis;
        let text = format!("{}: {}", diagnosis.verdict.word(), diagnosis.sentence);
        writeln!(out, "{}", style.hang(word, 7, &text))?;
    }
    Ok(())
}

fn beside(diff: &Diff, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let of_facts = |kind| matches!(kind, DivergenceKind::Fact | DivergenceKind::Unanswered);
    let mut facts = diff.divergences.iter().filter(|divergence| of_facts(divergence.kind)).peekable();
    if facts.peek().is_some() {
        writeln!(out, "\nBeside messages")?;
    }
    for fact in facts {
        writeln!(out, "{}", style.hang("| ", 4, &fact.sentence))?;
    }
    Ok(())
}

fn conversation(diff: &Diff, pair: &Pair, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let title = match &pair.ids {
        [Some(here), Some(there)] if here == there => here.clone(),
        [Some(here), Some(there)] => format!("{here} here, {there} there"),
        [Some(here), None] => format!("{here}, only here"),
        [None, Some(there)] => format!("{there}, only there"),
        [None, None] => String::new(),
    };
    let room = NUMBERS;
    writeln!(out, "\n{title}\n  {:>room$}  {:>room$}", "here", "there")?;
    let mut rest = pair.events.as_slice();
    let mut drawn = 0;
    while let Some(event) = rest.first() {
        if drawn >= MOST_LINES {
            writeln!(out, "  {} more, -T json has all", rest.len())?;
            break;
        }
        drawn += 1;
        let mark = mark(event);
        let same = rest.iter().take_while(|event| self::mark(event) == mark).count();
        let (run, others) = match mark {
            '=' | '?' => rest.split_at(same),
            '<' | '>' if same > FOLDED => rest.split_at(same),
            _ => rest.split_at(1),
        };
        let words = if run.len() > 1 { run_words(run) } else { words(diff, event) };
        line(style, mark, [span(run, 0), span(run, 1)], &words, out)?;
        rest = others;
    }
    Ok(())
}

fn mark(event: &Event) -> char {
    match (event.divergence, event.packets) {
        (None, [Some(_), Some(_)]) => '=',
        (None, _) => '?',
        (Some(_), [Some(_), Some(_)]) => '|',
        (Some(_), [Some(_), None]) => '<',
        (Some(_), _) => '>',
    }
}

fn line(style: &Style, mark: char, numbers: [String; 2], words: &str, out: &mut dyn Write) -> io::Result<()> {
    let [here, there] = numbers.map(|numbers| style.text(&numbers));
    let room = NUMBERS;
    let first = format!("{mark} {here:>room$}  {there:>room$}  ");
    let text = style.hang(&first, WORDS + 2, words);
    match text.split_at_checked(1) {
        Some((mark, rest)) if mark != "=" => writeln!(out, "{}{rest}", style.paint(Tone::Odd, mark)),
        _ => writeln!(out, "{text}"),
    }
}

/// The packets of a run of messages on one side.
fn span(run: &[Event], side: usize) -> String {
    let packets = || run.iter().filter_map(|event| event.packets.get(side).copied().flatten());
    match (packets().min(), packets().max()) {
        (Some(first), Some(last)) if first != last => format!("{first}–{last}"),
        (Some(first), _) => first.to_string(),
        _ => String::new(),
    }
}

/// `LAC SCCRQ, LNS SCCRP`; of many only how many, the first and the last.
fn run_words(run: &[Event]) -> String {
    let names: Vec<String> = run.iter().map(named).collect();
    match names.as_slice() {
        [first, .., last] if names.len() > FOLDED => format!("{} messages, {first} to {last}", names.len()),
        names => names.join(", "),
    }
}

fn named(event: &Event) -> String {
    let name = event.names.iter().flatten().next().map_or("", String::as_str);
    format!("{} {name}", event.who)
}

fn words(diff: &Diff, event: &Event) -> String {
    let Some(divergence) = event.divergence.and_then(|at| diff.divergences.get(at)) else {
        return named(event);
    };
    let who = &event.who;
    let says = |side| sentence::says(divergence, side);
    match (divergence.kind, &event.names) {
        (DivergenceKind::Fields | DivergenceKind::Identity, [Some(name), _]) => {
            format!("{who} {name}: {}", sentence::all_fields(&divergence.fields))
        }
        (_, [Some(here), Some(there)]) => {
            format!("{who} {here}{} here, {there}{} there", says(0), says(1))
        }
        (_, [Some(_), None]) => format!("{}{}", named(event), says(0)),
        (_, [None, Some(_)]) => format!("{}{}", named(event), says(1)),
        _ => divergence.sentence.clone(),
    }
}
