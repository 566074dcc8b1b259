//! Tokens into an expression whose names and values are resolved.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use crate::dissect::{Protocol, registry};
use crate::field::FieldDef;
use crate::util::meant;

use super::FilterError;
use super::implied;
use super::lexer::{Kind, Token};
use super::literal::{self, Literal, Type};

/// A condition.
#[derive(Debug)]
pub(super) enum Expression {
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Xor(Box<Self>, Box<Self>),
    /// There is a value; of a bit test, one that is not 0.
    Exists(Operand),
    Compare {
        left: Operand,
        comparison: Comparison,
        all: bool,
        right: Right,
    },
    Contains(Operand, Right),
    Matches(Operand, Regex),
    In(Operand, Vec<Element>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What stands on the right.
#[derive(Debug)]
pub(super) enum Right {
    Literal(Literal),
    Operand(Operand),
}

/// A member of a set.
#[derive(Debug)]
pub(super) enum Element {
    One(Literal),
    Span(Literal, Literal),
}

/// Values that a packet may have.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) source: Source,
    /// Parts of each value.
    pub(super) slices: Vec<Slice>,
    /// A bit test.
    pub(super) mask: Option<Literal>,
}

#[derive(Debug)]
pub(super) enum Source {
    /// The fields with this name.
    Field(usize),
    Call(Function, Vec<Operand>),
}

/// What can be computed of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Len,
    Count,
    Lower,
    Upper,
    Text,
    Max,
    Min,
    Abs,
}

/// Octets `start..end`; negative from the end. No end: to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: i64,
    pub(super) length: Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Octets(u64),
    To(i64),
    Rest,
}

/// Parentheses and negations inside each other.
const MOST_DEPTH: usize = 64;

