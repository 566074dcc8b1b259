//! AH (RFC 4302): integrity of what follows, which stays in the clear.

use std::net::IpAddr;

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::defrag::Key;
use super::layers::Layers;
use super::{Next, Step, ip_follow, ip_protocol_name, ipv6};

fields! {
    section "RFC 4302 2";
    NEXT_HEADER = "ah.next_header", "Next header", Kind::Dec(8), names ip_protocol_name;
    LENGTH = "ah.length", "Length", Kind::Dec(8);
    RESERVED = "ah.reserved", "Reserved", Kind::Bytes;
    SPI = "ah.spi", "AH SPI", Kind::Hex(32);
    SEQUENCE = "ah.sequence", "AH Sequence", Kind::Dec(32);
    ICV = "ah.icv", "AH ICV", Kind::Bytes;
}

/// Octets of all fields before the ICV.
const FIXED: u16 = 12;

/// Reads an AH header and goes on with what it protects. The ICV is shown, not verified.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let next = c.u8(&NEXT_HEADER)?;
    // RFC 4302 section 2.2: 32-bit words less 2, in IPv6 as well (where other extension headers count 64-bit words).
    let octets = u16::from(c.u8(&LENGTH)?).saturating_add(2).saturating_mul(4);
    c.octets(&RESERVED, 2)?;
    c.u32(&SPI)?;
    c.u32(&SEQUENCE)?;
    let Some(icv) = octets.checked_sub(FIXED) else {
        return Err(c.invalid(&LENGTH, FIXED.into(), octets.into()));
    };
    if icv > 0 {
        c.octets(&ICV, icv.into())?;
    }
    let Some(addresses) = layers.addresses.filter(|addresses| matches!(addresses.source, IpAddr::V6(_)))
    else {
        return Ok(ip_follow(c, next));
    };
    // RFC 8200 section 4.1: destination options may follow AH.
    let upper = ipv6::upper(c, next)?;
    Ok(match upper.fragment {
        Some(place) => {
            let key = Key { addresses, identification: place.identification, protocol: upper.protocol };
            Next::fragment(c, key, place.offset, place.more)
        }
        None => ip_follow(c, upper.protocol),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::Addresses;
    use crate::dissect::testing::{layers_of, step};

    /// The header of RFC 4302 figure 1 with a 96-bit ICV, protecting `next`.
    fn header(next: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![next, length, 0, 0, 0x11, 0x11, 0x11, 0x11, 0, 0, 0, 1];
        bytes.extend([0xa0; 12]);
        bytes
    }

    #[test]
    fn what_it_protects_is_read() {
        let packet = |next, length| [header(next, length), vec![0; 8]].concat();
        assert_eq!(step(&packet(17, 4), dissect), "Payload Udp 24..32");
        assert_eq!(step(&packet(50, 4), dissect), "Payload Esp 24..32");
        assert_eq!(step(&packet(51, 4), dissect), "Payload Ah 24..32");
        assert_eq!(step(&packet(4, 4), dissect), "Payload Ipv4 24..32");
        assert_eq!(step(&packet(108, 4), dissect), "Payload Ipcomp 24..32");
        // No ICV at all: legal in form.
        assert_eq!(step(&packet(6, 1), dissect), "Payload Tcp 12..32");
        assert_eq!(step(&packet(6, 0), dissect), "Short ah.length needs 12, has 8 at 12");
        assert_eq!(step(&packet(6, 200), dissect), "Short ah.icv needs 796, has 20 at 12");
        layers_of(&packet(17, 4), dissect);
    }

    #[test]
    fn destination_options_may_follow_in_ipv6() {
        let bytes = [header(60, 4), vec![17, 0, 1, 4, 0, 0, 0, 0], vec![0; 8]].concat();
        let v6 = |c: &mut Cursor<'_, '_, _>, layers: &mut Layers| {
            let any = std::net::Ipv6Addr::LOCALHOST.into();
            layers.addresses = Some(Addresses { source: any, destination: any });
            dissect(c, layers)
        };
        assert_eq!(step(&bytes, v6), "Payload Udp 32..40");
        assert_eq!(step(&bytes, dissect), "NotOurs");
        layers_of(&bytes, v6);
    }
}
