//! Numbers, addresses and keys as key files write them.

use std::net::IpAddr;

use super::super::sa::{AddressPattern, Mode, Spi, SpiPattern};
use super::super::secret::Secret;
use super::super::suite::{Encryption, Integrity, NoAlgorithm, Vocabulary, find_encryption};
use super::Reason;

/// The line on which the text after `before` stands, counted from 1.
pub(super) fn line_of(before: &[u8]) -> u32 {
    let breaks = before.iter().filter(|octet| **octet == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// Lines with their numbers from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1u32..).zip(text.lines())
}

/// A key in hexadecimal digits; `column` is where they start.
pub(super) fn hex(digits: &[u8], column: usize) -> Result<Secret, Reason> {
    let mut key = Vec::with_capacity(digits.len().div_ceil(2));
    let nibble = |place: usize, digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
            .ok_or(Reason::BadHex { column: column.saturating_add(place) })
    };
    let mut high = None;
    for (place, digit) in digits.iter().enumerate() {
        let value = nibble(place, *digit)?;
        match high.take() {
            None => high = Some(value),
            Some(high) => key.push(high << 4 | value),
        }
    }
    match high {
        None => Ok(Secret::new(key)),
        Some(_) => Err(Reason::OddHex { column }),
    }
}

/// A key that is hexadecimal after `0x`, else the octets of the text itself.
pub(super) fn key(text: &[u8], column: usize) -> Result<Secret, Reason> {
    match text {
        [b'0', b'x' | b'X', digits @ ..] => hex(digits, column.saturating_add(2)),
        _ => Ok(Secret::new(text.to_vec())),
    }
}

/// A key in groups of hexadecimal digits with spaces between them.
pub(super) fn spaced_hex(groups: &str, column: usize) -> Result<Secret, Reason> {
    let mut key = Vec::with_capacity(groups.len().div_ceil(2));
    for group in groups.split_whitespace() {
        let at = column.saturating_add(column_of(groups, group)).saturating_sub(1);
        key.extend_from_slice(hex(group.as_bytes(), at)?.expose());
    }
    Ok(Secret::new(key))
}

/// Where `part`, which is a piece of `line`, starts in it, counted from 1.
pub(super) fn column_of(line: &str, part: &str) -> usize {
    // The place tells, for the same text may stand twice in a line.
    (part.as_ptr().addr()).saturating_sub(line.as_ptr().addr()).saturating_add(1)
}

/// The word that follows `name`, and what follows the word.
pub(super) fn named<'a>(line: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = line.split_once(name)?;
    Some(rest.split_once(char::is_whitespace).unwrap_or((rest, rest.get(rest.len()..).unwrap_or_default())))
}

/// An address that may have a port behind it: `10.0.0.1[4500]`, `10.0.0.1:4500`, `[2001:db8::1]:4500`.
pub(super) fn endpoint(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let plain = bracketed.unwrap_or_else(|| text.split(['[', '%']).next().unwrap_or(text));
    plain.parse().ok().or_else(|| plain.rsplit_once(':')?.0.parse().ok())
}

/// A number in hexadecimal digits without `0x`.
pub(super) fn hex_number(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

/// What an SA encapsulates.
pub(super) fn mode(name: &str) -> Option<Mode> {
    [Mode::Transport, Mode::Tunnel, Mode::Beet].into_iter().find(|mode| mode.name() == name)
}

/// A number in decimal, or hexadecimal after `0x`.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // `from_str_radix` takes a sign.
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

/// An SPI as Wireshark's table takes it: a number, `*`, or hexadecimal digits of which some are `?` or `*`. A
/// `*` at the end of fewer than eight digits stands for the rest.
pub(super) fn spi_pattern(text: &str) -> Option<SpiPattern> {
    if text == "*" {
        return Some(SpiPattern::masked(0, 0));
    }
    if !text.contains(['*', '?']) {
        return number(text).map(|spi| SpiPattern::exactly(Spi(spi)));
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let rest = match digits.strip_suffix('*') {
        Some(start) if digits.len() < 8 => Some(start),
        _ => None,
    };
    let (mut value, mut mask, mut count) = (0u32, 0u32, 0u32);
    for digit in rest.unwrap_or(digits).chars() {
        let wild = matches!(digit, '*' | '?');
        value = value << 4 | if wild { 0 } else { digit.to_digit(16)? };
        mask = mask << 4 | if wild { 0 } else { 0xf };
        count = count.checked_add(1).filter(|count| *count <= 8)?;
    }
    let missing = 8u32.checked_sub(count)?.checked_mul(4)?;
    if missing > 0 && rest.is_none() {
        return None;
    }
    Some(SpiPattern::masked(value.unbounded_shl(missing), mask.unbounded_shl(missing)))
}

/// An address as Wireshark's table takes it: `*`, an address, an address with a prefix length, or IPv4 with
/// `*` for some octets.
pub(super) fn address_pattern(text: &str) -> Option<AddressPattern> {
    if text == "*" || text.is_empty() {
        return Some(AddressPattern::ANY);
    }
    if let Some((address, length)) = text.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32u32 } else { 128 };
        let free = bits.checked_sub(length.parse().ok()?)?;
        return Some(AddressPattern::masked(address, u128::MAX.unbounded_shl(free)));
    }
    if text.contains('*') {
        let mut mask = u128::MAX;
        for (octet, shift) in text.split('.').zip([24u32, 16, 8, 0]) {
            if octet == "*" {
                mask &= !0xffu128.unbounded_shl(shift);
            }
        }
        return Some(AddressPattern::masked(
            text.replace('*', "0").parse().ok().filter(IpAddr::is_ipv4)?,
            mask,
        ));
    }
    text.parse().ok().map(AddressPattern::exactly)
}

