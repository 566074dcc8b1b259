//! ICMP, and the packet that an error quotes (RFC 792; next-hop MTU RFC 1191 section 4).

use super::layers::{Addresses, IcmpError, Layers};
use super::{Next, Step, inner};
use crate::field::{Bound, Cursor, Kind, Short, Sink};

crate::fields! {
    section "RFC 792";
    TYPE = "icmp.type", "Type", Kind::Dec(8), names type_name;
    CODE = "icmp.code", "Code", Kind::Dec(8);
    CHECKSUM = "icmp.checksum", "Checksum", Kind::Hex(16);
    UNUSED = "icmp.unused", "Unused", Kind::Bytes;
    MTU = "icmp.mtu", "MTU of next hop", Kind::Dec(16);
    GATEWAY = "icmp.redir_gw", "Gateway Address", Kind::Ipv4;
    POINTER = "icmp.pointer", "Pointer", Kind::Dec(8);
    QUOTED = "icmp.quoted", "Quoted packet", Kind::Group;
}

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

/// Reads an ICMP message that `addresses` of the IP header before it sent.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, addresses: Addresses) -> Step {
    let kind = c.u8(&TYPE)?;
    let code = c.u8(&CODE)?;
    c.u16(&CHECKSUM)?;
    if !matches!(kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM) {
        return Ok(Next::End);
    }
    let mut error = new_error(false, kind, code, addresses);
    let read = read_error(c, &mut error);
    layers.icmp = Some(Box::new(error));
    read?;
    Ok(Next::End)
}

/// An error of which nothing is known but where it came from.
pub(crate) fn new_error(v6: bool, kind: u8, code: u8, addresses: Addresses) -> IcmpError {
    IcmpError { v6, kind, code, addresses, quoted: None, quoted_protocol: 0, quoted_ports: None, mtu: None }
}

fn read_error<S: Sink>(c: &mut Cursor<'_, '_, S>, error: &mut IcmpError) -> Result<(), Short> {
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
pub(crate) fn read_quotation<S: Sink>(c: &mut Cursor<'_, '_, S>, error: &mut IcmpError) -> Result<(), Short> {
    let cut = c.is_cut();
    let len = c.remaining();
    let mut quoted = None;
    let read = inner::read(&mut c.group(&QUOTED, len, Bound::Header("the quotation"))?, &mut quoted);
    if let Some(quoted) = quoted {
        error.quoted = quoted.addresses;
        error.quoted_protocol = quoted.protocol;
        error.quoted_ports = quoted.ports.filter(|_| quoted.protocol == UDP);
        return Ok(());
    }
    match read {
        Ok(_) => Ok(()),
        Err(short) if matches!(short.bound, Bound::Header("the quotation")) => Err(Short { cut, ..short }),
        Err(invalid) => Err(invalid),
    }
}
