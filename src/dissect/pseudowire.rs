//! What the pseudowires of L2TPv3 carry (RFC 4719 Ethernet, RFC 4349 HDLC, RFC 3931 section 4.5), and how to tell from
//! the frames alone where cookie and sublayer end when no control message said so.

use crate::field::{Cursor, Sink};

use super::l2tpv3::Layout;
use super::learned::{Cookie, Session};
use super::{Next, Protocol};

/// Pseudowire Types (IANA) whose frames are looked into.
mod kind {
    pub(super) const ETHERNET_VLAN: u16 = 4;
    pub(super) const ETHERNET: u16 = 5;
    pub(super) const HDLC: u16 = 6;
    pub(super) const PPP: u16 = 7;
    pub(super) const IP: u16 = 11;
}

/// What the octets that are left are in a pseudowire of this type.
pub(crate) fn follow<S: Sink>(c: &Cursor<'_, '_, S>, pseudowire: u16) -> Next {
    let protocol = match pseudowire {
        kind::ETHERNET | kind::ETHERNET_VLAN => Protocol::Ethernet,
        kind::HDLC => Protocol::Chdlc,
        kind::PPP => Protocol::Ppp,
        kind::IP => match c.peek(0).map(|octet| octet >> 4) {
            Some(4) => Protocol::Ipv4,
            Some(6) => Protocol::Ipv6,
            _ => return Next::NotOurs,
        },
        _ => return Next::NotOurs,
    };
    let start = c.consumed();
    Next::Inside { protocol, start, end: start.saturating_add(c.remaining()) }
}

/// Whether octets are a frame; `cut` says that their end is not there.
type Proof = fn(&[u8], bool) -> bool;

/// What proves a frame to be of a type.
const PROOFS: [(u16, Proof); 4] =
    [(kind::ETHERNET, is_ethernet), (kind::HDLC, is_cisco_hdlc), (kind::PPP, is_ppp), (kind::IP, is_ip)];

/// Finds the one way to read `octets` that their inner headers prove, where `known` does not say all. `cut` says that
/// the end of the octets is not there.
///
/// Cookie (0, 4 or 8 octets) and sublayer (0 or 4) make 0, 4, 8 or 12 octets; the frame begins behind them. Behind a
/// wrong number of octets no header fits: what is asked of each is more than chance gives. A frame at a smaller offset
/// explains more octets and goes before one at a larger; two kinds of frame at one offset prove nothing.
pub(crate) fn infer(octets: &[u8], cut: bool, known: &Session) -> Option<Layout> {
    for prefix in [0_u8, 4, 8, 12] {
        let Some((cookie, sublayer, unsplit)) = split(octets, prefix, known) else { continue };
        let frame = octets.get(usize::from(prefix)..)?;
        let fits = |wanted: u16| {
            known
                .pseudowire
                .is_none_or(|told| told == wanted || (told, wanted) == (kind::ETHERNET_VLAN, kind::ETHERNET))
        };
        let mut proven = PROOFS.iter().filter(|(kind, proves)| fits(*kind) && proves(frame, cut));
        if let Some((found, _)) = proven.next() {
            let pseudowire = known.pseudowire.unwrap_or(*found);
            return proven.next().is_none().then_some(Layout {
                cookie,
                sublayer,
                unsplit,
                pseudowire,
                inferred: true,
            });
        }
    }
    None
}

/// How `prefix` octets divide into cookie, sublayer type, and octets of which nothing tells; `None` if what is known does
/// not allow so many.
fn split(octets: &[u8], prefix: u8, known: &Session) -> Option<(u8, u16, u8)> {
    let layer = |sublayer: u16| if sublayer == 0 { 0_u8 } else { 4 };
    match (known.cookie.map(Cookie::len), known.sublayer) {
        (Some(cookie), Some(sublayer)) => {
            (cookie.checked_add(layer(sublayer))? == prefix).then_some((cookie, sublayer, 0))
        }
        (Some(cookie), None) => match prefix.checked_sub(cookie)? {
            0 => Some((cookie, 0, 0)),
            4 => Some((cookie, 1, 0)),
            _ => None,
        },
        (None, Some(sublayer)) => {
            let cookie = prefix.checked_sub(layer(sublayer))?;
            (cookie <= 8).then_some((cookie, sublayer, 0))
        }
        (None, None) => {
            let start = usize::from(prefix.saturating_sub(4));
            let last = octets.get(start..usize::from(prefix))?;
            Some(match (prefix, last) {
                (0, _) => (0, 0, 0),
                // A cookie is random (RFC 3931 section 4.1): four octets of zero are a sublayer without S bit. With
                // S bit, only a number that begins low is beyond chance.
                (_, [0, 0, 0, 0] | [0x40, 0, _, _]) => (prefix.saturating_sub(4), 1, 0),
                // Twelve octets are both.
                (12, _) => (8, 1, 0),
                (_, [0x40 | 0, ..]) => (0, 0, prefix),
                // The x bits of a sublayer are zero: this is none.
                _ => (prefix, 0, 0),
            })
        }
    }
}

