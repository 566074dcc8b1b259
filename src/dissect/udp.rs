//! UDP (RFC 768), and which protocol of ours its ports or its payload announce.

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;

use super::layers::{Endpoint, Layers, Udp};
use super::{Learned, Next, Protocol, Step};

fields! {
    section "RFC 768";
    SOURCE = "udp.srcport", "Source Port", Kind::Dec(16);
    DESTINATION = "udp.dstport", "Destination Port", Kind::Dec(16);
    LENGTH = "udp.length", "Length", Kind::Dec(16);
    CHECKSUM = "udp.checksum", "Checksum", Kind::Hex(16);
}

const BOUND: Bound = Bound::Header("the UDP length");

/// The port of L2TP (RFC 2661 section 8.1).
pub const L2TP_PORT: u16 = 1701;
const IKE_PORT: u16 = 500;
const NAT_TRAVERSAL_PORT: u16 = 4500;
const DNS_PORT: u16 = 53;

pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, learned: &Learned) -> Step {
    let source = c.u16(&SOURCE)?;
    let destination = c.u16(&DESTINATION)?;
    let length = c.u16(&LENGTH)?;
    let checksum = c.u16(&CHECKSUM)?;
    let Some(addresses) = layers.addresses else { return Ok(Next::NotOurs) };
    let udp = Udp {
        source: Endpoint { address: addresses.source, port: source },
        destination: Endpoint { address: addresses.destination, port: destination },
        checksum,
    };
    layers.udp = Some(udp);
    // Length 0 is a jumbogram (RFC 2675 section 4): up to the end of the packet.
    if length != 0 {
        if length < 8 {
            return Err(c.invalid(&LENGTH, 8, length.into()));
        }
        let rest = usize::from(length).saturating_sub(8);
        layers.overruns(Protocol::Udp, c.overrun(&LENGTH, rest));
        c.limit(rest, BOUND);
    }
    let either = |port| source == port || destination == port;
    let protocol = if let Some(protocol) = learned.assigned().protocol(source, destination) {
        protocol
    } else if either(L2TP_PORT) && !either(DNS_PORT) {
        Protocol::L2tp
    } else if either(NAT_TRAVERSAL_PORT) {
        Protocol::NatTraversal
    } else if either(IKE_PORT) {
        Protocol::Ike
    } else if learned.knows(&udp) || looks_like_l2tp_control(c.peek_rest()) {
        Protocol::L2tp
    } else {
        return Ok(Next::UnknownPort);
    };
    Ok(Next::rest(c, protocol))
}

/// Whether a payload on unknown ports is a control message beyond doubt: the flag word of RFC 2661 section 3.1
/// (T, L and S set, nothing else, version 2; version 3 in RFC 3931 section 3.2.1), a Length that fits, and a Message Type
/// AVP first. RFC 2661 section 8.1 lets both ends leave port 1701.
fn looks_like_l2tp_control(payload: &[u8]) -> bool {
    let Some(&[t, v, l0, l1, _, _, _, _, _, _, _, _, a0, a1, v0, v1, k0, k1, _, _]) =
        payload.first_chunk::<20>()
    else {
        return false;
    };
    t == 0xc8
        && matches!(v, 2 | 3)
        && usize::from(u16::from_be_bytes([l0, l1])) == payload.len()
        && [a0 & 0x3f, a1, v0, v1, k0, k1] == [0, 8, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::Addresses;
    use crate::dissect::testing::step;

    fn udp(bytes: &[u8]) -> String {
        step(bytes, |c, layers| {
            let address = std::net::Ipv4Addr::LOCALHOST.into();
            layers.addresses = Some(Addresses { source: address, destination: address });
            dissect(c, layers, &Learned::default())
        })
    }

    #[test]
    fn the_user_says_what_a_port_carries() {
        let mut assigned = crate::dissect::DecodeAs::default();
        for wrong in ["", "udp.port==1", "udp.port==x,l2tp", "tcp.port==1,l2tp", "udp.port==1,http"] {
            assert!(assigned.add(wrong).is_err(), "{wrong}");
        }
        assert_eq!(assigned.add("udp.port==1702,isakmp"), Ok(()));
        assert_eq!(assigned.add("udp.port==1702,l2tp"), Ok(()));
        let datagram = [0x06, 0xa6, 0x30, 0x39, 0, 9, 0, 0, 1];
        let said = step(&datagram, |c, layers| {
            let address = std::net::Ipv4Addr::LOCALHOST.into();
            layers.addresses = Some(Addresses { source: address, destination: address });
            dissect(
                c,
                layers,
                &Learned::with(crate::dissect::Told {
                    ports: assigned.clone(),
                    ..crate::dissect::Told::default()
                }),
            )
        });
        assert_eq!((said.as_str(), udp(&datagram).as_str()), ("Payload L2tp 8..9", "UnknownPort"));
    }

    #[test]
    fn ports_tell_the_protocol() {
        assert_eq!(udp(&[0x06, 0xa5, 0x30, 0x39, 0, 12, 0, 0, 1, 2, 3, 4, 5]), "Payload L2tp 8..12");
        assert_eq!(udp(&[0x30, 0x39, 0x11, 0x94, 0, 9, 0, 0, 0xff]), "Payload NatTraversal 8..9");
        assert_eq!(udp(&[0x01, 0xf4, 0x01, 0xf4, 0, 9, 0, 0, 0xff]), "Payload Ike 8..9");
        assert_eq!(udp(&[0, 53, 0x06, 0xa5, 0, 9, 0, 0, 0xff]), "UnknownPort");
        assert_eq!(udp(&[0, 53, 0x06, 0xa5, 0, 7, 0, 0, 0xff]), "Short udp.length needs 8, has 7 at 8");
        assert_eq!(udp(&[0x06, 0xa5, 0x06, 0xa5, 0, 20, 0, 0, 1]), "Payload L2tp 8..9 cut");
    }

    #[test]
    fn a_control_message_is_known_on_any_port() {
        let mut bytes = vec![0x30, 0x39, 0x30, 0x3a, 0, 28, 0, 0];
        bytes.extend([0xc8, 2, 0, 20, 0, 7, 0, 0, 0, 0, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 2]);
        assert_eq!(udp(&bytes), "Payload L2tp 8..28");
        bytes[9] = 3;
        assert_eq!(udp(&bytes), "Payload L2tp 8..28");
        bytes[11] = 21;
        assert_eq!(udp(&bytes), "UnknownPort");
    }
}
