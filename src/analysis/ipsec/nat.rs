//! NAT keepalives (RFC 3948 section 2.3): who sends them, and how often.

use crate::dissect::layers::Addresses;
use crate::util::{Duration, Timestamp};

use crate::analysis::ids::bump;
use crate::analysis::meta::Meta;

/// Pairs of addresses whose keepalives are counted.
const MOST_PAIRS: usize = 1024;

/// The NAT keepalives from one address to another.
#[derive(Debug, Clone)]
pub struct Keepalives {
    /// From where to where.
    pub addresses: Addresses,
    /// How many.
    pub count: u64,
    /// The first: packet and time.
    pub first: (u64, Timestamp),
    /// When the last came.
    pub last: Timestamp,
    /// The shortest and the longest time between two.
    pub pauses: Option<(Duration, Duration)>,
}

/// Counts a NAT keepalive.
#[cold]
pub(in crate::analysis) fn keepalive(all: &mut Vec<Keepalives>, addresses: Addresses, meta: &Meta) {
    if let Some(known) = all.iter_mut().find(|known| known.addresses == addresses) {
        let pause = meta.time.since(known.last);
        known.last = meta.time;
        bump(&mut known.count);
        let (least, most) = known.pauses.unwrap_or((pause, pause));
        known.pauses = Some((least.min(pause), most.max(pause)));
    } else if all.len() < MOST_PAIRS {
        let first = (meta.packet, meta.time);
        all.push(Keepalives { addresses, count: 1, first, last: meta.time, pauses: None });
    }
}
