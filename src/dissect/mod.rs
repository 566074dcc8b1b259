//! One file per protocol. A dissector reads, and never judges.
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

pub mod layers;
pub mod registry;

pub mod ccp;
pub mod chap;
pub mod eap;
pub mod icmp;
pub mod icmpv6;
pub mod inner;
pub mod ipcp;
pub mod ipv6cp;
pub mod lcp;
pub mod negotiation;
pub mod pap;
pub mod ppp;
pub mod ppp_names;

pub use registry::Protocol;

use crate::field::Short;

/// What a dissector returns: what comes next in its payload, or the read that did not fit.
pub(crate) type Step = Result<Next, Short>;

/// What comes next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    /// This protocol, in the octets that the cursor has left: `start..end` of the dissector's own octets.
    Payload {
        /// Which protocol.
        protocol: Protocol,
        /// From where, counted from the first octet of the dissector's cursor.
        start: usize,
        /// To where.
        end: usize,
        /// The capture lacks the end of it.
        cut: bool,
    },
    /// Nothing: the dissector has put the reason into the layers, if it is not completeness.
    End,
}
