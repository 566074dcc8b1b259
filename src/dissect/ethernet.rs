//! Ethernet and its VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use etherparse::EtherType;

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::{Next, Protocol, Step, ppp};

fields! {
    section "IEEE 802.3";
    DESTINATION = "eth.dst", "Destination", Kind::Mac;
    SOURCE = "eth.src", "Source", Kind::Mac;
    TYPE = "eth.type", "Type", Kind::Hex(16), names ethertype_name;
    LENGTH = "eth.len", "Length", Kind::Dec(16);
    SERVICE_PRIORITY = "ieee8021ad.priority", "Priority", Kind::Dec(16);
    SERVICE_DEI = "ieee8021ad.dei", "DEI", Kind::Dec(16);
    SERVICE_ID = "ieee8021ad.id", "ID", Kind::Dec(16);
    VLAN_ID = "vlan.id", "ID", Kind::Dec(16);
    VLAN_PRIORITY = "vlan.priority", "Priority", Kind::Dec(16);
    VLAN_DEI = "vlan.dei", "DEI", Kind::Flag;
    VLAN_TYPE = "vlan.etype", "Type", Kind::Hex(16);
}

/// Names of EtherTypes that captures at gateways have (IEEE 802 numbers of the IANA).
fn ethertype_name(number: u64) -> Option<&'static str> {
    Some(match number {
        0x0800 => "IPv4",
        0x0806 => "ARP",
        0x8035 => "RARP",
        0x8100 => "802.1Q",
        0x86dd => "IPv6",
        0x8809 => "Slow protocols",
        0x880b => "PPP",
        0x8847 => "MPLS",
        0x8848 => "MPLS multicast",
        0x8863 => "PPPoE discovery",
        0x8864 => "PPPoE session",
        0x888e => "EAPOL",
        0x88a8 => "802.1ad",
        0x88cc => "LLDP",
        _ => return None,
    })
}

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    c.octets(&DESTINATION, 6)?;
    c.octets(&SOURCE, 6)?;
    // IEEE 802.3 clause 3.2.6: up to 1500 it is a length, of an LLC frame that carries nothing of ours.
    if c.peek_u16().is_some_and(|value| value <= 1500) {
        c.u16(&LENGTH)?;
        return Ok(Next::NotOurs);
    }
    let ethertype = c.u16(&TYPE)?;
    Ok(follow(c, ethertype))
}

/// A VLAN tag behind its EtherType.
pub(crate) fn vlan<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let tag = c.bits16(&VLAN_ID)?;
    c.part(&VLAN_PRIORITY, 2, u64::from(tag >> 13));
    c.part(&VLAN_DEI, 2, u64::from(tag >> 12 & 1));
    c.part(&VLAN_ID, 2, u64::from(tag & 0x0fff));
    let ethertype = c.u16(&VLAN_TYPE)?;
    Ok(follow(c, ethertype))
}

/// The tag of a service provider (IEEE 802.1ad), before that of its customer.
pub(crate) fn service_vlan<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let tag = c.bits16(&SERVICE_ID)?;
    c.part_of(&SERVICE_PRIORITY, 2, 1, u64::from(tag >> 13));
    c.part_of(&SERVICE_DEI, 2, 1, u64::from(tag >> 12 & 1));
    c.part(&SERVICE_ID, 2, u64::from(tag & 0x0fff));
    let ethertype = c.u16(&VLAN_TYPE)?;
    Ok(follow(c, ethertype))
}

/// What follows an EtherType.
pub(crate) fn follow<S: Sink>(c: &Cursor<'_, '_, S>, ethertype: u16) -> Next {
    match EtherType(ethertype) {
        EtherType::IPV4 => Next::rest(c, Protocol::Ipv4),
        EtherType::IPV6 => Next::rest(c, Protocol::Ipv6),
        EtherType(0x0806 | 0x8035) => Next::rest(c, Protocol::Arp),
        EtherType::PROVIDER_BRIDGING => Next::rest(c, Protocol::ServiceVlan),
        EtherType::VLAN_TAGGED_FRAME | EtherType::VLAN_DOUBLE_TAGGED_FRAME => Next::rest(c, Protocol::Vlan),
        // The tag of QinQ before IEEE 802.1ad gave it a number.
        EtherType(0x9200) => Next::rest(c, Protocol::Vlan),
        EtherType(0x8863) => Next::rest(c, Protocol::Pppoed),
        EtherType(0x8864) => Next::rest(c, Protocol::Pppoes),
        EtherType(0x8847 | 0x8848) => Next::rest(c, Protocol::Mpls),
        // PPP directly in Ethernet (RFC 7042 appendix B).
        EtherType(0x880b) => Next::rest(c, Protocol::Ppp),
        // Windows captures the control protocols of its dial-up links in Ethernet frames that no station sent: their
        // EtherType is the PPP protocol number.
        EtherType(
            number
            @ (0x8021 | 0x8057 | 0x80fd | 0xc021 | 0xc023 | 0xc029 | 0xc02b | 0xc02d | 0xc223 | 0xc227),
        ) => ppp::carried(number).map_or(Next::NotOurs, |protocol| Next::rest(c, protocol)),
        _ => Next::NotOurs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn tags_stack_and_llc_is_not_ours() {
        let plain = [&[0u8; 12][..], &[0x08, 0x00, 0x45]].concat();
        assert_eq!(step(&plain, dissect), "Payload Ipv4 14..15");
        let tagged = [&[0u8; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd]].concat();
        assert_eq!(step(&tagged, dissect), "Payload ServiceVlan 14..22");
        assert_eq!(step(&[0, 5, 0x81, 0, 0, 6, 0x86, 0xdd], service_vlan), "Payload Vlan 4..8");
        assert_eq!(step(&[0, 6, 0x86, 0xdd], vlan), "Payload Ipv6 4..4");
        let dial_up = [&[0u8; 12][..], &[0xc2, 0x23, 3, 1, 0, 4]].concat();
        assert_eq!(step(&dial_up, dissect), "Payload Chap 14..18");
        let session = [&[0u8; 12][..], &[0x88, 0x64, 0x11]].concat();
        assert_eq!(step(&session, dissect), "Payload Pppoes 14..15");
        let llc = [&[0u8; 12][..], &[0, 38, 0x42, 0x42]].concat();
        assert_eq!(step(&llc, dissect), "NotOurs");
        assert_eq!(step(&plain[..13], dissect), "Short eth.type needs 2, has 1 at 12");
    }
}