fn word(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at.checked_add(1)?)?]))
}

/// An Ethernet frame whose type is known and whose payload is what the type says.
fn is_ethernet(frame: &[u8], cut: bool) -> bool {
    let mut at = 12_usize;
    for _ in 0..4 {
        let Some(ethertype) = word(frame, at) else { return false };
        let body = frame.get(at.saturating_add(2)..).unwrap_or_default();
        match ethertype {
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => at = at.saturating_add(4),
            0..=1500 => return is_llc(body, ethertype, cut),
            _ => return is_payload(body, ethertype, cut),
        }
    }
    false
}

/// What an EtherType announces, as far as its first octets prove it.
fn is_payload(body: &[u8], ethertype: u16, cut: bool) -> bool {
    match ethertype {
        0x0800 | 0x86dd => is_ip_of(body, ethertype, cut),
        // ARP of Ethernet and IPv4.
        0x0806 => body.starts_with(&[0, 1, 8, 0, 6, 4, 0]),
        // PPPoE, discovery and session: version and type 1.
        0x8863 | 0x8864 => body.first() == Some(&0x11),
        // Ethernet loopback: skip count 0, then function 1 (reply) or 2 (forward data), in the order of Intel.
        0x9000 => matches!(body, [0, 0, 1 | 2, 0, ..]),
        // LLDP begins with a Chassis ID.
        0x88cc => body.first() == Some(&0x02),
        // MPLS: a label stack over IP.
        0x8847 => {
            body.get(2).is_some_and(|octet| octet & 1 == 1) && is_ip(body.get(4..).unwrap_or_default(), cut)
        }
        // EAPOL: version 1 to 3, type up to 8.
        0x888e => matches!(body, [1..=3, 0..=8, ..]),
        _ => false,
    }
}

/// An LLC frame of the length that stands before it, between service access points that are in use (IEEE 802.2).
fn is_llc(body: &[u8], length: u16, cut: bool) -> bool {
    let fits = cut || usize::from(length) <= body.len();
    fits && matches!(body, [0xaa, 0xaa, 3, ..] | [0x42, 0x42, 3, ..] | [0xfe, 0xfe, 3, ..])
}

/// An IP packet of either version.
fn is_ip(packet: &[u8], cut: bool) -> bool {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => is_ip_of(packet, 0x0800, cut),
        Some(6) => is_ip_of(packet, 0x86dd, cut),
        _ => false,
    }
}

fn is_ip_of(packet: &[u8], ethertype: u16, cut: bool) -> bool {
    let fits = |length: usize| cut || length <= packet.len();
    if ethertype == 0x86dd {
        let version = packet.first().is_some_and(|octet| octet >> 4 == 6);
        let length = word(packet, 4).map(|length| usize::from(length).saturating_add(40));
        let next = packet
            .get(6)
            .is_some_and(|next| matches!(next, 0 | 6 | 17 | 43 | 44 | 50 | 51 | 58 | 59 | 60 | 89 | 103));
        return version && packet.len() >= 40 && next && length.is_some_and(fits);
    }
    let Some(first) = packet.first().filter(|octet| **octet >> 4 == 4) else { return false };
    let header_len = usize::from(first & 0xf).saturating_mul(4);
    let Some(header) = packet.get(..header_len).filter(|header| header.len() >= 20) else { return false };
    let length = word(packet, 2).map_or(0, usize::from);
    length >= header_len && fits(length) && checksum_holds(header)
}

/// Whether the sum over an IPv4 header is what it must be (RFC 791 section 3.1).
fn checksum_holds(header: &[u8]) -> bool {
    let words = header.chunks_exact(2).filter_map(|pair| word(pair, 0)).map(u32::from);
    let sum = words.fold(0_u32, u32::saturating_add);
    let folded = (sum & 0xffff).saturating_add(sum >> 16);
    let folded = (folded & 0xffff).saturating_add(folded >> 16);
    folded == 0xffff
}

