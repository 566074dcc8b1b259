//! What the ends of a PPP session agreed on: options of LCP (RFC 1661 section 6, RFC 1990), of IPCP (RFC 1332,
//! RFC 1877), of CCP (RFC 1962, RFC 3078) and of ECP (RFC 1968).
//!
//! A Configure-Ack repeats the options of the request: what the other end asked for is agreed.

use std::net::Ipv4Addr;

use crate::analysis::ids::bump32;
use crate::analysis::ppp::protocol::{code, other};
use crate::dissect::layers::{PppBody, PppControl, PppOption, PppOptionValue};

/// The MRU if none is negotiated, in octets (RFC 1661 section 6.1).
pub const USUAL_MRU: u16 = 1500;

/// What LCP agreed on. Each array has the value that this end asked for.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// Maximum-Receive-Unit, in octets.
    pub mru: [Option<u16>; 2],
    /// The end may be sent Protocol fields of one octet (RFC 1661 section 6.5).
    pub short_protocol: [bool; 2],
    /// The end may be sent frames without Address and Control fields (RFC 1661 section 6.6).
    pub no_address_control: [bool; 2],
    /// Multilink Maximum Received Reconstructed Unit, in octets (RFC 1990 section 5.1.1).
    pub multilink: [Option<u16>; 2],
}

impl Link {
    /// The largest packet that an end may send, in octets: the MRU of its peer.
    pub fn mtu(&self, end: u8) -> u16 {
        self.mru.get(usize::from(other(end))).copied().flatten().unwrap_or(USUAL_MRU)
    }

    /// A Configure-Ack of `from`.
    pub(super) fn acknowledge(&mut self, options: &[PppOption], from: u8) {
        let end = usize::from(other(from));
        let number = |kind: u8| options.iter().find_map(|option| small(option, kind));
        let has = |kind: u8| options.iter().any(|option| option.kind == kind);
        // A request without an option asks for its default.
        set(&mut self.mru, end, number(1));
        set(&mut self.short_protocol, end, has(7));
        set(&mut self.no_address_control, end, has(8));
        set(&mut self.multilink, end, number(17));
    }
}

/// What is said about the IPv4 address of one end before it is agreed on (RFC 1332 section 3.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Dispute {
    /// The address which that end asked for last.
    pub asked: Option<Ipv4Addr>,
    /// The address which the other end named last in a Configure-Nak.
    pub offered: Option<Ipv4Addr>,
    /// How many Configure-Naks named one.
    pub naks: u32,
    /// The packets of the first and the last of them.
    pub packets: Option<(u64, u64)>,
    /// The first packet in which the other end rejected the option itself.
    pub rejected: Option<u64>,
}

/// What IPCP agreed on.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// The IPv4 address of each end.
    pub addresses: [Option<Ipv4Addr>; 2],
    /// How each end came to its address, or did not.
    pub disputes: [Dispute; 2],
    /// DNS servers that an end was given, in the order of the options.
    pub dns: Vec<Ipv4Addr>,
    /// The end may be sent TCP headers that are compressed as Van Jacobson did (RFC 1332 section 4).
    pub compressed_headers: [bool; 2],
}

const IP_COMPRESSION: u8 = 2;
const IP_ADDRESS: u8 = 3;
const DNS: [u8; 2] = [129, 131];
const VAN_JACOBSON: u64 = 0x002d;

impl Network {
    /// A packet of IPCP whose options count.
    pub(super) fn push(&mut self, control: &PppControl, from: u8, packet: u64) {
        let PppBody::Options(options) = &control.body else { return };
        let (own, peer) = (usize::from(from), usize::from(other(from)));
        let named = options.iter().find_map(|option| address(option, IP_ADDRESS));
        match control.code {
            code::CONFIGURE_REQUEST => {
                if let Some(dispute) = self.disputes.get_mut(own) {
                    dispute.asked = named.or(dispute.asked);
                }
            }
            code::CONFIGURE_NAK => {
                if let Some(dispute) = self.disputes.get_mut(peer).filter(|_| named.is_some()) {
                    dispute.offered = named;
                    bump32(&mut dispute.naks);
                    dispute.packets = Some((dispute.packets.map_or(packet, |(first, _)| first), packet));
                }
            }
            code::CONFIGURE_REJECT if named.is_some() => {
                if let Some(dispute) = self.disputes.get_mut(peer) {
                    dispute.rejected.get_or_insert(packet);
                }
            }
            code::CONFIGURE_ACK => self.acknowledge(options, peer, named),
            _ => {}
        }
    }

