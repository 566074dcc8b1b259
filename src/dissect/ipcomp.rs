//! IP payload compression (RFC 3173): the header, and what DEFLATE (RFC 2394) makes of the rest.

use flate2::{Decompress, FlushDecompress, Status};

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Step, ip_protocol, ip_protocol_name};

fields! {
    section "RFC 3173 3.3";
    NEXT_HEADER = "ipcomp.next_header", "Next Header", Kind::Hex(8), names ip_protocol_name;
    FLAGS = "ipcomp.flags", "IPComp Flags", Kind::Hex(8);
    CPI = "ipcomp.cpi", "IPComp CPI", Kind::Hex(16), names cpi_name;
    DATA = "ipcomp.data", "Compressed data", Kind::Bytes;
}

/// Well-known Compression Parameter Indices (RFC 3173 section 3.3).
const DEFLATE: u16 = 2;
/// From here on they are negotiated, and only the data tell which algorithm it is.
const NEGOTIATED: u16 = 256;
/// No IP payload is longer.
const LARGEST: usize = 65_535;

fn cpi_name(cpi: u64) -> Option<&'static str> {
    Some(match cpi {
        1 => "OUI",
        2 => "DEFLATE",
        3 => "LZS",
        4 => "LZJH",
        _ => return None,
    })
}

/// Reads an IPComp header and opens what follows into `plain`, a new byte source.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers, plain: &mut Vec<u8>) -> Step {
    let next = c.u8(&NEXT_HEADER)?;
    c.u8(&FLAGS)?;
    let cpi = c.u16(&CPI)?;
    let sealed = c.peek_rest();
    let cut = c.is_cut();
    c.rest(&DATA);
    if cut || (cpi != DEFLATE && cpi < NEGOTIATED) {
        return Ok(Next::NotOurs);
    }
    match inflate(sealed, plain) {
        Inflated::Whole => Ok(ip_protocol(next)
            .map_or(Next::NotOurs, |protocol| Next::Plain { protocol, payload: 0..plain.len() })),
        // A bomb, or an algorithm that was agreed on and is another one.
        Inflated::TooLong if cpi == DEFLATE => {
            let largest = u32::try_from(LARGEST).unwrap_or(u32::MAX);
            Err(c.invalid(&DATA, largest.saturating_add(1), largest))
        }
        Inflated::TooLong | Inflated::Broken => {
            plain.clear();
            Ok(Next::NotOurs)
        }
    }
}

enum Inflated {
    /// A stream of DEFLATE that ends where the packet ends.
    Whole,
    /// More than an IP packet may have.
    TooLong,
    /// No such stream.
    Broken,
}

fn inflate(sealed: &[u8], plain: &mut Vec<u8>) -> Inflated {
    let mut stream = Decompress::new(false);
    plain.resize(LARGEST, 0);
    let status = stream.decompress(sealed, plain, FlushDecompress::Finish);
    let written = usize::try_from(stream.total_out()).unwrap_or(LARGEST);
    plain.truncate(written);
    match status {
        Ok(Status::StreamEnd) if stream.total_in() == sealed.len() as u64 => Inflated::Whole,
        Ok(_) if written == LARGEST => Inflated::TooLong,
        _ => Inflated::Broken,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;
    use crate::field::{Bound, Nothing};

    fn compressed(cpi: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![17, 0];
        packet.extend(cpi.to_be_bytes());
        let mut encoder = DeflateEncoder::new(packet, Compression::best());
        encoder.write_all(payload).unwrap();
        encoder.finish().unwrap()
    }

    fn read(packet: &[u8]) -> (String, Vec<u8>) {
        let mut plain = Vec::new();
        let mut nothing = Nothing;
        let mut c = Cursor::new(packet, 0, 0, Bound::Capture, false, &mut nothing);
        let step = match dissect(&mut c, &mut Layers::default(), &mut plain) {
            Ok(Next::Plain { protocol, payload }) => format!("{protocol:?} {payload:?}"),
            Ok(Next::NotOurs) => String::from("not ours"),
            Ok(other) => format!("{other:?}"),
            Err(short) => format!("{} {} {}", short.field.name, short.needed, short.available),
        };
        (step, plain)
    }

    #[test]
    fn deflated_payloads_are_opened() {
        let payload = [[1, 2, 3, 4].repeat(40), vec![9]].concat();
        for cpi in [2, 256, 0xffff] {
            assert_eq!(
                read(&compressed(cpi, &payload)),
                (String::from("Udp 0..161"), payload.clone()),
                "{cpi}"
            );
        }
        for cpi in [0, 1, 3, 255] {
            assert_eq!(read(&compressed(cpi, &payload)).0, "not ours", "{cpi}");
        }
    }

    #[test]
    fn what_is_no_stream_or_a_bomb_is_left_alone() {
        let whole = compressed(2, &[7; 400]);
        for cut in 0..whole.len() {
            let (step, plain) = read(&whole[..cut]);
            assert!(cut < 4 || (step == "not ours" && plain.is_empty()), "{cut}: {step}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(read(&longer).0, "not ours", "something stands behind the stream");
        assert_eq!(read(&compressed(2, &vec![0; 70_000])).0, "ipcomp.data 65536 65535");
        assert_eq!(read(&compressed(300, &vec![0; 10_000_000])).0, "not ours");
        assert_eq!(read(&compressed(2, &vec![0; LARGEST])).0, format!("Udp 0..{LARGEST}"));
    }
}
