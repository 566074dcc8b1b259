//! ICMP, and the packet that an error quotes (RFC 792; next-hop MTU RFC 1191 section 4).

use super::layers::{Addresses, IcmpError, Layers};
use super::{Next, Protocol, Step, inner};
use crate::field::{Bound, Cursor, Kind, Nothing, Short, Sink};

crate::fields! {
    section "RFC 792";
    TYPE = "icmp.type", "Type", Kind::Dec(8), names type_name;
    CODE = "icmp.code", "Code", Kind::Dec(8);
    UNREACHABLE_CODE = "icmp.code", "Code", Kind::Dec(8), names unreachable_code;
    REDIRECT_CODE = "icmp.code", "Code", Kind::Dec(8), names redirect_code;
    EXCEEDED_CODE = "icmp.code", "Code", Kind::Dec(8), names exceeded_code;
    PARAMETER_CODE = "icmp.code", "Code", Kind::Dec(8), names parameter_code;
    CHECKSUM = "icmp.checksum", "Checksum", Kind::Hex(16);
    UNUSED = "icmp.unused", "Unused", Kind::Bytes;
    MTU = "icmp.mtu", "MTU of next hop", Kind::Dec(16);
    GATEWAY = "icmp.redir_gw", "Gateway Address", Kind::Ipv4;
    POINTER = "icmp.pointer", "Pointer", Kind::Dec(8);
    IDENTIFIER = "icmp.ident", "Identifier (BE)", Kind::Dec(16);
    IDENTIFIER_LE = "icmp.ident_le", "Identifier (LE)", Kind::Dec(16);
    SEQUENCE = "icmp.seq", "Sequence Number (BE)", Kind::Dec(16);
    SEQUENCE_LE = "icmp.seq_le", "Sequence Number (LE)", Kind::Dec(16);
}

const ECHO_REPLY: u8 = 0;
const ECHO: u8 = 8;
const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const UDP: u8 = 17;

fn type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        0 => "Echo Reply",
        3 => "Destination Unreachable",
        4 => "Source Quench",
        5 => "Redirect",
        8 => "Echo Request",
        9 => "Router Advertisement",
        10 => "Router Solicitation",
        11 => "Time Exceeded",
        12 => "Parameter Problem",
        13 => "Timestamp Request",
        14 => "Timestamp Reply",
        _ => return None,
    })
}

/// RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
fn unreachable_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "network unreachable",
        1 => "host unreachable",
        2 => "protocol unreachable",
        3 => "port unreachable",
        4 => "fragmentation needed and DF set",
        5 => "source route failed",
        6 => "destination network unknown",
        7 => "destination host unknown",
        8 => "source host isolated",
        9 => "communication with destination network prohibited",
        10 => "communication with destination host prohibited",
        11 => "network unreachable for type of service",
        12 => "host unreachable for type of service",
        13 => "communication administratively prohibited",
        14 => "host precedence violation",
        15 => "precedence cutoff in effect",
        _ => return None,
    })
}

fn redirect_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "for the network",
        1 => "for the host",
        2 => "for the type of service and network",
        3 => "for the type of service and host",
        _ => return None,
    })
}

fn exceeded_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "time to live exceeded in transit",
        1 => "fragment reassembly time exceeded",
        _ => return None,
    })
}

fn parameter_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "pointer indicates the error",
        1 => "missing a required option",
        2 => "bad length",
        _ => return None,
    })
}

/// An echo or its reply: identifier and sequence number. Windows counts in the other byte order.
fn read_echo<S: Sink>(c: &mut Cursor<'_, '_, S>) {
    for (big, little) in [(&IDENTIFIER, &IDENTIFIER_LE), (&SEQUENCE, &SEQUENCE_LE)] {
        let Some(number) = c.peek_u16() else { return };
        if c.u16(big).is_ok() {
            c.part(little, 2, number.swap_bytes().into());
        }
    }
}

