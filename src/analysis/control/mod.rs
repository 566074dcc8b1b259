//! Control connections and calls (RFC 2661 and RFC 3931).

pub mod call;
pub mod connection;
pub mod delivery;
pub mod form;
pub mod tunnel_proof;
pub mod watch;

mod call_messages;
#[allow(clippy::module_inception)]
mod control;
mod header_faults;
mod opening;
mod version3;
