//! Where one packet belongs: for the views that show packets beside what is known of them.

use hashbrown::HashMap;

use crate::dissect::layers::Layers;
use crate::util::Duration;

use super::{CallId, Meta, Tracker};

/// Where a packet belongs, and what it did there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// The control connection: 1 is `T1`.
    pub connection: Option<u32>,
    /// Which end of it sent the packet.
    pub from: Option<u8>,
    /// The call.
    pub call: Option<CallId>,
    /// A control message with a number that was used before.
    pub resent: bool,
    /// The packet that had the number first, if its message still waits for an acknowledgement.
    pub resend_of: Option<u64>,
    /// The newest message that it acknowledges for the first time: its packet, and how long that took.
    pub acknowledges: Option<(u64, Duration)>,
    /// Sequence numbers that this packet is the first to skip: of its ESP flow.
    pub esp_skipped: u32,
    /// The same of its data channel.
    pub data_skipped: u16,
    /// Its ESP sequence number came before.
    pub replayed: bool,
    /// The capture shows it twice, and this is the second time.
    pub double: bool,
}

/// What is known of packets only when the capture has been read to its end.
#[derive(Debug, Clone, Default)]
pub struct Hindsight {
    acknowledged: HashMap<u64, (u64, Duration)>,
}

/// Acknowledgements that are remembered for views; of later ones only the acknowledgement itself speaks.
const MOST: usize = 1 << 20;

impl Hindsight {
    /// The packet that acknowledged this one, and after how long.
    pub fn acknowledged(&self, packet: u64) -> Option<(u64, Duration)> {
        self.acknowledged.get(&packet).copied()
    }

    /// Takes what a packet did.
    pub(crate) fn note(&mut self, packet: u64, place: &Place) {
        if let Some((message, after)) = place.acknowledges
            && self.acknowledged.len() < MOST
        {
            self.acknowledged.entry(message).or_insert((packet, after));
        }
    }
}

impl Tracker {
    /// Where the last frame that was pushed belongs, as far as its own messages say.
    pub(crate) fn last_place(&self) -> &Place {
        &self.place
    }

    /// Takes a frame and says where it belongs.
    pub(crate) fn place(&mut self, meta: &Meta, layers: &Layers) -> Place {
        if self.count(meta, layers.digest) {
            return Place { double: true, ..Place::default() };
        }
        self.push(meta, layers, super::Foreseen::default());
        self.place
    }
}
