//! The TCP header (RFC 9293 section 3.1), of packets inside PPP.

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Step};

fields! {
    section "RFC 9293 3.1";
    SOURCE = "tcp.srcport", "Source Port", Kind::Dec(16);
    DESTINATION = "tcp.dstport", "Destination Port", Kind::Dec(16);
    SEQUENCE = "tcp.seq_raw", "Sequence Number (raw)", Kind::Dec(32);
    ACKNOWLEDGMENT = "tcp.ack_raw", "Acknowledgment number (raw)", Kind::Dec(32);
    HEADER_LENGTH = "tcp.hdr_len", "Header Length", Kind::Dec(8);
    FLAGS = "tcp.flags", "Flags", Kind::Hex(16);
    URG = "tcp.flags.urg", "Urgent", Kind::Flag;
    ACK = "tcp.flags.ack", "Acknowledgment", Kind::Flag;
    PSH = "tcp.flags.push", "Push", Kind::Flag;
    RST = "tcp.flags.reset", "Reset", Kind::Flag;
    SYN = "tcp.flags.syn", "Syn", Kind::Flag;
    FIN = "tcp.flags.fin", "Fin", Kind::Flag;
    WINDOW = "tcp.window_size_value", "Window", Kind::Dec(16);
    CHECKSUM = "tcp.checksum", "Checksum", Kind::Hex(16);
    URGENT = "tcp.urgent_pointer", "Urgent Pointer", Kind::Dec(16);
    OPTIONS = "tcp.options", "TCP Options", Kind::Bytes;
    PAYLOAD = "tcp.payload", "TCP payload", Kind::Bytes;
}

const MIN_HEADER: usize = 20;

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.u16(&SOURCE)?;
    c.u16(&DESTINATION)?;
    c.u32(&SEQUENCE)?;
    c.u32(&ACKNOWLEDGMENT)?;
    let word = c.bits16(&FLAGS)?;
    let header = usize::from(word >> 12).saturating_mul(4);
    c.part_of(&HEADER_LENGTH, 2, 1, header as u64);
    c.part(&FLAGS, 2, u64::from(word & 0x0fff));
    for (bit, field) in [&FIN, &SYN, &RST, &PSH, &ACK, &URG].into_iter().enumerate().rev() {
        c.part(field, 1, u64::from(word >> bit & 1));
    }
    c.u16(&WINDOW)?;
    c.u16(&CHECKSUM)?;
    c.u16(&URGENT)?;
    let Some(options) = header.checked_sub(MIN_HEADER) else {
        return Err(c.invalid(&HEADER_LENGTH, 20, u32::try_from(header).unwrap_or(0)));
    };
    if options > 0 {
        c.sub(&OPTIONS, options, Bound::Header("the TCP header length"))?.rest(&OPTIONS);
    }
    if !c.is_empty() {
        c.rest(&PAYLOAD);
    }
    Ok(Next::NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn headers_with_options_and_headers_that_are_too_short() {
        let syn = [0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 1, 0, 0, 0, 0, 0, 2, 4, 5, 180];
        assert_eq!(step(&syn, dissect), "NotOurs");
        let mut short = syn;
        short[12] = 0x40;
        assert_eq!(step(&short, dissect), "Short tcp.hdr_len needs 20, has 16 at 20");
        assert_eq!(step(&syn[..22], dissect), "Short tcp.options needs 4, has 2 at 20");
    }
}
