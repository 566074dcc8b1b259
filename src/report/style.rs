//! How text is drawn: width, characters, colour. Decided once, by the command line, and passed down.

use unicode_width::UnicodeWidthStr;

/// How text is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// ASCII characters only.
    pub ascii: bool,
    /// With colour. The text says the same without.
    pub color: bool,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tone {
    Bad,
    Odd,
    Note,
    Good,
    Arrow,
}

impl Style {
    /// `text` in the colour of `tone`, if there are colours.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        use anstyle::AnsiColor::{Blue, Cyan, Green, Red, Yellow};
        if !self.color {
            return text.to_owned();
        }
        let color = match tone {
            Tone::Bad => Red,
            Tone::Odd => Yellow,
            Tone::Note => Blue,
            Tone::Good => Green,
            Tone::Arrow => Cyan,
        };
        let style = anstyle::Style::new().fg_color(Some(color.into())).bold();
        format!("{style}{text}{style:#}")
    }

    /// `unicode`, or `ascii` where only that may be drawn.
    pub(super) fn pick(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }

    /// Text of others: outside ASCII, each character becomes `?` where only ASCII may be drawn.
    pub(super) fn text(&self, text: &str) -> String {
        if self.ascii && !text.is_ascii() {
            let plain = text.replace('…', "...").replace('–', "-").replace('×', "x");
            return plain.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        }
        text.to_owned()
    }

    /// `text`, cut to `columns` with an ellipsis.
    pub(super) fn clip(&self, text: &str, columns: usize) -> String {
        if text.width() <= columns {
            return text.to_owned();
        }
        let dots = self.pick("…", "...");
        let room = columns.saturating_sub(dots.width());
        let mut out = String::new();
        for c in text.chars() {
            if out.width() + UnicodeWidthStr::width(c.encode_utf8(&mut [0; 4]) as &str) > room {
                break;
            }
            out.push(c);
        }
        out.push_str(dots);
        out
    }

    /// `text`, cut to `columns` with an ellipsis behind a whole word, if there is one that fits.
    pub(super) fn clip_words(&self, text: &str, columns: usize) -> String {
        if text.width() <= columns {
            return text.to_owned();
        }
        let dots = self.pick(" …", " ...");
        let room = columns.saturating_sub(dots.width());
        let ends = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
        let fitting = ends.filter_map(|at| text.get(..at)).take_while(|words| words.width() <= room).last();
        match fitting {
            Some(words) => format!("{}{dots}", words.trim_end_matches([' ', ':', ','])),
            None => self.clip(text, columns),
        }
    }

    /// `text` in lines of the width, the first behind `first`, the others behind as many spaces.
    pub(super) fn wrap(&self, first: &str, text: &str) -> String {
        self.hang(first, first.width(), text)
    }

    /// Sentences in lines of the width, the first line flush. A sentence that does not fit into the rest of a line
    /// begins the next one, if it fits there.
    pub(super) fn flow(&self, sentences: &[String]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for sentence in sentences {
            let sentence = self.text(sentence);
            match lines.last_mut() {
                Some(line) if line.width() + 1 + sentence.width() <= self.width => {
                    line.push(' ');
                    line.push_str(&sentence);
                }
                Some(_) => lines.push(self.hang("  ", 2, &sentence)),
                None => lines.push(self.hang("", 2, &sentence)),
            }
        }
        lines.join("\n")
    }

    /// `text` in lines of the width, the first behind `first`, the others behind `indent` spaces.
    pub(super) fn hang(&self, first: &str, indent: usize, text: &str) -> String {
        let text = self.text(text);
        let mut out = first.to_owned();
        let mut column = first.width();
        let mut fresh = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let long = word.width();
            if !fresh && column + 1 + long > self.width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                (column, fresh) = (indent, true);
            }
            if !fresh {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += long;
            fresh = false;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words_with_a_hanging_indent() {
        let style = Style { width: 20, ascii: false, color: false };
        assert_eq!(style.wrap("  seen: ", "one two three four"), "  seen: one two\n        three four");
        assert_eq!(style.hang("", 2, "one two three four five"), "one two three four\n  five");
        assert_eq!(style.clip("München", 4), "Mün…");
        assert_eq!(Style { ascii: true, ..style }.text("a–b 東"), "a-b ?");
    }

    #[test]
    fn cuts_behind_a_word() {
        let style = Style { width: 20, ascii: false, color: false };
        assert_eq!(style.clip_words("T1 closed: clear request (1)", 20), "T1 closed: clear …");
        assert_eq!(style.clip_words("T1 closed: clear request (1)", 14), "T1 closed …");
        assert_eq!(style.clip_words("hello-unacknowledged", 8), "hello-u…");
        assert_eq!(style.clip_words("東京 東京", 6), "東京 …");
    }

    #[test]
    fn sentences_stay_together() {
        let style = Style { width: 20, ascii: false, color: false };
        let sentences = ["Read 12 packets.", "No ESP.", "Ok."].map(String::from);
        assert_eq!(style.flow(&sentences), "Read 12 packets.\n  No ESP. Ok.");
    }
}
