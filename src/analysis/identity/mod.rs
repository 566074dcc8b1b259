//! Whose packet is this? The one owner of the question which control connection, call and end a packet belongs to.

mod copies;
mod opening;
mod owner;
mod routes;

pub(super) use copies::request;
pub(super) use owner::{Identity, Owner, older};
