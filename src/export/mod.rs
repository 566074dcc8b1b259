//! Writing packets out: the pcapng file, and what is left of a packet when layers are taken off.
//!
//! Nothing here opens a file. [`pcapng`] knows nothing of protocols, so whoever captures can write with it too.
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

pub mod pcapng;
pub mod peel;
pub mod trail;

mod ip_header;
