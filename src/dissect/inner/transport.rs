//! What the header after an inner IP header says of user traffic: TCP (RFC 9293 section 3.1), the DNS message in UDP (RFC
//! 1035 section 4.1.1), ICMP (RFC 792) and ICMPv6 (RFC 4443).
//!
//! Octets are looked at in place and not described: outputs tell of a flow by its addresses and ports. What a cut packet
//! still shows is kept.

use super::{TCP, UDP};
use crate::dissect::layers::{DnsHeader, IcmpBody, IcmpMessage, Inner, Quoted, TcpSegment, Transport};
use crate::field::{Bound, Cursor, Nothing};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const DNS: u16 = 53;
/// Octets of a TCP header without options, and of its ports, which are read before.
const TCP_HEADER: u32 = 20;
const PORTS: u32 = 4;
const MSS: u8 = 2;

/// Reads `rest`, the octets after the ports (after the IP header where there are none), of which the packet has `left`.
#[inline(always)]
pub(super) fn read(inner: &Inner, rest: &[u8], left: Option<u32>) -> Transport {
    if inner.fragment.is_some_and(|place| place.offset > 0) {
        return Transport::Other;
    }
    let found = match (inner.protocol, inner.ports) {
        (TCP, Some(_)) => tcp(rest, left).map(Transport::Tcp),
        (UDP, Some((source, destination))) => {
            let dns = source == DNS || destination == DNS;
            Some(Transport::Udp(if dns { question(rest) } else { None }))
        }
        (ICMP | ICMPV6, _) => icmp(rest, inner.protocol == ICMPV6).map(Transport::Icmp),
        _ => None,
    };
    found.unwrap_or(Transport::Other)
}

#[inline(always)]
fn tcp(rest: &[u8], left: Option<u32>) -> Option<TcpSegment> {
    let (fixed, _) = rest.split_first_chunk::<10>()?;
    let [s0, s1, s2, s3, a0, a1, a2, a3, offset, flags] = *fixed;
    let header = u32::from(offset >> 4).saturating_mul(4);
    if header < TCP_HEADER {
        return None;
    }
    let header = header.saturating_sub(PORTS);
    Some(TcpSegment {
        sequence: u32::from_be_bytes([s0, s1, s2, s3]),
        acknowledgment: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        // A packet whose TCP header is longer than the packet has no data.
        payload: left.map(|left| left.saturating_sub(header)),
        mss: if flags & TcpSegment::SYN != 0 { mss(rest, header) } else { None },
    })
}

/// The Maximum Segment Size option (RFC 9293 section 3.2) of a header that ends `header` octets after its ports.
#[cold]
fn mss(rest: &[u8], header: u32) -> Option<u16> {
    let end = rest.len().min(usize::try_from(header).ok()?);
    let mut options = rest.get(16..end)?;
    loop {
        options = match *options {
            // End of Option List.
            [] | [0, ..] => return None,
            // No-Operation.
            [1, ref more @ ..] => more,
            [MSS, 4, high, low, ..] => return Some(u16::from_be_bytes([high, low])),
            // A length below 2 would not lead on.
            [_, length, ..] if length >= 2 => options.get(usize::from(length)..)?,
            _ => return None,
        };
    }
}

/// The DNS header after Length and Checksum of UDP.
fn question(rest: &[u8]) -> Option<DnsHeader> {
    let [_, _, _, _, id0, id1, flags, rcode] = *rest.first_chunk::<8>()?;
    Some(DnsHeader { id: u16::from_be_bytes([id0, id1]), response: flags & 0x80 != 0, rcode: rcode & 0x0f })
}

fn icmp(rest: &[u8], v6: bool) -> Option<IcmpMessage> {
    let [kind, code] = *rest.first_chunk::<2>()?;
    let body = rest.split_first_chunk::<8>().map_or(IcmpBody::Other, |(fixed, rest)| {
        let [_, _, _, _, b0, b1, b2, b3] = *fixed;
        let (first, second) = (u16::from_be_bytes([b0, b1]), u16::from_be_bytes([b2, b3]));
        match (v6, kind, code) {
            (false, 8 | 0, _) | (true, 128 | 129, _) => {
                IcmpBody::Echo { reply: matches!(kind, 0 | 129), identifier: first, sequence: second }
            }
            // Routers older than RFC 1191 send 0, which tells nothing.
            (false, 3, 4) => error(rest, Some(u32::from(second)).filter(|mtu| *mtu != 0)),
            (true, 2, _) => error(rest, Some(u32::from_be_bytes([b0, b1, b2, b3]))),
            (false, 3 | 4 | 5 | 11 | 12, _) | (true, 1 | 3 | 4, _) => error(rest, None),
            _ => IcmpBody::Other,
        }
    });
    Some(IcmpMessage { v6, kind, code, body })
}

