//! The typed result of one frame: what the analysis may know of a packet. Values only, never bytes.

mod inner;
mod l2tp;
mod ppp;

pub use inner::*;
pub use l2tp::*;
pub use ppp::*;

use std::net::IpAddr;

use crate::field::Short;
use crate::ipsec::{SaId, Spi};

use super::Protocol;
use super::ike::contents::Contents;

/// All that is known of one frame.
#[derive(Debug, Default)]
pub struct Layers {
    /// A hash of the packet from the IP header on, less what a router changes (TTL and header checksum). Equal for
    /// the doubles of one packet. `None` if there is no IP header.
    pub digest: Option<u64>,
    /// The outermost IP addresses.
    pub outer: Option<Addresses>,
    /// The IP addresses nearest to what is read now; at the end, those next to UDP or ICMP.
    pub addresses: Option<Addresses>,
    /// A non-ESP marker was read (RFC 3948 section 2.2).
    pub marker: bool,
    /// The outermost ESP packet.
    pub esp: Option<Esp>,
    /// ESP packets inside it, outermost first.
    pub deeper_esp: Vec<Esp>,
    /// An IKE message.
    pub ike: Option<Box<Ike>>,
    /// An ICMP error that quotes a packet.
    pub icmp: Option<Box<IcmpError>>,
    /// A NAT keepalive (RFC 3948 section 2.3).
    pub nat_keepalive: bool,
    /// The UDP header next to L2TP or IKE, with the addresses of the IP header next to it.
    pub udp: Option<Udp>,
    /// The L2TP header.
    pub l2tp: Option<L2tp>,
    /// The version of an L2TP header that is not version 2: 1 (L2F, RFC 2341), 3 (RFC 3931) or no version at all.
    pub other_version: Option<u8>,
    /// What an L2TPv3 header and the control message behind it say.
    pub v3: Option<Box<L2tpV3>>,
    /// The control message behind it.
    pub control: Option<Box<Control>>,
    /// The PPP frame behind it.
    pub ppp: Option<Ppp>,
    /// This frame is, or contains, an IP fragment; or was put together from some.
    pub fragment: Option<Fragment>,
    /// Why dissection ended where it did.
    pub stop: Stop,
    /// The outermost header that promises more octets than there are, though the capture cut nothing.
    pub overrun: Option<Box<Fault>>,
    /// What is wrong with what a user's or a quoted packet carries: read for views alone.
    pub inside: Option<Box<Fault>>,
}

/// What could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// In which protocol.
    pub layer: Protocol,
    /// The read that did not fit.
    pub what: Short,
    /// The capture cut the packet: the fault is none of the packet.
    pub cut: bool,
}

impl Layers {
    /// Notes that a header promises more octets than there are.
    pub(crate) fn overruns(&mut self, layer: Protocol, what: Option<Short>) {
        if let Some(what) = what
            && self.overrun.is_none()
        {
            self.overrun = Some(Box::new(Fault { layer, what, cut: false }));
        }
    }

    /// Who sent the packet of L2TP, and who is to have it: with ports where it is in UDP.
    pub fn ends(&self) -> Option<[Endpoint; 2]> {
        let address = |address| Endpoint { address, port: 0 };
        match self.udp {
            Some(udp) => Some([udp.source, udp.destination]),
            None => self.addresses.map(|ends| [address(ends.source), address(ends.destination)]),
        }
    }

    /// What keeps the header of L2TP from being read, where nothing but the header itself does.
    pub fn l2tp_fault(&self) -> Option<L2tpFault> {
        match self.stop {
            Stop::Malformed { layer: Protocol::L2tp, what } => super::l2tp::fault(&what),
            _ => None,
        }
    }

    /// What could not be read of the packet, the outermost first.
    pub fn fault(&self) -> Option<Fault> {
        if let Some(fault) = &self.overrun {
            return Some(**fault);
        }
        match self.stop {
            Stop::Cut { layer, what } => Some(Fault { layer, what, cut: true }),
            Stop::Malformed { layer, what } => Some(Fault { layer, what, cut: false }),
            _ => self.inside.as_deref().copied(),
        }
    }
}

/// Source and destination of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// Who sent it.
    pub source: IpAddr,
    /// Who is to have it.
    pub destination: IpAddr,
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The IP address.
    pub address: IpAddr,
    /// The UDP port.
    pub port: u16,
}

/// A UDP header with the addresses of the IP header next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp {
    /// Who sent it.
    pub source: Endpoint,
    /// Who is to have it.
    pub destination: Endpoint,
    /// The Checksum field; 0 means that the sender computed none.
    pub checksum: u16,
}

/// What became of an IP fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// Others are missing; nothing behind the IP header was read.
    Waiting,
    /// It completed its datagram, which was read.
    Completed {
        /// How many fragments the datagram had.
        fragments: u16,
        /// How many octets its payload has.
        octets: u32,
    },
}

/// How ESP is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// Directly in IP, protocol 50.
    Ip,
    /// In UDP (RFC 3948).
    Udp,
}

