//! PPP inside calls (RFC 1661).

pub mod marks;
pub mod proof;
pub mod session;
