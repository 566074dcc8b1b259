//! Lines into characters: columns that fit the ladder and the width.

use unicode_width::UnicodeWidthStr;

use crate::analysis::control::connection::Connection;
use crate::report::findings::tone;
use crate::report::style::{Style, Tone};
use crate::rules::words::thousands;

use super::line::{Body, Line};

/// The shaft of an arrow with its head, and what is left of it where there is no room.
const SHAFT: usize = 11;
const SHORTEST_SHAFT: usize = 4;
/// Dash and space before the words of a message, space behind them.
const AROUND: usize = 3;
/// Columns of a margin for which arrows give way.
const MOST_MARGIN: usize = 48;

/// A margin below this has no room for a word.
const SHORTEST_MARGIN: usize = 6;

/// The columns of one ladder.
pub(super) struct Drawing<'a> {
    style: &'a Style,
    packets: usize,
    /// With the space before it; 0 where the terminal is too narrow for times.
    time: usize,
    name: usize,
    ns: usize,
    nr: usize,
    body: usize,
    margin: usize,
}

impl<'a> Drawing<'a> {
    /// Columns for these lines.
    pub(super) fn new(style: &'a Style, lines: &[Line]) -> Self {
        let widest = |of: &dyn Fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
        let name = widest(&|line| line.name().width()).max(10);
        let (ns, nr) = (widest(&|line| line.digits().0).max(1), widest(&|line| line.digits().1).max(1));
        let words = name + "  Ns Nr ".len() + ns + nr;
        let shortest = words + AROUND + SHORTEST_SHAFT;
        let wanted = widest(&|line| line.margin().width() + 1).min(MOST_MARGIN);
        let packets = widest(&|line| line.packets.width()).max("packet".len());
        let time = widest(&|line| line.time.width() + 2).max("time".len() + 2);
        let rails = 2;
        let roomy = packets.max(9) + time.max(11) + 2 + rails + shortest + wanted <= style.width;
        let (packets, time) = if roomy { (packets.max(9), time.max(11)) } else { (packets, time) };
        let time = if packets + time + 2 + rails + shortest > style.width { 0 } else { time };
        let left = packets + time + 2 + rails;
        let shaft = style.width.saturating_sub(left + words + AROUND + wanted).clamp(SHORTEST_SHAFT, SHAFT);
        let body = (words + AROUND + shaft).min(style.width.saturating_sub(left).max(16));
        let margin = style.width.saturating_sub(left + body + 1);
        Self { style, packets, time, name, ns, nr, body, margin }
    }

    /// Columns before the first lifeline.
    fn left(&self) -> usize {
        self.packets + self.time + 2
    }

    /// Who stands at the lifelines: in one line, or in two if one is too short.
    pub(super) fn heading(&self, connection: &Connection) -> Vec<String> {
        let style = self.style;
        let room = style.width.saturating_sub(self.left());
        let lac = u8::from(connection.lac_end() == 1);
        let label = |end: u8| {
            let end = connection.end(end);
            let address = end.endpoint.address.to_string();
            let name = end.host_name.as_ref().map(|name| style.text(name.as_str())).unwrap_or_default();
            let space = room.saturating_sub(address.width() + 1).min(24);
            if name.is_empty() || space < 4 {
                address
            } else {
                format!("{} {address}", style.clip(&name, space))
            }
        };
        self.labels(&label(lac), &label(1 - lac))
    }

    /// The same with these words at the lifelines.
    pub(super) fn labels(&self, lac: &str, lns: &str) -> Vec<String> {
        let room = self.style.width.saturating_sub(self.left());
        let end = self.body + 2;
        let time = if self.time == 0 { "" } else { "time" };
        let left =
            format!("{:>packets$}{time:>width$}  ", "packet", packets = self.packets, width = self.time);
        let at = end.saturating_sub(lns.width()).max(lac.width() + 2);
        if at + lns.width() <= room {
            let gap = " ".repeat(at - lac.width());
            return vec![format!("{left}{lac}{gap}{lns}")];
        }
        let at = end.max(lns.width()).min(room.max(lns.width())) - lns.width();
        vec![format!("{left}{lac}"), format!("{}{}{lns}", " ".repeat(self.left()), " ".repeat(at))]
    }

    /// One line.
    pub(super) fn line(&self, line: &Line) -> String {
        let rail = self.style.pick("│", "|");
        let body = match &line.body {
            Body::Message { name, numbers, from_lac, resent } => {
                self.message(name, *numbers, *from_lac, *resent)
            }
            Body::Data { text, from_lac } => self.data(text, *from_lac),
            Body::Text(text) => centre(&self.style.clip(text, self.body), self.body, " "),
        };
        let (packets, time) = (self.packets, self.time);
        let clock = if time == 0 { "" } else { line.time.as_str() };
        let left = format!("{:>packets$}{clock:>time$}  ", line.packets);
        format!("{left}{rail}{body}{rail} {}", self.margin(line)).trim_end().to_owned()
    }

