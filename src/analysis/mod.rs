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

pub mod control;
pub mod events;
pub mod facts;
pub mod ipsec;
pub mod ladder;
pub mod limits;
pub mod place;
pub mod ppp;
pub mod release;
pub mod table;
pub mod transcript;

mod data;
mod doubles;
mod foresee;
mod found;
mod icmp;
mod ids;
mod meta;
mod routing;
mod tracker;

pub(crate) use foresee::Foreseen;
pub use found::Analysis;
pub use ids::{CallId, ConnectionId, FlowId};
pub(crate) use ids::{bump, bump32};
pub use meta::{HelloTotals, Meta, Totals};
pub use tracker::{Paused, Tracker};