/// Reads an ICMP message that `addresses` of the IP header before it sent.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, addresses: Addresses) -> Step {
    let kind = c.u8(&TYPE)?;
    let code = c.u8(match kind {
        UNREACHABLE => &UNREACHABLE_CODE,
        REDIRECT => &REDIRECT_CODE,
        TIME_EXCEEDED => &EXCEEDED_CODE,
        PARAMETER_PROBLEM => &PARAMETER_CODE,
        _ => &CODE,
    })?;
    c.u16(&CHECKSUM)?;
    if S::FULL && matches!(kind, ECHO | ECHO_REPLY) {
        read_echo(c);
    }
    if !matches!(kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM) {
        return Ok(Next::End);
    }
    let mut error = new_error(false, kind, code, addresses);
    let read = read_error(c, &mut error);
    layers.icmp = Some(Box::new(error));
    read
}

/// An error of which nothing is known but where it came from.
pub(crate) fn new_error(v6: bool, kind: u8, code: u8, addresses: Addresses) -> IcmpError {
    IcmpError { v6, kind, code, addresses, quoted: None, quoted_protocol: 0, quoted_ports: None, mtu: None }
}

fn read_error<S: Sink>(c: &mut Cursor<'_, '_, S>, error: &mut IcmpError) -> Step {
    match (error.kind, error.code) {
        (UNREACHABLE, FRAGMENTATION_NEEDED) => {
            c.octets(&UNUSED, 2)?;
            // Routers older than RFC 1191 send 0, which tells nothing.
            error.mtu = Some(u32::from(c.u16(&MTU)?)).filter(|mtu| *mtu != 0);
        }
        (REDIRECT, _) => {
            c.ipv4(&GATEWAY)?;
        }
        (PARAMETER_PROBLEM, _) => {
            c.u8(&POINTER)?;
            c.octets(&UNUSED, 3)?;
        }
        _ => {
            c.octets(&UNUSED, 4)?;
        }
    }
    read_quotation(c, error)
}