    fn acknowledge(&mut self, options: &[PppOption], end: usize, named: Option<Ipv4Addr>) {
        if named.is_some() {
            set(&mut self.addresses, end, named);
        }
        let given = |kind: u8| options.iter().find_map(|option| address(option, kind));
        let dns: Vec<_> = DNS.into_iter().filter_map(given).collect();
        if !dns.is_empty() {
            self.dns = dns;
        }
        let compresses = |option: &PppOption| {
            option.kind == IP_COMPRESSION && option.value == PppOptionValue::Number(VAN_JACOBSON)
        };
        set(&mut self.compressed_headers, end, options.iter().any(compresses));
    }
}

/// How an end compresses or encrypts, by the option of CCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// MPPE or MPPC, with the Supported Bits (RFC 3078 section 2).
    Microsoft(u32),
    /// Deflate (RFC 1979).
    Deflate,
    /// BSD Compress (RFC 1977).
    Bsd,
    /// Another one, by the type of its option.
    Other(u8),
}

/// The bits of MPPE that are encryption: 128, 56 and 40 bits, and the obsolete one (RFC 3078 section 2).
const ENCRYPTS: u32 = 0xf0;

impl Compression {
    /// The options of a packet of CCP: the first is the one that its sender prefers.
    fn of(options: &[PppOption]) -> Option<Self> {
        let option = options.first()?;
        Some(match (option.kind, option.value) {
            (18, PppOptionValue::Number(bits)) => Self::Microsoft(u32::try_from(bits).unwrap_or(0)),
            (21, _) => Self::Bsd,
            (26, _) => Self::Deflate,
            (kind, _) => Self::Other(kind),
        })
    }

    /// Whether it encrypts: MPPE.
    pub fn encrypts(self) -> bool {
        matches!(self, Self::Microsoft(bits) if bits & ENCRYPTS != 0)
    }
}

/// What CCP agreed on, and what it could not. Each array has what this end asked for: how it wants to be sent data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Compressions {
    /// What the end asked for last, first of its options.
    pub asked: [Option<Compression>; 2],
    /// What the other acknowledged.
    pub agreed: [Option<Compression>; 2],
    /// MPPE that the end asked for, and the first packet in which the other declined it.
    pub declined: [Option<(Compression, u64)>; 2],
    /// Type of the encryption that the other acknowledged in ECP (RFC 1968 section 4).
    pub encryption: [Option<u8>; 2],
}

impl Compressions {
    /// A packet of CCP whose options count.
    pub(super) fn push(&mut self, control: &PppControl, from: u8, packet: u64) {
        let PppBody::Options(options) = &control.body else { return };
        let peer = usize::from(other(from));
        match control.code {
            code::CONFIGURE_REQUEST => set(&mut self.asked, usize::from(from), Compression::of(options)),
            code::CONFIGURE_ACK => set(&mut self.agreed, peer, Compression::of(options)),
            code::CONFIGURE_NAK | code::CONFIGURE_REJECT => {
                let asked = self.asked.get(peer).copied().flatten();
                if let Some(asked) = asked.filter(|asked| asked.encrypts())
                    && let Some(declined) = self.declined.get_mut(peer)
                    && (control.code == code::CONFIGURE_REJECT
                        || !Compression::of(options).is_some_and(Compression::encrypts))
                {
                    declined.get_or_insert((asked, packet));
                }
            }
            _ => {}
        }
    }

    /// An end rejects CCP itself (RFC 1661 section 5.7).
    pub(super) fn reject(&mut self, from: u8, packet: u64) {
        let peer = usize::from(other(from));
        let asked = self.asked.get(peer).copied().flatten().filter(|asked| asked.encrypts());
        if let (Some(asked), Some(declined)) = (asked, self.declined.get_mut(peer)) {
            declined.get_or_insert((asked, packet));
        }
    }

    /// A packet of ECP whose options count.
    pub(super) fn push_encryption(&mut self, control: &PppControl, from: u8) {
        if let (code::CONFIGURE_ACK, PppBody::Options(options)) = (control.code, &control.body) {
            let kind = options.first().map(|option| option.kind);
            set(&mut self.encryption, usize::from(other(from)), kind);
        }
    }
}

fn set<T>(each: &mut [T; 2], end: usize, value: T) {
    if let Some(known) = each.get_mut(end) {
        *known = value;
    }
}

fn small(option: &PppOption, kind: u8) -> Option<u16> {
    match option.value {
        PppOptionValue::Number(number) if option.kind == kind => u16::try_from(number).ok(),
        _ => None,
    }
}

fn address(option: &PppOption, kind: u8) -> Option<Ipv4Addr> {
    match option.value {
        PppOptionValue::Address(address) if option.kind == kind => Some(address),
        _ => None,
    }
}
