//! The textual forms of values: tshark's, so that scripts carry over.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::field::{Kind, Node, Value};
use crate::util::printable;

use super::packet::Packet;

/// What is written instead of a password.
pub const MASK: &str = "********";

/// Writes the value of a field as `-T fields` shows it.
///
/// Nothing that a terminal would obey comes out; secrets are masked unless `secrets`.
///
/// # Errors
///
/// Those of `out`.
pub fn write(packet: &Packet<'_>, node: &Node, secrets: bool, out: &mut dyn Write) -> io::Result<()> {
    let octets = packet.octets(node.range);
    match (node.field.kind, node.value) {
        (Kind::Protocols, _) => protocols(packet, out),
        (Kind::Time, Value::Number(nanoseconds) | Value::Derived(nanoseconds)) => time(nanoseconds, out),
        (Kind::Hex(bits), Value::Number(number) | Value::Derived(number)) => {
            let digits = usize::from(bits.div_ceil(4));
            write!(out, "0x{number:0digits$x}")
        }
        (_, Value::Number(number) | Value::Derived(number)) => write!(out, "{number}"),
        (Kind::Ipv4, Value::Octets) => match octets.first_chunk::<4>() {
            Some(address) => write!(out, "{}", Ipv4Addr::from(*address)),
            None => hex(octets, out),
        },
        (Kind::Ipv6, Value::Octets) => match octets.first_chunk::<16>() {
            Some(address) => write!(out, "{}", Ipv6Addr::from(*address)),
            None => hex(octets, out),
        },
        (Kind::Mac, Value::Octets) => {
            for (at, octet) in octets.iter().enumerate() {
                write!(out, "{}{octet:02x}", if at == 0 { "" } else { ":" })?;
            }
            Ok(())
        }
        (Kind::Text, Value::Octets) => printable::write(octets, out),
        (Kind::Secret, Value::Octets) if !secrets => out.write_all(MASK.as_bytes()),
        (Kind::Secret, Value::Octets) if is_text(octets) => printable::write(octets, out),
        (Kind::Group | Kind::Protocol, Value::Octets) => {
            out.write_all(node.title.unwrap_or(node.field.label).as_bytes())
        }
        (_, Value::Octets) => hex(octets, out),
    }
}

/// Whether octets are text, as passwords are and digests are not.
fn is_text(octets: &[u8]) -> bool {
    std::str::from_utf8(octets).is_ok_and(|text| !text.chars().any(printable::is_dangerous))
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8], out: &mut dyn Write) -> io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut buffer = [0; 128];
    for chunk in octets.chunks(64) {
        for (pair, octet) in buffer.chunks_exact_mut(2).zip(chunk) {
            pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0xf)]]);
        }
        out.write_all(&buffer[..chunk.len() * 2])?;
    }
    Ok(())
}

fn time(nanoseconds: u64, out: &mut dyn Write) -> io::Result<()> {
    let time = nanoseconds.cast_signed();
    let sign = if time < 0 { "-" } else { "" };
    let time = time.unsigned_abs();
    write!(out, "{sign}{}.{:09}", time / 1_000_000_000, time % 1_000_000_000)
}

/// `eth:ethertype:ip:udp:l2tp`, without the words that tshark puts between for its own dissectors.
fn protocols(packet: &Packet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let names = packet.nodes().iter().filter(|node| node.field.kind == Kind::Protocol).skip(1);
    for (at, node) in names.enumerate() {
        write!(out, "{}{}", if at == 0 { "" } else { ":" }, node.field.name)?;
    }
    Ok(())
}
