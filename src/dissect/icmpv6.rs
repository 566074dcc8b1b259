//! ICMPv6, and the packet that an error quotes (RFC 4443 section 3).

use super::icmp::{new_error, read_quotation};
use super::layers::{Addresses, IcmpError, Layers};
use super::{Next, Step};
use crate::field::{Cursor, Kind, Short, Sink};

crate::fields! {
    section "RFC 4443 2.1";
    TYPE = "icmpv6.type", "Type", Kind::Dec(8), names type_name;
    CODE = "icmpv6.code", "Code", Kind::Dec(8);
    UNREACHABLE_CODE = "icmpv6.code", "Code", Kind::Dec(8), names unreachable_code;
    EXCEEDED_CODE = "icmpv6.code", "Code", Kind::Dec(8), names exceeded_code;
    PARAMETER_CODE = "icmpv6.code", "Code", Kind::Dec(8), names parameter_code;
    IDENTIFIER = "icmpv6.echo.identifier", "Identifier", Kind::Hex(16), section "RFC 4443 4.1";
    SEQUENCE = "icmpv6.echo.sequence_number", "Sequence", Kind::Dec(16), section "RFC 4443 4.1";
    CHECKSUM = "icmpv6.checksum", "Checksum", Kind::Hex(16);
    RESERVED = "icmpv6.reserved", "Reserved", Kind::Bytes;
    MTU = "icmpv6.mtu", "MTU", Kind::Dec(32);
    POINTER = "icmpv6.pointer", "Pointer", Kind::Dec(32);
    ADVERTISED_FLAGS = "icmpv6.nd.na.flag", "Flags", Kind::Hex(32), section "RFC 4861 4.4";
    SOLICITED = "icmpv6.nd.ns.target_address", "Target Address", Kind::Ipv6, section "RFC 4861 4.3";
    ADVERTISED = "icmpv6.nd.na.target_address", "Target Address", Kind::Ipv6, section "RFC 4861 4.4";
}

const ECHO: u8 = 128;
const ECHO_REPLY: u8 = 129;
const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
const UNREACHABLE: u8 = 1;
const PACKET_TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;

fn type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        1 => "Destination Unreachable",
        2 => "Packet Too Big",
        3 => "Time Exceeded",
        4 => "Parameter Problem",
        128 => "Echo Request",
        129 => "Echo Reply",
        130 => "Multicast Listener Query",
        131 => "Multicast Listener Report",
        132 => "Multicast Listener Done",
        133 => "Router Solicitation",
        134 => "Router Advertisement",
        135 => "Neighbor Solicitation",
        136 => "Neighbor Advertisement",
        137 => "Redirect",
        143 => "Multicast Listener Report v2",
        _ => return None,
    })
}

/// RFC 4443 section 3.1.
fn unreachable_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "no route to destination",
        1 => "communication with destination administratively prohibited",
        2 => "beyond scope of source address",
        3 => "address unreachable",
        4 => "port unreachable",
        5 => "source address failed ingress/egress policy",
        6 => "reject route to destination",
        _ => return None,
    })
}

/// RFC 4443 section 3.3.
fn exceeded_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "hop limit exceeded in transit",
        1 => "fragment reassembly time exceeded",
        _ => return None,
    })
}

/// RFC 4443 section 3.4.
fn parameter_code(code: u64) -> Option<&'static str> {
    Some(match code {
        0 => "erroneous header field encountered",
        1 => "unrecognized next header type encountered",
        2 => "unrecognized IPv6 option encountered",
        _ => return None,
    })
}

/// Reads an ICMPv6 message that `addresses` of the IP header before it sent.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, addresses: Addresses) -> Step {
    let kind = c.u8(&TYPE)?;
    let code = c.u8(match kind {
        UNREACHABLE => &UNREACHABLE_CODE,
        TIME_EXCEEDED => &EXCEEDED_CODE,
        PARAMETER_PROBLEM => &PARAMETER_CODE,
        _ => &CODE,
    })?;
    c.u16(&CHECKSUM)?;
    if S::FULL {
        discovery(c, kind)?;
    }
    if S::FULL && matches!(kind, ECHO | ECHO_REPLY) && c.remaining() >= 4 {
        c.u16(&IDENTIFIER)?;
        c.u16(&SEQUENCE)?;
    }
    if !matches!(kind, UNREACHABLE | PACKET_TOO_BIG | TIME_EXCEEDED | PARAMETER_PROBLEM) {
        return Ok(Next::End);
    }
    let mut error = new_error(true, kind, code, addresses);
    let read = read_error(c, &mut error);
    layers.icmp = Some(Box::new(error));
    read
}

/// Neighbor Discovery (RFC 4861 sections 4.1, 4.3 and 4.4), of users or of the link under the tunnel; one that is too short
/// is left alone.
fn discovery<S: Sink>(c: &mut Cursor<'_, '_, S>, kind: u8) -> Result<(), Short> {
    let (head, target) = match kind {
        ROUTER_SOLICITATION => (&RESERVED, None),
        NEIGHBOR_SOLICITATION => (&RESERVED, Some(&SOLICITED)),
        NEIGHBOR_ADVERTISEMENT => (&ADVERTISED_FLAGS, Some(&ADVERTISED)),
        _ => return Ok(()),
    };
    let octets = if target.is_some() { 20 } else { 4 };
    if c.remaining() < octets {
        return Ok(());
    }
    match kind {
        NEIGHBOR_ADVERTISEMENT => {
            c.u32(head)?;
        }
        _ => {
            c.octets(head, 4)?;
        }
    }
    if let Some(target) = target {
        c.ipv6(target)?;
    }
    Ok(())
}

fn read_error<S: Sink>(c: &mut Cursor<'_, '_, S>, error: &mut IcmpError) -> Step {
    match error.kind {
        PACKET_TOO_BIG => error.mtu = Some(c.u32(&MTU)?),
        PARAMETER_PROBLEM => {
            c.u32(&POINTER)?;
        }
        _ => {
            c.octets(&RESERVED, 4)?;
        }
    }
    read_quotation(c, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::icmp::tests::error;

    const QUOTATION: &str = "60000000 0588 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 \
        06a506a50588abcd";

    fn v6(head: &str) -> Option<IcmpError> {
        error(&format!("{head}{QUOTATION}"), dissect, dissect, dissect)
    }

    #[test]
    fn errors_quote_a_flow() {
        // RFC 4443 sections 3.1 to 3.4.
        for (head, mtu) in [
            ("0104abcd00000000", None),
            ("0200abcd00000500", Some(1280)),
            ("0301abcd00000000", None),
            ("0402abcd00000028", None),
        ] {
            let error = v6(head).expect("an error");
            assert!(error.v6);
            assert_eq!((error.mtu, error.quoted_protocol, error.quoted_ports), (mtu, 17, Some((1701, 1701))));
            assert_eq!(error.quoted.expect("addresses").destination.to_string(), "2001:db8::2");
        }
    }

    #[test]
    fn a_router_solicitation_is_no_error() {
        // pppd's side of an IPv6 link.
        assert!(error("8500371f00000000", dissect, dissect, dissect).is_none());
    }
}
