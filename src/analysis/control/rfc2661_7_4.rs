//! The machines of an incoming call, which the LAC asks for: RFC 2661 sections 7.4.1 (LAC) and 7.4.2 (LNS), and RFC 3931
//! section 7.3, where either end may ask.

use crate::dissect::layers::MessageType;

use super::call_state::CallEndState::{self, Accepted, Asked, Established, Idle, WaitConnect, WaitReply};
use super::machine::Event::{Receives, Sends};
use super::machine::Row;

const ICRQ: MessageType = MessageType::ICRQ;
const ICRP: MessageType = MessageType::ICRP;
const ICCN: MessageType = MessageType::ICCN;

/// Section 7.4.1: the end that asks. A CDN, which ends every state, stands in [`super::call_state`].
pub(super) static ASKS: &[Row<CallEndState>] = &[
    (Idle, Sends(ICRQ), WaitReply),
    (WaitReply, Receives(ICRP), Accepted),
    (Accepted, Sends(ICCN), Established),
];

/// Section 7.4.2: the end that is asked.
pub(super) static ANSWERS: &[Row<CallEndState>] = &[
    (Idle, Receives(ICRQ), Asked),
    (Asked, Sends(ICRP), WaitConnect),
    (WaitConnect, Receives(ICCN), Established),
];