    /// A place where lines are left out.
    pub(super) fn fold(&self, hidden: usize, hint: &str) -> String {
        let left = " ".repeat(self.left());
        format!("{left}{} {} more{hint}", self.style.pick("…", "..."), thousands(hidden as u64))
    }

    fn message(
        &self,
        name: &str,
        numbers: Option<(Option<u16>, u16)>,
        from_lac: bool,
        resent: bool,
    ) -> String {
        let (ns, nr) = (self.ns, self.nr);
        let numbers = match numbers {
            Some((Some(sent), next)) => format!("Ns {sent:>ns$} Nr {next:>nr$}"),
            Some((None, next)) => format!("{:ns$}    Nr {next:>nr$}", ""),
            None => String::new(),
        };
        let words = format!("{name}{} {numbers}", " ".repeat(self.name.saturating_sub(name.width())));
        let words = self.style.clip(words.trim_end(), self.body.saturating_sub(AROUND + SHORTEST_SHAFT));
        let heads = if resent { 3 } else { 1 };
        let dash = self.style.pick("─", "-");
        let shaft = dash.repeat(self.body.saturating_sub(words.width() + AROUND + heads));
        if from_lac {
            format!("{dash} {words} {shaft}{}", self.head("▶", ">", heads))
        } else {
            format!("{}{shaft} {words} {dash}", self.head("◀", "<", heads))
        }
    }

    fn data(&self, text: &str, from_lac: Option<bool>) -> String {
        // A count may be left out, the numbers of the packets stand on the left.
        let room = self.body.saturating_sub(4);
        let text = match text.split_once(", ") {
            Some((head, _)) if text.width() + 2 > room => head,
            _ => text,
        };
        let text = self.style.clip(&format!(" {text} "), room);
        let line = self.style.pick("═", "=");
        match from_lac {
            None => centre(&text, self.body, line),
            Some(true) => format!("{}{}", centre(&text, self.body - 1, line), self.head("▶", ">", 1)),
            Some(false) => format!("{}{}", self.head("◀", "<", 1), centre(&text, self.body - 1, line)),
        }
    }

    fn head(&self, unicode: &'static str, ascii: &'static str, times: usize) -> String {
        self.style.paint(Tone::Arrow, &self.style.pick(unicode, ascii).repeat(times))
    }

    /// The effect and the broken rule; where there is no room for both, the rule says more than that it was resent, and
    /// less than what else it did.
    fn margin(&self, line: &Line) -> String {
        let fits = |text: &str| text.width() <= self.margin;
        let paint = |rule: &str| {
            line.mark.map_or_else(String::new, |mark| self.style.paint(tone(mark.severity), rule))
        };
        let rule = line.mark.map_or("", |mark| mark.rule);
        if self.margin < SHORTEST_MARGIN {
            return String::new();
        }
        if fits(&line.margin()) {
            let gap = if line.effect.is_empty() || rule.is_empty() { "" } else { "  " };
            return format!("{}{gap}{}", line.effect, paint(rule));
        }
        let plain = matches!(line.effect.as_str(), "" | "resent");
        if plain && !rule.is_empty() {
            return paint(&self.style.clip_words(rule, self.margin));
        }
        self.style.clip_words(&line.effect, self.margin)
    }
}

impl Line {
    fn name(&self) -> &str {
        match &self.body {
            Body::Message { name, .. } => name,
            _ => "",
        }
    }

    /// How many digits its Ns and Nr have.
    fn digits(&self) -> (usize, usize) {
        let digits = |number: u16| number.to_string().len();
        match self.body {
            Body::Message { numbers: Some((ns, nr)), .. } => (ns.map_or(0, digits), digits(nr)),
            _ => (0, 0),
        }
    }

    /// The margin with all it has to say.
    fn margin(&self) -> String {
        match self.mark {
            None => self.effect.clone(),
            Some(mark) if self.effect.is_empty() => mark.rule.to_owned(),
            Some(mark) => format!("{}  {}", self.effect, mark.rule),
        }
    }
}

fn centre(text: &str, width: usize, fill: &str) -> String {
    let room = width.saturating_sub(text.width());
    let left = room / 2;
    format!("{}{text}{}", fill.repeat(left), fill.repeat(room - left))
}
