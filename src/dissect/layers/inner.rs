//! What the IP packet inside a PPP frame says: values only, never bytes.

use super::Addresses;

/// The packet of a network layer inside PPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// Its addresses, if it is IP.
    pub addresses: Option<Addresses>,
    /// Its transport protocol.
    pub protocol: u8,
    /// Its ports, if TCP or UDP.
    pub ports: Option<(u16, u16)>,
    /// Its sequence number, if TCP.
    pub sequence: Option<u32>,
    /// Octets of the whole packet with its IP header, as that header says; 0 if it leaves that open (a packet that an
    /// interface has yet to cut into segments, a jumbogram).
    pub octets: u32,
    /// Its place in a larger packet, if it is a fragment (RFC 791 section 3.2, RFC 8200 section 4.5).
    pub fragment: Option<InnerFragment>,
    /// What follows the IP header, as far as user traffic is judged by it.
    pub transport: Transport,
}

/// The place of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerFragment {
    /// Octets of the packet before this fragment.
    pub offset: u16,
    /// More fragments follow.
    pub more: bool,
}

/// What the header after the IP header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Nothing that is read: another protocol, a later fragment, a packet cut before it says anything.
    Other,
    /// TCP (RFC 9293 section 3.1).
    Tcp(TcpSegment),
    /// UDP (RFC 768), and the header of the DNS message in it if a port is 53.
    Udp(Option<DnsHeader>),
    /// ICMP (RFC 792) or ICMPv6 (RFC 4443).
    Icmp(IcmpMessage),
}

/// A TCP segment (RFC 9293 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpSegment {
    /// Sequence Number.
    pub sequence: u32,
    /// Acknowledgment Number: means something if [`TcpSegment::ACK`] is set.
    pub acknowledgment: u32,
    /// The control bits CWR to FIN.
    pub flags: u8,
    /// Octets of data, as the headers say, captured or not; `None` where they leave that open.
    pub payload: Option<u32>,
    /// The Maximum Segment Size option of a SYN, in octets (RFC 9293 section 3.7.1).
    pub mss: Option<u16>,
}

impl TcpSegment {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The Acknowledgment Number is significant.
    pub const ACK: u8 = 0x10;

    /// Whether a control bit is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The beginning of a DNS message (RFC 1035 section 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DnsHeader {
    /// ID, which an answer repeats.
    pub id: u16,
    /// An answer, not a question.
    pub response: bool,
    /// RCODE: 0 is no error, 2 a failure of the server, 3 no such name, 5 refused.
    pub rcode: u8,
}

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpMessage {
    /// ICMPv6?
    pub v6: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// What type and code make of the rest.
    pub body: IcmpBody,
}

/// What an ICMP message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpBody {
    /// Nothing that is read, or cut before it.
    Other,
    /// Echo Request (types 8 and 128) or Echo Reply (types 0 and 129).
    Echo {
        /// A reply, not a request.
        reply: bool,
        /// Identifier.
        identifier: u16,
        /// Sequence Number.
        sequence: u16,
    },
    /// An error about a packet.
    Error {
        /// That packet, as far as it is quoted.
        quoted: Option<Quoted>,
        /// The MTU of the next hop in octets, if the error tells (RFC 1191 section 4, RFC 4443 section 3.2).
        mtu: Option<u32>,
    },
}

/// The packet that an ICMP error quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    /// Its addresses.
    pub addresses: Addresses,
    /// Its transport protocol.
    pub protocol: u8,
    /// Its ports, if TCP or UDP and quoted so far.
    pub ports: Option<(u16, u16)>,
}
