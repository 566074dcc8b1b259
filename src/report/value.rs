//! The textual forms of values: tshark's, so that scripts carry over.

use std::io::Write as _;
use std::net::Ipv6Addr;

use crate::field::{Kind, Node, Range, Value};
use crate::util::{Timestamp, printable};

use super::packet::Packet;

/// What is written instead of a password.
pub const MASK: &str = "********";

/// Writes the value of a field as `-T fields` shows it.
///
/// Nothing that a terminal would obey comes out; what the packet says is to be masked is.
pub fn write(packet: &Packet<'_>, node: &Node, out: &mut Vec<u8>) {
    if packet.keeps_hidden(node.range) {
        out.extend_from_slice(MASK.as_bytes());
        return;
    }
    match (node.field.kind, node.value) {
        (Kind::Protocols, _) => protocols(packet, out),
        (Kind::Time, Value::Number(nanoseconds) | Value::Derived(nanoseconds)) => time(nanoseconds, out),
        (Kind::Moment, Value::Number(nanoseconds) | Value::Derived(nanoseconds)) => moment(nanoseconds, out),
        (Kind::Hex(bits), Value::Number(number) | Value::Derived(number)) => hexadecimal(number, bits, out),
        (_, Value::Number(number) | Value::Derived(number)) => decimal(number, out),
        (kind, Value::Octets) => octets(packet, kind, node, out),
    }
}

fn octets(packet: &Packet<'_>, kind: Kind, node: &Node, out: &mut Vec<u8>) {
    let octets = packet.octets(node.range);
    match kind {
        Kind::Ipv4 => match octets {
            [a, b, c, d] => {
                for (at, octet) in [a, b, c, d].into_iter().enumerate() {
                    if at > 0 {
                        out.push(b'.');
                    }
                    decimal((*octet).into(), out);
                }
            }
            _ => hex(octets, out),
        },
        Kind::Ipv6 => match octets.first_chunk::<16>() {
            Some(address) => {
                let _ = write!(out, "{}", Ipv6Addr::from(*address));
            }
            None => hex(octets, out),
        },
        Kind::Mac => {
            for (at, octet) in octets.iter().enumerate() {
                if at > 0 {
                    out.push(b':');
                }
                hex(&[*octet], out);
            }
        }
        // A secret of another packet in a text makes a secret of it.
        Kind::Text if packet.masks(node.range).next().is_some() => out.extend_from_slice(MASK.as_bytes()),
        Kind::Text => printable::write(octets, out),
        Kind::Secret if !packet.masked.is_empty() => out.extend_from_slice(MASK.as_bytes()),
        Kind::Secret if is_text(octets) => printable::write(octets, out),
        Kind::Group | Kind::Protocol => {
            out.extend_from_slice(node.title.unwrap_or(node.field.label).as_bytes())
        }
        _ => masked_hex(packet, node.range, octets, out),
    }
}

/// Octets in hexadecimal, with stars for those that nobody is to read.
pub(super) fn masked_hex(packet: &Packet<'_>, range: Range, octets: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    hex(octets, out);
    for mask in packet.masks(range) {
        if let Some(digits) = out.get_mut(start + 2 * mask.start..start + 2 * mask.end) {
            digits.fill(b'*');
        }
    }
}

/// Whether octets are text, as passwords are and digests are not.
fn is_text(octets: &[u8]) -> bool {
    std::str::from_utf8(octets).is_ok_and(|text| !text.chars().any(printable::is_dangerous))
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of each octet: payloads are most of what machines read.
static PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut octet = 0;
    while octet < 256 {
        pairs[octet] = [DIGITS[octet >> 4], DIGITS[octet & 0xf]];
        octet += 1;
    }
    pairs
};

fn digit(value: u64) -> u8 {
    DIGITS[usize::try_from(value & 0xf).unwrap_or(0)]
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + octets.len() * 2, 0);
    for (pair, octet) in out[start..].chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&PAIRS[usize::from(*octet)]);
    }
}

fn hexadecimal(number: u64, bits: u8, out: &mut Vec<u8>) {
    let least = u32::from(bits.div_ceil(4)).max(1);
    let digits = least.max((64 - number.leading_zeros()).div_ceil(4));
    out.extend_from_slice(b"0x");
    out.extend((0..digits).rev().map(|at| digit(number >> (4 * at))));
}

/// A number in decimal.
pub(super) fn decimal(number: u64, out: &mut Vec<u8>) {
    if number < 10 {
        out.push(digit(number));
        return;
    }
    let mut digits = [0; 20];
    let (mut at, mut left) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = digit(left % 10);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn time(nanoseconds: u64, out: &mut Vec<u8>) {
    let time = nanoseconds.cast_signed();
    let sign = if time < 0 { "-" } else { "" };
    let time = time.unsigned_abs();
    let _ = write!(out, "{sign}{}.{:09}", time / 1_000_000_000, time % 1_000_000_000);
}

/// `Nov 25, 2026 06:45:23.000000000 UTC`.
fn moment(nanoseconds: u64, out: &mut Vec<u8>) {
    if let Ok(time) = jiff::Timestamp::from_nanosecond(nanoseconds.cast_signed().into()) {
        let _ = write!(out, "{}", time.strftime("%b %e, %Y %H:%M:%S%.9f UTC"));
    }
}

/// A moment as RFC 3339 writes it, with nanoseconds.
pub(super) fn rfc3339(time: Timestamp, out: &mut Vec<u8>) {
    if let Ok(moment) = jiff::Timestamp::from_nanosecond(time.0.into()) {
        let _ = write!(out, "{moment:.9}");
    }
}

/// `eth:ip:udp:l2tp`, without the words that tshark puts between for its own dissectors.
fn protocols(packet: &Packet<'_>, out: &mut Vec<u8>) {
    let names = packet.nodes().iter().filter(|node| node.field.kind == Kind::Protocol).skip(1);
    for (at, node) in names.enumerate() {
        if at > 0 {
            out.push(b':');
        }
        out.extend_from_slice(node.field.name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_forms_of_tshark() {
        let form = |number, bits| {
            let mut out = Vec::new();
            hexadecimal(number, bits, &mut out);
            String::from_utf8(out).unwrap_or_default()
        };
        assert_eq!([form(0, 1), form(0x2, 12), form(0xc802, 16)], ["0x0", "0x002", "0xc802"]);
        let mut out = Vec::new();
        decimal(u64::MAX, &mut out);
        decimal(0, &mut out);
        assert_eq!(out, b"184467440737095516150");
    }

    #[test]
    fn times_before_the_first_packet_are_negative() {
        let mut out = Vec::new();
        time((-1_500_000_000i64).cast_unsigned(), &mut out);
        assert_eq!(out, b"-1.500000000");
    }
}
