//! What was observed, folded: one entry for each kind of observation in each place, with a count and the first packets.

use hashbrown::HashMap;

use crate::util::Timestamp;

use crate::dissect::layers::{DigestCheck, MessageType, SessionId, TunnelId};

use super::{CallId, FlowId};
use crate::analysis::control::form::Form;

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
    /// An Nr acknowledged a ZLB as if it were a message, and the number was used afterwards.
    NrCountsZlb,
    /// An Nr acknowledged the number that only a ZLB had carried, and nothing afterwards shows whether a message had it.
    NrMayCountZlb,
    /// The form of a control message departs from the tables of the RFCs.
    Form(Form),
    /// An SCCRQ or SCCRP did not begin with Ns 0, but with this.
    FirstNs(u16),
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
    /// An SCCRP to a tunnel ID that its receiver did not assign.
    WrongTunnelId(TunnelId),
    /// A resend assigns another tunnel ID.
    TunnelIdChanged,
    /// A StopCCN with another Assigned Tunnel ID than its sender gave before.
    OtherTunnelId,
    /// A CDN with another Assigned Session ID than its sender gave before.
    OtherSessionId,
    /// A message about a call with another session ID in its header than its receiver assigned.
    WrongSession,
    /// A message about a call of which nobody assigned the session ID.
    UnknownCall(SessionId),
    /// A request assigns the session ID of a call that is not closed.
    SessionIdInUse,
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
    /// The clock of the capture jumped ahead; the amount is in seconds.
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
    AnsweredElsewhere(std::net::IpAddr),
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
    /// A version that nobody defined, between the ends of a control connection.
    UnknownVersion(u8),
    /// The Length of a header goes past its datagram; the amount is by how many octets.
    LengthTooBig,
    /// The Length of a header is less than the header.
    LengthTooSmall,
    /// The Offset Size of a header goes past its message.
    OffsetTooBig,
    /// A packet that came under ESP is in the capture once more, decrypted.
    ShownAgain,
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

    /// Packets that are kept of one kind of observation in one place.
    pub const MOST_PACKETS: usize = 8;
}

/// All observations.
#[derive(Debug, Default, Clone)]
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

    /// Keeps what was observed in these places only.
    pub(crate) fn keep(&mut self, wanted: impl Fn(&Scope) -> bool) {
        self.map.retain(|(_, scope), _| wanted(scope));
        self.map.shrink_to_fit();
    }

    /// Follows ESP flows to their new places; what was observed of those without one goes.
    pub(crate) fn move_flows(&mut self, to: impl Fn(FlowId) -> Option<FlowId>) {
        let all = std::mem::take(&mut self.map).into_iter();
        self.map = all
            .filter_map(|((fact, scope), tally)| match scope.flow {
                None => Some(((fact, scope), tally)),
                Some(flow) => Some(((fact, Scope { flow: Some(to(flow)?), ..scope }), tally)),
            })
            .collect();
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

    /// All departures of messages from their form, sorted by place.
    pub fn forms(&self) -> Vec<(Form, Scope, &Tally)> {
        self.each(|fact| if let Fact::Form(form) = fact { Some(form) } else { None })
    }

    /// All observations of a kind that has values, such as the message, in a stable order.
    pub fn each<T: Ord>(&self, wanted: impl Fn(Fact) -> Option<T>) -> Vec<(T, Scope, &Tally)> {
        let all = self.map.iter().filter_map(|(key, tally)| Some((wanted(key.0)?, key.1, tally)));
        let mut found: Vec<_> = all.collect();
        found.sort_unstable_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        found
    }

    /// How many observations were not kept.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}
