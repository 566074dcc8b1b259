//! The verdict on the screen: the sentence with its advice, the line of stages, and of several attempts the groups that
//! did not simply work.

use crate::rules::Verdict;
use crate::rules::diagnosis::{Diagnosis, Outcome, Stage, Stages};
use crate::rules::words::{some, thousands};

use super::style::{Style, Tone};
use super::table::{Column, table};

const GROUP_COLUMNS: &[Column] = &[
    Column::always("Verdict"),
    Column::always("Cause"),
    Column::total("Attempts"),
    Column::always("For example"),
    Column::words("Users"),
    Column::words("From"),
];

/// Groups on the screen; JSON has all.
const MOST_GROUPS: usize = 10;

pub(super) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Healthy => Tone::Good,
        Verdict::Degraded => Tone::Odd,
        Verdict::Broken => Tone::Bad,
        Verdict::Undecided => Tone::Note,
    }
}

/// The sentence and the advice, in lines of the width.
pub(super) fn sentence(diagnosis: &Diagnosis, style: &Style) -> String {
    let word = diagnosis.verdict.word();
    let plain = style.hang("", 2, &format!("{word}: {}", diagnosis.sentence));
    let mut out = plain.replacen(word, &style.paint(tone(diagnosis.verdict), word), 1);
    if let Some(advice) = &diagnosis.advice {
        out.push('\n');
        out += &style.hang("", 2, &format!("{} {advice}", style.pick("→", "->")));
    }
    out
}

/// How far the only attempt came; nothing of several.
pub(super) fn stages(diagnosis: &Diagnosis, style: &Style) -> Option<String> {
    let stages = diagnosis.stages.as_ref()?;
    let words = words(stages, style);
    (words.len() > 1).then(|| {
        let mut lines = vec![String::from(" ")];
        let mut width = 1;
        for (plain, painted) in words {
            let long = unicode_width::UnicodeWidthStr::width(plain.as_str());
            if width + 2 + long > style.width {
                lines.push(String::from(" "));
                width = 1;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(if line.len() > 1 { "  " } else { " " });
                line.push_str(&painted);
            }
            width += 2 + long;
        }
        lines.join("\n")
    })
}

/// Each stage that is needed, plain and painted.
fn words(stages: &Stages, style: &Style) -> Vec<(String, String)> {
    // That anything came back goes without saying.
    let shown =
        stages.iter().filter(|(stage, outcome)| *stage != Stage::Path || outcome.diagnosis().is_some());
    let each = shown.filter_map(|(stage, outcome)| {
        let (mark, tone) = match outcome {
            Outcome::Proved => (style.pick("✔", "ok"), Some(Tone::Good)),
            Outcome::Degraded(_) => (style.pick("!", "!"), Some(Tone::Odd)),
            Outcome::Unproved(_) => (style.pick("?", "?"), Some(Tone::Note)),
            Outcome::Failed(_) => (style.pick("✘", "FAILED"), Some(Tone::Bad)),
            Outcome::NotReached => (style.pick("·", "-"), None),
            Outcome::NotNeeded => return None,
        };
        let cause = match outcome {
            Outcome::Degraded(why) | Outcome::Failed(why) => format!(" {}", why.id),
            _ => String::new(),
        };
        let plain = format!("{} {mark}{cause}", stage.word());
        let painted = match tone {
            Some(tone) => format!("{} {}{cause}", stage.word(), style.paint(tone, mark)),
            None => plain.clone(),
        };
        Some((plain, painted))
    });
    each.collect()
}

/// Attempts that did not simply work, those of one cause in one row.
pub(super) fn groups(diagnosis: &Diagnosis, style: &Style) -> String {
    let rows: Vec<Vec<String>> = diagnosis
        .groups
        .iter()
        .take(MOST_GROUPS)
        .map(|group| {
            vec![
                String::from(group.verdict.word()),
                String::from(group.id),
                thousands(group.count),
                some(group.examples.iter().cloned()),
                some(group.users.iter().cloned()),
                some(group.peers.iter().map(ToString::to_string)),
            ]
        })
        .collect();
    if diagnosis.counts.is_none() {
        return String::new();
    }
    table(
        style,
        "What did not simply work",
        GROUP_COLUMNS,
        &rows,
        diagnosis.groups.len().saturating_sub(MOST_GROUPS),
    )
}
