//! Which packet acknowledged which, once a capture has been read to its end: read from the logs.

use hashbrown::HashMap;

use crate::util::Duration;

use super::found::Analysis;
use super::log::What;

/// For each packet with a control message, the packet that acknowledged it, and after how long.
#[derive(Debug, Clone, Default)]
pub struct Acknowledgements(HashMap<u64, (u64, Duration)>);

impl Acknowledgements {
    /// Reads them out of the logs of all control connections.
    pub fn of(analysis: &Analysis) -> Self {
        let events = analysis.connections.iter().flat_map(|connection| connection.log.events());
        let known = events.filter_map(|event| match &event.what {
            What::Message(message) => {
                let at = message.acknowledged()?;
                Some((event.at.packet, (at.packet, at.time.since(event.at.time))))
            }
            _ => None,
        });
        Self(known.collect())
    }

    /// The packet that acknowledged this one, and after how long.
    pub fn of_packet(&self, packet: u64) -> Option<(u64, Duration)> {
        self.0.get(&packet).copied()
    }
}
