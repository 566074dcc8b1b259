//! The IP packet inside PPP: who speaks with whom (RFC 791 section 3.1, RFC 8200 sections 3 and 4).
//!
//! Every data packet passes here, so only the header is read that names the flow, in place and once, and of the next
//! header what user traffic is judged by.

mod transport;

use super::layers::{Addresses, Inner, InnerFragment, Layers, Transport};
use super::{Next, Step, ipv4, ipv6, tcp, udp};
use crate::field::{Bound, Cursor, FieldDef, Short, Sink};

const MIN_HEADER: u8 = 20;
/// Octets of the fixed IPv6 header (RFC 8200 section 3).
const HEADER6: u32 = 40;
const MF: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;
const TCP: u8 = 6;
const UDP: u8 = 17;
const BOUND: Bound = Bound::Header("the length of the IP packet");

/// Reads an IP packet inside PPP.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    let begin = c.consumed();
    // Put together here and moved as a whole: to set its last part in place costs three times as much.
    let mut inner = None;
    let read = read(c, &mut inner);
    if let (Ok(_), Some(inner)) = (&read, inner.as_mut()) {
        let left = left(c, inner, c.consumed().saturating_sub(begin));
        inner.transport = transport::read(inner, c.peek_rest(), left);
    }
    if let Some(ppp) = layers.ppp.as_mut() {
        ppp.inner = inner;
    }
    let beyond = read?;
    match beyond {
        // All that names the flow was read; that the capture lacks the rest does not matter.
        Some(missing) if !missing.cut => Err(missing),
        _ => Ok(Next::End),
    }
}

/// How many octets of the packet follow the `read` ones, captured or not, if that can be known.
#[inline(always)]
fn left<S: Sink>(c: &Cursor<'_, '_, S>, inner: &Inner, read: usize) -> Option<u32> {
    match inner.octets {
        0 if c.is_cut() => None,
        0 => u32::try_from(c.remaining()).ok(),
        octets => octets.checked_sub(u32::try_from(read).ok()?),
    }
}

/// A packet of which no more than addresses and protocol are known.
#[inline(always)]
fn named(source: std::net::IpAddr, destination: std::net::IpAddr, protocol: u8) -> Inner {
    let addresses = Some(Addresses { source, destination });
    let transport = Transport::Other;
    Inner { addresses, protocol, ports: None, sequence: None, octets: 0, fragment: None, transport }
}

/// Reads the headers that name a flow into `found`, but not what the transport header says beside the ports. What is found stays found if a later read does not fit. Returns the
/// fault of a packet that claims to be longer than it is, which is no fault where it is quoted.
pub(crate) fn read<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    found: &mut Option<Inner>,
) -> Result<Option<Short>, Short> {
    let first = c.peek(0).ok_or_else(|| c.short(&ipv4::VERSION, 1))?;
    match first >> 4 {
        4 => ipv4(c, first, found),
        6 => ipv6(c, first, found),
        version => Err(c.invalid(&ipv4::VERSION, 4, version.into())),
    }
}

/// Passes over octets that nothing is judged by.
#[inline(always)]
fn skip<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef, len: usize) -> Result<(), Short> {
    c.sub(field, len, BOUND)?;
    Ok(())
}

