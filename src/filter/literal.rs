//! Values that stand in a filter, read as the field beside them wants them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::field::{FieldDef, Kind};

use super::FilterError;
use super::lexer::{self, Token};

/// What the values of an operand are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Time,
    Moment,
    Ipv4,
    Ipv6,
    Octets,
    Text,
    Heading,
}

impl Type {
    pub(super) fn of(field: &FieldDef) -> Self {
        match field.kind {
            Kind::Dec(_) | Kind::Hex(_) | Kind::Flag => Self::Number,
            Kind::Time => Self::Time,
            Kind::Moment => Self::Moment,
            Kind::Ipv4 => Self::Ipv4,
            Kind::Ipv6 => Self::Ipv6,
            Kind::Mac | Kind::Bytes | Kind::Protocol => Self::Octets,
            Kind::Secret | Kind::Text => Self::Text,
            Kind::Group | Kind::Protocols => Self::Heading,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Time => "a time",
            Self::Moment => "a date and time",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Octets => "octets",
            Self::Text => "text",
            Self::Heading => "a heading without a value",
        }
    }
}

/// A value in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Number(i128),
    Octets(Vec<u8>),
    /// All addresses with so many leading bits in common.
    Network(Vec<u8>, u32),
}

/// Reads a token as a value for an operand of this type. `field` gives names and width, where there is one.
pub(super) fn read(token: &Token, wanted: Type, field: Option<&FieldDef>) -> Result<Literal, FilterError> {
    let place = token.place.clone();
    match (wanted, &token.kind) {
        (Type::Number, lexer::Kind::Character(octet)) => Ok(Literal::Number((*octet).into())),
        (Type::Number, lexer::Kind::Word(word)) => number_or_name(word, field, place),
        (Type::Number, lexer::Kind::Text(text)) => {
            let name = String::from_utf8_lossy(text);
            named(&name, field).ok_or_else(|| {
                FilterError::new(format!("{} has no value with this name", owner(field)), place)
            })
        }
        (Type::Time, lexer::Kind::Word(word)) => {
            seconds(word).map(Literal::Number).ok_or_else(|| wrong(wanted, "such as 1.5", place))
        }
        (Type::Moment, lexer::Kind::Word(word)) => {
            moment(word).ok_or_else(|| wrong(wanted, "such as \"2026-11-25 07:00:00\"", place))
        }
        (Type::Moment, lexer::Kind::Text(text)) => moment(&String::from_utf8_lossy(text))
            .ok_or_else(|| wrong(wanted, "such as \"2026-11-25 07:00:00\"", place)),
        (Type::Ipv4, lexer::Kind::Word(word)) => {
            ipv4(word).ok_or_else(|| wrong(wanted, "such as 10.1.0.2 or 10.0.0.0/8", place))
        }
        (Type::Ipv6, lexer::Kind::Word(word)) => {
            ipv6(word).ok_or_else(|| wrong(wanted, "such as 2001:db8::1 or 2001:db8::/32", place))
        }
        (Type::Octets, lexer::Kind::Word(word)) => octets(word)
            .filter(|octets| field.is_none_or(|field| field.kind != Kind::Mac || octets.len() == 6))
            .map(Literal::Octets)
            .ok_or_else(|| match field {
                Some(field) if field.kind == Kind::Mac => wrong(wanted, "such as 00:00:5e:00:53:01", place),
                _ => wrong(wanted, "such as c8:02, or text in quotes", place),
            }),
        (Type::Text, lexer::Kind::Word(word)) => Ok(Literal::Octets(word.as_bytes().to_vec())),
        (Type::Octets | Type::Text, lexer::Kind::Text(text)) => Ok(Literal::Octets(text.clone())),
        (Type::Octets | Type::Text, lexer::Kind::Character(octet)) => Ok(Literal::Octets(vec![*octet])),
        _ => Err(wrong(wanted, "here", place)),
    }
}

fn wrong(wanted: Type, example: &str, place: Range<usize>) -> FilterError {
    FilterError::new(format!("expected {} {example}", wanted.name()), place)
}

fn owner(field: Option<&FieldDef>) -> &'static str {
    field.map_or("this operand", |field| field.name)
}

fn number_or_name(word: &str, field: Option<&FieldDef>, place: Range<usize>) -> Result<Literal, FilterError> {
    let Some(number) = number(word) else {
        return named(word, field).ok_or_else(|| {
            FilterError::new(
                format!("this is no number, and {} has no value with this name", owner(field)),
                place,
            )
        });
    };
    let bits = match field.map(|field| field.kind) {
        Some(Kind::Dec(bits) | Kind::Hex(bits)) => u32::from(bits),
        _ => 64,
    };
    let most = 1i128.checked_shl(bits).unwrap_or(i128::MAX).saturating_sub(1);
    if number > most {
        return Err(FilterError::new(
            format!("too large for {}, whose largest value is {most}", owner(field)),
            place,
        ));
    }
    Ok(Literal::Number(number))
}

