//! What was observed, folded: one entry for each kind of observation in each place, with a count and the first packets.

use hashbrown::HashMap;

use crate::util::Timestamp;

use super::{CallId, FlowId};

/// A kind of observation. Facts, not judgements: the rules make findings of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// A control message was sent again with the same Ns.
    Resent,
    /// A control message filled a hole in the numbering late.
    LateMessage,
    /// A control message skipped numbers.
    SkippedNs,
    /// The peer acknowledged numbers that were never seen.
    AcknowledgedUnseen,
    /// An Nr acknowledged what was not sent, and the number was used afterwards.
    NrBeyondSent,
    /// An Nr acknowledged what was not seen, and nothing afterwards shows which of the two it is.
    NrBeyondSeen,
    /// A control message without the L bit.
    NoLengthBit,
    /// An AVP Length below 6.
    AvpLengthShort,
    /// An AVP Length past the end of its message.
    AvpOverruns,
    /// Data of a call that was not established yet.
    EarlyData,
    /// Data of a session that no message announced, though the set-up of the tunnel was seen.
    UnknownSession,
    /// Data Ns skipped numbers; the amount is how many.
    DataGap,
    /// A frame seen twice by the capture.
    Double,
    /// The capture cut a frame.
    Truncated,
    /// An ESP sequence number came again.
    EspReplay,
    /// ESP sequence numbers were skipped; the amount is how many.
    EspGap,
    /// A packet of an SA in UDP came from, or went to, another port than the one before.
    EspPorts,
    /// The padding of an opened packet is not 1, 2, 3 …
    EspPadding,
    /// An opened packet has a Next Header that does not belong to L2TP.
    EspNextHeader,
    /// An end of an established control connection outside ESP sends from another address or port than before.
    EndMoved,
    /// An ESP sequence number of 0.
    EspZero,
    /// An ICV did not hold.
    BadIcv,
    /// ESP without a usable key.
    NoKey,
    /// L2TP outside ESP.
    InClear,
    /// An ICMP port unreachable quotes L2TP, IKE or NAT traversal.
    PortUnreachable,
    /// An ICMP error says that a packet of L2TP, IKE or ESP is too big.
    FragmentationNeeded,
    /// L2TP of a version that is not followed.
    OtherVersion,
}

/// Where something was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scope {
    /// In which control connection, by its number.
    pub connection: Option<u32>,
    /// In which call.
    pub call: Option<CallId>,
    /// In which ESP flow.
    pub flow: Option<FlowId>,
    /// By which end of the control connection.
    pub end: Option<u8>,
}

/// One kind of observation in one place.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The sum of what each occurrence amounts to.
    pub amount: u64,
    /// The first packets.
    pub packets: Vec<u64>,
    /// The time of the first.
    pub first: Timestamp,
    /// The time of the last.
    pub last: Timestamp,
}

impl Tally {
    /// Packets that are kept of one kind of observation in one place.
    pub const MOST_PACKETS: usize = 8;
}

/// All observations.
#[derive(Debug, Default)]
pub struct Facts {
    map: HashMap<(Fact, Scope), Tally>,
    limit: usize,
    refused: u64,
}

impl Facts {
    pub(crate) fn new(limit: usize) -> Self {
        Self { map: HashMap::new(), limit, refused: 0 }
    }

    pub(crate) fn note(&mut self, fact: Fact, scope: Scope, packet: u64, time: Timestamp, amount: u64) {
        let key = (fact, scope);
        if self.map.len() >= self.limit && !self.map.contains_key(&key) {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let tally = self.map.entry(key).or_insert_with(|| Tally {
            count: 0,
            amount: 0,
            packets: Vec::new(),
            first: time,
            last: time,
        });
        tally.count = tally.count.saturating_add(1);
        tally.amount = tally.amount.saturating_add(amount);
        tally.last = time;
        if tally.packets.len() < Tally::MOST_PACKETS && tally.packets.last() != Some(&packet) {
            tally.packets.push(packet);
        }
    }

    /// The tally of one kind of observation in one place.
    pub fn get(&self, fact: Fact, scope: Scope) -> Option<&Tally> {
        self.map.get(&(fact, scope))
    }

    /// All places of one kind of observation, in a stable order.
    pub fn all(&self, fact: Fact) -> Vec<(Scope, &Tally)> {
        let mut found: Vec<_> =
            self.map.iter().filter(|(key, _)| key.0 == fact).map(|(key, tally)| (key.1, tally)).collect();
        found.sort_unstable_by_key(|(scope, _)| *scope);
        found
    }

    /// How many observations were not kept.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}
