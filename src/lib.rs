//! Dissection, analysis and judgement of L2TP over IPsec captures.
//!
//! A packet goes one way: a [`capture`] lends frames, the [`inspector`] has them dissected ([`dissect`], which opens ESP
//! by the keys of [`ipsec`]) and followed ([`analysis`]), [`rules`] judge the facts, and [`report`] writes.
//!
//! ```text
//! util → field → ipsec → dissect → filter → analysis → rules → report → inspector → cli
//!           capture ─────────── as a stream of frames ────────────┘
//! ```
//!
//! # Example
//!
//! ```
//! use l2tp_inspect::analysis::limits::Limits;
//! use l2tp_inspect::inspector::Inspector;
//! use l2tp_inspect::ipsec::Sad;
//! use l2tp_inspect::rules::{self, Case};
//! use l2tp_inspect::util::{Frame, LinkType, Timestamp};
//!
//! // Raw IPv4, UDP 1701 to 1701: an SCCRQ that assigns tunnel ID 7, sent twice without an answer.
//! let sccrq: &[u8] = &[
//!     0x45, 0, 0, 56, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 10, 198, 51, 100, 1, // IPv4
//!     0x06, 0xa5, 0x06, 0xa5, 0, 36, 0, 0, // UDP
//!     0xc8, 2, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, // L2TP
//!     0x80, 8, 0, 0, 0, 0, 0, 1, 0x80, 8, 0, 0, 0, 9, 0, 7, // Message Type, Assigned Tunnel ID
//! ];
//! let sad = Sad::default();
//! let mut inspector = Inspector::new(&sad, Limits::default());
//! for number in 1..=2 {
//!     inspector.push(&Frame {
//!         number,
//!         time: Timestamp(number as i64 * 1_000_000_000),
//!         link: LinkType::RAW,
//!         interface: 0,
//!         data: sccrq,
//!         original_len: sccrq.len() as u32,
//!         offset: 0,
//!     });
//! }
//! let analysis = inspector.finish();
//! let findings = rules::judge(&Case::of(&analysis, &sad));
//! assert!(findings.iter().any(|finding| finding.rule.id == "tun-no-reply"));
//! ```

pub mod analysis;
pub mod capture;
pub mod check;
pub mod cli;
pub mod dissect;
pub mod export;
pub mod field;
pub mod filter;
pub mod inspector;
pub mod ipsec;
pub mod report;
pub mod rules;
pub mod util;