/// Reads the packet that an ICMP or ICMPv6 error quotes. A quotation may end anywhere behind the addresses.
pub(crate) fn read_quotation<S: Sink>(c: &mut Cursor<'_, '_, S>, error: &mut IcmpError) -> Step {
    let (start, cut) = (c.consumed(), c.is_cut());
    let end = start.saturating_add(c.remaining());
    let mut quoted = None;
    let mut nobody = Nothing;
    let read = inner::read(&mut c.unheard(Bound::Header("the quotation"), &mut nobody), &mut quoted);
    let protocol = match c.peek(0) {
        Some(first) if first >> 4 == 6 => Protocol::Ipv6,
        _ => Protocol::Ipv4,
    };
    if let Some(quoted) = quoted {
        error.quoted = quoted.addresses;
        error.quoted_protocol = quoted.protocol;
        error.quoted_ports = quoted.ports.filter(|_| quoted.protocol == UDP);
        return Ok(Next::Inside { protocol, start, end });
    }
    match read {
        Ok(_) => Ok(Next::End),
        Err(short) if matches!(short.bound, Bound::Header("the quotation")) => Err(Short { cut, ..short }),
        Err(invalid) => Err(invalid),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dissect::ppp::testing::octets;
    use crate::field::{Nothing, Tree, Wanted};

    type Dissect<S> = fn(&mut Cursor<'_, '_, S>, &mut Layers, Addresses) -> Step;

    fn run<S: Sink>(bytes: &[u8], sink: &mut S, dissect: Dissect<S>) -> (Layers, Option<Short>) {
        let addresses = Addresses { source: [203, 0, 113, 2].into(), destination: [10, 1, 0, 2].into() };
        let mut layers = Layers::default();
        let mut c = Cursor::new(bytes, 0, 34, Bound::Capture, false, sink);
        let short = dissect(&mut c, &mut layers, addresses).err();
        (layers, short)
    }

    /// Reads a message and every damaged form of it, and returns its error.
    pub(crate) fn error(
        hex: &str,
        nothing: Dissect<Nothing>,
        tree: Dissect<Tree>,
        wanted: Dissect<Wanted>,
    ) -> Option<IcmpError> {
        let bytes = octets(hex);
        let same = |bytes: &[u8]| {
            let mut all = Tree::default();
            let seen = format!("{:?}", run(bytes, &mut all, tree));
            assert_eq!(seen, format!("{:?}", run(bytes, &mut Nothing, nothing)));
            let mut some = Wanted::new(all.nodes().iter().map(|node| node.field).collect());
            assert_eq!(seen, format!("{:?}", run(bytes, &mut some, wanted)));
        };
        for len in 0..=bytes.len() {
            same(&bytes[..len]);
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            same(&flipped);
        }
        let (layers, short) = run(&bytes, &mut Nothing, nothing);
        assert!(short.is_none(), "{hex}: {short:?}");
        layers.icmp.map(|error| *error)
    }

    fn v4(hex: &str) -> Option<IcmpError> {
        error(hex, dissect, dissect, dissect)
    }

    /// Linux: port unreachable, for an L2TP data message to a daemon that is gone.
    const UNREACHABLE_PORT: &str =
        "030331b000000000450000569ed000003f1196c10a010002cb00710206a506a50042000000027ca0a6fdff030057";

    #[test]
    fn a_quoted_l2tp_flow() {
        let error = v4(UNREACHABLE_PORT).expect("an error");
        assert_eq!((error.v6, error.kind, error.code, error.mtu), (false, 3, 3, None));
        assert_eq!((error.quoted_protocol, error.quoted_ports), (17, Some((1701, 1701))));
        let quoted = error.quoted.expect("addresses");
        assert_eq!(quoted.source.to_string(), "10.1.0.2");
        assert_eq!(quoted.destination.to_string(), "203.0.113.2");
        assert_eq!(error.addresses.source.to_string(), "203.0.113.2");
    }

    #[test]
    fn a_quoted_esp_fragment_and_a_quoted_ping() {
        // Linux: reassembly time exceeded, network unreachable.
        let esp = v4("0b01388e00000000450005dc25ac20003f32ea3e0a010002cb007102c9cbdede00000022af121c99")
            .expect("an error");
        assert_eq!((esp.kind, esp.code, esp.quoted_protocol, esp.quoted_ports), (11, 1, 50, None));
        let ping =
            v4("0300fcff000000004500005406dc400040011f670a0100020a630001080077bb0453").expect("an error");
        assert_eq!((ping.quoted_protocol, ping.quoted_ports), (1, None));
    }

    const QUOTATION: &str = "4500059c000040004011 0000 0a010002cb007102 119411940588abcd";

    #[test]
    fn the_mtu_of_the_next_hop() {
        let mtu = |rest: &str| v4(&format!("0304abcd{rest}{QUOTATION}")).expect("an error").mtu;
        assert_eq!(mtu("00000578"), Some(1400));
        assert_eq!(mtu("00000000"), None);
        for head in ["0501abcd0a010001", "0c00abcd14000000", "0400abcd00000000"] {
            let error = v4(&format!("{head}{QUOTATION}")).expect("an error");
            assert_eq!((error.mtu, error.quoted_ports), (None, Some((4500, 4500))), "{head}");
        }
    }

    #[test]
    fn an_echo_is_no_error() {
        assert!(v4("08006bae06dc0001b1ba046b").is_none());
        assert!(v4("0000abcd").is_none());
    }

    #[test]
    fn a_quotation_may_end_behind_the_addresses() {
        let bytes = octets(UNREACHABLE_PORT);
        let at = |len: usize| run(&bytes[..len], &mut Nothing, dissect);
        let (layers, short) = at(28);
        assert!(short.is_none());
        assert_eq!(layers.icmp.expect("an error").quoted_ports, None);
        let (layers, short) = at(27);
        assert_eq!(short.expect("a fault").field.name, "ip.dst");
        assert!(layers.icmp.expect("an error").quoted.is_none());
    }
}
