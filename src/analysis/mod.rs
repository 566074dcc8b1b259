//! Who talks to whom: control connections, calls, ESP flows and IKE SAs, rebuilt from typed layers.
//!
//! A [`Tracker`] takes the [`Layers`] of one frame after the other and keeps facts. It never sees bytes, and never
//! judges: that is for the rules.
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

pub mod acknowledgements;
pub mod context;
pub mod control;
pub mod coverage;
pub mod ipsec;
pub mod known;
pub mod limits;
pub mod log;
pub mod ppp;
pub mod release;
pub mod table;
pub mod timing;
pub mod traffic;

mod data;
mod doubles;
mod finish;
mod follow;
mod foresee;
mod found;
mod icmp;
mod identity;
mod ids;
mod let_go;
mod meta;
mod said;
mod tracker;

pub use acknowledgements::Acknowledgements;
pub use context::PacketContext;
pub use finish::Paused;
pub(crate) use foresee::Foreseen;
pub use found::Analysis;
pub use ids::{CallId, ConnectionId, FlowId};
pub use meta::{At, HelloTotals, Meta, Totals};
pub use tracker::Tracker;
