//! Who is told about fields: nobody, someone who wants a few, or a whole tree.

use super::{FieldDef, Range, Value};

/// Is told each field as it is read. A type parameter, never `dyn`, so that [`Nothing`] costs nothing.
pub trait Sink {
    /// A field was read.
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value);
    /// Fields below a heading follow, until [`Sink::leave`].
    fn enter(&mut self, field: &'static FieldDef, range: Range);
    /// The fields below the last heading are complete.
    fn leave(&mut self);
}

/// Nobody listens: for reports and checks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Sink for Nothing {
    #[inline(always)]
    fn field(&mut self, _: &'static FieldDef, _: Range, _: Value) {}
    #[inline(always)]
    fn enter(&mut self, _: &'static FieldDef, _: Range) {}
    #[inline(always)]
    fn leave(&mut self) {}
}

/// Keeps the values of a few fields, in the order of the packet.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    fields: Vec<&'static FieldDef>,
    found: Vec<(usize, Range, Value)>,
}

impl Wanted {
    /// Wants these fields.
    pub fn new(fields: Vec<&'static FieldDef>) -> Self {
        Self { fields, found: Vec::new() }
    }

    /// What was found: the index of the wanted field, its range and value.
    pub fn found(&self) -> &[(usize, Range, Value)] {
        &self.found
    }

    /// Forgets what was found, keeps the memory.
    pub fn clear(&mut self) {
        self.found.clear();
    }

    fn keep(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        for (index, wanted) in self.fields.iter().enumerate() {
            if std::ptr::eq(*wanted, field) {
                self.found.push((index, range, value));
            }
        }
    }
}

impl Sink for Wanted {
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        self.keep(field, range, value);
    }

    fn enter(&mut self, field: &'static FieldDef, range: Range) {
        self.keep(field, range, Value::Octets);
    }

    fn leave(&mut self) {}
}

/// One field of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// What it is.
    pub field: &'static FieldDef,
    /// Where its octets are.
    pub range: Range,
    /// Its value.
    pub value: Value,
    /// How many headings it is below.
    pub depth: u16,
}

impl PartialEq for FieldDef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Keeps everything, as a flat list with depths; cleared and reused from packet to packet.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    depth: u16,
}

impl Tree {
    /// The fields in the order of the packet.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.depth = 0;
    }
}

impl Sink for Tree {
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        self.nodes.push(Node { field, range, value, depth: self.depth });
    }

    fn enter(&mut self, field: &'static FieldDef, range: Range) {
        self.nodes.push(Node { field, range, value: Value::Octets, depth: self.depth });
        self.depth = self.depth.saturating_add(1);
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}
