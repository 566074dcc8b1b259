//! The PPP frame without flags, as L2TP, PPPoE and captures carry it (RFC 1661 section 2, RFC 1662 section 3.1).

use super::layers::{Layers, Ppp, PppControl};
use super::ppp_names::{self, protocol_name};
use super::{Next, Protocol, Step, ppp_link};
use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink};

crate::fields! {
    section "RFC 1661 2";
    ADDRESS = "ppp.address", "Address", Kind::Hex(8);
    CONTROL = "ppp.control", "Control", Kind::Hex(8);
    PROTOCOL = "ppp.protocol", "Protocol", Kind::Hex(16), names protocol_name;
    DATA = "ppp.data", "Data", Kind::Bytes;
    MAGIC_NUMBER = "ppp.magic_number", "Magic Number", Kind::Hex(32);
}

const ALL_STATIONS: u8 = 0xff;
/// Code, Identifier and Length of a control packet.
const HEADER_LEN: u16 = 4;

/// Reads all that is left, if anything is: a field of no octets would say nothing.
pub(crate) fn text<'a, S: Sink>(c: &mut Cursor<'a, '_, S>, field: &'static FieldDef) -> &'a [u8] {
    if c.is_empty() { &[] } else { c.rest(field) }
}

/// Ends the cursor where the Length field of a Code, Identifier, Length header says, and reads what it covers. What
/// lies behind is padding (RFC 1661 section 5); a Length beyond the octets that are there is a fault, but only after
/// what is there was read.
pub(crate) fn bounded<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    field: &'static FieldDef,
    length: u16,
    read: impl FnOnce(&mut Cursor<'_, '_, S>) -> Result<(), Short>,
) -> Step {
    let Some(rest) = length.checked_sub(HEADER_LEN) else {
        return Err(c.invalid(field, HEADER_LEN.into(), length.into()));
    };
    let rest = usize::from(rest);
    let missing = (rest > c.remaining()).then(|| c.short(&DATA, rest));
    c.limit(rest, Bound::Header("the Length field"));
    read(c)?;
    missing.map_or(Ok(Next::End), Err)
}

/// Puts a control packet into the layers of the frame that carries it.
pub(crate) fn keep(layers: &mut Layers, control: PppControl) {
    if let Some(ppp) = layers.ppp.as_mut() {
        ppp.control = Some(Box::new(control));
    }
}

/// The protocol behind a PPP protocol number, if it is dissected.
pub(crate) fn carried(number: u16) -> Option<Protocol> {
    Some(match number {
        ppp_names::IPV4 | ppp_names::IPV6 => Protocol::Inner,
        0x002b => Protocol::Ipx,
        0x002d => Protocol::VjCompressed,
        0x002f => Protocol::VjUncompressed,
        0x0031 => Protocol::Bridged,
        ppp_names::MULTILINK => Protocol::Multilink,
        0x003f => Protocol::Nbf,
        0x0059 => Protocol::PppMux,
        0x00fb | 0x00fd => Protocol::CompressedData,
        0x0281 | 0x0283 => Protocol::Mpls,
        ppp_names::IPCP => Protocol::Ipcp,
        0x8023 => Protocol::Osinlcp,
        0x8029 => Protocol::Atcp,
        0x802b => Protocol::Ipxcp,
        0x8031 => Protocol::Bcp,
        0x803f => Protocol::Nbfcp,
        0x8053 => Protocol::Ecp,
        ppp_names::IPV6CP => Protocol::Ipv6cp,
        0x8059 => Protocol::PppMuxcp,
        ppp_names::CCP => Protocol::Ccp,
        0x8207 => Protocol::Cdpcp,
        0x8281 => Protocol::Mplscp,
        0x8000..=0xbfff => Protocol::Ncp,
        ppp_names::LCP => Protocol::Lcp,
        ppp_names::PAP => Protocol::Pap,
        0xc025 => Protocol::Lqr,
        0xc027 | ppp_names::OLD_SPAP => Protocol::Spap,
        0xc029 => Protocol::Cbcp,
        0xc02b => Protocol::Bacp,
        0xc02d => Protocol::Bap,
        ppp_names::CHAP => Protocol::Chap,
        ppp_names::EAP => Protocol::Eap,
        _ => return None,
    })
}

/// What a frame in L2TP carries for those alone who want to see it: the analysis needs nothing of it.
fn is_for_show(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Ipx
            | Protocol::VjCompressed
            | Protocol::VjUncompressed
            | Protocol::Bridged
            | Protocol::Nbf
            | Protocol::PppMux
            | Protocol::CompressedData
            | Protocol::Mpls
            | Protocol::Lqr
            | Protocol::Spap
            | Protocol::Bap
    )
}

