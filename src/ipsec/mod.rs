//! Keys and crypto: bytes in, bytes out.

pub mod sad;
