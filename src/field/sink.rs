//! Who is told about fields: nobody, someone who wants a few, or a whole tree.

use super::{FieldDef, Range, Value};

/// Is told each field as it is read. A type parameter, never `dyn`, so that [`Nothing`] costs nothing.
pub trait Sink {
    /// Whether more is wanted than what the analysis needs: inner packets down to their last header.
    const FULL: bool = true;

    /// A field was read.
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value);
    /// Fields below a heading follow, until [`Sink::leave`].
    fn enter(&mut self, field: &'static FieldDef, range: Range);
    /// The fields below the last heading are complete.
    fn leave(&mut self);
    /// The last heading that is open ends before octet `end`: what follows belongs to another.
    fn ends(&mut self, end: u32);
    /// What the last heading that is open is about, such as the name of an AVP.
    fn title(&mut self, text: &'static str);
}

/// Nobody listens: for reports and checks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Sink for Nothing {
    const FULL: bool = false;

    #[inline(always)]
    fn field(&mut self, _: &'static FieldDef, _: Range, _: Value) {}
    #[inline(always)]
    fn enter(&mut self, _: &'static FieldDef, _: Range) {}
    #[inline(always)]
    fn leave(&mut self) {}
    #[inline(always)]
    fn ends(&mut self, _: u32) {}
    #[inline(always)]
    fn title(&mut self, _: &'static str) {}
}

/// Keeps the values of a few fields, in the order of the packet.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    fields: Vec<&'static FieldDef>,
    found: Vec<(usize, Range, Value)>,
    /// Of each heading that is open, what was found before it.
    open: Vec<usize>,
}

impl Wanted {
    /// Wants these fields.
    pub fn new(fields: Vec<&'static FieldDef>) -> Self {
        Self { fields, found: Vec::new(), open: Vec::new() }
    }

    /// What was found: the index of the wanted field, its range and value.
    pub fn found(&self) -> &[(usize, Range, Value)] {
        &self.found
    }

    /// Forgets what was found, keeps the memory.
    pub fn clear(&mut self) {
        self.found.clear();
        self.open.clear();
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
        self.open.push(self.found.len());
        self.keep(field, range, Value::Octets);
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    fn ends(&mut self, end: u32) {
        // A heading that is wanted stands where it was opened; what it holds stands behind it.
        let Some((_, range, value)) = self.open.last().and_then(|at| self.found.get_mut(*at)) else { return };
        if *value == Value::Octets && range.end > end && range.start <= end {
            range.end = end;
        }
    }

    fn title(&mut self, _: &'static str) {}
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
    /// Of a heading: what it is about.
    pub title: Option<&'static str>,
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
    open: Vec<usize>,
}

impl Tree {
    /// The fields in the order of the packet.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.open.clear();
        self.depth = 0;
    }
}

impl Sink for Tree {
    fn field(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        self.nodes.push(Node { field, range, value, depth: self.depth, title: None });
    }

    fn enter(&mut self, field: &'static FieldDef, range: Range) {
        self.open.push(self.nodes.len());
        self.nodes.push(Node { field, range, value: Value::Octets, depth: self.depth, title: None });
        self.depth = self.depth.saturating_add(1);
    }

    fn leave(&mut self) {
        self.open.pop();
        self.depth = self.depth.saturating_sub(1);
    }

    fn ends(&mut self, end: u32) {
        if let Some(node) = self.open.last().and_then(|at| self.nodes.get_mut(*at)) {
            node.range.end = node.range.end.min(end).max(node.range.start);
        }
    }

    fn title(&mut self, text: &'static str) {
        if let Some(node) = self.open.last().and_then(|at| self.nodes.get_mut(*at)) {
            node.title = Some(text);
        }
    }
}
