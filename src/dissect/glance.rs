//! A look at the usual place of an ESP header, to know which keys a frame will need before it is dissected.

use std::net::IpAddr;

use crate::ipsec::Spi;
use crate::util::{Frame, LinkType};

/// ESP and UDP as IP protocol numbers.
const ESP: u8 = 50;
const UDP: u8 = 17;
/// NAT traversal (RFC 3948).
const PORT: u16 = 4500;

/// The SPI and destination of the frame, if it looks like ESP. What this misses only takes longer.
pub(crate) fn glance(frame: &Frame<'_>) -> Option<(Spi, IpAddr)> {
    let link = match frame.link {
        LinkType::ETHERNET => 14,
        LinkType::LINUX_SLL => 16,
        LinkType::LINUX_SLL2 => 20,
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => 0,
        _ => return None,
    };
    let ip = frame.data.get(link..)?;
    let (protocol, destination, payload): (u8, IpAddr, &[u8]) = match ip.first()? >> 4 {
        4 => {
            let header = ip.first_chunk::<20>()?;
            let destination: [u8; 4] = *header.last_chunk::<4>()?;
            (
                *header.get(9)?,
                destination.into(),
                ip.get(usize::from(header.first()? & 0xf).saturating_mul(4)..)?,
            )
        }
        6 => {
            let header = ip.first_chunk::<40>()?;
            let destination: [u8; 16] = *header.last_chunk::<16>()?;
            (*header.get(6)?, destination.into(), ip.get(40..)?)
        }
        _ => return None,
    };
    let esp = match protocol {
        ESP => payload,
        UDP => {
            let [a, b, c, d] = *payload.first_chunk::<4>()?;
            let ports = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
            if ports.contains(&PORT) { payload.get(8..)? } else { return None }
        }
        _ => return None,
    };
    Some((Spi(u32::from_be_bytes(*esp.first_chunk()?)), destination))
}