fn ipv4<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    first: u8,
    found: &mut Option<Inner>,
) -> Result<Option<Short>, Short> {
    let begin = c.consumed();
    skip(c, &ipv4::VERSION, 1)?;
    c.part(&ipv4::VERSION, 1, (first >> 4).into());
    let header = (first & 0xf).saturating_mul(4);
    c.part(&ipv4::HEADER_LENGTH, 1, header.into());
    if header < MIN_HEADER {
        return Err(c.invalid(&ipv4::HEADER_LENGTH, MIN_HEADER.into(), header.into()));
    }
    skip(c, &ipv4::LENGTH, 1)?;
    let total = c.u16(&ipv4::LENGTH)?;
    skip(c, &ipv4::FRAGMENT_OFFSET, 2)?;
    let fragment = c.peek_u16().ok_or_else(|| c.short(&ipv4::FRAGMENT_OFFSET, 2))?;
    skip(c, &ipv4::FRAGMENT_OFFSET, 2)?;
    c.part(&ipv4::MORE_FRAGMENTS, 2, (fragment & MF != 0).into());
    c.part(&ipv4::FRAGMENT_OFFSET, 2, (fragment & OFFSET_MASK).into());
    skip(c, &ipv4::PROTOCOL, 1)?;
    let protocol = c.u8(&ipv4::PROTOCOL)?;
    skip(c, &ipv4::SOURCE, 2)?;
    let source = c.ipv4(&ipv4::SOURCE)?.into();
    let destination = c.ipv4(&ipv4::DESTINATION)?.into();
    let inner = found.insert(named(source, destination, protocol));
    inner.octets = total.into();
    if fragment & (MF | OFFSET_MASK) != 0 {
        let offset = (fragment & OFFSET_MASK).saturating_mul(8);
        inner.fragment = Some(InnerFragment { offset, more: fragment & MF != 0 });
    }
    // A length of 0 is what an interface that segments by itself hands to a capture: not known yet.
    if total != 0 && total < u16::from(header) {
        return Err(c.invalid(&ipv4::LENGTH, header.into(), total.into()));
    }
    skip(c, &ipv4::HEADER_LENGTH, header.saturating_sub(MIN_HEADER).into())?;
    let read = c.consumed().saturating_sub(begin);
    let missing = match total {
        0 => None,
        _ => end_at(c, usize::from(total).saturating_sub(read)),
    };
    if fragment & OFFSET_MASK == 0 {
        inner.ports = ports(c, protocol)?;
        inner.sequence = sequence(c, protocol);
    }
    Ok(missing)
}

fn ipv6<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    first: u8,
    found: &mut Option<Inner>,
) -> Result<Option<Short>, Short> {
    skip(c, &ipv6::VERSION, 4)?;
    c.part(&ipv6::VERSION, 4, (first >> 4).into());
    let length = c.u16(&ipv6::LENGTH)?;
    let next = c.u8(&ipv6::NEXT_HEADER)?;
    skip(c, &ipv6::NEXT_HEADER, 1)?;
    let source = c.ipv6(&ipv6::SOURCE)?.into();
    let destination = c.ipv6(&ipv6::DESTINATION)?.into();
    let inner = found.insert(named(source, destination, next));
    if length != 0 {
        inner.octets = u32::from(length).saturating_add(HEADER6);
    }
    // 0 is a jumbogram, or an interface that segments by itself.
    let missing = match length {
        0 => None,
        _ => end_at(c, length.into()),
    };
    let upper = ipv6::upper(c, next)?;
    inner.protocol = upper.protocol;
    inner.fragment = upper.fragment.as_ref().map(|place| InnerFragment {
        offset: u16::try_from(place.offset).unwrap_or(u16::MAX),
        more: place.more,
    });
    if inner.fragment.is_none_or(|place| place.offset == 0) {
        inner.ports = ports(c, upper.protocol)?;
        inner.sequence = sequence(c, upper.protocol);
    }
    Ok(missing)
}

/// Ends the cursor `len` octets from here; if there are fewer, returns the fault.
#[inline(always)]
fn end_at<S: Sink>(c: &mut Cursor<'_, '_, S>, len: usize) -> Option<Short> {
    if c.remaining() < len {
        return Some(c.short(&ipv4::LENGTH, len));
    }
    c.limit(len, BOUND);
    None
}

#[inline(always)]
fn ports<S: Sink>(c: &mut Cursor<'_, '_, S>, protocol: u8) -> Result<Option<(u16, u16)>, Short> {
    Ok(match protocol {
        TCP => Some((c.u16(&tcp::SOURCE)?, c.u16(&tcp::DESTINATION)?)),
        UDP => Some((c.u16(&udp::SOURCE)?, c.u16(&udp::DESTINATION)?)),
        _ => None,
    })
}

