//! Where one packet belongs: for the views that show packets beside what is known of them.

use crate::util::Duration;

use super::ids::{CallId, ConnectionId};

/// Where a packet belongs, and what it did there.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacketContext {
    /// The control connection: 1 is `T1`.
    pub connection: Option<u32>,
    /// Its place in the table.
    pub(crate) connection_id: Option<ConnectionId>,
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
