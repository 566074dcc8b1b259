//! One table. Columns are sized here: comfy-table would split words.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use unicode_width::UnicodeWidthStr;

use crate::rules::words::thousands;

use super::style::Style;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    /// Its cells are numbers, and stand at its right end.
    number: bool,
    /// It may be left out in a narrow terminal. The last such column goes first.
    optional: bool,
}

impl Column {
    /// A column that names the row, or tells most about it: it stays.
    pub(super) const fn always(title: &'static str) -> Self {
        Self { title, number: false, optional: false }
    }

    /// Words that may be left out.
    pub(super) const fn words(title: &'static str) -> Self {
        Self { title, number: false, optional: true }
    }

    /// A number that tells most about the row: it stays.
    pub(super) const fn total(title: &'static str) -> Self {
        Self { title, number: true, optional: false }
    }

    /// A number that may be left out.
    pub(super) const fn number(title: &'static str) -> Self {
        Self { title, number: true, optional: true }
    }
}

/// Spaces between two columns, and where that makes columns fit, one less.
const GAP: usize = 3;
const NARROW_GAP: usize = 2;

/// A table under its title; nothing without rows. `more` rows are only counted.
pub(super) fn table(
    style: &Style,
    title: &str,
    columns: &[Column],
    rows: &[Vec<String>],
    more: usize,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| style.text(cell)).collect()).collect();
    let (kept, gap) = fit(style.width, columns, &rows);
    let rule = if style.ascii { '-' } else { '─' };
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill(rule)));
    table.set_content_arrangement(ContentArrangement::Disabled);
    let title_of = |at: usize| columns.get(at).map_or("", |column| column.title);
    table.set_header(kept.iter().map(|(at, room)| style.clip(title_of(*at), *room)));
    for row in &rows {
        table.add_row(
            kept.iter().map(|(at, room)| style.clip(row.get(*at).map_or("", String::as_str), *room)),
        );
    }
    let right = u16::try_from(gap - 1).unwrap_or(0);
    for (column, (at, _)) in table.column_iter_mut().zip(&kept) {
        column.set_padding((1, right));
        if columns.get(*at).is_some_and(|column| column.number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = format!("\n{title}\n");
    for line in table.lines() {
        out += line.trim_end();
        out.push('\n');
    }
    if more > 0 {
        let more = thousands(more as u64);
        out += &format!(" {} {more} more, -T json has all\n", style.pick("…", "..."));
    }
    out
}

/// Which columns stay and how wide each may be, and the gap between them.
fn fit(width: usize, columns: &[Column], rows: &[Vec<String>]) -> (Vec<(usize, usize)>, usize) {
    let widest = |at: usize| {
        let title = columns.get(at).map_or(0, |column| column.title.width());
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).fold(title, usize::max)
    };
    let mut kept: Vec<(usize, usize)> = (0..columns.len()).map(|at| (at, widest(at))).collect();
    let total = |kept: &[(usize, usize)], gap: usize| kept.iter().map(|(_, room)| room + gap).sum::<usize>();
    if total(&kept, GAP) <= width {
        return (kept, GAP);
    }
    while total(&kept, NARROW_GAP) > width {
        let optional = |(at, _): &(usize, usize)| columns.get(*at).is_some_and(|column| column.optional);
        let Some(at) = kept.iter().rposition(optional) else { break };
        kept.remove(at);
    }
    // What names the row stays, but two IPv6 addresses may have to be cut.
    while total(&kept, NARROW_GAP) > width {
        let Some(widest) = kept.iter_mut().max_by_key(|(_, room)| *room).filter(|(_, room)| *room > 6) else {
            break;
        };
        widest.1 -= 1;
    }
    (kept, NARROW_GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::always("ID"),
        Column::always("Name"),
        Column::words("Kind"),
        Column::number("Packets"),
        Column::always("PPP"),
    ];

    fn draw(width: usize) -> String {
        let row = ["T1", "lac.example.net", "incoming", "1,272", "MS-CHAPv2 failed"].map(String::from);
        table(&Style { width, ascii: true, color: false }, "Calls", COLUMNS, &[row.to_vec()], 0)
    }

    #[test]
    fn a_narrow_terminal_loses_columns_from_the_right_and_no_word_is_split() {
        for (width, titles) in [
            (80, " ID   Name              Kind       Packets   PPP"),
            (60, " ID  Name             Kind      Packets  PPP"),
            (55, " ID  Name             Kind      PPP"),
            (40, " ID  Name             PPP"),
            (24, " ID  Name      PPP"),
        ] {
            let text = draw(width);
            assert_eq!(text.lines().nth(2), Some(titles), "{text}");
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
            assert!(width < 45 || text.contains("MS-CHAPv2 failed"), "{text}");
        }
    }

    #[test]
    fn without_rows_there_is_no_table_and_rows_left_out_are_counted() {
        let style = Style { width: 80, ascii: false, color: false };
        assert_eq!(table(&style, "Calls", COLUMNS, &[], 0), "");
        let rows = [vec![String::from("T1")]];
        assert!(table(&style, "Calls", COLUMNS, &rows, 1312).ends_with(" … 1,312 more, -T json has all\n"));
    }
}
