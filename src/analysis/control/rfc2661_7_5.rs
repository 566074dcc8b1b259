//! The machines of an outgoing call, which the LNS asks for: RFC 2661 sections 7.5.1 (LAC) and 7.5.2 (LNS), and RFC 3931
//! section 7.4, where either end may ask.

use crate::dissect::layers::MessageType;

use super::call_state::CallEndState::{self, Asked, Established, Idle, WaitConnect, WaitCsAnswer, WaitReply};
use super::machine::Event::{Receives, Sends};
use super::machine::Row;

const OCRQ: MessageType = MessageType::OCRQ;
const OCRP: MessageType = MessageType::OCRP;
const OCCN: MessageType = MessageType::OCCN;

/// Section 7.5.2: the end that asks. A CDN, which ends every state, stands in [`super::call_state`].
pub(super) static ASKS: &[Row<CallEndState>] = &[
    (Idle, Sends(OCRQ), WaitReply),
    (WaitReply, Receives(OCRP), WaitConnect),
    (WaitConnect, Receives(OCCN), Established),
];

/// Section 7.5.1: the end that is asked, and dials.
pub(super) static ANSWERS: &[Row<CallEndState>] = &[
    (Idle, Receives(OCRQ), Asked),
    (Asked, Sends(OCRP), WaitCsAnswer),
    (WaitCsAnswer, Sends(OCCN), Established),
];
