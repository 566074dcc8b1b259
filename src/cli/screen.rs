//! What the terminal can show: width, characters, colour.

use std::io::IsTerminal as _;

use crate::report::style::Style;

use super::args::{Args, Color};

/// Columns where nothing says how many there are.
const DEFAULT_WIDTH: usize = 100;
/// The screens are drawn for this many columns at the most.
const MOST_WIDTH: usize = 200;

/// Decides once how text is drawn.
pub(super) fn style(args: &Args) -> Style {
    let terminal =
        terminal_size::terminal_size().map(|(width, _)| usize::from(width.0).clamp(40, MOST_WIDTH));
    let on_terminal = std::io::stdout().is_terminal();
    let width = args.width.map(usize::from).or(terminal.filter(|_| on_terminal)).unwrap_or(DEFAULT_WIDTH);
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => on_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    Style { width, ascii: args.ascii || !utf8(), color }
}

/// Whether the locale writes UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides. Where none is set (as
/// in many containers) UTF-8 is taken for granted.
fn utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    set.is_none_or(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}
