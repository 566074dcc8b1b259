//! `-T fields`: a line for each packet, a column for each field that was asked for, as tshark writes them.

use std::io::{self, Write};

use crate::field::FieldDef;

use super::packet::Packet;
use super::value;

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
    /// Backslashes before what would end a line or a column.
    pub escape: bool,
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
            escape: true,
        }
    }
}

impl Layout {
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
            "escape" => self.escape = yes(value)?,
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
    secrets: bool,
    cells: Vec<Vec<u8>>,
    found: Vec<u32>,
}

impl Columns {
    /// Columns of these names and definitions.
    pub fn new(columns: Vec<(String, Vec<&'static FieldDef>)>, layout: Layout, secrets: bool) -> Self {
        let (names, definitions): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let count = names.len();
        Self { names, definitions, layout, secrets, cells: vec![Vec::new(); count], found: vec![0; count] }
    }

    /// Writes what comes before the first packet.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.layout.mark {
            write!(out, "\u{feff}")?;
        }
        if !self.layout.header {
            return Ok(());
        }
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                write!(out, "{}", self.layout.separator)?;
            }
            self.quote(out)?;
            out.write_all(name.as_bytes())?;
            self.quote(out)?;
        }
        writeln!(out)
    }

    fn quote(&self, out: &mut dyn Write) -> io::Result<()> {
        self.layout.quote.map_or(Ok(()), |quote| write!(out, "{quote}"))
    }

    /// Writes the line of one packet.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&mut self, packet: &Packet<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.gather(packet)?;
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                write!(out, "{}", self.layout.separator)?;
            }
            if cell.is_empty() {
                continue;
            }
            self.quote(out)?;
            self.cell(cell, out)?;
            self.quote(out)?;
        }
        writeln!(out)
    }

    fn gather(&mut self, packet: &Packet<'_>) -> io::Result<()> {
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
                    Occurrence::All if *found > 1 => write!(cell, "{}", self.layout.aggregator)?,
                    _ => {}
                }
                value::write(packet, node, self.secrets, cell)?;
            }
        }
        Ok(())
    }

    /// A value may hold what ends a column: tshark puts a backslash before it, and doubles nothing.
    fn cell(&self, cell: &[u8], out: &mut dyn Write) -> io::Result<()> {
        match self.layout.quote {
            Some(quote) if self.layout.escape => {
                let text = String::from_utf8_lossy(cell);
                out.write_all(text.replace(quote, &format!("\\{quote}")).as_bytes())
            }
            _ => out.write_all(cell),
        }
    }
}
