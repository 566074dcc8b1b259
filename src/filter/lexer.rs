//! The words and signs of a filter, each with its place.

use std::ops::Range;

use winnow::Parser as _;
use winnow::combinator::{alt, delimited, preceded, repeat};
use winnow::error::{ContextError, ParserError};
use winnow::token::{any, literal, none_of, one_of, take_till, take_while};

use super::FilterError;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a number, an address, octets: what it is depends on its place.
    Word(String),
    /// Text in double quotes.
    Text(Vec<u8>),
    /// A character in single quotes.
    Character(u8),
    /// A sign.
    Sign(&'static str),
    /// What stands in brackets: a slice.
    Slice(String),
}

/// A token and its place.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

/// Longer ones come first.
const SIGNS: &[&str] = &[
    "===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", "^^", "..", ">", "<", "!", "~", "&", "(", ")",
    "{", "}", ",",
];

/// More tokens than any honest filter has.
const MOST: usize = 4096;

type Fault = ContextError;

/// Splits a filter.
///
/// # Errors
///
/// At what is no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut rest = text;
    let mut tokens = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(tokens);
        }
        let start = text.len().saturating_sub(rest.len());
        let Ok(kind) = token(&mut rest) else { return Err(unknown(text, start)) };
        let place = start..text.len().saturating_sub(rest.len());
        if tokens.len() >= MOST {
            return Err(FilterError::new("the filter is too long", place));
        }
        tokens.push(Token { kind, place });
    }
}

fn unknown(text: &str, start: usize) -> FilterError {
    let rest = text.get(start..).unwrap_or_default();
    let what = match rest.chars().next() {
        Some('"') => "this text has no closing quote",
        Some('\'') => "a character in single quotes is one character or one escape, such as '\\x41'",
        Some('[') => "this slice has no closing bracket",
        Some('=') => "\"=\" is no comparison; use ==",
        _ => "this character has no meaning here",
    };
    let len = rest.chars().next().map_or(0, char::len_utf8);
    FilterError::new(what, start..start.saturating_add(len))
}

fn token(input: &mut &str) -> Result<Kind, Fault> {
    alt((
        text.map(Kind::Text),
        raw_text.map(Kind::Text),
        character.map(Kind::Character),
        slice.map(Kind::Slice),
        sign.map(Kind::Sign),
        word.map(Kind::Word),
    ))
    .parse_next(input)
}

fn sign(input: &mut &str) -> Result<&'static str, Fault> {
    let found = SIGNS.iter().find(|sign| input.starts_with(**sign));
    match found {
        Some(sign) => literal(*sign).map(|_| *sign).parse_next(input),
        None => Err(Fault::from_input(input)),
    }
}

/// Letters, digits and what stands inside names, numbers, addresses and octets. Two dots are a range.
fn word(input: &mut &str) -> Result<String, Fault> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-' | '/' | '+');
    let whole: &str = take_while(1.., part).parse_next(&mut &**input)?;
    let end = whole.find("..").unwrap_or(whole.len());
    if end == 0 {
        return Err(Fault::from_input(input));
    }
    winnow::token::take(end).map(str::to_owned).parse_next(input)
}

fn slice(input: &mut &str) -> Result<String, Fault> {
    delimited('[', take_till(0.., |c| c == ']' || c == '['), ']').map(str::to_owned).parse_next(input)
}

fn raw_text(input: &mut &str) -> Result<Vec<u8>, Fault> {
    delimited(alt(("r\"", "R\"")), take_till(0.., '"'), '"')
        .map(|text: &str| text.as_bytes().to_vec())
        .parse_next(input)
}

fn text(input: &mut &str) -> Result<Vec<u8>, Fault> {
    let pieces = repeat(0.., alt((escape, none_of(['"', '\\']).map(utf8)))).fold(
        Vec::new,
        |mut all, piece: Vec<u8>| {
            all.extend(piece);
            all
        },
    );
    delimited('"', pieces, '"').parse_next(input)
}

fn character(input: &mut &str) -> Result<u8, Fault> {
    let one = alt((escape, none_of(['\'', '\\']).map(utf8)));
    let octets = delimited('\'', one, '\'').parse_next(input)?;
    match octets.as_slice() {
        [octet] => Ok(*octet),
        _ => Err(Fault::from_input(input)),
    }
}

fn utf8(c: char) -> Vec<u8> {
    c.encode_utf8(&mut [0; 4]).as_bytes().to_vec()
}

/// Escapes of C. What is none stays as it is, backslash included: regular expressions have their own.
fn escape(input: &mut &str) -> Result<Vec<u8>, Fault> {
    let hex = |c: char| c.is_ascii_hexdigit();
    let octal = |c: char| matches!(c, '0'..='7');
    let number = |digits: &str, base| {
        u8::from_str_radix(digits, base).map_or_else(|_| Vec::new(), |octet| vec![octet])
    };
    preceded(
        '\\',
        alt((
            preceded('x', take_while(1..=2, hex)).map(move |digits: &str| number(digits, 16)),
            take_while(1..=3, octal).map(move |digits: &str| number(digits, 8)),
            one_of(['"', '\'', '\\']).map(utf8),
            one_of(['n', 'r', 't', 'a', 'b', 'f', 'v']).map(|c| {
                vec![match c {
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'a' => 7,
                    'b' => 8,
                    'f' => 12,
                    _ => 11,
                }]
            }),
            any.map(|c: char| format!("\\{c}").into_bytes()),
        )),
    )
    .parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).expect("tokens").into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_signs_texts_and_slices() {
        let word = |text: &str| Kind::Word(text.to_owned());
        assert_eq!(
            kinds("ip.src==10.0.0.0/8&&!udp[0:2]"),
            [
                word("ip.src"),
                Kind::Sign("=="),
                word("10.0.0.0/8"),
                Kind::Sign("&&"),
                Kind::Sign("!"),
                word("udp"),
                Kind::Slice("0:2".to_owned())
            ]
        );
        assert_eq!(kinds("{1..3}")[1..4], [word("1"), Kind::Sign(".."), word("3")]);
        assert_eq!(
            kinds(r#""a\x41\"\d" '\x06' r"\d""#),
            [Kind::Text(b"aA\"\\d".to_vec()), Kind::Character(6), Kind::Text(b"\\d".to_vec())]
        );
    }

    #[test]
    fn what_is_no_token_has_a_place() {
        for (text, at) in [("ip = 1", 3), ("ip == \"x", 6), ("udp[0", 3), ("a # b", 2)] {
            assert_eq!(tokens(text).expect_err("a fault").place.start, at, "{text}");
        }
    }
}