/// Reads a PPP frame.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let in_l2tp = layers.l2tp.is_some();
    // The record begins here, perhaps behind an octet of direction: it is a frame of a link.
    let place = c.rest_range();
    if S::FULL && !in_l2tp && place.source == 0 && place.start <= 1 {
        ppp_link::trailer(c);
    }
    // 0x00ff is never assigned, so that a first octet of ff is no compressed protocol (RFC 1661 section 6.5); and Control
    // is not 03 in numbered mode (RFC 1663).
    let address_control = c.peek(0) == Some(ALL_STATIONS);
    if address_control {
        c.u8(&ADDRESS)?;
        c.u8(&CONTROL)?;
    }
    let compressed = c.peek(0).is_some_and(|first| first & 1 == 1);
    let (protocol, protocol_len) = if compressed && c.peek_u16() != Some(ppp_names::OLD_SPAP) {
        (u16::from(c.u8(&PROTOCOL)?), 1)
    } else {
        (c.u16(&PROTOCOL)?, 2)
    };
    let multilink = layers.ppp.as_ref().is_some_and(|outer| outer.protocol == ppp_names::MULTILINK);
    layers.ppp = Some(Ppp {
        protocol,
        address_control,
        protocol_len,
        multilink,
        payload: u32::try_from(c.remaining()).unwrap_or(u32::MAX),
        control: None,
        inner: None,
    });
    let start = c.consumed();
    let end = start.saturating_add(c.remaining());
    Ok(match carried(protocol) {
        // Outside L2TP the packet is no user's, but the one that may carry L2TP.
        Some(Protocol::Inner) if !in_l2tp => {
            layers.ppp = None;
            let ip = if protocol == ppp_names::IPV6 { Protocol::Ipv6 } else { Protocol::Ipv4 };
            Next::rest(c, ip)
        }
        Some(shown) if in_l2tp && is_for_show(shown) => {
            if S::FULL {
                Next::Inside { protocol: shown, start, end }
            } else {
                Next::End
            }
        }
        Some(next) => {
            if is_for_show(next) {
                // What it carries may carry L2TP too.
                layers.ppp = None;
            }
            Next::rest(c, next)
        }
        None => {
            text(c, &DATA);
            Next::End
        }
    })
}

