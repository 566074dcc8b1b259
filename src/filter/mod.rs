//! The display filter: tshark's language over our fields.
//!
//! A filter is compiled once against the definitions of the fields, so that an unknown name or a value that no field can
//! have is an error with a place, and then evaluated for each packet on the fields it names, nothing else.
//!
//! As in tshark 4.0, a comparison holds if it holds for any occurrence of the field, but `!=` asks all of them to
//! differ (`~=` any); what is not there makes every comparison false.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod eval;
mod implied;
mod lexer;
mod literal;
mod parser;

use std::fmt;
use std::ops::Range;

use crate::field::{FieldDef, Node, Range as Octets, Value, Wanted};

use eval::Found;
use parser::Expression;

/// A compiled filter.
#[derive(Debug)]
pub struct Filter {
    expression: Option<Expression>,
    /// Every definition of every name in the filter, and which name it is.
    fields: Vec<(&'static FieldDef, usize)>,
    found: Vec<Found>,
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// What is wrong.
    pub what: String,
    /// The octets of the text that are.
    pub place: Range<usize>,
}

impl FilterError {
    fn new(what: impl Into<String>, place: Range<usize>) -> Self {
        Self { what: what.into(), place }
    }

    /// The column of the text, counted from 1.
    pub fn column(&self, text: &str) -> usize {
        text.get(..self.place.start).map_or(0, |before| before.chars().count()).saturating_add(1)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Compiles a filter. An empty one lets every packet pass.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, FilterError> {
        let tokens = implied::expand(lexer::tokens(text)?)?;
        if tokens.is_empty() {
            return Ok(Self { expression: None, fields: Vec::new(), found: Vec::new() });
        }
        let (expression, fields) = parser::parse(&tokens, text.len())?;
        Ok(Self { expression: Some(expression), fields, found: Vec::new() })
    }

    /// A sink that keeps just the fields of this filter.
    pub fn wanted(&self) -> Wanted {
        Wanted::new(self.fields.iter().map(|(field, _)| *field).collect())
    }

    /// Whether a packet passes, by what the sink of [`Filter::wanted`] found in it.
    pub fn passes<'p>(&mut self, wanted: &Wanted, octets: &dyn Fn(Octets) -> &'p [u8]) -> bool {
        self.found.clear();
        for (at, range, value) in wanted.found() {
            if let Some((field, name)) = self.fields.get(*at) {
                self.found.push(Found { name: *name, kind: field.kind, range: *range, value: *value });
            }
        }
        self.evaluate(octets)
    }

    /// Whether a packet passes, by all its fields.
    pub fn passes_tree<'p>(&mut self, nodes: &[Node], octets: &dyn Fn(Octets) -> &'p [u8]) -> bool {
        self.found.clear();
        for node in nodes {
            let Node { field, range, value, .. } = *node;
            for (_, name) in self.fields.iter().filter(|(known, _)| std::ptr::eq(*known, field)) {
                self.found.push(Found { name: *name, kind: field.kind, range, value });
            }
        }
        self.evaluate(octets)
    }

    /// Whether it asks for this field.
    pub fn names(&self, field: &'static FieldDef) -> bool {
        self.fields.iter().any(|(known, _)| std::ptr::eq(*known, field))
    }

    fn evaluate<'p>(&self, octets: &dyn Fn(Octets) -> &'p [u8]) -> bool {
        self.expression.as_ref().is_none_or(|expression| eval::holds(expression, &self.found, octets))
    }
}

/// A number as filters compare them.
fn number(value: Value) -> Option<i128> {
    match value {
        Value::Number(number) | Value::Derived(number) => Some(number.into()),
        Value::Octets => None,
    }
}
