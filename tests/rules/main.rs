//! Each rule is raised by one conversation, and not by another that nearly breaks it. `coverage` holds that for all.

#[path = "../common/mod.rs"]
mod common;
#[path = "../samples/mod.rs"]
mod samples;

mod conversations;
mod coverage;
mod data;
mod esp;
mod form;
mod headers;
mod ike;
mod order;
mod ppp;
mod ppp_proof;
mod secured;
mod udp;
