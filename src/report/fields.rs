//! `-T fields`: a line for each packet, a column for each field that was asked for, as tshark writes them.

use crate::field::FieldDef;

use super::packet::Packet;
use super::{info, value};
use crate::dissect::registry;

/// Which of several values of one field are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The first.
    First,
    /// The last.
    Last,
    /// All.
    All,
}

/// What is done with quotes inside a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Nothing.
    Plain,
    /// A backslash before each.
    Backslash,
    /// Each is written twice.
    Double,
}

/// How columns are written: tshark's `-E`.
#[derive(Debug, Clone)]
pub struct Layout {
    /// A first line with the names.
    pub header: bool,
    /// Begin with a byte order mark.
    pub mark: bool,
    /// Between columns.
    pub separator: char,
    /// Which values.
    pub occurrence: Occurrence,
    /// Between values of one field.
    pub aggregator: char,
    /// Around each column.
    pub quote: Option<char>,
    /// What is done with quotes inside a column.
    pub quoting: Quoting,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            header: false,
            mark: false,
            separator: '\t',
            occurrence: Occurrence::All,
            aggregator: ',',
            quote: None,
            quoting: Quoting::Backslash,
        }
    }
}

impl Layout {
    /// Comma-separated values (RFC 4180) with a header.
    pub fn csv() -> Self {
        Self { header: true, separator: ',', quote: Some('"'), quoting: Quoting::Double, ..Self::default() }
    }

    /// Takes one `NAME=VALUE` of `-E`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn set(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').ok_or("expected NAME=VALUE, such as separator=,")?;
        match name {
            "header" => self.header = yes(value)?,
            "bom" => self.mark = yes(value)?,
            "escape" => self.quoting = if yes(value)? { Quoting::Backslash } else { Quoting::Plain },
            "separator" => self.separator = character(value)?,
            "aggregator" => self.aggregator = character(value)?,
            "occurrence" => {
                self.occurrence = match value {
                    "f" => Occurrence::First,
                    "l" => Occurrence::Last,
                    "a" => Occurrence::All,
                    _ => return Err("occurrence is f, l or a".to_owned()),
                }
            }
            "quote" => {
                self.quote = match value {
                    "d" => Some('"'),
                    "s" => Some('\''),
                    "n" => None,
                    _ => return Err("quote is d, s or n".to_owned()),
                }
            }
            _ => {
                return Err("no such option; there are header, bom, separator, occurrence, aggregator, \
                            quote and escape"
                    .to_owned());
            }
        }
        Ok(())
    }
}

fn yes(value: &str) -> Result<bool, String> {
    match value {
        "y" | "Y" => Ok(true),
        "n" | "N" => Ok(false),
        _ => Err("the value is y or n".to_owned()),
    }
}

fn character(value: &str) -> Result<char, String> {
    let mut characters = value.chars();
    match (value, characters.next(), characters.next()) {
        ("/t", ..) => Ok('\t'),
        ("/s", ..) => Ok(' '),
        (_, Some(one), None) => Ok(one),
        _ => Err("the value is one character, /t or /s".to_owned()),
    }
}

/// Fields that were asked for, by name.
#[derive(Debug)]
pub struct Columns {
    names: Vec<String>,
    /// Every definition with the name of each column.
    definitions: Vec<Vec<&'static FieldDef>>,
    layout: Layout,
    cells: Vec<Vec<u8>>,
    found: Vec<u32>,
}

impl Columns {
    /// Columns of these names and definitions.
    pub fn new(columns: Vec<(String, Vec<&'static FieldDef>)>, layout: Layout) -> Self {
        let (names, definitions): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let count = names.len();
        Self { names, definitions, layout, cells: vec![Vec::new(); count], found: vec![0; count] }
    }

    /// Writes what comes before the first packet.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if self.layout.mark {
            push('\u{feff}', out);
        }
        if !self.layout.header {
            return;
        }
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                push(self.layout.separator, out);
            }
            self.column(name.as_bytes(), out);
        }
        out.push(b'\n');
    }

    /// Writes the line of one packet.
    pub fn write(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.gather(packet);
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                push(self.layout.separator, out);
            }
            if !cell.is_empty() {
                self.column(cell, out);
            }
        }
        out.push(b'\n');
    }

    /// A value may hold what ends a column: CSV doubles quotes (RFC 4180 section 2), tshark puts a backslash before.
    fn column(&self, cell: &[u8], out: &mut Vec<u8>) {
        let Some(quote) = self.layout.quote else {
            out.extend_from_slice(cell);
            return;
        };
        push(quote, out);
        let mut buffer = [0; 4];
        let [octet] = *quote.encode_utf8(&mut buffer).as_bytes() else { return };
        for one in cell {
            match self.layout.quoting {
                Quoting::Double if *one == octet => out.push(octet),
                Quoting::Backslash if *one == octet => out.push(b'\\'),
                _ => {}
            }
            out.push(*one);
        }
        push(quote, out);
    }

    fn gather(&mut self, packet: &Packet<'_>) {
        self.found.fill(0);
        self.cells.iter_mut().for_each(Vec::clear);
        for node in packet.nodes() {
            for (at, definitions) in self.definitions.iter().enumerate() {
                if !definitions.iter().any(|field| std::ptr::eq(*field, node.field)) {
                    continue;
                }
                let (cell, found) = (&mut self.cells[at], &mut self.found[at]);
                *found += 1;
                match self.layout.occurrence {
                    Occurrence::First if *found > 1 => continue,
                    Occurrence::Last => cell.clear(),
                    Occurrence::All if *found > 1 => {
                        cell.extend_from_slice(self.layout.aggregator.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    _ => {}
                }
                value::write(packet, node, cell);
            }
        }
        let [protocol, words] = registry::columns();
        for (cell, definitions) in self.cells.iter_mut().zip(&self.definitions) {
            if definitions.contains(&protocol) {
                cell.extend_from_slice(info::protocol(packet).as_bytes());
            } else if definitions.contains(&words) {
                cell.extend_from_slice(info::info(packet).as_bytes());
            }
        }
    }
}

fn push(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
