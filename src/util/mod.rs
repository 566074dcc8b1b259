//! Small helpers without knowledge of any protocol.

pub mod bounded;
pub mod printable;
pub mod seq;
pub mod time;

pub use printable::Printable;
pub use time::{Duration, Timestamp};
