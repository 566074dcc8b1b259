//! Control connections and calls (RFC 2661 and RFC 3931).

pub mod call;
pub mod call_machine;
pub mod call_state;
pub mod connection;
pub mod delivery;
pub mod form;
pub mod machine;
pub mod message;
pub mod rfc2661_7_2;
pub mod tunnel_proof;

pub(super) mod arrive;
pub(super) mod calls;
pub(super) mod header_faults;
pub(super) mod join;
mod numbers;
mod rfc2661_7_4;
mod rfc2661_7_5;
mod setup;
pub(super) mod turn;
pub(super) mod version3;