type Parsed<T> = Result<T, FilterError>;
/// Definitions, each with the number of its name.
type Fields = Vec<(&'static FieldDef, usize)>;

/// Parses all tokens of a filter.
pub(super) fn parse(tokens: &[Token], end: usize) -> Parsed<(Expression, Fields)> {
    let mut parser = Parser { tokens, at: 0, end, depth: 0, names: Vec::new(), fields: Vec::new() };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok((expression, parser.fields)),
        Some(token) => Err(FilterError::new("this was not expected here", token.place.clone())),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    end: usize,
    depth: usize,
    names: Vec<String>,
    fields: Fields,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Parsed<&'t Token> {
        let token = self.peek().ok_or_else(|| self.ended())?;
        self.at = self.at.saturating_add(1);
        Ok(token)
    }

    fn ended(&self) -> FilterError {
        FilterError::new("the filter ends too early", self.end..self.end)
    }

    /// Takes the next token if it is this sign or word.
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|token| match &token.kind {
            Kind::Sign(sign) => words.contains(sign),
            Kind::Word(word) => words.contains(&word.as_str()),
            _ => false,
        });
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.xor()?;
        while self.take(&["or", "||"]) {
            left = Expression::Or(Box::new(left), Box::new(self.xor()?));
        }
        Ok(left)
    }

    fn xor(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.take(&["xor", "^^"]) {
            left = Expression::Xor(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.not()?;
        while self.take(&["and", "&&"]) {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expression> {
        let place = self.peek().map_or(self.end..self.end, |token| token.place.clone());
        self.depth = self.depth.saturating_add(1);
        if self.depth > MOST_DEPTH {
            return Err(FilterError::new("too many parentheses or negations inside each other", place));
        }
        let expression = if self.take(&["not", "!"]) {
            Expression::Not(Box::new(self.not()?))
        } else if self.take(&["("]) {
            let inner = self.or()?;
            if !self.take(&[")"]) {
                return Err(self.peek().map_or_else(
                    || self.ended(),
                    |token| FilterError::new("expected a closing parenthesis", token.place.clone()),
                ));
            }
            inner
        } else {
            self.relation()?
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(expression)
    }

    fn relation(&mut self) -> Parsed<Expression> {
        let quantifier = if self.take(&["any"]) {
            Some(false)
        } else if self.take(&["all"]) {
            Some(true)
        } else {
            None
        };
        let start = self.at;
        let (left, kind, field) = self.operand()?;
        let place = self.places(start);
        let Some(token) = self.peek() else { return Ok(Expression::Exists(left)) };
        let word = match &token.kind {
            Kind::Sign(sign) => *sign,
            Kind::Word(word) => word.as_str(),
            _ => "",
        };
        if let Some((comparison, all)) = comparison(word) {
            self.at = self.at.saturating_add(1);
            let all = quantifier.unwrap_or(all);
            let right = self.right(kind, field, &place)?;
            if let Some(token) = self.peek()
                && let Kind::Sign(sign) = token.kind
                && self::comparison(sign).is_some()
            {
                return Err(FilterError::new("comparisons cannot be chained; use and", token.place.clone()));
            }
            return Ok(Expression::Compare { left, comparison, all, right });
        }
        match word {
            "contains" => {
                self.at = self.at.saturating_add(1);
                if !matches!(kind, Type::Octets | Type::Text) {
                    return Err(FilterError::new(format!("{} cannot contain anything", kind.name()), place));
                }
                // A part of an address has not its length.
                Ok(Expression::Contains(left, self.right(kind, None, &place)?))
            }
            "matches" | "~" => {
                self.at = self.at.saturating_add(1);
                if !matches!(kind, Type::Octets | Type::Text) {
                    return Err(FilterError::new(format!("{} cannot match a pattern", kind.name()), place));
                }
                Ok(Expression::Matches(left, self.pattern()?))
            }
            "in" => {
                self.at = self.at.saturating_add(1);
                Ok(Expression::In(left, self.set(kind, field)?))
            }
            "not"
                if self
                    .tokens
                    .get(self.at.saturating_add(1))
                    .is_some_and(|next| next.kind == Kind::Word("in".into())) =>
            {
                self.at = self.at.saturating_add(2);
                Ok(Expression::Not(Box::new(Expression::In(left, self.set(kind, field)?))))
            }
            _ => Ok(Expression::Exists(left)),
        }
    }

    /// From the token at `start` to the last that was taken.
    fn places(&self, start: usize) -> Range<usize> {
        let first = self.tokens.get(start).map_or(self.end, |token| token.place.start);
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        first..last.map_or(self.end, |token| token.place.end)
    }

    fn right(&mut self, kind: Type, field: Option<&'static FieldDef>, left: &Range<usize>) -> Parsed<Right> {
        if kind == Type::Heading {
            return Err(FilterError::new("this has no value to compare with", left.clone()));
        }
        let token = self.peek().ok_or_else(|| self.ended())?;
        if let Kind::Word(word) = &token.kind
            && (function(word).is_some() && self.followed_by("(") || !Protocol::fields_named(word).is_empty())
        {
            let (right, other, _) = self.operand()?;
            if !comparable(kind, other) {
                let what = format!("{} cannot be compared with {}", kind.name(), other.name());
                return Err(FilterError::new(what, token.place.clone()));
            }
            return Ok(Right::Operand(right));
        }
        self.at = self.at.saturating_add(1);
        literal::read(token, kind, field).map(Right::Literal)
    }

    fn followed_by(&self, sign: &str) -> bool {
        self.tokens
            .get(self.at.saturating_add(1))
            .is_some_and(|token| matches!(token.kind, Kind::Sign(next) if next == sign))
    }

    fn pattern(&mut self) -> Parsed<Regex> {
        let token = self.next()?;
        let Kind::Text(text) = &token.kind else {
            return Err(FilterError::new("expected a pattern in double quotes", token.place.clone()));
        };
        let text = String::from_utf8_lossy(text);
        RegexBuilder::new(&text).case_insensitive(true).size_limit(1 << 20).build().map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
            FilterError::new(format!("this pattern cannot be used: {why}"), token.place.clone())
        })
    }

    fn set(&mut self, kind: Type, field: Option<&'static FieldDef>) -> Parsed<Vec<Element>> {
        if !self.take(&["{"]) {
            let token = self.next()?;
            return Err(FilterError::new("expected a set, such as {1, 3..5}", token.place.clone()));
        }
        let mut elements = Vec::new();
        loop {
            let first = literal::read(self.next()?, kind, field)?;
            elements.push(if self.take(&[".."]) {
                Element::Span(first, literal::read(self.next()?, kind, field)?)
            } else {
                Element::One(first)
            });
            if self.take(&["}"]) {
                return Ok(elements);
            }
            if !self.take(&[","]) {
                let token = self.next()?;
                return Err(FilterError::new("expected a comma or a closing brace", token.place.clone()));
            }
        }
    }

    /// A field or a function, sliced or masked; its type, and the field whose names and width its values have.
    fn operand(&mut self) -> Parsed<(Operand, Type, Option<&'static FieldDef>)> {
        let token = self.next()?;
        let Kind::Word(word) = &token.kind else {
            return Err(FilterError::new("expected a field, a protocol or a function", token.place.clone()));
        };
        let call = matches!(self.peek().map(|next| &next.kind), Some(Kind::Sign("(")));
        let (source, mut kind, mut field) = if call {
            let function = function(word).ok_or_else(|| {
                FilterError::new(format!("there is no function {word}"), token.place.clone())
            })?;
            let (source, kind) = self.call(function, &token.place)?;
            (source, kind, None)
        } else {
            let (name, field) = self.field(word, &token.place)?;
            (Source::Field(name), Type::of(field), Some(field))
        };
        let mut operand = Operand { source, slices: Vec::new(), mask: None };
        while let Some(Token { kind: Kind::Slice(text), place }) = self.peek() {
            if !matches!(kind, Type::Octets | Type::Text | Type::Ipv4 | Type::Ipv6)
                || !operand.slices.is_empty()
            {
                return Err(FilterError::new(format!("{} cannot be sliced", kind.name()), place.clone()));
            }
            operand.slices = slices(text).ok_or_else(|| {
                FilterError::new(
                    "a slice is [offset], [offset:length], [first-last], [:length] or [offset:]",
                    place.clone(),
                )
            })?;
            self.at = self.at.saturating_add(1);
            (kind, field) = (Type::Octets, None);
        }
        if self.take(&["&"]) {
            if !matches!(kind, Type::Number | Type::Ipv4 | Type::Ipv6 | Type::Octets) {
                return Err(FilterError::new(
                    format!("{} has no bits to test", kind.name()),
                    token.place.clone(),
                ));
            }
            let mask = self.next()?;
            operand.mask = Some(literal::read(mask, kind, field)?);
        }
        Ok((operand, kind, field))
    }

    fn call(&mut self, function: Function, place: &Range<usize>) -> Parsed<(Source, Type)> {
        self.at = self.at.saturating_add(1);
        let mut arguments = Vec::new();
        let mut kinds = Vec::new();
        if !self.take(&[")"]) {
            loop {
                let (operand, kind, _) = self.operand()?;
                arguments.push(operand);
                kinds.push(kind);
                if self.take(&[")"]) {
                    break;
                }
                if !self.take(&[","]) {
                    return Err(self.peek().map_or_else(
                        || self.ended(),
                        |token| {
                            FilterError::new("expected a comma or a closing parenthesis", token.place.clone())
                        },
                    ));
                }
            }
        }
        let many = matches!(function, Function::Max | Function::Min);
        if kinds.is_empty() || kinds.len() > 1 && !many {
            return Err(FilterError::new("this function takes one field", place.clone()));
        }
        let wrong = |what: &str| Err(FilterError::new(what, place.clone()));
        let kind = match function {
            Function::Len | Function::Count => Type::Number,
            Function::Lower | Function::Upper if kinds != [Type::Text] => {
                return wrong("this function takes text");
            }
            Function::Max | Function::Min | Function::Abs
                if kinds.iter().any(|kind| *kind != Type::Number) =>
            {
                return wrong("this function takes numbers");
            }
            Function::Text if kinds == [Type::Heading] => return wrong("a heading has no value"),
            Function::Lower | Function::Upper | Function::Text => Type::Text,
            Function::Max | Function::Min | Function::Abs => Type::Number,
        };
        Ok((Source::Call(function, arguments), kind))
    }

    /// The number of a name, and one of its definitions.
    fn field(&mut self, word: &str, place: &Range<usize>) -> Parsed<(usize, &'static FieldDef)> {
        let known = Protocol::fields_named(word);
        let Some(first) = known.first().copied() else {
            let near = meant(word, known_names());
            return Err(FilterError::new(format!("no such field{near}"), place.clone()));
        };
        if let Some(name) = self.names.iter().position(|name| name == word) {
            return Ok((name, first));
        }
        let name = self.names.len();
        self.names.push(word.to_owned());
        self.fields.extend(known.into_iter().map(|field| (field, name)));
        Ok((name, first))
    }
}

/// The names that a condition may begin with.
fn known_names() -> impl Iterator<Item = &'static str> {
    registry::names().chain(implied::IMPLIED.iter().map(|(name, _)| *name))
}

fn comparable(left: Type, right: Type) -> bool {
    let octets = |kind| matches!(kind, Type::Octets | Type::Text);
    left == right || octets(left) && octets(right)
}

/// The comparison of a word or sign, and whether it asks all values.
fn comparison(word: &str) -> Option<(Comparison, bool)> {
    use Comparison::{Different, Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    Some(match word {
        "==" | "eq" | "any_eq" => (Equal, false),
        "===" | "all_eq" => (Equal, true),
        "!=" | "ne" | "all_ne" => (Different, true),
        "~=" | "!==" | "any_ne" => (Different, false),
        "<" | "lt" => (Less, false),
        "<=" | "le" => (LessOrEqual, false),
        ">" | "gt" => (Greater, false),
        ">=" | "ge" => (GreaterOrEqual, false),
        _ => return None,
    })
}

fn function(word: &str) -> Option<Function> {
    Some(match word {
        "len" => Function::Len,
        "count" => Function::Count,
        "lower" => Function::Lower,
        "upper" => Function::Upper,
        "string" => Function::Text,
        "max" => Function::Max,
        "min" => Function::Min,
        "abs" => Function::Abs,
        _ => return None,
    })
}

/// `0`, `0:2`, `0-1`, `:2`, `2:`, `-4:2`, and several with commas.
fn slices(text: &str) -> Option<Vec<Slice>> {
    text.split(',').map(|part| slice(part.trim())).collect()
}

fn slice(text: &str) -> Option<Slice> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    if let Some((start, length)) = text.split_once(':') {
        let start = if start.trim().is_empty() { 0 } else { number(start)? };
        let length = match length.trim() {
            "" => Length::Rest,
            length => Length::Octets(length.parse().ok().filter(|octets| *octets > 0)?),
        };
        return Some(Slice { start, length });
    }
    if let Some(start) = number(text) {
        return Some(Slice { start, length: Length::Octets(1) });
    }
    // A minus behind the first character separates first and last.
    let at = text.get(1..)?.find('-')?.checked_add(1)?;
    let (start, last) = (number(text.get(..at)?)?, number(text.get(at.checked_add(1)?..)?)?);
    Some(Slice { start, length: Length::To(last) })
}
