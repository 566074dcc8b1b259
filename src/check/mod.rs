//! Check mode: a capture held against what is expected of it, so that a recorded trace becomes a test.
//!
//! [`Expectations`] are read from TOML, [`compare`] holds an analysis and its findings against them, and [`record`]
//! writes the expectations that a capture meets.

mod amount;
mod compare;
mod expect;
mod record;

pub use amount::{Amount, Count, Limit, Share};
pub use compare::{Bar, Outcome, Result, compare};
pub use expect::{
    Allow, CallExpect, CaptureExpect, ConnectionExpect, ExpectError, Expectations, HelloExpect, Level,
    MAX_FILE,
};
pub use record::record;
