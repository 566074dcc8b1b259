//! Keys and crypto: bytes in, bytes out.