/// Reads whole PPP frames for the tests of this family.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::dissect::layers::L2tp;
    use crate::dissect::{
        bandwidth, bridging, cbcp, ccp, chap, eap, inner, ipcp, ipv6cp, lcp, multilink, ncps, pap,
    };
    use crate::field::{Nothing, Tree, Value, Wanted};

    /// Octets from hexadecimal.
    pub(crate) fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    fn step<S: Sink>(protocol: Protocol, c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
        match protocol {
            Protocol::Ppp => dissect(c, layers),
            Protocol::Lcp => lcp::dissect(c, layers),
            Protocol::Pap => pap::dissect(c, layers),
            Protocol::Chap => chap::dissect(c, layers),
            Protocol::Eap => eap::dissect(c, layers),
            Protocol::Ipcp => ipcp::dissect(c, layers),
            Protocol::Ipv6cp => ipv6cp::dissect(c, layers),
            Protocol::Ccp => ccp::dissect(c, layers),
            Protocol::Inner => inner::dissect(c, layers),
            Protocol::Multilink => multilink::dissect(c, layers),
            Protocol::Bcp => bridging::control(c, layers),
            Protocol::Bacp => bandwidth::control(c, layers),
            Protocol::Cbcp => cbcp::dissect(c, layers),
            Protocol::Ncp => ncps::dissect(c, layers, protocol),
            ncp if ncps::table(ncp).is_some() => ncps::dissect(c, layers, ncp),
            other => panic!("{other:?} is not inside PPP"),
        }
    }

    /// Reads a frame and what it carries.
    pub(crate) fn read<S: Sink>(frame: &[u8], cut: bool, sink: &mut S) -> (Layers, Option<Short>) {
        let mut layers = Layers { l2tp: Some(L2tp::default()), ..Layers::default() };
        let (mut bytes, mut base, mut cut, mut protocol) = (frame, 0_u32, cut, Protocol::Ppp);
        loop {
            let mut c = Cursor::new(bytes, 0, base, Bound::Capture, cut, sink);
            match step(protocol, &mut c, &mut layers) {
                Ok(Next::Payload { protocol: next, start, end, cut: next_cut }) => {
                    (bytes, base, cut, protocol) = (&bytes[start..end], base + start as u32, next_cut, next);
                }
                Ok(_) => return (layers, None),
                Err(short) => return (layers, Some(short)),
            }
        }
    }

    /// Reads a sound frame, and every damaged form of it: each must end without a panic, and the same whoever listens.
    pub(crate) fn sound(hex: &str) -> Ppp {
        let frame = octets(hex);
        for len in 0..frame.len() {
            same(&frame[..len]);
            let (_, short) = read(&frame[..len], true, &mut Nothing);
            assert!(short.is_none_or(|short| short.cut), "{len} octets of {hex}: {short:?}");
        }
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            same(&flipped);
        }
        same(&frame);
        let (layers, short) = read(&frame, false, &mut Nothing);
        assert!(short.is_none(), "{hex}: {short:?}");
        layers.ppp.expect("a frame")
    }

    fn same(frame: &[u8]) {
        let mut tree = Tree::default();
        let seen = format!("{:?}", read(frame, false, &mut tree));
        assert_eq!(seen, format!("{:?}", read(frame, false, &mut Nothing)));
        let mut wanted = Wanted::new(tree.nodes().iter().map(|node| node.field).collect());
        assert_eq!(seen, format!("{:?}", read(frame, false, &mut wanted)));
        assert!(wanted.found().len() >= tree.nodes().len());
        assert!(
            tree.nodes().iter().all(|n| n.range.start <= n.range.end && n.range.end as usize <= frame.len())
        );
    }

    /// The values of all fields but headings, as `name=value`: numbers in decimal, octets in hexadecimal.
    pub(crate) fn described(hex: &str) -> Vec<String> {
        let frame = octets(hex);
        let mut tree = Tree::default();
        read(&frame, false, &mut tree);
        let value = |node: &crate::field::Node| match node.value {
            Value::Number(number) | Value::Derived(number) => number.to_string(),
            Value::Octets => frame[node.range.start as usize..node.range.end as usize]
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect(),
        };
        let nodes = tree.nodes().iter().filter(|node| node.field.kind != Kind::Group);
        nodes.map(|node| format!("{}={}", node.field.name, value(node))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{octets, read, sound};
    use super::*;
    use crate::dissect::layers::PppBody;
    use crate::field::Nothing;

    /// xl2tpd with pppd, MS-CHAPv2: Terminate-Ack.
    const TERMINATE_ACK: &str = "ff03c02106020004";

    #[test]
    fn all_four_framings_are_one_frame() {
        let full = sound(TERMINATE_ACK);
        assert!(full.address_control && full.protocol_len == 2 && full.payload == 4);
        assert!(!sound("c02106020004").address_control);
        // Deflate data of xl2tpd's userspace path, PFC and ACFC.
        let short = sound("fd00010a27550300");
        assert_eq!((short.protocol, short.protocol_len, short.payload), (0x00fd, 1, 7));
        // The same with FF 03 from the kernel's path.
        let data = sound("ff0300fd90014766035d");
        assert_eq!((data.protocol, data.protocol_len, data.address_control), (0x00fd, 2, true));
        assert!(data.control.is_none() && data.inner.is_none());
    }

    #[test]
    fn old_spap_is_not_taken_for_a_compressed_protocol() {
        assert_eq!(sound("c12301020003").protocol, ppp_names::OLD_SPAP);
        assert_eq!(sound("c1aa01020003").protocol, 0x00c1);
    }

    #[test]
    fn a_frame_with_nothing_in_it_is_short() {
        for (hex, field, needed) in [
            ("", "ppp.protocol", 2),
            ("ff", "ppp.control", 1),
            ("ff03", "ppp.protocol", 2),
            ("ff03c0", "ppp.protocol", 2),
            ("ff03c021", "ppp.code", 1),
            ("21", "ip.version", 1),
        ] {
            let (layers, short) = read(&octets(hex), false, &mut Nothing);
            let short = short.expect(hex);
            assert_eq!((short.field.name, short.needed, short.cut), (field, needed, false), "{hex}");
            assert_eq!(layers.ppp.is_some(), hex.len() > 6 || hex == "21");
        }
    }

    #[test]
    fn control_packets_are_found_behind_every_framing() {
        for hex in [TERMINATE_ACK, "c02106020004"] {
            let control = sound(hex).control.expect("LCP");
            assert_eq!((control.protocol, control.code, control.length), (ppp_names::LCP, 6, 4));
            assert!(matches!(control.body, PppBody::Message(text) if text.is_empty()));
        }
    }
}
