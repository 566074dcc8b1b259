//! Octets of the packets: IPv4, UDP and the headers of L2TPv2 (RFC 2661 section 3.1) and L2TPv3 (RFC 3931 section 3.2).

/// Which headers a control connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V2,
    V3Udp,
    V3Ip,
}

impl Version {
    pub fn is_3(self) -> bool {
        self != Self::V2
    }
}

/// Where a host sends from, or is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub ip: [u8; 4],
    pub port: u16,
}

pub fn checksum(octets: &[u8]) -> u16 {
    let words =
        octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IPv4 packet.
pub fn ip(source: [u8; 4], destination: [u8; 4], ident: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend((20 + payload.len() as u16).to_be_bytes());
    out.extend(ident.to_be_bytes());
    out.extend([0, 0, 64, protocol, 0, 0]);
    out.extend(source);
    out.extend(destination);
    let sum = checksum(&out);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend(payload);
    out
}

/// A packet of L2TP as it leaves its host: `payload` begins with the L2TP header.
pub fn carry(version: Version, from: Address, to: Address, ident: u16, payload: &[u8]) -> Vec<u8> {
    if version == Version::V3Ip {
        return ip(from.ip, to.ip, ident, 115, payload);
    }
    let mut out = [from.port.to_be_bytes(), to.port.to_be_bytes()].concat();
    out.extend((8 + payload.len() as u16).to_be_bytes());
    // No checksum, which IPv4 allows.
    out.extend([0, 0]);
    out.extend(payload);
    ip(from.ip, to.ip, ident, 17, &out)
}

/// The numbers in the header of a control message.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    pub tunnel: u32,
    /// Not in headers of version 3.
    pub session: u32,
    pub ns: u16,
    pub nr: u16,
}

/// A control message; without AVPs it is a ZLB. `reserved` are bits of the flag word that should be 0.
pub fn control(version: Version, numbers: Numbers, reserved: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if version == Version::V3Ip {
        out.extend([0; 4]);
    }
    let flags: u16 = if version.is_3() { 0xc803 } else { 0xc802 };
    out.extend((flags | reserved).to_be_bytes());
    out.extend((12 + body.len() as u16).to_be_bytes());
    if version.is_3() {
        out.extend(numbers.tunnel.to_be_bytes());
    } else {
        out.extend((numbers.tunnel as u16).to_be_bytes());
        out.extend((numbers.session as u16).to_be_bytes());
    }
    out.extend(numbers.ns.to_be_bytes());
    out.extend(numbers.nr.to_be_bytes());
    out.extend(body);
    out
}

/// A data message. Sequence numbers and the Length field are version 2's alone; its Nr is reserved, hence 0.
pub fn data(
    version: Version,
    tunnel: u32,
    session: u32,
    ns: Option<u16>,
    length: bool,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    match version {
        Version::V3Ip => out.extend(session.to_be_bytes()),
        Version::V3Udp => {
            out.extend([0, 3, 0, 0]);
            out.extend(session.to_be_bytes());
        }
        Version::V2 => {
            let flags: u16 = 2 | if ns.is_some() { 0x0800 } else { 0 } | if length { 0x4000 } else { 0 };
            out.extend(flags.to_be_bytes());
            if length {
                let header = 8 + if ns.is_some() { 4 } else { 0 };
                out.extend((header + payload.len() as u16).to_be_bytes());
            }
            out.extend((tunnel as u16).to_be_bytes());
            out.extend((session as u16).to_be_bytes());
            if let Some(ns) = ns {
                out.extend(ns.to_be_bytes());
                out.extend([0, 0]);
            }
        }
    }
    out.extend(payload);
    out
}
