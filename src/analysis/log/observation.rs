//! What is worth a rule, folded: one kind of observation at one end, with a count and the first packets.

use crate::dissect::layers::{DigestCheck, MessageType};
use crate::util::Timestamp;

use crate::analysis::control::form::Form;
use crate::analysis::meta::At;

/// A kind of observation: no judgement, the rules make findings of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Observation {
    /// A control message was sent again with the same Ns.
    Resent,
    /// A control message filled a hole in the numbering late.
    LateMessage,
    /// The peer acknowledged numbers that were never seen.
    AcknowledgedUnseen,
    /// An Nr acknowledged what was not sent, and the number was used afterwards.
    NrBeyondSent,
    /// An Nr acknowledged a ZLB as if it were a message, and the number was used afterwards.
    NrCountsZlb,
    /// The form of a control message departs from the tables of the RFCs.
    Form(Form),
    /// An SCCRQ or SCCRP did not begin with Ns 0; the amount is the Ns.
    FirstNs,
    /// A number that only a ZLB had carried counts as used.
    ZlbCounted,
    /// A ZLB carries a number that its sender used before.
    ZlbNumber,
    /// The Message Digest of a message of L2TPv3 was held against what it should be.
    Digest(DigestCheck),
    /// Another message stands under a number that was used.
    OtherMessage,
    /// A new message acknowledges less than its sender acknowledged before.
    NrBackwards,
    /// A resend acknowledges less than its sender acknowledged before.
    StaleNr,
    /// A message was sent again after its acknowledgement had passed.
    ResentAfterAcknowledgement,
    /// Copies of an acknowledged message, and no control message of their receiver between them.
    CopyNotAcknowledged,
    /// A message was resent, and no wait was longer than the one before.
    FlatBackoff,
    /// The waits before resends stay below 8 s.
    LowCap,
    /// A message was resent within half a second.
    EarlyResend,
    /// More messages are unacknowledged than the peer's Receive Window Size.
    WindowExceeded,
    /// A message sent once was acknowledged after more than a second; the amount is in milliseconds.
    LateAcknowledgement,
    /// A message that the state of its control connection or call has no place for.
    Unexpected(MessageType),
    /// A message of the set-up in an established control connection.
    SetupAgain(MessageType),
    /// A Hello or a message about a call before the control connection is established.
    BeforeEstablished(MessageType),
    /// A message about a call after the StopCCN.
    AfterStopCcn(MessageType),
    /// An SCCRP to a tunnel ID that its receiver did not assign; the amount is that ID.
    WrongTunnelId,
    /// A resend assigns another tunnel ID.
    TunnelIdChanged,
    /// A StopCCN with another Assigned Tunnel ID than its sender gave before.
    OtherTunnelId,
    /// A CDN with another Assigned Session ID than its sender gave before.
    OtherSessionId,
    /// A message about a call with another session ID in its header than its receiver assigned.
    WrongSession,
    /// A message about a call of which nobody assigned the session ID; the amount is that ID.
    UnknownCall,
    /// A request assigns the session ID of a call that is not closed.
    SessionIdInUse,
    /// A StopCCN with a number that another message had: its sender has lost its state.
    StopOutOfSequence,
    /// A CDN was answered by a CDN.
    CdnAnswered,
    /// Data of a call after its CDN, or of a tunnel after its StopCCN, and more than a round trip.
    LateData {
        /// The whole tunnel was closed.
        tunnel: bool,
    },
    /// Data with Tunnel ID or Session ID 0.
    DataZero,
    /// Data without sequence numbers in a call that requires them.
    DataUnnumbered,
    /// The clock of the capture went backwards; the amount is in milliseconds.
    ClockBack,
    /// The clock of the capture jumped ahead while a control connection was up; the amount is in seconds.
    ClockAhead,
    /// Data of a call that was not established yet.
    EarlyData,
    /// Data of a session that no message announced, though the set-up of the tunnel was seen.
    UnknownSession,
    /// Data Ns skipped numbers; the amount is how many.
    DataGap,
    /// Data with a number that came before.
    DataCopy,
    /// Data with a number that came before, in an ESP packet that its receiver drops as a replay.
    DataReplayed,
    /// Data with a number behind those that came before, which was missing.
    DataLate,
    /// The LAC goes on without sequence numbers after the LNS began to send them, or with them after it stopped.
    NotFollowing {
        /// The LNS began.
        begins: bool,
    },
    /// Data Ns began at 0 again after a pause without numbers.
    NumbersRestart,
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
    /// The first answer to an SCCRQ came from another address than it went to.
    AnsweredElsewhere,
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
    /// A header of L2F.
    L2f,
    /// A version that nobody defined, between the ends of a control connection; the amount is the version.
    UnknownVersion,
    /// The Length of a header goes past its datagram; the amount is by how many octets.
    LengthTooBig,
    /// The Length of a header is less than the header.
    LengthTooSmall,
    /// The Offset Size of a header goes past its message.
    OffsetTooBig,
    /// A packet that came under ESP is in the capture once more, decrypted.
    ShownAgain,
}

/// How often something was observed.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The sum of what each occurrence amounts to.
    pub amount: u64,
    /// What the first one amounts to.
    pub first_amount: u64,
    /// The first packets.
    pub packets: Vec<u64>,
    /// The time of the first.
    pub first: Timestamp,
    /// The time of the last.
    pub last: Timestamp,
}

impl Tally {
    /// Packets that are kept of one kind of observation at one end.
    pub const MOST_PACKETS: usize = 8;

    pub(super) fn new(at: At, amount: u64) -> Self {
        let packets = vec![at.packet];
        Self { count: 1, amount, first_amount: amount, packets, first: at.time, last: at.time }
    }

    pub(super) fn add(&mut self, at: At, amount: u64) {
        self.count = self.count.saturating_add(1);
        self.amount = self.amount.saturating_add(amount);
        self.last = at.time;
        if self.packets.len() < Self::MOST_PACKETS && self.packets.last() != Some(&at.packet) {
            self.packets.push(at.packet);
        }
    }

    /// Takes in what was observed elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.amount = self.amount.saturating_add(other.amount);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.packets.extend(&other.packets);
        self.packets.sort_unstable();
        self.packets.dedup();
        self.packets.truncate(Self::MOST_PACKETS);
    }
}
