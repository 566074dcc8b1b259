//! IPv4 (RFC 791).

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::defrag::Key;
use super::layers::{Addresses, Layers};
use super::{Next, Protocol, Step, ip_follow, ip_protocol_name};

fields! {
    section "RFC 791 3.1";
    VERSION = "ip.version", "Version", Kind::Dec(8);
    HEADER_LENGTH = "ip.hdr_len", "Header Length", Kind::Dec(8);
    DS_FIELD = "ip.dsfield", "Differentiated Services Field", Kind::Hex(8);
    DSCP = "ip.dsfield.dscp", "Differentiated Services Codepoint", Kind::Dec(8);
    ECN = "ip.dsfield.ecn", "Explicit Congestion Notification", Kind::Dec(8);
    LENGTH = "ip.len", "Total Length", Kind::Dec(16);
    IDENTIFICATION = "ip.id", "Identification", Kind::Hex(16);
    FLAGS = "ip.flags", "Flags", Kind::Hex(8);
    RESERVED_BIT = "ip.flags.rb", "Reserved bit", Kind::Flag;
    DONT_FRAGMENT = "ip.flags.df", "Don't fragment", Kind::Flag;
    MORE_FRAGMENTS = "ip.flags.mf", "More fragments", Kind::Flag;
    FRAGMENT_OFFSET = "ip.frag_offset", "Fragment Offset", Kind::Dec(16);
    TTL = "ip.ttl", "Time to Live", Kind::Dec(8);
    PROTOCOL = "ip.proto", "Protocol", Kind::Dec(8), names ip_protocol_name;
    CHECKSUM = "ip.checksum", "Header Checksum", Kind::Hex(16);
    SOURCE = "ip.src", "Source Address", Kind::Ipv4;
    DESTINATION = "ip.dst", "Destination Address", Kind::Ipv4;
    OPTIONS = "ip.options", "Options", Kind::Bytes;
    FRAGMENT = "ip.fragment", "Fragment", Kind::Bytes;
}

const BOUND: Bound = Bound::Header("the IP total length");

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let first = c.bits8(&VERSION)?;
    c.part(&VERSION, 1, u64::from(first >> 4));
    let header_len = usize::from(first & 0xf).saturating_mul(4);
    c.part(&HEADER_LENGTH, 1, header_len as u64);
    if first >> 4 != 4 {
        return Err(c.invalid(&VERSION, 4, u32::from(first >> 4)));
    }
    if header_len < 20 {
        return Err(c.invalid(&HEADER_LENGTH, 20, u32::from(first & 0xf).saturating_mul(4)));
    }
    let ds = c.u8(&DS_FIELD)?;
    c.part(&DSCP, 1, u64::from(ds >> 2));
    c.part(&ECN, 1, u64::from(ds & 3));
    let length = c.u16(&LENGTH)?;
    let identification = c.u16(&IDENTIFICATION)?;
    let flags = c.bits16(&FLAGS)?;
    c.part_of(&FLAGS, 2, 1, u64::from(flags >> 13));
    c.part_of(&RESERVED_BIT, 2, 1, u64::from(flags >> 15 & 1));
    c.part_of(&DONT_FRAGMENT, 2, 1, u64::from(flags >> 14 & 1));
    let more = flags >> 13 & 1 == 1;
    c.part_of(&MORE_FRAGMENTS, 2, 1, u64::from(more));
    let offset = u32::from(flags & 0x1fff).saturating_mul(8);
    // As it stands, in units of 8 octets.
    c.part(&FRAGMENT_OFFSET, 2, u64::from(flags & 0x1fff));
    c.u8(&TTL)?;
    let protocol = c.u8(&PROTOCOL)?;
    c.u16(&CHECKSUM)?;
    let addresses = Addresses { source: c.ipv4(&SOURCE)?.into(), destination: c.ipv4(&DESTINATION)?.into() };
    layers.addresses = Some(addresses);
    layers.outer.get_or_insert(addresses);
    if header_len > 20 {
        c.octets(&OPTIONS, header_len.saturating_sub(20))?;
    }
    // A total length of 0 is what a capture before segmentation offload shows: the packet is as long as the frame.
    if length != 0 {
        if usize::from(length) < header_len {
            return Err(c.invalid(&LENGTH, u32::try_from(header_len).unwrap_or(20), u32::from(length)));
        }
        let rest = usize::from(length).saturating_sub(header_len);
        layers.overruns(Protocol::Ipv4, c.overrun(&LENGTH, rest));
        c.limit(rest, BOUND);
    }
    if more || offset > 0 {
        let key = Key { addresses, identification: identification.into(), protocol };
        return Ok(Next::fragment(c, key, offset, more));
    }
    Ok(ip_follow(c, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    fn packet(length: u16, flags: u16, protocol: u8) -> Vec<u8> {
        let mut bytes =
            vec![0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, protocol, 0, 0, 10, 1, 0, 2, 203, 0, 113, 2];
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[6..8].copy_from_slice(&flags.to_be_bytes());
        bytes.resize(40, 0);
        bytes
    }

    #[test]
    fn the_total_length_ends_the_payload() {
        assert_eq!(step(&packet(40, 0x4000, 17), dissect), "Payload Udp 20..40");
        assert_eq!(step(&packet(30, 0, 50), dissect), "Payload Esp 20..30");
        assert_eq!(step(&packet(60, 0, 50), dissect), "Payload Esp 20..40 cut");
        assert_eq!(step(&packet(0, 0, 50), dissect), "Payload Esp 20..40");
        assert_eq!(step(&packet(40, 0, 6), dissect), "Payload Tcp 20..40");
        assert_eq!(step(&packet(40, 0, 132), dissect), "NotOurs");
        assert_eq!(step(&packet(19, 0, 6), dissect), "Short ip.len needs 20, has 19 at 20");
        assert_eq!(step(&packet(40, 0x2000, 17), dissect), "Fragment 0 more");
        assert_eq!(step(&packet(40, 0x0001, 17), dissect), "Fragment 8 last");
    }

    #[test]
    fn a_header_that_lies_about_itself_is_a_fault() {
        let mut bytes = packet(40, 0, 17);
        bytes[0] = 0x44;
        assert_eq!(step(&bytes, dissect), "Short ip.hdr_len needs 20, has 16 at 1");
        bytes[0] = 0x65;
        assert_eq!(step(&bytes, dissect), "Short ip.version needs 4, has 6 at 1");
    }
}