#[cold]
fn error(quotation: &[u8], mtu: Option<u32>) -> IcmpBody {
    let (mut nobody, mut found) = (Nothing, None);
    let mut c = Cursor::new(quotation, 0, 0, Bound::Header("the quotation"), false, &mut nobody);
    // A quotation may end anywhere: what was read before that is all it says.
    let _ = super::read(&mut c, &mut found);
    let quoted = found.and_then(|quoted| {
        Some(Quoted { addresses: quoted.addresses?, protocol: quoted.protocol, ports: quoted.ports })
    });
    IcmpBody::Error { quoted, mtu }
}

#[cfg(test)]
mod tests {
    use crate::dissect::layers::{IcmpBody, Inner, TcpSegment, Transport};
    use crate::dissect::ppp::testing::{octets, read as read_frame, sound};
    use crate::field::Nothing;

    fn inner(hex: &str) -> Inner {
        sound(hex).inner.expect("a packet")
    }

    fn tcp(hex: &str) -> TcpSegment {
        match inner(hex).transport {
            Transport::Tcp(segment) => segment,
            other => panic!("{other:?}"),
        }
    }

    fn icmp(hex: &str) -> (bool, u8, u8, IcmpBody) {
        match inner(hex).transport {
            Transport::Icmp(message) => (message.v6, message.kind, message.code, message.body),
            other => panic!("{other:?}"),
        }
    }

    /// pppd: a ping, and a TCP SYN with MSS, NOP and window scale.
    const PING: &str = "ff03002145000054777140004001ae670a63000a0a63000108006bae06dc0001b1ba046b00000000047c0c0000000000\
        101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637";
    const SYN: &str = "ff030021450000301bcb400040060a2d0a63000a0a630001d8bc1e610f34272f000000007002ff00432a000002040550\
        01030307";
    const ENDS: &str = "0a63000a0a630001";
    const ENDS6: &str = "20010db8000000000000000000000001 20010db8000000000000000000000002";

    #[test]
    fn packets_of_the_lab() {
        let ping = inner(PING);
        assert_eq!((ping.octets, ping.fragment), (84, None));
        let echo = IcmpBody::Echo { reply: false, identifier: 0x06dc, sequence: 1 };
        assert_eq!(icmp(PING), (false, 8, 0, echo));
        let syn = tcp(SYN);
        assert_eq!((syn.sequence, syn.acknowledgment, syn.flags), (0x0f34272f, 0, TcpSegment::SYN));
        assert_eq!((syn.payload, syn.mss), (Some(0), Some(1360)));
    }

    #[test]
    fn data_of_tcp_is_what_the_headers_say() {
        let packet = |length: &str, rest: &str| {
            tcp(&format!("21 4500{length}000040004006 0000 {ENDS} 0050c001 00000007 00000009 {rest}")).payload
        };
        assert_eq!(packet("002b", "5010ffff00000000 414243"), Some(3));
        // With 12 octets of options.
        assert_eq!(packet("0037", "8010ffff00000000 0101080a0000000100000002 414243"), Some(3));
        // An interface that segments by itself leaves the length open.
        assert_eq!(packet("0000", "5010ffff00000000 41424344"), Some(4));
        // A header that is longer than the packet.
        assert_eq!(packet("0028", "f010ffff00000000"), Some(0));
        let frame = octets(&format!("21 450005dc000040004006 0000 {ENDS} 0050c001 00000007 00000009 5010"));
        let (layers, _) = read_frame(&frame, true, &mut Nothing);
        let Some(Transport::Tcp(cut)) = layers.ppp.and_then(|ppp| ppp.inner).map(|inner| inner.transport)
        else {
            panic!("not TCP")
        };
        assert_eq!((cut.payload, cut.sequence), (Some(1460), 7));
    }

    #[test]
    fn a_header_of_tcp_that_is_too_short_says_nothing() {
        let hex = format!("21 45000028000040004006 0000 {ENDS} 0050c001 00000007 00000009 4010ffff00000000");
        assert_eq!(inner(&hex).transport, Transport::Other);
        assert_eq!(inner(&hex).sequence, Some(7));
    }

    #[test]
    fn options_before_the_mss_and_options_that_lead_nowhere() {
        let mss = |options: &str| {
            let head = "0050c001 00000007 00000000 8002ffff00000000";
            tcp(&format!("21 45000034000040004006 0000 {ENDS} {head} {options}")).mss
        };
        assert_eq!(mss("01010402 020405b4 01030307"), Some(1460));
        assert_eq!(mss("080a0000000100000002 0101"), None);
        assert_eq!(mss("0300020405b4010101010101"), None);
        assert_eq!(mss("0301020405b4010101010101"), None);
        assert_eq!(mss("00020405b401010101010101"), None);
        assert_eq!(mss("0203050100000000000003ff"), None);
    }

    #[test]
    fn questions_and_answers_of_dns() {
        let dns = |ports: &str, rest: &str| match inner(&format!(
            "21 45000020000040004011 0000 {ENDS} {ports} 000c0000 {rest}"
        ))
        .transport
        {
            Transport::Udp(dns) => dns.map(|dns| (dns.id, dns.response, dns.rcode)),
            other => panic!("{other:?}"),
        };
        assert_eq!(dns("c0010035", "abcd0100"), Some((0xabcd, false, 0)));
        assert_eq!(dns("0035c001", "abcd8183"), Some((0xabcd, true, 3)));
        assert_eq!(dns("c00114e9", "abcd8183"), None);
        assert_eq!(inner(&format!("21 4500001e000040004011 0000 {ENDS} c0010035 000a0000 abcd")).octets, 30);
    }

