//! Wireshark's `ikev1_decryption_table` and `ikev2_decryption_table`: recognised and counted, not used yet.

use super::{Dialect, Fault, Sink, text};

pub(super) const DIALECT: Dialect = Dialect { name: "Wireshark IKE decryption table", probe, parse };

/// How many hexadecimal digits an IKE SPI (cookie) has.
const SPI_DIGITS: usize = 16;

fn probe(text: &str) -> bool {
    text::lines(text).map(|(_, line)| line).any(is_entry)
}

fn parse(text: &str, sink: &mut Sink) -> Result<(), Fault> {
    sink.not_used_yet = text::lines(text).filter(|(_, line)| is_entry(line)).count();
    Ok(())
}

/// IKEv1: cookie and key. IKEv2: two SPIs, two keys, a cipher, two keys, an integrity algorithm.
fn is_entry(line: &str) -> bool {
    let mut columns = line.trim().split(',');
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    columns.next().is_some_and(|spi| spi.len() == SPI_DIGITS && is_hex(spi))
        && columns.next().is_some_and(is_hex)
}
