//! Dissection, analysis and judgement of L2TP over IPsec captures.

pub mod util;

pub mod field;

pub mod ipsec;

pub mod analysis;

pub mod capture;

pub mod dissect;

pub mod inspector;

pub mod rules;

pub mod report;

pub mod cli;
