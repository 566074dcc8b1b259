//! IKE SAs as their messages show them (RFC 2408, RFC 2409, RFC 3706, RFC 7296): who talks, which exchanges they have,
//! what was asked and not answered, what was refused, which child SAs came of it.

pub mod child;
pub mod exchange;
pub mod exchanges;
pub mod liveness;
pub mod message;
mod outcome;
pub mod phase;
pub mod phase_one;
pub mod refusal;
pub mod sa;

#[cfg(test)]
mod testing;

pub use child::{Child, Deletion};
pub use exchange::Exchange;
pub use message::Message;
pub use phase::Phase;
pub use refusal::{Refusal, refuses};
pub use sa::IkeSa;
