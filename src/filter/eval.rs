//! Whether an expression holds for a packet.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::field::{Kind, Range, Value};

use super::literal::Literal;
use super::number;
use super::parser::{Comparison, Element, Expression, Function, Length, Operand, Right, Slice, Source};

/// A value of a field that the filter names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) name: usize,
    pub(super) kind: Kind,
    pub(super) range: Range,
    pub(super) value: Value,
}

/// A value as it is compared.
#[derive(Debug, Clone)]
enum Item<'p> {
    Number(i128),
    Octets(Cow<'p, [u8]>),
}

type Bytes<'f, 'p> = &'f dyn Fn(Range) -> &'p [u8];

/// Whether `expression` holds for a packet with these values.
pub(super) fn holds(expression: &Expression, found: &[Found], octets: Bytes<'_, '_>) -> bool {
    match expression {
        Expression::Not(inner) => !holds(inner, found, octets),
        Expression::And(a, b) => holds(a, found, octets) && holds(b, found, octets),
        Expression::Or(a, b) => holds(a, found, octets) || holds(b, found, octets),
        Expression::Xor(a, b) => holds(a, found, octets) != holds(b, found, octets),
        Expression::Exists(operand) => exists(operand, found, octets),
        Expression::Compare { left, comparison, all, right } => {
            let left = values(left, found, octets);
            let test = |item: &Item<'_>| match right {
                Right::Literal(literal) => compare_literal(item, *comparison, literal),
                Right::Operand(operand) => {
                    let others = values(operand, found, octets);
                    let mut tests = others.iter().map(|other| compare(item, *comparison, other));
                    if *all {
                        !others.is_empty() && tests.all(|holds| holds)
                    } else {
                        tests.any(|holds| holds)
                    }
                }
            };
            if *all { !left.is_empty() && left.iter().all(test) } else { left.iter().any(test) }
        }
        Expression::Contains(left, right) => {
            let left = values(left, found, octets);
            match right {
                Right::Literal(Literal::Octets(part)) => left.iter().any(|item| contains(item, part)),
                Right::Literal(_) => false,
                Right::Operand(operand) => values(operand, found, octets).iter().any(|part| match part {
                    Item::Octets(part) => left.iter().any(|item| contains(item, part)),
                    Item::Number(_) => false,
                }),
            }
        }
        Expression::Matches(operand, pattern) => values(operand, found, octets)
            .iter()
            .any(|item| matches!(item, Item::Octets(octets) if pattern.is_match(octets))),
        Expression::In(operand, set) => {
            values(operand, found, octets).iter().any(|item| set.iter().any(|element| is_in(item, element)))
        }
    }
}

fn exists(operand: &Operand, found: &[Found], octets: Bytes<'_, '_>) -> bool {
    if let (Source::Field(name), true, None) = (&operand.source, operand.slices.is_empty(), &operand.mask) {
        return found.iter().any(|one| one.name == *name);
    }
    let values = values(operand, found, octets);
    if operand.mask.is_none() {
        return !values.is_empty();
    }
    values.iter().any(|item| match item {
        Item::Number(number) => *number != 0,
        Item::Octets(octets) => octets.iter().any(|octet| *octet != 0),
    })
}

fn values<'p>(operand: &Operand, found: &[Found], octets: Bytes<'_, 'p>) -> Vec<Item<'p>> {
    let mut items = match &operand.source {
        Source::Field(name) => {
            let own = found.iter().filter(|one| one.name == *name);
            own.map(|one| item(one, !operand.slices.is_empty(), octets)).collect()
        }
        Source::Call(function, arguments) => call(*function, arguments, found, octets),
    };
    if !operand.slices.is_empty() {
        items = items.into_iter().filter_map(|item| sliced(item, &operand.slices)).collect();
    }
    if let Some(mask) = &operand.mask {
        items = items.into_iter().map(|item| masked(item, mask)).collect();
    }
    items
}

fn item<'p>(one: &Found, raw: bool, octets: Bytes<'_, 'p>) -> Item<'p> {
    match number(one.value) {
        // Times are signed.
        Some(number) if matches!(one.kind, Kind::Time | Kind::Moment) => {
            Item::Number(u64::try_from(number).map_or(number, |number| number.cast_signed().into()))
        }
        Some(number) if !raw => Item::Number(number),
        _ => Item::Octets(Cow::Borrowed(octets(one.range))),
    }
}

