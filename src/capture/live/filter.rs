//! Which frames the kernel passes on.

use pcap::{Active, Capture};

use super::error::{self, LiveError};

/// What is captured if nothing else is asked for: ESP and AH; IKE, ESP in UDP and L2TP at their ports; L2TPv3 over IP
/// (RFC 3931 section 4.1.1: protocol 115); later fragments, which have no ports; ICMP errors, which name a packet that
/// did not arrive.
pub const DEFAULT_FILTER: &str = "esp or ah or udp port 500 or udp port 4500 or udp port 1701 or ip proto 115 \
    or ip6 proto 115 or (ip[6:2] & 0x1fff != 0) or ip6[6] = 44 or icmp[0] = 3 or icmp[0] = 11 \
    or (ip6[6] = 58 and ip6[40] < 5)";

/// Sets the user's filter, or the one above; that one also for frames with a VLAN tag or two where the link has such.
pub(super) fn apply(capture: &mut Capture<Active>, filter: Option<&str>) -> Result<(), LiveError> {
    let Some(own) = filter else {
        return tagged(DEFAULT_FILTER)
            .into_iter()
            .find_map(|filter| capture.filter(&filter, true).ok())
            .map_or_else(|| set(capture, DEFAULT_FILTER), Ok);
    };
    set(capture, own)
}

fn set(capture: &mut Capture<Active>, filter: &str) -> Result<(), LiveError> {
    capture.filter(filter, true).map_err(|error| LiveError::Filter {
        filter: crate::util::Printable::from_text(filter),
        reason: error::words(error),
    })
}

/// The same filter for tagged frames too, the more of them the better. In libpcap's language all that stands behind
/// `vlan` is about the octets behind the tag.
fn tagged(filter: &str) -> [String; 2] {
    let once = format!("({filter}) or (vlan and ({filter}))");
    let twice = format!("({filter}) or (vlan and ({once}))");
    [twice, once]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Frame, LinkType, PacketFilter};
    use crate::util::Timestamp;

    fn passes(filter: &str, link: LinkType, data: &[u8]) -> bool {
        let frame =
            Frame { number: 1, time: Timestamp(0), link, interface: 0, data, original_len: 0, offset: 0 };
        PacketFilter::new(filter).matches(&frame).unwrap()
    }

    fn ipv4(protocol: u8, fragment: u16, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 48, 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet.extend_from_slice(behind);
        packet.resize(48, 0);
        packet
    }

    fn ipv6(next: u8, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 32, next, 64];
        packet.resize(40, 1);
        packet.extend_from_slice(behind);
        packet.resize(72, 0);
        packet
    }

    fn wanted() -> Vec<(u16, Vec<u8>)> {
        let ports = |port: u16| [port.to_be_bytes(), 40_000_u16.to_be_bytes()].concat();
        let mut all: Vec<(u16, Vec<u8>)> = [500, 4500, 1701]
            .into_iter()
            .flat_map(|port| [(0x800, ipv4(17, 0, &ports(port))), (0x86dd, ipv6(17, &ports(port)))])
            .collect();
        for protocol in [50, 51, 115] {
            all.extend([(0x800, ipv4(protocol, 0, &[])), (0x86dd, ipv6(protocol, &[]))]);
        }
        all.extend([(0x800, ipv4(17, 185, &[])), (0x86dd, ipv6(44, &[]))]);
        all.extend([
            (0x800, ipv4(1, 0, &[3, 4])),
            (0x800, ipv4(1, 0, &[11, 1])),
            (0x86dd, ipv6(58, &[2, 0])),
        ]);
        all
    }

    fn unwanted() -> Vec<(u16, Vec<u8>)> {
        let ports = [53_u16.to_be_bytes(), 40_000_u16.to_be_bytes()].concat();
        vec![
            (0x800, ipv4(17, 0, &ports)),
            (0x86dd, ipv6(17, &ports)),
            (0x800, ipv4(6, 0x4000, &ports)),
            (0x800, ipv4(1, 0, &[8, 0])),
            (0x86dd, ipv6(58, &[135, 0])),
            (0x806, vec![0; 28]),
        ]
    }

    fn ethernet(tags: usize, ethertype: u16, packet: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        for _ in 0..tags {
            frame.extend([0x81, 0, 0, 7]);
        }
        frame.extend(ethertype.to_be_bytes());
        frame.extend(packet);
        frame
    }

    #[test]
    fn what_the_analysis_needs_passes_and_no_more() {
        let [twice, once] = tagged(DEFAULT_FILTER);
        for (tags, filter) in [(0, DEFAULT_FILTER), (0, &twice), (1, &once), (1, &twice), (2, &twice)] {
            for (ethertype, packet) in wanted() {
                let frame = ethernet(tags, ethertype, &packet);
                assert!(passes(filter, LinkType::ETHERNET, &frame), "{tags} tags: {frame:02x?}");
            }
            for (ethertype, packet) in unwanted() {
                let frame = ethernet(tags, ethertype, &packet);
                assert!(!passes(filter, LinkType::ETHERNET, &frame), "{tags} tags: {frame:02x?}");
            }
        }
    }

    #[test]
    fn links_without_ethernet_are_served_too() {
        for (_, packet) in wanted() {
            assert!(passes(DEFAULT_FILTER, LinkType::RAW, &packet), "{packet:02x?}");
        }
        assert!(!passes(DEFAULT_FILTER, LinkType::RAW, &unwanted()[0].1));
    }
}
