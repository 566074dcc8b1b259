//! What an exchange is for, how many messages it has, and which of them a message is.

use crate::dissect::ike::exchange_name;
use crate::dissect::layers::Ike;

/// What an exchange is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It makes the IKE SA: phase 1 of IKEv1 (RFC 2409 section 5: main and aggressive mode), IKE_SA_INIT (RFC 7296
    /// section 1.2).
    One,
    /// IKE_AUTH of IKEv2, with EAP several (RFC 7296 sections 1.2 and 2.16): who the ends are, and the first child SA.
    Authentication,
    /// It makes child SAs: quick mode (RFC 2409 section 5.5), CREATE_CHILD_SA (RFC 7296 section 1.3), which rekeys the
    /// IKE SA too.
    Two,
    /// Configuration of IKEv1, also called transaction exchange: XAUTH and mode config.
    Configuration,
    /// Notifications, deletions, questions whether the peer is there (RFC 2409 section 5.7, RFC 7296 section 1.4).
    Informational,
    /// Any other.
    Other,
}

/// Main mode has six messages (RFC 2409 section 5), no exchange has more.
pub(super) const MOST_MESSAGES: usize = 6;

/// Type of the first payload (RFC 2408 section 3.1).
const SECURITY_ASSOCIATION: u8 = 1;
const KEY_EXCHANGE: u8 = 4;
/// The payloads are encrypted (RFC 2408 section 3.1).
const ENCRYPTED: u8 = 1;

impl Phase {
    /// What exchanges of this type are for.
    pub fn of(version: u8, exchange: u8) -> Self {
        match exchange_name(version, exchange) {
            "main" | "aggressive" | "base" | "IKE_SA_INIT" => Self::One,
            "IKE_AUTH" => Self::Authentication,
            "quick" | "CREATE_CHILD_SA" => Self::Two,
            "configuration" => Self::Configuration,
            "informational" | "INFORMATIONAL" => Self::Informational,
            _ => Self::Other,
        }
    }
}

/// How many messages an exchange has.
pub(super) fn messages(version: u8, exchange: u8) -> u8 {
    match exchange_name(version, exchange) {
        "main" => 6,
        "base" => 4,
        "aggressive" | "quick" | "authentication-only" => 3,
        // RFC 2409 section 5.7: what answers it is an exchange of its own.
        "informational" => 1,
        _ => 2,
    }
}

/// Whether the other end has to answer the message with this number.
pub(super) fn awaits_answer(version: u8, exchange: u8, number: u8) -> bool {
    if Phase::of(version, exchange) == Phase::Configuration {
        // Request and reply, then set and acknowledge, may share a Message ID.
        return number % 2 == 1;
    }
    number < messages(version, exchange)
}

/// The number of a new message of an exchange; `begun` says whether its sender began the exchange, `reached` is the
/// highest number so far.
pub(super) fn number(ike: &Ike, begun: bool, reached: u8) -> u8 {
    let first = if begun { 1 } else { 2 };
    if ike.version == 2 {
        return first;
    }
    // Main mode shows which message it is, also where others are not captured.
    if exchange_name(1, ike.exchange) == "main" {
        if ike.flags & ENCRYPTED != 0 {
            return first.saturating_add(4);
        }
        match ike.next_payload {
            SECURITY_ASSOCIATION => return first,
            KEY_EXCHANGE => return first.saturating_add(2),
            _ => {}
        }
    }
    // Else the next of this end.
    let next = reached.saturating_add(1);
    let ours = (next % 2 == 1) == begun;
    if ours { next } else { next.saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::{AGGRESSIVE, MAIN, QUICK, v1};

    #[test]
    fn main_mode_tells_its_numbers_by_its_payloads() {
        let number_of =
            |payload, flags, begun| number(&Ike { next_payload: payload, flags, ..v1(MAIN, 0, 1) }, begun, 0);
        assert_eq!([number_of(1, 0, true), number_of(1, 0, false)], [1, 2]);
        assert_eq!([number_of(4, 0, true), number_of(4, 0, false)], [3, 4]);
        assert_eq!([number_of(5, 1, true), number_of(5, 1, false)], [5, 6]);
    }

    #[test]
    fn other_exchanges_count_by_who_speaks() {
        let quick = v1(QUICK, 9, 1);
        assert_eq!(number(&quick, true, 0), 1);
        assert_eq!(number(&quick, false, 1), 2);
        assert_eq!(number(&quick, true, 2), 3);
        // Message 2 is not captured: message 3 shows that it came.
        assert_eq!(number(&quick, true, 1), 3);
        assert_eq!(number(&v1(AGGRESSIVE, 0, 1), false, 0), 2);
    }

    #[test]
    fn the_last_message_needs_no_answer() {
        assert!(awaits_answer(1, MAIN, 5) && !awaits_answer(1, MAIN, 6));
        assert!(awaits_answer(1, QUICK, 2) && !awaits_answer(1, QUICK, 3));
        assert!(!awaits_answer(1, 5, 1));
        assert!(awaits_answer(2, 37, 1) && !awaits_answer(2, 37, 2));
        assert!(awaits_answer(1, 6, 3) && !awaits_answer(1, 6, 4));
    }
}