/// A PPP frame, with or without address and control, that carries IP or a well-formed packet of LCP or an NCP.
fn is_ppp(frame: &[u8], cut: bool) -> bool {
    let rest = frame.strip_prefix(&[0xff, 3]).unwrap_or(frame);
    let Some(protocol) = word(rest, 0) else { return false };
    let body = rest.get(2..).unwrap_or_default();
    match protocol {
        0x0021 => is_ip_of(body, 0x0800, cut),
        0x0057 => is_ip_of(body, 0x86dd, cut),
        0xc021 | 0xc023 | 0xc223 | 0xc227 | 0x8021 | 0x8057 | 0x80fd => {
            let length = word(body, 2).map_or(0, usize::from);
            let code = body.first().is_some_and(|code| matches!(code, 1..=15));
            code && length >= 4 && (cut || length == body.len())
        }
        _ => false,
    }
}

/// An HDLC frame as Cisco sends it: a unicast or multicast address, control 0, an EtherType.
fn is_cisco_hdlc(frame: &[u8], cut: bool) -> bool {
    let Some([0x0f | 0x8f, 0, high, low]) = frame.first_chunk::<4>() else { return false };
    let body = frame.get(4..).unwrap_or_default();
    match u16::from_be_bytes([*high, *low]) {
        // SLARP: request, reply or keepalive.
        0x8035 => matches!(body, [0, 0, 0, 0..=2, ..]),
        ethertype => is_payload(body, ethertype, cut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ICMP echo request from 10.0.0.1 to 10.0.0.2.
    const PACKET: [u8; 28] = [
        0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x66, 0xde, 10, 0, 0, 1, 10, 0, 0, 2, 8, 0, 0xf7, 0xfd, 0, 1, 0, 1,
    ];

    fn kind_of(frame: &[u8]) -> Option<u16> {
        let found = infer(frame, false, &Session::default())?;
        assert_eq!((found.cookie, found.sublayer, found.unsplit), (0, 0, 0));
        Some(found.pseudowire)
    }

    #[test]
    fn each_kind_of_frame_proves_itself() {
        assert_eq!(kind_of(&PACKET), Some(kind::IP));
        assert_eq!(kind_of(&[&[0xff, 3, 0, 0x21][..], &PACKET].concat()), Some(kind::PPP));
        assert_eq!(kind_of(&[0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4]), Some(kind::PPP));
        assert_eq!(kind_of(&[&[0x0f, 0, 8, 0][..], &PACKET].concat()), Some(kind::HDLC));
        let tagged = [&[2; 12][..], &[0x81, 0, 0, 7, 8, 0], &PACKET].concat();
        assert_eq!(kind_of(&tagged), Some(kind::ETHERNET));
        let spanning = [&[2; 12][..], &[0, 5, 0x42, 0x42, 3, 0, 0]].concat();
        assert_eq!(kind_of(&spanning), Some(kind::ETHERNET));
    }

    /// Every bit of the IPv4 header counts: with any of them changed, the frame proves nothing.
    #[test]
    fn a_frame_that_does_not_fit_proves_nothing() {
        for bit in 0..160 {
            let mut frame = [&[2; 12][..], &[8, 0], &PACKET].concat();
            frame[14 + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(kind_of(&frame), None, "bit {bit}");
        }
        assert_eq!(kind_of(&[2; 60]), None);
        assert_eq!(kind_of(&[0; 60]), None);
    }

    /// No cut of a frame, behind any prefix, panics; and a frame whose capture was cut proves itself by its header.
    #[test]
    fn cuts_do_no_harm() {
        let frame = [&[2; 12][..], &[8, 0], &PACKET].concat();
        for len in 0..frame.len() {
            let found = infer(&frame[..len], true, &Session::default());
            assert_eq!(found.is_some(), len >= 34, "{len}");
            assert_eq!(infer(&frame[..len], false, &Session::default()), None);
        }
    }

    #[test]
    fn what_is_known_narrows_what_is_tried() {
        let frame = [&[9, 9, 9, 9][..], &[2; 12], &[8, 0], &PACKET].concat();
        let known =
            |cookie: &[u8], pseudowire| Session { cookie: Cookie::new(cookie), sublayer: None, pseudowire };
        let found = infer(&frame, false, &known(&[9; 4], Some(kind::ETHERNET_VLAN)));
        assert_eq!(found.map(|found| (found.cookie, found.pseudowire)), Some((4, kind::ETHERNET_VLAN)));
        assert_eq!(infer(&frame, false, &known(&[9; 8], None)), None);
        assert_eq!(infer(&frame, false, &known(&[9; 4], Some(kind::PPP))), None);
    }
}