fn call<'p>(
    function: Function,
    arguments: &[Operand],
    found: &[Found],
    octets: Bytes<'_, 'p>,
) -> Vec<Item<'p>> {
    let all = || arguments.iter().flat_map(|operand| values(operand, found, octets));
    let numbers =
        || all().filter_map(|item| if let Item::Number(number) = item { Some(number) } else { None });
    let text = |change: fn(&[u8]) -> Vec<u8>| {
        let octets = |item| if let Item::Octets(octets) = item { Some(octets) } else { None };
        all().filter_map(octets).map(|text| Item::Octets(change(&text).into())).collect()
    };
    let size = |octets: usize| Item::Number(i128::try_from(octets).unwrap_or(i128::MAX));
    match function {
        // The length on the wire, of numbers too.
        Function::Len => match arguments.first().map(|operand| &operand.source) {
            Some(Source::Field(name)) => {
                found.iter().filter(|one| one.name == *name).map(|one| size(one.range.len())).collect()
            }
            _ => all()
                .map(|item| if let Item::Octets(octets) = item { size(octets.len()) } else { item })
                .collect(),
        },
        Function::Count => match all().count() {
            0 => Vec::new(),
            count => vec![size(count)],
        },
        Function::Lower => text(<[u8]>::to_ascii_lowercase),
        Function::Upper => text(<[u8]>::to_ascii_uppercase),
        Function::Text => all()
            .map(|item| match item {
                Item::Number(number) => Item::Octets(number.to_string().into_bytes().into()),
                octets @ Item::Octets(_) => octets,
            })
            .collect(),
        Function::Max => numbers().max().map(Item::Number).into_iter().collect(),
        Function::Min => numbers().min().map(Item::Number).into_iter().collect(),
        Function::Abs => numbers().map(|number| Item::Number(number.saturating_abs())).collect(),
    }
}

/// The parts of a value, one behind the other; nothing if one of them is not there.
fn sliced<'p>(item: Item<'p>, slices: &[Slice]) -> Option<Item<'p>> {
    let Item::Octets(octets) = item else { return None };
    let len = i64::try_from(octets.len()).ok()?;
    let from_end = |at: i64| if at < 0 { len.checked_add(at) } else { Some(at) };
    let mut parts = Vec::new();
    for slice in slices {
        let start = from_end(slice.start)?;
        let end = match slice.length {
            Length::Rest => len,
            Length::Octets(octets) => start.checked_add(i64::try_from(octets).ok()?)?,
            Length::To(last) => from_end(last)?.checked_add(1)?,
        };
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        let part = octets.get(range)?;
        if part.is_empty() {
            return None;
        }
        parts.extend_from_slice(part);
    }
    Some(Item::Octets(parts.into()))
}

fn masked<'p>(item: Item<'p>, mask: &Literal) -> Item<'p> {
    match (item, mask) {
        (Item::Number(number), Literal::Number(mask)) => Item::Number(number & mask),
        (Item::Octets(octets), Literal::Octets(mask)) => {
            Item::Octets(octets.iter().zip(mask).map(|(octet, mask)| octet & mask).collect())
        }
        (item, _) => item,
    }
}

fn ordering(a: &Item<'_>, b: &Item<'_>) -> Option<Ordering> {
    match (a, b) {
        (Item::Number(a), Item::Number(b)) => Some(a.cmp(b)),
        (Item::Octets(a), Item::Octets(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn meets(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::Different => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}

fn compare(a: &Item<'_>, comparison: Comparison, b: &Item<'_>) -> bool {
    ordering(a, b).is_some_and(|ordering| meets(comparison, ordering))
}

fn compare_literal(item: &Item<'_>, comparison: Comparison, literal: &Literal) -> bool {
    against(item, literal).is_some_and(|ordering| meets(comparison, ordering))
}

fn against(item: &Item<'_>, literal: &Literal) -> Option<Ordering> {
    match (item, literal) {
        (Item::Number(number), Literal::Number(other)) => Some(number.cmp(other)),
        (Item::Octets(octets), Literal::Octets(other)) => Some(octets.as_ref().cmp(other.as_slice())),
        (Item::Octets(octets), Literal::Network(network, bits)) => Some(leading(octets, network, *bits)),
        _ => None,
    }
}

/// Compares the first `bits` bits.
fn leading(octets: &[u8], network: &[u8], bits: u32) -> Ordering {
    let mut left = bits;
    for (octet, other) in octets.iter().zip(network) {
        let mask = match left {
            0 => return Ordering::Equal,
            1..=7 => 0xffu8.checked_shl(8u32.saturating_sub(left)).unwrap_or(0),
            _ => 0xff,
        };
        match (octet & mask).cmp(&(other & mask)) {
            Ordering::Equal => left = left.saturating_sub(8),
            different => return different,
        }
    }
    Ordering::Equal
}

fn contains(item: &Item<'_>, part: &[u8]) -> bool {
    match item {
        Item::Octets(octets) => part.is_empty() || octets.windows(part.len()).any(|window| window == part),
        Item::Number(_) => false,
    }
}

fn is_in(item: &Item<'_>, element: &Element) -> bool {
    match element {
        Element::One(literal) => against(item, literal).is_some_and(Ordering::is_eq),
        Element::Span(low, high) => {
            against(item, low).is_some_and(Ordering::is_ge)
                && against(item, high).is_some_and(Ordering::is_le)
        }
    }
}
