//! `-P`: one line for each packet.

use std::io::Write as _;

use super::info;
use super::packet::Packet;
use super::style::{Style, Tone};
use super::times::{Stamp, write as write_time};

/// The least columns of the parts of a line; longer ones push the rest to the right.
const NUMBER: usize = 5;
const TIME: usize = 10;
const ADDRESS: usize = 13;
const PROTOCOL: usize = 9;
const IDS: usize = 5;

/// Writes the line of a packet: number, time, from, to, protocol, control connection and call, and what it says.
///
/// Words that do not fit into `columns` are cut.
pub fn write(packet: &Packet<'_>, stamp: Stamp, style: &Style, columns: Option<usize>, out: &mut Vec<u8>) {
    let (from, to) = info::ends(packet);
    let mut time = Vec::new();
    write_time(packet, stamp, &mut time);
    let time = String::from_utf8_lossy(&time);
    let arrow = style.paint(Tone::Arrow, style.pick("→", "->"));
    let (protocol, ids) = (info::protocol(packet), info::ids(packet));
    let mut words = style.text(&info::info(packet));
    if let Some(columns) = columns {
        let least = |text: &str, least: usize| text.chars().count().max(least);
        let number = least(&packet.frame.number.to_string(), NUMBER);
        let names =
            least(&from, ADDRESS) + least(&to, ADDRESS) + least(protocol, PROTOCOL) + least(&ids, IDS);
        let arrow = style.pick("→", "->").chars().count();
        let before = number + least(&time, TIME) + names + arrow + 10;
        words = style.clip_words(&words, columns.saturating_sub(before).max(1));
    }
    let odd = words.contains('[');
    let words = if odd { mark(&words, style) } else { words };
    let _ = writeln!(
        out,
        "{:>NUMBER$} {time:>TIME$}  {from:<ADDRESS$} {arrow} {to:<ADDRESS$}  {:<PROTOCOL$} {:<IDS$}  {words}",
        packet.frame.number, protocol, ids,
    );
}

/// Colours what is odd: everything from the first bracket on.
fn mark(words: &str, style: &Style) -> String {
    match words.split_once('[') {
        Some((said, odd)) => format!("{said}{}", style.paint(Tone::Odd, &format!("[{odd}"))),
        None => words.to_owned(),
    }
}