/// Decimal, 0x, 0b, or octal behind a 0.
fn number(word: &str) -> Option<i128> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    let lower = digits.to_ascii_lowercase();
    let parse = |digits: &str, base| u64::from_str_radix(digits, base).ok();
    let value = if let Some(hex) = lower.strip_prefix("0x") {
        parse(hex, 16)?
    } else if let Some(binary) = lower.strip_prefix("0b") {
        parse(binary, 2)?
    } else if lower.len() > 1 && lower.starts_with('0') {
        parse(&lower, 8)?
    } else {
        parse(&lower, 10)?
    };
    Some(i128::from(value).saturating_mul(sign))
}

/// The number whose name this is, whatever the case.
fn named(name: &str, field: Option<&FieldDef>) -> Option<Literal> {
    let field = field?;
    if field.kind == Kind::Flag {
        let truth = ["false", "true"].iter().position(|word| word.eq_ignore_ascii_case(name));
        return truth.and_then(|value| Some(Literal::Number(value.try_into().ok()?)));
    }
    let names = field.names?;
    (0..=u64::from(u16::MAX))
        .find(|number| names(*number).is_some_and(|known| known.eq_ignore_ascii_case(name)))
        .map(|number| Literal::Number(number.into()))
}

/// Seconds as nanoseconds.
fn seconds(word: &str) -> Option<i128> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    Some(i128::from(whole).saturating_mul(1_000_000_000).saturating_add(fraction.into()).saturating_mul(sign))
}

/// A date and time of day, in UTC unless it says otherwise: as RFC 3339 or as tshark writes it.
fn moment(text: &str) -> Option<Literal> {
    let text = text.trim().trim_end_matches("UTC").trim_end();
    let nanoseconds = |time: jiff::Timestamp| Literal::Number(time.as_nanosecond());
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(nanoseconds(time));
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%b %d, %Y %H:%M:%S%.f"];
    let parsed = forms.iter().find_map(|form| jiff::civil::DateTime::strptime(form, text).ok());
    let date = || text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0));
    jiff::tz::TimeZone::UTC.to_timestamp(parsed.or_else(date)?).ok().map(nanoseconds)
}

fn network(octets: Vec<u8>, bits: Option<&str>) -> Option<Literal> {
    let most = u32::try_from(octets.len()).ok()?.checked_mul(8)?;
    match bits {
        None => Some(Literal::Octets(octets)),
        Some(bits) => {
            bits.parse().ok().filter(|bits| *bits <= most).map(|bits| Literal::Network(octets, bits))
        }
    }
}

fn split(word: &str) -> (&str, Option<&str>) {
    word.split_once('/').map_or((word, None), |(address, bits)| (address, Some(bits)))
}

fn ipv4(word: &str) -> Option<Literal> {
    let (address, bits) = split(word);
    network(address.parse::<Ipv4Addr>().ok()?.octets().to_vec(), bits)
}

fn ipv6(word: &str) -> Option<Literal> {
    let (address, bits) = split(word);
    network(address.parse::<Ipv6Addr>().ok()?.octets().to_vec(), bits)
}

/// `c8:02`, `c8-02`, `c8.02`, `c802`, `0xc802`; an odd number of digits begins with a 0.
fn octets(word: &str) -> Option<Vec<u8>> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let parts: Vec<&str> = digits.split([':', '-', '.']).collect();
    if let [one] = parts.as_slice() {
        let even = if one.len() % 2 == 1 { format!("0{one}") } else { (*one).to_owned() };
        return even.as_bytes().chunks(2).map(hex).collect();
    }
    parts.into_iter().map(|part| if part.len() <= 2 { hex(part.as_bytes()) } else { None }).collect()
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_base() {
        let all = ["16", "0x10", "0b10000", "020", "+16", "-16"].map(number);
        assert_eq!(all, [Some(16), Some(16), Some(16), Some(16), Some(16), Some(-16)]);
        assert_eq!([number("1.5"), number("x"), number("08")], [None; 3]);
        assert_eq!(seconds("-1.5"), Some(-1_500_000_000));
    }

    #[test]
    fn octets_in_every_notation() {
        for word in ["c8:02", "c8-02", "c8.02", "c802", "0xc802"] {
            assert_eq!(octets(word), Some(vec![0xc8, 2]), "{word}");
        }
        assert_eq!(octets("abc"), Some(vec![0x0a, 0xbc]));
        assert_eq!(octets("xyz"), None);
        assert_eq!(octets("7"), Some(vec![7]));
    }
}
