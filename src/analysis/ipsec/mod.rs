//! IKE SAs and the SAs of ESP (RFC 4301, RFC 4303, RFC 2408, RFC 7296).

pub mod flow;
pub mod fragments;
pub mod ike;
pub mod lengths;
pub mod nat;

pub(super) mod esp;
pub(super) mod ike_messages;
pub(super) mod index;
pub(super) mod shown_again;
pub(super) mod succession;