/// The encryption algorithm `name` for `key`, with the errors of a key file.
pub(super) fn encryption(
    vocabulary: Vocabulary,
    name: &str,
    column: usize,
    key: &Secret,
    icv: Option<usize>,
) -> Result<Encryption, Reason> {
    find_encryption(vocabulary, name, key.len(), icv).map_err(|error| match error {
        NoAlgorithm::Unknown => Reason::UnknownAlgorithm { what: "encryption", column },
        NoAlgorithm::KeyLength { cipher, octets: expected } => {
            Reason::KeyLength { algorithm: cipher.name(), found: key.len(), expected }
        }
    })
}

/// What a combined mode has for integrity: itself.
pub(super) fn own_integrity(encryption: &Encryption) -> Option<Integrity> {
    match encryption {
        Encryption::Known(row) => row.integrity().map(Integrity::Known),
        Encryption::Unsupported(name) => Some(Integrity::Unsupported(name.clone())),
    }
}

/// Refuses an HMAC without a key, which no SA has (the key was cut out of the file), and keys that do not fit.
pub(super) fn keyed(integrity: Integrity, key: &Secret) -> Result<Integrity, Reason> {
    match &integrity {
        Integrity::Known(row) if !row.takes(key.len()) => {
            Err(Reason::KeyLength { algorithm: row.name, found: key.len(), expected: vec![row.key_octets] })
        }
        _ => Ok(integrity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_spis() {
        let shown = |text| spi_pattern(text).map(|pattern| pattern.to_string());
        assert_eq!(shown("0xc0de0001").as_deref(), Some("0xc0de0001"));
        assert_eq!(shown("4096").as_deref(), Some("0x00001000"));
        assert_eq!(shown("*").as_deref(), Some("0x????????"));
        assert_eq!(shown("0x????????").as_deref(), Some("0x????????"));
        assert_eq!(shown("0xc0de*").as_deref(), Some("0xc0de????"));
        assert_eq!(shown("0xc0de***1").as_deref(), Some("0xc0de???1"));
        for wrong in ["", "0x", "x", "0x?", "0xc0de?", "0x123456789", "0x123456789*", "0xzz*", "-1", "+1"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn patterns_of_addresses() {
        let fits =
            |pattern: &str, address: &str| address_pattern(pattern).unwrap().fits(address.parse().unwrap());
        assert!(fits("10.1.*.*", "10.1.7.8"));
        assert!(!fits("10.1.*.*", "10.2.7.8"));
        assert!(fits("2001:db8::/32", "2001:db8:5::1"));
        assert!(!fits("2001:db8::/32", "2001:db9::1"));
        assert!(fits("10.0.0.0/8", "10.255.0.1"));
        assert!(!fits("10.0.0.0/8", "11.0.0.1"));
        for wrong in ["10.1.*", "10.0.0.0/33", "::/129", "*:*", "here"] {
            assert!(address_pattern(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn keys_say_where_a_digit_is_wrong_and_not_which() {
        assert_eq!(key(b"0x00fg", 10).unwrap_err(), Reason::BadHex { column: 15 });
        assert_eq!(key(b"0x00f", 10).unwrap_err(), Reason::OddHex { column: 12 });
        assert_eq!(key(b"0x00ff", 1).unwrap().expose(), [0, 255]);
        assert_eq!(key(b"hello", 1).unwrap().expose(), b"hello");
    }
}
