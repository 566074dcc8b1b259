//! Control connections and calls: what each end knows, and in which state it is (RFC 2661 section 7).

use super::line::Line;
use super::messages::Introduction;
use super::transport::{Habits, Transport};
use super::wire::{Address, Version};

pub const IDLE: &str = "idle";
pub const WAIT_CTL_REPLY: &str = "wait-ctl-reply";
pub const WAIT_CTL_CONN: &str = "wait-ctl-conn";
pub const WAIT_TUNNEL: &str = "wait-tunnel";
pub const WAIT_REPLY: &str = "wait-reply";
pub const WAIT_CONNECT: &str = "wait-connect";
pub const WAIT_CS_ANSWER: &str = "wait-cs-answer";
pub const ESTABLISHED: &str = "established";

/// Whether an end takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It never heard of the control connection.
    New,
    Up,
    /// It sent or got a StopCCN and answers what still comes.
    Closing,
    /// It knows nothing of it any more.
    Gone,
}

#[derive(Debug)]
pub struct End {
    pub address: Address,
    pub habits: Habits,
    pub introduction: Introduction,
    pub phase: Phase,
    pub state: &'static str,
    pub transport: Transport,
    /// It has the ID of its peer.
    pub knows_peer: bool,
    pub last_heard: i64,
    pub linger_until: Option<i64>,
    pub stop_queued: bool,
    pub wake_at: Option<i64>,
}

impl End {
    pub fn new(
        address: Address,
        habits: Habits,
        introduction: Introduction,
        peer_window: Option<u16>,
    ) -> Self {
        Self {
            address,
            habits,
            introduction,
            phase: Phase::New,
            state: IDLE,
            transport: Transport::new(peer_window.unwrap_or(4).max(1)),
            knows_peer: false,
            last_heard: 0,
            linger_until: None,
            stop_queued: false,
            wake_at: None,
        }
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up && !self.stop_queued
    }
}

#[derive(Debug)]
pub struct Conn {
    pub version: Version,
    /// End 0 is the initiator.
    pub ends: [End; 2],
    /// Which end is the LAC.
    pub lac: usize,
    /// A request of the other host that may cross this one.
    pub rival: Option<usize>,
    /// A control connection that the initiator has forgotten and that had the same ID.
    pub replaces: Option<usize>,
    /// An earlier control connection with the same ID: this one begins only once its state is gone.
    pub follows: Option<usize>,
    /// The responder answers with a StopCCN of this code.
    pub refuse: Option<u16>,
    /// The port from which the responder answers.
    pub floats_to: Option<u16>,
    pub calls: Vec<usize>,
}

/// One end of a call.
#[derive(Debug)]
pub struct CallEnd {
    pub id: u32,
    pub state: &'static str,
    pub knows_peer: bool,
    pub line: Option<Line>,
    pub close_queued: bool,
    /// Sequence numbers on data: the next, and whether they are sent.
    pub next: u16,
    pub numbers: bool,
}

impl CallEnd {
    pub fn new(id: u32) -> Self {
        Self { id, state: IDLE, knows_peer: false, line: None, close_queued: false, next: 0, numbers: false }
    }
}

#[derive(Debug)]
pub struct Call {
    pub conn: usize,
    pub requester: usize,
    /// Asked for by the LNS (section 7.5).
    pub outgoing: bool,
    pub serial: u32,
    pub ends: [CallEnd; 2],
    pub refuse: Option<u16>,
    /// Sequencing Required.
    pub required: bool,
    /// How long the LAC dials.
    pub dials: i64,
    pub ppp: super::options::PppPlan,
    pub ping: Option<i64>,
}
