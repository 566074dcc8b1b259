//! How one end departs from the RFCs, where its machinery has to know.

use std::rc::Rc;

use super::super::messages::Message;
use super::super::wire::Numbers;
use super::super::world::World;

/// A tag of messages that are not sent after all.
pub const SUPPRESSED: u8 = 255;
/// A tag of what shows the fault.
pub const EVIDENCE: u8 = 1;

/// A control message that is about to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub conn: usize,
    pub end: usize,
    pub message: Message,
    pub numbers: Numbers,
    /// Bits of the flag word that should be 0.
    pub reserved: u16,
    pub copy: u32,
    pub tag: u8,
}

/// Changes a message, and says what else is sent, how much later.
pub type Tamper = Rc<dyn Fn(&mut World, &mut Outgoing) -> Vec<(i64, Outgoing)>>;

#[derive(Clone, Default)]
pub struct Bug {
    pub tamper: Option<Tamper>,
    /// Both ends take whatever number comes next.
    pub lenient: bool,
    /// This end does not acknowledge duplicates.
    pub ignores_copies: Option<usize>,
    /// This end acknowledges so late.
    pub late: Option<(usize, i64)>,
    /// The initiator refuses the SCCRP.
    pub declines_reply: Option<u16>,
    /// This end forgets a control connection as soon as it hears a StopCCN.
    pub deaf_to_stop: Option<usize>,
    /// The LAC does not follow the LNS into sequence numbers.
    pub ignores_numbers: bool,
}
