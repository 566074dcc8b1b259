//! PPP inside calls (RFC 1661).

pub mod agreed;
pub mod authentication;
pub mod automaton;
pub mod echo;
pub mod end;
pub mod method;
pub mod negotiation;
pub mod notice;
pub mod proof;
pub mod protocol;
pub mod requests;
pub mod session;

mod configure;
mod early;
mod order;

#[cfg(test)]
mod conversation_tests;
#[cfg(test)]
mod simulation_tests;
#[cfg(test)]
mod testing;
