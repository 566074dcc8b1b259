//! The protocols of a packet in the order of the walk, with the octets of each: what peeling needs to know.

use crate::dissect::{Protocol, registry};
use crate::field::{FieldDef, Range, Sink, Value, Wanted};

/// One protocol of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Heading {
    /// Which.
    pub protocol: Protocol,
    /// Its octets, payload included.
    pub octets: Range,
    /// What it carried under a cover that was taken off (ESP).
    pub contained: Option<Range>,
    /// The protocol number of that.
    pub next_header: u8,
}

/// Keeps the headings of protocols; cleared and reused from packet to packet.
#[derive(Debug, Default)]
pub struct Trail {
    headings: Vec<Heading>,
    depth: usize,
}

impl Trail {
    /// The protocols, outermost first.
    pub fn headings(&self) -> &[Heading] {
        &self.headings
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.headings.clear();
        self.depth = 0;
    }
}

impl Sink for Trail {
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        let Some(last) = self.headings.last_mut().filter(|last| last.protocol == Protocol::Esp) else {
            return;
        };
        match (field.name, value) {
            ("esp.contained_data", _) => last.contained = Some(range),
            ("esp.protocol", Value::Number(number)) => last.next_header = u8::try_from(number).unwrap_or(0),
            _ => {}
        }
    }

    fn enter(&mut self, field: &'static FieldDef, range: Range) {
        if self.depth == 0
            && let Some(row) = registry::PROTOCOLS.iter().find(|row| row.field == *field)
        {
            self.headings.push(Heading {
                protocol: row.protocol,
                octets: range,
                contained: None,
                next_header: 0,
            });
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn ends(&mut self, _: u32) {}

    fn title(&mut self, _: &'static str) {}
}

/// Tells both of a packet.
#[derive(Debug)]
pub struct Both<'a>(pub &'a mut Trail, pub &'a mut Wanted);

impl Sink for Both<'_> {
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        self.0.field(field, range, value);
        self.1.field(field, range, value);
    }

    fn enter(&mut self, field: &'static FieldDef, range: Range) {
        self.0.enter(field, range);
        self.1.enter(field, range);
    }

    fn leave(&mut self) {
        self.0.leave();
        self.1.leave();
    }

    fn ends(&mut self, end: u32) {
        self.1.ends(end);
    }

    fn title(&mut self, text: &'static str) {
        self.1.title(text);
    }
}
