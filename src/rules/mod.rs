//! Judgement: from facts to findings, and from findings to the one sentence on top.
//!
//! A rule looks at the [`Analysis`] alone; it never sees bytes. Each rule says one thing, with the section of the RFC,
//! what was seen, what could make the judgement wrong, and what to do next.

pub mod diagnosis;
pub mod finding;

pub use diagnosis::{Confidence, Diagnosis};
pub use finding::{Certainty, Finding, Severity};
