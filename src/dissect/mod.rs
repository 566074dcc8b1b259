//! One file per protocol. A dissector reads, and never judges.
//!
//! [`dissect`] goes down the protocols of one frame in a loop with a depth limit. Each dissector gets a cursor over
//! exactly its octets and returns what comes [`Next`]; what it read stands in the [`Layers`].
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

pub mod avp_table;
pub mod defrag;
pub(crate) mod frame;
pub mod ike;
pub mod l2tp_names;
pub mod layers;
pub mod ppp_names;
pub mod registry;
pub mod udp;

mod accm;
mod ah;
mod arp;
mod avp;
pub(crate) mod avp_names;
mod bandwidth;
mod bridging;
mod cbcp;
mod ccp;
mod chap;
mod chdlc;
mod content_hash;
mod cooked;
mod eap;
mod esp;
mod ethernet;
mod glance;
mod gre;
mod icmp;
mod icmpv6;
mod igmp;
mod inner;
mod ipcomp;
mod ipcp;
mod ipv4;
mod ipv6;
mod ipv6cp;
mod ipx;
mod l2f;
mod l2tp;
mod l2tpv3;
mod lcp;
mod learned;
mod lqr;
mod message_digest;
mod mpls;
mod multilink;
mod nat_traversal;
mod ncps;
mod negotiation;
#[cfg(test)]
mod nesting;
mod nflog;
mod nonces;
mod options;
mod pap;
mod ppp;
mod ppp_link;
mod ppp_mux;
#[cfg(test)]
mod ppp_tests;
mod pppoe;
mod pseudowire;
mod raw;
mod streams;
mod tcp;
#[cfg(test)]
mod testing;
mod vjc;
mod walk;

pub(crate) use glance::glance;
pub use learned::{Cookie, DecodeAs, Learned, Session, Told};
pub use registry::Protocol;
pub use walk::{Context, Made, Scratch, dissect, reads};

use etherparse::IpNumber;

use crate::field::{Cursor, Short, Sink};

use defrag::{Key, Piece};

/// What a dissector returns: what comes next in its payload, or the read that did not fit.
pub(crate) type Step = Result<Next, Short>;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// This protocol, in octets `start..end` of the dissector's cursor; `cut` says that their end is not there.
    Payload { protocol: Protocol, start: usize, end: usize, cut: bool },
    /// This protocol, in these octets of the plaintext that the dissector has made.
    Plain { protocol: Protocol, payload: std::ops::Range<usize> },
    /// A fragment of an IP payload: what is left of the cursor.
    Fragment { key: Key, piece: Piece },
    /// A packet that is quoted or carried inside, in octets `start..end` of the dissector's cursor: looked into only where
    /// more is wanted than what the analysis needs.
    Inside { protocol: Protocol, start: usize, end: usize },
    /// Nothing: all was read.
    End,
    /// Nothing: ESP that could not be opened.
    Sealed,
    /// Nothing: a protocol that is not looked into.
    NotOurs,
    /// Nothing: UDP on ports of which nothing is known.
    UnknownPort,
}

impl Next {
    /// `protocol`, in all that the cursor has left.
    pub(crate) fn rest<S: Sink>(c: &Cursor<'_, '_, S>, protocol: Protocol) -> Self {
        let start = c.consumed();
        Self::Payload { protocol, start, end: start.saturating_add(c.remaining()), cut: c.is_cut() }
    }

    /// The fragment at `offset` of the datagram `key`: all that the cursor has left.
    pub(crate) fn fragment<S: Sink>(c: &Cursor<'_, '_, S>, key: Key, offset: u32, more: bool) -> Self {
        let start = c.consumed();
        let end = start.saturating_add(c.remaining());
        Self::Fragment { key, piece: Piece { offset, more, cut: c.is_cut(), start, end } }
    }
}

/// The protocol behind an IP protocol number (also of IPv6 and ESP next headers), if it is dissected.
pub(crate) fn ip_protocol(number: u8) -> Option<Protocol> {
    Some(match IpNumber(number) {
        IpNumber::ICMP => Protocol::Icmp,
        IpNumber(2) => Protocol::Igmp,
        IpNumber::IPV4 => Protocol::Ipv4,
        IpNumber::TCP => Protocol::Tcp,
        IpNumber::UDP => Protocol::Udp,
        IpNumber::IPV6 => Protocol::Ipv6,
        IpNumber::GRE => Protocol::Gre,
        IpNumber::ENCAPSULATING_SECURITY_PAYLOAD => Protocol::Esp,
        IpNumber::AUTHENTICATION_HEADER => Protocol::Ah,
        IpNumber(108) => Protocol::Ipcomp,
        IpNumber::IPV6_ICMP => Protocol::Icmpv6,
        IpNumber::LAYER2_TUNNELING_PROTOCOL => Protocol::L2tpOverIp,
        _ => return None,
    })
}

/// The name of an IP protocol number in the registry of the IANA.
pub fn ip_protocol_name(number: u64) -> Option<&'static str> {
    IpNumber(u8::try_from(number).ok()?).keyword_str()
}

fn ip_follow<S: Sink>(c: &Cursor<'_, '_, S>, number: u8) -> Next {
    ip_protocol(number).map_or(Next::NotOurs, |protocol| Next::rest(c, protocol))
}
