//! Differences in words. `here` is this capture, `there` is the other one.

use super::pairs::Matched;
use super::{Diff, Divergence, DivergenceKind, FieldDiff};

/// Fields that one sentence names.
const MOST_FIELDS: usize = 3;

/// One difference in a sentence; `after` are the packets, here and there, of the last message before it that both have.
pub(super) fn of(divergence: &Divergence, after: Option<&Matched>) -> String {
    let who = &divergence.who;
    let id = divergence.ids.iter().flatten().next().map_or("", String::as_str);
    let [here, there] = &divergence.names;
    match (divergence.kind, here, there) {
        (DivergenceKind::Fields | DivergenceKind::Identity, Some(name), _) => {
            let packets = both(divergence.packets);
            format!("{id}: the {who}'s {name} ({packets}) has {}", fields(&divergence.fields))
        }
        (DivergenceKind::Instead, Some(here), Some(there)) => {
            let [says_here, says_there] = [0, 1].map(|side| says(divergence, side));
            let [packet_here, packet_there] = divergence.packets.map(|packet| packet.unwrap_or(0));
            format!(
                "{id}: the {who} sends {here} here (packet {packet_here}{says_here}), where it sends {there} there \
                 (packet {packet_there}{says_there})"
            )
        }
        (_, Some(name), None) => format!(
            "{id}: the {who} sends {name} here (packet {}{}), and not there{}",
            divergence.packets[0].unwrap_or(0),
            says(divergence, 0),
            follows(after, 1)
        ),
        (_, None, Some(name)) => format!(
            "{id}: the {who} does not send {name} here{}; there it does (packet {}{})",
            follows(after, 0),
            divergence.packets[1].unwrap_or(0),
            says(divergence, 1)
        ),
        _ => String::new(),
    }
}

/// A conversation that only one capture has.
pub(super) fn alone(divergence: &Divergence, id: &str) -> String {
    let who = &divergence.who;
    let begins = |name: &str, packet: u64| format!("it begins with the {who}'s {name} (packet {packet})");
    match (&divergence.names, divergence.packets) {
        ([Some(name), _], [Some(packet), _]) => format!("{id} is only here: {}", begins(name, packet)),
        ([_, Some(name)], [_, Some(packet)]) => format!("{id} is only there: {}", begins(name, packet)),
        _ => String::new(),
    }
}

fn both(packets: [Option<u64>; 2]) -> String {
    let [here, there] =
        packets.map(|packet| packet.map_or_else(|| String::from("none"), |packet| packet.to_string()));
    format!("packet {here} here, {there} there")
}

/// ` after packet 11 (sent 3 times)`.
fn follows(after: Option<&Matched>, side: usize) -> String {
    let packet = after.and_then(|after| after.packets.get(side).zip(after.copies.get(side)));
    match packet {
        Some((packet, 0 | 1)) => format!(" after packet {packet}"),
        Some((packet, copies)) => format!(" after packet {packet} (sent {copies} times)"),
        None => String::new(),
    }
}

/// What a message of one side says, behind its packet.
pub(super) fn says(divergence: &Divergence, side: usize) -> String {
    let values = divergence.fields.iter().filter_map(|field| {
        let value = field.values.get(side)?.as_ref()?;
        let name = match field.name.as_str() {
            "Message" => "",
            "deletes" => "deletes ",
            name => return Some(format!("{name} {value}")),
        };
        Some(format!("{name}{value}"))
    });
    let values: Vec<String> = values.take(MOST_FIELDS).collect();
    if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) }
}

/// `Framing Capabilities is sync only here, async and sync there`.
pub(super) fn fields(fields: &[FieldDiff]) -> String {
    let mut ordered: Vec<&FieldDiff> = fields.iter().collect();
    ordered.sort_by_key(|field| field.identity);
    let each = ordered.iter().take(MOST_FIELDS).map(|field| self::field(field));
    let more = fields.len().saturating_sub(MOST_FIELDS);
    let more = match more {
        0 => String::new(),
        1 => String::from(", and one more field differs"),
        more => format!(", and {more} more fields differ"),
    };
    format!("{}{more}", each.collect::<Vec<_>>().join(", "))
}

/// All of them.
pub(super) fn all_fields(fields: &[FieldDiff]) -> String {
    fields.iter().map(field).collect::<Vec<_>>().join("; ")
}

fn field(field: &FieldDiff) -> String {
    let name = &field.name;
    match &field.values {
        [Some(here), Some(there)] => format!("{name} {} here, {} there", or_set(here), or_set(there)),
        [Some(here), None] if here.is_empty() => format!("{name} only here"),
        [Some(here), None] => format!("{name} only here ({here})"),
        [None, Some(there)] if there.is_empty() => format!("{name} only there"),
        [None, Some(there)] => format!("{name} only there ({there})"),
        [None, None] => String::new(),
    }
}

fn or_set(value: &str) -> &str {
    if value.is_empty() { "in the clear" } else { value }
}

impl Diff {
    /// The first difference, and where the course of things parts: the words in front, and a sentence.
    pub(super) fn headline(&self) -> Vec<(&'static str, String)> {
        let Some(first) = self.first() else { return vec![("No difference.", String::new())] };
        let mut out = vec![("First difference: ", format!("{}.", first.sentence))];
        out.extend(self.then().map(|then| ("Then ", format!("{}.", then.sentence))));
        out
    }
}