    #[test]
    fn places_of_fragments() {
        let place = |word: &str| {
            let packet = inner(&format!("21 45000020 0000{word} 4011 0000 {ENDS} c0010035000c0000 abcd0100"));
            (packet.fragment.map(|place| (place.offset, place.more)), packet.transport != Transport::Other)
        };
        assert_eq!(place("4000"), (None, true));
        assert_eq!(place("2000"), (Some((0, true)), true));
        assert_eq!(place("00b9"), (Some((1480, false)), false));
        assert_eq!(place("3fff"), (Some((65528, true)), false));
        let later = format!("0057 60000000 0010 2c 40 {ENDS6} 1100058800000007 123406a50008abcd");
        assert_eq!(inner(&later).fragment.map(|place| (place.offset, place.more)), Some((1416, false)));
        assert_eq!(inner(&later).octets, 56);
    }

    type Quoted = (String, u8, Option<(u16, u16)>);

    fn quoted(hex: &str) -> (Option<Quoted>, Option<u32>) {
        match icmp(hex).3 {
            IcmpBody::Error { quoted, mtu } => {
                let quoted = quoted.map(|quoted| {
                    let ends = quoted.addresses;
                    (format!("{} {}", ends.source, ends.destination), quoted.protocol, quoted.ports)
                });
                (quoted, mtu)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_and_what_they_quote() {
        let quotation = "4500059c000040003f06 0000 0a63000ac6336401 c00101bb 00000007";
        let at = |head: &str| format!("21 45000038000000004001 0000 0a6300010a63000a {head} {quotation}");
        let flow = ("10.99.0.10 198.51.100.1".to_owned(), 6, Some((0xc001, 443)));
        assert_eq!(quoted(&at("0304abcd00000514")), (Some(flow.clone()), Some(1300)));
        assert_eq!(quoted(&at("0304abcd00000000")), (Some(flow.clone()), None));
        assert_eq!(quoted(&at("030dabcd00000000")), (Some(flow.clone()), None));
        assert_eq!(quoted(&at("0b00abcd00000000")), (Some(flow), None));
        // A quotation of another version, and one that ends before the ports.
        let other = format!("21 45000020000000004001 0000 {ENDS} 0303abcd00000000 55000000");
        assert_eq!(quoted(&other), (None, None));
        let short = format!("21 45000030000000004001 0000 {ENDS} 0303abcd00000000 {}", &quotation[..45]);
        assert_eq!(quoted(&short).0.map(|quoted| quoted.2), Some(None));
        let too_big =
            format!("0057 60000000 0034 3a 40 {ENDS6} 0200abcd00000500 600000000008 11 40 {ENDS6} c0010035");
        let (flow, mtu) = quoted(&too_big);
        assert_eq!((flow.map(|flow| (flow.1, flow.2)), mtu), (Some((17, Some((0xc001, 53)))), Some(1280)));
    }

    /// Each quotes the next: only the first quotation is read.
    #[test]
    fn errors_that_quote_errors_end() {
        let one = format!("4500ffff000000004001 0000 {ENDS} 0303abcd00000000");
        let frame = octets(&format!("21 {}", one.repeat(1000)));
        let (layers, _) = read_frame(&frame, true, &mut Nothing);
        let inner = layers.ppp.and_then(|ppp| ppp.inner).expect("a packet");
        let Transport::Icmp(message) = inner.transport else { panic!("not ICMP") };
        let IcmpBody::Error { quoted: Some(quoted), .. } = message.body else { panic!("no quotation") };
        assert_eq!((quoted.protocol, quoted.ports), (1, None));
    }

    #[test]
    fn a_cut_at_every_length_keeps_what_was_read() {
        for hex in [PING, SYN] {
            let frame = octets(hex);
            let whole = inner(hex);
            for len in 0..=frame.len() {
                let (layers, _) = read_frame(&frame[..len], true, &mut Nothing);
                let Some(cut) = layers.ppp.and_then(|ppp| ppp.inner) else { continue };
                assert_eq!((cut.octets, cut.addresses), (whole.octets, whole.addresses));
                match (cut.transport, whole.transport) {
                    (Transport::Tcp(cut), Transport::Tcp(whole)) => {
                        assert_eq!(TcpSegment { mss: whole.mss, ..cut }, whole);
                    }
                    (Transport::Icmp(cut), Transport::Icmp(whole)) => {
                        assert_eq!((cut.kind, cut.code), (whole.kind, whole.code));
                        assert!(cut.body == whole.body || cut.body == IcmpBody::Other);
                    }
                    (cut, _) => assert_eq!(cut, Transport::Other),
                }
            }
        }
    }

    #[test]
    fn the_packet_stays_small() {
        assert!(std::mem::size_of::<Inner>() <= 120, "{}", std::mem::size_of::<Inner>());
    }
}
