//! Small helpers without knowledge of any protocol.

pub mod bounded;
pub mod frame;
pub mod link_type;
mod nearest;
pub mod printable;
pub mod seq;
pub mod time;

pub use frame::Frame;
pub use link_type::LinkType;
pub use nearest::{meant, nearest};
pub use printable::Printable;
pub use time::{Duration, Timestamp};