/// The mode of an SA (RFC 4301 section 3.2), as its packets show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A transport protocol is next.
    Transport,
    /// An IP packet is next.
    Tunnel,
}

/// An ESP packet (RFC 4303).
#[derive(Debug, Clone, Copy)]
pub struct Esp {
    /// Security Parameters Index.
    pub spi: Spi,
    /// Sequence Number.
    pub sequence: u32,
    /// The addresses of the IP header before it.
    pub addresses: Addresses,
    /// In IP or in UDP.
    pub encapsulation: Encapsulation,
    /// From which port to which, if in UDP.
    pub ports: Option<(u16, u16)>,
    /// Length from the SPI to the end of the ICV, in octets.
    pub octets: u32,
    /// What came of opening it.
    pub outcome: EspOutcome,
    /// There is no key for it, and what it carries can be read as it stands: NULL encryption, as far as one packet shows.
    pub legible: bool,
}

/// What came of opening an ESP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EspOutcome {
    /// The ICV holds (or there is none, and padding and next header are right).
    Opened {
        /// The SA whose key fits.
        sa: SaId,
        /// Transport or tunnel.
        mode: Mode,
        /// The name of the integrity algorithm that verified; not what the key says if the ICV is cut to 96 bits.
        integrity: &'static str,
        /// The high half of the extended sequence number, if the SA has them.
        high: Option<u32>,
        /// The Next Header field.
        next_header: u8,
        /// The padding is 1, 2, 3 … (RFC 4303 section 2.4).
        padding_ok: bool,
        /// Octets follow the packet inside (TFC padding, RFC 4303 section 2.7).
        tfc: bool,
    },
    /// No key for this SPI.
    NoKey,
    /// A key, but for a suite that cannot be opened.
    Unsupported {
        /// The SA.
        sa: SaId,
    },
    /// The ICV does not hold.
    BadIcv {
        /// The SA whose key was tried last.
        sa: SaId,
    },
    /// No ICV, and the padding or next header is wrong; or a pad length beyond the packet.
    BadPadding {
        /// The SA whose key was tried last.
        sa: SaId,
    },
    /// The capture lacks a part of it.
    Cut,
    /// Too short to be ESP.
    TooShort,
}

/// The header of an IKE message (RFC 2408 section 3.1, RFC 7296 section 3.1), and what it shows in the clear.
#[derive(Debug, Clone)]
pub struct Ike {
    /// SPI (IKEv1: cookie) of the initiator.
    pub initiator_spi: u64,
    /// SPI (IKEv1: cookie) of the responder; 0 in the first message.
    pub responder_spi: u64,
    /// Type of the first payload.
    pub next_payload: u8,
    /// Major version: 1 or 2.
    pub version: u8,
    /// Exchange type.
    pub exchange: u8,
    /// Flags octet.
    pub flags: u8,
    /// Message ID.
    pub message_id: u32,
    /// Length of the message, in octets.
    pub length: u32,
    /// Behind a non-ESP marker.
    pub marker: bool,
    /// Notify message types of notify payloads in the clear, or that keys opened.
    pub notifies: Vec<u16>,
    /// Its place among other messages matters: it is encrypted with a key that is known, or teaches how others are, or
    /// is a fragment.
    pub in_order: bool,
    /// What its payloads say.
    pub contents: Contents,
    /// Source and destination with their ports.
    pub endpoints: Option<(Endpoint, Endpoint)>,
    /// A hash of its octets: a message that is sent again is the same octet for octet (RFC 7296 section 2.1).
    pub digest: u64,
}

/// An ICMP or ICMPv6 error and the flow that it quotes.
#[derive(Debug, Clone)]
pub struct IcmpError {
    /// ICMPv6?
    pub v6: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Who sent the error, and to whom.
    pub addresses: Addresses,
    /// The addresses of the quoted packet.
    pub quoted: Option<Addresses>,
    /// Its transport protocol.
    pub quoted_protocol: u8,
    /// Its ports, if it is UDP and they are quoted.
    pub quoted_ports: Option<(u16, u16)>,
    /// The MTU of the next hop, if the error tells.
    pub mtu: Option<u32>,
}

/// Why dissection of a frame ended.
#[derive(Debug, Clone, Copy, Default)]
pub enum Stop {
    /// All was read that this tool reads.
    #[default]
    Complete,
    /// The capture cut the packet; `what` could not be read.
    Cut {
        /// In which protocol.
        layer: Protocol,
        /// The read that did not fit.
        what: Short,
    },
    /// The packet breaks its format.
    Malformed {
        /// In which protocol.
        layer: Protocol,
        /// The read that did not fit.
        what: Short,
    },
    /// An IP fragment that waits for others.
    Fragment,
    /// ESP that could not be opened.
    Sealed,
    /// A UDP datagram on ports that are not known to carry anything of ours.
    UnknownPort,
    /// A protocol that is not looked into.
    NotOurs,
    /// More than so many protocols inside each other.
    TooDeep,
}