/// The Sequence Number behind the ports of TCP, which tells a segment that is sent again.
#[inline(always)]
fn sequence<S: Sink>(c: &Cursor<'_, '_, S>, protocol: u8) -> Option<u32> {
    if protocol != TCP {
        return None;
    }
    c.peek_rest().first_chunk().copied().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use crate::dissect::ppp::testing::{described, octets, read as read_frame, sound};
    use crate::field::Nothing;

    fn inner(hex: &str) -> (String, String, u8, Option<(u16, u16)>) {
        let inner = sound(hex).inner.expect("a packet");
        let addresses = inner.addresses.expect("addresses");
        (addresses.source.to_string(), addresses.destination.to_string(), inner.protocol, inner.ports)
    }

    /// pppd: a ping, a TCP SYN and a router solicitation.
    const PING: &str = "ff03002145000054777140004001ae670a63000a0a63000108006bae06dc0001b1ba046b00000000047c0c0000000000\
        101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637";
    const SYN: &str = "ff030021450000301bcb400040060a2d0a63000a0a630001d8bc1e610f34272f000000007002ff00432a000002040550\
        01030307";
    const SOLICITATION: &str = "ff0300576000000000083afffe800000000000006431d1d9f0e71f25ff020000000000000000000000000002\
        8500371f00000000";

    #[test]
    fn packets_of_the_lab() {
        let (client, server) = ("10.99.0.10".to_owned(), "10.99.0.1".to_owned());
        assert_eq!(inner(PING), (client.clone(), server.clone(), 1, None));
        assert_eq!(inner(SYN), (client, server, 6, Some((55484, 7777))));
        let (source, destination) = ("fe80::6431:d1d9:f0e7:1f25".to_owned(), "ff02::2".to_owned());
        assert_eq!(inner(SOLICITATION), (source, destination, 58, None));
    }

    #[test]
    fn only_the_flow_is_described() {
        assert_eq!(
            described(SYN)[3..],
            [
                "ip.version=4",
                "ip.hdr_len=20",
                "ip.len=48",
                "ip.flags.mf=0",
                "ip.frag_offset=0",
                "ip.proto=6",
                "ip.src=0a63000a",
                "ip.dst=0a630001",
                "tcp.srcport=55484",
                "tcp.dstport=7777"
            ]
        );
        assert_eq!(described(SOLICITATION)[3..6], ["ipv6.version=6", "ipv6.plen=8", "ipv6.nxt=58"]);
    }

    const UDP_TAIL: &str = "0a63000a0a630001 123406a50008abcd";
    const ENDS6: &str = "20010db8000000000000000000000001 20010db8000000000000000000000002";

    #[test]
    fn ports_of_udp_behind_options_and_not_in_later_fragments() {
        let udp = |head: &str| inner(&format!("21 {head} {UDP_TAIL}")).3;
        assert_eq!(udp("4500001c000040004011 0000"), Some((0x1234, 1701)));
        assert_eq!(udp("4500001c000020004011 0000"), Some((0x1234, 1701)));
        assert_eq!(udp("4500001c000000b94011 0000"), None);
        let options = "21 46000020000040004011 0000 0a63000a0a630001 01010100 123406a50008abcd";
        assert_eq!(inner(options).3, Some((0x1234, 1701)));
    }

    #[test]
    fn extension_headers_are_passed() {
        let hop_by_hop = format!("0057 60000000 0010 00 40 {ENDS6} 1100010400000000 123406a50008abcd");
        let (_, _, protocol, ports) = inner(&hop_by_hop);
        assert_eq!((protocol, ports), (17, Some((0x1234, 1701))));
        let first = format!("0057 60000000 0010 2c 40 {ENDS6} 1100000100000007 123406a50008abcd");
        assert_eq!(inner(&first).3, Some((0x1234, 1701)));
        let later = format!("0057 60000000 0010 2c 40 {ENDS6} 1100058800000007 123406a50008abcd");
        let (_, _, protocol, ports) = inner(&later);
        assert_eq!((protocol, ports), (17, None));
    }

    #[test]
    fn broken_headers_are_faults_that_keep_what_was_read() {
        for (hex, field, kept) in [
            ("002155000000", "ip.version", false),
            ("002144000014", "ip.hdr_len", false),
            ("00214500001000000000400100000a63000a0a630001", "ip.len", true),
            ("00214500001600000000401100000a63000a0a6300011234", "udp.dstport", true),
            // Longer than the frame, which was not cut.
            ("00214500010000000000400100000a63000a0a630001", "ip.len", true),
        ] {
            let (layers, short) = read_frame(&octets(hex), false, &mut Nothing);
            assert_eq!(short.expect(hex).field.name, field, "{hex}");
            assert_eq!(layers.ppp.and_then(|ppp| ppp.inner).is_some(), kept, "{hex}");
        }
    }

    #[test]
    fn a_cut_behind_the_ports_does_not_matter() {
        let frame = octets(SYN);
        let (layers, short) = read_frame(&frame[..32], true, &mut Nothing);
        assert!(short.is_none());
        assert_eq!(layers.ppp.and_then(|ppp| ppp.inner).and_then(|inner| inner.ports), Some((55484, 7777)));
        // Segmented by the interface: no length yet.
        let hex = format!("21 45000000000040004011 0000 {UDP_TAIL}");
        assert_eq!(inner(&hex).3, Some((0x1234, 1701)));
    }
}
